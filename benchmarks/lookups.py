"""Positions: the same look-ups in a large graph and in a small one."""

from __future__ import annotations

import numpy as np
from measure import Row, compare
from scalars import our_chain

from gradstep.core.engine.trace import Contribution, Trace


def row(seconds: float) -> Row:
    """Return the line for going to a thousand places, and looking at what is there."""
    large, small = Trace(our_chain(100_000)), Trace(our_chain(100))
    return compare(
        "1,000 places of 100,000 nodes",
        "of 100 nodes",
        1.5,
        lambda: look(large),
        lambda: look(small),
        seconds,
    )


def look(trace: Trace) -> None:
    """Go to places all over the backward pass, and open the event there."""
    places = np.linspace(trace.seed_position + 1, len(trace) - 1, 1000).astype(int)
    for position in places.tolist():
        event = trace.event(position)
        if isinstance(event, Contribution):
            trace.breakdown(event.consumer, event.argument)
        trace.value(event.node, position)
        trace.gradient(event.node, position)
        trace.uses(event.node, position)
