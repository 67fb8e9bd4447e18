# pyright: basic, reportMissingModuleSource=false
"""Sums, means, extremes, norms; softmax and what is like it; products of matrices."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ....capture.record import Tensor
from ....ops import OPS
from .arithmetic import values


def _axes(dim: Any, kwargs: Any) -> Any:
    dim = kwargs.get("axis", dim)
    dim = tuple(dim) if isinstance(dim, tuple | list) else dim
    return None if dim == () else dim


def _reduced(name: str) -> Any:
    def row(input: Any, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Any:
        keepdim = kwargs.get("keepdims", keepdim)
        text = f"{name}(input, axis=dim, keepdims=keepdim)"
        return text, {"dim": _axes(dim, kwargs), "keepdim": keepdim}

    return row


def _extreme(name: str, pair: str) -> Any:
    def row(input: Any, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Any:
        other = kwargs.get("other", dim)
        if isinstance(other, Tensor):
            return f"{pair}(input, dim)", {"dim": other}
        dim = kwargs.get("axis", dim)
        if dim is None:
            return f"{name}(input)"
        if "take_along_axis" not in OPS:
            return f"{name}(input, axis=dim, keepdims=keepdim)"
        return _chosen(input, dim)

    return row


def _chosen(input: Tensor, dim: int) -> Any:
    """Return the elements that PyTorch has chosen: its gradient goes to them alone."""
    wide = tuple(1 if k == dim % input.ndim else n for k, n in enumerate(input.shape))
    text = "reshape(take_along_axis(input, reshape(indices, wide), axis=dim), out)"
    return text, {"wide": wide, "dim": dim}


def _sorted(input: Any, dim: Any = -1, *_args: Any, **kwargs: Any) -> Any:
    if "take_along_axis" not in OPS:
        return None
    dim = kwargs.get("dim", dim)
    dim = -1 if isinstance(dim, bool) else dim
    return "take_along_axis(input, indices, axis=dim)", {"dim": dim}


def _sorted_rows(input: Any) -> Any:
    places = input.held.value.detach().sort(dim=0)[1].cpu().numpy()
    return "take_along_axis(input, places, axis=0)", {"places": places}


def _topk(input: Any, k: int, dim: int = -1, *_args: Any, **_kwargs: Any) -> Any:
    return _sorted(input, dim)


def _commonest(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    return _chosen(input, dim)


def _kth(input: Any, k: int, *args: Any, **kwargs: Any) -> Any:
    return _commonest(input, *args, **kwargs)


def _one_of(input: Any, dim: Any = None, *_args: Any, **kwargs: Any) -> Any:
    """Return the element that PyTorch has chosen along an axis, or of all."""
    if dim is None and "dim" not in kwargs:
        return None
    return _chosen(input, kwargs.get("dim", -1 if dim is None else dim))


def _middle(skips_nan: bool) -> Any:
    """Return the row of the median: of all, each that is equal to it has a part."""

    def row(input: Any, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            return _one_of(input, *args, **kwargs)
        x = values(input).reshape(-1)
        found = x[~np.isnan(x)] if skips_nan else x
        if not found.size or np.isnan(found).any():
            return None
        middle = np.sort(found)[(found.size - 1) // 2]
        places = np.flatnonzero(x == middle)
        return "mean(take(reshape(input, (-1,)), places))", {"places": places}

    return row


def _running_extreme(input: Any, dim: int) -> Any:
    return "take_along_axis(input, indices, axis=dim)"


def _both_extremes(input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    inner = "axis=dim, keepdims=keepdim"
    return f"[min(input, {inner}), max(input, {inner})]"


def _quantile(
    input: Any,
    q: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """Return a mean of the two elements around a place, once PyTorch has sorted."""
    x = input.held.value.detach()
    wanted = np.asarray(values(q), np.float64)
    if interpolation != "linear" or bool(x.isnan().any()):
        return None
    line = x.reshape(-1) if dim is None else x
    axis = 0 if dim is None else dim % max(x.ndim, 1)
    order = np.moveaxis(line.sort(dim=axis)[1].cpu().numpy(), axis, 0)
    place = wanted.reshape(-1) * (len(order) - 1)
    low = np.floor(place).astype(int)
    share = (place - low).reshape(-1, *(1,) * (order.ndim - 1))
    text = (
        "line = transpose(reshape(input, wide), axes)\n"
        "first = take_along_axis(line, low, axis=0)\n"
        "y = first + share * (take_along_axis(line, high, axis=0) - first)\n"
        "reshape(y, out)"
    )
    return text, {
        "wide": tuple(line.shape),
        "axes": (axis, *(k for k in range(order.ndim) if k != axis)),
        "low": order[low],
        "high": order[np.minimum(low + 1, len(order) - 1)],
        "share": share.astype(values(input).dtype),
    }


def _running_log(input: Any, dim: int) -> Any:
    x = values(input)
    if not x.size or not np.isfinite(x).all() or np.ptp(x) > 80:
        return None  # some exponentials would be lost beside others
    return "log(cumsum(exp(input - most), axis=dim)) + most", {"most": float(x.max())}


def _sum_of_known(input: Any, *args: Any, **kwargs: Any) -> Any:
    text, more = _reduced("sum")(input, *args, **kwargs)
    fine = ~np.isnan(values(input))
    return text.replace("input", "where(fine, input, 0)"), {**more, "fine": fine}


def _mean_of_known(input: Any, *args: Any, **kwargs: Any) -> Any:
    text, more = _sum_of_known(input, *args, **kwargs)
    keep = more["keepdim"]
    many = np.sum(more["fine"], axis=more["dim"], keepdims=keep)
    return f"{text} / many", {**more, "many": many}


def _trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    if x is not None:
        return None
    before = ":, " * (dim % y.ndim)
    return f"sum((y[{before}1:] + y[{before}:-1]) * dx / 2, axis=dim)"


def _difference(
    input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None
) -> Any:
    if prepend is not None or append is not None:
        return None
    before = ":, " * (dim % input.ndim)
    line = f"input = input[{before}1:] - input[{before}:-1]"
    return "\n".join([*[line] * n, "input"])


def _spread(name: str) -> Any:
    def row(
        input: Any,
        dim: Any = None,
        unbiased: Any = None,
        keepdim: bool = False,
        *,
        correction: Any = None,
        **kwargs: Any,
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if correction is None:
            correction = 0 if unbiased is False else 1
        text = f"{name}(input, axis=dim, keepdims=keepdim, ddof=correction)"
        return text, {"dim": _axes(dim, kwargs), "correction": correction}

    return row


def sized(text: str, p: Any, inner: str) -> str | None:
    """Return how the p-norm of something is written; None where there is no way."""
    if p in (None, "fro", 2):
        return f"norm({text}, {inner})"
    if p == 1:
        return f"sum(abs({text}), {inner})"
    if p in (math.inf, -math.inf):
        return f"{'max' if p > 0 else 'min'}(abs({text}), {inner})"
    is_power = isinstance(p, int | float) and p > 0
    return f"sum(abs({text}) ** {p}, {inner}) ** {1 / p}" if is_power else None


def _norm(
    input: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, *_a: Any, **kw: Any
) -> Any:
    p = kw.get("ord", p)
    text = sized("input", p, "axis=axis, keepdims=keepdim")
    if p not in (None, "fro", 1, 2, math.inf) and not values(input).all():
        return None  # where PyTorch has a slope of 0
    return text, {"axis": _axes(dim, kw)}


def _norm_of_matrix(
    input: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, **kw: Any
) -> Any:
    """Return the row of linalg.norm, which has norms of matrices, too."""
    axes = _axes(dim, kw)
    two = isinstance(axes, tuple) and len(axes) == 2
    if ord is None or not (two or (axes is None and input.ndim == 2)):
        return _norm(input, ord, dim, keepdim)
    return _matrix_norm(input, ord, axes or (-2, -1), keepdim)


def _matrix_norm(
    input: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, **kw: Any
) -> Any:
    if ord != "fro":
        return None  # it is of singular values, or sums of whole columns
    return "norm(input, axis=axis, keepdims=keepdim)", {"axis": tuple(dim)}


def _softmax(name: str) -> Any:
    def row(input: Any, dim: Any = None, *_args: Any, **_kwargs: Any) -> Any:
        if dim is None:
            dim = 0 if input.ndim in (0, 1, 3) else 1
        return f"{name}(input, axis=dim)", {"dim": dim}

    return row


def _of_masked(input: Any, dim: int, dtype: Any = None) -> Any:
    """Return softmax that is 0 along a row which is masked as a whole."""
    there = (values(input) > -np.inf).any(axis=dim, keepdims=True)
    text = "softmax(input, axis=dim)"
    if not there.all():
        text = "where(there, softmax(where(there, input, 0), axis=dim), 0)"
    return text, {"there": there}


def _logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    return "logsumexp(input, axis=dim, keepdims=keepdim)", {"dim": _axes(dim, {})}


def _cumulative(name: str) -> Any:
    def row(input: Any, dim: int, **_kwargs: Any) -> Any:
        return f"{name}(input, axis=dim)" if name in OPS else None

    return row


def _both(name: str) -> Any:
    """Return the row of a spread with the mean beside it."""
    row = _spread(name)

    def both(input: Any, *args: Any, **kwargs: Any) -> Any:
        text, more = row(input, *args, **kwargs)
        keep = kwargs.get("keepdim", False)
        return f"[{text}, mean(input, axis=dim, keepdims=keepdim)]", {
            "keepdim": keep,
            **more,
        }

    return both


def _times(text: str) -> Any:
    """Return the row of a product with one other tensor, however that is called."""

    def row(input: Any, *args: Any, **kwargs: Any) -> Any:
        return text, {"other": (*args, *kwargs.values())[0]}

    return row


def _addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    left = "input" if beta == 1 else "beta * input"
    return f"{left} + {'' if alpha == 1 else 'alpha * '}(mat1 @ mat2)"


def _einsum(equation: Any, *operands: Any) -> Any:
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    if not isinstance(equation, str):
        return None
    words = "".join(equation.split())
    return "einsum(equation, operands)", {
        "equation": words,
        "operands": list(operands),
    }


def _added(text: str, *names: str) -> Any:
    """Return the row of a product that is added to something."""
    first, second = names

    def row(input: Any, *args: Any, beta: Any = 1, alpha: Any = 1, **kw: Any) -> Any:
        given = dict(zip(names, args, strict=False)) | kw
        left = "input" if beta == 1 else "beta * input"
        product = text.format(first, second)
        return f"{left} + {'' if alpha == 1 else 'alpha * '}{product}", {
            **{name: given[name] for name in names},
            "beta": beta,
            "alpha": alpha,
        }

    return row


def _inner(input: Any, other: Any) -> Any:
    if not input.ndim or not other.ndim:
        return "input * other"
    return "dot(input, swapaxes(other, -1, -2))" if other.ndim > 1 else "input @ other"


def _chain(*matrices: Any, **kw: Any) -> Any:
    if len(matrices) == 1 and isinstance(matrices[0], list | tuple):
        matrices = tuple(matrices[0])
    bound = {f"x{number}": one for number, one in enumerate(matrices)}
    return " @ ".join(bound), bound


def _matrix_power(input: Any, n: int) -> Any:
    return " @ ".join(["input"] * n) if 0 < n <= 16 else None


# Arguments are called as PyTorch calls them.


def _of_matrix(text: str) -> Any:
    def row(A: Any, **_kwargs: Any) -> Any:
        return text

    return row


def _log_determinant(A: Any) -> Any:
    is_above = (np.linalg.slogdet(values(A))[0] > 0).all()
    return "logabsdet(A)" if is_above else None


def _solved(A: Any, B: Any, *, left: bool = True) -> Any:
    if not left:
        return "B @ inv(A)"
    if B.ndim > 1 and B.shape == A.shape[:-1]:
        return "squeeze(solve(A, expand_dims(B, -1)), -1)"
    return "solve(A, B)"


def _triangular(
    A: Any,
    B: Any,
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
) -> Any:
    part = "triu(A)" if upper else "tril(A)"
    text = f"solve({part}, B)" if left else f"B @ inv({part})"
    return None if unitriangular else text


def _factor(A: Any, upper: bool = False, **_kwargs: Any) -> Any:
    x = values(A)
    close = 1e-10 if x.dtype == np.float64 else 1e-5
    if not np.allclose(x, x.swapaxes(-1, -2), close, close):
        return None  # PyTorch reads one triangle
    return "swapaxes(cholesky(A), -1, -2)" if upper else "cholesky(A)"


def _by_factor(L: Any, upper: bool = False) -> Any:
    turned = "swapaxes(L, -1, -2)"
    return f"inv({turned} @ L)" if upper else f"inv(L @ {turned})"


def _solved_by_factor(B: Any, L: Any, upper: bool = False) -> Any:
    return f"{_by_factor(L, upper)} @ B"


def _tensordot(a: Any, b: Any, dims: Any = 2, **_kwargs: Any) -> Any:
    if isinstance(dims, int):
        dims = (list(range(a.ndim - dims, a.ndim)), list(range(dims)))
    if isinstance(dims, Tensor):
        return None
    own, others = ([one] if isinstance(one, int) else list(one) for one in dims)
    first = [chr(ord("a") + k) for k in range(a.ndim)]
    second = [chr(ord("A") + k) for k in range(b.ndim)]
    for k, j in zip(own, others, strict=True):
        second[j % b.ndim] = first[k % a.ndim]
    gone = {first[k % a.ndim] for k in own}
    left = [one for one in (*first, *second) if one not in gone]
    words = f"{''.join(first)},{''.join(second)}->{''.join(left)}"
    return "einsum(words, a, b)", {"words": words}


def _kron(input: Any, other: Any) -> Any:
    if input.ndim != other.ndim:
        return None
    thin = tuple(n for one in input.shape for n in (one, 1))
    wide = tuple(n for one in other.shape for n in (1, one))
    text = "reshape(reshape(input, thin) * reshape(other, wide), out)"
    return text, {"thin": thin, "wide": wide}


def _cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    first = "roll(input, -1, axis=dim) * roll(other, -2, axis=dim)"
    return f"{first} - roll(input, -2, axis=dim) * roll(other, -1, axis=dim)"


def _covariance(
    input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None
) -> Any:
    if input.ndim != 2 or fweights is not None or aweights is not None:
        return None
    text = "rest = input - mean(input, axis=1, keepdims=True)\nrest @ rest.T / count"
    return text, {"count": input.shape[1] - correction}


def _all_distances(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "") -> Any:
    """Return cdist, by products where PyTorch itself takes them: of many rows."""
    by_products = max(x1.shape[-2], x2.shape[-2]) > 25 and "donot" not in compute_mode
    if p == 2 and (by_products or compute_mode.startswith("use_mm_for")):
        squares = "sum(x1 ** 2, axis=-1, keepdims=True)"
        others = "swapaxes(sum(x2 ** 2, axis=-1, keepdims=True), -1, -2)"
        both = f"{squares} + {others} - 2 * (x1 @ swapaxes(x2, -1, -2))"
        return f"sqrt(clip({both}, min=0))"
    return sized("expand_dims(x1, -2) - expand_dims(x2, -3)", p, "axis=-1")


def _own_distances(input: Any, p: float = 2.0) -> Any:
    first, second = np.triu_indices(input.shape[0], 1)
    text = "take(input, first, axis=0) - take(input, second, axis=0)"
    return sized(text, p, "axis=-1"), {"first": first, "second": second}


def _cosine(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    return (
        "sum(x1 * x2, axis=dim) / (maximum(sqrt(sum(x1 ** 2, axis=dim)), eps)"
        " * maximum(sqrt(sum(x2 ** 2, axis=dim)), eps))"
    )


def _distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    return sized("x1 - x2 + eps", p, "axis=-1, keepdims=keepdim")


def _bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    text = 'einsum("...i,oij,...j->...o", input1, weight, input2)'
    return text if bias is None else f"{text} + bias"


def _roots(roots: Any, seeds: Any) -> Any:
    """Return the sum that a pass which begins at several tensors differentiates."""
    terms, bound = list[str](), dict[str, Any]()
    for number, (root, seed) in enumerate(zip(roots, seeds, strict=True)):
        bound[f"root{number}"], bound[f"seed{number}"] = root, seed
        text = f"root{number}" + f" * seed{number}" * (seed is not None)
        terms.append(f"sum({text})" if root.ndim else text)
    return " + ".join(terms), bound


ROWS: Final = MappingProxyType(
    {
        **{name: _reduced(name) for name in ("sum", "mean", "prod")},
        "roots": _roots,
        "amax": _reduced("max"),
        "amin": _reduced("min"),
        "max": _extreme("max", "maximum"),
        "min": _extreme("min", "minimum"),
        "sort": _sorted,
        "topk": _topk,
        "var": _spread("var"),
        "std": _spread("std"),
        "std_mean": _both("std"),
        "var_mean": _both("var"),
        "norm": _norm,
        "vector_norm": _norm,
        "linalg_norm": _norm_of_matrix,
        "matrix_norm": _matrix_norm,
        "kthvalue": _kth,
        "mode": _commonest,
        "median": _middle(skips_nan=False),
        "nanmedian": _middle(skips_nan=True),
        "cummax": _running_extreme,
        "cummin": _running_extreme,
        "aminmax": _both_extremes,
        "quantile": _quantile,
        "logcumsumexp": _running_log,
        "nansum": _sum_of_known,
        "nanmean": _mean_of_known,
        "msort": _sorted_rows,
        "trapezoid": _trapezoid,
        "trapz": _trapezoid,
        "diff": _difference,
        "softmax": _softmax("softmax"),
        "_safe_softmax": _of_masked,
        "log_softmax": _softmax("log_softmax"),
        "logsumexp": _logsumexp,
        "cumsum": _cumulative("cumsum"),
        "cumprod": _cumulative("cumprod"),
        **{
            name: _times("input @ other")
            for name in ("matmul", "mm", "bmm", "mv", "dot", "vdot")
        },
        "rmatmul": _times("other @ input"),
        **{name: _times("outer(input, other)") for name in ("outer", "ger")},
        "addmm": _addmm,
        "addmv": _added("({} @ {})", "mat", "vec"),
        "addr": _added("outer({}, {})", "vec1", "vec2"),
        "baddbmm": _added("({} @ {})", "batch1", "batch2"),
        "addbmm": _added("sum({} @ {}, axis=0)", "batch1", "batch2"),
        "inner": _inner,
        "chain_matmul": _chain,
        "multi_dot": _chain,
        "matrix_power": _matrix_power,
        **{name: _of_matrix("inv(A)") for name in ("inv", "inverse", "inv_ex")},
        "det": _of_matrix("det(A)"),
        "slogdet": _of_matrix("slogdet(A)"),
        "logdet": _log_determinant,
        "solve": _solved,
        "solve_ex": _solved,
        "solve_triangular": _triangular,
        "cholesky": _factor,
        "cholesky_ex": _factor,
        "cholesky_inverse": _by_factor,
        "cholesky_solve": _solved_by_factor,
        "tensordot": _tensordot,
        "kron": _kron,
        "cross": _cross,
        "cov": _covariance,
        "cdist": _all_distances,
        "pdist": _own_distances,
        "einsum": _einsum,
        "cosine_similarity": _cosine,
        "pairwise_distance": _distance,
        "bilinear": _bilinear,
    }
)
