"""What the whole program says of a gradient, and where it has nothing to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cases import EXAMPLES, cases_of, leaves_of
from checks import LEAVES, NET, counted, edge_of, found, verdicts
from gradstep.core.check.check import check
from gradstep.core.check.differences import SCHEMES
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.ops import OPS
from runs import number, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.core.ops.table import Op, Rule
    from ops_examples import Case


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
    with counted(run, "a") as calls:
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


def test_a_bound_behind_an_operation_is_called_one_with_its_reason() -> None:
    run = run_of("p = x * 1\nE = binary_cross_entropy(p, T)", x=[1e-14], T=[1.0])
    gradient = found(check(run), "gradient", 0)
    assert gradient.verdict == "bound"
    assert "1e-12" in gradient.reason
    kinked = run_of("p = x * 1\nE = sum(relu(p) - relu(-p))", x=[0.0])
    gradient = found(check(kinked), "gradient", 0)
    assert (gradient.verdict, gradient.reason) == ("kink", "")


def test_of_what_is_undecided_the_worst_is_told() -> None:
    """No step sees a slope at 1e17, and at 0.5 there is a step of the function."""
    run = run_of("E = sum(round(x))", x=[0.5, 1e17])
    (made,) = [one for one in check(run).contributions if one.argument == 0][1:]
    assert (made.verdict, made.index) == ("unseen", (1,))
    assert made.kinks == ((0,), (1,))


# ------------------------------------------------ a rule that is wrong in both passes

MISTAKES: dict[str, Callable[[Any, Any], Any]] = {
    "factor": lambda g, right: 1.5 * right,
    "a tenth of a percent": lambda g, right: 1.001 * right,
    "sign": lambda g, right: -right,
    "function": lambda g, right: right + 0.5 * g,
}


def mistaken(op: Op, argument: int, mistake: Callable[[Any, Any], Any]) -> Op:
    """Return a row whose vjp and jvp by an operand are wrong in the same way."""

    def wrong(rule: Rule) -> Rule:
        return lambda g, *arrays, **attributes: mistake(
            g, rule(g, *arrays, **attributes)
        )

    def rules(right: tuple[Rule | None, ...]) -> tuple[Rule | None, ...]:
        return tuple(
            wrong(rule) if rule is not None and k == argument else rule
            for k, rule in enumerate(right)
        )

    return op._replace(vjps=rules(op.vjps), jvps=rules(op.jvps), together=None)


def run_of_row(op: Op, case: Case) -> Run:
    """Run an operation whose result is one of the factors of the output."""
    build = Builder()
    leaves = leaves_of(build, case)
    y = build.apply(op, tuple(leaves), case.attributes, "y")
    shape = np.shape(op.forward(*case.operands, **case.attributes))
    weights = np.random.default_rng(0).uniform(0.5, 2.0, shape)
    factor = build.leaf("W", "constant", shape)
    output = build.apply(OPS["multiply"], (y, factor), name="E")
    return evaluate(build.finish(output), {**leaves, factor: weights}, np.ones(shape))


def by_element(name: str) -> bool:
    op = OPS[name]
    return op.kind == "elementwise" and any(op.vjps)


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", [name for name in EXAMPLES if by_element(name)])
def test_a_slope_that_is_wrong_in_both_passes_is_called_wrong(
    name: str, mistake: str
) -> None:
    """No witness of a gradient goes by the rule that made it."""
    looked = 0
    for case in cases_of(name)[:4]:
        for argument, operand in enumerate(case.operands):
            is_float = np.asarray(operand).dtype.kind == "f"
            if OPS[name].vjp(argument) is None or not is_float:
                continue
            right = run_of_row(OPS[name], case)
            wrong = mistaken(OPS[name], argument, MISTAKES[mistake])
            run = run_of_row(wrong, case)
            one, other = (np.asarray(r.gradients[argument]) for r in (run, right))
            if np.allclose(one, other, rtol=5e-4, atol=0):
                continue  # a slope of 0 times 1.5, say
            looked += 1
            report = check(run)
            assert found(report, "gradient", argument).verdict == "mismatch"
            y = number(run, "y")
            assert edge_of(report.first_wrong) == (y, argument)
    flat = EXAMPLES[name].flat and mistake != "function"
    assert looked or flat


def test_a_sine_that_is_wrong_afar_is_called_wrong() -> None:
    """No step of differences sees that; a complex one does: it can be short."""
    right = far_sine(OPS["sin"])
    assert right.gradients[0] == pytest.approx(1e8 * np.cos([1e16, 0]), rel=1e-12)
    assert check(right).ok
    for mistake in MISTAKES.values():
        report = check(far_sine(mistaken(OPS["sin"], 0, mistake)))
        assert found(report, "gradient", 0).verdict == "mismatch"
        assert edge_of(report.first_wrong) == (3, 0)


def far_sine(sine: Op) -> Run:
    """Run sin(x * w)."""
    build = Builder()
    x, w = (build.leaf(name, "input", (2,)) for name in "xw")
    y = build.apply(sine, (build.apply(OPS["multiply"], (x, w), name="u"),), name="y")
    leaves = {x: np.array([1e8, 0.0]), w: np.array([1e8, 1e8])}
    return evaluate(build.finish(y), leaves, np.ones(2))


def test_a_portion_is_rounded_as_what_it_is_a_part_of() -> None:
    """1 + tanh(−17.8) has one digit, and so has what is made of it."""
    text = "v = gelu(w, approximate='tanh')\nE = sum(v * v)"
    assert check(run_of(text, w=[-6.994171619415283, -1.7993981838226318])).ok
