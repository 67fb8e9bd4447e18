"""What a check found, in words."""

import math

import pytest

from gradstep import Debugger, load
from gradstep.core.check.check import check
from gradstep.core.check.report import Report
from gradstep.core.explain.verdicts import (
    agreement,
    blamed,
    check_lines,
    compared,
    numeric_line,
    undecided_lines,
)
from runs import run_of


def checked(name: str, *lines: str) -> Report:
    debugger = Debugger(load(name))
    for line in (*lines, "check"):
        debugger.execute(line)
    report = debugger.memory.report
    assert report is not None
    return report


def test_checks_begin_with_the_cause() -> None:
    report = checked("three_layer", "patch x2 local")
    first = report.worst_first[0]
    assert first is report.first_wrong
    assert compared(report.run.graph, first).startswith("x2<-x2.z[")
    verdicts = [one.verdict for one in report.worst_first]
    assert verdicts[-1] in ("ok", "skipped")


def test_a_wrong_rule_is_named_at_its_edge_with_both_numbers() -> None:
    report = checked("apple_orange", "patch y<-z swap")
    wrong = report.first_wrong
    assert wrong is not None
    assert blamed(report.run.graph, wrong) == "the rule of multiply at y<-z, line 4"
    place, ours, numeric, count = check_lines(report)
    assert place == "wrong: the rule of multiply at y<-z, line 4"
    # y = 1.1 z: the slope is 1.1, and swapped it is z = 500.
    assert ours == "  500 from backpropagation"
    assert numeric == "  1.1 from differences"
    assert count == agreement(report)


def test_a_wrong_sum_is_named_with_the_edge_that_spoils_it() -> None:
    debugger = Debugger(load("shared_node"))
    uses = debugger.graph.consumers
    node = next(n for n in debugger.graph if len(uses[n.index]) > 1)
    report = checked("shared_node", f"patch {node.name} overwrite")
    graph, wrong = report.run.graph, report.first_wrong
    assert wrong is not None
    assert wrong.level == "accumulation"
    assert wrong.edge is not None
    name = f"{node.name}.grad"
    assert compared(graph, wrong) == f"Σ {name}"
    at = f", at {graph.edge_name(wrong.edge)}"
    assert blamed(graph, wrong).startswith(
        f"the sum of the contributions to {name}{at}"
    )


def test_a_kink_is_told_with_its_place() -> None:
    report = check(run_of("E = sum(relu(x))", x=[0.0, 2.0]))
    (kink,) = (one for one in report.gradients if one.verdict == "kink")
    assert compared(report.run.graph, kink) == "x.grad[0]"
    assert list(undecided_lines(report)) == [
        "at a kink or a step, where differences tell no slope: x.grad[0]"
    ]


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ([1.0, 2.0], "all 8 comparisons agree"),
        # Three gradients, three sums and two rules; of an array its worst element.
        ([0.0, 2.0], "8 comparisons: 6 agree, 2 at a kink"),
        ([math.inf, 1.0], "8 comparisons: 3 agree, 5 not finite"),
    ],
)
def test_what_is_undecided_is_no_failure_in_the_count(
    x: list[float], says: str
) -> None:
    assert agreement(check(run_of("E = sum(relu(x))", x=x))) == says


def test_what_is_no_kink_is_not_called_one() -> None:
    """PyTorch divides by 1e-12 at least; sin(1e16) turns more often than one can step.

    Each is told once as an edge and once as a whole: the sums and E itself agree.
    """
    held = check(run_of("E = binary_cross_entropy(p, T)", p=1e-13, T=1.0))
    assert agreement(held) == "5 comparisons: 3 agree, 2 at a bound"
    far = check(run_of("E = sin(x)", x=1e16))
    assert agreement(far) == "5 comparisons: 3 agree, 2 unseen by differences"
    assert list(undecided_lines(far)) == [
        "it turns or leaps within each step of differences: x.grad"
    ]
    (one,) = [one for one in far.gradients if one.verdict == "unseen"]
    assert numeric_line(one).endswith("turns or leaps within each step of differences")


def test_places_and_their_lines_are_told_apart() -> None:
    """By a comma alone a line would stand among the places."""
    run = run_of("y = x * 2\nz = relu(y)\nE = sum(z)", x=[0.0])
    [told] = undecided_lines(check(run))
    assert told.endswith("tell no slope: y.grad[0] (line 1), x.grad[0]")


def test_what_differs_is_counted_beside_what_agrees() -> None:
    run = run_of("E = relu(x)", x=0.0)
    node = run.graph.node("x").index
    found = check(run, nodes=[node])
    assert agreement(found) == "3 comparisons: 1 agrees, 2 at a kink"
    assert agreement(checked("matmul", "patch Y<-X transpose")) == (
        "8 comparisons: 6 agree, 2 differ"
    )
