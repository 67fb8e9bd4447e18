"""One number moved by hand: what its gradient predicts, and what really comes of it.

```
predicted = gradient × Δ
real      = f(x + Δ) − f(x)
```

f is the output, each of its elements times its seed. What lies between the two is the
curvature, ½ f″ Δ² + …: with half the step it is about a quarter.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..engine.measure import weighted_change
from ..words.digits import SENTENCE
from ..words.events import element_name
from ..words.numbers import (
    change_text,
    digits_apart,
    number_text,
    product_text,
    value_text,
)

if TYPE_CHECKING:
    from ..engine.element import Index
    from ..engine.run import Run

_ROUNDINGS: Final = 64  # units of rounding that a difference of two outputs may have
_A_QUARTER: Final = (0.2, 0.3)  # a share that curvature leaves with half the step
_A_HALF: Final = (0.45, 0.55)  # and one that another slope leaves


class Nudge(NamedTuple):
    """How far an element is moved, from where it was in the run that it began in."""

    node: int  # of the element
    place: Index  # of the element in its array; () of a scalar
    step: Decimal  # by which the next nudge moves it; above 0
    moved: Decimal = Decimal(0)  # from its first number

    def by(self, word: str) -> Nudge:
        """Return where a word moves it: `+`, `-`, a number, `half` or `double`.

        A number is the next step as well. `half` and `double` change the way that it
        has been moved together with the step, or where it stands, one step that is so
        long. Raises `ValueError` for another word.
        """
        if word in ("half", "double"):
            factor = Decimal("0.5" if word == "half" else 2)
            step = self.step * factor
            return self._replace(step=step, moved=self.moved * factor or step)
        if word in ("+", "-", ""):
            way = -self.step if word == "-" else self.step
            return self._replace(moved=self.moved + way)
        way = Decimal(repr(float(word)))
        if not way.is_finite() or not way:
            raise ValueError(word)
        return self._replace(step=abs(way), moved=self.moved + way)


class Nudged(NamedTuple):
    """What a nudge changes."""

    element: str  # what is moved: `W[0, 1]`
    before: Any  # its number in the run that it was moved from
    after: Any  # its number now
    slope: float | None  # its gradient before; None where none arrives
    outputs: tuple[Any, Any]  # the output before and now, of all its elements
    real: float  # the change of the output
    half: float  # the same for half the step
    noise: float  # what rounding alone may change of it

    @property
    def delta(self) -> float:
        """The step that was really taken: what x + Δ is rounded to, less x."""
        return float(self.after) - float(self.before)

    @property
    def predicted(self) -> float:
        """What the gradient says of the change: 0 and not −0 where nothing moves."""
        return (self.slope or 0.0) * self.delta + 0.0

    @property
    def difference(self) -> float:
        """How much more the output really changes."""
        return self.real - self.predicted

    @property
    def halved(self) -> float:
        """The same difference with half the step."""
        return self.half - self.predicted / 2

    def record(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "element": self.element,
            "delta": self.delta,
            "gradient": self.slope,
            "predicted": self.predicted,
            "real": self.real,
            "difference": self.difference,
            "halved": self.halved,
        }


def first_step(number: float) -> Decimal:
    """Return a step for a number: a power of ten, about a tenth of its size.

    >>> first_step(3.0), first_step(-100.0), first_step(0.0)
    (Decimal('0.1'), Decimal('10'), Decimal('0.1'))
    """
    if not number or not math.isfinite(number):
        return Decimal("0.1")
    power = math.floor(math.log10(abs(number))) - 1
    return Decimal(10) ** power


def change(run: Run, other: Run) -> tuple[float, float]:
    """Return Σ seed · (output of the other run − output), and what rounding may add."""
    seed = np.asarray(run.seed)
    before, after = (one.value(one.graph.output) for one in (run, other))
    eps = float(np.finfo(before.dtype).eps) if before.dtype.kind == "f" else 0.0
    before, after = before.astype(float), after.astype(float)
    size = weighted_change(np.abs(seed), np.abs(before), np.zeros(()))
    real = weighted_change(seed, after, before)
    return float(real), _ROUNDINGS * eps * float(size)


def nudged(run: Run, nudge: Nudge, moved: Run, half: Run) -> Nudged:
    """Return what a nudge does: `moved` has the whole of it, and `half` half of it."""
    node, index = run.graph.nodes[nudge.node], nudge.place
    gradient = run.gradient(node.index)
    real, noise = change(run, moved)
    return Nudged(
        element_name(node, index),
        run.value(node.index)[index],
        moved.value(node.index)[index],
        None if gradient is None else float(gradient[index]),
        (run.value(run.graph.output), moved.value(run.graph.output)),
        real,
        change(run, half)[0],
        noise,
    )


def nudge_lines(run: Run, found: Nudged, digits: int = SENTENCE) -> list[str]:
    """Return what a nudge does in three lines: predicted, real, and the difference."""
    graph = run.graph
    output = graph.nodes[graph.output].name
    whose = output if run.has_seed_one else f"(Σ seed · {output})"
    count = digits
    if abs(found.difference) > found.noise:
        count = digits_apart((found.predicted, found.real), digits)
    predicted, real = (
        value_text(number, count) for number in (found.predicted, found.real)
    )
    way = ""
    if found.outputs[0].size == 1:
        before, after = (np.squeeze(one) for one in found.outputs)
        way = f", {change_text(before, after, digits)}"
    slope = "no gradient arrives, so nothing is predicted: 0"
    if found.slope is not None:
        numbers = number_text(found.slope, digits), value_text(found.delta)
        factors = product_text(numbers)
        slope = f"∂{whose}/∂{found.element} × Δ = {factors} = {predicted}"
    return [
        f"predicted   {slope}",
        f"real        {whose} changes by {real}{way}",
        f"difference  {_difference(found, digits)}",
    ]


def _difference(found: Nudged, digits: int) -> str:
    """Return what lies between, and why it is there."""
    size, halved = found.difference, found.halved
    if not math.isfinite(size):
        return "not a number: one of the two outputs is not finite"
    if abs(size) <= found.noise:
        straight = "a straight line, as far as rounding tells"
        return f"none: {straight}" if found.delta else "none: nothing is moved"
    said, then = number_text(size, digits), number_text(halved, digits)
    share = halved / size
    told = f"{said}; half the step: {then}"
    if _A_QUARTER[0] <= share <= _A_QUARTER[1]:
        return f"{told}, a quarter: curvature"
    if _A_HALF[0] <= share <= _A_HALF[1]:
        return f"{told}, half of it: the gradient is not the slope"
    if abs(halved) <= found.noise:
        return f"{told}: a corner lies between"
    return f"{told}, {number_text(share, 3)} of it: try smaller steps"
