"""Numbers of 200 digits that carry a derivative: what a gradient is, without our code.

NumPy calls their methods for each element of an array of them, so that the text of a
program is evaluated as it stands.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

# What is too small for it is 0, as exp of minus a large number.
CONTEXT = decimal.Context(prec=200, Emin=-(10**6), Emax=10**6, traps=[])


@dataclass(frozen=True)
class Exact:
    """A number, and its derivative by the one element that is moved."""

    value: Decimal
    slope: Decimal = Decimal(0)

    def chained(self, value: Decimal, slope: Decimal) -> Exact:
        return Exact(value, slope * self.slope)

    def __abs__(self) -> Exact:
        return -self if self.value < 0 else self

    def __neg__(self) -> Exact:
        return Exact(-self.value, -self.slope)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented  # it goes on with each of its elements
        other = exact(other)
        return Exact(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        other = exact(other)
        slope = self.slope * other.value + self.value * other.slope
        return Exact(self.value * other.value, slope)

    def __rtruediv__(self, other: Any) -> Any:
        one = 1 / self.value
        return self.chained(one, -one * one) * other

    def __truediv__(self, other: Any) -> Any:
        return self * (1 / other)

    __radd__, __rmul__ = __add__, __mul__

    def sqrt(self) -> Exact:
        root = self.value.sqrt()
        return self.chained(root, 1 / (2 * root))

    def log(self) -> Exact:
        return self.chained(self.value.ln(), 1 / self.value)

    def tanh(self) -> Exact:
        small = (-2 * abs(self.value)).exp()
        value = ((1 - small) / (1 + small)).copy_sign(self.value)
        return self.chained(value, 4 * small / (1 + small) ** 2)

    def sin(self) -> Exact:
        return self.chained(_sin(self.value), _sin(self.value + PI / 2))

    def cos(self) -> Exact:
        return self.chained(_sin(self.value + PI / 2), -_sin(self.value))


def exact(number: Any) -> Exact:
    return number if isinstance(number, Exact) else Exact(Decimal(float(number)))


def _series(term: Decimal, factor: Any) -> Decimal:
    """Add up terms, each times `factor(n)` the next one, until they do not count."""
    total, n = term - term, 0  # NaN for what is none
    while term.is_finite() and total + term != total:
        total += term
        term *= factor(n)
        n += 1
    return total


def _arctan_of_one_by(n: int) -> Decimal:
    step = -1 / Decimal(n * n)
    return _series(1 / Decimal(n), lambda k: step * (2 * k + 1) / (2 * k + 3))


def _sin(x: Decimal) -> Decimal:
    x = CONTEXT.remainder_near(x, 2 * PI)  # NaN for more than 200 digits
    return _series(x, lambda k: -x * x / ((2 * k + 2) * (2 * k + 3)))


with decimal.localcontext(CONTEXT):
    PI = 16 * _arctan_of_one_by(5) - 4 * _arctan_of_one_by(239)  # John Machin, 1706

FUNCTIONS = {
    name: getattr(np, name)
    for name in ("abs", "sqrt", "log", "tanh", "sin", "cos", "sum", "prod")
}


def gradient(text: str, leaves: dict[str, Any], name: str) -> list[float]:
    """Return the exact derivatives of E by the elements of a leaf."""
    found: list[float] = []
    with decimal.localcontext(CONTEXT):
        for moved in range(np.size(leaves[name])):
            names: dict[str, Any] = dict(FUNCTIONS)
            for leaf, value in leaves.items():
                array = np.vectorize(exact, otypes=[object])(np.asarray(value))
                if leaf == name:
                    one = exact(array.flat[moved])
                    array.flat[moved] = Exact(one.value, Decimal(1))
                names[leaf] = array if array.ndim else array[()]
            exec(text, names)  # noqa: S102  # a text of our own
            found.append(float(names["E"].slope))
    return found
