"""Planes made larger or smaller: each number of a few rows and columns of others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..table import (
    Array,
    Case,
    Cost,
    Form,
    Op,
    Parameter,
    Shape,
    checks,
    linear,
    row_of_one,
)
from ..table.axes import LETTERS
from ..table.wide import careful
from .windows import Pair, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Which numbers along an axis make a result, a row for each of the same rank, and how
# much each counts there; a 0 counts nothing, whatever the number is.
Taps = tuple[Array, Array]


class Way(NamedTuple):
    """How a result is made along one axis, by the old and the new number of places."""

    taps: Callable[[int, int], Taps]  # which numbers, and how much each counts
    code: Callable[[int, int], str]  # the matrix of what counts, in NumPy
    shares: int = 0  # so many numbers make one, each times its share; 0: no products


def _nearest(size: int, made: int) -> Taps:
    return np.array([np.arange(made) * size // made]), np.ones((1, made))


def _between(places: Array, size: int) -> Taps:
    """Return the two numbers that each place lies between, the nearer counting more."""
    below = np.minimum(places.astype(int), size - 1)
    above = np.minimum(below + 1, size - 1)
    share = np.where(above > below, places - below, 0)
    return np.array([below, above]), np.array([1 - share, share])


def _halves(size: int, made: int) -> Array:
    """Return where the middle of each result lies, the corners on the corners."""
    places: Array = (np.arange(made) + 0.5) * (size / made) - 0.5
    return np.clip(places, 0, size - 1)


def _ends(size: int, made: int) -> Array:
    """Return where each result lies, the first and the last on the first and last."""
    places: Array = np.arange(made) * ((size - 1) / max(made - 1, 1))
    return places


def _bilinear(size: int, made: int) -> Taps:
    return _between(_halves(size, made), size)


def _aligned(size: int, made: int) -> Taps:
    return _between(_ends(size, made), size)


def _windows(size: int, made: int) -> Taps:
    """Return the windows that share out all numbers, each as a mean."""
    first: Array = np.arange(made) * size // made
    stop: Array = -(-(np.arange(made) + 1) * size // made)
    longest = int(np.max(stop - first))
    taps = first + np.arange(longest).reshape(-1, 1)
    return np.minimum(taps, size - 1), (taps < stop) / (stop - first)


def _hats(places: str, size: int) -> str:
    far = f"np.abs(np.reshape({places}, (-1, 1)) - np.arange({size}))"
    return f"np.maximum(0, 1 - {far})"


def _nearest_code(size: int, made: int) -> str:
    chosen = f"np.reshape(np.arange({made}) * {size} // {made}, (-1, 1))"
    return f"({chosen} == np.arange({size}))"


def _halves_code(size: int, made: int) -> str:
    places = f"(np.arange({made}) + 0.5) * {size / made!r} - 0.5"
    return _hats(f"np.clip({places}, 0, {size - 1})", size)


def _ends_code(size: int, made: int) -> str:
    return _hats(f"np.arange({made}) * {(size - 1) / max(made - 1, 1)!r}", size)


def _windows_code(size: int, made: int) -> str:
    first = f"(np.reshape(np.arange({made}), (-1, 1)) * {size} // {made})"
    stop = f"(-(-(np.reshape(np.arange({made}), (-1, 1)) + 1) * {size} // {made}))"
    at = f"np.arange({size})"
    return f"((({at} >= {first}) & ({at} < {stop})) / ({stop} - {first}))"


_WAYS: Final[Mapping[str, Way]] = {
    "nearest": Way(_nearest, _nearest_code),
    "bilinear": Way(_bilinear, _halves_code, 2),
    "ends": Way(_aligned, _ends_code, 2),
    "windows": Way(_windows, _windows_code),
}


def _along(x: Array, axis: int, taps: Taps) -> Array:
    """Return what the numbers along an axis make."""
    places, shares = taps
    column = (-1,) if axis == -1 else (-1, 1)
    y: Any = 0
    for place, row in zip(places, shares.astype(np.result_type(x)), strict=True):
        share = row.reshape(column)
        y = y + np.where(share == 0, 0, np.take(x, place, axis) * share)
    return np.asarray(y)


def _back(g: Array, axis: int, size: int, taps: Taps) -> Array:
    """Return what comes back to the numbers along an axis."""
    places, shares = taps
    column = (-1,) if axis == -1 else (-1, 1)
    shape = list(g.shape)
    shape[axis] = size
    whole = np.zeros(shape, g.dtype)
    for place, row in zip(places, shares.astype(g.dtype), strict=True):
        share = row.reshape(column)
        index: Any = (..., place) if axis == -1 else (..., place, slice(None))
        np.add.at(whole, index, np.where(share == 0, 0, g * share))
    return whole


def _of(way: Way, x: Array, size: Pair) -> Array:
    x = _along(x, -2, way.taps(x.shape[-2], size[0]))
    return _along(x, -1, way.taps(x.shape[-1], size[1]))


def _of_back(way: Way, g: Array, x: Shape, size: Pair) -> Array:
    g = _back(g, -1, x[-1], way.taps(x[-1], size[1]))
    return _back(g, -2, x[-2], way.taps(x[-2], size[0]))


def _letters(input: Shape, **_attributes: Any) -> str:
    letters = LETTERS[: len(input) - 2]
    return f"{letters}**->{letters}**"


def _shape(name: str, size: Callable[..., Pair]) -> Callable[..., Shape]:
    """Return the shape rule of the operation of that name."""

    def shape(input: Shape, **attributes: Any) -> Shape:
        if len(input) < 2 or 0 in input[-2:]:
            raise ValueError(f"{name}: input {input} has no height and width")
        return (*input[:-2], *size(input, **attributes))

    return shape


def _cost(size: Callable[..., Pair]) -> Callable[..., Cost]:
    def cost(input: Shape, **attributes: Any) -> Cost:
        down, across = size(input, **attributes)
        maps = math.prod(input[:-2])
        # A result is made of a window, or of two numbers, along each axis.
        rows = maps * down * input[-1] * (input[-2] // down + 2)
        columns = maps * down * across * (input[-1] // across + 2)
        return Cost(max(rows + columns, rows * (input[-1] // across + 2)))

    return cost


def _wording(
    size: Callable[..., Pair], way: Callable[..., Way], form: Form, is_mean: bool
) -> Callable[..., Mapping[str, Any]]:
    """Return what writes the code of a row: products with the weights of each axis."""

    def wording(input: Shape, **attributes: Any) -> Mapping[str, Any]:
        down, across = size(input, **attributes)
        _, code, shares = way(**attributes)
        rows, columns = code(input[-2], down), code(input[-1], across)
        back = form._replace(code=f"{rows}.T @ {{g}} @ {columns}")
        words = {"code": f"{rows} @ {{input}} @ {columns}.T", "forms": (back,)}
        if is_mean:
            return words
        work = (0, shares * down * (input[-1] + across))  # one axis after the other
        return {**words, "work": work, "forms": (back._replace(work=work),)}

    return wording


def _row(
    name: str,
    size: Callable[..., Pair],
    way: Callable[..., Way],
    form: Form,
    summary: str,
    parameters: tuple[Parameter, ...],
    **columns: Any,
) -> Op:
    """Return the row of an operation that makes planes of another size.

    `size` and `way` find the new size, and how it is made, by shape and attributes.
    """

    @careful
    def forward(input: Array, **attributes: Any) -> Array:
        return _of(way(**attributes), input, size(input.shape, **attributes))

    @careful
    def vjp(g: Array, _y: Array, input: Array, **attributes: Any) -> Array:
        made = size(input.shape, **attributes)
        return _of_back(way(**attributes), g, input.shape, made)

    return row_of_one(
        name,
        forward,
        _shape(name, size),
        (vjp, linear(forward)),
        "block",
        f"{name}({{input}})",
        f"{name}({{input}})",
        form,
        summary,
        "input",
        analytic=True,
        parameters=parameters,
        cost=_cost(size),
        axis_letters=_letters,
        wording=_wording(size, way, form, "signs" in columns),
        **columns,
    )


def _size_of(
    input: Shape, *, size: Any = None, scale_factor: Any = None, **_others: Any
) -> Pair:
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give size or scale_factor, one of them")
    if size is not None:
        return pair(size)
    down, across = pair(scale_factor)
    return input[-2] * down, input[-1] * across


def _way_of(*, mode: str = "nearest", align_corners: bool = False, **_size: Any) -> Way:
    return _WAYS["ends" if align_corners and mode == "bilinear" else mode]


def _pooled_size(_input: Shape, *, output_size: int | Pair) -> Pair:
    return pair(output_size)


def _pooled_way(*, output_size: int | Pair) -> Way:
    return _WAYS["windows"]


def _of_zeros(_y: Array, input: Array, **attributes: Any) -> Array:
    """Tell where all numbers that count are 0."""
    size = _size_of(input.shape, **attributes)
    return _of(_way_of(**attributes), (input != 0).astype(float), size) == 0


ROWS: Final[tuple[Op, ...]] = (
    _row(
        "interpolate",
        _size_of,
        _way_of,
        Form(
            "how much a number counts in a result",
            "{g}, as much of it as the number counts for, back to it",
            "{g}",
            "a result is made of the nearest numbers, each with its share: upstream "
            "goes back to them with the same shares, and contributions add",
        ),
        "Planes of another size: the last two axes, by the nearest numbers.",
        (
            Parameter("size", checks.optional(checks.pair), None),
            Parameter("scale_factor", checks.optional(checks.pair), None),
            Parameter("mode", checks.choice("nearest", "bilinear"), "nearest"),
            Parameter("align_corners", checks.flag, False),
        ),
        corner="a scale_factor is a whole number; align_corners is for bilinear only; "
        "what counts 0 is left out, though it be infinite, where PyTorch has nan",
        cases=(
            Case("zero", "zero operand", _of_zeros),
            Case("zero", "balanced"),
            Case("flat", "lost"),
        ),
    ),
    _row(
        "adaptive_avg_pool2d",
        _pooled_size,
        _pooled_way,
        Form(
            "1 / size of its window",
            "{g} / size of the window, at each number of it",
            "{g}",
            "a mean gives each of its numbers the same part of the gradient; where "
            "windows overlap, contributions add",
        ),
        "The means of windows that share out the last two axes.",
        (Parameter("output_size", checks.pair),),
        reduction="mean",
        signs=(1,),
    ),
)
