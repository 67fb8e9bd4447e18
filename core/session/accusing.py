"""What is said to an accusation in a hunt, and what is shown once it was right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.text import counted
from ..mistakes.catalogue import MISTAKES
from ..practice.hunt import bisected, evidence, without
from ..words.events import element_name
from ..words.numbers import distinct
from .memory import Branch
from .reply import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..engine.trace import Trace
    from ..mistakes.catalogue import Mistake
    from ..practice.hunt import Border, Evidence, Hunt
    from .session import Session

_WHAT: Final = {
    "contribution": "it adds",
    "sum": "it leaves",
    "upstream": "it changes what is there already to",
}


def in_vain(session: Session, hunt: Hunt, said: str, *, place: bool = False) -> Answer:
    """Return the answer to a wrong accusation, which the hunt goes on after.

    `place` says that the rule is the wrong one, and only the mistake another.
    """
    accused = (*hunt.accused, said)
    session.memory.hunt = hunt._replace(accused=accused)
    data = {"right": False, "place": place, "accused": len(accused)}
    if place:
        text = "that rule is wrong, but this mistake would give other numbers"
        return Answer((text, "accuse it without a mistake to see which"), data)
    return Answer((f"{said} is right: look further",), data, failed=True)


def found(session: Session, hunt: Hunt) -> Answer:
    """Return the answer to a right accusation; from then on all is shown again."""
    hidden, graph = hunt.hidden, session.graph
    trace = _as_loaded(session)
    mistake = MISTAKES[hidden.mistake]
    shown, borders = evidence(trace, hidden), bisected(trace, hidden)
    looked, edge = len(session.memory.looked), graph.edge_name(hidden.edge)
    vain = counted(len(hunt.accused), "accusation")
    held = counted(len(session.memory.held), "gradient")
    seen = f"{counted(looked, 'place')} looked at, {held} held against differences"
    number = _reveal(session, hunt, f"{edge}: {mistake.summary}")
    others = f"run {number} has the right rule: diff 0 {number} compares the two"
    lines = (
        f"found: at {edge} {mistake.summary}",
        *_evidence_lines(session, mistake, shown),
        f"{seen}, {vain} in vain",
        *_border_lines(session, borders, shown),
        f"nothing is hidden any more; {others}",
    )
    data = {
        "right": True,
        "place": True,
        "accused": len(hunt.accused) + 1,
        "edge": edge,
        "mistake": mistake.name,
        "what": shown.what,
        "element": element_name(graph.nodes[shown.node], shown.place, "grad"),
        "wrong": shown.wrong,
        "correct": shown.right,
        "looked": looked,
        "held": len(session.memory.held),
        "borders": [_border_record(session, one) for one in borders],
        "run": number,
    }
    return Answer(lines, data)


def _as_loaded(session: Session) -> Trace:
    """Return the wrong run itself: in another one a person may have set values."""
    timeline = session.runs[0].timeline
    return timeline.trace(min(session.place.iteration, timeline.iterations - 1))


def _reveal(session: Session, hunt: Hunt, text: str) -> int:
    """Show the mistake wherever it is, and put a run without it beside the others."""
    session.memory.hunt = None
    session.memory.said = ""
    session.runs[:] = [
        run._replace(timeline=run.timeline.patched(0, patches._replace(hidden=False)))
        for run in session.runs
        for patches in (run.timeline.patches(0),)
    ]
    first = session.runs[0] = session.runs[0]._replace(text=text)
    right = without(first.timeline.patches(0), hunt.hidden.edge)
    timeline = first.timeline.patched(0, right)
    number = len(session.runs)
    branch = Branch(number, timeline, "with the right rule", 0, session.place)
    session.runs.append(branch)
    return number


def _evidence_lines(
    session: Session, mistake: Mistake, shown: Evidence
) -> Iterator[str]:
    node = session.graph.nodes[shown.node]
    name = element_name(node, shown.place, "grad")
    wrong, right = distinct(
        shown.wrong[shown.place], shown.right[shown.place], session.digits
    )
    differ = int(np.sum(shown.wrong != shown.right))
    many = f"; {differ} of {counted(shown.wrong.size, 'element')} differ"
    yield f"instead: {mistake.instead}"
    text = f"{name}: {_WHAT[shown.what]} {wrong}, and right is {right}"
    yield text + many * (shown.wrong.size > 1)


def _border_lines(
    session: Session, borders: Sequence[Border], shown: Evidence
) -> Iterator[str]:
    if not borders:
        return
    yield "sooner: hold a gradient against differences, each time half of the way back"
    for one in borders:
        node = session.graph.nodes[one.node]
        name = element_name(node, one.found.index, "grad")
        if one.found.verdict == "skipped":
            yield f"  {node.name}: {one.found.reason}"
            continue
        if one.agrees:
            yield f"  limit {node.name}: agrees"
            continue
        both = distinct(one.found.analytic, one.found.numeric, session.digits)
        numbers = f"{both[0]} at {name}, {both[1]} by differences"
        yield f"  limit {node.name}: differs, {numbers}"
    last = {one.agrees: session.graph.nodes[one.node].name for one in borders}
    if shown.what == "upstream" and False in last:
        name = f"{last[False]}.grad"
        yield f"  {name} is right at first, and changes later: watch {name} stops there"
    elif len(last) == 2:
        yield f"  so it lies between {last[True]} and {last[False]}"
    elif False in last:
        yield f"  so it lies between the output and {last[False]}"


def _border_record(session: Session, one: Border) -> dict[str, Any]:
    return {
        "node": session.graph.nodes[one.node].name,
        "agrees": one.agrees,
        "index": list(one.found.index),
        "analytic": one.found.analytic,
        "numeric": one.found.numeric,
    }
