"""How far a run has come with some of its nodes: what the marks of the graph say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..engine.trace import Trace

Progress = Literal["none", "future", "part", "done"]


def is_backward(trace: Trace, position: int) -> bool:
    """Tell whether the seed has entered: from then on gradients are looked at."""
    return position > trace.seed_position


def progress(trace: Trace, nodes: range, position: int) -> Progress:
    """Return how much of what nodes do in the present pass is behind `position`.

    Forwards that is their values. Backwards it is the gradient of a single node, and
    the contributions that several send; "none" where no gradient flows.
    """
    if not is_backward(trace, position):
        events = trace.forward_events(nodes.start, nodes.stop)
        return _progress(events, position) if len(events) else "done"
    if len(nodes) == 1:
        return _arrived(trace, nodes.start, position)
    events = trace.backward_events(nodes.start, nodes.stop)
    return _progress(events, position) if len(events) else "none"


def _progress(events: range, position: int) -> Progress:
    if events.stop <= position:
        return "done"
    return "part" if events.start < position else "future"


def _arrived(trace: Trace, node: int, position: int) -> Progress:
    if not trace.run.arrives(node):
        return "none"
    done, of = trace.uses(node, position)
    if done == of:
        return "done"
    return "part" if done or node == trace.run.graph.output else "future"
