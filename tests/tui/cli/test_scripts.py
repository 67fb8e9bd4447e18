"""Scripts, the prompt, tests of scenarios and pytest's plugin, from outside."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.debugger.verify import script_beside
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.core.session.script import read_script
from gradstep.tui.cli import main as cli
from gradstep.tui.draw.look import Look
from gradstep.tui.draw.replies import reply_block
from patience import PATIENCE
from spawned import finished

if TYPE_CHECKING:
    from pathlib import Path

GRADSTEP = [sys.executable, "-c", "from gradstep.tui.cli.main import main; main()"]


def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return finished("-m", "gradstep", *arguments, typed=typed)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "one.gs"
    path.write_text(
        "# Forward.\nstep\nprint az\nbreak z@backward\ncontinue\nassert az == 300\n"
    )
    return path


# --------------------------------------------------------------------- play --script


def test_a_transcript_has_commands_tables_and_no_paths(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["play", "apple_orange", "--script", str(script), "--echo"]
    assert cli.run(arguments) == 0
    first = capsys.readouterr().out
    assert "# Forward.\n(gradstep) step\n" in first
    assert "── 1 of 13 · forward · line 1 ── az = a * an ──" in first
    assert "az = 300" in first
    assert "break 1: z@backward" in first
    assert str(script) not in first
    assert cli.run(arguments) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize("name", ["nan_where", "xor", "attention"])
def test_transcripts_of_lessons_are_the_same_every_time(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    for _ in range(2):
        path = str(script_beside(load(name)))
        assert cli.run(["play", name, "--script", path, "--echo"]) == 0
        seen.append(capsys.readouterr().out)
    assert seen[0] == seen[1]
    assert "seconds" not in seen[0]


def test_json_is_one_object_for_each_command(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["play", "apple_orange", "--script", str(script), "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["seq"] for record in records] == [1, 2, 3, 4, 5]
    assert [record["command"] for record in records] == [
        *("step", "print az", "break z@backward", "continue", "assert az == 300")
    ]
    assert records[1]["data"] == 300
    assert records[3]["stop"]["reason"] == "break"
    assert records[3]["phase"] == "backward"
    assert all(record["ok"] for record in records)


@pytest.mark.parametrize(
    ("text", "flags", "code", "says"),
    [
        ("assert az == 3\nprint 1", (), 1, "not computed"),
        ("step\nassert az == 3", (), 1, ":2: does not hold: az == 3: 300"),
        ("stap", (), 2, ":1: there is no command"),
        ("step\nassert az == 3\nstap", ("--keep-going",), 2, ":3: there is no"),
        ("quit 9", (), 9, ""),
        ("", (), 2, "the script is empty"),
        ("patch y local\ncheck", (), 1, ":2: the check failed"),
    ],
)
def test_the_exit_code_and_what_failed(
    text: str,
    flags: tuple[str, ...],
    code: int,
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "one.gs"
    path.write_text(text)
    arguments = ["play", "apple_orange", "--script", str(path), *flags]
    found = cli.run(arguments)
    if says == "not computed":  # what is not there yet cannot be compared
        code = 2
    assert found == code
    assert says in capsys.readouterr().err


def test_a_missing_script_is_wrong_input() -> None:
    done = run("play", "xor", "--script", "missing.gs")
    assert done.returncode == 2
    assert "there is no such file" in done.stderr
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------------------- debug


def test_commands_come_from_a_pipe() -> None:
    done = run("debug", "apple_orange", typed="step\nprint az\nquit 3\nprint z\n")
    assert done.returncode == 3
    assert "az = 300" in done.stdout
    done = run("debug", "apple_orange", typed="step\nassert az == 1\n")
    assert done.returncode == 1
    assert "<stdin>:2: does not hold" in done.stderr
    assert run("debug", "apple_orange", typed="").returncode == 0


def test_commands_come_with_a_flag() -> None:
    done = run(
        "debug", "apple_orange", "-c", "step", "--command", "print az", typed="?"
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].strip() == "az = 300"
    done = run("debug", "apple_orange", "-c", "step", "-c", "assert az == 1", typed="")
    assert done.returncode == 1
    assert "-c:2: does not hold" in done.stderr


def test_a_prompt_in_a_terminal_repeats_completes_and_leaves() -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*GRADSTEP, "debug", "apple_orange"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
        close_fds=True,
    )
    os.close(follower)
    seen = b""

    def until(text: bytes) -> None:
        nonlocal seen
        stop = time.monotonic() + PATIENCE
        while text not in seen and time.monotonic() < stop:
            seen += os.read(leader, 4096)
        assert text in seen, seen.decode()

    until(b"(gradstep) ")
    os.write(leader, b"step\n")
    until(b"1 of 13")
    os.write(leader, b"\n")
    until(b"2 of 13")
    os.write(leader, b"print norm(a.gr\t)\n")
    until(b"norm(a.grad)")
    os.write(leader, b"quit 5\n")
    assert process.wait(PATIENCE) == 5
    os.close(leader)


# ----------------------------------------------------------------------------- test


def test_the_built_in_scenarios_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["test", "apple_orange", "nan_where"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("2 scenarios, 2 with a script: all holds\n")


def test_where_nothing_is_expected_nothing_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plain.toml"
    path.write_text("gradstep = 1\nprogram = 'y = a * a'\n[inputs]\na = 3.0\n")
    assert cli.run(["test", str(path)]) == 2
    assert capsys.readouterr().out == (
        "·  plain: expects nothing, has no script\n"
        "1 scenario: nothing is expected, nothing was tested\n"
    )
    with path.open("a") as file:
        file.write("[expect]\ny = 9.0\n")
    assert cli.run(["test", str(path)]) == 0
    assert capsys.readouterr().out == (
        "✓  plain  expect: 1 number\n1 scenario, 0 with a script: all holds\n"
    )


def test_failures_are_told_and_written_as_junit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, report = tmp_path / "lessons", tmp_path / "report.xml"
    folder.mkdir()
    text = script_text("apple_orange")
    (folder / "good.toml").write_text(text)
    (folder / "bad.toml").write_text(text.replace("value = 550", "value = 551"))
    (folder / "bad.gs").write_text("step\nassert az < 300 & 1\n")
    assert cli.run(["test", str(folder), "--junit", str(report)]) == 2
    out = capsys.readouterr().out
    assert "y is 550, expected 551, 1 apart" in out
    assert "bad.gs:2:" in out
    assert out.endswith("2 scenarios, 1 with a script: 2 of 3 failed\n")
    suite = ET.parse(report).getroot()  # noqa: S314  # our own
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert len(suite.findall("testcase/failure")) == 2
    (folder / "bad.gs").write_text("step\nassert az < 300\n")
    assert cli.run(["test", str(folder)]) == 1
    (folder / "bad.toml").unlink()
    assert cli.run(["test", str(folder)]) == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    assert cli.run(["test", str(empty)]) == 2


def test_a_note_that_a_small_screen_cuts_is_a_remark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "noted.toml"
    long = "This goes on and on. " * 30
    path.write_text(
        'gradstep = 1\nprogram = "y = 2 * x"\n[inputs]\nx = 3.0\n[notes]\n'
        f'"forward y" = "A short one."\n"backward x" = """\n{long}"""\n'
        "[expect]\ny = 6.0\n"
    )
    assert cli.run(["test", str(path)]) == 0
    out = capsys.readouterr().out
    assert f"·  {path}:7:1: the note of 'backward x' is cut at 80x24" in out
    assert "forward y" not in out
    path.write_text("gradstep = 1\n")
    assert cli.run(["test", str(path)]) == 2


def script_text(name: str) -> str:
    path = load(name).path
    assert path is not None
    return path.read_text()


def test_scripts_from_outside_stay_in_their_folder(tmp_path: Path) -> None:
    lesson, outside = tmp_path / "lesson", tmp_path / "new.gs"
    lesson.mkdir()
    (lesson / "one.toml").write_text(script_text("apple_orange"))
    (lesson / "one.gs").write_text(f"step\nsave {outside}\n")
    play = ("play", "apple_orange", "--script", str(lesson / "one.gs"))
    for arguments in (("test", str(lesson)), play):
        done = run(*arguments)
        assert done.returncode == 2
        said = done.stdout + done.stderr
        assert "one.gs:2: the file" in said
        assert "is outside of the script's folder" in said
        assert not outside.exists()
        assert run(*arguments, "--trust").returncode == 0
        outside.unlink()
    done = run("debug", "apple_orange", typed=f"step\nsave {outside}\n")
    assert "<stdin>:2: the file" in done.stderr
    done = plugin("-q", cwd=lesson)
    assert "is outside of the script's folder" in done.stdout
    assert not outside.exists()
    assert "2 passed" in plugin("-q", "--gradstep-trust", cwd=lesson).stdout
    assert outside.exists()


# --------------------------------------------------------------------------- replies


@pytest.mark.parametrize("name", builtin_names())
def test_every_reply_of_a_lesson_can_be_drawn(name: str) -> None:
    script = script_beside(load(name))
    assert script is not None
    debugger = Debugger(load(name))
    for line in read_script(script):
        before = debugger.place
        reply = debugger.execute(line.text)
        for look, width in ((Look(), 80), (Look(ascii=True), 40)):
            block = reply_block(debugger, reply, look, width, before)
            assert block.lines or not reply.text
            assert all("\n" not in drawn.plain for drawn in block.lines)


# ---------------------------------------------------------------------------- pytest


def plugin(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return finished("-m", "pytest", "-p", "no:cacheprovider", *arguments, folder=cwd)


def test_pytest_collects_scenarios_with_their_scripts(tmp_path: Path) -> None:
    text = script_text("apple_orange")
    (tmp_path / "good.toml").write_text(text)
    (tmp_path / "bad.toml").write_text(text.replace("value = 550", "value = 551"))
    (tmp_path / "bad.gs").write_text("step\n\nassert az == 301\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    done = plugin("-q", cwd=tmp_path)
    assert "2 failed, 1 passed" in done.stdout
    line = text[: text.index('"y" =')].count("\n") + 1
    assert f"bad.toml:{line}:1: y is 550, expected 551, 1 apart" in done.stdout
    failure = "bad.gs:3: does not hold: az == 301: 300 on the left, 301 on the right"
    assert failure in done.stdout
    assert "forward · event 1 of 13" in done.stdout
    assert "Traceback" not in done.stdout
    done = plugin("-q", "bad.gs", cwd=tmp_path)
    assert "1 failed" in done.stdout
    assert "passed" not in done.stdout


def test_the_plugin_does_not_slow_other_projects_down(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    assert 'gradstep.tui.cli.pytest_plugin' in sys.modules\n"
        "    assert not {'numpy', 'rich', 'textual'} & set(sys.modules)\n"
    )
    done = plugin("-q", "-p", "no:hypothesispytest", cwd=tmp_path)
    assert "1 passed" in done.stdout, done.stdout


# ----------------------------------------------------------------- debug --predict


def test_a_pass_is_predicted_from_a_pipe_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = "predict numbers\nstepi\nanswer 3\nanswer 11\ninfo predictions\n"
    options = ["--predict", "--log", "log.jsonl", "--plain"]
    found = run("debug", "matmul", *options, typed=lines)
    assert found.returncode == 0, found.stderr
    assert "Not 3. The term 2 x 4 is missing." in found.stdout
    assert "Right: Y[0, 0] = 11 = 1 x 3 + 2 x 4" in found.stdout
    (line,) = (tmp_path / "log.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["answers"] == ["3", "11"]
    again = run("debug", "matmul", *options, typed=lines)
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_predict_is_on_from_the_first_line() -> None:
    found = run("debug", "matmul", "--predict", "--plain", typed="stepi\nstepi\n")
    assert found.stdout.count("What shape will Y have?") == 2
