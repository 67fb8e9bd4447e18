"""What is special to sums of products: their subscripts and their words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.core.ops import OPS
from gradstep.core.ops.linalg import contribution, expand
from ops_examples_linalg import EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_subscripts_are_the_operation(name: str, data: st.DataObject) -> None:
    op = OPS[name]
    case = data.draw(EXAMPLES[name].cases)
    shapes = [np.shape(operand) for operand in case.operands]
    assert op.subscripts is not None
    subscripts = op.subscripts(*shapes, **case.attributes)
    assert "." not in subscripts
    inputs, output = subscripts.split("->")
    y = op.forward(*case.operands, **case.attributes)
    assert len(output) == np.ndim(y)
    assert [len(term) for term in inputs.split(",")] == [len(shape) for shape in shapes]
    np.testing.assert_allclose(np.einsum(subscripts, *case.operands), y, atol=1e-13)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "expected"),
    [
        ("ij->ji", [(2, 3)], "ij->ji"),
        ("ba", [(2, 3)], "ba->ab"),
        ("ij,jk", [(2, 3), (3, 4)], "ij,jk->ik"),
        ("ii", [(2, 2)], "ii->"),
        ("...i,...i", [(5, 2, 3), (2, 3)], "abi,bi->ab"),
        ("a...b->b...", [(2, 3, 4)], "acb->bc"),
    ],
)
def test_expand(subscripts: str, shapes: list[tuple[int, ...]], expected: str) -> None:
    assert expand(subscripts, *shapes) == expected


def test_contribution_of_a_trace_and_of_a_sum() -> None:
    way = contribution("ii,k->", [(3, 3), (4,)], 0)
    assert (way.subscripts, way.own, way.missing) == (",k->", "i", "i")
    # A repeated axis of length 1 is summed over.
    assert contribution("ij,ij->ij", [(1, 3), (2, 3)], 0).subscripts == "ij,ij->j"


def worded(name: str, *shapes: tuple[int, ...], **attributes: Any) -> list[Any]:
    op = OPS[name].worded(shapes, attributes)
    forms = [op.form(argument) for argument in range(len(shapes))]
    return [(form.product, form.code) for form in forms if form]


def test_words_of_a_matrix_product() -> None:
    matrices = [("{g} {b}ᵀ", "{g} @ {b}.T"), ("{a}ᵀ {g}", "{a}.T @ {g}")]
    assert worded("matmul", (2, 3), (3, 4)) == matrices
    assert worded("matmul", (2, 3), (3,))[0] == ("{g} {b}ᵀ", "np.outer({g}, {b})")
    assert worded("matmul", (3,), (3, 4))[1] == ("{a}ᵀ {g}", "np.outer({a}, {g})")
    assert worded("matmul", (3,), (3,))[0] == ("{g} · {b}", "{g} * {b}")
    assert worded("matmul", (5, 2, 3), (3, 4))[1] == (
        "Σ_ai {g}[a,i,k] · {a}[a,i,j]",
        'np.einsum("aik,aij->jk", {g}, {a})',
    )


def test_words_of_einsum() -> None:
    op = OPS["einsum"].worded([(2, 3), (3,)], {"subscripts": "ij,j"})
    assert op.symbol == "Σ_j {operands0}[i,j] · {operands1}[j]"
    assert op.code == 'np.einsum("ij,j->i", {operands})'
    form = op.form(1)
    assert form is not None
    assert form.local == "{operands0}[i,j]"
    assert form.product == "Σ_i {g}[i] · {operands0}[i,j]"


def test_local_derivative_of_a_matrix_product_is_the_other_factor() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    op = OPS["matmul"]
    by_a, by_b = op.shown_local
    assert by_a is not None
    assert by_b is not None
    np.testing.assert_array_equal(by_a(a @ b, a, b), b.T)
    np.testing.assert_array_equal(by_b(a @ b, a, b), a.T)
    np.testing.assert_array_equal(by_a(a @ b[:, 0], a, b[:, 0]), b[:, 0])


def test_large_sums_do_not_repeat_a_factor_in_memory() -> None:
    """A stack times one matrix: the gradient of the matrix is one product."""
    x, w = np.ones((300, 100, 50), np.float32), np.ones((50, 60), np.float32)
    g = np.ones((300, 100, 60), np.float32)
    rule = OPS["matmul"].vjp(1)
    assert rule is not None
    np.testing.assert_array_equal(rule(g, None, x, w), np.full((50, 60), 30_000.0))


def test_literal_beside_a_float32_array_does_not_widen_it() -> None:
    x = np.ones(3, np.float32)
    assert OPS["dot"].forward(0.5, x).dtype == np.float32
    assert OPS["einsum"].forward(0.5, x, subscripts=",i->i").dtype == np.float32
    assert OPS["stack"].forward(np.float32(1), 0.5).dtype == np.float32


def test_a_product_with_the_number_0_hides_no_nan() -> None:
    """np.dot leaves it to BLAS, which takes 0 times NaN for 0; IEEE 754 has NaN."""
    op = OPS["dot"]
    for number in (0.0, np.float64(0)):
        with np.errstate(invalid="ignore"):
            found = op.forward(np.array([np.nan, np.inf, 2.0]), number)
        np.testing.assert_array_equal(found, [np.nan, np.nan, 0.0])


def test_a_determinant_has_a_gradient_where_it_is_0() -> None:
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    rule = OPS["det"].vjp(0)
    assert rule is not None
    np.testing.assert_allclose(rule(1.0, 0.0, a), [[4.0, -2.0], [-2.0, 1.0]], 1e-14)


def test_one_matrix_without_an_inverse_leaves_the_others_theirs() -> None:
    stack = np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]])
    found = OPS["inv"].forward(stack)
    np.testing.assert_array_equal(found[0], [[0.5, 0.0], [0.0, 0.25]])
    assert np.isnan(found[1]).all()
