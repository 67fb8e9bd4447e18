"""The element that all panes show: a person has chosen it, or a step is about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.commands.explaining import outstanding
from ...core.engine.element import Element
from ...core.engine.trace import Contribution, Forward
from ...core.practice.nudge import Nudged
from ...core.practice.predict.question import Question
from ...core.practice.predict.score import Verdict
from ...core.words.events import element_name
from ..draw.stage import spoken_of
from .base.pane import View

if TYPE_CHECKING:
    from ...core.debugger.debugger import Debugger
    from ...core.practice.authors import Put
    from ...core.session.reply import Reply


def viewed(
    debugger: Debugger,
    reply: Reply | None,
    chosen: Element | None,
    *,
    is_by_hand: bool,
) -> View:
    """Return the present moment, with the element that is to be seen in it.

    `chosen` is the one before; `is_by_hand` says whether a person has chosen it.
    """
    shown = None if reply is None else reply.show
    question = View(debugger).question
    if question is not None and isinstance(shown, (Question, Verdict)):
        chosen = asked_element(debugger, question)
    elif reply is not None and reply.moved and not isinstance(shown, Nudged):
        is_meant = is_by_hand or isinstance(shown, Verdict)
        is_kept = is_meant and is_in_step(debugger, chosen)
        chosen = chosen if is_kept else None
    if chosen is None:
        chosen = present_element(debugger)
    return View(debugger, reply, chosen)


def posed(view: View, put: Put | None) -> Question | Put | None:
    """Return the question that an answer poses; None where the cursor has chosen it.

    `put` is that of the author, which waits where an answer to it was wrong.
    """
    reply = view.reply
    if reply is None or not isinstance(reply.show, (Question, Verdict)):
        return None
    if view.question is None and isinstance(reply.show, Verdict):
        return put if reply.show.outcome is None else None
    command, _ = view.debugger.read(reply.command)
    return None if command and command.name == "predict" else view.question


def asked_element(debugger: Debugger, question: Question) -> Element:
    """Return the element that the cursor goes to for a question."""
    asked = question.element
    if asked.index is None:
        return asked
    missing = len(debugger.graph.nodes[asked.node].shape) - len(asked.index)
    return replace(asked, index=(*asked.index, *[0] * missing))


def is_in_step(debugger: Debugger, element: Element | None) -> bool:
    """Tell whether the step that was made last shows the array of an element.

    Where it does not, all panes go on to what it shows: they speak of one element.
    """
    number = debugger.position - 1
    if element is None or number < 0:
        return False
    event, node = debugger.trace.event(number), element.node
    if isinstance(event, Contribution):
        return element.quantity == "grad" and node in (event.consumer, event.operand)
    if isinstance(event, Forward):
        operands = debugger.graph.nodes[event.node].operands
        return element.quantity == "value" and node in (event.node, *operands)
    return node == event.node


def present_element(debugger: Debugger) -> Element | None:
    """Return the element of what the last event changed that a note speaks of.

    Where none does, it is the one that stands out.
    """
    trace, position = debugger.trace, debugger.position
    question = View(debugger).question
    if question is not None:
        return asked_element(debugger, question)
    if position == 0:
        return None
    spoken = spoken_of(debugger.subject, trace, position - 1)
    if spoken is not None and spoken.index is not None:
        return spoken
    node = trace.event(position - 1).node
    if position <= trace.seed_position:
        array = trace.value(node, position)
        return None if array is None else Element(node, "value", outstanding(array))
    array = trace.gradient(node, position)
    return None if array is None else Element(node, "grad", outstanding(array))


def asked_instead(debugger: Debugger, chosen: Element) -> str:
    """Return what is asked once the cursor is elsewhere in the array in question.

    It is "" where nothing else is.
    """
    question = View(debugger).question
    if question is None or chosen.index is None or question.element.index is None:
        return ""
    old = question.element
    if (chosen.node, chosen.quantity) != (old.node, old.quantity):
        return ""
    if chosen.index[: len(old.index or ())] == old.index:
        return ""
    node = debugger.graph.nodes[chosen.node]
    return element_name(node, chosen.index, chosen.quantity)
