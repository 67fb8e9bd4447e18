"""Watching code while it runs, whatever framework it imports."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module, util
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, overload

from ..base.errors import InputError
from ..base.progress import stage
from ..base.text import counted
from ..capture.archive import write
from ..capture.record import Wanted
from ..capture.selfcheck import hold

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from types import ModuleType

    from ..base.progress import Progress
    from ..capture.capture import Capture

MOST: Final = 2**33  # bytes of numbers that are held

# The module that watches each framework, by the framework's own name.
FRAMEWORKS: Final[Mapping[str, str]] = MappingProxyType({"torch": ".torch.recording"})
_BY_HAND: Final = ".numpy.recording"  # of a script that imports none of them


class Ended(BaseException):
    """The pass that was wanted is recorded: a script has nothing more to do."""


@dataclass(eq=False)
class Watch:
    """Waits for a framework, watches it, and writes what was wanted into a file."""

    path: Path | str  # of the file
    wanted: Wanted  # which pass, and how it is taken
    most: int = MOST  # bytes of numbers that may be held
    ends: bool = False  # whether the code is ended once the file is written
    capture: Capture | None = None  # what was written
    problem: InputError | None = None  # why nothing was
    # gives who is told how far the file is, as long as it is made
    telling: Callable[[], AbstractContextManager[Progress | None]] = nullcontext
    _recordings: list[Any] = field(default_factory=list[Any])
    _waiting: list[_Import] = field(default_factory=list["_Import"])

    @property
    def passes(self) -> int:
        """How many backward passes there were."""
        return sum(one.passes for one in self._recordings)

    @property
    def is_over(self) -> bool:
        """Tell whether the pass that was wanted has been."""
        return self.capture is not None or self.problem is not None

    def start(self) -> None:
        """Watch what is imported already, and what will be."""
        if not {*FRAMEWORKS} & {*sys.modules}:
            self._begin(_BY_HAND)
        for name, home in FRAMEWORKS.items():
            if name in sys.modules:
                self._begin(home)
            else:
                self._waiting.append(_Import(name, lambda home=home: self._begin(home)))
                sys.meta_path.insert(0, self._waiting[-1])

    def stop(self) -> None:
        """Watch no more."""
        for one in self._waiting:
            if one in sys.meta_path:
                sys.meta_path.remove(one)
        self.ends = False  # there is nothing left to be ended
        for one in self._recordings:
            one.stop()

    def number(self, value: float, name: str) -> Any:
        """Return a number of a script as one that is watched."""
        told = [one.number(value, name) for one in self._by_hand]
        return told[0] if told else value

    def forget(self) -> None:
        """Begin anew: what has run until now was to be ready."""
        for one in self._by_hand:
            one.forget()

    @property
    def _by_hand(self) -> list[Any]:
        return [one for one in self._recordings if hasattr(one, "forget")]

    def _begin(self, home: str) -> None:
        for one in self._by_hand:  # a framework is imported: it is not by hand
            one.drop()
            self._recordings.remove(one)
        recording = import_module(home, __package__).Recording
        self._recordings.append(recording(self.wanted, self.most, self._captured))
        self._recordings[-1].start()

    def _captured(self, recording: Any) -> None:
        """Write what was recorded, while its numbers are as they were."""
        self.problem = recording.problem
        if self.problem is None:
            try:
                with self.telling() as tell:
                    held, written = (stage(tell, number, 2) for number in range(2))
                    hold(recording.capture, held)
                    write(self.path, recording.capture, written, overwrite=True)
                self.capture = recording.capture
            except InputError as problem:
                self.problem = problem
        if self.ends:
            raise Ended

    def nothing(self) -> InputError:
        """Return why there is no capture, where nothing went wrong."""
        if any(one.elsewhere for one in self._recordings):
            return InputError(
                "the backward pass ran in another thread, which is not watched",
                "call backward in the thread that the script begins in",
            )
        if self.passes:
            return InputError(
                f"there were {counted(self.passes, 'backward pass', 'backward passes')}"
                f", and number {self.wanted.step} was asked for",
                f"--step {self.passes} is the last one",
            )
        return InputError(
            "nothing was recorded: backward was never called",
            "call it in the script itself, or in a function that the script calls"
            if not self._by_hand
            else "of NumPy, that is a layer's backward, or dW beside W; --call CODE "
            "runs what the script only defines",
        )


class _Import:
    """Does something once a module is imported."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name, self._then = name, then

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        """Find the module as others do, and wait for its end."""
        if name != self._name:
            return None
        sys.meta_path.remove(self)  # pyright: ignore[reportArgumentType]
        spec = util.find_spec(name)
        loader: Any = spec and spec.loader
        if loader is None:
            return None
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self._then()

        loader.exec_module = exec_module
        return spec


@overload
def capture(
    what: str | Path,
    *,
    step: int = 1,
    opaque: bool = False,
    strict: bool = False,
    source: bool = True,
    max_bytes: int = MOST,
) -> AbstractContextManager[Watch]: ...
@overload
def capture(
    what: Callable[..., Any],
    *args: Any,
    to: str | Path,
    strict: bool = False,
    source: bool = True,
    max_bytes: int = MOST,
) -> Capture: ...
def capture(
    what: str | Path | Callable[..., Any],
    *args: Any,
    to: str | Path = "run.gradstep",
    step: int = 1,
    opaque: bool = False,
    strict: bool = False,
    source: bool = True,
    max_bytes: int = MOST,
) -> AbstractContextManager[Watch] | Capture:
    """Record a backward pass of the code in a block, and write it into a file.

    `step` is which pass of the block, counted from 1. Raises `InputError` at the end
    of the block where there is none, or where it cannot be recorded.

    Instead of a file, `what` may be a function of NumPy's arrays: it is called once
    with `args`, and written into the file `to`.
    """
    path = what if isinstance(what, (str, Path)) else to
    wanted = Wanted(
        _stem(path),
        _script(),
        step,
        takes_strange=opaque,
        is_strict=strict,
        has_source=source,
    )
    if isinstance(what, (str, Path)):
        return _watched(Watch(path, wanted, max_bytes))
    from .numpy.function import called  # noqa: PLC0415  # of no use to other scripts

    found = called(what, args, wanted, max_bytes)
    hold(found)
    write(path, found, overwrite=True)
    return found


@contextmanager
def _watched(watch: Watch) -> Generator[Watch]:
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
    if watch.capture is None:
        raise watch.problem or watch.nothing()


def _stem(path: str | Path) -> str:
    return str(path).replace("\\", "/").rpartition("/")[2].partition(".")[0] or "run"


def _script() -> str:
    return " ".join([_last(sys.argv[0]), *sys.argv[1:]]) if sys.argv else ""


def _last(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]
