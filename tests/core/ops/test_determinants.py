"""Slopes of a determinant, held against the formula of Leibniz in fractions."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from runs import run_of

MATRICES = [
    [[2.0]],
    [[7.452372472458401e-12, 1.888704679037599e-05], [1126900000.75, 81124515.5]],
    [[-7e256, 2.875e105], [-1.25e307, -1.5e281]],
    [[1.5, 3.0, 2.5], [5.0, 0.5, 4.0], [2.0, 7.0, 1.0]],
]


def determinant(rows: list[list[Fraction]]) -> Fraction:
    total = Fraction(0)
    for order in itertools.permutations(range(len(rows))):
        swaps = sum(a > b for a, b in itertools.combinations(order, 2))
        chosen = (row[k] for row, k in zip(rows, order, strict=True))
        total += (-1) ** swaps * math.prod(chosen, start=Fraction(1))
    return total


@pytest.mark.parametrize("a", MATRICES)
def test_each_slope_is_right_beside_much_larger_ones(a: list[list[float]]) -> None:
    found = np.asarray(run_of("y = det(x)", x=a).gradient(0))
    rows = [[Fraction(number) for number in row] for row in a]
    for i, j in np.ndindex(found.shape):
        left = [row[:j] + row[j + 1 :] for k, row in enumerate(rows) if k != i]
        right = (-1) ** (i + j) * determinant(left)
        error = abs(Fraction(float(found[i, j])) - right)
        assert error <= Fraction(1e-12) * abs(right)
