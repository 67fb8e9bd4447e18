"""A NaN at the end of a training is followed to the iteration that made it."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sessions import said, session

if TYPE_CHECKING:
    from gradstep.core.debugger.debugger import Debugger

DEEP = """
gradstep = 1
program = '''
h1 = relu(x @ W1)
h2 = relu(h1 @ W2)
h3 = relu(h2 @ W3)
L = mean((h3 @ W4 - t) ** 2)
'''
[inputs]
x = { random = "normal", shape = [6, 3], seed = 7 }
[constants]
t = { random = "normal", shape = [6, 1], seed = 8 }
[parameters]
W1 = { random = "normal", shape = [3, 8], seed = SEED }
W2 = { random = "normal", shape = [8, 8], seed = 2 }
W3 = { random = "normal", shape = [8, 8], seed = 3 }
W4 = { random = "normal", shape = [8, 1], seed = 4 }
[training]
learning_rate = 10
iterations = 100
"""


Arrays = dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]


def trained(debugger: Debugger) -> tuple[int, Arrays]:
    """Train with NumPy alone, to the first update that is not finite.

    Return its iteration, counted from 0, and what was computed in it.
    """
    run = debugger.timeline.trace(0).run
    names = ("x", "t", "W1", "W2", "W3", "W4")
    x, t, *layers = (run.value(debugger.graph.node(n).index).copy() for n in names)
    for iteration in range(100):
        with np.errstate(all="ignore"):
            below, zs = [x], list[Any]()
            for number in range(3):
                zs.append(below[-1] @ layers[number])
                below.append(np.maximum(zs[-1], 0))
            y = below[-1] @ layers[3]
            upstream = 2 * (y - t) / y.size
            found = {"h1._1": zs[0], "h2._1": zs[1], "h3._1": zs[2], "L._1": y}
            found |= {"L._3": (y - t) ** 2, "W4.grad": below[3].T @ upstream}
            for number in (3, 2, 1):
                found[f"h{number}.grad"] = upstream @ layers[number].T
                upstream = found[f"h{number}.grad"] * (zs[number - 1] > 0)
                found[f"W{number}.grad"] = below[number - 1].T @ upstream
        steps = [found[f"W{number}.grad"] for number in range(1, 5)]
        after = [w - 10 * g for w, g in zip(layers, steps, strict=True)]
        if not all(np.isfinite(w).all() for w in after):
            found |= {f"W{number}": layers[number - 1] for number in range(1, 5)}
            return iteration, found | {"h1": below[1], "h2": below[2], "h3": below[3]}
        layers = after
    raise AssertionError("it stays finite")


def deep(seed: int) -> Debugger:
    """Return three layers with relu, at rate 10, behind 60 iterations of them."""
    debugger = session(DEEP.replace("SEED", str(seed)))
    said(debugger, "train 60")
    said(debugger, "goto 60:end")
    return debugger


@pytest.mark.parametrize("asked", ["L", "W1", "W3.grad[0, 0]", "h1"])
def test_the_first_bad_iteration_and_its_operation_are_named(asked: str) -> None:
    """In iteration 4 a matrix product overflows up, and goes on through the relu.

    Three others of the same row overflow down: they come first, and do no harm.
    """
    debugger = deep(36)
    reply = said(debugger, f"why {asked}")
    number, arrays = trained(debugger)
    assert number == 4
    [line] = [one.strip() for one in reply.text if "whose update is bad" in one]
    assert line == (
        "iteration 4 is the first whose update is bad: h2._1[0, 3] = inf: finite "
        "numbers make one that is too large for its type, made by matmul: h1 @ W2"
    )
    assert arrays["h2._1"][0, 1] == -math.inf
    factors = arrays["h1"][0].tolist(), arrays["W2"][:, 3].tolist()
    exact = sum(Fraction(a) * Fraction(b) for a, b in zip(*factors, strict=True))
    assert exact > sys.float_info.max
    assert "given" not in reply.text[0]
    past = reply.data["past"]
    assert (past["iteration"], past["first"]["element"]) == (4, "h2._1[0, 3]")
    assert past["first"]["cause"] == "overflow"


@pytest.mark.parametrize("seed", [11, 13, 80, 108])
def test_what_made_the_first_bad_update_is_where_it_is_said(seed: int) -> None:
    debugger = deep(seed)
    past = said(debugger, "why L").data["past"]
    iteration, arrays = trained(debugger)
    assert past["iteration"] == iteration
    name, _, index = past["first"]["element"].partition("[")
    place = tuple(map(int, index.rstrip("]").split(", ")))
    assert arrays[name][place] == past["first"]["number"]
    assert math.isinf(past["first"]["number"])
    assert past["first"]["cause"] == "overflow"
    with np.errstate(all="ignore"):
        for number in range(1, 5):
            after = arrays[f"W{number}"] - 10 * arrays[f"W{number}.grad"]
            if past["parameter"].startswith(f"W{number}["):
                assert not np.isfinite(after).all()


MASKED = """
gradstep = 1
program = "p = softmax(q * k + mask)\\nE = sum(p * v) * big"
[inputs]
k = [1.0, 2.0, 3.0]
v = [1.0, 5.0, 2.0]
big = 1e300
[constants]
mask = [0.0, 0.0, -inf]
[parameters]
q = 1.0
[training]
learning_rate = 1e10
iterations = 9
"""


def test_a_mask_of_infinities_is_not_what_made_an_update_bad() -> None:
    """∂E/∂q is about 1e300, and times the rate it is no float any more."""
    debugger = session(MASKED)
    said(debugger, "goto 5:end")
    lines = said(debugger, "why E").text
    [line] = [one.strip() for one in lines if "whose update is bad" in one]
    assert line.startswith("iteration 0 is the first whose update is bad: q.grad = ")
    assert line.endswith("is finite, but not the step that sgd makes of it")
    assert lines[-2].strip().startswith("its update made q = ")


def test_the_first_of_several_bad_updates_is_named() -> None:
    """w turns infinite in iteration 0, and u in iteration 1, by itself."""
    debugger = session(
        """
gradstep = 1
program = "E = w * x + u * u"
inputs.x = 1e10
[parameters]
w = 1.0
u = 1e-100
[training]
learning_rate = { w = 1e300, u = 1e250 }
iterations = 5
"""
    )
    said(debugger, "goto 3:end")
    for asked in ("w", "u", "E"):
        past = said(debugger, f"why {asked}").data["past"]
        assert (past["iteration"], past["parameter"]) == (0, "w")


def test_a_number_that_was_set_is_no_update() -> None:
    debugger = session(
        """
gradstep = 1
program = "E = w * x"
inputs.x = 2.0
parameters.w = 1.0
training = { learning_rate = 0.1, iterations = 5 }
"""
    )
    said(debugger, "goto 2:start")
    said(debugger, "set w = nan")
    said(debugger, "goto 3:end")
    reply = said(debugger, "why w")
    # In iteration 2 it was set: its update made NaN of the NaN that was there.
    assert reply.data["past"] is None or reply.data["past"]["iteration"] == 2


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
    first = "iteration 0 is the first whose update is bad"
    but = "w.grad = 1e10 is finite, but not the step that sgd makes of it"
    assert lines[1].strip() == f"{first}: {but}"
    assert lines[2].strip() == "its update made w = -inf"
    said(debugger, "goto 2:start")
    assert first in said(debugger, "why w").text[1]


def test_a_loss_that_was_infinite_before_is_not_said_to_be_finite() -> None:
    """By hand: w is 1e100, −2e160, 4e220, −8e280, and w² is ∞ from the second on."""
    debugger = session(
        """
gradstep = 1
program = "E = w * w"
parameters.w = 1e100
training = { learning_rate = 1e60, iterations = 9 }
"""
    )
    said(debugger, "goto 1:end")
    assert debugger.print("E").data == math.inf
    said(debugger, "goto 8:end")
    told = "\n".join(said(debugger, "why w").text)
    assert "iteration 3 is the first whose update is bad" in told
    assert "first bad one" not in told


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
    assert (past["iteration"], past["first"]["element"]) == (0, "x")
