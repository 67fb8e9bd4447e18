"""Files of which nothing is known yet: opened without waiting, read up to a limit.

A file that must not lead out of a folder is opened *under* it: the folders on the way
are opened one in the other, and no link is followed. So nothing can be put in between
after the name was looked at.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from .errors import InputError, Problem
from .text import clean, nearest

if TYPE_CHECKING:
    from collections.abc import Generator
    from io import BufferedReader

_MOST_NEIGHBOURS: Final = 1000
_HEAD: Final = 8192  # characters in which the version of the format has to stand


class Entry(NamedTuple):
    """A file as the system is asked for it: by its name in a folder that is open."""

    name: str  # the whole path, where no folder is open
    folder: int | None = None  # its descriptor


@contextmanager
def entry(path: Path, under: Path | None = None) -> Generator[Entry]:
    """Give a file as an entry; with `under` no link leads out of that folder.

    Both paths are resolved then. Raises `OSError` where a folder cannot be opened.
    """
    # Windows opens no folders. Its links need rights that a stranger does not have.
    if under is None or os.open not in os.supports_dir_fd:
        yield Entry(str(path))
        return
    flags = os.O_RDONLY | os.O_DIRECTORY
    folder = os.open(under, flags)
    try:
        for part in path.parent.relative_to(under).parts:
            outer, folder = folder, os.open(part, flags | os.O_NOFOLLOW, dir_fd=folder)
            os.close(outer)
        yield Entry(path.name, folder)
    finally:
        os.close(folder)


def open_regular(
    path: Path, most: int, name: str = "", under: Path | None = None
) -> BufferedReader:
    """Open a regular file of at most `most` bytes for reading.

    Raises `InputError`, which calls the file `name`, for everything else. A pipe or a
    device is never waited for. `under` is a folder that it must not lead out of.
    """
    shown = clean(name or str(path))
    # O_NONBLOCK: to open a pipe without a writer would wait for one.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0) if under else 0
    try:
        with entry(path, under) as (last, folder):
            descriptor = os.open(last, flags, dir_fd=folder)
    except FileNotFoundError:
        if path.is_symlink():
            what, hint = "is a link, and there is no file where it leads", ""
        else:
            what, hint = "there is no such file", _near(path)
        raise InputError(Problem(what, hint, shown)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or no_name(str(path))
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


def read_text(path: Path, most: int, name: str = "", under: Path | None = None) -> str:
    """Return the text of a file in UTF-8, with line feeds as its only line ends.

    Raises `InputError`, which calls the file `name`, when it is not a regular file, too
    large, or not text.
    """
    shown = clean(name or str(path))
    with open_regular(path, most, name, under) as file:
        # Room is made for all that is asked for, and `most` can be without end.
        data = file.read(min(most, os.fstat(file.fileno()).st_size))
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
        with open_regular(path, sys.maxsize) as file:
            head = file.read(_HEAD).decode(errors="replace")
    except InputError:
        return False
    return any(
        line.partition("=")[0].strip() == "gradstep" for line in head.splitlines()
    )


def no_name(name: str) -> str:
    """Say why the system takes a text for no name of a file."""
    return "its name is no file name" + ": it has a NUL in it" * ("\0" in name)


def within(folder: Path, name: str) -> Path | None:
    """Return the file `name` of `folder`, or None if it is outside.

    Symbolic links are followed first, so that none can lead out. Raises `InputError`
    for what is no name of a file.
    """
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    try:
        found = (folder / name).resolve()
        return found if found.is_relative_to(folder.resolve()) else None
    # A loop of links is a RuntimeError before Python 3.13.
    except (OSError, RuntimeError):
        return None
    except ValueError:
        raise InputError(Problem(no_name(name), "", clean(name)[:80])) from None


def _near(path: Path) -> str:
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _MOST_NEIGHBOURS)]
    except OSError:
        return ""
    return clean(nearest(path.name, names))
