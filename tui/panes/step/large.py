"""Numbers as large as a terminal can write them, for a class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from rich.style import Style
from textual.renderables.digits import DIGITS, DIGITS3X3_BOLD

from ..matrix.grid import MARGINS
from .places import TITLE

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from ..base.pane import Line
    from .places import Size, Tile

_HIGH: Final = 3  # lines
_NUMBERS: Final = r"[-+0-9.e×()… ]+"
_CHANGE: Final = r".*?: (\S+ → [^\s,]+)(?:, |$)"
_DRAWN: Final = frozenset("0123456789-()")
_BRACKETS: Final = "⎡⎤", "⎢⎥", "⎣⎦"  # above, between, below
_RIGHT: Final = frozenset("┏┗┣━╺┻")  # characters that go on to the right
_DOWN: Final = frozenset("┏┓┃┣┫╻")  # and down
_NOT_UNDERLINED: Final = Style(underline=False)


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


def sized(lines: Sequence[Line], tile: Tile) -> Sequence[Line]:
    """Return the lines of a matrix in the size of its numbers.

    The numbers of its columns stay small, each at the right of its column, and those of
    its rows stand beside the middle of a row.
    """
    size, start = tile.size, bool(tile.gutter)  # behind the number of a row
    if size.lines == 1:
        return lines
    head, rows = lines[: tile.head], lines[tile.head :]
    blank: list[Line] = [[]] * (size.lines - size.high)
    if size.wide == 1:
        apart = [one for row in rows for one in (row, *blank)]
        return [*head, *apart][: tile.height - TITLE]
    drawn: list[Line] = []
    for line in head:
        cells = [_apart(segment, size) for segment in line[start:]]
        drawn.append([*line[:start], *cells])
    texts = [text for row in rows for text, _, _ in row[start:]]
    points = {text.index(".") for text in texts if "." in text}
    for row in rows:
        for number in range(size.high):
            is_middle = number == size.high // 2
            names = [
                Segment(text if is_middle else " " * len(text), ink)
                for text, ink, _ in row[:start]
            ]
            cells = [_part(one, number, points, size) for one in row[start:]]
            drawn.append([*names, *cells])
        drawn += blank
    return drawn[: tile.height - TITLE]


def _apart(segment: Segment, size: Size) -> Segment:
    """Return the number of a column above numbers that are large."""
    return Segment(segment.text.rjust(size.cell(len(segment.text))), segment.style)


def _part(segment: Segment, line: int, points: Container[int], size: Size) -> Segment:
    """Return one line of a cell whose number is large, its point below the others."""
    text, ink, high = segment.text, segment.style or Style.null(), size.high
    glyphs = (
        _stretched(_glyph(one), 1 if place in points else size.wide, high)[line]
        for place, one in enumerate(text[1:-1], 1)
    )
    room = size.cell(len(text)) - MARGINS
    sides = "  "
    if text[0] == "[":
        sides = _BRACKETS[(line > 0) + (line == high - 1)]
    shown = sides[0] + "".join(glyphs).rjust(room) + sides[1]
    # What belongs together is underlined once.
    return Segment(shown, ink if line == high - 1 else ink + _NOT_UNDERLINED)


def _stretched(glyph: Sequence[str], wide: int, high: int) -> Sequence[str]:
    r"""Return a figure of three lines in so many columns and lines, both odd numbers.

    >>> print("\n".join(_stretched(["┏━╸", "┗━┓", "╺━┛"], 5, 5)).replace(" ", "."))
    ┏━━━╸
    ┃....
    ┗━━━┓
    ....┃
    ╺━━━┛
    """
    if len(glyph[1]) == 1:  # a point stands at the bottom, a sign in the middle
        rows = [""] * high
        rows[high // 2], rows[-1] = glyph[1], glyph[2]
        return [row.center(wide) for row in rows]
    across, down = ((size - _HIGH) // 2 for size in (wide, high))
    rows: list[str] = []
    for row in glyph:
        inner = [one + ("━" if one in _RIGHT else " ") * across for one in row[:-1]]
        whole = "".join((*inner, row[-1]))
        below = "".join("┃" if one in _DOWN else " " for one in whole)
        rows += [whole, *[below] * down]
    return rows[:high]


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
    if change := re.match(_CHANGE, first):
        yield change[1]
        return
    _, *sides = re.split(r" \+?= ", first)
    if not sides or not re.fullmatch(_NUMBERS, sides[-1]):
        return
    numbers = [side for side in sides if re.fullmatch(_NUMBERS, side)]
    if len(numbers) > 1:
        yield " = ".join(numbers)
    yield f"= {numbers[-1]}"
