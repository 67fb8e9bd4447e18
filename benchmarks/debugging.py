"""The debugger: explaining one element, and jumping through a training."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from measure import Row, compare, peak, size

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.run import evaluate
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.gradients import explain_gradient
from gradstep.core.program.build import Leaf, build
from gradstep.core.scenario.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.training.timeline import Timeline

ITERATIONS = 10_000
FEW = 1_000
MATRICES = "Y = X @ W\nE = sum(tanh(Y))"


def rows(seconds: float) -> Iterator[Row]:
    """Yield the lines of explanations and of jumps, with the memory of both."""
    small, large = _products(64), _products(1024)
    few, many = _elements(64), _elements(1024)
    yield compare(
        "explain one element of a product, 1024 × 1024",
        "64 × 64, a 16th of the terms",
        2.0,
        lambda: _explain(large, next(many)),
        lambda: _explain(small, next(few)),
        seconds,
    )
    held = large.run.value(0).nbytes
    most = peak(lambda: _explain(large, next(many)))
    yield Row(
        "memory of explaining it",
        "one matrix",
        size(most),
        size(held),
        most / held,
        0.1,
    )
    debugger = Debugger(load("xor"))
    debugger.train(ITERATIONS)
    jumps = _jumps()
    yield compare(
        f"jump across {ITERATIONS:,} iterations and look at a gradient",
        "running them",
        0.05,
        lambda: _jump(debugger.timeline, jumps),
        lambda: _run(ITERATIONS),
        seconds,
    )
    less, more = (peak(lambda n=n: _run(n)) for n in (FEW, ITERATIONS))
    # Of each iteration the loss is kept, and the norm of each gradient.
    numbers = 1 + sum(node.kind == "parameter" for node in debugger.graph)
    kept = (ITERATIONS - FEW) * numbers * np.dtype(np.float64).itemsize
    yield Row(
        f"memory of iterations {FEW:,} to {ITERATIONS:,}",
        "loss and norms of each",
        size(more - less),
        size(kept),
        (more - less) / kept,
        2.0,
    )


def _products(side: int) -> Trace:
    random = np.random.default_rng(side)
    leaves = {
        name: Leaf("parameter", random.normal(size=(side, side)) / side)
        for name in ("X", "W")
    }
    program = build(MATRICES, leaves)
    trace = Trace(evaluate(program.graph, program.leaves))
    _explain(trace, (0, 0))
    return trace


def _elements(side: int) -> Iterator[tuple[int, int]]:
    """Yield elements, none of them twice: what was asked lately is known."""
    return ((n // side % side, n % side) for n in count(1))


def _explain(trace: Trace, index: tuple[int, int]) -> None:
    graph = trace.run.graph
    for name in ("X", "W"):
        found = explain_gradient(trace, graph.node(name).index, index, len(trace))
        list(found.parts[0].largest(8))


def _jumps() -> Iterator[int]:
    """Yield iterations far from each other, none of them twice in a long time."""
    number = 0
    while True:
        number = (number + 3_877) % ITERATIONS
        yield number


def _jump(timeline: Timeline, iterations: Iterator[int]) -> None:
    trace = timeline.trace(next(iterations))
    trace.gradient(0, len(trace))


def _run(count: int) -> Timeline:
    debugger = Debugger(load("xor"))
    debugger.train(count)
    return debugger.timeline
