"""Movement inside one trace: from a position to the next border, in either direction.

Every function takes a trace and a position and returns a position. A border stands
between two events that belong to different nodes, statements or frames. Going back is
the same walk over the same borders in the other direction, so forward then back is the
identity wherever one started from a border.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from ..engine.trace import Contribution, Event, Trace

if TYPE_CHECKING:
    from ..engine.graph import Statement

Direction = Literal[1, -1]
Move = Callable[[Trace, int, Direction], int]


def place_of(event: Event) -> int:
    """Return the node whose operation an event belongs to: for an edge its consumer."""
    return event.consumer if isinstance(event, Contribution) else event.node


def present_node(trace: Trace, position: int) -> int:
    """Return the node whose step is shown: that of the last event applied."""
    if not len(trace):
        return trace.run.graph.output
    return place_of(trace.event(max(position - 1, 0)))


def ahead(trace: Trace, position: int, direction: Direction) -> Event | None:
    """Return the event that lies ahead of `position`, or None at the trace's end."""
    number = position if direction > 0 else position - 1
    return trace.event(number) if 0 <= number < len(trace) else None


def by_event(trace: Trace, position: int, direction: Direction) -> int:
    """Move by one event."""
    return min(max(position + direction, 0), len(trace))


def by_node(trace: Trace, position: int, direction: Direction) -> int:
    """Move by one node: a value, the seed, all edges of a consumer, an update."""
    coming = ahead(trace, position, direction)
    if not isinstance(coming, Contribution):
        return by_event(trace, position, direction)
    return _beyond(trace, position, direction, coming.consumer, coming.consumer + 1)


def by_statement(trace: Trace, position: int, direction: Direction) -> int:
    """Move over one statement, calls in it included.

    Of the statements that begin here it is the outermost; inside of one, its rest.
    """
    coming = ahead(trace, position, direction)
    graph = trace.run.graph
    if coming is None or not graph.statements:
        return by_node(trace, position, direction)
    site = graph.nodes[place_of(coming)].site
    if site is None or not _in_pass(trace, position, direction):
        return by_node(trace, position, direction)
    chosen = graph.statements[site.statement]
    passed = ahead(trace, position, _opposite(direction))
    for _, outer, _ in graph.around(site):
        if _inside(trace, passed, outer, position, direction):
            break
        chosen = outer
    return _beyond(trace, position, direction, chosen.first, chosen.stop)


def out_of_frame(trace: Trace, position: int, direction: Direction) -> int:
    """Move out of the frame; at the top, to the end of the pass."""
    coming = ahead(trace, position, direction)
    if coming is None:
        return position
    graph = trace.run.graph
    site = graph.nodes[place_of(coming)].site
    frame = graph.frames[graph.statements[site.statement].frame] if site else None
    if frame is None or frame.index == 0 or not _in_pass(trace, position, direction):
        return to_end_of_pass(trace, position, direction)
    return _beyond(trace, position, direction, frame.first, frame.stop)


def to_end_of_pass(trace: Trace, position: int, direction: Direction) -> int:
    """Move to the next border between the passes: output, updates, start or end."""
    borders = (0, trace.seed_position, trace.update_position, len(trace))
    if direction > 0:
        return min((b for b in borders if b > position), default=len(trace))
    return max((b for b in borders if b < position), default=0)


def _opposite(direction: Direction) -> Direction:
    return -1 if direction > 0 else 1


def _in_pass(trace: Trace, position: int, direction: Direction) -> bool:
    """Tell whether the event ahead is a `Forward` or a `Contribution`."""
    number = position if direction > 0 else position - 1
    return number != trace.seed_position and number < trace.update_position


def _inside(
    trace: Trace,
    passed: Event | None,
    statement: Statement,
    position: int,
    direction: Direction,
) -> bool:
    """Tell whether the event just passed belongs to the same walk over a statement."""
    if passed is None or not _in_pass(trace, position, _opposite(direction)):
        return False
    ahead_is_back = isinstance(ahead(trace, position, direction), Contribution)
    if ahead_is_back != isinstance(passed, Contribution):
        return False
    return statement.first <= place_of(passed) < statement.stop


def _beyond(
    trace: Trace, position: int, direction: Direction, first: int, stop: int
) -> int:
    """Move past all events of nodes first … stop − 1 in the pass that lies ahead."""
    backward = isinstance(ahead(trace, position, direction), Contribution)
    find = trace.backward_events if backward else trace.forward_events
    span = find(first, stop)
    return span.stop if direction > 0 else span.start


MOVES: Final[dict[str, Move]] = {
    "stepi": by_event,
    "step": by_node,
    "next": by_statement,
    "finish": out_of_frame,
}
