"""The debugger: runs, a position in time, stops; `execute(line) -> Reply`.

It holds what a session is: which run is looked at, where in its time, the stops, marks
and displays. Everything it knows of the numbers it looks up in the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from . import describe
from .commands import ALIASES, COMMANDS, GROUPS
from .commands.table import Command
from .errors import (
    AssertionFailed,
    CommandError,
    InputError,
    Interrupted,
    Problem,
    RuleError,
)
from .expression import Expression, NotYetError, State, parse
from .graph import Graph
from .location import Location, parse_location
from .moves import Direction
from .reply import Answer, Reply, Stopped
from .scenario import Scenario
from .script import assertions
from .session import Branch, Place, Session
from .stops import Meeting, Stop, meetings
from .text import clean, nearest
from .timeline import Timeline
from .trace import Trace
from .training import timeline_of

Progress = Callable[[int, int], None]  # done, of; it may raise `Interrupted`

_MOST_COMMANDS: Final = 100_000  # that one line may start through stops and scripts
_DEEPEST: Final = 20  # nesting of scripts and of commands at stops


class Debugger:
    """A session over one scenario.

    `groups` is the command table; `execute` is the one way to use it.

    >>> from gradstep.core import load
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
        if timeline is None:
            timeline = timeline_of(scenario, self._report)
        self.runs = [Branch(0, timeline, "as loaded")]
        self.chosen = 0
        self.undone: list[int] = []
        self.place = Place(0, 0)
        self.session = Session()
        self.progress: Progress = progress or (lambda done, of: None)
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
        session.started += 1
        self._seq += 1
        seq, before = self._seq, (self.chosen, self.place)
        line, command = line.strip(), None
        try:
            if session.started > _MOST_COMMANDS:
                raise CommandError(Problem("one line has started too many commands"))
            command, arguments = self._command(line)
            answer = command.run(self, arguments) if command else Answer()
            error, failed = None, answer.failed
        except Interrupted:
            answer, error, failed = (
                Answer(),
                "interrupted; what was done is kept",
                False,
            )
        except (InputError, RuleError) as problem:
            answer, error = Answer(), str(problem)
            failed = isinstance(problem, AssertionFailed)
        moved = before != (self.chosen, self.place)
        reply = Reply(
            seq,
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
        )
        if command is not None:
            self._remember(command, reply)
        return reply

    def _remember(self, command: Command, reply: Reply) -> None:
        session = self.session
        session.previous = reply
        if session.depth or not reply.ok:
            return
        session.history.append(reply.command)
        if session.recorded is not None and command.recorded:
            session.recorded.append(reply.command)
            if session.asserting:
                session.recorded += assertions(command.name, reply)

    def _command(self, line: str) -> tuple[Command | None, str]:
        """Find the command of a line: by name, by alias, or by the start of a name."""
        if not line or line.startswith("#"):
            return None, ""
        word, _, rest = line.partition(" ")
        if "/" in word:  # print/x style is not known; say so by the name alone
            word, _, _ = word.partition("/")
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
        return COMMANDS[name], without_comment(rest).strip()

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

    def nested(self, lines: Sequence[str]) -> list[Reply]:
        """Carry out lines on behalf of a line: a script, or the commands of a stop."""
        if self.session.depth >= _DEEPEST:
            raise CommandError(Problem("scripts and stop commands nest too deeply"))
        self.session.depth += 1
        try:
            return [self.execute(line) for line in lines]
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
        while True:
            met = self._next_halt(direction, extra)
            if met is None:
                return Stopped("end" if direction > 0 else "start")
            counted = [self._count(meeting) for meeting in met]
            halting = [m for m, halts in zip(met, counted, strict=True) if halts]
            if halting:
                return self._stopped(halting[0])

    def _next_halt(
        self, direction: Direction, extra: Sequence[Stop]
    ) -> list[Meeting] | None:
        stops = [*self.session.stops.values(), *extra]
        place: Place | None = self.place
        while place is not None:
            here = place
            trace = self.timeline.trace(here.iteration)

            def state(
                position: int, stop: int, iteration: int = here.iteration
            ) -> State:
                return self.state(Place(iteration, position), stop)

            halt = next(meetings(stops, trace, here.position, direction, state), None)
            if halt is not None:
                self.place = Place(here.iteration, halt[0].position(direction))
                return halt
            self.place = Place(here.iteration, len(trace) if direction > 0 else 0)
            self.progress(here.iteration, self.timeline.iterations)
            place = self.step_over(self.place, direction)
            if place is not None:
                self.place = place
        return None

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
        branch = Branch(len(self.runs), timeline, text, self.chosen)
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


def without_comment(text: str) -> str:
    """Cut a comment that follows a blank: `#31` is an event, ` # …` a comment."""
    position = text.find(" # ")
    return text if position < 0 else text[:position]
