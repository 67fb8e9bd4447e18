"""What the whole program says of a gradient, and where it has nothing to say."""

from __future__ import annotations

import numpy as np
import pytest

from checks import LEAVES, NET, counted, found, verdicts
from gradstep.core.check.check import check
from gradstep.core.check.differences import SCHEMES
from gradstep.core.engine.patches import Patches
from runs import number, op_of, run_of


def test_a_seed_weighs_the_elements() -> None:
    run = run_of("y = x * x", seed=np.array([1.0, -2.0, 0.0]), x=[3.0, 4.0, 5.0])
    report = check(run)
    assert verdicts(report) == {"ok"}
    assert found(report, "gradient", 0).index in {(0,), (1,)}


def test_stop_gradient_is_meant() -> None:
    run = run_of("E = x * stop_gradient(x)", x=3.0)
    report = check(run)
    assert report.ok
    assert found(report, "gradient", 0).numeric == pytest.approx(3, rel=1e-8)


def test_a_node_without_a_path_is_skipped() -> None:
    run = run_of("u = x * 2\nE = x + 1", x=3.0)
    report = check(run)
    assert found(report, "gradient", number(run, "u")).verdict == "skipped"
    assert report.ok


def test_an_output_of_truth_values_has_nothing_to_compare() -> None:
    report = check(run_of("E = x > 0", x=3.0))
    assert [one.verdict for one in report.gradients] == ["skipped"]


def test_a_value_that_is_set_is_no_mistake() -> None:
    run = run_of(NET, **LEAVES)
    h = number(run, "h")
    report = check(run.patched(Patches(values={h: np.full((3, 3), 0.5)})))
    assert report.ok
    assert found(report, "contribution", h).verdict == "skipped"
    assert found(report, "gradient", number(run, "x")).verdict == "skipped"
    assert found(report, "gradient", h).verdict == "ok"


def test_a_kink_that_differences_of_the_whole_cannot_see() -> None:
    run = run_of("E = sum(relu(x) - relu(-x))", x=[0.0, 1.0, -2.0])
    report = check(run)
    gradient = found(report, "gradient", 0)
    assert report.ok
    assert gradient.verdict == "kink"
    assert gradient.kinks == ((0,),)
    assert (gradient.analytic, gradient.numeric) == (0.0, pytest.approx(1.0))


def test_only_what_is_downstream_is_evaluated_again() -> None:
    run = run_of("a = exp(x)\nb = sin(y)\nE = sum(a * b)", x=[1.0, 2.0], y=[3.0, 4.0])
    with counted(op_of(run, "a")) as calls:
        check(run, nodes=[number(run, "y")])
        assert len(calls) == 1  # the evaluation in float64
        check(run, nodes=[number(run, "x")])
        assert len(calls) == 1 + 1 + 2 + 2 * 2  # its contribution at once, its elements


def test_a_mask_that_chooses_elements_is_held() -> None:
    # Moved, it would choose others, and the shapes would no longer fit.
    run = run_of("E = sum(x[x > 0] * w)", x=[1.0, -2.0, 0.0, 1e-9], w=[3.0, 4.0])
    for scheme in SCHEMES:
        report = check(run, scheme=scheme, step=0.1 if scheme == "forward" else None)
        assert verdicts(report) == {"ok"}


def test_what_is_infinite_hides_what_is_added() -> None:
    run = run_of("q = s / x\nE = sum(q) + 2 * y", x=[0.0, 2.0], s=3.0, y=1.0)
    report = check(run)
    assert report.ok
    assert found(report, "gradient", number(run, "y")).verdict == "nonfinite"
    assert found(report, "contribution", number(run, "q")).verdict != "mismatch"


@pytest.mark.parametrize("u", ["x", "x * 2"])
def test_a_kink_is_looked_for_at_the_element_and_behind_it(u: str) -> None:
    """relu(u) − |u| / 2 is u / 2; at 0 both rules say 0."""
    run = run_of(f"u = {u}\nE = sum(relu(u) - 0.5 * abs(u))", x=[0.0, 1.0])
    gradient = found(check(run), "gradient", number(run, "x"))
    assert (gradient.verdict, gradient.kinks) == ("kink", ((0,),))
    assert gradient.analytic == 0


def test_large_terms_that_cancel_are_rounded_as_large_ones() -> None:
    # The sum of (x − mean) / √eps is always 0: it is 316 − 316 on the way.
    run = run_of("E = sum(layer_norm(x))", x=[0.0, 0.0, 0.0])
    report = check(run)
    assert report.first_wrong is None
    (one,) = [c for c in report.gradients if c.node == number(run, "x")]
    assert 0 < abs(one.numeric) < one.noise


def test_an_infinite_difference_agrees_with_no_number() -> None:
    # 0 ** p is 1 at p = 0, 0 above it, and infinite below it.
    run = run_of("E = sum(a ** p)", a=[0.0, 2.0], p=[0.0, 1.0])
    report = check(run, nodes=[number(run, "E._1")])
    (one,) = [c for c in report.contributions if c.argument == 1]
    assert (one.verdict, one.nonfinite) == ("nonfinite", ((0,),))
    whole = run_of("E = sum(abs(w) ** w + w)", w=[-0.0, 2.0])
    assert {one.verdict for one in check(whole).gradients} == {"ok", "kink"}
