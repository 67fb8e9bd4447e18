"""The local factors of one element: ∂consumer[j]/∂operand[index] for every j.

They come from the jvp rules, one way for each kind of operation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from ..engine.backward import broadcast_axes
from ..engine.cells import slopes, slopes_at
from ..engine.copies import views
from ..engine.element import Index, index_of
from .axes import Portion, attribute, axis_letters, contraction, kept_axes, sizes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..engine.graph import Edge, Node
    from ..engine.run import Run
    from ..ops.table import Array, Kind, Op, Rule, Shape

AT_ONCE: Final = 1_000_000  # elements that are searched together


def local_factors(run: Run, edge: Edge, index: Index) -> tuple[Array, Array]:
    """Return the flat places j and the factors ∂consumer[j]/∂operand[index].

    Every element of the consumer that can depend on the operand's element is there,
    those whose factor happens to be zero included. Raises `ValueError` where the
    consumer is a leaf.
    """
    consumer = run.graph.nodes[edge.consumer]
    op = consumer.op
    if op is None:
        raise ValueError(f"{consumer.name} is not computed")
    with np.errstate(all="ignore"):
        return _FACTORS[op.kind](run, consumer, op, edge, index)


def factor_blocks(run: Run, edge: Edge, index: Index) -> Iterator[tuple[Array, Array]]:
    """Yield the local factors of an edge, in order, not too many at once.

    An operand that was broadcast is used as often as it was repeated. Raises
    `ValueError` where the consumer is a leaf.
    """
    op = run.graph.nodes[edge.consumer].op
    kind = op and op.kind
    if kind == "elementwise":
        for along in _boxes(_repeated(run, edge, index)):
            with np.errstate(all="ignore"):
                yield _slopes_along(run, edge, along)
    elif kind in ("move", "gather"):
        for places in _places_of_copies(run, edge, index):
            yield places, np.ones(len(places))
    elif kind == "block":
        yield from _block_in_pieces(run, edge, index)
    else:
        places, local = local_factors(run, edge, index)
        for start in range(0, max(len(places), 1), AT_ONCE):
            yield places[start : start + AT_ONCE], local[start : start + AT_ONCE]


def _boxes(along: Sequence[range]) -> Iterator[list[range]]:
    """Cut a box into smaller ones, in order, with not too many elements each."""
    count = math.prod(map(len, along))
    if count <= AT_ONCE:
        yield list(along)
        return
    first = next(axis for axis, span in enumerate(along) if len(span) > 1)
    each = max(AT_ONCE * len(along[first]) // count, 1)
    for start in range(0, len(along[first]), each):
        part = along[first][start : start + each]
        yield from _boxes([*along[:first], part, *along[first + 1 :]])


class Uses(NamedTuple):
    """Some of the elements of one consumer that an element goes to.

    Each has its place and its local derivative.
    """

    edge: Edge  # by which it goes there
    shape: Shape  # of the consumer
    places: Array  # flat, in its value
    local: Array  # ∂ consumer there / ∂ element

    def elements(self) -> Iterator[tuple[Index, float]]:
        """Yield them one by one: the element of the consumer, the local derivative."""
        for place, factor in zip(self.places, self.local, strict=True):
            yield index_of(place, self.shape), float(factor)


def uses_in_blocks(run: Run, node: int, index: Index) -> Iterator[Uses]:
    """Yield where an element goes, not too many places at once.

    Whole numbers and truth values have no derivatives, so nothing is yielded for them.
    """
    if run.value(node).dtype.kind != "f":
        return
    for edge in reversed(run.graph.consumers[node]):
        if run.graph.nodes[edge.consumer].op is not None:
            shape = np.shape(run.values[edge.consumer])
            for places, local in factor_blocks(run, edge, index):
                yield Uses(edge, shape, places, local)


def uses_of(run: Run, node: int, index: Index) -> Iterator[tuple[Edge, Index, float]]:
    """Yield where an element goes: edge, element of the consumer, local derivative."""
    for uses in uses_in_blocks(run, node, index):
        for place, local in uses.elements():
            yield uses.edge, place, local


# --------------------------------------------------------------- each kind of operation


def _elementwise(
    run: Run, _consumer: Node, _op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Take the elements at the same place; all along the axes that were broadcast."""
    return _slopes_along(run, edge, _repeated(run, edge, index))


def _repeated(run: Run, edge: Edge, index: Index) -> list[range]:
    """Return where an element of an operand stands in the result."""
    shape, narrow = (np.shape(run.values[i]) for i in (edge.consumer, edge.operand))
    repeated = set(broadcast_axes(shape, narrow))
    extra = len(shape) - len(narrow)
    starts = [0 if a in repeated else index[a - extra] for a in range(len(shape))]
    return [
        range(size) if axis in repeated else range(start, start + 1)
        for axis, (size, start) in enumerate(zip(shape, starts, strict=True))
    ]


def _slopes_along(run: Run, edge: Edge, along: Sequence[range]) -> tuple[Array, Array]:
    """Return the flat places and the slopes of an elementwise operation in a box."""
    consumer = run.graph.nodes[edge.consumer]
    shape = np.shape(run.values[edge.consumer])
    places = np.zeros(1, dtype=int)
    for span, size in zip(along, shape, strict=True):
        places = np.add.outer(places * size, np.arange(span.start, span.stop)).ravel()
    rule = consumer.op.jvp(edge.argument) if consumer.op else None
    if rule is None:
        return places, np.zeros(len(places))
    box = tuple(slice(span.start, span.stop) for span in along)
    local = slopes_at(run, consumer, rule, box)
    return places, np.ravel(local).astype(float)


def slope_there(run: Run, edge: Edge, index: Index) -> float | None:
    """Return the local derivative at an element's own place in the result.

    It is None where more than that place belongs to it, or where the number was not
    computed in float64.
    """
    rows, values = run.graph.nodes.rows, run.values
    _, _, _, op, operands, attributes, shape, _ = rows[edge.consumer]
    if op is None or op.kind != "elementwise" or attributes or op.parameters:
        return None
    rule = op.jvp(edge.argument)
    if rule is None:
        return None
    given: list[Any] = [values[edge.consumer], *[values[one] for one in operands]]
    if not shape:
        is_same = all(type(value) is float for value in given)
        return float(rule(_ONE, *given)) if is_same else None
    for value in given:
        if not isinstance(value, np.ndarray):
            return None
        array = cast("Array", value)
        if array.shape != shape or array.dtype.char != "d":
            return None
    box = tuple([slice(place, place + 1) for place in index])
    ones = _ONE.reshape((1,) * len(shape))
    return float(rule(ones, *[array[box] for array in given]).item())


_ONE: Final = np.ones(())


def _reduce(
    run: Run, consumer: Node, op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Take the one element that the slice with the operand's element becomes."""
    narrow, wide = (np.shape(run.values[i]) for i in (edge.operand, edge.consumer))
    kept = kept_axes(consumer, len(narrow))
    place = [i if a in kept else 0 for a, i in enumerate(index)]
    if len(wide) < len(narrow):
        place = [place[a] for a in kept]
    flat = np.ravel_multi_index(tuple(place), wide) if wide else 0
    local = slopes(run, consumer, op, edge.argument)[index]
    return np.array([flat]), np.reshape(local, 1).astype(float)


def _copies(
    run: Run, _consumer: Node, _op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Return the copies of an element: their places, and the factor 1 of each."""
    places = np.concatenate(list(_places_of_copies(run, edge, index)))
    return places, np.ones(len(places))


def _places_of_copies(run: Run, edge: Edge, index: Index) -> Iterator[Array]:
    """Yield the flat places of the copies of an element, not too many at once."""
    consumer = run.graph.nodes[edge.consumer]
    wide = np.shape(run.values[edge.consumer])
    seen = views(run, consumer, edge.argument)
    if seen is not None:
        whole = seen.into(index)
        if whole is None:
            yield np.zeros(0, dtype=int)
            return
        for box in _boxes(whole):
            places = np.ravel_multi_index(np.ix_(*box), wide) if wide else 0
            yield np.ravel(places)
        return
    # Only whether an element is a copy matters: booleans take the least room.
    one = np.zeros(np.shape(run.values[edge.operand]), np.bool_)
    one[index] = True
    rule = None if consumer.op is None else consumer.op.jvp(edge.argument)
    copied = np.ravel(applied(run, consumer, rule, one))
    for start in range(0, max(copied.size, 1), AT_ONCE):
        places = np.flatnonzero(copied[start : start + AT_ONCE])
        if places.size or not start:
            yield places + start


def applied(run: Run, consumer: Node, rule: Rule | None, one: Array) -> Array:
    """Return what a rule makes of an array; nothing where there is no rule."""
    if rule is None:
        return np.zeros(0)
    y = run.values[consumer.index]
    operands = [run.values[i] for i in consumer.operands]
    return np.asarray(rule(one, y, *operands, **consumer.attributes))


def _one_hot(
    run: Run, consumer: Node, op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Send a one through the jvp, and take the elements that it reaches."""
    one = np.zeros_like(np.asarray(run.values[edge.operand]))
    one[index] = 1
    local = applied(run, consumer, op.jvp(edge.argument), one)
    places = np.flatnonzero(local)  # NaN is not 0
    return places, local.ravel()[places].astype(float)


def _block(
    run: Run, _consumer: Node, _op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Send a one through the jvp of the part of an operation that it can reach."""
    places, local = zip(*_block_in_pieces(run, edge, index), strict=True)
    return np.concatenate(places), np.concatenate(local)


def _block_in_pieces(
    run: Run, edge: Edge, index: Index
) -> Iterator[tuple[Array, Array]]:
    """Yield the same, not too many at once."""
    consumer = run.graph.nodes[edge.consumer]
    op = cast("Op", consumer.op)
    inputs, output = axis_letters(run, consumer, op)
    mine = inputs[edge.argument]
    part = Portion.of(
        run, consumer, inputs, output, dict(zip(mine, index, strict=True))
    )
    rule = op.jvp(edge.argument)
    if rule is None:
        yield np.zeros(0, dtype=int), np.zeros(0)
        return
    one = np.zeros_like(part.operands[edge.argument])
    one[tuple(i if a == "*" else 0 for a, i in zip(mine, index, strict=True))] = 1
    with np.errstate(all="ignore"):
        local = np.asarray(
            rule(one, part.result, *part.operands, **consumer.attributes), dtype=float
        )
    if attribute(consumer, "reduction") == "mean":
        # The mean is one over all samples, and the part has but one of them.
        local = local / (np.size(run.values[edge.operand]) // max(one.size, 1))
    chosen = one != 0
    del one  # it may be large, as all that follows
    reached = local != 0  # NaN is not 0
    is_slice = "axis" in consumer.attributes and mine == output and not op.reduction
    if is_slice and not reached.all():  # those of factor 0 as well
        reached = dependent(rule, chosen, part, consumer)
    if op.factors is not None:
        local = _without_others(run, consumer, op, edge, index, part, local)
        reached = dependent(rule, chosen, part, consumer)  # of factor 0 as well
    wide = np.shape(run.values[consumer.index])
    slopes, own = local.ravel(), local.shape
    reached = np.ravel(reached)
    for start in range(0, max(slopes.size, 1), AT_ONCE):
        here = np.flatnonzero(reached[start : start + AT_ONCE]) + start
        if here.size or not start:
            yield _in_whole(here, own, part.box, wide), slopes[here]


def _in_whole(places: Array, own: Shape, box: Sequence[range], wide: Shape) -> Array:
    """Return the flat places in a result of flat places in a part of it."""
    if not wide:
        return places
    at = np.unravel_index(places, own)
    starts = (span.start for span in box)
    moved = tuple(one + start for one, start in zip(at, starts, strict=True))
    return np.ravel_multi_index(moved, wide)


def dependent(
    rule: Rule, chosen: Array, part: Portion, consumer: Node, *, picks: bool = False
) -> Array:
    """Tell which elements of a result depend on chosen ones, whatever the numbers are.

    A NaN is sent forth from these, and is not lost where it is multiplied by 0. No
    other number may be NaN or infinite, for 0 · ∞ is NaN, too: an operation that only
    `picks` multiplies none. By a vjp, it is sent back from chosen elements of a result
    to all that they depend on.
    """
    arrays = [part.result, *part.operands]
    if not picks:
        arrays = [finite(array) for array in arrays]
    one = np.where(chosen, part.result.dtype.type(np.nan), 0)
    with np.errstate(all="ignore"):
        return np.isnan(np.asarray(rule(one, *arrays, **consumer.attributes)))


def reached(run: Run, edge: Edge, index: Index) -> tuple[Index, ...]:
    """Return the elements of a result that depend on an element, some at least."""
    node = run.graph.nodes[edge.consumer]
    op = node.op
    rule = None if op is None else op.jvp(edge.argument)
    if op is None or op.kind not in ("block", "contract") or rule is None:
        return ()
    inputs, output = axis_letters(run, node, op)
    mine = inputs[edge.argument]
    fixed = dict(zip(mine, index, strict=True))
    part = Portion.of(run, node, inputs, output, fixed)
    chosen = np.zeros(part.operands[edge.argument].shape, np.bool_)
    chosen[tuple(i if a == "*" else 0 for a, i in zip(mine, index, strict=True))] = True
    found = dependent(rule, chosen, part, node, picks=picks(op))
    starts = tuple(span.start for span in part.box)
    rows = np.argwhere(found)[:_MOST_REACHED]
    return tuple(tuple((row + np.array(starts, int)).tolist()) for row in rows)


_MOST_REACHED: Final = 4096


def picks(op: Op) -> bool:
    """Tell whether a result is one of its numbers: no rule multiplies by them then."""
    return any(case.cause == "chosen" for case in op.cases)


def finite(array: Any) -> Any:
    """Return an array with a number in the place of each NaN and infinity."""
    numbers = np.asarray(array)
    return np.nan_to_num(numbers) if numbers.dtype.kind == "f" else array


def numbers_at(array: Array, places: Array) -> Array:
    """Return the numbers at places, an index in each row; outside there are zeros."""
    inside = np.all((places >= 0) & (places < np.array(array.shape)), axis=1)
    found = np.zeros(len(places))
    found[inside] = array[tuple(places[inside].T)].astype(float)
    return found


def _without_others(
    run: Run,
    consumer: Node,
    op: Op,
    edge: Edge,
    index: Index,
    part: Portion,
    local: Array,
) -> Array:
    """Return slopes in which no 0 has met an infinity of another product.

    A one is sent forth among zeros, and these have met all the others.
    """
    values = [run.value(operand) for operand in consumer.operands]
    shapes = [value.shape for value in values]
    found = np.array(local)
    for at in map(tuple, np.argwhere(np.isnan(local))):
        place = tuple(int(i) + span.start for i, span in zip(at, part.box, strict=True))
        rows = op.factors(place, *shapes, **consumer.attributes) if op.factors else ()
        if edge.argument >= len(rows):
            continue  # what is added as it is
        met = np.all(rows[edge.argument] == np.array(index), axis=1)
        others = [
            numbers_at(values[k], own[met])
            for k, own in enumerate(rows)
            if k != edge.argument
        ]
        with np.errstate(all="ignore"):
            found[at] = np.sum(np.prod(others, axis=0))
    return found


def _contract(
    run: Run, consumer: Node, op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Take the other factors of every product that the element is in."""
    labels = contraction(run, consumer)
    if labels is None:
        return _one_hot(run, consumer, op, edge, index)
    inputs, output = labels
    mine = inputs[edge.argument]
    if any(i != index[mine.index(label)] for label, i in zip(mine, index, strict=True)):
        return np.zeros(0, int), np.zeros(0)  # beside a diagonal nothing is used
    shapes = [np.shape(run.values[i]) for i in consumer.operands]
    sizes = sizes_of(inputs, shapes)
    fixed = {
        label: i
        for label, i, size in zip(mine, index, shapes[edge.argument], strict=True)
        if size == sizes[label]
    }
    others: list[Any] = []
    for argument, (text, shape) in enumerate(zip(inputs, shapes, strict=True)):
        if argument == edge.argument:
            continue
        array = run.values[consumer.operands[argument]]
        others += _fixed(array, text, shape, sizes, fixed)
    free = "".join(label for label in output if label not in fixed)
    local = _einsum(others, free, sizes)
    shape = np.shape(run.values[consumer.index])
    along = [
        (fixed[label],) if label in fixed else range(size)
        for label, size in zip(output, shape, strict=True)
    ]
    places = np.ravel_multi_index(np.ix_(*along), shape) if shape else np.zeros(1, int)
    return np.ravel(places), np.ravel(local)


def _fixed(
    array: Any,
    text: str,
    shape: Shape,
    sizes: Mapping[str, int],
    fixed: Mapping[str, int],
) -> tuple[Array, str]:
    """Take the slice of an operand at the fixed labels; drop axes that broadcast."""
    where: list[Any] = []
    left = ""
    for label, size in zip(text, shape, strict=True):
        if size == 1 and sizes[label] != 1:
            where.append(0)
        elif label in fixed:
            where.append(fixed[label])
        else:
            where.append(slice(None))
            left += label
    return np.asarray(np.asarray(array)[tuple(where)], dtype=float), left


def _einsum(others: list[Any], free: str, sizes: Mapping[str, int]) -> Array:
    arrays, texts = others[::2], others[1::2]
    present = "".join(label for label in free if any(label in text for text in texts))
    local = (
        np.einsum(",".join(texts) + "->" + present, *arrays, optimize=True)
        if arrays
        else np.ones(())
    )
    shape = tuple(sizes[label] if label in present else 1 for label in free)
    return np.broadcast_to(
        np.reshape(local, shape), tuple(sizes[label] for label in free)
    )


_FACTORS: Final[Mapping[Kind, Any]] = {
    "elementwise": _elementwise,
    "contract": _contract,
    "reduce": _reduce,
    "move": _copies,
    "gather": _copies,
    "block": _block,
}
