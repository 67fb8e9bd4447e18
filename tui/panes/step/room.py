"""How many lines the steps of a program want, told from their shapes alone.

The pane is as high as its highest step wants it, as far as there is room, so that
nothing moves from one step to the next.
"""

from __future__ import annotations

from functools import lru_cache
from textwrap import wrap
from typing import TYPE_CHECKING

from ....core.engine.subject import NotePlace
from ....core.words.formulas import factors
from .places import FEW, SMALL, TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ....core.engine.graph import Edge, Graph, Node
    from ....core.ops.table import Shape

_BESIDE = 9  # lines of a step beside its matrices: formula, element, NumPy, blanks
_SAID = 2  # of these, formula and element
_SUM = 1  # and what is accumulated, where the matrices do not show it
_WIDE = 4  # numbers that four matrices have room for in one line, about
_NUMBER = 8  # columns of a number, about
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


def lines_needed(graph: Graph, notes: Mapping[NotePlace, str], width: int) -> int:
    """Return in how many lines no row of a gradient gives way, and no note.

    It is told from shapes alone, for steps as wide as `width`: the same for all steps.
    Matrices stand there without the numbers of their columns; of a long axis a window
    is enough.
    """
    if len(graph) > _MOST_NODES:
        return 0
    most = max(width // _NUMBER, 1)
    heights = [0]
    for edge, places in _spoken(graph).items():
        found = (notes[place] for place in places if place in notes)
        lines = sum(note_lines([text], width) for text in found)
        heights.append(_sent(graph, edge, most) + lines)
    for place, text in notes.items():
        if place.when in ("forward", "update"):
            made = _made(graph, graph.nodes[place.node], most)
            heights.append(made + _SAID + note_lines([text], width))
    return max(heights)


def _spoken(graph: Graph) -> dict[Edge, list[NotePlace]]:
    """Return the places of notes at each contribution.

    A node is spoken of when it sends the first one, a leaf when the last one arrives.
    """
    first: dict[int, Edge] = {}
    last: dict[int, Edge] = {}
    for edge in graph.carrying:
        first.setdefault(edge.consumer, edge)
        last[edge.operand] = edge
    found: dict[Edge, list[NotePlace]] = {edge: [] for edge in graph.carrying}
    for node, edge in first.items():
        found[edge].append(NotePlace("backward", node))
    for node, edge in last.items():
        if graph.nodes[node].op is None:
            found[edge].append(NotePlace("backward", node))
    return found


def _sent(graph: Graph, edge: Edge, most: int) -> int:
    """Return how many lines a contribution needs without a note."""
    consumer, operand = graph.nodes[edge.consumer], graph.nodes[edge.operand]
    if products := _factors(graph, consumer):
        return _meeting(*products[1 + edge.argument]) + _SAID + _SUM
    up, down = consumer.shape, operand.shape
    widths = _columns(up), _columns(up), _columns(down), _columns(down) + 1
    height, is_one = _filled([up, up, down, down], widths, most)
    return height + _SAID + (0 if is_one else _SUM)


def _made(graph: Graph, node: Node, most: int) -> int:
    """Return how high the matrices of a value are at least, or those of an update."""
    if products := _factors(graph, node):
        return _meeting(*products[0])
    operands = [graph.nodes[operand].shape for operand in node.operands]
    shapes = [*operands, node.shape] if node.op else [node.shape] * 3
    return _filled(shapes, [*map(_columns, shapes)], most)[0]


def _factors(graph: Graph, node: Node) -> Sequence[tuple[Shape, Shape]]:
    """Return right factor and product of a matrix product, and of what it sends."""
    if node.op is None or not factors(node.op.code) or len(node.operands) != 2:
        return ()
    return [*_sides(node.shape, *(graph.nodes[one].shape for one in node.operands))]


def _meeting(right: Shape, made: Shape) -> int:
    """Return how high a product is below its right factor."""
    return 2 * TITLE + _window(right) + _window(made)


def _filled(
    shapes: Sequence[Shape], widths: Sequence[int], most: int
) -> tuple[int, bool]:
    """Return how high matrices are in lines of so many numbers, and if one is enough.

    >>> _filled([(2, 3), (2, 3), (2, 3)], [3, 3, 3], 6)
    (6, False)
    """
    lines: list[list[Shape]] = []
    room = 0
    for shape, width in zip(shapes, widths, strict=True):
        if width > room:
            lines.append([])
            room = most
        lines[-1].append(shape)
        room -= width
    return sum(TITLE + max(map(_window, line)) for line in lines), len(lines) == 1


def _window(shape: Shape) -> int:
    """Return how many rows are seen at least."""
    rows = _rows(shape)
    return rows if rows <= SMALL else FEW


def _matrices(graph: Graph, node: Node) -> int:
    """Return how high the matrices of a node's steps are, forward and backward."""
    if node.op is None:
        return 0
    shapes = [graph.nodes[operand].shape for operand in node.operands]
    if products := _factors(graph, node):
        return 2 * TITLE + max(_headed(one) + _headed(made) for one, made in products)
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
