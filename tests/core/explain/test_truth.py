"""Whether what `why` says is true: each cause is held against its definition.

Every operation is run on numbers that are special, in all three types, and each 0, NaN
and infinity that comes of it is asked about. A definition uses the function of the
operation alone, on whole arrays and in a wider type, and nothing of the explanation.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings

from cases import EXAMPLES, every_op, run_of_case
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.why.answer import CAUSES, Hop, Why
from gradstep.core.explain.why.why import why
from gradstep.core.ops import OPS
from ops_examples import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradstep.core.ops.table import Op

DTYPES = (np.float16, np.float32, np.float64)

RUNS = 30  # of an operation
MOST = 6  # elements of each array that are asked about


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


# ------------------------------------------------------------------------- the runs


def pool(dtype: Any) -> np.ndarray:
    """Return the numbers that operands are made of."""
    info = np.finfo(dtype)
    tiny, huge = info.smallest_subnormal, info.max
    small = np.sqrt(info.tiny) / 4  # whose square is below the type
    steep = -2 * np.log(huge)  # whose exponential is
    numbers = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, tiny, -tiny, huge]
    numbers += [-huge, small, 0.5, 2.0, steep, -steep, 3.0, -2.5]
    return np.array(numbers, dtype)


CALM = np.array([0.0, 1.0, -1.0, 0.5, 2.0, -2.5])


def special(case: Case, dtype: Any, rng: np.random.Generator) -> Case:
    """Return a case with other numbers: of few kinds, so that they meet."""
    chosen = rng.choice(pool(dtype), 4)
    if rng.random() < 0.7:  # most often without a NaN, which hides all others
        chosen = chosen[~np.isnan(chosen)]
    if rng.random() < 0.3:
        chosen = CALM.astype(dtype)
    if not len(chosen):
        chosen = CALM.astype(dtype)

    def fill(operand: Any) -> Any:
        array = np.asarray(operand)
        if array.dtype.kind != "f":
            return operand
        return rng.choice(chosen, array.shape).astype(dtype)

    return Case(tuple(map(fill, case.operands)), case.attributes)


def examples(name: str) -> list[Case]:
    found: list[Case] = []

    @settings(max_examples=12, deadline=None)
    @given(EXAMPLES[name].cases.filter(lambda case: all(map(np.size, case.operands))))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def runs(name: str) -> Iterator[tuple[Case, Run]]:
    """Yield one operation alone, on special numbers and with a special seed."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    cases, op = examples(name), OPS[name]
    for count in range(RUNS):
        dtype = DTYPES[count % 3]
        case = special(cases[count % len(cases)], dtype, rng)
        build = Builder()
        leaves: dict[int, Any] = {}
        for number, operand in enumerate(case.operands):
            array = np.asarray(operand)
            kind = "input" if array.dtype.kind == "f" else "constant"
            leaves[build.leaf(f"x{number}", kind, array.shape)] = array
        shape = np.shape(op.forward(*case.operands, **case.attributes))
        y = build.apply(op, tuple(leaves), case.attributes, "y", shape=shape)
        seeds = CALM if rng.random() < 0.5 else rng.choice(pool(dtype), 3)
        seed = rng.choice(seeds, shape).astype(dtype)
        run = evaluate(build.finish(y), leaves, seed)
        yield case, run


# ------------------------------------------------------------------ the definitions


class Claim:
    """An answer about a number of a run, and what is true of it."""

    def __init__(self, run: Run, case: Case, answer: Why) -> None:
        self.run, self.case, self.answer = run, case, answer
        self.node = run.graph.nodes[-1]
        assert self.node.op is not None
        self.op = self.node.op
        self.hop, self.at = answer.hops[0], answer.at

    def __repr__(self) -> str:
        answer = self.answer
        told = f"{answer.cause} {answer.slope} {answer.hops} {answer.term}"
        return f"{self.op.name}: {told} of {self.operands}, {self.node.attributes}"

    @property
    def operands(self) -> list[np.ndarray]:
        return [np.asarray(operand) for operand in self.case.operands]

    def result(self, operands: list[np.ndarray], index: Any = None) -> Any:
        found = self.op.forward(*operands, **self.node.attributes)
        where = self.place if index is None else index
        return np.asarray(found)[where]

    @property
    def place(self) -> Any:
        """The element of the result that the answer is about."""
        for hop in reversed(self.answer.hops):
            if hop.node == self.node.index:
                return hop.index or ()
        assert self.answer.term is not None
        return self.answer.term.index

    def changed(
        self, chosen: Callable[[Any], Any], instead: float, kept: Hop | None = None
    ) -> list[np.ndarray]:
        """Return the operands with other numbers for those that are chosen."""
        found: list[np.ndarray] = []
        for number, array in enumerate(self.operands):
            if array.dtype.kind != "f":
                found.append(array)
                continue
            other = np.where(chosen(array), array.dtype.type(instead), array)
            if kept is not None and kept.node == number:
                other[kept.index or ()] = array[kept.index or ()]
            found.append(other)
        return found

    def depends_on(self, hop: Hop) -> bool:
        """Tell whether a NaN at a place becomes one of the result."""
        operands = [array.copy() for array in self.changed(bad, 1.0)]
        if operands[hop.node].dtype.kind != "f":
            return True
        for arrays in (operands, [array.copy() for array in self.operands]):
            before = self.result(arrays)
            arrays[hop.node][hop.index or ()] = np.nan
            after = self.result(arrays)
            if np.isnan(after) or before != after:
                return True
        return False

    def suffices(self, hop: Hop, chosen: Callable[[Any], Any]) -> bool:
        """Tell whether a number alone makes the result what it is."""
        again = self.result(self.changed(chosen, 1.0, hop))
        return bool(np.isnan(again) if np.isnan(hop.number or 0) else np.isinf(again))

    @property
    def wide(self) -> Any:
        """The result in a wider type; of sums and products the exact one."""
        if is_exact(self.op):
            found = self.result([exactly(array) for array in self.operands])
            if isinstance(found, Fraction):
                return found
        wide = [
            a.astype(np.longdouble if a.dtype == np.float64 else np.float64)
            if a.dtype.kind == "f"
            else a
            for a in self.operands
        ]
        return self.result(wide)

    @property
    def smallest(self) -> float:
        return float(np.finfo(self.run.value(self.node.index).dtype).smallest_subnormal)

    def met(self) -> np.ndarray:
        """The numbers of the operands that are told."""
        return np.array([hop.number for hop in self.answer.operands], float)


def exactly(array: np.ndarray) -> np.ndarray:
    """Return numbers as fractions; what is not finite does not count where it is 0."""
    found = np.empty(array.shape, object)
    for place in np.ndindex(array.shape):
        number = float(array[place])
        found[place] = Fraction(number if np.isfinite(number) else 1)
    return found


def is_exact(op: Op) -> bool:
    """Tell whether an operation takes fractions: sums and products do."""
    return bool(op.signs or op.multiplies or op.kind == "contract")


def bad(array: Any) -> Any:
    return ~np.isfinite(array)


def anything(array: Any) -> Any:
    return np.ones(np.shape(array), np.bool_)


def is_given(claim: Claim) -> bool:
    """A leaf is to blame: it alone makes the result what it is."""
    hop = claim.at
    if claim.op.name == "sort" and hop.node != claim.node.index:
        same = np.isclose(hop.number or 0, claim.hop.number or 0, 0, 0, equal_nan=True)
        return bool(same)  # others may be equal
    if hop.node == claim.node.index or len(claim.answer.hops) == 1:
        return claim.answer.at.quantity == "grad" or hop.node != claim.node.index
    if hop.number == 0:
        return claim.depends_on(hop)
    if np.isnan(hop.number or 0):
        return claim.suffices(hop, np.isnan)
    # Where all are infinite, none of them is so alone.
    return claim.suffices(hop, np.isinf) or claim.depends_on(hop)


def is_born(claim: Claim) -> bool:
    """Without any NaN among the operands the result is one all the same."""
    return bool(np.isnan(claim.result(claim.changed(np.isnan, 1.0))))


def by_infinity(claim: Claim) -> bool:
    """With no infinity among the operands the result is none any more."""
    again = claim.result(claim.changed(bad, 1.0))
    return is_born(claim) and not np.isnan(again)


def meets(claim: Claim) -> bool:
    """Where finite numbers overflow as well, an infinity has met something."""
    return is_born(claim) and bool(np.isinf(claim.met()).any())


def by_finite(claim: Claim) -> bool:
    return bool(bad(claim.result(claim.changed(bad, 1.0))))


def is_loss(claim: Claim) -> bool:
    """The steps of a loss are its own: what it makes of odd targets is not told."""
    return bool(claim.op.makes_own)


def is_special(claim: Claim) -> bool:
    return is_born(claim) or claim.hop.number == 0


def is_certain(claim: Claim) -> bool:
    """To make the largest numbers larger still changes nothing."""
    operands = claim.operands
    if claim.op.name == "binary_cross_entropy":
        chances, targets = (operand[claim.place] for operand in operands)
        return bool(np.all(chances == targets))
    largest = operands[0] == np.max(operands[0])
    operands[0] = np.where(largest & (operands[0] < 1e4), operands[0] + 10, operands[0])
    return is_loss(claim) or bool(claim.result(operands) == 0)


# Functions that are 0 nowhere, or where no finite number is.
POSITIVE = ("exp", "sigmoid", "softplus", "softmax", "silu", "gelu")


def is_small(claim: Claim) -> bool:
    """It is not 0 in a wider type, or nowhere, and below the least of its own."""
    is_somewhere = claim.wide != 0
    if claim.op.name in POSITIVE:
        is_somewhere = bool((claim.met() > -np.inf).any())
    if claim.op.name == "power":
        is_somewhere = bool(claim.met().all() and np.isfinite(claim.met()).all())
    return is_somewhere and bool(abs(claim.wide) < claim.smallest)


def is_pole(claim: Claim) -> bool:
    """It is infinite, and next to it finite."""
    beside = [array + np.asarray(1, array.dtype) for array in claim.operands]
    return is_overflown(claim) and bool(np.isfinite(claim.result(beside)))


def is_overflown(claim: Claim) -> bool:
    return bool(np.isinf(claim.hop.number or 0)) and by_finite(claim)


def is_shut(claim: Claim) -> bool:
    is_flat = claim.op.name not in POSITIVE and claim.wide == 0
    return bool(is_flat and claim.met().all())


def is_rounded(claim: Claim) -> bool:
    """A wider type has a number there, or the function is known to have no 0."""
    if claim.op.name == "gelu":
        return bool(claim.met().all())
    if claim.op.name == "logsumexp":
        return len(claim.met()) > 1 and claim.met().max() == 0
    sizes = np.abs(np.concatenate([np.ravel(array) for array in claim.operands]))
    is_far = bool(np.max(sizes) > 1e15 * np.min(sizes))  # even for a wider type
    return bool(claim.wide != 0) or (claim.op.factors is not None and is_far)


def cancels(claim: Claim) -> bool:
    """Some number that is not 0, made larger, makes the sum another one."""
    if claim.wide != 0 and claim.op.factors is None:
        return False
    if not is_exact(claim.op) and claim.op.factors is None:
        return False
    for number, array in enumerate(claim.operands):
        for place in map(tuple, np.argwhere(array != 0)):
            operands = [exactly(one) for one in claim.operands]
            operands[number][place] *= 2
            if claim.result(operands) != 0:
                return True
    return False


VALUE: dict[str, Callable[[Claim], Any]] = {
    "given": is_given,
    # NaN
    "zero times infinity": lambda claim: (
        # A loss makes infinite logarithms itself.
        by_infinity(claim) or meets(claim) or (is_loss(claim) and is_born(claim))
    ),
    "opposite infinities": lambda claim: by_infinity(claim) or meets(claim),
    "zero over zero": lambda claim: is_born(claim) and not claim.met().any(),
    "infinity over infinity": by_infinity,
    "masked row": lambda claim: by_infinity(claim) or meets(claim),
    "infinite row": by_infinity,
    "infinite deviation": by_infinity,
    "no chance": lambda claim: (
        is_born(claim) and ((claim.met() < 0) | (claim.met() > 1)).any()
    ),
    "nothing left": lambda claim: np.isnan(claim.result(claim.changed(anything, 2.0))),
    "singular": lambda claim: is_born(claim) or is_overflown(claim),
    "infinite matrix": lambda claim: (
        is_born(claim) and bool(np.isinf(claim.operands[0]).any())
    ),
    "indefinite": is_born,
    "of a negative": lambda claim: is_born(claim) and claim.met().min() < 0,
    "periodic": by_infinity,
    "overflow both ways": lambda claim: is_born(claim) and by_finite(claim),
    "underflow meets infinity": by_infinity,
    "overflow meets zero": lambda claim: is_born(claim) and by_finite(claim),
    # Infinity
    "pole": is_pole,
    "overflow": is_overflown,
    "overflow on the way": lambda claim: is_overflown(claim) and bad(claim.wide) == 0,
    # Zero
    "zero operand": lambda claim: (claim.met() == 0).any(),
    "zero numerator": lambda claim: (claim.met() == 0).any(),
    "cancelled": cancels,
    "balanced": lambda claim: np.sum(claim.operands[0] != 0) > 1,
    "rounded": is_rounded,
    "underflow on the way": lambda claim: claim.wide != 0,
    "border of zeros": lambda claim: claim.met().all() and claim.wide == 0,
    "underflow": is_small,
    "eliminated": lambda claim: claim.hop.number == 0 and not claim.op.factors,
    "limit": lambda claim: np.isinf(claim.met()).any() and claim.wide == 0,
    "over infinity": lambda claim: np.isinf(claim.met()).any() and claim.wide == 0,
    "root": lambda claim: claim.met().all() and claim.wide == 0,
    "false": lambda claim: not claim.result(claim.operands),
    "chosen": lambda claim: (
        any((a == 0).any() for a in claim.operands)
        and any((a != 0).any() for a in claim.operands)
    ),
    "shut": is_shut,
    "dropped": lambda claim: claim.met().all() and claim.wide == 0,
    "left out": lambda claim: claim.result(claim.changed(anything, 2.0)) == 0,
    "all equal": lambda claim: len(set(claim.met())) == 1,
    "border": lambda claim: not len(claim.met()),
    "outside": lambda claim: claim.result(claim.changed(anything, 2.0)) == 0,
    "certain": is_certain,
    "made here": lambda claim: is_loss(claim) and is_special(claim),
    "alone": lambda claim: claim.result(claim.changed(np.isfinite, 2.0)) == 0,
}


def told(name: str) -> Iterator[Claim]:
    for case, run in runs(name):
        trace = Trace(run)
        rng = np.random.default_rng(np.size(run.values[-1]))
        value = run.value(run.graph.output)
        places = list(np.ndindex(value.shape))
        for index in [places[n] for n in rng.permutation(len(places))[:MOST]]:
            number = float(value[index])
            if number == 0 or bad(number):
                yield Claim(run, case, why(trace, run.graph.output, "value", index, 0))


# --------------------------------------------------------------- those of gradients


def products(claim: Claim) -> np.ndarray:
    found = claim.answer.explanation
    assert found is not None
    return np.array([term.product for term in found.terms()])


def are_finite(claim: Claim) -> bool:
    """What is too large for float16 can be added up in float32 all the same."""
    found = claim.answer.explanation
    assert found is not None
    told = [term for term in found.terms() if term.product]
    return all(np.isfinite(term.upstream * term.local) for term in told)


def seed_finite(claim: Claim) -> bool:
    """No infinity arrives."""
    found = claim.answer.explanation
    assert found is not None
    return all(np.isfinite([term.upstream, term.local]).all() for term in found.terms())


def is_rest(claim: Claim) -> bool:
    """Without rounding something is left of the sum."""
    exact = sum(map(Fraction, products(claim).tolist()), Fraction())
    return (
        abs(exact)
        > sum(abs(Fraction(one)) for one in products(claim).tolist()) / 10**17
    )


def is_unused(claim: Claim) -> bool:
    """Whatever the element is, the results stay as they are."""
    operands = [array.copy() for array in claim.operands]
    before = claim.op.forward(*operands, **claim.node.attributes)
    operands[claim.hop.node][claim.hop.index or ()] = 123
    after = claim.op.forward(*operands, **claim.node.attributes)
    return np.array_equal(before, after, equal_nan=True)


def is_level(claim: Claim) -> bool:
    """A step to either side does not change the result."""
    array, index = claim.operands[claim.hop.node], claim.hop.index or ()
    before = claim.result(claim.operands)
    if not np.isfinite(array[index]):
        return True
    for side in (-np.inf, np.inf):
        near = np.nextafter(array[index], array.dtype.type(side))
        if not np.isfinite(near):
            continue
        operands = [one.copy() for one in claim.operands]
        operands[claim.hop.node][index] = near
        if not np.array_equal(claim.result(operands), before, equal_nan=True):
            return False
    return True


def is_held(claim: Claim) -> bool:
    """A step to either side changes the result by rounding alone.

    Of a matrix that is nearly singular elimination keeps no digit.
    """
    matrix = claim.operands[0].astype(np.float64)
    if not np.isfinite(matrix).all() or not np.max(np.linalg.cond(matrix)) < 1e4:
        return True
    array, index = claim.operands[claim.hop.node], claim.hop.index or ()
    before = claim.result(claim.operands)
    for side in (-np.inf, np.inf):
        operands = [one.copy() for one in claim.operands]
        operands[claim.hop.node][index] = np.nextafter(array[index], side)
        after = claim.result(operands)
        if not np.allclose(after, before, 1e-3, 0, equal_nan=True):
            return False
    return True


def number(claim: Claim) -> float:
    return float(claim.operands[claim.hop.node][claim.hop.index or ()])


def is_blocked(claim: Claim) -> bool:
    term, slope = claim.answer.term, claim.answer.slope
    if term is None:
        return slope == "lost" and is_unused_here(claim)
    return term.local == 0 and term.upstream != 0 and bool(SLOPE[slope](claim))


def is_unused_here(claim: Claim) -> bool:
    return not len(products(claim))


STEPS = ("sign", "round", "floor", "ceil", "trunc")

SLOPE: dict[str, Callable[[Claim], Any]] = {
    "": lambda claim: False,  # each has a reason
    "eliminated": is_held,
    "zero factor": lambda claim: (
        any((a == 0).any() for a in claim.operands) or claim.op.name == "power"
    ),
    "padding": lambda claim: claim.node.attributes["padding"] and is_level(claim),
    "lost": is_level,
    "shut": is_level,
    "saturated": is_level,
    "outweighed": is_level,
    "vertex": lambda claim: number(claim) == 0,
    "corner": lambda claim: (claim.met() == 0).any(),
    "zero exponent": lambda claim: (claim.operands[1] == 0).any(),
    "over infinity": lambda claim: np.isinf(claim.met()).any(),
    "flat at infinity": lambda claim: np.isinf(number(claim)),
    "alone": lambda claim: 1 in claim.operands[0].shape,
    "step": lambda claim: claim.op.name in STEPS,
    "nothing of it": lambda claim: number(claim) == 0 or is_level(claim),
    "faint": lambda claim: claim.met().all(),
    "dropped": is_level,
    "left out": is_level,
    "all equal": lambda claim: len(set(claim.met())) == 1,
    "certain": is_level,
    "predicted": lambda claim: True,
    "as likely as not": lambda claim: bool(
        (claim.operands[0] == ("logits" not in claim.op.name) / 2).any()
    ),
    "left out or right": lambda claim: len(claim.node.attributes) > 2,
    "at the mean": lambda claim: True,
}


def term_of(check: Callable[[float, float], Any]) -> Callable[[Claim], Any]:
    """Return what is checked of the factors of the product that is to blame."""

    def checked(claim: Claim) -> Any:
        term = claim.answer.term
        return term is not None and check(term.upstream, term.local)

    return checked


ENDS = {0.0, np.inf}


def is_output(claim: Claim) -> bool:
    """The number stands in the seed."""
    return claim.at.node == claim.run.graph.output


def is_overflow(claim: Claim) -> bool:
    """A product of finite factors, or a sum of such products."""
    term = claim.answer.term
    if term is not None:
        return bool(np.isfinite([term.upstream, term.local]).all())
    return seed_finite(claim)


GRADIENT: dict[str, Callable[[Claim], Any]] = {
    "zero seed": lambda claim: claim.at.number == 0 and is_output(claim),
    "bad seed": lambda claim: bad(claim.at.number) and is_output(claim),
    "cancelled": lambda claim: (
        np.count_nonzero(products(claim)) > 1 and are_finite(claim)
    ),
    "underflow": term_of(lambda up, local: up != 0 and local != 0),
    "rounded off": lambda claim: are_finite(claim) and is_rest(claim),
    "zero slope": is_blocked,
    "unused": is_unused,
    "zero times infinity": term_of(lambda up, local: {abs(up), abs(local)} == ENDS),
    "NaN slope": term_of(lambda up, local: np.isnan(local) and not np.isnan(up)),
    "infinite slope": term_of(
        lambda up, local: np.isinf(local) and np.isfinite(up) and up != 0
    ),
    "overflow": is_overflow,
    "overflow on the way": lambda claim: np.isfinite(products(claim)).all(),
    "overflow both ways": lambda claim: (
        are_finite(claim) and {1.0, -1.0} <= set(np.sign(products(claim)))
    ),
    "opposite infinities": lambda claim: {np.inf, -np.inf} <= set(products(claim)),
    "infinite terms": lambda claim: np.isinf(products(claim)).any(),
}


def told_back(name: str) -> Iterator[Claim]:
    for case, run in runs(name):
        trace = Trace(run)
        rng = np.random.default_rng(np.size(run.values[-1]))
        for node in range(len(case.operands)):
            gradient = run.gradient(node)
            if gradient is None:
                continue
            places = list(np.ndindex(gradient.shape))
            for index in [places[n] for n in rng.permutation(len(places))[:MOST]]:
                found = float(gradient[index])
                if found == 0 or bad(found):
                    answer = why(trace, node, "grad", index, len(trace))
                    yield Claim(run, case, answer)


# ------------------------------------------------------------------------ the tests


@every_op
def test_what_is_said_of_values_is_true(name: str) -> None:
    for claim in told(name):
        assert VALUE[claim.answer.cause](claim), claim


@every_op
def test_what_is_said_of_gradients_is_true(name: str) -> None:
    for claim in told_back(name):
        assert GRADIENT[claim.answer.cause](claim), claim


def test_every_cause_has_a_sentence() -> None:
    """Those that rows name, too."""
    named = {case.cause for op in OPS.values() for case in op.cases}
    assert named <= CAUSES.keys()
    assert VALUE.keys() | GRADIENT.keys() | SLOPE.keys() <= CAUSES.keys() | {""}
    flat = {
        case.cause for op in OPS.values() for case in op.cases if case.makes == "flat"
    }
    assert flat <= SLOPE.keys()
    assert named - flat <= VALUE.keys()


# What is asked of one operation, and causes that would be lies.
LIES: list[tuple[str, tuple[Any, ...], str, tuple[str, ...]]] = [
    (
        *("subtract", (np.inf, np.inf)),
        *("opposite infinities", ("given", "zero over zero", "overflow both ways")),
    ),
    ("multiply", (1e-200, 1e-200), "underflow", ("cancelled", "zero operand", "shut")),
    ("multiply", (0.0, 2.0), "given", ("underflow", "cancelled")),
    ("subtract", (2.5, 2.5), "cancelled", ("zero operand", "underflow", "rounded")),
    ("relu", (-1.0,), "shut", ("zero operand", "cancelled", "underflow", "limit")),
    ("exp", (-800.0,), "underflow", ("shut", "limit", "zero operand", "chosen")),
    ("exp", (-np.inf,), "limit", ("shut", "underflow", "cancelled")),
    ("divide", (0.0, 0.0), "zero over zero", ("infinity over infinity", "periodic")),
    ("divide", (1.0, 0.0), "pole", ("given",)),
    ("log", (-1.0,), "of a negative", ("pole", "infinity over infinity", "given")),
    ("exp", (800.0,), "overflow", ("given",)),
]


@pytest.mark.parametrize(("name", "numbers", "cause", "lies"), LIES)
def test_a_lie_would_be_noticed(
    name: str, numbers: tuple[Any, ...], cause: str, lies: tuple[str, ...]
) -> None:
    case = Case(tuple(np.float64(number) for number in numbers), {})
    run = run_of_case(name, case, 0)
    answer = why(Trace(run), run.graph.output, "value", (), 0)
    assert answer.cause == cause
    assert VALUE[cause](Claim(run, case, answer))
    for lie in lies:
        assert not VALUE[lie](Claim(run, case, replace(answer, cause=lie))), lie
