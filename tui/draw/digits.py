"""Numbers as text: correctly rounded, and readable beside each other.

All numbers of a block share one style, so that they line up on the decimal point. What
is shown is the exact value rounded half to even at the last digit shown. Nothing but an
exact zero is ever shown as 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

PRECISION: Final = 4  # significant digits
MOST_PRECISION: Final = 17  # enough to tell any two numbers of float64 apart
_LARGEST: Final = 6  # the exponent from which on numbers are written as 1.5e7
_LARGEST_WHOLE: Final = 9
_SMALLEST: Final = -3
_POINT: Final = re.compile(r"\.|(?<=\d)e")  # of a number, or its exponent


class Style(NamedTuple):
    """How the numbers of a block are written.

    `decimals` is None where all are written as 1.50e7, with `mantissa` decimals.
    """

    precision: int = PRECISION  # significant digits
    decimals: int | None = None
    mantissa: int = 0


def style_for(values: Iterable[Any], precision: int = PRECISION) -> Style:
    """Return the style in which `values` are readable beside each other."""
    numbers = [float(value) for value in values if _is_ordinary(value)]
    digits = [_digits(number, precision) for number in numbers]
    largest = max((exponent for exponent, _ in digits), default=0)
    if largest < _LARGEST_WHOLE and all(number.is_integer() for number in numbers):
        return Style(precision, 0)
    if not _is_readable(largest):
        longest = max(count for exponent, count in digits if not _is_readable(exponent))
        return Style(precision, None, longest - 1)
    # The largest number gets one digit more than it needs, so that those ten times
    # smaller are still told apart.
    spare = 1 if len(numbers) > 1 and largest >= 0 else 0
    most = max(precision - 1 - largest + spare, 0)
    return Style(precision, min(most, max(_decimals(*pair) for pair in digits)))


def write(value: Any, style: Style) -> str:
    """Return one number in the style of its block.

    >>> write(0.25, Style(decimals=4)), write(-0.0, Style(decimals=4))
    ('0.2500', '-0')
    """
    if not _is_float(value):
        return str(value)
    number = float(value)
    if math.isnan(number) or math.isinf(number):
        return str(number)
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    if style.decimals is not None and not _is_lost(number, style):
        return f"{number:.{style.decimals}f}"
    exponent, count = _digits(number, style.precision)
    if _is_readable(exponent):
        return f"{number:.{_decimals(exponent, count)}f}"
    return _scientific(number, style)


def number_text(value: Any, precision: int = PRECISION) -> str:
    """Return a number that stands alone.

    >>> number_text(3.3000000000000003), number_text(1.5e-9), number_text(550.0)
    ('3.3', '1.5e-9', '550')
    """
    return write(value, style_for((value,), precision))


def align(texts: Sequence[str], least: tuple[int, int] = (0, 0)) -> list[str]:
    """Pad numbers on both sides, so that their decimal points stand in one column.

    `least` is how much room there is before and after the point at any rate.

    >>> align(["1.5", "-20", "0.125"])
    ['  1.5  ', '-20    ', '  0.125']
    """
    left, right = sides(texts, least)
    return [f"{whole:>{left}}{rest:<{right}}" for whole, rest in map(split, texts)]


def sides(texts: Iterable[str], least: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Return how much room numbers need before and after their decimal points.

    >>> sides(["1.5", "-20", "0.125"])
    (3, 4)
    """
    left, right = least
    for whole, rest in map(split, texts):
        left, right = max(left, len(whole)), max(right, len(rest))
    return left, right


def split(text: str) -> tuple[str, str]:
    """Return what stands before a number's decimal point or exponent, and the rest."""
    found = _POINT.search(text)
    place = found.start() if found else len(text)
    return text[:place], text[place:]


def _is_ordinary(value: Any) -> bool:
    """Tell whether a value is a finite float, and not zero: one that can be rounded."""
    return _is_float(value) and math.isfinite(value) and value != 0


def _is_float(value: Any) -> bool:
    return isinstance(value, (float, np.floating))


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


def _is_lost(number: float, style: Style) -> bool:
    """Tell whether the decimals of a block leave less than two digits of a number."""
    exponent, digits = _digits(number, style.precision)
    decimals = style.decimals or 0
    return _decimals(exponent, digits) > decimals and exponent < 1 - decimals


def _scientific(number: float, style: Style) -> str:
    mantissa, _, exponent = f"{number:.{style.precision - 1}e}".partition("e")
    whole, _, decimals = mantissa.partition(".")
    decimals = decimals.rstrip("0").ljust(style.mantissa, "0")
    return f"{whole}{'.' * bool(decimals)}{decimals}e{int(exponent)}"
