"""A key to a painted frame in a real terminal: tmux, which this program controls."""

from __future__ import annotations

import asyncio
import math
import os
import selectors
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import numpy as np
import painting
import screen

from gradstep.core.scenario.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measure import Row

_KEYS = 40
_QUIET = 0.15  # seconds without output, after which a frame is complete
_STARTED = 1.0  # the same, for the first frame
_LONGEST_START = 30.0
_SCENARIO = "apple_orange"


class Terminal:
    """A program in a window of tmux; what it writes is told as it comes."""

    def __init__(self, program: list[str]) -> None:
        width, height = painting.SIZE
        command = [
            "tmux",
            "-L",
            f"gradstep-{os.getpid()}-{len(program)}",
            "-f",
            os.devnull,
            "-C",
        ]
        command += ["new-session", "-x", str(width), "-y", str(height)]
        self._tmux = subprocess.Popen(  # noqa: S603  # our own program
            [*command, shlex.join(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._ready = selectors.DefaultSelector()
        if self._tmux.stdout is not None:
            self._ready.register(self._tmux.stdout, selectors.EVENT_READ)
        deadline = time.perf_counter() + _LONGEST_START
        while b"?1049h" not in self._read(_STARTED):
            if time.perf_counter() > deadline:
                raise RuntimeError("the program does not take the screen")
        self.wait(_STARTED)

    def _read(self, most: float) -> bytes:
        """Return what tmux says next; nothing after so many seconds of silence."""
        if self._tmux.stdout is None or not self._ready.select(most):
            return b""
        return os.read(self._tmux.stdout.fileno(), 1 << 20)

    def wait(self, quiet: float) -> float:
        """Return when the last output came, once there was none for so long.

        It is NaN where there was none at all, as in `painting.Painting.after`.
        """
        last = math.nan
        while text := self._read(quiet):
            if b"%output" in text:
                last = time.perf_counter()
        return last

    def tell(self, line: str) -> None:
        """Give tmux a command."""
        if self._tmux.stdin is not None:
            self._tmux.stdin.write(f"{line}\n".encode())
            self._tmux.stdin.flush()

    def key(self, name: str) -> float:
        """Return the seconds from a key to the end of what it causes."""
        started = time.perf_counter()
        self.tell(f"send-keys {name}")
        return self.wait(_QUIET) - started

    def close(self) -> None:
        """End the program."""
        self.tell("kill-session")
        self._tmux.wait(timeout=10)


def rows() -> Iterator[Row | str]:
    """Yield the line for a key in a terminal."""
    if shutil.which("tmux") is None:
        yield "tmux is not installed: keys are not measured in a terminal"
        return
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()
    run = ["-c", "from gradstep.tui.cli.main import main; main()", "run", _SCENARIO]
    terminals = [
        Terminal([sys.executable, *program]) for program in (run, [__file__, "peer"])
    ]
    times = np.array(
        [
            [terminal.key("S" if number % 2 else "s") for terminal in terminals]
            for number in range(_KEYS)
        ]
    )
    for terminal in terminals:
        terminal.close()
    ours, theirs = map(float, np.median(times, axis=0))
    yield screen.row(
        f"a key in tmux, {_SCENARIO}", "the same cells alone", ours, theirs, 1.5
    )


def peer() -> None:
    """Run the application that paints the same cells."""
    pictures = asyncio.run(screen.pictures_of(load(_SCENARIO)))
    screen.Empty(pictures).run()


if __name__ == "__main__":
    if sys.argv[1:] == ["peer"]:
        peer()
    else:
        for found in rows():
            print(found if isinstance(found, str) else screen.text(found))
