"""What is wrong with a command line that is not to be run yet: one of a stop.

Only names and grammar are looked at. Stops, marks, files and iterations may come to be
before the line is run, and a gradient that nobody gets here may be there in another
run.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..base.errors import CommandError
from .changing import check_two, edges_of, mistaken, two_expressions
from .checking import element_and_step
from .movement import ONLY_PLACES, numbered
from .nudging import read_nudge
from .practising import read_accusation, read_predict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..session.session import Session
    from .table import Command

    Reader = Callable[[Session, str], object]


def must_read(session: Session, command: Command, arguments: str) -> None:
    """Raise the `CommandError` that running a command would raise for its arguments."""
    reader = _READERS.get(command.usage)
    if reader is None:
        return
    if arguments:
        reader(session, arguments)
    elif not command.usage.startswith("["):
        command.run(session, "")  # it asks what is meant, and does nothing


def _expression(session: Session, text: str) -> None:
    from ..expression.expression import parse  # noqa: PLC0415  # 5 ms, only of expressions

    parse(text, session.graph, session.subject.names, session.subject.limits)


def _element(session: Session, text: str) -> None:
    session.element(text)


def _location(session: Session, text: str) -> None:
    session.location(text)


def _place_or_expression(session: Session, text: str) -> None:
    try:
        session.location(text)
    except CommandError:
        if text.startswith(ONLY_PLACES):
            raise
        _expression(session, text)


def _with_condition(reader: Reader) -> Reader:
    def read(session: Session, text: str) -> None:
        first, _, condition = f" {text}".partition(" if ")
        if first.strip():
            reader(session, first.strip())
        if condition:
            _expression(session, condition)

    return read


def _behind(option: str, reader: Reader) -> Reader:
    """Return what reads the arguments that follow an option, a pattern."""

    def read(session: Session, text: str) -> None:
        rest = re.sub(rf"^(?:{option})(?:\s+|$)", "", text)
        if rest:
            reader(session, rest)

    return read


def _or_node(reader: Reader) -> Reader:
    """Return what takes a node by its name, whatever that looks like."""

    def read(session: Session, text: str) -> None:
        if text not in session.graph.names:
            reader(session, text)

    return read


def _assignment(session: Session, text: str) -> None:
    target, equals, value = text.partition("=")
    if not equals:
        raise CommandError("set what to what?", "set ELEMENT = EXPR")
    _or_node(_element)(session, target.strip())
    _expression(session, value)


def _destination(session: Session, text: str) -> None:
    iteration, colon, rest = text.partition(":")
    place = rest or "start" if colon and iteration.isdecimal() else text
    is_mark = place is text and place.isidentifier()  # it may be one by then
    if is_mark or numbered(place, session.position, len(session.trace)) is not None:
        return
    session.location(place)


def _two_sides(session: Session, text: str) -> None:
    if text.replace(" ", "").isdecimal():
        check_two(text)
    else:
        two_expressions(session, text)


def _limit(session: Session, text: str) -> None:
    element, _ = element_and_step(text)
    if element:
        _element(session, element)


def _line(session: Session, text: str) -> None:
    session.must_read(text)


def _edges(session: Session, text: str) -> None:
    edges_of(session, text, of_gradient=True, usage="")


# By the grammar that a row of the table gives; what is not here is not read.
_READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "EXPR": _expression,
        "[EXPR]": _expression,
        "[-f] EXPR": _behind("-f", _expression),
        "NODE | EXPR": _or_node(_expression),
        "LOC | EXPR": _place_or_expression,
        "EXPR [if EXPR]": _with_condition(_expression),
        "[LOC] [if EXPR]": _with_condition(_location),
        "N [EXPR]": _behind(r"\d+", _expression),
        "[ELEMENT]": _element,
        "[-COUNT] [ELEMENT]": _behind(r"-\d+", _element),
        "[ELEMENT] [Δ]": _limit,
        "ELEMENT = EXPR": _assignment,
        "ELEMENT [+ | - | Δ | half | double]": read_nudge,
        "[on | off | shapes | signs | numbers | ELEMENT]": read_predict,
        "LOC | N | 50% | +N | -N | ITERATION:LOC | MARK": _destination,
        "[N [M]] | EXPR EXPR": _two_sides,
        "[LINE]": _line,
        "EDGE | NODE": _edges,
        "EDGE | NODE MISTAKE": mistaken,
        "EDGE | NODE [MISTAKE]": read_accusation,
    }
)
