"""Why an element is zero, NaN or infinite, or has no gradient at all.

An answer is a chain of places, from the element asked about to the place that made it
so, and the name of the cause. `CAUSES` says each in a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from .explain import (
    Explanation,
    Index,
    Part,
    Term,
    explain_gradient,
    explain_value,
)
from .graph import Edge, Graph, Node
from .ops.table import Array
from .run import Run
from .trace import Contribution, Forward, Seed, Trace

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

    node: int
    index: Index | None
    quantity: Literal["value", "grad"]
    number: float | None


@dataclass(frozen=True, slots=True)
class Why:
    """The answer: a cause, where it is, and the way that led there.

    `term` is the product that decided it, `operands` the operands' elements at the
    place of the cause, `forward` the hop where the forward pass set it up, `untaken`
    the `where` that did not take the branch it happened in, `spread` how many elements
    are affected, node by node, and `event` the event that made it, counted from 1.
    """

    cause: Cause
    hops: tuple[Hop, ...]
    explanation: Explanation | None = None
    term: Term | None = None
    operands: tuple[Hop, ...] = ()
    forward: Hop | None = None
    untaken: int | None = None
    spread: tuple[tuple[int, Literal["value", "grad"], int], ...] = ()
    event: int | None = None

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
        name: Cause = "stopped" if op.name == "stop_gradient" else "not differentiable"
        return Why(name, (hop,))
    return None


def _dead_end(run: Run, node: int, hop: Hop) -> Why:
    """Look towards the output: the first obstacle on the ways that lead there."""
    graph = run.graph
    leading = _leads_to_output(graph)
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
        stops = op is not None and op.name == "stop_gradient"
        return "stopped" if stops else "not differentiable"
    return None


def _leads_to_output(graph: Graph) -> bytearray:
    leading = bytearray(len(graph.nodes))
    leading[graph.output] = 1
    for index in range(graph.output, -1, -1):
        if leading[index]:
            for operand in graph.nodes[index].operands:
                leading[operand] = 1
    return leading


# ----------------------------------------------------------------------- zero


def _zero_gradient(trace: Trace, node: int, index: Index, position: int) -> Why:
    """Follow the zero towards the output until something other than a zero made it."""
    hops = [Hop(node, index, "grad", 0.0)]
    while True:
        found = explain_gradient(trace, node, index, position, follow=False)
        cause, term = _zero_cause(found)
        if cause is not None or term is None:
            return _ending(trace, cause or "zero slope", hops, found, term)
        node, index = term.consumer, term.index
        hops.append(Hop(node, index, "grad", term.upstream))


def _zero_cause(found: Explanation) -> tuple[Cause | None, Term | None]:
    """Return the cause of a zero sum, or no cause and the term to follow."""
    if found.written:
        return "written", None
    if not found.parts and found.seed is not None:
        return "zero seed", None
    if not found.parts and not found.complete:
        return "not yet", None
    decisive = [part for part in found.parts if len(part)]
    if any(np.any(part.product != 0) for part in decisive):
        return "cancelled", None
    for part in decisive:
        under = (part.upstream != 0) & (part.local != 0)
        if under.any():
            return "underflow", part.term(int(np.argmax(under)))
    for part in decisive:
        blocked = (part.upstream != 0) & (part.local == 0)
        if blocked.any():
            return "zero slope", part.term(int(np.argmax(blocked)))
    for part in decisive:
        if np.any(part.local != 0):
            return None, part.term(int(np.argmax(np.abs(part.local))))
    return "zero slope", decisive[0].term(0) if decisive else None


def _zero_value(trace: Trace, node: int, index: Index, number: float) -> Why:
    hop = Hop(node, index, "value", number)
    if number != 0:
        return Why("nonzero", (hop,))
    found = explain_value(trace.run, node, index)
    if trace.run.graph.nodes[node].op is None:
        return Why("given", (hop,))
    if node in trace.run.patches.values:
        return Why("written", (hop,))
    cancelled = found.products and any(
        math.prod(factor.value for factor in term) != 0 for term in found.terms
    )
    operands = _operands_at(trace.run, node, index)
    return Why("cancelled" if cancelled else "made here", (hop,), operands=operands)


# ----------------------------------------------------------------- NaN and Inf


def _bad_gradient(trace: Trace, node: int, index: Index, position: int) -> Why:
    """Follow what is not finite towards the output, to the product that made it."""
    found = explain_gradient(trace, node, index, position, follow=False)
    hops = [Hop(node, index, "grad", found.sum)]
    while True:
        term, part = _worst(found)
        if term is None or part is None:
            cause = _bad_sum(found)
            return _ending(trace, cause, hops, found, None)
        if np.isfinite(term.upstream):
            return _ending(trace, _bad_product(term), hops, found, term, part.event + 1)
        if term.local == 0 and not np.isnan(term.upstream):
            return _ending(
                trace, "zero times infinity", hops, found, term, part.event + 1
            )
        node, index = term.consumer, term.index
        hops.append(Hop(node, index, "grad", term.upstream))
        found = explain_gradient(trace, node, index, position, follow=False)


def _worst(found: Explanation) -> tuple[Term | None, Part | None]:
    """Return a term that is not finite: a NaN before an Inf, the first of its kind."""
    for bad in (np.isnan, np.isinf):
        for part in found.parts:
            places = np.flatnonzero(bad(part.product))
            if len(places):
                return part.term(int(places[0])), part
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
    hops = [Hop(node, index, "value", float(run.value(node)[index]))]
    while True:
        here = run.graph.nodes[node]
        if here.op is None or node in run.patches.values:
            cause: Cause = "given" if here.op is None else "written"
            return _ending(trace, cause, hops, None, None)
        bad = [hop for hop in _operands_at(run, node, index) if _is_bad(hop.number)]
        bad.sort(key=lambda hop: not np.isnan(hop.number or 0.0))  # a NaN before an Inf
        if not bad:
            event = trace.forward_event(node)
            return _ending(
                trace,
                "made here",
                hops,
                None,
                None,
                None if event is None else event + 1,
            )
        node, index = bad[0].node, bad[0].index or ()
        hops.append(bad[0])


def _is_bad(number: float | None) -> bool:
    return number is not None and not np.isfinite(number)


def _operands_at(run: Run, node: int, index: Index) -> tuple[Hop, ...]:
    """Return the elements that an element of a value was computed from."""
    found = explain_value(run, node, index)
    seen: dict[tuple[int, Index], Hop] = {}
    for term in found.terms:
        for factor in term:
            key = (factor.node, factor.index)
            seen.setdefault(key, Hop(factor.node, factor.index, "value", factor.value))
    return tuple(seen.values())


def _ending(
    trace: Trace,
    cause: Cause,
    hops: Sequence[Hop],
    found: Explanation | None,
    term: Term | None,
    event: int | None = None,
) -> Why:
    """Gather what a reader needs at the place of the cause."""
    run, last = trace.run, hops[-1]
    place = (last.node, last.index or ())
    if term is not None:
        place = (term.consumer, term.index)
    operands = _operands_at(run, *place) if run.graph.nodes[place[0]].op else ()
    bad = _is_bad(hops[0].number)
    return Why(
        cause,
        tuple(hops),
        found,
        term,
        operands,
        _set_up(run, *place) if bad else None,
        untaken_branch(run, *place),
        spread(trace) if bad else (),
        event,
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
                if consumer.op.name == "where" and edge.argument in (1, 2):
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


def spread(trace: Trace) -> tuple[tuple[int, Literal["value", "grad"], int], ...]:
    """Return, in the order of time, how many elements are not finite, node by node."""
    run = trace.run
    found: list[tuple[int, Literal["value", "grad"], int]] = []
    for node in range(len(run.graph)):
        bad = _bad_count(run.values[node])
        if bad:
            found.append((node, "value", bad))
    for node in range(len(run.graph) - 1, -1, -1):
        gradient = run.gradients[node]
        bad = 0 if gradient is None else _bad_count(gradient)
        if bad:
            found.append((node, "grad", bad))
    return tuple(found)


def _bad_count(value: Any) -> int:
    array: Array = np.asarray(value)
    if array.dtype.kind != "f":
        return 0
    return int(array.size - np.count_nonzero(np.isfinite(array)))


def first_nonfinite(trace: Trace) -> tuple[int, int, Index] | None:
    """Return the first event, counted from 0, that makes a number that is not finite.

    With the node that it changes and the index of the first such element.
    """
    run = trace.run
    bad_nodes = {node for node, quantity, _ in spread(trace) if quantity == "value"}
    for number in range(len(trace)):
        event = trace.event(number)
        if isinstance(event, Forward):
            made = run.values[event.node] if event.node in bad_nodes else 0.0
        elif isinstance(event, Seed):
            made = run.seed
        elif isinstance(event, Contribution):
            if not _bad_count(run.gradients[event.operand]):
                continue
            made = trace.share(event.consumer, event.argument).contribution
        else:
            made = trace.updated[event.node]
        if _bad_count(made):
            flat = int(np.argmax(~np.isfinite(np.asarray(made))))
            place = np.unravel_index(flat, np.shape(made))
            return number, event.node, tuple(int(i) for i in place)
    return None
