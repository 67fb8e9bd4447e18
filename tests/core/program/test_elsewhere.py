"""What names of other libraries lead to: it runs, and NumPy says the same of it."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from gradstep.core.base.errors import ProgramError
from gradstep.core.engine.run import forward
from gradstep.core.ops import ALIASES, OPS
from gradstep.core.program.build import RECIPES, Leaf, build
from gradstep.core.program.constructors import CONSTRUCTORS
from gradstep.core.program.elsewhere import ABSENT, WAYS

if TYPE_CHECKING:
    from collections.abc import Callable

X: Final = np.array([[-1.5, 0.5, 2.0, 7.0], [3.0, -0.25, 1.0, -4.0]])
Y: Final = np.array([[0.25, 2.0, 3.0, 1.5], [1.0, 0.5, 0.75, 2.0]])
W: Final = np.arange(12.0).reshape(4, 3) / 7
SCATTERED: Final = np.array([[0.25, 0.5, 2.0, 7.0], [3.0, 3.0, 1.0, 1.5]])
SQUARE: Final = np.array([[1.5, 2.0], [3.0, 4.0]])
SYMMETRIC: Final = np.array([[2.0, 0.5], [0.5, 1.375]])  # its determinant is 2.5
LOWER: Final = np.array([[2.0, 0.0], [1.5, 0.5]])
LARGE: Final = np.abs(X) + 1
HOLED: Final = np.where(X == 2, np.nan, X)
ODD: Final = np.array([[np.nan, np.inf, -np.inf, 1.0], [0.0, -2.0, 3.0, np.nan]])
HOLES: Final = np.where(Y == 2, 0, Y)
SIGNED: Final = np.where(Y > 1, -Y, Y)
V: Final = np.array([1.0, -2.0, 0.5, 3.0])
U: Final = np.array([0.5, 3.0, -1.0, 2.0])
B: Final = np.array([1.0, 2.0, 3.0])
P: Final = np.array([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.45, 0.05]])
T: Final = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]])
MASK: Final = np.array([[True, False, True, False], [False, True, False, True]])
CONDITION: Final = X > 0
INDICES: Final = np.array([1, 0])
LEAVES: Final = {
    "x": X,
    "y": Y,
    "w": W,
    "v": V,
    "u": U,
    "b": B,
    "p": P,
    "t": T,
    "mask": MASK,
    "condition": CONDITION,
    "indices": INDICES,
}
FIXED: Final = {
    "shape": "(4, 2)",
    "axes": "(1, 0)",
    "axis": "1",
    "low": "-1",
    "high": "2",
    "number": "5.0",
}


def each(function: Callable[[float], float], array: Any = X) -> Any:
    return np.vectorize(function, otypes=[float])(array)


def softmax(x: Any) -> Any:
    return np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _divergence(true: float, chance: float) -> float:
    return true * math.log(true / chance)


# Computed from what the other library documents, with NumPy and math alone.
RIGHT: Final[dict[str, Any]] = {
    "absolute": np.abs(X),
    "fabs": np.abs(X),
    "neg": np.negative(X),
    "sub": np.subtract(X, Y),
    "mul": np.multiply(X, Y),
    "div": np.divide(X, Y),
    "true_divide": np.divide(X, Y),
    "pow": np.power(np.abs(X), Y),
    "float_power": np.power(np.abs(X), Y),
    "eq": np.equal(X, Y),
    "ne": np.not_equal(X, Y),
    "lt": np.less(X, Y),
    "le": np.less_equal(X, Y),
    "gt": np.greater(X, Y),
    "ge": np.greater_equal(X, Y),
    "sgn": np.sign(X),
    "atan": np.arctan(X),
    "ln": np.log(np.abs(X)),
    "clamp": np.minimum(np.maximum(X, -1), 2),
    "clamp_min": np.maximum(X, -1),
    "clamp_max": np.minimum(X, 2),
    "clip_by_value": np.minimum(np.maximum(X, -1), 2),
    "fmax": np.fmax(HOLED, HOLED.T.reshape(2, 4)),
    "fmin": np.fmin(HOLED, HOLED.T.reshape(2, 4)),
    "logical_and": np.logical_and(MASK, CONDITION),
    "logical_or": np.logical_or(MASK, CONDITION),
    "logical_not": np.logical_not(MASK),
    "isnan": np.isnan(X),
    "vector_norm": math.hypot(*X.ravel()),
    "dist": math.dist(X.ravel(), Y.ravel()),
    "ptp": 11.0,
    "nansum": np.nansum(X),
    "nan_to_num": np.nan_to_num(ODD),
    "count_nonzero": 8,
    "logaddexp": np.logaddexp(X, Y),
    "cosine_similarity": np.vdot(X, Y) / math.hypot(*X.ravel()) / math.hypot(*Y.flat),
    **dict.fromkeys(("detach", "data", "clone", "copy"), X),
    **dict.fromkeys(("contiguous", "to", "cuda", "cpu", "numpy", "item"), X),
    **dict.fromkeys(("float", "double", "tensor", "array", "asarray"), X),
    "size": (2, 4),
    "len": (2,),
    "view": X.reshape(4, 2),
    "view_as": X,
    "reshape_as": X,
    "flatten": X.flatten(),
    "unsqueeze": X[:, None, :],
    "t": X.T,
    "mT": X.T,
    "matrix_transpose": X.T,
    "permute": X.T,
    "permute_dims": X.T,
    "moveaxis": np.moveaxis(X, 0, 1),
    "movedim": np.moveaxis(X, 0, 1),
    "swapdims": np.swapaxes(X, 0, 1),
    "expand": np.array([X, X, X]),
    "expand_as": X,
    "zeros_like": np.zeros_like(X),
    "ones_like": np.ones_like(X),
    "full_like": np.full_like(X, 5.0),
    "cat": np.vstack([X, Y]),
    "vstack": np.vstack([X, Y]),
    "hstack": np.hstack([X, Y]),
    "repeat": np.tile(X, (2, 1)),
    "tile": np.tile(X, (2, 1)),
    **dict.fromkeys(("chunk", "tensor_split", "array_split"), np.hsplit(X, 2)),
    "hsplit": np.hsplit(X, 2),
    "vsplit": np.vsplit(X, 2),
    "unbind": X[0],
    "unstack": X[0],
    "narrow": X[:, [1, 2]],
    "dynamic_slice": X[:, [1, 2]],
    "index_select": X[::-1],
    "gather_nd": X[::-1],
    "boolean_mask": np.array([-1.5, 2.0, -0.25, -4.0]),
    "masked_select": np.array([-1.5, 2.0, -0.25, -4.0]),
    "upsample": np.repeat(np.repeat(X, 2, 0), 2, 1),
    "index_put": Y[::-1],
    **dict.fromkeys(
        ("slice_scatter", "dynamic_update_slice"),
        np.hstack([X[:, :1], Y[:, 1:3], X[:, 3:]]),
    ),
    "masked_scatter": SCATTERED,
    "masked_fill": np.array([[5, 0.5, 5, 7], [3, 5, 1, 5]]),
    "diff": np.diff(X),
    "one_hot": np.array([[0, 1, 0, 0], [1, 0, 0, 0]]),
    **dict.fromkeys(("mm", "bmm", "dense", "batch_matmul"), X.dot(W)),
    "mv": X.dot(V),
    "addmm": B + X.dot(W),
    "inner": np.inner(V, U),
    "vdot": np.vdot(V, U),
    "ger": np.multiply.outer(V, U),
    "tensordot": np.tensordot(X, W, 1),
    "trace": 1.5 + 4.0,
    "diag": np.array([1.5, 4.0]),
    "diagonal": np.array([1.5, 4.0]),
    "tan": np.tan(X),
    "sinh": np.sinh(X),
    "cosh": np.cosh(X),
    "atanh": np.arctanh(P),
    "arctanh": np.arctanh(P),
    "log2": np.log2(np.abs(X)),
    "log10": np.log10(np.abs(X)),
    "exp2": np.exp2(X),
    "rsqrt": np.abs(X) ** -0.5,
    "reciprocal": np.reciprocal(X),
    "cbrt": np.cbrt(X),
    "erfc": each(math.erfc),
    "fix": np.trunc(X),
    "rint": np.rint(X),
    "hypot": np.hypot(X, Y),
    "lerp": X + np.multiply(P, Y - X),
    "heaviside": np.heaviside(X, 0),
    "expit": sigmoid(X),
    "logit": 2 * np.arctanh(2 * P - 1),
    "xlogy": X * np.log(Y),
    "swish": X * sigmoid(X),
    "relu6": np.minimum(np.maximum(X, 0), 6),
    "hardtanh": np.minimum(np.maximum(X, -1), 1),
    **dict.fromkeys(
        ("hardsigmoid", "hard_sigmoid"), np.minimum(np.maximum(X + 3, 0), 6) / 6
    ),
    "hardswish": X * np.minimum(np.maximum(X + 3, 0), 6) / 6,
    "prelu": np.maximum(X, 0) + P * np.minimum(X, 0),
    "selu": 1.0507009873554805
    * (np.maximum(X, 0) + 1.6732632423543772 * np.expm1(np.minimum(X, 0))),
    "celu": np.maximum(X, 0) + np.expm1(np.minimum(X, 0)),
    "mish": X * np.tanh(np.log1p(np.exp(X))),
    "logsigmoid": np.log(sigmoid(X)),
    "log_sigmoid": np.log(sigmoid(X)),
    "softmin": softmax(-X),
    "softsign": X / (1 + np.abs(X)),
    "tanhshrink": X - np.tanh(X),
    "glu": X[:, [0, 1]] * sigmoid(X[:, [2, 3]]),
    "attention": softmax(X @ Y.T / 2) @ Y,
    "smooth_l1_loss": np.mean(
        [d * d / 2 if d < 1 else d - 0.5 for d in np.abs(X - Y).flat]
    ),
    "l1_loss": np.mean(np.abs(X - Y)),
    "mse": np.mean((X - Y) ** 2),
    "sigmoid_cross_entropy_with_logits": np.log1p(np.exp(X)) - P * X,
    "softmax_cross_entropy_with_logits": -np.sum(P * np.log(softmax(X)), axis=1),
    "sparse_softmax_cross_entropy_with_logits": -np.log(
        np.array([softmax(X)[0, 1], softmax(X)[1, 0]])
    ),
    "bce_loss": -np.mean(np.log(np.where(T == 1, P, 1 - P))),
    "kl_div": np.mean(P * np.log(P) - P * X),
    "acosh": np.arccosh(LARGE),
    "arccosh": np.arccosh(LARGE),
    "asinh": np.arcsinh(X),
    "arcsinh": np.arcsinh(X),
    "addcmul": X + P * Y,
    "addcdiv": X + P / Y,
    "addr": W + np.outer(V, B),
    "baddbmm": X @ W + B,
    "bias_add": X + V,
    "rsub": Y - X,
    "squared_difference": np.square(X - Y),
    "divide_no_nan": np.divide(X, HOLES, out=np.zeros_like(X), where=HOLES != 0),
    "floor_divide": X // Y,
    "remainder": X % Y,
    "fmod": np.fmod(X, Y),
    "frac": np.modf(X)[0],
    "copysign": np.copysign(X, SIGNED),
    "ldexp": X * np.exp2(Y),
    "deg2rad": np.deg2rad(X),
    "rad2deg": np.rad2deg(X),
    "xlog1py": X * np.log1p(Y),
    "logical_xor": np.logical_xor(MASK, CONDITION),
    "isinf": np.isinf(ODD),
    "isfinite": np.isfinite(ODD),
    "nanmean": np.nanmean(HOLED),
    "aminmax": [X.min(), X.max()],
    "std_mean": [np.std(X, ddof=1), np.mean(X)],
    "var_mean": [np.var(X, ddof=1), np.mean(X)],
    "moments": [np.mean(X), np.var(X)],
    "reduce_euclidean_norm": np.linalg.norm(X),
    "trapezoid": 0.5,
    "trapz": 0.5,
    "cumulative_trapezoid": np.cumsum([-0.5, -0.75, 1.75]),
    "logcumsumexp": np.logaddexp.accumulate(X, axis=0),
    "pairwise_distance": [np.linalg.norm(one) for one in X - Y],
    "cdist": [[np.linalg.norm(one - other) for other in Y] for one in X],
    "unflatten": X.reshape(4, 2),
    "new_zeros": np.zeros((4, 2)),
    "new_ones": np.ones((4, 2)),
    "empty": np.zeros((4, 2)),
    "empty_like": np.zeros((2, 4)),
    "column_stack": np.column_stack([V, U]),
    "dstack": np.dstack([X, Y]),
    "fliplr": np.fliplr(X),
    "flipud": np.flipud(X),
    "rot90": np.rot90(X),
    "msort": np.sort(X, axis=0),
    "logspace": np.logspace(0, 1, 3),
    "repeat_interleave": np.repeat(X, 2, axis=0),
    "select": X[:, 1],
    "select_scatter": [V, X[1]],
    "index_copy": Y[::-1],
    "tensor_scatter_nd_update": Y[::-1],
    "index_fill": np.full((2, 4), 5.0),
    "index_add": X + Y[::-1],
    "segment_sum": Y[::-1],
    "diag_embed": np.diag(V),
    "diagflat": np.diag(V),
    "matrix_power": np.linalg.matrix_power(SQUARE, 2),
    "as_tensor": X,
    "from_numpy": X,
    "convert_to_tensor": X,
    "type_as": X,
    "requires_grad_": X,
    "positive": X,
    "threshold": np.where(X > -1, X, 5),
    "hardshrink": each(lambda x: x if abs(x) > 0.5 else 0),
    "softshrink": each(lambda x: math.copysign(max(abs(x) - 0.5, 0), x)),
    "squareplus": each(lambda x: (x + math.hypot(x, 2)) / 2),
    "standardize": (X - X.mean(1, keepdims=True))
    / np.sqrt(X.var(1, keepdims=True) + 1e-5),
    "hard_tanh": np.clip(X, -1, 1),
    "hard_silu": each(lambda x: x * min(max(x + 3, 0), 6) / 6),
    "soft_sign": X / (1 + np.abs(X)),
    "clip_by_norm": X * min(1, 5 / np.linalg.norm(X)),
    "l2_normalize": X / np.linalg.norm(X),
    "l2_loss": np.vdot(X, X) / 2,
    "margin_ranking_loss": np.mean(np.maximum(-T * (X - Y), 0)),
    "soft_margin_loss": np.mean(np.log1p(np.exp(-T * X))),
    "poisson_nll_loss": np.mean(np.exp(X) - T * X),
    "gaussian_nll_loss": np.mean(np.log(Y) + (X - T) ** 2 / Y) / 2,
    "numel": 8.0,
    "nelement": 8.0,
    "shape": (2, 4),
    "any": np.any(CONDITION),
    "all": np.all(CONDITION),
    "reduce_any": np.any(CONDITION, axis=0),
    "reduce_all": np.all(CONDITION, axis=0),
    "is_nonzero": X != 0,
    "isposinf": np.isposinf(ODD),
    "isneginf": np.isneginf(ODD),
    "signbit": np.signbit(X),
    "addmv": np.array([1.0, 2.0]) + X @ V,
    "addbmm": B + X @ W + Y @ W,
    "matvec": X @ V,
    "vecmat": V @ W,
    "vecdot": [np.vdot(X[0], Y[0]), np.vdot(X[1], Y[1])],
    "multi_dot": np.linalg.multi_dot([X, W]),
    "chain_matmul": np.linalg.multi_dot([X, W]),
    "realdiv": np.divide(X, Y),
    "add_n": np.add(X, Y),
    "integer_pow": np.square(X),
    "multiply_no_nan": np.where(Y == 2, 0, X * Y),
    "xdivy": np.divide(X, Y),
    "reciprocal_no_nan": np.where(Y == 2, 0, np.reciprocal(Y)),
    "mod": np.mod(X, Y),
    "rem": np.fmod(X, Y),
    "adjoint": X.T,
    "logdet": math.log(2.5),
    "inv_ex": np.linalg.inv(SYMMETRIC),
    "cholesky_ex": np.linalg.cholesky(SYMMETRIC),
    "cholesky_inverse": np.linalg.inv(LOWER @ LOWER.T),
    "cholesky_solve": np.linalg.solve(LOWER @ LOWER.T, X),
    "solve_ex": np.linalg.solve(SYMMETRIC, Y),
    "solve_triangular": np.linalg.solve(LOWER, Y),
    "matrix_solve": np.linalg.solve(SYMMETRIC, Y),
    "fill_diagonal": [[5.0, 2.0], [3.0, 5.0]],
    "tri": np.tri(4),
    "frobenius_norm": math.hypot(*X.ravel()),
    "matrix_norm": np.linalg.norm(X),
    "sum_to_size": X[0] + X[1],
    "cumulative_sum": np.add.accumulate(X),
    "cumulative_prod": np.multiply.accumulate(X),
    "nancumsum": np.nancumsum(HOLED, axis=0),
    "nancumprod": np.nancumprod(HOLED, axis=0),
    "nanprod": np.nanprod(HOLED),
    "nanmax": np.nanmax(HOLED),
    "nanmin": np.nanmin(HOLED),
    "nanstd": np.nanstd(HOLED),
    "nanvar": np.nanvar(HOLED),
    "logaddexp2": np.logaddexp2(X, Y),
    "asin": np.arcsin(P),
    "arcsin": np.arcsin(P),
    "acos": np.arccos(P),
    "arccos": np.arccos(P),
    "atan2": np.arctan2(X, SIGNED),
    "arctan2": np.arctan2(X, SIGNED),
    "sinc": np.sinc(HOLES),
    "ndtr": each(statistics.NormalDist().cdf),
    "entr": each(lambda x: -x * math.log(x) if x else 0.0, HOLES),
    "degrees": np.degrees(X),
    "radians": np.radians(X),
    "around": np.around(X),
    "row_stack": np.vstack([X, Y]),
    "append": np.append(X, Y),
    "crelu": np.hstack([np.fmax(X, 0), np.fmax(-X, 0)]),
    **dict.fromkeys(
        ("split_with_sizes", "unsafe_split", "unsafe_chunk"), np.hsplit(X, 2)
    ),
    "take_along_dim": np.sort(X, axis=1),
    "compress": np.extract(MASK, X),
    "extract": np.extract(MASK, X),
    "putmask": [[0.25, 0.5, 3.0, 7.0], [3.0, 0.5, 1.0, 2.0]],
    "ediff1d": np.ediff1d(V),
    "reverse": X[::-1],
    "broadcast_in_dim": np.array([X, X, X]),
    "new_full": np.full((4, 2), 5.0),
    "new_empty": np.zeros((4, 2)),
    "geomspace": np.geomspace(1, 10, 3),
    "upsample_nearest": np.kron(np.array([[X]]), np.ones((2, 2))),
    **dict.fromkeys(("real", "conj", "conjugate", "conj_physical", "resolve_conj"), X),
    **dict.fromkeys(("resolve_neg", "tolist", "scalar_tensor", "asanyarray"), X),
    **dict.fromkeys(("convert_element_type", "ascontiguousarray"), X),
    "mean_squared_error": [np.vdot(one, one) / 4 for one in X - Y],
    "mean_absolute_error": [np.linalg.norm(one, 1) / 4 for one in X - Y],
    "categorical_crossentropy": [-math.log(0.2 * 0.3), -math.log(0.25 * 0.45)],
    "kl_divergence": [sum(map(_divergence, *rows)) for rows in zip(Y, P, strict=True)],
    "log_cosh": np.log(np.cosh(X - Y)),
    "squared_error": np.square(X - Y),
    "softmax_cross_entropy": -np.sum(P * np.log(softmax(X)), axis=1),
    "softmax_cross_entropy_with_integer_labels": -np.log(softmax(X)[[0, 1], [1, 0]]),
    "sigmoid_binary_cross_entropy": -P * np.log(sigmoid(X))
    - (1 - P) * np.log(sigmoid(-X)),
}
# Where the logarithm or a power of a negative number would be nothing to compare.
POSITIVE: Final = {"pow", "float_power", "ln", "log2", "log10", "rsqrt"}
# What the other names stand for, where it is not the usual.
# What is a size, and no value.
SIZES: Final = {"size", "len", "shape"}
ELSE: Final = {
    **{name: {"x": SQUARE} for name in ("trace", "diag", "diagonal")},
    "expand": {"shape": "(3, 2, 4)"},
    "matrix_power": {"x": SQUARE},
    **{name: {"x": LARGE} for name in ("acosh", "arccosh")},
    **{name: {"x": ODD} for name in ("isinf", "isfinite", "nan_to_num")},
    **{name: {"x": HOLED, "y": HOLED.T.reshape(2, 4)} for name in ("fmax", "fmin")},
    **{
        name: {"x": HOLED} for name in ("nanmean", "nancumsum", "nancumprod", "nanprod")
    },
    **{name: {"x": HOLED} for name in ("nanmax", "nanmin", "nanstd", "nanvar")},
    **{name: {"x": ODD} for name in ("isposinf", "isneginf")},
    "addmv": {"b": np.array([1.0, 2.0])},
    "addbmm": {"x": np.stack([X, Y])},
    **{name: {"x": SYMMETRIC} for name in ("logdet", "inv_ex", "cholesky_ex")},
    **{name: {"x": SYMMETRIC} for name in ("solve_ex", "matrix_solve")},
    **{name: {"x": LOWER} for name in ("cholesky_inverse", "solve_triangular")},
    "cholesky_solve": {"y": LOWER},
    "fill_diagonal": {"x": SQUARE},
    "multiply_no_nan": {"x": np.where(Y == 2, np.inf, X), "y": HOLES},
    "reciprocal_no_nan": {"x": HOLES},
    **{name: {"y": SIGNED} for name in ("atan2", "arctan2")},
    **{name: {"x": HOLES} for name in ("sinc", "entr")},
    "take_along_dim": {"indices": np.argsort(X, axis=1)},
    "broadcast_in_dim": {"shape": "(3, 2, 4)"},
    "upsample_nearest": {"x": np.array([[X]])},
    "divide_no_nan": {"y": HOLES},
    "copysign": {"y": SIGNED},
}


@pytest.mark.parametrize("name", WAYS)
def test_the_way_out_computes_what_the_name_stands_for(name: str) -> None:
    own: dict[str, Any] = {**ELSE.get(name, {})}
    leaves = LEAVES | {k: v for k, v in own.items() if k in LEAVES}
    if name in POSITIVE:
        leaves = leaves | {"x": np.abs(X)}
    fixed = FIXED | {k: v for k, v in own.items() if k in FIXED}
    lines = [f"{key} = {value}" for key, value in fixed.items()]
    if name in SIZES:
        lines += [f"size = {WAYS[name]}", "out = zeros(size)"]
    elif WAYS[name].startswith("split"):
        lines += [f"(one, two) = {WAYS[name]}", "out = stack([one, two])"]
    else:
        lines.append(f"out = {WAYS[name]}")
    program = build("\n".join(lines), _given(leaves))
    found = np.asarray(forward(program.graph, program.leaves)[program.graph.output])
    if name in SIZES:
        assert found.shape == RIGHT[name]
        return
    np.testing.assert_allclose(found, RIGHT[name], rtol=1e-12, atol=1e-14)
    assert np.shape(found) == np.shape(RIGHT[name])


def _given(leaves: dict[str, Any]) -> dict[str, Leaf]:
    return {
        name: Leaf("input" if value.dtype.kind == "f" else "constant", value)
        for name, value in leaves.items()
    }


def refused(text: str) -> str:
    with pytest.raises(ProgramError) as caught:
        build(text, _given(LEAVES))
    return str(caught.value)


def test_each_has_its_right_number() -> None:
    assert set(RIGHT) == set(WAYS)


def test_no_way_out_is_asked_for_what_is_there() -> None:
    there = {*OPS, *ALIASES, *RECIPES, *CONSTRUCTORS}
    assert not there & {*WAYS, *ABSENT}
    assert not ABSENT & set(WAYS)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a = x.view(2, 4)", "there is no .view(…); write reshape(x, (2, 4))"),
        ("a = view(x, (2, 4))", "there is no function view; write reshape(x, (2, 4))"),
        ("a = x.mean(0)", "there is no .mean(…); write mean(x, 0)"),
        ("a = x.detach()", "no .detach(…); write stop_gradient(x)"),
        ("a = x.detach_()", "no .detach_(…); write stop_gradient(x)"),
        ("a = x.relu_()", "no .relu_(…); write relu(x)"),
        ("a = x.masked_fill_(mask, 0)", "write where(mask, number, x)"),
        ("a = x.contiguous()", "no .contiguous(…); leave it out: x is enough"),
        ("a = tf.reduce_sum(x)", "without tf.; write sum(x)"),
        ("a = tf.reduce_mean(x, axis=0)", "without tf.; write mean(x, axis=0)"),
        ("a = tf.reduce_variance(x, 1)", "without tf.; write var(x, 1)"),
        ("a = np.average(x)", "without np.; write mean(x)"),
        ("a = x.std(unbiased=False)", "write std(x, ddof=0)"),
        ("a = x.var(dim=0, unbiased=True)", "write var(x, axis=0, ddof=1)"),
        ("a = torch.std(x, correction=0)", "write std(x, ddof=0)"),
        ("a = torch.bmm(x, w)", "functions stand alone, without torch.; write x @ w"),
        ("a = torch.einsum('ij->j', x)", "write einsum('ij->j', x)"),
        ("a = torch.where(x > 0, x, 0.5)", "write where(x > 0, x, 0.5)"),
        ("a = (x + 1).pow(2)", "write x ** 2"),
        ("a = np.exp(x)", "functions stand alone, without np.; write exp(x)"),
        ("a = nn.functional.relu(x)", "alone, without nn.; write relu(x)"),
        ("a = nn.BatchNorm2d(x)", "alone, without nn.; write batch_norm(x)"),
        ("a = nn.LeakyReLU(x)", "alone, without nn.; write leaky_relu(x)"),
        ("a = x.expand_copy(shape)", "write broadcast_to(x, shape)"),
        ("a = x.frobnicate()", "a function is called like this: f(x)"),
        ("a = x.size", "there is no attribute .size; write x.shape"),
        ("a = x.device", "there is no attribute .device; allowed: .T and .shape"),
    ],
)
def test_a_person_is_led_to_what_works(text: str, hint: str) -> None:
    assert hint in refused(text)


@pytest.mark.parametrize(
    "name",
    [
        *("argsort", "median"),
        *("svd", "eig", "qr", "lu", "pinv", "fft", "conv3d"),
        *("cummax", "dropout2d", "rand", "randn", "lgamma", "erfinv", "cross"),
        *("argmax", "nonzero", "unique", "mode", "kron", "print"),
        *("max_pool3d", "unfold", "ctc_loss", "hinge_loss", "backward", "fft"),
    ],
)
def test_what_does_not_exist_has_no_neighbour(name: str) -> None:
    said = refused(f"a = {name}(x)")
    assert f"there is no function {name}; " in said
    assert "did you mean" not in said
    assert "write" not in said


def test_a_misspelt_variable_has_its_nearest_name() -> None:
    assert "X is not known; did you mean 'x'?" in refused("a = X + 1")
    assert "maks is not known; did you mean 'mask'?" in refused("a = maks * x")
    assert "known here: " in refused("a = q + 1")
