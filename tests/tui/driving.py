"""Driving the application by hand, faster than a pilot: no waiting, only handling."""

from __future__ import annotations

import asyncio
from time import monotonic, sleep
from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Size
from textual.keys import _character_to_key, key_to_character

from gradstep.core.debugger.debugger import Debugger
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest
    from textual.app import App
    from textual.dom import DOMNode
    from textual.screen import Screen

    from gradstep.core.base.trust import Trust
    from gradstep.core.session.reply import Reply

_QUIET = 4  # turns of the loop without anything to do


def press(app: App[int], *keys: str) -> None:
    """Hand keys to the application as the terminal does."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 else key
        # Textual does not know the characters of some of its own names.
        character = key if len(key) == 1 else key_to_character(name)
        app.post_message(events.Key(name, character))


def main_screen(app: App[int]) -> MainScreen:
    """Return the screen of a session, also where another one is before it."""
    return next(one for one in app.screen_stack if isinstance(one, MainScreen))


async def pressed(app: App[int], *keys: str) -> MainScreen:
    """Press one key after the other, and return the screen of the session."""
    for key in keys:
        press(app, key)
        await settle(app)
    return main_screen(app)


def type_line(app: App[int], line: str) -> None:
    """Type a line and end it."""
    press(app, *line, "enter")


def mouse(
    app: App[int], kind: type[events.MouseEvent], x: int, y: int, button: int = 1
) -> None:
    """Hand a mouse event to the application as the terminal does."""
    app.post_message(
        kind(
            widget=None,
            x=x,
            y=y,
            delta_x=0,
            delta_y=0,
            button=button,
            shift=False,
            meta=False,
            ctrl=False,
            screen_x=x,
            screen_y=y,
        )
    )


def click(app: App[int], x: int, y: int) -> None:
    """Press and let go of the mouse in one cell."""
    mouse(app, events.MouseDown, x, y)
    mouse(app, events.MouseUp, x, y)


def drag(app: App[int], start: tuple[int, int], *stops: tuple[int, int]) -> None:
    """Press the mouse in a cell, move it over others, and let go in the last."""
    mouse(app, events.MouseDown, *start)
    for stop in stops:
        mouse(app, events.MouseMove, *stop)
    mouse(app, events.MouseUp, *stops[-1])


def resize(app: App[int], size: tuple[int, int]) -> None:
    """Give the terminal another size."""
    assert app._driver is not None
    app._driver._size = size
    app.post_message(events.Resize(Size(*size), Size(*size)))


def _pumps(app: App[int]) -> Iterator[DOMNode]:
    yield app
    for screen in app.screen_stack:
        yield from screen.walk_children(with_self=True)


def _waits(app: App[int]) -> bool:
    """Tell whether anything that was posted has not been handled yet."""
    return any(pump.message_queue_size or pump._next_callbacks for pump in _pumps(app))


def _is_frame_due(screen: Screen[object]) -> bool:
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )


def _working(app: App[int]) -> list[MainScreen]:
    """Return the screens, also those behind others, in which a command goes on."""
    screens = [one for one in app.screen_stack if isinstance(one, MainScreen)]
    return [screen for screen in screens if screen.busy]


def _is_more_to_come(app: App[int]) -> bool:
    """Tell whether something will be posted by a thread or a timer.

    Textual waits for the last of several resizes before it hands one on, and a key for
    a screen to be up.
    """
    if not app.screen._mounted_event.is_set():
        return True
    timer = getattr(app, "_resize_timer", None)  # the first Textual 8 has none
    is_resized = app._resize_event is not None or timer is not None
    is_behind = False
    if isinstance(app, GradstepApp):
        app.look()  # it would wait for a frame
        is_behind = app.is_behind
    is_loading = getattr(app, "_opening", None) is not None
    are_working = any(not worker.is_finished for worker in app.workers)
    return is_resized or is_behind or is_loading or are_working


async def settle(app: App[int], at_most: float = 20.0) -> None:
    """Let all be handled and painted that was posted, in whatever screen.

    A command that goes on in the background may take so many seconds, until it is
    cancelled.
    """
    start, quiet = monotonic(), 0
    while app.is_running:
        await asyncio.sleep(0)
        quiet = 0 if _waits(app) else quiet + 1
        if quiet < _QUIET:
            assert monotonic() - start < PATIENCE, "the application goes on and on"
            continue
        screen = app.screen
        if _is_frame_due(screen):
            with app._context():
                screen._on_timer_update()
        elif working := _working(app):
            for one in working if monotonic() - start > at_most else ():
                one.action_cancel()
            await asyncio.sleep(0.002)
        elif _is_more_to_come(app):
            await asyncio.sleep(0.002)
        else:
            return
        quiet = 0


async def until(holds: Callable[[], object]) -> None:
    """Wait for a state, however busy the machine is."""
    end = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < end, "it never came to that"
        await asyncio.sleep(0.005)


def painted(screen: Screen[object]) -> list[str]:
    """Return the lines of the screen, as text."""
    return [strip.text for strip in screen._compositor.render_strips()]


def slowly(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let each command go on in the background for a while."""
    execute = Debugger.execute

    def slow(debugger: Debugger, line: str, trust: Trust | None = None) -> Reply:
        sleep(seconds)
        return execute(debugger, line, trust)

    monkeypatch.setattr(Debugger, "execute", slow)
