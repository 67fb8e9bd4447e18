"""How wide the numbers of a step's matrices are: the same in all steps alike.

Numbers that training may change have room for any number. Where nothing changes them,
all there are can be looked at, and their matrices take no more room than they need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ....core.engine.trace import Contribution, Forward
from ....core.explain.links import Facet, Role, facets
from ....core.words.formulas import factors
from ..matrix.grid import SHORTEST, Scale

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ....core.engine.graph import Edge
    from ....core.engine.run import Run
    from ....core.engine.trace import Trace
    from ...draw.look import Look
    from .words import Moment

_ROOMY: Final = 9  # characters that nearly any number has four digits in: -0.001234
_ALIKE: Final = 400  # nodes up to which steps alike are looked for
_MOST_ALIKE: Final = 32  # of these steps are looked at

_Column = tuple[Role, int]  # a role, and which one of several that have it
_Widths = dict[_Column, int]


class Numbers(NamedTuple):
    """How the numbers of a matrix are written, and how wide they are with room."""

    scale: Scale  # of the numbers that there are
    width: int  # in characters


def numbers_of(found: Moment, look: Look, *, hides: bool = False) -> Sequence[Numbers]:
    """Return how the numbers of each matrix of a step are written.

    Steps with the same shapes on the same sides have cells of the same widths, so that
    nothing moves from one to the other. With `hides` no number that is still to come is
    looked at.
    """
    recent = found.trace.run.recent
    key = "numbers", found.which, hides
    return recent.of(key, lambda: _numbers(found, look, hides))


def _numbers(found: Moment, look: Look, hides: bool) -> Sequence[Numbers]:
    trace, number = found.trace, found.number
    widths: _Widths = {}
    if len(trace.run.graph) <= _ALIKE:
        key = _shapes(trace, number)
        is_open = hides or trace.iteration is not None
        widths = trace.run.recent.of(
            ("widths", key, is_open), lambda: _widths(trace, key, look, is_open)
        )
    return [
        Numbers(Scale.of(facet.array, look), widths.get(column, _ROOMY))
        for column, facet in zip(_columns(found.facets), found.facets, strict=True)
    ]


def _widths(trace: Trace, key: object, look: Look, is_open: bool) -> _Widths:
    """Return how wide the numbers are in the steps with some shapes, where it is known.

    Where they are open, what a first use adds to is 0 all the same.
    """
    alike = [number for number in range(len(trace)) if _shapes(trace, number) == key]
    if is_open or len(alike) > _MOST_ALIKE:
        return {} if any(_is_later(trace, one) for one in alike) else {("before", 0): 1}
    widths: _Widths = {}
    for number in alike:
        found = facets(trace, number)
        for column, facet in zip(_columns(found), found, strict=True):
            wide = Scale.of(facet.array, look).width
            if facet.role == "slopes":
                wide = _slope(trace.run, trace.edge(number), look)
            widths[column] = max(widths.get(column, 0), wide)
    return widths


def _is_later(trace: Trace, number: int) -> bool:
    """Tell whether a step is no contribution, or not the first one to its operand."""
    event = trace.event(number)
    is_first = isinstance(event, Contribution) and (
        trace.gradient(event.operand, number) is None
    )
    return not is_first


def _slope(run: Run, edge: Edge, look: Look) -> int:
    """Return how wide the slopes of any element are, as far as that is known.

    Those of a sum of products are numbers of the other factor, or zero.
    """
    node = run.graph.nodes[edge.consumer]
    if node.op is None or node.op.kind != "contract" or len(node.operands) != 2:
        return SHORTEST
    return Scale.of(run.value(node.operands[1 - edge.argument]), look).width


def _columns(found: Sequence[Facet]) -> Iterator[_Column]:
    """Yield the column of places that each matrix has."""
    for number, facet in enumerate(found):
        is_operand = facet.role == "operand"
        role = "local" if facet.role == "slopes" else facet.role
        yield role, number if is_operand else 0


def _shapes(trace: Trace, number: int) -> object:
    """Return what the places of a step depend on."""
    event, nodes = trace.event(number), trace.run.graph.nodes
    node = nodes[event.consumer if isinstance(event, Contribution) else event.node]
    shapes = [nodes[operand].shape for operand in node.operands]
    if isinstance(event, Forward):
        return "forward", node.shape, *shapes
    if not isinstance(event, Contribution):
        return "leaf", node.shape
    is_product = node.op is not None and factors(node.op.code) is not None
    side = (event.argument, *shapes) if is_product else None
    return side, node.shape, nodes[event.operand].shape
