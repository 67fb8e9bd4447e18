"""One element's numbers as large as a terminal can write them, for a class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from textual.renderables.digits import DIGITS, DIGITS3X3_BOLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HIGH: Final = 3  # lines
_NUMBERS: Final = re.compile(r"[-+0-9.e×()… ]+")
_CHANGE: Final = re.compile(r".*?: (\S+ → [^\s,]+)(?:, |$)")
_DRAWN: Final = frozenset("0123456789-()")


def large(text: str) -> list[str]:
    r"""Return numbers in three lines; signs between them stand in the middle one.

    >>> print("\n".join(large("2 × 0.5 = 1")))
    ╺━┓   ┏━┓ ┏━╸   ╺┓
    ┏━┛ × ┃ ┃ ┗━┓ =  ┃
    ┗━╸   ┗━┛•╺━┛   ╺┻╸
    """
    glyphs = [_glyph(one) for one in text.replace("e", "E")]
    rows = ("".join(glyph[line] for glyph in glyphs) for line in range(_HIGH))
    return [row.rstrip() for row in rows]


def _glyph(character: str) -> Sequence[str]:
    if character == ".":
        return " ", " ", "•"
    if character not in _DRAWN and character != "E":
        return " ", character, " "
    start = DIGITS.index(character) * _HIGH
    return [row.ljust(3) for row in DIGITS3X3_BOLD[start : start + _HIGH]]


def in_numbers(equations: Sequence[str]) -> Iterator[str]:
    """Yield what an element is made of without any names, the longest first.

    `equations` say the same, each shorter than the one before. Nothing is yielded of
    one that ends in words.

    >>> list(in_numbers(["y[0] = a · b = 2 × 3 = 6", "y[0] = 6"]))
    ['2 × 3 = 6', '= 6']
    >>> list(in_numbers(["W[0]: 1 → 0.5, α = 0.1"])), list(in_numbers(["x = 0: none"]))
    (['1 → 0.5'], [])
    """
    first = equations[0] if equations else ""
    if change := _CHANGE.match(first):
        yield change[1]
        return
    _, *sides = re.split(r" \+?= ", first)
    if not sides or not _NUMBERS.fullmatch(sides[-1]):
        return
    numbers = [side for side in sides if _NUMBERS.fullmatch(side)]
    if len(numbers) > 1:
        yield " = ".join(numbers)
    yield f"= {numbers[-1]}"
