"""Operations that move elements, or pick them: no number is computed, only placed.

Their vjps carry each number of the upstream gradient back to where its element came
from; where an element was picked more than once, the contributions add.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from . import checks
from .reduce import reduced_axes, without_axis
from .table import Array, Case, Form, Op, Parameter, Shape, Value, linear, row_of_one
from .wide import careful, total

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_COPY: Final = "each element is an exact copy, so its gradient is copied back"
_ADD: Final = (
    "each element is an exact copy, so its gradient goes back to where it was picked; "
    "what was picked several times collects the sum"
)
_BACK: Final = Form("1", "{g}", "np.reshape({g}, np.shape({x}))", _COPY)
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

Axes = int | tuple[int, ...]


def same_kind(arrays: Sequence[Value]) -> list[Array]:
    """Return `arrays` in their common dtype; a plain number takes that of the others.

    >>> [a.dtype.name for a in same_kind([np.ones(2, np.float32), 0.5])]
    ['float32', 'float32']
    """
    dtype = np.result_type(*arrays)
    return [np.asarray(array, dtype=dtype) for array in arrays]


def _new_axes(axes: Axes, ndim: int) -> tuple[int, ...]:
    """Return where new axes stand in a result with `ndim` axes."""
    try:
        return normalize_axis_tuple(axes, ndim)
    except ValueError:
        raise ValueError(
            f"a new axis cannot stand at {axes} in a result with {ndim} axes; "
            f"allowed, each once: {-ndim} … {ndim - 1}"
        ) from None


# ---------------------------------------------------------------------- the order


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


# ---------------------------------------------------------------------- the shape


def _reshape_shape(x: Shape, *, shape: Axes) -> Shape:
    sizes = (shape,) if isinstance(shape, int) else shape
    count = math.prod(x)
    if -1 in sizes:
        rest = math.prod(size for size in sizes if size != -1)
        if rest == 0 or count % rest:
            raise ValueError(
                f"reshape: {x} has {count} elements, which {sizes} cannot hold: "
                f"no length in the place of -1 fits"
            )
        sizes = tuple(count // rest if size == -1 else size for size in sizes)
    if math.prod(sizes) != count:
        raise ValueError(
            f"reshape: {x} has {count} elements, {sizes} has {math.prod(sizes)}"
        )
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
    new = _new_axes(axis, len(x) + count)
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


# ------------------------------------------------------------- joining and splitting


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
    (along,) = _new_axes(axis, len(first) + 1)
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
            f"split: there is no part {part}; sections={sections} make {count} parts"
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


# ----------------------------------------------------------------------- indexing


@dataclass(frozen=True, slots=True)
class Slot:
    """The place in an index that one more operand of `getitem` fills.

    `x[i, :2]` has the index `(Slot(0), slice(None, 2))` and the operands `x` and `i`.
    `mask` says that the operand is boolean, so that the shape of the result depends on
    its values.
    """

    number: int  # counted from 0 among the operands that are indices
    mask: bool = False


class DependsOnData(ValueError):
    """A mask chooses how many elements there are: its values have to be known first.

    Whoever builds the graph evaluates the masks and asks `shape_of_index` instead.
    """


def shape_of_index(
    shape: Shape, index: tuple[Any, ...], slots: Sequence[Shape | Array] = ()
) -> Shape:
    """Return the shape of `x[index]` for an `x` of `shape`, without taking any memory.

    `index` holds whole numbers, slices, `None`, `...`, lists (as lists or tuples) and
    `Slot`s. `slots[k]`, for `Slot(k)`, is the shape of an array of whole numbers, or
    the boolean array itself. The rules are those of NumPy's user guide, 'Indexing on
    ndarrays': lists and arrays broadcast together, and their axes stand where they
    stood when they are neighbours, in front when they are not.

    Raises `ValueError` where the index does not fit, and `DependsOnData` where a mask
    is needed and only its shape is there.

    >>> shape_of_index((5, 6, 7), (..., [0, 1, 1], None))
    (5, 6, 3, 1)
    """
    entries = [_entry(one, slots) for one in index]
    used = sum(_axes_used(one) for one in entries)
    if used > len(shape):
        raise ValueError(
            f"getitem: the index names {used} axes, but {shape} has {len(shape)}"
        )
    return _indexed(shape, _with_slices(entries, len(shape) - used))


def _entry(entry: Any, slots: Sequence[Shape | Array]) -> Any:
    """Return lists as arrays, and slots as what is known of them."""
    if isinstance(entry, Slot):
        known = slots[entry.number]
        if entry.mask and isinstance(known, tuple):
            raise DependsOnData("getitem: the shape depends on the values of a mask")
        return known
    if isinstance(entry, (list, tuple)):
        return _as_index(entry)
    return entry


def _as_index(entry: Any) -> Array:
    array = np.asarray(entry)
    return array if array.size else array.astype(np.intp)


def _axes_used(entry: Any) -> int:
    if entry is None or entry is ...:
        return 0
    if isinstance(entry, np.ndarray):
        array = cast("Array", entry)
        return array.ndim if array.dtype == bool else 1
    return 1


def _with_slices(entries: list[Any], missing: int) -> list[Any]:
    places = [k for k, one in enumerate(entries) if one is ...]
    if len(places) > 1:
        raise ValueError("getitem: an index has at most one '...'")
    place = places[0] if places else len(entries)
    # The ellipsis itself stays: to NumPy it parts its neighbours even when it is empty.
    return [*entries[:place], ..., *[slice(None)] * missing, *entries[place + 1 :]]


def _indexed(shape: Shape, entries: list[Any]) -> Shape:
    sizes: list[int] = []  # of the axes that slices and `None` leave
    chosen: list[Shape] = []  # of the whole numbers, lists and arrays
    places: list[int] = []  # where in `entries` those stand
    front = 0  # so many of `sizes` stand before the first of them
    axis = 0
    for place, entry in enumerate(entries):
        used = _axes_used(entry)
        if entry is None:
            sizes.append(1)
        elif isinstance(entry, slice):
            sizes.append(len(range(*entry.indices(shape[axis]))))
        elif entry is not ...:
            front = front if places else len(sizes)
            places.append(place)
            chosen.append(_chosen(shape, axis, entry))
        axis += used
    try:
        together = np.broadcast_shapes(*chosen)
    except ValueError:
        lists = " and ".join(map(str, chosen))
        raise ValueError(
            f"getitem: indices of the shapes {lists} do not broadcast"
        ) from None
    if places and places[-1] - places[0] != len(places) - 1:
        front = 0
    return (*sizes[:front], *together, *sizes[front:])


def _chosen(shape: Shape, axis: int, entry: Any) -> Shape:
    """Return the shape of one index that is a number, a list, an array or a mask."""
    if isinstance(entry, tuple):
        return cast("Shape", entry)
    array = np.asarray(entry)
    if array.dtype == bool:
        if array.shape != shape[axis : axis + array.ndim]:
            raise ValueError(
                f"getitem: a mask of shape {array.shape} does not fit "
                f"{shape} from axis {axis} on"
            )
        return (int(np.count_nonzero(array)),)
    size = shape[axis]
    outside = array[(array < -size) | (array >= size)]
    if outside.size:
        raise ValueError(
            f"getitem: index {outside.flat[0]} is outside axis {axis} of {shape}; "
            f"allowed: {-size} … {size - 1}"
        )
    return array.shape


def _getitem_shape(x: Shape, *slots: Shape, index: tuple[Any, ...]) -> Shape:
    return shape_of_index(x, index, slots)


def _filled(index: tuple[Any, ...], slots: Sequence[Value]) -> tuple[Any, ...]:
    return tuple(
        slots[one.number]
        if isinstance(one, Slot)
        else _as_index(one)
        if isinstance(one, (list, tuple))
        else one
        for one in index
    )


def _getitem(x: Array, *slots: Value, index: tuple[Any, ...]) -> Array:
    return np.asarray(x)[_filled(index, slots)]


@careful
def _getitem_vjp(
    g: Array,
    _y: Array,
    x: Array,
    *slots: Value,
    index: tuple[Any, ...],
    **_argument: int,
) -> Array:
    # Only argument 0 gets here: no gradient flows into whole numbers and masks.
    whole = np.zeros(np.shape(x), np.asarray(g).dtype)
    places = _filled(index, slots)
    if any(map(np.ndim, places)):
        np.add.at(whole, places, g)
    else:
        whole[places] = g
    return whole


def _take_shape(x: Shape, indices: Shape, *, axis: int | None = None) -> Shape:
    if axis is None:
        return indices
    (along,) = reduced_axes(x, axis)
    return (*x[:along], *indices, *x[along + 1 :])


def _take(x: Array, indices: Array, *, axis: int | None = None) -> Array:
    dtype = np.asarray(indices).dtype
    if dtype.kind not in "iu":
        raise ValueError(f"take: indices are whole numbers, not {dtype}")
    return np.take(x, indices, axis)


@careful
def _take_vjp(
    g: Array, _y: Array, x: Array, indices: Array, *, axis: int | None = None
) -> Array:
    shape = np.shape(x)
    whole = np.zeros(math.prod(shape) if axis is None else shape, np.asarray(g).dtype)
    along = 0 if axis is None else axis % len(shape)
    places: Any = (*[slice(None)] * along, indices)
    np.add.at(whole, places, g)
    return whole.reshape(shape)


# ----------------------------------------------------------------------- the rows


def _items(value: Any) -> tuple[Any, ...]:
    """Return what a tuple or a list holds, or the value by itself."""
    several = isinstance(value, (list, tuple))
    return tuple(cast("Sequence[Any]", value)) if several else (value,)


def _check_sections(value: Any) -> str:
    bounds = not any(map(checks.whole, _items(value)))
    right = not checks.size(value) or (isinstance(value, tuple) and bounds)
    return "" if right else "a whole number, 1 or more, or the indices to split at"


def _check_new_axes(value: Any) -> str:
    right = value is not None and not checks.axes(value)
    return "" if right else "a whole number, or whole numbers in parentheses"


def _check_widths(value: Any) -> str:
    widths = [width for one in _items(value) for width in _items(one)]
    right = bool(widths) and not any(map(checks.count, widths))
    return "" if right else "whole numbers, 0 or more: n, (before, after), or one each"


def _check_index(value: Any) -> str:
    entries = _items(value)
    right = isinstance(value, tuple) and all(map(_is_entry, entries))
    return "" if right else "whole numbers, slices, None, ... and lists"


def _is_entry(entry: Any) -> bool:
    if entry is None or entry is ... or isinstance(entry, Slot):
        return True
    if isinstance(entry, slice):
        parts = cast("slice[Any, Any, Any]", entry)
        bounds = (parts.start, parts.stop, parts.step)
        return parts.step != 0 and not any(map(checks.axis, bounds))
    several = _items(entry)
    return (
        _is_list(several)
        if isinstance(entry, (list, tuple))
        else checks.is_whole(entry)
    )


def _is_list(entries: tuple[Any, ...]) -> bool:
    try:
        array = np.asarray(entries)
    except (ValueError, OverflowError):
        return False
    return array.dtype.kind in "bi" or not array.size


_OF_PICKED: Final = Form(
    "1",
    "{g} added at [{index}], 0 elsewhere",
    "np.bincount(np.ravel(np.arange(np.size({x})).reshape(np.shape({x}))"
    "[{index}]), np.ravel({g}), np.size({x})).reshape(np.shape({x}))",
    _ADD,
)
_OF_TAKEN: Final = Form(
    "1",
    "{g} added at {indices}, 0 elsewhere",
    "np.bincount(np.ravel(np.take(np.arange(np.size({x})).reshape("
    "np.shape({x})), {indices}, {axis})), np.ravel({g}), np.size({x}))"
    ".reshape(np.shape({x}))",
    _ADD,
)


def _getitem_wording(*_shapes: Shape, index: Sequence[Any]) -> Mapping[str, Any]:
    adds = "np.add.at({into}, np.s_[{index}], {g})"
    if all(isinstance(i, int | slice | None | EllipsisType) for i in index):
        adds = "{into}[{index}] += {g}"  # nothing is picked twice
    return {"forms": (_OF_PICKED._replace(statement=adds),)}


def _take_wording(
    x: Shape, _indices: Shape, *, axis: int | None = None
) -> Mapping[str, Any]:
    adds = "np.add.at(np.ravel({into}), {indices}, {g})"
    if axis is not None:
        before = ":, " * (axis % len(x))
        adds = f"np.add.at({{into}}, np.s_[{before}{{indices}}], {{g}})"
    return {"forms": (_OF_TAKEN._replace(statement=adds), None)}


_AXIS: Final = Parameter("axis", checks.whole, 0)
_AXES: Final = Parameter("axis", checks.axes, None)


def _moving(
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
    view: Literal["forward", "vjp"] = "forward",
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


def _joining(
    name: str,
    forward: Callable[..., Array],
    shape: Callable[..., Shape],
    vjp: Callable[..., Array],
    jvp: Callable[..., Array],
    symbol: str,
    form: Form,
    summary: str,
    aliases: tuple[str, ...] = (),
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
        parameters=(_AXIS,),
        aliases=aliases,
        variadic=True,
        view="vjp",
    )


ROWS: tuple[Op, ...] = (
    _moving(
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
    _moving(
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
            _COPY,
        ),
        "Exchange two axes.",
        (Parameter("axis1", checks.whole), Parameter("axis2", checks.whole)),
        transposes=True,
    ),
    _moving(
        "flip",
        np.flip,
        _flip_shape,
        linear(np.flip),
        "flip({x})",
        "np.flip({x}, {axis})",
        Form("1", "flip({g})", "np.flip({g}, {axis})", _COPY),
        "Reverse the order of the elements along an axis, or along all.",
        (_AXES,),
    ),
    _moving(
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
    _moving(
        "ravel",
        np.ravel,
        _ravel_shape,
        _unshape,
        "ravel({x})",
        "np.ravel({x})",
        _BACK,
        "Put all elements into one axis, the last axis running fastest.",
    ),
    _moving(
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
    _moving(
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
    _moving(
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
    _moving(
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
            _COPY,
        ),
        "Join arrays along an axis that they have.",
        ("concat",),
    ),
    _joining(
        "stack",
        _stack,
        _stack_shape,
        _stack_vjp,
        _stack_jvp,
        "stack({arrays})",
        Form("1", "slice {argument} of {g}", "np.take({g}, {argument}, {axis})", _COPY),
        "Join arrays of one shape along a new axis.",
    ),
    _moving(
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
            _AXIS,
            Parameter("part", checks.count),
        ),
        parts=_part_count,
    ),
    Op(
        name="getitem",
        operands=("x", "indices"),
        forward=_getitem,
        shape=_getitem_shape,
        vjps=(_getitem_vjp,),
        jvps=(linear(_getitem),),
        kind="gather",
        symbol="{x}[{index}]",
        code="{x}[{index}]",
        forms=(_OF_PICKED,),
        summary="Pick elements by whole numbers, slices, lists, arrays and masks.",
        analytic=True,
        parameters=(Parameter("index", _check_index),),
        variadic=True,
        corner="no gradient flows into an index",
        view="forward",  # unless lists or arrays pick
        written="{x}[{index}]",
        wording=_getitem_wording,
    ),
    Op(
        name="take",
        operands=("x", "indices"),
        forward=_take,
        shape=_take_shape,
        vjps=(_take_vjp, None),
        jvps=(linear(_take), None),
        kind="gather",
        symbol="{x}[{indices}]",
        code="np.take({x}, {indices}, {axis})",
        forms=(
            _OF_TAKEN,
            None,
        ),
        summary="Pick elements along an axis, or of the flattened array, by indices.",
        analytic=True,
        parameters=(Parameter("axis", checks.axis, None),),
        aliases=("gather",),
        wording=_take_wording,
        corner="no gradient flows into an index; gather is NumPy's take by another "
        "name, and not PyTorch's gather: for that write x[arange(n), i]",
    ),
)
