"""What the rows of operations that work element by element have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np

from ..table import (
    Form,
    Op,
    Parameter,
    Rule,
    Shape,
    broadcast_shape,
    row_of_one,
)

# numpy's stubs lose the type of what is chosen.
where: Final = cast("Callable[[Any, Any, Any], Any]", np.where)

# How a lambda below is called; attributes come as keywords with defaults.
_One = Callable[[Any], Any]
_OneRule = Callable[[Any, Any, Any], Any]
_TwoRule = Callable[[Any, Any, Any, Any], Any]


def unary(
    name: str,
    forward: _One,
    rule: _OneRule | None,
    symbol: str,
    code: str,
    form: Form | None,
    summary: str,
    corner: str = "",
    parameters: tuple[Parameter, ...] = (),
    shape: Callable[..., Shape] = broadcast_shape,
    **columns: Any,
) -> Op:
    """Return a row with one operand, whose one rule serves backward and forward."""
    columns |= {"corner": corner, "parameters": parameters}
    return row_of_one(
        name,
        forward,
        shape,
        (rule, rule),
        "elementwise",
        symbol,
        code,
        form,
        summary,
        **columns,
    )


def binary(
    name: str,
    forward: Rule,
    rules: tuple[_TwoRule | None, _TwoRule | None],
    symbol: str,
    code: str,
    forms: tuple[Form | None, Form | None],
    summary: str,
    corner: str = "",
    jvps: tuple[_TwoRule, _TwoRule] | None = None,
    **columns: Any,
) -> Op:
    """Return a row with the operands a and b; a rule serves as vjp and as jvp."""
    return Op(
        name=name,
        operands=("a", "b"),
        forward=forward,
        shape=broadcast_shape,
        vjps=rules,
        jvps=jvps or rules,
        kind="elementwise",
        symbol=symbol,
        code=code,
        forms=forms,
        summary=summary,
        corner=corner,
        **columns,
    )


def spread(t: Any, y: Any, *_operands: Any) -> Any:
    """Return a tangent in the shape of the result, which an operand may lack."""
    return np.broadcast_to(t, np.shape(y))
