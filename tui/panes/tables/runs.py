"""The runs of the session, and how they differ from the one that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ....core.session.runs import RunDifference, RunRow, run_differences, run_rows
from ....core.words.numbers import digits_apart
from ..base.views import VIEWS
from .nodes import number_cell
from .table import Cell, Column, KeptTable, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import BindingType

    from ....core.session.session import Session
    from ..base.empty import Fills
    from ..base.pane import View

# runs, and how they differ from the present one
_Compared = list[tuple[RunRow, RunDifference]]


class RunsPane(KeptTable[_Compared]):
    """What was changed on purpose, and what came of it."""

    TITLE: ClassVar[str] = VIEWS["runs"]
    HELP: ClassVar[str | None] = (
        "Every change makes a new run beside the old one; ▶ is the one you look at.\n"
        "output: in this iteration, once it is computed. difference: from the present "
        "run to that one, once the pass has come to it.\n"
        "enter: look at the run   d: list all differences   z, Z: undo, redo"
    )
    EMPTY: ClassVar[str] = "nothing is changed yet"
    FILLS: ClassVar[Fills] = (("=", "sets the chosen element: a new run"),)
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(""),
        Column("run", "right"),
        Column("what", width=10, most=22),
        Column("from", "right", rank=3),
        Column("output", "point", rank=1, width=8),
        Column("difference", rank=2, wide=True, width=22),
    )
    BINDINGS: ClassVar[list[BindingType]] = [("d", "compare", "differences")]

    def recipe(self, view: View) -> tuple[object, Callable[[], _Compared]]:
        """Return the runs as the key, and what compares them."""
        debugger = view.debugger
        return (debugger.trace.run, debugger.chosen, *debugger.runs), lambda: _compared(
            debugger
        )

    def rows_of(self, made: _Compared, view: View) -> Sequence[Row]:
        """Return a row for each run; what came of it, once the pass has come there."""
        trace, position = view.debugger.trace, view.debugger.position
        is_computed = trace.value(trace.run.graph.output, position) is not None
        outputs = [one.output for one, _ in made if one.output is not None]
        digits = digits_apart(outputs)
        return [
            _row(
                one if is_computed else one._replace(output=None),
                difference.text if difference.is_behind(trace, position) else "",
                digits,
                present=one.number == view.debugger.chosen,
            )
            for one, difference in made
        ]

    def is_bare(self) -> bool:
        """Tell whether there is the run of the file alone."""
        return len(self._rows) < 2  # runs: a change makes another

    def follow(self, view: View) -> int | None:
        """Return the row of the run that is looked at."""
        return view.debugger.chosen

    def entered(self, row: int) -> None:
        """Look at the run under the cursor."""
        if self.made is not None:
            self.ask(f"runs {self.made[row][0].number}")

    def action_compare(self) -> None:
        """List where the run under the cursor and the present one differ."""
        if self.made:
            self.ask(f"diff {self.made[self.cursor][0].number}")


def _compared(session: Session) -> _Compared:
    """Return the runs, each with how it differs from the present one."""
    differences = run_differences(session)  # first: it computes what is missing
    return list(zip(run_rows(session), differences, strict=True))


def _row(one: RunRow, difference: str, digits: int, *, present: bool) -> Row:
    return (
        Cell("▶" if present else "", "present"),
        Cell(str(one.number), "present" if present else "quiet"),
        Cell(one.text, "name"),
        Cell("" if one.parent is None else str(one.parent), "quiet"),
        Cell() if one.output is None else number_cell(one.output, digits=digits),
        Cell("you look at it" if present else difference, "quiet"),
    )
