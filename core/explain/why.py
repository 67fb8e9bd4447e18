"""Why an element is zero, NaN or infinite, or has no gradient at all.

An answer is a chain of places, from the element asked about to the place that made it
so, and the name of the cause. `CAUSES` says each in a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from ..engine.graph import Edge, Node
from ..engine.run import Run
from ..engine.trace import Contribution, Trace
from ..ops.table import Array
from .explain import (
    Columns,
    Explanation,
    Factor,
    Factors,
    Index,
    Part,
    Products,
    Term,
    explain_gradient,
    explain_value,
)

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
        number = float(trace.run.value(node)[index])
        if not np.isfinite(number):
            return _bad_value(trace, node, index)
        return _zero_value(trace, node, index, number)
    if trace.run.gradients[node] is None:
        return no_gradient(trace.run, node)
    gradient = trace.gradient(node, position)
    if gradient is None:
        return Why("not yet", (Hop(node, index, "grad", None),))
    number = float(gradient[index])
    if not np.isfinite(number):
        return _bad_gradient(trace, node, index, position)
    if number == 0:
        return _zero_gradient(trace, node, index, position)
    found = explain_gradient(trace, node, index, position)
    return Why("nonzero", (Hop(node, index, "grad", number),), found)


# ---------------------------------------------------------------- no gradient


def no_gradient(run: Run, node: int) -> Why:
    """Say why no gradient flows into a node: what it is, or where its paths end."""
    graph = run.graph
    here = graph.nodes[node]
    hop = Hop(node, None, "grad", None)
    if run.value(node).dtype.kind != "f":
        return Why("integer", (hop,))
    if here.kind == "constant":
        return Why("constant", (hop,))
    if not run.flows[node]:
        source = _blocked_source(here)
        return source or Why("constant", (hop,))
    return _dead_end(run, node, hop)


def _blocked_source(node: Node) -> Why | None:
    """Look towards the operands: what keeps a result from depending on anything."""
    op = node.op
    hop = Hop(node.index, None, "grad", None)
    if op is None:
        return None
    if all(op.vjp(argument) is None for argument in range(len(node.operands))):
        name: Cause = "stopped" if op.stops else "not differentiable"
        return Why(name, (hop,))
    return None


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


def _zero_gradient(trace: Trace, node: int, index: Index, position: int) -> Why:
    """Follow the zero towards the output until something other than a zero made it."""

    def step(hop: Hop) -> Hop | None:
        found = _found(trace, hop, position)
        cause, term = _zero_verdict(trace, found)
        return None if cause is not None or term is None else _sender(term)

    way = _followed(trace.run, "zero", Hop(node, index, "grad", 0.0), step)
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
    between: int = 0


def _followed(
    run: Run, what: str, start: Hop, step: Callable[[Hop], Hop | None]
) -> _Way:
    """Go from place to place to the end.

    Where a long way ends is kept for all places on it but the first ones, which may
    not have got everything yet: one who goes on is likely to be among them.
    """
    hops = [start]
    while len(hops) < _MOST_SHOWN:
        following = step(hops[-1])
        if following is None:
            return _Way(tuple(hops))
        hops.append(following)
    passed: list[Hop] = []
    here, end, far = hops[-1], hops[-1], 0
    while True:
        known: tuple[Hop, int] | None = run.recent.known((what, here.node, here.index))
        if known is not None:
            end, far = known
            break
        following = step(here)
        if following is None:
            end = here
            break
        passed.append(here)
        here = following
    for hop in reversed(passed):
        far += 1
        run.recent.keep((what, hop.node, hop.index), (end, far))
    return _Way((*hops, end), far - 1) if far else _Way(tuple(hops))


_MOST_SHOWN: Final = 64  # places of a way, before only its end is told


_Verdict = tuple[Cause | None, Term | None]  # no cause: the term to follow


def _zero_verdict(trace: Trace, found: Explanation) -> _Verdict:
    """Return the cause of a zero sum, or no cause and the term to follow."""
    if found.written:
        return "written", None
    if not found.parts and found.seed is not None:
        return "zero seed", None
    if not found.parts and not found.complete:
        return "not yet", None
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
    looked, first = recent.known(key) or (0, dict[str, int]())
    if looked < len(found.parts):
        first = dict(first)
        for number in range(looked, len(found.parts)):
            part = found.parts[number]
            for kind, chosen in _KINDS.items():
                if kind not in first and part.first(chosen) is not None:
                    first[kind] = number
        recent.keep(key, (len(found.parts), first))
    return {kind: n for kind, n in first.items() if n < len(found.parts)}


def _zero_value(trace: Trace, node: int, index: Index, number: float) -> Why:
    hop = Hop(node, index, "value", number)
    if number != 0:
        return Why("nonzero", (hop,))
    found = explain_value(trace.run, node, index)
    if trace.run.graph.nodes[node].op is None:
        return Why("given", (hop,))
    if node in trace.run.patches.values:
        return Why("written", (hop,))
    terms = found.terms
    cancelled = isinstance(terms, Products) and bool(np.any(terms.numbers != 0))
    operands = _operands_at(trace.run, node, index)
    return Why("cancelled" if cancelled else "made here", (hop,), operands=operands)


# ----------------------------------------------------------------- NaN and Inf


def _bad_gradient(trace: Trace, node: int, index: Index, position: int) -> Why:
    """Follow what is not finite towards the output, to the product that made it."""

    def step(hop: Hop) -> Hop | None:
        term, _ = _worst(trace, _found(trace, hop, position))
        return None if term is None or _breaks(term) else _sender(term)

    start = Hop(node, index, "grad", None)
    start = replace(start, number=_found(trace, start, position).sum)
    way = _followed(trace.run, "bad gradient", start, step)
    found = _found(trace, way.hops[-1], position)
    term, part = _worst(trace, found)
    if term is None or part is None:
        return _ending(trace, _bad_sum(found), way, found, None)
    cause = "zero times infinity"
    if np.isfinite(term.upstream):
        cause = _bad_product(term)
    return _ending(trace, cause, way, found, term, part.event + 1)


def _breaks(term: Term) -> bool:
    """Tell whether a product that is not finite was made so here.

    Either what arrives is finite, or it is Inf and meets a slope of 0.
    """
    if np.isfinite(term.upstream):
        return True
    return term.local == 0 and not np.isnan(term.upstream)


def _worst(trace: Trace, found: Explanation) -> tuple[Term, Part] | tuple[None, None]:
    """Return a term that is not finite: a NaN before an Inf, the first of its kind."""
    first = _firsts(trace, found)
    for kind in ("nan", "inf"):
        term = _first(found, first, kind)
        if term is not None:
            return term, found.parts[first[kind]]
    return None, None


def _bad_sum(found: Explanation) -> Cause:
    """Return why a sum of finite products is not finite."""
    if found.written:
        return "written"
    if found.seed is not None and not np.isfinite(found.seed):
        return "given"
    return "overflow"


def _bad_product(term: Term) -> Cause:
    if np.isfinite(term.local):
        return "overflow"
    return "zero times infinity" if term.upstream == 0 else "infinite slope"


def _bad_value(trace: Trace, node: int, index: Index) -> Why:
    """Follow what is not finite towards the operands, to the node that made it."""
    run = trace.run

    def step(hop: Hop) -> Hop | None:
        if run.graph.nodes[hop.node].op is None or hop.node in run.patches.values:
            return None
        return _bad_operand(run, hop.node, hop.index or ())

    start = Hop(node, index, "value", float(run.value(node)[index]))
    way = _followed(run, "bad value", start, step)
    last = way.hops[-1].node
    if run.graph.nodes[last].op is None:
        return _ending(trace, "given", way, None, None)
    if last in run.patches.values:
        return _ending(trace, "written", way, None, None)
    event = trace.forward_event(last)
    made = None if event is None else event + 1
    return _ending(trace, "made here", way, None, None, made)


def _is_bad(number: float | None) -> bool:
    return number is not None and not np.isfinite(number)


def _bad_operand(run: Run, node: int, index: Index) -> Hop | None:
    """Return the first NaN that an element was computed from, or else an Inf."""
    terms = explain_value(run, node, index).terms
    columns = terms.columns if isinstance(terms, Products) else terms
    for bad in (np.isnan, np.isinf):
        found: list[tuple[int, int]] = []
        for number, column in enumerate(columns):
            values = [factor.value for factor in column]
            if isinstance(column, Factors):
                values = column.values
            places = np.flatnonzero(bad(values))
            found += [(int(place), number) for place in places[:1]]
        if found:
            place, number = min(found)
            return _hop(columns[number][place])
    return None


def _hop(factor: Factor) -> Hop:
    return Hop(factor.node, factor.index, "value", factor.value)


def _operands_at(run: Run, node: int, index: Index) -> tuple[Hop, ...]:
    """Return the elements that an element of a value was computed from: the first."""
    terms = explain_value(run, node, index).terms
    factors = (factor for term in terms[:_MOST_OPERANDS] for factor in term)
    seen = dict.fromkeys(map(_hop, islice(factors, 2 * _MOST_OPERANDS)))
    return tuple(islice(seen, _MOST_OPERANDS))


_MOST_OPERANDS: Final = 64  # elements at the place of a cause


def _ending(
    trace: Trace,
    cause: Cause,
    way: _Way,
    found: Explanation | None,
    term: Term | None,
    event: int | None = None,
) -> Why:
    """Gather what a reader needs at the place of the cause."""
    run, hops = trace.run, way.hops
    last = hops[-1]
    place = (last.node, last.index or ())
    if term is not None:
        place = (term.consumer, term.index)
    operands = _operands_at(run, *place) if run.graph.nodes[place[0]].op else ()
    bad = _is_bad(hops[0].number)
    return Why(
        cause,
        hops,
        found,
        term,
        operands,
        _set_up(run, *place) if bad else None,
        untaken_branch(run, *place),
        spread(trace) if bad else (),
        event,
        way.between,
    )


def _set_up(run: Run, node: int, index: Index) -> Hop | None:
    """Return the value at the place of the cause, when it is not finite itself."""
    value = run.value(node)
    number = float(value[index])
    return None if np.isfinite(number) else Hop(node, index, "value", number)


def untaken_branch(run: Run, node: int, index: Index) -> int | None:
    """Return the `where` that did not take the branch an element belongs to.

    The values of a branch that is not taken do not show in the result, but the
    gradients are computed for them all the same: as 0, times what may be infinite.
    """
    seen, level = {node}, [(node, index)]
    for _ in range(_NEAR):
        following: list[tuple[int, Index]] = []
        for number, place in level:
            for edge in run.graph.consumers[number]:
                consumer = run.graph.nodes[edge.consumer]
                if (
                    consumer.op is None
                    or consumer.shape != run.graph.nodes[number].shape
                ):
                    continue
                if consumer.op.chooses and edge.argument:
                    condition = run.value(consumer.operands[0])
                    taken = np.broadcast_to(condition, consumer.shape)[place]
                    if bool(taken) != (edge.argument == 1):
                        return edge.consumer
                if consumer.op.kind == "elementwise" and edge.consumer not in seen:
                    seen.add(edge.consumer)
                    following.append((edge.consumer, place))
        level = following
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
    for node in range(len(run.graph) - 1, -1, -1):
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
    event = trace.event(number)
    if not isinstance(event, Contribution):
        return False

    def find() -> bool:
        added = trace.contribution(event.edge)
        sent = trace.upstream(event.edge)
        return bool(_bad_count(added)) and not _bad_count(sent)

    return trace.run.recent.of(("breaks", number), find)
