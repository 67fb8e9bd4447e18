"""While predict is on, no command tells a number that is made behind the position."""

from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING

import pytest

from ahead import Numbers, drawn, leaks
from gradstep.core.commands import COMMANDS
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.export.records import plain
from gradstep.core.scenario.builtin import builtin_names
from gradstep.core.session.reply import Table, Value
from sessions import said, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from gradstep.core.engine.graph import Graph
    from gradstep.core.session.reply import Reply

# NAME is a node, AT an element of it, GRAD one of its gradient, EDGE a use of it.
LINES = """
limit AT; limit GRAD; limit LEAF 1e-3
print NAME; print NAME.grad; print NAME + 1; print norm(NAME.grad); print sum(AT)
print GRAD * 2; print LEAF.v; print LEAF.m; print LEAF.learning_rate; print OUT
display NAME; display NAME.grad; display; info displays; undisplay
explain; explain NAME; explain AT; explain NAME.grad; explain GRAD; explain -1 LEAF.grad
why; why AT; why GRAD; why LEAF.grad; why OUT; uses NAME; uses AT; paths AT; paths LEAF
transposes NAME; check; check NAME; check EDGE; rules; rules NAME
history NAME; history NAME.grad; last NAME; last -f NAME; last -f NAME.grad; last LEAF
list; where; whatis NAME; whatis NAME.grad; whatis NAME + 1
info nodes; info frames; info runs; info stops; info marks; info iterations
info updates; info displays; runs; diff; diff 0 1; diff NAME NAME
diff LEAF.grad LEAF.grad
set AT = 3; set GRAD = 3; detach NAME; detach EDGE; patch EDGE sign; patch NAME sign
runs 0; undo; redo; train 1; goto HERE
break NAME; tbreak NAME@backward if NAME > 0; watch NAME.grad if NAME > 0
watch NAME; catch large 0.001; condition 1 NAME > 0; ignore 1 2; ignore 1 0
commands 2 print NAME; info stops; continue; goto HERE; reverse-continue; goto HERE
until NAME; goto HERE; reverse-until NAME; goto HERE; until NAME > 0; goto HERE
disable; enable; delete
assert NAME == 77; assert NAME.grad == 77; expect stop; expect error
step; stepi; answer; goto HERE; stepi; answer 12345; answer 3 * 12345; answer NAME; show
goto HERE; stepi; answer NAME * 1; predict signs; stepi; answer +; show; goto HERE
predict on; stepi; answer (77,); answer (3,); answer; goto HERE; predict AT
predict GRAD; predict numbers; step; goto HERE; next; goto HERE; finish; goto HERE
reverse-stepi; goto HERE; reverse-step 2; goto HERE; reverse-next; goto HERE
reverse-finish; goto HERE; back; forward; mark here; marks; goto HERE
record --asserts; print NAME; step; record off; save -f a.gs; source a.gs; goto HERE
export -f dot a.dot; export -f tex GRAD a.tex; export -f json a.json; export -f py a.py
help; help print; apropos sum; quit
"""


def lines_about(graph: Graph, number: int, position: int) -> Iterator[str]:
    """Yield command lines about a node, in all their forms."""
    node, leaf = graph.nodes[number], graph.nodes[0]
    index = f"[{', '.join('0' for _ in node.shape)}]" if node.shape else ""
    uses = graph.consumers[number]
    put_in = {
        "NAME": node.name,
        "AT": f"{node.name}{index}",
        "GRAD": f"{node.name}.grad{index}",
        "EDGE": graph.edge_name(uses[0]) if uses else node.name,
        "LEAF": next((n.name for n in graph.nodes if n.kind == "parameter"), leaf.name),
        "OUT": graph.nodes[graph.output].name,
        "HERE": str(position),
    }
    rest = [name for name in COMMANDS if name not in NOT_HERE]
    others = (f"{name}; {name} NAME; {name} AT" for name in rest)
    for line in re.split(r"; |\n", "\n".join((LINES.strip(), *others))):
        yield re.sub("|".join(put_in), lambda found: put_in[found[0]], line)


def told(reply: Reply) -> Iterator[str]:
    """Yield all that a reply tells: what a person reads, what a program is given."""
    yield from reply.text
    yield reply.error or ""
    yield json.dumps(reply.record(plain))
    if isinstance(reply.show, Table):
        yield from (
            json.dumps(plain(list(row)), default=str) for row in reply.show.rows
        )
    if isinstance(reply.show, Value):
        yield json.dumps(plain(reply.show.value), default=str)


def found_ahead(debugger: Debugger, lines: Iterator[str], digits: int) -> list[str]:
    """Return what lines tell of what is ahead: each with the numbers that say it."""
    known: dict[object, tuple[np.ndarray, np.ndarray]] = {}
    numbers, found = Numbers(), list[str]()
    for line in lines:
        reply = debugger.execute(line)
        place = debugger.chosen, debugger.place
        if place not in known:
            known[place] = numbers.at(debugger)
        for text in told(reply):
            words = leaks(debugger, text, known[place], digits)
            found += [f"{line}: {' '.join(sorted(words))}: {text[:300]}"] * bool(words)
    return found


# `cost` measures for a second, and tells no number of the run; `source` reads a file.
NOT_HERE = ("cost", "source")
# What each hidden command would tell; the rest of its forms is among the lines.
HIDDEN = {
    "history": "history E",
    "uses": "uses x1.z",
    "paths": "paths x0",
    "check": "check W1",
    "set": "set W1 = 3",
    "nudge": "nudge W1[0, 0]",
    "detach": "detach x1",
    "patch": "patch x2 local",
    "train": "train 1",
    "diff": "diff 0 1",
    "limit": "limit W1",
    "rules": "rules",
    "export": "export dot a.dot",
}
FORMS = ("last -f E", "info updates", "info iterations", "info runs", "runs", "why E")


@pytest.mark.parametrize("name", builtin_names())
def test_no_command_tells_what_is_to_come(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    random = Random(name)  # noqa: S311  # no secret
    scenario = drawn(name, 3)
    for _ in range(1 if name == "two_layer_net" else 3):  # it is large
        debugger = Debugger(scenario)
        debugger.digits = 12
        position = random.randrange(len(debugger.trace))
        said(debugger, f"goto {position}")
        said(debugger, "predict numbers")
        number = random.randrange(len(debugger.graph))
        lines = list(lines_about(debugger.graph, number, position))
        assert found_ahead(debugger, iter(lines), 7) == []


def test_what_would_be_told_is_noticed() -> None:
    debugger = Debugger(drawn("three_layer", 3))
    debugger.digits = 12
    for line in ("history E", "uses x1.z", "why x3", "info updates", "runs"):
        assert found_ahead(debugger, iter([line]), 7), line
    said(debugger, "goto 5")
    assert found_ahead(debugger, iter(["reverse-stepi"]), 7)


@pytest.mark.parametrize("line", [*HIDDEN.values(), *FORMS])
def test_what_looks_ahead_says_how_it_is_shown(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    debugger = Debugger(drawn("three_layer", 3))
    said(debugger, "predict on")
    hidden = "predict hides what is to come; predict off shows it"
    assert wrong(debugger, line) == hidden
    said(debugger, "predict off")
    assert debugger.execute(line).error != hidden


def test_the_table_names_what_is_hidden() -> None:
    hidden = {row.name for row in COMMANDS.values() if "predict" in row.hidden_in}
    assert hidden == set(HIDDEN)
