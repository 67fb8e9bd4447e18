"""What people know from PyTorch, JAX, TensorFlow and NumPy, and what it is here.

A row is a name and an expression that does the same. `x` is the value that it is asked
of; the other names say what else is needed.
"""

from __future__ import annotations

import ast
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..base.text import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

# Modules that functions are called by elsewhere: np.exp(x), nn.functional.relu(x).
MODULES: Final = frozenset(
    {"F", "functional", "jax", "jnp", "lax", "math", "nn", "np", "numpy", "tf", "torch"}
)

WAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # arithmetic by another name
        "absolute": "abs(x)",
        "fabs": "abs(x)",
        "neg": "-x",
        "sub": "x - y",
        "mul": "x * y",
        "div": "x / y",
        "true_divide": "x / y",
        "pow": "x ** y",
        "float_power": "x ** y",
        "eq": "x == y",
        "ne": "x != y",
        "lt": "x < y",
        "le": "x <= y",
        "gt": "x > y",
        "ge": "x >= y",
        "sgn": "sign(x)",
        "atan": "arctan(x)",
        "ln": "log(x)",
        "clamp": "clip(x, low, high)",
        "clamp_min": "clip(x, min=low)",
        "clamp_max": "clip(x, max=high)",
        "clip_by_value": "clip(x, low, high)",
        "fmax": "where(x != x, y, maximum(x, where(y != y, x, y)))",
        "fmin": "where(x != x, y, minimum(x, where(y != y, x, y)))",
        "logical_and": "mask * condition",
        "logical_or": "maximum(mask, condition)",
        "logical_not": "mask == False",
        "isnan": "x != x",
        # of a whole array
        "vector_norm": "norm(x)",
        "dist": "norm(x - y)",
        "ptp": "max(x) - min(x)",
        "nansum": "sum(where(x == x, x, 0))",
        "nan_to_num": "clip(where(x == x, x, 0), "
        "-1.7976931348623157e308, 1.7976931348623157e308)",
        "count_nonzero": "sum(where(x == 0, 0, 1))",
        "logaddexp": "logsumexp(stack([x, y]), axis=0)",
        "cosine_similarity": "sum(x * y) / sqrt(sum(x ** 2) * sum(y ** 2))",
        # what holds a gradient back, and what needs no word here
        "detach": "stop_gradient(x)",
        "data": "stop_gradient(x)",
        "clone": "x",
        "copy": "x",
        "contiguous": "x",
        "to": "x",
        "cuda": "x",
        "cpu": "x",
        "numpy": "x",
        "item": "x",
        "float": "x",
        "double": "x",
        "tensor": "x",
        "array": "x",
        "asarray": "x",
        # shapes
        "size": "x.shape",
        "len": "x.shape[0]",
        "view": "reshape(x, shape)",
        "view_as": "reshape(x, y.shape)",
        "reshape_as": "reshape(x, y.shape)",
        "flatten": "ravel(x)",
        "unsqueeze": "expand_dims(x, axis)",
        "t": "x.T",
        "mT": "swapaxes(x, -1, -2)",
        "matrix_transpose": "swapaxes(x, -1, -2)",
        "permute": "transpose(x, axes)",
        "permute_dims": "transpose(x, axes)",
        "moveaxis": "transpose(x, axes)",
        "movedim": "transpose(x, axes)",
        "swapdims": "swapaxes(x, 0, 1)",
        "expand": "broadcast_to(x, shape)",
        "expand_as": "broadcast_to(x, y.shape)",
        "zeros_like": "zeros(x.shape)",
        "ones_like": "ones(x.shape)",
        "full_like": "full(x.shape, number)",
        # parts, and what is made of parts
        "cat": "concatenate([x, y], axis=0)",
        "vstack": "concatenate([x, y], axis=0)",
        "hstack": "concatenate([x, y], axis=1)",
        "repeat": "concatenate([x, x], axis=0)",
        "tile": "concatenate([x, x], axis=0)",
        "chunk": "split(x, 2, axis=1)",
        "tensor_split": "split(x, 2, axis=1)",
        "array_split": "split(x, 2, axis=1)",
        "hsplit": "split(x, 2, axis=1)",
        "vsplit": "split(x, 2, axis=0)",
        "unbind": "x[0]",
        "unstack": "x[0]",
        "narrow": "x[:, 1:3]",
        "dynamic_slice": "x[:, 1:3]",
        "index_select": "take(x, indices, axis=0)",
        "gather_nd": "x[indices]",
        "boolean_mask": "x[mask]",
        "masked_select": "x[mask]",
        "upsample": "interpolate(x, scale_factor=2)",
        "index_put": "put(x[indices], y)",
        "slice_scatter": "put(x[:, 1:3], y[:, 1:3])",
        "dynamic_update_slice": "put(x[:, 1:3], y[:, 1:3])",
        "masked_scatter": "put(x[mask], ravel(y)[:4])",
        "masked_fill": "where(mask, number, x)",
        "diff": "x[:, 1:] - x[:, :-1]",
        "one_hot": "eye(4)[indices]",
        # products
        "mm": "x @ w",
        "bmm": "x @ w",
        "mv": "x @ v",
        "dense": "x @ w",
        "addmm": "b + x @ w",
        "batch_matmul": "x @ w",
        "inner": "v @ u",
        "vdot": "v @ u",
        "ger": "outer(v, u)",
        "tensordot": "einsum('ij,jk->ik', x, w)",
        "trace": "einsum('ii->', x)",
        "diag": "einsum('ii->i', x)",
        "diagonal": "einsum('ii->i', x)",
        # functions of a number
        "tan": "sin(x) / cos(x)",
        "sinh": "(exp(x) - exp(-x)) / 2",
        "cosh": "(exp(x) + exp(-x)) / 2",
        "atanh": "(log1p(p) - log1p(-p)) / 2",
        "arctanh": "(log1p(p) - log1p(-p)) / 2",
        "log2": "log(x) / log(2)",
        "log10": "log(x) / log(10)",
        "exp2": "2 ** x",
        "rsqrt": "1 / sqrt(x)",
        "reciprocal": "1 / x",
        "cbrt": "sign(x) * abs(x) ** (1 / 3)",
        "erfc": "1 - erf(x)",
        "fix": "trunc(x)",
        "rint": "round(x)",
        "hypot": "sqrt(x ** 2 + y ** 2)",
        "lerp": "x + p * (y - x)",
        "heaviside": "where(x > 0, 1.0, 0.0)",
        "expit": "sigmoid(x)",
        "logit": "log(p / (1 - p))",
        "xlogy": "where(x == 0, 0, x * log(y))",
        # activations
        "swish": "silu(x)",
        "relu6": "clip(x, 0, 6)",
        "hardtanh": "clip(x, -1, 1)",
        "hardsigmoid": "clip(x / 6 + 0.5, 0, 1)",
        "hard_sigmoid": "clip(x / 6 + 0.5, 0, 1)",
        "hardswish": "x * clip(x / 6 + 0.5, 0, 1)",
        "prelu": "where(x > 0, x, p * x)",
        "selu": "1.0507009873554805 * elu(x, 1.6732632423543772)",
        "celu": "elu(x)",
        "mish": "x * tanh(softplus(x))",
        "logsigmoid": "-softplus(-x)",
        "log_sigmoid": "-softplus(-x)",
        "softmin": "softmax(-x)",
        "softsign": "x / (1 + abs(x))",
        "tanhshrink": "x - tanh(x)",
        "glu": "x[:, :2] * sigmoid(x[:, 2:])",
        "attention": "scaled_dot_product_attention(x, y, y)",
        # losses
        "smooth_l1_loss": "huber_loss(x, y)",
        "l1_loss": "mean(abs(x - y))",
        "mse": "mse_loss(x, y)",
        "sigmoid_cross_entropy_with_logits": (
            "binary_cross_entropy_with_logits(x, p, reduction='none')"
        ),
        "softmax_cross_entropy_with_logits": "cross_entropy(x, p, reduction='none')",
        "sparse_softmax_cross_entropy_with_logits": (
            "cross_entropy(x, indices, reduction='none')"
        ),
        "bce_loss": "binary_cross_entropy(p, t)",
        "kl_div": "mean(p * (log(p) - x))",
        # and less common ones
        "acosh": "log(x + sqrt(x ** 2 - 1))",
        "arccosh": "log(x + sqrt(x ** 2 - 1))",
        "asinh": "log(x + sqrt(x ** 2 + 1))",
        "arcsinh": "log(x + sqrt(x ** 2 + 1))",
        "addcmul": "x + p * y",
        "addcdiv": "x + p / y",
        "addr": "w + outer(v, b)",
        "baddbmm": "b + x @ w",
        "bias_add": "x + v",
        "rsub": "y - x",
        "squared_difference": "(x - y) ** 2",
        "divide_no_nan": "where(y == 0, 0, x / where(y == 0, 1, y))",
        "floor_divide": "floor(x / y)",
        "remainder": "x - y * floor(x / y)",
        "fmod": "x - y * trunc(x / y)",
        "frac": "x - trunc(x)",
        "copysign": "abs(x) * where(y < 0, -1, 1)",
        "ldexp": "x * 2 ** y",
        "deg2rad": "x * pi / 180",
        "rad2deg": "x * 180 / pi",
        "xlog1py": "x * log1p(y)",
        "logical_xor": "mask != condition",
        "isinf": "abs(x) == inf",
        "isfinite": "abs(x) < inf",
        "nanmean": "mean(x[x == x])",
        "aminmax": "stack([min(x), max(x)])",
        "std_mean": "stack([std(x, ddof=1), mean(x)])",
        "var_mean": "stack([var(x, ddof=1), mean(x)])",
        "moments": "stack([mean(x), var(x)])",
        "reduce_euclidean_norm": "norm(x)",
        "trapezoid": "sum(v[1:] + v[:-1]) / 2",
        "trapz": "sum(v[1:] + v[:-1]) / 2",
        "cumulative_trapezoid": "cumsum(v[1:] + v[:-1]) / 2",
        "logcumsumexp": "log(cumsum(exp(x), axis=0))",
        "pairwise_distance": "norm(x - y, axis=1)",
        "cdist": "norm(x[:, None] - y[None], axis=-1)",
        "unflatten": "reshape(x, shape)",
        "new_zeros": "zeros(shape)",
        "new_ones": "ones(shape)",
        "empty": "zeros(shape)",
        "empty_like": "zeros(x.shape)",
        "column_stack": "stack([v, u], axis=1)",
        "dstack": "stack([x, y], axis=2)",
        "fliplr": "flip(x, axis=1)",
        "flipud": "flip(x, axis=0)",
        "rot90": "flip(x.T, axis=0)",
        "msort": "sort(x, axis=0)",
        "logspace": "10 ** linspace(0, 1, 3)",
        "repeat_interleave": "take(x, [0, 0, 1, 1], axis=0)",
        "select": "x[:, 1]",
        "select_scatter": "put(x[0], v)",
        "index_copy": "put(x[indices], y)",
        "tensor_scatter_nd_update": "put(x[indices], y)",
        "index_fill": "put(x[indices], number)",
        "index_add": "x + eye(2)[indices].T @ y",
        "segment_sum": "eye(2)[indices].T @ y",
        "diag_embed": "eye(4) * v",
        "diagflat": "eye(4) * v",
        "matrix_power": "x @ x",
        "as_tensor": "x",
        "from_numpy": "x",
        "convert_to_tensor": "x",
        "type_as": "x",
        "requires_grad_": "x",
        "positive": "x",
        "threshold": "where(x > low, x, number)",
        "hardshrink": "where(abs(x) > 0.5, x, 0)",
        "softshrink": "sign(x) * relu(abs(x) - 0.5)",
        "squareplus": "(x + sqrt(x ** 2 + 4)) / 2",
        "standardize": "layer_norm(x)",
        "hard_tanh": "clip(x, -1, 1)",
        "hard_silu": "x * clip(x / 6 + 0.5, 0, 1)",
        "soft_sign": "x / (1 + abs(x))",
        "clip_by_norm": "x * minimum(1, number / norm(x))",
        "l2_normalize": "x / norm(x)",
        "l2_loss": "sum(x ** 2) / 2",
        "margin_ranking_loss": "mean(relu(t * (y - x)))",
        "soft_margin_loss": "mean(softplus(-t * x))",
        "poisson_nll_loss": "mean(exp(x) - t * x)",
        "gaussian_nll_loss": "mean(log(y) + (x - t) ** 2 / y) / 2",
        # what is asked of a size, or of all elements
        "numel": "sum(ones(x.shape))",
        "nelement": "sum(ones(x.shape))",
        "shape": "x.shape",
        "any": "max(where(condition, 1, 0)) == 1",
        "all": "min(where(condition, 1, 0)) == 1",
        "reduce_any": "max(where(condition, 1, 0), axis=0) == 1",
        "reduce_all": "min(where(condition, 1, 0), axis=0) == 1",
        "is_nonzero": "x != 0",
        "isposinf": "x == inf",
        "isneginf": "x == -inf",
        "signbit": "x < 0",
        # products
        "addmv": "b + x @ v",
        "addbmm": "b + sum(x @ w, axis=0)",
        "matvec": "x @ v",
        "vecmat": "v @ w",
        "vecdot": "sum(x * y, axis=-1)",
        "multi_dot": "x @ w",
        "chain_matmul": "x @ w",
        "realdiv": "x / y",
        "add_n": "x + y",
        "integer_pow": "x ** 2",
        "multiply_no_nan": "where(y == 0, 0, x * where(y == 0, 0, y))",
        "xdivy": "where(x == 0, 0, x / y)",
        "reciprocal_no_nan": "where(x == 0, 0, 1 / where(x == 0, 1, x))",
        "mod": "x - y * floor(x / y)",
        "rem": "x - y * trunc(x / y)",
        # square matrices
        "adjoint": "swapaxes(x, -1, -2)",
        "logdet": "logabsdet(x)",
        "inv_ex": "inv(x)",
        "cholesky_ex": "cholesky(x)",
        "cholesky_inverse": "inv(x @ x.T)",
        "cholesky_solve": "solve(y @ y.T, x)",
        "solve_ex": "solve(x, y)",
        "solve_triangular": "solve(x, y)",
        "matrix_solve": "solve(x, y)",
        "fill_diagonal": "where(eye(2) == 1, number, x)",
        "tri": "tril(ones((4, 4)))",
        # sums and their kin
        "frobenius_norm": "norm(x)",
        "matrix_norm": "norm(x)",
        "sum_to_size": "sum(x, axis=0)",
        "cumulative_sum": "cumsum(x, axis=0)",
        "cumulative_prod": "cumprod(x, axis=0)",
        "nancumsum": "cumsum(where(x == x, x, 0), axis=0)",
        "nancumprod": "cumprod(where(x == x, x, 1), axis=0)",
        "nanprod": "prod(where(x == x, x, 1))",
        "nanmax": "max(x[x == x])",
        "nanmin": "min(x[x == x])",
        "nanstd": "std(x[x == x])",
        "nanvar": "var(x[x == x])",
        "logaddexp2": "logsumexp(stack([x, y]) * log(2), axis=0) / log(2)",
        # functions of a number
        "asin": "arctan(p / sqrt(1 - p ** 2))",
        "arcsin": "arctan(p / sqrt(1 - p ** 2))",
        "acos": "pi / 2 - arctan(p / sqrt(1 - p ** 2))",
        "arccos": "pi / 2 - arctan(p / sqrt(1 - p ** 2))",
        "atan2": "2 * arctan(x / (sqrt(x ** 2 + y ** 2) + y))",
        "arctan2": "2 * arctan(x / (sqrt(x ** 2 + y ** 2) + y))",
        "sinc": "where(x == 0, 1, sin(pi * x) / where(x == 0, 1, pi * x))",
        "ndtr": "(1 + erf(x / sqrt(2))) / 2",
        "entr": "where(x == 0, 0, -x * log(where(x == 0, 1, x)))",
        "degrees": "x * 180 / pi",
        "radians": "x * pi / 180",
        "around": "round(x)",
        # shapes and parts
        "row_stack": "concatenate([x, y], axis=0)",
        "append": "concatenate([ravel(x), ravel(y)])",
        "crelu": "concatenate([relu(x), relu(-x)], axis=1)",
        "split_with_sizes": "split(x, 2, axis=1)",
        "unsafe_split": "split(x, 2, axis=1)",
        "unsafe_chunk": "split(x, 2, axis=1)",
        "take_along_dim": "take_along_axis(x, indices, axis=1)",
        "compress": "x[mask]",
        "extract": "x[mask]",
        "putmask": "where(mask, y, x)",
        "ediff1d": "v[1:] - v[:-1]",
        "reverse": "flip(x, axis=0)",
        "broadcast_in_dim": "broadcast_to(x, shape)",
        "new_full": "full(shape, number)",
        "new_empty": "zeros(shape)",
        "geomspace": "10 ** linspace(0, 1, 3)",
        "upsample_nearest": "interpolate(x, scale_factor=2)",
        # real numbers are their own parts
        "real": "x",
        "conj": "x",
        "conjugate": "x",
        "conj_physical": "x",
        "resolve_conj": "x",
        "resolve_neg": "x",
        "tolist": "x",
        "scalar_tensor": "x",
        "convert_element_type": "x",
        "asanyarray": "x",
        "ascontiguousarray": "x",
        # losses of Keras and of Optax
        "mean_squared_error": "mean((x - y) ** 2, axis=-1)",
        "mean_absolute_error": "mean(abs(x - y), axis=-1)",
        "categorical_crossentropy": "-sum(t * log(p), axis=-1)",
        "kl_divergence": "sum(y * log(y / p), axis=-1)",
        "log_cosh": "x - y + softplus(-2 * (x - y)) - log(2)",
        "squared_error": "(x - y) ** 2",
        "softmax_cross_entropy": "cross_entropy(x, p, reduction='none')",
        "softmax_cross_entropy_with_integer_labels": (
            "cross_entropy(x, indices, reduction='none')"
        ),
        "sigmoid_binary_cross_entropy": (
            "binary_cross_entropy_with_logits(x, p, reduction='none')"
        ),
    }
)

# What the debugger's expressions have, beside what programs have: the whole hint.
ASKED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "allclose": "write close(x, y)",
        "isclose": "write close(x, y)",
        "array_equal": "write all(x == y)",
        "grad": "each gradient is there: w.grad",
        "gradient": "each gradient is there: w.grad",
        "backward": "the backward pass is in every run: goto end, then print W.grad",
        "retain_grad": "the gradient of each value is kept: x.grad",
        "zero_grad": "each iteration begins with gradients of 0",
        "zero_": "set x = 0 makes a run with other numbers",
        "fill_": "set x = 0 makes a run with other numbers",
        "copy_": "set x = 0 makes a run with other numbers",
        "print": "leave it out: x is enough",
        "type": "the command whatis x tells it",
    }
)
# What is asked of a value elsewhere, without brackets; the rest of the hint.
ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("data", "val", "real", "array"), "write x.value"),
        **dict.fromkeys(("gradient", "derivative", "adjoint"), "write x.grad"),
        **dict.fromkeys(("grad_fn", "creator", "fn"), "write x.op"),
        **dict.fromkeys(("size", "ndim"), "write x.shape"),
        **dict.fromkeys(
            ("dtype", "requires_grad", "is_leaf", "name", "inputs"),
            "the command whatis x tells it",
        ),
    }
)
# Numbers with names.
NUMBERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pi": "pi",
        "e": "2.718281828459045",
        "inf": "inf",
        "Inf": "inf",
        "infty": "inf",
        "nan": "nan",
        "NaN": "nan",
    }
)
_DRAWN: Final = frozenset(
    {"rand", "randn", "randint", "rand_like", "randn_like", "normal", "uniform"}
)
_FILE_DRAWS: Final = 'a file draws numbers: W = { random = "normal", shape = [2, 3] }'

# There is nothing like these here, and names that look like them are something else.
ABSENT: Final = frozenset(
    {
        "adaptive_max_pool1d",
        "adaptive_max_pool2d",
        "affine_grid",
        "alpha_dropout",
        "angle",
        "argpartition",
        "argwhere",
        "argmax",
        "argmin",
        "argsort",
        "associative_scan",
        "avg_pool3d",
        "bernoulli",
        "bilinear",
        "bincount",
        "bitwise_and",
        "bitwise_not",
        "bitwise_or",
        "bitwise_xor",
        "block_diag",
        "broadcast_tensors",
        "bucketize",
        "cartesian_prod",
        "combinations",
        "cond",
        "conv3d",
        "conv_transpose3d",
        "convolve",
        "corrcoef",
        "cosine_embedding_loss",
        "cot",
        "correlate",
        "cov",
        "cross",
        "ctc_loss",
        "cummax",
        "cummin",
        "digamma",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "eig",
        "eigh",
        "eigvals",
        "eigvalsh",
        "embedding_bag",
        "erfcx",
        "erfinv",
        "feature_alpha_dropout",
        "fft",
        "fold",
        "fori_loop",
        "gcd",
        "grid_sample",
        "gumbel_softmax",
        "hessian",
        "hinge_embedding_loss",
        "hinge_loss",
        "hist",
        "histc",
        "histogram",
        "i0",
        "int",
        "interp",
        "inverse",
        "isin",
        "jacobian",
        "jvp",
        "kron",
        "kthvalue",
        "lgamma",
        "local_response_norm",
        "lp_pool1d",
        "lp_pool2d",
        "lstsq",
        "lu",
        "lu_factor",
        "map",
        "matrix_rank",
        "max_pool3d",
        "max_unpool2d",
        "median",
        "meshgrid",
        "matrix_exp",
        "mode",
        "multi_margin_loss",
        "multilabel_margin_loss",
        "multilabel_soft_margin_loss",
        "multinomial",
        "nanmedian",
        "nextafter",
        "nonzero",
        "nuclear_norm",
        "pdist",
        "percentile",
        "pinv",
        "pinverse",
        "pixel_shuffle",
        "pixel_unshuffle",
        "polar",
        "polygamma",
        "put_along_axis",
        "qr",
        "quantile",
        "randperm",
        "rank",
        "renorm",
        "rrelu",
        "scan",
        "scatter",
        "scatter_add",
        "scatter_nd",
        "scatter_reduce",
        "searchsorted",
        "svd",
        "svdvals",
        "triangular_solve",
        "tril_indices",
        "triplet_margin_loss",
        "triu_indices",
        "unfold",
        "unique",
        "vander",
        "view_as_complex",
        "vjp",
        "vmap",
        "while_loop",
        "zip",
    }
)


def way_out(
    name: str,
    known: Collection[str],
    *,
    given: Sequence[str] = ("x",),
    method: bool = False,
    console: bool = False,
) -> str:
    """Return what to write in place of a function that is not there, or nothing.

    `known` are the functions that there are. A `method` may be one of them. `given` are
    its arguments as they are written, the value that it is asked of the first of them;
    expressions of the `console` have more.

    >>> way_out("view", ["divide"]), way_out("meen", ["mean"]), way_out("svd", ["sum"])
    ('write reshape(x, shape)', "did you mean 'mean'?", 'there is nothing like it here')
    >>> way_out("mean", ["mean"], given=["W1", "axis=0"], method=True)
    'write mean(W1, axis=0)'
    >>> way_out("mm", [], given=["W1", "h"]), way_out("view", [], given=["h", "-1"])
    ('write W1 @ h', 'write reshape(h, -1)')
    """
    if name in _SPREAD and len(given) > 2:
        given = (given[0], f"({', '.join(given[1:])})")
    if method and name == "transpose" and len(given) == 3:
        name = "swapaxes"  # PyTorch's takes two axes
    if method and name in known:
        return f"write {name}({', '.join(given or ['x'])})"
    for called in _spelled(name):
        if called != name and called in known:
            return f"write {called}({', '.join(given or ['x'])})"
        way = _way(called, console)
        if way:
            return _filled(way, given) if way.startswith(_OPEN) else way
    return nearest(name, known)


_SPREAD: Final = frozenset({"view", "reshape", "permute", "expand"})  # f(x, 2, 3)
_OPEN: Final = ("write", "leave", "each", "the gradient", "the command", "set x")
# Classes, and functions, whose names are not those of the functions that they are here.
_CALLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "average": "mean",
        "reduce_sum": "sum",
        "reduce_mean": "mean",
        "reduce_max": "max",
        "reduce_min": "min",
        "reduce_prod": "prod",
        "reduce_logsumexp": "logsumexp",
        "reduce_variance": "var",
        "reduce_std": "std",
        "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
        "bce": "binary_cross_entropy",
        "BCELoss": "binary_cross_entropy",
        "CrossEntropyLoss": "cross_entropy",
        "GRUCell": "gru_cell",
        "GaussianNLLLoss": "gaussian_nll_loss",
        "Identity": "positive",
        "KLDivLoss": "kl_div",
        "LSTMCell": "lstm_cell",
        "LeakyReLU": "leaky_relu",
        "MSELoss": "mse_loss",
        "PoissonNLLLoss": "poisson_nll_loss",
        "RMSNorm": "rms_norm",
        "RNNCell": "rnn_cell",
        "rnn_tanh": "rnn",
        "rnn_tanh_cell": "rnn_cell",
        "ZeroPad2d": "pad",
        "NLLLoss": "nll_loss",
        "nll": "nll_loss",
        "SmoothL1Loss": "smooth_l1_loss",
    }
)


def _spelled(name: str) -> Iterator[str]:
    """Yield a name, and the name of the function that a class of it stands for."""
    yield name
    if name.endswith("_"):
        yield name.rstrip("_")  # what PyTorch does in place
    if name.endswith("_copy"):
        yield name.removesuffix("_copy")
    if name in _CALLED:
        yield _CALLED[name]
    elif name != name.lower():
        yield name.lower()
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        yield words
        yield re.sub(r"_?[123]d$", "", words)  # BatchNorm2d: by the shape, here


def _filled(way: str, given: Sequence[str]) -> str:
    """Return a hint with what was given in the place of the names that stand for it."""
    if not 0 < len(given) <= 2:  # who knows which one is x
        return way
    given = [one if _is_plain(one) or "=" in one else "x" for one in given]
    way = re.sub(r"\bx\b", lambda _: given[0], way)
    kept = way.replace(".shape", "")
    others = {*re.findall(r"\b(?:y|w|shape|axis|axes)\b(?!\()", kept)}
    if len(given) == 2 and len(others) == 1 and "=" not in given[1]:
        way = re.sub(rf"(?<!\.)\b{others.pop()}\b(?!=)", lambda _: given[1], way)
    return way


def _way(name: str, console: bool) -> str:
    """Return the hint of the tables, or nothing."""
    if console and name in ASKED:
        return ASKED[name]
    if name in WAYS:
        way = WAYS[name]
        return "leave it out: x is enough" if way == "x" else f"write {way}"
    if name in _DRAWN:
        return _FILE_DRAWS
    return "there is nothing like it here" if name in ABSENT else ""


def asked_of(name: str, of: str) -> str:
    """Return what to write in place of an attribute that is not there, or nothing.

    >>> asked_of("data", "W1"), asked_of("dtype", "W1"), asked_of("colour", "W1")
    ('write W1.value', 'the command whatis W1 tells it', '')
    """
    if of.endswith(".grad") and "whatis" not in ATTRIBUTES.get(name, "whatis"):
        return f"leave it out: {of} is enough"
    return re.sub(r"\bx\b", lambda _: of, ATTRIBUTES.get(name, ""))


def number_named(parts: Sequence[str]) -> str:
    """Return which number is meant by a name, as in `np.pi`, or nothing.

    >>> number_named(["np", "pi"]), number_named(["torch", "inf"]), number_named(["q"])
    ('write pi', 'write inf', '')
    """
    *modules, name = parts
    is_number = name in NUMBERS and MODULES.issuperset(modules)
    return f"write {NUMBERS[name]}" if is_number else ""


def written(call: ast.Call, of: ast.expr | None = None) -> list[str]:
    """Return the arguments of a call as they are written, `of` before them.

    Names, numbers, texts and what operators make of them are, if they are short; what
    has a call of its own, which may be foreign, is an `x`. What others call `dim` is
    `axis`, and `unbiased` the `ddof` of 1.
    """
    values = [*([of] if of is not None else []), *call.args]
    named = [
        _named(one.arg, _written(one.value))
        for one in call.keywords
        if one.arg is not None
    ]
    return [*map(_written, values), *named]


_ARGUMENTS: Final = {
    "dim": "axis",
    "keepdim": "keepdims",
    "input": "x",
    "correction": "ddof",
    "unbiased": "ddof",
}
_TRUTHS: Final = {"True": "1", "False": "0"}


def _named(name: str, value: str) -> str:
    """Return an argument with the name, and the value, that it has here."""
    value = _TRUTHS.get(value, value) if name == "unbiased" else value
    return f"{_ARGUMENTS.get(name, name)}={value}"


_LONGEST: Final = 40  # letters of an argument that is repeated
_SIMPLE: Final = (
    *(ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple),
    *(ast.List, ast.BinOp, ast.UnaryOp, ast.Compare, ast.operator, ast.unaryop),
    *(ast.cmpop, ast.expr_context),
)


def _written(tree: ast.expr) -> str:
    text = ast.unparse(tree)
    is_simple = all(isinstance(node, _SIMPLE) for node in ast.walk(tree))
    is_short = len(text) <= _LONGEST and text.isprintable()
    return text if is_simple and is_short and max(text) < "\U00010000" else "x"


def _is_plain(text: str) -> bool:
    """Tell whether a text is a name or a number, which no operator beside it parts."""
    is_name = all(map(str.isidentifier, text.split(".")))
    return is_name or bool(re.fullmatch(r"\(?(?:-?[\d.]+(?:, |,?\)|$))+", text))
