# pyright: basic, reportMissingModuleSource=false
"""What a backward pass does where it is differentiated itself."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ....capture.record import sum_of_arrivals
from .arithmetic import kind_here, values
from .scattering import numbers


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
    return np.zeros(sizes, kind_here(grad_output.dtype))


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


def _elu(
    grad_output: Any,
    alpha: float,
    scale: float,
    input_scale: float,
    is_result: bool,
    self_or_result: Any,
) -> Any:
    y = "self_or_result"
    slope = f"({y} + alpha * scale) * input_scale"
    if not is_result:
        slope = f"alpha * scale * input_scale * exp({y} * input_scale)"
    return f"grad_output * where({y} > 0, scale, {slope})"


def _gelu(grad_output: Any, self: Any, *, approximate: str = "none") -> Any:
    share = f"0.5 * (1 + erf(self * {math.sqrt(0.5)}))"
    density = f"exp(self ** 2 * -0.5) * {1 / math.sqrt(2 * math.pi)}"
    if approximate == "none":
        return f"grad_output * ({share} + self * {density})"
    c = math.sqrt(2 / math.pi)
    return (
        f"t = tanh({c} * (self + 0.044715 * self ** 3))\n"
        f"slope = {c} * (1 + {3 * 0.044715} * self ** 2)\n"
        "grad_output * 0.5 * (1 + t + self * (1 - t ** 2) * slope)"
    )


def _layer_norm(
    grad_out: Any,
    input: Any,
    normalized_shape: Any,
    mean: Any,
    rstd: Any,
    weight: Any,
    bias: Any,
    output_mask: Any,
) -> Any:
    axes = tuple(range(-len(normalized_shape), 0))
    front = tuple(range(input.ndim - len(axes)))
    spread = values(input).var(axis=axes, keepdims=True)
    eps = float(np.median(values(rstd) ** -2.0 - spread))
    scaled = "grad_out" if weight is None else "grad_out * weight"
    text = _of_norm(scaled, output_mask)
    return text, {"axes": axes, "front": front, "eps": eps}


def _of_norm(scaled: str, mask: Any) -> str:
    """Return the gradients of what was made to have the mean 0 and the variance 1."""
    lines = [
        "m = mean(input, axis=axes, keepdims=True)",
        "s = 1 / sqrt(mean((input - m) ** 2, axis=axes, keepdims=True) + eps)",
        "x = (input - m) * s",
        f"g = {scaled}",
        "a = mean(g, axis=axes, keepdims=True)",
        "b = mean(g * x, axis=axes, keepdims=True)",
    ]
    parts = ["s * (g - a - x * b)", "sum(grad_out * x, axis=front)"]
    return _masked(lines, [*parts, "sum(grad_out, axis=front)"], mask)


def _batch_norm(
    grad_out: Any,
    input: Any,
    weight: Any,
    running_mean: Any,
    running_var: Any,
    save_mean: Any,
    save_invstd: Any,
    train: bool,
    eps: float,
    output_mask: Any,
) -> Any:
    if not train:
        return None
    axes = (0, *range(2, input.ndim))
    one = (-1,) + (1,) * (input.ndim - 2)
    scaled = "grad_out" if weight is None else "grad_out * reshape(weight, one)"
    more = {"axes": axes, "front": axes, "one": one}
    return _of_norm(scaled, output_mask), more


def _nll(
    grad_output: Any,
    self: Any,
    target: Any,
    weight: Any,
    reduction: int,
    ignore_index: int,
    total_weight: Any,
) -> Any:
    """Return a share of the gradient, below 0, at the right class of each sample."""
    if self.ndim != 2:
        return None
    right, rows = numbers(target), np.arange(self.shape[0])
    is_there = right != ignore_index
    places = np.where(is_there, right, 0)
    shares = is_there * (1.0 if weight is None else values(weight)[places])
    shares = shares / (values(total_weight) if reduction == 1 else 1)
    text = "put(zeros(out)[rows, places], -grad_output * shares)"
    return text, {"rows": rows, "places": places, "shares": shares}


def _mse(grad_output: Any, self: Any, target: Any, reduction: int) -> Any:
    text = "grad_output * 2 * (self - target)"
    return text + (f" / {math.prod(self.shape)}" if reduction == 1 else "")


def _bce(
    grad_output: Any, self: Any, target: Any, weight: Any = None, reduction: int = 1
) -> Any:
    text = "grad_output * (self - target) / clip((1 - self) * self, min=1e-12)"
    text += "" if weight is None else " * weight"
    return text + (f" / {math.prod(self.shape)}" if reduction == 1 else "")


def _masked(lines: list[str], parts: list[str], mask: Any) -> str:
    """Return those of several gradients that were asked for."""
    wanted = [part for part, is_there in zip(parts, mask, strict=True) if is_there]
    return "\n".join([*lines, f"[{', '.join(wanted)}]"])


def _convolution(
    grad_output: Any,
    input: Any,
    weight: Any,
    bias_sizes: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    output_mask: Any,
) -> Any:
    """Return the gradients of a convolution, each of which is one itself."""
    if transposed or input.ndim != 4 or (groups > 1 and output_mask[1]):
        return None
    sizes = zip(
        input.shape[2:],
        grad_output.shape[2:],
        weight.shape[2:],
        stride,
        padding,
        dilation,
        strict=True,
    )
    left = tuple(
        n - ((m - 1) * s - 2 * p + d * (k - 1) + 1) for n, m, k, s, p, d in sizes
    )
    options = "padding=padding, groups=groups"
    height, width = weight.shape[2:]
    by_weight = (
        "conv2d(swapaxes(input, 0, 1), swapaxes(grad_output, 0, 1), stride=dilation, "
        f"padding=padding, dilation=stride)[:, :, :{height}, :{width}]"
    )
    more = "stride=stride, output_padding=left, dilation=dilation"
    parts = [
        f"conv_transpose2d(grad_output, weight, {more}, {options})",
        f"swapaxes({by_weight}, 0, 1)",
        "sum(grad_output, axis=(0, 2, 3))",
    ]
    found = {"stride": stride, "padding": padding, "dilation": dilation}
    bound = {name: tuple(one) for name, one in found.items()}
    return _masked([], parts, output_mask), {**bound, "left": left}


def _max_pool2d(
    grad_output: Any,
    self: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    indices: Any,
) -> Any:
    """Return a picture with each gradient where its number was picked."""
    plane = math.prod(self.shape[-2:])
    index = numbers(indices).reshape(-1, math.prod(indices.shape[-2:]))
    places = (index + np.arange(len(index))[:, None] * plane).reshape(-1)
    text, tables = sum_of_arrivals("grad_output", places, math.prod(self.shape))
    return f"reshape({text}, out)", tables


ROWS: Final = MappingProxyType(
    {
        "tanh_backward": _tanh,
        "sigmoid_backward": _sigmoid,
        "threshold_backward": _threshold,
        "leaky_relu_backward": _leaky,
        "_softmax_backward_data": _softmax,
        "_log_softmax_backward_data": _log_softmax,
        "silu_backward": _silu,
        "elu_backward": _elu,
        "gelu_backward": _gelu,
        "native_layer_norm_backward": _layer_norm,
        "native_batch_norm_backward": _batch_norm,
        "nll_loss_backward": _nll,
        "mse_loss_backward": _mse,
        "binary_cross_entropy_backward": _bce,
        "convolution_backward": _convolution,
        "max_pool2d_with_indices_backward": _max_pool2d,
        "softplus_backward": _softplus,
        "slice_backward": _slice,
        "select_backward": _select,
    }
)
