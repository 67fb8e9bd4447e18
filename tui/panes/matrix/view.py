"""One array alone: a heat map that scrolls, however large it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView

from ....core.pictures.jumps import SEEKS, Seek
from ....core.words.indices import label
from ....core.words.numbers import number_text, shape_text
from ...draw.look import Look
from ..base.pane import Chosen, Line, Painted, fitted
from .grid import HEAT, Grid, Index, Inks, map_of, summary_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.events import Click, Key
    from textual.widget import Widget

    from ....core.engine.measure import Summary
    from ....core.explain.links import Facet, Region
    from ..base.known import Known

KEYS: Final = (
    "arrows: another element   page up, page down: a page   , .: another slice\n"
    "M: the largest   L: the smallest   !: the next NaN or Inf\n"
    "j: jump to an index, as in `j 3 , 14 enter`   d: dense, a heat map without numbers"
)
_AT_ONCE: Final = 200_000  # elements that are searched without delay
_FOOTER: Final = 2
_MAP_TOP: Final = 2  # lines above the map
_MAP_WIDTH: Final = 24

_SEEK_KEYS: Final = {
    "M": "largest",
    "L": "smallest",
    "exclamation_mark": "next NaN or Inf",
}
_ARROWS: Final = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
_TURNS: Final = {"comma": -1, "full_stop": 1}


class Walker:
    """Moves the cursor of a grid by keys; `j` takes an index from the keyboard.

    A large array is searched in the background: `arrived` is called when the cursor
    has been moved then.
    """

    def __init__(self, widget: Widget, arrived: Callable[[], None]) -> None:
        self.typed: str | None = None  # of an index, while it is entered
        self._widget = widget
        self._arrived = arrived

    def walk(self, key: Key, grid: Grid, page: int) -> bool:
        """Carry out a key, and tell whether it was one of these."""
        name, character = key.key, key.character or ""
        if self.typed is not None:
            self._type(name, character, grid)
        elif name in _ARROWS:
            grid.move(*_ARROWS[name])
        elif name in ("pageup", "pagedown"):
            grid.move(page if name == "pagedown" else -page, 0)
        elif name in _TURNS:
            grid.turn(_TURNS[name])
        elif name in _SEEK_KEYS:
            self._seek(SEEKS[_SEEK_KEYS[name]], grid)
        elif name == "j":
            self.typed = ""
        else:
            return False
        return True

    def _seek(self, seek: Seek, grid: Grid) -> None:
        array, start = grid.array, grid.cursor
        if array.size <= _AT_ONCE:
            grid.cursor = seek(array, start) or start
            return

        def arrive(found: Index | None) -> None:
            if found not in (None, start) and grid.cursor == start:
                grid.cursor = found
                self._arrived()

        def work() -> None:
            self._widget.app.call_from_thread(arrive, seek(array, start))

        self._widget.run_worker(
            work, thread=True, exclusive=True, group="seek", exit_on_error=False
        )

    def _type(self, name: str, character: str, grid: Grid) -> None:
        if name == "escape":
            self.typed = None
        elif name == "backspace":
            self.typed = (self.typed or "")[:-1]
        elif name == "enter":
            index = parse_index(self.typed or "", grid.array.shape)
            grid.cursor = grid.cursor if index is None else index
            self.typed = None
        elif character and character in "0123456789, ":
            self.typed = (self.typed or "") + character


def parse_index(text: str, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return an index as it was typed, or None where it is not one into `shape`.

    >>> parse_index("3, 1", (5, 4)), parse_index("9", (5,)), parse_index("1", (5, 4))
    ((3, 1), None, None)
    """
    words = text.replace(",", " ").split()
    if len(words) != len(shape) or not all(word.isdecimal() for word in words):
        return None
    index = tuple(int(word[:12]) for word in words)
    return index if all(i < n for i, n in zip(index, shape, strict=True)) else None


class MatrixView(Painted, ScrollView, can_focus=True):
    """A grid that fills the widget, with its title above and its numbers below."""

    TITLE: ClassVar[str] = "One matrix"
    HELP: ClassVar[str | None] = (
        "One array, as numbers or as a heat map.\n"
        "A cell's colour and its sign: plus or minus; how strong: how large.\n"
        "underlined: what belongs to the chosen element\n"
        "At the right, where not all is in sight: the whole array, or every so many\n"
        "cells of it, with a frame around what is in sight.\n"
        "0 is exactly zero, -0 as well: floating point keeps the sign of a zero.\n"
        f"{KEYS}\nhome, end: first and last column; with ctrl: first and last cell\n"
        "v, escape: back to the step"
    )
    INKS: ClassVar[Mapping[str, str]] = HEAT
    DEFAULT_CSS: ClassVar[str] = (
        "MatrixView { scrollbar-size: 1 1; height: 1fr; overflow: auto auto;"
        "background: $background; scrollbar-background: $background; }"
    )

    class Closed(Message):
        """A person wants to go back to where the array came from."""

    def __init__(self, summaries: Known[Summary], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.grid: Grid | None = None
        self._summaries = summaries
        self._walker = Walker(self, self._moved)
        self._facet: Facet | None = None
        self._title = Text("")
        self._look = Look()
        self._inks: Inks | None = None

    def word(self) -> str:
        """Return what the glossary calls the array."""
        return self._facet.word if self._facet is not None else ""

    def show(
        self,
        facet: Facet,
        cursor: tuple[int, ...],
        linked: Region | None,
        title: Text,
        look: Look,
    ) -> None:
        """Draw the array of `facet`, with the cursor on a cell."""
        grid = self.grid
        if grid is None or self._facet is None or self._facet.array is not facet.array:
            grid = self.grid = Grid(facet.array, look, is_there=facet.is_there)
            grid.is_active = True
            grid.is_halved = facet.is_there and bool(self._known_inks().halves)
        self._facet, self._title, self._look = facet, title, look
        grid.cursor, grid.linked, grid.first = cursor, linked, look.first
        self._fit()

    # ------------------------------------------------------------------ movement

    def on_key(self, event: Key) -> None:
        """Move the cursor, or leave."""
        grid = self.grid
        if grid is None:
            return
        typing = self._walker.typed is not None
        before = grid.cursor
        page = max(self._room - 1, 1)
        if grid.array.size and self._walker.walk(event, grid, page):
            pass
        elif event.key in ("home", "end"):
            grid.move(0, grid.columns if event.key == "end" else -grid.columns)
        elif event.key in ("ctrl+home", "ctrl+end"):
            sign = 1 if event.key == "ctrl+end" else -1
            grid.move(sign * grid.rows, sign * grid.columns)
        elif event.key == "d":
            grid.compact = not grid.compact
        elif event.key in ("v", "escape"):
            self.post_message(self.Closed())
        elif not typing:
            return
        event.stop()
        event.prevent_default()
        if grid.cursor != before:
            self._moved()
        else:
            self._fit()

    def _moved(self) -> None:
        self._fit()
        self._choose()

    def on_click(self, event: Click) -> None:
        """Choose the cell under the mouse."""
        grid = self.grid
        found = None if grid is None else grid.hit(int(event.x), int(event.y) - 1)
        if grid is None or found is None:
            return
        event.stop()
        grid.cursor = found
        self._choose()
        self.refresh()

    def _choose(self) -> None:
        if self.grid is not None and self._facet is not None:
            self.post_message(Chosen(self._facet.element(self.grid.cursor)))

    @property
    def _area(self) -> Size:
        """The room between the scroll bars."""
        return self.scrollable_content_region.size

    @property
    def _map(self) -> tuple[int, int]:
        """The most columns and lines of the map of the whole array."""
        return _MAP_WIDTH, self._room - _MAP_TOP

    @property
    def _width(self) -> int:
        """How many columns there are for the grid: a map may stand beside it."""
        grid, width = self.grid, self._area.width
        if grid is None or not self._known_inks().halves:
            return width
        is_whole = grid.width <= width and grid.height <= self._room
        with_map = width - 1 - min(_MAP_WIDTH, grid.columns)
        return width if is_whole or with_map < _MAP_WIDTH else with_map

    @property
    def _room(self) -> int:
        """How many lines there are for the grid."""
        return max(self._area.height - 1 - _FOOTER, 1)

    def _fit(self) -> None:
        """Scroll so that the cursor is seen."""
        grid = self.grid
        if grid is None or not self._area:
            return
        grid.fit(self._width, self._room)
        self.virtual_size = Size(
            grid.gutter + (grid.columns + 1) * grid.cell,
            grid.height + 1 + _FOOTER,
        )
        # It has to be made to: before its first frame it shows no bar to scroll with.
        x, y = grid.left * grid.cell, -(-grid.top // grid.stack)
        self.scroll_to(x, y, animate=False, force=True, immediate=True)
        self.refresh()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._fit()

    # ------------------------------------------------------------------- drawing

    def notify_style_update(self) -> None:
        """Forget the colours of the theme before."""
        super().notify_style_update()
        self._inks = None

    def _known_inks(self) -> Inks:
        if self._inks is None:
            self._inks = Inks.of(self)
        return self._inks

    def lines(self) -> list[Line]:
        """Return the title, the window on the array, and what is said below it."""
        grid = self.grid
        if grid is None:
            return []
        inks = self._known_inks()
        offset = self.scroll_offset
        summary = self._summaries.of(grid.array, self) if grid.is_there else None
        grid.top = int(offset.y) * grid.stack
        grid.left = -(-int(offset.x) // grid.cell)
        grid.fit(self._width, self._room, follow=False)
        lines = [self._line(self._title)]
        lines += grid.lines(self._width, self._room, inks)
        if self._width < self._area.width:
            for line, drawn in enumerate(map_of(grid, inks, *self._map), _MAP_TOP):
                lines[line] = [*fitted(lines[line], self._width + 1), *drawn]
        blank = self._area.height - len(lines) - _FOOTER
        lines += [Line()] * max(blank, 0)
        lines.append(self._line(self._status(grid)))
        lines.append(self._line(self._below(grid, summary)))
        return lines

    def _line(self, text: Text) -> Line:
        return list(text.render(self.app.console))

    def _status(self, grid: Grid) -> Text:
        """Return the number at the cursor with all digits, or what is being typed."""
        if self._walker.typed is not None:
            return Text(f"jump to [{self._walker.typed}▏]  enter, escape", end="")
        place = label(grid.cursor, grid.first)
        line = Text(f"{place} = {grid.exact()}", end="")
        leading = grid.array.shape[:-2]
        if leading:
            line.append(f"   slice of {shape_text(leading)}: , .")
        return line.append("   v: back", "dim")

    def _below(self, grid: Grid, summary: Summary | None) -> Text:
        """Return the summary, and of a dense grid the scale."""
        if not grid.is_there:
            return Text(f"{shape_text(grid.array.shape)}  to come", "dim", end="")
        if summary is None:
            return Text("summing up …", end="")
        line = summary_text(summary, self._look)
        if grid.compact and grid.scale.most:
            most = number_text(grid.scale.most, self._look.precision)
            line.append(f"  strongest: {most}")
        return line
