"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from .errors import InputError, Interrupted, Problem
from .files import Entry, entry, no_name
from .text import clean

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Generator

Content = str | bytes | Callable[[BinaryIO], object]
_DRAFT: Final = re.compile(r"\.gradstep-[0-9a-f]{16}")


def write(
    path: str | Path,
    content: Content,
    *,
    overwrite: bool = False,
    hint: str = "choose another name",
    under: Path | None = None,
) -> Path:
    """Write a file, a text in UTF-8, and return its path.

    `content` may be what writes it itself, where it is too large to be in memory.
    It is written beside the file and takes its place when it is complete. With
    `overwrite` a file keeps its owner and its rights, a link leads to the file that it
    names, and what is a pipe, a device or has another name is written into. `under` is
    a folder that a new file must not lead out of; see `entry`. Raises `InputError`
    where it cannot be written, and with `hint` where the file exists.
    """
    path = Path(path)
    shown = clean(str(path))
    try:
        # A name with NUL in it, or none at all, is told here as well.
        if overwrite and under is None:
            _write_over(path, content)
        else:
            with entry(path, under) as place:
                _write_new(place, content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or no_name(str(path))
        what, way = f"cannot be written: {reason}", ""
        if os.path.isdir(path):  # noqa: PTH112  # a name may be too long to ask
            what = "is a folder, not a file"
        elif isinstance(error, FileExistsError):
            what, way = "is there already", hint
        raise InputError(Problem(what, way, shown)) from None
    return path


@contextmanager
def saying_what_is_kept(path: str | Path) -> Generator[None]:
    """Say in the `Interrupted` of a person whether a file is written by then."""
    before = _state(path)
    try:
        yield
    except (Interrupted, KeyboardInterrupt) as stopped:
        is_there = _state(path) != before
        what = "is written" if is_there else "is not written"
        raise Interrupted(kept=f"{clean(str(path))} {what}") from stopped


def _state(path: str | Path) -> tuple[int, int] | None:
    """Return which file it is and when it was changed; None where there is none."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_mtime_ns


def _write_new(place: Entry, content: Content) -> None:
    with _draft(place, content, 0o666) as draft:
        try:
            # A link, for it fails where the name is taken; a check could be too early.
            os.link(draft, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
        except FileExistsError:
            raise
        except OSError:
            # A file system without links: only one writer can make an empty file.
            os.close(_created(place, 0o666))
            _replace(draft, place)


def _write_over(path: Path, content: Content) -> None:
    try:
        old = path.stat()
    except FileNotFoundError:
        old = None
    if old is not None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "it is protected against writing")
    # Another name of a file would keep what was in it.
    if old is not None and not (stat.S_ISREG(old.st_mode) and old.st_nlink == 1):
        _write_into(path, content)
        return
    place = Entry(os.path.realpath(path))
    mode = 0o666 if old is None else stat.S_IMODE(old.st_mode) & 0o777
    with _draft(place, content, mode) as draft:
        if old is not None:
            new = Path(draft).stat()
            if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
                os.chown(draft, old.st_uid, old.st_gid)
            Path(draft).chmod(mode)  # with what the umask has left out
        _replace(draft, place)


def _write_into(path: Path, content: Content) -> None:
    """Write into what is there. A reader of a pipe is not waited for."""
    flags = os.O_WRONLY | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nobody reads from it") from None
        raise
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)  # from here on it waits as any writer does
    with os.fdopen(descriptor, "wb") as file:
        _fill(file, content)


def _fill(file: BinaryIO, content: Content) -> None:
    if isinstance(content, str):
        content = content.encode("utf-8", "backslashreplace")
    if isinstance(content, bytes):
        file.write(content)
    else:
        content(file)


def _created(place: Entry, mode: int) -> int:
    """Return the descriptor of a file that was not there before."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0)
    return os.open(place.name, flags, mode, dir_fd=place.folder)


def _replace(draft: str, place: Entry) -> None:
    os.replace(draft, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)


@contextmanager
def _draft(place: Entry, content: Content, mode: int) -> Generator[str]:
    """Give the name of a draft beside a file; afterwards there is none any more.

    Its writer holds a lock on it, so one without is of a writer that was killed.
    """
    folder = place.folder
    beside = "" if folder is not None else f"{Path(place.name).parent}{os.sep}"
    _forget(beside, folder)
    draft, descriptor = _begun(beside, folder, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _fill(file, content)
            file.flush()
            os.fsync(descriptor)
            if sys.platform == "win32":  # what is open cannot be renamed there
                file.close()
            yield draft
    finally:
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)


def _begun(beside: str, folder: int | None, mode: int) -> tuple[str, int]:
    """Return the name of a new draft and its descriptor, with the lock on it."""
    while True:
        draft = f"{beside}.gradstep-{os.urandom(8).hex()}"
        descriptor = _created(Entry(draft, folder), mode)
        _lock(descriptor)
        if os.fstat(descriptor).st_nlink:
            return draft, descriptor
        os.close(descriptor)  # another writer came before the lock


def _lock(descriptor: int) -> bool:
    """Take the lock on a draft; tell whether there is one, and no other has it."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # not every file system has locks
        return False
    return True


def _forget(beside: str, folder: int | None) -> None:
    """Remove the drafts of writers that were killed."""
    with suppress(OSError):
        with os.scandir(beside if folder is None else folder) as found:
            names = [one.name for one in found if _DRAFT.fullmatch(one.name)]
        for name in names:
            _forget_one(f"{beside}{name}", folder)


def _forget_one(draft: str, folder: int | None) -> None:
    with suppress(OSError):
        if sys.platform == "win32":  # what a writer has open stays there
            Path(draft).unlink()
            return
        descriptor = os.open(draft, os.O_RDWR | os.O_NOFOLLOW, dir_fd=folder)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and _lock(descriptor):
                os.unlink(draft, dir_fd=folder)
        finally:
            os.close(descriptor)
