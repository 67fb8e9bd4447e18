"""The wheel holds what the tree holds, under the installed names."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "tui", "scenarios")
TOP = ROOT / "tui" / "gradstep"  # installed as `gradstep` itself
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, for setuptools leaves files beside its sources."""
    copy = tmp_path_factory.mktemp("copy")
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    program = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run(
        [sys.executable, "-c", program], cwd=copy, check=True, capture_output=True
    )
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds what an installation of the wheel would hold."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files(folder: Path) -> set[str]:
    """Return the files of a folder of the tree, or of what is installed of it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        if folder == TOP or TOP not in path.parents
    }


@pytest.mark.parametrize("name", PACKAGES)
def test_wheel_holds_every_file_of_a_package(installed: Path, name: str) -> None:
    assert files(installed / "gradstep" / name) == files(ROOT / name)


def test_wheel_holds_nothing_else(installed: Path) -> None:
    found = {path.name for path in (installed / "gradstep").iterdir()}
    assert found == {*PACKAGES, *files(TOP)}
    (information,) = (path for path in installed.iterdir() if path.name != "gradstep")
    assert information.name.endswith(".dist-info")
    assert "licenses/LICENSE" in files(information)


def test_every_package_is_listed_once() -> None:
    folders = {
        ".".join(["gradstep", *path.parent.relative_to(ROOT).parts])
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
        if path.parent != TOP
    } | {"gradstep"}
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert sorted(folders) == sorted(listed)


def test_installed_modules_are_those_of_the_wheel(
    installed: Path, python: Callable[[str], list[str]]
) -> None:
    places = python(f"""
import sys
sys.path.insert(0, {str(installed)!r})
import gradstep.core.ops.table, gradstep.tui
print(gradstep.core.ops.table.__file__, gradstep.tui.__file__, sep="\\n")
""")
    assert [Path(place).is_relative_to(installed) for place in places] == [True, True]


def test_console_script_leads_to_a_function(installed: Path) -> None:
    (found,) = metadata.Distribution.at(
        next(installed.glob("*.dist-info"))
    ).entry_points.select(group="console_scripts")
    assert (found.name, found.value) == ("gradstep", "gradstep.__main__:main")
    assert callable(found.load())


def test_the_module_is_the_command(installed: Path) -> None:
    command = [sys.executable, "-m", "gradstep", "list"]
    done = subprocess.run(
        command, cwd=installed, check=True, capture_output=True, text=True
    )
    assert "apple_orange" in done.stdout


@pytest.mark.parametrize(
    ("group", "others"), [("dev", PROJECT["project"]["dependencies"]), ("docs", [])]
)
def test_lock_pins_every_requirement(group: str, others: list[str]) -> None:
    lines = (ROOT / f"requirements-{group}.lock").read_text("utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    for requirement in [*others, *PROJECT["dependency-groups"][group]]:
        name = requirement.partition(">=")[0].partition("[")[0]
        assert name in pins


@pytest.mark.parametrize("name", PACKAGES)
def test_type_checker_finds_the_package(name: str) -> None:
    assert (ROOT / "typings" / "gradstep" / name).resolve() == ROOT / name


def test_type_checker_finds_the_public_names() -> None:
    link = ROOT / "typings" / "gradstep" / "__init__.py"
    assert link.resolve() == TOP / "__init__.py"
