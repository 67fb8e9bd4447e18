"""All nodes in a table that can be sorted, however many there are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

from rich.cells import cell_len

from ....core.engine.element import Element, Quantity
from ....core.engine.measure import MOST_PARTIAL, Gist, gist
from ....core.pictures.flow import SIZES, Computed, computed, node_order
from ....core.words.digits import CELL
from ....core.words.formulas import Wording
from ....core.words.numbers import digits_apart, number_text, shape_text
from ..base.known import Known
from ..base.pane import Chosen, View
from ..base.views import VIEWS
from .table import Cell, Column, KeptTable, Row

if TYPE_CHECKING:
    from ....core.base.progress import Progress
    from ....core.engine.graph import Node
    from ....core.engine.run import Run
    from ....core.engine.trace import Trace
    from ....core.ops.table import Array

SIGNS: Final[dict[Computed, str]] = {
    "future": "·",
    "value": "○",
    "partial": "◐",
    "gradient": "●",
}


class RunRows(Sequence[Row]):
    """Rows about nodes of one run, looked at from a position."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._trace: Trace | None = None
        self._position = 0
        self.says_code = True  # beside a made-up name, in a column of its own

    def node(self, row: int) -> int:
        """Return the node of a row."""
        raise NotImplementedError

    def row_of(self, node: int) -> int | None:
        """Return the row of a node, if it is among them."""
        raise NotImplementedError


R = TypeVar("R", bound=RunRows)
_NAME, _OPERATION, _SHAPE = 1, 2, 3  # columns of what is known before anything runs
_NUMBER: Final = 9  # columns: -1.234e-5, so that none moves when such a number comes
_MOST_ASKED: Final = 2000  # nodes: of more, the first ones say how wide columns are


class RunTable(KeptTable[R], Generic[R]):
    """A table of nodes: its cursor and the chosen element go together."""

    QUANTITY: ClassVar[Quantity]  # of a node, that its row chooses

    def follow(self, view: View) -> int | None:
        """Return the row of the chosen node, if it is among them."""
        if view.chosen is None or self.made is None:
            return None
        return self.made.row_of(view.chosen.node)

    def moved(self, row: int) -> None:
        """Choose the node under the cursor, in all panes."""
        if self.made is not None:
            element = Element(self.made.node(row), self.QUANTITY, None)
            self.post_message(Chosen(element))

    def place(self) -> str:
        """Return the node under the cursor as a location."""
        if self.made is None:
            return ""
        return self.made.run.graph.nodes[self.made.node(self.cursor)].name


class NodeRows(RunRows):
    """The nodes of a run in an order; what is known of them is found out on demand."""

    def __init__(
        self,
        trace: Trace,
        position: int,
        by: str,
        descending: bool,
        gist_of: Callable[[Array], Gist | None],
        progress: Progress,
    ) -> None:
        super().__init__(trace.run)
        self._gist_of = gist_of
        self._words = Wording(trace.run.graph)
        self._widths: dict[tuple[int, bool], int] = {}
        self.order = node_order(
            trace, position, by, descending=descending, progress=progress
        )
        self._rows: dict[int, int] = {}
        if not isinstance(self.order, range):
            self._rows = {node: row for row, node in enumerate(self.order)}

    def at(self, trace: Trace, position: int) -> None:
        """Look at the nodes from a position."""
        self._trace, self._position = trace, position

    def node(self, row: int) -> int:
        """Return the node of a row."""
        return self.order[row]

    def widest(self, column: int) -> int:
        """Return how wide the longest text of a column is that no position changes."""
        key = column, self.says_code
        if column not in (_NAME, _OPERATION, _SHAPE):
            return 0
        if key not in self._widths:
            nodes = self.run.graph.nodes[:_MOST_ASKED]
            texts = (self._said(node)[column - _NAME] for node in nodes)
            self._widths[key] = max(map(cell_len, texts), default=0)
        return self._widths[key]

    def _said(self, node: Node) -> tuple[str, str, str]:
        """Return the name of a node, what makes it, and its shape."""
        name = node.name if self.says_code else self._words.node(node.index)
        shape = shape_text(node.shape) if node.shape else ""
        return name, node.wording or node.made_by, shape

    def row_of(self, node: int) -> int:
        """Return the row of a node."""
        if isinstance(self.order, range):
            return self.order.index(node)
        return self._rows[node]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, row: int) -> Row:  # type: ignore[override]  # no slices
        if self._trace is None:
            return ()
        index = self.order[row]
        node = self.run.graph.nodes[index]
        now = computed(self._trace, index, self._position)
        name, made_by, shape = self._said(node)
        cells = (
            Cell(SIGNS[now], "quiet" if now == "future" else "present"),
            Cell(name, "name" if now != "future" else "quiet"),
            Cell(made_by, "quiet"),
            Cell(shape, "quiet"),
        )
        value = self._trace.value(index, self._position)
        gradient = self._gradient(index, now)
        arrays = value, gradient
        gists = [None if array is None else self._gist_of(array) for array in arrays]
        for array, found in zip(arrays, gists, strict=True):
            if array is not None and found is None:
                return (*cells, *[Cell("…", "quiet")] * 6)
        if not self.run.arrives(index):
            size = Cell("—", "quiet")
        else:
            size = Cell() if gists[1] is None else number_cell(gists[1].norm)
        return (*cells, *_range(gists[0]), size, *_range(gists[1]), _flags(*gists))

    def _gradient(self, node: int, now: Computed) -> Array | None:
        """Return what has arrived of a gradient, if that is summed up fast."""
        shape = self.run.graph.nodes.rows[node][6]
        is_long = now == "partial" and math.prod(shape) > MOST_PARTIAL
        if self._trace is None or now in ("future", "value") or is_long:
            return None
        return self._trace.gradient(node, self._position)


class NodesPane(RunTable[NodeRows]):
    """Every node in a few numbers."""

    TITLE: ClassVar[str] = VIEWS["nodes"]
    WORD: ClassVar[str] = "node"
    HELP: ClassVar[str | None] = (
        "All nodes of the run; what lies in the future is open.\n"
        "operation: of a node without a name of its own what is written for it\n"
        "· not computed yet   ○ the value is there   ◐ some contributions to the "
        "gradient are in   ● the gradient is complete\n"
        "value, up to: the number, or the range of an array   ‖grad‖: the norm of the "
        "gradient, — where none flows   grad, up to: its range\n"
        "flags: NaN, Inf and zeros among values (v) and gradients (g)\n"
        "v: sort by the next column   V: turn the order round   or click a heading\n"
        "up, down: choose a node   enter: go where it is done   b: break there"
    )
    QUANTITY: ClassVar[Quantity] = "value"
    GAP: ClassVar[int] = 1  # numbers have blanks around them
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(""),
        Column("name", width=8, least=12, most=24, order="name"),
        Column("operation", rank=5, least=10, most=20, order="operation"),
        Column("shape", "right", rank=4, order="shape"),
        Column("value", "point", rank=2, width=_NUMBER, order="value"),
        Column("up to", "point", rank=2, width=_NUMBER),
        Column("‖grad‖", "point", width=_NUMBER, order="norm"),
        Column("grad", "point", rank=6, width=_NUMBER),
        Column("up to", "point", rank=6, width=_NUMBER),
        Column("flags", rank=3, wide=True, width=9),
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._gists = Known(gist)

    def _gist(self, array: Array) -> Gist | None:
        return self._gists.of(array, self, self.again)

    def recipe(self, view: View) -> tuple[object, Callable[[], NodeRows]]:
        """Return the run and its order as the key, and what sorts the nodes.

        Sizes are those that are there by now, so that their order says no more.
        """
        trace, progress = view.debugger.trace, view.debugger.progress
        by = self.COLUMNS[self.sorted_by].order if self.sorted_by >= 0 else ""
        position = view.debugger.position if by in SIZES else 0
        descending, gist_of = self.descending, self._gist
        return (trace.run, position, by, descending), lambda: NodeRows(
            trace, position, by, descending, gist_of, progress
        )

    def widest(self, column: int) -> int:
        """Return how wide the names, operations and shapes of all nodes are."""
        return 0 if self.made is None else self.made.widest(column)

    def rows_of(self, made: NodeRows, view: View) -> Sequence[Row]:
        """Return a row for each node, made when it is seen."""
        made.at(view.debugger.trace, view.debugger.position)
        return made

    def adapt(self, shown: Sequence[int]) -> bool:
        """Call nodes by their code where its column does not fit, instead of names."""
        made, says_code = self.made, _OPERATION in shown
        if made is None or made.says_code == says_code:
            return False
        made.says_code = says_code
        return True

    def entered(self, row: int) -> None:
        """Go to where the node under the cursor is done."""
        self.moved(row)
        self.ask(f"goto {self.place()}")


def number_cell(number: float | None, meaning: str = "", digits: int = CELL) -> Cell:
    """Return a number; `—` where there is none, and NaN and Inf stand out."""
    if number is None:
        return Cell("—", "quiet")
    text = number_text(number, digits)
    return Cell(text, "alarm" if text.strip("-") in ("nan", "inf") else meaning)


def _range(found: Gist | None) -> tuple[Cell, Cell]:
    if found is None:
        return Cell(), Cell()
    if found.size == 0:
        return Cell("empty", "quiet"), Cell()
    if found.low is None or found.high is None:
        return number_cell(found.norm), Cell()
    ends = (found.low, found.high)
    if found.low == found.high:
        return number_cell(found.low), Cell()
    digits = digits_apart(ends)
    return number_cell(found.low, digits=digits), number_cell(found.high, digits=digits)


def _flags(value: Gist | None, gradient: Gist | None) -> Cell:
    """Return what is unusual; NaN and Inf first, for a narrow column cuts the end."""
    loud: list[str] = []
    quiet: list[str] = []
    for letter, found in (("v", value), ("g", gradient)):
        if found is None:
            continue
        counts = (("nan", found.nans), ("inf", found.infinities))
        said = [f"{count} {name}" for name, count in counts if count]
        parts = loud if said else quiet
        if found.zeros:
            said.append("zero" if found.zeros == found.size else f"{found.zeros} zero")
        if said:
            parts.append(f"{letter}: {', '.join(said)}")
    return Cell("  ".join(loud + quiet), "alarm" if loud else "quiet")
