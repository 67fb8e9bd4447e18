"""What is found at a glance: keys where they work, views by name, what fills a view."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
from textual.binding import Binding
from textual.widgets import ContentSwitcher, Input, OptionList

from driving import click, painted, press, settle, type_line, until
from gradstep.core.base.text import counted
from gradstep.core.debugger.debugger import event_count
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.arrangement import WIDE
from gradstep.tui.app.keys import ALWAYS, ELSEWHERE, FOOTERS, LINES, footer
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.base.views import DIGITS, VIEWS, tabs
from gradstep.tui.panes.console import ConsolePane, Prompt
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.homes import view as home
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.why import WhyPane
from looks import focused, hint, opened, screen, view

if TYPE_CHECKING:
    from pathlib import Path

    from textual.widget import Widget

    from gradstep.tui.panes.base.pane import Pane
    from looks import Seen

SIZES: Final = [(80, 24), (120, 36), (200, 60)]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
        # What came by too quickly is one key away, at each size.
        assert last_line(seen).startswith(
            " s step  i whole node  S back │ ←↑↓→ element  v one matrix"
        )


@pytest.mark.parametrize("size", SIZES)
async def test_the_footer_shows_the_keys_of_what_has_the_focus(
    size: tuple[int, int],
) -> None:
    async with opened("three_layer", ("goto 16",), size=size) as seen:
        walking = " s step  i whole node  S back │ "
        kinds = {"program": ProgramPane, "graph": GraphPane, "why": WhyPane}
        for name, kind in kinds.items():
            seen.main.set_focus(seen.one(kind))
            await settle(seen.app)
            own = "{} {}  {} {}".format(*FOOTERS[name][0], *FOOTERS[name][1])
            assert last_line(seen).startswith(walking + own), name
        for name in VIEWS:
            press(seen.app, DIGITS[name])
            await settle(seen.app)
            own = "{} {}".format(*FOOTERS[name][0])
            assert last_line(seen).startswith(walking + own), name
        for key in "1v":
            press(seen.app, key)
            await settle(seen.app)
        assert "v back" in last_line(seen)


@pytest.mark.parametrize("size", SIZES)
async def test_where_letters_are_typed_the_footer_has_no_key_that_is_a_letter(
    size: tuple[int, int],
) -> None:
    async with opened("three_layer", keys=":", size=size) as seen:
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
        panes = {**beside, **panes}
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


# -------------------------------------------------------------------- views by name


@pytest.mark.parametrize("size", SIZES)
async def test_all_views_are_named_on_the_border_with_their_digits(
    size: tuple[int, int],
) -> None:
    words = [*("step", "nodes", "flow", "train", "watch", "stops")]
    words += "runs", "checks", "notes", "rules"
    async with opened("three_layer", ("goto 16",), size=size) as seen:
        for digit in "1234567890":
            press(seen.app, digit)
            await settle(seen.app)
            shown, lines = shown_view(seen), painted(seen.app.screen)
            x, y, width, height = shown.region
            edges = [lines[line][x : x + width] for line in (y, y + height - 1)]
            found = re.findall(r"(?<![\d.-])([0-9]):([A-Za-z]+)", " ".join(edges))
            if "9:notes 0  " in " ".join(edges):  # beside the number of the step
                found.append(("0", "rules"))
            assert [word.lower() for _, word in found] == words
            assert "".join(digit for digit, _ in found) == "1234567890"
            is_open = [DIGITS[shown.id or ""]]
            assert [one for one, word in found if word[0].isupper()] == is_open
            assert size[0] >= WIDE or is_open == [digit]


@pytest.mark.parametrize("shown", VIEWS)
def test_names_on_the_border_are_whole(shown: str) -> None:
    for width in range(27, 120):
        first, rest = tabs(shown, width, 25)
        every = [*first, *rest]
        assert [tab.name for tab in every] == list(VIEWS)
        assert first[-1].end <= width
        assert not rest or rest[-1].end <= 25
        for one, following in pairwise(first):
            assert one.end < following.x
        assert [tab.name for tab in every if tab.is_open and tab.word] == [shown]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_click_on_a_name_turns_to_its_view(size: tuple[int, int]) -> None:
    async with opened("three_layer", size=size) as seen:
        for word, name in ((" 4:train ", "training"), (" 8:checks ", "checks")):
            lines = painted(seen.app.screen)
            y = next(y for y, text in enumerate(lines) if word in text)
            click(seen.app, lines[y].index(word) + 4, y)
            await settle(seen.app)
            assert view(seen) == name


async def test_a_click_over_the_letters_goes_to_the_pane_below() -> None:
    async with opened("three_layer", keys=("ctrl+g",)) as seen:
        click(seen.app, 5, 22)
        await settle(seen.app)
        assert focused(seen) == "GraphPane"


# ------------------------------------------------------------- what fills an empty view


def shown_view(seen: Seen) -> Widget:
    shown = seen.main.query_one("#view", ContentSwitcher).visible_content
    assert shown is not None
    return shown


class Empty(NamedTuple):
    """An empty view: what it says, and its keys, each with what is typed behind it."""

    digit: str
    said: str
    keys: dict[str, tuple[str, ...]]
    scenario: str = "xor"


EMPTY: Final = (
    Empty("4", "no iteration is finished yet", {"r": ()}),
    Empty("5", "nothing is watched yet", {"w": (), "D": ()}),
    Empty("6", "no stops yet", {"b": (), "w": (), ":": (*"catch nan", "enter")}),
    Empty("7", "nothing is changed yet", {"=": ("3", "enter")}),
    Empty("8", "nothing is checked yet", {"r": (), "K": ()}),
    Empty("9", "there is no note and no mark yet", {"m": ("a", "enter")}, "bare"),
)
BARE: Final = 'gradstep = 1\nprogram = "y = x * x"\n[inputs]\nx = 3\n'


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("empty", EMPTY, ids=lambda one: one.digit)
async def test_an_empty_view_says_in_its_middle_which_key_fills_it(
    empty: Empty, size: tuple[int, int], tmp_path: Path
) -> None:
    (tmp_path / "bare.toml").write_text(BARE)
    name = empty.scenario if empty.scenario != "bare" else str(tmp_path / "bare.toml")
    for key, typed in empty.keys.items():
        keys = (empty.digit,)
        async with opened(name, ("goto 2",), StepPane, keys, size) as seen:
            x, y, width, height = shown_view(seen).region
            lines = [one[x : x + width] for one in painted(seen.app.screen)]
            lines = lines[y : y + height]
            [at] = [n for n, text in enumerate(lines) if empty.said in text]
            left = lines[at].index(empty.said)
            assert abs(2 * left + len(empty.said) - width) <= 3
            assert height / 4 < at < height * 3 / 4
            assert any(re.match(rf"│ +{re.escape(key)}  \w", text) for text in lines)
            press(seen.app, key, *typed)
            await settle(seen.app)
            assert empty.said not in "\n".join(painted(seen.app.screen)), key


# -------------------------------------------------------------------------- the picker


@pytest.mark.parametrize("size", SIZES)
async def test_the_picker_has_a_footer_and_says_when_nothing_matches(
    size: tuple[int, int],
) -> None:
    async with opened("", size=size) as seen:
        assert last_line(seen) == " ↑↓ choose  Enter open  Esc quit"
        press(seen.app, *"zzzq")
        await settle(seen.app)
        shown = "\n".join(painted(seen.app.screen))
        assert "no scenario matches 'zzzq'" in shown
        assert "Apples" not in shown  # nor a preview of what is not there
        press(seen.app, "enter", "down")
        await settle(seen.app)
        assert screen(seen) == "Picker"
        press(seen.app, *["backspace"] * 4)
        await settle(seen.app)
        shown = "\n".join(painted(seen.app.screen))
        assert "no scenario" not in shown
        assert shown.count("Apples and oranges") == 2  # in the list, and its preview


@pytest.mark.parametrize("size", SIZES)
async def test_each_scenario_has_one_line_in_the_picker(size: tuple[int, int]) -> None:
    async with opened("", size=size) as seen:
        listing = seen.app.screen.query_one(OptionList)
        for name in builtin_names():
            title = load(name).subject.title
            listing.highlighted = listing.get_option_index(name)
            await settle(seen.app)
            count = counted(event_count(load(name)), "event")
            shown = painted(seen.app.screen)
            assert any(f"{title}  {count}" in line for line in shown), title


async def test_the_footer_of_the_picker_says_where_escape_leads() -> None:
    async with opened("three_layer", keys=("ctrl+o",)) as seen:
        assert last_line(seen).endswith("Esc back to the session")


# ------------------------------------------------------------------------- the palette


@pytest.mark.parametrize("size", SIZES)
async def test_the_palette_opens_on_commands_nodes_and_views(
    size: tuple[int, int],
) -> None:
    async with opened("three_layer", keys=("ctrl+p",), size=size) as seen:
        found = seen.app.screen.query_one(OptionList)
        await until(lambda: found.option_count > 20)
        await settle(seen.app)
        page = "\n".join(painted(seen.app.screen))
        assert "stepi [N]" in page
        assert re.search(r"(?m)^ *E +node  \w+", page)
        assert "view: Nodes" in page
        assert "theme" not in page


# ------------------------------------------------------- the line of what was done


async def test_what_is_said_of_a_step_never_cuts_the_key_of_the_prompt() -> None:
    async with opened("three_layer", size=(80, 24)) as seen:
        lines: list[str] = []
        for key in ("s", "S"):
            for _ in range(27):
                press(seen.app, key)
                await settle(seen.app)
                lines.append(painted(seen.app.screen)[-2].rstrip())
        assert {line.endswith("   : command") for line in lines} == {True}
        assert any("…   : command" in line for line in lines)  # some are too long


async def test_a_long_way_says_where_it_ended_and_takes_no_lines() -> None:
    async with opened("attention", size=(80, 24)) as seen:
        for key in "Sc":
            press(seen.app, key)
            await settle(seen.app)
        assert hint(seen) == "continue  → the end of the run"
        assert seen.main.query_one("#console").outer_size.height == 1


async def test_a_short_way_says_what_happened_last() -> None:
    async with opened("three_layer", size=(80, 24)) as seen:
        for key, said in (
            ("n", "next  → x1 of shape (5, 1)"),
            ("i", "step  → x2.z = "),
            ("N", "reverse-next  → undone: "),
        ):
            press(seen.app, key)
            await settle(seen.app)
            assert hint(seen).startswith(said)


async def test_a_stop_is_what_is_said_of_a_long_way() -> None:
    async with opened("nan_where", ("catch nan",), size=(80, 24)) as seen:
        press(seen.app, "c")
        await settle(seen.app)
        assert hint(seen).startswith("continue  → catch 1: nan at y._2<-x[1]")
    async with opened("three_layer", ("goto 11",)) as seen:
        press(seen.app, "f")
        await settle(seen.app)
        assert hint(seen).startswith("finish  → x1.z<-x0: x0.grad 0 → ")


async def test_the_change_of_a_sum_is_named_where_its_matrix_has_no_room() -> None:
    async with opened("three_layer", size=(80, 24)) as seen:
        for event in (17, 20, 21, 24):  # of different shapes
            assert seen.debugger.execute(f"goto {event}").ok
            seen.main.show_present()
            await settle(seen.app)
            shown = "\n".join(painted(seen.app.screen))
            assert re.search("accum(ulated|[.])", shown), event


async def test_after_a_step_all_panes_speak_of_what_it_shows() -> None:
    async with opened("matmul", ("goto end",), focus=StepPane, size=(80, 24)) as seen:
        for keys, title in (
            (("up",), "Why W.grad[0, 0] = 10?"),
            (("S",), "Why X.grad[0, 1] = 45?"),  # that step has no W.grad
            (("left",), "Why X.grad[0, 0] = 29?"),
            (("S", "s"), "Why X.grad[0, 1] = 45?"),
        ):
            press(seen.app, *keys)
            await settle(seen.app)
            assert seen.one(WhyPane).titles[0] == title


async def test_a_chosen_element_stays_while_steps_show_it() -> None:
    async with opened("shared_node", size=(80, 24)) as seen:
        assert seen.debugger.execute("goto 11").ok
        seen.main.show_present()
        await settle(seen.app)
        chosen = seen.one(WhyPane)._element
        assert chosen is not None
        press(seen.app, "right" if chosen.index == (0,) else "left")
        await settle(seen.app)
        other = seen.one(WhyPane)._element
        assert other != chosen
        assert other.node == chosen.node
        press(seen.app, "s")  # the second use of the same operand
        await settle(seen.app)
        assert seen.one(WhyPane)._element == other


@pytest.mark.parametrize(
    "pane",
    [StepPane, WhyPane, GraphPane, ProgramPane, ConsolePane, *map(home, VIEWS)],
    ids=lambda pane: pane.TITLE,
)
def test_a_help_is_broken_by_the_window_alone(pane: type[Pane]) -> None:
    lines = (pane.HELP or "").split("\n")
    assert not [one for one in lines if one[:1].islower() and ":" not in one]


@pytest.mark.parametrize("name", ["three_layer", "vanishing", "xor"])
async def test_no_number_on_a_border_is_cut(name: str) -> None:
    app, seen = GradstepApp(load(name)), set[str]()
    async with app.run_test(size=(80, 24)):
        await settle(app)
        for _ in range(event_count(load(name))):
            press(app, "s")
            await settle(app)
            bottom = app.screen.query_one(StepPane).region.bottom
            border = painted(app.screen)[bottom - 1]
            assert not re.search(r"\d…", border), border
            seen |= set(re.findall("[=≈](?= -?[0-9])", border))
        assert seen == {"=", "≈"}
