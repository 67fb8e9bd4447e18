"""What the debugger answers: data, which the screen, the terminal and JSON draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..base.errors import Problem
    from ..engine.trace import Phase


class Table(NamedTuple):
    """Rows to show. Cells are text, numbers, arrays or None."""

    title: str  # "" for none
    columns: tuple[str, ...]  # the headings; "" above the mark of the present row
    rows: tuple[tuple[Any, ...], ...]  # each with a cell for each column

    def records(self) -> list[dict[str, Any]]:
        """Return its rows for a program: the mark says whether a row is `present`."""
        return [
            {
                name or "present": cell if name else bool(cell)
                for name, cell in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]


class Listing(NamedTuple):
    """Lines of program text: (number, text, mark), the mark `▶` at the present one."""

    title: str  # the name of the source
    lines: tuple[tuple[int, str, str], ...]  # in order, not always all


class Value(NamedTuple):
    """The value of an expression."""

    name: str  # the expression as it was written
    value: Any  # an array, a number, a tuple or None
    note: str = ""  # what the made-up names in it stand for; "" for none


REASONS: Final = ("break", "watch", "catch", "until", "start", "end")


@dataclass(frozen=True, slots=True, eq=False)
class Stopped:
    """Why travel halted: at a stop, at an end, or where it was sent.

    - `reason`: break, watch, catch, until, start or end
    - `number`: that of the stop; None where it is none
    - `text`: what the stop looks for; empty at an end
    - `event`: counted from 1; None at an end
    - `where`: the node or the edge of the event; empty at an end
    - `before`, `after`: of a watch the values before and after the event; else None
    - `index`: of the element that changed or was caught; None for none
    - `also`: the other stops that were met at this place
    """

    reason: str
    number: int | None = None
    text: str = ""
    event: int | None = None
    where: str = ""
    before: Any = None
    after: Any = None
    index: tuple[int, ...] | None = None
    also: tuple[Stopped, ...] = ()

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


class Answer(NamedTuple):
    """What a command's function returns; the debugger makes the reply of it.

    `show` is what to draw: a `Table`, a `Listing`, a `Value`, an `Explanation`, …
    `text` says the same in plain lines.
    """

    text: tuple[str, ...] = ()
    # the same for a program: plain, but for arrays; or a function that makes it, where
    # that takes longer than the text
    data: Any = None
    show: Any = None
    stop: Stopped | None = None  # why travel halted; None where nothing moved
    code: int | None = None  # leave, with this exit code
    error: str | None = None  # of a command that this one started
    failed: bool = False  # the command worked, and what it checked is wrong
    interrupted: bool = False  # the person ended it before it was done

    def facts(self) -> Callable[[], Any]:
        """Return a function that returns the data, and makes it once at most."""
        made = self.data
        return cache(made) if callable(made) else lambda: made


def _nothing() -> None:
    """Return the data of a command that has none."""


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """A command, whether it worked, where we are, why we stopped, what there is to see.

    - `seq`: counts the lines that the session was given, from 1
    - `command`: the line
    - `ok`: whether the command was understood and worked
    - `iteration`: where we are, counted from 0
    - `position`: how many events of the iteration have been applied
    - `of`: how many events it has
    - `phase`: start, forward, backward, update or end: that of the last event
    - `stop`: why travel halted, a `Stopped`; None where nothing moved
    - `display`: number, expression and value of each display, where we have moved
    - `data`: what the command says, for a program: `help` of its method describes it
    - `text`: the same in plain lines
    - `error`: what is wrong; None where all is well
    - `problems`: the same as records, each a `Problem`, where they are known
    - `failed`: whether an assertion or a check did not hold
    - `show`: what a screen draws; None where `text` is all
    - `moved`: whether the place or the run has changed
    - `code`: the exit code to leave with; None to stay
    - `interrupted`: whether the person ended the command before it was done
    """

    seq: int
    command: str
    ok: bool
    iteration: int
    position: int
    of: int
    phase: Phase
    stop: Stopped | None = None
    display: tuple[tuple[int, str, Any], ...] = ()
    facts: Callable[[], Any] = _nothing  # what `data` is made with, at the first look
    text: tuple[str, ...] = ()
    error: str | None = None
    failed: bool = False
    show: Any = None
    moved: bool = False
    code: int | None = None
    interrupted: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def data(self) -> Any:
        """What the command says, for a program: plain data, but for arrays."""
        return self.facts()

    def answer(self) -> Answer:
        """Return what the command answered: one that started it answers the same."""
        kept = {name: getattr(self, name) for name in Answer._fields if name != "data"}
        return Answer(data=self.facts, **kept)

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
