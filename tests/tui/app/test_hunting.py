"""A hunt on the screen: nothing names the mistake until it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from driving import painted, press, settle, type_line
from gradstep.core.debugger.hunts import hunt, random_hunt
from gradstep.core.mistakes.catalogue import MISTAKES
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen

if TYPE_CHECKING:
    from gradstep.core.scenario.scenario import Scenario

SIZES = ((80, 24), (120, 36))
VIEWS = "1234567890"
TELLING = ("patched", "a rule was changed", "a change of this run", "hidden by")


def shown(app: GradstepApp) -> str:
    return " ".join(" ".join(painted(app.screen)).split())


async def lines_given(app: GradstepApp, *lines: str) -> str:
    """Type lines, and return what the last one has made of the screen."""
    for line in lines:
        press(app, "colon")
        type_line(app, line)
        await settle(app)
        press(app, "escape")
    await settle(app)
    return shown(app)


async def frames(scenario: Scenario, size: tuple[int, int]) -> list[str]:
    """Return the frames of a walk over the wrong step, in every view."""
    edge = scenario.hidden.edge  # type: ignore[union-attr]
    app, found = GradstepApp(scenario), list[str]()
    async with app.run_test(size=size):
        await settle(app)
        found.append(shown(app))
        graph = app.screen.debugger.graph  # type: ignore[attr-defined]
        name = graph.edge_name(edge)
        operand = graph.nodes[edge.operand].name
        found.append(await lines_given(app, "check", f"goto {name}"))
        for view in VIEWS:
            press(app, view)
            await settle(app)
            found.append(shown(app))
        press(app, "1")
        found.append(await lines_given(app, f"explain {operand}.grad"))
        found.append(await lines_given(app, "goto end", "runs"))
    return found


@pytest.mark.parametrize(
    ("name", "size"),
    [*zip(("normal", "shortcut", "slow_start", "tied"), SIZES * 2, strict=True)],
)
async def test_no_frame_names_the_mistake(name: str, size: tuple[int, int]) -> None:
    scenario = hunt(name)
    mistake = MISTAKES[scenario.hidden.mistake]  # type: ignore[union-attr]
    wrong, right = await frames(scenario, size), await frames(load(name), size)
    for told, usual in zip(wrong, right, strict=True):
        assert mistake.summary not in told
        assert not [word for word in TELLING if word in told]
        # A word of the catalogue stands there only where it stands in any case.
        assert told.split().count(mistake.name) <= usual.split().count(mistake.name)
    # It is the wrong run that is seen.
    assert ["✗" in " ".join(told) for told in (wrong, right)] == [True, False]


@pytest.mark.parametrize("size", SIZES)
async def test_a_hunt_begins_with_what_was_noticed_and_ends_with_both_numbers(
    size: tuple[int, int],
) -> None:
    app = GradstepApp(hunt("slow_start"))
    async with app.run_test(size=size):
        await settle(app)
        screen = app.screen
        assert isinstance(screen, MainScreen)
        assert "The last layer learns as it should. One rule is wrong:" in shown(app)
        press(app, "s")
        await settle(app)
        assert "check compares inputs and parameters" in shown(app)
        text = await lines_given(app, "patch x2 local")
        assert "a hunt hides which rule is wrong" in text
        text = await lines_given(app, "accuse x3")
        assert "x3 is right: look further" in text
        text = await lines_given(app, "goto end", "explain x2.z.grad[0, 1]")
        assert "numeric check: none in a hunt" in text
        text = await lines_given(app, "accuse x2")
        assert "found: at x2<-x2.z the value is taken" in text
        assert "One rule" not in text
        assert screen.debugger.modes == ()
        assert screen.debugger.chosen == 0
        # The same run tells now.
        text = await lines_given(app, "explain x2.z.grad[0, 1]")
        assert "by a patched rule" in text


async def test_a_file_that_is_loaded_again_hides_its_mistake_again() -> None:
    app = GradstepApp(hunt("slow_start"))
    async with app.run_test(size=(120, 36)):
        await settle(app)
        await lines_given(app, "accuse x2")
        press(app, "ctrl+r")
        await settle(app)
        screen = app.screen
        assert isinstance(screen, MainScreen)
        assert screen.debugger.modes == ("hunt",)
        assert "One rule is wrong: accuse NODE" in shown(app)


async def test_a_hunt_drawn_at_random_stays_one_and_keeps_its_name() -> None:
    scenario = random_hunt(5)
    app = GradstepApp(scenario)
    async with app.run_test(size=(120, 36)):
        await settle(app)
        press(app, "ctrl+r")
        await settle(app)
        screen = app.screen
        assert isinstance(screen, MainScreen)
        assert screen.debugger.modes == ("hunt",)
        fresh = screen.debugger.scenario
        assert fresh is not None
        assert fresh is not scenario
        assert fresh.hidden == scenario.hidden
        assert f"gradstep · {scenario.source}" in shown(app)
        assert f"loaded again: {scenario.source}" in shown(app)
