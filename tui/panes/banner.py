"""The banner: what a script says, above the panes, until it says something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment

from .base.pane import Painted, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .base.pane import Line

_MARKED = re.compile(r"`([^`]+)`")  # a key, or what is to be typed
_MARGINS = 2  # columns beside

Part = tuple[str, str]  # a text, and the name of its style or ""


def parts(said: str, hint: str = "") -> Iterator[Part]:
    """Yield what is said in parts, the keys in it without their marks, and a hint.

    >>> list(parts("Press `s`.", "Space goes on"))[1:]
    [('s', 'banner--key'), ('.', ''), ('  Space goes on', 'banner--hint')]
    """
    for number, text in enumerate(_MARKED.split(said)):
        yield text, "banner--key" if number % 2 else ""
    if hint:
        yield f"  {hint}" if said else hint, "banner--hint"


def lines_of(shown: Sequence[Part], width: int) -> list[list[Part]]:
    """Return parts in lines of a width, broken between words.

    >>> lines_of([("one two ", ""), ("three", "banner--key")], 9)
    [[('one two ', '')], [('three', 'banner--key')]]
    """
    whole = "".join(text for text, _ in shown)
    lines: list[list[Part]] = []
    start = 0
    for text in folded(whole, width):
        start += whole.startswith(" ", start) and not text.startswith(" ")
        end = start + len(text)
        lines.append([*_between(shown, start, end)])
        start = end
    return lines if whole else []


def _between(shown: Sequence[Part], start: int, end: int) -> Iterator[Part]:
    """Yield what stands between two characters of all parts together."""
    at = 0
    for text, name in shown:
        piece = text[max(start - at, 0) : max(end - at, 0)]
        if piece:
            yield piece, name
        at += len(text)


class Banner(Painted):
    """What is said, in as many lines as it takes; nothing while nothing is."""

    DEFAULT_CSS = """
    Banner { height: 1; display: none; padding: 0 1; background: $panel; }
    """
    INKS: ClassVar[Mapping[str, str]] = {
        "banner--key": "bold $accent",
        "banner--hint": "dim",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: Sequence[Part] = ()
        self._lines: Sequence[Sequence[Part]] = ()
        self._least = 0  # lines that the longest of several texts takes

    @property
    def text(self) -> str:
        """What it says, and the hint behind it."""
        return "".join(text for text, _ in self._shown)

    @property
    def height(self) -> int:
        """How many lines it takes."""
        return max(len(self._lines), self._least) if self._lines else 0

    def tell(
        self, said: str, hint: str, width: int, others: Iterable[Part] = ()
    ) -> bool:
        """Say something on a screen of a width; return whether its height changes.

        It is as high as the `others` need, texts with their hints that are said in the
        same place before and after, so that what stands below does not jump.
        """
        before, self._shown = self.height, [*parts(said, hint)]
        room = max(width - _MARGINS, 1)
        self._lines = lines_of(self._shown, room)
        every = (lines_of([*parts(*other)], room) for other in others)
        self._least = max(map(len, every), default=0)
        if self.height != before:
            self.display = self.height > 0
            self.styles.height = max(self.height, 1)
        self.repaint()
        return self.height != before

    def lines(self) -> Sequence[Line]:
        """Draw what is said."""
        return [
            [Segment(text, self.ink(name)) for text, name in line]
            for line in self._lines
        ]
