"""Why an element is zero, NaN or infinite, or has no gradient at all.

An answer is a chain of places, from the element asked about to the place that made it
so, and the name of the cause. `CAUSES` says each in a sentence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from ..engine.graph import Edge
from .gradients import Columns, Explanation, Part, Term, explain_gradient
from .values import Factor, Products, explain_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ..engine.element import Index
    from ..engine.run import Run
    from ..engine.trace import Trace
    from ..ops.table import Array

Cause = Literal[
    "constant",
    "integer",
    "not differentiable",
    "stopped",
    "cut",
    "no path",
    "not yet",
    "zero slope",
    "zero seed",
    "cancelled",
    "underflow",
    "zero operand",
    "written",
    "given",
    "made here",
    "zero times infinity",
    "infinite slope",
    "overflow",
    "finite",
    "nonzero",
]

Spread = tuple[tuple[int, Literal["value", "grad"], int], ...]

CAUSES: Final[Mapping[Cause, str]] = {
    "constant": "it is a constant, and no gradient flows into constants",
    "integer": "it holds integers or truth values, and only floats have a gradient",
    "not differentiable": "its uses have no derivative, as a comparison has none",
    "stopped": "the path is cut by stop_gradient",
    "cut": "the edge was detached in this run",
    "no path": "no path leads from it to the output",
    "not yet": "no contribution has arrived at this position; more are to come",
    "zero slope": "the local derivative is 0 here, so nothing passes",
    "zero seed": "the seed is 0 there",
    "cancelled": "the terms are not 0, but they add up to 0",
    "underflow": "both factors are not 0, but their product is too small for its type",
    "zero operand": "a factor is 0",
    "written": "it was set in this run",
    "given": "it was given like this",
    "made here": "finite operands made it here",
    "zero times infinity": "a 0 meets an infinity, and 0 · ∞ is NaN",
    "infinite slope": "the local derivative is not finite here",
    "overflow": "finite factors have a product that is too large for its type",
    "finite": "it is finite",
    "nonzero": "it is not 0",
}


@dataclass(frozen=True, slots=True)
class Hop:
    """One place on the way to the cause, with the number that stands there."""

    node: int  # its number
    index: Index | None  # None for the whole array
    quantity: Literal["value", "grad"]  # which of its two arrays
    number: float | None  # None where there is none yet


@dataclass(frozen=True, slots=True)
class Why:
    """The answer: a cause, where it is, and the way that led there.

    Of a long way `hops` has the beginning and the end, and `between` says how many
    others there are before the last one.

    `term` is the product that decided it, `operands` the operands' elements at the
    place of the cause, `forward` the hop where the forward pass set it up, `untaken`
    the `where` that did not take the branch it happened in, `spread` how many elements
    are affected, node by node, and `event` the event that made it, counted from 1.
    """

    cause: Cause
    hops: tuple[Hop, ...]
    # the terms of the element, where they say more
    explanation: Explanation | None = None
    term: Term | None = None
    operands: tuple[Hop, ...] = ()
    forward: Hop | None = None
    untaken: int | None = None
    spread: Spread = ()
    event: int | None = None
    between: int = 0

    @property
    def because(self) -> str:
        """The cause in a sentence."""
        return CAUSES[self.cause]

    @property
    def at(self) -> Hop:
        """The place of the cause."""
        return self.hops[-1]


def why(
    trace: Trace,
    node: int,
    quantity: Literal["value", "grad"],
    index: Index,
    position: int,
) -> Why:
    """Say what is special about one element: no gradient, 0, NaN or Inf, or nothing."""
    if quantity == "value":
        hop = Hop(node, index, "value", float(trace.run.value(node)[index]))
        return _bad_value(trace, hop) if _is_bad(hop) else _zero_value(trace, hop)
    if trace.run.gradients[node] is None:
        return no_gradient(trace.run, node)
    gradient = trace.gradient(node, position)
    if gradient is None:
        return Why("not yet", (Hop(node, index, "grad", None),))
    hop = Hop(node, index, "grad", float(gradient[index]))
    if _is_bad(hop):
        return _bad_gradient(trace, hop, position)
    if hop.number == 0:
        return _zero_gradient(trace, hop, position)
    return Why("nonzero", (hop,), explain_gradient(trace, node, index, position))


def _is_bad(hop: Hop) -> bool:
    return hop.number is not None and not math.isfinite(hop.number)


# ---------------------------------------------------------------- no gradient


def no_gradient(run: Run, node: int) -> Why:
    """Say why no gradient flows into a node: what it is, or where its paths end."""
    graph = run.graph
    here = graph.nodes[node]
    hop = Hop(node, None, "grad", None)
    if run.value(node).dtype.kind != "f":
        return Why("integer", (hop,))
    if run.flows[node]:
        return _dead_end(run, node, hop)
    return Why("stopped" if here.op and here.op.stops else "constant", (hop,))


def _dead_end(run: Run, node: int, hop: Hop) -> Why:
    """Look towards the output: the first obstacle on the ways that lead there."""
    graph = run.graph
    leading = graph.useful
    if not leading[node]:
        return Why("no path", (hop,))
    seen, queue, obstacles = {node}, [node], list[tuple[Cause, Edge]]()
    while queue:
        index = queue.pop()
        for edge in graph.consumers[index]:
            if not leading[edge.consumer]:
                continue
            cause = _obstacle(run, edge)
            if cause is not None:
                obstacles.append((cause, edge))
            elif edge.consumer not in seen:
                seen.add(edge.consumer)
                queue.append(edge.consumer)
    # What was done on purpose says more than a condition that has no derivative.
    cause, edge = min(obstacles, key=lambda found: found[0] == "not differentiable")
    return Why(cause, (hop, Hop(edge.consumer, None, "grad", None)))


def _obstacle(run: Run, edge: Edge) -> Cause | None:
    op = run.graph.nodes[edge.consumer].op
    if (edge.consumer, edge.argument) in run.patches.cuts:
        return "cut"
    if op is None or op.vjp(edge.argument) is None:
        return "stopped" if op is not None and op.stops else "not differentiable"
    return None


# ----------------------------------------------------------------------- zero


def _zero_gradient(trace: Trace, start: Hop, position: int) -> Why:
    """Follow the zero towards the output until something other than a zero made it."""

    def step(hop: Hop) -> Hop | None:
        found = _found(trace, hop, position)
        cause, term = _zero_verdict(trace, found)
        return None if cause is not None or term is None else _sender(term)

    way = _followed(trace.run, "zero", start, step)
    found = _found(trace, way.hops[-1], position)
    cause, term = _zero_verdict(trace, found)
    return _ending(trace, cause or "zero slope", way, found, term)


def _found(trace: Trace, hop: Hop, position: int) -> Explanation:
    index = hop.index or ()
    return explain_gradient(trace, hop.node, index, position, follow=False)


def _sender(term: Term) -> Hop:
    return Hop(term.consumer, term.index, "grad", term.upstream)


class _Way(NamedTuple):
    """The beginning of a way and its last place, and how many lie between."""

    hops: tuple[Hop, ...]
    between: int


def _followed(
    run: Run, what: str, start: Hop, step: Callable[[Hop], Hop | None]
) -> _Way:
    """Go from place to place to the end.

    Where a long way ends is kept for all places on it but the first ones, which may
    not have got everything yet: one who goes on is likely to be among them.
    """
    hops = [start]
    while len(hops) <= _MOST_SHOWN:
        following = step(hops[-1])
        if following is None:
            return _Way(tuple(hops), 0)
        hops.append(following)
    here, passed = hops.pop(), list[Hop]()
    known: tuple[Hop, int] | None
    while (known := run.recent.known((what, here.node, here.index))) is None:
        following = step(here)
        if following is None:
            break
        passed.append(here)
        here = following
    end, far = known or (here, 0)
    for hop in reversed(passed):
        far += 1
        run.recent.keep((what, hop.node, hop.index), (end, far))
    return _Way((*hops, end), far)


_MOST_SHOWN: Final = 64  # places of a way, before only its end is told


_Verdict = tuple[Cause | None, Term | None]  # no cause: the term to follow


def _zero_verdict(trace: Trace, found: Explanation) -> _Verdict:
    """Return the cause of a zero sum, or no cause and the term to follow."""
    if found.written:
        return "written", None
    if found.seed is not None:
        return "zero seed", None
    first = _firsts(trace, found)
    if "nonzero" in first:
        return "cancelled", None
    if "underflow" in first:
        return "underflow", _first(found, first, "underflow")
    if "blocked" in first:
        return "zero slope", _first(found, first, "blocked")
    if "passing" in first:
        part = found.parts[first["passing"]]
        return None, part.term(int(np.argmax(np.abs(part.local))))
    return "zero slope", _first(found, first, "any")


# What a part of an explanation can have: terms of which some are like this.
_KINDS: Final[Mapping[str, Callable[[Columns], Array]]] = {
    "any": lambda terms: np.ones(len(terms.places), np.bool_),
    "nonzero": lambda terms: terms.product != 0,
    "underflow": lambda terms: (terms.upstream != 0) & (terms.local != 0),
    "blocked": lambda terms: (terms.upstream != 0) & (terms.local == 0),
    "passing": lambda terms: terms.local != 0,
    "nan": lambda terms: np.isnan(terms.product),
    "inf": lambda terms: np.isinf(terms.product),
}


def _first(found: Explanation, first: Mapping[str, int], kind: str) -> Term | None:
    """Return the first term of a kind, if there is one."""
    return found.parts[first[kind]].first(_KINDS[kind]) if kind in first else None


def _firsts(trace: Trace, found: Explanation) -> Mapping[str, int]:
    """Return the number of the first part with a term of each kind.

    Parts are looked at once, however many there are: a later moment has more of them.
    """
    recent, key = trace.run.recent, ("firsts", found.node, found.index)
    looked, known = recent.known(key) or (0, dict[str, int]())
    first, count = dict(known), len(found.parts)
    for number in range(looked, count):
        part = found.parts[number]
        for kind, chosen in _KINDS.items():
            if kind not in first and part.first(chosen) is not None:
                first[kind] = number
    recent.keep(key, (max(looked, count), first))
    return {kind: number for kind, number in first.items() if number < count}


def _zero_value(trace: Trace, hop: Hop) -> Why:
    run, index = trace.run, hop.index or ()
    if hop.number != 0:
        return Why("nonzero", (hop,))
    if hop.node in run.patches.values:
        return Why("written", (hop,))
    if run.graph.nodes[hop.node].op is None:
        return Why("given", (hop,))
    terms = explain_value(run, hop.node, index).terms
    cancelled = isinstance(terms, Products) and bool(np.any(terms.numbers != 0))
    operands = _operands_at(run, hop.node, index)
    return Why("cancelled" if cancelled else "made here", (hop,), operands=operands)


# ----------------------------------------------------------------- NaN and Inf


def _bad_gradient(trace: Trace, start: Hop, position: int) -> Why:
    """Follow what is not finite towards the output, to the product that made it."""

    def step(hop: Hop) -> Hop | None:
        worst = _worst(trace, _found(trace, hop, position))
        return None if worst is None or _breaks(worst[0]) else _sender(worst[0])

    way = _followed(trace.run, "bad gradient", start, step)
    found = _found(trace, way.hops[-1], position)
    worst = _worst(trace, found)
    if worst is None:
        return _ending(trace, _bad_sum(found), way, found)
    term, part = worst
    return _ending(trace, _bad_product(term), way, found, term, part.event)


def _breaks(term: Term) -> bool:
    """Tell whether a product that is not finite was made so here.

    Either what arrives is finite, or it is Inf and meets a slope of 0.
    """
    if np.isfinite(term.upstream):
        return True
    return term.local == 0 and not np.isnan(term.upstream)


def _worst(trace: Trace, found: Explanation) -> tuple[Term, Part] | None:
    """Return a term that is not finite: a NaN before an Inf, the first of its kind."""
    first = _firsts(trace, found)
    for kind in ("nan", "inf"):
        term = _first(found, first, kind)
        if term is not None:
            return term, found.parts[first[kind]]
    return None


def _bad_sum(found: Explanation) -> Cause:
    """Return why a sum of finite products is not finite."""
    if found.written:
        return "written"
    return "overflow" if found.seed is None else "given"


def _bad_product(term: Term) -> Cause:
    """Return why a product is not finite, although what arrives is no NaN."""
    if np.isfinite(term.local):
        return "overflow" if np.isfinite(term.upstream) else "zero times infinity"
    is_of_zero = term.upstream == 0 and np.isinf(term.local)
    return "zero times infinity" if is_of_zero else "infinite slope"


def _bad_value(trace: Trace, start: Hop) -> Why:
    """Follow what is not finite towards the operands, to the node that made it."""
    run = trace.run

    def step(hop: Hop) -> Hop | None:
        is_written = hop.node in run.patches.values
        return None if is_written else _bad_operand(run, hop.node, hop.index or ())

    way = _followed(run, "bad value", start, step)
    last = way.hops[-1].node
    if last in run.patches.values:
        return _ending(trace, "written", way)
    event = trace.forward_event(last)
    cause: Cause = "given" if event is None else "made here"
    return _ending(trace, cause, way, event=event)


def _bad_operand(run: Run, node: int, index: Index) -> Hop | None:
    """Return the first NaN that an element was computed from, or else an Inf."""
    terms = explain_value(run, node, index).terms
    if isinstance(terms, Products):
        numbers = np.stack([column.values for column in terms.columns], axis=-1)
    else:
        numbers = np.array([[factor.value for factor in term] for term in terms])
    for bad in (np.isnan, np.isinf):
        places = np.argwhere(bad(numbers))
        if len(places):
            term, factor = map(int, places[0])
            return _hop(terms[term][factor])
    return None


def _hop(factor: Factor) -> Hop:
    return Hop(factor.node, factor.index, "value", factor.value)


def _operands_at(run: Run, node: int, index: Index) -> tuple[Hop, ...]:
    """Return the elements that an element of a value was computed from: the first."""
    terms = explain_value(run, node, index).terms[:_MOST_OPERANDS]
    factors = (factor for term in terms for factor in term[:_MOST_OPERANDS])
    return tuple(dict.fromkeys(map(_hop, factors)))[:_MOST_OPERANDS]


_MOST_OPERANDS: Final = 8  # elements at the place of a cause


def _ending(
    trace: Trace,
    cause: Cause,
    way: _Way,
    found: Explanation | None = None,
    term: Term | None = None,
    event: int | None = None,
) -> Why:
    """Gather what a reader needs at the place of the cause."""
    run, last = trace.run, way.hops[-1]
    place = (last.node, last.index or ())
    if term is not None:
        place = (term.consumer, term.index)
    bad = _is_bad(last)
    return Why(
        cause,
        way.hops,
        found,
        term,
        _operands_at(run, *place),
        _set_up(run, *place) if bad else None,
        untaken_branch(run, *place),
        spread(trace) if bad else (),
        None if event is None else event + 1,
        way.between,
    )


def _set_up(run: Run, node: int, index: Index) -> Hop | None:
    """Return the value at the place of the cause, when it is not finite itself."""
    hop = Hop(node, index, "value", float(run.value(node)[index]))
    return hop if _is_bad(hop) else None


def untaken_branch(run: Run, node: int, index: Index) -> int | None:
    """Return the `where` that did not take the branch an element belongs to.

    The values of a branch that is not taken do not show in the result, but the
    gradients are computed for them all the same: as 0, times what may be infinite.
    """
    graph, shape = run.graph, run.graph.nodes[node].shape
    near: Iterable[int] = (node,)
    for _ in range(_NEAR):
        following = dict[int, None]()
        for edge in (edge for number in near for edge in graph.consumers[number]):
            consumer = graph.nodes[edge.consumer]
            if consumer.op is None or consumer.shape != shape:
                continue
            if consumer.op.chooses and edge.argument:
                condition = run.value(consumer.operands[0])
                taken = np.broadcast_to(condition, shape)[index]
                if bool(taken) != (edge.argument == 1):
                    return edge.consumer
            if consumer.op.kind == "elementwise":
                following[edge.consumer] = None
        near = following
    return None


_NEAR: Final = 8  # elementwise steps between a branch and its `where`


def spread(trace: Trace) -> Spread:
    """Return, in the order of time, how many elements are not finite, node by node."""
    return trace.run.recent.of(("spread",), lambda: tuple(_spread(trace.run)))


def _spread(run: Run) -> Iterator[tuple[int, Literal["value", "grad"], int]]:
    for node, value in enumerate(run.values):
        bad = _bad_count(value)
        if bad:
            yield node, "value", bad
    for node in reversed(range(len(run.graph))):
        gradient = run.gradients[node]
        bad = 0 if gradient is None else _bad_count(gradient)
        if bad:
            yield node, "grad", bad


def _bad_count(value: Any) -> int:
    if isinstance(value, float):
        return int(not math.isfinite(value))
    array: Array = np.asarray(value)
    if array.dtype.kind != "f":
        return 0
    return int(array.size - np.count_nonzero(np.isfinite(array)))


def breaks(trace: Trace, number: int) -> bool:
    """Tell whether a contribution is not finite, but all that makes it is."""
    edge = trace.edge(number)

    def find() -> bool:
        bad = _bad_count(trace.contribution(edge))
        return bool(bad) and not _bad_count(trace.upstream(edge))

    return trace.run.recent.of(("breaks", number), find)
