"""One step in four linked views: formula, matrices, one element, NumPy code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text

from ....core.commands.explaining import outstanding
from ....core.engine.element import Element
from ....core.engine.measure import summarise
from ....core.explain.links import Facet, Region, linked
from ....core.words.events import element_name
from ....core.words.numbers import element_text
from ...draw.look import Look
from ...draw.stage import Stage, place
from ...graph.drawing import cut
from ..base.known import Known
from ..base.pane import Chosen, KeptPane, Line, View
from ..base.views import VIEWS
from ..matrix.grid import HEAT, HEAT_CSS, Grid, Inks, Scale, summary_text
from ..matrix.view import KEYS, MatrixView, Walker
from .layout import Layout, Matrix, Tile, Wish, bottom, laid_out
from .text import (
    NOTHING,
    Looked,
    Words,
    above_of,
    below_of,
    labelled,
    looked_up,
    title,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.events import Click, Key, MouseScrollDown, MouseScrollUp

    from ....core.engine.trace import Trace

_MOST_SCALES = 500
_WHEEL = 3


@dataclass(slots=True)
class _Sheet:
    """What a step looks like in one size: lines, and where its grids are."""

    lines: list[Line]
    tiles: list[Tile]
    offset: int = 0


class StepPane(KeptPane[Looked]):
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
        self._looked = NOTHING
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
        self._alone: MatrixView | None = None  # made when it is first opened

    # ------------------------------------------------------------------ the moment

    def recipe(self, view: View) -> tuple[object, Callable[[], Looked]]:
        """Return the event as the key, and what looks at it."""
        trace, number = view.debugger.trace, max(view.debugger.position - 1, 0)
        stage = Stage(view.debugger.subject, trace, self._look)
        return (trace, number), lambda: looked_up(stage, number)

    def show(self, view: View) -> None:
        """Draw the last applied event, with the chosen element in all its arrays."""
        self._view = view
        trace, position = view.debugger.trace, view.debugger.position
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

    def _take(self, trace: Trace, number: int, looked: Looked | None) -> None:
        """Take the arrays of another event, each as wide as it was the last time."""
        self._trace, self._number, self._offset = trace, number, 0
        self._looked = looked or NOTHING
        self._facets = self._looked.facets
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
        trace = view.debugger.trace
        if not self._facets:
            self.titles = self.TITLE, ""
            return
        stage = Stage(view.debugger.subject, trace, self._look)
        where = " · ".join(place(stage, [self._number]))
        titles = [f"event {where}", where]
        if view.debugger.position == 0:
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
        node = self._view.debugger.graph.nodes[element.node]
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

    def _show_in(self, alone: MatrixView, view: View) -> None:
        facet, grid = self._facets[self._active], self._grids[self._active]
        parts = title(self._words(view), self._active)
        name = Text(" ".join(part.strip() for part in parts))
        alone.show(facet, grid.cursor, grid.linked, name, self._look)

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
        if self.alone is not None and self._facets and self._view is not None:
            self._show_in(self.alone, self._view)

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
        words = self._words(self._view)
        above = [
            (importance, self._wrapped(line, width))
            for importance, line in above_of(words, inks, width)
        ]
        below = [
            (importance, self._labelled(label, line, width, inks))
            for importance, label, line in self._below(words)
        ]
        for grid in self._grids:
            grid.compact = False
        matrices = [
            Matrix(
                title(words, number),
                (grid.columns, grid.height),
                grid.gutter,
                grid.cell,
                grid.array.size,
            )
            for number, grid in enumerate(self._grids)
        ]
        wish = Wish(self._active, self._dense)
        layout = laid_out(
            matrices,
            wish,
            (width, height),
            (above, below),
            lambda hint: self._wrapped([Segment(hint, inks.quiet)], width),
        )
        for grid, matrix in zip(self._grids, layout.matrices, strict=True):
            grid.compact = matrix.is_dense
        lines = [line for _, part in layout.above for line in part]
        start = len(lines)
        lines += self._tile_lines(layout, inks)
        lines += [line for _, part in layout.below for line in part]
        return _Sheet(lines, [tile._replace(y=tile.y + start) for tile in layout.tiles])

    def _words(self, view: View) -> Words:
        stage = Stage(view.debugger.subject, view.debugger.trace, self._look)
        cursors = [grid.cursor for grid in self._grids]
        return Words(view.debugger, stage, self._number, self._looked, cursors)

    def _below(self, words: Words) -> Iterator[tuple[int, str, Line]]:
        """Yield what stands below the matrices: how much it matters, label, line."""
        yield from below_of(words)
        facet = self._facets[self._active]
        if facet.array.size > 1:
            summary = self._summaries.of(facet.array, self, self._redraw)
            text = Text("…") if summary is None else summary_text(summary, self._look)
            label = facet.role if len(self._facets) > 1 else "array"
            yield 1, label, list(text.render(self.app.console))
        if facet.array.ndim > 2:
            yield 6, "slice", [Segment("the keys , and . turn to another one")]

    def _wrapped(self, line: Line, width: int) -> list[Line]:
        return wrapped(self.app.console, line, width)

    def _labelled(self, label: str, line: Line, width: int, inks: Inks) -> list[Line]:
        return labelled(self.app.console, Segment(label, inks.quiet), line, width)

    def _tile_lines(self, layout: Layout, inks: Inks) -> list[Line]:
        rows: list[list[tuple[int, Line]]] = [[] for _ in range(bottom(layout.tiles))]
        for tile in layout.tiles:
            grid, facet = self._grids[tile.number], self._facets[tile.number]
            inner = tile.height - tile.title
            if self._following:
                grid.fit(tile.width, inner)
            active = tile.number == self._active
            ink = inks.changed if _is_changed(facet, self._facets) else inks.name
            titles = layout.titles[tile.number]
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
