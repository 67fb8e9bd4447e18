"""Edges by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import CommandError

if TYPE_CHECKING:
    from ..engine.graph import Graph, Node


def parse_edge(text: str, graph: Graph) -> tuple[int, int]:
    """Parse `consumer<-operand`, with `#argument` where the operand is used twice.

    Returns the numbers of the consumer and of the argument. Raises `CommandError` where
    there is no such edge, or where the argument is left open.
    """
    left, _, right = text.partition("<-")
    right, _, number = right.partition("#")
    consumer, operand = graph.node(left.strip()), graph.node(right.strip())
    arguments = [k for k, i in enumerate(consumer.operands) if i == operand.index]
    if not arguments:
        consumer, arguments = _entered(graph, consumer, operand)
    if not number.strip() and len(arguments) == 1:
        return consumer.index, arguments[0]
    if not number.strip().isdecimal() or int(number) not in arguments:
        raise CommandError(
            f"{consumer.name} uses {operand.name} {len(arguments)} times",
            "say which: "
            + ", ".join(f"{consumer.name}<-{operand.name}#{k}" for k in arguments),
        )
    return consumer.index, int(number)


def _entered(graph: Graph, target: Node, operand: Node) -> tuple[Node, list[int]]:
    """Return the node inside the line of a target that an operand enters, and where."""
    lines = [s for s in graph.statements if s.target == target.name]
    inner = [
        graph.nodes[index]
        for line in lines
        for index in range(line.first, line.stop)
        if operand.index in graph.nodes[index].operands
    ]
    if len(inner) != 1:
        given = ", ".join(graph.nodes[i].name for i in target.operands)
        edges = ", ".join(f"{one.name}<-{operand.name}" for one in inner)
        raise CommandError(
            f"{operand.name} is not an operand of {target.name}",
            f"its operands are {given}" + f"; its line has {edges}" * bool(inner),
        )
    [node] = inner
    return node, [k for k, i in enumerate(node.operands) if i == operand.index]
