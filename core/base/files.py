"""Files of which nothing is known yet: opened without waiting, read up to a limit."""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from .errors import InputError, Problem
from .text import clean, nearest

_MOST_NEIGHBOURS: Final = 1000
_HEAD: Final = 8192  # characters in which the version of the format has to stand


def open_regular(path: Path, most: int, name: str = "") -> BinaryIO:
    """Open a regular file of at most `most` bytes for reading.

    Raises `InputError`, which calls the file `name`, for everything else. A pipe or a
    device is never waited for.
    """
    shown = clean(name or str(path))
    # O_NONBLOCK: to open a pipe without a writer would wait for one.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise InputError(Problem("there is no such file", _near(path), shown)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is no file name"
        raise InputError(Problem(f"cannot be opened: {reason}", "", shown)) from None
    state = os.fstat(descriptor)
    wrong = ""
    if stat.S_ISDIR(state.st_mode):
        wrong = "is a folder, not a file"
    elif not stat.S_ISREG(state.st_mode):
        wrong = "is a pipe or a device, not a file"
    elif state.st_size > most:
        wrong = f"is too large: {state.st_size} bytes, and at most {most} are read"
    if wrong:
        os.close(descriptor)
        raise InputError(Problem(wrong, "", shown))
    return os.fdopen(descriptor, "rb")


def read_text(path: Path, most: int, name: str = "") -> str:
    """Return the text of a file in UTF-8, with line feeds as its only line ends.

    Raises `InputError`, which calls the file `name`, when it is not a regular file, too
    large, or not text.
    """
    shown = clean(name or str(path))
    with open_regular(path, most, name) as file:
        data = file.read(most)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        start = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[start : error.start].decode(errors="replace")) + 1
        message = f"not text in UTF-8: byte 0x{data[error.start]:02x}"
        hint = "save the file as UTF-8"
        raise InputError(Problem(message, hint, shown, line, column)) from None
    return text.replace("\r\n", "\n")


def is_scenario(path: Path) -> bool:
    """Tell whether a .toml file says that it is a scenario: other tools have theirs."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return any(
        line.partition("=")[0].strip() == "gradstep" for line in head.split("\n")
    )


def within(folder: Path, name: str) -> Path:
    """Return the file `name` of `folder`, or raise `InputError` if it is outside.

    Symbolic links are followed first, so that none can lead out.
    """
    try:
        found = (folder / name).resolve()
        is_inside = found.is_relative_to(folder.resolve())
    # A loop of links is a RuntimeError before Python 3.13.
    except (OSError, RuntimeError, ValueError):
        is_inside = False
        found = folder
    if not is_inside or Path(name).is_absolute() or ".." in Path(name).parts:
        message = f"the file '{clean(name)[:80]}' is outside the scenario's folder"
        hint = "a scenario reads files of its own folder and of those below"
        raise InputError(message, hint)
    return found


def _near(path: Path) -> str:
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _MOST_NEIGHBOURS)]
    except OSError:
        return ""
    return clean(nearest(path.name, names))
