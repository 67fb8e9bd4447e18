"""The debugger: runs, a position in time, stops; `execute(line) -> Reply`.

It holds what a session is: which run is looked at, where in its time, the stops, marks
and displays. Everything it knows of the numbers it looks up in the trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from ..base.errors import (
    AssertionFailed,
    CommandError,
    InputError,
    Interrupted,
    Problem,
    RuleError,
)
from ..base.progress import Progress
from ..base.text import clean, nearest
from ..commands import ALIASES, COMMANDS, GROUPS
from ..commands.table import Command
from ..engine.graph import Graph
from ..engine.trace import Trace
from ..export.formats import EXPORTERS, Exporter
from ..scenario.scenario import Scenario
from ..session.expression import Expression, NotYetError, State, parse
from ..session.location import Location, parse_location
from ..session.reply import Answer, Reply, Stopped
from ..session.session import Branch, Display, Place, Session
from ..session.steps import Direction
from ..session.stops import Meeting, Stop, look, meetings, same
from ..training.timeline import Timeline, timeline_of
from ..words import events as describe
from .by_name import ByName

_MOST_COMMANDS: Final = 100_000  # that one line may start through stops and scripts
_DEEPEST: Final = 20  # nesting of scripts
_LONGEST_LINE: Final = 4000  # characters; Python reads no longer whole number


class Debugger(ByName):
    """A session over one scenario.

    `groups` is the command table. `execute` carries out a line of it, and so does a
    method of the command's name.

    >>> from gradstep import load
    >>> bug = Debugger(load("apple_orange"))
    >>> bug.execute("goto end").phase
    'end'
    >>> float(bug.execute("print a.grad").data)
    3.3000000000000003
    """

    groups: Final = GROUPS
    commands: Final = COMMANDS
    aliases: Final = ALIASES

    def __init__(
        self,
        scenario: Scenario,
        timeline: Timeline | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.scenario = scenario
        self.progress: Progress = progress or (lambda done, of: None)
        if timeline is None:
            timeline = timeline_of(scenario, self._report)
        self.runs = [Branch(0, timeline, "as loaded")]
        self.chosen = 0
        self.undone: list[int] = []
        self.place = Place(0, 0)
        self.session = Session()
        self.exporters: Mapping[str, Exporter] = EXPORTERS  # a screen adds its own
        self._seq = 0

    def _report(self, done: int, of: int) -> None:
        """Report progress to whoever is to know of it by now."""
        self.progress(done, of)

    # -------------------------------------------------------------- where we are

    @property
    def branch(self) -> Branch:
        """The run that is looked at."""
        return self.runs[self.chosen]

    @property
    def timeline(self) -> Timeline:
        """The time of the run that is looked at."""
        return self.branch.timeline

    @property
    def trace(self) -> Trace:
        """The trace of the present iteration."""
        return self.timeline.trace(self.place.iteration)

    @property
    def graph(self) -> Graph:
        """The graph, the same in every run."""
        return self.trace.run.graph

    @property
    def position(self) -> int:
        """How many events of the present iteration have been applied."""
        return self.place.position

    def state(self, place: Place | None = None, stop: int = 0) -> State:
        """Return what an expression sees at a place; `stop` is the asking stop."""
        place = place or self.place
        hits = {number: stop.hits for number, stop in self.session.stops.items()}
        hits[0] = hits.get(stop, 0)
        return State(
            self.timeline.trace(place.iteration),
            place.position,
            place.iteration,
            self.scenario.names,
            MappingProxyType(hits),
        )

    def expression(self, text: str) -> Expression:
        """Parse an expression over this graph, or raise `CommandError`."""
        return parse(text, self.graph, self.scenario.names)

    def location(self, text: str) -> Location:
        """Parse a location in this graph, or raise `CommandError`."""
        return parse_location(text, self.trace, self.scenario.names)

    # ------------------------------------------------------------------ commands

    def execute(self, line: str) -> Reply:
        """Carry out one command line. What is wrong changes nothing and is said."""
        session = self.session
        if session.depth == 0:
            session.started = 0
            self._seq += 1
        outer, session.waiting = session.waiting, []
        command, reply = self._carry_out(line)
        while session.waiting and reply.ok and reply.code is None:
            reply = _joined(reply, self._carry_out(session.waiting.pop(0))[1])
        session.waiting = outer
        if command is not None or not reply.ok:
            self._remember(command, reply)
        return reply

    def _carry_out(self, line: str) -> tuple[Command | None, Reply]:
        session = self.session
        session.started += 1
        started, before = session.started, self._snapshot()
        line, command = line.strip(), None
        answer, error, failed, interrupted = Answer(), None, False, False
        try:
            if started > _MOST_COMMANDS:
                raise CommandError(Problem("one line has started too many commands"))
            command, arguments = self._command(line)
            if command is not None:
                answer = command.run(self, arguments)
            error, failed = answer.error, answer.failed
            interrupted = answer.interrupted
        except (Interrupted, KeyboardInterrupt) as stopped:
            what = f"interrupted {stopped}".strip()
            error, interrupted = f"{what}; what was done is kept", True
        except (InputError, RuleError) as problem:
            error, failed = str(problem), isinstance(problem, AssertionFailed)
            if session.started == started:  # a script has done what it did
                self._restore(before)
        moved = before[:2] != (self.chosen, self.place)
        if moved or answer.stop:
            session.stopped = answer.stop
        return command, Reply(
            self._seq,
            clean(line),
            error is None,
            self.place.iteration,
            self.position,
            len(self.trace),
            self.trace.phase(self.position),
            answer.stop,
            tuple(self._displays()) if moved or answer.stop else (),
            answer.data,
            answer.text,
            error,
            failed,
            answer.show,
            moved,
            answer.code,
            interrupted,
        )

    def _snapshot(self) -> tuple[int, Place, dict[int, Stop], dict[int, Display]]:
        session = self.session
        return self.chosen, self.place, dict(session.stops), dict(session.displays)

    def _restore(
        self, before: tuple[int, Place, dict[int, Stop], dict[int, Display]]
    ) -> None:
        self.chosen, self.place, self.session.stops, self.session.displays = before

    def _remember(self, command: Command | None, reply: Reply) -> None:
        session = self.session
        if not (command and command.judges and reply.ok):
            session.previous = reply
        if session.depth or not reply.ok or command is None:
            return
        session.history.append(reply.command)
        if session.recorded is not None and command.recorded:
            session.recorded.append(reply.command)
            if session.asserting:
                from ..session.script import assertions

                session.recorded += assertions(command.name, reply)

    def _command(self, line: str) -> tuple[Command | None, str]:
        """Find the command of a line: by name, by alias, or by the start of a name."""
        line = without_comment(line)
        if not line:
            return None, ""
        if len(line) > _LONGEST_LINE:
            raise CommandError(
                Problem(
                    f"a line of {len(line)} characters is too long",
                    f"at most {_LONGEST_LINE} are read",
                )
            )
        word, _, rest = line.partition(" ")
        name = ALIASES.get(word, word)
        if name not in COMMANDS:
            found = [command for command in COMMANDS if command.startswith(word)]
            if len(found) != 1:
                raise CommandError(
                    Problem(
                        f"{word!r} could be {', '.join(found)}"
                        if found
                        else f"there is no command {word!r}",
                        nearest(word, [*COMMANDS, *ALIASES]) or "help lists them all",
                    )
                )
            name = found[0]
        return COMMANDS[name], rest.strip()

    def _displays(self) -> Iterator[tuple[int, str, Any]]:
        state = self.state()
        for display in self.session.displays.values():
            try:
                value = display.expression.evaluate(state)
            except NotYetError:
                value = None
            except CommandError as error:
                value = str(error)
            yield display.number, display.expression.text, value

    def nested(self, line: str) -> Reply:
        """Carry out a line on behalf of another one: one of a script."""
        if self.session.depth >= _DEEPEST:
            raise CommandError(Problem("scripts nest too deeply"))
        self.session.depth += 1
        try:
            return self.execute(line)
        finally:
            self.session.depth -= 1

    # ------------------------------------------------------------------ movement

    def go(self, place: Place) -> None:
        """Go to a place, and remember where we were."""
        if place != self.place:
            self.session.visited.append(self.place)
            self.session.returned.clear()
            self.place = place

    def step_over(self, place: Place, direction: Direction) -> Place | None:
        """Return the place across the border of an iteration, or None at the end."""
        iteration = place.iteration + direction
        if not 0 <= iteration < self.timeline.iterations:
            return None
        if direction > 0:
            return Place(iteration, 0)
        return Place(iteration, len(self.timeline.trace(iteration)))

    def travel(self, direction: Direction, extra: Sequence[Stop] = ()) -> Stopped:
        """Travel to the next stop, or to the end of time, and say why it halted."""
        self.session.waiting = []
        while True:
            met = self._next_halt(direction, extra)
            if met is None:
                return Stopped("end" if direction > 0 else "start")
            halting = [meeting for meeting in met if self._count(meeting)]
            if halting:
                self.session.waiting = [c for m in halting for c in m.stop.commands]
                first, *others = map(self._stopped, halting)
                return replace(first, also=tuple(others))

    def _next_halt(
        self, direction: Direction, extra: Sequence[Stop]
    ) -> list[Meeting] | None:
        stops = [*self.session.stops.values(), *extra]
        position = self.position
        while True:
            iteration = self.place.iteration
            trace = self.timeline.trace(iteration)

            def state(position: int, stop: int, iteration: int = iteration) -> State:
                return self.state(Place(iteration, position), stop)

            least = 0 if iteration else 1
            way = meetings(stops, trace, position, direction, state, least)
            halt = next(way, None)
            if halt is not None:
                self.place = Place(iteration, halt[0].position(direction))
                return halt
            self.place = Place(iteration, len(trace) if direction > 0 else 0)
            beyond = self.step_over(self.place, direction)
            if beyond is None:
                return None
            start, self.place = Place(iteration, 0), beyond
            for stop in extra if direction < 0 else ():
                met = self._border(stop, start)
                if met is not None:
                    return [met]
            position = -1 if direction > 0 else beyond.position
            self.progress(iteration, self.timeline.iterations)

    def _border(self, stop: Stop, start: Place) -> Meeting | None:
        """Meet an expression that an iteration's start has cleared, from behind.

        Going back over the border, its value at the end before is there again: a change
        that belongs to no event.
        """
        if stop.watched is None:
            return None
        before = look(stop.watched, self.state(self.place))
        after = look(stop.watched, self.state(start))
        if same(before, after):
            return None
        return Meeting(stop, self.position - 1, before, after)

    def _count(self, meeting: Meeting) -> bool:
        """Count a hit, and tell whether the stop halts: not while it is ignored."""
        stops, stop = self.session.stops, meeting.stop
        if stop.number not in stops:
            return True
        stop = stops[stop.number]
        ignored = stop.ignore > 0
        changed = replace(stop, hits=stop.hits + 1, ignore=max(stop.ignore - 1, 0))
        stops[stop.number] = changed
        if not ignored and stop.temporary:
            del stops[stop.number]
        return not ignored

    def _stopped(self, meeting: Meeting) -> Stopped:
        stop = meeting.stop
        return Stopped(
            stop.kind if stop.number else "until",
            stop.number or None,
            stop.text,
            meeting.event + 1,
            describe.where(self.trace, meeting.event),
            meeting.before,
            meeting.after,
            meeting.index,
        )

    # -------------------------------------------------------------------- what-if

    def branch_off(self, timeline: Timeline, text: str) -> Branch:
        """Add a run beside the present one, and look at it from the same place."""
        branch = Branch(len(self.runs), timeline, text, self.chosen, self.place)
        self.runs.append(branch)
        self.choose(branch.number)
        self.undone.clear()
        return branch

    def choose(self, number: int) -> None:
        """Look at another run, at the same place or the nearest that it has."""
        self.chosen = number
        timeline = self.timeline
        iteration = min(self.place.iteration, timeline.iterations - 1)
        position = min(self.place.position, len(timeline.trace(iteration)))
        self.place = Place(iteration, position)


def _joined(reply: Reply, then: Reply) -> Reply:
    """Return the reply to a line whose stop has run a command of its own."""
    error = then.error and f"at the stop: {then.command}: {then.error}"
    return replace(
        then,
        command=reply.command,
        ok=then.ok,
        stop=then.stop or reply.stop,
        display=then.display or reply.display,
        data=reply.data,
        text=(*reply.text, *then.text),
        error=error,
        failed=reply.failed or then.failed,
        show=reply.show,
        moved=reply.moved or then.moved,
    )


def without_comment(text: str) -> str:
    """Cut a comment, which a blank parts from its `#`: `#31` is an event."""
    start = re.search(r"(^|\s)#(\s|$)", text)
    return (text[: start.start()] if start else text).strip()
