"""A hunt: one rule of the backward pass is wrong, and a person says which.

An accusation is held against the hidden mistake. Once it is right, what the wrong rule
did is shown beside what is right, and how half of the graph at a time could have been
ruled out.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ..account.account import sent_by
from ..check.gradients import check_gradient
from ..check.job import RTOL, Job, in_float64
from ..engine.element import index_of
from ..engine.graph import Edge
from ..engine.trace import Trace
from ..mistakes.catalogue import MISTAKES, fitting
from ..mistakes.hidden import Hidden, apart, symptoms, with_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from random import Random

    from ..check.report import NodeCheck
    from ..engine.element import Index
    from ..engine.graph import Graph
    from ..engine.patches import Patches
    from ..engine.run import Run
    from ..ops.table import Array

_SAMPLE: Final = 64  # elements of a border that are compared
_OF_SUM: Final = ("overwrite", "route")  # mistakes that a sum shows, not a rule


class Hunt(NamedTuple):
    """What a session knows of a hunt."""

    hidden: Hidden  # what is to be found
    accused: tuple[str, ...] = ()  # so far, in vain, as they were written


def drawn(trace: Trace, random: Random) -> Hidden | None:
    """Return a mistake at some edge that a person could find; None where none is."""
    edges = [
        Edge(row[0], argument, row[4][argument])
        for row in trace.run.graph.nodes.rows
        for argument in trace.run.sends(row[0])
    ]
    found = [Hidden(edge, name) for edge in edges for name in fitting(trace, edge)]
    random.shuffle(found)
    for one in found:
        if symptoms(trace, with_hidden(trace, one)):
            return one
    return None


class Evidence(NamedTuple):
    """What a wrong rule did, beside what is right: two arrays of one node's shape."""

    what: str  # "contribution", "sum" or "upstream": what differs
    node: int  # whose gradient it belongs to
    wrong: Array  # what the wrong rule made of it
    right: Array  # what should be there
    place: Index  # the index of the element where they differ most


class Border(NamedTuple):
    """A border of frames where the gradient is held against differences."""

    node: int  # whose gradient it is
    found: NodeCheck  # what came of it

    @property
    def agrees(self) -> bool:
        """Tell whether the gradient is what differences say."""
        return self.found.verdict != "mismatch"


def is_meant(hidden: Hidden, accused: Collection[Edge], node: int) -> bool:
    """Tell whether an accusation names the wrong rule: `node` is −1 for an edge.

    Where a sum is wrong, whoever names the node whose sum it is has found it, too.
    """
    is_sum = hidden.mistake in _OF_SUM and node == hidden.edge.operand
    return hidden.edge in accused or is_sum


def is_same_mistake(trace: Trace, hidden: Hidden, name: str) -> bool:
    """Tell whether a mistake gives the numbers of the hidden one; names may differ."""
    if name == hidden.mistake:
        return True
    run, edge = trace.run, hidden.edge
    right = Trace(run.patched(without(run.patches, edge)), None, trace.iteration)
    try:
        patches = MISTAKES[name].make(right, edge, right.run.patches)
    except ValueError:
        return False
    other = right.run.patched(patches)
    both = zip(run.gradients, other.gradients, strict=True)
    return not any(
        np.any(apart(np.asarray(one), np.asarray(two)))
        for one, two in both
        if one is not None and two is not None
    )


def without(patches: Patches, edge: Edge) -> Patches:
    """Return the patches with the right rule of an edge."""
    key = edge[:2]
    rules = {one: rule for one, rule in patches.rules.items() if one != key}
    return patches._replace(
        rules=MappingProxyType(rules),
        overwrites=patches.overwrites - {key},
        in_place=patches.in_place - {key},
    )


def evidence(trace: Trace, hidden: Hidden) -> Evidence:
    """Return what the wrong rule did, beside what is right, from one upstream.

    Raises `ValueError` where the edge carries no contribution.
    """
    edge, run = hidden.edge, trace.run
    sent = np.asarray(trace.contribution(edge))
    event = trace.edge_event(edge.consumer, edge.argument)
    if event is None:
        raise ValueError("this edge carries no contribution")
    before = trace.gradient(edge.operand, event)
    if edge[:2] in run.patches.overwrites and before is not None:
        after = np.asarray(trace.gradient(edge.operand, event + 1))
        return _beside("sum", edge.operand, after, before + sent)
    written = [w for w in run.writes if (w.consumer, w.argument) == edge[:2]]
    others = [w for w in written if w.node != edge.consumer] or written
    if edge[:2] in run.patches.in_place and others:
        one = others[0]
        arrays = np.asarray(one.value), np.asarray(one.before)
        return _beside("upstream", one.node, *arrays)
    right = np.asarray(sent_by(run, edge, trace.upstream(edge)))
    return _beside("contribution", edge.operand, sent, right)


def _beside(what: str, node: int, wrong: Array, right: Array) -> Evidence:
    with np.errstate(all="ignore"):
        gap = np.abs(wrong.astype(float) - right.astype(float))
    same = (wrong == right) | (np.isnan(wrong) & np.isnan(right))
    gap = np.where(same, 0.0, np.nan_to_num(gap, nan=np.inf, posinf=np.inf))
    return Evidence(what, node, wrong, right, index_of(int(np.argmax(gap)), gap.shape))


# ----------------------------------------------------------------------- the borders


def bisected(trace: Trace, hidden: Hidden) -> Sequence[Border]:
    """Return the borders where a comparison rules out half of what is left, in order.

    First those of calls, or of lines where there are none, then those inside of the
    call. The mistake lies between the last one that agrees and the last one that does
    not.
    """
    graph = trace.run.graph
    check = _checker(trace.run)
    frame = graph.frame_of(graph.nodes[hidden.edge.consumer])
    around = [0] if frame is None or not frame.index else [0, frame.index]
    met: list[Border] = []
    for level in around:
        last = {one.agrees: one.node for one in met}
        results = _borders(graph, hidden.edge, level)
        places = [place for place in results if _is_open(place, last)]
        first, stop = 0, len(places)  # the first that differs is one of these
        while first < stop:
            half = (first + stop) // 2
            met.append(Border(places[half], check(places[half])))
            first, stop = (half + 1, stop) if met[-1].agrees else (first, half)
    return met


def held(run: Run, node: int) -> NodeCheck:
    """Return what comes of holding some elements of a gradient against differences."""
    return _checker(run)(node)


def _checker(run: Run) -> Callable[[int], NodeCheck]:
    exact, _ = in_float64(run)
    job = Job(run, exact, "central", None, RTOL, sample=_SAMPLE)

    def check(node: int) -> NodeCheck:
        with np.errstate(all="ignore"):
            return check_gradient(job, node)

    return check


def _is_open(node: int, last: Mapping[bool, int]) -> bool:
    """Tell whether a node lies between what agrees and what differs."""
    return last.get(False, -1) < node < last.get(True, node + 1)


def _borders(graph: Graph, edge: Edge, level: int) -> Iterator[int]:
    """Yield the results that lie on a way through an edge, in backward order.

    At level 0 they are those of calls, or of lines where nothing is called, and a leaf
    ends them; inside of a call they are those of its lines.
    """
    names = graph.names
    calls = [frame.name for frame in graph.frames if frame.depth == 1]
    lines = [one.target for one in graph.statements if one.frame == level]
    told = lines if level or not names.keys() & set(calls) else calls
    results = {names[name] for name in told if name in names}
    behind, before = _behind(graph, edge.consumer), _before(graph, edge.operand)
    wanted = {one for one in results if one in behind or one in before}
    leaves = [n for n in before if graph.nodes[n].op is None and graph.flows[n]]
    if not level and wanted.isdisjoint(before) and leaves:
        wanted.add(max(leaves))
    yield from sorted(wanted, reverse=True)


def _behind(graph: Graph, node: int) -> set[int]:
    """Return what a node leads to, itself included."""
    found = {node}
    for row in graph.nodes.rows[node + 1 :]:
        if not found.isdisjoint(row[4]):
            found.add(row[0])
    return found


def _before(graph: Graph, node: int) -> set[int]:
    """Return what leads to a node, itself included."""
    found = {node}
    for row in reversed(graph.nodes.rows[: node + 1]):
        if row[0] in found:
            found.update(row[4])
    return found
