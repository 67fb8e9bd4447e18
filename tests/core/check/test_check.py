"""Numeric differentiation agrees where all is right, and says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import LEAVES, NET, computed_by, edge_of, found, verdicts
from gradstep.core.base.errors import InputError
from gradstep.core.check.check import check
from gradstep.core.check.differences import SCHEMES, Scheme
from gradstep.core.engine.patches import NO_PATCHES, Patches
from gradstep.core.engine.run import evaluate
from gradstep.core.ops import OPS
from runs import edge, number, op_of, programs, run_of, times

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.core.ops.table import Op
    from gradstep.core.program.build import Program

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
    assert 1e-5 < max(one.rounding for one in report.contributions) < 1e-2
    assert gradient.difference < 1e-6


def test_the_forward_difference_of_a_line() -> None:
    run = run_of("y = 3 * x + 2", x=3.0)
    report = check(run, scheme="forward", step=1e-7)
    slope = found(report, "gradient", number(run, "x"))
    assert f"{slope.numeric:.14f}" == "3.00000000444089"
    assert slope.analytic == 3
    assert report.step == 1e-7


X = [[300.0, 0.0, -3.0], [-300.0, 1.00136e-5, 0.0]]
W = [[0.0, 0.0], [1.00136e-5, 0.0], [300.0, -300.0]]


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        # At the minimum the slope is 0, and rounding is all that differences see.
        ("E = var(var(w, axis=0))", {"w": [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]}),
        ("E = (sum(w * w) - 5.0) ** 2", {"w": [1.0, 2.0]}),
        # Large numbers cancel: what is left of them says nothing of their rounding.
        ("E = sum(v)", {"v": [0.0, -1e25, 1e25, -3.0]}),
        ("E = a @ v", {"a": [1.0, 1.0, 1.0], "v": [0.5, -1e25, 1e25]}),
        ("E = sum(a * v)", {"a": [1.0, 1.0, 1.0], "v": [0.5, -1e25, 1e25]}),
        # What a loss makes of 50 on its way is rounded as 50, and its slope is 1e-22.
        ("E = cross_entropy(x, T)", {"x": [[0.0, 50.0], [1.0, 60.0]], "T": [1, 1]}),
        ("E = sum(log_softmax(x)[:, 1])", {"x": [[0.0, 50.0], [1.0, 60.0]]}),
        ("E = logsumexp(x)", {"x": [0.0, 50.0]}),
        (
            "E = binary_cross_entropy_with_logits(x, T)",
            {"x": [50.0, -50.0], "T": [1.0, 0.0]},
        ),
        # No step is small beside a period of what large numbers go through.
        ("E = sum(sin(v))", {"v": [1e30, 0.5]}),
        ("E = cos(v * 1e12)", {"v": 3.0}),
        # Steps that pass the corner at 1e-5 do not tell how near the slope they are.
        ("E = sum(minimum(x, 0.0) @ w)", {"x": X, "w": W}),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_right_gradient_is_not_called_wrong(
    text: str, leaves: dict[str, Any], dtype: Any
) -> None:
    report = check(run_of(text, dtype, **leaves))
    assert report.ok, report.first_wrong


@given(programs(), st.sampled_from(["central", "forward"]))
def test_programs_agree(program: Program, scheme: Scheme) -> None:
    report = check(evaluate(program.graph, program.leaves), scheme=scheme)
    assert report.ok, report.first_wrong


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


def test_progress_counts_the_elements_of_what_is_compared() -> None:
    """One contribution, and the gradients of x and of E."""
    calls: list[tuple[int, int]] = []
    check(
        run_of("E = 4 * x", x=2.0),
        progress=lambda done, total: calls.append((done, total)),
    )
    assert (calls[0], calls[-1]) == ((1, 3), (3, 3))


def test_what_is_skipped_has_no_elements() -> None:
    report = check(run_of("u = x * 2\nE = x + 1", x=3.0))
    skipped = [one for one in report.checks if one.verdict == "skipped"]
    assert skipped
    assert {one.elements for one in skipped} == {0}


def test_times_and_progress_are_told() -> None:
    calls: list[tuple[int, int]] = []
    run = run_of(NET, **LEAVES)
    report = check(run, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1][0] == calls[-1][1]
    assert report.backpropagation_time > 0
    assert report.numeric_time > 0


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
    "put": "put(x[N], x[1:3] ** 2) * x",
    "take_along_axis": "take_along_axis(x, N) * x[:2]",
    "take": "take(x, N) * x[:2]",
    "reshape": "reshape(x, (2, 2)) * x[:2]",
    "ravel": "ravel(reshape(x, (2, 2))) * x",
    "flip": "flip(x) * x",
    "cumsum": "cumsum(x) * x",
    "roll": "roll(x, 1) * x",
    "tril": "tril(reshape(x, (2, 2))) * x[:2]",
    "triu": "triu(reshape(x, (2, 2)), 1) * x[:2]",
    "negative": "-x * x",
    "cross_entropy": "cross_entropy(reshape(x, (1, 4)), N[1:])",
    "conv_transpose2d": "conv_transpose2d(reshape(x, (1, 1, 2, 2)), "
    "reshape(x[:2], (1, 1, 1, 2)), stride=2)",
    "interpolate": "interpolate(reshape(x, (2, 2)), 3, mode='bilinear')",
    "adaptive_avg_pool2d": "adaptive_avg_pool2d(reshape(x ** 2, (2, 2)), (1, 2))",
    "linear": "linear(reshape(x, (2, 2)), reshape(x ** 2, (2, 2)), x[:2])",
    "conv2d": "conv2d(reshape(x, (1, 1, 2, 2)), reshape(x[:2], (1, 1, 1, 2)))",
    "avg_pool2d": "avg_pool2d(reshape(x, (1, 2, 2)), 2) * x",
    "inv": "inv(reshape(x, (2, 2))) * x[:2]",
    "det": "det(reshape(x, (2, 2))) * x",
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


def test_a_sample_is_drawn_with_the_seed_and_with_0_without_one() -> None:
    run = run_of("y = cumsum(x)\nE = sum(y * y)", x=np.linspace(-1, 1, 200) ** 3)
    drawn = {seed: check(run, sample=3, seed=seed).checks for seed in (0, 1, 2)}
    assert check(run, sample=3).checks == drawn[0]
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]


def test_a_sample_of_one_is_the_largest() -> None:
    run = run_of("y = cumsum(x)\nE = sum(y * G)", x=np.ones(50), G=np.arange(50.0))
    # What x[0] adds up to is the sum of all weights.
    for seed in range(3):
        gradient = found(check(run, sample=1, seed=seed), "gradient", 0)
        assert (gradient.index, gradient.analytic) == ((0,), 49 * 25)


def test_what_is_moved_at_once_is_compared_as_a_whole_whatever_the_sample() -> None:
    run = run_of("y = x * x\nz = cumsum(y)\nE = sum(z)", x=np.arange(1.0, 51.0))
    report = check(run, sample=5)
    y, z = number(run, "y"), number(run, "z")
    assert found(report, "contribution", y).elements == 50
    assert found(report, "contribution", z).elements == 5
    assert found(report, "gradient", y).elements == 5


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


@pytest.mark.parametrize(
    ("option", "values", "allowed"),
    [
        ("scheme", ["xyz"], "allowed: forward, central, complex"),
        ("step", [-0.5, 0.0, np.inf, np.nan], "allowed: a number above 0"),
        ("rtol", [-0.5, np.inf, np.nan], "allowed: a number from 0 on"),
        ("sample", [0, -1], "allowed: 1 or more"),
    ],
)
def test_a_wrong_option_says_what_is_allowed(
    option: str, values: list[Any], allowed: str
) -> None:
    run = run_of("y = x * x", x=1.0)
    for value in values:
        with pytest.raises(InputError, match=allowed):
            check(run, **{option: value})


def test_options_at_their_bounds_are_taken() -> None:
    run = run_of("y = x * x", x=1.0)
    assert check(run, step=0.5).step == 0.5
    assert check(run, rtol=0.5).ok
    assert check(run, rtol=0.0).rtol == 0
    assert check(run, sample=1).ok


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

    def interrupting(op: Op) -> Callable[..., Any]:
        def interrupted(x: Any, **attributes: Any) -> Any:
            nonlocal count
            count += 1
            if count == 41:
                raise KeyboardInterrupt
            return op.forward(x, **attributes)

        return interrupted

    with computed_by(run, "y", interrupting):
        report = check(run, nodes=[number(run, "y")])
    assert not report.complete
    partial = report.checks[-1]
    assert 0 < partial.elements < 50
    assert partial.verdict == "ok"


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
