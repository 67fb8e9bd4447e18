"""The recipes of the prelude, against the formulas that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradstep.core.base.errors import ProgramError
from gradstep.core.engine.run import Run, evaluate, forward
from gradstep.core.ops import OPS
from gradstep.core.program.build import Program, build
from gradstep.core.program.statements import Leaf

X = np.array([[0.5, -1.5, 2.0, 0.25], [1.0, 3.0, -0.5, 0.75], [-2.0, 0.1, 0.2, 0.3]])
T = np.array([[0.0, -1.0, 2.0, 3.0], [1.5, 0.0, -0.5, 1.0], [-2.5, 0.2, 0.0, 1.2]])


def read(text: str, **arrays: Any) -> Program:
    leaves = {
        name: Leaf("input" if array.dtype.kind == "f" else "constant", array)
        for name, array in arrays.items()
    }
    return build(text, leaves)


def run_of(text: str, **arrays: Any) -> Run:
    program = read(text, **arrays)
    shape = program.graph.nodes[program.graph.output].shape
    seed = np.random.default_rng(0).normal(size=shape)[()]
    return evaluate(program.graph, program.leaves, seed)


def gradient(run: Run, name: str) -> np.ndarray:
    found = run.gradient(run.graph.node(name).index)
    assert found is not None
    return found


def result(text: str, **arrays: Any) -> np.ndarray:
    run = run_of(text, **arrays)
    return run.value(run.graph.output)


def ops(text: str, **arrays: Any) -> list[str]:
    return [node.op.name for node in read(text, **arrays).graph if node.op]


def assert_gradients(text: str, **arrays: Any) -> None:
    """Compare all gradients with central differences of the whole recipe."""
    run = run_of(text, **arrays)
    graph = run.graph
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            continue
        node = graph.node(name).index
        numeric = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = array.copy()
                moved[place] += step
                values = forward(graph, {**run.leaves, node: moved})
                sides.append(np.sum(np.multiply(run.seed, values[graph.output])))
            numeric[place] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(gradient(run, name), numeric, rtol=1e-6, atol=1e-8)


def reduced(losses: np.ndarray, reduction: str) -> Any:
    return {"mean": losses.mean(), "sum": losses.sum(), "none": losses}[reduction]


def attention(q: Any, k: Any, v: Any, mask: Any, scale: float) -> np.ndarray:
    powers = np.exp(scale * np.einsum("bqd,bkd->bqk", q, k) + mask)
    return np.einsum("bqk,bkv->bqv", powers / powers.sum(-1, keepdims=True), v)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mse_loss(reduction: str) -> None:
    text = f'E = mse_loss(x, t, reduction="{reduction}")'
    np.testing.assert_allclose(result(text, x=X, t=T), reduced((X - T) ** 2, reduction))
    assert_gradients(text, x=X, t=T)
    last = [reduction] if reduction != "none" else []
    assert ops(text, x=X, t=T) == ["subtract", "power", *last]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("delta", [1.0, 0.4])
def test_huber_loss(reduction: str, delta: float) -> None:
    text = f'E = huber_loss(x, t, "{reduction}", delta={delta})'
    d = np.abs(X - T)
    losses = np.array(
        [one * one / 2 if one < delta else delta * one - delta**2 / 2 for one in d.flat]
    ).reshape(d.shape)
    np.testing.assert_allclose(result(text, x=X, t=T), reduced(losses, reduction))
    assert_gradients(text, x=X, t=T)


def test_huber_loss_at_an_infinite_distance_has_the_slope_of_its_line() -> None:
    """torch 2.13.0 has these, too."""
    x = np.array([np.inf, -np.inf, 1.0])
    text = 'y = huber_loss(x, t, reduction="none")\nE = sum(y)'
    run = run_of(text, x=x, t=np.array([0.0, 0.0, np.inf]))
    np.testing.assert_array_equal(run.value(run.graph.node("y").index), [np.inf] * 3)
    by_x, by_t = (np.asarray(run.gradient(run.graph.node(name).index)) for name in "xt")
    np.testing.assert_array_equal(by_x / run.seed, [1, -1, -1])
    np.testing.assert_array_equal(by_t / run.seed, [-1, 1, 1])


def test_huber_loss_is_smooth_where_its_parts_meet() -> None:
    run = run_of("E = huber_loss(x, t)", x=np.array([1.0, -1.0, 0.0]), t=np.zeros(3))
    slopes = np.multiply(run.seed, [1.0, -1.0, 0.0]) / 3
    np.testing.assert_allclose(gradient(run, "x"), slopes)


def test_layer_norm() -> None:
    w, b = np.array([1.0, 2.0, -1.0, 0.5]), np.array([0.0, 1.0, 2.0, 3.0])
    spread = np.sqrt(X.var(-1, keepdims=True) + 0.01)
    normal = (X - X.mean(-1, keepdims=True)) / spread
    np.testing.assert_allclose(result("y = layer_norm(x, eps=0.01)", x=X), normal)
    whole = "y = layer_norm(x, w, b, eps=0.01)"
    np.testing.assert_allclose(result(whole, x=X, w=w, b=b), normal * w + b)
    assert_gradients(whole, x=X, w=w, b=b)


def test_layer_norm_over_several_axes() -> None:
    x = np.random.default_rng(1).normal(size=(3, 2, 4))
    w = np.arange(8.0).reshape(2, 4)
    spread = np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
    normal = (x - x.mean((1, 2), keepdims=True)) / spread
    text = "y = layer_norm(x, w, axis=(-2, -1))"
    np.testing.assert_allclose(result(text, x=x, w=w), normal * w)
    assert_gradients(text, x=x, w=w)


def test_rms_norm() -> None:
    w = np.array([1.0, 2.0, -1.0, 0.5])
    normal = X / np.sqrt(np.square(X).mean(-1, keepdims=True) + 0.01)
    text = "y = rms_norm(x, w, eps=0.01)"
    np.testing.assert_allclose(result(text, x=X, w=w), normal * w)
    assert_gradients(text, x=X, w=w)
    assert ops(text, x=X, w=w)[-1] == "multiply"


def channels(x: np.ndarray) -> np.ndarray:
    """Return the channels of samples as the last axis."""
    return np.moveaxis(x, 1, -1)


@pytest.mark.parametrize("shape", [(4, 2), (3, 2, 4), (3, 2, 2, 2), (2, 2, 1, 2, 3)])
def test_batch_norm(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).normal(size=shape)
    w, b = np.array([2.0, -1.0]), np.array([0.5, 1.0])
    rows = channels(x).reshape(-1, 2)
    normal = (channels(x) - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-5)
    text = "y = batch_norm(x, w, b)"
    y = result(text, x=x, w=w, b=b)
    np.testing.assert_allclose(channels(y), normal * w + b)
    assert_gradients(text, x=x, w=w, b=b)
    np.testing.assert_allclose(channels(result("y = batch_norm(x)", x=x)), normal)


def test_batch_norm_of_rows_has_nothing_to_put_in_shape() -> None:
    w, b = np.arange(4.0), np.ones(4)
    assert "reshape" not in ops("y = batch_norm(x, w, b)", x=X, w=w, b=b)


@pytest.mark.parametrize("shape", [(4, 2), (3, 2, 2, 2)])
def test_batch_norm_in_use_takes_what_was_counted_in_training(
    shape: tuple[int, ...],
) -> None:
    x = np.random.default_rng(1).normal(size=shape)
    m, v = np.array([0.5, -1.0]), np.array([2.0, 0.25])
    w, b = np.array([2.0, -1.0]), np.array([0.5, 1.0])
    text = "y = batch_norm(x, w, b, running_mean=m, running_var=v, training=False)"
    right = (channels(x) - m) / np.sqrt(v + 1e-5) * w + b
    np.testing.assert_allclose(channels(result(text, x=x, m=m, v=v, w=w, b=b)), right)
    assert_gradients(text, x=x, m=m, v=v, w=w, b=b)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_group_norm(groups: int) -> None:
    x = np.random.default_rng(1).normal(size=(3, 4, 2, 2))
    w, b = np.array([2.0, -1.0, 0.5, 1.0]), np.array([0.5, 1.0, 0.0, -1.0])
    y = np.zeros_like(x)
    size = 4 // groups
    for sample, group in np.ndindex(3, groups):
        part = slice(group * size, (group + 1) * size)
        numbers = x[sample, part]
        normal = (numbers - numbers.mean()) / np.sqrt(numbers.var() + 1e-5)
        y[sample, part] = normal
    text = f"y = group_norm(x, {groups}, w, b)"
    right = channels(y) * w + b
    np.testing.assert_allclose(channels(result(text, x=x, w=w, b=b)), right)
    assert_gradients(text, x=x, w=w, b=b)
    if groups == 4:
        text = "y = instance_norm(x, w, b)"
        np.testing.assert_allclose(channels(result(text, x=x, w=w, b=b)), right)


def test_embedding_keeps_a_row_as_padding() -> None:
    i = np.array([[0, 2], [2, 1]])
    run = run_of("y = embedding(i, W, padding_idx=2)", i=i, W=X)
    np.testing.assert_array_equal(run.value(run.graph.output), X[i])
    seed = np.asarray(run.seed)
    rows = [seed[0, 0], seed[1, 1], np.zeros(4)]
    np.testing.assert_allclose(gradient(run, "W"), rows)


def test_embedding_adds_what_rows_receive() -> None:
    i = np.array([[0, 2], [2, 2]])
    run = run_of("y = embedding(i, W)", i=i, W=X)
    np.testing.assert_array_equal(run.value(run.graph.output), X[i])
    seed = np.asarray(run.seed)
    rows = [seed[0, 0], np.zeros(4), seed[0, 1] + seed[1, 0] + seed[1, 1]]
    np.testing.assert_allclose(gradient(run, "W"), rows)


def test_attention() -> None:
    generator = np.random.default_rng(2)
    q, k, v = (generator.normal(size=(2, n, d)) for n, d in ((2, 3), (4, 3), (4, 5)))
    m = np.array([[0.0, -np.inf, 0.0, 0.0], [0.0, 0.0, 0.0, -np.inf]])
    plain = "y = scaled_dot_product_attention(q, k, v)"
    np.testing.assert_allclose(
        result(plain, q=q, k=k, v=v), attention(q, k, v, 0, 3**-0.5)
    )
    assert_gradients(plain, q=q, k=k, v=v)
    masked = "y = scaled_dot_product_attention(q, k, v, attn_mask=m, scale=2)"
    y = result(masked, q=q, k=k, v=v, m=m)
    np.testing.assert_allclose(y, attention(q, k, v, m, 2))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def recurrent(gates: int, **more: np.ndarray) -> dict[str, np.ndarray]:
    """Return three steps of a sample, a state and the weights of a cell."""
    generator = np.random.default_rng(5)
    shapes = {"x": (3, 2), "h": (3,), "w": (3 * gates, 2), "u": (3 * gates, 3)}
    shapes |= {"b": (3 * gates,), "d": (3 * gates,)}
    return {name: generator.normal(size=shape) for name, shape in shapes.items()} | more


def test_lstm_goes_through_its_steps() -> None:
    given = recurrent(4, c=np.array([0.5, -1.0, 2.0]))
    x, h, w, u, b, d, c = given.values()
    states = []
    for one in x:
        i, f, g, o = np.split(w @ one + b + u @ h + d, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    text = "(o, m, k) = lstm(x, h, c, w, u, b, d)\ny = concatenate([o, stack([m, k])])"
    np.testing.assert_allclose(result(text, **given), [*states, h, c])
    assert_gradients(text, **given)


def test_gru_goes_through_its_steps() -> None:
    given = recurrent(3)
    x, h, w, u, b, d = given.values()
    states = []
    for one in x:
        (ri, zi, ni), (rh, zh, nh) = np.split(w @ one + b, 3), np.split(u @ h + d, 3)
        z = sigmoid(zi + zh)
        h = (1 - z) * np.tanh(ni + sigmoid(ri + rh) * nh) + z * h
        states.append(h)
    text = "(o, m) = gru(x, h, w, u, b, d)\ny = concatenate([o, stack([m])])"
    np.testing.assert_allclose(result(text, **given), [*states, h])
    assert_gradients(text, **given)


def test_rnn_goes_through_its_steps() -> None:
    given = recurrent(1)
    x, h, w, u, b, d = given.values()
    states = []
    for one in x:
        h = np.tanh(w @ one + b + u @ h + d)
        states.append(h)
    text = "(o, m) = rnn(x, h, w, u, b, d)\ny = concatenate([o, stack([m])])"
    np.testing.assert_allclose(result(text, **given), [*states, h])
    assert_gradients(text, **given)


def test_the_gates_of_each_step_have_names() -> None:
    given = recurrent(4, c=np.array([0.5, -1.0, 2.0]))
    graph = read("(y, m, k) = lstm(x, h, c, w, u)\nE = sum(y)", **given).graph
    assert [frame.function for frame in graph.frames[2:]] == ["lstm_cell"] * 3
    for step in (1, 2, 3):
        assert graph.node(f"y._1.hidden._{step}.forget_gate").op is OPS["sigmoid"]
    assert graph.node("m").shape == graph.node("k").shape == (3,)


def test_a_sequence_without_steps_is_refused() -> None:
    given = recurrent(1) | {"x": np.zeros((0, 2))}
    with pytest.raises(ProgramError, match="one value has no steps"):
        read("(y, m) = rnn(x, h, w, u)", **given)


def test_a_step_that_does_not_fit_is_told_once() -> None:
    given = recurrent(4, c=np.zeros(3)) | {
        "w": np.zeros((11, 2)),
        "u": np.zeros((11, 3)),
    }
    with pytest.raises(ProgramError) as caught:
        read("(y, m, k) = lstm(x, h, c, w, u)\nE = sum(y)", **given)
    (problem,) = caught.value.problems
    assert "which 4 equal parts do not divide" in problem.message


def test_recipes_can_be_stepped_into() -> None:
    graph = read("E = mse_loss(x, t)", x=X, t=T).graph
    (frame,) = graph.frames[1:]
    assert (frame.name, frame.source) == ("E", "prelude")
    assert graph.node("E.squares").site is not None
    notes = [one.note for one in graph.statements if one.frame == frame.index]
    assert notes[0] == "what is predicted minus what is right"


def test_float32_stays_float32() -> None:
    x, t = X.astype(np.float32), T.astype(np.float32)
    texts = ("y = huber_loss(x, t)", "y = layer_norm(x)", "y = mse_loss(x, t, 'sum')")
    for text in texts:
        assert result(text, x=x, t=t).dtype == np.float32
    attended = "y = scaled_dot_product_attention(x, t, t)"
    assert result(attended, x=x, t=t).dtype == np.float32


@pytest.mark.parametrize("name", ["mse_loss", "huber_loss"])
def test_a_wrong_reduction_is_no_reduction(name: str) -> None:
    with pytest.raises(ProgramError) as caught:
        read(f"E = {name}(x, t, reduction='avg')", x=X, t=T)
    assert str(caught.value) == (
        f'program:1:5: {name}: reduction is \'avg\'; allowed: "mean" or "sum" or "none"'
    )
