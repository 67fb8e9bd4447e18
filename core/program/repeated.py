"""A call like one before: what that one made, made again in another place.

To read a function takes longer than to copy what came of it, and programs call one
function for many layers, steps or samples.
"""

from __future__ import annotations

import ast
from operator import sub
from typing import TYPE_CHECKING, Final, NamedTuple

from ..engine.graph import Frame, Row, Site, Statement
from .static import Bound, Ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .syntax import Function

_COMMA: Final = ", "  # between the names that a line assigns
_PLAIN: Final = (int, float, str, type(None))

Alias = tuple[str, int]  # another name of a node, and its number


class Reach(NamedTuple):
    """How much there is at one moment of a reading."""

    nodes: int  # that were made
    frames: int  # of calls, that of the program included
    statements: int  # that were begun
    aliases: int  # other names of nodes
    steps: int  # expressions that were read
    paid: int  # steps that the operations are worth
    elements: int  # of all values
    work: int  # multiplications

    @property
    def idle(self) -> int:
        """The expressions that were read beyond what the operations are worth."""
        return self.steps - self.paid

    def since(self, start: Reach) -> Reach:
        """Return how much has been made since an earlier moment."""
        return Reach(*map(sub, self, start))


class Block(NamedTuple):
    """What one call has made: everything between two moments."""

    name: str  # of its frame, with which all names in it begin
    arguments: Sequence[Bound]  # in the order of the function's parameters
    start: Reach  # before its frame
    made: Reach  # how much it holds
    height: int  # how many calls its innermost frame is inside, from its own frame on
    functions: frozenset[Function]  # those that are called in it
    unnamed: int  # how many nodes have been called by the name of the frame alone
    result: Bound  # what the call returns

    @property
    def nodes(self) -> slice[int, int, None]:
        """Its nodes, by their numbers."""
        return slice(self.start.nodes, self.start.nodes + self.made.nodes)


class Made(NamedTuple):
    """What a call makes: parts of a graph, in the order in which they were read."""

    rows: Sequence[Row]  # of the nodes
    frames: Sequence[Frame]  # its own first
    statements: Sequence[Statement]  # of all of them
    aliases: Sequence[Alias]  # of their nodes


def form_of(arguments: Iterable[Bound], rows: Sequence[Row]) -> object | None:
    """Return what a call depends on, as a key; None where it cannot be told.

    Of a node that is its shape, and which of the others are the same node.
    """
    found: list[object] = []
    places: dict[int, int] = {}
    for value in arguments:
        if isinstance(value, Ref):
            place = places.setdefault(value.node, len(places))
            found.append((place, rows[value.node][6]))
        elif isinstance(value, _PLAIN):
            found.append((type(value), repr(value)))
        elif isinstance(value, ast.expr):  # the default of the function
            found.append(ast.expr)
        else:
            return None
    return tuple(found)


def is_named_inside(block: Block, rows: Sequence[Row]) -> bool:
    """Tell whether the names of all nodes of a block begin with that of its frame.

    A line outside may have given one of them its own name later on: what is made again
    could not have that. All other names in a block stay as they are.
    """
    name, inside = block.name, f"{block.name}."
    return all(row[1] == name or row[1].startswith(inside) for row in rows)


def moved(
    block: Block,
    made: Made,
    arguments: Sequence[Bound],
    to: Reach,
    frame: Frame,
) -> tuple[Made, Bound]:
    """Return what a block has made as it is made at `to`, and the result.

    `frame` is the outermost one: its name begins all names.
    """
    start = block.start
    move = _Move(
        len(block.name),
        frame.name,
        start.nodes,
        to.nodes - start.nodes,
        to.statements - start.statements,
        to.frames - start.frames,
        frame.depth - made.frames[0].depth,
        _replaced(block.arguments, arguments),
    )
    again = Made(
        move.rows(made.rows),
        [frame, *move.frames(made.frames[1:])],
        move.statements(made.statements),
        [(move.called(alias), move.node(number)) for alias, number in made.aliases],
    )
    result = block.result
    return again, Ref(move.node(result.node)) if isinstance(result, Ref) else None


class _Move(NamedTuple):
    """From where a block stands to where it is made again, and how much further.

    There may be many of all that it moves, so that each kind is made in one piece.
    """

    old: int  # how long the name of the frame is there
    new: str  # the name of the frame here
    first: int  # the first node of the block
    nodes: int  # by how many nodes further, and so on
    lines: int
    calls: int
    depth: int
    given: Mapping[int, int]  # the nodes of the arguments there and here

    def node(self, number: int) -> int:
        """Return the number of a node."""
        if number >= self.first:
            return number + self.nodes
        return self.given.get(number, number)

    def called(self, name: str) -> str:
        """Return a name, which begins with that of the frame."""
        return self.new + name[self.old :]

    def site(self, site: Site | None) -> Site | None:
        """Return where something stands."""
        if site is None:
            return None
        statement, line, column, text = site
        return Site(statement + self.lines, line, column, text)

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows of nodes."""
        first, by, given, moved = self.first, self.nodes, self.given, self.site
        old, new = self.old, self.new
        return [
            (
                index + by,
                new + name[old:],
                sort,
                op,
                tuple([n + by if n >= first else given.get(n, n) for n in operands]),
                attributes,
                shape,
                moved(site),
            )
            for index, name, sort, op, operands, attributes, shape, site in rows
        ]

    def frames(self, frames: Sequence[Frame]) -> list[Frame]:
        """Return the frames inside that of the block."""
        old, new, by, moved = self.old, self.new, self.nodes, self.site
        calls, deeper = self.calls, self.depth
        return [
            Frame(
                index + calls,
                new + name[old:],
                function,
                source,
                parent + calls,
                depth + deeper,
                moved(call),
                first + by,
                stop + by,
            )
            for index, name, function, source, parent, depth, call, first, stop in (
                frames
            )
        ]

    def statements(self, statements: Sequence[Statement]) -> list[Statement]:
        """Return the lines that were read."""
        lines, calls, by, targets = self.lines, self.calls, self.nodes, self.targets
        return [
            Statement(
                index + lines,
                frame + calls,
                targets(target),
                line,
                text,
                note,
                first + by,
                stop + by,
            )
            for index, frame, target, line, text, note, first, stop in statements
        ]

    def targets(self, names: str) -> str:
        """Return the names that a line assigns."""
        if _COMMA not in names:
            return self.new + names[self.old :]
        return _COMMA.join(map(self.called, names.split(_COMMA)))


def _replaced(old: Sequence[Bound], new: Sequence[Bound]) -> Mapping[int, int]:
    """Return the nodes of one call by those of another that stand in their places."""
    pairs = zip(old, new, strict=True)
    return {a.node: b.node for a, b in pairs if isinstance(a, Ref)}
