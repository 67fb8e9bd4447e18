# pyright: basic, reportMissingModuleSource=false
"""Layers: linear ones, convolutions, pooling, norms, embeddings, attention."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ....capture.record import Tensor
from ....ops import OPS
from .arithmetic import kind_here, values
from .scattering import numbers


def _linear(input: Any, weight: Any, bias: Any = None) -> Any:
    if "linear" in OPS and weight.ndim == 2:
        return (
            "linear(input, weight)" if bias is None else "linear(input, weight, bias)"
        )
    text = "input @ weight.T" if weight.ndim == 2 else "input @ weight"
    return text if bias is None else f"{text} + bias"


def _pair(value: Any) -> Any:
    """Return a number, or two of them, as an operation takes them."""
    return tuple(value) if isinstance(value, tuple | list) else value


def _conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    laid, padding, more = _laid(input, weight, padding, dilation)
    given = {
        "stride": _pair(stride),
        "padding": _pair(padding),
        "dilation": _pair(dilation),
        "groups": groups,
    }
    text = f"conv2d({laid}, weight{_too(bias)}, {_keywords(given)})"
    return text if input.ndim == 4 else f"reshape({text}, out)", {**given, **more}


def _conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the same in two dimensions, of which one has the length 1."""
    laid, padding, more = _laid(input, weight, padding, dilation)
    given = {
        "stride": (1, _alone(stride)),
        "padding": (0, _alone(padding)),
        "dilation": (1, _alone(dilation)),
        "groups": groups,
    }
    operands = f"({laid})[:, :, None, :], weight[:, :, None, :]{_too(bias)}"
    return f"reshape(conv2d({operands}, {_keywords(given)}), out)", {**given, **more}


def _laid(input: Any, weight: Any, padding: Any, dilation: Any) -> Any:
    """Return how the input of a convolution is written, and what is still to pad.

    It may be one sample alone. Padding by name is done before, for it may be uneven.
    """
    text = _batch(input, weight)
    if padding != "same":
        return text, 0 if padding == "valid" else padding, {}
    lengths = weight.shape[2:]
    apart = (
        dilation if isinstance(dilation, tuple | list) else [dilation] * len(lengths)
    )
    more = [each * (n - 1) for each, n in zip(apart, lengths, strict=True)]
    widths = ((0, 0), (0, 0), *((n // 2, n - n // 2) for n in more))
    return f"pad({text}, widths)", 0, {"widths": widths}


def _batch(input: Any, weight: Any) -> str:
    """Return how an input is written that may be one sample alone."""
    return "input" if input.ndim == weight.ndim else "input[None]"


def _too(bias: Any) -> str:
    return "" if bias is None else ", bias"


def _keywords(given: Any) -> str:
    return ", ".join(f"{name}={name}" for name in given)


def _alone(value: Any) -> Any:
    """Return the only number of a list of one."""
    return value[0] if isinstance(value, tuple | list) else value


def _conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    given = {
        "stride": _pair(stride),
        "padding": _pair(padding),
        "output_padding": _pair(output_padding),
        "groups": groups,
        "dilation": _pair(dilation),
    }
    operands = f"{_batch(input, weight)}, weight{_too(bias)}"
    text = f"conv_transpose2d({operands}, {_keywords(given)})"
    return text if input.ndim == 4 else f"reshape({text}, out)", given


def _conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the same in two dimensions, of which one has the length 1."""
    given = {
        "stride": (1, _alone(stride)),
        "padding": (0, _alone(padding)),
        "output_padding": (0, _alone(output_padding)),
        "groups": groups,
        "dilation": (1, _alone(dilation)),
    }
    laid = f"({_batch(input, weight)})[:, :, None, :]"
    operands = f"{laid}, weight[:, :, None, :]{_too(bias)}"
    return f"reshape(conv_transpose2d({operands}, {_keywords(given)}), out)", given


def _max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    if return_indices:
        return None
    more = {"dilation": _pair(dilation), "ceil_mode": ceil_mode}
    return _pooled("max_pool2d", input, kernel_size, stride, padding, more)


def _avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
) -> Any:
    more = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
    if divisor_override:
        pair = _pair(kernel_size)
        size = math.prod((pair, pair) if isinstance(pair, int) else pair)
        more["count_include_pad"] = True
        text, given = _pooled("avg_pool2d", input, kernel_size, stride, padding, more)
        share = size / divisor_override
        return None if ceil_mode else (f"{text} * share", {**given, "share": share})
    return _pooled("avg_pool2d", input, kernel_size, stride, padding, more)


def _avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    if input.ndim != 3:
        return None
    more = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
    return _pooled_row("avg_pool2d", kernel_size, stride, padding, more)


def _pooled(
    name: str,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    more: Any = MappingProxyType({}),
) -> Any:
    given = {
        "kernel_size": _pair(kernel_size),
        "stride": _pair(stride) or None,
        "padding": _pair(padding),
        **more,
    }
    text = f"{name}(input, {_keywords(given)})"
    if input.ndim == 3:  # one picture without a batch
        text = f"reshape({name}(input[None], {_keywords(given)}), out)"
    return text, given


def _pooled_row(
    name: str, kernel_size: Any, stride: Any, padding: Any, more: Any
) -> Any:
    """Return pooling along one axis as that of pictures of the height 1."""
    given = {
        "kernel_size": (1, _alone(kernel_size)),
        "stride": (1, _alone(stride or kernel_size)),
        "padding": (0, _alone(padding)),
        **more,
    }
    return f"reshape({name}(input[:, :, None], {_keywords(given)}), out)", given


def _adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    sizes = (output_size,) * 2 if isinstance(output_size, int) else tuple(output_size)
    old = input.shape[-2:]
    new = tuple(n if s is None else s for s, n in zip(sizes, old, strict=True))
    if new == (1, 1):
        return "mean(input, axis=(-2, -1), keepdims=True)"
    return "adaptive_avg_pool2d(input, output_size=new)", {"new": new}


def _picked(axes: int) -> Any:
    """Return the row of pooling that says which numbers it has picked.

    They are counted over the last `axes` of the input.
    """

    def row(input: Any, *_args: Any, indices: Any = None, **_kwargs: Any) -> Any:
        found = {} if indices is None else {"indices": indices.cpu().numpy()}
        front = input.shape[: input.ndim - axes]
        flat = (*front, math.prod(input.shape[input.ndim - axes :]))
        text = "take_along_axis(reshape(input, flat), reshape(indices, rows), axis=-1)"
        bound = {"flat": flat, "rows": (*front, -1), **found}
        return f"reshape({text}, out)", bound

    return row


def _unpooled(axes: int) -> Any:
    """Return the row of what puts numbers where pooling has picked them."""

    def row(input: Any, indices: Any, *_args: Any, **_kwargs: Any) -> Any:
        front = input.ndim - axes
        places = numbers(indices).reshape(math.prod(input.shape[:front]), -1)
        if any(len(set(one)) < len(one) for one in places.tolist()):
            return None  # one of two numbers stays, and PyTorch sends both a gradient
        rows = np.arange(len(places))[:, None]
        text = "put(reshape(zeros(out), flat)[rows, places], reshape(input, apart))"
        whole = {"flat": (len(places), -1), "rows": rows, "places": places}
        return f"reshape({text}, out)", {**whole, "apart": places.shape}

    return row


def _max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    if input.ndim != 3 or return_indices:
        return None
    more = {"dilation": (1, _alone(dilation)), "ceil_mode": ceil_mode}
    return _pooled_row("max_pool2d", kernel_size, stride, padding, more)


def _layer_norm(
    input: Any,
    normalized_shape: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    axes = tuple(range(-len(normalized_shape), 0))
    return "layer_norm(input, weight, bias, eps=eps, axis=axes)", {"axes": axes}


def _rms_norm(
    input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None
) -> Any:
    axes = tuple(range(-len(normalized_shape), 0))
    eps = float(np.finfo(input.dtype).eps) if eps is None else eps
    return "rms_norm(input, weight, eps=eps, axis=axes)", {"axes": axes, "eps": eps}


def _batch_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: Any = 0.1,
    eps: float = 1e-5,
) -> Any:
    if training or running_mean is None:
        return "batch_norm(input, weight, bias, eps=eps)"
    known = "running_mean, running_var, training=False"
    return f"batch_norm(input, weight, bias, {known}, eps=eps)"


def _group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    return "group_norm(input, num_groups, weight, bias, eps=eps)"


def _instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if use_input_stats:
        return "instance_norm(input, weight, bias, eps=eps)"
    known = "running_mean, running_var, training=False"
    return f"batch_norm(input, weight, bias, {known}, eps=eps)"


def _embedding(
    input: Any,
    weight: Any,
    padding_idx: Any = None,
    max_norm: Any = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    if max_norm is not None or scale_grad_by_freq:
        return None
    if padding_idx is None:
        return "embedding(input, weight)"
    row = padding_idx % weight.shape[0]  # it may be counted from the end
    return "embedding(input, weight, row)", {"row": row}


def _embedding_rows(
    weight: Any,
    indices: Any,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Return torch.embedding, where a padding row below 0 is none."""
    row = padding_idx if padding_idx >= 0 else None
    found = _embedding(indices, weight, row, None, 2.0, scale_grad_by_freq)
    return found and ("embedding(indices, weight, row)", {"row": row})


def _attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: Any = None,
    enable_gqa: bool = False,
) -> Any:
    if dropout_p:
        return None
    given: dict[str, Any] = {"scale": scale}
    mask, hidden = "attn_mask", None
    if is_causal:
        size = (query.shape[-2], key.shape[-2])
        hidden = ~np.tril(np.ones(size, bool))
        given["visible"] = np.where(hidden, -math.inf, 0.0).astype(
            kind_here(query.dtype)
        )
        mask = "visible"
    elif isinstance(attn_mask, Tensor):
        is_bool = attn_mask.dtype == "bool"
        hidden = values(attn_mask) == (False if is_bool else -math.inf)
        if is_bool:
            mask, given["hidden"] = "where(attn_mask, 0.0, hidden)", -math.inf
    keys = ["key", "value"]
    if enable_gqa and query.shape[-3] != key.shape[-3]:
        each = query.shape[-3] // key.shape[-3]
        given["heads"] = np.repeat(np.arange(key.shape[-3]), each)
        keys = [f"take({one}, heads, axis=-3)" for one in keys]
    lost = None if hidden is None else hidden.all(axis=-1, keepdims=True)
    if lost is None or not lost.any():
        text = f"query, {', '.join(keys)}, attn_mask={mask}, scale=scale"
        return f"scaled_dot_product_attention({text})", given
    given["lost"] = lost  # queries that see no key: PyTorch makes a 0 of that
    text = f"query, {', '.join(keys)}, attn_mask=where(lost, 0.0, {mask}), scale=scale"
    return f"where(lost, 0, scaled_dot_product_attention({text}))", given


def _weight_norm(v: Any, g: Any, dim: int = 0) -> Any:
    axes = tuple(axis for axis in range(v.ndim) if axis != dim % v.ndim)
    return "v * (g / sqrt(sum(v ** 2, axis=axes, keepdims=True)))", {"axes": axes}


ROWS: Final = MappingProxyType(
    {
        "_weight_norm": _weight_norm,
        "linear": _linear,
        "conv1d": _conv1d,
        "conv2d": _conv2d,
        "conv_transpose1d": _conv_transpose1d,
        "conv_transpose2d": _conv_transpose2d,
        "max_pool1d": _max_pool1d,
        "max_pool2d": _max_pool2d,
        **{f"max_pool{axes}d_with_indices": _picked(axes) for axes in (1, 2, 3)},
        **{f"adaptive_max_pool{axes}d": _picked(axes) for axes in (1, 2, 3)},
        "max_pool3d": _picked(3),
        "fractional_max_pool2d": _picked(2),
        "fractional_max_pool3d": _picked(3),
        **{f"max_unpool{axes}d": _unpooled(axes) for axes in (1, 2, 3)},
        "avg_pool1d": _avg_pool1d,
        "avg_pool2d": _avg_pool2d,
        "adaptive_avg_pool2d": _adaptive_avg_pool2d,
        "layer_norm": _layer_norm,
        "rms_norm": _rms_norm,
        "batch_norm": _batch_norm,
        "group_norm": _group_norm,
        "instance_norm": _instance_norm,
        "embedding": _embedding,
        "embedding_rows": _embedding_rows,
        "scaled_dot_product_attention": _attention,
    }
)
