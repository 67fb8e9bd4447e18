"""Constructors: functions of static arguments that make a constant of a program."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..ops.table import Array, Parameter, Shape, checks
from .static import is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Constructor(NamedTuple):
    """A function of static arguments that makes a constant.

    `shape` and `make` take the arguments by name; `make` takes the dtype before them.
    """

    parameters: tuple[Parameter, ...]  # in the order of a call
    shape: Callable[..., Shape]
    make: Callable[..., Array]


def _shape(*, shape: Any, **_attributes: Any) -> Shape:
    return (shape,) if isinstance(shape, int) else shape


def _full(dtype: Any, *, shape: Any, fill_value: float = 0) -> Array:
    return np.full(shape, fill_value, dtype)


def _ones(dtype: Any, *, shape: Any) -> Array:
    return _full(dtype, shape=shape, fill_value=1)


def _eye_shape(*, n: int, m: int | None, **_attributes: Any) -> Shape:
    return (n, n if m is None else m)


def _eye(dtype: Any, *, n: int, m: int | None, k: int) -> Array:
    width = n if m is None else m
    return np.eye(n, width, max(-n, min(k, width)), dtype=dtype)


def _span(start: Any, stop: Any, step: Any) -> tuple[Any, Any, Any]:
    return (0, start, step) if stop is None else (start, stop, step)


def _arange_shape(*, start: Any, stop: Any, step: Any) -> Shape:
    first, end, step = _span(start, stop, step)
    if step == 0:
        raise ValueError("a step of 0 never arrives")
    if all(isinstance(one, int) for one in (first, end, step)):
        return (len(range(first, end, step)),)
    steps = (float(end) - float(first)) / float(step)
    if not math.isfinite(steps):
        raise ValueError("so many numbers cannot be counted")
    return (max(0, math.ceil(steps)),)


def _arange(dtype: Any, *, start: Any, stop: Any, step: Any) -> Array:
    span = _span(start, stop, step)
    whole = all(isinstance(one, int) for one in span)
    numbers: Array = np.arange(*span, dtype="int64" if whole else "float64")
    return numbers if whole else np.asarray(numbers, dtype)


def _linspace_shape(*, num: int, **_attributes: Any) -> Shape:
    return (num,)


def _linspace(dtype: Any, *, start: Any, stop: Any, num: int) -> Array:
    return np.linspace(start, stop, num, dtype=np.float64).astype(dtype)


def _any_number(value: Any) -> str:
    return "" if is_number(value) else "a number"


_SHAPE: Final = Parameter("shape", checks.shape)
_COUNT: Final = checks.optional(checks.count)

CONSTRUCTORS: Final[Mapping[str, Constructor]] = MappingProxyType(
    {
        "zeros": Constructor((_SHAPE,), _shape, _full),
        "ones": Constructor((_SHAPE,), _shape, _ones),
        "full": Constructor(
            (_SHAPE, Parameter("fill_value", _any_number)), _shape, _full
        ),
        "eye": Constructor(
            (
                Parameter("n", checks.count),
                Parameter("m", _COUNT, None),
                Parameter("k", checks.whole, 0),
            ),
            _eye_shape,
            _eye,
        ),
        "arange": Constructor(
            (
                Parameter("start", checks.number),
                Parameter("stop", checks.optional(checks.number), None),
                Parameter("step", checks.number, 1),
            ),
            _arange_shape,
            _arange,
        ),
        "linspace": Constructor(
            (
                Parameter("start", checks.number),
                Parameter("stop", checks.number),
                Parameter("num", checks.count, 50),
            ),
            _linspace_shape,
            _linspace,
        ),
    }
)
