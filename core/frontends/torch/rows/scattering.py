# pyright: basic, reportMissingModuleSource=false
"""Elements sent to places that an index names, and windows that overlap.

What is added up at a place is written the other way round: each place takes what is
sent to it, from a table of numbers, and sums it.
"""

from __future__ import annotations

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
    table = arrivals(places, int(np.prod(input.shape)))
    if table is None:
        return None
    return f"input + reshape({sum_of_arrivals(value)}, out)", {"table": table, **more}


def _put(input: Tensor, places: Array, value: str, more: Any, *, one: bool) -> Any:
    """Return `input` with others at some places, each of which is named once.

    Which of several stays PyTorch does not say; where all are `one` it does not matter.
    """
    if not one and len(np.unique(places)) < len(places):
        return None
    text = f"reshape(put(reshape(input, (-1,))[places], {value}), out)"
    return text, {"places": places, **more}


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
        return _put(input, where, "reshape(src[part], (-1,))", more, one=False)
    number = value if src is None else src
    return _put(input, where, "number", {**more, "number": number}, one=True)


def _scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool = True
) -> Any:
    if reduce != "sum" or not include_self:
        return None
    return _scatter_add(input, dim, index, src)


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
    return _put(input, where, "reshape(source, (-1,))", {}, one=False)


def _index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    source = list(input.shape)
    source[dim % input.ndim] = int(np.prod(index.shape))
    where = _along(input, dim, index, tuple(source))
    return _put(input, where, "value", {}, one=True)


def _index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    if any(not isinstance(one, Tensor) for one in indices):
        return None
    if not accumulate:
        return "put(input[index], values)", {"index": tuple(indices)}
    every = np.arange(int(np.prod(input.shape))).reshape(input.shape)
    where = every[tuple(map(numbers, indices))]
    value = "broadcast_to(values, wide)"
    return _added(input, where.reshape(-1), value, {"wide": where.shape})


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
        "im2col": _im2col,
        "col2im": _col2im,
        "unfold_axis": _unfold_axis,
        "_pack_padded_sequence": _pack,
        "_pad_packed_sequence": _unpack,
    }
)
