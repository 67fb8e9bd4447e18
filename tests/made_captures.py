"""Captures for tests: what a framework would have recorded of a scenario's run."""

from typing import TYPE_CHECKING

import numpy as np

from gradstep.core.capture.capture import About, Capture
from gradstep.core.engine.graph import Builder, Frame, Site, Source, Statement
from gradstep.core.engine.subject import Subject
from gradstep.core.ops import OPS
from gradstep.core.scenario.scenario import load, parse

if TYPE_CHECKING:
    from gradstep.core.ops.table import Value

ABOUT = About("numpy 2.4.6", "train.py --lr 0.1", 2, "3.11.7", ("x was on cuda:0",))
PROGRAM = """gradstep = 1
program = '''
def layer(a, W):
    return relu(a @ W)    # one layer

h = layer(x, W1)
part = h[:, 0:2]
loss = mean((part @ W2) ** 2) + 0.5 * sum(W2)
'''
[inputs]
x = [[1.0, -2.0, 0.5], [0.25, 3.0, -1.5]]
[parameters]
W1 = [[0.5, -1.0, 2.0, 0.25], [1.5, 0.75, -0.5, 1.0], [-0.25, 2.0, 1.0, -2.0]]
W2 = [[1.0], [-0.5]]
"""


def captured(subject: Subject | str = PROGRAM) -> Capture:
    """Return the capture of a run of a scenario, by its name or its text."""
    if isinstance(subject, str):
        made = parse(subject) if "\n" in subject else load(subject)
        subject = made.subject
    run = subject.run()
    values: dict[int, Value] = {}
    own: dict[int, Value] = {}
    for node in run.graph:
        if node.op is not None:
            values[node.index] = run.values[node.index]
        gradient = run.gradients[node.index]
        if gradient is not None:
            own[node.index] = np.asarray(gradient)[()]
    calls = {one.index: f"{one.function}.backward" for one in run.graph.frames[1:2]}
    return Capture(subject, values, own, ABOUT, calls)


TRAIN = """import model
h = x @ net[0].weight
for _ in range(2):
    h = tanh(h)
loss = model.criterion(h)    # what is left
"""
MODEL = """def criterion(h):
    return (h ** 2).sum()
"""


def in_two_files() -> Capture:
    """Return a capture whose lines stand in two files, one of them carried out twice.

    Its names are those of PyTorch: `net.0.weight`, `h@2`.
    """
    build = Builder()
    x = build.leaf("x", "input", (2, 3))
    weight = build.leaf("net.0.weight", "parameter", (3, 2))
    h = build.apply(OPS["matmul"], (x, weight), {}, "h", Site(0, 2, 5, "x @ weight"))
    once = build.apply(OPS["tanh"], (h,), {}, "h@2", Site(1, 4, 9, "tanh(h)"))
    twice = build.apply(OPS["tanh"], (once,), {}, "h@3", Site(2, 4, 9, "tanh(h)"))
    two = build.leaf("2", "constant")
    squares = Site(4, 2, 13, "h ** 2")
    power = build.apply(OPS["power"], (twice, two), {}, "loss._1", squares)
    total = Site(4, 2, 12, "(h ** 2).sum()")
    loss = build.apply(OPS["sum"], (power,), {}, "loss", total)
    call = Site(3, 5, 8, "model.criterion(h)")
    graph = build.finish(
        loss,
        [
            Frame(0, "", "", "train.py", 0, 0, None, h, loss + 1),
            Frame(1, "loss", "criterion", "model.py", 0, 1, call, power, loss + 1),
        ],
        [
            Statement(0, 0, "h", 2, "h = x @ net[0].weight", "", h, h + 1),
            Statement(1, 0, "h@2", 4, "h = tanh(h)", "", once, once + 1),
            Statement(2, 0, "h@3", 4, "h = tanh(h)", "", twice, twice + 1),
            Statement(
                3, 0, "loss", 5, "loss = model.criterion(h)", "what is left", two, 8
            ),
            Statement(4, 1, "loss", 2, "return (h ** 2).sum()", "", power, loss + 1),
        ],
        {},
        {"train.py": Source(TRAIN), "model.py": Source(MODEL)},
    )
    leaves = {
        x: np.array([[0.5, -1, 2], [0.25, 0.75, -0.5]]),
        weight: np.array([[0.5, -0.25], [1, 0.75], [-0.5, 0.125]]),
        two: 2,
    }
    return captured(Subject("two_files", graph, leaves))
