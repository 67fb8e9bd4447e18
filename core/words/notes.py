"""Notes with numbers in them: `{EXPR}` is an expression, `{{` and `}}` are braces.

An expression is that of `print`, at the place of the note, and bounded like it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ..base.errors import CommandError, NotYetError, Problem
from .numbers import value_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..engine.graph import Graph
    from ..engine.subject import NotePlace, Subject
    from ..engine.trace import Trace

_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)(\}?)")
# A number by itself: not a part of a name, and not one of the lengths of a shape.
_SHAPE: Final = re.compile(r"\(\d+(?:, \d+)*,?\)")
_NUMBER: Final = re.compile(r"(?<![\w.])\d")
_COLUMN: Final = re.compile(r" \(column (\d+)\)$")
_BRACE: Final = "{{ is a brace, {EXPR} an expression"
_OTHER: Final = " (Its numbers may be those of other values.)"


class Mistake(NamedTuple):
    """What is wrong inside the braces of a note."""

    offset: int  # in characters, from the start of the note
    problem: Problem  # without a place


def mistakes(
    text: str, place: NotePlace, graph: Graph, names: Mapping[str, str]
) -> Iterator[Mistake]:
    """Yield what is wrong with the expressions in a note, whatever the numbers."""
    from ..expression.expression import parse  # noqa: PLC0415  # 5 ms, only of expressions

    for piece in _PIECE.finditer(text):
        if piece[1] is None:
            continue
        if not piece[2]:
            yield Mistake(piece.start(), Problem("this brace is not closed", _BRACE))
            continue
        start = piece.start(1) + len(piece[1]) - len(piece[1].lstrip())
        try:
            reads = parse(piece[1], graph, names).reads
        except CommandError as error:
            for problem in error.problems:
                column = _COLUMN.search(problem.message)
                offset = start + int(column[1]) - 1 if column else start
                message = _COLUMN.sub("", problem.message)
                yield Mistake(offset, Problem(message, problem.hint))
            continue
        if re.search(r"\biteration\b", piece[1]):
            message = "a note does not know the iteration"
            yield Mistake(start, Problem(message, "it is shown in each of them"))
        for node, quantity in sorted(reads):
            if _comes_later(place, graph, node, quantity):
                name = graph.nodes[node].name + ".grad" * (quantity == "grad")
                message = f"{name} is not there yet where this note is shown"
                yield Mistake(start, Problem(message, "a later place may have it"))


def _comes_later(place: NotePlace, graph: Graph, node: int, quantity: str) -> bool:
    """Tell whether a pass reaches a number only after the place of a note."""
    if place.when not in ("start", "forward"):
        return False
    is_computed = graph.nodes[node].op is not None
    return quantity == "grad" or (is_computed and node > place.node)


def filled(text: str, trace: Trace, position: int, subject: Subject) -> str:
    """Return a note as it reads at a position: with numbers for its expressions.

    Where an author has written numbers, and the run has other values than the file, it
    says that they may belong to those: it cannot know which of them stay true.
    """

    def number(piece: re.Match[str]) -> str:
        if piece[1] is None:
            return piece[0][0]
        from ..expression.expression import parse  # noqa: PLC0415  # likewise
        from ..expression.state import State  # noqa: PLC0415  # likewise

        state = State(trace, position, names=subject.names)
        try:
            return value_text(
                parse(piece[1], trace.run.graph, subject.names).evaluate(state)
            )
        except NotYetError:
            return "…"
        except CommandError as error:
            return f"({error})"

    shown = _PIECE.sub(number, text)
    written = _SHAPE.sub("", _PIECE.sub("", text))
    is_other = _NUMBER.search(written) and is_changed(trace, subject)
    return shown + _OTHER if is_other else shown


def is_changed(trace: Trace, subject: Subject) -> bool:
    """Tell whether a run has other values than its subject was written with."""
    if trace.run.patches:
        return True

    def differs() -> bool:
        return any(
            not np.array_equal(trace.run.leaves[node.index], subject.leaves[node.index])
            for node in subject.graph
            if node.kind == "parameter"
        )

    return trace.run.recent.of("changed", differs)
