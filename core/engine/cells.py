"""Slopes and products of an operation: only the elements that are read are computed.

An elementwise rule needs nothing but the elements at the same place, so a corner of a
matrix of millions costs no more than a small matrix. Neither does a corner of the
slopes of a reduction, once it is known what those of a slice have in common.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..ops.table import Array, Op, Rule, Shape, Value
    from .graph import Edge, Node
    from .run import Run


class Cells:
    """An array whose elements are computed where they are read.

    It can be indexed like an array of its shape, and turned into one.
    """

    __slots__ = ("__weakref__", "_read", "dtype", "ndim", "shape", "size")

    def __init__(
        self, shape: Shape, dtype: np.dtype[Any], read: Callable[[Any], Array]
    ) -> None:
        self._read = read
        self.shape = shape
        self.dtype = dtype
        self.ndim = len(shape)
        self.size = math.prod(shape)

    def __getitem__(self, where: Any) -> Array:
        return self._read(where)[()]  # of an array without axes, its number

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self[()], dtype=dtype)


def slopes(run: Run, node: Node, op: Op, argument: int) -> Cells:
    """Return ∂node/∂operand of an elementwise node or of a reduction.

    The shape is that of the result, of a reduction that of its operand. Raises
    `ValueError` where no gradient flows to the operand.
    """
    whole = np.asarray(run.values[node.index])
    if op.kind == "reduce":
        shape = np.shape(run.values[node.operands[argument]])
        return Cells(shape, whole.dtype, lambda where: reduced_at(run, node, op, where))
    rule = op.vjp(argument)
    if rule is None:
        raise ValueError(f"no gradient flows to operand {argument} of {node.name}")
    return Cells(
        whole.shape, whole.dtype, lambda where: slopes_at(run, node, rule, where)
    )


def products(run: Run, edge: Edge, upstream: Value, dtype: np.dtype[Any]) -> Cells:
    """Return upstream × local of an elementwise node, before it is reduced.

    The shape is that of the result. Raises `ValueError` where no gradient flows to the
    operand.
    """
    node = run.graph.nodes[edge.consumer]
    rule = node.op.vjp(edge.argument) if node.op else None
    if rule is None:
        raise ValueError(f"no gradient flows to operand {edge.argument} of {node.name}")
    shape = np.shape(run.values[edge.consumer])
    sent = np.broadcast_to(np.asarray(upstream), shape)

    def read(where: Any) -> Array:
        return _applied(run, node, rule, sent, where).astype(dtype, copy=False)

    return Cells(shape, dtype, read)


def slopes_at(run: Run, node: Node, rule: Rule, where: Any) -> Array:
    """Return slopes of an elementwise node, for some elements, by its rule.

    The rule is a vjp or a jvp. `where` indexes the result; the slopes have the shape of
    what it selects.
    """
    whole = np.asarray(run.values[node.index])
    ones = np.ones((), whole.dtype)
    if whole.ndim:
        ones = np.broadcast_to(ones, whole.shape)
    return _applied(run, node, rule, ones, where)


def _applied(run: Run, node: Node, rule: Rule, sent: Array, where: Any) -> Array:
    """Apply a rule of an elementwise node to some elements."""
    whole = np.asarray(run.values[node.index])
    # What is drawn at random belongs to the whole shape, not to a corner of it.
    drawn = node.op is not None and any(p.name == "seed" for p in node.op.parameters)
    before, after = ((), where) if drawn else (where, ())

    def part(value: Value) -> Value:
        # A plain number stays one: it takes the dtype of what it meets.
        if (isinstance(before, tuple) and not before) or not np.ndim(value):
            return value
        # In order, so that NumPy goes over a part as it goes over the whole.
        spread = np.broadcast_to(np.asarray(value), whole.shape)
        return np.asarray(spread[before], order="C")

    y = part(whole)
    operands = [part(run.values[i]) for i in node.operands]
    with np.errstate(all="ignore"):
        found = rule(part(sent), y, *operands, **node.attributes)
    if not whole.ndim:
        return np.asarray(found, dtype=whole.dtype)
    return np.broadcast_to(np.asarray(found, dtype=whole.dtype), np.shape(y))[after]


def reduced_at(run: Run, node: Node, op: Op, where: Any) -> Array:
    """Return slopes of a reduction, for some elements.

    `where` indexes the operand; the slopes have the shape of what it selects. Raises
    `ValueError` for an operation that is no reduction.
    """
    slope, shared, attributes = op.slope, op.shared, dict(node.attributes)
    if slope is None:
        raise ValueError(f"{op.name} is not a reduction")
    x, y = run.value(node.operands[0]), run.value(node.index)
    kept = y.reshape(op.shape(x.shape, **(attributes | {"keepdims": True})))
    parts = [kept, x]
    with np.errstate(all="ignore"):
        if shared is not None:
            key = ("shared", node.index)
            found = run.recent.of(key, lambda: shared(kept, x, **attributes))
            parts.append(found)
        count = x.size // max(y.size, 1)
        at = [np.broadcast_to(part, x.shape)[where] for part in parts]
        return np.asarray(slope(*at, count=count, **attributes), dtype=y.dtype)
