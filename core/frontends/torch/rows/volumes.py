# pyright: basic, reportMissingModuleSource=false
"""Layers over three axes: plane by plane of their depth."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from .arithmetic import is_narrow


def _three(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * 3


def _conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the sum of a convolution in two dimensions for each layer of the kernel.

    The places along the depth are samples of these.
    """
    apart, *wide = _three(dilation)
    far, *flat = _three(stride)
    shape = input.shape if input.ndim == 5 else (1, *input.shape)
    widths = _borders(padding, weight.shape[2:], (apart, *wide))
    samples, channels, *sizes = shape
    kernel = weight.shape[2]
    sizes = [n + low + high for n, (low, high) in zip(sizes, widths, strict=True)]
    count, height, across = (
        (n - w * (k - 1) - 1) // s + 1
        for n, w, k, s in zip(
            sizes, (apart, *wide), weight.shape[2:], (far, *flat), strict=True
        )
    )
    parts = [
        f"conv2d(reshape(x[:, {first}:{first + far * (count - 1) + 1}:{far}], samples)"
        f", weight[:, :, {layer}], stride=stride, dilation=dilation, groups=groups)"
        for layer in range(kernel)
        for first in (layer * apart,)
    ]
    added = "" if bias is None else " + reshape(bias, (-1, 1, 1, 1))"
    whole = "input" if input.ndim == 5 else "input[None]"
    text = (
        f"x = transpose(pad({whole}, widths), (0, 2, 1, 3, 4))\n"
        f"y = {' + '.join(parts)}\n"
        f"reshape(transpose(reshape(y, apart), (0, 2, 1, 3, 4)){added}, out)"
    )
    return text, {
        "stride": tuple(flat),
        "dilation": tuple(wide),
        "widths": ((0, 0), (0, 0), *widths),
        "samples": (samples * count, channels, *sizes[1:]),
        "apart": (samples, count, weight.shape[0], height, across),
    }


def _borders(padding: Any, kernel: Any, dilation: Any) -> list[tuple[int, int]]:
    """Return how much is put on both sides of each axis."""
    if padding == "same":
        more = [w * (k - 1) for w, k in zip(dilation, kernel, strict=True)]
        return [(n // 2, n - n // 2) for n in more]
    return [(n, n) for n in _three(0 if padding == "valid" else padding)]


def _conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the sum over the layers of the kernel, each put at its depth."""
    if input.ndim != 5 or is_narrow(input):
        return None  # of 16 bits PyTorch rounds each sum on its way
    (far, *flat), (border, *edge), (more, *rest), (apart, *wide) = map(
        _three, (stride, padding, output_padding, dilation)
    )
    samples, channels, depth = input.shape[:3]
    kernel = weight.shape[2]
    one = (depth - 1) * far + 1  # how deep a layer is, with zeros between
    whole = one + apart * (kernel - 1) + more
    ends = {
        f"ends{k}": ((0, 0), (k * apart, whole - one - k * apart), *((0, 0),) * 3)
        for k in range(kernel)
    }
    options = _OPTIONS.format("padding=padding, output_padding=output_padding, ")
    lines = ["x = reshape(transpose(input, (0, 2, 1, 3, 4)), rows)"]
    for k in range(kernel):
        layer = f"conv_transpose2d(x, weight[:, :, {k}], {options})"
        spread = f"reshape(pad(reshape({layer}, thin), spread), flat)[:, :{one}]"
        lines.append(f"y{k} = pad({spread}, ends{k})")
    total = " + ".join(f"y{k}" for k in range(kernel))
    added = "" if bias is None else " + reshape(bias, (-1, 1, 1, 1))"
    cut = f"({total})[:, {border}:{whole - border}]"
    lines.append(f"transpose({cut}, (0, 2, 1, 3, 4)){added}")
    plane = (weight.shape[1] * groups, *_planes(input, weight, flat, edge, rest, wide))
    return "\n".join(lines), {
        **ends,
        "rows": (samples * depth, channels, *input.shape[3:]),
        "stride": tuple(flat),
        "padding": tuple(edge),
        "output_padding": tuple(rest),
        "dilation": tuple(wide),
        "thin": (samples, depth, 1, *plane),
        "spread": ((0, 0), (0, 0), (0, far - 1), (0, 0), (0, 0), (0, 0)),
        "flat": (samples, depth * far, *plane),
    }


_OPTIONS: Final = "stride=stride, {}dilation=dilation, groups=groups"


def _planes(
    input: Any, weight: Any, stride: Any, padding: Any, more: Any, dilation: Any
) -> list[int]:
    """Return how high and wide the results of a transposed convolution are."""
    sizes = zip(
        input.shape[3:], stride, padding, dilation, weight.shape[3:], more, strict=True
    )
    return [(n - 1) * s - 2 * e + w * (k - 1) + r + 1 for n, s, e, w, k, r in sizes]


ROWS: Final = MappingProxyType(
    {
        "conv3d": _conv3d,
        "conv_transpose3d": _conv_transpose3d,
    }
)
