"""A window on an array of any size: its cells as a heat map with numbers.

Sign is colour and character, magnitude is intensity; without numbers a cell is the half
of a character, or where there are no colours a sign and a bar. Only what is visible is
ever written.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from rich.color import Color as Paint
from rich.segment import Segment
from rich.style import Style as Ink

from ....core.words.numbers import (
    Style,
    exact_text,
    fitted,
    number_text,
    shape_text,
    style_for,
    write,
)
from ...draw.digits import align, placed, split
from ...draw.summaries import summary_line
from ..base.inks import colour as colour_of
from ..base.shades import legible, levels

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from rich.text import Text
    from textual.color import Color

    from ....core.engine.measure import Summary
    from ....core.explain.links import Region
    from ....core.ops.table import Array
    from ....core.words.indices import First
    from ...draw.look import Look
    from ..base.pane import Painted

LEVELS: Final = 8  # of intensity
_NAN: Final = 2 * LEVELS + 1
CURSOR: Final = _NAN + 3  # the code of the chosen cell
# Where a level begins, and last NaN, which is sorted above all.
_SHARES: Final = np.array([*(np.arange(LEVELS + 1) / LEVELS), np.nan])
_TINIEST: Final = 5e-324
# By sign, and by how many edges of levels lie at or below a magnitude.
_CODES: Final = np.array(
    [
        [0, *range(1, LEVELS + 1), _NAN + 1, _NAN],
        [0, *range(LEVELS + 1, 2 * LEVELS + 1), _NAN + 2, _NAN],
    ]
)
# A cell of two characters, by the codes of `Scale.codes`.
BARS: Final = (
    " ·",
    *(f" {bar}" for bar in "▁▂▃▄▅▆▇█"),
    *(f"-{bar}" for bar in "▁▂▃▄▅▆▇█"),
    "NN",
    "+∞",
    "-∞",
)
# The same where colours say how large a number is.
SIGNS: Final = (BARS[0], *["  "] * LEVELS, *[" -"] * LEVELS, *BARS[_NAN:])
HEAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "heat--positive": "$secondary",
        "heat--negative": "$primary",
        "heat--alarm": "bold reverse $error",
        "heat--index": "dim",
        "heat--here": "bold $foreground",
        "heat--quiet": "dim",
        "heat--linked": "underline",
        "heat--cursor": "bold reverse",
        "heat--changed": "bold $accent",
        "heat--name": "bold",
        "heat--future": "dim",
        "heat--upstream": "bold",
        "heat--local": "bold",
    }
)

_FEW: Final = 400  # numbers that are all looked at to say how they are written
_SAMPLED: Final = 100  # of more, so many
_MEASURED: Final = 10_000  # numbers that say how large all are
SHORTEST: Final = 7  # characters that any number has room in: -1e-300
TIGHTEST: Final = 5  # characters of a cell that such a number has no margins in
MARGINS: Final = 2  # characters beside a number: the cursor, or blanks

Index = tuple[int, ...]
Line = list[Segment]


# ------------------------------------------------------------------------- the inks


class Inks(NamedTuple):
    """The styles of a widget's cells, from its inks.

    `cells` are the inks of cells by the codes of `Scale.codes`.
    """

    cells: tuple[Ink, ...]
    # Their colours where there is no room for numbers, and last that of the cursor;
    # nothing where a terminal has no colours, or only its own.
    halves: tuple[Paint, ...]
    # of row and column numbers
    index: Ink  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    here: Ink  # of the numbers of the cursor's row and column
    quiet: Ink  # of what is less important
    linked: Ink  # of elements that belong to the chosen one
    cursor: Ink  # of the cell under the cursor
    changed: Ink  # of the titles of arrays that the step changes
    name: Ink  # of titles
    future: Ink  # of the cells of an array that is not there yet
    upstream: Ink  # of the title of the upstream gradient
    local: Ink  # of the title of the local derivative

    @classmethod
    def of(cls, widget: Painted) -> Inks:
        """Take the colours of a widget that has the inks of `HEAT`."""

        def ink(name: str) -> Ink:
            return widget.part(f"heat--{name}")

        def colour(name: str) -> Color:
            return colour_of(widget.INKS[f"heat--{name}"], widget.app.theme_variables)

        ground, signs = widget.background_colors[1], ("positive", "negative")
        cursor, halves = ink("cursor"), tuple[Paint, ...]()
        if any(one.ansi is not None for one in (ground, *map(colour, signs))):
            cells = [one for sign in signs for one in _bold(colour(sign))]
        else:
            fills = [one for s in signs for one in levels(colour(s), ground, LEVELS)]
            cells = [_on(fill) for fill in fills]
            # In black or white, whatever the theme; written so, for it is reversed.
            pointed = legible(ground)
            cursor += _on(legible(pointed)) + Ink(dim=False)
            if not widget.app.no_color:
                shown = (ground, *fills, *[colour("alarm")] * 3, pointed)
                halves = tuple(one.rich_color for one in shown)
        named = ("index", "here", "quiet", "linked", "changed", "name", "future")
        return cls(
            cells=(ink("quiet"), *cells, *[ink("alarm")] * 3),
            halves=halves,
            cursor=cursor,
            **{name: ink(name) for name in (*named, "upstream", "local")},
        )

    def title(self, role: str, *, is_made: bool) -> Ink:
        """Return the ink of a title, which the program has as well."""
        if is_made:
            return self.changed
        inks = {"upstream": self.upstream, "local": self.local, "slopes": self.local}
        return inks.get(role, self.name)


def _on(fill: Color) -> Ink:
    return Ink(color=legible(fill).rich_color, bgcolor=fill.rich_color)


def _bold(colour: Color) -> Iterator[Ink]:
    """Yield the inks of a colour of the terminal: it has no shades."""
    for level in range(LEVELS):
        yield Ink(color=colour.rich_color, bold=level >= LEVELS // 2)


# ------------------------------------------------------------------------ the scale


class Scale(NamedTuple):
    """How all cells of an array are written and shaded, told from a few of them.

    `template` is a number as wide as any, with its point where all have it.
    """

    style: Style  # how numbers are written
    template: str
    most: float  # the greatest finite magnitude, for the shades; 0 for none

    @classmethod
    def of(cls, array: Array, look: Look) -> Scale:
        """Look at some numbers of `array`, so that its size costs nothing."""
        if array.size == 1:
            number = array.item()
            is_key = type(number) is float and bool(number)
            return (_lone if is_key else _lone.__wrapped__)(number, look.precision)
        few = _some(array, _SAMPLED if array.size > _FEW else _FEW).tolist()
        style = style_for(few, look.precision)
        template = _template(align([write(number, style) for number in few] or ["0"]))
        if len(few) < array.size:
            template = template.rjust(SHORTEST, "8")
        return cls(style, template, _largest(_some(array, _MEASURED)))

    def within(self, width: int) -> Scale:
        """Return this scale for numbers just so wide, with fewer digits where it must.

        Any number has room in `SHORTEST` characters.
        """
        more = self.width - width
        if more <= 0:
            return Scale(self.style, self.template.rjust(width, "8"), self.most)
        _, right = split(self.template)
        right = right[:-more] if len(right) > more + 1 else ""
        style, decimals = self.style, max(len(right) - 1, 0)
        if style.decimals is not None:
            style = style._replace(decimals=min(style.decimals, decimals))
        return Scale(style, right.rjust(width, "8"), self.most)

    @property
    def width(self) -> int:
        """How wide a number is."""
        return len(self.template)

    def texts(self, numbers: Iterable[Any]) -> list[str]:
        """Write numbers, all as wide, with their points below each other."""
        room = tuple(map(len, split(self.template)))  # before the point, and from it
        return [
            _known(number, self.style, room)
            if type(number) is float and number
            else _aligned(number, self.style, room)
            for number in numbers
        ]

    def codes(self, numbers: Array) -> Array:
        """Return for each number which ink and which sign it is drawn with.

        0 is zero, then come the levels of positive and of negative numbers, then NaN,
        infinity, and minus infinity.
        """
        values = numbers.astype(float)
        edges = _edges(self.most)
        return _CODES[
            (values < 0).view(np.int8), edges.searchsorted(np.abs(values), "right")
        ]


# As keys −0.0 is 0.0, and True is 1.0: these two are only asked for other numbers.
@lru_cache(8192)  # from step to step most numbers stay the same
def _lone(number: Any, precision: int) -> Scale:
    """Return how a number by itself is written and shaded."""
    style = style_for([number], precision)
    size = abs(number)
    most = float(size) if math.isfinite(size) else 0.0
    return Scale(style, _template([write(number, style)]), most)


@lru_cache(64)
def _edges(most: float) -> Array:
    """Return from which magnitude on each level begins, then infinity, then NaN."""
    edges = _SHARES * (most or 1.0)
    edges[0], edges[LEVELS] = _TINIEST, np.inf
    return edges


def _aligned(number: Any, style: Style, room: tuple[int, ...]) -> str:
    """Write a number with so much room before its point, and from it on."""
    left, right = room
    text = write(number, style)
    whole, rest = split(text)
    if max(left, len(whole)) + max(right, len(rest)) > left + right:
        text = fitted(number, left + right, style.precision)
        whole, rest = split(text)
    fits = len(whole) <= left and len(rest) <= right
    return placed(text, left, right) if fits else text.rjust(left + right)


_known = lru_cache(8192)(_aligned)


def _template(texts: Sequence[str]) -> str:
    """Return a number that reserves the room of all of `texts`, which are aligned."""
    width = len(texts[0])
    point = next((text.index(".") for text in texts if "." in text), width)
    return "".join("." if place == point else "8" for place in range(width))


def _some(array: Array, count: int) -> Array:
    """Return about so many numbers from all over an array; of a small one, all."""
    if array.size <= count:
        return np.ravel(array[()])
    along = math.ceil(count ** (1 / array.ndim))
    steps = tuple(slice(None, None, max(-(-size // along), 1)) for size in array.shape)
    return np.ravel(array[steps])


def _largest(numbers: Array) -> float:
    size = np.abs(numbers[np.isfinite(numbers)].astype(float))
    return float(size.max()) if size.size else 0.0


# ------------------------------------------------------------------------- the grid


class Grid:
    """A window on an array, and a cursor in it.

    `linked` are the elements that belong to the chosen one. An array with three or more
    axes is seen slice by slice: the cursor's leading indices say which. The numbers of
    one that is not there yet are open.
    """

    def __init__(
        self,
        array: Array,
        look: Look,
        scale: Scale | None = None,
        is_there: bool = True,
    ) -> None:
        self.array = array
        self.is_there = is_there
        self.scale = scale or Scale.of(array, look)
        self.first: First = look.first  # what its first row and column are called
        self.cursor: Index = (0,) * array.ndim
        self.linked: Region | None = None
        self.is_active = False
        self.is_placed = False  # somebody chose where the cursor is
        self.compact = False  # without numbers
        self.joined = False  # numbers share the blank between them; one is in front
        self.is_halved = False  # then as well: two rows in a line, as colours
        self.top = self.left = 0
        self.shown = 1, 1  # rows and columns in sight

    # -------------------------------------------------------------------- shape

    def window(self, rows: int, columns: int) -> Array:
        """Return what is in sight of the two axes that are seen; a vector is a row."""
        down = slice(self.top, self.top + rows)
        across = slice(self.left, self.left + columns)
        seen = (*self.cursor[:-2], down, across)[-self.array.ndim :]
        return np.atleast_2d(self.array[seen if self.array.ndim else ()])

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.array.shape[-2] if self.array.ndim > 1 else 1

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return self.array.shape[-1] if self.array.ndim else 1

    @property
    def gutter(self) -> int:
        """How wide the row numbers are."""
        return 0 if self.rows == 1 else len(str(self.rows - 1 + self.first)) + 1

    @property
    def head(self) -> int:
        """How many lines stand above the first row."""
        return 0 if self.columns == 1 else 1

    @property
    def cell(self) -> int:
        """How wide a cell is, with its margins."""
        if self.compact:
            return 1 if self.is_halved else 2
        return self.scale.width + (1 if self.joined else MARGINS)

    @property
    def stack(self) -> int:
        """How many rows stand in one line."""
        return 2 if self.compact and self.is_halved else 1

    @property
    def width(self) -> int:
        """How wide it is as a whole."""
        return self.gutter + self.columns * self.cell

    @property
    def height(self) -> int:
        """How high it is as a whole."""
        return self.head - -self.rows // self.stack

    def index(self, row: int, column: int) -> Index:
        """Return the index of a cell in the slice that is seen."""
        if self.array.ndim == 0:
            return ()
        return (*self.cursor[:-2], *(row, column)[-min(self.array.ndim, 2) :])

    @property
    def place(self) -> tuple[int, int]:
        """Return the row and the column of the cursor."""
        padded = (0, 0, *self.cursor)
        return padded[-2], padded[-1]

    # ------------------------------------------------------------------ movement

    def move(self, down: int, right: int) -> bool:
        """Move the cursor over the cells that are seen, and tell whether it moved."""
        row, column = self.place
        row = min(max(row + down, 0), self.rows - 1)
        column = min(max(column + right, 0), self.columns - 1)
        before, self.cursor = self.cursor, self.index(row, column)
        return self.cursor != before

    def turn(self, by: int) -> bool:
        """Go to another slice of an array with three or more axes."""
        leading = self.array.shape[:-2]
        if not leading:
            return False
        flat = int(np.ravel_multi_index(self.cursor[:-2], leading))
        place = np.unravel_index((flat + by) % math.prod(leading), leading)
        self.cursor = (*(int(i) for i in place), *self.cursor[-2:])
        return True

    def fit(self, width: int, height: int, *, follow: bool = True) -> None:
        """Put the window inside the array, and over the cursor if it is to follow."""
        rows = max(height - self.head, 1) * self.stack
        columns = max((width - self.gutter) // self.cell, 1)
        if follow:
            row, column = self.place
            line, lines = row // self.stack, rows // self.stack
            top = min(max(self.top // self.stack, line - lines + 1), line)
            self.top = top * self.stack
            self.left = min(max(self.left, column - columns + 1), column)
        self.top = min(max(self.top, 0), max(self.rows - rows, 0))
        self.left = min(max(self.left, 0), max(self.columns - columns, 0))

    def look_at(self, rows: int, columns: int, top: int, left: int) -> None:
        """Put a window of so many rows and columns over some of the cells."""
        self.shown = rows, columns
        self.top = min(max(top, 0), max(self.rows - rows, 0))
        self.left = min(max(left, 0), max(self.columns - columns, 0))

    def hit(self, x: int, y: int) -> Index | None:
        """Return the index of the cell at a place of the window."""
        return self.cell_at(x - self.gutter, y - self.head)

    def cell_at(self, x: int, y: int) -> Index | None:
        """Return the index of a cell; x and y count from the first one in sight."""
        row, column = y * self.stack + self.top, x // self.cell + self.left
        if x < 0 or y < 0 or row >= self.rows or column >= self.columns:
            return None
        return self.index(row, column)

    # ------------------------------------------------------------------- drawing

    def codes(self, numbers: Array) -> Array:
        """Return the codes of numbers, as `Scale.codes` does; 0 for what is open."""
        if not self.is_there:
            return np.zeros(numbers.shape, int)
        return self.scale.codes(numbers)

    def lines(self, width: int, height: int, inks: Inks) -> list[Line]:
        """Write the cells of a window of this size, below their columns' numbers."""
        columns = max((width - self.gutter) // self.cell, 1)
        self.shown = max(height - self.head, 1) * self.stack, columns
        return self.cells(self.gutter, self.head, inks)

    def cells(self, gutter: int, head: int, inks: Inks) -> list[Line]:
        """Write the cells in sight.

        `gutter` is how wide the numbers of their rows are, and `head` how many lines
        stand above them, for the numbers of their columns.
        """
        seen = self.window(*self.shown)
        codes = self.codes(seen)
        drawn = [self._header(seen.shape[1], gutter, inks)] if head else []
        for number in range(0, len(seen), self.stack):
            row, after = self.top + number, number + self.stack
            wide = gutter - self.joined
            line = self._row_number(row, wide, inks, is_last=after >= len(seen))
            if self.stack > 1:
                line += halves(self._pointed(codes[number:after], row), inks)
            else:
                line += self._cells(row, seen[number], codes[number].tolist(), inks)
            drawn.append(line)
        return drawn

    def _header(self, columns: int, gutter: int, inks: Inks) -> Line:
        if self.columns == 1:
            return []
        digits, step = len(str(self.columns)), 1
        if self.compact or digits >= self.cell:  # side by side they would be one number
            step = -(-(digits + 2) // self.cell)
        is_left = self.compact or step > 1
        line = [Segment(" " * gutter)]
        last = self.left + columns
        for column in range(self.left, last, step):
            wide = self.cell * min(step, last - column)
            number = str(column + self.first)
            before = "←" if column == self.left and column else ""
            behind = "→" if column + step >= last and last < self.columns else ""
            name, room = f"{before}{number}{behind}", wide - (not self.compact)
            if len(name) > room:  # no digit goes for a mark
                name = number if len(number) <= room else ""
            name = name.ljust(wide) if is_left else f"{name} ".rjust(wide)
            here = column <= self.place[1] < column + step
            line.append(Segment(name, self._edge(here, inks)))
        return line

    def _row_number(self, row: int, gutter: int, inks: Inks, *, is_last: bool) -> Line:
        if not gutter or self.rows == 1:
            return [Segment(" " * gutter)] if gutter else []
        more = "↑" if row == self.top and row else " "
        if is_last and row < self.rows - self.stack:
            more = "↓"
        name = f"{row + self.first:>{gutter - 1}}{more}"
        here = row <= self.place[0] < row + self.stack
        return [Segment(name, self._edge(here, inks))]

    def _edge(self, is_here: bool, inks: Inks) -> Ink:
        return inks.here if is_here and self.is_active else inks.index

    def _cells(self, row: int, numbers: Array, codes: list[int], inks: Inks) -> Line:
        inks_of = inks.cells
        if not self.is_there:
            width = self.cell - (not self.compact)
            texts = ["?".rjust(width).ljust(self.cell)] * len(codes)
        elif self.compact and inks.halves:
            texts = [SIGNS[code] for code in codes]
        elif self.compact:  # what is behind a bar would only disturb
            inks_of = [*[Ink()] * _NAN, *inks.cells[_NAN:]]
            texts = [BARS[code] for code in codes]
        elif self.joined:
            room = self.cell - 1
            texts = [
                f"{text if len(text) <= room else '…':>{room}} "
                for text in self.scale.texts(numbers.tolist())
            ]
        else:
            wide = self.cell  # a number that is too wide takes the margins as well
            texts = [
                f" {text} " if len(text) <= wide - MARGINS else text.rjust(wide)
                for text in self.scale.texts(numbers.tolist())
            ]
        shown = [inks_of[code] if self.is_there else inks.future for code in codes]
        linked = self._linked(row)
        if linked:
            for place in range(len(shown)):
                if place + self.left in linked:
                    shown[place] += inks.linked
        here = self.place[1] - self.left
        if self.is_active and row == self.place[0] and 0 <= here < len(shown):
            shown[here] += inks.cursor
            return self._pointed_at(here, [*map(Segment, texts, shown)])
        cells = map(Segment, texts, shown)
        return [Segment(" "), *cells] if self.joined else [*cells]

    def _pointed_at(self, here: int, cells: Line) -> Line:
        """Return the cells of a row with brackets around one of them."""
        text, ink, _ = cells[here]
        if self.joined:
            line = [Segment(" "), *cells]
            before, style, _ = line[here]
            brackets = Segment("[", ink), Segment(f"{text[:-1]}]", ink)
            line[here : here + 2] = [Segment(before[:-1], style), *brackets]
            return line
        if not self.compact and text[0] == text[-1] == " ":
            cells[here] = Segment(f"[{text[1:-1]}]", ink)
        return cells

    def _pointed(self, codes: Array, first: int) -> Array:
        """Return the codes of some rows from the first on, with the cursor in them."""
        row, column = self.place[0] - first, self.place[1] - self.left
        if self.is_active and 0 <= row < len(codes) and 0 <= column < codes.shape[1]:
            codes = codes.copy()
            codes[row, column] = CURSOR
        return codes

    def _linked(self, row: int) -> Container[int]:
        """Return the columns of a row whose elements belong to the chosen one."""
        region = self.linked
        if region is None:
            return ()
        if region.places is not None:
            ends = len(self.cursor) - 2
            return {
                place[-1]
                for place in region.places
                if place[:ends] == self.cursor[:ends] and (0, *place)[-2] == row
            }
        box = (range(1), range(1), *region.box)
        leading = zip(self.cursor[:-2], region.box[:-2], strict=True)
        if row not in box[-2] or any(i not in axis for i, axis in leading):
            return ()
        return box[-1]

    # --------------------------------------------------------------------- words

    def exact(self) -> str:
        """Return the number at the cursor with all its digits."""
        if not self.is_there:
            return "?"
        return exact_text(self.array[self.cursor]) if self.array.size else "empty"


def halves(codes: Array, inks: Inks) -> Line:
    """Draw the codes of two rows in one line, each cell as the half of a character."""
    upper, lower = codes[0], codes[1] if len(codes) > 1 else np.zeros_like(codes[0])
    line: Line = []
    for (high, low), cells in groupby(zip(upper.tolist(), lower.tolist(), strict=True)):
        ink = Ink(color=inks.halves[high], bgcolor=inks.halves[low])
        line.append(Segment("▀" * len(list(cells)), ink))
    return line


# -------------------------------------------------------------------------- the map


def map_of(grid: Grid, inks: Inks, width: int, height: int) -> list[Line]:
    """Draw the whole of what `grid` has a window on, with the window outlined in it.

    Where there is no room for all its cells, it has one of several.
    """
    steps = -(-grid.rows // (2 * height)), -(-grid.columns // width)
    seen = (*grid.cursor[:-2], *(slice(None, None, step) for step in steps))
    codes = grid.codes(np.atleast_2d(grid.array[seen[-grid.array.ndim :]]))
    ends = (grid.top, grid.left), grid.shown
    (top, bottom), (left, right) = (
        (start // step, min((start + count - 1) // step, size - 1))
        for start, count, step, size in zip(*ends, steps, codes.shape, strict=True)
    )
    codes[top : bottom + 1, [left, right]] = CURSOR
    codes[[top, bottom], left : right + 1] = CURSOR
    return [halves(codes[row : row + 2], inks) for row in range(0, len(codes), 2)]


def summary_text(summary: Summary, look: Look) -> Text:
    """Return shape, range, distribution, zeros, NaN, Inf and the mean on one line."""
    line = look.text(f"{shape_text(summary.shape)}  ", "quiet").append_text(
        summary_line(summary, look)
    )
    if summary.mean is not None and summary.low != summary.high:
        mean = number_text(summary.mean, look.precision)
        line.append_text(look.text(f"  mean {mean}", "quiet"))
    return line
