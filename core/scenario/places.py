"""Where a key or a value stands in a TOML text.

`tomllib` gives places for syntax errors only. For a text that it has accepted, one scan
over the tokens finds the rest. A path is the keys and list indices that lead to a
value: `("inputs", "x0", 1, 0)`.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final, NamedTuple

from ..base.text import Place, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Path = tuple[str | int, ...]

# A string that is never closed swallows the rest, so that the scan stays linear.
_STRING: Final = (
    r'"""(?:(?!""")(?:\\.|[^\\]))*+(?:"{3,5}|\\?\Z)'
    r"|'''(?:(?!''').)*+(?:'{3,5}|\Z)"
    r'|"(?:\\[^\n]|[^"\\\n])*+"?'
    r"|'[^'\n]*+'?"
)
_COMMENT: Final = r"\#[^\n]*"
_TOKEN: Final = re.compile(
    rf"{_STRING}|{_COMMENT}|[\[\]{{}},=.\n]|[^\s\[\]{{}},=.\#\"']+", re.DOTALL
)
_DEPTH: Final = re.compile(rf"{_STRING}|{_COMMENT}|[\[\]{{}},=.\n]", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\u.{4}|\\U.{8}|\\[ \t]*\n\s*|\\.|.", re.DOTALL)


class Found(NamedTuple):
    """The offsets of keys and of values in a text, by their paths."""

    keys: dict[Path, int]  # where each key begins, in characters
    values: dict[Path, int]  # where each value begins, likewise


def too_deep(text: str, most: int) -> Place | None:
    """Return the place where `text` nests, or a key is dotted, deeper than `most`.

    This comes before `tomllib`, which recurses into lists and is slow on long keys.

    >>> too_deep("a = [[1.5]]", 1)
    Place(line=1, column=6)
    """
    depth = dots = 0
    for token in _DEPTH.finditer(text):
        mark = token[0]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth = max(depth - 1, 0)
        elif mark == ".":
            dots += 1
        if mark in "[]{},=\n":
            dots = 0
        if depth > most or dots > most:
            return place(text, token.start())
    return None


def find(text: str, wanted: Iterable[Path]) -> Found:
    r"""Return where the keys and the values of the paths in `wanted` stand.

    >>> find("[a]\nb = [1, 2]", [("a", "b", 1)]).values
    {('a', 'b', 1): 12}
    """
    scan = _Scan(frozenset(wanted))
    for mark, offset in _tokens(text):
        scan.take(mark, offset)
    return Found(scan.keys, scan.values)


def inside(text: str, offset: int, characters: int) -> Place:
    r"""Return the place of a string's content, so many characters behind its start.

    The string is written at `offset`, in any of TOML's four ways.

    >>> inside("a = \"\\u0062c\"", 4, 1)
    Place(line=1, column=12)
    """
    quote = text[offset]
    if text.startswith(quote * 3, offset):
        offset += 4 if text.startswith("\n", offset + 3) else 3
    else:
        offset += 1
    if quote == "'":
        return place(text, offset + characters)
    for piece in _ESCAPE.finditer(text, offset):
        joins_lines = len(piece[0]) > 1 and piece[0][1] in " \t\n"
        if characters == 0 and not joins_lines:
            break
        offset = piece.end()
        characters -= not joins_lines
    return place(text, offset)


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    for token in _TOKEN.finditer(text):
        if not token[0].startswith("#"):
            yield token[0], token.start()


class _Scan:
    """One walk over the tokens of a TOML text that is known to be right."""

    def __init__(self, wanted: frozenset[Path]) -> None:
        self.keys: dict[Path, int] = {}
        self.values: dict[Path, int] = {}
        self._wanted = wanted
        self._reading = "key"
        self._table: Path = ()  # of the last header
        self._path: Path = ()  # of the value that comes next
        self._parts: list[tuple[str, int]] = []  # of the key that is being read
        # The lists and inline tables that are open: a list's next index, or None.
        self._open: list[tuple[Path, int | None]] = []

    def take(self, mark: str, offset: int) -> None:
        if mark == "\n":
            if not self._open:
                self._expect_key()
        elif self._reading == "key":
            self._take_key(mark, offset)
        elif self._reading == "value" and mark != "]":
            self._take_value(mark, offset)
        elif mark in "]}":
            self._close()
        elif mark == "," and self._open:
            path, index = self._open[-1]
            if index is None:
                self._expect_key()
            else:
                self._open[-1] = (path, index + 1)
                self._path = (*path, index + 1)
                self._reading = "value"

    def _expect_key(self) -> None:
        self._reading = "key"
        self._parts.clear()

    def _take_key(self, mark: str, offset: int) -> None:
        if mark == "=":
            base = self._open[-1][0] if self._open else self._table
            self._path = self._note_key(base)
            self._reading = "value"
        elif mark == "]":
            self._table = self._note_key(())
            self._reading = "rest"
        elif mark == "}":
            self._close()
        elif mark not in "[.":
            self._parts.append((_unquoted(mark), offset))

    def _note_key(self, path: Path) -> Path:
        for name, offset in self._parts:
            path = (*path, name)
            if path in self._wanted:
                self.keys.setdefault(path, offset)
                self.values.setdefault(path, offset)
        return path

    def _take_value(self, mark: str, offset: int) -> None:
        if self._path in self._wanted:
            self.values[self._path] = offset
        self._reading = "rest"
        if mark == "[":
            self._open.append((self._path, 0))
            self._path = (*self._path, 0)
            self._reading = "value"
        elif mark == "{":
            self._open.append((self._path, None))
            self._expect_key()

    def _close(self) -> None:
        if self._open:
            self._open.pop()
        self._reading = "rest"


def _unquoted(key: str) -> str:
    if key[0] not in "\"'":
        return key
    return str(tomllib.loads(f"key = {key}")["key"])
