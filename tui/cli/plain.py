"""Output in plain ASCII, whoever writes it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

from ...core.base.signs import ascii_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Ascii:
    """A file that is written to in ASCII, and otherwise the one that it stands for."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write a text, its signs in ASCII."""
        self._file.write(ascii_text(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def ascii_output() -> Iterator[None]:
    """Let everything in a block be written in ASCII: answers, errors and progress."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", _Ascii(file)) for file in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
