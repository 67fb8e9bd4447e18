"""What a check found: one comparison, and the report of all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from ..engine.element import Index
    from ..engine.graph import Edge
    from ..engine.run import Run
    from .differences import Scheme

Level = Literal["contribution", "accumulation", "gradient"]

Verdict = Literal[
    "ok",  # the two numbers agree
    "mismatch",  # they do not
    "kink",  # the slopes of the two sides differ
    "bound",  # a rule holds its slope at a bound, by convention
    "unseen",  # the function turns or leaps within each step of differences
    "nonfinite",  # one of the numbers is NaN or infinite
    "drowned",  # rounding is larger than the gradient
    "skipped",  # nothing was compared
]
# What an element may be that says neither yes nor no, the worst first.
UNDECIDED: Final[tuple[Verdict, ...]] = ("unseen", "kink", "bound")
_WORST_FIRST: Final = ("mismatch", "nonfinite", "drowned", *UNDECIDED, "ok", "skipped")


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """The outcome of one comparison, with the element where the two differ most.

    `node` is the consumer for a contribution, and the node itself otherwise. `edge` is
    where a mistake is, as far as that is known: the edge of a contribution, or the one
    that wrote over an accumulated gradient or was cut. `analytic` is the number of
    backpropagation, in float64, and `numeric` the one of the differences. They agree
    when `difference` is at most `tolerance`: the relative tolerance times the larger
    number, plus `noise`, what rounding and the step may do to the differences.
    `rounding` is what the run's own dtype did to `analytic`.
    """

    level: Level  # which of the three questions was asked
    node: int
    argument: int | None  # the number of the operand, of a contribution; else None
    verdict: Verdict  # what came of it
    index: Index = ()  # of the element where the two differ most
    analytic: float = math.nan
    numeric: float = math.nan
    difference: float = math.nan
    tolerance: float = math.nan
    noise: float = 0.0
    rounding: float = 0.0
    elements: int = 0  # so many were compared
    edge: Edge | None = None
    # whether all elements were moved together, along one random direction: the numbers
    # are those along it, and `index` is empty
    along: bool = False
    # indices where two numbers need not agree: at a kink, at a bound, or unseen
    kinks: tuple[Index, ...] = ()
    nonfinite: tuple[Index, ...] = ()  # indices where a number is NaN or Inf
    reason: str = ""  # why it was skipped

    @property
    def relative(self) -> float:
        """Return the difference as a part of the larger number."""
        larger = max(abs(self.analytic), abs(self.numeric))
        return self.difference / larger if larger else self.difference


@dataclass(frozen=True, slots=True)
class Report:
    """All comparisons of a check, each level in backward order.

    `step` is None where each element has its own; times are in seconds. `complete` is
    False when the check was interrupted: what was done by then is in it.
    """

    run: Run  # what was checked, in its own dtype
    scheme: Scheme  # how the differences were taken
    step: float | None
    rtol: float  # the relative tolerance
    # one for each edge that has a rule
    contributions: tuple[NodeCheck, ...]
    accumulations: tuple[NodeCheck, ...]  # one for each node that takes a gradient
    gradients: tuple[NodeCheck, ...]  # likewise
    backpropagation_time: float  # of one forward and backward pass in float64
    numeric_time: float  # of all differences
    complete: bool
    quick: bool = False  # whether random directions were taken instead of elements

    @property
    def checks(self) -> tuple[NodeCheck, ...]:
        """Return the comparisons of all levels."""
        return (*self.contributions, *self.accumulations, *self.gradients)

    @property
    def end_to_end(self) -> Report:
        """Return the report without the comparisons of edges and of sums."""
        return replace(self, contributions=(), accumulations=())

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong: kinks and non-finite numbers are not."""
        return not any(one.verdict == "mismatch" for one in self.checks)

    @property
    def first_wrong(self) -> NodeCheck | None:
        """Return the mismatch at the first wrong rule in backward order.

        That is the cause: a mismatch further back may only be its consequence.
        """
        wrong = [one for one in self.checks if one.verdict == "mismatch"]
        return min(wrong, key=_backward_order, default=None)

    @property
    def worst_first(self) -> list[NodeCheck]:
        """Return the comparisons: what is wrong, then by relative difference.

        The first wrong rule, which is the cause, comes before its consequences.
        """
        first = self.first_wrong

        def key(one: NodeCheck) -> tuple[bool, int, float]:
            relative = one.relative
            return (
                one is not first,
                _WORST_FIRST.index(one.verdict),
                -relative if np.isfinite(relative) else 0.0,
            )

        return sorted(self.checks, key=key)


def _backward_order(one: NodeCheck) -> tuple[bool, int, int]:
    # A gradient is wrong end to end only because something on the way is.
    consumer, argument = one.edge[:2] if one.edge else (one.node, 0)
    return one.level == "gradient", -consumer, argument


def drowns(noise: float, *sizes: float) -> bool:
    """Tell whether rounding hides gradients of such sizes, and would any that are 1."""
    return noise > max(1.0, *map(abs, sizes))


def skip(outcome: NodeCheck, reason: str) -> NodeCheck:
    """Return the outcome where nothing was compared, with the reason."""
    return replace(outcome, verdict="skipped", reason=reason)
