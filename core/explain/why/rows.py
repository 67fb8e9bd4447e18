"""An element and its reason as rows: what is said of a 0, a NaN or a missing gradient.

The sentences of the causes stand in `answer`, which waits until there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ...base.text import counted
from ...engine.element import Element
from ...engine.trace import Trace
from ...words.digits import SENTENCE
from ...words.events import element_name
from ...words.names import called
from ...words.remarks import concerns, remark_text, remarks
from ..gradients import explain_gradient
from ..rows import (
    Kind,
    Row,
    check_rows,
    gradient_rows,
    headline,
    not_computed,
    term_row,
    typed,
    update_rows,
    value_rows,
)
from ..values import explain_value

if TYPE_CHECKING:
    from ...base.progress import Progress
    from ...words.formulas import Wording
    from .answer import Hop, Other, Why

_MOST_PLACES: Final = 64  # that are told to be not finite
_SHOWN: Final = 8  # of what a reason names


def explained(
    trace: Trace,
    element: Element,
    position: int,
    count: int,
    digits: int = SENTENCE,
    wording: Wording | None = None,
    progress: Progress | None = None,
    *,
    typed: bool = False,
) -> Iterator[Row]:
    """Yield all there is to say about one element at a position.

    That is its number, the reason of one that is special, what differences say of it,
    and `count` terms of each sum. The check is written with so many `digits`. Names are
    those of `wording`, or as they are `typed`.
    """
    node, index = element.node, element.index or ()
    is_value = element.quantity == "value"
    array = trace.array(node, element.quantity, position)
    if is_value and array is None:
        yield Row("missing", not_computed(trace, node))
        return
    number = 0.0 if array is None else array[index].item()
    # Why a gradient is 0 would tell of a mistake that a person looks for.
    is_hidden = trace.run.patches.hidden and not (is_value or array is None)
    is_usual = isinstance(number, bool) or (number and math.isfinite(number))
    if is_usual or is_hidden:
        yield headline(trace, element, number)
    else:
        from .past import reason  # noqa: PLC0415  # 12 ms of a start

        found = reason(trace, node, element.quantity, index, position, progress)
        yield from why_rows(trace, found)
    yield from check_rows(trace, element, position, digits)
    maker = trace.updated_by(node, position) if is_value else None
    if maker is not None:
        yield from update_rows(trace, maker, node, index)
    elif is_value:
        told = explain_value(trace.run, node, index)
        yield from value_rows(trace, told, count, None if typed else wording)
    elif trace.run.arrives(node):
        found = explain_gradient(trace, node, index, position)
        yield from gradient_rows(trace, found, count, wording, typed=typed)


# ---------------------------------------------------------------------- the reason


def why_rows(trace: Trace, found: Why) -> Iterator[Row]:
    """Yield the reason of a zero, of NaN or Inf, or of a gradient that is missing."""
    first = found.hops[0]
    name = _name(trace, first)
    if found.cause == "not yet":
        yield Row("missing", f"{name}: {found.because}")
    elif first.number is None:
        yield Row("missing", f"{name} has no gradient: {found.because}")
    else:
        is_bad = not math.isfinite(first.number or 0)
        kind: Kind = "alarm" if is_bad else "headline"
        because = _FAR.get(found.cause) if found.hops[1:] else None
        text = f"{name} = {{}}: {because or found.because}"
        yield Row(kind, text, (_number(trace, first),))
    for detail in _DETAILS.get(found.cause, _USUAL):
        yield from detail(trace, found)


# How a cause reads that is not at the element itself.
_FAR: Final[Mapping[str, str]] = {
    "written": "it comes from what was set in this run",
    "cancelled": "on the way to it terms that are not 0 add up to 0",
    "rounded off": "on the way to it rounding leaves nothing of terms that are not 0",
    # It may have other uses, of which each gets 0 for a reason of its own.
    "unused": "nothing on the way to the output uses what becomes of it there",
}


def remark_rows(trace: Trace, element: Element) -> Iterator[Row]:
    """Yield the remarks on what an element comes from."""
    graph, is_gradient = trace.run.graph, element.quantity == "grad"
    for remark in remarks(trace.run):
        if concerns(remark, graph, element.node, gradient=is_gradient):
            leads = Element(remark.node, "value", None)
            yield Row("alarm", remark_text(remark, graph), leads=leads)


def own_remarks(trace: Trace, element: Element) -> Iterator[Row]:
    """Yield, in short, the remarks on the very node that an element is in."""
    for remark in remarks(trace.run):
        if remark.node == element.node:
            yield Row("alarm", f"remark: {remark.text}")


def _name(trace: Trace, hop: Hop) -> str:
    return element_name(trace.run.graph.nodes[hop.node], hop.index, hop.quantity)


def _number(trace: Trace, hop: Hop) -> float | None:
    """Return the number of a hop; a truth value reads True or False."""
    if hop.number is None or hop.quantity == "grad":
        return hop.number
    is_truth = trace.run.value(hop.node).dtype.kind == "b"
    return bool(hop.number) if is_truth else hop.number


def _way(trace: Trace, found: Why) -> Iterator[Row]:
    for before, hop in pairwise(found.hops):
        is_last = hop is found.hops[-1]
        through = f", through {found.between} more" if found.between and is_last else ""
        through = through or _with_all_terms(trace, before)
        leads = Element(hop.node, hop.quantity, hop.index)
        name = _name(trace, hop)
        if trace.run.graph.nodes[hop.node].is_literal:  # it is its own name
            said = f"{name} stands in the program{through}"
            yield Row("fact", said, leads=leads)
        elif hop.number is None:
            yield Row("fact", f"from {name}{through}", leads=leads)
        else:
            number = _number(trace, hop)
            yield Row("fact", f"from {name} = {{}}{through}", (number,), "", leads)


def _with_all_terms(trace: Trace, hop: Hop) -> str:
    """Return that all terms of a sum are 0, "" where one zero is enough."""
    from .value import zeros_in  # noqa: PLC0415  # 3 ms of a start

    count = zeros_in(trace.run, hop) if hop.quantity == "value" else 0
    if count < 2:
        return ""
    terms = "both" if count == 2 else f"all {count}"
    return f", and {terms} terms of {_name(trace, hop)} are 0"


def _event(trace: Trace, found: Why) -> Iterator[Row]:
    if found.event is None:
        return
    text = f"made by event #{found.event}"
    graph = trace.run.graph
    node = graph.nodes[found.at.node]
    if found.at.quantity == "value" and node.op is not None:
        site = node.site
        code = f": {site.text}   {graph.line_of(site)}" if site else ""
        text = f"made by {node.op.name}, event #{found.event}{code}"
    yield Row("note", text)


def _deciding(trace: Trace, found: Why) -> Iterator[Row]:
    if found.term is not None:
        last = found.hops[-1]
        row = term_row(found.term, typed(trace, found.term, last.index))
        yield row._replace(kind="note", leads=None)


# Causes of a 0 that nothing is sent to, where there is no term.
_BLOCKED: Final = ("unused", "zero slope")


def _blocked(trace: Trace, found: Why) -> Iterator[Row]:
    is_blocked = found.cause in _BLOCKED and found.term is None
    if is_blocked and found.explanation:
        nodes = trace.run.graph.nodes
        shown = found.explanation.parts[:_SHOWN]
        names = (nodes[part.edge.consumer].name for part in shown)
        places = ", ".join(dict.fromkeys(names))
        if places:
            text = f"blocked at {places}: no element of it depends on this one here"
            yield Row("note", text)


def _slope(trace: Trace, found: Why) -> Iterator[Row]:
    """Tell what the operation says of a slope of 0."""
    from .answer import CAUSES  # noqa: PLC0415  # 3 ms of a start

    if not found.slope:
        return
    if found.term is not None:
        consumers = [found.term.consumer]
    else:
        parts = found.explanation.parts if found.explanation else ()
        consumers = [part.edge.consumer for part in parts]
    ops = [trace.run.graph.nodes[consumer].op for consumer in consumers]
    for op in ops[:1]:
        if op is not None:
            yield Row("note", f"the slope of {op.name}: {CAUSES[found.slope]}")


def _off(trace: Trace, found: Why) -> Iterator[Row]:
    """Tell how much of a layer lets nothing through."""
    off = found.off
    if off is not None and off.whole:
        node = trace.run.graph.nodes[off.node]
        operand = trace.run.graph.nodes[node.operands[off.argument]].name
        since = ""
        if found.since is not None:
            least = "" if found.since.is_first else "at least "
            since = f", {least}since iteration {found.since.iteration}"
        all_of_it = f"all {off.size} elements of {node.name} let"
        lets = all_of_it if off.size > 1 else f"{node.name} lets"
        yield Row("note", f"{lets} nothing through to {operand}{since}")


def _operands(trace: Trace, found: Why) -> Iterator[Row]:
    nodes = trace.run.graph.nodes
    shown = [hop for hop in found.operands if not nodes[hop.node].is_literal]
    shown = shown[:_SHOWN]
    if shown:
        equal = ", ".join(f"{_name(trace, hop)} = {{}}" for hop in shown)
        numbers = tuple(_number(trace, hop) for hop in shown)
        yield Row("note", f"the operands there: {equal}", numbers)


def _behind(trace: Trace, found: Why) -> Iterator[Row]:
    """Tell why an operand that made it is as it is, and what is behind that."""
    told, calls = found.operands, _BEHIND
    if found.past is not None:
        calls = {"given": "a number that the training made"}
    while found.behind is not None:
        found = found.behind
        first, last = found.hops[0], found.at
        text, numbers = f"{_name(trace, first)} = {{}}", (first.number,)
        if last is not first:
            text += f", from {_name(trace, last)} = {{}}"
            numbers += (last.number,)
        op = trace.run.graph.nodes[last.node].op
        is_value = last.quantity == "value"
        made = f", made by {op.name}" if op is not None and is_value else ""
        because = calls.get(found.cause, found.because)
        if trace.run.graph.nodes[last.node].is_literal:  # it is its own name
            text, numbers = f"{_name(trace, first)} = {{}}", (first.number,)
            because = f"{_name(trace, last)} stands in the program"
        leads = Element(last.node, last.quantity, last.index)
        yield Row("fact", f"{text}{made}: {because}", numbers, "", leads)
        if found.operands != told and found.cause not in _DETAILS:
            yield from _operands(trace, found)
        told = found.operands


# How a cause is called behind another one.
_BEHIND: Final[Mapping[str, str]] = {"given": "a number that was given"}


def _maker(trace: Trace, found: Why) -> str:
    """Return which operation made what a reason leads to, in which pass."""
    hop, nodes = found.at, trace.run.graph.nodes
    node, way = nodes[hop.node], "made by"
    if hop.quantity == "grad":
        if found.term is None:
            return ""
        node, way = nodes[found.term.consumer], "made on the way back through"
    if node.op is None:
        return ""
    code = f": {node.site.text}" if node.site else ""
    return f", {way} {node.op.name}{code}"


def _past(trace: Trace, found: Why) -> Iterator[Row]:
    """Tell which iteration of a training made it so, and which operation there."""
    past = found.past
    if past is None:
        return
    at = past.iteration
    text = f"iteration {at} is the first whose update is bad"
    if not past.gradient.is_bad:
        name = trace.iteration.optimizer.name if trace.iteration else "the update"
        text += f": {_name(trace, past.gradient)} = {{}} is finite, but not the step"
        text += f" that {name} makes of it"
        yield Row("note", text, (past.gradient.number,))
    else:
        hop, made = past.why.at, _maker(trace, past.why)
        leads = Element(hop.node, hop.quantity, hop.index)
        text += f": {_name(trace, hop)} = {{}}: {past.why.because}{made}"
        yield Row("fact", text, (hop.number,), "", leads, at)
    hop = past.parameter
    leads = Element(hop.node, "value", hop.index)
    text = f"its update made {_name(trace, hop)} = {{}}"
    yield Row("fact", text, (hop.number,), "", leads, at)


def _unused(trace: Trace, found: Why) -> Iterator[Row]:
    term = found.term
    if found.unused and term is not None and found.untaken is None:
        node = trace.run.graph.nodes[term.consumer]
        name = element_name(node, term.index, "grad")
        text = f"{name} = {{}}: nothing comes back from there, but 0 times what is not"
        yield Row("note", f"{text} finite is NaN", (term.upstream,))


def _others(trace: Trace, found: Why) -> Iterator[Row]:
    """Tell what makes it NaN, infinite or 0 besides, each with its place."""
    if found.others is None:
        return
    places, is_all = found.others
    count, number = len(places), found.hops[0].number or 0.0
    least = "" if is_all else "at least "
    if number:
        makes = "makes" if count == 1 else "make"
        what = "NaN" if math.isnan(number) else "infinite"
        text = f"and {least}{counted(count, 'other')} {makes} it {what}, too: "
        most = _MOST_OTHERS
    else:
        brings = "brings" if count == 1 else "bring"
        text = f"and {least}{counted(count, 'other way')} {brings} 0, too: "
        most = _SHOWN
    for place in places[:most]:
        hop = place.at
        leads = Element(hop.node, hop.quantity, hop.index)
        where = _place(trace, place) if number else _way_of(trace, place)
        yield Row("fact", f"{text}{where}: {place.because}", leads=leads)
        text = "and "
    if count > most:
        yield Row("fact", f"and {count - most} more")


def _place(trace: Trace, place: Other) -> str:
    return " ".join([_name(trace, place.at), *_through(trace, place)])


def _way_of(trace: Trace, place: Other) -> str:
    """Return the way to a place: the first and the last elements of a long one."""
    names = [f"from {_name(trace, hop)}" for hop in place.way]
    if len(names) > _MOST_NAMES:
        names[2:-1] = ["…"]
    way = ", ".join(names)
    return " ".join(filter(None, [way, *_through(trace, place)])) or "there"


def _through(trace: Trace, place: Other) -> list[str]:
    if place.through is None:
        return []
    return [f"through {trace.run.graph.nodes[place.through].name}"]


_MOST_NAMES: Final = 4  # elements of a way


_MOST_OTHERS: Final = 3  # places besides the one that is named


def _set_up(trace: Trace, found: Why) -> Iterator[Row]:
    hop, behind = found.forward, found.behind
    is_told = (
        behind is not None
        and hop is not None
        and (behind.hops[0].place == hop.place or math.isnan(hop.number or 0))
    )
    # A NaN there may come from another operand than the slope does.
    if hop is not None and not is_told:
        text = f"set up in the forward pass: {_name(trace, hop)} = {{}}"
        yield Row("note", text, (hop.number,))


def _untaken(trace: Trace, found: Why) -> Iterator[Row]:
    if found.untaken is not None:
        name = trace.run.graph.nodes[found.untaken].name
        text = f"{name} did not take this branch at that element: its value is hidden"
        text += " there, but its gradient is computed all the same"
        yield Row("note", text)


def _terms(trace: Trace, found: Why) -> Iterator[Row]:
    at = found.at
    if not found.hops[1:]:
        return
    if found.explanation is not None:
        yield from gradient_rows(trace, found.explanation, _SHOWN)
    elif at.quantity == "value":
        terms = explain_value(trace.run, at.node, at.index or ())
        yield from value_rows(trace, terms, _SHOWN)


def _spread(trace: Trace, found: Why) -> Iterator[Row]:
    if not found.spread:
        return
    nodes = trace.run.graph.nodes
    places = [
        f"{called(nodes[node], element_name(nodes[node], None, quantity))} ({count})"
        for node, quantity, count in found.spread[:_MOST_PLACES]
    ]
    more = len(found.spread) - len(places)
    rest = f" … and {more} more" if more else ""
    yield Row("note", f"not finite (elements): {', '.join(places)}{rest}")


Detail = Callable[[Trace, "Why"], Iterator[Row]]

# What is told after the headline; each says nothing where it has nothing to say.
_USUAL: Final[tuple[Detail, ...]] = (
    _off,
    _way,
    _event,
    _deciding,
    _blocked,
    _slope,
    _operands,
    _behind,
    _others,
    _set_up,
    _untaken,
    _unused,
    _past,
    _spread,
)
_OF_TERMS: Final = (_way, _event, _deciding, _others, _set_up, _untaken, _terms)
_DETAILS: Final[Mapping[str, tuple[Detail, ...]]] = {
    "cancelled": _OF_TERMS,
    "rounded off": _OF_TERMS,
}
