"""Where numbers that are not finite are, and the branches that they hide in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...engine.element import Index
    from ...engine.run import Run
    from ...engine.trace import Trace
    from ...ops.table import Array
    from .answer import Spread


def untaken_branch(run: Run, node: int, index: Index) -> int | None:
    """Return the `where` that did not take the branch an element belongs to.

    The values of a branch that is not taken do not show in the result, but the
    gradients are computed for them all the same: as 0, times what may be infinite.
    """
    graph, shape = run.graph, run.graph.nodes[node].shape
    near: Iterable[int] = (node,)
    for _ in range(_NEAR):
        following = dict[int, None]()
        for edge in (edge for number in near for edge in graph.consumers[number]):
            consumer = graph.nodes[edge.consumer]
            if consumer.op is None or consumer.shape != shape:
                continue
            if consumer.op.chooses and edge.argument:
                condition = run.value(consumer.operands[0])
                taken = np.broadcast_to(condition, shape)[index]
                if bool(taken) != (edge.argument == 1):
                    return edge.consumer
            if consumer.op.kind == "elementwise":
                following[edge.consumer] = None
        near = following
    return None


_NEAR: Final = 8  # elementwise steps between a branch and its `where`


def spread(trace: Trace) -> Spread:
    """Return, in the order of time, how many elements are not finite, node by node."""
    return trace.run.recent.of(("spread",), lambda: tuple(_spread(trace.run)))


def _spread(run: Run) -> Iterator[tuple[int, Literal["value", "grad"], int]]:
    for node, value in enumerate(run.values):
        bad = _bad_count(value)
        if bad:
            yield node, "value", bad
    for node in reversed(range(len(run.graph))):
        gradient = run.gradients[node]
        bad = 0 if gradient is None else _bad_count(gradient)
        if bad:
            yield node, "grad", bad


def _bad_count(value: Any) -> int:
    if isinstance(value, float):
        return int(not math.isfinite(value))
    array: Array = np.asarray(value)
    if array.dtype.kind != "f":
        return 0
    return int(array.size - np.count_nonzero(np.isfinite(array)))


def breaks(trace: Trace, number: int) -> bool:
    """Tell whether a contribution is not finite, but all that makes it is."""
    edge = trace.edge(number)

    def find() -> bool:
        bad = _bad_count(trace.contribution(edge))
        return bool(bad) and not _bad_count(trace.upstream(edge))

    return trace.run.recent.of(("breaks", number), find)
