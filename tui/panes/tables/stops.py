"""Stops: every change is a command line, which a row begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from ....core.session.stops import Stop
from ....core.words.names import with_wordings
from ..base.pane import Begun, View
from ..base.views import VIEWS
from .table import Cell, Column, Row, TablePane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.binding import BindingType

    from ....core.engine.graph import Graph
    from ....core.session.memory import Display
    from ..base.empty import Fills


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


class StopsPane(NumberedPane):
    """Breakpoints, watches and catches, with their counts."""

    TITLE: ClassVar[str] = VIEWS["stops"]
    HELP: ClassVar[str | None] = (
        "Breakpoints ● stop before an event, watches and catches after theirs.\n"
        "○ is switched off. hits: met so often; ignore: pass it so often.\n"
        "enter, l, a: begin the command that changes the condition, the count to "
        "ignore, the commands to run there (with ; between them). What holds now is "
        "filled in; take it out to have none. A click on one does the same.\n"
        "space, or a click on ●: on, off   d: delete   u: a new breakpoint"
    )
    EMPTY: ClassVar[str] = "no stops yet"
    FILLS: ClassVar[Fills] = (
        ("b", "stops before the present node"),
        ("w", "stops when the chosen element changes"),
        (":", "catch nan, catch inf, …"),
    )
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
    BINDINGS: ClassVar[list[BindingType]] = [
        ("l", "change('ignore')", "ignore"),
        ("a", "change('commands')", "commands"),
        ("u", "begin('break ')", "new"),
    ]

    def rows(self, view: View) -> Sequence[Row]:
        """Return a row for each stop."""
        stops = list(view.debugger.memory.stops.values())
        self.numbered = [*stops]
        return [_row(stop, view.debugger.graph) for stop in stops]

    def entered(self, row: int) -> None:
        """Begin to change the condition."""
        del row
        self.action_change("condition")

    def clicked(self, row: int, column: int | None) -> None:
        """Begin to change what is clicked, or switch the stop on or off at its sign."""
        del row
        if column == 0:
            self.action_switch()
        elif column in _CHANGES:
            self.action_change(_CHANGES[column])

    def action_change(self, command: str) -> None:
        """Begin the command that changes a stop, as it would leave it as it is."""
        stop = self.under()
        if isinstance(stop, Stop):
            self.action_begin(f"{command} {stop.number} {_texts(stop)[command]}")


# The columns that a command changes.
_CHANGES: Final[Mapping[int | None, str]] = {4: "condition", 6: "ignore", 7: "commands"}


def _texts(stop: Stop) -> Mapping[str, str]:
    """Return what each of these commands would be told to leave a stop as it is."""
    return {
        "condition": stop.condition.text if stop.condition else "",
        "ignore": str(stop.ignore or ""),
        "commands": "; ".join(stop.commands),
    }


def _row(stop: Stop, graph: Graph) -> Row:
    known = "" if stop.enabled else "quiet"
    texts = _texts(stop)
    condition = texts["condition"]
    return (
        Cell("●" if stop.enabled else "○", "alarm" if stop.enabled else "quiet"),
        Cell(str(stop.number), "quiet"),
        Cell(f"{stop.kind} once" if stop.temporary else stop.kind, known),
        Cell(with_wordings(stop.text, graph), "name" if stop.enabled else "quiet"),
        Cell(f"if {condition}" if condition else "", known),
        Cell(str(stop.hits), known),
        Cell(texts["ignore"], known),
        Cell(texts["commands"], "quiet"),
    )
