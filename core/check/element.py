"""One element against differences, where that is quickly done."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ..engine.element import position_of
from .gradients import check_gradient
from .job import RTOL, Job, in_float64, up
from .report import NodeCheck, skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine.element import Index
    from ..engine.graph import Graph, Row
    from ..engine.run import Run


class Effort(NamedTuple):
    """What has to be evaluated: so many nodes, with so many elements in all."""

    nodes: int  # that are evaluated for each difference
    elements: int  # that they take and make, other costs included


QUICK: Final = Effort(40, 20_000)  # up to half a millisecond

_WORK: Final = 32  # multiplications in a row that take the time of an element


def check_element(
    run: Run, node: int, index: Index, most: Effort = QUICK
) -> NodeCheck | None:
    """Compare one element of a gradient with differences of what depends on it.

    Returns None where this would take more than `most`. A run in another dtype than
    float64 is evaluated once more as a whole, as in `check`.
    """
    if not run.flows[node]:
        return skip(NodeCheck("gradient", node, None, "ok"), "it takes no gradient")
    rows = _behind(run.graph, node, most)
    if rows is None:
        return None
    exact = run
    if _is_narrow(run, node, rows):
        if not _fits((*run.graph.nodes.rows, *rows), run.graph, most):
            return None
        exact, _ = in_float64(run)
    shape = np.shape(run.values[node])
    position = position_of(index, shape)
    job = Job(run, exact, "central", None, RTOL)
    with np.errstate(all="ignore"):
        return check_gradient(job, node, rows, [position])


def _behind(graph: Graph, node: int, most: Effort) -> Sequence[Row] | None:
    """Return what depends on a node and leads to the output, unless it is too much."""
    found: set[int] = set()
    waiting = [node]
    while waiting:
        for consumer, _, _ in graph.consumers[waiting.pop()]:
            if graph.useful[consumer] and consumer not in found:
                found.add(consumer)
                waiting.append(consumer)
            if len(found) > most.nodes:
                return None
    rows = [graph.nodes.rows[index] for index in sorted(found)]
    return rows if _fits(rows, graph, most) else None


def _fits(rows: Sequence[Row], graph: Graph, most: Effort) -> bool:
    return (
        len(rows) <= most.nodes
        and sum(_elements(row, graph) for row in rows) <= most.elements
    )


def _elements(row: Row, graph: Graph) -> int:
    """Return how many elements an operation takes and makes, and what else it costs."""
    _, _, _, op, operands, attributes, shape, _ = row
    shapes = [graph.nodes.rows[operand][6] for operand in operands]
    sizes = list(map(math.prod, shapes))
    total = math.prod(shape) + sum(sizes)
    if op is not None and op.cost is not None:
        cost = op.cost(*shapes, **attributes)
        total += cost.room + cost.effort // _WORK
    if op is not None and op.kinks and op.kind != "elementwise":
        total += sizes[0] ** 2  # one by one is looked whether it is at a kink
    return total


def _is_narrow(run: Run, node: int, rows: Sequence[Row]) -> bool:
    """Tell whether a node, or what follows it, is computed in less than float64."""
    met = {node, *(index for row in rows for index in (row[0], *row[4]))}
    return any(up(run.values[index]) is not run.values[index] for index in met)
