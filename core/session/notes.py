"""The notes of a scenario in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..words.notes import filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..engine.subject import NotePlace, Subject
    from ..engine.trace import Trace


class Note(NamedTuple):
    """A note: its place in words and as the position behind it, and what it says."""

    at: NotePlace  # where it stands
    place: str  # the same in words: "forward x1.z"
    text: str  # one paragraph
    position: int | None  # the first at which it is shown; None where none comes


def notes_in_time(subject: Subject, trace: Trace) -> list[Note]:
    """Return the notes in the order in which a trace comes to them."""
    nodes = trace.run.graph.nodes
    found: list[Note] = []
    for place, text in subject.notes.items():
        name = "" if place.node < 0 else f" {nodes[place.node].name}"
        position = next(_positions(trace, place), None)
        said = text if position is None else filled(text, trace, position, subject)
        found.append(Note(place, f"{place.when}{name}", said, position))
    last = len(trace) + 1
    return sorted(found, key=lambda n: last if n.position is None else n.position)


def _positions(trace: Trace, place: NotePlace) -> Iterator[int]:
    node = place.node
    if place.when == "start":
        yield 0
    elif place.when == "end":
        yield len(trace)
    elif place.when == "seed":
        yield trace.seed_position + 1
    elif place.when == "forward":
        event = trace.forward_event(node)
        yield 0 if event is None else event + 1
    elif place.when == "update":
        event = trace.update_event(node)
        if event is not None:
            yield event + 1
    else:
        sent = trace.backward_events(node, node + 1)
        if len(sent):
            yield sent.start + 1
        yield from (event + 1 for event in trace.arrivals(node)[-1:])
