"""Watches and displays: what they are worth now, and when that came to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import numpy as np
from textual.binding import BindingType

from ...core.errors import CommandError
from ...core.expression import Expression
from ...core.review import last_change, short
from ...core.session import Session
from ...core.stops import look
from ..background import Kept
from .base import Begun, View
from .nodes import number_cell
from .table import Cell, Column, Row, TablePane
from .views import VIEWS

_Eye = tuple[str, int, Expression, bool]  # kind, number, what is watched, switched on


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
        self._found: list[_Eye] = []
        self._kept: Kept[list[Row]] = Kept()

    def _recipe(self, view: View) -> tuple[object, Callable[[], list[Row]]]:
        """Return what the rows are made for, and how."""
        bug, found = view.bug, _eyes(view.bug.session)
        key = (bug.trace, bug.position, *((*one[:2], one[3]) for one in found))
        return key, lambda: [self._row(view, *one) for one in found]

    def prepare(self, view: View) -> None:
        """Look for the last change of each expression."""
        self._kept.make(*self._recipe(view))

    def rows(self, view: View) -> Sequence[Row] | None:
        """Return a row for each watch and each display."""
        self._found = _eyes(view.bug.session)
        return self._kept.of(*self._recipe(view))

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


def _eyes(session: Session) -> list[_Eye]:
    """Return all watches, then all displays."""
    watches: list[_Eye] = [
        ("watch", stop.number, stop.watched, stop.enabled)
        for stop in session.stops.values()
        if stop.watched is not None
    ]
    return watches + [
        ("display", display.number, display.expression, True)
        for display in session.displays.values()
    ]


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
