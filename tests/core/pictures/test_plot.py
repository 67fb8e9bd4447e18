"""Curves as characters: scales, ticks, dots of braille, sparks."""

from __future__ import annotations

import math
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.pictures.plot import (
    Scale,
    column_of,
    curve,
    number_at,
    reads_better_on_log,
    scale_of,
    spark,
)

# ------------------------------------------------------------------------- scales


def test_places_on_a_scale() -> None:
    numbers = np.array([-5.0, 0.0, 5.0, 10.0, 20.0, np.nan, np.inf])
    np.testing.assert_array_equal(
        Scale(0, 10).shares(numbers), [0, 0, 0.5, 1, 1, np.nan, np.nan]
    )
    assert Scale(2, 6).share(3) == 0.25
    decades = Scale(0.01, 100, log=True)
    np.testing.assert_allclose(
        decades.shares(np.array([0.001, 0.01, 0.1, 1, 10, 1000, 0, -1])),
        [0, 0, 0.25, 0.5, 0.75, 1, np.nan, np.nan],
    )


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0, 10, 4, [0, 5, 10]),
        (0, 10, 6, [0, 2, 4, 6, 8, 10]),
        (0, 10, 11, [*range(11)]),
        (0, 7, 4, [0, 2, 4, 6]),
        (0.5, 9.5, 9, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (-3, 14, 1, [0, 10]),
        (-3, 3, 7, [-3, -2, -1, 0, 1, 2, 3]),
        (-3, 3, 6, [-2, 0, 2]),
        (0.5, 0.95, 5, [0.5, 0.6, 0.7, 0.8, 0.9]),
        (0.001, 0.0045, 4, [0.001, 0.002, 0.003, 0.004]),
        (0.0012, 0.0018, 7, [0.0012, 0.0013, 0.0014, 0.0015, 0.0016, 0.0017, 0.0018]),
        (0, 1, 2, [0, 1]),
        (0, 1, 1, [0, 1]),
        (0.3, 1.7, 2, [0.3, 1.7]),
    ],
)
def test_round_numbers_on_a_scale(
    low: float, high: float, most: int, ticks: list[float]
) -> None:
    assert Scale(low, high).ticks(most) == ticks


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (1e-3, 1e3, 7, [1e-3, 1e-2, 0.1, 1, 10, 100, 1e3]),
        (1e-3, 1e3, 6, [1e-3, 0.1, 10, 1e3]),
        (1e-3, 1e3, 4, [1e-3, 0.1, 10, 1e3]),
        (1e-3, 1e3, 3, [1e-3, 1, 1e3]),
        (1e-3, 1e3, 2, [1e-3, 1e3]),
        (1e-3, 1e3, 1, [1e-3, 1e3]),
        (2, 500, 5, [10, 100]),
        (2, 50, 5, [2, 50]),
        (0.1, 10, 5, [0.1, 1, 10]),
    ],
)
def test_decades_on_a_log_scale(
    low: float, high: float, most: int, ticks: list[float]
) -> None:
    assert Scale(low, high, log=True).ticks(most) == ticks


@pytest.mark.parametrize(
    ("numbers", "low", "high"),
    [
        ([], 0, 1),
        ([math.nan, math.inf], 0, 1),
        ([2, math.nan, -1, math.inf], -1, 2),
        ([3, 3], 1.5, 4.5),
        ([-0.2], -0.7, 0.3),
        ([0.5, 0.5], 0, 1),
        ([1, 1 + 7e-13], 0.5, 1.5 + 7e-13),  # they agree: there is room around them
        ([1, 1 + 14e-13], 1, 1 + 14e-13),
        ([-4, -4 + 3 * 2**-40], -6, -2 + 3 * 2**-40),
        ([0, 0.7e-300], -0.5, 0.5),
        ([0, 1e-300], -0.5, 0.5),
        ([0, 1.4e-300], 0, 1.4e-300),
        ([-1e308, 1e308], -1e307, 1e307),  # their difference is too large for a number
    ],
)
def test_a_scale_holds_all_numbers(
    numbers: list[float], low: float, high: float
) -> None:
    scale = scale_of(np.array(numbers, dtype=np.float64), log=False)
    assert (scale.low, scale.high) == (low, high)
    assert not scale.log


@pytest.mark.parametrize(
    ("numbers", "low", "high"),
    [
        ([], 0.1, 1),
        ([0, -1, math.nan], 0.1, 1),
        ([1e-3, 5], 1e-3, 10),
        ([0.002, 0.02], 1e-3, 0.1),
        ([0.5, -2, 0], 0.1, 1),
        ([10], 10, 100),
        ([5e-324, 1e300], 1e-307, 1e300),
        ([2, 1.5e308], 1, 1e308),
    ],
)
def test_a_log_scale_ends_at_whole_decades(
    numbers: list[float], low: float, high: float
) -> None:
    scale = scale_of(np.array(numbers, dtype=np.float64), log=True)
    assert (scale.low, scale.high) == (low, high)
    assert scale.log


@given(
    st.floats(-1e9, 1e9),
    st.floats(1e-6, 1e9),
    st.integers(2, 12),
)
def test_ticks_are_round_inside_and_not_too_many(
    low: float, span: float, most: int
) -> None:
    scale = Scale(low, low + span)
    ticks = scale.ticks(most)
    assert 2 <= len(ticks) <= max(most, 2)
    assert ticks == sorted(ticks)
    assert all(low - 1e-6 * span <= t <= low + span * (1 + 1e-6) for t in ticks)


@given(st.integers(-300, 300), st.integers(1, 8), st.integers(2, 9))
def test_a_log_scale_has_decades(first: int, decades: int, most: int) -> None:
    ticks = Scale(10.0**first, 10.0 ** (first + decades), log=True).ticks(most)
    assert len(ticks) <= max(most, 2)
    assert all(math.log10(t) == pytest.approx(round(math.log10(t))) for t in ticks)


@pytest.mark.parametrize("span", [5e-324, 1e-310, 1e-301, 1e-299, 0.0])
@pytest.mark.parametrize("low", [0.0, -1e-310, 1.0])
def test_numbers_that_almost_agree_have_ticks_as_well(low: float, span: float) -> None:
    scale = scale_of(np.array([low, low + span]), log=False)
    ticks = scale.ticks(6)
    assert ticks == sorted(set(ticks))
    assert scale.low <= ticks[0] < ticks[-1] <= scale.high


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60),
    st.integers(1, 30),
    st.integers(1, 10),
    st.booleans(),
)
def test_any_curve_can_be_drawn(
    numbers: list[float], width: int, height: int, log: bool
) -> None:
    array = np.array(numbers, dtype=np.float64)
    lines = curve(array, scale_of(array, log=log), width, height)
    assert [len(line) for line in lines] == [width] * height
    assert all(0x2800 <= ord(c) <= 0x28FF for line in lines for c in line)


def dots(lines: list[str]) -> str:
    """Draw braille as a picture, by the names that Unicode gives to its dots."""
    rows: list[str] = []
    for line in lines:
        names = [unicodedata.name(cell).partition("DOTS-")[2] for cell in line]
        for left, right in ("14", "25", "36", "78"):
            rows.append("".join(".#"[d in n] for n in names for d in (left, right)))
    return "\n".join(rows)


def test_each_number_sets_its_own_dot() -> None:
    for number in range(4):
        row = 3 - number  # from the top
        left = curve(np.array([float(number)]), Scale(0, 3), 1, 1)
        right = curve(np.array([math.nan, float(number)]), Scale(0, 3), 1, 1)
        assert dots(left).split() == [("#." if r == row else "..") for r in range(4)]
        assert dots(right).split() == [(".#" if r == row else "..") for r in range(4)]


def test_a_line_meets_itself_in_every_column() -> None:
    rising = curve(np.array([0.0, 8.0]), Scale(0, 8), 2, 2)
    assert dots(rising).split() == [
        "...#",
        "..##",
        "..#.",
        ".##.",
        ".#..",
        ".#..",
        "##..",
        "#...",
    ]
    falling = curve(np.array([8.0, 0.0]), Scale(0, 8), 2, 2)
    assert dots(falling).split() == [row[::-1] for row in dots(rising).split()]


def test_a_corner_stands_in_its_own_column() -> None:
    peak = curve(np.array([0.0, 7.0, 0.0, 0.0]), Scale(0, 7), 2, 2)
    assert dots(peak).split() == [
        ".#..",
        ".#..",
        ".#..",
        "###.",
        "#.#.",
        "#.#.",
        "#.#.",
        "#.##",
    ]


def test_points_are_joined_until_four_stand_in_a_column() -> None:
    def step(count: int) -> list[str]:
        numbers = np.repeat([0.0, 1.0], count // 2)
        return dots(curve(numbers, Scale(0, 1), 1, 1)).split()

    joined, apart = [".#", "##", "#.", "#."], [".#", "..", "..", "#."]
    assert step(6) == step(8) == joined
    assert step(10) == step(12) == apart
    first = curve(np.array([1.0, *[0.0] * 9]), Scale(0, 1), 1, 1)
    assert dots(first).split() == ["#.", "#.", "#.", "##"]


def test_a_rising_line_goes_from_corner_to_corner_without_a_gap() -> None:
    lines = curve(np.arange(5.0), Scale(0, 4), 10, 3)
    assert lines[2][0] != "⠀" != lines[0][-1]
    assert all(any(line[k] != "⠀" for line in lines) for k in range(10))


def test_a_missing_point_leaves_a_gap() -> None:
    lines = curve(np.array([1.0, np.nan, np.nan, 1.0]), Scale(0, 2), 12, 1)
    assert lines[0][0] != "⠀"
    assert lines[0][5] == "⠀"


def test_many_points_in_a_column_show_their_range() -> None:
    waves = np.tile([0.0, 1.0], 500)
    lines = curve(waves, Scale(0, 1), 5, 4)
    assert all(cell == "⣿" for line in lines for cell in line)


@given(st.integers(1, 500), st.integers(2, 80))
def test_a_click_on_a_point_finds_it_or_one_beside_it(count: int, width: int) -> None:
    for number in {0, count // 3, count - 1}:
        column = column_of(number, count, width)
        assert 0 <= column < width
        near = number_at(column, count, width)
        assert 0 <= near < count
        assert abs(near - number) <= max(count / width, 1)


def test_the_column_of_a_point_and_the_point_of_a_column() -> None:
    assert [column_of(n, 5, 9) for n in range(5)] == [0, 2, 4, 6, 8]
    assert [column_of(n, 2, 3) for n in range(2)] == [0, 2]
    assert [column_of(n, 6, 5) for n in range(6)] == [0, 1, 2, 2, 3, 4]
    assert column_of(0, 1, 9) == 0
    assert [number_at(c, 5, 9) for c in range(9)] == [0, 1, 1, 2, 2, 2, 3, 3, 4]
    assert [number_at(c, 5, 9) for c in (-3, 20)] == [0, 4]
    assert [number_at(c, 1, 1) for c in (-1, 0, 1)] == [0, 0, 0]
    assert [number_at(c, 9, 1) for c in (-1, 0, 1)] == [0, 4, 8]
    assert 0 <= number_at(0, 9, 0) <= 8  # a pane may have no room for a column


def test_a_bar_for_each_part_of_a_log_scale() -> None:
    assert spark([10.0**n for n in range(8)], 8) == "▁▂▃▄▅▆▇█"
    assert spark([1.0, 100.0, 10.0, 1.0], 2) == "█▁"  # on a scale from 10 to 100
    assert spark([1.0, 100.0, 10.0, 1.0], 3) == "▁█▄"
    assert spark([5.0], 1) == "▁"
    assert spark([1.0, 1.5], 2) == "▁▅"  # a scale has a factor of 2 at least
    assert spark([1.0, 2.0], 2) == spark([1.0, 4.0], 2) == "▁█"
    assert spark([6e307, 1e308], 2) == "▁█"
    assert spark([math.inf, 1.0, 0.0, -1.0], 4) == "×▁··"
    assert spark([0.0, math.nan], 2) == "··"
    assert spark([1.0], 0) == ""


def test_sparks_stretch_and_squeeze() -> None:
    assert spark([1.0, 10.0], 6) == "▁▁▁███"
    assert len(spark(list(np.geomspace(1, 9, 100)), 7)) == 7
    assert spark([None, 0.0, math.inf], 3) == "··×"
    assert spark([], 5) == ""


def test_numbers_of_twenty_to_one_read_better_on_a_log_scale() -> None:
    for numbers, better in (
        ([1e-3, 1.0], True),
        ([0.5, 0.1, 2.2], True),  # 22 to 1
        ([3.0, 63.0], True),  # 21 to 1
        ([3.0, 60.0], False),  # 20 to 1
        ([3.0, 57.0], False),  # 19 to 1
        ([0.5, 1.0], False),
        ([0.0, 1e-3, 1.0], False),  # zero has no place on a log scale
        ([-1e-3, 1.0], False),
        ([1.0, math.inf, math.nan], False),
        ([1e-3, 1.0, math.inf, math.nan], True),
        ([math.nan], False),
    ):
        assert reads_better_on_log(np.array(numbers)) is better, numbers
