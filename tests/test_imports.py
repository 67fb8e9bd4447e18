"""Who may import whom: core nobody but NumPy, and every package by relative names."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gradstep

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "tui", "scenarios")
TOP = ROOT / "tui" / "gradstep"  # installed as `gradstep` itself
MODULES = sorted(
    path
    for name in PACKAGES
    for path in (ROOT / name).rglob("*.py")
    if path.parent != TOP
)
PROGRAMS = sorted(
    path for name in ("tests", "benchmarks") for path in (ROOT / name).rglob("*.py")
)


def imported(source: str, package: str) -> Iterator[str]:
    """Yield the full name of each module that `source`, in `package`, imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            parents = package.split(".")
            base = parents[: len(parents) - node.level + 1]
            if node.module:
                yield ".".join([*base, node.module])
            else:
                yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def imports_of(path: Path) -> list[str]:
    package = ".".join(["gradstep", *path.relative_to(ROOT).parent.parts])
    return list(imported(path.read_text("utf-8"), package))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("import numpy as np", "numpy"),
        ("from rich.table import Table", "rich.table"),
        ("from . import text", "gradstep.core.text"),
        ("from .text import clean", "gradstep.core.text"),
        ("from ..tui import app", "gradstep.tui"),
        ("from .. import tui", "gradstep.tui"),
        ("def f():\n    import textual", "textual"),
    ],
)
def test_an_import_is_found(line: str, module: str) -> None:
    assert list(imported(line, "gradstep.core")) == [module]


@pytest.mark.parametrize(
    "path", [path for path in MODULES if "core" in path.parts], ids=relative
)
def test_core_imports_numpy_and_the_standard_library_only(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "numpy"}
    for module in imports_of(path):
        # The scenarios are data, and core is who reads them.
        own = module.startswith("gradstep.core.") or module == "gradstep.scenarios"
        assert own or module.partition(".")[0] in allowed, module


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_packages_import_each_other_by_relative_names(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if type(node) is ast.Import else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [str(node.module)]
        for name in names:
            assert name.partition(".")[0] not in {"gradstep", *PACKAGES}, name


@pytest.mark.parametrize("path", PROGRAMS, ids=relative)
def test_programs_import_installed_names(path: Path) -> None:
    for module in imports_of(path):
        assert module.partition(".")[0] not in PACKAGES, module


@pytest.mark.parametrize(
    "path", [path for path in MODULES if "core" in path.parts], ids=relative
)
def test_core_never_prints_and_never_exits(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "input", "exit", "quit"}
        if isinstance(node, ast.Name):
            assert node.id != "SystemExit"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {
                ("sys", "exit"),
                ("sys", "stdout"),
                ("sys", "stderr"),
                ("os", "_exit"),
            }


def test_all_of_core_can_be_imported_without_a_screen(
    python: Callable[[str], list[str]],
) -> None:
    loaded = python("""
import importlib, pkgutil, sys
import gradstep.core
for found in pkgutil.walk_packages(gradstep.core.__path__, "gradstep.core."):
    importlib.import_module(found.name)
print(*sys.modules, sep="\\n")
""")
    assert "gradstep.core.engine.graph" in loaded
    assert not {"rich", "textual", "gradstep.tui"} & set(loaded)


@pytest.mark.parametrize("name", PACKAGES)
def test_an_installation_leaves_short_names_to_the_user(
    name: str, python: Callable[[str], list[str]]
) -> None:
    found = python(f"import importlib.util; print(importlib.util.find_spec({name!r}))")
    assert found == ["None"]


def test_core_waits_for_numpy_until_it_is_needed(
    python: Callable[[str], list[str]],
) -> None:
    loaded = python("import sys, gradstep.core; print(*sys.modules, sep='\\n')")
    assert "gradstep.core" in loaded
    assert "numpy" not in loaded


def test_the_public_names_wait_until_they_are_asked_for(
    python: Callable[[str], list[str]],
) -> None:
    loaded = python("import sys, gradstep; print(*sys.modules, sep='\\n')")
    assert "gradstep" in loaded
    assert not {"numpy", "rich", "textual", "gradstep.core"} & {*loaded}


def test_gradstep_offers_what_it_promises() -> None:
    assert dir(gradstep) == gradstep.__all__ == ["Debugger", "load"]
    debugger, load = gradstep.Debugger, gradstep.load
    assert debugger(load("apple_orange")).execute("step").ok
    assert not hasattr(gradstep, "nonsense")
