"""Blocks of text lines, set beside each other as far as the width goes.

Nothing is ever clipped: what does not fit beside stands below.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Span, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MARGIN: Final = 3  # cells left of what belongs to a heading
LONGEST_LINE: Final = 88  # of a paragraph, however wide the terminal is


class Wide(Protocol):
    """Anything that takes room from left to right."""

    @property
    def width(self) -> int:
        """Return how much."""
        ...


_BREAKS: Final = re.compile(r"[\n\t]")
_CONSOLE: Final = Console()  # rich asks it for nothing that depends on a terminal

WideT = TypeVar("WideT", bound=Wide)


class Block(NamedTuple):
    """Lines of text, and the width of the widest. It can be printed with rich."""

    lines: tuple[Text, ...]  # each of its own width
    width: int  # in cells

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        """Draw the lines, each from a new line on."""
        fits = self.width <= options.max_width
        if fits and console.color_system is None:  # no style is seen there
            yield from (Segment(f"{line.plain.rstrip()}\n") for line in self.lines)
            return
        for line in self.lines:
            drawn = line
            if line.plain[-1:].isspace():
                drawn = line.copy()
                drawn.rstrip()
            if fits:  # rich would look for places to break it
                yield from drawn.render(console, "\n")
            else:
                drawn = drawn.copy()
                drawn.end = "\n"
                yield drawn

    @classmethod
    def of(cls, lines: Iterable[Text]) -> Block:
        """Return lines as a block."""
        kept = tuple(lines)
        return cls(kept, max((line.cell_len for line in kept), default=0))


def under(*blocks: Block) -> Block:
    """Return blocks, one below the other."""
    lines = tuple(line for block in blocks for line in block.lines)
    return Block(lines, max((block.width for block in blocks), default=0))


def indent(block: Block, by: int) -> Block:
    """Return a block moved to the right."""
    if by <= 0:
        return block
    lines = tuple(indented(block.lines, by))
    return Block(lines, block.width + by if block.width else 0)


def indented(lines: Iterable[Text], by: int) -> Iterator[Text]:
    """Return lines moved to the right; an empty one stays empty."""
    return (_indented(line, by) if line else line for line in lines)


def _indented(line: Text, by: int) -> Text:
    spans = [Span(start + by, end + by, style) for start, end, style in line.spans]
    return Text(" " * by + line.plain, line.style, end=line.end, spans=spans)


def apart(*blocks: Block) -> Block:
    """Return blocks, one below the other, with an empty line between."""
    between = Block.of([Text("")])
    return under(*[part for block in blocks for part in (between, block)][1:])


def beside(blocks: Sequence[Block], width: int, gap: int = 4) -> Block:
    """Return blocks beside each other, in as many rows as `width` needs."""
    return apart(*(_join(row, gap) for row in flow(blocks, width, gap)))


def flow(blocks: Sequence[WideT], width: int, gap: int) -> list[list[WideT]]:
    """Return blocks in rows that are at most `width` wide, as far as that can be."""
    rows: list[list[WideT]] = []
    room = 0
    for block in blocks:
        if rows and block.width + gap <= room:
            rows[-1].append(block)
            room -= block.width + gap
        else:
            rows.append([block])
            room = width - block.width
    return rows


def fits(blocks: Sequence[Wide], width: int, gap: int = 4) -> bool:
    """Tell whether blocks stand beside each other in one row."""
    return sum(block.width for block in blocks) + gap * (len(blocks) - 1) <= width


def _join(row: Sequence[Block], gap: int) -> Block:
    if len(row) == 1:
        return row[0]
    lines: list[Text] = []
    widest = 0
    for number in range(max(len(block.lines) for block in row)):
        line = Text("", end="")
        start = cells = 0
        for block in row:
            if number < len(block.lines):
                if start > cells:
                    line.append(" " * (start - cells))
                line.append_text(block.lines[number])
                cells = max(cells, start) + block.lines[number].cell_len
            start += block.width + gap
        lines.append(line)
        widest = max(widest, cells)
    return Block(tuple(lines), widest)


def wrap(text: Text, width: int) -> Block:
    """Return a paragraph broken at its spaces to `width`."""
    cells, plain = text.cell_len, text.plain
    if cells <= width and not _BREAKS.search(plain):
        if not text.end and not plain[-1:].isspace():
            return Block((text,), cells)
        line = text.copy()
        line.rstrip()
        line.end = ""
        return Block.of([line])
    lines = text.wrap(_CONSOLE, max(width, 1), overflow="fold")
    for line in lines:
        line.rstrip()
        line.end = ""
    return Block.of(lines)
