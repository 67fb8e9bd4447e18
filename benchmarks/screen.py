"""The screen: a key to a painted frame, beside an application that only paints it."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from measure import Row, duration
from painting import SIZE, Painting, reach
from textual.app import App
from textual.widget import Widget

from gradstep.core.scenario.scenario import Scenario, parse
from gradstep.tui.app.app import GradstepApp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from textual.geometry import Region
    from textual.screen import Screen
    from textual.strip import Strip

STEP, BACK = "s", "S"  # an event on, and one back
KEYS = 60  # pressed in each application
WARM = 6  # of them, before any counts
STARTS = 15
PANES = (
    "#header",
    "#timeline",
    "#program",
    "#graph",
    "#step",
    "#why",
    "#console",
    "#keys",
)

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


class Picture(NamedTuple):
    """What one pane showed at two moments, without its border, and where."""

    region: Region
    has_border: bool
    moments: list[list[Strip]]


class Frame(Widget):
    """A pane that shows finished lines of one of two moments."""

    DEFAULT_CSS = "Frame { position: absolute; }"

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture = picture
        region = picture.region
        self.styles.offset = region.offset
        self.styles.width, self.styles.height = region.size
        if picture.has_border:
            self.styles.border = ("round", "gray")
            self.border_title = "a pane"
        self.moment = 0

    def render_line(self, y: int) -> Strip:
        """Return a line as it was painted before."""
        return self.picture.moments[self.moment][y]

    def turn(self) -> None:
        """Show the other moment."""
        self.moment = 1 - self.moment
        self.refresh()


class Empty(App[int]):
    """An application that knows nothing and paints the same cells at each key.

    It has one widget for each of our panes, at the same place and with the same kind of
    border, and these hold finished lines of styled segments, taken from two frames of
    ours. At a key all of them show the other frame: Textual draws their borders, and
    paints the 120 × 36 cells of the whole screen once.
    """

    BINDINGS = [(f"{STEP},{BACK}", "turn", "turn")]  # noqa: RUF012  # as declared

    def __init__(self, pictures: Sequence[Picture]) -> None:
        super().__init__()
        self.pictures = pictures

    def compose(self) -> Iterator[Frame]:
        """Put the panes where they were."""
        yield from map(Frame, self.pictures)

    def action_turn(self) -> None:
        """Show the other moment everywhere."""
        for frame in self.query(Frame):
            frame.turn()


async def race(scenario: Scenario, keys: str) -> tuple[float, float]:
    """Return the times from key to frame: ours, and of the same cells alone.

    The two take turns, key by key, for a machine has slow moments. The keys come round
    again; the slowest of them counts, at its median.
    """
    gc.freeze()  # as the start of the application does
    ours, theirs = GradstepApp(scenario), Empty(await pictures_of(scenario))
    async with ours.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
        await reach(pilot, BACK)
        async with theirs.run_test(size=SIZE) as other:
            await other.pause(0.3)
            paintings = Painting(ours), Painting(theirs)
            times = np.array(
                [
                    [await painting.time(keys[n % len(keys)]) for painting in paintings]
                    for n in range(KEYS)
                ]
            )
    return slowest(times, len(keys))


def slowest(times: NDArray[np.float64], keys: int) -> tuple[float, float]:
    """Return both medians of the slowest of some keys, or of one without a frame.

    `times` has a row for each press, in turns, and a column for each side.
    """
    medians = np.array(
        [np.median(times[n::keys], axis=0) for n in range(WARM, WARM + keys)]
    )
    ours, theirs = medians[np.argmax(medians[:, 0] / medians[:, 1])]  # NaN is the most
    return float(ours), float(theirs)


async def pictures_of(scenario: Scenario) -> list[Picture]:
    """Return what the panes show at the two moments between which the keys go."""
    frames: list[list[Strip]] = []
    app = GradstepApp(scenario)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
        await reach(pilot, BACK)
        for key in (STEP, BACK):
            await pilot.press(key)
            await pilot.pause(0.2)
            frames.append(app.screen._compositor.render_strips())  # noqa: SLF001
        return list(_pictures(app.screen, frames))


def _pictures(
    screen: Screen[object], frames: Sequence[Sequence[Strip]]
) -> Iterator[Picture]:
    for pane in PANES:
        widget = screen.query_one(pane)
        inner = widget.region.shrink(widget.gutter)
        moments = [
            [line.crop(inner.x, inner.right) for line in frame[inner.y : inner.bottom]]
            for frame in frames
        ]
        yield Picture(widget.region, widget.gutter.top > 0, moments)


def cases() -> Iterator[tuple[str, str, str]]:
    """Yield what is measured: its name, a scenario, and the keys in turns."""
    yield "a key, 2 × 2", SMALL, STEP + BACK
    yield "a key, 4096 × 4096", LARGE, STEP + BACK
    yield "a key, 10 nodes", chain(10), STEP + BACK
    yield "a key, 100,000 nodes", chain(100_000), STEP + BACK
    yield "a key, 100,000 nodes, moments not seen before", chain(100_000), BACK


def rows() -> Iterator[Row]:
    """Yield the lines for keys, and for the start."""
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()
    for what, text, keys in cases():
        ours, theirs = asyncio.run(race(parse(text, source="benchmark"), keys))
        yield row(what, "the same cells alone", ours, theirs, 1.5)
    ours, theirs = _starts()
    yield row("start to first frame", "an empty application", ours, theirs, 1.3)


def row(what: str, against: str, ours: float, theirs: float, most: float) -> Row:
    """Return the line of two times in seconds; NaN is a frame that never came."""
    ratio = ours / theirs if theirs else np.inf
    return Row(what, against, duration(ours), duration(theirs), ratio, most)


_OURS = """
from gradstep.tui.cli.opening import application
app = application("apple_orange")
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
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
_FIRST = """
import asyncio
async def main():
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
asyncio.run(main())
"""


def _starts() -> tuple[float, float]:
    """Return the medians of whole processes that paint once and leave, in turns."""
    times = np.zeros((STARTS, 2))
    # Bytecode is there where something is installed; what is edited makes it here.
    environment = {k: v for k, v in os.environ.items() if k != _NO_BYTECODE}
    for turn in range(STARTS):
        for side, program in enumerate((_OURS, _THEIRS)):
            started = time.perf_counter()
            subprocess.run(  # noqa: S603  # our own text
                [sys.executable, "-c", program + _FIRST], check=True, env=environment
            )
            times[turn, side] = time.perf_counter() - started
    ours, theirs = np.median(times, axis=0)
    return float(ours), float(theirs)


def text(found: Row) -> str:
    """Return a line of the table to look at."""
    return f"{found.what:28} {found.ours:>10} {found.theirs:>10} {found.ratio:.2f} ×"


if __name__ == "__main__":
    for found in rows():
        print(text(found), flush=True)
