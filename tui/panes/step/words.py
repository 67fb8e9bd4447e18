"""What a step says beside its matrices: formula, one element, NumPy, notes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from ....core.engine.trace import Contribution, Event, Forward, Seed, Trace, Update
from ....core.explain.links import Facet, Role, facets, to_come
from ....core.words.formulas import (
    MORE,
    NO_FORMULA,
    SHORT,
    Formula,
    Wording,
    axes_text,
)
from ....core.words.indices import in_formula, label
from ....core.words.numbers import change_text, index_text, shape_text
from ...draw.spelling import contribution_texts, update_texts, value_texts
from ...draw.stage import Stage, author_notes, place, reasons, wording

if TYPE_CHECKING:  # it waits until something is trained
    from collections.abc import Iterator, Sequence

    from ....core.engine.element import Index
    from ....core.words.indices import First


_LONGEST: Final = 80  # characters of an expression that has a line for itself
_SHORT: Final = (SHORT, 8)  # and of one that has little room
_WORDS_AT_END: Final = r" spread over .+$| over \S+$|, [a-z ]+$"
# What the title of a matrix begins with, where it is not the role of the matrix.
_ROLES: Final[dict[Role, str]] = {"slopes": "local slopes"}


class Told(NamedTuple):
    """What there is to say of an event in words, wherever the cursor is."""

    what: str  # happens: who receives through whom
    notes: Sequence[str]  # of the author
    reasons: Sequence[str]  # what lines and rules of operations say of themselves
    summed: tuple[int, ...]  # the axes that the event sums over
    formula: Formula  # what it does in symbols


class Which(NamedTuple):
    """Which event a step shows, and what of it is open."""

    number: int  # of the event, counted from 0
    is_there: bool = True  # it has happened; else what it makes is open
    is_shaped: bool = True  # the shape of that may be seen


class Moment(NamedTuple):
    """One event and what there is to say of it, wherever the cursor is."""

    stage: Stage  # subject, trace and look
    which: Which  # the number of the event, and what of it is open
    event: Event  # it
    facets: tuple[Facet, ...]  # its arrays, in the order in which they are read
    told: Told  # its words
    roles: dict[str, int]  # role → facet

    @property
    def number(self) -> int:
        """The number of the event."""
        return self.which.number

    @property
    def trace(self) -> Trace:
        """The trace of the event."""
        return self.stage.trace

    @property
    def made(self) -> int:
        """The number of the matrix that the step makes."""
        roles = self.roles
        return roles.get("contribution", roles.get("value", len(self.facets) - 1))


def moment(stage: Stage, which: Which) -> Moment:
    """Return what there is to say of an event that has happened, or comes next."""
    trace, number = stage.trace, which.number
    event, found = trace.event(number), facets(trace, number)
    if not which.is_there:
        found = to_come(event, found, is_shaped=which.is_shaped)
    key = "told", which, stage.subject.claims is None, stage.in_code
    told = trace.run.recent.of(key, lambda: _told(stage, which))
    roles = {facet.role: place for place, facet in enumerate(found)}
    return Moment(stage, which, event, found, told, roles)


def _told(stage: Stage, which: Which) -> Told:
    trace, number = stage.trace, which.number
    event = trace.event(number)
    summed = _summed(trace, event)
    what = _what(stage, event)
    formula = _formula(stage.wording, trace, event, summed)
    if not which.is_there:  # what is said of it may say what it makes
        shapes = formula.shapes if which.is_shaped else ""
        return Told(what, (), (), summed, formula._replace(shapes=shapes))
    written = author_notes(stage, number)
    if number == len(trace) - 1 and (end := stage.note("end", len(trace))):
        written.append(end)
    said = [one for one in reasons(stage, number) if one not in written]
    return Told(what, written, said, summed, formula)


def _summed(trace: Trace, event: Event) -> tuple[int, ...]:
    """Return the axes that a step sums over."""
    if not isinstance(event, Contribution):
        return ()
    return trace.summed(event.edge)


def _formula(
    words: Wording, trace: Trace, event: Event, summed: tuple[int, ...]
) -> Formula:
    """Return what a step does in symbols; of the seed there is nothing to say."""
    if isinstance(event, Forward):
        return words.forward(event.node)
    if isinstance(event, Contribution):
        return words.contribution(event.edge, summed)
    at = trace.iteration
    if isinstance(event, Update) and at is not None:
        return words.update(event.node, at.optimizer)
    return NO_FORMULA


def spellings(moment: Moment) -> Iterator[str]:
    """Yield a step in symbols, the longest first; at last with shorter expressions.

    The last of either kind has no words at its end, of what the shapes say as well.
    """
    formula = moment.told.formula
    yield formula.text
    for longest in (0, *_SHORT):
        brief = (_spelled(moment, longest) if longest else formula).brief
        yield brief
        yield re.sub(_WORDS_AT_END, "", brief)


def whole(moment: Moment) -> str:
    """Return a step in symbols, with expressions in full where those are not long."""
    text = moment.told.formula.text
    return _spelled(moment, _LONGEST).text if MORE in text else text


def _spelled(moment: Moment, longest: int) -> Formula:
    """Return what a step does, its expressions in so many characters."""
    words = wording(moment.stage.subject, moment.trace, longest)
    return _formula(words, moment.trace, moment.event, moment.told.summed)


# ---------------------------------------------------------------------- the sentences


def _what(stage: Stage, event: Event) -> str:
    """Return what happens: who receives through whom."""
    nodes, words = stage.graph.nodes, stage.wording
    if isinstance(event, Forward):
        return f"{words.node(event.node)} is computed"
    if isinstance(event, Seed):
        return "the seed: the gradient that enters at the output"
    if isinstance(event, Update):
        return f"update of {nodes[event.node].name}"
    through = words.forward(event.consumer).text or nodes[event.consumer].name
    return f"{words.node(event.operand)} receives through  {through}"


def where(moment: Moment) -> str:
    """Return where the event stands in time and in the program."""
    return " · ".join(place(moment.stage, [moment.number]))


def title(
    moment: Moment, number: int, cursors: Sequence[Index], first: First = 0
) -> Sequence[str]:
    """Return what stands over a matrix: the first that fits is taken.

    The shape goes before the name; which slice is seen of it stays longest. Where an
    expression has no room, it is what the matrix is to the step: the name of its node
    would be a made-up one. `first` is what the first index is called.
    """
    facet = moment.facets[number]
    shaped = facet.same or facet.array.shape
    shape = f" {shape_text(shaped)}" if shaped else ""
    name = called(moment, number, cursors)
    role = _ROLES.get(facet.role, facet.role)
    names = [name]
    if name.startswith(role):
        names += dict.fromkeys((role, role.partition(" ")[0]))
    elif facet.role in ("operand", "value"):
        is_unnamed = moment.stage.graph.nodes[facet.node].is_unnamed
        names += [role] * is_unnamed
    index = _slice(facet, cursors[number])
    at = f" at {label(index, first)}" if index else ""
    texts = [f"{name}{shape}{at}", *(f"{one}{at}" for one in names), *names]
    if not name.endswith("]"):
        texts.insert(2, f"{name}{index_text(index)}")
    return [in_formula(text, first) for text in texts]


def _slice(facet: Facet, cursor: Index) -> Index:
    """Return which matrix of an array is seen; nothing where it has only one."""
    return cursor[:-2] if facet.array.ndim > 2 else ()


def called(moment: Moment, number: int, cursors: Sequence[Index]) -> str:
    """Return what a matrix is called, without its shape."""
    facet, words = moment.facets[number], moment.stage.wording
    event, role = moment.event, facet.role
    name = moment.stage.graph.nodes[facet.node].name
    if role in ("operand", "value"):
        return words.node(facet.node)
    if not isinstance(event, Contribution):
        called = {
            "seed": f"seed {words.gradient(facet.node)}",
            "gradient": f"{name}.grad",
        }
        return called.get(role, f"{name} {role}")
    if role == "upstream":
        return f"upstream {words.gradient(facet.node)}"
    if role == "local":
        return f"local {moment.told.formula.local or words.local(event.edge)}"
    if role == "slopes":
        index = cursors[moment.made]
        whose = words.element(event.operand, index_text(index))
        return f"{_ROLES[role]} of {whose}"
    return role


def uses(moment: Moment) -> str:
    """Return which use of its operand a contribution is: `1 of 2`."""
    event = moment.event
    if not isinstance(event, Contribution):
        return ""
    done, of = moment.trace.uses(event.operand, moment.number + 1)
    return f"{done} of {of}"


def accumulated(
    moment: Moment, cursors: Sequence[Index], first: First = 0
) -> Sequence[str]:
    """Return what stands over the sum of the contributions so far, as `title` does."""
    use, number = uses(moment), moment.made
    index = _slice(moment.facets[number], cursors[number])
    behind = [f" · use {use}", f" {use}", f" {use.replace(' of ', '/')}", ""]
    if index:
        behind.insert(0, f" at {label(index, first)}{behind[0]}")
    return [f"accumulated{one}" for one in behind]


def element(moment: Moment, index: Index) -> Sequence[str]:
    """Return the chosen element in numbers, as far as this step makes it.

    The texts say the same, each shorter than the one before; none where all is said.
    """
    trace, event, words = moment.trace, moment.event, moment.stage.wording
    if not moment.facets[moment.made].array.size:
        return ()
    number, key = moment.number, ("element", moment.number, index)
    if isinstance(event, Forward):
        node = event.node
        return trace.run.recent.of(key, lambda: value_texts(trace, words, node, index))
    if isinstance(event, Contribution):
        edge, local = event.edge, moment.told.formula.local
        return trace.run.recent.of(
            key, lambda: contribution_texts(trace, words, edge, number, index, local)
        )
    if isinstance(event, Update):
        return update_texts(trace.update(event.node, index), index)
    return ()


def change(moment: Moment, index: Index) -> str:
    """Return the accumulated gradient of an element before and after a contribution."""
    if not isinstance(moment.event, Contribution):
        return ""
    before, after = (
        moment.facets[moment.roles[role]].array for role in ("before", "after")
    )
    if not after.size:
        return ""
    return f"{change_text(before[index], after[index])}   use {uses(moment)}"


def reduction(moment: Moment) -> str:
    """Return the axes that a product is summed over to fit its operand."""
    return f"Σ {axes_text(moment.told.summed)}" if moment.told.summed else ""
