"""Static values: what of a program is known while it is read.

Numbers, texts, `None` and tuples are static: `2`, `x.shape[0]`, `1 / x.shape[0]`. They
are folded where they meet each other, and numbers become constant nodes where they meet
a node.
"""

from __future__ import annotations

import ast
import math
import operator
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.limits import LIMITS, Limits
from ..base.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..ops.table import Attributes, Op, Shape

_LONGEST_SHOWN: Final = 60  # of a static value in a message

_python: Final[Any] = operator  # whose functions are too generic for a type checker
OPERATORS: Final[Mapping[type[ast.AST], Callable[..., Any]]] = MappingProxyType(
    {
        ast.Add: _python.add,
        ast.Sub: _python.sub,
        ast.Mult: _python.mul,
        ast.Div: _python.truediv,
        ast.FloorDiv: _python.floordiv,
        ast.Pow: _python.pow,
        ast.Eq: _python.eq,
        ast.NotEq: _python.ne,
        ast.Lt: _python.lt,
        ast.LtE: _python.le,
        ast.Gt: _python.gt,
        ast.GtE: _python.ge,
    }
)


# What an expression can be while a program is read: a `Ref`; a static value, that is a
# number, a text, `None`, `...`, a slice, or a tuple or a list of any of these; or
# `POISON`, where a mistake has been reported already.
Bound = Any
POISON: Final = object()


@dataclass(frozen=True, slots=True)
class Ref:
    """A node, as an expression of a program."""

    node: int  # its number in the graph that is being built


class Fault(Exception):
    """A mistake in an expression; without a message it has been reported already."""

    def __init__(
        self, message: str = "", hint: str = "", at: ast.AST | None = None
    ) -> None:
        self.message = message
        self.hint = hint
        self.at = at
        super().__init__(message)


class LimitFault(Fault):
    """An expression that would become too large."""


def items(value: Bound) -> list[Bound] | None:
    """Return what a tuple or a list holds, and nothing for anything else."""
    return list(value) if type(value) in {tuple, list} else None


def nested(held: Bound) -> Bound:
    """Return a tuple or a list if what is nested in it is not too much.

    Names make it possible to nest a tuple twice in the next one, and that in the next.
    Raises `LimitFault` where it is.
    """
    count = 0
    stack = [one for one in held if items(one) is not None]
    while stack:
        inner = items(stack.pop()) or []
        count += 1 + len(inner)
        if count > LIMITS.nested:
            what = f"tuples with more than {LIMITS.nested} things in tuples"
            raise LimitFault(what, "write fewer")
        stack += inner
    return held


def is_number(value: Any) -> bool:
    """Tell whether a static value is a number, which a node can be made of."""
    return isinstance(value, (int, float))


def fold(sign: ast.AST, left: Any, right: Any, limits: Limits) -> Any:
    """Return the result of an operator between static values.

    A `ValueError` says what is wrong. Nothing large is ever computed.

    >>> fold(ast.Div(), 1, 4, Limits())
    0.25
    """
    function = OPERATORS.get(type(sign))
    if function is None:
        raise ValueError("this operator is for arrays only")
    if isinstance(sign, (ast.Eq, ast.NotEq)):
        return function(left, right)
    if isinstance(sign, ast.Add) and {type(left), type(right)} == {tuple}:
        if len(left) + len(right) > limits.nested:
            raise ValueError(f"tuples of more than {limits.nested} things do not join")
        return nested(left + right)
    if not (is_number(left) and is_number(right)):
        raise ValueError("this operator is for numbers only")
    if isinstance(sign, ast.Pow) and _is_large_power(left, right, limits):
        raise ValueError(f"the result is beyond {limits.whole}")
    try:
        result = function(left, right)
    except ZeroDivisionError:
        raise ValueError("division by zero") from None
    except OverflowError:
        raise ValueError("the result is too large for a float64") from None
    if type(result) is complex:
        raise ValueError("the result is not a real number")
    if isinstance(result, int) and abs(result) > limits.whole:
        raise ValueError(f"the result is beyond {limits.whole}")
    return result


def _is_large_power(base: Any, exponent: Any, limits: Limits) -> bool:
    whole = isinstance(base, int) and isinstance(exponent, int)
    return whole and abs(base) > 1 and exponent > limits.whole.bit_length()


def size_problem(shape: Shape, limits: Limits) -> str:
    """Return what is too large about an array of `shape`, or nothing.

    >>> size_problem((10**9, 10**9), Limits())
    'an array of 1000000000000000000 elements'
    """
    if len(shape) > limits.axes:
        return f"an array with {counted(len(shape), 'axis', 'axes')}"
    # NumPy refuses long axes also beside an axis of length 0.
    elements = math.prod(filter(None, shape))
    if elements > limits.elements_per_array:
        return f"an array of {counted(elements, 'element')}"
    return ""


def described(value: Bound) -> str:
    """Return a static value as a message shows it."""
    if isinstance(value, (Ref, np.ndarray)):
        return "one value"
    held = items(value)
    if held is not None:
        return f"a {type(value).__name__} of {len(held)}"
    return f"the text {shown(value)}" if isinstance(value, str) else shown(value)


def frozen(value: Bound) -> Bound:
    """Return a static value with its lists as tuples."""
    held = items(value)
    return value if held is None else tuple(map(frozen, held))


def fold_call(op: Op, numbers: list[Any], attributes: Attributes) -> float:
    """Return an elementwise operation of static numbers as a static number.

    So it stays a plain number, which takes the dtype of what it meets: `x / sqrt(4)` is
    a float32 for a float32 `x`. Raises `Fault` where the numbers do not fit.
    """
    # Whole numbers of NumPy would wrap around where they get too large.
    numbers = [float(one) if type(one) is int else one for one in numbers]
    try:
        with np.errstate(all="ignore"):
            return np.asarray(op.forward(*numbers, **attributes)).item()
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Fault(f"{op.name}: {error}") from None


def shown(value: Bound) -> str:
    """Return a static value as it is written, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
