"""One element of a value with all that it was computed from, however much that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ...engine.element import index_of
from ...ops.table.axes import LETTERS
from ..axes import axis_letters, contraction, kept_axes
from ..factors import finite, numbers_at, picks
from ..values import all_products, source_of_copy
from .answer import Hop, once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ...engine.element import Index
    from ...engine.graph import Node
    from ...engine.run import Run
    from ...ops.table import Array, Op, Special


_MOST_TRIED: Final = 16  # elements of which each may have made a result


class Part(NamedTuple):
    """What is left of an operand: the elements that the result may depend on."""

    node: int  # the operand
    corner: Index  # where the part starts in it
    array: Any  # a plain number stays one: it takes the dtype of what it meets
    seen: Array | None  # which of its elements the result depends on; None for all

    def places(self, chosen: Callable[[Any], Any]) -> Array:
        """Return the flat places of the elements that are chosen."""
        found = np.asarray(chosen(np.asarray(self.array)))
        return np.flatnonzero(found if self.seen is None else found & self.seen)

    def hop(self, flat: int) -> Hop:
        """Return the element at a flat place."""
        array = np.asarray(self.array)
        index = index_of(flat, array.shape)
        own = tuple(i + start for i, start in zip(index, self.corner, strict=True))
        return Hop(self.node, own, "value", float(array[index]))


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """The surroundings of an element: its operation, and parts of the operands."""

    run: Run  # where the numbers are
    node: Node  # whose value the element is in
    index: Index  # the element
    op: Op  # the operation of the node
    result: Array  # the part of the value that the parts make
    at: Index  # the element in it
    parts: tuple[Part, ...]  # of each operand
    sources: tuple[int, ...]  # the operands whose elements count

    def cause(self, makes: Special, argument: int | None = None) -> str | None:
        """Return what the operation itself says of a special result."""
        arrays = [part.array for part in self.parts]
        for case in self.op.cases:
            if case.makes != makes or case.argument not in (None, argument):
                continue
            if case.holds is None:
                return case.cause
            with np.errstate(all="ignore"):
                found = case.holds(self.result, *arrays, **self.node.attributes)
            if self._here(found):
                return case.cause
        return None

    def _here(self, found: Any) -> Any:
        """Return what an array of the result's shape holds for the element."""
        found = np.asarray(found)
        if found.size == 1:
            return found.ravel()[0]
        return np.broadcast_to(found, self.result.shape)[self.at]

    def first(self, chosen: Callable[[Any], Any]) -> Hop | None:
        """Return the first element of the operands that is chosen."""
        for number in self.sources:
            places = self.parts[number].places(chosen)
            if len(places):
                return self.parts[number].hop(int(places[0]))
        return None

    def responsible(
        self, chosen: Callable[[Any], Any], is_same: Callable[[Any], Any]
    ) -> Hop | None:
        """Return the first chosen element that alone makes the result what it is.

        All others that are chosen are taken as 1, and the result is computed again.
        Where that cannot be done, as of what was drawn at random, the first one counts.
        """
        return next(self.each_responsible(chosen, is_same), None)

    def each_responsible(
        self,
        chosen: Callable[[Any], Any],
        is_same: Callable[[Any], Any],
        most: int = _MOST_TRIED,
    ) -> Iterator[Hop]:
        """Yield the chosen elements of which each alone makes the result what it is.

        No more than `most` of them are tried.
        """
        for number, flat in islice(self._chosen(chosen), most):
            again = self._again(chosen, {number: flat})
            if again is None or is_same(again):
                yield self.parts[number].hop(flat)

    def first_needed(
        self, chosen: Callable[[Any], Any], is_same: Callable[[Any], Any]
    ) -> Hop | None:
        """Return the first of those chosen elements that only together make the result.

        Of all of them, in order, the last ones are left out that can be, and then the
        first ones. It is found by halves; None where they do not make the result so.
        """
        counts = [0] * len(self.parts)
        for number in self.sources:
            counts[number] = len(self.parts[number].places(chosen))
        ends = np.cumsum(counts)

        def kept(first: int, last: int) -> dict[int, Array]:
            spans = zip(self.parts, ends - counts, strict=True)
            return {
                number: part.places(chosen)[
                    max(first - start, 0) : max(last - start, 0)
                ]
                for number, (part, start) in enumerate(spans)
                if counts[number]
            }

        def makes(first: int, last: int) -> bool:
            again = self._again(chosen, kept(first, last))
            return again is not None and bool(is_same(again))

        count = int(ends[-1]) if counts else 0
        if not makes(0, count) or makes(0, 0):
            return None
        last = _turn(0, count, lambda n: makes(0, n))
        first = last - _turn(0, last, lambda n: makes(last - n, last))
        number = int(np.searchsorted(ends, first, "right"))
        flat = self.parts[number].places(chosen)[first - (ends - counts)[number]]
        return self.parts[number].hop(int(flat))

    def stays(self, chosen: Callable[[Any], Any]) -> bool:
        """Tell whether the result is chosen even if none of the operands' elements is.

        It is taken as no where that cannot be computed.
        """
        again = self._again(chosen, {})
        return again is not None and bool(chosen(again))

    def _chosen(self, chosen: Callable[[Any], Any]) -> Iterator[tuple[int, int]]:
        for number in self.sources:
            for flat in self.parts[number].places(chosen)[:_MOST_TRIED].tolist():
                yield number, flat

    def _again(
        self, chosen: Callable[[Any], Any], kept: Mapping[int, Any]
    ) -> float | None:
        """Compute the result again, with 1 for all chosen elements that are not kept.

        `kept` are flat places, by the number of the operand.
        """
        is_drawn = any(one.name == "seed" for one in self.op.parameters)
        if is_drawn or self.op.recorded or _is_copied(self.op):
            return None
        arrays = self._with_ones(chosen, kept)
        with np.errstate(all="ignore"):
            found = self.op.forward(*arrays, **self.node.attributes)
        return float(self._here(found))

    def _with_ones(
        self, chosen: Callable[[Any], Any], kept: Mapping[int, Any]
    ) -> list[Any]:
        """Return the operands, with 1 for all chosen elements that are not kept."""
        arrays = [part.array for part in self.parts]
        for other in self.sources:
            array = np.asarray(arrays[other])
            others = np.asarray(chosen(array))
            if not others.any() or array.dtype.kind != "f":
                continue
            changed = np.where(others, array.dtype.type(1), array)
            if other in kept:
                changed.flat[kept[other]] = array.flat[kept[other]]
            arrays[other] = changed
        return arrays

    def each_steep(
        self,
        argument: int,
        index: Index,
        chosen: Callable[[Any], Any],
        is_same: Callable[[Any], Any],
    ) -> Iterator[Hop]:
        """Yield the chosen elements of which each alone makes a slope what it is.

        It is that by the element `index` of an operand.
        """
        rule, part = self.op.vjp(argument), self.parts[argument]
        if rule is None or _is_copied(self.op):
            return
        shape = np.shape(part.array)
        place = tuple(i - start for i, start in zip(index, part.corner, strict=True))
        for number, flat in islice(self._chosen(chosen), _MOST_TRIED):
            arrays = self._with_ones(chosen, {number: flat})
            with np.errstate(all="ignore"):
                y = np.asarray(self.op.forward(*arrays, **self.node.attributes))
                # A rule that sends back to an operand multiplies with none of its own.
                one = np.zeros_like(y)
                one[self.at if y.ndim == np.ndim(self.result) else ...] = 1
                sent = rule(one[()], y[()], *arrays, **self.node.attributes)
            if is_same(np.reshape(sent, shape)[place]):
                yield self.parts[number].hop(flat)

    def elements(self, count: int) -> tuple[Hop, ...]:
        """Return the first elements that the result was computed from."""
        firsts = (
            part.hop(flat)
            for part in self.parts
            for flat in part.places(_all)[:count].tolist()
        )
        return once(firsts)[:count]


def _turn(no: int, yes: int, holds: Callable[[int], bool]) -> int:
    """Return a number that something holds for, and not for the one before it."""
    while yes - no > 1:
        middle = (no + yes) // 2
        if holds(middle):
            yes = middle
        else:
            no = middle
    return yes


def _all(array: Any) -> Any:
    return np.ones(np.shape(array), np.bool_)


def _is_copied(op: Op) -> bool:
    return op.kind in ("move", "gather")


# ----------------------------------------------------------------------- looking


def near(run: Run, number: int, index: Index) -> Near | None:
    """Return the surroundings of an element; None where no operation made it."""
    node = run.graph.nodes[number]
    if node.op is None:
        return None
    if node.op.kind == "block" and not index:
        # One number of all of them, such as a loss.
        key = ("near", number)
        return run.recent.of(key, lambda: _near(run, node, node.op, index))
    return _near(run, node, node.op, index)


def _near(run: Run, node: Node, op: Op | None, index: Index) -> Near:
    if op is None:
        raise ValueError(f"{node.name} is not computed")
    y = run.value(node.index)
    if _is_copied(op):
        parts = tuple(
            _copied(run, node, argument, index)
            for argument in range(len(node.operands))
        )
        numbers = tuple(range(len(parts)))
        return Near(run, node, index, op, y[index], (), parts, numbers)
    inputs, output = _labels(run, node, op)
    fixed = dict(zip(output, index, strict=True))
    fixed.pop("*", None)
    parts = tuple(
        _cut(run, operand, labels, fixed)
        for operand, labels in zip(node.operands, inputs, strict=True)
    )
    sources = _sources(op, parts)
    if op.kind != "block":
        return Near(run, node, index, op, y[index], (), parts, sources)
    result = np.asarray(_cut(run, node.index, output, fixed).array)
    at = tuple(i if a == "*" else 0 for a, i in zip(output, index, strict=True))
    seen = _Probe(node, op, result, at, parts)
    return Near(run, node, index, op, result, at, seen.parts(), sources)


def _sources(op: Op, parts: tuple[Part, ...]) -> tuple[int, ...]:
    """Return the operands that count: of a choice the one that is taken.

    Class numbers and other whole numbers choose, too.
    """
    if op.chooses:
        taken = bool(np.ravel(parts[0].array)[0])
        return (1,) if taken else (2,)
    if op.kind == "block":
        numbers = range(len(parts))
        return tuple(k for k in numbers if np.asarray(parts[k].array).dtype.kind == "f")
    return tuple(range(len(parts)))


def _labels(run: Run, node: Node, op: Op) -> tuple[list[str], str]:
    """Return a label for each axis of the operands, and of the result.

    Axes of one label stand at one place; of "*" all is needed.
    """
    shapes = [np.shape(run.values[i]) for i in node.operands]
    if op.kind == "elementwise":
        output = LETTERS[: len(node.shape)]
        return [output[len(output) - len(shape) :] for shape in shapes], output
    if op.kind == "reduce":
        (shape,) = shapes
        kept = kept_axes(node, len(shape))
        own = "".join(LETTERS[a] if a in kept else "*" for a in range(len(shape)))
        is_same = len(node.shape) == len(shape)
        return [own], own if is_same else own.replace("*", "")
    if op.kind == "block":
        return axis_letters(run, node, op)
    labels = contraction(run, node)
    if labels is None:
        return ["*" * len(shape) for shape in shapes], "*" * len(node.shape)
    return list(labels[0]), labels[1]


def _cut(run: Run, number: int, labels: str, fixed: Mapping[str, int]) -> Part:
    """Return what is left of an array where some labels stand at one place."""
    value = run.values[number]
    shape = np.shape(value)
    spans = [
        range(min(fixed[label], size - 1), min(fixed[label], size - 1) + 1)
        if label in fixed
        else range(size)
        for label, size in zip(labels, shape, strict=True)
    ]
    if not spans:
        return Part(number, (), value, None)
    box = tuple(slice(span.start, span.stop) for span in spans)
    array = np.asarray(np.asarray(value)[box], order="C")
    return Part(number, tuple(span.start for span in spans), array, None)


def _copied(run: Run, node: Node, argument: int, index: Index) -> Part:
    """Return the element that an element is a copy of, or none."""
    operand = node.operands[argument]
    place = source_of_copy(run, node, argument, index)
    if place is None:
        return Part(operand, (0,), np.zeros(0), None)
    array = run.value(operand)[tuple(slice(i, i + 1) for i in place)]
    return Part(operand, place, array, None)


class _Probe(NamedTuple):
    """Finds what an element of a block depends on, whatever the numbers are.

    A NaN that is sent back from it reaches all of that, be it multiplied by 0 or not.
    No other number may be one, or infinite: 0 · ∞ would be NaN, too.
    """

    node: Node
    op: Op
    result: Array
    at: Index
    whole: tuple[Part, ...]

    def parts(self) -> tuple[Part, ...]:
        made = _same if picks(self.op) else finite
        arrays = [made(part.array) for part in self.whole]
        one = np.zeros(self.result.shape, self.result.dtype)
        one[self.at] = np.nan
        found: list[Part] = []
        for argument, part in enumerate(self.whole):
            rule = self.op.vjp(argument)
            if rule is None or np.asarray(part.array).dtype.kind != "f":
                found.append(part)
                continue
            with np.errstate(all="ignore"):
                sent = rule(one[()], made(self.result), *arrays, **self.node.attributes)
            shape = np.shape(part.array)
            found.append(part._replace(seen=np.isnan(np.broadcast_to(sent, shape))))
        return tuple(found)


def _same(array: Any) -> Any:
    return array


# ------------------------------------------------------------------------- terms


class Terms(NamedTuple):
    """What an element is the sum of, where it is one: products of operands' elements.

    A single product is a sum of one term.
    """

    exact: Array  # the products in float64
    numbers: Array  # the products as large, and as small, as the type of the result
    live: Array  # which have no factor that is 0
    # The first factor of a term that is chosen.
    factor: Callable[[int, Callable[[Any], Any]], Hop | None]
    # All factors of a term.
    factors: Callable[[int], tuple[Hop, ...]]


def terms_of(found: Near) -> Terms | None:
    """Return the terms of an element, or None where it is no sum and no product."""
    op = found.op
    if op.multiplies:
        return _product(found)
    if op.signs:
        return _signed(found)
    if op.factors is not None:
        return _windowed(found, op.factors)
    return _contracted(found) if op.kind == "contract" else None


def _product(found: Near) -> Terms:
    factors_ = [np.ravel(np.asarray(part.array)).astype(float) for part in found.parts]
    numbers = np.concatenate(factors_)
    # A step on the way can make NaN of factors that are none.
    is_nan = bool(np.isnan(np.asarray(found.result)[found.at]))
    exact = np.array([np.nan if is_nan else product_of(numbers)])
    live = np.array([bool(np.all(numbers != 0))])

    def factor(_term: int, chosen: Callable[[Any], Any]) -> Hop | None:
        return found.first(chosen)

    def factors(_term: int) -> tuple[Hop, ...]:
        return found.elements(_MOST_FACTORS)

    return Terms(exact, _narrowed(exact, found.result), live, factor, factors)


_MOST_FACTORS: Final = 8
_BLOCK: Final = 512  # factors of a half at least, whose product is no underflow


def product_of(numbers: Array) -> float:
    """Return a product of which no step overflows or underflows.

    >>> product_of(np.array([1e200, 1e200, 1e-300]))
    1e+100
    """
    plain = np.isfinite(numbers) & (numbers != 0)
    mantissas, exponents = np.frexp(numbers[plain])
    found, power = 1.0, int(np.sum(exponents, dtype=np.int64))
    for start in range(0, len(mantissas), _BLOCK):
        block = np.prod(mantissas[start : start + _BLOCK])
        found, more = math.frexp(found * float(block))
        power += more
    with np.errstate(all="ignore"):
        if not plain.all():  # a 0, an infinity or a NaN: only the sign matters
            return float(np.prod(numbers[~plain]) * np.sign(found))
        return float(np.ldexp(found, np.clip(power, -5000, 5000)))


def _signed(found: Near) -> Terms:
    parts = found.parts
    places = [part.places(_all) for part in parts]
    columns = [
        sign * np.ravel(np.asarray(part.array))[own].astype(float)
        for part, own, sign in zip(parts, places, found.op.signs, strict=True)
    ]
    exact = np.concatenate(columns)
    firsts = np.cumsum([0, *map(len, columns)])

    def at(term: int) -> Hop:
        number = int(np.searchsorted(firsts, term, "right")) - 1
        return parts[number].hop(int(places[number][term - firsts[number]]))

    def factor(term: int, chosen: Callable[[Any], Any]) -> Hop | None:
        hop = at(term)
        return hop if chosen(np.float64(hop.number or 0.0)) else None

    def factors(term: int) -> tuple[Hop, ...]:
        return (at(term),)

    return Terms(exact, _narrowed(exact, found.result), exact != 0, factor, factors)


def _contracted(found: Near) -> Terms | None:
    index = found.index
    products = all_products(found.run, found.node, index)
    if products is None:
        return None
    columns = products.columns
    exact = products.numbers
    live = np.all([column.values != 0 for column in columns], axis=0)

    def factors(term: int) -> tuple[Hop, ...]:
        return tuple(Hop(f.node, f.index, "value", f.value) for f in products[term])

    def factor(term: int, chosen: Callable[[Any], Any]) -> Hop | None:
        met = (hop for hop in factors(term) if chosen(np.float64(hop.number or 0.0)))
        return next(met, None)

    return Terms(exact, _narrowed(exact, found.result), live, factor, factors)


def _windowed(found: Near, places: Callable[..., tuple[Array, ...]]) -> Terms:
    """Return the products of a kernel with what lies under it, and what is added.

    On the border a number of the kernel meets a 0 that no operand has.
    """
    run, node = found.run, found.node
    values = [run.value(operand) for operand in node.operands]
    shapes = [value.shape for value in values]
    rows = places(found.index, *shapes, **node.attributes)
    columns: list[Array] = []
    inside: list[Array] = []
    for own, value in zip(rows, values, strict=False):
        columns.append(numbers_at(value, own))
        inside.append(np.all((own >= 0) & (own < np.array(value.shape)), axis=1))
    added = [
        part.hop(int(flat))
        for part in found.parts[len(rows) :]
        for flat in part.places(_all)
    ]
    with np.errstate(all="ignore"):
        products = np.prod(columns, axis=0)
    exact = np.concatenate([products, [hop.number or 0.0 for hop in added]])
    live = np.concatenate(
        [np.all([c != 0 for c in columns], axis=0), exact[len(products) :] != 0]
    )

    def factors(term: int) -> tuple[Hop, ...]:
        if term >= len(products):
            return (added[term - len(products)],)
        return tuple(
            Hop(
                node.operands[k], tuple(rows[k][term].tolist()), "value", float(c[term])
            )
            for k, c in enumerate(columns)
            if inside[k][term]
        )

    def factor(term: int, chosen: Callable[[Any], Any]) -> Hop | None:
        met = (hop for hop in factors(term) if chosen(np.float64(hop.number or 0.0)))
        return next(met, None)

    return Terms(exact, _narrowed(exact, found.result), live, factor, factors)


def _narrowed(exact: Array, result: Array) -> Array:
    with np.errstate(all="ignore"):
        return exact.astype(np.asarray(result).dtype).astype(float)
