"""The scenarios that come with gradstep, as far as a list of them needs.

They are files of our own, and tests load each of them; so a list is quick.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ... import scenarios
from ..base.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUFFIX: Final = ".toml"


class Heading(NamedTuple):
    """What is said of a scenario where it is one of many."""

    group: str  # under which it is listed
    order: int  # its place in that group
    name: str  # with which it is opened
    title: str  # the name where the file gives none


def builtin_names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with gradstep."""
    return tuple(sorted(path.stem for path in _folder().glob(f"*{_SUFFIX}")))


def builtin_path(name: str) -> Path:
    """Return the file of a scenario that comes with gradstep."""
    return _folder() / f"{name}{_SUFFIX}"


def hunt_names() -> tuple[str, ...]:
    """Return the names of the hunts that come with gradstep."""
    return tuple(sorted(path.stem for path in _hunts().glob(f"*{_SUFFIX}")))


def hunt_path(name: str) -> Path:
    """Return the file of a hunt that comes with gradstep."""
    return _hunts() / f"{name}{_SUFFIX}"


def name_of(path: Path) -> str | None:
    """Return the name of what comes with gradstep at a path; None for another file."""
    if path in (builtin_path(path.stem), hunt_path(path.stem)):
        return path.stem
    return None


def headings() -> list[Heading]:
    """Return the headings of the scenarios that come with gradstep, in their order."""
    return _sorted(_heading(builtin_path(name)) for name in builtin_names())


def hunts() -> list[Heading]:
    """Return the headings of the hunts that come with gradstep, in their order."""
    return _sorted(_heading(hunt_path(name)) for name in hunt_names())


def _sorted(found: Iterable[Heading]) -> list[Heading]:
    return sorted(found, key=lambda one: (one.order, one.name))


def tours() -> list[Heading]:
    """Return the headings of those that a script leads through, in their order."""
    return [one for one in headings() if tour_path(one.name).exists()]


def tour_path(name: str) -> Path:
    """Return the script that leads through a scenario that comes with gradstep."""
    return _folder() / "tours" / f"{name}.gs"


def tour_behind(script: Path) -> Heading | None:
    """Return what comes behind a lesson of the tour; None where nothing does."""
    if script != tour_path(script.stem):
        return None
    lessons = tours()
    names = [one.name for one in lessons]
    return next(iter(lessons[names.index(script.stem) + 1 :]), None)


def _heading(path: Path) -> Heading:
    top = tomllib.loads(path.read_text("utf-8"))
    title = clean(top.get("title", path.stem))
    group, order = clean(top.get("group", "")), top.get("order", 0)
    return Heading(group, order, path.stem, title)


def _hunts() -> Path:
    return _folder() / "hunts"


def _folder() -> Path:
    return Path(scenarios.__path__[0])
