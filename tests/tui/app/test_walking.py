"""Walking with the key that the footer teaches first shows everything, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from driving import painted, press, settle
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.trace import Contribution, Trace
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.keys import ALWAYS, LINES
from gradstep.tui.app.picker import Choice, _label
from gradstep.tui.cli.main import run
from gradstep.tui.draw.look import Look
from gradstep.tui.draw.stage import Stage, notes

if TYPE_CHECKING:
    from textual.screen import Screen


def walked(debugger: Debugger, key: str) -> list[int]:
    """Press a key to the end of an iteration, and return the events that it shows."""
    end = 0 if debugger.position else len(debugger.trace)
    shown = [debugger.position - 1]
    while debugger.position != end:
        assert debugger.execute(LINES[key]).ok
        shown.append(debugger.position - 1)
    return shown


def edges(trace: Trace) -> set[tuple[int, int]]:
    """Return what carries a gradient, from the graph and the run alone."""
    return {
        (node.index, argument)
        for node in trace.run.graph
        for argument in range(len(node.operands))
        if trace.run.carries(node.index, argument)
    }


def held(debugger: Debugger, shown: list[int]) -> None:
    """Hold what was shown against all that there is to see."""
    trace = debugger.trace
    events = {number: trace.event(number) for number in shown if number >= 0}
    contributions = [e for e in events.values() if isinstance(e, Contribution)]
    assert {(e.consumer, e.argument) for e in contributions} == edges(trace)
    assert len(contributions) == len(edges(trace))
    stage = Stage(debugger.subject, trace, Look())
    said = [note for number in events for note in notes(stage, [number])]
    assert not set(debugger.subject.notes.values()) - set(said)
    for node in debugger.graph:  # each gradient is seen as soon as it is complete
        if trace.run.gradient(node.index) is not None:
            complete = [n for n in events if trace.is_complete(node.index, n + 1)]
            assert not trace.is_complete(node.index, min(complete))


@pytest.mark.parametrize("name", builtin_names())
def test_the_first_keys_of_the_footer_show_everything_both_ways(name: str) -> None:
    there, back = ALWAYS[0].key, "S"
    assert (there, LINES[there]) == ("s", "stepi")
    debugger = Debugger(load(name))
    forward = walked(debugger, there)
    assert len(forward) == len(debugger.trace) + 1
    held(debugger, forward)
    backward = walked(debugger, back)
    assert backward == forward[::-1]


@pytest.mark.parametrize("name", builtin_names())
def test_a_whole_node_is_several_events_at_most(name: str) -> None:
    debugger = Debugger(load(name))
    whole = walked(debugger, "i")
    assert walked(debugger, "I") == whole[::-1]
    assert len(whole) < len(debugger.trace) + 1


@pytest.mark.parametrize("name", builtin_names())
def test_picker_playback_and_application_count_the_same(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(Debugger(load(name)).trace)
    label = _label(Choice(name, "", load(name)))
    assert label.plain.endswith(f"  {count} events")
    assert run(["play", name, "--from", "end", "--width", "200"]) == 0
    assert f" {count} of {count} · " in capsys.readouterr().out
    assert run(["show", name, "--width", "200"]) == 0
    assert f" nodes, {count} events" in capsys.readouterr().out


async def test_the_notes_of_start_and_end_are_there() -> None:
    text = (
        'gradstep = 1\nprogram = "y = x * x"\n[inputs]\nx = 3\n[notes]\n'
        'start = "Here we go."\nend = "That is all."\n"forward y" = "A square."\n'
    )
    app = GradstepApp(parse(text, source="t.toml"))
    seen: list[list[str]] = []
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(5):
            await settle(app)
            shown = "\n".join(painted(cast("Screen[object]", pilot.app.screen)))
            notes = ("Here we go.", "A square.", "That is all.")
            seen.append([note for note in notes if note in shown])
            press(app, "s")
    assert seen == [["Here we go."], ["A square."], [], [], ["That is all."]]
