"""Operations of neural networks that are worth a rule of their own.

The fused losses are more stable than their parts. Convolution and pooling go over the
places of the kernel, one after the other: a place is a shifted view of the input, so
they take little memory beside their operands and their result.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from . import checks
from .cases import (
    AT_MINUS_INFINITY,
    INFINITE_ROW,
    MASKED_ROW,
    UNDERFLOW,
    is_alone,
    of_one,
)
from .reduce import LETTERS, along_axis, greatest, mean, reduced_axes, without_axis
from .table import (
    Array,
    Case,
    Cost,
    Form,
    Op,
    Parameter,
    Rule,
    Shape,
    linear,
    row_of_one,
)
from .wide import careful, summed, total, wide, wide_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

REDUCTION: Final = Parameter("reduction", checks.choice("mean", "sum", "none"), "mean")


# ------------------------------------------------------------------------ softmax


def _row_shape(x: Shape, *, axis: int = -1) -> Shape:
    reduced_axes(x, axis)
    return x


def _row_letters(x: Shape, *, axis: int = -1) -> str:
    return along_axis(x, axis=axis)


def _softmax(x: Array, *, axis: int = -1) -> Array:
    # Nothing overflows: the largest exponent is 0.
    powers = np.exp(x - greatest(x, axis))
    powers /= powers.sum(axis, keepdims=True)
    return powers


@careful
def _softmax_rule(t: Array, y: Array, _x: Array, *, axis: int = -1) -> Array:
    # The Jacobian diag(y) − y yᵀ is symmetric: backward and forward are the same.
    return y * (t - np.sum(t * y, axis, keepdims=True))


def _log_softmax(x: Array, *, axis: int = -1) -> Array:
    shifted = x - greatest(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis, keepdims=True))


@wide
def _log_softmax_vjp(g: Array, y: Array, _x: Array, *, axis: int = -1) -> Array:
    return g - np.exp(y) * np.sum(g, axis, keepdims=True)


@wide
def _log_softmax_jvp(t: Array, y: Array, _x: Array, *, axis: int = -1) -> Array:
    return t - np.sum(np.exp(y) * t, axis, keepdims=True)


# ------------------------------------------------------------------------- losses


def _reduced(losses: Array, reduction: str) -> Array:
    if reduction == "none":
        return losses
    return mean(losses) if reduction == "mean" else np.asarray(losses.sum())[()]


def _shares(g: Array, shape: Shape, reduction: str) -> Array:
    """Return the upstream gradient of each loss, from that of the reduced one."""
    return np.divide(g, math.prod(shape) if reduction == "mean" else 1)


def _class_axis(input: Shape, axis: int) -> int:
    return 0 if len(input) == 1 else reduced_axes(input, axis)[0]


def _cross_entropy_shape(
    input: Shape, target: Shape, *, reduction: str = "mean", axis: int = 1
) -> Shape:
    if not input:
        raise ValueError("cross_entropy: input () is one number; it has no classes")
    along = _class_axis(input, axis)
    if input[along] == 0:
        raise ValueError(f"cross_entropy: {input} has no numbers along axis {axis}")
    rows = without_axis(input, along)
    if target not in {rows, input}:
        raise ValueError(
            f"cross_entropy: input {input} with classes along axis {along} takes "
            f"targets of shape {rows}, class numbers, or {input}, probabilities; "
            f"not {target}"
        )
    return rows if reduction == "none" else ()


def _sample_letters(
    input: Shape, target: Shape, *, reduction: str = "mean", axis: int = 1
) -> str:
    """Return the axis letters: the loss of a sample depends on no other sample."""
    along = _class_axis(input, axis)
    letters = along_axis(input, axis=along).partition("->")[0]
    rows = letters[:along] + letters[along + 1 :]
    losses = rows if reduction == "none" else ""
    return f"{letters},{letters if target == input else rows}->{losses}"


def _check_class_numbers(input: Array, target: Array, along: int) -> None:
    """Raise `ValueError` where a target is not the number of a class."""
    if target.dtype.kind not in "iu":
        raise ValueError(
            f"cross_entropy: class numbers are whole numbers, not {target.dtype}"
        )
    count = input.shape[along]
    wrong = target[(target < 0) | (target >= count)]
    if wrong.size:
        raise ValueError(
            f"cross_entropy: there is no class {wrong.flat[0]}; "
            f"allowed: 0 … {count - 1}"
        )


def _picked(target: Array, along: int) -> tuple[Array, ...]:
    """Return the index of the logits that class numbers choose."""
    places: list[Array] = [*np.indices(target.shape, sparse=True)]
    places.insert(along, target)
    return tuple(places)


def _probabilities(input: Array, target: Array) -> Array:
    return target.astype(input.dtype) if target.dtype.kind in "biu" else target


@wide_result
def _cross_entropy(
    input: Array, target: Array, *, reduction: str = "mean", axis: int = 1
) -> Array:
    along = _class_axis(input.shape, axis)
    target = np.asarray(target)
    if target.ndim == input.ndim:
        logs = _log_softmax(input, axis=along)
        losses = -np.sum(_probabilities(input, target) * logs, along)
    else:
        # Picked, not multiplied by 0 and 1: another logit may be −inf.
        shifted = input - input.max(along, keepdims=True)
        total = np.log(np.exp(shifted).sum(along))
        _check_class_numbers(input, target, along)
        losses = total - shifted[_picked(target, along)]
    return _reduced(losses, reduction)


def _logit_slopes(input: Array, target: Array, along: int) -> Array:
    slopes = _softmax(input, axis=along)
    target = np.asarray(target)
    if target.ndim == input.ndim:
        chances = _probabilities(input, target)
        return slopes * np.sum(chances, along, keepdims=True) - chances
    slopes[_picked(target, along)] -= 1
    return slopes


def _row_shares(g: Array, input: Array, reduction: str, along: int) -> Array:
    shares = _shares(g, without_axis(input.shape, along), reduction)
    return np.expand_dims(shares, along) if shares.ndim else shares


def _chance_slopes(input: Array, _target: Array, along: int) -> Array:
    return -_log_softmax(input, axis=along)


def _moved(slopes: Array, t: Array) -> Array:
    """Return slope × tangent; what does not move is 0, even at an infinite slope."""
    return np.where(t == 0, 0, slopes * t)


def _class_rules(slopes: Rule) -> tuple[Rule, Rule]:
    """Return the vjp and the jvp of a loss of classes, by the slopes of its rows."""

    @wide
    def vjp(
        g: Any, _y: Any, input: Any, target: Any, reduction: str = "mean", axis: int = 1
    ) -> Array:
        along = _class_axis(input.shape, axis)
        shares = _row_shares(g, input, reduction, along)
        return slopes(input, target, along) * shares

    @wide
    def jvp(
        t: Any, _y: Any, input: Any, target: Any, reduction: str = "mean", axis: int = 1
    ) -> Array:
        along = _class_axis(input.shape, axis)
        change = _moved(slopes(input, target, along), t)
        return _reduced(np.sum(change, along), reduction)

    return vjp, jvp


def _binary_shape(input: Shape, target: Shape, *, reduction: str = "mean") -> Shape:
    if input != target:
        raise ValueError(
            f"binary_cross_entropy_with_logits: input {input} and target {target} "
            "must have one shape"
        )
    return input if reduction == "none" else ()


def _element_letters(input: Shape, _target: Shape, *, reduction: str = "mean") -> str:
    letters = LETTERS[: len(input)]
    return f"{letters},{letters}->{letters if reduction == 'none' else ''}"


@wide_result
def _binary(input: Array, target: Array, *, reduction: str = "mean") -> Array:
    target = _like(target, input)
    # Of two large numbers that cancel, only the difference is ever computed.
    losses = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    if not np.all(np.isfinite(input)):
        # ∞ · (1 − target), where it would be ∞ − ∞ · target.
        straight = input * ((input > 0) - target)
        losses = np.where(np.isfinite(input), losses, straight)
    return _reduced(losses, reduction)


def _like(target: Any, input: Array) -> Array:
    """Return whole numbers and truths in the dtype of the logits."""
    array = np.asarray(target)
    return array.astype(np.asarray(input).dtype) if array.dtype.kind in "biu" else array


def _sigmoid(x: Array) -> Array:
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def _binary_rules(slopes: Callable[[Array, Array], Array]) -> tuple[Rule, Rule]:
    """Return the vjp and the jvp of a loss of elements, by its slopes."""

    @wide
    def vjp(g: Any, _y: Any, input: Any, target: Any, reduction: str = "mean") -> Array:
        return slopes(input, target) * _shares(g, np.shape(input), reduction)

    @wide
    def jvp(t: Any, _y: Any, input: Any, target: Any, reduction: str = "mean") -> Array:
        return _reduced(_moved(slopes(input, target), t), reduction)

    return vjp, jvp


# ------------------------------------------------------------------------ windows

Pair = tuple[int, int]


def _pair(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else value


class _Grid(NamedTuple):
    """Where a kernel stands on the last two axes of an input of `size`."""

    size: Pair
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair = (1, 1)

    @property
    def extent(self) -> Pair:
        """What the kernel covers, its gaps included."""
        (height, width), (rows, columns) = self.kernel, self.dilation
        return (height - 1) * rows + 1, (width - 1) * columns + 1

    @property
    def padded(self) -> Pair:
        (height, width), (rows, columns) = self.size, self.padding
        return height + 2 * rows, width + 2 * columns

    @property
    def places(self) -> Pair:
        """How many places the kernel stands at, down and across."""
        pairs = zip(self.padded, self.extent, self.stride, strict=True)
        down, across = ((full - part) // step + 1 for full, part, step in pairs)
        return down, across

    def check(self, name: str) -> None:
        full, part = self.padded, self.extent
        if full[0] < part[0] or full[1] < part[1] or 0 in self.size:
            raise ValueError(
                f"{name}: a kernel that covers {part} does not fit an input of "
                f"{self.size} with padding {self.padding}"
            )

    def taps(self) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
        """Give each place in the kernel, and what it meets of the padded input."""
        for row in range(self.kernel[0]):
            for column in range(self.kernel[1]):
                at = (row * self.dilation[0], column * self.dilation[1])
                yield row, column, (..., *map(self._met, at, self.stride, self.places))

    @staticmethod
    def _met(start: int, step: int, count: int) -> slice:
        return slice(start, start + step * (count - 1) + 1, step)

    def widths(self, ndim: int) -> list[Pair]:
        """Return the padding as numpy takes it."""
        return [(0, 0)] * (ndim - 2) + [(one, one) for one in self.padding]

    def pad(self, x: Array) -> Array:
        return x if self.padding == (0, 0) else np.pad(x, self.widths(x.ndim))

    def crop(self, x: Array) -> Array:
        (height, width), (rows, columns) = self.size, self.padding
        return x[..., rows : rows + height, columns : columns + width]


def _conv_grid(input: Shape, weight: Shape, attributes: Mapping[str, Any]) -> _Grid:
    stride, padding, dilation = (
        _pair(attributes.get(name, default))
        for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    size, kernel = input[-2:], weight[-2:]
    return _Grid((size[0], size[1]), (kernel[0], kernel[1]), stride, padding, dilation)


def _pool_grid(input: Shape, attributes: Mapping[str, Any]) -> _Grid:
    kernel = _pair(attributes["kernel_size"])
    stride = attributes.get("stride")
    return _Grid(
        (input[-2], input[-1]),
        kernel,
        kernel if stride is None else _pair(stride),
        _pair(attributes.get("padding", 0)),
    )


# -------------------------------------------------------------------- convolution


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
            f"conv2d: input {input} has {input[1]} channels, weight {weight} with "
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
    grid = _conv_grid(input, weight, attributes)
    grid.check("conv2d")
    return (input[0], weight[0], *grid.places)


def _conv2d_cost(input: Shape, weight: Shape, *bias: Shape, **attributes: Any) -> Cost:
    grid = _conv_grid(input, weight, attributes)
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


def _grouped(x: Array, groups: int) -> Array:
    """Return (samples, channels, …) as (samples, groups, channels of a group, …)."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])


def _flat(x: Array) -> Array:
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def _filters(weight: Array, groups: int) -> Array:
    """Return one matrix (filters, channels) for each kernel place and group."""
    shape = (groups, weight.shape[0] // groups, *weight.shape[1:])
    return np.ascontiguousarray(weight.reshape(shape).transpose(3, 4, 0, 1, 2))


@summed
def _conv2d(
    input: Array, weight: Array, bias: Array | None = None, **attributes: Any
) -> Array:
    groups = attributes.get("groups", 1)
    grid = _conv_grid(input.shape, weight.shape, attributes)
    x, filters = _grouped(grid.pad(input), groups), _filters(weight, groups)
    down, across = grid.places
    count, made = input.shape[0], weight.shape[0]
    shape = (count, groups, made // groups, down * across)
    y = np.zeros(shape, np.result_type(input, weight))
    for row, column, met in grid.taps():
        y += np.matmul(filters[row, column], _flat(x[met]))
    y = y.reshape(count, made, down, across)
    return y if bias is None else y + bias.reshape(-1, 1, 1)


@summed
def _spread_back(g: Array, weight: Array, *, shape: Shape, **attributes: Any) -> Array:
    """Return what comes back to an input of `shape` through the weights."""
    groups = attributes.get("groups", 1)
    grid = _conv_grid(shape, weight.shape, attributes)
    filters = _filters(weight, groups).swapaxes(-1, -2)
    upstream = _flat(_grouped(g, groups))
    whole = np.zeros((*shape[:2], *grid.padded), g.dtype)
    parts = _grouped(whole, groups)
    for row, column, met in grid.taps():
        back = np.matmul(filters[row, column], upstream)
        parts[met] += back.reshape(*back.shape[:-1], *grid.places)
    return grid.crop(whole)


def _conv2d_by_input(
    g: Array, _y: Array, input: Array, weight: Array, *_bias: Array, **attributes: Any
) -> Array:
    return _spread_back(g, weight, shape=input.shape, **attributes)


@summed
def _met_by_weight(g: Array, input: Array, *, shape: Shape, **attributes: Any) -> Array:
    """Return the sums, over samples and places, of what weights of `shape` have met."""
    groups = attributes.get("groups", 1)
    grid = _conv_grid(input.shape, shape, attributes)
    x, upstream = _grouped(grid.pad(input), groups), _flat(_grouped(g, groups))
    result = np.empty(shape, g.dtype)
    for row, column, met in grid.taps():
        each = np.matmul(upstream, _flat(x[met]).swapaxes(-1, -2))
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


# ------------------------------------------------------------------------ pooling


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
    # A window that holds a copy of the border holds the border itself, too.
    x = np.pad(input, grid.widths(input.ndim), mode="edge")
    _, _, first = next(grid.taps())
    y = np.array(x[first])
    for _, _, met in grid.taps():
        np.maximum(y, x[met], out=y)
    return y


def _winners(y: Array, input: Array, grid: _Grid) -> Iterator[tuple[Any, Array]]:
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
    return np.asarray(total) / math.prod(grid.kernel)


def _avg_pool2d_vjp(g: Array, _y: Array, input: Array, **attributes: Any) -> Array:
    grid = _pool_grid(input.shape, attributes)
    whole = np.zeros((*input.shape[:-2], *grid.padded), g.dtype)
    share = g / math.prod(grid.kernel)
    for _, _, met in grid.taps():
        whole[met] += share
    return grid.crop(whole)


# ---------------------------------------------------------------- special results


def _sample_with(bad: float) -> Rule:
    """Return where the largest logit of a sample is `bad`."""

    def holds(
        _y: Array,
        input: Array,
        _target: Array,
        *,
        reduction: str = "mean",
        axis: int = 1,
    ) -> Any:
        found = np.max(input, _class_axis(input.shape, axis)) == bad
        return found if reduction == "none" else np.any(found)

    return holds


def _is_by_chances(
    _y: Array, input: Array, target: Array, *, reduction: str = "mean", axis: int = 1
) -> Any:
    """Tell where a probability of 0 meets a logarithm of 0."""
    if np.ndim(target) != np.ndim(input):
        return False
    along = _class_axis(input.shape, axis)
    found = (target == 0) & np.isinf(_log_softmax(input, axis=along))
    found = np.any(found, along)
    return found if reduction == "none" else np.any(found)


def _are_truths(
    _y: Array, _input: Array, targets: Array, *, reduction: str = "mean"
) -> Any:
    found = (targets == 0) | (targets == 1)
    return found if reduction == "none" else np.all(found)


def _infinity_at(target: float | None) -> Rule:
    """Return where a logit is infinite, at such a target; at any one with None."""

    def holds(
        _y: Array, input: Array, targets: Array, *, reduction: str = "mean"
    ) -> Any:
        found = np.isinf(input)
        if target is not None:
            found = found & (targets == target)
        return found if reduction == "none" else np.any(found)

    return holds


def _is_certain(
    _y: Array, input: Array, target: Array, *, reduction: str = "mean", axis: int = 1
) -> Any:
    """Tell where one class alone has a probability, and is the right one.

    It is so for each sample, or for all of them.
    """
    along = _class_axis(input.shape, axis)
    logs = _log_softmax(input, axis=along)
    if np.ndim(target) == np.ndim(input):
        found = np.all((target == 0) | (logs == 0), along)
    else:
        found = np.squeeze(
            np.take_along_axis(logs, np.expand_dims(target, along), along) == 0, along
        )
    return found if reduction == "none" else np.all(found)


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
    grid = _conv_grid(input, weight, attributes)
    channels = weight[1]
    group = made // (weight[0] // attributes.get("groups", 1))
    c, i, j = (np.ravel(one) for one in np.indices((channels, *grid.kernel)))
    down = row * grid.stride[0] + i * grid.dilation[0] - grid.padding[0]
    across = column * grid.stride[1] + j * grid.dilation[1] - grid.padding[1]
    same = np.ones_like(c)
    under = np.stack([sample * same, group * channels + c, down, across], axis=1)
    return under, np.stack([made * same, c, i, j], axis=1)


# -------------------------------------------------------------------------- words


def _log_sum(name: str, axis: int) -> str:
    """Return the logarithm of the sum of exponentials, the axis kept, in NumPy."""
    most = f"np.max({name}, {axis}, keepdims=True)"
    return f"{most} + np.log(np.sum(np.exp({name} - {most}), {axis}, keepdims=True))"


def _reduced_code(losses: str, reduction: str) -> str:
    return losses if reduction == "none" else f"np.{reduction}({losses})"


def _share_words(
    reduction: str, count: int, axis: int | None = None
) -> tuple[str, str]:
    """Return the upstream gradient of each loss, in symbols and in NumPy."""
    if reduction == "none":
        return "{g}", "{g}" if axis is None else f"np.expand_dims({{g}}, {axis})"
    is_sum = reduction == "sum" or count == 1
    share = "{g}" if is_sum else f"{{g}} / {count}"
    return share, share


def _cross_entropy_wording(
    input: Shape, target: Shape, *, reduction: str = "mean", axis: int = 1
) -> Mapping[str, Any]:
    along = _class_axis(input, axis)
    count = math.prod(without_axis(input, along))
    total = _log_sum("{input}", along)
    share, share_code = _share_words(reduction, count, along)
    chances = f"np.exp({{input}} - ({total}))"
    if target == input:
        losses = f"np.sum({{target}} * ({total} - {{input}}), {along})"
        local = "softmax({input}) · Σ {target} − {target}"
        slopes = f"{chances} * np.sum({{target}}, {along}, keepdims=True) - {{target}}"
    else:
        picked = f"np.expand_dims({{target}}, {along})"
        picked = f"np.take_along_axis({{input}}, {picked}, {along})"
        losses = f"np.squeeze({total} - {picked}, {along})"
        local = "softmax({input}) − onehot({target})"
        onehot = f"np.moveaxis(np.eye({input[along]})[{{target}}], -1, {along})"
        slopes = f"{chances} - {onehot}"
    by_input = _BY_LOGITS._replace(
        local=local,
        product=f"({local}) ∘ {share}",
        code=f"({slopes}) * {share_code}",
    )
    by_target = _BY_CHANCES._replace(
        product=f"−log softmax({{input}}) ∘ {share}",
        code=f"({total} - {{input}}) * {share_code}",
    )
    code = _reduced_code(losses, reduction)
    return {"code": code, "forms": (by_input, by_target)}


def _binary_wording(
    input: Shape, _target: Shape, *, reduction: str = "mean"
) -> Mapping[str, Any]:
    share, code = _share_words(reduction, math.prod(input))
    by_input, by_target = _BINARY_FORMS
    return {
        "code": _reduced_code(_BINARY_CODE, reduction),
        "forms": (
            by_input._replace(
                product=f"({by_input.local}) ∘ {share}",
                code=f"({_SIGMOID_CODE} - {{target}}) * {code}",
            ),
            by_target._replace(
                product=f"−{{input}} ∘ {share}", code=f"-{{input}} * {code}"
            ),
        ),
    }


def _padded_code(name: str, grid: _Grid, ndim: int, more: str = "") -> str:
    if grid.padding == (0, 0):
        return name
    return f"np.pad({name}, {tuple(grid.widths(ndim))}{more})"


def _windows_code(padded: str, grid: _Grid) -> str:
    """Return what the kernel meets, in two last axes of the kernel's shape."""
    steps = [f"::{step}" for step in (*grid.stride, *grid.dilation)]
    return (
        f"np.lib.stride_tricks.sliding_window_view({padded}, {grid.extent}, (-2, -1))"
        f"[..., {', '.join(steps)}]"
    )


def _crop_code(grid: _Grid) -> str:
    if grid.padding == (0, 0):
        return ""
    pairs = zip(grid.padding, grid.size, strict=True)
    return f"[..., {', '.join(f'{pad}:{pad + size}' for pad, size in pairs)}]"


def _each_group(sum_of: str, one: str, two: str, joined: int, groups: int) -> str:
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
    grid = _conv_grid(input, weight, attributes)
    windows = _windows_code(_padded_code("{input}", grid, 4), grid)
    code = _each_group("nchwij,ocij->nohw", windows, "{weight}", 1, groups)
    by_weight = _each_group("nohw,nchwij->ocij", "{g}", windows, 0, groups)
    by_input, about_weight, by_bias = _CONV_FORMS
    result, to_input, to_weight = _conv2d_loops(input, weight, grid, groups)
    forms = (
        by_input._replace(
            code=_conv2d_back_code(input, weight, grid, groups), statement=to_input
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


def _conv2d_loops(
    input: Shape, weight: Shape, grid: _Grid, groups: int
) -> tuple[str, str, str]:
    """Return loops over the kernel: the result, and what goes to input and weight."""
    count, outs, ins = input[0], weight[0], weight[1]
    each, pick = "i, j in np.ndindex", "..., i, j"
    met, made = f"..., {_met(grid)}", "..."
    if groups > 1:
        out, of = (f"k*{size}:(k+1)*{size}" for size in (outs // groups, ins))
        each, pick = f"k, {each}", f"{out}, :, i, j"
        met, made = f":, {of}, {_met(grid)}", f":, {out}"
    lengths = grid.kernel if groups == 1 else (groups, *grid.kernel)
    loop = f"for {each}{lengths}: "
    x, y, g = "{input}", "{y}", "{g}"
    if groups > 1:
        y, g = f"{{y}}[{made}]", f"{{g}}[{made}]"
    before, x = _padded_line(grid, 4, x)
    result = (
        f"{before}{{y}} = np.zeros({(count, outs, *grid.places)})\n{loop}{y} += "
        f"np.einsum('nchw,oc->nohw', {x}[{met}], {{weight}}[{pick}])"
    )
    to_input = f"np.einsum('nohw,oc->nchw', {g}, {{weight}}[{pick}])"
    to_weight = f"np.einsum('nohw,nchw->oc', {g}, {x}[{met}])"
    return (
        result,
        _spread_lines(f"{loop}INTO[{met}] += {to_input}", input, grid),
        f"{before}{loop}{{into}}[{pick}] += {to_weight}",
    )


def _padded_line(grid: _Grid, ndim: int, name: str, more: str = "") -> tuple[str, str]:
    """Return a line that pads an operand, and the name of what it makes."""
    if grid.padding == (0, 0):
        return "", name
    return f"padded = {_padded_code(name, grid, ndim, more)}\n", "padded"


def _spread_lines(loop: str, input: Shape, grid: _Grid) -> str:
    """Return lines that add to an operand's gradient what a loop adds to INTO."""
    if grid.padding == (0, 0):
        return loop.replace("INTO", "{into}")
    zeros = f"padded = np.zeros({(*input[:-2], *grid.padded)})"
    added = f"{{into}} += padded{_crop_code(grid)}"
    return f"{zeros}\n{loop.replace('INTO', 'padded')}\n{added}"


def _met(grid: _Grid) -> str:
    """Return the slices of an operand that the number i, j of a kernel meets."""
    axes = zip("ij", grid.dilation, grid.stride, grid.places, strict=True)
    return ", ".join(_met_code(*axis) for axis in axes)


def _met_code(number: str, dilation: int, stride: int, places: int) -> str:
    """Return the slice of the numbers that one number of the kernel meets.

    >>> _met_code("i", 1, 1, 4), _met_code("j", 2, 3, 4)
    ('i:i+4', '2*j:2*j+10:3')
    """
    start = number if dilation == 1 else f"{dilation}*{number}"
    step = "" if stride == 1 else f":{stride}"
    return f"{start}:{start}+{(places - 1) * stride + 1}{step}"


def _conv2d_back_code(input: Shape, weight: Shape, grid: _Grid, groups: int) -> str:
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
    back = _each_group("nohwij,ocij->nchw", windows, "{weight}", 1, groups)
    pairs = zip(grid.padding, grid.size, strict=True)
    return f"{back}[..., {', '.join(f'{pad}:{pad + size}' for pad, size in pairs)}]"


def _pool_codes(input: Shape, grid: _Grid, picks: str, shares: str) -> str:
    """Return the contribution of pooling: `shares` added where `picks` says."""
    full = (*input[:-2], *grid.padded)
    size = math.prod(full)
    numbers = _windows_code(f"np.arange({size}).reshape({full})", grid)
    places = picks.replace("NUMBERS", numbers)
    return (
        f"np.bincount(np.ravel({places}), np.ravel({shares}), {size})"
        f".reshape({full}){_crop_code(grid)}"
    )


def _max_pool2d_wording(input: Shape, **attributes: Any) -> Mapping[str, Any]:
    grid = _pool_grid(input, attributes)
    least = ", constant_values=-np.inf"
    windows = _windows_code(_padded_code("{input}", grid, len(input), least), grid)
    flat = (*input[:-2], *grid.places, math.prod(grid.kernel))
    first = f"np.argmax({windows}.reshape({flat}), -1)[..., None]"
    picks = f"np.take_along_axis(NUMBERS.reshape({flat}), {first}, -1)"
    before, x = _padded_line(grid, len(input), "{input}", least)
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
    windows = _windows_code(_padded_code("{input}", grid, len(input)), grid)
    size = math.prod(grid.kernel)
    shares = f"np.repeat(np.ravel({{g}}) / {size}, {size})"
    before, x = _padded_line(grid, len(input), "{input}")
    loop = f"for i, j in np.ndindex{grid.kernel}: INTO[..., {_met(grid)}] += "
    form = _OF_MEAN._replace(
        local=f"1 / {size}",
        code=_pool_codes(input, grid, "NUMBERS", shares),
        statement=_spread_lines(f"{loop}{{g}} / {size}", input, grid),
    )
    return {
        "code": f"np.mean({windows}, (-2, -1))",
        "forms": (form,),
        "statement": f"{before}{{y}} = np.mean({_each_met(grid, x)}, 0)",
    }


def _each_met(grid: _Grid, name: str) -> str:
    """Return a list of what each number of a kernel meets."""
    return f"[{name}[..., {_met(grid)}] for i, j in np.ndindex{grid.kernel}]"


def _largest_lines(grid: _Grid) -> str:
    """Return a loop over windows that gives the largest of each its gradient."""
    if any(pad >= size for pad, size in zip(grid.padding, grid.kernel, strict=True)):
        return ""  # a window may lie in the padding alone
    axes = zip("ij", grid.stride, grid.kernel, grid.padding, strict=True)
    at = ", ".join(_window_code(*axis) for axis in axes)
    return (
        "for *n, i, j in np.ndindex({y}.shape):\n"
        f"    at = (*n, {at})\n"
        "    {into}[at].flat[np.argmax({input}[at])] += {g}[*n, i, j]"
    )


def _window_code(number: str, step: int, size: int, padding: int) -> str:
    """Return the slice of an operand that a window covers, its padding left out.

    >>> _window_code("i", 2, 2, 0), _window_code("j", 2, 3, 1)
    ('slice(2*i, 2*i+2)', 'slice(max(2*j-1, 0), 2*j+2)')
    """
    place = number if step == 1 else f"{step}*{number}"
    start = f"max({place}-{padding}, 0)" if padding else place
    return f"slice({start}, {place}+{size - padding})"


# ----------------------------------------------------------------------- the rows

_SIGMOID_CODE: Final = "np.exp(np.minimum({input}, 0)) / (1 + np.exp(-np.abs({input})))"
_BINARY_CODE: Final = (
    "np.maximum({input}, 0) - {input} * {target} + np.log1p(np.exp(-np.abs({input})))"
)
_BY_LOGITS: Final = Form(
    "softmax({input}) − {target}",
    "(softmax({input}) − {target}) ∘ {g}",
    "{g}",
    "of the loss's logarithm of a quotient, the numerator gives −target and the sum "
    "below gives softmax: what is predicted minus what is right",
)
_BY_CHANCES: Final = Form(
    "−log softmax({input})",
    "−log softmax({input}) ∘ {g}",
    "{g}",
    "the loss is a sum of probabilities times −log softmax",
)
_BINARY_FORMS: Final = (
    Form(
        "σ({input}) − {target}",
        "(σ({input}) − {target}) ∘ {g}",
        "{g}",
        "what is predicted minus what is right",
    ),
    Form("−{input}", "−{input} ∘ {g}", "{g}", "the loss contains −input · target"),
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
    Form(
        "1",
        "Σ {g} over samples and places",
        "np.sum({g}, (0, 2, 3))",
        "one bias is added at every place and for every sample, and contributions add",
    ),
)
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
_MOST: Final = "np.max({x}, {axis}, keepdims=True)"
_POWERS: Final = f"np.exp({{x}} - {_MOST})"
_SUM: Final = f"np.sum({_POWERS}, {{axis}}, keepdims=True)"
_LAST_AXIS: Final = Parameter("axis", checks.whole, -1)
_POOLING: Final = (
    Parameter("kernel_size", checks.pair),
    Parameter("stride", checks.optional(checks.pair), None),
    Parameter("padding", checks.pair_or_zero, 0),
)


def _pooling(
    name: str,
    forward: Rule,
    rules: tuple[Rule, Rule],
    form: Form,
    summary: str,
    wording: Callable[..., Mapping[str, Any]],
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
        parameters=_POOLING,
        axis_letters=_map_letters,
        wording=wording,
        **columns,
    )


_CLASS_VJPS, _CLASS_JVPS = zip(
    _class_rules(_logit_slopes), _class_rules(_chance_slopes), strict=True
)
_BINARY_VJPS, _BINARY_JVPS = zip(
    _binary_rules(lambda x, target: _sigmoid(x) - _like(target, x)),
    _binary_rules(lambda x, _target: -x),
    strict=True,
)

ROWS: tuple[Op, ...] = (
    row_of_one(
        "softmax",
        _softmax,
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
    ),
    row_of_one(
        "log_softmax",
        _log_softmax,
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
    ),
    Op(
        name="cross_entropy",
        operands=("input", "target"),
        forward=_cross_entropy,
        shape=_cross_entropy_shape,
        vjps=_CLASS_VJPS,
        jvps=_CLASS_JVPS,
        kind="block",
        symbol="cross_entropy({input}, {target})",
        code="cross_entropy({input}, {target})",
        forms=(_BY_LOGITS, _BY_CHANCES),
        summary="−log softmax(input) at the class, or weighted by probabilities.",
        analytic=True,
        parameters=(REDUCTION, Parameter("axis", checks.whole, 1)),
        axis_letters=_sample_letters,
        corner="logits [0, 800] with class 0: the loss is 800, the gradient [−1, 1], "
        "for nothing is added inside the logarithm",
        wording=_cross_entropy_wording,
        cases=(
            Case("nan", "masked row", _sample_with(-np.inf)),
            Case("nan", "infinite row", _sample_with(np.inf)),
            Case("nan", "zero times infinity", _is_by_chances),
            Case("zero", "certain", _is_certain),
            Case("flat", "certain", _is_certain, 0),
            Case("flat", "predicted", argument=0),
            Case("flat", "certain", argument=1),
        ),
        makes_own=("softmax",),
    ),
    Op(
        name="binary_cross_entropy_with_logits",
        operands=("input", "target"),
        forward=_binary,
        shape=_binary_shape,
        vjps=_BINARY_VJPS,
        jvps=_BINARY_JVPS,
        kind="block",
        symbol="binary_cross_entropy({input}, {target})",
        code=_BINARY_CODE,
        forms=_BINARY_FORMS,
        summary="−log of the probability that sigmoid(input) gives to the target.",
        analytic=False,
        corner="at inf the loss is inf · (1 − target); at −inf it is inf · target, "
        "where PyTorch has nan; inf · 0 is nan, so a prediction that is certain and "
        "right has a loss of nan",
        parameters=(REDUCTION,),
        axis_letters=_element_letters,
        wording=_binary_wording,
        cases=(
            Case("nan", "zero times infinity", _infinity_at(0)),
            Case("nan", "opposite infinities", _infinity_at(None)),
            Case("zero", "certain", _are_truths),
            Case("flat", "predicted", argument=0),
        ),
        makes_own=("sigmoid",),
    ),
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
    _pooling(
        "max_pool2d",
        _max_pool2d,
        (_max_pool2d_vjp, _max_pool2d_jvp),
        _OF_MAX,
        "The largest number of each window of the last two axes.",
        _max_pool2d_wording,
        analytic=False,
        kinks=True,
        corner="of equal numbers in a window the first one takes the gradient; of "
        "several nan, too, where PyTorch takes the last",
        cases=(Case("zero", "chosen"), Case("flat", "lost")),
    ),
    _pooling(
        "avg_pool2d",
        _avg_pool2d,
        (_avg_pool2d_vjp, linear(_avg_pool2d)),
        _OF_MEAN,
        "The mean of each window of the last two axes, padding included.",
        _avg_pool2d_wording,
        analytic=True,
        signs=(1,),
    ),
)
