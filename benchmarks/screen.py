"""The screen: a key to a painted frame, beside an application that only paints it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np
from measure import Row, duration
from rich.console import RenderableType
from textual.app import App
from textual.events import Key
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from gradstep.core.scenario import Scenario, parse
from gradstep.tui.app import GradstepApp

SIZE = (120, 36)
KEYS = 40  # pressed in each of the applications
SETTLED = 0.25  # seconds without a frame, after which there comes none

SMALL = """
gradstep = 1
program = '''
Y = X @ W
L = sum(Y)
'''
[inputs]
X = [[1.0, 2.0], [3.0, 4.0]]
[parameters]
W = [[0.1, 0.2], [0.3, 0.4]]
"""
LARGE = """
gradstep = 1
program = '''
Y = X * W
L = sum(Y)
'''
[inputs]
X = { random = "normal", seed = 1, shape = [4096, 4096] }
[parameters]
W = { random = "normal", seed = 2, shape = [4096, 4096] }
"""


def chain(nodes: int) -> str:
    """Return a scenario that is one long chain."""
    lines = ["x0 = x", *(f"x{i} = x{i - 1} * w" for i in range(1, nodes + 1))]
    program = "\n".join(lines)
    head = "gradstep = 1\nprogram = '''\n"
    return f"{head}{program}\n'''\n[inputs]\nx = 1.0\n[parameters]\nw = 0.99999\n"


class Frames(Widget, can_focus=True):
    """Shows one of two finished pictures of a screen, and the other at each key."""

    def __init__(self, frames: Sequence[Sequence[Strip]]) -> None:
        super().__init__()
        self.frames = frames
        self.count = 0

    def render_line(self, y: int) -> Strip:
        """Return a line as it was painted before."""
        return self.frames[self.count % 2][y]

    def on_key(self) -> None:
        """Show the other picture."""
        self.count += 1
        self.refresh()


class Empty(App[int]):
    """The same cells, all of them painted at each key, and nothing behind them."""

    def __init__(self, frames: Sequence[Sequence[Strip]]) -> None:
        super().__init__()
        self.frames = frames

    def compose(self) -> Iterator[Frames]:
        """Fill the screen with one widget."""
        yield Frames(self.frames)

    def on_mount(self) -> None:
        """Give the keys to it."""
        self.query_one(Frames).focus()


class Painting:
    """Waits until an application has painted what a key changed."""

    def __init__(self, app: App[int]) -> None:
        self.app = app
        self.painted = asyncio.Event()
        display = app._display  # noqa: SLF001  # the one place where all paints pass

        def seen(screen: Screen[object], renderable: RenderableType | None) -> None:
            display(screen, renderable)
            self.painted.set()

        app._display = seen  # type: ignore[method-assign]  # noqa: SLF001

    async def time(self, key: str) -> float:
        """Return the seconds from a key to the last frame that it causes."""
        self.painted.clear()
        started = last = time.perf_counter()
        self.app.post_message(Key(key, key))
        while True:
            try:
                await asyncio.wait_for(self.painted.wait(), SETTLED)
            except TimeoutError:
                return last - started
            last = time.perf_counter()
            self.painted.clear()


async def race(scenario: Scenario) -> tuple[float, float]:
    """Return the median times from key to frame: ours, and of the same cells alone."""
    frames: list[Sequence[Strip]] = []
    ours = GradstepApp(scenario)
    async with ours.run_test(size=SIZE) as pilot:
        await pilot.pause(0.5)
        for key in "ss":
            await pilot.press(key)
            await pilot.pause(0.2)
            frames.append(ours.screen._compositor.render_strips())  # noqa: SLF001
        one = await _times(ours)
    theirs = Empty(frames)
    async with theirs.run_test(size=SIZE) as pilot:
        await pilot.pause(0.2)
        two = await _times(theirs)
    return median(one), median(two)


async def _times(app: App[int]) -> list[float]:
    painting = Painting(app)
    times = [await painting.time("S" if n % 2 else "s") for n in range(KEYS)]
    return times[4:]


def rows() -> Iterator[Row]:
    """Yield the lines for keys, and for the start."""
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()
    cases = (
        ("a key, 2 × 2", SMALL),
        ("a key, 4096 × 4096", LARGE),
        ("a key, 10 nodes", chain(10)),
        ("a key, 100,000 nodes", chain(100_000)),
    )
    for what, text in cases:
        ours, theirs = asyncio.run(race(parse(text, source="benchmark")))
        yield _row(what, "the same cells alone", ours, theirs, 1.5)
    ours, theirs = _starts()
    yield _row("start to first frame", "an empty application", ours, theirs, 1.3)


def _row(what: str, against: str, ours: float, theirs: float, most: float) -> Row:
    ratio = ours / theirs if theirs else np.inf
    return Row(what, against, duration(ours), duration(theirs), ratio, most)


_OURS = """
from gradstep.core.scenario import load
from gradstep.tui.app import GradstepApp as App
app = App(load("apple_orange"))
"""
_THEIRS = """
from textual.app import App
from textual.widgets import Static
import numpy
class Empty(App):
    def compose(self):
        yield Static("x")
app = Empty()
"""
_FIRST = """
import asyncio
async def main():
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
asyncio.run(main())
"""


def _starts() -> tuple[float, float]:
    """Return the best times of whole processes that paint once and leave."""
    best = [float("inf"), float("inf")]
    for _ in range(7):
        for side, program in enumerate((_OURS, _THEIRS)):
            started = time.perf_counter()
            subprocess.run(  # noqa: S603  # our own text
                [sys.executable, "-c", program + _FIRST], check=True
            )
            best[side] = min(best[side], time.perf_counter() - started)
    return best[0], best[1]


if __name__ == "__main__":
    for found in rows():
        print(
            f"{found.what:24} {found.ours:>10} {found.theirs:>10} {found.ratio:.2f} ×"
        )
