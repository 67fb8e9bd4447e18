"""Programs in the style of the books: every number is NumPy's, every gradient right."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradstep.core.account.account import account
from watching import numeric, plain, program, recorded, text, watched

# Each program, how many gradients of its own it has, and some of its names.
WHOLE = {
    "two_layers": (9, {"W1", "b1", "W2", "b2", "x"}),
    "deep": (12, {"layers.0.W", "layers.1.gamma", "layers.4.params.0"}),
    "convolution": (10, {"layers.0.W", "layers.0.b", "layers.3.W", "x"}),
    "apples": (8, {"apple", "apple_num", "orange", "tax", "price", "all_price"}),
    "shop": (9, {"apple", "orange_num", "tax"}),
    "pairs": (8, {"W1", "b1", "W2", "b2", "x", "softmax_loss.loss"}),
    "straight": (6, {"W", "b", "W2", "b2", "X", "hidden", "loss", "data_loss"}),
    "scalars": (13, {"x", "w", "b", "a", "square", "twice", "h", "loss"}),
    "words": (5, {"E", "low", "high", "h", "y", "loss"}),
    "recurrent": (5, {"Wxh", "Whh", "Why", "bh", "by"}),
}


def same(one: Any, other: Any, rtol: float, atol: float) -> None:
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol, atol)


@pytest.mark.parametrize("name", list(WHOLE))
def test_a_program_of_numpy_is_recorded_whole(name: str, tmp_path: Path) -> None:
    capture = program(name, tmp_path)
    graph = capture.subject.graph
    many, names = WHOLE[name]
    assert len(capture.own) == many
    assert names <= {node.name for node in graph}
    subject = capture.subject._replace(known={}, claims=None)
    run = subject.run()  # all values anew, from the leaves alone
    for node, value in capture.values.items():
        same(run.value(node), value, 1e-12, 1e-14)
    for node, value in capture.own.items():
        same(run.gradient(node), value, 1e-10, 1e-13)
        if graph.nodes[node].op is None:
            found = numeric(capture, node)
            same(found, value, 1e-5, 1e-7)
    assert account(run, capture.claims).ok


@pytest.mark.parametrize(
    "name", ["two_layers", "pairs", "straight", "recurrent", "scalars"]
)
@pytest.mark.parametrize("step", [2, 3])
def test_a_later_pass_begins_with_what_the_updates_left(
    name: str, step: int, tmp_path: Path
) -> None:
    first, later = program(name, tmp_path), program(name, tmp_path, step=step)
    assert later.about.step == step
    pairs = zip(first.subject.graph, later.subject.graph, strict=True)
    assert all(a.name == b.name and a.op is b.op for a, b in pairs)
    output = first.subject.graph.output
    assert later.values[output] != first.values[output]
    run = later.subject._replace(known={}, claims=None).run()
    assert account(run, later.claims).ok


def arrays(value: object, depth: int = 4) -> Iterator[np.ndarray]:
    if isinstance(value, (np.ndarray, float, int)):
        yield np.array(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from arrays(one, depth - 1)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from arrays(one, depth - 1)
    elif depth and type(value).__module__ in ("layers", "engine", "__main__"):
        yield from arrays(vars(value), depth - 1)


def test_how_far_a_file_is_held_and_written_is_told(tmp_path: Path) -> None:
    name = next(iter(WHOLE))
    files = {one: text(one) for one in ("layers", "engine")}
    told: list[float] = []
    watch, _ = watched(
        text(name),
        tmp_path,
        files=files,
        telling=lambda: nullcontext(lambda done, of: told.append(done / of)),
    )
    assert watch.capture is not None
    assert told == sorted(told)
    assert min(told) == 0
    assert 0.5 in told  # written when all is held
    assert max(told) > 0.75


@pytest.mark.parametrize("name", list(WHOLE))
def test_looking_changes_nothing(name: str, tmp_path: Path) -> None:
    code, files = text(name), {one: text(one) for one in ("layers", "engine")}
    state: Any = np.random.get_state()  # noqa: NPY002  # what programs use
    before = plain(code, tmp_path, files)
    drawn: Any = np.random.get_state()  # noqa: NPY002  # the same
    np.random.set_state(state)  # noqa: NPY002  # the same
    watch, seen = watched(code, tmp_path, files=files, ends=False)
    assert watch.capture is not None
    after: Any = np.random.get_state()  # noqa: NPY002  # the same
    assert np.array_equal(after[1], drawn[1])
    assert after[2:] == drawn[2:]
    compared = 0
    for key, value in before.items():
        if not key.startswith("__"):
            for one, other in zip(arrays(value), arrays(seen[key]), strict=True):
                assert one.dtype == other.dtype
                assert one.tobytes() == other.tobytes()
                compared += 1
    assert compared


@pytest.mark.parametrize(
    "lines",
    [
        "dz = dh * (z > 0)",
        "dz = dh.copy()\ndz[z <= 0] = 0",
        "dz = dh\ndz[z <= 0] = 0",
        "dz = np.where(z > 0, dh, 0)",
    ],
)
def test_a_gradient_before_relu_and_one_behind_it(lines: str, tmp_path: Path) -> None:
    code = f"""
import numpy as np
x = np.array([[1.0, -2.0], [0.5, 3.0]])
W = np.array([[1.0, -1.0, 0.5], [0.5, 2.0, -1.0]])
z = x @ W
h = np.maximum(z, 0)
loss = np.sum(h * h)
dh = 2 * h
{lines}
dW = x.T @ dz
"""
    capture = recorded(code, tmp_path)
    run = capture.subject._replace(known={}, claims=None).run()
    found = account(run, capture.claims)
    assert found.ok
    assert found.compared == 3


def test_what_a_script_only_defines_is_called(tmp_path: Path) -> None:
    code = text("convolution").replace('__name__ == "__main__"', "False")
    files = {"layers": text("layers")}
    capture = recorded(code, tmp_path, files=files, call="net.gradient(x, t)")
    assert len(capture.own) == 10
    assert capture.about.step == 1
