"""Two numbers for each element, and the verdict about an array of them.

Where they do not agree, smaller steps are asked before anything is called wrong.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ..engine.element import Index, index_of
from .differences import (
    EPS,
    SAFETY,
    Function,
    Interrupted,
    Limit,
    Slopes,
    bends,
    limits,
    noise_of,
    slopes,
    steps_for,
)
from .job import finite_size
from .report import UNDECIDED, drowns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..ops.table import Array, Shape
    from .downstream import Tangent
    from .job import Job
    from .report import NodeCheck, Verdict

    # What tells, of an element where no step agrees, why it need not
    Excuse = Callable[[int], Verdict | None]

# A difference of the two one-sided slopes, as a part of the slope: from here on it may
# be a kink.
_KINK: Final = 1e-2


@dataclass(frozen=True, slots=True)
class Table:
    """The two numbers of each element that is compared, flat."""

    positions: Sequence[int]  # flat, of the elements in their array
    shape: Shape  # of that array
    analytic: Array  # from backpropagation, in float64
    rounded: Array  # the run's own, in its dtype
    numeric: Array  # from differences
    rtol: float  # the relative tolerance
    noise: Array  # what rounding may do to `numeric`; inf where it says nothing
    bend: Array  # a part of that: what it does where the function bends

    @property
    def _finite(self) -> Array:
        return np.isfinite(self.analytic) & np.isfinite(self.rounded)

    @property
    def difference(self) -> Array:
        """Return how far the two numbers are apart: NaN where one is not finite."""
        return np.abs(self.analytic - self.numeric)

    @property
    def tolerance(self) -> Array:
        """Return how far they may be apart."""
        larger = np.fmax(np.abs(self.analytic), np.abs(self.numeric))
        # An infinity is as far from each number, and is no size of one.
        return self.rtol * finite_size(larger) + self.noise

    def agrees(self, rank: int) -> bool:
        """Tell whether the two numbers of an element are near enough."""
        return bool(self.difference[rank] <= self.tolerance[rank])

    def index(self, rank: int) -> Index:
        """Return the index of an element in its array."""
        return index_of(self.positions[rank], self.shape)

    def nonfinite(self) -> list[int]:
        """Return the ranks where the gradient, or all that differences say, is not."""
        blind = ~self._finite | np.isinf(self.noise)
        return [int(rank) for rank in np.flatnonzero(blind)]

    def suspects(self) -> list[int]:
        """Return the ranks of finite gradients that do not agree, the worst first."""
        apart, allowed = self.difference, self.tolerance
        found = np.flatnonzero(self._finite & ~(apart <= allowed))
        excess = np.nan_to_num(apart[found], nan=np.inf) - allowed[found]
        return [int(rank) for rank in found[np.argsort(-excess, kind="stable")]]

    def suspected_kinks(self, sides: Slopes) -> list[int]:
        """Return the ranks where the numbers agree, but the one-sided slopes do not."""
        apart = np.abs(sides.right - sides.left)
        slope = np.fmax(np.abs(sides.right), np.abs(sides.left))
        least = np.max(
            np.abs(self.analytic), initial=0.0, where=~np.isnan(self.analytic)
        )
        odd = apart > _KINK * (slope + least) + 4 * self.noise
        agree = self.difference <= self.tolerance
        return [int(rank) for rank in np.flatnonzero(odd & agree)]

    def mismatch(self, outcome: NodeCheck, rank: int) -> NodeCheck:
        """Return the outcome with a mismatch at an element."""
        return replace(self._at(outcome, rank), verdict="mismatch")

    def outcome(
        self, outcome: NodeCheck, odd: Mapping[Verdict, Sequence[int]]
    ) -> NodeCheck:
        """Return the outcome where nothing is wrong: kinks and NaN are only told.

        `odd` are the ranks that are undecided, by verdict.
        """
        nonfinite = self.nonfinite()
        met: list[Verdict] = [one for one in UNDECIDED if odd.get(one)]
        if not len(self.positions):
            return outcome
        if nonfinite:
            outcome, rank = replace(outcome, verdict="nonfinite"), nonfinite[0]
        elif met:
            outcome, rank = replace(outcome, verdict=met[0]), min(odd[met[0]])
        else:
            rank = int(np.argmax(np.nan_to_num(self.difference / self.tolerance)))
            loudest = int(np.argmax(self.noise))
            if drowns(self.noise[loudest], *self.analytic):
                outcome, rank = replace(outcome, verdict="drowned"), loudest
        return replace(
            self._at(outcome, rank),
            kinks=tuple(map(self.index, sorted(itertools.chain(*odd.values())))),
            nonfinite=tuple(map(self.index, nonfinite)),
        )

    def _at(self, outcome: NodeCheck, rank: int) -> NodeCheck:
        analytic = float(self.analytic[rank])
        return replace(
            outcome,
            index=self.index(rank),
            analytic=analytic,
            numeric=float(self.numeric[rank]),
            difference=float(self.difference[rank]),
            tolerance=float(self.tolerance[rank]),
            noise=float(self.noise[rank]),
            rounding=abs(analytic - float(self.rounded[rank])),
            elements=len(self.positions),
        )


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
    """Compare gradients with differences, and look twice where they do not agree.

    `witness` tells the slope without a step: differences that see another one are right
    only where it is not that of backpropagation.
    """
    if positions is None:
        positions = job.positions(analytic, function.groups)
    steps = steps_for(function, job.scheme, analytic)
    if job.step is not None:
        steps = np.full(steps.shape, job.step)
    try:
        sides = slopes(function, job.scheme, steps, positions, job.tell)
    except Interrupted as interrupt:
        job.interrupted = True
        sides = interrupt.done
        positions = positions[: len(sides.right)]
    noise = np.ravel(noise_of(function, steps, job.scheme))[positions]
    bend = bends(function, steps, positions, sides)
    table = Table(
        positions,
        analytic.shape,
        analytic.ravel()[positions],
        rounded.ravel()[positions],
        sides.middle,
        job.rtol,
        noise + bend,
        bend,
    )
    odd: dict[Verdict, list[int]] = {one: [] for one in UNDECIDED}
    near = ((*look, False) for look in _limits(function, table, sides))
    far = ((*look, True) for look in _wider(function, table))
    for rank, best, is_far in itertools.chain(near, far):
        verdict = _second_look(job, table, rank, best)
        if verdict == "mismatch" and function.hidden().flat[positions[rank]]:
            table.noise[rank] = math.inf
            verdict = "nonfinite"
        if verdict == "mismatch":
            # An operation alone is seen by its own differences, unless from afar, or
            # where they are nothing but rounding: beside a pole, say.
            is_asked = is_far or outcome.level == "gradient" or _is_dark(best)
            verdict = _third_look(table, rank, excuse, witness, is_asked=is_asked)
        if verdict == "mismatch":
            return table.mismatch(outcome, rank)
        odd.get(verdict, []).append(rank)
    return table.outcome(outcome, odd)


def _limits(
    function: Function, table: Table, sides: Slopes
) -> Iterator[tuple[int, Limit | None]]:
    """Yield what smaller steps say where the numbers differ, or where the sides do.

    One after the other, for the first mismatch is enough; but all at once where that
    is the same work.
    """
    ranks = [*table.suspects(), *table.suspected_kinks(sides)]
    at_once = function.groups is not None
    said: Array = np.zeros(function.x.size)
    said[list(table.positions)] = table.analytic
    said = said.reshape(function.x.shape)
    for some in [ranks] if at_once and ranks else [[rank] for rank in ranks]:
        found = limits(
            function, [int(table.positions[rank]) for rank in some], slope=said
        )
        yield from zip(some, found, strict=True)


def _wider(function: Function, table: Table) -> Iterator[tuple[int, Limit | None]]:
    """Yield what larger steps say where rounding drowns an element of its own size.

    What is added to a large number may be as small as one likes: the sum is straight.
    """
    largest = np.max(finite_size(table.analytic), initial=0.0) or 1.0
    is_loud = np.isfinite(table.noise) & (table.noise > largest)
    is_loud &= np.isfinite(table.analytic)
    for rank in np.flatnonzero(is_loud).tolist():
        (found,) = limits(function, [int(table.positions[rank])], least=1.0)
        if found is None:
            continue
        # So far away the function may be larger, and its rounding with it.
        there = SAFETY * EPS * (abs(found.right) + abs(found.left))
        found = found._replace(error=found.error + there)
        if found.error < table.noise[rank]:
            yield rank, found


def _second_look(job: Job, table: Table, rank: int, best: Limit | None) -> Verdict:
    """Decide about an element by smaller steps, and put what they tell in the table."""
    analytic = float(table.analytic[rank])
    if best is None:
        table.noise[rank] = math.inf
        return "nonfinite"
    error = best.error + float(table.bend[rank])
    tolerance = job.rtol * max(abs(analytic), abs(best.value)) + error
    if not math.isfinite(table.numeric[rank]):
        table.numeric[rank] = best.value
    if best.jump or (best.corner and best.has_between(analytic, tolerance)):
        return "kink"
    if job.step is None:
        table.numeric[rank] = best.value
    if abs(analytic - best.value) <= tolerance:
        table.noise[rank] = error + abs(table.numeric[rank] - best.value)
        return "ok"
    table.noise[rank] = error
    return "mismatch"


def _is_dark(best: Limit | None) -> bool:
    """Tell whether differences see nothing that may not be rounding."""
    return best is not None and max(abs(best.right), abs(best.left)) <= best.error


def _third_look(
    table: Table,
    rank: int,
    excuse: Excuse | None,
    witness: Callable[[int], Tangent] | None,
    *,
    is_asked: bool,
) -> Verdict:
    """Decide about an element where all steps of differences say another slope.

    What no step can see the witness is asked about, too, whatever `is_asked` says.
    """
    position = int(table.positions[rank])
    seen = witness(position) if witness is not None and is_asked else None
    if seen is not None:
        table.noise[rank] += seen.rounding
        if table.agrees(rank):
            return "ok"
    excused = excuse(position) if excuse is not None else None
    if excused not in (None, "unseen"):
        return excused
    if excused and witness is not None:
        seen = seen or witness(position)
    if seen is None or not math.isfinite(seen.slope):
        return excused or "mismatch"
    confirmed = seen.confirms(float(table.analytic[rank]), table.rtol)
    return "unseen" if confirmed else "mismatch"
