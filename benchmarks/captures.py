"""Captures: written, opened, held to themselves, and their rules to account."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import subprocess
import sys
import tempfile
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from measure import Row, compare, duration, size
from painting import SIZE

from gradstep.core.account.account import account
from gradstep.core.capture.archive import read, write
from gradstep.core.capture.capture import About, Capture
from gradstep.core.capture.selfcheck import hold
from gradstep.core.engine.run import evaluate
from gradstep.core.engine.subject import Subject
from gradstep.core.program.build import Leaf, build
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYERS, BATCH, WIDTH = 12, 256, 128
FEW, MANY = 150, 10_000  # nodes of captures that are opened
TURNS = 5
LONG = 64  # arrays of a large capture
FIRST: Final = f"""
import asyncio, sys
from gradstep.tui.cli.opening import application
app = application(sys.argv[1])
async def main():
    async with app.run_test(size={SIZE}) as pilot:
        await pilot.pause()
asyncio.run(main())
"""
ABOUT: Final = About("numpy", "benchmark.py", 1, "3.11")


def rows(seconds: float, *, full: bool) -> Iterator[Row]:
    """Yield the lines of captures; `full` has a gigabyte of arrays, or a half."""
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()
    with tempfile.TemporaryDirectory() as folder:
        yield from _work(Path(folder), seconds)
        yield _opening(Path(folder))
        yield from asyncio.run(_memory(Path(folder), 2**30 if full else 2**29))


def layers(count: int, batch: int, width: int) -> Capture:
    """Return the capture of a network of layers, with our own gradients."""
    generate = np.random.default_rng(0)
    leaves = {"h0": Leaf("input", generate.normal(size=(batch, width)))}
    lines: list[str] = []
    for k in range(count):
        weight = generate.normal(size=(width, width)) / width**0.5
        leaves[f"W{k}"] = Leaf("parameter", weight)
        lines.append(f"h{k + 1} = tanh(h{k} @ W{k})")
    return captured([*lines, f"E = mean(h{count})"], leaves)


def chain(nodes: int, value: Any = 0.5) -> Capture:
    """Return the capture of a chain of so many squares and roots."""
    names = ["x", *(f"x{k}" for k in range(1, nodes - 1))]
    lines = [
        f"{name} = {before} * {before}" if k % 2 else f"{name} = sqrt({before})"
        for k, (before, name) in enumerate(pairwise(names))
    ]
    lines.append(f"E = sum({names[-1]})")
    return captured(lines, {"x": Leaf("input", value)})


def captured(lines: list[str], leaves: dict[str, Leaf]) -> Capture:
    """Return the capture of a program."""
    made = build("\n".join(lines), leaves)
    run = evaluate(made.graph, made.leaves)
    nodes = [row[0] for row in made.graph.nodes.rows if row[3] is not None]
    values = {node: run.values[node] for node in nodes}
    # Theirs are rounded in another order.
    noise = 1 + 4e-16 * np.random.default_rng(1).normal(size=len(made.graph))
    own = {n: g * noise[n] for n, g in enumerate(run.gradients) if g is not None}
    return Capture(Subject("network", made.graph, made.leaves), values, own, ABOUT)


def _work(folder: Path, seconds: float) -> Iterator[Row]:
    capture = layers(LAYERS, BATCH, WIDTH)
    graph, leaves = capture.subject.graph, capture.subject.leaves
    arrays: dict[str, Any] = {
        f"{kind}_{node}": np.asarray(value)
        for kind, some in (("v", capture.values), ("o", capture.own), ("l", leaves))
        for node, value in some.items()
    }
    ours, theirs = folder / "run.gradstep", folder / "run.npz"
    yield compare(
        f"writing a capture of {len(graph)} nodes",
        "the same arrays with numpy.savez",
        1.5,
        lambda: write(ours, capture, overwrite=True),
        lambda: np.savez(theirs, **arrays),
        seconds,
    )
    again = read(ours).opened()
    held = {node: again.values[node] for node in again.values}  # read once

    def plain() -> object:
        return evaluate(graph, leaves)

    def checked() -> object:
        return hold(again)

    yield compare(
        "the self-check", "our own forward + backward", 1.5, checked, plain, seconds
    )
    run, claims = again.subject.run(), again.claims
    own = {node: claims.own[node] for node in claims.own}  # likewise
    yield compare(
        "rules",
        "our own backward pass",
        2,
        lambda: account(run, claims),
        lambda: again.subject.run().gradients[0],
        seconds,
    )
    del held, own


def _opening(folder: Path) -> Row:
    """Return the line of the time to the first frame, many nodes beside few."""
    paths: list[Path] = []
    for nodes in (MANY, FEW):
        path = folder / f"{nodes}.gradstep"
        write(path, chain(nodes), overwrite=True)
        paths.append(path)
    times = np.array([[_start(path) for path in paths] for _ in range(TURNS)])
    ours, theirs = map(float, np.median(times, axis=0))
    what = f"opening a capture of {MANY:,} nodes, to the first frame"
    against = f"one of {FEW}"
    return Row(what, against, duration(ours), duration(theirs), ours / theirs, 2)


def _start(path: Path) -> float:
    """Return the processor's time of a process that opens, paints once and leaves."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", FIRST, str(path)]
    subprocess.run(command, check=True)  # noqa: S603  # our own text
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


async def _memory(folder: Path, room: int) -> Iterator[Row]:
    """Return the lines of what is held of arrays of `room` bytes at some places."""
    path = folder / "large.gradstep"
    length = room // (2 * LONG) // 8
    write(path, chain(LONG, np.full((length // 1024, 1024), 0.5)), overwrite=True)
    against = f"a capture of {size(room)} of arrays"
    gc.collect()
    tracemalloc.start()
    found: list[Row] = []
    app = GradstepApp(load(path))
    async with app.run_test(size=SIZE) as pilot:
        if not isinstance(app.screen, MainScreen):
            raise TypeError(app.screen)
        for place, gradients in (("", 0.0), ("25%", 0.0), ("75%", 0.25)):
            if place:
                app.screen.run_line(f"goto {place}")
            await pilot.pause(0.5)
            gc.collect()
            held = tracemalloc.get_traced_memory()[0]
            where = f"at {place}" if place else "at the first frame"
            most = 0.2 + gradients
            what = f"memory {where}"
            found.append(Row(what, against, size(held), size(room), held / room, most))
    tracemalloc.stop()
    return iter(found)
