"""Elements worth a look in an array of any size: where to jump to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from .explain import Index
from .ops.table import Array

Seek = Callable[[Array, Index], Index | None]


def largest(array: Array, _start: Index = ()) -> Index | None:
    """Return the index of the largest number that is not NaN; None without one.

    >>> largest(np.array([[1.0, 7.0], [np.nan, 2.0]]))
    (0, 1)
    """
    return _first_best(array, -np.inf, np.argmax)


def smallest(array: Array, _start: Index = ()) -> Index | None:
    """Return the index of the smallest number that is not NaN; None without one."""
    return _first_best(array, np.inf, np.argmin)


def next_nonfinite(array: Array, start: Index) -> Index | None:
    """Return the next index after `start` with NaN or Inf, around the end; or None.

    >>> next_nonfinite(np.array([np.inf, 1.0, np.nan]), (0,))
    (2,)
    """
    bad = np.flatnonzero(~np.isfinite(array))
    if not bad.size:
        return None
    here = int(np.ravel_multi_index(start, array.shape)) if array.ndim else 0
    following = bad[bad > here]
    return _place(array, int(following[0] if following.size else bad[0]))


SEEKS: Final[Mapping[str, Seek]] = MappingProxyType(
    {"largest": largest, "smallest": smallest, "next NaN or Inf": next_nonfinite}
)


def _first_best(
    array: Array, worst: float, find: Callable[[Array], np.intp]
) -> Index | None:
    is_nan = np.isnan(array)
    if is_nan.all():
        return None
    known = np.where(is_nan, worst, array) if is_nan.any() else array
    return _place(array, int(find(known)))


def _place(array: Array, flat: int) -> Index:
    return tuple(int(i) for i in np.unravel_index(flat, array.shape))
