"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .errors import InputError, Problem
from .text import clean


def write(
    path: str | Path,
    content: str | bytes,
    *,
    overwrite: bool = False,
    hint: str = "choose another name",
) -> Path:
    """Write a file, a text in UTF-8, and return its path.

    It is written beside the file and takes its place when it is complete. Raises
    `InputError` where that cannot be done, and with `hint` where the file exists.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", "backslashreplace")
    path = Path(path)
    shown = clean(str(path))
    draft = ""
    try:
        # A name with NUL in it, or none at all, is told here as well.
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".gradstep-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o666 & ~_umask())
        _put(Path(draft), path, overwrite)
    except FileExistsError:
        raise InputError(Problem("is there already", hint, shown)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is no file name"
        raise InputError(Problem(f"cannot be written: {reason}", "", shown)) from None
    finally:
        if draft:
            Path(draft).unlink(missing_ok=True)
    return path


def _put(draft: Path, path: Path, overwrite: bool) -> None:
    """Give a draft its name, in one step."""
    if overwrite:
        draft.replace(path)
        return
    try:
        # A link, for it fails where the name is taken; a check could come too early.
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links.
        if path.exists():
            raise FileExistsError from None
        draft.replace(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
