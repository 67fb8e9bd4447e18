"""The derivative by definition: quotients of differences for ever smaller steps.

```
forward   (f(x + Δ) − f(x)) / Δ
left      (f(x) − f(x − Δ)) / Δ
central   (f(x + Δ) − f(x − Δ)) / 2Δ
```

f is the output, each of its elements times its seed. All is computed as the program
computes: in its own dtype, with every rounding that this brings. What x + Δ is rounded
to is a step of another length than Δ, so each change is divided by both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from ..check.differences import Limit, limits
from ..check.downstream import Downstream, downstream
from ..check.gradients import function_of
from ..check.job import RTOL, Job, gradient_of, in_float64, up
from ..engine.measure import weighted_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..base.progress import Progress
    from ..engine.element import Index
    from ..engine.run import Run
    from ..ops.table import Array

STEPS: Final = tuple(float(f"1e-{power}") for power in range(16))
Scheme = Literal["forward", "left", "central"]
SCHEMES: Final[tuple[Scheme, ...]] = ("forward", "left", "central")
# Those whose errors are told, and where rounding takes over.
TURNING: Final[tuple[Scheme, ...]] = ("forward", "central")


class Quotient(NamedTuple):
    """The change of the output over a step, in the dtype of the run."""

    asked: float  # Δ, or 2Δ of a central one
    taken: Any  # the step really taken, such as (x + Δ) − x
    change: Any  # of the output, weighted by the seed

    @property
    def by_step(self) -> Any:
        """The change over the step that was taken; NaN where none was."""
        with np.errstate(all="ignore"):
            return self.change / self.taken if self.taken else np.float64("nan")

    @property
    def by_delta(self) -> Any:
        """The change over Δ itself."""
        with np.errstate(all="ignore"):
            return self.change / self.asked

    def record(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "taken": self.taken,
            "change": self.change,
            "by_step": self.by_step,
            "by_delta": self.by_delta,
        }


class Rung(NamedTuple):
    """The quotients of one Δ."""

    delta: float  # the step that is asked for, Δ
    forward: Quotient  # from x to x + Δ
    left: Quotient  # from x − Δ to x
    central: Quotient  # from x − Δ to x + Δ


@dataclass(frozen=True, slots=True, eq=False)
class Quotients:
    """The derivative of the output by one element, by definition."""

    node: int  # of the element
    index: Index  # its place in the array; () of a scalar
    x: Any  # its number
    output: Any  # the value of the output
    exact: float | None  # by backpropagation; None where no gradient arrives
    rungs: Sequence[Rung]  # in falling order of Δ
    rounding: float  # a share of a unit of rounding of the output: less is luck
    # what ever smaller steps tend to, in float64; None where nothing is finite there
    limit: Limit | None
    agrees: bool  # whether that is what backpropagation says; true if it says nothing

    @property
    def is_smooth(self) -> bool:
        """Whether there is a derivative, and backpropagation says no other one."""
        limit = self.limit
        return limit is not None and not (limit.corner or limit.jump) and self.agrees

    def error(self, quotient: Quotient) -> float:
        """Return how far a quotient by the step taken is from the exact derivative."""
        return self._away(quotient.by_step)

    def error_by_delta(self, quotient: Quotient) -> float:
        """Return how far a quotient by Δ itself is from the exact derivative."""
        return self._away(quotient.by_delta)

    def _away(self, slope: Any) -> float:
        return math.nan if self.exact is None else abs(float(slope) - self.exact)

    def errors(self, scheme: Scheme) -> list[float]:
        """Return the errors of a scheme, one for each Δ."""
        return [self.error(getattr(rung, scheme)) for rung in self.rungs]

    def turn(self, scheme: Scheme) -> int | None:
        """Return which Δ has the smallest error: from there on rounding is more of it.

        None where errors do not tell: at a kink, or of a wrong gradient. An error that
        its neighbours do not bear out is luck, and so is one below what the rounding of
        the output alone makes of it, ε |f| / 8Δ: neither counts.
        """
        asked = np.array([getattr(rung, scheme).asked for rung in self.rungs])
        errors = np.maximum(self.errors(scheme), self.rounding / asked)
        if not self.is_smooth or np.isnan(errors).all():
            return None
        padded = np.pad(np.nan_to_num(errors, nan=np.inf), 1, constant_values=np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(padded, 3)
        middle = int(np.argmin(np.median(windows, axis=1)))
        first = max(middle - 1, 0)
        return first + int(np.nanargmin(errors[first : middle + 2]))

    def record(self) -> dict[str, Any]:
        """Return all of it as data; which element it is stands in the graph."""
        limit, turns = self.limit, {one: self.turn(one) for one in TURNING}
        return {
            "x": self.x,
            "exact": self.exact,
            "agrees": self.agrees,
            "kink": limit is not None and limit.corner and not limit.jump,
            "jump": limit is not None and limit.jump,
            "right": limit and limit.right,
            "left": limit and limit.left,
            "rounding": {
                scheme: None if turn is None else self.rungs[turn].delta
                for scheme, turn in turns.items()
            },
            "quotients": [self._rung_record(rung) for rung in self.rungs],
        }

    def _rung_record(self, rung: Rung) -> dict[str, Any]:
        schemes = zip(SCHEMES, rung[1:], strict=True)
        told = {
            scheme: {**one.record(), "error": self.error(one)}
            for scheme, one in schemes
        }
        return {"delta": rung.delta, **told}


def way_of(run: Run, node: int) -> Downstream:
    """Return what moves with a node, in the dtype of the run."""
    return downstream(Job(run, run, "central", None, RTOL), (node,))


def quotients(
    run: Run,
    way: Downstream,
    index: Index,
    deltas: Sequence[float] = STEPS,
    progress: Progress | None = None,
) -> Quotients:
    """Return the difference quotients of the output by one element of a node.

    `way` is what moves with the node (`way_of`), and all that is evaluated again.
    """
    node, gradient = way.node, run.gradient(way.node)
    rungs: list[Rung] = []
    with np.errstate(all="ignore"):
        for number, delta in enumerate(deltas):
            if progress is not None:
                progress(number, len(deltas))
            rungs.append(_rung(run, way, index, delta))
        limit, agrees = _limit(run, way, index)
    return Quotients(
        node,
        index,
        run.value(node)[index],
        run.value(way.output),
        None if gradient is None else float(gradient[index]),
        rungs,
        _rounding(run, run.value(way.output)),
        limit,
        agrees,
    )


def _rounding(run: Run, output: Array) -> float:
    """Return an eighth of a unit of rounding of the output, weighted by the seed."""
    size = weighted_change(np.abs(run.seed), np.abs(output), np.zeros(()))
    eps = np.finfo(output.dtype).eps if output.dtype.kind == "f" else 0.0
    return float(size) * float(eps) / 8


def _rung(run: Run, way: Downstream, index: Index, delta: float) -> Rung:
    start = run.value(way.node)
    x, step = start[index], start.dtype.type(delta)
    more, less = x + step, x - step
    base = run.value(way.output)

    def at(number: Any) -> Any:
        moved = start.copy()
        moved[index] = number
        return np.asarray(way.at(moved))

    above, below = at(more), at(less)
    change = partial(weighted_change, np.asarray(run.seed))
    return Rung(
        delta,
        Quotient(delta, more - x, change(above, base)),
        Quotient(delta, x - less, change(base, below)),
        Quotient(2 * delta, more - less, change(above, below)),
    )


def _limit(run: Run, way: Downstream, index: Index) -> tuple[Limit | None, bool]:
    """Return what differences tend to in float64, and whether the gradient is that."""
    node = way.node
    moved = [run.values[n] for n in (node, *(step.node for step in way.steps))]
    is_narrow = any(up(value) is not value for value in moved)
    exact = in_float64(run)[0] if is_narrow else run
    job = Job(run, exact, "central", None, RTOL)
    function = function_of(job, downstream(job, (node,)))
    if function.hidden()[index] or not np.isfinite(function.x[index]):
        return None, True
    position = np.ravel_multi_index(index, function.x.shape) if index else 0
    (found,) = limits(function, [int(position)])
    if found is None or not run.arrives(node):
        return found, True
    slope = float(gradient_of(exact, node)[index])
    size = max(abs(slope), abs(found.value))
    tolerance = RTOL * size + found.error
    is_kink = found.jump or (found.corner and found.has_between(slope, tolerance))
    return found, is_kink or not abs(slope - found.value) > tolerance
