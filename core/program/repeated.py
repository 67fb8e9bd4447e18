"""A call like one before: what that one made, made again in another place.

To read a function takes longer than to copy what came of it, and programs call one
function for many layers, steps or samples.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from operator import sub
from typing import TYPE_CHECKING, Final, NamedTuple

from ..engine.graph import Frame, Row, Site, Statement
from .static import Bound, Ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .syntax import Function

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


class Block(NamedTuple):
    """What one call has made: everything between two moments."""

    name: str  # of its frame, with which all names in it begin
    arguments: Sequence[Bound]  # in the order of the function's parameters
    start: Reach  # before its frame
    stop: Reach  # behind its last node
    height: int  # how many calls its innermost frame is inside, from its own frame on
    functions: frozenset[Function]  # those that are called in it
    unnamed: int  # how many nodes have been called by the name of the frame alone
    result: Bound  # what the call returns

    @property
    def made(self) -> Reach:
        """How much it holds."""
        return Reach(*map(sub, self.stop, self.start))


class Made(NamedTuple):
    """What a call makes: parts of a graph, in the order in which they were read."""

    rows: Sequence[Row]  # of the nodes
    frames: Sequence[Frame]  # its own first
    statements: Sequence[Statement]  # of all of them
    aliases: Sequence[Alias]  # of their nodes


class Elsewhere(Exception):
    """Something in a block got its name from outside, so it cannot be moved."""


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


def moved(
    block: Block,
    made: Made,
    arguments: Sequence[Bound],
    to: Reach,
    frame: Frame,
) -> tuple[Made, Bound]:
    """Return what a block has made as it is made at `to`, and the result.

    `frame` is the outermost one: its name begins all names. Raises `Elsewhere`.
    """
    start = block.start
    move = _Move(
        block.name,
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
        [frame, *map(move.frame, made.frames[1:])],
        [*map(move.statement, made.statements)],
        [(move.called(alias), move.node(number)) for alias, number in made.aliases],
    )
    result = block.result
    return again, Ref(move.node(result.node)) if isinstance(result, Ref) else None


@dataclass(frozen=True, slots=True)
class _Move:
    """From where a block stands to where it is made again, and how much further."""

    old: str  # the name of the frame there
    new: str  # the name of the frame here
    first: int  # the first node of the block
    nodes: int  # by how many nodes further, and so on
    statements: int
    frames: int
    depth: int
    given: Mapping[int, int]  # the nodes of the arguments there and here

    def node(self, number: int) -> int:
        """Return the number of a node."""
        if number >= self.first:
            return number + self.nodes
        return self.given.get(number, number)

    def called(self, name: str) -> str:
        """Return a name that begins with that of the frame."""
        old = self.old
        if not name.startswith(old) or name[len(old) : len(old) + 1] not in ("", "."):
            raise Elsewhere
        return self.new + name[len(old) :]

    def site(self, site: Site | None) -> Site | None:
        """Return where something stands."""
        if site is None:
            return None
        statement, line, column, text = site
        return Site(statement + self.statements, line, column, text)

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows of nodes, all in one piece: there are many of them."""
        first, by, given = self.first, self.nodes, self.given
        return [
            (
                index + by,
                self.called(name),
                sort,
                op,
                tuple([n + by if n >= first else given.get(n, n) for n in operands]),
                attributes,
                shape,
                self.site(site),
            )
            for index, name, sort, op, operands, attributes, shape, site in rows
        ]

    def frame(self, frame: Frame) -> Frame:
        """Return a frame inside that of the block."""
        return frame._replace(
            index=frame.index + self.frames,
            name=self.called(frame.name),
            parent=frame.parent + self.frames,
            depth=frame.depth + self.depth,
            call=self.site(frame.call),
            first=frame.first + self.nodes,
            stop=frame.stop + self.nodes,
        )

    def statement(self, statement: Statement) -> Statement:
        """Return a line that was read."""
        targets = statement.target.split(", ")
        return statement._replace(
            index=statement.index + self.statements,
            frame=statement.frame + self.frames,
            target=", ".join(map(self.called, targets)),
            first=statement.first + self.nodes,
            stop=statement.stop + self.nodes,
        )


def _replaced(old: Sequence[Bound], new: Sequence[Bound]) -> Mapping[int, int]:
    """Return the nodes of one call by those of another that stand in their places."""
    pairs = zip(old, new, strict=True)
    return {a.node: b.node for a, b in pairs if isinstance(a, Ref)}
