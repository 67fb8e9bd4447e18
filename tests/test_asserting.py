"""A test asserts: one that only runs would miss every wrong answer."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))
# Names by which tests import what other files of the tests define.
SHARED = {path.stem: path for path in FILES if not path.stem.startswith("test_")}
# What these assert is no more than that a command works, or that an end is reached.
WORKS = {"said", "run_lines", "settle"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def functions(path: Path) -> dict[str, Function]:
    """Return the functions of a file, of classes and of functions, too, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}


@cache
def imported(path: Path) -> dict[str, tuple[Path, str]]:
    """Return what a file imports of other files of the tests: where it is defined."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: (SHARED[node.module], alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in SHARED
        for alias in node.names
    }


def asserts(path: Path, name: str, asked: frozenset[tuple[Path, str]]) -> bool:
    """Tell whether a function asserts, or calls a function that does."""
    function = functions(path).get(name)
    if function is None or (path, name) in asked:
        return False
    asked |= {(path, name)}
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.startswith(
                ("np.testing.assert_", "pytest.raises", "pytest.fail")
            ):
                return True
            last = called.rpartition(".")[2]
            where = imported(path).get(last, (path, last))
            if last not in WORKS and asserts(*where, asked):
                return True
    return False


@pytest.mark.parametrize("path", [path for path in FILES if "test_" in path.name])
def test_every_test_asserts(path: Path) -> None:
    names = [name for name in functions(path) if name.startswith("test_")]
    assert [name for name in names if not asserts(path, name, frozenset())] == []
