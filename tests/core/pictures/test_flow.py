"""Gradients by size, as data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradstep import Debugger, load
from gradstep.core.engine.trace import Trace
from gradstep.core.pictures.flow import (
    computed,
    flow,
    node_order,
    norms,
    short,
    trends,
)
from runs import run_of
from sessions import said, session, value

# -------------------------------------------------------------------------- sizes


def test_norms_of_scalars_and_of_nothing() -> None:
    found = norms([2.5, np.float64(-3), None, np.array([3.0, 4.0]), 2])
    assert found.tolist() == pytest.approx([2.5, 3, -1, 5, 2])


STEEP = """
gradstep = 1
program = '''
y = 1e180 * w
E = sum(y * y * 1e-200)
'''
[parameters]
w = [1e-3, 2e-3]
[training]
learning_rate = 1e-170
iterations = 3
"""


def test_all_views_agree_on_a_norm_whose_squares_overflow() -> None:
    debugger = session(STEEP)
    said(debugger, "goto 1:end")
    expected = math.hypot(*value(debugger, "w.grad").tolist())
    assert 1e157 < expected < 1e158
    drawn = flow(debugger.trace)
    row = list(drawn.nodes).index(debugger.graph.node("w").index)
    table = said(debugger, "info iterations").show
    for found in (
        value(debugger, "norm(w.grad)"),
        debugger.timeline.records[1].norms[0],
        table.rows[1][2],
        drawn.bar(row).norm,
    ):
        assert found == pytest.approx(expected, rel=1e-15)


def test_values_in_short() -> None:
    assert short(2.5) == "2.5"
    assert short(np.array([1.0, 2.0])) == "[1, 2]"
    assert short(np.array([np.nan, 1, 2, 3, 4, 5])) == "1 nan, 0 inf of 6"
    assert short((3, 4)) == "(3, 4)"


# -------------------------------------------------------------------------- nodes


@pytest.mark.parametrize("by", ["name", "operation", "shape", "value", "norm"])
@pytest.mark.parametrize("descending", [False, True])
def test_nodes_are_sorted_by_what_is_asked(by: str, descending: bool) -> None:
    trace = Debugger(load("three_layer")).trace
    run = trace.run
    keys = {
        "name": lambda n: n.name,
        "operation": lambda n: n.op.name if n.op else n.kind,
        "shape": lambda n: math.prod(n.shape),
        "value": lambda n: np.linalg.norm(run.value(n.index)),
        "norm": lambda n: np.linalg.norm(np.asarray(run.gradients[n.index])),
    }
    order = node_order(trace, len(trace), by, descending=descending)
    assert sorted(order) == list(range(len(run.graph)))
    nodes = [run.graph.nodes[i] for i in order]
    if by == "norm":
        without = [n.index for n in nodes if run.gradients[n.index] is None]
        assert [n.index for n in nodes[-len(without) :]] == without
        nodes = nodes[: -len(without)]
    found = [keys[by](node) for node in nodes]
    assert found == sorted(found, reverse=descending)


@pytest.mark.parametrize("by", ["value", "norm"])
@pytest.mark.parametrize("descending", [False, True])
def test_what_is_to_come_is_not_sorted(by: str, descending: bool) -> None:
    trace = Debugger(load("three_layer")).trace
    look = trace.value if by == "value" else trace.gradient
    for position in range(len(trace) + 1):
        order = node_order(trace, position, by, descending=descending)
        arrays = [look(node, position) for node in order]
        sizes = [np.linalg.norm(array) for array in arrays if array is not None]
        assert all(array is None for array in arrays[len(sizes) :])
        assert sizes == sorted(sizes, reverse=descending)
        assert order[len(sizes) :] == sorted(order[len(sizes) :])


def test_nan_comes_first_where_the_largest_does() -> None:
    trace = Debugger(load("nan_where")).trace
    run = trace.run
    first = node_order(trace, len(trace), "norm", descending=True)[0]
    assert np.isnan(np.asarray(run.gradients[first])).any()


def test_stages_follow_the_position() -> None:
    debugger = Debugger(load("shared_node"))
    graph, trace = debugger.graph, debugger.trace
    shared = max(graph.nodes, key=lambda n: len(graph.consumers[n.index])).index
    seen = [computed(trace, shared, p) for p in range(len(trace) + 1)]
    order = ["future", "value", "partial", "gradient"]
    assert [order.index(s) for s in seen] == sorted(order.index(s) for s in seen)
    assert "partial" in seen
    assert seen[-1] == "gradient"


# --------------------------------------------------------------------------- flow


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("vanishing", "vanishing: numbers of x1.grad are 1.48e-6 times"),
        ("exploding", "exploding: numbers of h1.grad are 19683 times"),
        ("three_layer", "shrinking: numbers of x1.grad are 0.0201 times"),
        ("cross_entropy", "steady: numbers of a.grad are 2.36 times"),
        ("nan_where", "not finite from x.grad on"),
        ("scalar_product", "one layer"),
    ],
)
def test_the_verdict_says_what_the_lesson_shows(name: str, word: str) -> None:
    trace = Debugger(load(name)).trace
    assert flow(trace).verdict.startswith(word)


@pytest.mark.parametrize(
    ("factor", "word"),
    [
        (0.01, "vanishing"),  # 0.01² is less than a thousandth
        (0.5, "shrinking"),  # 0.5² is less than a third
        (0.6, "steady"),
        (1.7, "steady"),
        (2, "growing"),
        (40, "exploding"),
    ],
)
def test_a_course_is_called_after_how_much_it_changes(factor: float, word: str) -> None:
    program = "h1 = w * x\nh2 = w * h1\nh3 = w * h2\nE = h3 + 0"
    leaves = f"[inputs]\nx = 1.0\nw = {factor}\n"
    debugger = session(f"gradstep = 1\nprogram = '''\n{program}\n'''\n{leaves}")
    assert flow(debugger.trace).verdict.startswith(f"{word}: ")


@pytest.mark.parametrize(
    ("name", "verdicts"),
    [
        (
            "vanishing",
            [
                (
                    "vanishing: numbers of x1.grad are 1.48e-6 times those of "
                    "x10.grad, 0.225 times in each step"
                ),
                "vanishing: numbers of x1.grad are 1.48e-6 times those of x10.grad",
                "vanishing: numbers × 1.48e-6 from x10.grad to x1.grad",
            ],
        ),
        (
            "shared_node",  # two 1 of y.grad, two of r.grad, and one of s.grad
            [
                "steady: numbers of r.grad are as large as those of s.grad",
                "steady: numbers of one size from s.grad to r.grad",
            ],
        ),
    ],
)
def test_the_verdict_has_shorter_words_for_less_room(
    name: str, verdicts: list[str]
) -> None:
    assert flow(Debugger(load(name)).trace).verdicts == verdicts


def test_a_network_without_gradients_is_dead_and_not_steady() -> None:
    """After its first update every relu of the lesson is shut, but the last norms.

    The gradient of h10 is that of the sum, 1 for each, and all before it is 0.
    """
    debugger = Debugger(load("exploding"))
    for iteration in (1, 2):
        debugger.execute(f"goto {iteration}:end")
        found = flow(debugger.trace)
        assert found.verdict == "dead: 0 from h9.grad on"
        assert found.behind(len(debugger.trace)).verdict == found.verdict


@pytest.mark.parametrize(
    ("text", "leaves", "verdict"),
    [
        # A bias of a layer that is off comes before all that is computed.
        ("h = relu(x @ W + b)\nE = sum(h)", {"b": [-9.0]}, "dead: 0 from b.grad on"),
        # Leaves alone: nothing but the output stands between.
        ("E = sum(relu(x @ W + b))", {"b": [-9.0]}, "dead: 0 from b.grad on"),
        # The last layer lives by its bias, and what lies behind it does not.
        (
            "h = relu(x @ W + b)\nk = relu(h - 99)\nE = sum(k * u + c)",
            {"b": [9.0], "u": [2.0], "c": [1.0]},
            "dead: 0 from u.grad on",
        ),
        ("E = sum(relu(x @ W + b))", {"b": [9.0]}, "one layer"),
        ("E = sum(relu(x @ W + b)) + 0 * u", {"b": [9.0], "u": 1.0}, "one layer"),
    ],
)
def test_a_network_is_dead_by_what_reaches_its_leaves(
    text: str, leaves: dict[str, Any], verdict: str
) -> None:
    run = run_of(text, x=[[1.0, 2.0]], W=[[1.0], [0.5]], **leaves)
    assert flow(Trace(run)).verdict.startswith(verdict)


@pytest.mark.parametrize(
    ("text", "x", "verdict"),
    [
        # From 1e-300 to 1e300, in two steps of 1e300 each.
        (
            "a = x * 1e-300\nb = a * 1e300\nc = b * 1e300\nE = sum(c * 1e-300)",
            [0.5],
            (
                "exploding: numbers of a.grad are 1e600 times those of c.grad, "
                "1e300 times in each step"
            ),
        ),
        (
            "a = x * 1e300\nb = a * 1e-300\nc = b * 1e-300\nE = sum(c * 1e300)",
            [0.5],
            (
                "vanishing: numbers of a.grad are 1e-600 times those of c.grad, "
                "1e-300 times in each step"
            ),
        ),
        # Four elements of 1e308 have the norm 2e308, and each is finite.
        (
            "a = x * 1e308\nE = sum(a)",
            [0.5] * 4,
            "steady: numbers of a.grad are as large as those of E.grad",
        ),
        ("a = x * 1e308\nE = sum(a * 100)", [0.5] * 4, "not finite from x.grad on"),
    ],
)
def test_what_fits_is_never_told_of_by_what_does_not(
    text: str, x: list[float], verdict: str
) -> None:
    assert flow(Trace(run_of(text, x=x))).verdict == verdict


def test_a_gradient_of_zero_beside_others_is_named() -> None:
    text = "h = x * w\nE = sum(h * h) + 0 * v"
    run = run_of(text, x=[1.0, 2.0], w=[2.0, 3.0], v=1.0)
    assert flow(Trace(run)).verdict.endswith("; 0 at v.grad")


@pytest.mark.parametrize("whole", [False, True])
def test_the_flow_is_in_the_order_in_which_gradients_are_complete(whole: bool) -> None:
    trace = Debugger(load("three_layer")).trace
    found = flow(trace, whole=whole)
    done = [trace.arrivals(int(node))[-1] for node in found.nodes]
    assert done == sorted(done)
    assert trace.run.graph.output == found.nodes[0]


def test_bars_stand_on_one_logarithmic_scale() -> None:
    found = flow(Debugger(load("vanishing")).trace)
    bars = [found.bar(row) for row in range(len(found))]
    low, high = math.log10(found.scale.low), math.log10(found.scale.high)
    for bar in bars:
        assert bar.norm is not None
        place = (math.log10(bar.norm) - low) / (high - low)
        assert bar.share == pytest.approx(place, abs=1e-12)
    assert {bar.trend for bar in bars} == {"", "vanishing"}


def test_no_gradient_and_a_gradient_of_zero_are_not_alike() -> None:
    debugger = Debugger(load("three_layer"))
    debugger.execute("detach W1")
    trends_by_name = _trends(debugger)
    assert trends_by_name["W1"] == "no gradient"
    debugger.execute("runs 0")
    debugger.execute("set W3 = 0")
    assert _trends(debugger)["W1"] == "zero"


def _trends(debugger: Debugger) -> dict[str, str]:
    found = flow(debugger.trace)
    bars = [found.bar(row) for row in range(len(found))]
    return {debugger.graph.nodes[bar.node].name: bar.trend for bar in bars}


def test_trends_and_losses_are_those_of_the_records() -> None:
    debugger = Debugger(load("xor"))
    assert trends(debugger.timeline.records, debugger.trace.run) == {}
    debugger.execute("train 5")
    records = debugger.timeline.records
    found = trends(records, debugger.trace.run)
    weights = debugger.graph.names["W1"]
    gradient = np.asarray(debugger.timeline.trace(3).run.gradients[weights])
    assert found[weights][3] == pytest.approx(np.linalg.norm(gradient))
    assert records.losses.tolist() == [record.loss for record in records]
