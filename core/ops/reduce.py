"""Operations that make one number of many, along axes.

All but cumsum share one pattern. With `slope`, the derivative of a result by each of
the numbers that it was made of, backward is upstream × slope, spread over the operand,
and forward is the sum of tangent × slope.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from . import checks
from .table import Array, Form, Kind, Op, Parameter, Rule, Shape

Axis = int | tuple[int, ...] | None

_AXES: Final = (
    Parameter("axis", checks.axes, None),
    Parameter("keepdims", checks.flag, False),
)
# The upstream gradient with the reduced axes back as axes of length 1, in NumPy.
_UPSTREAM: Final = "np.reshape({g}, np.sum({x}, axis={axis}, keepdims=True).shape)"
_COUNT: Final = "(np.size({x}) // np.size({y}))"


# --------------------------------------------------------------------- shapes


def reduced_axes(shape: Shape, axis: Axis) -> tuple[int, ...]:
    """Return `axis` as axis numbers from 0 on; a `ValueError` says what does not fit.

    >>> reduced_axes((2, 3, 4), (0, -1))
    (0, 2)
    """
    if axis is None:
        return tuple(range(len(shape)))
    axes: list[int] = []
    for one in axis if isinstance(axis, tuple) else (axis,):
        if not -len(shape) <= one < len(shape):
            allowed = f"{-len(shape)} … {len(shape) - 1}" if shape else "none"
            raise ValueError(
                f"axis {one} is not an axis of shape {shape}; allowed: {allowed}"
            )
        if one % len(shape) in axes:
            raise ValueError(f"axis {one} is named twice in {axis}")
        axes.append(one % len(shape))
    return tuple(axes)


def _kept_shape(shape: Shape, axis: Axis) -> Shape:
    axes = reduced_axes(shape, axis)
    return tuple(1 if i in axes else size for i, size in enumerate(shape))


def _kept(g: Any, shape: Shape, axis: Axis) -> Any:
    """Return the upstream gradient with an axis of length 1 for each reduced one."""
    return g if axis is None else np.reshape(g, _kept_shape(shape, axis))


def _count(shape: Shape, axis: Axis) -> int:
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in reduced_axes(shape, axis))


def _sum_shape(
    shape: Shape, *, axis: Axis = None, keepdims: bool = False, **_others: Any
) -> Shape:
    axes = reduced_axes(shape, axis)
    if keepdims:
        return _kept_shape(shape, axis)
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def _shape_of_some(shape: Shape, *, axis: Axis = None, **attributes: Any) -> Shape:
    """Return the reduced shape where there has to be something to reduce."""
    if _count(shape, axis) == 0:
        raise ValueError(f"shape {shape} has no numbers along axis {axis}")
    return _sum_shape(shape, axis=axis, **attributes)


def _spread_shape(
    shape: Shape, *, axis: Axis = None, ddof: int = 0, **attributes: Any
) -> Shape:
    reduced = _shape_of_some(shape, axis=axis, **attributes)
    count = _count(shape, axis)
    if ddof >= count:
        raise ValueError(f"ddof {ddof} is too large for {count} numbers; it is below")
    return reduced


def _cumsum_shape(shape: Shape, *, axis: int | None = None) -> Shape:
    if axis is None:
        return (math.prod(shape),)
    reduced_axes(shape, axis)
    return shape


# ---------------------------------------------------------------------- rules


def _rules(slope: Rule) -> tuple[Rule, Rule]:
    """Return the vjp and the jvp of `slope(y, x, axis, …)`, `y` with its axes kept."""

    def vjp(
        g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False, **others: Any
    ) -> Any:
        kept = _kept_shape(np.shape(x), axis)
        return np.reshape(g, kept) * slope(np.reshape(y, kept), x, axis, **others)

    def jvp(
        t: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False, **others: Any
    ) -> Any:
        kept = _kept_shape(np.shape(x), axis)
        change = t * slope(np.reshape(y, kept), x, axis, **others)
        return np.sum(change, axis=axis, keepdims=keepdims)

    return vjp, jvp


def _sum_vjp(
    g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False
) -> Array:
    shape = np.shape(x)
    return np.full(shape, _kept(g, shape, axis))


def _sum_jvp(t: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sum(t, axis=axis, keepdims=keepdims)


def _mean_vjp(
    g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False
) -> Array:
    shape = np.shape(x)
    return np.full(shape, _kept(g, shape, axis) / _count(shape, axis))


def _mean_jvp(t: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.mean(t, axis=axis, keepdims=keepdims)


def _extreme_slope(y: Array, x: Any, axis: Axis) -> Array:
    # Where nothing is equal to y, y is nan, and 0 / 0 makes the whole slice nan.
    hits = (x == y).astype(y.dtype)
    return hits / np.sum(hits, axis=axis, keepdims=True)


def _prod_slope(y: Array, x: Any, axis: int | None) -> Array:
    """Return the product of all other numbers, without a division that 0 would spoil.

    What stands before times what stands after: two running products.
    """
    line = np.reshape(x, -1) if axis is None else np.moveaxis(x, axis, -1)
    before, after = np.ones_like(line), np.ones_like(line)
    before[..., 1:] = np.cumprod(line[..., :-1], axis=-1)
    after[..., -2::-1] = np.cumprod(line[..., :0:-1], axis=-1)
    others = before * after
    if axis is None:
        return np.reshape(others, np.shape(x))
    return np.moveaxis(others, -1, axis)


def _var_slope(y: Array, x: Any, axis: Axis, ddof: int = 0) -> Any:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return 2 * centred / (_count(np.shape(x), axis) - ddof)


def _std_slope(y: Array, x: Any, axis: Axis, ddof: int = 0) -> Any:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return np.where(y == 0, 0, centred / ((_count(np.shape(x), axis) - ddof) * y))


def _logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, reduced_axes(np.shape(x), axis))


def _logsumexp_slope(y: Array, x: Any, axis: Axis) -> Any:
    return np.exp(x - y)


def _cumsum_vjp(g: Any, y: Any, x: Any, axis: int | None = None) -> Any:
    backwards = np.flip(np.cumsum(np.flip(g, axis), axis), axis)
    return np.reshape(backwards, np.shape(x))


def _cumsum_jvp(t: Any, y: Any, x: Any, axis: int | None = None) -> Any:
    return np.cumsum(t, axis)


# ----------------------------------------------------------------------- rows


def _row(
    name: str,
    forward: Rule,
    shape: Rule,
    rules: tuple[Rule, Rule],
    symbol: str,
    code: str,
    form: Form,
    summary: str,
    corner: str = "",
    parameters: tuple[Parameter, ...] = _AXES,
    aliases: tuple[str, ...] = (),
    kind: Kind = "reduce",
) -> Op:
    vjp, jvp = rules

    def shown(y: Any, x: Any, **attributes: Any) -> Any:
        return vjp(np.ones_like(y), y, x, **attributes)

    return Op(
        name=name,
        operands=("x",),
        forward=forward,
        shape=shape,
        vjps=(vjp,),
        jvps=(jvp,),
        kind=kind,
        symbol=symbol,
        code=code,
        forms=(form,),
        summary=summary,
        parameters=parameters,
        aliases=aliases,
        corner=corner,
        # A number has a say in one result only: upstream ones lay all slopes bare.
        shown_local=(shown,) if kind == "reduce" else (),
    )


def _extreme(name: str, forward: Rule, word: str) -> Op:
    hits = f"({{x}} == np.{name}({{x}}, axis={{axis}}, keepdims=True))"
    return _row(
        name,
        forward,
        _shape_of_some,
        _rules(_extreme_slope),
        f"{name} {{x}}",
        f"np.{name}({{x}}, axis={{axis}}, keepdims={{keepdims}})",
        Form(
            "[{x} = {y}] / ties",
            "{g} ∘ [{x} = {y}] / ties",
            f"{_UPSTREAM} * {hits} / np.sum{hits[:-1]}, axis={{axis}}, keepdims=True)",
            f"only the {word} number moves the result; several equal ones share it",
        ),
        f"The {word} number along axes.",
        "equal numbers share the gradient equally; a nan makes all of its slice's "
        "gradient nan",
        aliases=(f"a{name}",),
    )


ROWS: Final[tuple[Op, ...]] = (
    _row(
        "sum",
        np.sum,
        _sum_shape,
        (_sum_vjp, _sum_jvp),
        "Σ {x}",
        "np.sum({x}, axis={axis}, keepdims={keepdims})",
        Form(
            "1",
            "{g} spread over {x}",
            f"np.full(np.shape({{x}}), {_UPSTREAM})",
            "each number counts once in its sum, so each gets the sum's whole gradient",
        ),
        "The sum along axes.",
    ),
    _row(
        "mean",
        np.mean,
        _shape_of_some,
        (_mean_vjp, _mean_jvp),
        "mean {x}",
        "np.mean({x}, axis={axis}, keepdims={keepdims})",
        Form(
            "1 / n",
            "{g} / n spread over {x}",
            f"np.full(np.shape({{x}}), {_UPSTREAM} / {_COUNT})",
            "each of the n numbers moves their mean by one n-th",
        ),
        "The mean along axes.",
    ),
    _extreme("max", np.max, "greatest"),
    _extreme("min", np.min, "least"),
    _row(
        "prod",
        np.prod,
        _sum_shape,
        _rules(_prod_slope),
        "∏ {x}",
        "np.prod({x}, axis={axis}, keepdims={keepdims})",
        Form(
            "∏ of the others",
            "{g} ∘ ∏ of the others",
            f"{_UPSTREAM} * np.reshape(np.stack("
            "[np.prod(np.delete({x}, i, {axis}), {axis}) "
            "for i in range(np.size({x}, {axis}))], {axis} or 0), np.shape({x}))",
            "one factor's derivative is the product of all others, also where one is 0",
        ),
        "The product along an axis, or of all numbers.",
        "right with zeros: the others are multiplied, and nothing is divided",
        parameters=(
            Parameter("axis", checks.axis, None),
            Parameter("keepdims", checks.flag, False),
        ),
    ),
    _row(
        "var",
        np.var,
        _spread_shape,
        _rules(_var_slope),
        "var {x}",
        "np.var({x}, axis={axis}, ddof={ddof}, keepdims={keepdims})",
        Form(
            "2 ({x} − mean) / (n − {ddof})",
            "{g} ∘ 2 ({x} − mean) / (n − {ddof})",
            f"{_UPSTREAM} * 2 * ({{x}} - np.mean({{x}}, axis={{axis}}, keepdims=True)) "
            f"/ ({_COUNT} - {{ddof}})",
            "the mean moves too, but deviations add up to 0, so its part cancels",
        ),
        "The variance along axes: squared deviations over n − ddof.",
        parameters=(*_AXES, Parameter("ddof", checks.count, 0)),
    ),
    _row(
        "std",
        np.std,
        _spread_shape,
        _rules(_std_slope),
        "std {x}",
        "np.std({x}, axis={axis}, ddof={ddof}, keepdims={keepdims})",
        Form(
            "({x} − mean) / ((n − {ddof}) · {y})",
            "{g} ∘ ({x} − mean) / ((n − {ddof}) {y})",
            f"{_UPSTREAM} * ({{x}} - np.mean({{x}}, axis={{axis}}, keepdims=True)) "
            f"/ ({_COUNT} - {{ddof}}) "
            f"/ {_UPSTREAM.replace('{g}', 'np.where({y} == 0, np.inf, {y})')}",
            "the variance's slope, through a square root whose result is stored",
        ),
        "The standard deviation along axes, the square root of var.",
        "the slope is 0 where all numbers are equal",
        parameters=(*_AXES, Parameter("ddof", checks.count, 0)),
    ),
    _row(
        "logsumexp",
        _logsumexp,
        _shape_of_some,
        _rules(_logsumexp_slope),
        "log Σ exp({x})",
        "np.logaddexp.reduce({x}, axis={axis}, keepdims={keepdims})",
        Form(
            "exp({x} − {y})",
            "{g} ∘ exp({x} − {y})",
            f"{_UPSTREAM} * np.exp({{x}} - {_UPSTREAM.replace('{g}', '{y}')})",
            "each number's share of the sum: the softmax of x",
        ),
        "log(Σ exp(x)) along axes, without overflow.",
        "where all numbers are −inf, or one is inf, the slope there is nan",
    ),
    _row(
        "cumsum",
        np.cumsum,
        _cumsum_shape,
        (_cumsum_vjp, _cumsum_jvp),
        "running Σ {x}",
        "np.cumsum({x}, axis={axis})",
        Form(
            "1 from its place on",
            "running Σ of {g} from the end",
            "np.reshape(np.flip(np.cumsum(np.flip({g}, {axis}), {axis}), {axis}), "
            "np.shape({x}))",
            "a number counts in every sum from its place on, so their gradients add",
        ),
        "The running sum along an axis, or of all numbers in order.",
        parameters=(Parameter("axis", checks.axis, None),),
        kind="block",
    ),
)
