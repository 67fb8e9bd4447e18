"""Commands that say where a number comes from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import CommandError, Problem
from ..engine.element import Element, Quantity, index_of
from ..engine.trace import Contribution, Trace
from ..explain.explain import (
    Explanation,
    Factor,
    Index,
    Term,
    ValueExplanation,
    element_name,
    explain_gradient,
    explain_value,
    uses_of,
)
from ..ops.table import Array
from ..session.expression import parse_element
from ..session.reply import Answer, Table
from ..session.session import Session
from ..session.steps import place_of
from ..words.numbers import SENTENCE, value_text
from .checking import numeric_line, quick_check
from .table import Command

if TYPE_CHECKING:
    from ..explain.derive import Derivation, Path
    from ..explain.why import Hop, Why

_MOST_SEEN: Final = 250_000  # elements that are looked at for the one that stands out
_SHOWN: Final = 8  # terms, before the rest is one line
_MOST_PLACES: Final = 64  # that are told to be not finite


def find_element(session: Session, text: str) -> tuple[int, Quantity, Index]:
    """Parse an element; of a whole array take the one that stands out.

    That is the first NaN or Inf, or else the one with the largest magnitude.
    """
    if not text:
        return _present_element(session)
    element = parse_element(text, session.graph, session.subject.names)
    if element.index is not None:
        return element.node, element.quantity, element.index
    return element.node, element.quantity, _outstanding(session, element)


def _outstanding(session: Session, element: Element) -> Index:
    trace = session.trace
    if element.quantity == "value":
        array = trace.run.value(element.node)
    else:
        array = trace.gradient(element.node, session.position)
    node = session.graph.nodes[element.node]
    if 0 in node.shape:
        raise CommandError(Problem(f"{node.name} is empty: it has no elements"))
    return tuple(0 for _ in node.shape) if array is None else outstanding(array)


def outstanding(array: Array) -> Index:
    """Return the index of the first NaN or Inf, or of the largest magnitude.

    Of a very large array it is the first element: looking at all takes too long.
    """
    if array.size > _MOST_SEEN:
        return (0,) * array.ndim
    size = np.abs(array.astype(float))
    finite = np.where(np.isfinite(size), size, np.inf)
    return index_of(np.argmax(finite), array.shape)


def _present_element(session: Session) -> tuple[int, Quantity, Index]:
    """Return the element that we stopped for, or that stands out in the last change."""
    if session.position == 0:
        raise CommandError(Problem("explain what?", "explain NODE.grad[i, j]"))
    event = session.trace.event(session.position - 1)
    quantity: Quantity = "grad"
    if (
        not isinstance(event, Contribution)
        and session.position <= session.trace.seed_position
    ):
        quantity = "value"
    caught = _caught(session)
    if caught is not None and caught.node == event.node:
        return caught.node, quantity, caught.index or ()
    element = Element(event.node, quantity, None)
    return event.node, quantity, _outstanding(session, element)


def _caught(session: Session) -> Element | None:
    """Return the element that a catch or a watch has just halted behind."""
    stop = session.memory.stopped
    for one in () if stop is None else (stop, *stop.also):
        if one.event != session.position:
            continue
        if one.index is not None:
            node = session.trace.event(session.position - 1).node
            return Element(node, "value", one.index)
        watched = session.memory.stops.get(one.number or 0)
        if watched is None or watched.watched is None:
            continue
        try:
            element = parse_element(
                watched.watched.text, session.graph, session.subject.names
            )
        except CommandError:  # an expression over many elements
            continue
        if element.index is not None:
            return element
    return None


def _explain(session: Session, arguments: str) -> Answer:
    count, text = _count(arguments, "explain")
    node, quantity, index = find_element(session, text)
    if quantity == "value":
        return _of_value(session, node, index, count)
    if session.trace.run.gradients[node] is None:
        return _why(session, text)
    found = explain_gradient(session.trace, node, index, session.position)
    lines = gradient_lines(session.trace, found, count, session.digits)
    checked, check = _checked(session, node, index)
    data = {**found.record(session.trace, session.progress), "check": check}
    return Answer((*lines, *checked), data, found)


def _checked(session: Session, node: int, index: Index) -> tuple[list[str], Any]:
    """Return the numeric check of an element, if it takes no time: lines, record."""
    found = quick_check(session.trace, node, index, session.position)
    if found is None:
        return [], None
    from ..export.records import comparison_record  # noqa: PLC0415  # 39 ms of a start

    return [f"  {numeric_line(found, session.digits)}"], comparison_record(
        session.graph, found
    )


def _count(arguments: str, command: str) -> tuple[int, str]:
    """Split `-20 ELEMENT`: so many terms, or paths, are to be shown."""
    if not arguments.startswith("-"):
        return _SHOWN, arguments
    number, _, rest = arguments[1:].partition(" ")
    if not number.isdecimal():
        raise CommandError(
            Problem(f"-{number} is not a count", f"{command} -20 ELEMENT")
        )
    return int(number), rest.strip()


def gradient_lines(
    trace: Trace, found: Explanation, count: int, digits: int = SENTENCE
) -> Iterator[str]:
    """Yield an explanation of a gradient in plain lines."""
    number = partial(value_text, digits=digits)
    nodes = trace.run.graph.nodes
    asked = element_name(nodes[found.asked[0]], found.asked[1], "grad")
    yield f"{asked} = {number(found.sum)}"
    if found.passed:
        copies = [
            element_name(nodes[t.consumer], t.index, "grad") for t in found.passed
        ]
        yield f"  an exact copy of {' = '.join(_ends(copies))}"
    if found.seed is not None:
        yield f"  {number(found.seed)}  enters here: the seed"
    if found.written:
        yield "  this run has another number in place of the sum"
    parts, before = found.latest(trace, count)
    if before is not None:
        earlier = len(found.parts) - len(parts)
        yield f"  {number(before)}  the sum of {earlier} contributions before these"
    for part in parts:
        edge = trace.run.graph.edge_name(part.edge)
        if part.summed:
            axes = ", ".join(map(str, part.summed))
            narrow = nodes[part.edge.operand].shape
            yield f"  {edge}: summed over axis {axes}: {part.wide} → {narrow}"
        for term in part.largest(count):
            yield f"  {term_line(trace, term, digits)}"
        rest = part.rest(count)
        if rest is not None:
            yield f"  … and {len(part) - count} more terms: {number(rest)}"
        if part.patched:
            yield f"  the rule of {edge} is patched: it sent {number(part.stored)}"
        elif len(part) > 1:
            yield f"  {edge} adds {number(part.stored)}"
    done, uses = found.uses
    if done < uses:
        yield f"  {done} of {uses} contributions are in at this position"


def _ends(names: list[str]) -> list[str]:
    return names if len(names) <= 4 else [*names[:2], "…", names[-1]]


def term_line(trace: Trace, term: Term, digits: int = SENTENCE) -> str:
    """Return one term: upstream × local = product, and where each comes from."""
    number = partial(value_text, digits=digits)
    nodes = trace.run.graph.nodes
    consumer = nodes[term.consumer]
    operand = nodes[consumer.operands[term.argument]]
    upstream = element_name(consumer, term.index, "grad")
    return (
        f"{number(term.product)} = {number(term.upstream)} × {number(term.local)}"
        f"  ({upstream} × ∂{consumer.name}/∂{operand.name})"
    )


def _of_value(session: Session, node: int, index: Index, count: int) -> Answer:
    if session.trace.value(node, session.position) is None:
        name = session.graph.nodes[node].name
        raise CommandError(
            Problem(f"{name} is not computed yet at this position", f"goto {name}")
        )
    found = explain_value(session.trace.run, node, index)
    return Answer(
        tuple(value_lines(session.trace, found, count, session.digits)),
        _record(session, found),
        found,
    )


def value_lines(
    trace: Trace, found: ValueExplanation, count: int, digits: int = SENTENCE
) -> Iterator[str]:
    """Yield an explanation of a value in plain lines."""
    number = partial(value_text, digits=digits)
    graph = trace.run.graph
    node = graph.nodes[found.node]
    name = element_name(node, found.index)
    text = f"  {node.site.text}" if node.site else ""
    yield f"{name} = {number(found.value)}{text}"
    if node.op is None:
        yield f"  given as {'an' if node.kind == 'input' else 'a'} {node.kind}"
        return
    ordered = found.terms
    if found.products:
        ordered = [term for _, term in found.largest(count)]
    for term in ordered[:count]:
        factors = [f"{number(f.value)}" for f in term]
        names = [element_name(graph.nodes[f.node], f.index) for f in term]
        if found.products:
            equal = f"{number(_product(term))} = " if len(term) > 1 else ""
            yield f"  {equal}{' × '.join(factors)}  ({' × '.join(names)})"
        else:
            pairs = [f"{n} = {v}" for n, v in zip(names, factors, strict=True)]
            yield f"  {node.op.name} of {', '.join(pairs[:count])}"
            if len(pairs) > count:
                yield f"  … and {len(pairs) - count} more elements"
    rest = len(found.terms) - count + found.more
    if found.products and rest > 0:
        yield f"  … and {rest} more terms"


def _product(term: Sequence[Factor]) -> float:
    return math.prod(factor.value for factor in term)


def _record(session: Session, found: ValueExplanation) -> dict[str, Any]:
    nodes = session.graph.nodes
    return {
        "element": element_name(nodes[found.node], found.index),
        "sum": found.value,
        "terms": [
            [
                {"node": nodes[f.node].name, "index": list(f.index), "value": f.value}
                for f in term
            ]
            for term in found.terms
        ],
        "complete": found.more == 0,
    }


def _uses(session: Session, arguments: str) -> Answer:
    """Say where an element goes, and with which local derivative."""
    number = partial(value_text, digits=session.digits)
    from ..explain.why import CAUSES  # noqa: PLC0415  # 12 ms of a start

    node, _, index = find_element(session, arguments)
    nodes, run = session.graph.nodes, session.trace.run
    rows: list[tuple[str, str, float | None, float | None]] = [
        (
            session.graph.edge_name(edge),
            element_name(nodes[edge.consumer], place),
            local,
            float(run.value(edge.consumer)[place]),
        )
        for edge, place, local in uses_of(run, node, index)
    ]
    name = element_name(nodes[node], index)
    columns = ("edge", "element", "local derivative", "value")
    lines = [f"{e}: {n} = {number(v)}, local {number(d)}" for e, n, d, v in rows]
    if run.value(node).dtype.kind != "f":
        edges = session.graph.consumers[node]
        rows = [
            (session.graph.edge_name(e), nodes[e.consumer].name, None, None)
            for e in edges
        ]
        lines = [f"{edge}: no derivative: {CAUSES['integer']}" for edge, *_ in rows]
    show = Table(f"uses of {name}", columns, tuple(rows))
    data = [dict(zip(columns, row, strict=True)) for row in rows]
    return Answer(tuple(lines) or (f"nothing uses {name}",), data, show)


def _why(session: Session, arguments: str) -> Answer:
    from ..explain.why import CAUSES, why  # noqa: PLC0415  # 12 ms of a start

    node, quantity, index = find_element(session, arguments)
    found = why(session.trace, node, quantity, index, session.position)
    lines = tuple(why_lines(session.trace, found, session.digits))
    checked, check = (
        _checked(session, node, index) if quantity == "grad" else ([], None)
    )
    if found.cause == "nonzero":  # nothing is special: say where it comes from
        name = element_name(session.graph.nodes[node], index, quantity)
        lines += _explain(session, name).text[1:]
    else:
        lines += tuple(checked)
    nodes = session.graph.nodes
    data = {
        "element": element_name(nodes[node], index, quantity),
        "cause": found.cause,
        "because": CAUSES[found.cause],
        "hops": [
            {
                "element": element_name(nodes[hop.node], hop.index, hop.quantity),
                "number": hop.number,
            }
            for hop in found.hops
        ],
        "between": found.between,
        "event": found.event,
        "untaken": None if found.untaken is None else nodes[found.untaken].name,
        "spread": [
            {"node": nodes[n].name, "quantity": quantity, "elements": count}
            for n, quantity, count in found.spread
        ],
        "check": check,
    }
    return Answer(lines, data, found)


def why_lines(trace: Trace, found: Why, digits: int = SENTENCE) -> Iterator[str]:
    """Yield the answer to a why in plain lines."""
    number = partial(value_text, digits=digits)
    from ..explain.why import CAUSES  # noqa: PLC0415  # 12 ms of a start

    graph = trace.run.graph

    def name(hop: Hop) -> str:
        return element_name(graph.nodes[hop.node], hop.index, hop.quantity)

    first = found.hops[0]
    yield (
        f"{name(first)} has no gradient: {CAUSES[found.cause]}"
        if first.number is None and found.cause != "not yet"
        else f"{name(first)} = {number(first.number)}: {CAUSES[found.cause]}"
    )
    for hop in found.hops[1:]:
        equals = "" if hop.number is None else f" = {number(hop.number)}"
        through = ""
        if found.between and hop is found.hops[-1]:
            through = f", through {found.between} more"
        yield f"  from {name(hop)}{equals}{through}"
    if found.event is not None:
        yield f"  made by event #{found.event}"
    if found.term is not None:
        yield f"  {term_line(trace, found.term, digits)}"
    if found.cause == "zero slope" and found.term is None and found.explanation:
        shown = found.explanation.parts[:_SHOWN]
        edges = [part.edge for part in shown]
        places = ", ".join(graph.nodes[edge.consumer].name for edge in edges)
        yield f"  blocked at {places}: no element of it depends on this one here"
    if found.operands and found.cause != "cancelled":
        shown = found.operands[:_SHOWN]
        operands = [f"{name(hop)} = {number(hop.number)}" for hop in shown]
        yield f"  the operands there: {', '.join(operands)}"
    if found.forward is not None:
        yield (
            f"  set up in the forward pass: {name(found.forward)} = "
            f"{number(found.forward.number)}"
        )
    if found.untaken is not None:
        where = graph.nodes[found.untaken]
        yield (
            f"  {where.name} did not take this branch at that element: its value is "
            "hidden there, but its gradient is computed all the same"
        )
    if found.cause == "cancelled" and found.explanation is not None:
        yield from gradient_lines(trace, found.explanation, _SHOWN, digits)
    if found.spread:
        places = [
            f"{graph.nodes[n].name}{'.grad' if q == 'grad' else ''} ({count})"
            for n, q, count in found.spread[:_MOST_PLACES]
        ]
        more = len(found.spread) - len(places)
        rest = f" … and {more} more" if more else ""
        yield f"  not finite (elements): {', '.join(places)}{rest}"


def _paths(session: Session, arguments: str) -> Answer:
    number = partial(value_text, digits=session.digits)
    from ..explain.derive import paths  # noqa: PLC0415  # 10 ms of a start

    count, text = _count(arguments, "paths")
    node, _, index = find_element(session, text)
    run, nodes = session.trace.run, session.graph.nodes
    found = paths(run, node, index, session.progress)
    start = element_name(nodes[node], index)
    total = float(sum(path.product for path in found))
    rows = [(path.product, _route(session, start, path)) for path in found[:count]]
    lines = [f"{number(product)} = {route}" for product, route in rows]
    if len(found) > count:
        rest = float(sum(path.product for path in found[count:]))
        rows.append((rest, f"… and {len(found) - count} more paths"))
        lines.append(f"… and {len(found) - count} more paths: {number(rest)}")
    rows.append((total, f"the sum of {len(found)} paths"))
    lines.append(f"sum of {len(found)} paths: {number(total)}")
    table = Table(f"paths from {start}", ("product", "path"), tuple(rows))
    data = {
        "element": start,
        "sum": total,
        "paths": [
            {
                "steps": [
                    {
                        "element": element_name(nodes[step.node], step.index),
                        "local": step.local,
                    }
                    for step in path.steps
                ],
                "seed": path.seed,
                "product": path.product,
            }
            for path in found
        ],
    }
    return Answer(tuple(lines), data, table)


def _route(session: Session, start: str, path: Path) -> str:
    number = partial(value_text, digits=session.digits)
    factors = " × ".join(number(step.local) for step in path.steps) or "1"
    places = [
        element_name(session.graph.nodes[step.node], step.index) for step in path.steps
    ]
    seed = "" if path.seed == 1 else f" × seed {number(path.seed)}"
    return f"{factors}{seed}  along {' → '.join([start, *places])}"


def _transposes(session: Session, arguments: str) -> Answer:
    """Explain the transposes and sums of a node's gradients."""
    from ..explain.derive import derivations  # noqa: PLC0415  # 10 ms of a start

    if arguments:
        node = session.graph.node(arguments)
    elif session.position:
        node = session.graph.nodes[place_of(session.trace.event(session.position - 1))]
    else:
        raise CommandError(Problem("the transposes of what?", "transposes NODE"))
    found = derivations(session.trace.run, node)
    lines: list[str] = []
    for derivation in found:
        by, through = _names(session, derivation)
        lines.append(f"∂L/∂{by} through {through}:")
        lines += [f"  {reason.label}: {reason.text}" for reason in derivation.reasons]
    data = [
        {
            "node": _names(session, d)[1],
            "operand": _names(session, d)[0],
            "reasons": [{"label": r.label, "text": r.text} for r in d.reasons],
        }
        for d in found
    ]
    return Answer(tuple(lines), data, tuple(found))


def _names(session: Session, derivation: Derivation) -> tuple[str, str]:
    """Return the names of the operand and of the node that uses it."""
    node = session.graph.nodes[derivation.node]
    return session.graph.nodes[node.operands[derivation.argument]].name, node.name


ROWS: Final[tuple[Command, ...]] = (
    Command(
        "explain",
        "[-COUNT] [ELEMENT]",
        "open one element of a gradient or a value into its terms",
        _explain,
        "e",
        ("e", "enter"),
        "element",
        help="Of a whole array it takes the first NaN or Inf, or the largest element.\n"
        "Without an element it takes the one that a catch or a watch has just halted\n"
        "for, or what the last event changed.",
    ),
    Command(
        "uses",
        "[ELEMENT]",
        "where an element goes, with its local derivatives",
        _uses,
        keys=("U",),
        completes="element",
    ),
    Command(
        "why",
        "[ELEMENT]",
        "why an element is zero, NaN or infinite, or has no gradient",
        _why,
        "y",
        ("y",),
        "element",
        help="Of any other number it shows the terms, as `explain` does.",
    ),
    Command(
        "paths",
        "[-COUNT] [ELEMENT]",
        "every path from an element to the output, with its product",
        _paths,
        completes="element",
        help="The largest products first, eight of them or COUNT.",
    ),
    Command(
        "transposes",
        "[NODE]",
        "why a gradient has its transposes and sums, by indices and by shapes",
        _transposes,
        completes="location",
        help="A result stands for the whole of its statement, a leaf for its uses.",
    ),
)
