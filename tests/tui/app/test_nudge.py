"""A number moved by hand in the application: a key on a cell, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from driving import main_screen, painted, pressed, settle
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.step.pane import StepPane

if TYPE_CHECKING:
    from pathlib import Path

    from textual.screen import Screen

    from gradstep.tui.app.main_screen import MainScreen

SIZES = ((80, 24), (120, 36), (200, 60))


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def text_of(screen: MainScreen) -> str:
    return "\n".join(painted(cast("Screen[object]", screen)))


def opened(name: str, at: str) -> GradstepApp:
    app = GradstepApp(load(name), at)
    app.animation_level = "none"
    return app


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "no colour"])
async def test_a_cell_is_nudged_and_the_change_stands_beside_what_was_predicted(
    size: tuple[int, int], colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    app = opened("apple_orange", "#1")  # an: 100 · 3
    async with app.run_test(size=size):
        await settle(app)
        screen = await pressed(app, "shift+right")  # a, the price of an apple
        debugger = screen.debugger
        await pressed(app, "+")
        # y = 1.1 · (3 a + 4 o) for a = 100 and a step of 10: 33 more, and no curvature
        seen = text_of(screen)
        assert "3.3 × 10 = 33" in seen
        assert "y changes by 33, 550 → 583" in seen
        assert "none: a straight line" in seen
        assert "110" in seen
        await pressed(app, "+", "+")
        assert "3.3 × 30 = 99" in text_of(screen)
        await pressed(app, "-")
        assert "3.3 × 20 = 66" in text_of(screen)
        await pressed(app, "(")
        assert "3.3 × 10 = 33" in text_of(screen)
        await pressed(app, ")")
        assert "3.3 × 20 = 66" in text_of(screen)
        assert len(debugger.runs) == 2
        await pressed(app, "z")
        assert debugger.chosen == 0
        assert float(debugger.execute("print a").data) == 100


async def test_the_cursor_stays_where_it_nudges() -> None:
    app = opened("three_layer", "x2.z@backward")
    async with app.run_test(size=(120, 36)):
        await settle(app)
        screen = await pressed(app, "+", "+", "+")
        assert len(screen.debugger.runs) == 2
        (nudge,) = screen.debugger.memory.nudges.values()
        assert nudge.moved == 3 * nudge.step


async def test_one_matrix_alone_is_nudged_too() -> None:
    app = opened("matmul", "#1")
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = await pressed(app, "shift+right", "v", "down", "+")
        step = screen.query_one(StepPane)
        assert step.alone is not None
        assert len(screen.debugger.runs) == 2
        assert "predicted" in text_of(screen)


async def test_in_the_graph_the_same_keys_unfold_and_fold() -> None:
    app = opened("three_layer", "x2.z@backward")
    async with app.run_test(size=(120, 36)):
        await settle(app)
        screen = main_screen(app)
        screen.query_one(GraphPane).focus()
        await pressed(app, "+", "-")
        assert len(screen.debugger.runs) == 1


async def test_while_predict_is_on_nothing_is_told() -> None:
    app = opened("matmul", "#1")
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = await pressed(app, "P", "+")
        assert len(screen.debugger.runs) == 1
        assert "predict hides what is to come" in text_of(screen)
