"""How wide the numbers of a step's matrices are: the same in all steps alike."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from ....core.engine.trace import Contribution
from ....core.explain.links import Facet, Role, facets
from ....core.words.formulas import factors
from ..matrix.grid import Scale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ....core.engine.graph import Edge
    from ....core.engine.run import Run
    from ....core.engine.trace import Trace
    from ...draw.look import Look
    from .words import Moment

_ALIKE: Final = 400  # nodes up to which steps alike are looked for
_MOST_ALIKE: Final = 32  # of these steps are looked at
_SLOPE: Final = 7  # columns of a slope, before it is known: `-0.1234`


def scales_of(found: Moment, look: Look) -> Sequence[Scale]:
    """Return how the numbers of each matrix are written.

    Steps with the same shapes on the same sides have cells of the same widths, so that
    nothing moves from one to the other.
    """
    recent = found.trace.run.recent
    return recent.of(("scales", found.number), lambda: _scales(found, look))


def _scales(found: Moment, look: Look) -> Sequence[Scale]:
    trace, number = found.trace, found.number
    own = [Scale.of(facet.array, look) for facet in found.facets]
    if not isinstance(found.event, Contribution):
        return own
    if len(trace.run.graph) > _ALIKE:
        widths = _widest(trace, number, found.facets, own, look)
    else:
        key = _shapes(trace, number)
        widths = trace.run.recent.of(("widths", key), lambda: _joined(trace, key, look))
    return [
        scale.widened(widths[_column(facet.role)])
        for facet, scale in zip(found.facets, own, strict=True)
    ]


def _joined(trace: Trace, key: object, look: Look) -> Mapping[Role, int]:
    """Return how wide the numbers are in the steps with some shapes."""
    alike = (
        number
        for number in range(trace.seed_position + 1, trace.update_position)
        if _shapes(trace, number) == key
    )
    widths: dict[Role, int] = {}
    for number in islice(alike, _MOST_ALIKE):
        found = facets(trace, number)
        scales = [Scale.of(facet.array, look) for facet in found]
        for role, width in _widest(trace, number, found, scales, look).items():
            widths[role] = max(widths.get(role, 0), width)
    return widths


def _widest(
    trace: Trace,
    number: int,
    found: Sequence[Facet],
    scales: Sequence[Scale],
    look: Look,
) -> dict[Role, int]:
    """Return how wide the numbers of a step are in each column of places."""
    widths: dict[Role, int] = {}
    for facet, scale in zip(found, scales, strict=True):
        wide = scale.width
        if facet.role == "slopes":
            wide = _slope(trace.run, trace.edge(number), look)
        column = _column(facet.role)
        widths[column] = max(widths.get(column, 0), wide)
    return widths


def _slope(run: Run, edge: Edge, look: Look) -> int:
    """Return how wide the slopes of any element are, as far as that is known.

    Those of a sum of products are numbers of the other factor, or zero.
    """
    node = run.graph.nodes[edge.consumer]
    if node.op is None or node.op.kind != "contract" or len(node.operands) != 2:
        return _SLOPE
    return Scale.of(run.value(node.operands[1 - edge.argument]), look).width


def _column(role: Role) -> Role:
    """Return the role whose place a matrix has."""
    return "local" if role == "slopes" else role


def _shapes(trace: Trace, number: int) -> object:
    """Return what the places of a contribution depend on."""
    edge, nodes = trace.edge(number), trace.run.graph.nodes
    node = nodes[edge.consumer]
    is_product = node.op is not None and factors(node.op.code) is not None
    shapes = [nodes[operand].shape for operand in node.operands]
    side = (edge.argument, *shapes) if is_product else None
    return side, node.shape, nodes[edge.operand].shape
