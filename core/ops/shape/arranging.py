"""Elements in another order or shape, repeated, or with a border around them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...base.text import counted
from ..table import Array, Case, Form, Op, Parameter, Rule, Shape, checks, linear
from ..table.axes import reduced_axes
from ..table.wide import total
from .rows import COPY, Axes, items, moving, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

_BACK: Final = Form("1", "{g}", "np.reshape({g}, np.shape({x}))", COPY)
_TRANSPOSED: Final = Form(
    "1",
    "{g}ᵀ",
    "{g}.T",
    "element [i, j] of the result is element [j, i] of the operand",
)
_REPEATED: Final = Form(
    "1",
    "Σ {g}",
    "np.sum({g})",
    "an element is used once for each of its copies, and contributions add",
)


# ---------------------------------------------------------------------------- the order


def _transpose_shape(x: Shape, *, axes: Axes | None = None) -> Shape:
    if axes is None:
        return x[::-1]
    order = reduced_axes(x, axes)
    if len(order) != len(x):
        raise ValueError(f"transpose: axes {axes} do not name each axis of {x} once")
    return tuple(x[axis] for axis in order)


def _transpose_vjp(g: Array, _y: Array, x: Array, *, axes: Any = None) -> Array:
    if axes is None:
        return np.transpose(g)
    return np.transpose(g, np.argsort(reduced_axes(np.shape(x), axes)))


def _transpose_wording(x: Shape, *, axes: Axes | None = None) -> Mapping[str, Any]:
    if axes is None:
        return {}
    back = tuple(np.argsort(reduced_axes(x, axes)).tolist())
    form = _TRANSPOSED._replace(
        product=f"transpose({{g}}, {back})",
        code=f"np.transpose({{g}}, {back})",
    )
    return {
        "symbol": "transpose({x}, {axes})",
        "code": "np.transpose({x}, {axes})",
        "forms": (form,),
    }


def _swapaxes_shape(x: Shape, *, axis1: int, axis2: int) -> Shape:
    sizes = list(x)
    (one,) = reduced_axes(x, axis1)
    (two,) = reduced_axes(x, axis2)
    sizes[one], sizes[two] = sizes[two], sizes[one]
    return tuple(sizes)


def _flip_shape(x: Shape, *, axis: Axes | None = None) -> Shape:
    if axis is not None:
        reduced_axes(x, axis)
    return x


def _roll_shape(x: Shape, *, shift: Axes, axis: Axes | None = None) -> Shape:
    if axis is None:
        if not isinstance(shift, int):
            raise ValueError(f"roll: shift {shift} needs as many axes")
        return x
    axes, shifts = reduced_axes(x, axis), items(shift)
    if len(shifts) not in {1, len(axes)}:
        raise ValueError(f"roll: shift {shift} and axis {axis} differ in number")
    return x


def _roll_vjp(
    g: Array, _y: Array, _x: Array, *, shift: Axes, axis: Axes | None = None
) -> Array:
    return np.roll(g, _back(shift), axis)


def _back(shift: Axes) -> Axes:
    return -shift if isinstance(shift, int) else tuple(-one for one in shift)


def _roll_wording(_x: Shape, *, shift: Axes, **_axis: Any) -> Mapping[str, Any]:
    back = _back(shift)
    form = Form("1", f"roll({{g}}, {back})", f"np.roll({{g}}, {back}, {{axis}})", COPY)
    return {"forms": (form,)}


# ------------------------------------------------------------------------ the triangles


def _triangle_shape(x: Shape, *, k: int = 0) -> Shape:
    if len(x) < 2:
        raise ValueError(f"a triangle is part of a matrix, and {x} has no two axes")
    return x


def _triangle(name: str, forward: Rule, where: str) -> Op:
    return moving(
        name,
        forward,
        _triangle_shape,
        linear(forward),  # back as forth
        f"{name}({{x}})",
        f"np.{name}({{x}}, {{k}})",
        Form(
            "1",
            f"{name}({{g}})",
            f"np.{name}({{g}}, {{k}})",
            "what is kept is an exact copy; the rest is 0, whatever x is",
        ),
        f"Each matrix with zeros {where} its diagonal number k.",
        (Parameter("k", checks.whole, 0),),
        view="",
        cases=(Case("zero", "outside"),),
    )


# ---------------------------------------------------------------------------- the shape


def _reshape_shape(x: Shape, *, shape: Axes) -> Shape:
    sizes = (shape,) if isinstance(shape, int) else shape
    count = math.prod(x)
    held = counted(count, "element")
    if -1 in sizes:
        rest = math.prod(size for size in sizes if size != -1)
        if rest == 0 or count % rest:
            raise ValueError(
                f"reshape: {x} has {held}, which {sizes} cannot hold: "
                f"no length in the place of -1 fits"
            )
        sizes = tuple(count // rest if size == -1 else size for size in sizes)
    if math.prod(sizes) != count:
        raise ValueError(f"reshape: {x} has {held}, {sizes} has {math.prod(sizes)}")
    return sizes


def _reshape(x: Array, *, shape: Axes) -> Array:
    return np.reshape(x, shape)


def _unshape(g: Array, _y: Array, x: Array, **_attributes: Any) -> Array:
    return np.reshape(g, np.shape(x))


def _squeeze_shape(x: Shape, *, axis: Axes | None = None) -> Shape:
    if axis is None:
        return tuple(size for size in x if size != 1)
    gone = reduced_axes(x, axis)
    for one in gone:
        if x[one] != 1:
            raise ValueError(f"squeeze: axis {one} of {x} has size {x[one]}, not 1")
    return tuple(size for one, size in enumerate(x) if one not in gone)


def _expand_dims_shape(x: Shape, *, axis: Axes) -> Shape:
    count = 1 if isinstance(axis, int) else len(axis)
    new = new_axes(axis, len(x) + count)
    sizes = iter(x)
    return tuple(1 if one in new else next(sizes) for one in range(len(x) + count))


def _ravel_shape(x: Shape) -> Shape:
    return (math.prod(x),)


def _broadcast_to_shape(x: Shape, *, shape: Axes) -> Shape:
    sizes = (shape,) if isinstance(shape, int) else shape
    extra = len(sizes) - len(x)
    fits = extra >= 0 and all(
        size in (1, new) for size, new in zip(x, sizes[extra:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"broadcast_to: {x} does not broadcast to {sizes}: counted from the last, "
            "each size has to be 1 or the same"
        )
    return sizes


def _repeated(x: Shape, shape: Shape) -> tuple[int, ...]:
    extra = len(shape) - len(x)
    return (*range(extra), *(extra + k for k, size in enumerate(x) if size == 1))


def _broadcast_to_vjp(g: Array, _y: Array, x: Array, **_shape: Any) -> Array:
    own = np.shape(x)
    return np.reshape(total(g, _repeated(own, g.shape)), own)


def _broadcast_to_wording(x: Shape, *, shape: Axes) -> Mapping[str, Any]:
    axes = _repeated(x, _broadcast_to_shape(x, shape=shape))
    return {
        "forms": (_REPEATED._replace(code=f"np.reshape(np.sum({{g}}, {axes}), {x})"),)
    }


def _pad_shape(x: Shape, *, pad_width: Any, **_attributes: Any) -> Shape:
    widths = _pad_widths(x, pad_width)
    return tuple(
        size + before + after for size, (before, after) in zip(x, widths, strict=True)
    )


def _pad_widths(x: Shape, pad_width: Any) -> list[tuple[int, int]]:
    try:
        return [
            tuple(pair) for pair in np.broadcast_to(pad_width, (len(x), 2)).tolist()
        ]
    except ValueError:
        raise ValueError(
            f"pad: pad_width {pad_width} does not fit {x}: give one number, "
            "(before, after), or (before, after) for each axis"
        ) from None


def _pad_vjp(
    g: Array, _y: Array, x: Array, *, pad_width: Any, **_attributes: Any
) -> Array:
    shape = np.shape(x)
    inner = tuple(
        slice(before, before + size)
        for (before, _), size in zip(_pad_widths(shape, pad_width), shape, strict=True)
    )
    return g[inner]


def _pad_jvp(
    t: Array, _y: Array, _x: Array, *, pad_width: Any, **_attributes: Any
) -> Array:
    return np.pad(t, pad_width)


# ----------------------------------------------------------------------------- the rows


def _check_new_axes(value: Any) -> str:
    right = value is not None and not checks.axes(value)
    return "" if right else "a whole number, or whole numbers in parentheses"


def _check_widths(value: Any) -> str:
    widths = [width for one in items(value) for width in items(one)]
    right = bool(widths) and not any(map(checks.count, widths))
    return "" if right else "whole numbers, 0 or more: n, (before, after), or one each"


def _check_shift(value: Any) -> str:
    right = value is not None and not checks.axes(value)
    return "" if right else "a whole number, or one for each axis in parentheses"


_AXES: Final = Parameter("axis", checks.axes, None)


ROWS: Final[tuple[Op, ...]] = (
    moving(
        "transpose",
        np.transpose,
        _transpose_shape,
        _transpose_vjp,
        "{x}ᵀ",
        "{x}.T",
        _TRANSPOSED,
        "Reverse the order of the axes, or put them in the order `axes`.",
        (Parameter("axes", checks.axes, None),),
        _transpose_wording,
        written="{x}.T",
        transposes=True,
    ),
    moving(
        "swapaxes",
        np.swapaxes,
        _swapaxes_shape,
        linear(np.swapaxes),  # back as forth
        "swapaxes({x}, {axis1}, {axis2})",
        "np.swapaxes({x}, {axis1}, {axis2})",
        Form(
            "1",
            "swapaxes({g}, {axis1}, {axis2})",
            "np.swapaxes({g}, {axis1}, {axis2})",
            COPY,
        ),
        "Exchange two axes.",
        (Parameter("axis1", checks.whole), Parameter("axis2", checks.whole)),
        transposes=True,
    ),
    moving(
        "flip",
        np.flip,
        _flip_shape,
        linear(np.flip),
        "flip({x})",
        "np.flip({x}, {axis})",
        Form("1", "flip({g})", "np.flip({g}, {axis})", COPY),
        "Reverse the order of the elements along an axis, or along all.",
        (_AXES,),
    ),
    moving(
        "roll",
        np.roll,
        _roll_shape,
        _roll_vjp,
        "roll({x}, {shift})",
        "np.roll({x}, {shift}, {axis})",
        Form("1", "roll({g}, −{shift})", "np.roll({g}, -{shift}, {axis})", COPY),
        "Shift the elements along an axis, those at the end to the beginning.",
        (Parameter("shift", _check_shift), _AXES),
        _roll_wording,
        view="",
    ),
    _triangle("tril", np.tril, "above"),
    _triangle("triu", np.triu, "below"),
    moving(
        "reshape",
        _reshape,
        _reshape_shape,
        _unshape,
        "reshape({x}, {shape})",
        "np.reshape({x}, {shape})",
        _BACK,
        "Give the same elements, in the same order, another shape.",
        (Parameter("shape", checks.open_shape),),
    ),
    moving(
        "ravel",
        np.ravel,
        _ravel_shape,
        _unshape,
        "ravel({x})",
        "np.ravel({x})",
        _BACK,
        "Put all elements into one axis, the last axis running fastest.",
    ),
    moving(
        "squeeze",
        np.squeeze,
        _squeeze_shape,
        _unshape,
        "squeeze({x})",
        "np.squeeze({x}, {axis})",
        _BACK,
        "Drop axes of size 1.",
        (_AXES,),
    ),
    moving(
        "expand_dims",
        np.expand_dims,
        _expand_dims_shape,
        _unshape,
        "expand_dims({x}, {axis})",
        "np.expand_dims({x}, {axis})",
        _BACK,
        "Insert axes of size 1, which then stand at `axis`.",
        (Parameter("axis", _check_new_axes),),
    ),
    moving(
        "broadcast_to",
        np.broadcast_to,
        _broadcast_to_shape,
        _broadcast_to_vjp,
        "broadcast({x}, {shape})",
        "np.broadcast_to({x}, {shape})",
        _REPEATED,
        "Repeat along new axes and along axes of size 1, up to a shape.",
        (Parameter("shape", checks.shape),),
        _broadcast_to_wording,
    ),
    moving(
        "pad",
        np.pad,
        _pad_shape,
        _pad_vjp,
        "pad({x}, {pad_width})",
        "np.pad({x}, {pad_width}, constant_values={constant_values})",
        Form(
            "1",
            "{g} without its border",
            "{g}[tuple(slice(b, b + n) for (b, _), n in zip("
            "np.broadcast_to({pad_width}, (np.ndim({x}), 2)), np.shape({x})))]",
            "the border is constant; what is inside is an exact copy",
        ),
        "Put a border of a constant around an array.",
        (
            Parameter("pad_width", _check_widths),
            Parameter("mode", checks.choice("constant"), "constant"),
            Parameter("constant_values", checks.number, 0),
        ),
        jvp=_pad_jvp,
        view="vjp",
        cases=(Case("zero", "border"),),
    ),
)
