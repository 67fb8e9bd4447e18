"""Mini-batches: which samples an iteration sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..engine.trace import Samples

if TYPE_CHECKING:
    from ..ops.table import Array, Value
    from ..scenario.training import Batch


def sample_numbers(batch: Batch, iteration: int) -> Array:
    """Return the numbers of the samples of an iteration, `batch.size` of them.

    A batch that reaches the end of the samples goes on with the first ones of the next
    pass. A shuffled pass has an order of its own, which its seed and number fix.

    >>> from ..scenario.training import Batch
    >>> batch = Batch(("x",), 0, 2, 3, "sequential", 0)
    >>> sample_numbers(batch, 1)
    array([2, 0])
    """
    places = np.arange(iteration * batch.size, (iteration + 1) * batch.size)
    numbers = places % batch.samples
    if batch.order == "sequential":
        return numbers
    passes = places // batch.samples
    for number in range(passes[0], passes[-1] + 1):
        order = np.random.default_rng([batch.seed, number]).permutation(batch.samples)
        here = passes == number
        numbers[here] = order[numbers[here]]
    return numbers


def samples_of(batch: Batch | None, iteration: int) -> Samples | None:
    """Return which samples an iteration sees; None where it sees all."""
    if batch is None:
        return None
    numbers = sample_numbers(batch, iteration).tolist()
    return Samples(iteration, tuple(numbers), batch.samples)


def take(value: Value, batch: Batch, iteration: int) -> Array:
    """Return the samples of an iteration out of all, as a read-only array."""
    part = np.take(value, sample_numbers(batch, iteration), batch.axis)
    part.setflags(write=False)
    return part
