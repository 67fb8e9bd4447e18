"""Programs of NumPy alone, run and recorded for tests."""

from __future__ import annotations

import linecache
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.core.capture.archive import read
from gradstep.core.capture.record import Wanted
from gradstep.core.frontends.numpy.script import NUMBER, compiled
from gradstep.core.frontends.running import Ended, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradstep.core.capture.capture import Capture

PROGRAMS = Path(__file__).parent / "frontends" / "numpy" / "programs"


def text(name: str) -> str:
    """Return the text of a program."""
    return (PROGRAMS / f"{name}.py").read_text("utf-8")


def watched(
    code: str,
    folder: Path,
    *,
    files: Mapping[str, str] | None = None,
    call: str = "",
    ends: bool = True,
    telling: Callable[[], Any] = nullcontext,
    **wanted: Any,
) -> tuple[Watch, dict[str, Any]]:
    """Run a script beside other files, and return its recording and its variables."""
    for name, words in {"script": code, **(files or {})}.items():
        (folder / f"{name}.py").write_text(words, "utf-8")
        sys.modules.pop(name, None)
    linecache.clearcache()
    path, main = str(folder / "script.py"), sys.modules["__main__"]
    module = ModuleType("__main__")
    wanted = {"folder": folder, "waits": bool(call), **wanted}
    watch = Watch(folder / "run.gradstep", Wanted(**wanted), ends=ends, telling=telling)
    module.__dict__[NUMBER] = watch.number
    sys.modules["__main__"] = module
    sys.path.insert(0, str(folder))
    watch.start()
    try:
        with suppress(Ended):
            exec(compiled(code.encode(), path), module.__dict__)  # noqa: S102  # a test's
            if call:
                watch.forget()
                exec(call, module.__dict__)  # noqa: S102  # the same
    finally:
        watch.stop()
        sys.modules["__main__"] = main
        sys.path.remove(str(folder))
    return watch, module.__dict__


def recorded(code: str, folder: Path, **wanted: Any) -> Capture:
    """Run a script beside other files, and return what its file holds of it."""
    watch, _ = watched(code, folder, **wanted)
    if watch.capture is None:
        raise watch.problem or watch.nothing()
    return read(folder / "run.gradstep")


def program(name: str, folder: Path, **wanted: Any) -> Capture:
    """Record a program of the folder `programs`."""
    files = {one: text(one) for one in ("layers", "engine")}
    return recorded(text(name), folder, files=files, name=name, **wanted)


def plain(code: str, folder: Path, files: Mapping[str, str]) -> dict[str, Any]:
    """Run a script without being watched, and return its variables."""
    for name, words in files.items():
        (folder / f"{name}.py").write_text(words, "utf-8")
        sys.modules.pop(name, None)
    known: dict[str, Any] = {"__name__": "__main__"}
    sys.path.insert(0, str(folder))
    try:
        exec(compile(code, str(folder / "plain.py"), "exec"), known)  # noqa: S102
    finally:
        sys.path.remove(str(folder))
    return known


def numeric(capture: Capture, node: int, step: float = 1e-6) -> Any:
    """Return the gradient of a leaf by central differences."""
    subject = capture.subject._replace(known={}, claims=None)
    graph, leaves = subject.graph, dict(subject.leaves)
    base = np.array(leaves[node], dtype=np.float64)
    found = np.zeros(base.shape)
    scale = step * max(1.0, float(np.max(np.abs(base), initial=0.0)))
    for index in np.ndindex(base.shape):
        ends = []
        for sign in (1, -1):
            moved = base.copy()
            moved[index] += sign * scale
            run = subject._replace(leaves={**leaves, node: moved}).run()
            ends.append(np.sum(run.value(graph.output) * np.asarray(run.seed)))
        found[index] = (ends[0] - ends[1]) / (2 * scale)
    return found
