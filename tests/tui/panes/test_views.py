"""The views at the right: what they show, and that every key is a command line."""

from __future__ import annotations

import math
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from textual.binding import Binding
from textual.widgets import Input

from driving import until
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.keys import LINES
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.base.pane import Pane
from gradstep.tui.panes.base.views import DIGITS, VIEWS
from gradstep.tui.panes.homes import view
from gradstep.tui.panes.tables.flow import FlowPane
from gradstep.tui.panes.tables.nodes import NodesPane
from gradstep.tui.panes.tables.stops import StopsPane
from gradstep.tui.panes.tables.table import Cell, TablePane
from gradstep.tui.panes.time.training import TrainingPane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual import events
    from textual.pilot import Pilot

_CHECKED = 1000  # elements of a graph that is checked in a moment
OWN = [name for name in VIEWS if name != "step"]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@asynccontextmanager
async def opened(
    name: str, view: str, *lines: str, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[Pilot[int], MainScreen, Pane]]:
    async with GradstepApp(load(name)).run_test(size=size) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        for line in lines:
            reply = screen.debugger.execute(line)
            assert reply.ok or reply.failed, reply.error
        await pilot.press(DIGITS[view])
        await pilot.pause()
        yield pilot, screen, focused(screen)


def focused(screen: MainScreen) -> Pane:
    """Return the pane of the view: in a wide window it stands beside the step."""
    assert isinstance(screen.focused, Pane)
    return screen.focused


def text(pane: Pane) -> str:
    lines = [pane.render_line(y).text for y in range(pane.size.height)]
    assert {len(line) for line in lines} == {pane.size.width}
    return "\n".join(line.rstrip() for line in lines)


async def settled(pilot: Pilot[int], screen: MainScreen) -> None:
    await until(lambda: not screen.busy)
    await pilot.pause()


def mouse(kind: type[events.MouseEvent]) -> events.MouseEvent:
    """Return a mouse event in the corner."""
    return kind(None, 0, 0, 0, 0, 0, shift=False, meta=False, ctrl=False)


def last(screen: MainScreen) -> str:
    return screen.debugger.memory.history[-1]


# ----------------------------------------------------------------------- all views


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36), (200, 60)])
async def test_every_view_can_be_drawn_at_every_size(size: tuple[int, int]) -> None:
    lines = ("train 3", "watch W1", "display E", "catch nan", "set W1 = 2", "check")
    async with opened("three_layer", "nodes", *lines, size=size) as found:
        pilot, screen, _ = found
        for view in OWN:
            screen.action_view(view)
            await pilot.press("down", "ctrl+end")
            assert text(focused(screen)).strip(), view


@pytest.mark.parametrize("name", builtin_names())
async def test_every_scenario_can_be_seen_in_every_view(name: str) -> None:
    scenario = load(name)
    lines = ["goto 60%", "mark here"]
    if sum(math.prod(node.shape) for node in scenario.subject.graph) < _CHECKED:
        lines.append("check")
    async with opened(name, "nodes", *lines) as found:
        pilot, screen, _ = found
        for view in OWN:
            screen.action_view(view)
            while not screen.query(f"#{view}") or not screen.query_one(f"#{view}").size:
                await pilot.pause()
            assert text(screen.query_one(f"#{view}", Pane)).strip(), view


def test_views_say_what_they_are_and_have_a_key_each() -> None:
    assert len(set(DIGITS.values())) == len(VIEWS)
    for name, title in VIEWS.items():
        assert title == view(name).TITLE
        assert view(name).HELP


def test_keys_of_views_do_not_take_those_of_the_application() -> None:
    moving = {"up", "down", "left", "right", "pageup", "pagedown", "enter"}
    # A key that only tells which other one to press may be taken.
    bindings = [b for b in MainScreen.BINDINGS if isinstance(b, Binding)]
    taken = {b.key for b in bindings if not b.action.startswith("tell(")}
    taken |= set(LINES)
    for pane in (TablePane, *map(view, OWN)):
        own = {b[0] for b in pane.BINDINGS if isinstance(b, tuple)}
        assert own & taken <= moving | {"space"}, pane


async def test_looking_at_views_changes_nothing() -> None:
    async with opened("xor", "nodes", "train 3", "goto 50%") as (pilot, screen, _):
        before = (screen.debugger.place, list(screen.debugger.memory.history))
        for view in OWN:
            screen.action_view(view)
            await pilot.press("down", "up", "v", "V")
        assert (screen.debugger.place, list(screen.debugger.memory.history)) == before


# ---------------------------------------------------------------------- one by one


async def test_nodes_are_sorted_chosen_and_gone_to() -> None:
    async with opened("three_layer", "nodes") as (pilot, screen, pane):
        assert isinstance(pane, NodesPane)
        await pilot.press("v")
        assert "name↑" in text(pane)
        first = text(pane).splitlines()[1]
        assert " 0.5 " in first
        await pilot.press("v", "v", "v", "v", "down")
        assert "‖grad‖↓" in text(pane)
        assert screen._chosen is not None
        place = pane.place()
        assert screen.debugger.graph.nodes[screen._chosen.node].name == place
        await pilot.press("b")
        assert last(screen) == f"break {place}"
        await pilot.press("enter")
        assert last(screen) == f"goto {place}"


async def test_a_nan_is_flagged() -> None:
    async with opened("nan_where", "nodes", "goto end", size=(150, 50)) as (_, _, pane):
        assert "nan" in text(pane)


async def test_the_future_is_marked_without_colour() -> None:
    async with opened("three_layer", "nodes", "goto 50%") as (_, screen, pane):
        done = [line[2] for line in text(pane).splitlines()[1:] if line.strip()]
        assert set(done) <= set("·○◐●")
        assert len(set(done)) > 1
        del screen


async def test_the_flow_shows_what_vanishes() -> None:
    async with opened("vanishing", "flow", "goto end", size=(120, 60)) as found:
        pilot, screen, pane = found
        assert isinstance(pane, FlowPane)
        assert text(pane).startswith(" vanishing: numbers of x1.grad are")
        rows = len(text(pane).split())
        await pilot.press("l")
        assert len(text(pane).split()) != rows
        await pilot.press("ctrl+home", "down", "enter")
        assert last(screen).startswith("goto #")


async def test_the_flow_marks_the_line_that_a_step_is_part_of() -> None:
    async with opened("vanishing", "flow", "goto 12", size=(120, 60)) as found:
        pilot, screen, pane = found
        for line, inner, name in (
            ("goto 25", "E._2", "E"),
            ("goto 28", "x10.z", "x10"),
        ):
            screen.run_line(line)
            await settled(pilot, screen)
            chosen = screen._chosen
            assert chosen is not None
            assert screen.debugger.graph.nodes[chosen.node].name == inner
            assert re.search(rf"^▸ .  {name}\.grad", text(pane), re.MULTILINE)


async def test_the_flow_goes_over_the_iterations() -> None:
    lines = ("train 9", "goto end")
    async with opened("xor", "flow", *lines, size=(150, 40)) as (_, _, pane):
        assert "over iterations" in text(pane)


async def test_a_click_on_the_curve_goes_to_that_iteration() -> None:
    async with opened("xor", "training", "train 40") as (pilot, screen, pane):
        assert isinstance(pane, TrainingPane)
        assert "in iteration 39" in text(pane)  # 40 has only begun
        start, width = pane._plot
        await pilot.click(pane, offset=(1 + start + width // 2, 5))
        assert screen.debugger.place.iteration == pytest.approx(20, abs=1)
        assert last(screen) == f"goto {screen.debugger.place.iteration}:start"
        await pilot.press("down", "down", "enter")
        assert last(screen) == f"goto {screen.debugger.place.iteration}:start"
        here = screen.debugger.place.iteration
        await pilot.press("r")
        await settled(pilot, screen)
        assert last(screen) == "train 100"
        assert screen.debugger.place.iteration == here + 100
        await pilot.press("l")
        assert ("log scale" in text(pane)) == pane._is_log()


async def test_a_scenario_without_training_says_so() -> None:
    async with opened("apple_orange", "training") as (pilot, screen, pane):
        await pilot.press("enter", "up", "pagedown", "l")
        assert "does not train" in text(pane)
        assert screen.debugger.memory.history == []


async def test_watches_are_seen_with_values_and_last_changes() -> None:
    lines = ("watch a.grad", "display a * 2", "goto end")
    async with opened("apple_orange", "watches", *lines) as (pilot, screen, pane):
        assert "3.3" in text(pane)
        assert "#" in text(pane)
        await pilot.press("space")
        assert last(screen) == "disable 1"
        await pilot.press("enter")
        assert last(screen) == "last a.grad"
        await pilot.press("down", "d")
        assert last(screen) == "undisplay 1"
        await pilot.press("a")
        assert screen.query_one("#prompt", Input).value == "display "


STOPS = ("break z if a > 1", "catch nan", "watch o")


async def test_stops_are_switched_and_deleted() -> None:
    async with opened("apple_orange", "stops", *STOPS) as (pilot, screen, pane):
        await pilot.press("space")
        assert last(screen) == "disable 1"
        assert "○" in text(pane)
        await pilot.press("down", "d")
        assert last(screen) == "delete 2"
        await pilot.press("u")
        assert screen.query_one("#prompt", Input).value == "break "


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        (("enter", *" and o", "enter"), ["condition 1 a > 1 and o"]),
        (("enter", "ctrl+u", *"condition 1", "enter"), ["condition 1"]),
        (("enter", "escape", "down", "d"), ["delete 2"]),
        (("down", "l", "3", "enter"), ["ignore 2 3"]),
        (("a", *"p z; s", "enter"), ["commands 1 p z; s"]),
    ],
)
async def test_a_change_of_a_stop_is_begun_and_ended_at_the_prompt(
    keys: tuple[str, ...], lines: list[str]
) -> None:
    async with opened("apple_orange", "stops", *STOPS) as (pilot, screen, _):
        history = screen.debugger.memory.history
        before = len(history)
        await pilot.press(*("space" if key == " " else key for key in keys))
        await settled(pilot, screen)
        assert history[before:] == lines


async def test_what_holds_now_is_filled_in() -> None:
    lines = (*STOPS, "ignore 1 3", "commands 1 p z; s")
    async with opened("apple_orange", "stops", *lines) as (pilot, screen, _):
        prompt = screen.query_one("#prompt", Input)
        for key, begun in (
            ("enter", "condition 1 a > 1"),
            ("l", "ignore 1 3"),
            ("a", "commands 1 p z; s"),
        ):
            await pilot.press(key)
            assert (prompt.value, screen.focused) == (begun, prompt)
            await pilot.press("ctrl+u", "escape")


async def test_a_click_changes_what_is_clicked_or_switches_the_stop() -> None:
    async with opened("apple_orange", "stops", *STOPS) as (pilot, screen, pane):
        assert isinstance(pane, StopsPane)
        at = {column: start + 1 for column, start, _ in pane.spans()}
        await pilot.click(pane, offset=(at[0], 2))
        assert last(screen) == "disable 1"
        prompt = screen.query_one("#prompt", Input)
        await pilot.click(pane, offset=(at[6], 3))
        assert prompt.value == "ignore 2 "
        await pilot.press("2", "enter")
        assert last(screen) == "ignore 2 2"
        await pilot.click(pane, offset=(at[3], 4))
        assert prompt.value == ""
        assert pane.cursor == 2


async def test_runs_are_chosen_and_compared() -> None:
    async with opened("apple_orange", "runs", "set a = 5") as (pilot, screen, pane):
        assert "a: 5 →" in text(pane)
        await pilot.press("up", "d")
        assert last(screen) == "diff 0"
        await pilot.press("up", "enter")
        assert last(screen) == "runs 0"
        assert screen.debugger.chosen == 0


async def test_outputs_that_differ_read_apart() -> None:
    lines = ("set a = a + 0.0000006", "goto end")
    async with opened("apple_orange", "runs", *lines) as (_, screen, pane):
        before, after = (
            float(run.timeline.trace(0).run.value(screen.debugger.graph.output))
            for run in screen.debugger.runs
        )
        # Two apples of 100 and a tax of 1.1, three oranges of 150: the number of apples
        # counts 3.3 times.
        assert (before, after) == pytest.approx((550, 550 + 3.3 * 6e-7), abs=1e-9)
        rows = text(pane).splitlines()[1:3]
        assert [re.findall(r" 550\S*", row) for row in rows] == [
            [" 550"],
            [f" {after:.6f}"],
        ]


@pytest.mark.parametrize(
    ("view", "lines"),
    [
        ("stops", ("break E._1<-x3", "watch E._1.grad", "break E._1")),
        ("watches", ("watch E._1.grad", "display E._1")),
        ("checks", ("check",)),
    ],
)
async def test_what_a_made_up_name_stands_for_is_beside_it(
    view: str, lines: tuple[str, ...]
) -> None:
    async with opened("three_layer", view, *lines, size=(200, 60)) as (_, _, pane):
        told = [line for line in text(pane).splitlines() if "E._1" in line]
        assert len(told) >= len(lines)
        for line in told:
            text_of = r"x3 - t|\(x3 - t\) \*\* 2" if "E._2" in line else "x3 - t"
            assert re.search(rf"E\._1.*  ({text_of})(  |$)", line), line


async def test_nodes_are_written_once_when_their_column_of_codes_comes_or_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[Pane] = []
    table = TablePane._table
    monkeypatch.setattr(TablePane, "_table", lambda p: drawn.append(p) or table(p))
    async with opened("three_layer", "nodes", "goto end", size=(80, 24)) as found:
        pane = found[2]
        assert isinstance(pane, NodesPane)
        assert pane.made is not None
        before = pane.lines()
        drawn.clear()
        pane.made.says_code = not pane.made.says_code  # as in another width
        assert pane.lines() == before
        assert drawn == [pane]


@pytest.mark.parametrize("name", ["three_layer", "exploding", "last_layer"])
async def test_without_a_column_of_codes_nodes_are_called_by_theirs(name: str) -> None:
    lines = ("goto end",)
    async with opened(name, "nodes", *lines, size=(80, 24)) as (pilot, screen, pane):
        graph = screen.debugger.graph
        seen: list[str] = []
        for _ in graph.nodes:
            row = next(one for one in text(pane).splitlines() if one.startswith("▸"))
            assert isinstance(pane, NodesPane)
            [place] = (slice(x, x + width) for k, x, width in pane.spans() if k == 1)
            seen.append(row[place].strip())
            await pilot.press("down")
        assert not any(node.name in seen for node in graph.nodes if node.is_unnamed)
        if name == "exploding":  # those of a call by what is around it
            assert {f"W @ h{number}" for number in range(10)} <= set(seen)


async def test_a_check_runs_and_its_element_is_chosen() -> None:
    async with opened("three_layer", "checks", "patch x2 local") as found:
        pilot, screen, pane = found
        assert "nothing is checked yet" in text(pane)
        await pilot.press("r")
        await settled(pilot, screen)
        assert screen.debugger.memory.report is not None
        shown = text(pane)
        assert shown.startswith(" wrong: the rule of sigmoid at x2<-x2.z")
        assert shown.splitlines()[2].startswith("▸ ✗")
        await pilot.press("enter")
        assert screen._chosen is not None
        assert screen._chosen.index is not None


async def test_notes_and_marks_lead_to_their_places() -> None:
    lines = ("goto 3", "mark here", "goto start")
    async with opened("three_layer", "notes", *lines, size=(120, 70)) as found:
        pilot, screen, pane = found
        shown = text(pane)
        assert "Three layers in matrix form" in shown
        row = next(k for k, line in enumerate(shown.splitlines()) if "▽" in line)
        await pilot.press(*["down"] * (row - 1), "enter")
        assert last(screen) == "goto here"
        assert screen.debugger.position == 3
        await pilot.press("down", "enter")
        assert last(screen).startswith("goto ")


@pytest.mark.parametrize("width", range(110, 116))
async def test_no_letter_is_lost_below_the_scroll_bar(width: int) -> None:
    async with opened("three_layer", "notes", size=(width, 36)) as (_, screen, pane):
        said = " ".join(text(pane).split())
        assert " ".join(screen.debugger.subject.summary.split()) in said


async def test_where_there_is_no_room_beside_a_place_the_note_stands_below() -> None:
    async with opened("three_layer", "notes", size=(60, 20)) as (pilot, screen, pane):
        seen: set[str] = set()
        for _ in range(40):
            seen |= set(text(pane).split())
            await pilot.press("down")
        assert set(screen.debugger.subject.summary.split()) <= seen
        assert "summary" in seen


@pytest.mark.parametrize("name", ["training", "watches", "stops", "checks", "rules"])
async def test_what_an_empty_view_says_is_said_in_full(name: str) -> None:
    async with opened("nan_where", name, size=(60, 20)) as (_, _, pane):
        shown = " ".join(text(pane).split())
        wanted = pane.EMPTY if isinstance(pane, TablePane) else "it has no table"
        assert wanted in shown


async def test_text_from_files_is_never_markup() -> None:
    program = "title = 'T [/red] [@click=app.quit]x[/]'\nsummary = '[bold'\n"
    program += "program = 'y = x * x'\n[inputs]\nx = 2.0\n[notes]\nstart = '[/]'\n"
    app = GradstepApp(parse("gradstep = 1\n" + program))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        screen.action_view("notes")
        await pilot.pause()
        assert "[@click=app.quit]x[/]" in text(screen.query_one("#notes", Pane))


async def test_a_flow_that_has_not_begun_is_no_alarm() -> None:
    async with opened("three_layer", "flow", "goto 3") as (_, _screen, pane):
        assert isinstance(pane, FlowPane)
        assert pane.heading() == Cell("no gradient has come back yet")
