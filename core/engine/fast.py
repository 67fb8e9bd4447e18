"""The backward pass of `backward`, several times as fast: what a run is made with.

Three loops do the same: one for arrays; one for patched runs, which notes what is
written over and takes from another run what has not changed; one for plain numbers.
`tests/core/engine/test_backward.py` holds them against the specification, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from ..base.errors import RuleError
from ..base.progress import with_progress
from ..ops.table import NO_ATTRIBUTES, Value
from ..ops.table.wide import total
from .backward import UNFIT, call, frozen, settle
from .patches import Patches, Write

if TYPE_CHECKING:
    from ..base.progress import Progress
    from .graph import Graph, Row, Sent


class Base(NamedTuple):
    """An earlier run, whose gradients are taken where nothing differs from it."""

    values: Sequence[Value]  # of each node
    gradients: Sequence[Value | None]  # of each node; None where no gradient flows
    seed: Value  # the gradient at its output
    patches: Patches  # what was changed in it


def arrays(
    graph: Graph,
    values: Sequence[Value],
    flows: bytes,
    seed: Value,
    slopes: dict[int, Any] | None = None,
    progress: Progress | None = None,
) -> list[Value | None]:
    """Return the gradients of a run without patches.

    `slopes` are those that forward has found, by node; they are taken out as they are
    used, so that their memory is free for gradients.
    """
    gradients: list[Any] = [None] * len(values)
    gradients[graph.output] = seed
    consumers = with_progress(range(graph.output, -1, -1), progress)
    _hand_on(graph, values, graph.sent(flows), gradients, consumers, slopes or {})
    return gradients


class Gradients(Sequence["Value | None"]):
    """The gradients of a run without patches, each made where it is looked at.

    Those of the nodes behind it are made before it, and all that were made are kept.
    It is asked by the screen and by commands in the background at the same time.
    `refused` makes the error of numbers that a rule cannot take.
    """

    def __init__(
        self,
        graph: Graph,
        values: Sequence[Value],
        flows: bytes,
        seed: Value,
        refused: Callable[[Exception], Exception],
    ) -> None:
        self._graph, self._values, self._sent = graph, values, graph.sent(flows)
        self._made: list[Any] = [None] * len(values)
        self._made[graph.output] = seed
        self._next = graph.output  # the next node that hands its gradient on
        self._reached = _reached(graph, self._sent)
        self._refused = refused
        self._failed: tuple[Exception, ...] = ()  # the error, once there is one
        self._lock = Lock()

    def arrives(self, node: int) -> bool:
        """Tell whether a node gets a gradient; none is made to find out."""
        return bool(self._reached[node])

    @overload
    def __getitem__(self, node: int) -> Value | None: ...
    @overload
    def __getitem__(self, node: slice) -> Sequence[Value | None]: ...
    def __getitem__(self, node: int | slice) -> Any:
        if isinstance(node, slice):
            return [self[one] for one in range(len(self))[node]]
        if self._reached[node] and node < self._next:
            with self._lock:
                self._go_to(node)
        return self._made[node]

    def __len__(self) -> int:
        return len(self._made)

    def _go_to(self, node: int) -> None:
        if self._failed:
            raise self._failed[0]
        consumers = range(self._next, node, -1)
        given = self._graph, self._values, self._sent, self._made
        try:
            with np.errstate(all="ignore"):
                _hand_on(*given, consumers, {})
        except (RuleError, *UNFIT) as error:
            # A part of it is added up, and not to be added again.
            self._failed = (self._refused(error),)
            raise self._failed[0] from error
        self._next = min(self._next, node)


def _reached(graph: Graph, sent: Sequence[Sent]) -> bytearray:
    """Mark the nodes that a gradient arrives at in a run without patches."""
    reached = bytearray(len(sent))
    reached[graph.output] = 1
    for index in range(graph.output, -1, -1):
        if reached[index]:
            for _, operand, _, _, _ in sent[index][1]:
                reached[operand] = 1
    return reached


def _hand_on(
    graph: Graph,
    values: Sequence[Value],
    sent: Sequence[Sent],
    gradients: list[Any],
    consumers: Iterable[int],
    slopes: dict[int, Any],
) -> None:
    """Add what some nodes, in backward order, send to the gradients of their operands.

    Those of the nodes themselves have to be complete. Two operands, the usual number,
    are written out.
    """
    value_of, ndarray = values.__getitem__, np.ndarray
    for index in consumers:
        upstream = gradients[index]
        operands, edges = sent[index]
        if upstream is None or not edges:
            continue
        given: tuple[Any, ...]
        if len(operands) == 2:
            one, two = operands
            given = upstream, values[index], values[one], values[two]
        else:
            given = upstream, values[index], *map(value_of, operands)
        for argument, operand, shape, axes, rule in edges:
            if argument == 0 and index in slopes:
                addend = rule(*given, slopes=slopes.pop(index))
            else:
                addend = rule(*given)
            # Most is of its operand's kind already, or has to be summed and no more.
            like = given[argument + 2]
            fits = shape and type(addend) is ndarray and addend.dtype is like.dtype
            if fits and axes and addend.shape == given[1].shape:
                addend = total(addend, axes)
            if fits and addend.shape == shape:
                addend.setflags(False)  # pyright: ignore[reportCallIssue]  # `frozen`
            else:
                addend = settle(addend, like, graph.nodes.rows[index])
            before = gradients[operand]
            gradients[operand] = addend if before is None else frozen(before + addend)


def patched(
    graph: Graph,
    values: Sequence[Value],
    flows: bytes,
    seed: Value,
    patches: Patches,
    base: Base | None,
    writes: list[Write],
    progress: Progress | None = None,
) -> list[Value | None]:
    """Return the gradients of a patched run; what is written over is added to `writes`.

    What does not differ from `base` is taken from it.
    """
    gradients: list[Any] = [None] * len(values)
    gradients[graph.output] = seed
    into = flows  # the nodes whose gradients are added up here
    if base is not None:
        wanted = _changed(graph, values, seed, patches, base)
        chosen = np.frombuffer(wanted, np.uint8)
        into = (np.frombuffer(flows, np.uint8) & chosen).tobytes()
        for index in np.flatnonzero(chosen == 0).tolist():
            gradients[index] = base.gradients[index]
    if graph.output in patches.gradients:
        _write(graph.output, -1, graph.output, patches, values, gradients, writes)
    last_edge = _last_edges(graph, flows, patches)
    rows = graph.nodes.rows
    for index in with_progress(range(graph.output, -1, -1), progress):
        upstream, row = gradients[index], rows[index]
        op, operands, attributes = row[3], row[4], row[5]
        if upstream is None or op is None:
            continue
        given = [values[i] for i in (index, *operands)]  # the result comes first
        for argument, operand in enumerate(operands):
            edge = (index, argument)
            rule = op.vjp(argument)
            if rule is None or not into[operand] or edge in patches.cuts:
                continue
            rule = patches.rules.get(edge, rule)
            product = call(rule, [upstream, *given], attributes)
            if edge in patches.in_place:
                upstream = _spread(edge, product, upstream, row, gradients, writes)
            addend = settle(product, given[argument + 1], row)
            _add(edge, operand, addend, patches, gradients, writes)
            if edge == last_edge.get(operand):
                _write(index, argument, operand, patches, values, gradients, writes)
    return gradients


def numbers(
    graph: Graph, values: Sequence[Any], flows: bytes, seed: Value
) -> list[Any]:
    """Return the gradients of a run of plain numbers without patches.

    In a graph of scalars nothing is broadcast, cast or seen twice. Two operands, the
    usual number, are written out.
    """
    rows = graph.nodes.rows
    gradients: list[Any] = [None] * len(rows)
    gradients[graph.output] = seed
    everywhere = 0 not in flows
    # What is added to a gradient is there when the loop comes to it.
    backwards = map(reversed, (rows, values, gradients))
    for row, value, upstream in zip(*backwards, strict=True):
        op, operands, attributes = row[3], row[4], row[5]
        if upstream is None or op is None:
            continue
        if len(operands) == 2 and attributes is NO_ATTRIBUTES:
            one, two = operands
            by_one, by_two = op.vjps
            left, right = values[one], values[two]
            if by_one is not None and (everywhere or flows[one]):
                addend = by_one(upstream, value, left, right)
                before = gradients[one]
                gradients[one] = addend if before is None else before + addend
            if by_two is not None and (everywhere or flows[two]):
                addend = by_two(upstream, value, left, right)
                before = gradients[two]
                gradients[two] = addend if before is None else before + addend
            continue
        arrays = [upstream, value, *(values[i] for i in operands)]
        for operand, rule in zip(operands, op.vjps, strict=False):
            if rule is not None and flows[operand]:
                addend = call(rule, arrays, attributes)
                before = gradients[operand]
                gradients[operand] = addend if before is None else before + addend
    if np.ndarray in set(map(type, gradients)):  # what some rules return for a scalar
        return [g[()] if isinstance(g, np.ndarray) else g for g in gradients]
    return gradients


# ---------------------------------------------------------------------- patches


def _add(
    edge: tuple[int, int],
    operand: int,
    addend: Value,
    patches: Patches,
    gradients: list[Any],
    writes: list[Write],
) -> None:
    before = gradients[operand]
    if before is None:
        gradients[operand] = addend
    elif edge in patches.overwrites:
        gradients[operand] = addend
        writes.append(Write(*edge, operand, before, addend))
    else:
        gradients[operand] = frozen(before + addend)


def _last_edges(
    graph: Graph, flows: bytes, patches: Patches
) -> dict[int, tuple[int, int]]:
    """Return the last edge that carries a contribution to each node that is set."""
    last: dict[int, tuple[int, int]] = {}
    if not patches.gradients:
        return last
    reached = bytearray(len(flows))
    reached[graph.output] = 1
    for index in range(graph.output, -1, -1):
        _, _, _, op, operands, _, _, _ = graph.nodes.rows[index]
        if not reached[index] or op is None:
            continue
        for argument, operand in enumerate(operands):
            edge = (index, argument)
            if flows[operand] and op.vjp(argument) and edge not in patches.cuts:
                reached[operand] = 1
                if operand in patches.gradients:
                    last[operand] = edge
    return last


def _write(
    consumer: int,
    argument: int,
    node: int,
    patches: Patches,
    values: Sequence[Value],
    gradients: list[Value | None],
    writes: list[Write],
) -> None:
    before = gradients[node]
    like = np.asarray(values[node])
    value = frozen(np.full_like(like, patches.gradients[node])[()])
    gradients[node] = value
    if before is not None:
        writes.append(Write(consumer, argument, node, before, value))


def _spread(
    edge: tuple[int, int],
    product: Value,
    upstream: Value,
    consumer: Row,
    gradients: list[Value | None],
    writes: list[Write],
) -> Value:
    """Write a product into the upstream array, as a rule that works in place does.

    A rule such as that of `+` hands its upstream array on as it is, so several
    gradients can be one array: all of them change.
    """
    if np.shape(product) != np.shape(upstream):
        return upstream
    product = settle(product, upstream, consumer)
    for node, gradient in enumerate(gradients):
        if gradient is upstream:
            gradients[node] = product
            writes.append(Write(*edge, node, upstream, product))
    return product


def _changed(
    graph: Graph,
    values: Sequence[Value],
    seed: Value,
    patches: Patches,
    base: Base,
) -> bytearray:
    """Mark the nodes whose gradient may differ from the base's."""
    old = base.patches
    rows = graph.nodes.rows
    if patches.in_place or patches.overwrites or old.in_place or old.overwrites:
        return bytearray(b"\1" * len(rows))
    wanted = bytearray(len(rows))
    wanted[graph.output] = not np.array_equal(seed, base.seed, equal_nan=True)
    for index in {*patches.gradients, *old.gradients}:
        wanted[index] = 1
    edges = {*(patches.cuts ^ old.cuts), *patches.rules, *old.rules}
    for index in range(graph.output, -1, -1):
        operands = rows[index][4]
        whole = (
            wanted[index]
            or values[index] is not base.values[index]
            or any(values[i] is not base.values[i] for i in operands)
        )
        for argument, operand in enumerate(operands):
            if whole or (index, argument) in edges:
                wanted[operand] = 1
    return wanted
