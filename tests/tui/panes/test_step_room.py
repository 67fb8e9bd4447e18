"""How many lines the steps of each pass need, told from shapes and notes."""

from __future__ import annotations

from typing import Any

import pytest

from gradstep.core.engine.subject import NotePlace
from gradstep.core.scenario.scenario import parse
from gradstep.tui.panes.step import room
from gradstep.tui.panes.step.room import (
    alike,
    lines_needed,
    lines_wanted,
    longest_notes,
)

SQUARE = parse("""
gradstep = 1
title = "A product of numbers"
program = '''
y = x * w
E = sum(y)
'''
[inputs]
x = [[1, 2], [3, 4], [5, 6]]
[parameters]
w = [[1, 2], [3, 4], [5, 6]]
""").subject.graph


@pytest.mark.parametrize(
    ("width", "forward", "backward"),
    [
        # A number has 9 columns: three of these matrices are 54 wide, and four, of
        # which one has zeros, 18 + 18 + 18 + (18 + 6). Each is 4 lines high, with its
        # title, and beside them stand formula and element.
        (53, 2 * 4 + 2, 2 * 4 + 2),
        (54, 4 + 2, 4 + 1 + 2),  # a line for the sum, which has no room as a matrix
        (78, 4 + 2, 4 + 2),
    ],
)
def test_steps_need_lines_for_their_matrices(
    width: int, forward: int, backward: int
) -> None:
    found = lines_needed(SQUARE, {}, width)
    assert (found["forward"], found["backward"]) == (forward, backward)


@pytest.mark.parametrize(
    ("place", "forward", "backward"),
    [
        (NotePlace("forward", SQUARE.names["y"]), 6 + 3, 7),
        (NotePlace("start"), 6 + 3, 7),  # beside the first step
        (NotePlace("backward", SQUARE.names["y"]), 7, 6 + 3),  # what it sends first
        (NotePlace("backward", SQUARE.names["w"]), 7, 6 + 3),
        (NotePlace("end"), 7, 6 + 3),  # beside the last one
        (NotePlace("update", SQUARE.names["w"]), 7, 7),
    ],
)
def test_a_note_needs_its_lines_in_its_own_pass_and_one_in_others(
    place: NotePlace, forward: int, backward: int
) -> None:
    note = "four " * 40  # 199 characters, 78 to a line
    found = lines_needed(SQUARE, {place: note}, 78)
    assert (found["forward"], found["backward"]) == (forward, backward)


Y, W, E = (SQUARE.names[name] for name in "ywE")


@pytest.mark.parametrize(
    ("places", "about"),
    [
        ([NotePlace("forward", Y)], {("forward", Y): 3}),
        ([NotePlace("start")], {("forward", Y): 3}),
        ([NotePlace("seed")], {("backward", E): 3}),
        ([NotePlace("backward", E)], {("backward", E, 0, Y): 3}),  # what E sends to y
        # The last edge, and w, whose gradient is complete there, are one step.
        ([NotePlace("backward", W)], {("backward", Y, 1, W): 3}),
        (
            [NotePlace("end"), NotePlace("backward", W)],
            {("backward", Y, 1, W): 6, ("update", W): 3},
        ),
    ],
)
def test_a_note_counts_for_the_steps_of_the_same_shapes(
    places: list[NotePlace], about: dict[tuple[Any, ...], int]
) -> None:
    notes = dict.fromkeys(places, "four " * 40)  # three lines, as above
    shapes = {Y: (3, 2), W: (3, 2), E: ()}
    expected = {
        (when, False, shapes[nodes[0]], shapes[nodes[-1]]): lines
        for (when, *nodes), lines in about.items()
    }
    assert longest_notes(SQUARE, notes, 78) == expected
    for when, *nodes in about:
        assert alike(SQUARE, when, nodes) in expected


def test_a_note_of_a_product_leaves_no_lines_in_steps_that_are_none() -> None:
    """All shapes are the same here; but a product has its factors elsewhere."""
    graph = parse("""
gradstep = 1
title = "Only one shape"
program = '''
a = x @ w
h = tanh(a)
y = h @ v
E = sum(y)
'''
[inputs]
x = [[1, 2], [3, 4]]
[parameters]
w = [[1, 2], [3, 4]]
v = [[1, 2], [3, 4]]
""").subject.graph
    place = NotePlace(
        "backward", graph.names["y"]
    )  # what y sends to h, its left factor
    longest = longest_notes(graph, {place: "four " * 40}, 78)
    edges = {graph.edge_name(edge): edge for edge in graph.carrying}
    lines = {
        name: longest.get(alike(graph, "backward", edge), 0)
        for name, edge in edges.items()
    }
    assert lines == {
        "E<-y": 0,
        "y<-h": 3,
        "y<-v": 0,
        "h<-a": 0,
        "a<-x": 3,
        "a<-w": 0,
    }


def test_the_steps_of_a_graph_are_looked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = lines_needed(SQUARE, {}, 77)
    monkeypatch.delattr(room, "_sent")
    assert lines_needed(SQUARE, {}, 77) == before
    longer = lines_needed(SQUARE, {NotePlace("backward", 2): "five " * 80}, 77)
    assert longer["backward"] > before["backward"]


@pytest.mark.parametrize(
    ("numbers", "high"),
    [
        # Two matrices of 2 columns, 3 rows, a title and the numbers of columns; beside
        # them nine lines of words and one of a note.
        (1, 2 * 2 * 5),
        (2, 2 * 5),
        (4, 5),
    ],
)
def test_where_more_numbers_have_room_fewer_lines_are_wanted(
    numbers: int, high: int
) -> None:
    assert lines_wanted(SQUARE, 1, numbers) == high + 9 + 1
