"""Numbers below each other, padded: their decimal points stand in one column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_POINT: Final = re.compile(r"\.|(?<=\d)e")  # of a number, or its exponent


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
