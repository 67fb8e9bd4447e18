"""Exponentials divided by their sum along an axis, and the logarithm of that."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..table import (
    Array,
    Case,
    Form,
    Op,
    Parameter,
    Shape,
    checks,
    row_of_one,
)
from ..table.axes import along_axis, greatest, reduced_axes
from ..table.cases import (
    AT_MINUS_INFINITY,
    INFINITE_ROW,
    MASKED_ROW,
    UNDERFLOW,
    is_alone,
    of_one,
)
from ..table.wide import careful, wide


def _row_shape(x: Shape, *, axis: int = -1) -> Shape:
    reduced_axes(x, axis)
    return x


def _row_letters(x: Shape, *, axis: int = -1) -> str:
    return along_axis(x, axis=axis)


def softmax(x: Array, *, axis: int = -1) -> Array:
    """Return exponentials divided by their sum along an axis."""
    # Nothing overflows: the largest exponent is 0.
    powers = np.exp(x - greatest(x, axis))
    powers /= powers.sum(axis, keepdims=True)
    return powers


@careful
def _softmax_rule(t: Array, y: Array, _x: Array, *, axis: int = -1) -> Array:
    # The Jacobian diag(y) − y yᵀ is symmetric: backward and forward are the same.
    return y * (t - np.sum(t * y, axis, keepdims=True))


def log_softmax(x: Array, *, axis: int = -1) -> Array:
    """Return the logarithm of softmax, exact where softmax itself would be 0."""
    shifted = x - greatest(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis, keepdims=True))


@wide
def _log_softmax_vjp(g: Array, y: Array, _x: Array, *, axis: int = -1) -> Array:
    return g - np.exp(y) * np.sum(g, axis, keepdims=True)


@wide
def _log_softmax_jvp(t: Array, y: Array, _x: Array, *, axis: int = -1) -> Array:
    return t - np.sum(np.exp(y) * t, axis, keepdims=True)


_MOST: Final = "np.max({x}, {axis}, keepdims=True)"
_POWERS: Final = f"np.exp({{x}} - {_MOST})"
_SUM: Final = f"np.sum({_POWERS}, {{axis}}, keepdims=True)"
_LAST_AXIS: Final = Parameter("axis", checks.whole, -1)


ROWS: Final[tuple[Op, ...]] = (
    row_of_one(
        "softmax",
        softmax,
        _row_shape,
        (_softmax_rule, _softmax_rule),
        "block",
        "softmax({x})",
        f"{_POWERS} / {_SUM}",
        Form(
            "{y}ᵢ · ([i = j] − {y}ⱼ)",
            "{y} ∘ ({g} − Σ {g} ∘ {y})",
            "{y} * ({g} - np.sum({g} * {y}, {axis}, keepdims=True))",
            "each exponential is in its own numerator and in the sum below all: "
            "[i = j] is 1 by the element itself, and 0 by any other",
            work=(2,),
        ),
        "Exponentials divided by their sum along an axis.",
        analytic=True,
        cases=(
            MASKED_ROW,
            INFINITE_ROW,
            AT_MINUS_INFINITY,
            UNDERFLOW,
            Case("flat", "alone", is_alone),
            Case("flat", "saturated"),
        ),
        parameters=(_LAST_AXIS,),
        axis_letters=_row_letters,
        work=(2,),
    ),
    row_of_one(
        "log_softmax",
        log_softmax,
        _row_shape,
        (_log_softmax_vjp, _log_softmax_jvp),
        "block",
        "log softmax({x})",
        f"{{x}} - {_MOST} - np.log({_SUM})",
        Form(
            "[i = j] − exp({y}ⱼ)",
            "{g} − exp({y}) · Σ {g}",
            "{g} - np.exp({y}) * np.sum({g}, {axis}, keepdims=True)",
            "the logarithm of a quotient: itself, minus that of the sum below; "
            "[i = j] is 1 by the element itself, and 0 by any other",
            work=(2,),
        ),
        "The logarithm of softmax, exact where softmax itself would be 0.",
        analytic=True,
        cases=(
            MASKED_ROW,
            INFINITE_ROW,
            Case("zero", "alone", is_alone),
            Case("zero", "certain"),
            Case("flat", "alone", is_alone),
            of_one("flat", "certain", lambda y, x: y == 0),
            Case("flat", "outweighed"),
        ),
        parameters=(_LAST_AXIS,),
        axis_letters=_row_letters,
        work=(1, 1),
    ),
)
