"""The lessons: the script beside each built-in scenario."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gradstep import scenarios
from gradstep.core.base.errors import CommandError
from gradstep.core.commands import ALIASES, COMMANDS
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.expression.evaluate import truth
from gradstep.core.scenario.scenario import load
from gradstep.core.session.reply import Reply
from gradstep.core.session.script import (
    FAILED,
    OK,
    Line,
    Outcome,
    read_script,
    run_script,
)

FOLDER = Path(scenarios.__path__[0])
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
each = pytest.mark.parametrize("name", NAMES)


def script(name: str) -> list[Line]:
    return read_script(FOLDER / f"{name}.gs")


def play(name: str, lines: list[Line]) -> Outcome:
    return run_script(lines, Debugger(load(name)).execute)


def numbers(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the numbers that an assertion depends on: no index, bound or tolerance."""
    match tree:
        case ast.Constant(value=int() | float() as value):
            if value and not isinstance(value, bool):
                yield tree
        case ast.Subscript(value=inner):
            yield from numbers(inner)
        case ast.keyword() | ast.Compare(ops=[ast.Lt() | ast.Gt()]):
            pass
        case _:
            for child in ast.iter_child_nodes(tree):
                yield from numbers(child)


def wrong_by_a_thousandth(line: Line) -> list[Line]:
    """Return an assertion with one of its numbers changed, for each of them."""
    command, _, text = line.text.partition(" ")
    if command != "assert":
        return []
    code, found = text.encode(), list(numbers(ast.parse(text, mode="eval")))
    changed = [
        code[: n.col_offset]
        + f"({n.value!r} * 1.001)".encode()
        + code[n.end_col_offset :]
        for n in found
    ]
    return [replace(line, text=f"assert {other.decode()}") for other in changed]


def survives(debugger: Debugger, line: Line) -> bool:
    """Tell whether an assertion holds, without leaving a trace in the session."""
    try:
        expression = debugger.expression(line.text.removeprefix("assert "))
        return truth(expression.evaluate(debugger.state()))
    except CommandError:
        return False


def test_every_scenario_has_a_script() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.gs")) == NAMES


@each
def test_a_script_holds(name: str) -> None:
    outcome = play(name, script(name))
    assert outcome.failures == ()
    assert outcome.code == OK


@each
def test_a_script_proves_numbers_and_tells_why(name: str) -> None:
    lines = script(name)
    comments = (FOLDER / f"{name}.gs").read_text("utf-8").count("\n# ")
    assert sum(len(wrong_by_a_thousandth(line)) for line in lines) >= 10
    assert comments >= 5


@each
def test_every_number_of_a_script_is_held(name: str) -> None:
    debugger, survivors = Debugger(load(name)), list[str]()

    def seen(line: Line, _reply: Reply) -> None:
        changed = wrong_by_a_thousandth(line)
        survivors.extend(one.place for one in changed if survives(debugger, one))

    run_script(script(name), debugger.execute, seen)
    assert survivors == []


@each
def test_a_script_with_a_number_wrong_by_a_thousandth_fails(name: str) -> None:
    lines = script(name)
    changes = [
        (place, other)
        for place, line in enumerate(lines)
        for other in wrong_by_a_thousandth(line)
    ]
    for place, other in changes[:: len(changes) // 2]:
        outcome = play(name, [*lines[:place], other, *lines[place + 1 :]])
        assert outcome.code == FAILED
        assert outcome.failures[0].startswith(f"{other.place}: does not hold")


def test_the_scripts_use_every_command_that_is_not_about_files() -> None:
    lines = [line for path in FOLDER.rglob("*.gs") for line in read_script(path)]
    words = {line.text.split()[0] for line in lines}
    used = {ALIASES.get(word, word) for word in words}
    assert set(COMMANDS) - used == {"source", "record", "save", "export", "quit"}


def test_three_commands_lead_from_a_nan_to_its_element() -> None:
    first = [line.text for line in script("nan_where") if "expect" not in line.text][:3]
    assert first == ["catch nan", "continue", "why"]
    debugger = Debugger(load("nan_where"))
    *_, answer = (debugger.execute(line) for line in first)
    assert answer.data["element"] == "x.grad[1]"
    assert answer.data["cause"] == "zero times infinity"
    assert answer.data["untaken"] == "y"
