"""Sessions to test with: debuggers over a scenario's text, and drawn commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import parse
from gradstep.core.session.stops import same

if TYPE_CHECKING:
    from gradstep.core.session.reply import Reply

LAYERS = """
gradstep = 1
program = '''
def layer(W, x):
    z = W @ x
    return sigmoid(z)

def block(W, x):
    h = layer(W, x)
    return layer(W, h) + x

a = block(W, x)
b = tanh(a * a + c) * c
E = sum(layer(W, b) ** 2)
'''
[inputs]
x = [[0.5], [-0.25]]
c = 0.5
[parameters]
W = [[0.5, -1.0], [0.25, 2.0]]
[names]
"δ" = "a.grad"
"""
TRAINING = LAYERS + "[training]\nlearning_rate = 0.5\niterations = 4\n"
# The first update drives all of the second layer below 0, for good: each W2 gets
# minus 4.5 and each b2 minus 2 (`test_why.py` has it by hand).
DEAD = """
gradstep = 1
output = "E"
program = '''
h1 = relu(x @ W1)
h2 = relu(h1 @ W2 + b2)
E = sum(h2)
'''
[inputs]
x = [[1.0, 2.0], [2.0, 1.0]]
[parameters]
W1 = [[1.0, 0.5], [0.5, 1.0]]
W2 = [[1.0, 1.0], [1.0, 1.0]]
b2 = [0.5, 0.5]
[training]
learning_rate = 1.0
iterations = 4
"""
TROUBLE = """
gradstep = 1
program = '''
y = where(x > 0, log(x), 0)
cold = relu(w * v)
held = stop_gradient(v) * u
loose = v * 3
n = v - v
E = sum(y) + sum(cold) + sum(held) + sum(n) + sum(x * mask)
'''
[inputs]
x = [0.5, 0.0, 2.0]
v = [1.0, 2.0, 3.0]
[parameters]
w = [1.0, -1.0, 2.0]
u = [0.5, 0.25, 2.0]
[constants]
mask = [true, false, true]
"""


def session(text: str = LAYERS) -> Debugger:
    return Debugger(parse(text))


def said(debugger: Debugger, line: str) -> Reply:
    """Execute a line that has to work."""
    reply = debugger.execute(line)
    assert reply.ok, f"{line}: {reply.error}"
    return reply


def wrong(debugger: Debugger, line: str) -> str:
    """Execute a line that has to be wrong, and return what is said about it."""
    reply = debugger.execute(line)
    assert not reply.ok, f"{line} works: {reply.text}"
    assert reply.error is not None
    assert "Traceback" not in reply.error
    return reply.error


def value(debugger: Debugger, expression: str) -> Any:
    return said(debugger, f"print {expression}").data


def close(one: Any, two: Any, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(one, two, rtol=rtol, atol=0)


def place(debugger: Debugger) -> tuple[int, int]:
    return debugger.place.iteration, debugger.place.position


def seen(reply: Reply) -> tuple[Any, ...]:
    """Return everything that a reply says, but its number."""
    data = reply.data
    shown = same(data, data) if isinstance(data, np.ndarray) else True
    return (
        reply.command,
        reply.ok,
        reply.iteration,
        reply.position,
        reply.text,
        reply.error,
        repr(reply.stop),
        repr(reply.display),
        shown,
    )


def lines() -> st.SearchStrategy[str]:
    """Draw a command line that works somewhere in `LAYERS`."""
    count = st.integers(1, 5)
    moves = ("step", "stepi", "next", "finish", "continue")
    both = [name for move in moves for name in (move, f"reverse-{move}")]
    counted = st.sampled_from([b for b in both if "finish" not in b])
    place = st.sampled_from(
        [
            "a",
            "a.h",
            "a.h.z",
            "b",
            "b._1",
            "x",
            "W",
            "E",
            "a<-x",
            "line:7",
            "op:sigmoid",
            "output",
            "a@backward",
            "#3",
        ]
    )
    expression = st.sampled_from(["W.grad", "a", "b + a", "norm(W.grad)", "x.grad"])
    return st.one_of(
        st.builds("{} {}".format, counted, count),
        st.sampled_from(["finish", "reverse-finish", "back", "forward", "goto 50%"]),
        st.builds("goto {}".format, place),
        st.builds("goto {:+d}".format, st.integers(-9, 9)),
        st.builds("until {}".format, place),
        st.builds("reverse-until {}".format, place),
        st.builds("until {} ".format, st.just("norm(W.grad) > 0.1")),
        st.builds("last {}".format, expression),
        st.builds("last -f {}".format, expression),
        st.builds("break {}".format, place),
        st.builds("tbreak {}".format, place),
        st.builds("watch {}".format, expression),
        st.sampled_from(["catch large 0.5", "catch small 0.1", "delete", "disable 1"]),
        st.sampled_from(["ignore 1 1", "condition 1 position > 9", "enable"]),
        st.sampled_from(["commands 1 print position", "mark", "undisplay"]),
        st.builds("display {}".format, expression),
        looks(),
    )


def looks() -> st.SearchStrategy[str]:
    """Draw a command line that only looks."""
    place = st.sampled_from(["a", "a.h.z", "b", "E", "x", "W"])
    return st.one_of(
        st.builds("print {}".format, place),
        st.builds("print {}.grad".format, place),
        st.builds("history {}.grad".format, place),
        st.builds("explain {}.grad".format, place),
        st.builds("explain {}".format, place),
        st.builds("why {}.grad".format, place),
        st.builds("uses {}".format, place),
        st.builds("whatis {}".format, place),
        st.builds("paths {}".format, place),
        st.builds("transposes {}".format, place),
        st.builds("assert {} == {}".format, place, place),
        st.sampled_from(
            [
                "list",
                "where",
                "info nodes",
                "info stops",
                "info frames",
                "info marks",
                "info runs",
                "marks",
                "runs",
                "help",
                "help step",
                "apropos stop",
                "info displays",
                "explain",
                "list 3",
            ]
        ),
    )
