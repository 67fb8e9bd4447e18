"""Elements worth a look: the largest, the smallest, the next one that is not finite."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.pictures import jumps

NUMBERS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf]), st.floats()
)


def test_where_to_jump_in_a_matrix() -> None:
    matrix = np.array([[3.0, math.nan, -7.0], [math.inf, 8.0, math.nan]])
    assert jumps.largest(matrix) == (1, 0)
    assert jumps.smallest(matrix) == (0, 2)
    places: list[tuple[int, ...]] = [(0, 0)]
    for _ in range(4):
        found = jumps.next_nonfinite(matrix, places[-1])
        assert found is not None
        places.append(found)
    assert places == [(0, 0), (0, 1), (1, 0), (1, 2), (0, 1)]


def test_the_first_element_and_one_alone_are_found() -> None:
    assert jumps.next_nonfinite(np.array([math.nan, 1.0]), (1,)) == (0,)
    assert jumps.next_nonfinite(np.array([1.0, math.nan]), (1,)) == (1,)
    assert jumps.next_nonfinite(np.array(math.inf), ()) == ()
    assert jumps.next_nonfinite(np.array([1.0, 2.0]), (0,)) is None
    assert jumps.largest(np.array(2.0)) == jumps.smallest(np.array(2.0)) == ()


def test_infinities_are_numbers_beside_nan() -> None:
    numbers = np.array([math.nan, math.inf, -math.inf])
    assert jumps.largest(numbers) == (1,)
    assert jumps.smallest(numbers) == (2,)


def test_there_is_nowhere_to_jump() -> None:
    for seek in (jumps.largest, jumps.smallest):
        assert seek(np.array([])) is None
        assert seek(np.array([math.nan, math.nan])) is None


def test_a_long_array_is_searched_to_its_end_and_around() -> None:
    array = np.zeros(2_500_000)
    array[[5, 1_000_000, 2_499_999]] = math.nan
    places = [5, 1_000_000, 2_499_999]
    for start, found in zip([0, *places], [*places, 5], strict=True):
        assert jumps.next_nonfinite(array, (start,)) == (found,)


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.integers(0, 19))
def test_places_worth_a_look_are_found_in_parts(numbers: list[float], at: int) -> None:
    array, start = np.array(numbers), at % len(numbers)
    ordinary = [n for n in range(len(numbers)) if not np.isnan(array[n])]
    bad = [n for n in range(len(numbers)) if not np.isfinite(array[n])]
    after = [n for n in bad if n > start] + bad
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jumps, "_AT_ONCE", 2)
        expected = (after[0],) if after else None
        assert jumps.next_nonfinite(array, (start,)) == expected
        for find, best in ((jumps.largest, max), (jumps.smallest, min)):
            place = best(ordinary, key=lambda n: array[n], default=None)
            assert find(array) == (None if place is None else (place,))
