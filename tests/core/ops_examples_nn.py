"""Examples of operations of neural networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ops_examples import (
    Case,
    Corner,
    Draw,
    Example,
    Misfit,
    distinct,
    generators,
    positive,
    smooth,
)

REDUCTIONS = st.sampled_from(["mean", "sum", "none"])
PAIRS = st.integers(1, 2) | st.tuples(st.integers(1, 2), st.integers(1, 2))


@st.composite
def rows(draw: Draw) -> Case:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    return Case((3 * smooth(draw(generators()), shape),), {"axis": axis})


@st.composite
def classes(draw: Draw) -> Case:
    """Logits, with class numbers or probabilities for each row."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    axis = draw(st.integers(-len(shape), len(shape) - 1)) if len(shape) > 1 else 1
    along = axis if len(shape) > 1 else 0
    generator = draw(generators())
    logits = 3 * smooth(generator, shape)
    attributes: dict[str, Any] = {"axis": axis, "reduction": draw(REDUCTIONS)}
    if draw(st.booleans()):
        target = generator.uniform(0, 1, shape)
    else:
        others = np.delete(shape, along)
        target = np.array(generator.integers(0, shape[along], others))
        if draw(st.booleans()):
            attributes["ignore_index"] = ignored = draw(st.sampled_from([-100, 0]))
            target.flat[1:] = np.where(
                generator.random(target.size - 1) < 0.5, ignored, target.flat[1:]
            )
            target.flat[0] = shape[along] - 1  # one is left, unless it is class 0
    operands = [logits, target]
    if draw(st.booleans()):
        operands.append(positive(generator, shape[along : along + 1 or None]))
    if draw(st.booleans()):
        attributes["label_smoothing"] = draw(st.sampled_from([0.1, 0.75]))
    if np.all(target == attributes.get("ignore_index", np.nan)):
        attributes["reduction"] = "sum"
    return Case(tuple(operands), attributes)


@st.composite
def answers(draw: Draw) -> Case:
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=4))
    generator = draw(generators())
    logits = 3 * smooth(generator, shape)
    target = generator.uniform(0, 1, shape)
    if draw(st.booleans()):
        target = (target < 0.5).astype(int)
    return Case((logits, target), {"reduction": draw(REDUCTIONS)})


@st.composite
def chances(draw: Draw) -> Case:
    (logits, target), attributes = draw(answers())
    return Case((1 / (1 + np.exp(-logits)), target), attributes)


def images(draw: Draw, *front: int, least: int) -> tuple[int, ...]:
    side = st.integers(least, least + 3)
    return (*front, draw(side), draw(side))


@st.composite
def convolutions(draw: Draw) -> Case:
    groups, each, made = (draw(st.integers(1, 2)) for _ in range(3))
    kernel = (draw(st.integers(1, 2)), draw(st.integers(1, 3)))
    shape = images(draw, draw(st.integers(0, 2)), groups * each, least=5)
    generator = draw(generators())
    operands = [
        smooth(generator, shape),
        smooth(generator, (groups * made, each, *kernel)),
    ]
    if draw(st.booleans()):
        operands.append(smooth(generator, (groups * made,)))
    attributes = {
        "stride": draw(PAIRS),
        "padding": draw(st.just(0) | PAIRS),
        "dilation": draw(PAIRS),
        "groups": groups,
    }
    return Case(tuple(operands), attributes)


@st.composite
def transposed(draw: Draw) -> Case:
    groups, each, made = (draw(st.integers(1, 2)) for _ in range(3))
    kernel = (draw(st.integers(2, 3)), draw(st.integers(2, 3)))
    shape = images(draw, draw(st.integers(0, 2)), groups * each, least=2)
    generator = draw(generators())
    operands = [
        smooth(generator, shape),
        smooth(generator, (groups * each, made, *kernel)),
    ]
    if draw(st.booleans()):
        operands.append(smooth(generator, (groups * made,)))
    stride = draw(PAIRS)
    attributes = {
        "stride": stride,
        "padding": draw(st.sampled_from([0, 1, (0, 1)])),
        "output_padding": draw(st.sampled_from([0, min(pair(stride)) - 1])),
        "dilation": draw(PAIRS),
        "groups": groups,
    }
    return Case(tuple(operands), attributes)


@st.composite
def layers(draw: Draw) -> Case:
    front = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    features, results = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    generator = draw(generators())
    shapes = [(*front, features), (results, features), (results,)]
    count = draw(st.integers(2, 3))
    return Case(tuple(smooth(generator, shape) for shape in shapes[:count]), {})


@st.composite
def pools(draw: Draw, *, means: bool = False) -> Case:
    kernel = (draw(st.integers(1, 3)), draw(st.integers(2, 3)))
    front = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=2))
    stride = draw(st.sampled_from([None, 1, 2, 3, (1, 2)]))
    padding = draw(st.sampled_from([0, (0, 1), (kernel[0] // 2, 1)]))
    if kernel == (2, 2) and draw(st.booleans()):
        kernel = 2
    attributes = {"kernel_size": kernel, "stride": stride, "padding": padding}
    attributes["ceil_mode"] = draw(st.booleans())
    if means:
        attributes["count_include_pad"] = draw(st.booleans())
    else:
        attributes["dilation"] = draw(st.sampled_from([1, 1, (1, 2)]))
    x = distinct(draw(generators()), images(draw, *front, least=5))
    return Case((x,), attributes)


@st.composite
def planes(draw: Draw) -> np.ndarray:
    front = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=2))
    return smooth(draw(generators()), images(draw, *front, least=1))


@st.composite
def resized(draw: Draw) -> Case:
    mode = draw(st.sampled_from(["nearest", "bilinear"]))
    attributes: dict[str, Any] = {"mode": mode, "align_corners": draw(st.booleans())}
    if draw(st.booleans()):
        attributes["size"] = draw(st.integers(1, 6) | st.just((2, 5)))
    else:
        attributes["scale_factor"] = draw(st.just((3, 1)) | PAIRS)
    return Case((draw(planes()),), attributes)


@st.composite
def shared_out(draw: Draw) -> Case:
    size = draw(st.integers(1, 3) | st.tuples(st.integers(1, 4), st.integers(1, 4)))
    return Case((draw(planes()),), {"output_size": size})


# -------------------------------------------------------------------- references


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    def of_row(row: np.ndarray) -> list[float]:
        return [1 / math.fsum(math.exp(b - a) for b in row) for a in row]

    return np.apply_along_axis(of_row, axis, x)


def cross_entropy(
    input: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    axis: int,
    reduction: str,
    ignore_index: int | None = None,
    label_smoothing: float = 0,
) -> Any:
    along = 0 if input.ndim == 1 else axis
    logs = np.moveaxis(np.log(softmax(input, along)), along, -1)
    weight = np.ones(logs.shape[-1]) if weight is None else weight
    losses, counted = np.zeros(logs.shape[:-1]), 0.0
    if target.shape == input.shape:
        target = np.moveaxis(target, along, -1)
    for place in np.ndindex(losses.shape):
        right = target[place]
        if not np.ndim(right):
            if right == ignore_index:
                continue
            counted += weight[right]
            right = np.eye(len(weight))[right]
        right = (1 - label_smoothing) * right + label_smoothing / len(weight)
        losses[place] = -math.fsum(right * weight * logs[place])
    if reduction == "mean" and target.ndim < input.ndim:
        return math.fsum(losses.ravel()) / counted
    return reduced(losses, reduction)


def reduced(losses: np.ndarray, reduction: str) -> Any:
    total = math.fsum(losses.ravel())
    if reduction == "none":
        return losses
    return total / losses.size if reduction == "mean" else total


def binary(input: np.ndarray, target: np.ndarray, reduction: str) -> Any:
    chance = 1 / (1 + np.exp(-input))
    losses = -(target * np.log(chance) + (1 - target) * np.log(1 - chance))
    return reduced(losses, reduction)


def pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def conv2d(
    input: np.ndarray, weight: np.ndarray, *bias: np.ndarray, groups: int, **how: Any
) -> np.ndarray:
    """Lay each filter over each place, one after the other."""
    steps, pads, gaps = (pair(how[name]) for name in ("stride", "padding", "dilation"))
    x = np.pad(input, [(0, 0), (0, 0), *((p, p) for p in pads)])
    extents = [(n - 1) * gap + 1 for n, gap in zip(weight.shape[2:], gaps, strict=True)]
    sizes = [
        (full - part) // step + 1
        for full, part, step in zip(x.shape[2:], extents, steps, strict=True)
    ]
    made, taken = weight.shape[0] // groups, weight.shape[1]
    y = np.zeros((len(x), weight.shape[0], *sizes))
    for n, o, row, column in np.ndindex(*y.shape):
        first = o // made * taken
        top, left = row * steps[0], column * steps[1]
        part = x[n, first : first + taken, top:, left:]
        part = part[:, : extents[0] : gaps[0], : extents[1] : gaps[1]]
        y[n, o, row, column] = math.fsum((part * weight[o]).ravel())
        y[n, o, row, column] += math.fsum(one[o] for one in bias)
    return y


def conv_transpose2d(
    input: np.ndarray, weight: np.ndarray, *bias: np.ndarray, groups: int, **how: Any
) -> np.ndarray:
    """Spread each number, one after the other, and cut the border off."""
    names = ("stride", "padding", "dilation", "output_padding")
    steps, pads, gaps, more = (pair(how[name]) for name in names)
    sizes = [
        (n - 1) * step + (k - 1) * gap + 1 + extra
        for n, step, k, gap, extra in zip(
            input.shape[2:], steps, weight.shape[2:], gaps, more, strict=True
        )
    ]
    made, taken = weight.shape[1], weight.shape[0] // groups
    y = np.zeros((len(input), made * groups, *sizes))
    for n, c, row, column in np.ndindex(*input.shape):
        for o, i, j in np.ndindex(*weight.shape[1:]):
            at = (row * steps[0] + i * gaps[0], column * steps[1] + j * gaps[1])
            product = input[n, c, row, column] * weight[c, o, i, j]
            y[(n, c // taken * made + o, *at)] += product
    y = y[..., pads[0] : sizes[0] - pads[0], pads[1] : sizes[1] - pads[1]]
    return y + sum(one.reshape(-1, 1, 1) for one in bias)


def interpolate(
    input: np.ndarray,
    mode: str,
    align_corners: bool,
    size: Any = None,
    scale_factor: Any = None,
) -> np.ndarray:
    """Make one number after the other, of the corners that it lies between."""
    shape = input.shape[-2:]
    if size is None:
        size = [n * k for n, k in zip(shape, pair(scale_factor), strict=True)]
    size = tuple(size) if isinstance(size, list) else pair(size)
    y = np.zeros((*input.shape[:-2], *size))
    for place in np.ndindex(*size):
        for corner in np.ndindex(*shape):
            share = 1.0
            for at, n, m, one in zip(place, shape, size, corner, strict=True):
                if mode == "nearest":
                    share *= math.floor(at * n / m) == one
                    continue
                where = (at + 0.5) * n / m - 0.5
                if align_corners:
                    where = at * (n - 1) / (m - 1) if m > 1 else 0
                where = min(max(where, 0), n - 1)
                share *= max(0.0, 1 - abs(where - one))
            y[(..., *place)] += share * input[(..., *corner)]
    return y


def adaptive(input: np.ndarray, output_size: Any) -> np.ndarray:
    size, shape = pair(output_size), input.shape[-2:]
    y = np.zeros((*input.shape[:-2], *size))
    for place in np.ndindex(*size):
        spans = [
            slice(math.floor(at * n / m), math.ceil((at + 1) * n / m))
            for at, n, m in zip(place, shape, size, strict=True)
        ]
        y[(..., *place)] = input[(..., *spans)].mean((-2, -1))
    return y


def linear(input: np.ndarray, weight: np.ndarray, *bias: np.ndarray) -> np.ndarray:
    y = np.zeros((*input.shape[:-1], len(weight)))
    for *sample, made in np.ndindex(*y.shape):
        products = (input[tuple(sample)] * weight[made]).tolist()
        y[(*sample, made)] = math.fsum(products + [one[made] for one in bias])
    return y


def pooled(function: Any) -> Any:
    def reference(
        input: np.ndarray,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        ceil_mode: bool,
        dilation: Any = 1,
        **how: Any,
    ) -> np.ndarray:
        kernel, pads, gaps = pair(kernel_size), pair(padding), pair(dilation)
        steps = kernel if stride is None else pair(stride)
        starts = []
        for n, k, step, pad, gap in zip(
            input.shape[-2:], kernel, steps, pads, gaps, strict=True
        ):
            cover = (k - 1) * gap + 1
            firsts = [*range(-pad, n + pad - cover + 1, step)]
            beyond = firsts[-1] + step
            if ceil_mode and firsts[-1] + cover < n + pad and beyond < n:
                firsts.append(beyond)
            starts.append(firsts)
        y = np.zeros((*input.shape[:-2], *map(len, starts)))
        for *front, row, column in np.ndindex(*y.shape):
            plane, spans = input[tuple(front)], list[range]()
            for first, n, k, gap in zip(
                (starts[0][row], starts[1][column]),
                *(plane.shape, kernel, gaps),
                strict=True,
            ):
                most = n + pads[len(spans)]
                spans.append(range(first, min(first + k * gap, most), gap))
            window = {
                (i, j): plane[i, j]
                for i in spans[0]
                for j in spans[1]
                if 0 <= i < plane.shape[0] and 0 <= j < plane.shape[1]
            }
            size = len(spans[0]) * len(spans[1])
            y[(*front, row, column)] = function([*window.values()], size, **how)
        return y

    return reference


def mean_of(numbers: list[float], size: int, count_include_pad: bool) -> float:
    return math.fsum(numbers) / (size if count_include_pad else len(numbers))


def greatest_of(numbers: list[float], _size: int) -> float:
    return max(numbers, default=-math.inf)


# ------------------------------------------------------------------------ tables

_BEYOND = (
    Misfit(((2, 3),), {"axis": 2}, "axis 2 is not an axis of shape (2, 3)"),
    Misfit(((),), {"axis": -1}, "allowed: none"),
)
_ROW = {"reduction": "sum"}


def _conv(*shapes: tuple[int, ...], says: str, **attributes: Any) -> Misfit:
    return Misfit(shapes, attributes, says)


def _pool(name: str) -> tuple[Misfit, ...]:
    return (
        Misfit(((3, 3),), {"kernel_size": 4}, f"{name}: a kernel that covers (4, 4)"),
        Misfit(((3,),), {"kernel_size": 2}, "input (3,) has no height and width"),
        Misfit(((3, 3),), {"kernel_size": 2, "padding": (1, 2)}, "more than half"),
        Misfit(((0, 3),), {"kernel_size": 2, "padding": 1}, "does not fit an input of"),
    )


EXAMPLES: dict[str, Example] = {
    "softmax": Example(softmax, rows(), _BEYOND),
    "log_softmax": Example(lambda x, axis: np.log(softmax(x, axis)), rows(), _BEYOND),
    "cross_entropy": Example(
        cross_entropy,
        classes(),
        (
            Misfit(
                ((4, 3), (3,)),
                {},
                "input (4, 3) with classes along axis 1 takes targets of shape (4,), "
                "class numbers, or (4, 3), probabilities; not (3,)",
            ),
            Misfit(((4, 3), (4,)), {"axis": 0}, "takes targets of shape (3,)"),
            Misfit(((3,), (1,)), {}, "takes targets of shape (), class numbers"),
            Misfit(((4, 0), (4,)), {}, "has no numbers along axis 1"),
            Misfit(((), ()), {}, "it has no classes"),
            Misfit(((4, 3), (4,), (4,)), {}, "weight (4,) does not fit input (4, 3)"),
            Misfit(((4, 3), (4, 3)), {"ignore_index": 0}, "have no class to ignore"),
        ),
    ),
    "binary_cross_entropy_with_logits": Example(
        binary,
        answers(),
        (Misfit(((2, 3), (3,)), {}, "input (2, 3) and target (3,) must have one"),),
    ),
    "binary_cross_entropy": Example(
        lambda p, target, reduction: binary(
            np.log(p) - np.log1p(-p), target, reduction
        ),
        chances(),
        (Misfit(((2, 3), (3,)), {}, "input (2, 3) and target (3,) must have one"),),
    ),
    "linear": Example(
        linear,
        layers(),
        (
            _conv((2, 3), (3, 4), says="input (2, 3) has to be (…, features) and"),
            _conv((), (3, 4), says="input () has to be (…, features)"),
            _conv((2, 3), (4, 3), (3,), says="bias (3,) does not fit weight (4, 3)"),
        ),
    ),
    "conv2d": Example(
        conv2d,
        convolutions(),
        (
            _conv((3, 8, 8), (4, 3, 3, 3), says="input (3, 8, 8) has to be (samples"),
            _conv((1, 3, 8, 8), (4, 2, 3, 3), says="has 3 channels, weight"),
            _conv((1, 4, 8, 8), (3, 2, 3, 3), says="has to divide", groups=2),
            _conv((1, 1, 2, 9), (1, 1, 3, 3), says="covers (3, 3) does not fit"),
            _conv((1, 1, 4, 9), (1, 1, 3, 3), says="covers (5, 3)", dilation=(2, 1)),
            _conv((1, 1, 3, 3), (2, 1, 3, 3), (3,), says="bias (3,) does not fit"),
            _conv((1, 1, 3, 3), (2, 1, 0, 3), says="has no numbers"),
        ),
    ),
    "conv_transpose2d": Example(
        conv_transpose2d,
        transposed(),
        (
            _conv((3, 8, 8), (4, 3, 3, 3), says="input (3, 8, 8) has to be (samples"),
            _conv((1, 3, 8, 8), (4, 2, 3, 3), says="has 3 channels, weight"),
            _conv((1, 3, 8, 8), (3, 2, 3, 3), says="has to divide them", groups=2),
            _conv((1, 1, 3, 3), (1, 2, 3, 3), (1,), says="bias (1,) does not fit"),
            _conv((1, 1, 1, 3), (1, 1, 1, 3), says="make (-1, 3)", padding=1),
            _conv((1, 1, 3, 3), (1, 1, 3, 3), says="less than", output_padding=1),
        ),
    ),
    "max_pool2d": Example(pooled(greatest_of), pools(), _pool("max_pool2d")),
    "avg_pool2d": Example(pooled(mean_of), pools(means=True), _pool("avg_pool2d")),
}

EXAMPLES |= {
    "interpolate": Example(
        interpolate,
        resized(),
        (
            _conv((3,), says="input (3,) has no height and width", size=2),
            _conv((3, 0), says="has no height and width", size=2),
            _conv((3, 3), says="give size or scale_factor, one of them"),
        ),
    ),
    "adaptive_avg_pool2d": Example(
        adaptive,
        shared_out(),
        (_conv((3,), says="input (3,) has no height and width", output_size=2),),
    ),
}

_LOGITS = np.array([[0.0, 800.0]])
_TIES = np.array([[1.0, 3.0, 3.0], [3.0, 0.0, 3.0]])

_INF = math.inf

CORNERS: tuple[Corner, ...] = (
    Corner(
        "cross_entropy",
        (_LOGITS, np.array([[1.0, 0.0]])),
        {},
        800,
        ([[-1.0, 1.0]], [[800.0, 0.0]]),
    ),
    Corner(
        "binary_cross_entropy_with_logits",
        (np.array([800.0, -800.0]), np.array([0.0, 0.0])),
        _ROW,
        800,
        ([1.0, 0.0], [-800.0, 800.0]),
    ),
    # torch 2.13.0 has these values and gradients, but for the loss of inf at (−inf, 1).
    Corner(
        "binary_cross_entropy_with_logits",
        (np.array([_INF, _INF, -_INF, -_INF]), np.array([0.0, 0.5, 0.0, 1.0])),
        {"reduction": "none"},
        [_INF, _INF, math.nan, _INF],
        ([1.0, 0.5, 0.0, -1.0], [-_INF, -_INF, _INF, _INF]),
    ),
    # torch 2.13.0 has these, but for its 1e-12 that is a float32.
    Corner(
        "binary_cross_entropy",
        (np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])),
        {"reduction": "none"},
        [0, 0, 100, 100],
        ([0.0, 0.0, -1e12, 1e12], [100.0, -100.0, 100.0, -100.0]),
    ),
    Corner("softmax", (np.zeros((2, 0)),), {}, np.zeros((2, 0)), (np.zeros((2, 0)),)),
    Corner(
        "log_softmax", (np.zeros((2, 0)),), {}, np.zeros((2, 0)), (np.zeros((2, 0)),)
    ),
    Corner(
        "max_pool2d",
        (_TIES,),
        {"kernel_size": 2, "stride": 1},
        [[3, 3]],
        ([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]],),
    ),
    Corner(
        "max_pool2d",
        (np.array([[1.0, np.nan], [np.nan, 0.0]]),),
        {"kernel_size": 2},
        [[np.nan]],
        ([[0.0, 1.0], [0.0, 0.0]],),
    ),
    Corner(
        "max_pool2d",
        (np.full((2, 2), -np.inf),),
        {"kernel_size": 2, "padding": 1},
        np.full((2, 2), -np.inf),
        (np.ones((2, 2)),),
    ),
    Corner("softmax", (np.array([0.0, -np.inf]),), {}, [1, 0], ([0.0, 0.0],)),
)
