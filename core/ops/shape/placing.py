"""Elements put in the place of others: what an assignment to `x[index]` makes of x."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..table import Array, Form, Op, Parameter, Shape, Value
from ..table.wide import total
from .indexing import DependsOnData, Slot, check_index, filled, shape_of_index
from .joining import same_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Index = tuple[Any, ...]


def shape_of_put(
    x: Shape, value: Shape, index: Index, slots: Sequence[Shape | Array] = ()
) -> Shape:
    """Return the shape of x after `x[index] = value`, which is that of x.

    `index` and `slots` are those of `shape_of_index`. Whether a value fits where a mask
    chooses is only known with the mask itself. Raises `ValueError` where it does not.
    """
    try:
        places = shape_of_index(x, index, slots)
    except DependsOnData:
        return x
    except ValueError as error:
        raise ValueError(f"put: {str(error).removeprefix('getitem: ')}") from None
    # As in NumPy, axes of length 1 in front of a value do not count.
    own = value
    while len(own) > len(places) and own[0] == 1:
        own = own[1:]
    try:
        fits = np.broadcast_shapes(own, places) == places
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"put: a value of shape {value} does not broadcast to {places}, "
            f"the shape of the places in {x}"
        )
    return x


def _put_shape(x: Shape, value: Shape, *slots: Shape, index: Index) -> Shape:
    return shape_of_put(x, value, index, slots)


def _arrivals(
    shape: Shape, index: Index, slots: Sequence[Value]
) -> tuple[Array, Shape]:
    """Return the number of the element that stays at each place, and their shape.

    Elements are counted in the order in which they arrive; it is −1 where none does.
    """
    places = filled(index, slots)
    stays = np.full(shape, -1)
    own = stays[places].shape
    # In the order of the index, whatever the memory of the arrays looks like.
    np.maximum.at(stays, places, np.arange(math.prod(own)).reshape(own))
    return stays, own


def _put(x: Value, value: Value, *slots: Value, index: Index) -> Array:
    whole, given = same_kind((x, value))
    return _placed(whole, given, slots, index)


def _placed(whole: Array, given: Array, slots: Sequence[Value], index: Index) -> Array:
    if not any(map(_repeats, index)):
        made, at = np.array(whole), filled(index, slots)
        front = max(0, given.ndim - np.ndim(made[at]))
        made[at] = given.reshape(given.shape[front:])
        return made
    stays, places = _arrivals(whole.shape, index, slots)
    if not math.prod(places):
        return np.array(whole)
    front = max(0, given.ndim - len(places))
    each = np.broadcast_to(given.reshape(given.shape[front:]), places).ravel()
    return np.where(stays < 0, whole, each[stays])


def _put_vjp(
    g: Array,
    _y: Array,
    x: Value,
    value: Value,
    *slots: Value,
    index: Index,
    argument: int,
) -> Array:
    if argument == 0:
        kept = np.array(g)
        kept[filled(index, slots)] = 0
        return kept
    if not any(map(_repeats, index)):
        each = g[filled(index, slots)]
    else:
        stays, places = _arrivals(np.shape(x), index, slots)
        arrives = stays >= 0
        each = np.zeros(math.prod(places), g.dtype)
        each[stays[arrives]] = g[arrives]
        each = each.reshape(places)
    shape = np.shape(value)
    return total(each, _repeated(shape, np.ndim(each))).reshape(shape)


def _put_jvp(
    t: Array,
    y: Array,
    x: Value,
    value: Value,
    *slots: Value,
    index: Index,
    argument: int,
) -> Array:
    tangent = np.asarray(t)
    rest = np.zeros((), tangent.dtype)
    if argument == 0:
        return _placed(tangent, rest, slots, index)
    return _placed(np.broadcast_to(rest, np.shape(y)), tangent, slots, index)


def _repeated(value: Shape, ndim: int) -> tuple[int, ...]:
    """Return the axes of the places along which a value is repeated."""
    extra = ndim - len(value)
    one = (k for k in range(ndim) if k >= extra and value[k - extra] == 1)
    return (*range(extra), *one)


# -------------------------------------------------------------------------------- words

_KEPT: Final = Form(
    "1",
    "{g}, but 0 at [{index}]",
    "(lambda _to: _to.__setitem__(np.s_[{index}], 0) or _to)(np.array({g}))",
    "what is replaced has no say any more; all else is an exact copy",
    "kept = np.array({g})\nkept[{index}] = 0\n{into} += kept",
)
_ARRIVED: Final = Form(
    "1",
    "{g}[{index}]",
    "{g}[{index}]",
    "each element is an exact copy, so its gradient is taken from where it was put",
)
_LAST: Final = _ARRIVED._replace(
    product="{g}[{index}] where it was put last",
    why="each element is an exact copy, so its gradient is taken from where it was "
    "put; of several at one place only the last one stays",
)
_CODE: Final = (
    "(lambda _to: _to.__setitem__(np.s_[{index}], PUT) or _to)"
    "(np.array({x}, np.result_type({x}, {value})))"
)
_STATEMENT: Final = (
    "{y} = np.array({x}, np.result_type({x}, {value}))\n{y}[{index}] = PUT"
)
_COUNTED: Final = "np.arange(np.size({g}[{index}])).reshape(np.shape({g}[{index}]))"
_STAYS: Final = (
    f"((lambda _to: _to.__setitem__(np.s_[{{index}}], {_COUNTED}) or _to)"
    f"(np.zeros(np.shape({{x}}), int))[{{index}}] == {_COUNTED})"
)
_LAST_LINES: Final = (
    "counted = np.arange(np.size({g}[{index}])).reshape(np.shape({g}[{index}]))\n"
    "last = np.zeros(np.shape({x}), int)\n"
    "last[{index}] = counted\n"
    "{into} += "
)


def _put_wording(
    x: Shape, value: Shape, *slots: Shape, index: Index
) -> Mapping[str, Any]:
    # A mask as a list of places, whose length repeats nothing.
    one = [(1,) if _is_mask(index, k) else slot for k, slot in enumerate(slots)]
    ndim = len(shape_of_index(x, tuple(_unmasked(index, slots)), one))
    axes = _repeated(value, ndim)
    gone = f"np.reshape(np.sum(PICKED, {axes}), {value})"
    sums = gone if axes or len(value) > ndim else "PICKED"
    if any(_repeats(entry) for entry in index):
        picked = f"np.where({_STAYS}, {{g}}[{{index}}], 0)"
        by_hand = "np.where(last[{index}] == counted, {g}[{index}], 0)"
        lines = _LAST_LINES + sums.replace("PICKED", by_hand)
        form = _LAST._replace(code=sums.replace("PICKED", picked), statement=lines)
    else:
        form = _ARRIVED._replace(code=sums.replace("PICKED", "{g}[{index}]"))
    if axes:
        form = form._replace(product=f"Σ {form.product}")
    # NumPy drops axes of length 1 before the places of a slice alone.
    put = "{value}"
    if len(value) > ndim:
        put = f"np.reshape({{value}}, {value[len(value) - ndim :]})"
    return {
        "forms": (_KEPT, form, *[None] * len(slots)),
        "code": _CODE.replace("PUT", put),
        "statement": _STATEMENT.replace("PUT", put),
    }


def _repeats(entry: Any) -> bool:
    """Tell whether an entry of an index can name a place twice."""
    if isinstance(entry, Slot):
        return not entry.mask
    return isinstance(entry, (list, tuple))


def _is_mask(index: Index, number: int) -> bool:
    return Slot(number, mask=True) in index


def _unmasked(index: Index, slots: Sequence[Shape]) -> list[Any]:
    """Return an index with a list of places for each axis of a mask."""
    entries: list[Any] = []
    for entry in index:
        axes = len(slots[entry.number]) if isinstance(entry, Slot) and entry.mask else 1
        one = Slot(entry.number) if isinstance(entry, Slot) else entry
        entries += [one] * axes
    return entries


# ----------------------------------------------------------------------------- the rows

ROWS: Final[tuple[Op, ...]] = (
    Op(
        name="put",
        operands=("x", "value", "indices"),
        forward=_put,
        shape=_put_shape,
        vjps=(_put_vjp,),
        jvps=(_put_jvp,),
        kind="gather",
        symbol="{x} with {value} at [{index}]",
        code=_CODE.replace("PUT", "{value}"),
        forms=(_KEPT,),
        summary="x with other elements at an index: what x[index] = value makes of it.",
        analytic=True,
        parameters=(Parameter("index", check_index),),
        variadic=True,
        corner="of several values put at one place the last one stays, and the others "
        "get a gradient of 0, where PyTorch's index_put gives the same to each; no "
        "gradient flows into an index",
        written="put({x}[{index}], {value})",
        statement=_STATEMENT.replace("PUT", "{value}"),
        wording=_put_wording,
    ),
)
