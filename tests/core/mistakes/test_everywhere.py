"""Each mistake at every step of every lesson, held to a calculation without our rules.

The derivatives are differences of the NumPy functions; what a mistake makes of them is
written out here once more.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.trace import Contribution, Trace
from gradstep.core.mistakes.catalogue import MISTAKES
from gradstep.core.scenario.builtin import builtin_names
from gradstep.core.scenario.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.engine.graph import Edge
    from gradstep.core.engine.run import Run

STEP = 1e-6


class Case:
    """One edge: the numbers that it has to do with, and its derivatives."""

    def __init__(self, trace: Trace, edge: Edge) -> None:
        run = trace.run
        self.trace, self.edge, self.k = trace, edge, edge.argument
        self.node = run.graph.nodes[edge.consumer]
        assert self.node.op is not None
        self.op = self.node.op
        self.operands = [np.asarray(run.values[i]) for i in self.node.operands]
        self.x = self.operands[self.k]
        self.y = np.asarray(run.values[edge.consumer])
        self.g = np.asarray(trace.upstream(edge), float)
        self.known: dict[int, np.ndarray] = {}  # derivatives by operand

    def made(self, k: int, value: np.ndarray, operands: Any = None) -> np.ndarray:
        given = list(operands or self.operands)
        given[k] = value
        return np.asarray(self.op.forward(*given, **self.node.attributes), float)

    def jacobian(self, k: int, operands: Any = None) -> np.ndarray:
        """Return ∂y[j] / ∂x[i] by central differences."""
        if operands is None and k in self.known:
            return self.known[k]
        x = np.asarray((operands or self.operands)[k], float)
        columns: list[np.ndarray] = []
        for i in range(x.size):
            moved = np.zeros(x.size)
            moved[i] = STEP
            moved = moved.reshape(x.shape)
            up, down = (self.made(k, x + way * moved, operands) for way in (1, -1))
            columns.append(np.ravel(up - down) / (2 * STEP))
        found = np.stack(columns, axis=1)
        if operands is None:
            self.known[k] = found
        return found

    def sent(self, k: int, g: np.ndarray, operands: Any = None) -> np.ndarray:
        """Return what a right rule sends to operand k."""
        if self.op.name == "matmul" and np.ndim(g) == 2:
            a, b = operands or self.operands
            return a.T @ g if k else g @ b.T
        if self.op.kind == "elementwise" and operands is None and k == self.k:
            return self.summed(g * self.slopes(k))
        found = np.ravel(g) @ self.jacobian(k, operands)
        return found.reshape(np.shape((operands or self.operands)[k]))

    def slopes(self, k: int) -> np.ndarray:
        """Return the derivative of each element of the result by that of operand k."""
        x = np.array(np.broadcast_to(self.operands[k], self.y.shape), float)
        up, down = (self.made(k, x + way) for way in (STEP, -STEP))
        return (up - down) / (2 * STEP)

    def summed(self, wide: np.ndarray) -> np.ndarray:
        """Return the sum over what was repeated of the operand."""
        while wide.ndim > self.x.ndim:
            wide = wide.sum(axis=0)
        for axis, size in enumerate(self.x.shape):
            if size == 1:
                wide = wide.sum(axis=axis, keepdims=True)
        return wide


def transposed(case: Case) -> np.ndarray:
    if case.op.name in {"matmul", "dot"}:
        a, b = case.operands
        return a @ case.g if case.k else case.g @ b
    return case.g


def swapped(case: Case) -> np.ndarray:
    if case.op.name in {"matmul", "dot"}:
        a, b = case.operands
        return case.g @ a.T if case.k else b.T @ case.g
    (other,) = {len(case.operands) - 2, len(case.operands) - 1} - {case.k}
    return case.summed(case.g * case.slopes(other))


def not_summed(case: Case) -> np.ndarray:
    if case.op.name in {"matmul", "dot"}:
        a, b = case.operands
        if case.k:
            return np.outer(a[0], case.g[0])
        return np.outer(case.g[:, 0], b[:, 0])
    whole = case.g * case.slopes(case.k)
    while whole.ndim > case.x.ndim:
        whole = whole[0]
    for axis, size in enumerate(case.x.shape):
        if size == 1:
            whole = np.take(whole, [0], axis)
    return whole


def by_count(case: Case) -> np.ndarray:
    is_mean = case.op.name == "mean" or case.node.attributes.get("reduction") == "mean"
    if case.op.name in {"mean", "sum"}:
        count = case.x.size / case.y.size
    else:
        assert case.op.name == "cross_entropy"
        count = case.x.shape[0]
    return case.sent(case.k, case.g) * (count if is_mean else 1 / count)


def turned(case: Case) -> np.ndarray:
    if case.op.kind == "elementwise":
        return case.summed(np.swapaxes(case.g * case.slopes(case.k), -1, -2))
    return np.swapaxes(case.sent(case.k, case.g), -1, -2)


def last_kept(case: Case) -> np.ndarray:
    found = np.zeros(case.x.size)
    for row, g in zip(case.jacobian(case.k), np.ravel(case.g), strict=True):
        found[np.argmax(row)] = g
    return found.reshape(case.x.shape)


def updated(case: Case) -> np.ndarray:
    other = 1 - case.k
    parameter = case.node.operands[other]
    rate = case.trace.update(parameter).rate
    after = case.operands[other] - rate * case.sent(other, case.g)
    operands = list(case.operands)
    operands[other] = after
    return case.sent(case.k, case.g, operands)


BY_HAND = {
    "transpose": transposed,
    "swap": swapped,
    "batch": not_summed,
    "local": lambda case: case.summed(case.g),
    "overwrite": lambda case: case.sent(case.k, case.g),
    "mean": by_count,
    "in-place": lambda case: case.sent(case.k, case.g),
    "upstream": lambda case: case.sent(case.k, np.ones_like(case.g)),
    "sign": lambda case: -case.sent(case.k, case.g),
    "value": lambda case: case.summed(case.g * case.y),
    "row": turned,
    "last": last_kept,
    "updated": updated,
    "route": lambda case: np.zeros(case.x.shape),
}


def edges_of(trace: Trace) -> list[Edge]:
    events = map(trace.event, range(len(trace)))
    return [event.edge for event in events if isinstance(event, Contribution)]


def made_at(trace: Trace, edge: Edge) -> Iterator[tuple[str, Run]]:
    for name, mistake in MISTAKES.items():
        try:
            patches = mistake.make(trace, edge, trace.run.patches)
        except ValueError:
            continue
        yield name, trace.run.patched(patches)


def test_every_mistake_is_calculated_by_hand() -> None:
    assert list(BY_HAND) == list(MISTAKES)


@pytest.mark.parametrize("name", builtin_names())
def test_a_mistake_gives_the_number_of_a_calculation_by_hand(name: str) -> None:
    trace = Debugger(load(name)).trace
    for edge in edges_of(trace):
        case = Case(trace, edge)
        for mistake, run in made_at(trace, edge):
            with np.errstate(all="ignore"):
                expected = BY_HAND[mistake](case)
            if not np.all(np.isfinite(expected)):
                continue  # differences say nothing there
            scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
            near = partial(pytest.approx, rel=2e-5, abs=2e-6 * scale)
            wrong = Trace(run)
            told = f"{name}: {run.graph.edge_name(edge)} {mistake}"
            sent = np.asarray(wrong.contribution(edge))
            assert sent == near(expected), told
            event = wrong.edge_event(edge.consumer, edge.argument)
            assert event is not None
            before = trace.gradient(edge.operand, event)
            if before is not None and mistake == "in-place":
                continue  # what was there may be the array that arrived
            if before is not None and mistake != "overwrite":
                expected = expected + before
            after = np.asarray(wrong.gradient(edge.operand, event + 1))
            assert after == near(expected), told


def test_every_mistake_can_be_made_in_the_lessons() -> None:
    places = Counter[str]()
    for name in builtin_names():
        trace = Debugger(load(name)).trace
        places.update(m for edge in edges_of(trace) for m, _ in made_at(trace, edge))
    # Nothing is picked twice in them: test_mistakes.py has that one.
    assert set(places) == set(MISTAKES) - {"last"}
    assert min(places.values()) >= 5, places
