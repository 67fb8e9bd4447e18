"""Each classic mistake gives the wrong gradient that it says; the check names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gradstep.core.base.errors import CommandError
from gradstep.core.check.check import check
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.element import Element
from gradstep.core.engine.graph import Edge
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.why.rows import explained
from gradstep.core.mistakes.catalogue import (
    MISTAKES,
    find_mistake,
    fitting,
    with_mistake,
)
from gradstep.core.program.build import Leaf, build
from gradstep.core.scenario.scenario import parse
from gradstep.core.words.edges import parse_edge

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
    "upstream forgotten": (
        *("upstream", "z<-a", "z = tanh(a)\nE = sum(z * G)", {"a": ONE, "G": TWO}),
        "a",
        1 / np.cosh(ONE) ** 2,
    ),
    "upstream of a matrix product forgotten": (
        *("upstream", "z<-a", MATRIX, {"a": A, "b": B, "G": G33}, "a"),
        np.broadcast_to(B.sum(axis=1), (3, 3)),
    ),
    "wrong sign": (
        *("sign", "z<-b", MATRIX, {"a": A, "b": B, "G": G33}, "b"),
        -A.T @ G33,
    ),
    "wrong sign, broadcast": (
        *("sign", "y<-b", LAYER, {"x": X, "w": W, "b": BIAS, "G": G43}, "b"),
        -G43.sum(axis=0),
    ),
    "value for derivative": (
        *("value", "z<-a", "z = tanh(a)\nE = sum(z * G)", {"a": ONE, "G": TWO}, "a"),
        TWO * np.tanh(ONE),
    ),
    "value of a softmax": (
        *("value", "z<-a", "z = softmax(a)\nE = sum(z * G)", {"a": ONE, "G": TWO}),
        "a",
        TWO * np.exp(ONE) / np.exp(ONE).sum(axis=1, keepdims=True),
    ),
    "value of a quotient, broadcast": (
        *("value", "z<-b", "z = a / b\nE = sum(z * G)"),
        *({"a": ONE, "b": BIAS, "G": TWO}, "b", (TWO * ONE / BIAS).sum(axis=0)),
    ),
    "row for column of a product": (
        *("row", "z<-a", MATRIX, {"a": A, "b": B, "G": G33}, "a"),
        B @ G33.T,
    ),
    "row for column of a bias": (
        *("row", "z<-b", "z = a + b\nE = sum(z * G)", {"a": A, "b": BIAS, "G": G33}),
        "b",
        G33.sum(axis=1),
    ),
    "row for column of a column": (
        *("row", "z<-b", "z = a * b\nE = sum(z * G)"),
        *({"a": A, "b": BIAS[:, None], "G": G33}, "b"),
        (G33 * A).sum(axis=0)[:, None],
    ),
    "row for column of a sum": (
        *("row", "s<-a", "s = sum(a, axis=0)\nE = sum(s * G)", {"a": A, "G": BIAS}),
        "a",
        np.broadcast_to(BIAS[:, None], (3, 3)),
    ),
    "last of a list": (
        *("last", "z<-a", "z = a[[2, 0, 2]]\nE = sum(z * G)", {"a": ONE, "G": G33}),
        "a",
        [G33[1], [0, 0, 0], G33[2], [0, 0, 0]],
    ),
    "last of what is taken along an axis": (
        *("last", "z<-a", "z = take(a, [1, 1, -2], axis=1)\nE = sum(z * G)"),
        *({"a": ONE, "G": TWO}, "a"),
        np.stack([0 * TWO[:, 0], TWO[:, 2], 0 * TWO[:, 0]], axis=1),
    ),
    "one route left out": (
        *("route", "z<-a", "z = 3 * a\nE = sum(z * G + a)", {"a": ONE, "G": TWO}),
        "a",
        np.ones((4, 3)),
    ),
    "one factor of a square left out": (
        *("route", "z<-a#1", "z = a * a\nE = sum(z * G)", {"a": ONE, "G": TWO}, "a"),
        TWO * ONE,
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
    # What needs a training has its own tests, below.
    assert {case[0] for case in CASES.values()} | {"updated"} == set(MISTAKES)


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


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_an_explanation_says_who_made_a_wrong_number_unless_it_is_hidden(
    case: str, hidden: bool
) -> None:
    mistake, edge, program, leaves, _, _ = CASES[case]
    run = run_of(program, **leaves)
    name = run.graph.nodes[edge_of(run, edge).operand].name
    wrong = patched(run, mistake, edge)
    if hidden:
        wrong = run.patched(wrong.patches._replace(hidden=True))
    gap = np.abs(gradient(wrong, name) - gradient(run, name))
    place = tuple(map(int, np.unravel_index(np.argmax(gap), gap.shape)))
    element = Element(run.graph.node(name).index, "grad", place)
    trace = Trace(wrong)
    rows = list(explained(trace, element, len(trace), 8))
    (headline,) = [row for row in rows if row.kind == "headline"]
    assert headline.numbers == (gradient(wrong, name)[place],)
    told = "\n".join(row.text() for row in rows)
    says = ("by a patched rule", "stands in place of the sum")
    # A mistake in place shows at who shares the array, too: that one has its own rule.
    assert any(one in told for one in says) == (not hidden)
    assert "a rule was changed" not in told or not hidden
    assert ("numeric check: none in a hunt" in told) == hidden


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
    ("value", "z<-w"): "matmul has no value and derivative of one shape",
    ("row", "y<-b"): "only of a square matrix",
    ("last", "z<-w"): "matmul picks no elements by an index",
    ("updated", "y<-b"): "add is no product of two",
    ("updated", "z<-x"): "w is no parameter that is trained",
    ("route", "z<-w"): "w is used once: there is one route",
    ("sign", "E._1<-G"): "no gradient flows",
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
    assert fitting(Trace(run), edge_of(run, "y<-b")) == [
        *("batch", "upstream", "sign", "value")
    ]


def test_a_batch_of_one_hides_the_mistake() -> None:
    run = run_of(LAYER, x=X[:1], w=W, b=BIAS, G=G43[:1])
    with pytest.raises(CommandError, match="there is one sample"):
        patched(run, "batch", "z<-w")


def test_mistakes_go_by_names_aliases_and_beginnings() -> None:
    assert find_mistake("in_place").name == "in-place"
    assert find_mistake("Factor").name == "mean"
    assert find_mistake("tr").name == "transpose"
    # What worked with seven mistakes means what it did.
    first = {name: find_mistake(name).name for name in "tsblomi"}
    assert [*first.values()] == [*MISTAKES][:7]
    assert find_mistake("la").name == "last"
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


def test_rows_and_columns_that_are_alike_are_not_confused() -> None:
    run = run_of("z = a * b\nE = sum(z)", a=A, b=2.0)
    for edge, why in (
        ("z<-b", "it is summed over rows and columns alike"),
        ("E<-z", "sum sends the same to rows and columns"),
    ):
        with pytest.raises(CommandError, match=why):
            patched(run, "row", edge)
    kept = run_of("s = sum(a * b, keepdims=True)\nE = sum(s)", a=A, b=[[2.0]])
    for edge in ("s._1<-b", "s<-s._1"):
        with pytest.raises(CommandError, match=r"alike|sends the same"):
            patched(kept, "row", edge)
    one = run_of("z = tanh(a)\nE = sum(z)", a=[[2.0]])
    with pytest.raises(CommandError, match="only of a square matrix"):
        patched(one, "row", "z<-a")


def test_the_exponential_function_is_its_own_derivative() -> None:
    run = run_of("z = exp(a)\nE = sum(z)", a=ONE)
    with pytest.raises(CommandError, match="exp is its own derivative"):
        patched(run, "value", "z<-a")


def test_what_is_picked_once_has_no_last_one() -> None:
    for index in ("[[2, 0]]", "[1:3]", "[[-1, 0, 1]]"):
        with pytest.raises(CommandError, match="picked once at most"):
            patched(run_of(f"E = sum(a{index})", a=ONE), "last", "E._1<-a")
    # From the front and from behind it is one element.
    both = run_of("z = a[[3, -1]]\nE = sum(z * G)", a=ONE, G=ONE[:2])
    found = gradient(patched(both, "last", "z<-a"), "a")
    assert found == pytest.approx(np.stack([0 * ONE[0]] * 3 + [ONE[1]]))


def test_the_rows_of_an_embedding_keep_the_last_one() -> None:
    program = "e = embedding(i, w)\nE = sum(e * G)"
    run = run_of(program, i=[0, 2, 0, 0], w=ONE, G=TWO)
    name = run.graph.edge_name(run.graph.consumers[run.graph.node("w").index][0])
    found = gradient(patched(run, "last", name), "w")
    assert found == pytest.approx(np.stack([TWO[3], 0 * TWO[0], TWO[1], 0 * TWO[0]]))


def test_one_route_is_left_out_and_not_two() -> None:
    run = run_of("z = a * a\nE = sum(z + a)", a=ONE)
    trace = Trace(run)
    a = run.graph.node("a").index
    patches, made = with_mistake(trace, MISTAKES["route"], run.graph.consumers[a])
    assert [run.graph.edge_name(edge) for edge in made] == ["E._1<-a"]
    assert gradient(run.patched(patches), "a") == pytest.approx(2 * ONE)
    with pytest.raises(CommandError, match="another route to a is left out already"):
        patched(run.patched(patches), "route", "z<-a#1")
    # It sends zeros, and is no edge that carries nothing.
    assert Trace(run.patched(patches)).edge_event(*made[0][:2]) is not None


TRAINED = """
gradstep = 1
program = '''
z = x @ W
h = z * s
E = sum(h * h)
'''
[inputs]
x = [[1.0, 2.0], [0.5, -1.0]]
[parameters]
W = [[0.5, -1.0], [0.25, 2.0]]
s = [1.0, -0.5]
[training]
learning_rate = { W = 0.1, s = [0.5, 0.25] }
iterations = 3
"""


@pytest.mark.parametrize(
    ("program", "edge", "fits"),
    [
        ("z = einsum('ij,jk->ik', x, W)", "z<-x", True),
        ("z = outer(ravel(x), s)", "z<-z._1", True),
        ("z = linear(x, W)", "z<-x", True),
        ("z = x * W", "z<-x", True),
        ("z = x * W", "z<-W", False),  # x is not trained
        ("z = einsum('ij->ji', x) + 0 * W", "z._1<-x", False),
        ("z = einsum('ij,jk,kl->il', x, W, W)", "z<-x", False),
        ("z = abs(x) ** W", "z<-z._1", False),
    ],
)
def test_products_with_a_trained_parameter_see_it_updated(
    program: str, edge: str, fits: bool
) -> None:
    text = TRAINED.replace("z = x @ W\nh = z * s\nE = sum(h * h)", "E = sum(z)")
    text = text.replace("E = sum(z)", f"{program}\nE = sum(z) + 0 * (sum(s) + sum(W))")
    debugger = Debugger(parse(text.replace("{ W = 0.1, s = [0.5, 0.25] }", "0.1")))
    assert debugger.execute(f"patch {edge} updated").ok == fits


def test_weights_that_are_updated_already_are_those_of_the_next_iteration() -> None:
    debugger = Debugger(parse(TRAINED))
    right = debugger.trace.run
    x, w, s = (right.value(right.graph.node(n).index) for n in ("x", "W", "s"))
    z = x @ w
    g = 2 * (z * s)  # what arrives at h
    assert debugger.execute("patch z<-x updated").ok
    # The next iteration starts with the parameter that this one should not have seen.
    after = debugger.timeline.trace(1).run.value(right.graph.node("W").index)
    assert after == pytest.approx(w - 0.1 * x.T @ (g * s))
    assert gradient(debugger.trace.run, "x") == pytest.approx((g * s) @ after.T)
    # Of a broadcast factor the contribution is summed, and each has a rate.
    assert debugger.execute("undo").ok
    assert debugger.execute("patch h<-z updated").ok
    new = s - np.array([0.5, 0.25]) * (g * z).sum(axis=0)
    assert gradient(debugger.trace.run, "W") == pytest.approx(x.T @ (g * new))
    # In the next iteration it is the next update that comes too early.
    run = debugger.timeline.trace(1).run
    w, s = (run.value(run.graph.node(n).index) for n in "Ws")
    z = x @ w
    g = 2 * (z * s)
    new = s - np.array([0.5, 0.25]) * (g * z).sum(axis=0)
    assert gradient(run, "W") == pytest.approx(x.T @ (g * new))
