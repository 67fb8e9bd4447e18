"""Watches and displays: what they are worth now, and when that came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ....core.base.errors import CommandError
from ....core.expression.expression import Expression
from ....core.pictures.flow import short
from ....core.session.changes import last_change
from ....core.session.memory import Display, Memory
from ....core.session.stops import Stop, known_value
from ....core.words.names import with_wordings
from ....core.words.numbers import distinct
from ..base.views import VIEWS
from .nodes import number_cell
from .stops import NumberedPane
from .table import Cell, Column, KeptTable, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import BindingType

    from ..base.empty import Fills
    from ..base.pane import View

_Eye = tuple[Stop | Display, Expression]  # and what is looked at


class WatchesPane(NumberedPane, KeptTable[list[Row]]):
    """What a person keeps an eye on."""

    TITLE: ClassVar[str] = VIEWS["watches"]
    HELP: ClassVar[str | None] = (
        "Expressions with their values at this position, and their last change.\n"
        "A watch stops on a change; a display is printed at each stop.\n"
        "enter: go to the change before   a: add a display   u: add a watch\n"
        "space: switch a watch on or off   d: delete"
    )
    EMPTY: ClassVar[str] = "nothing is watched yet"
    FILLS: ClassVar[Fills] = (
        ("w", "stops when the chosen element changes"),
        ("D", "displays it at each stop"),
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
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._eyes: list[_Eye] = []

    def recipe(self, view: View) -> tuple[object, Callable[[], list[Row]]]:
        """Return moment, watches and displays as the key, and what evaluates them."""
        debugger, eyes = view.debugger, _eyes(view.debugger.memory)
        key = (debugger.trace, debugger.position, *(one for one, _ in eyes))
        return key, lambda: [_row(view, *eye) for eye in eyes]

    def rows(self, view: View) -> Sequence[Row] | None:
        """Return a row for each watch and each display."""
        self._eyes = _eyes(view.debugger.memory)
        self.numbered = [one for one, _ in self._eyes]
        return super().rows(view)

    def rows_of(self, made: list[Row], view: View) -> Sequence[Row]:
        """Return the rows as they were found."""
        del view
        return made

    def entered(self, row: int) -> None:
        """Go to the change before this position."""
        self.ask(f"last {self._eyes[row][1].text}")


def _eyes(memory: Memory) -> list[_Eye]:
    """Return all watches, then all displays."""
    stops = memory.stops.values()
    watches: list[_Eye] = [(s, s.watched) for s in stops if s.watched is not None]
    return watches + [(one, one.expression) for one in memory.displays.values()]


def _row(view: View, one: Stop | Display, expression: Expression) -> Row:
    kind, meaning = "display", ""
    if isinstance(one, Stop):
        kind = "watch" if one.enabled else "watch off"
        meaning = "" if one.enabled else "quiet"
    try:
        value = value_cell(known_value(expression, view.debugger.state()))
        change = last_change(view.debugger, expression)
    except CommandError as error:
        value, last = Cell(), Cell(str(error), "alarm")
    else:
        last = Cell("no change yet", "quiet")
        if change is not None:
            sides = short(change.before), short(change.after)
            if sides[0] == sides[1]:
                sides = distinct(change.before, change.after)
            before = "nothing" if change.before is None else sides[0]
            last = Cell(f"#{change.event}: {before} → {sides[1]}", "quiet")
    return (
        Cell(kind, meaning),
        Cell(str(one.number), "quiet"),
        Cell(with_wordings(expression.text, view.debugger.graph), "name"),
        value,
        last,
    )


def value_cell(value: Any) -> Cell:
    """Return a value in one place: a number, or what an array is in short."""
    if value is None:
        return Cell("not yet", "quiet")
    if isinstance(value, (str, bool, tuple, np.bool_)):
        return Cell(str(value))
    return (
        Cell(short(value)) if np.ndim(value) else number_cell(np.asarray(value).item())
    )
