"""How numbers, shapes and indices are written: in one way, everywhere.

What is shown of a number is the exact value, rounded half to even at the last digit
shown. Nothing but an exact zero is ever shown as 0. A number has two lengths: `CELL`
digits where many stand beside each other, `SENTENCE` digits where it is read alone.
Where two numbers that differ would read alike, `distinct` gives both more digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ..ops.table import Shape

CELL: Final = 4  # significant digits in tables, matrices, labels
SENTENCE: Final = 6  # in sentences and at the prompt
MOST_DIGITS: Final = 17  # enough to tell any two numbers of float64 apart
_LARGEST: Final = 6  # the exponent from which on numbers are written as 1.5e7
_LARGEST_WHOLE: Final = 9
_SMALLEST: Final = -3
_FEW: Final = 4  # elements of an array that are written out
_WHOLE: Final = 100  # elements of an array that are written out at the prompt
_MOST_SHAPELESS: Final = 1000  # elements, before the shape is told, too


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


def number_text(value: Any, precision: int = CELL) -> str:
    """Return a number that stands alone.

    >>> number_text(3.3000000000000003), number_text(1.5e-9), number_text(550.0)
    ('3.3', '1.5e-9', '550')
    """
    return write(value, style_for((value,), precision))


def fitted(value: Any, width: int, digits: int = CELL) -> str:
    """Return a number with as many of its digits as `width` characters take.

    A number that does not fit with one digit is wider.

    >>> fitted(-0.012631, 8), fitted(-0.012631, 6), fitted(123456789, 6)
    ('-0.01263', '-0.013', '1.23e8')
    """
    text = number_text(value, digits)
    if len(text) <= width or not math.isfinite(value):
        return text
    counts = range(digits - 1, 0, -1)
    texts = [number_text(value, count) for count in counts]
    texts += [_scientific(float(value), Style(count)) for count in counts]
    return next((one for one in texts if len(one) <= width), texts[-1])


# ----------------------------------------------------------------- values on a line


def value_text(value: Any, digits: int = SENTENCE) -> str:
    """Return a value on one line: a number, a few numbers, or the shape of an array.

    >>> value_text(2 / 3), value_text(np.array([0.5, 2.0])), value_text(np.ones((2, 3)))
    ('0.666667', '[0.5, 2]', '(2, 3)')
    """
    if value is None:
        return "nothing yet"
    if type(value) in (str, bool, tuple, np.bool_):
        return str(value)
    array = np.asarray(value)
    if array.dtype.kind in "fiu" and (array.ndim == 0 or array.size <= _FEW):
        return _nested(array, digits)
    return str(array[()]) if array.ndim == 0 else shape_text(array.shape)


def _nested(array: np.ndarray[Any, Any], digits: int) -> str:
    if array.ndim == 0:
        return number_text(array[()], digits)
    return f"[{', '.join(_nested(part, digits) for part in array)}]"


def distinct(before: Any, after: Any, digits: int = SENTENCE) -> tuple[str, str]:
    """Return two values on one line each, which read alike only where they are equal.

    >>> distinct(0.5, 0.25), distinct(1.0, 1.0 + 1e-9)
    (('0.5', '0.25'), ('1', '1.000000001'))
    """
    for count in range(digits, MOST_DIGITS + 1):
        one, two = value_text(before, count), value_text(after, count)
        if one != two:
            return one, two
    return value_text(before, digits), value_text(after, digits)


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
    """
    array = np.asarray(value)
    if type(value) in (str, bool, tuple) or array.ndim == 0:
        return value_text(value, digits)
    seen: list[Any] = []

    def collect(number: Any) -> str:
        seen.append(number)
        return "0"

    _rows(array, collect)
    style = style_for(seen, digits)
    width = max((len(write(number, style)) for number in seen), default=0)
    text = _rows(array, lambda number: write(number, style).rjust(width))
    is_large = array.size > _MOST_SHAPELESS
    return f"{shape_text(array.shape)} {text}" if is_large else text


def _rows(array: np.ndarray[Any, Any], write_one: Callable[[Any], str]) -> str:
    if array.dtype.kind != "f":
        return np.array2string(array, threshold=_WHOLE, separator=", ")
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


# ------------------------------------------------------------------------- rounding


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
