"""Corners, NaN and Inf are told apart from mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from checks import edge_of, found, verdicts
from gradstep.core.check.check import check
from gradstep.core.engine.patches import Patches
from runs import edge, number, op_of, run_of, times


def test_functions_at_the_edge_of_their_domain() -> None:
    x = [1e-8, 1e-3, 1.0, 1e6]
    report = check(run_of("E = sum(log(x) + sqrt(x) + 1 / x)", x=x))
    assert verdicts(report) == {"ok"}


def test_a_large_offset_does_not_drown_a_gradient() -> None:
    run = run_of("E = (x + 1e8) - 1e8", x=1.0)
    assert verdicts(check(run)) == {"ok"}
    wrong = {edge(run, "E._1", "x"): times(1.001, op_of(run, "E._1"), 0)}
    assert not check(run.patched(Patches(rules=wrong))).ok


CORNERS = {
    "relu": ("relu(u)", [0.0, 1.0]),
    "abs": ("abs(u)", [0.0, -1.0]),
    "leaky_relu": ("leaky_relu(u)", [0.0, -1.0]),
    "maximum": ("maximum(u, 1)", [1.0, 3.0]),
    "minimum": ("minimum(u, 1)", [1.0, 3.0]),
    "clip": ("clip(u, -1, 1)", [1.0, 0.5]),
    "max": ("max(u)", [3.0, 1.0, 3.0]),
    "min": ("min(u)", [1.0, 1.0, 3.0]),
    "max of three": ("max(u)", [3.0, 3.0, 3.0]),
    "where": ("where(u > 0, u, 3 * u)", [0.0, 1.0]),
    "jump": ("where(u > 0, u + 1, 3 * u)", [0.0, 1.0]),
    "max_pool2d": ("max_pool2d(reshape(u, (1, 1, 2, 2)), 2)", [1.0, 2.0, 2.0, 0.0]),
}


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_corners_are_kinks_and_not_mistakes(name: str, dtype: Any) -> None:
    text, x = CORNERS[name]
    # The factor before and the one behind it make sure that it is seen from afar.
    run = run_of(f"u = x * 2 / 2\nv = {text}\nE = sum(3 * v)", dtype, x=x)
    report = check(run)
    assert report.ok, report.first_wrong
    gradient = found(report, "gradient", 0)
    assert gradient.verdict == "kink"
    ties = {(i,) for i, value in enumerate(x) if value == x[gradient.index[0]]}
    assert set(gradient.kinks) == ties


def test_corners_are_no_mistakes_of_forward_differences() -> None:
    for text, x in CORNERS.values():
        report = check(run_of(f"u = 1 * x\nE = sum({text})", x=x), scheme="forward")
        assert report.ok, report.first_wrong


def test_a_kink_where_all_numbers_are_zero_is_one() -> None:
    report = check(run_of("E = sum(abs(x))", x=[0.0]))
    gradient = found(report, "gradient", 0)
    assert (gradient.verdict, gradient.numeric) == ("kink", 0)


def test_of_several_the_first_is_told() -> None:
    kinks = found(check(run_of("E = sum(relu(x))", x=[1.0, 0.0, 0.0])), "gradient", 0)
    assert (kinks.index, kinks.kinks) == ((1,), ((1,), (2,)))
    roots = found(check(run_of("E = sum(sqrt(x))", x=[1.0, 0.0, 0.0])), "gradient", 0)
    assert (roots.index, roots.nonfinite) == ((1,), ((1,), (2,)))


def test_smaller_steps_give_the_number_unless_the_step_is_chosen() -> None:
    """exp(10⁴ x) has the slope 10⁴ at 0; a step of 10⁻⁵ says 10⁴ · sinh(0.1) / 0.1."""
    run = run_of("E = sum(exp(x * S))", x=[0.0, 1.0], S=[1e4, 0.0])
    refined = found(check(run), "gradient", 0)
    assert (refined.verdict, refined.index) == ("ok", (0,))
    assert refined.numeric == pytest.approx(1e4, rel=1e-7)
    chosen = found(check(run, step=1e-5), "gradient", 0)
    assert (chosen.verdict, chosen.index) == ("ok", (0,))
    assert chosen.numeric == pytest.approx(10016.67500198, rel=1e-7)


def test_a_kink_close_by_is_none() -> None:
    run = run_of(
        "E = sum(relu(x) + abs(x) + clip(x, -1, 1))", x=[1e-6, -1e-7, 1 + 1e-6]
    )
    assert verdicts(check(run)) == {"ok"}


@pytest.mark.parametrize(
    ("bend", "verdict"), [(0.007, "ok"), (0.015, "kink"), (-0.015, "kink")]
)
def test_sides_that_differ_by_a_hundredth_of_the_slopes_are_looked_at(
    bend: float, verdict: str
) -> None:
    """At 0 the slopes are 1 ± bend, and the gradient is 1: it agrees with the middle.

    The two are 2 · bend apart, and 0.02 is a hundredth of slope and gradient together.
    """
    report = check(run_of("E = sum(x + B * abs(x))", x=[0.0], B=bend))
    assert report.ok
    gradient = found(report, "gradient", 0)
    assert gradient.verdict == verdict
    assert gradient.analytic == 1
    assert gradient.numeric == pytest.approx(1)


def test_a_slope_outside_of_both_sides_is_a_mistake() -> None:
    run = run_of("E = sum(relu(x))", x=[0.0, 1.0])
    rule = {edge(run, "E._1", "x"): lambda g, y, x: g * np.where(x > 0, 1, 1.5)}
    first = check(run.patched(Patches(rules=rule))).first_wrong
    assert first is not None
    assert (first.index, first.analytic) == ((0,), 1.5)


def test_a_mistake_beside_a_kink_is_found() -> None:
    run = run_of("E = sum(relu(x))", x=[0.0, 1.0])
    rule = {edge(run, "E._1", "x"): lambda g, y, x: g * 1.001 * (x > 0)}
    first = check(run.patched(Patches(rules=rule))).first_wrong
    assert first is not None
    assert first.index == (1,)


def test_numbers_that_are_not_finite_are_told_by_element() -> None:
    run = run_of("E = sum(where(x > 0, log(x), 0) * x)", x=[0.0, 1.0, 2.0])
    report = check(run)
    gradient = found(report, "gradient", 0)
    assert report.ok
    assert gradient.verdict == "nonfinite"
    assert gradient.nonfinite == ((0,),)


def test_an_infinite_slope_is_told() -> None:
    report = check(run_of("E = sum(sqrt(x))", x=[0.0, 4.0]))
    gradient = found(report, "gradient", 0)
    assert (gradient.verdict, gradient.index) == ("nonfinite", (0,))
    assert gradient.analytic == np.inf


def test_an_overflow_of_the_dtype_is_told() -> None:
    report = check(run_of("E = sum(exp(x))", np.float16, x=[12.0, 1.0]))
    assert found(report, "gradient", 0).nonfinite == ((0,),)


def test_what_an_infinite_result_hides_is_no_mistake() -> None:
    run = run_of("y = x + B\nE = sum(y)", x=[1.0, 2.0], B=[np.inf, 1.0])
    report = check(run)
    assert report.ok, report.first_wrong
    assert found(report, "contribution", number(run, "y")).nonfinite == ((0,),)
    assert found(report, "gradient", 0).nonfinite == ((0,), (1,))
    run = run_of("E = sum(W @ x)", x=[[1.0], [2.0]], W=[[np.inf, 1.0], [3.0, 4.0]])
    assert check(run).ok


def test_a_mistake_beside_a_nan_is_found() -> None:
    run = run_of("E = sum(log(x))", x=[-1.0, 2.0])
    log = edge(run, "E._1", "x")
    wrong = {log: times(1.001, op_of(run, "E._1"), 0)}
    first = check(run.patched(Patches(rules=wrong))).first_wrong
    assert edge_of(first) == log
