"""Why an element of a value is 0, NaN or infinite."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..factors import picks
from ..values import source_of_copy
from .answer import Hop, Way, Why, followed, once
from .near import Near, Terms, near, terms_of
from .spread import spread, untaken_branch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ...engine.element import Index
    from ...engine.run import Run
    from ...engine.trace import Trace
    from ...ops.table import Array, Special


def why_value(trace: Trace, hop: Hop) -> Why:
    """Say why an element is special, and why those are that made it so."""
    chain = [_why_value(trace, hop)]
    while len(chain) < _MOST_CHAINS and chain[-1].suspect is not None:
        chain.append(_why_value(trace, chain[-1].suspect))
    found = chain.pop().answer
    while chain:
        found = replace(chain.pop().answer, behind=found)
    return found


_MOST_CHAINS: Final = 4  # reasons behind reasons


class _Answer(NamedTuple):
    """The answer about one element, and the operand that is to be asked next."""

    answer: Why
    suspect: Hop | None


class Verdict(NamedTuple):
    """What made an element special: a cause, or the element to go on with."""

    cause: str | None = None  # one of `CAUSES`; None to go on
    onward: Hop | None = None  # the next element of the way; None at its end
    suspect: Hop | None = None  # the operand that made it so
    operands: tuple[Hop, ...] = ()  # those that met


def _why_value(trace: Trace, start: Hop) -> _Answer:
    run, number = trace.run, start.number
    if number is None or (math.isfinite(number) and number != 0):
        return _Answer(Why("nonzero", (start,)), None)
    of_number = judge(number)

    def verdict(hop: Hop) -> Verdict:
        if hop.node in run.patches.values:
            return Verdict("written")
        here = near(run, hop.node, hop.index or ())
        return Verdict("given") if here is None else of_number(here)

    way = followed(
        run, f"value {_kind(number)}", start, lambda hop: verdict(hop).onward
    )
    found = verdict(way.hops[-1])
    return _Answer(_ending(trace, way, found), _worth_asking(run, found.suspect))


def _kind(number: float) -> str:
    return str(number) if not math.isfinite(number) else "zero"


def judge(number: float) -> Callable[[Near], Verdict]:
    """Return what tells the cause of a 0, a NaN or an infinity."""
    of_number = _of_zero
    if not math.isfinite(number):
        of_number = of_nan if math.isnan(number) else _of_infinity

    def verdict(here: Near) -> Verdict:
        return Verdict("empty") if _is_of_nothing(here) else of_number(here)

    return verdict


def _is_of_nothing(here: Near) -> bool:
    """Tell whether an operation has no number to make its result of."""
    is_copied = here.op.kind in ("move", "gather")
    return not is_copied and any(np.size(part.array) == 0 for part in here.parts)


def _worth_asking(run: Run, suspect: Hop | None) -> Hop | None:
    """Return an operand that made a special number, unless it is written there."""
    return None if suspect is None or is_literal(run, suspect) else suspect


def is_literal(run: Run, hop: Hop) -> bool:
    """Tell whether a number stands in the program itself."""
    return run.graph.nodes[hop.node].is_literal


def _ending(trace: Trace, way: Way, found: Verdict) -> Why:
    run, last = trace.run, way.hops[-1]
    event = trace.forward_event(last.node)
    is_made = found.cause not in ("given", "written") and event is not None
    place = (last.node, last.index or ())
    here = near(run, *place) if is_made else None
    operands = found.operands
    if here is not None and not operands:
        operands = here.elements(_MOST_OPERANDS)
    return Why(
        found.cause or "made here",
        way.hops,
        operands=operands,
        untaken=untaken_branch(run, *place) if last.is_bad else None,
        spread=spread(trace) if last.is_bad else (),
        event=event + 1 if is_made and event is not None else None,
        between=way.between,
    )


_MOST_OPERANDS: Final = 8  # elements at the place of a cause


def operands_at(run: Run, node: int, index: Any) -> tuple[Hop, ...]:
    """Return the first elements that an element of a value was computed from."""
    here = near(run, node, index)
    return () if here is None else here.elements(_MOST_OPERANDS)


# ---------------------------------------------------------------------- a NaN


def of_nan(here: Near) -> Verdict:
    """Return what made an element NaN: a NaN that it was computed from, or a cause."""
    terms = terms_of(here)
    onward = None if terms is None else _nan_factor(terms)
    onward = onward or here.responsible(np.isnan, np.isnan)
    if onward is not None:
        return Verdict(onward=onward)
    return nan_of_terms(terms) if terms else _own(here, "nan", _OF_NAN)


def _nan_factor(terms: Terms) -> Hop | None:
    """Return the first NaN of the first terms: any of them makes the sum one."""
    for term in np.flatnonzero(np.isnan(terms.exact))[:_MOST_OPERANDS].tolist():
        found = terms.factor(term, np.isnan)
        if found is not None:
            return found
    return None


def nan_of_terms(terms: Terms) -> Verdict:
    """Return what made a sum NaN of terms that have no NaN as a factor."""
    numbers = terms.numbers
    nans = np.flatnonzero(np.isnan(numbers))
    if len(nans):
        first = int(nans[0])
        endless = terms.factor(first, np.isinf)
        zero = terms.factor(first, _is_zero)
        if endless is None:
            return Verdict("overflow meets zero", operands=once(terms.factors(first)))
        if terms.live[first]:
            made = Verdict("underflow meets infinity", suspect=endless)
            return made._replace(operands=once(terms.factors(first)))
        met = (endless,) if zero is None else (endless, zero)
        return Verdict("zero times infinity", suspect=endless, operands=met)
    ends = [np.flatnonzero(numbers == bad) for bad in (np.inf, -np.inf)]
    firsts = [int(places[0]) for places in ends if len(places)]
    met = tuple(hop for first in firsts for hop in terms.factors(first))
    suspect = next((hop for hop in met if hop.is_bad), None)
    # Where no operand is infinite, finite ones overflowed on the way.
    cause = "overflow both ways" if suspect is None else "opposite infinities"
    return Verdict(cause, suspect=suspect, operands=once(met))


def _is_zero(x: Any) -> Any:
    return x == 0


def _is_minus_infinity(x: Any) -> Any:
    return x == -np.inf


def _is_plus_infinity(x: Any) -> Any:
    return x == np.inf


_Chosen = Any  # tells of elements whether they may have made it

# Which operand made it so, by the cause; it is asked for its own reason.
_OF_NAN: Final[Mapping[str, _Chosen]] = {
    "zero times infinity": np.isinf,
    "opposite infinities": np.isinf,
    "zero over zero": _is_zero,
    "infinity over infinity": np.isinf,
    "masked row": _is_minus_infinity,
    "infinite row": _is_plus_infinity,
    "infinite deviation": np.isinf,
    "periodic": np.isinf,
}
_OF_INFINITY: Final[Mapping[str, _Chosen]] = {"pole": _is_zero}
_OF_ZERO: Final[Mapping[str, _Chosen]] = {
    "over infinity": np.isinf,
    "limit": np.isinf,
    "chosen": _is_zero,
}


_SAME: Final[Mapping[str, _Chosen]] = {
    "nan": np.isnan,
    "inf": np.isinf,
    "zero": _is_zero,
}


def _own(here: Near, makes: Special, suspects: Mapping[str, _Chosen]) -> Verdict:
    """Return the cause that the operation itself names, and the operand behind it."""
    cause = here.cause(makes)
    chosen = suspects.get(cause or "")
    suspect = None
    if chosen is not None:
        suspect = here.responsible(chosen, _SAME[makes])
        suspect = suspect or here.first_needed(chosen, _SAME[makes])
        suspect = suspect or here.first(chosen)
    if cause == "zero over zero" and suspect is not None:
        last = here.parts[-1].places(_is_zero)
        suspect = here.parts[-1].hop(int(last[0])) if len(last) else suspect
    return Verdict(cause, suspect=suspect)


# ----------------------------------------------------------------- an infinity


def _of_infinity(here: Near) -> Verdict:
    number = float(np.asarray(here.run.value(here.node.index))[here.index])
    terms = terms_of(here)
    if terms is not None:
        return _infinity_of_terms(here, terms, number)
    onward = here.responsible(np.isinf, lambda again: again == number)
    onward = onward or here.first_needed(np.isinf, lambda again: again == number)
    onward = onward or here.first(lambda x: x == number) or here.first(np.isinf)
    if onward is not None:
        return Verdict(onward=onward)
    found = _own(here, "inf", _OF_INFINITY)
    return found if found.cause else Verdict("overflow")


def _infinity_of_terms(here: Near, terms: Terms, number: float) -> Verdict:
    same = np.flatnonzero(terms.numbers == number)
    for term in same[:_MOST_OPERANDS].tolist():
        onward = terms.factor(term, np.isinf)
        if onward is not None:
            return Verdict(onward=onward)
    if len(same):
        return Verdict("overflow", operands=once(terms.factors(int(same[0]))))
    dtype = np.asarray(here.result).dtype
    parts = len(terms.exact) if _is_mean(here) else 1
    is_sum_out = passes_largest(terms.exact.tolist(), dtype, parts)
    return Verdict("overflow" if is_sum_out else "overflow on the way")


_ROOM: Final = 64  # powers of two: for as many numbers as there can be


def passes_largest(
    numbers: Iterable[float], dtype: np.dtype[Any], parts: int = 1
) -> bool:
    """Tell whether a sum, over so many parts, is larger than a type holds.

    The numbers are added up far below the end of the range, without any rounding.
    """
    total = math.fsum(math.ldexp(number, -_ROOM) for number in numbers)
    return abs(total) > math.ldexp(float(np.finfo(dtype).max), -_ROOM) * parts


def _is_mean(here: Near) -> bool:
    return here.op.reduction != "sum" and here.op.signs == (1,)


# ------------------------------------------------------------------------ a 0


def _of_zero(here: Near) -> Verdict:
    terms = terms_of(here)
    if terms is not None:
        return _zero_of_terms(here, terms)
    if here.op.kind in ("move", "gather"):
        onward = here.first(_is_zero)
        return Verdict(here.cause("zero")) if onward is None else _onward(here, onward)
    found = _own(here, "zero", _OF_ZERO)
    if found.cause in ("zero operand", "zero numerator"):
        onward = here.first(_is_zero)
        # Without one all that counts are the zeros of a border that is laid around.
        if onward is None:
            return Verdict("border of zeros")
        return _onward(here, onward, found.cause)
    return found


def _onward(here: Near, hop: Hop, cause: str = "zero operand") -> Verdict:
    """Go on with a 0 that another one was made of; what is written there is an end."""
    if is_literal(here.run, hop):
        return Verdict(cause, operands=(hop,))
    return Verdict(onward=hop)


def _zero_of_terms(here: Near, terms: Terms) -> Verdict:
    live = np.flatnonzero(terms.live)
    if not len(live) and _is_of_itself(here):
        return Verdict("of itself")
    if not len(live):
        zeros = (terms.factor(term, _is_zero) for term in range(len(terms.live)))
        zero = next((hop for hop in zeros if hop is not None), None)
        return Verdict("border of zeros") if zero is None else _onward(here, zero)
    first = int(live[0])
    if here.op.multiplies:
        cause = _vanished(here)
        return Verdict(cause, operands=once(terms.factors(first)))
    total = _sum(terms, live, here)
    if total == 0:
        return Verdict("cancelled")
    dtype = np.asarray(here.result).dtype
    if dtype.kind != "f" or abs(total) >= float(np.finfo(dtype).smallest_subnormal):
        return Verdict("rounded")
    return Verdict("underflow", operands=once(terms.factors(first)))


def zeros_in(run: Run, hop: Hop) -> int:
    """Return how many terms of a sum are 0 where all are, and a single one is not it.

    A product is 0 by one factor, but a sum by all of its terms.
    """
    here = near(run, hop.node, hop.index or ()) if hop.number == 0 else None
    if here is None or here.op.multiplies:
        return 0
    terms = terms_of(here)
    if terms is not None:
        return 0 if terms.live.any() else len(terms.live)
    if here.op.kind != "reduce" or picks(here.op):
        return 0
    numbers = np.asarray(here.parts[0].array)  # of a norm
    return 0 if numbers.any() else numbers.size


def _is_of_itself(here: Near) -> bool:
    """Tell whether an element is subtracted from itself, whatever it is."""
    if here.op.signs != (1, -1):
        return False
    one, two = (_copied_from(here.run, part.hop(0)) for part in here.parts)
    return one == two


def _copied_from(run: Run, hop: Hop) -> tuple[int, Index]:
    """Return the element that an element is a copy of, over several steps."""
    place = (hop.node, hop.index or ())
    for _ in range(_MOST_COPIES):
        node = run.graph.nodes[place[0]]
        if node.op is None or node.op.kind not in ("move", "gather"):
            break
        sources = enumerate(node.operands)
        found = ((o, source_of_copy(run, node, k, place[1])) for k, o in sources)
        known = next(((o, index) for o, index in found if index is not None), None)
        if known is None:
            break
        place = known
    return place


_MOST_COPIES: Final = 64  # steps back to where an element comes from
_MOST_EXACT: Final = 2000  # terms that are added up exactly


def _sum(terms: Terms, live: Array, here: Near) -> float | Fraction:
    """Return what the terms add up to, or their mean, without any rounding."""
    if len(live) <= _MOST_EXACT:
        numbers = [_exactly(terms, term) for term in live.tolist()]
        total = sum(numbers, Fraction())
    else:
        total = math.fsum(terms.exact[live].tolist())
    return total / len(terms.exact) if _is_mean(here) else total


def _exactly(terms: Terms, term: int) -> Fraction:
    product = Fraction(1)
    for hop in terms.factors(term):
        product *= Fraction(hop.number or 0.0)
    return -product if product * int(np.sign(terms.exact[term])) < 0 else product


def _vanished(here: Near) -> str:
    """Return whether a product is below the type, or only a step on the way to it."""
    numbers = [np.ravel(np.asarray(part.array)).astype(float) for part in here.parts]
    mantissas, exponents = np.frexp(np.concatenate(numbers))
    with np.errstate(all="ignore"):
        size = float(np.sum(np.log2(np.abs(mantissas)) + exponents))
    dtype = np.asarray(here.result).dtype
    least = math.log2(float(np.finfo(dtype).smallest_subnormal))
    return "underflow" if size < least else "underflow on the way"
