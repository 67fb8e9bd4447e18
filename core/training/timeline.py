"""A run over time: one trace for each iteration.

Without training there is one iteration. The timeline of a training, whose iterations
follow from each other, is in `iterations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ..engine.measure import norm
from ..engine.patches import NO_PATCHES, Patches
from ..engine.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..base.progress import Progress
    from ..engine.run import Run


class Record(NamedTuple):
    """What is remembered of every iteration that has run.

    `loss` is the sum of the output; `norms` are those of the gradients of the
    parameters, in the order of the graph, and None where there is no gradient.
    """

    loss: float
    norms: tuple[float | None, ...]


def record(run: Run, parameters: Iterable[int]) -> Record:
    """Return the loss and the norms of the gradients of `parameters`."""
    gradients = [run.gradients[index] for index in parameters]
    loss = run.values[run.graph.output]
    if isinstance(loss, np.ndarray):
        with np.errstate(all="ignore"):
            loss = np.sum(loss)
    return Record(float(loss), tuple(None if g is None else norm(g) for g in gradients))


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
    def records(self) -> Sequence[Record]:
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
    def records(self) -> Sequence[Record]:
        """The record of the only run."""
        run = self.only.run
        parameters = [n.index for n in run.graph.nodes if n.kind == "parameter"]
        return (record(run, parameters),)

    def patches(self, iteration: int) -> Patches:
        """Return the patches of the only iteration."""
        return self.only.run.patches if iteration == 0 else NO_PATCHES

    def patched(
        self, iteration: int, patches: Patches, progress: Progress | None = None
    ) -> Single:
        """Return the timeline of the run with other patches."""
        return Single.of(self.trace(iteration).run.patched(patches, progress))
