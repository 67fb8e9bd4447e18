"""A capture in the application and on the command line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradstep.core.capture.archive import write
from gradstep.core.capture.capture import Capture
from gradstep.core.capture.opaque import opaque
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.subject import Subject
from gradstep.core.ops import OPS
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.picker import choices
from gradstep.tui.cli.main import run
from gradstep.tui.panes.program import ProgramPane
from made_captures import in_two_files


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "run.gradstep", in_two_files())


def test_the_picker_lists_the_captures_of_the_folder(path: Path) -> None:
    path.with_name("broken.gradstep").write_bytes(b"nothing")
    broken, found = choices(path.parent)[-2:]
    assert found.title == "backward pass 2 of train.py --lr 0.1"
    assert broken.scenario is None
    assert "is not a zip file" in broken.error


async def test_the_program_shows_the_file_and_the_call_of_the_step(path: Path) -> None:
    app = GradstepApp(load(path.name))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = app.screen
        assert isinstance(screen, MainScreen)
        pane = screen.query_one(ProgramPane)
        for steps, shown in ((2, "train.py"), (3, "model.py · loss")):
            await pilot.press(*"s" * steps)
            await pilot.pause()
            assert pane.titles[1] == shown


@pytest.mark.parametrize("command", ["grads", "check", "show", "play"])
def test_every_command_takes_a_capture(
    command: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, path.name, "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said


@pytest.mark.parametrize("ending", ["html", "dot", "py", "svg", "md", "cast"])
def test_a_capture_is_exported(ending: str, path: Path) -> None:
    assert run(["export", path.name, "-o", f"run.{ending}"]) == 0
    assert path.with_suffix(f".{ending}").stat().st_size


def test_a_snapshot_of_a_capture_shows_its_lines(path: Path) -> None:
    assert run(["snapshot", path.name, "--at", "h@3", "-o", "run.txt"]) == 0
    assert "for _ in range(2):" in path.with_suffix(".txt").read_text("utf-8")


def test_a_value_that_its_operation_does_not_give_is_marked(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = in_two_files()
    value = np.array(capture.values[3], copy=True)
    value[1, 0] = 0.5
    values = {**capture.values, 3: value}
    write(path, replace(capture, values=values), overwrite=True)
    assert run(["play", path.name, "--only", "h@2", "--to", "4"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "not what this operation gives: tanh at h@2 (train.py:4): h@2[1, 0]" in said
    assert "is 0.809301 by its operands; the recorded run had 0.5" in said
    assert run(["play", path.name, "--only", "h", "--to", "1"]) == 0
    assert "not what" not in capsys.readouterr().out


def test_a_step_shows_their_number_beside_that_of_the_derivative(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = in_two_files()
    weight = 2 * np.asarray(capture.own[1])
    wrong = replace(capture, own={**capture.own, 1: weight}, custom={})
    write(path, wrong, overwrite=True)
    assert run(["play", path.name, "--only", "net.0.weight", "--from", "h@2@back"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "wrong: matmul at h (train.py:2): what it sends to net.0.weight" in said
    assert "-2.63177 by numpy 2.4.6, -1.31588 by the derivative" in said
    assert "that is twice the right one" in said
    assert run(["check", path.name]) == 1
    said = capsys.readouterr().out
    assert "✓ 5 recorded values hold" in said
    assert "✗ 1 rule wrong, of 7 gradients of numpy 2.4.6 compared" in said


def test_rules_are_held_to_a_persons_own_gradients(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lesson = path.with_name("lesson.toml")
    text = """gradstep = 1
program = "z = W * x\\nE = sum(z ** 2)"
[inputs]
x = [1.0, 2.0]
[parameters]
W = [3.0, 0.5]
[own]
W = [6.0, 4.0]
"""
    lesson.write_text(text, "utf-8")
    assert run(["rules", lesson.name]) == 0
    assert "✓ no rule is wrong: 1 gradient of [own]" in capsys.readouterr().out
    # z = [3, 1], so z.grad = [6, 2], and W.grad = [6, 4]. Here x was forgotten in z.
    own: dict[str, Any] = {"z.grad": np.array([6.0, 2.0]), "W": np.array([6.0, 2.0])}
    np.savez("own.npz", **own)
    assert run(["rules", lesson.name, "--own", "own.npz"]) == 1
    said = capsys.readouterr().out
    assert "W.grad[1] is 2 by own.npz, 4 by the derivative; 1 of 2 elements" in said
    assert "exactly so if the local derivative is forgotten: patch z<-W local" in said
    np.savez("own.npz", V=np.ones(2), z=np.ones(3), W=np.array([1, 2]))
    assert run(["rules", lesson.name, "--own", "own.npz"]) == 2
    said = capsys.readouterr().err
    assert "no node is called 'V'" in said
    assert "the gradient has the shape (3,); z has (2,)" in said
    assert "'W' holds int64; gradients are floats" in said


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("W = [1.0, 2.0, 3.0]", "7:5: the gradient has the shape (3,)"),
        ("V = [1.0]", "no node is called 'V'"),
        ("two = 1.0", "'two' is a constant, and no gradient flows to it"),
        ('W = "big"', "own.toml:8:5"),
    ],
)
def test_a_wrong_line_of_own_is_told_at_its_place(
    line: str, says: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"""gradstep = 1
program = "E = sum(two * W ** 2)"
[parameters]
W = [3.0, 0.5]
[constants]
two = 2.0
[own]
{line}
"""
    path.with_name("own.toml").write_text(text, "utf-8")
    assert run(["rules", "own.toml"]) == 2
    assert says.replace("7:5", "8:5") in capsys.readouterr().err


def test_a_capture_becomes_a_scenario_with_its_arrays_beside_it(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["export", path.name, "--format", "scenario", "-o", "lesson.toml"]
    assert run(line) == 0
    assert "as a scenario to read and edit is in lesson.toml" in capsys.readouterr().out
    capture = in_two_files()
    found = load("lesson.toml").subject
    expected = capture.subject.run()
    np.testing.assert_array_equal(found.run().values[-1], expected.values[-1])
    assert run(line) == 2
    assert "--force writes over it" in capsys.readouterr().err
    assert run(["export", "two_layer_net", "-o", "net.toml"]) == 0
    assert path.with_name("net.npz").stat().st_size > 10_000
    first, second = load("two_layer_net").subject, load("net.toml").subject
    one, other = first.run(), second.run()
    node = first.graph.output
    np.testing.assert_array_equal(one.values[node], other.values[second.graph.output])


def opaque_file(path: Path) -> None:
    build = Builder()
    x = build.leaf("x", "input", (2,))
    y = build.apply(opaque("kernel", 1), (x,), name="y", shape=(2,))
    loss = build.apply(OPS["sum"], (y,), name="loss")
    subject = Subject("k", build.finish(loss), {x: np.ones(2)})
    values = {y: np.array([3.0, 4.0]), loss: np.float64(7)}
    own = {x: np.array([5.0, 6.0]), y: np.ones(2)}
    about = in_two_files().about
    write(path, Capture(subject, values, own, about), overwrite=True)


def test_what_has_no_rule_is_left_out_of_the_check(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opaque_file(path)
    assert run(["check", path.name]) == 0
    said = capsys.readouterr().out
    assert "✓ 2 recorded values hold" in said
    assert "✓ no rule is wrong: 1 gradient of numpy 2.4.6 compared" in said
    assert "no numeric differences, for there is no rule of kernel" in said
    assert run(["check", path.name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recorded"]["ok"]
    for command in ("play", "grads", "show"):
        assert run([command, path.name]) == 0
    assert run(["export", path.name, "-o", "k.py"]) in (0, 2)


def test_check_in_the_console_holds_what_was_recorded(path: Path) -> None:
    debugger = Debugger(load(path.name))
    reply = debugger.execute("check --quick")
    assert reply.ok
    assert reply.text[-2:] == (
        "✓ 5 recorded values hold",
        "✓ no rule is wrong: 6 gradients of numpy 2.4.6 compared",
    )
    opaque_file(path)
    reply = Debugger(load(path.name)).execute("check")
    assert reply.text[0] == "✓ 2 recorded values hold"
    capture = in_two_files()
    own = {**capture.own, 1: 3 * np.asarray(capture.own[1])}
    write(path, replace(capture, own=own), overwrite=True)
    assert Debugger(load(path.name)).execute("check").failed
