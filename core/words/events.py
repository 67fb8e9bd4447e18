"""Events and places in one line of plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..engine.element import Index, index_of
from ..engine.measure import blocks, magnitudes
from ..engine.trace import Contribution, Event, Forward, Seed, Trace
from .digits import SENTENCE
from .names import with_wordings
from .numbers import (
    change_text,
    element_text,
    index_text,
    is_shaped,
    shape_text,
    value_text,
)

if TYPE_CHECKING:
    from ..engine.graph import Node
    from ..ops.table import Array

_FEW: Final = 4  # elements, so few that each is seen


def event_kind(event: Event) -> str:
    """Return what an event is, in one word for a program."""
    return type(event).__name__.lower()


def where(trace: Trace, number: int) -> str:
    """Return the node or the edge that an event belongs to, as it is typed."""
    event = trace.event(number)
    if isinstance(event, Contribution):
        return trace.run.graph.edge_name(event.edge)
    return trace.run.graph.nodes[event.node].name


def nothing_yet(iteration: int) -> str:
    """Return what is to be said at the start of an iteration.

    >>> nothing_yet(0), nothing_yet(3)
    ('nothing has happened yet', 'iteration 3 has just begun')
    """
    begun = f"iteration {iteration} has just begun"
    return begun if iteration else "nothing has happened yet"


def element_name(node: Node, index: Index | None, quantity: str = "value") -> str:
    """Return an element as it is typed: `W1.grad[0, 2]`."""
    name = node.name + (".grad" if quantity == "grad" else "")
    return element_text(name, index)


def event_line(trace: Trace, number: int, digits: int = SENTENCE) -> str:
    """Return one event in words: what it made, or from what to what it changed it."""
    event = trace.event(number)
    node = trace.run.graph.nodes[event.node]
    if not node.shape:
        return _worded(trace, event, number, digits)
    # To find the largest change of an array takes a look at all of it.
    key = ("line", number, digits)
    return trace.run.recent.of(key, lambda: _worded(trace, event, number, digits))


def _worded(trace: Trace, event: Event, number: int, digits: int) -> str:
    return with_wordings(_event_line(trace, event, number, digits), trace.run.graph)


def _event_line(trace: Trace, event: Event, number: int, digits: int) -> str:
    name = trace.run.graph.nodes[event.node].name
    if isinstance(event, Forward):
        value = trace.run.value(event.node)
        if is_shaped(value):
            return f"{name} {_shaped(value)}"
        return f"{name} = {value_text(value, digits)}"
    if isinstance(event, Seed):
        seed = value_text(trace.run.seed, digits)
        return f"{name}.grad = {seed} enters at the output"
    if isinstance(event, Contribution):
        before = trace.gradient(event.operand, number)
        after = trace.gradient(event.operand, number + 1)
        done, uses = trace.uses(event.operand, number + 1)
        return (
            f"{where(trace, number)}: {name}.grad "
            f"{change(0.0, before, after, digits)} (use {done} of {uses})"
        )
    before, after = trace.value(event.node, number), trace.updated[event.node]
    said = change(before, before, after, digits)
    return f"{name} {said}" if is_shaped(np.asarray(after)) else f"{name}: {said}"


def change(start: Any, before: Any, after: Any, digits: int = SENTENCE) -> str:
    """Return two values on one line; of larger arrays the largest change.

    `start` stands for a value that is not there before.

    >>> change(0.0, None, np.arange(6.0)), change(0.0, None, np.arange(2.0))
    ('of shape (6,), largest change 5 at [5]', '0 → [0, 1]')
    """
    first = start if before is None else before
    one, two = np.asarray(first), np.asarray(after)
    text = _shaped(two) if is_shaped(two) else change_text(first, after, digits)
    if two.size <= _FEW or two.dtype.kind != "f":
        return text
    flat, changed = _largest_change(np.broadcast_to(one, two.shape), two)
    place = index_text(index_of(flat, two.shape))
    return f"{text}, largest change {value_text(changed, digits)} at {place}"


def _shaped(array: Array) -> str:
    return f"of shape {shape_text(array.shape)}"


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
