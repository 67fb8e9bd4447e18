"""The matrices of a step as lines, each at its place and with its title."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment

from ....core.engine.trace import Contribution
from ...graph.drawing import cut
from . import words
from .large import sized
from .places import TITLE, Tile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....core.explain.links import Role
    from ..base.pane import Line
    from ..matrix.grid import Grid, Inks
    from .words import Moment


class Matrices(NamedTuple):
    """The matrices of a step that are seen, and where."""

    moment: Moment  # of which they are
    grids: Sequence[Grid]  # one for each array of the moment
    tiles: Sequence[Tile]  # where those stand that are seen
    active: int  # the number of the one that the cursor is in
    width: int  # columns that there are for all

    def lines(self, inks: Inks) -> list[Line]:
        """Write the matrices, each at its place."""
        present, tiles = self.moment, self.tiles
        height = max((tile.y + tile.height for tile in tiles), default=0)
        rows: list[list[tuple[int, Line]]] = [[] for _ in range(height)]
        for tile in tiles:
            grid = self.grids[tile.number]
            made, role = tile.number == present.made, present.facets[tile.number].role
            ink = inks.title(role, is_made=made)
            rows[tile.y].append((tile.x, [Segment(self._headline(tile), ink)]))
            lines = sized(grid.cells(tile.gutter, tile.head, inks), tile)
            if not grid.array.size:
                lines = [[Segment("empty", inks.quiet)]]
            for number, line in enumerate(lines, tile.y + TITLE):
                rows[number].append((tile.x, line))
        before, after = (self._tile_of(role) for role in ("before", "after"))
        is_sum = isinstance(present.event, Contribution)
        if is_sum and before is not None and after is not None and after.x > before.x:
            for row in range(before.rows):
                y = before.y + TITLE + before.head + row * before.size.lines
                y += before.size.high // 2  # the middle of its lines
                x = (before.x + before.width + after.x) // 2
                rows[y].append((x, [Segment("→", inks.quiet)]))
        return [_joined(sorted(row, key=_start)) for row in rows]

    def _headline(self, tile: Tile) -> str:
        """Return a title as far as there is room up to the next matrix in its line."""
        present, tiles = self.moment, self.tiles
        is_active = tile.number == self.active
        beside = [one.x for one in tiles if one.y == tile.y and one.x > tile.x]
        first, cursors = self.grids[tile.number].first, [g.cursor for g in self.grids]
        titles = words.title(present, tile.number, cursors, first)
        if isinstance(present.event, Contribution):
            before, after = (self._tile_of(role) for role in ("before", "after"))
            if before is not None and tile == after:
                return "" if before.y == tile.y else " → after"
            if tile in (before, after):  # one title for both
                titles, beside = words.accumulated(present, cursors, first), []
                is_active = present.facets[self.active].role in ("before", "after")
        more = self._cut_sides(tile)
        room = min(beside, default=self.width + 1) - 2 - tile.x - len(more)
        text = next((text for text in titles if cell_len(text) <= room), titles[-1])
        mark = "▸" if is_active and len(tiles) > 1 else " "
        return mark + cut(text, max(room, 1)) + more

    def _cut_sides(self, tile: Tile) -> str:
        """Return marks of the sides where a matrix is cut, where its numbers do not."""
        grid = self.grids[tile.number]
        has_rows = any(one.gutter for one in self.tiles if one.y == tile.y)
        sides = (
            ("↑", not has_rows and grid.top > 0),
            ("↓", not has_rows and grid.top + tile.rows < grid.rows),
            ("←", not tile.head and grid.left > 0),
            ("→", not tile.head and grid.left + tile.columns < grid.columns),
        )
        marks = "".join(mark for mark, is_cut in sides if is_cut)
        return f" {marks}" if marks else ""

    def _tile_of(self, role: Role) -> Tile | None:
        number = self.moment.roles.get(role)
        return next((tile for tile in self.tiles if tile.number == number), None)


def _start(part: tuple[int, Line]) -> int:
    return part[0]


def _joined(parts: Sequence[tuple[int, Line]]) -> Line:
    """Return lines beside each other, each from its column on."""
    joined: Line = []
    x = 0
    for start, line in parts:
        if start > x:
            joined.append(Segment(" " * (start - x)))
        joined += line
        x = max(start, x) + cell_len("".join([text for text, _, _ in line]))
    return joined
