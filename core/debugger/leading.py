"""Scripts that lead: they go on by themselves, and wait for what a person is to do.

`wait LINE` is what such a script waits for. A move is done by whatever leads to the
same place, and another line by itself; anything else is allowed in between.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ..base.errors import CommandError, Interrupted
from ..base.exits import OK
from ..session.script import severity_of
from .debugger import Debugger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..session.memory import Place
    from ..session.reply import Reply
    from ..session.script import Line


class Standing(NamedTuple):
    """Where a session stands: the run that is looked at, and the place in its time."""

    run: int  # counted from 0
    place: Place  # in that run


class Wait(NamedTuple):
    """What is waited for."""

    by: Line  # of the script
    line: str  # to be done; "" where a person only has to say that it is to go on
    start: Standing  # where the script has come to
    goal: Standing | None  # where the line leads; None where it is no move


def leads(debugger: Debugger, lines: Sequence[Line]) -> bool:
    """Tell whether a script leads: whether it waits for anything."""
    return any(_is_wait(debugger, line.text) for line in lines)


class Leader:
    """A script that leads, as far as it has come."""

    def __init__(self, debugger: Debugger, lines: Sequence[Line]) -> None:
        """Take the lines of a script and the session that it is about."""
        self.wait: Wait | None = None  # what it waits for now
        self.failed = ""  # file:line where it could not go on; "" while it can
        self.steps = sum(_is_wait(debugger, line.text) for line in lines)
        self.step = 0  # how many of those it has come to
        self.said = [*_texts(debugger, lines)]  # all that it says
        self._lines = deque(lines)
        self._made: Line | None = None  # its line that is carried out now
        self._at: Standing | None = None  # at the last reply; None before it begins
        # the last reply was to a line of its own that has nothing to be read
        self.is_quiet = False

    @property
    def is_over(self) -> bool:
        """Tell whether it has come to its end."""
        return not (self._lines or self._made or self.wait)

    def is_away(self, debugger: Debugger) -> bool:
        """Tell whether a person is elsewhere than where it waits, or on the way."""
        wait, here = self.wait, standing(debugger)
        if wait is None or here == wait.start:
            return False
        if wait.goal is None or len({here.run, wait.start.run, wait.goal.run}) > 1:
            return True
        first, last = sorted((wait.start.place, wait.goal.place))
        return not first <= here.place <= last

    def after(self, debugger: Debugger, reply: Reply | None) -> Line | None:
        """Return its next line, to be carried out behind a reply; None where it waits.

        The reply may be that to a line that a person has typed. The first call, with
        none or with any, returns the first line.
        """
        before, self._at = self._at, standing(debugger)
        made, wait, self.is_quiet = self._made, self.wait, False
        if before is None:
            return self._next(debugger)
        if reply is None:
            return None
        if made is not None and reply.command == made.text:
            if severity_of(reply, self._lines[0] if self._lines else None) == OK:
                self.is_quiet = reply.ok and _only_speaks(debugger, made.text)
                return self._next(debugger)
            self.failed, self._made = made.place, None
            self._lines.clear()
        elif made is None and wait and is_done(wait, debugger, reply, before):
            if wait.goal is None and not reply.moved:
                self._insert(wait, way_back(wait, debugger))
            return self._next(debugger)
        return None

    def go_on(self, debugger: Debugger) -> Line | None:
        """Return the line that is next where a person does not do it; None for none."""
        if (wait := self.wait) is None:
            return None
        lines = [*way_back(wait, debugger), wait.line]
        self._insert(wait, filter(None, lines))
        return self._next(debugger)

    def _insert(self, wait: Wait, lines: Iterable[str]) -> None:
        """Let lines come before those that are left."""
        own = [replace(wait.by, text=line) for line in lines]
        self._lines.extendleft(reversed(own))

    def _next(self, debugger: Debugger) -> Line | None:
        self._made = self.wait = None
        if not self._lines:
            return None
        line = self._lines.popleft()
        if _is_wait(debugger, line.text):
            with suppress(CommandError):
                self.wait = wait_for(debugger, line)
                self.step += 1
                return None
        self._made = line  # a wait for what is wrong says so when it is carried out
        return line


def standing(debugger: Debugger) -> Standing:
    """Return where a session stands."""
    return Standing(debugger.chosen, debugger.place)


def _is_wait(debugger: Debugger, line: str) -> bool:
    try:
        command, _ = debugger.read(line)
    except CommandError:
        return False
    return command is not None and command.name == "wait"


def _texts(debugger: Debugger, lines: Iterable[Line]) -> Iterator[str]:
    """Yield what the lines of a script say."""
    for line in lines:
        with suppress(CommandError):
            command, text = debugger.read(line.text)
            if command is not None and command.name == "say":
                yield text


def _only_speaks(debugger: Debugger, line: str) -> bool:
    command, _ = debugger.read(line)
    return command is not None and (command.judges or command.name == "say")


def wait_for(debugger: Debugger, by: Line) -> Wait:
    """Return what it takes to have done a line, from where the session stands now.

    Raises `CommandError` where that is no command line.
    """
    start, (_, line) = standing(debugger), debugger.read(by.text)
    debugger.must_read(line)
    command, _ = debugger.read(line)
    if command is None or command.group != "moving in time":
        return Wait(by, line, start, None)
    ahead = _double(debugger)
    try:
        has_moved = ahead.execute(line).moved
    except Interrupted:
        has_moved = False
    return Wait(by, line, start, standing(ahead) if has_moved else None)


def _double(debugger: Debugger) -> Debugger:
    """Return a session that stands at the same place, with a memory of its own.

    It asks nothing, and the commands of its stops do nothing.
    """
    about = debugger.scenario or debugger.subject
    double = Debugger(about, debugger.runs[0].timeline, debugger.progress)
    double.runs, double.chosen = [*debugger.runs], debugger.chosen
    double.place, memory, own = debugger.place, debugger.memory, double.memory
    vars(own).update((name, copy(value)) for name, value in vars(memory).items())
    own.stops = {n: s._replace(commands=()) for n, s in memory.stops.items()}
    own.prediction = None
    return double


def is_done(wait: Wait, debugger: Debugger, reply: Reply, before: Standing) -> bool:
    """Tell whether a reply is to what was waited for, or has the same effect.

    `before` is where the session stood before it. What is no move can be done anywhere,
    unless it leads away from there.
    """
    if not wait.line or not reply.ok:
        return False
    if wait.goal is not None:
        return standing(debugger) == wait.goal
    if reply.moved and before != wait.start:
        return False
    wanted, done = (_said(debugger, line) for line in (wait.line, reply.command))
    return done[0] == wanted[0] and wanted[1] in ("", done[1])


def _said(debugger: Debugger, line: str) -> tuple[str, str]:
    """Return the name of a line's command, and its arguments without blanks."""
    command, arguments = debugger.read(line)
    return command.name if command else "", "".join(arguments.split())


def way_back(wait: Wait, debugger: Debugger) -> list[str]:
    """Return the lines that lead to where the script waits; none from there."""
    here, (run, place) = standing(debugger), wait.start
    lines = [f"runs {run}"] if here.run != run else []
    if here != wait.start:
        lines.append(f"goto {place.iteration}:{place.position}")
    return lines
