"""Gradients by size: how they grow and shrink on the way back, and each node in short.

A flow is that of a position: of gradients that are still to come it says nothing.
`computed` tells how much of a node has happened by then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from ..base.progress import Progress, with_progress
from ..engine.measure import MOST_PARTIAL, gist, norm, rms_of_norm
from ..words.numbers import number_text, value_text
from .plot import Scale, scale_of

if TYPE_CHECKING:
    from ..engine.graph import Node
    from ..engine.run import Run
    from ..engine.trace import Trace
    from ..ops.table import Array, Value
    from ..training.timeline import Records

Computed = Literal["future", "value", "partial", "gradient"]
Trend = Literal["", "vanishing", "exploding", "zero", "nan", "inf", "no gradient"]

_INLINE: Final = 4  # elements of an array that fits into a line
_TINY: Final = 1e-3  # of the size that the pass began with
# What a course is called that ends below such a part of the size it began with.
_COURSES: Final = (
    (_TINY, "vanishing"),
    (1 / 3, "shrinking"),
    (3, "steady"),
    (1 / _TINY, "growing"),
)
_NONE, _OPEN = -1.0, -2.0  # in the place of a norm: no gradient flows, or not yet


# -------------------------------------------------------------------------- sizes


def norms(values: Sequence[Value | None], progress: Progress | None = None) -> Array:
    """Return the norm of each value, and −1 where there is none."""
    return np.fromiter(map(_size, with_progress(values, progress)), dtype=np.float64)


def _size(value: Value | None) -> float:
    return _NONE if value is None else norm(value)


def short(value: Any) -> str:
    """Return a value on one line: a number as it is, of a large array the range.

    >>> short(np.array([[0.5, -2.0], [1.0, 3.0], [0.0, 0.0]]))
    '-2 … 3'
    """
    array = np.asarray(value)
    if isinstance(value, tuple) or array.dtype.kind != "f" or array.size <= _INLINE:
        return value_text(value)
    found = gist(array)
    if found.nans or found.infinities or found.low is None or found.high is None:
        return f"{found.nans} nan, {found.infinities} inf of {found.size}"
    return f"{number_text(found.low)} … {number_text(found.high)}"


# -------------------------------------------------------------------------- nodes


ORDERS: Final[Mapping[str, Callable[[Node], Any]]] = MappingProxyType(
    {
        "name": lambda node: node.name,
        "operation": lambda node: node.made_by,
        "shape": lambda node: math.prod(node.shape),
    }
)
SIZES: Final = ("value", "norm")  # what nodes are sorted by as far as it is there


def node_order(
    trace: Trace,
    position: int,
    by: str,
    *,
    descending: bool = False,
    progress: Progress | None = None,
) -> Sequence[int]:
    """Return the numbers of all nodes, sorted by one of `ORDERS` or `SIZES`.

    By anything else they are in forward order. NaN counts as larger than any number;
    nodes whose value or gradient is not there at the position come last in either
    direction, in forward order. `progress` is told how many nodes are looked at.
    """
    graph = trace.run.graph
    if by in SIZES:
        keys = _sizes(trace, position, by, progress)
    elif by in ORDERS:
        keys = np.array([ORDERS[by](n) for n in with_progress(graph.nodes, progress)])
    else:
        forward = range(len(graph))
        return forward[::-1] if descending else forward
    order: Any = np.argsort(keys, kind="stable")
    missing = keys[order] < 0 if by in SIZES else np.zeros(len(order), bool)
    there: list[int] = order[~missing].tolist()
    return (there[::-1] if descending else there) + np.sort(order[missing]).tolist()


def _sizes(trace: Trace, position: int, by: str, progress: Progress | None) -> Array:
    """Return the size of each node's value or gradient, below 0 of what is to come."""
    run = trace.run
    if by == "norm":
        whole = run.recent.of(
            "flow of all", lambda: flow(trace, whole=True, progress=progress)
        )
        seen, sizes = whole.behind(position), np.full(len(run.graph), _NONE)
        sizes[seen.nodes] = seen.norms
        return sizes

    def measured() -> tuple[Array, Array]:
        events = map(trace.forward_event, range(len(run.graph)))
        made = [-1 if event is None else event for event in events]
        return np.array(made), norms(run.values, progress)

    made, sizes = run.recent.of("sizes of values", measured)
    return np.where(made < position, sizes, _OPEN)


def computed(trace: Trace, node: int, position: int) -> Computed:
    """Return how much of a node is there at a position.

    A node that gets no gradient at all has nothing ahead of it once its value is there.
    """
    if trace.value(node, position) is None:
        return "future"
    if position <= trace.seed_position or not trace.run.arrives(node):
        return "value"
    done, of = trace.uses(node, position)
    if done < of:
        return "partial" if done else "value"
    return "gradient"


# --------------------------------------------------------------------------- flow


class Bar(NamedTuple):
    """One gradient of the flow. `share` is its place on the scale, 0 … 1."""

    node: int  # whose gradient it is
    norm: float | None  # None where no gradient flows, or where it is still to come
    share: float
    trend: Trend  # "" for an ordinary gradient


class _Zeros(NamedTuple):
    """Gradients that are 0: the first one, and whether nothing comes behind it."""

    name: str
    dead: bool
    more: str  # how many others there are, in words


@dataclass(frozen=True, eq=False)
class Flow:
    """Gradients in backward order, by their norms on one logarithmic scale."""

    trace: Trace  # whose gradients they are
    nodes: Sequence[int]  # in backward order, one for each row
    # of each gradient, −1 where no gradient flows, −2 where it is still to come
    norms: Array

    def behind(self, position: int) -> Flow:
        """Return the flow as far as a position of the same trace has come."""
        first, last = self._span
        is_known = (first < position) | (self.norms == _NONE)
        found = np.where(is_known, self.norms, _OPEN)
        for row in np.flatnonzero((first < position) & (position <= last)).tolist():
            found[row] = self._partial(int(self.nodes[row]), position)
        return Flow(self.trace, self.nodes, found)

    @cached_property
    def _span(self) -> tuple[Array, Array]:
        """The first and the last event that changes each gradient."""
        trace, beyond = self.trace, len(self.trace)
        first = [next(iter(trace.arrivals(node)), beyond) for node in self.nodes]
        return np.array(first), np.array(list(map(trace.completed_by, self.nodes)))

    def _partial(self, node: int, position: int) -> float:
        if math.prod(self.trace.run.graph.nodes[node].shape) > MOST_PARTIAL:
            return _OPEN
        return _size(self.trace.gradient(node, position))

    @cached_property
    def scale(self) -> Scale:
        """The decades that hold all norms that a logarithmic scale can show."""
        return scale_of(self.norms, log=True)

    def __len__(self) -> int:
        return len(self.nodes)

    def bar(self, row: int) -> Bar:
        """Return one row of it."""
        node, size = int(self.nodes[row]), float(self.norms[row])
        trend = self._trend(row, size)
        shown = None if size < 0 else size
        share = 0.0 if math.isfinite(size) else 1.0
        if size > 0 and math.isfinite(size):
            share = self.scale.share(size)
        return Bar(node, shown, share, trend)

    def _is_broken(self, row: int) -> bool:
        """Tell whether an element is not finite: the norm of large ones is inf, too."""
        size = float(self.norms[row])
        if math.isinf(size):
            gradient = self.trace.run.gradients[int(self.nodes[row])]
            return gist(np.asarray(gradient)).infinities > 0
        return math.isnan(size)

    def _trend(self, row: int, size: float) -> Trend:
        if size < 0:
            return "no gradient" if size == _NONE else ""
        if self._is_broken(row):
            return "nan" if math.isnan(size) else "inf"
        if size == 0:
            return "zero"
        if self.reference is None:
            return ""
        part = self._rms(int(self.nodes[row]), size) / self.reference
        return "vanishing" if part < _TINY else "exploding" if part >= 1 / _TINY else ""

    def _rms(self, node: int, size: float) -> float:
        return rms_of_norm(size, math.prod(self.trace.run.graph.nodes[node].shape))

    @cached_property
    def chain(self) -> Sequence[tuple[int, float]]:
        """The layers that have an ordinary gradient: node and its root mean square.

        The output is none of them where there are others: its gradient is the seed.
        """
        graph = self.trace.run.graph
        rows = zip(self.nodes, self.norms.tolist(), strict=True)
        found = [
            (node, self._rms(node, size))
            for node, size in rows
            if graph.nodes.rows[node][3] is not None and 0 < size < math.inf
        ]
        inner = [pair for pair in found if pair[0] != graph.output]
        return inner if len(inner) > 1 else found

    @cached_property
    def reference(self) -> float | None:
        """The size of an element where the pass begins: others are held against it."""
        return self.chain[0][1] if self.chain else None

    @property
    def verdict(self) -> str:
        """What the flow shows, in one line: how the size of an element changes."""
        return self.verdicts[0]

    @cached_property
    def verdicts(self) -> Sequence[str]:
        """The same in several lengths, the longest first."""
        nodes = self.trace.run.graph.nodes
        if (self.norms < 0).all():
            return ("no gradient has come back yet",)
        broken = next(filter(self._is_broken, range(len(self))), None)
        if broken is not None:
            return (f"not finite from {nodes[self.nodes[broken]].name}.grad on",)
        zeros = self._zeros
        if zeros is not None and zeros.dead:
            return (f"dead: 0 from {zeros.name}.grad on",)
        beside = "" if zeros is None else f"; 0 at {zeros.name}.grad{zeros.more}"
        return [said + beside for said in self._course]

    def dead_since(self, found: Trends) -> int | None:
        """Return since which iteration the parameters of a dead flow have got 0.

        `found` has the norms of iterations that are finished. None where it is not
        dead, or nothing is trained.
        """
        at, zeros = self.trace.iteration, self._zeros
        if at is None or zeros is None or not zeros.dead:
            return None
        dead = np.asarray(self.nodes)[self.norms == 0].tolist()
        before = [found[node][: at.number] for node in dead if node in found]
        if not before:
            return None
        alive = [
            number for norms in before for number, norm in enumerate(norms) if norm
        ]
        return max(alive, default=-1) + 1

    @property
    def _zeros(self) -> _Zeros | None:
        """The gradients that are 0; None without any."""
        graph = self.trace.run.graph
        known = np.flatnonzero(self.norms >= 0)
        rows = np.flatnonzero(self.norms == 0)
        if not rows.size:
            return None
        first = self.nodes[int(rows[0])]
        is_last = rows.size == np.count_nonzero(known >= rows[0])
        # What is computed sends on the 0 that it gets; a leaf may be alone with it.
        zeros = (graph.nodes.rows[self.nodes[row]] for row in rows.tolist())
        dead = [row[3] is not None for row in zeros]
        is_dead = is_last and (any(dead) or self._is_all_lost)
        more = f" and {rows.size - 1} more" if rows.size > 1 else ""
        return _Zeros(graph.nodes[first].name, bool(is_dead), more)

    @property
    def _is_all_lost(self) -> bool:
        """Whether all has come, and no leaf has got anything but 0."""
        rows = self.trace.run.graph.nodes.rows
        leaves = [rows[node][3] is None for node in self.nodes]
        return bool((self.norms != _OPEN).all() and (self.norms[leaves] <= 0).all())

    @property
    def _course(self) -> Sequence[str]:
        """How the size of an element changes, where there is a gradient."""
        nodes = self.trace.run.graph.nodes
        if len(self.chain) < 2:
            return ("one layer alone: nothing to compare",)
        (first, start), (last, end) = self.chain[0], self.chain[-1]
        # Each fits where the ratio of the ends does not.
        steps = len(self.chain) - 1
        decades = math.log10(end) - math.log10(start)
        ratio, each = end / start, 10 ** (decades / steps)
        times = number_text(ratio, 3)
        if not 0 < ratio < math.inf:
            times = f"1e{round(decades)}"
        word = next((word for most, word in _COURSES if ratio < most), "exploding")
        near, far = (f"{nodes[node].name}.grad" for node in (first, last))
        is_same = times == "1"
        size = "as large as those" if is_same else f"{times} times those"
        whole = f"{word}: numbers of {far} are {size} of {near}"
        share = "of one size" if is_same else f"× {times}"
        brief = f"{word}: numbers {share} from {near} to {far}"
        more = f", {number_text(each, 3)} times in each step"
        every = [whole + more] * (steps > 1 and not is_same)
        return [*every, whole, brief]


def flow(
    trace: Trace, *, whole: bool = False, progress: Progress | None = None
) -> Flow:
    """Return the gradient flow: of what the program's own lines assign and its leaves.

    With `whole`, of every node. Constants take no gradient and are left out. `progress`
    is told how many nodes are looked at.
    """
    run, graph = trace.run, trace.run.graph
    chosen: set[int | None] | None = None
    if not whole and graph.statements:
        chosen = {graph.names.get(s.target) for s in graph.statements if not s.frame}
    kept: list[int] = []
    arrival: dict[int, tuple[float, int]] = {}  # sorts by when gradients are complete
    for node in with_progress(graph.nodes, progress):
        if node.kind != "constant" and (
            chosen is None or node.op is None or node.index in chosen
        ):
            kept.append(node.index)
        for argument, operand in enumerate(node.operands):
            known = arrival.get(operand)
            if known is None or known[0] == -node.index:
                arrival[operand] = -node.index, argument
    arrival[graph.output] = -math.inf, 0
    nodes = sorted(kept, key=lambda node: arrival.get(node, (math.inf, node)))
    return Flow(trace, nodes, norms([run.gradients[node] for node in nodes], progress))


# --------------------------------------------------------------------- iterations


Trends = Mapping[int, Sequence[float | None]]


def trends(records: Records, run: Run) -> Trends:
    """Return the norms of each parameter's gradient by iteration.

    There is nothing to see where fewer than two iterations have run.
    """
    if len(records) < 2:
        return {}
    parameters = [n.index for n in run.graph.nodes if n.kind == "parameter"]
    return dict(zip(parameters, records.norms, strict=True))
