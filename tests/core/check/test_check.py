"""Numeric differentiation finds what is wrong, where it is, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.core.base.errors import InputError
from gradstep.core.check.check import NodeCheck, Report, check
from gradstep.core.check.differences import SCHEMES, Scheme
from gradstep.core.engine.patches import NO_PATCHES, Patches
from gradstep.core.engine.run import evaluate
from gradstep.core.ops import OPS
from gradstep.core.program.build import Program
from runs import contribution, edge, number, op_of, programs, run_of, times

NET = "h = tanh(x @ w + b)\nE = sum(h * h) / 2"
LEAVES = {
    "x": [[0.5, -1.0], [2.0, 0.25], [1.0, 1.5]],
    "w": [[0.5, 0.25, -1.0], [1.5, -0.5, 0.75]],
    "b": [0.125, -0.25, 0.5],
}


def found(report: Report, level: str, node: int) -> NodeCheck:
    return next(c for c in report.checks if c.level == level and c.node == node)


def edge_of(one: NodeCheck | None) -> tuple[int, int]:
    assert one is not None
    assert one.edge is not None
    return one.edge[:2]


def verdicts(report: Report) -> set[str]:
    return {one.verdict for one in report.checks}


# -------------------------------------------------------------------- what is right


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_right_gradients_agree(dtype: Any, scheme: Scheme) -> None:
    run = run_of(NET, dtype, **LEAVES)
    report = check(run, scheme=scheme)
    assert report.ok
    assert report.complete
    assert verdicts(report) == {"ok"}
    assert len(report.gradients) == len(run.graph) - 1  # all but the literal 2


def test_a_low_precision_is_told_beside_the_number() -> None:
    report = check(run_of(NET, np.float16, **LEAVES))
    gradient = max(report.gradients, key=lambda one: one.rounding)
    assert 1e-5 < gradient.rounding < 1e-2
    assert gradient.difference < 1e-6


def test_the_forward_difference_of_a_line() -> None:
    run = run_of("y = 3 * x + 2", x=3.0)
    report = check(run, scheme="forward", step=1e-7)
    slope = found(report, "gradient", number(run, "x"))
    assert f"{slope.numeric:.14f}" == "3.00000000444089"
    assert slope.analytic == 3
    assert report.step == 1e-7


@given(programs(), st.sampled_from(["central", "forward"]))
def test_programs_agree(program: Program, scheme: Scheme) -> None:
    report = check(evaluate(program.graph, program.leaves), scheme=scheme)
    assert report.ok, report.first_wrong


def test_functions_at_the_edge_of_their_domain() -> None:
    x = [1e-8, 1e-3, 1.0, 1e6]
    report = check(run_of("E = sum(log(x) + sqrt(x) + 1 / x)", x=x))
    assert verdicts(report) == {"ok"}


def test_a_large_offset_does_not_drown_a_gradient() -> None:
    run = run_of("E = (x + 1e8) - 1e8", x=1.0)
    assert verdicts(check(run)) == {"ok"}
    wrong = {edge(run, "E._1", "x"): times(1.001, op_of(run, "E._1"), 0)}
    assert not check(run.patched(Patches(rules=wrong))).ok


def test_a_seed_weighs_the_elements() -> None:
    run = run_of("y = x * x", seed=np.array([1.0, -2.0, 0.0]), x=[3.0, 4.0, 5.0])
    report = check(run)
    assert verdicts(report) == {"ok"}
    assert found(report, "gradient", 0).index in {(0,), (1,)}


def test_nodes_limit_what_is_checked() -> None:
    run = run_of(NET, **LEAVES)
    h = number(run, "h")
    report = check(run, nodes=[h])
    assert {one.node for one in report.gradients} == {h}
    assert {one.node for one in report.accumulations} == {h}
    assert report.contributions
    for one in report.contributions:
        consumer, argument = edge_of(one)
        assert h in {consumer, run.graph.nodes[consumer].operands[argument]}


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


def test_times_and_progress_are_told() -> None:
    calls: list[tuple[int, int]] = []
    run = run_of(NET, **LEAVES)
    report = check(run, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1][0] == calls[-1][1]
    assert report.backpropagation_time > 0
    assert report.numeric_time > 0


# -------------------------------------------------------------------- what is wrong


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


def test_a_value_that_is_set_is_no_mistake() -> None:
    run = run_of(NET, **LEAVES)
    h = number(run, "h")
    report = check(run.patched(Patches(values={h: np.full((3, 3), 0.5)})))
    assert report.ok
    assert found(report, "contribution", h).verdict == "skipped"
    assert found(report, "gradient", number(run, "x")).verdict == "skipped"
    assert found(report, "gradient", h).verdict == "ok"


# -------------------------------------------------------------------------- corners

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


def test_a_kink_that_differences_of_the_whole_cannot_see() -> None:
    run = run_of("E = sum(relu(x) - relu(-x))", x=[0.0, 1.0, -2.0])
    report = check(run)
    gradient = found(report, "gradient", 0)
    assert report.ok
    assert gradient.verdict == "kink"
    assert gradient.kinks == ((0,),)
    assert (gradient.analytic, gradient.numeric) == (0.0, pytest.approx(1.0))


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


# --------------------------------------------------------------------- NaN and Inf


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


# ------------------------------------------------------------ schemes and samples


def test_the_complex_step_is_exact() -> None:
    run = run_of("E = sum(exp(x) * sin(x) / x)", x=[0.5, 1.0, 30.0])
    for one in check(run, scheme="complex").gradients:
        assert one.difference <= 1e-13 * abs(one.analytic)


def test_the_complex_step_names_every_operation_that_refuses_it() -> None:
    run = run_of("a = relu(x)\nb = abs(a)\nc = exp(x)\nE = sum(b + c)", x=[1.0, 2.0])
    with pytest.raises(InputError) as caught:
        check(run, scheme="complex")
    text = str(caught.value)
    assert "relu at a" in text
    assert "abs at b" in text
    assert "exp" not in text
    # On a way that does not meet them it works.
    below = [number(run, "E"), number(run, "E._1")]
    assert check(run, scheme="complex", nodes=below[:1]).ok


COMPLEX = {
    "power": "x ** 3.5 + 2 ** x",
    "where": "where(x > 1, x * x, 3 * x)",
    "stop_gradient": "x * stop_gradient(x)",
    "dropout": "dropout(x, 0.5, seed=1) * x",
    "dot": "dot(x, x)",
    "outer": "outer(x, x)",
    "einsum": "einsum('i,j->ij', x, x)",
    "matmul": "reshape(x, (2, 2)) @ reshape(x, (2, 2)).T",
    "transpose": "reshape(x, (2, 2)).T * x[:2]",
    "swapaxes": "swapaxes(reshape(x, (2, 2)), 0, 1) * x[:2]",
    "squeeze": "squeeze(expand_dims(x, 0)) * x",
    "expand_dims": "expand_dims(x, 1) * x",
    "broadcast_to": "broadcast_to(x, (3, 4)) * x",
    "pad": "pad(x, 1) ** 2",
    "concatenate": "concatenate([x, x * x])",
    "stack": "stack([x, x * x])",
    "split": "split(x, 2)[0] * x[2:]",
    "getitem": "x[1:] * x[:3]",
    "take": "take(x, N) * x[:2]",
    "reshape": "reshape(x, (2, 2)) * x[:2]",
    "ravel": "ravel(reshape(x, (2, 2))) * x",
    "flip": "flip(x) * x",
    "cumsum": "cumsum(x) * x",
    "negative": "-x * x",
    "cross_entropy": "cross_entropy(reshape(x, (1, 4)), N[1:])",
    "conv2d": "conv2d(reshape(x, (1, 1, 2, 2)), reshape(x[:2], (1, 1, 1, 2)))",
    "avg_pool2d": "avg_pool2d(reshape(x, (1, 2, 2)), 2) * x",
}


@pytest.mark.parametrize("name", [op.name for op in OPS.values() if op.analytic])
def test_operations_that_take_complex_numbers(name: str) -> None:
    binary = {"add": "x + 2", "subtract": "2 - x", "multiply": "x * x"}
    text = binary.get(name) or COMPLEX.get(name)
    text = text or ("x / (1 + x)" if name == "divide" else f"{name}(x) * x")
    run = run_of(f"E = sum({text})", x=[0.5, 1.25, 2.0, 0.75], N=[0, 2])
    assert any(node.op is OPS[name] for node in run.graph)
    report = check(run, scheme="complex")
    assert verdicts(report) <= {"ok", "skipped"}  # a part that is not used
    for one in report.gradients:
        assert one.verdict == "skipped" or one.difference <= 1e-12 * abs(one.analytic)


def test_a_sample_holds_the_largest_gradient_and_is_repeatable() -> None:
    x = np.linspace(-1, 1, 200)
    x[137] = 40.0
    run = run_of("y = cumsum(x)\nE = sum(y * y)", x=x)
    one, two = (check(run, sample=5, seed=3) for _ in range(2))
    gradient = found(one, "gradient", 0)
    assert gradient.elements == 5
    assert found(two, "gradient", 0) == gradient
    assert found(one, "contribution", number(run, "y")).elements == 5
    largest = int(np.argmax(np.abs(np.asarray(run.gradient(0)))))

    def wrong(g: Any, *_: Any, **_attributes: Any) -> Any:
        right = np.cumsum(g[::-1])[::-1].copy()
        right[largest] *= 1.001
        return right

    edge_x = edge(run, "y", "x")
    report = check(run.patched(Patches(rules={edge_x: wrong})), sample=5, seed=3)
    assert report.first_wrong is not None
    assert report.first_wrong.index == (largest,)


def test_an_explicit_step_too_small_or_too_large_fails_nothing() -> None:
    run = run_of(NET, **LEAVES)
    for step in (1e-30, 1e-13, 1e-2):
        assert check(run, step=step).ok
        assert check(run, step=step, scheme="forward").ok
    wrong = Patches(rules={edge(run, "h", "h._2"): times(1.001, op_of(run, "h"), 0)})
    for step in (1e-9, 1e-2):
        assert not check(run.patched(wrong), step=step).ok


def test_wrong_options_are_told_at_once() -> None:
    run = run_of("y = x * x", x=1.0)
    with pytest.raises(InputError) as caught:
        check(run, scheme="centrall", step=0.0, rtol=-1.0, sample=0)  # type: ignore[arg-type]
    assert len(caught.value.problems) == 4
    assert "did you mean 'central'?" in str(caught.value)


# ------------------------------------------------------------------- how it is done


def test_an_interrupt_keeps_what_was_done() -> None:
    run = run_of(NET, **LEAVES)
    calls = 0

    def stop(_done: int, _total: int) -> None:
        nonlocal calls
        calls += 1
        raise KeyboardInterrupt

    report = check(run, progress=stop)
    assert calls == 1
    assert not report.complete
    assert len(report.checks) < len(check(run).checks)


def test_an_interrupt_within_a_large_node_keeps_its_elements() -> None:
    run = run_of("y = cumsum(x)\nE = sum(y * y)", x=np.linspace(-1, 1, 50))
    count = 0

    op = op_of(run, "y")
    forward = op.forward

    def interrupted(x: Any, **attributes: Any) -> Any:
        nonlocal count
        count += 1
        if count == 41:
            raise KeyboardInterrupt
        return forward(x, **attributes)

    object.__setattr__(op, "forward", interrupted)
    try:
        report = check(run, nodes=[number(run, "y")])
    finally:
        object.__setattr__(op, "forward", forward)
    assert not report.complete
    partial = report.checks[-1]
    assert 0 < partial.elements < 50
    assert partial.verdict == "ok"


def test_only_what_is_downstream_is_evaluated_again() -> None:
    run = run_of("a = exp(x)\nb = sin(y)\nE = sum(a * b)", x=[1.0, 2.0], y=[3.0, 4.0])
    op = op_of(run, "a")
    forward = op.forward
    count = 0

    def counted(x: Any) -> Any:
        nonlocal count
        count += 1
        return forward(x)

    object.__setattr__(op, "forward", counted)
    try:
        check(run, nodes=[number(run, "y")])
        assert count == 1  # the evaluation in float64
        check(run, nodes=[number(run, "x")])
        assert count == 1 + 1 + 2 + 2 * 2  # its contribution at once, its elements
    finally:
        object.__setattr__(op, "forward", forward)


def test_looking_changes_nothing() -> None:
    run = run_of(NET, np.float32, **LEAVES)
    values = [np.array(value) for value in run.values]
    gradients = [np.array(gradient) for gradient in run.gradients]
    check(run)
    for before, after in zip(values, run.values, strict=True):
        assert np.array_equal(before, after)
    for before, after in zip(gradients, run.gradients, strict=True):
        assert np.array_equal(before, np.array(after))


@settings(max_examples=10)
@given(programs())
def test_an_unpatched_run_is_the_base_of_all(program: Program) -> None:
    run = evaluate(program.graph, program.leaves, patches=NO_PATCHES)
    assert verdicts(check(run)) <= {"ok", "skipped", "kink"}


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
