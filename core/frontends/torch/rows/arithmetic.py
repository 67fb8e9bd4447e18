# pyright: basic, reportMissingModuleSource=false
"""Arithmetic and functions of each element."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ....capture.record import Tensor
from ....ops import OPS


def _add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    return "input + other" if alpha == 1 else "input + alpha * other"


def _sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    return "input - other" if alpha == 1 else "input - alpha * other"


def _div(input: Any, other: Any, *, rounding_mode: Any = None) -> Any:
    if rounding_mode is None:
        return "input / other"
    a, b = values(input), values(other)
    if rounding_mode == "floor" and np.array_equal(np.floor(a / b), a // b):
        return "floor(input / other)"
    return "trunc(input / other)" if rounding_mode == "trunc" else None


def kind_here(dtype: str) -> str:
    """Return in which kind of numbers a dtype is computed here: 16 bits are widened."""
    return "float64" if dtype == "float64" else "float32"


def is_narrow(tensor: Tensor) -> bool:
    """Tell whether a tensor is of 16 bits, which PyTorch rounds on its way."""
    return tensor.dtype not in ("float32", "float64")


def values(given: Any) -> Any:
    """Return the numbers of an argument: those of a tensor, or the number itself."""
    if not isinstance(given, Tensor):
        return np.asarray(given)
    value = given.held.value.detach().cpu()
    return (value.float() if given.dtype == "bfloat16" else value).numpy()


def _left_over(whole: Any) -> Any:
    """Return the row of what a division leaves; `whole` makes a quotient whole."""

    def row(input: Any, other: Any) -> Any:
        if not isinstance(other, Tensor) and isinstance(input, Tensor):
            other = input.held.value.new_tensor(other).item()  # as PyTorch rounds it
        a, b = values(input), values(other)
        rest = np.remainder(a, b) if whole is np.floor else np.fmod(a, b)
        times = np.round((a - rest) / b)
        return "input - other * times", {"other": other, "times": times}

    return row


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
    return _clamp(input, min=min), {"max": None}


def _clamp_max(input: Any, max: Any) -> Any:
    return _clamp(input, max=max), {"min": None}


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


def _celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return "alpha * elu(input / alpha)"


def _threshold(input: Any, threshold: Any, value: Any, inplace: bool = False) -> Any:
    return "where(input > threshold, input, value)"


def _hardshrink(input: Any, lambd: float = 0.5) -> Any:
    return "where(abs(input) > lambd, input, 0)"


def _softshrink(input: Any, lambd: float = 0.5) -> Any:
    return "input - clip(input, min=-lambd, max=lambd)"


def _rrelu(
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Any:
    text = None if training else "leaky_relu(input, negative_slope=slope)"
    return text, {"slope": (lower + upper) / 2}


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


def _where_method(input: Any, condition: Any, other: Any) -> Any:
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


def _logit(input: Any, eps: Any = None) -> Any:
    text = "log(input / (1 - input))"
    return text if eps is None else f"input = clip(input, min=eps, max=1 - eps)\n{text}"


def _xlogy(input: Any, other: Any) -> Any:
    return "where(input == 0, 0, input * log(other))"


def _angle(input: Any, other: Any) -> Any:
    """Return atan2: from the quotient that is not large, and half or quarter turns."""
    y, x = values(input), values(other)
    wide = np.abs(x) >= np.abs(y)
    across = wide & (x != 0)  # at 0, 0 there is no quotient, and the slope is 0
    whole = np.where(np.signbit(x), np.copysign(np.pi, y), 0)
    turn = np.where(wide, whole, np.copysign(np.pi / 2, y)).astype(y.dtype)
    text = (
        "near = arctan(input / where(across, other, 1))\n"
        "far = arctan(other / where(wide, 1, input))\n"
        "where(across, near, where(wide, 0, -far)) + turn"
    )
    return text, {"across": across, "wide": wide, "turn": turn}


def _copysign(input: Any, other: Any) -> Any:
    x = values(input)
    same = np.signbit(x) == np.signbit(values(other))
    text = "where(zero, 0, where(same, input, -input))"  # at 0 the slope is 0
    return text, {"zero": x == 0, "same": same}


def _nan_to_num(
    input: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    x = values(input)
    filled = np.nan_to_num(x, nan=nan or 0.0, posinf=posinf, neginf=neginf)
    return "where(fine, input, filled)", {"fine": np.isfinite(x), "filled": filled}


def _round(input: Any, *, decimals: int = 0) -> Any:
    factor = 10.0**decimals
    text = "round(input * factor) / factor" if decimals else "round(input)"
    return text, {"factor": factor}


def _filled(input: Any, value: Any = 0) -> Any:
    """Return what stands nowhere any more, for a gradient still comes to the result."""
    return "where(kept, input, value)", {"kept": np.zeros((), bool)}


def _copied(input: Any, src: Any, non_blocking: bool = False) -> Any:
    return "broadcast_to(src * one, out)"


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
        "sinh": "(expm1(input) - expm1(-input)) / 2",
        "cosh": "(exp(input) + exp(-input)) / 2",
        "asinh": "log(input + sqrt(input ** 2 + 1))",
        "arcsinh": "log(input + sqrt(input ** 2 + 1))",
        "acosh": "log(input + sqrt(input ** 2 - 1))",
        "arccosh": "log(input + sqrt(input ** 2 - 1))",
        "atanh": "(log1p(input) - log1p(-input)) / 2",
        "arctanh": "(log1p(input) - log1p(-input)) / 2",
        "asin": "arctan(input / sqrt((1 - input) * (1 + input)))",
        "arcsin": "arctan(input / sqrt((1 - input) * (1 + input)))",
        "acos": "2 * arctan(sqrt((1 - input) / (1 + input)))",
        "arccos": "2 * arctan(sqrt((1 - input) / (1 + input)))",
        "sinc": (
            f"angle = where(input == 0, 1, {math.pi} * input)\n"
            "where(input == 0, 1, sin(angle) / angle)"
        ),
        "frac": "input - trunc(input)",
        "deg2rad": f"input * {math.pi / 180}",
        "rad2deg": f"input * {180 / math.pi}",
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
        "sgn": "sign(input)",
        "logsigmoid": "-softplus(-input)",
        "log_sigmoid": "-softplus(-input)",
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
        "hypot": "sqrt(input ** 2 + other ** 2)",
        "logaddexp": "maximum(input, other) + log1p(exp(-abs(input - other)))",
        "logaddexp2": (
            f"maximum(input, other) + log1p(exp({-math.log(2)} * abs(input - other)))"
            f" / {math.log(2)}"
        ),
        "dist": "norm(input - other)",
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
        "celu": _celu,
        "threshold": _threshold,
        "hardshrink": _hardshrink,
        "softshrink": _softshrink,
        "rrelu": _rrelu,
        "logit": _logit,
        "xlogy": _xlogy,
        "atan2": _angle,
        "arctan2": _angle,
        "copysign": _copysign,
        "fmod": _left_over(np.trunc),
        "remainder": _left_over(np.floor),
        "mod": _left_over(np.floor),
        "nan_to_num": _nan_to_num,
        "fill": _filled,
        "zero": _filled,
        "copy": _copied,
        "glu": _glu,
        "lerp": _lerp,
        "addcmul": _addcmul,
        "addcdiv": _addcdiv,
        "where": _where,
        "where_method": _where_method,
        "prelu": _prelu,
        **{name: _rounded(name) for name in ("floor", "ceil", "trunc")},
        "round": _round,
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
