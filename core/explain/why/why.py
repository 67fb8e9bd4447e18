"""Why an element is zero, NaN or infinite, or has no gradient at all.

An answer is a chain of places, from the element asked about to the place that made it
so, and the name of the cause.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...engine.graph import Edge
from ..gradients import explain_gradient
from .answer import Hop, Why
from .gradient import bad_gradient, zero_gradient
from .others import others
from .value import why_value

if TYPE_CHECKING:
    from ...base.progress import Progress
    from ...engine.element import Index, Quantity
    from ...engine.run import Run
    from ...engine.trace import Trace


def why(
    trace: Trace,
    node: int,
    quantity: Quantity,
    index: Index,
    position: int,
    progress: Progress | None = None,
) -> Why:
    """Say what is special about one element: no gradient, 0, NaN or Inf, or nothing."""
    if quantity == "value":
        number = float(trace.run.value(node)[index])
        found = why_value(trace, Hop(node, index, "value", number))
        return replace(found, others=others(trace, found, position))
    if not trace.run.arrives(node):
        return no_gradient(trace.run, node)
    gradient = trace.gradient(node, position)
    if gradient is None:
        return Why("not yet", (Hop(node, index, "grad", None),))
    hop = Hop(node, index, "grad", float(gradient[index]))
    if hop.is_bad:
        found = bad_gradient(trace, hop, position, progress)
        return replace(found, others=others(trace, found, position))
    if hop.number == 0:
        found = zero_gradient(trace, hop, position, progress)
        return replace(found, others=others(trace, found, position))
    return Why("nonzero", (hop,), explain_gradient(trace, node, index, position))


# ---------------------------------------------------------------- no gradient


def no_gradient(run: Run, node: int) -> Why:
    """Say why no gradient flows into a node: what it is, or where its paths end."""
    graph = run.graph
    here = graph.nodes[node]
    hop = Hop(node, None, "grad", None)
    if run.value(node).dtype.kind != "f":
        return Why("integer", (hop,))
    if run.flows[node]:
        return _dead_end(run, node, hop)
    return Why("stopped" if here.op and here.op.stops else "constant", (hop,))


def _dead_end(run: Run, node: int, hop: Hop) -> Why:
    """Look towards the output: the first obstacle on the ways that lead there."""
    graph = run.graph
    leading = graph.useful
    if not leading[node]:
        return Why("no path", (hop,))
    seen, queue, obstacles = {node}, [node], list[tuple[str, Edge]]()
    while queue:
        index = queue.pop()
        for edge in graph.consumers[index]:
            if not leading[edge.consumer]:
                continue
            cause = _obstacle(run, edge)
            if cause is not None:
                obstacles.append((cause, edge))
            elif edge.consumer not in seen:
                seen.add(edge.consumer)
                queue.append(edge.consumer)
    # What was done on purpose says more than a condition that has no derivative.
    cause, edge = min(obstacles, key=lambda found: found[0] == "not differentiable")
    return Why(cause, (hop, Hop(edge.consumer, None, "grad", None)))


def _obstacle(run: Run, edge: Edge) -> str | None:
    op = run.graph.nodes[edge.consumer].op
    if (edge.consumer, edge.argument) in run.patches.cuts:
        return "cut"
    if op is None or op.vjp(edge.argument) is None:
        return "stopped" if op is not None and op.stops else "not differentiable"
    return None
