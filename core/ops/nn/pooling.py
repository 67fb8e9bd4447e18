"""One number for each window of an input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..table import (
    Array,
    Case,
    Cost,
    Form,
    Op,
    Parameter,
    Rule,
    Shape,
    checks,
    linear,
    row_of_one,
)
from ..table.axes import LETTERS
from ..table.wide import careful
from .windows import (
    Grid,
    crop_code,
    met_code,
    padded_code,
    padded_line,
    pair,
    spread_lines,
    windows_code,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def _pool_grid(input: Shape, attributes: Mapping[str, Any]) -> Grid:
    kernel = pair(attributes["kernel_size"])
    stride = attributes.get("stride")
    grid = Grid(
        (input[-2], input[-1]),
        kernel,
        kernel if stride is None else pair(stride),
        pair(attributes.get("padding", 0)),
        pair(attributes.get("dilation", 1)),
    )
    if not attributes.get("ceil_mode", False):
        return grid
    sides = zip(
        *(grid.size, grid.padded, grid.extent, grid.stride, grid.padding), strict=True
    )
    down, across = (_missing(*side) for side in sides)
    return grid._replace(more=(down, across))


def _missing(size: int, padded: int, extent: int, step: int, pad: int) -> int:
    """Return how many places the last window lacks that begins within the input.

    >>> _missing(5, 5, 2, 2, 0), _missing(5, 5, 2, 3, 0)
    (1, 0)
    """
    last = -(-max(padded - extent, 0) // step) * step
    if last >= size + pad:
        last -= step
    return max(0, last + extent - padded)


def _pool_shape(name: str, input: Shape, attributes: Mapping[str, Any]) -> Shape:
    if len(input) < 2:
        raise ValueError(f"{name}: input {input} has no height and width")
    grid = _pool_grid(input, attributes)
    if any(2 * pad > size for pad, size in zip(grid.padding, grid.kernel, strict=True)):
        raise ValueError(
            f"{name}: padding {grid.padding} is more than half of the kernel "
            f"{grid.kernel}, so a window could lie outside"
        )
    grid.check(name)
    return (*input[:-2], *grid.places)


def _pool_cost(input: Shape, **attributes: Any) -> Cost:
    grid = _pool_grid(input, attributes)
    maps = math.prod(input[:-2])
    work = maps * math.prod(grid.places) * math.prod(grid.kernel)
    return Cost(work, maps * math.prod(grid.padded))


def _map_letters(input: Shape, **_attributes: Any) -> str:
    letters = LETTERS[: len(input) - 2]
    return f"{letters}**->{letters}**"


def _max_pool2d(input: Array, **attributes: Any) -> Array:
    grid = _pool_grid(input.shape, attributes)
    least = -np.inf if input.dtype.kind in "fc" else np.iinfo(input.dtype).min
    x = np.pad(input, grid.widths(input.ndim), constant_values=least)
    _, _, first = next(grid.taps())
    y = np.array(x[first])
    for _, _, met in grid.taps():
        np.maximum(y, x[met], out=y)
    return y


def _winners(y: Array, input: Array, grid: Grid) -> Iterator[tuple[Any, Array]]:
    """Give, for each kernel place, where it holds the first largest number."""
    x = grid.pad(input)
    inside = grid.pad(np.ones(grid.size, np.bool_))
    taken = np.zeros(y.shape, np.bool_)
    for _, _, met in grid.taps():
        largest = ((x[met] == y) | np.isnan(x[met])) & inside[met] & ~taken
        taken |= largest
        yield met, largest


def _max_pool2d_vjp(g: Array, y: Array, input: Array, **attributes: Any) -> Array:
    grid = _pool_grid(input.shape, attributes)
    whole = np.zeros((*input.shape[:-2], *grid.padded), g.dtype)
    for met, largest in _winners(y, input, grid):
        whole[met] += np.where(largest, g, 0)
    return grid.crop(whole)


def _max_pool2d_jvp(t: Array, y: Array, input: Array, **attributes: Any) -> Array:
    grid = _pool_grid(input.shape, attributes)
    padded, tangent = grid.pad(t), np.zeros(y.shape, t.dtype)
    for met, largest in _winners(y, input, grid):
        tangent += np.where(largest, padded[met], 0)
    return tangent


@careful
def _avg_pool2d(input: Array, **attributes: Any) -> Array:
    grid = _pool_grid(input.shape, attributes)
    x = grid.pad(input)
    total = sum(x[met] for _, _, met in grid.taps())
    sizes = np.asarray(_sizes(grid, **attributes), np.result_type(x))
    return np.asarray(total) / sizes


def _sizes(grid: Grid, *, count_include_pad: bool = True, **_others: Any) -> Any:
    """Return how many numbers each mean is divided by; one number where all are."""
    if count_include_pad and grid.more == (0, 0):
        return math.prod(grid.kernel)
    rows, columns = _lengths(grid, count_include_pad)
    return np.multiply.outer(rows, columns)


def _lengths(grid: Grid, count_include_pad: bool) -> list[Array]:
    """Return how many places of the windows count, along each axis."""
    found: list[Array] = []
    sides = zip(
        *(grid.size, grid.kernel, grid.stride, grid.padding, grid.places), strict=True
    )
    for size, kernel, step, pad, count in sides:
        first: Array = np.arange(count) * step - pad
        low, high = (-pad, size + pad) if count_include_pad else (0, size)
        found.append(np.minimum(first + kernel, high) - np.maximum(first, low))
    return found


def _avg_pool2d_vjp(g: Array, _y: Array, input: Array, **attributes: Any) -> Array:
    grid = _pool_grid(input.shape, attributes)
    whole = np.zeros((*input.shape[:-2], *grid.padded), g.dtype)
    share = g / np.asarray(_sizes(grid, **attributes), g.dtype)
    for _, _, met in grid.taps():
        whole[met] += share
    return grid.crop(whole)


# -------------------------------------------------------------------------------- words


def _pool_codes(input: Shape, grid: Grid, picks: str, shares: str) -> str:
    """Return the contribution of pooling: `shares` added where `picks` says."""
    full = (*input[:-2], *grid.padded)
    size = math.prod(full)
    numbers = windows_code(f"np.arange({size}).reshape({full})", grid)
    places = picks.replace("NUMBERS", numbers)
    return (
        f"np.bincount(np.ravel({places}), np.ravel({shares}), {size})"
        f".reshape({full}){crop_code(grid)}"
    )


def _max_pool2d_wording(input: Shape, **attributes: Any) -> Mapping[str, Any]:
    grid = _pool_grid(input, attributes)
    least = ", constant_values=-np.inf"
    windows = windows_code(padded_code("{input}", grid, len(input), least), grid)
    flat = (*input[:-2], *grid.places, math.prod(grid.kernel))
    first = f"np.argmax({windows}.reshape({flat}), -1)[..., None]"
    picks = f"np.take_along_axis(NUMBERS.reshape({flat}), {first}, -1)"
    before, x = padded_line(grid, len(input), "{input}", least)
    form = _OF_MAX._replace(
        code=_pool_codes(input, grid, picks, "{g}"), statement=_largest_lines(grid)
    )
    return {
        "code": f"np.max({windows}, (-2, -1))",
        "forms": (form,),
        "statement": f"{before}{{y}} = np.max({_each_met(grid, x)}, 0)",
    }


def _avg_pool2d_wording(input: Shape, **attributes: Any) -> Mapping[str, Any]:
    grid = _pool_grid(input, attributes)
    windows = windows_code(padded_code("{input}", grid, len(input)), grid)
    size = math.prod(grid.kernel)
    is_plain = attributes.get("count_include_pad", True) and grid.more == (0, 0)
    sizes = str(size) if is_plain else _sizes_code(grid, attributes)
    shares = f"np.repeat(np.ravel({{g}} / {sizes}), {size})"
    before, x = padded_line(grid, len(input), "{input}")
    loop = f"for i, j in np.ndindex{grid.kernel}: INTO[..., {met_code(grid)}] += "
    form = _OF_MEAN._replace(
        local=f"1 / {size}" if is_plain else _OF_MEAN.local,
        code=_pool_codes(input, grid, "NUMBERS", shares),
        statement=spread_lines(f"{loop}{{g}} / {sizes}", input, grid),
    )
    mean, by = ("np.mean", "") if is_plain else ("np.sum", f" / {sizes}")
    return {
        "code": f"{mean}({windows}, (-2, -1)){by}",
        "forms": (form,),
        "statement": f"{before}{{y}} = {mean}({_each_met(grid, x)}, 0){by}",
    }


def _sizes_code(grid: Grid, attributes: Mapping[str, Any]) -> str:
    counts = _lengths(grid, attributes.get("count_include_pad", True))
    return f"np.outer({counts[0].tolist()}, {counts[1].tolist()})"


def _each_met(grid: Grid, name: str) -> str:
    """Return a list of what each number of a kernel meets."""
    return f"[{name}[..., {met_code(grid)}] for i, j in np.ndindex{grid.kernel}]"


def _largest_lines(grid: Grid) -> str:
    """Return a loop over windows that gives the largest of each its gradient."""
    if any(pad >= size for pad, size in zip(grid.padding, grid.kernel, strict=True)):
        return ""  # a window may lie in the padding alone
    axes = zip("ij", grid.stride, grid.kernel, grid.padding, grid.dilation, strict=True)
    at = ", ".join(_window_code(*axis) for axis in axes)
    return (
        "for *n, i, j in np.ndindex({y}.shape):\n"
        f"    at = (*n, {at})\n"
        "    {into}[at].flat[np.argmax({input}[at])] += {g}[*n, i, j]"
    )


def _window_code(number: str, step: int, size: int, padding: int, gap: int) -> str:
    """Return the slice of an operand that a window covers, its padding left out.

    >>> _window_code("i", 2, 2, 0, 1), _window_code("j", 2, 3, 1, 1)
    ('slice(2*i, 2*i+2)', 'slice(max(2*j-1, 0), 2*j+2)')
    >>> _window_code("i", 1, 2, 3, 2)
    'slice(max(i-3, (i-3) % 2), i, 2)'
    """
    place = number if step == 1 else f"{step}*{number}"
    first = f"{place}-{padding}" if padding else place
    behind = (size - 1) * gap + 1 - padding
    stop = f"{place}+{behind}" if behind > 0 else f"{place}-{-behind}"
    stop = stop if behind else place
    if gap == 1:
        return f"slice({f'max({first}, 0)' if padding else first}, {stop})"
    start = f"max({first}, ({first}) % {gap})" if padding else first
    return f"slice({start}, {stop}, {gap})"


# ----------------------------------------------------------------------------- the rows


_OF_MAX: Final = Form(
    "1 at the largest, 0 elsewhere",
    "{g} at the largest of each window",
    "{g}",
    "the largest number of a window is an exact copy; the others do not matter to it",
)
_OF_MEAN: Final = Form(
    "1 / size of a window",
    "{g} / size, at each of a window",
    "{g}",
    "a mean gives each of its numbers the same part of the gradient",
)


_POOLING: Final = (
    Parameter("kernel_size", checks.pair),
    Parameter("stride", checks.optional(checks.pair), None),
    Parameter("padding", checks.pair_or_zero, 0),
)
_CEIL: Final = Parameter("ceil_mode", checks.flag, False)


def _pooling(
    name: str,
    forward: Rule,
    rules: tuple[Rule, Rule],
    form: Form,
    summary: str,
    wording: Callable[..., Mapping[str, Any]],
    parameters: tuple[Parameter, ...],
    **columns: Any,
) -> Op:
    def shape(input: Shape, **attributes: Any) -> Shape:
        return _pool_shape(name, input, attributes)

    symbol = f"{name}({{input}}, {{kernel_size}})"
    return row_of_one(
        name,
        forward,
        shape,
        rules,
        "block",
        symbol,
        symbol,
        form,
        summary,
        "input",
        cost=_pool_cost,
        parameters=(*_POOLING, *parameters),
        axis_letters=_map_letters,
        wording=wording,
        **columns,
    )


ROWS: Final[tuple[Op, ...]] = (
    _pooling(
        "max_pool2d",
        _max_pool2d,
        (_max_pool2d_vjp, _max_pool2d_jvp),
        _OF_MAX,
        "The largest number of each window of the last two axes.",
        _max_pool2d_wording,
        (Parameter("dilation", checks.pair, 1), _CEIL),
        analytic=False,
        kinks=True,
        work=(),
        corner="of equal numbers in a window the first one takes the gradient; of "
        "several nan, too, where PyTorch takes the last",
        cases=(Case("zero", "chosen"), Case("flat", "lost")),
    ),
    _pooling(
        "avg_pool2d",
        _avg_pool2d,
        (_avg_pool2d_vjp, linear(_avg_pool2d)),
        _OF_MEAN,
        "The mean of each window of the last two axes, with or without the padding.",
        _avg_pool2d_wording,
        (_CEIL, Parameter("count_include_pad", checks.flag, True)),
        corner="with ceil_mode a last window may reach beyond the padding; what lies "
        "there does not count",
        analytic=True,
        signs=(1,),
    ),
)
