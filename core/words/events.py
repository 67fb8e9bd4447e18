"""Events and places in one line of plain text."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..engine.element import index_of
from ..engine.measure import blocks, magnitudes
from ..engine.trace import Contribution, Event, Forward, Seed, Trace
from ..ops.table import Array
from .numbers import index_text

_FEW: Final = 4  # elements that are written out


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
    if array.size <= _FEW and array.dtype.kind in "fiu":
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
    if not trace.run.graph.nodes.rows[event.node][6]:
        return _event_line(trace, event, number)
    # To find the largest change of an array takes a look at all of it.
    key = ("line", number)
    return trace.run.recent.of(key, lambda: _event_line(trace, event, number))


def _event_line(trace: Trace, event: Event, number: int) -> str:
    name = trace.run.graph.nodes[event.node].name
    if isinstance(event, Forward):
        return f"{name} = {brief(trace.run.value(event.node))}"
    if isinstance(event, Seed):
        return f"{name}.grad = {brief(trace.run.seed)} enters at the output"
    if isinstance(event, Contribution):
        before = trace.gradient(event.operand, number)
        after = trace.gradient(event.operand, number + 1)
        done, uses = trace.uses(event.operand, number + 1)
        return (
            f"{where(trace, number)}: {name}.grad {change(0.0, before, after)} "
            f"({done} of {uses} uses)"
        )
    before, after = trace.value(event.node, number), trace.updated[event.node]
    return f"{name}: {change(before, before, after)}"


def change(start: Any, before: Any, after: Any) -> str:
    """Return two values on one line; of larger arrays also the largest change.

    `start` stands for a value that is not there before.

    >>> change(0.0, None, np.arange(6.0))
    '0 → (6,), largest change 5 at [5]'
    """
    first = start if before is None else before
    text = f"{brief(first)} → {brief(after)}"
    one, two = np.asarray(first), np.asarray(after)
    if two.size <= _FEW or two.dtype.kind != "f":
        return text
    flat, changed = _largest_change(np.broadcast_to(one, two.shape), two)
    place = index_text(index_of(flat, two.shape))
    return f"{text}, largest change {brief(changed)} at {place}"


def _largest_change(one: Array, two: Array) -> tuple[int, Any]:
    """Return the flat index of the largest change, and that change; NaN is larger."""
    best: tuple[int, Any] = 0, None
    largest, start = -1.0, 0
    for before, after in zip(blocks(one), blocks(two), strict=True):
        with np.errstate(all="ignore"):
            changed = np.ravel(after - before)
        size = magnitudes(changed)
        place = int(np.argmax(size))
        if size[place] > largest:
            largest, best = float(size[place]), (start + place, changed[place])
        start += changed.size
    return best
