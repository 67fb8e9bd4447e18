"""What counts as a symptom: more than a thousandth of the largest number."""

import numpy as np

from gradstep.core.mistakes.hidden import apart

NAN, INF = float("nan"), float("inf")


def test_a_thousandth_of_the_largest_number_is_rounding_and_more_is_none() -> None:
    one = np.array([1000.0, 0.0, 0.0, 5.0])
    other = np.array([1000.0, 1.0, 1.25, 5.75])
    assert apart(one, other).tolist() == [False, False, True, False]
    assert apart(other, one).tolist() == [False, False, True, False]
    assert not np.any(apart(0 * one, 0 * one))


def test_what_is_not_finite_is_the_same_where_both_are() -> None:
    one = np.array([NAN, NAN, INF, INF, -INF, 1.0])
    other = np.array([NAN, 1.0, INF, -INF, 1.0, 1.0])
    assert apart(one, other).tolist() == [False, True, False, True, True, False]
