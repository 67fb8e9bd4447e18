"""Examples of sums of products."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ops_examples import Case, Corner, Draw, Example, Misfit, generators, smooth


@st.composite
def products(draw: Draw) -> Case:
    """Operands of a matrix product: vectors, matrices and stacks of them."""
    shapes = draw(
        hnp.mutually_broadcastable_shapes(
            signature="(n?,k),(k,m?)->(n?,m?)", max_dims=2, min_side=0, max_side=3
        )
    )
    generator = draw(generators())
    return Case(tuple(smooth(generator, s) for s in shapes.input_shapes), {})


@st.composite
def dots(draw: Draw) -> Case:
    sides = st.integers(0, 3)
    left = draw(st.lists(sides, max_size=3))
    right = draw(st.lists(sides, max_size=3))
    if left and right:
        right[0 if len(right) == 1 else -2] = left[-1]
    generator = draw(generators())
    return Case((smooth(generator, tuple(left)), smooth(generator, tuple(right))), {})


@st.composite
def vectors(draw: Draw) -> Case:
    generator = draw(generators())
    sizes = (draw(st.integers(0, 4)), draw(st.integers(0, 4)))
    return Case(tuple(smooth(generator, (size,)) for size in sizes), {})


SUBSCRIPTS = (
    "ij,jk->ik",
    "ij,jk",
    "ji",
    "ii",
    "ii->i",
    "iij->j",
    "iii,j->ij",
    "ij->",
    "->",
    ",i->i",
    "i,j->ji",
    "i,i->",
    "i,i,i->i",
    "ij,ij->i",
    "ij , jj -> i",
    "bij,bjk->bik",
    "ij,kl,jk->il",
    "...ij,...jk->...ik",
    "i...,i...",
    "...,...",
    "i...i->...",
)


@st.composite
def sums(draw: Draw) -> Case:
    """Operands of einsum, in which an index may broadcast."""
    subscripts = draw(st.sampled_from(SUBSCRIPTS))
    terms = subscripts.split("->")[0].replace(" ", "").split(",")
    letters = sorted(set("".join(terms)) - {"."})
    lengths = {letter: draw(st.integers(0, 3)) for letter in letters}
    stacks = draw(
        hnp.mutually_broadcastable_shapes(
            num_shapes=len(terms), max_dims=2, min_side=0, max_side=3
        )
    ).input_shapes
    generator = draw(generators())
    operands: list[np.ndarray] = []
    for term, stack in zip(terms, stacks, strict=True):
        own = dict(lengths)
        single = [k for k in letters if len(terms) > 1 and term.count(k) == 1]
        if single and draw(st.integers(0, 3)) == 0:
            own[draw(st.sampled_from(single))] = 1
        before, dots, after = term.partition("...")
        shape = [own[k] for k in before] + [own[k] for k in after]
        shape[len(before) : len(before)] = stack if dots else ()
        operands.append(smooth(generator, tuple(shape)))
    return Case(tuple(operands), {"subscripts": subscripts})


def by_loops(subscripts: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum products of two operands, one after the other."""
    left, right, output = subscripts.replace("->", ",").split(",")
    sizes = dict(zip(left + right, a.shape + b.shape, strict=True))
    result = np.zeros([sizes[k] for k in output])
    for places in itertools.product(*(range(size) for size in sizes.values())):
        at = dict(zip(sizes, places, strict=True))
        result[tuple(at[k] for k in output)] += (
            a[tuple(at[k] for k in left)] * b[tuple(at[k] for k in right)]
        )
    return result


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    left = a if a.ndim > 1 else a[None]
    right = b if b.ndim > 1 else b[:, None]
    stack = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, stack + left.shape[-2:])
    right = np.broadcast_to(right, stack + right.shape[-2:])
    result = np.zeros((*stack, left.shape[-2], right.shape[-1]))
    for place in np.ndindex(stack):
        result[place] = by_loops("ij,jk->ik", left[place], right[place])
    rows, columns = left.shape[-2:-1], right.shape[-1:]
    return result.reshape(
        stack + (rows if a.ndim > 1 else ()) + (columns if b.ndim > 1 else ())
    )


def dot(a: np.ndarray, b: np.ndarray) -> Any:
    if not a.ndim or not b.ndim:
        return a * b
    left = a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
    right = np.moveaxis(b, -2 if b.ndim > 1 else 0, 0)
    flat = right.reshape(right.shape[0], math.prod(right.shape[1:]))
    return by_loops("ij,jk->ik", left, flat).reshape(a.shape[:-1] + right.shape[1:])


def einsum(*operands: np.ndarray, subscripts: str) -> Any:
    return np.einsum(subscripts, *operands)


def _says(subscripts: str, *shapes: tuple[int, ...], says: str) -> Misfit:
    return Misfit(shapes, {"subscripts": subscripts}, says)


EXAMPLES: dict[str, Example] = {
    "matmul": Example(
        matmul,
        products(),
        (
            Misfit(
                ((2, 3), (2, 4)),
                {},
                "matmul: (2, 3) @ (2, 4): the inner sizes 3 and 2 differ",
            ),
            Misfit(((2,), (3,)), {}, "the inner sizes 2 and 3 differ"),
            Misfit(((), (3,)), {}, "a single number has no matrix product"),
            Misfit(((2, 2, 3), (5, 3, 4)), {}, "stacks (2,) and (5,) do not broadcast"),
        ),
    ),
    "dot": Example(
        dot,
        dots(),
        (
            Misfit(((2, 3), (2, 4)), {}, "(2, 3) and (2, 4): the inner sizes 3 and 2"),
            Misfit(((2,), (3,)), {}, "the inner sizes 2 and 3 differ"),
        ),
    ),
    "outer": Example(
        lambda a, b: by_loops("i,j->ij", a, b),
        vectors(),
        (
            Misfit(
                ((2, 1), (3,)), {}, "outer: (2, 1) and (3,): both have to be vectors"
            ),
        ),
    ),
    "einsum": Example(
        einsum,
        sums(),
        (
            _says("ij,jk", (2, 3), (2, 4), says="'j' is 3 in (2, 3) and 2 in (2, 4)"),
            _says("ii", (1, 3), says="'i' is 1 in (1, 3) and 3 in (1, 3)"),
            _says("ij", (2, 3), (2, 3), says="has 1 term for 2 operands"),
            _says("ij", (2, 3, 4), says="'ij' names 2 axes, (2, 3, 4) has 3"),
            _says("ij...", (2,), says="'ij...' names 2 axes, (2,) has 1"),
            _says("ij->k", (2, 3), says="'k' is not one of them"),
            _says("ij->ii", (2, 3), says="'i' is not one of them or stands twice"),
            _says("i..", (2, 3), says="a '.' that is not part of one '...'"),
            _says("i->i.", (2,), says="einsum: the output 'i.'"),
            _says("...i->i", (2, 3), says="has to keep the axes of '...'"),
            _says("i;j", (2, 3), says="is not made of letters"),
        ),
    ),
}

CORNERS: tuple[Corner, ...] = (
    Corner(
        "einsum",
        (np.array([[np.inf, 1.0], [2.0, 3.0]]), np.array([np.inf, 1.0])),
        {"subscripts": "ii,i->i"},
        [np.inf, 3.0],
        ([[np.inf, 0.0], [0.0, 1.0]], [np.inf, 3.0]),
    ),
    Corner(
        "dot",
        (np.array([1.0, np.nan]), np.array([0.0, 2.0])),
        {},
        np.nan,
        ([0.0, 2.0], [1.0, np.nan]),
    ),
)
