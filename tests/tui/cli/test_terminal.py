"""A real terminal: whatever ends the application, the terminal is as it was before."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from patience import PATIENCE, hears_hang_ups

if TYPE_CHECKING:
    from collections.abc import Iterator


_ONE_CELL = "g\x1b[0m\x1b[1;1H"  # the first letter of gradstep, and nothing else
_START = "import sys; from gradstep.tui.cli.main import main; main(sys.argv[1:])"


class Terminal:
    """One end of a pseudo terminal, and the process that runs in the other one."""

    def __init__(self, leader: int, follower: int, process: subprocess.Popen[bytes]):
        self.leader, self.follower, self.process = leader, follower, process
        self.written = b""

    def until(self, text: str, since: int = 0) -> None:
        """Read until a text is written, after so many bytes of what was read."""
        end = time.monotonic() + PATIENCE
        while text.encode() not in self.written[since:]:
            assert time.monotonic() < end, self.written[-2000:]
            self._read(0.1)

    def _read(self, patience: float) -> bool:
        ready, _, _ = select.select([self.leader], [], [], patience)
        if not ready:
            return False
        try:
            self.written += os.read(self.leader, 1 << 16)
        except OSError:
            return False
        return True

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.leader, text.encode())

    def check(self) -> None:
        """Begin a check of some minutes, and wait until it goes on.

        "working" alone is said of what is looked up at the start, too.
        """
        self.type(":check\r")
        self.until("%, Escape cancels")

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size, and say so."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, size)
        self.process.send_signal(signal.SIGWINCH)

    def hang_up(self) -> None:
        """Let nobody be at the other end any more."""
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), self.leader)

    def ended(self) -> int:
        """Wait for the end, and return the exit code."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, self.written[-2000:]
            self._read(0.05)
        while self._read(0.1):
            pass
        return self.process.returncode

    def modes(self) -> list[int]:
        """Return what is set of the modes that a shell relies on."""
        lflag = termios.tcgetattr(self.follower)[3]
        return [lflag & f for f in (termios.ICANON, termios.ECHO, termios.ISIG)]


@contextmanager
def terminal(folder: Path, *arguments: str) -> Iterator[Terminal]:
    leader, follower = pty.openpty()
    size = struct.pack("HHHH", 30, 100, 0, 0)
    fcntl.ioctl(leader, termios.TIOCSWINSZ, size)
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "XDG_STATE_HOME": str(folder),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _START, *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
    opened = Terminal(leader, follower, process)
    try:
        yield opened
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(leader)
        os.close(follower)


def is_left(opened: Terminal) -> bool:
    """Tell whether screen, cursor and mouse are as they were."""
    end = opened.written
    return all(
        end.rfind(off) > end.rfind(on)
        for on, off in (
            (b"\x1b[?1049h", b"\x1b[?1049l"),
            (b"\x1b[?1000h", b"\x1b[?1000l"),
            (b"\x1b[?25l", b"\x1b[?25h"),
        )
    )


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("q", 0),
        (signal.SIGTERM, 143),
        pytest.param(signal.SIGHUP, 129, marks=hears_hang_ups),
        (signal.SIGINT, 130),
        ("terminated at work", 143),
    ],
)
def test_the_terminal_is_left_as_it_was(
    how: str | signal.Signals, code: int, tmp_path: Path
) -> None:
    with terminal(tmp_path, "run", "two_layer_net") as opened:
        before = opened.modes()
        opened.until("event 0/21")
        assert opened.modes() != before
        if how == "terminated at work":
            opened.check()
        if how == "q":
            opened.type("q")
        else:
            number = how if isinstance(how, signal.Signals) else signal.SIGTERM
            opened.process.send_signal(number)
        assert opened.ended() == code
        assert opened.modes() == before
        assert is_left(opened)
        assert b"Traceback" not in opened.written


@hears_hang_ups
@pytest.mark.parametrize("command", ["run", "debug"])
def test_a_terminal_that_is_gone_ends_what_was_in_it(
    command: str, tmp_path: Path
) -> None:
    # The shell is told, and then all that it has started.
    with terminal(tmp_path, command, "two_layer_net") as opened:
        opened.until("event 0/21" if command == "run" else "(gradstep) ")
        opened.hang_up()
        opened.process.send_signal(signal.SIGHUP)
        # A signal that finds it leaving already ends it: a shell says 129 to both.
        hang_up = signal.SIGHUP
        assert opened.process.wait(PATIENCE) in {128 + hang_up, -hang_up}


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=hears_hang_ups)],
)
def test_the_terminal_is_left_at_the_plain_prompt(
    number: signal.Signals, tmp_path: Path
) -> None:
    with terminal(tmp_path, "debug", "two_layer_net") as opened:
        before = opened.modes()
        opened.until("(gradstep) ")
        assert opened.modes() != before  # a line that is edited is read key by key
        opened.type("step")
        opened.until("(gradstep) step")
        opened.process.send_signal(number)
        assert opened.ended() == 128 + number
        assert opened.modes() == before
        assert b"Traceback" not in opened.written


# Forty layers that are quick to load: random directions take much longer.
_DEEP = "\n".join(f"v{n} = tanh(v{n - 1} @ W)" for n in range(1, 40))
_LAYERS = f"""
gradstep = 1
program = '''
v0 = x
{_DEEP}
E = sum(v39)
'''
[inputs]
x = {{ random = "normal", shape = [200, 200], seed = 1 }}
[parameters]
W = {{ random = "normal", shape = [200, 200], seed = 2, scale = 0.05 }}
"""


def test_a_quick_check_at_the_plain_prompt_shows_how_far_it_is(tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_text(_LAYERS)
    with terminal(tmp_path, "debug", "deep.toml") as opened:
        opened.until("(gradstep) ")
        loaded = len(opened.written)
        opened.type("check --quick\r")
        opened.until("━", loaded)  # a bar, after a second
        # What Ctrl+C sends where a shell has made it the terminal of the process.
        opened.process.send_signal(signal.SIGINT)
        opened.until("interrupted; what was done is kept")
        opened.type("print 40000 + 129\r")
        opened.until("40129")
        opened.type("quit\r")
        assert opened.ended() == 0
        assert b"Traceback" not in opened.written


def test_ctrl_c_says_what_helps_and_escape_cancels(tmp_path: Path) -> None:
    with terminal(tmp_path, "run", "two_layer_net") as opened:
        opened.until("event 0/21")
        opened.check()
        opened.type("\x03")
        opened.until("Escape cancels what goes on")
        opened.type("\x1b")
        opened.until("interrupted; what was done is kept")
        opened.type("q")
        assert opened.ended() == 0


def test_a_window_of_one_cell_is_survived(tmp_path: Path) -> None:
    with terminal(tmp_path, "run", "apple_orange") as opened:
        opened.until("event 0/13")
        opened.resize(1, 1)
        opened.until(_ONE_CELL, len(opened.written))
        opened.resize(100, 30)
        opened.until("event 0/13", len(opened.written))
        opened.type("s")
        opened.until("event 1/13")
        opened.type("q")
        assert opened.ended() == 0
        assert b"Traceback" not in opened.written


def test_bytes_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    with terminal(tmp_path, "run", "apple_orange") as opened:
        opened.until("event 0/13")
        for event, strange in enumerate((b"\xff", b"\x94\x80\xc3"), 1):
            os.write(opened.leader, strange + b"s")  # the key comes in one go with them
            opened.until(f"event {event}/13")
        opened.type("q")
        assert opened.ended() == 0
        assert b"Traceback" not in opened.written


def test_a_capture_opens_once_it_is_written(tmp_path: Path) -> None:
    code = """
import numpy as np
w = np.array([2.0, 3.0])
loss = np.sum(w * w)
dw = 2 * w
w -= dw
"""
    (tmp_path / "run.py").write_text(code, "utf-8")
    with terminal(tmp_path, "capture", "run.py", "--open") as opened:
        before = opened.modes()
        opened.until("event 0/")
        opened.type("q")
        assert opened.ended() == 0
        assert opened.modes() == before
        assert is_left(opened)
        assert b"next: gradstep run run.gradstep" in opened.written
