"""Operations of somebody else's that have no rule here: shown, never differentiated."""

from __future__ import annotations

from typing import Any, Never

from ..ops.table import Op


def opaque(name: str, operands: int) -> Op:
    """Return the row of an operation of which a capture has the results alone.

    No gradient flows through it, and its result is what was recorded. Once an operand
    is changed, nobody knows it.

    >>> row = opaque("roi_align", 2)
    >>> row.operands, row.vjps
    (('x0', 'x1'), (None, None))
    """
    names = tuple(f"x{number}" for number in range(operands))
    written = f"{name}({', '.join(f'{{{one}}}' for one in names)})"
    nothing = (None,) * operands
    return Op(
        name=name,
        operands=names,
        forward=_unknown,
        shape=_unknown,
        vjps=nothing,
        jvps=nothing,
        kind="block",
        symbol=written,
        code=written,
        forms=nothing,
        summary="An operation without a rule: its recorded result is shown.",
        analytic=False,
        recorded=True,
        corner="no gradient flows through it here, for gradstep has no rule of it",
    )


def _unknown(*_operands: Any, **_attributes: Any) -> Never:
    raise ValueError(
        "gradstep has no rule of it: its result is known for the recorded operands only"
    )
