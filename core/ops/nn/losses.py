"""What losses have in common: how they are reduced, in numbers and in words."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ..table import Array, Parameter, Shape, checks
from ..table.axes import mean, reduced_axes

REDUCTION: Final = Parameter("reduction", checks.choice("mean", "sum", "none"), "mean")


def reduced(losses: Array, reduction: str) -> Array:
    """Return the mean of losses, their sum, or all of them."""
    if reduction == "none":
        return losses
    return mean(losses) if reduction == "mean" else np.asarray(losses.sum())[()]


def shares(g: Array, shape: Shape, reduction: str) -> Array:
    """Return the upstream gradient of each loss, from that of the reduced one."""
    return np.divide(g, math.prod(shape) if reduction == "mean" else 1)


def moved(slopes: Array, t: Array) -> Array:
    """Return slope × tangent; what does not move is 0, even at an infinite slope."""
    return np.where(t == 0, 0, slopes * t)


def class_axis(input: Shape, axis: int) -> int:
    """Return the axis of the classes, counted from 0; one sample has no other."""
    return 0 if len(input) == 1 else reduced_axes(input, axis)[0]


def reduced_code(losses: str, reduction: str) -> str:
    """Return `reduced` in NumPy."""
    return losses if reduction == "none" else f"np.{reduction}({losses})"


def share_words(reduction: str, count: int, axis: int | None = None) -> tuple[str, str]:
    """Return the upstream gradient of each loss, in symbols and in NumPy."""
    if reduction == "none":
        return "{g}", "{g}" if axis is None else f"np.expand_dims({{g}}, {axis})"
    is_sum = reduction == "sum" or count == 1
    share = "{g}" if is_sum else f"{{g}} / {count}"
    return share, share
