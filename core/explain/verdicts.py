"""What a check found, in words: each sentence stands here, and once.

And the check of one element, wherever its number is explained.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

from ..base.text import counted
from ..engine.graph import Edge, Graph
from ..words.digits import SENTENCE
from ..words.events import element_name
from ..words.names import with_wordings
from ..words.numbers import distinct, element_text, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..check.report import NodeCheck, Report
    from ..engine.element import Element
    from ..engine.trace import Trace

_LEAST: Final = 1e-300  # of a rounding that is told: its decade has to be a float
_SHOWN: Final = 8  # places, before the rest is counted
_UNDECIDED: Final = {
    "kink": "at a kink or a step, where differences tell no slope",
    "bound": "at a bound, where the slope is held by convention",
    "unseen": "it turns or leaps within each step of differences",
    "nonfinite": "not finite, so nothing can be compared",
    "drowned": "rounding is larger than the gradient, so nothing can be compared",
}

# What is said of so many comparisons with a verdict: of one, and of several.
_COUNTED: Final = {
    "ok": ("{} agrees", "{} agree"),
    "mismatch": ("{} differs", "{} differ"),
    "kink": ("{} at a kink",) * 2,
    "bound": ("{} at a bound",) * 2,
    "unseen": ("{} unseen by differences",) * 2,
    "nonfinite": ("{} not finite",) * 2,
    "drowned": ("{} drowned by rounding",) * 2,
}
_NOTHING: Final = "nothing was compared"


def compared(graph: Graph, one: NodeCheck) -> str:
    """Return what was compared: `W.grad[0, 2]`, the sum `Σ W.grad[0, 2]`, `z<-W[0, 2]`.

    The last is what an edge adds to an element of its operand's gradient. A direction
    is called d: `W.grad · d`.
    """
    node = graph.nodes[one.node]
    along = " · d" if one.along else ""
    if one.argument is not None:
        edge = Edge(one.node, one.argument, node.operands[one.argument])
        return element_text(graph.edge_name(edge), one.index) + along
    name = element_name(node, one.index, "grad") + along
    return f"Σ {name}" if one.level == "accumulation" else name


def blamed(graph: Graph, one: NodeCheck) -> str:
    """Return what is wrong where a comparison fails, with its line."""
    node = graph.nodes[one.node]
    text = compared(graph, one)
    if one.argument is not None and node.op is not None:
        text = f"the rule of {node.op.name} at {text}"
    if one.level == "accumulation":
        text = f"the sum of the contributions to {text.removeprefix('Σ ')}"
        text += f", at {graph.edge_name(one.edge)}" if one.edge else ""
    return f"{text}, {graph.line_of(node.site)}" if node.site else text


def _listed(graph: Graph, one: NodeCheck) -> str:
    """Return what was compared, and its line, as one of several that commas part."""
    site, text = graph.nodes[one.node].site, compared(graph, one)
    return f"{text} ({graph.line_of(site)})" if site else text


def wrong_lines(report: Report, digits: int = SENTENCE) -> Iterator[str]:
    """Yield what is wrong first, and both numbers; nothing where nothing is wrong."""
    wrong = report.first_wrong
    if wrong is not None:
        graph = report.run.graph
        yield f"wrong: {with_wordings(blamed(graph, wrong), graph)}"
        ours, numeric = distinct(wrong.analytic, wrong.numeric, digits)
        yield f"{ours} from backpropagation"
        yield f"{numeric} from differences"


def undecided_lines(report: Report) -> Iterator[str]:
    """Yield which gradients say neither yes nor no, and why."""
    graph = report.run.graph
    undecided = [one for one in report.gradients if one.verdict in _UNDECIDED]
    texts = [one.reason or _UNDECIDED[one.verdict] for one in undecided]
    for text in dict.fromkeys((*_UNDECIDED.values(), *texts)):
        found = [one for one, of in zip(undecided, texts, strict=True) if of == text]
        places = ", ".join(_listed(graph, one) for one in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        if found:
            yield with_wordings(f"{text}: {places}{more}", graph)


def agreement(report: Report) -> str:
    """Return what the comparisons that were made say: `1 agrees, 2 at a kink`.

    One that says neither yes nor no is counted as what it is.
    """
    counts = Counter(one.verdict for one in report.checks)
    said = [_COUNTED[v][counts[v] > 1].format(counts[v]) for v in _COUNTED if counts[v]]
    made = sum(counts[verdict] for verdict in _COUNTED)
    along = "along random directions: " if report.quick else ""
    if made == counts["ok"] > 1:
        return f"{along}all {made} comparisons agree"
    if not made:
        return _NOTHING
    return f"{along}{counted(made, 'comparison')}: {', '.join(said)}"


def check_lines(report: Report, digits: int = SENTENCE) -> Iterator[str]:
    """Yield what a check found, in plain lines."""
    for number, line in enumerate(wrong_lines(report, digits)):
        yield "  " * bool(number) + line
    yield from undecided_lines(report)
    yield agreement(report)


def numeric_line(one: NodeCheck, digits: int = SENTENCE) -> str:
    """Return what became of the check of one element.

    Of what is below the noise only the size is told: its digits mean nothing.
    """
    if one.verdict == "skipped":
        return f"numeric check: none, {one.reason}"
    if one.verdict in ("nonfinite", "drowned", "unseen"):
        return f"numeric check: {_UNDECIDED[one.verdict]}"
    slope = number_text(one.numeric if abs(one.numeric) > one.noise else 0.0, digits)
    if one.verdict in ("kink", "bound"):
        return f"numeric check: {slope}, {one.reason or _UNDECIDED[one.verdict]}"
    if one.verdict == "mismatch":
        slope = distinct(one.analytic, one.numeric, digits)[1]
        gap = number_text(one.difference, digits)
        return f"numeric check: {slope} ✗ differs by {gap}"
    gap = "exactly"
    if one.difference:
        gap = f"differs by {_gap(one, one.difference)}"
    if one.difference <= one.noise and one.noise:
        gap = f"within {_gap(one, one.noise, up=True)}"
    if one.rounding > one.noise:
        gap += f", rounded by {number_text(one.rounding, 1)}"
    return f"numeric check: {slope} ✓ {gap}"


def _gap(one: NodeCheck, size: float, *, up: bool = False) -> str:
    """Return how far two numbers are apart; of large ones, as a part of the larger.

    `up` rounds so that they are not further apart than is told.
    """
    larger, of_it = max(abs(one.analytic), abs(one.numeric)), ""
    if size >= 1 and larger:
        size, of_it = size / larger, " of it"
    if up:
        size = max(size, _LEAST)
        unit = 10.0 ** math.floor(math.log10(size))
        size = (size // unit + 1) * unit
    return number_text(size, 1) + of_it


# ------------------------------------------------------------------- one element


def is_checkable(trace: Trace, element: Element, position: int) -> bool:
    """Tell whether there is a number to hold against differences at a position.

    A gradient that is missing is wrong only where a patch is the reason.
    """
    if element.quantity == "value":
        return False
    run, node = trace.run, element.node
    gradient = run.gradient(node)
    if gradient is None:
        return bool(run.flows[node]) and bool(run.patches)
    is_finite = math.isfinite(gradient[element.index or ()])
    return is_finite and trace.is_complete(node, position)


def quick_check(trace: Trace, element: Element, position: int) -> NodeCheck | None:
    """Check one element, if there is a number to check and it takes no time.

    In a hunt nothing is checked: it would tell where the mistake is.
    """
    from ..check.element import check_element  # noqa: PLC0415  # 27 ms of a start

    is_hidden = trace.run.patches.hidden
    if is_hidden or not is_checkable(trace, element, position):
        return None
    run, node, index = trace.run, element.node, element.index or ()
    return run.recent.of(
        ("check", node, index), lambda: check_element(run, node, index)
    )
