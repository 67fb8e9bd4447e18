"""The application, driven without a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from gradstep.core.scenario import load
from gradstep.tui.app import GradstepApp
from gradstep.tui.keys import keys
from gradstep.tui.main_screen import MainScreen
from gradstep.tui.picker import Picker


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)


def screen(pilot: Pilot[int]) -> MainScreen:
    found = pilot.app.screen
    assert isinstance(found, MainScreen)
    return found


async def test_keys_move_the_debugger() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        bug = screen(pilot).bug
        for key, position in (("s", 1), ("n", 2), ("i", 3), ("end", 13), ("S", 11)):
            await pilot.press(key)
            assert bug.position == position, key
        await pilot.press("home")
        assert bug.position == 0


async def test_the_header_says_where_we_are() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("end")
        header = str(screen(pilot).query_one("#header", Static).content)
        assert "event 13/13" in header
        assert "y = 550" in header


async def test_a_typed_command_is_executed_and_answered() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"goto", "space", *"z", "enter")
        assert screen(pilot).bug.position == 3
        await pilot.press(*"print", "space", *"z", "enter", "escape")
        assert screen(pilot).bug.session.history[-1] == "print z"


async def test_letters_in_the_prompt_are_not_commands() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", "s", "s", "q")
        assert screen(pilot).bug.position == 0
        assert screen(pilot).query_one("#prompt", Input).value == "ssq"


async def test_a_key_that_needs_an_argument_waits_for_it() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("g")
        assert screen(pilot).query_one("#prompt", Input).value == "goto "


async def test_q_leaves() -> None:
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
    assert app.return_value == 0


async def test_quit_with_a_code_gives_it() -> None:
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"quit", "space", "7", "enter")
    assert app.return_value == 7


async def test_the_picker_filters_and_opens() -> None:
    async with GradstepApp().run_test(size=(120, 36)) as pilot:
        assert isinstance(pilot.app.screen, Picker)
        await pilot.press(*"nan")
        listing = pilot.app.screen.query_one(OptionList)
        assert listing.option_count == 2
        await pilot.press("enter")
        assert screen(pilot).bug.scenario.name == "nan_where"


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (200, 60), (40, 10), (10, 3)])
async def test_any_window_can_be_left(size: tuple[int, int]) -> None:
    app = GradstepApp(load("three_layer"))
    async with app.run_test(size=size) as pilot:
        await pilot.press("s", "n", "f", "q")
    assert app.return_value == 0


async def test_a_window_resized_to_nothing_comes_back() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        await pilot.resize_terminal(5, 2)
        assert screen(pilot).has_class("small")
        await pilot.resize_terminal(120, 36)
        assert not screen(pilot).has_class("small")


def test_every_key_is_listed_once() -> None:
    listed = [key.key for key in keys()]
    assert len(listed) == len(set(listed))
