"""`gradstep list`: it reads the headings of the scenarios alone, without NumPy."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from ...core.base.exits import OK
from ...core.scenario.builtin import headings
from ..draw.blocks import (
    LONGEST_LINE,
    MARGIN,
    Block,
    apart,
    beside,
    indent,
    under,
    wrap,
)
from .output import look_for, screen_for

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ...core.scenario.builtin import Heading
    from ..draw.look import Look


def do_list(options: argparse.Namespace) -> int:
    """List the scenarios that come with gradstep."""
    screen, found = screen_for(options), headings()
    if options.json:
        from .tasks import describe  # noqa: PLC0415  # 150 ms: NumPy

        describe([one.name for one in found], screen.file)
        return OK
    hint = "gradstep play NAME plays one; gradstep show NAME tells more"
    screen.print(listed(found, look_for(options), screen.width, hint))
    return OK


def listed(headings: Sequence[Heading], look: Look, width: int, hint: str) -> Block:
    """Return scenarios under the titles of their groups, and a hint below them."""
    longest = max(len(one.name) for one in headings)
    room = width - MARGIN - longest - MARGIN
    blocks: list[Block] = []
    for group, members in groupby(headings, lambda one: one.group):
        rows: list[Block] = []
        for one in members:
            name = Block(Block.of([look.text(one.name, "name")]).lines, longest)
            title = wrap(look.text(one.title), max(room, longest))
            rows.append(beside((name, title), width - MARGIN, MARGIN))
        heading = wrap(look.text(group, "title"), width)
        blocks.append(under(heading, indent(under(*rows), MARGIN)))
    said = look.text(hint, "quiet")
    return apart(*blocks, wrap(said, min(width, LONGEST_LINE)))
