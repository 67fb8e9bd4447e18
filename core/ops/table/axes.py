"""Axes of an operand: which they are, what is left of a shape, and means along them."""

from __future__ import annotations

import math
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .wide import DOUBLE, careful

if TYPE_CHECKING:
    from . import Array, Rule, Shape

Axis = int | tuple[int, ...] | None

_SHORT: Final = 32  # numbers, of a row
LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def reduced_axes(shape: Shape, axis: Axis) -> tuple[int, ...]:
    """Return `axis` as axis numbers from 0 on; a `ValueError` says what does not fit.

    >>> reduced_axes((2, 3, 4), (0, -1))
    (0, 2)
    """
    if axis is None:
        return tuple(range(len(shape)))
    axes: list[int] = []
    for one in axis if isinstance(axis, tuple) else (axis,):
        if not -len(shape) <= one < len(shape):
            allowed = f"{-len(shape)} … {len(shape) - 1}" if shape else "none"
            raise ValueError(
                f"axis {one} is not an axis of shape {shape}; allowed: {allowed}"
            )
        if one % len(shape) in axes:
            raise ValueError(f"axis {one} is named twice in {axis}")
        axes.append(one % len(shape))
    return tuple(axes)


def without_axis(shape: Shape, along: int) -> Shape:
    """Return a shape without one of its axes."""
    return shape[:along] + shape[along + 1 :]


def along_axis(x: Shape, *, axis: Axis = None, **_attributes: Any) -> str:
    """Return the `axis_letters` of an operation that works along some axes.

    >>> along_axis((4, 5, 6), axis=1), along_axis((4, 5))
    ('a*c->a*c', '**->*')
    """
    along = reduced_axes(x, axis)
    letters = "".join("*" if k in along else LETTERS[k] for k in range(len(x)))
    return f"{letters}->{'*' if axis is None else letters}"


def kept_shape(shape: Shape, axis: Axis) -> Shape:
    """Return a shape in which each reduced axis has length 1."""
    axes = reduced_axes(shape, axis)
    return tuple(1 if i in axes else size for i, size in enumerate(shape))


def count_along(shape: Shape, axis: Axis) -> int:
    """Return of how many numbers each result along some axes is made."""
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in reduced_axes(shape, axis))


def reduced_shape(
    shape: Shape, *, axis: Axis = None, keepdims: bool = False, **_others: Any
) -> Shape:
    """Return the shape of what is reduced along some axes."""
    axes = reduced_axes(shape, axis)
    if keepdims:
        return kept_shape(shape, axis)
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def of_nothing(function: Rule) -> Rule:
    """Return a mean of numbers that is nan without any, and does not warn of it."""

    @wraps(function)
    def quiet(x: Any, axis: Axis = None, keepdims: bool = False, **others: Any) -> Any:
        if np.size(x) or count_along(np.shape(x), axis):
            return function(x, axis=axis, keepdims=keepdims, **others)
        shape = reduced_shape(np.shape(x), axis=axis, keepdims=keepdims)
        return np.full(shape, np.nan, np.asarray(x).dtype)[()]

    return quiet


_careful_mean: Final = of_nothing(careful(np.mean))


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the mean along axes: it fits where the sum does not."""
    if getattr(x, "dtype", None) is DOUBLE and x.size:
        # As NumPy does it, but for what that asks before.
        count = count_along(x.shape, axis)
        found = np.add.reduce(x, axis, keepdims=keepdims) / count
        if np.isfinite(found).all() if found.ndim else math.isfinite(found):
            return found
        # A power of two takes no digit away: thirds of the largest number are rounded
        # up, and their sum leaves the range.
        scale = 2.0 ** count.bit_length()
        smaller = np.add.reduce(x / scale, axis, keepdims=keepdims) / (count / scale)
        return np.where(np.isfinite(found), found, smaller)[()]
    return _careful_mean(x, axis=axis, keepdims=keepdims)


def greatest(x: Any, axis: Axis) -> Array:
    """Return the greatest numbers with the axes kept; 0 where there are none at all."""
    array: Array = np.asarray(x)
    if not array.size:
        return np.zeros(kept_shape(array.shape, axis), array.dtype)
    if array.ndim == 2 and axis in (1, -1) and array.shape[1] <= _SHORT:
        # Of short rows NumPy compares one number at a time, of columns many.
        return np.maximum.reduce(array.T.copy(), 0)[:, None]
    return np.maximum.reduce(array, axis, keepdims=True)
