"""What every pane is: a widget that draws a view, and says what a person wants.

Data flows one way. The application executes a command line, makes a `View` of what the
debugger answers, and hands it to every pane at once. A pane changes nothing by itself:
it posts `Asked` with a command line, or `Chosen` with the element under its cursor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.message import Message
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


class Pane(Widget, can_focus=True):
    """A widget that draws views.

    `TITLE` stands in its border, `HELP` is what `?` says of it: what is to be seen, and
    the keys that work while it has the focus.
    """

    TITLE: ClassVar[str] = ""
    HELP: ClassVar[str | None] = ""

    def on_mount(self) -> None:
        """Say in the border what the pane is."""
        self.border_title = self.TITLE

    def show(self, view: View) -> None:
        """Draw `view`, at once and without waiting: a key becomes a picture here."""
        raise NotImplementedError
