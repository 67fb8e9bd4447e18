"""Comments that have no room beside their line: whole, below the program."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from .base.pane import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Columns of the longest worth of a line, as ` ∂ ‖1.234e-5‖`: what is cut depends on the
# program and the size, and not on what a line is worth at a step.
_WORTH: Final = 13
_SIGN: Final = "# "


class Row(NamedTuple):
    """A row below the program."""

    line: int  # whose comment it belongs to, from 1
    text: str  # a part of it, which has room
    is_first: bool  # whether it is the first one of its comment


@lru_cache(16)  # it is asked for with every line that is drawn
def pages(text: str, width: int, height: int) -> Sequence[Sequence[Row]]:
    r"""Return what stands below a program, in order: comments that are cut.

    `width` is that of the code, `height` that of the pane. Where not all of them have
    room they stand on several pages; one that is higher than a page is left out.

    >>> short = "a = x  # one two three\nb = a  # 4"
    >>> pages(short, 23, 6)
    ((Row(line=1, text='# one two three', is_first=True),),)
    >>> pages(short, 23, 3)  # of which one is the blank above them
    ()
    """
    lines = text.splitlines()
    room = height - len(lines) - 1
    if room < 1:
        return ()
    found: list[list[Row]] = []
    for number, line in enumerate(lines, 1):
        rows = list(_rows(number, line, width))
        if not 0 < len(rows) <= room:
            continue
        if not found or len(found[-1]) + len(rows) > room:
            found.append([])
        found[-1] += rows
    return tuple(map(tuple, found))


def page_of(found: Sequence[Sequence[Row]], line: int) -> Sequence[Row]:
    """Return the page that has the comment of a line, or else of one before it."""
    if not found:
        return ()
    return found[max(bisect_right(found, line, key=lambda page: page[0].line) - 1, 0)]


def _rows(number: int, line: str, width: int) -> Iterator[Row]:
    """Yield the comment of a line in rows, where it is cut."""
    code, sign, comment = line.partition("#")
    text = (sign + comment).rstrip()
    worth = _WORTH if code.strip() else 0
    is_beside = len(code) + len(text) + worth <= width
    if not sign or is_beside or width <= len(_SIGN):
        return
    for place, part in enumerate(folded(comment.strip(), width - len(_SIGN))):
        sign = _SIGN if place == 0 else " " * len(_SIGN)
        yield Row(number, sign + part.rstrip(), is_first=place == 0)
