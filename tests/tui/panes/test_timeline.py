"""The timeline: its words stay readable, whatever stands on it."""

from __future__ import annotations

import pytest

from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.time.timeline import TimelinePane

_SIGNS = frozenset("●◆▽┼")


def words(text: str) -> list[str]:
    """Return the words of a line, each between rules or signs of its own."""
    return [word for word in text.replace("─", " ").split() if word not in _SIGNS]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
@pytest.mark.parametrize("name", ["apple_orange", "two_layer_net"])
async def test_no_sign_stands_in_a_word(name: str, size: tuple[int, int]) -> None:
    async with GradstepApp(load(name)).run_test(size=size) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        await pilot.pause()  # until it has a size
        debugger, pane = screen.debugger, screen.query_one(TimelinePane)
        names = ["start", "forward", "backward", "end"]
        if debugger.trace.updates:
            names.insert(-1, "update")
        debugger.execute("goto 30%")
        debugger.execute("mark here")
        debugger.execute(f"break #{len(debugger.trace) * 3 // 4}")
        text = ""
        for position in range(len(debugger.trace) + 1):
            debugger.execute(f"goto {position}")
            screen.apply(None)
            text = pane.render_line(0).text
            assert "●" in text, position
            assert set(words(text)) <= set(names), text
            assert [w for w in names if w in words(text)] == words(text), text
        assert len(words(text)) >= 4  # the words are there, not left out


async def test_a_word_moves_aside_and_goes_where_there_is_no_room() -> None:
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        pane = screen.query_one(TimelinePane)
        start = pane.render_line(0).text.index("backward")
        screen.debugger.execute("goto 9")
        screen.apply(None)
        text = pane.render_line(0).text
        assert "backward" in text
        assert text.index("backward") != start
        for event in range(1, len(screen.debugger.trace) + 1):
            screen.debugger.execute(f"break #{event}")
        screen.apply(None)
        assert words(pane.render_line(0).text) == ["start", "end"]
