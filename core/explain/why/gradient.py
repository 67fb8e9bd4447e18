"""Why an element of a gradient is 0, NaN or infinite."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ...base.progress import Progress, with_progress
from ...engine.backward import reduce_to
from ...engine.cells import slopes
from ...engine.graph import Edge
from ..factors import picks, reached
from ..gradients import Columns, Explanation, Part, Term, explain_gradient
from ..links import factor
from .answer import Hop, Off, Way, Why, followed
from .near import near
from .spread import spread, untaken_branch
from .value import is_literal, operands_at, passes_largest, why_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ...engine.run import Run
    from ...engine.trace import Trace
    from ...ops.table import Array
    from .near import Near


def _found(trace: Trace, hop: Hop, position: int) -> Explanation:
    index = hop.index or ()
    return explain_gradient(trace, hop.node, index, position, follow=False)


def sender(term: Term) -> Hop:
    """Return the element whose gradient a term has as its first factor."""
    return Hop(term.consumer, term.index, "grad", term.upstream)


# What a part of an explanation can have: terms of which some are like this.
_KINDS: Final[Mapping[str, Callable[[Columns], Array]]] = {
    "any": lambda terms: np.ones(len(terms.places), np.bool_),
    "nonzero": lambda terms: terms.product != 0,
    "underflow": lambda terms: (terms.upstream != 0) & (terms.local != 0),
    "blocked": lambda terms: (terms.upstream != 0) & (terms.local == 0),
    "passing": lambda terms: terms.local != 0,
    "nan": lambda terms: np.isnan(terms.product),
    "inf": lambda terms: np.isposinf(terms.product),
    "-inf": lambda terms: np.isneginf(terms.product),
}


def _first(found: Explanation, first: Mapping[str, int], kind: str) -> Term | None:
    """Return the first term of a kind, if there is one."""
    return found.parts[first[kind]].first(_KINDS[kind]) if kind in first else None


def _firsts(
    trace: Trace, found: Explanation, progress: Progress | None
) -> Mapping[str, int]:
    """Return the number of the first part with a term of each kind.

    Parts are looked at once, however many there are: a later moment has more of them.
    """
    recent, key = trace.run.recent, ("firsts", found.node, found.index)
    looked, known = recent.known(key) or (0, dict[str, int]())
    first, count = dict(known), len(found.parts)
    for number in with_progress(range(looked, count), progress):
        part = found.parts[number]
        for kind, chosen in _KINDS.items():
            if kind not in first and part.first(chosen) is not None:
                first[kind] = number
    recent.keep(key, (max(looked, count), first))
    return {kind: number for kind, number in first.items() if number < count}


# ----------------------------------------------------------------------- a zero


class _Verdict(NamedTuple):
    """What made a number special: a cause, with its term, or the term to follow."""

    cause: str | None = None
    term: Term | None = None
    part: Part | None = None  # where the terms do not say it: the contribution


def zero_gradient(
    trace: Trace, start: Hop, position: int, progress: Progress | None = None
) -> Why:
    """Follow the zero towards the output until something other than a zero made it."""

    def step(hop: Hop) -> Hop | None:
        verdict = of_zero(trace, _found(trace, hop, position), progress)
        followed = verdict.cause is None and verdict.term is not None
        return sender(verdict.term) if followed and verdict.term else None

    way = followed(trace.run, "zero", start, step)
    found = _found(trace, way.hops[-1], position)
    verdict = of_zero(trace, found, progress)
    if verdict.cause == "zero slope":
        return _flat(trace, way, found, verdict.term)
    return _ending(trace, verdict.cause or "zero slope", way, found, verdict.term)


def of_zero(trace: Trace, found: Explanation, progress: Progress | None) -> _Verdict:
    """Return the cause of a zero sum, or no cause and the term to follow."""
    if found.written:
        return _Verdict("written")
    first = _firsts(trace, found, progress)
    if _is_patched(trace.run, found):
        return _Verdict("patched")
    if "nonzero" in first:
        return _Verdict(_cancelled(trace.run, found))
    if found.seed is not None:
        return _Verdict("zero seed")
    if "underflow" in first:
        return _Verdict("underflow", _first(found, first, "underflow"))
    if "blocked" in first:
        return _Verdict("zero slope", _first(found, first, "blocked"))
    if "passing" in first:
        part = found.parts[first["passing"]]
        return _Verdict(None, part.term(int(np.argmax(np.abs(part.local)))))
    if "any" in first:
        # Both are 0: why nothing arrives says more than why it would not pass.
        return _Verdict(None, _first(found, first, "any"))
    silent = _silent(trace, found, lambda upstream: upstream != 0)
    is_blocked = silent is None or silent.upstream != 0
    return _Verdict("zero slope" if is_blocked else None, silent)


def _is_patched(run: Run, found: Explanation) -> bool:
    """Tell whether a wrong rule was told to send what arrives."""
    patches = run.patches
    is_clean = not (patches.rules or patches.in_place)
    return not is_clean and any(part.patched for part in found.parts)


def _is_spoilt(trace: Trace, found: Explanation) -> bool:
    """Tell whether a wrong rule sends what is not finite, where what arrives is."""
    return _is_patched(trace.run, found) and any(
        part.patched
        and not math.isfinite(part.stored)
        and bool(np.isfinite(trace.upstream(part.edge)).all())
        for part in found.parts
    )


def _cancelled(run: Run, found: Explanation) -> str:
    """Tell whether terms add up to 0, or only lose what they add up to by rounding."""
    if len(found.parts) > _MOST_EXACT:
        return "cancelled"
    count, products = 0, list[float]()
    for part in found.parts:
        for block in part.blocks:
            count += len(block.product)
            if count > _MOST_EXACT:
                return "cancelled"
            products += block.product.tolist()
    if not np.isfinite(products).all():
        return "cancelled"  # each is finite in a wider type, in which they are added
    # The terms themselves are rounded, each as its type has it.
    eps = float(np.finfo(run.value(found.node).dtype).eps)
    scaled = np.array(products) / np.max(np.abs(products))
    size = math.fsum(np.abs(scaled).tolist())
    is_lost = abs(math.fsum(scaled.tolist())) > _ROUNDINGS * eps * size
    return "rounded off" if is_lost else "cancelled"


_ROUNDINGS: Final = 8  # of a term, from what made it to its product


_MOST_EXACT: Final = 2000  # terms that are looked at one by one


def _flat(trace: Trace, way: Way, found: Explanation, term: Term | None) -> Why:
    """Say why a slope is 0, as the operation itself has it."""
    run = trace.run
    if term is None:
        nodes = [run.graph.nodes[part.edge.consumer] for part in found.parts]
        ops = [node.op for node in nodes if node.op is not None]
        slope = "lost" if any(map(picks, ops)) else ""
        cause = "zero slope" if slope else "unused"
        return _ending(trace, cause, way, found, slope=slope)
    slope = flat_cause(run, way.hops[-1], term)
    suspect = _suspect(run, way.hops[-1], term, slope)
    behind = None if suspect is None else why_value(trace, suspect)
    off = _off(run, term)
    return _ending(
        trace, "zero slope", way, found, term, behind=behind, slope=slope, off=off
    )


def flat_cause(run: Run, hop: Hop, term: Term) -> str:
    """Return why the slope of a term is 0, as its operation says it; "" unsaid."""
    here = near(run, term.consumer, term.index)
    if here is None:
        return ""
    if here.op.kind == "contract" and _cancels(here, hop, term):
        return "cancelled"
    cause = here.cause("flat", term.argument) or ""
    if cause == "zero factor":
        met = factor(run, _edge(hop, term), hop.index or (), term.index)
        # A number of the program may be too small for the type of what it meets.
        if met is not None and run.value(met.node)[met.index or ()] != 0:
            return "faint"
        # What would not pass if all numbers were 1 meets none of them.
        if here.op.kind == "block" and not _slope(here, hop, term, np.ones_like):
            return "padding"
    return cause


def _cancels(here: Near, hop: Hop, term: Term) -> bool:
    """Tell whether a slope of 0 is a sum of products that are not 0.

    Those of the sizes of all numbers do not cancel.
    """
    return len(here.node.operands) > 1 and bool(_slope(here, hop, term, np.abs))


def _slope(
    here: Near, hop: Hop, term: Term, changed: Callable[[Array], Array]
) -> float:
    """Return the slope of a term if all operands were changed; 0 without a rule."""
    run, node, rule = here.run, here.node, here.op.vjp(term.argument)
    if rule is None:
        return 0.0
    operands = [changed(run.value(operand)) for operand in node.operands]
    one = np.zeros_like(run.value(node.index))
    one[term.index] = 1
    with np.errstate(all="ignore"):
        sent = rule(one[()], run.value(node.index), *operands, **node.attributes)
    shape = run.value(hop.node).shape
    return np.reshape(reduce_to(np.asarray(sent), shape), shape)[hop.index or ()]


def zero_cause(run: Run, hop: Hop, term: Term) -> str:
    """Return why a term is 0 though something arrives for it."""
    return "underflow" if term.local else flat_cause(run, hop, term) or "zero slope"


def silent_terms(trace: Trace, part: Part) -> Iterator[Term]:
    """Yield products of an edge that are not told, since their slope is 0."""
    sent = np.asarray(trace.upstream(part.edge))
    for place in reached(trace.run, part.edge, part.element):
        upstream, edge = float(sent[place]), part.edge
        product = upstream * 0.0
        yield Term(edge.consumer, edge.argument, place, upstream, 0.0, product)


def _silent(
    trace: Trace, found: Explanation, wanted: Callable[[float], bool]
) -> Term | None:
    """Return a product that is not told, since its slope is 0; None without one.

    One that gets what is wanted from the output says more.
    """
    silent: Term | None = None
    for term in chain.from_iterable(silent_terms(trace, one) for one in found.parts):
        if wanted(term.upstream):
            return term
        silent = silent or term
    return silent


def _suspect(run: Run, hop: Hop, term: Term, cause: str) -> Hop | None:
    """Return the operand that makes a slope 0, if it is computed or given."""
    here = near(run, term.consumer, term.index)
    if here is None or cause not in ("zero factor", "over infinity"):
        return None
    if here.op.kind == "block":
        return None  # which of its numbers meets it is not known here
    met = factor(run, _edge(hop, term), hop.index or (), term.index)
    if met is not None and met.index is not None:
        number = float(run.value(met.node)[met.index])
        suspect: Hop | None = Hop(met.node, met.index, "value", number)
    elif here.op.kind == "contract":
        return None  # several of its numbers meet it
    else:
        bad = np.isinf if cause == "over infinity" else _is_zero
        suspect = here.first(bad)
    if suspect is None or suspect.node == hop.node or is_literal(run, suspect):
        return None
    return suspect if suspect.number == 0 or suspect.is_bad else None


def _is_zero(x: Array) -> Array:
    return x == 0


_MOST_SLOPES: Final = 1_000_000  # that are looked at to tell whether all are 0


def _off(run: Run, term: Term) -> Off | None:
    """Return how much of an elementwise result lets nothing through."""
    node = run.graph.nodes[term.consumer]
    size = math.prod(node.shape)
    if node.op is None or node.op.kind != "elementwise" or not 1 < size <= _MOST_SLOPES:
        return None
    count = shut(run, term.consumer, term.argument)
    return Off(term.consumer, term.argument, count, size)


def shut(run: Run, number: int, argument: int) -> int:
    """Return how many elements of an elementwise result have a slope of 0."""
    node = run.graph.nodes[number]

    def count() -> int:
        if node.op is None:
            return 0
        found = slopes(run, node, node.op, argument)[...]
        return found.size - int(np.count_nonzero(found))

    return run.recent.of(("shut", number, argument), count)


# ------------------------------------------------------------------ NaN and Inf


def bad_gradient(
    trace: Trace, start: Hop, position: int, progress: Progress | None = None
) -> Why:
    """Follow what is not finite towards the output, to the product that made it."""

    def step(hop: Hop) -> Hop | None:
        verdict = of_bad(trace, hop, _found(trace, hop, position), progress)
        return sender(verdict.term) if verdict.cause is None and verdict.term else None

    way = followed(trace.run, "bad gradient", start, step)
    last = way.hops[-1]
    found = _found(trace, last, position)
    verdict = of_bad(trace, last, found, progress)
    term, part = verdict.term, verdict.part
    behind = None
    if term is not None and verdict.cause in _OF_ENDLESS and math.isinf(term.upstream):
        behind = bad_gradient(trace, sender(term), position, progress)
    elif term is not None:
        behind = _behind(trace, last, term)
    return _ending(
        trace,
        verdict.cause or "made here",
        way,
        found,
        term,
        None if part is None else part.event,
        behind,
    )


def of_bad(
    trace: Trace, hop: Hop, found: Explanation, progress: Progress | None = None
) -> _Verdict:
    """Return the cause of a number that is not finite, or the term to follow."""
    if found.written:
        return _Verdict("written")
    if found.seed is not None and not math.isfinite(found.seed):
        return _Verdict("bad seed")
    if _is_spoilt(trace, found):
        return _Verdict("patched")
    first = _firsts(trace, found, progress)
    is_nan = math.isnan(hop.number or 0.0)
    for kind in ("nan",) if is_nan else _ENDS[hop.number == math.inf]:
        term = _first(found, first, kind)
        if term is not None:
            cause = cause_of_product(term)
            return _Verdict(cause, term, found.parts[first[kind]])
    ends = [kind for kind in ("inf", "-inf") if kind in first]
    if is_nan and not ends:
        silent = _silent(trace, found, lambda upstream: not math.isfinite(upstream))
        if silent is None or math.isfinite(silent.upstream):
            return _Verdict("overflow both ways")
        met = "zero times infinity" if math.isinf(silent.upstream) else None
        return _Verdict(met, silent)
    if not is_nan:
        products = (n[3] for _, _, one in found.parts.chunks(progress) for n in one)
        seed = () if found.seed is None else (found.seed,)
        dtype = trace.run.value(found.node).dtype
        is_out = passes_largest(chain(seed, products), dtype)
        return _Verdict("overflow" if is_out else "overflow on the way")
    last = max(ends, key=lambda kind: first[kind])
    cause = "opposite infinities" if len(ends) == 2 else "infinite terms"
    return _Verdict(cause, _first(found, first, last), found.parts[first[last]])


# Causes of a NaN for which an infinity may have arrived.
_OF_ENDLESS: Final = ("infinite terms", "opposite infinities", "zero times infinity")
_ENDS: Final = {True: ("inf", "nan"), False: ("-inf", "nan")}


def cause_of_product(term: Term) -> str | None:
    """Return why a product is not finite; None where what arrives says it."""
    upstream, local = term.upstream, term.local
    if math.isnan(upstream):
        return None
    if math.isnan(local):
        return "NaN slope"
    if math.isnan(term.product):
        return "zero times infinity"
    if math.isinf(upstream):
        return None
    return "overflow" if math.isfinite(local) else "infinite slope"


def _behind(trace: Trace, hop: Hop, term: Term) -> Why | None:
    """Say why the values are as they are that make a slope NaN or infinite."""
    if math.isfinite(term.local):
        return None
    suspect = next(iter(slope_makers(trace.run, hop, term)), None)
    if suspect is None or is_literal(trace.run, suspect):
        return None
    return why_value(trace, suspect)


def slope_makers(run: Run, hop: Hop, term: Term) -> list[Hop]:
    """Return the values of which each alone makes a slope NaN or infinite.

    That is a value that is the slope itself, or elements of the operands. Where none of
    them is NaN, a result that is says more of a slope that is.
    """
    met = factor(run, _edge(hop, term), hop.index or (), term.index)
    if met is not None and met.index is not None:
        number = float(run.value(met.node)[met.index])
        return [Hop(met.node, met.index, "value", number)]
    here = near(run, term.consumer, term.index)
    if here is None:
        return []
    is_nan = math.isnan(term.local)
    is_same = np.isnan if is_nan else np.isinf
    chosen = _is_odd if here.op.kind == "elementwise" else _is_bad
    found = list(here.each_steep(term.argument, hop.index or (), chosen, is_same))
    number = float(run.value(term.consumer)[term.index])
    nans = [one for one in found if math.isnan(one.number or 0.0)]
    if is_nan and math.isnan(number) and not nans:
        return [Hop(term.consumer, term.index, "value", number)]
    if not found:
        bad = here.first(is_same) or here.first(np.isinf)
        found = [] if bad is None else [bad]
    return nans or found


def _is_bad(array: Any) -> Any:
    return ~np.isfinite(array)


def _is_odd(array: Any) -> Any:
    """Tell of numbers whether they can make a slope that is not finite: a 0 can."""
    return ~np.isfinite(array) | (np.asarray(array) == 0)


def _edge(hop: Hop, term: Term) -> Edge:
    """Return the edge that a term came through."""
    return Edge(term.consumer, term.argument, hop.node)


def _ending(
    trace: Trace,
    cause: str,
    way: Way,
    found: Explanation | None = None,
    term: Term | None = None,
    event: int | None = None,
    behind: Why | None = None,
    slope: str = "",
    off: Off | None = None,
) -> Why:
    """Gather what a reader needs at the place of the cause."""
    run, last = trace.run, way.hops[-1]
    place = (last.node, last.index or ())
    if term is not None:
        place = (term.consumer, term.index)
    bad = last.is_bad
    return Why(
        cause,
        way.hops,
        found,
        term,
        () if term is None else operands_at(run, *place),
        _set_up(run, *place) if bad else None,
        untaken_branch(run, *place),
        spread(trace) if bad else (),
        None if event is None else event + 1,
        way.between,
        behind,
        slope,
        off,
        bad and term is not None and term.upstream == 0,
    )


def _set_up(run: Run, node: int, index: tuple[int, ...]) -> Hop | None:
    """Return the value at the place of the cause, when it is not finite itself."""
    hop = Hop(node, index, "value", float(run.value(node)[index]))
    return hop if hop.is_bad else None
