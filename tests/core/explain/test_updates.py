"""A parameter in a training opens into the update that made it, for each optimiser."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from gradstep.core.engine.element import Element
from gradstep.core.explain.why.rows import explained
from gradstep.core.ops.optimizers import OPTIMIZERS
from gradstep.core.words.numbers import value_text
from sessions import close, said, session, value, wrong

if TYPE_CHECKING:
    from gradstep import Debugger

TRAINED = """
gradstep = 1
program = "E = 0.5 * (w * x - t) ** 2"
[inputs]
x = 2.0
t = 1.0
[parameters]
w = 1.0
[training]
learning_rate = 0.1
iterations = 3
"""


def test_a_parameter_opens_into_its_update() -> None:
    debugger = session(TRAINED)
    assert said(debugger, "explain w").text == ("w = 1", "  given as a parameter")
    said(debugger, "goto 0:end")
    # ∂E/∂w = (1 · 2 − 1) · 2 = 2, and 1 − 0.1 · 2 = 0.8.
    reply = said(debugger, "explain w")
    assert reply.text == (
        "w = 0.8",
        "  updated in iteration 0: w ← w − α ∘ w.grad",
        "  0.8 = 1 − 0.1 × 2   w before − α · w.grad",
    )
    assert reply.data["sum"] == 0.8
    update = reply.data["update"]
    assert (update["value"], update["rate"], update["direction"]) == (1.0, 0.1, 2.0)
    said(debugger, "goto 1:end")
    # ∂E/∂w = (0.8 · 2 − 1) · 2 = 1.2, and 0.8 − 0.12 = 0.68.
    assert said(debugger, "explain w").text[1:] == (
        "  updated in iteration 1: w ← w − α ∘ w.grad",
        "  0.68 = 0.8 − 0.1 × 1.2   w before − α · w.grad",
        "  0.8  w before",
    )
    said(debugger, "goto 1:start")
    assert said(debugger, "explain w").text[0] == "w = 0.8"
    assert "in iteration 0" in said(debugger, "explain w").text[1]


def test_an_optimiser_tells_what_it_keeps() -> None:
    momentum = TRAINED.replace("[training]", '[training]\noptimizer = "momentum"')
    debugger = session(momentum)
    said(debugger, "goto 1:end")
    # v = 2, w = 0.8; then v = 0.9 · 2 + 1.2 = 3, w = 0.8 − 0.1 · 3 = 0.5.
    assert said(debugger, "explain w").text == (
        "w = 0.5",
        "  updated in iteration 1: v ← μ v + w.grad; w ← w − α ∘ v",
        "  0.5 = 0.8 − 0.1 × 3   w before − α · what momentum makes of w.grad",
        "  v 2 → 3",
        "  1.2  w.grad",
        "  momentum = 0.9",
        "  0.8  w before",
    )


W, X, T = [1.0, -0.5], [1.0, 2.0], [0.5, 0.0]


def by_hand(optimizer: str, steps: int) -> tuple[list[float], dict[str, list[float]]]:
    """Return w after so many steps, and what is kept, in Python's own numbers.

    As PyTorch's pages of its optimisers have it. The loss is Σ (w x − t)².
    """
    w, kept = list(W), {name: [0.0, 0.0] for name in "mvs"}
    for t in range(1, steps + 1):
        for k in range(2):
            g = 2 * (w[k] * X[k] - T[k]) * X[k]
            m, v, s = (kept[name] for name in "mvs")
            if optimizer == "sgd":
                step = g
            elif optimizer in ("momentum", "nesterov"):
                v[k] = 0.9 * v[k] + g
                step = v[k] if optimizer == "momentum" else g + 0.9 * v[k]
            elif optimizer == "adam":
                m[k] = 0.9 * m[k] + 0.1 * g
                v[k] = 0.999 * v[k] + 0.001 * g * g
                mean, square = m[k] / (1 - 0.9**t), v[k] / (1 - 0.999**t)
                step = mean / (math.sqrt(square) + 1e-8)
            else:
                s[k] = (
                    s[k] + g * g if optimizer == "adagrad" else 0.9 * s[k] + 0.1 * g * g
                )
                step = g / (math.sqrt(s[k]) + 1e-8)
            w[k] -= 0.1 * step
    return w, kept


SETTINGS = {
    "sgd": ("", {}),
    "momentum": ("v", {"momentum": 0.9}),
    "nesterov": ("v", {"momentum": 0.9}),
    "adagrad": ("s", {"epsilon": 1e-8}),
    "rmsprop": ("s", {"decay": 0.9, "epsilon": 1e-8}),
    "adam": ("mv", {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
}


def optimised(optimizer: str) -> Debugger:
    return session(
        f"""
gradstep = 1
program = "E = sum((w * x - t) ** 2)"
inputs.x = {X}
constants.t = {T}
parameters.w = {W}
training = {{ optimizer = "{optimizer}", learning_rate = 0.1, iterations = 9 }}
"""
    )


def test_every_optimiser_is_tried() -> None:
    assert set(SETTINGS) == set(OPTIMIZERS)


@pytest.mark.parametrize("optimizer", SETTINGS)
def test_what_an_optimiser_keeps_has_names(optimizer: str) -> None:
    debugger = optimised(optimizer)
    names, settings = SETTINGS[optimizer]
    for iteration in range(4):
        for at, step in (("start", iteration), ("end", iteration + 1)):
            w, kept = by_hand(optimizer, step)
            said(debugger, f"goto {iteration}:{at}")
            close(value(debugger, "w"), w, 1e-9)
            for name in names:
                close(value(debugger, f"w.{name}"), kept[name], 1e-9)
    for name, number in settings.items():
        assert value(debugger, name) == number
    assert value(debugger, "learning_rate") == 0.1
    assert value(debugger, "w.learning_rate") == 0.1
    for one in set("mvs") - set(names):
        assert f"keeps no {one}" in wrong(debugger, f"print w.{one}")


@pytest.mark.parametrize("optimizer", SETTINGS)
def test_an_update_opens_into_what_its_optimiser_keeps(optimizer: str) -> None:
    debugger = optimised(optimizer)
    for iteration in range(4):
        (_, before), (after, kept) = (
            by_hand(optimizer, step) for step in (iteration, iteration + 1)
        )
        said(debugger, f"goto {iteration}:end")
        reply = said(debugger, "explain w[1]")
        update = reply.data["update"]
        close(update["value"] - update["rate"] * update["direction"], after[1], 1e-9)
        for name in SETTINGS[optimizer][0]:
            numbers = before[name][1], kept[name][1]
            text = " → ".join(value_text(number) for number in numbers)
            assert f"  {name} {text}" in reply.text
        counts = any(f", t = {iteration + 1}" in line for line in reply.text)
        assert counts == (optimizer == "adam")


@pytest.mark.parametrize("optimizer", SETTINGS)
def test_an_update_leads_to_the_gradient_and_to_the_parameter_before(
    optimizer: str,
) -> None:
    debugger = optimised(optimizer)
    for iteration in range(4):
        said(debugger, f"goto {iteration}:end")
        w, end = debugger.graph.node("w").index, len(debugger.trace)
        rows = [*explained(debugger.trace, Element(w, "value", (1,)), end, 8)]
        ways = [(row.leads, row.iteration, row.numbers) for row in rows if row.leads]
        assert ways[0][:2] == (Element(w, "grad", (1,)), None)
        assert [way[:2] for way in ways[1:]] == [
            (Element(w, "value", (1,)), one) for one in [iteration - 1] if iteration
        ]
        before, _ = by_hand(optimizer, iteration)
        for _, _, numbers in ways[1:]:
            close(numbers, [before[1]], 1e-9)


def test_a_value_that_was_set_is_not_called_an_update() -> None:
    debugger = session(TRAINED)
    said(debugger, "goto 1:start")
    said(debugger, "set w = 5")
    lines = said(debugger, "explain w").text
    assert lines == ("w = 5", "  a change of this run stands in place of the value")


def test_a_rate_is_told_as_the_type_has_it() -> None:
    """In float16 both s = 320² and 1e10 are infinite: 0 − ∞ · 0 is NaN, and not 0."""
    debugger = session(
        """
gradstep = 1
dtype = "float16"
program = "E = w * 320"
parameters.w = 0.0
training = { optimizer = "adagrad", learning_rate = 1e10, iterations = 3 }
"""
    )
    said(debugger, "goto 0:end")
    reply = said(debugger, "explain w")
    assert any(line.startswith("  nan = 0 − inf × 0 ") for line in reply.text)
    assert math.isinf(reply.data["update"]["rate"])
