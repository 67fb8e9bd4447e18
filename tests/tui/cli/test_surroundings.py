"""Terminals, signals and files that are not as usual."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gradstep.tui.app import app
from gradstep.tui.cli import main as cli
from gradstep.tui.cli.output import _width
from patience import PATIENCE, hears_hang_ups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GRADSTEP = [sys.executable, "-m", "gradstep"]


# ----------------------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    ("columns", "width"),
    [
        ("", 80),
        ("0", 80),
        ("7", 40),
        ("100", 100),
        ("999999", 1000),
        ("9" * 5000, 1000),
        ("-3", 80),
    ],
)
def test_a_width_that_cannot_be_is_bounded(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert _width(io.StringIO()) == width


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ((0, 0), (80, 25)),
        ((120, 36), (120, 36)),
        ((999_999, 65_535), (1000, 500)),
        ((0, 36), (80, 36)),
    ],
)
def test_a_terminal_that_cannot_be_is_bounded(
    said: tuple[int, int], taken: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # One size for the driver and for the application: between two they would paint
    # again and again.
    monkeypatch.setattr(app, "get_terminal_size", lambda _usual: os.terminal_size(said))
    assert app.measured(None) == taken  # pyright: ignore[reportArgumentType]  # unused


# ----------------------------------------------------------------------------- files


def test_a_closed_input_is_an_end_of_input() -> None:
    command = f"{' '.join(GRADSTEP)} debug three_layer <&-"
    done = subprocess.run(  # noqa: S602  # only a shell closes it so
        command,
        shell=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


class Notebook:
    """What a notebook puts into the place of the standard output."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.said = ""

    def write(self, text: str) -> int:
        self.said += text
        return len(text)

    def flush(self) -> None:
        """Do nothing: all is written."""


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", None])
@pytest.mark.parametrize(
    "arguments",
    [
        ["play", "apple_orange", "--to", "1"],
        ["grads", "xor"],
        ["export", "apple_orange", "--format", "svg"],
        ["list"],
    ],
    ids=lambda words: words[0],
)
def test_an_output_that_is_no_file_will_do(
    arguments: Sequence[str], encoding: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = Notebook()
    output.encoding = encoding  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setattr(sys, "stdout", output)
    assert cli.run(arguments) == 0
    assert len(output.said) > 100


@pytest.mark.parametrize(
    "arguments",
    [
        ["new", "{}", "--force"],
        ["export", "xor", "--format", "dot", "--output", "{}", "--force"],
        ["snapshot", "xor", "--output", "{}", "--force"],
        ["test", "xor", "--junit", "{}"],
        ["play", "xor", "--script", "script.gs", "--trust"],
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("kind", ["link", "device", "pipe"])
def test_an_output_stays_what_it_is(
    kind: str,
    arguments: Sequence[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path, private = tmp_path / "output.toml", tmp_path / "private"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null" if kind == "device" else private)
    private.write_text("old")
    private.chmod(0o600)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    (tmp_path / "script.gs").write_text("step\nsave -f output.toml\n")
    command = [word.format("output.toml") for word in arguments]
    if command[0] == "snapshot":  # a name that says the format
        path = path.rename("output.txt")
        command[3] = path.name
    assert cli.run(command) == 0, capsys.readouterr().err
    assert path.is_fifo() if kind == "pipe" else path.is_symlink()
    assert path.is_char_device() == (kind == "device")
    assert private.stat().st_mode & 0o777 == 0o600
    assert (private.read_text() != "old") == (kind == "link")
    assert bool(os.read(reader, 10)) == (kind != "device")
    os.close(reader)


def test_a_pipe_without_an_end_is_given_up() -> None:
    endless = subprocess.Popen(["yes"], stdout=subprocess.PIPE)  # noqa: S607
    done = subprocess.run(
        [*GRADSTEP, "debug", "apple_orange"],
        stdin=endless.stdout,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    endless.kill()
    endless.communicate()
    assert done.returncode == 2
    assert "<stdin>: more than 4194304 characters come" in done.stderr


# --------------------------------------------------------------------------- signals

# A command that tells when it has begun, and then waits for a signal.
BEGUN = """
import sys
from gradstep.tui.cli import main as cli
def wait(_options):
    from gradstep.core.base import save
    import os, time
    os.fsync = lambda _: (print("begun", flush=True), time.sleep(600))
    save.write("out.txt", "half of it")
cli.task = lambda _name: wait
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        pytest.param(signal.SIGHUP, 129, marks=hears_hang_ups),
    ],
)
def test_a_signal_ends_the_work_and_leaves_no_draft(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", f"{BEGUN}cli.main(['list'])"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    assert [path.name[:10] for path in tmp_path.iterdir()] == [".gradstep-"]
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (code, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["typing", "gradstep.tui.cli.main"])
def test_ctrl_c_before_anything_is_begun_says_nothing(name: str) -> None:
    # What is imported first waits, as on a machine that is slow.
    start = (
        "import runpy, sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == '{name}':\n"
        "            print('begun', flush=True); time.sleep(600)\n"
        "sys.meta_path.insert(0, Slow())\n"
        f"sys.modules.pop('{name}', None)\n"
        "sys.argv = ['bin/gradstep']\n"
        "runpy.run_module('gradstep', run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", start],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (-signal.SIGINT, "")
