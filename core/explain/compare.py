"""Two runs of one graph side by side: where they differ, and what is the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..base.progress import Progress, with_progress
from ..engine.element import index_of
from ..engine.trace import Contribution, Event, Forward, Seed, Trace, Update
from ..words.digits import SENTENCE
from ..words.numbers import change_text, index_text, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine.run import Run
    from ..ops.table import Array, Value


class Difference(NamedTuple):
    """One value or one gradient that differs.

    `before` and `after` are None where no gradient flows. `index` is the element that
    differs most and `size` by how much: inf where one of the two is not finite.
    """

    node: int  # its number
    name: str  # of the value or gradient: "W1.grad"
    before: Array | None
    after: Array | None
    index: tuple[int, ...]  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    size: float

    def text(self, *, gradient: bool, digits: int = SENTENCE) -> str:
        """Return the difference in one line: `W1.grad[0, 2]: 0.5 → 0.25`."""
        before, after, index = self.before, self.after, self.index
        name = f"{self.name}.grad" if gradient else self.name
        if before is None or after is None:
            one, two = (
                "no gradient" if array is None else value_text(array, digits)
                for array in (before, after)
            )
            return f"{name}: {one} → {two}"
        change = change_text(before[index], after[index], digits)
        return f"{name}{index_text(index)}: {change}"


class Comparison(NamedTuple):
    """All differences, in the order in which the passes meet them."""

    values: tuple[Difference, ...]  # in forward order
    gradients: tuple[Difference, ...]  # in backward order

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.values or self.gradients)


def compare(before: Run, after: Run, progress: Progress | None = None) -> Comparison:
    """Return where two runs of one graph differ. NaN is equal to NaN.

    The cause of a difference is the first one forward or, where all values are equal,
    the first one backward. `progress` is told how many arrays are compared.
    """
    gradients = _differences(before, before.gradients, after.gradients, progress)
    return Comparison(
        tuple(_differences(before, before.values, after.values, progress)),
        tuple(sorted(gradients, key=lambda difference: _arrival(before, difference))),
    )


def _arrival(run: Run, difference: Difference) -> tuple[int, int]:
    """Return a key that sorts gradients by when they are complete."""
    for edge in reversed(run.graph.consumers[difference.node]):
        if run.arrives(edge.consumer):
            return -edge.consumer, edge.argument
    return -len(run.graph), 0  # the output


class Sides(NamedTuple):
    """Two arrays of one shape, held against each other."""

    differing: int  # how many elements are not equal; NaN is equal to NaN
    size: float  # the largest difference; inf where one of the two is not finite
    place: tuple[int, ...]  # the index of the element that differs most
    factor: float | None  # the second is so many times the first; None where it is not
    turned: bool  # whether the second is the first with its axes in reverse


def beside(one: Array, two: Array) -> Sides:
    """Hold two arrays of one shape against each other.

    >>> beside(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    Sides(differing=2, size=2.0, place=(1,), factor=2.0, turned=False)
    """
    if not one.size:
        return Sides(0, 0.0, (), None, turned=False)
    found = _difference(0, "", one, two)
    same = (one == two) | (np.isnan(one) & np.isnan(two))
    largest = np.argmax(np.abs(np.nan_to_num(one)))
    factor = None
    with np.errstate(all="ignore"):
        ratio = float(np.divide(two.flat[largest], one.flat[largest], dtype=float))
        if np.isfinite(ratio) and np.allclose(two, ratio * one, 1e-9, 0.0):
            factor = ratio
    turned = one.ndim > 1 and _equal(one.T, two)
    return Sides(int(np.sum(~same)), found.size, found.index, factor, turned)


def same_place(before: Trace, position: int, after: Trace) -> int:
    """Return the position in another run behind the same event, or the one before it.

    A cut edge has no event, so a position as a number would be another place there.
    """
    for number in range(position - 1, -1, -1):
        found = _number(after, before.event(number))
        if found is not None:
            return found + 1
    return 0


def _number(trace: Trace, event: Event) -> int | None:
    match event:
        case Forward(node):
            return trace.forward_event(node)
        case Seed():
            return trace.seed_position
        case Contribution(consumer, argument, _):
            return trace.edge_event(consumer, argument)
        case Update(node):
            return trace.update_event(node)


def _differences(
    run: Run,
    before: Sequence[Value | None],
    after: Sequence[Value | None],
    progress: Progress | None,
) -> list[Difference]:
    nodes = run.graph.nodes
    others = [i for i, two in enumerate(after) if before[i] is not two]
    return [
        _difference(index, nodes[index].name, before[index], after[index])
        for index in with_progress(others, progress)
        if not _equal(before[index], after[index])
    ]


def _equal(one: Value | None, two: Value | None) -> bool:
    if one is None or two is None:
        return one is two
    a, b = np.asarray(one), np.asarray(two)
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f" == b.dtype.kind)


def _difference(
    node: int, name: str, one: Value | None, two: Value | None
) -> Difference:
    before = None if one is None else np.asarray(one)
    after = None if two is None else np.asarray(two)
    if before is None or after is None or before.shape != after.shape:
        return Difference(node, name, before, after, (), np.inf)
    with np.errstate(all="ignore"):
        gap = np.abs(after.astype(np.float64) - before.astype(np.float64))
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    gap = np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))
    index = index_of(np.argmax(gap), gap.shape)
    return Difference(node, name, before, after, index, float(gap[index]))
