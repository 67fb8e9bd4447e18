"""Where a result fits into its numbers, no step on the way to it leaves their range.

Each row is held against itself in longdouble, at numbers from all over the range.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cases import EXAMPLES, every_op
from gradstep.core.engine.backward import reduce_to
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.run import evaluate
from gradstep.core.ops import OPS
from runs import number, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ops_examples import Case

LONG = np.longdouble
needs_longer = pytest.mark.skipif(
    np.finfo(LONG).maxexp == np.finfo(np.float64).maxexp,
    reason="longdouble is no wider than float64 here",
)
narrow = pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
drawn = settings(max_examples=25, deadline=None)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


# Sums in float64 are what they are; see `summed`.
UNWATCHED = {
    "matmul",
    "dot",
    "outer",
    "einsum",
    "conv2d",
    "sum",
    "broadcast_to",
}
# A logarithm of a sum near 1, and a chance less 1, are as exact as 1 is.
NEAR_ONE = {"log_softmax", "cross_entropy", "binary_cross_entropy_with_logits"}


def from_everywhere(
    rng: np.random.Generator, like: np.ndarray, dtype: Any
) -> np.ndarray:
    """Return numbers with the signs of an example, from all decades of the range.

    One third is as the example has it: functions such as exp take small numbers only.
    """
    info = np.finfo(dtype)
    low, high = info.minexp - info.nmant, info.maxexp
    sizes = np.exp2(rng.uniform(low, high, like.shape).astype(LONG))
    ends = rng.choice(np.exp2(np.array([low, info.minexp, 0, high - 1], LONG)))
    sizes = np.where(rng.random(like.shape) < 0.3, ends, sizes)
    logs = rng.uniform(0, 1.5 * high, like.shape) * np.log(2)
    sizes = np.where(rng.random(like.shape) < 0.3, logs, sizes)
    far = np.where(like < 0, -sizes, sizes)
    chosen = np.where(rng.random(like.shape) < rng.choice([0.3, 0.7]), like, far)
    numbers = chosen.astype(dtype)
    numbers = np.where(np.isfinite(numbers), numbers, dtype(info.max))
    return np.asarray(numbers, dtype)


def widened(operands: Sequence[Any]) -> list[Any]:
    return [x.astype(LONG) if x.dtype.kind == "f" else x for x in operands]


def assert_fits(
    found: Any, exact: Any, shaken: Any, dtype: Any, what: str, least: Any = 0
) -> None:
    """Compare with the exact result, where that fits, in units of the last place.

    `shaken` are exact results of operands that were changed in their last places: what
    is added up may cancel, and no rule can be more exact than what it is given. `least`
    is a size to which the result is as exact as its dtype is.
    """
    found, info = np.asarray(found), np.finfo(dtype)
    exact, eps = np.asarray(exact, LONG), LONG(info.eps)
    fits = np.abs(exact) <= LONG(info.max) * (1 - eps)
    blur = np.max(np.nan_to_num(np.abs([one - exact for one in shaken])), 0)
    sizes = np.maximum(np.abs(exact), LONG(least))
    # A running sum is rounded once for each of its numbers.
    ulps = 8 + found.size
    steps = np.maximum(eps * sizes, LONG(info.smallest_subnormal))
    allowed = ulps * (steps + blur / 4)
    wrong = fits & ~(np.abs(found - exact) <= allowed)
    assert not np.any(wrong), (
        f"{what}: {found[wrong][:3]} where {exact[wrong][:3]} fits"
    )


def assert_row(name: str, case: Case, dtype: Any, seed: int) -> None:
    op, rng = OPS[name], np.random.default_rng(seed)
    operands = tuple(
        from_everywhere(rng, x, dtype) if x.dtype.kind == "f" else x
        for x in map(np.asarray, case.operands)
    )
    wide = widened(operands)
    near_one = int(name in NEAR_ONE)

    def shaken(arrays: list[Any]) -> list[Any]:
        eps = 8 * LONG(np.finfo(dtype).eps)
        return [
            x * (1 + rng.choice([-eps, eps], np.shape(x))) if x.dtype == LONG else x
            for x in arrays
        ]

    def forward(arrays: Any) -> Any:
        return np.asarray(op.forward(*arrays, **case.attributes))

    y = forward(operands)
    if y.dtype != dtype:
        return
    shakes = [forward(shaken(wide)) for _ in range(8)]
    assert_fits(y, forward(wide), shakes, dtype, f"{name} of {operands}", near_one)
    g = from_everywhere(rng, rng.uniform(-1, 1, y.shape), dtype)
    given = [g, y, *operands]
    for argument, operand in enumerate(operands):
        rule = op.vjp(argument)
        if rule is None or operand.dtype.kind != "f":
            continue

        def contribution(arrays: Any, rule: Any = rule, like: Any = operand) -> Any:
            product = np.asarray(rule(*arrays, **case.attributes))
            return reduce_to(product, like.shape)

        exact = widened(given)
        shakes = [contribution(shaken(exact)) for _ in range(8)]
        found = np.asarray(contribution(given)).astype(dtype)
        what = f"{name} by {argument}: upstream {g}, y {y}, operands {operands}"
        least = near_one * np.max(np.abs(exact[0]), initial=0)
        assert_fits(found, contribution(exact), shakes, dtype, what, least)


@needs_longer
@every_op
@narrow
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@drawn
def test_what_fits_is_right(
    name: str, dtype: Any, data: st.DataObject, seed: int
) -> None:
    if dtype is np.float64 and name in UNWATCHED:
        return
    case = data.draw(EXAMPLES[name].cases)
    assume(all(np.size(operand) for operand in case.operands))
    assert_row(name, case, dtype, seed)


TOGETHER = pytest.mark.parametrize("name", [n for n, op in OPS.items() if op.together])


def bits(value: Any) -> tuple[Any, ...]:
    array = np.asarray(value)
    return array.dtype, array.shape, array.tobytes()


@TOGETHER
@narrow
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), far=st.booleans())
@drawn
def test_what_is_made_together_is_what_is_made_alone(
    name: str, dtype: Any, data: st.DataObject, seed: int, *, far: bool
) -> None:
    op, rng = OPS[name], np.random.default_rng(seed)
    case = data.draw(EXAMPLES[name].cases)
    operands = [
        from_everywhere(rng, x, dtype) if far else x.astype(dtype)
        for x in map(np.asarray, case.operands[:1])
    ]
    operands += [np.asarray(x) for x in case.operands[1:]]
    y, slopes = op.together(*operands, **case.attributes) if op.together else (0, 0)
    alone = op.forward(*operands, **case.attributes)
    if y is None:
        assert slopes is None
        return
    assert dtype is not np.float16
    assert bits(y) == bits(alone)
    rule = op.vjp(0)
    assert rule is not None
    given = from_everywhere(rng, rng.uniform(-1, 1, np.shape(y)), dtype), y, *operands
    known = rule(*given, **case.attributes, slopes=slopes)
    assert bits(known) == bits(rule(*given, **case.attributes))


# ------------------------------------------------------- numbers worked out elsewhere


def gradients(name: str, dtype: Any, *operands: Any, g: Any = 1.0, **more: Any) -> Any:
    """Return the value of one operation, and the gradients of its operands."""
    build = Builder()
    arrays = [np.asarray(operand, dtype) for operand in operands]
    leaves = {
        build.leaf(f"x{k}", "input", one.shape): one for k, one in enumerate(arrays)
    }
    y = build.apply(OPS[name], tuple(leaves), more, "y")
    graph = build.finish(y)
    seed = np.full(graph.nodes[y].shape, g, dtype)
    run = evaluate(graph, leaves, seed)
    return run.value(y), *(run.gradient(leaf) for leaf in leaves)


def test_a_mean_of_more_numbers_than_float16_can_count() -> None:
    value, gradient = gradients("mean", np.float16, np.ones(70_000))
    assert value == 1
    np.testing.assert_allclose(gradient, 1 / 70_000, rtol=2e-3)


@pytest.mark.parametrize("name", ["max", "min"])
def test_more_ties_than_float16_can_count(name: str) -> None:
    _, gradient = gradients(name, np.float16, np.ones(70_000))
    np.testing.assert_allclose(gradient, 1.43e-5, rtol=2e-3)


def test_a_gradient_that_is_summed_over_a_broadcast_axis_of_float16() -> None:
    # Added one by one in float16, ones would stay at 2048.
    _, _, by_bias = gradients("add", np.float16, np.ones((5000, 2)), np.zeros(2))
    np.testing.assert_array_equal(by_bias, [5000, 5000])


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    # by mpmath, with 30 digits
    [
        ("sigmoid", 6.144174602214718e-06, 6.144136851333175e-06),
        ("silu", -7.373009522657662e-05, -6.758546761378339e-05),
    ],
)
def test_far_from_zero_in_float16(name: str, value: float, slope: float) -> None:
    found, gradient = gradients(name, np.float16, -12.0)
    assert found == pytest.approx(value, rel=1e-2)
    assert gradient == pytest.approx(slope, rel=1e-2)


def test_the_spread_of_large_numbers() -> None:
    # √(2 · 500² / 3), and the slopes (x − mean) / (n · std)
    value, gradient = gradients("std", np.float16, [500.0, -500.0, 0.0])
    assert value == pytest.approx(408.248, rel=1e-3)
    np.testing.assert_allclose(gradient, [0.408248, -0.408248, 0], rtol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_spread_at_the_end_of_the_range(dtype: Any) -> None:
    top = np.finfo(dtype).max
    for name in ("var", "std"):
        value, gradient = gradients(name, dtype, [top, top, top])
        assert value == 0
        np.testing.assert_array_equal(gradient, 0)
    value, gradient = gradients("mean", dtype, [top, top, top])
    assert value == top
    # Of −m, 0, m: m · √(2 / 3), with the slopes −1, 0, 1 over √6.
    value, gradient = gradients("std", dtype, [-top / 2, 0, top / 2])
    assert value == pytest.approx(top / 2 * np.sqrt(2 / 3), rel=1e-6)
    np.testing.assert_allclose(gradient, [-(6**-0.5), 0, 6**-0.5], rtol=1e-6)


def test_a_quotient_by_its_divisor() -> None:
    # −g · a / b², by hand
    _, _, by_b = gradients("divide", np.float16, 1.01e-4, 1e-2, g=1e-6)
    assert by_b == pytest.approx(-1.01e-6, rel=5e-2)
    _, _, by_b = gradients("divide", np.float32, 3.4e38, 2.0, g=3.0)
    assert by_b == pytest.approx(-2.55e38, rel=1e-6)
    _, _, by_b = gradients("divide", np.float64, 1.7e308, 2.0, g=3.0)
    assert by_b == pytest.approx(-1.275e308, rel=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("x", "value", "slope"),
    # by mpmath, with 30 digits
    [
        (-8.0, -4.976768459417427e-15, -3.979607261086796e-14),
        (-3.0, -0.0040496940948902835, -0.011945647204183927),
        (-1.0, -0.15865525393145705, -0.0833154705876863),
        (-0.5, -0.15426876936299344, 0.13250487534383715),
        (0.25, 0.14967658142073093, 0.695373354883636),
        (1.0, 0.8413447460685429, 1.0833154705876864),
        (2.5, 2.4844758366855597, 1.037611085908145),
    ],
)
def test_gelu_to_the_last_digits(
    dtype: Any, x: float, value: float, slope: float
) -> None:
    found, gradient = gradients("gelu", dtype, [x])
    eps = float(np.finfo(dtype).eps)
    loss = 1 + x * x  # what the rounding of x² / 2 does to exp, in float64
    loss = loss if dtype is np.float64 else 1
    assert found[0] == pytest.approx(value, rel=loss * eps)
    assert gradient[0] == pytest.approx(slope, rel=2 * loss * eps)


def test_gelu_of_whole_numbers_is_no_whole_number() -> None:
    found = OPS["gelu"].forward(np.array([1, 2]))  # Φ(1) and 2 Φ(2), by mpmath
    np.testing.assert_allclose(found, [0.8413447460685429, 1.9544997361036416], 1e-15)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_slope_of_gelu_beside_its_zero(dtype: Any) -> None:
    # Abramowitz and Stegun, table 26.1: Z(0.75) = 0.30113 74321 54804 and
    # P(0.75) = 0.77337 26476 23132, so that 1 − P − 0.75 Z = 7.742782607650e-4.
    _, slope = gradients("gelu", dtype, [-0.75])
    eps = float(np.finfo(dtype).eps)
    # Both terms are near 0.23 and take nearly all from each other.
    lost = 0.23 * eps if dtype is not np.float16 else 7.75e-4 * eps
    assert slope[0] == pytest.approx(7.742782607650e-4, abs=2 * lost)


def test_the_slope_of_gelu_changes_its_sign_at_its_minimum() -> None:
    # The zero of Φ(x) + x · φ(x) by bisection, with 50 digits: −0.751791524693564457…
    _, slope = gradients("gelu", np.float64, [-0.7517915246936, -0.7517915246935])
    assert slope[0] < 0 < slope[1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_slope_of_a_square_is_there_where_its_half_is_too_small(dtype: Any) -> None:
    least = np.finfo(dtype).smallest_subnormal
    x = np.array([2.0**-10], dtype)
    g = np.array([float(least) * 2.0**9], dtype)  # 2 · g · x is the least number
    slope = OPS["power"].vjp(0)
    assert slope is not None
    assert slope(g, x * x, x, 2)[0] == least


@narrow
def test_a_third_power_rounds_twice_at_most(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    top = float(np.finfo(dtype).max) ** (1 / 3)
    x = rng.uniform(-top, top, 500).astype(dtype) * dtype(0.99)
    found, slope = gradients("power", dtype, x, 3)[:2]
    for one, cube, by_x in zip(x, found, slope, strict=True):
        exact = Fraction(float(one))
        for value, right in ((cube, exact**3), (by_x, 3 * exact**2)):
            unit = Fraction(float(np.spacing(abs(value))))
            assert abs(Fraction(float(value)) - right) <= 2 * unit


@narrow
def test_a_third_power_at_corners(dtype: Any) -> None:
    top, least = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    x = np.array([np.inf, -np.inf, np.nan, top, -top, least, -least, 0.0, -0.0], dtype)
    found = OPS["power"].forward(x, 3)
    right = np.array([np.inf, -np.inf, np.nan, np.inf, -np.inf, 0, -0.0, 0, -0.0])
    np.testing.assert_array_equal(found, right)
    np.testing.assert_array_equal(np.signbit(found[3:]), np.signbit(right[3:]))
    assert found.dtype == dtype


@pytest.mark.parametrize("base", [0, 1, 2, 3, -1])
@pytest.mark.parametrize("kind", [float, np.float64, np.float32, np.float16])
def test_a_whole_number_to_the_third_of_floats_is_a_float(base: int, kind: Any) -> None:
    """As in NumPy; in whole numbers a gradient of 0.3 would be 0."""
    for b in (kind(3.0), np.full(2, 3, kind)):
        found, like = OPS["power"].forward(base, b), np.power(base, b)
        assert np.asarray(found).dtype == np.asarray(like).dtype
        np.testing.assert_array_equal(found, like)


@pytest.mark.parametrize("factor", ["1.0", "max(D)"])
def test_the_gradient_of_two_to_the_third_is_no_whole_number(factor: str) -> None:
    """By hand: 0.3 · 8 · log 2."""
    run = run_of(f"y = 2 ** b\nE = y * 0.3 * {factor}", b=3.0, D=[1.0])
    found = run.gradient(number(run, "b"))
    assert found is not None
    np.testing.assert_allclose(found, 2.4 * math.log(2), 1e-15)


def test_odd_powers_of_whole_numbers_stay_whole() -> None:
    for exponent, right in ((3, [-27, 8]), (5, [-243, 32])):
        found = OPS["power"].forward(np.array([-3, 2]), exponent)
        assert found.tolist() == right
        assert found.dtype.kind == "i"


def test_sigmoid_of_float32_where_exp_overflows() -> None:
    # e⁻⁹⁵ and −95 e⁻⁹⁵ to the last bit of such small numbers, and ½ beside them
    x = np.array([-95.0, 0.0], np.float32)
    least = float(np.finfo(np.float32).smallest_subnormal)
    assert OPS["sigmoid"].forward(x) == pytest.approx([math.exp(-95), 0.5], abs=least)
    small = -95 * math.exp(-95)
    assert OPS["silu"].forward(x) == pytest.approx([small, 0.0], abs=least)
