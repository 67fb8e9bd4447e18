"""Time: the flat list of a run's events, and what stood where at any position.

```
Forward(node) …  one per operation, in forward order
Seed(output)
Contribution(consumer, argument, operand) …  one per edge, consumers backwards
Update(parameter) …  when the run is an iteration of training
```

Position `p` means that `p` events have been applied, so event `p` is the next. State is
looked up and never replayed; stepping back is a smaller `p`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cached_property, reduce
from itertools import accumulate
from operator import add
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

import numpy as np

from .backward import broadcast_axes, call
from .cells import Cells, products, slopes
from .graph import Edge, Edges, Node

if TYPE_CHECKING:  # 1 ms of a start
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import EllipsisType

    from ..ops.optimizers import Optimizer
    from ..ops.table import Array, Value
    from .element import Index, Quantity
    from .patches import Write
    from .run import Run
    from .update import UpdateStep

Phase = Literal["start", "forward", "backward", "update", "end"]


class Forward(NamedTuple):
    """The value of `node` is computed."""

    node: int


class Seed(NamedTuple):
    """The seed enters at the output: from here on the pass runs backwards."""

    node: int  # the output


class Contribution(NamedTuple):
    """One edge adds upstream × local to the gradient of its operand."""

    consumer: int  # the node that hands its gradient on
    argument: int  # which operand of the consumer, counted from 0
    operand: int  # the node whose gradient it is added to

    @property
    def node(self) -> int:
        """The node whose gradient changes."""
        return self.operand

    @property
    def edge(self) -> Edge:
        """The edge that carries it."""
        return Edge(*self)


class Update(NamedTuple):
    """An optimiser gives a parameter its next value."""

    node: int  # the parameter


Event = Forward | Seed | Contribution | Update


class Breakdown(NamedTuple):
    """One contribution opened: upstream × local → product → reduced → accumulated.

    `local` is the local derivative as an array, where one array can show it; `product`
    has the shape of the consumer's result wherever the operand was broadcast;
    `summed` are the axes over which it was reduced to `contribution`, which has the
    operand's shape. `before` and `after` are the operand's accumulated gradient.
    """

    edge: Edge  # the edge that carries it
    upstream: Array  # the consumer's complete gradient, of the consumer's shape
    local: Array | None
    product: Array
    summed: tuple[int, ...]
    contribution: Array
    before: Array | None
    after: Array
    uses: tuple[int, int]  # of the operand: contributions in, of all that come


class Samples(NamedTuple):
    """Which samples an iteration sees, where it does not see all."""

    iteration: int  # its number
    numbers: tuple[int, ...]  # of the samples, from 0, in their order in the batch
    of: int  # how many there are in all

    def __str__(self) -> str:
        shown = [str(number) for number in self.numbers]
        if len(shown) > _MOST_TOLD:
            shown[_MOST_TOLD - 2 : -1] = ["…"]
        which = f"sample{'s' * (len(shown) > 1)} {', '.join(shown)} of {self.of}"
        return f"iteration {self.iteration}: {which}"


class Iteration(NamedTuple):
    """What the trace of one iteration knows of the training that it is part of."""

    number: int  # counted from 0
    optimizer: Optimizer  # what gives the parameters their next values
    # returns the update of a parameter, or of its element at an index; `ValueError`
    # where it is not updated
    update: Callable[[int, Index | EllipsisType], UpdateStep]
    other: Callable[[int], Trace]  # returns another iteration, by its number
    samples: Samples | None = None  # those of its batch; None where it sees all
    rates: Mapping[int, Value] = MappingProxyType({})  # learning rates, by parameter

    def before(self) -> Trace | None:
        """Return the iteration before this one; None for the first."""
        return self.other(self.number - 1) if self.number else None


# A node that is used this often gets its partial sums kept at every so many uses, so
# that looking at it in mid-pass does not take longer the more uses it has. Of plain
# numbers all are kept: they take less room than the uses.
_STRIDE = 64
_MOST_TOLD: Final = 8  # samples that are named in words
_SHORT: Final = 8  # numbers that are added up anew whenever one asks
_MOST_AT_ONCE: Final = 250_000  # slopes; of more, only those that are looked at
_LARGE: Final = 4096  # elements from which on what is made is kept for a while


class Trace:
    """The events of one run, and look-ups of its state at any position."""

    def __init__(
        self,
        run: Run,
        updated: Mapping[int, Value] | None = None,
        iteration: Iteration | None = None,
    ) -> None:
        """Take a run and, in an iteration of training, the parameters' next values.

        `iteration` tells how these were made.
        """
        self.run = run
        self.iteration = iteration
        self.updated = dict(updated or {})
        self.updates = tuple(self.updated)
        self._sums: dict[int, list[Value]] = {}
        self._running: dict[int, Array] = {}  # likewise, of plain numbers

    # ------------------------------------------------------------------ events

    @cached_property
    def _computed(self) -> Sequence[int]:
        return [row[0] for row in self.run.graph.nodes.rows if row[3] is not None]

    @cached_property
    def _forward_rank(self) -> Array:
        rank = np.full(len(self.run.graph), -1)
        rank[self._computed] = np.arange(len(self._computed))
        return rank

    @cached_property
    def _edges(self) -> Edges:
        sends = self.run.sends
        rows = self.run.graph.nodes.rows
        return Edges.of(rows, lambda row: sends(row[0]), self._first)

    @cached_property
    def _update_rank(self) -> dict[int, int]:
        return {node: rank for rank, node in enumerate(self.updates)}

    @property
    def seed_position(self) -> int:
        """The number of the seed's event: so many events are `Forward`."""
        return len(self._computed)

    @property
    def _first(self) -> int:
        """The number of the first contribution."""
        return self.seed_position + 1

    @cached_property
    def update_position(self) -> int:
        """The number of the first `Update`, or the length when there is none."""
        return self._first + len(self._edges.consumers)

    def __len__(self) -> int:
        return self.update_position + len(self.updates)

    def event(self, number: int) -> Event:
        """Return event `number`, 0 … N − 1: the one that position `number` has next."""
        computed = self._computed
        behind = number - len(computed)  # the seed is 0
        if behind < 0 <= number:
            return Forward(computed[number])
        if behind == 0:
            return Seed(self.run.graph.output)
        if 0 < behind <= len(self._edges.consumers):
            return Contribution(*self.edge(number))
        if behind > 0 and number < len(self):
            return Update(self.updates[number - self.update_position])
        raise IndexError(f"event {number} of {len(self)}")

    def edge(self, number: int) -> Edge:
        """Return the edge that event `number`, a contribution, belongs to."""
        return self._edges.edge(number)

    @property
    def samples(self) -> Samples | None:
        """Which samples it sees; None where it sees all."""
        return self.iteration.samples if self.iteration else None

    def phase(self, position: int) -> Phase:
        """Return the phase of the last applied event, or the end that `position` is."""
        if position <= 0:
            return "start"
        if position >= len(self):
            return "end"
        if position <= self.seed_position:
            return "forward"
        return "backward" if position <= self.update_position else "update"

    def forward_event(self, node: int) -> int | None:
        """Return the number of a node's `Forward`; leaves have none."""
        rank = int(self._forward_rank[node])
        return None if rank < 0 else rank

    def edge_event(self, consumer: int, argument: int) -> int | None:
        """Return the number of an edge's `Contribution`, if it carries one."""
        sent = self.backward_events(consumer, consumer + 1)
        return next((n for n in sent if self.edge(n).argument == argument), None)

    def forward_events(self, first: int, stop: int) -> range:
        """Return the numbers of the `Forward`s of nodes first … stop − 1."""
        return range(
            bisect_left(self._computed, first), bisect_left(self._computed, stop)
        )

    def backward_events(self, first: int, stop: int) -> range:
        """Return the numbers of the contributions that nodes first … stop − 1 send."""
        return self._edges.sent(first, stop)

    def speaking(self, node: int) -> int | None:
        """Return the event at which the backward pass speaks of a node; None for none.

        It is that of `Edges.speaking`, or for a leaf that is the output the seed.
        """
        found = self._edges.speaking(node)
        is_seed = found is None and node == self.run.graph.output
        return self.seed_position if is_seed else found

    def arrivals(self, node: int) -> Sequence[int]:
        """Return the numbers of the events that change a node's gradient, in order."""
        into = self._edges.into(node)
        if node == self.run.graph.output:
            return [self.seed_position, *into]
        return into

    # ------------------------------------------------------------------- state

    def value(self, node: int, position: int) -> Array | None:
        """Return the value of a node at `position`, or None before it is computed."""
        if self.is_updated(node, position):
            return np.asarray(self.updated[node])
        rank = int(self._forward_rank[node])
        return self.run.value(node) if rank < position else None

    def is_updated(self, node: int, position: int) -> bool:
        """Tell whether a parameter has its next value already at `position`."""
        event = self.update_event(node)
        return event is not None and event < position

    def update_event(self, node: int) -> int | None:
        """Return the number of a parameter's `Update`; None for what has none."""
        rank = self._update_rank.get(node)
        return None if rank is None else self.update_position + rank

    def updated_by(self, node: int, position: int) -> Trace | None:
        """Return the iteration whose update made a parameter's value at `position`.

        That is this one, or the one before; None where the value was given.
        """
        if self.is_updated(node, position):
            return self
        if node in self.run.patches.values:
            return None
        before = self.iteration.before() if self.iteration else None
        return before if before is not None and node in before.updated else None

    def update(self, node: int, at: Index | EllipsisType = ...) -> UpdateStep:
        """Return the update of a parameter with everything that made it.

        With `at` it is that of one element. Raises `ValueError` where the parameter is
        not updated.
        """
        if self.iteration is None:
            raise ValueError("nothing is trained here")
        return self.iteration.update(node, at)

    def gradient(self, node: int, position: int) -> Array | None:
        """Return the accumulated gradient at `position`; None before the first event.

        `run.gradient` tells whether one will come at all.
        """
        if self.is_complete(node, position):
            return self.run.gradient(node)
        partial = self._accumulated(node, position)
        return None if partial is None else np.asarray(partial)

    def array(self, node: int, quantity: Quantity, position: int) -> Array | None:
        """Return the value or the gradient of a node, None before there is one."""
        look = self.value if quantity == "value" else self.gradient
        return look(node, position)

    def gradients(self, node: int, positions: Sequence[int]) -> Array | None:
        """Return the gradient of a node at each of several positions, in order.

        None where it is not there at the first one, and where the numbers are not
        plain: to add up arrays may take long.
        """
        if not self._is_plain or node == self.run.graph.output:
            return None
        into = self._edges.into(node)
        first, stop = (bisect_left(into, end) for end in (positions[0], positions[-1]))
        if not first:
            return None
        sums = self._running_sums(node)[first - 1 : stop]
        return sums[np.searchsorted(into[first:stop], positions)]

    def uses(self, node: int, position: int) -> tuple[int, int]:
        """Return how many contributions to a node are in, and of how many."""
        into = self._edges.into(node)
        return bisect_left(into, position), len(into)

    def breakdown(self, consumer: int, argument: int) -> Breakdown:
        """Return one contribution with everything that made it.

        Raises `ValueError` where the edge carries none.
        """
        number = self.edge_event(consumer, argument)
        if number is None:
            raise ValueError("this edge carries no contribution")
        run = self.run
        node = run.graph.nodes[consumer]
        edge = Edge(consumer, argument, node.operands[argument])
        before = self.gradient(edge.operand, number)
        after = self.gradient(edge.operand, number + 1)
        # The first contribution is the gradient; making it twice would take its time.
        made = after if before is None and not run.writes else None
        if made is None:
            made = self._contribution(edge)
        summed = self.summed(edge)
        product = self._product(edge) if summed else made
        return Breakdown(
            edge,
            np.asarray(self.upstream(edge)),
            local_derivative(run, node, argument),
            product,
            summed,
            made,
            before,
            product if after is None else after,
            self.uses(edge.operand, number + 1),
        )

    def summed(self, edge: Edge) -> tuple[int, ...]:
        """Return the axes over which a product is summed to fit its operand.

        The rule of what is not elementwise sums over what was repeated by itself.
        """
        nodes = self.run.graph.nodes
        node, operand = nodes[edge.consumer], nodes[edge.operand]
        is_elementwise = node.op is not None and node.op.kind == "elementwise"
        return broadcast_axes(node.shape, operand.shape) if is_elementwise else ()

    def is_complete(self, node: int, position: int) -> bool:
        """Tell whether a gradient is what it will be at the end."""
        return position > self.completed_by(node)

    def contribution(self, edge: Edge) -> Value:
        """Return what an edge adds to the gradient of its operand."""
        consumer, argument, operand = edge
        run, upstream = self.run, self.upstream(edge)
        if len(self.arrivals(operand)) == 1 and not run.writes:
            gradient = run.gradients[operand]  # nothing else adds to it
            if gradient is not None:
                return gradient
        is_small = not self._is_large(consumer) and not self._is_large(operand)
        if is_small or self._is_made_by_cell(edge):
            return run.contribution(consumer, argument, upstream)
        return run.recent.of(
            ("contribution", edge),
            lambda: run.contribution(consumer, argument, upstream),
        )

    def added(self, edge: Edge, index: tuple[int, ...]) -> float:
        """Return what an edge adds to one element."""
        if not self._is_large(edge.operand):
            return float(np.asarray(self.contribution(edge))[index])
        return self.run.recent.of(
            ("added", edge, index), lambda: self._added(edge, index)
        )

    def _added(self, edge: Edge, index: tuple[int, ...]) -> float:
        if self._is_made_by_cell(edge):
            return float(self._cells(edge, edge.operand)[index])
        return float(np.asarray(self.contribution(edge))[index])

    def _contribution(self, edge: Edge) -> Array:
        """Return what an edge adds, of a large array only what is looked at."""
        if self._is_made_by_cell(edge):
            cells = self._cells(edge, edge.operand)
            if cells.size > _MOST_AT_ONCE:
                return cast("Array", cells)
        return np.asarray(self.contribution(edge))

    def _product(self, edge: Edge) -> Array:
        """Return upstream × local, before it is reduced."""
        consumer, argument, _ = edge
        run, upstream = self.run, self.upstream(edge)
        if self._is_elementwise(edge):
            cells = self._cells(edge, consumer)
            if cells.size > _MOST_AT_ONCE:
                return cast("Array", cells)
        if not self._is_large(consumer):
            return np.asarray(run.product(consumer, argument, upstream))
        return run.recent.of(
            ("product", edge),
            lambda: np.asarray(run.product(consumer, argument, upstream)),
        )

    def _is_elementwise(self, edge: Edge) -> bool:
        """Tell whether a product is made of what stands at the same place."""
        op = self.run.graph.nodes.rows[edge.consumer][3]
        is_patched = (edge.consumer, edge.argument) in self.run.patches.rules
        return op is not None and op.kind == "elementwise" and not is_patched

    def _is_made_by_cell(self, edge: Edge) -> bool:
        """Tell whether a contribution is, too: where nothing was broadcast."""
        rows = self.run.graph.nodes.rows
        same = rows[edge.consumer][6] == rows[edge.operand][6]
        return same and self._is_elementwise(edge)

    def _cells(self, edge: Edge, like: int) -> Cells:
        """Return upstream × local in the dtype of a node, computed cell by cell."""
        dtype = np.asarray(self.run.values[like]).dtype
        return products(self.run, edge, self.upstream(edge), dtype)

    def _is_large(self, node: int) -> bool:
        return math.prod(self.run.graph.nodes.rows[node][6]) >= _LARGE

    def completed_by(self, node: int) -> int:
        """Return the event that makes a gradient what it is at the end; −1 for none."""
        arrivals, written = self.arrivals(node), self._writes.get(node)
        last = arrivals[-1] if arrivals else -1
        return max(last, written[-1][0]) if written else last

    def changing(self, node: int) -> Sequence[int]:
        """Return the events that change a gradient: what arrives, or writes over it."""
        arrivals, written = self.arrivals(node), self._writes.get(node)
        if not written:
            return arrivals
        return sorted({*arrivals, *(number for number, _ in written)})

    @cached_property
    def _writes(self) -> dict[int, list[tuple[int, Write]]]:
        """For each patched node, the event numbers that wrote its gradient over."""
        writes: dict[int, list[tuple[int, Write]]] = {}
        for write in self.run.writes:
            number = self.edge_event(write.consumer, write.argument)
            if write.argument < 0:
                number = self.seed_position
            if number is not None:
                writes.setdefault(write.node, []).append((number, write))
        return writes

    def upstream(self, edge: Edge) -> Value:
        """Return the gradient that the rule of an edge is given, which carries one.

        It has the shape of the consumer. Raises `ValueError` where none arrives there.
        """
        gradient = self.run.upstream(edge.consumer, edge.argument)
        if gradient is None:
            raise ValueError("no gradient arrives there")
        return gradient

    def _accumulated(self, node: int, position: int) -> Value | None:
        """Sum the contributions behind `position`, in the order of the pass."""
        into = self._edges.into(node)
        stop = bisect_left(into, position)
        start, total = 0, None
        if node == self.run.graph.output and position > self.seed_position:
            total = self.run.seed
        behind = [w for w in self._writes.get(node, ()) if w[0] < position]
        if behind:
            number, write = behind[-1]
            total = write.value
            start = bisect_left(into, number + 1)
        elif stop >= _STRIDE:
            if self._is_plain:
                return self._running_sums(node)[stop - 1]
            kept = self._partial_sums(node)
            start = stop - stop % _STRIDE
            total = kept[start // _STRIDE - 1]
        if self._is_plain or (stop - start < _SHORT and not self._is_large(node)):
            return self._add(node, start, stop, total)
        # Where one looks at one moment after the other, most of the sum is known.
        recent, known = self.run.recent, start
        for known in range(stop, start, -1):
            found = recent.known(("sum", node, len(behind), known))
            if found is not None:
                total = found
                break
        else:
            known = start
        for number in range(known, stop):
            before, total = total, self._add(node, number, number + 1, total)
            edge = self.edge(into[number])
            # The first one is a contribution, which may be kept as that.
            if before is not None or self._is_made_by_cell(edge):
                recent.keep(("sum", node, len(behind), number + 1), total)
        return total

    def _add(
        self, node: int, start: int, stop: int, total: Value | None
    ) -> Value | None:
        events = self._edges.into(node)[start:stop]
        with np.errstate(all="ignore"):
            if self._is_plain:
                addends = self._addends(events)
                first = next(addends, None) if total is None else total
                return reduce(add, addends, first)
            for number in events:
                addend = self.contribution(self.edge(number))
                total = addend if total is None else np.add(total, addend)
                if isinstance(total, np.ndarray):
                    total.setflags(write=False)  # it may be kept
        return total

    @cached_property
    def _is_plain(self) -> bool:
        """Tell whether all numbers are Python's own: nothing is cast or reduced."""
        run = self.run
        is_one = run.graph.scalar and not run.patches
        return is_one and set(map(type, run.values)) == {float}

    def _addends(self, events: Sequence[int]) -> Iterator[Any]:
        """Yield contributions of plain numbers, made as the backward pass does it."""
        run, first, edges = self.run, self._first, self._edges
        consumers, arguments = edges.consumers, edges.arguments
        rows, values, gradients = run.graph.nodes.rows, run.values, run.gradients
        for number in events:
            place = number - first
            consumer = consumers[place]
            _, _, _, op, operands, attributes, _, _ = rows[consumer]
            rule = op and op.vjps[arguments[place]]
            if rule is None:
                raise ValueError("no gradient flows there")
            upstream, value = gradients[consumer], values[consumer]
            if len(operands) == 2 and not attributes:  # as most are
                one, two = operands
                yield rule(upstream, value, values[one], values[two])
            else:
                given = [upstream, value, *(values[operand] for operand in operands)]
                yield call(rule, given, attributes)

    def _running_sums(self, node: int) -> Array:
        """Return the sum behind each contribution to a node, of plain numbers."""
        if node not in self._running:
            into = self._edges.into(node)
            with np.errstate(all="ignore"):
                sums = accumulate(self._addends(into))
                self._running[node] = np.fromiter(sums, float, len(into))
        return self._running[node]

    def _partial_sums(self, node: int) -> list[Value]:
        """Return the sums of the first 64, 128, … contributions to a node."""
        if node not in self._sums:
            sums: list[Value] = []
            total: Value | None = None
            for stop in range(_STRIDE, len(self._edges.into(node)) + 1, _STRIDE):
                total = self._add(node, stop - _STRIDE, stop, total)
                if total is not None:
                    sums.append(total)
            self._sums[node] = sums
        return self._sums[node]


def local_derivative(run: Run, node: Node, argument: int) -> Array | None:
    """Return ∂node/∂operand as one array to show, or None where one cannot show it.

    An elementwise operation has one number for each element of its result, a reduction
    one for each element of its operand; a row of the operation table may name another
    array, such as the other factor of a product.
    """
    op = node.op
    if op is None:
        return None
    with np.errstate(all="ignore"):
        if op.shown_local and (rule := op.shown_local[argument]) is not None:
            operands = [run.values[i] for i in node.operands]
            y = run.values[node.index]
            return np.asarray(rule(y, *operands, **node.attributes))
        if op.kind not in ("elementwise", "reduce") or op.vjp(argument) is None:
            return None
        lazy = slopes(run, node, op, argument)
        # An array that is larger is read in parts, wherever it is drawn.
        return cast("Array", lazy) if lazy.size > _MOST_AT_ONCE else np.asarray(lazy)
