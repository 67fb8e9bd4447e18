"""Where else a 0, a NaN or an infinity comes from: a way follows one of several."""

from __future__ import annotations

import math
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ...engine.graph import Edge
from ..factors import picks
from ..gradients import explain_gradient
from ..links import factor
from .answer import Hop, Other, Others
from .gradient import (
    cause_of_product,
    of_bad,
    of_zero,
    sender,
    silent_terms,
    slope_makers,
    zero_cause,
)
from .near import near, terms_of
from .value import judge, nan_of_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ...engine.run import Run
    from ...engine.trace import Trace
    from ..gradients import Explanation, Part, Term
    from .answer import Why
    from .near import Near, Terms

_MOST_VISITED: Final = 64  # elements that are looked at
_MOST_EACH: Final = 16  # of them among what one element was computed from
_MOST_WORK: Final = 100_000  # numbers that are computed with, all in all


class _Sources(NamedTuple):
    """What makes an element so: others that are like it, or what happens there itself.

    Both can be: in a + b a NaN meets nothing else, in a + b + c it may meet ∞ − ∞.
    """

    hops: Sequence[Hop] = ()  # of what it was computed from
    made: Sequence[Other] = ()  # what would make it so without them
    is_all: bool = True  # whether nothing was left out
    work: int = 0  # numbers that were computed with


def others(trace: Trace, named: Why, position: int) -> Others | None:
    """Return where a number comes from besides the place that was named, or None.

    Of a value that is finite nothing is asked. An element counts where it makes the
    number NaN, or as infinite as it is, even if all others were finite; a 0 of a
    gradient, where it is that on one of the ways to it.
    """
    start = named.hops[0]
    if not start.is_bad and not (start.quantity == "grad" and start.number == 0):
        return None
    found: dict[Any, Other] = {}
    ways: dict[Any, tuple[Hop, ...]] = {start.place: ()}
    queue, is_all, work = deque([start]), True, 0
    while queue and work < _MOST_WORK:
        here = queue.popleft()
        sources, way = _sources(trace, here, position), ways[here.place]
        is_all, work = is_all and sources.is_all, work + sources.work
        for other in sources.made:
            found.setdefault(other.key, other._replace(way=way))
        for source in sources.hops:
            if source.place in ways:
                continue
            if len(ways) == _MOST_VISITED:
                is_all = False
                break
            ways[source.place] = (*way, source)
            queue.append(source)
    for told in _told(named):
        found.pop(told.key, None)
    return Others(tuple(found.values()), is_all and not queue) if found else None


def _told(named: Why) -> Iterator[Other]:
    """Yield what an answer names itself; behind a slope that is NaN stands a value."""
    cause = named.slope or named.cause
    if named.term is not None:
        yield Other(named.at, cause, named.term.consumer)
    elif named.at.number == 0 and named.explanation is not None:
        for part in named.explanation.parts[:_MOST_VISITED]:
            yield Other(named.at, cause, part.edge.consumer)
    yield Other(named.at, named.cause)  # of a sum, of which the term is a part
    if named.behind is not None and named.cause == "NaN slope":
        yield Other(named.behind.at, named.behind.cause)


def _sources(trace: Trace, hop: Hop, position: int) -> _Sources:
    if hop.number == 0:
        return _of_zero(trace, hop, position)
    if hop.quantity == "grad":
        return _of_gradient(trace, hop, position)
    return _of_value(trace.run, hop)


def _like(hop: Hop) -> Callable[[Any], Any]:
    number = hop.number or 0.0
    return np.isnan if math.isnan(number) else lambda x: x == number


# ---------------------------------------------------------------------- of a value


def _of_value(run: Run, hop: Hop) -> _Sources:
    if hop.node in run.patches.values:
        return _Sources(made=[Other(hop, "written")])
    here = near(run, hop.node, hop.index or ())
    if here is None:
        return _Sources(made=[Other(hop, "given")])
    terms = terms_of(here)
    is_nan = math.isnan(hop.number or 0.0)
    if terms is None:
        found = _of_parts(here, hop)
    else:
        found = (_of_nan_terms if is_nan else _of_infinite_terms)(hop, terms)
    if found.hops or found.made:
        return found
    verdict = judge(hop.number or 0.0)(here)
    if verdict.onward is not None:  # several make it so together, and none alone
        return _Sources(is_all=False)
    return _Sources(made=[Other(hop, verdict.cause or "made here")])


def _of_parts(here: Near, hop: Hop) -> _Sources:
    is_bad = np.isnan if math.isnan(hop.number or 0.0) else np.isinf
    size = sum(np.size(part.array) for part in here.parts)
    most = max(min(_MOST_EACH, _MOST_WORK // (8 * (size + 1))), 1)
    hops = list(here.each_responsible(is_bad, _like(hop), most))
    count = sum(len(here.parts[k].places(is_bad)) for k in here.sources)
    is_all = count <= most and not here.stays(is_bad)
    if here.op.kind == "elementwise" and len(here.parts) > 1:
        # With a number for the NaN, a 0 or an infinity may make another one.
        is_all = is_all and here.first(lambda x: np.isinf(x) | (x == 0)) is None
    return _Sources(hops, is_all=is_all, work=size * (most + 1))


def _of_nan_terms(hop: Hop, terms: Terms) -> _Sources:
    """Return the NaN factors of the terms; without their terms it may be NaN still."""
    nans = np.flatnonzero(np.isnan(terms.exact)).tolist()
    hops: list[Hop] = []
    is_all = len(nans) <= _MOST_EACH
    rest = terms.numbers.copy()
    for term in nans[:_MOST_EACH]:
        bad, is_every = _factors(terms, term, np.isnan)
        # 0 · ∞ among many factors is another cause, and ∞ may meet one with a number.
        is_all = is_all and is_every and not _factors(terms, term, np.isinf)[0]
        hops += bad
        rest[term] = 0.0 if bad else rest[term]
    rest[nans[_MOST_EACH:]] = 0.0
    is_all = is_all and not np.isinf(rest).any()
    with np.errstate(all="ignore"):
        stays = bool(hops) and np.isnan(np.sum(rest))
    cause = nan_of_terms(terms._replace(numbers=rest)).cause if stays else None
    made = [] if cause is None else [Other(hop, cause)]
    return _Sources(hops, made, is_all, len(terms.exact))


def _of_infinite_terms(hop: Hop, terms: Terms) -> _Sources:
    """Return the infinite factors of the terms; those without one overflow."""
    same = np.flatnonzero(terms.numbers == hop.number).tolist()
    hops: list[Hop] = []
    made: list[Other] = []
    is_all = len(same) <= _MOST_EACH
    for term in same[:_MOST_EACH]:
        bad, is_every = _factors(terms, term, np.isinf)
        # Of two infinities below 0 each alone makes the other end.
        sign = math.prod(math.copysign(1, factor.number or 0.0) for factor in bad)
        alone = [one for one in bad if sign * (one.number or 0.0) > 0]
        is_all = is_all and is_every and alone == bad
        hops += alone
        made += [] if bad else [Other(hop, "overflow")]
    return _Sources(hops, made, is_all, len(terms.exact))


def _factors(
    terms: Terms, term: int, chosen: Callable[[Any], Any]
) -> tuple[list[Hop], bool]:
    """Return factors of a term that are chosen, and whether these are all."""
    factors = terms.factors(term)
    found = [hop for hop in factors if chosen(hop.number or 0.0)]
    first = terms.factor(term, chosen)
    if first is not None and first not in found:
        found.append(first)
    return found, len(factors) <= _FEW


_FEW: Final = 2  # factors of a term, of which all are told


# ------------------------------------------------------------------- of a gradient


def _of_gradient(trace: Trace, hop: Hop, position: int) -> _Sources:
    index, is_alike = hop.index or (), _like(hop)
    found = explain_gradient(trace, hop.node, index, position, follow=False)
    if found.written:
        return _Sources(made=[Other(hop, "written")])
    hops: list[Hop] = []
    made: list[Other] = []
    if found.seed is not None and is_alike(found.seed):
        made.append(Other(hop, "bad seed"))
    terms, ends, is_all, work = _terms(found, is_alike)
    for term in terms:
        one = _of_term(trace.run, hop, term)
        hops += one.hops
        made += one.made
        is_all = is_all and one.is_all
    if len(ends) > 1:
        made.append(Other(hop, "opposite infinities"))
    if not hops and not made:
        verdict = of_bad(trace, hop, found)
        if verdict.cause is None and verdict.term is not None:
            return _Sources([sender(verdict.term)], is_all=False, work=work)
        made.append(Other(hop, verdict.cause or "made here"))
    return _Sources(hops, made, is_all, work)


class _Found(NamedTuple):
    """Terms that are as the sum is, and which infinities are among all of them."""

    terms: Sequence[Term]
    ends: set[float]
    is_all: bool  # whether all were looked at
    work: int  # terms that were looked at


def _terms(found: Explanation, is_alike: Callable[[Any], Any]) -> _Found:
    terms: list[Term] = []
    ends: set[float] = set()
    is_all, work = len(found.parts) <= _MOST_VISITED, 0
    for part in found.parts[:_MOST_VISITED]:
        for block in part.blocks:
            work += len(block.product)
            ends |= {end for end in (np.inf, -np.inf) if (block.product == end).any()}
            places = np.flatnonzero(is_alike(block.product)).tolist()
            room = _MOST_EACH - len(terms)
            is_all = is_all and len(places) <= room
            terms += [part.term_in(block, place) for place in places[:room]]
        if work > _MOST_WORK:
            return _Found(terms, ends, False, work)
    return _Found(terms, ends, is_all, work)


def _of_term(run: Run, hop: Hop, term: Term) -> _Sources:
    """Return what makes a product so: numbers like it, or what happens there."""
    is_bad = np.isnan if math.isnan(term.product) else np.isinf
    hops = [sender(term)] if is_bad(term.upstream) else []
    if not is_bad(term.local):
        cause = None if hops else cause_of_product(term)
        made = [] if cause is None else [Other(hop, cause, term.consumer)]
        return _Sources(hops, made, math.isfinite(term.local) or bool(made))
    # What is behind an infinite slope is another story: a 0, most often.
    makers = slope_makers(run, hop, term) if math.isnan(term.local) else []
    nans = [maker for maker in makers if math.isnan(maker.number or 0.0)]
    # What would be NaN without them cannot be seen, but of a slope that is a value.
    edge = Edge(term.consumer, term.argument, hop.node)
    is_value = factor(run, edge, hop.index or (), term.index) is not None
    is_seen = is_value or math.isinf(term.local)
    is_all = is_seen and math.isfinite(term.upstream)
    if nans:
        return _Sources(hops + nans, is_all=is_all)
    cause = "NaN slope" if math.isnan(term.local) else "infinite slope"
    return _Sources(hops, [Other(hop, cause, term.consumer)], is_all)


# ------------------------------------------------------------------------ of a zero


def _of_zero(trace: Trace, hop: Hop, position: int) -> _Sources:
    """Return the ways on which a gradient is 0: from where, or what happens there."""
    index = hop.index or ()
    found = explain_gradient(trace, hop.node, index, position, follow=False)
    verdict = of_zero(trace, found, None)
    if verdict.cause in _OF_THE_SUM:
        return _Sources(made=[Other(hop, verdict.cause)])
    hops: list[Hop] = []
    made = [] if found.seed is None else [Other(hop, "zero seed")]
    is_all, work = len(found.parts) <= _MOST_VISITED, 0
    for part in found.parts[:_MOST_VISITED]:
        one = _of_zero_part(trace, hop, part)
        hops += one.hops
        made += one.made
        is_all, work = is_all and one.is_all, work + one.work
        if work > _MOST_WORK:
            return _Sources(hops, made, False, work)
    return _Sources(hops, made, is_all, work)


# Causes of a 0 that all ways make together.
_OF_THE_SUM: Final = ("written", "patched", "cancelled", "rounded off")


def _of_zero_part(trace: Trace, hop: Hop, part: Part) -> _Sources:
    terms: list[Term] = []
    is_all, work = True, 0
    for block in part.blocks:
        work += len(block.places)
        # What does not pass, what would be lost, and what nothing arrives for.
        shut = (block.upstream != 0) & (block.local == 0)
        for chosen in (shut, (block.upstream != 0) & ~shut, block.upstream == 0):
            places = np.flatnonzero(chosen).tolist()
            is_all = is_all and len(places) <= _MOST_EACH
            terms += [part.term_in(block, place) for place in places[:_MOST_EACH]]
        if work > _MOST_WORK:
            is_all = False
            break
    op = trace.run.graph.nodes[part.edge.consumer].op
    if op is not None and op.kind == "block":
        is_all = False  # a product whose slope is 0 is not told beside others
    if not terms:
        terms = [one for one in silent_terms(trace, part) if one.upstream != 0]
        terms = terms[:_MOST_EACH] or list(islice(silent_terms(trace, part), 1))
    if not terms:
        cause = "lost" if op is not None and picks(op) else "unused"
        return _Sources(made=[Other(hop, cause, part.edge.consumer)], work=work)
    hops = [sender(term) for term in terms if term.upstream == 0]
    made = [
        Other(hop, zero_cause(trace.run, hop, term), term.consumer)
        for term in terms
        if term.upstream != 0
    ]
    return _Sources(hops, made, is_all, work)
