"""Judges an answer, and says of a wrong one what it would have taken to get there.

A wrong answer is held against what each mistake makes at this event. Where none fits,
it is told how far off it is. The second wrong answer is told the first term.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from ...engine.element import index_of
from ...engine.trace import Contribution
from ...words.events import element_name
from ...words.formulas import Wording
from ...words.names import called
from ...words.numbers import number_text, rounded, shape_text
from ..answer import (
    as_stored,
    fits,
    is_near,
    is_rough,
    precision_of,
    read_number,
    read_shape,
    read_signs,
    signs_text,
)
from .question import right_array
from .slips import Slip, slips
from .terms import Opened, Term, made_text, opened, terms_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...engine.element import Index
    from ...engine.trace import Trace
    from ...ops.table import Array, Shape
    from ..answer import Said
    from .question import Question

_MOST_TAKEN_APART: Final = 256  # elements of what arrives, to find a mistake's terms

_FAR: Final = 1e6  # times too large, from which on nobody wants to know how often
_LONGEST: Final = 40  # characters of an answer that are repeated
# "rough" and "near" cost no try.
Mark = Literal["right", "rough", "near", "wrong"]


class Judgement(NamedTuple):
    """What there is to say of one answer."""

    mark: Mark  # how it is judged
    said: str = ""  # one hint, in a sentence; "" for a right answer
    mistake: str = ""  # the name of the mistake that fits; "" for none


def judge(
    trace: Trace,
    question: Question,
    text: str,
    evaluate: Callable[[str], Any],
    tries: int,
    digits: int,
) -> Judgement:
    """Judge an answer, after so many wrong ones.

    `evaluate` returns what an expression comes to at the present position. Raises
    `CommandError` for what cannot be read.
    """
    right, short = right_array(trace, question), text.strip()
    if len(short) > _LONGEST:
        short = f"{short[: _LONGEST - 1]}…"
    if question.kind == "number":
        said = read_number(text, evaluate)
        return _number(trace, question, right, said, short, tries, digits)
    if question.kind == "shape":
        found = _shape(trace, question, right.shape, read_shape(text), tries)
    else:
        part = np.asarray(right[question.element.index or ()])
        signs = read_signs(text, part.shape)
        found = _signs(trace, question, right, signs, tries, digits)
    if found.mark == "wrong":
        return found._replace(said=f"Not {short}. {found.said}")
    return found


def answer_text(trace: Trace, question: Question, digits: int) -> str:
    """Return the right answer, and what it is made of."""
    right, element = right_array(trace, question), question.element
    name = element_name(
        trace.run.graph.nodes[element.node], element.index, element.quantity
    )
    if question.kind == "shape":
        return f"{name} has the shape {shape_text(right.shape)}"
    part = np.asarray(right[element.index or ()])
    if question.kind == "signs":
        return f"{name} has the signs {signs_text(part)}"
    text = f"{name} = {number_text(part[()], digits)}"
    found = opened(trace, question, element.index or (), digits)
    if not (found.terms or found.formula):
        return f"{text}, {made_text(found, digits)}"
    return f"{text} = {made_text(found, digits)}"


def right_record(trace: Trace, question: Question) -> Any:
    """Return the right answer as data: a number, signs as they are written, a shape."""
    right, element = right_array(trace, question), question.element
    if question.kind == "shape":
        return list(right.shape)
    part = np.asarray(right[element.index or ()])
    return part[()].item() if question.kind == "number" else signs_text(part)


# ---------------------------------------------------------------------------- a number


def _number(
    trace: Trace,
    question: Question,
    right: Array,
    said: Said,
    text: str,
    tries: int,
    digits: int,
) -> Judgement:
    index = question.element.index or ()
    number, made = float(right[index]), opened(trace, question, index, digits)
    precision = precision_of(right, made.scale)
    said = as_stored(said, right)
    if fits(said, number, precision):
        return Judgement("right")
    found = _fitting(trace, question, right, said, made.scale)
    if found is None and is_rough(said, number, precision):
        return Judgement("rough", f"{text} has too few digits: write three or more.")
    term = None if found else _wrong_term(made, said, number, precision, digits)
    if not (found or term) and is_near(said, number):
        off = _roughly(100 * abs(said.number / number - 1))
        hint = f"Almost: {off} % off. Take more digits, or write the expression."
        return Judgement("near", hint)
    mistake = found.name if found else term[0] if term else ""
    if tries:
        return Judgement(
            "wrong", f"Not {text}. {_first(made, digits, said.number)}", mistake
        )
    if found:
        when = "" if found.name == "place" else "You get that when "
        said_so = f"{when}{found.summary}{_line(found, made, index, digits)}."
    elif term:
        said_so = term[1]
    else:
        said_so = f"{_off(said.number, number)} {_largest(made, digits)}".rstrip()
    return Judgement("wrong", f"Not {text}. {said_so}", mistake)


def _fitting(
    trace: Trace, question: Question, right: Array, said: Said, scale: float
) -> Slip | None:
    """Return the first mistake that makes the number that was said."""
    index = question.element.index or ()
    for slip in (*slips(trace, question.event), *_other_places(trace, question, right)):
        if np.shape(slip.array) != right.shape:
            continue
        number = float(slip.array[index])
        size = abs(number) if math.isfinite(number) else 0.0
        if abs(number - float(right[index])) <= precision_of(right, scale + size):
            continue  # it makes no difference here, and so it is not the reason
        if fits(said, number, precision_of(right, scale + size)):
            return slip
    return None


def _other_places(trace: Trace, question: Question, right: Array) -> Iterator[Slip]:
    """Yield the array as it is where another element of it stands in each place."""
    index, element = question.element.index or (), question.element
    node = trace.run.graph.nodes[element.node]
    if right.size > _MOST_TAKEN_APART:
        return
    for flat in range(right.size):
        other = index_of(flat, right.shape)
        if other != index:
            name = element_name(node, other, element.quantity)
            array = np.full_like(right, right[other])
            yield Slip("place", f"That is {name}", array)


def _wrong_term(
    made: Opened, said: Said, number: float, precision: float, digits: int
) -> tuple[str, str] | None:
    """Return the mistake of one term of several, and how it is told."""
    if made.of < 2 or made.of != len(made.terms):
        return None
    for term in made.terms:
        text = term.text(digits)
        if term.product and fits(said, number - term.product, precision):
            return "term", f"The term {text} is missing."
        if term.product and fits(said, number - 2 * term.product, precision):
            return "term-sign", f"The term {text} has the wrong sign."
    return None


def _off(said: float, number: float) -> str:
    """Return how far off a number is, too roughly to compute the right one from it."""
    if not math.isfinite(number):
        return "The right answer is not finite."
    if not math.isfinite(said):
        return "The right answer is a finite number."
    if number == 0 or said == 0:
        return "That is not near." if number else "That is too much."
    if (said < 0) != (number < 0):
        return "The sign is wrong, and so is the size."
    small, large = sorted((abs(said), abs(number)))
    how = "large" if abs(said) == large else "small"
    if large / small > _FAR:
        return f"That is far too {how}."
    if large / small >= 2:
        return f"That is about {_roughly(large / small)} times too {how}."
    return f"That is about {_roughly(100 * abs(said / number - 1))} % too {how}."


def _roughly(number: float) -> str:
    """Return a number with one digit.

    >>> _roughly(48.7), _roughly(0.37)
    ('50', '0.4')
    """
    return number_text(rounded(number, 1))


def _largest(made: Opened, digits: int) -> str:
    """Point at the term with the largest share; a single one would be the answer."""
    if not made.terms:
        return f"It comes from {made.names}." if made.names else ""
    if made.of == 1:
        return f"It is one product: {made.terms[0].names}."
    term = max(made.terms, key=lambda one: abs(one.product))
    which = f"The largest of its {made.of} terms is {term.text(digits)}"
    return f"{which} ({term.names})."


def _first(made: Opened, digits: int, said: float | None = None) -> str:
    """Return the first term that was not `said`, or what there is instead."""
    if not made.terms:
        return f"It is {made_text(made, digits)}."
    known = [term for term in made.terms if term.product != said] or made.terms
    term, before = known[0], ""
    if made.before is not None:
        before = f"{number_text(made.before, digits)} is there already. "
    if made.of == 1 and term.is_answer:
        return f"{before}It is one product: {term.names}."
    text = f"{term.text(digits)} ({term.names})"
    if made.of == 1:
        return f"{before}It is {text}."
    which = ("first", "second")[term is not made.terms[0]]
    return f"{before}The {which} of its {made.of} terms is {text}."


def _line(slip: Slip, made: Opened, index: Index, digits: int) -> str:
    """Return the numbers of a mistake, and those that belong there."""
    belongs = made_text(made, digits, before=True)
    if slip.name in ("place", "nothing"):
        return f": {belongs} belongs there" if belongs else ""
    wrong = _terms_of(slip, index, made)
    if wrong is None:
        return f": {belongs} belongs there" if belongs else ""
    if max(len(wrong), made.of) > 4:
        return _first_apart(wrong, made, digits)
    text = terms_text(wrong, len(wrong), digits) if wrong else "nothing"
    if made.before is not None and slip.adds:
        text = made_text(made._replace(terms=tuple(wrong), of=len(wrong)), digits)
    if text == belongs:
        return ""
    return f": {text}, where {belongs} belongs"


def _first_apart(wrong: Sequence[Term], made: Opened, digits: int) -> str:
    """Return the first term of two long sums that is not the same in both."""
    for one, two in zip(wrong, made.terms, strict=False):
        if one.text(digits) != two.text(digits):
            return f": {one.text(digits)}, where {two.text(digits)} belongs"
    return f": {len(wrong)} terms, where {made.of} belong"


def _terms_of(slip: Slip, index: Index, made: Opened) -> list[Term] | None:
    """Return the terms of what a mistake adds; None where it has none.

    What it makes is linear in what arrives, so that a one at each place of it tells
    each term. That they add up is looked at.
    """
    if slip.linear is None:
        return None
    make, arrived = slip.linear
    if arrived.size > _MOST_TAKEN_APART:
        return None
    terms: list[Term] = []
    with np.errstate(all="ignore"):
        for flat in range(arrived.size):
            one = np.zeros_like(arrived)
            one.flat[flat] = 1
            local = float(make(one)[index])
            if local:
                terms.append(Term((float(arrived.flat[flat]), local)))
        total = float(make(arrived)[index])
    sum_ = sum(term.product for term in terms)
    scale = made.scale + sum(abs(term.product) for term in terms)
    return terms if abs(sum_ - total) <= precision_of(arrived, scale) else None


# ------------------------------------------------------------------ signs and shapes


def _signs(
    trace: Trace,
    question: Question,
    right: Array,
    said: Array,
    tries: int,
    digits: int,
) -> Judgement:
    index = question.element.index or ()
    part = np.asarray(right[index])
    off = [
        place
        for flat in range(part.size)
        for place in (index_of(flat, part.shape),)
        if not _has_sign(trace, question, right, (*index, *place), said[place], digits)
    ]
    if not off:
        return Judgement("right")
    fitting = (
        slip
        for slip in slips(trace, question.event)
        if np.shape(slip.array) == right.shape
        and np.array_equal(np.sign(np.asarray(slip.array[index], float)), said)
    )
    found = next(fitting, None)
    mistake = found.name if found else ""
    place = (*index, *off[0])
    element = question.element
    name = element_name(trace.run.graph.nodes[element.node], place, element.quantity)
    if tries:
        made = opened(trace, question, place, digits)
        return Judgement("wrong", f"Look at {name}. {_first(made, digits)}", mistake)
    if found:
        return Judgement("wrong", f"You get that when {found.summary}.", mistake)
    if part.size == 1:
        return Judgement("wrong", "That is not its sign.")
    count = f"{len(off)} of {part.size} signs are" if len(off) > 1 else "One sign is"
    return Judgement("wrong", f"{count} wrong, the first that of {name}.")


def _has_sign(
    trace: Trace,
    question: Question,
    right: Array,
    place: Index,
    said: float,
    digits: int,
) -> bool:
    """Tell whether an element has a sign; what rounding alone has made counts as 0."""
    number = float(right[place])
    if math.isnan(number) or math.isnan(said):
        return math.isnan(number) and math.isnan(said)
    if np.sign(number) == said:
        return True
    scale = opened(trace, question, place, digits).scale
    return said == 0 and abs(number) <= precision_of(right, scale)


def _shape(
    trace: Trace, question: Question, right: Shape, said: Shape, tries: int
) -> Judgement:
    if said == right:
        return Judgement("right")
    nodes, event = trace.run.graph.nodes, trace.event(question.event)
    node = nodes[event.node]
    if tries:
        if not right:
            return Judgement("wrong", "It is a single number: write ().")
        axes = f"{len(right)} ax{'is' if len(right) == 1 else 'es'}"
        return Judgement("wrong", f"It has {axes}, the first of {right[0]}.")
    if question.element.quantity == "grad":
        why = f"A gradient has the shape of what it belongs to: {called(node)}."
    else:
        why = f"Compare: {Wording(trace.run.graph).forward(node.index).text}."
    if said == right[::-1]:
        return Judgement("wrong", f"The axes are swapped. {why}", "row")
    of = event.consumer if isinstance(event, Contribution) else None
    others = [of] if of is not None else list(node.operands)
    for other in others:
        if nodes[other].shape == said:
            name = called(nodes[other])
            return Judgement("wrong", f"That is the shape of {name}. {why}")
    return Judgement("wrong", why)
