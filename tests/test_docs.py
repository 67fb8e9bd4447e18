"""The documentation says what the program does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gradstep.core.commands import COMMANDS, GROUPS
from gradstep.core.commands.table import Command
from gradstep.core.debugger import Debugger
from gradstep.core.expression import FUNCTIONS
from gradstep.core.scenario import load
from gradstep.core.script import parse_script, run_script

PAGE = Path(__file__).parents[1] / "docs" / "debugger.md"
TEXT = PAGE.read_text(encoding="utf-8")
MADE = re.compile(r"(?s)(<!-- commands:[^\n]*-->\n).*(<!-- end of commands -->)")


def command_reference() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for group, rows in GROUPS.items():
        yield f"### {group.capitalize()}\n"
        yield "| command | alias | arguments | keys | does |\n|---|---|---|---|---|"
        yield from (_row(COMMANDS[row.name]) for row in rows)
        yield ""


def _row(command: Command) -> str:
    cells = (
        f"`{command.name}`",
        f"`{command.alias}`" if command.alias else "",
        f"`{command.usage}`" if command.usage else "",
        " ".join(f"`{key}`" for key in command.keys),
        " ".join((command.summary + ".", *command.help.splitlines())),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def test_the_commands_are_those_of_the_table() -> None:
    # After a change of the table, put what this shows into the page.
    wanted = MADE.sub(lambda m: f"{m[1]}\n{command_reference()}\n{m[2]}", TEXT)
    assert wanted == TEXT, wanted


def test_every_function_of_an_expression_is_there() -> None:
    assert all(f"`{name}" in TEXT for name in FUNCTIONS)


def test_the_script_of_the_page_runs() -> None:
    [script] = re.findall(r"(?s)```\n(goto end.*?)```", TEXT)
    lines = parse_script(script, str(PAGE))
    outcome = run_script(lines, Debugger(load("apple_orange")).execute)
    assert outcome.failures == ()


def test_the_python_of_the_page_runs() -> None:
    [code] = re.findall(r"(?s)```python\n(.*?)```", TEXT)
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102  # what a person copies has to run
    bug = names["bug"]
    assert isinstance(bug, Debugger)
    assert "0 · ∞ is NaN" in bug.why().text[0]
