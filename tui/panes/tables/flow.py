"""The gradient flow: how large each gradient is, in the order of the backward pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.binding import BindingType

from ....core.base.progress import Progress
from ....core.engine.run import Run
from ....core.engine.trace import Trace
from ....core.pictures.flow import Flow, Trends, flow, stage, trends
from ....core.pictures.plot import spark
from ....core.session.expression import Element
from ...draw.digits import number_text
from ..base.background import Kept
from ..base.pane import Again, Chosen, View
from ..views import VIEWS
from .nodes import SIGNS, number_cell
from .table import Cell, Column, Row, TablePane

_SPARK: Final = 24  # columns for the iterations


class FlowPane(TablePane):
    """Norms as bars on a logarithmic scale."""

    TITLE: ClassVar[str] = VIEWS["flow"]
    HELP: ClassVar[str | None] = (
        "The norm of each gradient, from the output backwards, on a log scale.\n"
        "vanishing, exploding: an element is 1000 times smaller or larger than where\n"
        "the pass begins. What the pass has not reached at this position is dim (·).\n"
        "over iterations: the same norm in each iteration that has run\n"
        "l: every node, or the program's own lines   up, down: choose\n"
        "enter: go where the gradient is complete"
    )
    KEYS: ClassVar[Sequence[str]] = ("l lines or nodes", "enter go there")
    BINDINGS: ClassVar[list[BindingType]] = [("l", "whole", "lines or nodes")]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._whole = False
        self._made: FlowRows | None = None
        self._kept: Kept[FlowRows] = Kept()

    def columns(self) -> Sequence[Column]:
        """Return the columns, with the ends of the scale over the bars."""
        made = self._made
        low, high, with_trends = "", "", False
        if made is not None:
            low = number_text(made.flow.scale.low)
            high = number_text(made.flow.scale.high)
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
        if self._made is None:
            return Cell()
        verdict = self._made.flow.verdict
        return Cell(verdict, "" if verdict.startswith(("steady", "one")) else "alarm")

    def _recipe(self, view: View) -> tuple[object, Callable[[], FlowRows]]:
        """Return what the rows are made for, and how."""
        run, whole, progress = view.bug.trace.run, self._whole, view.bug.progress
        return (run, whole), lambda: FlowRows(run, whole, progress)

    def prepare(self, view: View) -> None:
        """Look at all gradients."""
        self._kept.make(*self._recipe(view))

    def rows(self, view: View) -> Sequence[Row] | None:
        """Return a row for each gradient, in backward order."""
        made = self._made = self._kept.of(*self._recipe(view))
        if made is not None:
            trace, timeline = view.bug.trace, view.bug.timeline
            records = timeline.records if timeline.iterations > 1 else ()
            made.at(trace, view.bug.position, trends(records, trace.run))
        return made

    def follow(self, view: View) -> int | None:
        """Return the row of the chosen node, if it is among them."""
        if view.chosen is None or self._made is None:
            return None
        return self._made.row_of(view.chosen.node)

    def moved(self, row: int) -> None:
        """Choose the gradient under the cursor, in all panes."""
        if self._made is not None:
            node = int(self._made.flow.nodes[row])
            self.post_message(Chosen(Element(node, "grad", None)))

    def entered(self, row: int) -> None:
        """Go to where the gradient under the cursor is complete."""
        self.moved(row)
        if self._made is not None:
            event = self._made.completed(row)
            if event is not None:
                self.ask(f"goto #{event + 1}")

    def place(self) -> str:
        """Return the node under the cursor as a location."""
        if self._made is None:
            return ""
        made = self._made
        return made.run.graph.nodes[int(made.flow.nodes[self.cursor])].name

    def action_whole(self) -> None:
        """Change between the program's own lines and every node."""
        self._whole = not self._whole
        self.post_message(Again())


class FlowRows(Sequence[Row]):
    """The bars of a flow, made when they are seen."""

    def __init__(self, run: Run, whole: bool, progress: Progress) -> None:
        self.run = run
        self.flow: Flow = flow(run, whole=whole, progress=progress)
        self.flow.verdict  # noqa: B018  # it is kept
        self._rows = {int(node): row for row, node in enumerate(self.flow.nodes)}
        self._trace: Trace | None = None
        self._position = 0
        self._trends = trends((), run)

    @property
    def has_trends(self) -> bool:
        """Tell whether there are several iterations."""
        return bool(self._trends)

    def at(self, trace: Trace, position: int, found: Trends) -> None:
        """Look at the flow from a position."""
        self._trace, self._position, self._trends = trace, position, found

    def row_of(self, node: int) -> int | None:
        """Return the row of a node, if it is among them."""
        return self._rows.get(node)

    def completed(self, row: int) -> int | None:
        """Return the event that completes a gradient."""
        if self._trace is None:
            return None
        arrivals = self._trace.arrivals(int(self.flow.nodes[row]))
        return arrivals[-1] if arrivals else None

    def __len__(self) -> int:
        return len(self.flow)

    def __getitem__(self, row: int) -> Row:  # type: ignore[override]  # no slices
        if self._trace is None:
            return ()
        one = self.flow.bar(row)
        node = self.run.graph.nodes[one.node]
        now = stage(self._trace, one.node, self._position)
        reached = now in ("partial", "gradient")
        loud = one.trend in ("nan", "inf", "vanishing", "exploding")
        cells = [
            Cell(SIGNS[now] if reached else "·", "present" if reached else "quiet"),
            Cell(f"{node.name}.grad", "name" if reached else "quiet"),
            number_cell(one.norm, "" if reached else "quiet"),
            _bar(one.norm, one.share, "bar" if reached else "quiet"),
            Cell(one.trend, "alarm" if loud else "quiet"),
        ]
        if self.has_trends:
            numbers = self._trends.get(one.node, ())
            cells.append(Cell(spark(numbers, _SPARK), "bar"))
        return cells


def _bar(norm: float | None, share: float, meaning: str) -> Cell:
    if norm is None or norm == 0:
        return Cell()
    if not math.isfinite(norm):
        return Cell("!", "alarm")
    return Cell("", meaning, share)
