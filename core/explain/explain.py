"""Where a number comes from.

```
grad_v[i] = Σ over edges (c, k) of  Σ over j of  grad_c[j] · ∂c[j]/∂v[i]
```

The factors ∂c[j]/∂v[i] come from the jvp rules, the gradients themselves from the vjp
rules: that an explanation adds up is a check of one by the other.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, overload

import numpy as np

from ..base.cache import Recent
from ..engine.backward import broadcast_axes
from ..engine.cells import slopes, slopes_at
from ..engine.copies import views
from ..engine.element import Index, index_of
from ..engine.graph import Edge, Node
from ..engine.measure import largest
from ..engine.run import Run
from ..engine.trace import Trace
from ..ops.table import Array, Kind, Op, Rule, Shape
from ..words.numbers import element_text

_MOST_HOPS: Final = 10_000  # exact copies passed through before giving up
_FEW_PARTS: Final = 64  # of an explanation that are told, however few are asked for
_FEW: Final = 4096  # elements of a result whose terms are made at once
_USUAL: Final = 8  # terms that are asked for most of the time


class Term(NamedTuple):
    """One product: what element `index` of the consumer's gradient sends back."""

    consumer: int  # a node number
    argument: int  # which operand of it, counted from 0
    index: Index  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    upstream: float  # the consumer's gradient at `index`
    local: float  # ∂ consumer[index] by the element
    product: float  # upstream × local


class Columns(NamedTuple):
    """Terms as columns: each number belongs to one term.

    `places` are the flat indices of the consumer's elements.
    """

    places: Array
    upstream: Array  # the consumer's gradient there
    local: Array  # the local derivative by the element
    product: Array  # upstream × local


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one edge adds to one element: its terms as columns, and their stored sum.

    `blocks` are the columns one below the other: of many terms they are made whenever
    they are gone through. `stored` is what the backward pass added, whose rounding
    can differ in the last digits. `summed` are the broadcast axes that were summed
    over, from shape `wide`.
    """

    edge: Edge  # the edge that adds it
    element: Index  # its index in the operand
    event: int  # of the contribution, counted from 0
    wide: Shape
    summed: tuple[int, ...]
    blocks: Iterable[Columns]
    recent: Recent  # where blocks are kept for a while
    stored: float
    # whether a patch changed what the edge adds: no terms make it
    patched: bool = False

    def __len__(self) -> int:
        if isinstance(self.blocks, tuple):
            return sum(len(block.places) for block in self.blocks)
        return self._digest(0).size

    @property
    def local(self) -> Array:
        """The local derivatives of the consumer's elements."""
        return np.concatenate([block.local for block in self.blocks])

    def term(self, number: int) -> Term:
        """Return one term."""
        for block in self.blocks:
            if number < len(block.places):
                return self._term(block, number)
            number -= len(block.places)
        raise IndexError("there is no such term")

    def _term(self, block: Columns, number: int) -> Term:
        return Term(
            self.edge.consumer,
            self.edge.argument,
            index_of(block.places[number], self.wide),
            float(block.upstream[number]),
            float(block.local[number]),
            float(block.product[number]),
        )

    def first(self, chosen: Callable[[Columns], Array]) -> Term | None:
        """Return the first term of those that are chosen, if there is one."""
        for block in self.blocks:
            found = chosen(block)
            if found.any():
                return self._term(block, int(np.argmax(found)))
        return None

    def largest(self, count: int) -> Sequence[Term]:
        """Return the terms with the largest products; those that are NaN come first."""
        return self._digest(count).largest[:count]

    def rest(self, count: int) -> float | None:
        """Return the sum of all but the `count` largest terms; None without any."""
        found = self._digest(count)
        if found.size <= count:
            return None
        return found.rest + sum(term.product for term in found.largest[count:])

    def _digest(self, count: int) -> _Digest:
        """Return the largest terms, at least so many, and the sum of all others."""
        if isinstance(self.blocks, tuple):
            return self._digested(count)
        count = max(count, _USUAL)
        key = ("terms", self.edge, self.element, count)
        return self.recent.of(key, lambda: self._digested(count))

    def _digested(self, count: int) -> _Digest:
        kept: list[Term] = []
        size, rest = 0, 0.0
        for block in self.blocks:
            places = largest(block.product, count)
            left = np.ones(len(block.product), np.bool_)
            left[places] = False
            with np.errstate(all="ignore"):
                rest += float(np.sum(block.product, where=left))
            known = bool(kept)
            kept += [self._term(block, place) for place in places.tolist()]
            if known:
                kept, lost = _ranked(kept, count)
                rest += lost
            size += len(block.places)
        return _Digest(size, kept, rest)


def _ranked(terms: Sequence[Term], count: int) -> tuple[list[Term], float]:
    """Return the largest terms, and what the others add up to."""
    chosen = largest(np.array([term.product for term in terms]), count).tolist()
    lost = set(range(len(terms))) - set(chosen)
    return [terms[n] for n in chosen], sum(terms[n].product for n in lost)


class _Digest(NamedTuple):
    """The largest of so many terms, and what the others add up to."""

    size: int
    largest: Sequence[Term]
    rest: float


@dataclass(frozen=True, slots=True, eq=False)
class Parts(Sequence[Part]):
    """What many edges add to one element, in order: a part is made when looked at."""

    trace: Trace  # of one iteration
    element: Index  # its index in the node
    arrivals: Sequence[int]  # the events of its node
    span: range  # which of them

    def __len__(self) -> int:
        return len(self.span)

    def event(self, number: int) -> int:
        """Return the number of the event of a part, without making the part."""
        return self.arrivals[self.span[number]]

    @overload
    def __getitem__(self, number: int) -> Part: ...
    @overload
    def __getitem__(self, number: slice) -> Parts: ...
    def __getitem__(self, number: int | slice) -> Part | Parts:
        if isinstance(number, slice):
            return replace(self, span=self.span[number])
        event = self.event(number)
        return part_of(self.trace, self.trace.edge(event), event, self.element)


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
    parts: Parts  # one for each contribution that is in
    uses: tuple[int, int]  # contributions in, of all that come
    passed: tuple[Term, ...] = ()
    seed: float | None = None  # what entered here as the seed
    written: bool = False  # a patch wrote over the sum

    @property
    def complete(self) -> bool:
        """Tell whether everything that will arrive has arrived."""
        return self.uses[0] == self.uses[1]

    def latest(self, trace: Trace, count: int) -> tuple[Parts, float | None]:
        """Return the last parts, and what had arrived before; None where all are there.

        Few parts are there all, whatever `count` is.
        """
        parts = self.parts
        if len(parts) <= _FEW_PARTS or count >= len(parts):
            return parts, None
        shown = parts[len(parts) - count :]
        first = shown.event(0) if shown else len(trace)
        before = trace.gradient(self.node, first)
        return shown, None if before is None else float(before[self.index])

    def terms(
        self, progress: Callable[[int, int], None] | None = None
    ) -> Iterator[Term]:
        """Yield every term, edge by edge in the order of the pass."""
        for done, part in enumerate(self.parts):
            if progress is not None and done % _FEW_PARTS == 0:
                progress(done, len(self.parts))
            yield from (part.term(number) for number in range(len(part)))

    def record(
        self, trace: Trace, progress: Callable[[int, int], None] | None = None
    ) -> dict[str, Any]:
        """Return it as plain data, with all terms, and report the progress."""
        nodes = trace.run.graph.nodes
        asked, index = self.asked
        return {
            "element": element_name(nodes[asked], index, "grad"),
            "sum": self.sum,
            "terms": [
                term._asdict() | {"consumer": nodes[term.consumer].name}
                for term in (self.passed or self.terms(progress))
            ],
            "complete": self.complete,
        }


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
        return Factor(self.node, index, float(self.values[number]))

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


@dataclass(frozen=True, slots=True, eq=False)
class ValueExplanation:
    """One element of a value, opened into what it was computed from.

    For a sum of products `terms` are the products; for other operations there is one
    term, whose factors are the elements that the result was computed from.
    """

    node: int  # its number
    index: Index  # of the element
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


def element_name(node: Node, index: Index | None, quantity: str = "value") -> str:
    """Return an element as it is typed: `W1.grad[0, 2]`."""
    name = node.name + (".grad" if quantity == "grad" else "")
    return element_text(name, index)


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
    done, uses = trace.uses(node, position)
    while follow and done == uses and len(passed) < _MOST_HOPS:
        copy = _copy(trace, node, index)
        if copy is None:
            break
        passed.append(copy)
        node, index = copy.consumer, copy.index
    found = _opened(trace, node, index, position)
    return replace(found, asked=asked, passed=tuple(passed))


def _opened(trace: Trace, node: int, index: Index, position: int) -> Explanation:
    run = trace.run
    gradient = trace.gradient(node, position)
    arrivals = trace.arrivals(node)
    span = range(bisect_left(arrivals, position))
    seed: float | None = None
    if span and arrivals[0] == trace.seed_position:
        seed, span = float(np.asarray(run.seed)[index]), span[1:]
    return Explanation(
        (node, index),
        node,
        index,
        None if gradient is None else float(gradient[index]),
        Parts(trace, index, arrivals, span),
        trace.uses(node, position),
        seed=seed,
        written=any(w.node == node for w in run.writes),
    )


def part_of(trace: Trace, edge: Edge, number: int, index: Index) -> Part:
    """Return what one edge adds to element `index` of its operand.

    The last one is kept: what explains a step and what explains its element ask for
    the same.
    """
    recent, key = trace.run.recent, (number, index)
    known: tuple[object, Part] | None = recent.known("part")
    if known is None or known[0] != key:
        known = recent.keep("part", (key, _part_of(trace, edge, number, index)))
    return known[1]


def _part_of(trace: Trace, edge: Edge, number: int, index: Index) -> Part:
    run = trace.run
    upstream = np.asarray(trace.upstream(edge))
    operand = np.asarray(run.values[edge.operand])

    def columns(factors: tuple[Array, Array]) -> Columns:
        places, local = factors
        sent = upstream.flat[places].astype(float)
        with np.errstate(all="ignore"):
            product = _as_computed(sent * local, operand)
        return Columns(places, sent, local, product)

    blocks: Iterable[Columns] = _Blocks(
        lambda: map(columns, _in_blocks(run, edge, index))
    )
    if upstream.size <= _FEW:
        blocks = tuple(blocks)
    key = (edge.consumer, edge.argument)
    return Part(
        edge,
        index,
        number,
        upstream.shape,
        _summed(run, edge),
        blocks,
        run.recent,
        trace.added(edge, index),
        key in run.patches.rules or key in run.patches.in_place,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks(Iterable[Columns]):
    """Columns that are made anew each time one iterates over them."""

    make: Callable[[], Iterator[Columns]]

    def __iter__(self) -> Iterator[Columns]:
        return self.make()


def _in_blocks(run: Run, edge: Edge, index: Index) -> Iterator[tuple[Array, Array]]:
    """Yield the local factors of an edge; of an elementwise one not too many at once.

    An operand that was broadcast is used as often as it was repeated.
    """
    op = run.graph.nodes[edge.consumer].op
    wide, narrow = (np.size(run.values[i]) for i in (edge.consumer, edge.operand))
    count = wide // max(narrow, 1)
    if op is None or op.kind != "elementwise" or count <= _AT_ONCE:
        yield local_factors(run, edge, index)
        return
    along = _repeated(run, edge, index)
    first = next(axis for axis, span in enumerate(along) if len(span) > 1)
    each = max(_AT_ONCE * len(along[first]) // count, 1)
    for start in range(0, len(along[first]), each):
        part = list(along)
        part[first] = along[first][start : start + each]
        with np.errstate(all="ignore"):
            yield _slopes_along(run, edge, part)


def _as_computed(product: Array, operand: Array) -> Array:
    """Let a product overflow and underflow as it did in the operand's dtype."""
    if product.dtype == operand.dtype:
        return product
    narrow = product.astype(operand.dtype).astype(float)
    return np.where(np.isfinite(narrow) & (narrow != 0), product, narrow)


def _summed(run: Run, edge: Edge) -> tuple[int, ...]:
    consumer = run.graph.nodes[edge.consumer]
    if consumer.op is None or consumer.op.kind != "elementwise":
        return ()
    return broadcast_axes(
        np.shape(run.values[edge.consumer]), np.shape(run.values[edge.operand])
    )


def _copy(trace: Trace, node: int, index: Index) -> Term | None:
    """Return the one term of an element that is an exact copy, or None.

    Everything has to have arrived there. Long chains of copies are asked for again and
    again, from one end or the other.
    """
    recent, key = trace.run.recent, ("copy", node, index)
    known: tuple[Term | None] | None = recent.known(key)
    if known is None:
        term = None
        if _is_exact(trace, trace.arrivals(node)):
            term = _copied(_opened(trace, node, index, len(trace)))
        known = recent.keep(key, (term,))
    return known[0]


def _is_exact(trace: Trace, arrivals: Sequence[int]) -> bool:
    """Tell whether all that arrives comes through one operation that copies."""
    if len(arrivals) != 1 or arrivals[0] == trace.seed_position:
        return False
    edge = trace.edge(arrivals[0])
    op = trace.run.graph.nodes[edge.consumer].op
    return op is not None and op.copies(edge.argument)


def _copied(found: Explanation) -> Term | None:
    part = found.parts[0]
    if len(part) != 1 or found.written or part.patched:
        return None
    term = part.term(0)
    return term if term.local == 1.0 else None


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


def kept_axes(consumer: Node, ndim: int) -> list[int]:
    """Return the axes that a reduction leaves."""
    axis = _attribute(consumer, "axis")
    gone = range(ndim) if axis is None else [int(a) % ndim for a in np.atleast_1d(axis)]
    return [axis for axis in range(ndim) if axis not in gone]


def _attribute(consumer: Node, name: str) -> Any:
    """Return an attribute of a node; the default, where it was not given."""
    if name in consumer.attributes:
        return consumer.attributes[name]
    parameters = consumer.op.parameters if consumer.op else ()
    return next((p.default for p in parameters if p.name == name), None)


def _copies(
    run: Run, consumer: Node, op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Return the copies of an element: their places, and the factor 1 of each."""
    wide = np.shape(run.values[edge.consumer])
    seen = views(run, consumer, edge.argument)
    if seen is None:
        # Only whether an element is a copy matters: booleans take the least room.
        one = np.zeros(np.shape(run.values[edge.operand]), np.bool_)
        one[index] = True
        places = np.flatnonzero(_applied(run, consumer, op.jvp(edge.argument), one))
    else:
        box = seen.into(index)
        if box is None:
            places = np.zeros(0, dtype=int)
        else:
            places = np.ravel(np.ravel_multi_index(np.ix_(*box), wide) if wide else 0)
    return places, np.ones(len(places))


def _applied(run: Run, consumer: Node, rule: Rule | None, one: Array) -> Array:
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
    local = _applied(run, consumer, op.jvp(edge.argument), one)
    places = np.flatnonzero(local)  # NaN is not 0
    return places, local.ravel()[places].astype(float)


def _block(
    run: Run, consumer: Node, op: Op, edge: Edge, index: Index
) -> tuple[Array, Array]:
    """Send a one through the jvp of the part of an operation that it can reach."""
    inputs, output = _axis_letters(run, consumer, op)
    mine = inputs[edge.argument]
    part = _Part.of(run, consumer, inputs, output, dict(zip(mine, index, strict=True)))
    rule = op.jvp(edge.argument)
    if rule is None:
        return np.zeros(0, dtype=int), np.zeros(0)
    one = np.zeros_like(part.operands[edge.argument])
    one[tuple(i if a == "*" else 0 for a, i in zip(mine, index, strict=True))] = 1
    local = np.asarray(
        rule(one, part.result, *part.operands, **consumer.attributes), dtype=float
    )
    if _attribute(consumer, "reduction") == "mean":
        # The mean is one over all samples, and the part has but one of them.
        local = local / (np.size(run.values[edge.operand]) // max(one.size, 1))
    wide = np.shape(run.values[consumer.index])
    places = (
        np.ravel_multi_index(np.ix_(*part.box), wide) if wide else np.zeros((), int)
    )
    reached = local != 0  # NaN is not 0
    if "axis" in consumer.attributes and mine == output:
        reached = np.ones_like(reached)  # a slice, those of factor 0 as well
    return places[reached].ravel(), local[reached].ravel()


def _axis_letters(run: Run, consumer: Node, op: Op) -> tuple[list[str], str]:
    """Return the letters of the axes of a block, per operand and of the result."""
    shapes = [np.shape(run.values[i]) for i in consumer.operands]
    if op.axis_letters is None:
        return ["*" * len(shape) for shape in shapes], "*" * len(consumer.shape)
    left, output = op.axis_letters(*shapes, **consumer.attributes).split("->")
    return left.split(","), output


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The part of an operation where some axes stand at one place.

    `box` is where its result is in the whole one.
    """

    operands: tuple[Array, ...]
    result: Array
    box: tuple[range, ...]

    @classmethod
    def of(
        cls,
        run: Run,
        consumer: Node,
        inputs: Sequence[str],
        output: str,
        fixed: Mapping[str, int],
    ) -> _Part:
        def cut(node: int, labels: str) -> Array:
            array = run.value(node)
            return np.asarray(array[_slices(labels, array.shape, fixed)], order="C")

        operands = map(cut, consumer.operands, inputs)
        shape = np.shape(run.values[consumer.index])
        return cls(
            tuple(operands),
            cut(consumer.index, output),
            tuple(
                range(*at.indices(size))
                for at, size in zip(_slices(output, shape, fixed), shape, strict=True)
            ),
        )


def _slices(labels: str, shape: Shape, fixed: Mapping[str, int]) -> tuple[slice, ...]:
    """Return what is left of an array where some labels stand at one place."""
    return tuple(
        slice(fixed[label], fixed[label] + 1)
        if label != "*" and label in fixed
        else slice(0, size)
        for label, size in zip(labels, shape, strict=True)
    )


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


# --------------------------------------------------------------------- values

_MOST_TERMS: Final = 10_000
_AT_ONCE: Final = 1_000_000  # elements that are searched together


def explain_value(run: Run, node: int, index: Index) -> ValueExplanation:
    """Open one element of a value into the elements that it was computed from."""
    consumer = run.graph.nodes[node]
    value = float(run.value(node)[index])
    op = consumer.op
    if op is None:
        return ValueExplanation(node, index, value, ())
    labels = contraction(run, consumer) if op.kind == "contract" else None
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


def _products(
    run: Run, consumer: Node, labels: tuple[Sequence[str], str], index: Index
) -> tuple[Products, int]:
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
    if rule is None or array.dtype.kind != "f":  # class numbers, say
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
        return _factors(operand, array, [] if box is None else [_first(box)])
    exact = op.kind in ("move", "gather")
    one = np.zeros_like(run.value(consumer.index), dtype=np.bool_ if exact else None)
    one[index] = 1
    places = _nonzero(_applied(run, consumer, rule, one[()]), array.shape)
    return _factors(operand, array, places)


def _none(operand: int) -> Factors:
    return Factors(operand, np.zeros((0, 0), int), np.zeros(0))


def _first(box: Sequence[range]) -> list[int]:
    return [axis.start for axis in box]


def _factors(operand: int, array: Array, places: Any) -> Factors:
    """Return the elements at some places of an operand."""
    rows = np.reshape(np.array(places, dtype=int), (len(places), array.ndim))
    values = array[tuple(rows.T)] if array.ndim else np.full(len(rows), array)
    return Factors(operand, rows, values.astype(float))


def _nonzero(array: Array, shape: Shape) -> Array:
    """Return the first places at which an array is not 0, as rows of indices."""
    flat = np.ravel(np.broadcast_to(array, shape) != 0)
    found: list[Array] = []
    count = start = 0
    while start < flat.size and count < _MOST_TERMS:
        part = np.flatnonzero(flat[start : start + _AT_ONCE]) + start
        found.append(part)
        start, count = start + _AT_ONCE, count + len(part)
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
    inputs, output = _axis_letters(run, consumer, op)
    fixed = dict(zip(output, index, strict=True))
    part = _Part.of(run, consumer, inputs, output, fixed)
    one = np.zeros_like(part.result)
    one[tuple(i if a == "*" else 0 for a, i in zip(output, index, strict=True))] = 1
    if rule is None:
        return _none(operand)
    sent = rule(one[()], part.result, *part.operands, **consumer.attributes)
    own = _slices(inputs[argument], array.shape, fixed)
    places = _nonzero(np.asarray(sent), array[own].shape)
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
            yield edge, index_of(place, shape), float(factor)
