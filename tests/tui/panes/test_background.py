"""Long work beside the screen: it tells how far it is, is cancelled, and never lost."""

from __future__ import annotations

import threading
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from textual.widgets import ContentSwitcher

import driving
from gradstep.core.base.errors import Interrupted
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.base import background
from gradstep.tui.panes.base.background import GIVEN_UP, Kept
from gradstep.tui.panes.base.pane import OneLine, Pane, View
from gradstep.tui.panes.base.views import DIGITS, VIEWS
from gradstep.tui.panes.console import Scrollback
from gradstep.tui.panes.tables import flow as flow_pane
from gradstep.tui.panes.tables import nodes as nodes_pane
from gradstep.tui.panes.why import WhyPane
from patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.screen import Screen


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@asynccontextmanager
async def opened(name: str) -> AsyncIterator[tuple[Pilot[int], MainScreen]]:
    async with GradstepApp(load(name)).run_test(size=(120, 36)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        yield pilot, screen


async def until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    await driving.until(holds)
    await pilot.pause()


def text(pane: Pane) -> str:
    return "\n".join(pane.render_line(y).text for y in range(pane.size.height))


def said(screen: MainScreen) -> str:
    return "\n".join(line for line, _ in screen.query_one(Scrollback)._written)


def header(screen: MainScreen) -> str:
    return screen.query_one("#header", OneLine).text


def endless(progress: Callable[[int, int], None]) -> NoReturn:
    """Work until somebody gives it up."""
    end = time.monotonic() + PATIENCE
    while (left := end - time.monotonic()) > 0:
        progress(int(PATIENCE - left), int(PATIENCE))
        time.sleep(0.002)
    raise AssertionError("nobody has given it up")


async def test_a_bug_in_a_command_is_told_and_the_session_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GRADSTEP_TRACEBACK")
    execute = Debugger.execute

    def fails(debugger: Debugger, line: str, *more: Any) -> Any:
        if line == "print boom":
            raise KeyError("one\ntwo")
        return execute(debugger, line, *more)

    monkeypatch.setattr(Debugger, "execute", fails)
    async with opened("apple_orange") as (pilot, screen):
        screen.run_line("print boom")
        await until(pilot, lambda: not screen.busy)
        assert "this is a bug in gradstep" in said(screen)
        assert "KeyError: 'one" in said(screen)
        await pilot.press("s", "s")
        assert screen.debugger.position == 2
        assert "event 2/13" in header(screen)


async def test_a_bug_in_a_pane_is_told_and_the_session_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GRADSTEP_TRACEBACK")

    def fails(_pane: WhyPane, view: View) -> None:
        if view.debugger.position == 1:
            raise ZeroDivisionError

    monkeypatch.setattr(WhyPane, "prepare", fails)
    async with opened("apple_orange") as (pilot, screen):
        await pilot.press("s")
        assert "bug in gradstep" in said(screen)
        await pilot.press("s")
        assert "event 2/13" in header(screen)


async def test_with_its_variable_set_a_bug_ends_the_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any) -> Any:
        raise KeyError("boom")

    async def walk() -> None:
        async with opened("apple_orange") as (pilot, screen):
            screen.run_line("step")
            await pilot.pause()

    monkeypatch.setenv("GRADSTEP_TRACEBACK", "1")
    monkeypatch.setattr(Debugger, "execute", fails)
    with pytest.raises(KeyError, match="boom"):
        await walk()


async def test_a_view_that_takes_long_comes_when_it_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = flow_pane.flow
    seen_enough = threading.Event()

    def slow(run: Any, *, whole: bool, progress: Callable[[int, int], None]) -> Any:
        while not seen_enough.wait(0.01):
            progress(1, 2)
        return made(run, whole=whole, progress=progress)

    monkeypatch.setattr(flow_pane, "flow", slow)
    async with opened("three_layer") as (pilot, screen):
        await pilot.press("end")
        seen: set[tuple[str | None, bool]] = set()
        screen.action_view("flow")
        await until(pilot, lambda: screen.busy)
        for _ in range(20):
            current = screen.query_one("#view", ContentSwitcher).current
            seen.add((current, "working" in header(screen)))
            await pilot.pause(0.01)
        seen_enough.set()
        await until(pilot, lambda: not screen.busy)
        assert seen == {("step", True)}  # the step stays, until the flow is there
        await pilot.pause()
        assert screen.query_one("#view", ContentSwitcher).current == "flow"
        assert "W1.grad" in text(screen.query_one("#flow", Pane))
        assert screen.query_one("#flow").has_focus


async def test_escape_gives_up_what_is_looked_up_and_a_command_looks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = flow_pane.flow

    def slow(_run: Any, *, whole: bool, progress: Callable[[int, int], None]) -> Any:
        del whole
        endless(progress)

    async with opened("three_layer") as (pilot, screen):
        await pilot.press("end")
        monkeypatch.setattr(flow_pane, "flow", slow)
        screen.action_view("flow")
        await until(pilot, lambda: " %, Escape cancels" in header(screen))
        await pilot.press("escape")
        await until(pilot, lambda: not screen.busy)
        pane = screen.query_one("#flow", Pane)
        assert GIVEN_UP in text(pane)
        assert "working" not in header(screen)
        monkeypatch.setattr(flow_pane, "flow", made)
        await pilot.resize_terminal(100, 30)  # it does not look again by itself
        assert GIVEN_UP in text(pane)
        await pilot.press("S")
        assert GIVEN_UP not in text(pane)
        assert "W1.grad" in text(pane)


async def test_a_table_is_sorted_in_the_background_and_never_by_the_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[threading.Thread] = []
    order, norms = nodes_pane.node_order, 6

    def slow(*_: Any, progress: Callable[[int, int], None], **__: Any) -> Any:
        threads.append(threading.current_thread())
        endless(progress)

    async with opened("three_layer") as (pilot, screen):
        await pilot.press("end")
        screen.action_view("nodes")
        await pilot.pause()
        pane = screen.query_one("#nodes", nodes_pane.NodesPane)
        monkeypatch.setattr(nodes_pane, "node_order", slow)
        pane._sort(norms)
        await until(pilot, lambda: " %, Escape cancels" in header(screen))
        for width in (130, 120):
            await pilot.resize_terminal(width, 36)  # rows that are there stay there
            assert " x0 " in text(pane)
        assert screen.busy
        await pilot.press("escape")
        await until(pilot, lambda: not screen.busy)
        assert GIVEN_UP in text(pane)
        assert threading.main_thread() not in threads
        monkeypatch.setattr(nodes_pane, "node_order", order)
        await pilot.press("S")
        trace = screen.debugger.trace
        position = screen.debugger.position
        largest = order(trace, position, "norm", descending=True)[0]
        await pilot.press("ctrl+home")
        first = next(line for line in text(pane).split("\n") if "▸" in line)
        assert f" {trace.run.graph.nodes[largest].name} " in first


async def test_commands_do_not_wait_for_what_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare = WhyPane.prepare

    def slow(pane: WhyPane, view: View) -> None:
        if view.debugger.position in (1, 2):
            pane._kept.make(
                view.debugger.position, lambda: endless(view.debugger.progress)
            )
        prepare(pane, view)

    monkeypatch.setattr(WhyPane, "prepare", slow)
    async with opened("apple_orange") as (pilot, screen):
        for line in ("step", "step", "print 7", "step"):
            screen.run_line(line)
        await until(pilot, lambda: not screen.busy)
        assert screen.debugger.position == 3
        assert screen.debugger.memory.history == ["step", "step", "print 7", "step"]
        assert "event 3/13" in header(screen)
        assert "Why z" in screen.query_one(WhyPane).titles[0]


async def test_a_choice_while_something_is_looked_up_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare = WhyPane.prepare
    slowly = [True]

    def slow(pane: WhyPane, view: View) -> None:
        if slowly:
            slowly.clear()
            pane._kept.make(None, lambda: endless(view.debugger.progress))
        prepare(pane, view)

    async with opened("apple_orange") as (pilot, screen):
        await pilot.press("end")
        monkeypatch.setattr(WhyPane, "prepare", slow)
        screen.run_line("goto 9")
        assert screen.busy
        pane = screen.query_one("#graph", Pane)
        pane.focus()
        await pilot.press("right")
        await until(pilot, lambda: not screen.busy)
        assert screen._chosen is not None
        name = screen.debugger.graph.nodes[screen._chosen.node].name
        assert f"Why {name}" in screen.query_one(WhyPane).titles[0]


async def test_a_command_cannot_start_while_one_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute = Debugger.execute

    def slow(debugger: Debugger, line: str, *more: Any) -> Any:
        if line == "check":
            endless(debugger.progress)
        return execute(debugger, line, *more)

    monkeypatch.setattr(Debugger, "execute", slow)
    async with opened("apple_orange") as (pilot, screen):
        screen.run_line("check")
        await until(pilot, lambda: "working" in header(screen))
        await pilot.press("s", "S", "w")
        answer = "still busy; Escape cancels"  # but not to what comes within a second
        await until(pilot, lambda: said(screen).count(answer) == 3)
        await pilot.resize_terminal(80, 24)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.busy)
        assert "interrupted; what was done is kept" in said(screen)
        assert screen.debugger.position == 0
        await pilot.press("s")
        assert screen.debugger.position == 1


@pytest.mark.parametrize("keys", [("ctrl+o", *"matmul", "enter"), ("q",)])
async def test_work_ends_with_its_screen(
    keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    def slow(debugger: Debugger, *_: Any) -> Any:
        try:
            endless(debugger.progress)
        except Interrupted:
            ended.append("interrupted")
            raise

    monkeypatch.setattr(Debugger, "execute", slow)
    async with opened("apple_orange") as (pilot, screen):
        screen.run_line("check")
        await until(pilot, lambda: "working" in header(screen))
        await pilot.press("ctrl+o", "escape")
        assert screen.busy  # it is the screen that is left, not looked away from
        await pilot.press(*keys)
        await driving.until(lambda: ended or not pilot.app.is_running)
    await driving.until(lambda: ended)
    assert ended == ["interrupted"]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_no_frame_shows_a_view_without_its_contents(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_PATIENCE", PATIENCE)
    app = GradstepApp(load("three_layer"))
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, MainScreen)
        for line in ("catch nan", "display E", "check", "goto 80%"):
            screen.run_line(line)
        await until(pilot, lambda: not screen.busy)
        frames: list[tuple[str, str]] = []
        display = app._display

        def seen(shown: Screen[Any], renderable: Any) -> None:
            display(shown, renderable)
            name = screen.query_one("#view", ContentSwitcher).current
            pane = screen.query_one(f"#{name}", Pane)
            strips = shown._compositor.render_strips()
            inner = pane.region.shrink(pane.gutter)
            lines = [
                s.crop(inner.x, inner.right) for s in strips[inner.y : inner.bottom]
            ]
            frames.append((str(name), "\n".join(s.text for s in lines).strip()))

        monkeypatch.setattr(app, "_display", seen)
        for name in (*list(VIEWS)[1:], "step"):
            await pilot.press(DIGITS[name])
            shows = partial(lambda name: bool(frames) and frames[-1][0] == name, name)
            await until(pilot, shows)
        assert {name for name, _ in frames} == set(VIEWS)
        assert all(shown for _, shown in frames), [
            n for n, shown in frames if not shown
        ]


def test_what_is_kept_is_made_once_and_may_be_given_up() -> None:
    made: list[str] = []

    def make(name: str) -> Callable[[], str]:
        def how() -> str:
            made.append(name)
            if name == "never":
                raise Interrupted
            return name

        return how

    kept: Kept[str] = Kept()
    kept.make("a", make("one"))
    assert kept.of("a", make("other")) == "one"
    assert kept.of("b", make("two")) == "two"
    kept.make("c", make("never"))
    assert kept.of("c", make("never")) is None  # the screen does not try again
    kept.make("c", make("three"))
    assert kept.of("c", make("other")) == "three"
    kept.make("c", make("other"))
    assert made == ["one", "two", "never", "three"]


async def test_nothing_is_begun_for_a_screen_that_is_closed() -> None:
    async with opened("apple_orange") as (pilot, screen):
        await until(pilot, lambda: not screen.busy)
        before, position = threading.active_count(), screen.debugger.position
        screen._lines.work.close()
        screen.run_line("step")
        await until(pilot, lambda: threading.active_count() == before - 1)
        assert not screen.busy
        assert screen.debugger.position == position
