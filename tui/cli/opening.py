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
from typing import TYPE_CHECKING, Any, Final

from ...core.base.errors import InputError, Problem
from ...core.base.exits import BUG, OK
from ...core.base.limits import LIMITS, Limits, raised
from ...core.base.text import clean
from ...core.base.trust import FULL, KEYBOARD, Trust
from ...core.practice.score import Log
from .main import has_terminal, nothing_to_keep

if TYPE_CHECKING:  # it imports Textual
    from collections.abc import Iterator

    from ...core.base.progress import Progress
    from ...core.scenario.scenario import Scenario
    from ..app.app import GradstepApp

Options = argparse.Namespace


_PATIENCE: Final = 1.0  # seconds of silence
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


def _load(name: str, limits: Limits, tell: Progress | None) -> Scenario:
    from ...core.scenario.scenario import load  # noqa: PLC0415  # 8 ms less, likewise

    return load(name, limits, tell)


def application(
    name: str,
    at: str = "",
    script: str = "",
    theme: str = "",
    trust: Trust = KEYBOARD,
    limits: Limits = LIMITS,
    load: Load = _load,
    **how: Any,
) -> GradstepApp:
    """Return the application, ready to run; without a name it opens the picker.

    `load` makes a scenario of a name. `how` it looks is told to it as it is: `present`,
    `predict`, `first`, `log`. Raises `InputError` for what is wrong with the
    scenario, the script, the theme or the log, before the screen is taken.
    """
    with _told(name) if name else nullcontext() as tell:
        lines = Path(script) if script else None
        given = (name, at, lines, theme, trust, limits, load, tell)
        return _application(*given, **how)


def _application(
    name: str,
    at: str,
    lines: Path | None,
    theme: str,
    trust: Trust,
    limits: Limits,
    load: Load,
    tell: Progress | None,
    **how: Any,
) -> GradstepApp:
    gc.disable()  # what is loaded here stays, so that there is nothing to be found
    try:
        scenario = load(name, limits, tell) if name else None
        if lines is not None:
            from ...core.session.script import read_script  # noqa: PLC0415  # 2 ms, only for a script

            read_script(lines)
        from ..app.app import GradstepApp  # noqa: PLC0415  # here, where no garbage is looked for

        app = GradstepApp(scenario, at, lines, theme, trust, limits, **how)
        if how.get("log"):
            how["log"].begin()  # once nothing else is wrong
        gc.freeze()  # nor later on
    finally:
        gc.enable()
    return app


def do_run(options: Options) -> int:
    """Open the application."""
    return run_application(
        "gradstep run",
        options.scenario or "",
        options.at,
        options.script or "",
        options.theme,
        FULL if options.trust else KEYBOARD,
        raised(options.limit),
        present=options.present,
        predict=options.predict,
        first=options.indices,
        log=Log(options.log) if options.log else None,
    )


def need_terminal(command: str) -> None:
    """Raise `InputError` where there is no terminal that the application could take."""
    if not has_terminal():
        what = "the application needs a terminal"
        hint = "gradstep play prints every step anywhere"
        raise InputError(Problem(what, hint, command))


def run_application(command: str, *given: Any, **how: Any) -> int:
    """Open the application for a command, with what `application` takes."""
    need_terminal(command)
    with nothing_to_keep():
        app = application(*given, **how)
    left = app.run()
    return BUG if app.return_code else left or OK
