# pyright: basic, reportMissingModuleSource=false
"""Elements sent to places that an index names, and windows that overlap.

What is added up at a place is written the other way round: each place takes what is
sent to it, from a table of numbers, and sums it.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ....capture.record import Tensor, arrivals, sum_of_arrivals

if TYPE_CHECKING:
    from ....ops.table import Array, Shape


def numbers(tensor: Tensor) -> Array:
    """Return the numbers of a tensor of whole ones: an index, lengths."""
    return tensor.held.value.detach().cpu().numpy()


def _places(shape: Shape, source: Shape, dim: int, index: Array) -> Array:
    """Return the places in `shape`, in one row, that an index along `dim` names.

    The others are those that elements of `source` have there.
    """
    axes = np.indices(source)
    axes[dim] = index
    return np.ravel_multi_index(tuple(axes), shape).reshape(-1)


def _added(input: Tensor, places: Array, value: str, more: Any) -> Any:
    """Return `input` with elements of `value` added to it, one for each place."""
    count = math.prod(input.shape)
    sums, tables = sum_of_arrivals(value, places, count)
    return f"input + reshape({sums}, out)", {**tables, **more}


def _put(input: Tensor, places: Array, value: str, more: Any) -> Any:
    """Return `input` with one number at some places."""
    text = f"reshape(put(reshape(input, (-1,))[places], {value}), out)"
    return text, {"places": places, **more}


def _put_last(input: Tensor, places: Array, value: str, more: Any) -> Any:
    """Return `input` with others at some places; of several at one the last stays."""
    last = len(places) - 1 - np.unique(places[::-1], return_index=True)[1]
    chosen = np.sort(last)
    if len(chosen) < len(places):
        value = f"take(reshape({value}, (-1,)), chosen)"
    return _put(input, places[chosen], value, {"chosen": chosen, **more})


def _by_index(input: Tensor, dim: int, index: Tensor) -> tuple[Any, Any]:
    """Return the places that an index of the same axes names, and how it is cut."""
    where = _places(input.shape, index.shape, dim % input.ndim, numbers(index))
    return where, {"part": tuple(slice(0, n) for n in index.shape)}


def _scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    where, more = _by_index(input, dim, index)
    return _added(input, where, "src[part]", more)


def _scatter(
    input: Any,
    dim: int,
    index: Any,
    src: Any = None,
    value: Any = None,
    reduce: Any = None,
) -> Any:
    where, more = _by_index(input, dim, index)
    if reduce is not None:
        return None
    if isinstance(src, Tensor) and src.ndim:
        return _put_last(input, where, "reshape(src[part], (-1,))", more)
    number = value if src is None else src
    return _put(input, where, "number", {**more, "number": number})


def _scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool = True
) -> Any:
    where, more = _by_index(input, dim, index)
    return _reduced(input, where, "src[part]", more, reduce, is_in=include_self)


def _index_reduce(
    input: Any,
    dim: int,
    index: Any,
    source: Any,
    reduce: str,
    *,
    include_self: bool = True,
) -> Any:
    where = _along(input, dim, index, source.shape)
    return _reduced(input, where, "source", {}, reduce, is_in=include_self)


def _reduced(
    input: Tensor, places: Array, value: str, more: Any, reduce: str, *, is_in: bool
) -> Any:
    """Return `input` with what is sent to each place, reduced to one number.

    `is_in` tells whether what stood there counts as well.
    """
    count = math.prod(input.shape)
    many = np.bincount(places, minlength=count).reshape(input.shape)
    bound = {**more, "many": np.maximum(many + is_in, 1), "met": many > 0}
    if reduce in ("amax", "amin"):
        return _extreme(places, count, value, bound, reduce, is_in=is_in)
    of = "prod" if reduce == "prod" else "sum"
    text, tables = sum_of_arrivals(value, places, count, of)
    sign, nothing = ("*", 1) if of == "prod" else ("+", 0)
    kept = "input" if is_in else f"where(met, {nothing}, input)"
    text = f"{kept} {sign} reshape({text}, out)"
    return f"({text}) / many" if reduce == "mean" else text, {**tables, **bound}


def _extreme(
    places: Array, count: int, value: str, more: Any, reduce: str, *, is_in: bool
) -> Any:
    table = arrivals(places, count)
    if table is None:
        return None
    far = -np.inf if reduce == "amax" else np.inf
    kept = "input" if is_in else "where(met, far, input)"
    row = f"concatenate([reshape({value}, (-1,)), farthest])"
    both = f"[reshape({kept}, (-1, 1)), take({row}, table)]"
    text = f"{reduce[1:]}(concatenate({both}, axis=1), axis=1)"
    bound = {"table": table, "far": far, "farthest": np.array([far])}
    return f"reshape({text}, out)", {**more, **bound}


def _along(input: Tensor, dim: int, index: Tensor, source: Shape) -> Array:
    """Return the places of whole slices, whose numbers along an axis are an index."""
    dim = dim % input.ndim
    wide = [1] * len(source)
    wide[dim] = -1
    return _places(input.shape, source, dim, numbers(index).reshape(wide))


def _index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    where = _along(input, dim, index, source.shape)
    value = "source" if alpha == 1 else "alpha * source"
    return _added(input, where, value, {"alpha": alpha})


def _index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    where = _along(input, dim, index, source.shape)
    return _put_last(input, where, "reshape(source, (-1,))", {})


def _index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    source = list(input.shape)
    source[dim % input.ndim] = int(np.prod(index.shape))
    where = _along(input, dim, index, tuple(source))
    return _put(input, where, "value", {})


def _index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    if any(not isinstance(one, Tensor) for one in indices):
        return None
    if not accumulate:
        return "put(input[index], values)", {"index": tuple(indices)}
    every = np.arange(int(np.prod(input.shape))).reshape(input.shape)
    where = every[tuple(map(numbers, indices))]
    value = "broadcast_to(values, wide)"
    return _added(input, where.reshape(-1), value, {"wide": where.shape})


def _masked_select(input: Any, mask: Any) -> Any:
    wide = np.broadcast_shapes(input.shape, mask.shape)
    chosen = np.flatnonzero(np.broadcast_to(numbers(mask), wide))
    text = "take(reshape(broadcast_to(input, wide), (-1,)), chosen)"
    return text, {"wide": wide, "chosen": chosen}


def _masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    places = np.flatnonzero(np.broadcast_to(numbers(mask), input.shape))
    value = "reshape(source, (-1,))[:many]"
    return _put(input, places, value, {"many": len(places)})


def _bags(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: Any = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: Any = None,
) -> Any:
    """Return rows of a table, bag by bag: their sum, or their mean."""
    if input.is_float or max_norm is not None or scale_grad_by_freq:
        return None
    rows = numbers(input).reshape(-1)
    if offsets is None:
        begins = np.arange(input.shape[0]) * input.shape[1]
    else:
        begins = numbers(offsets)[: -1 if include_last_offset else None]
    bags = np.searchsorted(begins, np.arange(rows.size), side="right") - 1
    if padding_idx is not None:
        bags = np.where(rows == padding_idx % weight.shape[0], -1, bags)
    table = arrivals(bags, begins.size)
    if table is None:
        return None
    if mode == "max":
        return _greatest_of_bags(weight, rows, table)
    text = "take(weight, rows, axis=0)"
    if per_sample_weights is not None:
        text = f"{text} * reshape(per_sample_weights, (-1, 1))"
    text = f"sum(take(pad({text}, ((0, 1), (0, 0))), table, axis=0), axis=1)"
    many = np.bincount(bags[bags >= 0], minlength=begins.size)[:, None]
    return text + (" / many" if mode == "mean" else ""), {
        "rows": rows,
        "table": table,
        "many": np.maximum(many, 1),
    }


def _greatest_of_bags(weight: Tensor, rows: Array, table: Array) -> Any:
    """Return the first of the greatest numbers of each column, 0 of an empty bag."""
    x = numbers(weight)
    below = np.full((1, x.shape[1]), -np.inf, x.dtype)
    place = np.argmax(np.concatenate([x[rows], below])[table], axis=1)
    chosen = np.take_along_axis(table, place, axis=1)
    there = chosen < rows.size
    spots = np.where(there, np.append(rows, 0)[chosen], 0)
    text = "where(there, take_along_axis(weight, spots, axis=0), 0)"
    return text, {"there": there, "spots": spots}


def _take(input: Any, index: Any) -> Any:
    return "take(reshape(input, (-1,)), index)"


# -------------------------------------------------------------- windows that overlap


def _two(value: Any) -> tuple[int, int]:
    first, *rest = value if isinstance(value, tuple | list) else (value,)
    return int(first), int(rest[0] if rest else first)


def _windows(
    size: tuple[int, int], kernel: Any, dilation: Any, padding: Any, stride: Any
) -> Array:
    """Return the place of each number of each window: (numbers, windows).

    Places are counted in the picture with its border, row by row.
    """
    across: list[Array] = []
    for axis in (0, 1):
        most = size[axis] + 2 * _two(padding)[axis]
        inside = np.arange(_two(kernel)[axis]) * _two(dilation)[axis]
        starts = np.arange(0, most - inside[-1], _two(stride)[axis])
        across.append(inside[:, None] + starts)
    rows, columns = across
    width = size[1] + 2 * _two(padding)[1]
    every = rows[:, None, :, None] * width + columns[None, :, None, :]
    count = rows.shape[0] * columns.shape[0]
    return every.reshape(count, -1)


def _im2col(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    *front, height, width = input.shape
    down, across = _two(padding)
    size = (height + 2 * down) * (width + 2 * across)
    text = "reshape(take(reshape(pad(input, widths), rows), places, axis=-1), out)"
    return text, {
        "widths": (*((0, 0),) * len(front), (down, down), (across, across)),
        "rows": (*front, size),
        "places": _windows((height, width), kernel_size, dilation, padding, stride),
    }


def _col2im(
    input: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    size, border = _two(output_size), _two(padding)
    places = _windows(size, kernel_size, dilation, padding, stride)
    whole = np.full([n + 2 * k for n, k in zip(size, border, strict=True)], -1)
    inner = tuple(slice(k, k + n) for n, k in zip(size, border, strict=True))
    whole[inner] = np.arange(size[0] * size[1]).reshape(size)
    table = arrivals(whole.reshape(-1)[places].reshape(-1), size[0] * size[1])
    if table is None:
        return None
    *front, channels, count = input.shape
    rows = (*front, channels // places.shape[0], places.shape[0] * count)
    widths = (*((0, 0),) * (len(rows) - 1), (0, 1))
    text = "take(pad(reshape(input, rows), widths), table, axis=-1)"
    return f"reshape(sum({text}, axis=-1), out)", {
        "rows": rows,
        "widths": widths,
        "table": table,
    }


def _unfold_axis(input: Any, dimension: int, size: int, step: int) -> Any:
    dim = dimension % input.ndim
    starts = np.arange(0, input.shape[dim] - size + 1, step)
    axes = [one for one in range(input.ndim + 1) if one != dim + 1]
    return "transpose(take(input, places, axis=dim), axes)", {
        "places": starts[:, None] + np.arange(size),
        "dim": dim,
        "axes": (*axes, dim + 1),
    }


# -------------------------------------------------------- sequences of several lengths


def _pack(input: Any, lengths: Any, batch_first: bool) -> Any:
    many = numbers(lengths)
    where = [
        (b, t) if batch_first else (t, b)
        for t in range(int(many.max()))
        for b in np.flatnonzero(many > t)
    ]
    flat = np.ravel_multi_index(tuple(np.array(where).T), input.shape[:2])
    rows = (input.shape[0] * input.shape[1], *input.shape[2:])
    return "take(reshape(input, rows), flat, axis=0)", {"rows": rows, "flat": flat}


def _unpack(
    data: Any,
    batch_sizes: Any,
    batch_first: bool,
    padding_value: Any,
    total_length: int,
) -> Any:
    sizes = numbers(batch_sizes)
    table = np.full((max(len(sizes), total_length), int(sizes[0])), data.shape[0])
    first = 0
    for step, count in enumerate(sizes):
        table[step, :count] = np.arange(first, first + count)
        first += int(count)
    widths = ((0, 1), *((0, 0),) * (data.ndim - 1))
    text = "take(pad(data, widths, constant_values=padding_value), table, axis=0)"
    return text, {"widths": widths, "table": table.T if batch_first else table}


ROWS: Final = MappingProxyType(
    {
        "scatter_add": _scatter_add,
        "scatter": _scatter,
        "scatter_reduce": _scatter_reduce,
        "index_add": _index_add,
        "index_copy": _index_copy,
        "index_fill": _index_fill,
        "index_put": _index_put,
        "take": _take,
        "embedding_bag": _bags,
        "masked_select": _masked_select,
        "masked_scatter": _masked_scatter,
        "index_reduce": _index_reduce,
        "im2col": _im2col,
        "col2im": _col2im,
        "unfold_axis": _unfold_axis,
        "_pack_padded_sequence": _pack,
        "_pad_packed_sequence": _unpack,
    }
)
