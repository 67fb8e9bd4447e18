"""Examples of operations that move elements or pick them."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradstep.core.ops.shape.indexing import Slot
from ops_examples import (
    Case,
    Corner,
    Draw,
    Example,
    Misfit,
    distinct,
    generators,
    smooth,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def shapes(least: int = 0, side: int = 0) -> st.SearchStrategy[tuple[int, ...]]:
    return hnp.array_shapes(min_dims=least, max_dims=3, min_side=side, max_side=4)


def one_axis(count: int) -> st.SearchStrategy[int]:
    return st.integers(-count, count - 1)


@st.composite
def transposing(draw: Draw) -> Case:
    x = smooth(draw(generators()), draw(shapes()))
    order = draw(st.permutations(range(x.ndim)))
    signs = draw(st.lists(st.booleans(), min_size=x.ndim, max_size=x.ndim))
    axes = tuple(k - x.ndim * sign for k, sign in zip(order, signs, strict=True))
    return Case((x,), {"axes": draw(st.sampled_from([None, axes]))})


@st.composite
def swapping(draw: Draw) -> Case:
    x = smooth(draw(generators()), draw(shapes(1)))
    axis1, axis2 = draw(one_axis(x.ndim)), draw(one_axis(x.ndim))
    return Case((x,), {"axis1": axis1, "axis2": axis2})


@st.composite
def with_axes(draw: Draw) -> Case:
    x = smooth(draw(generators()), draw(shapes(1)))
    some = one_axis(x.ndim) | hnp.valid_tuple_axes(x.ndim)
    return Case((x,), {"axis": draw(st.none() | some)})


@st.composite
def reshaping(draw: Draw) -> Case:
    shape = draw(shapes())
    size = math.prod(shape)
    other = draw(st.sampled_from([shape[::-1], (size,), size, (1, size, 1)]))
    if size and draw(st.booleans()):
        other = draw(st.sampled_from([-1, (-1,), (1, -1), (*shape[:-1], -1)]))
    return Case((smooth(draw(generators()), shape),), {"shape": other})


@st.composite
def squeezing(draw: Draw) -> Case:
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=2))
    shift = draw(st.sampled_from([0, len(shape)]))
    ones = [axis - shift for axis, size in enumerate(shape) if size == 1]
    axis = draw(st.sampled_from([None, tuple(ones), *ones]))
    return Case((smooth(draw(generators()), shape),), {"axis": axis})


@st.composite
def expanding(draw: Draw) -> Case:
    x = smooth(draw(generators()), draw(shapes()))
    several = hnp.valid_tuple_axes(x.ndim + 2, min_size=2, max_size=2)
    return Case((x,), {"axis": draw(one_axis(x.ndim + 1) | several)})


@st.composite
def repeating(draw: Draw) -> Case:
    shape = draw(shapes())
    wide = tuple(draw(st.integers(0, 3)) if n == 1 else n for n in shape)
    more = tuple(draw(st.lists(st.integers(0, 3), max_size=2)))
    return Case((smooth(draw(generators()), shape),), {"shape": more + wide})


@st.composite
def padding(draw: Draw) -> Case:
    x = smooth(draw(generators()), draw(shapes(1)))
    width = st.integers(0, 2)
    pair = st.tuples(width, width)
    each = st.tuples(*[pair] * x.ndim)
    value = draw(st.sampled_from([0, 1.5, -2]))
    return Case(
        (x,), {"pad_width": draw(width | pair | each), "constant_values": value}
    )


@st.composite
def joining(draw: Draw, *, new: bool) -> Case:
    shape = draw(shapes(0 if new else 1))
    axis = draw(one_axis(len(shape) + new))
    generator = draw(generators())
    arrays: list[np.ndarray] = []
    for _ in range(draw(st.integers(1, 3))):
        own = list(shape)
        if not new:
            own[axis] = draw(st.integers(0, 3))
        arrays.append(smooth(generator, tuple(own)))
    return Case(tuple(arrays), {"axis": axis})


@st.composite
def splitting(draw: Draw) -> Case:
    shape = draw(shapes(1))
    axis = draw(one_axis(len(shape)))
    divisors = [n for n in range(1, 5) if shape[axis] % n == 0]
    bounds = sorted(draw(st.lists(st.integers(0, 5), max_size=3)))
    if shape[axis] and draw(st.booleans()):
        bounds = [-1]
    sections: Any = draw(st.sampled_from([*divisors, tuple(bounds)]))
    parts = sections if isinstance(sections, int) else len(sections) + 1
    part = draw(st.integers(0, parts - 1))
    attributes = {"sections": sections, "axis": axis, "part": part}
    return Case((smooth(draw(generators()), shape),), attributes)


@st.composite
def indexing(draw: Draw, *, masks: bool = False) -> Case:
    """Indices of all kinds, with repeats, some of them as operands."""
    x = smooth(draw(generators()), draw(shapes(0, side=1)))
    entries: list[Any] = []
    slots: list[np.ndarray] = []
    count = draw(st.integers(0, x.ndim))
    last = draw(st.integers(0, count))  # so many of them behind an ellipsis
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    masked = False
    for axis in (*range(count - last), *range(x.ndim - last, x.ndim)):
        size = x.shape[axis]
        kind = draw(st.sampled_from(["int", "slice", "list", "slot", "mask"]))
        if kind == "int":
            entries.append(draw(one_axis(size)))
        elif kind == "slice":
            entries.append(draw(st.slices(size)))
        elif kind == "mask" and masks and not masked:
            mask = draw(hnp.arrays(np.bool_, size))
            # Lists beside a mask are as long as it has True.
            shape, masked = (int(mask.sum()),), True
            entries.append(Slot(len(slots), mask=True))
            slots.append(mask)
        else:
            where = draw(hnp.arrays(np.int64, shape, elements=one_axis(size)))
            # A list cannot say that it has no rows of two.
            written = kind == "list" and (where.ndim == 1 or where.size > 1)
            entries.append(where.tolist() if written else Slot(len(slots)))
            slots += [] if written else [where]
    if last or not entries or draw(st.booleans()):
        entries.insert(count - last, ...)
    for _ in range(draw(st.integers(0, 2))):
        entries.insert(draw(st.integers(0, len(entries))), None)
    return Case((x, *slots), {"index": tuple(entries)})


@st.composite
def putting(draw: Draw) -> Case:
    """Values for an index of any kind, masks among them; some are broadcast."""
    case = draw(indexing(masks=True))
    x, *slots = case.operands
    places = np.shape(getitem(x, *slots, **case.attributes))
    own = tuple(1 if draw(st.booleans()) else size for size in places)
    front = draw(st.integers(0, len(own)))
    shape = own[front:] if draw(st.booleans()) else (1, *own)
    value = smooth(draw(generators()), shape)
    return Case((x, value, *slots), case.attributes)


@st.composite
def taking(draw: Draw) -> Case:
    x = smooth(draw(generators()), draw(shapes(1, side=1)))
    axis = draw(st.none() | one_axis(x.ndim))
    size = x.size if axis is None else x.shape[axis]
    indices = draw(hnp.arrays(np.int64, draw(shapes()), elements=one_axis(size)))
    return Case((x, indices), {"axis": axis})


@st.composite
def taking_along(draw: Draw) -> Case:
    x = smooth(draw(generators()), draw(shapes(1, side=1)))
    axis = draw(one_axis(x.ndim))
    shape = [1 if draw(st.booleans()) else size for size in x.shape]
    shape[axis] = draw(st.integers(0, 4))
    elements = one_axis(x.shape[axis])
    indices = draw(hnp.arrays(np.int64, tuple(shape), elements=elements))
    return Case((x, indices), {"axis": axis})


@st.composite
def rolling(draw: Draw) -> Case:
    x = smooth(draw(generators()), draw(shapes(1)))
    axis = draw(st.none() | one_axis(x.ndim) | hnp.valid_tuple_axes(x.ndim, min_size=1))
    shift = st.integers(-5, 5)
    if isinstance(axis, tuple):
        shift |= st.tuples(*[shift] * len(axis))
    return Case((x,), {"shift": draw(shift), "axis": axis})


@st.composite
def triangles(draw: Draw) -> Case:
    x = smooth(draw(generators()), draw(shapes(2)))
    return Case((x,), {"k": draw(st.integers(-3, 3))})


@st.composite
def sorting(draw: Draw) -> Case:
    x = distinct(draw(generators()), draw(shapes(1)))
    return Case((x,), {"axis": draw(one_axis(x.ndim))})


# -------------------------------------------------------------------- references


def placed(shape: Any, place: Any, x: np.ndarray) -> np.ndarray:
    """Return an array whose element at `index` is `x[place(index)]`."""
    result = np.zeros(shape)
    for index in np.ndindex(*result.shape):
        result[index] = x[place(index)]
    return result


def transpose(x: np.ndarray, axes: Any) -> np.ndarray:
    letters = "abc"[: x.ndim]
    order = range(x.ndim)[::-1] if axes is None else axes
    return np.einsum(f"{letters}->{''.join(letters[k] for k in order)}", x)


def swapaxes(x: np.ndarray, axis1: int, axis2: int) -> np.ndarray:
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


def flip(x: np.ndarray, axis: Any) -> np.ndarray:
    axes = range(x.ndim) if axis is None else np.atleast_1d(np.array(axis, int))
    turned = {int(k) % x.ndim for k in axes}
    return placed(
        x.shape,
        lambda index: tuple(-1 - i if k in turned else i for k, i in enumerate(index)),
        x,
    )


def squeeze(x: np.ndarray, axis: Any) -> np.ndarray:
    axes = range(x.ndim) if axis is None else np.atleast_1d(np.array(axis, int))
    gone = {int(k) % x.ndim for k in axes if x.shape[k] == 1}
    return np.array(x.ravel().tolist()).reshape(
        [n for k, n in enumerate(x.shape) if k not in gone]
    )


def expand_dims(x: np.ndarray, axis: Any) -> np.ndarray:
    new = np.atleast_1d(axis)
    count = x.ndim + len(new)
    index = [slice(None)] * count
    for k in new:
        index[int(k)] = None  # type: ignore[call-overload]
    return x[tuple(index)]


def pad(x: np.ndarray, pad_width: Any, constant_values: float) -> np.ndarray:
    widths = np.broadcast_to(pad_width, (x.ndim, 2))
    result = np.full(widths.sum(1) + x.shape, constant_values, float)
    ends = np.array(result.shape) - widths[:, 1]
    result[tuple(map(slice, widths[:, 0], ends))] = x
    return result


def concatenate(*arrays: np.ndarray, axis: int) -> np.ndarray:
    rows = [row for array in arrays for row in np.moveaxis(array, axis, 0)]
    shape = (0, *np.moveaxis(arrays[0], axis, 0).shape[1:])
    return np.moveaxis(np.array(rows) if rows else np.zeros(shape), 0, axis)


def split(x: np.ndarray, sections: Any, axis: int, part: int) -> np.ndarray:
    return np.split(x, sections, axis)[part]


def getitem(x: np.ndarray, *slots: np.ndarray, index: tuple[Any, ...]) -> Any:
    parts = [slots[e.number] if isinstance(e, Slot) else e for e in index]
    return x[tuple(np.array(e, int) if isinstance(e, list) else e for e in parts)]


def put(x: np.ndarray, value: np.ndarray, *slots: np.ndarray, index: Any) -> Any:
    """Put one element after the other, in the order of the index."""
    where = getitem(np.arange(x.size).reshape(x.shape), *slots, index=index)
    result = x.ravel().tolist()
    while value.ndim > np.ndim(where):
        value = value[0]
    each = np.broadcast_to(value, np.shape(where))
    for place in np.ndindex(np.shape(where)):
        result[int(where[place])] = float(each[place])
    return np.array(result, float).reshape(x.shape)


def take(x: np.ndarray, indices: np.ndarray, axis: Any) -> np.ndarray:
    if axis is None:
        flat = x.ravel().tolist()
        return np.array([flat[i] for i in indices.ravel()]).reshape(indices.shape)
    rows = np.moveaxis(x, axis, 0)
    picked = np.zeros(indices.shape + rows.shape[1:])
    for place in np.ndindex(indices.shape):
        picked[place] = rows[indices[place]]
    front = range(indices.ndim)
    return np.moveaxis(picked, front, [axis % x.ndim + k for k in front])


def take_along_axis(x: np.ndarray, indices: np.ndarray, axis: int) -> np.ndarray:
    shape = list(x.shape)
    shape[axis] = indices.shape[axis]
    picked = np.zeros(shape)
    wide = np.broadcast_to(indices, shape)
    for place in np.ndindex(picked.shape):
        at = list(place)
        at[axis] = wide[place]
        picked[place] = x[tuple(at)]
    return picked


def roll(x: np.ndarray, shift: Any, axis: Any) -> np.ndarray:
    if axis is None:
        flat = x.ravel().tolist()
        moved = [flat[(k - shift) % x.size] for k in range(x.size)]
        return np.array(moved, float).reshape(x.shape)
    axes = np.atleast_1d(axis)
    for one, by in zip(axes, np.broadcast_to(shift, axes.shape), strict=True):
        size = x.shape[one]
        if size:
            x = x.take([(k - by) % size for k in range(size)], one)
    return x


def triangle(is_kept: Any) -> Any:
    def reference(x: np.ndarray, k: int) -> np.ndarray:
        result = np.zeros(x.shape)
        for place in np.ndindex(*x.shape):
            if is_kept(place[-1] - place[-2], k):
                result[place] = x[place]
        return result

    return reference


def sort(x: np.ndarray, axis: int) -> np.ndarray:
    if not x.size:
        return x
    rows = np.moveaxis(x, axis, -1)
    lines = [sorted(row) for row in rows.reshape(-1, rows.shape[-1]).tolist()]
    return np.moveaxis(np.array(lines, float).reshape(rows.shape), -1, axis)


def _said(shape: Any, says: str, /, **attributes: Any) -> Misfit:
    several = bool(shape) and isinstance(shape[0], tuple)
    return Misfit(shape if several else (shape,), attributes, says)


def _index(*index: Any) -> Mapping[str, Any]:
    return {"index": index}


EXAMPLES: dict[str, Example] = {
    "transpose": Example(
        transpose,
        transposing(),
        (
            _said((2, 3), "axis 2 is not an axis of shape (2, 3)", axes=(0, 2)),
            _said((2, 3), "do not name each axis of (2, 3) once", axes=(1,)),
        ),
    ),
    "swapaxes": Example(
        swapaxes,
        swapping(),
        (_said((2, 3), "axis 2 is not an axis", axis1=0, axis2=2),),
    ),
    "flip": Example(
        flip,
        with_axes(),
        (_said((2, 3), "axis 2 is not an axis", axis=2),),
    ),
    "reshape": Example(
        lambda x, shape: np.array(x.ravel().tolist()).reshape(shape),
        reshaping(),
        (
            _said((2, 3), "(2, 3) has 6 elements, (4, 2) has 8", shape=(4, 2)),
            _said((2, 3), "no length in the place of -1 fits", shape=(4, -1)),
            _said((0, 3), "no length in the place of -1 fits", shape=(0, -1)),
        ),
    ),
    "ravel": Example(
        lambda x: np.array(list(itertools.chain(x.flat)), float),
        reshaping().map(lambda case: Case(case.operands, {})),
    ),
    "squeeze": Example(
        squeeze,
        squeezing(),
        (_said((2, 1), "axis 0 of (2, 1) has size 2, not 1", axis=0),),
    ),
    "expand_dims": Example(
        expand_dims,
        expanding(),
        (
            _said((2, 3), "cannot stand at 3 in a result with 3 axes", axis=3),
            _said((2, 3), "allowed, each once: -4 … 3", axis=(0, 0)),
        ),
    ),
    "broadcast_to": Example(
        lambda x, shape: x + np.zeros(shape),
        repeating(),
        (
            _said((2, 3), "(2, 3) does not broadcast to (3, 2)", shape=(3, 2)),
            _said((2, 3), "(2, 3) does not broadcast to (3,)", shape=3),
        ),
    ),
    "pad": Example(
        pad,
        padding(),
        (
            _said(
                (2, 3),
                "pad_width ((1, 1), (1, 1), (1, 1)) does not fit (2, 3)",
                pad_width=((1, 1),) * 3,
            ),
            _said((2, 3), "does not fit", pad_width=((1, 1), 1)),
        ),
    ),
    "concatenate": Example(
        concatenate,
        joining(new=False),
        (
            _said(((2, 3), (2, 4)), "(2, 3) and (2, 4) do not join: they may", axis=0),
            _said(((2, 3), (3,)), "(2, 3) and (3,) do not join", axis=0),
            _said(((2, 3), (2, 3)), "axis 2 is not an axis", axis=2),
            _said(((), ()), "a single number has no axis", axis=0),
            Misfit((), {"axis": 0}, "there is nothing to join"),
        ),
    ),
    "stack": Example(
        lambda *arrays, axis: np.moveaxis(np.array(arrays), 0, axis),
        joining(new=True),
        (
            _said(((2, 3), (2, 4)), "the shapes (2, 3) and (2, 4) differ", axis=0),
            _said(((2, 3), (2, 3)), "cannot stand at 3", axis=3),
            Misfit((), {"axis": 0}, "there is nothing to join"),
        ),
    ),
    "split": Example(
        split,
        splitting(),
        (
            _said(
                (5, 2),
                "axis 0 of (5, 2) has size 5, which 2 equal parts do not divide",
                sections=2,
                part=0,
            ),
            _said((4,), "the indices (3, 2) go backwards", sections=(3, 2), part=0),
            _said((4,), "sections=2 is 2 parts", sections=2, part=2),
        ),
    ),
    "getitem": Example(
        getitem,
        indexing(),
        (
            Misfit(((2, 3),), _index(2), "index 2 is outside axis 0 of (2, 3)"),
            Misfit(((2, 3),), _index(..., [0, -4]), "index -4 is outside axis 1"),
            Misfit(((2, 3),), _index(0, 0, 0), "names 3 axes, but (2, 3) has 2"),
            Misfit(((2, 3),), _index(..., 0, ...), "at most one '...'"),
            Misfit(((2, 3),), _index([0, 1], [0, 1, 2]), "(2,) and (3,) do not broad"),
            Misfit(((2, 3),), _index([True]), "a mask of shape (1,) does not fit"),
            Misfit(
                ((2, 3), (2, 3)),
                _index(Slot(0, mask=True)),
                "the shape depends on the values of a mask",
            ),
        ),
    ),
    "take": Example(
        take,
        taking(),
        (_said(((2, 3), (4,)), "axis 2 is not an axis of shape (2, 3)", axis=2),),
    ),
}

EXAMPLES["take_along_axis"] = Example(
    take_along_axis,
    taking_along(),
    (
        _said(((2, 3), (2, 3)), "axis 2 is not an axis of shape (2, 3)", axis=2),
        _said(((2, 3), (3, 3)), "(3, 3) have to be as long as x (2, 3), or 1", axis=1),
        _said(((2, 3), (3,)), "indices (3,) have to be as long", axis=0),
    ),
)
EXAMPLES |= {
    "roll": Example(
        roll,
        rolling(),
        (
            _said((2, 3), "axis 2 is not an axis of shape (2, 3)", shift=1, axis=2),
            _said((2, 3), "shift (1, 2) needs as many axes", shift=(1, 2)),
            _said((2, 3), "differ in number", shift=(1, 2), axis=0),
        ),
    ),
    "tril": Example(
        triangle(lambda far, k: far <= k),
        triangles(),
        (_said((3,), "a triangle is part of a matrix, and (3,) has no two axes"),),
    ),
    "triu": Example(
        triangle(lambda far, k: far >= k),
        triangles(),
        (_said((3,), "a triangle is part of a matrix"),),
    ),
    "sort": Example(sort, sorting(), (_said((2, 3), "axis 2 is not an axis", axis=2),)),
}
_PUT = "put: a value of shape (3,) does not broadcast to (2,)"
EXAMPLES["put"] = Example(
    put,
    putting(),
    (
        Misfit(((2, 3), (3,)), _index(slice(None), 0), _PUT),
        Misfit(((2, 3), (1, 2, 1)), _index(0), "does not broadcast to (3,)"),
        Misfit(((2, 3), ()), _index(2), "index 2 is outside axis 0 of (2, 3)"),
    ),
)

_ROW = np.array([1.0, 2.0, 3.0])

CORNERS: tuple[Corner, ...] = (
    Corner("getitem", (_ROW,), _index([0, 0, 2]), [1, 1, 3], ([2.0, 0.0, 1.0],)),
    Corner(
        "put",
        (_ROW, np.array([5.0, 6.0, 7.0])),
        _index([0, 2, 0]),
        [7, 2, 6],
        ([0, 1, 0], [0, 1, 1]),
    ),
    Corner(
        "take", (_ROW, np.array([1, 1, 1])), {"axis": 0}, [2, 2, 2], ([0, 3, 0], None)
    ),
    Corner(
        "take_along_axis",
        (_ROW, np.array([1, 1, -1])),
        {},
        [2, 2, 3],
        ([0, 2, 1], None),
    ),
    Corner(
        "sort",
        (np.array([2.0, 1.0, 2.0, np.nan]),),
        {},
        [1, 2, 2, np.nan],
        ([1, 1, 1, 1],),
    ),
    Corner("broadcast_to", (_ROW,), {"shape": (4, 3)}, [_ROW] * 4, ([4.0, 4.0, 4.0],)),
)
