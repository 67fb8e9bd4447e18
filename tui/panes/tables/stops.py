"""Stops, edited in place: every edit is a command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import MouseScrollDown, MouseScrollUp
from textual.widgets import Input, Static

from ....core.base.text import clean
from ....core.session.memory import Display
from ....core.session.stops import Stop
from ..base.pane import Begun, View
from ..base.views import VIEWS
from .table import Cell, Column, Row, TablePane

_ROOM: Final = 32  # cells in which a text is edited, at least
_ROOM_FOR_COUNT: Final = 8


class NumberedPane(TablePane):
    """Rows of stops and displays: a command knows each of them by its number."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("space", "switch", "on, off"),
        ("d", "delete", "delete"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.numbered: list[Stop | Display] = []

    def under(self) -> Stop | Display | None:
        """Return what is under the cursor."""
        return self.numbered[self.cursor] if self.numbered else None

    def action_begin(self, line: str) -> None:
        """Begin a command line."""
        self.post_message(Begun(line))

    def action_switch(self) -> None:
        """Switch a stop on or off; a display has no such state."""
        one = self.under()
        if isinstance(one, Stop):
            self.ask(f"{'disable' if one.enabled else 'enable'} {one.number}")

    def action_delete(self) -> None:
        """Delete what is under the cursor."""
        one = self.under()
        if one is not None:
            command = "delete" if isinstance(one, Stop) else "undisplay"
            self.ask(f"{command} {one.number}")


class Editor(Input):
    """One line over a cell, which holds its text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "leave"),
        ("tab", "take(1)", "the next cell"),
        ("shift+tab", "take(-1)", "the one before"),
    ]

    def action_leave(self) -> None:
        """Leave the cell as it was."""
        if isinstance(self.parent, StopsPane):
            self.parent.close()

    def action_take(self, by: int) -> None:
        """Take the text over, and go on to another cell of the stop."""
        if isinstance(self.parent, StopsPane):
            self.parent.take(by)


class StopsPane(NumberedPane):
    """Breakpoints, watches and catches, with their counts."""

    TITLE: ClassVar[str] = VIEWS["stops"]
    HELP: ClassVar[str | None] = (
        "Breakpoints ● stop before an event, watches and catches after theirs.\n"
        "○ is switched off. hits: met so often; ignore: pass it so often.\n"
        "left, right: the condition, the count to ignore, the commands to run there\n"
        "enter, or a click: edit it in its cell; there Enter takes it, Tab takes it\n"
        "and goes on to the next, Escape leaves it as it was; empty, it is taken away\n"
        "l, a: edit the count; the commands, with ; between them\n"
        "space, or a click on ●: on, off   d: delete   u: a new breakpoint"
    )
    EMPTY: ClassVar[str] = "no stops yet: b breaks, w watches; catch nan, catch inf, …"
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(""),
        Column("", "right"),
        Column("kind", rank=1, width=5),
        Column("what", wide=True, width=8),
        Column("condition", rank=2, width=9, most=24),
        Column("hits", "right"),
        Column("ignore", "right", rank=3),
        Column("commands", rank=4, most=30),
    )
    DEFAULT_CSS = """
    StopsPane > Editor, StopsPane > Editor:focus {
        position: absolute; display: none; height: 1; border: none; padding: 0;
        background: $primary 40%; color: $foreground;
    }
    StopsPane > Static {
        position: absolute; display: none; width: auto; max-width: 100%; height: 1;
        text-wrap: nowrap; text-overflow: ellipsis;
        background: $panel; color: $error; text-style: bold;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("left", "choose(-1)", "the cell before"),
        ("right", "choose(1)", "the next cell"),
        ("l", "edit('ignore')", "ignore"),
        ("a", "edit('commands')", "commands"),
        ("u", "begin('break ')", "new"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.column = _EDITED["condition"]
        self._edited: Stop | None = None  # while its cell is edited
        self._asked = ""  # the command line that is to change it
        self._next = 0  # the cells to go on by, then

    def compose(self) -> ComposeResult:
        """Keep the line for editing, and what is wrong with it, out of sight."""
        yield Editor(select_on_focus=False)
        yield Static(markup=False)

    @property
    def is_container(self) -> bool:
        """Tell Textual that there are widgets here, over what is drawn."""
        return True

    @property
    def editor(self) -> Editor:
        """The line that is edited."""
        return self.query_one(Editor)

    @property
    def _command(self) -> str:
        """The command that changes the column under the cursor."""
        return next(name for name, k in _EDITED.items() if k == self.column)

    def show(self, view: View) -> None:
        """Draw the stops; an edit that was carried out is done with."""
        super().show(view)
        if self._edited is None:
            return
        reply = view.reply
        if self._edited.number not in view.bug.memory.stops:
            self.close()
        elif reply is not None and reply.command == self._asked:
            self._asked = ""
            if not reply.ok:
                self._say_wrong(reply.error or "")
            else:
                self._go_on(self._next)
        else:
            self._place()

    def rows(self, view: View) -> Sequence[Row]:
        """Return a row for each stop."""
        stops = list(view.bug.memory.stops.values())
        self.numbered = [*stops]
        return [_row(stop) for stop in stops]

    def follow(self, view: View) -> int | None:
        """Return the row of the stop that is edited."""
        if self._edited is None:
            return None
        numbers = [*view.bug.memory.stops, self._edited.number]
        return numbers.index(self._edited.number)

    def keys(self) -> Sequence[str]:
        """Return the keys of the list, or those of a cell that is edited."""
        if self._edited is not None:
            what = f"{self._command} of {self._edited.number}"
            return what, "enter takes it", "escape leaves it", "tab the next"
        return (
            f"enter {self._command}",
            "← → another",
            "space on, off",
            "d delete",
            "u new",
        )

    def entered(self, row: int) -> None:
        """Edit the cell under the cursor."""
        stop = self.numbered[row]
        if isinstance(stop, Stop):
            self._edited, self._asked = stop, ""
            self.editor.value = _texts(stop)[self._command]
            self.editor.cursor_position = len(self.editor.value)
            self.editor.display = True
            self.screen.set_focus(self.editor)  # at once: the next key is for it
            self._say_wrong("")

    def clicked(self, row: int, column: int | None) -> None:
        """Edit the cell that is clicked, or switch the stop on or off at its sign."""
        if column is not None and column in _EDITED.values():
            self.column = column
            self.entered(row)
        elif column == 0:
            self.action_switch()

    def action_choose(self, by: int) -> None:
        """Go to the next cell that can be edited."""
        columns = list(_EDITED.values())
        place = columns.index(self.column) + by
        self.column = columns[place % len(columns)]
        self.again()

    def action_edit(self, command: str) -> None:
        """Edit what a command changes."""
        self.column = _EDITED[command]
        self.again()
        self.action_enter()

    # ------------------------------------------------------------ while it is edited

    def take(self, then: int = 0) -> None:
        """Carry out what was edited, and go on by so many cells."""
        stop, text = self._edited, self.editor.value.strip()
        if stop is None:
            return
        if text == _texts(stop)[self._command]:
            self._go_on(then)
            return
        if not text and self._command == "ignore":
            text = "0"
        self._next = then
        self._asked = clean(f"{self._command} {stop.number} {text}".strip())
        self.ask(self._asked)

    def close(self) -> None:
        """Give the keys back to the list."""
        self._edited = None
        self._say_wrong("")
        if self.editor.has_focus:
            self.focus()
        self.editor.display = False
        self.say_keys()

    def _go_on(self, by: int) -> None:
        """Leave the cell, for one that is so many further on."""
        if by:
            self.action_choose(by)
            self.entered(self.cursor)
        else:
            self.close()

    def _place(self) -> None:
        """Put the editor over its cell; one that has no room of its own, to the end."""
        width, line = self.size.width, self.cursor + self._top()
        room = _ROOM_FOR_COUNT if self._command == "ignore" else _ROOM
        spans = {column: (x, wide) for column, x, wide in self.spans()}
        start, wide = spans.get(self.column, (width, 0))
        wide = min(max(wide, room), width)
        start = min(start, width - wide)
        self.editor.styles.width = wide
        self.editor.styles.offset = start, line
        said = self.query_one(Static)
        last = self.size.height - 1 + int(self.scroll_offset.y)
        left = max(min(start, width - cell_len(str(said.content))), 0)
        said.styles.offset = left, line + 1 if line < last else line - 1
        self.say_keys()

    def _say_wrong(self, text: str) -> None:
        """Say below the editor what is wrong with the text, or no longer."""
        said = self.query_one(Static)
        said.update(Text(text.partition("\n")[0]))
        said.display = bool(text)
        if self._edited is not None:
            self._place()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Carry out what was edited."""
        event.stop()
        self.take()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Forget what was wrong with the text before."""
        event.stop()
        self._say_wrong("")

    def on_input_blurred(self, event: Input.Blurred) -> None:
        """Leave the cell as it was, unless it is the terminal that is left."""
        event.stop()
        if self.app.app_focus and not self.editor.has_focus:
            self.close()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Stay where the editor is."""
        self._hold(event)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Stay where the editor is."""
        self._hold(event)

    def _hold(self, event: MouseScrollDown | MouseScrollUp) -> None:
        if self._edited is not None:
            event.stop()
            event.prevent_default()


# The commands that change a stop, and the columns that show what they change.
_EDITED: Final[Mapping[str, int]] = {"condition": 4, "ignore": 6, "commands": 7}


def _texts(stop: Stop) -> Mapping[str, str]:
    """Return what each of these commands would be told to leave a stop as it is."""
    return {
        "condition": stop.condition.text if stop.condition else "",
        "ignore": str(stop.ignore or ""),
        "commands": "; ".join(stop.commands),
    }


def _row(stop: Stop) -> Row:
    known = "" if stop.enabled else "quiet"
    texts = _texts(stop)
    condition = texts["condition"]
    return (
        Cell("●" if stop.enabled else "○", "alarm" if stop.enabled else "quiet"),
        Cell(str(stop.number), "quiet"),
        Cell(f"{stop.kind} once" if stop.temporary else stop.kind, known),
        Cell(stop.text, "name" if stop.enabled else "quiet"),
        Cell(f"if {condition}" if condition else "", known),
        Cell(str(stop.hits), known),
        Cell(texts["ignore"], known),
        Cell(texts["commands"], "quiet"),
    )
