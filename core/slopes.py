"""The slopes of an elementwise operation, computed where they are looked at only.

An elementwise rule needs nothing but the elements at the same place, so a corner of a
matrix of millions costs no more than a small matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Node
from .ops.table import Array, Rule, Shape
from .run import Run


def slopes_at(run: Run, node: Node, rule: Rule, where: Any) -> Array:
    """Apply a rule of an elementwise node to ones, where they are asked for.

    The rule is a vjp or a jvp. `where` indexes the result; the slopes have the shape of
    what it selects.
    """
    op = node.op
    whole = np.asarray(run.values[node.index])
    # What is drawn at random belongs to the whole shape, not to a corner of it.
    drawn = op is not None and any(p.name == "seed" for p in op.parameters)
    before, after = ((), where) if drawn else (where, ())
    y = whole[before]
    operands = [
        np.broadcast_to(run.values[i], whole.shape)[before] for i in node.operands
    ]
    with np.errstate(all="ignore"):
        found = rule(np.ones_like(y), y, *operands, **node.attributes)
    return np.broadcast_to(np.asarray(found, dtype=whole.dtype), np.shape(y))[after]


class Slopes:
    """∂node/∂operand of an elementwise node, as an array that is made where it is read.

    It can be indexed like an array of the result's shape, and turned into one.
    """

    __slots__ = ("_node", "_rule", "_run", "dtype", "ndim", "shape", "size")

    def __init__(self, run: Run, node: Node, rule: Rule) -> None:
        whole = np.asarray(run.values[node.index])
        self._run, self._node, self._rule = run, node, rule
        self.shape: Shape = whole.shape
        self.dtype = whole.dtype
        self.ndim = whole.ndim
        self.size = whole.size

    def __getitem__(self, where: Any) -> Array:
        return slopes_at(self._run, self._node, self._rule, where)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self[()], dtype=dtype)
