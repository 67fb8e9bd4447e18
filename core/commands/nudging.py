"""The command that moves one number by hand: `nudge`.

All nudges of an element change one run, beside the one that they began in.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from ..base.errors import CommandError
from ..explain.compare import same_place
from ..session.memory import Place
from ..session.reply import Answer
from ..words.numbers import value_text
from .changing import check_not_updated, patched, target_of, with_number
from .checking import set_between
from .table import Command

if TYPE_CHECKING:
    from ..engine.element import Element
    from ..practice.nudge import Nudge
    from ..session.session import Session
    from ..training.timeline import Timeline


def _nudge(session: Session, arguments: str) -> Answer:
    """Move one number by a step, and hold the change of the output to its gradient."""
    from ..practice.nudge import nudge_lines, nudged  # noqa: PLC0415  # 3 ms of a start

    text, word = _element_and_word(arguments)
    element = _one_number(session, text)
    is_again, old = _so_far(session, element)
    nudge = _moved_by(old, word)
    parent = session.branch.parent if is_again else session.chosen
    base, iteration = session.runs[parent or 0].timeline, session.place.iteration
    way = float(nudge.moved)
    moved, half = (_moved(session, base, nudge, by) for by in (way, way / 2))
    run = base.trace(iteration).run
    found = nudged(run, nudge, moved.trace(iteration).run, half.trace(iteration).run)
    before, after = (value_text(one) for one in (found.before, found.after))
    what = f"{found.element} = {after} (was {before})"
    if session.timeline.iterations > 1:
        what += f", in iteration {iteration}"
    _look_at(session, moved, what, is_again=is_again)
    session.memory.nudges[session.chosen] = nudge
    session.memory.held.add(element.node)
    lines = f"run {session.chosen}: {what}", *nudge_lines(run, found, session.digits)
    data = {"run": session.chosen, "step": float(nudge.step), **found.record()}
    return Answer(lines, data, found)


def read_nudge(session: Session, arguments: str) -> None:
    """Raise the `CommandError` that the arguments bring wherever they are run."""
    from ..practice.nudge import Nudge  # noqa: PLC0415  # likewise

    text, word = _element_and_word(arguments)
    target_of(session, text)
    _moved_by(Nudge(0, (), Decimal(1)), word)


def _element_and_word(arguments: str) -> tuple[str, str]:
    """Split `ELEMENT WORD`: the word may be left out, "" then."""
    text, _, word = arguments.rpartition(" ")
    if not text or word[-1] == "]":
        text, word = arguments, ""
    if not text:
        raise CommandError("nudge what?", "nudge ELEMENT [+ | - | Δ | half | double]")
    return text.strip(), word


def _moved_by(old: Nudge, word: str) -> Nudge:
    try:
        return old.by(word)
    except ValueError:
        hint = "+, -, half, double, or a number such as 0.01"
        raise CommandError(f"{word!r} is no step", hint) from None


def _so_far(session: Session, element: Element) -> tuple[bool, Nudge]:
    """Return whether the present run is one nudge of an element, and how far it went.

    A run that others are made from stays as it is.
    """
    from ..practice.nudge import Nudge, first_step  # noqa: PLC0415  # likewise

    place, chosen = element.index or (), session.chosen
    old, made = session.memory.nudges.get(chosen), session.branch.made
    if (
        old is not None
        and (old.node, old.place) == (element.node, place)
        and made is not None
        and made.iteration == session.place.iteration
        and all(one.parent != chosen for one in session.runs)
    ):
        return True, old
    x = float(session.trace.run.value(element.node)[place])
    return False, Nudge(element.node, place, first_step(x))


def _look_at(session: Session, moved: Timeline, what: str, *, is_again: bool) -> None:
    """Look at the run of a nudge: a new one, or the present one changed."""
    iteration, position = session.place
    trace = session.trace
    if is_again:
        branch = session.branch._replace(timeline=moved, text=what)
        session.runs[session.chosen] = branch
        session.undone.clear()
    else:
        session.branch_off(moved, what)
    session.place = Place(iteration, same_place(trace, position, session.trace))


def _one_number(session: Session, text: str) -> Element:
    """Return the element that is moved; a gradient stands for its own number."""
    element = replace(target_of(session, text), quantity="value")
    node = session.graph.nodes[element.node]
    if node.shape and element.index is None:
        place = ", ".join("0" * len(node.shape))
        raise CommandError(
            f"{node.name} has many numbers", f"nudge {node.name}[{place}]"
        )
    dtype = session.trace.run.value(node.index).dtype
    if dtype.kind != "f":
        raise CommandError(f"{node.name} holds {dtype}", "only floats have a gradient")
    check_not_updated(session, element)
    _check_arrives(session, element.node)
    return element


def _check_arrives(session: Session, node: int) -> None:
    """Refuse to move what has a value that is set on a way to the output."""
    run, moves = session.trace.run, {node}
    nodes, values = run.graph.nodes, run.patches.values
    for later in range(node + 1, max(values, default=0) + 1):
        if not moves.isdisjoint(nodes[later].operands) and run.graph.useful[later]:
            if later in values:
                raise set_between(nodes[node].name)
            moves.add(later)


def _moved(session: Session, base: Timeline, nudge: Nudge, by: float) -> Timeline:
    """Return a timeline in which one number is another one, from the iteration on."""
    run = base.trace(session.place.iteration).run
    old = run.values[nudge.node]
    x = float(np.asarray(old)[nudge.place])
    name = session.graph.nodes[nudge.node].name
    new = with_number(name, old, nudge.place, x + by)
    values = MappingProxyType({**run.patches.values, nudge.node: new})
    return patched(session, base, run.patches._replace(values=values))


NUDGE: Final = Command(
    "nudge",
    "ELEMENT [+ | - | Δ | half | double]",
    "move one number, and see predicted beside real change",
    _nudge,
    keys=("+", "-", "(", ")"),
    completes="element",
    words=("half", "double"),
    help="Predicted is the gradient times the step, real is what the output does.\n"
    "+ and - move by a step, first about a tenth of the number, a number by just\n"
    "that. half and double change how far it has been moved, and the step. Nudges\n"
    "of the same element change one run; undo takes them back.",
    data="the number of the `run`, the `element`, the next `step`, how far it is "
    "moved (`delta`), its `gradient` before (None where none arrives), the change "
    "of the output that this has `predicted` and the `real` one, their "
    "`difference`, and the difference with half the step (`halved`)",
    hidden_in=("predict",),
    late=True,
)
