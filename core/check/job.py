"""The job that a check does: its runs, options, progress and random numbers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..engine.graph import Edge
from ..engine.run import Run, evaluate
from ..ops.table import Array, Op, Value
from .report import NodeCheck, Verdict, skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..base.progress import Progress
    from .differences import Groups, Scheme

RTOL: Final = 1e-4  # a rule that is wrong by 0.1 % is ten times outside
_LEAST: Final = float(np.finfo(np.float64).tiny)


@dataclass
class Job:
    """What all comparisons of one check have in common."""

    run: Run  # what is checked, in its own dtype
    exact: Run  # the same in float64
    scheme: Scheme  # how differences are taken
    step: float | None  # None where each element has its own
    rtol: float  # the relative tolerance
    sample: int | None = None  # so many elements of each array; None for all
    seed: int = 0  # what the sample is drawn with
    progress: Progress | None = None  # who is told how far it is; None for nobody
    total: int = 0  # elements to compare
    done: int = 0  # of these, so many are compared
    told: float = 0.0  # when the progress was told, in seconds
    interrupted: bool = False  # whether it ended early
    quick: bool = False  # along a random direction first: what is counted are arrays
    # where an operation has a kink: for each edge looked at, elements of the operand
    kinks: dict[Edge, Array] = field(default_factory=dict[Edge, Array])
    # of the edges that are checked: what these elements are, and why, in words
    causes: dict[Edge, tuple[Verdict, str]] = field(
        default_factory=dict[Edge, tuple[Verdict, str]]
    )
    # of these, where differences of the operation say another slope than its rule
    wrong: set[Edge] = field(default_factory=set[Edge])
    sizes: dict[int, float] = field(default_factory=dict[int, float])  # see `size`

    def tell(self, count: int) -> None:
        """Count elements, and report the progress now and then."""
        if not self.quick:
            self.done += count
        now = time.perf_counter()
        if self.progress and (now - self.told > 0.05 or self.done >= self.total):
            self.told = now
            self.progress(min(self.done, self.total), self.total)

    def skip(self, outcome: NodeCheck, node: int, reason: str) -> NodeCheck:
        """Return the outcome where a node's elements are not compared, but counted."""
        self.tell(self.count(node))
        return skip(outcome, reason)

    def count(self, node: int) -> int:
        """Return how many elements of a node are compared."""
        size = self.exact.value(node).size
        if self.quick:
            return 1
        return size if self.sample is None else min(size, self.sample)

    def positions(self, slope: Array, groups: Groups | None) -> Sequence[int]:
        """Return the flat positions to compare in an array of gradients."""
        at_once = groups is not None and len(groups.places) == 1
        if at_once or self.sample is None or self.sample >= slope.size:
            return range(slope.size)
        drawn = self.random.choice(slope.size, self.sample, replace=False)
        largest = int(np.argmax(np.nan_to_num(np.abs(slope), nan=np.inf)))
        if largest not in drawn:
            drawn[0] = largest
        return sorted(map(int, drawn))

    @cached_property
    def random(self) -> np.random.Generator:
        """What samples and directions are drawn with."""
        return np.random.default_rng(self.seed)

    def size(self, node: int) -> float:
        """Return Σ |gradient · value|: what an error of 1 in each element can do.

        What an operation makes of large numbers on the way counts as well.
        """
        if node not in self.sizes:
            run, slope = self.exact, gradient_of(self.exact, node)
            _, _, _, op, operands, _, _, _ = run.graph.nodes.rows[node]
            size = float(np.sum(rounded_size(slope, run.value(node))))
            inner = [inner_size(op, slope, run.value(one)) for one in operands]
            self.sizes[node] = size + max(inner, default=0.0)
        return self.sizes[node]


def inner_size(op: Op | None, slope: Array, operand: Array) -> float:
    """Return Σ |gradient| times the largest number that goes into a row of a result.

    log_softmax is x less the logarithm of a sum: it may be 0 where both are large. A
    portion of a number is rounded as that number.
    """
    if op is not None and op.portion:
        return float(np.sum(rounded_size(slope, operand)))
    if op is None or op.kind not in ("block", "reduce") or operand.dtype.kind != "f":
        return 0.0
    if op.multiplies or any(case.cause == "chosen" for case in op.cases):
        return 0.0  # it only chooses, or is as right as each of its factors
    largest = float(np.max(finite_size(operand), initial=0.0))
    return float(np.sum(finite_size(slope))) * largest


def finite_size(array: Any) -> Array:
    """Return the size of each element, and 0 for those that are not finite."""
    size = np.abs(array)
    return np.where(np.isfinite(size), size, 0.0)


def rounded_size(slope: Array, value: Array) -> Array:
    """Return |slope · value|, as large as it has to be for its rounding.

    Below the least normal number, what is lost is no part of the value any more: it is
    a part of that number, of the value as of the product. A product that does not fit
    is infinite, and so is its rounding.
    """
    size = finite_size(slope) * np.maximum(finite_size(value), _LEAST)
    return np.maximum(size, _LEAST)


def in_float64(run: Run) -> tuple[Run, float]:
    """Evaluate the run once more in float64, and return it with the time it took."""
    leaves = {index: up(value) for index, value in run.leaves.items()}
    patches = run.patches._replace(
        values={i: up(value) for i, value in run.patches.values.items()},
        gradients={i: up(value) for i, value in run.patches.gradients.items()},
    )
    seed = up(run.seed)
    started = time.perf_counter()
    exact = evaluate(run.graph, leaves, seed, patches)
    return exact, time.perf_counter() - started


def up(value: Value) -> Value:
    """Return a floating value in float64; other values stay as they are."""
    array = np.asarray(value)
    if array.dtype.kind != "f" or array.dtype == np.float64:
        return value
    return array.astype(np.float64)


def gradient_of(run: Run, node: int) -> Array:
    """Return a node's gradient, or zeros where none has arrived."""
    gradient = run.gradient(node)
    return np.zeros(np.shape(run.values[node])) if gradient is None else gradient
