"""Commands that ask a person, and judge what the person says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.errors import CommandError
from ..base.text import nearest
from ..practice.answer import fits, precision_of, read_number
from ..practice.question import right_array
from ..practice.score import MOST_TRIES, Answered, Prediction, Verdict
from ..session.asking import ask, lines_of, pending, question_record
from ..session.memory import Place
from ..session.reply import Answer
from ..words.events import element_name
from ..words.numbers import value_text
from .movement import arrived
from .table import Command

if TYPE_CHECKING:
    from ..practice.score import Asked, Outcome
    from ..session.session import Session

# What is asked, by the word that chooses it, and whether it changes by itself.
_MODES: Final = {
    "on": Prediction("shape", climbs=True),
    "shapes": Prediction("shape", climbs=False),
    "signs": Prediction("signs", climbs=False),
    "numbers": Prediction("number", climbs=False),
}
_NAMES: Final = {"shape": "shapes", "signs": "signs", "number": "numbers"}


def _predict(session: Session, arguments: str) -> Answer:
    memory = session.memory
    if arguments == "off":
        was = memory.prediction is not None
        memory.prediction = None
        said = "predict is off: nothing is hidden" if was else "predict is off already"
        return Answer((said,), _state(session))
    if arguments in _MODES:
        mode, last = _MODES[arguments], memory.prediction
        memory.prediction = mode._replace(chosen=last.chosen) if last else mode
    elif arguments:
        hint = nearest(arguments, [*_MODES, "off"]) or "on, off, shapes, signs, numbers"
        raise CommandError(f"predict cannot {arguments!r}", hint)
    return Answer((_said(session),), _state(session))


def _said(session: Session) -> str:
    prediction = session.memory.prediction
    if prediction is None:
        return "predict is off; predict on asks before each step"
    kind = _NAMES[prediction.kind]
    return f"predict is on: stepi and step ask for {kind} first"


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


def _answer(session: Session, arguments: str) -> Answer:
    asked = _waiting(session)
    if not arguments:
        return _show(session, "")
    question = asked.question
    right = right_array(session.trace, question)
    number = right[question.element.index or ()]
    said = read_number(
        arguments, lambda text: session.expression(text).evaluate(session.state())
    )
    is_right = fits(said, float(number), precision_of(right, abs(float(number))))
    asked = asked._replace(
        answers=(*asked.answers, arguments), mistakes=(*asked.mistakes, "")
    )
    if is_right:
        outcome: Outcome = "at once" if len(asked.answers) == 1 else "later"
        return _done(session, asked, outcome, f"Right: {_told(session, asked)}")
    if len(asked.answers) == MOST_TRIES:
        return _done(session, asked, "shown", f"It is {_told(session, asked)}")
    memory = session.memory
    if memory.prediction is not None:
        memory.prediction = memory.prediction._replace(asked=asked)
    return _judged(session, Verdict((f"Not {arguments}.",), None, question))


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
    asked = _waiting(session)
    return _done(session, asked, "shown", f"It is {_told(session, asked)}")


def _told(session: Session, asked: Asked) -> str:
    """Return the answer of a question: `X.grad[0, 1] = 20`."""
    question = asked.question
    element = question.element
    right = right_array(session.trace, question)
    node = session.graph.nodes[element.node]
    name = element_name(node, element.index, element.quantity)
    if question.kind == "shape":
        return f"{name} has the shape {right.shape}"
    return f"{name} = {value_text(right[element.index or ()], session.digits)}"


def _done(session: Session, asked: Asked, outcome: Outcome, said: str) -> Answer:
    """Carry out the step that was asked about, and go on asking on its way."""
    memory, before = session.memory, session.place
    memory.answered.append(Answered(asked, outcome))
    if memory.prediction is not None:
        memory.prediction = memory.prediction.after(outcome)
    session.go(Place(before.iteration, before.position + 1))
    moved = arrived(session, before)
    until = Place(*asked.until)
    if session.place < until:
        ask(session, until)
    following = pending(session)
    question = following.question if following else None
    return _judged(session, Verdict((said,), outcome, question), moved)


_VERDICT: Final = (
    "what is `said` to it; the `outcome` (at once, later or shown), None while the "
    "question is open; and what is asked `next`: its `question`, `kind`, `element` and "
    "`event` (from 1), None where nothing is"
)
ROWS: Final[tuple[Command, ...]] = (
    Command(
        "predict",
        "[on | off | shapes | signs | numbers]",
        "say what comes next, before it is shown",
        _predict,
        completes="word",
        words=("on", "off", "shapes", "signs", "numbers"),
        data="whether it is `on`, and the `kind` of what is asked: shape, signs or "
        "number",
        late=True,
    ),
    Command(
        "answer",
        "[TEXT]",
        "what the next step will make; without a text, it is shown",
        _answer,
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
)
