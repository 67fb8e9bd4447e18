# pyright: basic, reportMissingModuleSource=false
"""How each function of PyTorch is written in the language of programs.

A row takes the arguments of a call by PyTorch's own names and returns the text: the
names in it are the arguments, and `out` is the shape of the first result. Where more
is needed, it comes as a second value: arrays that become constants, and static values.
What a row cannot tell is None, and the operation is opaque.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...capture.record import Row, spelling, written
from .rows import (
    arithmetic,
    layers,
    losses,
    moving,
    recurrent,
    reducing,
    resizing,
    scattering,
    slopes,
    volumes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...capture.record import Call, Spelling

ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        **arithmetic.ROWS,
        **moving.ROWS,
        **scattering.ROWS,
        **reducing.ROWS,
        **layers.ROWS,
        **volumes.ROWS,
        **resizing.ROWS,
        **losses.ROWS,
        **recurrent.ROWS,
        **slopes.ROWS,
    }
)

_SIGNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "radd": "add",
        "rmul": "mul",
        "truediv": "div",
        "rtruediv": "rdiv",
        "rdiv": "rdiv",
        "rsub": "rsub",
        "floordiv": "floor_divide",
    }
)


@cache
def plain_name(func: Any) -> str:
    """Return the name that a function has in the table: without signs of its form.

    `x.add_(y)`, `x += y` and `y + x` are `add` of their operands, `x.T` is `T`.
    """
    name = getattr(func, "__name__", "")
    if name in ("__get__", "__set__", "__delete__"):
        return getattr(getattr(func, "__self__", None), "__name__", name)
    if name.startswith("__") and name.endswith("__"):
        name = name[2:-2]
        plain = name[1:] if name.startswith("i") and name not in _KEPT else name
        return _SIGNS.get(plain, plain)
    if name in _METHODS and hasattr(func, "__objclass__"):
        return _METHODS[name]
    if name == "embedding" and not isinstance(func, FunctionType):
        return "embedding_rows"
    name = name.removeprefix("special_")
    if name != "linalg_norm":  # whose 2 is another one for a matrix
        name = name.removeprefix("linalg_")
    return name.rstrip("_") or name


# Methods that are not as the function of the same name: that of pictures, say.
_METHODS: Final = MappingProxyType({"unfold": "unfold_axis", "where": "where_method"})
_KEPT: Final = frozenset({"invert", "index", "int", "iter"})


_STOPS: Final = ("detach", "data")


def spell(call: Call) -> Spelling | None:
    """Return how a call is written; None where there is no way."""
    row = ROWS.get(call.key)
    found = None if row is None else written(row, call, _more(call))
    if found is None:
        return None
    text, bound = found
    if text == "parts":
        text = _apart(call, bound)
    if call.is_custom and call.key in _STOPS:  # the rule says what is stopped
        text = "reshape(input, out)"
    if _is_stopped(call):
        text = f"stop_gradient({text})"
    return spelling(text, bound)


def _more(call: Call) -> Mapping[str, Any]:
    """Return what every spelling may use: the shape of the result, and indices."""
    first = call.outputs[0]
    more: dict[str, Any] = {
        "out": first.shape,
        "one": np.dtype(arithmetic.kind_here(first.dtype)).type(1),
    }
    if len(call.outputs) == 2 and not call.outputs[1].is_float:
        more["indices"] = call.outputs[1].held.value.detach().cpu().numpy()
    return more


def _apart(call: Call, bound: dict[str, Any]) -> str:
    """Return the parts of a tensor, as long as they came out."""
    dim = bound["dim"] % bound["input"].ndim
    lengths = [one.shape[dim] for one in call.outputs]
    stops = list(accumulate(lengths))
    before = ":, " * dim
    pairs = zip([0, *stops], stops, strict=False)
    if len(set(lengths)) == 1 and len(lengths) > 1:
        return f"split(input, {len(lengths)}, axis={dim})"
    return f"[{', '.join(f'input[{before}{a}:{b}]' for a, b in pairs)}]"


def _is_stopped(call: Call) -> bool:
    """Tell whether a gradient would go where PyTorch sends none."""
    first = call.outputs[0]
    if first.flows or not first.is_float or call.key in _STOPS:
        return False
    return not call.is_custom and any(one.flows for one in call.inputs)
