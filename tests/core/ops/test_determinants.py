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
    [[1e-200, 3e100, -2e-281], [-7e-120, 2e-180, 5e15], [4e-290, 1e-3, -6e99]],
    [[1e307, -2e300, 0.0], [3e305, 1e307, 0.0], [0.0, 0.0, 1e-300]],
    *(
        (10 ** draw.uniform(-30, 30, (n, n)) * draw.choice([-1, 1], (n, n))).tolist()
        for n in (3, 4, 5)
        for draw in [np.random.default_rng(n)]
    ),
    # Rows and columns of different sizes, as of covariances in different units.
    (
        np.random.default_rng(7).uniform(-1, 1, (7, 7))
        * np.logspace(-60, 60, 7)[:, None]
        * np.logspace(30, -40, 7)
    ).tolist(),
]


LARGEST, LEAST = Fraction(np.finfo(float).max), Fraction(5e-324)


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
        if abs(right) > LARGEST:
            assert found[i, j] == (math.inf if right > 0 else -math.inf)
            continue
        error = abs(Fraction(float(found[i, j])) - right)
        assert error <= Fraction(1e-11) * abs(right) + LEAST
