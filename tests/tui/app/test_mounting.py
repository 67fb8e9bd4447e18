"""A screen that is not up yet, or is closed before it is: nothing breaks.

The layout itself waits for the moment, so that it does not depend on the machine.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from driving import press, resize, settle, until
from gradstep.core.scenario.scenario import load
from gradstep.tui.app import body
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.arrangement import BESIDE, WIDE
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.picker import Picker
from gradstep.tui.panes.console import ConsolePane
from patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import App
    from textual.widget import Widget

_SIZE = (120, 36)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def hold(
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Widget],
    act: Callable[[App[int]], object],
    holds: Callable[[Widget], object],
) -> list[Widget]:
    """Let the first widget of a class act before it mounts its children.

    It mounts them once something holds of it. Return where it stands by then.
    """
    held: list[Widget] = []
    mount = kind.mount_composed_widgets

    async def later(self: Widget, widgets: list[Widget]) -> None:
        if type(self) is kind and not held:
            held.append(self)
            with self.app._context():  # a key comes from nobody within
                act(self.app)
            await until(lambda: holds(self))
        await mount(self, widgets)

    monkeypatch.setattr(kind, "mount_composed_widgets", later)
    return held


def taken_up(monkeypatch: pytest.MonkeyPatch) -> list[events.Event]:
    """Return where the keys and the mouse stand once the application takes them up."""
    found: list[events.Event] = []
    take = GradstepApp.on_event

    async def noted(app: GradstepApp, event: events.Event) -> None:
        if isinstance(event, (events.InputEvent, events.Paste)):
            found.append(event)
        await take(app, event)

    monkeypatch.setattr(GradstepApp, "on_event", noted)
    return found


@pytest.mark.parametrize("kind", [MainScreen, Vertical, ConsolePane])
async def test_what_is_typed_before_the_screen_is_up_waits(
    monkeypatch: pytest.MonkeyPatch, kind: type[Widget]
) -> None:
    taken = taken_up(monkeypatch)

    def typed(app: App[int]) -> None:
        press(app, ":", *"step 2", "enter")

    held = hold(monkeypatch, kind, typed, lambda _: taken)
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=_SIZE):
        await settle(app)
        assert held
        assert isinstance(app.screen, MainScreen)
        assert app.screen.debugger.memory.history == ["step 2"]


async def test_what_is_pasted_before_the_screen_is_up_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = taken_up(monkeypatch)

    def pasted(app: App[int]) -> None:
        press(app, ":")
        app.post_message(events.Paste("goto z"))

    held = hold(monkeypatch, ConsolePane, pasted, lambda _: taken)
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=_SIZE):
        await settle(app)
        assert held
        assert app.screen.query_one("#prompt", Input).value == "goto z"


@pytest.mark.parametrize("kind", [Picker, Horizontal])
async def test_what_is_typed_before_the_picker_is_up_waits(
    monkeypatch: pytest.MonkeyPatch, kind: type[Widget]
) -> None:
    taken = taken_up(monkeypatch)

    def typed(app: App[int]) -> None:
        press(app, "down", "up", *"matrix form", "enter")

    held = hold(monkeypatch, kind, typed, lambda _: taken)
    app = GradstepApp()
    async with app.run_test(size=_SIZE):
        await until(lambda: isinstance(app.screen, MainScreen))
        await settle(app)
        assert held
        assert isinstance(app.screen, MainScreen)
        assert app.screen.debugger.subject.name == "three_layer"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("apple_orange", MainScreen),
        ("apple_orange", Vertical),
        ("apple_orange", ConsolePane),
        ("", Picker),
        ("", Horizontal),
    ],
)
async def test_the_application_can_be_closed_while_its_screen_mounts(
    monkeypatch: pytest.MonkeyPatch, name: str, kind: type[Widget]
) -> None:
    app = GradstepApp(load(name) if name else None)
    held = hold(
        monkeypatch, kind, lambda app: app.exit(0), lambda _: not app.is_running
    )
    async with asyncio.timeout(PATIENCE):
        assert await app.run_async(headless=True, size=_SIZE) == 0
    assert held
    assert app.return_code == 0


async def test_no_other_view_comes_beside_the_step_once_it_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They come one after the other, and it may be closed meanwhile."""
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=_SIZE):
        screen = app.screen
        assert isinstance(screen, MainScreen)
        # As it is closed behind the first of them.
        panes = screen.query_one(body.Body)
        monkeypatch.setattr(body, "is_there", lambda _: not panes.beside)
        assert len(BESIDE) > 1
        resize(app, (WIDE, 60))
        await until(lambda: panes.beside)
        await settle(app)
        assert len(panes.beside) == 1
        app.exit(0)
    assert app.return_code == 0


@pytest.mark.parametrize("name", ["apple_orange", ""])
@pytest.mark.parametrize("turns", [1, 2, 3, 5, 8, 13, 21, 34])
async def test_keys_that_come_before_it_is_closed_do_nothing(
    name: str, turns: int
) -> None:
    app = GradstepApp(load(name) if name else None)

    async def type_and_close() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        press(app, ":", "s", "enter")
        app.exit(0)

    closing = asyncio.create_task(type_and_close())
    async with asyncio.timeout(PATIENCE):
        assert await app.run_async(headless=True, size=_SIZE) == 0
    await closing
    assert app.return_code == 0


@pytest.mark.parametrize("kind", [MainScreen, Vertical, ConsolePane])
async def test_another_screen_can_come_while_one_mounts(
    monkeypatch: pytest.MonkeyPatch, kind: type[Widget]
) -> None:
    def switch(app: App[int]) -> None:
        app.call_later(app.switch_screen, Picker())

    held = hold(monkeypatch, kind, switch, lambda one: one._pruning)
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=_SIZE):
        await until(lambda: isinstance(app.screen, Picker))
        await settle(app)
        assert held
        assert app.screen.query_one("#search", Input).has_focus
