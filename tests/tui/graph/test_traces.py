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

from gradstep.core.pictures.layout import Layers, Spacing, layers, layout
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.tui.graph.drawing import Drawing, Piece, draw, size_of
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


@given(graphs(), st.booleans(), st.sampled_from(PLANS))
def test_every_edge_of_any_graph_can_be_followed(
    graph: tuple[int, list[tuple[int, int]]], wide: bool, plan: object
) -> None:
    count, edges = graph
    spacing = plan.spacing
    ranks = layers(count, edges)
    labels = [((Piece("name", "abcdef"[: 1 + wide * box % 6]),),) for box in range(count)]
    sizes = [size_of(label, down=plan.down) for label in labels]
    placed = layout(ranks, sizes, down=plan.down, spacing=spacing)
    assert_traced(draw(placed, labels), ranks)
