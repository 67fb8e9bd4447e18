"""Each classic mistake gives the wrong gradient that it says; the check names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gradstep.core.base.errors import CommandError
from gradstep.core.check.check import check
from gradstep.core.engine.graph import Edge
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.mistakes import (
    MISTAKES,
    find_mistake,
    fitting,
    with_mistake,
)
from gradstep.core.program.build import Leaf, build
from gradstep.core.session.location import parse_edge

if TYPE_CHECKING:
    from collections.abc import Mapping

RNG = np.random.default_rng(7)
A, B = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))
X, W = RNG.normal(size=(4, 2)), RNG.normal(size=(2, 3))
BIAS = RNG.normal(size=3)
ONE, TWO = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
G33, G43 = RNG.normal(size=(3, 3)), RNG.normal(size=(4, 3))


def run_of(program: str, **leaves: object) -> Run:
    """Run a program; capital G is a constant, everything else an input."""
    given = {
        name: Leaf("constant" if name == "G" else "input", np.asarray(value))
        for name, value in leaves.items()
    }
    built = build(program, given)
    return evaluate(built.graph, built.leaves)


def edge_of(run: Run, text: str) -> Edge:
    consumer, argument = parse_edge(text, run.graph)
    return Edge(consumer, argument, run.graph.nodes[consumer].operands[argument])


def patched(run: Run, mistake: str, edge: str) -> Run:
    patches, _ = with_mistake(Trace(run), find_mistake(mistake), [edge_of(run, edge)])
    return run.patched(patches)


def gradient(run: Run, name: str) -> np.ndarray:
    found = run.gradient(run.graph.node(name).index)
    assert found is not None
    return found


MATRIX = "z = a @ b\nE = sum(z * G)"
LAYER = "z = x @ w\ny = z + b\nE = sum(y * G)"
USED_TWICE = "z = x @ w\ny = z + b\nv = y * y\nE = sum(y * v)"
# mistake, edge, program, leaves, whose gradient, and what it is by hand
CASES: dict[str, tuple[str, str, str, Mapping[str, object], str, object]] = {
    "transpose of the second": (
        *("transpose", "z<-a", MATRIX, {"a": A, "b": B, "G": G33}, "a"),
        G33 @ B,
    ),
    "transpose of the first": (
        *("transpose", "z<-b", MATRIX, {"a": A, "b": B, "G": G33}, "b"),
        A @ G33,
    ),
    "transpose of a vector's matrix": (
        *("transpose", "z<-b", MATRIX, {"a": A, "b": B[0], "G": G33[0]}, "b"),
        A @ G33[0],
    ),
    "transpose itself": (
        *("transpose", "z<-a", "z = a.T\nE = sum(z * G)", {"a": A, "G": G33}, "a"),
        G33,
    ),
    "swapped factors, first": (
        *("swap", "z<-a", MATRIX, {"a": A, "b": B, "G": G33}, "a"),
        B.T @ G33,
    ),
    "swapped factors, second": (
        *("swap", "z<-b", MATRIX, {"a": A, "b": B, "G": G33}, "b"),
        G33 @ A.T,
    ),
    "swapped in a product": (
        *("swap", "z<-a", "z = a * b\nE = sum(z)", {"a": ONE, "b": TWO}, "a"),
        ONE,
    ),
    "swapped in a difference": (
        *("swap", "z<-a", "z = a - b\nE = sum(z)", {"a": ONE, "b": TWO}, "a"),
        -np.ones((4, 3)),
    ),
    "swapped in a quotient": (
        *("swap", "z<-b", "z = a / b\nE = sum(z)", {"a": ONE, "b": TWO}, "b"),
        1 / TWO,
    ),
    "bias not summed": (
        *("batch", "y<-b", LAYER, {"x": X, "w": W, "b": BIAS, "G": G43}, "b"),
        G43[0],
    ),
    "bias as a row not summed": (
        *("batch", "y<-b", LAYER, {"x": X, "w": W, "b": BIAS[None], "G": G43}, "b"),
        G43[:1],
    ),
    "weights, rows": (
        *("batch", "z<-w", LAYER, {"x": X, "w": W, "b": BIAS, "G": G43}, "w"),
        np.outer(X[0], G43[0]),
    ),
    "weights, columns": (
        *("batch", "z<-a", MATRIX, {"a": W.T, "b": X.T, "G": G43.T}, "a"),
        np.outer(G43[0], X[0]),
    ),
    "scale not summed": (
        *(
            "batch",
            "z<-a",
            "z = a * b\nE = sum(z * G)",
            {"a": BIAS, "b": ONE, "G": TWO},
        ),
        "a",
        (TWO * ONE)[0],
    ),
    "slope forgotten": (
        *("local", "z<-a", "z = tanh(a)\nE = sum(z * G)", {"a": ONE, "G": TWO}, "a"),
        TWO,
    ),
    "slope forgotten, broadcast": (
        *(
            "local",
            "z<-a",
            "z = a * b\nE = sum(z * G)",
            {"a": BIAS, "b": ONE, "G": TWO},
        ),
        "a",
        TWO.sum(axis=0),
    ),
    "slope of softmax forgotten": (
        *("local", "z<-a", "z = softmax(a)\nE = sum(z * G)", {"a": ONE, "G": TWO}, "a"),
        TWO,
    ),
    "overwritten": (
        *("overwrite", "z<-a", "z = 3 * a\nE = sum(z * G + a)", {"a": ONE, "G": TWO}),
        "a",
        3 * TWO,
    ),
    "mean without 1/n": (
        *("mean", "E<-z", "z = a * G\nE = mean(z)", {"a": ONE, "G": TWO}, "a"),
        TWO,
    ),
    "mean along an axis": (
        *("mean", "m<-a", "m = mean(a, axis=0)\nE = sum(m * G)", {"a": ONE, "G": BIAS}),
        "a",
        np.broadcast_to(BIAS, (4, 3)),
    ),
    "sum with 1/n": (
        *("mean", "E<-z", "z = a * G\nE = sum(z)", {"a": ONE, "G": TWO}, "a"),
        TWO / 12,
    ),
    "in place": (
        # The textbook ReLU that writes zeros into what arrives: [0, 2] for [1, 2].
        *("in-place", "r<-x", "r = relu(x)\ny = r + x\nE = sum(y)"),
        *({"x": [-1.0, 1.0]}, "x", [0.0, 2.0]),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_wrong_gradient_is_the_one_that_is_documented(case: str) -> None:
    mistake, edge, program, leaves, name, wrong = CASES[case]
    run = run_of(program, **leaves)
    wrong = np.asarray(wrong)
    assert not np.allclose(gradient(run, name), wrong)
    assert gradient(patched(run, mistake, edge), name) == pytest.approx(wrong)


def test_every_mistake_has_a_case() -> None:
    assert {case[0] for case in CASES.values()} == set(MISTAKES)


@pytest.mark.parametrize("case", CASES)
def test_patched_from_a_base_is_patched_from_scratch(case: str) -> None:
    mistake, edge, program, leaves, _, _ = CASES[case]
    run = run_of(program, **leaves)
    wrong = patched(run, mistake, edge)
    scratch = evaluate(run.graph, run.leaves, run.seed, wrong.patches)
    for one, two in zip(wrong.gradients, scratch.gradients, strict=True):
        assert (one is None) == (two is None)
        assert one is None or np.array_equal(np.asarray(one), np.asarray(two))
    # And back again: what is not patched any more is as it was.
    for one, two in zip(
        wrong.patched(run.patches).gradients, run.gradients, strict=True
    ):
        assert np.array_equal(np.asarray(one), np.asarray(two), equal_nan=False)


@pytest.mark.parametrize("case", CASES)
def test_the_check_names_the_wrong_edge(case: str) -> None:
    mistake, edge, program, leaves, _, _ = CASES[case]
    run = run_of(program, **leaves)
    assert check(run).ok
    found = check(patched(run, mistake, edge)).first_wrong
    assert found is not None
    assert found.edge == edge_of(run, edge)


@pytest.mark.parametrize("case", CASES)
def test_the_trace_of_a_wrong_run_ends_with_its_gradients(case: str) -> None:
    mistake, edge, program, leaves, name, wrong = CASES[case]
    trace = Trace(patched(run_of(program, **leaves), mistake, edge))
    node = trace.run.graph.node(name).index
    assert trace.gradient(node, len(trace)) == pytest.approx(np.asarray(wrong))


REFUSED = {
    ("transpose", "y<-b"): "the derivative of add has no transpose",
    ("transpose", "z<-x"): "the shapes would tell",
    ("swap", "y<-b"): "both operands of add have the same derivative",
    ("swap", "z<-x"): "the shapes would tell",
    ("swap", "E<-E._1"): "sum has no two operands to swap",
    ("batch", "y<-z"): "not broadcast",
    ("batch", "E<-E._1"): "does not sum a gradient over a batch",
    ("local", "y<-b"): "the local derivative of add is 1",
    ("local", "E<-E._1"): "the shapes would tell",
    ("overwrite", "z<-w"): "w is used once",
    ("overwrite", "E._1<-y"): "the first to arrive at y",
    ("mean", "z<-w"): "neither a sum nor a mean",
    ("in-place", "y<-z"): "hands the upstream on",
    ("in-place", "z<-w"): "another shape",
    ("local", "E._1<-G"): "no gradient flows",
}


@pytest.mark.parametrize(("mistake", "edge"), REFUSED)
def test_a_mistake_that_does_not_fit_says_why_and_what_does(
    mistake: str, edge: str
) -> None:
    run = run_of(USED_TWICE if edge == "E._1<-y" else LAYER, x=X, w=W, b=BIAS, G=G43)
    with pytest.raises(CommandError, match=REFUSED[mistake, edge]) as caught:
        patched(run, mistake, edge)
    names = ", ".join(fitting(Trace(run), edge_of(run, edge))) or "nothing"
    assert f"what applies there: {names}" in str(caught.value)
    assert mistake not in names.split(", ")


def test_what_fits_a_bias() -> None:
    run = run_of(LAYER, x=X, w=W, b=BIAS, G=G43)
    assert fitting(Trace(run), edge_of(run, "y<-b")) == ["batch"]


def test_a_batch_of_one_hides_the_mistake() -> None:
    run = run_of(LAYER, x=X[:1], w=W, b=BIAS, G=G43[:1])
    with pytest.raises(CommandError, match="there is one sample"):
        patched(run, "batch", "z<-w")


def test_mistakes_go_by_names_aliases_and_beginnings() -> None:
    assert find_mistake("in_place").name == "in-place"
    assert find_mistake("Factor").name == "mean"
    assert find_mistake("tr").name == "transpose"
    with pytest.raises(CommandError, match="did you mean 'transpose'"):
        find_mistake("transpoze")
    with pytest.raises(CommandError, match="the mistakes are transpose, swap, batch"):
        find_mistake("x")


def test_losses_with_a_reduction_mix_up_mean_and_sum() -> None:
    run = run_of("E = cross_entropy(x, G)", x=ONE, G=np.array([0, 1, 2, 0]))
    right = gradient(run, "x")
    assert gradient(patched(run, "mean", "E<-x"), "x") == pytest.approx(4 * right)


def test_two_mistakes_add_up() -> None:
    run = run_of(LAYER, x=X, w=W, b=BIAS, G=G43)
    wrong = patched(patched(run, "batch", "y<-b"), "batch", "z<-w")
    assert gradient(wrong, "b") == pytest.approx(G43[0])
    assert gradient(wrong, "w") == pytest.approx(np.outer(X[0], G43[0]))


def test_a_vector_has_no_factors_to_swap() -> None:
    run = run_of(MATRIX, a=A, b=B[0], G=G33[0])
    for edge in ("z<-a", "z<-b"):
        with pytest.raises(CommandError, match="a vector is no matrix"):
            patched(run, "swap", edge)


def test_a_maximum_is_neither_a_sum_nor_a_mean() -> None:
    run = run_of("E = max(x)", x=ONE)
    with pytest.raises(CommandError, match="max is neither a sum nor a mean here"):
        patched(run, "mean", "E<-x")


def test_the_mean_of_one_number_is_its_sum_and_of_two_it_is_half() -> None:
    for name in ("sum", "mean"):
        with pytest.raises(CommandError, match="the mean of one number is its sum"):
            patched(run_of(f"E = {name}(x)", x=[3.0]), "mean", "E<-x")
    two = run_of("E = sum(x)", x=[3.0, 4.0])
    assert gradient(patched(two, "mean", "E<-x"), "x").tolist() == [0.5, 0.5]
