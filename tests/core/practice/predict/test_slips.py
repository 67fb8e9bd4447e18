"""What a mistake makes of a value, a seed or an update: held to NumPy, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.practice.predict.slips import slips
from gradstep.core.scenario.scenario import parse

if TYPE_CHECKING:
    from gradstep.core.engine.trace import Trace

A = np.array([[0.5, -2.0], [1.5, 3.0]])
B = np.array([[4.0, 1.0], [-1.0, 2.5]])


Made = dict[str, list[Any]]


def made(trace: Trace, number: int) -> Made:
    """Return what each mistake makes at an event."""
    found: Made = {}
    for slip in slips(trace, number):
        found.setdefault(slip.name, []).append(slip.array)
    return found


def same(found: Made, expected: Made) -> None:
    assert found.keys() == expected.keys()
    for name, arrays in expected.items():
        for one, other in zip(found[name], arrays, strict=True):
            assert one == pytest.approx(other, rel=1e-12), name


VALUES: dict[str, Made] = {
    "tanh(A)": {
        "left-out": [A],
        "value": [1 - np.tanh(A) ** 2],
        "sign": [-np.tanh(A)],
        "row": [np.tanh(A).T],
    },
    "A - B": {
        "swap": [B - A],
        "left-out": [A, B],
        "value": [np.ones((2, 2))],
        "sign": [B - A],
        "row": [(A - B).T],
    },
    "A * B": {
        "swap": [A * B],
        "left-out": [A, B],
        "value": [B],
        "sign": [-A * B],
        "row": [(A * B).T],
    },
    "A @ B": {
        "swap": [B @ A],
        "row": [A.T @ B, A @ B.T, (A @ B).T],
        "sign": [-(A @ B)],
    },
    "sum(A, axis=0)": {
        "row": [A.sum(axis=1)],
        "mean": [A.mean(axis=0)],
        "sign": [-A.sum(axis=0)],
    },
    "mean(A, axis=1)": {
        "row": [A.mean(axis=0)],
        "mean": [A.sum(axis=1)],
        "sign": [-A.mean(axis=1)],
    },
}


@pytest.mark.parametrize("text", VALUES)
def test_a_value_with_each_mistake(text: str) -> None:
    leaves = f"A = {A.tolist()}\nB = {B.tolist()}\n"
    program = f"y = {text}\nE = sum(y) + 0 * (sum(A) + sum(B))"
    lines = f"gradstep = 1\nprogram = '''{program}'''\n[inputs]\n{leaves}"
    same(made(Debugger(parse(lines)).trace, 0), VALUES[text])


def test_a_seed_with_each_mistake() -> None:
    text = "gradstep = 1\nprogram = 'y = 2 * x'\n[inputs]\nx = [3.0, 4.0]\n[seed]\n"
    trace = Debugger(parse(f"{text}y = [0.5, -1.0]\n")).trace
    expected = {"value": [[6.0, 8.0]], "sign": [[-0.5, 1.0]], "zero": [[0.0, 0.0]]}
    same(made(trace, trace.seed_position), expected)


def test_an_update_with_each_mistake() -> None:
    leaves = "[inputs]\nx = 3.0\n[parameters]\nw = 2.0\n"
    momentum = "optimizer = 'momentum'\nmomentum = 0.9\n"
    training = f"[training]\n{momentum}learning_rate = 0.1\niterations = 2\n"
    text = f"gradstep = 1\nprogram = 'E = w * x'\n{leaves}{training}"
    timeline = Debugger(parse(text)).timeline
    first = {"sign": [2.3], "rate": [-1.0], "step": [-0.3], "nothing": [2.0]}
    # The velocity is 3, and then 0.9 · 3 + 3 = 5.7; without it w is 1.7 − 0.1 · 3.
    then = {"sign": [2.27], "rate": [-4.0], "step": [-0.57], "nothing": [1.7]}
    for number, expected in enumerate(
        (first | {"plain": [1.7]}, then | {"plain": [1.4]})
    ):
        trace = timeline.trace(number)
        same(made(trace, len(trace) - 1), expected)
