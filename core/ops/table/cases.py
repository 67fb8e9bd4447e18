"""Ways in which results become special that several operations share.

A NaN, an infinity or a 0 has a reason in the operation that made it, and so has a slope
of 0. The names of the causes are words of explanations, which have a sentence for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import Case

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import Array, Special


def of_one(makes: Special, cause: str, holds: Callable[[Any, Any], Any]) -> Case:
    """Return a case of an operation of one operand: `holds(y, x)`."""

    def whatever(y: Any, x: Any, **_attributes: Any) -> Any:
        return holds(y, x)

    return Case(makes, cause, whatever)


def of_two(
    makes: Special,
    cause: str,
    holds: Callable[[Any, Any, Any], Any],
    argument: int | None = None,
) -> Case:
    """Return a case of an operation of two operands: `holds(y, a, b)`."""
    return Case(makes, cause, holds, argument)


# A function through the origin has a 0 from a 0.
OF_ZERO: Final = of_one("zero", "zero operand", lambda y, x: x == 0)
UNDERFLOW: Final = Case("zero", "underflow")
NEGATIVE: Final = Case("nan", "of a negative")
POLE: Final = of_one("inf", "pole", lambda y, x: x == 0)
AT_MINUS_INFINITY: Final = of_one("zero", "limit", lambda y, x: x == -np.inf)
SATURATED: Final = Case("flat", "saturated")
VERTEX: Final = of_one("flat", "vertex", lambda y, x: x == 0)
CORNER: Final = of_one("flat", "corner", lambda y, x: x == 0)
AT_INFINITY: Final = of_one("flat", "flat at infinity", lambda y, x: np.isinf(x))
FACTOR: Final = Case("flat", "zero factor")
FAINT: Final = Case("flat", "faint")


def choice(all_zero: Any) -> tuple[Case, ...]:
    """Return the cases of an operation whose result is one of its numbers.

    `all_zero` tells where there are zeros only to choose from.
    """
    return (
        Case("zero", "zero operand", all_zero),
        Case("zero", "chosen"),
        Case("flat", "lost"),
    )


def rows_with(bad: float) -> Any:
    """Return where the largest number along an axis is `bad`, for a row of it all."""

    def holds(_y: Array, x: Array, *, axis: int = -1) -> Array:
        return np.max(x, axis=axis, keepdims=True) == bad

    return holds


MASKED_ROW: Final = Case("nan", "masked row", rows_with(-np.inf))
INFINITE_ROW: Final = Case("nan", "infinite row", rows_with(np.inf))


def is_alone(_y: Array, x: Array, *, axis: int = -1) -> Array:
    """Tell whether an axis has the length 1."""
    return np.full(np.shape(x), np.shape(x)[axis] == 1)
