"""A graph as DOT, for Graphviz: frames as clusters, numbers on the nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..base.progress import with_progress
from ..base.text import clean
from ..engine.measure import summarise
from ..words.numbers import number_text, shape_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..base.progress import Progress
    from ..engine.graph import Graph, Node
    from ..engine.run import Run
    from ..ops.table import Array

_ATTRIBUTES: Final = {
    "input": "shape=box, style=filled, fillcolor=lightblue",
    "parameter": "shape=box, style=filled, fillcolor=lightgreen",
    "constant": "shape=box, style=filled, fillcolor=lightgray",
    "op": "shape=box, style=rounded",
}
_OUTPUT: Final = ", penwidth=3"


def dot(title: str, run: Run, progress: Progress | None = None) -> str:
    """Return the graph of `run` as a DOT document.

    An edge along which no gradient flows is dashed. `progress` is told of each node.
    """
    graph = run.graph
    nodes = {
        node.index: _node(run, node) for node in with_progress(graph.nodes, progress)
    }
    lines = ["digraph gradstep {"]
    lines += [f"  label={_quoted(title)};", "  rankdir=LR;", "  labelloc=t;"]
    lines += ['  node [fontname="monospace"];']
    free = (node.index for node in graph if graph.frame_of(node) is None)
    lines += [f"  {nodes[index]}" for index in free]
    lines += _frames(graph, nodes)
    lines += [f"  {line}" for line in _edges(run)]
    return "\n".join([*lines, "}"]) + "\n"


def _frames(graph: Graph, nodes: Mapping[int, str]) -> Iterator[str]:
    """Yield the frames with their nodes, each inside of the frame that called it."""
    inside: dict[int, list[str]] = {}
    for node in graph:
        frame = graph.frame_of(node)
        if frame is not None:
            inside.setdefault(frame.index, []).append(nodes[node.index])
    children: dict[int, list[int]] = {}
    for frame in graph.frames[1:]:
        children.setdefault(frame.parent, []).append(frame.index)
    waiting = [(0, False)] if graph.frames else []
    while waiting:
        index, is_done = waiting.pop()
        frame = graph.frames[index]
        space = "  " * (frame.depth + 1 if index else 0)
        if is_done:
            yield f"{space}}}"
            continue
        if index:
            yield f"{space}subgraph cluster_{index} {{"
            yield f"{space}  label={_quoted(f'{frame.name} = {frame.function}(…)')};"
            waiting.append((index, True))
        yield from (f"{space}  {node}" for node in inside.get(index, ()))
        waiting += [(child, False) for child in reversed(children.get(index, []))]


def _node(run: Run, node: Node) -> str:
    drawn = _ATTRIBUTES[node.kind] + (_OUTPUT if node.index == run.graph.output else "")
    return f"n{node.index} [label={_quoted(*_label(run, node))}, {drawn}];"


def _label(run: Run, node: Node) -> Iterator[str]:
    yield node.name
    if node.is_literal:
        return
    yield f"{node.made_by} {shape_text(node.shape) if node.shape else ''}".rstrip()
    yield f"value {_summary(run.value(node.index))}"
    gradient = run.gradient(node.index)
    yield "no gradient" if gradient is None else f"gradient {_summary(gradient)}"


def _summary(array: Array) -> str:
    """Return a number, or the range of several and what is special among them."""
    if array.size == 1:
        return number_text(array.reshape(())[()])
    found = summarise(array)
    special = {"nan": found.nans, "inf": found.infinities, "zero": found.zeros}
    parts = [f"{count} {name}" for name, count in special.items() if count]
    if found.low is not None:
        parts.insert(0, f"{number_text(found.low)} … {number_text(found.high)}")
    return ", ".join(parts) or "empty"


def _edges(run: Run) -> Iterator[str]:
    graph = run.graph
    for node in graph:
        for argument, operand in enumerate(node.operands):
            carries = run.carries(node.index, argument)
            style = "" if carries else " [style=dashed]"
            yield f"n{operand} -> n{node.index}{style};"


def _quoted(*lines: str) -> str:
    r"""Return lines of text as a string of DOT, where a backslash is a command.

    >>> print(_quoted('a "b"', "c\\n"))
    "a \"b\"\nc\\n"
    """
    escaped = (
        " ".join(clean(line).split()).replace("\\", "\\\\").replace('"', '\\"')
        for line in lines
    )
    return '"' + "\\n".join(escaped) + '"'
