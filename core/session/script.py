"""Scripts: command lines in a file, replayed and recorded.

One command a line; `#` starts a comment. Every command counts: the worst outcome of a
script is its outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import CommandError, Problem
from ..base.exits import FAILED, INTERRUPTED, OK, WRONG
from ..base.text import clean
from ..base.trust import KEYBOARD, Trust

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from .reply import Reply


@dataclass(frozen=True, slots=True)
class Line:
    """One command of a script, and where it stands. `number` counts from 1."""

    source: str  # the file, as messages name it
    number: int
    text: str  # without blanks around it
    said: tuple[str, ...] = ()  # the comments above it
    trust: Trust = KEYBOARD  # what it may do with files

    @property
    def place(self) -> str:
        """Return file:line."""
        return f"{self.source}:{self.number}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a script ended.

    `code` is the exit code that belongs to it, `failures` say file:line and what
    happened there, `asked` tells that a `quit` ended it.
    """

    code: int
    commands: int  # how many were executed
    failures: tuple[str, ...] = ()
    asked: bool = False


def read_script(path: str | pathlib.Path, trust: Trust = KEYBOARD) -> list[Line]:
    """Return the commands in a file.

    `trust` is that in whoever starts it. Raises `InputError` when it is missing, empty
    or not text, or may not be read.
    """
    source = clean(str(path))
    name, inside = str(path), trust.named(str(path), ".gs")
    lines = parse_script(trust.read(name, ".gs"), source, trust.of_script(inside))
    if not lines:
        raise CommandError(
            Problem("the script is empty", "write one command a line", source)
        )
    return lines


def parse_script(text: str, source: str, trust: Trust) -> list[Line]:
    """Return the commands in a text: its lines, without blanks and comments.

    `trust` is that in each of them.
    """
    lines: list[Line] = []
    said: list[str] = []
    text = clean(text.replace("\r\n", "\n"))
    for number, line in enumerate(map(str.strip, text.split("\n")), 1):
        if line.startswith("#"):
            said.append(line.lstrip("# "))
        elif line:
            lines.append(Line(source, number, line, tuple(said), trust))
            said = []
    return lines


def run_script(
    lines: list[Line],
    execute: Callable[[str, Trust], Reply],
    seen: Callable[[Line, Reply], None] = lambda line, reply: None,
    *,
    keep_going: bool = False,
) -> Outcome:
    """Execute the lines, and tell each reply to `seen`.

    A command that is wrong, or an assertion that does not hold, ends the script unless
    `keep_going`. An error that the next line expects is none.
    """
    code, count, failures = OK, 0, list[str]()
    for line, following in zip_longest(lines, lines[1:]):
        reply = execute(line.text, line.trust)
        count += 1
        seen(line, reply)
        if reply.code is not None and reply.ok:
            return Outcome(max(code, reply.code), count, tuple(failures), asked=True)
        severity = severity_of(reply, following)
        if severity == OK:
            continue
        code = max(code, severity)
        failures.append(_at(line, reply.error or "the check failed"))
        if not keep_going or severity == INTERRUPTED:
            break
    return Outcome(code, count, tuple(failures))


def _at(line: Line, what: str) -> str:
    """Say where something happened: once, where a script runs itself."""
    place = f"{line.place}: "
    return what if place in what else place + what


def outcome_of(reply: Reply) -> int:
    """Return the exit code that one reply is worth."""
    if reply.interrupted:
        return INTERRUPTED
    if reply.failed:
        return FAILED
    return OK if reply.ok else WRONG


def severity_of(reply: Reply, following: Line | None) -> int:
    """Return what a reply is worth in a script: an error that is expected is none."""
    is_expected = following and following.text.split()[:2] == ["expect", "error"]
    return OK if is_expected else outcome_of(reply)


def assertions(command: str, reply: Reply) -> list[str]:
    """Return lines that hold only where a replay sees what was seen now."""
    if command == "print" and _is_number(reply.data):
        expression = reply.command.partition(" ")[2]
        return [f"assert close({expression}, {_literal(reply.data)}, rtol=1e-12)"]
    if reply.stop is not None:
        where = f" {reply.stop.where}" if reply.stop.where else ""
        return [f"expect stop {reply.stop.reason}{where}"]
    return [f"assert position == {reply.position}"] if reply.moved else []


_MOST_ELEMENTS: Final = 64  # of an array that is written out as an assertion


def _is_number(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind in "fiu" and 0 < array.size <= _MOST_ELEMENTS


def _literal(value: Any) -> str:
    """Return numbers as an expression that reads back to the same bits."""
    array = np.asarray(value)
    if array.ndim == 0:
        return repr(array.item())
    return f"[{', '.join(map(_literal, array))}]"
