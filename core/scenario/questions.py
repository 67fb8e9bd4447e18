"""Reads `[questions]`: what an author asks, and what the answers are."""

from __future__ import annotations

import re
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..base.errors import CommandError
from ..base.text import clean
from ..engine.subject import LETTERS, Asking
from ..expression.expression import parse
from .toml import Table, described, is_list, is_number, listed, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..engine.graph import Graph
    from ..engine.subject import NotePlace
    from .toml import Path

_LONGEST: Final = 200  # characters of what is asked, and of a choice
_COLUMN: Final = re.compile(r" \(column \d+\)$")  # in an expression, not in the file


def read_questions(
    table: Table,
    graph: Graph | None,
    names: Mapping[str, str],
    place_of: Callable[[Path], NotePlace | None],
) -> Mapping[NotePlace, Asking]:
    """Return the questions by their places; `place_of` reads the place of a key.

    What is wrong is kept in the mistakes of the table.
    """
    found: dict[NotePlace, Asking] = {}
    for key in table.items:
        own, place = table.table(key), place_of((*table.path, key))
        asking = _question(own, graph, names)
        if place is None or asking is None:
            continue
        if place in found:
            message = f"{shown(key)} has a question already, under another name"
            table.mistakes.at_key(own.path, message, "keep one of them")
        found[place] = asking
    return MappingProxyType(found)


def _question(
    own: Table, graph: Graph | None, names: Mapping[str, str]
) -> Asking | None:
    before = len(own.mistakes)
    ask, answer = _short(own, "ask"), _answer(own)
    choices, wrong = _choices(own), _wrong(own)
    tolerance = own.number("tolerance", 0.0, lambda n: 0 <= n < 1, "0 or more, below 1")
    hint, after = own.line("hint"), own.line("after")
    own.finish("a key of a question")
    if not ask and isinstance(own.get("ask"), str | None):
        hint = 'write ask = "x.grad", or a question and answer = …'
        own.mistakes.at_key(own.path, "it does not say what to ask", hint)
    if choices:
        _check_choices(own, answer, choices, wrong)
    elif graph is not None and ask:
        _check_numbers(own, answer, wrong, graph, names)
    if len(own.mistakes) > before:
        return None
    text = ask if answer else f"What will {ask} be?"
    return Asking(text, answer or ask, choices, wrong, tolerance, hint, after)


def _short(own: Table, key: str) -> str:
    text = own.line(key)
    if len(text) > _LONGEST:
        message = f"{key} has {len(text)} characters; allowed: {_LONGEST} at most"
        own.mistakes.at_value((*own.path, key), message)
    return text


def _answer(own: Table) -> str:
    """Return the right answer as a text; "" where there is none."""
    value = own.get("answer")
    if is_number(value):
        return repr(value)
    return _short(own, "answer")


def _choices(own: Table) -> tuple[str, ...]:
    value = own.get("choices")
    if value is None:
        return ()
    path, allowed = (*own.path, "choices"), f"2 … {len(LETTERS)} texts"
    if not is_list(value) or not 2 <= len(value) <= len(LETTERS):
        what = f"{len(value)} texts" if is_list(value) else described(value)
        own.mistakes.at_value(path, f"choices is {what}", f"allowed: {allowed}")
        return ()
    for number, one in enumerate(value):
        if not isinstance(one, str) or not 0 < len(one) <= _LONGEST:
            message = f"a choice is {described(one)}"
            hint = f"allowed: a text of at most {_LONGEST} characters"
            own.mistakes.at_value((*path, number), message, hint)
    found = tuple(" ".join(clean(str(one)).split()) for one in value)
    if len({one.casefold() for one in found}) < len(found):
        own.mistakes.at_value(path, "two choices are the same", "keep one of them")
    return found


def _wrong(own: Table) -> Mapping[str, str]:
    table = own.table("wrong")
    found = {" ".join(clean(key).split()): table.line(key) for key in table.items}
    return MappingProxyType(found)


def _check_choices(
    own: Table, answer: str, choices: tuple[str, ...], wrong: Mapping[str, str]
) -> None:
    if answer not in choices:
        message = (
            f"the answer {shown(answer)} is no choice"
            if answer
            else ("it does not say which choice is right")
        )
        key = "answer" if answer else "choices"
        hint = f"choices are {listed(choices)}"
        own.mistakes.at_value((*own.path, key), message, hint)
    for key in wrong:
        if key not in choices:
            path = (*own.path, "wrong", key)
            hint = f"choices are {listed(choices)}"
            own.mistakes.at_key(path, f"{shown(key)} is no choice", hint)


def _check_numbers(
    own: Table,
    answer: str,
    wrong: Mapping[str, str],
    graph: Graph,
    names: Mapping[str, str],
) -> None:
    """Keep what is wrong with the expressions of a question."""
    key, text = ("answer", answer) if answer else ("ask", own.line("ask"))
    keep = partial(own.mistakes.at_value, (*own.path, key))
    _check_expression(text, graph, names, keep)
    for text in wrong:
        keep = partial(own.mistakes.at_key, (*own.path, "wrong", text))
        _check_expression(text, graph, names, keep)


def _check_expression(
    text: str, graph: Graph, names: Mapping[str, str], keep: Callable[[str, str], None]
) -> None:
    try:
        parse(text, graph, names)
    except CommandError as error:
        for problem in error.problems:
            keep(_COLUMN.sub("", problem.message), problem.hint)
