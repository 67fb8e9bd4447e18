"""Copies of a computation side by side; in each of them another element is moved.

A copy holds only what its element moves. Which part of an array that is follows from
the kind of the operation: an elementwise one stays at its place, a product keeps the
row or the column that it is given, a sum goes over the axes that it is told. Where
slices are independent, copies are slices: a hundred moved columns are one matrix, and
one product.

Only forward functions are called. An operation that cannot take copies side by side is
called once for each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..engine.backward import call
from .differences import less

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..ops.table import Array, Op, Shape
    from .downstream import Downstream, Step

Places = tuple["Array | None", ...]
# For each axis the place in each copy; None for all of the axis, and where it is short.


class Part(NamedTuple):
    """What the copies hold of an array."""

    values: Array  # (copies, …), with an axis of length 1 where `at` has places
    at: Places  # where in the whole they stand
    whole: Array  # the array where nothing is moved

    def along(self, at: Places) -> Array:
        """Return the values at places that are these, or whole axes."""
        wide = [
            mine is not None and other is None
            for mine, other in zip(self.at, at, strict=True)
        ]
        if not any(wide):
            return self.values
        count = len(self.values)
        found = _cut(self.whole, at, count)
        found = np.array(found, np.result_type(found, self.values))
        axes = zip(self.at, wide, strict=True)
        where = [place if is_wide else slice(None) for place, is_wide in axes]
        # NumPy puts the axis of places that are chosen like this first.
        target = found[np.arange(count), *where]
        found[np.arange(count), *where] = self.values.reshape(target.shape)
        return found


def _cut(whole: Array, at: Places, count: int) -> Array:
    """Return what the copies hold of an array that is not moved."""
    fixed = [axis for axis, place in enumerate(at) if place is not None]
    if not fixed:
        return np.broadcast_to(whole, (count, *whole.shape))
    free = [axis for axis in range(whole.ndim) if axis not in fixed]
    found = whole.transpose(*fixed, *free)[tuple(at[axis] for axis in fixed)]
    sizes = [1 if k in fixed else size for k, size in enumerate(whole.shape)]
    return found.reshape(count, *sizes)


def changes(
    way: Downstream, weight: Array, positions: Array, moved: Array
) -> tuple[Array, int]:
    """Return the weighted change of the output in each copy, and the room."""
    part, room = stacked(way, positions, moved)
    count = len(moved)
    each = _cut(weight, part.at, count) * less(
        part.values, _cut(part.whole, part.at, count)
    )
    return each.sum(tuple(range(1, each.ndim))), room


def stacked(way: Downstream, positions: Array, moved: Array) -> tuple[Part, int]:
    """Return the output where elements have moved, one in each copy, and the room.

    `moved` has their values, `positions` their flat places in the node's array. The
    room is the most elements that all copies held at a time.
    """
    start = np.asarray(way.still[way.node])
    at = np.unravel_index(positions, start.shape) if start.ndim else ()
    values = moved.reshape(len(moved), *(1 for _ in at))
    parts = {way.node: Part(values, _places(at, start.shape), start)}
    last = {key: n for n, step in enumerate(way.steps) for key in step.operands}
    room = most = values.size
    for number, step in enumerate(way.steps):
        part = _applied(way, step, parts)
        parts[step.node] = part
        room += part.values.size
        most = max(most, room)
        for key in {*step.operands, step.node}:
            if key in parts and last.get(key, number) == number and key != way.output:
                room -= parts.pop(key).values.size
    return parts[way.output], most


def _places(at: Sequence[Array | None], shape: Sequence[int]) -> Places:
    return tuple(
        None if size == 1 else place for place, size in zip(at, shape, strict=True)
    )


class _Call(NamedTuple):
    """An operation, and what its operands are: parts that move, and arrays."""

    op: Op
    operands: Sequence[Any]
    attributes: Mapping[str, Any]
    whole: Array  # its result where nothing is moved
    copies: int  # how many there are

    @property
    def parts(self) -> Iterator[tuple[int, Part]]:
        """The operands that move, with their numbers."""
        for argument, operand in enumerate(self.operands):
            if isinstance(operand, Part):
                yield argument, operand

    def cut(self, places: Sequence[Places]) -> list[tuple[Any, bool]]:
        """Return what the copies hold of each operand, and whether each its own."""
        found: list[tuple[Any, bool]] = []
        for operand, at in zip(self.operands, places, strict=True):
            if isinstance(operand, Part):
                found.append((operand.along(at), True))
            elif any(place is not None for place in at):
                found.append((_cut(np.asarray(operand), at, self.copies), True))
            else:
                found.append((operand, False))
        return found


def _applied(way: Downstream, step: Step, parts: Mapping[int, Part]) -> Part:
    operands = [parts.get(key, way.values.get(key)) for key in step.operands]
    whole = np.asarray(way.still[step.node])
    count = next(len(one.values) for one in operands if isinstance(one, Part))
    one = _Call(step.op, operands, step.attributes, whole, count)
    found = _KINDS[step.op.kind](one)
    values, at = _each(one) if found is None else found
    return Part(values, at, whole)


_Found = tuple["Array", Places] | None


def _each(one: _Call) -> tuple[Array, Places]:
    """Call an operation once for each copy, with all of its operands."""
    arrays = list(one.operands)
    moving = [(k, part.along((None,) * part.whole.ndim)) for k, part in one.parts]
    values: Any = None
    for number in range(one.copies):
        for argument, found in moving:
            arrays[argument] = found[number]
        result = call(one.op.forward, arrays, one.attributes)
        if values is None:
            values = np.empty((one.copies, *np.shape(result)), np.result_type(result))
        values[number] = result
    return values, (None,) * one.whole.ndim


# ------------------------------------------------------------------ by kind


def _elementwise(one: _Call) -> _Found:
    if any(parameter.name == "seed" for parameter in one.op.parameters):
        return None  # what is drawn belongs to the whole shape
    axes = range(one.whole.ndim)
    labels = [axes[len(axes) - np.ndim(_whole(o)) :] for o in one.operands]
    at, places = _common(one, labels, axes)
    arrays = [
        _widened(array, len(axes)) if copied else array
        for array, copied in one.cut(places)
    ]
    found = np.asarray(call(one.op.forward, arrays, one.attributes))
    shape = [
        size if k is None else 1 for k, size in zip(at, one.whole.shape, strict=True)
    ]
    return np.broadcast_to(found, (one.copies, *shape)), at


def _widened(array: Array, ndim: int) -> Array:
    """Put axes of length 1 behind the copies, for axes are counted from the end."""
    missing = ndim + 1 - array.ndim
    return array.reshape(len(array), *[1] * missing, *array.shape[1:])


def _reduced(one: _Call) -> _Found:
    ((_, part),) = one.parts
    ndim, axis = part.whole.ndim, one.attributes["axis"]
    gone = range(ndim) if axis is None else [k % ndim for k in np.atleast_1d(axis)]
    inside = tuple(None if k in gone else place for k, place in enumerate(part.at))
    attributes = {**one.attributes, "axis": tuple(int(k) + 1 for k in gone)}
    found = np.asarray(one.op.forward(part.along(inside), **attributes))
    if one.attributes["keepdims"]:
        return found, inside
    return found, tuple(place for k, place in enumerate(inside) if k not in gone)


def _sliced(one: _Call) -> _Found:
    """Put the copies in a row along an axis whose slices are independent."""
    letters = one.op.subscripts or one.op.axis_letters
    if letters is None:
        return None
    shapes = [np.shape(_whole(operand)) for operand in one.operands]
    inputs, output = letters(*shapes, **one.attributes).split("->")
    if one.attributes.get("reduction", "none") != "none":
        # Where samples are weighted, no mean of theirs is the mean of all.
        return _losses(one) if inputs.strip("*,") else None
    labels = inputs.split(",")
    same = [
        k for k, operand in enumerate(one.operands) if not isinstance(operand, Part)
    ]
    letter = _row_letter(labels, output, same, shapes)
    if not letter:
        return None
    # Another axis stays at its places only where no operand that is the same in all
    # copies would have to be cut there.
    needed = {label for k in same for label in labels[k]} - {letter}
    kept = ["*" if label in needed else label for label in output]
    at, places = _common(one, labels, kept)
    arrays = [
        _in_a_row(array, own.index(letter), None if copied else one.copies)
        if letter in own
        else array
        for (array, copied), own in zip(one.cut(places), labels, strict=True)
    ]
    found = np.asarray(call(one.op.forward, arrays, one.attributes))
    axis = output.index(letter)
    length = one.whole.shape[axis] if at[axis] is None else 1
    shape = (*found.shape[:axis], one.copies, length, *found.shape[axis + 1 :])
    return np.moveaxis(found.reshape(shape), axis, 0), at


def _losses(one: _Call) -> _Found:
    """Take the losses of samples, which are independent, and then their reduction."""
    attributes = {**one.attributes, "reduction": "none"}
    still = [_whole(operand) for operand in one.operands]
    whole = np.asarray(call(one.op.forward, still, attributes))
    found = _sliced(one._replace(attributes=attributes, whole=whole))
    if found is None:
        return None
    losses = Part(*found, whole).along((None,) * whole.ndim)
    reduced = np.mean if one.attributes["reduction"] == "mean" else np.sum
    return reduced(losses, tuple(range(1, losses.ndim))), ()


def _row_letter(
    labels: Sequence[str], output: str, same: Sequence[int], shapes: Sequence[Shape]
) -> str:
    """Return an axis of the result that all moving operands have; "" without one.

    Best is one that the others do not have, for they stay as they are.
    """
    moving = [own for k, own in enumerate(labels) if k not in same]
    lengths: dict[str, set[int]] = {}
    for own, shape in zip(labels, shapes, strict=True):
        for label, size in zip(own, shape, strict=True):
            lengths.setdefault(label, set()).add(size)
    found = [
        label
        for label in output
        if label != "*"
        and all(own.count(label) == 1 for own in moving)
        and all(labels[k].count(label) <= 1 for k in same)
        and len(lengths[label]) == 1
    ]
    found.sort(key=lambda label: sum(label in labels[k] for k in same))
    return found[0] if found else ""


def _in_a_row(array: Any, axis: int, count: int | None) -> Array:
    """Put the copies one after the other along an axis; `count` of one array."""
    copies = np.asarray(array)
    if count is not None:
        copies = np.broadcast_to(copies, (count, *copies.shape))
    copies = np.moveaxis(copies, 0, axis)
    shape = copies.shape
    length = shape[axis] * shape[axis + 1]
    return copies.reshape(*shape[:axis], length, *shape[axis + 2 :])


def _moved(one: _Call) -> _Found:
    """Follow elements to their places in an array of as many elements."""
    if one.op.variadic or len(one.operands) != 1 or not one.op.view:
        return None
    ((_, part),) = one.parts
    shape, size = part.whole.shape, part.whole.size
    if size != one.whole.size or any(
        place is None and n != 1 for place, n in zip(part.at, shape, strict=True)
    ):
        return None
    numbers: Array = np.reshape(np.arange(size), shape)
    came = np.ravel(call(one.op.forward, [numbers], one.attributes))
    goes = np.full(size, -1)
    goes[came] = np.arange(size)
    if np.any(goes < 0):
        return None
    zero = np.zeros(one.copies, np.intp)
    places = [zero if place is None else place for place in part.at]
    flat = np.ravel_multi_index(places, shape) if shape else zero
    at = np.unravel_index(goes[flat], one.whole.shape) if one.whole.ndim else ()
    values = part.values.reshape(one.copies, *(1 for _ in at))
    return values, _places(at, one.whole.shape)


def _whole(operand: Any) -> Any:
    return operand.whole if isinstance(operand, Part) else operand


def _common(
    one: _Call, labels: Sequence[Sequence[Any]], output: Sequence[Any]
) -> tuple[Places, list[Places]]:
    """Return at which places the result is computed, and each operand needed.

    An axis of the result stays at its places where all that move agree on them: what
    moves without having the axis moves all along it.
    """
    lengths = dict(zip(output, one.whole.shape, strict=True))
    found: dict[Any, Array | None] = {}
    for argument, part in one.parts:
        found |= dict.fromkeys(lengths.keys() - set(labels[argument]))
        axes = zip(labels[argument], part.at, part.whole.shape, strict=True)
        for label, place, size in axes:
            if size != 1 or lengths.get(label) != 1:
                found[label] = _agreed(found.get(label, place), place)
    fixed = {k: v for k, v in found.items() if k in lengths and k != "*"}
    places = [
        tuple(
            None if size == 1 else fixed.get(label)
            for label, size in zip(own, np.shape(_whole(operand)), strict=True)
        )
        for own, operand in zip(labels, one.operands, strict=True)
    ]
    return _places([fixed.get(label) for label in output], one.whole.shape), places


def _agreed(one: Array | None, other: Array | None) -> Array | None:
    if one is None or other is None:
        return None
    return one if one is other or np.array_equal(one, other) else None


_KINDS: Final[Mapping[str, Callable[[_Call], _Found]]] = {
    "elementwise": _elementwise,
    "contract": _sliced,
    "reduce": _reduced,
    "block": _sliced,
    "move": _moved,
    "gather": lambda one: None,
}
