import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep import load
from gradstep.core.engine.graph import Graph
from gradstep.core.engine.trace import Trace
from gradstep.core.pictures.folds import (
    Sketch,
    fold_at,
    folds_of,
    sketch,
    unfolded_to,
)
from gradstep.core.pictures.reached import progress
from gradstep.core.program.build import Program
from gradstep.core.scenario.scenario import builtin_names
from runs import number, program_of, programs, run_of


def names(graph: Graph, boxes: Sketch) -> list[str]:
    return [graph.nodes[box.node].name for box in boxes.boxes]


def test_calls_and_statements_fold_to_the_box_of_their_result() -> None:
    graph = load("three_layer").subject.graph
    folds = folds_of(graph)
    shut = sketch(graph, folds, ())
    assert names(graph, shut) == ["x0", "W1", "W2", "W3", "t", "x1", "x2", "x3", "E"]
    texts = {fold.name: (fold.text, fold.frame) for fold in folds}
    assert texts["x1"] == ("layer", True)
    assert texts["E"] == ("0.5 * sum((x3 - t) ** 2)", False)
    assert [shut.operands[box] for box in (5, 6, 7, 8)] == [
        [1, 0],
        [2, 5],
        [3, 6],
        [7, 4],
    ]
    one = sketch(graph, folds, {next(f.number for f in folds if f.name == "x2")})
    assert "x2.z" in names(graph, one)
    assert "x1.z" not in names(graph, one)


def test_literals_are_not_boxes() -> None:
    graph = load("three_layer").subject.graph
    assert {graph.nodes[n].name for n in graph.literals} == {"2", "0.5"}
    boxes = sketch(graph, folds_of(graph), unfolded_to(folds_of(graph), 9))
    assert "2" not in names(graph, boxes)
    assert all(boxes.home[n] == -1 for n in graph.literals)
    # A constant with a name is one.
    assert not load("matmul").subject.graph.node("none").is_literal


def test_a_fold_that_is_shut_hides_those_inside_it() -> None:
    graph = load("nan_where").subject.graph
    folds = folds_of(graph)
    inside = next(fold for fold in folds if fold.name == "q.inside")
    outer = folds[inside.parent]
    assert (outer.name, inside.depth) == ("q", outer.depth + 1)
    assert "q.inside" not in names(graph, sketch(graph, folds, {inside.number}))
    node = graph.node("q.inside._1").index
    assert fold_at(folds, node, range(len(folds))) == inside.number
    assert fold_at(folds, node, {outer.number}) == outer.number
    assert fold_at(folds, node, ()) == -1


@pytest.mark.parametrize("name", builtin_names())
def test_every_folding_of_a_lesson_holds_all_its_nodes(name: str) -> None:
    graph = load(name).subject.graph
    for depth in range(4):
        folds = folds_of(graph)
        check(graph, sketch(graph, folds, unfolded_to(folds, depth)))


@given(programs(), st.data())
def test_every_folding_holds_all_nodes(program: Program, data: st.DataObject) -> None:
    graph = program.graph
    folds = folds_of(graph)
    opened = data.draw(st.sets(st.sampled_from(range(len(folds))))) if folds else set()
    check(graph, sketch(graph, folds, opened))


def check(graph: Graph, boxes: Sketch) -> None:
    without = graph.literals
    stops = [box.stop for box in boxes.boxes]
    assert all(
        box.first >= stop for box, stop in zip(boxes.boxes[1:], stops, strict=False)
    )
    for node in graph:
        home = boxes.home[node.index]
        assert (home == -1) == (node.index in without)
        if home >= 0:
            assert boxes.boxes[home].first <= node.index < boxes.boxes[home].stop
    edges = {
        (boxes.home[o], boxes.home[node.index])
        for node in graph
        for o in node.operands
        if o not in without and boxes.home[o] != boxes.home[node.index]
    }
    assert all(source < target for source, target in edges)
    assert edges == {(o, b) for b, ends in enumerate(boxes.operands) for o in ends}
    assert edges == {(b, c) for b, ends in enumerate(boxes.consumers) for c in ends}


def test_a_graph_without_a_program_has_no_folds() -> None:
    graph = program_of("y = x", x=1.0).graph
    assert folds_of(Graph(graph.nodes, graph.output)) == ()


# -------------------------------------------------------------------------- progress


def test_progress_follows_both_passes() -> None:
    run = run_of("u = a * a\nv = u + K\ny = v * u", a=3.0, K=1.0)
    trace = Trace(run)

    def of(first: str, last: str = "") -> list[str]:
        nodes = range(number(run, first), number(run, last or first) + 1)
        return [progress(trace, nodes, p)[0] for p in range(len(trace) + 1)]

    # Events: u, v, y, seed, v←y, u←y, u←v, a←u, a←u.
    assert "".join(of("u")) == "fddd" + "ffpddd"
    assert "".join(of("v")) == "ffdd" + "fddddd"
    assert "".join(of("y")) == "fffd" + "dddddd"
    assert "".join(of("a")) == "dddd" + "ffffpd"
    assert "".join(of("K")) == "dddd" + "nnnnnn"
    assert "".join(of("u", "y")) == "fppd" + "fppppd"
