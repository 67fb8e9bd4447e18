"""Differences of functions whose slopes are known, and what is concluded from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradstep.core.check.differences import (
    SCHEMES,
    Function,
    Groups,
    Interrupted,
    Limit,
    Scheme,
    limits,
    noise_of,
    slopes,
    steps_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = 2.0**-10
# Each element of the result depends on the one element of x at its place.
EACH = Groups(((...,),), np.asarray)
# One element after the other, though they could be moved at once.
ONE_BY_ONE = Groups(((0,), (1,), (2,)), np.sum)


@pytest.fixture(autouse=True)
def _ignored() -> Iterator[None]:
    """Let numbers be infinite, as a check does."""
    with np.errstate(all="ignore"):
        yield


def function(x: Any, at: Any = np.square, **others: Any) -> Function:
    x = np.asarray(x)
    base = np.asarray(at(x))
    given = {"weight": np.ones(base.shape), "base": base, "noise": 0.0, **others}
    return Function(at, x, **given)


def numbers(array: Any) -> list[float]:
    return np.asarray(array).tolist()


# ------------------------------------------------------------------------- steps


@pytest.mark.parametrize(
    ("scheme", "quiet", "loud"),
    [
        # √ε is 2⁻²⁶, ∛ε is 2^-17.3, and the rest are 2^-16.6, 2^-6.6 and 2^-66.4.
        ("forward", 2.0**-26, 2.0**-17),
        ("central", 2.0**-17, 2.0**-7),
        ("complex", 2.0**-66, 2.0**-66),
    ],
)
def test_the_least_step_and_the_most(scheme: Scheme, quiet: float, loud: float) -> None:
    for noise, step in ((0.0, quiet), (1.0, loud)):
        one = function([1.0], noise=noise)
        assert numbers(steps_for(one, scheme, np.array([1.0]))) == [step]


def test_a_step_drowns_rounding_to_a_millionth_of_the_largest_slope() -> None:
    one = function([1.0, 1.0], noise=3e-6 * STEP)
    for slope in ([1.0, -3.0], [3.0, np.inf], [np.nan, 3.0]):
        assert numbers(steps_for(one, "central", np.array(slope))) == [STEP] * 2
    # Without a slope there is nothing to drown.
    least = [2.0**-17] * 2
    assert numbers(steps_for(one, "central", np.zeros(2))) == least


@pytest.mark.parametrize(
    ("x", "units"),
    [
        ([4.0, 0.0], [4, 1]),  # the typical one is 2.8, and 1 is enough
        ([0.25, 0.0, 0.0, 0.0], [0.25, 0.125, 0.125, 0.125]),
        ([0.0, 0.0], [1, 1]),
        ([np.inf, 8.0], [1, 8]),
        ([np.nan, 0.0, 0.0, 0.0], [1, 0.5, 0.5, 0.5]),
        ([1e305], [2.0**997]),  # at most 1e300, which is 2^996.6
        ([2.0**-700, 0.0, 0.0, 0.0], [2.0**-700, *[2.0**-701] * 3]),  # no square fits
        ([], []),
    ],
)
def test_a_step_is_in_units_of_what_is_moved(
    x: list[float], units: list[float]
) -> None:
    one = function(np.array(x))
    steps = steps_for(one, "forward", np.ones(len(x)))
    assert numbers(steps * 2.0**26) == units


def test_the_noise_is_what_eight_roundings_do_to_a_difference() -> None:
    one = function([1.0, 1.0], noise=np.array([3.0, 5.0]))
    steps = np.array([0.5, 0.25])
    for scheme in ("forward", "central"):
        assert numbers(noise_of(one, steps, scheme)) == [48, 160]
    assert numbers(noise_of(one, steps, "complex")) == [0, 0]


# ------------------------------------------------------------------- differences

SQUARES: dict[Scheme, tuple[list[float], list[float]]] = {
    # (x + h)² − x² = (2x + h) h
    "forward": ([6 + STEP, -2 + STEP, 1 + STEP], [6 + STEP, -2 + STEP, 1 + STEP]),
    "central": ([6 + STEP, -2 + STEP, 1 + STEP], [6 - STEP, -2 - STEP, 1 - STEP]),
    "complex": ([6, -2, 1], [6, -2, 1]),
}


@pytest.mark.parametrize("groups", [None, EACH, ONE_BY_ONE])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_differences_of_squares(scheme: Scheme, groups: Groups | None) -> None:
    one = function([3.0, -1.0, 0.5], groups=groups)
    told: list[int] = []
    steps = np.full(3, STEP)
    found = slopes(one, scheme, steps, [0, 1, 2], told.append)
    assert (numbers(found.right), numbers(found.left)) == SQUARES[scheme]
    assert told == ([1, 1, 1] if groups is None else [3])
    some = slopes(one, scheme, steps, [2, 0])
    assert numbers(some.right) == [SQUARES[scheme][0][place] for place in (2, 0)]


def test_the_middle_of_two_sides_is_the_central_difference() -> None:
    found = slopes(function([3.0]), "central", np.array([STEP]), [0])
    assert numbers(found.middle) == [6]


def test_each_element_has_a_step_and_a_weight_of_its_own() -> None:
    steps = np.array([0.5, 0.25])
    for groups in (None, EACH):
        one = function([3.0, 4.0], weight=np.array([2.0, -1.0]), groups=groups)
        found = slopes(one, "forward", steps, [0, 1])
        assert numbers(found.right) == [2 * 6.5, -8.25]


def test_few_elements_are_moved_alone_where_that_is_less_work() -> None:
    moved: list[list[float]] = []

    def at(x: Any) -> Any:
        moved.append(numbers(x))
        return x * x

    one = function([3.0, -1.0, 0.5], at, groups=ONE_BY_ONE)
    del moved[:]
    found = slopes(one, "central", np.full(3, 0.5), [1])
    assert (numbers(found.right), numbers(found.left)) == ([-1.5], [-2.5])
    assert moved == [[3, -0.5, 0.5], [3, -1.5, 0.5]]


def test_an_infinite_number_that_was_not_touched_has_not_changed() -> None:
    def beside(x: Any) -> Any:
        return np.array([np.inf, x[0]])

    assert numbers(slopes(function([3.0], beside), "central", *_HALF).right) == [1]
    one = function([3.0], lambda _x: np.float64(np.inf))
    assert numbers(slopes(one, "central", *_HALF).right) == [0]


_HALF = (np.array([0.5]), [0])


def test_what_was_done_before_an_interrupt_is_kept() -> None:
    def at(x: Any) -> Any:
        if x[1] != -1.0:
            raise KeyboardInterrupt
        return x * x

    one = function([3.0, -1.0], at)
    with pytest.raises(Interrupted) as caught:
        slopes(one, "central", np.full(2, STEP), [0, 1])
    done = caught.value.done
    assert (numbers(done.right), numbers(done.left)) == ([6 + STEP], [6 - STEP])


def test_what_an_infinite_result_hides() -> None:
    def shifted(x: Any) -> Any:
        return x + np.array([np.inf, 1.0])

    for weight, hidden in {(1.0, 1.0): True, (0.0, 1.0): False}.items():
        one = function([1.0, 2.0], shifted, weight=np.array(weight))
        assert numbers(one.hidden()) == [hidden, hidden]
        each = function([1.0, 2.0], shifted, weight=np.array(weight), groups=EACH)
        assert numbers(each.hidden()) == [hidden, False]


# ------------------------------------------------------------------- one element

RUNGS = range(7, 37, 3)  # the steps are 1/128, an eighth of it, … 2⁻³⁴


def limit(right: list[float], left: list[float], noise: float = 0.0) -> Limit | None:
    """Return what ten one-sided slopes tend to, those of the largest step first."""

    def at(x: Any) -> Any:
        moved = float(x[0]) - 1.0
        rung = RUNGS.index(-round(np.log2(abs(moved)))) if moved else 0
        return (right if moved > 0 else left)[rung] * moved

    one = Function(at, np.array([1.0]), np.array(1.0), np.array(0.0), noise)
    (found,) = limits(one, [0])
    return found


def certain(
    right: list[float], left: list[float] | None = None, noise: float = 0.0
) -> Limit:
    found = limit(right, right if left is None else left, noise)
    assert found is not None
    return found


def test_the_two_smallest_steps_of_a_smooth_function_decide() -> None:
    found = certain([6.0 + 8.0**-rung for rung in range(10)])
    assert found.value == 6 + 8.0**-9
    assert found.error == 7 * 8.0**-9 / 4  # a fourth of what the last step changed
    assert (found.corner, found.jump) == (False, False)


def test_where_rounding_is_all_the_largest_steps_decide() -> None:
    found = certain([6.0] * 10, noise=2.0**-13)
    assert (found.value, found.error) == (6, 8 * 2.0**-13 * 2.0**10)


@pytest.mark.parametrize(
    ("off", "value", "error"),
    [
        # The last step allows 4 · 8, the one before 4 · 1 about it: 36 in all.
        *((36, 36, 1), (-36, -36, 1)),
        # What grows by a smaller step has not settled: all of the change counts.
        *((37, 0, 37 + 8), (-37, 0, 37 + 8)),
    ],
)
def test_a_larger_step_counts_where_it_agrees_with_all_smaller_ones(
    off: float, value: float, error: float
) -> None:
    """With 2⁻¹⁰ for a unit: rounding of 8 at the last step, of 1 at the one before."""
    unit = 2.0**-10
    found = certain([1 + off * unit] * 9 + [1.0], noise=unit * 2.0**-34)
    assert (found.value, found.error) == (1 + value * unit, error * unit)


def test_of_two_that_are_as_good_the_smaller_step_counts() -> None:
    parts = [2.0**-rung for rung in range(10)]
    found = certain([1 + part for part in parts], [1 - part for part in parts])
    assert (found.value, found.error) == (1, 0)
    assert (found.right, found.left) == (1 + parts[9], 1 - parts[9])


def test_what_changes_as_much_by_any_step_is_no_slope() -> None:
    """Up and down in between, as sin(x) for a large x: it jumps wherever one looks."""
    slopes = [(-1) ** rung * 8.0**rung for rung in range(10)]
    assert certain([*slopes[:8], 0.5 * slopes[8], slopes[9]]).jump
    assert certain([*slopes[:9], 0.02 * slopes[9]]).jump
    assert not certain([*slopes[:9], 0.005 * slopes[9]]).jump


def test_without_two_finite_slopes_in_a_row_nothing_is_known() -> None:
    nan = float("nan")
    for known in ([nan] * 10, [nan] * 9 + [1.0], [1.0] + [nan] * 9, [1.0, nan] * 5):
        assert limit(known, known) is None
    found = certain([nan] * 4 + [1.0, 1.25] + [nan] * 4)
    assert (found.value, found.error) == (1.25, 0.0625)


@pytest.mark.parametrize(
    ("factors", "jump"),
    [
        ([8.0] * 9, True),
        ([4.5] * 9, True),
        ([4.0] * 9, False),
        ([1.0] * 5 + [8.0] * 4, True),  # the last four times
        ([1.0] * 6 + [8.0] * 3, False),
    ],
)
def test_slopes_that_grow_more_than_fourfold_are_those_of_a_jump(
    factors: list[float], *, jump: bool
) -> None:
    found = certain(np.cumprod([1.0, *factors]).tolist())
    assert found.jump is jump


@pytest.mark.parametrize(
    ("gap", "before", "corner"), [(2, 2, True), (2, 3, True), (2, 4, False)]
)
def test_at_a_corner_the_gap_of_the_sides_does_not_halve(
    gap: float, before: float, *, corner: bool
) -> None:
    gaps = [before] * 9 + [gap]
    found = certain([1 + each / 2 for each in gaps], [1 - each / 2 for each in gaps])
    assert (found.right, found.left) == (1 + gap / 2, 1 - gap / 2)
    assert found.corner is corner


@pytest.mark.parametrize(
    ("gap", "value", "noise", "corner"),
    [
        # More than a millionth of the slope …
        *((1.0, 1e6, 0.0, False), (1.5, 1e6, 0.0, True)),
        # … and more than four times the rounding, which is 1 at the second step.
        *((4.0, 0.0, 2.0**-13, False), (4.5, 0.0, 2.0**-13, True)),
    ],
)
def test_the_gap_of_a_corner_is_more_than_rounding(
    gap: float, value: float, noise: float, *, corner: bool
) -> None:
    found = certain([value + gap / 2] * 10, [value - gap / 2] * 10, noise)
    assert (found.value, found.right) == (value, value + gap / 2)
    assert found.corner is corner


@pytest.mark.parametrize(
    ("slope", "is_between"),
    [(0.75, True), (0.7, False), (3.25, True), (3.3, False), (2.0, True)],
)
def test_a_slope_between_the_sides(slope: float, *, is_between: bool) -> None:
    for right, left in ((1.0, 3.0), (3.0, 1.0)):
        found = Limit(2.0, 0.0, right, left, corner=True, jump=False)
        assert found.has_between(slope, 0.25) is is_between
