"""Contributions: what an edge adds, against differences of its operation."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..engine.backward import call, reduce_to
from ..engine.element import position_of
from ..engine.graph import Edge
from .differences import EPS, Function, Groups, units_of
from .directions import compare
from .downstream import Tangent
from .job import Job, finite_size, inner_size, rounded_size
from .report import NodeCheck, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..engine.run import Run
    from ..ops.table import Array, Attributes, Op, Shape
    from .comparison import Excuse


def edges_of(run: Run, wanted: set[int]) -> Iterator[Edge]:
    """Yield, in backward order, the edges with a rule of which one end is wanted.

    Cut edges are among them: the sum of the contributions shows that one is missing.
    """
    rows = run.graph.nodes.rows
    for row in reversed(rows):
        for argument, operand in enumerate(row[4]):
            edge = Edge(row[0], argument, operand)
            if (row[0] in wanted or operand in wanted) and has_rule(run, edge):
                yield edge


def has_rule(run: Run, edge: Edge) -> bool:
    """Tell whether the operation at an edge has a rule for what flows through it."""
    op = run.graph.nodes.rows[edge.consumer][3]
    flows = run.flows[edge.operand] == 1
    return flows and op is not None and op.vjp(edge.argument) is not None


def check_contribution(job: Job, edge: Edge) -> NodeCheck:
    """Compare what one edge adds with differences of its operation alone."""
    run = job.exact
    consumer, argument, _ = edge
    outcome = NodeCheck("contribution", consumer, argument, "ok", edge=edge)
    upstream = run.upstream(consumer, argument)
    if upstream is None:
        reason = "no gradient arrives at the consumer"
        return job.skip(outcome, edge.operand, reason)
    if consumer in run.patches.values:
        return job.skip(outcome, edge.operand, "its value is set, not computed")
    analytic = np.asarray(run.contribution(consumer, argument, upstream))
    own = job.run.upstream(consumer, argument)
    rounded = analytic if own is None else job.run.contribution(consumer, argument, own)
    function = _operation(run, edge, np.asarray(upstream), analytic)
    plain = outcome
    op, x = run.graph.nodes.rows[consumer][3], run.value(edge.operand)
    held = _held(run, edge)

    def excuse(position: int) -> Verdict | None:
        if held.flat[position]:
            return "bound"
        is_far = outruns(op) and abs(x.flat[position]) > _MANY_PERIODS
        return "unseen" if is_far else None

    outcome = compare(
        job,
        outcome,
        analytic,
        np.asarray(rounded),
        function,
        excuse,
        witness=lambda position: _tangent(run, edge, np.asarray(upstream), position),
    )
    outcome = called(outcome, x.shape, excuse)
    if outcome.verdict == "bound" and op is not None and op.bound:
        outcome = replace(outcome, reason=op.bound.words)
    elif outcome.verdict == "kink":
        outcome = _meeting_itself(
            job, plain, outcome, np.asarray(upstream), np.asarray(rounded)
        )
    mask = np.zeros(analytic.shape, dtype=bool)
    # Where differences of the operation say nothing, those of the whole do not either.
    for index in (*outcome.kinks, *outcome.nonfinite):
        mask[index] = True
    job.kinks[edge] = mask
    if outcome.verdict == "mismatch":
        job.wrong.add(edge)
    is_plain = outcome.verdict not in ("bound", "unseen")
    job.causes[edge] = ("kink", "") if is_plain else (outcome.verdict, outcome.reason)
    return outcome


_SHORT: Final = 2.0**-30  # whose square is below the precision
_MANY_PERIODS: Final = 2.0**27  # of which no step of differences is a small part


def _tangent(run: Run, edge: Edge, upstream: Array, position: int) -> Tangent:
    """Return the slope by an element of an operand, by no difference.

    By a complex step, which shares nothing with the rules of the operation: one of them
    may serve as vjp and as jvp, and is wrong in both then. It is NaN where no such step
    can be taken.
    """
    consumer, argument, operand = edge
    _, _, _, op, operands, attributes, _, _ = run.graph.nodes.rows[consumer]
    arrays = [run.values[i] for i in operands]
    x = run.value(operand)
    moved = op and _complex_step(op, arrays, attributes, argument, x, position)
    if moved is None:
        return Tangent(math.nan, 0.0)
    slope = float(np.sum(upstream * moved))
    return Tangent(slope, float(np.sum(rounded_size(moved, upstream))))


def _complex_step(
    op: Op,
    arrays: Sequence[Any],
    attributes: Attributes,
    argument: int,
    x: Array,
    position: int,
) -> Array | None:
    """Return how a result moves with an element of an operand; None if none can tell.

    Of a step h the formula neglects (h / x)², and h² where a function turns for ever.
    """
    if not op.analytic:
        return None
    size = abs(x.flat[position]) or units_of(x).flat[position]
    step = min(size, 1.0) * _SHORT
    moved = x.astype(np.complex128)
    moved.flat[position] += 1j * step
    operands = list(arrays)
    operands[argument] = moved if moved.ndim else moved[()]
    found = np.imag(call(op.forward, operands, attributes)) / step
    return np.asarray(found) if np.all(np.isfinite(found)) else None


def called(outcome: NodeCheck, shape: Shape, excuse: Excuse) -> NodeCheck:
    """Call a kink what it is: differences alone cannot tell it from others.

    They may also have left what the function takes, which is no matter at a bound.
    """
    odd = (*outcome.kinks, *outcome.nonfinite)
    if outcome.verdict not in ("kink", "nonfinite") or not odd:
        return outcome
    cause = excuse(position_of(odd[0], shape))
    if cause is None or (cause != "bound" and outcome.verdict == "nonfinite"):
        return outcome
    return replace(outcome, verdict=cause)


def outruns(op: Op | None) -> bool:
    """Tell whether an operation turns, or leaps, faster than any step somewhere.

    Of the sine of a large number differences see nothing but leaps.
    """
    return op is not None and op.endless


def _held(run: Run, edge: Edge) -> Array:
    """Mark the elements by which an operation holds its slope at a bound."""
    _, _, _, op, operands, attributes, _, _ = run.graph.nodes.rows[edge.consumer]
    if op is None or op.bound is None or edge.argument:
        return np.zeros(np.shape(run.values[edge.operand]), dtype=bool)
    arrays = [run.values[one] for one in operands]
    return np.asarray(op.bound.holds(*arrays, **attributes))


def _meeting_itself(
    job: Job, plain: NodeCheck, outcome: NodeCheck, upstream: Array, rounded: Array
) -> NodeCheck:
    """Compare the uses of an operand that meets itself, as in minimum(x, x).

    A step moves all of them, so it meets no kink, and each use has an equal share of
    the difference. Only where the shares are others that add up to it, the outcome
    stays a matter of choice.
    """
    run, edge = job.exact, plain.edge
    if edge is None:
        return outcome
    operands = run.graph.nodes.rows[edge.consumer][4]
    uses = [k for k, operand in enumerate(operands) if operand == edge.operand]
    uses = [k for k in uses if has_rule(run, Edge(edge.consumer, k, edge.operand))]
    if len(uses) == 1:
        return outcome
    parts = [
        np.asarray(run.contribution(edge.consumer, k, upstream))
        if run.carries(edge.consumer, k)
        else np.zeros(np.shape(run.values[edge.operand]))
        for k in uses
    ]
    own = parts[uses.index(edge.argument)]
    together = _operation(run, edge, upstream / len(uses), own, uses)
    share = compare(job, plain, own, rounded, together)
    if share.verdict != "mismatch":
        return share
    mean = np.sum(parts, 0) / len(uses)
    whole = compare(job, plain, mean, mean, together)
    return share if whole.verdict == "mismatch" else outcome


def _operation(
    run: Run,
    edge: Edge,
    upstream: Array,
    added: Array,
    arguments: Sequence[int] = (),
) -> Function:
    """Return the operation of an edge as a function of its operand alone.

    `arguments` are those that are moved, by default that of the edge. `added` is what
    the edge adds: large numbers that cancel are rounded as large ones.
    """
    _, _, _, op, operands, attributes, _, _ = run.graph.nodes.rows[edge.consumer]
    if op is None:
        raise ValueError("a leaf has no operation")
    forward = op.forward
    arrays = [run.values[i] for i in operands]
    base, x = run.value(edge.consumer), run.value(edge.operand)

    def at(moved: Array) -> Any:
        for argument in arguments or (edge.argument,):
            arrays[argument] = moved if moved.ndim else moved[()]
        return call(forward, arrays, attributes)

    size = EPS * rounded_size(upstream, base)
    if op.portion:
        size = size + EPS * rounded_size(upstream, x)
    if op.kind == "elementwise":
        each = reduce_to(size, x.shape)
        return Function(at, x, upstream, base, each, Groups(((...,),), np.asarray))
    groups = None
    if op.subscripts is not None:
        shapes = [np.shape(array) for array in arrays]
        subscripts = op.subscripts(*shapes, **attributes)
        groups = _rows(subscripts, edge.argument, x.shape)
    inner = float(np.sum(finite_size(added * x))) + inner_size(op, upstream, x)
    noise = float(np.sum(size)) + EPS * inner
    return Function(at, x, upstream, base, noise, groups)


def _rows(subscripts: str, argument: int, shape: Shape) -> Groups | None:
    """Group the elements of a factor by the indices that the contraction sums over.

    In `ij,jk->ik` a row of the result meets one row of the first factor, so that a
    column of it can be moved at once.
    """
    terms, output = subscripts.split("->")
    own = terms.split(",")[argument]
    if len(set(own)) < len(own):
        return None  # a diagonal
    kept = "".join(label for label in own if label in output)
    axes = [
        (slice(None),) if label in output else range(size)
        for label, size in zip(own, shape, strict=True)
    ]
    return Groups(
        list(itertools.product(*axes)),
        lambda change: np.einsum(f"{output}->{kept}", change),
    )
