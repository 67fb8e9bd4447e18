"""Predicted and real change of a nudge, held to numbers found by hand and by NumPy."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.practice.nudge import Nudge, first_step
from gradstep.core.scenario.scenario import load, parse

if TYPE_CHECKING:
    from gradstep.core.session.reply import Reply


def session(program: str, **leaves: object) -> Debugger:
    rows = "".join(f"{name} = {value}\n" for name, value in leaves.items())
    text = f"gradstep = 1\ntitle = 't'\nprogram = '''{program}'''\n[inputs]\n{rows}"
    return Debugger(parse(text, source="t.toml"))


def done(debugger: Debugger, line: str) -> Reply:
    reply = debugger.execute(line)
    assert reply.ok, reply.error
    return reply


def data(debugger: Debugger, line: str) -> dict[str, Any]:
    found = done(debugger, line).data
    assert isinstance(found, dict)
    return found


def test_a_square_changes_by_its_curvature_too() -> None:
    debugger = session("y = x ** 2", x=3.0)
    found = data(debugger, "nudge x 0.5")
    # 2 · 3 · 0.5 = 3; 3.5² − 9 = 3.25; between them Δ² = 0.25, with half of it 0.0625
    assert found["gradient"] == 6
    assert found["predicted"] == 3
    assert found["real"] == 3.25
    assert found["difference"] == 0.25
    assert found["halved"] == 0.0625
    reply = debugger.memory.previous
    assert reply is not None
    assert reply.text == (
        "run 1: x = 3.5 (was 3)",
        "predicted   ∂y/∂x × Δ = 6 × 0.5 = 3",
        "real        y changes by 3.25, 9 → 12.25",
        "difference  0.25; half the step: 0.0625, a quarter: curvature",
    )


def test_a_straight_line_has_no_difference() -> None:
    debugger = session("y = a * x + 1.0", x=0.1, a=0.3)
    found = data(debugger, "nudge x")
    assert found["step"] == 0.01
    assert found["predicted"] == pytest.approx(0.003, rel=1e-12)
    assert found["real"] == pytest.approx(0.003, rel=1e-9)
    assert "none: a straight line" in done(debugger, "nudge x").text[-1]


def test_a_corner_between_is_told() -> None:
    debugger = session("y = relu(x) * 2.0", x=-0.6)
    found = data(debugger, "nudge x 1.0")  # the half of it ends below 0
    assert (found["predicted"], found["real"], found["halved"]) == (0, 0.8, 0)
    assert "a corner lies between" in debugger.memory.previous.text[-1]  # type: ignore[union-attr]


def test_a_wrong_gradient_is_no_curvature() -> None:
    debugger = session("y = a * x", x=2.0, a=3.0)
    done(debugger, "patch y<-x sign")
    found = data(debugger, "nudge x 0.5")
    assert (found["predicted"], found["real"]) == (-1.5, 1.5)
    assert found["halved"] / found["difference"] == 0.5
    assert "the gradient is not the slope" in debugger.memory.previous.text[-1]  # type: ignore[union-attr]


def test_where_no_gradient_arrives_nothing_is_predicted() -> None:
    debugger = session("y = x + stop_gradient(a)", x=1.0, a=2.0)
    reply = done(debugger, "nudge a 0.5")
    assert reply.data["gradient"] is None
    assert (reply.data["predicted"], reply.data["real"]) == (0, 0.5)
    assert "no gradient arrives" in reply.text[1]


def test_an_output_of_many_numbers_counts_with_its_seed() -> None:
    debugger = Debugger(load("matmul"))
    x, w, seed = (
        np.array(a) for a in ([[1.0, 2.0]], [[3.0, -1.0], [4.0, 5.0]], [10, 1])
    )
    moved = x + np.array([[0.0, 0.5]])
    found = data(debugger, "nudge X[0, 1] 0.5")
    assert found["predicted"] == 0.5 * (w @ seed)[1]
    assert found["real"] == float(((moved - x) @ w @ seed).item())


@pytest.mark.parametrize("delta", [0.4, -0.3, 1e-3])
def test_numbers_of_a_network_are_those_of_numpy(delta: float) -> None:
    debugger = Debugger(load("three_layer"))
    leaves = {n.name: debugger.trace.run.value(n.index) for n in debugger.graph.nodes}

    def loss(move: float) -> float:
        w1 = leaves["W1"].copy()
        w1[2, 1] += move
        x = leaves["x0"]
        for w in (w1, leaves["W2"], leaves["W3"]):
            x = 1 / (1 + np.exp(-(w @ x)))
        return float(0.5 * np.sum((x - leaves["t"]) ** 2))

    found = data(debugger, f"nudge W1[2, 1] {delta}")
    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    assert found["real"] == pytest.approx(loss(delta) - loss(0), rel=1e-9)
    assert found["predicted"] == pytest.approx(slope * delta, rel=1e-6)
    difference = loss(delta / 2) - loss(0) - slope * delta / 2
    assert found["halved"] == pytest.approx(difference, rel=1e-2)


def test_nudges_of_one_element_change_one_run_and_undo_takes_them_back() -> None:
    debugger = session("y = x ** 2 + a", x=3.0, a=1.0)
    for line, number in (
        ("nudge x", 3.1),
        ("nudge x +", 3.2),
        ("nudge x -", 3.1),
        ("nudge x double", 3.2),
        ("nudge x half", 3.1),
        ("nudge x.grad", 3.2),  # a gradient stands for its number
    ):
        done(debugger, line)
        assert float(done(debugger, "print x").data) == pytest.approx(number)
        assert len(debugger.runs) == 2
    done(debugger, "nudge a")  # another element is another run
    assert len(debugger.runs) == 3
    assert float(done(debugger, "print x").data) == pytest.approx(3.2)
    done(debugger, "undo")
    assert float(done(debugger, "print a").data) == 1
    done(debugger, "undo")
    assert float(done(debugger, "print x").data) == 3
    done(debugger, "redo")
    assert float(done(debugger, "print x").data) == pytest.approx(3.2)


def test_steps_there_and_back_leave_nothing() -> None:
    debugger = session("y = x ** 2", x=3.0)
    for way in "+++---":
        done(debugger, f"nudge x {way}")
    reply = done(debugger, "print x - 3")
    assert float(reply.data) == 0


def test_a_run_that_others_are_made_from_stays() -> None:
    debugger = session("y = x ** 2 * a", x=3.0, a=1.0)
    for line in ("nudge x", "set a = 2", "undo", "nudge x"):
        done(debugger, line)
    assert len(debugger.runs) == 4
    assert debugger.branch.parent == 1


def test_what_cannot_be_nudged_is_said() -> None:
    debugger = Debugger(load("matmul"))
    for line, said in (
        ("nudge", "nudge what?"),
        ("nudge X", "nudge X[0, 0]"),
        ("nudge X[0, 0] 0", "is no step"),
        ("nudge X[0, 0] inf", "is no step"),
        ("nudge X[0, 0] up", "is no step"),
        ("nudge X[9, 0]", "index 9"),
    ):
        reply = debugger.execute(line)
        assert not reply.ok
        assert said in (reply.error or ""), reply.error
    assert len(debugger.runs) == 1


def test_what_lies_before_a_value_that_is_set_is_not_moved() -> None:
    debugger = Debugger(load("three_layer"))
    assert debugger.execute("nudge x2[0, 0] 0.1").ok
    for name in ("x2.z", "W2", "x1.z"):
        reply = debugger.execute(f"nudge {name}[0, 0] 0.1")
        assert f"between {name} and the output is set" in (reply.error or "")
    for line in ("nudge x2[0, 0] half", "nudge x2[1, 0]", "nudge W3[0, 0]"):
        assert debugger.execute(line).ok, line


def test_a_narrow_dtype_takes_the_step_that_it_has() -> None:
    text = (
        "gradstep = 1\ntitle = 't'\ndtype = 'float32'\n"
        "program = 'y = x * x'\n[inputs]\nx = 3.0\n"
    )
    debugger = Debugger(parse(text, source="t.toml"))
    found = data(debugger, "nudge x 0.1")
    x = np.float32(3)
    moved = np.float32(3.1)
    assert found["delta"] == float(moved) - float(x)
    assert found["real"] == float(moved * moved) - 9
    assert found["predicted"] == 6 * (float(moved) - 3)


@pytest.mark.parametrize(
    ("number", "step"), [(3.0, 0.1), (-0.04, 0.001), (250.0, 10), (0.0, 0.1)]
)
def test_the_first_step_is_about_a_tenth(number: float, step: float) -> None:
    assert float(first_step(number)) == pytest.approx(step)
    assert float(first_step(math.nan)) == 0.1


def test_a_word_moves_a_nudge() -> None:
    start = Nudge(0, (), Decimal("0.1"))
    assert start.by("half").moved == Decimal("0.05")
    assert start.by("double").step == Decimal("0.2")
    moved = start.by("0.3").by("-")
    assert (moved.moved, moved.step) == (0, Decimal("0.3"))
    with pytest.raises(ValueError, match="sideways"):
        start.by("sideways")


def test_where_nothing_moves_all_is_0_and_never_minus_0() -> None:
    debugger = session("y = a * x", x=2.0, a=-3.0)
    done(debugger, "nudge x 0.1")
    found = data(debugger, "nudge x -0.1")  # and back
    numbers = [found[name] for name in ("delta", "predicted", "real", "difference")]
    assert list(map(str, numbers)) == ["0.0"] * 4
    reply = debugger.memory.previous
    assert reply is not None
    assert reply.text[1:] == (
        "predicted   ∂y/∂x × Δ = -3 × 0 = 0",
        "real        y changes by 0, -6 → -6",
        "difference  none: nothing is moved",
    )


def test_a_negative_step_stands_in_brackets() -> None:
    debugger = session("y = a * x", x=2.0, a=-3.0)
    (_, predicted, *_) = done(debugger, "nudge x -0.5").text
    assert predicted == "predicted   ∂y/∂x × Δ = -3 × (-0.5) = 1.5"
