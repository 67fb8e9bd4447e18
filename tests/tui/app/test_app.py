"""The application, driven without a terminal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.events import Key
from textual.widgets import ContentSwitcher, Input, OptionList, Static

from driving import painted, until
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.practice.glossary import find_word
from gradstep.core.scenario.builtin import builtin_names
from gradstep.core.scenario.scenario import load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.arrangement import empty
from gradstep.tui.app.keys import LINES, keys
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.picker import Picker
from gradstep.tui.panes.base.pane import OneLine, Pane, folded
from gradstep.tui.panes.base.views import DIGITS, VIEWS
from gradstep.tui.panes.console import ConsolePane, Prompt, Scrollback
from gradstep.tui.panes.header import output_text
from gradstep.tui.panes.program import ProgramPane, present_line
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.time.timeline import TimelinePane
from gradstep.tui.panes.why import WhyPane

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from textual.widget import Widget

    from gradstep.core.engine.graph import Graph

SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)


def screen(pilot: Pilot[int]) -> MainScreen:
    found = pilot.app.screen
    assert isinstance(found, MainScreen)
    return found


async def test_keys_move_the_debugger() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        debugger = screen(pilot).debugger
        for key, position in (("s", 1), ("n", 2), ("i", 3), ("end", 13), ("S", 12)):
            await pilot.press(key)
            assert debugger.position == position, key
        await pilot.press("home")
        assert debugger.position == 0


async def test_the_header_says_where_we_are() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("end")
        header = screen(pilot).query_one("#header", OneLine).text
        assert "event 13/13" in header
        assert "y = 550" in header


async def test_a_typed_command_is_executed_and_answered() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"goto", "space", *"z", "enter")
        assert screen(pilot).debugger.position == 3
        await pilot.press(*"print", "space", *"z", "enter", "escape")
        assert screen(pilot).debugger.memory.history[-1] == "print z"


async def test_what_is_typed_behind_the_colon_is_never_a_key() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        for character in ":goto z":
            name = {":": "colon", " ": "space"}.get(character, character)
            pilot.app.post_message(Key(name, character))  # all at once, as by a paste
        pilot.app.post_message(Key("enter", None))
        await settle(pilot)
        assert screen(pilot).debugger.memory.history == ["goto z"]
        await pilot.press("colon")
        assert screen(pilot).query_one("#prompt", Input).value == ":"  # it is a letter


@pytest.mark.parametrize("pane", ["#step", "#graph", "#why"])
@pytest.mark.parametrize("key", ["colon", "x"])
async def test_escape_gives_the_keys_back_to_the_pane_that_had_them(
    pane: str, key: str
) -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        before = screen(pilot).query_one(pane)
        before.focus()
        await pilot.press(key, "escape")
        assert screen(pilot).focused is before


async def test_where_the_hidden_pane_had_the_keys_another_one_gets_them() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        before = screen(pilot).query_one("#graph")
        before.focus()
        await pilot.press("colon")
        before.display = False
        await pilot.press("escape")
        taken = screen(pilot).query_one(Prompt)
        assert screen(pilot).focused not in (before, taken, None)


async def test_in_a_low_window_an_answer_can_be_read_where_it_was_asked_for() -> None:
    async with GradstepApp(load("matmul")).run_test(size=(80, 24)) as pilot:
        console = screen(pilot).query_one(ConsolePane)
        low = console.size.height
        await pilot.press("colon", *"transposes", "space", "Y", "enter")
        await settle(pilot)
        assert "(gradstep) transposes Y" in "\n".join(painted(pilot.app.screen))
        seen, before = set[str](), [""]
        while before != (rows := painted(pilot.app.screen)[-8:-3]):
            seen |= {row.strip(" │") for row in rows}
            before = rows
            await pilot.press("pagedown")
            await settle(pilot)
        assert "inner sizes 2 and 1 differ" in rows[-1]
        width = screen(pilot).query_one(Scrollback).size.width
        reply = Debugger(load("matmul")).execute("transposes Y")
        said = [line for text in reply.text for line in text.splitlines()]
        # Each row has been in sight whole, without a mark that covers its end.
        assert len(said) > 2 * len(rows)
        assert seen > {
            row.strip() for line in said for row in folded(f"  {line}", width)
        }
        assert low == 1
        assert low < console.outer_size.height <= 24 // 3
        await pilot.press("escape", "s")
        await settle(pilot)
        assert console.size.height == low


async def test_a_short_answer_takes_three_lines_with_its_command_and_the_prompt() -> (
    None
):
    for size in ((80, 24), (120, 36)):
        async with GradstepApp(load("apple_orange")).run_test(size=size) as pilot:
            screen(pilot).run_line("print a")  # nothing has been laid out yet
            await settle(pilot)
            console = screen(pilot).query_one(ConsolePane)
            assert console.size.height == 3
            why = screen(pilot).query_one(WhyPane)
            assert why.region.bottom <= console.region.y


@pytest.mark.parametrize(("to", "key"), [("end", "s"), ("home", "S"), ("end", "n")])
async def test_a_step_that_can_go_no_further_takes_one_line(to: str, key: str) -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(80, 24)) as pilot:
        await pilot.press(to, key)
        await settle(pilot)
        console = screen(pilot).query_one(ConsolePane)
        assert console.size.height == 1
        there = "end" if to == "end" else "start"
        assert f"the {there} of the run" in painted(pilot.app.screen)[-2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("goto start", "→ start · event 0 of 13"),  # where it is already
        ("mark here", "→ mark here: start · event 0 of 13"),
        ("last az", "→ az has no earlier change in this iteration"),
    ],
)
async def test_an_answer_that_stands_whole_beside_the_prompt_is_not_said_twice(
    line: str, said: str
) -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(80, 24)) as pilot:
        screen(pilot).run_line(line)
        await settle(pilot)
        assert screen(pilot).query_one(ConsolePane).size.height == 1
        assert f"(gradstep) {line}  {said}" in painted(pilot.app.screen)[-2]


async def test_an_answer_that_is_too_wide_for_the_prompt_opens_the_console() -> None:
    expression = " + ".join(["az"] * 6)
    async with GradstepApp(load("apple_orange")).run_test(size=(80, 24)) as pilot:
        screen(pilot).run_line(f"last {expression}")
        await settle(pilot)
        assert screen(pilot).query_one(ConsolePane).size.height == 3


async def test_a_long_answer_has_a_third_of_the_screen_a_mark_and_a_key() -> None:
    async with GradstepApp(load("matmul")).run_test(size=(80, 24)) as pilot:
        console = screen(pilot).query_one(ConsolePane)
        assert console.outer_size.height == 1
        await pilot.press("colon", *"info", "space", *"nodes", "enter")
        await settle(pilot)
        assert console.outer_size.height == 24 // 3

        def shown() -> list[str]:
            lines = painted(pilot.app.screen)[-9:]
            return [line.strip(" │") for line in lines]

        async def until(mark: str, key: str) -> None:
            for _ in range(9):
                if any(line.endswith(mark) for line in shown()):
                    await pilot.press(key)
                    await settle(pilot)

        assert "(gradstep) info nodes" in shown()
        assert any(line.endswith("↓ PageDown") for line in shown())
        assert not any("↑ PageUp" in line for line in shown())
        await until("↓ PageDown", "pagedown")
        assert any(line.endswith("↑ PageUp") for line in shown())
        assert not any("↓ PageDown" in line for line in shown())
        await until("↑ PageUp", "pageup")
        assert "(gradstep) info nodes" in shown()
        await pilot.press("escape", "s")
        await settle(pilot)
        assert console.outer_size.height == 1


async def test_an_answer_that_its_margin_breaks_has_a_line_more() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        for line in ("predict x3.z.grad[1, 0]", "goto 15", "stepi"):
            screen(pilot).run_line(line)
            await settle(pilot)
        await pilot.press(*"0.458579", "enter")
        await settle(pilot)
        shown = "\n".join(painted(pilot.app.screen))
        assert "local derivative is forgotten" in shown
        assert "belongs." in shown
        assert "PageDown" not in shown


async def test_the_console_writes_on_while_it_is_hidden() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("s")
        await pilot.resize_terminal(20, 5)
        await pilot.press("s")
        await settle(pilot)
        await pilot.resize_terminal(120, 36)
        await pilot.pause()
        assert "(gradstep) stepi  → oz = 200" in painted(pilot.app.screen)[-2]


async def test_letters_in_the_prompt_are_not_commands() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", "s", "s", "q")
        assert screen(pilot).debugger.position == 0
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


async def test_escape_goes_back_from_the_picker_to_the_session() -> None:
    app = GradstepApp(load("three_layer"))
    async with app.run_test(size=(120, 36)) as pilot:
        session = screen(pilot)
        await pilot.press("s", "s", "space", "ctrl+o", "escape", "escape")
        assert pilot.app.screen is session
        assert not session._player.is_playing
        at = session.debugger.position
        assert at >= 2
        await pilot.press("ctrl+o")
        await pilot.resize_terminal(80, 24)
        await pilot.press("escape", "s")
        assert pilot.app.screen is session
        assert session.debugger.position == at + 1
        assert "ctrl+o" not in session.debugger.memory.history
        assert session.query_one("#keys").region.y == 23


async def test_a_session_is_kept_until_another_is_chosen(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("gradstep = 1\n")
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        session = screen(pilot)
        await pilot.press("s", "ctrl+o", *"wrong", "enter")
        assert isinstance(pilot.app.screen, Picker)  # and the mistake is told
        assert len(pilot.app._notifications) == 1
        await pilot.press("escape")
        assert pilot.app.screen is session
        await pilot.press("ctrl+o", *"nan", "enter")
        assert screen(pilot).debugger.subject.name == "nan_where"
        assert not session.is_attached
        assert len(pilot.app.screen_stack) == 1


async def test_a_picker_without_a_session_is_left() -> None:
    app = GradstepApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("escape")
    assert app.return_value == 0


async def test_the_picker_filters_and_opens() -> None:
    async with GradstepApp().run_test(size=(120, 36)) as pilot:
        assert isinstance(pilot.app.screen, Picker)
        await pilot.press(*"nan")
        listing = pilot.app.screen.query_one(OptionList)
        assert listing.option_count == 2
        await pilot.press("enter")
        assert screen(pilot).debugger.subject.name == "nan_where"


async def test_what_is_called_so_comes_before_what_only_says_so() -> None:
    async with GradstepApp().run_test(size=(120, 36)) as pilot:
        await pilot.press(*"three")
        shown = str(pilot.app.screen.query_one("#text", Static).content)
        assert shown.startswith("Three layers in matrix form")


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
        await settle(pilot)
        focus = screen(pilot).focused
        assert focus is not None
        assert focus.id == "step"


async def test_escape_leaves_a_prompt_that_a_small_window_hides() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", "s")
        await pilot.resize_terminal(40, 12)
        await pilot.press("escape")
        assert screen(pilot).focused is None
        await pilot.press("q")
        assert pilot.app.return_code == 0


@pytest.mark.parametrize("size", [(49, 14), (50, 13), (49, 40), (20, 5)])
async def test_a_window_that_is_too_small_shows_nothing_but_that(
    size: tuple[int, int],
) -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=size) as pilot:
        shown = " ".join(" ".join(painted(pilot.app.screen)).split())
        assert shown == f"gradstep needs 50 × 14; this is {size[0]} × {size[1]}"


async def test_a_flat_window_leaves_its_lines_to_the_step() -> None:
    async with GradstepApp(load("matmul")).run_test(size=(60, 16)) as pilot:
        assert not screen(pilot).query_one("#why").display
        assert screen(pilot).query_one("#step").size.height > 6
        await pilot.resize_terminal(60, 24)
        assert screen(pilot).query_one("#why").display


def test_every_key_is_listed_once() -> None:
    listed = [key.key for key in keys()]
    assert len(listed) == len(set(listed))


async def settle(pilot: Pilot[int]) -> None:
    """Wait until no command goes on in the background."""
    while screen(pilot).busy:
        await pilot.pause(0.01)
    await pilot.pause()


async def test_every_key_does_what_its_command_does() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        other = Debugger(load("apple_orange"))
        for key in LINES:
            for line in ("goto 7", "goto 3", "goto 9", "back"):  # there is a way back
                at.debugger.execute(line)
                other.execute(line)
            at.apply(None)
            at.set_focus(None)
            line = at.filled(LINES[key])
            assert "{" not in line
            await pilot.press(key)
            await settle(pilot)
            if line.endswith(" "):
                assert at.query_one("#prompt", Input).value == line, key
            else:
                other.execute(line)
            assert at.debugger.memory.history == other.memory.history, key
            assert at.debugger.place == other.place, key
            assert list(at.debugger.memory.stops) == list(other.memory.stops), key


async def test_at_the_start_a_key_waits_for_what_is_meant() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        for key, begun in (("e", "explain "), ("equals_sign", "set "), ("y", "why ")):
            at.set_focus(None)
            await pilot.press(key)
            assert at.query_one("#prompt", Input).value == begun


async def test_a_number_shows_a_view() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        for name in VIEWS:
            await pilot.press(DIGITS[name])
            assert at.query_one("#view", ContentSwitcher).current == name
            assert at.focused is not None
            assert at.query_one(f"#{name}") in at.focused.ancestors_with_self


async def test_a_wide_window_has_nodes_and_flow_beside_the_step() -> None:
    app = GradstepApp(load("three_layer"))
    async with app.run_test(size=(200, 60)) as pilot:
        at = screen(pilot)
        await pilot.press("s")
        made = re.compile(r"x1.z +matmul +\(5, 1\) +-0.42 +0.64")  # in the row of x1.z
        await until(lambda: any(map(made.search, painted(pilot.app.screen))))
        nodes, flow = at.query_one("#nodes-beside"), at.query_one("#flow-beside")
        step, why = at.query_one("#step"), at.query_one("#why")
        assert step.region.right == nodes.region.right == why.region.x == flow.region.x
        assert nodes.region.y == step.region.bottom
        await pilot.press("2")
        assert at.focused is nodes
        assert at.query_one("#view", ContentSwitcher).current == "step"
        await pilot.press("h")
        assert not nodes.display
        await pilot.press("H", "3")
        assert nodes.display
        assert at.focused is flow
        await pilot.resize_terminal(120, 36)
        await until(lambda: not at.query(".beside"))
        await pilot.press("2")
        assert at.query_one("#view", ContentSwitcher).current == "nodes"


def test_of_a_large_graph_nobody_waits_for_a_flow() -> None:
    def chain(nodes: int) -> Graph:
        lines = "\n".join(f"y{number} = x + x" for number in range(nodes - 1))
        text = f"gradstep = 1\nprogram = '''{lines}'''\n[inputs]\nx = 1.0"
        return Debugger(parse(text)).graph

    few, many = chain(2000), chain(2001)
    assert (len(few), len(many)) == (2000, 2001)
    assert (list(empty(few)), list(empty(many))) == ([], ["flow-beside"])


async def test_an_enlarged_pane_gives_way_to_what_is_typed_and_to_an_answer() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(80, 24)) as pilot:
        at = screen(pilot)
        await pilot.press("s", "o", "s")
        await settle(pilot)
        assert at.maximized is at.query_one(StepPane)
        await pilot.press("colon", *"print E", "escape")
        assert at.maximized is None
        assert at.focused is at.query_one(StepPane)
        await pilot.press("o", "e")
        await settle(pilot)
        assert "x1[0, 0] = 0.654753" in "\n".join(painted(pilot.app.screen)[-9:])


async def test_the_arrangement_can_be_changed_and_is_kept() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        program, console = at.query_one(ProgramPane), at.query_one(ConsolePane)
        program.focus()
        await pilot.press("o")
        assert at.maximized is program
        await pilot.press("o")
        assert at.maximized is None
        width = program.outer_size.width
        await pilot.press("ctrl+right")
        assert program.outer_size.width == width + 4
        await pilot.press("ctrl+left")
        assert program.outer_size.width == width
        height = console.size.height
        await pilot.press("ctrl+up", "ctrl+up", "ctrl+down")
        assert console.size.height == height + 2
        await pilot.press("h")
        assert not program.display
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        assert not at.query_one(ProgramPane).display
        assert at.query_one(ConsolePane).size.height == height + 2
        await pilot.press("H")
        assert at.query_one(ProgramPane).display


async def test_space_plays_and_pauses_at_a_pace() -> None:
    # It is long enough not to be at its end before anybody looks.
    async with GradstepApp(load("attention")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        await pilot.press(*["greater_than_sign"] * 5, "space")
        await until(lambda: at.debugger.position >= 2)
        timer = at._player._timer
        assert timer is not None
        beats = timer._task
        assert beats is not None
        await pilot.press("space")
        await until(beats.done)  # nothing makes a step any more


async def test_a_script_is_played_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "s.gs"
    path.write_text("step\nstep 2\nnonsense\nexpect error\nprint z\n")
    app = GradstepApp(load("apple_orange"), script=path, at="1")
    async with app.run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        header = at.query_one("#header", OneLine)
        assert "script: 5 more, space plays one, > all" in header.text
        for position, left in ((2, 4), (4, 3)):
            await pilot.press("space")
            await settle(pilot)
            assert at.debugger.position == position
            assert len(at._player.script) == left
            assert not at._player.is_playing
        await pilot.press(*["greater_than_sign"] * 5)
        assert at._player.is_playing
        await until(lambda: not at._player.is_playing)
        assert at.debugger.memory.history[-1] == "print z"
        assert "script" not in header.text


async def test_the_first_failure_ends_a_script(tmp_path: Path) -> None:
    path = tmp_path / "s.gs"
    path.write_text("step\nassert az == 4\nstep\n")
    app = GradstepApp(load("apple_orange"), script=path)
    async with app.run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        await pilot.press("space", "space")
        await settle(pilot)
        assert not at._player.script
        await pilot.press("space", "space")
        await settle(pilot)
        assert at.debugger.position == 1
        shown = "\n".join(painted(pilot.app.screen))
        assert "s.gs:2: the script ends here" in shown


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.parametrize("key", ["space", "greater_than_sign"])
async def test_why_a_script_failed_is_in_sight_with_its_end(
    size: tuple[int, int], key: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.gs"
    path.write_text("goto end\ncheck\nassert x3.z.grad[0, 0] > 5\nprint E\n", "utf-8")
    app = GradstepApp(load("three_layer"), script=path)
    async with app.run_test(size=size) as pilot:
        at = screen(pilot)
        await pilot.press(*[key] * (3 if key == "space" else 5))
        await until(lambda: not at._player.script and not at.busy)
        await settle(pilot)
        shown = painted(pilot.app.screen)
        (failed,) = (n for n, line in enumerate(shown) if "✗ does not hold" in line)
        assert "-0.101717 on the left, 5 on the right" in shown[failed]
        (ended,) = (n for n, line in enumerate(shown) if "s.gs:3: the script" in line)
        assert failed < ended


async def test_a_mistake_of_the_person_ends_no_script(tmp_path: Path) -> None:
    path = tmp_path / "s.gs"
    path.write_text("step\nstep\n")
    app = GradstepApp(load("apple_orange"), script=path)
    async with app.run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        await pilot.press("space", "colon", *"nonsense", "enter", "escape", "space")
        await settle(pilot)
        assert at.debugger.position == 2


async def test_b_breaks_at_the_start_where_the_step_is() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("b")
        stops = screen(pilot).debugger.memory.stops.values()
        assert [stop.text for stop in stops] == ["az"]


async def test_the_cursor_goes_to_the_element_that_a_note_speaks_of() -> None:
    text = """gradstep = 1
program = "E = sum(x * w)"
[inputs]
x = [1, 2, 3]
[parameters]
w = [1, 9, 4]
[notes]
"forward E._1" = "Look at E._1[0] = {E._1[0]}; E._1[7] and x[1] are no elements of it."
"backward w" = "The third is w.grad[2]."
"update w" = "It is moved by w.grad[0]."
[training]
learning_rate = 0.1
iterations = 2
"""
    app = GradstepApp(parse(text, source="t.toml"))
    async with app.run_test(size=(120, 36)) as pilot:
        at, found = screen(pilot), []
        for _ in range(len(at.debugger.trace)):
            await pilot.press("s")
            await settle(pilot)
            chosen = at._chosen
            assert chosen is not None
            found.append((at.debugger.graph.nodes[chosen.node].name, chosen.index))
    assert found[0] == ("E._1", (0,))  # 18 of E._1[1] stands out
    assert found[-2] == ("w", (2,))
    assert found[-1] == ("w", (0,))  # though 9 stands out, and the gradient of 3


async def test_the_header_has_values_and_no_shapes() -> None:
    debugger = Debugger(load("matmul"))
    assert output_text(debugger.trace, 0) == "Y = …"
    assert output_text(debugger.trace, len(debugger.trace)) == "Y = [11 9]"
    text = "gradstep = 1\nprogram = 'y = x * 2'\n[inputs]\nx = [3, 4, 0, 0, 0]\n"
    trace = Debugger(parse(f"{text}[seed]\ny = [1, 1, 1, 1, 1]\n")).trace
    assert output_text(trace, len(trace)) == "y = ‖10‖"


@pytest.mark.parametrize(
    ("place", "call", "lines"),
    [
        ("x1.z@forward", "x1", ["x1.z", "x1"]),
        ("x2.z@backward", "x2", ["x2.z", "x2"]),
        ("x1@backward", "x1", ["x1.z", "x1"]),
        ("E", "x3", ["x3.z", "x3"]),
    ],
)
async def test_the_lines_of_a_function_speak_of_one_call(
    place: str, call: str, lines: list[str]
) -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        at.run_line(f"goto {place}")
        await settle(pilot)
        pane = at.query_one(ProgramPane)
        head, *_ = painted(pilot.app.screen)[pane.content_region.y :]
        assert f"in {call}" in head[: pane.region.right]
        statements = [pane._statement(number) for number in (2, 3)]
        assert [one.target for one in statements if one] == lines


async def test_a_click_in_the_gutter_sets_a_breakpoint_and_takes_it_away() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        stops = at.debugger.memory.stops
        program = at.query_one(ProgramPane)
        await pilot.click(ProgramPane, offset=(3, 3))
        await settle(pilot)
        assert [stop.text for stop in stops.values()] == ["line:3"]
        assert program.render_line(2).text[1] == "●"
        await pilot.click(ProgramPane, offset=(3, 3))
        await settle(pilot)
        assert not stops
        assert program.render_line(2).text[1] == " "


async def test_the_line_of_the_step_is_always_in_sight() -> None:
    async with GradstepApp(load("matmul")).run_test(size=(80, 24)) as pilot:
        at = screen(pilot)
        program = at.query_one(ProgramPane)
        lines = program.room.height
        assert lines < program.virtual_size.height  # not all of them are
        for key in ("end", *"SSSSSSSSSSSS", "home", *"ssssss"):
            await pilot.press(key)
            shown = [program.render_line(y).text for y in range(lines)]
            present = present_line(at.debugger.trace, at.debugger.position)[1]
            arrows = [text for text in shown if text.startswith("▶")]
            assert len(arrows) == bool(present)
            assert all(f" {present} " in text for text in arrows)


NORMED = """
gradstep = 1
program = '''
n = layer_norm(x, weight=g)
E = sum(n * n)
'''
[inputs]
x = [[1.0, 2.0, 4.0], [0.5, -1.0, 3.0]]
[parameters]
g = [1.0, 0.5, 2.0]
"""


async def test_a_line_that_is_cut_says_so() -> None:
    text = "Y = " + " + ".join(["x"] * 30) + "  # a note of some length\ny = Y * 2"
    scenario = parse(
        f'gradstep = 1\ntitle = \'t\'\nprogram = """\n{text}\n"""\n[inputs]\nx = 1.0\n'
    )
    async with GradstepApp(scenario).run_test(size=(80, 24)) as pilot:
        pane = screen(pilot).query_one(ProgramPane)
        first, second = (pane.render_line(y).text.rstrip() for y in range(2))
        assert first.endswith("…")
        assert second.endswith("y = Y * 2")


async def test_a_click_in_the_gutter_of_a_recipe_means_its_own_line() -> None:
    scenario = parse(NORMED, source="normed.toml")
    async with GradstepApp(scenario).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        program = at.query_one(ProgramPane)
        await pilot.press("s", "s", "s")
        statement = at.debugger.graph.statements[2]
        assert statement.text.startswith("variance =")
        assert program.titles[1] == "prelude"
        y = statement.line - int(program.scroll_offset.y)
        assert "▶" in program.render_line(y - 1).text  # the recipe has scrolled there
        await pilot.click(ProgramPane, offset=(3, y))
        await settle(pilot)
        (stop,) = at.debugger.memory.stops.values()
        assert stop.text == f"line:prelude:{statement.line}"
        y = statement.line - int(program.scroll_offset.y)  # the answer took some lines
        assert program.render_line(y - 1).text[1] == "●"
        at.debugger.execute("goto start")
        at.debugger.execute("continue")
        event = at.debugger.trace.event(at.debugger.position)
        assert statement.first <= event.node < statement.stop
        assert at.debugger.trace.event(at.debugger.position - 1).node < statement.first
        await pilot.press("s")  # the recipe is shown again, and the line can be clicked
        y = statement.line - int(program.scroll_offset.y)
        await pilot.click(ProgramPane, offset=(3, y))
        await settle(pilot)
        assert not at.debugger.memory.stops


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_a_long_name_gives_way_in_the_header(
    size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / f"{'a_long_name_' * 6}.toml"
    path.write_text((SCENARIOS / "two_layer_net.toml").read_text("utf-8"), "utf-8")
    async with GradstepApp(load(path)).run_test(size=size) as pilot:
        at = screen(pilot)
        for line in ("goto 50%", "goto 7:60%", "goto 19:end", "set W1 = 0"):
            at.run_line(line)
            await settle(pilot)
            header = at.query_one("#header", OneLine).text
            debugger = at.debugger
            for fact in (
                debugger.trace.phase(debugger.position),
                f"event {debugger.position}/{len(debugger.trace)}",
                f"iteration {debugger.place.iteration}",
                output_text(debugger.trace, debugger.position),
            ):
                assert fact in header, header
            assert len(header) == size[0]
            if size[0] > 60 and not debugger.chosen:
                assert "a_l" in header
                assert ".toml" in header


async def test_a_click_on_a_line_chooses_what_it_assigns() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        await pilot.press("end")
        await pilot.click(ProgramPane, offset=(12, 2))
        assert at._chosen is not None
        assert at.debugger.graph.nodes[at._chosen.node].name == "oz"


async def test_the_timeline_can_be_clicked_and_dragged() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        await pilot.click(TimelinePane, offset=(114, 0))
        await settle(pilot)
        assert at.debugger.position == 13
        await pilot.mouse_down(TimelinePane, offset=(7, 0))
        await settle(pilot)
        assert at.debugger.position == 0
        await pilot.hover(TimelinePane, offset=(60, 0))
        await settle(pilot)
        position = at.debugger.position
        assert 5 <= position <= 8
        await pilot.mouse_up(TimelinePane, offset=(60, 0))
        await pilot.hover(TimelinePane, offset=(20, 0))
        assert at.debugger.position == position


async def test_clicks_on_cells_rows_and_boxes_choose_for_all_panes() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        at = screen(pilot)
        await pilot.press("s")
        place = pane_place(at.query_one(StepPane), "-0.20")
        await pilot.click(StepPane, offset=place)
        assert at._chosen is not None
        assert at._chosen.index == (1, 0)
        await pilot.press("2")
        nodes = at.query_one("#nodes")
        await pilot.click("#nodes", offset=pane_place(nodes, " W2 "))
        assert at.debugger.graph.nodes[at._chosen.node].name == "W2"
        canvas = at.query_one("Canvas")
        await pilot.click("Canvas", offset=pane_place(canvas, " x0 "))
        assert at.debugger.graph.nodes[at._chosen.node].name == "x0"


def pane_place(pane: Widget, text: str) -> tuple[int, int]:
    """Return where a text stands in a pane, from the corner of its border."""
    for y in range(pane.size.height):
        x = pane.render_line(y).text.find(text)
        if x >= 0:
            return x + 1 + pane.gutter.left, y + pane.gutter.top
    raise AssertionError(text)


async def test_a_click_in_the_picker_opens_and_the_graph_is_drawn() -> None:
    async with GradstepApp().run_test(size=(120, 36)) as pilot:
        await pilot.press("down")
        shown = str(pilot.app.screen.query_one("#text", Static).content)
        assert "az = a * an" in shown
        assert "┤  az  ├" in shown
        await pilot.click("#choices", offset=(5, 4))
        assert isinstance(pilot.app.screen, MainScreen)
        await pilot.press("ctrl+o")
        assert isinstance(pilot.app.screen, Picker)


def frame(pilot: Pilot[int]) -> str:
    """Return what the whole screen shows."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


async def test_the_graph_is_previewed_in_a_small_window() -> None:
    async with GradstepApp().run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        assert " az" in frame(pilot)
        assert "Three apples at 100" in frame(pilot)
        for _ in range(len(builtin_names()) - 1):
            await pilot.press("down")
            lines = frame(pilot).split("\n")
            preview = "\n".join(line[48:] for line in lines[5:])
            assert any(sign in preview for sign in "┬┴├┤◆"), preview
            listed = [line[1:47].strip() for line in lines[5:-1]]
            assert "steps" not in listed  # a title is never broken
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert "two_layer" not in frame(pilot)
        assert not pilot.app.screen.query_one("#preview").display
        await pilot.resize_terminal(120, 36)
        await pilot.pause()
        assert any(sign in frame(pilot) for sign in "┬┴├┤◆")


async def test_help_lists_the_keys_and_closes_once() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(60, 20)) as pilot:
        await pilot.press("question_mark")
        shown = str(pilot.app.screen.query_one(Static).content)
        assert "Ctrl+O" in shown
        assert all(key.summary in shown for key in keys())
        for _ in range(2):
            pilot.app.post_message(events.Key("escape", None))
        await pilot.pause()
        assert isinstance(pilot.app.screen, MainScreen)


async def test_a_matrix_alone_opens_at_its_cursor_and_says_how_to_leave() -> None:
    text = "y = sum(x * x)"
    numbers = ", ".join(str(number) for number in range(40))
    source = (
        f"gradstep = 1\ntitle = 't'\nprogram = '{text}'\n[inputs]\nx = [{numbers}]\n"
    )
    async with GradstepApp(parse(source)).run_test(size=(80, 24)) as pilot:
        await pilot.press("end", "v")
        await pilot.pause()
        shown = "\n".join(painted(pilot.app.screen))
        assert "[39]" in shown  # the largest, in the last column
        assert "v: back" in shown
        await pilot.press("question_mark")
        assert "back to the step" in str(pilot.app.screen.query_one(Static).content)


async def test_the_palette_closes_once() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        await pilot.press("ctrl+p")
        palette = pilot.app.screen
        palette.dismiss()
        palette.dismiss()
        await pilot.pause()
        assert isinstance(pilot.app.screen, MainScreen)


async def test_a_file_that_breaks_stays_open_and_a_mended_one_is_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.toml"
    good = "gradstep = 1\ntitle = 't'\nprogram = 'y = 2 * x'\n[parameters]\n"
    path.write_text(good + "x = 3.0\n")
    async with GradstepApp(load(str(path))).run_test(size=(120, 36)) as pilot:
        header = screen(pilot).query_one("#header", OneLine)
        for wrong in ("broken = [", "\0", ""):
            path.write_text(wrong)
            await pilot.press("ctrl+r", "end")
            assert "y = 6" in header.text
        path.unlink()
        await pilot.press("ctrl+r", "end")
        path.write_text(good + "x = 5.0\n")
        await pilot.press("ctrl+r", "end")
        assert "y = 10" in header.text
        assert not pilot.app._notifications  # what was wrong is wrong no more
        path.unlink()
        screen(pilot)._look_at_file()
        await pilot.pause()
        assert [n.title for n in pilot.app._notifications] == ["The file is gone"]


async def test_fast_typing_in_the_picker_opens_what_was_typed() -> None:
    """The letters and Enter arrive at once, before the list has followed them."""
    async with GradstepApp().run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for key in (*"matrix", "space", *"form", "enter"):
            character = " " if key == "space" else key if len(key) == 1 else "\r"
            pilot.app.post_message(Key(key, character))
        await until(lambda: isinstance(pilot.app.screen, MainScreen))
        await settle(pilot)
        assert screen(pilot).debugger.subject.name == "three_layer"


async def test_a_key_asks_for_the_word_of_what_the_cursor_is_on() -> None:
    app = GradstepApp(load("matmul"), at="end")
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        main, seen = screen(pilot), list[str]()
        for _ in main.query_one(StepPane)._facets:
            await pilot.press("W", "shift+right")
            await settle(pilot)
            seen.append(main.query_one(Prompt).placeholder.partition("  →")[0])
        words = ("accumulated", "contribution", "local", "upstream")
        assert sorted({*seen}) == [f"words {word}" for word in words]
        named = {pane.word() for pane in main.query(Pane)} - {""}
        assert named == {"contribution", "edge", "event", "frame"}
        assert {find_word(word).name for word in named} == named
