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
