"""A capture is debugged by the names and the lines of the code that was recorded."""

from pathlib import Path

import numpy as np
import pytest

from gradstep.core.base.errors import CommandError
from gradstep.core.capture.archive import write
from gradstep.core.capture.capture import Capture
from gradstep.core.capture.opaque import opaque
from gradstep.core.debugger.complete import complete
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.subject import Subject
from gradstep.core.expression.expression import parse
from gradstep.core.ops import OPS
from gradstep.core.scenario.scenario import load
from gradstep.core.session.location import parse_location
from gradstep.core.words.names import with_wordings
from made_captures import in_two_files


@pytest.fixture
def debugger(tmp_path: Path) -> Debugger:
    return Debugger(load(write(tmp_path / "run.gradstep", in_two_files())))


def test_a_capture_opens_as_a_scenario_does(debugger: Debugger) -> None:
    scenario = debugger.scenario
    assert scenario is not None
    assert scenario.capture is not None
    assert scenario.capture.about.command == "train.py --lr 0.1"
    assert scenario.group == "captures"
    assert debugger.subject.title == "backward pass 2 of train.py --lr 0.1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("h@2 - tanh(h)", np.zeros((2, 2))),
        ("`h@2` - tanh(h)", np.zeros((2, 2))),
        ("x @ net.0.weight - h", np.zeros((2, 2))),
        ("h@3.shape", (2, 2)),
        ("h@2.T[0, 1] - h@2[1, 0]", 0),
        ("net.0.weight[0, 1]", -0.25),
        ("loss._1.op", "power"),
        ("h@3.grad - 2 * h@3", np.zeros((2, 2))),
        ("any(isnan(net.0.weight.grad))", False),
    ],
)
def test_an_expression_knows_the_names_of_captures(
    text: str, value: object, debugger: Debugger
) -> None:
    debugger.execute("goto end")
    found = debugger.expression(text).evaluate(debugger.state())
    if isinstance(value, np.ndarray | int | float):
        np.testing.assert_allclose(found, value, atol=1e-15)
    else:
        assert found == value


def test_an_at_sign_between_two_nodes_is_a_product(debugger: Debugger) -> None:
    debugger.execute("goto end")
    product = debugger.expression("h@h@2").evaluate(debugger.state())
    run = debugger.trace.run
    np.testing.assert_array_equal(product, run.value(2) @ run.value(3))
    with pytest.raises(CommandError, match=r"h@9|scalar|not"):
        debugger.expression("h@9").evaluate(debugger.state())


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("h", ((2, 3),)),
        ("h@2", ((3, 4),)),
        ("h@3@backward", ((4, 5),)),
        ("h @forward", ((2, 3),)),
        ("train.py:4", ((3, 4), (4, 5))),
        ("train.py:4@2", ((4, 5),)),
        ("train.py:4@1@backward", ((3, 4),)),
        ("line:model.py:2", ((6, 8),)),
        ("loss", ((6, 8),)),
    ],
)
def test_a_place_is_a_name_or_a_line_of_the_code(
    text: str, nodes: tuple[tuple[int, int], ...], debugger: Debugger
) -> None:
    assert parse_location(text, debugger.trace, {}).nodes == nodes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("train.py:4@3", "line 4 is carried out 2 times; @1 … @2 are there"),
        ("train.py:3", "no statement stands at line train.py:3"),
        ("h@4", "nothing is called 'h@4'"),
        ("h@sideways", "there is no pass 'sideways'"),
    ],
)
def test_a_place_that_is_none_says_what_is_there(
    text: str, says: str, debugger: Debugger
) -> None:
    with pytest.raises(CommandError, match=says):
        parse_location(text, debugger.trace, {})


def test_stops_and_watches_halt_at_the_lines_of_the_code(debugger: Debugger) -> None:
    for line in ("break train.py:4@2", "watch h@2.grad", "goto start"):
        assert debugger.execute(line).ok, line
    reply = debugger.execute("continue")
    assert reply.stop is not None
    assert reply.stop.where == "h@3"
    reply = debugger.execute("delete 1")
    reply = debugger.execute("continue")
    assert reply.stop is not None
    assert (reply.stop.reason, reply.stop.text) == ("watch", "h@2.grad")


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("break h@", ["h@2", "h@3", "h@forward"]),
        ("break h@2@", ["h@2@forward", "h@2@backward"]),
        ("break model.py:", ["model.py:2"]),
        ("print h@", ["h@2", "h@2.grad", "h@3"]),
        ("print x@net.0", ["x@net.0.weight"]),
        ("print net.0.w", ["net.0.weight", "net.0.weight.grad"]),
        ("goto h@3<-", ["h@3<-h@2"]),
    ],
)
def test_names_of_captures_are_completed(
    line: str, some: list[str], debugger: Debugger
) -> None:
    assert set(some) <= set(complete(debugger, line, len(line)))


def test_a_made_up_name_in_a_second_time_says_what_it_stands_for(
    debugger: Debugger,
) -> None:
    text = with_wordings("loss._1 = 3", debugger.graph)
    assert text == "loss._1 = 3   h ** 2"


def test_expressions_over_a_capture_find_mistakes_at_their_columns(
    debugger: Debugger,
) -> None:
    with pytest.raises(CommandError, match=r"no 'nonsense' .column 1.|column 1"):
        parse("h@2.nonsense", debugger.graph, {})
    with pytest.raises(CommandError, match=r"nothing is called 'q' \(column 7\)"):
        parse("h@2 + q", debugger.graph, {})


STORY = """goto end; print y; explain y; explain y[0]; explain h.grad; explain h.grad[0]
explain x.grad[1]; why y[1]; why loss; why h.grad[1]; why x.grad[0]; uses h; uses h[0]
paths x; paths w[0]; transposes y; check; rules; history y; whatis y; info nodes
set x[0] = 3; diff; undo; set y = [1.0, 2.0]; print loss; undo; detach z<-y; undo
patch z<-y local; undo; export -f dot a.dot; export -f py a.py
export -f scenario a.toml; export -f tex w.grad[0] a.tex
goto start; catch nan; continue; where; why
reverse-continue; break op:kernel; continue; list; train; record; save -f a.gs"""
REFUSED = {
    "transposes y": "nothing of y that `transposes` explains",
    "set x[0] = 3": "gradstep has no rule of it",
    "diff": "this run is as it was loaded",
    "export -f py a.py": "nobody here can compute kernel, and no NumPy code could",
    "train": "does not train",
}


def test_an_operation_without_a_rule_is_shown_in_every_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    build = Builder()
    x = build.leaf("x", "input", (2,))
    w = build.leaf("w", "parameter", (2,))
    h = build.apply(OPS["multiply"], (x, w), name="h")
    y = build.apply(opaque("kernel", 2), (h, x), name="y", shape=(2,))
    z = build.apply(OPS["multiply"], (y, h), name="z")
    loss = build.apply(OPS["sum"], (z,), name="loss")
    leaves = {x: np.array([1.0, 2.0]), w: np.array([3.0, 4.0])}
    subject = Subject("kernel", build.finish(loss), leaves)
    values = {
        h: np.array([3.0, 8.0]),
        y: np.array([1.0, np.nan]),
        z: np.array([3.0, np.nan]),
        loss: np.float64(np.nan),
    }
    made = Capture(subject, values, {}, in_two_files().about)
    debugger = Debugger(load(write(tmp_path / "k.gradstep", made)))
    undone = 0
    for line in STORY.replace("\n", "; ").split("; "):
        reply = debugger.execute(line)
        if line == "undo" and not reply.ok:  # what was refused changed nothing
            undone += 1
            continue
        assert reply.ok or line in REFUSED, reply.error
        if line in REFUSED:
            assert REFUSED[line] in str(reply.error)
        if line == "print loss":  # y was set by hand: 1·3 + 2·8
            assert float(reply.data) == 19
    assert undone == 1
