"""What `save` has written leads a new session to the same end, in every scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.core.session.script import read_script, run_script
from sessions import said, seen

if TYPE_CHECKING:
    from pathlib import Path

    from gradstep.core.engine.run import Run
    from gradstep.core.session.stops import Stop

# Lines of every kind, with names that each scenario has. Some lines fail in some of
# them: what then follows must be right as well.
LINES: Final = tuple(
    """
    step 3 ; stepi ; next ; mark early ; break {node}@backward ; continue
    stap ; display norm({leaf}.grad) ; reverse-step 2 ; print {node} ; finish
    print nobody ; expect error nothing is called
    goto 60% ; tbreak {far} ; reverse-continue ; mark
    watch {leaf}.grad ; catch large 0.5 ; continue ; continue 2 ; disable 3
    commands 1 print position ; condition 1 position > 2 ; ignore 1 1
    goto start ; continue ; disable 4 ; commands 1 undisplay 9
    goto start ; continue ; expect error
    goto start ; continue ; enable 4
    goto {node} ; set {element} = 0.25 ; next 2 ; explain {slope} ; why {slope}
    detach {edge} ; undo ; redo ; goto {far}@backward ; runs ; diff
    undo ; patch {edge} local ; goto end ; check {far} ; undo ; set {node}.grad = 1
    back ; back ; forward ; goto early ; until {far} ; last {leaf}.grad ; last {leaf}
    train 2 ; goto 1:{node} ; reverse-finish ; set {element} = -0.5 ; train ; goto 0:50%
    enable ; delete 1 ; catch zero ; break {leaf} if position > 3 ; goto end
    undisplay 1 ; display position ; assert position > 0 ; assert 1 == 2 ; step
    reverse-until {node} ; goto -2 ; goto +1 ; info stops
    """.replace("\n", ";").split(";")
)
BEGUN: Final = len(LINES) // 3  # here the recording begins


def lines_of(debugger: Debugger) -> list[str]:
    """Return the lines, with names of a scenario in them."""
    graph, run = debugger.graph, debugger.trace.run
    leaf = next(n for n in graph if n.op is None and run.gradients[n.index] is not None)
    uses = graph.consumers[leaf.index]
    use = next(e for e in uses if run.carries(e.consumer, e.argument))
    which = f"#{use.argument}" * ([e.consumer for e in uses].count(use.consumer) > 1)
    index = f"[{', '.join('0' * len(leaf.shape))}]" * bool(leaf.shape)
    names = {
        "leaf": leaf.name,
        "element": f"{leaf.name}{index}",
        "slope": f"{leaf.name}.grad{index}",
        "node": graph.nodes[use.consumer].name,
        "far": graph.nodes[graph.output].name,
        "edge": f"{graph.nodes[use.consumer].name}<-{leaf.name}{which}",
    }
    return [line.strip().format(**names) for line in LINES if line.strip()]


def bits(run: Run) -> list[bytes | None]:
    """Return all numbers of a run, to the last bit."""
    arrays = (*run.values, *run.gradients)
    return [None if a is None else np.asarray(a).tobytes() for a in arrays]


def stop_of(stop: Stop) -> tuple[Any, ...]:
    """Return what a stop is; its trust is that in whoever has set it."""
    condition = stop.condition and stop.condition.text
    what = (stop.number, stop.kind, stop.text, condition, stop.commands)
    return *what, stop.hits, stop.ignore, stop.enabled, stop.temporary


def state_of(debugger: Debugger) -> dict[str, Any]:
    """Return everything that the next command can depend on."""
    memory = debugger.memory
    runs = debugger.runs
    return {
        "place": debugger.place,
        "run": debugger.chosen,
        "undone": debugger.undone,
        "runs": [(run.text, run.parent, run.made) for run in runs],
        "numbers": [bits(run.timeline.trace(0).run) for run in runs],
        "here": bits(debugger.trace.run),
        "stops": [stop_of(stop) for stop in memory.stops.values()],
        "displays": [(d.number, d.expression.text) for d in memory.displays.values()],
        "counted": (memory.numbered, memory.displayed),
        "marks": memory.marks,
        "ways": (memory.visited, memory.returned),
        "stopped": repr(memory.stopped),
    }


def done(name: str, record: str = "", begun: int = 0) -> Debugger:
    """Return a session in which all lines were carried out."""
    debugger = Debugger(load(name))
    for number, line in enumerate(lines_of(debugger)):
        if record and number == begun:
            said(debugger, record)
        debugger.execute(line)
    return debugger


def replayed(name: str, debugger: Debugger, path: Path) -> Debugger:
    """Return another session, led to the same end by what this one has saved."""
    said(debugger, f"save {path}")
    again = Debugger(load(name))
    outcome = run_script(read_script(path), again.execute)
    assert (outcome.code, outcome.failures) == (0, ())
    assert state_of(again) == state_of(debugger)
    return again


@pytest.mark.parametrize("name", builtin_names())
def test_what_was_saved_leads_to_the_same_end(name: str, tmp_path: Path) -> None:
    debugger = done(name)
    again = replayed(name, debugger, tmp_path / "saved.gs")
    # Both see the same from here on.
    for line in ("redo", "continue", "info stops", "back", "info displays"):
        assert seen(again.execute(line))[1:] == seen(debugger.execute(line))[1:]


@pytest.mark.parametrize("name", ["apple_orange", "nan_where", "xor"])
@pytest.mark.parametrize(
    ("record", "begun"),
    [("record", BEGUN), ("record --asserts", BEGUN), ("record --asserts", 0)],
)
def test_what_was_recorded_leads_to_the_same_end(
    name: str, record: str, begun: int, tmp_path: Path
) -> None:
    debugger = done(name, record, begun)
    replayed(name, debugger, tmp_path / "saved.gs")
    # A script that runs it saves the very same lines.
    another = Debugger(load(name))
    said(another, f"source {tmp_path / 'saved.gs'}")
    assert state_of(another) == state_of(debugger)
    said(another, f"save {tmp_path / 'again.gs'}")
    texts = [(tmp_path / f"{one}.gs").read_text() for one in ("saved", "again")]
    assert texts[0] == texts[1]
