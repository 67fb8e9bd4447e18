"""Which iteration of a training made a NaN or an infinity, and which operation."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from .answer import Hop, Other, Others, Past, Why
from .since import since
from .why import why

if TYPE_CHECKING:
    from ...base.progress import Progress
    from ...engine.element import Index
    from ...engine.trace import Trace


def reason(
    trace: Trace,
    node: int,
    quantity: Literal["value", "grad"],
    index: Index,
    position: int,
    progress: Progress | None = None,
) -> Why:
    """Say what is special about one element, back through the updates of a training."""
    if quantity == "value" and trace.updated_by(node, position) is not None:
        number = _at(trace, node, index, position)
        is_plain = number != 0 and math.isfinite(number)
        cause = "nonzero" if is_plain else "trained"
        found = Why(cause, (Hop(node, index, "value", number),))
    else:
        found = why(trace, node, quantity, index, position, progress)
    if found.off is not None:
        found = replace(found, since=since(trace, found.off, progress))
    if not found.hops[0].is_bad:
        return found
    key = ("past", node, quantity, index, position)
    past = trace.run.recent.of(key, lambda: _past(trace, found))
    cause = "trained" if past is not None and found.cause == "given" else found.cause
    beside = _without_trained(trace, found.others, past)
    return replace(found, past=past, cause=cause, others=beside)


def _without_trained(
    trace: Trace, beside: Others | None, past: Past | None
) -> Others | None:
    """Say of other places which of them an update has left so.

    Behind an update that made one NaN, all others that updates made say the same.
    """
    if beside is None:
        return None
    found = (
        o._replace(cause="trained") if _is_trained(trace, o) else o
        for o in beside.found
    )
    kept = tuple(o for o in found if past is None or o.cause != "trained")
    return beside._replace(found=kept) if kept else None


def _is_trained(trace: Trace, other: Other) -> bool:
    at, hop = trace.iteration, other.at
    if at is None or not at.number or hop.node not in trace.updated:
        return False
    if hop.quantity != "value":
        return False
    given = at.other(0).run.value(hop.node)[hop.index or ()]
    return other.cause == "given" and bool(np.isfinite(given))


def _past(trace: Trace, found: Why) -> Past | None:
    """Return the first bad update behind a NaN or an infinity; None without any.

    That is the first one of the whole training: before it all that is trained is finite
    that was given so. What made it bad is asked of the gradient, for much that is not
    finite does no harm: a mask, or what a relu lets not through.
    """
    hop = origin(found).at
    # Until the end of its iteration the parameter that was asked about is not updated.
    updated = hop == found.hops[0] and found.cause == "trained"
    made = _bad_update(trace, hop, updated)
    if made is None:
        return None
    while (earlier := _bad_at_start(made)) is not None:
        made, hop = earlier
    at, index, end = made.iteration, hop.index or (), len(made)
    behind = why(made, hop.node, "grad", index, end)
    left = replace(hop, number=_at(made, hop.node, index, end))
    return Past(0 if at is None else at.number, left, behind.hops[0], origin(behind))


def _bad_at_start(trace: Trace) -> tuple[Trace, Hop] | None:
    """Return an earlier update, and a number that it left which is not finite."""
    at = trace.iteration
    if at is None:
        return None
    for node in trace.updated:
        value, given = trace.run.value(node), at.other(0).run.value(node)
        for row in np.argwhere(~np.isfinite(value) & np.isfinite(given))[:1]:
            index = tuple(row.tolist())
            hop = Hop(node, index, "value", float(value[index]))
            made = _bad_update(trace, hop, updated=False)
            if made is not None:
                return made, hop
    return None


def origin(found: Why) -> Why:
    """Return the last of all reasons behind a reason."""
    while found.behind is not None:
        found = found.behind
    return found


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
    made = at.other(first - 1) if first else None
    # It may have been set there, and not by the update.
    is_left = made is None or math.isfinite(_at(made, hop.node, index, len(made)))
    return None if is_left else made


def _is_finite(trace: Trace, node: int, index: Index) -> bool:
    """Tell whether an element is finite at the start of an iteration."""
    return math.isfinite(_at(trace, node, index, 0))


def _at(trace: Trace, node: int, index: Index, position: int) -> float:
    value = trace.value(node, position)
    return float(trace.run.value(node)[index] if value is None else value[index])
