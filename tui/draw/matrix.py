"""Arrays as blocks of text: matrices in brackets, with the numbers of their rows.

```
       0       1
0 ⎡ 0.1200  0.3400 ⎤
1 ⎣ 0      -1      ⎦
```

A large array is shown by its corners and one line about the rest; a slice that somebody
asked for is shown whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.text import Text

from ...core.engine.element import index_of
from ...core.engine.measure import summarise
from ...core.words.indices import label
from ...core.words.numbers import Style, number_text, style_for, write
from .blocks import Block, under, wrap
from .digits import align
from .look import MOST, Index, Look
from .summaries import summary_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...core.ops.table import Array
    from ...core.words.indices import First

_HEAD: Final = 3  # of more, so many at the start …
_TAIL: Final = 2  # … and so many at the end
_CORNERS: Final = ((3, 2), (3, 1), (2, 1), (1, 1), (1, 0))  # where that is too wide
_MOST_PARTS: Final = 4  # matrices of an array with three or more axes
_INLINE: Final = 4  # elements of an array that fits into a line
_LONGEST_INLINE: Final = 26  # of a matrix: all its brackets take room

Kept = list[int | None]  # numbers of rows or columns; None where some are left out


def number(value: Any, look: Look, meaning: str = "") -> Text:
    """Return a number that stands alone."""
    return ink(number_text(value, look.precision), look, meaning)


def inline(array: Array, look: Look) -> Text:
    """Return an array on one line: its numbers, or of a large one a summary."""
    if array.ndim == 0:
        return number(array[()], look)
    if array.size > _INLINE or array.ndim > 2 or (array.ndim == 2 and not array.size):
        return summary_line(summarise(array), look)
    style = style_for(array.ravel(), look.precision)

    def listed(part: Array) -> Text:
        if part.ndim == 0:
            return ink(write(part[()], style), look)
        return Text.assemble("[", Text(" ").join(map(listed, part)), "]", end="")

    line = listed(array)
    if array.ndim == 2 and line.cell_len > _LONGEST_INLINE:
        return summary_line(summarise(array), look)
    return line


def array_block(
    array: Array, look: Look, width: int, index: Index | None = None, meaning: str = ""
) -> Block:
    """Return an array as a block, at most `width` wide where a column fits into that.

    `index` is the part of it to show whole: one number or slice for each axis.
    """
    if array.size == 0:
        return Block.of([look.text("empty", "quiet")])
    if array.ndim == 0:
        return Block.of([number(array[()], look, meaning)])
    axes = [range(size) for size in array.shape]
    if index is not None:
        axes = [_chosen(axis, part) for axis, part in zip(axes, index, strict=True)]
    drawing = _Drawing(look, width, meaning, whole=index is not None)
    block, is_complete = drawing.array(array, axes)
    if is_complete or index is not None:
        return block
    return under(block, wrap(summary_line(summarise(array), look), width))


def _chosen(axis: range, part: int | slice) -> range:
    if isinstance(part, slice):
        return axis[part]
    place = axis[part]
    return range(place, place + 1)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What stays the same while one array is drawn."""

    look: Look
    width: int
    meaning: str
    whole: bool

    def array(self, array: Array, axes: list[range]) -> tuple[Block, bool]:
        """Draw an array, and tell whether nothing of it was left out."""
        if array.ndim == 1:
            return self.matrix(array[None], range(1), axes[0])
        outer = tuple(map(len, axes[:-2]))
        kept = self.kept(range(prod(outer)), _MOST_PARTS, _MOST_PARTS - 2, 1)
        blocks: list[Block] = []
        is_complete = None not in kept
        for number_of_place in kept:
            if number_of_place is None:
                blocks.append(Block.of([self.look.text("⋮", "quiet")]))
                continue
            counts = index_of(number_of_place, outer)
            place = tuple(axis[n] for axis, n in zip(axes, counts, strict=False))
            if place:
                named = label(place, self.look.first)
                blocks.append(Block.of([self.look.text(named, "quiet")]))
            block, has_all = self.matrix(array[place], axes[-2], axes[-1])
            blocks.append(block)
            is_complete = is_complete and has_all
        return under(*blocks), is_complete

    def matrix(self, matrix: Array, rows: range, columns: range) -> tuple[Block, bool]:
        """Draw a matrix, and tell whether nothing of it was left out."""
        kept_rows = self.kept(rows, MOST, _HEAD, _TAIL)
        if self.whole:
            return under(*self.strips(matrix, kept_rows, columns)), True
        block, kept = Block.of([]), Kept()
        for kept in self.choices(columns):
            block = self.grid(matrix, kept_rows, kept).block()
            if block.width <= self.width:
                break
        return block, None not in kept_rows and None not in kept

    def kept(self, numbers: Sequence[int], most: int, head: int, tail: int) -> Kept:
        """Return which of `numbers` are shown."""
        if self.whole or len(numbers) <= most:
            return list(numbers)
        return [*numbers[:head], None, *numbers[len(numbers) - tail :]]

    def choices(self, columns: range) -> Iterator[Kept]:
        """Yield which columns to show, fewer and fewer."""
        yield self.kept(columns, MOST, _HEAD, _TAIL)
        for head, tail in _CORNERS:
            if head + tail < len(columns):
                yield self.kept(columns, head + tail, head, tail)

    def strips(self, matrix: Array, rows: Kept, columns: range) -> Iterator[Block]:
        """Draw all columns, in strips that are as wide as fits."""
        whole = self.grid(matrix, rows, list(columns))
        start = 0
        for stop in range(1, len(columns) + 1):
            following = whole.part(start, stop + 1)
            if stop == len(columns) or following.width > self.width:
                yield whole.part(start, stop).block()
                start = stop

    def grid(self, matrix: Array, rows: Kept, columns: Kept) -> _Grid:
        """Write the numbers of the rows and columns that are shown."""
        known_rows = [row for row in rows if row is not None]
        known_columns = [column for column in columns if column is not None]
        shown = matrix[np.ix_(known_rows, known_columns)]
        style = style_for(shown.ravel(), self.look.precision)
        gap = self.look.text("⋯").plain
        cells = [_column(matrix, rows, column, style, gap) for column in columns]
        high, wide = matrix.shape
        first = self.look.first
        names = _names(rows, high, first), _names(columns, wide, first)
        return _Grid(*names, tuple(cells), self.look, self.meaning)


def _names(numbers: Kept, of: int, first: First) -> tuple[str, ...]:
    """Return what stands beside rows or above columns: nothing where there is one."""
    return tuple("" if one is None or of == 1 else str(one + first) for one in numbers)


def _column(
    matrix: Array, rows: Kept, column: int | None, style: Style, gap: str
) -> list[str]:
    """Return the numbers of one column, lined up on the decimal point."""
    if column is None:
        return [gap] * len(rows)
    texts = align(
        [write(matrix[row, column], style) for row in rows if row is not None]
    )
    below = "⋮".center(len(texts[0]))
    numbers = iter(texts)
    return [below if row is None else next(numbers) for row in rows]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Cells of a matrix as text, by column."""

    rows: tuple[str, ...]  # their numbers
    columns: tuple[str, ...]  # their numbers
    cells: tuple[list[str], ...]
    look: Look
    meaning: str

    def part(self, start: int, stop: int) -> _Grid:
        """Return the columns start … stop − 1."""
        columns, cells = self.columns[start:stop], self.cells[start:stop]
        return _Grid(self.rows, columns, cells, self.look, self.meaning)

    @property
    def width(self) -> int:
        """Return how wide it is drawn."""
        return self._label + 4 + sum(self._widths) + 2 * (len(self.cells) - 1)

    @property
    def _widths(self) -> list[int]:
        return [
            max(len(name), *map(len, column))
            for name, column in zip(self.columns, self.cells, strict=True)
        ]

    @property
    def _label(self) -> int:
        longest = max(map(len, self.rows))
        return longest + 1 if longest else 0

    def block(self) -> Block:
        """Draw it."""
        look, widths = self.look, self._widths
        lines: list[Text] = []
        if any(self.columns):
            names = "  ".join(
                name.rjust(size)
                for name, size in zip(self.columns, widths, strict=True)
            )
            names = " " * (self._label + 2) + names.rstrip()
            lines.append(look.text(names, "quiet"))
        for place, name in enumerate(self.rows):
            left, right = _brackets(place, len(self.rows))
            label = f"{name:>{self._label - 1}} " if self._label else ""
            cells = [
                ink(column[place].rjust(size), look, self.meaning)
                for column, size in zip(self.cells, widths, strict=True)
            ]
            line = look.text(f"{label}{left} ", "quiet")
            line.append_text(Text("  ").join(cells))
            lines.append(line.append_text(look.text(f" {right}", "quiet")))
        return Block.of(lines)


def _brackets(place: int, of: int) -> str:
    if of == 1:
        return "[]"
    return "⎡⎤" if place == 0 else "⎣⎦" if place == of - 1 else "⎢⎥"


def ink(text: str, look: Look, meaning: str = "") -> Text:
    """Return a number as text, in the style of what it is: nan and inf stand out."""
    bare = text.strip()
    if "nan" in bare or "inf" in bare:
        meaning = "alarm"
    elif bare in {"0", "-0", "⋮", look.text("⋯").plain}:
        meaning = "zero"
    return look.text(text, meaning)
