"""A call like one before: what that one made, made again in another place.

To read a function takes longer than to copy what came of it, and programs call one
function for many layers, steps or samples.
"""

from __future__ import annotations

import ast
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
    own, name = len(block.name), frame.name
    first, by = block.start.nodes, to.nodes - block.start.nodes
    lines = to.statements - block.start.statements
    calls = to.frames - block.start.frames
    given = _replaced(block.arguments, arguments)

    def node(number: int) -> int:
        return number + by if number >= first else given.get(number, number)

    def called(old: str) -> str:
        if old[:own] != block.name or old[own : own + 1] not in ("", "."):
            raise Elsewhere
        return name + old[own:]

    def site(old: Site | None) -> Site | None:
        return old and Site(old.statement + lines, old.line, old.column, old.text)

    rows: list[Row] = [
        (
            index + by,
            called(word),
            sort,
            op,
            tuple([node(operand) for operand in operands]),
            attributes,
            shape,
            site(place),
        )
        for index, word, sort, op, operands, attributes, shape, place in made.rows
    ]
    deeper = frame.depth - made.frames[0].depth
    inner = [
        Frame(
            one.index + calls,
            called(one.name),
            one.function,
            one.source,
            one.parent + calls,
            one.depth + deeper,
            site(one.call),
            one.first + by,
            one.stop + by,
        )
        for one in made.frames[1:]
    ]
    statements = [
        Statement(
            one.index + lines,
            one.frame + calls,
            ", ".join(map(called, one.target.split(", "))),
            one.line,
            one.text,
            one.note,
            one.first + by,
            one.stop + by,
        )
        for one in made.statements
    ]
    aliases = [(called(alias), node(number)) for alias, number in made.aliases]
    result = Ref(node(block.result.node)) if isinstance(block.result, Ref) else None
    return Made(rows, [frame, *inner], statements, aliases), result


def _replaced(old: Sequence[Bound], new: Sequence[Bound]) -> Mapping[int, int]:
    """Return the nodes of one call by those of another that stand in their places."""
    pairs = zip(old, new, strict=True)
    return {a.node: b.node for a, b in pairs if isinstance(a, Ref)}
