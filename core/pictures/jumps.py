"""Elements worth a look in an array of any size: where to jump to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from ..engine.element import Index, index_of
from ..ops.table import Array

_AT_ONCE: Final = 1_000_000  # elements that are searched together

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
    whole = np.ravel(array)
    here = int(np.ravel_multi_index(start, array.shape)) if array.ndim else 0
    for first, stop in ((here + 1, whole.size), (0, here + 1)):
        for place in range(first, stop, _AT_ONCE):
            bad = ~np.isfinite(whole[place : min(place + _AT_ONCE, stop)])
            if bad.any():
                return index_of(place + int(np.argmax(bad)), array.shape)
    return None


SEEKS: Final[Mapping[str, Seek]] = MappingProxyType(
    {"largest": largest, "smallest": smallest, "next NaN or Inf": next_nonfinite}
)


def _first_best(
    array: Array, worst: float, find: Callable[[Array], np.intp]
) -> Index | None:
    if not array.size:
        return None
    array = np.asarray(array)
    found = int(find(array))
    if not np.isnan(array.flat[found]):
        return index_of(found, array.shape)
    is_nan = np.isnan(array)  # NumPy takes a NaN for the largest, and for the smallest
    if is_nan.all():
        return None
    return index_of(find(np.where(is_nan, worst, array)), array.shape)
