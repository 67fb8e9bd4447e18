"""The documentation says what the program does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.binding import Binding

from gradstep.core.commands import COMMANDS, GROUPS
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.ops import OPS, elementwise, linalg, nn, reduce, shape
from gradstep.core.ops.table import REQUIRED, Op, Parameter
from gradstep.core.program.constructors import CONSTRUCTORS
from gradstep.core.program.prelude import PRELUDE
from gradstep.core.scenario.scenario import load
from gradstep.core.session.expression import FUNCTIONS
from gradstep.core.session.script import parse_script, run_script
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.base.views import VIEWS
from gradstep.tui.panes.console import ConsolePane
from gradstep.tui.panes.graph import GraphPane
from gradstep.tui.panes.homes import view
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.why import WhyPane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradstep.core.commands.table import Command
    from gradstep.tui.panes.base.pane import Pane

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
    return _cells(*cells)


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def test_the_commands_are_those_of_the_table() -> None:
    # After a change of the table, put what this shows into the page.
    wanted = MADE.sub(lambda m: f"{m[1]}\n{command_reference()}\n{m[2]}", TEXT)
    assert wanted == TEXT, wanted


PANES_PAGE = PAGE.with_name("application.md")
PANES = re.compile(r"(?s)(<!-- panes:[^\n]*-->\n).*(<!-- end of panes -->)")


def pane_reference() -> str:
    return "\n".join(_pane_lines())


def _pane_lines() -> Iterator[str]:
    others = [view(name) for name in VIEWS if name != "step"]
    always: list[type[Pane]] = [ProgramPane, GraphPane, StepPane, WhyPane, ConsolePane]
    for pane in (*always, *others):
        yield f"### {pane.TITLE}\n\n```text\n{pane.HELP}\n```\n"


def test_the_panes_are_those_of_the_application() -> None:
    # After a change of a pane's help, put what this shows into the page.
    text = PANES_PAGE.read_text(encoding="utf-8")
    wanted = PANES.sub(lambda m: f"{m[1]}\n{pane_reference()}\n{m[2]}", text)
    assert wanted == text, wanted


def test_every_key_of_the_screen_is_there() -> None:
    text = PANES_PAGE.read_text(encoding="utf-8")
    names = {
        "colon": ":",
        "question_mark": "?",
        "greater_than_sign": ">",
        "less_than_sign": "<",
        "escape": "Esc",
        "space": "Space",
    }
    for binding in MainScreen.BINDINGS:
        assert isinstance(binding, Binding)
        if binding.action.startswith(("press", "view")):
            continue  # those of commands are in their table; the views are numbered
        key = binding.key
        if key.startswith("ctrl+"):
            key = "+".join(word.capitalize() for word in key.split("+"))
        key = names.get(key, key)
        assert f"`{key}`" in text, key


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
    debugger = names["debugger"]
    assert isinstance(debugger, Debugger)
    assert "0 · ∞ is NaN" in debugger.why().text[0]


# ---------------------------------------------------------------------- operations

OPERATIONS = PAGE.parent / "operations.md"
FAMILIES = {
    "Element by element": elementwise.ROWS,
    "Of many numbers one": reduce.ROWS,
    "Sums of products": linalg.ROWS,
    "Moving and picking": shape.ROWS,
    "Networks": nn.ROWS,
}


def operation_reference() -> str:
    lines: list[str] = []
    for family, rows in FAMILIES.items():
        lines += [f"### {family}", "", "| call | is | derivative |", "|---|---|---|"]
        lines += [_operation(op) for op in rows if op.name != "getitem"]
        lines += ["", *_corners(rows), ""]
    return "\n".join(lines)


def _corners(rows: tuple[Op, ...]) -> list[str]:
    """Return what is said of corners, once where several operations say the same."""
    said: dict[str, list[str]] = {}
    for op in rows:
        said.setdefault(op.corner, []).append(f"`{op.name}`")
    return [f"- {', '.join(names)}: {what}." for what, names in said.items() if what]


def _operation(op: Op) -> str:
    settings = [one for one in op.parameters if one.name != "part"]
    rest = [f"[{op.operands[0][0]}1, …]"] if op.variadic else list(op.operands)
    order = [*rest, *(_setting(one) for one in settings)]
    if op.order:  # einsum
        order = ["subscripts", "a, b, …"]
    for number in range(len(rest) - op.optional, len(rest)):
        order[number] += "=None"
    words = dict(zip(op.operands, op.operands, strict=True)) | {"y": "y", "g": "g"}
    words |= {one.name: one.name for one in settings}
    slopes = [form.local.format_map(words) if form else "" for form in op.forms]
    named = zip(op.operands, slopes, strict=False)
    by = slopes if len(op.operands) == 1 else [f"by {k}: {s}" for k, s in named if s]
    names = "".join(f", also `{alias}`" for alias in op.aliases)
    call = f"`{op.name}({', '.join(order)})`{names}"
    return _cells(call, op.summary, "; ".join(by))


def _setting(parameter: Parameter) -> str:
    if parameter.default is REQUIRED:
        return parameter.name
    return f"{parameter.name}={parameter.default!r}"


def recipe_reference() -> str:
    heads = re.findall(r"(?m)^def (.*):$", PRELUDE)
    return "\n".join(["```python", *heads, "```", ""])


def constant_reference() -> str:
    calls = (
        f"{name}({', '.join(map(_setting, one.parameters))})"
        for name, one in CONSTRUCTORS.items()
    )
    return "\n".join(["```python", *calls, "```", ""])


@pytest.mark.parametrize(
    ("part", "made"),
    [
        ("operations", operation_reference),
        ("recipes", recipe_reference),
        ("constants", constant_reference),
    ],
)
def test_the_operations_are_those_of_the_table(
    part: str, made: Callable[[], str]
) -> None:
    # After a change of a table, put what this shows into the page.
    text = OPERATIONS.read_text(encoding="utf-8")
    place = re.compile(rf"(?s)(<!-- {part}:[^\n]*-->\n).*(<!-- end of {part} -->)")
    assert place.search(text)
    wanted = place.sub(lambda m: f"{m[1]}\n{made()}\n{m[2]}", text)
    assert wanted == text, wanted


def test_every_operation_is_in_one_family() -> None:
    assert [op.name for rows in FAMILIES.values() for op in rows] == list(OPS)
