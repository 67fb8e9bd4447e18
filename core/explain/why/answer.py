"""What an answer to `why` holds: a cause, the place of it, and the way that led there.

`CAUSES` says each cause in a sentence. Operations name their own in their rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ...engine.element import Index
    from ...engine.run import Run
    from ..gradients import Explanation, Term

Spread = tuple[tuple[int, Literal["value", "grad"], int], ...]

CAUSES: Final[Mapping[str, str]] = {
    # No gradient.
    "constant": "it is a constant, and no gradient flows into constants",
    "integer": "it holds integers or truth values, and only floats have a gradient",
    "not differentiable": "its uses have no derivative, as a comparison has none",
    "stopped": "the path is cut by stop_gradient",
    "cut": "the edge was detached in this run",
    "no path": "no path leads from it to the output",
    "not yet": "no contribution has arrived yet",
    # Anything.
    "empty": "it is made of nothing: along the axis there is no number",
    "written": "it, or the array that it is in, was set in this run",
    "patched": "a rule was changed in this run",
    "given": "it was given like this",
    "trained": "an update of the training made it so",
    "made here": "the operation makes it of other numbers",
    "finite": "it is finite",
    "nonzero": "it is not 0",
    # A 0, or a slope of 0.
    "zero seed": "the seed is 0 there",
    "cancelled": "terms that are not 0 add up to 0",
    "of itself": "it is subtracted from itself",
    "balanced": "numbers that are not 0 add up to 0 with their shares",
    "rounded": "it is not 0 exactly, but rounding on the way leaves nothing of it",
    "rounded off": "rounding on the way leaves nothing of terms that are not 0",
    "eliminated": "the terms that it is made of leave nothing: it is 0",
    "underflow": "underflow: it is not 0 exactly, but too small for its type",
    "underflow on the way": "underflow: a step on the way is too small for its type",
    "zero operand": "an operand is 0",
    "zero numerator": "it is made of a 0",
    "zero factor": "a factor of it is 0",
    "padding": "the window is on the padding there",
    "over infinity": "a finite number is divided by an infinity",
    "limit": "an operand is infinite, and the limit there is 0",
    "root": "it is the one place where the function is 0",
    "false": "the comparison does not hold there",
    "chosen": "it was chosen among others, and is 0",
    "border": "it is part of the border that was added",
    "border of zeros": "it is made of the border of zeros that is laid around",
    "outside": "it lies outside of the triangle that is kept",
    "dropped": "it was dropped at random",
    "all equal": "all numbers are equal, so none is away from the mean",
    "left out": "the target says that the sample does not count",
    "shut": "the function is flat there: it lets nothing through",
    "certain": "one class has all of the probability, up to rounding",
    "alone": "it is alone along its axis, so it has all of the probability: always 1",
    "zero slope": "the local derivative is 0 here, so nothing passes",
    "zero exponent": "the exponent is 0, and the power is 1 whatever its base",
    "vertex": "the slope is 0 at this very number",
    "corner": "there is a corner at 0, where the slope is taken as 0",
    "faint": "it is not 0 exactly, but too small for its type",
    "step": "the function is a step, whose slope is 0 on both sides",
    "saturated": "it is saturated: the result does not change any more, so the slope "
    "is 0",
    "flat at infinity": "at an infinity the slope is 0",
    "at the mean": "it is at the mean, where the slope is 0",
    "lost": "another element was chosen, so the result does not depend on this one",
    "outweighed": "others along the axis are so much larger that it does not count",
    "predicted": "what is predicted equals the target",
    "nothing of it": "it is 0, or nothing beside the others: it does not move the norm",
    "as likely as not": "both logarithms are the same, so the target does not matter",
    "left out or right": "the sample does not count, or what is predicted equals the "
    "target",
    "unused": "nothing on the way to the output uses this element",
    # A NaN.
    "zero times infinity": "a 0 meets an infinity, and 0 · ∞ is NaN",
    "opposite infinities": "an infinity meets its opposite, and ∞ − ∞ is NaN",
    "zero over zero": "a 0 is divided by a 0, and 0 / 0 is NaN",
    "infinity over infinity": "an infinity is divided by an infinity: ∞ / ∞ is NaN",
    "masked row": "all along the axis is −∞, so nothing can be chosen: −∞ − (−∞) is "
    "NaN",
    "infinite row": "there is an ∞ along the axis, and ∞ − ∞ is NaN",
    "no chance": "it is no chance, for it lies outside 0 … 1, and the logarithm of a "
    "negative number is NaN",
    "nothing left": "no sample counts, and the mean of none is 0 / 0: NaN",
    "infinite deviation": "an infinity is held against an infinite mean: ∞ − ∞ is NaN",
    "of a negative": "a logarithm or a root of a negative number is NaN",
    "singular": "the matrix has no inverse, for its rows depend on each other",
    "infinite matrix": "an infinity stands in the matrix, and it has no bounds",
    "indefinite": "the matrix is not positive definite, so that a root is of no "
    "positive number",
    "periodic": "the function goes up and down for ever, and has no value at ∞",
    "overflow both ways": "finite numbers overflow up and down, and ∞ − ∞ is NaN",
    "overflow meets zero": "finite factors overflow on the way and meet a 0: 0 · ∞ is "
    "NaN",
    "underflow meets infinity": "factors underflow to 0 on the way and meet an "
    "infinity: 0 · ∞ is NaN",
    "overflow on the way": "what it is made of is finite, but a step on the way "
    "overflows",
    "infinite terms": "an infinity arrives, and the rule that adds up its products "
    "makes NaN of it",
    "NaN slope": "the local derivative is NaN here",
    "bad seed": "the seed is not finite there",
    # An infinity.
    "infinite slope": "the local derivative is not finite here",
    "pole": "the function has a pole there: its size grows without end near it",
    "overflow": "finite numbers make one that is too large for its type",
}


@dataclass(frozen=True, slots=True)
class Hop:
    """One place on the way to the cause, with the number that stands there."""

    node: int  # its number
    index: Index | None  # None for the whole array
    quantity: Literal["value", "grad"]  # which of its two arrays
    number: float | None  # None where there is none yet

    @property
    def place(self) -> tuple[int, Index | None, str]:
        """Where it is, without the number: a NaN equals nothing."""
        return self.node, self.index, self.quantity

    @property
    def is_bad(self) -> bool:
        """Whether the number is NaN or infinite."""
        return self.number is not None and not math.isfinite(self.number)


def once(hops: Iterable[Hop]) -> tuple[Hop, ...]:
    """Return each place once, the first time it comes: a NaN equals nothing."""
    return tuple({hop.place: hop for hop in hops}.values())


class Off(NamedTuple):
    """How many elements of a result have a slope of 0 by an operand."""

    node: int  # of the result
    argument: int  # which operand of it, counted from 0
    shut: int  # elements whose slope is 0
    size: int  # of all elements

    @property
    def whole(self) -> bool:
        """Whether nothing passes at all."""
        return self.shut == self.size


class Since(NamedTuple):
    """Since when something has been so."""

    iteration: int  # counted from 0
    is_first: bool  # whether it was otherwise before, or nothing was before


class Past(NamedTuple):
    """The update of a training that made a parameter NaN or infinite."""

    iteration: int  # whose update it is, counted from 0
    parameter: Hop  # its element, as the update left it
    gradient: Hop  # the same element of its gradient there
    why: Why  # the last reason behind that gradient; it may be finite


class Other(NamedTuple):
    """A place that makes a number NaN or infinite, whatever the one named does.

    Of a gradient that is 0: where another of its ways ends.
    """

    at: Hop  # where it is
    cause: str  # one of `CAUSES`
    # the node that a gradient comes back through; None for a value, and for a sum
    through: int | None = None
    # from the element asked about, which is left out, to the place
    way: tuple[Hop, ...] = ()

    @property
    def because(self) -> str:
        """The cause in a sentence."""
        return CAUSES[self.cause]

    @property
    def key(self) -> tuple[int, str, int | None, str]:
        """What is told once: the cause in a node, whichever element it is."""
        return self.at.node, self.at.quantity, self.through, self.cause


class Others(NamedTuple):
    """The places that make a number as it is besides the one that is named."""

    found: tuple[Other, ...]  # one of each key, the nearest first
    is_all: bool  # whether there cannot be more of them


@dataclass(frozen=True, slots=True)
class Why:
    """The answer: a cause, where it is, and the way that led there.

    Of a long way `hops` has the beginning and the end, and `between` says how many
    others there are before the last one.
    """

    cause: str  # one of `CAUSES`
    hops: tuple[Hop, ...]
    # the terms of the element, where they say more
    explanation: Explanation | None = None
    term: Term | None = None  # the product that decided it
    operands: tuple[Hop, ...] = ()  # the operands' elements at the place of the cause
    forward: Hop | None = None  # the value there, where it is not finite itself
    untaken: int | None = None  # the `where` that did not take the branch it is in
    spread: Spread = ()  # how many elements are not finite, node by node
    event: int | None = None  # the event that made it, counted from 1
    between: int = 0
    # why the operand that made it is as it is: the 0 or the infinity of 0 · ∞, say
    behind: Why | None = None
    slope: str = ""  # why the slope of `term` is 0, one of `CAUSES`; "" elsewhere
    off: Off | None = None  # how much of the result lets nothing through
    # whether 0 arrives where the slope is not finite
    unused: bool = False
    since: Since | None = None  # when that began, in a training
    past: Past | None = None  # the update that began it, in a training
    others: Others | None = None  # what makes it NaN, infinite or 0, too

    @property
    def because(self) -> str:
        """The cause in a sentence."""
        return CAUSES[self.cause]

    @property
    def at(self) -> Hop:
        """The place of the cause."""
        return self.hops[-1]


# ---------------------------------------------------------------------- the way


class Way(NamedTuple):
    """The beginning of a way and its last place, and how many lie between."""

    hops: tuple[Hop, ...]  # from the element asked about to the end
    between: int  # places before the last one that are not in `hops`


def followed(run: Run, what: str, start: Hop, step: Callable[[Hop], Hop | None]) -> Way:
    """Go from place to place to the end.

    Where a long way ends is kept for all places on it but the first ones, which may
    not have got everything yet: one who goes on is likely to be among them.
    """
    hops = [start]
    while len(hops) <= _MOST_SHOWN:
        following = step(hops[-1])
        if following is None:
            return Way(tuple(hops), 0)
        hops.append(following)
    here, passed = hops.pop(), list[Hop]()
    known: tuple[Hop, int] | None
    while (known := run.recent.known((what, here.node, here.index))) is None:
        following = step(here)
        if following is None:
            break
        passed.append(here)
        here = following
    end, far = known or (here, 0)
    for hop in reversed(passed):
        far += 1
        run.recent.keep((what, hop.node, hop.index), (end, far))
    return Way((*hops, end), far)


_MOST_SHOWN: Final = 64  # places of a way, before only its end is told
