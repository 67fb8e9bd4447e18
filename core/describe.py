"""Events and places in one line of plain text."""

from __future__ import annotations

from typing import Any

import numpy as np

from .trace import Contribution, Forward, Seed, Trace


def brief(value: Any) -> str:
    """Return a value on one line: a number with six digits, an array by its shape.

    >>> brief(np.ones((2, 3)))
    '(2, 3)'
    """
    if value is None:
        return "nothing yet"
    if type(value) in (str, bool, tuple, np.bool_):
        return str(value)
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{array[()]:.6g}" if array.dtype.kind in "fiu" else str(array[()])
    if array.size <= 4 and array.dtype.kind in "fiu":
        return _nested(array)
    return str(array.shape)


def _nested(array: np.ndarray[Any, Any]) -> str:
    if array.ndim == 0:
        return f"{array[()]:.6g}"
    return "[" + ", ".join(_nested(part) for part in array) + "]"


def where(trace: Trace, number: int) -> str:
    """Return the node or the edge that an event belongs to, as it is typed."""
    event = trace.event(number)
    if isinstance(event, Contribution):
        return trace.run.graph.edge_name(event.edge)
    return trace.run.graph.nodes[event.node].name


def event_line(trace: Trace, number: int) -> str:
    """Return one event in words: what it made, or from what to what it changed it."""
    event = trace.event(number)
    name = trace.run.graph.nodes[event.node].name
    if isinstance(event, Forward):
        return f"{name} = {brief(trace.run.value(event.node))}"
    if isinstance(event, Seed):
        return f"{name}.grad = {brief(trace.run.seed)} enters at the output"
    if isinstance(event, Contribution):
        before = trace.gradient(event.operand, number)
        after = trace.gradient(event.operand, number + 1)
        done, uses = trace.uses(event.operand, number + 1)
        start = "0" if before is None else brief(before)
        return (
            f"{where(trace, number)}: {name}.grad {start} → {brief(after)} "
            f"({done} of {uses} uses)"
        )
    before, after = trace.value(event.node, number), trace.updated[event.node]
    return f"{name}: {brief(before)} → {brief(after)}"
