"""How far two right results may be apart: rounding, by dtype and the size of terms.

A sum of n products is right to the order of √n times the precision of its dtype times
Σ |products|, in whatever order it is added up. What is rounded once is right to the
precision of the result.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..ops.table import Array, Attributes, Op, Value

_BASE: Final = 16.0  # units in the last place that functions and orders differ by
_FEW: Final = 16.0  # terms: fewer may cancel by chance
_HALF: Final = 2.0**-11  # a precision that is less than that of float32
# The bits of a float32 that a number of 16 bits does not have, and the precision of it:
# of bfloat16, and of float16. Its small numbers have fewer bits, and no other ones.
_SHORT: Final = ((np.uint32(0xFFFF), 2.0**-8), (np.uint32(0x1FFF), 2.0**-10))


def precision(*values: Value, widened: bool = False) -> float:
    """Return the precision of the least precise dtype, 0 where none is a float.

    With `widened`, numbers of float32 that all are numbers of bfloat16, or of float16,
    have been rounded to these.

    >>> precision(np.float64(0.1)), precision(np.float32(0.5), widened=True) == 2.0**-8
    (2.220446049250313e-16, True)
    """
    found = [0.0]
    for value in values:
        array = np.asarray(value)
        if array.dtype.kind == "f":
            short = _of_sixteen_bits(array) if widened else 0.0
            found.append(short or _EPS[array.dtype.itemsize])
    return max(found)


_EPS: Final = {
    np.dtype(name).itemsize: float(np.finfo(name).eps)
    for name in ("float16", "float32", "float64")
}


def _of_sixteen_bits(array: Array) -> float:
    """Return the precision of the 16 bits that numbers were rounded to; 0 for more."""
    if array.dtype != np.float32 or not array.size:
        return 0.0
    first = np.ascontiguousarray(array.reshape(-1)[:64]).view(np.uint32)
    for low, precision in _SHORT:
        if np.any(first & low):  # as a rule, one look is enough
            continue
        if not np.any(np.ascontiguousarray(array).view(np.uint32) & low):
            return precision
    return 0.0


def unit(precision: float, terms: float) -> float:
    """Return what part of Σ |terms| a sum of so many may differ by.

    Numbers of 16 bits are added up in float32, and rounded once.
    """
    return precision * (_BASE + (math.sqrt(terms) / 2 if precision < _HALF else 0.0))


def terms_of(
    op: Op, y: Value, operands: Sequence[Value], attributes: Attributes
) -> float:
    """Return how many terms make one element of a result, about."""
    size = max(1, np.size(y))
    if op.cost is not None:
        work = op.cost(*map(np.shape, operands), **attributes).effort
        return max(1.0, work / size)
    if op.kind in ("reduce", "block", "contract"):
        return max(1.0, max(map(np.size, operands), default=1) / size)
    return 1.0


def size_of_terms(
    op: Op, y: Value, operands: Sequence[Value], attributes: Attributes
) -> Array:
    """Return Σ |terms| of each element of a result; it broadcasts to its shape.

    An elementwise function is as sensitive as |slope · operand|; of everything else the
    same operation on the sizes of the operands tells.
    """
    size = np.abs(np.asarray(y, dtype=np.float64))
    if op.once or op.kind in ("move", "gather"):
        return size
    if op.portion:
        size = size + np.abs(np.asarray(operands[0], np.float64))
    if op.kind != "elementwise":
        sizes = [_size(one) for one in operands]
        return size + np.abs(np.asarray(op.forward(*sizes, **attributes), np.float64))
    for argument, operand in enumerate(operands):
        rule = op.jvp(argument)
        if rule is not None:
            tangent = np.asarray(np.abs(operand), dtype=np.float64)
            change = np.abs(rule(tangent, y, *operands, **attributes))
            size = size + np.where(np.isnan(change), 0.0, change)  # no slope there
    return size


def carried(
    op: Op,
    y: Value,
    operands: Sequence[Value],
    attributes: Attributes,
    moved: Sequence[Array | None],
) -> Array | float:
    """Return how far a result is moved where its operands are moved so far each."""
    total: Array | float = 0.0
    is_plain = op.kind == "elementwise"
    sizes = operands if is_plain else [_size(one) for one in operands]
    for argument, distance in enumerate(moved):
        rule = None if distance is None else op.jvp(argument)
        if rule is not None and distance is not None:
            total = total + np.abs(rule(distance, y, *sizes, **attributes))
            if op.kind == "block":  # what it takes away from others is not seen so
                total = total + np.max(distance, initial=0.0)
    return np.where(np.isfinite(total), total, 0.0)


def _size(value: Value) -> Value:
    return np.abs(value) if np.asarray(value).dtype.kind == "f" else value


def is_near(
    one: Array, other: Array, terms: float = 1.0, portion_of: Value | None = None
) -> bool:
    """Tell whether two results differ by rounding, at a first look.

    It is enough for most; where it fails, Σ |terms| has to be found. Of a sum of n
    terms with both signs that is about √n times what comes of them on the average, and
    an eighth of it is allowed to each element. What is a portion of something else, as
    `gelu(x)` is of x, may be as far off as that.
    """
    if np.array_equal(one, other):  # as of most that is only moved or added
        return True
    if one.dtype.kind != "f" or other.dtype.kind != "f":
        return False
    dtype = one.dtype if one.dtype.itemsize < other.dtype.itemsize else other.dtype
    off, size = np.asarray(one - other), np.asarray(np.abs(other))
    np.abs(off, out=off)  # a new array takes as long as all that is done with it
    if portion_of is not None:
        size = size + np.abs(portion_of)
    if terms >= _FEW and size.size and dtype.itemsize > 2:  # halves are rounded once
        usual = float(np.mean(size, dtype=np.float64)) * math.sqrt(terms) / 8
        np.maximum(size, size.dtype.type(usual), out=size)
    np.multiply(size, unit(_EPS[dtype.itemsize], terms), out=size)
    return bool((off <= size).all())


def apart(one: Value, other: Value, tolerance: Value) -> Array:
    """Mark where two results are further apart; nan is nan, and inf is inf."""
    a, b = (np.asarray(value, np.float64) for value in (one, other))
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(a - b)
    far = np.asarray(~((distance <= tolerance) & (distance < np.inf)))
    if far.any():  # as it seldom is
        far &= (a != b) & ~(np.isnan(a) & np.isnan(b))
    return far
