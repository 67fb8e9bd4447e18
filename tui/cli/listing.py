"""`gradstep list`: it reads the headings of the scenarios alone, without NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.base.exits import OK
from ...core.scenario.builtin import headings
from ..draw.listing import list_block
from .output import look_for, screen_for

if TYPE_CHECKING:
    import argparse


def do_list(options: argparse.Namespace) -> int:
    """List the scenarios that come with gradstep."""
    screen, found = screen_for(options), headings()
    if options.json:
        from .tasks import describe  # noqa: PLC0415  # 150 ms: NumPy

        describe([one.name for one in found], screen.file)
        return OK
    screen.print(list_block(found, look_for(options), screen.width))
    return OK
