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
from ..base.text import counted
from ..words.numbers import rounded, shape_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..ops.table import Array, Shape

LEAST_DIGITS: Final = 3  # significant ones, of a number that may be rounded
_ROUNDED: Final = 4  # digits from which on a number in an expression may be rounded
_MOST_ROUNDED: Final = 16  # numbers in an expression that are taken to be rounded
# How far an expression of rounded numbers may be off: half a unit of three digits.
_MOST_OFF: Final = 0.005
# How far two ways to compute a number may be apart, in units of its dtype's precision:
# so many, and more as long as that is less than a hundred-thousandth.
_SAME: Final = 4
_OTHER_WAY: Final = 64
_STILL_SAME: Final = 1e-5
_NEAR: Final = 0.01  # so near, a number may have been rounded on the way

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.IGNORECASE)
# A number inside an expression: no part of a name, and no index.
_INSIDE: Final = re.compile(
    r"(?<![\w.\[])(\d+\.\d*|\.\d+)(e[+-]?\d{1,3})?(?![\w.])", re.IGNORECASE
)
_SHAPE: Final = re.compile(r"\(?\s*(?:(\d+(?:\s*[,x× ]\s*\d+)*)\s*,?)?\s*\)?")
# Signs of formulas, as they are typed.
_AS_TYPED: Final = str.maketrans("−×·", "-**")
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
    text = text.strip().translate(_AS_TYPED)
    if text.lower() in _WORDS:
        return Said(_WORDS[text.lower()], 0.0, None)
    if _NUMBER.fullmatch(text):
        half, digits = _written(text)
        return Said(float(text), half, digits)
    number = one_number(text, evaluate)
    rounded = [m for m in _INSIDE.finditer(text) if _written(m[0])[1] >= _ROUNDED]
    half = 0.0
    for match in rounded[:_MOST_ROUNDED]:
        start, end = match.span()
        up = repr(float(match[0]) + _written(match[0])[0])
        half += abs(one_number(text[:start] + up + text[end:], evaluate) - number)
    return Said(number, min(half, _MOST_OFF * abs(number)), None)


def one_number(text: str, evaluate: Callable[[str], Any]) -> float:
    """Return the number that an expression comes to.

    Raises `CommandError` where it is none, or an array of several.
    """
    found = np.asarray(evaluate(text))
    if found.size != 1 or found.dtype.kind not in "fiub":
        what = f"{text} is no number"
        if found.dtype.kind in "fiub" and found.size > 1:
            what = (
                f"{text} has the shape {shape_text(found.shape)}: it is not one number"
            )
        raise CommandError(what, "20, 0.25, 1.1 * W[0, 1] or sigmoid(z[0])")
    return float(found.reshape(())[()])


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
    off = abs(said.number - number)
    if not said.digits or said.digits >= LEAST_DIGITS or not math.isfinite(off):
        return False
    return off <= precision + said.half


def precision_of(array: Array, scale: float) -> float:
    """Return how far apart two computations of an element of an array may be.

    `scale` is the sum of the magnitudes of what is added up to it.
    """
    if array.dtype.kind != "f":
        return 0.0
    facts = np.finfo(array.dtype)
    unit, least = float(facts.eps), float(facts.smallest_subnormal)
    same = max(_SAME * unit, min(_OTHER_WAY * unit, _STILL_SAME))
    return max(least, scale * same)


def as_stored(said: Said, array: Array) -> Said:
    """Return what was said, infinite where an array can hold no number so large."""
    if array.dtype.kind != "f":
        return said
    if abs(said.number) <= float(np.finfo(array.dtype).max):
        return said
    with np.errstate(over="ignore"):
        return said._replace(number=float(array.dtype.type(said.number)))


def _written(text: str) -> tuple[float, int]:
    """Return half a unit of the last digit of a number, and its significant digits."""
    _, digits, exponent = Decimal(text.strip("+-")).as_tuple()
    count = len("".join(map(str, digits)).lstrip("0"))
    return 0.5 * float(Decimal(1).scaleb(int(exponent))), count


def is_near(said: Said, number: float) -> bool:
    """Tell whether a number is so near that it may have been rounded on the way.

    One that three digits write out in full, such as 0 or infinity, is not rounded.
    """
    is_short = rounded(number, LEAST_DIGITS) == number
    return not is_short and abs(said.number / number - 1) <= _NEAR


# ------------------------------------------------------------------ signs and shapes


def read_signs(text: str, shape: Shape) -> Array:
    """Read a pattern such as `+ - 0; - + +`, and return it as 1, -1, 0 and NaN.

    Rows are parted by ; and what is between the signs does not count. Raises
    `CommandError` for what is no pattern, or none of that shape.
    """
    plain = text.replace("−", "-")
    for word, sign in _SIGN_WORDS.items():
        plain = re.sub(rf"\b{word}\b", sign, plain, flags=re.IGNORECASE)
    signs = re.sub(r"[\s,\[\]();]", "", plain)
    count = int(np.prod(shape, dtype=int))
    if not signs or set(signs) - set(_SIGNS):
        raise CommandError(f"{text} is no pattern of signs", "+ - 0; - + +")
    if len(signs) != count:
        what = f"these are {counted(len(signs), 'sign')}, and {count} are asked for"
        raise CommandError(what, f"the shape is {shape_text(shape)}")
    rows = [row for row in re.split(r"[;\n]", re.sub(r"[\s,\[\]()]", "", plain)) if row]
    if len(rows) > 1 and shape and {len(row) for row in rows} != {shape[-1]}:
        what = f"the rows are not those of the shape {shape_text(shape)}"
        raise CommandError(what, "part them by ;")
    return np.reshape([_SIGNS[sign] for sign in signs], shape)


_SIGNS: Final = {"+": 1.0, "-": -1.0, "0": 0.0, "n": math.nan}
_SIGN_WORDS: Final = {
    "nan": "n",
    "plus": "+",
    "positive": "+",
    "minus": "-",
    "negative": "-",
    "zero": "0",
}


def signs_text(array: Array) -> str:
    """Return the signs of an array as they are written.

    >>> signs_text(np.array([[2.0, -1.0], [0.0, 3.0]]))
    '+ -; 0 +'
    """
    names = {value: sign for sign, value in _SIGNS.items()}
    rows = np.reshape(array, (-1, array.shape[-1] if array.ndim else 1))
    return "; ".join(
        " ".join("n" if np.isnan(x) else names[float(np.sign(x))] for x in row)
        for row in rows.astype(float)
    )


def read_shape(text: str) -> Shape:
    """Read a shape: `(2, 3)`, `2, 3`, `2 x 3`, or `()` of a single number.

    Raises `CommandError` for what is none.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None or not text.strip():
        raise CommandError(f"{text} is no shape", "(2, 3), or () of a single number")
    sizes = re.findall(r"\d+", found[1] or "")
    return tuple(int(size[:12]) for size in sizes)
