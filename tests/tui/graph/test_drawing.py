"""What the label of a node says of its operation."""

from __future__ import annotations

import numpy as np
import pytest

from gradstep.core.engine.graph import Builder
from gradstep.core.ops import OPS
from gradstep.core.program.build import Leaf, build
from gradstep.tui.graph.drawing import operation_text


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
