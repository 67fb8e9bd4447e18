"""Every size of an array is one measure, checked with what shares no code with it."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradstep.core.engine.measure import (
    decade,
    gist,
    largest,
    magnitudes,
    norm,
    rms_of_norm,
    summarise,
)

arrays = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.float16]),
    hnp.array_shapes(min_side=0, max_dims=3, max_side=12),
)


@given(arrays)
def test_every_element_is_counted_once(array) -> None:
    found = summarise(array)
    finite = array[np.isfinite(array)]
    assert found.nans == np.isnan(array).sum()
    assert found.infinities == np.isinf(array).sum()
    assert found.zeros == (finite == 0).sum()
    assert found.shape == array.shape
    if found.bins:
        assert sum(found.bins) == finite.size
        assert found.bins[0] > 0
        assert found.bins[-1] > 0


@given(arrays)
def test_the_range_is_that_of_the_finite_numbers(array) -> None:
    found = summarise(array)
    finite = array[np.isfinite(array)].astype(np.float64)
    if not finite.size:
        assert found.low is found.high is found.mean is None
        return
    assert found.low == finite.min()
    assert found.high == finite.max()


def test_the_mean_does_not_overflow() -> None:
    assert summarise(np.full(4, 1e308)).mean == 1e308


def test_a_constant_array_has_no_distribution() -> None:
    assert summarise(np.full((3, 3), 7)).bins == ()


# ------------------------------------------------------------------------ one number

ordinary = hnp.arrays(
    np.float64,
    hnp.array_shapes(max_dims=3, max_side=5),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False),
)


def exact(array: np.ndarray) -> float:
    """Return the norm in 60 digits, rounded once."""
    with localcontext() as context:
        context.prec = 60
        squares = (Decimal(x) ** 2 for x in array.astype(float).ravel().tolist())
        return float(sum(squares, Decimal(0)).sqrt())


@given(
    hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.float16]),
        hnp.array_shapes(min_side=0, max_dims=3, max_side=6),
        elements={"allow_nan": False, "allow_infinity": False},
    )
)
def test_norm_and_rms_of_any_finite_numbers_are_exact(array: np.ndarray) -> None:
    expected = exact(array)
    assert norm(array) == pytest.approx(expected, rel=1e-14, abs=0)
    assert norm(array) == pytest.approx(
        math.hypot(*array.astype(float).ravel().tolist()), rel=1e-14, abs=0
    )
    if array.size and math.isfinite(expected):
        root = expected / math.sqrt(array.size)
        assert rms_of_norm(norm(array), array.size) == pytest.approx(
            root, rel=1e-14, abs=1e-323
        )
    assert gist(array).norm == summarise(array).norm == norm(array)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([3e200, 4e200], 5e200),
        ([3e-200, 4e-200], 5e-200),
        ([3e-160, -4e-160], 5e-160),  # their squares are subnormal
        ([3e-320, 4e-320], 5e-320),
        ([5e-324], 5e-324),
        ([1.7e308, 1.7e308], math.inf),
        ([math.inf, 1.0], math.inf),
        ([-math.inf, math.nan], math.nan),
        ([math.nan], math.nan),
        ([], 0.0),
        ([0.0, -0.0], 0.0),
    ],
)
def test_a_norm_runs_neither_over_nor_under(
    numbers: list[float], expected: float
) -> None:
    found = norm(np.array(numbers))
    assert found == pytest.approx(expected, rel=1e-14, abs=1e-323, nan_ok=True)


def test_many_numbers_of_few_bits_are_added_in_many() -> None:
    few = np.full((1000, 300), 0.1, np.float32)
    assert norm(few) == pytest.approx(float(few[0, 0]) * 300_000**0.5, rel=1e-13)
    assert norm(few.T[::2]) == pytest.approx(norm(few) / 2**0.5, rel=1e-13)


@given(st.floats(allow_nan=False))
def test_the_size_of_a_number_is_its_absolute_value(number: float) -> None:
    assert norm(number) == norm(np.float64(number)) == norm(np.array(number))
    assert norm(number) == abs(number)


# -------------------------------------------------------------------------- in order


@given(
    hnp.arrays(np.float64, st.integers(0, 30), elements=st.floats()),
    st.integers(1, 40),
)
def test_the_largest_come_first_and_nan_before_all(
    numbers: np.ndarray, count: int
) -> None:
    values = numbers.tolist()
    nans = [n for n, value in enumerate(values) if math.isnan(value)]
    rest = [n for n, value in enumerate(values) if not math.isnan(value)]
    rest.sort(key=lambda n: -abs(values[n]))
    assert largest(numbers, count).tolist() == (nans + rest)[:count]
    for number, size in zip(values, magnitudes(numbers).tolist(), strict=True):
        assert size == (math.inf if math.isnan(number) else abs(number))


# ------------------------------------------------------------------- several numbers


@given(ordinary)
def test_a_norm_is_that_of_numpy(array: np.ndarray) -> None:
    assert norm(array) == pytest.approx(np.linalg.norm(array), rel=1e-12)


@given(ordinary)
def test_a_gist_agrees_with_numpy(array: np.ndarray) -> None:
    found = gist(array)
    assert (found.low, found.high) == (array.min(), array.max())
    assert found.zeros == (array == 0).sum()


def test_a_gist_tells_nan_and_inf_apart() -> None:
    found = gist(np.array([np.nan, np.inf, 0.0, -2.0]))
    assert (found.size, found.low, found.high) == (4, -2.0, 0.0)
    assert (found.zeros, found.nans, found.infinities) == (1, 1, 1)
    assert math.isnan(found.norm)
    assert gist(np.array([np.nan])).low is None


@pytest.mark.parametrize(
    ("numbers", "size"),
    [
        ([], 0.0),
        ([0.0, -0.0], 0.0),
        ([3.0, -4.0], 12.5**0.5),
        ([1e300, -1e300], 1e300),
        ([1e-300], 1e-300),
        ([np.inf, 1.0], np.inf),
        ([np.inf, np.nan], np.nan),
        ([True, False], 0.5**0.5),
    ],
)
def test_the_rms_is_the_root_mean_square(numbers: list[float], size: float) -> None:
    found = rms_of_norm(norm(np.array(numbers)), len(numbers))
    assert found == pytest.approx(size, nan_ok=True)


def test_half_precision_does_not_overflow() -> None:
    array = np.full((300, 300), 250.0, np.float16)
    assert norm(array) == pytest.approx(250 * 300)


def test_a_bar_grows_by_one_decade_for_each_factor_of_ten() -> None:
    assert [decade(10.0**power) for power in range(-7, 4)] == [
        1,
        1,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        8,
    ]
    assert decade(np.inf) == 8
    assert decade(np.nan) == decade(0.0) == 0
