"""The command that holds gradients against numeric differentiation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import CommandError, Interrupted, Problem
from ..engine.graph import Edge
from ..engine.trace import Trace
from ..explain.explain import Index, element_name
from ..session.reply import Answer
from ..session.session import Session
from ..words.numbers import SENTENCE, distinct, index_text, number_text
from .table import Command

if TYPE_CHECKING:
    from ..check.report import NodeCheck, Report


def _check(session: Session, arguments: str) -> Answer:
    from ..check.check import check  # noqa: PLC0415  # 27 ms of a start

    nodes = [n for place in arguments.split() for n in _nodes(session, place)]

    def progress(done: int, of: int) -> None:
        try:
            session.progress(done, of)
        except Interrupted:
            raise KeyboardInterrupt from None  # the check ends, and keeps what is done

    report = check(session.trace.run, nodes=nodes or None, progress=progress)
    session.memory.report = report
    return Answer(
        tuple(check_lines(report, session.digits)),
        _record(session, report),
        report,
        failed=not report.ok,
        error=None if report.complete else "interrupted; what was done is kept",
        interrupted=not report.complete,
    )


def _nodes(session: Session, place: str) -> list[int]:
    """Return the nodes at a place: a node, a frame, an operation, a line."""
    location = session.location(place)
    if location.leaf is not None:
        return [location.leaf]
    found = [n for first, stop in location.nodes for n in range(first, stop)]
    if not found:
        raise CommandError(
            Problem(f"there is no node at {place}", "check NODE, FRAME, op:… or line:…")
        )
    return found


def _record(session: Session, report: Report) -> dict[str, Any]:
    """Return the comparisons as data, without times: those differ from run to run."""
    from ..export.records import check_record  # noqa: PLC0415  # 39 ms of a start

    record = check_record(session.subject.name, report)
    return {k: v for k, v in record.items() if not k.endswith("_seconds")}


def check_lines(report: Report, digits: int = SENTENCE) -> Iterator[str]:
    """Yield what a check found, in plain lines."""
    wrong = report.first_wrong
    if wrong is not None:
        yield f"wrong: {_place(report, wrong)}"
        ours, numeric = distinct(wrong.analytic, wrong.numeric, digits)
        yield f"  {ours} from backpropagation"
        yield f"  {numeric} from differences"
    for verdict, text in _UNDECIDED.items():
        places = [_place(report, c) for c in report.gradients if c.verdict == verdict]
        if places:
            yield f"{text}: {', '.join(places[:_SHOWN])}{_more(places)}"
    made = [one for one in report.checks if one.verdict != "skipped"]
    agree = sum(one.verdict == "ok" for one in made)
    yield f"{agree} of {len(made)} comparisons agree"


def _place(report: Report, one: NodeCheck) -> str:
    """Return where a comparison was made: an edge with its rule, or a gradient."""
    graph = report.run.graph
    node = graph.nodes[one.node]
    if one.argument is None:
        text = element_name(node, one.index, "grad")
        if one.level == "accumulation":
            text = f"the sum of the contributions to {text}"
            text += f", at {graph.edge_name(one.edge)}" if one.edge else ""
    else:
        edge = Edge(one.node, one.argument, node.operands[one.argument])
        rule = node.op.name if node.op else ""
        text = f"the rule of {rule} at {graph.edge_name(edge)}"
    return f"{text}, {graph.line_of(node.site)}" if node.site else text


def check_place(report: Report, one: NodeCheck) -> str:
    """Return what was compared: the element of a gradient, or what an edge adds."""
    graph = report.run.graph
    node = graph.nodes[one.node]
    if one.argument is None:
        return element_name(node, one.index, "grad")
    edge = Edge(one.node, one.argument, node.operands[one.argument])
    index = index_text(one.index)
    return graph.edge_name(edge) + index


def _more(places: list[str]) -> str:
    rest = len(places) - _SHOWN
    return f" and {rest} more" if rest > 0 else ""


def is_checkable(trace: Trace, node: int, index: Index, position: int) -> bool:
    """Tell whether there is a number to hold against differences at a position.

    A gradient that is missing is wrong only where a patch is the reason.
    """
    run = trace.run
    gradient = run.gradient(node)
    if gradient is None:
        return bool(run.flows[node]) and bool(run.patches)
    return trace.is_complete(node, position) and math.isfinite(gradient[index])


def quick_check(
    trace: Trace, node: int, index: Index, position: int
) -> NodeCheck | None:
    """Check one element, if there is a number to check and it takes no time."""
    from ..check.element import check_element  # noqa: PLC0415  # 27 ms of a start

    if not is_checkable(trace, node, index, position):
        return None
    return check_element(trace.run, node, index)


def numeric_line(one: NodeCheck, digits: int = SENTENCE) -> str:
    """Return what became of the check of one element.

    Of what is below the noise only the size is told: its digits mean nothing.
    """
    if one.verdict == "skipped":
        return f"numeric check: none, {one.reason}"
    if one.verdict == "nonfinite":
        return f"numeric check: {_UNDECIDED['nonfinite']}"
    slope = number_text(one.numeric if abs(one.numeric) > one.noise else 0.0, digits)
    if one.verdict == "kink":
        return f"numeric check: {slope}, {_UNDECIDED['kink']}"
    if one.verdict == "mismatch":
        slope = distinct(one.analytic, one.numeric, digits)[1]
        gap = number_text(one.difference, digits)
        return f"numeric check: {slope} ✗ differs by {gap}"
    gap = "exactly"
    if one.difference:
        gap = f"differs by {number_text(one.difference, 1)}"
    if one.difference <= one.noise and one.noise:
        unit = 10.0 ** math.floor(math.log10(one.noise))
        gap = f"within {number_text((one.noise // unit + 1) * unit, 1)}"
    if one.rounding > one.noise:
        gap += f", rounded by {number_text(one.rounding, 1)}"
    return f"numeric check: {slope} ✓ {gap}"


_SHOWN: Final = 8
_UNDECIDED: Final = {
    "kink": "at a kink, where differences land between two slopes",
    "nonfinite": "not finite, so nothing can be compared",
}

ROWS: Final[tuple[Command, ...]] = (
    Command(
        "check",
        "[NODE …]",
        "hold gradients against numeric differences, node by node and end to end",
        _check,
        "ck",
        ("K",),
        "location",
        help="A mismatch fails a script, and the first wrong rule is named.",
    ),
)
