from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep import load
from gradstep.core.pictures.folds import folds_of, sketch, unfolded_to
from gradstep.core.pictures.layers import Layers, layers
from gradstep.core.pictures.layout import (
    Layout,
    Place,
    Route,
    Spacing,
    layout,
    least_size,
)
from gradstep.core.scenario.scenario import builtin_names

Edges = list[tuple[int, int]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Edges]:
    count = draw(st.integers(1, 14))
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    pairs = draw(st.lists(ends, max_size=30))
    return count, sorted({(min(p), max(p)) for p in pairs if p[0] != p[1]})


sizes_of_boxes = st.tuples(st.integers(1, 9), st.integers(1, 4))
spacings = st.sampled_from(
    (Spacing(), Spacing(gap=0), Spacing(gap=3, stub=0, port=2), Spacing(margin=1))
)


def cells(route: Route) -> list[tuple[int, int]]:
    found = [route.points[0]]
    for (x, y), (to_x, to_y) in pairwise(route.points):
        assert x == to_x or y == to_y
        steps = max(abs(to_x - x), abs(to_y - y))
        assert steps
        found += [
            (x + (to_x - x) * step // steps, y + (to_y - y) * step // steps)
            for step in range(1, steps + 1)
        ]
    return found


def covered(place: Place) -> set[tuple[int, int]]:
    return {
        (x, y)
        for x in range(place.x, place.x + place.width)
        for y in range(place.y, place.y + place.height)
    }


def check(drawn: Layout, sizes: list[tuple[int, int]], edges: Edges) -> None:
    """Hold a layout to what makes it a drawing of these edges."""
    assert [(route.source, route.target) for route in drawn.routes] == sorted(edges)
    taken: set[tuple[int, int]] = set()
    for place, (width, height) in zip(drawn.places, sizes, strict=True):
        assert place.width >= width
        assert place.height >= height
        here = covered(place)
        assert not taken & here
        taken |= here
    for route in drawn.routes:
        one, two = drawn.places[route.source], drawn.places[route.target]
        assert one.rank < two.rank
        (x, y), (to_x, to_y) = route.points[0], route.points[-1]
        if drawn.down:
            assert (x, y) == (one.x + one.outlet, one.y + one.height)
            assert to_y == two.y - 1
            assert to_x - two.x in two.inlets
        else:
            assert (x, y) == (one.x + one.width, one.y + one.outlet)
            assert to_x == two.x - 1
            assert to_y - two.y in two.inlets
        assert not taken.intersection(cells(route))
    assert all(0 <= x < drawn.width and 0 <= y < drawn.height for x, y in taken)
    check_lines(drawn)
    check_lanes(drawn)


def check_lines(drawn: Layout) -> None:
    """Two lines may cross; they may run together only if they begin or end alike."""
    uses: dict[tuple[int, int], list[tuple[Route, str]]] = {}
    for route in drawn.routes:
        for one, two in pairwise(cells(route)):
            way = "flat" if one[1] == two[1] else "steep"
            for cell in (one, two):
                uses.setdefault(cell, []).append((route, way))
    for there in uses.values():
        for route, way in there:
            for other, other_way in there:
                if way == other_way and route.source != other.source:
                    assert route.points[-1] == other.points[-1]


def check_lanes(drawn: Layout) -> None:
    """Lines that turn in one lane come from one box, or lead into one inlet."""
    lanes: dict[int, list[Route]] = {}
    for route in drawn.routes:
        for (x, y), (to_x, to_y) in pairwise(route.points):
            if drawn.down and y == to_y:
                lanes.setdefault(y, []).append(route)
            elif not drawn.down and x == to_x:
                lanes.setdefault(x, []).append(route)
    for there in lanes.values():
        assert (
            len({route.source for route in there}) == 1
            or len({route.points[-1] for route in there}) == 1
        )


@given(graphs(), st.data(), st.booleans(), spacings)
def test_any_graph_is_drawn(
    graph: tuple[int, Edges], data: st.DataObject, down: bool, spacing: Spacing
) -> None:
    count, edges = graph
    sizes = data.draw(st.lists(sizes_of_boxes, min_size=count, max_size=count))
    ranks = layers(count, edges)
    drawn = layout(ranks, sizes, down=down, spacing=spacing)
    check(drawn, sizes, edges)
    width, height = least_size(ranks, sizes, down=down, spacing=spacing)
    assert width <= drawn.width
    assert height <= drawn.height
    assert layout(layers(count, edges), sizes, down=down, spacing=spacing) == drawn


@given(graphs())
def test_ranks_are_longest_paths_and_sources_stand_before_their_first_use(
    graph: tuple[int, Edges],
) -> None:
    count, edges = graph
    rank = layers(count, edges).rank[:count]
    for box in range(count):
        before = [rank[source] for source, target in edges if target == box]
        after = [rank[target] for source, target in edges if source == box]
        if before:
            assert rank[box] == 1 + max(before)
        else:
            assert rank[box] == min(after, default=1) - 1


def crossings_of(ranks: Layers) -> int:
    """Count crossings pair by pair."""
    count = 0
    for row in ranks.order[:-1]:
        place = {i: n for level in ranks.order for n, i in enumerate(level)}
        ends = [
            (n, place[other]) for n, i in enumerate(row) for other in ranks.links[i]
        ]
        count += sum(a < c and b > d for a, b in ends for c, d in ends)
    return count


@given(graphs())
def test_the_crossings_are_counted(graph: tuple[int, Edges]) -> None:
    ranks = layers(*graph)
    assert ranks.crossings == crossings_of(ranks)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=25), st.booleans())
def test_a_tree_is_drawn_without_crossings(choices: list[int], towards: bool) -> None:
    # Each box but one has one consumer, or one operand.
    count = len(choices) + 1
    links = [(choice % box, box) for box, choice in enumerate(choices, 1)]
    if towards:
        links = [(count - 1 - b, count - 1 - a) for a, b in links]
    assert layers(count, links).crossings == 0


def test_an_edge_has_to_lead_forwards() -> None:
    with pytest.raises(ValueError, match="2 → 1"):
        layers(3, [(2, 1)])


def test_nothing_is_drawn_of_nothing() -> None:
    drawn = layout(layers(0, []), [])
    assert (drawn.width, drawn.height, drawn.places) == (0, 0, ())


def test_two_lines_that_change_places_are_untied() -> None:
    # All three are reached from both: each line enters where another one leaves.
    edges = [(0, 2), (0, 3), (1, 2), (1, 3), (0, 4), (1, 4)]
    sizes = [(3, 1)] * 5
    for gap in (0, 1, 2):
        drawn = layout(layers(5, edges), sizes, spacing=Spacing(gap=gap))
        check(drawn, sizes, edges)


def test_a_chain_stands_straight_and_its_parameters_beside_it() -> None:
    # x, W1, x1, W2, x2, W3, x3
    edges = [(0, 2), (1, 2), (2, 4), (3, 4), (4, 6), (5, 6)]
    drawn = layout(layers(7, edges), [(3, 1)] * 7, spacing=Spacing(gap=0))
    assert len({drawn.places[box].y for box in (2, 4, 6)}) == 1
    assert drawn.height <= 3


def test_a_long_path_needs_no_recursion() -> None:
    count = 5000
    ranks = layers(count, list(pairwise(range(count))))
    assert len(ranks.order) == count


# How many crossings are left, with all folds open and with all shut. Only lessons that
# use the same nodes several times over, in two ways of counting, cannot do without.
_CROSSED = {"attention": 1, "hidden_layer": 11, "last_layer": 4}
_CROSSED |= {"matmul": 10, "matmul_columns": 10}


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("down", [False, True])
def test_the_lessons_are_drawn_with_as_few_crossings_as_can_be(
    name: str, down: bool
) -> None:
    graph = load(name).subject.graph
    folds = folds_of(graph)
    for depth in (0, 9):
        boxes = sketch(graph, folds, unfolded_to(folds, depth))
        edges = [(o, b) for b, ends in enumerate(boxes.operands) for o in ends]
        sizes = [(6, 3)] * len(boxes.boxes)
        ranks = layers(len(sizes), edges)
        assert ranks.crossings <= _CROSSED.get(name, 0)
        check(layout(ranks, sizes, down=down), sizes, edges)
