# pyright: basic, reportMissingModuleSource=false
"""What a backward pass does where it is differentiated itself."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import numpy as np


def _tanh(grad_output: Any, output: Any) -> Any:
    return "grad_output * (1 - output ** 2)"


def _sigmoid(grad_output: Any, output: Any) -> Any:
    return "grad_output * output * (1 - output)"


def _threshold(grad_output: Any, self: Any, threshold: Any) -> Any:
    return "where(self > threshold, grad_output, 0)"


def _leaky(
    grad_output: Any, self: Any, negative_slope: float, self_is_result: bool
) -> Any:
    return "where(self > 0, grad_output, negative_slope * grad_output)"


def _softmax(grad_output: Any, output: Any, dim: int, input_dtype: Any) -> Any:
    inner = "sum(grad_output * output, axis=dim, keepdims=True)"
    return f"output * (grad_output - {inner})"


def _log_softmax(grad_output: Any, output: Any, dim: int, input_dtype: Any) -> Any:
    inner = "sum(grad_output, axis=dim, keepdims=True)"
    return f"grad_output - exp(output) * {inner}"


def _silu(grad_output: Any, self: Any) -> Any:
    share = "sigmoid(self)"
    return f"grad_output * {share} * (1 + self * (1 - {share}))"


def _softplus(grad_output: Any, self: Any, beta: Any, threshold: Any) -> Any:
    slope = "sigmoid(beta * self)"
    return f"grad_output * where(beta * self > threshold, 1, {slope})"


def _zeros(grad_output: Any, sizes: Any) -> Any:
    return np.zeros(sizes, "float64" if grad_output.dtype == "float64" else "float32")


def _slice(
    grad_output: Any, input_sizes: Any, dim: int, start: Any, end: Any, step: int
) -> Any:
    index = (slice(None),) * (dim % len(input_sizes)) + (slice(start, end, step),)
    empty = _zeros(grad_output, input_sizes)
    return "put(empty[index], grad_output)", {"index": index, "empty": empty}


def _select(grad_output: Any, input_sizes: Any, dim: int, index: int) -> Any:
    place = (slice(None),) * (dim % len(input_sizes)) + (index,)
    empty = _zeros(grad_output, input_sizes)
    return "put(empty[place], grad_output)", {"place": place, "empty": empty}


ROWS: Final = MappingProxyType(
    {
        "tanh_backward": _tanh,
        "sigmoid_backward": _sigmoid,
        "threshold_backward": _threshold,
        "leaky_relu_backward": _leaky,
        "_softmax_backward_data": _softmax,
        "_log_softmax_backward_data": _log_softmax,
        "silu_backward": _silu,
        "softplus_backward": _softplus,
        "slice_backward": _slice,
        "select_backward": _select,
    }
)
