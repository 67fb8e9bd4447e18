"""What `list` prints."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from .blocks import LONGEST_LINE, MARGIN, Block, apart, beside, indent, under, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.scenario.builtin import Heading
    from .look import Look


def list_block(headings: Sequence[Heading], look: Look, width: int) -> Block:
    """Return scenarios under the titles of their groups."""
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
    hint = look.text(
        "gradstep play NAME plays one; gradstep show NAME tells more", "quiet"
    )
    return apart(*blocks, wrap(hint, min(width, LONGEST_LINE)))
