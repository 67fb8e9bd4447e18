"""An array as tables of HTML: a heat map with numbers, cut where it is large."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from ...core.words.indices import label
from ...core.words.numbers import style_for, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.ops.table import Array
    from ...core.words.indices import First

LEVELS: Final = 8  # of intensity, for each sign: the classes p1 … p8 and n1 … n8
MOST: Final = 10  # rows and columns that are shown in full
_LAST: Final = 2  # of more, so many at the end
_MOST_SLICES: Final = 4  # of an array with more than two axes
_GAP: Final = "<th class=gap>⋯"  # where columns are left out
_NARROW: Final = 40  # characters side by side that a telephone has room for
_SMALL: Final = 60  # and in small type

Index = tuple[int, ...]


@dataclass(frozen=True)
class Cells:
    """The part of an array that a page shows, cell after cell."""

    array: Array  # the whole of it
    most: int = MOST  # rows and columns that are shown
    first: First = 0  # what its first row and column are called

    @cached_property
    def _rows(self) -> Sequence[int]:
        shape = self.array.shape
        return _kept(shape[-2], self.most) if len(shape) > 1 else range(1)

    @cached_property
    def _columns(self) -> Sequence[int]:
        shape = self.array.shape
        return _kept(shape[-1], self.most) if shape else range(1)

    @cached_property
    def _slices(self) -> Sequence[Index]:
        every = itertools.product(*map(range, self.array.shape[:-2]))
        return tuple(itertools.islice(every, _MOST_SLICES))

    @cached_property
    def indices(self) -> Sequence[Index]:
        """The index of each cell, in the order in which the page has them."""
        cells = itertools.product(self._slices, self._rows, self._columns)
        skipped = max(2 - self.array.ndim, 0)
        return [(*first, row, column)[skipped:] for first, row, column in cells]

    @cached_property
    def texts(self) -> Sequence[str]:
        """The number of each cell, as it is written."""
        numbers = [self.array[index] for index in self.indices]
        style = style_for(numbers)
        return [write(number, style) for number in numbers]

    @cached_property
    def kinds(self) -> Sequence[str]:
        """The class of each cell, from its sign and its share of the largest; or ""."""
        if not self.array.ndim:  # most of a graph of scalars: it is its own largest
            number = float(self.array[()])
            return [_kind(number, abs(number) or 1.0 if math.isfinite(number) else 1.0)]
        sizes = np.abs(self.array.astype(float))
        largest = float(sizes[np.isfinite(sizes)].max(initial=0.0)) or 1.0
        return [_kind(float(self.array[index]), largest) for index in self.indices]

    @cached_property
    def width(self) -> int:
        """How many characters it is wide, about."""
        return (max(map(len, self.texts), default=1) + 2) * len(self._columns) + 2

    @cached_property
    def html(self) -> str:
        """The tables: one, or one for each slice along the first axes."""
        cells = zip(self.texts, self.kinds, strict=True)
        return "".join(self._table(first, cells) for first in self._slices)

    def _table(self, first: Index, cells: zip[tuple[str, str]]) -> str:
        lines: list[str] = []
        if first:
            is_last = first == self._slices[-1]
            more = math.prod(self.array.shape[:-2]) - len(self._slices)
            said = f" and {more} more" if is_last and more else ""
            lines.append(f"<caption>{label(first, self.first)}{said}</caption>")
        if len(self._columns) > 1:
            heads = "".join(
                f"{_GAP * k}<th>{n + self.first}" for k, n in _marked(self._columns)
            )
            lines.append(f"<tr><th>{heads}")
        for gap, row in _marked(self._rows):
            lines.append("<tr class=gap><th>⋮" if gap else "")
            name = row + self.first if len(self._rows) > 1 else ""
            found = (
                f"{_GAP * k}<td{f' class={kind}' * bool(kind)}>{escape(text)}"
                for (k, _), (text, kind) in zip(
                    _marked(self._columns), cells, strict=False
                )
            )
            lines.append(f"<tr><th>{name}{''.join(found)}")
        return f'<table tabindex="0">{"".join(lines)}</table>'


def cells_of(array: Array, most: int = MOST, first: First = 0) -> Cells:
    """Return the cells of an array; one number stands in many steps, and is drawn once.

    >>> cells_of(np.array(2.5)) is cells_of(np.array(2.5))
    True
    """
    if array.ndim:
        return Cells(array, most, first)
    return _number(array.dtype.str, array.tobytes())


@lru_cache(4096)
def _number(dtype: str, data: bytes) -> Cells:
    """Return the cells of a number by its bits: 0 and -0 are two, nan is one."""
    return Cells(np.frombuffer(data, dtype).reshape(()))


def size_class(width: int) -> str:
    """Return the class of what is so many characters wide, for narrow screens."""
    return "" if width <= _NARROW else " small" if width <= _SMALL else " heat"


def _kept(size: int, most: int) -> Sequence[int]:
    """Return the rows that are shown: all, or the first and the last ones.

    >>> _kept(20, 5)
    (0, 1, 2, 18, 19)
    """
    if size <= most:
        return range(size)
    return (*range(most - _LAST), *range(size - _LAST, size))


def _marked(kept: Sequence[int]) -> list[tuple[bool, int]]:
    """Return each number with whether others are left out before it.

    >>> _marked((0, 1, 7))
    [(False, 0), (False, 1), (True, 7)]
    """
    before = itertools.chain(kept[:1], kept)
    return [(here - last > 1, here) for last, here in zip(before, kept, strict=False)]


def _kind(number: float, largest: float) -> str:
    """Return the class of a cell.

    >>> _kind(-0.1, 1.0), _kind(3.0, 3.0), _kind(0.0, 1.0), _kind(math.nan, 1.0)
    ('n1', 'p8', '', 'bad')
    """
    if not math.isfinite(number):
        return "bad"
    if not number:
        return ""
    level = min(int(abs(number) / largest * LEVELS) + 1, LEVELS)
    return f"{'n' if number < 0 else 'p'}{level}"
