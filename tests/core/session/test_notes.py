"""The notes of a scenario in the order of time."""

from gradstep import Debugger, load
from gradstep.core.session.notes import notes_in_time


def test_notes_stand_in_the_order_of_time() -> None:
    for name in ("three_layer", "apple_orange", "xor"):
        debugger = Debugger(load(name))
        positions = [
            n.position
            for n in notes_in_time(debugger.subject, debugger.trace)
            if n.position is not None
        ]
        assert len(positions) == len(debugger.subject.notes)
        assert positions == sorted(positions)
