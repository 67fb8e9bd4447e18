# pyright: basic, reportMissingModuleSource=false
"""Sums, means, extremes, norms; softmax and what is like it; products of matrices."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from ....capture.record import Tensor
from ....ops import OPS


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


def _topk(input: Any, k: int, dim: int = -1, *_args: Any, **_kwargs: Any) -> Any:
    return _sorted(input, dim)


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


def _norm(
    input: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, *_a: Any, **kw: Any
) -> Any:
    p = kw.get("ord", p)
    axis = _axes(dim, kw)
    inner = "axis=axis, keepdims=keepdim"
    text = {
        1: f"sum(abs(input), {inner})",
        2: f"sqrt(sum(input ** 2, {inner}))",
        float("inf"): f"max(abs(input), {inner})",
    }.get(2 if p in (None, "fro") else p)
    if "norm" in OPS and p in (None, "fro", 2):
        text = f"norm(input, {inner})"
    return text and (text, {"axis": axis})


def _softmax(name: str) -> Any:
    def row(input: Any, dim: Any = None, *_args: Any, **_kwargs: Any) -> Any:
        if dim is None:
            dim = 0 if input.ndim in (0, 1, 3) else 1
        return f"{name}(input, axis=dim)", {"dim": dim}

    return row


def _logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    return "logsumexp(input, axis=dim, keepdims=keepdim)", {"dim": _axes(dim, {})}


def _cumulative(name: str) -> Any:
    def row(input: Any, dim: int, **_kwargs: Any) -> Any:
        return f"{name}(input, axis=dim)" if name in OPS else None

    return row


def _product(input: Any, other: Any) -> Any:
    return "input @ other"


def _swapped_product(input: Any, other: Any) -> Any:
    return "other @ input"


def _matrices(input: Any, mat2: Any, **_kwargs: Any) -> Any:
    return "input @ mat2"


def _vector(input: Any, vec: Any) -> Any:
    return "input @ vec"


def _dot(input: Any, tensor: Any) -> Any:
    return "input @ tensor"


def _outer(input: Any, vec2: Any) -> Any:
    return "outer(input, vec2)"


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


def _cosine(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    return (
        "sum(x1 * x2, axis=dim) / (maximum(sqrt(sum(x1 ** 2, axis=dim)), eps)"
        " * maximum(sqrt(sum(x2 ** 2, axis=dim)), eps))"
    )


def _distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    text = "sqrt(sum((x1 - x2 + eps) ** 2, axis=-1, keepdims=keepdim))"
    return text if p == 2 else None


def _bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    if input1.ndim != 2:
        return None
    text = 'einsum("ni,oij,nj->no", input1, weight, input2)'
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
        "norm": _norm,
        "vector_norm": _norm,
        "softmax": _softmax("softmax"),
        "log_softmax": _softmax("log_softmax"),
        "logsumexp": _logsumexp,
        "cumsum": _cumulative("cumsum"),
        "cumprod": _cumulative("cumprod"),
        "matmul": _product,
        "rmatmul": _swapped_product,
        "mm": _matrices,
        "bmm": _matrices,
        "mv": _vector,
        "dot": _dot,
        "outer": _outer,
        "addmm": _addmm,
        "einsum": _einsum,
        "cosine_similarity": _cosine,
        "pairwise_distance": _distance,
        "bilinear": _bilinear,
    }
)
