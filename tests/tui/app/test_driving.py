"""Whoever drives the application by hand waits for everything that is to come."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest
from textual import _time
from textual.command import CommandPalette

from driving import main_screen, press, resize, settle, slowly, until
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.panes.base.known import Known
from gradstep.tui.panes.base.pane import OneLine

if TYPE_CHECKING:
    from gradstep.core.base.trust import Trust
    from gradstep.core.ops.table import Array


@pytest.mark.parametrize("is_covered", [False, True])
async def test_a_resize_is_waited_for(is_covered: bool) -> None:
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(120, 36)):
        await settle(app)
        if is_covered:
            press(app, "ctrl+p")
            await settle(app)
            assert isinstance(app.screen, CommandPalette)
        screen = main_screen(app)
        for size in ((100, 30), (80, 24), (80, 24), (120, 36), (70, 20)):
            resize(app, (90, 25))  # the last of several counts
            resize(app, size)
            await settle(app)
            assert screen.size == size
            assert len(screen.query_one("#header", OneLine).text) == size[0]


async def test_a_resize_counts_where_the_machine_stands_still_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(120, 36)):
        await settle(app)
        looks, real = itertools.count(1), _time.get_time
        # Much longer passes between some lines than Textual waits for the next size:
        # of two timers, one at least finds itself late when it begins.
        monkeypatch.setattr(_time, "get_time", lambda: real() + next(looks) // 2)
        header = main_screen(app).query_one("#header", OneLine)
        for columns in (100, 80, 90, 70):
            resize(app, (columns, 30))
            await until(lambda columns=columns: len(header.text) == columns)


@pytest.mark.parametrize("is_covered", [False, True])
async def test_what_goes_on_in_the_background_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, is_covered: bool
) -> None:
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(120, 36)):
        await settle(app)
        slowly(monkeypatch, 0.3)
        screen = main_screen(app)
        screen.run_line("step")
        press(app, *(["ctrl+p"] if is_covered else []))
        resize(app, (100, 30))
        await settle(app)
        assert isinstance(app.screen, CommandPalette) == is_covered
        assert not screen.busy
        assert screen.debugger.position == 1
        assert "event 1/13" in screen.query_one("#header", OneLine).text


async def test_what_is_found_out_about_a_large_array_is_waited_for() -> None:
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(120, 36)):
        await settle(app)

        def count(array: Array) -> int:
            time.sleep(0.2)
            return array.size

        known, array = Known(count), np.zeros(300_000)
        assert known.of(array, app.screen) is None
        await settle(app)
        assert known.of(array, app.screen) == 300_000


async def test_what_does_not_end_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(debugger: Debugger, _line: str, _trust: Trust | None) -> NoReturn:
        while True:
            debugger.progress(0, 1)
            time.sleep(0.001)

    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(120, 36)):
        await settle(app)
        monkeypatch.setattr(Debugger, "execute", endless)
        screen = main_screen(app)
        screen.run_line("step")
        press(app, "ctrl+p")
        await settle(app, at_most=0.1)
        assert not screen.busy
