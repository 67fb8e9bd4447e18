"""What a row says of its operation, found once more without the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cases import CORNERS, cases_of, every_op
from gradstep.core.base.errors import InputError
from gradstep.core.check.check import check
from gradstep.core.engine.backward import reduce_to
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.ops import OPS
from gradstep.core.ops.table import REQUIRED, Form, Op, broadcast_shape
from gradstep.core.program.build import Leaf, build
from ops_examples import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

ASIDE = 1e-30  # of a complex step
STEP = 1e-6
JUMP = 1e-2  # of a value within a step: no slope of the examples is as steep


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


# ------------------------------------------------------------------------ helpers


def at_kinks(name: str) -> list[Case]:
    """Return cases with whole numbers: at 0, at bounds, and with equal ones."""
    corners = [Case(c.operands, c.attributes) for c in CORNERS if c.op == name]
    beside = 0.5 if name == "round" else 0  # where its steps are
    return [
        Case(tuple(_whole(one, beside) for one in operands), attributes)
        for operands, attributes in (*cases_of(name), *corners)
    ]


def _whole(operand: Any, beside: float) -> Any:
    if np.asarray(operand).dtype.kind != "f":
        return operand
    return np.round(operand) + beside


def value(op: Op, case: Case) -> np.ndarray:
    return np.asarray(op.forward(*case.operands, **case.attributes))


def moved(case: Case, argument: int, change: Any) -> Case:
    operands = list(case.operands)
    operands[argument] = operands[argument] + change
    return Case(tuple(operands), case.attributes)


def floats(case: Case) -> list[int]:
    return [
        argument
        for argument, operand in enumerate(case.operands)
        if np.asarray(operand).dtype.kind == "f"
    ]


def aside(op: Op, case: Case, argument: int, direction: Any) -> np.ndarray:
    """Return the derivative by a complex step; NaN where it takes real ones only."""
    try:
        change = value(op, moved(case, argument, ASIDE * 1j * direction))
    except TypeError:
        return np.full(np.shape(value(op, case)), np.nan)
    return np.imag(change) / ASIDE


# ---------------------------------------------------------------- kinks and analytic


def kinks(op: Op, case: Case) -> Iterator[np.ndarray]:
    """Yield the derivatives by complex steps where the two sides are not alike.

    Or where the value itself jumps. What is not finite there has no sides to compare.
    """
    y = value(op, case)
    if y.dtype.kind != "f":
        return
    for argument in floats(case):
        if op.vjp(argument) is None:
            continue
        for place in np.ndindex(np.shape(case.operands[argument])):
            one = np.zeros(np.shape(case.operands[argument]))
            one[place] = 1
            ahead = value(op, moved(case, argument, STEP * one)) - y
            behind = y - value(op, moved(case, argument, -STEP * one))
            odd = np.abs(ahead - behind) > 1e-2 * STEP
            odd |= (np.abs(ahead) > JUMP) | (np.abs(behind) > JUMP)
            odd &= np.isfinite(y)
            if np.any(odd):
                yield aside(op, case, argument, one)[odd]


@every_op
def test_kinks_are_told(name: str) -> None:
    op = OPS[name]
    found = [one for case in at_kinks(name) for one in kinks(op, case)]
    assert op.kinks == bool(found)


def continues(op: Op, case: Case) -> bool:
    """Tell whether complex steps give the derivatives, away from kinks."""
    for argument in floats(case):
        shape = np.shape(case.operands[argument])
        direction = np.random.default_rng(0).uniform(-1, 1, shape)
        ahead = value(op, moved(case, argument, STEP * direction))
        behind = value(op, moved(case, argument, -STEP * direction))
        slope = (ahead - behind) / (2 * STEP)
        if not np.allclose(aside(op, case, argument, direction), slope, 1e-5, 1e-6):
            return False
    return True


@every_op
def test_analytic_is_what_goes_on_into_the_complex_plane(name: str) -> None:
    """A complex step is right, or says that it is not: never a wrong finite number."""
    op = OPS[name]
    cases = cases_of(name)
    right = all(value(op, case).dtype.kind == "f" for case in cases)
    right = right and all(continues(op, case) for case in cases)
    silent = (
        np.any(np.isfinite(one)) for case in at_kinks(name) for one in kinks(op, case)
    )
    assert op.analytic == (right and not any(silent))


def cosh(*, analytic: bool) -> Op:
    """Return the row of an operation that the table does not have."""
    return Op(
        name="cosh",
        operands=("x",),
        forward=np.cosh,
        shape=broadcast_shape,
        vjps=(lambda g, y, x: g * np.sinh(x),),
        jvps=(lambda t, y, x: t * np.sinh(x),),
        kind="elementwise",
        symbol="cosh({x})",
        code="np.cosh({x})",
        forms=(Form("sinh({x})", "{g} ∘ sinh({x})", "{g} * np.sinh({x})"),),
        summary="The hyperbolic cosine.",
        analytic=analytic,
        kinks=False,
    )


def run_of_row(op: Op) -> Run:
    build = Builder()
    x = build.leaf("x", "input", (2,))
    y = build.apply(op, (x,), name="y")
    leaves = {x: np.array([0.5, -1.25])}
    return evaluate(build.finish(y), leaves, np.array([1.0, 2.0]))


def test_a_new_row_that_is_analytic_takes_the_complex_step() -> None:
    run = run_of_row(cosh(analytic=True))
    report = check(run, scheme="complex")
    assert report.ok
    gradient = next(one for one in report.gradients if one.node == 0)
    assert gradient.numeric == pytest.approx(
        {0: 0.5210953054937474, 1: -3.2038381655498}[gradient.index[0]], rel=1e-12
    )
    with pytest.raises(InputError, match="cosh at y does not take complex numbers"):
        check(run_of_row(cosh(analytic=False)), scheme="complex")


# --------------------------------------------------------- copies, sums and means


def jacobian(op: Op, case: Case, argument: int) -> np.ndarray | None:
    """Return the derivatives of each result (rows) by each element of an operand."""
    y, rule = value(op, case), op.vjp(argument)
    x = np.asarray(case.operands[argument])
    if rule is None or x.dtype.kind != "f":
        return None
    rows = []
    for place in np.ndindex(y.shape):
        one = np.zeros(y.shape)
        one[place] = 1
        row = np.asarray(rule(one, y, *case.operands, **case.attributes))
        # An elementwise rule leaves it to the engine to sum what was broadcast.
        rows.append(np.ravel(reduce_to(row, x.shape)))
    return np.reshape(rows, (y.size, x.size))


def elsewhere(case: Case) -> Case:
    """Return the case with other numbers, whose order is turned."""
    operands = [1.25 - 3 * x if np.asarray(x).dtype.kind == "f" else x for x in case[0]]
    return Case(tuple(operands), case.attributes)


def jacobians(name: str, argument: int) -> Iterator[tuple[Case, np.ndarray]]:
    """Yield examples with derivatives that do not depend on the numbers, or NaN."""
    for case in cases_of(name):
        if argument >= len(case.operands):
            continue
        one = jacobian(OPS[name], case, argument)
        two = jacobian(OPS[name], elsewhere(case), argument)
        if one is not None and two is not None and one.size:
            yield case, np.where(one == two, one, np.nan)


@every_op
def test_copies_are_told(name: str) -> None:
    """Each element of the result gets one element of the operand, or none of it."""
    op = OPS[name]
    everywhere = op.kind == "elementwise"
    for argument in range(len(op.vjps)):
        found = [by for _, by in jacobians(name, argument)]
        copied = op.kind in ("elementwise", "move", "gather") and all(
            set(np.ravel(by)) <= {0.0, 1.0}
            and np.max(np.sum(by, 1)) <= 1
            and (not everywhere or np.min(np.sum(by, 1)) == 1)
            for by in found
        )
        if found:
            assert op.copies(argument) == copied
        elif op.vjp(argument) is None:
            assert not op.copies(argument)


@every_op
def test_sums_and_means_are_told(name: str) -> None:
    op = OPS[name]
    if op.kind not in ("reduce", "block"):
        assert op.reduction == ""
        return
    shares = {"sum": True, "mean": True}
    for case, by in jacobians(name, 0):
        linear = np.allclose(by @ np.ravel(case.operands[0]), np.ravel(value(op, case)))
        met = np.count_nonzero(by, 1, keepdims=True)
        shares["sum"] &= linear and np.array_equal(by, by != 0)
        shares["mean"] &= linear and np.allclose(by, (by != 0) / met)
        shares["mean"] &= np.allclose(np.sum(by, 1), 1)
    assert op.reduction == next((name for name, right in shares.items() if right), "")


# ------------------------------------------------------------ the rules of textbooks


def by_default(op: Op, *operands: np.ndarray) -> np.ndarray | None:
    """Return an operation of matrices, unless it needs something else."""
    given = {"axis1": 0, "axis2": 1}
    missing = [p.name for p in op.parameters if p.default is REQUIRED]
    if len(op.operands) != len(operands) or not given.keys() >= set(missing):
        return None
    attributes = {name: given[name] for name in missing}
    try:
        return np.asarray(op.forward(*operands, **attributes))
    except (ValueError, TypeError, IndexError):
        return None


@every_op
def test_transposes_are_told(name: str) -> None:
    rng, every = np.random.default_rng(3), range(3)
    a, b = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    product = [[sum(a[i, j] * b[j, k] for j in every) for k in every] for i in every]
    turned = [[a[i, j] for i in every] for j in every]
    two, one = by_default(OPS[name], a, b), by_default(OPS[name], a)
    is_product = two is not None and two.shape == (3, 3) and np.allclose(two, product)
    is_turned = one is not None and one.shape == (3, 3) and np.array_equal(one, turned)
    assert OPS[name].transposes == (is_product or is_turned)


@every_op
def test_what_stops_is_told(name: str) -> None:
    op = OPS[name]
    same = all(
        np.array_equal(value(op, one), one.operands[0]) for one in cases_of(name)
    )
    assert op.stops == (same and not any(op.vjps))


@every_op
def test_what_chooses_is_told(name: str) -> None:
    op = OPS[name]
    chooses = False
    if len(op.operands) == 3 and op.kind == "elementwise":
        branches = [op.forward(condition, 2.0, 3.0) for condition in (True, False)]
        chooses = branches == [2.0, 3.0]
    assert op.chooses == chooses


# Elimination takes a product once that is in many ways.
ELIMINATED = {"inv", "det", "logabsdet", "cholesky"}


@every_op
def test_work_is_told(name: str) -> None:
    """There are as many products as ways from an element of a factor to the result."""
    op = OPS[name]
    assert op.cost is not None or op.kind != "contract"
    if op.cost is None or name in ELIMINATED:
        return
    for case in cases_of(name):
        shapes = [np.shape(operand) for operand in case.operands]
        ways = jacobian(op, case, 0)
        assert ways is not None
        assert op.cost(*shapes, **case.attributes).work >= np.count_nonzero(ways)


# ---------------------------------------------------------------- how it is written

WRITTEN = [op.name for op in OPS.values() if op.written]
SIGNS = ("+", "-", "*", "/", "**", "@", "==", "!=", "<", "<=", ">", ">=")


def made_by(text: str) -> Op | None:
    """Return the operation that a text of the program language makes."""
    square = Leaf("input", np.array([[1.0, 2.0], [3.0, 4.0]]))
    graph = build(f"y = {text}", {name: square for name in "ab" if name in text}).graph
    return graph.nodes[graph.output].op


def written(op: Op, index: str = "...") -> str:
    words = {**dict(zip(op.operands, "ab", strict=False)), "index": index}
    return op.written.format(**words)


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_makes_the_operation(name: str) -> None:
    assert made_by(written(OPS[name])) is OPS[name]


@pytest.mark.parametrize(
    "text", [*(f"a {sign} b" for sign in SIGNS), "-a", "a.T", "a[1]", "a[b > 2]"]
)
def test_all_that_is_written_with_signs_is_told(text: str) -> None:
    op = made_by(text)
    assert op is not None
    assert written(op, index=text[2:-1]) == text


@every_op
def test_what_has_parts_numbers_them(name: str) -> None:
    op = OPS[name]
    assert (op.parts is not None) == ("part" in [p.name for p in op.parameters])
