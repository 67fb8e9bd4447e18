"""What stands once: no second list of the operations, the formats or the optimisers."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from gradstep.core.base import exits
from gradstep.core.check.differences import SCHEMES
from gradstep.core.export.formats import FORMATS
from gradstep.core.ops import ALIASES, OPS
from gradstep.core.ops.optimizers import OPTIMIZERS
from gradstep.tui.cli.arguments import COMMANDS

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path for name in ("core", "tui") for path in (ROOT / name).rglob("*.py")
)
# What a framework calls its functions is no knowledge of our operations.
OUTSIDE = [
    path
    for path in MODULES
    if path.parent != ROOT / "core" / "ops"
    and path.parent.name not in ("rows", "numpy")
]
NAMES = {*OPS, *ALIASES, *OPTIMIZERS}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def texts(nodes: list[ast.expr | None]) -> set[str]:
    values = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return {value for value in values if isinstance(value, str)}


def listed(source: str) -> Iterator[set[str]]:
    """Yield the names of operations and optimisers in each list, two or more."""
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.expr | None] = []
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            parts += node.elts
        elif isinstance(node, ast.Dict):
            parts += node.keys
        found = texts(parts) & NAMES
        if len(found) > 1:
            yield found


def compared(source: str) -> Iterator[set[str]]:
    """Yield the operations that a `.name` is compared with."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(
                isinstance(one, ast.Attribute) and one.attr == "name" for one in sides
            ):
                yield from filter(None, [texts([*sides]) & NAMES])


# The words of LaTeX and of the parameter `reduction` are not those of the table.
WORDS = [{"arctan", "cos", "exp", "log", "max", "min", "sin", "tanh"}, {"mean", "sum"}]


@pytest.mark.parametrize("path", OUTSIDE, ids=relative)
def test_what_is_known_of_an_operation_stands_in_its_row(path: Path) -> None:
    source = path.read_text("utf-8")
    assert [one for one in listed(source) if one not in WORDS] == []
    assert list(compared(source)) == []


def test_a_list_beside_the_table_is_seen() -> None:
    assert list(listed('A = {"relu", "abs", "x"}')) == [{"relu", "abs"}]
    assert list(listed('B = {"adam": 1, "sgd": 2}')) == [{"adam", "sgd"}]
    assert list(compared('op.name == "where"')) == [{"where"}]


@pytest.mark.parametrize(
    ("command", "flag", "names"),
    [("export", "--format", FORMATS), ("check", "--scheme", SCHEMES)],
)
def test_the_command_line_knows_the_names_that_there_are(
    command: str, flag: str, names: Iterable[str]
) -> None:
    (known,) = (o.names for o in COMMANDS[command].arguments if flag in o.flags)
    assert set(known) == set(names)


CODES = {"OK": 0, "FAILED": 1, "WRONG": 2, "BUG": 3, "INTERRUPTED": 130}


def test_exit_codes_are_those_that_are_told() -> None:
    assert {name: getattr(exits, name) for name in CODES} == CODES


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_exit_codes_are_given_once(path: Path) -> None:
    named = {
        node.id
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    assert not named & CODES.keys() or relative(path) == "core/base/exits.py"
