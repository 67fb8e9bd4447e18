"""A quick look: a gradient along one random direction, and a search where it is wrong.

```
gradient · d   =   (f(x + h d) − f(x − h d)) / 2h        d moves every element at once
```

Two evaluations tell whether an array of gradients is right, however many elements it
has: what is wrong with some of them hides only where it cancels along d, or is too
small beside all others together. Where the two numbers differ, each half of the
elements is moved alone, until few are left, and these are compared one by one: so the
element that is wrong is named all the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ..engine.measure import norm
from . import comparison
from .differences import EPS, SAFETY, units_of
from .report import UNDECIDED, drowns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..ops.table import Array
    from .comparison import Excuse
    from .differences import Function
    from .downstream import Tangent
    from .job import Job
    from .report import NodeCheck

_FEW: Final = 8  # elements; so many are compared one by one
_LEAST, _MOST = EPS ** (1 / 3), 1e-2  # steps, as parts of a direction
_SHORTER: Final = (
    1.0,
    1 / 8,
    1 / 64,
    1 / 512,
)  # where a step is too long: shorter ones


def compare(
    job: Job,
    outcome: NodeCheck,
    analytic: Array,
    rounded: Array,
    function: Function,
    excuse: Excuse | None = None,
    positions: Sequence[int] | None = None,
    witness: Callable[[int], Tangent] | None = None,
) -> NodeCheck:
    """Compare gradients with differences: quickly, if that is what the job asks for.

    What can be moved at once without disturbing each other is compared one by one.
    """

    def one_by_one(positions: Sequence[int] | None) -> NodeCheck:
        return comparison.compare(
            job, outcome, analytic, rounded, function, excuse, positions, witness
        )

    at_once = function.groups is not None and len(function.groups.places) <= _FEW
    if not job.quick or positions is not None or at_once or analytic.size <= _FEW:
        return one_by_one(positions)
    way = _Direction.of(job, analytic, rounded, function)
    finite = np.flatnonzero(way.moves)
    found = way.slope(finite)
    kinks: list[NodeCheck] = []
    waiting = [] if found.agrees else [finite]
    while waiting:
        some = waiting.pop()
        if len(some) > _FEW:
            halves = some[: len(some) // 2], some[len(some) // 2 :]
            waiting += [half for half in halves if not way.slope(half).agrees]
            continue
        one = one_by_one(some.tolist())
        if one.verdict == "mismatch" or job.interrupted:
            return one
        if one.verdict != "ok":
            kinks.append(one)
    return way.outcome(outcome, found, kinks)


@dataclass(frozen=True, slots=True)
class _Slope:
    """The two numbers along a direction."""

    analytic: float  # gradient · d
    numeric: float  # from differences
    tolerance: float  # how far they may be apart
    noise: float  # what rounding may do to the second

    @property
    def agrees(self) -> bool:
        is_near = abs(self.analytic - self.numeric) <= self.tolerance
        return is_near and math.isfinite(self.numeric)


@dataclass(frozen=True, slots=True)
class _Direction:
    """A random direction: all elements, each moved by about its own size."""

    function: Function
    moves: Array  # how far each element is moved, flat; 0 where nothing is finite
    analytic: Array  # gradient times move, flat
    rounded: Array  # the run's own gradient times move, flat
    rtol: float

    @classmethod
    def of(
        cls, job: Job, analytic: Array, rounded: Array, function: Function
    ) -> _Direction:
        finite = np.isfinite(analytic) & np.isfinite(rounded) & np.isfinite(function.x)
        finite &= ~function.hidden()
        sizes = job.random.uniform(0.5, 1.0, finite.shape)
        signs = job.random.choice([-1.0, 1.0], finite.shape)
        moves = np.where(finite, signs * sizes * units_of(function.x), 0.0)
        ours, own = (np.where(finite, moves * g, 0.0) for g in (analytic, rounded))
        return cls(function, moves.ravel(), ours.ravel(), own.ravel(), job.rtol)

    def slope(self, some: Array) -> _Slope:
        """Return the slope along the moves of some elements, the others at rest.

        A step may be too long for a function that bends: shorter ones are tried.
        """
        function, shape = self.function, self.function.x.shape
        moves: Array = np.zeros(shape)
        moves.flat[some] = self.moves[some]
        analytic = float(np.sum(self.analytic[some]))
        size = norm(self.analytic[some])
        rounding = np.broadcast_to(function.noise, shape).ravel()
        each = np.ndim(function.noise) > 0
        error = SAFETY * float(np.sum(rounding[some]) if each else rounding[0])
        quiet = error / (1e-6 * size) if size else 0.0
        first = 2.0 ** round(math.log2(min(max(quiet, _LEAST), _MOST)))
        found: _Slope | None = None
        for step in (first * shorter for shorter in _SHORTER):
            up, down = (
                np.sum(function.change(function.x + signed * moves))
                for signed in (step, -step)
            )
            numeric = float((up - down) / (2 * step))
            larger = max(abs(analytic), abs(numeric), size)
            noise = error / step
            one = _Slope(analytic, numeric, self.rtol * larger + noise, noise)
            if one.agrees:
                return one
            found = found or one
        if found is None:
            raise AssertionError("there is a step")
        return found

    def outcome(
        self, outcome: NodeCheck, found: _Slope, odd: Sequence[NodeCheck]
    ) -> NodeCheck:
        """Return the outcome where nothing is wrong: kinks and NaN are only told."""
        kinks = tuple(index for one in odd for index in one.kinks)
        dark = np.flatnonzero(self.moves == 0)
        shape = self.function.x.shape
        nonfinite = [
            *(tuple(map(int, np.unravel_index(k, shape))) for k in dark),
            *(index for one in odd for index in one.nonfinite),
        ]
        met = {one.verdict for one in odd}
        undecided = next((one for one in UNDECIDED if one in met), "ok")
        verdict = "nonfinite" if nonfinite else undecided
        if verdict == "ok" and drowns(found.noise, found.analytic):
            verdict = "drowned"
        rounded = float(np.sum(self.rounded))
        return replace(
            outcome,
            verdict=verdict,
            analytic=found.analytic,
            numeric=found.numeric,
            difference=abs(found.analytic - found.numeric),
            tolerance=found.tolerance,
            noise=found.noise,
            rounding=abs(found.analytic - rounded),
            elements=self.moves.size,
            kinks=kinks,
            nonfinite=tuple(nonfinite),
            along=True,
        )
