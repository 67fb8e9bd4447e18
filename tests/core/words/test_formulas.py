import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import EXAMPLES, every_op, run_of_case
from gradstep.core.engine.graph import Edge, Graph, Node
from gradstep.core.engine.trace import Trace
from gradstep.core.ops import OPS
from gradstep.core.ops.table import Op
from gradstep.core.program.build import Leaf, build
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.core.words.formulas import Wording

VALUES = """
[inputs]
X = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
W = [[1.0, 0.5, 0.1], [2.0, 0.2, 0.3]]
b = [0.1, 0.2, 0.3]
s = 2.0
[constants]
k = [0, 2]
[names]
"δ" = "h.grad"
"""


def wording_of(program: str, extra: str = "") -> Wording:
    text = f'gradstep = 1\nprogram = """\n{program}\n"""\n{VALUES}{extra}'
    scenario = parse(text)
    return Wording(scenario.subject.graph, scenario.subject.names)


def forward(program: str, name: str) -> str:
    wording = wording_of(f"{program}\nE = sum(h)")
    return wording.forward(wording.graph.node(name).index).text


@pytest.mark.parametrize(
    ("program", "name", "text"),
    [
        ("h = X @ W", "h", "h = X @ W"),
        ("h = tanh(X @ W + b)", "h", "h = tanh(X @ W + b)"),
        ("h = tanh(X @ W + b)", "h._2", "h._2 = X @ W + b"),
        ("h = (X @ W + b) * b", "h", "h = (X @ W + b) ∘ b"),
        ("h = b - (b - s)", "h", "h = b − (b − s)"),
        ("h = b - (b * s)", "h", "h = b − b ∘ s"),
        ("h = (b - s) - b", "h", "h = b − s − b"),
        ("h = s * s", "h", "h = s · s"),
        ("h = (b - s) ** 2", "h", "h = (b − s)²"),
        ("h = s * sum(b * b)", "h", "h = s · (Σ (b ∘ b))"),
        ("h = b ** 0.5", "h", "h = b^0.5"),
        ("h = -b * s", "h", "h = −b ∘ s"),
        ("h = b * -s", "h", "h = b ∘ (−s)"),
        ("h = (-b) ** 2", "h", "h = (−b)²"),
        ("h = square(-b)", "h", "h = (−b)²"),
        ("h = -b", "h", "h = −b"),
        ("h = X[1:, None, 0]", "h", "h = X[1:, None, 0]"),
        ("h = b[k]", "h", "h = b[k]"),
        ("h = concatenate([b, b * s])", "h", "h = [b, b ∘ s]"),
    ],
)
def test_a_value_reads_as_it_is_written(program, name, text) -> None:
    assert forward(program, name) == text


@pytest.mark.parametrize(
    ("program", "consumer", "argument", "text", "shapes"),
    [
        ("h = X @ W", "h", 0, "∂E/∂X = δ Wᵀ", "(3, 3) @ (3, 2) → (3, 2) = X ✓"),
        ("h = X @ W", "h", 1, "∂E/∂W = Xᵀ δ", "(2, 3) @ (3, 3) → (2, 3) = W ✓"),
        (
            "h = X @ W + b",
            "h",
            1,
            "∂E/∂b = δ, summed over axis 0",
            "(3, 3) → (3, 3) → Σ axis 0 → (3,) = b ✓",
        ),
        ("h = X @ W + b", "h", 0, "∂E/∂(X @ W) = δ", "(3, 3) → (3, 3) = (X @ W) ✓"),
        ("h = s * s", "h", 0, "∂E/∂s += δ · ∂h/∂s = δ · s", ""),
        ("h = s ** 3", "h", 0, "∂E/∂s = δ · ∂h/∂s = δ · 3 · s²", ""),
        ("h = dot(b, b)", "h", 0, "∂E/∂b += δ · b", "() ∘ (3,) → (3,) = b ✓"),
        ("h = X.T.T", "h", 0, "∂E/∂(Xᵀ) = δᵀ", "(3, 2) → (2, 3) = Xᵀ ✓"),
    ],
)
def test_a_contribution_reads_as_in_a_book(
    program, consumer, argument, text, shapes
) -> None:
    wording = wording_of(f"{program}\nE = sum(h)")
    node = wording.graph.node(consumer)
    operand = node.operands[argument]
    wide, narrow = node.shape, wording.graph.nodes[operand].shape
    summed = tuple(range(len(wide) - len(narrow))) if consumer == "h" else ()
    is_sum = node.op is not None and node.op.name == "add"
    formula = wording.contribution(
        Edge(node.index, argument, operand), summed if is_sum else ()
    )
    assert formula.text == text
    assert formula.shapes == shapes


def test_the_name_of_a_gradient_reaches_the_product_inside_its_line() -> None:
    def formulas(program: str) -> list[str]:
        wording = wording_of(f"{program}\nE = sum(h)")
        graph = wording.graph
        edges = [e for k in ("W", "b") for e in graph.consumers[graph.node(k).index]]
        return [wording.contribution(edge).text for edge in edges]

    assert formulas("h = X @ W + k[0] + b") == ["∂E/∂W = Xᵀ δ", "∂E/∂b = δ"]
    # Where it is not only copied, it is another gradient.
    assert formulas("h = (X @ W) * s")[0] == "∂E/∂W = Xᵀ ∂E/∂(X @ W)"
    wording = wording_of("h = X @ W + b\nE = sum(h)")
    first = Edge(wording.graph.node("h").index, 0, wording.graph.node("h._1").index)
    assert wording.contribution(first).text == "∂E/∂(X @ W) = δ"


@pytest.mark.parametrize(
    ("longest", "text"),
    [
        (60, "tanh(b ∘ tanh(X @ W + b) + b) − s"),
        (33, "tanh(b ∘ tanh(X @ W + b) + b) − s"),
        (32, "tanh(b ∘ tanh(… + b) + b) − s"),
        (28, "tanh(b ∘ tanh(…) + b) − s"),
        (24, "tanh(b ∘ … + b) − s"),
        (18, "tanh(… + b) − s"),
        (14, "tanh(…) − s"),
        (10, "… − s"),
    ],
)
def test_of_a_long_expression_the_innermost_part_is_left_out(longest, text) -> None:
    wording = wording_of("h = (tanh(b * tanh(X @ W + b) + b) - s) ** 2\nE = sum(h)")
    graph = wording.graph
    short = Wording(graph, {}, longest)
    node = graph.node("h").operands[0]
    assert graph.nodes[node].name.startswith("h._")
    assert short.node(node) == text
    assert short.gradient(node) == f"∂E/∂({text})"


def test_of_names_that_have_no_room_the_middle_is_left_out() -> None:
    wording = wording_of("h = broadcast_to(b, (3, 3)) + s\nE = sum(h)")
    node = wording.graph.node("h").operands[0]
    assert Wording(wording.graph, {}, 16).node(node) == "broadcast(…)"
    assert Wording(wording.graph, {}, 9).node(node) == "broa…t(…)"


def test_the_code_of_a_contribution_names_what_is_summed() -> None:
    wording = wording_of("h = X @ W + b\nE = sum(h)")
    node = wording.graph.node("h")
    formula = wording.contribution(Edge(node.index, 1, node.operands[1]), (0,))
    assert formula.code == "b.grad += np.sum(h.grad, axis=0)"


def test_a_use_that_no_gradient_comes_back_by_is_no_part_of_a_sum() -> None:
    wording = wording_of("h = where(b > 0.15, log(b), s)\nE = sum(h)")
    log = wording.graph.node("h._2")
    formula = wording.contribution(Edge(log.index, 0, log.operands[0]))
    assert formula.text == "∂E/∂b = ∂E/∂log(b) / b"
    wording = wording_of("h = log(b)\nbeside = b * s\nE = sum(h)")
    log = wording.graph.node("h")
    formula = wording.contribution(Edge(log.index, 0, log.operands[0]))
    assert formula.text == "∂E/∂b = δ / b"


@pytest.mark.parametrize(
    ("program", "text", "local"),
    [
        (
            "h = softmax(b)",
            "∂E/∂b = h ∘ (δ − Σ δ ∘ h)",
            "hᵢ · ([i = j] − hⱼ)",
        ),
        ("h = log_softmax(b)", "∂E/∂b = δ − exp(h) · Σ δ", "[i = j] − exp(hⱼ)"),
        (
            "h = cross_entropy(b, k[1])",
            "∂E/∂b = (softmax(b) − onehot(k[1])) ∘ δ",
            "softmax(b) − onehot(k[1])",
        ),
        (
            "h = cross_entropy(X, k[[0, 0, 0]])",
            "∂E/∂X = (softmax(X) − onehot(k[[0, 0, 0]])) ∘ δ / 3",
            "softmax(X) − onehot(k[[0, 0, 0]])",
        ),
    ],
)
def test_a_block_in_the_names_of_its_operands(program, text, local) -> None:
    wording = wording_of(f"{program}\nE = sum(h)")
    node = wording.graph.node("h")
    formula = wording.contribution(Edge(node.index, 0, node.operands[0]))
    assert (formula.text, formula.local) == (text, local)


def test_a_long_expression_is_called_by_its_name() -> None:
    wording = wording_of(
        "h = tanh((X @ W + b) * (X @ W + b) + (X @ W + b))\nE = sum(h)"
    )
    for node in wording.graph:
        assert len(wording.node(node.index)) <= 24


def templates(op: Op) -> list[str]:
    forms = [form for form in op.forms if form is not None]
    return [op.symbol, op.code] + [
        text for form in forms for text in (form.local, form.product, form.code)
    ]


@pytest.mark.parametrize("name", builtin_names())
def test_every_place_of_every_template_is_filled(name: str) -> None:
    """No name of an operand is left: each is a name of the graph by then."""
    scenario = load(name)
    wording = Wording(scenario.subject.graph, scenario.subject.names)
    for node in scenario.subject.graph:
        formula = wording.forward(node.index)
        assert not set("{}") & set(formula.text + formula.code)
        for argument, operand in enumerate(node.operands):
            formula = wording.contribution(Edge(node.index, argument, operand))
            assert not set("{}") & set(formula.text + formula.code + formula.local)


def test_templates_know_no_other_places() -> None:
    for op in OPS.values():
        known = {"g", "y", "argument", *op.operands}
        known |= {parameter.name for parameter in op.parameters}
        for text in templates(op):
            assert set(re.findall(r"\{(\w+)\}", text)) <= known, (op.name, text)


class Named(np.ndarray):
    """An array with a gradient beside it, as NumPy shown to a person has one."""

    grad: Any


def named(array: Any) -> Named:
    return np.array(array, np.asarray(array).dtype).view(Named)


@every_op
@given(data=st.data(), salt=st.integers(0, 2**16))
@settings(max_examples=25)
def test_the_numpy_of_a_step_can_be_run(
    name: str, data: st.DataObject, salt: int
) -> None:
    """What is printed gives the value and the contributions, and uses no tricks."""
    case = data.draw(EXAMPLES[name].cases)
    run = run_of_case(name, case, salt)
    graph, trace, wording = run.graph, Trace(run), Wording(run.graph, {})
    y = graph.nodes[graph.output]
    scope: dict[str, Any] = {"np": np, "math": math, "inf": math.inf, "nan": math.nan}
    scope |= {graph.nodes[i].name: named(run.value(i)) for i in range(y.index)}
    text = wording.forward(y.index).statement
    assert text
    with np.errstate(all="ignore"):
        exec(text, scope)  # noqa: S102  # what a person is shown to run
    value = np.asarray(run.value(y.index))
    np.testing.assert_allclose(np.asarray(scope["y"]), value, rtol=1e-11, atol=1e-12)
    scope["y"] = named(value)
    scope["y"].grad = np.asarray(run.gradients[y.index])
    for argument, operand in enumerate(y.operands):
        gradient = run.gradients[operand]
        if gradient is None:
            continue
        summed = trace.breakdown(y.index, argument).summed
        text = wording.contribution(Edge(y.index, argument, operand), summed).statement
        leaf = scope[graph.nodes[operand].name]
        leaf.grad = np.zeros(np.shape(gradient))
        with np.errstate(all="ignore"):
            exec(text, scope)  # noqa: S102  # likewise
        np.testing.assert_allclose(
            leaf.grad, np.asarray(gradient), rtol=1e-10, atol=1e-11
        )


def test_an_operation_of_many_operands_is_worded_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [f"x{k}" for k in range(300)]
    text = f"y = sum(stack([{', '.join(names)}]))"
    graph = build(text, {name: Leaf("input", np.float64(1)) for name in names}).graph
    asked: list[str] = []

    def worded(graph: Graph, node: Node) -> Op:
        asked.append(node.name)
        return real(graph, node)

    real = Graph.worded
    monkeypatch.setattr(Graph, "worded", worded)
    wording = Wording(graph)
    stacked = graph.node("y._1")
    said = [
        wording.contribution(Edge(stacked.index, argument, operand)).text
        for argument, operand in enumerate(stacked.operands)
    ]
    assert said[7] == "∂y/∂x7 = slice 7 of ∂y/∂stack(…)"
    assert len(asked) < 10  # not once for each of the 300
    formula = wording.forward(stacked.index).text
    assert formula == "y._1 = stack(x0, x1, x2, x3, x4, x5, …, x299)"
