"""A sum that is wrong is named by its node, and by the edge that made it so."""

from __future__ import annotations

import numpy as np
import pytest

from checks import LEAVES, NET, found
from gradstep.core.check.check import check
from gradstep.core.engine.patches import Patches
from runs import edge, number, run_of

SHARED = "r = relu(x)\ns = x * x\nE = sum(r * s + x)"


@pytest.mark.parametrize("consumer", ["E._2", "s", "r"])
def test_a_cut_edge_is_found_at_its_node(consumer: str) -> None:
    run = run_of(SHARED, x=[1.0, -2.0, 3.0])
    cut = edge(run, consumer, "x")
    report = check(run.patched(Patches(cuts=frozenset({cut}))))
    first = report.first_wrong
    assert first is not None
    assert (first.level, first.node) == ("accumulation", number(run, "x"))
    assert first.edge == (*cut, number(run, "x"))
    assert all(c.verdict != "mismatch" for c in report.contributions)


def test_a_cut_that_leaves_no_gradient_is_found() -> None:
    run = run_of("y = x * 3\nE = y + 1", x=2.0)
    report = check(run.patched(Patches(cuts=frozenset({edge(run, "y", "x")}))))
    first = report.first_wrong
    assert first is not None
    assert (first.node, first.analytic, first.numeric) == (0, 0.0, 3.0)
    assert found(report, "gradient", 0).verdict == "mismatch"


@pytest.mark.parametrize("consumer", ["s", "r"])
def test_an_overwritten_gradient_is_found_at_its_node(consumer: str) -> None:
    run = run_of(SHARED, x=[1.0, -2.0, 3.0])
    there = edge(run, consumer, "x")
    report = check(run.patched(Patches(overwrites=frozenset({there}))))
    first = report.first_wrong
    assert first is not None
    assert (first.level, first.node) == ("accumulation", number(run, "x"))
    assert first.edge == (*there, number(run, "x"))


def test_a_rule_that_writes_in_place_is_found() -> None:
    run = run_of("y = relu(x) + x", seed=np.ones(2), x=[-1.0, 2.0])
    relu = edge(run, "y._1", "x")
    report = check(run.patched(Patches(in_place=frozenset({relu}))))
    first = report.first_wrong
    assert first is not None
    assert first.edge == (*relu, number(run, "x"))
    assert found(report, "accumulation", number(run, "x")).verdict == "mismatch"
    assert all(c.verdict != "mismatch" for c in report.contributions)


def test_a_gradient_that_is_set_is_found() -> None:
    run = run_of(NET, **LEAVES)
    h = number(run, "h")
    patches = Patches(gradients={h: np.ones((3, 3))})
    first = check(run.patched(patches)).first_wrong
    assert first is not None
    assert (first.level, first.node) == ("accumulation", h)


@pytest.mark.parametrize(("off", "verdict"), [(5e-9, "ok"), (12e-9, "mismatch")])
def test_a_sum_may_be_wrong_by_a_billionth_of_its_terms(
    off: float, verdict: str
) -> None:
    """The terms are 5 and −3, so the sizes of the terms are 8 and their sum is 2."""
    run = run_of("E = 5 * x - 3 * x", x=[[2.0, 1.0]], seed=np.ones((1, 2)))
    there = number(run, "x")
    bad = run.patched(Patches(gradients={there: np.array([[2.0, 2.0 + off]])}))
    one = found(check(bad), "accumulation", there)
    assert one.verdict == verdict
    assert one.index == (0, 1)
    assert one.numeric == 2


def test_a_gradient_of_the_output_that_is_set_is_found_where_it_enters() -> None:
    run = run_of("y = x * w", seed=np.ones(2), x=[1.0, 2.0], w=[3.0, 4.0])
    y = number(run, "y")
    first = check(run.patched(Patches(gradients={y: np.full(2, 2.0)}))).first_wrong
    assert first is not None
    assert (first.level, first.node, first.edge) == ("accumulation", y, (y, -1, y))
