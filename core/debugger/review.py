"""What a session holds, to be looked over: changes, runs, checks and notes as rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..base.progress import told
from ..check.check import NodeCheck, Report
from ..engine.graph import Edge
from ..engine.measure import gist
from ..engine.run import Run
from ..engine.trace import Trace
from ..explain.compare import Difference, compare
from ..explain.explain import element_name
from ..scenario.scenario import NotePlace
from ..session.expression import Expression
from ..session.session import Place
from ..session.stops import changing, look, same
from ..words.events import brief

if TYPE_CHECKING:
    from .debugger import Debugger

_MOST_LOOKS = 200  # events that are looked at for the last change of an expression
_MOST_ELEMENTS = 2_000_000  # of runs that are compared without being asked
_INLINE = 4  # elements of an array that fits into a line
_VERDICTS = ("mismatch", "nonfinite", "kink", "ok", "skipped")


# ------------------------------------------------------------------------ changes


class Change(NamedTuple):
    """The event, counted from 1, that gave an expression its present value."""

    event: int
    before: Any
    after: Any


def last_change(bug: Debugger, expression: Expression) -> Change | None:
    """Return the last change of an expression in this iteration up to here.

    None where it has none, or where it lies too many events back to look for it.
    """
    iteration, position = bug.place.iteration, bug.position
    events = [e for e in changing(expression, bug.trace) if e < position]
    for event in told(events[: -_MOST_LOOKS - 1 : -1], bug.progress):
        before = look(expression, bug.state(Place(iteration, event)))
        after = look(expression, bug.state(Place(iteration, event + 1)))
        if not same(before, after):
            return Change(event + 1, before, after)
    return None


def short(value: Any) -> str:
    """Return a value on one line: a number as it is, of a large array the range.

    >>> short(np.array([[0.5, -2.0], [1.0, 3.0], [0.0, 0.0]]))
    '-2 … 3'
    """
    array = np.asarray(value)
    if isinstance(value, tuple) or array.dtype.kind != "f" or array.size <= _INLINE:
        return brief(value)
    found = gist(array)
    if found.nans or found.infinities or found.low is None or found.high is None:
        return f"{found.nans} nan, {found.infinities} inf of {found.size}"
    return f"{found.low:.4g} … {found.high:.4g}"


# --------------------------------------------------------------------------- runs


class RunRow(NamedTuple):
    """One run beside the present one. `output` is that of the present iteration."""

    number: int
    text: str
    parent: int | None
    output: float | None
    difference: str


def run_rows(bug: Debugger) -> list[RunRow]:
    """Return the runs of the session with how they differ from the present one."""
    iteration, graph = bug.place.iteration, bug.graph
    size, present = _size(bug), bug.trace.run
    rows: list[RunRow] = []
    for run in told(bug.runs, bug.progress):
        output, text = None, ""
        if iteration >= run.timeline.iterations:
            text = f"has no iteration {iteration}"
        elif run.number == bug.chosen or size <= _MOST_ELEMENTS:
            other = run.timeline.trace(iteration).run
            output = float(np.sum(other.value(graph.output)))
            text = "" if other is present else _apart(bug, present, other)
        rows.append(RunRow(run.number, run.text, run.parent, output, text))
    return rows


def _size(bug: Debugger) -> int:
    return sum(math.prod(node.shape) for node in bug.graph.nodes)


def _apart(bug: Debugger, present: Run, other: Run) -> str:
    found = compare(present, other, bug.progress)
    if not found:
        return "no number differs"
    first = (*found.values, *found.gradients)[0]
    suffix = "" if found.values else ".grad"
    counts = f"{len(found.values)} values, {len(found.gradients)} gradients"
    return f"{_first(first, suffix)}; {counts}"


def _first(difference: Difference, suffix: str) -> str:
    before, after = difference.before, difference.after
    place = f"[{', '.join(map(str, difference.index))}]" if difference.index else ""
    if before is None or after is None:
        one, two = ("no gradient" if a is None else brief(a) for a in (before, after))
    else:
        one, two = brief(before[difference.index]), brief(after[difference.index])
    return f"{difference.name}{suffix}{place}: {one} → {two}"


# ------------------------------------------------------------------------- checks


def worst_first(report: Report) -> Sequence[NodeCheck]:
    """Return the comparisons of a check: what is wrong, then by relative difference.

    The first wrong rule, which is the cause, comes before its consequences.
    """
    first = report.first_wrong

    def key(one: NodeCheck) -> tuple[bool, int, float]:
        relative = one.relative
        return (
            one is not first,
            _VERDICTS.index(one.verdict),
            -relative if np.isfinite(relative) else 0.0,
        )

    return sorted(report.checks, key=key)


def check_place(report: Report, one: NodeCheck) -> str:
    """Return what was compared: the element of a gradient, or what an edge adds."""
    graph = report.run.graph
    node = graph.nodes[one.node]
    if one.argument is None:
        return element_name(node, one.index, "grad")
    edge = Edge(one.node, one.argument, node.operands[one.argument])
    index = f"[{', '.join(map(str, one.index))}]" if one.index else ""
    return graph.edge_name(edge) + index


# -------------------------------------------------------------------------- notes


class Note(NamedTuple):
    """A note of the scenario: its place in words and as the position behind it."""

    place: str
    text: str
    position: int | None  # None where the place never comes


def notes(bug: Debugger) -> list[Note]:
    """Return the notes of the scenario in the order of time."""
    trace, graph = bug.trace, bug.graph
    found: list[Note] = []
    for place, text in bug.scenario.notes.items():
        name = "" if place.node < 0 else f" {graph.nodes[place.node].name}"
        found.append(Note(f"{place.when}{name}", text, _position(trace, place)))
    last = len(trace) + 1
    return sorted(found, key=lambda n: last if n.position is None else n.position)


def _position(trace: Trace, place: NotePlace) -> int | None:
    """Return the position at which a note is shown."""
    return next(_positions(trace, place), None)


def _positions(trace: Trace, place: NotePlace) -> Iterator[int]:
    node = place.node
    if place.when == "start":
        yield 0
    elif place.when == "end":
        yield len(trace)
    elif place.when == "seed":
        yield trace.seed_position + 1
    elif place.when == "forward":
        event = trace.forward_event(node)
        yield 0 if event is None else event + 1
    elif place.when == "update":
        if node in trace.updates:
            yield trace.update_position + trace.updates.index(node) + 1
    else:
        sent = trace.backward_events(node, node + 1)
        if len(sent):
            yield sent.stop
        yield from (event + 1 for event in trace.arrivals(node)[-1:])
