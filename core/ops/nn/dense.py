"""A layer whose results are each joined to all of the inputs of a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..table import Array, Case, Cost, Form, Op, Shape
from ..table.axes import LETTERS
from ..table.wide import summed, total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _shape(input: Shape, weight: Shape, bias: Shape | None = None) -> Shape:
    if not input or len(weight) != 2 or input[-1] != weight[1]:
        raise ValueError(
            f"linear: input {input} has to be (…, features) and weight {weight} "
            "(results, features), with as many features"
        )
    if bias is not None and bias != weight[:1]:
        raise ValueError(
            f"linear: bias {bias} does not fit weight {weight}: "
            f"one number for each result is of shape {weight[:1]}"
        )
    return (*input[:-1], weight[0])


def _rows(x: Array) -> Array:
    """Return all samples in one matrix: one product is faster than one for each."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


@summed
def _linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    y = np.matmul(_rows(input), weight.T)
    if bias is not None:
        is_kept = np.result_type(y, bias) == y.dtype
        y = np.add(y, bias, out=y if is_kept else None)
    return y.reshape(*input.shape[:-1], weight.shape[0])


@summed
def _by_input(g: Array, _y: Array, input: Array, weight: Array, *_bias: Array) -> Array:
    return np.matmul(_rows(g), weight).reshape(input.shape)


@summed
def _by_weight(
    g: Array, _y: Array, input: Array, _weight: Array, *_bias: Array
) -> Array:
    return np.matmul(_rows(g).T, _rows(input))


def _by_bias(g: Array, _y: Array, _input: Array, _weight: Array, _bias: Array) -> Array:
    return total(_rows(g), 0)


def _of_input(
    t: Array, _y: Array, _input: Array, weight: Array, *_bias: Array
) -> Array:
    return _linear(t, weight)


def _of_weight(
    t: Array, _y: Array, input: Array, _weight: Array, *_bias: Array
) -> Array:
    return _linear(input, t)


def _of_bias(t: Array, y: Array, _input: Array, _weight: Array, _bias: Array) -> Array:
    return np.broadcast_to(t, y.shape)


def _cost(input: Shape, weight: Shape, *_bias: Shape) -> Cost:
    return Cost(math.prod(input) * weight[0])


def _letters(input: Shape, _weight: Shape, *bias: Shape) -> str:
    samples, made = LETTERS[: len(input) - 1], LETTERS[len(input) - 1]
    added = f",{made}" if bias else ""
    return f"{samples}*,{made}*{added}->{samples}{made}"


def _factors(
    index: Sequence[int], input: Shape, _weight: Shape, *_bias: Shape
) -> tuple[Array, Array]:
    """Return the features of a sample, and the weights of a result, in one order."""
    *sample, made = index
    features = np.arange(input[-1])
    same = np.ones_like(features)
    taken = [place * same for place in sample]
    return np.stack([*taken, features], 1), np.stack([made * same, features], 1)


# -------------------------------------------------------------------------------- words

_FORMS: Final = (
    Form(
        "{weight}",
        "{g} {weight}",
        "{g} @ {weight}",
        "a feature meets one weight for each result: upstream of each result times "
        "that weight, summed over the results",
    ),
    Form(
        "{input}",
        "{g}ᵀ {input}",
        "{g}.T @ {input}",
        "a weight joins one feature to one result, in every sample: upstream times "
        "that feature, summed over the samples",
    ),
    Form(
        "1",
        "Σ {g} over samples",
        "np.sum({g}, 0)",
        "one bias is added for every sample, and contributions add",
    ),
)


def _wording(input: Shape, weight: Shape, *bias: Shape) -> Mapping[str, Any]:
    by_input, by_weight, by_bias = _FORMS
    if len(input) == 1:
        by_weight = by_weight._replace(code="np.outer({g}, {input})")
        by_bias = by_bias._replace(product="{g}", code="{g}")
    elif len(input) > 2:
        rows = f"{{g}}.reshape({math.prod(input[:-1])}, {weight[0]}).T"
        columns = f"{{input}}.reshape({math.prod(input[:-1])}, {input[-1]})"
        by_weight = by_weight._replace(
            product="Σ {g}ᵀ {input} over samples", code=f"{rows} @ {columns}"
        )
        by_bias = by_bias._replace(code=f"np.sum({{g}}, {(*range(len(input) - 1),)})")
    added = " + {bias}" if bias else ""
    return {
        "symbol": "{input} {weight}ᵀ" + added,
        "code": "{input} @ {weight}.T" + added,
        "forms": (by_input, by_weight, by_bias),
    }


# ----------------------------------------------------------------------------- the rows

ROWS: Final[tuple[Op, ...]] = (
    Op(
        name="linear",
        operands=("input", "weight", "bias"),
        forward=_linear,
        shape=_shape,
        vjps=(_by_input, _by_weight, _by_bias),
        jvps=(_of_input, _of_weight, _of_bias),
        kind="block",
        symbol="{input} {weight}ᵀ",
        code="{input} @ {weight}.T",
        forms=_FORMS,
        summary="A layer of weighted sums, with a row of weights for each result.",
        analytic=True,
        optional=1,
        cost=_cost,
        cases=(Case("flat", "zero factor"),),
        factors=_factors,
        axis_letters=_letters,
        wording=_wording,
    ),
)
