"""What is asked of the coming event, before it happens.

Each event changes one array: of a `Forward` the value of its node, of a `Seed` the
gradient of the output, of a `Contribution` the gradient of the operand as it is
*afterwards*, of an `Update` the parameter. One question fits them all.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from ...engine.copies import views
from ...engine.element import Element, index_of
from ...engine.trace import Contribution, Event, Forward, Seed, Update
from ...explain.gradients import part_of
from ...explain.values import explain_value
from ...words.events import element_name
from ...words.formulas import Wording
from ...words.names import called

if TYPE_CHECKING:
    from ...engine.element import Index, Quantity
    from ...engine.graph import Edge
    from ...engine.run import Run
    from ...engine.trace import Trace
    from ...ops.table import Array, Shape

Kind = Literal["shape", "signs", "number"]
# From the easiest to the hardest.
KINDS: Final[tuple[Kind, ...]] = ("shape", "signs", "number")
MOST_SIGNS: Final = 12  # asked at once
_MOST_LOOKED_AT: Final = 16  # elements, to choose one of them
_MOST_FACTORS: Final = 64  # of each


class Question(NamedTuple):
    """What is asked of the event that comes next."""

    event: int  # its number, counted from 0
    kind: Kind  # what is to be said
    # of what: the whole array for its shape, the first part of an index for its signs
    element: Element
    about: str  # what comes next, without a number that is not there yet
    text: str  # the question: "What will X.grad[0, 1] be?"


def changed_by(event: Event) -> tuple[int, Quantity]:
    """Return the array that an event changes: a node, and which of its two."""
    return event.node, "grad" if isinstance(event, Contribution | Seed) else "value"


def is_asked(trace: Trace, position: int, kind: Kind) -> bool:
    """Tell whether there is something to find out about the event that comes.

    What is only copied can be read off, as long as it keeps its shape where that is
    asked. What nothing on the screen determines cannot be known: a seed that is given,
    an update by what an optimiser remembers, and what a person has changed.
    """
    source = _copied(trace, position)
    if source is None:
        return kind == "shape" or _is_known(trace, trace.event(position))
    nodes = trace.run.graph.nodes
    moved = nodes[source].shape, nodes[trace.event(position).node].shape
    return kind == "shape" and moved[0] != moved[1]


def _is_known(trace: Trace, event: Event) -> bool:
    """Tell whether what an event makes follows from what is there."""
    patches = trace.run.patches
    if isinstance(event, Seed):
        return trace.run.has_seed_one
    if isinstance(event, Update):
        return trace.iteration is None or not trace.iteration.optimizer.state
    if isinstance(event, Forward):
        return event.node not in patches.values
    edge = event.consumer, event.argument
    is_wrong = edge in patches.rules or edge in patches.overwrites
    return not is_wrong and event.operand not in patches.gradients


def _copied(trace: Trace, position: int) -> int | None:
    """Return the node whose numbers an event only copies; None where it computes.

    A literal, a view and a slice are copies, and so is what passes on a gradient with
    the factor 1, unless it meets another one: then they are added.
    """
    event, nodes = trace.event(position), trace.run.graph.nodes
    if isinstance(event, Forward):
        op, operands = nodes[event.node].op, nodes[event.node].operands
        moves = op is not None and op.kind in ("move", "gather")
        alone = op is not None and len(operands) == 1 and op.copies(0)
        return operands[0] if moves or alone else None
    if not isinstance(event, Contribution):
        return None
    is_first = trace.gradient(event.node, position) is None
    is_copy = is_first and _passes_on(trace.run, event.edge)
    return event.consumer if is_copy else None


def _passes_on(run: Run, edge: Edge) -> bool:
    """Tell whether each number that an edge sends is one that arrives."""
    node = run.graph.nodes[edge.consumer]
    if node.op is None:
        return False
    if node.op.kind == "reduce":  # one number goes back to all that it is the sum of
        return node.op.reduction == "sum"
    if node.op.kind == "gather" and views(run, node, edge.argument) is None:
        return False  # what an index takes twice is added up
    size = math.prod(run.graph.nodes[edge.operand].shape)
    return node.op.copies(edge.argument) and math.prod(node.shape) <= size


def question_at(
    trace: Trace, position: int, kind: Kind, index: Index | None = None
) -> Question:
    """Return the question about the event that comes at `position`.

    Without an index one is chosen: of those made of the fewest zeros, and then of the
    fewest ones, one that is like few others, and another one at each event.
    """
    event = trace.event(position)
    node, quantity = changed_by(event)
    shape = trace.run.graph.nodes[node].shape
    if 0 in shape:
        kind = "shape"  # there is no number to ask for
    if index is None or len(index) != len(shape):
        index = _chosen(trace, position, shape) if kind == "number" else None
    place = _asked(kind, shape, position, index)
    element = Element(node, quantity, place)
    return Question(
        position, kind, element, _about(trace, position), _text(trace, kind, element)
    )


def right_array(trace: Trace, question: Question) -> Array:
    """Return the array that an event will have changed, once it has happened."""
    element = question.element
    found = trace.array(element.node, element.quantity, question.event + 1)
    return np.zeros(()) if found is None else np.asarray(found)


def _asked(
    kind: Kind, shape: Shape, position: int, index: Index | None
) -> Index | None:
    """Return of which part of an array something is asked."""
    if kind == "shape":
        return None
    if index is None:
        index = index_of(position % int(np.prod(shape, dtype=int)), shape)
    if kind == "number":
        return index
    first = 0  # as many of the last axes as have few signs together
    while np.prod(shape[first:], dtype=int) > MOST_SIGNS:
        first += 1
    return index[:first]


def _chosen(trace: Trace, position: int, shape: Shape) -> Index:
    """Return the element to ask for.

    It is chosen by the numbers that it is made of, and those can be seen already: so
    the choice does not tell the number itself.
    """
    size = int(np.prod(shape, dtype=int))
    count = min(size, _MOST_LOOKED_AT)
    places = [(position + k * size // count) % size for k in range(count)]
    found = {
        index: _factors(trace, position, index)
        for index in (index_of(place, shape) for place in places)
    }
    alike = Counter(found.values())

    def dull(index: Index) -> tuple[int, int, int]:
        factors = found[index]
        return factors.count(0), factors.count(1), alike[factors]

    return min(found, key=dull)


def _factors(trace: Trace, position: int, index: Index) -> tuple[float, ...]:
    """Return the numbers that an element will be made of, the first ones."""
    event = trace.event(position)
    if isinstance(event, Contribution):
        part = part_of(trace, event.edge, position, index)
        block = next(iter(part.blocks), None)
        if block is None:
            return ()
        upstream, local = block.upstream[:_MOST_FACTORS], block.local[:_MOST_FACTORS]
        return (*upstream.tolist(), *local.tolist())
    if isinstance(event, Forward):
        terms = explain_value(trace.run, event.node, index).terms[:_MOST_FACTORS]
        return tuple(factor.value for term in terms for factor in term)
    if isinstance(event, Update):
        step = trace.update(event.node, index)
        return float(step.value), float(step.gradient)
    return ()  # of a seed there is nothing yet


def _text(trace: Trace, kind: Kind, element: Element) -> str:
    node = trace.run.graph.nodes[element.node]
    name = called(node, element_name(node, element.index, element.quantity))
    if kind == "shape":
        return f"What shape will {name} have?"
    if kind == "signs":
        one = len(element.index or ()) == len(node.shape)
        return f"Which sign{'s' * (not one)} will {name} have?"
    return f"What will {name} be?"


def _about(trace: Trace, position: int) -> str:
    """Return what comes next: who receives through whom, and what is there so far."""
    event, graph = trace.event(position), trace.run.graph
    wording = Wording(graph)
    name = wording.node(event.node)
    if isinstance(event, Forward):
        return f"Next: {wording.forward(event.node).text}"
    if isinstance(event, Seed):
        return f"Next: the seed enters at the output {name}"
    if not isinstance(event, Contribution):
        return f"Next: the update of {name}"
    through = wording.forward(event.consumer).text
    number, of = trace.uses(event.operand, position + 1)
    use = f", use {number} of {of}" if of > 1 else ""
    return f"Next: {name} receives through {through}{use}"
