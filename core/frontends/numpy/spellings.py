# pyright: basic
"""How each function of NumPy is written in the language of programs.

A row takes the arguments of a call by NumPy's own names and returns the text: the names
in it are the arguments, and `out` is the shape of the first result. Where more is
needed, it comes as a second value: arrays that become constants, and static values.
What a row cannot tell is None, and the operation is opaque.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...capture.record import (
    Row,
    Tensor,
    spelling,
    sum_of_arrivals,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...capture.record import Call, Spelling


def _same(text: str) -> Row:
    """Return the row of a function of elements."""

    def one(a: Any, **_kwargs: Any) -> Any:
        return text

    def two(a: Any, b: Any, **_kwargs: Any) -> Any:
        return text

    return two if re.search(r"\bb\b", text) else one


def _reduced(name: str, whole: int | None = None) -> Row:
    """Return the row of a sum or the like; `whole` is the axis where none is given."""

    def row(
        a: Any,
        axis: Any = whole,
        dtype: Any = None,
        out_: Any = None,
        keepdims: bool = False,
        ddof: int = 0,
        **_kwargs: Any,
    ) -> Any:
        if a.dtype == "bool":
            return None
        more = ", ddof=ddof" if name in ("var", "std") else ""
        keep = keepdims is True
        text = f"{name}(a, axis=axis, keepdims=keepdims{more})"
        return text, {"axis": _axis(axis), "keepdims": keep, "ddof": ddof}

    return row


def _extreme(name: str) -> Row:
    def row(a: Any, axis: Any = None, out_: Any = None, keepdims: Any = False) -> Any:
        text = f"{name}(a, axis=axis, keepdims=keepdims)"
        if isinstance(axis, int) and _has_ties(name, a.held.value, axis):
            text, wide = "take_along_axis(a, first, axis=axis)", a.held.value
            first = getattr(np, f"arg{name}")(wide, axis=axis, keepdims=True)
            return f"reshape({text}, out)", {"first": first}
        return text, {"axis": _axis(axis), "keepdims": keepdims is True}

    return row


def _has_ties(name: str, value: Any, axis: int) -> bool:
    """Tell whether a greatest number stands several times along an axis.

    Its first place is the one that `argmax` gives, and what people send it back to.
    """
    found = getattr(np, name)(value, axis=axis, keepdims=True)
    return bool(np.any(np.sum(value == found, axis=axis) > 1))


def _greater(a: Any, b: Any, **_kwargs: Any) -> Any:
    """Return relu for the larger of 0 and something: its slope at 0 is 0."""
    if isinstance(a, (int, float)) and a == 0:
        return "relu(b)"
    return "relu(a)" if isinstance(b, (int, float)) and b == 0 else "maximum(a, b)"


def _axis(axis: Any) -> Any:
    return tuple(map(int, axis)) if isinstance(axis, (tuple, list)) else axis


def _reshaped(a: Any, *_args: Any, **_kwargs: Any) -> Any:
    return "reshape(a, out)"


def _transposed(a: Any, *given: Any, **kwargs: Any) -> Any:
    axes: Any = kwargs.get("axes", given)
    if axes and len(axes) == 1 and (axes[0] is None or not isinstance(axes[0], int)):
        axes = axes[0]
    if not axes:
        return "a.T"
    return "transpose(a, axes)", {"axes": tuple(map(int, axes))}


def _swapped(a: Any, axis1: int, axis2: int) -> Any:
    return "swapaxes(a, axis1, axis2)"


def _broadcast(a: Any, *_args: Any, **_kwargs: Any) -> Any:
    return "broadcast_to(a, out)"


def _dot(a: Any, b: Any, *_args: Any) -> Any:
    first = a.ndim if isinstance(a, Tensor) else np.ndim(a)
    second = b.ndim if isinstance(b, Tensor) else np.ndim(b)
    if not first or not second:
        return "a * b"
    return "a @ b" if first <= 2 and second <= 2 else "dot(a, b)"


def _einsum(subscripts: str, *operands: Any, **_kwargs: Any) -> Any:
    names = [f"x{number}" for number in range(len(operands))]
    text = f"einsum(subscripts, {', '.join(names)})"
    return text, dict(zip(names, operands, strict=True))


def _joined(name: str, axis: int) -> Row:
    def row(arrays: Any, axis: int = axis, **_kwargs: Any) -> Any:
        return f"{name}(arrays, axis=axis)", {"arrays": list(arrays)}

    return row


def _stacked(arrays: Any, **_kwargs: Any) -> Any:
    arrays = list(arrays)
    if any(one.ndim < 2 for one in arrays):
        return "stack(arrays, axis=0)", {"arrays": arrays}
    return "concatenate(arrays, axis=0)", {"arrays": arrays}


def _beside(arrays: Any, **_kwargs: Any) -> Any:
    arrays = list(arrays)
    axis = 0 if arrays[0].ndim < 2 else 1
    return "concatenate(arrays, axis=axis)", {"arrays": arrays, "axis": axis}


def _item(a: Any, index: Any) -> Any:
    return None if _is_odd(index) else ("a[index]", {"index": _index(index)})


def _put(a: Any, index: Any, value: Any) -> Any:
    if _is_odd(index):
        return None
    bound = {"index": _index(index), "value": value}
    is_mask = isinstance(index, Tensor) and index.dtype == "bool"
    if is_mask and index.shape == a.shape and np.ndim(_plain(value)) == 0:
        return "where(index, value, a)", bound
    if isinstance(value, (list, tuple)):
        bound["value"] = np.asarray(value, dtype=a.dtype)
    if index is Ellipsis or index == slice(None):
        return "broadcast_to(value, out)", bound
    return "put(a[index], value)", bound


def _plain(value: Any) -> Any:
    return value.held.value if isinstance(value, Tensor) else value


def _is_odd(index: Any) -> bool:
    flat = index if isinstance(index, tuple) else (index,)
    return any(isinstance(one, bool) for one in flat)


def _index(index: Any) -> Any:
    """Return an index as the language has it: lists and ranges as arrays."""
    if isinstance(index, tuple):
        return tuple(_index(one) for one in index)
    if isinstance(index, (range, np.ndarray)):
        return [int(one) for one in index] if np.ndim(index) == 1 else index
    if isinstance(index, np.integer):
        return int(index)
    if isinstance(index, Tensor) and not index.shape:
        return int(index.held.value)
    return index


def _written(a: Any, value: Any, *, index: Any, chosen: Any) -> Any:
    """Return what is left of `a`, and in it what was written elsewhere."""
    there = "take(reshape(value, (-1,)), chosen)"
    if len(index) == math.prod(a.shape):
        order = np.argsort(index)
        return f"reshape({there}, out)", {"chosen": chosen[order]}
    return f"reshape(put(reshape(a, (-1,))[index], {there}), out)"


def _clipped(
    a: Any, a_min: Any = None, a_max: Any = None, out_: Any = None, **kwargs: Any
) -> Any:
    low, high = kwargs.get("min", a_min), kwargs.get("max", a_max)
    text, bound = "clip(a, min=low, max=high)", {"low": low, "high": high}
    if np.ndim(_plain(low)) or np.ndim(_plain(high)) or _is_traced(low, high):
        lines = [
            f"a = where(a {sign} {limit}, {limit}, a)"
            for sign, limit in (("<", "low"), (">", "high"))
            if bound[limit] is not None
        ]
        text = "\n".join((*lines, "a"))
    return text, bound


def _is_traced(*values: Any) -> bool:
    return any(isinstance(one, Tensor) for one in values)


def _added_at(sign: str) -> Row:
    """Return the row of what adds to elements, also several times to the same one."""

    def row(a: Any, indices: Any, b: Any) -> Any:
        every = np.arange(math.prod(a.shape)).reshape(a.shape)
        places = every[_numbers(indices)]
        value = "broadcast_to(b, wide)"
        sums, tables = sum_of_arrivals(value, places.reshape(-1), every.size)
        return f"a {sign} reshape({sums}, out)", {**tables, "wide": places.shape}

    return row


def _numbers(index: Any) -> Any:
    """Return an index without records in it."""
    if isinstance(index, tuple):
        return tuple(map(_numbers, index))
    return _plain(index)


def _padded(a: Any, pad_width: Any, mode: str = "constant", **kwargs: Any) -> Any:
    value = kwargs.get("constant_values", 0)
    if mode != "constant" or not isinstance(value, (int, float)):
        return None
    pairs = np.broadcast_to(np.asarray(pad_width), (a.ndim, 2))
    width = tuple((int(low), int(high)) for low, high in pairs)
    return "pad(a, width, constant_values=value)", {"width": width, "value": value}


def _repeated(a: Any, repeats: Any, axis: Any = None) -> Any:
    if axis is None or not isinstance(repeats, int):
        return None
    places = np.repeat(np.arange(a.shape[axis]), repeats)
    return "take(a, places, axis=axis)", {"places": places}


def _tiled(a: Any, reps: Any) -> Any:
    reps = (reps,) if isinstance(reps, int) else tuple(map(int, reps))
    shape = (1,) * (len(reps) - a.ndim) + a.shape
    reps = (1,) * (len(shape) - len(reps)) + reps
    thin = tuple(n for one in shape for n in (1, one))
    wide = tuple(n for t, one in zip(reps, shape, strict=True) for n in (t, one))
    text = "reshape(broadcast_to(reshape(a, thin), wide), out)"
    return text, {"thin": thin, "wide": wide}


def _chosen(condition: Any, x: Any = None, y: Any = None) -> Any:
    return None if x is None or y is None else "where(condition, x, y)"


def _taken(a: Any, indices: Any, axis: Any = None, **_kwargs: Any) -> Any:
    return "take(a, indices, axis=axis)", {"indices": _index(indices)}


def _along(a: Any, indices: Any, axis: Any = -1) -> Any:
    return "take_along_axis(a, indices, axis=axis)"


def _flipped(a: Any, axis: Any = None) -> Any:
    return "flip(a, axis=axis)"


def _outer(a: Any, b: Any, *_args: Any) -> Any:
    return "outer(a, b)"


def _copied(a: Any, *_args: Any, **_kwargs: Any) -> Any:
    return "a"


def _cast(a: Any, *_args: Any, **_kwargs: Any) -> Any:
    """Return `a` in the kind of numbers of the result."""
    return "cast"


def _split(a: Any, sections: Any, axis: int = 0) -> Any:
    axis = axis % a.ndim
    if isinstance(sections, int):
        size = a.shape[axis] // sections
        ends = [size * number for number in range(sections + 1)]
    else:
        ends = [0, *map(int, sections), a.shape[axis]]
    before = ":, " * axis
    parts = (f"a[{before}{low}:{high}]" for low, high in pairwise(ends))
    return f"[{', '.join(parts)}]"


def _normed(a: Any, order: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if order not in (None, 2) or (axis is None and order == 2 and a.ndim != 1):
        return None
    text = "sqrt(sum(a * a, axis=axis, keepdims=keepdims))"
    return text, {"axis": _axis(axis), "keepdims": keepdims is True}


def _running(name: str) -> Row:
    def row(a: Any, axis: Any = None, **_kwargs: Any) -> Any:
        return f"{name}(a, axis=axis)"

    return row


def _ordered(a: Any, axis: Any = -1, **_kwargs: Any) -> Any:
    if not isinstance(axis, int):
        return None
    order = np.argsort(a.held.value, axis=axis)
    return "take_along_axis(a, order, axis=axis)", {"order": order}


def _rolled(a: Any, shift: Any, axis: Any = None) -> Any:
    return "roll(a, shift, axis=axis)"


def _triangle(name: str) -> Row:
    def row(m: Any, k: int = 0) -> Any:
        return f"{name}(m, k=k)"

    return row


def _averaged(a: Any, axis: Any = None, weights: Any = None, **_kwargs: Any) -> Any:
    return None if weights is not None else "mean(a, axis=axis)"


_ELEMENTS: Final = MappingProxyType(
    {
        "add": "a + b",
        "subtract": "a - b",
        "multiply": "a * b",
        "divide": "a / b",
        "power": "a ** b",
        "float_power": "a ** b",
        "matmul": "a @ b",
        "minimum": "minimum(a, b)",
        "fmin": "minimum(a, b)",
        "greater": "a > b",
        "greater_equal": "a >= b",
        "less": "a < b",
        "less_equal": "a <= b",
        "equal": "a == b",
        "not_equal": "a != b",
        "logaddexp": "maximum(a, b) + log1p(exp(-abs(a - b)))",
        "negative": "-a",
        "positive": "a",
        "absolute": "abs(a)",
        "fabs": "abs(a)",
        "sign": "sign(a)",
        "exp": "exp(a)",
        "exp2": f"exp(a * {math.log(2)})",
        "expm1": "expm1(a)",
        "log": "log(a)",
        "log1p": "log1p(a)",
        "log2": f"log(a) / {math.log(2)}",
        "log10": f"log(a) / {math.log(10)}",
        "sqrt": "sqrt(a)",
        "square": "square(a)",
        "reciprocal": "1 / a",
        "sin": "sin(a)",
        "cos": "cos(a)",
        "tan": "sin(a) / cos(a)",
        "arctan": "arctan(a)",
        "tanh": "tanh(a)",
        "cosh": "(exp(a) + exp(-a)) / 2",
        "sinh": "(exp(a) - exp(-a)) / 2",
        "expit": "sigmoid(a)",
        "erf": "erf(a)",
    }
)
ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        **{name: _same(text) for name, text in _ELEMENTS.items()},
        **{name: _reduced(name) for name in ("sum", "mean", "var", "std", "prod")},
        **{name: _extreme(name.removeprefix("a")) for name in ("max", "min")},
        "maximum": _greater,
        "amax": _extreme("max"),
        "amin": _extreme("min"),
        "average": _averaged,
        "add.reduce": _reduced("sum", 0),
        "multiply.reduce": _reduced("prod", 0),
        **dict.fromkeys(
            ("reshape", "ravel", "flatten", "squeeze", "expand_dims"), _reshaped
        ),
        **dict.fromkeys(("atleast_1d", "atleast_2d"), _reshaped),
        "transpose": _transposed,
        "swapaxes": _swapped,
        "broadcast_to": _broadcast,
        "dot": _dot,
        "inner": lambda a, b: "a @ b" if a.ndim == b.ndim == 1 else None,
        "vdot": lambda a, b: "a @ b" if a.ndim == b.ndim == 1 else None,
        "outer": _outer,
        "einsum": _einsum,
        "concatenate": _joined("concatenate", 0),
        "stack": _joined("stack", 0),
        "vstack": _stacked,
        "hstack": _beside,
        "split": _split,
        "array_split": _split,
        "getitem": _item,
        "setitem": _put,
        "written": _written,
        "clip": _clipped,
        "add.at": _added_at("+"),
        "subtract.at": _added_at("-"),
        "pad": _padded,
        "repeat": _repeated,
        "tile": _tiled,
        "where": _chosen,
        "take": _taken,
        "take_along_axis": _along,
        "flip": _flipped,
        "cumsum": _running("cumsum"),
        "cumprod": _running("cumprod"),
        "sort": _ordered,
        "roll": _rolled,
        "tril": _triangle("tril"),
        "triu": _triangle("triu"),
        "norm": _normed,
        **dict.fromkeys(("copy", "conj", "asarray", "array", "real"), _copied),
        "astype": _cast,
    }
)


def spell(call: Call) -> Spelling | None:
    """Return how a call is written; None where there is no way."""
    row, first = ROWS.get(call.key), call.outputs[0]
    found = row and written(row, call, {"out": first.shape, "one": _one(first)})
    if not found:
        return None
    text, bound = found
    if text == "cast":
        text = _changed(call.inputs[0], first)
    return spelling(text, bound)


def _changed(before: Tensor, after: Tensor) -> Any:
    return "a" if before.dtype == after.dtype else "a * one"


def _one(tensor: Tensor) -> Any:
    return np.dtype("float32" if tensor.dtype == "float32" else "float64").type(1)
