"""Which notes of a scenario have no room on a small screen."""

from __future__ import annotations

import asyncio
import tomllib
from typing import TYPE_CHECKING, Final

from ...core.base.files import read_text
from ...core.debugger.debugger import Debugger
from ...core.debugger.verify import placed
from ...core.session.notes import notes_in_time
from ..app.app import GradstepApp
from ..app.main_screen import MainScreen
from ..app.snapshot import settled, surroundings
from ..draw.stage import pass_of
from ..panes.base.pane import View
from ..panes.chosen import present_element
from ..panes.step.pane import StepPane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ...core.engine.subject import NotePlace
    from ...core.scenario.scenario import Scenario
    from ..draw.stage import Pass

SMALL: Final = (80, 24)  # columns and lines that a note should do with
_CUT: Final = f"cut at {SMALL[0]}x{SMALL[1]}, where the key 9 shows all of it"


def remarks(scenarios: Sequence[Scenario]) -> list[str]:
    """Return a remark for each note that a small screen cuts: file, line, place.

    The application itself is laid out and asked, without a terminal.
    """
    noted = [one for one in scenarios if one.subject.notes]
    if not noted:
        return []
    with surroundings():
        found = asyncio.run(_asked(noted))
    return [
        remark
        for one, cut in zip(noted, found, strict=True)
        for remark in _said(one, cut)
    ]


def _said(scenario: Scenario, cut: Sequence[NotePlace]) -> Sequence[str]:
    """Return what there is to say of notes that are cut."""
    if scenario.path is None or not cut:
        return ()
    # The notes have the order of the file, where a node may have another name.
    keys = tomllib.loads(read_text(scenario.path, scenario.subject.limits.text))[
        "notes"
    ]
    named = dict(zip(scenario.subject.notes, keys, strict=True))
    found = [named[place] for place in cut]
    return placed(
        scenario, [(("notes", key), f"the note of {key!r} is {_CUT}") for key in found]
    )


async def _asked(scenarios: Sequence[Scenario]) -> list[list[NotePlace]]:
    """Return the places of the notes that are cut, of each scenario."""
    found: list[list[NotePlace]] = []
    app = GradstepApp(scenarios[0])
    async with app.run_test(size=SMALL):
        for scenario in scenarios:
            screen = MainScreen(Debugger(scenario), classes=app.size_classes())
            await app.switch_screen(screen)
            await settled(app)
            found.append([at async for at in _cut(app, screen)])
    return found


async def _cut(app: GradstepApp, screen: MainScreen) -> AsyncIterator[NotePlace]:
    """Yield the places of the notes that are cut on a screen."""
    debugger, pane = screen.debugger, screen.query_one(StepPane)
    part: Pass | None = None
    for note in notes_in_time(debugger.subject, debugger.trace):
        if note.position is None:
            continue
        debugger.execute(f"goto {note.position}")
        pane.show(View(debugger, None, present_element(debugger)))
        before, part = part, pass_of(debugger.trace, max(note.position - 1, 0))
        if part != before:  # each pass has lines of its own
            await settled(app)
        lines = (pane.draw(y) for y in range(pane.room.height))
        shown = "".join(segment.text for line in lines for segment in line)
        if _letters(note.text) not in _letters(shown):
            yield note.at


def _letters(text: str) -> str:
    """Return a text without its blanks: they differ where its lines are broken."""
    return "".join(text.split())
