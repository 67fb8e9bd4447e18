"""The tutorials: what they tell to type, to press and to expect is tried."""

from __future__ import annotations

import asyncio
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from driving import press, settle
from gradstep.core.expression.evaluate import truth
from gradstep.core.scenario.scenario import load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.cli import main as cli
from reference import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gradstep.core.debugger.debugger import Debugger
    from gradstep.core.scenario.scenario import Scenario

    Rows = Sequence[tuple[Sequence[str], str]]  # keys, and what is true then

PAGES = [ROOT / "docs" / f"{name}.md" for name in ("learner", "teacher", "engineer")]
with_keys = pytest.mark.parametrize("page", PAGES[:2], ids=lambda page: page.stem)
each_tutorial = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"(?s)```{kind}\n(.*?)```", page.read_text("utf-8"))


@each_tutorial
def test_no_command_of_a_tutorial_is_wrong(page: Path) -> None:
    shown = "".join(blocks(page, "text"))
    assert "$ gradstep" in shown
    assert "error:" not in shown


@with_keys
def test_the_lines_for_a_shell_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in blocks(page, "toml"):
        name = text.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(text, "utf-8")
    text = page.read_text("utf-8")
    inline = re.findall(r"`gradstep ([^`]+)`", text)
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    assert lines
    for line in lines:
        command = shlex.split(line)
        assert command[0] == "gradstep"
        if command[1] == "run":  # it waits for a person
            inline.append(line.removeprefix("gradstep "))
        else:
            assert cli.run(command[1:]) == 0, line
    for line in inline:
        command = shlex.split(line)
        if len(command) > 1:
            assert cli.parse(command), line
        assert command[0] in cli.COMMANDS, line


@each_tutorial
def test_the_python_of_a_tutorial_runs(page: Path) -> None:
    for code in blocks(page, "python"):
        made: dict[str, object] = {}
        exec(code, made)  # noqa: S102  # what a person copies has to run
        assert made.keys() > {"__builtins__"}


@each_tutorial
def test_every_number_of_the_prose_is_printed_by_the_program(page: Path) -> None:
    text = page.read_text("utf-8")
    prose = re.sub(r"(?s)```.*?```|`[^`]*`|\]\([^)]*\)", " ", text)
    made = "".join(blocks(page, r"\w+")) + " ".join(re.findall("`[^`]*`", text))
    known = {"80", "24", "400", "200", "660", "600"}  # by hand, or the size of a window
    for number in re.findall(r"\d+\.\d+|\d{2,}", prose):
        assert number in known or number in made, number


def holds(debugger: Debugger, text: str) -> bool:
    return truth(debugger.expression(text).evaluate(debugger.state()))


ROW = re.compile(r"(?m)^\| ((?:`[^`]+` ?)+)\| `([^`]+)` \|$")


def named(keys: str) -> list[str]:
    """Return the names of keys that are written `a` `End`."""
    return [
        key.lower() if key in {"Home", "End"} else key for key in keys.split("`")[1::2]
    ]


def pressed(page: Path) -> Iterator[tuple[Scenario, Rows]]:
    """Yield each scenario that a page opens, with its rows: keys, what is true then."""
    own = {text.split("\n")[0][2:]: parse(text) for text in blocks(page, "toml")}
    text = page.read_text("utf-8")
    for part in re.split(r"```sh\ngradstep run ", text)[1:]:
        name = part.partition("\n")[0]
        rows = [(named(keys), wanted) for keys, wanted in ROW.findall(part)]
        yield own.get(name) or load(name), rows


@with_keys
def test_the_keys_do_what_the_page_says(page: Path) -> None:
    async def scene(scenario: Scenario, rows: Rows) -> None:
        app = GradstepApp(scenario)
        async with app.run_test(size=(80, 24)):
            await settle(app)
            for keys, wanted in rows:
                for key in keys:
                    press(app, key)
                    await settle(app)
                assert isinstance(app.screen, MainScreen)
                assert holds(app.screen.debugger, wanted), wanted

    found = list(pressed(page))
    assert sum(len(rows) for _, rows in found) >= 4
    for scenario, rows in found:
        assert rows
        asyncio.run(scene(scenario, rows))
