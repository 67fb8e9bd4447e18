"""What the debugger answers: data, which the screen, the terminal and JSON draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine.trace import Phase


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to show. Cells are text, numbers, arrays or None."""

    title: str  # "" for none
    columns: tuple[str, ...]  # the headings
    rows: tuple[tuple[Any, ...], ...]  # each with a cell for each column


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines of program text: (number, text, mark), the mark `▶` at the present one."""

    title: str  # the name of the source
    lines: tuple[tuple[int, str, str], ...]  # in order, not always all


@dataclass(frozen=True, slots=True)
class Value:
    """The value of an expression."""

    name: str  # the expression as it was written
    value: Any  # an array, a number, a tuple or None


REASONS: Final = ("break", "watch", "catch", "until", "start", "end")


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why travel halted: at a stop, at an end, or where it was sent."""

    reason: str  # one of `REASONS`
    number: int | None = None  # of the stop
    text: str = ""  # what the stop looks for
    event: int | None = None  # counted from 1
    where: str = ""  # the node or the edge
    before: Any = None  # of a watch: the value before the event
    after: Any = None  # of a watch: the value after it
    # of the element that changed or was caught; None for none
    index: tuple[int, ...] | None = None
    also: tuple[Stopped, ...] = ()  # the other stops that were met at this place

    def record(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "reason": self.reason,
            "stop": self.number,
            "text": self.text,
            "event": self.event,
            "where": self.where,
            "before": self.before,
            "after": self.after,
            "index": self.index,
            "also": [stop.record() for stop in self.also],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command's function returns; the debugger makes the reply of it.

    `show` is what to draw: a `Table`, a `Listing`, a `Value`, an `Explanation`, …
    `text` says the same in plain lines.
    """

    text: tuple[str, ...] = ()
    data: Any = None  # the same for a program: plain, but for arrays
    show: Any = None
    stop: Stopped | None = None  # why travel halted; None where nothing moved
    code: int | None = None  # leave, with this exit code
    error: str | None = None  # of a command that this one started
    failed: bool = False  # the command worked, and what it checked is wrong
    interrupted: bool = False  # the person ended it before it was done


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """A command, whether it worked, where we are, why we stopped, what there is to see.

    `failed` marks an assertion or a check that did not hold, and `interrupted` a
    command that the person ended before it was done. `display` holds (number, text,
    value) for each display.
    """

    seq: int  # counts the lines that a session was given, from 1
    command: str
    ok: bool  # whether the command was understood and worked
    iteration: int  # where we are, counted from 0
    position: int  # how many events of it have been applied
    of: int  # how many events it has
    phase: Phase  # of the last applied event
    stop: Stopped | None = None  # why travel halted; None where nothing moved
    display: tuple[tuple[int, str, Any], ...] = ()
    data: Any = None  # what the command says, for a program
    text: tuple[str, ...] = ()  # the same in plain lines
    error: str | None = None  # what is wrong; None where all is well
    failed: bool = False
    show: Any = None  # what to draw; None where `text` is all
    moved: bool = False  # whether the place or the run has changed
    code: int | None = None  # the exit code to leave with; None to stay
    interrupted: bool = False

    def __repr__(self) -> str:
        """Return its text, for a notebook."""
        return "\n".join((self.error, *self.text) if self.error else self.text)

    def record(self, plain: Any) -> Mapping[str, Any]:
        """Return the reply as plain data; `plain` turns arrays into nested lists."""
        return {
            "seq": self.seq,
            "command": self.command,
            "ok": self.ok,
            "iteration": self.iteration,
            "position": self.position,
            "of": self.of,
            "phase": self.phase,
            "stop": plain(self.stop.record()) if self.stop else None,
            "display": [
                {"number": number, "expression": text, "value": plain(value)}
                for number, text, value in self.display
            ],
            "data": plain(self.data),
            "text": list(self.text),
            "error": self.error,
        }
