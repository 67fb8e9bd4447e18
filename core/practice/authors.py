"""The questions of an author: when they are put, and what an answer to one is worth.

Each is put before the event that its place names, so that the answer is not there yet;
the right answer is what holds behind that event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..base.errors import CommandError
from ..engine.subject import LETTERS
from ..expression.expression import parse
from ..expression.state import State
from ..words.numbers import number_text
from .answer import LEAST_DIGITS, fits, is_rough, one_number, precision_of, read_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..engine.subject import Asking, NotePlace, Subject
    from ..engine.trace import Trace


class Put(NamedTuple):
    """A question at its place in time."""

    place: NotePlace  # the place that it is about
    asking: Asking  # what is asked, and the answers
    position: int  # where it is put
    known: int  # the position from which on the answer is known

    @property
    def kind(self) -> Literal["number", "choice"]:
        """What is to be said: a "number", or a "choice"."""
        return "choice" if self.asking.choices else "number"

    @property
    def text(self) -> str:
        """The question, and the choices with their letters."""
        choices = zip(LETTERS, self.asking.choices, strict=False)
        return "  ".join((self.asking.text, *(f"{a}) {one}" for a, one in choices)))


def questions_in_time(subject: Subject, trace: Trace) -> list[Put]:
    """Return the questions that a trace comes to, in the order of time."""
    found: list[Put] = []
    for place, asking in subject.questions.items():
        event = _event(trace, place)
        if place.when in ("start", "end"):
            at = 0 if place.when == "start" else len(trace)
            found.append(Put(place, asking, at, at))
        elif event is not None:
            found.append(Put(place, asking, event, event + 1))
    return sorted(found, key=lambda put: put.position)


def _event(trace: Trace, place: NotePlace) -> int | None:
    """Return the event that completes what a place names; None where none does."""
    if place.when == "seed":
        return trace.seed_position
    if place.when == "forward":
        return trace.forward_event(place.node)
    if place.when == "update":
        return trace.update_event(place.node)
    arrivals = trace.arrivals(place.node) if place.when == "backward" else ()
    return arrivals[-1] if arrivals else None


def right_number(put: Put, subject: Subject, trace: Trace) -> float:
    """Return the number that is the right answer, or raise `CommandError`."""
    return number_of(put.asking.right, put, subject, trace)


def number_of(text: str, put: Put, subject: Subject, trace: Trace) -> float:
    """Return the number that an expression is once the answer to a question is known.

    Raises `CommandError` where it is none.
    """
    state = State(trace, put.known, names=subject.names)
    graph = trace.run.graph
    return one_number(
        text, lambda one: parse(one, graph, subject.names).evaluate(state)
    )


def precision(put: Put, number: float, trace: Trace) -> float:
    """Return how far an answer may be off."""
    dtype = trace.run.value(trace.run.graph.output)
    return max(put.asking.tolerance * abs(number), precision_of(dtype, abs(number)))


def chosen(asking: Asking, text: str) -> str:
    """Return the choice that a text means, by its letter or its words, or raise."""
    letter = text.strip().rstrip(")").casefold()
    for name, choice in zip(LETTERS, asking.choices, strict=False):
        if letter in (name, choice.casefold()):
            return choice
    letters = ", ".join(LETTERS[: len(asking.choices)])
    raise CommandError(f"{text!r} is no choice", f"write a letter: {letters}")


class Judged(NamedTuple):
    """What an answer is worth."""

    is_right: bool  # it is the right one
    why: str = ""  # what the author says of this wrong one; "" for nothing
    counts: bool = True  # it costs a try


def judged(
    put: Put,
    text: str,
    evaluate: Callable[[str], Any],
    subject: Subject,
    trace: Trace,
) -> Judged:
    """Judge an answer; `evaluate` is what an expression comes to where it is put.

    Raises `CommandError` for what is no answer.
    """
    asking = put.asking
    if asking.choices:
        choice = chosen(asking, text)
        return Judged(choice == asking.right, asking.wrong.get(choice, ""))
    said, right = read_number(text, evaluate), right_number(put, subject, trace)
    exact = precision(put, right, trace)
    if fits(said, right, exact):
        return Judged(True)
    if is_rough(said, right, exact):
        why = f"That is it, roughly: write {LEAST_DIGITS} digits."
        return Judged(False, why, counts=False)
    for wrong, why in asking.wrong.items():
        number = number_of(wrong, put, subject, trace)
        if fits(said, number, precision(put, number, trace)):
            return Judged(False, why)
    return Judged(False)


def right_text(put: Put, subject: Subject, trace: Trace, digits: int) -> str:
    """Return the right answer in words."""
    if put.asking.choices:
        return f"It is: {put.asking.right}"
    return f"It is {number_text(right_number(put, subject, trace), digits)}."


def mistakes(put: Put, subject: Subject, trace: Trace) -> list[str]:
    """Return what is wrong with the answers of a question: nothing, if all is well."""
    asking = put.asking
    if asking.choices:
        is_wrong = asking.right in asking.wrong
        return ["the right choice is listed as wrong"] * is_wrong
    found: list[str] = []
    try:
        right = right_number(put, subject, trace)
    except CommandError as error:
        return [str(error)]
    if not np.isfinite(right):
        found.append(f"the answer is {number_text(right, 6)}: nobody can say that")
    for text in asking.wrong:
        try:
            number = number_of(text, put, subject, trace)
        except CommandError as error:
            found.append(str(error))
            continue
        if abs(number - right) <= precision(put, right, trace):
            found.append(f"{text} is listed as wrong, and it is right")
    return found
