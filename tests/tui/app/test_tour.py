"""The tour: each step is reached by the keys that it names, in small windows too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.binding import Binding

from driving import painted, press, settle
from gradstep.core.base.exits import WRONG
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.builtin import builtin_names, tour_behind, tour_path, tours
from gradstep.core.scenario.scenario import load
from gradstep.core.session.script import read_script, run_script
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.keys import written
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.cli import main as cli
from gradstep.tui.panes.banner import Banner
from gradstep.tui.panes.console import Prompt

if TYPE_CHECKING:
    from textual.screen import Screen

    from gradstep.core.debugger.leading import Leader

NAMES = [one.name for one in tours()]
SIZES = ((80, 24), (120, 36))
ARROWS = {"↑": "up", "↓": "down", "←": "left", "→": "right"}
each = pytest.mark.parametrize("name", NAMES)


def known_keys() -> dict[str, str]:
    """Return the keys that there are, as a person reads them, with Textual's names."""
    named = {
        *("Escape", "Enter", "Space"),
        *(b.key for b in MainScreen.BINDINGS if isinstance(b, Binding)),
    }
    keys = {written(key): key for key in named} | {":": "colon"} | ARROWS
    return {name: key.lower() if len(key) > 1 else key for name, key in keys.items()}


def keys_of(said: str) -> list[str]:
    """Return the keys that a text teaches, in order; what is none is typed."""
    known, keys = known_keys(), list[str]()
    for marked in re.findall(r"`([^`]+)`", said):
        keys += [known[marked]] if marked in known else [*marked]
    return keys


def said(screen: MainScreen) -> str:
    return screen.debugger.memory.said


def shown(screen: Screen[Any]) -> str:
    return " ".join(" ".join(painted(screen)).split())


def of(app: GradstepApp) -> tuple[MainScreen, Leader]:
    screen = app.screen
    assert isinstance(screen, MainScreen)
    assert screen._player.leader is not None
    return screen, screen._player.leader


def test_the_tour_has_the_four_lessons_of_the_readme_in_their_order() -> None:
    assert NAMES == ["apple_orange", "matmul", "three_layer", "nan_where"]
    assert set(NAMES) < set(builtin_names())
    assert [tour_behind(tour_path(name)) for name in NAMES] == [*tours()[1:], None]


@each
def test_a_tour_holds_where_no_person_is(name: str) -> None:
    lines = read_script(tour_path(name))
    outcome = run_script(lines, Debugger(load(name)).execute)
    assert outcome.failures == ()
    assert sum(line.text.startswith("assert") for line in lines) >= 4


@each
def test_a_text_of_a_tour_names_keys_that_there_are(name: str) -> None:
    known = known_keys()
    lines = read_script(tour_path(name))
    texts = [line.text for line in lines if line.text.startswith("say")]
    marked = [one for text in texts for one in re.findall(r"`([^`]+)`", text)]
    typed = [one for one in marked if one not in known]
    assert len(marked) > len(typed)
    for text in typed:  # is typed where a line has been begun
        assert re.search(
            rf"(`:`|`g`|`p`)[^`]*`{re.escape(text)}`[^`]*`Enter`", "".join(texts)
        )


@pytest.mark.parametrize("size", SIZES)
@each
async def test_each_wait_is_reached_by_the_keys_that_its_text_names(
    name: str, size: tuple[int, int]
) -> None:
    app = GradstepApp(load(name), script=tour_path(name))
    async with app.run_test(size=size):
        screen = await led(app)
        behind = tour_behind(tour_path(name))
        assert (behind is None) != ("Space opens the next lesson" in shown(screen))


async def led(app: GradstepApp) -> MainScreen:
    """Press what the texts of a tour teach, up to its end; nothing below may jump."""
    await settle(app)
    screen, leader = of(app)
    banner = screen.query_one(Banner)
    height = banner.height
    for step in range(1, leader.steps + 1):
        assert leader.step == step
        text = said(screen)
        assert text.replace("`", "") in shown(screen)
        assert leader.wait is not None
        keys, is_open = keys_of(text), not leader.wait.line
        assert keys
        for key in keys:
            assert leader.step == step, f"{text!r} is over before {key}"
            press(app, key)
            await settle(app)
            assert banner.height == height
        if is_open:
            assert leader.step == step
            assert "Space goes on" in shown(screen)
            press(app, "space")
            await settle(app)
        assert not leader.failed
        assert leader.step == step + 1 or leader.is_over, text
    assert leader.is_over
    assert said(screen).replace("`", "") in shown(screen)
    return screen


@pytest.mark.parametrize("size", SIZES)
async def test_the_script_of_the_teacher_leads_too(
    size: tuple[int, int], tmp_path: Path
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "teacher.md").read_text("utf-8")
    [lesson] = re.findall(r"(?s)```toml\n(# neuron.toml.*?)```", page)
    [script] = re.findall(r"(?s)```\n(# tour.gs.*?)```", page)
    (tmp_path / "neuron.toml").write_text(lesson, "utf-8")
    path = tmp_path / "tour.gs"
    path.write_text(script, "utf-8")
    scenario = load(tmp_path / "neuron.toml")
    assert run_script(read_script(path), Debugger(scenario).execute).failures == ()
    app = GradstepApp(scenario, script=path)
    async with app.run_test(size=size):
        await led(app)
        press(app, "space")  # nothing comes behind it: it plays, as always
        await settle(app)


# ---------------------------------------------------------------- a person goes astray


async def test_who_goes_elsewhere_is_led_back_by_space() -> None:
    app = GradstepApp(load("apple_orange"), script=tour_path("apple_orange"))
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen, leader = of(app)
        assert "Space does it, too" in shown(screen)
        height = screen.query_one(Banner).height
        for key in ("c", "3", "escape", "S", "1", "e"):
            press(app, key)
            await settle(app)
            assert screen.query_one(Banner).height == height
        assert leader.step == 1
        assert "Space leads back and goes on" in shown(screen)
        press(app, "colon")
        await settle(app)
        assert "Escape, then Space leads back" in shown(screen)
        assert screen.query_one(Banner).height == height
        press(app, "escape", "space")
        await settle(app)
        assert (leader.step, screen.debugger.position) == (2, 1)
        assert "leads back" not in shown(screen)


async def test_a_click_that_leads_there_goes_on() -> None:
    app = GradstepApp(load("apple_orange"), script=tour_path("apple_orange"))
    async with app.run_test(size=(120, 36)):
        await settle(app)
        _, leader = of(app)
        press(app, "colon", *"goto az", "enter")
        await settle(app)
        assert leader.step == 2


async def test_lesson_follows_lesson_to_the_end() -> None:
    app = GradstepApp()
    async with app.run_test(size=(80, 24)):
        press(app, *"tour", "enter")
        await settle(app)
        for name in NAMES:
            screen, leader = of(app)
            assert screen.debugger.subject.name == name
            for _ in range(leader.steps + 1):
                press(app, "space")
                await settle(app)
                if app.screen is not screen:
                    break
        screen, leader = of(app)
        assert leader.is_over
        assert screen.debugger.subject.name == NAMES[-1]
        press(app, "q")
        await settle(app)
    assert app.return_value == 0


async def test_a_script_that_fails_says_where_and_leads_no_more(tmp_path: Path) -> None:
    path = tmp_path / "tour.gs"
    path.write_text("say One.\nwait stepi\nassert az == 301\nwait stepi\n", "utf-8")
    app = GradstepApp(load("apple_orange"), script=path)
    async with app.run_test(size=(120, 36)):
        press(app, "s")
        await settle(app)
        assert "tour.gs:3: the script ends here" in shown(app.screen)
        press(app, "s")
        await settle(app)
        assert of(app)[0].debugger.position == 2


def test_a_terminal_and_a_lesson_are_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tour"]) == WRONG
    assert "gradstep tour: the application needs a terminal" in capsys.readouterr().err
    assert cli.run(["tour", "matmull"]) == WRONG
    said = capsys.readouterr().err
    assert "the tour has no lesson 'matmull'; did you mean 'matmul'?" in said


async def test_the_line_that_has_the_keys_does_not_name_the_key_that_leads_there() -> (
    None
):
    app = GradstepApp(load("three_layer"))
    async with app.run_test(size=(80, 24)):
        await settle(app)
        line = app.screen.query_one(Prompt)
        press(app, "colon")
        await settle(app)
        assert painted(app.screen)[line.region.y].rstrip().endswith("Escape leaves")
        press(app, *"goto x3.z@backward", "enter")
        await settle(app)
        said = painted(app.screen)[line.region.y].rstrip()
        assert said.endswith("event 18 of 27 · iteration 0")
        press(app, "escape")
        await settle(app)
        assert painted(app.screen)[line.region.y].rstrip().endswith(": command")
