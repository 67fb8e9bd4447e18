"""Commands that ask a person, and judge what the person says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.errors import CommandError, InputError, Problem
from ..base.text import nearest
from ..mistakes.catalogue import MISTAKES, find_mistake
from ..practice.predict.question import changed_by
from ..practice.predict.score import Answered, Prediction, Verdict, outcome_of
from ..session.asking import (
    answer_own,
    ask,
    lines_of,
    next_asked,
    own_record,
    pending,
    posed,
    question_here,
    question_record,
)
from ..session.memory import Place
from ..session.reply import Answer
from ..words.events import where
from .changing import edges_of, find_node
from .movement import arrived
from .table import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine.element import Element
    from ..engine.graph import Edge
    from ..practice.authors import Put
    from ..practice.predict.score import Asked, Outcome
    from ..session.session import Session

# What is asked, by the word that chooses it, and whether it changes by itself.
_MODES: Final = {
    "on": Prediction("shape", climbs=True),
    "shapes": Prediction("shape", climbs=False),
    "signs": Prediction("signs", climbs=False),
    "numbers": Prediction("number", climbs=False),
}
_NAMES: Final = {"shape": "shapes", "signs": "signs", "number": "numbers"}
_HOW: Final = {  # an answer is written
    "shape": "answer (2, 3)",
    "signs": "answer + -; 0 +",
    "number": "answer 0.25, 2 * W[0, 1] or sigmoid(z[0])",
}


def _predict(session: Session, arguments: str) -> Answer:
    memory = session.memory
    last = memory.prediction
    if arguments == "off":
        memory.prediction = None
        said = "predict is off: nothing is hidden" if last else "predict is off already"
        return Answer((said,), _state(session))
    if arguments in _MODES:
        mode = _MODES[arguments]
        memory.prediction = mode._replace(chosen=last.chosen) if last else mode
    elif arguments:
        asked = _choose(session, last or _MODES["numbers"], arguments)
        if asked is not None:
            return asked._replace(data=_state(session))
    return Answer((_said(session),), _state(session))


def _choose(session: Session, prediction: Prediction, text: str) -> Answer | None:
    """Ask from now on for this element of its array, also where it is asked now.

    That question is returned; None where the array is not in question.
    """
    element = _element(session, text)
    array, asked = (element.node, element.quantity), pending(session)
    coming = asked and changed_by(session.trace.event(session.position))
    if asked and asked.answers and coming == array:
        raise CommandError("another element is asked already", "answer it, or show")
    chosen = {**prediction.chosen, array: element.index}
    if element.index is None:
        del chosen[array]
    session.memory.prediction = prediction._replace(chosen=chosen, asked=None)
    if asked is None or coming != array:
        return None
    question = ask(session, session.memory.prediction, Place(*asked.until))
    return posed(session.graph, question)


def _element(session: Session, text: str) -> Element:
    try:
        return session.element(text)
    except CommandError as error:
        near = nearest(text, [*_MODES, "off"])
        problems = [Problem(str(error), near)] if near else error.problems
        raise CommandError(problems) from None


def read_predict(session: Session, arguments: str) -> None:
    """Raise the `CommandError` that the argument brings wherever it is run."""
    if arguments not in _MODES and arguments != "off":
        _element(session, arguments)


def _said(session: Session) -> str:
    prediction = session.memory.prediction
    if prediction is None:
        return "predict is off; predict on asks before each step"
    kind = _NAMES[prediction.kind]
    return (
        f"predict is on: stepi and step ask for {kind} first; {_HOW[prediction.kind]}"
    )


def _state(session: Session) -> dict[str, Any]:
    prediction = session.memory.prediction
    return {
        "on": prediction is not None,
        "kind": None if prediction is None else prediction.kind,
    }


def _waiting(session: Session) -> Asked:
    """Return the question that waits, or raise `CommandError`."""
    if session.memory.prediction is None:
        raise CommandError("nothing is asked: predict is off", "predict on")
    asked = pending(session)
    if asked is None:
        raise CommandError("nothing is asked yet", "stepi asks for the next event")
    return asked


def _answer_own(session: Session, put: Put, text: str) -> Answer:
    """Judge an answer to a question of the author, and count it once it is done."""
    found, memory = answer_own(session, put, text), session.memory
    tried = memory.tried.get(put.place)
    if tried is None or tried.outcome is None:
        return found
    record = own_record(session, put, tried)
    memory.answered.append(Answered("author", tried.outcome, record))
    return found._replace(text=(*found.text, *_logged(session, record)))


def _answer(session: Session, arguments: str) -> Answer:
    own = question_here(session)
    if own is not None:
        return _answer_own(session, own, arguments)
    asked = _waiting(session)
    if not arguments:
        return _show(session, "")
    from ..practice.predict.diagnosis import judge  # noqa: PLC0415  # 4 ms, only of answers

    question = asked.question
    found = judge(
        session.trace,
        question,
        arguments,
        lambda text: session.expression(text).evaluate(session.state()),
        len(asked.answers),
        session.digits,
    )
    if found.mark in ("rough", "near"):
        return _judged(session, Verdict((found.said,), None, question))
    asked = asked._replace(
        answers=(*asked.answers, arguments),
        mistakes=(*asked.mistakes, found.mistake),
    )
    is_right = found.mark == "right"
    outcome = outcome_of(len(asked.answers), is_right=is_right)
    if outcome is not None:
        said = "Right: " if is_right else f"Not {arguments}. It is: "
        return _done(session, asked, outcome, said)
    memory = session.memory
    if memory.prediction is not None:
        memory.prediction = memory.prediction._replace(asked=asked)
    return _judged(session, Verdict((found.said,), None, question))


def _judged(session: Session, verdict: Verdict, moved: Answer | None = None) -> Answer:
    """Return a verdict as an answer, with the step that it let happen."""
    way = moved.text if moved else ()
    asked = lines_of(verdict.question) if verdict.question else ()
    if verdict.question and not moved:
        asked = asked[1:]  # what comes next was said before
    data = {
        "said": list(verdict.said),
        "outcome": verdict.outcome,
        "next": question_record(session.graph, verdict.question),
    }
    return Answer((*verdict.said, *way, *asked), data, verdict)


def _show(session: Session, _arguments: str) -> Answer:
    own = question_here(session)
    if own is not None:
        return _answer_own(session, own, "")
    return _done(session, _waiting(session), "shown", "It is: ")


def _done(session: Session, asked: Asked, outcome: Outcome, said: str) -> Answer:
    """Carry out the step that was asked about, and go on asking on its way."""
    from ..practice.predict.diagnosis import answer_text  # noqa: PLC0415  # likewise

    memory, before = session.memory, session.place
    lines = [said + answer_text(session.trace, asked.question, session.digits)]
    record = _answered_record(session, asked, outcome)
    memory.answered.append(Answered(asked.question.kind, outcome, record))
    lines += _logged(session, record)
    if memory.prediction is not None:
        kind = memory.prediction.kind
        memory.prediction = memory.prediction.after(outcome)
        if memory.prediction.kind != kind:
            kind = memory.prediction.kind
            lines.append(f"From here on, {_NAMES[kind]} are asked: {_HOW[kind]}")
    until = Place(*asked.until)
    place = next_asked(session, Place(before.iteration, before.position + 1), until)
    session.go(place or until)
    prediction = memory.prediction
    question = ask(session, prediction, until) if place and prediction else None
    verdict = Verdict(tuple(lines), outcome, question)
    return _judged(session, verdict, arrived(session, before))


def _answered_record(
    session: Session, asked: Asked, outcome: Outcome
) -> dict[str, Any]:
    """Return a question that is done as data: what was asked, said, and right."""
    from ..practice.predict.diagnosis import right_record  # noqa: PLC0415  # likewise

    question, trace = asked.question, session.trace
    told = question_record(session.graph, question) or {}
    return {
        "scenario": session.subject.name,
        "run": asked.run,
        "iteration": asked.iteration,
        **told,
        "where": where(trace, question.event),
        "answers": list(asked.answers),
        "mistakes": list(asked.mistakes),
        "right": right_record(trace, question),
        "outcome": outcome,
        "tries": len(asked.answers),
    }


def _logged(session: Session, record: Mapping[str, Any]) -> list[str]:
    """Write a question that is done into the log; return what is wrong with that."""
    log = session.memory.log
    if log is None:
        return []
    from ..export.records import dump  # noqa: PLC0415  # 39 ms of a start

    try:
        log.add(dump(record))
    except InputError as error:  # the answer counts all the same
        return [f"The log is not written: {error}"]
    return []


def _accuse(session: Session, arguments: str) -> Answer:
    """Hold a suspicion against the mistake that is hidden."""
    from ..practice.hunt import is_meant, is_same_mistake  # noqa: PLC0415  # only in a hunt
    from ..session.accusing import found, in_vain  # noqa: PLC0415  # likewise

    hunt = session.memory.hunt
    if hunt is None:
        raise CommandError(
            "nothing is hidden here", "gradstep hunt NAME hides a mistake to find"
        )
    place, mistake, edges = read_accusation(session, arguments)
    node = -1 if "<-" in place else find_node(session, place).index
    if not is_meant(hunt.hidden, edges, node):
        return in_vain(session, hunt, place)
    if mistake and not is_same_mistake(session.trace, hunt.hidden, mistake):
        return in_vain(session, hunt, place, place=True)
    return found(session, hunt)


def read_accusation(session: Session, arguments: str) -> tuple[str, str, list[Edge]]:
    """Return what is accused, of which mistake, "" for any, and the edges of that."""
    place, mistake = _accused(arguments)
    edges = edges_of(session, place, of_gradient=False, usage=_ACCUSE)
    return place, mistake, edges


def _accused(arguments: str) -> tuple[str, str]:
    """Split what is accused, and of which mistake: "" where none is named."""
    place, _, last = arguments.rpartition(" ")
    place = place.strip()
    if not place or place.endswith("<-") or last.startswith("<-"):
        return arguments, ""
    return place, find_mistake(last).name


_ACCUSE: Final = "EDGE | NODE [MISTAKE]"
_VERDICT: Final = (
    "what is `said` to it; the `outcome` (at once, later or shown), None while the "
    "question is open; and what is asked `next`: its `question`, `kind`, `element` and "
    "`event` (from 1), None where nothing is"
)
ROWS: Final[tuple[Command, ...]] = (
    Command(
        "predict",
        "[on | off | shapes | signs | numbers | ELEMENT]",
        "say what comes next, before it is shown",
        _predict,
        keys=("P",),
        completes="element",
        words=("on", "off", "shapes", "signs", "numbers"),
        help="stepi and step ask first: for shapes, signs or numbers. With on it\n"
        "begins with shapes; three right at once lead on, one that is shown leads\n"
        "back. ELEMENT is the one to ask for of its array. What looks ahead is off.",
        data="whether it is `on`, and the `kind` of what is asked: shape, signs or "
        "number",
        hidden_in=("hunt",),
        late=True,
    ),
    Command(
        "answer",
        "[TEXT]",
        "what the next step will make; without a text, it is shown",
        _answer,
        keys=("A",),
        completes="expression",
        help="A number is right where it is the right one, rounded to three digits or\n"
        "more. An expression over what is there already counts, too: sigmoid(z[0]).\n"
        "Signs are written as + - 0; - + +, a shape as (2, 3). The third wrong answer\n"
        "shows the right one.",
        data=_VERDICT,
        late=True,
    ),
    Command(
        "show",
        "",
        "give up a question: see the answer, and go on",
        _show,
        data=_VERDICT,
        late=True,
    ),
    Command(
        "accuse",
        _ACCUSE,
        "in a hunt: say which rule is wrong, and how",
        _accuse,
        completes="location",
        words=tuple(MISTAKES),
        help="NODE is the rule of that node, for all of its operands, and the sum\n"
        "of what arrives at it; a leaf stands for its uses. A wrong accusation\n"
        "ends nothing. After a right one the wrong numbers are shown beside the\n"
        "right ones, and nothing is hidden any more. help patch has the mistakes.",
        data="whether it is `right`, whether the `place` is, and how often was "
        "`accused`; once it is right the `edge`, the `mistake`, `what` is `wrong` and "
        "`correct` (two arrays), the `element` where they differ most, how many places "
        "were `looked` at, how many gradients were `held` against differences by "
        "`limit` or `nudge`, and `borders`, each with its `node`, whether it `agrees`, "
        "the `index`, `analytic` and `numeric`; and the number of the right `run`",
        late=True,
    ),
)
