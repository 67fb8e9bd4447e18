# pyright: basic, reportMissingModuleSource=false
"""Elements put elsewhere: shapes, axes, parts, joins."""

from __future__ import annotations

import math
from itertools import combinations, product
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ....capture.record import Tensor
from ....ops import OPS
from .scattering import numbers


def _reshape(input: Any, *_args: Any, **_kwargs: Any) -> Any:
    return "reshape(input, out)"


def _expand(input: Any, *_args: Any, **_kwargs: Any) -> Any:
    return "broadcast_to(input, out)"


def _view(input: Any, *args: Any, **kwargs: Any) -> Any:
    is_cast = [one for one in (*args, *kwargs.values()) if "dtype" in str(type(one))]
    return None if is_cast else "reshape(input, out)"


def _swap(input: Any, dim0: int, dim1: int) -> Any:
    return "swapaxes(input, dim0, dim1)"


def _swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    return "swapaxes(input, axis0, axis1)"


def _t(input: Any) -> Any:
    return "swapaxes(input, -1, -2)" if input.ndim >= 2 else "reshape(input, out)"


def _permute(input: Any, *dims: Any, **kwargs: Any) -> Any:
    axes = kwargs.get("dims", dims)
    axes = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
    return "transpose(input, axes)", {"axes": tuple(axes)}


def _movedim(input: Any, source: Any, destination: Any) -> Any:
    axes = list(range(input.ndim))
    froms = [source] if isinstance(source, int) else list(source)
    tos = [destination] if isinstance(destination, int) else list(destination)
    froms = [one % input.ndim for one in froms]
    rest = [one for one in axes if one not in froms]
    for to, one in sorted(zip([k % input.ndim for k in tos], froms, strict=True)):
        rest.insert(to, one)
    return "transpose(input, axes)", {"axes": tuple(rest)}


def _cat(tensors: Any, dim: int = 0, **kwargs: Any) -> Any:
    axis = kwargs.get("axis", dim)
    kept = [one for one in tensors if one.shape != (0,)]
    return "concatenate(tensors, axis=axis)", {"tensors": kept, "axis": axis}


def _reshaped(tensors: Any, shapes: Any) -> tuple[list[str], dict[str, Any]]:
    """Return how several tensors are written, each in another shape."""
    pairs = enumerate(zip(tensors, shapes, strict=True))
    bound: dict[str, Any] = {}
    for number, (one, shape) in pairs:
        bound |= {f"x{number}": one, f"shape{number}": shape}
    return [f"reshape(x{k}, shape{k})" for k in range(len(tensors))], bound


def _beside(least: int, axis: int) -> Any:
    """Return the row of what joins tensors of so many axes at least, along one."""

    def row(tensors: Any) -> Any:
        shapes = [_with_axes(one.shape, least) for one in tensors]
        texts, bound = _reshaped(tensors, shapes)
        return f"concatenate([{', '.join(texts)}], axis={axis})", bound

    return row


def _with_axes(shape: Any, least: int) -> Any:
    """Return a shape with so many axes at least, where PyTorch adds them.

    >>> _with_axes((3,), 2), _with_axes((3,), 3), _with_axes((3, 4), 3)
    ((1, 3), (1, 3, 1), (3, 4, 1))
    """
    shape = shape or (1,)
    if len(shape) == 1 and least > 1:
        shape = (1, *shape)
    return (*shape, *(1,) * (least - len(shape)))


def _hstack(tensors: Any) -> Any:
    return _beside(1, 0 if tensors[0].ndim < 2 else 1)(tensors)


def _columns(tensors: Any) -> Any:
    shapes = [one.shape if one.ndim > 1 else (-1, 1) for one in tensors]
    texts, bound = _reshaped(tensors, shapes)
    return f"concatenate([{', '.join(texts)}], axis=1)", bound


def _at_least(*tensors: Any) -> Any:
    if len(tensors) != 1 or not isinstance(tensors[0], Tensor):
        return None
    return "reshape(input, out)", {"input": tensors[0]}


def _grids(*tensors: Any, indexing: Any = None) -> Any:
    """Return meshgrid, where the first two axes may change places."""
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    axes = list(range(len(tensors)))
    if indexing == "xy" and len(axes) > 1:
        axes[:2] = [1, 0]
    shapes = [tuple(-1 if k == axis else 1 for k in sorted(axes)) for axis in axes]
    texts, bound = _reshaped(tensors, shapes)
    parts = ", ".join(f"broadcast_to({one}, out)" for one in texts)
    return f"[{parts}]", bound


def _broadcast(*tensors: Any) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    bound = {f"x{number}": one for number, one in enumerate(tensors)}
    parts = ", ".join(f"broadcast_to({one}, out)" for one in bound)
    return f"[{parts}]", bound


def _all_pairs(*tensors: Any) -> Any:
    """Return cartesian_prod: a row for each way to take one element of each tensor."""
    if len(tensors) < 2:
        return None
    ways = np.array([*product(*(range(one.shape[0]) for one in tensors))])
    bound = {f"x{number}": one for number, one in enumerate(tensors)}
    bound |= {f"way{number}": way for number, way in enumerate(ways.T)}
    parts = ", ".join(f"take(x{k}, way{k})" for k in range(len(tensors)))
    return f"stack([{parts}], axis=1)", bound


def _combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    if with_replacement or not 0 < r <= input.shape[0]:
        return None
    ways = np.array([*combinations(range(input.shape[0]), r)])
    return "take(input, ways)", {"ways": ways}


def _blocks(*tensors: Any) -> Any:
    """Return block_diag: matrices put one after the other along a diagonal."""
    lines, bound, down, across = list[str](), dict[str, Any](), 0, 0
    for number, one in enumerate(tensors):
        height, width = one.shape if one.ndim == 2 else (1, math.prod(one.shape))
        spot = f"{down}:{down + height}, {across}:{across + width}"
        bound |= {f"x{number}": one, f"shape{number}": (height, width)}
        lines.append(f"y = put(y[{spot}], reshape(x{number}, shape{number}))")
        down, across = down + height, across + width
    return "\n".join(["y = zeros(out)", *lines, "y"]), bound


def _stack(tensors: Any, dim: int = 0) -> Any:
    return "stack(tensors, axis=dim)", {"tensors": list(tensors)}


def _parts(input: Any, sizes: Any, dim: int = 0, **_kwargs: Any) -> Any:
    return "parts", {"dim": dim}


def _parts_along(axis: int) -> Any:
    def row(input: Any, *_args: Any, **_kwargs: Any) -> Any:
        return "parts", {"dim": min(axis, input.ndim - 1)}

    return row


def _unbind(input: Any, dim: int = 0) -> Any:
    before = ":, " * (dim % input.ndim)
    each = (f"input[{before}{one}]" for one in range(input.shape[dim]))
    return f"[{', '.join(each)}]"


def _getitem(input: Any, index: Any) -> Any:
    flat = index if isinstance(index, tuple) else (index,)
    if any(isinstance(one, bool) for one in flat):
        return None
    return "input[index]", {"index": index}


def _setitem(input: Any, index: Any, value: Any) -> Any:
    if "put" not in OPS:
        return None
    return "put(input[index], value)", {"index": index}


def _written(input: Any, value: Any, *, index: Any, chosen: Any, count: int) -> Any:
    """Return what is left of `input`, and in it what was written elsewhere.

    `count` is how many elements the result has.
    """
    there = "take(reshape(value, (-1,)), chosen)"
    if len(index) == count:
        order = np.argsort(index)
        return f"reshape({there}, out)", {"chosen": chosen[order]}
    return f"reshape(put(reshape(input, (-1,))[index], {there}), out)"


def _select(input: Any, dim: int, index: int) -> Any:
    before = ":, " * (dim % input.ndim)
    return f"input[{before}{index}]", {}


def _slice(
    input: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    index = (slice(None),) * (dim % input.ndim) + (slice(start, end, step),)
    return "input[index]", {"index": index}


def _into(place: Any) -> Any:
    """Return the row of what writes into a part; `place` finds that as a call has it.

    It is given the input, and what says which part.
    """

    def row(input: Any, src: Any, *args: Any, **kwargs: Any) -> Any:
        text, more = place(input, *args, **kwargs)
        return f"put({text}, src)", more

    return row


def _narrow(input: Any, dim: int, start: int, length: int) -> Any:
    before = ":, " * (dim % input.ndim)
    return f"input[{before}{start}:{start + length}]"


def _index_select(input: Any, dim: int, index: Any) -> Any:
    return "take(input, reshape(index, (-1,)), axis=dim)"


def _gather(input: Any, dim: int, index: Any, **_kwargs: Any) -> Any:
    part = [slice(0, length) for length in index.shape]
    part[dim % input.ndim] = slice(None)
    is_whole = _fits(input, index, dim)
    whole = "input" if is_whole else "input[part]"
    return f"take_along_axis({whole}, index, axis=dim)", {"part": tuple(part)}


def _fits(input: Tensor, index: Tensor, dim: int) -> bool:
    pairs = enumerate(zip(input.shape, index.shape, strict=True))
    return all(a == b for k, (a, b) in pairs if k != dim % input.ndim)


def _take_along(input: Any, indices: Any, dim: Any = None) -> Any:
    if dim is None:
        return "take(reshape(input, (-1,)), reshape(indices, (-1,)))"
    whole = input.ndim == indices.ndim and _fits(input, indices, dim)
    return "take_along_axis(input, indices, axis=dim)" if whole else None


def _repeat(input: Any, *sizes: Any, **kwargs: Any) -> Any:
    times = kwargs.get("repeats", kwargs.get("dims", sizes))
    if len(times) == 1 and isinstance(times[0], tuple | list):
        times = tuple(times[0])
    shape = (1,) * (len(times) - input.ndim) + input.shape
    times = (1,) * (len(shape) - len(times)) + tuple(times)
    thin = tuple(n for one in shape for n in (1, one))
    wide = tuple(n for t, one in zip(times, shape, strict=True) for n in (t, one))
    text = "reshape(broadcast_to(reshape(input, thin), wide), out)"
    return text, {"thin": thin, "wide": wide}


def _repeat_interleave(input: Any, repeats: Any, dim: Any = None, **_kw: Any) -> Any:
    many = repeats if isinstance(repeats, int) else numbers(repeats)
    if dim is None:
        places = np.repeat(np.arange(math.prod(input.shape)), many)
        return "take(reshape(input, (-1,)), places)", {"places": places}
    places = np.repeat(np.arange(input.shape[dim]), many)
    return "take(input, places, axis=dim)", {"places": places}


def _flip(input: Any, *dims: Any, **kwargs: Any) -> Any:
    axes = kwargs.get("dims", dims)
    axes = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
    return "flip(input, axis=axes)", {"axes": tuple(axes)}


def _mirrored(axis: int) -> Any:
    def row(input: Any) -> Any:
        return f"flip(input, axis={axis})"

    return row


def _turned(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Return rot90: so many quarter turns from the first axis to the second."""
    first, second = dims
    text = (
        "reshape(input, out)",
        "swapaxes(flip(input, axis=second), first, second)",
        "flip(flip(input, axis=first), axis=second)",
        "flip(swapaxes(input, first, second), axis=second)",
    )[k % 4]
    return text, {"first": first, "second": second}


def _roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    if "roll" in OPS:
        return "roll(input, shifts, axis=dims)"
    if dims is None:
        return None
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    dims = (dims,) if isinstance(dims, int) else tuple(dims)
    text, bound = "input", dict[str, Any]()
    for number, (shift, dim) in enumerate(zip(shifts, dims, strict=True)):
        bound[f"places{number}"] = np.roll(np.arange(input.shape[dim]), shift)
        text = f"take({text}, places{number}, axis={dim})"
    return text, bound


def _triangle(upper: bool) -> Any:
    def row(input: Any, diagonal: int = 0) -> Any:
        name = "triu" if upper else "tril"
        if name in OPS:
            return f"{name}(input, k=diagonal)"
        make = np.triu if upper else np.tril
        mask = make(np.ones(input.shape[-2:], bool), diagonal)
        return "where(mask, input, 0)", {"mask": mask}

    return row


def _pad(input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    if mode in _EDGES:
        return _edges(input, pad, _EDGES[mode])
    if mode != "constant":
        return None
    pairs = [(pad[k], pad[k + 1]) for k in range(0, len(pad), 2)][::-1]
    pairs = [(0, 0)] * (input.ndim - len(pairs)) + pairs
    ends = zip(pairs, input.shape, strict=True)
    kept = tuple(slice(max(0, -low), n + min(0, high)) for (low, high), n in ends)
    text = "input" if min(pad, default=0) >= 0 else "input[kept]"
    return f"pad({text}, widths, constant_values=value)", {
        "widths": tuple((max(0, low), max(0, high)) for low, high in pairs),
        "kept": kept,
        "value": value or 0,
    }


_EDGES: Final = MappingProxyType(
    {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
)


def _edges(input: Any, pad: Any, mode: Any) -> Any:
    """Return a tensor whose border is made of its own elements."""
    text, bound = "input", dict[str, Any]()
    for number in range(len(pad) // 2):
        axis = input.ndim - 1 - number
        around = (pad[2 * number], pad[2 * number + 1])
        if min(around) < 0:
            return None
        bound[f"places{axis}"] = np.pad(np.arange(input.shape[axis]), around, mode)
        text = f"take({text}, places{axis}, axis={axis})"
    return text, bound


def _pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    *more, channels, height, width = input.shape
    r, n = upscale_factor, len(more)
    apart = (*more, channels // r**2, r, r, height, width)
    axes = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    text = "reshape(transpose(reshape(input, apart), axes), out)"
    return text, {"apart": apart, "axes": axes}


def _pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    *more, channels, height, width = input.shape
    r, n = downscale_factor, len(more)
    apart = (*more, channels, height // r, r, width // r, r)
    axes = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    text = "reshape(transpose(reshape(input, apart), axes), out)"
    return text, {"apart": apart, "axes": axes}


def _channel_shuffle(input: Any, groups: int) -> Any:
    samples, channels, *rest = input.shape
    apart = (samples, groups, channels // groups, *rest)
    return "reshape(swapaxes(reshape(input, apart), 1, 2), out)", {"apart": apart}


def _as_strided(input: Any, size: Any, stride: Any, storage_offset: Any = None) -> Any:
    if storage_offset or not input.held.user.is_contiguous():
        return None
    places = np.zeros((), int)
    for length, step in zip(size, stride, strict=True):
        places = np.add.outer(places, np.arange(length) * step)
    return "take(reshape(input, (-1,)), places)", {"places": places}


def _diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    first, second = dim1 % input.ndim, dim2 % input.ndim
    rest = [k for k in range(input.ndim) if k not in (first, second)]
    shape = (input.shape[first], input.shape[second])
    return "transpose(input, axes)[..., rows, columns]", {
        "axes": (*rest, first, second),
        **_on_diagonal(shape, offset),
    }


def _into_diagonal(
    input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Any:
    if input.ndim != 2 or (dim1 % 2, dim2 % 2) != (0, 1):
        return None
    return "put(input[rows, columns], src)", _on_diagonal(input.shape, offset)


def _on_diagonal(shape: Any, offset: int) -> dict[str, Any]:
    rows, columns = np.nonzero(np.eye(*shape, k=offset))
    return {"rows": rows, "columns": columns}


def _diag(input: Any, diagonal: int = 0) -> Any:
    if input.ndim == 2:
        return "input[rows, columns]", _on_diagonal(input.shape, diagonal)
    return _diag_embed(input, diagonal)


def _diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    if (dim1 % (input.ndim + 1), dim2 % (input.ndim + 1)) != (
        input.ndim - 1,
        input.ndim,
    ):
        return None
    size = input.shape[-1] + abs(offset)
    found = _on_diagonal((size, size), offset)
    return "put(zeros(out)[..., rows, columns], input)", found


def _diagflat(input: Any, offset: int = 0) -> Any:
    size = math.prod(input.shape) + abs(offset)
    text = "put(zeros(out)[rows, columns], reshape(input, (-1,)))"
    return text, _on_diagonal((size, size), offset)


def _trace(input: Any) -> Any:
    return "sum(input[rows, columns])", _on_diagonal(input.shape, 0)


ROWS: Final = MappingProxyType(
    {
        **dict.fromkeys(
            ("reshape", "flatten", "squeeze", "unsqueeze", "ravel", "unflatten"),
            _reshape,
        ),
        **dict.fromkeys(("view_as", "reshape_as"), _reshape),
        **dict.fromkeys(("expand", "expand_as", "broadcast_to"), _expand),
        "view": _view,
        "transpose": _swap,
        "swapdims": _swap,
        "swapaxes": _swapaxes,
        **dict.fromkeys(("t", "T", "mT", "H", "mH", "adjoint"), _t),
        "permute": _permute,
        "movedim": _movedim,
        "moveaxis": _movedim,
        **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
        "stack": _stack,
        "hstack": _hstack,
        "vstack": _beside(2, 0),
        "row_stack": _beside(2, 0),
        "dstack": _beside(3, 2),
        "column_stack": _columns,
        **{f"atleast_{axes}d": _at_least for axes in (1, 2, 3)},
        "meshgrid": _grids,
        "broadcast_tensors": _broadcast,
        "cartesian_prod": _all_pairs,
        "combinations": _combinations,
        "block_diag": _blocks,
        "hsplit": _parts_along(1),
        "vsplit": _parts_along(0),
        "dsplit": _parts_along(2),
        **dict.fromkeys(("chunk", "split", "tensor_split", "split_with_sizes"), _parts),
        "unbind": _unbind,
        "getitem": _getitem,
        "setitem": _setitem,
        "written": _written,
        "select": _select,
        "slice": _slice,
        "select_scatter": _into(_select),
        "slice_scatter": _into(_slice),
        "diagonal_scatter": _into_diagonal,
        "_unsafe_view": _reshape,
        "narrow": _narrow,
        "index_select": _index_select,
        "gather": _gather,
        "take_along_dim": _take_along,
        "as_strided": _as_strided,
        "repeat": _repeat,
        "tile": _repeat,
        "repeat_interleave": _repeat_interleave,
        "flip": _flip,
        "flipud": _mirrored(0),
        "fliplr": _mirrored(1),
        "rot90": _turned,
        "roll": _roll,
        "diagonal": _diagonal,
        "diag": _diag,
        "diag_embed": _diag_embed,
        "diagflat": _diagflat,
        "trace": _trace,
        "tril": _triangle(upper=False),
        "triu": _triangle(upper=True),
        "pad": _pad,
        "pixel_shuffle": _pixel_shuffle,
        "pixel_unshuffle": _pixel_unshuffle,
        "channel_shuffle": _channel_shuffle,
        "native_channel_shuffle": _channel_shuffle,
    }
)
