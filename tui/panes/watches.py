"""Watches and displays: what they are worth now, and when that came to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
from textual.binding import BindingType

from ...core.errors import CommandError
from ...core.expression import Expression
from ...core.review import last_change, short
from ...core.stops import look
from .base import Begun, View
from .nodes import number_cell
from .table import Cell, Column, Row, TablePane
from .views import VIEWS


class WatchesPane(TablePane):
    """What a person keeps an eye on."""

    TITLE: ClassVar[str] = VIEWS["watches"]
    HELP: ClassVar[str | None] = (
        "Expressions with their values at this position, and their last change.\n"
        "A watch stops on a change; a display is printed at each stop.\n"
        "enter: go to the change before   a: add a display   u: add a watch\n"
        "space: switch a watch on or off   d: delete"
    )
    EMPTY: ClassVar[str] = "none yet: w watches the chosen element, D displays it"
    KEYS: ClassVar[Sequence[str]] = (
        "a display",
        "u watch",
        "d delete",
        "space on, off",
        "enter last change",
    )
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("kind", width=7),
        Column("", "right"),
        Column("expression", most=30),
        Column("value", most=24, width=8),
        Column("last change", rank=1, wide=True, width=11),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        ("a", "begin('display ')", "display"),
        ("u", "begin('watch ')", "watch"),
        ("d", "delete", "delete"),
        ("space", "switch", "on, off"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._found: list[tuple[str, int, Expression, bool]] = []

    def rows(self, view: View) -> Sequence[Row]:
        """Return a row for each watch and each display."""
        session = view.bug.session
        self._found = [
            ("watch", stop.number, stop.watched, stop.enabled)
            for stop in session.stops.values()
            if stop.watched is not None
        ]
        self._found += [
            ("display", display.number, display.expression, True)
            for display in session.displays.values()
        ]
        return [self._row(view, *one) for one in self._found]

    def _row(
        self, view: View, kind: str, number: int, expression: Expression, enabled: bool
    ) -> Row:
        try:
            value: Any = look(expression, view.bug.state())
            change = last_change(view.bug, expression)
        except CommandError as error:
            said = Cell(str(error), "alarm")
            return (Cell(kind), Cell(str(number)), Cell(expression.text), Cell(), said)
        last = "no change yet"
        if change is not None:
            before = "nothing" if change.before is None else short(change.before)
            last = f"#{change.event}: {before} → {short(change.after)}"
        return (
            Cell(kind if enabled else f"{kind} off", "" if enabled else "quiet"),
            Cell(str(number), "quiet"),
            Cell(expression.text, "name"),
            value_cell(value),
            Cell(last, "quiet"),
        )

    def entered(self, row: int) -> None:
        """Go to the change before this position."""
        self.ask(f"last {self._found[row][2].text}")

    def action_begin(self, line: str) -> None:
        """Begin a command line."""
        self.post_message(Begun(line))

    def action_delete(self) -> None:
        """Delete what is under the cursor."""
        if self._found:
            kind, number, *_ = self._found[self.cursor]
            self.ask(f"{_DELETE[kind]} {number}")

    def action_switch(self) -> None:
        """Switch a watch on or off; a display has no such state."""
        if self._found:
            kind, number, _, enabled = self._found[self.cursor]
            if kind == "watch":
                self.ask(f"{'disable' if enabled else 'enable'} {number}")


_DELETE: Final = {"watch": "delete", "display": "undisplay"}


def value_cell(value: Any) -> Cell:
    """Return a value in one place: a number, or what an array is in short."""
    if value is None:
        return Cell("not yet", "quiet")
    if isinstance(value, (str, bool, tuple, np.bool_)):
        return Cell(str(value))
    return (
        Cell(short(value)) if np.ndim(value) else number_cell(np.asarray(value).item())
    )
