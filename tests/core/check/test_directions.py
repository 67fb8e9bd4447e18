"""Along a random direction what is right agrees, and what is wrong is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given

from checks import LEAVES, NET, counted, found
from gradstep.core.check.check import MANY, check
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.run import evaluate
from runs import edge, number, op_of, programs, run_of, times

if TYPE_CHECKING:
    from gradstep.core.check.report import NodeCheck, Report
    from gradstep.core.program.build import Program

LONG = "y = cumsum(x)\nE = sum(y * y)"
X = np.linspace(-1.0, 1.0, 100)


def along(report: Report) -> list[NodeCheck]:
    return [one for one in report.checks if one.along]


# -------------------------------------------------------------------- what is right


@given(programs())
def test_programs_agree(program: Program) -> None:
    report = check(evaluate(program.graph, program.leaves), quick=True)
    assert report.ok, report.first_wrong
    assert report.quick


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_a_direction_has_the_numbers_of_all_its_elements(dtype: Any) -> None:
    report = check(run_of(LONG, dtype, x=X), quick=True)
    one = found(report, "gradient", 0)
    assert (one.verdict, one.along, one.index, one.elements) == ("ok", True, (), 100)
    assert one.numeric == pytest.approx(one.analytic, rel=1e-6)
    assert abs(one.analytic) > 1
    assert (one.rounding > 1e-6) == (dtype != np.float64)


def test_of_the_ends_the_leaves_are_compared_and_other_nodes_if_they_are_asked() -> (
    None
):
    run = run_of(NET, **LEAVES)
    leaves = {number(run, name) for name in LEAVES}
    assert {one.node for one in check(run, quick=True).gradients} == leaves
    h = number(run, "h")
    assert {one.node for one in check(run, quick=True, nodes=[h]).gradients} == {h}


def test_the_same_seed_draws_the_same_direction() -> None:
    run = run_of(LONG, x=X)
    drawn = [along(check(run, quick=True, seed=seed)) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


# -------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize("scale", [1.001, 0.0, -1.0])
def test_a_rule_that_is_wrong_by_a_factor_is_named(scale: float) -> None:
    run = run_of(LONG, x=X)
    there = edge(run, "y", "x")
    wrong = Patches(rules={there: times(scale, op_of(run, "y"), 0)})
    report = check(run.patched(wrong), quick=True)
    first = report.first_wrong
    assert first is not None
    assert (first.level, first.edge) == ("contribution", (*there, 0))
    assert not first.along
    assert first.analytic == pytest.approx(scale * first.numeric)
    assert found(report, "gradient", 0).verdict == "mismatch"


@pytest.mark.parametrize("place", [0, 41, 99])
def test_one_wrong_element_among_many_is_found_by_halves(place: int) -> None:
    run = run_of(LONG, x=X + 2)

    def wrong(g: Any, *_: Any, **_attributes: Any) -> Any:
        right = np.cumsum(g[::-1])[::-1].copy()
        right[place] *= 1.5
        return right

    bad = run.patched(Patches(rules={edge(run, "y", "x"): wrong}))
    with counted(run, "y") as calls:
        first = check(bad, quick=True, nodes=[number(run, "y")]).first_wrong
    assert first is not None
    assert first.index == (place,)
    assert first.analytic == pytest.approx(1.5 * first.numeric, rel=1e-6)
    assert len(calls) < 100


def test_a_cut_edge_is_named_by_its_sum() -> None:
    run = run_of("r = cumsum(x)\nE = sum(r * x)", x=X)
    cut = edge(run, "r", "x")
    first = check(run.patched(Patches(cuts=frozenset({cut}))), quick=True).first_wrong
    assert first is not None
    assert (first.level, first.edge) == ("accumulation", (*cut, 0))


# ------------------------------------------------------------- neither right nor wrong


def test_kinks_are_found_by_the_search() -> None:
    x = X.copy()
    x[[3, 70]] = 0.0
    report = check(run_of("E = sum(cumsum(relu(x)) ** 2)", x=x), quick=True)
    assert report.ok
    one = found(report, "gradient", 0)
    assert one.verdict == "kink"
    assert set(one.kinks) == {(3,), (70,)}


def test_what_is_not_finite_stays_at_rest() -> None:
    x = X + 2
    x[5] = np.inf
    report = check(run_of("y = cumsum(log(x))\nE = y[4] * y[3]", x=x), quick=True)
    assert report.ok
    one = found(report, "gradient", 0)
    assert (5,) in one.nonfinite or one.verdict == "ok"
    assert np.isfinite(one.numeric)


# ------------------------------------------------------------------------ what it costs


def test_two_evaluations_are_enough() -> None:
    run = run_of(LONG, x=X)
    with counted(run, "y") as calls:
        check(run, quick=True, nodes=[0])
    # Once in float64, and up and down: for the edge, and from end to end.
    assert len(calls) == 1 + 2 + 2


def test_progress_counts_what_is_compared() -> None:
    calls: list[tuple[int, int]] = []
    check(
        run_of(LONG, x=X),
        quick=True,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls[-1] == (5, 5)  # four edges and the gradient of x


def test_an_interrupt_keeps_what_was_done() -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    report = check(run_of(LONG, x=X), quick=True, progress=stop)
    assert not report.complete


@pytest.mark.parametrize(("size", "asked"), [(MANY, 1), (100, 0)])
def test_directions_come_first_where_the_elements_are_many(
    size: int, asked: int
) -> None:
    first: list[Report] = []
    report = check(run_of("E = sum(x * x)", x=np.ones(size)), first=first.append)
    assert not report.quick
    assert [one.quick for one in first] == [True] * asked
    assert all(one.ok for one in first)


def test_how_much_there_is_is_told_before_the_elements_are_compared() -> None:
    told: list[tuple[int, int]] = []
    after: list[int] = []
    check(
        run_of("E = sum(x * x)", x=np.ones(MANY)),
        first=lambda _report: after.append(len(told)),
        progress=lambda done, of: told.append((done, of)),
    )
    [asked] = after
    assert told[asked][0] == 0
    assert told[asked][1] > MANY


def test_an_interrupt_of_the_first_answer_ends_the_check() -> None:
    first: list[Report] = []

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    run = run_of("E = sum(x * x)", x=np.ones(MANY))
    report = check(run, first=first.append, progress=stop)
    assert not report.complete
    assert not report.checks
    assert not first[0].complete
