"""Arrays joined along an axis, and cut along one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...base.text import counted
from ..table import Array, Form, Op, Parameter, Shape, Value, checks
from ..table.axes import reduced_axes, without_axis
from .rows import COPY, Axes, items, moving, new_axes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def same_kind(arrays: Sequence[Value]) -> list[Array]:
    """Return `arrays` in their common dtype; a plain number takes that of the others.

    >>> [a.dtype.name for a in same_kind([np.ones(2, np.float32), 0.5])]
    ['float32', 'float32']
    """
    dtype = np.result_type(*arrays)
    return [np.asarray(array, dtype=dtype) for array in arrays]


def _concatenate_shape(*shapes: Shape, axis: int = 0) -> Shape:
    if not shapes:
        raise ValueError("concatenate: there is nothing to join")
    first = shapes[0]
    if not first:
        raise ValueError("concatenate: a single number has no axis; use stack")
    (along,) = reduced_axes(first, axis)
    for other in shapes[1:]:
        rest = without_axis(other, along)
        if len(other) != len(first) or rest != without_axis(first, along):
            raise ValueError(
                f"concatenate: {first} and {other} do not join: "
                f"they may differ along axis {along} only"
            )
    length = sum(shape[along] for shape in shapes)
    return (*first[:along], length, *first[along + 1 :])


def _concatenate(*arrays: Value, axis: int = 0) -> Array:
    return np.concatenate(same_kind(arrays), axis)


def _own_part(arrays: Sequence[Value], axis: int, argument: int) -> tuple[Any, ...]:
    along = axis % np.ndim(arrays[0])
    before = sum(np.shape(array)[along] for array in arrays[:argument])
    length = np.shape(arrays[argument])[along]
    return (*[slice(None)] * along, slice(before, before + length))


def _concatenate_vjp(
    g: Array, _y: Array, *arrays: Value, axis: int = 0, argument: int
) -> Array:
    return g[_own_part(arrays, axis, argument)]


def _concatenate_jvp(
    t: Array, y: Array, *arrays: Value, axis: int = 0, argument: int
) -> Array:
    tangent = np.zeros(np.shape(y), np.asarray(t).dtype)
    tangent[_own_part(arrays, axis, argument)] = t
    return tangent


def _stack_shape(*shapes: Shape, axis: int = 0) -> Shape:
    if not shapes:
        raise ValueError("stack: there is nothing to join")
    first = shapes[0]
    for other in shapes[1:]:
        if other != first:
            raise ValueError(f"stack: the shapes {first} and {other} differ")
    (along,) = new_axes(axis, len(first) + 1)
    return (*first[:along], len(shapes), *first[along:])


def _stack(*arrays: Value, axis: int = 0) -> Array:
    return np.stack(same_kind(arrays), axis)


def _stack_vjp(
    g: Array, _y: Array, *_arrays: Value, axis: int = 0, argument: int
) -> Array:
    along = axis % g.ndim
    return g[(*[slice(None)] * along, argument)]


def _stack_jvp(
    t: Array, _y: Array, *arrays: Value, axis: int = 0, argument: int
) -> Array:
    rest = np.zeros_like(t)
    return np.stack([t if k == argument else rest for k in range(len(arrays))], axis)


def _part_count(*, sections: Axes, **_attributes: Any) -> int:
    return sections if isinstance(sections, int) else len(sections) + 1


def _bounds(size: int, sections: Axes) -> list[int]:
    """Return where the parts begin, and where the last one ends."""
    if isinstance(sections, int):
        return [k * (size // sections) for k in range(sections + 1)]
    # As in a slice, below 0 counts from the end, and nothing lies beyond it.
    return [0, *(slice(bound).indices(size)[1] for bound in sections), size]


def _split_shape(x: Shape, *, sections: Axes, axis: int = 0, part: int) -> Shape:
    (along,) = reduced_axes(x, axis)
    size = x[along]
    if isinstance(sections, int) and size % sections:
        raise ValueError(
            f"split: axis {along} of {x} has size {size}, "
            f"which {sections} equal parts do not divide"
        )
    count = _part_count(sections=sections)
    if part >= count:
        raise ValueError(
            f"split: there is no part {part}; sections={sections} is "
            f"{counted(count, 'part')}"
        )
    bounds = _bounds(size, sections)
    if bounds != sorted(bounds):
        raise ValueError(f"split: the indices {sections} go backwards")
    return (*x[:along], bounds[part + 1] - bounds[part], *x[along + 1 :])


def _split_index(x: Array, sections: Axes, axis: int, part: int) -> tuple[slice, ...]:
    along = axis % np.ndim(x)
    bounds = _bounds(np.shape(x)[along], sections)
    return (*[slice(None)] * along, slice(bounds[part], bounds[part + 1]))


def _split(x: Array, *, sections: Axes, axis: int = 0, part: int) -> Array:
    return x[_split_index(x, sections, axis, part)]


def _split_vjp(
    g: Array, _y: Array, x: Array, *, sections: Axes, axis: int = 0, part: int
) -> Array:
    whole = np.zeros(np.shape(x), np.asarray(g).dtype)
    whole[_split_index(x, sections, axis, part)] = g
    return whole


# ----------------------------------------------------------------------------- the rows


def _check_sections(value: Any) -> str:
    bounds = not any(map(checks.whole, items(value)))
    right = not checks.size(value) or (isinstance(value, tuple) and bounds)
    return "" if right else "a whole number, 1 or more, or the indices to split at"


AXIS: Final = Parameter("axis", checks.whole, 0)


def _joining(
    name: str,
    forward: Callable[..., Array],
    shape: Callable[..., Shape],
    vjp: Callable[..., Array],
    jvp: Callable[..., Array],
    symbol: str,
    form: Form,
    summary: str,
) -> Op:
    return Op(
        name=name,
        operands=("arrays",),
        forward=forward,
        shape=shape,
        vjps=(vjp,),
        jvps=(jvp,),
        kind="move",
        symbol=symbol,
        code=f"np.{name}([{{arrays}}], {{axis}})",
        forms=(form,),
        summary=summary,
        analytic=True,
        parameters=(AXIS,),
        variadic=True,
        view="vjp",
    )


ROWS: Final[tuple[Op, ...]] = (
    _joining(
        "concatenate",
        _concatenate,
        _concatenate_shape,
        _concatenate_vjp,
        _concatenate_jvp,
        "[{arrays}]",
        Form(
            "1",
            "part {argument} of {g}",
            "np.split({g}, np.cumsum([np.shape(a)[{axis}] for a in [{arrays}]])[:-1], "
            "{axis})[{argument}]",
            COPY,
        ),
        "Join arrays along an axis that they have.",
    ),
    _joining(
        "stack",
        _stack,
        _stack_shape,
        _stack_vjp,
        _stack_jvp,
        "stack({arrays})",
        Form("1", "slice {argument} of {g}", "np.take({g}, {argument}, {axis})", COPY),
        "Join arrays of one shape along a new axis.",
    ),
    moving(
        "split",
        _split,
        _split_shape,
        _split_vjp,
        "split({x})[{part}]",
        "np.split({x}, {sections}, {axis})[{part}]",
        Form(
            "1",
            "{g} in its place, 0 elsewhere",
            "np.concatenate([{g} if k == {part} else np.zeros_like(p) for k, p in "
            "enumerate(np.split({x}, {sections}, {axis}))], {axis})",
            "this part depends on its own elements only",
        ),
        "Cut an array into equal parts, or at indices; one node for each part.",
        (
            Parameter("sections", _check_sections),
            AXIS,
            Parameter("part", checks.count),
        ),
        parts=_part_count,
    ),
)
