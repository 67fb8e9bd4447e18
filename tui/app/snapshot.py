"""Pictures of the application without a terminal: the same bytes every time."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...core.base.errors import (
    InputError,
    Interrupted,
    LimitError,
    Problem,
    hold_to,
)
from ...core.debugger.debugger import Debugger
from ..export.exports import offline

# Textual reads the surroundings when it is imported: what needs it waits until they are
# hidden.
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...core.base.progress import Progress
    from ...core.engine.subject import Subject
    from ...core.scenario.scenario import Scenario
    from ...core.words.indices import First
    from .app import GradstepApp

SMALLEST: Final = (20, 5)
LARGEST: Final = (500, 200)
_PAINTS: Final = 3  # in a row that have to be equal
_MOST_PAINTS: Final = 6000
_PAUSE: Final = 0.01  # seconds between two paints
# What a person has set there must not decide how a picture looks.
_OUTSIDE: Final = re.compile(r"NO_COLOR|FORCE_COLOR|COLORTERM|COLUMNS|LINES|TEXTUAL.*")
_SIZE: Final = re.compile(r"(\d{1,4})x(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a picture is to show. `view` and `theme` are names, or nothing."""

    at: str = ""  # where to go first, as `goto` takes it; "" for the start
    size: tuple[int, int] = (120, 36)  # columns and lines of the terminal
    view: str = ""
    theme: str = ""
    present: bool = False  # as to a class
    first: First = 0  # what the first index is called


@dataclass(frozen=True, slots=True)
class Picture:
    """A screen as text and as SVG."""

    text: str  # its lines, without styles
    svg: str  # the same with styles, a whole file


def parse_size(text: str) -> tuple[int, int]:
    """Read `120x36`, or raise `InputError`.

    >>> parse_size("80x24")
    (80, 24)
    """
    found = _SIZE.fullmatch(text)
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    low, high = SMALLEST, LARGEST
    if not all(a <= n <= b for a, n, b in zip(low, size, high, strict=True)):
        hint = f"allowed: 120x36; {low[0]}x{low[1]} to {high[0]}x{high[1]}"
        raise InputError(Problem(f"{text!r} is no size", hint, "--size"))
    return size


def take(
    about: Scenario | Subject, wish: Wish, progress: Progress | None = None
) -> Picture:
    """Take a picture of the application.

    `progress` is told of the way to the place. Raises `InputError` for a place, a view
    or a theme that there is not.
    """
    if wish.at:
        reply = Debugger(about, progress=progress).execute(f"goto {wish.at}")
        if reply.interrupted:
            raise Interrupted
        if reply.error is not None:
            raise InputError(Problem(reply.error, "", "--at"))
    with surroundings():
        return asyncio.run(_take(about, wish))


@contextmanager
def surroundings() -> Iterator[None]:
    """Hide what a person has set and what gradstep remembers, and bring it back."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="gradstep-") as folder:
        for name in filter(_OUTSIDE.fullmatch, before):
            del os.environ[name]
        os.environ["XDG_STATE_HOME"] = folder
        # Textual draws no colours where TERM says that there are none.
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


async def _take(about: Scenario | Subject, wish: Wish) -> Picture:
    from .app import GradstepApp  # noqa: PLC0415  # it imports Textual

    app = GradstepApp(
        about, wish.at, None, wish.theme, present=wish.present, first=wish.first
    )
    app.animation_level = "none"
    async with app.run_test(size=wish.size):
        await settled(app)
        if wish.view:
            await _show(app, wish.view)
        return await settled(app)


async def _show(app: GradstepApp, view: str) -> None:
    from ..panes.base.views import VIEWS  # noqa: PLC0415  # it imports Textual

    hold_to(VIEWS, view, "--view")
    await app.run_action(f"view({view!r})", app.screen)


async def settled(app: GradstepApp) -> Picture:
    """Return the picture when three in a row are the same.

    Raises `LimitError` where they go on changing.
    """
    equal, last = 0, None
    for _ in range(_MOST_PAINTS):
        await asyncio.sleep(_PAUSE)
        await app._animator.wait_until_complete()  # noqa: SLF001  # as its own pilot does
        picture = None if _is_busy(app) else _painted(app)
        equal = equal + 1 if picture == last else 1
        last = picture
        if picture is not None and equal >= _PAINTS:
            return picture
    raise LimitError("the screen does not come to rest")


def _is_busy(app: GradstepApp) -> bool:
    """Tell whether something is still to come: a long command, or a summary."""
    return app.busy or not all(worker.is_finished for worker in app.workers)


def _painted(app: GradstepApp) -> Picture:
    """Return the screen as it is now, without a blinking cursor."""
    from textual.widgets import Input  # noqa: PLC0415  # it imports Textual

    for field in app.screen.query(Input):
        field.cursor_blink = False
    svg = offline(app.export_screenshot(title="gradstep"))
    strips = app.screen._compositor.render_strips()  # noqa: SLF001  # there is no other
    text = "\n".join(strip.text.rstrip() for strip in strips)
    return Picture(f"{text}\n", svg)
