"""The functions that only expressions know, beside the operations of programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..engine.element import index_of
from ..ops import ALIASES, OPS
from ..ops.table import Array, Parameter, checks
from ..program.build import RECIPES
from ..program.constructors import CONSTRUCTORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Function(NamedTuple):
    """A function that only expressions know, laid out as an operation is."""

    operands: tuple[str, ...]  # names of the arguments that are computed with
    make: Callable[..., Any]  # takes operands by place, parameters by name
    parameters: tuple[Parameter, ...] = ()  # fixed arguments, with defaults


def _close(a: Any, b: Any, *, rtol: float, atol: float) -> bool:
    """Tell whether all of `a` is within rtol · |b| + atol of `b`; NaN equals NaN."""
    return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True))


_ALONG: Final = (
    Parameter("axis", checks.axes, None),
    Parameter("keepdims", checks.flag, default=False),
)


def _reduced(reduce: Callable[..., Any]) -> Function:
    """Return the row of a reduction: over all, or along axes as NumPy has them."""

    def along(x: Any, *, axis: Any, keepdims: bool) -> Any:
        made = reduce(x, axis=axis, keepdims=keepdims)
        return made if np.ndim(made) else bool(made)

    return Function(("x",), along, _ALONG)


def _place(find: Callable[..., Any]) -> Function:
    """Return the row of what finds a place: its index, or those along an axis."""

    def place(x: Array, *, axis: Any, keepdims: bool) -> Any:
        if axis is None and not keepdims:
            return index_of(find(x), x.shape)
        return find(x, axis=axis, keepdims=keepdims)

    axis = Parameter("axis", checks.axis, None)
    return Function(("x",), place, (axis, *_ALONG[1:]))


# What an expression knows beside the operations of a program.
FUNCTIONS: Final[Mapping[str, Function]] = {
    "argmax": _place(np.argmax),
    "argmin": _place(np.argmin),
    "isnan": Function(("x",), np.isnan),
    "isinf": Function(("x",), np.isinf),
    "isfinite": Function(("x",), np.isfinite),
    "any": _reduced(np.any),
    "all": _reduced(np.all),
    "close": Function(
        ("a", "b"),
        _close,
        (
            Parameter("rtol", checks.non_negative, 1e-9),
            Parameter("atol", checks.non_negative, 0.0),
        ),
    ),
    # A stop's count, which the state knows: `calls` looks it up.
    "hits": Function((), int, (Parameter("number", checks.count, 0),)),
}


# All that can be called, in the order in which it is looked up.
KNOWN: Final = (*FUNCTIONS, *OPS, *ALIASES, *CONSTRUCTORS, *RECIPES)
