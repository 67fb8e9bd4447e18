"""Every cause that `why` can name, each from a program that has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.run import Run
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.why import CAUSES, Why, why
from gradstep.core.scenario.scenario import load
from runs import edge, number, run_of
from sessions import TROUBLE, said, session

BIG = 1e200


def asked(run: Run, name: str, index: Any = (), position: int | None = None) -> Why:
    name, dot, quantity = name.partition(".")
    trace = Trace(run)
    place = len(trace) if position is None else position
    kind: Any = "grad" if dot and quantity == "grad" else "value"
    return why(trace, number(run, name), kind, index, place)


RUNS: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "constant": ("E = sum(x * C)", "C.grad", (0,), {"x": [1.0], "C": [2.0]}),
    "integer": ("E = sum(x * N)", "N.grad", (0,), {"x": [1.0], "N": [2]}),
    "not differentiable": (
        *("E = sum(where(x > y, x, 0))", "y.grad", (0,)),
        {"x": [1.0], "y": [0.0]},
    ),
    "stopped": (
        *("E = sum(stop_gradient(x) * y)", "x.grad", (0,)),
        {"x": [1.0], "y": [2.0]},
    ),
    "no path": ("z = x + 1\nE = sum(y)", "x.grad", (0,), {"x": [1.0], "y": [2.0]}),
    "zero slope": ("E = sum(relu(x))", "x.grad", (0,), {"x": [-1.0, 2.0]}),
    "cancelled": ("E = sum(x - x)", "x.grad", (0,), {"x": [1.0]}),
    "underflow": (
        *("E = sum(x * c * c)", "x.grad", (0,)),
        {"x": [1.0], "c": [1e-200]},
    ),
    "zero times infinity": (
        *("E = sum(where(x > 0, log(x), 0))", "x.grad", (0,)),
        {"x": [0.0, 2.0]},
    ),
    "infinite slope": ("E = sum(sqrt(x))", "x.grad", (0,), {"x": [0.0]}),
    "overflow": ("E = sum(x * c * c)", "x.grad", (0,), {"x": [1.0], "c": [BIG]}),
    "given": ("E = sum(x * 2)", "x", (0,), {"x": [np.inf]}),
    "made here": ("y = log(x)\nE = sum(y)", "y", (0,), {"x": [-1.0]}),
    "nonzero": ("E = sum(x * 2)", "x.grad", (0,), {"x": [1.0]}),
}


@pytest.mark.parametrize("cause", RUNS)
def test_each_cause_is_named(cause: str) -> None:
    text, name, index, leaves = RUNS[cause]
    found = asked(run_of(text, **leaves), name, index)
    assert found.cause == cause
    assert CAUSES[found.cause]


def test_a_cut_edge_and_a_written_number_are_named() -> None:
    run = run_of("y = x * 2\nE = sum(y)", x=[1.0])
    cut = run.patched(Patches(cuts=frozenset({edge(run, "y", "x")})))
    assert asked(cut, "x.grad", (0,)).cause == "cut"
    zero = run.patched(Patches(gradients={number(run, "y"): np.zeros(1)}))
    found = asked(zero, "x.grad", (0,))
    assert (found.cause, found.at.node) == ("written", number(run, "y"))
    bad = run.patched(Patches(values={number(run, "y"): np.array([np.nan])}))
    assert asked(bad, "E").cause == "written"


def test_a_cut_edge_says_more_than_a_condition() -> None:
    run = run_of("y = where(x > 0, log(x), 0)\nE = sum(y)", x=[1.0])
    cut = run.patched(Patches(cuts=frozenset({edge(run, "y", "y._2")})))
    assert asked(cut, "x.grad", (0,)).cause == "cut"


def test_a_nan_is_followed_to_a_nan_and_not_to_an_infinity_beside_it() -> None:
    run = run_of("a = log(x)\nE = sum(y * a)", x=[0.0, 0.0], y=[1.0, 0.0])
    found = asked(run, "E")
    assert [hop.index for hop in found.hops] == [(), (1,), (1,)]


def test_not_yet_is_not_zero() -> None:
    run = run_of("y = x * x\nE = sum(y)", x=[1.0])
    assert asked(run, "x.grad", (0,), position=1).cause == "not yet"
    assert asked(run, "x.grad", (0,)).cause == "nonzero"


def test_a_zero_seed_is_named() -> None:
    run = run_of("y = x * 2", seed=np.array([0.0, 1.0]), x=[1.0, 2.0])
    assert asked(run, "x.grad", (0,)).cause == "zero seed"
    assert asked(run, "x.grad", (1,)).cause == "nonzero"


def test_a_zero_is_followed_to_the_slope_that_blocks_it() -> None:
    run = run_of(
        "z = x @ w\nh = relu(z)\ny = h * 3\nE = sum(y)",
        x=[[1.0, 2.0]],
        w=[[1.0, -1.0], [1.0, -1.0]],
    )
    found = asked(run, "w.grad", (0, 1))
    assert found.cause == "zero slope"
    assert found.term is not None
    assert found.term.consumer == number(run, "h")
    assert found.term.index == (0, 1)


def test_a_nan_is_followed_to_the_product_and_the_branch() -> None:
    bug = session(TROUBLE)
    said(bug, "catch nan")
    reply = said(bug, "continue")
    assert reply.stop is not None
    assert reply.stop.where == "y._2<-x"
    assert reply.stop.index == (1,)
    found = said(bug, "why").show
    run = bug.trace.run
    assert found.cause == "zero times infinity"
    assert found.untaken == run.graph.node("y").index
    assert found.forward.node == run.graph.node("y._2").index
    names = {run.graph.nodes[n].name: count for n, _, count in found.spread}
    assert names == {"y._2": 1, "x": 1}


def test_a_nan_that_spreads_leads_back_to_the_same_place() -> None:
    run = run_of(
        "x = w * C\ny = where(x > 0, log(x), 0)\nE = sum(y)", w=0.5, C=[1.0, 0.0, 3.0]
    )
    for name, index in (("w.grad", ()), ("x.grad", (1,))):
        found = asked(run, name, index)
        assert found.cause == "zero times infinity"
        assert found.term is not None
        assert found.term.consumer == number(run, "y._2")


def test_sums_that_overflow_are_no_writing() -> None:
    run = run_of("E = sum(x * c) + sum(x * c)", np.float16, x=[1.0], c=[6e4])
    found = asked(run, "x.grad", (0,))
    assert found.cause == "overflow"


def test_float16_products_that_vanish_are_underflow() -> None:
    run = run_of("E = sum(x * c * c)", np.float16, x=[1.0], c=[1e-5])
    assert asked(run, "x.grad", (0,)).cause == "underflow"


def test_none_and_zero_never_look_alike() -> None:
    bug = session(TROUBLE)
    said(bug, "goto end")
    none = said(bug, "why loose.grad").text[0]
    zero = said(bug, "why w.grad[1]").text[0]
    assert none.startswith("loose.grad has no gradient")
    assert zero.startswith("w.grad[1] = 0")
    assert "no gradient" in said(bug, "explain loose.grad").text[0]


def test_every_why_of_every_element_is_answered() -> None:
    bug = session(TROUBLE)
    for place in ("0%", "50%", "end"):
        said(bug, f"goto {place}")
        for node in bug.graph:
            if not node.name.isidentifier():
                continue
            lines = [f"{word} {node.name}" for word in ("why", "explain", "uses")]
            lines += [f"{word} {node.name}.grad" for word in ("why", "explain")]
            for line in lines:
                reply = bug.execute(line)
                # It is about this node; only what is not computed yet has no answer.
                told = reply.error or "\n".join(reply.text)
                assert node.name in told, line
                assert reply.ok or "is not computed yet" in told, line
            *_, total = said(bug, f"paths {node.name}").text
            assert total.startswith("sum of "), node.name


def test_without_an_element_it_is_the_one_that_was_caught() -> None:
    bug = session(TROUBLE)
    said(bug, "catch zero")
    said(bug, "continue")
    assert bug.memory.stopped is not None
    index = bug.memory.stopped.index
    assert index is not None
    caught = str(list(index))
    largest = said(bug, f"explain {bug.memory.stopped.where}").data["element"]
    for command in ("why", "explain", "why"):
        element = said(bug, command).data["element"]
        assert element.endswith(caught)
        assert element != largest
    said(bug, "goto end")
    assert bug.memory.stopped is None


def test_without_an_element_it_is_the_one_that_is_watched() -> None:
    bug = session(TROUBLE)
    said(bug, "watch u.grad[0]")
    said(bug, "continue")
    assert said(bug, "explain").data["element"] == "u.grad[0]"
    assert said(bug, "explain u.grad").data["element"] == "u.grad[2]"
    said(bug, "commands 1 explain")
    said(bug, "goto start")
    assert "u.grad[0] = 1" in said(bug, "continue").text


def test_why_of_an_ordinary_number_opens_its_terms() -> None:
    bug = session(TROUBLE)
    said(bug, "goto end")
    for element in ("w.grad[0]", "cold[0]"):
        first, *terms = said(bug, f"why {element}").text
        assert first.endswith("it is not 0")
        assert terms == list(said(bug, f"explain {element}").text[1:])
        assert terms


@pytest.mark.parametrize(("steps", "is_named"), [(1, True), (7, True), (8, False)])
def test_a_branch_is_looked_for_over_eight_elementwise_steps(
    steps: int, *, is_named: bool
) -> None:
    """The last of them is the `where` itself."""
    lines = ["y0 = log(x)", *(f"y{n} = y{n - 1} * 2" for n in range(1, steps + 1))]
    lines += [f"chosen = where(x > 0, y{steps}, 0)", "E = sum(chosen)"]
    run = run_of("\n".join(lines), x=[0.0, 2.0])
    found = asked(run, "x.grad", (0,))
    assert found.cause == "zero times infinity"
    assert found.untaken == (number(run, "chosen") if is_named else None)


def test_uses_of_whole_numbers_say_that_they_have_no_derivative() -> None:
    bug = Debugger(load("two_layer_net"))
    for line in ("uses y", "uses y[3]"):
        reply = said(bug, line)
        assert reply.data[0]["edge"] == "L<-y"
        assert reply.data[0]["local derivative"] is None
        assert "no derivative" in reply.text[0]


def test_what_lost_in_a_maximum_is_told_where() -> None:
    bug = Debugger(load("conv"))
    said(bug, "goto end")
    reply = said(bug, "why p.h.grad[0, 0, 0, 0]")
    assert reply.data["cause"] == "zero slope"
    assert any(line.startswith("  blocked at p:") for line in reply.text)
