"""Examples of square matrices: Cramer's rule, and the factor of Cholesky by hand."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ops_examples import Case, Corner, Draw, Example, Misfit, generators, smooth

_ODD = (
    Misfit(((2, 3),), {}, "(2, 3) is no square matrix"),
    Misfit(((2,),), {}, "(2,) is no square matrix"),
)


@st.composite
def squares(draw: Draw) -> Case:
    """A stack of square matrices that are far from having no inverse."""
    stack = draw(hnp.array_shapes(min_dims=0, max_dims=1, min_side=0, max_side=2))
    size, generator = draw(st.integers(1, 3)), draw(generators())
    a = smooth(generator, (*stack, size, size)) + 7 * np.eye(size)
    return Case((a,), {})


def determinant(a: np.ndarray) -> float:
    """Return the sum of a row times its cofactors."""
    if not len(a):
        return 1.0
    rest = np.arange(len(a))
    signs = enumerate((-1.0) ** rest)
    return math.fsum(s * a[0, k] * determinant(a[1:][:, rest != k]) for k, s in signs)


def determinants(a: np.ndarray) -> np.ndarray:
    made = [determinant(one) for one in a.reshape(-1, *a.shape[-2:])]
    return np.reshape(made, a.shape[:-2])


def inverse(a: np.ndarray) -> np.ndarray:
    """Return it by Cramer's rule: a row of the matrix is replaced, one by one."""
    y = np.zeros(a.shape)
    for *stack, row, column in np.ndindex(a.shape):
        one = a[tuple(stack)].copy()
        whole = determinant(one)
        one[:, row] = np.eye(len(one))[:, column]
        y[(*stack, row, column)] = determinant(one) / whole
    return y


def factor(a: np.ndarray) -> np.ndarray:
    """Return the factor of Cholesky, element by element."""
    y = np.zeros(a.shape)
    for stack in np.ndindex(a.shape[:-2]):
        left, whole = y[stack], (a[stack] + a[stack].T) / 2
        for i in range(a.shape[-1]):
            for j in range(i + 1):
                rest = whole[i, j] - math.fsum(left[i, :j] * left[j, :j])
                left[i, j] = math.sqrt(rest) if i == j else rest / left[j, j]
    return y


EXAMPLES: dict[str, Example] = {
    "inv": Example(inverse, squares(), _ODD),
    "det": Example(determinants, squares(), _ODD),
    "logabsdet": Example(lambda a: np.log(np.abs(determinants(a))), squares(), _ODD),
    "cholesky": Example(factor, squares(), _ODD),
}

CORNERS: tuple[Corner, ...] = (
    Corner("inv", (np.zeros((1, 1)),), {}, [[np.nan]], ([[np.nan]],)),
    Corner("cholesky", (-np.ones((1, 1)),), {}, [[np.nan]], ([[np.nan]],)),
    Corner("det", (np.zeros((1, 1)),), {}, 0.0, ([[1.0]],)),
)
