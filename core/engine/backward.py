"""The backward pass, as it is meant: the specification that `fast` is held against.

```
gradients[output] = seed
gradients[v]      = Σ over edges (c, k) to v of  vjp_k(gradients[c])
```

Whoever wants to know what gradstep computes reads `backward`. The same pass without
the detours that a person needs, several times faster, is in `fast`; a property test
holds the two together, bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import RuleError
from ..ops.table.wide import total
from .patches import NO_PATCHES, Patches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..ops.table import Array, Attributes, Rule, Shape, Value
    from .graph import Graph, Node, Row


# What NumPy and the rules raise at numbers that an operation cannot take.
UNFIT: Final = (ArithmeticError, LookupError, TypeError, ValueError)


def backward(
    graph: Graph,
    values: Sequence[Value],
    flows: bytes,
    seed: Value,
    patches: Patches = NO_PATCHES,
) -> list[Value | None]:
    """Return the gradient of each node, None where none flows.

    `flows` marks the nodes that a gradient can flow into; `seed` is the gradient that
    enters at the output. The consumers of a node come after it in the graph, so that
    its gradient is complete when the loop, which runs backward, has come to it.
    """
    gradients: list[Any] = [None] * len(graph)
    gradients[graph.output] = seed
    for node in reversed(graph.nodes):
        _set(node, values, gradients, patches)
        for argument, operand in enumerate(node.operands):
            edge = (node.index, argument)
            upstream = gradients[node.index]
            rule = _rule(node, argument, patches)
            if upstream is None or rule is None or not flows[operand]:
                continue
            arrays = [upstream, *(values[i] for i in (node.index, *node.operands))]
            product = call(rule, arrays, node.attributes)
            contribution = settle(product, values[operand], node)
            if edge in patches.in_place:
                _write_in_place(product, upstream, node, gradients)
            if gradients[operand] is None or edge in patches.overwrites:
                gradients[operand] = contribution
            else:
                gradients[operand] = frozen(gradients[operand] + contribution)
    return gradients


def _rule(node: Node, argument: int, patches: Patches) -> Rule | None:
    """Return the rule of an edge; None where it is cut, or carries no gradient."""
    edge = (node.index, argument)
    if node.op is None or edge in patches.cuts:
        return None
    rule = node.op.vjp(argument)
    return patches.rules.get(edge, rule) if rule else None


def _set(
    node: Node, values: Sequence[Value], gradients: list[Any], patches: Patches
) -> None:
    """Give a node the gradient that a patch sets, if one has arrived at all."""
    if node.index in patches.gradients and gradients[node.index] is not None:
        array = np.full_like(values[node.index], patches.gradients[node.index])
        gradients[node.index] = frozen(array)


def _write_in_place(
    product: Value, upstream: Value, node: Node, gradients: list[Any]
) -> None:
    """Put a product of the same shape into every gradient that is the upstream array.

    A rule such as that of `+` hands its upstream array on as it is, so several
    gradients can be one array.
    """
    if np.shape(product) == np.shape(upstream):
        written = settle(product, upstream, node)
        for other, gradient in enumerate(gradients):
            if gradient is upstream:
                gradients[other] = written


# ------------------------------------------------------------------- one contribution


def call(rule: Rule, arrays: Sequence[Any], attributes: Attributes) -> Any:
    """Call a rule, or a forward function.

    To unpack an empty mapping takes longer than to add up a small array.
    """
    return rule(*arrays, **attributes) if attributes else rule(*arrays)


def frozen(value: Value) -> Value:
    """Return a fresh value as a run holds it: an array read-only, a scalar no array.

    A view of an array that something else can see is read-only already. A keyword would
    take longer than the rest.
    """
    if isinstance(value, np.ndarray):
        if not value.ndim:
            return value[()]
        value.setflags(False)  # pyright: ignore[reportCallIssue]  # NumPy takes it
    return value


def settle(product: Value, operand: Value, consumer: Row) -> Value:
    """Return a product as a contribution: of its operand's shape and dtype, frozen.

    It is summed over the axes along which the operand was repeated. Raises `RuleError`
    where its shape is another one.
    """
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
    return frozen(array)


def broadcast_axes(wide: Shape, narrow: Shape) -> tuple[int, ...]:
    """Return the axes of `wide` along which `narrow` was repeated to become it.

    Raises `ValueError` where it cannot have become it.

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
    extra = array.ndim - len(shape)
    if extra > 0 and array.shape[extra:] == shape:
        return total(array, tuple(range(extra)))
    axes = broadcast_axes(array.shape, shape)
    if len(axes) == array.ndim - len(shape):
        return total(array, axes)
    return total(array, axes, keepdims=True).reshape(shape)
