"""The functions between the layers of a network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..table import (
    Array,
    Case,
    Form,
    Op,
    Parameter,
    Shape,
    checks,
)
from ..table.cases import (
    AT_MINUS_INFINITY,
    CORNER,
    OF_ZERO,
    SATURATED,
    UNDERFLOW,
)
from ..table.wide import NOT_TOGETHER, careful, in_range, wide, wide_result
from .normal import gelu, gelu_rule, value_and_slope
from .rows import unary, where

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


@careful  # of exp(−x) no more than its size is needed, and it tells where it overflows
def _sigmoid(x: Any) -> Any:
    y = np.exp(-x)
    # What is written where something was is faster than fresh memory.
    out = y if y.ndim else None
    y = np.add(y, 1, out=out)
    return np.divide(1, y, out=out)


def _sigmoid_rule(g: Any, y: Any, x: Any) -> Any:
    product = g * y
    product *= 1 - y  # in place, where it is an array
    return product


@careful
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


def _is_by_tanh(_y: Any, _x: Any, approximate: str = "none") -> bool:
    return approximate == "tanh"


def _gelu(x: Any, approximate: str = "none") -> Any:
    return gelu(x) if approximate == "none" else _gelu_by_tanh(x)


@in_range
def _gelu_together(x: Any, approximate: str = "none") -> tuple[Any, Any]:
    return value_and_slope(x) if approximate == "none" else NOT_TOGETHER


def _gelu_rule(
    g: Any, y: Any, x: Any, approximate: str = "none", slopes: Any = None
) -> Any:
    if approximate == "none":
        return gelu_rule(g, x, slopes=slopes)
    return _gelu_rule_by_tanh(g, y, x)


_BY_NORMAL: Final = Form(
    "Φ({x}) + {x} · φ({x})",
    "{g} ∘ (Φ({x}) + {x} ∘ φ({x}))",
    f"{{g}} * ({_NORMAL} + {{x}} * {_BELL})",
    "the product rule: the slope of the normal distribution Φ is its density φ",
    work=(9,),
)


def _gelu_wording(_x: Shape, approximate: str = "none") -> Mapping[str, Any]:
    if approximate == "none":
        return {}
    slope = f"{_NORMAL_BY_TANH} * (1 + ({{x}} - {{y}}) * {_INNER_SLOPE})"
    form = _BY_NORMAL._replace(code=f"{{g}} * {slope}", work=(12,))
    return {"code": f"{{x}} * {_NORMAL_BY_TANH}", "forms": (form,), "work": (7,)}


def _elu(x: Any, alpha: float = 1.0) -> Any:
    return where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@wide
def _elu_rule(g: Any, y: Any, x: Any, alpha: float = 1.0) -> Any:
    return where(x <= 0, g * alpha * np.exp(np.minimum(x, 0)), g)


def _leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    return where(x > 0, x, negative_slope * x)


def _leaky_relu_rule(g: Any, y: Any, x: Any, negative_slope: float = 0.01) -> Any:
    return where(x > 0, g, negative_slope * g)


def _open(g: Any, shut: Any) -> Any:
    """Return `g` where a gate is open, and 0 where it is shut, even for nan.

    `np.where` decides at each element anew. To multiply the bits by 1 or 0, as if they
    were whole numbers, gives the same and is several times faster.
    """
    floats: Array = np.asarray(g)
    if floats.ndim and floats.dtype.char in "efd":
        bits: Array = floats.view(f"u{floats.itemsize}")
        return (bits * ~shut).view(floats.dtype)
    return where(shut, 0, g)


ROWS: Final[tuple[Op, ...]] = (
    unary(
        "sigmoid",
        _sigmoid,
        _sigmoid_rule,
        "σ({x})",
        "1 / (1 + np.exp(-{x}))",
        Form(
            "{y} · (1 − {y})",
            "{g} ∘ {y} ∘ (1 − {y})",
            "{g} * {y} * (1 - {y})",
            "the slope needs the stored result only; it is never more than 1/4",
            work=(2,),
        ),
        "1 / (1 + exp(−x)), from 0 to 1.",
        "far below 0 it is as small as numbers go, and at −800 it is 0 with slope 0, "
        "never nan; PyTorch has 0 from −710 on, and in float32 from −89 on",
        analytic=True,
        cases=(AT_MINUS_INFINITY, UNDERFLOW, SATURATED),
        work=(2,),
    ),
    unary(
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
            work=(2,),
        ),
        "log(1 + exp(x)): relu with a round corner.",
        "the slope is 0 far below 0 and 1 far above it, and never nan",
        analytic=False,
        cases=(AT_MINUS_INFINITY, UNDERFLOW, SATURATED),
        work=(2,),
    ),
    unary(
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
        work=(),
    ),
    unary(
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
    unary(
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
            work=(3,),
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
        work=(2,),
    ),
    unary(
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
            work=(3,),
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
        work=(2,),
    ),
    unary(
        "gelu",
        _gelu,
        _gelu_rule,
        "{x} ∘ Φ({x})",
        f"{{x}} * {_NORMAL}",
        _BY_NORMAL,
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
        portion=True,
        together=_gelu_together,
        wording=_gelu_wording,
        work=(4,),
    ),
    unary(
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
            work=(4,),
        ),
        "The error function, 2/√π times the integral of exp(−t²) from 0 to x.",
        analytic=False,
        cases=(OF_ZERO, SATURATED),
    ),
)
