"""One element in numbers calls what it is made of by the code of the program."""

import math
import re

import pytest

from gradstep import Debugger, load
from gradstep.core.engine.element import index_of
from gradstep.core.engine.graph import Edge
from gradstep.core.engine.trace import Contribution, Forward
from gradstep.core.scenario.scenario import builtin_names
from gradstep.tui.draw.look import Look
from gradstep.tui.draw.spelling import contribution_texts, value_texts
from gradstep.tui.draw.stage import Stage


@pytest.mark.parametrize("name", builtin_names())
def test_a_value_is_made_from_code_and_not_from_names_that_were_made_up(
    name: str,
) -> None:
    debugger = Debugger(load(name))
    trace, graph = debugger.trace, debugger.graph
    wording = Stage(debugger.subject, trace, Look()).wording
    for number in range(len(trace)):
        event = trace.event(number)
        if not isinstance(event, Forward):
            continue
        node = graph.nodes[event.node]
        texts = value_texts(trace, wording, node.index, index_of(0, node.shape))
        for operand in (graph.nodes[one] for one in node.operands):
            frame = graph.frame_of(operand)
            if operand.wording and frame is not None and frame.depth == 0:
                made_up = rf"{re.escape(operand.name)}(?!\d)"
                assert not re.search(made_up, texts[0].partition(" = ")[2]), texts[0]


def test_a_product_names_its_factor_as_why_does() -> None:
    debugger = Debugger(load("hidden_layer"))
    trace, graph = debugger.trace, debugger.graph
    wording = Stage(debugger.subject, trace, Look()).wording
    d2 = graph.node("d2")  # (a - t) * a * (1 - a)
    text = value_texts(trace, wording, d2.index, (1, 0))[0]
    assert text.startswith("d2[1, 0] = ((a − t) ∘ a)[1, 0] · (1 − a)[1, 0] = ")


def test_a_slope_of_a_number_is_by_the_element_that_it_depends_on() -> None:
    debugger = Debugger(load("cross_entropy"))
    trace, graph = debugger.trace, debugger.graph
    wording = Stage(debugger.subject, trace, Look()).wording
    edge = Edge(graph.names["fused"], 0, graph.names["z"])
    number = next(
        n
        for n in range(len(trace))
        if isinstance(event := trace.event(n), Contribution) and event.edge == edge
    )
    text = contribution_texts(trace, wording, edge, number, (0, 1), "")[0]
    # softmax([2, 1, 0])[1] − 1, of the class that is right
    slope = math.exp(1) / (math.exp(2) + math.exp(1) + 1) - 1
    assert text == (
        f"z.grad[0, 1] = ∂L/∂fused · ∂fused/∂z[0, 1] = 1 × ({slope:.6g}) = {slope:.6g}"
    )


def test_both_sides_of_an_element_have_the_text_of_a_node() -> None:
    debugger = Debugger(load("last_layer"))
    trace, graph = debugger.trace, debugger.graph
    wording = Stage(debugger.subject, trace, Look()).wording
    text = value_texts(trace, wording, graph.names["E._2"], (0, 0))[0]
    # σ(0) = 0.5 and t = 1
    assert text == "(a − t)²[0, 0] = (a − t)[0, 0]² = (-0.5)² = 0.25"
    assert wording.element(graph.names["E._1"], "[0, 0]", "grad") == "∂E/∂(a − t)[0, 0]"
    assert wording.element(graph.names["W"], "[0, 0]", "grad") == "W.grad[0, 0]"
