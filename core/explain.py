"""Where a number comes from.

```
grad_v[i] = Σ over edges (c, k) of  Σ over j of  grad_c[j] · ∂c[j]/∂v[i]
```

The factors ∂c[j]/∂v[i] come from the jvp rules, the gradients themselves from the vjp
rules: that an explanation adds up is a check of one by the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from itertools import product as every
from typing import Any, Final

import numpy as np

from .graph import Edge, Node
from .ops.table import Array, Kind, Op, Shape
from .run import Run, broadcast_axes
from .slopes import slopes_at
from .trace import Trace

Index = tuple[int, ...]

_MOST_HOPS: Final = 10_000  # exact copies passed through before giving up


@dataclass(frozen=True, slots=True)
class Term:
    """One product: what element `index` of the consumer's gradient sends back."""

    consumer: int
    argument: int
    index: Index
    upstream: float
    local: float
    product: float


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one edge adds to one element: its terms as columns, and their stored sum.

    `places` are the flat indices of the consumer's elements; `upstream`, `local` and
    `product` belong to them, one by one. `stored` is what the backward pass added,
    whose rounding can differ in the last digits. `summed` are the broadcast axes that
    were summed over, from shape `wide`.
    """

    edge: Edge
    event: int
    wide: Shape
    summed: tuple[int, ...]
    places: Array
    upstream: Array
    local: Array
    product: Array
    stored: float
    patched: bool = False

    def __len__(self) -> int:
        return len(self.places)

    def index(self, number: int) -> Index:
        """Return the index of the consumer's element that term `number` is of."""
        place = np.unravel_index(int(self.places[number]), self.wide)
        return tuple(int(i) for i in place)

    def term(self, number: int) -> Term:
        """Return one term."""
        return Term(
            self.edge.consumer,
            self.edge.argument,
            self.index(number),
            float(self.upstream[number]),
            float(self.local[number]),
            float(self.product[number]),
        )

    def largest(self, count: int) -> Iterator[Term]:
        """Yield the terms with the largest products; those that are NaN come first."""
        return (self.term(int(number)) for number in self._order()[:count])

    def rest(self, count: int) -> float | None:
        """Return the sum of all but the `count` largest terms; None without any."""
        if len(self) <= count:
            return None
        with np.errstate(all="ignore"):
            return float(np.sum(self.product[self._order()[count:]]))

    def _order(self) -> Array:
        size = np.abs(self.product)
        return np.argsort(np.where(np.isnan(size), -np.inf, -size), kind="stable")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One element of a gradient at a position, opened into its terms.

    `sum` is the accumulated gradient there, None before anything has arrived.
    `passed` are the exact copies between the element asked about and `node`, `index`,
    where the terms are; it is empty where the element itself has them.
    """

    asked: tuple[int, Index]
    node: int
    index: Index
    sum: float | None
    parts: tuple[Part, ...]
    uses: tuple[int, int]
    passed: tuple[Term, ...] = ()
    seed: float | None = None  # what entered here as the seed
    written: bool = False  # a patch wrote over the sum

    @property
    def complete(self) -> bool:
        """Tell whether everything that will arrive has arrived."""
        return self.uses[0] == self.uses[1]

    def terms(self) -> Iterator[Term]:
        """Yield every term, edge by edge in the order of the pass."""
        for part in self.parts:
            yield from (part.term(number) for number in range(len(part)))

    def record(self, trace: Trace) -> dict[str, Any]:
        """Return it as plain data, with all terms."""
        nodes = trace.run.graph.nodes
        asked, index = self.asked
        return {
            "element": element_name(nodes[asked], index, "grad"),
            "sum": self.sum,
            "terms": [
                {
                    "consumer": nodes[term.consumer].name,
                    "argument": term.argument,
                    "index": list(term.index),
                    "upstream": term.upstream,
                    "local": term.local,
                    "product": term.product,
                }
                for term in (self.passed or self.terms())
            ],
            "complete": self.complete,
        }


@dataclass(frozen=True, slots=True)
class Factor:
    """An element of an operand: one factor of a term of a value."""

    node: int
    index: Index
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class ValueExplanation:
    """One element of a value, opened into what it was computed from.

    For a sum of products `terms` are the products; for other operations there is one
    term, whose factors are the elements that the result was computed from.
    """

    node: int
    index: Index
    value: float
    products: bool
    terms: tuple[tuple[Factor, ...], ...]
    more: int = 0  # terms that were left out, of a very long sum

    def largest(self, count: int) -> list[tuple[float, tuple[Factor, ...]]]:
        """Return the terms with the largest products; those that are NaN come first."""
        products = [math.prod(f.value for f in term) for term in self.terms]
        order = sorted(range(len(products)), key=lambda n: _rank(products[n]))
        return [(products[n], self.terms[n]) for n in order[:count]]


def _rank(product: float) -> float:
    return -math.inf if math.isnan(product) else -abs(product)


def element_name(node: Node, index: Index | None, quantity: str = "value") -> str:
    """Return an element as it is typed: `W1.grad[0, 2]`."""
    name = node.name + (".grad" if quantity == "grad" else "")
    return f"{name}[{', '.join(map(str, index))}]" if index else name


# ------------------------------------------------------------------- gradients


def explain_gradient(
    trace: Trace, node: int, index: Index, position: int, *, follow: bool = True
) -> Explanation:
    """Open one element of a gradient into its terms.

    While the element is nothing but an exact copy of one element upstream, the copy is
    passed through, unless `follow` is False.
    """
    asked = (node, index)
    passed: list[Term] = []
    for _ in range(_MOST_HOPS):
        found = _opened(trace, node, index, position)
        copy = _copy(trace, found) if follow else None
        if copy is None:
            break
        passed.append(copy)
        node, index = copy.consumer, copy.index
    else:
        found = _opened(trace, node, index, position)
    return Explanation(
        asked,
        node,
        index,
        found.sum,
        found.parts,
        found.uses,
        tuple(passed),
        found.seed,
        found.written,
    )


def _opened(trace: Trace, node: int, index: Index, position: int) -> Explanation:
    run = trace.run
    gradient = trace.gradient(node, position)
    parts: list[Part] = []
    seed: float | None = None
    for number in trace.arrivals(node):
        if number >= position:
            break
        if number == trace.seed_position:
            seed = float(np.asarray(run.seed)[index])
            continue
        event = trace.event(number)
        edge = Edge(*event)  # type: ignore[misc]
        parts.append(part_of(trace, edge, number, index))
    return Explanation(
        (node, index),
        node,
        index,
        None if gradient is None else float(gradient[index]),
        tuple(parts),
        trace.uses(node, position),
        seed=seed,
        written=any(w.node == node for w in run.writes),
    )


def part_of(trace: Trace, edge: Edge, number: int, index: Index) -> Part:
    """Return what one edge adds to element `index` of its operand."""
    run = trace.run
    upstream = np.asarray(trace.upstream(edge.consumer, number))
    places, local = local_factors(run, edge, index)
    sent = upstream.ravel()[places].astype(float)
    with np.errstate(all="ignore"):
        product = _as_computed(sent * local, np.asarray(run.values[edge.operand]))
    key = (edge.consumer, edge.argument)
    return Part(
        edge,
        number,
        upstream.shape,
        _summed(run, edge),
        places,
        sent,
        local,
        product,
        float(_contribution(trace, edge, number)[index]),
        key in run.patches.rules or key in run.patches.in_place,
    )


def _as_computed(product: Array, operand: Array) -> Array:
    """Let a product overflow and underflow as it did in the operand's dtype."""
    narrow = product.astype(operand.dtype).astype(float)
    return np.where(np.isfinite(narrow) & (narrow != 0), product, narrow)


def _contribution(trace: Trace, edge: Edge, number: int) -> Array:
    """Return what an edge added: the gradient itself, where nothing else adds to it."""
    run = trace.run
    gradient = run.gradient(edge.operand)
    if (
        len(trace.arrivals(edge.operand)) == 1
        and not run.writes
        and gradient is not None
    ):
        return gradient
    upstream = trace.upstream(edge.consumer, number)
    return np.asarray(run.contribution(edge.consumer, edge.argument, upstream))


def _summed(run: Run, edge: Edge) -> tuple[int, ...]:
    consumer = run.graph.nodes[edge.consumer]
    if consumer.op is None or consumer.op.kind != "elementwise":
        return ()
    return broadcast_axes(
        np.shape(run.values[edge.consumer]), np.shape(run.values[edge.operand])
    )


def _copy(trace: Trace, found: Explanation) -> Term | None:
    """Return the one term of an element that is an exact copy, or None."""
    if len(found.parts) != 1 or len(found.parts[0]) != 1 or not found.complete:
        return None
    part = found.parts[0]
    op = trace.run.graph.nodes[part.edge.consumer].op
    exact = op is not None and (op.kind in ("move", "gather") or op.name in _COPIES)
    if found.seed is not None or found.written or part.patched or not exact:
        return None
    term = part.term(0)
    return term if term.local == 1.0 else None


_COPIES: Final = frozenset({"add", "subtract"})


# --------------------------------------------------------------- local factors


def local_factors(run: Run, edge: Edge, index: Index) -> tuple[Array, Array]:
    """Return the flat places j and the factors ∂consumer[j]/∂operand[index].

    Every element of the consumer that can depend on the operand's element is there,
    those whose factor happens to be zero included.
    """
    consumer = run.graph.nodes[edge.consumer]
    op = consumer.op
    if op is None:
        raise ValueError(f"{consumer.name} is not computed")
    with np.errstate(all="ignore"):
        return _FACTORS[op.kind](run, consumer, op, edge, index)


def _operands(run: Run, consumer: Node) -> list[Any]:
    return [run.values[i] for i in consumer.operands]


def _tangent(run: Run, consumer: Node, op: Op, argument: int, tangent: Array) -> Array:
    rule = op.jvp(argument)
    if rule is None:
        return np.zeros(np.shape(run.values[consumer.index]))
    y = run.values[consumer.index]
    return np.asarray(
        rule(tangent, y, *_operands(run, consumer), **consumer.attributes), dtype=float
    )


def _elementwise(
    run: Run, consumer: Node, op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Take the elements at the same place; all along the axes that were broadcast."""
    shape = np.shape(run.values[consumer.index])
    narrow = np.shape(run.values[edge.operand])
    repeated = set(broadcast_axes(shape, narrow))
    extra = len(shape) - len(narrow)
    along = [
        range(size) if axis in repeated else (index[axis - extra],)
        for axis, size in enumerate(shape)
    ]
    region = np.ix_(*along)
    places = np.ravel_multi_index(region, shape) if shape else np.zeros(1, dtype=int)
    rule = op.jvp(edge.argument)
    if rule is None:
        return np.ravel(places), np.zeros(np.size(places))
    local = slopes_at(run, consumer, rule, region)
    return np.ravel(places), np.ravel(local).astype(float)


def _one_hot(
    run: Run, consumer: Node, op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Send a one through the jvp, and take the elements that it reaches."""
    one = np.zeros_like(np.asarray(run.values[edge.operand]))
    one[index] = 1
    local = _tangent(run, consumer, op, edge.argument, one)
    reached = local != 0  # NaN is not 0
    region = _slice_of(consumer, np.shape(run.values[edge.operand]), local.shape, index)
    if region is not None:
        reached = np.zeros(local.shape, dtype=bool)
        reached[region] = True
    places = np.flatnonzero(reached)
    return places, local.ravel()[places]


def _slice_of(
    consumer: Node, narrow: Shape, wide: Shape, index: Index
) -> tuple[Any, ...] | None:
    """Return the elements of the result in the slice that holds an element.

    For the operations that work along axes: those reduced away, or kept in length.
    """
    if consumer.op is None or "axis" not in consumer.attributes:
        return None
    along = _axes(consumer, len(narrow))
    if consumer.op.kind == "reduce":
        kept = consumer.attributes.get("keepdims", False)
        region = [
            0 if a in along else i
            for a, i in enumerate(index)
            if kept or a not in along
        ]
        return tuple(region) if len(region) == len(wide) else None
    if consumer.op.kind == "block" and narrow == wide:
        return tuple(slice(None) if a in along else i for a, i in enumerate(index))
    return None


def _axes(consumer: Node, ndim: int) -> set[int]:
    """Return the axes that an operation works along."""
    axis = consumer.attributes["axis"]
    axes = range(ndim) if axis is None else np.atleast_1d(axis)
    return {int(a) % ndim for a in axes} if ndim else set()


def _contract(
    run: Run, consumer: Node, op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Take the other factors of every product that the element is in."""
    labels = contraction(run, consumer)
    if labels is None:
        return _one_hot(run, consumer, op, edge, index)
    inputs, output = labels
    mine = inputs[edge.argument]
    shapes = [np.shape(run.values[i]) for i in consumer.operands]
    sizes = _sizes(inputs, shapes)
    if len(set(mine)) != len(mine):
        return _one_hot(run, consumer, op, edge, index)
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


def contraction(run: Run, consumer: Node) -> tuple[Sequence[str], str] | None:
    """Return the index labels of a sum of products: per operand, and of the result."""
    op = consumer.op
    if op is None or op.subscripts is None:
        return None
    shapes = [np.shape(run.values[i]) for i in consumer.operands]
    text = op.subscripts(*shapes, **consumer.attributes)
    if "." in text or "->" not in text:
        return None
    left, output = text.split("->")
    return left.split(","), output


def _sizes(inputs: Sequence[str], shapes: Sequence[Shape]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for text, shape in zip(inputs, shapes, strict=True):
        for label, size in zip(text, shape, strict=True):
            if sizes.get(label, 1) == 1:  # 1 broadcasts to any size, 0 included
                sizes[label] = size
    return sizes


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
    return np.asarray(array, dtype=float)[tuple(where)], left


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
    "reduce": _one_hot,
    "move": _one_hot,
    "gather": _one_hot,
    "block": _one_hot,
}


# --------------------------------------------------------------------- values

_MOST_TERMS: Final = 10_000


def explain_value(run: Run, node: int, index: Index) -> ValueExplanation:
    """Open one element of a value into the elements that it was computed from."""
    consumer = run.graph.nodes[node]
    value = float(run.value(node)[index])
    op = consumer.op
    if op is None:
        return ValueExplanation(node, index, value, False, ())
    labels = contraction(run, consumer) if op.kind == "contract" else None
    if labels is not None:
        terms, more = _products(run, consumer, labels, index)
        return ValueExplanation(node, index, value, True, terms, more)
    factors = [
        factor
        for argument in range(len(consumer.operands))
        for factor in _sources(run, consumer, op, argument, index)
    ]
    sums = op.name in ("sum", "cumsum")
    terms = tuple((factor,) for factor in factors) if sums else (tuple(factors),)
    count = len(terms)
    if sums and op.kind == "reduce":
        operand = run.values[consumer.operands[0]]
        count = np.size(operand) // max(np.size(run.values[node]), 1)
    return ValueExplanation(
        node, index, value, sums, terms[:_MOST_TERMS], max(count - _MOST_TERMS, 0)
    )


def _products(
    run: Run, consumer: Node, labels: tuple[Sequence[str], str], index: Index
) -> tuple[tuple[tuple[Factor, ...], ...], int]:
    inputs, output = labels
    shapes = [np.shape(run.values[i]) for i in consumer.operands]
    sizes = _sizes(inputs, shapes)
    fixed = dict(zip(output, index, strict=True))
    inner = [label for label in sizes if label not in fixed]
    count = int(np.prod([sizes[label] for label in inner], dtype=float))
    numbers = np.arange(min(count, _MOST_TERMS))
    places = (
        np.unravel_index(numbers, [sizes[label] for label in inner]) if inner else ()
    )
    at: dict[str, Any] = dict(zip(inner, places, strict=True))
    at |= {label: np.full(len(numbers), i) for label, i in fixed.items()}
    factors: list[list[Factor]] = []
    for operand, text, shape in zip(consumer.operands, inputs, shapes, strict=True):
        where = [
            np.zeros_like(numbers) if size == 1 else at[label]
            for label, size in zip(text, shape, strict=True)
        ]
        values = np.broadcast_to(
            run.value(operand)[tuple(where)].astype(float), numbers.shape
        )
        columns = [axis.tolist() for axis in where]
        indices = zip(*columns, strict=True) if where else repeat(())
        factors.append(list(map(Factor, repeat(operand), indices, values.tolist())))
    terms = list(zip(*factors, strict=True))
    return tuple(terms), max(count - _MOST_TERMS, 0)


def _sources(
    run: Run, consumer: Node, op: Op, argument: int, index: Index
) -> Iterator[Factor]:
    """Yield the elements of an operand that an element of the result depends on."""
    operand = consumer.operands[argument]
    array = run.value(operand)
    if op.kind == "elementwise":
        shape = np.shape(run.values[consumer.index])
        extra = len(shape) - array.ndim
        where = tuple(
            0 if size == 1 else i
            for size, i in zip(array.shape, index[extra:], strict=True)
        )
        yield Factor(operand, where, float(array[where]))
        return
    rule = op.vjp(argument)
    if rule is None or array.dtype.kind != "f":  # class numbers, say
        return
    if op.kind == "reduce":
        yield from _reduced(consumer, operand, array, index)
        return
    one = np.zeros_like(run.value(consumer.index))
    one[index] = 1
    y = run.values[consumer.index]
    with np.errstate(all="ignore"):
        sent = rule(one[()], y, *_operands(run, consumer), **consumer.attributes)
    reached = np.broadcast_to(np.asarray(sent) != 0, array.shape)
    values = array[reached][:_MOST_TERMS].astype(float).tolist()
    places: list[list[int]] = np.argwhere(reached)[:_MOST_TERMS].tolist()
    yield from map(Factor, repeat(operand), map(tuple, places), values)


def _reduced(
    consumer: Node, operand: int, array: Array, index: Index
) -> Iterator[Factor]:
    """Yield the first elements of the slice that a reduction makes one element of."""
    along = _axes(consumer, array.ndim)
    is_kept = consumer.attributes.get("keepdims", False)
    rest = iter(i for a, i in enumerate(index) if not (is_kept and a in along))
    spans = [
        range(size) if axis in along else (next(rest),)
        for axis, size in enumerate(array.shape)
    ]
    for place in islice(every(*spans), _MOST_TERMS):
        yield Factor(operand, place, float(array[place]))


def uses_of(run: Run, node: int, index: Index) -> Iterator[tuple[Edge, Index, float]]:
    """Yield where an element goes: edge, element of the consumer, local derivative.

    Whole numbers and truth values have no derivatives, so nothing is yielded for them.
    """
    if run.value(node).dtype.kind != "f":
        return
    for edge in reversed(run.graph.consumers[node]):
        op = run.graph.nodes[edge.consumer].op
        if op is None:
            continue
        places, local = local_factors(run, edge, index)
        shape = np.shape(run.values[edge.consumer])
        for place, factor in zip(places, local, strict=True):
            where = np.unravel_index(int(place), shape)
            yield edge, tuple(int(i) for i in where), float(factor)
