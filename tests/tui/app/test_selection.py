"""Text is selected by dragging the mouse over it, whatever pane it stands in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from textual.geometry import Offset

from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.themes import THEMES
from gradstep.tui.panes.base.pane import Pane
from gradstep.tui.panes.base.views import VIEWS
from gradstep.tui.panes.console import Scrollback
from gradstep.tui.panes.matrix.view import MatrixView
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.time.timeline import TimelinePane
from gradstep.tui.panes.why import WhyPane

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from textual.widget import Widget


def where(pane: Widget, text: str) -> Offset:
    """Return where a text of a pane stands on the screen."""
    for y in range(pane.size.height):
        x = pane.render_line(y).text.find(text)
        if x >= 0:
            return pane.content_region.offset + Offset(x, y)
    raise AssertionError(f"{text!r} is not to be seen")


async def drag(pilot: Pilot[int], start: Offset, end: Offset) -> str | None:
    await pilot.mouse_down(offset=start)
    for place in (start + Offset(1, 0), end):
        await pilot.hover(offset=place)
    await pilot.mouse_up(offset=end)
    await pilot.pause()
    return pilot.app.screen.get_selected_text()


def main(pilot: Pilot[int]) -> MainScreen:
    screen = pilot.app.screen
    assert isinstance(screen, MainScreen)
    return screen


def marked(pilot: Pilot[int]) -> str:
    """Return what is painted in the colours of a selection."""
    ink = pilot.app.screen.get_component_rich_style("screen--selection")
    strips = pilot.app.screen._compositor.render_strips()
    return "".join(
        segment.text
        for strip in strips
        for segment in strip
        if segment.style is not None and segment.style.bgcolor == ink.bgcolor
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (StepPane, "one element"),
        (WhyPane, "numeric check: "),
        (ProgramPane, "sigmoid(z)"),
        (Scrollback, "print W2.grad"),
    ],
)
async def test_a_part_of_a_line(kind: type[Widget], text: str) -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        main(pilot).run_line("goto W2.grad@backward")
        if kind is Scrollback:  # a move is not an answer to be read
            main(pilot).run_line("print W2.grad")
        await pilot.pause()
        start = where(main(pilot).query_one(kind), text)
        found = await drag(pilot, start, start + Offset(len(text) - 1, 0))
        assert found == text.rstrip()
        assert marked(pilot) == text
        await pilot.press("ctrl+c")
        assert pilot.app.clipboard == text.rstrip()
        await pilot.click(offset=start)
        await pilot.pause()
        assert main(pilot).get_selected_text() is None
        assert marked(pilot) == ""


async def test_several_lines_backwards_and_over_the_border() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        main(pilot).run_line("goto W2.grad@backward")
        await pilot.pause()
        why, program = main(pilot).query_one(WhyPane), main(pilot).query_one("#program")
        lines = [why.render_line(y).text.rstrip() for y in range(2)]
        corner = why.content_region.offset
        end = corner + Offset(len(lines[1]) - 1, 1)
        assert await drag(pilot, corner, end) == "\n".join(lines)
        assert await drag(pilot, end, corner) == "\n".join(lines)
        # Above its first line a pane ends; what is marked there is that line.
        above = corner - Offset(0, 1)
        assert await drag(pilot, corner + Offset(0, 1), above) is not None
        found = await drag(pilot, where(program, "sigmoid"), end)
        assert found is not None
        assert "sigmoid" in found
        assert lines[0] in found


async def test_a_matrix_alone() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        main(pilot).run_line("goto W2.grad@backward")
        await pilot.press("v")
        await pilot.pause()
        alone = main(pilot).query_one(MatrixView)
        corner = alone.content_region.offset
        found = await drag(
            pilot, corner + Offset(0, 1), corner + Offset(alone.size.width - 1, 3)
        )
        assert found is not None
        rows = [re.sub(r"[\[\]]", " ", line).split() for line in found.split("\n")]
        assert rows[0] == ["0", "1", "2", "3", "4"]
        debugger = main(pilot).debugger
        numbers = debugger.trace.run.gradient(debugger.graph.node("W2").index)
        assert numbers is not None
        for number, row in enumerate(rows[1:]):
            assert int(row[0]) == number
            assert [float(text) for text in row[1:]] == pytest.approx(
                numbers[number], rel=1e-2
            )


async def test_a_drag_is_no_click_and_a_click_no_drag() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        main(pilot).run_line("goto W2.grad@backward")
        await pilot.pause()
        step = main(pilot).query_one(StepPane)
        chosen = main(pilot)._chosen
        cell = where(step, "[") + Offset(1, 0)
        assert await drag(pilot, cell, cell + Offset(20, 0))
        assert main(pilot)._chosen == chosen
        await pilot.click(offset=cell + Offset(12, 0))
        await pilot.pause()
        assert main(pilot)._chosen != chosen
        assert main(pilot).get_selected_text() is None


async def test_a_step_ends_the_selection() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        start = where(main(pilot).query_one(ProgramPane), "sigmoid")
        assert await drag(pilot, start, start + Offset(4, 0)) == "sigmo"
        await pilot.press("s")
        await pilot.pause()
        assert main(pilot).get_selected_text() is None
        assert marked(pilot) == ""


async def test_where_a_drag_means_something_else() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        line = main(pilot).query_one(TimelinePane).content_region
        assert not await drag(
            pilot, line.offset + Offset(20, 0), line.offset + Offset(60, 0)
        )
        assert 0 < main(pilot).debugger.position < len(main(pilot).debugger.trace)
        graph = main(pilot).query_one("#graph").content_region
        assert not await drag(
            pilot, graph.offset + Offset(9, 3), graph.offset + Offset(3, 1)
        )
        assert marked(pilot) == ""


async def test_every_view() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        main(pilot).run_line("goto end")
        for name in VIEWS:
            main(pilot).action_view(name)
            await pilot.pause()
            pane = main(pilot).query_one(f"#{name}", Pane)
            corner, width = pane.content_region.offset, pane.size.width
            text = "\n".join(pane.render_line(y).text.rstrip() for y in range(4))
            end = corner + Offset(width - 1 - pane.scrollbar_size_vertical, 3)
            assert await drag(pilot, corner, end) == text.rstrip("\n"), name


@pytest.mark.parametrize("theme", THEMES)
async def test_selected_text_can_be_seen_in_every_theme(theme: str) -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        pilot.app.theme = theme
        main(pilot).run_line("goto W2.grad@backward")
        await pilot.pause()
        start = where(main(pilot).query_one(StepPane), "one element")
        assert await drag(pilot, start, start + Offset(10, 0)) == "one element"
        strip = pilot.app.screen._compositor.render_strips()[start.y]
        seen = [s.style for s in strip.crop(start.x, start.x + 5) if s.style]
        assert seen
        assert all(style.color != style.bgcolor for style in seen)


async def test_a_copy_says_so() -> None:
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        start = where(main(pilot).query_one(ProgramPane), "sigmoid(z)")
        await drag(pilot, start, start + Offset(9, 0))
        await pilot.press("ctrl+c")
        [said] = pilot.app._notifications
        assert (said.title, said.message) == ("Copied one line", "sigmoid(z)")
