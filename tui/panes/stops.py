"""Stops, edited in place: every edit is a command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from ...core.stops import Stop
from .base import Begun, View
from .table import Cell, Column, Row, TablePane
from .views import VIEWS


class StopsPane(TablePane):
    """Breakpoints, watches and catches, with their counts."""

    TITLE: ClassVar[str] = VIEWS["stops"]
    HELP: ClassVar[str | None] = (
        "Breakpoints ● stop before an event, watches and catches after theirs.\n"
        "○ is switched off. hits: met so often; ignore: pass it so often.\n"
        "space: on, off   enter: edit the condition   l: ignore so many hits\n"
        "a: commands to run at the stop   d: delete   u: a new breakpoint\n"
        "An edit is a command line: it waits in the console for Enter."
    )
    EMPTY: ClassVar[str] = "no stops yet: b breaks, w watches; catch nan, catch inf, …"
    KEYS: ClassVar[Sequence[str]] = (
        "space on, off",
        "enter condition",
        "d delete",
        "l ignore",
        "a commands",
        "u new",
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
        ("space", "switch", "on, off"),
        ("d", "delete", "delete"),
        ("l", "edit('ignore')", "ignore"),
        ("a", "edit('commands')", "commands"),
        ("u", "begin", "new"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._stops: list[Stop] = []

    def rows(self, view: View) -> Sequence[Row]:
        """Return a row for each stop."""
        self._stops = list(view.bug.session.stops.values())
        return [_row(stop) for stop in self._stops]

    def entered(self, row: int) -> None:
        """Edit the condition."""
        stop = self._stops[row]
        condition = stop.condition.text if stop.condition else ""
        self.post_message(Begun(f"condition {stop.number} {condition}"))

    def action_edit(self, command: str) -> None:
        """Edit how often a stop is passed, or what is run at it."""
        if self._stops:
            stop = self._stops[self.cursor]
            present = str(stop.ignore or "")
            if command == "commands":
                present = "; ".join(stop.commands)
            self.post_message(Begun(f"{command} {stop.number} {present}"))

    def action_begin(self) -> None:
        """Begin a new breakpoint."""
        self.post_message(Begun("break "))

    def action_switch(self) -> None:
        """Switch the stop under the cursor on or off."""
        if self._stops:
            stop = self._stops[self.cursor]
            self.ask(f"{'disable' if stop.enabled else 'enable'} {stop.number}")

    def action_delete(self) -> None:
        """Delete the stop under the cursor."""
        if self._stops:
            self.ask(f"delete {self._stops[self.cursor].number}")


def _row(stop: Stop) -> Row:
    known = "" if stop.enabled else "quiet"
    return (
        Cell("●" if stop.enabled else "○", "alarm" if stop.enabled else "quiet"),
        Cell(str(stop.number), "quiet"),
        Cell(f"{stop.kind} once" if stop.temporary else stop.kind, known),
        Cell(stop.text, "name" if stop.enabled else "quiet"),
        Cell(f"if {stop.condition.text}" if stop.condition else "", known),
        Cell(str(stop.hits), known),
        Cell(str(stop.ignore) if stop.ignore else "", known),
        Cell("; ".join(stop.commands), "quiet"),
    )
