"""What a person is told of a program without asking: a table of remarks.

A remark is about what is allowed, and most often not meant. It is found by the graph
alone: operations and shapes, whatever the numbers are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .names import spelled
from .numbers import shape_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..engine.graph import Graph, Node
    from ..engine.run import Run


class Remark(NamedTuple):
    """One remark about one node."""

    kind: str  # the name of its row in `ROWS`
    node: int  # which node it is about
    text: str  # what there is to see, in a short line
    effect: str  # what comes of it
    advice: str  # what to do

    @property
    def sentence(self) -> str:
        """The whole of it."""
        return f"{self.text}: {self.effect}; {self.advice}"


def remark_text(remark: Remark, graph: Graph) -> str:
    """Return a remark in one line, with the node that it is about."""
    return f"remark on {graph.nodes[remark.node].name}: {remark.sentence}"


class Look(NamedTuple):
    """One row: what is looked for, what is said of it, and what to do about it.

    `finds` returns the words for the places of the texts, or None.
    """

    kind: str  # its name
    finds: Callable[[Graph, Node], Mapping[str, str] | None]
    text: str  # what is said, with {} for words
    effect: str  # what comes of it, with such places as well
    advice: str  # what to do


def remarks(run: Run) -> Sequence[Remark]:
    """Return what there is to remark on the graph of a run, in forward order."""
    return run.recent.of("remarks", lambda: tuple(_found(run.graph)))


def _found(graph: Graph) -> Sequence[Remark]:
    wanted = {op for op in graph.ops if op.makes_own or op.signs == _DIFFERENCE}
    found: list[Remark] = []
    if not wanted:
        return found
    for row in graph.nodes.rows:
        if row[3] not in wanted:
            continue
        node = graph.nodes[row[0]]
        for look in ROWS:
            words = look.finds(graph, node)
            if words is not None:
                texts = (look.text, look.effect, look.advice)
                filled = (text.format(**words) for text in texts)
                found.append(Remark(look.kind, node.index, *filled))
    return found


def concerns(remark: Remark, graph: Graph, node: int, *, gradient: bool) -> bool:
    """Tell whether a number depends on what is remarked: a value, or a gradient.

    A gradient comes from all nodes that its own is an operand of.
    """
    first, last = (node, remark.node) if gradient else (remark.node, node)
    reached = {first}
    for index in range(first + 1, last + 1):
        if not reached.isdisjoint(graph.nodes.rows[index][4]):
            reached.add(index)
    return last in reached


# ----------------------------------------------------------------------- the rows

_DIFFERENCE: Final = (1, -1)


def _stretched(graph: Graph, node: Node) -> Mapping[str, str] | None:
    """Look for a difference in a loss whose operands stretch each other.

    That is where both are repeated, and the result goes into a sum or a mean of all.
    An axis that the very line inserts is meant to be there.
    """
    if node.op is None or node.op.signs != _DIFFERENCE or node.site is None:
        return None
    a, b = (graph.nodes[operand] for operand in node.operands)
    if node.shape in (a.shape, b.shape) or not _is_reduced(graph, node):
        return None
    if any(one.is_unnamed and _is_moved(one) for one in (a, b)):
        return None
    shapes = [shape_text(one.shape) for one in (a, b, node)]
    names = [spelled(one, graph) for one in (a, b)]
    keys = ("a", "b", "a_shape", "b_shape", "shape")
    return dict(zip(keys, (*names, *shapes), strict=True))


def _is_moved(node: Node) -> bool:
    return node.op is not None and node.op.kind in ("move", "gather")


def _is_reduced(graph: Graph, node: Node) -> bool:
    """Tell whether a result goes, element by element, into a sum of all elements."""
    near, is_reduced = {node.index}, False
    for _ in range(_NEAR):
        following = {edge.consumer for one in near for edge in graph.consumers[one]}
        reduced = {one for one in following if _reduces(graph.nodes[one])}
        near = following - reduced
        is_reduced = is_reduced or bool(reduced)
        for one in near:
            op = graph.nodes[one].op
            if op is None or op.kind != "elementwise":
                return False
    return is_reduced and not near


def _reduces(node: Node) -> bool:
    is_sum = node.op is not None and node.op.kind == "reduce" and node.op.reduction
    return bool(is_sum) and not node.shape


_NEAR: Final = 12  # operations between a difference and the sum of a loss


def _twice(graph: Graph, node: Node) -> Mapping[str, str] | None:
    """Look for a loss that makes probabilities itself, and is given such."""
    if node.op is None or not node.op.makes_own:
        return None
    given = graph.nodes[node.operands[0]]
    while _is_moved(given):
        given = graph.nodes[given.operands[0]]
    if given.op is None or given.op.name not in node.op.makes_own:
        return None
    before = graph.nodes[given.operands[0]]
    return {
        "loss": node.op.name,
        "own": given.op.name,
        "given": spelled(given, graph),
        "before": spelled(before, graph),
    }


ROWS: Final[Sequence[Look]] = (
    Look(
        "stretched operands",
        _stretched,
        "{a} {a_shape} and {b} {b_shape} broadcast to {shape}",
        "each number of the one meets each number of the other",
        "give both one shape, with reshape or squeeze",
    ),
    Look(
        "softmax twice",
        _twice,
        "{own} twice: {loss} makes its own",
        "{given} has been through one already, and hardly any slope is left",
        "give it {before}",
    ),
)
