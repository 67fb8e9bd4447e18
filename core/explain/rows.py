"""One explanation as rows: every sentence about a number stands here, and once.

A row is plain data: a sentence with places for its numbers, what they are called, and
the element that it leads to. Who shows it writes the numbers: the prompt one row after
the other, the screen in columns.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ..base.text import counted
from ..engine.element import Element, Index, Quantity
from ..engine.graph import Edge
from ..words.digits import SENTENCE
from ..words.events import element_name
from ..words.formulas import Wording, axes_text
from ..words.names import bound, called, spelled, with_wording, with_wordings
from ..words.numbers import bracketed, index_text, shape_text, value_text
from ..words.templates import as_factor, indexed
from .verdicts import is_checkable, numeric_line, quick_check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..engine.graph import Node
    from ..engine.trace import Trace
    from .gradients import Explanation, Part, Term
    from .values import Factor, ValueExplanation

BY_RULE: Final = ", as its rule has it"  # which multiplies no NaN by 0
BY_PATCH: Final = ", by a patched rule"  # what a wrong rule has sent
_SIGNS: Final = ("× ", "− ")  # in front of a number

Kind = Literal["headline", "missing", "term", "fact", "note", "alarm"]


class Row(NamedTuple):
    """One row of an explanation.

    Its `kind`: "headline" names the element and its number, "missing" says that there
    is none; "term" is one of several below each other, "fact" stands alone; "note"
    explains, "alarm" warns.
    """

    kind: Kind  # what the row is for
    sentence: str  # with {} for each number
    numbers: tuple[float | None, ...] = ()  # one for each of those places
    names: str = ""  # what the numbers are called, where they come from
    leads: Element | None = None  # the element to go on with
    # the iteration at whose end that is; None for the present one
    iteration: int | None = None
    asks: str = ""  # the command that says more; "" for none

    def written(self, numbers: Sequence[str]) -> str:
        """Return the row with its numbers as they are written."""
        pieces = self.sentence.split("{}")
        filled = zip(pieces, (*numbers, ""), strict=True)
        text = "".join(piece + number for piece, number in filled)
        return f"{text}   {self.names}" if self.names else text

    def spelled(self, digits: Sequence[int]) -> list[str]:
        """Return its numbers, each with so many digits, as they stand in the sentence.

        Behind a sign a negative one stands in brackets.
        """
        *before, _ = self.sentence.split("{}")
        return [
            bracketed(value_text(number, count))
            if piece.endswith(_SIGNS)
            else value_text(number, count)
            for piece, number, count in zip(before, self.numbers, digits, strict=True)
        ]

    def text(self, digits: int = SENTENCE) -> str:
        """Return the row as one line, its numbers with so many digits."""
        return self.written(self.spelled([digits] * len(self.numbers)))


# --------------------------------------------------------------------- an element


def not_computed(trace: Trace, node: int) -> str:
    """Return which event computes a value that is not there yet."""
    event = (trace.forward_event(node) or 0) + 1
    name = trace.run.graph.nodes[node].name
    return f"{name} is not computed yet: event {event} computes it"


def headline(trace: Trace, element: Element, number: float) -> Row:
    """Return an element with its number, and the code that makes a value.

    A gradient has it where the name of its node says nothing.
    """
    node = trace.run.graph.nodes[element.node]
    name = element_name(node, element.index, element.quantity)
    is_value = element.quantity == "value"
    code = node.site.text if node.site and is_value else node.wording
    return Row("headline", f"{name} = {{}}", (number,), code)


def check_rows(
    trace: Trace, element: Element, position: int, digits: int = SENTENCE
) -> Iterator[Row]:
    """Yield what differences say of a gradient, or who asks them if it takes long."""
    if not is_checkable(trace, element, position):
        return
    node = trace.run.graph.nodes[element.node]
    asks = f"limit {element_name(node, element.index)}"
    if trace.run.patches.hidden:
        yield Row("note", "numeric check: none in a hunt", asks=asks)
        return
    found = quick_check(trace, element, position)
    if found is None:
        yield Row("note", f"numeric check: not yet, check {node.name} makes it")
        return
    kinds: Mapping[str, Kind] = {"ok": "fact", "mismatch": "alarm"}
    kind: Kind = kinds.get(found.verdict, "note")
    yield Row(kind, numeric_line(found, digits), asks=asks)


# --------------------------------------------------------------------- a gradient


def gradient_rows(
    trace: Trace,
    found: Explanation,
    count: int,
    wording: Wording | None = None,
    *,
    typed: bool = False,
) -> Iterator[Row]:
    """Yield where a gradient comes from, `count` terms of each contribution.

    The factors are called as in formulas, or as they are `typed`, which they are
    without `wording` anyway.
    """
    nodes = trace.run.graph.nodes
    done, uses = found.uses
    if 0 < done < uses:  # of none it is said already
        yield Row("missing", f"{done} of {uses} contributions are in so far")
    if found.passed:
        terms = [Element(term.consumer, "grad", term.index) for term in found.passed]
        names = [_told(nodes[e.node], e.index or (), "grad") for e in terms]
        text = f"an exact copy of {' = '.join(_ends(names))}"
        yield Row("note", text, leads=terms[-1])
    if found.seed is not None:
        yield Row("fact", "{}  enters here: the seed", (found.seed,))
    if found.shows_patch:
        yield Row("alarm", "a change of this run stands in place of the sum")
    parts, before = found.latest(trace, count)
    if before is not None:
        earlier = len(found.parts) - len(parts)
        earlier = counted(earlier, "contribution")
        text = f"{{}}  the sum of {earlier} before these"
        yield Row("note", text, (before,))
    several, recent = len(found.parts) > 1, trace.run.recent
    for number in range(len(parts)):
        # A later moment shows them again, below one another.
        moment = (parts.event(number), parts.element)
        key = ("rows", moment, several, count, wording is None, typed)
        rows: tuple[Row, ...] | None = recent.known(key)
        if rows is None:
            made = _part_rows(trace, parts[number], several, count, wording, typed)
            rows = recent.keep(key, tuple(made))
        yield from rows


def _ends(names: list[str]) -> list[str]:
    return names if len(names) <= 4 else [*names[:2], "…", names[-1]]


def _part_rows(
    trace: Trace,
    part: Part,
    several: bool,
    count: int,
    wording: Wording | None,
    is_typed: bool,
) -> Iterator[Row]:
    graph = trace.run.graph
    if several or part.shows_patch:
        own = "; its own has:" if len(part) else "; its own has no terms"
        patched = f"{BY_PATCH}{own}" * part.shows_patch
        edge, consumer = graph.edge_name(part.edge), graph.nodes[part.edge.consumer]
        text = f"its use in {consumer.name} ({edge}) adds {{}}{patched}"
        yield Row("note", with_wordings(text, graph), (part.stored,))
    if part.summed:
        narrow = shape_text(graph.nodes[part.edge.operand].shape)
        shapes = f"{shape_text(part.wide)} → {narrow}"
        yield Row("note", f"summed over {axes_text(part.summed)}: {shapes}")
    for term in part.largest(count):
        if wording is None or is_typed:
            names = typed(trace, term, part.element, wording)
        else:
            names = _worded(trace, wording, part.edge, term, part.element)
        yield term_row(term, names)
    rest = part.rest(count)
    if rest is not None:
        more = counted(len(part) - count, "more term")
        yield Row("note", f"… and {more}: {{}}", (rest,))


def term_row(term: Term, names: str) -> Row:
    """Return a product with its factors, and the names of these."""
    numbers = (term.product, term.upstream, term.local)
    leads = Element(term.consumer, "grad", term.index)
    is_product = math.isfinite(term.upstream) and math.isfinite(term.local)
    if math.isfinite(term.product) and not is_product:
        names += BY_RULE
    return Row("term", "{} = {} × {}", numbers, names, leads)


def typed(
    trace: Trace,
    term: Term,
    index: Index | None = None,
    wording: Wording | None = None,
) -> str:
    """Return the names of a term's factors as they are typed, and what it goes through.

    `index` is that of the element in the operand, where it is known. `wording` knows
    the literature's names, which can be typed as well.
    """
    nodes = trace.run.graph.nodes
    consumer = nodes[term.consumer]
    operand = nodes[consumer.operands[term.argument]]
    local = f"∂{consumer.name}/∂{bound(operand, trace.run.graph)}"
    edge = Edge(term.consumer, term.argument, operand.index)
    met = None if index is None else _factor(trace, edge, index, term)
    if met is not None:
        local = _factor_called(trace, met.node, met.index or ())
    name = "" if wording is None else wording.named(consumer.index)
    if name:
        return f"{name}{index_text(term.index)} · {local}"
    upstream = element_name(consumer, term.index, "grad")
    return with_wording(f"{upstream} · {local}", consumer)


def _factor(trace: Trace, edge: Edge, index: Index, term: Term) -> Element | None:
    """Return the element that a term multiplies by; None where there is no such one."""
    from .links import factor  # noqa: PLC0415  # 5 ms of a start without a screen

    return factor(trace.run, edge, index, term.index)


def _worded(
    trace: Trace, wording: Wording, edge: Edge, term: Term, index: Index
) -> str:
    """Return the names of a term's factors in a formula: `δ2[1, 0] · x1[3, 0]`.

    Where the upstream gradient is only copied, its name says it all.
    """
    upstream = indexed(wording.gradient(edge.consumer), index_text(term.index))
    if wording.contribution(edge).local == "1":
        return upstream
    met = _factor(trace, edge, index, term)
    if met is None:
        place = index_text(term.index or index)  # of a number, what it depends on
        return f"{upstream} · {as_factor(indexed(wording.local(edge), place))}"
    name = indexed(wording.node(met.node), index_text(met.index))
    return f"{upstream} · {as_factor(name)}"


# ------------------------------------------------------------------------ a value


def value_rows(
    trace: Trace, found: ValueExplanation, count: int, wording: Wording | None = None
) -> Iterator[Row]:
    """Yield what a value is made of: `count` products, or operands.

    Operands are called as in formulas, or without `wording` by the code of a program.
    """
    nodes = trace.run.graph.nodes
    called, as_one = (
        (partial(_called, trace), partial(_factor_called, trace))
        if wording is None
        else (partial(_spoken, wording), partial(_factor_spoken, wording))
    )
    node = nodes[found.node]
    if found.node in trace.run.patches.values:
        yield Row("alarm", "a change of this run stands in place of the value")
        return
    if node.op is None:
        article = "an" if node.kind == "input" else "a"
        yield Row("note", f"given as {article} {node.kind}")
        return
    if found.products:
        for product, factors in found.largest(count):
            each = called if len(factors) == 1 else as_one
            names = " · ".join(each(f.node, f.index) for f in factors)
            yield _product_row(trace, product, factors, names)
        rest = len(found.terms) - count + found.more
        if rest > 0:
            yield Row("note", f"… and {counted(rest, 'more term')}")
        return
    factors = found.terms[0] if found.terms else ()
    is_moved = node.op.kind in ("move", "gather")
    is_copied = is_moved and [one.value for one in factors] == [found.value]
    yield Row("note", "a copy of" if is_copied else f"{node.op.name} computes it from")
    for one in factors[:count]:
        name = called(one.node, one.index)
        yield Row("term", "{}", (one.value,), name, _element(one))
    if len(factors) > count:
        yield Row("note", f"… and {counted(len(factors) - count, 'more element')}")


def _spoken(wording: Wording, node: int, index: Index) -> str:
    return wording.element(node, index_text(index))


def _factor_spoken(wording: Wording, node: int, index: Index) -> str:
    return as_factor(_spoken(wording, node, index))


def _product_row(
    trace: Trace, product: float, factors: Sequence[Factor], names: str
) -> Row:
    nodes = trace.run.graph.nodes
    computed = [f for f in factors if nodes[f.node].op is not None]
    leads = _element((computed or list(factors))[0])
    if len(factors) == 1:
        return Row("term", "{}", (product,), names, leads)
    sentence = " = ".join(("{}", " × ".join("{}" for _ in factors)))
    numbers = (product, *(f.value for f in factors))
    return Row("term", sentence, numbers, names, leads)


def _told(node: Node, index: Index, quantity: Quantity) -> str:
    """Return an element as it is typed, with what a made-up name stands for."""
    return called(node, element_name(node, index, quantity))


def _called(trace: Trace, node: int, index: Index) -> str:
    """Return what an operand is called in a formula: `(x3 - t)[0]`, not `E._1[0]`."""
    graph = trace.run.graph
    one, place = graph.nodes[node], index_text(index)
    code = spelled(one, graph)
    return called(one, one.name + place) if code == one.name else indexed(code, place)


def _factor_called(trace: Trace, node: int, index: Index) -> str:
    """Return the same where it is a factor of a product: `(x3 - t)` of a number."""
    code = spelled(trace.run.graph.nodes[node], trace.run.graph)
    name = _called(trace, node, index)
    return as_factor(name) if name == code else name


def _element(one: Factor) -> Element:
    return Element(one.node, "value", one.index)


_COUNTS: Final = "ᵗ"  # in the formula of an optimiser that counts its steps


def update_rows(trace: Trace, maker: Trace, node: int, index: Index) -> Iterator[Row]:
    """Yield how the update of an iteration, `maker`, gave a parameter its value."""
    at = maker.iteration
    if at is None:
        return
    step, name = maker.update(node, index), trace.run.graph.nodes[node].name
    words, place = {"W": name, "G": f"{name}.grad"}, index_text(index)
    formula = "; ".join(line.format(**words) for line in at.optimizer.formula)
    yield Row("note", f"updated in iteration {at.number}: {formula}")
    here = None if maker is trace else at.number
    numbers = (step.result, step.value, step.rate, step.direction)
    term = Row("term", "{} = {} − {} × {}", tuple(map(float, numbers)))
    gradient, called = Element(node, "grad", index), f"{name}.grad{place}"
    before = f"{name}{place} before − α ·"
    if not step.before:
        yield term._replace(names=f"{before} {called}", leads=gradient, iteration=here)
    else:
        yield term._replace(
            names=f"{before} what {at.optimizer.name} makes of {called}"
        )
        for word, kept in step.before.items():
            changed = float(kept), float(step.after[word])
            yield Row("note", f"{word} {{}} → {{}}", changed)
        text = f"{{}}  {called}"
        yield Row("fact", text, (float(step.gradient),), "", gradient, here)
    settings = dict(step.settings)
    if _COUNTS in formula:
        settings["t"] = at.number + 1
    if settings:
        told = ", ".join(f"{word} = {{}}" for word in settings)
        yield Row("note", told, tuple(settings.values()))
    if at.number:
        value = Element(node, "value", index)
        text = f"{{}}  {name}{place} before"
        yield Row("fact", text, (float(step.value),), "", value, at.number - 1)
