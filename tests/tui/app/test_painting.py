"""What stands on the screen is what a whole new painting would show.

Panes repaint only what a key has changed; nothing old may be left behind.
"""

from __future__ import annotations

import asyncio
import random
import threading
from typing import TYPE_CHECKING

import pytest

from driving import painted, press, settle, until
from gradstep.core.scenario.scenario import load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.base import background
from gradstep.tui.panes.console import Scrollback
from gradstep.tui.panes.graph.canvas import Canvas
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.why import WhyPane
from panes_app import text_of
from patience import PATIENCE

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.geometry import Region
    from textual.pilot import Pilot
    from textual.screen import Screen

    from gradstep.tui.panes.base.pane import Pane


KEYS = (
    "s",
    "s",
    "S",
    "n",
    "N",
    "i",
    "f",
    "F",
    "c",
    "home",
    "end",
    "z",
    "tab",
    "y",
    "e",
)


async def anew(pilot: Pilot[int]) -> list[str]:
    """Return the lines of the screen after everything was painted again."""
    for widget in pilot.app.screen.walk_children():
        widget._styles_cache.clear()  # type: ignore[attr-defined]
        widget.refresh()
    await pilot.pause()
    return painted(pilot.app.screen)


@pytest.mark.parametrize("name", ["three_layer", "nan_where", "xor"])
async def test_nothing_old_is_left_behind(name: str) -> None:
    keys = random.Random(name)  # noqa: S311  # a walk, not a secret
    async with GradstepApp(load(name)).run_test(size=(120, 36)) as pilot:
        for turn in range(6):
            pressed = [keys.choice(KEYS) for _ in range(5)]
            await pilot.press(*pressed)
            await pilot.pause()
            before = painted(pilot.app.screen)
            assert before == await anew(pilot), (turn, pressed)


async def test_what_cannot_be_seen_is_not_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[Scrollback] = []
    async with GradstepApp(load("xor")).run_test(size=(120, 36)) as pilot:
        paint = Scrollback.refresh

        def refresh(log: Scrollback, *regions: Region, **how: bool) -> Scrollback:
            drawn.append(log)
            return paint(log, *regions, **how)

        monkeypatch.setattr(Scrollback, "refresh", refresh)
        for key in ("s", "S"):
            press(pilot.app, key)
            await settle(pilot.app)
        assert not drawn
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        screen.run_line("history")  # an answer to read opens the console
        await until(lambda: bool(drawn))


def frames_of(app: GradstepApp, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return where the lines of every frame are added from now on.

    The screen waits for its panes, else there is a frame that says "working".
    """
    monkeypatch.setattr(background, "_PATIENCE", PATIENCE)
    frames: list[list[str]] = []
    display = app._display

    def seen(screen: Screen[object], renderable: RenderableType | None) -> None:
        display(screen, renderable)
        frames.append(painted(screen))

    monkeypatch.setattr(app, "_display", seen)
    return frames


async def test_a_cursor_in_a_matrix_moves_in_one_frame_with_all_panes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = GradstepApp(load("three_layer"))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("end", "S", "S")
        await settle(app)
        frames = frames_of(app, monkeypatch)
        before = painted(app.screen)
        for number, key in enumerate(("down", "up", "down", "up"), 1):
            press(app, key)
            await settle(app)
            assert len(frames) == number, key
            await asyncio.sleep(0.05)  # what comes sooner may wait for one frame
    assert frames[0] == frames[2] != frames[1] == frames[3] == before


async def test_a_step_is_one_frame_with_all_that_scrolls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = "".join(f"x{i} = x{i - 1} * w\n" for i in range(1, 41))
    head = "gradstep = 1\nprogram = '''\nx0 = x\n"
    tables = "'''\n[inputs]\nx = 1.0\n[parameters]\nw = 0.9\n"
    app = GradstepApp(parse(f"{head}{lines}{tables}", source="chain"))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("s")  # the first one lays the panes out anew
        await settle(app)
        frames = frames_of(app, monkeypatch)
        scrolled = {ProgramPane: 0, Canvas: 0}
        for turn in range(16):
            before = [app.screen.query_one(kind).scroll_y for kind in scrolled]
            press(app, "s")
            await until(lambda: frames)  # by the timer of the screen itself
            await settle(app)
            assert len(frames) == 1, turn
            frames.clear()
            await asyncio.sleep(0.05)  # what comes sooner may wait for one frame
            for kind, was in zip(scrolled, before, strict=True):
                scrolled[kind] += app.screen.query_one(kind).scroll_y != was
    assert min(scrolled.values()) > 0


async def test_a_cursor_does_not_wait_for_what_other_panes_look_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_done = threading.Event()
    app = GradstepApp(load("three_layer"))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("end", "S", "S")
        screen = app.screen
        assert isinstance(screen, MainScreen)
        step = screen.query_one(StepPane)
        monkeypatch.setattr(WhyPane, "prepare", lambda *_: is_done.wait(20))
        seen = [text_of(step)]
        try:
            for key in ("down", "down"):
                press(app, key)
                await until(lambda: text_of(step) != seen[-1])
                assert screen.busy
                seen.append(text_of(step))
        finally:
            is_done.set()
        assert len(set(seen)) == 3
        await settle(app)
        assert text_of(step) == seen[-1]
        assert painted(app.screen) == await anew(pilot)


def colour_of(pane: Pane, name: str) -> str:
    colour = pane.ink(name).color
    return "" if colour is None else colour.get_truecolor().hex


async def test_styles_that_are_asked_for_late_follow_focus_and_theme() -> None:
    app = GradstepApp(load("three_layer"))
    async with app.run_test(size=(120, 36)):
        await settle(app)
        step, graph = app.screen.query_one(StepPane), app.screen.query_one(GraphPane)
        for theme in ("gradstep-dark", "gradstep-light"):
            app.theme = theme
            await settle(app)
            colours = app.theme_variables
            quiet, bright = colours["panel"].lower(), colours["primary"].lower()
            assert quiet != bright
            for focused, other in ((step, graph), (graph, step)):
                focused.focus()
                await settle(app)
                assert colour_of(focused, "pane--border") == bright
                assert colour_of(other, "pane--border") == quiet
            assert colour_of(graph, "graph--alarm") == colours["error"].lower()
        with pytest.raises(KeyError):
            graph.ink("graph--nonsense")
