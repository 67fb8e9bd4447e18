"""A graph as boxes: nodes, and the frames and statements that are folded to one box.

Frames and statements are runs of nodes that nest, so a folding is a list of runs that
do not overlap, in forward order: every edge leads from an earlier box to a later one.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..engine.graph import Graph


class Fold(NamedTuple):
    """A frame or a statement of several nodes, first … stop − 1."""

    number: int  # its place among the folds of the graph
    name: str  # of the frame, or what the statement assigns: "x1.z"
    text: str  # the function that is called, or the statement
    frame: bool  # whether it is a frame, not a statement
    first: int  # its first node
    stop: int  # one behind its last node
    parent: int  # the fold around it; −1 at the top
    depth: int  # 0 at the top


class Box(NamedTuple):
    """What is drawn as one: a node, or all nodes of a fold. `node` is its result."""

    first: int  # its first node
    stop: int  # one behind its last node
    node: int
    fold: int = -1  # the number of the fold; −1 for a single node


class Sketch(NamedTuple):
    """The boxes in forward order, the edges between them, both as lists of neighbours.

    `home` is the box that each node is in; −1 for literals, which are part of a label.
    """

    boxes: Sequence[Box]  # each node of the graph in one of them at most
    home: Sequence[int]
    operands: Sequence[Sequence[int]]  # for each box, the numbers of those that it uses
    consumers: Sequence[Sequence[int]]  # for each box, the numbers of those that use it


def folds_of(graph: Graph) -> tuple[Fold, ...]:
    """Return the folds of a graph, each one before those inside it."""
    runs: dict[tuple[int, int], tuple[str, str, bool]] = {}
    for frame in graph.frames[1:]:
        runs.setdefault((frame.first, frame.stop), (frame.name, frame.function, True))
    for statement in graph.statements:
        run = (statement.first, statement.stop)
        written = statement.text.strip()
        if written.startswith("return "):
            text = written.removeprefix("return ").strip()
        else:
            text = written.partition("=")[2].strip()
        runs.setdefault(run, (statement.target, text, False))
    without = graph.literals
    found: list[Fold] = []
    around: list[Fold] = []
    for (first, stop), (name, text, frame) in sorted(
        runs.items(), key=lambda run: (run[0][0], -run[0][1])
    ):
        while around and around[-1].stop <= first:
            around.pop()
        if _several(range(first, stop), without):
            parent = around[-1].number if around else -1
            depth = around[-1].depth + 1 if around else 0
            fold = Fold(len(found), name, text, frame, first, stop, parent, depth)
            found.append(fold)
            around.append(fold)
    return tuple(found)


def unfolded_to(folds: Sequence[Fold], depth: int) -> frozenset[int]:
    """Return the numbers of the folds to unfold so that `depth` levels can be seen."""
    return frozenset(fold.number for fold in folds if fold.depth < depth)


def sketch(graph: Graph, folds: Sequence[Fold], unfolded: Iterable[int]) -> Sketch:
    """Return the boxes of a graph in which these folds are open and all others shut."""
    opened = frozenset(unfolded)
    boxes: list[Box] = []
    home = [-1] * len(graph)
    shut = _shut(folds, opened)
    without = graph.literals
    node, stop = 0, len(graph)
    while node < stop:
        fold = shut.get(node)
        if fold is not None:
            home[fold.first : fold.stop] = [len(boxes)] * (fold.stop - fold.first)
            boxes.append(Box(fold.first, fold.stop, _result(graph, fold), fold.number))
            node = fold.stop
            continue
        if node not in without:
            home[node] = len(boxes)
            boxes.append(Box(node, node + 1, node))
        node += 1
    # A literal may stand among the nodes of the fold that used it first.
    for node in without:
        home[node] = -1
    operands: list[list[int]] = [[] for _ in boxes]
    consumers: list[list[int]] = [[] for _ in boxes]
    for row in graph.nodes.rows:
        target = home[row[0]]
        for operand in row[4]:
            source = home[operand]
            if source not in (-1, target) and source not in operands[target]:
                operands[target].append(source)
                consumers[source].append(target)
    return Sketch(boxes, home, operands, consumers)


def fold_at(folds: Sequence[Fold], node: int, unfolded: Iterable[int]) -> int:
    """Return the innermost open fold around a node, or −1."""
    opened = frozenset(unfolded)
    last = bisect_right(folds, node, key=lambda fold: fold.first) - 1
    number = last
    while number >= 0:
        fold = folds[number]
        if fold.first <= node < fold.stop and number in opened:
            return number
        number = fold.parent
    return -1


def _shut(folds: Sequence[Fold], opened: frozenset[int]) -> dict[int, Fold]:
    """Return the outermost shut folds, by their first node."""
    shut: dict[int, Fold] = {}
    seen: set[int] = set()  # open, and all around them as well
    for fold in folds:
        if fold.parent != -1 and fold.parent not in seen:
            continue
        if fold.number in opened:
            seen.add(fold.number)
        else:
            shut[fold.first] = fold
    return shut


def _several(nodes: range, without: frozenset[int]) -> bool:
    return len(list(islice((n for n in nodes if n not in without), 2))) == 2


def _result(graph: Graph, fold: Fold) -> int:
    node = graph.names.get(fold.name, -1)
    return node if fold.first <= node < fold.stop else fold.stop - 1
