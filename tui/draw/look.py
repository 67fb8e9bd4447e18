"""How everything looks: styles by meaning, digits, and signs for plain ASCII."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from rich import box
from rich.text import Span, Text

from ...core.base.signs import ascii_text
from ...core.words.digits import CELL, SENTENCE
from ...core.words.indices import in_formula

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.words.indices import First

MOST: Final = 10  # rows and columns that are shown in full

Index = tuple[int | slice, ...]

# A colour never says anything alone: a word, a sign or a place says it as well.
STYLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "title": "bold",
        "quiet": "dim",
        "note": "dim italic",
        "name": "bold",
        "forward": "cyan",
        "backward": "magenta",
        "update": "yellow",
        "changed": "bold",
        "zero": "dim",
        "alarm": "bold red",
        "good": "green",
        "bad": "bold red",
    }
)

_RULES_ASCII: Final = box.Box(
    "    \n    \n -- \n    \n    \n -- \n    \n    \n", ascii=True
)


class Look(NamedTuple):
    """The choices that every drawing depends on.

    `slices` are the parts of large arrays to show, by the number of their node.
    """

    precision: int = CELL  # significant digits of numbers in cells
    sentence: int = SENTENCE  # and in sentences
    ascii: bool = False  # whether only ASCII is drawn
    first: First = 0  # what the first index is called
    slices: Mapping[int, Index] = MappingProxyType({})
    # of rich, by what they mean
    styles: Mapping[str, str] = STYLES

    def text(self, text: str, meaning: str = "") -> Text:
        """Return text in the style of its meaning. It is never read as markup."""
        shown = ascii_text(text) if self.ascii else text
        # A style of its part alone: that of a whole Text would reach what is appended.
        style = self.styles[meaning] if meaning and shown else ""
        spans = [Span(0, len(shown), style)] if style else None
        return Text(shown, spans=spans, end="")

    def formula(self, text: str) -> str:
        """Return a formula with its indices as they are wanted."""
        return in_formula(text, self.first)

    @property
    def dot(self) -> str:
        """What stands between the parts of a line."""
        return " - " if self.ascii else " · "

    @property
    def box(self) -> box.Box:
        """The lines of a table."""
        return _RULES_ASCII if self.ascii else box.SIMPLE_HEAD
