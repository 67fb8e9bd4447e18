"""One cursor for all arrays of a step: which elements belong together.

A step has several arrays: operands and result, or upstream, local, contribution. An
element of one stands for elements of the others: those that it is made from, those that
it is made into, and those that it is multiplied with.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from ..base.text import counted
from ..engine.element import Element, Index, Quantity
from ..engine.graph import Edge, Node
from ..engine.trace import (
    Breakdown,
    Contribution,
    Event,
    Forward,
    Seed,
    Trace,
    Update,
)
from ..words.formulas import factors
from .axes import contraction, kept_axes
from .factors import local_factors
from .values import explain_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..engine.graph import Graph
    from ..engine.run import Run
    from ..ops.table import Array, Op, Shape

Role = Literal[
    "operand",
    "value",
    "seed",
    "upstream",
    "local",
    "slopes",
    "product",
    "contribution",
    "before",
    "after",
    "gradient",
]

# What the glossary calls them, where that is another word.
_WORDS: Final[Mapping[Role, str]] = MappingProxyType(
    {
        "before": "accumulated",
        "after": "accumulated",
        "slopes": "local",
        "product": "contribution",
        "operand": "edge",
        "value": "node",
    }
)

# What an event makes, of the arrays that its step shows.
_MADE: Final[Mapping[type[Event], tuple[Role, ...]]] = MappingProxyType(
    {
        Forward: ("value",),
        Seed: ("seed",),
        Contribution: ("product", "contribution", "after"),
        Update: ("after",),
    }
)
# A local derivative that is one number, if what stands in its places is one.
_SAME: Final = r"−?(?:\d|\{(\w+)\})(?: / (?:n|\{(\w+)\}))?"
_MOST: Final = 50_000  # elements of an array that is searched for its relations


@dataclass(frozen=True, slots=True)
class Region:
    """Elements of an array: all in a box, or of the box only those in `places`.

    >>> Region((range(1, 2), range(3))).text
    '[1, :3]'
    """

    box: tuple[range, ...]  # a range of indices along each axis
    places: frozenset[Index] | None = None

    def __contains__(self, index: Index) -> bool:
        """Tell whether an element is in it."""
        if self.places is not None:
            return index in self.places
        return all(i in axis for i, axis in zip(index, self.box, strict=True))

    @property
    def text(self) -> str:
        """Return it as an index; of scattered places their number."""
        if self.places is not None:
            return f"[{counted(len(self.places), 'element')}]"
        if not self.box:
            return ""
        return f"[{', '.join(map(_axis_text, self.box))}]"

    def of(self, shape: Shape) -> str:
        """Return it as an index into an array of `shape`: `:` is a whole axis."""
        if self.places is not None or not self.box:
            return self.text
        texts = (
            ":" if len(axis) == size != 1 else _axis_text(axis)
            for axis, size in zip(self.box, shape, strict=True)
        )
        return f"[{', '.join(texts)}]"

    def turned(self) -> Region:
        """Return it for the array with its last two axes swapped."""
        if len(self.box) < 2:
            return self
        places = self.places
        if places is not None:
            places = frozenset((*p[:-2], p[-1], p[-2]) for p in places)
        return Region((*self.box[:-2], self.box[-1], self.box[-2]), places)


def _axis_text(axis: range) -> str:
    if len(axis) == 1:
        return str(axis.start)
    return f"{axis.start or ''}:{axis.stop}"


def one(index: Index) -> Region:
    """Return a single element as a region."""
    return Region(tuple(range(i, i + 1) for i in index))


_POINT: Final = one(())  # the only element of a number


@dataclass(frozen=True, slots=True, eq=False)
class Facet:
    """One array of a step, and whose elements its cells stand for.

    `turned` says that the last two axes are swapped, as in the `xᵀ` of a formula.
    Where all numbers are the same by what they are, `array` is one of them, and stands
    for no element: the `1` of a sum.
    """

    role: Role  # what the array is in the step
    array: Array  # as it is shown
    node: int  # whose elements they are
    quantity: Quantity  # whether they are of its value or of its gradient
    turned: bool = False
    is_there: bool = True  # False for what the step is still to make: its cells are NaN
    same: Shape = ()  # the shape of what is this one number everywhere

    @property
    def word(self) -> str:
        """What the glossary calls it."""
        if self.role in ("before", "after") and self.quantity == "value":
            return "parameter"  # of an update
        return _WORDS.get(self.role, self.role)

    def element(self, index: Index) -> Element:
        """Return what a cell stands for: no element where all have the same number."""
        found = None if self.same else self._turn(index)
        return Element(self.node, self.quantity, found)

    def cell(self, index: Index) -> Index:
        """Return the cell of an element."""
        return self._turn(index)

    def _turn(self, index: Index) -> Index:
        if self.turned and len(index) > 1:
            return (*index[:-2], index[-1], index[-2])
        return index


# -------------------------------------------------------------- the arrays of a step


def facets(trace: Trace, number: int) -> tuple[Facet, ...]:
    """Return the arrays of event `number`, in the order in which they are read."""
    event, run = trace.event(number), trace.run
    if isinstance(event, Forward):
        node = run.graph.nodes[event.node]
        operands = [
            Facet("operand", run.value(i), i, "value")
            for i in dict.fromkeys(node.operands)
        ]
        return (*operands, Facet("value", run.value(event.node), event.node, "value"))
    if isinstance(event, Seed):
        return (Facet("seed", np.asarray(run.seed), event.node, "grad"),)
    if isinstance(event, Contribution):
        return tuple(
            _of_breakdown(run, trace.breakdown(event.consumer, event.argument))
        )
    states: tuple[tuple[Role, Array | None, Quantity], ...] = (
        ("before", trace.value(event.node, number), "value"),
        ("gradient", trace.gradient(event.node, number), "grad"),
        ("after", trace.value(event.node, number + 1), "value"),
    )
    return tuple(
        Facet(role, array, event.node, quantity)
        for role, array, quantity in states
        if array is not None
    )


def to_come(
    event: Event, found: Sequence[Facet], *, is_shaped: bool = True
) -> tuple[Facet, ...]:
    """Return the arrays of an event that has not happened: without what it will make.

    Nothing that is drawn from them can tell what is to come. Without `is_shaped` their
    shape is open as well, and each is one number.
    """
    made = _MADE.get(type(event), ())
    if not is_shaped and isinstance(event, Contribution):
        made = (*made, "before")
    return tuple(
        replace(one, array=_unknown(one.array, is_shaped), is_there=False)
        if one.role in made
        else one
        for one in found
    )


def _unknown(like: Array, is_shaped: bool) -> Array:
    """Return an array whose numbers are not known; it takes no memory."""
    return np.broadcast_to(np.float64(np.nan), like.shape if is_shaped else ())


def _of_breakdown(run: Run, breakdown: Breakdown) -> list[Facet]:
    consumer, operand = breakdown.edge.consumer, breakdown.edge.operand
    found = [Facet("upstream", breakdown.upstream, consumer, "grad")]
    if breakdown.local is not None:
        found.append(_local(run, breakdown.edge, breakdown.local))
    elif breakdown.upstream.size <= _MOST:
        # `slopes_of` has the numbers, as soon as an element is chosen.
        found.append(Facet("slopes", _zeros(breakdown.upstream), consumer, "grad"))
    if breakdown.summed:
        found.append(Facet("product", breakdown.product, consumer, "grad"))
    found.append(Facet("contribution", breakdown.contribution, operand, "grad"))
    before = breakdown.before
    if before is None:  # the first use: what is added to is 0
        before = np.broadcast_to(
            np.zeros((), breakdown.after.dtype), breakdown.after.shape
        )
    found.append(Facet("before", before, operand, "grad"))
    found.append(Facet("after", breakdown.after, operand, "grad"))
    return found


def _zeros(like: Array) -> Array:
    """Return an array of zeros that takes no memory."""
    return np.broadcast_to(np.zeros((), like.dtype), like.shape)


def slopes_of(run: Run, edge: Edge, index: Index) -> Array:
    """Return ∂consumer/∂operand[index], an array of the consumer's shape.

    An element of the operand's gradient is the sum of upstream ∘ these slopes.
    """
    value = np.asarray(run.values[edge.consumer])
    slopes = np.zeros(value.shape, value.dtype)
    places, factors = local_factors(run, edge, index)
    np.put(slopes, places, factors)
    return slopes


def _local(run: Run, edge: Edge, array: Array) -> Facet:
    consumer = run.graph.nodes[edge.consumer]
    kind = consumer.op.kind if consumer.op else ""
    if array.size > 1 and _is_same(run.graph, edge):
        one = np.asarray(array[(0,) * array.ndim])
        return Facet("local", one, edge.consumer, "grad", same=array.shape)
    if kind == "contract" and len(consumer.operands) == 2:
        return Facet(
            "local", array, consumer.operands[1 - edge.argument], "value", True
        )
    if kind == "elementwise":
        return Facet("local", array, edge.consumer, "grad")
    return Facet("local", array, edge.operand, "grad")


def _is_same(graph: Graph, edge: Edge) -> bool:
    """Tell whether a local derivative is one number for all elements, by its formula.

    Then it is so whatever the values are.
    """
    node = graph.nodes[edge.consumer]
    form = node.op.form(edge.argument) if node.op is not None else None
    found = re.fullmatch(_SAME, form.local) if form is not None else None
    if node.op is None or found is None:
        return False
    shapes = (graph.nodes[operand].shape for operand in node.operands)
    known = dict(zip(node.op.operands, shapes, strict=False)) | {"y": node.shape}
    return all(known.get(name) == () for name in found.groups() if name)


def sides(
    graph: Graph, event: Event, facets: Sequence[Facet]
) -> tuple[int, int] | None:
    """Return the numbers of the left and of the right factor of a matrix product.

    The formula tells which of the two is the upstream gradient.
    """
    roles = [facet.role for facet in facets]
    if isinstance(event, Contribution):
        form = graph.worded(graph.nodes[event.consumer]).form(event.argument)
        found = factors(form.code) if form is not None else None
        if found is None or "local" not in roles:
            return None
        upstream, local = roles.index("upstream"), roles.index("local")
        return (upstream, local) if found[0] == "g" else (local, upstream)
    if isinstance(event, Forward) and len(roles) == 3:
        op = graph.nodes[event.node].op
        return (0, 1) if op is not None and factors(op.code) else None
    return None


# ------------------------------------------------------------------------- the links


def linked(
    trace: Trace, number: int, shown: Sequence[Facet], element: Element
) -> list[Region | None]:
    """Return the elements that belong to one element, for each array of an event.

    None where nothing does, or where finding out would take too long.
    """
    event, run = trace.event(number), trace.run
    if element.index is None:
        return [None] * len(shown)
    related: Mapping[tuple[int, Quantity], Region | None] = {}
    if isinstance(event, Forward):
        related = _around(run, event.node, "value", element)
    elif isinstance(event, Contribution):
        related = _across(run, event.edge, element)
    found: list[Region | None] = []
    for facet in shown:
        region = related.get((facet.node, facet.quantity))
        if (facet.node, facet.quantity) == (element.node, element.quantity):
            region = one(element.index)
        elif not isinstance(event, (Forward, Contribution)):
            region = one(element.index) if facet.node == element.node else None
        if region is not None and facet.turned:
            region = region.turned()
        fits = region is not None and len(region.box) == facet.array.ndim
        fits = fits and not facet.same
        found.append(region if fits else None)
    return found


def _around(
    run: Run, consumer: int, quantity: Quantity, element: Element
) -> dict[tuple[int, Quantity], Region | None]:
    """Relate an element of an operation's result, or of an operand, to the others."""
    node, index = run.graph.nodes[consumer], element.index or ()
    found: dict[tuple[int, Quantity], Region | None] = {}
    if element.node not in (consumer, *node.operands):
        return found
    if node.op is not None and node.op.kind == "elementwise" and not node.shape:
        for operand in node.operands:
            found[operand, "value"] = _POINT
        found[consumer, quantity] = _POINT
        return found
    if element.node == consumer:
        found[consumer, quantity] = one(index)
        for argument, operand in enumerate(node.operands):
            found[operand, "value"] = made_from(run, node, argument, index)
        return found
    argument = node.operands.index(element.node)
    found[consumer, quantity] = made_into(run, node, argument, index)
    for other, operand in enumerate(node.operands):
        if operand != element.node:
            found[operand, "value"] = partners(run, node, argument, other, index)
    found[element.node, "value"] = one(index)
    return found


def _across(
    run: Run, edge: Edge, element: Element
) -> dict[tuple[int, Quantity], Region | None]:
    """Relate an element to elements of the gradients at both ends of an edge."""
    found = _around(run, edge.consumer, "grad", element)
    if edge.operand == element.node and element.quantity == "grad":
        found[edge.operand, "grad"] = one(element.index or ())
    else:
        found[edge.operand, "grad"] = found.get((edge.operand, "value"))
    return found


def made_into(run: Run, node: Node, argument: int, index: Index) -> Region | None:
    """Return the elements of a result that depend on an element of an operand."""
    narrow, wide = _shape(run, node.operands[argument]), _shape(run, node.index)
    labels = contraction(run, node)
    if labels is not None:
        inputs, output = labels
        return _box(output, wide, _fixed(inputs[argument], narrow, index))
    if node.op is not None and node.op.kind == "elementwise":
        extra = len(wide) - len(narrow)
        aligned = zip(index, narrow, wide[extra:], strict=True)
        return Region(
            tuple(range(size) for size in wide[:extra])
            + tuple(
                range(i, i + 1) if size == whole else range(whole)
                for i, size, whole in aligned
            )
        )
    kept = _kept_axes(node, len(narrow))
    if kept is not None:
        keeps = len(wide) == len(narrow)
        at = [i if axis in kept else 0 for axis, i in enumerate(index)]
        return one(tuple(i for axis, i in enumerate(at) if keeps or axis in kept))
    if not run.flows[node.operands[argument]]:
        return None
    if _too_large(narrow, wide) and not _is_viewed(node):
        return None
    edge = Edge(node.index, argument, node.operands[argument])
    places, _ = local_factors(run, edge, index)
    if not wide:
        return _scattered(np.zeros((len(places), 0), dtype=int))
    return _scattered(np.transpose(np.unravel_index(places, wide)))


def made_from(run: Run, node: Node, argument: int, index: Index) -> Region | None:
    """Return the elements of an operand that an element of the result depends on."""
    narrow, wide = _shape(run, node.operands[argument]), _shape(run, node.index)
    labels = contraction(run, node)
    if labels is not None:
        inputs, output = labels
        return _box(inputs[argument], narrow, _fixed(output, wide, index))
    if node.op is not None and node.op.kind == "elementwise":
        return _narrowed(index, narrow)
    kept = _kept_axes(node, len(narrow))
    if kept is not None:
        keeps = len(wide) == len(narrow)
        places = dict(zip(range(len(narrow)) if keeps else kept, index, strict=True))
        return Region(
            tuple(
                range(places[axis], places[axis] + 1) if axis in kept else range(size)
                for axis, size in enumerate(narrow)
            )
        )
    if _too_large(narrow, wide) and not _is_viewed(node):
        return None
    operand = node.operands[argument]
    terms = explain_value(run, node.index, index).terms
    places = [f.index for term in terms for f in term if f.node == operand]
    return _scattered(np.array(places, dtype=int).reshape(len(places), len(narrow)))


def partners(
    run: Run, node: Node, argument: int, other: int, index: Index
) -> Region | None:
    """Return the elements of another operand that an element meets in an operation."""
    narrow, shape = (_shape(run, node.operands[k]) for k in (argument, other))
    labels = contraction(run, node)
    if labels is not None:
        inputs, _ = labels
        return _box(inputs[other], shape, _fixed(inputs[argument], narrow, index))
    if node.op is not None and node.op.kind == "elementwise":
        into = made_into(run, node, argument, index)
        return None if into is None else _projected(into, shape)
    return None


def factor(run: Run, edge: Edge, index: Index, place: Index) -> Element | None:
    """Return the element that an upstream element is multiplied with; None without one.

    That is the local derivative, where it is a value: for a product of two operands an
    element of the other one, on the way from element `place` of the consumer to element
    `index` of the operand.
    """
    node = run.graph.nodes[edge.consumer]
    if node.op is not None and node.op.kind == "elementwise":
        return _slope(run, node, node.op, edge.argument, place)
    if contraction(run, node) is None or len(node.operands) != 2:
        return None
    other = 1 - edge.argument
    by_index = partners(run, node, edge.argument, other, index)
    by_place = made_from(run, node, other, place)
    if by_index is None or by_place is None:
        return None
    pairs = zip(by_index.box, by_place.box, strict=True)
    met = [range(max(a.start, b.start), min(a.stop, b.stop)) for a, b in pairs]
    if any(len(axis) != 1 for axis in met):
        return None  # an index that only the other one has is summed over
    return Element(node.operands[other], "value", tuple(axis.start for axis in met))


def _slope(run: Run, node: Node, op: Op, argument: int, place: Index) -> Element | None:
    """Return the element that is the slope of an elementwise operation at a place."""
    form = op.form(argument)
    named = dict(zip(op.operands, node.operands, strict=False)) | {"y": node.index}
    met = named.get(form.local.strip("{}")) if form else None
    if met is None:
        return None
    box = _narrowed(place, _shape(run, met)).box
    return Element(met, "value", tuple(axis.start for axis in box))


def _shape(run: Run, node: int) -> Shape:
    return np.shape(run.values[node])


def _kept_axes(node: Node, axes: int) -> list[int] | None:
    """Return the axes that a reduction leaves; None for what is not a reduction."""
    is_reduction = node.op is not None and node.op.kind == "reduce"
    return kept_axes(node, axes) if is_reduction else None


def _fixed(labels: str, shape: Shape, index: Index) -> dict[str, int]:
    """Return where each label stands; a broadcast axis says nothing about its label."""
    pairs = zip(labels, shape, index, strict=True)
    return {label: i for label, size, i in pairs if size != 1}


def _box(labels: str, shape: Shape, fixed: Mapping[str, int]) -> Region:
    axes: list[range] = []
    for label, size in zip(labels, shape, strict=True):
        at = fixed.get(label)
        axes.append(range(size) if at is None or size == 1 else range(at, at + 1))
    return Region(tuple(axes))


def _narrowed(index: Index, narrow: Shape) -> Region:
    """Return the element of a broadcast operand that stands at `index`."""
    own = index[len(index) - len(narrow) :]
    return one(tuple(0 if s == 1 else i for i, s in zip(own, narrow, strict=True)))


def _projected(region: Region, narrow: Shape) -> Region:
    own = region.box[len(region.box) - len(narrow) :]
    pairs = zip(own, narrow, strict=True)
    return Region(tuple(range(1) if size == 1 else axis for axis, size in pairs))


def _is_viewed(node: Node) -> bool:
    """Tell whether addresses say where elements go; lists and arrays copy them."""
    index = node.attributes.get("index", ())
    slices = (int, slice, type(None), type(...))
    return bool(
        node.op and node.op.view and all(isinstance(one, slices) for one in index)
    )


def _too_large(*shapes: Shape) -> bool:
    return any(math.prod(shape) > _MOST for shape in shapes)


def _scattered(places: Array) -> Region | None:
    """Return places as a box, where they fill one."""
    if not len(places):
        return None
    low, high = places.min(axis=0), places.max(axis=0)
    box = tuple(range(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
    if int(np.prod([len(axis) for axis in box])) == len(places):
        return Region(box)
    return Region(box, frozenset(tuple(map(int, place)) for place in places))
