"""The normal distribution and gelu, by polynomials, a block at a time.

With t = |x|, twice the part of the distribution beyond t is

    2 Φ(−t) = exp(−t² / 2) · w · P(w),    w = 10 / (t + 5)

where P is so smooth that one polynomial serves from 0 to infinity (Shepherd and
Laframboise, 'Chebyshev approximation of (1 + 2x) exp(x²) erfc x', 1981). Where float64
would lose a digit by that, near 0, Φ(x) is 1/2 + x · S(x²) to the right of 0, and to
the left Φ(c) + z · T(z), z = x − c. P, S and T were found at Chebyshev points with 50
digits; they are right to 2⁻⁵⁸ of the result. For float32, P is right to 2⁻²⁶ where
t < 14, beyond which nothing is left of the distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..table.wide import careful

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..table import Array

# So many elements at a time stay near the processor.
_BLOCK: Final = 1 << 13
_BLOCK_OF_SINGLE: Final = 1 << 15
_DENSITY: Final = (2 * np.pi) ** -0.5  # of the normal distribution at 0
_SINGLE: Final = np.dtype(np.float32)

# Coefficients of the polynomials, that of the highest power first.
_TAIL: Final = (
    2.5871700863445283e-11,
    -5.944067699457846e-10,
    6.218439706617509e-09,
    -3.9038723439429474e-08,
    1.6339785148570397e-07,
    -4.810145038055484e-07,
    1.0321675380567508e-06,
    -1.6671486410605366e-06,
    2.0652765730238363e-06,
    -1.9039711975073674e-06,
    1.2911047082146699e-06,
    -7.482338337164049e-07,
    -3.885296067877995e-07,
    -5.246556267302119e-07,
    1.3255635271224848e-06,
    1.3548636048642339e-05,
    5.900769092440527e-05,
    0.00020027394177117808,
    0.0005872421742417381,
    0.0015558749977513534,
    0.0038138881923918265,
    0.008776730169225104,
    0.01914922945925895,
    0.039894228040143365,
    0.07978845608028654,
)
_TAIL_SINGLE: Final = (
    -7.761111030425962e-05,
    0.0004971300303637623,
    -0.0005883803385930297,
    0.0008967594399537823,
    0.0027367420158040862,
    0.001438998642756516,
    0.010921784965214492,
    0.018073495691632992,
    0.04018400282461069,
    0.07975568596293955,
)
_RIGHT: Final = (
    4.0743269774266276e-12,
    -1.106432828275589e-10,
    2.2704137585676e-09,
    -4.1224107514160815e-08,
    6.659679879655231e-07,
    -9.444655793103845e-06,
    0.00011543468751655941,
    -0.0011873282154680343,
    0.009973557010035022,
    -0.06649038006690543,
    0.3989422804014327,
)
_LEFT: Final = (
    2.911747501121092e-10,
    -1.3029028239080738e-09,
    -6.922530066892406e-09,
    2.1990353481501683e-08,
    1.3268962798826008e-07,
    -2.748278449799518e-07,
    -2.1841445793731206e-06,
    2.525885788725859e-06,
    3.0431129666175072e-05,
    -1.139655746463761e-05,
    -0.0003497350421291946,
    -0.00011299933856757176,
    0.0031882596523357776,
    0.0031528765474454026,
    -0.021641920538751008,
    -0.03763984789146532,
    0.09733132872398442,
    0.33796259188593003,
)
# Φ there is a float64 to the last digit.
_MIDDLE: Final = -0.57598876953125
_AT_MIDDLE: Final = 0.28231138626259655


def _polynomial(x: Array, coefficients: Sequence[float]) -> Array:
    value = x * coefficients[0]
    for one in coefficients[1:-1]:
        value += one
        value *= x
    value += coefficients[-1]
    return value


def _normal(x: Array, *, single: bool) -> tuple[Array, Array]:
    """Return Φ(x) and exp(−x² / 2); `single` says that float32 is exact enough."""
    size = np.abs(x)
    square = size * size
    bell = np.exp(-0.5 * square)
    share = 10 / (size + 5)
    twice = _polynomial(share, _TAIL_SINGLE if single else _TAIL)
    twice *= share
    twice *= bell
    # What is beyond |x|, or all but that: `where` takes longer than to count.
    upper = (x > 0).astype(x.dtype)
    twice *= 0.5 - upper
    twice += upper
    below = twice
    if not single:
        right = 0.5 + x * _polynomial(np.minimum(square, 1), _RIGHT)
        aside = np.clip(x, -1.2, -0.3) - _MIDDLE
        left = _AT_MIDDLE + aside * _polynomial(aside, _LEFT)
        below = np.where((x >= -0.3) & (x <= 1), right, below)
        below = np.where((x > -1.2) & (x < -0.3), left, below)
    return below, bell


def _gelu(x: Array, *, single: bool) -> Array:
    return x * _normal(x, single=single)[0]


def _slope(g: Array, x: Array, *, single: bool) -> Array:
    below, bell = _normal(x, single=single)
    bell *= x
    bell *= _DENSITY
    below += bell
    below *= g
    return below


def _in_blocks(function: Callable[..., Array], *arrays: Any) -> Any:
    """Return `function` of arrays of one shape; float32 is computed in float64."""
    first = np.asarray(arrays[-1])
    single = first.dtype == _SINGLE
    made = np.empty(first.shape, first.dtype)
    parts, result = [np.reshape(one, -1) for one in arrays], made.reshape(-1)
    step = _BLOCK_OF_SINGLE if single else _BLOCK
    for start in range(0, first.size, step):
        at = slice(start, start + step)
        block = [part[at].astype(np.float64) if single else part[at] for part in parts]
        result[at] = function(*block, single=single)
    return made[()]


@careful
def gelu(x: Any) -> Any:
    """Return x · Φ(x), element by element.

    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(14).tolist()
    [-0.15865525393146, 0.0, 0.84134474606854]
    """
    return _in_blocks(_gelu, x)


@careful
def gelu_rule(g: Any, x: Any) -> Any:
    """Return upstream times the slope of gelu, Φ(x) + x · φ(x)."""
    return _in_blocks(_slope, np.broadcast_to(g, np.shape(x)), x)
