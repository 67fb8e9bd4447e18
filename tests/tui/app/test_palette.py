"""The palette: what it finds, and what choosing it does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from textual.command import DiscoveryHit, Hit, Provider
from textual.content import Content
from textual.widgets import Input, OptionList

from driving import until
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.palette import (
    PROVIDERS,
    Commands,
    Nodes,
    Palette,
    Scenarios,
    Themes,
    Views,
)
from gradstep.tui.app.picker import Picker

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


async def hits(
    pilot: Pilot[int], kind: type[Provider], query: str
) -> dict[str, Hit | DiscoveryHit]:
    provider = kind(pilot.app.screen)
    found = provider.search(query) if query else provider.discover()
    made = [hit async for hit in found if isinstance(hit, (Hit, DiscoveryHit))]
    for hit in made:
        assert isinstance(hit.prompt, Content)
        assert hit.prompt.plain.startswith(str(hit.text))  # `[N]` is no markup
    assert all(hit.help is None for hit in made)  # it would be read as markup
    return {str(hit.text): hit for hit in made}


@pytest.mark.parametrize(
    ("kind", "query", "name"),
    [
        (Commands, "", "step [N]"),
        (Commands, "contin", "continue [N]"),
        (Commands, "to the next stop", "continue [N]"),
        (Views, "flow", "view: Gradient flow"),
        (Nodes, "x2.z", "x2.z"),
        (Scenarios, "apple", "open apple_orange"),
        (Scenarios, "", "open xor"),
        (Themes, "contrast", "theme: gradstep-contrast"),
        (Themes, "", "theme: nord"),
    ],
)
async def test_it_is_found(kind: type[Provider], query: str, name: str) -> None:
    async with GradstepApp(load("three_layer")).run_test() as pilot:
        assert name in await hits(pilot, kind, query)


async def test_every_command_scenario_and_theme_is_found_by_its_name() -> None:
    async with GradstepApp(load("apple_orange")).run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        for name in screen.debugger.commands:
            assert any(n.split()[0] == name for n in await hits(pilot, Commands, name))
        for name in builtin_names():
            assert f"open {name}" in await hits(pilot, Scenarios, name)
        for name in pilot.app.available_themes:
            assert f"theme: {name}" in await hits(pilot, Themes, name)


async def test_a_command_is_executed_or_waits_for_its_arguments() -> None:
    async with GradstepApp(load("apple_orange")).run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        (await hits(pilot, Commands, "step"))["step [N]"].command()
        await pilot.pause()
        assert screen.debugger.position == 1
        found = await hits(pilot, Commands, "print")
        next(hit for name, hit in found.items() if name.startswith("print")).command()
        await pilot.pause()
        assert screen.query_one("#prompt", Input).value == "print "


async def test_a_node_and_a_view_are_chosen() -> None:
    async with GradstepApp(load("three_layer")).run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        (await hits(pilot, Nodes, "W2"))["W2"].command()
        (await hits(pilot, Views, "nodes"))["view: Nodes"].command()
        await pilot.pause()
        assert screen._chosen is not None
        assert screen.debugger.graph.nodes[screen._chosen.node].name == "W2"
        assert screen.query_one("#nodes").display


async def test_a_theme_is_remembered(tmp_path: Path) -> None:
    async with GradstepApp(load("apple_orange")).run_test() as pilot:
        (await hits(pilot, Themes, "light"))["theme: gradstep-light"].command()
        await pilot.pause()
        assert pilot.app.theme == "gradstep-light"
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        screen.rearrange(screen.arrangement)
    kept = json.loads((tmp_path / "gradstep" / "arrangement.json").read_text())
    assert kept["theme"] == "gradstep-light"
    async with GradstepApp(load("apple_orange")).run_test() as pilot:
        assert pilot.app.theme == "gradstep-light"


async def test_a_theme_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "gradstep"
    folder.mkdir()
    kept = {"left": 0, "console": 0, "hidden": [], "theme": "no such theme"}
    (folder / "arrangement.json").write_text(json.dumps(kept))
    async with GradstepApp(load("apple_orange")).run_test() as pilot:
        assert pilot.app.theme == "gradstep-dark"


async def test_another_scenario_takes_the_place_of_this_one() -> None:
    async with GradstepApp(load("apple_orange")).run_test() as pilot:
        for name in ("xor", "matmul", "xor"):
            (await hits(pilot, Scenarios, name))[f"open {name}"].command()
            await pilot.pause()
            screen = pilot.app.screen
            assert isinstance(screen, MainScreen)
            assert screen.debugger.subject.name == name
        assert len(pilot.app.screen_stack) == 1


async def test_in_the_picker_only_what_works_there_is_found() -> None:
    async with GradstepApp().run_test() as pilot:
        assert isinstance(pilot.app.screen, Picker)
        for kind in (Commands, Views, Nodes):
            assert not await hits(pilot, kind, "s")
        assert await hits(pilot, Themes, "nord")


async def test_the_palette_itself_finds_and_does_it() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+p", *"finish")
        palette = pilot.app.screen
        found = palette.query_one(OptionList)
        await until(lambda: found.option_count and found.highlighted is not None)
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is not palette)
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        await until(lambda: screen.debugger.memory.history)
        assert screen.debugger.memory.history == ["finish"]


async def test_the_palette_asks_all_of_them() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+p")
        palette = pilot.app.screen
        assert isinstance(palette, Palette)
        assert palette._provider_classes == set(PROVIDERS)
