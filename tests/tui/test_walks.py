"""Random walks with keys and mouse: whatever a person does, the application holds."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events
from textual.app import App
from textual.keys import _character_to_key

from gradstep.core.scenario import builtin_names, load
from gradstep.tui.app import GradstepApp
from gradstep.tui.keys import keys
from gradstep.tui.main_screen import MainScreen
from gradstep.tui.panes.base import OneLine
from gradstep.tui.panes.console import Prompt
from gradstep.tui.panes.program import ProgramPane, present_line
from gradstep.tui.panes.timeline import TimelinePane, column_of
from gradstep.tui.panes.views import VIEWS

_STEPS = 60  # of one walk
_SIZES = [(120, 36), (80, 24), (60, 20), (200, 60), (45, 12)]
_ROOMY = (120, 36)  # in which everything is shown
_OPENED = Counter(Search=1, MatrixView=1, timers=1)  # made when they are first opened
_COMMANDS = sorted(key.key for key in keys())
_OTHERS = [
    *("tab", "shift+tab", "up", "down", "pageup", "pagedown", "ctrl+home", "escape"),
    *("escape", "escape", "space", "o", "h", "H", "question_mark", "ctrl+left"),
    *("ctrl+right", "ctrl+up", "ctrl+down", "ctrl+r", "colon", "slash", "plus"),
    *("minus", "less_than_sign", "greater_than_sign", "ctrl+p", "comma", "full_stop"),
    *"0123456789aAdGjklLMPqrtuvVWX",
]
_ALL = _COMMANDS + [key for key in _OTHERS if key != "q"]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def press(app: App[int], key: str) -> None:
    """Hand a key to the application as the terminal does."""
    character = key if len(key) == 1 else None
    name = _character_to_key(key) if character else key
    app.post_message(events.Key(name, character))


def mouse(app: App[int], kind: type[events.MouseEvent], x: int, y: int) -> None:
    """Hand a mouse event to the application as the terminal does."""
    app.post_message(
        kind(
            widget=None,
            x=x,
            y=y,
            delta_x=0,
            delta_y=0,
            button=1,
            shift=False,
            meta=False,
            ctrl=False,
            screen_x=x,
            screen_y=y,
        )
    )


def step(app: App[int], rng: random.Random) -> str:
    """Press a key, or click, drag or turn the wheel anywhere; return what it was."""
    width, height = app.size
    x, y = rng.randrange(width), rng.randrange(height)
    match rng.random():
        case chance if chance < 0.7:
            key = rng.choice(_ALL)
            press(app, key)
            return key
        case chance if chance < 0.9:
            mouse(app, events.MouseDown, x, y)
            if rng.random() < 0.3:
                x, y = rng.randrange(width), rng.randrange(height)
                mouse(app, events.MouseMove, x, y)
            mouse(app, events.MouseUp, x, y)
            return f"click {x} {y}"
        case chance:
            up = chance < 0.95
            kind = events.MouseScrollUp if up else events.MouseScrollDown
            mouse(app, kind, x, y)
            return f"wheel {x} {y}"


async def pump(rounds: int = 3) -> None:
    """Let everything that was posted be handled."""
    for _ in range(rounds):
        await asyncio.sleep(0)
    await asyncio.sleep(0.001)


async def rest(app: App[int]) -> MainScreen:
    """Close what is open, end what runs, and return the main screen."""
    for _ in range(3000):
        screen = app.screen
        if not isinstance(screen, MainScreen):
            press(app, "escape")
        elif not screen.busy:
            break
        await asyncio.sleep(0.01)
    screen = app.screen
    assert isinstance(screen, MainScreen)
    assert not screen.busy
    screen.action_cancel()
    app.clear_notifications()
    if screen.maximized is not None:
        screen.minimize()
    screen.query_one(Prompt).value = ""
    screen.action_show_all()
    for name in (*VIEWS, "step"):  # a view is made when it is first seen
        screen.action_view(name)
        for _ in range(1000):
            if screen.query(f"#{name}"):
                break
            await asyncio.sleep(0.002)
    for _ in range(3):
        await asyncio.sleep(0.02)
    return screen


def agrees(screen: MainScreen) -> None:
    """Hold what is seen against the debugger."""
    bug = screen.bug
    trace, position = bug.trace, bug.position
    header = screen.query_one("#header", OneLine).text
    assert f"event {position}/{len(trace)} " in header
    timeline = screen.query_one(TimelinePane)
    text = timeline.render_line(0).text
    column = column_of(position, len(trace), timeline.size.width - 12)
    assert text[7:].index("●") == column
    pane = screen.query_one(ProgramPane)
    source, line = present_line(trace, position)
    lines = [pane.render_line(y).text for y in range(pane.size.height)]
    marked = [int(text[2:5]) for text in lines if text.startswith("▶")]
    assert marked == ([line] if line and pane.display and pane.size.height else [])
    assert (pane.titles[1] or "program") == source


def counts(screen: MainScreen) -> Counter[str]:
    """Return the number of widgets of each class, and of timers."""
    widgets = [screen, *screen.query("*")]
    found = Counter(type(widget).__name__ for widget in widgets)
    found["timers"] = sum(len(widget._timers) for widget in widgets)
    return found


@pytest.fixture
def threads() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() <= before


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("name", "size", "seed"),
    [
        (name, _SIZES[number % len(_SIZES)], number)
        for number, name in enumerate(builtin_names())
    ],
)
async def test_a_walk_ends_where_the_debugger_is(
    name: str, size: tuple[int, int], seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311  # a walk, not a secret
    app = GradstepApp(load(name))
    app.animation_level = "none"
    walked: list[str] = []
    try:
        async with app.run_test(size=size) as pilot:
            before = counts(await rest(app))
            for _ in range(_STEPS):
                walked.append(step(app, rng))
                await pump()
                assert app.is_running
            await rest(app)
            await pilot.resize_terminal(*_ROOMY)
            screen = await rest(app)
            agrees(screen)
            assert counts(screen) <= before + _OPENED
    except BaseException as error:
        error.add_note(f"after {' '.join(walked[-25:])}")
        raise
