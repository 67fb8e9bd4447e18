"""What is there when the application opens, and what waits until somebody asks."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from time import sleep

import pytest
from textual.color import Color

from driving import painted, press, settle, until
from gradstep.core.base.errors import InputError
from gradstep.core.base.exits import INTERRUPTED, WRONG
from gradstep.core.base.limits import Limits
from gradstep.core.base.progress import Progress
from gradstep.core.scenario.scenario import Scenario, load
from gradstep.tui.app import app as app_module
from gradstep.tui.app import overlay
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.arrangement import (
    Arrangement,
    load_arrangement,
    save_arrangement,
)
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.messages import Open
from gradstep.tui.app.themes import LIGHT
from gradstep.tui.cli import opening, output
from gradstep.tui.cli.main import run
from gradstep.tui.cli.opening import Opening, application
from gradstep.tui.panes.base.pane import View
from gradstep.tui.panes.base.views import VIEWS
from gradstep.tui.panes.homes import HOMES
from gradstep.tui.session import reloading
from patience import PATIENCE

FIRST_FRAME = """
import asyncio, gc, sys
from gradstep.tui.cli.opening import application

async def main():
    async with application("apple_orange").run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        print(pilot.app.screen.debugger.subject.name, gc.isenabled())

asyncio.run(main())
print(*sys.modules, sep="\\n")
"""
LATER = [
    "gradstep.core.check",
    "gradstep.core.explain.derive",
    "gradstep.core.explain.why.answer",
    "gradstep.core.session.script",
    *(f"gradstep.core.training.{name}" for name in ("iterations", "batches")),
    "gradstep.core.ops.optimizers",
    "gradstep.core.scenario.arrays",
    *(f"gradstep.core.pictures.{name}" for name in ("flow", "plot")),
    *(f"gradstep.core.export.{n}" for n in ("dot", "latex", "numpy_code", "records")),
    *(f"gradstep.tui.app.{name}" for name in ("overlay", "palette", "picker")),
    *(f"gradstep.tui.draw.{n}" for n in ("matrix", "playback", "step", "tables")),
    "gradstep.tui.draw.reports",
    *(f"gradstep.tui.export.{name}" for name in ("documents", "frames", "page")),
    *(f"gradstep.tui.cli.{name}" for name in ("scripts", "sharing", "tasks")),
    *(f"gradstep.tui.panes{HOMES[name]}" for name in VIEWS if name != "step"),
]


def test_the_first_frame_waits_only_for_what_it_shows(
    python: Callable[[str], list[str]],
) -> None:
    first, *loaded = python(FIRST_FRAME)
    assert first == "apple_orange True"
    assert "gradstep.tui.app.main_screen" in loaded
    assert sorted({*LATER} & {*loaded}) == []


@pytest.mark.parametrize("name", LATER)
def test_what_waits_is_there(name: str) -> None:
    assert find_spec(name) is not None


def test_what_is_wrong_is_said_before_the_screen_is_taken(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        application("no such scenario")
    with pytest.raises(InputError):
        application("apple_orange", Opening(script=str(tmp_path / "missing.gs")))


async def test_the_remembered_theme_is_there_from_the_first_frame() -> None:
    save_arrangement(Arrangement(theme="gradstep-light"))
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        app = pilot.app
        assert app.theme == "gradstep-light"
        assert app.has_class("-light-mode")
        assert app.screen.styles.background == Color.parse(str(LIGHT.background))


async def test_a_theme_is_asked_for_once() -> None:
    save_arrangement(Arrangement(theme="gradstep-dark"))
    app = application("apple_orange", Opening(theme="gradstep-light"))
    async with app.run_test(size=(120, 36)):
        assert app.theme == "gradstep-light"
        assert app.screen.styles.background == Color.parse(str(LIGHT.background))
        assert isinstance(app.screen, MainScreen)
        app.screen.rearrange(app.screen.arrangement)
    assert load_arrangement().theme == "gradstep-dark"
    async with application("apple_orange").run_test(size=(120, 36)) as pilot:
        assert pilot.app.theme == "gradstep-dark"


def test_a_theme_that_there_is_not_is_told_as_by_snapshot(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "has_terminal", lambda: True)
    said: list[str] = []
    for words in (["run", "xor"], ["snapshot", "xor", "-o", "xor.svg"]):
        assert run([*words, "--theme", "gradstep-dakr"]) == WRONG
        said.append(capsys.readouterr().err)
    assert said[0] == said[1]
    assert "there is no 'gradstep-dakr'" in said[0]
    assert "did you mean 'gradstep-dark'?" in said[0]
    assert "--theme" in said[0]


async def test_a_theme_that_is_not_there_any_more_does_no_harm() -> None:
    save_arrangement(Arrangement(theme="gone"))
    async with GradstepApp(load("apple_orange")).run_test(size=(120, 36)) as pilot:
        assert pilot.app.theme == "gradstep-dark"


async def test_all_is_drawn_once_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[View] = []
    draw = MainScreen._draw

    def counted(screen: MainScreen, view: View) -> None:
        drawn.append(view)
        draw(screen, view)

    monkeypatch.setattr(MainScreen, "_draw", counted)
    async with GradstepApp(load("three_layer")).run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert len(drawn) == 1
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert len(drawn) == 2


UNFIT = """
gradstep = 1
title = "Unfit"
program = '''
E = cross_entropy(x, t)
'''
[inputs]
x = [[1.0, 2.0], [3.0, 4.0]]
t = [0.0, 5.0]
"""


def test_numbers_that_do_not_fit_are_told_before_the_screen_is_taken(
    tmp_path: Path,
) -> None:
    path = tmp_path / "unfit.toml"
    path.write_text(UNFIT)
    with pytest.raises(InputError, match="class numbers are whole numbers"):
        application(str(path))


async def test_what_cannot_be_run_is_told_and_the_open_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "unfit.toml"
    path.write_text(UNFIT)
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(120, 36)):
        before = app.screen
        app.post_message(Open(str(path)))
        await until(lambda: app._notifications)
        assert app.screen is before
        [told] = app._notifications
        assert "class numbers are whole numbers" in told.message
    picker = GradstepApp()
    async with picker.run_test(size=(120, 36)):
        picker.post_message(Open(str(path)))
        await until(lambda: picker._notifications)
        assert not isinstance(picker.screen, MainScreen)


# ----------------------------------------------------------- loading beside the screen


async def test_escape_gives_up_a_scenario_that_is_being_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The session stays, and what has been loaded by then opens nothing."""
    begun, go_on, loaded = Event(), Event(), Event()

    def slow(path: str, limits: Limits, progress: Progress) -> Scenario:
        begun.set()
        go_on.wait(PATIENCE)
        try:
            return load(path, limits, progress)
        finally:
            loaded.set()

    monkeypatch.setattr(reloading, "load", slow)
    monkeypatch.setattr(overlay, "SOON", 0.0)
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(120, 36)):
        before = app.screen
        app.post_message(Open("xor"))
        await until(begun.is_set)
        await until(lambda: isinstance(app.screen, overlay.Opening))
        assert app.busy
        text = "opening xor …  Escape gives it up"
        await until(lambda: text in "\n".join(painted(app.screen)))
        press(app, "escape")
        await until(lambda: app.screen is before)
        assert not app.busy
        go_on.set()
        await until(loaded.is_set)
        press(app, "s")
        await settle(app)
        assert app.screen is before
        assert isinstance(before, MainScreen)
        assert before.debugger.position == 1


async def test_a_first_run_says_how_far_it_is_and_can_be_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own thread ends: the run itself is told to stop."""
    path = tmp_path / "long.toml"
    lines = "\n".join(f"v{n} = v{n - 1} * x" for n in range(1, 400))
    text = f"gradstep = 1\nprogram = '''\nv0 = x\n{lines}\nE = sum(v399)\n'''\n"
    path.write_text(f"{text}[inputs]\nx = [1.0, 1.0]\n")
    ended: list[str] = []
    shares: list[tuple[int, int]] = []

    def watched(path: str, limits: Limits, progress: Progress) -> reloading.Loaded:
        def slow(done: int, of: int) -> None:
            if of <= len(lines.splitlines()) + 2:  # the load tells of twice as many
                shares.append((done, of))
                sleep(0.05)
            progress(done, of)

        found = opened(path, limits, slow)
        ended.append(found.said)
        return found

    opened = reloading.opened
    monkeypatch.setattr(app_module, "opened", watched)
    monkeypatch.setattr(overlay, "SOON", 0.0)
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=(120, 36)):
        before = app.screen
        app.post_message(Open(str(path)))
        await until(lambda: isinstance(app.screen, overlay.Opening))
        await until(lambda: shares)
        press(app, "escape")
        await until(lambda: ended)
        assert ended == ["it was given up"]
        assert {of for _, of in shares} <= {401, 400}
        await settle(app)
        assert app.screen is before


# ------------------------------------------------------- loading before the screen


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """Return a scenario of 300 lines."""
    path = tmp_path / "long.toml"
    lines = "\n".join(f"v{n} = x * {n}" for n in range(300))
    text = f"gradstep = 1\nprogram = '''\n{lines}\n'''\n[inputs]\nx = 2.0\n"
    path.write_text(text)
    return path


def test_a_load_before_the_screen_says_how_far_it_is(
    long: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_PATIENCE", 0.0)
    monkeypatch.setattr(opening, "_OFTEN", 0.0)
    application(str(long))
    *told, blank, end = capsys.readouterr().err.split("\r")
    assert not blank.strip()
    assert not end
    shares = [line.rpartition("… ")[2] for line in told if line.endswith("%")]
    # Two walks over 300 lines, told of each 64th.
    assert shares == [f"{100 * n // 600} %" for n in (*range(0, 300, 64),)] + [
        f"{100 * (300 + n) // 600} %" for n in range(0, 300, 64)
    ]


def test_a_quick_load_says_nothing(
    long: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_PATIENCE", PATIENCE)
    application(str(long))
    assert capsys.readouterr().err == ""


def test_a_load_that_is_given_up_leaves_a_clean_line(
    long: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_path: str, _limits: Limits, tell: Progress | None) -> Scenario:
        assert tell is not None
        tell(1, 2)
        raise KeyboardInterrupt

    monkeypatch.setattr(opening, "_PATIENCE", 0.0)
    with pytest.raises(KeyboardInterrupt):
        application(str(long), load=interrupted)
    assert capsys.readouterr().err.rpartition("%")[2].strip() == ""


def test_a_load_that_is_interrupted_ends_with_its_exit_code(
    long: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(long, progress=stopped)
    monkeypatch.setattr(output, "is_terminal", lambda _file: True)
    monkeypatch.setattr(output, "_PATIENCE", 0.0)
    monkeypatch.setattr(output.Progress, "update", lambda *_, **__: stopped(0, 0))
    assert run(["show", str(long)]) == INTERRUPTED
    assert "Traceback" not in capsys.readouterr().err
