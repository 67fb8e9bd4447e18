"""What the rows of operations that move elements have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, cast

from numpy.lib.array_utils import normalize_axis_tuple

from ...base.text import counted
from ..table import Array, Form, Op, Parameter, Shape, linear, row_of_one

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COPY: Final = "each element is an exact copy, so its gradient is copied back"
Axes = int | tuple[int, ...]


def new_axes(axes: Axes, ndim: int) -> tuple[int, ...]:
    """Return where new axes stand in a result with `ndim` axes.

    They are counted from 0. Raises `ValueError` where one cannot stand, or stands
    twice.
    """
    try:
        return normalize_axis_tuple(axes, ndim)
    except ValueError:
        raise ValueError(
            f"a new axis cannot stand at {axes} in a result with "
            f"{counted(ndim, 'axis', 'axes')}; "
            f"allowed, each once: {-ndim} … {ndim - 1}"
        ) from None


def items(value: Any) -> tuple[Any, ...]:
    """Return what a tuple or a list holds, or the value by itself."""
    several = isinstance(value, (list, tuple))
    return tuple(cast("Sequence[Any]", value)) if several else (value,)


def moving(
    name: str,
    forward: Callable[..., Array],
    shape: Callable[..., Shape],
    vjp: Callable[..., Array],
    symbol: str,
    code: str,
    form: Form,
    summary: str,
    parameters: tuple[Parameter, ...] = (),
    wording: Callable[..., Mapping[str, Any]] | None = None,
    jvp: Callable[..., Array] | None = None,
    view: Literal["", "forward", "vjp"] = "forward",
    **columns: Any,
) -> Op:
    """Return a row with one operand, whose tangent moves as the operand does."""
    return row_of_one(
        name,
        forward,
        shape,
        (vjp, jvp or linear(forward)),
        "move",
        symbol,
        code,
        form,
        summary,
        analytic=True,
        parameters=parameters,
        wording=wording,
        view=view,
        **columns,
    )
