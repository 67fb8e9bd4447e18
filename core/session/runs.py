"""The runs of a session as rows: what was changed on purpose, and what came of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from ..base.progress import with_progress
from ..base.text import counted
from ..engine.element import Element
from ..explain.compare import compare

if TYPE_CHECKING:
    from ..engine.run import Run
    from ..engine.trace import Trace
    from .session import Session

_MOST_ELEMENTS: Final = 2_000_000  # of runs that are compared without being asked


class RunRow(NamedTuple):
    """One run. `output` is the sum of its output in the present iteration.

    `output` is None where that iteration has not run.
    """

    number: int  # its place among the runs, counted from 0
    text: str  # what was changed
    parent: int | None  # the run that it was made from
    output: float | None


class RunDifference(NamedTuple):
    """How a run differs from the present one."""

    text: str  # in one line; "" of the present run and of one that is too large
    first: Element | None = None  # the node that differs first; None where none does

    def is_behind(self, trace: Trace, position: int) -> bool:
        """Tell whether what it speaks of has happened at a position."""
        if self.first is None:
            return True
        if self.first.quantity == "grad":
            return trace.is_complete(self.first.node, position)
        return trace.value(self.first.node, position) is not None


def run_rows(session: Session) -> list[RunRow]:
    """Return the runs of the session, without computing any of them."""
    iteration = session.place.iteration
    rows: list[RunRow] = []
    for run in session.runs:
        known = run.timeline.records
        output = known[iteration].loss if iteration < len(known) else None
        rows.append(RunRow(run.number, run.text, run.parent, output))
    return rows


def run_differences(session: Session) -> list[RunDifference]:
    """Return how each run differs from the present one.

    Runs that are too large to be compared unasked have nothing to say.
    """
    iteration, present = session.place.iteration, session.trace.run
    size = sum(math.prod(node.shape) for node in session.graph.nodes)
    lines: list[RunDifference] = []
    for run in with_progress(session.runs, session.progress):
        if iteration >= run.timeline.iterations:
            lines.append(RunDifference(f"has no iteration {iteration}"))
        elif run.number == session.chosen or size > _MOST_ELEMENTS:
            lines.append(RunDifference(""))
        else:
            other = run.timeline.trace(iteration).run
            lines.append(_difference(session, present, other))
    return lines


def _difference(session: Session, present: Run, other: Run) -> RunDifference:
    found = compare(present, other, session.progress)
    if not found:
        return RunDifference("no number differs")
    first = (*found.values, *found.gradients)[0]
    values = counted(len(found.values), "value")
    gradients = counted(len(found.gradients), "gradient")
    text = f"{first.text(gradient=not found.values)}; {values}, {gradients}"
    return RunDifference(
        text, Element(first.node, "value" if found.values else "grad", None)
    )
