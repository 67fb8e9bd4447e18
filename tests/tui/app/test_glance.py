"""What is found at a glance: keys where they work, views by name, what fills a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from textual.binding import Binding
from textual.widgets import Input

from driving import painted, press, settle, type_line
from gradstep.tui.app.arrangement import WIDE
from gradstep.tui.app.keys import ALWAYS, ELSEWHERE, FOOTERS, LINES, footer
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.base.views import VIEWS
from gradstep.tui.panes.console import Prompt
from gradstep.tui.panes.graph import GraphPane
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.why import WhyPane
from looks import focused, hint, opened, screen

if TYPE_CHECKING:
    from pathlib import Path

    from looks import Seen

SIZES: Final = [(80, 24), (120, 36), (200, 60)]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def last_line(seen: Seen) -> str:
    return painted(seen.app.screen)[-1].rstrip()


# ---------------------------------------------------------------------- the footer


@pytest.mark.parametrize("focus", ["", *FOOTERS])
def test_no_footer_is_cut(focus: str) -> None:
    hints = {f"{key} {words}" for key, words in FOOTERS.get(focus, ())}
    hints |= {f"{one.key} {one.words}" for one in ALWAYS}
    for width in range(50, 201):
        text = "".join(word for word, _ in footer(width, focus))
        assert len(text) <= width
        shown = [one for part in text[1:].split(" │ ") for one in part.split("  ")]
        assert shown
        assert set(shown) <= hints
        assert len(shown) == len(set(shown))


@pytest.mark.parametrize("size", SIZES)
async def test_the_first_look_teaches_the_two_keys_that_step(
    size: tuple[int, int],
) -> None:
    async with opened("three_layer", size=size) as seen:
        assert "s step  i whole node" in last_line(seen)
        assert last_line(seen).startswith(" ←↑↓→ element  M largest  v one matrix")


@pytest.mark.parametrize("size", SIZES)
async def test_the_footer_shows_the_keys_of_what_has_the_focus(
    size: tuple[int, int],
) -> None:
    async with opened("three_layer", ("goto 16",), size=size) as seen:
        kinds = {"program": ProgramPane, "graph": GraphPane, "why": WhyPane}
        for name, kind in kinds.items():
            seen.main.set_focus(seen.one(kind))
            await settle(seen.app)
            begins = " {} {}  {} {}".format(*FOOTERS[name][0], *FOOTERS[name][1])
            assert last_line(seen).startswith(begins), name
            assert "│ s step  i whole node" in last_line(seen)
        for number, name in enumerate(VIEWS, 1):
            press(seen.app, str(number))
            await settle(seen.app)
            assert last_line(seen).startswith(" {} {}".format(*FOOTERS[name][0])), name
        for key in "1v":
            press(seen.app, key)
            await settle(seen.app)
        assert "v back" in last_line(seen)


@pytest.mark.parametrize("size", SIZES)
async def test_where_letters_are_typed_the_footer_has_no_key_that_is_a_letter(
    size: tuple[int, int],
) -> None:
    async with opened("three_layer", size=size) as seen:
        press(seen.app, ":")
        await settle(seen.app)
        assert last_line(seen).startswith(" Tab next pane  ↑↓ earlier lines  Esc back")
        assert "s step" not in last_line(seen)
        press(seen.app, "g")
        await settle(seen.app)
        assert last_line(seen).startswith(" Enter execute  Tab complete  ↑↓ earlier")
        for key in ("backspace", "escape", "/"):
            press(seen.app, key)
            await settle(seen.app)
        assert last_line(seen) == " Enter next match  ↑↓ matches  Esc back"


# ------------------------------------------------------------------- Tab, and jumps


async def test_tab_passes_an_empty_prompt_and_completes_another() -> None:
    async with opened("three_layer", ("goto 16",)) as seen:
        seen.main.set_focus(seen.one(StepPane))
        passed: list[str] = []
        for _ in range(5):
            press(seen.app, "tab")
            await settle(seen.app)
            passed.append(focused(seen))
        assert passed == ["WhyPane", "Prompt", "ProgramPane", "GraphPane", "StepPane"]
        assert not seen.main.query_one("#console").has_class("-open")  # nothing listed
        press(seen.app, ":", *"wat", "tab")
        await settle(seen.app)
        assert focused(seen) == "Prompt"
        assert seen.one(Prompt).value == "watch "


@pytest.mark.parametrize("size", SIZES)
async def test_a_letter_on_each_pane_jumps_there(size: tuple[int, int]) -> None:
    panes = {
        "p": ("Program", "program"),
        "g": ("Graph", "graph"),
        "v": ("Step", "step"),
        "w": ("Why?", "why"),
        "c": ("Console", "prompt"),
    }
    if size[0] >= WIDE:
        beside = {"n": ("Nodes", "nodes-beside"), "f": ("Gradient flow", "flow-beside")}
        panes |= beside
    async with opened("three_layer", size=size) as seen:
        for letter, (_, name) in panes.items():
            press(seen.app, "ctrl+g")
            await settle(seen.app)
            assert screen(seen) == "Jump"
            shown = painted(seen.app.screen)
            for one, (said, goes_to) in panes.items():
                found = [y for y, text in enumerate(shown) if f" {one}  {said}" in text]
                assert len(found) == 1, one
                pane = seen.main.query_one(f"#{goes_to}")
                top, bottom = pane.region.y, pane.region.bottom
                assert top <= found[0] < bottom, one
            press(seen.app, letter)
            await settle(seen.app)
            assert seen.app.screen is seen.main
            assert seen.main.focused is seen.main.query_one(f"#{name}")
        press(seen.app, "ctrl+g", "escape")  # from the prompt, and back to it
        await settle(seen.app)
        assert focused(seen) == "Prompt"


async def test_a_hidden_pane_has_no_letter_and_an_enlarged_one_gives_way() -> None:
    async with opened("three_layer", keys=("tab", "tab", "tab")) as seen:
        seen.main.set_focus(seen.one(GraphPane))
        press(seen.app, "h")
        await settle(seen.app)
        seen.main.set_focus(seen.one(StepPane))
        press(seen.app, "o", "ctrl+g")
        await settle(seen.app)
        shown = "\n".join(painted(seen.app.screen))
        assert " p  Program" in shown
        assert " g  Graph" not in shown
        press(seen.app, "g")
        await settle(seen.app)
        assert focused(seen) == "StepPane"


# ------------------------------------------------------- keys that are known elsewhere


def test_no_documented_key_is_taken() -> None:
    bound = [one for one in MainScreen.BINDINGS if isinstance(one, Binding)]
    keys = [one.key for one in bound]
    assert len(keys) == len(set(keys))
    assert ELSEWHERE.keys() <= set(keys)
    assert not ELSEWHERE.keys() & LINES.keys()


async def test_a_key_that_is_known_elsewhere_says_which_one_it_is_here() -> None:
    async with opened("three_layer") as seen:
        height = seen.main.query_one("#console").outer_size.height
        press(seen.app, "ctrl+d")
        await settle(seen.app)
        assert "q leaves gradstep" in "\n".join(painted(seen.app.screen))
        assert seen.main.query_one("#console").outer_size.height == height
        press(seen.app, "s")
        await settle(seen.app)
        assert "leaves" not in hint(seen)


async def test_a_search_that_has_no_graph_says_so() -> None:
    async with opened("three_layer") as seen:
        seen.main.set_focus(seen.one(GraphPane))
        for key in "h/":
            press(seen.app, key)
            await settle(seen.app)
        assert hint(seen) == "the graph is not in sight: H shows all panes"


async def test_the_keys_known_elsewhere_are_letters_at_the_prompt() -> None:
    async with opened("three_layer") as seen:
        press(seen.app, ":")
        type_line(seen.app, "goto W1@backward")
        await settle(seen.app)
        press(seen.app, *"kjG/")
        await settle(seen.app)
        line = seen.main.focused
        assert isinstance(line, Input)
        assert line.value == "kjG/"
