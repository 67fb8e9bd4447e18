"""Programs and snippets, run and recorded for tests."""

from __future__ import annotations

import linecache
import runpy
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.core.capture.archive import read
from gradstep.core.capture.record import Wanted
from gradstep.core.frontends.running import MOST, Ended, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.core.capture.capture import Capture

PROGRAMS = Path(__file__).parent / "programs"


def recorded(
    run: Callable[[], object], to: Path, most: int = MOST, **wanted: Any
) -> Capture:
    """Run something, and return what its file holds of it. Raises `InputError`."""
    watch = Watch(to / "run.gradstep", Wanted(**wanted), most, ends=True)
    watch.start()
    try:
        with suppress(Ended):
            run()
    finally:
        watch.stop()
    if watch.capture is None:
        raise watch.problem or watch.nothing()
    return read(to / "run.gradstep")


def program(name: str, folder: Path, step: int = 1) -> Capture:
    """Record a program of the folder `programs`."""
    path = str(PROGRAMS / f"{name}.py")
    wanted: dict[str, Any] = {"name": name, "step": step, "folder": PROGRAMS}
    return recorded(lambda: runpy.run_path(path, run_name="__main__"), folder, **wanted)


def snippet(code: str, folder: Path, **wanted: Any) -> Capture:
    """Record lines of code, which see `torch`, `nn` and `F`."""
    torch = sys.modules["torch"]
    path = str(folder / "snippet.py")
    linecache.cache[path] = (len(code), None, code.splitlines(keepends=True), path)
    known = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}
    known["__name__"] = "__main__"

    def run() -> None:
        torch.manual_seed(0)
        exec(compile(code, path, "exec"), known)  # a snippet of a test

    return recorded(run, folder, folder=folder, **wanted)


def names(capture: Capture) -> list[str]:
    """Return what the results of operations are called, in order."""
    return [node.name for node in capture.subject.graph if node.op is not None]


def apart(capture: Capture) -> tuple[int, float, list[str]]:
    """Return how many arrays were compared, the worst difference, and what differs.

    All values are computed here from the leaves, and all gradients.
    """
    subject = capture.subject._replace(known={}, claims=None)
    run, graph = subject.run(), subject.graph
    worst, count, wrong = 0.0, 0, list[str]()
    pairs = [(run.value(node), value, node) for node, value in capture.values.items()]
    pairs += [(run.gradient(node), value, node) for node, value in capture.own.items()]
    for ours, theirs, node in pairs:
        count += 1
        if ours is None:  # nothing flows here, and zeros flow there
            assert not np.any(theirs), graph.nodes[node].name
            continue
        assert np.shape(ours) == np.shape(theirs), graph.nodes[node].name
        a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
        assert (np.isnan(a) == np.isnan(b)).all(), graph.nodes[node].name
        same = (a == b) | np.isnan(a)
        size = float(np.max(np.abs(b[np.isfinite(b)]), initial=1e-300))
        off = float(np.max(np.abs(a[~same] - b[~same]), initial=0)) / size
        worst = max(worst, off)
        if off > 1e-9:
            wrong.append(graph.nodes[node].name)
    return count, worst, wrong
