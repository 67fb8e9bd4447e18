"""Where a gradient comes from.

```
grad_v[i] = Σ over edges (c, k) of  Σ over j of  grad_c[j] · ∂c[j]/∂v[i]
```

The factors ∂c[j]/∂v[i] come from the jvp rules, the gradients themselves from the vjp
rules: that an explanation adds up is a check of one by the other.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, overload

import numpy as np

from ..engine.backward import broadcast_axes
from ..engine.cells import products
from ..engine.element import Index, index_of, indices_of
from ..engine.measure import largest
from ..words.events import element_name
from .factors import factor_blocks, reached, slope_there

if TYPE_CHECKING:
    from ..base.progress import Progress
    from ..engine.graph import Edge
    from ..engine.run import Run
    from ..engine.trace import Trace
    from ..ops.table import Array, Shape

_MOST_HOPS: Final = 10_000  # exact copies passed through before giving up
_FEW_PARTS: Final = 64  # of an explanation that are told, however few are asked for
_SEVERAL: Final = 64  # parts between two reports of progress
_FEW: Final = 4096  # elements of a result whose terms are made at once
_CHUNK: Final = 10_000  # terms that are made one after the other, without a pause
_USUAL: Final = 8  # terms that are asked for most of the time
MOST_RECORDED: Final = 50_000  # terms, or uses, that are told to a program


class Term(NamedTuple):
    """One product: what element `index` of the consumer's gradient sends back."""

    consumer: int  # a node number
    argument: int  # which operand of it, counted from 0
    index: Index  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    upstream: float  # the consumer's gradient at `index`
    local: float  # ∂ consumer[index] by the element
    product: float  # upstream × local


Numbers = tuple[Index, float, float, float]  # of a term: all but its edge
Chunk = tuple[int, int, Iterable[Numbers]]  # terms of one edge: consumer, argument


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
    they are gone through. `summed` are the broadcast axes that were summed
    over, from shape `wide`.
    """

    edge: Edge  # the edge that adds it
    element: Index  # its index in the operand
    event: int  # of the contribution, counted from 0
    wide: Shape
    summed: tuple[int, ...]
    blocks: Iterable[Columns]
    trace: Trace  # of the iteration
    # whether a patch changed what the edge adds: no terms make it
    patched: bool = False

    @property
    def shows_patch(self) -> bool:
        """Tell whether a person is told of a patch: not of one to be found."""
        return self.patched and not self.trace.run.patches.hidden

    @property
    def stored(self) -> float:
        """What the backward pass added; its last digits can differ from the terms'."""
        return self.trace.added(self.edge, self.element)

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
                return self.term_in(block, number)
            number -= len(block.places)
        raise IndexError("there is no such term")

    def chunks(self) -> Iterator[Chunk]:
        """Yield all terms in order, some at a time."""
        for block in self.blocks:
            for start in range(0, len(block.places), _CHUNK):
                places, *factors = (c[start : start + _CHUNK] for c in block)
                lists = (column.tolist() for column in factors)
                numbers = zip(indices_of(places, self.wide), *lists, strict=True)
                yield self.edge.consumer, self.edge.argument, numbers

    def term_in(self, block: Columns, number: int) -> Term:
        """Return one term of a block."""
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
                return self.term_in(block, int(np.argmax(found)))
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
        return self.trace.run.recent.of(key, lambda: self._digested(count))

    def _digested(self, count: int) -> _Digest:
        kept: list[Term] = []
        size, rest = 0, 0.0
        for block in self.blocks:
            places = largest(block.product, count)
            if len(places) < len(block.product):
                left = np.ones(len(block.product), np.bool_)
                left[places] = False
                with np.errstate(all="ignore"):
                    rest += float(np.sum(block.product, where=left))
            known = bool(kept)
            kept += [self.term_in(block, place) for place in places.tolist()]
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

    def chunks(self, progress: Progress | None) -> Iterator[Chunk]:
        """Yield all terms in order, some at a time, and report the progress."""
        count = len(self)
        for first in range(0, count, _SEVERAL):
            if progress is not None:
                progress(first, count)
            several = range(first, min(first + _SEVERAL, count))
            single = _single_terms(self.trace, map(self.event, several), self.element)
            for number, term in zip(several, single, strict=True):
                if term is not None:
                    consumer, argument, _ = self.trace.edge(self.event(number))
                    yield consumer, argument, (term,)
                else:
                    yield from self._chunks_of(number, progress)

    def after(self, count: int, progress: Progress | None) -> tuple[int, float]:
        """Return how many terms come after the first ones, and what they add up to."""
        seen, added = 0, 0.0
        for number, part in enumerate(self):
            for block in part.blocks:
                if progress is not None:
                    progress(number, len(self))
                left = block.product[max(count - seen, 0) :]
                with np.errstate(all="ignore"):
                    added += float(np.sum(left))
                seen += len(block.product)
        return max(seen - count, 0), added

    def _chunks_of(self, number: int, progress: Progress | None) -> Iterator[Chunk]:
        part, seen = self[number], 0
        for chunk in part.chunks():
            if progress is not None and seen:  # of many terms
                size = len(part)
                progress(number * size + seen, len(self) * size)
            yield chunk
            seen += _CHUNK


@dataclass(frozen=True, slots=True, eq=False)
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

    @property
    def shows_patch(self) -> bool:
        """Tell whether a person is told of a patch: not of one to be found."""
        return self.written and not self.parts.trace.run.patches.hidden

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

    def terms(self, progress: Progress | None = None) -> Iterator[Term]:
        """Yield every term, edge by edge in the order of the pass."""
        for consumer, argument, chunk in self.parts.chunks(progress):
            yield from (Term(consumer, argument, *numbers) for numbers in chunk)

    def record(self, trace: Trace, progress: Progress | None = None) -> dict[str, Any]:
        """Return it as plain data, and report the progress.

        The products of `terms`, the `seed` and the `rest` add up to the `sum`, unless a
        patch wrote over it. `passed` are the exact copies between the element and its
        terms; `rest` are the terms that are too many to be told, mostly None.
        """
        nodes, (asked, index) = trace.run.graph.nodes, self.asked

        @cache
        def names(node: int) -> str:
            return nodes[node].name

        def told(chunks: Iterable[Chunk]) -> list[dict[str, Any]]:
            each = (
                {
                    "consumer": name,
                    "argument": argument,
                    "index": index,
                    "upstream": upstream,
                    "local": local,
                    "product": product,
                }
                for consumer, argument, chunk in chunks
                for name in (names(consumer),)
                for index, upstream, local, product in chunk
            )
            return list(islice(each, MOST_RECORDED))

        terms = told(self.parts.chunks(progress))
        count, product = 0, 0.0
        if len(terms) == MOST_RECORDED:
            count, product = self.parts.after(MOST_RECORDED, progress)
        passed = ((*term[:2], [term[2:]]) for term in self.passed)

        return {
            "element": element_name(nodes[asked], index, "grad"),
            "sum": self.sum,
            "passed": told(passed),
            "seed": self.seed,
            "terms": terms,
            "rest": {"terms": count, "product": product} if count else None,
            "written": self.shows_patch,
            "complete": self.complete,
        }


# ------------------------------------------------------------------------------ opening


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

    op = run.graph.nodes[edge.consumer].op
    kind = op and op.kind

    def stored() -> float:
        return trace.added(edge, index)

    def columns(factors: tuple[Array, Array]) -> Columns:
        places, local = factors
        sent = upstream.flat[places].astype(float)
        with np.errstate(all="ignore"):
            product = _as_computed(sent * local, operand, stored)
        odd = np.flatnonzero(~np.isfinite(product))
        if odd.size and kind == "elementwise":
            product = np.array(product)
            product[odd] = _by_rule(run, edge, upstream, places[odd])
        elif odd.size and kind == "reduce":
            product = np.array([stored()])  # the one term of an element
        return Columns(places, sent, local, product)

    def factors() -> Iterator[tuple[Array, Array]]:
        found = factor_blocks(run, edge, index)
        if kind == "block" and not math.isfinite(stored()):
            return _with_zeros(run, edge, index, upstream, found)
        return found

    blocks: Iterable[Columns] = _Blocks(lambda: map(columns, factors()))
    with np.errstate(all="ignore"):
        alone = _single_term(trace, edge, index)
    if alone is not None:
        flat = np.ravel_multi_index(index, upstream.shape)
        blocks = (Columns(*(np.array([one]) for one in (flat, *alone[1:]))),)
    elif upstream.size <= _FEW:
        blocks = tuple(blocks)
    key = (edge.consumer, edge.argument)
    return Part(
        edge,
        index,
        number,
        upstream.shape,
        _summed(run, edge),
        blocks,
        trace,
        key in run.patches.rules or key in run.patches.in_place,
    )


def _with_zeros(
    run: Run,
    edge: Edge,
    index: Index,
    upstream: Array,
    blocks: Iterator[tuple[Array, Array]],
) -> Iterator[tuple[Array, Array]]:
    """Yield factors, and those of 0 that meet what is not finite: they make a NaN."""
    met = [
        np.ravel_multi_index(one, upstream.shape) for one in reached(run, edge, index)
    ]
    left = np.array([one for one in met if not np.isfinite(upstream.flat[one])], int)
    for places, local in blocks:
        yield places, local
        if places.size:  # in order, and they may be millions
            at = np.minimum(np.searchsorted(places, left), places.size - 1)
            left = left[places[at] != left]
    if left.size:
        yield left, np.zeros(left.size)


def _single_terms(
    trace: Trace, events: Iterable[int], index: Index
) -> list[Numbers | None]:
    """Return the one term of each edge that has one at the element's own place.

    These are the terms that `part_of` has, ten times as fast: an element can have
    many thousands. There is None for an edge that has others.
    """
    with np.errstate(all="ignore"):
        return [_single_term(trace, trace.edge(event), index) for event in events]


def _single_term(trace: Trace, edge: Edge, index: Index) -> Numbers | None:
    local = slope_there(trace.run, edge, index)
    if local is None:
        return None
    upstream = trace.upstream(edge)
    sent = float(upstream[index] if isinstance(upstream, np.ndarray) else upstream)
    product = sent * local
    if not math.isfinite(product):
        return None  # the rule itself knows better
    return index, sent, local, product


def _by_rule(run: Run, edge: Edge, upstream: Array, places: Array) -> Any:
    """Return products as the rule itself makes them.

    A gate that is shut chooses a 0, and multiplies no NaN by it. And g / b is in range
    where 1 / b is not.
    """
    found = products(run, edge, upstream, upstream.dtype)
    shape = upstream.shape
    return found[np.unravel_index(places, shape) if shape else ()]


class _Blocks(Iterable[Columns]):
    """Columns that are made anew each time one iterates over them."""

    def __init__(self, make: Callable[[], Iterator[Columns]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Columns]:
        return self._make()


def _as_computed(product: Array, operand: Array, stored: Callable[[], float]) -> Array:
    """Let a product overflow and underflow as it did in the operand's dtype.

    Several are added up in a wider one: where the sum is in range, they were, too.
    """
    if product.dtype == operand.dtype:
        return product
    narrow = product.astype(operand.dtype).astype(float)
    added = stored()
    fits = np.isfinite(narrow) | math.isfinite(added)
    return np.where(fits & ((narrow != 0) | (added != 0)), product, narrow)


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
