"""One element against differences: the same verdict as of a whole check, and cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import CORNERS
from checks import LEAVES, NET, counted
from gradstep.core.check.check import check
from gradstep.core.check.element import Effort, check_element
from gradstep.core.check.report import NodeCheck
from gradstep.core.engine.graph import Builder
from gradstep.core.engine.patches import NO_PATCHES, Patches
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.explain.verdicts import check_lines, numeric_line
from gradstep.core.ops import OPS
from runs import edge, number, op_of, patched, programs, run_of, times
from sessions import said, session

if TYPE_CHECKING:
    from gradstep.core.program.build import Program
    from ops_examples import Corner

ALL = Effort(10**9, 10**9)


def checked(run: Run, name: str, *index: int) -> NodeCheck:
    one = check_element(run, number(run, name), index, ALL)
    assert one is not None
    return one


def elements(run: Run) -> list[tuple[int, tuple[int, ...]]]:
    return [
        (node.index, index)
        for node in run.graph
        if run.flows[node.index]
        for index in np.ndindex(node.shape)
    ]


# ------------------------------------------------------------- both numbers are right


def test_the_numbers_of_a_hand_calculation() -> None:
    run = run_of("u = x * x\nv = u * y\nE = u * v + 5 * y", x=3.0, y=2.0)
    # E = x⁴ y + 5 y; u held on its own: E = u² y + 5 y
    for name, slope in {"x": 216.0, "y": 86.0, "u": 36.0, "v": 9.0, "E": 1.0}.items():
        one = checked(run, name)
        assert (one.verdict, one.analytic) == ("ok", slope)
        assert one.numeric == pytest.approx(slope, rel=1e-9)
        assert one.difference == abs(one.analytic - one.numeric)
        assert one.noise < 1e-6


def test_an_element_is_weighed_by_the_seed() -> None:
    run = run_of("y = x * x", seed=np.array([1.0, -2.0, 0.0]), x=[3.0, 4.0, 5.0])
    slopes = [checked(run, "x", place).numeric for place in range(3)]
    assert slopes == pytest.approx([6.0, -16.0, 0.0], rel=1e-9)
    assert checked(run, "y", 1).numeric == pytest.approx(-2.0)


@given(programs(), st.data())
def test_every_element_has_the_verdict_of_the_whole_check(
    program: Program, data: Any
) -> None:
    run = evaluate(program.graph, program.leaves)
    run = run.patched(data.draw(patched(run)))
    node, _ = data.draw(st.sampled_from(elements(run)))
    report = check(run, nodes=[node])
    whole = next(one for one in report.gradients)
    shape = run.graph.nodes[node].shape
    found = {i: check_element(run, node, i, ALL) for i in np.ndindex(shape)}
    verdicts = {i: one.verdict for i, one in found.items() if one is not None}
    assert set(verdicts) == set(found)
    if whole.verdict == "mismatch":
        assert verdicts[whole.index] == "mismatch"
    else:
        assert set(verdicts.values()) <= {"ok", whole.verdict}
        assert {i for i in verdicts if verdicts[i] == "kink"} == set(whole.kinks)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_a_rule_wrong_by_a_thousandth_is_caught_in_every_element(dtype: Any) -> None:
    run = run_of(NET, dtype, **LEAVES)
    wrong = {(number(run, "h"), 0): times(1.001, op_of(run, "h"), 0)}
    bad = run.patched(Patches(rules=wrong))
    for node, index in elements(run):
        one, right = (check_element(r, node, index, ALL) for r in (bad, run))
        assert one is not None
        assert right is not None
        assert right.verdict == "ok"
        assert one.numeric == pytest.approx(right.numeric, rel=1e-6)
        if node >= number(run, "h"):
            assert one.verdict == "ok"
            continue
        assert one.verdict == "mismatch"
        assert one.analytic == pytest.approx(1.001 * right.analytic, rel=1e-9)
        assert one.relative == pytest.approx(1e-3, rel=1e-2)


SHARED = "r = relu(x)\ns = x * x\nE = sum(r * s + x)"


@pytest.mark.parametrize("name", ["cuts", "overwrites", "in_place"])
@pytest.mark.parametrize("consumer", ["s", "r"])
def test_a_patched_edge_is_caught(name: str, consumer: str) -> None:
    run = run_of(SHARED, x=[1.0, -2.0, 3.0])
    there = frozenset({edge(run, consumer, "x")})
    bad = run.patched(NO_PATCHES._replace(**{name: there}))
    # E = x³ + x where x > 0, so the slope is 3 x² + 1.
    one = checked(bad, "x", 2)
    assert one.numeric == pytest.approx(28.0)
    assert one.verdict == ("ok" if one.analytic == 28.0 else "mismatch")
    assert name == "in_place" or one.verdict == "mismatch"


def test_a_cut_that_leaves_no_gradient_is_caught() -> None:
    run = run_of("y = x * 3\nE = y + 1", x=2.0)
    bad = run.patched(Patches(cuts=frozenset({edge(run, "y", "x")})))
    one = checked(bad, "x")
    assert (one.verdict, one.analytic, one.numeric) == ("mismatch", 0.0, 3.0)


def test_what_check_treats_in_its_own_way() -> None:
    run = run_of("E = x * stop_gradient(x) + 2 * y + N", x=3.0, y=1.0, N=4)
    assert checked(run, "x").numeric == pytest.approx(3.0)
    assert checked(run, "N").verdict == "skipped"
    held = run_of("u = x * 2\nE = u * u", x=1.0)
    held = held.patched(Patches(values={number(held, "u"): 5.0}))
    assert checked(held, "x").reason == "a value on the way to the output is set"
    assert checked(held, "u").numeric == pytest.approx(10.0)
    assert checked(run_of("u = x * 2\nE = x + 1", x=1.0), "u").verdict == "skipped"
    log = run_of("E = sum(where(x > 0, log(x), 0) * x)", x=[0.0, 1.0])
    assert checked(log, "x", 0).verdict == "nonfinite"
    assert checked(log, "x", 1).verdict == "ok"
    over = run_of("E = sum(exp(x))", np.float16, x=[12.0, 1.0])
    assert [checked(over, "x", i).verdict for i in range(2)] == ["nonfinite", "ok"]


@pytest.mark.parametrize("chance", [1e-13, 5e-13, [1e-13, 0.5], 0.0])
def test_a_slope_that_is_held_at_a_bound_is_no_mistake(chance: Any) -> None:
    """PyTorch divides (p − t) by max(p (1 − p), 1e-12): at p = 5e-13 half of 1 / p."""
    chances = np.atleast_1d(chance)
    run = run_of(
        "p = q * 1\nE = binary_cross_entropy(p, T, reduction='sum')",
        q=chances,
        T=np.ones(len(chances)),
    )
    assert run.gradient(number(run, "p")) is not None
    assert run.gradient(number(run, "q"))[0] == pytest.approx(-1e12, rel=1e-9)  # type: ignore[index]
    report = check(run)
    assert report.ok
    held = [one for one in report.contributions if one.verdict == "bound"]
    assert [one.reason for one in held] == [
        "where the slope is divided by 1e-12 at least, as in PyTorch"
    ]
    assert "✗" not in numeric_line(checked(run, "q", 0))


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("E = sum(x * x)", {"x": [1e-170, 1e-160]}),
        ("E = sum(square(x))", {"x": [1e-170]}),
        ("E = sum(x * x * x)", {"x": [1e-105, 1e-160]}),
        ("E = sum(exp(x))", {"x": [-745.0, -740.0]}),
        ("E = sum(sigmoid(x))", {"x": [-745.0, 740.0]}),
        ("E = sum(x / y)", {"x": [1e-320], "y": [1e300]}),
        ("E = sum(tanh(x) * x)", {"x": [1e-320, 5e-324]}),
        ("y = x * 1e200\nE = sum(y ** 2)", {"x": [1e-200, 3e-200]}),
    ],
)
def test_what_is_lost_below_the_least_numbers_is_no_mistake(
    text: str, leaves: dict[str, Any]
) -> None:
    run = run_of(text, **leaves)
    assert check(run).ok
    for node in run.graph.nodes:
        for index in np.ndindex(node.shape):
            one = check_element(run, node.index, index)
            assert one is None or one.verdict != "mismatch", (node.name, index)


def test_nothing_is_told_of_what_rounding_hides() -> None:
    """1e200 + w is as large for each w near 1: its slope is not to be seen."""
    run = run_of("E = sum(x * x) + w", x=[1e100], w=1.0)
    assert checked(run, "w").verdict == "drowned"
    assert checked(run, "x", 0).verdict == "ok"
    lines = list(check_lines(check(run)))
    assert lines[0].startswith("rounding is larger than the gradient")
    assert lines[0].endswith(": w.grad")
    assert check(run, quick=True).ok


def test_a_low_precision_is_told_beside_the_number() -> None:
    one = checked(run_of("E = x * x * x", np.float16, x=0.1), "x")
    assert one.verdict == "ok"
    assert one.analytic == pytest.approx(3 * float(np.float16(0.1)) ** 2, rel=1e-12)
    assert 1e-6 < one.rounding < 1e-3


@pytest.mark.parametrize("corner", CORNERS, ids=lambda corner: corner.op)
def test_no_other_operation_bends(corner: Corner) -> None:
    build = Builder()
    leaves: dict[int, Any] = {}
    for count, operand in enumerate(corner.operands):
        array = np.asarray(operand)
        kind = "input" if array.dtype.kind == "f" else "constant"
        leaves[build.leaf(f"x{count}", kind, array.shape)] = array
    shape = np.shape(corner.value)
    op = OPS[corner.op]
    y = build.apply(op, tuple(leaves), corner.attributes, "y", shape=shape)
    run = evaluate(build.finish(y), leaves, np.ones(shape))
    for one in check(run).contributions:
        assert one.verdict != "kink" or op.kinks


def test_a_kink_that_only_its_operation_shows() -> None:
    run = run_of("E = sum(relu(x) - relu(-x))", x=[0.0, 1.0])
    assert [checked(run, "x", i).verdict for i in range(2)] == ["kink", "ok"]


# ---------------------------------------------------------------------- what it costs


def test_it_is_not_done_where_it_takes_too_long() -> None:
    lines = [f"x{i + 1} = x{i} * w" for i in range(1000)]
    run = run_of("\n".join(lines), x0=1.0, w=0.999)
    assert check_element(run, number(run, "x0"), ()) is None
    assert check_element(run, number(run, "w"), ()) is None
    last = check_element(run, number(run, "x999"), (), Effort(1, 3))
    assert last is not None
    assert last.numeric == pytest.approx(0.999)
    assert check_element(run, number(run, "x998"), (), Effort(1, 9)) is None
    assert check_element(run, number(run, "x999"), (), Effort(1, 2)) is None
    assert checked(run, "x0").numeric == pytest.approx(0.999**1000, rel=1e-6)
    narrow = run_of("\n".join(lines), np.float32, x0=1.0, w=0.999)
    assert check_element(narrow, number(narrow, "x999"), (), Effort(1, 3)) is None


def test_forty_nodes_and_twenty_thousand_elements_are_quick() -> None:
    for count, is_quick in ((40, True), (41, False)):
        lines = [f"x{n + 1} = x{n} * 2" for n in range(count)]
        one = check_element(run_of("\n".join(lines), x0=1.0), 0, ())
        assert (one is not None) is is_quick
    # tanh takes n and makes n, and the sum takes n and makes 1.
    for size, is_quick in ((6_666, True), (6_667, False)):
        run = run_of("E = sum(tanh(x))", x=np.ones(size))
        assert (check_element(run, 0, (0,)) is not None) is is_quick


def test_what_leads_nowhere_takes_no_time() -> None:
    lines = [f"u{n} = x * {n}.5" for n in range(50)]
    run = run_of("\n".join([*lines, "E = x + 1"]), x=1.0)
    one = check_element(run, number(run, "x"), ())
    assert one is not None
    assert (one.verdict, one.analytic) == ("ok", 1)


def test_thirty_two_multiplications_take_the_time_of_an_element() -> None:
    """The product takes 4 · 8 and 8 · 2, makes 4 · 2 and multiplies 4 · 8 · 2 times."""
    run = run_of(
        "y = a @ b", seed=np.ones((4, 2)), a=np.ones((4, 8)), b=np.ones((8, 2))
    )
    elements = 32 + 16 + 8 + 64 // 32
    assert check_element(run, 0, (0, 0), Effort(1, elements)) is not None
    assert check_element(run, 0, (0, 0), Effort(1, elements - 1)) is None


def test_a_kink_is_looked_for_element_by_element() -> None:
    """A maximum of 5 takes 5, makes 1 and looks 5 times at 5."""
    run = run_of("E = max(x)", x=np.arange(5.0))
    assert check_element(run, 0, (0,), Effort(1, 5 + 1 + 25)) is not None
    assert check_element(run, 0, (0,), Effort(1, 5 + 25)) is None


def test_large_arrays_products_and_searches_for_kinks_take_too_long() -> None:
    x = np.linspace(0.1, 1.0, 256)
    for text in (
        "E = sum(outer(x, x))",
        "E = max(x)",
        "E = sum(einsum('i,j,k->k', x, x, x))",
    ):
        assert check_element(run_of(text, x=x), 0, (0,)) is None
    assert check_element(run_of("E = sum(tanh(x))", x=x), 0, (0,)) is not None


def test_only_what_depends_on_the_node_is_evaluated() -> None:
    run = run_of("a = exp(x)\nb = sin(y)\nE = sum(a * b)", x=[1.0, 2.0], y=[3.0, 4.0])
    with counted(run, "a") as calls:
        assert checked(run, "y", 0).verdict == "ok"
        assert checked(run, "a", 0).verdict == "ok"
        assert not calls
        assert checked(run, "x", 0).verdict == "ok"
        assert len(calls) == 2


# ------------------------------------------------------------------------- what is said


def test_explain_and_why_tell_it_when_the_sum_is_complete() -> None:
    debugger = session("gradstep = 1\nprogram = 'E = sum(a * a)'\n[inputs]\na = [3.0]")
    said(debugger, "goto E._1<-a#0@backward")
    assert not [
        line for line in said(debugger, "explain a.grad").text if "check" in line
    ]
    said(debugger, "goto end")
    for command in ("explain a.grad", "why a.grad"):
        reply = said(debugger, command)
        assert reply.text[1].startswith("  numeric check: 6 ✓ within ")
        assert reply.data["check"]["verdict"] == "ok"
        assert reply.data["check"]["numeric"] == pytest.approx(6.0)


def test_a_cut_edge_is_told() -> None:
    debugger = session("gradstep = 1\nprogram = 'E = 3 * a'\n[inputs]\na = 2.0")
    said(debugger, "goto end")
    said(debugger, "detach E<-a")
    reply = said(debugger, "why a.grad")
    assert reply.text[-1] == "  numeric check: 3 ✗ differs by 3"
    assert reply.data["check"]["verdict"] == "mismatch"


@pytest.mark.parametrize(
    ("one", "text"),
    [
        ({"numeric": 3.0, "difference": 0.0}, "3 ✓ exactly"),
        (
            {"numeric": 3.0, "difference": 2e-11, "noise": 3.4e-10},
            "3 ✓ within 4e-10",
        ),
        (
            {"numeric": 1e-12, "difference": 1e-12, "noise": 1e-10},
            "0 ✓ within 2e-10",
        ),
        (
            {"numeric": 3.0, "difference": 2.34e-6, "noise": 1e-9},
            "3 ✓ differs by 2e-6",
        ),
        (
            {"numeric": 0.5, "difference": 0.0, "rounding": 3.21e-5},
            "0.5 ✓ exactly, rounded by 3e-5",
        ),
        (
            {"verdict": "mismatch", "numeric": 3.0, "difference": 0.125},
            "3 ✗ differs by 0.125",
        ),
        (
            {"verdict": "kink", "numeric": 0.5},
            "0.5, at a kink or a step, where differences tell no slope",
        ),
        # Of large numbers, as a part of them: 4e171 of 2e180, and a bit more of 2e90.
        (
            {"numeric": 2e180, "analytic": 2e180, "difference": 4e171},
            "2e180 ✓ differs by 2e-9 of it",
        ),
        (
            {"numeric": 2e90, "analytic": 2e90, "difference": 0.0, "noise": 3.5e81},
            "2e90 ✓ within 2e-9 of it",
        ),
        # Of the least roundings there is no decade among the floats.
        (
            {"numeric": 0.0, "analytic": 0.0, "difference": 0.0, "noise": 5e-324},
            "0 ✓ within 2e-300",
        ),
        (
            {"numeric": 0.0, "analytic": 0.0, "difference": 0.0, "noise": 1.0},
            "0 ✓ within 2",
        ),
        (
            {"verdict": "drowned"},
            "rounding is larger than the gradient, so nothing can be compared",
        ),
        ({"verdict": "nonfinite"}, "not finite, so nothing can be compared"),
        ({"verdict": "skipped", "reason": "no path"}, "none, no path"),
    ],
)
def test_each_verdict_in_words(one: dict[str, Any], text: str) -> None:
    made = NodeCheck("gradient", 0, None, **{"verdict": "ok", **one})
    assert numeric_line(made) == f"numeric check: {text}"
