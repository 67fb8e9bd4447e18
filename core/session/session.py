"""A session: the runs, the place in time that is looked at, and the ways to move.

Commands work on it, and whatever draws it reads it. What it knows of the numbers it
looks up in the trace.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..base.errors import Interrupted
from ..base.trust import KEYBOARD, Trust
from ..export.formats import EXPORTERS, Exporter
from ..expression.budget import ITERATION, STEP, Budget
from ..training.timeline import Records
from ..words import events as describe
from ..words.digits import SENTENCE
from .location import Location, parse_location
from .memory import Branch, Memory, Place
from .reply import Reply, Stopped
from .stops import Meeting, Stop, known_value, meetings, same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..base.progress import Progress
    from ..engine.element import Element
    from ..engine.graph import Graph
    from ..engine.subject import Subject
    from ..engine.trace import Trace
    from ..expression.expression import Expression
    from ..expression.state import State
    from ..training.timeline import Timeline
    from .steps import Direction


_LOOKING: Final = 4  # times as long as an iteration that is only computed


class Session:
    """The runs over one subject, and where in their time we are.

    `must_read` raises `CommandError` for a line that no run would take, and `nested`
    carries out a line on behalf of another one, as a script does; `progress` is told
    how far long work has come.
    """

    def __init__(
        self,
        subject: Subject,
        timeline: Timeline,
        must_read: Callable[[str], object],
        nested: Callable[[str, Trust], Reply],
        progress: Progress,
    ) -> None:
        self.subject = subject
        self.must_read = must_read
        self.nested = nested
        self.trust = KEYBOARD  # in the line that is carried out, or comes next
        self.progress = progress
        self.runs = [Branch(0, timeline, "as loaded")]
        self.chosen = 0
        self.undone: list[int] = []
        self.place = Place(0, 0)
        self.memory = Memory()
        self.budget = Budget(subject.limits)  # of the line that is carried out
        self.digits = SENTENCE  # of the numbers in answers
        self.exporters: Mapping[str, Exporter] = EXPORTERS  # a screen adds its own

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

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that are on, in which something is hidden: `Command.hidden_in`."""
        memory = self.memory
        on = {
            "predict": memory.prediction is not None,
            "hunt": memory.hunt is not None,
        }
        return tuple(mode for mode, is_on in on.items() if is_on)

    @property
    def finished(self) -> Records:
        """The records of the iterations of a training that have come to their end.

        While predict is on, those of iterations that are still to come are none.
        """
        if self.timeline.iterations == 1:
            return Records(0)
        records, (iteration, position) = self.timeline.records, self.place
        last = iteration if "predict" in self.modes else len(records) - 1
        is_over = iteration == last and position == len(self.trace)
        return records.first(last + is_over)

    def state(self, place: Place | None = None, stop: int = 0) -> State:
        """Return what an expression sees at a place; `stop` is the asking stop."""
        from ..expression.state import State  # noqa: PLC0415  # 5 ms, as below

        place = place or self.place
        hits = {number: stop.hits for number, stop in self.memory.stops.items()}
        hits[0] = hits.get(stop, 0)
        return State(
            self.timeline.trace(place.iteration),
            place.position,
            place.iteration,
            self.subject.names,
            MappingProxyType(hits),
            self.budget,
        )

    def expression(self, text: str) -> Expression:
        """Parse an expression over this graph, or raise `CommandError`.

        What can never be known in this run is an error, too.
        """
        from ..expression.expression import parse  # noqa: PLC0415  # 5 ms, only of expressions

        found = parse(text, self.graph, self.subject.names, self.subject.limits)
        found.must_exist(self.state(Place(self.place.iteration, len(self.trace))))
        return found

    def element(self, text: str) -> Element:
        """Parse an element of this graph, or raise `CommandError`."""
        from ..expression.expression import parse_element  # noqa: PLC0415  # as above

        return parse_element(text, self.graph, self.subject.names)

    def location(self, text: str) -> Location:
        """Parse a location in this graph, or raise `CommandError`."""
        return parse_location(text, self.trace, self.subject.names)

    # ------------------------------------------------------------------ movement

    def go(self, place: Place) -> None:
        """Go to a place, and remember where we were."""
        if place != self.place:
            self.memory.visited.append(self.place)
            self.memory.returned.clear()
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
        self.memory.waiting = []
        while True:
            start = self.place
            met = self._next_halt(direction, extra)
            if self.memory.started > 1:  # a stop or a script goes on and on
                self.budget.take((), STEP * self._distance(start))
            if met is None:
                return Stopped("end" if direction > 0 else "start")
            halting = [meeting for meeting in met if self._count(meeting)]
            if halting:
                stops = [meeting.stop for meeting in halting]
                self.memory.waiting = [(c, s.trust) for s in stops for c in s.commands]
                first, *others = map(self._stopped, halting)
                return replace(first, also=tuple(others))

    def _next_halt(
        self, direction: Direction, extra: Sequence[Stop]
    ) -> list[Meeting] | None:
        stops = [*self.memory.stops.values(), *extra]
        position = self.position
        while True:
            iteration = self.place.iteration
            trace = self.timeline.trace(iteration)

            def state(position: int, stop: int, iteration: int = iteration) -> State:
                return self.state(Place(iteration, position), stop)

            least = 0 if iteration else 1
            reached = max(position, 0)

            def passing(event: int, of: int, iteration: int = iteration) -> None:
                nonlocal reached
                reached = event
                self.progress(iteration * of + event, self.timeline.iterations * of)

            way = meetings(stops, trace, position, direction, state, least, passing)
            try:
                halt = next(way, None)
            except (Interrupted, KeyboardInterrupt):
                self.place = Place(iteration, reached)  # nothing has halted so far
                raise
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
            self.count_iteration(_LOOKING)
            self.progress(iteration, self.timeline.iterations)

    def count_iteration(self, times: int = 1) -> None:
        """Take the work of an iteration, if nobody may be there to interrupt the line.

        It takes so many times as long where its events are looked at.

        Raises `CommandError` where a script has trained as long as it may.
        """
        if self.trust.folder is not None:
            events = STEP * len(self.timeline.trace(0))
            self.budget.take((), times * (ITERATION + events))

    def _distance(self, start: Place) -> int:
        """Return how many events there are between a place and the present one."""
        borders = abs(self.place.iteration - start.iteration)
        return abs(self.place.position - start.position) + borders * len(self.trace)

    def _border(self, stop: Stop, start: Place) -> Meeting | None:
        """Return a watch met while going back over the start of an iteration, or None.

        Behind that border its value at the end of the iteration before is there again:
        a change that belongs to no event.
        """
        if stop.watched is None:
            return None
        before = known_value(stop.watched, self.state(self.place))
        after = known_value(stop.watched, self.state(start))
        if same(before, after):
            return None
        return Meeting(stop, self.position - 1, before, after)

    def _count(self, meeting: Meeting) -> bool:
        """Count a hit, and tell whether the stop halts: not while it is ignored."""
        stops, stop = self.memory.stops, meeting.stop
        if stop.number not in stops:
            return True
        stop = stops[stop.number]
        ignored = stop.ignore > 0
        changed = stop._replace(hits=stop.hits + 1, ignore=max(stop.ignore - 1, 0))
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
