"""Reads an answer, and holds it against a number.

A number that is written out counts where it is the right one rounded so, with three
significant digits at least, or where it is the right one as exactly as its dtype tells.
An expression counts where it comes to the right one as exactly as its numbers are: one
with four digits or more may have been rounded, and stands for all that rounds to it.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..base.errors import CommandError
from ..words.numbers import shape_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..ops.table import Array

LEAST_DIGITS: Final = 3  # significant ones, of a number that may be rounded
_ROUNDED: Final = 4  # digits from which on a number in an expression may be rounded
_MOST_ROUNDED: Final = 16  # numbers in an expression that are taken to be rounded
# How far an expression of rounded numbers may be off: half a unit of three digits.
_MOST_OFF: Final = 0.005
_SAME: Final = 4  # times the dtype's precision: what adding in another order changes

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.IGNORECASE)
# A number inside an expression: no part of a name, and no index.
_INSIDE: Final = re.compile(
    r"(?<![\w.\[])(\d+\.\d*|\.\d+)(e[+-]?\d{1,3})?(?![\w.])", re.IGNORECASE
)
_WORDS: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "+inf": math.inf}


class Said(NamedTuple):
    """A number that a person has written."""

    number: float  # what it comes to
    half: float  # how far the number that is meant may be off: half of its last digit
    # significant digits that it is written with; None of an expression
    digits: int | None


def read_number(text: str, evaluate: Callable[[str], Any]) -> Said:
    """Read a number, or an expression that `evaluate` comes to a number for.

    Raises `CommandError` for what is none.
    """
    text = text.strip().replace("−", "-")  # as formulas write it
    if text.lower() in _WORDS:
        return Said(_WORDS[text.lower()], 0.0, None)
    if _NUMBER.fullmatch(text):
        half, digits = _written(text)
        return Said(float(text), half, digits)
    number = _number(text, evaluate)
    rounded = [m for m in _INSIDE.finditer(text) if _written(m[0])[1] >= _ROUNDED]
    half = 0.0
    for match in rounded[:_MOST_ROUNDED]:
        start, end = match.span()
        up = repr(float(match[0]) + _written(match[0])[0])
        half += abs(_number(text[:start] + up + text[end:], evaluate) - number)
    return Said(number, min(half, _MOST_OFF * abs(number)), None)


def fits(said: Said, number: float, precision: float) -> bool:
    """Tell whether a number is what was said, as exactly as that was said.

    `precision` is how far apart two computations of the number may be.
    """
    if math.isnan(number) or math.isinf(number) or not math.isfinite(said.number):
        return said.number == number or (math.isnan(said.number) and math.isnan(number))
    off = abs(said.number - number)
    is_rounded = said.digits is None or said.digits >= LEAST_DIGITS
    return off <= precision + said.half * is_rounded


def is_rough(said: Said, number: float, precision: float) -> bool:
    """Tell whether a number rounds to what was said, with too few digits to count."""
    if not said.digits or said.digits >= LEAST_DIGITS or not math.isfinite(number):
        return False
    return abs(said.number - number) <= precision + said.half


def precision_of(array: Array, scale: float) -> float:
    """Return how far apart two computations of an element of an array may be.

    `scale` is the sum of the magnitudes of what is added up to it.
    """
    if array.dtype.kind != "f":
        return 0.0
    return float(_SAME * np.finfo(array.dtype).eps * scale)


def _written(text: str) -> tuple[float, int]:
    """Return half a unit of the last digit of a number, and its significant digits."""
    _, digits, exponent = Decimal(text.strip("+-")).as_tuple()
    count = len("".join(map(str, digits)).lstrip("0"))
    return 0.5 * float(Decimal(1).scaleb(int(exponent))), count


def _number(text: str, evaluate: Callable[[str], Any]) -> float:
    found = np.asarray(evaluate(text))
    if found.size != 1 or found.dtype.kind not in "fiub":
        what = f"{text} is no number"
        if found.dtype.kind in "fiub" and found.size > 1:
            what = (
                f"{text} has the shape {shape_text(found.shape)}: it is not one number"
            )
        raise CommandError(what, "20, 0.25, 1.1 * 3, or W[0, 1] * Y.grad[0, 1]")
    return float(found.reshape(())[()])
