"""How many lines the steps of a program want, told from their shapes alone.

The pane is as high as its highest step wants it, as far as there is room, so that
nothing moves from one step to the next.
"""

from __future__ import annotations

from functools import lru_cache
from textwrap import wrap
from typing import TYPE_CHECKING

from ....core.words.formulas import factors
from .places import TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ....core.engine.graph import Graph, Node
    from ....core.ops.table import Shape

_BESIDE = 9  # lines of a step beside its matrices: formula, element, NumPy, blanks
_WIDE = 4  # numbers that four matrices have room for in one line, about
_MOST_NODES = 2000  # of more, the first ones are asked
_MOST = 200  # lines


def note_lines(notes: Iterable[str], width: int) -> int:
    """Return how many lines the longest of some notes takes."""
    return max((len(wrap(note, max(width, 1))) for note in notes), default=0)


@lru_cache(1)  # each layout of the screen asks
def lines_wanted(graph: Graph, notes: int = 1) -> int:
    """Return how many lines the highest step wants, `notes` being those of its note."""
    nodes = graph.nodes[:_MOST_NODES]
    highest = max((_matrices(graph, node) for node in nodes), default=0)
    return min(highest + _BESIDE + notes, _MOST)


def _matrices(graph: Graph, node: Node) -> int:
    """Return how high the matrices of a node's steps are, forward and backward."""
    if node.op is None:
        return 0
    shapes = [graph.nodes[operand].shape for operand in node.operands]
    if factors(node.op.code) and len(shapes) == 2:
        return max(
            2 * TITLE + _headed(right) + _headed(made)
            for right, made in _sides(node.shape, *shapes)
        )
    return max(_row(node.shape, shape) for shape in shapes or [node.shape])


def _row(made: Shape, operand: Shape) -> int:
    """Return how high the matrices of an elementwise step are, in one row or more."""
    columns = sum(map(_columns, (made, operand)))
    if made[-1:] + operand[-1:] == () or columns <= _WIDE:
        return TITLE + max(_headed(shape) for shape in (made, operand))
    if all(_rows(shape) == 1 for shape in (made, operand)):
        return 5 * (TITLE + _headed(made))  # one below the other
    both = 2 * TITLE + _headed(made) + _headed(operand)
    return both if columns <= 2 * _WIDE else 2 * both  # one below the other


def _columns(shape: Shape) -> int:
    return shape[-1] if shape else 1


def _sides(made: Shape, left: Shape, right: Shape) -> Iterator[tuple[Shape, Shape]]:
    """Yield right factor and product of X @ W, and of what it sends back."""
    yield right, made
    yield right[::-1], left  # ∂L/∂Y @ Wᵀ
    yield made, right  # Xᵀ @ ∂L/∂Y


def _headed(shape: Shape) -> int:
    """Return how high the numbers of an array are, with those of its columns."""
    return _rows(shape) + (shape[-1:] > (1,))


def _rows(shape: Shape) -> int:
    return shape[-2] if len(shape) > 1 else 1
