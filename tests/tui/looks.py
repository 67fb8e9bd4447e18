"""What a test of the screen looks at, before a key or a click and after it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual.widgets import ContentSwitcher, Input

from driving import press, settle
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.console import Prompt, Scrollback
from gradstep.tui.panes.graph.canvas import Canvas
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.matrix.view import MatrixView
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.tables.table import TablePane
from gradstep.tui.panes.why import WhyPane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from textual.widget import Widget

    from gradstep.core.debugger.debugger import Debugger


class Seen:
    """What there is to look at."""

    def __init__(self, app: GradstepApp) -> None:
        self.app = app

    @property
    def main(self) -> MainScreen:
        """The main screen, also below another one."""
        return next(s for s in self.app.screen_stack[::-1] if isinstance(s, MainScreen))

    @property
    def debugger(self) -> Debugger:
        """The debugger."""
        return self.main.debugger

    @property
    def table(self) -> TablePane:
        """The table at the right."""
        shown = self.main.query_one("#view", ContentSwitcher).visible_content
        assert isinstance(shown, TablePane)
        return shown

    def one(self, kind: type[Any]) -> Any:
        """Return the widget of a class."""
        return self.app.screen.query_one(kind)


@asynccontextmanager
async def opened(
    scenario: str,
    lines: Sequence[str] = (),
    focus: type[Widget] | None = None,
    keys: Sequence[str] = (),
    size: tuple[int, int] = (120, 36),
) -> AsyncIterator[Seen]:
    """Open a scenario, or the picker; execute lines, focus a widget, press keys."""
    app = GradstepApp(load(scenario) if scenario else None)
    app.animation_level = "none"
    async with app.run_test(size=size):
        await settle(app)
        seen = Seen(app)
        if scenario:
            for line in lines:
                assert seen.debugger.execute(line).ok, line
            seen.main.show_present()
            await settle(app)
            if lines or focus:
                seen.main.set_focus(focus and seen.one(focus))
        for key in keys:
            press(app, key)
            await settle(app)
        yield seen


def position(s: Seen) -> int:
    """Where we are."""
    return s.debugger.position


def prompt(s: Seen) -> str:
    """What waits in the console, where the focus is by then."""
    return value(s) if focused(s) == "Prompt" else ""


def last(s: Seen) -> str:
    """What was executed last."""
    return s.debugger.memory.history[-1]


def chosen(s: Seen) -> str:
    """The chosen element, as it is written."""
    element = s.main._chosen
    if element is None:
        return ""
    index = "" if element.index is None else str(list(element.index))
    return f"{s.debugger.graph.nodes[element.node].name}.{element.quantity}{index}"


def focused(s: Seen) -> str:
    """What has the focus."""
    return type(s.app.screen.focused).__name__


def screen(s: Seen) -> str:
    """What is open."""
    return type(s.app.screen).__name__


def code(s: Seen) -> int | None:
    """What the application would exit with."""
    return s.app.return_value


def cursor(s: Seen) -> int:
    """The row of the table at the right."""
    return s.table.cursor


def stops(s: Seen) -> list[str]:
    """What stops there are."""
    return [stop.text for stop in s.debugger.memory.stops.values()]


def grid(s: Seen) -> Any:
    """The matrix with the cursor in the step."""
    pane = s.one(StepPane)
    return pane._grids[pane._active]


def cell(s: Seen) -> tuple[int, ...]:
    """The cursor in a matrix of the step."""
    return grid(s).cursor


def dense(s: Seen) -> bool:
    """Whether the matrix with the cursor is drawn without numbers."""
    s.one(StepPane).draw(0)
    return grid(s).compact


def alone(s: Seen) -> tuple[int, ...]:
    """The cursor in the matrix that is shown alone."""
    return s.one(MatrixView).grid.cursor


def line(s: Seen) -> int:
    """The line of the program under the cursor."""
    return s.one(ProgramPane).cursor + 1


def node(s: Seen) -> str:
    """The node under the cursor of the graph."""
    return s.debugger.graph.nodes[s.one(GraphPane)._cursor].name


def unfolded(s: Seen) -> int:
    """How many folds of the graph are open."""
    return len(s.one(GraphPane)._shown)


def scrolled(s: Seen) -> tuple[int, int]:
    """How far the graph is moved."""
    return tuple(s.one(Canvas).scroll_offset)


def view(s: Seen) -> str | None:
    """Which view is at the right."""
    return s.main.query_one("#view", ContentSwitcher).current


def term(s: Seen) -> int:
    """The term under the cursor of the why."""
    return s.one(WhyPane)._cursor


def back(s: Seen) -> int:
    """How many lines of the console are scrolled back."""
    return s.one(Scrollback)._up


def hint(s: Seen) -> str:
    """What is said in the line of the console."""
    return s.main.query_one(Prompt).placeholder.removesuffix("   : command")


def value(s: Seen) -> str:
    """What stands in the line that has the focus."""
    found = s.app.screen.focused
    assert isinstance(found, Input)
    return found.value
