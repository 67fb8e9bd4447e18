"""What can be said of an array that is too large to be shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .ops.table import Array, Shape

_BINS = 8


@dataclass(frozen=True, slots=True)
class Summary:
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
    numbers = np.asarray(array)
    nans = infinities = 0
    finite = numbers.astype(np.float64, copy=False).ravel()
    if numbers.dtype.kind == "f":
        nans = int(np.isnan(numbers).sum())
        infinities = int(np.isinf(numbers).sum())
        if nans or infinities:
            finite = finite[np.isfinite(finite)]
    zeros = int((finite == 0).sum())
    if not finite.size:
        return Summary(array.shape, None, None, None, None, 0, nans, infinities, ())
    low, high = float(finite.min()), float(finite.max())
    # Scaled first: neither a sum of large numbers nor a square may overflow.
    size = max(abs(low), abs(high)) or 1.0
    scaled = finite / size
    return Summary(
        array.shape,
        low,
        high,
        float(scaled.mean()) * size,
        float(np.sqrt(np.mean(scaled * scaled))) * size,
        zeros,
        nans,
        infinities,
        _histogram(scaled, low / size, high / size, bins),
    )


def _histogram(finite: Array, low: float, high: float, bins: int) -> tuple[int, ...]:
    if high <= low:
        return ()
    place = ((finite - low) / (high - low) * bins).astype(np.intp)
    counts = np.bincount(np.minimum(place, bins - 1), minlength=bins)
    return tuple(map(int, counts))
