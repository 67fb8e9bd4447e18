"""A run: a graph evaluated forward and backward, with everything kept.

```
forward    values[i]    = op(values of the operands)
backward   gradients[v] = Σ over edges (c, k) to v of  vjp_k(gradients[c])
```

A contribution is not kept. It is computed again when somebody asks, by the same rule
call from the same arrays, so that it is the same to the last bit and memory stays near
values + gradients. Arrays in a run are read-only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from ..base.cache import Recent
from ..base.errors import InputError, Problem, RuleError
from ..ops.table import NO_ATTRIBUTES, Array, Attributes, Op, Rule, Shape, Value
from .graph import Graph, Row


class Write(NamedTuple):
    """A gradient that a patch wrote over, at the end of event (consumer, argument).

    The seed's event is (output, −1).
    """

    consumer: int
    argument: int
    node: int
    before: Value
    value: Value


@dataclass(frozen=True, slots=True)
class Patches:
    """Deliberate changes of a run. An edge is (consumer, argument number)."""

    values: Mapping[int, Value] = field(default_factory=dict[int, Value])
    gradients: Mapping[int, Value] = field(default_factory=dict[int, Value])
    cuts: frozenset[tuple[int, int]] = frozenset()
    rules: Mapping[tuple[int, int], Rule] = field(
        default_factory=dict[tuple[int, int], Rule]
    )
    overwrites: frozenset[tuple[int, int]] = frozenset()  # `=` where `+=` is right
    # The product is written into the upstream array, where that has its shape.
    in_place: frozenset[tuple[int, int]] = frozenset()

    def __bool__(self) -> bool:
        return bool(
            self.values
            or self.gradients
            or self.cuts
            or self.rules
            or self.overwrites
            or self.in_place
        )


NO_PATCHES: Final = Patches()


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A graph with one set of values and patches, evaluated."""

    graph: Graph
    leaves: Mapping[int, Value]
    seed: Value
    patches: Patches
    values: Sequence[Value]
    gradients: Sequence[Value | None]  # None where no gradient flows
    flows: bytes  # 1 where a gradient can flow: a float that depends on an unknown
    writes: tuple[Write, ...]
    recent: Recent = field(default_factory=Recent)  # looked at lately; nothing changes

    def value(self, node: int) -> Array:
        """Return the value of a node as an array."""
        return np.asarray(self.values[node])

    def gradient(self, node: int) -> Array | None:
        """Return ∂output/∂node as an array of the node's shape, or None."""
        gradient = self.gradients[node]
        return None if gradient is None else np.asarray(gradient)

    def carries(self, consumer: int, argument: int) -> bool:
        """Tell whether an edge carries a contribution."""
        node = self.graph.nodes[consumer]
        return (
            self.gradients[consumer] is not None
            and node.op is not None
            and bool(self.flows[node.operands[argument]])
            and node.op.vjp(argument) is not None
            and (consumer, argument) not in self.patches.cuts
        )

    def upstream(self, consumer: int, argument: int) -> Value | None:
        """Return the gradient that the rule of an edge is given.

        A consumer's gradient is complete by then: only a later write can have changed
        it since.
        """
        for write in self.writes:
            later = (-write.consumer, write.argument) >= (-consumer, argument)
            if write.node == consumer and later:
                return write.before
        return self.gradients[consumer]

    def product(self, consumer: int, argument: int, upstream: Value) -> Value:
        """Return upstream × local for one edge, before it is reduced."""
        node = self.graph.nodes[consumer]
        rule = self.patches.rules.get((consumer, argument))
        if rule is None and node.op is not None:
            rule = node.op.vjp(argument)
        if rule is None:
            raise RuleError(f"no gradient flows to operand {argument} of {node.name}")
        values = self.values
        operands = [values[i] for i in node.operands]
        with np.errstate(all="ignore"):
            return call(rule, [upstream, values[consumer], *operands], node.attributes)

    def contribution(self, consumer: int, argument: int, upstream: Value) -> Value:
        """Return what one edge adds to its operand's gradient."""
        product = self.product(consumer, argument, upstream)
        row = self.graph.nodes.rows[consumer]
        with np.errstate(all="ignore"):
            return _settle(product, self.values[row[4][argument]], row)

    def patched(self, patches: Patches) -> Run:
        """Return the run with other patches; only what depends on them is new."""
        return evaluate(self.graph, self.leaves, self.seed, patches, self)


def evaluate(
    graph: Graph,
    leaves: Mapping[int, Value],
    seed: Value | None = None,
    patches: Patches = NO_PATCHES,
    base: Run | None = None,
) -> Run:
    """Run `graph` forward from `leaves`, and backward from `seed`.

    `seed` is the gradient that enters at the output, of the output's shape; a scalar
    output needs none. What does not differ from `base` is taken from it.
    """
    if not isinstance(leaves, MappingProxyType):
        leaves = MappingProxyType(dict(leaves))
    plain = None if patches or base is not None else _plain(graph, leaves)
    writes: list[Write] = []
    with np.errstate(all="ignore"):
        if plain is None:
            values = _forward(graph, leaves, patches, base)
        else:
            values = _forward_plain(graph, plain)
        seed = _seed(graph, values, seed)
        flows = _flows(graph, values, plain or leaves)
        if plain is None:
            gradients = _backward(graph, values, flows, seed, patches, base, writes)
        else:
            gradients = _backward_plain(graph, values, flows, seed)
    return Run(graph, leaves, seed, patches, values, gradients, flows, tuple(writes))


# ---------------------------------------------------------------------- forward


def forward(graph: Graph, leaves: Mapping[int, Value]) -> Sequence[Value]:
    """Return the values of all nodes, without a backward pass."""
    plain = _plain(graph, leaves)
    with np.errstate(all="ignore"):
        if plain is not None:
            return _forward_plain(graph, plain)
        return _forward(graph, leaves, NO_PATCHES, None)


def _forward(
    graph: Graph, leaves: Mapping[int, Value], patches: Patches, base: Run | None
) -> list[Value]:
    values: list[Value] = []
    append = values.append
    try:
        for index, _, _, op, operands, attributes, shape, _ in graph.nodes.rows:
            if patches.values and index in patches.values:
                append(_leaf(patches.values[index], shape))
            elif base is not None and _kept(index, op, operands, leaves, values, base):
                append(base.values[index])
            elif op is None:
                append(_leaf(leaves[index], shape))
            else:
                arrays = [values[i] for i in operands]
                append(_frozen(call(op.forward, arrays, attributes)))
    except _UNFIT as error:
        _check_shapes(graph, values)
        raise _misfit(graph, values, error) from error
    if not {op.kind for op in graph.ops}.isdisjoint(_BY_VALUES):
        _check_shapes(graph, values)
    return values


# What NumPy and the rules raise at numbers that an operation cannot take.
_UNFIT: Final = (ArithmeticError, LookupError, TypeError, ValueError)
# Kinds of operations whose result can have another shape for other values.
_BY_VALUES: Final = frozenset({"gather"})


def _misfit(graph: Graph, values: Sequence[Value], error: Exception) -> InputError:
    """Return the mistake of the node that comes next, whose operation has failed."""
    node = graph.nodes[len(values)]
    kinds = [np.asarray(values[operand]).dtype.kind for operand in node.operands]
    words, hint = " ".join(str(error).split()).rstrip("."), ""
    if isinstance(error, TypeError) and "b" in kinds:
        words = "True and False are not numbers"
        hint = "multiply them by 1.0 first: (x > 0) * 1.0"
    elif isinstance(error, TypeError):
        dtypes = " and ".join(str(np.asarray(values[k]).dtype) for k in node.operands)
        words = f"it does not take {dtypes}"
        hint = "whole numbers keep their kind under [constants]"
    return InputError(graph.misfit(node, words, hint))


def _check_shapes(graph: Graph, values: Sequence[Value]) -> None:
    """Raise `InputError` where a mask chooses more or fewer elements than before."""
    for row, value in zip(graph.nodes.rows, values, strict=False):
        if np.shape(value) != row[6]:
            node = graph.nodes[row[0]]
            words = f"the result has shape {np.shape(value)} now, and {row[6]} before"
            hint = "where(mask, x, 0) keeps its shape, whatever the mask is"
            raise InputError(graph.misfit(node, words, hint))


def call(rule: Rule, arrays: Sequence[Any], attributes: Attributes) -> Any:
    """Call a rule, or a forward function.

    To unpack an empty mapping takes longer than to add up a small array.
    """
    return rule(*arrays, **attributes) if attributes else rule(*arrays)


def _kept(
    index: int,
    op: Op | None,
    operands: tuple[int, ...],
    leaves: Mapping[int, Value],
    values: Sequence[Value],
    base: Run,
) -> bool:
    """Tell whether a node that no patch sets has the value that it has in the base."""
    if index in base.patches.values:
        return False
    if op is None:
        return leaves[index] is base.leaves[index]
    return _same(operands, values, base.values)


def _same(
    operands: tuple[int, ...], new: Sequence[Value], old: Sequence[Value]
) -> bool:
    return all(new[i] is old[i] for i in operands)


def _leaf(value: Value, shape: Shape) -> Value:
    """Return a leaf as a run holds it: a read-only array, or a number."""
    if isinstance(value, np.ndarray) and value.shape == shape != ():
        if not value.flags.writeable:
            return value
        return _frozen(value.copy())
    if np.shape(value) != shape:
        raise InputError(
            Problem(
                f"a value of shape {np.shape(value)} stands where {shape} is needed"
            )
        )
    return _frozen(value)


def _frozen(value: Value) -> Value:
    """Return a fresh value as a run holds it: an array read-only, a scalar no array.

    A view of an array that something else can see is read-only already.
    """
    if isinstance(value, np.ndarray):
        if not value.ndim:
            return value[()]
        value.setflags(write=False)
    return value


def _seed(graph: Graph, values: Sequence[Value], seed: Value | None) -> Value:
    output = values[graph.output]
    shape = np.shape(output)
    if seed is None:
        if shape:
            raise InputError(
                Problem(
                    f"the output {graph.nodes[graph.output].name} has shape {shape}",
                    "give the gradient that enters there, or choose a scalar output",
                )
            )
        return 1.0 if type(output) is float else np.asarray(output).dtype.type(1)
    if np.shape(seed) != shape:
        raise InputError(
            Problem(f"the seed has shape {np.shape(seed)}, the output {shape}")
        )
    return _frozen(np.array(seed, dtype=np.asarray(output).dtype)[()])


def _flows(graph: Graph, values: Sequence[Value], leaves: Mapping[int, Any]) -> bytes:
    """Mark the nodes that a gradient can flow into: whole numbers take none."""
    flows = graph.flows
    if set(map(type, leaves.values())) == {float}:
        return flows
    stopped = [
        index
        for index in leaves
        if flows[index] and np.asarray(values[index]).dtype.kind != "f"
    ]
    return graph.flows_without(stopped) if stopped else flows


# --------------------------------------------------------------------- backward


def _backward(
    graph: Graph,
    values: Sequence[Value],
    flows: bytes,
    seed: Value,
    patches: Patches,
    base: Run | None,
    writes: list[Write],
) -> list[Value | None]:
    gradients: list[Any] = [None] * len(values)
    gradients[graph.output] = seed
    wanted = None
    if base is not None:
        wanted = _changed(graph, values, seed, patches, base)
    if graph.output in patches.gradients:
        _write(graph.output, -1, graph.output, patches, values, gradients, writes)
    patched = bool(patches)
    last_edge = _last_edges(graph, flows, patches)
    rows = graph.nodes.rows
    for index in range(graph.output, -1, -1):
        if wanted is not None and base is not None and not wanted[index]:
            gradients[index] = base.gradients[index]
        upstream, row = gradients[index], rows[index]
        op, operands, attributes = row[3], row[4], row[5]
        if upstream is None or op is None:
            continue
        arrays = [values[i] for i in (index, *operands)]  # the result comes first
        for argument, operand in enumerate(operands):
            if not flows[operand] or (wanted is not None and not wanted[operand]):
                continue
            rule = op.vjp(argument) if op.variadic else op.vjps[argument]
            edge = (index, argument)
            if rule is None or (patched and edge in patches.cuts):
                continue
            if patched:
                rule = patches.rules.get(edge, rule)
            product = call(rule, [upstream, *arrays], attributes)
            if patched and edge in patches.in_place:
                upstream = _spread(edge, product, upstream, row, gradients, writes)
            addend = _settle(product, arrays[argument + 1], row)
            before = gradients[operand]
            if before is None:
                gradients[operand] = addend
            elif patched and edge in patches.overwrites:
                gradients[operand] = addend
                writes.append(Write(index, argument, operand, before, addend))
            else:
                gradients[operand] = _frozen(before + addend)
            if patched and edge == last_edge.get(operand):
                _write(index, argument, operand, patches, values, gradients, writes)
    return gradients


def _settle(product: Value, operand: Value, consumer: Row) -> Value:
    """Return a product as a contribution: of its operand's shape and dtype, frozen."""
    array, like = np.asarray(product), np.asarray(operand)
    if array.shape != like.shape:
        try:
            array = np.asarray(reduce_to(array, like.shape))
        except ValueError:
            name = consumer[3].name if consumer[3] else ""
            raise RuleError(
                f"the rule of {name} at {consumer[1]} returned shape {array.shape} "
                f"for an operand of shape {like.shape}"
            ) from None
    if array.dtype != like.dtype:
        array = array.astype(like.dtype)
    if not array.ndim:
        return array[()]
    array.setflags(write=False)
    return array


def broadcast_axes(wide: Shape, narrow: Shape) -> tuple[int, ...]:
    """Return the axes of `wide` along which `narrow` was repeated to become it.

    >>> broadcast_axes((4, 8), (8,))
    (0,)
    """
    extra = len(wide) - len(narrow)
    if extra < 0:
        raise ValueError(f"{narrow} does not broadcast to {wide}")
    axes = list(range(extra))
    if wide[extra:] == narrow:
        return tuple(axes)
    for axis, (size, original) in enumerate(zip(wide[extra:], narrow, strict=True)):
        if original == 1 and size != 1:
            axes.append(axis + extra)
        elif original != size:
            raise ValueError(f"{narrow} does not broadcast to {wide}")
    return tuple(axes)


def reduce_to(array: Array, shape: Shape) -> Array:
    """Sum `array` over the axes along which an operand of `shape` was repeated.

    A repeated operand is used once per copy, and the contributions of uses add.

    >>> reduce_to(np.ones((4, 2)), (2,))
    array([4., 4.])
    """
    axes = broadcast_axes(array.shape, shape)
    if len(axes) == array.ndim - len(shape):
        return np.add.reduce(array, axis=axes)
    return np.add.reduce(array, axis=axes, keepdims=True).reshape(shape)


# ----------------------------------------------------------------- plain numbers
#
# In a graph of scalars nothing can broadcast or be seen twice, and where every leaf is
# a float64, Python's own floats are the same numbers with the same arithmetic, several
# times faster.


def _plain(graph: Graph, leaves: Mapping[int, Value]) -> Mapping[int, Any] | None:
    """Return the leaves as plain numbers, or None where the graph is not of scalars."""
    if not graph.scalar:
        return None
    if set(map(type, leaves.values())) == {float}:
        return leaves
    plain: dict[int, Any] = {}
    for index, value in leaves.items():
        number = value if isinstance(value, float) else _leaf(value, ())
        if isinstance(number, float):
            number = float(number)  # a NumPy float64 is a float, too
        elif isinstance(number, np.floating):
            return None
        plain[index] = number
    return plain


def _forward_plain(graph: Graph, leaves: Mapping[int, Any]) -> list[Any]:
    values: list[Any] = []
    append = values.append
    try:
        for index, _, _, op, operands, attributes, _, _ in graph.nodes.rows:
            if op is None:
                append(leaves[index])
            elif len(operands) == 2 and attributes is NO_ATTRIBUTES:
                one, two = operands
                append(op.forward(values[one], values[two]))
            else:
                arrays = [values[i] for i in operands]
                append(_frozen(call(op.forward, arrays, attributes)))
    except _UNFIT as error:
        raise _misfit(graph, values, error) from error
    return values


def _backward_plain(
    graph: Graph, values: Sequence[Any], flows: bytes, seed: Value
) -> list[Any]:
    """Do what `_backward` does. Two operands, the usual number, are written out."""
    rows = graph.nodes.rows
    gradients: list[Any] = [None] * len(rows)
    gradients[graph.output] = seed
    everywhere = 0 not in flows
    # What is added to a gradient is there when the loop comes to it.
    backwards = map(reversed, (rows, values, gradients))
    for row, value, upstream in zip(*backwards, strict=True):
        op, operands, attributes = row[3], row[4], row[5]
        if upstream is None or op is None:
            continue
        if len(operands) == 2 and attributes is NO_ATTRIBUTES:
            one, two = operands
            by_one, by_two = op.vjps
            left, right = values[one], values[two]
            if by_one is not None and (everywhere or flows[one]):
                addend = by_one(upstream, value, left, right)
                before = gradients[one]
                gradients[one] = addend if before is None else before + addend
            if by_two is not None and (everywhere or flows[two]):
                addend = by_two(upstream, value, left, right)
                before = gradients[two]
                gradients[two] = addend if before is None else before + addend
            continue
        arrays = [upstream, value, *(values[i] for i in operands)]
        for operand, rule in zip(operands, op.vjps, strict=False):
            if rule is not None and flows[operand]:
                addend = call(rule, arrays, attributes)
                before = gradients[operand]
                gradients[operand] = addend if before is None else before + addend
    if np.ndarray in set(map(type, gradients)):  # what some rules return for a scalar
        return [g[()] if isinstance(g, np.ndarray) else g for g in gradients]
    return gradients


# ---------------------------------------------------------------------- patches


def _last_edges(
    graph: Graph, flows: bytes, patches: Patches
) -> dict[int, tuple[int, int]]:
    """Return the last edge that carries a contribution to each node that is set."""
    last: dict[int, tuple[int, int]] = {}
    if not patches.gradients:
        return last
    reached = bytearray(len(flows))
    reached[graph.output] = 1
    for index in range(graph.output, -1, -1):
        _, _, _, op, operands, _, _, _ = graph.nodes.rows[index]
        if not reached[index] or op is None:
            continue
        for argument, operand in enumerate(operands):
            edge = (index, argument)
            if flows[operand] and op.vjp(argument) and edge not in patches.cuts:
                reached[operand] = 1
                if operand in patches.gradients:
                    last[operand] = edge
    return last


def _write(
    consumer: int,
    argument: int,
    node: int,
    patches: Patches,
    values: Sequence[Value],
    gradients: list[Value | None],
    writes: list[Write],
) -> None:
    before = gradients[node]
    like = np.asarray(values[node])
    value = _frozen(np.full_like(like, patches.gradients[node])[()])
    gradients[node] = value
    if before is not None:
        writes.append(Write(consumer, argument, node, before, value))


def _spread(
    edge: tuple[int, int],
    product: Value,
    upstream: Value,
    consumer: Row,
    gradients: list[Value | None],
    writes: list[Write],
) -> Value:
    """Write a product into the upstream array, as a rule that works in place does.

    A rule such as that of `+` hands its upstream array on as it is, so several
    gradients can be one array: all of them change.
    """
    if np.shape(product) != np.shape(upstream):
        return upstream
    product = _settle(product, upstream, consumer)
    for node, gradient in enumerate(gradients):
        if gradient is upstream:
            gradients[node] = product
            writes.append(Write(*edge, node, upstream, product))
    return product


def _changed(
    graph: Graph,
    values: Sequence[Value],
    seed: Value,
    patches: Patches,
    base: Run,
) -> bytearray:
    """Mark the nodes whose gradient may differ from the base's."""
    old = base.patches
    rows = graph.nodes.rows
    if patches.in_place or patches.overwrites or old.in_place or old.overwrites:
        return bytearray(b"\1" * len(rows))
    wanted = bytearray(len(rows))
    wanted[graph.output] = not np.array_equal(seed, base.seed, equal_nan=True)
    for index in {*patches.gradients, *old.gradients}:
        wanted[index] = 1
    edges = {*(patches.cuts ^ old.cuts), *patches.rules, *old.rules}
    for index in range(graph.output, -1, -1):
        operands = rows[index][4]
        whole = (
            wanted[index]
            or values[index] is not base.values[index]
            or not _same(operands, values, base.values)
        )
        for argument, operand in enumerate(operands):
            if whole or (index, argument) in edges:
                wanted[operand] = 1
    return wanted
