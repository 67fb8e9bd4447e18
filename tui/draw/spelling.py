"""One element of a step spelled out: names, then numbers, then what they make.

```
W2.grad[1, 3] = δ2[1, 0] · x1[3, 0] = 0.0418 × 0.531 = 0.0222
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...core.explain.gradients import Part, Term, part_of
from ...core.explain.links import made_from, made_into, partners
from ...core.explain.rows import BY_PATCH
from ...core.explain.values import Factor, ValueExplanation, explain_value
from ...core.words.digits import SENTENCE
from ...core.words.numbers import (
    change_text,
    index_text,
    number_text,
    product_text,
    sum_text,
)
from ...core.words.templates import indexed

if TYPE_CHECKING:  # it waits until something is trained
    from collections.abc import Sequence

    from ...core.engine.element import Index
    from ...core.engine.graph import Edge, Node
    from ...core.engine.trace import Trace
    from ...core.engine.update import UpdateStep
    from ...core.words.formulas import Wording

_SPELLED: Final = 6  # terms of a sum


def contribution_texts(
    trace: Trace, wording: Wording, edge: Edge, number: int, index: Index, local: str
) -> Sequence[str]:
    """Return what an edge adds to one element of its operand's gradient.

    The texts say the same, each shorter than the one before. `local` is the edge's
    local derivative in symbols.
    """
    part = part_of(trace, edge, number, index)
    name = wording.element(edge.operand, index_text(index), "grad")
    sign = "+=" if trace.uses(edge.operand, number)[1] > 1 else "="
    if not len(part):
        return (f"{name} {sign} 0: nothing that follows depends on it",)
    words = [_upstream] if local == "1" else [_upstream, _local]  # a copy: 1 · g says g
    names = " · ".join(word(trace, wording, part, index) for word in words)
    shown = sorted(part.largest(_SPELLED), key=_place)
    terms = [_product((term.upstream, term.local)[: len(words)]) for term in shown]
    if len(words) == len(part) == 1 and not part.patched:
        return _shorter(name, sign, *_sum(names, terms, 1))
    total = number_text(part.stored, SENTENCE)
    patched = BY_PATCH * part.shows_patch
    return _shorter(name, sign, *_sum(names, terms, len(part)), total + patched)


def _place(term: Term) -> Index:
    return term.index


def _shorter(name: str, sign: str, *steps: str) -> Sequence[str]:
    """Return an equation in full, and then without one after the other of its steps.

    >>> _shorter("y", "=", "a · b", "2 × 3", "6")
    ['y = a · b = 2 × 3 = 6', 'y = 2 × 3 = 6', 'y = 6']
    """
    return [f"{name} {sign} {' = '.join(steps[start:])}" for start in range(len(steps))]


def update_texts(step: UpdateStep, index: Index) -> Sequence[str]:
    """Return how one element of a parameter gets its next value, the longest first.

    `step` is the update of this element.
    """
    place = index_text(index)
    made = {"α": step.rate, f"{step.name}.grad{place}": step.gradient, **step.settings}
    parts = [f"{word} = {number_text(float(made[word]), SENTENCE)}" for word in made]
    changes = {word: (step.before[word], after) for word, after in step.after.items()}
    changes[step.name + place] = (step.value, step.result)
    *states, value = (
        f"{word}: {change_text(float(before), float(after))}"
        for word, (before, after) in changes.items()
    )
    return ", ".join((value, *parts, *states)), ", ".join((value, parts[0])), value


def rates_text(step: UpdateStep) -> str:
    """Return what an update is made of besides value and gradient, as it is before it.

    `step` is the update of one element.
    """
    given = {"α": step.rate, **step.settings, **step.before}
    return ", ".join(
        f"{word} = {number_text(float(number), SENTENCE)}"
        for word, number in given.items()
    )


def _upstream(trace: Trace, wording: Wording, part: Part, index: Index) -> str:
    node = trace.run.graph.nodes[part.edge.consumer]
    region = made_into(trace.run, node, part.edge.argument, index)
    place = region.of(node.shape) if region else ""
    return indexed(wording.gradient(node.index), place)


def _local(trace: Trace, wording: Wording, part: Part, index: Index) -> str:
    """Return the local derivative: of a product, the other factor."""
    run, edge = trace.run, part.edge
    node = run.graph.nodes[edge.consumer]
    if node.op is not None and node.op.kind == "contract" and len(node.operands) == 2:
        other = 1 - edge.argument
        met = run.graph.nodes[node.operands[other]]
        region = partners(run, node, edge.argument, other, index)
        place = region.of(met.shape) if region else ""
        return indexed(wording.node(met.index), place)
    region = made_into(run, node, edge.argument, index)
    # Of a number, it is the element that it depends on.
    place = region.of(node.shape) if region and node.shape else index_text(index)
    return indexed(wording.local(edge), place)


def _product(factors: Sequence[float]) -> str:
    return product_text(number_text(one, SENTENCE) for one in factors)


def _sum(names: str, terms: Sequence[str], count: int) -> tuple[str, str]:
    """Return a sum of `count` terms in names and in numbers, or some of it.

    >>> _sum("δ[1]", ["-1"], 1), _sum("δ · w", ["-1 × 2", "-3 × 4"], 9)
    (('δ[1]', '-1'), ('Σ δ · w', '-1 × 2 + (-3) × 4 + … (9 terms)'))
    """
    if count == 1:
        return names, terms[0]
    more = f" + … ({count} terms)" if count > len(terms) else ""
    return f"Σ {names}", sum_text(terms) + more


def value_texts(trace: Trace, wording: Wording, index: int, at: Index) -> Sequence[str]:
    """Return how one element of a value is computed.

    The texts say the same, each shorter than the one before.
    """
    run = trace.run
    node = run.graph.nodes[index]
    name, op = wording.element(index, index_text(at)), node.op
    total = number_text(run.value(index)[at], SENTENCE)
    if op is None:
        return (f"{name} = {total}",)
    if op.kind == "elementwise":
        regions = [made_from(run, node, k, at) for k in range(len(node.operands))]
        places = [tuple(axis.start for axis in r.box) if r else () for r in regions]
        operands = [run.graph.nodes[i] for i in node.operands]
        pairs = list(zip(operands, places, strict=True))
        names = [wording.element(o.index, index_text(place)) for o, place in pairs]
        numbers = [_number(trace, one, place) for one, place in pairs]
        steps = dict.fromkeys(
            wording.spelled(index, words) for words in (names, numbers)
        )
        return _shorter(name, "=", *steps, total)
    found = explain_value(run, index, at)
    if not found.products:
        sources = _sources(trace, wording, node, at)
        short = f"{name} = {total}"
        is_said = not sources or sources == name
        return (short,) if is_said else (f"{short}, made from {sources}", short)
    count = len(found.terms) + found.more
    between = " · " if op.kind == "contract" else ", "
    sources = _sources(trace, wording, node, at, between)
    terms = [_product([f.value for f in term]) for term in _spelled(found)]
    steps = _sum(sources, terms, count) if terms else ("0",)
    return _shorter(name, "=", *steps, total)


def _spelled(found: ValueExplanation) -> Sequence[Sequence[Factor]]:
    """Return the terms of a sum in its order; of many, the largest ones."""
    if len(found.terms) + found.more <= _SPELLED:
        return found.terms
    return sorted((term for _, term in found.largest(_SPELLED)), key=_first)


def _first(term: Sequence[Factor]) -> Index:
    return term[0].index


def _number(trace: Trace, node: Node, at: Index) -> str:
    return (
        node.name
        if node.is_literal
        else number_text(trace.run.value(node.index)[at], SENTENCE)
    )


def _sources(
    trace: Trace, wording: Wording, node: Node, at: Index, between: str = ", "
) -> str:
    names: list[str] = []
    for argument, operand in enumerate(node.operands):
        region = made_from(trace.run, node, argument, at)
        one = trace.run.graph.nodes[operand]
        place = region.of(one.shape) if region else ""
        names.append(wording.element(operand, place))
    return between.join(names)
