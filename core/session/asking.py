"""Asks a person where a session stands: what comes next, and what the author asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..practice.predict.question import changed_by, is_asked, question_at
from ..practice.predict.score import Asked, Verdict, outcome_of
from ..words.events import element_name
from .memory import Place, Tried
from .reply import Answer

if TYPE_CHECKING:
    from ..engine.graph import Graph
    from ..engine.subject import Subject
    from ..engine.trace import Trace
    from ..practice.authors import Put
    from ..practice.predict.question import Question
    from ..practice.predict.score import Outcome, Prediction
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
    from ..practice.authors import questions_in_time  # noqa: PLC0415  # 1 ms, few have any

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
        from ..practice.authors import questions_in_time  # noqa: PLC0415  # likewise

        found: dict[int, list[Put]] = {}
        for put in questions_in_time(subject, trace):
            found.setdefault(put.position, []).append(put)
        return found

    return trace.run.recent.of("questions", made)


def answer_own(session: Session, put: Put, text: str) -> Answer:
    """Judge an answer to the question that is put; "" gives up.

    Of a wrong one the author's reason is told, or the hint; the third one tells all.
    """
    from ..practice.authors import judged  # noqa: PLC0415  # likewise

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
    from ..practice.authors import right_text  # noqa: PLC0415  # likewise

    session.memory.tried[put.place] = tried
    told = right_text(put, session.subject, session.trace, session.digits)
    lines = (f"{said}{told}", *filter(None, (put.asking.after,)))
    verdict = Verdict(lines, tried.outcome)
    return Answer(lines, _data(*lines, outcome=tried.outcome), verdict)


def own_record(session: Session, put: Put, tried: Tried) -> dict[str, Any]:
    """Return a question of the author that is done as data, as one of `predict`."""
    from ..practice.authors import right_number  # noqa: PLC0415  # likewise

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


def _data(*said: str, outcome: Outcome | None) -> dict[str, Any]:
    return {"said": list(said), "outcome": outcome, "next": None}
