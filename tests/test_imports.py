"""Who may import whom: core nobody but NumPy, a package those below it, by name."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gradstep
from gradstep.core.frontends.running import FRAMEWORKS

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

# The packages, bottom first: each imports from itself and from those before it.
# `gradstep` itself, in TOP, stands above them all.
ORDER = (
    "core.base",
    "core.ops.table",
    "core.ops.elementwise",
    "core.ops.nn",
    "core.ops.shape",
    "core.ops",
    "core.engine",
    "core.mistakes",
    "core.program",
    "core.expression",
    "core.words",
    "core.capture",
    "core.frontends.numpy",
    "core.frontends.torch.rows",
    "core.frontends.torch",
    "core.frontends",
    "core.scenario",
    "core.training",
    "core.check",
    "core.explain",
    "core.explain.why",
    "core.account",
    "core.pictures",
    "core.practice",
    "core.practice.predict",
    "core.export",
    "core.session",
    "core.commands",
    "core.debugger",
    "core",
    "tui.draw",
    "tui.graph",
    "tui.panes.base",
    "tui.panes.graph",
    "tui.panes.matrix",
    "tui.panes.step",
    "tui.panes.tables",
    "tui.panes.time",
    "tui.panes",
    "tui.export",
    "tui.session",
    "tui.app",
    "tui.cli.completion",
    "tui.cli",
    "tui",
)
MOST_MODULES = 12  # of a folder, besides its __init__


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
    allowed |= {part for part in path.parts if part in FRAMEWORKS}
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
from gradstep.core.frontends.running import FRAMEWORKS
for found in pkgutil.walk_packages(gradstep.core.__path__, "gradstep.core."):
    if not {*FRAMEWORKS} & {*found.name.split(".")}:
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


def test_a_page_is_made_without_the_application(
    python: Callable[[str], list[str]],
) -> None:
    made = "import sys, gradstep.tui.export.documents"
    loaded = python(f"{made}; print(*sys.modules, sep='\\n')")
    assert "gradstep.tui.export.page" in loaded
    assert "textual" not in loaded


def test_gradstep_offers_what_it_promises() -> None:
    assert dir(gradstep) == sorted(gradstep.__all__)
    assert all(hasattr(gradstep, name) for name in gradstep.__all__)
    debugger, load = gradstep.Debugger, gradstep.load
    assert debugger(load("apple_orange")).execute("step").ok
    assert not hasattr(gradstep, "nonsense")


# ------------------------------------------------------------------ order and circles


def name_of(path: Path) -> str:
    """Return the name of a module from the top of the repository: `core.ops.table`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}
CODE = sorted(name for name in NAMES if not name.startswith("scenarios"))


def modules_imported(source: str, package: str) -> Iterator[str]:
    """Yield the modules of ours that `source`, in `package`, imports, where it may be.

    What stands in a function or under TYPE_CHECKING counts like everything else.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        parents = package.split(".")
        base = parents[: len(parents) - node.level + 1]
        target = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            inner = f"{target}.{alias.name}"
            yield inner if inner in NAMES else target


def package_of(name: str) -> str:
    """Return the package that a module stands in; a package stands in itself."""
    return name if NAMES[name].name == "__init__.py" else name.rpartition(".")[0]


def arrows() -> dict[str, set[str]]:
    """Return which modules each module imports."""
    found = {
        name: set(modules_imported(NAMES[name].read_text("utf-8"), package_of(name)))
        for name in CODE
    }
    return {name: {to for to in tos if to in found} for name, tos in found.items()}


def against_the_order(found: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Return the imports from a package that comes later in `ORDER`."""
    rank = {name: number for number, name in enumerate(ORDER)}
    return {
        (name, to)
        for name, tos in found.items()
        for to in tos
        if rank[package_of(to)] > rank[package_of(name)]
    }


def in_circles(found: dict[str, set[str]]) -> set[str]:
    """Return the modules from which imports lead back to themselves."""
    left = {name: set(tos) for name, tos in found.items()}
    while ends := {name for name, tos in left.items() if not tos}:  # lead nowhere
        left = {name: tos - ends for name, tos in left.items() if name not in ends}
    while left:
        reached = {to for tos in left.values() for to in tos}
        if reached == left.keys():
            break
        left = {name: left[name] & reached for name in left.keys() & reached}
    return set(left)


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from ..ops import reduce", "core.ops.reduce"),
        ("from ..ops.reduce import ROWS", "core.ops.reduce"),
        ("from ..ops import OPS", "core.ops"),
        ("from . import graph", "core.engine.graph"),
        ("def f():\n    from ..ops.reduce import ROWS", "core.ops.reduce"),
        ("if TYPE_CHECKING:\n    from ..ops.reduce import ROWS", "core.ops.reduce"),
    ],
)
def test_an_import_of_ours_is_found_wherever_it_stands(
    source: str, module: str
) -> None:
    assert list(modules_imported(source, "core.engine")) == [module]


def test_an_import_against_the_order_is_found() -> None:
    assert against_the_order({"core.ops.reduce": {"core.base.text"}}) == set()
    up = {"core.base.text": {"core.ops.reduce", "core.base.errors"}}
    assert against_the_order(up) == {("core.base.text", "core.ops.reduce")}


def test_a_circle_is_found_and_what_only_leads_to_it_is_not() -> None:
    circle = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set[str]()}
    assert in_circles(circle) == {"b", "c"}
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": set()}) == set()


def test_every_package_has_its_place_in_the_order() -> None:
    assert {package_of(name) for name in CODE} == set(ORDER)


def test_imports_follow_the_order_of_the_packages() -> None:
    assert against_the_order(arrows()) == set()


def test_no_import_leads_back_to_where_it_came_from() -> None:
    assert in_circles(arrows()) == set()


def test_a_folder_holds_twelve_modules_at_most() -> None:
    for package in ORDER:
        inside = [n for n in CODE if package_of(n) == package and n != package]
        assert len(inside) <= MOST_MODULES, package


def test_the_picture_of_the_house_shows_every_room() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rooms = {"/".join(name.split(".")[:2]) for name in ORDER if "." in name}
    assert sorted(room for room in rooms if room not in page) == []


def test_what_the_page_of_the_house_names_is_there() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    paths = re.findall(r"`((?:core|tui|tests|scenarios|benchmarks)/[\w./]+)`", page)
    modules = re.findall(r"from gradstep\.([\w.]+) import", page)
    assert paths
    assert modules
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [name for name in modules if name not in NAMES] == []
