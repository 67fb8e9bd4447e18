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
    from collections.abc import Sequence

    from ..table import Array

# So many elements at a time stay near the processor.
_BLOCK: Final = 1 << 14
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


def _polynomial(x: Array, coefficients: Sequence[float], into: Array) -> Array:
    value = np.multiply(x, coefficients[0], out=into)
    for one in coefficients[1:-1]:
        value += one
        value *= x
    value += coefficients[-1]
    return value


def _normal(x: Array, room: Sequence[Array], *, single: bool) -> tuple[Array, Array]:
    """Return Φ(x) and exp(−x² / 2); `single` says that float32 is exact enough.

    What is computed is written into `room`, which holds four arrays like x: fresh
    memory would take longer than to compute.
    """
    below, bell, one, two = room
    np.multiply(x, x, out=bell)
    bell *= -0.5
    np.exp(bell, out=bell)
    share = np.abs(x, out=one)
    share += 5
    np.divide(10, share, out=share)
    _polynomial(share, _TAIL_SINGLE if single else _TAIL, below)
    below *= share
    below *= bell
    # What is beyond |x|, or all but that: `where` takes longer than to count.
    upper, half = one, two
    upper[...] = x > 0
    np.subtract(0.5, upper, out=half)
    below *= half
    below += upper
    if not single:
        square = np.multiply(x, x, out=two)
        right = _polynomial(np.clip(square, 0, 1, out=square), _RIGHT, one)
        right *= x
        right += 0.5
        np.putmask(below, (x >= -0.3) & (x <= 1), right)
        aside = np.clip(x, -1.2, -0.3, out=one)
        aside -= _MIDDLE
        left = _polynomial(aside, _LEFT, two)
        left *= aside
        left += _AT_MIDDLE
        np.putmask(below, (x > -1.2) & (x < -0.3), left)
    return below, bell


def value_and_slope(x: Any) -> tuple[Any, Any]:
    """Return gelu of each element, x · Φ(x), and its slope, Φ(x) + x · φ(x).

    What is float32 is computed in float64.
    """
    array = np.asarray(x)
    dtype = np.result_type(array, np.float16)  # that of NumPy's own functions
    single = dtype == _SINGLE
    value, slope = np.empty(array.shape, dtype), np.empty(array.shape, dtype)
    flat, values, slopes = (one.reshape(-1) for one in (array, value, slope))
    wide = np.float64 if single else dtype
    room = np.empty((5, min(_BLOCK, flat.size)), wide)
    for start in range(0, flat.size, _BLOCK):
        at = slice(start, start + _BLOCK)
        part, *others = room[:, : flat[at].size]
        part[...] = flat[at]
        below, bell = _normal(part, others, single=single)
        values[at] = np.multiply(part, below, out=others[-1])
        bell *= part
        bell *= _DENSITY
        below += bell
        slopes[at] = below
    return value[()], slope[()]


@careful
def gelu(x: Any) -> Any:
    """Return x · Φ(x), element by element.

    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(14).tolist()
    [-0.15865525393146, 0.0, 0.84134474606854]
    """
    return value_and_slope(x)[0]


@careful
def gelu_rule(g: Any, x: Any, slopes: Any = None) -> Any:
    """Return upstream times the slope of gelu, which may be known."""
    return g * (value_and_slope(x)[1] if slopes is None else slopes)
