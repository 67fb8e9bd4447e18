"""What the panes will ask at a moment, asked before: off the way from key to picture.

Of arrays of millions of elements, and of graphs of many thousands of nodes, some facts
take longer than a frame to be found. A run keeps what it was asked lately, so a
command, which can go on in the background, asks first.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from ..core.debugger import Debugger
from ..core.expression import Element
from ..core.formulas import Wording
from ..core.linked import facets
from ..core.trace import Contribution
from .look import Look
from .panes.why import explained
from .stage import Stage, notes

_MANY: Final = 5_000  # nodes
_LARGE: Final = 250_000  # elements


def look_ahead(bug: Debugger, element: Element | None) -> None:
    """Find out about the last event what takes long, if nobody has asked before."""
    trace, number = bug.trace, bug.position - 1
    is_large = number >= 0 and _is_large(bug, number)
    if number < 0 or (len(bug.graph) < _MANY and not is_large):
        return
    if trace.run.recent.known(("looked at", number)):
        return
    trace.run.recent.keep(("looked at", number), made=True)
    if is_large:
        facets(trace, number)
        notes(Stage(bug.scenario, trace, Look()), [number])
    if element is not None:
        words = Wording(bug.graph, bug.scenario.names)
        deque(explained(trace, words, element, bug.position), maxlen=0)


def _is_large(bug: Debugger, number: int) -> bool:
    """Tell whether an event has to do with a large array."""
    event, nodes = bug.trace.event(number), bug.graph.nodes
    node = event.consumer if isinstance(event, Contribution) else event.node
    around = node, *nodes[node].operands
    return any(math.prod(nodes[index].shape) >= _LARGE for index in around)
