"""How large an array is, and what can be said of one that is too large to be shown.

All sizes are taken here, in float64, and no square of an element runs over or under:

    norm   √Σ x²          the Euclidean norm
    rms    √(Σ x² / n)    the root mean square: the size of an element; by the norm
    gist   range, norm, and how many elements are 0, NaN and ±Inf
    summary   the gist, the mean and the distribution
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..ops.table import Array, Shape, Value

MOST_PARTIAL: Final = 10_000  # elements of a gradient that is summed up unfinished
DECADES: Final = 8
_UNIT: Final = 6  # the decade of numbers about 1
_BINS: Final = 8
_BLOCK: Final = 1 << 18  # elements that are looked at together
_CHUNK: Final = 1 << 13  # those that are cast together: they stay near the processor
# Below it, squares that ran under could be missing from a sum of squares.
_LEAST_EXACT: Final = 1e-280


# ------------------------------------------------------------------------ one number


def norm(value: Value) -> float:
    """Return the Euclidean norm of a number or an array, of any real dtype.

    It is nan where an element is NaN, else inf where one is ±Inf; of nothing it is 0.

    >>> norm(np.array([-1e200, 0.0]))
    1e+200
    """
    if isinstance(value, (float, int)):
        return abs(float(value))
    squares, exponent = _sum_of_squares(np.asarray(value))
    return _scaled(math.sqrt(squares), exponent)


def rms_of_norm(norm: float, size: int) -> float:
    """Return the root mean square of `size` elements that have this norm.

    >>> rms_of_norm(5.0, 25)
    1.0
    """
    return norm / math.sqrt(max(size, 1))


def _sum_of_squares(array: Array) -> tuple[float, int]:
    """Return s and e, where the sum of the squares is s · 4 ** e.

    The exponent is 0 unless the squares of the numbers as they are run over or under.
    """
    numbers = array.ravel("K")  # a view wherever there is one: the order is no matter
    if numbers.dtype == np.float64:
        squares = float(np.vdot(numbers, numbers))  # it warns of nothing
        if _LEAST_EXACT < squares < math.inf:
            return squares, 0
    with np.errstate(over="ignore", under="ignore"):
        if numbers.dtype == np.float64:
            squares = float(np.dot(numbers, numbers))
        else:
            squares = _chunked_squares(numbers, 0)
        if _LEAST_EXACT < squares < math.inf or not np.count_nonzero(numbers):
            return squares, 0
        largest = float(np.abs(numbers).max())
        if not math.isfinite(largest):
            return largest, 0
        exponent = math.frexp(largest)[1]
        return _chunked_squares(numbers, exponent), exponent


def _chunked_squares(numbers: Array, exponent: int) -> float:
    """Return the sum of the squares of all numbers divided by 2 ** exponent."""
    total = 0.0
    for start in range(0, numbers.size, _CHUNK):
        chunk = numbers[start : start + _CHUNK].astype(np.float64)
        if exponent:
            chunk = np.ldexp(chunk, -exponent)
        total += float(np.dot(chunk, chunk))
    return total


def _scaled(root: float, exponent: int) -> float:
    """Return root · 2 ** exponent; inf where that is too large for a float64."""
    if not exponent:
        return root
    try:
        return math.ldexp(root, exponent)
    except OverflowError:
        return math.inf


def decade(size: float) -> int:
    """Return 0 for nothing, else 1 … 8, one for each factor of ten: 6 is about 1.

    The scale is the same for all nodes at all times, so that two bars can be compared.

    >>> [decade(size) for size in (0.0, 1e-9, 0.1, 1.0, 7.0, 1e9)]
    [0, 1, 5, 6, 7, 8]
    """
    if size == 0 or math.isnan(size):
        return 0
    if math.isinf(size):
        return DECADES
    return min(max(round(math.log10(size)) + _UNIT, 1), DECADES)


def weighted_change(weight: Array, after: Array, before: Array) -> Any:
    """Return Σ weight · (after − before) over all elements, in the dtype of `after`.

    `weight` and `before` are broadcast. What has no weight is left out, also where it
    is not finite.

    >>> after = np.array([4.0, np.inf])
    >>> float(weighted_change(np.array([2.0, 0.0]), after, np.ones(2)))
    6.0
    """
    counts = np.broadcast_to(weight != 0, np.shape(after))
    with np.errstate(all="ignore"):
        terms = (weight * (after - before))[counts]
        # Without a change it is 0, whatever the sign of the weight: never −0.
        return np.sum(terms, dtype=after.dtype) + after.dtype.type(0)


# ------------------------------------------------------------------------- in order


def magnitudes(numbers: Array) -> Array:
    """Return the absolute values as float64, and inf for NaN: for comparisons."""
    found = np.abs(np.asarray(numbers, np.float64))
    found[np.isnan(found)] = np.inf
    return found


def largest(numbers: Array, count: int) -> Array:
    """Return the places of the largest numbers, the largest first; NaN before all.

    What is equally large keeps its order.

    >>> largest(np.array([np.inf, -3.0, np.nan, 3.0]), 3).tolist()
    [2, 0, 1]
    """
    sizes = magnitudes(numbers)
    places = np.arange(len(sizes))
    if 0 < count < len(sizes):
        # Only those that can be among them are put in order.
        places = np.flatnonzero(sizes >= np.partition(sizes, -count)[-count])
    is_number = ~np.isnan(numbers[places])
    return places[np.lexsort((-sizes[places], is_number))][:count]


# ------------------------------------------------------------------- several numbers


@dataclass(frozen=True, slots=True, eq=False)
class Gist:
    """An array in a few numbers that are found fast."""

    shape: Shape  # of the whole array; () for a scalar
    low: float | None  # the least finite element; None without any
    high: float | None  # the greatest one
    norm: float  # of all elements: nan or inf where one is not finite
    zeros: int  # how many elements are 0
    nans: int  # how many are NaN
    infinities: int  # how many are Inf or -Inf

    @property
    def size(self) -> int:
        """How many elements the array has."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Summary(Gist):
    """A gist with the mean and the distribution of the finite elements."""

    mean: float | None  # None without a finite element
    bins: tuple[int, ...]  # counts of elements from low to high; () if all are equal


def gist(array: Array) -> Gist:
    """Return the range and the norm of an array. It sorts nothing and counts no bins.

    >>> gist(np.array([0.0, -2.0, np.inf]))
    Gist(shape=(3,), low=-2.0, high=0.0, norm=inf, zeros=1, nans=0, infinities=1)
    """
    array = np.asarray(array)
    whole = norm(array)
    nans = infinities = 0
    if math.isfinite(whole):
        finite = [array] if array.size else []
    else:
        for block in blocks(array):
            nans += int(np.isnan(block).sum())
            infinities += int(np.isinf(block).sum())
        finite = filter(np.size, map(_finite, blocks(array)))
    ends = [(float(block.min()), float(block.max())) for block in finite]
    low = min((low for low, _ in ends), default=None)
    high = max((high for _, high in ends), default=None)
    zeros = array.size - int(np.count_nonzero(array))
    return Gist(array.shape, low, high, whole, zeros, nans, infinities)


def summarise(array: Array, bins: int = _BINS) -> Summary:
    """Return the range, the size, the mean and the distribution of an array.

    >>> summarise(np.array([0.0, 1.0, np.nan])).bins
    (1, 0, 0, 0, 0, 0, 0, 1)
    """
    array = np.asarray(array)
    found = gist(array)
    facts = found.shape, found.low, found.high, found.norm, found.zeros
    facts = *facts, found.nans, found.infinities
    low, high = found.low, found.high
    if low is None or high is None:
        return Summary(*facts, None, ())
    # Scaled first, so that no sum of large numbers can overflow.
    size = max(abs(low), abs(high)) or 1.0
    total = 0.0
    counts = np.zeros(bins, dtype=np.intp)
    for finite in map(_finite, blocks(array)):
        scaled = finite / size
        total += float(scaled.sum())
        counts += _histogram(scaled, low / size, high / size, bins)
    mean = total / (found.size - found.nans - found.infinities) * size
    return Summary(*facts, mean, tuple(map(int, counts)) if high > low else ())


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
