"""One step: its factors, what they make, and what that is added to.

The matrices stand in four places that depend on their shapes alone; below them is the
chosen element in numbers, then the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text

from ....core.commands.explaining import outstanding
from ....core.engine.element import Element
from ....core.engine.measure import summarise
from ....core.engine.trace import Contribution
from ....core.explain.links import Facet, Region, linked, slopes_of
from ....core.words.numbers import element_text, index_text, number_text
from ...draw.look import Look
from ...draw.stage import Pass, Stage, pass_of
from ..base.known import Known
from ..base.pane import Asked, Chosen, KeptPane, Line, View
from ..base.views import VIEWS
from ..matrix.grid import HEAT, MARGINS, Grid, Inks, Scale
from ..matrix.view import KEYS, MatrixView, Walker
from . import words
from .frame import Frame, Shapes, framed, shapes_of
from .lines import block, label_width, wrapped
from .matrices import Matrices
from .places import TITLE, Tile
from .priority import Arranged, Matters, Said, arranged, bottom, enlarged
from .room import (
    FEWEST,
    Alike,
    alike,
    lines_needed,
    lines_wanted,
    lines_wished,
    longest_notes,
    note_lines,
)
from .said import Manner, of_array, of_step
from .widths import Numbers, numbers_of
from .words import Moment, Which, moment

if TYPE_CHECKING:
    from textual.events import Click, Key, MouseScrollDown, MouseScrollUp

    from ....core.debugger.debugger import Debugger
    from ....core.engine.graph import Graph
    from ....core.engine.trace import Trace
    from ....core.words.indices import First
    from ..base.offer import Offer

_WHEEL = 3
_ABOUT = (12, 6)  # digits of the number at the cursor where all have no room
_PER_NUMBER = 40  # columns of a wide window, with one number in each of four matrices
_NOTE_WIDTH = 51  # columns that a note has in a small window
_MANY = 1000  # lines of a step in a graph that is too large to be asked
_MOST_ARRANGED = 200  # arrangements that are kept
_NARROWEST = 12  # columns below which nothing is drawn

_Found = tuple[Moment, Sequence[Numbers]]


@dataclass(slots=True, eq=False)
class _Sheet:
    """What a step looks like in one size: lines, and where its matrices are."""

    lines: list[Line]
    tiles: list[Tile]
    below: Sequence[Said] = ()  # what is said in the last of the lines
    foot: int = 0  # the first one of these
    offset: int = 0
    spare: int = 0  # blank lines at its foot

    def lend(self, count: int) -> None:
        """Leave so many of the last lines blank, as far as what they say gives way."""
        if self.below:
            room = max(len(self.lines) - self.foot, 0)
            self.lines[self.foot :] = block(self.below, room, count)


class StepPane(KeptPane[_Found]):
    """The step that was made last, or at the start the first one to come."""

    TITLE: ClassVar[str] = VIEWS["step"]
    HELP: ClassVar[str | None] = (
        "One step: its formula, its matrices, one element, its NumPy code.\n"
        "Of a product the right factor stands above, the left one at the left, and "
        "what they make where they meet; at its right the sum, accumulated: "
        "before → after, and which use of the operand this is, of how many.\n"
        "↑ ↓ ← → beside numbers: a window, which goes on there\n"
        "One cursor for all: [ ] is the chosen element, underlined is what belongs to "
        "it.\nA cell's colour and its sign: plus or minus; how strong: how large.\n"
        "Without numbers: - is minus, · zero, NN NaN, ∞ Inf; bars without colours\n"
        "0 is exactly zero, -0 as well: floating point keeps the sign of a zero.\n"
        "Below: the chosen number, = with all its digits, ≈ where it is rounded.\n"
        f"{KEYS}\n"
        "shift+left, shift+right: another matrix   v: this matrix alone\n"
        "W, a click on a title: what its word means (words)\n"
        "click: choose a cell\n"
        "wheel: scroll   o: this pane alone"
    )
    INKS: ClassVar[Mapping[str, str]] = {
        **KeptPane.INKS,
        **HEAT,
        "heat--upstream": "bold $upstream",
        "heat--local": "bold $local",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._look = Look()
        self._moment: Moment | None = None
        self._shown: tuple[Trace, Which, bool, First] | None = None  # what that is for
        self._grids: list[Grid] = []
        self._numbers: list[Numbers] = []  # of the grids
        self._frame = Frame((), {}, ())
        self._windows: dict[str, int] = {}  # where the window of an axis begins
        self._active = 0
        self._dense = False
        self._inks: Inks | None = None
        self._sheet: tuple[object, _Sheet] | None = None
        self._offer: Offer | None = None
        self._part: tuple[Graph, Pass] | None = None  # whose lines it has
        # The lines of the longest notes: of which notes, and how wide they are.
        self._longest: tuple[object, int, Mapping[Alike, int]] | None = None
        self._arranged: dict[object, Arranged] = {}  # by shapes and room
        self._summaries = Known(summarise)
        self._walker = Walker(self, self._sought)
        self._offset = 0
        self._where: Sequence[str] = ()  # we are, the longest words first
        self._following = True
        self._is_behind = False  # the cursor has moved since it was drawn
        self._alone: MatrixView | None = None  # made when it is first opened
        # What another pane says in so many blank lines at the foot, at most.
        self._lodger: Callable[[int], Sequence[Line]] = lambda _: ()
        self._lent: Sequence[Line] | None = None  # what it says; None until it is asked
        self._wanted = 0  # lines that it wants there, though they are not blank

    # ------------------------------------------------------------------ the moment

    def recipe(self, view: View) -> tuple[object, Callable[[], _Found]]:
        """Return the event as the key, and what looks at it."""
        debugger, which, hides = view.debugger, shown_event(view), view.hides
        subject = debugger.subject
        if hides and subject.claims is not None:  # they speak of all gradients
            subject = subject._replace(claims=None)
        stage = Stage(subject, debugger.trace, self._look)

        def look() -> _Found:
            found = moment(stage, which)
            return found, numbers_of(found, self._look, hides=hides)

        return (debugger.trace, which, hides), look

    @staticmethod
    def lines_wanted(debugger: Debugger, width: int) -> int:
        """Return how many lines the highest step wants, in a window so wide."""
        notes = note_lines(debugger.subject.notes.values(), _NOTE_WIDTH)
        numbers = max(width // _PER_NUMBER, FEWEST)
        return lines_wanted(debugger.graph, notes, numbers)

    @staticmethod
    def lines_needed(debugger: Debugger, width: int) -> int:
        """Return how many lines its highest step needs, in so many columns."""
        notes = debugger.subject.notes
        return max(lines_needed(debugger.graph, notes, width).values(), default=_MANY)

    def offer(self, offer: Offer | None) -> None:
        """Have as many of some lines as its steps need; without any, what there is."""
        self._offer = offer
        self._take_lines()

    def _take_lines(self) -> None:
        """Take the lines that no step has to cut anything in, if it may have them."""
        offer, view = self._offer, self._view
        if offer is None:
            return
        width = self.room.width
        needed = wished = 0  # as long as it has no place, it does not know
        if view is not None and width:
            about = view.debugger.graph, view.debugger.subject.notes, width
            part = self._pass(view)
            needed = lines_needed(*about).get(part, 0)
            wished = lines_wished(*about).get(part, 0)
        lines = min(needed, offer.most(width)), min(wished, offer.fair)
        offer.give(max(*lines, offer.few(width)))

    def _pass(self, view: View) -> Pass:
        """Return the pass of the event that is shown."""
        return pass_of(view.debugger.trace, shown_event(view).number)

    def show(self, view: View) -> None:
        """Draw the last applied event, with the chosen element in all its arrays."""
        self._view = view
        part = view.debugger.graph, self._pass(view)
        if self._part != part:  # in a pass no border moves
            self._part = part
            self._take_lines()
        self._look = self._look._replace(first=view.debugger.memory.first)
        moment = view.debugger.trace, shown_event(view), view.hides
        shown = *moment, self._look.first
        if self._shown != shown:
            self._shown = shown
            self._take(self.found(view))
        self._follow(view.chosen)
        self._wanted = 0  # until it is asked for them again
        self._show()

    def _show(self) -> None:
        """Draw what is there now, and say above and below what it is."""
        if self._view is not None:
            self._show_borders()
        self._sheet, self._following = None, True
        self._repaint()

    def _take(self, found: _Found | None) -> None:
        """Take the arrays of another event."""
        self._offset, self._grids, self._windows = 0, [], {}
        self._moment, numbers = found or (None, ())
        self._numbers = [*numbers]
        for facet, (scale, _) in zip(self._facets, numbers, strict=True):
            self._grids.append(Grid(facet.array, self._look, scale, facet.is_there))
        self._active = self._moment.made if self._moment else 0

    @property
    def _facets(self) -> Sequence[Facet]:
        return self._moment.facets if self._moment is not None else ()

    def _follow(self, chosen: Element | None) -> None:
        """Put the cursor of every grid on the chosen element, or what belongs to it."""
        present = self._moment
        if present is None or not present.facets:
            return
        element = self._element(chosen)
        if not present.which.is_shaped:
            return
        regions = linked(present.trace, present.number, present.facets, element)
        for facet, grid, region in zip(
            present.facets, self._grids, regions, strict=True
        ):
            owns = (facet.node, facet.quantity) == (element.node, element.quantity)
            # The slope of an operation has the place of the gradient it multiplies.
            grid.is_active = owns and region is not None
            grid.linked = None if grid.is_active else region
            if region is not None:
                grid.cursor = _towards(grid.cursor, region)
        self._take_slopes(present)

    def _take_slopes(self, present: Moment) -> None:
        """Show the slopes of the element of the contribution that is chosen."""
        place, event = present.roles.get("slopes"), present.event
        cursor = self._grids[present.made].cursor
        if place is None or not isinstance(event, Contribution):
            return
        if not self._grids[present.made].array.size:
            return
        array = slopes_of(present.trace.run, event.edge, cursor)
        old = self._grids[place]
        scale = Scale.of(array, self._look)
        self._numbers[place] = self._numbers[place]._replace(scale=scale)
        grid = self._grids[place] = Grid(array, self._look, scale)
        grid.cursor, grid.linked = old.cursor, old.linked

    def _element(self, chosen: Element | None) -> Element:
        """Return the element to show: the chosen one, if this step has it."""
        active = self._facets[self._active]
        if chosen is not None and chosen.index is not None:
            wanted = (chosen.node, chosen.quantity)
            if not self._which.is_shaped:
                return chosen
            if (active.node, active.quantity) == wanted:
                return chosen
            for number in self._by_weight():
                facet = self._facets[number]
                if (facet.node, facet.quantity) == wanted and not facet.same:
                    self._active = number
                    return chosen
        if not active.array.size:
            return Element(active.node, active.quantity, None)
        grid = self._grids[self._active]
        if not grid.is_there:  # where its largest number will stand is to come, too
            return self._pointed(self._active)
        if not grid.is_placed:
            grid.cursor = outstanding(active.array)
            grid.is_placed = True
        return active.element(grid.cursor)

    def _pointed(self, number: int) -> Element:
        """Return the element under the cursor of a matrix; of an open shape none."""
        facet, cursor = self._facets[number], self._grids[number].cursor
        if not facet.is_there and not self._which.is_shaped:
            return Element(facet.node, facet.quantity, None)
        return facet.element(cursor)

    @property
    def _which(self) -> Which:
        return Which(0) if self._moment is None else self._moment.which

    def _show_borders(self) -> None:
        """Say above where we are, and below the exact number of the cursor."""
        if self._moment is None or not self._facets:
            self.titles, self._where = (self.TITLE, ""), ()
            return
        where = words.where(self._moment)
        parts = where.split(" · ")
        self._where = [f"event {where}", " · ".join((f"event {parts[0]}", *parts[2:]))]
        self._where.append(" · ".join(parts[2:]))
        if not self._moment.which.is_there:
            when = "next" if self._moment.number else "first to come"
            self._where = [" · ".join((when, *parts[1:]))]
        self.titles = self.TITLE, "\n".join(self._exact())

    def _by_weight(self) -> Sequence[int]:
        """Return the numbers of the matrices, what the step makes first."""
        made = self._moment.made if self._moment is not None else 0
        others = [n for n in range(len(self._facets) - 1, -1, -1) if n != made]
        return [made, *others]

    def _exact(self) -> Sequence[str]:
        """Return the number at the cursor with all its digits, and whose it is."""
        if self._walker.typed is not None:
            return [f"jump to [{self._walker.typed}▏]  enter, escape"]
        facet, grid = self._facets[self._active], self._grids[self._active]
        if not facet.array.size or self._view is None or self._moment is None:
            return ["empty"]
        if not grid.is_there:
            return ["asked" if self._view.question else "s computes it"]
        element = facet.element(grid.cursor)
        place = index_text(element.index)
        called = self._moment.stage.wording.element
        name = called(element.node, place, element.quantity)
        if facet.role in ("local", "slopes", "product"):
            name = element_text(facet.role, grid.cursor)
        name = self._look.formula(name)
        equal = f"= {grid.exact()}"
        # A number that is cut would be another one; this one says that it is rounded.
        number = grid.array[grid.cursor]
        about = [f"≈ {number_text(number, digits)}" for digits in _ABOUT]
        if facet.role in ("operand", "value", "local", "slopes", "product"):
            return [f"{name} {equal}", equal, *about]
        # One of several contributions is not the gradient that it is added to.
        is_part = facet.role in ("contribution", "before")
        shorter = facet.role if is_part else name
        return [f"{facet.role} {name} {equal}", f"{shorter} {equal}", equal, *about]

    # -------------------------------------------------------------------- movement

    @property
    def alone(self) -> MatrixView | None:
        """The view of one matrix alone, while it is open."""
        return self._alone if self._alone is not None and self._alone.display else None

    def on_key(self, event: Key) -> None:
        """Move the cursor in the matrices, or open one of them."""
        if not self._facets or self.alone is not None:
            return
        grid = self._grids[self._active]
        before, typing = grid.cursor, self._walker.typed is not None
        page = max(self.size.height // 2, 1)
        if not typing and event.key in ("shift+left", "shift+right"):
            self._switch(1 if event.key == "shift+right" else -1)
        elif not typing and event.key == "d":
            self._dense = not grid.compact
        elif not typing and event.key == "v":
            self._open()
        elif not grid.array.size or not self._walker.walk(event, grid, page):
            return
        elif event.key in ("left", "right") and grid.cursor == before and not typing:
            self._switch(1 if event.key == "right" else -1)
        elif grid.cursor != before:
            self._choose()
        event.stop()
        event.prevent_default()
        if not self._is_behind:
            self._show()

    def _sought(self) -> None:
        """Show what was found in a large array."""
        self._choose()

    def catch_up(self) -> None:
        """Draw where the cursor is, unless that was done together with all panes."""
        if self._is_behind:
            self._show()

    def _switch(self, by: int) -> None:
        """Go to the matrix beside."""
        shown = [tile.number for tile in self._written().tiles]
        shown = [n for n in shown if not self._facets[n].same] or [self._active]
        self._active = shown[(shown.index(self._active) + by) % len(shown)]
        if self._facets[self._active].array.size:
            self._grids[self._active].is_placed = True
            self._choose()

    def _choose(self) -> None:
        self._grids[self._active].is_placed = True
        element = self._pointed(self._active)
        self._follow(element)
        # To draw it now would cost a frame of its own, and all panes wait for the next.
        self._is_behind = True
        self.post_message(Chosen(element))

    def _open(self) -> None:
        """Show the matrix under the cursor alone."""
        if not self._facets[self._active].array.size:
            return
        if self._alone is None:
            self._alone = MatrixView(self._summaries, id="alone")
            self.mount(self._alone)
        self._alone.display = True
        self._alone.focus()

    def _show_in(self, alone: MatrixView) -> None:
        facet, grid = self._facets[self._active], self._grids[self._active]
        title = Text(self._titles(self._active)[0])
        alone.show(facet, grid.cursor, grid.linked, title, self._look)

    def on_matrix_view_closed(self, message: MatrixView.Closed) -> None:
        """Go back to the whole step."""
        message.stop()
        if self._alone is not None:
            self._alone.display = False
        self.focus()
        self._redraw()

    def word(self) -> str:
        """Return what the glossary calls the array that has the cursor."""
        return self._facets[self._active].word if self._facets else ""

    def on_click(self, event: Click) -> None:
        """Choose the cell under the mouse; of a title, ask what its word means."""
        titled = self._tile_at(int(event.x), int(event.y))
        if titled is not None and titled[2] < TITLE and self._moment is not None:
            word = self._facets[titled[0].number].word
            self.post_message(Asked(f"words {word}"))
        found = self._hit(int(event.x), int(event.y))
        if found is None:
            return
        tile, x, y = found
        index = self._grids[tile.number].cell_at(x, y)
        if index is not None and not self._facets[tile.number].same:
            self._active = tile.number
            self._grids[tile.number].cursor = index
            self._choose()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll the matrix under the mouse, or the step."""
        self._wheel(event, _WHEEL)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll the matrix under the mouse, or the step."""
        self._wheel(event, -_WHEEL)

    def _wheel(self, event: MouseScrollDown | MouseScrollUp, by: int) -> None:
        event.stop()
        found = self._hit(int(event.x), int(event.y))
        if found is not None:
            tile = found[0]
            grid = self._grids[tile.number]
            before = grid.top
            grid.look_at(tile.rows, tile.columns, grid.top + by, grid.left)
            if grid.top != before:
                self._windows[self._frame.axes(tile.number)[0]] = grid.top
                self._redraw(follow=False)
                return
        self._offset += by
        self._redraw(follow=False)

    def _hit(self, x: int, y: int) -> tuple[Tile, int, int] | None:
        """Return the grid at a place of the pane, and the place in the grid."""
        found = self._tile_at(x, y)
        if found is None or found[2] < TITLE:
            return None
        tile, x, y = found
        x, y = x - tile.gutter, y - TITLE - tile.head
        cell = self._grids[tile.number].cell
        return tile, x * cell // tile.size.cell(cell), y // tile.size.lines

    def _tile_at(self, x: int, y: int) -> tuple[Tile, int, int] | None:
        """Return what stands at a place of the pane, and the place in it."""
        x, y = x - self.gutter.left, y - self.gutter.top
        sheet = self._written()
        y += sheet.offset
        for tile in sheet.tiles:
            if 0 <= x - tile.x < tile.width and 0 <= y - tile.y < tile.height:
                return tile, x - tile.x, y - tile.y
        return None

    # --------------------------------------------------------------------- drawing

    def notify_style_update(self) -> None:
        """Forget the colours of the theme before."""
        super().notify_style_update()
        self._inks = None
        self._sheet = None

    def on_resize(self) -> None:
        """Bring the cursor into sight; in another size all is drawn anew anyway."""
        self._take_lines()
        if not self._following:
            self._redraw()

    def _redraw(self, *, follow: bool = True) -> None:
        self._sheet = None
        self._repaint(follow=follow)

    def _repaint(self, *, follow: bool = True) -> None:
        self._is_behind = False
        self._following = follow
        self.repaint()
        if self.alone is not None and self._facets:
            self._show_in(self.alone)

    def draw(self, y: int) -> Line:
        """Return one line of the step."""
        sheet = self._written()
        number, height = y + sheet.offset, self.room.height
        if y >= height - sheet.spare:
            if self._lent is None:
                self._lent = self._lodger(sheet.spare)
            return self._lent[y - height] if y >= height - len(self._lent) else []
        line = sheet.lines[number] if number < len(sheet.lines) else []
        return self._with_place(line) if number == 0 else line

    @property
    def spare(self) -> int:
        """How many lines are blank at its foot."""
        return 0 if self.alone is not None else self._written().spare

    def repaint(self, lines: Sequence[int] | None = None) -> None:
        """Draw it again, and ask who is lent lines again as well."""
        self._lent = None
        super().repaint(lines)

    def want(self, count: int) -> None:
        """Leave so many lines for another pane, where what they say matters less."""
        if count == self._wanted or self.alone is not None:
            return
        self._wanted = count
        sheet = self._written()
        sheet.lend(count)
        self._look_from(sheet, self.room.height)
        self._repaint_from(sheet.foot - sheet.offset)

    def repaint_foot(self) -> None:
        """Draw the lines again that are lent."""
        self._repaint_from(self.room.height - self.spare)

    def _repaint_from(self, line: int) -> None:
        top = self.margin.top
        self.repaint(range(top + max(line, 0), top + self.room.height))

    def lend(self, lodger: Callable[[int], Sequence[Line]]) -> None:
        """Let another pane say something in the blank lines at the foot."""
        self._lodger = lodger

    def _with_place(self, line: Line) -> Line:
        """Return the first line with where we are at its right, if there is room."""
        room = self.room.width - sum(cell_len(text) for text, _, _ in line) - 2
        text = next((one for one in self._where if cell_len(one) <= room), "")
        if not text or not line:
            return line
        gap = " " * (room + 2 - cell_len(text))
        return [*line, Segment(gap), Segment(text, self.ink("pane--tab"))]

    def _written(self) -> _Sheet:
        """Write the whole step once, however many lines of it are asked for."""
        if self._inks is None:
            self._inks = Inks.of(self)
        size = width, height = self.room.width, self.room.height
        if self._sheet is None or self._sheet[0] != size:
            return self._keep(self._write(width, height, self._inks), width, height)
        return self._sheet[1]

    def _keep(self, sheet: _Sheet, width: int, height: int) -> _Sheet:
        """Return a step that is written, from the line on to which it is scrolled."""
        self._sheet = (width, height), sheet
        self._look_from(sheet, height)
        return sheet

    def _look_from(self, sheet: _Sheet, height: int) -> None:
        """Find the lines of a step that are in sight, and which of them are blank."""
        sheet.offset = min(max(self._offset, 0), max(len(sheet.lines) - height, 0))
        self._offset = sheet.offset
        shown = sheet.lines[sheet.offset : sheet.offset + height]
        blank = takewhile(_is_blank, reversed(shown))
        sheet.spare = height - len(shown) + len([*blank])
        self._lent = None

    def _write(self, width: int, height: int, inks: Inks) -> _Sheet:
        present = self._moment
        if self._view is None or width < _NARROWEST:
            return _Sheet([], [])
        if present is None or not present.facets:
            text = "nothing is computed here: no step to show"
            return _Sheet(wrapped(Segment(text), width), [])
        for grid, (scale, wide) in zip(self._grids, self._numbers, strict=True):
            grid.compact, grid.joined = self._dense, False
            grid.scale = scale.within(wide)
        graph = present.trace.run.graph
        shapes = shapes_of(graph, present.event, present.facets, self._grids)
        place = self._arrange(present, shapes, width, height)
        frame, tiles, above = place
        self._frame = frame
        if not self._dense:
            parts = zip(self._grids, self._numbers, frame.parts, strict=True)
            for grid, (scale, _), part in parts:
                grid.joined = part.lead > 0
                grid.scale = scale.within(part.cell - MARGINS + part.lead)
        if all(tile.number != self._active for tile in tiles):
            self._active = present.made
        self._look_through(frame, tiles)
        said = list(self._said(present, frame, tiles, inks))
        if place.cuts_row:  # a row matters more than what is said of all such steps
            said = [one for one in said if one.matters >= Matters.ELEMENT]
        lines = block([one for one in said if one.is_above], above)
        room = height - above - bottom(tiles)
        below = [one for one in said if not one.is_above]
        matrices = Matrices(present, self._grids, tiles, self._active, width)
        lines += matrices.lines(inks)
        foot = len(lines)
        lines += block(below, room, self._wanted)
        tiles = [tile._replace(y=tile.y + above) for tile in tiles]
        return _Sheet(lines, tiles, below, foot)

    def _arrange(
        self, present: Moment, shapes: Shapes, width: int, height: int
    ) -> Arranged:
        """Place the matrices; steps with the same shapes have the same places."""
        notes = self._note_lines(present, width)
        is_class = self.screen.has_class("presenting") and not self._dense
        key = shapes, width, height, notes, is_class
        if key not in self._arranged:
            if len(self._arranged) >= _MOST_ARRANGED:
                self._arranged.clear()
            frames = framed(shapes)
            large = enlarged(frames, width, height, notes) if is_class else None
            self._arranged[key] = large or arranged(frames, width, height, notes)
        return self._arranged[key]

    def _note_lines(self, present: Moment, width: int) -> int:
        """Return how many lines the longest note takes of the steps like this one."""
        if self._view is None:
            return 0
        debugger = self._view.debugger
        graph, notes = debugger.graph, debugger.subject.notes
        if self._longest is None or self._longest[:2] != (notes, width):
            longest = longest_notes(graph, notes, width - label_width(width))
            self._longest = notes, width, longest
        longest, event = self._longest[2], present.event
        about = event.edge if isinstance(event, Contribution) else (event.node,)
        key = alike(graph, pass_of(present.trace, present.number), about)
        return longest.get(key, 0)

    def _look_through(self, frame: Frame, tiles: Sequence[Tile]) -> None:
        """Show the same window of an axis in every matrix that has it.

        The window follows the cursor of the matrix that matters most.
        """
        seen = {tile.number: tile for tile in tiles}
        order = [n for n in (self._active, *self._by_weight()) if n in seen]
        starts: dict[str, int] = {}
        for number in order:
            tile, place = seen[number], self._grids[number].place
            shown = (tile.rows, tile.columns)
            for axis, count, at in zip(frame.axes(number), shown, place, strict=True):
                start = self._windows.get(axis, 0)
                if self._following:
                    start = min(max(start, at - count + 1), at)
                starts.setdefault(axis, min(max(start, 0), frame.sizes[axis] - count))
        self._windows = starts
        for number in order:
            top, left = (starts[axis] for axis in frame.axes(number))
            self._grids[number].look_at(
                seen[number].rows, seen[number].columns, top, left
            )

    def _titles(self, number: int) -> Sequence[str]:
        """Return what may stand over a matrix, the longest first."""
        if self._moment is None:
            return ("",)
        cursors = [grid.cursor for grid in self._grids]
        return words.title(self._moment, number, cursors, self._look.first)

    # ----------------------------------------------------------------------- words

    def _said(
        self, present: Moment, frame: Frame, tiles: Sequence[Tile], inks: Inks
    ) -> Iterator[Said]:
        """Yield what is said above and below the matrices."""
        if self._view is None:
            return
        is_class = self.screen.has_class("presenting")
        cursors = [grid.cursor for grid in self._grids]
        manner = Manner(self.room.width, inks, self._look, is_class)
        gone = set(frame.optional).difference(tile.number for tile in tiles)
        lacks_sum = any(present.facets[number].role != "product" for number in gone)
        yield from of_step(present, cursors, self._view, manner, lacks_sum=lacks_sum)
        if present.which.is_there:
            array = self._grids[self._active].array
            summary = None
            if array.size > 1:
                summary = self._summaries.of(array, self, self._redraw)
            yield from of_array(array, summary, manner)


# ------------------------------------------------------------------------ small helpers


def shown_event(view: View) -> Which:
    """Return which event the step shows, and what of it is open.

    It is the one that was made last; at the start, or while it is asked about, the one
    that comes next.
    """
    position = view.debugger.position
    if position and view.question is None:
        return Which(position - 1)
    prediction = view.debugger.memory.prediction
    is_shaped = prediction is None or prediction.kind != "shape"
    return Which(position, is_there=False, is_shaped=is_shaped)


def _is_blank(line: Line) -> bool:
    return not any(text.strip() for text, _, _ in line)


def _towards(cursor: tuple[int, ...], region: Region) -> tuple[int, ...]:
    """Return the element of a region's box that is nearest to where a cursor was."""
    if len(cursor) != len(region.box):
        return cursor
    return tuple(
        min(max(i, axis.start), axis.stop - 1)
        for i, axis in zip(cursor, region.box, strict=True)
    )
