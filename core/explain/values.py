"""What an element of a value was computed from."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, overload

import numpy as np

from ..engine.copies import views
from ..engine.measure import largest
from ..words.events import element_name
from .axes import Portion, axis_letters, contraction, kept_axes, sizes_of, slices
from .factors import AT_ONCE, applied, dependent, picks

if TYPE_CHECKING:
    from ..engine.element import Index
    from ..engine.graph import Node
    from ..engine.run import Run
    from ..engine.trace import Trace
    from ..ops.table import Array, Op, Shape

_MOST_TERMS: Final = 10_000


class Factor(NamedTuple):
    """An element of an operand: one factor of a term of a value."""

    node: int  # the operand
    index: Index  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    value: float  # the element itself


@dataclass(frozen=True, slots=True, eq=False)
class Factors(Sequence[Factor]):
    """Elements of one operand as columns: a factor is made when it is looked at.

    `places` has a row for each, which is its index.
    """

    node: int  # the operand
    places: Array
    values: Array  # of the elements, in the same order

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, number: int) -> Factor: ...
    @overload
    def __getitem__(self, number: slice) -> Factors: ...
    def __getitem__(self, number: int | slice) -> Factor | Factors:
        if isinstance(number, slice):
            return Factors(self.node, self.places[number], self.values[number])
        index = tuple(self.places[number].tolist())
        return Factor(self.node, index, self.values[number].item())

    def __iter__(self) -> Iterator[Factor]:
        rows = zip(self.places.tolist(), self.values.tolist(), strict=True)
        return (Factor(self.node, tuple(index), value) for index, value in rows)


@dataclass(frozen=True, slots=True, eq=False)
class Products(Sequence[Sequence[Factor]]):
    """The terms of a sum of products: the factors of each, made when looked at."""

    columns: tuple[Factors, ...]  # of each operand, all as long

    @property
    def numbers(self) -> Array:
        """The products."""
        first, *others = (column.values for column in self.columns)
        with np.errstate(all="ignore"):
            return functools.reduce(np.multiply, others, first)

    def __len__(self) -> int:
        return len(self.columns[0])

    @overload
    def __getitem__(self, number: int) -> Sequence[Factor]: ...
    @overload
    def __getitem__(self, number: slice) -> Products: ...
    def __getitem__(self, number: int | slice) -> Sequence[Factor] | Products:
        if isinstance(number, slice):
            return Products(tuple(column[number] for column in self.columns))
        return tuple(column[number] for column in self.columns)

    def __iter__(self) -> Iterator[Sequence[Factor]]:
        return zip(*self.columns, strict=True)


class ValueExplanation(NamedTuple):
    """One element of a value, opened into what it was computed from.

    For a sum of products `terms` are the products; for other operations there is one
    term, whose factors are the elements that the result was computed from.
    """

    node: int  # its number
    # of the element
    index: Index  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    value: float  # as the run has it
    terms: Sequence[Sequence[Factor]]
    more: int = 0  # terms that were left out, of a very long sum

    @property
    def products(self) -> bool:
        """Whether the terms are products that add up to the value."""
        return isinstance(self.terms, Products)

    def largest(self, count: int) -> list[tuple[float, Sequence[Factor]]]:
        """Return the terms with the largest products; those that are NaN come first."""
        if not isinstance(self.terms, Products):
            return []
        numbers = self.terms.numbers
        places = largest(numbers, count).tolist()
        return [(float(numbers[n]), self.terms[n]) for n in places]

    def record(self, trace: Trace) -> dict[str, Any]:
        """Return it as plain data, with all terms."""
        nodes = trace.run.graph.nodes
        return {
            "element": element_name(nodes[self.node], self.index),
            "sum": self.value,
            "terms": [
                [f._asdict() | {"node": nodes[f.node].name} for f in term]
                for term in self.terms
            ],
            "complete": self.more == 0,
        }


# ------------------------------------------------------------------------------ opening


def explain_value(run: Run, node: int, index: Index) -> ValueExplanation:
    """Open one element of a value into the elements that it was computed from."""
    consumer = run.graph.nodes[node]
    value = float(run.value(node)[index])
    op = consumer.op
    if op is None:
        return ValueExplanation(node, index, value, ())
    labels = contraction(run, consumer)
    if labels is not None:
        terms, more = _products(run, consumer, labels, index)
        return ValueExplanation(node, index, value, terms, more)
    sources = [
        factors
        for argument in range(len(consumer.operands))
        if len(factors := _sources(run, consumer, op, argument, index))
    ]
    if op.reduction != "sum":
        one = sources[0] if len(sources) == 1 else sum(map(tuple, sources), ())
        return ValueExplanation(node, index, value, (one[:_MOST_TERMS],))
    terms = Products(tuple(sources) or (_none(consumer.operands[0]),))
    count = len(terms)
    if op.kind == "reduce":
        operand = run.values[consumer.operands[0]]
        count = np.size(operand) // max(np.size(run.values[node]), 1)
    more = max(count - _MOST_TERMS, 0)
    return ValueExplanation(node, index, value, terms[:_MOST_TERMS], more)


def all_products(run: Run, consumer: Node, index: Index) -> Products | None:
    """Return every product of a sum of products; None for what is none."""
    labels = contraction(run, consumer)
    if labels is None:
        return None
    return _products(run, consumer, labels, index, None)[0]


def source_of_copy(
    run: Run, consumer: Node, argument: int, index: Index
) -> Index | None:
    """Return which element of an operand an element is a copy of; None without one."""
    if consumer.op is None:
        return None
    found = _sources(run, consumer, consumer.op, argument, index)
    return found[0].index if len(found) else None


def _products(
    run: Run,
    consumer: Node,
    labels: tuple[Sequence[str], str],
    index: Index,
    most: int | None = _MOST_TERMS,
) -> tuple[Products, int]:
    inputs, output = labels
    shapes = [np.shape(run.values[i]) for i in consumer.operands]
    sizes = sizes_of(inputs, shapes)
    fixed = dict(zip(output, index, strict=True))
    inner = [label for label in sizes if label not in fixed]
    count = int(np.prod([sizes[label] for label in inner], dtype=float))
    numbers = np.arange(count if most is None else min(count, most))
    places = (
        np.unravel_index(numbers, [sizes[label] for label in inner]) if inner else ()
    )
    at: dict[str, Any] = dict(zip(inner, places, strict=True))
    at |= {label: np.full(len(numbers), i) for label, i in fixed.items()}
    columns: list[Factors] = []
    for operand, text, shape in zip(consumer.operands, inputs, shapes, strict=True):
        where = [
            np.zeros_like(numbers) if size == 1 else at[label]
            for label, size in zip(text, shape, strict=True)
        ]
        values = np.broadcast_to(
            run.value(operand)[tuple(where)].astype(float), numbers.shape
        )
        rows = np.reshape(np.transpose(where), (len(numbers), len(where)))
        columns.append(Factors(operand, rows, values))
    return Products(tuple(columns)), max(count - _MOST_TERMS, 0)


def _sources(run: Run, consumer: Node, op: Op, argument: int, index: Index) -> Factors:
    """Return the elements of an operand that an element of the result depends on."""
    operand = consumer.operands[argument]
    array = run.value(operand)
    if op.kind == "elementwise":
        extra = len(np.shape(run.values[consumer.index])) - array.ndim
        at = zip(array.shape, index[extra:], strict=True)
        return _factors(operand, array, [[0 if size == 1 else i for size, i in at]])
    rule = op.vjp(argument)
    # Whole numbers may be class numbers, or the index of what is taken.
    picks = op.kind == "gather" and argument >= len(op.operands) - op.variadic
    is_index = op.kind == "block" or picks
    if rule is None or (is_index and array.dtype.kind != "f"):
        return _none(operand)
    if op.kind == "reduce":
        return _slice_sources(consumer, operand, array, index)
    if op.kind == "block":
        if index:
            return _block_sources(run, consumer, op, argument, index)
        # One number of all of them, such as a loss: they are gone through once.
        key = ("block", consumer.index, argument)
        return run.recent.of(
            key, lambda: _block_sources(run, consumer, op, argument, index)
        )
    seen = views(run, consumer, argument)
    if seen is not None:
        box = seen.source(index)
        firsts = [] if box is None else [[axis.start for axis in box]]
        return _factors(operand, array, firsts)
    exact = op.kind in ("move", "gather")
    one = np.zeros_like(run.value(consumer.index), dtype=np.bool_ if exact else None)
    one[index] = 1
    places = _nonzero(applied(run, consumer, rule, one[()]), array.shape)
    return _factors(operand, array, places)


def _none(operand: int) -> Factors:
    return Factors(operand, np.zeros((0, 0), int), np.zeros(0))


def _factors(operand: int, array: Array, places: Any) -> Factors:
    """Return the elements at some places of an operand."""
    rows = np.reshape(np.array(places, dtype=int), (len(places), array.ndim))
    values = array[tuple(rows.T)] if array.ndim else np.full(len(rows), array)
    is_truth = values.dtype.kind == "b"  # True reads True
    return Factors(operand, rows, values if is_truth else values.astype(float))


def _nonzero(array: Array, shape: Shape) -> Array:
    """Return the first places at which an array is not 0, as rows of indices."""
    flat = np.ravel(np.broadcast_to(array, shape) != 0)
    found: list[Array] = []
    count = start = 0
    while start < flat.size and count < _MOST_TERMS:
        part = np.flatnonzero(flat[start : start + AT_ONCE]) + start
        found.append(part)
        start, count = start + AT_ONCE, count + len(part)
    places = np.concatenate([*found, np.zeros(0, int)])[:_MOST_TERMS].astype(int)
    return _unravelled(places, shape)


def _unravelled(places: Array, shape: Shape) -> Array:
    """Return flat places as rows of indices."""
    if not shape:
        return np.zeros((len(places), 0), int)
    return np.transpose(np.unravel_index(places, shape))


def _block_sources(
    run: Run, consumer: Node, op: Op, argument: int, index: Index
) -> Factors:
    """Return the elements that an element of a block's result depends on."""
    operand = consumer.operands[argument]
    array, rule = run.value(operand), op.vjp(argument)
    inputs, output = axis_letters(run, consumer, op)
    fixed = dict(zip(output, index, strict=True))
    part = Portion.of(run, consumer, inputs, output, fixed)
    chosen = np.zeros(part.result.shape, np.bool_)
    chosen[tuple(i if a == "*" else 0 for a, i in zip(output, index, strict=True))] = 1
    if rule is None:
        return _none(operand)
    if op.mixes:
        one = chosen.astype(part.result.dtype)
        with np.errstate(all="ignore"):
            sent = rule(one[()], part.result, *part.operands, **consumer.attributes)
    else:  # what it is multiplied by may be 0
        sent = dependent(rule, chosen, part, consumer, picks=picks(op))
    own = slices(inputs[argument], array.shape, fixed)
    places = _nonzero(sent, array[own].shape)
    corner = np.array([at.start for at in own], dtype=int)
    return _factors(operand, array, places + corner)


def _slice_sources(consumer: Node, operand: int, array: Array, index: Index) -> Factors:
    """Return the first elements of the slice that is reduced to one element."""
    kept = kept_axes(consumer, array.ndim)
    rest = index if len(index) < array.ndim else [index[a] for a in kept]
    at = dict(zip(kept, rest, strict=True))
    spans = [1 if axis in at else size for axis, size in enumerate(array.shape)]
    numbers = np.arange(min(int(np.prod(spans)), _MOST_TERMS))
    places = _unravelled(numbers, tuple(spans))
    corner = np.array([at.get(axis, 0) for axis in range(array.ndim)], dtype=int)
    return _factors(operand, array, places + corner)
