"""Sum, product, power and their kin, and comparisons."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..table import (
    Array,
    Case,
    Form,
    Op,
    Rule,
    Shape,
)
from ..table.cases import (
    FACTOR,
    FAINT,
    NEGATIVE,
    OF_ZERO,
    UNDERFLOW,
    of_two,
)
from ..table.wide import DOUBLE, careful
from .rows import binary, spread, unary, where

if TYPE_CHECKING:
    from collections.abc import Mapping


def _spread_negative(t: Any, y: Any, *_operands: Any) -> Any:
    return np.broadcast_to(-t, np.shape(y))


def _power(a: Any, b: Any) -> Any:
    """Return a ** b; numbers below 0 are as fast as those above.

    The second and third power are products, as in PyTorch: they are many times faster.
    """
    kind = np.asarray(a).dtype.kind
    if type(b) in (int, float) and b == 2 and kind in "fc":
        return a * a
    if not isinstance(b, int | float) or b % 1:
        return np.power(a, b)
    if b in (1, 2, -1):
        return np.power(a, b)
    # A whole number to the power of a float is a float, as in NumPy.
    if b == 3 and (kind in "fc" or (type(b) is int and kind != "b")):
        return _into(np.multiply, a * a, a, a)
    if kind != "f" or np.all(a >= 0):
        return np.power(a, b)
    size = np.abs(a)
    # What is written where something was is several times faster than fresh memory.
    out = size if size.ndim else None
    size = np.power(size, b, out=out)
    return np.copysign(size, a, out=out) if b % 2 else size


def _into(function: Any, new: Any, other: Any, y: Any) -> Any:
    """Return a function of an array that nobody else has, written over it if it fits.

    That is faster, as in a power.
    """
    array: Array = np.asarray(new)
    if array is new and array.ndim and array.shape == np.shape(y):
        return function(new, other, out=new if array.dtype == y.dtype else None)
    return function(new, other)


@careful
def _divide_by_divisor(g: Any, y: Any, a: Any, b: Any) -> Any:
    # Of a divisor that serves many numbers, the sign is turned once.
    return _into(np.divide, g * y, -b, y)


def _power_by_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    is_square = type(b) in (int, float) and b == 2
    if is_square and (type(a) is float or a.dtype is DOUBLE):
        half = g * a  # of narrow types it can be too small, and its double not
        return _into(np.add, half, half, y)
    return _slope_by_base(g, y, a, b)


@careful
def _slope_by_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    if not isinstance(b, int | float):
        return g * where(b == 0, 0, b * _power(a, b - 1))
    if b == 0:
        return np.zeros_like(g * a)
    slope = b * _power(a, b - 1)
    if b == 0.5 and np.any(np.signbit(a)):
        # As PyTorch: the slope of the root of −0 is −inf, and that of −inf is nan.
        slope = where(np.signbit(a), b / np.sqrt(a), slope)
    return _into(np.multiply, slope, g, y)


@careful
def _power_by_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * where((a == 0) & (b >= 0), 0, y * np.log(a))


_BY_BASE: Final = Form(
    "{b} · {a}^({b} − 1)",
    "{g} ∘ {b} ∘ {a}^({b} − 1)",
    "{g} * np.where({b} == 0, 0, {b} * np.power({a}, {b} - 1))",
    "the exponent comes down as a factor and is one less above",
    work=(3,),
)
_BY_EXPONENT: Final = Form(
    "{y} · log {a}",
    "{g} ∘ {y} ∘ log {a}",
    "{g} * np.where(({a} == 0) & ({b} >= 0), 0, {y} * np.log({a}))",
    "aᵇ = exp(b · log a), whose slope by b is itself times log a",
    work=(3,),
)


def _power_wording(a: Shape, _b: Shape) -> Mapping[str, Any]:
    """Return the forms where a base may serve many exponents: it has one logarithm."""
    return {"forms": (_BY_BASE, _BY_EXPONENT._replace(work=(2, 0, math.prod(a))))}


def _comparison(name: str, forward: Rule, sign: str, code: str, summary: str) -> Op:
    written = f"{{a}} {code} {{b}}"
    return binary(
        name,
        forward,
        (None, None),
        f"{{a}} {sign} {{b}}",
        written,
        (None, None),
        summary,
        "True and False take no gradient",
        analytic=False,
        cases=(Case("zero", "false"),),
        written=written,
        work=(),
    )


# The forward functions of + - * and unary − are Python's, and their rules are as short
# as can be, for a graph of plain numbers runs as fast as they do.
ROWS: Final[tuple[Op, ...]] = (
    binary(
        "add",
        operator.add,
        (lambda g, y, a, b: g, lambda g, y, a, b: g),
        "{a} + {b}",
        "{a} + {b}",
        (
            Form("1", "{g}", "{g}", "a sum passes the gradient on to both sides"),
            Form("1", "{g}", "{g}", "a sum passes the gradient on to both sides"),
        ),
        "The sum.",
        jvps=(spread, spread),
        analytic=True,
        written="{a} + {b}",
        signs=(1, 1),
        once=True,
        work=(),
    ),
    binary(
        "subtract",
        operator.sub,
        (lambda g, y, a, b: g, lambda g, y, a, b: -g),
        "{a} − {b}",
        "{a} - {b}",
        (
            Form("1", "{g}", "{g}", "what is added to the first, the result gains"),
            Form("−1", "−{g}", "-{g}", "what is added to the second, the result loses"),
        ),
        "The difference.",
        jvps=(spread, _spread_negative),
        analytic=True,
        written="{a} - {b}",
        signs=(1, -1),
        once=True,
        work=(),
    ),
    binary(
        "multiply",
        operator.mul,
        (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
        "{a} ∘ {b}",
        "{a} * {b}",
        (
            Form(
                "{b}",
                "{g} ∘ {b}",
                "{g} * {b}",
                "swap the factors: the derivative of a product by one factor is the "
                "other one",
            ),
            Form(
                "{a}",
                "{g} ∘ {a}",
                "{g} * {a}",
                "swap the factors: the derivative of a product by one factor is the "
                "other one",
            ),
        ),
        "The product, element by element.",
        analytic=True,
        written="{a} * {b}",
        multiplies=True,
        cases=(FACTOR,),
        once=True,
    ),
    binary(
        "divide",
        np.divide,
        (lambda g, y, a, b: g / b, _divide_by_divisor),
        "{a} / {b}",
        "np.divide({a}, {b})",
        (
            Form(
                "1 / {b}",
                "{g} / {b}",
                "{g} / {b}",
                "the slope of a / b by a is 1 / b: the gradient is divided as well",
            ),
            Form(
                "−{y} / {b}",
                "−{g} ∘ {y} / {b}",
                "-{g} * {y} / {b}",
                "the slope of a / b by b is −a / b²: the stored quotient over b",
                work=(2,),
            ),
        ),
        "The quotient, element by element.",
        "an upstream gradient of 0 gives 0 by b where a / b is finite; PyTorch divides "
        "once more first, and has nan where a / b² is not",
        analytic=True,
        written="{a} / {b}",
        cases=(
            of_two("nan", "zero over zero", lambda y, a, b: a == 0),
            Case("nan", "infinity over infinity"),
            of_two("inf", "pole", lambda y, a, b: b == 0),
            of_two("zero", "zero numerator", lambda y, a, b: a == 0),
            of_two("zero", "over infinity", lambda y, a, b: np.isinf(b)),
            UNDERFLOW,
            of_two("flat", "over infinity", lambda y, a, b: np.isinf(b)),
            of_two("flat", "zero factor", lambda y, a, b: a == 0, 1),
            FAINT,
        ),
    ),
    binary(
        "power",
        _power,
        (_power_by_base, _power_by_exponent),
        "{a}^{b}",
        "np.power({a}, {b})",
        (_BY_BASE, _BY_EXPONENT),
        "The first to the power of the second, element by element.",
        "x ** 0 has slope 0 everywhere; 0 ** p has slope 0 by p where p ≥ 0; the slope "
        "of x ** 0.5 at 0 is inf, at −0 it is −inf, and at −inf nan, as those of the "
        "root; x ** −0.5 is inf at −0 and 0 at −inf, as in NumPy, where PyTorch has "
        "−inf and nan; a negative base gives nan for the exponent",
        analytic=True,
        kinks=True,
        written="{a} ** {b}",
        wording=_power_wording,
        cases=(
            NEGATIVE,
            of_two("inf", "pole", lambda y, a, b: a == 0),
            of_two("zero", "zero numerator", lambda y, a, b: a == 0),
            of_two("zero", "limit", lambda y, a, b: np.isinf(a) | np.isinf(b)),
            UNDERFLOW,
            of_two("flat", "zero exponent", lambda y, a, b: b == 0, 0),
            of_two("flat", "vertex", lambda y, a, b: a == 0, 0),
            of_two("flat", "corner", lambda y, a, b: a == 0, 1),
            of_two("flat", "zero factor", lambda y, a, b: (y == 0) | (a == 1), 1),
            of_two("flat", "over infinity", lambda y, a, b: np.isinf(a) | np.isinf(b)),
            FAINT,
        ),
    ),
    unary(
        "negative",
        operator.neg,
        lambda g, y, x: -g,
        "−{x}",
        "-{x}",
        Form("−1", "−{g}", "-{g}", "the sign turns for the value and for its gradient"),
        "The negative.",
        analytic=True,
        cases=(OF_ZERO,),
        written="-{x}",
        once=True,
        work=(),
    ),
    _comparison("equal", operator.eq, "=", "==", "True where both are equal."),
    _comparison("not_equal", operator.ne, "≠", "!=", "True where they differ."),
    _comparison("less", operator.lt, "<", "<", "True where the first is less."),
    _comparison("less_equal", operator.le, "≤", "<=", "True where it is not more."),
    _comparison("greater", operator.gt, ">", ">", "True where the first is more."),
    _comparison("greater_equal", operator.ge, "≥", ">=", "True where it is not less."),
)
