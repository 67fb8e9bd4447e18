"""No answer has a made-up name without what it stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gradstep.core.commands import ALIASES, COMMANDS
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import load
from gradstep.core.session.reply import Table, Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gradstep.core.engine.graph import Graph
    from gradstep.core.session.reply import Reply

MADE_UP = re.compile(r"(?:\w+\.)+_\d+")
PLACES = ("start", "30%", "60%", "end")
# NAME is a part of a line that has no name, AT an element of it, EDGE its first use.
ANYWHERE = """
step; reverse-step; stepi; reverse-stepi; next; reverse-next; finish; reverse-finish
back; forward; where; list; explain; uses; why; paths; transposes; check; display
info nodes; info frames; info stops; info displays; info marks; info runs; rules
print NAME; print NAME.grad; print norm(NAME.grad); print NAMEx; whatis NAME
whatis NAME + 1; explain AT; explain GRAD; uses AT; why AT; why GRAD; paths AT
transposes NAME; check NAME; history NAME.grad; last NAME.grad; last -f NAME.grad
goto NAMEx; goto EDGE; check EDGE; explain NAME[77, 77, 77]; help NAME; apropos NAME
explain LEAF; uses LEAF; why LEAF; paths LEAF; history LEAF; whatis LEAF
"""
ONCE = """
goto start; break NAME@forward; tbreak NAME@backward; break EDGE; watch NAME.grad
watch norm(NAME.grad) if norm(NAME) > 0; display NAME; display norm(NAME); mark NAME
goto NAME@backward; mark here; marks; info marks; until NAME@backward; goto end
reverse-until NAME@forward; goto start; continue; continue; continue; reverse-continue
condition 1 sum(NAME) > 1e9; ignore 1 2; commands 1 print NAME; disable 1; enable 1
say NAME; wait print NAME
info stops; info displays; undisplay; delete; assert all(NAME == 1e77)
expect stop break NAME; expect error; train 1; info updates; info iterations; goto 0:end
detach NAME; runs; info runs; diff; diff 0 1; undo; redo; undo; detach EDGE; undo
nudge AT 0.5; nudge AT half; undo; patch EDGE sign; diff; check; why GRAD; undo
set AT = 3; diff; runs; undo
set GRAD = nan; goto start; catch nan; continue; where; why GRAD; why LEAF; delete
undo; set AT = inf; goto end; why; why GRAD; why LEAF; why OUT; diff; diff NAME.grad 2
goto NAME; back; goto NAME@backward; predict numbers; reverse-stepi; stepi; answer 77777
answer NAMEx; show; step; predict signs; predict on; predict off
limit AT; limit GRAD; limit LEAF 1e-3; cost; indices 1; explain GRAD; indices 0
words; words node; words edge; words upstream; words local; words contribution
words accumulated; words chain; words event; words gradient; words numeric
accuse EDGE sign
record; print NAME; record off; save -f one.gs; source one.gs; export -f dot one.dot
export -f tex GRAD one.tex; help print; apropos sum; quit
"""


def lines_about(graph: Graph, number: int) -> Iterator[str]:
    """Yield command lines about a node: at several places, then one story."""
    node, leaf = graph.nodes[number], graph.nodes[0]
    edge = graph.edge_name(graph.consumers[number][0])
    index = f"[{', '.join('0' for _ in node.shape)}]" if node.shape else ""
    first = f"[{', '.join('0' for _ in leaf.shape)}]" if leaf.shape else ""
    put_in = {
        "NAME": node.name,
        "AT": f"{node.name}{index}",
        "GRAD": f"{node.name}.grad{index}",
        "EDGE": edge,
        "LEAF": f"{leaf.name}.grad{first}",
        "OUT": graph.nodes[graph.output].name,
    }

    def written(text: str) -> Iterator[str]:
        for line in re.split(r"; |\n", text.strip()):
            yield re.sub("|".join(put_in), lambda found: put_in[found[0]], line)

    for place in PLACES:
        yield f"goto {place}"
        yield from written(ANYWHERE)
    yield from written(ONCE)


def texts(reply: Reply) -> Iterator[str]:
    """Yield what a person reads at once: a line, an error, a row, a value."""
    yield from reply.text
    yield reply.error or ""
    if isinstance(reply.show, Table):
        yield from ("  ".join(map(str, row)) for row in reply.show.rows)
    if isinstance(reply.show, Value):
        yield f"{reply.show.name} {reply.show.note}"


def alone(text: str, graph: Graph) -> list[str]:
    """Return the made-up names in a text that does not have what they stand for."""
    sites = {
        name: graph.nodes[graph.names[name]].site
        for name in MADE_UP.findall(text)
        if name in graph.names
    }
    plain = text.replace("−", "-")
    return [name for name, site in sites.items() if site and site.text not in plain]


@pytest.mark.parametrize(
    ("scenario", "name"),
    [
        ("three_layer", "E._2"),
        ("nan_where", "y._2"),
        ("dead_relu", "z._1"),
        ("attention", "Y.S._1"),
        ("broadcast_bias", "Z._1"),
    ],
)
def test_no_answer_has_a_made_up_name_without_its_code(
    scenario: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    debugger = Debugger(load(scenario))
    number, seen, used = debugger.graph.names[name], 0, set[str]()
    for line in lines_about(debugger.graph, number):
        word = line.split()[0]
        used.add(ALIASES.get(word, word))
        for text in texts(debugger.execute(line)):
            seen += name in text
            assert alone(text, debugger.graph) == [], f"{line}: {text}"
    assert seen > 100
    assert used == set(COMMANDS)
