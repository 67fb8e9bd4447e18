"""The gradient flow: how large each gradient is, in the order of the backward pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len

from ....core.pictures.flow import Trends, computed, flow, trends
from ....core.pictures.plot import spark
from ....core.words.names import with_wording
from ....core.words.numbers import number_text
from ..base.pane import Again, View
from ..base.views import VIEWS
from .nodes import SIGNS, RunRows, RunTable, number_cell
from .table import Cell, Column, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import BindingType

    from ....core.base.progress import Progress
    from ....core.engine.element import Quantity
    from ....core.engine.trace import Trace

_SPARK: Final = 24  # columns for the iterations
# How a verdict begins that is bad news.
_ALARMS: Final = ("not finite", "dead", "vanishing", "exploding")


class FlowRows(RunRows):
    """The bars of a flow, made when they are seen."""

    def __init__(self, trace: Trace, whole: bool, progress: Progress) -> None:
        super().__init__(trace.run)
        self._whole = flow(trace, whole=whole, progress=progress)
        self.flow = self._whole.behind(0)
        self._rows = {int(node): row for row, node in enumerate(self.flow.nodes)}
        self._trends: Trends = {}

    @property
    def has_trends(self) -> bool:
        """Tell whether there are several iterations."""
        return bool(self._trends)

    @property
    def since(self) -> str:
        """Since when a dead flow has been so, in words."""
        first = self.flow.dead_since(self._trends)
        return "" if first is None else f", since iteration {first}"

    def at(self, trace: Trace, position: int, found: Trends) -> None:
        """Look at the flow from a position."""
        self._trace, self._position, self._trends = trace, position, found
        self.flow = self._whole.behind(position)

    def node(self, row: int) -> int:
        """Return the node of a row."""
        return int(self.flow.nodes[row])

    def row_of(self, node: int) -> int | None:
        """Return the row of a node, or of what the line assigns that it is part of."""
        if node in self._rows:
            return self._rows[node]
        graph = self.run.graph
        lines = (s for s in graph.statements if not s.frame)
        target = (s.target for s in lines if s.first <= node < s.stop)
        return self._rows.get(graph.names.get(next(target, ""), -1))

    def completed(self, row: int) -> int | None:
        """Return the event that completes a gradient."""
        if self._trace is None:
            return None
        event = self._trace.completed_by(self.node(row))
        return event if event >= 0 else None

    def __len__(self) -> int:
        return len(self.flow)

    def __getitem__(self, row: int) -> Row:  # type: ignore[override]  # no slices
        if self._trace is None:
            return ()
        one = self.flow.bar(row)
        node = self.run.graph.nodes[one.node]
        now = computed(self._trace, one.node, self._position)
        reached = now in ("partial", "gradient")
        loud = one.trend in ("nan", "inf", "vanishing", "exploding")
        cells = [
            Cell(SIGNS[now] if reached else "·", "present" if reached else "quiet"),
            Cell(
                with_wording(f"{node.name}.grad", node), "name" if reached else "quiet"
            ),
            number_cell(one.norm) if reached or one.trend else Cell(),
            _bar(one.norm, one.share),
            Cell(one.trend, "alarm" if loud else "quiet"),
        ]
        if self.has_trends:
            numbers = self._trends.get(one.node, ())
            cells.append(Cell(spark(numbers, _SPARK), "bar"))
        return cells


class FlowPane(RunTable[FlowRows]):
    """Norms as bars on a logarithmic scale."""

    TITLE: ClassVar[str] = VIEWS["flow"]
    WORD: ClassVar[str] = "gradient"
    HELP: ClassVar[str | None] = (
        "The norm of each gradient, from the output backwards, on a log scale.\n"
        "vanishing, exploding: an element is 1000 times smaller or larger than where "
        "the pass begins; shrinking, growing: 3 times. "
        "What the pass has not reached at this position is open (·).\n"
        "The first line compares the numbers of the last gradient with those of the "
        "first, by their root mean square, however many they are.\n"
        "over iterations: the same norm in each iteration that is finished\n"
        "l: every node, or the program's own lines   up, down: choose\n"
        "enter: go where the gradient is complete"
    )
    QUANTITY: ClassVar[Quantity] = "grad"
    BINDINGS: ClassVar[list[BindingType]] = [("l", "whole", "lines or nodes")]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._whole = False

    def columns(self) -> Sequence[Column]:
        """Return the columns, with the ends of the scale over the bars."""
        made = self.made
        low, high, with_trends = "", "", False
        if made is not None and made.flow.chain:
            low = number_text(made.flow.scale.low)
            high = number_text(made.flow.scale.high)
        if made is not None:
            with_trends = made.has_trends
        columns = [
            Column(""),
            Column("gradient", width=8, most=24),
            Column("‖grad‖", "point", width=8),
            Column(low, wide=True, width=6, end=high),
            Column("", rank=2, width=9),
        ]
        if with_trends:
            columns.append(Column("over iterations", rank=1, width=15, most=_SPARK))
        return columns

    def heading(self) -> Cell:
        """Return what the flow shows, in one line."""
        if self.made is None:
            return Cell()
        room, since = self.room.width - 1, self.made.since
        texts = [verdict + since for verdict in self.made.flow.verdicts]
        text = next((one for one in texts if cell_len(one) <= room), texts[-1])
        return Cell(text, "alarm" if text.startswith(_ALARMS) else "")

    def recipe(self, view: View) -> tuple[object, Callable[[], FlowRows]]:
        """Return the run as the key, and what looks at all its gradients."""
        trace, whole, progress = (
            view.debugger.trace,
            self._whole,
            view.debugger.progress,
        )
        return (trace, whole), lambda: FlowRows(trace, whole, progress)

    def rows_of(self, made: FlowRows, view: View) -> Sequence[Row]:
        """Return a row for each gradient, in backward order."""
        trace = view.debugger.trace
        made.at(
            trace, view.debugger.position, trends(view.debugger.finished, trace.run)
        )
        return made

    def entered(self, row: int) -> None:
        """Go to where the gradient under the cursor is complete."""
        self.moved(row)
        if self.made is not None:
            event = self.made.completed(row)
            if event is not None:
                self.ask(f"goto #{event + 1}")

    def action_whole(self) -> None:
        """Change between the program's own lines and every node."""
        self._whole = not self._whole
        self.post_message(Again())


def _bar(norm: float | None, share: float) -> Cell:
    if norm is None or norm == 0:
        return Cell()
    if not math.isfinite(norm):
        return Cell("!", "alarm")
    return Cell("", "bar", share)
