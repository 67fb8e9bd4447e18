"""What every pane is: a widget that draws a view, and says what a person wants.

Data flows one way. The application executes a command line, makes a `View` of what the
debugger answers, and hands it to every pane at once. A pane changes nothing by itself:
it posts `Asked` with a command line, or `Chosen` with the element under its cursor.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final, Generic, NamedTuple, Self, TypeVar

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.events import Click
from textual.geometry import Offset, Region, Size, Spacing
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ....core.session.asking import pending
from .background import Kept
from .inks import ink as ink_of
from .shades import legible
from .views import VIEWS, Tab, tabs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from textual.screen import Screen
    from textual.scrollbar import ScrollBar
    from textual.selection import Selection

    from ....core.debugger.debugger import Debugger
    from ....core.engine.element import Element
    from ....core.practice.predict.question import Question
    from ....core.session.reply import Reply
    from ....core.session.stops import Stop

Line = list[Segment]
T = TypeVar("T")

_SHOWN: Final = {True: "open", False: "tab"}


class View(NamedTuple):
    """One moment: the debugger as it stands, its last reply, the selected element."""

    debugger: Debugger  # its place, its runs, its memory
    reply: Reply | None = None  # None before the first command
    chosen: Element | None = None  # None where nothing is selected

    @property
    def hides(self) -> bool:
        """Whether nothing may be drawn that is made at the position or behind it."""
        return "predict" in self.debugger.modes

    @property
    def question(self) -> Question | None:
        """The question that waits for its answer; None where none does."""
        asked = pending(self.debugger)
        return None if asked is None else asked.question

    @property
    def shown(self) -> int:
        """The position behind the step that is shown.

        It is the last one that was made, or the coming one while it is asked about.
        """
        return self.debugger.position + (self.question is not None)


class Asked(Message):
    """A person asked for something: a command line to execute, or several."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.line = line


class Begun(Message):
    """A person began a command line: it waits in the console for the rest."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.line = line


class Chosen(Message):
    """A person chose an element: all panes show the same one."""

    def __init__(self, element: Element) -> None:
        super().__init__()
        self.element = element


class Turned(Message):
    """A person turned to another view."""

    def __init__(self, view: str) -> None:
        super().__init__()
        self.view = view


class Again(Message):
    """A person wants to see something else of the same moment, which may take long."""


def fitted(line: Line, width: int) -> Line:
    """Return a line of a width: cut, or filled up."""
    used = cell_len("".join([text for text, _, _ in line]))
    if used > width:
        return list(Strip(line, used).crop(0, width))
    return [*line, Segment(" " * (width - used))] if used < width else line


def filled(line: Line, width: int, ground: Style) -> Line:
    """Return a line of a width on a ground: what has no background gets that one."""
    return [
        Segment(text, style if style and style.bgcolor else ground + style)
        for text, style, _ in fitted(line, width)
    ]


def folded(text: str, width: int) -> list[str]:
    """Break a line between words, or where there is no blank wherever it must be.

    What goes on below begins where the line does.

    >>> folded("so: turn it round", 10), folded("abcdef", 4), folded("  ab cd", 6)
    (['so: turn ', 'it round'], ['abcd', 'ef'], ['  ab ', '  cd'])
    """
    parts: list[str] = []
    indent = " " * (len(text) - len(text.lstrip(" ")))
    indent *= len(indent) < width // 2  # beside it any character has room
    while cell_len(text) > width:
        first = chop_cells(text[: width + 1], width)[0] or text[0]
        if text[len(first) :][:1] != " " and first.strip().count(" "):
            first = first[: first.rindex(" ") + 1]
        parts.append(first)
        text = indent + text[len(first) :].removeprefix(" ")
    return [*parts, text] if text or not parts else parts


def places(stops: Mapping[int, Stop]) -> object:
    """Return a key for the places that have a stop.

    The number of a stop is enough to know its place: it is never used again.
    """
    return tuple((stop.number, stop.enabled) for stop in stops.values())


class Painted(Widget):
    """A widget of drawn lines; what was drawn is kept, and painted where it changed.

    It is drawn whole, its margins included: what Textual draws around a widget it draws
    again with every line that changes.

    `INKS` are its inks by name, as `base/inks` reads them; that of a widget which has
    the focus, or in which something has it, has `:focus` behind its name. Component
    classes of Textual would be rules to read, and a node for each to be styled.
    """

    INKS: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *, id: str | None = None) -> None:
        self._all: Sequence[Line] | None = None  # what `lines` has returned
        self._drawn: dict[int, Line] = {}
        self._strips: dict[int, Strip] = {}  # of those, as the terminal can show them
        self._inks_of: dict[str, Style] = {}
        self._parts_of: dict[str, Style] = {}
        # What a style of a line becomes: on its ground, as the terminal can show it.
        self._shown_as: dict[Style | None, Style] = {}
        self._selected: Selection | None = None  # text, by dragging the mouse over it
        # Its measures when it is drawn: Textual finds out anew whenever it is asked.
        self._is_measured = False
        self.whole_size = self.room = Size(0, 0)
        self.margin = Spacing()
        self.scrolled = Offset(0, 0)
        super().__init__(id=id)

    def lines(self) -> Sequence[Line]:
        """Return what is in sight, line by line, where that is made together."""
        return ()

    def draw(self, y: int) -> Line:
        """Return one line of what is in sight: up to where there is nothing more."""
        if self._all is None:
            self._all = self.lines()
        return self._all[y] if y < len(self._all) else []

    def whole(self, y: int) -> Line:
        """Return one line of the widget, that of its border included."""
        return self.draw(y)

    def framed(self, line: Line, y: int) -> Line:
        """Return a line with what stands left and right of it."""
        del y
        return fitted(line, self.whole_size.width)

    def ink(self, name: str) -> Style:
        """Return an ink of the table on the widget's ground, or for "" its own."""
        if name not in self._inks_of:
            self._inks_of[name] = (
                self.ink("") + self.part(name) if name else self.rich_style
            )
        return self._inks_of[name]

    def part(self, name: str) -> Style:
        """Return what an ink of the table adds to that of the widget."""
        if name not in self._parts_of:
            said = self.INKS[name]
            if self.has_focus_within:
                said = self.INKS.get(f"{name}:focus", said)
            ground = self.background_colors[1]
            self._parts_of[name] = ink_of(said, self.app.theme_variables, ground)
        return self._parts_of[name]

    def notify_style_update(self) -> None:
        """Forget the colours of the theme before, or those without the focus."""
        super().notify_style_update()
        if self._inks_of:
            self.refresh()
        self._inks_of.clear()
        self._parts_of.clear()
        self._shown_as.clear()
        self._forget()

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Draw everything anew before the next frame."""
        if repaint:
            self._forget()
        return super().refresh(
            *regions, repaint=repaint, layout=layout, recompose=recompose
        )

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Place the vertical scroll bar: a hidden one is not moved with the widget."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def watch_show_horizontal_scrollbar(self, shown: bool) -> None:
        """Place the horizontal scroll bar, likewise."""
        if shown:
            self.horizontal_scrollbar.position = self.scroll_x

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The vertical scroll bar, made when it is first asked for."""
        if self._vertical_scrollbar is None:
            from .bars import SlowBar  # noqa: PLC0415  # at the start few panes scroll

            bar = SlowBar(name="vertical", thickness=self.scrollbar_size_vertical)
            bar.display = False
            self._vertical_scrollbar = bar
            self.app._start_widget(self, bar)  # noqa: SLF001  # as Textual does
        return self._vertical_scrollbar

    def _forget(self) -> None:
        self._all = None
        self._drawn.clear()
        self._strips.clear()
        self._is_measured = False

    def _measure(self) -> None:
        """Find out how large it is, and forget what was drawn in another size."""
        size = self.outer_size
        if self._is_measured and size == self.whole_size:
            return
        self._forget()
        self._is_measured = True
        self.whole_size = size
        self.room, self.margin = self.size, self.gutter
        self.scrolled = self.scroll_offset

    def repaint(self, lines: Sequence[int] | None = None) -> None:
        """Draw all lines now, or some, and paint those that have changed."""
        if not self.display:
            self._forget()  # it is drawn when it is to be seen again
            return
        self._measure()
        self._all = None
        width, height = self.whole_size
        if not height or len(self._drawn) < height:
            self.refresh()  # there is nothing to compare with
            return
        changed: list[Region] = []
        for y in range(height) if lines is None else lines:
            line = self.whole(y)
            if line != self._drawn[y]:
                self._drawn[y] = line
                self._strips.pop(y, None)
                if changed and changed[-1].bottom == y:
                    changed[-1] = changed[-1].grow((0, 0, 1, 0))
                else:
                    changed.append(Region(0, y, width, 1))
        if changed:
            paint_soon(self, changed)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines as they were drawn."""
        self._measure()
        strips = [self._strips.get(y) or self._painted(y) for y in crop.line_range]
        if crop.column_span == (0, self.whole_size.width):
            return strips
        return [strip.crop(*crop.column_span) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """Return one line of the contents as it was drawn, with the place of its text.

        Textual asks for it where the mouse is, to select text; to paint it does not.
        """
        self._measure()
        left = self.margin.left
        strip = self._painted(y + self.margin.top).crop(left, left + self.room.width)
        return strip.apply_offsets(0, y)

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        """Return the selected text as it is drawn, without the blanks behind it."""
        lines = (self.render_line(y).text for y in range(self.room.height))
        text = selection.extract("\n".join(lines))
        return "\n".join(line.rstrip() for line in text.split("\n")), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint what is selected now."""
        self._selected = selection
        self._strips.clear()
        super().refresh()

    def check_message_enabled(self, message: Message) -> bool:
        """Drop the click at the end of a drag that has selected text."""
        is_drag = isinstance(message, Click) and self.text_selection is not None
        return not is_drag and super().check_message_enabled(message)

    def _marked(self, line: Line, y: int) -> Line:
        """Return a line with what is selected of it marked."""
        span = self._selected.get_span(y) if self._selected is not None else None
        if span is None or not 0 <= y < self.room.height:
            return line
        strip = Strip(filled(line, self.whole_size.width, self.ink("")))
        left, right = self.margin.left, self.margin.left + self.room.width
        text = strip.crop(left, right).text
        start = left + cell_len(text[: span[0]])
        end = right if span[1] < 0 else left + cell_len(text[: span[1]])
        ink = selection_ink(self.screen)
        marked = Segment.apply_style(strip.crop(start, end), post_style=ink)
        return [*strip.crop(0, start), *marked, *strip.crop(end)]

    def _painted(self, y: int) -> Strip:
        if y not in self._drawn:
            self._drawn[y] = self.whole(y)
        width, known = self.whole_size.width, self._shown_as
        line = self.framed(self._drawn[y], y)
        if self._selected is not None:
            line = self._marked(line, y - self.margin.top)
        # Styles are slow to look up, and hardly any is looked up for the first time.
        shown = [
            Segment(text, known.get(ink) or self._shown_ink(ink))
            for text, ink, _ in line
        ]
        strip = self._strips[y] = Strip(shown, width)
        return strip

    def _shown_ink(self, ink: Style | None) -> Style:
        """Return the style that is shown; Textual asks for it with each segment."""
        shown = self._shown_as[ink] = as_shown(self, ink, self.ink(""))
        return shown


def paint_soon(widget: Widget, regions: Iterable[Region]) -> None:
    """Have regions of a widget painted with the next frame of its screen.

    `Widget.refresh` sends two messages for it, which take longer than to draw lines.
    """
    widget._repaint_regions.update(regions)  # noqa: SLF001  # as its messages do
    # A turn later: a widget that scrolls sends its messages in this one, and what one
    # key changes is one frame. Textual waits 17 ms between two.
    asyncio.get_running_loop().call_soon(_ask_for_frame, widget)


def _ask_for_frame(widget: Widget) -> None:
    if widget.is_attached:
        screen = widget.screen
        screen._dirty_widgets.add(widget)  # noqa: SLF001  # as its messages do
        screen.check_idle()


def as_shown(widget: Widget, ink: Style | None, ground: Style) -> Style:
    """Return the style of a line on its ground, as the terminal can show it."""
    line = filled([Segment(" ", ink)], 1, ground)
    for one in widget.get_line_filters():
        line = one.apply(line, widget.background_colors[1])
    return line[0].style or ground


def selection_ink(screen: Screen[object]) -> Style:
    """Return the style of selected text.

    Textual's own has no colour of the text in most themes, so that of its ground.
    """
    ink = screen.get_component_rich_style("screen--selection")
    ground = screen.get_component_styles("screen--selection").background
    if ground.ansi is not None or ink.bgcolor is None or ink.bgcolor.triplet is None:
        return ink
    return ink + Style(color=legible(Color(*ink.bgcolor.triplet)).rich_color)


class OneLine(Painted):
    """One line at the edge of the screen."""

    INKS: ClassVar[Mapping[str, str]] = {
        "line--key": "bold $accent",
        "line--edge": "dim",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words: Sequence[tuple[str, str]] = ()

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(text for text, _ in self._words)

    def tell(self, *words: tuple[str, str]) -> None:
        """Write words, each with the name of its style or ""."""
        if words != self._words:
            self._words = words
            self.repaint()

    def lines(self) -> Sequence[Line]:
        """Draw the words."""
        return [[Segment(text, self.ink(name)) for text, name in self._words]]


class Pane(Painted, can_focus=True):
    """A widget that draws views, in a border.

    `TITLE` stands in its border, `HELP` is what `?` says of it: what is to be seen, and
    the keys that work while it has the focus. `WORD` is what the glossary calls what it
    shows.
    """

    TITLE: ClassVar[str] = ""
    WORD: ClassVar[str] = ""
    HELP: ClassVar[str | None] = ""
    INKS: ClassVar[Mapping[str, str]] = {
        "pane--border": "$panel",
        "pane--border:focus": "$primary",
        "pane--title": "$secondary",
        "pane--title:focus": "bold $secondary",
        "pane--open": "bold $secondary",
        "pane--tab": "dim",
        "pane--digit": "$accent",
    }

    def __init__(self, *, id: str | None = None) -> None:
        self._borders: dict[bool, tuple[object, Line]] = {}  # as they were drawn last
        super().__init__(id=id)
        self.titles = (self.TITLE, "")

    def word(self) -> str:
        """Return what the glossary calls what the cursor is on; "" for nothing."""
        return self.WORD

    def head(self, title: str, subtitle: str = "") -> None:
        """Say above what the pane is, and below what can be done or known.

        Where a line has no room, it is the next one of several that is shown.
        """
        if self.titles != (title, subtitle):
            self.titles = title, subtitle
            self.repaint((0, max(self.outer_size.height - 1, 0)))

    def prepare(self, view: View) -> None:
        """Compute what takes longer than a frame, and keep it for `show`.

        It is called in another thread, so nothing of the screen may be changed here.
        `view.debugger.progress` tells how far it is, and raises `Interrupted` where a
        person has given it up: `Kept` holds what comes of it.
        """

    def show(self, view: View) -> None:
        """Draw `view`, at once and without waiting: a key becomes a picture here."""
        raise NotImplementedError

    def whole(self, y: int) -> Line:
        """Return one line of the pane; its border is the first one and the last."""
        margin = self.margin
        if not margin.width or 0 < y < self.whole_size.height - 1:
            return self.draw(y - margin.top)
        is_top, width = y == 0, self.whole_size.width
        named = self._tabs(width)[not is_top]
        what = self.titles[not is_top], named, width
        drawn = self._borders.get(is_top)
        if drawn is None or drawn[0] != what:
            drawn = what, self._edge(width, named, is_top=is_top)
            self._borders[is_top] = drawn
        return drawn[1]

    def notify_style_update(self) -> None:
        """Forget the borders in the colours before, too."""
        super().notify_style_update()
        self._borders.clear()

    def _is_edge(self, y: int) -> bool:
        return self.margin.width > 0 and y in (0, self.whole_size.height - 1)

    def framed(self, line: Line, y: int) -> Line:
        """Return a line with the border at its ends."""
        width, margin = self.whole_size.width, self.margin
        if not margin.width or self._is_edge(y):
            return fitted(line, width)
        left, right = " " * (margin.left - 1), " " * (margin.right - 1)
        border = self.ink("pane--border")
        return [
            Segment("│", border),
            *([Segment(left)] if left else ()),
            *fitted(line, width - margin.width),
            *([Segment(right)] if right else ()),
            Segment("│", border),
        ]

    def _tabs(self, width: int) -> tuple[Sequence[Tab], Sequence[Tab]]:
        """Return the views that the upper border names, and the lower one."""
        if self.id is None or self.id not in VIEWS:
            return (), ()
        least = min(map(cell_len, self.titles[1].split("\n")))
        return tabs(self.id, width - 4, width - 6 - least)

    def _edge(self, width: int, named: Sequence[Tab], *, is_top: bool) -> Line:
        """Return the upper border with the title, or the lower with the subtitle."""
        left, right = "╭╮" if is_top else "╰╯"
        border = self.ink("pane--border")
        before: Line = [Segment("─", border)]
        if named:
            before = [Segment(" "), *self._named(named), Segment(" ")]
        elif is_top:
            before += self._label(0, width - 6)
        used = sum(cell_len(text) for text, _, _ in before)
        after = [] if is_top else self._label(1, width - 5 - used)
        room = width - 3 - used - sum(cell_len(text) for text, _, _ in after)
        return [
            Segment(left, border),
            *before,
            Segment("─" * room, border),
            *after,
            Segment(f"─{right}" if room >= 0 else right, border),
        ]

    def _label(self, side: int, most: int) -> Line:
        """Return the longest title of a side that fits; where none does, a part."""
        text = ""
        for text in self.titles[side].split("\n"):
            if cell_len(text) <= most:
                break
        if cell_len(text) > most:
            text = set_cell_size(text, max(most - 1, 0)) + "…"
        is_there = bool(text) and most > 0
        return [Segment(f" {text} ", self.ink("pane--title"))] if is_there else []

    def _named(self, named: Sequence[Tab]) -> Line:
        line: Line = []
        for tab, following in zip(named, (*named[1:], None), strict=True):
            # A colon: `0 rules` would read as their number.
            word = f":{tab.word}" if tab.word else ""
            line.append(Segment(tab.digit, self.ink("pane--digit")))
            line.append(Segment(word, self.ink(f"pane--{_SHOWN[tab.is_open]}")))
            line.append(Segment(" " * (following.x - tab.end if following else 0)))
        return line

    def on_click(self, event: Click) -> None:
        """Turn to the view whose name on the border is clicked."""
        last = self.outer_size.height - 1
        if event.y not in (0, last):
            return
        for tab in self._tabs(self.outer_size.width)[event.y == last]:
            if tab.x <= event.x - 2 < tab.end:
                self.post_message(Turned(tab.name))


class KeptPane(Pane, Generic[T]):
    """A pane whose contents may take long to find: they are kept under a key."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._kept: Kept[T] = Kept()

    def recipe(self, view: View) -> tuple[object, Callable[[], T]]:
        """Return the cache key of what is shown at a moment, and what computes it."""
        raise NotImplementedError

    def prepare(self, view: View) -> None:
        """Compute what is shown, and keep it."""
        self._kept.make(*self.recipe(view))

    def found(self, view: View) -> T | None:
        """Return what is shown; None where a person has given it up."""
        return self._kept.of(*self.recipe(view))
