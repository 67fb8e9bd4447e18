"""Which iteration of a training made a NaN or an infinity, and which operation."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...engine.element import index_of
from .answer import Hop, Past, Why
from .why import why

if TYPE_CHECKING:
    from ...engine.element import Index
    from ...engine.run import Run
    from ...engine.trace import Trace
    from ...ops.table import Array


def reason(
    trace: Trace,
    node: int,
    quantity: Literal["value", "grad"],
    index: Index,
    position: int,
) -> Why:
    """Say what is special about one element, back through the updates of a training."""
    if quantity == "value" and trace.updated_by(node, position) is not None:
        number = _at(trace, node, index, position)
        is_plain = number != 0 and math.isfinite(number)
        cause = "nonzero" if is_plain else "trained"
        found = Why(cause, (Hop(node, index, "value", number),))
    else:
        found = why(trace, node, quantity, index, position)
    if not found.hops[0].is_bad:
        return found
    key = ("past", node, quantity, index, position)
    past = trace.run.recent.of(key, lambda: _past(trace, found))
    cause = "trained" if past is not None and found.cause == "given" else found.cause
    return replace(found, past=past, cause=cause)


def _past(trace: Trace, found: Why) -> Past | None:
    """Return the first bad update behind a NaN or an infinity; None without any."""
    hop, past = origin(found), None
    # Until the end of its iteration the parameter that was asked about is not updated.
    updated = hop == found.hops[0] and found.cause == "trained"
    while (made := _bad_update(trace, hop, updated)) is not None:
        trace, at, updated = made, made.iteration, False
        if at is None:
            break
        left = _at(trace, hop.node, hop.index or (), len(trace))
        first = _first_bad(trace.run)
        behind = None
        if first is not None:
            place = (first.node, first.quantity, first.index or ())
            behind = why(trace, *place, len(trace))
        past = Past(at.number, replace(hop, number=left), behind)
        if behind is None:
            break
        hop = origin(behind)
    return past


def _first_bad(run: Run) -> Hop | None:
    """Return the first number of a run that is not finite, in the order of time."""
    computed = (node.index for node in run.graph.nodes if node.op is not None)
    for node in computed:
        hop = _bad_in(node, "value", run.value(node))
        if hop is not None:
            return hop
    for node in reversed(range(len(run.graph.nodes))):
        gradient = run.gradient(node)
        hop = None if gradient is None else _bad_in(node, "grad", gradient)
        if hop is not None:
            return hop
    return None


def _bad_in(node: int, quantity: Literal["value", "grad"], array: Array) -> Hop | None:
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return None
    index = index_of(np.argmin(np.isfinite(array)), array.shape)
    return Hop(node, index, quantity, float(array[index]))


def origin(found: Why) -> Hop:
    """Return the last place that a reason leads to, with all that is behind it."""
    while found.behind is not None:
        found = found.behind
    return found.at


def _bad_update(trace: Trace, hop: Hop, updated: bool) -> Trace | None:
    """Return the iteration whose update made an element of a parameter not finite.

    `updated` says that the element is that behind the update of this iteration. What is
    not finite stays so, so that the iteration is found by halves.
    """
    at, index = trace.iteration, hop.index or ()
    is_parameter = trace.run.graph.nodes[hop.node].kind == "parameter"
    if at is None or not is_parameter or not hop.is_bad or hop.quantity != "value":
        return None
    if _is_finite(trace, hop.node, index):
        return trace if updated else None
    first, last = 0, at.number  # it is not finite at the start of the last one
    while first < last:
        middle = (first + last) // 2
        if _is_finite(at.other(middle), hop.node, index):
            first = middle + 1
        else:
            last = middle
    return at.other(first - 1) if first else None


def _is_finite(trace: Trace, node: int, index: Index) -> bool:
    """Tell whether an element is finite at the start of an iteration."""
    return math.isfinite(_at(trace, node, index, 0))


def _at(trace: Trace, node: int, index: Index, position: int) -> float:
    value = trace.value(node, position)
    return float(trace.run.value(node)[index] if value is None else value[index])
