"""The δ of a layer by that of the next one: told where it holds, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.builtin import builtin_names
from gradstep.core.scenario.scenario import load
from gradstep.core.words.formulas import Wording
from gradstep.core.words.layers import layer_of, recursion
from runs import run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.engine.graph import Edge
    from gradstep.core.engine.run import Run

X = [[0.5, -0.25], [1.0, 0.75], [-0.5, 0.25]]
W = [[0.5, -1.0, 0.25], [1.0, 0.5, -0.75]]
V = [[2.0], [-1.0], [0.5]]
NAMES = {"δ1": "z1.grad", "δ2": "z2.grad"}


def edges(run: Run) -> Iterator[Edge]:
    for node in run.graph:
        yield from run.graph.consumers[node.index]


def told(text: str, names: dict[str, str] | None = None, **leaves: Any) -> list[str]:
    run = run_of(text, **leaves)
    wording = Wording(run.graph, names or {})
    found = [recursion(wording, edge) for edge in edges(run)]
    return [f"{one.text}   {one.shapes}".rstrip() for one in found if one.text]


def test_with_samples_in_columns() -> None:
    text = "z1 = a @ x + b\nh = tanh(z1)\nz2 = w @ h\ny = sigmoid(z2)\nE = sum(y)"
    leaves: dict[str, Any] = {
        "a": np.ones((3, 2)),
        "b": np.ones((3, 1)),
        "x": np.ones((2, 4)),
    }
    assert told(text, NAMES, w=np.ones((5, 3)), **leaves) == [
        "δ1 = (wᵀ δ2) ∘ tanh′(z1)   (3, 5) @ (5, 4) ∘ (3, 4)"
    ]


def test_with_samples_in_rows() -> None:
    text = "z1 = x @ w + b\nh = relu(z1)\nz2 = h @ v\nE = sum(z2 * z2)"
    assert told(text, x=X, w=W, b=[0.1, 0.2, 0.3], v=V) == [
        "∂E/∂z1 = (∂E/∂z2 vᵀ) ∘ relu′(z1)   (3, 1) @ (1, 3) ∘ (3, 3)"
    ]


def test_with_a_layer_as_one_operation() -> None:
    text = "z1 = linear(x, a, b)\nh = sigmoid(z1)\nz2 = linear(h, w)\nE = sum(z2 * z2)"
    leaves: dict[str, Any] = {
        "a": np.ones((4, 2)),
        "b": np.ones(4),
        "w": np.ones((5, 4)),
    }
    assert told(text, x=X, **leaves) == [
        "∂E/∂z1 = (∂E/∂z2 w) ∘ σ′(z1)   (3, 5) @ (5, 4) ∘ (3, 4)"
    ]


def test_the_bias_may_stand_in_a_line_of_its_own() -> None:
    text = "s = x @ w\nz1 = s + b\nh = relu(z1)\nt = h @ v\nz2 = t + c\nE = sum(z2)"
    found = told(text, x=X, w=W, b=[0.1, 0.2, 0.3], v=V, c=[0.5])
    assert found == ["∂E/∂z1 = (∂E/∂z2 vᵀ) ∘ relu′(z1)   (3, 1) @ (1, 3) ∘ (3, 3)"]


def test_of_numbers() -> None:
    text = "z1 = x * w + b\nh = tanh(z1)\nz2 = v * h + c\nE = z2 * z2"
    leaves: dict[str, Any] = {"x": 1.0, "w": 2.0, "b": 3.0, "v": 4.0, "c": 5.0}
    assert told(text, **leaves) == ["∂E/∂z1 = (∂E/∂z2 · v) · tanh′(z1)"]


@pytest.mark.parametrize(
    "text",
    [
        # two ways lead on from h
        "z = x @ w\nh = relu(z)\nE = sum(h @ v) + sum(h)",
        "z = x @ w\nh = relu(z)\nE = sum(h @ v + h @ u)",
        "z = x @ w\nh = relu(z)\nE = sum(h.T @ h)",
        # something stands between
        "z = x @ w\nh = relu(z)\nE = sum(h.T @ x)",
        "z = x @ w\nh = relu(z)\nk = 2 * h\nE = sum(k @ v)",
        # no function of each element
        "z = x @ w\nh = softmax(z)\nE = sum(h @ v)",
        "z = x @ w\nh = -z\nE = sum(h @ v)",
        # no weighted sum
        "z = x + x\nh = relu(z)\nE = sum(h @ q)",
        "z = x * x\nh = relu(z)\nE = sum(h @ q)",
        # nothing comes back
        "z = x @ w\nh = relu(z)\nk = stop_gradient(h)\nE = sum(k @ v) + sum(z)",
        # the last layer: there is no next one
        "z = x @ w\nh = relu(z)\nE = sum(h * h)",
    ],
)
def test_where_it_does_not_hold_nothing_is_told(text: str) -> None:
    q, u = [[1.0], [2.0]], [[1.0], [1.0], [2.0]]
    given = {"x": X, "w": W, "v": V, "q": q, "u": u}
    leaves: dict[str, Any] = {k: one for k, one in given.items() if k in text}
    assert told(text, **leaves) == []


def test_the_output_itself_is_no_delta() -> None:
    text = "z = x @ w\nh = relu(z)\nE = h @ v"
    assert told(text, x=[1.0, 2.0], w=W, v=[1.0, 2.0, 3.0]) == []


def slope(run: Run, edge: Edge) -> np.ndarray:
    """Return f′(z) by differences."""
    op, z = run.graph.nodes[edge.consumer].op, run.value(edge.operand)
    assert op is not None
    step = 1e-6
    up, down = (np.asarray(op.forward(z + side)) for side in (step, -step))
    return (up - down) / (2 * step)


@pytest.mark.parametrize("name", builtin_names())
def test_what_is_told_is_true(name: str) -> None:
    """(W⁺ᵀ δ⁺) ∘ f′(z) in NumPy is the gradient that backpropagation has."""
    run = Debugger(load(name)).trace.run
    wording, count = Wording(run.graph), 0
    for edge in edges(run):
        layer = layer_of(run.graph, edge)
        if layer is None or not recursion(wording, edge).text:
            continue
        count += 1
        use = layer.use
        product = run.graph.nodes[use.consumer]
        (weights,) = (
            run.value(k) for at, k in enumerate(product.operands) if at != use.argument
        )
        delta, mine = run.gradient(layer.ahead), run.gradient(edge.operand)
        assert delta is not None
        assert mine is not None
        if not weights.shape:
            back = weights * delta
        else:
            back = delta @ weights.T if use.argument == 0 else weights.T @ delta
        np.testing.assert_allclose(back * slope(run, edge), mine, rtol=1e-5, atol=1e-12)
    least = {"hidden_layer": 1, "three_layer": 2, "two_layer_net": 1, "vanishing": 9}
    assert count >= least.get(name, 0)
