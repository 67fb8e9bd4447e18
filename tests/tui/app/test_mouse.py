"""Every click, drag and turn of the wheel: what must have happened after it.

A row is about a handler of a class; each handler of the mouse that the application has
must be in a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from textual import events
from textual.app import App
from textual.widget import Widget

from driving import click, drag, mouse, painted, settle
from gradstep.tui.app.overlay import Jump
from gradstep.tui.app.palette import Results
from gradstep.tui.app.picker import Choices
from gradstep.tui.panes.base.pane import Pane
from gradstep.tui.panes.console import Prompt, Scrollback
from gradstep.tui.panes.graph.canvas import Canvas
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.matrix.view import MatrixView
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.tables.nodes import NodesPane
from gradstep.tui.panes.tables.stops import StopsPane
from gradstep.tui.panes.tables.table import TablePane
from gradstep.tui.panes.time.timeline import TimelinePane
from gradstep.tui.panes.time.training import TrainingPane
from gradstep.tui.panes.why import WhyPane
from looks import (
    Seen,
    alone,
    back,
    cell,
    chosen,
    focused,
    last,
    opened,
    position,
    screen,
    scrolled,
    stops,
    unfolded,
    view,
)

if TYPE_CHECKING:
    from pathlib import Path

Act = Callable[[App[int], int, int], None]


class Row(NamedTuple):
    """What the mouse does at a text in a widget, and what is seen after it."""

    widget: type[Widget]
    text: str  # that is pointed at; "" is the upper left corner
    act: Act
    look: Callable[[Seen], Any]
    after: Any
    scenario: str = "apple_orange"
    lines: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    handlers: str = "on_click"  # that it goes through
    focus: type[Widget] | None = None


def twice(app: App[int], x: int, y: int) -> None:
    """Click two times."""
    click(app, x, y)
    click(app, x, y)


def dragged(right: int, down: int) -> Act:
    """Return what drags something so far."""

    def act(app: App[int], x: int, y: int) -> None:
        half = (x + right // 2, y + down // 2)
        drag(app, (x, y), half, (x + right, y + down))

    return act


def wheel(*turns: int) -> Act:
    """Return what turns the wheel so often, downwards, or upwards where negative."""

    def act(app: App[int], x: int, y: int) -> None:
        for count in turns:
            kind = events.MouseScrollDown if count > 0 else events.MouseScrollUp
            for _ in range(abs(count)):
                mouse(app, kind, x, y)

    return act


def top(s: Seen) -> int:
    """The first row that is seen of the first matrix."""
    return s.one(StepPane)._grids[0].top


def reason(s: Seen) -> int:
    """The first line that is seen of the why."""
    return s.one(WhyPane)._top


_DRAG: Final = "on_mouse_down on_mouse_move on_mouse_up"
_DOWN: Final = "on_mouse_scroll_down"
_UP: Final = "on_mouse_scroll_up"
_END: Final = ("goto end",)
_LARGE: Final = ("two_layer_net", ("goto 1",))
_STOPS: Final = ("break z if a > 1", "catch nan")
ROWS: Final[dict[str, Row]] = {
    "a click on the timeline goes there": Row(
        TimelinePane,
        "end",
        click,
        position,
        13,
        handlers="on_mouse_down on_mouse_up on_click",
    ),
    "the position is dragged along": Row(
        TimelinePane, "●", dragged(80, 0), position, 10, handlers=_DRAG
    ),
    "a click in the gutter sets a breakpoint": Row(
        ProgramPane, " 3 ", click, stops, ["line:3"]
    ),
    "another one takes it away": Row(
        ProgramPane, "3 z", click, stops, [], lines=("break line:3",)
    ),
    "a click on a line chooses what it assigns": Row(
        ProgramPane, "oz = o", click, chosen, "oz.value"
    ),
    "a click on a box chooses it": Row(
        GraphPane, "oz ", click, chosen, "oz.grad", lines=_END
    ),
    "the wheel scrolls the program": Row(
        ProgramPane,
        "",
        wheel(1),
        lambda s: s.one(ProgramPane).scroll_offset.y,
        2,
        "vanishing",
        keys=("ctrl+up",) * 3,
        handlers="",
    ),
    "two clicks unfold a box": Row(
        GraphPane, "x2 ", twice, unfolded, 1, "three_layer", ("goto 1",)
    ),
    "the graph is dragged": Row(
        Canvas,
        "",
        dragged(3, 4),
        scrolled,
        (0, 5),
        "vanishing",
        ("goto output",),
        handlers=_DRAG,
    ),
    "the wheel moves the graph": Row(
        Canvas,
        "",
        wheel(-2),
        scrolled,
        (0, 5),
        "vanishing",
        ("goto output",),
        handlers="",
    ),
    "a click on a cell chooses it": Row(
        StepPane, "0.48", click, cell, (1, 1), "three_layer_batch", ("goto 1",)
    ),
    "the wheel scrolls a matrix": Row(
        StepPane, "79 ", wheel(2), top, 78, *_LARGE, handlers=_DOWN
    ),
    "and scrolls it back": Row(
        StepPane, "79 ", wheel(-2), top, 66, *_LARGE, handlers=_UP
    ),
    "a click chooses a cell of a matrix alone": Row(
        MatrixView,
        "0.48",
        click,
        alone,
        (1, 1),
        "three_layer_batch",
        ("goto 1",),
        ("v",),
        focus=StepPane,
    ),
    "a click on a term follows it": Row(
        WhyPane, "x0[0, 0]", click, chosen, "W1.value[0, 0]", "three_layer", ("goto 1",)
    ),
    "the wheel scrolls the why, and back": Row(
        WhyPane,
        "",
        wheel(2, -1),
        reason,
        2,
        *_LARGE,
        keys=("ctrl+up",) * 5,
        handlers=f"{_DOWN} {_UP}",
    ),
    "a click on a heading sorts": Row(
        NodesPane, "name", click, lambda s: s.table.sorted_by, 1, keys=("2",)
    ),
    "another one turns the order round": Row(
        NodesPane, "name", twice, lambda s: s.table.descending, True, keys=("2",)
    ),
    "a click on a row goes there": Row(
        NodesPane, " z ", click, last, "goto z", lines=_END, keys=("2",)
    ),
    "the wheel scrolls a table": Row(
        NodesPane,
        "",
        wheel(1),
        lambda s: s.table.scroll_offset.y,
        2,
        "vanishing",
        keys=("2",),
        handlers="",
    ),
    "a click on the curve goes to the iteration": Row(
        TrainingPane, "┬", click, last, "goto 0:start", "xor", ("train 40",), ("4",)
    ),
    "a click on a condition begins to change it": Row(
        StopsPane,
        "if a",
        click,
        lambda s: s.one(Prompt).value,
        "condition 1 a > 1",
        lines=_STOPS,
        keys=("6",),
        handlers="",
    ),
    "a click on the sign switches a stop": Row(
        StopsPane, "●", click, last, "disable 1", lines=_STOPS, keys=("6",), handlers=""
    ),
    "the wheel scrolls the console back, and on": Row(
        Scrollback,
        "",
        wheel(-2, 1),
        back,
        3,
        lines=_END,
        keys=("e",) * 5,
        handlers=f"{_DOWN} {_UP}",
    ),
    "a click opens a scenario": Row(
        Choices, "Three layers", click, screen, "MainScreen", ""
    ),
    "a click does what the palette says": Row(
        Results,
        "view: Nodes",
        click,
        view,
        "nodes",
        keys=("ctrl+p", *"view: nodes"),
    ),
    "a click into the prompt takes the keys there": Row(
        Prompt, "", click, focused, "Prompt"
    ),
}


def handlers() -> dict[type[Widget], set[str]]:
    """Return the handlers of the mouse that each class of the application has."""
    found: dict[type[Widget], set[str]] = {}
    waiting: list[type[Widget]] = [Widget]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        own = {
            name for name in kind.__dict__ if name.startswith(("on_click", "on_mouse"))
        }
        if kind.__module__.startswith("gradstep.tui.") and own:
            found[kind] = own
    return found


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def place_of(seen: Seen, row: Row) -> tuple[int, int]:
    """Return the cell of the screen at which a row points."""
    area = seen.one(row.widget).content_region
    for y in range(area.y, area.bottom):
        x = painted(seen.app.screen)[y][area.x : area.right].find(row.text)
        if x >= 0:
            return area.x + x + len(row.text) // 2, y
    raise AssertionError(row.text)


@pytest.mark.parametrize("name", ROWS)
async def test_the_mouse_does_what_it_is_for(name: str) -> None:
    row = ROWS[name]
    async with opened(row.scenario, row.lines, row.focus, row.keys) as seen:
        before = row.look(seen)
        row.act(seen.app, *place_of(seen, row))
        await settle(seen.app)
        assert before != row.look(seen) == row.after


# A table is that of the nodes; what a wheel must not do over an editor of a stop is
# in test_views.
# The names of the views on the border and the letters are in test_glance.
_ELSEWHERE: Final = {
    TablePane: {"on_click"},
    StopsPane: {_DOWN, _UP},
    Pane: {"on_click"},
    Jump: {"on_click"},
}


def test_no_handler_is_without_a_row() -> None:
    missing = {
        (kind.__name__, handler)
        for kind, own in handlers().items()
        for handler in own - _ELSEWHERE.get(kind, set())
        if not any(
            row.widget is kind and handler in row.handlers.split()
            for row in ROWS.values()
        )
    }
    assert not missing
