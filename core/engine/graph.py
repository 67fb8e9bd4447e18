"""The graph: nodes in forward order, flat and frozen.

A node is a row. Its operands are the numbers of earlier nodes, so every walk over the
graph is a loop, forwards or backwards, and nothing recurses.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from functools import cached_property, partial
from operator import itemgetter, neg
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, overload

import numpy as np

from ..base.errors import CommandError, Problem
from ..base.text import nearest
from ..ops.table import NO_ATTRIBUTES, REQUIRED, Array, Attributes, Op, Rule, Shape

NodeKind = Literal["input", "parameter", "constant", "op"]
Locate = Callable[[int, int], tuple[int, int]]

_NUMERIC: Final = frozenset("0123456789.-")  # what a number begins with
_UNNAMED: Final = re.compile(r"(?:.*\.)?_\d+")
_MOST_TOLD: Final = 4  # operands that a message tells the shapes of


class Source(NamedTuple):
    """A text with lines that nodes stand in: a program, the prelude, `model.py`.

    What stands in a library is shown where it is stepped into. In messages it has the
    place where a source of the author's own calls it.
    """

    text: str  # all of it, clean; its lines count from 1
    is_library: bool = False  # whether it is not the author's own


class Site(NamedTuple):
    """Where a node stands in a source. `line` and `column` count from 1."""

    statement: int  # the innermost statement instance that the node belongs to
    line: int
    column: int
    text: str  # the expression as it is written: "x @ W"


class Frame(NamedTuple):
    """One call of a function. Frame 0 is no call: it is the main source itself."""

    # its place in `Graph.frames`
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    name: str  # "x1"; "" for frame 0
    function: str  # "layer"; "" for frame 0
    source: str  # the name of the source that its lines belong to
    parent: int  # the frame that holds the call; frame 0 is its own parent
    depth: int  # how many calls it is inside; 0 for frame 0
    call: Site | None  # where it is called, in the parent; None for frame 0
    first: int  # its nodes are first … stop − 1
    stop: int  # one behind its last node


class Statement(NamedTuple):
    """One assignment or `return`, once for each time that its frame is called."""

    # its place in `Graph.statements`
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    frame: int  # the number of the frame that it runs in
    target: str  # the full name of what it assigns: "x1.z"
    line: int  # in the frame's source, counted from 1
    text: str  # the line as it is written, without its note
    note: str  # the comment at its end
    first: int  # its nodes, those of calls in it included, are first … stop − 1
    stop: int  # one behind its last node


class Node(NamedTuple):
    """A value with a name. A named tuple, for a graph may have a million of them."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  # not a search
    name: str  # "x1.z"; of a row without one, `_12` by its number
    kind: NodeKind  # a kind of leaf, or "op" for the result of an operation
    op: Op | None  # what computes it; None for a leaf
    operands: tuple[int, ...]  # numbers of earlier nodes; () for a leaf
    attributes: Attributes  # the fixed arguments of the operation, by name
    shape: Shape  # of its value; () for a scalar
    site: Site | None  # None where no line writes it: of an input

    @property
    def made_by(self) -> str:
        """Return the name of its operation, or what kind of leaf it is."""
        return self.kind if self.op is None else self.op.name

    @property
    def is_literal(self) -> bool:
        """Tell whether it is a number in the source. Its name is that number: `0.5`."""
        return self.kind == "constant" and _is_number(self.name)

    @property
    def is_unnamed(self) -> bool:
        """Tell whether its name was made up, since its source gives it none: `h._1`."""
        return _UNNAMED.fullmatch(self.name) is not None

    @property
    def wording(self) -> str:
        """Return what a made-up name stands for, as the source has it; "" of others."""
        return self.site.text if self.site and self.is_unnamed else ""


def _is_number(name: str) -> bool:
    # A name of anything else begins with a letter.
    return name[:1] in _NUMERIC


# A node as a plain tuple. It is made, and taken apart in a loop, several times faster
# than a named one, so the rows of a graph are kept like this.
Row = tuple[
    int, str, NodeKind, Op | None, tuple[int, ...], Attributes, Shape, Site | None
]


# What of the backward pass at a node does not depend on numbers, found once: its
# operands, and for each edge that carries a contribution the number of the argument,
# the operand with its shape, the axes in front along which it is repeated in the
# result, and the rule with its attributes.
Sent = tuple[tuple[int, ...], Sequence[tuple[int, int, Shape, tuple[int, ...], Rule]]]


def _node(row: Row) -> Node:
    """Return a row as a node. One without a name is called by its number: `_12`."""
    # `Node._make` counts the fields as well, which takes as long again.
    full = row if row[1] else (row[0], _unnamed(row[0]), *row[2:])
    return tuple.__new__(Node, full)  # pyright: ignore[reportUnknownMemberType]


def _unnamed(index: int) -> str:
    """Return what a node without a name is called."""
    return f"_{index}"


class Nodes(Sequence[Node]):
    """The rows of a graph, seen as nodes."""

    __slots__ = ("rows",)

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    @overload
    def __getitem__(self, index: int) -> Node: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Node]: ...
    def __getitem__(self, index: int | slice) -> Node | Sequence[Node]:
        if isinstance(index, slice):
            return Nodes(self.rows[index])
        return _node(self.rows[index])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Node]:
        return map(_node, self.rows)

    def __reversed__(self) -> Iterator[Node]:
        return map(_node, reversed(self.rows))


class Edge(NamedTuple):
    """One use of a node: `a * a` has two edges."""

    consumer: int  # the node that uses the operand
    argument: int  # which operand of the consumer it is, counted from 0
    operand: int  # the node that is used, and gets the contribution


class Edges:
    """Edges in backward order as columns, which are made fast, and found by operand.

    They are counted from `first`.
    """

    def __init__(self, first: int, nodes: int) -> None:
        self.consumers: list[int] = []
        self.arguments: list[int] = []
        self.operands: list[int] = []
        self._first, self.nodes = first, nodes
        self._known: dict[int, list[int]] = {}

    @classmethod
    def of(
        cls, rows: Sequence[Row], chosen: Callable[[Row], Iterable[int]], first: int = 0
    ) -> Edges:
        """Return the edges to the chosen operands of each row, given by number."""
        edges = cls(first, len(rows))
        consumers, arguments = edges.consumers.append, edges.arguments.append
        add = edges.operands.append
        for row in reversed(rows):
            operands = row[4]
            if operands:
                for argument in chosen(row):
                    consumers(row[0])
                    arguments(argument)
                    add(operands[argument])
        return edges

    def edge(self, number: int) -> Edge:
        """Return one of them."""
        place = number - self._first
        return Edge(self.consumers[place], self.arguments[place], self.operands[place])

    def __len__(self) -> int:
        return len(self.consumers)

    def __iter__(self) -> Iterator[Edge]:
        return map(Edge, self.consumers, self.arguments, self.operands)

    def sent(self, first: int, stop: int) -> range:
        """Return the numbers of the edges from nodes first … stop − 1."""
        start, end = (
            self._first + bisect_left(self.consumers, 1 - node, key=neg)
            for node in (stop, first)
        )
        return range(start, end)

    def speaking(self, node: int) -> int | None:
        """Return the edge at which the backward pass speaks of a node; None for none.

        It is the first that the node sends something along; a leaf sends nothing, and
        is spoken of with the last into it, when its gradient is complete.
        """
        return next(iter(self.sent(node, node + 1) or self.into(node)[-1:]), None)

    def into(self, node: int) -> Sequence[int]:
        """Return the numbers of the edges to a node, in order."""
        known = self._known.get(node)
        if known is None:
            order, starts = self._by_operand
            found = order[starts[node] : starts[node + 1]] + self._first
            known = self._known[node] = found.tolist()
        return known

    @cached_property
    def _by_operand(self) -> tuple[Array, Array]:
        """The places of the edges by operand, and where those of each operand start."""
        operands = np.array(self.operands, dtype=int)
        order = np.argsort(operands, kind="stable")
        return order, np.searchsorted(operands[order], np.arange(self.nodes + 1))


class Uses(Sequence[Sequence[Edge]]):
    """For each node the edges that use it: made when one asks for them."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._known: dict[int, Sequence[Edge]] = {}

    @overload
    def __getitem__(self, node: int) -> Sequence[Edge]: ...
    @overload
    def __getitem__(self, node: slice) -> Sequence[Sequence[Edge]]: ...
    def __getitem__(self, node: int | slice) -> Sequence[Any]:
        if isinstance(node, slice):
            return [self[one] for one in range(len(self))[node]]
        known = self._known.get(node)
        if known is None:
            edges = self._edges
            known = [edges.edge(number) for number in edges.into(node)]
            self._known[node] = known
        return known

    def __len__(self) -> int:
        return self._edges.nodes


@dataclass(frozen=True, eq=False)
class Graph:
    """A computation, frozen. `names` holds every name of a node, aliases included."""

    nodes: Nodes  # in forward order: operands come before consumers
    output: int  # the number of the node that is differentiated
    scalar: bool = False  # scalars and elementwise operations alone
    frames: Sequence[Frame] = ()  # frame 0 first; () for a graph without sources
    statements: Sequence[Statement] = ()  # in the order in which they begin
    # node numbers by the other names that nodes have
    aliases: Mapping[str, int] = field(default_factory=dict[str, int])
    # the texts that frames and sites point into, by name
    sources: Mapping[str, Source] = field(default_factory=dict[str, Source])
    file: str = ""  # what the main source stands in, as messages name it
    locate: Locate | None = None  # takes a line and a column to those of that file

    @cached_property
    def names(self) -> Mapping[str, int]:
        """Return the number of the node behind each name and alias."""
        named = {row[1] or _unnamed(row[0]): row[0] for row in self.nodes.rows}
        return MappingProxyType({**self.aliases, **named})

    def worded(self, node: Node) -> Op:
        """Return a node's row of the table, with the words that fit its operands.

        Raises `TypeError` for a leaf.
        """
        if node.op is None:
            raise TypeError(f"{node.name} is not computed")
        shapes = [self.nodes[operand].shape for operand in node.operands]
        return node.op.worded(shapes, node.attributes)

    @cached_property
    def ops(self) -> frozenset[Op]:
        """Return the operations that the graph uses."""
        found = set(map(itemgetter(3), self.nodes.rows))
        return frozenset(op for op in found if op is not None)

    @cached_property
    def leaves(self) -> Sequence[tuple[int, Shape]]:
        """Return the numbers of the leaves, with their shapes."""
        return [(row[0], row[6]) for row in self.nodes.rows if row[3] is None]

    @cached_property
    def chooses(self) -> bool:
        """Tell whether a result can have another shape for other values."""
        return any(op.kind == "gather" for op in self.ops)

    @cached_property
    def flows(self) -> bytes:
        """Mark the nodes that a gradient can flow into, if all numbers are floats."""
        return self.flows_without(frozenset())

    @cached_property
    def sources_of_flow(self) -> Sequence[int]:
        """Return the nodes that a gradient can flow into, if their numbers are floats.

        What depends on them does, and its numbers are as theirs.
        """
        flows = self.flows
        return [
            row[0]
            for row in self.nodes.rows
            if flows[row[0]] and (row[3] is None or row[3].recorded)
        ]

    def flows_without(self, stopped: Collection[int]) -> bytes:
        """Mark the nodes that a gradient can flow into.

        Inputs, parameters and recorded results, unless `stopped`, and every result that
        depends on one of them through an operand with a rule.
        """
        rows = self.nodes.rows
        blind = {op for op in self.ops if None in op.vjps}
        kinds = set(map(itemgetter(2), rows))
        if not (stopped or blind or "constant" in kinds):
            return b"\1" * len(rows)
        flows = bytearray(len(rows))
        for index, _, kind, op, operands, _, _, _ in rows:
            if op is None:
                flows[index] = kind != "constant" and index not in stopped
                continue
            if op.recorded:
                flows[index] = index not in stopped
                continue
            for argument, operand in enumerate(operands):
                if flows[operand] and (op not in blind or op.vjp(argument) is not None):
                    flows[index] = 1
                    break
        return bytes(flows)

    def sent(self, flows: bytes) -> Sequence[Sent]:
        """Return what each node sends where gradients flow into the marked ones."""
        return self._sent if flows is self.flows else self._sent_by(flows)

    @cached_property
    def _sent(self) -> Sequence[Sent]:
        return self._sent_by(self.flows)

    def _sent_by(self, flows: bytes) -> Sequence[Sent]:
        found: list[Sent] = []
        for _, _, _, op, operands, attributes, shape, _ in self.nodes.rows:
            edges: list[tuple[int, int, Shape, tuple[int, ...], Rule]] = []
            for argument, operand in enumerate(operands):
                rule = op.vjp(argument) if op and flows[operand] else None
                if rule is not None:
                    own = self.nodes.rows[operand][6]
                    axes = tuple(range(len(shape) - len(own)))
                    axes = axes if shape[len(axes) :] == own else ()
                    # To unpack attributes takes longer than to add up a small array.
                    bound = partial(rule, **attributes) if attributes else rule
                    edges.append((argument, operand, own, axes, bound))
            found.append((operands, edges))
        return found

    @cached_property
    def carrying(self) -> Edges:
        """Return the edges that carry a contribution, in backward order.

        If all numbers are floats: a run knows better.
        """
        arrives = {self.output}

        def chosen(row: Row) -> Sequence[int]:
            index, _, _, op, operands, _, _, _ = row
            if op is None or index not in arrives:
                return ()
            found = [
                argument
                for argument, operand in enumerate(operands)
                if self.flows[operand] and op.vjp(argument) is not None
            ]
            arrives.update(operands[argument] for argument in found)
            return found

        return Edges.of(self.nodes.rows, chosen)

    @cached_property
    def useful(self) -> bytes:
        """Mark the nodes that the output is computed from, itself included."""
        useful = bytearray(len(self))
        useful[self.output] = 1
        for index in range(self.output, -1, -1):
            if useful[index]:
                for operand in self.nodes.rows[index][4]:
                    useful[operand] = 1
        return bytes(useful)

    @cached_property
    def consumers(self) -> Sequence[Sequence[Edge]]:
        """Return, for each node, the edges that use it, in backward order."""
        return Uses(Edges.of(self.nodes.rows, lambda row: range(len(row[4]))))

    @cached_property
    def lines(self) -> Mapping[tuple[str, int], Sequence[Statement]]:
        """Return, for each source and line, the statements that stand there."""
        found: dict[tuple[str, int], list[Statement]] = {}
        for statement in self.statements:
            source = self.frames[statement.frame].source
            found.setdefault((source, statement.line), []).append(statement)
        return found

    @cached_property
    def texts(self) -> Mapping[str, Sequence[str]]:
        """Return the lines of each source as they are written."""
        return {name: one.text.splitlines() for name, one in self.sources.items()}

    @cached_property
    def own(self) -> Sequence[str]:
        """Return the names of the author's own sources: all that are no library."""
        return [name for name, one in self.sources.items() if not one.is_library]

    @property
    def main(self) -> str:
        """Return the name of the main source; "" where there is none."""
        return self.frames[0].source if self.frames else ""

    def is_library(self, frame: Frame | None) -> bool:
        """Tell whether a frame is a call of a library's function."""
        source = None if frame is None else self.sources.get(frame.source)
        return source is not None and source.is_library

    def source_of(self, site: Site) -> str:
        """Return the name of the source that a site is in."""
        return self.frames[self.statements[site.statement].frame].source

    def line_of(self, site: Site) -> str:
        """Return where a site is: `line 7` of the program, or `model.py:56`."""
        source = self.source_of(site)
        if self.own == [source] == ["program"]:
            return f"line {site.line}"
        return f"{source}:{site.line}"

    @cached_property
    def literals(self) -> frozenset[int]:
        """Return the numbers of the nodes that are literals."""
        rows = self.nodes.rows
        return frozenset(r[0] for r in rows if r[2] == "constant" and _is_number(r[1]))

    def node(self, name: str) -> Node:
        """Return the node called `name`, or raise `CommandError` with the nearest."""
        index = self.names.get(name)
        if index is None:
            raise CommandError(f"no node is called {name!r}", nearest(name, self.names))
        return self.nodes[index]

    def frame_of(self, node: Node) -> Frame | None:
        """Return the frame that a node was made in; leaves have none."""
        if node.site is None:
            return None
        return self.frames[self.statements[node.site.statement].frame]

    def around(self, site: Site | None) -> Iterator[tuple[Site, Statement, Frame]]:
        """Yield a place and the calls that it is in, the innermost first.

        Each comes with the statement and the frame that it belongs to.
        """
        while site is not None:
            statement = self.statements[site.statement]
            frame = self.frames[statement.frame]
            yield site, statement, frame
            site = frame.call

    def misfit(self, node: Node, words: str, hint: str = "") -> Problem:
        """Return the problem of operands that an operation cannot take.

        A node of a library is to be found where the author's own source calls it.
        """
        name = node.made_by
        words = words.removeprefix(f"{name}: ")
        operands = named_shapes(self.nodes[k] for k in node.operands)
        line = column = 0
        for site, statement, frame in self.around(node.site):
            line, column = site.line, site.column
            hint = hint or f"the line: {statement.text}"
            if not self.is_library(frame):
                break
        if line and self.locate:
            line, column = self.locate(line, column)
        message = misfit_text(f"{name} at {node.name}", operands, words)
        return Problem(message, hint, self.file, line, column)

    def edge_name(self, edge: Edge) -> str:
        """Return an edge as it is typed: `z<-W`, `y<-a#1` where `a` is used twice."""
        consumer = self.nodes[edge.consumer]
        text = f"{consumer.name}<-{self.nodes[edge.operand].name}"
        if consumer.operands.count(edge.operand) > 1:
            text += f"#{edge.argument}"
        return text

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)


def misfit_text(op: str, operands: Sequence[tuple[str, Shape]], words: str) -> str:
    """Return the message that operands, by name and shape, do not fit an operation."""
    told = [f"{name} has shape {shape}" for name, shape in operands[:_MOST_TOLD]]
    return f"{op}: {' and '.join(told)}: {words}"


def named_shapes(nodes: Iterable[Node]) -> list[tuple[str, Shape]]:
    """Return pairs of name and shape; an unnamed node is called as it is written."""
    return [(n.wording or n.name, n.shape) for n in nodes]


def _filled(op: Op, attributes: Attributes) -> Attributes:
    """Return the attributes of an operation, with the defaults of those left out."""
    defaults = {p.name: p.default for p in op.parameters if p.default is not REQUIRED}
    return MappingProxyType({**defaults, **attributes})


class Builder:
    """Collects nodes in forward order; `finish` freezes them.

    >>> from ..ops import OPS
    >>> build = Builder()
    >>> x = build.leaf("x", "input")
    >>> y = build.apply(OPS["multiply"], (x, x), name="y")
    >>> [node.name for node in build.finish(y)]
    ['x', 'y']
    """

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._scalar = True
        self.nodes: Final = Nodes(self._rows)  # those added so far

    def leaf(
        self,
        name: str,
        kind: NodeKind,
        shape: Shape = (),
        site: Site | None = None,
    ) -> int:
        """Add an input, a parameter or a constant of a shape, and return its number.

        `site` is where it stands in a source; None where it stands in none.
        """
        rows = self._rows
        index = len(rows)
        if shape:
            self._scalar = False
        rows.append((index, name, kind, None, (), NO_ATTRIBUTES, shape, site))
        return index

    def apply(
        self,
        op: Op,
        operands: tuple[int, ...],
        attributes: Attributes = NO_ATTRIBUTES,
        name: str = "",
        site: Site | None = None,
        shape: Shape | None = None,
    ) -> int:
        """Add the result of `op` for nodes by their numbers, and return its own.

        Attributes that are left out have their defaults. The shape rule raises
        `ValueError` where shapes do not fit; `shape` overrules it where the shape
        depends on data.
        """
        rows = self._rows
        index = len(rows)
        if op.parameters and len(attributes) < len(op.parameters):
            attributes = _filled(op, attributes)
        # In a graph of scalars nothing can fail to fit: no rule need be asked.
        if shape is None and self._scalar and op.kind == "elementwise":
            shape = ()
        else:
            self._scalar = False
            if shape is None:
                shapes = [rows[operand][6] for operand in operands]
                shape = op.shape(*shapes, **attributes)
        rows.append((index, name, "op", op, operands, attributes, shape, site))
        return index

    def extend(self, rows: Sequence[Row]) -> None:
        """Add rows of this graph again, moved to its end."""
        self._rows += rows

    def cut(self, length: int) -> None:
        """Take away all nodes but the first ones."""
        del self._rows[length:]

    def rename(self, index: int, name: str) -> None:
        """Give a node another name: the result of a line gets its own at the end."""
        row = self._rows[index]
        self._rows[index] = (index, name, *row[2:])

    def finish(
        self,
        output: int,
        frames: Sequence[Frame] = (),
        statements: Sequence[Statement] = (),
        aliases: Mapping[str, int] | None = None,
        sources: Mapping[str, Source] | None = None,
    ) -> Graph:
        """Return the graph with `output`, a number, as the node that is differentiated.

        The rest says where its nodes stand, for a graph that has sources.
        """
        return Graph(
            Nodes(tuple(self._rows)),
            output,
            self._scalar,
            tuple(frames),
            tuple(statements),
            MappingProxyType(dict(aliases or {})),
            MappingProxyType(dict(sources or {})),
        )
