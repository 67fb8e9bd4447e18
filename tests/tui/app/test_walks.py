"""Random walks with keys and mouse: whatever a person does, the application holds.

Each walk is followed by a comparison: a fresh screen over the same debugger, in which a
person has set what was set in the old one, has to look the same.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import random
import threading
from collections import Counter
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import pytest
from textual import events
from textual._context import visible_screen_stack
from textual._styles_cache import StylesCache
from textual.widget import Widget
from textual.widgets import Input

from driving import click, drag, mouse, press, resize, settle, until
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.keys import keys
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.picker import Picker
from gradstep.tui.panes.base.pane import Asked, OneLine, Pane
from gradstep.tui.panes.base.views import VIEWS
from gradstep.tui.panes.console import ConsolePane, Prompt
from gradstep.tui.panes.graph.canvas import Canvas
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.program import ProgramPane, present_line
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.tables.flow import FlowPane
from gradstep.tui.panes.tables.table import TablePane
from gradstep.tui.panes.time.timeline import TimelinePane, column_of
from gradstep.tui.panes.time.training import TrainingPane
from gradstep.tui.panes.why import WhyPane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from textual.app import App
    from textual.screen import Screen
    from textual.strip import Strip

_STEPS: Final = 210  # of one walk
_AT_ONCE: Final = 4  # steps that come before anything is handled, at most
_SIZES: Final = ((120, 36), (80, 24), (60, 20), (160, 50), (45, 12))
_MORE: Final = 1000  # objects of hundreds of thousands: what was executed is remembered
_OPENED: Final = Counter(Search=1, MatrixView=1, timers=1)  # when they are asked for
_ROOMY: Final = (120, 36)  # in which everything is shown
_KEYS: Final = (
    *sorted(key.key for key in keys()),
    *("tab", "shift+tab", "up", "down", "pageup", "pagedown", "ctrl+home", "ctrl+end"),
    *("escape", "escape", "escape", "space", "o", "h", "H", "question_mark", "ctrl+p"),
    *("ctrl+left", "ctrl+right", "ctrl+up", "ctrl+down", "ctrl+r", "ctrl+c", "ctrl+o"),
    *("shift+left", "shift+right", "shift+up", "shift+down", "delete", "ctrl+u"),
    *"0123456789aAdGjklLMPrtuvVWX+-/:.,!<>",
)
# What is typed; {} is a node. Nothing here has a q in it, which is a key that leaves.
_LINES: Final = (
    *("goto {}", "goto 50%", "goto end", "until {}", "last {}", "mark a", "goto a"),
    *("break {}", "break {} if {} > 0", "tbreak {}", "watch {}", "watch {}.grad"),
    *("catch nan", "catch large 1", "condition 1 {} > 0", "ignore 1 2", "delete"),
    *("commands 1 print {}", "disable", "enable 1", "display {}.grad", "undisplay"),
    *("set {} = 2", "set {} = {} * 2", "undo", "redo", "runs 0", "diff 0", "train 3"),
    *("print {}", "explain {}.grad", "why {}", "check {}", "uses {}", "history {}"),
    *("patch {} local", "detach {}", "info nodes", "help", "where", "list", "record"),
    *(
        "goto",
        "break [/red]",
        "print 1/0",
        "set {} = [",
        "x" * 300,
        "σ ∂ 👍🏽 ﷽ e\u0301",
    ),
)
_RUBBISH: Final = (
    "a\nb\r\nstep\n",
    "\x1b[31m\x07\x00[@click=app.bell]x[/]",
    "\u202eabc\u200b\t" * 40,
    "{}[]()'\"\\" * 50,
    "9" * 5000,
)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


# ------------------------------------------------------------------------ the steps


def step(app: App[int], rng: random.Random) -> str:
    """Do anything that a person can do; return what it was."""
    width, height = app.size
    here = rng.randrange(max(width, 1)), rng.randrange(max(height, 1))
    there = rng.randrange(max(width, 1)), rng.randrange(max(height, 1))
    match rng.random():
        case chance if chance < 0.62:
            key = rng.choice(_KEYS)
            press(app, key)
            return key
        case chance if chance < 0.74:
            line = rng.choice(_LINES)
            while "{}" in line:
                line = line.replace("{}", _node(app, rng), 1)
            press(app, "colon", *line, "enter")
            return f":{line}"
        case chance if chance < 0.76:
            text = rng.choice(_RUBBISH)
            app.post_message(events.Paste(text))
            return f"paste {text[:20]!r}"
        case chance if chance < 0.89:
            for _ in range(rng.choice((1, 1, 1, 2))):
                click(app, *here)
            return f"click {here}"
        case chance if chance < 0.93:
            drag(app, here, there)
            return f"drag {here} {there}"
        case chance if chance < 0.98:
            up = rng.random() < 0.5
            mouse(app, events.MouseScrollUp if up else events.MouseScrollDown, *here)
            return f"wheel {'up' if up else 'down'} {here}"
        case _:
            size = rng.choice((*_SIZES, (5, 2), (1, 1)))
            resize(app, size)
            return f"resize {size}"


def _node(app: App[int], rng: random.Random) -> str:
    screens = [one for one in app.screen_stack if isinstance(one, MainScreen)]
    names = [*screens[-1].debugger.graph.names, "1"] if screens else ["x"]
    return rng.choice(names).replace("q", "y")


async def walk(
    app: App[int],
    rng: random.Random,
    steps: int,
    walked: list[str],
    screens: WeakSet[Screen[object]],
) -> int:
    """Make steps until the application has been left; return how many they were."""
    made = 0
    while made < steps and app.is_running:
        for _ in range(min(rng.randint(1, _AT_ONCE), steps - made)):
            walked.append(step(app, rng))
            made += 1
        await settle(app, at_most=0.2)
        screens.update(app.screen_stack)
    return made


# ----------------------------------------------------------------------- comparing


async def rest(app: App[int]) -> MainScreen:
    """Close what is open, end what runs, and return the main screen."""
    for _ in range(20):
        match app.screen:
            case Picker() as picker:
                picker.query_one(Input).value = ""
                press(app, "enter")
            case MainScreen():
                break
            case _:
                press(app, "escape")
        await settle(app)
    screen = app.screen
    assert isinstance(screen, MainScreen)
    screen.action_cancel()
    screen.query_one(GraphPane).close_search()
    step = screen.query_one(StepPane)
    step._walker.typed = None
    if step.alone is not None:
        step.alone.post_message(step.alone.Closed())
    mouse(app, events.MouseMove, 0, 0)
    app.clear_notifications()
    screen.clear_selection()
    screen.minimize()
    screen.query_one(Prompt).value = ""
    screen.action_show_all()
    resize(app, _ROOMY)
    await settle(app)
    return screen


Picture = list[list[tuple[str, object]]]


async def pictures(screen: MainScreen, names: Sequence[str]) -> dict[str, Picture]:
    """Return what is seen above the console, with each of these views."""
    found: dict[str, Picture] = {}
    for name in names:
        screen.action_view(name)
        await settle(screen.app)
        height = screen.query_one(ConsolePane).region.y
        strips = screen._compositor.render_strips()[:height]
        found[name] = [_cells(strip) for strip in strips]
    return found


def _cells(strip: Strip) -> list[tuple[str, object]]:
    return [(cell, style) for text, style, _ in strip for cell in text]


# What a person has set, or what the way here has led to: it decides what is seen, and a
# fresh screen does not know it. The widths of a table and the scales of matrices only
# grow while one steps, so that nothing jumps.
_SET: Final[Mapping[type[Widget], tuple[str, ...]]] = {
    ProgramPane: ("cursor",),
    GraphPane: ("_wish", "_found"),
    StepPane: ("_dense", "_windows", "_active", "_offset"),
    ConsolePane: ("_lines",),
    WhyPane: ("_cursor", "_top", "_trail"),
    TablePane: (
        *("cursor", "sorted_by", "descending"),
        *("_widths", "_wanted", "_sides"),
    ),
    FlowPane: ("_whole",),
    TrainingPane: ("cursor", "_log"),
}
_SEEN: Final = ("cursor", "top", "left", "is_placed", "scale")  # of a matrix


async def agrees(old: MainScreen) -> None:
    """Hold a screen against a fresh one over the same debugger, set in the same way."""
    app, names = old.app, [name for name in VIEWS if old.query(f"#{name}")]
    seen, before = await pictures(old, names), counts(old)
    tells_the_truth(old)
    panes = [one for one in old.query(Widget) if isinstance(one, Pane | Canvas)]
    fresh = MainScreen(old.debugger)
    fresh._player = old._player  # a tour goes on where it is
    app.switch_screen(fresh)
    await settle(app)
    for _ in range(2):  # a view is made when it is first turned to, and may be set then
        fresh._chosen, fresh._chosen_by_hand = old._chosen, old._chosen_by_hand
        for name in names:
            fresh.action_view(name)
            await settle(app)
        for one in panes:
            other = fresh.query_one(f"#{one.id}" if one.id else type(one).__name__)
            set_like(other, one)
    wanted = await pictures(fresh, names)
    for name in names:
        for y, (line, other) in enumerate(zip(seen[name], wanted[name], strict=True)):
            assert _text(line) == _text(other), (name, y)
            assert line == other, (name, y, _text(line))
    assert before <= counts(fresh) + _OPENED


def tells_the_truth(screen: MainScreen) -> None:
    """Hold what is seen against the debugger: a fresh screen could be wrong as well."""
    assert not screen.busy
    trace, position = screen.debugger.trace, screen.debugger.position
    header = screen.query_one("#header", OneLine).text
    assert f"event {position}/{len(trace)} " in header
    timeline = screen.query_one(TimelinePane)
    column = column_of(position, len(trace), timeline.size.width - 12)
    assert timeline.render_line(0).text[7:].index("●") == column
    pane = screen.query_one(ProgramPane)
    assert pane._view is not None
    source, line = present_line(trace, pane._view.shown)  # a coming one that is asked
    lines = [pane.render_line(y).text for y in range(pane.size.height)]
    marked = [int(text[2:].split()[0]) for text in lines if text.startswith("▶")]
    code, below = marked[:1], marked[1:]
    assert code == ([line] if line else [])
    # A comment that stands below the program bears the number of its line.
    assert below in ([], code)
    assert (pane.titles[1] or "program") == source


def set_like(fresh: Widget, old: Widget) -> None:
    """Set in a fresh pane what is set in an old one."""
    for kind, attributes in _SET.items():
        for name in attributes if isinstance(old, kind) else ():
            setattr(fresh, name, getattr(old, name))
    if isinstance(old, StepPane) and isinstance(fresh, StepPane):
        for grid, other in zip(old._grids, fresh._grids, strict=True):
            for name in _SEEN:
                setattr(other, name, getattr(grid, name))
    if isinstance(fresh, WhyPane):
        fresh._shown = None  # what it shows depends on the trail as well
    offset = old.scroll_offset
    fresh.scroll_to(*offset, animate=False, force=True, immediate=True)


def _text(line: Sequence[tuple[str, object]]) -> str:
    return "".join(cell for cell, _ in line)


def counts(screen: MainScreen) -> Counter[str]:
    """Return the number of widgets of each class, and of timers."""
    widgets = [screen, *screen.query("*")]
    found = Counter(type(widget).__name__ for widget in widgets)
    found["timers"] = sum(len(widget._timers) for widget in widgets)
    return found


@pytest.fixture
def threads() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("name", "size", "seed"),
    [
        (name, _SIZES[number % len(_SIZES)], number)
        for number, name in enumerate(builtin_names())
    ],
)
async def test_a_walk_ends_where_a_fresh_screen_begins(
    name: str, size: tuple[int, int], seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311  # a walk, not a secret
    left = _STEPS
    while left:
        app = GradstepApp(load(name))
        app.animation_level = "none"
        walked: list[str] = []
        screens: WeakSet[Screen[object]] = WeakSet()
        try:
            async with app.run_test(size=size):
                left -= await walk(app, rng, left, walked, screens)
                if app.is_running:
                    await ends_well(app, screens)
        except BaseException as error:
            error.add_note(f"after {' · '.join(walked)}")
            raise
        assert app.return_value in (0, None)


async def ends_well(app: App[int], screens: WeakSet[Screen[object]]) -> None:
    """Hold the end of a walk against a fresh screen; nothing is left, and q leaves."""
    await agrees(await rest(app))
    await let_go(app, screens)
    press(app, "q")
    await settle(app)
    assert app.return_value == 0


# -------------------------------------------------------------- what walks have found


Steps = tuple[str | tuple[int, int], ...]

# Each came to an end with an error, or left something wrong behind: keys, `:lines`, a
# cell that is clicked, a size, a turn of the loop. What stands together comes at once.
_FOUND: Final[Mapping[str, tuple[str, tuple[Steps, ...]]]] = {
    "a column that is there no longer": (
        "three_layer",
        ((":train 3",), ("escape",), ("3",), ("ctrl+r",)),
    ),
    "a click on what was listed before": (
        "apple_orange",
        (("ctrl+o",), (*"zzz", "turn", (20, 20))),
    ),
    "a letter for a palette that closes": (
        "apple_orange",
        (("ctrl+p", (24, 7), "n"), ("ctrl+p", "n", (2, 30), "n")),
    ),
    "a page of a list that is not laid out": (
        "apple_orange",
        (("ctrl+p", "end", "pagedown", "a", "pagedown", "pageup"), ("escape",)),
    ),
    "a command that ends in another scenario": (
        "apple_orange",
        (("s", "ctrl+left", "ctrl+o", "s"), ("enter",)),
    ),
    "borders moved where there is no room": (
        "apple_orange",
        (("size 5 2",), ("ctrl+left", "ctrl+down"), ("size 1 1",), ("ctrl+right",)),
    ),
    "a scroll bar that was not there": (
        "vanishing",
        ((":goto E",), ("size 200 60",), (":goto start",)),
    ),
    "the keys of the picker after a click beside it": (
        "apple_orange",
        (("ctrl+o",), ((130, 40),)),
    ),
    "a palette that was closed by a click beside it": (
        "apple_orange",
        (("ctrl+p",), ((2, 34),)),
    ),
}


@pytest.mark.parametrize("what", _FOUND)
async def test_what_a_walk_has_found_is_mended(what: str) -> None:
    name, turns = _FOUND[what]
    app = GradstepApp(load(name))
    app.animation_level = "none"
    screens: WeakSet[Screen[object]] = WeakSet()
    async with app.run_test(size=_ROOMY):
        await settle(app)
        for steps in turns:
            for one in steps:
                match one:
                    case (int(x), int(y)):
                        click(app, x, y)
                    case "turn":
                        await asyncio.sleep(0)
                    case str() if one.startswith("size"):
                        _, width, height = one.split()
                        resize(app, (int(width), int(height)))
                    case str() if len(one) > 1 and one.startswith(":"):
                        press(app, *one, "enter")
                    case str():
                        press(app, one)
            await settle(app)
            screens.update(app.screen_stack)
        await ends_well(app, screens)


@pytest.mark.parametrize(
    "keys",
    [
        ("end", "S", "home"),
        ("2", "3", "4", "5", "7", "8", "9", "6", "u", "escape", "1"),
        ("ctrl+p", "escape", "question_mark", "escape"),
        ("ctrl+o", "enter"),
        ("o", "o", "tab", "h", "H"),
        ("b", "w", "D", ":", *"delete", "enter", "escape"),
    ],
    ids=" ".join,
)
async def test_nothing_piles_up(keys: tuple[str, ...]) -> None:
    app = GradstepApp(load("apple_orange"))
    app.animation_level = "none"
    async with app.run_test(size=(80, 24)):
        await settle(app)
        screens: WeakSet[Screen[object]] = WeakSet()
        counted: list[int] = []
        for _ in range(3):  # caches are filled in the first ones
            for key in keys * 6:
                press(app, key)
                await settle(app)
                screens.update(app.screen_stack)
            await let_go(app, screens)
            counted.append(len(gc.get_objects()))
        _, before, after = counted
        assert after - before < _MORE


async def let_go(app: App[int], screens: WeakSet[Screen[object]]) -> None:
    """Hold that closed screens are let go of.

    Textual itself keeps the first screen of an application, as long as that runs.
    """

    def held() -> Counter[str]:
        StylesCache.get_inner_outer.cache_clear()  # it knows what is gone for long
        visible_screen_stack.set([])  # so does this task, of the last frame it painted
        forget_painted()
        forget_cancelled_timers()
        gc.collect()
        kept = [*app.screen_stack, app._compose_screen]
        return Counter(type(one).__name__ for one in screens if one not in kept)

    try:
        await until(lambda: not held())  # the thread of a screen may end after it
    except AssertionError as error:
        error.add_note(f"held: {held()}")
        raise


def forget_painted() -> None:
    """Let tasks forget the screen that was there when they were made."""
    for one in gc.get_objects():
        if type(one) is Context and one.get(visible_screen_stack):
            with suppress(RuntimeError):  # the one that this runs in
                one.run(visible_screen_stack.set, [])


def forget_cancelled_timers() -> None:
    """Let the loop forget what will not happen, as it does by itself at that time.

    A cancelled timer knows the widget that has set it until its seconds are over.
    """
    loop: Any = asyncio.get_running_loop()
    loop._scheduled[:] = [one for one in loop._scheduled if not one.cancelled()]
    heapq.heapify(loop._scheduled)
    loop._timer_cancelled_count = 0


# ----------------------------------------------------------- long commands under way

_LINKS: Final = 2000
_LONG_CHAIN: Final = "\n".join(
    (
        "gradstep = 1",
        "program = '''",
        "x0 = 1 * x",
        *(f"x{n} = x{n - 1} * w" for n in range(1, _LINKS + 1)),
        f"E = sum(x{_LINKS})",
        "'''",
        "[inputs]",
        "x = 1.0",
        "[parameters]",
        "w = { random = 'normal', seed = 1, shape = [50], scale = 0.1 }",
        "[training]",
        "optimizer = 'sgd'",
        "learning_rate = 0.001",
        "iterations = 10",
    )
)
# All go on in the background there, some for hours, or lead to what does.
_LONG: Final = (
    *("check", "train 1000000", "paths w[0]", "explain w.grad", "continue", "next"),
    *("break x1999 if sum(w) * w[0] > 1e9", "catch large 1e30", "watch w.grad"),
    *("uses w", "history w.grad", "goto end", "goto 50%", "set w = w * 2"),
)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_or_left_while_long_commands_go_on(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # a walk, not a secret
    app = GradstepApp(parse(_LONG_CHAIN, source="chain.toml"))
    app.animation_level = "none"
    walked: list[str] = []
    try:
        async with app.run_test(size=_ROOMY):
            await settle(app)
            for _ in range(40):
                walked.append(at_once(app, rng))
                await asyncio.sleep(rng.choice((0, 0, 0.01, 0.06)))
            await settle(app, at_most=0.1)
            await agrees(await rest(app))
            fresh = app.screen
            assert isinstance(fresh, MainScreen)
            fresh.run_line("train 1000000")
            assert fresh.busy
            press(app, "q")
            await until(lambda: not app.is_running)
    except BaseException as error:
        error.add_note(f"after {' · '.join(walked)}")
        raise
    assert app.return_value == 0


def at_once(app: App[int], rng: random.Random) -> str:
    """Do what does not wait for a command that goes on; return what it was."""
    match rng.random():
        case chance if chance < 0.3:
            line = rng.choice(_LONG)
            for screen in app.screen_stack:
                if isinstance(screen, MainScreen):
                    screen.post_message(Asked(line))
            return f":{line}"
        case chance if chance < 0.5:
            press(app, "escape")
            return "escape"
        case chance if chance < 0.65:
            size = rng.choice(_SIZES)
            resize(app, size)
            return f"resize {size}"
        case _:
            away = ("ctrl+o", "ctrl+p")  # to other scenarios, which are small
            keys = [key for key in _KEYS if key not in away]
            pressed = rng.choices(keys, k=rng.randint(1, _AT_ONCE))
            press(app, *pressed)
            return " ".join(pressed)
