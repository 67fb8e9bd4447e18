"""Examples of operations: how to draw operands, and an independent way to the result.

Each module `ops_examples*.py` beside this one holds two tables that `cases` joins:
`EXAMPLES`, one row per operation, and `CORNERS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

Draw = Callable[..., Any]
# How an array of a shape is filled: `values(generator, shape)`.
Values = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


class Case(NamedTuple):
    """One call: arrays for the operands, and the attributes."""

    operands: tuple[Any, ...]
    attributes: Mapping[str, Any]


class Misfit(NamedTuple):
    """Shapes and attributes that do not fit, and a part of what is said about it."""

    shapes: tuple[tuple[int, ...], ...]
    attributes: Mapping[str, Any]
    says: str


class Corner(NamedTuple):
    """A value and the gradients of its sum, exact: `None` where no gradient flows."""

    op: str
    operands: tuple[Any, ...]
    attributes: Mapping[str, Any]
    value: Any
    gradients: tuple[Any, ...]


@dataclass(frozen=True)
class Example:
    """How an operation is tested.

    `reference(*operands, **attributes)` finds the result in another way than the
    operation. `cases` draws calls whose operands are away from kinks. `flat` says that
    the gradient is 0 everywhere.
    """

    reference: Callable[..., Any]
    cases: st.SearchStrategy[Case]
    misfits: tuple[Misfit, ...] = ()
    flat: bool = False


# --------------------------------------------------------------- filling arrays


def smooth(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Any numbers around 0."""
    return generator.uniform(-2, 2, shape)


def positive(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers above 0, and away from it."""
    return generator.uniform(0.5, 2.5, shape)


def grid(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Multiples of 0.1, shifted by half of it: none is a whole number."""
    return generator.integers(-25, 25, shape) * 0.1 + 0.05


def unshifted(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Multiples of 0.1: none is on `grid`."""
    return generator.integers(-25, 25, shape) * 0.1


def distinct(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that all differ by a tenth or more."""
    size = math.prod(shape)
    return (generator.permutation(size) - size / 2).reshape(shape) * 0.1


def truths(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """True and False."""
    return generator.random(shape) < 0.5


# -------------------------------------------------------------------- strategies


def generators() -> st.SearchStrategy[np.random.Generator]:
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def broadcasting(
    draw: Draw, *fills: Values, **attributes: st.SearchStrategy[Any]
) -> Case:
    """Operands whose shapes broadcast, one per way of filling."""
    shapes = draw(
        hnp.mutually_broadcastable_shapes(
            num_shapes=len(fills), max_dims=3, min_side=0, max_side=4
        )
    )
    generator = draw(generators())
    operands = tuple(
        fill(generator, shape)
        for fill, shape in zip(fills, shapes.input_shapes, strict=True)
    )
    return Case(operands, {name: draw(value) for name, value in attributes.items()})


@st.composite
def reducing(
    draw: Draw,
    fill: Values = smooth,
    *,
    several: bool = True,
    dims: int = 0,
    least: int = 1,
    **attributes: st.SearchStrategy[Any],
) -> Case:
    """One operand, axes of it, and keepdims."""
    shape = draw(
        hnp.array_shapes(min_dims=dims, max_dims=3, min_side=least, max_side=4)
    )
    axes = st.none()
    if shape:
        axes |= st.integers(-len(shape), len(shape) - 1)
        if several:
            axes |= hnp.valid_tuple_axes(len(shape), min_size=1)
    drawn = {name: draw(value) for name, value in attributes.items()}
    attributes_drawn = {"axis": draw(axes), "keepdims": draw(st.booleans()), **drawn}
    return Case((fill(draw(generators()), shape),), attributes_drawn)


@st.composite
def running(draw: Draw) -> Case:
    """One operand and one axis of it, or None."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    axis = draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    return Case((smooth(draw(generators()), shape),), {"axis": axis})


# -------------------------------------------------------------------- references


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` of numbers as a function of arrays that broadcast."""

    def reference(*operands: Any, **attributes: Any) -> Any:
        wide = np.broadcast_arrays(*operands)
        flat = [
            function(*(number.item() for number in numbers), **attributes)
            for numbers in zip(*(one.ravel() for one in wide), strict=True)
        ]
        return np.array(flat).reshape(wide[0].shape)

    return reference


def slices(function: Callable[..., float]) -> Callable[..., Any]:
    """Return `function` of a list of numbers as a reduction along axes."""

    def reference(x: Any, axis: Any, keepdims: bool, **attributes: Any) -> Any:
        axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
        axes = sorted(int(one) % x.ndim for one in axes)
        kept = [i for i in range(x.ndim) if i not in axes]
        size = math.prod(x.shape[i] for i in axes)
        lines = x.transpose(*kept, *axes).reshape(-1, size)
        result = np.array([function(line.tolist(), **attributes) for line in lines])
        shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
        if not keepdims:
            shape = [x.shape[i] for i in kept]
        return result.reshape(shape)

    return reference


def variance(line: Sequence[float], ddof: int = 0) -> float:
    middle = math.fsum(line) / len(line)
    return math.fsum((one - middle) ** 2 for one in line) / (len(line) - ddof)


def normal(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def gelu(x: float, approximate: str = "none") -> float:
    if approximate == "none":
        return x * normal(x)
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x / 2 * (1 + math.tanh(inner))


def clip(x: float, **bounds: float | None) -> float:
    low, high = bounds["min"], bounds["max"]
    if low is not None and x < low:
        return low
    return high if high is not None and x > high else x


def dropout(x: np.ndarray, p: float, seed: int) -> np.ndarray:
    draws = np.random.default_rng(seed).random(x.shape)
    return np.where(draws < p, 0, x / (1 - p))


# ------------------------------------------------------------------------ tables

_ODD = Misfit(((2, 3), (4,)), {}, "shapes (2, 3) and (4,) do not broadcast")
_BEYOND = (
    Misfit(((2, 3),), {"axis": 2}, "axis 2 is not an axis of shape (2, 3)"),
    Misfit(((2, 3),), {"axis": -3}, "allowed: -2 … 1"),
)
_AXES = (
    *_BEYOND,
    Misfit(((),), {"axis": 0}, "allowed: none"),
    Misfit(((2, 3),), {"axis": (1, -1)}, "named twice"),
)
_NOTHING = (*_AXES, Misfit(((2, 0),), {"axis": 1}, "has no numbers along axis 1"))
_DEGREES = (*_AXES, Misfit(((2, 3),), {"axis": 0, "ddof": 2}, "ddof 2 is too large"))


def _one(function: Callable[..., Any], fill: Values = smooth, **more: Any) -> Example:
    attributes = more.pop("attributes", {})
    return Example(each(function), broadcasting(fill, **attributes), **more)


def _two(function: Callable[..., Any], *fills: Values, **more: Any) -> Example:
    both = fills or (smooth, smooth)
    return Example(each(function), broadcasting(*both), misfits=(_ODD,), **more)


_SLOPES = st.sampled_from([0.01, 0.2, 1.5, -0.5])
_LOWER = st.none() | st.sampled_from([-1.0, 0.0])

EXAMPLES: dict[str, Example] = {
    "add": _two(lambda a, b: math.fsum((a, b))),
    "subtract": _two(lambda a, b: math.fsum((a, -b))),
    "multiply": _two(lambda a, b: a * b),
    "divide": _two(lambda a, b: a * b**-1, smooth, positive),
    "power": _two(lambda a, b: a**b, positive, smooth),
    "negative": _one(lambda x: 0 - x),
    "equal": _two(lambda a, b: a == b, truths, truths),
    "not_equal": _two(lambda a, b: a != b, truths, truths),
    "less": _two(lambda a, b: a < b, truths, truths),
    "less_equal": _two(lambda a, b: a <= b, truths, truths),
    "greater": _two(lambda a, b: a > b, truths, truths),
    "greater_equal": _two(lambda a, b: a >= b, truths, truths),
    "exp": _one(math.exp),
    "expm1": _one(math.expm1),
    "log": _one(math.log, positive),
    "log1p": _one(math.log1p, positive),
    "sqrt": _one(math.sqrt, positive),
    "square": _one(lambda x: x * x),
    "abs": _one(lambda x: -x if x < 0 else x, grid),
    "sin": _one(math.sin),
    "cos": _one(math.cos),
    "tanh": _one(math.tanh),
    "arctan": _one(math.atan),
    "sigmoid": _one(lambda x: (1 + math.tanh(x / 2)) / 2),
    "softplus": _one(lambda x: math.log(1 + math.exp(x))),
    "relu": _one(lambda x: max(x, 0), grid),
    "leaky_relu": _one(
        lambda x, negative_slope: x if x > 0 else negative_slope * x,
        grid,
        attributes={"negative_slope": _SLOPES},
    ),
    "elu": _one(
        lambda x, alpha: x if x > 0 else alpha * math.expm1(x),
        grid,
        attributes={"alpha": _SLOPES},
    ),
    "silu": _one(lambda x: x * (1 + math.tanh(x / 2)) / 2),
    "gelu": _one(gelu, attributes={"approximate": st.sampled_from(["none", "tanh"])}),
    "erf": _one(lambda x: 2 * normal(x * math.sqrt(2)) - 1),
    "maximum": _two(max, grid, unshifted),
    "minimum": _two(min, grid, unshifted),
    "clip": Example(
        each(clip),
        broadcasting(grid, min=_LOWER, max=st.sampled_from([0.5, 2.0])),
        misfits=(Misfit(((2,),), {"min": None, "max": None}, "needs a bound"),),
    ),
    "where": Example(
        each(lambda condition, a, b: a if condition else b),
        broadcasting(truths, smooth, smooth),
        misfits=(Misfit(((2,), (3,), ()), {}, "do not broadcast"),),
    ),
    "sign": _one(lambda x: (x > 0) - (x < 0), grid, flat=True),
    "round": _one(round, smooth, flat=True),
    "floor": _one(math.floor, grid, flat=True),
    "ceil": _one(math.ceil, grid, flat=True),
    "trunc": _one(math.trunc, grid, flat=True),
    "stop_gradient": _one(lambda x: x),
    "dropout": Example(
        dropout,
        broadcasting(
            smooth, p=st.sampled_from([0.0, 0.25, 0.9]), seed=st.integers(0, 2**64)
        ),
    ),
    "sum": Example(slices(math.fsum), reducing(), (*_AXES,)),
    "mean": Example(
        slices(lambda line: math.fsum(line) / len(line)),
        reducing(),
        _AXES,
    ),
    "max": Example(slices(max), reducing(distinct), _NOTHING),
    "min": Example(slices(min), reducing(distinct), _NOTHING),
    "prod": Example(slices(math.prod), reducing(unshifted, several=False), _BEYOND),
    "var": Example(
        slices(variance), reducing(dims=1, least=2, ddof=st.integers(0, 1)), _DEGREES
    ),
    "std": Example(
        slices(lambda line, ddof: math.sqrt(variance(line, ddof))),
        reducing(distinct, dims=1, least=2, ddof=st.integers(0, 1)),
        _DEGREES,
    ),
    "logsumexp": Example(
        slices(lambda line: math.log(math.fsum(map(math.exp, line)))),
        reducing(),
        _AXES,
    ),
    "norm": Example(slices(lambda line: math.hypot(*line)), reducing(distinct), _AXES),
    "cumprod": Example(
        lambda x, axis: np.multiply.accumulate(
            x.reshape(-1) if axis is None else x, 0 if axis is None else axis
        ),
        running(),
        _BEYOND,
    ),
    "cumsum": Example(
        lambda x, axis: np.add.accumulate(
            x.reshape(-1) if axis is None else x, 0 if axis is None else axis
        ),
        running(),
        _BEYOND,
    ),
}

_INF, _NAN = math.inf, math.nan
_NONE = np.zeros((0, 3))

CORNERS: tuple[Corner, ...] = (
    Corner("relu", (0.0,), {}, 0.0, (0.0,)),
    Corner("relu", (_NAN,), {}, _NAN, (1.0,)),
    Corner("maximum", (0.0, 0), {}, 0.0, (0.5, 0.5)),
    Corner("maximum", ([2.0, 3.0], [2.0, 1.0]), {}, [2, 3], ([0.5, 1], [0.5, 0])),
    Corner("maximum", (_NAN, 1.0), {}, _NAN, (1.0, 1.0)),
    Corner("minimum", ([2.0, 3.0], [2.0, 1.0]), {}, [2, 1], ([0.5, 0], [0.5, 1])),
    Corner("minimum", (_NAN, 1.0), {}, _NAN, (1.0, 1.0)),
    Corner(
        "clip",
        ([-1.0, 1.0, 1.5, -2.0, _NAN],),
        {"min": -1.0, "max": 1.0},
        [-1, 1, 1, -1, _NAN],
        ([1, 1, 0, 0, 0],),
    ),
    Corner(
        "clip",
        ([-1.0, 0.0, 0.5, 1.0, 2.0],),
        {"min": 1.0, "max": 0.0},
        [0] * 5,
        ([0] * 5,),
    ),
    Corner("max", ([3.0, 1.0, 3.0],), {}, 3.0, ([0.5, 0, 0.5],)),
    Corner("min", ([1.0, 3.0, 1.0],), {}, 1.0, ([0.5, 0, 0.5],)),
    Corner("max", ([1.0, _NAN, 3.0],), {}, _NAN, ([_NAN, _NAN, _NAN],)),
    Corner("min", ([1.0, _NAN, 3.0],), {}, _NAN, ([_NAN, _NAN, _NAN],)),
    Corner(
        "max",
        ([[1.0, _NAN], [3.0, 3.0]],),
        {"axis": 1},
        [_NAN, 3],
        ([[_NAN, _NAN], [0.5, 0.5]],),
    ),
    Corner("abs", (0.0,), {}, 0.0, (0.0,)),
    Corner("leaky_relu", (0.0,), {"negative_slope": 0.2}, 0.0, (0.2,)),
    Corner("elu", ([0.0, _NAN],), {"alpha": 0.3}, [0, _NAN], ([0.3, 1],)),
    Corner("sqrt", (0.0,), {}, 0.0, (_INF,)),
    Corner("power", (0.0, 0.5), {}, 0.0, (_INF, 0.0)),
    Corner("mean", (_NONE,), {"axis": 0}, [_NAN] * 3, (_NONE,)),
    Corner("var", (_NONE,), {"axis": 0}, [_NAN] * 3, (_NONE,)),
    Corner("std", (_NONE,), {"axis": None}, _NAN, (_NONE,)),
    Corner("logsumexp", (_NONE,), {"axis": 0}, [-_INF] * 3, (_NONE,)),
    Corner("power", (0.0, 0), {}, 1.0, (0.0, 0.0)),
    Corner("power", (0.0, 0.0), {}, 1.0, (0.0, 0.0)),
    Corner("power", (-2.0, 2.0), {}, 4.0, (-4.0, _NAN)),
    Corner("power", (0.0, -1.0), {}, _INF, (-_INF, -_INF)),
    Corner("sigmoid", ([-800.0, 800.0],), {}, [0, 1], ([0, 0],)),
    Corner("softplus", ([-800.0, 800.0],), {}, [0, 800], ([0, 1],)),
    Corner("silu", ([-800.0, 800.0],), {}, [0, 800], ([0, 1],)),
    Corner("gelu", ([-800.0, 0.0, 800.0],), {}, [0, 0, 800], ([0, 0.5, 1],)),
    Corner(
        "gelu",
        ([-1e200, 0.0, 1e200],),
        {"approximate": "tanh"},
        [0, 0, 1e200],
        ([0, 0.5, 1],),
    ),
    Corner("log", ([5e-324, 0.0],), {}, [-744.4400719213812, -_INF], ([_INF, _INF],)),
    Corner("exp", (-745.0,), {}, 5e-324, (5e-324,)),
    Corner("log1p", (-1.0,), {}, -_INF, (_INF,)),
    Corner("sign", ([-3.0, 0.0, 2.0],), {}, [-1, 0, 1], ([0, 0, 0],)),
    Corner("stop_gradient", (3.0,), {}, 3.0, (None,)),
    Corner("where", (True, 2.0, 3.0), {}, 2.0, (None, 1.0, 0.0)),
    Corner("equal", (2.0, 2.0), {}, True, (None, None)),
    Corner("prod", ([0.0, 2.0, 3.0],), {}, 0.0, ([6, 0, 0],)),
    Corner("prod", ([0.0, 0.0, 3.0],), {}, 0.0, ([0, 0, 0],)),
    Corner("cumprod", ([0.0, 2.0, 3.0],), {}, [0, 0, 0], ([9, 0, 0],)),
    Corner("cumprod", ([2.0, 0.0, 3.0],), {}, [2, 0, 0], ([1, 8, 0],)),
    # torch 2.13.0 has these.
    Corner("norm", ([0.0, 0.0],), {}, 0.0, ([0, 0],)),
    Corner("norm", ([3.0, -4.0],), {}, 5.0, ([0.6, -0.8],)),
    Corner("round", ([0.5, 1.5, -0.5, 2.25],), {}, [0, 2, 0, 2], ([0] * 4,)),
    Corner("floor", ([-1.5, 2.0],), {}, [-2, 2], ([0, 0],)),
    Corner("ceil", ([-1.5, 2.0],), {}, [-1, 2], ([0, 0],)),
    Corner("trunc", ([-1.5, 2.5],), {}, [-1, 2], ([0, 0],)),
    Corner("std", ([2.0, 2.0],), {}, 0.0, ([0, 0],)),
    Corner("logsumexp", ([0.0, 800.0],), {}, 800.0, ([0, 1],)),
    Corner("logsumexp", ([-_INF, -_INF],), {}, -_INF, ([_NAN, _NAN],)),
    Corner("logsumexp", ([_INF, 1.0],), {}, _INF, ([_NAN, 0],)),
)
