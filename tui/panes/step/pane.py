"""One step in four linked views: formula, matrices, one element, NumPy code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text
from textual.events import Click, Key, MouseScrollDown, MouseScrollUp

from ....core.commands.explaining import outstanding
from ....core.engine.backward import broadcast_axes
from ....core.engine.element import Element
from ....core.engine.measure import summarise
from ....core.engine.trace import Contribution, Event, Forward, Seed, Trace, Update
from ....core.explain.explain import element_name
from ....core.explain.links import Facet, Region, facets, linked
from ....core.words.formulas import NO_FORMULA, Formula, axes_text
from ....core.words.numbers import change_text, element_text, index_text, shape_text
from ...draw.look import Look
from ...draw.spelling import contribution_text, update_text, value_text
from ...draw.stage import Stage, notes, place
from ...graph.drawing import cut
from ..base.known import Known
from ..base.pane import Chosen, KeptPane, Line, View
from ..base.views import VIEWS
from ..matrix.grid import HEAT, HEAT_CSS, Grid, Inks, Scale, summary_text
from ..matrix.view import KEYS, MatrixView, Walker

_GAP = 3
_LARGE = 144  # elements from which on a matrix without room is drawn dense
_MOST_SCALES = 500
_WHEEL = 3
_WHAT, _SHAPES = 1, 2  # how much some lines matter
_KEPT = 8  # lines that matter so much are never left out
_LOWEST = 4  # lines of a matrix with its title, at least
_LABEL = 12
_NARROW_PANE = 60  # columns below which there are no labels
_NARROW = 16  # columns of a title that are always shown


class Tile(NamedTuple):
    """A grid and where it stands: its corner, its size, and how high its title is."""

    number: int
    x: int
    y: int
    width: int
    height: int
    title: int


class _Looked(NamedTuple):
    """What there is to say of an event: arrays, notes, axes it sums over, formula."""

    facets: tuple[Facet, ...]
    notes: Sequence[str]
    summed: tuple[int, ...]
    formula: Formula


_Said = list[tuple[int, list[Line]]]  # how much some lines matter, and the lines
_NOTHING = _Looked((), (), (), NO_FORMULA)


@dataclass(slots=True)
class _Sheet:
    """What a step looks like in one size: lines, and where its grids are."""

    lines: list[Line]
    tiles: list[Tile]
    offset: int = 0


class StepPane(KeptPane[_Looked]):
    """The step that was made last, or at the start the first one to come."""

    TITLE: ClassVar[str] = VIEWS["step"]
    HELP: ClassVar[str | None] = (
        "One step: its formula, its matrices, one element, its NumPy code.\n"
        "One cursor for all: [ ] is the chosen element, underlined is what belongs to "
        "it.\nA cell's colour and its sign: plus or minus; how strong: how large.\n"
        "Without room for numbers: `-` and a bar; NN is NaN, ∞ infinity, · zero.\n"
        "0 is exactly zero, -0 as well: floating point keeps the sign of a zero.\n"
        f"{KEYS}\n"
        "shift+left, shift+right: another matrix, seen or not   v: this matrix alone\n"
        "click: choose a cell   wheel: scroll   o: this pane alone"
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = set(HEAT)
    DEFAULT_CSS: ClassVar[str] = "StepPane {" + HEAT_CSS + "}"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._look = Look()
        self._trace: Trace | None = None
        self._number = -1  # of the event that is shown
        self._facets: tuple[Facet, ...] = ()
        self._grids: list[Grid] = []
        self._said: Sequence[str] = ()  # the notes of the event
        self._summed: tuple[int, ...] = ()  # the axes that the event sums over
        self._formula = NO_FORMULA
        self._scales: dict[tuple[str, int], Scale] = {}
        self._active = 0
        self._dense: bool | None = None  # None: where there is no room for numbers
        self._inks: Inks | None = None
        self._sheet: tuple[object, _Sheet] | None = None
        self._summaries = Known(summarise)
        self._walker = Walker(self, self._sought)
        self._offset = 0
        self._following = True
        self._is_behind = False  # the cursor has moved since it was drawn
        self._called: list[tuple[str, ...]] = []  # the grids, on one line or two
        self._titles: list[tuple[str, ...]] = []  # as they are shown
        self._alone: MatrixView | None = None  # made when it is first opened

    # ------------------------------------------------------------------ the moment

    def recipe(self, view: View) -> tuple[object, Callable[[], _Looked]]:
        """Return the event as the key, and what looks at it."""
        trace, number = view.bug.trace, max(view.bug.position - 1, 0)
        stage = Stage(view.bug.subject, trace, self._look)
        return (trace, number), lambda: _looked_up(stage, number)

    def show(self, view: View) -> None:
        """Draw the last applied event, with the chosen element in all its arrays."""
        self._view = view
        trace, position = view.bug.trace, view.bug.position
        if trace is not self._trace or self._number != max(position - 1, 0):
            self._take(trace, max(position - 1, 0), self.found(view))
        for grid in self._grids:
            grid.is_future = position == 0
        self._follow(view.chosen)
        self._show()

    def _show(self) -> None:
        """Draw what is there now, and say above and below what it is."""
        if self._view is not None:
            self._show_borders(self._view)
        self._redraw()

    def _take(self, trace: Trace, number: int, looked: _Looked | None) -> None:
        """Take the arrays of another event, each as wide as it was the last time."""
        self._trace, self._number, self._offset = trace, number, 0
        self._facets, self._said, self._summed, self._formula = looked or _NOTHING
        self._grids = []
        if len(self._scales) > _MOST_SCALES:
            self._scales.clear()
        for facet in self._facets:
            scale = self._scale(trace, number, facet)
            self._grids.append(Grid(facet.array, self._look, scale))
        self._active = len(self._facets) - 1

    def _scale(self, trace: Trace, number: int, facet: Facet) -> Scale:
        """Return the scale of an array, as wide as that of what stood there before."""
        final = facet.role in ("operand", "value")
        own = trace.run.recent.of(
            ("scale", facet.node, "value" if final else (facet.role, number)),
            lambda: Scale.of(facet.array, self._look),
        )
        key = (facet.role, facet.node)
        before = self._scales.get(key)
        scale = self._scales[key] = own if before is None else own.joined(before)
        return scale

    def _follow(self, chosen: Element | None) -> None:
        """Put the cursor of every grid on the chosen element, or what belongs to it."""
        if not self._facets or self._trace is None:
            return
        element = self._element(chosen)
        regions = linked(self._trace, self._number, self._facets, element)
        for facet, grid, region in zip(self._facets, self._grids, regions, strict=True):
            owns = (facet.node, facet.quantity) == (element.node, element.quantity)
            # The slope of an operation has the place of the gradient it multiplies.
            grid.is_active = owns and region is not None
            grid.linked = None if grid.is_active else region
            if region is not None:
                grid.cursor = _towards(grid.cursor, region)

    def _element(self, chosen: Element | None) -> Element:
        """Return the element to show: the chosen one, if this step has it."""
        active = self._facets[self._active]
        if chosen is not None and chosen.index is not None:
            wanted = (chosen.node, chosen.quantity)
            if (active.node, active.quantity) == wanted:
                return chosen
            for number in range(len(self._facets) - 1, -1, -1):
                facet = self._facets[number]
                if (facet.node, facet.quantity) == wanted:
                    self._active = number
                    return chosen
        if not active.array.size:
            return Element(active.node, active.quantity, None)
        grid = self._grids[self._active]
        if not grid.is_placed:
            grid.cursor = outstanding(active.array)
            grid.is_placed = True
        return active.element(grid.cursor)

    def _show_borders(self, view: View) -> None:
        """Say above where we are, and below the exact number of the cursor."""
        trace = view.bug.trace
        if not self._facets:
            self.titles = self.TITLE, ""
            return
        stage = Stage(view.bug.subject, trace, self._look)
        where = " · ".join(place(stage, [self._number]))
        titles = [f"event {where}", where]
        if view.bug.position == 0:
            titles = [" · ".join(("first to come", *where.split(" · ")[1:]))]
        self.titles = "\n".join(titles), "\n".join(self._exact())

    def _exact(self) -> Sequence[str]:
        """Return the number at the cursor with all its digits, and whose it is."""
        if self._walker.typed is not None:
            return [f"jump to [{self._walker.typed}▏]  enter, escape"]
        facet, grid = self._facets[self._active], self._grids[self._active]
        if not facet.array.size or self._view is None:
            return ["empty"]
        element = facet.element(grid.cursor)
        node = self._view.bug.graph.nodes[element.node]
        name = element_name(node, element.index, element.quantity)
        if facet.role in ("local", "product"):
            name = element_text(facet.role, grid.cursor)
        equal = f"= {grid.exact()}"
        said = [f"{name} {equal}", equal]
        if facet.role not in ("operand", "value", "local", "product"):
            said.insert(0, f"{facet.role} {said[0]}")
        return said

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
        count = len(self._grids)
        self._active = (self._active + by) % count
        if self._facets[self._active].array.size:
            self._grids[self._active].is_placed = True
            self._choose()

    def _choose(self) -> None:
        facet, grid = self._facets[self._active], self._grids[self._active]
        grid.is_placed = True
        element = facet.element(grid.cursor)
        self._follow(element)
        # To draw it now would cost a frame of its own, and all panes wait for the next.
        self._is_behind = True
        self.post_message(Chosen(element))

    def _open(self) -> None:
        """Show the matrix under the cursor alone."""
        if not self._facets[self._active].array.size:
            return
        if self._alone is None:
            self._alone = MatrixView(self._summaries)
            self.mount(self._alone)
        self._alone.display = True
        self._alone.focus()

    def _show_in(self, alone: MatrixView) -> None:
        facet, grid = self._facets[self._active], self._grids[self._active]
        title = Text(" ".join(part.strip() for part in self._title(facet)))
        alone.show(facet, grid.cursor, grid.linked, title, self._look)

    def on_matrix_view_closed(self, message: MatrixView.Closed) -> None:
        """Go back to the whole step."""
        message.stop()
        if self._alone is not None:
            self._alone.display = False
        self.focus()
        self._redraw()

    def on_click(self, event: Click) -> None:
        """Choose the cell under the mouse."""
        found = self._hit(int(event.x), int(event.y))
        if found is None:
            return
        tile, x, y = found
        index = self._grids[tile.number].hit(x, y)
        if index is not None:
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
            grid.top += by
            grid.fit(tile.width, tile.height - tile.title, follow=False)
            if grid.top != before:
                self._redraw(follow=False)
                return
        self._offset += by
        self._redraw(follow=False)

    def _hit(self, x: int, y: int) -> tuple[Tile, int, int] | None:
        """Return the grid at a place of the pane, and the place in the grid."""
        x, y = x - self.gutter.left, y - self.gutter.top
        sheet = self._written()
        y += sheet.offset
        for tile in sheet.tiles:
            inside = 0 <= x - tile.x < tile.width
            if inside and 0 <= y - tile.y - tile.title < tile.height - tile.title:
                return tile, x - tile.x, y - tile.y - tile.title
        return None

    # --------------------------------------------------------------------- drawing

    def notify_style_update(self) -> None:
        """Forget the colours of the theme before."""
        super().notify_style_update()
        self._inks = None
        self._sheet = None

    def on_resize(self) -> None:
        """Bring the cursor into sight; in another size all is drawn anew anyway."""
        if not self._following:
            self._redraw()

    def _redraw(self, *, follow: bool = True) -> None:
        self._sheet = None
        self._is_behind = False
        self._following = follow
        self.repaint()
        if self.alone is not None and self._facets:
            self._show_in(self.alone)

    def draw(self, y: int) -> Line:
        """Return one line of the step."""
        sheet = self._written()
        number = y + sheet.offset
        return sheet.lines[number] if number < len(sheet.lines) else []

    def _written(self) -> _Sheet:
        """Write the whole step once, however many lines of it are asked for."""
        if self._inks is None:
            self._inks = Inks.of(self)
        size = self.room
        if self._sheet is None or self._sheet[0] != size:
            sheet = self._write(size.width, size.height, self._inks)
            sheet.offset = min(
                max(self._offset, 0), max(len(sheet.lines) - size.height, 0)
            )
            self._offset = sheet.offset
            self._sheet = (size, sheet)
        return self._sheet[1]

    def _write(self, width: int, height: int, inks: Inks) -> _Sheet:
        if self._view is None or width < 4:
            return _Sheet([], [])
        if not self._facets:
            words = "nothing is computed here: no step to show"
            return _Sheet(self._wrapped([Segment(words)], width), [])
        above = [
            (importance, self._wrapped(line, width))
            for importance, line in self._above(inks, width)
        ]
        below = [
            (importance, self._labelled(label, line, width, inks))
            for importance, label, line in self._below()
        ]
        for grid in self._grids:
            grid.compact = False
        every = [*above], [*below]
        self._called = [self._title(facet) for facet in self._facets]
        tiles, used = self._arranged(width, height, below, above)
        hint = self._hint(tiles, width, height - sum(len(part) for _, part in above))
        if hint:
            said = (_KEPT, self._wrapped([Segment(hint, inks.quiet)], width))
            for part in (above, every[0]):
                part[:] = [said, *(one for one in part if one[0] != _WHAT)]
            tiles, used = self._arranged(width, height, below, above)
        room = height - used - sum(len(part) for _, part in (*above, *below))
        _take_back(list(zip((above, below), every, strict=True)), room)
        lines = [line for _, part in above for line in part]
        start = len(lines)
        lines += self._tile_lines(tiles, used, inks)
        lines += [line for _, part in below for line in part]
        return _Sheet(lines, [tile._replace(y=tile.y + start) for tile in tiles])

    def _arranged(
        self,
        width: int,
        height: int,
        below: _Said,
        above: _Said,
    ) -> tuple[list[Tile], int]:
        """Place the grids; where there is no room, leave out what matters least."""

        def room() -> int:
            return height - sum(len(part) for _, part in (*above, *below))

        whole = self._whole(width)
        while not whole or _bottom(whole) > room():
            if not _without_least(below):
                most = room() + sum(len(p) for one, p in above if one < _KEPT)
                if not whole or _bottom(whole) > most:
                    whole = self._windows(width, _LOWEST)
                while room() < _bottom(whole) and _without_least(above):
                    pass
                above[:] = [one for one in above if one[0]]  # numbers before blanks
                whole = self._windows(width, max(room(), _LOWEST - 1))
                break
        return whole, _bottom(whole)

    def _hint(self, tiles: Sequence[Tile], width: int, room: int) -> str:
        """Say what of the matrices is not to be seen, and how it can be; or nothing."""
        count = len(self._grids)
        if len(tiles) == count:
            below = sum(tile.y + tile.title + 1 >= room for tile in tiles)
            return f"{below} of {count} matrices below: v shows one" if below else ""
        first, last = tiles[0].number + 1, tiles[-1].number + 1
        which = f"{first}" if first == last else f"{first}-{last}"
        what = "matrix" if first == last else "matrices"
        text = f"{what} {which} of {count}; shift+← or → shows another"
        return text if len(text) <= width else f"{which} of {count}; shift+← → more"

    def _whole(self, width: int) -> list[Tile]:
        """Place all grids in full, as long as none is wider than there is room.

        Titles are on one line if all of them can be beside each other like this.
        """
        if any(grid.width > width for grid in self._grids):
            return []
        most = max(map(len, self._called))
        split = [title + ("",) * (most - len(title)) for title in self._called]
        joined = [(title[0] + "".join(title[1:]),) for title in split]
        choices = [(titles, self._placed(titles, width)) for titles in (joined, split)]
        self._titles, tiles = min(choices, key=lambda choice: _bottom(choice[1]))
        return tiles

    def _placed(self, titles: list[tuple[str, ...]], width: int) -> list[Tile]:
        self._titles = titles
        return self._rows(width, [max(g.width, t) for g, t in self._naturals()])

    def _naturals(self) -> Iterator[tuple[Grid, int]]:
        for grid, title in zip(self._grids, self._titles, strict=True):
            yield grid, max(map(len, title))

    def _rows(
        self,
        width: int,
        widths: Sequence[int],
        most: int | None = None,
        gap: int = _GAP,
    ) -> list[Tile]:
        """Place grids of some widths in rows; `most` is the height of a row."""
        tiles: list[Tile] = []
        x = y = high = 0
        for number, (grid, wanted) in enumerate(zip(self._grids, widths, strict=True)):
            wide = min(wanted, width)
            if x and x + wide > width:
                x, y, high = 0, y + high, 0
            title = len(self._titles[number])
            height = title + grid.height
            if most is not None:
                height = min(height, most)
            tiles.append(Tile(number, x, y, wide, height, title))
            high = max(high, height)
            x += wide + gap
        return tiles

    def _windows(self, width: int, height: int) -> list[Tile]:
        """Place windows on the grids, all in one row if that can be.

        Where not even a matrix and its title have room, the title is one line.
        """
        share = (width + _GAP) // len(self._grids) - _GAP
        for grid in self._grids:
            narrow = grid.array.size > _LARGE and grid.width > share
            grid.compact = narrow if self._dense is None else self._dense
        self._titles = self._called
        if height < _LOWEST:
            self._titles = [("".join(title),) for title in self._called]
        naturals = list(self._naturals())
        wanted = [max(g.width, t) for g, t in naturals]
        for columns, gap in ((2, _GAP), (1, 1)):
            least = [
                max(g.gutter + min(g.columns, columns) * g.cell, min(t, _NARROW))
                for g, t in naturals
            ]
            room = width - gap * (len(naturals) - 1)
            if sum(least) <= room:
                widths = _shared(least, wanted, room)
                return self._rows(width, widths, height, gap)
        widths = [min(want, width) for want in wanted]
        count = len({tile.y for tile in self._rows(width, widths)})
        if height // count >= _LOWEST:
            return self._rows(width, widths, height // count)
        return self._some_of(width, least, height)

    def _some_of(self, width: int, widths: Sequence[int], height: int) -> list[Tile]:
        """Place the grid with the cursor, and those beside it that fit into one row."""
        first = last = self._active
        used = widths[first]
        for number in (*range(first - 1, -1, -1), *range(last + 1, len(widths))):
            if used + 1 + widths[number] > width:
                continue
            if number in (first - 1, last + 1):
                first, last = min(first, number), max(last, number)
                used += 1 + widths[number]
        shown = range(first, last + 1)
        shared = _shared(
            [widths[n] for n in shown],
            [max(self._grids[n].width, *map(len, self._titles[n])) for n in shown],
            width - (len(shown) - 1),
        )
        tiles: list[Tile] = []
        x = 0
        for number, wide in zip(shown, shared, strict=True):
            title = len(self._titles[number])
            high = min(title + self._grids[number].height, height)
            tiles.append(Tile(number, x, 0, min(wide, width), high, title))
            x += wide + 1
        return tiles

    def _tile_lines(self, tiles: Sequence[Tile], height: int, inks: Inks) -> list[Line]:
        rows: list[list[tuple[int, Line]]] = [[] for _ in range(height)]
        for tile in tiles:
            grid, facet = self._grids[tile.number], self._facets[tile.number]
            inner = tile.height - tile.title
            if self._following:
                grid.fit(tile.width, inner)
            active = tile.number == self._active
            ink = inks.changed if _is_changed(facet, self._facets) else inks.name
            titles = self._titles[tile.number]
            mark = "▸" if active and len(self._grids) > 1 else " "
            parts = [[Segment(cut(mark + titles[0][1:], tile.width), ink)]]
            parts += [
                [Segment(cut(part, tile.width), inks.quiet)] for part in titles[1:]
            ]
            if facet.array.size:
                parts += grid.lines(tile.width, inner, inks)
            else:
                parts.append([Segment("empty", inks.quiet)])
            for number, part in enumerate(parts[: tile.height]):
                rows[tile.y + number].append((tile.x, part))
        return [_joined(row) for row in rows]

    # ----------------------------------------------------------------------- words

    def _title(self, facet: Facet) -> tuple[str, ...]:
        """Return what stands over an array: what it is, and its shape."""
        if self._view is None:
            return ("",)
        bug = self._view.bug
        stage = Stage(bug.subject, bug.trace, self._look)
        words, name = stage.wording, bug.graph.nodes[facet.node].name
        shape = shape_text(facet.array.shape) if facet.array.ndim else ""
        if facet.array.ndim > 2:
            cursor = self._grids[self._facets.index(facet)].cursor
            shape += f" at {index_text(cursor[:-2])}"
        if facet.role in ("operand", "value"):
            return (f" {words.node(facet.node)} {shape}".rstrip(),)
        called = {
            "seed": f"seed {words.gradient(facet.node)}",
            "upstream": f"upstream {words.gradient(facet.node)}",
            "product": "product",
            "contribution": "contribution",
            "gradient": f"{name}.grad",
        }.get(facet.role, f"{name}{'.grad' * (facet.quantity == 'grad')} {facet.role}")
        event = bug.trace.event(self._number)
        if facet.role == "local" and isinstance(event, Contribution):
            called = f"local {words.local(event.edge)}"
            slope = self._formula.local
            shape = " ".join(
                part for part in (f"= {slope}" * bool(slope), shape) if part
            )
        if facet.role == "contribution" and isinstance(event, Contribution):
            axes = axes_text(self._summed)
            shape = f"Σ {axes} → {shape or '()'}" if self._summed else shape
        return (f" {called}", f" {shape}") if shape else (f" {called}",)

    def _above(self, inks: Inks, width: int) -> Iterator[tuple[int, Line]]:
        """Yield what the step does, and its formula: how much it matters, and the line.

        Where there is little room the matrices take that of what matters less.
        """
        if self._view is None:
            return
        bug = self._view.bug
        nodes = bug.graph.nodes
        event = bug.trace.event(self._number)
        if bug.position == 0:
            words = "nothing has happened yet: press s to step"
            yield _KEPT, [Segment(words, inks.changed)]
        formula = self._formula
        if isinstance(event, Contribution):
            edges = bug.trace.backward_events(event.consumer, event.consumer + 1)
            what = f"contribution to {nodes[event.operand].name}"
            what += f" through {nodes[event.consumer].name}"
            if len(edges) > 1:
                number = edges.index(self._number) + 1
                what += f", {number} of {len(edges)}"
            yield _WHAT, [Segment(what, inks.quiet)]
        elif isinstance(event, Seed):
            text = "the seed: the gradient that enters at the output"
            yield _WHAT, [Segment(text, inks.quiet)]
        elif isinstance(event, Update):
            text = f"update of {nodes[event.node].name}"
            yield _WHAT, [Segment(text, inks.quiet)]
        if formula.text:
            text, shapes = Segment(formula.text, inks.name), f"   {formula.shapes}"
            if cell_len(text.text + shapes) <= width:
                yield _KEPT, [text, Segment(shapes, inks.quiet)]
            else:
                yield _KEPT, [text]
                yield _SHAPES, [Segment(formula.shapes, inks.quiet)]
        yield 0, []

    def _below(self) -> Iterator[tuple[int, str, Line]]:
        """Yield what stands below the matrices: how much it matters, label, line."""
        if self._view is None or self._trace is None:
            return
        trace = self._trace
        event = trace.event(self._number)
        yield 0, "", []
        element = self._spelled()
        if element:
            yield _KEPT + 1, "one element", [Segment(element)]
        if isinstance(event, Contribution):
            yield 5, "accumulated", [Segment(self._accumulated(trace, event))]
        if self._formula.code:
            yield _KEPT, "NumPy", [Segment(self._formula.code)]
        for place_of_note, note in enumerate(self._said):
            yield 4 - min(place_of_note, 2), "note", [Segment(note)]
        facet, grid = self._facets[self._active], self._grids[self._active]
        if facet.array.size > 1:
            summary = self._summaries.of(facet.array, self, self._redraw)
            text = Text("…") if summary is None else summary_text(summary, self._look)
            label = facet.role if len(self._facets) > 1 else "array"
            yield 1, label, list(text.render(self.app.console))
        if grid.array.ndim > 2:
            yield 6, "slice", [Segment("the keys , and . turn to another one")]

    def _spelled(self) -> str:
        """Return the chosen element, as far as this step makes it, in numbers."""
        if self._trace is None or self._view is None:
            return ""
        trace, event = self._trace, self._trace.event(self._number)
        words = Stage(self._view.bug.subject, trace, self._look).wording
        made = self._facets[-1]
        grid = self._grids[-1]
        if not made.array.size:
            return ""
        if isinstance(event, Forward):
            return value_text(trace, words, event.node, grid.cursor)
        if isinstance(event, Contribution):
            local = self._formula.local
            return contribution_text(
                trace, words, event.edge, self._number, grid.cursor, local
            )
        if isinstance(event, Update):
            return self._spelled_update(event.node, grid.cursor)
        return ""

    def _spelled_update(self, node: int, index: tuple[int, ...]) -> str:
        from ....core.training.iterations import Iterations  # noqa: PLC0415  # 4 ms, only of training

        bug = self._view.bug if self._view else None
        if bug is None or not isinstance(bug.timeline, Iterations):
            return ""
        return update_text(bug.timeline.update(bug.place.iteration, node, index), index)

    def _accumulated(self, trace: Trace, event: Contribution) -> str:
        """Return what the chosen element is before and after this step."""
        after, cursor = self._facets[-1], self._grids[-1].cursor
        node = trace.run.graph.nodes[event.operand]
        done, of = trace.uses(event.operand, self._number + 1)
        before = next((f for f in self._facets if f.role == "before"), None)
        if not after.array.size:
            return f"{node.name}.grad is empty"
        start = 0.0 if before is None else before.array[cursor]
        name = element_name(node, cursor, "grad")
        text = f"{name}: {change_text(start, after.array[cursor])}"
        return f"{text}, {done} of {of} uses are in"

    def _wrapped(self, line: Line, width: int) -> list[Line]:
        """Break a line at its blanks."""
        if sum(cell_len(text) for text, _, _ in line) <= width:
            return [line]
        console = self.app.console
        whole = Text.assemble(*((text, ink or "") for text, ink, _ in line))
        wrapped: list[Line] = []
        for one in whole.wrap(console, width, overflow="fold"):
            one.rstrip()
            one.end = ""
            wrapped.append(list(one.render(console)))
        return wrapped

    def _labelled(self, label: str, line: Line, width: int, inks: Inks) -> list[Line]:
        """Break a line at its blanks, all of it beside its label."""
        margin = _LABEL + 1
        if width < _NARROW_PANE:
            return self._wrapped(line, width)
        first = Segment(f"{label:<{margin}}"[:margin], inks.quiet)
        later = Segment(" " * margin)
        return [
            [later if number else first, *part]
            for number, part in enumerate(self._wrapped(line, width - margin))
        ]


def _summed(trace: Trace, event: Event, seen: Sequence[Facet]) -> tuple[int, ...]:
    """Return the axes that a step sums over."""
    product = next((facet for facet in seen if facet.role == "product"), None)
    if product is None or not isinstance(event, Contribution):
        return ()
    shape = trace.run.graph.nodes[event.operand].shape
    return broadcast_axes(product.array.shape, shape)


def _formula(stage: Stage, event: Event, summed: tuple[int, ...]) -> Formula:
    """Return what a step does in symbols; of the seed there is nothing to say."""
    if isinstance(event, Forward):
        return stage.wording.forward(event.node)
    if isinstance(event, Contribution):
        return stage.wording.contribution(event.edge, summed)
    optimizer = stage.trace.optimizer
    if isinstance(event, Update) and optimizer is not None:
        return stage.wording.update(event.node, optimizer)
    return NO_FORMULA


def _looked_up(stage: Stage, number: int) -> _Looked:
    """Return what there is to say of an event; nothing where nothing is computed."""
    trace = stage.trace
    if not len(trace):
        return _NOTHING
    event, found = trace.event(number), facets(trace, number)
    summed = _summed(trace, event, found)
    formula = _formula(stage, event, summed)
    return _Looked(found, notes(stage, [number]), summed, formula)


def _without_least(lines: _Said) -> bool:
    """Leave out the lines that matter least, and tell whether there were any."""
    least = min((importance for importance, _ in lines), default=_KEPT)
    if least < _KEPT:
        lines[:] = [one for one in lines if one[0] > least]
    return least < _KEPT


def _take_back(sides: Sequence[tuple[_Said, _Said]], room: int) -> None:
    """Take back what was left out and has room after all, what matters most first.

    The matrices needed it only in full, or not beside each other.
    """
    kept = {id(one) for some, _ in sides for one in some}
    left_out = [one for _, every in sides for one in every if id(one) not in kept]
    for one in sorted(left_out, key=lambda one: -one[0]):
        if len(one[1]) <= room:
            kept.add(id(one))
            room -= len(one[1])
    for some, every in sides:
        some[:] = [one for one in every if id(one) in kept]


def _is_changed(facet: Facet, all_facets: Sequence[Facet]) -> bool:
    """Tell whether an array is what the step makes."""
    return facet is all_facets[-1]


def _towards(cursor: tuple[int, ...], region: Region) -> tuple[int, ...]:
    """Return the element of a region's box that is nearest to where a cursor was."""
    if len(cursor) != len(region.box):
        return cursor
    return tuple(
        min(max(i, axis.start), axis.stop - 1)
        for i, axis in zip(cursor, region.box, strict=True)
    )


def _bottom(tiles: Sequence[Tile]) -> int:
    return max((tile.y + tile.height for tile in tiles), default=0)


def _shared(least: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Share a width out: each its least, and the rest to who wants more, evenly."""
    widths = list(least)
    spare = room - sum(widths)
    open_ones = [n for n in range(len(widths)) if wanted[n] > widths[n]]
    while spare > 0 and open_ones:
        each = max(spare // len(open_ones), 1)
        for number in open_ones[:]:
            more = min(each, wanted[number] - widths[number], spare)
            widths[number] += more
            spare -= more
        open_ones = [n for n in open_ones if wanted[n] > widths[n]]
    return [min(wide, want) for wide, want in zip(widths, wanted, strict=True)]


def _joined(parts: Sequence[tuple[int, Line]]) -> Line:
    """Return lines beside each other, each from its column on."""
    joined: Line = []
    x = 0
    for start, line in parts:
        if start > x:
            joined.append(Segment(" " * (start - x)))
        joined += line
        x = max(start, x) + sum(cell_len(text) for text, _, _ in line)
    return joined
