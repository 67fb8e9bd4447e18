"""The table [hidden]: a mistake for a person to find, with `gradstep hunt` alone."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ..base.errors import InputError
from ..engine.graph import Edge
from ..engine.run import evaluate
from ..engine.trace import Iteration, Trace
from ..mistakes.catalogue import MISTAKES, fitting
from ..mistakes.hidden import Hidden, symptoms, with_hidden
from ..ops.optimizers import OPTIMIZERS
from ..words.edges import parse_edge

if TYPE_CHECKING:
    from ..engine.graph import Graph
    from ..ops.table import Value
    from ..program.build import Program
    from .toml import Table
    from .training import Training


def read_hidden(
    top: Table,
    program: Program | None,
    seed: Value | None,
    training: Training | None,
    *,
    listed: bool,
) -> Hidden | None:
    """Return the hidden mistake of a file; one that nobody could find is none.

    `program` is in the shapes of one iteration. It is run, unless the file is only
    `listed`: whoever opens it is told then.
    """
    if not top.has_table("hidden"):
        top.table("hidden")
        return None
    table = top.table("hidden")
    rule, name = table.line("rule"), table.choice("mistake", MISTAKES, "")
    table.finish("a key of [hidden]")
    for key, hint in (
        ("rule", 'rule = "z<-W" names an edge: the result, and the operand'),
        ("mistake", f"one of {', '.join(MISTAKES)}"),
    ):
        if key not in table:
            top.mistakes.at_key(("hidden",), f"{key} is missing", hint)
    if not rule or not name or program is None:
        return None
    edge = _edge(top, rule, program.graph)
    hidden = edge and Hidden(edge, name)
    if hidden is not None and not top.mistakes and not listed:
        _must_be_found(top, hidden, program, seed, training)
    return hidden


def _edge(top: Table, rule: str, graph: Graph) -> Edge | None:
    try:
        consumer, argument = parse_edge(rule, graph)
    except InputError as error:
        problem = error.problems[0]
        hint = problem.hint or "an edge is written z<-W"
        top.mistakes.at_value(("hidden", "rule"), problem.message, hint)
        return None
    return Edge(consumer, argument, graph.nodes[consumer].operands[argument])


def _must_be_found(
    top: Table,
    hidden: Hidden,
    program: Program,
    seed: Value | None,
    training: Training | None,
) -> None:
    """Keep what is wrong with a mistake that cannot be made, or changes nothing."""
    try:
        run = evaluate(program.graph, program.leaves, seed)
    except InputError:
        return  # whoever runs it is told
    trace = Trace(run)
    if training is not None:
        rates = {
            node.index: training.learning_rate[node.name]
            for node in program.graph.nodes
            if node.name in training.learning_rate
        }
        optimizer = OPTIMIZERS[training.optimizer]
        # Nothing is updated here, and there is no other iteration.
        one = Iteration(0, optimizer, trace.update, {0: trace}.__getitem__)
        trace = Trace(run, None, one._replace(rates=MappingProxyType(rates)))
    try:
        patches = with_hidden(trace, hidden)
    except ValueError as reason:
        fits = ", ".join(fitting(trace, hidden.edge)) or "nothing"
        message = f"{hidden.mistake} cannot be made there: {reason}"
        top.mistakes.at_value(("hidden", "mistake"), message, f"what can: {fits}")
        return
    if not symptoms(trace, patches):
        message = f"{hidden.mistake} changes no gradient of an input or a parameter"
        hint = "choose another rule or mistake, or other numbers"
        top.mistakes.at_value(("hidden", "mistake"), message, hint)
