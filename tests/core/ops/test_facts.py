"""What a row says of its operation, found once more without the row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from cases import CORNERS, EXAMPLES, every_op
from gradstep.core.base.errors import InputError
from gradstep.core.check.check import check
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.ops import OPS
from gradstep.core.ops.table import Form, Op, broadcast_shape
from ops_examples import Case

ASIDE = 1e-30  # of a complex step
STEP = 1e-6
JUMP = 1e-2  # of a value within a step: no slope of the examples is as steep


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


# ------------------------------------------------------------------------ helpers


def cases_of(name: str) -> list[Case]:
    """Return what is drawn for an operation; nothing is shrunk, for nothing fails."""
    found: list[Case] = []

    @settings(max_examples=25, deadline=None)
    @given(EXAMPLES[name].cases)
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def at_kinks(name: str) -> list[Case]:
    """Return cases with whole numbers: at 0, at bounds, and with equal ones."""
    corners = [Case(c.operands, c.attributes) for c in CORNERS if c.op == name]
    return [
        Case(tuple(map(_whole, operands)), attributes)
        for operands, attributes in (*cases_of(name), *corners)
    ]


def _whole(operand: Any) -> Any:
    return np.round(operand) if np.asarray(operand).dtype.kind == "f" else operand


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
