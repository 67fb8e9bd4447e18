"""Numeric differentiation: every gradient of a run, held against differences.

Three questions, so that a mistake is named where it is:

```
contribution   one edge: is upstream × local what differences of its operation say?
accumulation   one node: is its gradient the sum of the contributions to it?
gradient       one node: is it what differences of the whole program say?
```

Numbers are compared in float64, whatever the dtype of the run: its leaves are cast up
and the same graph, with the same patches, is evaluated once more. So a float16 run is
held to the same tolerance, and what its own rounding costs is a number beside it.

`check` asks all three of all elements. `check_element` asks the last one of one element
only, which takes no more than a few evaluations of what depends on it.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from ..base.errors import InputError, Problem
from ..base.progress import Progress
from ..base.text import nearest
from ..engine.backward import call, reduce_to
from ..engine.element import Index, index_of
from ..engine.graph import Edge, Graph, Row
from ..engine.run import Run, evaluate
from ..ops.table import Array, Attributes, Shape, Value
from .differences import (
    EPS,
    SCHEMES,
    Function,
    Groups,
    Interrupted,
    Limit,
    Scheme,
    Slopes,
    limits,
    noise_of,
    slopes,
    steps_for,
)

Level = Literal["contribution", "accumulation", "gradient"]
Verdict = Literal["ok", "mismatch", "kink", "nonfinite", "skipped"]

RTOL: Final = 1e-4  # a rule that is wrong by 0.1 % is ten times outside
# How far sums of the same terms may differ, in units of their sizes.
_SUM_RTOL: Final = 1e-9

# A difference of the two one-sided slopes, as a part of the slope: from here on it may
# be a kink.
_KINK: Final = 1e-2


class Effort(NamedTuple):
    """What has to be evaluated: so many nodes, with so many elements in all."""

    nodes: int  # that are evaluated for each difference
    elements: int  # that they take and make, other costs included


QUICK: Final = Effort(40, 20_000)  # up to half a millisecond
_WORK: Final = 32  # multiplications in a row that take the time of an element


_WORST_FIRST: Final = ("mismatch", "nonfinite", "kink", "ok", "skipped")


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """The outcome of one comparison, with the element where the two differ most.

    `node` is the consumer for a contribution, and the node itself otherwise. `edge` is
    where a mistake is, as far as that is known: the edge of a contribution, or the one
    that wrote over an accumulated gradient or was cut. `analytic` is the number of
    backpropagation, in float64, and `numeric` the one of the differences. They agree
    when `difference` is at most `tolerance`: the relative tolerance times the larger
    number, plus `noise`, what rounding and the step may do to the differences.
    `rounding` is what the run's own dtype did to `analytic`.
    """

    level: Level  # which of the three questions was asked
    node: int
    argument: int | None  # the number of the operand, of a contribution; else None
    verdict: Verdict  # what came of it; "skipped" where nothing was compared
    index: Index = ()  # of the element where the two differ most
    analytic: float = math.nan
    numeric: float = math.nan
    difference: float = math.nan
    tolerance: float = math.nan
    noise: float = 0.0
    rounding: float = 0.0
    elements: int = 0  # so many were compared
    edge: Edge | None = None
    # indices where the slope jumps, so that two numbers need not agree
    kinks: tuple[Index, ...] = ()
    nonfinite: tuple[Index, ...] = ()  # indices where a number is NaN or Inf
    reason: str = ""  # why it was skipped

    @property
    def relative(self) -> float:
        """Return the difference as a part of the larger number."""
        larger = max(abs(self.analytic), abs(self.numeric))
        return self.difference / larger if larger else self.difference


@dataclass(frozen=True, slots=True)
class Report:
    """All comparisons of a check, each level in backward order.

    `step` is None where each element has its own; times are in seconds. `complete` is
    False when the check was interrupted: what was done by then is in it.
    """

    run: Run  # what was checked, in its own dtype
    scheme: Scheme  # how the differences were taken
    step: float | None
    rtol: float  # the relative tolerance
    # one for each edge that has a rule
    contributions: tuple[NodeCheck, ...]
    accumulations: tuple[NodeCheck, ...]  # one for each node that takes a gradient
    gradients: tuple[NodeCheck, ...]  # likewise
    backpropagation_time: float  # of one forward and backward pass in float64
    numeric_time: float  # of all differences
    complete: bool

    @property
    def checks(self) -> tuple[NodeCheck, ...]:
        """Return the comparisons of all levels."""
        return (*self.contributions, *self.accumulations, *self.gradients)

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong: kinks and non-finite numbers are not."""
        return not any(one.verdict == "mismatch" for one in self.checks)

    @property
    def first_wrong(self) -> NodeCheck | None:
        """Return the mismatch at the first wrong rule in backward order.

        That is the cause: a mismatch further back may only be its consequence.
        """
        wrong = [one for one in self.checks if one.verdict == "mismatch"]
        return min(wrong, key=_backward_order, default=None)

    @property
    def worst_first(self) -> list[NodeCheck]:
        """Return the comparisons: what is wrong, then by relative difference.

        The first wrong rule, which is the cause, comes before its consequences.
        """
        first = self.first_wrong

        def key(one: NodeCheck) -> tuple[bool, int, float]:
            relative = one.relative
            return (
                one is not first,
                _WORST_FIRST.index(one.verdict),
                -relative if np.isfinite(relative) else 0.0,
            )

        return sorted(self.checks, key=key)


def _backward_order(one: NodeCheck) -> tuple[bool, int, int]:
    # A gradient is wrong end to end only because something on the way is.
    place = one.edge or Edge(one.node, 0, 0)
    return one.level == "gradient", -place.consumer, place.argument


def check(
    run: Run,
    *,
    scheme: Scheme = "central",
    step: float | None = None,
    rtol: float | None = None,
    sample: int | None = None,
    seed: int = 0,
    nodes: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Compare the gradients of a run with numeric differentiation.

    `step` is the same for all elements; without it each has one that fits. `sample`
    elements of an array are compared, drawn with `seed`, among them the one with the
    largest gradient. `nodes` are those whose operations and gradients are checked, all
    by default. `progress` is called with the number of elements done, and of all.

    An interrupt (`KeyboardInterrupt`) ends the check, and the report has what was done.
    Raises `InputError` for a wrong option, and where the complex step meets an
    operation that does not take complex numbers.
    """
    _validate(scheme, step, rtol, sample)
    exact, seconds = _in_float64(run)
    rtol = RTOL if rtol is None else rtol
    job = _Job(run, exact, scheme, step, rtol, sample, seed, progress)
    wanted = set(range(len(run.graph)) if nodes is None else nodes)
    if scheme == "complex":
        _refuse_real(job, wanted)
    started = time.perf_counter()
    with np.errstate(all="ignore"):
        found = _collect(job, wanted)
    return Report(
        run,
        scheme,
        step,
        rtol,
        tuple(one for one in found if one.level == "contribution"),
        tuple(one for one in found if one.level == "accumulation"),
        tuple(one for one in found if one.level == "gradient"),
        seconds,
        time.perf_counter() - started,
        not job.interrupted,
    )


def check_element(
    run: Run, node: int, index: Index, most: Effort = QUICK
) -> NodeCheck | None:
    """Compare one element of a gradient with differences of what depends on it.

    Returns None where this would take more than `most`. A run in another dtype than
    float64 is evaluated once more as a whole, as in `check`.
    """
    if not run.flows[node]:
        return _skip(NodeCheck("gradient", node, None, "ok"), "it takes no gradient")
    rows = _behind(run.graph, node, most)
    if rows is None:
        return None
    exact = run
    if _is_narrow(run, node, rows):
        if not _fits((*run.graph.nodes.rows, *rows), run.graph, most):
            return None
        exact, _ = _in_float64(run)
    shape = np.shape(run.values[node])
    position = int(np.ravel_multi_index(index, shape)) if shape else 0
    job = _Job(run, exact, "central", None, RTOL)
    with np.errstate(all="ignore"):
        return _check_gradient(job, node, rows, [position])


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
        work, room = op.cost(*shapes, **attributes)
        total += room + work // _WORK
    if op is not None and op.kinks and op.kind != "elementwise":
        total += sizes[0] ** 2  # one by one is looked whether it is at a kink
    return total


def _is_narrow(run: Run, node: int, rows: Sequence[Row]) -> bool:
    """Tell whether a node, or what follows it, is computed in less than float64."""
    met = {node, *(index for row in rows for index in (row[0], *row[4]))}
    return any(_up(run.values[index]) is not run.values[index] for index in met)


def _validate(
    scheme: str, step: float | None, rtol: float | None, sample: int | None
) -> None:
    problems: list[Problem] = []
    if scheme not in SCHEMES:
        hint = nearest(scheme, SCHEMES) or f"allowed: {', '.join(SCHEMES)}"
        problems.append(Problem(f"no scheme is called {scheme!r}", hint))
    if step is not None and not (math.isfinite(step) and step > 0):
        problems.append(Problem(f"the step is {step}", "allowed: a number above 0"))
    if rtol is not None and not (math.isfinite(rtol) and rtol >= 0):
        problems.append(Problem(f"rtol is {rtol}", "allowed: a number from 0 on"))
    if sample is not None and sample < 1:
        problems.append(Problem(f"the sample is {sample}", "allowed: 1 or more"))
    if problems:
        raise InputError(problems)


def _in_float64(run: Run) -> tuple[Run, float]:
    """Evaluate the run once more in float64, and return it with the time it took."""
    leaves = {index: _up(value) for index, value in run.leaves.items()}
    patches = replace(
        run.patches,
        values={i: _up(value) for i, value in run.patches.values.items()},
        gradients={i: _up(value) for i, value in run.patches.gradients.items()},
    )
    seed = _up(run.seed)
    started = time.perf_counter()
    exact = evaluate(run.graph, leaves, seed, patches)
    return exact, time.perf_counter() - started


def _up(value: Value) -> Value:
    """Return a floating value in float64; other values stay as they are."""
    array = np.asarray(value)
    if array.dtype.kind != "f" or array.dtype == np.float64:
        return value
    return array.astype(np.float64)


# --------------------------------------------------------------- the whole check


@dataclass
class _Job:
    """What all comparisons of one check have in common."""

    run: Run
    exact: Run  # the same in float64
    scheme: Scheme
    step: float | None
    rtol: float
    sample: int | None = None
    seed: int = 0
    progress: Progress | None = None
    total: int = 0
    done: int = 0
    told: float = 0.0
    interrupted: bool = False
    # Where an operation has a kink: for each edge looked at, elements of the operand.
    kinks: dict[Edge, Array] = field(default_factory=dict[Edge, Array])

    def tell(self, count: int) -> None:
        """Count elements, and report the progress now and then."""
        self.done += count
        now = time.perf_counter()
        if self.progress and (now - self.told > 0.05 or self.done >= self.total):
            self.told = now
            self.progress(min(self.done, self.total), self.total)

    def count(self, node: int) -> int:
        """Return how many elements of a node are compared."""
        size = self.exact.value(node).size
        return size if self.sample is None else min(size, self.sample)

    def positions(self, slope: Array, groups: Groups | None) -> Sequence[int]:
        """Return the flat positions to compare in an array of gradients."""
        at_once = groups is not None and len(groups.places) == 1
        if at_once or self.sample is None or self.sample >= slope.size:
            return range(slope.size)
        drawn = self._random.choice(slope.size, self.sample, replace=False)
        largest = int(np.argmax(np.nan_to_num(np.abs(slope), nan=np.inf)))
        if largest not in drawn:
            drawn[0] = largest
        return sorted(map(int, drawn))

    @cached_property
    def _random(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    @cached_property
    def sizes(self) -> _Sizes:
        """For each node what an error of 1 in each of its elements can do."""
        return _Sizes(self.exact)


class _Sizes(dict[int, float]):
    """For nodes Σ |gradient · value|, computed when it is asked for."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    def __missing__(self, node: int) -> float:
        gradient, value = self._run.gradients[node], self._run.values[node]
        size = 0.0
        if gradient is not None:
            size = float(np.sum(_finite_size(np.multiply(gradient, value))))
        self[node] = size
        return size


def _finite_size(array: Any) -> Array:
    size = np.abs(array)
    return np.where(np.isfinite(size), size, 0.0)


def _collect(job: _Job, wanted: set[int]) -> list[NodeCheck]:
    """Do all comparisons, as far as there is time."""
    nodes = [n for n in sorted(wanted, reverse=True) if job.exact.flows[n]]
    edges = list(_edges(job.exact, wanted))
    job.total = sum(map(job.count, nodes))
    job.total += sum(job.count(edge.operand) for edge in edges)
    todo: Iterator[Callable[[], NodeCheck]] = itertools.chain(
        (lambda edge=edge: _check_contribution(job, edge) for edge in edges),
        (lambda node=node: _check_accumulation(job, node) for node in nodes),
        (lambda node=node: _check_gradient(job, node) for node in nodes),
    )
    found: list[NodeCheck] = []
    try:
        for one in todo:
            found.append(one())
            if job.interrupted:
                break
    except KeyboardInterrupt:
        job.interrupted = True
    return found


def _edges(run: Run, wanted: set[int]) -> Iterator[Edge]:
    """Yield, in backward order, the edges with a rule of which one end is wanted.

    Cut edges are among them: the sum of the contributions shows that one is missing.
    """
    rows = run.graph.nodes.rows
    for row in reversed(rows):
        for argument, operand in enumerate(row[4]):
            edge = Edge(row[0], argument, operand)
            if (row[0] in wanted or operand in wanted) and _has_rule(run, edge):
                yield edge


def _has_rule(run: Run, edge: Edge) -> bool:
    op = run.graph.nodes.rows[edge.consumer][3]
    flows = run.flows[edge.operand] == 1
    return flows and op is not None and op.vjp(edge.argument) is not None


# ------------------------------------------------------------------ contributions


def _check_contribution(job: _Job, edge: Edge) -> NodeCheck:
    """Compare what one edge adds with differences of its operation alone."""
    run = job.exact
    consumer, argument, _ = edge
    outcome = NodeCheck("contribution", consumer, argument, "ok", edge=edge)
    upstream = run.upstream(consumer, argument)
    if upstream is None:
        job.tell(job.count(edge.operand))
        return _skip(outcome, "no gradient arrives at the consumer")
    if consumer in run.patches.values:
        job.tell(job.count(edge.operand))
        return _skip(outcome, "its value is set, not computed")
    analytic = np.asarray(run.contribution(consumer, argument, upstream))
    own = job.run.upstream(consumer, argument)
    rounded = analytic if own is None else job.run.contribution(consumer, argument, own)
    function = _operation(run, edge, np.asarray(upstream))
    outcome = _compare(job, outcome, analytic, np.asarray(rounded), function)
    mask = np.zeros(analytic.shape, dtype=bool)
    for index in outcome.kinks:
        mask[index] = True
    job.kinks[edge] = mask
    return outcome


def _skip(outcome: NodeCheck, reason: str) -> NodeCheck:
    return replace(outcome, verdict="skipped", reason=reason)


def _operation(run: Run, edge: Edge, upstream: Array) -> Function:
    """Return the operation of an edge as a function of its operand alone."""
    _, _, _, op, operands, attributes, _, _ = run.graph.nodes.rows[edge.consumer]
    if op is None:
        raise ValueError("a leaf has no operation")
    forward = op.forward
    arrays = [run.values[i] for i in operands]
    base, x = run.value(edge.consumer), run.value(edge.operand)

    def at(moved: Array) -> Any:
        arrays[edge.argument] = moved if moved.ndim else moved[()]
        return call(forward, arrays, attributes)

    size = EPS * _finite_size(upstream * base)
    if op.kind == "elementwise":
        each = reduce_to(size, x.shape)
        return Function(at, x, upstream, base, each, Groups(((...,),), np.asarray))
    groups = None
    if op.kind == "contract" and op.subscripts is not None:
        shapes = [np.shape(array) for array in arrays]
        subscripts = op.subscripts(*shapes, **attributes)
        groups = _rows(subscripts, edge.argument, x.shape)
    return Function(at, x, upstream, base, float(np.sum(size)), groups)


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


# ------------------------------------------------------------------ accumulations


def _check_accumulation(job: _Job, node: int) -> NodeCheck:
    """Compare an accumulated gradient with the sum of the contributions to it."""
    run = job.exact
    shape = np.shape(run.values[node])
    terms: list[Array] = []
    if node == run.graph.output:
        terms.append(np.asarray(run.seed))
    edges = [edge for edge in run.graph.consumers[node] if _has_rule(run, edge)]
    for consumer, argument, _ in edges:
        upstream = run.upstream(consumer, argument)
        if upstream is not None:
            terms.append(np.asarray(run.contribution(consumer, argument, upstream)))
    outcome = NodeCheck("accumulation", node, None, "ok")
    if not terms:
        return _skip(outcome, "no gradient arrives")
    table = _Table(
        range(terms[0].size),
        shape,
        _gradient(run, node).ravel(),
        _gradient(job.run, node).ravel(),
        np.sum(terms, axis=0).ravel(),
        0.0,
        _SUM_RTOL * np.sum(np.abs(terms), axis=0).ravel(),
    )
    for rank in table.suspects():
        culprit = _culprit(run, node, edges)
        return table.mismatch(replace(outcome, edge=culprit), rank)
    return table.outcome(outcome, ())


def _gradient(run: Run, node: int) -> Array:
    """Return a node's gradient, or zeros where none has arrived."""
    gradient = run.gradient(node)
    return np.zeros(np.shape(run.values[node])) if gradient is None else gradient


def _culprit(run: Run, node: int, edges: Sequence[Edge]) -> Edge | None:
    """Return the edge that wrote over a gradient, or failed to add to it."""
    rows = run.graph.nodes.rows
    for write in reversed(run.writes):
        if write.node == node:
            operands = rows[write.consumer][4]
            operand = operands[write.argument] if write.argument >= 0 else node
            return Edge(write.consumer, write.argument, operand)
    return next((edge for edge in edges if edge[:2] in run.patches.cuts), None)


# ---------------------------------------------------------------------- gradients


def _check_gradient(
    job: _Job,
    node: int,
    rows: Sequence[Row] | None = None,
    positions: Sequence[int] | None = None,
) -> NodeCheck:
    """Compare a gradient with differences of the whole program.

    `rows` are what depends on the node, where that is known already.
    """
    run = job.exact
    outcome = NodeCheck("gradient", node, None, "ok")
    way = _downstream(job, (node,), rows)
    if not run.flows[run.graph.output]:
        job.tell(job.count(node))
        return _skip(outcome, "no gradient enters at the output")
    if way.blocked:
        job.tell(job.count(node))
        return _skip(outcome, "a value on the way to the output is set")
    if not way.steps and node != run.graph.output:
        job.tell(job.count(node))
        return _skip(outcome, "no path to the output")
    noise = EPS * sum(job.sizes[index] for index, *_ in way.steps)
    function = Function(
        way.at, run.value(node), np.asarray(run.seed), run.value(way.output), noise
    )
    return _compare(
        job,
        outcome,
        _gradient(run, node),
        _gradient(job.run, node),
        function,
        lambda position: _meets_kink(job, way, position),
        positions,
    )


class _Step(NamedTuple):
    node: int
    forward: Callable[..., Any]
    operands: Sequence[int]
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class _Downstream:
    """What depends on a node, so that only this is evaluated again."""

    node: int
    output: int
    values: dict[int, Any]  # of what is met; a key of ~node is one that does not move
    steps: Sequence[_Step]
    blocked: bool  # a patch sets a value on the way

    def at(self, moved: Array) -> Any:
        """Return the output with the node's value moved."""
        values = self.values
        values[self.node] = moved if moved.ndim else moved[()]
        for index, forward, operands, attributes in self.steps:
            arrays = [values[i] for i in operands]
            values[index] = call(forward, arrays, attributes)
        return values[self.output]


def _downstream(
    job: _Job, nodes: Sequence[int], rows: Sequence[Row] | None = None
) -> _Downstream:
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
    steps: list[_Step] = []
    blocked = False
    if rows is None:
        rows = run.graph.nodes.rows[min(nodes) + 1 : output + 1]
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
        steps.append(_Step(index, op.forward, sources, attributes))
    return _Downstream(nodes[0], output, values, steps, blocked)


def _is_float(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"


def _meets_kink(job: _Job, way: _Downstream, position: int) -> bool:
    """Tell whether moving an element moves an operand that stands at a kink.

    Differences of the whole cannot always see it: relu(x) − relu(−x) is as smooth as x
    at 0, where its gradient is 0.
    """
    run = job.exact
    x = run.value(way.node).copy()
    x.flat[position] += 1e-6 * (abs(x.flat[position]) or 1.0)
    way.at(x)
    later = {step.node for step in way.steps}
    for step in way.steps:
        _, _, _, op, operands, _, _, _ = run.graph.nodes.rows[step.node]
        if op is None or not op.kinks:
            continue
        for argument, operand in enumerate(operands):
            edge = Edge(step.node, argument, operand)
            if operand != way.node and operand not in later:
                continue
            if edge not in job.kinks and _has_rule(run, edge):
                _check_contribution(job, edge)
            moved = np.asarray(way.values[operand] != run.values[operand])
            if edge in job.kinks and np.any(job.kinks[edge] & moved):
                return True
    return False


def _refuse_real(job: _Job, wanted: set[int]) -> None:
    """Raise `InputError` where the complex step meets an operation of real numbers."""
    nodes = [n for n in sorted(wanted) if job.exact.flows[n]]
    if not nodes:
        return
    graph = job.exact.graph
    met = {step.node for step in _downstream(job, nodes).steps}
    met |= {edge.consumer for edge in _edges(job.exact, wanted)}
    problems = [
        Problem(
            f"{op.name} at {graph.nodes[index].name} does not take complex numbers",
            "choose the central scheme",
        )
        for index in sorted(met)
        if (op := graph.nodes[index].op) is not None and not op.analytic
    ]
    if problems:
        raise InputError(problems)


# --------------------------------------------------------------------- comparison


@dataclass(frozen=True, slots=True)
class _Table:
    """The two numbers of each element that is compared, flat."""

    positions: Sequence[int]
    shape: Shape
    analytic: Array
    rounded: Array  # the run's own, in its dtype
    numeric: Array
    rtol: float
    noise: Array

    @property
    def _finite(self) -> Array:
        return np.isfinite(self.analytic) & np.isfinite(self.rounded)

    @property
    def difference(self) -> Array:
        """Return how far the two numbers are apart: NaN where one is not finite."""
        return np.abs(self.analytic - self.numeric)

    @property
    def tolerance(self) -> Array:
        """Return how far they may be apart."""
        larger = np.fmax(np.abs(self.analytic), np.abs(self.numeric))
        return self.rtol * larger + self.noise

    def index(self, rank: int) -> Index:
        """Return the index of an element in its array."""
        return index_of(self.positions[rank], self.shape)

    def nonfinite(self) -> list[int]:
        """Return the ranks where the gradient, or all that differences say, is not."""
        blind = ~self._finite | np.isinf(self.noise)
        return [int(rank) for rank in np.flatnonzero(blind)]

    def suspects(self) -> list[int]:
        """Return the ranks of finite gradients that do not agree, the worst first."""
        apart, allowed = self.difference, self.tolerance
        found = np.flatnonzero(self._finite & ~(apart <= allowed))
        excess = np.nan_to_num(apart[found], nan=np.inf) - allowed[found]
        return [int(rank) for rank in found[np.argsort(-excess, kind="stable")]]

    def suspected_kinks(self, sides: Slopes) -> list[int]:
        """Return the ranks where the numbers agree, but the one-sided slopes do not."""
        apart = np.abs(sides.right - sides.left)
        slope = np.fmax(np.abs(sides.right), np.abs(sides.left))
        least = np.max(
            np.abs(self.analytic), initial=0.0, where=~np.isnan(self.analytic)
        )
        odd = apart > _KINK * (slope + least) + 4 * self.noise
        agree = self.difference <= self.tolerance
        return [int(rank) for rank in np.flatnonzero(odd & agree)]

    def mismatch(self, outcome: NodeCheck, rank: int) -> NodeCheck:
        """Return the outcome with a mismatch at an element."""
        return replace(self._at(outcome, rank), verdict="mismatch")

    def outcome(self, outcome: NodeCheck, kinks: Sequence[int]) -> NodeCheck:
        """Return the outcome where nothing is wrong: kinks and NaN are only told."""
        nonfinite = self.nonfinite()
        if not len(self.positions):
            return outcome
        if nonfinite:
            outcome, rank = replace(outcome, verdict="nonfinite"), nonfinite[0]
        elif kinks:
            outcome, rank = replace(outcome, verdict="kink"), kinks[0]
        else:
            with np.errstate(all="ignore"):
                part = self.difference / self.tolerance
            rank = int(np.argmax(np.nan_to_num(part)))
        return replace(
            self._at(outcome, rank),
            kinks=tuple(map(self.index, kinks)),
            nonfinite=tuple(map(self.index, nonfinite)),
        )

    def _at(self, outcome: NodeCheck, rank: int) -> NodeCheck:
        analytic = float(self.analytic[rank])
        return replace(
            outcome,
            index=self.index(rank),
            analytic=analytic,
            numeric=float(self.numeric[rank]),
            difference=float(self.difference[rank]),
            tolerance=float(self.tolerance[rank]),
            noise=float(self.noise[rank]),
            rounding=abs(analytic - float(self.rounded[rank])),
            elements=len(self.positions),
        )


def _compare(
    job: _Job,
    outcome: NodeCheck,
    analytic: Array,
    rounded: Array,
    function: Function,
    meets_kink: Callable[[int], bool] | None = None,
    positions: Sequence[int] | None = None,
) -> NodeCheck:
    """Compare gradients with differences, and look twice where they do not agree."""
    if positions is None:
        positions = job.positions(analytic, function.groups)
    steps = steps_for(function, job.scheme, analytic)
    if job.step is not None:
        steps = np.full(steps.shape, job.step)
    try:
        sides = slopes(function, job.scheme, steps, positions, job.tell)
    except Interrupted as interrupt:
        job.interrupted = True
        sides = interrupt.done
        positions = positions[: len(sides.right)]
    noise = noise_of(function, steps, job.scheme)
    table = _Table(
        positions,
        analytic.shape,
        analytic.ravel()[positions],
        rounded.ravel()[positions],
        sides.middle,
        job.rtol,
        np.ravel(noise)[positions],
    )
    kinks: list[int] = []
    for rank, best in _limits(function, table, sides):
        verdict = _second_look(job, table, rank, best)
        if verdict == "mismatch" and function.hidden().flat[positions[rank]]:
            table.noise[rank] = math.inf
            verdict = "nonfinite"
        if verdict == "mismatch":
            if meets_kink is None or not meets_kink(int(positions[rank])):
                return table.mismatch(outcome, rank)
            verdict = "kink"
        if verdict == "kink":
            kinks.append(rank)
    return table.outcome(outcome, sorted(kinks))


def _limits(
    function: Function, table: _Table, sides: Slopes
) -> Iterator[tuple[int, Limit | None]]:
    """Yield what smaller steps say where the numbers differ, or where the sides do.

    One after the other, for the first mismatch is enough; but all at once where that
    is the same work.
    """
    ranks = [*table.suspects(), *table.suspected_kinks(sides)]
    at_once = function.groups is not None
    for some in [ranks] if at_once and ranks else [[rank] for rank in ranks]:
        found = limits(function, [int(table.positions[rank]) for rank in some])
        yield from zip(some, found, strict=True)


def _second_look(job: _Job, table: _Table, rank: int, best: Limit | None) -> Verdict:
    """Decide about an element by smaller steps, and put what they tell in the table."""
    analytic = float(table.analytic[rank])
    if best is None:
        table.noise[rank] = math.inf
        return "nonfinite"
    tolerance = job.rtol * max(abs(analytic), abs(best.value)) + best.error
    if best.jump or (best.corner and best.has_between(analytic, tolerance)):
        return "kink"
    if job.step is None or not math.isfinite(table.numeric[rank]):
        table.numeric[rank] = best.value
    if abs(analytic - best.value) <= tolerance:
        table.noise[rank] = best.error + abs(table.numeric[rank] - best.value)
        return "ok"
    table.noise[rank] = best.error
    return "mismatch"
