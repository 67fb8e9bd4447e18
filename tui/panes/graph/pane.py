"""The graph: drawn with characters, folded to fit, or as a list with a rail."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip

from ....core.base.text import counted
from ....core.engine.element import Element
from ....core.engine.measure import norm
from ....core.engine.trace import Contribution, Forward
from ....core.pictures.folds import fold_at
from ....core.pictures.reached import is_backward
from ....core.session.steps import present_node
from ....core.session.stops import covered, is_covered
from ...graph.drawing import TURNED, Lit, Piece, joined, lit
from ...graph.scene import Atlas, Kind
from ..base.background import Kept
from ..base.known import Known
from ..base.pane import (
    Again,
    Chosen,
    Line,
    Pane,
    View,
    places,
)
from .canvas import Canvas
from .faces import MARKS, Face, face

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.geometry import Offset
    from textual.widgets import Input

    from ....core.ops.table import Array
    from ...graph.scene import Scene
    from ..base.offer import Offer
    from .search import Search

_KINDS: Final[tuple[Kind, ...]] = ("picture", "list", "near")
_FIRST_ROOM: Final = (40, 12)  # before the pane has been laid out
_FEW_NODES: Final = 200  # of which several pictures are tried for their lines
_MANY: Final = 1000  # nodes: it takes long to fold them, and is done before that
_MOST_FOUND: Final = 1000  # that a search looks for
_MOST_LIT: Final = 50  # edges of the chosen box
_NEXT: Final = Style(underline=True)  # the names of the boxes at their other ends


class _Wish(NamedTuple):
    """What a person has asked for; None is what fits and suits."""

    opened: frozenset[int] | None = None
    kind: Kind | None = None
    down: bool | None = None


class GraphPane(Pane):
    """The graph, at this moment."""

    TITLE: ClassVar[str] = "Graph"
    WORD: ClassVar[str] = "edge"
    HELP: ClassVar[str | None] = (
        "The graph. It flows to the right, or down where that fits better.\n"
        "✓ done  ▶ what the last step made  ◐ a part of it  ○ to come\n"
        "· no gradient flows here   ● a stop   ▸ folded: a call or a statement\n"
        "Heavy lines carried the last step; arrows point the way of the pass. A line "
        "that goes on behind another one crosses it; lines join only at ├ ┤ ┬ ┴ ┼.\n"
        "The number is the value, or in the backward pass the gradient; of an array "
        "its norm ‖·‖. Without room it is a bar, a step for each factor of ten: ▆ is "
        "about 1, 0 is zero, ! a NaN, ∞ an Inf. The border says which step is inside "
        "what is folded. A literal such as ** 2 is part of the label that uses it.\n"
        "\n"
        "arrows: along the edges, and to the neighbours   enter: choose\n"
        "shift+arrows, page up, page down, wheel, drag: move the picture\n"
        "+ - : unfold and fold everything by a level   u, double click: this one\n"
        "v: picture, list in order, or what is near   r: turn   a: what fits best\n"
        "/ : search; then full stop and comma: the next match, the one before\n"
        "b: break here (a folded call: wherever it begins)"
    )
    DEFAULT_CSS = """
    GraphPane {
        layout: vertical;

        & > Canvas {
            height: 1fr;
            overflow: auto auto;
            background: transparent;
            scrollbar-size: 1 1;
        }
        & > Search, & > Search:focus {
            height: 1;
            border: none;
            padding: 0;
        }
    }
    """
    INKS: ClassVar[Mapping[str, str]] = {
        **Pane.INKS,
        "graph--line": "dim",
        "graph--near": "$foreground",
        "graph--active": "bold $accent",
        "graph--frame": "dim",
        "graph--text": "$foreground 70%",
        "graph--none": "dim",
        "graph--future": "dim",
        "graph--part": "$secondary",
        "graph--done": "$foreground",
        "graph--present": "bold $accent",
        "graph--cursor": "reverse bold",
        "graph--stop": "bold $error",
        "graph--zero": "dim",
        "graph--value": "$primary",
        "graph--grad": "$secondary",
        "graph--alarm": "bold $error",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "walk(1, 0)", "along", show=False),
        Binding("left", "walk(-1, 0)", "back", show=False),
        Binding("down", "walk(0, 1)", "down", show=False),
        Binding("up", "walk(0, -1)", "up", show=False),
        Binding("shift+right", "pan(8, 0)", show=False),
        Binding("shift+left", "pan(-8, 0)", show=False),
        Binding("shift+down", "pan(0, 4)", show=False),
        Binding("shift+up", "pan(0, -4)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("enter", "choose", "choose", show=False),
        Binding("plus", "zoom(1)", "unfold", show=False),
        Binding("minus", "zoom(-1)", "fold", show=False),
        Binding("u", "refold", "fold", show=False),
        Binding("v", "next_view", "view", show=False),
        Binding("r", "turn", "turn", show=False),
        Binding("a", "automatic", "fit", show=False),
        Binding("slash", "search", "search", show=False),
        Binding("full_stop", "next_match(1)", show=False),
        Binding("comma", "next_match(-1)", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._canvas = Canvas(self._paint)
        self._view: View | None = None
        self._atlas: Atlas | None = None
        self._atlases: Kept[Atlas] = Kept()
        self._wish = _Wish()
        self._offer: Offer | None = None
        self._lines: Kept[int] = Kept()  # that it takes of those
        self._scene: Scene | None = None
        self._scenes: Kept[tuple[Scene, frozenset[int]]] = Kept()
        self._shown: frozenset[int] = frozenset()  # the folds that are open now
        self._cursor = 0  # the number of a node
        self._faces: dict[int, Face] = {}
        self._norms = Known(norm)
        self._stops: Sequence[tuple[int, int]] = ()
        self._covered: Kept[Sequence[tuple[int, int]]] = Kept()
        self._active: frozenset[tuple[int, int]] = frozenset()
        self._turned = False  # arrows point backward
        self._step = -1  # the node whose operation the step is about
        self._lit: dict[int, dict[int, Lit]] = {}  # by line and cell
        self._neighbours: frozenset[int] = frozenset()
        self._search: Search | None = None  # made when it is first opened
        self._found: Sequence[int] = ()

    def compose(self) -> ComposeResult:
        """Lay out the picture."""
        yield self._canvas

    def offer(self, offer: Offer | None) -> None:
        """Have so many lines; without an offer, those that the pane happens to have."""
        self._offer = offer
        self._take_lines()

    def _take_lines(self) -> None:
        """Take as many lines as say all that it can say in the most of them."""
        offer, atlas, width = self._offer, self._atlas, self.content_size.width
        if offer is None:
            return
        lines = offer.few(width)
        if atlas is not None and width > 0 and atlas.count <= _FEW_NODES:
            room = lines, offer.most(width)
            key = atlas, width, room
            lines = self._lines.of(key, lambda: atlas.lines(width, *room)) or lines
        offer.give(lines)

    # ------------------------------------------------------------------- a moment

    def prepare(self, view: View) -> None:
        """Fold the graph, and draw the picture that is wanted."""
        graph = view.debugger.graph
        self._atlases.make(graph, lambda: Atlas(graph))
        atlas = self._atlases.of(graph, lambda: Atlas(graph))
        room = self._room
        if atlas is not None and (min(room) > 0 or atlas.count > _MANY):
            wish = self._wish if atlas is self._atlas else _Wish()
            cursor = _node_of(view)
            room = room if min(room) > 0 else _FIRST_ROOM
            self._scenes.make(*self._recipe(atlas, wish, room, cursor))

    def show(self, view: View) -> None:
        """Draw the graph at this moment."""
        self._view = view
        trace, position = view.debugger.trace, view.debugger.position
        graph = view.debugger.graph
        if self._atlas is None or graph is not self._atlas.graph:
            self._atlas = self._atlases.of(graph, lambda: Atlas(graph))
            self._wish, self._scene, self._found = _Wish(), None, ()
            self._take_lines()
        chosen = _node_of(view)
        moved = chosen != self._cursor
        self._cursor = chosen
        self._faces.clear()
        stops = view.debugger.memory.stops
        key = (graph, places(stops))
        self._stops = self._covered.of(key, lambda: covered(stops.values())) or ()
        self._turned = is_backward(trace, position)
        self._active, self._step = frozenset(), -1
        if position:
            event = trace.event(position - 1)
            if isinstance(event, Contribution):
                self._step = event.consumer
                self._active = frozenset({(event.operand, event.consumer)})
            elif isinstance(event, Forward):
                self._step = event.node
                operands = graph.nodes[event.node].operands
                self._active = frozenset((o, event.node) for o in operands)
        if self._build() or moved:
            self._follow()
        self._repaint()

    def on_resize(self) -> None:
        """Draw the picture that fits into the new size."""
        self._take_lines()
        if self._view is not None:
            self.show(self._view)

    @property
    def _room(self) -> tuple[int, int]:
        size = self.content_size
        return size.width, size.height - int(self.search is not None)

    def _build(self) -> bool:
        """Make the scene anew where graph, folding or room are others than before."""
        atlas, room = self._atlas, self._room
        if atlas is None or min(room) <= 0:
            return False
        made = self._scenes.of(*self._recipe(atlas, self._wish, room, self._cursor))
        if made is None or made[0] is self._scene:
            return False
        self._scene, self._shown = scene, _ = made
        self._canvas.hold(Size(scene.width, scene.height))
        # The canvas learns its own size only now, and cannot scroll before.
        self.call_after_refresh(self._follow)
        return True

    def _recipe(
        self, atlas: Atlas, wish: _Wish, room: tuple[int, int], cursor: int
    ) -> tuple[object, Callable[[], tuple[Scene, frozenset[int]]]]:
        """Return the cache key of a scene, and the function that makes it."""
        centre = cursor if wish.kind == "near" else -1
        how = partial(_made, atlas, wish, room, cursor, self._shown)
        return (atlas, wish, room, centre), how

    def _box(self) -> int:
        """Return the box under the cursor; a literal is part of its first use."""
        if self._scene is None or self._atlas is None:
            return 0
        home = self._scene.sketch.home
        box = home[self._cursor]
        if box < 0:
            uses = self._atlas.graph.consumers[self._cursor]
            box = home[uses[-1].consumer] if uses else 0
        return max(box, 0)

    def _follow(self) -> None:
        """Bring the cursor into sight."""
        region = self._scene.region(self._box()) if self._scene else None
        if region is not None:
            # Some of the surroundings as well, so that its edges can be followed.
            around = region.grow((1, 3, 1, 3))
            self._canvas.scroll_to_region(
                around, animate=False, force=True, immediate=True
            )

    def _light(self) -> None:
        """Find the cells of the edges that stand out, and the boxes at their ends."""
        self._lit, self._neighbours = {}, frozenset()
        scene = self._scene
        if scene is None:
            return
        box, home = self._box(), scene.sketch.home
        operands = scene.sketch.operands[box][:_MOST_LIT]
        consumers = scene.sketch.consumers[box][:_MOST_LIT]
        self._neighbours = frozenset((*operands, *consumers))
        near = [*((o, box) for o in operands), *((box, c) for c in consumers)]
        active = [(home[source], home[target]) for source, target in self._active]
        for ends in (*near, *active):
            for x, y, arms in scene.cells(*ends):
                row = self._lit.setdefault(y, {})
                cell = row.get(x, Lit())
                row[x] = cell.with_line(arms, is_heavy=ends in active)

    def _repaint(self) -> None:
        self._light()
        if self._scene is not None and self._atlas is not None:
            told = self._found_text() or self._caption(self._scene, self._atlas)
            self.head(self.TITLE, told)
        self._canvas.repaint()

    # --------------------------------------------------------------------- painting

    def _style(self, name: str) -> Style:
        return self.ink(f"graph--{name}")

    def _paint(self, line: int, left: int, width: int) -> Line:
        """Draw the cells of a line that are in sight."""
        scene = self._scene
        if scene is None or not 0 <= line < scene.height:
            return []
        text, labels = scene.row(line)
        if self._turned:
            text = text.translate(TURNED)
        segments: list[Segment] = []
        at = 0
        for x, box, pieces in labels:
            segments += self._edges(text, line, at, x)
            at = x
            for piece in pieces:
                segments.append(self._piece(box, piece, at, line))
                at += cell_len(piece.text)
        segments += self._edges(text, line, at, max(len(text), at))
        if left:
            return list(Strip(segments).crop_extend(left, left + width, None))
        return segments

    def _edges(self, text: str, line: int, start: int, stop: int) -> Iterator[Segment]:
        """Yield a part of a line between two labels."""
        cells = self._lit.get(line, {})
        style = self._style
        for x in sorted(x for x in cells if start <= x < stop):
            if x > start:
                yield Segment(text[start:x], style("line"))
            cell = cells[x]
            yield Segment(lit(text[x], cell), style("active" if cell.heavy else "near"))
            start = x + 1
        yield Segment(text[start:stop].ljust(stop - start), style("line"))

    def _piece(self, box: int, piece: Piece, x: int, y: int) -> Segment:
        """Fill in a part of a label that stands at x and y."""
        shown, style = self._face(box), self._style
        match piece.part:
            case "mark":
                return Segment(MARKS[shown.state], style(shown.state))
            case "stop":
                return Segment("●" if self._stops_at(box) else " ", style("stop"))
            case "bar":
                return Segment(shown.bar, style(shown.size))
            case "number":
                width = len(piece.text)
                return Segment(shown.number(width).rjust(width), style(shown.size))
            case "frame":
                state = shown.state if shown.state in ("present", "future") else "frame"
                text = joined(piece.text, x, y, self._lit)
                return Segment(text, style("active" if "━" in text else state))
            case "text" | "shape":
                if self._holds_step(box):
                    return Segment(piece.text, style("present"))
                future = shown.state in ("future", "none")
                return Segment(piece.text, style(shown.state if future else "text"))
        if box == self._box():
            return Segment(piece.text, style("cursor"))
        name = style(shown.state)
        if box in self._neighbours:
            name += _NEXT
        return Segment(piece.text, name)

    def _holds_step(self, box: int) -> bool:
        """Tell whether the step is inside a box that is folded."""
        if self._scene is None or self._step < 0 or box < 0:
            return False
        sketch = self._scene.sketch
        return sketch.home[self._step] == box and sketch.boxes[box].fold >= 0

    def _caption(self, scene: Scene, atlas: Atlas) -> str:
        """Return what is shown, in words, and where the step is if that is folded."""
        way = f"{'→↓'[scene.down]} values"
        if self._turned:
            way = f"{'←↑'[scene.down]} gradients"
        said = [way, _caption(scene, atlas)]
        box = scene.sketch.home[self._step] if self._step >= 0 else -1
        if self._holds_step(box):
            step = atlas.graph.nodes[self._step]
            here = step.site.text if step.site is not None else step.name
            around = atlas.graph.nodes[scene.sketch.boxes[box].node].name
            said.insert(0, f"▶ {here} in {around}")
        return "\n".join(" · ".join(said[:count]) for count in range(len(said), 0, -1))

    def _face(self, box: int) -> Face:
        """Return what a box shows at this moment."""
        shown = self._faces.get(box)
        if shown is None:
            shown = self._faces[box] = self._looked_up(box)
        return shown

    def _looked_up(self, box: int) -> Face:
        if self._view is None or self._scene is None:
            return Face("future")
        trace, position = self._view.debugger.trace, self._view.debugger.position
        shown = self._scene.sketch.boxes[box]
        return face(trace, position, shown, self._norm)

    def _norm(self, array: Array) -> float | None:
        return self._norms.of(array, self, self._counted)

    def _counted(self) -> None:
        """Show the size of a large array, which took its time."""
        self._faces.clear()
        self._repaint()

    def _stops_at(self, box: int) -> bool:
        if not self._stops or self._scene is None:
            return False
        shown = self._scene.sketch.boxes[box]
        return is_covered(self._stops, shown.first, shown.stop)

    # ------------------------------------------------------------------------- keys

    def place(self) -> str:
        """Return what is under the cursor as a location."""
        if self._scene is None or self._atlas is None:
            return "output"
        box = self._scene.sketch.boxes[self._box()]
        name = self._atlas.graph.nodes[box.node].name
        if box.fold >= 0:
            fold = self._atlas.folds[box.fold]
            return fold.name if fold.frame else name
        frames = {frame.name for frame in self._atlas.graph.frames}
        return f"node:{name}" if name in frames else name

    def action_walk(self, right: int, down: int) -> None:
        """Go along an edge, or to a neighbour in the same layer."""
        scene = self._scene
        if scene is None:
            return
        listed = scene.kind == "list"
        along, across = (down, right) if scene.down and not listed else (right, down)
        box = self._box()
        if across:
            self._go(scene.beside(box, across))
            return
        ends = scene.sketch.consumers[box] if along > 0 else scene.sketch.operands[box]
        seen = [end for end in ends if scene.region(end) is not None]
        if seen:
            self._go(min(seen, key=lambda end: _distance(scene, box, end)))

    def _go(self, box: int) -> None:
        """Put the cursor on a box, and choose it."""
        if self._scene is not None:
            self._cursor = self._scene.sketch.boxes[box].node
            self._changed()
            self.action_choose()

    def action_choose(self) -> None:
        """Choose what is under the cursor: every pane shows it."""
        if self._scene is not None:
            self._choose(self._scene.sketch.boxes[self._box()].node)

    def _choose(self, node: int) -> None:
        if self._view is None:
            return
        trace, position = self._view.debugger.trace, self._view.debugger.position
        arrived = trace.gradient(node, position) is not None
        self.post_message(Chosen(Element(node, "grad" if arrived else "value", None)))

    def action_pan(self, x: int, y: int) -> None:
        """Move the picture."""
        self._canvas.scroll_relative(x, y, animate=False)

    def action_page(self, by: int) -> None:
        """Go a page down or up; in a list, the cursor goes along."""
        canvas, scene = self._canvas, self._scene
        lines = max(canvas.size.height - 1, 1) * by
        if scene is not None and scene.kind == "list":
            self._go(scene.beside(self._box(), lines))
        else:
            canvas.scroll_relative(0, lines, animate=False)

    def action_zoom(self, by: int) -> None:
        """Unfold or fold everything by one level."""
        atlas = self._atlas
        if atlas is None:
            return
        # As deep as the shallowest fold that is shut.
        shut = [f.depth for f in atlas.folds if f.number not in self._shown]
        depth = min(shut, default=atlas.deepest) + by
        opened = atlas.opened(min(max(depth, 0), atlas.deepest))
        self._want(self._wish._replace(opened=opened))

    def action_refold(self) -> None:
        """Unfold what is under the cursor, or fold what it is in."""
        if self._atlas is None or self._scene is None:
            return
        number = self._scene.sketch.boxes[self._box()].fold
        opened = self._shown | {number}
        if number < 0:
            number = fold_at(self._atlas.folds, self._cursor, self._shown)
            opened = self._shown - {number}
        if opened != self._shown:
            self._want(self._wish._replace(opened=opened))

    def action_next_view(self) -> None:
        """Show the picture, the list, or what is near."""
        kind = self._scene.kind if self._scene else "picture"
        kind = _KINDS[(_KINDS.index(kind) + 1) % len(_KINDS)]
        self._want(self._wish._replace(kind=kind))

    def action_turn(self) -> None:
        """Let it flow down instead of to the right, or the other way round."""
        if self._scene is not None and self._scene.kind != "list":
            self._want(self._wish._replace(down=not self._scene.down))

    def action_automatic(self) -> None:
        """Show what fits best."""
        self._want(_Wish())

    def _want(self, wish: _Wish) -> None:
        """Ask for another picture of the same moment."""
        self._wish = wish
        self.post_message(Again())

    def _changed(self) -> None:
        """Show what a key has changed about the picture."""
        self._faces.clear()
        self._build()
        self._follow()
        self._repaint()

    # ----------------------------------------------------------------------- search

    @property
    def search(self) -> Search | None:
        """The line below the picture, while it is open."""
        is_open = self._search is not None and self._search.display
        return self._search if is_open else None

    def action_search(self) -> None:
        """Open the line in which a name is looked for."""
        if self._search is None:
            from .search import Search  # noqa: PLC0415  # 1 ms, with its input, never at the start

            self._search = Search(self.close_search, self.action_next_match)
            self.mount(self._search)
        self._search.value = ""
        self._search.display = True
        self.screen.set_focus(self._search)  # at once: the next key is for it

    def close_search(self) -> None:
        """Give the keys back to the picture."""
        self.focus()
        if self._search is not None:
            self._search.display = False
        self._changed()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find what is typed, and go to the first."""
        event.stop()
        self._found = self._matches(event.value.strip().lower())
        if self._found:
            self._show_match(0)
        else:
            self._repaint()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next match."""
        event.stop()
        self.action_next_match(1)

    def _found_text(self) -> str:
        """Say which match the cursor is on, or that there is none."""
        if self._cursor in self._found:
            index = self._found.index(self._cursor) + 1
            return f"match {index} of {len(self._found)}"
        return "not found" if self.search is not None and self.search.value else ""

    def _matches(self, text: str) -> Sequence[int]:
        """Return the nodes whose name or operation has `text` in it, names first."""
        if self._atlas is None or not text:
            return ()
        rows = self._atlas.graph.nodes.rows
        named = (row[0] for row in rows if text in row[1].lower())
        found = dict.fromkeys(islice(named, _MOST_FOUND))
        by_op = (row[0] for row in rows if row[3] and text in row[3].name)
        found.update(dict.fromkeys(islice(by_op, _MOST_FOUND)))
        return list(found)

    def action_next_match(self, by: int) -> None:
        """Go to the next thing found, or the one before."""
        if self._found:
            here = self._cursor
            index = self._found.index(here) + by if here in self._found else 0
            self._show_match(index % len(self._found))

    def _show_match(self, index: int) -> None:
        """Put the cursor on a match; unfold what hides it."""
        atlas = self._atlas
        if atlas is None:
            return
        self._cursor = self._found[index]
        around = fold_at(atlas.folds, self._cursor, range(len(atlas.folds)))
        hidden: set[int] = set()
        while around >= 0:
            hidden.add(around)
            around = atlas.folds[around].parent
        if not hidden <= self._shown:
            self._wish = self._wish._replace(opened=self._shown | hidden)
        self._choose(self._cursor)

    # ------------------------------------------------------------------------ mouse

    def on_click(self, event: events.Click) -> None:
        """Choose a box; twice, unfold or fold it."""
        canvas, scene = self._canvas, self._scene
        if scene is None or canvas.dragged:
            return
        point = event.screen_offset - canvas.region.offset + canvas.scroll_offset
        box = _box_at(scene, point)
        if box is None:
            return
        self._go(box)
        if event.chain == 2:
            self.action_refold()


def _node_of(view: View) -> int:
    """Return the node that is chosen, or else that of the step that is shown.

    At the start that is the first one to come, as in the step.
    """
    if view.chosen is not None:
        return view.chosen.node
    return present_node(view.debugger.trace, view.debugger.position)


def _made(
    atlas: Atlas,
    wish: _Wish,
    room: tuple[int, int],
    cursor: int,
    shown: frozenset[int],
) -> tuple[Scene, frozenset[int]]:
    """Return a scene with the folds that it opens: those that are open, if need be."""
    if wish.opened is not None:
        shown = wish.opened
    elif wish.kind in (None, "picture"):
        scene, shown = atlas.automatic(room, wish.down)
        if scene.kind == "picture" or (wish.kind is None and wish.down is None):
            return scene, shown
    if wish.kind == "list":
        return atlas.listing(shown, room), shown
    if wish.kind == "near":
        centre = atlas.folding(shown).home[cursor]
        return atlas.near(shown, max(centre, 0), room, wish.down), shown
    return atlas.whole(shown, room, wish.down), shown


def _distance(scene: Scene, box: int, other: int) -> tuple[float, float]:
    """Return how far two boxes are from each other: across the way first."""
    one, two = scene.region(box), scene.region(other)
    if one is None or two is None:
        return (0, abs(box - other))
    x = abs(one.center[0] - two.center[0])
    y = abs(one.center[1] - two.center[1])
    return (x, y) if scene.down else (y, x)


def _box_at(scene: Scene, point: Offset) -> int | None:
    """Return the box at a cell."""
    if not 0 <= point.y < scene.height:
        return None
    for x, box, pieces in scene.row(point.y)[1]:
        if x <= point.x < x + sum(cell_len(piece.text) for piece in pieces):
            return box
    return None


def _caption(scene: Scene, atlas: Atlas) -> str:
    """Return what is shown, in words; of the program itself only numbers."""
    boxes = len(scene.sketch.boxes)
    word = {"picture": "", "list": "list, ", "near": "near, "}[scene.kind]
    box = "box" if boxes == 1 else "boxes"
    folded = f"{boxes} {box} of " if boxes < atlas.count else ""
    return f"{word}{folded}{counted(atlas.count, 'node')}"
