"""What every pane is: a widget that draws a view, and says what a person wants.

Data flows one way. The application executes a command line, makes a `View` of what the
debugger answers, and hands it to every pane at once. A pane changes nothing by itself:
it posts `Asked` with a command line, or `Chosen` with the element under its cursor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from rich.style import Style
from rich.text import Text
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ...core.debugger import Debugger
from ...core.expression import Element
from ...core.reply import Reply


@dataclass(frozen=True, slots=True)
class View:
    """One moment: the debugger as it stands, its last reply, the selected element."""

    bug: Debugger
    reply: Reply | None = None
    chosen: Element | None = None


class Asked(Message):
    """A person asked for something: a command line to execute."""

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


class Painted(Widget):
    """A widget of drawn lines; what was drawn is kept, and painted when it changed."""

    def __init__(self, *, id: str | None = None) -> None:
        self._strips: dict[int, Strip] = {}
        self._strips_of: object = None
        self._inks_of: dict[str, Style] = {}
        super().__init__(id=id)

    def draw(self, y: int) -> Strip:
        """Return one line of what is in sight."""
        raise NotImplementedError

    def ink(self, name: str) -> Style:
        """Return the style of a component class, or for "" that of the widget.

        Textual forgets them with every refresh, and they are slow to make.
        """
        if name not in self._inks_of:
            self._inks_of[name] = (
                self.get_component_rich_style(name) if name else self.rich_style
            )
        return self._inks_of[name]

    def notify_style_update(self) -> None:
        """Forget the colours of the theme before."""
        super().notify_style_update()
        self._inks_of.clear()
        self._strips.clear()

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Draw everything anew before the next frame."""
        if repaint:
            self._strips.clear()
        return super().refresh(
            *regions, repaint=repaint, layout=layout, recompose=recompose
        )

    def repaint(self) -> None:
        """Draw everything now, and paint the lines that are others than before."""
        height, width = self.size.height, self.outer_size.width
        before, self._strips = self._strips, {}
        if not height or len(before) < height or self._strips_of != self.outer_size:
            super().refresh()  # there is nothing to compare with
            return
        lines: list[Region] = []
        for y in range(height):
            strip = self._strips[y] = self.draw(y)
            if strip != before[y]:
                lines.append(Region(0, y, width, 1))
        if lines:
            super().refresh(*lines)

    def render_line(self, y: int) -> Strip:
        """Return a line as it was drawn."""
        if self._strips_of != self.outer_size:
            self._strips.clear()
            self._strips_of = self.outer_size
        if y not in self._strips:
            self._strips[y] = self.draw(y)
        return self._strips[y]


class Pane(Widget, can_focus=True):
    """A widget that draws views.

    `TITLE` stands in its border, `HELP` is what `?` says of it: what is to be seen, and
    the keys that work while it has the focus.
    """

    TITLE: ClassVar[str] = ""
    HELP: ClassVar[str | None] = ""
    _head: tuple[str, str] = "", ""

    def on_mount(self) -> None:
        """Say in the border what the pane is."""
        self.head(self.TITLE)

    def head(self, title: str, subtitle: str = "") -> None:
        """Write into the border what has changed there: to write is to paint it all."""
        if title != self._head[0]:
            self.border_title = Text(title)
        if subtitle != self._head[1]:
            self.border_subtitle = Text(subtitle)
        self._head = title, subtitle

    def show(self, view: View) -> None:
        """Draw `view`, at once and without waiting: a key becomes a picture here."""
        raise NotImplementedError
