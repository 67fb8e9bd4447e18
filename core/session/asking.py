"""Asks what the next event makes, before it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..practice.question import changed_by, question_at
from ..practice.score import Asked
from ..words.events import element_name
from .reply import Answer

if TYPE_CHECKING:
    from ..engine.graph import Graph
    from ..practice.question import Question
    from .memory import Place
    from .session import Session


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


def ask(session: Session, until: Place) -> Answer | None:
    """Ask about the event that comes; None where nothing does, or nobody asks.

    A question that is asked already is asked again. `until` is where the step leads
    that asks.
    """
    prediction = session.memory.prediction
    if prediction is None:
        return None
    asked = pending(session)
    if asked is None:
        trace, position = session.trace, session.position
        index = None
        if position < len(trace):
            index = prediction.chosen.get(changed_by(trace.event(position)))
        question = question_at(trace, position, prediction.kind, index)
        if question is None:
            return None
        asked = Asked(question, session.chosen, session.place.iteration, until)
    asked = asked._replace(until=until)
    session.memory.prediction = prediction._replace(asked=asked)
    return posed(session.graph, asked.question)


def posed(graph: Graph, question: Question) -> Answer:
    """Return a question as an answer: nothing has moved, and it waits."""
    return Answer(lines_of(question), question_record(graph, question), question)


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
