# pyright: basic, reportMissingModuleSource=false
"""Arithmetic and functions of each element."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any, Final

from ....capture.record import Tensor
from ....ops import OPS


def _add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    return "input + other" if alpha == 1 else "input + alpha * other"


def _sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    return "input - other" if alpha == 1 else "input - alpha * other"


def _div(input: Any, other: Any, *, rounding_mode: Any = None) -> Any:
    return "input / other" if rounding_mode is None else None


def _clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    if not isinstance(min, Tensor) and not isinstance(max, Tensor):
        return "clip(input, min=min, max=max)"
    lines = [
        f"input = where(input {sign} {limit}, {limit}, input)"
        for sign, limit, value in (("<", "min", min), (">", "max", max))
        if value is not None
    ]
    return "\n".join((*lines, "input"))


def _clamp_min(input: Any, min: Any) -> Any:
    return _clamp(input, min=min)


def _clamp_max(input: Any, max: Any) -> Any:
    return _clamp(input, max=max)


def _gelu(input: Any, approximate: str = "none") -> Any:
    return "gelu(input, approximate=approximate)"


def _softplus(input: Any, beta: Any = 1.0, threshold: Any = 20.0) -> Any:
    if beta == 1:
        return "where(input > threshold, input, softplus(input))"
    far, near = "beta * input > threshold", "softplus(beta * input) / beta"
    return f"where({far}, input, {near})"


def _elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return "elu(input, alpha=alpha)"


def _selu(input: Any, inplace: bool = False) -> Any:
    return f"{1.0507009873554805} * elu(input, alpha={1.6732632423543772})"


def _leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return "leaky_relu(input, negative_slope=negative_slope)"


def _hardtanh(
    input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Any:
    return "clip(input, min=min_val, max=max_val)"


def _glu(input: Any, dim: int = -1) -> Any:
    half = input.shape[dim] // 2
    before = ":, " * (dim % input.ndim)
    return f"input[{before}:{half}] * sigmoid(input[{before}{half}:])"


def _lerp(input: Any, end: Any, weight: Any) -> Any:
    return "input + weight * (end - input)"


def _addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    return "input + value * tensor1 * tensor2"


def _addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    return "input + value * tensor1 / tensor2"


def _where(condition: Any, input: Any, other: Any) -> Any:
    return "where(condition, input, other)"


def _masked_fill(input: Any, mask: Any, value: Any) -> Any:
    return "where(mask, value, input)"


def _inverted(input: Any) -> Any:
    return "input == 0" if input.dtype == "bool" else None


def _logical(text: str) -> Any:
    def row(input: Any, other: Any) -> Any:
        both = isinstance(input, Tensor) and isinstance(other, Tensor)
        is_bool = both and input.dtype == other.dtype == "bool"
        return text if is_bool else None

    return row


def _prelu(input: Any, weight: Any) -> Any:
    wide = (-1,) + (1,) * (input.ndim - 2) if weight.shape != (1,) else (1,)
    return "where(input > 0, input, reshape(weight, wide) * input)", {"wide": wide}


def _rounded(name: str) -> Any:
    def row(input: Any) -> Any:
        return f"{name}(input)" if name in OPS else None

    return row


def _cast(input: Any, *_args: Any, **_kwargs: Any) -> Any:
    """Return `input` in the kind of numbers of the result."""
    return "input * one"


def _one(text: str) -> Any:
    def row(input: Any, **_kwargs: Any) -> Any:
        return text

    return row


def _inplace(text: str) -> Any:
    def row(input: Any, inplace: bool = False) -> Any:
        return text

    return row


def _two(text: str) -> Any:
    def row(input: Any, other: Any) -> Any:
        return text

    return row


def _power(input: Any, exponent: Any) -> Any:
    return "input ** exponent"


def _rpow(input: Any, other: Any) -> Any:
    return "other ** input"


_FUNCTIONS: Final = MappingProxyType(
    {
        "neg": "-input",
        "negative": "-input",
        "abs": "abs(input)",
        "absolute": "abs(input)",
        "exp": "exp(input)",
        "exp2": f"exp(input * {math.log(2)})",
        "expm1": "expm1(input)",
        "log": "log(input)",
        "log1p": "log1p(input)",
        "log2": f"log(input) / {math.log(2)}",
        "log10": f"log(input) / {math.log(10)}",
        "sqrt": "sqrt(input)",
        "rsqrt": "1 / sqrt(input)",
        "square": "square(input)",
        "reciprocal": "1 / input",
        "sin": "sin(input)",
        "cos": "cos(input)",
        "tan": "sin(input) / cos(input)",
        "atan": "arctan(input)",
        "arctan": "arctan(input)",
        "tanh": "tanh(input)",
        "sigmoid": "sigmoid(input)",
        "expit": "sigmoid(input)",
        "erf": "erf(input)",
        "erfc": "1 - erf(input)",
        "sign": "sign(input)",
        "logsigmoid": "-softplus(-input)",
        "softsign": "input / (1 + abs(input))",
        "detach": "stop_gradient(input)",
        "data": "stop_gradient(input)",
        "clone": "reshape(input, out)",
        "contiguous": "reshape(input, out)",
        "alias": "reshape(input, out)",
    }
)
_ACTIVATIONS: Final = MappingProxyType(
    {
        "relu": "relu(input)",
        "silu": "silu(input)",
        "mish": "input * tanh(softplus(input))",
        "relu6": "clip(input, min=0, max=6)",
        "hardsigmoid": "clip(input + 3, min=0, max=6) / 6",
        "hardswish": "input * clip(input + 3, min=0, max=6) / 6",
    }
)
_PAIRS: Final = MappingProxyType(
    {
        "mul": "input * other",
        "multiply": "input * other",
        "rsub": "other - input",
        "rdiv": "other / input",
        "true_divide": "input / other",
        "maximum": "maximum(input, other)",
        "minimum": "minimum(input, other)",
        "gt": "input > other",
        "ge": "input >= other",
        "lt": "input < other",
        "le": "input <= other",
        "eq": "input == other",
        "ne": "input != other",
        "greater": "input > other",
        "less": "input < other",
    }
)

ROWS: Final = MappingProxyType(
    {
        **{name: _one(text) for name, text in _FUNCTIONS.items()},
        **{name: _inplace(text) for name, text in _ACTIVATIONS.items()},
        **{name: _two(text) for name, text in _PAIRS.items()},
        "add": _add,
        "sub": _sub,
        "subtract": _sub,
        "div": _div,
        "divide": _div,
        "pow": _power,
        "rpow": _rpow,
        "float_power": _power,
        "clamp": _clamp,
        "clip": _clamp,
        "clamp_min": _clamp_min,
        "clamp_max": _clamp_max,
        "gelu": _gelu,
        "softplus": _softplus,
        "elu": _elu,
        "selu": _selu,
        "leaky_relu": _leaky_relu,
        "hardtanh": _hardtanh,
        "glu": _glu,
        "lerp": _lerp,
        "addcmul": _addcmul,
        "addcdiv": _addcdiv,
        "where": _where,
        "prelu": _prelu,
        **{name: _rounded(name) for name in ("floor", "ceil", "round", "trunc")},
        "masked_fill": _masked_fill,
        "invert": _inverted,
        "logical_not": _inverted,
        "bitwise_not": _inverted,
        "and": _logical("(input * other) == 1"),
        "logical_and": _logical("(input * other) == 1"),
        **dict.fromkeys(
            ("to", "type", "float", "double", "half", "bfloat16", "type_as", "cpu"),
            _cast,
        ),
    }
)
