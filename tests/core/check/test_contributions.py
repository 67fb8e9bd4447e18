"""A rule that is wrong is named by its edge, with both numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import LEAVES, NET, counted, edge_of, found, verdicts
from gradstep.core.check.check import check
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.run import evaluate
from runs import contribution, edge, number, op_of, programs, run_of, times

if TYPE_CHECKING:
    from gradstep.core.program.build import Program


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("name", ["h._1", "h._2", "h", "E._1", "E._2", "E"])
def test_a_rule_wrong_by_a_thousandth_is_named(name: str, dtype: Any) -> None:
    run = run_of(NET, dtype, **LEAVES)
    node = run.graph.node(name)
    wrong = {(node.index, 0): times(1.001, op_of(run, name), 0)}
    report = check(run.patched(Patches(rules=wrong)))
    first = report.first_wrong
    assert not report.ok
    assert first is not None
    assert (first.level, first.node, first.argument) == ("contribution", node.index, 0)
    assert first.relative == pytest.approx(1e-3, rel=0.1)
    assert first.analytic == pytest.approx(1.001 * first.numeric, rel=1e-5)
    # The numbers of that very element, worked out by hand.
    right = contribution(run, node.index, 0)
    assert first.numeric == pytest.approx(right[first.index], rel=1e-2)
    assert first.difference > first.tolerance
    # What stands before it is only a consequence, and end to end everything shows it.
    wrong_rules = [c for c in report.contributions if c.verdict == "mismatch"]
    assert wrong_rules == [first]
    assert found(report, "gradient", node.operands[0]).verdict == "mismatch"


@given(programs(), st.data())
def test_a_wrong_rule_of_any_program_is_named(program: Program, data: Any) -> None:
    run = evaluate(program.graph, program.leaves)
    edges = [
        (node.index, argument)
        for node in run.graph
        for argument in range(len(node.operands))
        if run.carries(node.index, argument)
        and np.any(contribution(run, node.index, argument))
    ]
    chosen = data.draw(st.sampled_from(edges))
    op = op_of(run, run.graph.nodes[chosen[0]].name)
    wrong = Patches(rules={chosen: times(1.001, op, chosen[1])})
    report = check(run.patched(wrong), nodes=[chosen[0]])
    assert edge_of(report.first_wrong) == chosen


@pytest.mark.parametrize(
    ("wrong", "verdict"), [(0.7e-4, "ok"), (1.5e-4, "mismatch"), (-1.5e-4, "mismatch")]
)
def test_a_rule_may_be_wrong_by_a_ten_thousandth(wrong: float, verdict: str) -> None:
    run = run_of("E = 4 * x", x=2.0)
    rule = {edge(run, "E", "x"): times(1 + wrong, op_of(run, "E"), 1)}
    one = check(run.patched(Patches(rules=rule))).contributions[0]
    assert one.verdict == verdict
    assert one.relative == pytest.approx(abs(wrong), rel=1e-3)


def test_a_broadcast_gradient_with_one_wrong_element_is_named() -> None:
    run = run_of(NET, **LEAVES)

    def wrong(g: Any, *_: Any) -> Any:
        one = np.array(g)
        one[2, 1] *= 1.001
        return one

    b = edge(run, "h._2", "b")
    first = check(run.patched(Patches(rules={b: wrong}))).first_wrong
    assert first is not None
    assert (first.node, first.argument, first.index) == (*b, (1,))


def test_a_missing_sum_over_the_batch_is_named() -> None:
    run = run_of(NET, **LEAVES)
    rule = {edge(run, "h._2", "b"): lambda g, y, a, b: g[0]}
    first = check(run.patched(Patches(rules=rule))).first_wrong
    assert first is not None
    assert first.edge is not None
    assert first.edge.operand == number(run, "b")


def test_a_column_of_a_factor_is_moved_at_once() -> None:
    """For the edge 8 columns of a, up and down; for the gradient copies, in two calls.

    The first of them has the steps of 8 elements, the other those of the 24 left.
    """
    run = run_of(
        "y = a @ b", seed=np.ones((4, 2)), a=np.ones((4, 8)), b=np.ones((8, 2))
    )
    with counted(run, "y") as calls:
        check(run, nodes=[number(run, "a")])
    assert len(calls) == 1 + 2 * 8 + 2


@pytest.mark.parametrize("function", ["minimum", "maximum"])
@pytest.mark.parametrize("argument", [0, 1])
def test_an_operand_that_meets_itself_is_no_kink(function: str, argument: int) -> None:
    """The slope of minimum(x, x) is 1 at every x, and each use has half of it."""
    run = run_of(f"y = {function}(x, x)\nE = sum(y * y)", x=[1.5, -2.0, 0.25])
    right = check(run)
    assert verdicts(right) == {"ok"}
    node = run.graph.node("y")
    wrong = {(node.index, argument): times(1.001, op_of(run, "y"), argument)}
    report = check(run.patched(Patches(rules=wrong)))
    assert not report.ok
    assert edge_of(report.first_wrong) == (node.index, argument)
    # 2 y · 1/2, at the element where rounding weighs least
    assert report.first_wrong is not None
    (place,) = report.first_wrong.index
    assert report.first_wrong.numeric == pytest.approx([1.5, -2.0, 0.25][place])
    assert found(report, "gradient", run.graph.node("x").index).verdict == "mismatch"


def test_two_operands_that_are_equal_are_at_a_kink() -> None:
    run = run_of("y = minimum(x, z)\nE = sum(y)", x=[1.5, 3.0], z=[1.5, 2.0])
    report = check(run)
    assert report.ok
    kinks = [one.kinks for one in report.contributions if one.node == number(run, "y")]
    assert kinks == [((0,),), ((0,),)]
