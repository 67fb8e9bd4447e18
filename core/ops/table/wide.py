"""Nothing between the numbers of a rule and its result leaves the range of numbers.

-g · y / b fits where g · y does not; a mean fits where the sum does not. So rules whose
steps can leave the range compute in wider numbers, and their result is rounded:

    half      float16 in float32, all rules, as PyTorch does
    careful   in the next wider numbers where the processor says that one left the range
    wide      the same, but float32 always in float64: exp does not tell when it is near
              the end of the range and gets inexact
    summed    float32 sums of products in float64, where they come out infinite

The next wider ones are float32, float64 and longdouble, which is no wider than float64
on some machines: there the ends of float64 are what they are.
"""

from __future__ import annotations

import math
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from . import Array, Rule

HALF: Final = np.dtype(np.float16)
SINGLE: Final = np.dtype(np.float32)
DOUBLE: Final = np.dtype(np.float64)
_LONG: Final = np.dtype(np.longdouble)
# What may stand beside float16 where NumPy computes in float16: masks and indices.
_BESIDE_HALF: Final = frozenset({HALF, np.dtype(np.bool_), np.dtype(np.int64)})
_WIDER: Final = MappingProxyType({HALF: SINGLE, SINGLE: DOUBLE, DOUBLE: _LONG})

_watched: Final = np.errstate(over="raise", under="raise")


def _dtypes(arrays: Iterable[Any]) -> set[np.dtype[Any]]:
    """Return the dtypes; plain numbers have none, they take that of the others."""
    return {array.dtype for array in arrays if hasattr(array, "dtype")}


def _lifted(arrays: Sequence[Any], dtype: np.dtype[Any]) -> list[Any]:
    """Return narrower floats as `dtype`, and all else as it is."""
    return [
        array.astype(dtype)
        if hasattr(array, "dtype")
        and array.dtype.kind == "f"
        and array.dtype.itemsize < dtype.itemsize
        else array
        for array in arrays
    ]


def half(rule: Rule) -> Rule:
    """Return a rule that computes in float32 what is float16, and returns float32."""

    @wraps(rule)
    def lifting(*arrays: Any, **attributes: Any) -> Any:
        if getattr(arrays[0], "dtype", None) is HALF and _is_half(arrays):
            return rule(*_lifted(arrays, SINGLE), **attributes)
        return rule(*arrays, **attributes)

    return lifting


def half_result(forward: Rule) -> Rule:
    """Return a forward function that computes in float32, and returns float16."""

    @wraps(forward)
    def lifting(*operands: Any, **attributes: Any) -> Any:
        for operand in operands:
            if getattr(operand, "dtype", None) is HALF:
                break
        else:
            return forward(*operands, **attributes)
        if not _is_half(operands):
            return forward(*operands, **attributes)
        return _narrowed(forward(*_lifted(operands, SINGLE), **attributes), HALF)

    return lifting


def _is_half(arrays: Iterable[Any]) -> bool:
    """Tell whether NumPy would compute in float16."""
    dtypes = _dtypes(arrays)
    return HALF in dtypes and dtypes <= _BESIDE_HALF


def _narrowed(result: Any, dtype: np.dtype[Any]) -> Any:
    return result.astype(dtype) if result.dtype.kind == "f" else result


def wide(rule: Rule) -> Rule:
    """Return a rule whose steps stay in range where its result does.

    Its first array is the upstream gradient or a tangent; the result is as wide as it
    was computed.
    """
    watched = careful(rule)

    @wraps(rule)
    def lifting(*arrays: Any, **attributes: Any) -> Any:
        dtype = getattr(arrays[0], "dtype", None)
        if dtype is SINGLE or dtype is HALF:
            arrays = tuple(_lifted(arrays, DOUBLE))
        return watched(*arrays, **attributes)

    return lifting


def wide_result(forward: Rule) -> Rule:
    """Return a forward function whose steps stay in range where its result does."""
    watched = careful(forward)

    @wraps(forward)
    def lifting(*operands: Any, **attributes: Any) -> Any:
        if len(operands) == 1 and getattr(operands[0], "dtype", None) is DOUBLE:
            return watched(*operands, **attributes)
        dtypes = {dtype for dtype in _dtypes(operands) if dtype.kind == "f"}
        if not dtypes or max(dtypes) not in (HALF, SINGLE):
            return watched(*operands, **attributes)
        found = watched(*_lifted(operands, DOUBLE), **attributes)
        return _narrowed(found, max(dtypes))

    return lifting


def careful(rule: Rule) -> Rule:
    """Return a rule that is called with wider numbers where numbers leave the range.

    That they have left it the processor says, for sums, products, quotients, powers.
    """
    watched: Rule = _watched(rule)

    @wraps(rule)
    def retried(*arrays: Any, **attributes: Any) -> Any:
        try:
            return watched(*arrays, **attributes)
        except FloatingPointError:
            return _again(rule, arrays, attributes)

    return retried


NOT_TOGETHER: Final = (None, None)


def in_range(together: Rule) -> Rule:
    """Return a function of a result and its slopes that gives none out of range.

    Neither does it for other numbers than float32 and float64.
    """
    watched: Rule = _watched(together)

    @wraps(together)
    def tried(*operands: Any, **attributes: Any) -> Any:
        if getattr(operands[0], "dtype", None) not in (SINGLE, DOUBLE):
            return NOT_TOGETHER
        try:
            return watched(*operands, **attributes)
        except FloatingPointError:
            return NOT_TOGETHER

    return tried


def _again(rule: Rule, arrays: Sequence[Any], attributes: dict[str, Any]) -> Any:
    """Return what a rule gives, from wider numbers where they have left the range.

    What has not left it stays as it is, to the last bit.
    """
    attributes.pop("slopes", None)  # they were made of the narrower numbers
    with np.errstate(all="ignore"):
        short = np.asarray(rule(*arrays, **attributes))
        wider = _WIDER.get(short.dtype)
        if wider is None:
            return short[()]
        floats = [np.float64(a) if isinstance(a, float) else a for a in arrays]
        long = np.asarray(rule(*_lifted(floats, wider), **attributes))
        near = np.abs(short - long) <= 8 * np.finfo(short.dtype).eps * np.abs(long)
        return np.where(near, short, long.astype(short.dtype))[()]


def _all_finite(value: Any) -> bool:
    array: Any = np.asarray(value)
    return bool(np.isfinite(array).all())


def surely_finite(numbers: Any) -> bool:
    """Tell whether the sum of the squares is finite, and so all numbers are; fast."""
    return math.isfinite(_dot(numbers, numbers))


def summed(product: Rule) -> Rule:
    """Return a sum of products; no part leaves the range where the sum does not.

    That a float32 sum is not finite is seen by the sum of its squares, which is found
    fast. Sums of float64 are what they are: to look at each of them would take too
    long, for numbers that nobody has in matrices.
    """
    by_halves = half_result(product)

    @wraps(product)
    def checked(*operands: Any, **attributes: Any) -> Any:
        dtype = operands[0].dtype
        if dtype is DOUBLE:
            return product(*operands, **attributes)
        narrow = by_halves if dtype is HALF else product
        found = narrow(*operands, **attributes)
        if found.dtype is not SINGLE:
            return found
        if surely_finite(found):
            return found
        values: Array = np.asarray(found)
        if _all_finite(values) or not all(map(_all_finite, operands)):
            return found
        long = product(*_lifted(operands, DOUBLE), **attributes)
        mended = np.where(np.isfinite(values), values, long.astype(SINGLE))
        return np.asarray(mended)[()]

    return checked


def total(
    x: Any, axis: int | tuple[int, ...] | None = None, *, keepdims: bool = False
) -> Any:
    """Return a sum; no part of it leaves the range where the whole does not.

    Sums of float64 are what they are.

    >>> bool(total(np.array([3e38, 3e38, -3e38], np.float32)) == np.float32(3e38))
    True
    """
    array = np.asarray(x)
    if array.dtype is DOUBLE:
        return _add(array, axis, None, None, keepdims)
    try:
        if array.dtype is HALF:
            summed_up = _sum(array, axis, SINGLE, keepdims=keepdims)
            return summed_up.astype(HALF)
        return _sum(array, axis, keepdims=keepdims)
    except FloatingPointError:
        with np.errstate(all="ignore"):
            # All parts are smaller by a power of two, and so is the sum.
            scale = array.dtype.type(2.0 ** -np.ceil(np.log2(array.size)))
            return _add(array * scale, axis, keepdims=keepdims) / scale


_add: Final[Rule] = np.add.reduce
_dot: Final[Rule] = np.vdot
_sum: Final[Rule] = np.errstate(over="raise")(np.add.reduce)
