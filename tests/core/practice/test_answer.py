"""A number is right where it is the right one, rounded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.base.errors import CommandError
from gradstep.core.practice.answer import (
    fits,
    is_near,
    is_rough,
    precision_of,
    read_number,
    read_shape,
    read_signs,
    signs_text,
)


def value(text: str) -> float:
    """Return what an expression of numbers comes to."""
    return eval(text, {"__builtins__": {}})  # of this file


@pytest.mark.parametrize(
    ("text", "number", "is_right"),
    [
        ("20", 20.0, True),
        ("20.", 20.0, True),
        ("2e1", 20.0, True),
        ("-0.25", -0.25, True),
        ("0.25", -0.25, False),
        ("0.269", 0.2689414, True),
        ("0.2689", 0.2689414, True),
        ("0.2690", 0.2689414, False),  # the fourth digit is wrong
        ("0.27", 0.2689414, False),  # two digits are too few
        ("0.268", 0.2689414, False),  # cut off
        ("1.1 * 3", 3.3000000000000003, True),
        ("3.3", 3.3000000000000003, True),
        ("3.31", 3.3000000000000003, False),
        ("0.2689 * 0.7311", 0.19661193, True),  # both factors are rounded
        ("0.269 * 0.731", 0.19661193, False),  # so few digits are taken as they are
        ("0.2689 * 0.7411", 0.19661193, False),
        ("1.50e7", 15_020_000.0, True),
        ("1.50e7", 15_060_000.0, False),
        ("0", 0.0, True),
        ("-0", 0.0, True),
        ("0", 0.001, False),
        ("nan", float("nan"), True),
        ("nan", 0.0, False),
        ("inf", float("inf"), True),
        ("-inf", float("inf"), False),
        ("1e308 * 10", float("inf"), True),
    ],
)
def test_what_is_right(text: str, number: float, is_right: bool) -> None:
    precision = 4 * 2.2e-16 * abs(number) if number - number == 0 else 0.0
    assert fits(read_number(text, value), number, precision) is is_right


@pytest.mark.parametrize("text", ["[1, 2]", "'a'"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(CommandError):
        read_number(text, value)


@given(
    st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6),
    st.integers(1, 15),
    st.sampled_from(["{:.{}e}", "{:+.{}E}"]),
)
def test_a_rounded_number_is_right_from_three_digits_on(
    number: float, digits: int, form: str
) -> None:
    text = form.format(number, digits - 1)
    said = read_number(text, value)
    exact = float(text) == number
    precision = 1e-15 * abs(number)  # a tie is none in floats
    assert fits(said, number, precision) is (digits >= 3 or exact)
    assert is_rough(said, number, precision) is (digits < 3)


@pytest.mark.parametrize("text", ["1e999", "100e999", "-2e400"])
def test_what_is_too_large_for_a_number_is_wrong(text: str) -> None:
    said = read_number(text, value)
    assert not fits(said, 11.0, 0.0)
    assert not is_rough(said, 11.0, 0.0)


@given(st.integers(100, 999), st.integers(-8, 8), st.floats(-3, 3))
def test_what_does_not_round_to_it_is_wrong(
    mantissa: int, exponent: int, units: float
) -> None:
    # `units` of the last digit away; at half a unit either is a way to round.
    number = float((Fraction(mantissa) + Fraction(units)) * Fraction(10) ** exponent)
    said = read_number(f"{mantissa}e{exponent}", value)
    if abs(abs(units) - 0.5) > 1e-9:
        assert fits(said, number, 0.0) is (abs(units) < 0.5)


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.integers(1, 9), st.integers(1, 9))
def test_an_expression_of_rounded_factors_is_right_from_four_digits_on(
    one: float, two: float, left: int, right: int
) -> None:
    said = read_number(f"{one:.{left - 1}e} * {two:.{right - 1}e}", value)
    off = abs(Fraction(said.number) / (Fraction(one) * Fraction(two)) - 1)
    if left >= 5 and right >= 5:
        assert fits(said, one * two, 1e-15 * one * two)
    if off > Fraction(0.005):  # more than half of the third digit
        assert not fits(said, one * two, 1e-15 * one * two)


def test_an_expression_is_never_more_than_three_digits_rough() -> None:
    # The difference of two rounded numbers keeps none of their digits.
    said = read_number("0.2689 - 0.2688", value)
    assert not fits(said, 0.00015, 0.0)
    assert fits(said, 0.0001, 1e-16)


@pytest.mark.parametrize(
    ("said", "number", "is_so"),
    [
        ("0.2662", 0.2689414, False),  # 1.02 %
        ("0.2665", 0.2689414, True),
        ("0.2715", 0.2689414, True),
        ("29.1", 29.0, False),  # three digits write 29 out: nothing was rounded
        ("0.268", 0.269, False),  # and 0.269
        ("0.2689", 0.2694, True),  # not 0.2694
        ("0", 0.0, False),
        ("1", 0.0, False),
        ("inf", 0.2689414, False),
        ("nan", 0.2689414, False),
        ("0.2665", float("inf"), False),
    ],
)
def test_what_may_have_been_rounded_on_the_way(
    said: str, number: float, is_so: bool
) -> None:
    assert is_near(read_number(said, value), number) is is_so


@pytest.mark.parametrize(
    ("dtype", "scale", "unit"),
    [
        (np.float64, 2.0, 2 * 64 * 2.0**-52),
        (np.float32, 1.0, 64 * 2.0**-23),
        (np.float16, 1.0, 4 * 2.0**-10),
        (np.int64, 5.0, 0.0),
    ],
)
def test_two_ways_to_compute_may_differ_by_the_precision(
    dtype: type, scale: float, unit: float
) -> None:
    assert precision_of(np.zeros(1, dtype), scale) == pytest.approx(unit, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "shape", "signs"),
    [
        ("+ - 0; - + +", (2, 3), [[1, -1, 0], [-1, 1, 1]]),
        ("+-0-++", (2, 3), [[1, -1, 0], [-1, 1, 1]]),
        ("[+, −]", (2,), [1, -1]),
        ("positive", (), 1),
        ("minus, zero", (2,), [-1, 0]),
    ],
)
def test_signs_are_read(text: str, shape: tuple[int, ...], signs: object) -> None:
    np.testing.assert_array_equal(read_signs(text, shape), signs)


@pytest.mark.parametrize(
    ("text", "shape"),
    [("", (2,)), ("+", (2,)), ("+ - -", (2,)), ("20", (2,)), ("+ -; -", (1, 3))],
)
def test_what_are_no_signs_of_a_shape_is_told(
    text: str, shape: tuple[int, ...]
) -> None:
    with pytest.raises(CommandError):
        read_signs(text, shape)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("(2, 3)", (2, 3)),
        ("2,3", (2, 3)),
        ("2 x 3", (2, 3)),
        ("2×3", (2, 3)),
        ("(5,)", (5,)),
        ("5", (5,)),
        ("()", ()),
        ("( )", ()),
    ],
)
def test_a_shape_is_read(text: str, shape: tuple[int, ...]) -> None:
    assert read_shape(text) == shape


@pytest.mark.parametrize("text", ["", "a", "(2, -3)", "2.5", "W"])
def test_what_is_no_shape_is_told(text: str) -> None:
    with pytest.raises(CommandError):
        read_shape(text)


@pytest.mark.parametrize(
    ("text", "number", "is_right"),
    [
        # 0.0011, whose digits are rounded: half a unit of three digits is 5.5e-6.
        ("0.2689 - 0.2678", 0.0011054, True),
        ("0.2689 - 0.2678", 0.0011058, False),
        # 1.2340e3 may be off by 0.05, and twice that by 0.1.
        ("1.2340e3 * 2", 2468.09, True),
        ("1.2340e3 * 2", 2468.11, False),
        ("2 * 1.2340E3", 2468.09, True),
    ],
)
def test_rounded_numbers_of_an_expression_are_taken_as_written(
    text: str, number: float, is_right: bool
) -> None:
    assert fits(read_number(text.lower(), value), number, 1e-12) is is_right


@pytest.mark.parametrize(
    ("text", "words"),
    [("[1, 2]", "[1, 2] has the shape (2,)"), ("'a'", "'a' is no number")],
)
def test_it_is_told_why_something_is_no_number(text: str, words: str) -> None:
    with pytest.raises(CommandError) as caught:
        read_number(text, value)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        ([[2.0, -1.0, 0.0], [0.0, 3.0, float("nan")]], "+ - 0; 0 + n"),
        ([1.0, -2.0], "+ -"),
        (-3.0, "-"),
    ],
)
def test_signs_are_written_in_rows(array: object, text: str) -> None:
    assert signs_text(np.array(array)) == text
