"""Where output goes: a terminal, a pipe or a file."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ...core.base.text import clean
from ...core.words.digits import CELL, SENTENCE
from ..draw.look import Look

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from ...core.base.limits import Limits
    from ...core.scenario.scenario import Scenario
    from .opening import Load

_WIDTH: Final = 80  # where there is no terminal and no COLUMNS
_LEAST: Final = 40
_MOST: Final = 1000
_PATIENCE: Final = 1.0  # seconds that pass before a progress bar is shown


class Screen(Console):
    """A console that shows text as it is, and leaves a broken pipe to its caller."""

    def on_broken_pipe(self) -> None:
        """Raise the error on, for the command line to end quietly."""
        raise BrokenPipeError


def screen_for(options: argparse.Namespace) -> Screen:
    """Return the console that the flags and the surroundings ask for."""
    if not _has_signs(sys.stdout):
        # Better a name in escapes than none at all.
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:  # a notebook has another kind of output
            reconfigure(errors="backslashreplace")
    return Screen(
        width=getattr(options, "width", None) or _width(sys.stdout),
        color_system=None if is_plain(options) else "auto",
        no_color=True if is_plain(options) else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def look_for(options: argparse.Namespace) -> Look:
    """Return the look that the flags and the surroundings ask for."""
    plain = is_plain(options) or not _has_signs(sys.stdout)
    digits = getattr(options, "precision", None)  # not every command shows numbers
    first: Any = getattr(options, "indices", 0)  # likewise
    return Look(digits or CELL, digits or SENTENCE, plain, first)


def is_plain(options: argparse.Namespace) -> bool:
    """Tell whether nothing but plain text is wanted."""
    return options.plain or os.environ.get("TERM") == "dumb"


def _has_signs(file: TextIO) -> bool:
    """Tell whether the encoding of `file` has the signs of mathematics."""
    if isinstance(file, io.StringIO):
        return True  # it keeps texts as they are
    try:
        "∂∘ᵀ─⎡⋯▁".encode(getattr(file, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _width(file: TextIO) -> int | None:
    """Return the width; None of a usual terminal, which rich measures itself."""
    text, columns = os.environ.get("COLUMNS", ""), 0
    if text.isdecimal():
        columns = int(text[:9])
    elif is_terminal(file):
        with suppress(OSError):
            columns = os.get_terminal_size(file.fileno()).columns
        if _LEAST <= columns <= _MOST:
            return None
    return min(max(columns or _WIDTH, _LEAST), _MOST)


def is_terminal(file: TextIO) -> bool:
    """Tell whether a file is a terminal; what was put in its place may not know."""
    return bool(getattr(file, "isatty", bool)())


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told what is done, of how much.

    A bar appears on standard error, if that is a terminal, when it takes long: of work
    that tells nothing, too.
    """
    if not is_terminal(sys.stderr):
        yield lambda done, total: None
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeRemainingColumn(),
        # By its own name: where the application runs, it takes what others write.
        console=Console(file=sys.stderr, markup=False, highlight=False),
        transient=True,
    )
    task = bar.add_task(title, total=None)
    late = threading.Timer(_PATIENCE, bar.start)
    late.daemon = True
    late.start()
    try:
        yield lambda done, total: bar.update(task, completed=done, total=total)
    finally:
        late.cancel()
        late.join()  # whether it has begun is known from here on
        bar.stop()


def loaded(name: str, limits: Limits, load: Load | None = None) -> Scenario:
    """Load a scenario; a bar says how far it is where that takes long.

    `load` makes it of its name where it is not read as it is.
    """
    if load is None:
        from ...core.scenario.scenario import load  # noqa: PLC0415  # NumPy; `list` has none

    with progress(f"loading {clean(name)}") as tell:
        return load(name, limits, tell)
