"""The picker beside its files: they are read and drawn while a person goes on."""

from __future__ import annotations

from contextlib import asynccontextmanager
from threading import Event
from typing import TYPE_CHECKING

import pytest
from textual.widgets import OptionList

from driving import painted, press, settle, until
from gradstep.core.base.errors import ScenarioError
from gradstep.core.base.limits import LIMITS
from gradstep.core.scenario.scenario import Scenario, load
from gradstep.tui.app import picker
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.picker import Choice, Picker, found_in
from patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gradstep.core.base.limits import Limits
    from gradstep.core.base.progress import Progress

LINES = 300
TEXT = "gradstep = 1\nprogram = '''\n{lines}\n'''\n[inputs]\nx = 2.0\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two scenarios, in which the application begins."""
    for name in ("one", "two"):
        lines = "\n".join(f"{name}{n} = x * {n}" for n in range(LINES))
        (tmp_path / f"{name}.toml").write_text(TEXT.format(lines=lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(app: GradstepApp) -> list[str]:
    """Return the lines of the list."""
    listing = app.screen.query_one(OptionList)
    options = (listing.get_option_at_index(n) for n in range(listing.option_count))
    return [str(one.prompt).strip() for one in options]


class Slow:
    """Loads one file at once, and another one when it is let go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits, self.go_on = Event(), Event()
        monkeypatch.setattr(picker, "load", self)

    def __call__(
        self,
        path: str,
        limits: Limits | None = None,
        progress: Progress | None = None,
        *,
        listed: bool = False,
    ) -> Scenario:
        if path.endswith("two.toml"):
            self.waits.set()
            self.go_on.wait(PATIENCE)
        return load(path, limits or LIMITS, progress, listed=listed)


@asynccontextmanager
async def reading(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[GradstepApp, Slow]]:
    """Open the picker, and wait until it reads the second file."""
    slow, app = Slow(monkeypatch), GradstepApp()
    async with app.run_test(size=(120, 36)):
        await until(slow.waits.is_set)
        await until(lambda: any("reading the files here" in one for one in listed(app)))
        yield app, slow


def test_files_are_told_while_they_are_read(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    found = list(found_in(folder, lambda done, of: told.append((done, of))))
    assert [one.title for one in found] == ["one", "two"]
    shares = [done / of for done, of in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.5 < shares[-1] < 1
    # Of each file: that it begins; its lines are gone through twice, each 64th is told.
    assert len(told) == 2 * (1 + 2 * len(range(0, LINES, 64)))


def test_no_file_is_run_to_be_listed(folder: Path) -> None:
    # This mistake changes nothing, which only a run tells.
    text = "gradstep = 1\nprogram = 'y = x * 0 + 1'\n[parameters]\nx = 2.0\n"
    hidden = "[hidden]\nrule = 'y._1<-x'\nmistake = 'sign'\n"
    (folder / "hides.toml").write_text(text + hidden)
    found = {one.title: one for one in found_in(folder)}
    assert found["hides"].scenario is not None
    with pytest.raises(ScenarioError, match="sign changes no gradient"):
        load(folder / "hides.toml")


async def test_files_come_into_the_list_as_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with reading(monkeypatch) as (app, slow):
        press(app, "down")
        await settle(app)
        listing = app.screen.query_one(OptionList)
        chosen = listing.highlighted_option
        assert chosen is not None
        slow.go_on.set()
        await until(lambda: any(one.startswith("two ") for one in listed(app)))
        await until(lambda: not any("reading" in one for one in listed(app)))
        assert any(one.startswith("one ") for one in listed(app))
        # What was highlighted stays so.
        kept = listing.highlighted_option
        assert kept is not None
        assert kept.id == chosen.id


async def test_escape_gives_up_reading_and_then_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with reading(monkeypatch) as (app, slow):
        press(app, "escape")
        await settle(app)
        assert isinstance(app.screen, Picker)
        slow.go_on.set()
        said = "the other files were not read"
        await until(lambda: said in listed(app))
        assert any(one.startswith("one ") for one in listed(app))
        assert not any(one.startswith("two ") for one in listed(app))
        press(app, "escape")
        await until(lambda: not app.is_running)
    assert app.return_value == 0


async def test_a_preview_that_takes_long_is_drawn_beside_the_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = Event(), Event()
    drawn = picker.preview

    def slow(choice: Choice, room: picker.Size) -> object:
        if "xor" in choice.path:
            begun.set()
            go_on.wait(PATIENCE)
        return drawn(choice, room)

    monkeypatch.setattr(picker, "preview", slow)
    app = GradstepApp()
    async with app.run_test(size=(120, 36)):
        await settle(app)
        press(app, *"xor")
        await until(begun.is_set)
        await until(lambda: "drawing …" in "\n".join(painted(app.screen)))
        press(app, *["backspace"] * 3, *"apple")
        await settle(app)
        go_on.set()
        # What was asked for last is shown, not what was drawn for the one before.
        await until(lambda: "output" in "\n".join(painted(app.screen)))
        screen = "\n".join(painted(app.screen))
        assert "apple_orange" in screen
        assert "drawing …" not in screen
