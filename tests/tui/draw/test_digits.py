import math
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.tui.draw.digits import align, number_text, style_for, write

finite = st.floats(allow_nan=False, allow_infinity=False)
ordinary = st.floats(-1e5, 1e5)


def unit_in_the_last_place(text: str) -> Fraction:
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return Fraction(10) ** (int(exponent or 0) - decimals)


def is_correctly_rounded(text: str, number: float) -> bool:
    """Round half to even in exact arithmetic, at the last digit shown."""
    unit = unit_in_the_last_place(text)
    units = Fraction(number) / unit
    return Fraction(Decimal(text)) == round(units) * unit


@given(finite, st.integers(1, 17))
def test_a_number_alone_is_correctly_rounded(number: float, precision: int) -> None:
    text = number_text(number, precision)
    assert is_correctly_rounded(text, number), text
    with localcontext(Context(prec=precision, rounding=ROUND_HALF_EVEN)):
        rounded = +Decimal(number)
    if not float(number).is_integer():
        assert Decimal(text) == rounded


@given(st.lists(finite | ordinary, min_size=1, max_size=12), st.integers(1, 17))
def test_numbers_of_a_block_are_correctly_rounded(
    numbers: list[float], precision: int
) -> None:
    style = style_for(numbers, precision)
    for number in numbers:
        assert is_correctly_rounded(write(number, style), number)


@given(st.lists(finite | ordinary, min_size=1, max_size=12), st.integers(2, 17))
def test_no_number_but_zero_is_shown_as_zero(
    numbers: list[float], precision: int
) -> None:
    style = style_for(numbers, precision)
    for number in numbers:
        shown = Decimal(write(number, style))
        assert (shown == 0) == (number == 0)
        # Two digits at least, where a number has as many.
        assert abs(Fraction(shown) - Fraction(number)) <= abs(Fraction(number)) / 20


@given(finite, finite)
def test_seventeen_digits_tell_numbers_apart(one: float, other: float) -> None:
    assert float(number_text(one, 17)) == one
    assert (number_text(one, 17) == number_text(other, 17)) == (
        one == other and math.copysign(1, one) == math.copysign(1, other)
    )


@given(st.lists(finite | ordinary, min_size=1, max_size=12))
def test_decimal_points_stand_in_one_column(numbers: list[float]) -> None:
    style = style_for(numbers)
    texts = align([write(number, style) for number in numbers])
    assert len({len(text) for text in texts}) == 1
    points = {text.find(".") for text in texts if "." in text}
    assert len(points) <= 1


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (550.0, "550"),
        (3.3000000000000003, "3.3"),
        (123456789.0, "123456789"),
        (1e22, "1e22"),
        (0.1 + 0.2, "0.3"),
        (0.0012345, "0.001234"),
        (1.5e-9, "1.5e-9"),
        (5e-324, "4.941e-324"),
        (np.float32(0.1), "0.1"),
        (np.float16(65504), "65504"),
        (np.int64(-7), "-7"),
        (np.True_, "True"),
        (7, "7"),
    ],
)
def test_a_number_reads_as_by_hand(number: float, text: str) -> None:
    assert number_text(number) == text


def test_the_numbers_of_a_block_share_their_decimals() -> None:
    style = style_for([0.562, 0.0213, -1.25e-7, 0.0])
    shown = [write(number, style) for number in (0.562, 0.0213, -1.25e-7, 0.0)]
    assert shown == ["0.5620", "0.0213", "-1.25e-7", "0"]


def test_a_float32_is_shown_as_the_number_that_it_is() -> None:
    assert number_text(np.float32(0.1), 17) == "0.10000000149011612"
