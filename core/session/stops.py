"""Stops: break, watch and catch.

A breakpoint stops before its events, a watch and a catch after theirs, in the direction
of travel. The stops met on the way back are those met on the way there, reversed.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from contextlib import contextmanager
from heapq import merge
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from ..base.errors import CommandError, NotYetError
from ..base.trust import KEYBOARD, Trust
from ..engine.element import index_of
from ..engine.trace import Contribution, Forward, Seed, Trace

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Generator,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from ..base.progress import Progress
    from ..engine.element import Quantity
    from ..expression.expression import Expression
    from ..expression.state import State
    from ..ops.table import Array, Value
    from .location import Location
    from .steps import Direction

Kind = Literal["break", "watch", "catch"]
_OFTEN: Final = 64  # events between two reports of progress
_PLAIN: Final = {float, type(None)}  # what a run of plain numbers has
_PIECE: Final = 256  # events whose conditions are looked at together
_ORDER: Final = {"break": 0, "watch": 1, "catch": 2}  # at one event, going forward


class Catch(NamedTuple):
    """What a catch looks for in the numbers that an event makes."""

    name: str  # nan, inf, zero, large, small
    bound: float = 0.0  # of "large" and "small"; the others have none

    def found(self, numbers: Array) -> tuple[int, ...] | None:
        """Return the index of the first such number, or None."""
        if numbers.dtype.kind not in "fc":
            return None
        with np.errstate(all="ignore"):
            places = CATCHES[self.name](numbers, self.bound)
        return index_of(np.argmax(places), numbers.shape) if places.any() else None


CATCHES: Final[Mapping[str, Callable[[Array, float], Array]]] = {
    "nan": lambda x, _: np.isnan(x),
    "inf": lambda x, _: np.isinf(x),
    "zero": lambda x, _: np.asarray(x == 0),
    "large": lambda x, bound: np.abs(x) > bound,
    "small": lambda x, bound: (np.abs(x) < bound) & (x != 0),
}


# What makes a number that is caught for good: in a sum it leaves one of these behind.
_STAYING: Final[Mapping[str, Callable[[Array], Array]]] = {
    "nan": np.isnan,
    "inf": lambda x: ~np.isfinite(x),
}


class Stop(NamedTuple):
    """A breakpoint, a watch or a catch, with its counts. `number` counts from 1."""

    number: int
    kind: Kind  # which of the three it is
    text: str  # what it looks for, as it was written
    location: Location | None = None  # of a breakpoint; others have None
    watched: Expression | None = None  # of a watch; others have None
    catch: Catch | None = None  # of a catch; others have None
    # only where this is true it is met; None for always
    condition: Expression | None = None
    ignore: int = 0  # how many more hits pass by
    hits: int = 0  # how often it was met while its condition held
    enabled: bool = True  # whether it halts at all
    temporary: bool = False  # whether it goes once it has halted
    commands: tuple[str, ...] = ()  # lines to execute when it has halted
    trust: Trust = KEYBOARD  # in these lines


class Meeting(NamedTuple):
    """A stop met at an event; `before` and `after` are in the order of time."""

    stop: Stop  # the one that was met, with the counts before it
    event: int  # its number, counted from 0
    before: Any = None
    after: Any = None
    # of the element that changed or was caught; None for none
    index: (  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
        tuple[int, ...] | None
    ) = None

    def position(self, direction: Direction) -> int:
        """Return where travel halts."""
        if self.stop.kind == "break":
            return self.event
        return self.event + 1 if direction > 0 else self.event


def covered(stops: Iterable[Stop]) -> Sequence[tuple[int, int]]:
    """Return the ranges of nodes that have a stop, joined and in order."""
    ranges: list[tuple[int, int]] = []
    for stop in stops:
        if not stop.enabled:
            continue
        if stop.location is not None:
            ranges += stop.location.nodes
            if stop.location.leaf is not None:
                ranges.append((stop.location.leaf, stop.location.leaf + 1))
            if stop.location.edge is not None:
                ranges.append((stop.location.edge[0], stop.location.edge[0] + 1))
        if stop.watched is not None:
            ranges += ((node, node + 1) for node, _ in stop.watched.reads)
    joined: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((first, end))
    return joined


def is_covered(ranges: Sequence[tuple[int, int]], first: int, stop: int) -> bool:
    """Tell whether one of the joined ranges has a node of first … stop − 1.

    >>> is_covered([(2, 4), (9, 10)], 4, 9), is_covered([(2, 4), (9, 10)], 3, 5)
    (False, True)
    """
    index = bisect_right(ranges, (stop - 1, math.inf)) - 1
    return index >= 0 and ranges[index][1] > first


def meetings(
    stops: Iterable[Stop],
    trace: Trace,
    position: int,
    direction: Direction,
    state: Callable[[int, int], State],
    least: int,
    progress: Progress | None = None,
) -> Iterator[list[Meeting]]:
    """Yield, halt by halt, the stops met on the way from `position`.

    `state(position, number of the stop)` is what conditions and watches see. `least` is
    the first event that one can stop before: nothing lies before the first of all, but
    an iteration before that of another one, where `position` is −1 on the way there.

    The candidates are merged by event and looked at one by one, so that the first halt
    of a long trace is found early. `progress` is told the events that were passed.
    """
    known = {stop.number: stop for stop in stops if stop.enabled}
    candidates = merge(
        *(
            _keys(
                stop, trace, _events(stop, trace, position, direction, least), direction
            )
            for stop in known.values()
        ),
        reverse=direction < 0,
    )
    halt: list[Meeting] = []
    for seen, (event, _, number) in enumerate(candidates):
        if progress is not None and seen % _OFTEN == 0:
            progress(event, len(trace))
        stop = known[number]
        there = Meeting(stop, event).position(direction)
        if halt and halt[0].position(direction) != there:
            yield halt
            halt = []
        with _named(stop):
            met = _meet(stop, trace, event, state)
        if met is not None:
            halt.append(met)
    if halt:
        yield halt


def _keys(
    stop: Stop, trace: Trace, events: Sequence[int], direction: Direction
) -> Iterator[tuple[int, int, int]]:
    """Yield the events to look at, without most of those where a condition is false.

    The last one of each piece is looked at in any case: so the other stops have their
    turn, progress is told, and one can give up.
    """
    in_order = events[::direction]
    for first in range(0, len(in_order), _PIECE):
        *piece, last = in_order[first : first + _PIECE]
        for event in (*_possible(stop, trace, piece), last):
            yield event, _ORDER[stop.kind], stop.number


def _possible(stop: Stop, trace: Trace, events: Sequence[int]) -> Sequence[int]:
    """Return those of some events at which a condition may be true."""
    if stop.condition is None or not events:
        return events
    if stop.watched is not None and not stop.watched.is_name:
        return events  # what does not fit in there is told first
    seen = [event + (stop.kind != "break") for event in events]
    read = {one: _course(trace, *one, sorted(seen)) for one in stop.condition.reads}
    found = stop.condition.may_hold({k: v for k, v in read.items() if v is not None})
    if found is None:
        return events
    at = dict(zip(sorted(seen), np.broadcast_to(found, len(seen)), strict=True))
    return [event for event, moment in zip(events, seen, strict=True) if at[moment]]


def _course(
    trace: Trace, node: int, quantity: Quantity, positions: Sequence[int]
) -> Array | None:
    """Return a single number at each of several positions, in order; None if unsure."""
    if trace.run.graph.nodes[node].shape != ():
        return None
    if quantity == "grad":
        return trace.gradients(node, positions)
    update = trace.update_event(node)
    if update is not None and positions[0] <= update < positions[-1]:
        return None
    return trace.value(node, positions[0])


def _events(
    stop: Stop, trace: Trace, position: int, direction: Direction, least: int
) -> Sequence[int]:
    """Return the numbers of the events at which a stop could be met on this way."""
    first = position
    if stop.location is not None:
        starts = {span[0] for span in stop.location.spans(trace)}
        events = sorted(start for start in starts if start >= least)
        first = position + 1  # it halts before its event: that of here is not ahead
    elif stop.watched is not None:
        events = changing(stop.watched, trace)
    elif stop.catch is not None:
        events = catching(stop.catch, trace)
    else:
        events = range(0)
    if direction > 0:
        return [event for event in events if event >= first]
    return [event for event in events if event < position]


def catching(catch: Catch, trace: Trace) -> Sequence[int]:
    """Return the numbers of the events that can make such a number, in order.

    One look at all values and gradients can tell that nothing is not finite.
    """
    run, staying = trace.run, _STAYING.get(catch.name)
    if staying is None or run.patches:
        return range(len(trace))
    made = map(trace.forward_event, _holding(run.values, staying))
    events = {event for event in made if event is not None}
    for node in _holding(run.gradients, staying):
        events.update(trace.arrivals(node))
    events.update(range(trace.update_position, len(trace)))
    return sorted(events)


def _holding(
    values: Sequence[Value | None], chosen: Callable[[Array], Array]
) -> list[int]:
    """Return the numbers of the nodes that hold a chosen number somewhere."""
    if _PLAIN.issuperset(map(type, values)):
        found = np.flatnonzero(chosen(np.array(values, float))).tolist()
        return [node for node in found if values[node] is not None]  # NaN in there
    return [
        node
        for node, value in enumerate(values)
        if value is not None
        and (array := np.asarray(value)).dtype.kind == "f"
        and chosen(array).any()
    ]


def changing(expression: Expression, trace: Trace) -> list[int]:
    """Return the numbers of the events that can change an expression, in order."""
    if expression.reads and expression.follows_time:
        return list(range(len(trace)))
    events: set[int] = set()
    for node, quantity in expression.reads:
        if quantity == "grad":
            events.update(trace.changing(node))
            continue
        made = (trace.forward_event(node), trace.update_event(node))
        events.update(event for event in made if event is not None)
    return sorted(events)


@contextmanager
def _named(stop: Stop) -> Generator[None, None, None]:
    """Say of what is wrong in an expression which stop asks it."""
    try:
        yield
    except CommandError as error:
        source = f"{stop.kind} {stop.number}" * bool(stop.number)
        raise CommandError(p._replace(source=source) for p in error.problems) from None


def _meet(
    stop: Stop, trace: Trace, event: int, state: Callable[[int, int], State]
) -> Meeting | None:
    if stop.location is not None:
        met = Meeting(stop, event)
        seen = event
    elif stop.watched is not None:
        seen = event + 1
        before = known_value(stop.watched, state(event, stop.number))
        after = known_value(stop.watched, state(seen, stop.number))
        if same(before, after):
            return None
        met = Meeting(stop, event, before, after)
    elif stop.catch is not None:
        seen = event + 1
        index = next(
            (
                i
                for a in produced(trace, event)
                if (i := stop.catch.found(a)) is not None
            ),
            None,
        )
        if index is None:
            return None
        met = Meeting(stop, event, index=index)
    else:
        return None
    if stop.condition is None or stop.condition.holds(state(seen, stop.number)):
        return met
    return None


def produced(trace: Trace, number: int) -> list[Array]:
    """Return the numbers that an event makes: what arrives, and what it adds up to."""
    event = trace.event(number)
    if isinstance(event, Forward):
        return [trace.run.value(event.node)]
    if isinstance(event, Seed):
        return [np.asarray(trace.run.seed)]
    if isinstance(event, Contribution):
        after = trace.gradient(event.operand, number + 1)
        made = np.asarray(trace.contribution(event.edge))
        return [made] if after is None else [made, after]
    return [np.asarray(trace.updated[event.node])]


def known_value(expression: Expression, state: State) -> Any:
    """Return the value of an expression, or None where it is not there (yet)."""
    try:
        return expression.evaluate(state)
    except NotYetError:
        return None


def same(one: Any, two: Any) -> bool:
    """Tell whether two values of an expression are equal; NaN is equal to NaN."""
    if one is None or two is None:
        return one is two
    a, b = np.asarray(one), np.asarray(two)
    if a.shape != b.shape:
        return False
    kinds = a.dtype.kind + b.dtype.kind
    return np.array_equal(a, b, equal_nan=set(kinds) <= set("fc"))
