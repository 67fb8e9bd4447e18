"""A NaN at the end of a training is followed to the iteration that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sessions import said, session

if TYPE_CHECKING:
    from gradstep.core.debugger.debugger import Debugger

DEEP = """
gradstep = 1
program = "h1 = x @ W1\\nh2 = h1 @ W2\\nL = mean((h2 @ W3 - t) ** 2)"
[inputs]
x = [[1.0, 2.0], [0.5, -1.0], [2.0, 0.3]]
[constants]
t = [[1.0], [0.0], [2.0]]
[parameters]
W1 = { random = "normal", shape = [2, 6], seed = 1 }
W2 = { random = "normal", shape = [6, 6], seed = 2 }
W3 = { random = "normal", shape = [6, 1], seed = 3 }
[training]
learning_rate = 10
iterations = 100
"""


def first_bad(debugger: Debugger) -> int:
    """Train with NumPy alone, until a number is not finite."""
    values = debugger.timeline.trace(0).run

    def given(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return values.value(debugger.graph.node(name).index).copy()

    x, t = given("x"), given("t")
    one, two, three = (given(name) for name in ("W1", "W2", "W3"))
    for iteration in range(100):
        with np.errstate(all="ignore"):
            h1 = x @ one
            h2 = h1 @ two
            error = h2 @ three - t
            upstream = 2 * error / 3
            by_h2 = upstream @ three.T
            by_h1 = by_h2 @ two.T
            gradients = x.T @ by_h1, h1.T @ by_h2, h2.T @ upstream
            everything = (h1, h2, error**2, np.mean(error**2), by_h2, by_h1, *gradients)
        if not all(np.isfinite(array).all() for array in everything):
            return iteration
        one, two, three = (
            value - 10 * gradient
            for value, gradient in zip((one, two, three), gradients, strict=True)
        )
    raise AssertionError("it stays finite")


@pytest.mark.parametrize("asked", ["L", "W1", "W3.grad[0, 0]", "h1"])
def test_the_first_bad_iteration_and_its_operation_are_named(asked: str) -> None:
    debugger = session(DEEP)
    said(debugger, "train 60")
    said(debugger, "goto 60:end")
    reply = said(debugger, f"why {asked}")
    number = first_bad(debugger)
    [line] = [one.strip() for one in reply.text if "first bad" in one]
    # The square overflows before anything else does.
    assert line.startswith(
        f"iteration {number} is the first bad one: L._3[0, 0] = inf: "
    )
    assert line.endswith("made by power: (h2 @ W3 - t) ** 2")
    assert "given" not in reply.text[0]
    past = reply.data["past"]
    assert (past["iteration"], past["first"]["element"]) == (number, "L._3[0, 0]")
    assert past["first"]["cause"] == "overflow"


def test_a_step_that_is_too_large_by_itself_is_told() -> None:
    debugger = session(
        """
gradstep = 1
program = "E = w * x"
inputs.x = 1e10
parameters.w = 1.0
training = { learning_rate = 1e300, iterations = 3 }
"""
    )
    said(debugger, "goto 0:end")
    lines = said(debugger, "why w").text
    assert lines[0] == "w = -inf: an update of the training made it so"
    first = "iteration 0 is the first bad one: its gradients are finite, the step is "
    assert lines[1].strip() == f"{first}too large"
    assert lines[2].strip() == "its update made w = -inf"
    said(debugger, "goto 2:start")
    assert "iteration 0 is the first bad one" in said(debugger, "why w").text[1]


def test_what_was_given_so_is_not_put_down_to_the_training() -> None:
    debugger = session(
        """
gradstep = 1
program = "E = w * x"
inputs.x = nan
parameters.w = 1.0
training = { learning_rate = 1.0, iterations = 3 }
"""
    )
    said(debugger, "goto 0:end")
    reply = said(debugger, "why E")
    assert reply.data["past"] is None
    assert "it was given like this" in reply.text[0]
    said(debugger, "goto 2:end")
    past = said(debugger, "why w").data["past"]
    assert (past["iteration"], past["first"]["element"]) == (0, "E")
