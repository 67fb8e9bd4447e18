"""Where the chosen element comes from, term by term, and why it is what it is."""

from __future__ import annotations

import re
from collections import deque
from itertools import chain, groupby, islice
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Protocol, get_args

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size

from ...core.base.errors import CommandError
from ...core.commands.explaining import find_element
from ...core.explain.rows import Kind
from ...core.explain.rows import Row as Reason
from ...core.explain.why.rows import explained, own_remarks
from ...core.words.digits import CELL, SENTENCE
from ...core.words.events import element_name
from ...core.words.formulas import SHORT
from ...core.words.indices import in_formula
from ...core.words.names import spelled, with_wordings
from ...core.words.numbers import digits_apart, index_text
from ..draw.digits import align
from ..draw.stage import wording
from ..graph.drawing import cut
from .base.background import GIVEN_UP
from .base.pane import Asked, Chosen, KeptPane, Line, View, filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from textual.events import Click, Key, MouseScrollDown, MouseScrollUp
    from textual.geometry import Region

    from ...core.engine.element import Element
    from ...core.engine.graph import Graph
    from ...core.words.indices import First

_MARGIN = "  "
_CORNERS = 6  # columns of a border that a title has not
_LEAST = 16  # columns in which a line is broken
_SHOWN = 8  # terms of a sum, before the rest is one line
_INDEX: Final = re.compile(r"\[[^]]*\]")  # it is not broken
_BOUND: Final = "\N{NO-BREAK SPACE}"
_LENT: Final = "┆ "  # before the rows in the pane above
_ABOVE: Final = "goes on ↑ ┆"  # there
_PLACE: Final = re.compile(r"\[[^]]*\]$")  # behind a name
_TIMES: Final = re.compile(r" · (?![^(]*\))")  # outside of brackets
_GAP: Final = "   "  # between the numbers of a term and their names
_CHECKED: Final = re.compile(r"^numeric check: \S+ ")
_HEADS: Final = ("headline", "missing", "alarm")  # what matters more than a term


class Row(NamedTuple):
    """One line. `leads` is the element that it comes from; `kind` how it looks."""

    text: str  # as long as it is: it is cut where it is drawn
    kind: Kind
    leads: Element | None = None
    # the iteration at whose end that is; None for the present one
    iteration: int | None = None
    asks: str = ""  # the command that it is followed by; "" for none

    @property
    def is_link(self) -> bool:
        """Whether it leads to an element, or to what a command says."""
        return self.leads is not None or bool(self.asks)


class Lender(Protocol):
    """A pane that lends the blank lines at its foot."""

    @property
    def spare(self) -> int:
        """How many there are."""
        ...

    @property
    def region(self) -> Region:
        """Where the pane is on the screen."""
        ...

    @property
    def display(self) -> bool:
        """Whether the pane is seen."""
        ...

    def want(self, count: int) -> None:
        """Have so many, if what stands there matters less than a term."""
        ...

    def repaint_foot(self) -> None:
        """Draw these again, with what the borrower has to say."""
        ...


class _Told:
    """The rows about an element, made as far as they are asked for, and kept."""

    def __init__(self, element: Element | None, rows: Iterator[Row]) -> None:
        self.element = element
        self._made: list[Row] = []
        self._more = rows

    def __iter__(self) -> Iterator[Row]:
        number = 0
        while len(self._made) > number or self._make_one():
            yield self._made[number]
            number += 1

    def _make_one(self) -> bool:
        row = next(self._more, None)
        if row is not None:
            self._made.append(row)
        return row is not None


class WhyPane(KeptPane[_Told]):
    """The terms of the chosen element, the largest first, and where each leads."""

    TITLE: ClassVar[str] = "Why?"
    WORD: ClassVar[str] = "contribution"
    HELP: ClassVar[str | None] = (
        "Where the chosen element comes from: its terms, the largest first.\n"
        "A term of a gradient is upstream × local derivative.\n"
        "A complete gradient is held against differences: ✓, or ✗ where they differ; "
        "enter on that line shows them (limit).\n"
        "up, down: another term   enter: follow it to where it comes from\n"
        "backspace: back to where you came from\n"
        "What has no room here goes on above, in lines that the step leaves blank: ┆\n"
        "Zero, NaN, Inf and no gradient at all are each said, with their reason."
    )
    INKS: ClassVar[Mapping[str, str]] = {
        **KeptPane.INKS,
        **{f"why--{kind}": "" for kind in get_args(Kind)},
        "why--headline": "bold",
        "why--note": "dim",
        "why--alarm": "bold $error",
        "why--missing": "italic $warning",
        "why--cursor": "bold on $panel",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._unseen: Iterator[Row] = iter(())  # the rows below those
        self._element: Element | None = None
        # elements that were followed, and the command that leads back from there
        self._trail: list[tuple[Element, str]] = []
        self._cursor = 0  # the row that would be followed
        self._top = 0
        self._shown: tuple[_Told | None, Size] | None = None  # and in which room
        self._view: View | None = None
        self._title = self.TITLE
        self._above: Lender | None = None  # a pane whose blank lines it may use

    # ------------------------------------------------------------------ the moment

    def recipe(self, view: View) -> tuple[object, Callable[[], _Told]]:
        """Return the element at its moment as the key, and what explains it."""
        debugger = view.debugger
        count = max(self.size.height + 1, _SHOWN)  # and whether there are more
        room = Size(self._text_width(), self.size.height)
        place = debugger.trace, debugger.position, view.chosen
        key = *place, view.hides, debugger.memory.first, room
        return key, lambda: _looked_up(view, count, room)

    def _text_width(self) -> int:
        """Return how wide the text of a row may be."""
        return self.size.width - len(_MARGIN)

    def show(self, view: View) -> None:
        """Explain the chosen element at this position."""
        self._view = view
        found, size = self.found(view), self.size
        if self._shown is not None and self._shown == (found, size):
            self._ask_for_lines()
            return
        self._shown = found, size
        told = found or _Told(None, iter([Row(GIVEN_UP, "note")]))
        element = told.element
        if element != self._element:
            self._cursor = self._top = 0
            self._rows = []
        passed = sum(row.leads is not None for row in self._rows[: self._cursor])
        self._element, self._rows = element, []
        self._title, rows = _headed(view, told, self._title_width())
        self._unseen = _wrapped(rows, self._text_width())
        self._write(self._cursor + _SHOWN)
        links = [n for n, row in enumerate(self._rows) if row.is_link]
        leading = [n for n in links if self._rows[n].leads] or links
        if leading:  # the same term, in whichever line it stands now
            self._cursor = leading[min(passed, len(leading) - 1)]
        self._look_at_term()
        self._ask_for_lines()
        self._show_subtitle()
        self.repaint()

    def _ask_for_lines(self) -> None:
        """Ask the pane above for lines for the terms that are not in sight."""
        if self._above is None or not self._is_below:
            return
        below = self._top + self.size.height
        rows = self._rows[below : max(_SHOWN, below)]
        terms = (number for number, row in enumerate(rows, 1) if row.kind == "term")
        self._above.want(max(terms, default=0))

    def _title_width(self) -> int:
        """Return how wide a title may be: on the border, or without one as a row."""
        border = self.margin.width
        return self.size.width + border - _CORNERS * bool(border)

    def _look_at_term(self) -> None:
        """Scroll to the chosen term, unless what stands above it matters more."""
        above = self._rows[: self._cursor]
        if self._row() and not any(row.kind in _HEADS for row in above):
            self._bring_into_sight(self._cursor)

    def _bring_into_sight(self, number: int) -> None:
        """Scroll to a row, and back to what is said above the first term with it."""
        room = max(self.size.height, 1)
        self._top = min(max(self._top, number - room + 1), number)
        if number < room and not any(row.leads for row in self._rows[:number]):
            self._top = 0

    def _write(self, count: int) -> None:
        """Write so many rows, if there are: what nobody sees is not asked for."""
        self._rows += islice(self._unseen, max(count - len(self._rows), 0))

    def go_on_in(self, above: Lender) -> None:
        """Use the blank lines of a pane for rows that have no room here."""
        self._above = above

    def rest(self, count: int) -> Sequence[Line]:
        """Return so many of the rows below those in sight, at most, as lines."""
        below = self._top + self.size.height
        self._write(below + min(count, self._lent))
        return [
            self._line(row, _LENT, self.size.width)
            for row in self._rows[below : below + self._lent]
        ]

    @property
    def _lent(self) -> int:
        """How many lines it may use of the pane that is right above it."""
        return self._above.spare if self._above is not None and self._is_below else 0

    @property
    def _is_below(self) -> bool:
        """Whether it stands right below a pane that lends it lines."""
        above = self._above
        if above is None or not (self.display and above.display and self.size):
            return False
        ours, theirs = self.region, above.region
        return (theirs.x, theirs.bottom) == (ours.x, ours.y)

    def _show_subtitle(self) -> None:
        below, lent = self._top + self.size.height, self._lent
        self._write(below + lent + 1)
        rest = len(self._rows) - below if self.size else 0
        on = "↓ more" if rest > lent else _ABOVE if rest > 0 else ""
        can_follow = self._row() is not None
        ways = [(text, on) for text in self._said_above()]
        ways.append(("", f"↑{on}" if on == "↓ more" and self._top else on))
        if self._top and not on:
            ways[-1] = "", "↑ more"
        keys = "↵ follow" * can_follow, "⌫ back" * bool(self._trail)
        lines = ["  ".join(filter(None, (*way, *keys))) for way in ways]
        self.head(self._title, "\n".join(lines))
        if self._above is not None and lent:
            self._above.repaint_foot()

    def _said_above(self) -> Sequence[str]:
        """Return what the lines above those in sight say, the longest first.

        It has room below, where it leads nowhere: a pane of one line loses nothing.
        """
        above = self._rows[: self._top]
        if not above or any(row.leads for row in above):
            return ()
        texts = [row.text.strip() for row in above]
        first = _CHECKED.sub("numeric ", texts[0])  # the title has the number
        return [*(" · ".join(texts[:n]) for n in range(len(texts), 0, -1)), first]

    def _row(self) -> Row | None:
        """Return the row that would be followed, if it leads somewhere."""
        row = self._rows[self._cursor] if self._cursor < len(self._rows) else None
        return row if row is not None and row.is_link else None

    # -------------------------------------------------------------------- movement

    def on_key(self, event: Key) -> None:
        """Choose a term, follow it, or go back."""
        if event.key in ("up", "down"):
            self._move(1 if event.key == "down" else -1)
        elif event.key == "enter" and self._row() is not None:
            self._follow()
        elif event.key == "backspace" and self._trail:
            element, line = self._trail.pop()
            self.post_message(Chosen(element))
            self.post_message(Asked(line))
        else:
            return
        event.stop()
        event.prevent_default()

    def _move(self, by: int) -> None:
        """Go to the next row that leads somewhere; past the last one, scroll."""
        self._write(self._cursor + 2 * self.size.height)
        numbers = range(self._cursor + by, len(self._rows) if by > 0 else -1, by)
        found = next((n for n in numbers if self._rows[n].is_link), None)
        if found is None:
            self._scroll(by)
            return
        self._cursor = found
        self._bring_into_sight(found)
        self._show_subtitle()
        self.repaint()

    def _scroll(self, by: int) -> None:
        self._write(self._top + by + self.size.height)
        most = max(len(self._rows) - self.size.height, 0)
        self._top = min(max(self._top + by, 0), most)
        self._show_subtitle()
        self.repaint()

    def _follow(self) -> None:
        row = self._row()
        if row is not None and row.asks:
            self.post_message(Asked(row.asks))
        if row is None or row.leads is None or self._element is None:
            return
        # Into another iteration one goes as anybody does, and `back` leads home.
        there = "" if row.iteration is None else f"goto {row.iteration}:end"
        self._trail.append((self._element, "back" * bool(there)))
        self.post_message(Chosen(row.leads))
        self.post_message(Asked(there))

    def on_click(self, event: Click) -> None:
        """Follow the term under the mouse."""
        number = int(event.y) - self.gutter.top + self._top
        if 0 <= number < len(self._rows) and self._rows[number].is_link:
            self._cursor = number
            self._follow()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll."""
        event.stop()
        self._scroll(2)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll."""
        event.stop()
        self._scroll(-2)

    # --------------------------------------------------------------------- drawing

    def on_resize(self) -> None:
        """Break the lines anew, and stay inside."""
        if self._view is not None:
            self.show(self._view)
        self._look_at_term()
        self._scroll(0)

    def draw(self, y: int) -> Line:
        """Draw one row; `▸` is the one that would be followed."""
        number, width = y + self._top, self.room.width
        if number >= len(self._rows):
            return []
        row = self._rows[number]
        here = number == self._cursor and row.is_link
        is_inside = row.kind != "headline" and (number or row.leads is not None)
        line = self._line(row, "▸ " if here else _MARGIN if is_inside else "", width)
        if here and self.has_focus:
            return filled(line, width, self.ink("why--cursor"))
        return line

    def _line(self, row: Row, mark: str, width: int) -> Line:
        text = mark + cut(row.text, width - len(mark))
        return [Segment(text, self.part(f"why--{row.kind}"))]


def _headed(view: View, told: _Told, width: int) -> tuple[str, Iterable[Row]]:
    """Return the title, with the number where it has room, and the rows below it."""
    if told.element is None:
        return WhyPane.TITLE, told
    names = _names(view, told.element)
    first = next(iter(told), None)
    if first is not None and first.kind == "headline":
        typed, _ = names[0]
        number = first.text.removeprefix(typed)
        # A number with its reason is more than a title.
        if number[:3] == " = " and ":" not in number:
            wholes = (f"Why {name}{number}?{code}" for name, code in names)
            whole = next((one for one in wholes if cell_len(one) <= width), "")
            if whole:
                return whole, islice(told, 1, None)
    titles = [f"Why {name}?{code}" for name, code in names]
    return next((one for one in titles if cell_len(one) <= width), titles[0]), told


def _names(view: View, element: Element) -> Sequence[tuple[str, str]]:
    """Return what an element is called, with what stands behind it, the best first.

    A made-up name has there what it stands for; without room that is the name, at last
    a shorter one.
    """
    debugger = view.debugger
    node, place = debugger.graph.nodes[element.node], index_text(element.index)
    words = wording(debugger.subject, debugger.trace)
    typed = element_name(node, element.index, element.quantity)
    told = words.element(element.node, place, element.quantity)
    short = wording(debugger.subject, debugger.trace, SHORT)
    brief = short.element(element.node, place, element.quantity)
    # In the code of a call names are others than outside.
    code = spelled(node, debugger.graph)
    code = code if code != node.name else words.node(element.node)
    names = [(typed, f"   {code}" * node.is_unnamed), (told, ""), (brief, "")]
    first = debugger.memory.first
    return [(in_formula(name, first), code) for name, code in names]


def _wrapped(rows: Iterable[Row], width: int) -> Iterator[Row]:
    """Break what is too long for a line; what follows is indented."""
    for row in rows:
        if len(row.text) <= width or width < _LEAST:
            yield row
            continue
        lines = wrap(_bound(row.text, width), width, subsequent_indent=_MARGIN)
        first, *others = (line.replace(_BOUND, " ") for line in lines)
        yield row._replace(text=first)
        for text in others:
            yield row._replace(text=text, leads=None, asks="")


def _bound(text: str, width: int) -> str:
    """Return a text whose indices are not broken, nor names that a line has room for.

    >>> _bound("2 = 1 × 2   δ[0, 1] · b", 20).replace(_BOUND, "_")
    '2 = 1 × 2   δ[0,_1]_·_b'
    """
    numbers, gap, names = text.rpartition(_GAP)
    if gap and len(names) <= width - len(_MARGIN):
        text = numbers + gap + names.replace(" ", _BOUND)
    return _INDEX.sub(lambda found: found[0].replace(" ", _BOUND), text)


def _whole(view: View) -> Element:
    """Return the chosen element with its index; without one, what stands out."""
    debugger, chosen = view.debugger, view.chosen
    if chosen is not None and chosen.index is not None:
        return chosen
    if chosen is None:
        return find_element(debugger, "")
    name = element_name(debugger.graph.nodes[chosen.node], None, chosen.quantity)
    return find_element(debugger, name)


# ------------------------------------------------------------------------ the rows


def _looked_up(view: View, count: int, room: Size) -> _Told:
    """Explain the chosen element; `count` rows are made at once."""
    debugger = view.debugger
    try:
        element = _whole(view)
    except CommandError:
        row = Row("nothing is chosen yet: step, or click a number", "note")
        return _Told(None, iter([row]))
    words = wording(debugger.subject, debugger.trace)
    trace = debugger.trace
    rows = explained(
        trace,
        element,
        debugger.position,
        _SHOWN,
        wording=words,
        progress=debugger.progress,
    )
    others = () if view.hides else own_remarks(trace, element)
    rows = chain(islice(rows, 1), others, rows)
    first = debugger.memory.first
    lines = _written(rows, debugger.graph, element.node, room, first)
    told = _Told(element, lines)
    deque(islice(told, count), maxlen=0)
    return told


def _written(
    found: Iterable[Reason], graph: Graph, node: int, room: Size, first: First = 0
) -> Iterator[Row]:
    """Yield rows of an explanation as lines; terms stand in columns.

    What the made-up name of the explained node stands for is in the title. `first` is
    what formulas call the first index.
    """
    said = graph.nodes[node].wording
    above = 0  # lines; a headline is the title
    for (kind, _), some in groupby(found, _columns):
        if kind != "term":
            # The code of a value stands in a pane of its own.
            for one in some:
                above += kind != "headline"
                text = one._replace(names="").text()
                text = in_formula(with_wordings(text, graph, said), first)
                yield Row(text, one.kind, one.leads, one.iteration, one.asks)
            continue
        terms = list(some)
        left = Size(room.width, room.height - above)
        for one, text in zip(terms, _in_columns(terms, left, first), strict=True):
            yield Row(text, "term", one.leads, one.iteration)


def _in_columns(terms: Sequence[Reason], room: Size, first: First) -> Sequence[str]:
    """Return terms with their numbers below each other.

    They have fewer digits where each has room in a line then, and not with more. Names
    are shortened only where there are not lines enough to break the terms.
    """
    every = [*zip(*(one.numbers for one in terms), strict=True)]
    columns: list[Sequence[tuple[str, ...]]] = []
    for most in range(SENTENCE, CELL - 1, -1):
        digits = [digits_apart(column, most) for column in every]
        spelled = zip(*(one.spelled(digits) for one in terms), strict=True)
        columns.append([*zip(*map(align, spelled), strict=True)])
    named = [*zip(*(_names_of(one.names) for one in terms), strict=True)]
    if 2 * len(terms) <= room.height:
        del named[1:]
    ways = (
        [
            in_formula(one._replace(names=name).written(row), first)
            for one, name, row in zip(terms, names, rows, strict=True)
        ]
        for names in named
        for rows in columns
    )
    longest = next(ways)
    fitting = (way for way in chain((longest,), ways) if _fit(way, room.width))
    return next(fitting, longest)


def _fit(texts: Sequence[str], width: int) -> bool:
    return all(cell_len(text) <= width for text in texts)


def _names_of(names: str) -> Sequence[str]:
    """Return the names of a term's factors, the longest first, at last places alone.

    The step has the whole names above its matrices, in the same order.

    >>> _names_of("∂E/∂(a @ W)[0, 2] · W[5, 2]")[1:]
    ('[0, 2] · W[5, 2]', '[0, 2] · [5, 2]', '[0, 2]')
    >>> _names_of("∂E/∂x · ∂x/∂z")[1:], _names_of("x[0]")[1:]
    (('… · ∂x/∂z', '', ''), ('x[0]', 'x[0]', 'x[0]'))
    """
    first, *others = _TIMES.split(names)
    if not others:
        return (names,) * 4
    places = [_PLACE.search(one) for one in (first, *others)]
    upstream, *rest = (place[0] if place else "" for place in places)
    briefer = " · ".join((upstream or "…", *others))
    both = " · ".join((upstream, *rest)) if all((upstream, *rest)) else upstream
    return names, briefer, both, upstream


def _columns(one: Reason) -> tuple[Kind, str]:
    """Return what rows that belong into the same columns have in common."""
    return one.kind, one.sentence
