"""Filters laid over every place of an input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...base.text import counted
from ..table import (
    Array,
    Case,
    Cost,
    Form,
    Op,
    Parameter,
    Shape,
    checks,
)
from ..table.wide import summed, total
from .windows import (
    Grid,
    met_code,
    padded_code,
    padded_line,
    pair,
    spread_lines,
    windows_code,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def conv_grid(input: Shape, weight: Shape, attributes: Mapping[str, Any]) -> Grid:
    """Return where the filters of a convolution stand on its input."""
    stride, padding, dilation = (
        pair(attributes.get(name, default))
        for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    size, kernel = input[-2:], weight[-2:]
    return Grid((size[0], size[1]), (kernel[0], kernel[1]), stride, padding, dilation)


def _conv2d_shape(
    input: Shape, weight: Shape, bias: Shape | None = None, **attributes: Any
) -> Shape:
    if len(input) != 4 or len(weight) != 4:
        raise ValueError(
            f"conv2d: input {input} has to be (samples, channels, height, width) and "
            f"weight {weight} (filters, channels, height, width)"
        )
    groups = attributes.get("groups", 1)
    if input[1] != weight[1] * groups or weight[0] % groups:
        raise ValueError(
            f"conv2d: input {input} has {counted(input[1], 'channel')}, weight "
            f"{weight} with "
            f"groups={groups} takes {weight[1] * groups}; "
            f"{groups} has to divide channels and filters"
        )
    if bias is not None and bias != weight[:1]:
        raise ValueError(
            f"conv2d: bias {bias} does not fit weight {weight}: "
            f"one number for each filter is of shape {weight[:1]}"
        )
    if 0 in weight:
        raise ValueError(f"conv2d: weight {weight} has no numbers")
    grid = conv_grid(input, weight, attributes)
    grid.check("conv2d")
    return (input[0], weight[0], *grid.places)


def _conv2d_cost(input: Shape, weight: Shape, *bias: Shape, **attributes: Any) -> Cost:
    grid = conv_grid(input, weight, attributes)
    result = (input[0], weight[0], *grid.places)
    work = math.prod(result) * math.prod(weight[1:])
    return Cost(work, math.prod(input[:2]) * math.prod(grid.padded))


def _conv2d_letters(
    _input: Shape, _weight: Shape, *bias: Shape, **attributes: Any
) -> str:
    # With groups, a filter meets channels that have other numbers in the input.
    one = attributes.get("groups", 1) == 1
    taken, weight, made = ("nc**", "oc**", "o") if one else ("n***", "****", "*")
    return f"{taken},{weight}{f',{made}' if bias else ''}->n{made}**"


def grouped(x: Array, groups: int) -> Array:
    """Return (samples, channels, …) as (samples, groups, channels of a group, …)."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])


def flat(x: Array) -> Array:
    """Return the last two axes as one."""
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def filters_of(weight: Array, groups: int) -> Array:
    """Return one matrix (filters, channels) for each kernel place and group."""
    shape = (groups, weight.shape[0] // groups, *weight.shape[1:])
    return np.ascontiguousarray(weight.reshape(shape).transpose(3, 4, 0, 1, 2))


@summed
def _conv2d(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    """Return filters laid over every place of every sample."""
    groups = attributes.get("groups", 1)
    grid = conv_grid(input.shape, weight.shape, attributes)
    x, filters = grouped(grid.pad(input), groups), filters_of(weight, groups)
    down, across = grid.places
    count, made = input.shape[0], weight.shape[0]
    shape = (count, groups, made // groups, down * across)
    y = np.zeros(shape, np.result_type(input, weight))
    for row, column, met in grid.taps():
        y += np.matmul(filters[row, column], flat(x[met]))
    y = y.reshape(count, made, down, across)
    return y if bias is None else y + bias.reshape(-1, 1, 1)


@summed
def spread_back(g: Array, weight: Array, *, shape: Shape, **attributes: Any) -> Array:
    """Return what comes back to an input of `shape` through the weights."""
    groups = attributes.get("groups", 1)
    grid = conv_grid(shape, weight.shape, attributes)
    filters = filters_of(weight, groups).swapaxes(-1, -2)
    upstream = flat(grouped(g, groups))
    whole = np.zeros((*shape[:2], *grid.padded), np.result_type(g, weight))
    parts = grouped(whole, groups)
    for row, column, met in grid.taps():
        back = np.matmul(filters[row, column], upstream)
        parts[met] += back.reshape(*back.shape[:-1], *grid.places)
    return grid.crop(whole)


def _conv2d_by_input(
    g: Array, _y: Array, input: Array, weight: Array, *_bias: Array, **attributes: Any
) -> Array:
    return spread_back(g, weight, shape=input.shape, **attributes)


@summed
def _met_by_weight(g: Array, input: Array, *, shape: Shape, **attributes: Any) -> Array:
    """Return the sums, over samples and places, of what weights of `shape` have met."""
    groups = attributes.get("groups", 1)
    grid = conv_grid(input.shape, shape, attributes)
    x, upstream = grouped(grid.pad(input), groups), flat(grouped(g, groups))
    result = np.empty(shape, g.dtype)
    for row, column, met in grid.taps():
        each = np.matmul(upstream, flat(x[met]).swapaxes(-1, -2))
        result[:, :, row, column] = each.sum(0).reshape(shape[:2])
    return result


def _conv2d_by_weight(
    g: Array, _y: Array, input: Array, weight: Array, *_bias: Array, **attributes: Any
) -> Array:
    return _met_by_weight(g, input, shape=weight.shape, **attributes)


def _conv2d_by_bias(
    g: Array, _y: Array, _input: Array, _weight: Array, _bias: Array, **_attributes: Any
) -> Array:
    return total(g, (0, 2, 3))


def _conv2d_jvp_input(
    t: Array, _y: Array, _input: Array, weight: Array, *_bias: Array, **attributes: Any
) -> Array:
    return _conv2d(t, weight, **attributes)


def _conv2d_jvp_weight(
    t: Array, _y: Array, input: Array, _weight: Array, *_bias: Array, **attributes: Any
) -> Array:
    return _conv2d(input, t, **attributes)


def _conv2d_jvp_bias(
    t: Array, y: Array, _input: Array, _weight: Array, _bias: Array, **_attributes: Any
) -> Array:
    return np.broadcast_to(t.reshape(-1, 1, 1), y.shape)


def _conv2d_factors(
    index: Sequence[int],
    input: Shape,
    weight: Shape,
    *bias: Shape,
    **attributes: Any,
) -> tuple[Array, Array]:
    """Return what lies under a kernel, and the numbers of the kernel, in one order.

    What lies on the border has negative places, or such as are too large.
    """
    sample, made, row, column = index
    grid = conv_grid(input, weight, attributes)
    channels = weight[1]
    group = made // (weight[0] // attributes.get("groups", 1))
    c, i, j = (np.ravel(one) for one in np.indices((channels, *grid.kernel)))
    down = row * grid.stride[0] + i * grid.dilation[0] - grid.padding[0]
    across = column * grid.stride[1] + j * grid.dilation[1] - grid.padding[1]
    same = np.ones_like(c)
    under = np.stack([sample * same, group * channels + c, down, across], axis=1)
    return under, np.stack([made * same, c, i, j], axis=1)


# -------------------------------------------------------------------------------- words


def each_group(sum_of: str, one: str, two: str, joined: int, groups: int) -> str:
    """Return a sum of products for each group of channels, joined along an axis."""
    if groups == 1:
        return f"np.einsum({sum_of!r}, {one}, {two})"
    halves = [
        f"np.split({name}, {groups}, {0 if name == '{weight}' else 1})"
        for name in (one, two)
    ]
    return (
        f"np.concatenate([np.einsum({sum_of!r}, u, v) "
        f"for u, v in zip({', '.join(halves)})], {joined})"
    )


def _conv2d_wording(
    input: Shape, weight: Shape, bias: Shape | None = None, **attributes: Any
) -> Mapping[str, Any]:
    groups = attributes.get("groups", 1)
    grid = conv_grid(input, weight, attributes)
    windows = windows_code(padded_code("{input}", grid, 4), grid)
    code = each_group("nchwij,ocij->nohw", windows, "{weight}", 1, groups)
    by_weight = each_group("nohw,nchwij->ocij", "{g}", windows, 0, groups)
    by_input, about_weight, by_bias = _CONV_FORMS
    result, to_input, to_weight = conv2d_loops(input, weight, grid, groups)
    forms = (
        by_input._replace(
            code=conv2d_back_code(input, weight, grid, groups), statement=to_input
        ),
        about_weight._replace(code=by_weight, statement=to_weight),
        by_bias,
    )
    if bias is None:
        return {"code": code, "forms": forms, "statement": result}
    added = "np.reshape({bias}, (-1, 1, 1))"
    return {
        "symbol": "{input} ⋆ {weight} + {bias}",
        "code": f"{code} + {added}",
        "forms": forms,
        "statement": f"{result}\n{{y}} += {added}",
    }


def conv2d_loops(
    input: Shape, weight: Shape, grid: Grid, groups: int
) -> tuple[str, str, str]:
    """Return loops over the kernel: the result, and what goes to input and weight."""
    count, outs, ins = input[0], weight[0], weight[1]
    each, pick = "i, j in np.ndindex", "..., i, j"
    met, made = f"..., {met_code(grid)}", "..."
    if groups > 1:
        out, of = (f"k*{size}:(k+1)*{size}" for size in (outs // groups, ins))
        each, pick = f"k, {each}", f"{out}, :, i, j"
        met, made = f":, {of}, {met_code(grid)}", f":, {out}"
    lengths = grid.kernel if groups == 1 else (groups, *grid.kernel)
    loop = f"for {each}{lengths}: "
    x, y, g = "{input}", "{y}", "{g}"
    if groups > 1:
        y, g = f"{{y}}[{made}]", f"{{g}}[{made}]"
    before, x = padded_line(grid, 4, x)
    result = (
        f"{before}{{y}} = np.zeros({(count, outs, *grid.places)})\n{loop}{y} += "
        f"np.einsum('nchw,oc->nohw', {x}[{met}], {{weight}}[{pick}])"
    )
    to_input = f"np.einsum('nohw,oc->nchw', {g}, {{weight}}[{pick}])"
    to_weight = f"np.einsum('nohw,nchw->oc', {g}, {x}[{met}])"
    return (
        result,
        spread_lines(f"{loop}INTO[{met}] += {to_input}", input, grid),
        f"{before}{loop}{{into}}[{pick}] += {to_weight}",
    )


def conv2d_back_code(input: Shape, weight: Shape, grid: Grid, groups: int) -> str:
    """Return the contribution to the input: the kernel, turned, over the upstream."""
    spread = "{g}"
    if grid.stride != (1, 1):
        # Between the places of a kernel that strides lie zeros.
        one = f"np.eye(1, {math.prod(grid.stride)}).reshape({grid.stride})"
        spread = f"np.kron({{g}}, {one})"
    long = [n * step for n, step in zip(grid.places, grid.stride, strict=True)]
    pairs = zip(grid.extent, grid.padded, long, strict=True)
    around = [(part - 1, max(0, full - size)) for part, full, size in pairs]
    steps = ", ".join(f"::-{step}" for step in grid.dilation)
    windows = (
        "np.lib.stride_tricks.sliding_window_view("
        f"np.pad({spread}, {((0, 0), (0, 0), *around)}), {grid.extent}, (-2, -1))"
        f"[..., {steps}]"
    )
    back = each_group("nohwij,ocij->nchw", windows, "{weight}", 1, groups)
    pairs = zip(grid.padding, grid.size, strict=True)
    return f"{back}[..., {', '.join(f'{pad}:{pad + size}' for pad, size in pairs)}]"


# ----------------------------------------------------------------------------- the rows


BIAS_FORM: Final = Form(
    "1",
    "Σ {g} over samples and places",
    "np.sum({g}, (0, 2, 3))",
    "one bias is added at every place and for every sample, and contributions add",
)

_CONV_FORMS: Final = (
    Form(
        "{weight}, at each place of the kernel",
        "Σ {weight} · {g}, back to where it came from",
        "{g}",
        "a number meets each weight at one place of the kernel: upstream of that place "
        "times that weight, summed over places, is a convolution with the kernel "
        "turned by half a turn",
    ),
    Form(
        "{input}, under the kernel",
        "Σ {input} · {g} over samples and places",
        "{g}",
        "one weight is used at every place of the kernel and for every sample, and "
        "contributions add",
    ),
    BIAS_FORM,
)


ROWS: Final[tuple[Op, ...]] = (
    Op(
        name="conv2d",
        operands=("input", "weight", "bias"),
        forward=_conv2d,
        shape=_conv2d_shape,
        cost=_conv2d_cost,
        vjps=(_conv2d_by_input, _conv2d_by_weight, _conv2d_by_bias),
        jvps=(_conv2d_jvp_input, _conv2d_jvp_weight, _conv2d_jvp_bias),
        kind="block",
        symbol="{input} ⋆ {weight}",
        code="conv2d({input}, {weight})",
        forms=_CONV_FORMS,
        summary="Each filter laid over every place of every sample (N, C, H, W).",
        analytic=True,
        parameters=(
            Parameter("stride", checks.pair, 1),
            Parameter("padding", checks.pair_or_zero, 0),
            Parameter("dilation", checks.pair, 1),
            Parameter("groups", checks.size, 1),
        ),
        optional=1,
        cases=(Case("flat", "zero factor"),),
        factors=_conv2d_factors,
        axis_letters=_conv2d_letters,
        wording=_conv2d_wording,
    ),
)
