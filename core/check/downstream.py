"""What depends on a node: evaluated again, or how it moves with one element."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..engine.backward import call
from .differences import EPS, SAFETY
from .job import gradient_of, rounded_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine.graph import Row
    from ..ops.table import Array, Attributes, Op
    from .job import Job


class Step(NamedTuple):
    """An operation that is evaluated again."""

    node: int  # the result
    op: Op  # what makes it
    operands: Sequence[int]  # ~operand for one that does not move
    attributes: Attributes  # of the call


@dataclass(frozen=True, slots=True)
class Downstream:
    """What depends on a node, so that only this is evaluated again."""

    node: int  # the one that is moved; of several the first
    output: int  # of the graph
    values: dict[int, Any]  # of what is met; a key of ~node is one that does not move
    still: Sequence[Any]  # the values of all nodes where nothing is moved
    steps: Sequence[Step]  # the operations, in forward order
    blocked: bool  # a patch sets a value on the way

    def at(self, moved: Array) -> Any:
        """Return the output with the node's value moved."""
        values = self.values
        values[self.node] = moved if moved.ndim else moved[()]
        for index, op, operands, attributes in self.steps:
            arrays = [values[i] for i in operands]
            values[index] = call(op.forward, arrays, attributes)
        return values[self.output]


def downstream(
    job: Job, nodes: Sequence[int], rows: Sequence[Row] | None = None
) -> Downstream:
    """Find what has to be evaluated again when `nodes` are moved.

    Where an operation lets no gradient through on purpose, as `stop_gradient` does, its
    operand keeps its value. Comparisons are different: they may change, and the kink is
    seen; but not in the complex scheme, whose step is too small to cross anything, and
    not where they choose elements: the result would have another shape.
    """
    run = job.exact
    output = run.graph.output
    values = {output: run.values[output]}
    moves = set(nodes)
    steps: list[Step] = []
    blocked = False
    if rows is None:
        rows = run.graph.nodes.rows[min(nodes) :]
    for index, _, _, op, operands, attributes, _, _ in rows:
        if op is None or not run.graph.useful[index] or moves.isdisjoint(operands):
            continue
        smooth = _is_float(run.values[index])
        if not smooth and job.scheme == "complex":
            continue
        sources = list(operands)
        for argument, operand in enumerate(operands):
            held = op.kind == "gather"
            if _is_float(run.values[operand]):
                held = smooth and op.vjp(argument) is None
            if held and operand in moves:
                sources[argument] = ~operand
            values[sources[argument]] = run.values[operand]
        if moves.isdisjoint(sources):
            continue
        if index in run.patches.values:
            blocked = True
            continue
        moves.add(index)
        steps.append(Step(index, op, sources, attributes))
    return Downstream(nodes[0], output, values, run.values, steps, blocked)


def _is_float(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"


# --------------------------------------------------------------- a second witness


class Tangent(NamedTuple):
    """What moving one element does to the output, for each unit."""

    slope: float  # of the output by it
    # Σ |gradient · tangent| of all edges on the way: terms that cancel in theory, and
    # not but for their last digits
    size: float

    @property
    def rounding(self) -> float:
        """What rounding may do to the slope."""
        return SAFETY * EPS * self.size

    def confirms(self, analytic: float, rtol: float) -> bool:
        """Tell whether a gradient is this slope."""
        larger = max(abs(analytic), abs(self.slope))
        gap = abs(analytic - self.slope)
        return math.isfinite(gap) and gap <= rtol * larger + self.rounding


def tangent(job: Job, way: Downstream, position: int) -> Tangent:
    """Return the slope of the output by an element, at its flat `position`.

    ```
    t[v] = 1                                    at the element that is moved
    t[c] = Σ over operands v of  jvp(t[v])      the tangent of each result
    slope = ⟨seed, t[output]⟩
    ```

    No step is taken, so that it sees the slope where a step of differences is too long
    for a function that turns, and a shorter one would drown. A rule that serves both
    passes misleads it as it does the gradient: whoever trusts it has to ask of each
    operation on the way what differences of that alone say.
    """
    run = job.exact
    one = np.zeros_like(run.value(way.node))
    one.flat[position] = 1.0
    tangents: dict[int, Any] = {way.node: one}
    size = float(np.sum(rounded_size(one, gradient_of(run, way.node))))
    for node, op, sources, attributes in way.steps:
        y = run.value(node)
        if y.dtype.kind != "f":
            continue
        moved: Any = np.zeros(y.shape)
        arrays = [y, *(run.values[i] for i in run.graph.nodes.rows[node][4])]
        for argument, source in enumerate(sources):
            rule = op.jvp(argument)
            if rule is not None and source in tangents:
                part = call(rule, [tangents[source], *arrays], attributes)
                size += float(np.sum(rounded_size(part, gradient_of(run, node))))
                moved = moved + part
        tangents[node] = moved
    end = tangents.get(way.output, 0.0)
    return Tangent(float(np.sum(np.asarray(run.seed) * end)), size)
