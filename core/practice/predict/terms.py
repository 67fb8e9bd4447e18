"""What the number that is asked for is made of: terms, or one formula in numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ...engine.trace import Contribution, Forward, Seed
from ...explain.gradients import part_of
from ...explain.rows import typed
from ...explain.values import explain_value
from ...words.events import element_name
from ...words.formulas import Wording
from ...words.names import called
from ...words.numbers import number_text, product_text, sum_text
from .question import right_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...engine.element import Index
    from ...engine.graph import Graph
    from ...engine.trace import Trace
    from ...explain.gradients import Part
    from ...explain.values import Factor
    from .question import Question

_MOST_KEPT: Final = 64  # terms
_MOST_TOLD: Final = 4  # terms on a line


class Term(NamedTuple):
    """One product of the sum that a number is."""

    factors: tuple[float, ...]  # as they are multiplied
    names: str = ""  # what they are called: "Y.grad[0, 0] · W[0, 1]"
    # whether one of them would be the answer by itself: a slope that 1 is multiplied by
    is_answer: bool = False

    @property
    def product(self) -> float:
        """What they come to."""
        with np.errstate(all="ignore"):
            return float(np.prod(self.factors))

    def text(self, digits: int) -> str:
        """Return it as it is written, its numbers with so many digits.

        >>> Term((10, 3)).text(6)
        '10 × 3'
        """
        return product_text([number_text(float(f), digits) for f in self.factors])


class Opened(NamedTuple):
    """What one element is made of, once its event has happened."""

    # of a sum its terms in order, the first ones; empty of what is no sum
    terms: tuple[Term, ...]
    of: int  # how many terms there are in all
    # the sum of the magnitudes of all that is added up: how exactly that can be done
    scale: float
    before: float | None = None  # of a gradient: what has arrived before
    formula: str = ""  # of what is no sum: how it is computed, in numbers
    words: str = ""  # of what is not computed: where it comes from
    names: str = ""  # what the numbers of the formula are called


def opened(trace: Trace, question: Question, index: Index, digits: int) -> Opened:
    """Return what an element of the array that is asked for is made of."""
    event = trace.event(question.event)
    right = right_array(trace, question)
    size = abs(float(right[index])) if np.isfinite(right[index]) else 0.0
    if isinstance(event, Contribution):
        before = trace.gradient(event.operand, question.event)
        there = None if before is None else float(before[index])
        part = part_of(trace, event.edge, question.event, index)
        return _contribution(trace, part, size, there)
    if isinstance(event, Forward):
        return _value(trace, event.node, index, size, digits)
    if isinstance(event, Seed):
        whose = "that the scenario gives" if right.ndim else "1 unless it is given"
        return Opened((), 0, size, words=f"the seed, {whose}")
    step = trace.update(event.node, index)
    numbers = [number_text(n, digits) for n in (step.value, step.rate, step.gradient)]
    name = element_name(trace.run.graph.nodes[event.node], index)
    moved = abs(float(step.value)) + abs(float(step.rate * step.direction))
    if step.before:  # what multiplies the rate is not there yet
        optimizer = trace.iteration.optimizer.name if trace.iteration else ""
        made = f"{numbers[1]} × what {optimizer} makes of {numbers[2]}"
        formula = f"{numbers[0]} − {made}"
    else:
        formula = f"{numbers[0]} − {product_text(numbers[1:])}"
    gradient = element_name(trace.run.graph.nodes[event.node], index, "grad")
    return Opened((), 0, moved, formula=formula, names=f"{name} − α · {gradient}")


def _contribution(
    trace: Trace, part: Part, size: float, before: float | None
) -> Opened:
    scale = size + abs(before or 0.0)
    if part.patched:
        return Opened((), 0, scale, before, words="what a wrong rule sends")
    first = next(iter(part.blocks), None)
    count = 0 if first is None else min(len(first.places), _MOST_KEPT)
    found = [part.term_in(first, n) for n in range(count)] if first else []
    names = [_inside(typed(trace, one, part.element)) for one in found]
    terms = tuple(
        Term((one.upstream, one.local), name, "∂" in name and abs(one.upstream) == 1)
        for one, name in zip(found, names, strict=True)
    )
    for block in part.blocks:
        scale += float(np.nansum(np.abs(block.product)))
    return Opened(terms, len(part), scale, before)


def _inside(names: str) -> str:
    """Return names, with what they stand for, as they stand inside of a sentence."""
    return names.replace("   ", ", in ")


def _value(trace: Trace, node: int, index: Index, size: float, digits: int) -> Opened:
    graph = trace.run.graph
    made, found = graph.nodes[node], explain_value(trace.run, node, index)
    if found.products:
        terms = tuple(
            Term(tuple(f.value for f in factors), _names(graph, factors, " · "))
            for factors in found.terms[:_MOST_KEPT]
        )
        size += sum(abs(math.prod(f.value for f in term)) for term in found.terms)
        return Opened(terms, len(found.terms) + found.more, size)
    factors, op = found.terms[0] if found.terms else (), made.op
    if op is not None and op.signs:
        size += sum(abs(factor.value) for factor in factors)
    names = _names(graph, factors[:_MOST_TOLD], ", ")
    texts = [number_text(factor.value, digits) for factor in factors[:_MOST_TOLD]]
    if op is None or not factors:
        formula = Wording(graph).forward(node).text
    elif op.kind in ("move", "gather") and len(factors) == 1:
        return Opened((), 0, size, words=f"a copy of {names}")
    elif tuple(factor.node for factor in factors) == made.operands:
        formula = Wording(graph).spelled(node, texts)
    else:
        more = ", …" * (len(factors) > _MOST_TOLD)
        formula = f"{op.name} of {', '.join(texts)}{more}"
    return Opened((), 0, size, formula=formula, names=names)


def _names(graph: Graph, factors: Sequence[Factor], between: str) -> str:
    """Return what elements of operands are called, as they are typed."""
    nodes = graph.nodes
    return between.join(
        called(nodes[one.node], element_name(nodes[one.node], one.index))
        for one in factors
    )


# --------------------------------------------------------------------------- in words


def terms_text(terms: Sequence[Term], count: int, digits: int) -> str:
    """Return the terms of a sum as it is written, of a long one the first.

    >>> terms_text([Term((10, 3)), Term((-1, 2.5))], 2, 6)
    '10 × 3 + (-1) × 2.5'
    """
    shown = terms if count <= _MOST_TOLD else terms[: _MOST_TOLD - 1]
    more = f" + … ({count} terms)" if len(shown) < count else ""
    return sum_text(term.text(digits) for term in shown) + more


def made_text(found: Opened, digits: int, before: bool = False) -> str:
    """Return what a number is made of, on one line.

    `before` the event nothing is told that would be the answer.
    """
    if not found.terms:
        return found.formula or found.words or "0, for nothing reaches it"
    if before and found.of == 1 and found.terms[0].is_answer:
        text = found.terms[0].names
    else:
        text = terms_text(found.terms, found.of, digits)
    if found.before is None:
        return text
    return f"{number_text(found.before, digits)} + {_closed(text, found.of)}"


def _closed(text: str, count: int) -> str:
    """Return a sum so that it stays together behind a plus."""
    return f"({text})" if count > 1 or text.startswith("-") else text
