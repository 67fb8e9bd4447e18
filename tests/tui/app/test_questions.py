"""The questions of an author on the screen: nobody has to answer."""

from __future__ import annotations

import pytest

from driving import painted, press, settle
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.banner import Banner
from gradstep.tui.panes.console import FORMS, Prompt
from gradstep.tui.panes.step.pane import StepPane

SIZES = ((80, 24), (120, 36), (200, 60))


def line(app: GradstepApp) -> str:
    """Return the line of the prompt, as far as it is about a question."""
    last = painted(app.screen)[-2].strip()
    asks = last.removesuffix(": command").removeprefix("(gradstep) ").strip()
    return asks if asks.startswith("A answers: ") else ""


def banner(app: GradstepApp) -> str:
    one = app.screen.query_one(Banner)
    return one.text if one.display else ""


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_a_question_is_put_answered_and_gone(size: tuple[int, int]) -> None:
    app = GradstepApp(load("matmul"), at="24")
    async with app.run_test(size=size):
        await settle(app)
        asked = "Which product gives ∂L/∂X?  a) ∂L/∂Y · Wᵀ"
        assert line(app).startswith(f"A answers: {asked}")
        assert banner(app) == ""
        press(app, "A")
        await settle(app)
        shown = " ".join(" ".join(painted(app.screen)).split())
        assert "c) ∂L/∂Y · W" in shown  # the whole of it, where it is answered
        assert FORMS["choice"] in shown
        press(app, "b", "enter")
        await settle(app)
        shown = " ".join(" ".join(painted(app.screen)).split())
        assert "the inner sizes do not meet." in shown
        assert "c) ∂L/∂Y · W" in shown
        press(app, "a", "enter")  # the field is still that of the answer
        await settle(app)
        assert line(app) == ""
        assert not isinstance(app.focused, Prompt)
        press(app, "s")
        await settle(app)
        assert line(app) == "A answers: What will W.grad[1, 0] be?"
        press(app, "A", "escape")
        await settle(app)
        assert line(app) == "A answers: What will W.grad[1, 0] be?"


async def test_every_key_goes_on_and_takes_the_question_along() -> None:
    app = GradstepApp(load("three_layer"), at="14")
    async with app.run_test(size=(80, 24)):
        await settle(app)
        seen: list[str] = []
        for _ in range(4):
            press(app, "s")
            await settle(app)
            assert not isinstance(app.focused, Prompt)
            seen.append(line(app).removeprefix("A answers: ").partition("?")[0])
            assert app.screen.query_one(StepPane).region.y == 2  # nothing jumps
        asked = "What will x3.z.grad[0, 0] be", "What will x2.grad[0, 0] be"
        assert seen == [asked[0], "", asked[1], ""]
        assert isinstance(app.screen, MainScreen)
        assert app.screen.debugger.position == 18


async def test_what_a_script_says_comes_first() -> None:
    app = GradstepApp(load("matmul"), at="25")
    async with app.run_test(size=(80, 24)):
        press(app, "colon", *"say Look here.", "enter")
        await settle(app)
        assert banner(app) == "Look here."
        press(app, *"say", "enter", "escape")
        await settle(app)
        assert banner(app) == ""
        assert line(app).startswith("A answers: What will W.grad[1, 0] be?")


async def test_without_a_console_a_question_stands_above_the_panes() -> None:
    app = GradstepApp(load("matmul"), at="25", present=True)
    async with app.run_test(size=(120, 36)):
        await settle(app)
        assert banner(app) == "What will W.grad[1, 0] be?  A answers"
        press(app, "A", *"20", "enter")
        await settle(app)
        assert banner(app) == ""


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_a_verdict_stays_where_the_author_asks_next(
    size: tuple[int, int],
) -> None:
    app = GradstepApp(load("matmul"), at="24")
    async with app.run_test(size=size):
        await settle(app)
        press(app, "colon", *"predict numbers", "enter", "escape", "s")
        await settle(app)
        press(app, *"29", "enter")
        await settle(app)
        shown = " ".join(" ".join(painted(app.screen)).split())
        assert "Right: X.grad[0, 0] = 29 = 10 × 3 + 1 × (-1)" in shown
        assert "A answers: What will W.grad[1, 0] be?" in shown
