"""Where else a NaN comes from: the way to its cause follows one of several."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from .answer import Hop, Other, Others
from .near import near, terms_of
from .value import nan_of_terms, of_nan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...engine.run import Run
    from .near import Near, Terms

_MOST_VISITED: Final = 64  # elements that are looked at
_MOST_EACH: Final = 16  # of them among what one element was computed from
_MOST_WORK: Final = 100_000  # operands' elements that are computed with, all in all


class _Sources(NamedTuple):
    """What makes an element NaN: NaN that it was computed from, or what it is itself.

    Both can be: in a + b a NaN meets nothing else, in a + b + c it may meet ∞ − ∞.
    """

    hops: Sequence[Hop]
    cause: str | None = None  # why it would be NaN without them
    is_all: bool = True  # whether nothing was left out
    work: int = 0  # elements that were computed with


def others(run: Run, start: Hop, named: Hop, cause: str) -> Others | None:
    """Return where a NaN comes from besides the place that was named, or None.

    Each node is told once for each cause. An element counts where it makes the NaN even
    if all others were numbers.
    """
    found: dict[tuple[int, str], Other] = {}
    seen, queue, is_all, work = {start.place}, deque([start]), True, 0
    while queue and work < _MOST_WORK:
        hop = queue.popleft()
        sources = _sources(run, hop)
        is_all, work = is_all and sources.is_all, work + sources.work
        if sources.cause is not None:
            found.setdefault((hop.node, sources.cause), Other(hop, sources.cause))
        for source in sources.hops:
            if source.place in seen:
                continue
            if len(seen) == _MOST_VISITED:
                is_all = False
                break
            seen.add(source.place)
            queue.append(source)
    found.pop((named.node, cause), None)
    return Others(tuple(found.values()), is_all and not queue) if found else None


def _sources(run: Run, hop: Hop) -> _Sources:
    if hop.node in run.patches.values:
        return _Sources((), "written")
    here = near(run, hop.node, hop.index or ())
    if here is None:
        return _Sources((), "given")
    terms = terms_of(here)
    found = _of_parts(here) if terms is None else _of_terms(terms)
    if found.hops or found.cause is not None:
        return found
    verdict = of_nan(here)
    if verdict.onward is not None:
        return _Sources((verdict.onward,), is_all=False)
    return _Sources((), verdict.cause or "made here")


def _of_parts(here: Near) -> _Sources:
    size = sum(np.size(part.array) for part in here.parts)
    most = max(min(_MOST_EACH, _MOST_WORK // (8 * (size + 1))), 1)
    hops = list(here.each_responsible(np.isnan, np.isnan, most))
    count = sum(len(here.parts[k].places(np.isnan)) for k in here.sources)
    is_all = count <= most and not here.stays(np.isnan)
    return _Sources(hops, is_all=is_all, work=size * (most + 1))


def _of_terms(terms: Terms) -> _Sources:
    """Return the NaN factors of the terms; without their terms it may be NaN still."""
    nans = np.flatnonzero(np.isnan(terms.exact)).tolist()
    hops: list[Hop] = []
    is_all = len(nans) <= _MOST_EACH
    rest = terms.numbers.copy()
    for term in nans[:_MOST_EACH]:
        factors = terms.factors(term)
        # Of many factors not all are told, and 0 · ∞ among them is another cause.
        is_all = is_all and len(factors) <= 2
        bad = [hop for hop in factors if np.isnan(hop.number or 0.0)]
        first = terms.factor(term, np.isnan)
        if first is not None and first not in bad:
            bad.append(first)
        hops += bad
        rest[term] = 0.0 if bad else rest[term]
    rest[nans[_MOST_EACH:]] = 0.0
    with np.errstate(all="ignore"):
        stays = bool(hops) and np.isnan(np.sum(rest))
    cause = nan_of_terms(terms._replace(numbers=rest)).cause if stays else None
    return _Sources(hops, cause, is_all, len(terms.exact))
