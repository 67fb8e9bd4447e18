"""How large an array is, in one number, and on a scale of eight steps."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ..ops.table import Array

STEPS: Final = 8
_UNIT: Final = 6  # the step of numbers about 1


def magnitude(array: Array) -> float:
    """Return the root mean square; nan where there is a NaN, else inf where an Inf.

    >>> magnitude(np.array([3.0, -3.0]))
    3.0
    """
    numbers = np.asarray(array).ravel()
    if not numbers.size:
        return 0.0
    if numbers.dtype.kind != "f" or numbers.dtype.itemsize < 4:
        numbers = numbers.astype(np.float64)
    with np.errstate(all="ignore"):
        total = float(np.dot(numbers, numbers))
        if 0 < total < math.inf:
            return math.sqrt(total / numbers.size)
        # A square may have run over or under where the number itself has not.
        largest = float(np.abs(numbers).max())
        if largest == 0 or not math.isfinite(largest):
            return largest
        scaled = numbers.astype(np.float64) / largest
        return largest * math.sqrt(float(np.dot(scaled, scaled)) / numbers.size)


def step(size: float) -> int:
    """Return 0 for nothing, else 1 … 8, one step for each factor of ten: 6 is about 1.

    The scale is the same for all nodes at all times, so that two bars can be compared.

    >>> [step(size) for size in (0.0, 1e-9, 0.1, 1.0, 7.0, 1e9)]
    [0, 1, 5, 6, 7, 8]
    """
    if size == 0 or math.isnan(size):
        return 0
    if math.isinf(size):
        return STEPS
    return min(max(round(math.log10(size)) + _UNIT, 1), STEPS)
