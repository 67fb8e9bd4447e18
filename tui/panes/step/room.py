"""How many lines the steps of a program want, told from their shapes alone.

The pane is as high as its highest step wants it, as far as there is room, so that
nothing moves from one step to the next.
"""

from __future__ import annotations

from functools import lru_cache
from textwrap import wrap
from typing import TYPE_CHECKING

from ....core.words.formulas import factors
from .places import FEW, SMALL, TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ....core.engine.graph import Edge, Graph, Node
    from ....core.engine.subject import NotePlace
    from ....core.ops.table import Shape
    from ...draw.stage import Pass

_BESIDE = 9  # lines of a step beside its matrices: formula, element, NumPy, blanks
_SAID = 2  # of these, formula and element
_WORDS = 4  # of the others: what happens, a blank, a long element, NumPy
_SUM = 1  # and what is accumulated, where the matrices do not show it
FEWEST = 4  # numbers that four matrices have room for in one line, about
_NUMBER = 9  # columns of a number, about
_NOTHING = 3  # and of the 0 that a first contribution is added to
_MOST_NODES = 2000  # of more, the first ones are asked
_MOST = 200  # lines
_KEPT = 8  # graphs and widths that are looked at once

# The number of its node, or of its edge in the backward pass.
_Step = tuple["Pass", int]
Alike = tuple[object, ...]  # its pass, and shapes


def note_lines(notes: Iterable[str], width: int) -> int:
    """Return how many lines the longest of some notes takes."""
    return max((len(wrap(note, max(width, 1))) for note in notes), default=0)


@lru_cache(1)  # each layout of the screen asks
def lines_wanted(graph: Graph, notes: int = 1, numbers: int = FEWEST) -> int:
    """Return how many lines the highest step wants, `notes` being those of its note.

    Four matrices have room for so many `numbers` in one line, about.
    """
    nodes = graph.nodes[:_MOST_NODES]
    highest = max((_matrices(graph, node, numbers) for node in nodes), default=0)
    return min(highest + _BESIDE + notes, _MOST)


def lines_needed(
    graph: Graph, notes: Mapping[NotePlace, str], width: int
) -> Mapping[Pass, int]:
    """Return in how many lines no row of a gradient gives way, and no note.

    It is told from shapes alone, for steps as wide as `width`: the same for all steps
    of a pass, in which no border moves. Matrices stand there without the numbers of
    their columns; of a long axis a window is enough.
    """
    if len(graph) > _MOST_NODES:
        return {}
    heights = _heights(graph, width)
    noted: dict[_Step, int] = {}
    for place, text in notes.items():
        step = _told_with(graph, place)
        if step is not None and step in heights:
            noted[step] = noted.get(step, heights[step]) + note_lines([text], width)
    # Places depend on shapes alone: where there are notes, all have a line for one.
    most = _highest(graph, width)
    highest: dict[Pass, int] = {when: most[when] + bool(notes) for when in most}
    for (when, _), lines in noted.items():
        highest[when] = max(highest[when], lines)
    return highest


def lines_wished(
    graph: Graph, notes: Mapping[NotePlace, str], width: int
) -> Mapping[Pass, int]:
    """Return in how many lines a step says all that it can say, about, by pass.

    Its matrices have the numbers of their columns there, and beside its note is what
    the rule of its operation says.
    """
    needed = lines_needed(graph, notes, width)
    more = _most_wished(graph, width) if needed else {}
    return {when: lines + more.get(when, 0) for when, lines in needed.items()}


@lru_cache(_KEPT)
def _most_wished(graph: Graph, width: int) -> Mapping[Pass, int]:
    """Return how much higher the highest step of each pass would be, for its words."""
    heights, most = _heights(graph, width), _highest(graph, width)
    more: dict[Pass, int] = {}
    for (when, number), lines in heights.items():
        edge = graph.carrying.edge(number) if when == "backward" else None
        node = graph.nodes[number if edge is None else edge.consumer]
        wished = lines + _WORDS + 1
        if edge is not None and (products := _factors(graph, node)):
            wished += 1 + _sum_below(*products[1 + edge.argument], width)
        if edge is not None and node.op is not None:
            form = node.op.form(edge.argument)
            wished += note_lines([form.why if form else ""], width)
        more[when] = max(more.get(when, 0), wished - most[when])
    return more


def alike(graph: Graph, when: Pass, about: Sequence[int]) -> Alike:
    """Return what steps have in common that have their matrices at the same places.

    A step is `about` an edge, or about one node. Of a product it matters which of its
    factors is sent something: the upstream gradient stands at the other side.
    """
    consumer, operand = about[0], about[-1]
    is_product = bool(_factors(graph, graph.nodes[consumer]))
    side = about[1:-1] if is_product else ()
    shapes = graph.nodes[consumer].shape, graph.nodes[operand].shape
    return when, is_product, *side, *shapes


def longest_notes(
    graph: Graph, notes: Mapping[NotePlace, str], width: int
) -> Mapping[Alike, int]:
    """Return how many lines the longest note takes of the steps that are alike.

    Those that nobody says anything of are not among them.
    """
    noted: dict[tuple[Pass, Sequence[int]], int] = {}
    for place, text in notes.items():
        for about in _about(graph, place):
            noted[about] = noted.get(about, 0) + note_lines([text], width)
    longest: dict[Alike, int] = {}
    for about, lines in noted.items():
        key = alike(graph, *about)
        longest[key] = max(longest.get(key, 0), lines)
    return longest


def _about(graph: Graph, place: NotePlace) -> Iterator[tuple[Pass, Sequence[int]]]:
    """Yield the passes of the steps that may say a note, and what those are about."""
    if place.when == "seed":
        yield "backward", (graph.output,)
    if place.when == "end":  # of an iteration it is an update
        for node in graph.nodes:
            if node.op is None:
                yield "update", (node.index,)
    step = _told_with(graph, place)
    if step is None:
        return
    when, number = step
    if when == "backward":
        yield when, graph.carrying.edge(number)
    else:
        yield when, (number,)


def _told_with(graph: Graph, place: NotePlace) -> _Step | None:
    """Return the step that says a note; None for none."""
    if place.when == "forward" or place.when == "update":  # noqa: PLR1714 (types)
        return place.when, place.node
    if place.when == "backward":
        number = graph.carrying.speaking(place.node)
        return None if number is None else ("backward", number)
    if place.when == "end":
        return "backward", len(graph.carrying) - 1
    first = (node.index for node in graph.nodes if node.op is not None)
    return ("forward", next(first, -1)) if place.when == "start" else None


@lru_cache(_KEPT)  # each offer of lines asks
def _heights(graph: Graph, width: int) -> Mapping[_Step, int]:
    """Return how many lines each step needs without its note."""
    heights: dict[_Step, int] = {}
    for node in graph.nodes:
        when: Pass = "forward" if node.op is not None else "update"
        heights[when, node.index] = _made(graph, node, width) + _SAID
    reached: set[int] = set()
    for number, edge in enumerate(graph.carrying):
        is_first = edge.operand not in reached
        reached.add(edge.operand)
        heights["backward", number] = _sent(graph, edge, width, is_first=is_first)
    return heights


@lru_cache(_KEPT)
def _highest(graph: Graph, width: int) -> Mapping[Pass, int]:
    """Return how many lines the highest step of each pass needs without its note."""
    highest: dict[Pass, int] = {}
    for (when, _), lines in _heights(graph, width).items():
        highest[when] = max(highest.get(when, 0), lines)
    return highest


def _sent(graph: Graph, edge: Edge, width: int, *, is_first: bool) -> int:
    """Return how many lines a contribution needs without a note.

    The sum has matrices, or one line says how it changes.
    """
    consumer, operand = graph.nodes[edge.consumer], graph.nodes[edge.operand]
    if products := _factors(graph, consumer):
        return _meeting(*products[1 + edge.argument]) + _SAID + _SUM
    up, down = consumer.shape, operand.shape
    before = _columns(down) * (_NOTHING if is_first else _NUMBER)
    parts = [(shape, _columns(shape) * _NUMBER) for shape in (up, up, down)]
    both = [*parts, (down, _columns(down) * _NUMBER + before)]
    return _SAID + min(_filled(both, width), _filled(parts, width) + _SUM)


def _made(graph: Graph, node: Node, width: int) -> int:
    """Return how high the matrices of a value are at least, or those of an update."""
    if products := _factors(graph, node):
        return _meeting(*products[0])
    operands = [graph.nodes[operand].shape for operand in node.operands]
    shapes = [*operands, node.shape] if node.op else [node.shape] * 3
    return _filled([(shape, _columns(shape) * _NUMBER) for shape in shapes], width)


def _factors(graph: Graph, node: Node) -> Sequence[tuple[Shape, Shape]]:
    """Return right factor and product of a matrix product, and of what it sends."""
    if node.op is None or not factors(node.op.code) or len(node.operands) != 2:
        return ()
    return [*_sides(node.shape, *(graph.nodes[one].shape for one in node.operands))]


def _meeting(right: Shape, made: Shape) -> int:
    """Return how high a product is below its right factor."""
    return 2 * TITLE + _window(right) + _window(made)


def _sum_below(right: Shape, made: Shape, width: int) -> int:
    """Return how high the sum of a product is below it, its columns numbered.

    It is 0 where it stands beside it.
    """
    numbers = _rows(right) + 3 * _columns(made)
    return 0 if numbers * _NUMBER <= width else TITLE + _window(made) + 1


def _filled(matrices: Sequence[tuple[Shape, int]], width: int) -> int:
    """Return how high matrices are in lines of a width, each so many columns wide.

    >>> _filled([((2, 3), 24), ((2, 3), 24), ((2, 3), 24)], 51)
    6
    """
    lines: list[list[Shape]] = []
    room = 0
    for shape, wide in matrices:
        if wide > room:
            lines.append([])
            room = width
        lines[-1].append(shape)
        room -= wide
    return sum(TITLE + max(map(_window, line)) for line in lines)


def _window(shape: Shape) -> int:
    """Return how many rows are seen at least."""
    rows = _rows(shape)
    return rows if rows <= SMALL else FEW


def _matrices(graph: Graph, node: Node, numbers: int) -> int:
    """Return how high the matrices of a node's steps are, forward and backward."""
    if node.op is None:
        return 0
    shapes = [graph.nodes[operand].shape for operand in node.operands]
    if products := _factors(graph, node):
        return 2 * TITLE + max(_headed(one) + _headed(made) for one, made in products)
    return max(_row(node.shape, shape, numbers) for shape in shapes or [node.shape])


def _row(made: Shape, operand: Shape, numbers: int) -> int:
    """Return how high the matrices of an elementwise step are, in one row or more."""
    columns = sum(map(_columns, (made, operand)))
    if made[-1:] + operand[-1:] == () or columns <= numbers:
        return TITLE + max(_headed(shape) for shape in (made, operand))
    if all(_rows(shape) == 1 for shape in (made, operand)):
        return 5 * (TITLE + _headed(made))  # one below the other
    both = 2 * TITLE + _headed(made) + _headed(operand)
    return both if columns <= 2 * numbers else 2 * both  # one below the other


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
