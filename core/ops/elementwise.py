"""Operations that work element by element, with broadcasting.

The derivative of such an operation is one number per element, so the rule that takes a
gradient backward also takes a tangent forward: multiply by that number.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import numpy as np

from . import checks
from .cases import (
    AT_INFINITY,
    AT_MINUS_INFINITY,
    CORNER,
    FACTOR,
    FAINT,
    NEGATIVE,
    OF_ZERO,
    POLE,
    SATURATED,
    UNDERFLOW,
    VERTEX,
    choice,
    of_one,
    of_two,
)
from .normal import gelu, gelu_rule
from .table import (
    Array,
    Case,
    Form,
    Op,
    Parameter,
    Rule,
    Shape,
    broadcast_shape,
    row_of_one,
)
from .wide import careful, wide, wide_result

# `function` of each element, in the dtype that NumPy's own functions give.
_EACH: Final = "np.vectorize({}, otypes=[np.result_type({{x}}, np.float16)])"
_ERF: Final = _EACH.format("math.erf")
# Φ and its density φ, and Φ by tanh with the slope of what tanh is taken of, doubled.
_NORMAL: Final = "0.5 * " + _EACH.format("math.erfc") + "(-{x} / 2**0.5)"
_BELL: Final = "np.exp(-{x} * {x} / 2) / (2 * np.pi) ** 0.5"
_NORMAL_BY_TANH: Final = (
    "0.5 * (1 + np.tanh((2 / np.pi) ** 0.5 * ({x} + 0.044715 * {x} * {x} * {x})))"
)
_INNER_SLOPE: Final = "(8 / np.pi) ** 0.5 * (1 + 0.134145 * np.clip({x}, -10, 10) ** 2)"

# numpy's stubs lose the type of what is chosen.
_where: Final = cast("Callable[[Any, Any, Any], Any]", np.where)

# How a lambda below is called; attributes come as keywords with defaults.
_One = Callable[[Any], Any]
_OneRule = Callable[[Any, Any, Any], Any]
_TwoRule = Callable[[Any, Any, Any, Any], Any]


def _unary(
    name: str,
    forward: _One,
    rule: _OneRule | None,
    symbol: str,
    code: str,
    form: Form | None,
    summary: str,
    corner: str = "",
    parameters: tuple[Parameter, ...] = (),
    shape: Callable[..., Shape] = broadcast_shape,
    **columns: Any,
) -> Op:
    columns |= {"corner": corner, "parameters": parameters}
    return row_of_one(
        name,
        forward,
        shape,
        (rule, rule),
        "elementwise",
        symbol,
        code,
        form,
        summary,
        **columns,
    )


def _binary(
    name: str,
    forward: Rule,
    rules: tuple[_TwoRule | None, _TwoRule | None],
    symbol: str,
    code: str,
    forms: tuple[Form | None, Form | None],
    summary: str,
    corner: str = "",
    jvps: tuple[_TwoRule, _TwoRule] | None = None,
    **columns: Any,
) -> Op:
    return Op(
        name=name,
        operands=("a", "b"),
        forward=forward,
        shape=broadcast_shape,
        vjps=rules,
        jvps=jvps or rules,
        kind="elementwise",
        symbol=symbol,
        code=code,
        forms=forms,
        summary=summary,
        corner=corner,
        **columns,
    )


def _comparison(name: str, forward: Rule, sign: str, code: str, summary: str) -> Op:
    written = f"{{a}} {code} {{b}}"
    return _binary(
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
    )


# ----------------------------------------------------------------- arithmetic


def _spread(t: Any, y: Any, *_operands: Any) -> Any:
    return np.broadcast_to(t, np.shape(y))


def _spread_negative(t: Any, y: Any, *_operands: Any) -> Any:
    return np.broadcast_to(-t, np.shape(y))


def _power(a: Any, b: Any) -> Any:
    """Return a ** b; numbers below 0 are as fast as those above."""
    if not isinstance(b, int | float) or b % 1 or b in (1, 2, -1) or np.all(a >= 0):
        return np.power(a, b)
    size = np.power(np.abs(a), b)
    return np.copysign(size, a) if b % 2 else size


def _into(function: Any, new: Any, other: Any, y: Any) -> Any:
    """Return a function of an array that nobody else has, written over it if it fits.

    What is written where something was is several times faster than fresh memory.
    """
    array: Array = np.asarray(new)
    if array is new and array.ndim and array.shape == np.shape(y):
        return function(new, other, out=new if array.dtype == y.dtype else None)
    return function(new, other)


@careful
def _divide_by_divisor(g: Any, y: Any, a: Any, b: Any) -> Any:
    return _into(np.divide, _into(np.multiply, -g, y, y), b, y)


@careful
def _power_by_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    if not isinstance(b, int | float):
        return g * _where(b == 0, 0, b * _power(a, b - 1))
    if b == 0:
        return np.zeros_like(g * a)
    # a ** 1 is a, and no copy is needed to take it times b.
    slope = b * (a if b == 2 else _power(a, b - 1))
    if b == 0.5 and np.any(np.signbit(a)):
        # As PyTorch: the slope of the root of −0 is −inf, and that of −inf is nan.
        slope = _where(np.signbit(a), b / np.sqrt(a), slope)
    return _into(np.multiply, slope, g, y)


@careful
def _power_by_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * _where((a == 0) & (b >= 0), 0, y * np.log(a))


# The forward functions of + - * and unary − are Python's, and their rules are as short
# as can be, for a graph of plain numbers runs as fast as they do.
_ARITHMETIC: Final = (
    _binary(
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
        jvps=(_spread, _spread),
        analytic=True,
        written="{a} + {b}",
        signs=(1, 1),
        once=True,
    ),
    _binary(
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
        jvps=(_spread, _spread_negative),
        analytic=True,
        written="{a} - {b}",
        signs=(1, -1),
        once=True,
    ),
    _binary(
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
    _binary(
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
                "the numerator counts one b-th, so its gradient does as well",
            ),
            Form(
                "−{y} / {b}",
                "−{g} ∘ {y} / {b}",
                "-{g} * {y} / {b}",
                "the slope of a / b by b is −a / b²: the stored quotient over b",
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
    _binary(
        "power",
        _power,
        (_power_by_base, _power_by_exponent),
        "{a}^{b}",
        "np.power({a}, {b})",
        (
            Form(
                "{b} · {a}^({b} − 1)",
                "{g} ∘ {b} ∘ {a}^({b} − 1)",
                "{g} * np.where({b} == 0, 0, {b} * np.power({a}, {b} - 1))",
                "the exponent comes down as a factor and is one less above",
            ),
            Form(
                "{y} · log {a}",
                "{g} ∘ {y} ∘ log {a}",
                "{g} * np.where(({a} == 0) & ({b} >= 0), 0, {y} * np.log({a}))",
                "aᵇ = exp(b · log a), whose slope by b is itself times log a",
            ),
        ),
        "The first to the power of the second, element by element.",
        "x ** 0 has slope 0 everywhere; 0 ** p has slope 0 by p where p ≥ 0; the slope "
        "of x ** 0.5 at 0 is inf, at −0 it is −inf, and at −inf nan, as those of the "
        "root; x ** −0.5 is inf at −0 and 0 at −inf, as in NumPy, where PyTorch has "
        "−inf and nan; a negative base gives nan for the exponent",
        analytic=True,
        kinks=True,
        written="{a} ** {b}",
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
    _unary(
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
    ),
)


# ---------------------------------------------------------------- comparisons

_COMPARISONS: Final = (
    _comparison("equal", operator.eq, "=", "==", "True where both are equal."),
    _comparison("not_equal", operator.ne, "≠", "!=", "True where they differ."),
    _comparison("less", operator.lt, "<", "<", "True where the first is less."),
    _comparison("less_equal", operator.le, "≤", "<=", "True where it is not more."),
    _comparison("greater", operator.gt, ">", ">", "True where the first is more."),
    _comparison("greater_equal", operator.ge, "≥", ">=", "True where it is not less."),
)


# ------------------------------------------------------------------ functions


@wide
def _expm1_rule(g: Any, y: Any, x: Any) -> Any:
    return g * np.exp(x)


@careful
def _arctan_rule(g: Any, y: Any, x: Any) -> Any:
    return g / (1 + x * x)


_FUNCTIONS: Final = (
    _unary(
        "exp",
        np.exp,
        lambda g, y, x: g * y,
        "exp({x})",
        "np.exp({x})",
        Form(
            "{y}", "{g} ∘ {y}", "{g} * {y}", "exp is its own slope: the stored result"
        ),
        "e to the power of each element.",
        "numbers below the normal range are kept: exp(−745) is 5e-324",
        analytic=True,
        cases=(AT_MINUS_INFINITY, UNDERFLOW, SATURATED),
    ),
    _unary(
        "expm1",
        np.expm1,
        _expm1_rule,
        "exp({x}) − 1",
        "np.expm1({x})",
        Form(
            "exp({x})",
            "{g} ∘ exp({x})",
            "{g} * np.exp({x})",
            "the 1 is constant; exp is taken again, for y + 1 would lose digits",
        ),
        "exp(x) − 1, exact near 0.",
        analytic=True,
        cases=(OF_ZERO, SATURATED),
    ),
    _unary(
        "log",
        np.log,
        lambda g, y, x: g / x,
        "log({x})",
        "np.log({x})",
        Form(
            "1 / {x}", "{g} / {x}", "{g} / {x}", "the slope of the logarithm is 1 / x"
        ),
        "The natural logarithm.",
        "log(0) is −inf with slope inf; an upstream gradient of 0 there gives 0 · inf, "
        "which is nan",
        analytic=True,
        cases=(NEGATIVE, POLE, Case("zero", "root"), AT_INFINITY),
    ),
    _unary(
        "log1p",
        np.log1p,
        lambda g, y, x: g / (1 + x),
        "log(1 + {x})",
        "np.log1p({x})",
        Form(
            "1 / (1 + {x})",
            "{g} / (1 + {x})",
            "{g} / (1 + {x})",
            "the slope of the logarithm is one over what it is taken of",
        ),
        "log(1 + x), exact near 0.",
        "log1p(−1) is −inf with slope inf",
        analytic=True,
        cases=(
            NEGATIVE,
            of_one("inf", "pole", lambda y, x: x == -1),
            OF_ZERO,
            AT_INFINITY,
        ),
    ),
    _unary(
        "sqrt",
        np.sqrt,
        lambda g, y, x: g / (2 * y),
        "√{x}",
        "np.sqrt({x})",
        Form(
            "1 / (2 · {y})",
            "{g} / (2 {y})",
            "{g} / (2 * {y})",
            "the slope of √x is 1 / (2 √x), and √x is stored",
        ),
        "The square root.",
        "sqrt(0) has slope inf, so sqrt(sum(x * x)) at 0 gives inf · 0, which is nan",
        analytic=True,
        cases=(NEGATIVE, OF_ZERO, AT_INFINITY),
    ),
    _unary(
        "square",
        np.square,
        lambda g, y, x: 2 * (g * x),
        "{x}²",
        "np.square({x})",
        Form("2 · {x}", "2 {g} ∘ {x}", "2 * {g} * {x}", "x · x has two uses of x"),
        "Each element times itself.",
        analytic=True,
        cases=(OF_ZERO, UNDERFLOW, VERTEX),
    ),
    _unary(
        "abs",
        np.abs,
        lambda g, y, x: g * np.sign(x),
        "|{x}|",
        "np.abs({x})",
        Form(
            "sign({x})",
            "{g} ∘ sign({x})",
            "{g} * np.sign({x})",
            "the size grows with x above 0 and shrinks with it below",
        ),
        "The size of each element, without its sign.",
        "abs(0) has slope 0; abs(nan) has slope nan, where PyTorch has 0",
        analytic=False,
        cases=(OF_ZERO, CORNER),
        kinks=True,
    ),
    _unary(
        "sin",
        np.sin,
        lambda g, y, x: g * np.cos(x),
        "sin({x})",
        "np.sin({x})",
        Form(
            "cos({x})", "{g} ∘ cos({x})", "{g} * np.cos({x})", "the slope of sin is cos"
        ),
        "The sine; angles in radians.",
        analytic=True,
        cases=(Case("nan", "periodic"), OF_ZERO),
    ),
    _unary(
        "cos",
        np.cos,
        lambda g, y, x: -g * np.sin(x),
        "cos({x})",
        "np.cos({x})",
        Form(
            "−sin({x})",
            "−{g} ∘ sin({x})",
            "-{g} * np.sin({x})",
            "the slope of cos is −sin",
        ),
        "The cosine; angles in radians.",
        analytic=True,
        cases=(Case("nan", "periodic"), VERTEX),
    ),
    _unary(
        "tanh",
        np.tanh,
        lambda g, y, x: g * (1 - y * y),
        "tanh({x})",
        "np.tanh({x})",
        Form(
            "1 − {y}²",
            "{g} ∘ (1 − {y}²)",
            "{g} * (1 - {y} * {y})",
            "the slope needs the stored result only; it is 0 where tanh is ±1",
        ),
        "The hyperbolic tangent, from −1 to 1.",
        analytic=True,
        cases=(OF_ZERO, SATURATED),
    ),
    _unary(
        "arctan",
        np.arctan,
        _arctan_rule,
        "arctan({x})",
        "np.arctan({x})",
        Form(
            "1 / (1 + {x}²)",
            "{g} / (1 + {x}²)",
            "{g} / (1 + {x} * {x})",
            "the steeper the angle, the less it still turns",
        ),
        "The angle in radians whose tangent is x.",
        analytic=True,
        cases=(OF_ZERO, SATURATED),
    ),
)


# ---------------------------------------------------------------- activations


def _each(function: Callable[[float], float], x: Any) -> Array:
    """Return `function` of every element, in the dtype that NumPy's functions give."""
    array = np.asarray(x)
    dtype = np.result_type(array, np.float16)
    return np.vectorize(function, otypes=[dtype])(array)


def _normal_by_tanh(x: Any) -> Any:
    """Return Φ(x) nearly: Hendrycks and Gimpel 2016, 'Gaussian error linear units'."""
    return 0.5 * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x * x * x)))


@wide
def _erf_rule(g: Any, y: Any, x: Any) -> Any:
    return g * (2 / np.pi**0.5) * np.exp(-x * x)


@wide_result
def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


@wide_result
def _silu(x: Any) -> Any:
    return x / (1 + np.exp(-x))


@wide
def _silu_rule(g: Any, y: Any, x: Any) -> Any:
    return g * (1 + (x - y)) / (1 + np.exp(-x))


@wide_result
def _gelu_by_tanh(x: Any) -> Any:
    return x * _normal_by_tanh(x)


@wide
def _gelu_rule_by_tanh(g: Any, y: Any, x: Any) -> Any:
    # Beyond ±10 the slope is 0 or 1 whatever this factor is, if only it is finite.
    inner = (8 / np.pi) ** 0.5 * (1 + 0.134145 * np.clip(x, -10, 10) ** 2)
    return g * _normal_by_tanh(x) * (1 + (x - y) * inner)


def _is_shut(_y: Any, _x: Any, negative_slope: float = 1.0, alpha: float = 1.0) -> bool:
    return negative_slope == 0 or alpha == 0


def _both_zero(_y: Any, *operands: Any) -> Any:
    """Tell whether the last two operands are 0: the others do not count."""
    a, b = operands[-2:]
    return (a == 0) & (b == 0)


def _is_by_tanh(_y: Any, _x: Any, approximate: str = "none") -> bool:
    return approximate == "tanh"


def _gelu(x: Any, approximate: str = "none") -> Any:
    return gelu(x) if approximate == "none" else _gelu_by_tanh(x)


def _gelu_rule(g: Any, y: Any, x: Any, approximate: str = "none") -> Any:
    return gelu_rule(g, x) if approximate == "none" else _gelu_rule_by_tanh(g, y, x)


def _elu(x: Any, alpha: float = 1.0) -> Any:
    return _where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@wide
def _elu_rule(g: Any, y: Any, x: Any, alpha: float = 1.0) -> Any:
    return _where(x <= 0, g * alpha * np.exp(np.minimum(x, 0)), g)


def _leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    return _where(x > 0, x, negative_slope * x)


def _leaky_relu_rule(g: Any, y: Any, x: Any, negative_slope: float = 0.01) -> Any:
    return _where(x > 0, g, negative_slope * g)


def _open(g: Any, shut: Any) -> Any:
    """Return `g` where a gate is open, and 0 where it is shut, even for nan.

    `np.where` decides at each element anew. To multiply the bits by 1 or 0, as if they
    were whole numbers, gives the same and is several times faster.
    """
    floats: Array = np.asarray(g)
    if floats.ndim and floats.dtype.char in "efd":
        bits: Array = floats.view(f"u{floats.itemsize}")
        return (bits * ~shut).view(floats.dtype)
    return _where(shut, 0, g)


_ACTIVATIONS: Final = (
    _unary(
        "sigmoid",
        _sigmoid,
        lambda g, y, x: g * y * (1 - y),
        "σ({x})",
        "1 / (1 + np.exp(-{x}))",
        Form(
            "{y} · (1 − {y})",
            "{g} ∘ {y} ∘ (1 − {y})",
            "{g} * {y} * (1 - {y})",
            "the slope needs the stored result only; it is never more than 1/4",
        ),
        "1 / (1 + exp(−x)), from 0 to 1.",
        "far below 0 it is as small as numbers go, and at −800 it is 0 with slope 0, "
        "never nan; PyTorch has 0 from −710 on, and in float32 from −89 on",
        analytic=True,
        cases=(AT_MINUS_INFINITY, UNDERFLOW, SATURATED),
    ),
    _unary(
        "softplus",
        lambda x: np.logaddexp(0, x),
        lambda g, y, x: g * -np.expm1(-y),
        "log(1 + exp({x}))",
        "np.logaddexp(0, {x})",
        Form(
            "σ({x})",
            "{g} ∘ σ({x})",
            "{g} * -np.expm1(-{y})",
            "its slope is the sigmoid, which is 1 − exp(−y) by the stored result",
        ),
        "log(1 + exp(x)): relu with a round corner.",
        "the slope is 0 far below 0 and 1 far above it, and never nan",
        analytic=False,
        cases=(AT_MINUS_INFINITY, UNDERFLOW, SATURATED),
    ),
    _unary(
        "relu",
        lambda x: np.maximum(x, 0),
        lambda g, y, x: _open(g, x <= 0),
        "max(0, {x})",
        "np.maximum({x}, 0)",
        Form(
            "[{x} > 0]",
            "{g} ∘ [{x} > 0]",
            "np.where({x} <= 0, 0, {g})",
            "a gate: open where x is above 0, shut elsewhere",
        ),
        "x where it is above 0, else 0.",
        "relu(0) has slope 0; relu(nan) is nan with slope 1",
        analytic=False,
        cases=(OF_ZERO, Case("zero", "shut"), CORNER, Case("flat", "shut")),
        kinks=True,
    ),
    _unary(
        "leaky_relu",
        _leaky_relu,
        _leaky_relu_rule,
        "max(0, {x}) + {negative_slope} min(0, {x})",
        "np.where({x} > 0, {x}, {negative_slope} * {x})",
        Form(
            "1 if {x} > 0 else {negative_slope}",
            "{g} ∘ (1 if {x} > 0 else {negative_slope})",
            "np.where({x} > 0, {g}, {negative_slope} * {g})",
            "a gate that never shuts: below 0 it lets a small part through",
        ),
        "x where it is above 0, else negative_slope · x.",
        "leaky_relu(0) has slope negative_slope",
        (Parameter("negative_slope", checks.number, 0.01),),
        analytic=False,
        cases=(
            Case("nan", "zero times infinity"),
            OF_ZERO,
            Case("zero", "shut", _is_shut),
            UNDERFLOW,
            Case("flat", "shut"),
        ),
        kinks=True,
    ),
    _unary(
        "elu",
        _elu,
        _elu_rule,
        "{x} if {x} > 0 else {alpha} (exp({x}) − 1)",
        "np.where({x} > 0, {x}, {alpha} * np.expm1(np.minimum({x}, 0)))",
        Form(
            "1 if {x} > 0 else {alpha} · exp({x})",
            "{g} ∘ (1 if {x} > 0 else {alpha} exp({x}))",
            "np.where({x} <= 0, {g} * {alpha} * np.exp(np.minimum({x}, 0)), {g})",
            "a straight line above 0, an exponential below",
        ),
        "x where it is above 0, else alpha · (exp(x) − 1).",
        "elu(0) has slope alpha; elu(nan) is nan with slope 1, where PyTorch has 1 or "
        "nan, by the size of the array",
        (Parameter("alpha", checks.number, 1.0),),
        analytic=False,
        cases=(
            OF_ZERO,
            Case("zero", "shut", _is_shut),
            UNDERFLOW,
            Case("flat", "shut", _is_shut),
            SATURATED,
        ),
        kinks=True,
    ),
    _unary(
        "silu",
        _silu,
        _silu_rule,
        "{x} ∘ σ({x})",
        "{x} / (1 + np.exp(-{x}))",
        Form(
            "σ({x}) · (1 + {x} − {y})",
            "{g} ∘ σ({x}) ∘ (1 + {x} − {y})",
            "{g} * (1 + ({x} - {y})) / (1 + np.exp(-{x}))",
            "the product rule: σ(x) + x · σ(x) (1 − σ(x)), where x · σ(x) is y",
        ),
        "x · sigmoid(x), also called swish.",
        "at ±inf the slope is inf · 0, which is nan",
        analytic=True,
        cases=(
            Case("nan", "infinity over infinity"),
            OF_ZERO,
            AT_MINUS_INFINITY,
            UNDERFLOW,
            SATURATED,
        ),
    ),
    _unary(
        "gelu",
        _gelu,
        _gelu_rule,
        "{x} ∘ Φ({x})",
        f"{{x}} * ({_NORMAL} if {{approximate}} == 'none' else {_NORMAL_BY_TANH})",
        Form(
            "Φ({x}) + {x} · φ({x})",
            "{g} ∘ (Φ({x}) + {x} ∘ φ({x}))",
            f"{{g}} * ({_NORMAL} + {{x}} * {_BELL} if {{approximate}} == 'none' else "
            f"{_NORMAL_BY_TANH} * (1 + ({{x}} - {{y}}) * {_INNER_SLOPE}))",
            "the product rule: the slope of the normal distribution Φ is its density φ",
        ),
        "x · Φ(x), with the normal distribution Φ by erf, or nearly by tanh.",
        'the default is the exact form by erf; approximate="tanh" is the other one; '
        "at ±inf the slope of the exact form is inf · 0, which is nan",
        (Parameter("approximate", checks.choice("none", "tanh"), "none"),),
        analytic=False,
        cases=(
            Case("nan", "zero times infinity"),
            OF_ZERO,
            AT_MINUS_INFINITY,
            Case("zero", "rounded", _is_by_tanh),
            UNDERFLOW,
            SATURATED,
        ),
    ),
    _unary(
        "erf",
        lambda x: _each(math.erf, x),
        _erf_rule,
        "erf({x})",
        _ERF + "({x})",
        Form(
            "2/√π · exp(−{x}²)",
            "2/√π {g} ∘ exp(−{x}²)",
            "{g} * (2 / np.pi**0.5) * np.exp(-{x} * {x})",
            "erf is the area under this bell curve, so the curve is its slope",
        ),
        "The error function, 2/√π times the integral of exp(−t²) from 0 to x.",
        analytic=False,
        cases=(OF_ZERO, SATURATED),
    ),
)


# ------------------------------------------------------------------ selection


def _clip_shape(shape: Shape, **bounds: float | None) -> Shape:
    if bounds.get("min") is None and bounds.get("max") is None:
        raise ValueError("clip needs a bound: min, max or both")
    return shape


def _clip(x: Any, **bounds: float | None) -> Any:
    return np.clip(x, bounds.get("min"), bounds.get("max"))


def _clip_rule(g: Any, y: Any, x: Any, **bounds: float | None) -> Any:
    low, high = bounds.get("min"), bounds.get("max")
    above = True if low is None else x >= low
    below = True if high is None else x <= high
    return _where(np.logical_and(above, below), g, 0)


_IN_BOUNDS: Final = Form(
    "[{min} ≤ {x} ≤ {max}]",
    "{g} ∘ [{min} ≤ {x} ≤ {max}]",
    "np.where(({x} >= {min}) & ({x} <= {max}), {g}, 0)",
    "a gate: open where no bound changes x",
)


def _clip_wording(_x: Shape, **bounds: float | None) -> Mapping[str, Any]:
    """Return the form of one bound, where the other is left out."""
    if None not in (bounds.get("min"), bounds.get("max")):
        return {}
    by_low = bounds.get("max") is None
    condition = "{min} ≤ {x}" if by_low else "{x} ≤ {max}"
    code = "{x} >= {min}" if by_low else "{x} <= {max}"
    form = _IN_BOUNDS._replace(
        local=f"[{condition}]",
        product=f"{{g}} ∘ [{condition}]",
        code=f"np.where({code}, {{g}}, 0)",
    )
    return {"forms": (form,)}


def _where_vjp(g: Any, y: Any, condition: Any, *_others: Any) -> Any:
    return _where(condition, g, 0)


def _where_not_vjp(g: Any, y: Any, condition: Any, *_others: Any) -> Any:
    return _where(condition, 0, g)


def _where_jvp(t: Any, y: Any, condition: Any, *_others: Any) -> Any:
    return _spread(_where_vjp(t, y, condition), y)


def _where_not_jvp(t: Any, y: Any, condition: Any, *_others: Any) -> Any:
    return _spread(_where_not_vjp(t, y, condition), y)


def _same(x: Any) -> Any:
    return x


def _kept(like: Any, p: float, seed: int) -> Any:
    """Return what dropout multiplies by, drawn by shape and seed only."""
    return np.random.default_rng(seed).random(np.shape(like)) >= p


def _dropout(x: Any, p: float = 0.5, seed: int = 0) -> Any:
    return x * _kept(x, p, seed) / (1 - p)


def _dropout_rule(g: Any, y: Any, x: Any, p: float = 0.5, seed: int = 0) -> Any:
    return _dropout(g, p, seed)


def _extreme(
    name: str, forward: Rule, loses: Rule, sign: str, opposite: str, word: str
) -> Op:
    """Return the row of the greater or the lesser of two.

    `loses(a, b)` tells where the result is b alone.
    """

    def rule(g: Any, own: Any, other: Any) -> Any:
        return _where(loses(own, other), 0, _where(own == other, g / 2, g))

    def form(own: str, other: str) -> Form:
        local = f"[{own} {sign} {other}] + ½ [{{a}} = {{b}}]"
        tied = "np.where({a} == {b}, {g} / 2, {g})"
        return Form(
            local,
            f"{{g}} ∘ ({local})",
            f"np.where({own} {opposite} {other}, 0, {tied})",
            f"the {word} one takes the gradient; equal ones share it",
        )

    return _binary(
        name,
        forward,
        (lambda g, y, a, b: rule(g, a, b), lambda g, y, a, b: rule(g, b, a)),
        f"{name[:3]}({{a}}, {{b}})",
        f"np.{name}({{a}}, {{b}})",
        (form("{a}", "{b}"), form("{b}", "{a}")),
        f"The {word} of two, element by element.",
        "equal operands take half the gradient each; beside a nan both take all of it",
        analytic=False,
        cases=choice(_both_zero),
        kinks=True,
    )


_SELECTION: Final = (
    _extreme("maximum", np.maximum, operator.lt, ">", "<", "greater"),
    _extreme("minimum", np.minimum, operator.gt, "<", ">", "lesser"),
    _unary(
        "clip",
        _clip,
        _clip_rule,
        "clip({x}, {min}, {max})",
        "np.clip({x}, {min}, {max})",
        _IN_BOUNDS,
        "Each element, but no less than min and no more than max.",
        "at a bound the slope is 1, as in PyTorch up to 2.13; beyond it, and for nan, "
        "it is 0; where min is above max it is 0 everywhere",
        (
            Parameter("min", checks.optional(checks.number), None),
            Parameter("max", checks.optional(checks.number), None),
        ),
        _clip_shape,
        analytic=False,
        cases=(OF_ZERO, Case("zero", "shut"), Case("flat", "shut")),
        kinks=True,
        wording=_clip_wording,
    ),
    Op(
        name="where",
        operands=("condition", "a", "b"),
        forward=_where,
        shape=broadcast_shape,
        vjps=(
            None,
            _where_vjp,
            _where_not_vjp,
        ),
        jvps=(None, _where_jvp, _where_not_jvp),
        kind="elementwise",
        symbol="{a} if {condition} else {b}",
        code="np.where({condition}, {a}, {b})",
        forms=(
            None,
            Form(
                "[{condition}]",
                "{g} ∘ [{condition}]",
                "np.where({condition}, {g}, 0)",
                "the branch that is taken gets the gradient, the other one gets 0",
            ),
            Form(
                "[not {condition}]",
                "{g} ∘ [not {condition}]",
                "np.where({condition}, 0, {g})",
                "the branch that is taken gets the gradient, the other one gets 0",
            ),
        ),
        summary="The second where the condition holds, else the third.",
        analytic=True,
        chooses=True,
        cases=choice(_both_zero),
        corner="the branch not taken gets a gradient of 0, which a slope of inf or nan "
        "further back still turns into nan: where(x > 0, log(x), 0) at 0",
    ),
    _unary(
        "sign",
        np.sign,
        lambda g, y, x: np.zeros_like(g),
        "sign({x})",
        "np.sign({x})",
        Form("0", "0", "np.zeros_like({g})", "a flat step: no slope on either side"),
        "−1, 0 or 1 by the sign of each element.",
        "the slope is 0 everywhere, at the step as well",
        analytic=False,
        cases=(OF_ZERO, Case("flat", "step")),
        kinks=True,
    ),
    _unary(
        "stop_gradient",
        _same,
        None,
        "stop({x})",
        "{x}",
        None,
        "The same value, through which no gradient flows.",
        "no gradient, which is not a gradient of 0",
        analytic=True,
        cases=(OF_ZERO,),
        stops=True,
    ),
    _unary(
        "dropout",
        _dropout,
        _dropout_rule,
        "{x} ∘ mask / (1 − {p})",
        "{x} * (np.random.default_rng({seed}).random(np.shape({x})) >= {p}) "
        "/ (1 - {p})",
        Form(
            "mask / (1 − {p})",
            "{g} ∘ mask / (1 − {p})",
            "{g} * (np.random.default_rng({seed}).random(np.shape({g})) >= {p}) "
            "/ (1 - {p})",
            "what was dropped has no say; what was kept counts 1 / (1 − p) times",
        ),
        "Drops each element with probability p and scales the rest by 1 / (1 − p).",
        "the mask depends on the shape and the seed only, so every pass drops the same",
        (
            Parameter("p", checks.probability, 0.5),
            Parameter("seed", checks.count, 0),
        ),
        analytic=True,
        cases=(
            Case("nan", "zero times infinity"),
            OF_ZERO,
            Case("zero", "dropped"),
            Case("flat", "dropped"),
        ),
    ),
)

ROWS: Final[tuple[Op, ...]] = (
    *_ARITHMETIC,
    *_COMPARISONS,
    *_FUNCTIONS,
    *_ACTIVATIONS,
    *_SELECTION,
)
