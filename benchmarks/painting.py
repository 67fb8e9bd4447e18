"""How long it takes from a key to the last frame that it causes, in any application."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Any

from textual._compositor import CompositorUpdate
from textual.events import Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType
    from textual.app import App
    from textual.pilot import Pilot
    from textual.screen import Screen

SIZE = (120, 36)
PATIENCE = 2.0  # seconds without a frame, after which a key has caused none
SETTLED = 0.1  # seconds behind a frame, after which there comes no other
_TRIES = 100  # as often it is looked whether a key has gone somewhere


class Painting:
    """Waits until an application has painted what a key changed."""

    def __init__(
        self, app: App[int], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.app = app
        self.clock = clock
        self.painted = asyncio.Event()
        display = app._display  # noqa: SLF001  # the one place where all paints pass

        def seen(screen: Screen[object], renderable: RenderableType | None) -> None:
            display(screen, renderable)
            if isinstance(renderable, CompositorUpdate):
                # What a terminal is sent: without one, Textual leaves it out.
                renderable.render_segments(app.console)
            self.painted.set()

        app._display = seen  # type: ignore[method-assign]  # noqa: SLF001

    async def time(self, key: str) -> float:
        """Return the seconds from a key to the last frame that it causes."""
        return await self.after(lambda: self.app.post_message(Key(key, key)))

    async def after(
        self, act: Callable[[], object], is_busy: Callable[[], bool] = lambda: False
    ) -> float:
        """Return the seconds from an act to the last frame that it causes.

        It is waited for as long as something goes on in the background. It is NaN where
        no frame came: so is every ratio to it, and no row with one is held.
        """
        self.painted.clear()
        started, last = self.clock(), math.nan
        act()
        while True:
            try:
                wait = PATIENCE if math.isnan(last) else SETTLED
                await asyncio.wait_for(self.painted.wait(), wait)
            except TimeoutError:
                if is_busy():
                    continue
                return last - started
            last = self.clock()
            self.painted.clear()


async def reach(pilot: Pilot[int], *backs: str) -> str:
    """Go to where the keys are measured: before the last two contributions.

    Returns the key that went there: the first one that goes back a single event each
    time. Raises `RuntimeError` where none does.
    """
    for back in backs:
        end, *behind = [await _gone(pilot, key) for key in ("end", back, back)]
        if behind == [end - 1, end - 2]:
            return back
    raise RuntimeError(f"none of {backs} goes back a single event")


async def _gone(pilot: Pilot[int], key: str) -> int:
    """Return where a key goes; in a large graph that takes a while."""
    before = _position(pilot.app.screen)
    await pilot.press(key)
    for _ in range(_TRIES):
        await pilot.pause(SETTLED)
        if _position(pilot.app.screen) != before:
            await pilot.pause(2 * SETTLED)
            break
    return _position(pilot.app.screen)


def _position(screen: Any) -> int:  # of this checkout or of an older one
    debugger = screen.debugger if hasattr(screen, "debugger") else screen.bug
    return int(debugger.position)
