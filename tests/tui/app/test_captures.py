"""A capture in the application and on the command line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from captures import in_two_files
from gradstep.core.capture.archive import write
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.picker import choices
from gradstep.tui.cli.main import run
from gradstep.tui.panes.program import ProgramPane


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
