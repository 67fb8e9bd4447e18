"""Accumulations: a gradient against the sum of the contributions to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ..engine.graph import Edge
from .comparison import Table
from .contributions import has_rule
from .job import Job, gradient_of
from .report import NodeCheck, skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine.run import Run
    from ..ops.table import Array

# How far sums of the same terms may differ, in units of their sizes.
_SUM_RTOL: Final = 1e-9


def check_accumulation(job: Job, node: int) -> NodeCheck:
    """Compare an accumulated gradient with the sum of the contributions to it."""
    run = job.exact
    shape = np.shape(run.values[node])
    terms: list[Array] = []
    if node == run.graph.output:
        terms.append(np.asarray(run.seed))
    edges = [edge for edge in run.graph.consumers[node] if has_rule(run, edge)]
    for consumer, argument, _ in edges:
        upstream = run.upstream(consumer, argument)
        if upstream is not None:
            terms.append(np.asarray(run.contribution(consumer, argument, upstream)))
    outcome = NodeCheck("accumulation", node, None, "ok")
    if not terms:
        return skip(outcome, "no gradient arrives")
    table = Table(
        range(terms[0].size),
        shape,
        gradient_of(run, node).ravel(),
        gradient_of(job.run, node).ravel(),
        np.sum(terms, axis=0).ravel(),
        0.0,
        _SUM_RTOL * np.sum(np.abs(terms), axis=0).ravel(),
        np.zeros(terms[0].size),
    )
    for rank in table.suspects():
        culprit = _culprit(run, node, edges)
        return table.mismatch(replace(outcome, edge=culprit), rank)
    return table.outcome(outcome, {})


def _culprit(run: Run, node: int, edges: Sequence[Edge]) -> Edge | None:
    """Return the edge that wrote over a gradient, or failed to add to it."""
    rows = run.graph.nodes.rows
    for write in reversed(run.writes):
        if write.node == node:
            operands = rows[write.consumer][4]
            operand = operands[write.argument] if write.argument >= 0 else node
            return Edge(write.consumer, write.argument, operand)
    return next((edge for edge in edges if edge[:2] in run.patches.cuts), None)
