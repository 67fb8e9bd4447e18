"""What the label of a node says of its operation."""

from __future__ import annotations

import numpy as np
import pytest

from gradstep.core.engine.graph import Builder
from gradstep.core.ops import OPS
from gradstep.core.pictures.folds import sketch, unfolded_to
from gradstep.core.program.build import Leaf, build
from gradstep.tui.graph.drawing import operation_text, what_text


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("y = a + b", "+"),
        ("y = 2 * a", "2 *"),
        ("y = a ** 2", "** 2"),
        ("y = a @ a", "a @ a"),
        ("y = a <= b", "<="),
        ("y = -a", "-"),
        ("y = a.T", ".T"),
        ("y = transpose(a)", "transpose"),
        ("y = a[0, 1:]", "[0, 1:]"),
        ("y = a[[0, 1]]", "getitem"),
        ("y = put(a[1], 0)", "put(·, 0)"),
        ("y = maximum(a, 0)", "maximum(·, 0)"),
        ("y = exp(a)", "exp"),
    ],
)
def test_operations_are_written_as_in_the_program(program: str, text: str) -> None:
    square = Leaf("input", np.array([[1.0, 2.0], [3.0, 4.0]]))
    graph = build(program, {"a": square, "b": square}).graph
    assert operation_text(graph, graph.nodes[graph.output]) == text


def test_what_no_program_wrote_has_its_name() -> None:
    graph_of = Builder()
    x = graph_of.leaf("x", "input", (2, 3))
    graph = graph_of.finish(graph_of.apply(OPS["transpose"], (x,), {"axes": None}))
    assert operation_text(graph, graph.nodes[graph.output]) == "transpose"


def test_a_made_up_name_has_what_it_stands_for_where_there_is_room() -> None:
    leaves = {name: Leaf("input", np.array(1.0)) for name in ("x", "t")}
    graph = build("E = 0.5 * (x - t) ** 2", leaves).graph
    boxes = sketch(graph, (), unfolded_to((), 0)).boxes
    named = {graph.nodes[box.node].name: box for box in boxes}
    texts = {name: what_text(graph, box, ()) for name, box in named.items()}
    assert texts["E._1"] == "x - t"
    assert texts["E._2"] == "(x - t) ** 2"
    assert texts["E"] == "0.5 *"  # it has a name of its own
    assert what_text(graph, named["E._2"], (), 11) == "** 2"
    assert what_text(graph, named["E._2"], (), 12) == "(x - t) ** 2"
