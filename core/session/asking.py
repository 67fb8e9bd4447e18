"""Asks a person: what the next event makes, and what the author of a scenario asks.

A question of an author is put before the event that its place names, so that the answer
is not there yet; the right answer is what holds behind that event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..base.errors import CommandError
from ..engine.subject import LETTERS
from ..expression.expression import parse
from ..expression.state import State
from ..practice.answer import (
    LEAST_DIGITS,
    fits,
    is_rough,
    one_number,
    precision_of,
    read_number,
)
from ..practice.question import changed_by, is_asked, question_at
from ..practice.score import Asked, Verdict, outcome_of
from ..words.events import element_name
from ..words.numbers import number_text
from .memory import Place, Tried
from .reply import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..engine.graph import Graph
    from ..engine.subject import Asking, NotePlace, Subject
    from ..engine.trace import Trace
    from ..practice.question import Question
    from ..practice.score import Outcome, Prediction
    from .session import Session


# --------------------------------------------------------------------- what comes next


def pending(session: Session) -> Asked | None:
    """Return the question that waits for an answer here; None where none does.

    Whoever has moved on, or looks at another run, has left it behind.
    """
    prediction = session.memory.prediction
    asked = prediction and prediction.asked
    if asked is None:
        return None
    here = (session.chosen, *session.place)
    return asked if here == (asked.run, asked.iteration, asked.question.event) else None


def next_asked(session: Session, place: Place, until: Place) -> Place | None:
    """Return the first place from `place` on, before `until`, where `predict` asks.

    Events that `is_asked` leaves out are passed, unless a person has chosen an element
    of what they change. It is None where nothing on the way is asked for.
    """
    prediction = session.memory.prediction
    while prediction is not None and place < until:
        trace = session.timeline.trace(place.iteration)
        if place.position == len(trace):
            place = Place(place.iteration + 1, 0)
        elif _asks(session, prediction, trace, place):
            return place
        else:
            place = place._replace(position=place.position + 1)
    return None


def _asks(session: Session, prediction: Prediction, trace: Trace, place: Place) -> bool:
    """Tell whether `predict` asks at a place.

    Who has answered what the author asks about the event is not asked again.
    """
    own = [put for put in _put_at(session, place) if put.known == place.position + 1]
    if own and all(_is_done(session, put) for put in own):
        return False
    is_chosen = changed_by(trace.event(place.position)) in prediction.chosen
    return is_chosen or is_asked(trace, place.position, prediction.kind)


def ask(session: Session, prediction: Prediction, until: Place) -> Question:
    """Ask about the event that comes here; what is asked already is asked again.

    `until` is where the step leads that asks.
    """
    asked = pending(session)
    if asked is None:
        trace, position = session.trace, session.position
        index = prediction.chosen.get(changed_by(trace.event(position)))
        question = question_at(trace, position, prediction.kind, index)
        asked = Asked(question, session.chosen, session.place.iteration, until)
    asked = asked._replace(until=until)
    session.memory.prediction = prediction._replace(asked=asked)
    return asked.question


def posed(graph: Graph, question: Question, way: Answer | None = None) -> Answer:
    """Return a question as an answer: it waits, behind the way that led to it."""
    lines, data = lines_of(question), question_record(graph, question)
    if way is None:
        return Answer(lines, data, question)
    return Answer((*way.text, *lines), {**way.data, **(data or {})}, question)


def lines_of(question: Question) -> tuple[str, ...]:
    """Return a question in lines."""
    return question.about, question.text


def question_record(graph: Graph, question: Question | None) -> dict[str, Any] | None:
    """Return a question as data."""
    if question is None:
        return None
    element = question.element
    name = element_name(graph.nodes[element.node], element.index, element.quantity)
    return {
        "question": question.text,
        "kind": question.kind,
        "element": name,
        "event": question.event + 1,
    }


def go_on(session: Session, before: Session) -> None:
    """Ask in a session as in the one before it, whose file was loaded again."""
    old, new = before.memory, session.memory
    new.log, new.answered = old.log, old.answered
    if old.prediction is not None:  # its elements may not be there any more
        new.prediction = old.prediction._replace(asked=None, chosen={})


# ------------------------------------------------------------------ what an author asks


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


def question_here(session: Session) -> Put | None:
    """Return the question that is put where a session stands, and still open."""
    if pending(session) is not None:
        return None  # one at a time
    found = _put_at(session, session.place)
    return next((put for put in found if not _is_done(session, put)), None)


def passed_over(session: Session, before: Place) -> list[int]:
    """Return the positions of open questions of the author on the way from a place.

    They are those of the first iteration, without the one where a session stands.
    """
    subject = session.subject
    if not subject.questions or session.chosen or before.iteration:
        return []
    trace, iteration = session.timeline.trace(0), session.place.iteration
    stop = len(trace) + 1 if iteration else session.position
    return sorted(
        {
            put.position
            for put in questions_in_time(subject, trace)
            if before.position < put.position < stop and not _is_done(session, put)
        }
    )


def _put_at(session: Session, place: Place) -> list[Put]:
    """Return the questions that are put at a place, open or not."""
    if not session.subject.questions or session.chosen or place.iteration:
        return []  # the answers are those of the numbers in the file
    return _by_position(session.subject, session.trace).get(place.position, [])


def _is_done(session: Session, put: Put) -> bool:
    tried = session.memory.tried.get(put.place)
    return tried is not None and tried.outcome is not None


def _by_position(subject: Subject, trace: Trace) -> dict[int, list[Put]]:
    def made() -> dict[int, list[Put]]:
        found: dict[int, list[Put]] = {}
        for put in questions_in_time(subject, trace):
            found.setdefault(put.position, []).append(put)
        return found

    return trace.run.recent.of("questions", made)


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


def answer_own(session: Session, put: Put, text: str) -> Answer:
    """Judge an answer to the question that is put; "" gives up.

    Of a wrong one the author's reason is told, or the hint; the third one tells all.
    """
    memory, tried = session.memory, session.memory.tried.get(put.place, Tried())
    if not text:
        return _done(session, put, tried._replace(outcome="shown"), "")
    found = judged(
        put,
        text,
        lambda one: session.expression(one).evaluate(session.state()),
        session.subject,
        session.trace,
    )
    if not found.is_right and not found.counts:
        return _open(put, found.why)
    tried = tried._replace(answers=(*tried.answers, text))
    outcome = outcome_of(len(tried.answers), is_right=found.is_right)
    if outcome is not None:
        said = "Right. " if found.is_right else f"Not {text}. "
        return _done(session, put, tried._replace(outcome=outcome), said)
    memory.tried[put.place] = tried
    return _open(put, f"Not {text}. {found.why or put.asking.hint}".strip())


def _open(put: Put, said: str) -> Answer:
    return Answer((said, put.text), _data(said, outcome=None), Verdict((said,), None))


def _done(session: Session, put: Put, tried: Tried, said: str) -> Answer:
    session.memory.tried[put.place] = tried
    told = right_text(put, session.subject, session.trace, session.digits)
    lines = (f"{said}{told}", *filter(None, (put.asking.after,)))
    verdict = Verdict(lines, tried.outcome)
    return Answer(lines, _data(*lines, outcome=tried.outcome), verdict)


def own_record(session: Session, put: Put, tried: Tried) -> dict[str, Any]:
    """Return a question of the author that is done as data, as one of `predict`."""
    subject, trace, asking = session.subject, session.trace, put.asking
    right = asking.right if asking.choices else right_number(put, subject, trace)
    return {
        "scenario": subject.name,
        "run": session.chosen,
        "iteration": session.place.iteration,
        "question": asking.text,
        "kind": "author",
        "element": None,
        "event": put.known,
        "where": None,
        "answers": list(tried.answers),
        "mistakes": [],
        "right": right,
        "outcome": tried.outcome,
        "tries": len(tried.answers),
    }


def right_text(put: Put, subject: Subject, trace: Trace, digits: int) -> str:
    """Return the right answer in words."""
    if put.asking.choices:
        return f"It is: {put.asking.right}"
    return f"It is {number_text(right_number(put, subject, trace), digits)}."


def _data(*said: str, outcome: Outcome | None) -> dict[str, Any]:
    return {"said": list(said), "outcome": outcome, "next": None}


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
