"""What people know from PyTorch, JAX, TensorFlow and NumPy, and what it is here.

A row is a name and an expression that does the same. `x` is the value that it is asked
of; the other names say what else is needed.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..base.text import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
        "fmax": "maximum(x, y)",
        "fmin": "minimum(x, y)",
        "logical_and": "mask * condition",
        "logical_or": "maximum(mask, condition)",
        "logical_not": "mask == False",
        "isnan": "x != x",
        # sums along an axis
        "reduce_sum": "sum(x, axis=0)",
        "reduce_mean": "mean(x, axis=0)",
        "reduce_max": "max(x, axis=0)",
        "reduce_min": "min(x, axis=0)",
        "reduce_prod": "prod(x, axis=0)",
        "reduce_logsumexp": "logsumexp(x, axis=0)",
        "reduce_variance": "var(x, axis=0)",
        "reduce_std": "std(x, axis=0)",
        "average": "mean(x, axis=0)",
        "norm": "sqrt(sum(x ** 2))",
        "vector_norm": "sqrt(sum(x ** 2))",
        "dist": "sqrt(sum((x - y) ** 2))",
        "normalize": "x / sqrt(sum(x ** 2, axis=1, keepdims=True))",
        "rms_norm": "x / sqrt(mean(x ** 2, axis=-1, keepdims=True) + 1e-5)",
        "ptp": "max(x) - min(x)",
        "nansum": "sum(where(x == x, x, 0))",
        "logaddexp": "logsumexp(stack([x, y]), axis=0)",
        "cosine_similarity": "sum(x * y) / sqrt(sum(x ** 2) * sum(y ** 2))",
        # what holds a gradient back, and what needs no word here
        "detach": "stop_gradient(x)",
        "detach_": "stop_gradient(x)",
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
        "roll": "concatenate([x[1:], x[:1]], axis=0)",
        "chunk": "split(x, 2, axis=1)",
        "tensor_split": "split(x, 2, axis=1)",
        "array_split": "split(x, 2, axis=1)",
        "hsplit": "split(x, 2, axis=1)",
        "vsplit": "split(x, 2, axis=0)",
        "unbind": "split(x, x.shape[0], axis=0)",
        "unstack": "split(x, x.shape[0], axis=0)",
        "narrow": "x[:, 1:3]",
        "dynamic_slice": "x[:, 1:3]",
        "index_select": "take(x, indices, axis=0)",
        "gather_nd": "x[indices]",
        "boolean_mask": "x[mask]",
        "masked_select": "x[mask]",
        "masked_fill": "where(mask, number, x)",
        "masked_fill_": "where(mask, number, x)",
        "tril": "where(mask, x, 0)",
        "triu": "where(mask, x, 0)",
        "diff": "x[:, 1:] - x[:, :-1]",
        "one_hot": "eye(4)[indices]",
        # products
        "mm": "x @ w",
        "bmm": "x @ w",
        "mv": "x @ v",
        "linear": "x @ w",
        "dense": "x @ w",
        "addmm": "b + x @ w",
        "batch_matmul": "x @ w",
        "inner": "v @ v",
        "vdot": "v @ v",
        "ger": "outer(v, v)",
        "tensordot": "einsum('ij,jk->ik', x, w)",
        "trace": "einsum('ii->', x @ x.T)",
        "diag": "einsum('ii->i', x @ x.T)",
        "diagonal": "einsum('ii->i', x @ x.T)",
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
        "cbrt": "x ** (1 / 3)",
        "erfc": "1 - erf(x)",
        "hypot": "sqrt(x ** 2 + y ** 2)",
        "lerp": "x + p * (y - x)",
        "heaviside": "where(x > 0, 1.0, 0.0)",
        "expit": "sigmoid(x)",
        "logit": "log(p / (1 - p))",
        "xlogy": "x * log(y)",
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
        "binary_cross_entropy": "-mean(t * log(p) + (1 - t) * log(1 - p))",
        "bce_loss": "-mean(t * log(p) + (1 - t) * log(1 - p))",
        "nll_loss": "-mean(x[arange(x.shape[0]), indices])",
        "kl_div": "sum(p * (log(p) - x))",
    }
)

# There is nothing like these here, and names that look like them are something else.
ABSENT: Final = frozenset(
    {
        "acos",
        "arcsin",
        "arctan2",
        "argmax",
        "argmin",
        "asin",
        "avg_pool1d",
        "avg_pool3d",
        "conv1d",
        "conv3d",
        "cot",
        "det",
        "dropout2d",
        "dropout3d",
        "lu",
        "max_pool1d",
        "max_pool3d",
        "median",
        "sinc",
        "sort",
        "svd",
    }
)


def way_out(name: str, known: Collection[str], *, method: bool = False) -> str:
    """Return what to write in place of a function that is not there, or nothing.

    `known` are the functions that there are. A `method` may be one of them.

    >>> way_out("view", ["divide"]), way_out("meen", ["mean"]), way_out("det", ["dot"])
    ('write reshape(x, shape)', "did you mean 'mean'?", 'there is nothing like it here')
    >>> way_out("mean", ["mean"], method=True)
    'write mean(x)'
    """
    if method and name in known:
        return f"write {name}(x)"
    if name in WAYS:
        way = WAYS[name]
        return "leave it out: x is enough" if way == "x" else f"write {way}"
    if name in ABSENT:
        return "there is nothing like it here"
    return nearest(name, known)
