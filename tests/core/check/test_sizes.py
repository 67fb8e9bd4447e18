"""Numbers of very different sizes: right gradients are right, and wrong ones wrong.

What is right says arithmetic of 200 digits, which shares nothing with the engine.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from checks import edge_of, found, verdicts
from exact import gradient
from gradstep.core.check.check import check
from gradstep.core.engine.patches import Patches
from runs import edge, number, op_of, run_of, times

if TYPE_CHECKING:
    from gradstep.core.engine.run import Run

ONE = (
    *("-{a}", "{a} * {a}", "{a} * {a} * {a}", "tanh({a})", "sin({a})", "cos({a})"),
    *("1 / (1 + {a} * {a})", "sqrt(1 + {a} * {a})", "log(1 + {a} * {a})", "1 / {a}"),
    *("sum({a})", "prod({a})", "{a} / sqrt(1 + sum({a} * {a}))", "log({a} * {a})"),
)
TWO = ("{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / (1 + {b} * {b})", "{a} * sin({b})")
SPANS = ((-12, 12), (-12, 12), (-4, 4), (0, 9), (-9, 0))


def drawn(seed: int) -> tuple[str, dict[str, Any], Any]:
    """Draw a program that runs, its leaves, and a dtype that holds them exactly."""
    draw = random.Random(seed)  # noqa: S311  # the same ones each time
    shape = draw.choice([(2,), (3,), (2, 2)])
    dtype = draw.choice([np.float64, np.float32])
    leaves: dict[str, Any] = {}
    for name in "xw":
        low, high = draw.choice(SPANS)
        own = draw.choice([shape, shape, ()])
        size = int(np.prod(own))
        sizes = [10 ** draw.uniform(low, high) for _ in range(size)]
        signed = [draw.choice([-1, 1, 1, -1, 0]) * size for size in sizes]
        leaves[name] = np.array(signed, dtype).reshape(own)
    names, lines = ["x", "w"], list[str]()
    while len(lines) < 3:
        template = draw.choice(draw.choice([ONE, TWO]))
        one, two = draw.choice(names[-2:]), draw.choice(names)
        names.append(f"v{len(lines)}")
        line = template.replace("{a}", one).replace("{b}", two)
        lines.append(f"{names[-1]} = {line}")
    return "\n".join([*lines, f"E = sum({names[-1]})"]), leaves, dtype


def off(run: Run, text: str, leaves: dict[str, Any]) -> float:
    """Return how far gradients of leaves are from the exact ones, relatively."""
    distance = 0.0
    for name, value in leaves.items():
        ours = run.gradient(number(run, name))
        right = np.reshape(gradient(text, leaves, name), np.shape(value))
        apart = np.abs((np.zeros(right.shape) if ours is None else ours) - right)
        size = np.where(right == 0, 1.0, np.abs(right))
        distance = max(distance, float(np.max(np.nan_to_num(apart / size, nan=np.inf))))
    return distance


def test_no_right_gradient_is_called_wrong() -> None:
    """Those that are not right to 200 digits are of a sine that no float64 knows."""
    right = 0
    for seed in range(300):
        text, leaves, dtype = drawn(seed)
        report = check(run_of(text, dtype, **leaves), quick=seed % 4 == 0)
        assert report.ok, (seed, text, leaves, report.first_wrong)
        right += off(run_of(text, **leaves), text, leaves) < 1e-6
    assert right > 250


def test_a_wrong_gradient_of_any_size_is_called_wrong() -> None:
    told: Counter[str] = Counter()
    for seed in range(300):
        text, leaves, _ = drawn(seed)
        run = run_of(text, **leaves)
        draw = random.Random(seed)  # noqa: S311  # the same ones each time
        consumer, argument = draw.choice(
            [
                (node.index, argument)
                for node in run.graph
                for argument in range(len(node.operands))
                if run.carries(node.index, argument)
            ]
        )
        op = op_of(run, run.graph.nodes[consumer].name)
        rule = times(draw.choice([0.5, -1.0, 1.5]), op, argument)
        wrong = run.patched(Patches(rules={(consumer, argument): rule}))
        if off(run, text, leaves) < 1e-6 and off(wrong, text, leaves) > 0.1:
            made = check(wrong).contributions
            (there,) = [one for one in made if edge_of(one) == (consumer, argument)]
            told[there.verdict] += 1
    assert told["mismatch"] > 200
    assert set(told) == {"mismatch"}


# What ran into it, one by one: the gradients are right, as 200 digits say.
FAR: dict[str, tuple[str, dict[str, Any]]] = {
    "sin": ("E = sum(sin(x * w))", {"x": [1e8, 0.0], "w": [1e8, 1e8]}),
    "prod": (
        "E = sum(log(abs(prod(x))))",
        {"x": [3.178037049787603e-08, -3.730051144755212e-09, -0.0004604745315377387]},
    ),
    "product": (
        "a = x * w\nE = sum(tanh(a * a) + a)",
        {"x": [3e7, 1e-9], "w": [2e5, 4e-11]},
    ),
    "pole": ("E = sum(log(x * x))", {"x": [1.0, 1e-12, -1e-14]}),
}


@pytest.mark.parametrize("name", FAR)
def test_a_step_that_is_too_long_is_no_mistake(name: str) -> None:
    text, given = FAR[name]
    leaves: dict[str, Any] = {leaf: np.array(v) for leaf, v in given.items()}
    run = run_of(text, **leaves)
    assert off(run, text, leaves) < 1e-6
    report = check(run)
    assert report.ok, report.first_wrong
    assert verdicts(report) <= {"ok", "unseen", "drowned"}


def test_a_step_that_is_too_short_hides_no_mistake() -> None:
    """Beside 1, w · w is nothing; but its slope in 1 + w · w is 1."""
    run = run_of("s = 1 + w * w\nE = 1e-8 * s", w=2e-7)
    assert verdicts(check(run)) == {"ok"}
    rule = {edge(run, "s", "s._1"): times(1.5, op_of(run, "s"), 1)}
    first = check(run.patched(Patches(rules=rule))).first_wrong
    assert edge_of(first) == edge(run, "s", "s._1")


@pytest.mark.parametrize("name", ["round", "floor", "ceil", "trunc"])
@pytest.mark.parametrize("x", [1e10, 1e17, 1e308, -1e308])
def test_steps_are_not_seen_from_afar(name: str, x: float) -> None:
    """Between whole numbers they are flat, and at them not: no step is below 1."""
    report = check(run_of(f"E = {name}(x)", x=x))
    assert found(report, "gradient", 0).verdict == "unseen"
    assert {one.verdict for one in report.contributions} == {"unseen"}


@pytest.mark.parametrize("x", [5.2e-14, 2.73e-13, 4.7e-14])
def test_uses_that_cancel_are_rounded_as_what_they_are(x: float) -> None:
    """The slope is 4 x³, of which ±2 x² leave three digits."""
    text = "a = x - x\nb = x * sin(x)\nE = (a - b) * (a - b)"
    run = run_of(text, x=x)
    assert 1e-6 < off(run, text, {"x": np.array(x)}) < 1e-2
    assert check(run).ok


# The slope of log |det| by an element is one of the inverse: by hand, with exponents.
@pytest.mark.parametrize(
    ("text", "leaves", "name", "slopes"),
    [
        # A unit of x is nothing beside w, whose rounding does not fit.
        (
            "E = mse_loss(x, w)",
            {"x": [1.0, 3.0], "w": [1e307, -2.0]},
            "x",
            [-1e307, 5.0],
        ),
        # d, −c, −b and a over ad − bc, which is −bc here
        (
            "E = logabsdet(x)",
            {"x": [[1e-290, 1e-200], [1e-210, 1e-190]]},
            "x",
            [[-1e220, 1e200], [1e210, -1e120]],
        ),
        # x ** p by x, at x = p: p / p · p ** p, and all but a step far from it
        ("E = x ** P", {"x": 1e-212, "P": 1e-212}, "x", 1.0),
        # 1 / v² is below the least number, and the slope is not
        (
            "v = s * w\nE = 1 / v",
            {"s": 1e300, "w": 1.0},
            "w",
            0.0,
        ),
    ],
)
def test_at_the_ends_of_the_numbers_no_right_gradient_is_wrong(
    text: str, leaves: dict[str, Any], name: str, slopes: Any
) -> None:
    run = run_of(text, **leaves)
    found_there = run.gradient(number(run, name))
    assert np.asarray(found_there) == pytest.approx(np.array(slopes), rel=1e-9)
    report = check(run)
    assert report.ok, report.first_wrong


def test_where_a_function_ends_one_side_tells_the_slope() -> None:
    """Of x to the power of 1.5 it is 1.5 √x; the step to −h has no value."""
    run = run_of("E = sum(x ** P)", x=[0.0, 4.0], P=1.5)
    assert verdicts(check(run)) == {"ok"}
    rule = {edge(run, "E._1", "x"): lambda g, y, x, p: g * (p * np.sqrt(x) + 0.1)}
    first = check(run.patched(Patches(rules=rule))).first_wrong
    assert first is not None
    assert (first.index, first.numeric) == ((0,), pytest.approx(0, abs=1e-4))
    small = run_of("E = binary_cross_entropy(p, T)", p=[1e-11, 0.5], T=[1.0, 1.0])
    assert verdicts(check(small)) == {"ok"}
