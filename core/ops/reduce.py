"""Operations that make one number of many, along axes.

All but cumsum and cumprod share one pattern. With `slope`, the derivative of a result
by each of the numbers that it was made of, backward is upstream × slope, spread over
the operand, and forward is the sum of tangent × slope. What the slopes of a slice have
in common is found once, so that a single one of millions can be told.
"""

from __future__ import annotations

import math
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.text import counted
from .table import (
    Array,
    Case,
    Form,
    Op,
    Parameter,
    Rule,
    Shape,
    checks,
    linear,
    row_of_one,
)
from .table.axes import (
    Axis,
    along_axis,
    count_along,
    greatest,
    kept_shape,
    mean,
    of_nothing,
    reduced_axes,
    reduced_shape,
)
from .table.cases import FAINT, UNDERFLOW, choice
from .table.wide import careful, total, wide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# So many numbers are a view where they are the same. NumPy before 2.3 multiplies such
# matrices without BLAS, which takes 60 times as long.
_HAS_COPIES: Final = np.lib.NumpyVersion(np.__version__) >= "2.3.0"
_LARGE: Final = 4096 if _HAS_COPIES else math.inf

_AXIS: Final = Parameter("axis", checks.axis, None)
_KEEPDIMS: Final = Parameter("keepdims", checks.flag, False)
_AXES: Final = (Parameter("axis", checks.axes, None), _KEEPDIMS)
# The upstream gradient with the reduced axes back as axes of length 1, in NumPy.
_UPSTREAM: Final = "np.reshape({g}, np.sum({x}, axis={axis}, keepdims=True).shape)"
_SPREAD: Final = re.compile(re.escape(_UPSTREAM).replace(re.escape("{g}"), "(.*?)", 1))
_ASSUMED: Final = {"axis": None, "keepdims": False, "ddof": 0}
_COUNT: Final = "(np.size({x}) // np.size({y}))"


# --------------------------------------------------------------------- shapes


def _kept(g: Any, shape: Shape, axis: Axis) -> Any:
    """Return the upstream gradient with an axis of length 1 for each reduced one."""
    return g if axis is None else np.reshape(g, kept_shape(shape, axis))


def _shape_of_some(shape: Shape, *, axis: Axis = None, **attributes: Any) -> Shape:
    """Return the reduced shape where there has to be something to reduce."""
    if count_along(shape, axis) == 0:
        raise ValueError(f"shape {shape} has no numbers along axis {axis}")
    return reduced_shape(shape, axis=axis, **attributes)


def _spread_shape(
    shape: Shape, *, axis: Axis = None, ddof: int = 0, **attributes: Any
) -> Shape:
    reduced = reduced_shape(shape, axis=axis, **attributes)
    count = count_along(shape, axis)
    if 0 < count <= ddof:
        raise ValueError(
            f"ddof {ddof} is too large for {counted(count, 'number')}; less is allowed"
        )
    return reduced


def _cumsum_shape(shape: Shape, *, axis: int | None = None) -> Shape:
    if axis is None:
        return (math.prod(shape),)
    reduced_axes(shape, axis)
    return shape


# ---------------------------------------------------------------------- rules


def _rules(
    slope: Rule, shared: Rule | None = None, *, guard: Callable[[Rule], Rule] = careful
) -> tuple[Rule, Rule]:
    """Return the vjp and the jvp that belong to the columns of these names."""

    def slopes(y: Any, x: Any, axis: Axis, others: Mapping[str, Any]) -> Any:
        kept = np.reshape(y, kept_shape(np.shape(x), axis))
        common = () if shared is None else (shared(kept, x, axis=axis, **others),)
        count = count_along(np.shape(x), axis)
        return slope(kept, x, *common, count=count, axis=axis, **others)

    @guard
    def vjp(
        g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False, **others: Any
    ) -> Any:
        return _kept(g, np.shape(x), axis) * slopes(y, x, axis, others)

    @guard
    def jvp(
        t: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False, **others: Any
    ) -> Any:
        change = t * slopes(y, x, axis, others)
        return np.sum(change, axis=axis, keepdims=keepdims)

    return vjp, jvp


def _repeated(g: Any, shape: Shape) -> Array:
    """Return an array that has the same again and again: a large one as a view."""
    if math.prod(shape) < _LARGE:
        whole = np.empty(shape, np.asarray(g).dtype)  # a view takes longer to make
        whole[...] = g
        return whole
    return np.broadcast_to(g, shape)


def _sum_vjp(
    g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False
) -> Array:
    shape = np.shape(x)
    return _repeated(_kept(g, shape, axis), shape)


def _mean_vjp(
    g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False
) -> Array:
    shape = np.shape(x)
    count = count_along(shape, axis) or 1  # of nothing, nothing is divided
    return _repeated(_kept(g, shape, axis) / count, shape)


def _sum_slope(y: Array, x: Array, **_attributes: Any) -> Array:
    return np.ones_like(y)


def _mean_slope(y: Array, x: Array, *, count: int, **_attributes: Any) -> Array:
    return np.ones_like(y) / count


def _ties(y: Array, x: Any, *, axis: Axis = None, **_attributes: Any) -> Array:
    return np.sum(x == y, axis=axis, keepdims=True).astype(y.dtype)


def _extreme_slope(y: Array, x: Any, ties: Array, **_attributes: Any) -> Array:
    # Where nothing is equal to y, y is nan, and 0 / 0 makes the whole slice nan.
    return (x == y) / ties


def _others(y: Array, x: Any, *, axis: int | None = None, **_attributes: Any) -> Array:
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


def _prod_slope(y: Array, x: Any, others: Array, **_attributes: Any) -> Array:
    return others


def _centre(y: Array, x: Any, *, axis: Axis = None, **_attributes: Any) -> Any:
    return mean(x, axis=axis, keepdims=True)


def _var_slope(
    y: Array, x: Any, centre: Array, *, count: int, ddof: int = 0, **_attributes: Any
) -> Any:
    return 2 * (x - centre) / (count - ddof)


def _std_slope(
    y: Array, x: Any, centre: Array, *, count: int, ddof: int = 0, **_attributes: Any
) -> Any:
    return np.where(y == 0, 0, (x - centre) / ((count - ddof) * y))


@careful
def _norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _norm_slope(y: Array, x: Any, **_attributes: Any) -> Any:
    return np.where(y == 0, 0, x / y)


def _logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    top = greatest(x, axis)
    top = np.where(np.isfinite(top), top, 0)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, reduced_axes(np.shape(x), axis))


def _logsumexp_slope(y: Array, x: Any, **_attributes: Any) -> Any:
    return np.exp(x - y)


_cumsum: Final = careful(np.cumsum)


@careful
def _cumsum_vjp(g: Any, y: Any, x: Any, axis: int | None = None) -> Any:
    backwards = np.flip(np.cumsum(np.flip(g, axis), axis), axis)
    return np.reshape(backwards, np.shape(x))


_cumprod: Final = careful(np.cumprod)


def _lines(x: Any, axis: int | None) -> Any:
    """Return an array whose first axis is the one that is gone along."""
    return np.reshape(x, -1) if axis is None else np.moveaxis(x, axis, 0)


@wide
def _cumprod_vjp(g: Any, y: Any, x: Any, axis: int | None = None) -> Any:
    # Nothing is divided, which a 0 would spoil: upstream of a place, and what comes
    # back from those behind it through their factors.
    upstream, factors = _lines(g, axis), _lines(x, axis)
    back = np.array(upstream)
    for place in range(len(back) - 2, -1, -1):
        back[place] += factors[place + 1] * back[place + 1]
    before = np.ones_like(factors)
    before[1:] = np.cumprod(factors[:-1], 0)
    back = before * back
    return np.reshape(back, np.shape(x)) if axis is None else np.moveaxis(back, 0, axis)


@wide
def _cumprod_jvp(t: Any, y: Any, x: Any, axis: int | None = None) -> Any:
    products, factors = _lines(y, axis), _lines(x, axis)
    change = np.array(_lines(t, axis))
    # What does not move is 0, even beside an infinity.
    moves = change != 0
    has_moved = np.logical_or.accumulate(moves, 0)
    for place in range(1, len(change)):
        own = np.where(moves[place], change[place] * products[place - 1], 0)
        before = factors[place] * change[place - 1]
        change[place] = own + np.where(has_moved[place - 1], before, 0)
    return change if axis is None else np.moveaxis(change, 0, axis)


# ----------------------------------------------------------------------- rows


def _row(
    name: str,
    forward: Rule,
    shape: Rule,
    slope: tuple[Rule] | tuple[Rule, Rule],
    symbol: str,
    code: str,
    form: Form,
    summary: str,
    corner: str = "",
    parameters: tuple[Parameter, ...] = _AXES,
    rules: tuple[Rule, Rule] | None = None,
    **columns: Any,
) -> Op:
    """Return a row with its slope, and what the slopes of a slice share.

    `rules` are the vjp and the jvp, where they can be had for less.
    """
    columns |= {"corner": corner, "parameters": parameters}
    columns["wording"] = partial(_written, form, code)
    return row_of_one(
        name,
        forward,
        shape,
        rules or _rules(*slope),
        "reduce",
        symbol,
        code,
        form,
        summary,
        slope=slope[0],
        shared=slope[1] if len(slope) > 1 else None,
        **columns,
    )


def _written(
    form: Form,
    code: str,
    x: Shape,
    axis: Axis = None,
    keepdims: bool = False,
    **others: Any,
) -> Mapping[str, Any]:
    """Return the form and the code as a person writes them, who sees the shapes.

    What NumPy spreads over an array by itself is not spread by hand, and arguments that
    say what NumPy assumes are left out.
    """
    code = _without_assumed(code, axis=axis, keepdims=keepdims, **others)
    is_fitting = axis is None or keepdims
    spread_out = r"\1" if is_fitting else rf"np.expand_dims(\1, {axis})"
    spread = form.code.removeprefix("np.full(np.shape({x}), ")
    if spread != form.code:
        spread = spread[:-1]
    spread = _SPREAD.sub(spread_out, spread).replace(_COUNT, str(count_along(x, axis)))
    forms = (form._replace(statement=f"{{into}} += {spread}"),)
    return {"code": code, "forms": forms}


def _without_assumed(code: str, **given: Any) -> str:
    for name, assumed in _ASSUMED.items():
        if given.get(name, assumed) == assumed:
            code = code.replace(f", {name}={{{name}}}", "")
    return code


def _cumsum_written(_x: Shape, axis: int | None = None) -> Mapping[str, Any]:
    return {"code": _without_assumed("np.cumsum({x}, axis={axis})", axis=axis)}


def _cumprod_written(x: Shape, axis: int | None = None) -> Mapping[str, Any]:
    along = 0 if axis is None else axis % len(x)
    count = count_along(x, axis)
    column = (-1, *[1] * (0 if axis is None else len(x) - along - 1))
    line = "np.ravel({x})" if axis is None else "{x}"
    other = f"np.where(np.reshape(np.arange({count}), {column}) == i, 1, {line})"
    rest = f"np.take(np.cumprod({other}, {along}), np.arange(i, {count}), {along})"
    part = f"np.sum(np.take({{g}}, np.arange(i, {count}), {along}) * {rest}, {along})"
    each = f"np.stack([{part} for i in range({count})], {along})"
    form = _OF_PRODUCTS._replace(
        code=f"np.reshape({each}, {x})" if count else "np.zeros_like({x})"
    )
    code = _without_assumed("np.cumprod({x}, axis={axis})", axis=axis)
    return {"code": code, "forms": (form,)}


_OF_PRODUCTS: Final = Form(
    "∏ of the others up to each place",
    "Σ {g} ∏ of the others, from its place on",
    "{g}",
    "a number is a factor of every product from its place on: the derivative of each "
    "is the product of its others, also where one is 0",
    work=(3, -3),
)


def _extreme(name: str, forward: Rule, word: str) -> Op:
    hits = f"({{x}} == np.{name}({{x}}, axis={{axis}}, keepdims=True))"
    return _row(
        name,
        forward,
        _shape_of_some,
        (_extreme_slope, _ties),
        f"{name} {{x}}",
        f"np.{name}({{x}}, axis={{axis}}, keepdims={{keepdims}})",
        Form(
            "[{x} = {y}] / ties",
            "{g} ∘ [{x} = {y}] / ties",
            f"{_UPSTREAM} * {hits} / np.sum{hits[:-1]}, axis={{axis}}, keepdims=True)",
            f"only the {word} number moves the result; several equal ones share it",
            work=(1,),
        ),
        f"The {word} number along axes.",
        "equal numbers share the gradient equally; a nan makes all of its slice's "
        "gradient nan",
        analytic=False,
        cases=choice(_are_zero),
        kinks=True,
        work=(),
    )


# The facts below take `axis` and `keepdims` as NumPy does, and leave `ddof` aside.


def _are_zero(_y: Array, x: Array, **along: Any) -> Any:
    return np.all(x == 0, **along)


def _are_equal(_y: Array, x: Array, *, ddof: int = 0, **along: Any) -> Any:
    return np.max(x, **along) == np.min(x, **along)


def _are_infinite(_y: Array, x: Array, *, ddof: int = 0, **along: Any) -> Any:
    return np.any(np.isinf(x), **along)


def _has_zero(_y: Array, x: Array, **along: Any) -> Any:
    return np.any(x == 0, **along)


def _so_far(found: Array, axis: int | None) -> Any:
    """Tell where something holds for a number of a running product."""
    return np.logical_or.accumulate(
        np.ravel(found) if axis is None else found, axis or 0
    )


def _has_zero_before(_y: Array, x: Array, *, axis: int | None = None) -> Any:
    """Tell where a product has a factor that is 0."""
    return _so_far(x == 0, axis)


def _has_infinity_before(_y: Array, x: Array, *, axis: int | None = None) -> Any:
    """Tell where a product has an infinite factor."""
    return _so_far(np.isinf(x), axis)


def _has_both_before(y: Array, x: Array, **along: Any) -> Any:
    return _has_zero_before(y, x, **along) & _has_infinity_before(y, x, **along)


def _is_only_zero(_y: Array, x: Array, **along: Any) -> Any:
    """Tell where all numbers are −inf but one, and that is 0."""
    return np.sum(x != -np.inf, **along) == 1


def _is_zero_and_more(_y: Array, x: Array, **along: Any) -> Any:
    """Tell where exp(0) = 1 is one of the numbers that are added up, beside others."""
    return np.max(x, **along) == 0


_OF_DEVIATIONS: Final = (
    Case("nan", "infinite deviation", _are_infinite),
    Case("nan", "overflow both ways"),
    Case("zero", "all equal", _are_equal),
    Case("zero", "underflow on the way"),
    Case("flat", "all equal", _are_equal),
    Case("flat", "at the mean"),
)

ROWS: Final[tuple[Op, ...]] = (
    _row(
        "sum",
        total,
        reduced_shape,
        (_sum_slope,),
        "Σ {x}",
        "np.sum({x}, axis={axis}, keepdims={keepdims})",
        Form(
            "1",
            "{g} spread over {x}",
            f"np.full(np.shape({{x}}), {_UPSTREAM})",
            "each number counts once in its sum, so each gets the sum's whole gradient",
        ),
        "The sum along axes.",
        rules=(_sum_vjp, linear(total)),
        analytic=True,
        reduction="sum",
        signs=(1,),
        work=(),
    ),
    _row(
        "mean",
        mean,
        reduced_shape,
        (_mean_slope,),
        "mean {x}",
        "np.mean({x}, axis={axis}, keepdims={keepdims})",
        Form(
            "1 / n",
            "{g} / n spread over {x}",
            f"np.full(np.shape({{x}}), {_UPSTREAM} / {_COUNT})",
            "each of the n numbers moves their mean by one n-th",
        ),
        "The mean along axes.",
        "of no numbers it is nan; where the sum does not fit, as of 1.7e308 twice, it "
        "is right, and inf in PyTorch",
        rules=(_mean_vjp, linear(mean)),
        analytic=True,
        reduction="mean",
        signs=(1,),
    ),
    _extreme("max", np.max, "greatest"),
    _extreme("min", np.min, "least"),
    _row(
        "prod",
        careful(np.prod),
        reduced_shape,
        (_prod_slope, _others),
        "∏ {x}",
        "np.prod({x}, axis={axis}, keepdims={keepdims})",
        Form(
            "∏ of the others",
            "{g} ∘ ∏ of the others",
            f"{_UPSTREAM} * np.reshape(np.stack("
            "[np.prod(np.delete({x}, i, {axis}), {axis}) "
            "for i in range(np.size({x}, {axis}))], {axis} or 0), np.shape({x}))",
            "one factor's derivative is the product of all others, also where one is 0",
            work=(4, -4),
        ),
        "The product along an axis, or of all numbers.",
        "right with zeros: the others are multiplied, and nothing is divided; of "
        "several zeros an upstream gradient of nan or inf gives nan, where PyTorch's "
        "prod of all numbers has 0",
        parameters=(_AXIS, _KEEPDIMS),
        analytic=True,
        multiplies=True,
        cases=(Case("flat", "zero factor", _has_zero), FAINT),
        work=(1, -1),
    ),
    _row(
        "var",
        of_nothing(careful(np.var)),
        _spread_shape,
        (_var_slope, _centre),
        "var {x}",
        "np.var({x}, axis={axis}, ddof={ddof}, keepdims={keepdims})",
        Form(
            "2 ({x} − mean) / (n − {ddof})",
            "{g} ∘ 2 ({x} − mean) / (n − {ddof})",
            f"{_UPSTREAM} * 2 * ({{x}} - np.mean({{x}}, axis={{axis}}, keepdims=True)) "
            f"/ ({_COUNT} - {{ddof}})",
            "the mean moves too, but deviations add up to 0, so its part cancels",
            work=(3, 1),
        ),
        "The variance along axes: squared deviations over n − ddof.",
        "of no numbers it is nan",
        parameters=(*_AXES, Parameter("ddof", checks.count, 0)),
        analytic=False,
        cases=_OF_DEVIATIONS,
        work=(1, 2),
    ),
    _row(
        "std",
        of_nothing(careful(np.std)),
        _spread_shape,
        (_std_slope, _centre),
        "std {x}",
        "np.std({x}, axis={axis}, ddof={ddof}, keepdims={keepdims})",
        Form(
            "({x} − mean) / ((n − {ddof}) · {y})",
            "{g} ∘ ({x} − mean) / ((n − {ddof}) {y})",
            f"{_UPSTREAM} * ({{x}} - np.mean({{x}}, axis={{axis}}, keepdims=True)) "
            f"/ ({_COUNT} - {{ddof}}) "
            f"/ {_UPSTREAM.replace('{g}', 'np.where({y} == 0, np.inf, {y})')}",
            "the variance's slope, through a square root whose result is stored",
            work=(2, 2),
        ),
        "The standard deviation along axes, the square root of var.",
        "the slope is 0 where all numbers are equal, unless their mean is rounded: "
        "three times 0.1 have a std of 1.4e-17 with slopes of −1/3, as in PyTorch; of "
        "no numbers std is nan; log(std(x)) of equal numbers has nan, for 0 · inf, "
        "where PyTorch has 0",
        parameters=(*_AXES, Parameter("ddof", checks.count, 0)),
        analytic=False,
        cases=_OF_DEVIATIONS,
        kinks=True,
        work=(1, 3),
    ),
    _row(
        "logsumexp",
        _logsumexp,
        reduced_shape,
        (_logsumexp_slope,),
        "log Σ exp({x})",
        "np.logaddexp.reduce({x}, {axis}, keepdims={keepdims})",
        Form(
            "exp({x} − {y})",
            "{g} ∘ exp({x} − {y})",
            f"{_UPSTREAM} * np.exp({{x}} - {_UPSTREAM.replace('{g}', '{y}')})",
            "each number's share of the sum: the softmax of x",
            work=(2,),
        ),
        "log(Σ exp(x)) along axes, without overflow.",
        "of no numbers it is −inf; where all numbers are −inf, or one is inf, the "
        "slope there is nan",
        rules=_rules(_logsumexp_slope, guard=wide),
        analytic=True,
        cases=(
            Case("zero", "zero operand", _is_only_zero),
            Case("zero", "rounded", _is_zero_and_more),
            Case("flat", "outweighed"),
        ),
        work=(1, 1),
    ),
    _row(
        "norm",
        _norm,
        reduced_shape,
        (_norm_slope,),
        "norm {x}",
        "np.sqrt(np.sum(np.square({x}), axis={axis}, keepdims={keepdims}))",
        Form(
            "{x} / {y}",
            "{g} ∘ {x} / {y}",
            f"{_UPSTREAM} * {{x}} "
            f"/ {_UPSTREAM.replace('{g}', 'np.where({y} == 0, np.inf, {y})')}",
            "of a root of a sum of squares: half of 2 x over the root, which is the "
            "direction of x",
            work=(2,),
        ),
        "The Euclidean norm along axes: the root of the sum of squares.",
        "the slope is 0 where all numbers are 0, as in PyTorch; in "
        "sqrt(sum(x ** 2)) it is nan",
        analytic=False,
        cases=(
            Case("zero", "zero operand", _are_zero),
            Case("flat", "corner", _are_zero),
            Case("flat", "nothing of it"),
        ),
        kinks=True,
        work=(1, 1),
    ),
    row_of_one(
        "cumprod",
        _cumprod,
        _cumsum_shape,
        (_cumprod_vjp, _cumprod_jvp),
        "block",
        "running ∏ {x}",
        "np.cumprod({x}, axis={axis})",
        _OF_PRODUCTS,
        "The running product along an axis, or of all numbers in order.",
        corner="right with zeros: nothing is divided",
        analytic=True,
        parameters=(_AXIS,),
        axis_letters=along_axis,
        wording=_cumprod_written,
        cases=(
            Case("nan", "zero times infinity", _has_both_before),
            Case("nan", "underflow meets infinity", _has_infinity_before),
            Case("nan", "overflow meets zero"),
            Case("zero", "zero operand", _has_zero_before),
            UNDERFLOW,
            Case("flat", "zero factor", _has_zero_before),
            FAINT,
        ),
        work=(1, -1),
    ),
    row_of_one(
        "cumsum",
        _cumsum,
        _cumsum_shape,
        (_cumsum_vjp, linear(_cumsum)),
        "block",
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
        analytic=True,
        parameters=(_AXIS,),
        axis_letters=along_axis,
        reduction="sum",
        wording=_cumsum_written,
        signs=(1,),
        work=(),
    ),
)
