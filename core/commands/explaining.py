"""Commands that say where a number comes from."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.errors import CommandError, Problem
from ..base.text import counted
from ..engine.element import Element, Index, Quantity, index_of
from ..engine.trace import Contribution
from ..explain.factors import Uses, uses_in_blocks
from ..explain.gradients import MOST_RECORDED, explain_gradient
from ..explain.rows import Row, check_rows, not_computed
from ..explain.values import explain_value
from ..explain.verdicts import quick_check
from ..explain.why.rows import explained, remark_rows, why_rows
from ..session.reply import Answer, Table
from ..session.steps import place_of
from ..words.events import element_name, nothing_yet
from ..words.formulas import Wording
from ..words.indices import in_formula
from ..words.names import called
from ..words.numbers import bracketed, product_text, value_text
from .table import Command, refuse_hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..engine.trace import Trace
    from ..explain.derive import Derivation, Path
    from ..explain.gradients import Explanation
    from ..explain.values import ValueExplanation
    from ..explain.why.answer import Why
    from ..ops.table import Array
    from ..session.session import Session

_MOST_SEEN: Final = 250_000  # elements that are looked at for the one that stands out
_SHOWN: Final = 8  # terms, before the rest is one line
_USES_SHOWN: Final = 64  # the same of uses, which are one line each


def find_element(session: Session, text: str) -> Element:
    """Parse an element; of a whole array take the one that stands out.

    That is the first NaN or Inf, or else the one with the largest magnitude.
    """
    if not text:
        return _present_element(session)
    element = session.element(text)
    return element if element.index is not None else _outstanding(session, element)


def _outstanding(session: Session, element: Element) -> Element:
    array = session.trace.array(element.node, element.quantity, session.position)
    node = session.graph.nodes[element.node]
    if 0 in node.shape:
        raise CommandError(Problem(f"{node.name} is empty: it has no elements"))
    first = (0,) * len(node.shape)
    return replace(element, index=first if array is None else outstanding(array))


def outstanding(array: Array) -> Index:
    """Return the index of the first NaN or Inf, or of the largest magnitude.

    Of a very large array it is the first element: looking at all takes too long.
    """
    if array.size > _MOST_SEEN:
        return (0,) * array.ndim
    size = np.abs(array.astype(float))
    finite = np.where(np.isfinite(size), size, np.inf)
    return index_of(np.argmax(finite), array.shape)


def _present_element(session: Session) -> Element:
    """Return the element that we stopped for, or that stands out in the last change."""
    if session.position == 0:
        said = nothing_yet(session.place.iteration)
        raise CommandError(Problem(said, "name an element: NODE.grad[i, j]"))
    event = session.trace.event(session.position - 1)
    quantity: Quantity = "grad"
    if (
        not isinstance(event, Contribution)
        and session.position <= session.trace.seed_position
    ):
        quantity = "value"
    caught = _caught(session)
    if caught is not None and caught.node == event.node:
        return Element(event.node, quantity, caught.index or ())
    return _outstanding(session, Element(event.node, quantity, None))


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
            element = session.element(watched.watched.text)
        except CommandError:  # an expression over many elements
            continue
        if element.index is not None:
            return element
    return None


def _explain(session: Session, arguments: str) -> Answer:
    count, text = _count(arguments, "explain")
    trace, position = session.trace, session.position
    element = find_element(session, text)
    node, index = element.node, element.index or ()
    if element.quantity == "value":
        if trace.value(node, position) is None:
            name = session.graph.nodes[node].name
            raise CommandError(Problem(not_computed(trace, node), f"goto {name}"))
        found = explain_value(trace.run, node, index)
        data = partial(_value_record, trace, found, position)
    elif not trace.run.arrives(node):
        return _why(session, text)
    else:
        found = explain_gradient(trace, node, index, position)
        data = partial(_gradient_record, session, trace, found, position)
    rows = explained(
        *(trace, element, position, count, session.digits, _named(session)),
        progress=session.progress,
        typed=True,
    )
    return Answer(_lines(session, rows), data, found)


def _named(session: Session) -> Wording:
    """Return the words of the session, which know the literature's names."""
    return Wording(session.graph, session.subject.names)


def _value_record(
    trace: Trace, found: ValueExplanation, position: int
) -> dict[str, Any]:
    """Return where a value comes from as data: from its operation, or an update."""
    data = found.record(trace)
    maker = trace.updated_by(found.node, position)
    if maker is not None:
        step = maker.update(found.node, found.index)
        data |= {"sum": float(step.result), "update": step.record()}
    return data


def _gradient_record(
    session: Session, trace: Trace, found: Explanation, position: int
) -> dict[str, Any]:
    """Return where a gradient comes from as data, with all its terms."""
    node, index = found.asked
    data = found.record(trace, session.progress)
    data["check"] = _checked(trace, Element(node, "grad", index), position)
    return data


def _lines(session: Session, rows: Iterable[Row]) -> tuple[str, ...]:
    """Return rows as lines, those below the first one indented."""
    first = session.memory.first
    texts = (in_formula(row.text(session.digits), first) for row in rows)
    return tuple("  " * bool(number) + text for number, text in enumerate(texts))


def _checked(trace: Trace, element: Element, position: int) -> dict[str, Any] | None:
    """Return the numeric check of an element as data, if it takes no time."""
    found = quick_check(trace, element, position)
    if found is None:
        return None
    from ..export.records import comparison_record  # noqa: PLC0415  # 39 ms of a start

    return comparison_record(trace.run.graph, found)


def _count(arguments: str, command: str, most: int = _SHOWN) -> tuple[int, str]:
    """Split `-20 ELEMENT`: so many terms, paths or uses are to be shown.

    Without a number there are `most` of them.
    """
    if not arguments.startswith("-"):
        return most, arguments
    number, _, rest = arguments[1:].partition(" ")
    if not number.isdecimal():
        raise CommandError(
            Problem(f"-{number} is not a count", f"{command} -20 ELEMENT")
        )
    return int(number), rest.strip()


def _uses(session: Session, arguments: str) -> Answer:
    """Say where an element goes, and with which local derivative."""
    count, text = _count(arguments, "uses", _USES_SHOWN)
    element = find_element(session, text)
    node, index = element.node, element.index or ()
    if session.trace.run.value(node).dtype.kind != "f":
        return _uses_without_slope(session, element)
    shown: list[_Use] = []
    of = 0
    for uses in _use_blocks(session, node, index):
        shown += _use_rows(session, uses, count - len(shown))
        of += len(uses.places)
    number = partial(value_text, digits=session.digits)
    name = element_name(session.graph.nodes[node], index)
    lines = [f"{e}: {n} = {number(v)}, local {number(d)}" for e, n, d, v in shown]
    rows: list[tuple[Any, ...]] = [*shown]
    if of > len(shown):
        rest = f"… and {counted(of - len(shown), 'more use')}"
        lines.append(rest)
        rows.append((rest, "", "", ""))

    def data() -> list[dict[str, Any]]:
        each: Iterator[dict[str, Any]] = (
            dict(zip(_USE_COLUMNS, row, strict=True))
            for uses in _use_blocks(session, node, index)
            for row in _use_rows(session, uses)
        )
        return list(islice(each, MOST_RECORDED))

    show = Table(f"uses of {name}", _USE_COLUMNS, tuple(rows))
    return Answer(tuple(lines) or (f"nothing uses {name}",), data, show)


# The edge, the element of the result, the local derivative, the value of the result.
_Use = tuple[str, str, float | None, float | None]
_USE_COLUMNS: Final = ("edge", "element", "local derivative", "value")


def _use_blocks(session: Session, node: int, index: Index) -> Iterator[Uses]:
    """Yield the uses of an element, some at a time, and report the progress."""
    graph, done = session.graph, 0
    of = sum(math.prod(graph.nodes[e.consumer].shape) for e in graph.consumers[node])
    for uses in uses_in_blocks(session.trace.run, node, index):
        session.progress(min(done, of), of)
        yield uses
        done += len(uses.places)


def _use_rows(session: Session, uses: Uses, most: int | None = None) -> Iterator[_Use]:
    """Yield a row for each use of a block, for the first ones if `most` is given."""
    edge = uses.edge
    name = session.graph.edge_name(edge)
    consumer = session.graph.nodes[edge.consumer]
    result = session.trace.run.value(edge.consumer)
    for place, local in islice(uses.elements(), most):
        yield name, element_name(consumer, place), local, float(result[place])


def _uses_without_slope(session: Session, element: Element) -> Answer:
    """Return the uses of what has no derivatives: whole numbers and truth values."""
    from ..explain.why.answer import CAUSES  # noqa: PLC0415  # 12 ms of a start

    graph, node = session.graph, session.graph.nodes[element.node]
    rows = [
        (graph.edge_name(edge), graph.nodes[edge.consumer].name, None, None)
        for edge in graph.consumers[node.index]
    ]
    name = element_name(node, element.index or ())
    lines = [f"{edge}: no derivative: {CAUSES['integer']}" for edge, *_ in rows]
    data = [dict(zip(_USE_COLUMNS, row, strict=True)) for row in rows]
    show = Table(f"uses of {name}", _USE_COLUMNS, tuple(rows))
    return Answer(tuple(lines) or (f"nothing uses {name}",), data, show)


def _why(session: Session, arguments: str) -> Answer:
    from ..explain.why.past import reason  # noqa: PLC0415  # 12 ms of a start

    trace, position = session.trace, session.position
    element = find_element(session, arguments)
    node, quantity, index = element.node, element.quantity, element.index or ()
    if quantity == "value" and trace.value(node, position) is None:
        refuse_hidden(session, ("predict",))
    found = reason(trace, node, quantity, index, position, session.progress)
    # The terms say where it comes from.
    is_here = len(found.hops) == 1 and found.cause in _BY_TERMS
    if is_here or found.cause == "nonzero":
        given = trace, element, position, _SHOWN, session.digits, _named(session)
        rows = explained(*given, typed=True)
    else:
        rows = chain(
            why_rows(trace, found),
            check_rows(trace, element, position, session.digits),
        )
    rows = chain(rows, remark_rows(trace, element))
    return Answer(_lines(session, rows), _why_record(session, element, found), found)


# Causes that the terms of a number say, or the update that made it.
_BY_TERMS: Final = ("trained", "cancelled", "rounded off")


def _why_record(session: Session, element: Element, found: Why) -> dict[str, Any]:
    """Return the reason of a number as data."""
    from ..explain.why.answer import CAUSES  # noqa: PLC0415  # 12 ms of a start

    nodes = session.graph.nodes
    node, quantity, index = element.node, element.quantity, element.index or ()
    return {
        "element": element_name(nodes[node], index, quantity),
        "cause": found.cause,
        "because": found.because,
        "hops": [
            {
                "element": element_name(nodes[hop.node], hop.index, hop.quantity),
                "number": hop.number,
            }
            for hop in found.hops
        ],
        "between": found.between,
        "event": found.event,
        "operands": [
            {"element": element_name(nodes[hop.node], hop.index), "number": hop.number}
            for hop in found.operands
        ],
        "slope": CAUSES[found.slope] if found.slope else None,
        "off": _off_record(session, found),
        "behind": _behind_record(session, found.behind),
        "others": _others_record(session, found),
        "past": _past_record(session, found),
        "untaken": None if found.untaken is None else nodes[found.untaken].name,
        "spread": [
            {"node": nodes[n].name, "quantity": quantity, "elements": count}
            for n, quantity, count in found.spread
        ],
        "check": _checked(session.trace, element, session.position),
    }


def _past_record(session: Session, found: Why) -> dict[str, Any] | None:
    """Return the update of a training that made it so as data."""
    past = found.past
    if past is None:
        return None
    nodes, hop = session.graph.nodes, past.parameter
    return {
        "iteration": past.iteration,
        "parameter": element_name(nodes[hop.node], hop.index),
        "number": hop.number,
        "gradient": past.gradient.number,
        "first": _reason_record(session, past.why) if past.gradient.is_bad else None,
    }


def _reason_record(session: Session, found: Why) -> dict[str, Any]:
    """Return where a reason has led to, and the cause there, as data."""
    at = found.at
    return {
        "element": element_name(session.graph.nodes[at.node], at.index, at.quantity),
        "number": at.number,
        "cause": found.cause,
        "because": found.because,
    }


def _others_record(session: Session, found: Why) -> dict[str, Any] | None:
    """Return what makes it NaN, infinite or 0 besides as data."""
    if found.others is None:
        return None
    nodes = session.graph.nodes
    places = [
        {
            "element": element_name(
                nodes[other.at.node], other.at.index, other.at.quantity
            ),
            "through": None if other.through is None else nodes[other.through].name,
            "cause": other.cause,
            "because": other.because,
            "way": [
                element_name(nodes[hop.node], hop.index, hop.quantity)
                for hop in other.way
            ],
        }
        for other in found.others.found
    ]
    return {"places": places, "all": found.others.is_all}


def _off_record(session: Session, found: Why) -> dict[str, Any] | None:
    """Return how much of a layer lets nothing through as data."""
    off, since = found.off, found.since
    if off is None:
        return None
    name = session.graph.nodes[off.node].name
    record = {"node": name, "elements": off.shut, "of": off.size}
    return record | {"since": None if since is None else since.iteration}


def _behind_record(session: Session, found: Why | None) -> dict[str, Any] | None:
    """Return the reason of an operand as data, and what is behind that."""
    if found is None:
        return None
    first, at = (
        element_name(session.graph.nodes[hop.node], hop.index, hop.quantity)
        for hop in (found.hops[0], found.at)
    )
    return {
        "element": first,
        "number": found.hops[0].number,
        "cause": found.cause,
        "because": found.because,
        "at": at,
        "behind": _behind_record(session, found.behind),
    }


def _paths(session: Session, arguments: str) -> Answer:
    number = partial(value_text, digits=session.digits)
    from ..explain.derive import paths  # noqa: PLC0415  # 10 ms of a start

    count, text = _count(arguments, "paths")
    element = find_element(session, text)
    run, nodes = session.trace.run, session.graph.nodes
    found = paths(run, element.node, element.index or (), session.progress)
    start = element_name(nodes[element.node], element.index)
    total = float(sum(path.product for path in found))
    rows = [(path.product, _route(session, start, path)) for path in found[:count]]
    if len(found) > count:
        rest = float(sum(path.product for path in found[count:]))
        rows.append((rest, f"the sum of {counted(len(found) - count, 'more path')}"))
    rows.append((total, f"the sum of {counted(len(found), 'path')}"))
    rows += _beside_paths(session, element, total)
    lines = [f"{number(product)} = {route}" for product, route in rows]
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


def _beside_paths(
    session: Session, element: Element, total: float
) -> Iterator[tuple[float, str]]:
    """Yield the gradient and why it is no sum of paths, where that is to be seen."""
    found = session.trace.run.gradient(element.node)
    gradient = math.nan if found is None else float(found[element.index or ()])
    if found is None or math.isfinite(total) == math.isfinite(gradient):
        return
    name = element_name(session.graph.nodes[element.node], element.index, "grad")
    because = "only the product of a path is not finite"
    if math.isfinite(total):
        because = "beside the paths a slope of 0 meets what is not finite"
    yield gradient, f"{name}: {because}; why {name}"


def _route(session: Session, start: str, path: Path) -> str:
    number = partial(value_text, digits=session.digits)
    factors = product_text([number(step.local) for step in path.steps] or ["1"])
    nodes = [session.graph.nodes[step.node] for step in path.steps]
    places = [
        called(node, element_name(node, step.index))
        for node, step in zip(nodes, path.steps, strict=True)
    ]
    seed = "" if path.seed == 1 else f" × seed {bracketed(number(path.seed))}"
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
        data="`element`, `sum`, `terms` and whether they are `complete`. "
        "A term of a gradient has `consumer` and `argument`, the `index` in the "
        "consumer, `upstream`, `local` and `product`; a term of a value is a list of "
        "factors, each with `node`, `index` and `value`. A gradient also has `passed` "
        "(copies that were passed through), `seed` (what entered there), `written` "
        "(what a patch wrote over it), `rest` (of more than 50,000 terms how many "
        "others there are, and what they add up to; else None) and `check`; a value "
        "that an update made has the `update`. Where no gradient flows it is that of "
        "`why`",
    ),
    Command(
        "uses",
        "[-COUNT] [ELEMENT]",
        "where an element goes, with its local derivatives",
        _uses,
        keys=("U",),
        completes="element",
        help="The first 64 of them, or COUNT.",
        data="of each use, of the first 50,000 at most, its `edge`, the `element` of "
        "the result, the `local derivative` and the `value` of the result",
        hidden_in=("predict",),
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
        data="`element`; the `cause` in a word or two, and in a sentence: `because`; "
        "`hops`, the way to the cause, each with `element` and `number`, and how many "
        "others lie `between`; the `event` that made it; the `operands` that met "
        "there; why a `slope` is 0; how much of a layer is `off`; what is `behind` an "
        "operand; `others` that make it NaN or infinite as well, or 0 on another way: "
        "their places, each with the way there and the node that a gradient comes "
        "through, and whether these are all; the update of a training that began it "
        "(`past`); the `where` that has not taken a branch (`untaken`); where it has "
        "`spread` to; and the numeric `check`. What does not apply is None, or empty",
        hidden_in=("hunt",),
    ),
    Command(
        "paths",
        "[-COUNT] [ELEMENT]",
        "every path from an element to the output, with its product",
        _paths,
        completes="element",
        help="The largest products first, eight of them or COUNT.",
        data="`element`, the `sum` of all paths, and `paths`, each with `steps` "
        "(`element` and `local`), `seed` and `product`",
        hidden_in=("predict", "hunt"),
    ),
    Command(
        "transposes",
        "[NODE]",
        "why a gradient has its transposes and sums, by indices and by shapes",
        _transposes,
        completes="location",
        help="A result stands for the whole of its statement, a leaf for its uses.",
        data="of each edge its `node` and `operand`, and the `reasons`, each with "
        "`label` and `text`",
    ),
)
