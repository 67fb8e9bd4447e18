"""Every edge can be followed in what is drawn, cell by cell, by its characters alone.

What a character joins is taken from its name in Unicode. A line that meets another one
across goes on behind it, so that joints and crossings differ.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.pictures.folds import Box, Sketch
from gradstep.core.pictures.layers import Layers, layers
from gradstep.core.pictures.layout import layout
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.tui.graph import rail
from gradstep.tui.graph.drawing import TURNED, Drawing, Piece, Plan, draw, size_of
from gradstep.tui.graph.listing import Listing
from gradstep.tui.graph.scene import PLANS, Atlas, Picture

Cell = tuple[int, int]
Way = tuple[int, int]  # one step: right, down
SIDES: dict[str, Way] = {
    "LEFT": (-1, 0),
    "RIGHT": (1, 0),
    "UP": (0, -1),
    "DOWN": (0, 1),
}
ARROWS = {"→": ("LEFT", "RIGHT"), "←": ("LEFT", "RIGHT")}
ARROWS |= {"↓": ("UP", "DOWN"), "↑": ("UP", "DOWN")}


@lru_cache(256)
def arms(sign: str) -> frozenset[Way]:
    """Return the ways in which a character leads out of its cell."""
    if sign in ARROWS:
        return frozenset(SIDES[side] for side in ARROWS[sign])
    name = unicodedata.name(sign, "").removeprefix("BOX DRAWINGS ")
    name = name.replace("HORIZONTAL", "LEFT RIGHT").replace("VERTICAL", "UP DOWN")
    words = name.split() if "LIGHT" in name or "HEAVY" in name else []
    return frozenset(SIDES[word] for word in words if word in SIDES)


def text_of(drawing: Drawing) -> list[list[str]]:
    """Return the characters of a drawing, with its labels."""
    rows = [list(line) for line in drawing.lines]
    for row, labels in zip(rows, drawing.labels, strict=True):
        for x, _, pieces in labels:
            text = "".join(piece.text for piece in pieces)
            row[x : x + len(text)] = text
    return rows


def reached(drawing: Drawing, box: int) -> set[int]:
    """Return the boxes that the lines of a box lead to, as a reader follows them."""
    rows, down = text_of(drawing), drawing.layout.down
    places = drawing.layout.places
    owner = {
        (x, y): number
        for number, place in enumerate(places)
        for x in range(place.x, place.x + place.width)
        for y in range(place.y, place.y + place.height)
    }
    own = places[box]
    along: Way = (0, 1) if down else (1, 0)
    start = (own.x + own.outlet, own.y + own.height)
    if not down:
        start = (own.x + own.width, own.y + own.outlet)
    waiting, seen, found = [(start, along)], set[tuple[Cell, Way]](), set[int]()
    while waiting:
        (x, y), way = waiting.pop()
        if ((x, y), way) in seen:
            continue
        seen.add(((x, y), way))
        if (x, y) in owner:
            if way == along:  # what is entered against the flow is another operand
                found.add(owner[x, y])
            continue
        there = arms(rows[y][x])
        back = (-way[0], -way[1])
        assert there, f"the line ends at {x}, {y}"
        ends = there - {back}
        if back not in there:
            assert way not in there, f"the line breaks at {x}, {y}"
            assert len(there) == 2, f"no crossing at {x}, {y}"
            ends = frozenset({way})  # it goes on behind the other one
        waiting += [((x + right, y + low), (right, low)) for right, low in ends]
    return found


def assert_traced(drawing: Drawing, ranks: Layers) -> None:
    consumers: list[set[int]] = [set() for _ in range(ranks.count)]
    for route in drawing.layout.routes:
        consumers[route.source].add(route.target)
    for box, wanted in enumerate(consumers):
        if wanted:
            assert reached(drawing, box) == wanted


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    count = draw(st.integers(1, 12))
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    pairs = draw(st.lists(ends, max_size=26))
    return count, sorted({(min(p), max(p)) for p in pairs if p[0] != p[1]})


@given(graphs(), st.booleans(), st.sampled_from(PLANS), st.integers(0, 1))
def test_every_edge_of_any_graph_can_be_followed(
    graph: tuple[int, list[tuple[int, int]]], wide: bool, plan: Plan, head: int
) -> None:
    count, edges = graph
    ranks = layers(count, edges)
    names = ["abcdef"[: 1 + wide * box % 6] for box in range(count)]
    labels = [((Piece("name", name),),) for name in names]
    sizes = [size_of(label, down=plan.down) for label in labels]
    spacing = plan.spacing._replace(head=head)
    placed = layout(ranks, sizes, down=plan.down, spacing=spacing)
    assert_traced(draw(placed, labels), ranks)


@pytest.mark.parametrize("name", builtin_names())
def test_every_edge_of_a_lesson_can_be_followed(name: str) -> None:
    atlas = Atlas(load(name).subject.graph)
    rooms = [(30, 8), (43, 10), (70, 26), (200, 60)]
    scenes = [atlas.automatic(room, None)[0] for room in rooms]
    for depth in range(atlas.deepest + 1):
        scenes += [atlas.whole(atlas.opened(depth), (43, 10), d) for d in (True, False)]
    for scene in scenes:
        sketch = scene.sketch
        if isinstance(scene, Picture):
            for box, wanted in enumerate(sketch.consumers):
                if wanted:
                    assert reached(scene.drawing, box) == set(wanted)
        else:
            texts = [scene.row(line)[0] for line in range(scene.height)]
            operands = [list(several) for several in sketch.operands]
            assert_listed(texts, list(scene.order), operands)


KNOBS = "○◆"


def assert_listed(
    texts: list[str], order: list[int], operands: list[list[int]]
) -> None:
    """Follow each line of a list up from its knob: to what it is made of."""
    for line, text in enumerate(texts):
        knob = next(x for x, sign in enumerate(text) if sign in KNOBS)
        found = {up(texts, line, knob)}
        for way in (-1, 1):
            x = knob + way
            while 0 <= x < len(text) and text[x] != " ":
                there = arms(text[x])
                if (-way, 0) in there and (0, -1) in there:
                    found.add(up(texts, line, x))  # a joint: one that leads here
                elif (-way, 0) not in there:
                    assert text[x] == "│"  # it goes on behind that one
                if (-way, 0) in there and (way, 0) not in there:
                    break
                x += way
        made_of = {order[above] for above in found if above is not None}
        assert made_of == set(operands[order[line]]), "\n".join(texts)


def up(texts: list[str], line: int, x: int) -> int | None:
    """Return the line of the knob from which a line leads down to a cell, if any."""
    for above in range(line - 1, -1, -1):
        sign = texts[above][x]
        if sign in KNOBS:
            return above
        if (0, 1) not in arms(sign):
            return None
    return None


@given(graphs())
def test_every_edge_of_any_list_can_be_followed(
    graph: tuple[int, list[tuple[int, int]]],
) -> None:
    count, edges = graph
    operands: list[list[int]] = [[] for _ in range(count)]
    consumers: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        operands[target].append(source)
        consumers[source].append(target)
    boxes = [Box(box, box + 1, box) for box in range(count)]
    sketch = Sketch(boxes, range(count), operands, consumers)
    order = rail.in_order(sketch)
    texts = rail.drawn(sketch, order, rail.rails_of(sketch, order), 0)
    assert_listed(texts, order, operands)


@pytest.mark.parametrize("count", [11, 12, 20, 40])
def test_many_operands_have_a_lane_each_where_there_is_room(count: int) -> None:
    names = [f"x{number}" for number in range(count)]
    leaves = "".join(f"{name} = 1.0\n" for name in names)
    text = f"gradstep = 1\nprogram = 'E = sum(stack([{', '.join(names)}]))'\n[inputs]\n"
    graph = parse(text + leaves, source="many.toml").subject.graph
    atlas = Atlas(graph)
    scene = atlas.listing(atlas.opened(0), (2 * count + 30, 60))
    assert isinstance(scene, Listing)
    texts = [scene.row(line)[0] for line in range(scene.height)]
    knobs = [next(x for x, sign in enumerate(t) if sign in KNOBS) for t in texts]
    assert len(set(knobs[:count])) == count
    assert_listed(texts, list(scene.order), [list(o) for o in scene.sketch.operands])


def test_the_heads_of_arrows_point_the_way_of_the_pass() -> None:
    text = "─→┤ ◆←┘ ↓"
    assert text.translate(TURNED) == "─←┤ ◆→┘ ↑"
    atlas = Atlas(load("apple_orange").subject.graph)
    flat, steep = (atlas.whole(atlas.opened(9), (80, 30), d) for d in (False, True))
    assert isinstance(flat, Picture)
    assert isinstance(steep, Picture)
    for scene, sign, lead in ((flat, "→", (-1, 0)), (steep, "↓", (0, -1))):
        rows = text_of(scene.drawing)
        for route in scene.drawing.layout.routes:
            x, y = route.points[-1]
            assert rows[y][x] == sign
            back = rows[y + lead[1]][x + lead[0]]
            assert (-lead[0], -lead[1]) in arms(back)


HEADED: dict[Way, str] = {(-1, 0): "←", (1, 0): "→", (0, -1): "↑", (0, 1): "↓"}


@pytest.mark.parametrize("name", builtin_names())
def test_what_comes_to_a_joint_from_the_side_has_a_head(name: str) -> None:
    """In the tightest pictures too, where no line is left between box and joint."""
    atlas = Atlas(load(name).subject.graph)
    heads = 0
    for room in [(25, 8), (43, 15), (50, 30), (70, 26), (200, 60)]:
        scene = atlas.automatic(room, None)[0]
        if not isinstance(scene, Picture):
            continue
        lines = scene.drawing.lines
        for walked in scene.drawing.cells:
            x, y, _ = walked[-1]
            if lines[y][x] in ARROWS or len(walked) < 2:
                continue
            before_x, before_y, _ = walked[-2]
            way = (x - before_x, y - before_y)
            sign = lines[before_y][before_x]
            if arms(sign) == {way, (-way[0], -way[1])}:
                assert sign == HEADED[way], "\n".join(lines)
                heads += 1
    if name == "vanishing":
        assert heads > 10


def test_a_number_has_fewer_digits_before_a_word_is_cut() -> None:
    atlas = Atlas(load("three_layer").subject.graph)
    scene = atlas.automatic((43, 15), None)[0]
    assert isinstance(scene, Picture)
    text = "\n".join("".join(row) for row in text_of(scene.drawing))
    assert "E ▸0.5 * sum((x3 - t) ** 2)" in text
    assert "…" not in text
