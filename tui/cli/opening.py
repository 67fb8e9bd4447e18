"""The command `run`: the application, in a terminal."""

from __future__ import annotations

import argparse
import gc
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from ...core.base.errors import InputError, Problem
from ...core.base.exits import BUG, OK
from ...core.base.limits import LIMITS, Limits, raised
from ...core.base.text import clean
from ...core.base.trust import FULL, KEYBOARD, Trust
from .main import has_terminal, nothing_to_keep

if TYPE_CHECKING:  # it imports Textual
    from collections.abc import Iterator

    from ...core.base.progress import Progress
    from ...core.practice.predict.score import Log
    from ...core.scenario.scenario import Scenario
    from ...core.words.indices import First
    from ..app.app import GradstepApp

Options = argparse.Namespace


_PATIENCE: Final = 1.0  # seconds of silence
# What needs no terminal, by the command that does.
_ANYWHERE: Final = {"gradstep hunt": "gradstep hunt NAME --debug works anywhere"}
_OFTEN: Final = 0.2  # seconds between two words of how far it is


@contextmanager
def _told(name: str) -> Iterator[Progress]:
    """Give what is told how far a scenario is loaded: there is no screen yet.

    One line says so where it takes long, also while nothing is told.
    """
    words = f"\rloading {clean(name)} …"
    begun, last = monotonic(), 0.0
    late = threading.Timer(_PATIENCE, _say, (words,))
    late.daemon = True
    late.start()

    def tell(done: int, of: int) -> None:
        nonlocal last
        now = monotonic()
        if now > begun + _PATIENCE and now > last + _OFTEN:
            last = now
            _say(f"{words} {100 * done // of} %")

    try:
        yield tell
    finally:
        late.cancel()
        late.join()  # whether it has said something is known from here on
        if monotonic() > begun + _PATIENCE:
            _say(f"\r{' ' * (len(words) + 5)}\r")


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


Load = Callable[[str, Limits, "Progress | None"], "Scenario"]


class Opening(NamedTuple):
    """How the application begins, and how it is to look."""

    at: str = ""  # the place to begin at; "" for the start
    script: str = ""  # the file with lines to run first; "" for none
    theme: str = ""  # "" for the one that was chosen last
    trust: Trust = KEYBOARD  # in what the script asks for
    limits: Limits = LIMITS  # what scenarios are held to
    present: bool = False  # whether the step gets most of the screen
    predict: bool = False  # whether each step is asked about before it is made
    first: First = 0  # what formulas call the first index
    log: Log | None = None  # the file for what is answered


AS_EVER: Final = Opening()  # without a wish


def _load(name: str, limits: Limits, tell: Progress | None) -> Scenario:
    from ...core.scenario.scenario import load  # noqa: PLC0415  # 8 ms less, likewise

    return load(name, limits, tell)


def application(name: str, how: Opening = AS_EVER, load: Load = _load) -> GradstepApp:
    """Return the application, ready to run; without a name it opens the picker.

    `load` makes a scenario of a name. Raises `InputError` for what is wrong with the
    scenario, the script, the theme or the log, before the screen is taken.
    """
    with _told(name) if name else nullcontext() as tell:
        return _application(name, how, load, tell)


def _application(
    name: str, how: Opening, load: Load, tell: Progress | None
) -> GradstepApp:
    lines = Path(how.script) if how.script else None
    gc.disable()  # what is loaded here stays, so that there is nothing to be found
    try:
        scenario = load(name, how.limits, tell) if name else None
        if lines is not None:
            from ...core.session.script import read_script  # noqa: PLC0415  # 2 ms, only for a script

            read_script(lines)
        from ..app.app import GradstepApp  # noqa: PLC0415  # here, where no garbage is looked for

        app = GradstepApp(
            scenario,
            how.at,
            lines,
            how.theme,
            how.trust,
            how.limits,
            present=how.present,
            predict=how.predict,
            first=how.first,
            log=how.log,
        )
        if how.log is not None:
            how.log.begin()  # once nothing else is wrong
        gc.freeze()  # nor later on
    finally:
        gc.enable()
    return app


def do_run(options: Options) -> int:
    """Open the application."""
    how = Opening(
        options.at,
        options.script or "",
        options.theme,
        FULL if options.trust else KEYBOARD,
        raised(options.limit),
        options.present,
        options.predict,
        options.indices,
        _log(options.log) if options.log else None,
    )
    return run_application("gradstep run", options.scenario or "", how)


def _log(path: str) -> Log:
    # What it imports is imported later, while no garbage is looked for: 14 ms less.
    from ...core.practice.predict.score import Log  # noqa: PLC0415

    return Log(path)


def need_terminal(command: str) -> None:
    """Raise `InputError` where there is no terminal that the application could take."""
    if not has_terminal():
        what = "the application needs a terminal"
        hint = _ANYWHERE.get(command, "gradstep play prints every step anywhere")
        raise InputError(Problem(what, hint, command))


def run_application(
    command: str, name: str, how: Opening = AS_EVER, load: Load = _load
) -> int:
    """Open the application for a command, with what `application` takes."""
    need_terminal(command)
    with nothing_to_keep():
        app = application(name, how, load)
    left = app.run()
    return BUG if app.return_code else left or OK
