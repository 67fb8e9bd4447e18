"""Gradients: those of backpropagation against differences of the program."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..engine.graph import Edge, Row
from .contributions import called, check_contribution, has_rule, outruns
from .differences import EPS, Function
from .directions import compare
from .downstream import Downstream, downstream, tangent
from .job import Job, gradient_of
from .report import NodeCheck, Verdict
from .stacked import changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..engine.run import Run
    from ..ops.table import Op
    from .downstream import Tangent


def check_gradient(
    job: Job,
    node: int,
    rows: Sequence[Row] | None = None,
    positions: Sequence[int] | None = None,
) -> NodeCheck:
    """Compare a gradient with differences of the whole program.

    `rows` are what depends on the node, where that is known already.
    """
    run = job.exact
    outcome = NodeCheck("gradient", node, None, "ok")
    way = downstream(job, (node,), rows)
    if not run.flows[run.graph.output]:
        return job.skip(outcome, node, "no gradient enters at the output")
    if way.blocked:
        return job.skip(outcome, node, "a value on the way to the output is set")
    if not way.steps and node != run.graph.output:
        return job.skip(outcome, node, "no path to the output")
    met: list[tuple[Verdict, str]] = []

    def excuse(position: int) -> Verdict | None:
        edge = _kink_met(job, way, position)
        if edge is None:
            return None
        met.append(job.causes[edge])
        return met[-1][0]

    def witness(position: int) -> Tangent:
        seen = tangent(job, way, position)
        # Its rules may be wrong as those of the backward pass are: one serves for both.
        return seen if _is_trusted(job, way) else seen._replace(slope=math.nan)

    outcome = compare(
        job,
        outcome,
        gradient_of(run, node),
        gradient_of(job.run, node),
        function_of(job, way),
        excuse,
        positions,
        witness,
    )
    if any(step.op.bound or step.op.endless for step in way.steps):
        outcome = called(outcome, np.shape(run.values[node]), excuse)
    reasons = {reason for verdict, reason in met if verdict == outcome.verdict}
    return replace(outcome, reason=reasons.pop()) if len(reasons) == 1 else outcome


def function_of(job: Job, way: Downstream) -> Function:
    """Return the output, weighted by the seed, as a function of a node's elements."""
    run = job.exact
    # Its own size, too: where large numbers cancel, their sum tells nothing of them.
    made = (index for index, *_ in way.steps)
    noise = EPS * sum(map(job.size, (way.node, *made)))
    seed = np.asarray(run.seed)
    return Function(
        way.at,
        run.value(way.node),
        seed,
        run.value(way.output),
        noise,
        copies=partial(changes, way, seed),
    )


def _move(job: Job, way: Downstream, position: int) -> None:
    """Move an element a little, with all that depends on it."""
    x = job.exact.value(way.node).copy()
    size = abs(x.flat[position]) or 1.0
    # Of the least numbers, to the next one.
    x.flat[position] += max(1e-6 * size, np.spacing(size))
    way.at(x)


def _kink_met(job: Job, way: Downstream, position: int) -> Edge | None:
    """Return the first edge whose operand moves with an element and is at a kink.

    Differences of the whole cannot always see it: relu(x) − relu(−x) is as smooth as x
    at 0, where its gradient is 0.
    """
    run = job.exact
    _move(job, way, position)
    for edge, op in _edges(way, run):
        if not (op.kinks or outruns(op)):
            continue
        _look_at(job, edge)
        moved = np.asarray(way.values[edge.operand] != run.values[edge.operand])
        if edge in job.kinks and np.any(job.kinks[edge] & moved):
            return edge
    return None


def _is_trusted(job: Job, way: Downstream) -> bool:
    """Tell whether each operation on the way has the slope that its rule says."""
    edges = [edge for edge, _ in _edges(way, job.exact)]
    for edge in edges:
        _look_at(job, edge)
    return job.wrong.isdisjoint(edges)


def _edges(way: Downstream, run: Run) -> Iterator[tuple[Edge, Op]]:
    """Yield the edges on the way, with the operations at their ends."""
    later = {way.node, *(step.node for step in way.steps)}
    for step in way.steps:
        for argument, operand in enumerate(run.graph.nodes.rows[step.node][4]):
            if operand in later:
                yield Edge(step.node, argument, operand), step.op


def _look_at(job: Job, edge: Edge) -> None:
    """Check what an edge adds, unless that is done: the job takes down what is odd."""
    if edge not in job.kinks and has_rule(job.exact, edge):
        check_contribution(replace(job, quick=False), edge)
