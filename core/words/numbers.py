"""How numbers, shapes and indices are written: in one way, everywhere.

What is shown of a number is the exact value, rounded half to even at the last digit
shown. Nothing but an exact zero is ever shown as 0. A number has two lengths: `CELL`
digits where many stand beside each other, `SENTENCE` digits where it is read alone.
Where two numbers that differ would read alike, `distinct` gives both more digits.
"""

from __future__ import annotations

import math
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from .digits import CELL, MOST_DIGITS, SENTENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..ops.table import Shape

_LARGEST: Final = 6  # the exponent from which on numbers are written as 1.5e7
_LARGEST_WHOLE: Final = 9
_SMALLEST: Final = -3
_FEW: Final = 4  # elements of an array that are written out
_WHOLE: Final = 100  # elements of an array that are written out at the prompt
_MOST_SHAPELESS: Final = 1000  # elements, before the shape is told, too
_NOISE: Final = 1000  # distances to the next number, that roundings may add up to


# ---------------------------------------------------------------------- one number


class Style(NamedTuple):
    """How the numbers of a block are written.

    `decimals` is None where all are written as 1.50e7, with `mantissa` decimals.
    """

    precision: int = CELL  # significant digits
    decimals: int | None = None
    mantissa: int = 0


def style_for(values: Iterable[Any], precision: int = CELL) -> Style:
    """Return the style in which `values` are readable beside each other."""
    numbers = [float(value) for value in values if _is_ordinary(value)]
    digits = [_digits(number, precision) for number in numbers]
    if all(
        number.is_integer() and exponent < _LARGEST_WHOLE
        for number, (exponent, _) in zip(numbers, digits, strict=True)
    ):
        return Style(precision, 0)
    largest = max(exponent for exponent, _ in digits)
    if not _is_readable(largest):
        longest = max(count for exponent, count in digits if not _is_readable(exponent))
        return Style(precision, None, longest - 1)
    # The largest number gets one digit more than it needs, so that those ten times
    # smaller are still told apart.
    most = _decimals(largest, precision + (largest >= 0))
    return Style(precision, min(most, max(_decimals(*pair) for pair in digits)))


def write(value: Any, style: Style) -> str:
    """Return one number in the style of its block.

    >>> write(0.25, Style(decimals=4)), write(-0.0, Style(decimals=4))
    ('0.2500', '-0')
    """
    if not _is_float(value):
        return str(value)
    number = float(value)
    if not math.isfinite(number):
        return str(number)
    if number == 0:
        return f"{number:.0f}"
    exponent, count = _digits(number, style.precision)
    decimals = _decimals(exponent, count)
    shared = style.decimals
    # Where those of its block leave less than two digits of a number, it has its own.
    if shared is not None and (decimals <= shared or exponent >= 1 - shared):
        return f"{number:.{shared}f}"
    if _is_readable(exponent):
        return f"{number:.{decimals}f}"
    return _scientific(number, style)


def rounded(number: float, digits: int) -> float:
    """Return a number rounded to so many significant digits.

    >>> rounded(48.7, 1), rounded(-0.012345, 3), rounded(float("inf"), 2)
    (50.0, -0.0123, inf)
    """
    return float(f"{number:.{digits - 1}e}")


def number_text(value: Any, precision: int = CELL) -> str:
    """Return a number that stands alone.

    >>> number_text(3.3000000000000003), number_text(1.5e-9), number_text(550.0)
    ('3.3', '1.5e-9', '550')
    """
    if not _is_ordinary(value):
        return write(value, Style())
    return _alone(float(value), precision)


def exact_text(value: Any) -> str:
    """Return a number with all of its digits, the fewest that give it back.

    >>> exact_text(0.1), exact_text(1.0), exact_text(1 / 3), exact_text(-8.5e-5)
    ('0.1', '1', '0.3333333333333333', '-8.5e-5')
    """
    if not _is_ordinary(value):
        return write(value, Style())
    digits = Decimal(str(value)).normalize().as_tuple().digits
    return number_text(value, len(digits))


@lru_cache(4096)  # one number stands in several places of a step
def _alone(number: float, precision: int) -> str:
    return write(number, style_for((number,), precision))


def fitted(value: Any, width: int, digits: int = CELL) -> str:
    """Return a number with as many of its digits as `width` characters take.

    A number that does not fit with one digit is wider.

    >>> fitted(-0.012631, 8), fitted(-0.012631, 6), fitted(123456789, 6)
    ('-0.01263', '-0.013', '1.23e8')
    >>> fitted(-0.0969838, 5), fitted(-0.1, 5), fitted(0.9959, 3), fitted(1.0, 3)
    ('-0.10', '-0.1', '1.0', '1')
    """
    if not math.isfinite(value):
        return number_text(value)
    counts = range(digits, 0, -1)
    plain = (number_text(value, count) for count in counts)
    short = (_scientific(float(value), Style(count)) for count in counts)
    least = _scientific(float(value), Style(1))
    texts = (text for text in chain(plain, short) if len(text) <= width)
    text = next(texts, least)
    if text == number_text(value, digits) or "e" in text:
        return text
    # With fewer digits than it has it keeps its last zeros: else it reads as exact.
    room = width - len(text.partition(".")[0]) - 1
    exponent, _ = _digits(float(text), digits)
    decimals = min(room, digits - 1 - exponent)
    return text if decimals < 1 else f"{value:.{decimals}f}"


# ----------------------------------------------------------------- values on a line


def value_text(value: Any, digits: int = SENTENCE) -> str:
    """Return a value on one line: a number, a few numbers, or the shape of an array.

    >>> value_text(2 / 3), value_text(np.array([0.5, 2.0])), value_text(np.ones((2, 3)))
    ('0.666667', '[0.5, 2]', '(2, 3)')
    """
    if type(value) is float:  # most are, and an array of one takes ten times as long
        return number_text(value, digits)
    if value is None:
        return "nothing yet"
    if type(value) is tuple:
        return shape_text(cast("Shape", value))
    array = np.asarray(value)
    if is_shaped(array):
        return shape_text(array.shape)
    if array.dtype.kind in "fiub" and array.size <= _FEW:
        return _nested(array, digits)
    return str(array[()])


def is_shaped(array: np.ndarray[Any, Any]) -> bool:
    """Tell whether an array is too large for a line: only its shape stands there.

    >>> is_shaped(np.ones(2)), is_shaped(np.ones((2, 3)))
    (False, True)
    """
    is_few = array.dtype.kind in "fiub" and array.size <= _FEW
    return array.ndim > 0 and not is_few


def _nested(array: np.ndarray[Any, Any], digits: int) -> str:
    if array.ndim == 0:
        return number_text(array[()], digits)
    return f"[{', '.join(_nested(part, digits) for part in array)}]"


def distinct(before: Any, after: Any, digits: int = SENTENCE) -> tuple[str, str]:
    """Return two values on one line each, which read alike only where they are equal.

    >>> distinct(0.5, 0.25), distinct(1.0, 1.0 + 1e-9)
    (('0.5', '0.25'), ('1', '1.000000001'))
    """
    count = digits_apart((before, after), digits)
    return value_text(before, count), value_text(after, count)


def digits_apart(values: Iterable[Any], digits: int = CELL) -> int:
    """Return how many digits it takes that values that differ read apart.

    >>> digits_apart([1.0, 1.0, 1.0 + 1e-9]), digits_apart([0.5, 0.25])
    (10, 4)
    """
    seen = list(values)

    def kinds(count: int) -> int:
        return len({value_text(value, count) for value in seen})

    if kinds(digits) == len(seen):
        return digits
    most = kinds(MOST_DIGITS)
    counts = range(digits, MOST_DIGITS)
    return next((count for count in counts if kinds(count) == most), MOST_DIGITS)


def change_text(before: Any, after: Any, digits: int = SENTENCE) -> str:
    """Return two values as a change, `before → after`.

    >>> change_text(0.5, 0.25)
    '0.5 → 0.25'
    """
    return " → ".join(distinct(before, after, digits))


def printed(value: Any, digits: int = SENTENCE) -> str:
    """Return a value as NumPy prints it: an array in its rows, a large one shortened.

    >>> print(printed(np.array([[0.1, 2.0], [1 / 3, -1.0]])))
    [[ 0.100000,  2.000000],
     [ 0.333333, -1.000000]]
    >>> printed(2 / 3), printed(3.0000001), printed(0.1 + 0.2)
    ('0.666667', '3.0000001', '0.3')
    """
    array = np.asarray(value)
    if type(value) is tuple:
        return value_text(value, digits)
    if array.ndim == 0:
        return value_text(value, _digits_of(array, digits))
    seen: list[Any] = []

    def collect(number: Any) -> str:
        seen.append(number)
        return "0"

    _rows(array, collect)
    style = style_for(seen, digits)
    longest = max((write(number, style) for number in seen), key=len, default="")
    text = _rows(array, lambda number: write(number, style).rjust(len(longest)))
    is_large = array.size > _MOST_SHAPELESS
    return f"{shape_text(array.shape)} {text}" if is_large else text


def _digits_of(number: np.ndarray[Any, Any], digits: int) -> int:
    """Return so many digits that a number does not read like a rounder one.

    What the last operations have rounded is no reason for more of them.
    """
    if number.dtype.kind != "f" or not np.isfinite(number) or digits < 2:
        return digits
    text = number_text(number[()], digits)
    near = number.dtype.type(text)
    is_rounder = number_text(near, digits - 1) == text
    is_noise = abs(number - near) <= _NOISE * np.spacing(np.abs(number))
    if not is_rounder or is_noise:
        return digits
    return digits_apart((number, near), digits)


def _rows(array: np.ndarray[Any, Any], write_one: Callable[[Any], str]) -> str:
    """Return the rows of an array; `write_one` writes each number that is a float."""
    return np.array2string(
        array,
        threshold=_WHOLE,
        separator=", ",
        formatter={"float_kind": write_one},
    )


# ----------------------------------------------------------------- shapes and places


def shape_text(shape: Shape) -> str:
    """Return a shape as NumPy prints it.

    >>> shape_text((3, 1)), shape_text((8,)), shape_text(())
    ('(3, 1)', '(8,)', '()')
    """
    return str(shape)


def index_text(index: Sequence[int] | None) -> str:
    """Return the index of one element in its brackets; nothing for a whole array.

    >>> index_text((0, 3)), index_text((2,)), index_text(()), index_text(None)
    ('[0, 3]', '[2]', '', '')
    """
    return f"[{', '.join(map(str, index))}]" if index else ""


def element_text(name: str, index: Sequence[int] | None) -> str:
    """Return an element as it is typed: a name and an index.

    >>> element_text("W.grad", (0, 3)), element_text("E", ())
    ('W.grad[0, 3]', 'E')
    """
    return name + index_text(index)


# ------------------------------------------------------------- products and sums


def bracketed(number: str) -> str:
    """Return a number as it stands behind a sign: a negative one in brackets.

    >>> bracketed("-2"), bracketed("2")
    ('(-2)', '2')
    """
    return f"({number})" if number.startswith("-") else number


def product_text(factors: Iterable[str]) -> str:
    """Return a product as it is written.

    >>> product_text(["2", "-10"]), product_text(["-3"])
    ('2 × (-10)', '-3')
    """
    first, *rest = factors
    return " × ".join((first, *map(bracketed, rest)))


def sum_text(products: Iterable[str]) -> str:
    """Return a sum of products as it is written.

    >>> sum_text(["-10 × 3", "-1 × 2.5", "2 × (-10)"])
    '-10 × 3 + (-1) × 2.5 + 2 × (-10)'
    """
    first, *rest = products
    parts = (product.partition(" ") for product in rest)
    return " + ".join((first, *(bracketed(one) + gap + end for one, gap, end in parts)))


# ------------------------------------------------------------------------- rounding


def _is_ordinary(value: Any) -> bool:
    """Tell whether a value is a finite float, and not zero: one that can be rounded."""
    return _is_float(value) and math.isfinite(value) and value != 0


def _is_float(value: Any) -> bool:
    return isinstance(value, (float, np.floating))


@lru_cache(4096)  # the same numbers are written again with each key
def _digits(number: float, precision: int) -> tuple[int, int]:
    """Return a number's exponent and how many digits it has, both when rounded."""
    mantissa, _, exponent = f"{abs(number):.{precision - 1}e}".partition("e")
    return int(exponent), len(mantissa.replace(".", "").rstrip("0"))


def _decimals(exponent: int, digits: int) -> int:
    """Return how many decimals show so many digits."""
    return max(digits - 1 - exponent, 0)


def _is_readable(exponent: int) -> bool:
    """Tell whether a number is written without an exponent."""
    return _SMALLEST <= exponent < _LARGEST


def _scientific(number: float, style: Style) -> str:
    mantissa, _, exponent = f"{number:.{style.precision - 1}e}".partition("e")
    whole, _, decimals = mantissa.partition(".")
    decimals = decimals.rstrip("0").ljust(style.mantissa, "0")
    return f"{whole}{'.' * bool(decimals)}{decimals}e{int(exponent)}"
