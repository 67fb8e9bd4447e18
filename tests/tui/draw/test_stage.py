"""What a step says in words, at its place in time."""

import pytest

from gradstep import Debugger, load
from gradstep.core.scenario.scenario import builtin_names
from gradstep.core.session.notes import notes_in_time
from gradstep.tui.draw.look import Look
from gradstep.tui.draw.stage import Stage, author_notes


@pytest.mark.parametrize("name", builtin_names())
def test_a_note_has_the_position_at_which_the_step_says_it_first(name: str) -> None:
    debugger = Debugger(load(name))
    subject, trace = debugger.subject, debugger.trace
    stage = Stage(subject, trace, Look())
    said = [author_notes(stage, event) for event in range(len(trace))]
    for note in notes_in_time(subject, trace):
        if note.at.when not in ("start", "end"):
            first = next(n for n, texts in enumerate(said, 1) if note.text in texts)
            assert note.position == first, note.place
