"""What the graph pane can show: a picture, a neighbourhood, a list. Chosen by room."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.cells import cell_len
from textual.geometry import Region

from ...core.pictures.folds import Box, Sketch, folds_of, sketch, unfolded_to
from ...core.pictures.layers import Layers, layers
from ...core.pictures.layout import Layout, layout, least_size
from .drawing import (
    NUMBER_WIDTH,
    SHORT_WIDTH,
    Drawing,
    Label,
    Plan,
    Row,
    draw,
    label_of,
    number_width,
    room_behind,
    size_of,
    what_text,
    with_number,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from ...core.engine.graph import Graph
    from .listing import Listing

Room = tuple[int, int]  # width, height
Kind = Literal["picture", "near", "list"]

MOST_DRAWN: Final = 500  # boxes: a larger picture helps nobody
_MOST_TRIED: Final = 80  # boxes that are drawn in one piece without being asked
_MOST_NEAR: Final = 6  # neighbours of one box, in one direction, in a neighbourhood
_MOST_KEPT: Final = 16  # foldings
_MOST_LABELS: Final = 4096  # of boxes, as plans cut them
_WIDE_LIST: Final = 44  # cells from which on a list has room for words
# Cells of words, where there is room for more: up to the last that there is.
_LONGER: Final = (*range(4, 25), 30, 36, 48, 60)
_MOST_LONGER: Final = 20  # boxes whose words are given more room
_SCROLL: Final = 2  # cells that a bar for scrolling takes, with the blank before it
_LEAST_WORDS: Final = 3  # cells of words that still say nothing


# From the most that can be said to the least. What flows to the right is read most
# easily; what flows down needs less room for words.
PLANS: Final = (
    Plan(down=False, detail="box", gap=1),
    Plan(down=False, detail="box", gap=0),
    Plan(down=False, detail="shape", gap=1),
    Plan(down=True, detail="box", gap=3),
    Plan(down=False, detail="shape", gap=0),
    Plan(down=True, detail="shape", gap=3),
    Plan(down=False, detail="op", gap=0),
    Plan(down=True, detail="op", gap=3),
    Plan(down=True, detail="op", gap=1),
    Plan(down=False, detail="op", gap=0, number=SHORT_WIDTH),
    Plan(down=True, detail="op", gap=1, number=SHORT_WIDTH),
    Plan(down=False, detail="op", gap=0, number=SHORT_WIDTH, words=9),
    Plan(down=True, detail="op", gap=1, number=SHORT_WIDTH, words=9),
    Plan(down=False, detail="op", gap=0, number=SHORT_WIDTH, words=5),
    Plan(down=True, detail="op", gap=1, number=SHORT_WIDTH, words=5),
    Plan(down=False, detail="op", gap=0, number=SHORT_WIDTH, words=1),
    Plan(down=True, detail="op", gap=1, number=SHORT_WIDTH, words=1),
    Plan(down=False, detail="op", gap=0, number=0, words=5),
    Plan(down=True, detail="op", gap=1, number=0, words=5),
    Plan(down=False, detail="op", gap=0, number=0, words=1),
    Plan(down=True, detail="op", gap=1, number=0, words=1),
)


@dataclass(eq=False)
class Picture:
    """Boxes and routes. `shown` are the boxes of the sketch that it has, in order.

    All numbers of boxes that it takes and gives are those of the sketch.
    """

    sketch: Sketch  # of the whole graph
    drawing: Drawing  # of the boxes that are shown
    shown: Sequence[int]
    kind: Kind = "picture"  # "near" for a neighbourhood

    @property
    def down(self) -> bool:
        """Whether it flows down."""
        return self.drawing.layout.down

    @property
    def width(self) -> int:
        """How many cells it is wide."""
        return self.drawing.layout.width

    @property
    def height(self) -> int:
        """How many lines it has."""
        return self.drawing.layout.height

    def row(self, line: int) -> Row:
        """Return what stands in a line."""
        labels = self.drawing.labels[line]
        return (
            self.drawing.lines[line],
            [(x, self.shown[box], pieces) for x, box, pieces in labels],
        )

    @cached_property
    def _number(self) -> Mapping[int, int]:
        return {box: number for number, box in enumerate(self.shown)}

    @cached_property
    def _routes(self) -> Mapping[tuple[int, int], int]:
        routes = enumerate(self.drawing.layout.routes)
        return {(route.source, route.target): number for number, route in routes}

    def region(self, box: int) -> Region | None:
        """Return where a box stands; None where it is not shown."""
        number = self._number.get(box)
        if number is None:
            return None
        place = self.drawing.layout.places[number]
        return Region(place.x, place.y, place.width, place.height)

    def beside(self, box: int, by: int) -> int:
        """Return the box so many places further in the same rank; or the same."""
        number = self._number.get(box)
        if number is None:
            return box
        places = self.drawing.layout.places
        rank = places[number].rank
        row = [n for n, place in enumerate(places) if place.rank == rank]
        row.sort(key=lambda n: places[n].x if self.down else places[n].y)
        index = min(max(row.index(number) + by, 0), len(row) - 1)
        return self.shown[row[index]]

    def cells(self, source: int, target: int) -> Sequence[tuple[int, int, int]]:
        """Return the cells of an edge, each with the sides that it leads to."""
        ends = (self._number.get(source, -1), self._number.get(target, -1))
        route = self._routes.get(ends)
        return () if route is None else self.drawing.cells[route]


Scene: TypeAlias = "Picture | Listing"


class Atlas:
    """All scenes of one graph. Foldings are kept, for one is drawn in several ways.

    Without a run, boxes have no room for `numbers`.
    """

    def __init__(self, graph: Graph, *, numbers: bool = True) -> None:
        self.graph = graph
        plain = dict.fromkeys(plan._replace(number=0) for plan in PLANS)
        self._has_numbers = numbers
        self.plans: Sequence[Plan] = PLANS if numbers else tuple(plain)
        self.folds = folds_of(graph)
        self.count = len(graph) - len(graph.literals)
        self.deepest = max((fold.depth for fold in self.folds), default=-1) + 1
        self._sketches: dict[frozenset[int], Sketch] = {}
        self._layers: dict[frozenset[int], Layers] = {}
        # A box has few labels, and each room is tried with most of them.
        label = partial(label_of, graph, folds=self.folds)
        self._label = lru_cache(_MOST_LABELS)(label)

    def folding(self, opened: frozenset[int]) -> Sketch:
        """Return the boxes that there are when these folds are open."""
        found = self._sketches.get(opened)
        if found is None:
            if len(self._sketches) >= _MOST_KEPT:
                self._sketches.clear()
                self._layers.clear()
            found = self._sketches[opened] = sketch(self.graph, self.folds, opened)
        return found

    def opened(self, depth: int) -> frozenset[int]:
        """Return the folds that are open when so many levels can be seen."""
        return unfolded_to(self.folds, depth)

    def automatic(self, room: Room, down: bool | None) -> tuple[Scene, frozenset[int]]:
        """Return what suits the graph and the room, and the folds that it opens.

        That is the picture with the fewest folds that fits, or else a list.
        """
        deepest = self.deepest
        if deepest and self.count > max(_MOST_TRIED, room[1]):
            deepest -= 1  # with all folds open there is a box for each node
        for depth in range(deepest, -1, -1):
            opened = self.opened(depth)
            if len(self.folding(opened).boxes) > _MOST_TRIED:
                continue
            plans = [p for p in self._plans(down) if p.words > 1 or not depth]
            if self._lists_well(opened, room):
                plans = [plan for plan in plans if plan.number]
            found = self._best(self.folding(opened), opened, room, plans)
            if found and not (_is_mute(found) and self._lists_well(opened, room)):
                return found, opened
        depths = (self.opened(depth) for depth in range(deepest, 0, -1))
        short = (o for o in depths if len(self.folding(o).boxes) <= room[1])
        opened = next(short, self.opened(0))
        return self.listing(opened, room), opened

    def _lists_well(self, opened: frozenset[int], room: Room) -> bool:
        """Tell whether a list has a line for each box, with its number and its words.

        It says more than a picture that has room for bars alone, or not for a word.
        """
        is_wide = room[0] >= _WIDE_LIST and any(plan.number for plan in self.plans)
        return is_wide and len(self.folding(opened).boxes) <= room[1]

    def lines(self, width: int, few: int, most: int) -> int:
        """Return the fewest lines between two in which it says as much as in the most.

        That it is whole matters most, and then what its labels say.
        """

        def said(scene: Scene, lines: int) -> tuple[bool, int]:
            seen = range(min(lines, scene.height))
            return scene.height <= lines, sum(_said(scene.row(line)) for line in seen)

        whole, _ = self.automatic((width, most), None)
        enough = min(max(whole.height, few), most)  # where all that is drawn has room

        def says(lines: int) -> tuple[bool, int]:
            return said(self.automatic((width, lines), None)[0], lines)

        return few + bisect_left(range(few, enough), said(whole, most), key=says)

    def whole(self, opened: frozenset[int], room: Room, down: bool | None) -> Scene:
        """Return the best picture that fits, or one to move about in, or a list."""
        boxes = self.folding(opened)
        if len(boxes.boxes) > MOST_DRAWN:
            return self.listing(opened, room)
        found = self._best(boxes, opened, room, self._plans(down))
        return found or self._large(boxes, opened, room, down)

    def near(
        self, opened: frozenset[int], centre: int, room: Room, down: bool | None
    ) -> Scene:
        """Draw a box and what is near: two edges far, or one where room is short."""
        boxes = self.folding(opened)
        for steps in (2, 1):
            shown = neighbourhood(boxes, centre, steps)
            part = part_of(boxes, shown)
            found = self._best(part, None, room, self._plans(down))
            if found:
                break
        else:
            found = self._large(part, None, room, down)
        return Picture(boxes, found.drawing, shown, "near")

    def listing(self, opened: frozenset[int], room: Room) -> Scene:
        """Return all boxes in order."""
        from .listing import Listing  # noqa: PLC0415  # 2 ms, only where a picture has no room

        boxes = self.folding(opened)
        # A bar for scrolling looks like one of ours where it touches words.
        beside = _SCROLL * (len(boxes.boxes) > room[1])
        return Listing(self.graph, boxes, self.folds, max(room[0] - beside, 1))

    def _best(
        self,
        boxes: Sketch,
        opened: frozenset[int] | None,
        room: Room,
        plans: Iterable[Plan],
    ) -> Picture | None:
        """Return the picture that says the most of those that fit into the room."""
        ranks = self._ranked(boxes, opened)
        for plan in plans:
            labels = self._labels(boxes, plan)
            placed = _placed(ranks, labels, plan, room)
            if placed is not None:
                full: set[int] = set()  # boxes that there is no more room for
                for box, longer in self._longer(boxes, plan, full):
                    full.add(box)
                    for label in longer:
                        more = [*labels[:box], label, *labels[box + 1 :]]
                        larger = _placed(ranks, more, plan, room)
                        if larger is not None:
                            labels, placed = more, larger
                            full.discard(box)
                            break
                drawing = draw(placed, labels)
                if plan.down and plan.detail == "op":
                    drawing = self._stretched(boxes, plan, labels, drawing, room[0])
                return Picture(boxes, drawing, range(len(labels)))
        return None

    def _stretched(
        self,
        boxes: Sketch,
        plan: Plan,
        labels: Sequence[Label],
        drawing: Drawing,
        width: int,
    ) -> Drawing:
        """Return a drawing whose labels run on where nothing stands behind them."""
        placed, after = drawing.layout, list(labels)
        places = list(placed.places)
        for number, (box, label) in enumerate(zip(boxes.boxes, labels, strict=True)):
            free = room_behind(drawing, number, width)
            after[number] = self._grown(box, plan, label, free)
            by = size_of(after[number], down=True)[0] - size_of(label, down=True)[0]
            place = places[number]
            places[number] = place._replace(width=place.width + by)
        width = max(place.x + place.width for place in places)
        width = max(placed.width, width)
        return draw(placed._replace(places=tuple(places), width=width), after)

    def _grown(self, box: Box, plan: Plan, label: Label, free: int) -> Label:
        """Return a label with so many cells more at most.

        First it gets a number in place of a bar, then words, then digits of a norm.
        """
        room = size_of(label, down=True)[0] + free

        def fits(longer: Label) -> bool:
            return size_of(longer, down=True)[0] <= room

        digits = number_width(label)
        if self._has_numbers and not digits and fits(with_number(label, SHORT_WIDTH)):
            label, digits = with_number(label, SHORT_WIDTH), SHORT_WIDTH
        size = size_of(label, down=True)[0]
        cells = cell_len(what_text(self.graph, box, self.folds, 0))
        numbered = plan._replace(number=digits)
        for words in range(min(cells, plan.words + room), _LEAST_WORDS, -1):
            longer = self._label(box, plan=numbered, words=words)
            if size_of(longer, down=True)[0] <= size:
                break
            if fits(longer):
                label = longer
                break
        most = min(digits + room - size_of(label, down=True)[0], NUMBER_WIDTH)
        is_norm = bool(digits and self.graph.nodes[box.node].shape)
        return with_number(label, most) if is_norm and most > digits else label

    def _longer(
        self, boxes: Sketch, plan: Plan, full: Container[int]
    ) -> Iterator[tuple[int, list[Label]]]:
        """Yield longer labels of boxes that are not `full`, the best first, by the box.

        Their words are not cut, and made-up names have beside them what they stand for.
        Rather has a number fewer digits than that a word is cut.
        """
        texts = [
            (
                what_text(self.graph, box, self.folds, 0),
                what_text(self.graph, box, self.folds),
            )
            for box in boxes.boxes
        ]
        words = {
            box: cell_len(text)
            for box, (short, text) in enumerate(texts)
            if text and (text != short or cell_len(text) > plan.words or plan.is_bare)
        }
        if len(words) > _MOST_LONGER:
            return
        steps = [0] if plan.is_bare else [0, plan.words]
        steps += [step for step in _LONGER if step > plan.words]
        for less, more in pairwise(steps):
            for box, size in words.items():
                grows = box not in full and (less > 0 or plan.is_bare)
                if size > less and (size <= more or grows):
                    plans = [plan]
                    if size <= more and plan.number > SHORT_WIDTH:
                        plans.insert(0, plan._replace(number=SHORT_WIDTH))
                    yield box, self._labelled(boxes.boxes[box], plans, more)

    def _labelled(self, box: Box, plans: Sequence[Plan], words: int) -> list[Label]:
        """Return the labels that plans have for a box, with more room for words.

        The last one has what a made-up name stands for in place of the name.
        """
        node = self.graph.nodes[box.node]
        alone = max(cell_len(node.wording) - cell_len(node.name) - 1, 2)
        rooms = [(plan, words) for plan in plans]
        rooms += [(plans[-1], alone)] * (box.fold < 0 and bool(node.wording))
        return [self._label(box, plan=plan, words=room) for plan, room in rooms]

    def _large(
        self,
        boxes: Sketch,
        opened: frozenset[int] | None,
        room: Room,
        down: bool | None,
    ) -> Picture:
        """Return a picture that is larger than the room."""
        if down is None:
            down = room[0] < 2 * room[1] + 30
        plan = next(plan for plan in self._plans(down) if plan.detail == "op")
        labels = self._labels(boxes, plan)
        sizes = [size_of(label, down=down) for label in labels]
        placed = layout(
            self._ranked(boxes, opened), sizes, down=down, spacing=plan.spacing
        )
        return Picture(boxes, draw(placed, labels), range(len(labels)))

    def _plans(self, down: bool | None) -> list[Plan]:
        return [plan for plan in self.plans if down is None or plan.down == down]

    def _labels(self, boxes: Sketch, plan: Plan) -> list[Label]:
        return [self._label(box, plan=plan) for box in boxes.boxes]

    def _ranked(self, boxes: Sketch, opened: frozenset[int] | None) -> Layers:
        """Return the ranks of a folding; None as `opened` is a part of one."""
        ranks = self._layers.get(opened) if opened is not None else None
        if ranks is None:
            operands = enumerate(boxes.operands)
            edges = ((o, box) for box, several in operands for o in several)
            ranks = layers(len(boxes.boxes), edges)
            if opened is not None:
                self._layers[opened] = ranks
        return ranks


def _is_mute(picture: Picture) -> bool:
    """Tell whether a label has room for no word of what is folded in its box."""
    labels = (label for row in picture.drawing.labels for _, _, label in row)
    return any(piece.text.strip() == "▸" for label in labels for piece in label)


def _said(row: Row) -> int:
    """Return how many cells the labels of a line fill."""
    pieces = (piece for _, _, label in row[1] for piece in label)
    numbers = ("number", "bar")
    return sum(
        len(piece.text if piece.part in numbers else piece.text.strip())
        for piece in pieces
        if piece.part not in ("frame", "mark", "stop")
    )


def _placed(
    ranks: Layers, labels: Sequence[Label], plan: Plan, room: Room
) -> Layout | None:
    """Return the layout of boxes, or None where it does not fit into the room.

    Lanes stand apart, and the heads of arrows get a line of their own, if there is one.
    """
    sizes = [size_of(label, down=plan.down) for label in labels]
    if not _fits(least_size(ranks, sizes, down=plan.down, spacing=plan.spacing), room):
        return None
    for track, head in ((2, 1), (1, 1), (1, 0)) if plan.down else ((2, 0), (1, 0)):
        spacing = plan.spacing._replace(track=track, head=head)
        placed = layout(ranks, sizes, down=plan.down, spacing=spacing)
        if _fits((placed.width, placed.height), room):
            return placed
    return None


def _fits(size: tuple[int, int], room: Room) -> bool:
    return size[0] <= room[0] and size[1] <= room[1]


def neighbourhood(boxes: Sketch, centre: int, steps: int = 2) -> list[int]:
    """Return the boxes within so many edges of one, and what is used along with it."""
    found = {centre}
    for beside in (boxes.operands, boxes.consumers):
        edge = [centre]
        for _ in range(steps):
            after = [other for box in edge for other in _nearest(beside[box], box)]
            edge = [box for box in dict.fromkeys(after) if box not in found]
            found.update(edge)
    for consumer in _nearest(boxes.consumers[centre], centre):
        found.update(_nearest(boxes.operands[consumer], centre))
    return sorted(found)


def _nearest(several: Sequence[int], box: int) -> Sequence[int]:
    """Return the few that are nearest to a box in order."""
    if len(several) <= _MOST_NEAR:
        return several
    return sorted(several, key=lambda other: abs(other - box))[:_MOST_NEAR]


def part_of(sketch: Sketch, shown: Sequence[int]) -> Sketch:
    """Return the sketch of some of its boxes, numbered anew."""
    number = {box: index for index, box in enumerate(shown)}

    def kept(beside: Sequence[Sequence[int]]) -> list[list[int]]:
        return [
            [number[other] for other in beside[box] if other in number] for box in shown
        ]

    return Sketch(
        [sketch.boxes[box] for box in shown],
        sketch.home,
        kept(sketch.operands),
        kept(sketch.consumers),
    )
