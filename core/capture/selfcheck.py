"""Every value of a capture computed here, and held against what the framework had.

Each operation is given the framework's own operands, so that what differs is wrong at
that one node: the operation, its attributes or its wires, and not what came before.
A call of the framework that is several nodes here has parts that nobody recorded: how
far rounding may have moved these goes on to the node that has its result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..base.errors import InputError
from ..base.progress import with_progress
from ..words.numbers import distinct, element_text
from .rounding import (
    apart,
    carried,
    is_near,
    precision,
    size_of_terms,
    terms_of,
    unit,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..base.progress import Progress
    from ..engine.graph import Graph, Row
    from ..ops.table import Array, Value
    from .capture import Capture


class Difference(NamedTuple):
    """A recorded value that its operation does not give from the recorded operands."""

    node: int  # its number
    element: tuple[int, ...]  # the index of what differs most; () for a scalar
    here: float  # what gradstep computes there; nan where it computes nothing
    there: float  # what was recorded
    why: str = ""  # what is wrong besides: a failure, another shape; "" for nothing


def hold(capture: Capture, progress: Progress | None = None) -> None:
    """Raise `InputError` at the first value that is not what its operation gives.

    It names the node, its line, an element and both numbers.
    """
    subject = capture.subject
    values, widened = capture.values, capture.is_widened
    for found in differences(
        subject.graph, subject.leaves, values, progress, widened=widened
    ):
        told = sentence(subject.graph, found, capture.about.framework)
        hint = "what was recorded is not what the code did; please report the line"
        raise InputError(told, hint)


def differences(
    graph: Graph,
    leaves: Mapping[int, Value],
    values: Mapping[int, Value],
    progress: Progress | None = None,
    *,
    widened: bool = False,
) -> Iterator[Difference]:
    """Yield each recorded value that its operation does not give, in forward order."""
    firsts = _firsts(graph)

    def known(node: int) -> Value:
        return leaves[node] if node in leaves else values[node]

    for row in with_progress(graph.nodes.rows, progress):
        index, op = row[0], row[3]
        if op is None or op.recorded:
            continue
        operands = [known(k) for k in row[4]]
        parts = Parts(graph.nodes.rows[firsts[index] : index], known)
        found = difference(row, values[index], operands, parts, widened=widened)
        if found is not None:
            yield found


class Parts(NamedTuple):
    """What stands before a node in the same call of the framework."""

    rows: Sequence[Row]  # in forward order; of a node that is a call, none
    known: Callable[[int], Value]  # the value of a node

    def terms(self) -> float:
        """Return how many terms make an element of one of them, at most."""
        found = (
            terms_of(op, self.known(index), [*map(self.known, operands)], attributes)
            for index, _, _, op, operands, attributes, _, _ in self._computed()
            if op is not None
        )
        return max(found, default=1.0)

    def moved(self) -> Mapping[int, Array]:
        """Return how far rounding may have moved each of them."""
        moved: dict[int, Array] = {}
        for row in self._computed():
            operands = [self.known(k) for k in row[4]]
            before = [moved.get(k) for k in row[4]]
            moved[row[0]] = _moved(row, self.known(row[0]), operands, before)
        return moved

    def _computed(self) -> Iterator[Row]:
        return (row for row in self.rows if row[3] is not None and not row[3].recorded)


def _firsts(graph: Graph) -> list[int]:
    """Return, for each node, the first node of the same call."""
    found: list[int] = []
    last: tuple[int, int, int] | None = None
    for index, _, _, op, _, _, _, site in graph.nodes.rows:
        if op is None:  # a number that a recipe brings along
            found.append(found[-1] if found else index)
            continue
        here = None
        for one, _, frame in graph.around(site):
            here = one[:3]
            if not graph.is_library(frame):
                break
        found.append(found[-1] if here is not None and here == last else index)
        last = here
    return found


def _moved(
    row: Row, y: Value, operands: Sequence[Value], before: Sequence[Array | None]
) -> Array:
    """Return how far rounding may have moved the elements of a part."""
    _, _, _, op, _, attributes, _, _ = row
    if op is None:
        raise TypeError("a leaf is not computed")
    with np.errstate(all="ignore"):
        part = unit(precision(y), terms_of(op, y, operands, attributes))
        size = size_of_terms(op, y, operands, attributes)
        found = part * size + carried(op, y, operands, attributes, before)
        return np.where(np.isfinite(found), found, 0.0)  # inf is not rounded


def difference(
    row: Row,
    recorded: Value,
    operands: Sequence[Value],
    before: Parts | None = None,
    *,
    widened: bool = False,
) -> Difference | None:
    """Return where a recorded value is not what its operation gives, or None.

    `before` are the parts of the same call, whose values nobody recorded. `widened`
    says that the value may have been rounded to 16 bits.
    """
    index, _, _, op, _, attributes, shape, _ = row
    if op is None or op.recorded:
        return None
    there = np.asarray(recorded)
    nowhere = (0,) * there.ndim if there.size else ()
    with np.errstate(all="ignore"):
        try:
            here = np.asarray(op.forward(*operands, **attributes))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            why = " ".join(str(error).split())
            return Difference(index, nowhere, np.nan, np.nan, why)
        if here.shape != shape:
            why = f"it has the shape {here.shape} here"
            return Difference(index, nowhere, np.nan, np.nan, why)
        if is_near(here, there):
            return None
        terms = terms_of(op, there, operands, attributes)
        if is_near(here, there, terms, operands[0] if op.portion else None):
            return None
        if before is not None and is_near(here, there, before.terms()):
            return None
        part = unit(max(precision(there, widened=widened), precision(here)), terms)
        size = size_of_terms(op, there, operands, attributes)
        parts: Mapping[int, Array] = before.moved() if before is not None else {}
        moved = [parts.get(k) for k in row[4]]
        more = carried(op, there, operands, attributes, moved)
        wrong = apart(here, there, part * size + more)
        return _worst(index, here, there, wrong) if wrong.any() else None


def _worst(node: int, here: Array, there: Array, wrong: Array) -> Difference:
    a, b = np.asarray(here, np.float64), np.asarray(there, np.float64)
    off = np.where(wrong, np.nan_to_num(np.abs(a - b), nan=np.inf), -1.0)
    place = np.unravel_index(int(np.argmax(off)), off.shape)
    at = tuple(map(int, place))
    return Difference(node, at, float(a[at]), float(b[at]))


def sentence(graph: Graph, found: Difference, whose: str = "the recorded run") -> str:
    """Return what differs, at its node and line; `whose` value it is.

    "relu at h (model.py:56): h[2, 4] is 0.5 by its operands; torch 2.13.0 had 0.7"
    """
    node = graph.nodes[found.node]
    line = f" ({graph.line_of(node.site)})" if node.site else ""
    told = f"{node.made_by} at {node.name}{line}: "
    if found.why:
        return f"{told}gradstep cannot compute it: {found.why}"
    element = element_text(node.name, found.element)
    here, there = distinct(found.here, found.there)
    return f"{told}{element} is {here} by its operands; {whose} had {there}"
