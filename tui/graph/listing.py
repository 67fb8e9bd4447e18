"""The graph as a list: a box in each line, with rails for the edges beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from textual.geometry import Region

from . import rail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.engine.graph import Graph
    from ...core.pictures.folds import Fold, Sketch
    from .drawing import Row

_MOST_PARTS: Final = 8  # of a list that are kept


@dataclass(eq=False)
class Listing:
    """All boxes in order, one a line. Only the parts that are looked at are drawn."""

    graph: Graph  # that is listed
    sketch: Sketch  # of the graph, as it is folded
    folds: Sequence[Fold]  # of the graph
    width: int  # of a line, in cells
    kind: Literal["list"] = "list"  # what is shown
    down: bool = True  # always true: consumers stand further down

    def __post_init__(self) -> None:
        self._parts: dict[int, list[str]] = {}
        self._rows: dict[int, Row] = {}  # of those parts, as far as they were seen
        self.order: Sequence[int] = rail.in_order(self.sketch)  # from top to bottom
        names = rail.name_width(self.graph, self.sketch)
        most = rail.most_lanes(self.width, names)
        self._rails = rail.rails_of(self.sketch, self.order, most)
        room = self.width - 2 * self._rails.width
        self.columns = rail.columns(self.graph, self.sketch, self.folds, room)

    @property
    def height(self) -> int:
        """How many lines it has."""
        return len(self.order)

    def row(self, line: int) -> Row:
        """Return what stands in a line."""
        if line in self._rows:
            return self._rows[line]
        part, place = divmod(line, rail.PART)
        if part not in self._parts:
            if len(self._parts) >= _MOST_PARTS:
                self._parts.clear()
                self._rows.clear()
            self._parts[part] = rail.drawn(self.sketch, self.order, self._rails, part)
        text = self._parts[part][place]
        box = self.order[line]
        label = rail.pieces(self.graph, self.sketch, box, self.folds, self.columns)
        pieces = rail.within(label, self.width - len(text))
        row = self._rows[line] = text, [(len(text), box, pieces)]
        return row

    def region(self, box: int) -> Region | None:
        """Return the line of a box."""
        return Region(0, self._rails.line[box], max(self.width, 1), 1)

    def beside(self, box: int, by: int) -> int:
        """Return the box so many lines further, or the last."""
        line = min(max(self._rails.line[box] + by, 0), self.height - 1)
        return self.order[line]

    def cells(self, source: int, target: int) -> Sequence[tuple[int, int, int]]:
        """Return nothing: rails are not told apart."""
        del source, target
        return ()
