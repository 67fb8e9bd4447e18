"""A convolution the other way round: from each number a filter spreads over places."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...base.text import counted
from ..table import Array, Case, Cost, Form, Op, Parameter, Shape, checks
from ..table.wide import summed, total
from .convolution import (
    BIAS_FORM,
    conv2d_back_code,
    conv2d_loops,
    conv_grid,
    each_group,
    filters_of,
    flat,
    grouped,
    spread_back,
)
from .windows import padded_code, pair, windows_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .windows import Grid


def _shape(
    input: Shape, weight: Shape, bias: Shape | None = None, **attributes: Any
) -> Shape:
    if len(input) != 4 or len(weight) != 4:
        raise ValueError(
            f"conv_transpose2d: input {input} has to be (samples, channels, height, "
            f"width) and weight {weight} (channels, filters, height, width)"
        )
    groups = attributes.get("groups", 1)
    if input[1] != weight[0] or weight[0] % groups:
        raise ValueError(
            f"conv_transpose2d: input {input} has {counted(input[1], 'channel')}, "
            f"weight {weight} takes {weight[0]}; groups={groups} has to divide them"
        )
    made = _made(input, weight, attributes)
    if bias is not None and bias != made[1:2]:
        raise ValueError(
            f"conv_transpose2d: bias {bias} does not fit weight {weight}: "
            f"one number for each filter is of shape {made[1:2]}"
        )
    if 0 in weight or min(made[2:]) < 1 or min(input[2:]) < 1:
        raise ValueError(
            f"conv_transpose2d: input {input} and weight {weight} make {made[2:]}"
        )
    more, step = (pair(attributes.get(k, d)) for k, d in _STEPS)
    if more[0] >= step[0] or more[1] >= step[1]:
        raise ValueError(
            f"conv_transpose2d: output_padding {more} has to be less than stride {step}"
        )
    return made


_STEPS: Final = (("output_padding", 0), ("stride", 1))


def _made(input: Shape, weight: Shape, attributes: Mapping[str, Any]) -> Shape:
    """Return the shape of the result, on which a convolution would give the input's."""
    names = ("stride", "padding", "dilation", "output_padding")
    defaults = (1, 0, 1, 0)
    pairs = (pair(attributes.get(*one)) for one in zip(names, defaults, strict=True))
    sides = zip(input[2:], weight[2:], *pairs, strict=True)
    size = [
        (long - 1) * step - 2 * pad + gap * (kernel - 1) + more + 1
        for long, kernel, step, pad, gap, more in sides
    ]
    return (input[0], weight[1] * attributes.get("groups", 1), *size)


def _forward(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    made = _made(input.shape, weight.shape, attributes)
    y = spread_back(input, weight, shape=made, **attributes)
    return y if bias is None else y + bias.reshape(-1, 1, 1)


def _meetings(grid: Grid, size: Shape) -> Iterator[tuple[Any, Any, Any]]:
    """Give each place of the kernel, the numbers it spreads, and where they arrive.

    A border of zeros, as a convolution has it, would make NaN of infinite numbers.
    """
    for kernel in np.ndindex(*grid.kernel):
        axes = zip(kernel, grid.dilation, grid.padding, grid.stride, strict=True)
        firsts = [(place * gap - pad, step) for place, gap, pad, step in axes]
        sides = zip(firsts, size, grid.size, strict=True)
        met = [_met(*first, count, long) for first, count, long in sides]
        own, theirs = ((..., *one) for one in zip(*met, strict=True))
        yield kernel, own, theirs


@summed
def _gathered(g: Array, weight: Array, *, shape: Shape, **attributes: Any) -> Array:
    """Return what comes back to an input of `shape`."""
    groups = attributes.get("groups", 1)
    grid = conv_grid(g.shape, weight.shape, attributes)
    back = np.zeros(shape, np.result_type(g, weight))
    parts, upstream = grouped(back, groups), grouped(g, groups)
    matrices = filters_of(weight, groups)
    for kernel, own, theirs in _meetings(grid, shape[2:]):
        reached = upstream[theirs]
        product = np.matmul(matrices[kernel], flat(reached))
        parts[own] += product.reshape(*product.shape[:-1], *reached.shape[-2:])
    return back


@summed
def _met_by_weight(g: Array, input: Array, *, shape: Shape, **attributes: Any) -> Array:
    """Return the sums, over samples and places, of what weights of `shape` have met."""
    groups = attributes.get("groups", 1)
    grid = conv_grid(g.shape, shape, attributes)
    x, upstream = grouped(input, groups), grouped(g, groups)
    result = np.empty(shape, g.dtype)
    for (row, column), own, theirs in _meetings(grid, input.shape[2:]):
        each = np.matmul(flat(x[own]), flat(upstream[theirs]).swapaxes(-1, -2))
        result[:, :, row, column] = each.sum(0).reshape(shape[:2])
    return result


def _met(first: int, step: int, count: int, size: int) -> tuple[slice, slice]:
    """Return which of `count` numbers reach places below `size`, and these places.

    The number n reaches the place first + n · step.

    >>> _met(-1, 2, 3, 4)
    (slice(1, 3, None), slice(1, 5, 2))
    """
    start = max(0, -(first // step))
    stop = max(start, min(count, (size - 1 - first) // step + 1))
    begin = first + start * step
    return slice(start, stop), slice(begin, begin + (stop - start) * step, step)


def _by_input(
    g: Array, _y: Array, input: Array, weight: Array, *_bias: Array, **attributes: Any
) -> Array:
    return _gathered(g, weight, shape=input.shape, **attributes)


def _by_weight(
    g: Array, _y: Array, input: Array, weight: Array, *_bias: Array, **attributes: Any
) -> Array:
    return _met_by_weight(g, input, shape=weight.shape, **attributes)


def _by_bias(
    g: Array, _y: Array, _input: Array, _weight: Array, _bias: Array, **_attributes: Any
) -> Array:
    return total(g, (0, 2, 3))


def _of_input(
    t: Array, _y: Array, _input: Array, weight: Array, *_bias: Array, **attributes: Any
) -> Array:
    return _forward(t, weight, **attributes)


def _of_weight(
    t: Array, _y: Array, input: Array, _weight: Array, *_bias: Array, **attributes: Any
) -> Array:
    return _forward(input, t, **attributes)


def _of_bias(
    t: Array, y: Array, _input: Array, _weight: Array, _bias: Array, **_attributes: Any
) -> Array:
    return np.broadcast_to(t.reshape(-1, 1, 1), y.shape)


def _cost(input: Shape, weight: Shape, *_bias: Shape, **attributes: Any) -> Cost:
    work = math.prod(input) * math.prod(weight[1:])
    grid = conv_grid(_made(input, weight, attributes), weight, attributes)
    filters = weight[1] * attributes.get("groups", 1)
    return Cost(work, input[0] * filters * math.prod(grid.padded))


def _letters(_input: Shape, _weight: Shape, *bias: Shape, **attributes: Any) -> str:
    one = attributes.get("groups", 1) == 1
    taken, weight, made = ("nc**", "co**", "o") if one else ("n***", "****", "*")
    return f"{taken},{weight}{f',{made}' if bias else ''}->n{made}**"


def _factors(
    index: Sequence[int],
    input: Shape,
    weight: Shape,
    *_bias: Shape,
    **attributes: Any,
) -> tuple[Array, Array]:
    """Return what reaches a place, and through which weights, in one order."""
    sample, made, row, column = index
    grid = conv_grid(_made(input, weight, attributes), weight, attributes)
    each = weight[0] // attributes.get("groups", 1)
    c, i, j = (np.ravel(one) for one in np.indices((each, *grid.kernel)))
    same = np.ones_like(c)
    channel = made // weight[1] * each + c
    sides = zip(
        (row, column), (i, j), grid.padding, grid.dilation, grid.stride, strict=True
    )
    at: list[Array] = []
    meets = np.ones(c.shape, np.bool_)
    for (place, of_kernel, pad, gap, step), size in zip(sides, input[2:], strict=True):
        far = place + pad - of_kernel * gap
        at.append(far // step)
        meets &= (far % step == 0) & (at[-1] >= 0) & (at[-1] < size)
    under = np.stack([sample * same, channel, *at], axis=1)
    weights = np.stack([channel, made % weight[1] * same, i, j], axis=1)
    return under[meets], weights[meets]


# -------------------------------------------------------------------------------- words


def _wording(
    input: Shape, weight: Shape, bias: Shape | None = None, **attributes: Any
) -> Mapping[str, Any]:
    """Return the words of a convolution, with input and upstream gradient exchanged."""
    groups = attributes.get("groups", 1)
    made = _made(input, weight, attributes)
    grid = conv_grid(made, weight, attributes)
    windows = windows_code(padded_code("{g}", grid, 4), grid)
    result, to_input, to_weight = map(
        _exchanged, conv2d_loops(made, weight, grid, groups)
    )
    by_input, by_weight, by_bias = _FORMS
    forms = (
        by_input._replace(
            code=each_group("nchwij,ocij->nohw", windows, "{weight}", 1, groups),
            statement=_NEW.sub("", result).replace("{y}", "{into}"),
        ),
        by_weight._replace(
            code=each_group("nohw,nchwij->ocij", "{input}", windows, 0, groups),
            statement=to_weight,
        ),
        by_bias,
    )
    code = _exchanged(conv2d_back_code(made, weight, grid, groups))
    lines = f"{{y}} = np.zeros({made})\n{to_input.replace('{into}', '{y}')}"
    if bias is None:
        return {"code": code, "forms": forms, "statement": lines}
    added = "np.reshape({bias}, (-1, 1, 1))"
    return {
        "symbol": "conv_transpose2d({input}, {weight}) + {bias}",
        "code": f"{code} + {added}",
        "forms": forms,
        "statement": f"{lines}\n{{y}} += {added}",
    }


_NEW: Final = re.compile(r"\{y\} = np\.zeros\([^\n]*\)\n")


def _exchanged(text: str) -> str:
    return re.sub(
        r"\{(input|g)\}", lambda one: {"input": "{g}", "g": "{input}"}[one[1]], text
    )


# ----------------------------------------------------------------------------- the rows

_FORMS: Final = (
    Form(
        "{weight}, at each place of the kernel",
        "{g} ⋆ {weight}",
        "{g}",
        "a number is spread by the whole kernel: upstream of each place it reaches "
        "times the weight that takes it there, which is a convolution",
    ),
    Form(
        "{input}, where the kernel spreads it to",
        "Σ {input} · {g} over samples and places",
        "{g}",
        "one weight is used for every number of its channel and for every sample, and "
        "contributions add",
    ),
    BIAS_FORM,
)

ROWS: Final[tuple[Op, ...]] = (
    Op(
        name="conv_transpose2d",
        operands=("input", "weight", "bias"),
        forward=_forward,
        shape=_shape,
        cost=_cost,
        vjps=(_by_input, _by_weight, _by_bias),
        jvps=(_of_input, _of_weight, _of_bias),
        kind="block",
        symbol="conv_transpose2d({input}, {weight})",
        code="conv_transpose2d({input}, {weight})",
        forms=_FORMS,
        summary="Filters spread from every number of every sample (N, C, H, W).",
        analytic=True,
        parameters=(
            Parameter("stride", checks.pair, 1),
            Parameter("padding", checks.pair_or_zero, 0),
            Parameter("output_padding", checks.pair_or_zero, 0),
            Parameter("groups", checks.size, 1),
            Parameter("dilation", checks.pair, 1),
        ),
        optional=1,
        cases=(Case("flat", "zero factor"),),
        factors=_factors,
        axis_letters=_letters,
        wording=_wording,
    ),
)
