"""Comments that have no room beside their line: whole, below the program."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import chain, compress, repeat
from operator import or_
from typing import TYPE_CHECKING, Final, NamedTuple

from .base.pane import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    `width` is that of the code, `height` that of the pane. Where one of them is cut and
    all of them have room, they stand there together. Where the cut ones have not, they
    stand on several pages; one that is higher than a page is left out.

    >>> short = "a = x  # one two three\nb = a  # 4"
    >>> [row.text for row in pages(short, 23, 6)[0]]
    ['# one two three', '# 4']
    >>> pages(short, 23, 4)
    ((Row(line=1, text='# one two three', is_first=True),),)
    >>> pages(short, 23, 3)  # of which one is the blank above them
    ()
    """
    lines = text.splitlines()
    room = height - len(lines) - 1
    is_cut = [_is_cut(line, width) for line in lines]
    if room < 1 or width <= len(_SIGN) or not any(is_cut):
        return ()
    comments = [_comment(number, line, width) for number, line in enumerate(lines, 1)]
    is_beside = [bool(line.partition("#")[0].strip()) for line in lines]
    together = [*chain(*compress(comments, map(or_, is_cut, is_beside)))]
    if len(together) <= room:
        return (together,)
    found: list[list[Row]] = []
    for rows in compress(comments, is_cut):
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


def _is_cut(line: str, width: int) -> bool:
    """Tell whether the comment of a line has no room beside it."""
    code, sign, comment = line.partition("#")
    worth = _WORTH if code.strip() else 0
    return bool(sign) and len(code + sign + comment.rstrip()) + worth > width


def _comment(number: int, line: str, width: int) -> Sequence[Row]:
    """Return the comment of a line in rows; without room for one, none."""
    _, sign, comment = line.partition("#")
    if not sign:
        return ()
    parts = folded(comment.strip(), width - len(_SIGN))
    signs = chain([_SIGN], repeat(" " * len(_SIGN)))
    return [
        Row(number, sign + part.rstrip(), is_first=sign == _SIGN)
        for sign, part in zip(signs, parts, strict=False)
    ]
