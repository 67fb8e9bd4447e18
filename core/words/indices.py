"""Indices as books write them: `W[0, 1]` is w₁₂, below the line and counted from 1.

What is typed counts from 0, in brackets. So the two are told apart by their looks. The
numbers beside the rows and columns of an array count as the formulas do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

First = Literal[0, 1]  # what the first index is called
FIRST: Final[tuple[First, ...]] = (0, 1)

# An index behind a name, a bracket, a sign that belongs to one, or what holds the place
# of a name: a private character.
_INDEX: Final = r"(?<=[\w)ᵀ′⁰¹²³⁴⁵⁶⁷⁸⁹\ue000-\uf8ff])\[([\d:]+(?:, [\d:]+)*)\]"
_RANGE: Final = r"(\d*):(\d+)"
_LOWERED: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
WHOLE: Final = "\N{ASTERISK OPERATOR}"  # all of an axis


def in_formula(text: str, first: First) -> str:
    """Return a formula with indices from 0, as they are typed, or from 1, as in books.

    >>> in_formula("W1.grad[1, 0] = δ2[1, 0] · x[0, 0]", 1)
    'W1.grad₂₁ = δ2₂₁ · x₁₁'
    >>> in_formula("h[0:2, 9]", 1), in_formula("W[0, 1]", 0)
    ('h₁…₂,₁₀', 'W[0, 1]')
    """
    return re.sub(_INDEX, _lowered, text) if first else text


def label(index: Sequence[int], first: First) -> str:
    """Return what stands over a slice of an array.

    >>> label((0, 2), 0), label((0, 2), 1)
    ('[0, 2]', '1, 3')
    """
    numbers = ", ".join(str(number + first) for number in index)
    return numbers if first or not index else f"[{numbers}]"


def _lowered(found: re.Match[str]) -> str:
    parts = [_part(part) for part in found[1].split(", ")]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return found[0]  # from the end, or in steps: as it is typed
    return ("" if all(len(part) == 1 for part in known) else ",").join(known)


def _part(text: str) -> str | None:
    if text.isdecimal():
        return str(int(text) + 1).translate(_LOWERED)
    if text == ":":
        return WHOLE
    found = re.fullmatch(_RANGE, text)
    if found is None:
        return None
    start, stop = int(found[1] or 0) + 1, int(found[2])
    return f"{start}…{stop}".translate(_LOWERED)
