"""Functions of arrays that are called once, and blocks that are watched."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep
from gradstep import InputError
from gradstep.core.capture.archive import read
from gradstep.core.frontends.running import Watch
from watching import recorded


def loss(params: dict[str, np.ndarray], x: np.ndarray, y: float) -> np.floating[Any]:
    h = np.tanh(x @ params["W"] + params["b"])
    return np.mean((h - y) ** 2)


def test_a_function_of_arrays_is_called_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    W, b, x = rng.normal(size=(3, 2)), np.zeros(2), rng.normal(size=(4, 3))
    to = tmp_path / "run.gradstep"
    capture = gradstep.capture(loss, {"W": W, "b": b}, x, 0.5, to=to)
    graph = read(to).subject.graph
    assert [node.name for node in graph if node.op is None] == ["x", "W", "b", "y"]
    assert {"h", "result"} <= {node.name for node in graph}
    assert capture.own == {}
    run = read(to).subject.run()
    assert run.value(graph.output) == loss({"W": W, "b": b}, x, 0.5)
    h = np.tanh(x @ W + b)
    slope = x.T @ (2 * (h - 0.5) / h.size * (1 - h**2))  # by hand
    node = next(node.index for node in graph if node.name == "W")
    np.testing.assert_allclose(np.asarray(run.gradient(node)), slope, rtol=1e-12)
    assert type(np.zeros(2)) is np.ndarray  # nothing is left behind


def test_several_numbers_are_differentiated_as_their_sum(tmp_path: Path) -> None:
    x = np.array([0.5, -1.0])
    capture = gradstep.capture(np.tanh, x, to=tmp_path / "run.gradstep")
    assert capture.about.notes == (
        "the output has the shape (2,): its sum is differentiated",
    )
    run = capture.subject.run()
    np.testing.assert_allclose(np.asarray(run.gradient(0)), 1 - np.tanh(x) ** 2)


def test_what_depends_on_no_array_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="was not computed from the arrays"):
        gradstep.capture(lambda _: 3.0, np.ones(2), to=tmp_path / "run.gradstep")
    assert not list(tmp_path.iterdir())


def written(w: np.ndarray) -> Any:
    a = w * 2
    v = a[1:3]
    b = np.sum(a)  # the base is used before it is written into
    v *= 3
    a[0] = 5.0
    a += 1
    m = a.reshape(2, 2)
    m[:, 0] = m[:, 1] * 2  # a view of what was written into through a view
    c = np.zeros(4)
    c[1:] = a[:-1]
    np.multiply(c, 2.0, out=c)
    c.T[...] = c + a
    c[c > 100] = 0
    return b + np.sum(c * a) + a[[0, 2]].sum() + m[1].prod() ** 0.1


def functions(w: np.ndarray) -> Any:
    a, b = np.split(np.concatenate([w, 2 * w]).clip(0, 7), 2)
    c = np.where(a > 2, a, 0.1 * a)
    d = np.stack([a, b]).std() + np.linalg.norm(c) + np.log(np.abs(w) + 1).mean()
    e = np.einsum("i,j->ij", a, c).T[1:, ::2].max(axis=1)
    f = np.pad(np.outer(w, c), 1)[1:, 1:].reshape(-1)[[1, 1, 5]] * np.array([1, 2, 3])
    g = np.array([w[0] * w[1], w[2]]) @ np.tile(w[:2], 2)[2:]
    h = np.swapaxes(np.vstack([w, a]), 0, 1).cumsum(axis=0).sum() + w.var()
    h = h + np.sort(w[::-1] * a) @ np.roll(w, 1) + np.tril(np.outer(w, c)).sum()
    first, *rest = w
    return d + e.sum() + f.sum() + g + first * rest[0] + h / max(first, 0.5)


@pytest.mark.parametrize("function", [written, functions])
def test_a_gradient_is_that_of_differences(function: Any, tmp_path: Path) -> None:
    w, step = np.array([1.0, 2.5, 3.0, 4.0]), 1e-6
    capture = gradstep.capture(function, w, to=tmp_path / "run.gradstep")
    found = np.zeros(4)
    for index in range(4):
        move = step * np.eye(4)[index]
        found[index] = (function(w + move) - function(w - move)) / (2 * step)
    run = capture.subject.run()
    node = next(one.index for one in capture.subject.graph if one.name == "w")
    assert capture.about.notes == ()
    assert run.value(capture.subject.graph.output) == function(w)
    np.testing.assert_allclose(np.asarray(run.gradient(node)), found, rtol=1e-6)


class Double:
    def forward(self, x: np.ndarray) -> np.ndarray:
        return 2 * x

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return 2 * dout


def test_a_block_is_watched(tmp_path: Path) -> None:
    to = tmp_path / "run.gradstep"
    with gradstep.capture(to) as run:
        layer = Double()
        layer.forward(np.array([1.0, 2.0]))
        layer.backward(np.array([1.0, -1.0]))
    assert isinstance(run, Watch)
    assert run.passes == 1
    found = read(to)
    assert [np.asarray(one).tolist() for one in found.own.values()] == [
        [2.0, -2.0],
        [1.0, -1.0],
    ]


def test_a_function_and_its_backward_one_are_named(tmp_path: Path) -> None:
    code = """
import numpy as np
def scale(x, a):
    return x * a
def scale_grad(dout, x, a):
    dx = dout * a
    da = np.sum(dout * x)
    return dx, da
x, a = np.array([1.0, 2.0]), np.array([3.0, 4.0])
y = scale(x, a)
out = scale_grad(np.ones(2), x, a)
"""
    with pytest.raises(InputError, match="no number was found"):
        recorded(code, tmp_path)
    capture = recorded(code, tmp_path, pairs={"scale": "scale_grad"})
    assert [np.asarray(one).tolist() for one in capture.own.values()] == [
        [3.0, 4.0],
        [1.0, 1.0],
    ]


def test_any_number_of_values_may_be_added_at_one_place(tmp_path: Path) -> None:
    places = np.r_[np.zeros(4500, int), np.arange(500)]
    x = np.random.default_rng(0).normal(size=5000)

    def spread(x: Any) -> Any:
        sums = np.zeros(900)
        np.add.at(sums, places, x)
        return np.sum(sums**2)

    found = gradstep.capture(spread, x, to=tmp_path / "run.gradstep")
    assert found.about.notes == ()
    gradient = found.subject.run().gradient(found.subject.graph.names["x"])
    right = 2 * np.bincount(places, x, 900)[places]
    assert gradient is not None
    assert np.allclose(gradient, right, rtol=1e-12)
