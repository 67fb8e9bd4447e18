"""What can be said of an array that is too large to be shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..ops.table import Array, Shape

_BINS = 8
_BLOCK = 1 << 18  # elements that are looked at together


class Summary(NamedTuple):
    """An array in a few numbers. `bins` counts its finite elements from low to high.

    `low`, `high`, `mean` and `rms` are those of the finite elements; None without any.
    """

    shape: Shape
    low: float | None
    high: float | None
    mean: float | None
    rms: float | None
    zeros: int
    nans: int
    infinities: int
    bins: tuple[int, ...]


def summarise(array: Array, bins: int = _BINS) -> Summary:
    """Return the range, the mean, the size and the distribution of an array.

    >>> summarise(np.array([0.0, 1.0, np.nan])).bins
    (1, 0, 0, 0, 0, 0, 0, 1)
    """
    kept: list[Array] = []
    ends: list[float] = []
    count = nans = infinities = 0
    for block in blocks(np.asarray(array)):
        finite = _finite(block)
        if finite.size < block.size:
            nans += int(np.isnan(block).sum())
            infinities += int(np.isinf(block).sum())
        if finite.size:
            kept.append(block)
            ends += [float(finite.min()), float(finite.max())]
            count += finite.size
    if not kept:
        return Summary(array.shape, None, None, None, None, 0, nans, infinities, ())
    low, high = min(ends), max(ends)
    # Scaled first: neither a sum of large numbers nor a square may overflow.
    size = max(abs(low), abs(high)) or 1.0
    total = squares = 0.0
    zeros = 0
    counts = np.zeros(bins, dtype=np.intp)
    for finite in map(_finite, kept):
        zeros += finite.size - int(np.count_nonzero(finite))
        scaled = finite / size
        total += float(scaled.sum())
        squares += float(np.sum(scaled * scaled))
        counts += _histogram(scaled, low / size, high / size, bins)
    return Summary(
        array.shape,
        low,
        high,
        total / count * size,
        math.sqrt(squares / count) * size,
        zeros,
        nans,
        infinities,
        tuple(map(int, counts)) if high > low else (),
    )


def blocks(array: Array) -> Iterator[Array]:
    """Yield an array in parts, so that no copy of a large one is ever made."""
    if array.size <= _BLOCK or not array.ndim:
        yield array
    elif len(array) == 1:
        yield from blocks(array[0])
    else:
        rows = max(_BLOCK // (array.size // len(array)), 1)
        for start in range(0, len(array), rows):
            yield from blocks(array[start : start + rows])


def _finite(block: Array) -> Array:
    numbers = block.astype(np.float64, copy=False).ravel()
    finite = np.isfinite(numbers)
    return numbers if finite.all() else numbers[finite]


def _histogram(finite: Array, low: float, high: float, bins: int) -> Array:
    if high <= low:
        return np.zeros(bins, dtype=np.intp)
    place = ((finite - low) / (high - low) * bins).astype(np.intp)
    return np.bincount(np.minimum(place, bins - 1), minlength=bins)
