"""The places of elements that an operation only moves, found by addresses of views.

A view of an array has a shape and steps of its own, but the numbers stay where they
are. So an address says which element of the one is which element of the other, and no
number has to be looked at, however many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ..ops.table import Array
    from .element import Index
    from .graph import Node
    from .run import Run

Box = tuple[range, ...]


class Views(NamedTuple):
    """Two arrays of one memory: elements at one address are copies of each other.

    They have the shapes of an operand and of the result. Nobody looks at the numbers.
    """

    operand: Array  # booleans, in the operand's shape
    result: Array  # booleans of the same memory

    def into(self, index: Index) -> Box | None:
        """Return the places of an operand's element in the result; None without one."""
        return _box(self.result, _address(self.operand, index))

    def source(self, index: Index) -> Box | None:
        """Return which element of the operand stands at `index` of the result."""
        return _box(self.operand, _address(self.result, index))


def views(run: Run, node: Node, argument: int) -> Views | None:
    """Return an operand and the result as views; None where elements are copied."""
    op = node.op
    if op is None or not op.view:
        return None
    operands = [run.values[i] for i in node.operands]
    if op.view == "forward":
        if argument:
            return None  # an index, and none of its elements moves
        operand: Array = np.zeros(np.shape(operands[0]), np.bool_)
        result = np.asarray(op.forward(operand, *operands[1:], **node.attributes))
    else:
        rule = op.vjp(argument)
        if rule is None:
            return None
        y = run.values[node.index]
        result = np.zeros(np.shape(y), np.bool_)
        operand = rule(result, y, *operands, **node.attributes)
    shares = np.may_share_memory(operand, result)
    return Views(operand, result) if shares else None


def _address(array: Array, index: Index) -> int:
    steps = zip(index, array.strides, strict=True)
    return array.__array_interface__["data"][0] + sum(i * step for i, step in steps)


def _box(array: Array, address: int) -> Box | None:
    """Return the elements at an address: one, or all along axes that repeat it.

    The steps of an array that was cut, turned and repeated nest: those that are shorter
    than one of them do not reach as far, not even all together.
    """
    rest = address - np.lib.array_utils.byte_bounds(array)[0]
    box = [range(1)] * array.ndim
    for axis in sorted(range(array.ndim), key=lambda k: -abs(array.strides[k])):
        size, step = array.shape[axis], array.strides[axis]
        if not step:
            box[axis] = range(size)
        elif size > 1:
            place, rest = divmod(rest, abs(step))
            if not 0 <= place < size:
                return None
            place = place if step > 0 else size - 1 - place
            box[axis] = range(place, place + 1)
    return None if rest else tuple(box)
