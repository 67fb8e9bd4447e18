"""The notes of a scenario in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..words.notes import filled

if TYPE_CHECKING:
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
        position = _position(trace, place)
        said = text if position is None else filled(text, trace, position, subject)
        found.append(Note(place, f"{place.when}{name}", said, position))
    last = len(trace) + 1
    return sorted(found, key=lambda n: last if n.position is None else n.position)


def _position(trace: Trace, place: NotePlace) -> int | None:
    """Return the first position at which a note is shown; None where none comes."""
    match place.when:
        case "start":
            return 0
        case "end":
            return len(trace)
        case "seed":
            event: int | None = trace.seed_position
        case "forward":
            event = trace.forward_event(place.node)
        case "update":
            event = trace.update_event(place.node)
        case "backward":
            event = trace.speaking(place.node)
    return None if event is None else event + 1
