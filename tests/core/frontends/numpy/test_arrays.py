"""What people do with arrays and numbers besides arithmetic is as without a watch."""

from pathlib import Path

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.export.scenario_text import scenario_text
from gradstep.core.scenario.scenario import parse
from watching import plain, recorded, watched

EXPRESSIONS = [
    "s.item(), round(s, 1), s.astype(int), s.reshape(1), s[()], s.tolist(), s.mean()",
    "copy.copy(s), copy.deepcopy([s, y]), pickle.loads(pickle.dumps([s, y]))",
    "np.array([s, 2.0]), np.full(3, s), np.asarray(s), np.array([s, s]).dtype",
    "np.random.default_rng(0).normal(s, 1, 3), np.random.default_rng(1).integers(9)",
    "s.dtype, s.shape, s.ndim, s.real, s.T, s.nbytes, s.__array_interface__['typestr']",
    "2 ** s, -s, s // 2, s % 2, 1 - s, y / s, s * y, divmod(s, 2), abs(s), +s",
    "json.dumps([s, y.tolist()]), '%d' % s, f'{s:.2f} {y}', str(s), hash(s), int(s)",
    "sorted([s, 1]), max(s, 4.0), s == 3.0, s < 4, bool(s), s in (3.0,), {s: 1}[3.0]",
    "y.tobytes(), y.flat[1], y.nbytes, y.view(), memoryview(y)[0, 0], list(y.ravel())",
    "y.astype(int), y.argmax(), (y > 1).any(), np.isnan(s), np.squeeze(y), len(y)",
    "[row.sum() for row in y], np.mean([s, s]), sum(y[0]), y.T.shape, y @ y.T",
    "isinstance(y, np.ndarray), isinstance(s, float), isinstance(s, np.float64)",
    "math.exp(s), math.floor(s), math.pow(s, 2), np.linalg.inv(np.eye(2) * s)",
    "np.float32(1) * y, y.astype('f4').sum() * 2, (y.astype('f4') + s).dtype",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_what_it_is_without_a_watch(
    expression: str, tmp_path: Path
) -> None:
    code = f"""
import copy, json, math, pickle
import numpy as np
y = np.array([[1.0, 2.0]])
s = y.sum()
found = repr(({expression}))
"""
    _, seen = watched(code, tmp_path, ends=False)
    assert seen["found"] == plain(code, tmp_path, {})["found"]


def test_functions_of_the_script_may_have_the_names_of_operations(
    tmp_path: Path,
) -> None:
    code = """
import numpy as np
def linear(x, w):
    h = np.dot(x, w)
    return h + 1
def layer_norm(x, norm):
    return norm(x - np.mean(x))
def norm(x):
    return np.sum(x * x)
w = np.array([[2.0, 3.0], [0.5, -1.0]])
sum = layer_norm(linear(np.ones((1, 2)), w), norm)
loss = linear(sum.reshape(1, 1), np.ones((1, 1))).sum()
dw = np.array([[-1.5, 1.5], [-1.5, 1.5]]) * 0 + 1
w -= dw
"""
    capture = recorded(code, tmp_path)
    graph = capture.subject.graph
    assert {frame.function for frame in graph.frames} == {
        *("", "linear", "layer_norm", "norm")
    }
    debugger = Debugger(capture.opened().subject)
    for line in ("break linear", "goto linear", "where", "print linear.h"):
        assert debugger.execute(line).ok, line
    # As a program its functions are lines, for there the names are taken.
    subject = capture.opened().subject
    again = parse(scenario_text(subject, subject.run()).text).subject
    run, other = again.run(), capture.subject.run()
    assert run.value(again.graph.output) == other.value(graph.output)
    gradient = np.asarray(other.gradient(graph.names["w"]))
    assert np.array_equal(np.asarray(run.gradient(again.graph.names["w"])), gradient)
