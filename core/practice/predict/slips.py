"""What the classic mistakes make of the array that an event changes.

Those of a backward pass are the ones of the catalogue, `MISTAKES`; an event that
computes a value or an update has a few of its own.
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ...base.cache import Recent
from ...engine.backward import UNFIT, call
from ...engine.trace import Contribution, Forward, Seed
from ...mistakes.catalogue import MISTAKES
from ...mistakes.rules import OTHER_REDUCTION
from ...words.events import element_name
from ...words.names import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ...engine.graph import Edge, Node
    from ...engine.patches import Patches
    from ...engine.run import Run
    from ...engine.trace import Trace, Update
    from ...mistakes.catalogue import Mistake
    from ...ops.table import Array, Op

    # What makes what is added from what arrives, or a result from its first operand,
    # and the latter. It is linear, so that the terms can be told.
    Linear = tuple[Callable[[Array], Array], Array]
    Made = Iterator[tuple[Array, Linear | None]]
    Wrong = Callable[[Op, Sequence[Array], Node, Array], Made]

_MOST: Final = 1_000_000  # elements of an array that is made once more for each mistake


class Slip(NamedTuple):
    """A mistake at one event, and the array that it makes there."""

    name: str  # as the catalogue knows it, where that has it
    summary: str  # what is wrong: "the transpose is dropped"
    array: Array  # instead of the right one, of its shape
    # makes what is added from an array, and that array; None where no terms are told
    linear: Linear | None = None
    adds: bool = True  # to what has arrived before


def slips(trace: Trace, number: int) -> Iterator[Slip]:
    """Yield what each mistake that can be made at an event makes of its array."""
    event, run = trace.event(number), trace.run
    if max(run.value(event.node).size, _wide(run, event)) > _MOST:
        return
    with np.errstate(all="ignore"):
        if isinstance(event, Contribution):
            yield from _of_contribution(trace, number, event.edge)
        elif isinstance(event, Forward):
            yield from _of_value(run, run.graph.nodes[event.node])
        elif isinstance(event, Seed):
            value = run.value(event.node)
            yield Slip("value", "the value is taken for its gradient", value)
            yield Slip("sign", _said("sign"), -np.asarray(run.seed))
            yield Slip("zero", "the seed is forgotten", np.zeros_like(value))
        else:
            yield from _of_update(trace, event)


def _said(name: str) -> str:
    """Return what the catalogue says of a mistake that a value can have, too."""
    return MISTAKES[name].summary


def _wide(run: Run, event: Any) -> int:
    return run.value(event.consumer).size if isinstance(event, Contribution) else 0


# ------------------------------------------------------------------- the backward pass


def _of_contribution(trace: Trace, number: int, edge: Edge) -> Iterator[Slip]:
    run = trace.run
    before = trace.gradient(edge.operand, number)
    places = [(mistake, edge) for mistake in MISTAKES.values()]
    # What is written into the array that arrives is wrong at the edges behind it, too.
    places += [(MISTAKES["in-place"], at) for at in _earlier(trace, number, edge)]
    for mistake, at in places:
        try:
            patches = mistake.make(trace, at, run.patches)
        except ValueError:
            continue
        made, summary = _patched(trace, edge, at, patches), _summary(run, mistake, at)
        if made is not None:
            added, linear = made
            is_alone = (edge.consumer, edge.argument) in patches.overwrites
            if before is None or is_alone:
                yield Slip(mistake.name, summary, added, linear, adds=False)
            else:
                yield Slip(mistake.name, summary, before + added, linear)
    more = [("local", one) for one in _without_factor(trace, edge)]
    more += [("mean", one) for one in _as_mean(trace, edge)]
    for name, (added, linear) in more:
        array = added if before is None else before + added
        yield Slip(name, _said(name), array, linear)
    if before is not None:
        yield Slip("nothing", "what this event adds is forgotten", before)


def _without_factor(trace: Trace, edge: Edge) -> Made:
    """Yield what a sum of products adds whose other factors are forgotten."""
    consumer, argument = trace.run.graph.nodes[edge.consumer], edge.argument
    op, rule = consumer.op, consumer.op and consumer.op.vjp(argument)
    if op is None or rule is None or not (op.kind == "contract" or op.factors):
        return
    form = op.form(argument)
    if form is not None and form.local == "1":
        return  # a bias is added, and multiplied by nothing
    ones = [np.ones_like(trace.run.value(n)) for n in consumer.operands]
    right = trace.run.value(consumer.index)

    def add(arrived: Array) -> Array:
        return np.asarray(call(rule, [arrived, right, *ones], consumer.attributes))

    upstream = np.asarray(trace.upstream(edge))
    yield add(upstream), (add, upstream)


def _as_mean(trace: Trace, edge: Edge) -> Made:
    """Yield what is added by the mean of what all samples, or copies, send back."""
    run, argument = trace.run, edge.argument
    consumer = run.graph.nodes[edge.consumer]
    shapes = [run.graph.nodes[operand].shape for operand in consumer.operands]
    op, many = consumer.op, 1
    if op is not None and op.kind == "elementwise":
        many = math.prod(consumer.shape) // max(math.prod(shapes[argument]), 1)
    elif op is not None and op.kind == "contract" and op.transposes:
        is_plain = all(len(shape) == 2 for shape in shapes)
        many = shapes[1 - argument][1 - argument] if is_plain else 1
    if many < 2:
        return

    def add(arrived: Array) -> Array:
        added = run.contribution(edge.consumer, argument, arrived)
        return np.asarray(added) / many

    upstream = np.asarray(trace.upstream(edge))
    yield add(upstream), (add, upstream)


def _summary(run: Run, mistake: Mistake, edge: Edge) -> str:
    """Return what is wrong at an edge: what is not summed need not be a batch."""
    if mistake.name != "batch":
        return mistake.summary
    consumer, operand = (run.graph.nodes[n] for n in (edge.consumer, edge.operand))
    if consumer.op is not None and consumer.op.kind == "contract":
        name = called(consumer, element_name(consumer, None, "grad"))
        line = ("column", "row")[edge.argument]
        return f"only the first {line} of {name} is taken, not the sum over all"
    return f"{called(operand)} is repeated to fit, and only its first copy counts"


def _earlier(trace: Trace, number: int, edge: Edge) -> Iterator[Edge]:
    """Yield the edges that the consumer of an edge has used before it."""
    for sent in trace.backward_events(edge.consumer, edge.consumer + 1):
        if sent < number:
            yield trace.edge(sent)


def _patched(
    trace: Trace, edge: Edge, at: Edge, patches: Patches
) -> tuple[Array, Linear | None] | None:
    """Return what an edge adds in a patched run, where no other event is wrong."""
    run = replace(trace.run, patches=patches, recent=Recent())
    upstream = np.asarray(trace.upstream(edge))
    if (edge.consumer, edge.argument) in patches.cuts:
        return np.zeros_like(run.value(edge.operand)), None
    try:
        if at != edge:  # its product was written into what arrives here
            written = np.asarray(run.product(at.consumer, at.argument, upstream))
            if written.shape != upstream.shape:
                return None
            upstream = written

        def add(arrived: Array) -> Array:
            return np.asarray(run.contribution(edge.consumer, edge.argument, arrived))

        return add(upstream), (add, upstream)
    except UNFIT:
        return None


# -------------------------------------------------------------------- the forward pass


def _of_value(run: Run, node: Node) -> Iterator[Slip]:
    op = node.op
    if op is None:
        return
    operands, right = [run.value(i) for i in node.operands], run.value(node.index)
    for name, make in _WRONG.items():
        for wrong, linear in make(op, operands, node, right):
            if wrong.shape == right.shape and wrong.dtype.kind in "fiub":
                yield Slip(name, _said(name), wrong, linear)
    if op.kind in ("elementwise", "block"):
        for number, operand in zip(node.operands, operands, strict=True):
            if operand.shape == right.shape:
                alone = f"only {called(run.graph.nodes[number])} is taken"
                what = f"{op.name} is left out" if len(operands) == 1 else alone
                yield Slip("left-out", what, operand)
    if op.kind == "elementwise" and op.vjps[0] is not None and right.dtype.kind == "f":
        ones = [np.ones_like(right), right, *operands]
        slope = np.asarray(call(op.vjps[0], ones, node.attributes))
        yield Slip("value", "the derivative is taken for the value", slope)
    if right.dtype.kind != "b":
        yield Slip("sign", _said("sign"), -right)


def _computed(op: Op, operands: Sequence[Array], attributes: Mapping[str, Any]) -> Made:
    """Yield what an operation makes of operands; nothing where they do not fit."""

    def make(first: Array) -> Array:
        return np.asarray(call(op.forward, [first, *operands[1:]], attributes))

    try:
        made = make(operands[0])
    except UNFIT:
        return
    is_linear = op.kind == "contract" and not op.variadic
    yield made, ((make, operands[0]) if is_linear else None)


def _swapped(op: Op, operands: Sequence[Array], node: Node, _right: Array) -> Made:
    if len(operands) == 2 and op.kind in ("elementwise", "contract"):
        yield from _computed(op, operands[::-1], node.attributes)


def _turned(op: Op, operands: Sequence[Array], node: Node, right: Array) -> Made:
    """Yield products with a factor transposed, sums along the other axis, and Yᵀ."""
    for place, operand in enumerate(operands):
        if op.kind == "contract" and operand.ndim > 1:
            other = list(operands)
            other[place] = np.swapaxes(operand, -1, -2)
            yield from _computed(op, other, node.attributes)
    axis = node.attributes.get("axis")
    if op.kind == "reduce" and isinstance(axis, int) and operands[0].ndim == 2:
        attributes = {**node.attributes, "axis": 1 - axis % 2}
        yield from _computed(op, operands, attributes)
    if right.ndim > 1:
        yield np.swapaxes(right, -1, -2), None


def _mean_or_sum(op: Op, operands: Sequence[Array], node: Node, right: Array) -> Made:
    if op.kind == "reduce" and op.reduction and right.size:
        count = operands[0].size // right.size
        yield (right * count if op.reduction == "mean" else right / count), None
    other = OTHER_REDUCTION.get(node.attributes.get("reduction", ""))
    if other is not None:
        attributes = {**node.attributes, "reduction": other}
        yield from _computed(op, operands, attributes)


# What makes a mistake of the catalogue in a value.
_WRONG: Final[Mapping[str, Wrong]] = MappingProxyType(
    {"swap": _swapped, "row": _turned, "mean": _mean_or_sum}
)


# ----------------------------------------------------------------------- an update


def _of_update(trace: Trace, event: Update) -> Iterator[Slip]:
    step = trace.update(event.node)
    change = step.rate * step.direction
    yield Slip("sign", "the step goes uphill", step.value + change)
    yield Slip("rate", "the learning rate is forgotten", step.value - step.direction)
    yield Slip("step", "the step is taken for the new number", -change)
    yield Slip("nothing", "the step is forgotten", step.value)
    if step.before:
        plain = step.value - step.rate * step.gradient
        yield Slip("plain", "the plain gradient takes the optimizer's place", plain)
