"""The same keys in an older checkout, each side in a process of its own, in turns.

What counts is the time of the processor: it is the same however busy the machine is. Of
several processors one may be slower, so that both sides are on the same one.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from measure import Row, duration
from painting import SIZE, Painting, reach

try:
    from gradstep.core.scenario.scenario import parse
    from gradstep.tui.app.app import GradstepApp
except ModuleNotFoundError:  # in an older checkout, up to 418ea5b
    from gradstep.core.scenario import parse  # pyright: ignore[reportAttributeAccessIssue]
    from gradstep.tui.app import GradstepApp  # pyright: ignore[reportAttributeAccessIssue]

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEYS: Final = 60  # pressed on each side
WARM: Final = 6  # of them, before any counts
STARTS: Final = 15
NOISE: Final = 1.05  # two runs of one checkout differ by so much
_BACKS: Final = ("S", "I")  # to go back an event: today, and up to 418ea5b


class Side:
    """The application of a checkout, in a process that presses keys when told to."""

    def __init__(self, root: Path, text: str, turns: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [python(root), __file__],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ask({"text": text, "turns": turns})

    def ask(self, what: object) -> float:
        """Return the answer to a line: once it is up 0, then the time of each key."""
        to, of = self._process.stdin, self._process.stdout
        if to is None or of is None:
            raise RuntimeError("a process without pipes")
        print(json.dumps(what), file=to, flush=True)
        return float(of.readline())

    def end(self) -> None:
        """Close the application."""
        self._process.communicate("")


def python(root: Path) -> str:
    """Return the interpreter of a checkout, where its own code is installed."""
    return str(root / ".venv" / "bin" / "python")


def rows(root: Path, cases: Sequence[tuple[str, str, str]]) -> Iterator[Row]:
    """Yield the lines of the keys and of the start, against another checkout."""
    here, root = Path(__file__).parents[1], root.resolve()
    against = f"the same in {root.name}"
    for what, text, turns in cases:
        sides = [Side(one, text, turns) for one in (here, root)]
        times = np.array([[side.ask("press") for side in sides] for _ in range(KEYS)])
        for side in sides:
            side.end()
        yield _row(what, against, times[WARM:])
    times = np.array([[_start(one) for one in (here, root)] for _ in range(STARTS)])
    yield _row("start to first frame", against, times)


def _row(what: str, against: str, times: np.ndarray[Any, Any]) -> Row:
    ours, theirs = map(float, np.median(times, axis=0))
    name = f"{what}, processor time"
    return Row(name, against, duration(ours), duration(theirs), ours / theirs, NOISE)


_FIRST = f"""
import asyncio
try:
    from gradstep.tui.cli.opening import application
except ModuleNotFoundError:  # up to 418ea5b
    from gradstep.tui.opening import application
app = application("apple_orange")
async def main():
    async with app.run_test(size={SIZE}) as pilot:
        await pilot.pause()
asyncio.run(main())
"""


def _start(root: Path) -> float:
    """Return the time that a process takes which paints once and leaves."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([python(root), "-c", _FIRST], check=True, cwd=root)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# ------------------------------------------------------------- in each of the processes


def stay() -> None:
    """Stay on the first processor that this process may use, where that can be said."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


async def serve() -> None:
    """Press a key for each line that is read, and write down how long it took."""
    stay()
    told = json.loads(sys.stdin.readline())
    app = GradstepApp(parse(told["text"], source="benchmark"))
    gc.freeze()  # as the start of the application does

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
        back = await reach(pilot, *_BACKS)
        keys = [back if turn == "S" else back.lower() for turn in told["turns"]]
        painting = Painting(app, time.process_time)
        print(0, file=sys.__stdout__, flush=True)
        count = 0
        while sys.stdin.readline():
            await pilot.pause(0.02)  # what has waited meanwhile passes
            seconds = await painting.time(keys[count % len(keys)])
            print(seconds, file=sys.__stdout__, flush=True)
            count += 1


if __name__ == "__main__":
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()
    asyncio.run(serve())
