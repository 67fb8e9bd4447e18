"""Captures for tests: what a framework would have recorded of a scenario's run."""

from typing import TYPE_CHECKING

import numpy as np

from gradstep.core.capture.capture import About, Capture
from gradstep.core.engine.subject import Subject
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
