"""Make what the documentation says of tables and of output anew: `make docs`.

A page has parts between `<!-- NAME: … -->` and `<!-- end of NAME -->`, each made from a
table of the program. A block that begins with `$ gradstep` has below it what that
command prints; at a prompt the lines that begin with `(gradstep)` are typed. A block of
TOML whose first line is `# NAME.toml` is a file that the commands of its page can use.
"""

from __future__ import annotations

import inspect
import io
import os
import re
import shlex
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from itertools import chain
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from unittest import mock

import gradstep
from gradstep import Problem, Reply, Stopped
from gradstep.core.base.limits import CAPTURES, LIMITS, RAISED
from gradstep.core.commands import COMMANDS, GROUPS
from gradstep.core.debugger.by_name import ByName
from gradstep.core.ops import ALIASES, MODULES, OPS
from gradstep.core.ops.table import REQUIRED
from gradstep.core.practice.glossary import SMALL, WORDS, small
from gradstep.core.program.calls import brackets
from gradstep.core.program.constructors import CONSTRUCTORS
from gradstep.core.program.prelude import PRELUDE
from gradstep.tui.cli import arguments
from gradstep.tui.cli.main import run
from gradstep.tui.panes.base.views import VIEWS
from gradstep.tui.panes.console import ConsolePane
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.homes import view
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.why import WhyPane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gradstep.core.commands.table import Command
    from gradstep.core.ops.table import Op, Parameter
    from gradstep.tui.panes.base.pane import Pane

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_HELP_WIDTH: Final = 80  # columns of a line of help
_SHOWN: Final = re.compile(r"(?s)(```text\n\$ gradstep ([^\n]*)\n)(.*?)```")
_FILE: Final = re.compile(r"(?s)```toml\n# (\w+\.toml)\n(.*?)```")


def renewed(page: str) -> str:
    """Return a page with everything in it made anew that is made."""
    for name, make in PARTS.items():
        part = re.compile(rf"(?s)(<!-- {name}:[^\n]*-->\n).*(<!-- end of {name} -->)")
        page = part.sub(lambda m, make=make: f"{m[1]}\n{make()}\n{m[2]}", page)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for name, text in _FILE.findall(page):
            Path(name).write_text(text, "utf-8")
        return _SHOWN.sub(lambda m: f"{m[1]}{printed(m[2], m[3])}\n```", page)


def printed(command: str, below: str) -> str:
    """Return what a command prints; at a prompt what was typed stands in between."""
    typed = "".join(re.findall(r"(?m)^\(gradstep\) (.*\n?)", f"{below}\n"))
    words = shlex.split(command)
    if typed:
        words += ["--echo", "--keep-going"]
    stdin, stdout = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    stdin.write(typed)
    stdin.seek(0)
    with (
        mock.patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1"}),
        mock.patch.object(sys, "stdin", stdin),
        redirect_stdout(stdout),
        redirect_stderr(io.StringIO()),
    ):
        run(words)
    stdout.seek(0)
    lines = [line.rstrip() for line in stdout.read().strip("\n").split("\n")]
    if lines == [""]:
        message = f"gradstep {command} prints nothing"
        raise ValueError(message)
    return "\n".join(lines)


# -------------------------------------------------------------------------- commands


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


# ------------------------------------------------------------------------- from Python


def name_reference() -> str:
    rows = [_cells(f"`{name}`", _sentence(name)) for name in gradstep.__all__]
    return "\n".join(["| name | is |", "|---|---|", *rows, ""])


def _sentence(name: str) -> str:
    """Return the first line of the docstring of a public name; a table has none."""
    if name == "OPS":
        return "The [operations](operations.md), by name."
    return (inspect.getdoc(getattr(gradstep, name)) or "").partition("\n")[0]


def data_reference() -> str:
    lines = ["| method | data of its reply |", "|---|---|"]
    named = zip(_method_names(), COMMANDS.values(), strict=True)
    lines += [_cells(f"`{method}`", f"{command.data}.") for method, command in named]
    return "\n".join([*lines, ""])


def _method_names() -> Iterator[str]:
    """Yield the name of the method of each command."""
    methods = {name.strip("_").replace("_", "-"): name for name in vars(ByName)}
    return (methods[name] for name in COMMANDS)


def reply_reference() -> str:
    return f"{_fields(Reply)}\nA `Stopped` has:\n\n{_fields(Stopped)}"


def problem_reference() -> str:
    return _fields(Problem)


def _fields(record: type) -> str:
    """Return what the docstring of a record tells of its fields, as a table."""
    told = re.findall(r"(?m)^- (.*?): (.*)$", inspect.getdoc(record) or "")
    return "\n".join(
        ["| field | is |", "|---|---|", *(_cells(*row) for row in told), ""]
    )


# ---------------------------------------------------------------------- keys, options


def key_reference() -> str:
    lines = ["| key | writes | does |", "|---|---|---|"]
    for command in COMMANDS.values():
        if command.keys:
            keys = ", ".join(f"`{key}`" for key in command.keys)
            lines.append(_cells(keys, f"`{command.name}`", f"{command.summary}."))
    return "\n".join([*lines, ""])


def option_reference() -> str:
    lines: list[str] = []
    for name, command in arguments.COMMANDS.items():
        lines += [f"### gradstep {name}", "", f"{command.summary.capitalize()}.", ""]
        if command.arguments:
            lines += ["| argument | is |", "|---|---|"]
            lines += [_option(one) for one in command.arguments]
            lines.append("")
    return "\n".join(lines)


def _option(one: arguments.Argument) -> str:
    known = f"one of {', '.join(one.names)}" if one.names else ""
    return _cells(f"`{one.usage}`", (one.help or known).replace("%%", "%"))


def limit_reference() -> str:
    rows = (
        _cells(f"`{n}`", *(f"{getattr(of, n):,}" for of in (LIMITS, CAPTURES)), what)
        for n, what in RAISED.items()
    )
    head = "| limit | at most | in a capture | of what |"
    return "\n".join([head, "|---|---|---|---|", *rows, ""])


# ----------------------------------------------------------------------------- panes


def pane_reference() -> str:
    return "\n".join(_pane_lines())


def _pane_lines() -> Iterator[str]:
    others = [view(name) for name in VIEWS if name != "step"]
    always: list[type[Pane]] = [ProgramPane, GraphPane, StepPane, WhyPane, ConsolePane]
    for pane in (*always, *others):
        lines = (
            wrap(line, _HELP_WIDTH) or [""] for line in (pane.HELP or "").split("\n")
        )
        text = "\n".join(chain.from_iterable(lines))
        yield f"### {pane.TITLE}\n\n```text\n{text}\n```\n"


# ------------------------------------------------------------------------ operations

FAMILIES = {
    "Element by element": "elementwise",
    "Of many numbers one": "reduce",
    "Sums of products": "linalg",
    "Square matrices": "inverses",
    "Moving and picking": "shape",
    "Networks": "nn",
}


def rows_of(family: str) -> list[Op]:
    """Return the rows in the modules of a family, in order."""
    modules = (module for module in MODULES if module.partition(".")[0] == family)
    return [OPS[name] for module in modules for name in MODULES[module].split()]


def operation_reference() -> str:
    lines: list[str] = []
    for family, package in FAMILIES.items():
        rows = rows_of(package)
        lines += [f"### {family}", "", "| call | is | derivative |", "|---|---|---|"]
        lines += [_operation(op) for op in rows if op.name != "getitem"]
        lines += ["", *_corners(rows), ""]
    return "\n".join(lines)


def _corners(rows: list[Op]) -> list[str]:
    """Return what is said of corners, once where several operations say the same."""
    said: dict[str, list[str]] = {}
    for op in rows:
        said.setdefault(op.corner, []).append(f"`{op.name}`")
    return [f"- {', '.join(names)}: {what}." for what, names in said.items() if what]


def _operation(op: Op) -> str:
    settings = [one for one in op.parameters if one.name != "part"]
    shown = {one.name: _setting(one) for one in settings}
    shown |= {name: name for name in op.operands}
    if op.variadic:
        first = op.operands[0]
        shown[first] = "a, b, …" if op.order else f"[{first[0]}1, …]"
    for name in op.operands[len(op.operands) - op.optional :]:
        shown[name] += "=None"
    order = [shown[name] for name in op.order or shown_order(op)]
    words = dict(zip(op.operands, op.operands, strict=True)) | {"y": "y", "g": "g"}
    words |= {one.name: one.name for one in settings}
    slopes = [form.local.format_map(words) if form else "" for form in op.forms]
    named = zip(op.operands, slopes, strict=False)
    by = slopes if len(op.operands) == 1 else [f"by {k}: {s}" for k, s in named if s]
    names = "".join(
        f", also `{alias}`" for alias in ALIASES if ALIASES[alias] == op.name
    )
    call = (
        brackets(op) if op.variadic and op.written else f"{op.name}({', '.join(order)})"
    )
    call = f"`{call}`{names}"
    return _cells(call, op.summary, "; ".join(by))


def shown_order(op: Op) -> tuple[str, ...]:
    """Return the arguments of a call, operands first."""
    settings = (one.name for one in op.parameters if one.name != "part")
    return (*op.operands[: 1 if op.variadic else None], *settings)


def _setting(parameter: Parameter) -> str:
    if parameter.default is REQUIRED:
        return parameter.name
    return f"{parameter.name}={parameter.default!r}"


def recipe_reference() -> str:
    found = re.findall(r"(?ms)^def ([^:]*):$", PRELUDE)
    heads = [
        re.sub(r"\s+", " ", one).replace("( ", "(").replace(" )", ")") for one in found
    ]
    return "\n".join(["```python", *heads, "```", ""])


def constant_reference() -> str:
    calls = (
        f"{name}({', '.join(map(_setting, one.parameters))})"
        for name, one in CONSTRUCTORS.items()
    )
    return "\n".join(["```python", *calls, "```", ""])


# -------------------------------------------------------------------------- glossary


def word_reference() -> str:
    """Return all words, each with its example from the small net."""
    scene = small()
    lines = ["| word | means | for example |", "|---|---|---|"]
    for word in WORDS:
        also = f" ({', '.join(word.also)})" if word.also else ""
        cells = f"**{word.name}**{also}", word.sentence, f"`{word.example(scene)}`"
        lines.append(_cells(*cells))
    return "\n".join([*lines, ""])


def net_reference() -> str:
    return f"```toml\n{SMALL}```\n"


# The parts that are made, by name.
PARTS: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "commands": command_reference,
        "names": name_reference,
        "replies": reply_reference,
        "problems": problem_reference,
        "data": data_reference,
        "keys": key_reference,
        "options": option_reference,
        "limits": limit_reference,
        "panes": pane_reference,
        "operations": operation_reference,
        "recipes": recipe_reference,
        "constants": constant_reference,
        "words": word_reference,
        "net": net_reference,
    }
)


def main() -> None:
    """Write all pages anew."""
    for path in PAGES:
        path.write_text(renewed(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
