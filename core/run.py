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

from .errors import InputError, Problem, RuleError
from .graph import Graph, Node
from .ops.table import Array, Op, Rule, Shape, Value


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
    in_place: frozenset[tuple[int, int]] = frozenset()  # writes into its upstream

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
    flows: (
        bytes  # 1 where a gradient could flow: floats that depend on a differentiable
    )
    writes: tuple[Write, ...]

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

    def product(self, consumer: int, argument: int, upstream: Value) -> Value:
        """Return upstream × local for one edge, before it is reduced."""
        node = self.graph.nodes[consumer]
        with np.errstate(all="ignore"):
            return _product(node, argument, upstream, self.values, self.patches)

    def contribution(self, consumer: int, argument: int, upstream: Value) -> Value:
        """Return what one edge adds to its operand's gradient."""
        product = self.product(consumer, argument, upstream)
        node = self.graph.nodes[consumer]
        with np.errstate(all="ignore"):
            return _settle(product, self.values[node.operands[argument]], node)

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
    scalar = graph.scalar and not patches and base is None
    with np.errstate(all="ignore"):
        values = _forward(graph, leaves, patches, base, scalar)
        seed = _seed(graph, values, seed)
        flows = _flows(graph, values)
        if scalar:
            gradients = _backward_scalars(graph, values, flows, seed)
            writes: list[Write] = []
        else:
            wanted = (
                None if base is None else _changed(graph, values, seed, patches, base)
            )
            gradients, writes = _backward(
                graph, values, flows, seed, patches, base, wanted
            )
    return Run(
        graph,
        leaves
        if isinstance(leaves, MappingProxyType)
        else MappingProxyType(dict(leaves)),
        seed,
        patches,
        values,
        gradients,
        bytes(flows),
        tuple(writes),
    )


# ---------------------------------------------------------------------- forward


def forward(graph: Graph, leaves: Mapping[int, Value]) -> Sequence[Value]:
    """Return the values of all nodes, without a backward pass."""
    with np.errstate(all="ignore"):
        return _forward(graph, leaves, NO_PATCHES, None, graph.scalar)


def _forward(
    graph: Graph,
    leaves: Mapping[int, Value],
    patches: Patches,
    base: Run | None,
    scalar: bool,
) -> list[Value]:
    values: list[Value] = []
    append = values.append
    kept = None if base is None else base.values
    for index, _, _, op, operands, attributes, shape, _ in graph.nodes:
        if op is None:
            append(_leaf(leaves[index], shape, scalar))
        elif (
            kept is not None
            and _same(operands, values, kept)
            and not _set(index, patches, base)
        ):
            append(kept[index])
            continue
        elif len(operands) == 2 and not attributes:
            one, two = operands
            append(op.forward(values[one], values[two]))
        else:
            append(op.forward(*[values[i] for i in operands], **attributes))
        if patches.values and index in patches.values:
            values[index] = _leaf(patches.values[index], shape, scalar=False)
        if shape:
            values[index] = _frozen(values[index])
    return values


def _same(
    operands: tuple[int, ...], new: Sequence[Value], old: Sequence[Value]
) -> bool:
    return all(new[i] is old[i] for i in operands)


def _set(index: int, patches: Patches, base: Run | None) -> bool:
    """Tell whether the value of a node is set, now or in the base."""
    return index in patches.values or (
        base is not None and index in base.patches.values
    )


def _leaf(value: Value, shape: Shape, scalar: bool) -> Value:
    """Return a leaf as the engine holds it: a read-only array, or a number.

    In a graph of scalars a float64 becomes Python's float: the same number, and the
    same arithmetic, several times faster.
    """
    if np.shape(value) != shape:
        raise InputError(
            Problem(
                f"a value of shape {np.shape(value)} stands where {shape} is needed"
            )
        )
    if isinstance(value, np.ndarray):
        if shape == ():
            value = value[()]
        elif value.flags.writeable:
            return _frozen(value.copy())
    if scalar and isinstance(value, np.float64):
        return float(value)
    return value


def _frozen(value: Value) -> Value:
    """Return a fresh array made read-only.

    A view of an array that something else can see is read-only already.
    """
    if isinstance(value, np.ndarray):
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
        return 1.0 if type(output) is float else np.ones_like(output)[()]
    if np.shape(seed) != shape:
        raise InputError(
            Problem(f"the seed has shape {np.shape(seed)}, the output {shape}")
        )
    return _frozen(np.array(seed, dtype=np.asarray(output).dtype)[()])


def _flows(graph: Graph, values: Sequence[Value]) -> bytearray:
    """Mark the nodes that a gradient can flow into.

    Inputs and parameters of a floating dtype, and every result that depends on one
    through an operand with a rule.
    """
    flows = bytearray(len(graph.nodes))
    for index, _, kind, op, operands, _, _, _ in graph.nodes:
        if op is None:
            if kind != "constant" and np.asarray(values[index]).dtype.kind == "f":
                flows[index] = 1
        elif op.variadic:
            flows[index] = op.vjps[0] is not None and any(flows[i] for i in operands)
        else:
            for operand, rule in zip(operands, op.vjps, strict=False):
                if flows[operand] and rule is not None:
                    flows[index] = 1
                    break
    return flows


# --------------------------------------------------------------------- backward


def _backward(
    graph: Graph,
    values: Sequence[Value],
    flows: bytearray,
    seed: Value,
    patches: Patches,
    base: Run | None,
    wanted: bytearray | None,
) -> tuple[list[Value | None], list[Write]]:
    nodes = graph.nodes
    gradients: list[Value | None] = [None] * len(nodes)
    writes: list[Write] = []
    gradients[graph.output] = seed
    if graph.output in patches.gradients:
        _write(graph.output, -1, graph.output, patches, values, gradients, writes)
    last_edge = _last_edges(graph, patches)
    for index in range(graph.output, -1, -1):
        upstream = gradients[index]
        if wanted is not None and base is not None and not wanted[index]:
            upstream = gradients[index] = base.gradients[index]
        node = nodes[index]
        op = node.op
        if upstream is None or op is None:
            continue
        for argument, operand in enumerate(node.operands):
            if not flows[operand] or (wanted is not None and not wanted[operand]):
                continue
            if op.vjp(argument) is None or (index, argument) in patches.cuts:
                continue
            product = _product(node, argument, upstream, values, patches)
            addend = _settle(product, values[operand], node)
            if patches.in_place and (index, argument) in patches.in_place:
                upstream = _spread(index, argument, addend, gradients, writes)
            before = gradients[operand]
            if before is None or (index, argument) in patches.overwrites:
                gradients[operand] = addend
                if before is not None:
                    writes.append(Write(index, argument, operand, before, addend))
            else:
                gradients[operand] = _frozen(before + addend)  # type: ignore[operator]
            if last_edge.get(operand) == (index, argument):
                _write(index, argument, operand, patches, values, gradients, writes)
    return gradients, writes


def _product(
    node: Node,
    argument: int,
    upstream: Value,
    values: Sequence[Value],
    patches: Patches,
) -> Value:
    op = node.op
    rule = patches.rules.get((node.index, argument)) if patches.rules else None
    if rule is None and op is not None:
        rule = op.vjp(argument)
    if rule is None:
        raise RuleError(f"no gradient flows to operand {argument} of {node.name}")
    operands = [values[i] for i in node.operands]
    return rule(upstream, values[node.index], *operands, **node.attributes)


def _settle(product: Value, operand: Value, node: Node) -> Value:
    """Return a product as a contribution: of its operand's shape and dtype, frozen."""
    shape = np.shape(operand)
    if np.shape(product) != shape:
        try:
            product = reduce_to(np.asarray(product), shape)
        except ValueError:
            raise RuleError(
                f"the rule of {_op_name(node.op)} at {node.name} returned shape "
                f"{np.shape(product)} for an operand of shape {shape}"
            ) from None
    dtype = np.asarray(operand).dtype
    if np.asarray(product).dtype != dtype:
        product = np.asarray(product).astype(dtype)[()]
    return _frozen(product) if shape else product


def _op_name(op: Op | None) -> str:
    return "" if op is None else op.name


def broadcast_axes(wide: Shape, narrow: Shape) -> tuple[int, ...]:
    """Return the axes of `wide` along which `narrow` was repeated to become it.

    >>> broadcast_axes((4, 8), (8,))
    (0,)
    """
    extra = len(wide) - len(narrow)
    if extra < 0:
        raise ValueError(f"{narrow} does not broadcast to {wide}")
    axes = list(range(extra))
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
    return array.sum(axis=axes, keepdims=True).reshape(shape)[()]


def _backward_scalars(
    graph: Graph, values: Sequence[Value], flows: bytearray, seed: Value
) -> list[Value | None]:
    """Do what `_backward` does, where nothing can broadcast, alias or be patched."""
    nodes = graph.nodes
    gradients: list[Any] = [None] * len(nodes)
    gradients[graph.output] = seed
    for index in range(graph.output, -1, -1):
        upstream = gradients[index]
        if upstream is None:
            continue
        _, _, _, op, operands, attributes, _, _ = nodes[index]
        if op is None:
            continue
        arrays = [values[i] for i in operands]
        for operand, rule in zip(operands, op.vjps, strict=False):
            if rule is None or not flows[operand]:
                continue
            addend = rule(upstream, values[index], *arrays, **attributes)
            before = gradients[operand]
            gradients[operand] = addend if before is None else before + addend
    return gradients


# ---------------------------------------------------------------------- patches


def _last_edges(graph: Graph, patches: Patches) -> dict[int, tuple[int, int]]:
    """Return the last edge, in backward order, of each node whose gradient is set."""
    return {
        index: graph.consumers[index][-1][:2]
        for index in patches.gradients
        if graph.consumers[index]
    }


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
    consumer: int,
    argument: int,
    addend: Value,
    gradients: list[Value | None],
    writes: list[Write],
) -> Value:
    """Write `addend` into the upstream array, as a rule that works in place does.

    A rule such as that of `+` hands its upstream array on as it is, so several
    gradients can be one array: all of them change.
    """
    shared = gradients[consumer]
    if shared is None:
        return addend
    for node, gradient in enumerate(gradients):
        if gradient is shared:
            gradients[node] = addend
            writes.append(Write(consumer, argument, node, shared, addend))
    return addend


def _changed(
    graph: Graph,
    values: Sequence[Value],
    seed: Value,
    patches: Patches,
    base: Run,
) -> bytearray:
    """Mark the nodes whose gradient may differ from the base's."""
    old = base.patches
    nodes = graph.nodes
    if patches.in_place or patches.overwrites or old.in_place or old.overwrites:
        return bytearray(b"\1" * len(nodes))
    wanted = bytearray(len(nodes))
    wanted[graph.output] = not np.array_equal(seed, base.seed, equal_nan=True)
    for index in {*patches.gradients, *old.gradients}:
        wanted[index] = 1
    edges = {*(patches.cuts ^ old.cuts), *patches.rules, *old.rules}
    for index in range(graph.output, -1, -1):
        operands = nodes[index].operands
        whole = (
            wanted[index]
            or values[index] is not base.values[index]
            or not _same(operands, values, base.values)
        )
        for argument, operand in enumerate(operands):
            if whole or (index, argument) in edges:
                wanted[operand] = 1
    return wanted
