"""Where the matrices of a step stand: places that depend on shapes alone.

A product is laid out as one multiplies by hand: the right factor above, the left factor
at the left, what is made where the two meet, and the sum at its right, before → after.
Every other step has its matrices in one row.

```
            right
left        made      before → after
```

Matrices that share an axis share its window: the left factor has the rows of what is
made, the right factor has its columns, and the columns of the left factor are the rows
of the right one. Where there is no room, the numbers of rows and columns give way
first, then what the caller says may be left out, one after the other; then the windows
get smaller.
"""

from __future__ import annotations

from itertools import accumulate, product
from typing import TYPE_CHECKING, Final, NamedTuple

from ..matrix.grid import MARGINS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GAP: Final = 3  # blank columns between two places
TITLE: Final = 1  # lines above a matrix that say what it is
# With the numbers of rows, which cost columns, and of columns, which cost lines, or
# without; and the blanks between two places: what shows most first.
_STYLES: Final = tuple(
    (rows, columns, gap)
    for columns in (True, False)
    for rows in (True, False)
    for gap in (_GAP, 1)
)
SMALL: Final = 8  # rows up to which no row is cut while there is room for one column
# Rows and columns of a window, where there are so many, and numbers along an axis that
# is both: what shows most first. `SMALL` is for axes that are no longer.
_LEAST: Final = ((SMALL, 2, SMALL), (SMALL, 1, SMALL), (3, 2, 3), (3, 2, 2), (1, 1, 1))
FEW: Final = 3  # of longer ones
_MARKS: Final = 3  # columns of ` ←→` behind a title


class Size(NamedTuple):
    """How large the numbers of matrices are written."""

    wide: int = 1  # columns of a character
    high: int = 1  # lines of it
    lines: int = 1  # from one row to the next

    def cell(self, cell: int) -> int:
        """Return how wide a cell is: its margins stay one column each."""
        return (cell - MARGINS) * self.wide + MARGINS if self.wide > 1 else cell

    def rows(self, rows: int) -> int:
        """Return how high so many rows are; one blank line below them is enough."""
        return rows * self.lines - max(self.lines - self.high - 1, 0)


SMALLEST: Final = Size()


class Part(NamedTuple):
    """A matrix as its place sees it.

    `rows` and `columns` name its axes: matrices that have an axis in common show the
    same window of it. `across` and `down` number the places: those with the
    same numbers stand above and beside each other.
    """

    rows: str  # the axis that its rows go along
    columns: str  # the axis that its columns go along
    cell: int  # how wide one number is, with its margins
    across: int  # the column of places
    down: int  # the line of places
    title: int = 0  # how wide its place is at least
    wish: int = 0  # how wide it is where there is room to spare
    numbered: bool = True  # its rows have numbers, unless those beside it have them
    first: int = 0  # the number of its first row
    lead: int = 0  # blank columns before its first number


class Tile(NamedTuple):
    """Where one matrix stands, its title included, and how much of it is seen."""

    number: int  # of the matrix
    x: int  # of its left column
    y: int  # of its title
    width: int  # up to the next place
    rows: int  # that are seen
    columns: int  # that are seen
    gutter: int  # columns for the numbers of its rows
    head: int  # lines for the numbers of its columns
    size: Size = SMALLEST  # of its numbers

    @property
    def height(self) -> int:
        """How many lines it takes, its title included."""
        return TITLE + self.head + self.size.rows(self.rows)


_Column = tuple[int, int]  # the line that it is in, and which one it is


class _Plan(NamedTuple):
    """One way to draw the matrices: which, how much of each axis, how far apart."""

    parts: Sequence[tuple[int, Part]]
    windows: Mapping[str, int]
    numbered: bool  # with the numbers of rows
    headed: bool  # with those of columns
    gap: int
    size: Size = SMALLEST

    def columns(self) -> list[_Column]:
        """Return which column of places each matrix stands in.

        Lines that have no place above each other have columns of their own.
        """
        first: dict[int, int] = {}  # the line in which a column begins
        for _, part in self.parts:
            first[part.across] = min(first.get(part.across, part.down), part.down)
        line: dict[int, int] = {}  # whose columns a line has
        for _, part in self.parts:
            known = line.get(part.down, part.down)
            line[part.down] = min(known, first[part.across])
        return [(line[part.down], part.across) for _, part in self.parts]

    def gutters(self, sizes: Mapping[str, int]) -> dict[_Column, int]:
        """Return how wide the numbers of rows are, for each column of places."""
        widths: dict[_Column, int] = {}
        for column, (_, part) in zip(self.columns(), self.parts, strict=True):
            is_numbered = self.numbered and part.numbered
            wide = gutter(sizes[part.rows], part.first) if is_numbered else 0
            widths[column] = max(widths.get(column, 0), wide + part.lead)
        return widths

    def heads(self, sizes: Mapping[str, int]) -> list[int]:
        """Return how high the numbers of columns are, for each line of places."""
        heights = [0] * (1 + max(part.down for _, part in self.parts))
        for _, part in self.parts:
            if self.headed and sizes[part.columns] > 1:
                heights[part.down] = 1
        return heights

    def widths(self, sizes: Mapping[str, int]) -> dict[_Column, int]:
        """Return how wide each column of places is."""
        gutters = self.gutters(sizes)
        widths: dict[_Column, int] = {}
        for column, (_, part) in zip(self.columns(), self.parts, strict=True):
            cell = self.size.cell(part.cell)
            wide = gutters[column] + self.windows[part.columns] * cell
            widths[column] = max(widths.get(column, 0), wide, part.title)
        return widths

    def heights(self, sizes: Mapping[str, int]) -> list[int]:
        """Return how high each line of places is."""
        heads = self.heads(sizes)
        heights = [0] * len(heads)
        for _, part in self.parts:
            rows = self.size.rows(self.windows[part.rows])
            high = TITLE + heads[part.down] + rows
            heights[part.down] = max(heights[part.down], high)
        return heights

    def spare(self, sizes: Mapping[str, int], width: int) -> int:
        """Return how many columns are left in the longest line."""
        return width - max(
            sum(widths) + self.gap * (len(widths) - 1)
            for widths in self._by_line(sizes)
        )

    def _by_line(self, sizes: Mapping[str, int]) -> list[list[int]]:
        lines: dict[int, list[int]] = {}
        for (line, _), wide in sorted(self.widths(sizes).items()):
            lines.setdefault(line, []).append(wide)
        return list(lines.values())

    def fits(self, sizes: Mapping[str, int], width: int, height: int) -> bool:
        """Tell whether all of it has room."""
        return self.spare(sizes, width) >= 0 and sum(self.heights(sizes)) <= height

    def spread(self, sizes: Mapping[str, int], width: int) -> _Plan:
        """Return this plan with wider places, as far as they wish it and have room."""
        wished = [(n, p._replace(title=max(p.title, p.wish))) for n, p in self.parts]
        plan, grown = self._replace(parts=wished), False
        if plan.spare(sizes, width) < 0:  # they get a cell each in turn, while there is
            plan, grown = self, True
        while grown:
            grown = False
            for place, (number, part) in enumerate(plan.parts):
                wide = plan.widths(sizes)[plan.columns()[place]]
                if wide < part.wish:
                    parts = list(plan.parts)
                    parts[place] = number, part._replace(title=wide + 1)
                    wider = plan._replace(parts=parts)
                    if wider.spare(sizes, width) >= 0:
                        plan, grown = wider, True
        return plan

    def tiles(self, sizes: Mapping[str, int]) -> list[Tile]:
        """Return where each matrix stands."""
        widths, gutters, heads = (
            self.widths(sizes),
            self.gutters(sizes),
            self.heads(sizes),
        )
        ys = [0, *accumulate(self.heights(sizes))]
        starts: dict[_Column, int] = {}
        ends: dict[int, int] = {}
        for line, across in sorted(widths):
            starts[line, across] = ends.get(line, 0)
            ends[line] = starts[line, across] + widths[line, across] + self.gap
        return [
            Tile(
                number,
                starts[column],
                ys[part.down],
                widths[column],
                self.windows[part.rows],
                self.windows[part.columns],
                gutters[column],
                heads[part.down],
                self.size,
            )
            for column, (number, part) in zip(self.columns(), self.parts, strict=True)
        ]


def gutter(rows: int, first: int = 0) -> int:
    """Return how wide the numbers of so many rows are.

    >>> gutter(1), gutter(5), gutter(10), gutter(10, 1)
    (0, 2, 2, 3)
    """
    return 0 if rows == 1 else len(str(rows - 1 + first)) + 1


def whole(
    parts: Sequence[Part],
    sizes: Mapping[str, int],
    optional: Sequence[int],
    width: int,
    height: int,
    size: Size = SMALLEST,
    *,
    headed: bool = False,
) -> list[Tile]:
    """Return where matrices stand in full; nothing where they have no room.

    `sizes` are the lengths of the axes; `optional` are the numbers of the matrices that
    may be left out, the first one first. With `headed` columns have their numbers.
    """
    for some in _left(parts, optional):
        for numbered, is_headed, gap in _STYLES:
            plan = _Plan(some, sizes, numbered, is_headed, gap, size)
            if is_headed >= headed and plan.fits(sizes, width, height):
                return plan.spread(sizes, width).tiles(sizes)
    return []


def windows(
    parts: Sequence[Part],
    sizes: Mapping[str, int],
    optional: Sequence[int],
    width: int,
    height: int,
) -> list[Tile]:
    """Return where windows on matrices stand, as large as there is room for.

    Where not even the least has room, the result is higher or wider than asked for.
    """
    plans = list(_least(parts, sizes, optional))
    fitting = (plan for plan in plans if plan.fits(sizes, width, height))
    grown = _grown(next(fitting, plans[-1]), sizes, width, height)
    return grown.spread(sizes, width).tiles(sizes)


def cut_cells(
    parts: Sequence[Part], sizes: Mapping[str, int], tiles: Sequence[Tile]
) -> tuple[int, int]:
    """Return how many rows and how many columns of small matrices are not seen."""
    axes = [parts[tile.number] for tile in tiles]
    rows = [(sizes[one.rows], tile.rows) for one, tile in zip(axes, tiles, strict=True)]
    columns = [
        (sizes[one.columns], tile.columns)
        for one, tile in zip(axes, tiles, strict=True)
    ]
    return _cut(rows), _cut(columns)


def _cut(seen: Sequence[tuple[int, int]]) -> int:
    return sum(size - shown for size, shown in seen if size <= SMALL)


def _least(
    parts: Sequence[Part], sizes: Mapping[str, int], optional: Sequence[int]
) -> Iterator[_Plan]:
    """Yield ways to draw small windows; their numbers tell where they are cut."""
    down, across = {part.rows for part in parts}, {part.columns for part in parts}
    for (rows, columns, both), numbered in product(_LEAST, (True, False)):
        least = dict.fromkeys(across, columns) | dict.fromkeys(down, rows)
        least |= dict.fromkeys(down & across, both)
        windows = {
            axis: size if size <= least[axis] else min(least[axis], FEW)
            for axis, size in sizes.items()
        }
        is_bare = numbered or rows != SMALL
        marked = parts if is_bare else [_marked(p, sizes, windows) for p in parts]
        for some in _left(marked, optional):
            yield _Plan(some, windows, numbered, numbered, 1)
    bare = [part._replace(title=0) for part in parts]  # numbers before their titles
    ones = {axis: min(size, 1) for axis, size in sizes.items()}
    for some in _left(bare, optional):
        yield _Plan(some, ones, False, False, 1)


def _marked(part: Part, sizes: Mapping[str, int], windows: Mapping[str, int]) -> Part:
    """Return a part whose title has room for the marks of a small axis that is cut."""
    is_cut = windows[part.columns] < sizes[part.columns] <= SMALL
    return part._replace(title=part.title + _MARKS * is_cut) if part.title else part


def _left(
    parts: Sequence[Part], optional: Sequence[int]
) -> Iterator[Sequence[tuple[int, Part]]]:
    """Yield all matrices, and then without one after the other of the optional ones."""
    for count in range(len(optional) + 1):
        gone = set(optional[:count])
        yield [(n, part) for n, part in enumerate(parts) if n not in gone]


def _grown(plan: _Plan, sizes: Mapping[str, int], width: int, height: int) -> _Plan:
    """Return a plan with windows as large as there is room for, all growing in turn."""
    growing = [axis for axis, size in sizes.items() if plan.windows[axis] < size]
    while growing:
        for axis in growing[:]:
            windows = {**plan.windows, axis: plan.windows[axis] + 1}
            larger = plan._replace(windows=windows)
            if windows[axis] <= sizes[axis] and larger.fits(sizes, width, height):
                plan = larger
            else:
                growing.remove(axis)
    return plan
