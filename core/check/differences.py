"""Derivatives by differences, element by element.

```
forward   (f(x + h) − f(x)) / h
central   (f(x + h) − f(x − h)) / 2h
complex   imag f(x + ih) / h            Squire and Trapp, SIAM Review 40 (1998)
```

The best step balances what the formula neglects against the rounding of f: it is the
square root of the precision for forward differences and the cube root for central ones,
in units of what is moved (Numerical Recipes, section 5.7).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from types import EllipsisType, MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from ..engine.backward import reduce_to
from ..engine.measure import norm, rms_of_norm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..ops.table import Array

Scheme = Literal["forward", "central", "complex"]
SCHEMES: Final[tuple[Scheme, ...]] = ("forward", "central", "complex")
EPS: Final = float(np.finfo(np.float64).eps)
# The least and the most step by scheme, in units of what is moved. The complex step
# subtracts nothing, so it can be as small as one likes.
_STEPS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "forward": (EPS ** (1 / 2), 1e-5),
        "central": (EPS ** (1 / 3), 1e-2),
        "complex": (1e-20, 1e-20),
    }
)
_FEW: Final = 8  # elements; fewer are moved one after the other
_ROOM: Final = 1 << 18  # elements of all copies together: they stay near the processor
# The steps of `limit`, each an eighth of the one before.
_LADDER: Final = 2.0 ** -np.arange(7, 37, 3)
_BELOW: Final = _LADDER[-1] / _LADDER[0] / 8  # a unit whose steps follow on these
# Rounding is estimated to first order from the size of the results.
SAFETY: Final = 8.0


@dataclass(frozen=True, slots=True)
class Groups:
    """Elements that can be moved together, for no result depends on two of them.

    Each of `places` is an index; `fold` sums a weighted change of the result so that
    what is left belongs to the elements at that place, up to broadcasting.
    """

    places: Sequence[tuple[int | slice | EllipsisType, ...]]
    fold: Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Function:
    """The number ⟨weight, at(x)⟩, to be differentiated by the elements of `x`.

    `noise` is the size of its rounding errors, one number or one for each element.
    """

    at: Callable[[Array], Any]  # takes an array like `x` to the result, of any shape
    x: Array
    weight: Array  # of each element of the result, and of its shape
    base: Array  # at(x)
    noise: float | Array
    # what can be moved together; None where each element is moved alone
    groups: Groups | None = None
    # `copies(positions, moved)` are the changes of the number, one for each element
    # that is moved alone, all at once, and the most elements held for that at a time
    copies: Callable[[Array, Array], tuple[Array, int]] | None = None

    def hidden(self) -> Array:
        """Mark the elements whose changes an infinite result may swallow."""
        lost = (~np.isfinite(self.base) & (self.weight != 0)).astype(np.float64)
        found = np.full(self.x.shape, bool(np.any(lost)))
        if self.groups is not None:
            for place in self.groups.places:
                shape = np.shape(self.x[place])
                found[place] = reduce_to(self.groups.fold(lost), shape) > 0
        return found

    def change(self, x: Array) -> Array:
        """Return, for each element of the result, its weighted change from the base."""
        return self.weight * less(self.at(x), self.base)


class Slopes(NamedTuple):
    """One-sided differences of elements, divided by the steps."""

    right: Any  # for a step up: a number for each element
    left: Any  # for a step down, likewise

    @property
    def middle(self) -> Any:
        """The central differences."""
        return (self.right + self.left) / 2


def less(result: Any, base: Array) -> Array:
    """Return result − base, and 0 where both are the same infinity."""
    change = np.asarray(result - base)
    # An infinite element that was not touched has not changed.
    if not np.all(np.isfinite(change)):
        change = np.where(result == base, 0.0, change)
    return change


# ------------------------------------------------------------------------- steps


def steps_for(function: Function, scheme: Scheme, slope: Array) -> Array:
    """Return a step for each element of `function.x`.

    `slope` is what the derivative is said to be: where rounding would drown the largest
    of them, the step is larger.
    """
    least, most = _STEPS[scheme]
    unit = units_of(function.x)
    largest = np.max(np.abs(slope), initial=0.0, where=np.isfinite(slope))
    quiet = np.asarray(function.noise / (1e-6 * largest) if largest else 0.0)
    steps = np.clip(quiet, least * unit, most * unit)
    # A power of two, so that x + h and x − h are as far from x as they should be.
    return np.exp2(np.round(np.log2(steps)))


def bends(
    function: Function, steps: Array, positions: Sequence[int], sides: Slopes
) -> Array:
    """Return how far rounding moves the slopes where the function bends.

    It moves an element to where the slope is another one. At a minimum of large numbers
    that is all there is: their size times the gradient is 0.
    """
    units = np.ravel(units_of(function.x) / steps)[positions]
    with np.errstate(all="ignore"):
        moved = np.abs(sides.right - sides.left) * units
    return np.nan_to_num(SAFETY * EPS * moved, nan=0.0, posinf=0.0)


def units_of(x: Array) -> Array:
    """Return the size of each element, or of a typical one where it is near zero."""
    size = np.where(np.isfinite(x), np.abs(x), 1.0)
    typical = rms_of_norm(norm(size), size.size)
    return np.clip(size, min(typical, 1.0) or 1.0, 1e300)


def noise_of(function: Function, steps: Array, scheme: Scheme) -> Array:
    """Return how far rounding can move a difference with each of `steps`."""
    if scheme == "complex":
        return np.zeros(steps.shape)
    return np.asarray(SAFETY * function.noise / steps)


# ------------------------------------------------------------------- differences


class Interrupted(KeyboardInterrupt):
    """An interrupt, with the differences that were there by then."""

    def __init__(self, done: Slopes) -> None:
        self.done = done
        super().__init__()


def slopes(
    function: Function,
    scheme: Scheme,
    steps: Array,
    positions: Sequence[int],
    tell: Callable[[int], None] = lambda _count: None,
) -> Slopes:
    """Return the differences of `function` at flat `positions` of its array.

    Elements that cannot disturb each other are moved at once. `tell` is called with the
    number of elements done. Raises `Interrupted` after an interrupt.
    """
    groups = function.groups
    if groups is not None and len(groups.places) <= len(positions):
        right, left = _together(function, scheme, steps, groups)
        tell(len(positions))
        return Slopes(right.ravel()[positions], left.ravel()[positions])
    found = np.full((2, len(positions)), np.nan)
    done = 0
    try:
        for some in _one_by_one(function, scheme, steps, positions):
            count = some.shape[1]
            found[:, done : done + count] = some
            done += count
            tell(count)
    except KeyboardInterrupt:
        raise Interrupted(Slopes(*found[:, :done])) from None
    return Slopes(*found)


def _one_by_one(
    function: Function, scheme: Scheme, steps: Array, positions: Sequence[int]
) -> Iterator[Array]:
    """Yield the slopes to the right and to the left of elements that move alone.

    Where copies of the computation are small, many of them are made at once.
    """
    places, flat = np.asarray(positions, np.intp), steps.ravel()
    done, count = 0, _FEW
    if function.copies is not None and len(places) > _FEW:
        while done < len(places) and count >= _FEW:
            some = places[done : done + count]
            found, room = _in_copies(function, scheme, flat[some], some)
            yield found
            done += count
            count = _ROOM * len(some) // room
    mover = _Mover(function, scheme)
    for position in places[done:].tolist():
        right, left = mover.slopes(position, float(flat[position]))
        yield np.array([[right], [left]])


def _in_copies(
    function: Function, scheme: Scheme, steps: Array, positions: Array
) -> tuple[Array, int]:
    """Return the slopes at some elements from a copy for each step, and their room."""
    if function.copies is None:
        raise ValueError("the function cannot be copied")
    x = function.x.ravel()[positions]
    moves = {"complex": [1j * steps], "forward": [steps], "central": [steps, -steps]}
    moved = x + np.array(moves[scheme])
    places = np.tile(positions, len(moved))
    change, room = function.copies(places, moved.ravel())
    found = np.real(change.reshape(moved.shape) / (moved - x))
    return np.broadcast_to(found, (2, len(positions))), room


class _Mover:
    """Moves one element after the other, and puts it back."""

    def __init__(self, function: Function, scheme: Scheme) -> None:
        self._scheme = scheme
        dtype = np.complex128 if scheme == "complex" else np.float64
        self._x = np.array(function.x, dtype=dtype, order="C")
        self._flat = self._x.reshape(-1)
        self._at = function.at
        self._change = _scalar_change(function)

    def slopes(self, position: int, step: float) -> Slopes:
        """Return the differences at one element."""
        if self._scheme == "complex":
            slope = self._pull(position, 1j * step).real
            return Slopes(slope, slope)
        right = self._pull(position, step)
        if self._scheme == "forward":
            return Slopes(right, right)
        return Slopes(right, self._pull(position, -step))

    def _pull(self, position: int, step: complex) -> Any:
        """Return the change that a step makes, divided by the step really taken."""
        flat = self._flat
        old = flat[position]
        flat[position] = new = old + step
        try:
            # A number, not an array: that could be a view of what is put back.
            return self._change(self._at(self._x)) / (new - old)
        finally:
            flat[position] = old


def _scalar_change(function: Function) -> Callable[[Any], Any]:
    """Return what makes one number of a result."""
    weight, base = function.weight, function.base
    if not base.ndim and np.isfinite(base):
        factor, start = weight[()], base[()]
        return lambda result: factor * (result - start)
    return lambda result: np.sum(weight * less(result, base))


def _together(
    function: Function, scheme: Scheme, steps: Array, groups: Groups
) -> tuple[Array, Array]:
    x = function.x
    right, left = np.empty(x.shape), np.empty(x.shape)
    for place in groups.places:
        moves = np.zeros(x.shape)
        moves[place] = steps[place]

        def fold(moves: Array, place: Any = place) -> Array:
            moved = x + moves
            taken = moved[place] - x[place]
            part = groups.fold(function.change(moved))
            return np.real(reduce_to(part, np.shape(taken)) / taken)

        right[place] = fold(1j * moves if scheme == "complex" else moves)
        left[place] = fold(-moves) if scheme == "central" else right[place]
    return right, left


# ------------------------------------------------------------------- one element


class Limit(NamedTuple):
    """What differences tend to as the step shrinks, with an estimate of the error.

    At a corner the slopes to the `right` and to the `left` differ, however small the
    step is; at a `jump` they grow without bound.
    """

    value: float  # the derivative, as far as differences tell it
    error: float  # how far it may be from the true one
    right: float
    left: float
    corner: bool  # whether the slopes of the two sides differ there
    jump: bool

    def has_between(self, slope: float, tolerance: float) -> bool:
        """Tell whether `slope` lies between the slopes of the two sides."""
        low, high = sorted((self.right, self.left))
        return low - tolerance <= slope <= high + tolerance


def limits(
    function: Function,
    positions: Sequence[int],
    least: float = 0.0,
    slope: Array | None = None,
) -> list[Limit | None]:
    """Return the derivative by each element, as well as differences can tell it.

    Central differences with ever smaller steps; the one that agrees best with the one
    before it, and with all that follow, counts. None where no two of them are finite.
    No element is taken for smaller than `least`. `slope` is what the derivatives are
    said to be: they, too, tell how long a step may be.
    """
    units = np.maximum(units_of(function.x), least)
    scales = [units] if least else _scales(function, units, slope)
    steps = np.array([rung * scale for scale in scales for rung in _LADDER])
    taken = steps.reshape(len(steps), -1)[:, positions]
    is_met = np.any(taken, axis=1)
    if not np.any(is_met):
        return [None] * len(positions)  # none of them is above 0
    steps, taken = steps[is_met], taken[is_met].T
    ladder = [
        slopes(function, "central", np.where(each, each, units), positions)
        for each in steps
    ]
    sides = (np.array(side).T for side in zip(*ladder, strict=True))
    right, left = _within(*sides)
    noise = SAFETY * np.broadcast_to(function.noise, units.shape).ravel()[positions]
    # Not by the unit first: the least noise of all would be gone.
    blurs = noise[:, None] / taken
    return list(map(_limit_of, right, left, blurs, taken))


def _limit_of(right: Array, left: Array, blur: Array, steps: Array) -> Limit | None:
    """Return the limit of the steps that there are."""
    met = steps > 0
    return _limit(
        right[met].tolist(), left[met].tolist(), blur[met].tolist(), steps[met]
    )


def _scales(function: Function, units: Array, slope: Array | None) -> list[Array]:
    """Return in which units each element is moved, ever smaller ones; 0 for no more.

    A small number beside large ones may stand near a pole, or at the end of what the
    function takes: it is moved by parts of its own size, too. And a large slope says
    what changes the result by as much as itself.
    """
    x = function.x
    own = np.where(x == 0, units, np.abs(x))
    told = units
    if slope is not None:
        size = np.abs(function.weight * function.base)
        told = np.sum(size, where=np.isfinite(size)) / np.abs(slope)
        told = np.where((told > 0) & (told < units), told, units)
    scales, last = [units], units
    for wanted in (np.maximum(own, told), np.minimum(own, told)):
        is_next = wanted < last * _LADDER[0]
        scale = np.minimum(wanted, last * _BELOW)
        scales.append(np.where(is_next, scale, 0.0))
        last = np.where(is_next, scale, last)
    return scales


def _within(right: Array, left: Array) -> tuple[Array, Array]:
    """Return the slopes of the other side where the function ends at an element."""
    ends_right, ends_left = (
        np.all(np.isnan(side), axis=1, keepdims=True) for side in (right, left)
    )
    return np.where(ends_right, left, right), np.where(ends_left, right, left)


def _limit(
    right: Sequence[float], left: Sequence[float], blur: Sequence[float], steps: Array
) -> Limit | None:
    middle = [(one + two) / 2 for one, two in zip(right, left, strict=True)]
    pairs = list(itertools.pairwise(range(len(middle))))
    grows = all(abs(middle[new]) > 4 * abs(middle[old]) for old, new in pairs[-4:])
    sizes = [max(abs(one), abs(two)) for one, two in zip(right, left, strict=True)]
    grows = grows and sizes[-1] > 4 * blur[-1]  # rounding does, by smaller steps
    # What changes as much however small the step is goes up and down in between.
    changes = np.multiply(sizes, steps)
    is_rough = changes[-1] > max(0.01 * np.max(changes), 4 * blur[-1] * steps[-1])
    best: Limit | None = None
    low, high = -math.inf, math.inf  # where all smaller steps put it
    for old, new in reversed(pairs):
        value = middle[new]
        if not (math.isfinite(value) and math.isfinite(middle[old])):
            continue
        error = abs(value - middle[old])
        # It shrinks with each step, until a step no longer reaches over a corner: as
        # the last time, what is left of a geometric series.
        before = abs(middle[old] - middle[old - 1]) if old else math.inf
        if not before <= error:
            error *= max(1 / 4, error / (before - error))
        error += blur[new]
        # A step that reaches over a corner or a pole can look as if it had converged.
        agrees = low - 4 * error <= value <= high + 4 * error
        if best is None or (agrees and error < best.error):
            apart, wider = (abs(right[rung] - left[rung]) for rung in (new, old))
            corner = apart > 0.5 * wider and apart > 4 * blur[new] + 1e-6 * abs(value)
            jump = grows or bool(is_rough)
            best = Limit(value, error, right[new], left[new], corner, jump)
        low = max(low, value - 4 * blur[new])
        high = min(high, value + 4 * blur[new])
    return best
