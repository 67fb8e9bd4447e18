"""A table for every list of the application: rows are data, and few are ever made.

A subclass names its `COLUMNS` and returns its rows: a sequence of tuples of cells,
which may make a row when somebody asks for it. Numbers line up on the decimal point. A
column that does not fit is left out, the least important first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Generic, Literal, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView

from ...draw.digits import align, sides
from ..base.background import GIVEN_UP
from ..base.empty import Fills, in_the_middle
from ..base.pane import (
    Again,
    Asked,
    KeptPane,
    Line,
    Pane,
    View,
    filled,
)

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.events import Click

T = TypeVar("T")

_MARK: Final = 2  # the cursor, and a blank
_EIGHTHS: Final = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


class Cell(NamedTuple):
    """What stands in one place; `meaning` is one of the component classes below.

    With a `share`, 0 … 1, it is a bar that fills so much of its column.
    """

    text: str = ""  # "" for an empty cell
    meaning: str = ""
    share: float | None = None


Row = Sequence[Cell]


class Column(NamedTuple):
    """One column. Of those that do not fit, those with the largest `rank` go first.

    `width` is where it starts from, so that it need not grow while one scrolls. A
    column that is `wide` takes the room that is left, and needs its `width` at least;
    one with a `least` is cut to that before another one goes.
    `order` is what rows are sorted by; without one they are not. `end` stands at the
    right of the heading.
    """

    title: str  # the heading
    # "point": decimal points stand below each other
    align: Literal["left", "right", "point"] = "left"
    rank: int = 0
    width: int = 0
    least: int = 0
    most: int = 40  # cells of the screen, at most
    wide: bool = False
    order: str = ""
    end: str = ""


class TablePane(Pane, ScrollView):
    """Rows under a heading, with a cursor."""

    COLUMNS: ClassVar[Sequence[Column]] = ()
    GAP: ClassVar[int] = 2  # blanks between two columns
    DETAILS: ClassVar[int] = 0  # lines about a row, between heading and table
    EMPTY: ClassVar[str] = "nothing here yet"  # said in the middle, with the keys
    FILLS: ClassVar[Fills] = ()  # that put something there
    AHEAD: ClassVar[bool] = False  # it tells what is to come, and predict hides it
    DEFAULT_CSS = """
    TablePane { overflow: hidden auto; scrollbar-size-vertical: 1; }
    """
    INKS: ClassVar[Mapping[str, str]] = {
        **Pane.INKS,
        "table--heading": "bold $secondary",
        "table--cursor": "on $panel",
        "table--cursor:focus": "bold on $primary 20%",
        "table--name": "bold",
        "table--quiet": "dim",
        "table--present": "bold $accent",
        "table--good": "$success",
        "table--alarm": "bold $error",
        "table--bar": "$primary",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        ("up", "move(-1)", "up"),
        ("down", "move(1)", "down"),
        ("pageup", "page(-1)", "page up"),
        ("pagedown", "page(1)", "page down"),
        ("ctrl+home", "jump(0)", "first"),
        ("ctrl+end", "jump(-1)", "last"),
        ("enter", "enter", "enter"),
        ("v", "sort", "sort"),
        ("V", "turn", "turn round"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view: View | None = None
        self.cursor = 0
        self.sorted_by = -1  # the number of a column; −1: as they come
        self.descending = False
        self._rows: Sequence[Row] = ()
        self._is_given_up = False
        self._widths: dict[int, int] = {}  # by column
        self._wanted: dict[int, int] = {}  # the same, if there were room for all
        self._sides: dict[int, tuple[int, int]] = {}  # of the decimal point, by column

    # ------------------------------------------------------- what a subclass says

    def rows(self, view: View) -> Sequence[Row] | None:
        """Return the rows at this moment; None where a person has given them up."""
        raise NotImplementedError

    def columns(self) -> Sequence[Column]:
        """Return the columns: the fixed ones, unless a subclass knows better."""
        return self.COLUMNS

    def heading(self) -> Cell:
        """Return a line that stands above the table; nothing by default."""
        return Cell()

    def details(self, width: int) -> Sequence[str]:
        """Return what is said of the row under the cursor: `DETAILS` lines at most."""
        del width
        return ()

    def empty(self) -> tuple[str, Fills]:
        """Return what is said where there is nothing, and the keys that change that."""
        if self.AHEAD and self.view is not None and self.view.hides:
            return "predict hides what is to come", (("P", "shows it"),)
        return self.EMPTY, self.FILLS

    def is_bare(self) -> bool:
        """Tell whether nothing is there yet that a person can put there."""
        return not self._rows

    def adapt(self, shown: Sequence[int]) -> bool:
        """Say rows as the columns that fit ask for; tell whether that changes them."""
        del shown
        return False

    def widest(self, column: int) -> int:
        """Return how wide a column gets, as far as that is known of all its rows."""
        del column
        return 0

    def follow(self, view: View) -> int | None:
        """Return the row that the cursor goes to when something has moved."""
        del view
        return None

    def rest(self, row: int) -> int:
        """Return how many rows are to be seen with the cursor on a row: that one."""
        del row
        return 1

    def moved(self, row: int) -> None:
        """Act on a cursor that a person has moved."""

    def entered(self, row: int) -> None:
        """Act on Enter on a row."""

    def clicked(self, row: int, column: int | None) -> None:
        """Act on a click on a row: what Enter does, unless a subclass knows better."""
        del column
        self.entered(row)

    def ask(self, line: str) -> None:
        """Ask for a command line."""
        self.post_message(Asked(line))

    # --------------------------------------------------------------------- state

    def show(self, view: View) -> None:
        """Draw the rows at this moment."""
        self.view = view
        rows = self.rows(view)
        self._is_given_up = rows is None
        self._rows = rows or ()
        if view.reply is not None or not self.has_focus:
            row = self.follow(view)
            if row is not None:
                self.cursor = row
        self.cursor = max(min(self.cursor, len(self._rows) - 1), 0)
        self.again()

    def again(self) -> None:
        """Draw the same rows once more: others would have to be looked up."""
        self.virtual_size = Size(self.size.width, len(self._rows) + self._top())
        self.reveal()
        self.refresh()

    def reveal(self) -> None:
        """Scroll to the cursor, and to what is to be seen with it."""
        height = self.size.height - self._top()
        if height < 1:
            return
        start = int(self.scroll_offset.y)
        end = self.cursor + min(self.rest(self.cursor), height)
        first = min(max(start, end - height), self.cursor)
        if first != start:
            self.scroll_to(y=first, animate=False, force=True, immediate=True)

    def on_resize(self) -> None:
        """Find the columns that fit now."""
        self._widths.clear()
        self._wanted.clear()
        self._sides.clear()
        if self.view is not None:
            self.to_top()
            self.again()

    def to_top(self) -> None:
        """Forget how far it was scrolled: in another size, that would be chance."""
        self.scroll_to(y=0, animate=False, force=True, immediate=True)

    # ------------------------------------------------------------------- actions

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by as many rows as are seen."""
        self._to(self.cursor + by * max(self.size.height - self._top() - 1, 1))

    def action_jump(self, row: int) -> None:
        """Move the cursor to the first or the last row."""
        self._to(row if row >= 0 else len(self._rows) + row)

    def action_enter(self) -> None:
        """Act on the row under the cursor."""
        if self._rows:
            self.entered(self.cursor)

    def action_sort(self) -> None:
        """Sort by the next column that can be sorted by; after the last, by none."""
        columns = [-1, *(k for k, c in enumerate(self.columns()) if c.order)]
        if len(columns) > 1:
            place = columns.index(self.sorted_by)
            self._sort(columns[(place + 1) % len(columns)])

    def action_turn(self) -> None:
        """Turn the order round."""
        if any(column.order for column in self.columns()):
            self.descending = not self.descending
            self.post_message(Again())

    def _sort(self, column: int) -> None:
        self.descending = column >= 0 and self.columns()[column].align != "left"
        self.sorted_by = column
        self.cursor = 0
        self.post_message(Again())

    def _to(self, row: int) -> None:
        if not self._rows:
            return
        row = max(min(row, len(self._rows) - 1), 0)
        if row != self.cursor:
            self.cursor = row
            self.reveal()
            self.refresh()
            self.moved(row)

    def on_click(self, event: Click) -> None:
        """Choose a row, or sort by the column whose heading is clicked."""
        x, y = event.x - self.gutter.left, event.y - self.gutter.top
        if y == self._top() - 1:
            column = self._column_at(x)
            if column is not None and column == self.sorted_by:
                self.action_turn()
            elif column is not None and self.columns()[column].order:
                self._sort(column)
            return
        row = y - self._top() + int(self.scroll_offset.y)
        if y >= self._top() and 0 <= row < len(self._rows):
            self.cursor = row
            self.refresh()
            self.clicked(row, self._column_at(x))

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """Yield the columns that are shown: where each starts, and how wide it is."""
        start = _MARK
        for column, width in self._fit():
            yield column, start, width
            start += width + self.GAP

    def _column_at(self, x: int) -> int | None:
        spans = self.spans()
        ends = ((k, start, start + w + self.GAP) for k, start, w in spans)
        return next((k for k, start, end in ends if start <= x < end), None)

    # ------------------------------------------------------------------- drawing

    def _top(self) -> int:
        """Return how many lines stand above the first row."""
        details = self.DETAILS if self._rows else 0
        return 1 + bool(self.heading().text) + details

    def _across(self) -> int:
        """Return how wide a line may be: beside the scroll bar, where there is one."""
        size = self.size
        return size.width - (len(self._rows) + self._top() > size.height)

    def lines(self) -> list[Line]:
        """Write the headings, which stay where they are, and the rows in sight."""
        if self.view is None:
            return []
        drawn = self._table() if self._rows else []
        if self._rows and not self.is_bare():
            return drawn
        given_up = self._is_given_up
        text, keys = (GIVEN_UP, ()) if given_up else self.empty()
        room = self.size.width, self.size.height - len(drawn)
        inks = self._ink("quiet"), self.ink("pane--digit")
        return [*drawn, *in_the_middle(text, keys, room, inks)]

    def _table(self) -> list[Line]:
        """Write the headings and the rows in sight."""
        start, height = int(self.scroll_offset.y), self.size.height - self._top()
        numbers = range(start, min(start + max(height, 0), len(self._rows)))
        rows = [self._rows[number] for number in numbers]
        texts, columns = self._aligned(rows), self.columns()
        shown = self._fit()
        if self.adapt([k for k, _ in shown]):
            rows = [self._rows[number] for number in numbers]
            texts = self._aligned(rows)
            shown = self._fit()
        style, heading = self.rich_style, self.heading()
        titles = [Segment(" " * _MARK)]
        for k, width in shown:
            titles.append(Segment(self._title(k, width), self._ink("heading")))
            titles.append(Segment(" " * self.GAP))
        drawn = [self._said(heading.text, heading.meaning)] if heading.text else []
        said = self.details(self._across() - 2) if self.DETAILS else ()
        more = (*said, *[""] * (self.DETAILS - len(said)))
        drawn += [self._said(line, "") for line in more]
        drawn.append(self._line(titles, style))
        for line, number in enumerate(numbers):
            here = number == self.cursor
            segments = [Segment("▸ " if here else "  ", self._ink("present"))]
            for k, width in shown:
                cell = rows[line][k]
                text = _padded(texts[k][line], width, columns[k])
                if cell.share is not None:
                    text = bar(cell.share, width)
                segments.append(Segment(text, self._ink(cell.meaning)))
                segments.append(Segment(" " * self.GAP))
            drawn.append(self._line(segments, self._ink("cursor") if here else style))
        return drawn

    def _said(self, text: str, meaning: str) -> Line:
        text = _padded(text, max(self._across() - 1, 0), Column(""))
        return self._line([Segment(f" {text}", self._ink(meaning))], self.rich_style)

    def _ink(self, meaning: str) -> Style:
        return self.ink(f"table--{meaning}") if meaning else Style()

    def _line(self, segments: Line, background: Style) -> Line:
        behind = Style(bgcolor=background.bgcolor)  # an ink brings none of its own
        line = list(Segment.apply_style(segments, background, behind))
        return filled(line, self.size.width, background)

    def _title(self, column: int, width: int) -> str:
        one = self.columns()[column]
        arrow = ""
        if column == self.sorted_by:
            arrow = "↓" if self.descending else "↑"
        text = one.title + arrow
        if one.end and len(text) + len(one.end) < width:
            text += one.end.rjust(width - len(text))
        return text.rjust(width) if one.align != "left" else text.ljust(width)

    def _aligned(self, rows: Sequence[Row]) -> list[list[str]]:
        """Return the texts of all columns, whose widths only grow while one scrolls."""
        made: list[list[str]] = []
        for k, column in enumerate(self.columns()):
            texts = [row[k].text for row in rows]
            if column.align == "point":
                self._sides[k] = sides(texts, self._sides.get(k, (0, 0)))
                texts = align(texts, self._sides[k])
            least = len(column.title) + bool(column.order)
            least = max(least, column.width)
            widest = max(self.widest(k), *map(cell_len, texts), 0)
            self._wanted[k] = max(widest, least, self._wanted.get(k, 0))
            self._widths[k] = min(self._wanted[k], max(column.most, least))
            made.append(texts)
        return made

    def _fit(self) -> list[tuple[int, int]]:
        """Return the columns that fit, each with its width."""
        columns = self.columns()  # now: there may have been more
        widths = {k: w for k, w in self._widths.items() if k < len(columns)}
        kept = sorted(widths)
        room = self._across() - _MARK

        def needed() -> int:
            return sum(_least(columns[k], widths[k]) for k in kept) + gaps()

        def gaps() -> int:
            return self.GAP * (len(kept) - 1)

        while len(kept) > 1 and needed() > room:
            rank = max(columns[k].rank for k in kept)
            rest = [k for k in kept if columns[k].rank < rank]
            kept = rest or kept[:-1]
        sizes = {k: columns[k].width if columns[k].wide else widths[k] for k in kept}
        short = sum(sizes.values()) + gaps() - room
        for k in kept:
            cut = min(max(short, 0), sizes[k] - _least(columns[k], sizes[k]))
            widths[k], short = widths[k] - cut, short - cut
        spare = room - gaps() - sum(widths[k] for k in kept)
        for k in sorted(kept, key=lambda k: columns[k].wide):
            more = spare if columns[k].wide else min(spare, self._wanted[k] - widths[k])
            more = max(more, 1 - widths[k]) if columns[k].wide else max(more, 0)
            widths[k] += more
            spare -= more
        return [(k, widths[k]) for k in kept]


# Textual's own scroll view narrows a method of its widget.
class KeptTable(TablePane, KeptPane[T], Generic[T]):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A table whose rows may take long to find."""

    FROM_FIRST: ClassVar[bool] = False  # what is found anew is read from its first row

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.made: T | None = None  # what the rows are drawn from

    def rows(self, view: View) -> Sequence[Row] | None:
        """Return the rows at this moment; None where a person has given them up."""
        before, self.made = self.made, self.found(view)
        if self.FROM_FIRST and self.made is not before:
            self.cursor = 0
        return None if self.made is None else self.rows_of(self.made, view)

    def rows_of(self, made: T, view: View) -> Sequence[Row]:
        """Return the rows that are drawn from what was found."""
        raise NotImplementedError


def _least(column: Column, width: int) -> int:
    """Return the fewest cells that a column of a width is shown in."""
    if column.wide:
        return column.width
    return min(column.least, width) if column.least else width


def _padded(text: str, width: int, column: Column) -> str:
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, max(width - 1, 0)) + "…"[:width]
    room = " " * (width - size)
    return text + room if column.align == "left" else room + text


def bar(share: float, width: int) -> str:
    """Return a bar that fills so much of its width, in eighths of a character.

    >>> bar(0.5, 4), bar(0.0, 4)
    ('██  ', '▏   ')
    """
    eighths = max(round(share * width * 8), 1)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + _EIGHTHS[rest]).ljust(width)[:width]
