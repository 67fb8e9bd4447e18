"""What a view says in its middle while there is nothing in it: which key fills it."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from .pane import Line

Fills = tuple[tuple[str, str], ...]  # keys, each with what it does


def in_the_middle(
    said: str, fills: Fills, size: tuple[int, int], inks: tuple[Style, Style]
) -> Sequence[Line]:
    """Return lines with a sentence in their middle, and below it what fills the view.

    `size` is how many cells and lines there are; `inks` are those of words and of keys.
    Where not all has room, the blank lines go first.
    """
    width, height = size
    quiet, loud = inks
    longest = max((len(key) for key, _ in fills), default=0)
    block = max((longest + 2 + cell_len(words) for _, words in fills), default=0)
    left = " " * max((width - block) // 2, 0)
    head: list[Line] = [
        [Segment(line.center(width), quiet)] for line in wrap(said, max(width - 2, 1))
    ]
    lines: list[Line] = [
        [Segment(left), Segment(key.rjust(longest), loud), Segment(f"  {words}", quiet)]
        for key, words in fills
    ]
    gap: list[Line] = [[]] if lines and len(head) + len(lines) < height else []
    whole = [*head, *gap, *lines]
    return [*[[]] * max((height - len(whole)) // 2, 0), *whole][:height]
