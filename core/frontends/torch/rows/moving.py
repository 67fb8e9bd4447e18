# pyright: basic, reportMissingModuleSource=false
"""Elements put elsewhere: shapes, axes, parts, joins."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ....ops import OPS

if TYPE_CHECKING:
    from ....capture.record import Tensor


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


def _stack(tensors: Any, dim: int = 0) -> Any:
    return "stack(tensors, axis=dim)", {"tensors": list(tensors)}


def _parts(input: Any, sizes: Any, dim: int = 0, **_kwargs: Any) -> Any:
    return "parts", {"dim": dim}


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


def _written(input: Any, value: Any, *, index: Any, chosen: Any) -> Any:
    """Return what is left of `input`, and in it what was written elsewhere."""
    there = "take(reshape(value, (-1,)), chosen)"
    if len(index) == math.prod(input.shape):
        order = np.argsort(index)
        return f"reshape({there}, out)", {"chosen": chosen[order]}
    return f"reshape(put(reshape(input, (-1,))[index], {there}), out)"


def _select(input: Any, dim: int, index: int) -> Any:
    before = ":, " * (dim % input.ndim)
    return f"input[{before}{index}]"


def _slice(
    input: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    index = (slice(None),) * (dim % input.ndim) + (slice(start, end, step),)
    return "input[index]", {"index": index}


def _narrow(input: Any, dim: int, start: int, length: int) -> Any:
    before = ":, " * (dim % input.ndim)
    return f"input[{before}{start}:{start + length}]"


def _index_select(input: Any, dim: int, index: Any) -> Any:
    return "take(input, index, axis=dim)"


def _gather(input: Any, dim: int, index: Any, **_kwargs: Any) -> Any:
    if "take_along_axis" in OPS and _fits(input, index, dim):
        return "take_along_axis(input, index, axis=dim)"
    return None


def _fits(input: Tensor, index: Tensor, dim: int) -> bool:
    pairs = enumerate(zip(input.shape, index.shape, strict=True))
    return all(a == b for k, (a, b) in pairs if k != dim % input.ndim)


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
    if not isinstance(repeats, int) or dim is None:
        return None
    places = np.repeat(np.arange(input.shape[dim]), repeats)
    return "take(input, places, axis=dim)", {"places": places}


def _flip(input: Any, *dims: Any, **kwargs: Any) -> Any:
    axes = kwargs.get("dims", dims)
    axes = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
    return "flip(input, axis=axes)", {"axes": tuple(axes)}


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
    if mode != "constant" or min(pad) < 0:
        return None
    pairs = [(pad[k], pad[k + 1]) for k in range(0, len(pad), 2)][::-1]
    widths = ((0, 0),) * (input.ndim - len(pairs)) + tuple(pairs)
    return "pad(input, widths, constant_values=value)", {
        "widths": widths,
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


def _diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    if input.ndim != 2 or (dim1 % 2, dim2 % 2) != (0, 1):
        return None
    height, width = input.shape
    rows, columns = np.nonzero(np.eye(height, width, offset))
    return "input[rows, columns]", {"rows": rows, "columns": columns}


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
        **dict.fromkeys(("t", "T", "mT"), _t),
        "permute": _permute,
        "movedim": _movedim,
        "moveaxis": _movedim,
        **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
        "stack": _stack,
        **dict.fromkeys(("chunk", "split", "tensor_split", "split_with_sizes"), _parts),
        "unbind": _unbind,
        "getitem": _getitem,
        "setitem": _setitem,
        "written": _written,
        "select": _select,
        "slice": _slice,
        "_unsafe_view": _reshape,
        "narrow": _narrow,
        "index_select": _index_select,
        "gather": _gather,
        "repeat": _repeat,
        "tile": _repeat,
        "repeat_interleave": _repeat_interleave,
        "flip": _flip,
        "roll": _roll,
        "diagonal": _diagonal,
        "tril": _triangle(upper=False),
        "triu": _triangle(upper=True),
        "pad": _pad,
        "pixel_shuffle": _pixel_shuffle,
    }
)
