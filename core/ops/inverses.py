"""Square matrices: inverses, determinants, Cholesky factors.

What there is none of, as the inverse of a matrix whose rows depend on each other, is
NaN in all places. Rules are those of Giles, 'Collected matrix derivative results for
forward and reverse mode algorithmic differentiation' (2008), section 2.2; that of the
factor is (10) of Murray, 'Differentiation of the Cholesky decomposition' (2016).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .table import Array, Case, Cost, Form, Op, Shape, row_of_one
from .table.axes import LETTERS
from .table.wide import DOUBLE, wide, wide_result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_T: Final = ".swapaxes(-1, -2)"
_INVERSE: Final = f"np.linalg.inv({{a}}){_T}"
_FEW_ROWS: Final = 5  # to expand a determinant of more takes much longer
_ROOM: Final = 1 << 20  # elements, about, of what all expansions at a time are made of
_LAID: Final = "np.expand_dims({g}, (-1, -2))"


def _check(name: str, a: Shape) -> None:
    if len(a) < 2 or a[-1] != a[-2]:
        raise ValueError(f"{name}: {a} is no square matrix, and no stack of them")


def _by_lapack(function: Callable[..., Array], *matrices: Array) -> Array:
    """Return what LAPACK makes of stacks of matrices; NaN where that is nothing.

    It knows float32, float64, and complex numbers of two of them. It may never end with
    numbers that are not finite.
    """
    dtype = np.result_type(*matrices)
    if dtype.char not in "fdFD":
        matrices = tuple(one.astype(DOUBLE) for one in matrices)
    made = _made(function, *matrices)
    if made is None:
        stack = matrices[0].shape[:-2]
        every = ([one[at] for one in matrices] for at in np.ndindex(stack))
        parts = [_alone(function, *one) for one in every]
        made = np.reshape(parts, stack + np.shape(parts[0]))
    return np.asarray(made).astype(dtype, copy=False)


def _made(function: Callable[..., Array], *matrices: Array) -> Array | None:
    if not all(np.isfinite(one).all() for one in matrices):
        return None
    try:
        return function(*matrices)
    except np.linalg.LinAlgError:
        return None


def _alone(function: Callable[..., Array], *matrices: Array) -> Array:
    made = _made(function, *matrices)
    if made is None:
        made = np.full_like(function(*(np.eye(*one.shape) for one in matrices)), np.nan)
    return made


def _turned(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def _letters(a: Shape) -> str:
    stack = LETTERS[: len(a) - 2]
    return f"{stack}**->{stack}**"


def _letters_of_number(a: Shape) -> str:
    stack = LETTERS[: len(a) - 2]
    return f"{stack}**->{stack}"


def _cost(a: Shape) -> Cost:
    # Not all of it is a matrix product, and each matrix takes a call.
    return Cost(math.prod(a) * a[-1], slowness=2)


def _det_cost(a: Shape) -> Cost:
    """Return what a determinant takes, and its cofactors: as measured."""
    n = a[-1]
    each = 2000 * math.factorial(n) if n <= _FEW_ROWS else 2500 * n**2
    return Cost(math.prod(a) * n, slowness=5 + each // max(n, 1) ** 3)


def _eliminated(n: int) -> int:
    """Return what it takes to make a matrix of n rows a triangle, by Gauss.

    Each of k rows below a pivot is divided once and multiplied with k numbers: Golub
    and Van Loan, 'Matrix Computations', section 3.2.

    >>> _eliminated(1), _eliminated(2), _eliminated(3)
    (0, 2, 8)
    """
    return (n**3 - n) // 3


def _counted(form: Form, forward: tuple[int, ...], back: tuple[int, ...]) -> Any:
    return {"work": forward, "forms": (form._replace(work=back),)}


def _inv_work(a: Shape) -> Mapping[str, Any]:
    return {"forms": (_BY_INV._replace(work=(2 * a[-1],)),)}


def _det_work(a: Shape) -> Mapping[str, Any]:
    n = a[-1]
    # The numbers on the diagonal of the triangle are multiplied, or logarithms added.
    return _counted(_BY_DET, (0, _eliminated(n) + max(n - 1, 0)), (n + 1, 1))


def _logabsdet_work(a: Shape) -> Mapping[str, Any]:
    n = a[-1]
    return _counted(_BY_LOGABSDET, (0, _eliminated(n) + n), (n + 1,))


def _cholesky_work(a: Shape) -> Mapping[str, Any]:
    n = a[-1]
    # The sum of two triangles is halved; then roots, quotients and products.
    forward = (1, n * (n + 1) * (n + 2) // 6)
    # An inverse and three products; half of the diagonal, and half of all.
    return _counted(_BY_CHOLESKY, forward, (4 * n + 1, n))


# ------------------------------------------------------------------------- inverses


def _inv_shape(a: Shape) -> Shape:
    _check("inv", a)
    return a


@wide_result
def _inv(a: Array) -> Array:
    return _by_lapack(np.linalg.inv, a)


@wide
def _inv_vjp(g: Array, y: Array, _a: Array) -> Array:
    return -_turned(y) @ g @ _turned(y)


@wide
def _inv_jvp(t: Array, y: Array, _a: Array) -> Array:
    return -y @ t @ y


# --------------------------------------------------------------------- determinants


def _det_shape(a: Shape) -> Shape:
    _check("det", a)
    return a[:-2]


def _logabsdet_shape(a: Shape) -> Shape:
    _check("logabsdet", a)
    return a[:-2]


@wide_result
def _det(a: Array) -> Array:
    return _by_lapack(np.linalg.det, a)


@wide_result
def _logabsdet(a: Array) -> Array:
    return _by_lapack(_log_of_size, a)


def _log_of_size(a: Array) -> Array:
    return np.linalg.slogdet(a)[1]


def _cofactors(a: Array) -> Array:
    """Return the cofactor matrix, also where there is no inverse; NaN beside infinity.

    Of few rows each is expanded by itself, and is as right as it is small.
    """
    n = a.shape[-1]
    if not 0 < n <= _FEW_ROWS:
        return _by_lapack(_cofactors_by_sizes, a)
    stack = a.reshape(-1, n, n)
    found: Array = np.empty_like(stack)
    step = _ROOM // math.factorial(n + 1)
    for start in range(0, len(stack), step):
        part = slice(start, start + step)
        found[part] = _cofactors_by_minors(stack[part])
    return found.reshape(a.shape)


def _cofactors_by_minors(a: Array) -> Array:
    n = a.shape[-1]
    others = _others(n)
    minors: Array = np.moveaxis(a[..., others, :][..., others], -2, -3)
    signs = _signs(n)[:, None] * _signs(n)
    is_finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    return np.where(is_finite, signs * _expanded(minors), np.nan)


def _others(n: int) -> Array:
    """Return, in row k, the numbers below n without k.

    >>> _others(3).tolist()
    [[1, 2], [0, 2], [0, 1]]
    """
    numbers = np.arange(n - 1)
    return numbers + (numbers >= np.arange(n)[:, None])


def _signs(n: int) -> Array:
    """Return n signs: 1, −1, 1 and so on."""
    return 1 - 2 * (np.arange(n, dtype=np.intp) % 2)


def _expanded(a: Array) -> Array:
    """Return determinants by the first row, as Laplace did.

    >>> _expanded(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.float64(-2.0)
    """
    n = a.shape[-1]
    if not n:
        return np.ones(a.shape[:-2], a.dtype)
    minors: Array = a[..., 1:, :][..., _others(n)].swapaxes(-3, -2)
    return np.sum(_signs(n) * a[..., 0, :] * _expanded(minors), axis=-1)


def _cofactors_by_sizes(a: Array) -> Array:
    """Return the cofactor matrix by a = U S Vᵀ.

    It is det(U) det(V) U diag(∏ of the others of S) Vᵀ: G. W. Stewart, 'On the adjugate
    matrix' (1998). Small cofactors are rounded as the largest is, so rows and columns
    are brought to one size first, by powers of two.
    """
    n = a.shape[-1]
    rows = -_exponents(a, axis=-1)
    columns = -_exponents(np.ldexp(a, rows), axis=-2)
    u, sizes, v = np.linalg.svd(np.ldexp(a, rows + columns))
    others = np.where(np.eye(n, dtype=bool), 1, sizes[..., None, :]).prod(axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(v)
    found = sign[..., None, None] * (u * others[..., None, :]) @ v
    whole = rows.sum(axis=(-2, -1)) + columns.sum(axis=(-2, -1))
    return np.ldexp(found, rows + columns - whole[..., None, None])


def _exponents(a: Array, axis: int) -> Array:
    """Return the power of two of the largest number along an axis, which is kept."""
    return np.frexp(np.max(np.abs(a), axis=axis, keepdims=True, initial=0))[1]


@wide
def _det_vjp(g: Array, _y: Array, a: Array) -> Array:
    return np.asarray(g)[..., None, None] * _cofactors(a)


@wide
def _det_jvp(t: Array, _y: Array, a: Array) -> Array:
    return np.sum(_cofactors(a) * t, axis=(-2, -1))


@wide
def _logabsdet_vjp(g: Array, _y: Array, a: Array) -> Array:
    return np.asarray(g)[..., None, None] * _turned(_inv(a))


@wide
def _logabsdet_jvp(t: Array, _y: Array, a: Array) -> Array:
    return np.sum(_turned(_inv(a)) * t, axis=(-2, -1))


# ------------------------------------------------------------------ Cholesky factors


def _cholesky_shape(a: Shape) -> Shape:
    _check("cholesky", a)
    return a


@wide_result
def _cholesky(a: Array) -> Array:
    return _by_lapack(np.linalg.cholesky, (a + _turned(a)) / 2)


def _lower(x: Array) -> Array:
    """Return the triangle below the diagonal, and half of the diagonal."""
    return np.tril(x) * (1 - np.eye(x.shape[-1], dtype=x.dtype) / 2)


@wide
def _cholesky_vjp(g: Array, y: Array, _a: Array) -> Array:
    share, inverse = _lower(_turned(y) @ np.tril(g)), _inv(y)
    return _turned(inverse) @ (share + _turned(share)) @ inverse / 2


@wide
def _cholesky_jvp(t: Array, y: Array, _a: Array) -> Array:
    inverse = _inv(y)
    return y @ _lower(inverse @ (t + _turned(t)) @ _turned(inverse) / 2)


# ----------------------------------------------------------------------------- the rows


def _has_infinity(y: Array, a: Array) -> Array:
    found = np.isinf(a).any(axis=(-2, -1))
    return np.broadcast_to(
        found.reshape(found.shape + (1,) * (y.ndim - found.ndim)), y.shape
    )


_INFINITE: Final = Case("nan", "infinite matrix", _has_infinity)
_SINGULAR: Final = Case("nan", "singular")
_CASES: Final = (Case("zero", "eliminated"), Case("flat", "eliminated"))
_SHARE: Final = (
    f"np.tril({{y}}{_T} @ np.tril({{g}})) * (1 - np.eye({{y}}.shape[-1]) / 2)"
)
_BY_INV: Final = Form(
    "−{y} … {y}",
    "−{y}ᵀ {g} {y}ᵀ",
    f"-{{y}}{_T} @ {{g}} @ {{y}}{_T}",
    "the product with {a} stays the unit matrix, so that d{y} {a} = −{y} d{a}",
)
_BY_DET: Final = Form(
    "the cofactor",
    "{g} · {y} ({a}ᵀ)⁻¹",
    f"{_LAID} * np.expand_dims({{y}}, (-1, -2)) * {_INVERSE}",
    "a determinant is the sum of the elements of a row times their cofactors",
)
_BY_LOGABSDET: Final = Form(
    "({a}ᵀ)⁻¹",
    "{g} · ({a}ᵀ)⁻¹",
    f"{_LAID} * {_INVERSE}",
    "cofactors divided by the determinant are the inverse, turned",
)
_BY_CHOLESKY: Final = Form(
    "a solution of two triangles",
    "({y}ᵀ)⁻¹ Φ({y}ᵀ {g}) {y}⁻¹",
    f"np.linalg.inv({{y}}){_T} @ ((p := {_SHARE}) + p{_T}) / 2 @ np.linalg.inv({{y}})",
    "Φ keeps the lower triangle, and half of the diagonal; half of all goes to "
    "each side of the diagonal of {a}",
)

ROWS: Final[tuple[Op, ...]] = (
    row_of_one(
        "inv",
        _inv,
        _inv_shape,
        (_inv_vjp, _inv_jvp),
        "block",
        "{a}⁻¹",
        "np.linalg.inv({a})",
        _BY_INV,
        "The inverse of a square matrix, or of each of a stack.",
        "a",
        corner="a matrix that has none gives NaN, where PyTorch stops",
        analytic=True,
        cost=_cost,
        cases=(_INFINITE, _SINGULAR, *_CASES),
        wording=_inv_work,
        axis_letters=_letters,
    ),
    row_of_one(
        "det",
        _det,
        _det_shape,
        (_det_vjp, _det_jvp),
        "block",
        "det {a}",
        "np.linalg.det({a})",
        _BY_DET,
        "The determinant of a square matrix, or of each of a stack.",
        "a",
        corner="cofactors are there without an inverse, too",
        analytic=True,
        cost=_det_cost,
        cases=(_INFINITE, *_CASES),
        wording=_det_work,
        axis_letters=_letters_of_number,
    ),
    row_of_one(
        "logabsdet",
        _logabsdet,
        _logabsdet_shape,
        (_logabsdet_vjp, _logabsdet_jvp),
        "block",
        "log |det {a}|",
        "np.linalg.slogdet({a})[1]",
        _BY_LOGABSDET,
        "The logarithm of the size of a determinant, which itself may leave the range.",
        "a",
        corner="−inf where the determinant is 0, with NaN for the gradient",
        analytic=False,
        cost=_cost,
        cases=(_INFINITE, Case("inf", "singular"), Case("zero", "root"), _CASES[1]),
        wording=_logabsdet_work,
        axis_letters=_letters_of_number,
    ),
    row_of_one(
        "cholesky",
        _cholesky,
        _cholesky_shape,
        (_cholesky_vjp, _cholesky_jvp),
        "block",
        "chol {a}",
        f"np.linalg.cholesky(({{a}} + {{a}}{_T}) / 2)",
        _BY_CHOLESKY,
        "The lower triangle whose product with its transpose is a matrix that is "
        "symmetric and positive definite; of any other matrix it takes (a + aᵀ) / 2.",
        "a",
        corner="a matrix that is not positive definite gives NaN, where PyTorch stops",
        analytic=False,
        mixes=True,
        cost=_cost,
        cases=(_INFINITE, Case("nan", "indefinite"), *_CASES),
        wording=_cholesky_work,
        axis_letters=_letters,
    ),
)
