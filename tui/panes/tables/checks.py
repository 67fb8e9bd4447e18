"""The results of the last check, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from ....core.engine.element import Element
from ....core.explain.verdicts import agreement, blamed, compared
from ....core.words.digits import CELL
from ....core.words.names import with_wordings
from ....core.words.numbers import distinct, number_text
from ..base.pane import Chosen, View
from ..base.views import VIEWS
from .nodes import number_cell
from .table import Cell, Column, KeptTable, Row

if TYPE_CHECKING:
    from textual.binding import BindingType

    from ....core.check.report import NodeCheck, Report
    from ..base.empty import Fills

_SIGNS: Final = {
    "ok": ("✓", "good"),
    "mismatch": ("✗", "alarm"),
    "kink": ("∧", "present"),
    "bound": ("∧", "present"),
    "unseen": ("!", "alarm"),
    "nonfinite": ("!", "alarm"),
    "drowned": ("!", "alarm"),
    "skipped": ("·", "quiet"),
}
_LEVELS: Final = {"contribution": "edge", "accumulation": "sum", "gradient": "whole"}


class CheckRows(Sequence[Row]):
    """The comparisons of a report, the worst first."""

    def __init__(self, report: Report | None) -> None:
        self.report = report
        self.checks = report.worst_first if report else ()
        self.said = _verdict(report) if report else ""

    def __len__(self) -> int:
        return len(self.checks)

    def __getitem__(self, row: int) -> Row:  # type: ignore[override]  # no slices
        if self.report is None:
            return ()
        return _row(self.report, self.checks[row])


class ChecksPane(KeptTable[CheckRows]):
    """Backpropagation beside numeric differentiation."""

    TITLE: ClassVar[str] = VIEWS["checks"]
    WORD: ClassVar[str] = "numeric check"
    HELP: ClassVar[str | None] = (
        "Each gradient beside numeric differences, the worst first.\n"
        "✓ they agree   ✗ they do not   ∧ kink or bound   ! no telling   · skipped\n"
        "edge: what one operation adds; sum: the contributions of a node; whole: the "
        "gradient, held against differences of the whole program.\n"
        "r: check everything   K: check the chosen node   enter: choose the element"
    )
    EMPTY: ClassVar[str] = "nothing is checked yet"
    FILLS: ClassVar[Fills] = (("r", "checks everything"), ("K", "the chosen node"))
    AHEAD: ClassVar[bool] = True
    FROM_FIRST: ClassVar[bool] = True
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(""),
        Column("level", width=5),  # without it two rows can look the same
        Column("element", wide=True, width=14, most=40),
        Column("", rank=2, most=24),  # what a made-up name stands for
        Column("backpropagation", "point", rank=1),
        Column("numeric", "point", rank=3, width=9),
        Column("difference", "point", rank=0),
        Column("relative", "point", rank=4),
    )
    BINDINGS: ClassVar[list[BindingType]] = [("r", "check", "check all")]

    def recipe(self, view: View) -> tuple[object, Callable[[], CheckRows]]:
        """Return the report as the key, and what sorts its comparisons."""
        report = None if view.hides else view.debugger.memory.report
        return id(report), lambda: CheckRows(report)

    def rows_of(self, made: CheckRows, view: View) -> Sequence[Row]:
        """Return a row for each comparison, made when it is seen."""
        del view
        return made

    def heading(self) -> Cell:
        """Return what came of the check, in one line."""
        made = self.made
        if made is None or made.report is None:
            return Cell()
        text = made.said
        if (
            self.view is not None
            and made.report.run is not self.view.debugger.trace.run
        ):
            text += " (of another run or iteration)"
        if made.checks:
            graph = made.report.run.graph
            name = compared(graph, made.checks[self.cursor])
            named = with_wordings(name, graph)
            text += f"   {named}" if named != name else ""
        return Cell(text, "alarm" if made.report.first_wrong else "good")

    def entered(self, row: int) -> None:
        """Choose the element that was compared."""
        if self.made is None or self.made.report is None:
            return
        one = self.made.checks[row]
        node = one.node
        if one.argument is not None:
            node = self.made.report.run.graph.nodes[one.node].operands[one.argument]
        index = None if one.along else one.index
        self.post_message(Chosen(Element(node, "grad", index)))

    def action_check(self) -> None:
        """Check everything, in the background."""
        self.ask("check")


def _verdict(report: Report) -> str:
    text = agreement(report)
    if not report.complete:
        text = f"interrupted: {text}"
    wrong = report.first_wrong
    if wrong is not None:
        text = f"wrong: {blamed(report.run.graph, wrong)}; {text}"
    return text


def _row(report: Report, one: NodeCheck) -> Row:
    graph = report.run.graph
    name = compared(graph, one)
    sign, meaning = _SIGNS[one.verdict]
    quiet = "" if one.verdict in ("ok", "mismatch") else "quiet"
    numbers = (
        (Cell(one.reason or one.verdict, "quiet"), Cell(), Cell(), Cell())
        if one.verdict == "skipped"
        else (
            *(Cell(text, quiet) for text in distinct(one.analytic, one.numeric, CELL)),
            _short(one.difference, meaning if one.verdict == "mismatch" else quiet),
            _short(one.relative, "quiet"),
        )
    )
    return (
        Cell(sign, meaning),
        Cell(_LEVELS[one.level], "quiet"),
        Cell(name, "name"),
        Cell(with_wordings(name, graph).removeprefix(name).strip(), "quiet"),
        *numbers,
    )


def _short(number: float, meaning: str) -> Cell:
    cell = number_cell(number, meaning)
    return cell if cell.meaning == "alarm" else Cell(number_text(number, 2), meaning)
