"""The screen at large arrays and long graphs, beside small ones that fill it too."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from measure import Row, duration
from painting import SIZE, Painting
from screen import chain, row, text
from textual.events import Key

from gradstep.core.scenario.scenario import Scenario, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    from textual.pilot import Pilot

LARGE, SMALL = 4096, 64
FIRST_TURNS = 3  # applications that are opened for a first key
TURNS = 4  # walks over a trace; the first one sees everything for the first time
MOST = 1.5

# Programs, and the shapes of W and b; X is square. The product has fewer columns, for
# a program may take no more multiplications than that.
PROGRAMS: Final[Mapping[str, tuple[str, str, str]]] = {
    "X * W": ("Y = X * W\nL = sum(Y)", "n, n", ""),
    "X @ W": ("Y = X @ W\nL = sum(Y)", "n, n // 8", ""),
    "X + b": ("Y = X + b\nL = sum(Y * Y)", "", "n"),
    "X * X + X": ("Y = X * X + X\nL = sum(Y * X)", "", ""),
    "sum, mean over an axis": (
        "s = sum(X, axis=0)\nm = mean(X, axis=1)\nL = sum(s * s) + sum(m)",
        "",
        "",
    ),
    "softmax": ("P = softmax(X, axis=1)\nL = sum(P * X)", "", ""),
    "relu, mean": ("H = relu(X)\nL = mean(H)", "", ""),
    "max": ("m = max(X, axis=1)\nL = sum(m) + max(X)", "", ""),
    "transpose, slice": ("Y = X.T[1:, ::2]\nL = sum(Y)", "", ""),
}
KEYS: Final = {
    "n, N": ("n", "N"),
    "s, S in the backward pass": (":goto 67%", "s", "S"),
    "i, I in the backward pass": (":goto 67%", "i", "I"),
    "c, C": ("c", "C"),
    "end, home": ("end", "home"),
    "f, F": ("f", "F"),
    "goto 50%, list": (":goto 50%", ":list"),
}


class Side(NamedTuple):
    """An application that is open."""

    painting: Painting
    screen: MainScreen


class Times(NamedTuple):
    """The slowest key in seconds: what was seen for the first time, and later."""

    first: float
    later: float


def rows() -> Iterator[Row]:
    """Yield a line for each program, and one for each key in a long graph."""
    os.environ.setdefault("XDG_STATE_HOME", tempfile.mkdtemp())
    for name in PROGRAMS:
        gc.collect()
        sides = [scenario(name, size) for size in (LARGE, SMALL)]
        what = f"a key, {name}, {LARGE} × {LARGE}"
        yield _row(what, f"the same, {SMALL} × {SMALL}", *asyncio.run(_walk(sides)))
    yield from asyncio.run(_first_keys())
    graphs = [parse(chain(nodes), source="benchmark") for nodes in (100_000, 100)]
    for name, times in asyncio.run(_pressed(graphs)).items():
        yield _row(f"{name}, 100,000 nodes", "the same, 100 nodes", *times)


def _row(what: str, against: str, ours: Times, theirs: Times) -> Row:
    seen = f"{what} (first seen: {duration(ours.first)})"
    return row(seen, against, ours.later, theirs.later, MOST)


def scenario(name: str, size: int) -> Scenario:
    """Return one of the programs with matrices of `size` × `size`."""
    program, *shapes = PROGRAMS[name]
    leaves = [("X", "n, n"), *zip("Wb", shapes, strict=True)]
    inputs = "\n".join(
        f"{leaf} = {{ random = 'normal', seed = {seed}, "
        f"shape = [{_sizes(shape, size)}] }}"
        for seed, (leaf, shape) in enumerate(leaves)
        if shape
    )
    return parse(
        f"gradstep = 1\nprogram = '''\n{program}\n'''\n[inputs]\n{inputs}\n",
        source="benchmark",
    )


def _sizes(shape: str, size: int) -> str:
    return shape.replace("n // 8", str(size // 8)).replace("n", str(size))


@asynccontextmanager
async def _opened(scenarios: Sequence[Scenario]) -> AsyncIterator[Sequence[Side]]:
    """Open an application on each scenario, all at the same time."""
    async with AsyncExitStack() as stack:
        sides: list[Side] = []
        for one in scenarios:
            app = GradstepApp(one)
            pilot = await stack.enter_async_context(app.run_test(size=SIZE))
            sides.append(Side(Painting(app), await _ready(pilot)))
        yield sides


async def _walk(scenarios: Sequence[Scenario]) -> Sequence[Times]:
    """Go over traces of one length and back several times, step by step in turns."""
    steps: dict[tuple[str, int], list[list[float]]] = {}
    async with _opened(scenarios) as sides:
        screen = sides[0].screen
        for _ in range(TURNS):
            for key in "sS":
                position = -1
                while position != screen.debugger.position:
                    position = screen.debugger.position
                    taken = [await _press(*side, key) for side in sides]
                    if position != screen.debugger.position:
                        steps.setdefault((key, position), []).append(taken)
    return _slowest(steps.values())


async def _pressed(scenarios: Sequence[Scenario]) -> Mapping[str, Sequence[Times]]:
    """Press keys several times each; what a line begins with gets them there."""
    found: dict[str, Sequence[Times]] = {}
    async with _opened(scenarios) as sides:
        for name, keys in KEYS.items():
            turns = [
                [[await _press(*side, key) for side in sides] for key in keys]
                for _ in range(TURNS)
            ]
            found[name] = _slowest(zip(*turns, strict=True))
    return found


async def _first_keys() -> list[Row]:
    """Return a line for the first `s` and for the first `end` of an application.

    That is the time of the processor, in all threads, until nothing goes on any more.
    """
    nodes = (50_000, 100)
    graphs = [parse(chain(count), source="benchmark") for count in nodes]
    found: list[Row] = []
    for key in ("s", "end"):
        turns: list[list[float]] = []
        for _ in range(FIRST_TURNS):
            async with _opened(graphs) as sides:
                gc.collect()
                taken: list[float] = []
                for side in sides:
                    started = time.process_time()
                    await _press(*side, key)
                    taken.append(time.process_time() - started)
                turns.append(taken)
        ours, theirs = np.min(turns, axis=0).tolist()
        what, against = (f"{count:,} nodes" for count in nodes)
        found.append(row(f"the first {key}, {what}", f"in {against}", ours, theirs, 10))
    return found


def _slowest(steps: Iterable[Sequence[Sequence[float]]]) -> Sequence[Times]:
    """Return the slowest step of each side: at its first turn, and at its median."""
    times = np.array([*steps])  # step, turn, side
    first = times[:, 0].max(axis=0)
    later = np.median(times[:, 1:], axis=1).max(axis=0)
    return [Times(*map(float, pair)) for pair in zip(first, later, strict=True)]


async def _ready(pilot: Pilot[int]) -> MainScreen:
    await pilot.pause(0.5)
    screen = pilot.app.screen
    if not isinstance(screen, MainScreen):
        raise TypeError("another screen is open")
    return screen


async def _press(painting: Painting, screen: MainScreen, key: str) -> float:
    """Return the seconds to the last frame of a key, or of a line behind a colon."""
    app = painting.app  # the screen's own, but of two that are open it names the last

    def act() -> object:
        if key.startswith(":"):
            return app.call_later(screen.run_line, key[1:])
        return app.post_message(Key(key, key))

    def is_busy() -> bool:
        return screen.busy or not all(w.is_finished for w in app.workers)

    return await painting.after(act, is_busy)


if __name__ == "__main__":
    for found in rows():
        print(text(found), flush=True)
