"""Predict in the application: a step asks, the prompt takes the answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import pytest

from driving import main_screen, painted, press, pressed, settle, type_line, until
from gradstep.core.practice.predict.score import Verdict
from gradstep.core.scenario.scenario import load
from gradstep.core.session.asking import pending
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.keys import ALWAYS, footer
from gradstep.tui.app.palette import Commands
from gradstep.tui.cli.opening import Opening, application
from gradstep.tui.panes.base.pane import OneLine
from gradstep.tui.panes.console import FORMS, ConsolePane, Prompt
from gradstep.tui.panes.step.pane import StepPane

if TYPE_CHECKING:
    from pathlib import Path

    from textual.screen import Screen

    from gradstep.core.practice.predict.score import Asked
    from gradstep.core.session.reply import Reply
    from gradstep.tui.app.main_screen import MainScreen

SIZES = ((80, 24), (120, 36), (200, 60))


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def opened(name: str = "matmul", at: str = "", *, predict: bool = True) -> GradstepApp:
    app = GradstepApp(load(name), at, predict=predict)
    app.animation_level = "none"
    return app


async def answered(app: GradstepApp, line: str) -> Reply:
    """Answer in the field, and return the reply."""
    screen = main_screen(app)
    assert screen.query_one(Prompt).is_answer
    type_line(app, line)
    await settle(app)
    reply = screen.debugger.memory.previous
    assert reply is not None
    return reply


def lines_of(screen: MainScreen) -> list[str]:
    return painted(cast("Screen[object]", screen))


def part(screen: MainScreen, name: str) -> str:
    """Return the lines of one pane, without its border."""
    region = screen.query_one(name).region
    lines = lines_of(screen)[region.y : region.bottom]
    return "\n".join(line[region.x : region.right].strip("│╭╮╰╯─ ") for line in lines)


def words(text: str) -> str:
    """Return a text without what a line's end makes of it."""
    return re.sub(r"[\s│]+", "", text)


async def test_a_key_turns_it_on_and_off_and_the_header_says_so() -> None:
    app = opened(predict=False)
    async with app.run_test(size=(120, 36)):
        await settle(app)
        screen = main_screen(app)
        assert screen.debugger.modes == ()
        await pressed(app, "P")
        assert screen.debugger.modes == ("predict",)
        assert "predict · start" in lines_of(screen)[0]
        await pressed(app, "P")
        assert screen.debugger.modes == ()
        assert "predict" not in lines_of(screen)[0]


def test_its_key_stands_last_in_the_footer() -> None:
    last = max(ALWAYS, key=lambda hint: hint.rank)
    assert (last.key, last.words) == ("P", "predict")
    assert "P predict" in "".join(text for text, _ in footer(400, "step"))
    assert "P predict" not in "".join(text for text, _ in footer(120, "step"))


async def test_the_palette_turns_it_on() -> None:
    app = opened(predict=False)
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = main_screen(app)
        finder = Commands(screen)
        entry = next(e for e in finder.entries("") if e.name.startswith("predict"))
        assert "key P" in entry.said
        entry.act()
        await settle(app)
        assert screen.debugger.modes == ("predict",)


async def test_the_application_opens_with_it() -> None:
    app = application("matmul", Opening("#3", predict=True))
    async with app.run_test(size=(80, 24)):
        await settle(app)
        debugger = main_screen(app).debugger
        assert debugger.modes == ("predict",)
        assert debugger.position == 3


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "no colour"])
async def test_a_step_asks_and_goes_on_with_the_right_answer(
    size: tuple[int, int], colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    app = opened()
    async with app.run_test(size=size):
        await settle(app)
        screen = await pressed(app, ":")
        type_line(app, "predict numbers")
        await settle(app)
        await pressed(app, "escape", "s")
        debugger, prompt = screen.debugger, screen.query_one(Prompt)
        assert debugger.position == 0
        assert screen.focused is prompt
        assert prompt.is_answer
        assert "What will Y[0, 0] be?" in part(screen, "#console")
        assert FORMS["number"] in part(screen, "#console")
        assert "give up" in part(screen, "#keys")
        step = part(screen, "#step")
        assert "What will Y[0, 0] be?" in step
        assert re.search(r"\[ *\?\] +\?", step)  # Y is asked, and is not there
        assert "11" not in step
        reply = await answered(app, "12")  # 1 · 3 + 2 · 4 = 11
        assert isinstance(reply.show, Verdict)
        assert debugger.position == 0
        assert screen.focused is prompt
        for line in reply.show.said:
            assert words(line) in words(part(screen, "#log"))
        await answered(app, "1 * 3 + X[0, 1] * W[1, 0]")
        assert debugger.position == 1
        assert screen.focused is screen.query_one(StepPane)
        assert not prompt.is_answer
        assert "Right: Y[0, 0] = 11" in part(screen, "#console")
        assert "(gradstep)" in part(screen, "#console")
        assert re.search(r"\[ *11\] +9", part(screen, "#step"))


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("name", ["matmul", "three_layer", "broadcast_bias", "conv"])
async def test_what_is_said_to_a_wrong_answer_is_seen_whole(
    name: str, size: tuple[int, int]
) -> None:
    app = opened(name, "70%")
    async with app.run_test(size=size):
        await settle(app)
        screen = main_screen(app)
        screen.run_line("predict numbers")
        await settle(app)
        screen.query_one(StepPane).focus()
        await pressed(app, "s")
        for wrong in ("123.25", "-98765.5", "4711"):
            reply = await answered(app, wrong)
            assert isinstance(reply.show, Verdict)
            seen = words(part(screen, "#console"))
            assert all(words(line) in seen for line in reply.show.said)


async def test_an_empty_line_gives_up_and_shows_it() -> None:
    app = opened()
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = await pressed(app, "s", "enter")
        assert screen.debugger.position == 1
        assert screen.debugger.memory.answered[-1].outcome == "shown"
        assert "(1, 2)" in part(screen, "#console")
        assert screen.focused is screen.query_one(StepPane)


async def test_escape_leaves_the_question_open_and_a_step_asks_again() -> None:
    app = opened()
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = await pressed(app, "s", "escape")
        debugger = screen.debugger
        assert pending(debugger) is not None
        assert screen.focused is screen.query_one(StepPane)
        assert "(gradstep)" in part(screen, "#console")
        assert "What shape will Y have?" in part(screen, "#step")
        await pressed(app, ":")  # a command, and no answer
        assert not screen.query_one(Prompt).is_answer
        type_line(app, "print X")
        await settle(app)
        assert debugger.position == 0
        await pressed(app, "escape", "s")
        assert screen.query_one(Prompt).is_answer
        assert "What shape will Y have?" in part(screen, "#console")


async def test_the_shape_that_is_asked_for_is_nowhere_in_the_step() -> None:
    app = opened(at="Y@backward")
    async with app.run_test(size=(120, 36)):
        await settle(app)
        screen = await pressed(app, "g")
        type_line(app, "start")
        await settle(app)
        await pressed(app, "escape")
        assert "(1, 2) →" not in part(screen, "#step")
        await pressed(app, "s")
        step = part(screen, "#step")
        assert step.count("?") == 2  # the question, and what it asks about
        assert "→ (" not in step


async def asked_for_numbers(app: GradstepApp, *keys: str) -> Asked:
    """Ask for numbers, press some keys, and return what is asked then."""
    await settle(app)
    main_screen(app).run_line("predict numbers")
    await settle(app)
    screen = await pressed(app, *keys)
    asked = pending(screen.debugger)
    assert asked is not None
    return asked


async def test_the_cursor_chooses_what_is_asked() -> None:
    app = opened()
    async with app.run_test(size=(80, 24)):
        asked = await asked_for_numbers(app, "s", "escape", "right")
        screen = main_screen(app)
        assert asked.question.text == "What will Y[0, 1] be?"
        assert "What will Y[0, 1] be?" in part(screen, "#step")
        assert screen.focused is screen.query_one(StepPane)
        await pressed(app, "s")
        assert "What will Y[0, 1] be?" in part(screen, "#console")
        await answered(app, "9")  # 1 · (−1) + 2 · 5
        assert "Right: Y[0, 1] = 9" in part(screen, "#console")


async def test_a_cursor_elsewhere_asks_the_same() -> None:
    app = opened()
    async with app.run_test(size=(80, 24)):
        asked = await asked_for_numbers(app, "s", "escape", "shift+left", "down")
        assert asked.question.text == "What will Y[0, 0] be?"


async def test_the_note_of_the_place_comes_with_the_answer() -> None:
    note = "Two scalar products"
    app = opened()
    async with app.run_test(size=(120, 36)):
        await settle(app)
        screen = await pressed(app, "s")
        assert note not in "\n".join(lines_of(screen))
        await pressed(app, "escape", "9")
        assert note not in "\n".join(lines_of(screen))
        await pressed(app, "1", "s", "enter")
        assert note in "\n".join(lines_of(screen))


async def test_playing_goes_on_unasked() -> None:
    app = opened()
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = await pressed(app, "greater_than_sign", "greater_than_sign")
        press(app, "space")
        await until(lambda: screen.debugger.position > 1)
        press(app, "space")
        await settle(app)
        assert pending(screen.debugger) is None
        assert screen.debugger.memory.answered == []


async def test_other_movement_goes_unasked() -> None:
    app = opened()
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = await pressed(app, "n", "c", "S")
        assert screen.debugger.position == len(screen.debugger.trace) - 1
        assert not screen.query_one(Prompt).is_answer


async def test_moving_on_takes_the_field_back() -> None:
    app = opened()
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = await pressed(app, "s")
        screen.run_line("next")
        await settle(app)
        assert not screen.query_one(Prompt).is_answer
        assert "(gradstep)" in part(screen, "#console")
        assert screen.focused is screen.query_one(StepPane)


async def test_a_whole_node_asks_event_by_event() -> None:
    app = opened(at="#24")  # Y sends on to X and to W
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = await pressed(app, "i", "enter")
        assert screen.debugger.position == 25
        assert pending(screen.debugger) is not None
        assert screen.query_one(Prompt).is_answer
        await pressed(app, "enter")
        assert screen.debugger.position == 26
        assert screen.focused is screen.query_one(StepPane)


async def test_earlier_answers_come_back_and_tab_completes() -> None:
    app = opened()
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = main_screen(app)
        screen.run_line("predict numbers")
        await settle(app)
        await pressed(app, "s")
        await answered(app, "12")
        prompt = screen.query_one(Prompt)
        await pressed(app, "up")
        assert prompt.value == "12"
        prompt.value = ""
        press(app, *"y1_by_X._")
        await settle(app)
        await pressed(app, "tab")
        assert prompt.value.startswith("y1_by_X._1")


async def test_a_long_question_stands_above_its_field() -> None:
    app = opened("apple_orange")
    async with app.run_test(size=(52, 24)):
        await settle(app)
        screen = main_screen(app)
        screen.run_line("predict numbers")
        await settle(app)
        screen.query_one(StepPane).focus()
        await pressed(app, "s")
        question = pending(screen.debugger)
        assert question is not None
        console = screen.query_one(ConsolePane)
        assert "your answer:" in screen.query_one("#sign", OneLine).text
        assert console.has_class("-open")
        assert words(question.question.text) in words(part(screen, "#log"))


async def test_what_has_room_in_one_line_takes_no_room_of_the_step() -> None:
    app = opened()
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screen = await pressed(app, "s")
        await answered(app, "(2, 1)")
        assert screen.query_one(ConsolePane).has_class("-open")
        await answered(app, "(1, 2)")
        assert not screen.query_one(ConsolePane).has_class("-open")
        assert "Right: Y has the shape (1, 2)" in part(screen, "#console")


@pytest.mark.parametrize(("kind", "cells"), [("numbers", 6), ("shapes", 1)])
async def test_an_update_is_asked_with_its_learning_rate(kind: str, cells: int) -> None:
    app = opened("three_layer", "#26")  # the last one: W3, of two rows of three
    async with app.run_test(size=(120, 36)):
        await settle(app)
        screen = main_screen(app)
        screen.run_line(f"predict {kind}")
        await settle(app)
        screen.query_one(StepPane).focus()
        await pressed(app, "s")
        step = part(screen, "#step")
        assert "α = 0.5" in step
        assert step.count("?") == cells + 1  # and the question
        debugger = screen.debugger
        asked = pending(debugger)
        assert asked is not None
        index = asked.question.element.index
        right = "(2, 3)"
        if index is not None:
            place = list(index)
            right = f"W3{place} - 0.5 * W3.grad{place}"
        await answered(app, right)
        assert debugger.memory.answered[-1].outcome == "at once"
