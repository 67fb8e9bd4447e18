"""The lines of what a step says: beside a label, broken, and as many as have room."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment

from ..base.pane import Line, folded
from .priority import Matters, Said, worded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.style import Style

_LABEL: Final = 12
_NARROW_PANE: Final = 60  # columns below which there are no labels
BOUND: Final = "\N{NO-BREAK SPACE}"  # a blank that no line is broken at
_BREAKS: Final = frozenset(("=", "+=", "+", "·"))  # a line may be broken beside
_EQUALS: Final = re.compile(r" (?=\+?= |← )")  # better before these
# In a narrow pane these have their label all the same: they are no sentences.
_NO_SENTENCES: Final = frozenset(("NumPy", "array"))
_MORE: Final = " … 9"  # ends a note that is cut: this key shows the notes in full


def block(said: Sequence[Said], room: int, lent: int = 0) -> list[Line]:
    """Return lines of what is said, as many as there is room for beside those lent."""
    lines = [line for part in worded(said, room, lent) for line in part]
    return lines + [[] for _ in range(room - len(lines))]


def bound(text: str, width: int) -> str:
    """Return an equation that is broken beside its =, + and · alone.

    No bracket and no product of two numbers is broken that has room in a line, and of
    several equations none.

    >>> bound("y[0, 1] = 2 × 3 + 4 × 5", 20).replace(BOUND, "_")
    'y[0,_1] = 2_×_3 + 4_×_5'
    >>> bound("W[0, 1]: 1 → 0.5, α = 0.1", 20).replace(BOUND, "_")
    'W[0,_1]:_1_→_0.5, α_=_0.1'
    """
    first, *words = text.split(" ")
    parts, depth = [first], _depth(first)
    is_list = ": " in text
    for word in words:
        is_sign = not is_list and not _BREAKS.isdisjoint((parts[-1], word))
        is_end = is_sign or parts[-1].endswith(",")
        if depth == 0 and is_end:
            parts.append(word)
        else:
            parts[-1] += f" {word}"
        depth += _depth(word)
    return " ".join(_whole(part, width) for part in parts)


def _whole(text: str, width: int) -> str:
    """Return a text that is not broken, if it has room in a line."""
    return text.replace(" ", BOUND) if cell_len(text) <= width else text


def _depth(word: str) -> int:
    return sum(map(word.count, "([")) - sum(map(word.count, ")]"))


def last_word(text: str, word: str) -> int | None:
    """Return where a word, or a name of signs, stands last in a text by itself.

    >>> last_word("ax · x + xb", "x"), last_word("ax", "x")
    (5, None)
    """
    start = text.rfind(word) if word else -1
    while start >= 0:
        beside = f"{text[:start][-1:]} {text[start + len(word) :][:1]}"
        if not any(one.isalnum() or one == "_" for one in beside):
            return start
        start = text.rfind(word, 0, start + len(word) - 1)
    return None


def wrapped(segment: Segment, width: int) -> list[Line]:
    """Break a text at its blanks, and where its lines end."""
    text, ink, _ = segment
    lines = (line for part in text.split("\n") for line in folded(part, width))
    return [[Segment(line.rstrip().replace(BOUND, " "), ink)] for line in lines]


def equation(segment: Segment, width: int) -> list[Line]:
    """Break an equation before its = alone, if that takes no line more.

    If it does, it is broken where `bound` allows it, or else at any blank.
    """
    text = segment.text
    if cell_len(text) <= width:
        return wrapped(segment, width)
    ways = [bound(text, width), text]
    if ": " not in text:  # else there are several equations
        sides = _EQUALS.split(text)
        ways.insert(0, " ".join(bound(_whole(side, width), width) for side in sides))
    return min((wrapped(segment._replace(text=one), width) for one in ways), key=len)


def label_width(width: int) -> int:
    """Return how wide labels are."""
    return _LABEL + 1 if width >= _NARROW_PANE else 0


def labelled(
    matters: Matters, label: str, texts: Sequence[str], width: int, ink: Style
) -> Said:
    """Say one of some texts beside its label, broken at its blanks.

    Of what is cut a mark says so; but there is no part of code.
    """
    margin = label_width(width)
    if not margin and label in _NO_SENTENCES:
        margin = cell_len(label) + 2
    first = Segment(f"{label:<{margin}}"[:margin], ink)
    later = Segment(" " * margin)
    room = width - margin
    lines = equation if matters == Matters.ELEMENT else wrapped
    wordings = [lines(Segment(text), room) for text in texts if text]
    count = len(wordings)
    if wordings and matters != Matters.NUMPY:
        more = _MORE if matters == Matters.NOTE else "…"
        wordings += _shortened(wordings[-1], room, more)
    return Said(
        matters,
        [
            [[later if number else first, *line] for number, line in enumerate(one)]
            for one in wordings
        ]
        or [[]],
        cut=len(wordings) - count,
    )


def _shortened(lines: Sequence[Line], width: int, more: str) -> Iterator[list[Line]]:
    """Yield fewer and fewer lines of a text, with a mark where they end."""
    room = width - cell_len(more)
    for count in range(len(lines) - 1, 0, -1):
        last = "".join(segment.text for segment in lines[count - 1])
        whole = last if cell_len(last) <= room else folded(last, room)[0]
        yield [*lines[: count - 1], [Segment(whole.rstrip() + more)]]
