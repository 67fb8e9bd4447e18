# pyright: basic, reportMissingModuleSource=false
"""Pictures made larger or smaller, axis by axis, and samples of them at places.

A mean of windows, and interpolation, is a sum of products along each axis by itself:
a matrix has the share that each element of the old axis has in each of the new one.
"""

from __future__ import annotations

import math
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .arithmetic import is_narrow, kind_here, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....ops.table import Array


def _by_matrices(matrices: Sequence[Array], dtype: str) -> tuple[str, dict[str, Any]]:
    """Return how the last axes are multiplied by a matrix (new, old) each."""
    old, new = "abcd"[: len(matrices)], "ABCD"[: len(matrices)]
    words = "".join(f",{n}{o}" for n, o in zip(new, old, strict=True))
    bound: dict[str, Any] = {
        f"matrix{number}": one.astype(kind_here(dtype))
        for number, one in enumerate(matrices)
    }
    text = f"einsum(words, input, {', '.join(bound)})"
    return text, {**bound, "words": f"...{old}{words}->...{new}"}


# ------------------------------------------------------------------------- mean pooling


def _windows(
    size: int, kernel: int, stride: int, padding: int, *, rounds_up: bool, counts: bool
) -> Array:
    """Return the shares of the old elements in the mean of each window.

    `rounds_up` lets a window begin that is not whole; `counts` takes the border for
    zeros that are averaged, too.
    """
    room = size + 2 * padding - kernel
    many = (-(-room // stride) if rounds_up else room // stride) + 1
    if rounds_up and (many - 1) * stride >= size + padding:
        many -= 1
    found = np.zeros((many, size))
    for row, begin in zip(found, range(-padding, many * stride, stride), strict=False):
        end = min(begin + kernel, size + padding)
        inside = slice(max(begin, 0), min(end, size))
        row[inside] = 1 / (end - begin if counts else inside.stop - inside.start)
    return found


def _avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
) -> Any:
    kernel, far, border = (
        tuple(one) if isinstance(one, tuple | list) else (one,) * 3
        for one in (kernel_size, stride or kernel_size, padding)
    )
    if divisor_override:
        return None
    matrices = [
        _windows(n, k, s, p, rounds_up=ceil_mode, counts=count_include_pad)
        for n, k, s, p in zip(input.shape[-3:], kernel, far, border, strict=True)
    ]
    return _by_matrices(matrices, input.dtype)


def _adaptive(axes: int) -> Any:
    """Return the row of means of as many windows as there shall be results."""

    def row(input: Any, output_size: Any) -> Any:
        one = isinstance(output_size, int)
        wanted = (output_size,) * axes if one else tuple(output_size)
        matrices: list[Array] = []
        for old, new in zip(input.shape[-axes:], wanted, strict=True):
            found = np.zeros((new or old, old))
            for k, shares in enumerate(found):
                begin, end = k * old // len(found), -(-(k + 1) * old // len(found))
                shares[begin:end] = 1 / (end - begin)
            matrices.append(found)
        return _by_matrices(matrices, input.dtype)

    return row


# ------------------------------------------------------------------------ interpolation


def _spots(old: int, new: int, factor: Any, *, corners: bool) -> Array:
    """Return where each new element is, as a place between the old ones."""
    if corners:
        return np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    step = old / new if factor is None else 1 / factor
    return (np.arange(new) + 0.5) * step - 0.5


def _linear(spots: Array, old: int) -> Array:
    if len(spots) == old:
        return np.eye(old)  # whatever the factor was: PyTorch copies what fits
    spots = np.maximum(spots, 0)
    low = np.minimum(np.floor(spots).astype(int), old - 1)
    share = np.clip(spots - low, 0, 1)
    found, rows = np.zeros((len(spots), old)), np.arange(len(spots))
    np.add.at(found, (rows, low), 1 - share)
    np.add.at(found, (rows, np.minimum(low + 1, old - 1)), share)
    return found


def _cubic(spots: Array, old: int) -> Array:
    """Return the shares by a cubic whose slope outside is −0.75, as PyTorch has it."""
    low = np.floor(spots).astype(int)
    found, rows = np.zeros((len(spots), old)), np.arange(len(spots))
    for step in (-1, 0, 1, 2):
        x = np.abs(spots - low - step)
        inside = np.clip(low + step, 0, old - 1)
        np.add.at(found, (rows, inside), _cubic_share(x, -0.75))
    return found


def _interpolated(axes: int, shares: Any) -> Any:
    def row(
        input: Any, output_size: Any, align_corners: bool, scale_factors: Any = None
    ) -> Any:
        old = input.shape[-axes:]
        factors = (None,) * axes if scale_factors is None else tuple(scale_factors)
        pairs = zip(old, factors, strict=True)
        new = output_size or [math.floor(n * factor) for n, factor in pairs]
        matrices = [
            shares(_spots(n, m, factor, corners=align_corners), n)
            for n, m, factor in zip(old, new, factors, strict=True)
        ]
        return _by_matrices(matrices, input.dtype)

    return row


def _smoothed(shares: Any, reach: int) -> Any:
    """Return the row of interpolation without aliases (Pillow's way, as ATen has it).

    An axis that gets shorter is averaged: `shares` of a place, by its distance, is as
    much wider as the steps are, and goes so far to both sides.
    """

    def row(
        input: Any, output_size: Any, align_corners: bool, scale_factors: Any = None
    ) -> Any:
        old = input.shape[-2:]
        factors = (None, None) if scale_factors is None else tuple(scale_factors)
        matrices: list[Array] = []
        for axis, (n, factor) in enumerate(zip(old, factors, strict=True)):
            new = output_size[axis] if output_size else math.floor(n * factor)
            step = n / new if factor is None else 1 / factor
            if align_corners:
                step = (n - 1) / (new - 1) if new > 1 else 0.0
            wide = max(step, 1.0)
            centres = (np.arange(new)[:, None] + 0.5) * step
            first = np.maximum((centres - reach * wide + 0.5).astype(int), 0)
            last = np.minimum((centres + reach * wide + 0.5).astype(int), n)
            place = np.arange(n)
            found = shares(np.abs((place - centres + 0.5) / wide))
            found = np.where((place >= first) & (place < last), found, 0)
            matrices.append(found / found.sum(axis=1, keepdims=True))
        return _by_matrices(matrices, input.dtype)

    return row


def _tent(x: Array) -> Array:
    return np.maximum(1 - x, 0)


def _cubic_share(x: Array, slope: float) -> Array:
    """Return the share of a place at a distance (Keys, 1981), by the slope outside."""
    near = ((slope + 2) * x - (slope + 3)) * x * x + 1
    far = slope * (((x - 5) * x + 8) * x - 4)
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _two_axes(
    input: Any, output_size: Any, align_corners: bool, scales: Any = None
) -> Any:
    """Return the operation that has this name, where its places are PyTorch's."""
    if not output_size:
        pairs = zip(input.shape[2:], scales, strict=True)
        exact = [length * factor for length, factor in pairs]
        output_size = [int(length) for length in exact]
        if not align_corners and output_size != exact:
            return _interpolated(2, _linear)(input, output_size, align_corners, scales)
    options = 'mode="bilinear", align_corners=align_corners'
    return f"interpolate(input, size=size, {options})", {"size": tuple(output_size)}


def _nearest(half: float) -> Any:
    """Return the row of what takes the nearest element; `half` is added before."""

    def row(input: Any, output_size: Any, *scales: Any) -> Any:
        factors = (scales or [None])[-1] or (None,) * len(input.shape[2:])
        pairs = zip(input.shape[2:], factors, strict=True)
        sizes = output_size or [int(length * factor) for length, factor in pairs]
        text, bound = "input", dict[str, Any]()
        for axis, (old, new) in enumerate(zip(input.shape[2:], sizes, strict=True), 2):
            places = _nearest_places(old, new, factors[axis - 2], half)
            if places is None:
                return None
            bound[f"places{axis}"] = places
            text = f"take({text}, places{axis}, axis={axis})"
        return text, bound

    return row


def _nearest_places(old: int, new: int, factor: Any, half: float) -> Array | None:
    """Return which old element is the nearest to each new one.

    None where rounding decides: PyTorch's ways to count, of 32 bits and of 64, and for
    a length that stays or doubles, then differ, even between a value and its gradient.
    """
    found: list[Array] = []
    for kind in (np.float32, np.float64):
        step = kind(old / new if factor is None else 1 / factor)
        at = (np.arange(new, dtype=kind) + kind(half)) * step
        found += [np.floor(at), np.floor(at - kind(half) + kind(half))]
    if not half and new in (old, 2 * old):
        found.append(np.arange(new) * old // new)
    first, *others = (np.minimum(one.astype(int), old - 1) for one in found)
    return first if all(np.array_equal(first, one) for one in others) else None


# ---------------------------------------------------------------------- grids of places


def _affine_grid(theta: Any, size: Any, align_corners: bool) -> Any:
    if is_narrow(theta):
        return None  # PyTorch rounds the places as well
    axes = [
        np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n)
        if n > 1
        else np.zeros(1)
        for n in size[2:]
    ]
    spots = np.meshgrid(*axes, indexing="ij")[::-1]
    base = np.stack([*spots, np.ones_like(spots[0])], axis=-1)
    base = base.reshape(-1, base.shape[-1]).astype(values(theta).dtype)
    return "reshape(base @ swapaxes(theta, -1, -2), out)", {"base": base}


def _grid_sample(
    input: Any, grid: Any, mode: int, padding_mode: int, align_corners: bool
) -> Any:
    """Return elements of pictures at places that a grid has, from −1 to 1.

    The four around a place have shares that the place decides: gradients flow there.
    """
    is_exact = not is_narrow(input)  # of 16 bits places are rounded
    if input.ndim != 4 or mode > 1 or padding_mode > 1 or not is_exact:
        return None
    height, width = input.shape[2:]
    lines, spots = list[str](), list[Any]()
    for axis, size in enumerate((width, height)):
        factor, shift = (size - 1, 0) if align_corners else (size, -1)
        at = f"(grid[..., {axis}] + 1) * {factor / 2} + {shift / 2}"
        spot = (values(grid)[..., axis] + 1) * (factor / 2) + shift / 2
        if padding_mode:
            at, spot = f"clip({at}, min=0, max={size - 1})", np.clip(spot, 0, size - 1)
        lines.append(f"at{axis} = {at}")
        spots.append(spot)
    x, y = (np.rint(one) if mode else np.floor(one) for one in spots)
    bound: dict[str, Any] = {"flat": (*input.shape[:2], height * width)}
    terms: list[str] = []
    for number, (right, down) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        if mode and number:
            break
        bound |= _corner(input.shape, x + right, y + down, number)
        row = "pad(reshape(input, flat), last)"
        text = f"take_along_axis({row}, spot{number}, axis=-1)"
        shares = [
            f"(at{axis} - x{axis})" if there else f"(x{axis} + 1 - at{axis})"
            for axis, there in enumerate((right, down))
        ]
        text = f"reshape({text}, out)"
        terms.append(text if mode else f"{text} * expand_dims({' * '.join(shares)}, 1)")
    bound |= {"last": ((0, 0), (0, 0), (0, 1)), "x0": x, "x1": y}
    return "\n".join([*([] if mode else lines), " + ".join(terms)]), bound


def _corner(shape: Any, x: Array, y: Array, number: int) -> dict[str, Array]:
    """Return the places of elements in one row; outside it is the zero behind them."""
    samples, channels, height, width = shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    spot = np.where(inside, y * width + x, height * width).astype(int)
    rows = np.broadcast_to(
        spot.reshape(samples, 1, -1), (samples, channels, spot[0].size)
    )
    return {f"spot{number}": np.ascontiguousarray(rows)}


ROWS: Final = MappingProxyType(
    {
        "avg_pool3d": _avg_pool3d,
        "adaptive_avg_pool1d": _adaptive(1),
        "adaptive_avg_pool3d": _adaptive(3),
        "upsample_linear1d": _interpolated(1, _linear),
        "upsample_bilinear2d": _two_axes,
        "upsample_trilinear3d": _interpolated(3, _linear),
        "upsample_bicubic2d": _interpolated(2, _cubic),
        "_upsample_bilinear2d_aa": _smoothed(_tent, 1),
        "_upsample_bicubic2d_aa": _smoothed(partial(_cubic_share, slope=-0.5), 2),
        **{f"upsample_nearest{axes}d": _nearest(0.0) for axes in (1, 2, 3)},
        **{f"_upsample_nearest_exact{axes}d": _nearest(0.5) for axes in (1, 2, 3)},
        "affine_grid_generator": _affine_grid,
        "grid_sampler": _grid_sample,
    }
)
