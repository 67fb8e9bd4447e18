"""The derivative by definition, held against the same differences taken by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradstep.core.check.differences import Limit
from gradstep.core.engine.patches import Patches
from gradstep.core.practice.definition import definition_lines, digits_of
from gradstep.core.practice.quotients import (
    STEPS,
    Quotient,
    Quotients,
    Rung,
    quotients,
    way_of,
)
from runs import edge, number, run_of

if TYPE_CHECKING:
    from gradstep.core.engine.run import Run

LINE = "c = 0 * x + 2\ny = 3 * x + c"


def by_definition(run: Run, name: str, *index: int, deltas: Any = STEPS) -> Quotients:
    return quotients(run, way_of(run, number(run, name)), index, deltas)


def told(run: Run, name: str, *index: int, deltas: Any = STEPS) -> str:
    return "\n".join(
        definition_lines(run, by_definition(run, name, *index, deltas=deltas))
    )


def test_the_steps_are_powers_of_ten() -> None:
    assert tuple(10.0**-k for k in range(16)) == STEPS


def test_each_quotient_is_what_python_computes_by_either_step() -> None:
    found = by_definition(run_of(LINE, x=3.0), "x")
    x = 3.0

    def f(x: float) -> float:
        return 3 * x + (0 * x + 2)

    for rung, d in zip(found.rungs, STEPS, strict=True):
        up, down = x + d, x - d
        assert rung.forward.by_step == (f(up) - f(x)) / (up - x)
        assert rung.forward.by_delta == (f(up) - f(x)) / d
        assert rung.left.by_step == (f(x) - f(down)) / (x - down)
        assert rung.left.by_delta == (f(x) - f(down)) / d
        assert rung.central.by_step == (f(up) - f(down)) / (up - down)
        assert rung.central.by_delta == (f(up) - f(down)) / (2 * d)


def test_the_numbers_of_the_lesson_can_be_read_off() -> None:
    text = told(run_of(LINE, x=3.0), "x", deltas=[1e-7])
    assert "3.00000000444089" in text
    assert "2.9999999995" in text
    assert "the step taken is 9.999999983634211e-8" in text


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_it_computes_in_the_dtype_of_the_program(dtype: Any) -> None:
    found = by_definition(run_of("y = x * x * x", dtype=dtype, x=1.5), "x")
    with np.errstate(all="ignore"):
        x = dtype(1.5)
        for rung, delta in zip(found.rungs, STEPS, strict=True):
            up = x + dtype(delta)
            change = up * up * up - x * x * x
            assert rung.forward.change.dtype == dtype
            assert rung.forward.change == change
            assert rung.forward.taken == up - x
            if up != x:
                assert rung.forward.by_step == change / (up - x)
            else:
                assert math.isnan(rung.forward.by_step)


def test_rounding_takes_over_where_theory_says() -> None:
    """At √ε for forward and at ∛ε for central ones, within a factor of ten or so."""
    found = by_definition(run_of("y = sin(x)", x=1.0), "x")
    eps = np.finfo(float).eps
    forward, central = found.turn("forward"), found.turn("central")
    assert forward is not None
    assert central is not None
    assert abs(math.log10(STEPS[forward]) - math.log10(eps) / 2) < 1.2
    assert abs(math.log10(STEPS[central]) - math.log10(eps) / 3) < 1.2


def test_truncation_falls_with_the_step_and_with_its_square() -> None:
    found = by_definition(run_of("y = exp(x)", x=1.0), "x")
    forward, central = found.errors("forward"), found.errors("central")
    # Taylor: e · Δ / 2 and e · Δ² / 6
    for power in (2, 3, 4):
        delta = 10.0**-power
        assert forward[power] == pytest.approx(math.e * delta / 2, rel=0.02)
        assert central[power] == pytest.approx(math.e * delta**2 / 6, rel=0.02)


def test_an_error_that_is_small_by_luck_is_not_where_rounding_takes_over() -> None:
    run = run_of("y = x * x * x", x=1.3)
    found = by_definition(run, "x")
    errors = found.errors("central")
    assert found.turn("central") == 6
    assert min(errors[7:]) < errors[6] < min(errors[7], errors[8])
    assert "farther down is luck" in told(run, "x")


def test_not_even_two_beside_each_other_that_are_exact_by_luck() -> None:
    """Central quotients of a parabola neglect nothing: their error is rounding."""
    found = by_definition(run_of("y = x * x - 5 * x", x=2.0), "x")
    errors = found.errors("central")
    assert errors[9] == errors[10] == 0 < errors[8]
    assert found.turn("central") == 0
    assert found.turn("forward") == 8  # √ε


def test_one_element_of_a_matrix_moves_alone() -> None:
    rng = np.random.default_rng(1)
    w, x = rng.normal(size=(3, 4)), rng.normal(size=4)
    found = by_definition(run_of("E = sum(tanh(w @ x))", w=w, x=x), "w", 1, 2)
    moved = w.copy()
    moved[1, 2] += 1e-4
    change = np.tanh(moved @ x).sum() - np.tanh(w @ x).sum()
    assert found.rungs[4].forward.by_step == pytest.approx(change / 1e-4, rel=1e-9)
    exact = (1 - np.tanh(w[1] @ x) ** 2) * x[2]
    assert found.exact == pytest.approx(exact)


def test_the_seed_weighs_each_element_of_the_output() -> None:
    run = run_of("y = x * x", seed=np.array([2.0, -3.0]), x=[1.0, 5.0])
    one, other = by_definition(run, "x", 0), by_definition(run, "x", 1)
    assert one.rungs[0].forward.by_step == 2.0 * (2**2 - 1**2)
    assert other.rungs[0].forward.by_step == -3.0 * (6**2 - 5**2)
    assert "f is y times its seed, added up" in told(run, "x", 0)


def test_an_inner_value_is_moved_as_it_stands() -> None:
    run = run_of("z = 2 * x\ny = z * z + x", x=3.0)
    found = by_definition(run, "z")
    assert found.x == 6.0
    assert found.exact == 12.0
    assert found.rungs[0].forward.by_step == 7**2 - 6**2  # x stays


def test_only_what_the_element_moves_is_computed_again() -> None:
    lines = "".join(f"a{k + 1} = a{k} * 0.5\n" for k in range(50))
    run = run_of(f"{lines}b = x * x\ny = a50 + b", a0=1.0, x=3.0)
    assert len(way_of(run, number(run, "x")).steps) == 2


@pytest.mark.parametrize(
    ("text", "right", "left"),
    [("y = relu(x)", 1, 0), ("y = abs(x)", 1, -1), ("y = maximum(2 * x, x)", 2, 1)],
)
def test_at_a_kink_both_sides_are_told(text: str, right: int, left: int) -> None:
    run = run_of(text, x=0.0)
    found = by_definition(run, "x")
    assert all(rung.forward.by_step == right for rung in found.rungs)
    assert all(rung.left.by_step == left for rung in found.rungs)
    said = told(run, "x")
    assert f"a kink: the quotients go to {right} from the right and to {left}" in said
    assert "rounding takes over" not in said


def test_a_jump_has_no_limit() -> None:
    assert "f jumps here" in told(run_of("y = where(x > 1, 5, x)", x=1.0), "x")


def test_a_wrong_rule_is_not_what_the_quotients_go_to() -> None:
    plain = run_of("y = x * x", x=3.0)
    wrong = Patches(rules={edge(plain, "y", "x"): lambda g, *_: g})
    run = plain.patched(wrong)
    said = told(run, "x")
    assert "the quotients go to 6, which is not what backpropagation says" in said
    assert "rounding takes over" not in said


@pytest.mark.parametrize(
    ("text", "x"), [("y = log(x)", 0.0), ("y = 1 / x", 0.0), ("y = x * 2", math.nan)]
)
def test_of_an_output_that_is_not_finite_nothing_is_said(text: str, x: float) -> None:
    said = told(run_of(text, x=x), "x")
    assert "the output is not finite here" in said
    assert "rounding takes over" not in said


def test_a_step_over_the_edge_of_a_function_is_nan_and_no_more() -> None:
    found = by_definition(run_of("y = log(x)", x=0.01), "x")
    assert math.isnan(found.rungs[0].left.by_step)  # log(0.01 − 1)
    assert found.rungs[4].left.by_step == pytest.approx(100, rel=0.01)
    assert found.turn("central") is not None


def test_what_is_infinite_and_has_no_weight_is_left_out() -> None:
    run = run_of("y = log(x)", seed=np.array([1.0, 0.0]), x=[2.0, 0.0])
    assert by_definition(run, "x", 0).rungs[3].forward.by_step == pytest.approx(
        0.5, rel=1e-3
    )


def test_a_float_constant_has_quotients_and_no_gradient() -> None:
    run = run_of("y = x * T", x=2.0, T=5.0)
    found = by_definition(run, "T")
    assert found.exact is None
    assert found.rungs[3].central.by_step == pytest.approx(2.0)
    assert "backpropagation: none arrives there" in told(run, "T")


def test_every_digit_is_there() -> None:
    assert float(digits_of(np.float64(1) / 3)) == 1 / 3
    assert np.float32(digits_of(np.float32(0.1))) == np.float32(0.1)
    assert digits_of(np.float64(1e-15)) == "1e-15"
    assert digits_of(np.float64(3e22)) == "3e22"
    assert digits_of(np.float64(-0.0)) == "-0"


def test_all_of_it_fits_in_80_columns() -> None:
    rng = np.random.default_rng(3)
    run = run_of(
        "E = sum(tanh(w @ x))",
        w=rng.normal(size=(3, 4)) * 1e-5,
        x=rng.normal(size=4) * 1e-3,
    )
    found = by_definition(run, "w", 2, 1)
    lines = definition_lines(run, found)
    assert "takes over" in lines[1]  # what matters most is not below the table
    heads = [k for k, line in enumerate(lines) if line.lstrip().startswith("Δ  ")]
    grid = lines[heads[0] : heads[1] + 1]  # down to the axis of the plot
    assert max(map(len, grid)) <= 76
    assert len([line for line in grid if line.startswith("1e-")]) >= 12


def test_progress_is_told_for_each_step() -> None:
    run = run_of(LINE, x=3.0)
    seen: list[tuple[int, int]] = []
    quotients(
        run, way_of(run, number(run, "x")), (), progress=lambda *a: seen.append(a)
    )
    assert seen == [(k, 16) for k in range(16)]


def test_a_value_that_is_set_on_the_way_blocks_it() -> None:
    run = run_of("z = 2 * x\ny = z * z", x=3.0)
    run = run.patched(Patches(values={number(run, "z"): np.float64(1.0)}))
    assert way_of(run, number(run, "x")).blocked


def test_a_rounded_program_is_judged_in_float64() -> None:
    """In float16 differences of x · x are off by far more than the gradient is."""
    found = by_definition(run_of("y = x * x * x", dtype=np.float16, x=1.3), "x")
    assert found.limit is not None
    assert found.limit.value == pytest.approx(3 * float(np.float16(1.3)) ** 2, 1e-8)
    assert found.agrees


def test_beside_an_infinite_number_that_counts_nothing_is_known() -> None:
    run = run_of("y = log(x)", seed=np.array([1.0, 1.0]), x=[2.0, 0.0])
    assert by_definition(run, "x", 0).limit is None
    assert by_definition(run_of("y = x * 2", x=math.inf), "x").limit is None


def test_what_no_gradient_arrives_at_agrees_with_all() -> None:
    found = by_definition(run_of("y = x * T", x=2.0, T=5.0), "T")
    assert found.limit is not None
    assert found.agrees


def test_at_a_jump_and_at_a_kink_a_slope_between_is_right() -> None:
    assert by_definition(run_of("y = where(x > 1, 5, x)", x=1.0), "x").agrees
    assert by_definition(run_of("y = relu(x)", x=0.0), "x").agrees
    plain = run_of("y = relu(x)", x=0.0)
    wrong = Patches(rules={edge(plain, "y", "x"): lambda g, *_: 7 * g})
    assert not by_definition(plain.patched(wrong), "x").agrees
    smooth = run_of("y = x * x", x=3.0)
    high = Patches(rules={edge(smooth, "y", "x"): lambda g, *_: 4 * g})
    assert not by_definition(smooth.patched(high), "x").agrees


def test_the_last_of_all_steps_can_be_the_best() -> None:
    """Of a function so small only the last steps are short enough."""
    found = by_definition(run_of("y = x * x", x=1e-16), "x")
    assert found.turn("forward") == len(STEPS) - 1


SMOOTH = Limit(0.0, 0.0, 0.0, 0.0, corner=False, jump=False)


def with_errors(*errors: float, limit: Limit = SMOOTH) -> Quotients:
    """Return quotients that are off by so much, of an exact derivative of 0."""
    rungs = [
        Rung(10.0**-k, *(Quotient(1.0, 1.0, error) for _ in range(3)))
        for k, error in enumerate(errors)
    ]
    return Quotients(0, (), 1.0, 1.0, 0.0, rungs, 0.0, limit, agrees=True)


@pytest.mark.parametrize(
    ("errors", "turn"),
    [
        ((8, 4, 2, 4, 8), 2),
        ((0, 1, 0, 2), 0),  # of several the largest Δ
        ((8, 4, 2, 1, 2, 4, 0, 16), 3),  # what is far from its neighbours is luck
        ((5, 2, 2, 0, 9), 1),
        ((9, 1, 5, 2, 9), 1),
        ((4, 3, 2, 1), 3),
        ((1, 2, 3, 4), 0),
        ((math.nan, 4, 2, 4), 2),
        ((3,), 0),
    ],
)
def test_the_turn_is_the_smallest_error_that_is_no_luck(
    errors: tuple[float, ...], turn: int
) -> None:
    assert with_errors(*errors).turn("forward") == turn


def test_there_is_no_turn_where_errors_tell_nothing() -> None:
    assert with_errors(math.nan, math.nan).turn("central") is None
    assert with_errors(2, 1, limit=SMOOTH._replace(jump=True)).turn("left") is None
    assert with_errors(2, 1, limit=SMOOTH._replace(corner=True)).turn("left") is None


def test_a_gradient_that_is_only_rounded_is_no_wrong_one() -> None:
    run = run_of("y = x * x * x * x * x * x * x", dtype=np.float16, x=1.1)
    found = by_definition(run, "x")
    assert found.limit is not None
    assert found.exact is not None
    assert abs(found.exact - found.limit.value) > 2e-4 * found.exact  # rounded
    assert not found.limit.jump
    assert found.agrees


def test_where_nothing_moves_both_say_0_exactly() -> None:
    found = by_definition(run_of("y = relu(x)", x=-1.0), "x")
    assert found.exact == 0.0
    assert found.agrees
    assert found.rungs[3].central.by_step == 0.0
