"""Numbers below each other, padded: their decimal points stand in one column."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Of a number, or its exponent, or the end of one in brackets.
_POINT: Final = re.compile(r"\.|(?<=\d)e|\)")
_WORDS: Final = ("nan", "inf")


def align(texts: Sequence[str], least: tuple[int, int] = (0, 0)) -> list[str]:
    """Pad numbers on both sides, so that their decimal points stand in one column.

    `least` is how much room there is before and after the point at any rate.

    >>> align(["1.5", "-20", "0.125"]), align(["(-20)", "0.1"])
    (['  1.5  ', '-20    ', '  0.125'], ['(-20) ', '   0.1'])
    """
    left, right = sides(texts, least)
    return [placed(text, left, right) for text in texts]


def placed(text: str, left: int, right: int) -> str:
    """Pad a number to so much room before its decimal point, and from it on.

    What is no number has no point: it ends where the numbers end.

    >>> placed("-20", 4, 3), placed("nan", 4, 3)
    (' -20   ', '    nan')
    """
    if text.strip("(-)") in _WORDS:
        return text.rjust(left + right)
    whole, rest = split(text)
    return f"{whole:>{left}}{rest:<{right}}"


def sides(texts: Iterable[str], least: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Return how much room numbers need before and after their decimal points.

    >>> sides(["1.5", "-20", "0.125"])
    (3, 4)
    """
    left, right = least
    for whole, rest in map(split, texts):
        left, right = max(left, len(whole)), max(right, len(rest))
    return left, right


@lru_cache(8192)  # from step to step most numbers stay the same
def split(text: str) -> tuple[str, str]:
    """Return what stands before a number's decimal point or exponent, and the rest."""
    found = _POINT.search(text)
    place = found.start() if found else len(text)
    return text[:place], text[place:]
