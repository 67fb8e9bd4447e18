"""Elements that an index picks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from ...base.text import counted
from ..table import Array, Form, Op, Parameter, Shape, Value, checks, linear, row_of_one
from ..table.axes import reduced_axes, without_axis
from ..table.wide import careful
from .rows import items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ADD: Final = (
    "each element is an exact copy, so its gradient goes back to where it was picked; "
    "what was picked several times collects the sum"
)


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
            f"getitem: the index names {counted(used, 'axis', 'axes')}, but "
            f"{shape} has {len(shape)}"
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


def filled(index: tuple[Any, ...], slots: Sequence[Value]) -> tuple[Any, ...]:
    """Return an index as NumPy takes it, with operands in the places of its slots."""
    return tuple(
        slots[one.number]
        if isinstance(one, Slot)
        else _as_index(one)
        if isinstance(one, (list, tuple))
        else one
        for one in index
    )


def _getitem(x: Array, *slots: Value, index: tuple[Any, ...]) -> Array:
    return np.asarray(x)[filled(index, slots)]


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
    places = filled(index, slots)
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


def _take_along_axis_shape(x: Shape, indices: Shape, *, axis: int = -1) -> Shape:
    (along,) = reduced_axes(x, axis)
    others = [one for k, one in enumerate(indices) if k != along]
    pairs = zip(others, without_axis(x, along), strict=False)
    if len(indices) != len(x) or any(one not in {1, size} for one, size in pairs):
        raise ValueError(
            f"take_along_axis: indices {indices} have to be as long as x {x}, or 1, "
            f"along each axis but {along}"
        )
    return (*x[:along], indices[along], *x[along + 1 :])


def _take_along_axis(x: Array, indices: Array, *, axis: int = -1) -> Array:
    dtype = np.asarray(indices).dtype
    if dtype.kind not in "iu":
        raise ValueError(f"take_along_axis: indices are whole numbers, not {dtype}")
    return np.take_along_axis(x, indices, axis)


@careful
def _take_along_axis_vjp(
    g: Array, _y: Array, x: Array, indices: Array, *, axis: int = -1
) -> Array:
    whole = np.zeros(x.shape, np.asarray(g).dtype)
    places: list[Array] = [*np.indices(g.shape, sparse=True)]
    places[axis] = indices
    np.add.at(whole, tuple(places), g)
    return whole


def _sort_shape(x: Shape, *, axis: int = -1) -> Shape:
    reduced_axes(x, axis)
    return x


def _order(x: Array, axis: int) -> Array:
    return np.argsort(x, axis, kind="stable")


def _sort(x: Array, *, axis: int = -1) -> Array:
    return np.take_along_axis(x, _order(x, axis), axis)


def _sort_vjp(g: Array, _y: Array, x: Array, *, axis: int = -1) -> Array:
    whole = np.empty_like(g)
    np.put_along_axis(whole, _order(x, axis), g, axis)
    return whole


def _sort_jvp(t: Array, _y: Array, x: Array, *, axis: int = -1) -> Array:
    return np.take_along_axis(t, _order(x, axis), axis)


# ----------------------------------------------------------------------------- the rows


def check_index(value: Any) -> str:
    """Allow what may stand in the brackets of an index, as a tuple."""
    entries = items(value)
    right = isinstance(value, tuple) and all(map(_is_entry, entries))
    return "" if right else "whole numbers, slices, None, ... and lists"


def _is_entry(entry: Any) -> bool:
    if entry is None or entry is ... or isinstance(entry, Slot):
        return True
    if isinstance(entry, slice):
        parts = cast("slice[Any, Any, Any]", entry)
        bounds = (parts.start, parts.stop, parts.step)
        return parts.step != 0 and not any(map(checks.axis, bounds))
    several = items(entry)
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

_OF_TAKEN_ALONG: Final = Form(
    "1",
    "{g} added at {indices} along axis {axis}, 0 elsewhere",
    "np.bincount(np.ravel(np.take_along_axis(np.arange(np.size({x})).reshape("
    "np.shape({x})), {indices}, {axis})), np.ravel({g}), np.size({x}))"
    ".reshape(np.shape({x}))",
    _ADD,
    "at = [*np.indices(np.shape({g}))]\nat[{axis}] = {indices}\n"
    "np.add.at({into}, tuple(at), {g})",
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


ROWS: Final[tuple[Op, ...]] = (
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
        parameters=(Parameter("index", check_index),),
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
        wording=_take_wording,
        corner="no gradient flows into an index; gather is NumPy's take by another "
        "name, and not PyTorch's gather: that is take_along_axis",
    ),
    row_of_one(
        "sort",
        _sort,
        _sort_shape,
        (_sort_vjp, _sort_jvp),
        "gather",
        "sort {x}",
        "np.sort({x}, {axis})",
        Form(
            "1 where it came from",
            "{g} back in the order of {x}",
            "np.take_along_axis({g}, np.argsort(np.argsort({x}, {axis}, kind='stable'),"
            " {axis}), {axis})",
            "each element is an exact copy, so its gradient goes back to where it was",
        ),
        "The elements along an axis, the least first.",
        corner="equal elements stay in their order, and so do their gradients; nan "
        "comes last",
        analytic=False,
        kinks=True,
        parameters=(Parameter("axis", checks.whole, -1),),
    ),
    Op(
        name="take_along_axis",
        operands=("x", "indices"),
        forward=_take_along_axis,
        shape=_take_along_axis_shape,
        vjps=(_take_along_axis_vjp, None),
        jvps=(linear(_take_along_axis), None),
        kind="gather",
        symbol="take {x} along axis {axis} at {indices}",
        code="np.take_along_axis({x}, {indices}, {axis})",
        forms=(_OF_TAKEN_ALONG, None),
        summary="Pick elements along an axis, for each place others: PyTorch's gather.",
        analytic=True,
        parameters=(Parameter("axis", checks.whole, -1),),
        corner="no gradient flows into an index",
    ),
)
