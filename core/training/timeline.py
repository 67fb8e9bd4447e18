"""A run over time: one trace for each iteration.

Without training there is one iteration. The timeline of a training, whose iterations
follow from each other, is in `iterations`.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from ..engine.measure import norm
from ..engine.patches import NO_PATCHES, Patches
from ..engine.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..base.progress import Progress
    from ..engine.run import Run
    from ..ops.table import Array

_NONE: Final = -1.0  # the norm of no gradient, among others: none of them is below 0


class Record(NamedTuple):
    """What is remembered of every iteration that has run.

    `loss` is the sum of the output; `norms` are those of the gradients of the
    parameters, in the order of the graph, and None where there is no gradient.
    """

    loss: float
    norms: tuple[float | None, ...]


class Records:
    """The records of iterations, from the first one on.

    A number takes eight bytes in here, for of a long training all are kept.

    >>> records = Records(2)
    >>> records.append(Record(0.5, (3.0, None)))
    >>> len(records), records[0]
    (1, Record(loss=0.5, norms=(3.0, None)))
    """

    __slots__ = ("_numbers", "_width")

    def __init__(self, parameters: int, numbers: Iterable[float] = ()) -> None:
        """Take how many norms a record has, and the numbers of those there are."""
        self._numbers = array("d", numbers)  # of each record the loss, then the norms
        self._width = 1 + parameters

    def append(self, found: Record) -> None:
        """Add the record of the next iteration."""
        norms = [_NONE if one is None else one for one in found.norms]
        self._numbers.fromlist([found.loss, *norms])

    def __len__(self) -> int:
        return len(self._numbers) // self._width

    def __getitem__(self, iteration: int) -> Record:
        first = range(len(self))[iteration] * self._width
        loss, *norms = self._numbers[first : first + self._width]
        return Record(loss, (*_norms(norms),))

    def __iter__(self) -> Iterator[Record]:
        rows = zip(*[iter(self._numbers)] * self._width, strict=True)
        return (Record(loss, (*_norms(norms),)) for loss, *norms in rows)

    def first(self, count: int) -> Records:
        """Return the records of so many iterations, or of all where there are fewer."""
        return Records(self._width - 1, self._numbers[: count * self._width])

    @property
    def losses(self) -> Array:
        """The losses by iteration."""
        return self._table[:, 0]

    @property
    def norms(self) -> list[list[float | None]]:
        """The norms by parameter and iteration."""
        return [*map(_norms, self._table[:, 1:].T.tolist())]

    @property
    def _table(self) -> Array:
        return np.array(self._numbers).reshape(-1, self._width)


def _norms(numbers: Iterable[float]) -> list[float | None]:
    return [None if number == _NONE else number for number in numbers]


def record(run: Run, parameters: Iterable[int]) -> Record:
    """Return the loss and the norms of the gradients of `parameters`."""
    gradients = [run.gradients[index] for index in parameters]
    loss = run.values[run.graph.output]
    if isinstance(loss, np.ndarray):
        with np.errstate(all="ignore"):
            loss = np.sum(loss)
    norms = [None if g is None else norm(g) for g in gradients]
    return Record(float(loss), tuple(norms))


class Timeline(Protocol):
    """What the debugger needs to know of time."""

    @property
    def iterations(self) -> int:
        """How many iterations can be visited: 0 … iterations − 1."""
        ...

    def trace(self, iteration: int) -> Trace:
        """Return the trace of an iteration: the same, however one got there."""
        ...

    @property
    def records(self) -> Records:
        """The records of the iterations that have run, from the first one on."""
        ...

    def patches(self, iteration: int) -> Patches:
        """Return the patches of an iteration."""
        ...

    def patched(
        self, iteration: int, patches: Patches, progress: Progress | None = None
    ) -> Timeline:
        """Return a timeline that is patched from `iteration` on.

        Values and gradients are set in that iteration alone; cut edges and mistakes
        hold from then on.
        """
        ...


class Single(NamedTuple):
    """The timeline of a run without training."""

    only: Trace  # of the run
    iterations: int = 1  # always 1

    @classmethod
    def of(cls, run: Run) -> Single:
        """Return the timeline of one run."""
        return cls(Trace(run))

    def trace(self, iteration: int) -> Trace:
        """Return the only trace."""
        if iteration != 0:
            raise IndexError(f"iteration {iteration} of 1")
        return self.only

    @property
    def records(self) -> Records:
        """The record of the only run."""
        run = self.only.run
        parameters = [n.index for n in run.graph.nodes if n.kind == "parameter"]
        records = Records(len(parameters))
        records.append(record(run, parameters))
        return records

    def patches(self, iteration: int) -> Patches:
        """Return the patches of the only iteration."""
        return self.only.run.patches if iteration == 0 else NO_PATCHES

    def patched(
        self, iteration: int, patches: Patches, progress: Progress | None = None
    ) -> Single:
        """Return the timeline of the run with other patches."""
        return Single.of(self.trace(iteration).run.patched(patches, progress))
