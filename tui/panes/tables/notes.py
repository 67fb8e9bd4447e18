"""Marks and notes: the places that a person or the author has named."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len

from ....core.session.notes import notes_in_time
from ....core.words.names import spelled
from ..base.pane import View
from ..base.views import VIEWS
from .table import Cell, Column, Row, TablePane

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ....core.engine.graph import Graph
    from ....core.session.notes import Note
    from ..base.empty import Fills

_PLACE = 24  # columns of the place, beside the text, at most
_AROUND = 8  # columns of the cursor, the sign, the gaps and the scroll bar
_LEAST = 24  # columns of the text
_BEHIND = "●"  # the sign of a note whose place is behind us


class NotesPane(TablePane):
    """What the scenario is about, its notes, and the marks of the session."""

    TITLE: ClassVar[str] = VIEWS["notes"]
    HELP: ClassVar[str | None] = (
        "What the scenario is about, where its notes stand, and your marks.\n"
        "● a note whose place is behind us   · one that is still to come   ▽ a mark\n"
        "enter: go to the place   m: mark this position"
    )

    EMPTY: ClassVar[str] = "there is no note and no mark yet"
    FILLS: ClassVar[Fills] = (("m", "marks this position"),)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[str] = []  # what `goto` is told, by row
        self._present: int | None = None  # the row of the last note behind us
        self._longest = 0  # name of a place
        self._is_bare = False
        self._is_narrow = False  # a place stands above its text, not beside it

    def is_bare(self) -> bool:
        """Tell whether there is neither a note nor a mark."""
        return self._is_bare

    def columns(self) -> Sequence[Column]:
        """Return the columns: that of the places as wide as its names."""
        if self._is_narrow:
            return (Column("", width=1), Column("", wide=True, width=1))
        return (
            Column("", width=1),
            Column("place", width=self._longest, most=_PLACE),
            Column("", wide=True, width=_LEAST),
        )

    def on_resize(self) -> None:
        """Break the lines where the room ends now, and stay at what is said there."""
        if self.view is not None:
            place = self._places[self.cursor]
            self.to_top()
            self.show(View(self.view.debugger, None, self.view.chosen))
            self.cursor = self._places.index(place)
            self.again()

    def rows(self, view: View) -> Sequence[Row]:
        """Return the lines of all texts, each with the place that it belongs to."""
        made: list[Row] = []
        self._places = []
        self._present = None
        parts = list(self._parts(view))
        signs = (sign.text for _, (sign, _), _ in parts)
        self._is_bare = not any(signs)  # title, summary and convention have none
        self._longest = min(max(cell_len(head[1].text) for _, head, _ in parts), _PLACE)
        beside = self.size.width - self._longest - _AROUND
        self._is_narrow = beside < _LEAST
        for place, (sign, name), text in parts:
            if self._is_narrow:
                lines = _wrapped(text, max(self.size.width - _AROUND, 1))
                some: list[Row] = [
                    (sign, name),
                    *((Cell(), Cell(one)) for one in lines),
                ]
            else:
                lines = _wrapped(text, beside)
                some = [(Cell(), Cell(), Cell(one)) for one in lines]
                some[0] = (sign, name, Cell(lines[0]))
            if sign.text == _BEHIND and self._places[-1:] != [place]:
                self._present = len(made)
            made += some
            self._places += [place] * len(some)
        return made

    def _parts(self, view: View) -> Iterator[tuple[str, tuple[Cell, Cell], str]]:
        """Yield what there is to say: where to go, the first cells, the text."""
        debugger, subject = view.debugger, view.debugger.subject
        yield "start", (Cell(), Cell("title", "quiet")), subject.title
        if subject.summary:
            yield "start", (Cell(), Cell("summary", "quiet")), subject.summary
        if subject.convention:
            said = f"{subject.convention}: one sample is a {subject.convention[:-1]}"
            yield "start", (Cell(), Cell("convention", "quiet")), said
        for name, place in debugger.memory.marks.items():
            where = f"position {place.position}"
            if debugger.timeline.iterations > 1:
                where = f"iteration {place.iteration}, {where}"
            yield name, (Cell("▽", "present"), Cell(name, "name")), where
        for note in notes_in_time(subject, debugger.trace):
            behind = note.position is not None and note.position <= debugger.position
            sign = Cell(_BEHIND, "present") if behind else Cell("·", "quiet")
            goto = "" if note.position is None else str(note.position)
            where = Cell(_place(debugger.graph, note), "name")
            yield goto, (sign, where), note.text if behind else ""

    def follow(self, view: View) -> int | None:
        """Return where the last note behind us starts: the step may have cut it."""
        del view
        return self._present

    def rest(self, row: int) -> int:
        """Return how many rows are left of what is said at the same place."""
        place, rows = self._places[row], self._places[row:]
        return next((k for k, one in enumerate(rows) if one != place), len(rows))

    def entered(self, row: int) -> None:
        """Go to the place."""
        if self._places[row]:
            self.ask(f"goto {self._places[row]}")


def _place(graph: Graph, note: Note) -> str:
    """Return where a note stands; a made-up name is what it stands for, with room."""
    if note.at.node < 0:
        return note.place
    told = f"{note.at.when} {spelled(graph.nodes[note.at.node], graph)}"
    return told if cell_len(told) <= _PLACE else note.place


def _wrapped(text: str, width: int) -> list[str]:
    lines = [
        line
        for paragraph in text.splitlines()
        for line in textwrap.wrap(paragraph, width) or [""]
    ]
    return lines or [""]
