"""Every cause that `why` can name, each from a program that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.element import Element
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.gradients import explain_gradient
from gradstep.core.explain.rows import term_row
from gradstep.core.explain.why import since
from gradstep.core.explain.why.answer import CAUSES, Hop, Why
from gradstep.core.explain.why.rows import explained
from gradstep.core.explain.why.spread import breaks
from gradstep.core.explain.why.why import why
from gradstep.core.scenario.scenario import load
from gradstep.core.words.events import element_name
from runs import edge, number, run_of
from sessions import DEAD, TROUBLE, said, session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradstep.core.engine.run import Run

BIG = 1e200


def asked(run: Run, name: str, index: Any = (), position: int | None = None) -> Why:
    name, dot, quantity = name.partition(".")
    trace = Trace(run)
    place = len(trace) if position is None else position
    kind: Any = "grad" if dot and quantity == "grad" else "value"
    return why(trace, number(run, name), kind, index, place)


def names(run: Run, hops: Iterable[Hop]) -> list[str]:
    """Return places as they are typed."""
    nodes = run.graph.nodes
    return [element_name(nodes[hop.node], hop.index, hop.quantity) for hop in hops]


# What is asked of a program with leaves; the cause, and the way that leads there.
ANSWERS: list[tuple[str, dict[str, Any], str, str, list[str]]] = [
    *[
        ("E = sum(x * C)", {"x": [1.0], "C": [2.0]}, "C.grad", "constant", []),
        ("D = C + C\nE = x * D", {"x": 1.0, "C": 2.0}, "D.grad", "constant", []),
        ("E = sum(x * N)", {"x": [1.0], "N": [2]}, "N.grad", "integer", []),
    ],
    *[
        ("s = stop_gradient(x)\nE = s * y", {"x": 1.0, "y": 2.0}, asked, "stopped", way)
        for asked, way in (("x.grad", ["s.grad"]), ("s.grad", []))
    ],
    (
        *("c = x > y\nE = where(c, x, 0)", {"x": 1.0, "y": 0.0}),
        *("y.grad", "not differentiable", ["c.grad"]),
    ),
    ("z = x + 1\nE = y + 0", {"x": 1.0, "y": 2.0}, "x.grad", "no path", []),
    # Zeros.
    ("E = sum(relu(x))", {"x": [-1.0, 2.0]}, "x.grad[0]", "zero slope", []),
    *[
        # The zero comes through a local derivative of 2, of 1, of -1.
        (f"y = {y}\nE = relu(y)", {"x": x}, "x.grad", "zero slope", ["y.grad"])
        for y, x in (("2 * x", -1.0), ("x + 1", -2.0), ("-x", 1.0))
    ],
    # What arrives is 0, too, so that the reason lies further on.
    ("E = relu(x) * Z", {"x": -1.0, "Z": 0.0}, "x.grad", "zero slope", ["E._1.grad"]),
    ("E = sum(x - x)", {"x": [1.0]}, "x.grad[0]", "cancelled", []),
    ("E = x * c * c", {"x": 1.0, "c": 1e-200}, "x.grad", "underflow", []),
    (
        *("y = 2 * x\nE = y * c * c", {"x": 1.0, "c": 1e-200}),
        *("x.grad", "underflow", ["y.grad"]),
    ),
    ("E = x * 2", {"x": 1.0}, "x.grad", "nonzero", []),
    *[("E = x * 2", {"x": x}, "x", "nonzero", []) for x in (1.0, -1.0)],
    ("E = x * 2", {"x": 0.0}, "x", "given", []),
    ("E = x @ w", {"x": [1.0, -1.0], "w": [2.0, 2.0]}, "E", "cancelled", []),
    ("E = x @ w", {"x": [0.0, 1.0], "w": [2.0, 0.0]}, "E", "given", ["x[0]"]),
    ("E = relu(x)", {"x": -1.0}, "E", "shut", []),
    # NaN and Inf.
    (
        *("y = log(x)\nE = where(x > 0, y, 0)", {"x": 0.0}),
        *("x.grad", "zero times infinity", []),
    ),
    ("E = sum(sqrt(x))", {"x": [0.0]}, "x.grad[0]", "infinite slope", []),
    (
        # The slope is NaN, and not an infinity that a 0 could meet.
        *("y = sqrt(x)\nE = where(x > 0, y, 0)", {"x": -1.0}),
        *("x.grad", "NaN slope", []),
    ),
    *[
        # It comes through a slope of 2, of 1, of -1.
        (f"y = {y}\nE = sqrt(y)", {"x": x}, "x.grad", "infinite slope", ["y.grad"])
        for y, x in (("2 * x", 0.0), ("x + 1", -1.0), ("1 - x", 1.0))
    ],
    (
        *("y = x * Z\nE = sqrt(y)", {"x": 1.0, "Z": 0.0}),
        *("x.grad", "zero times infinity", []),
    ),
    ("E = x * c * c", {"x": 1.0, "c": BIG}, "x.grad", "overflow", []),
    ("y = x * 2\nE = sum(y)", {"x": [np.inf]}, "E", "given", ["y[0]", "x[0]"]),
    ("y = log(x)\nE = sum(y)", {"x": [-1.0]}, "E", "of a negative", ["y[0]"]),
    *[
        # A NaN before an infinity, and the first of its kind, term by term.
        ("E = a @ b", {"a": a, "b": b}, "E", "given", way)
        for a, b, way in (
            ([1.0, np.inf], [np.nan, 1.0], ["b[0]"]),
            ([np.inf, np.nan], [1.0, 1.0], ["a[1]"]),
            ([1.0, np.nan], [np.nan, np.nan], ["b[0]"]),
            ([np.inf, np.inf], [np.inf, 1.0], ["a[0]"]),
        )
    ],
    ("E = max(x)", {"x": [1.0, np.inf, np.inf]}, "E", "given", ["x[1]"]),
]


@pytest.mark.parametrize(("text", "leaves", "element", "cause", "way"), ANSWERS)
def test_each_cause_is_named_and_the_way_to_it(
    text: str, leaves: dict[str, Any], element: str, cause: str, way: list[str]
) -> None:
    run = run_of(text, **leaves)
    name, _, index = element.removesuffix("]").partition("[")
    found = asked(run, name, tuple(map(int, index)))
    assert found.cause == cause
    assert CAUSES[found.cause]
    _, *hops = names(run, found.hops)
    assert (hops, found.between) == (way, 0)


def test_a_cut_edge_and_a_written_number_are_named() -> None:
    run = run_of("y = x * 2\nE = sum(y)", x=[1.0])
    cut = run.patched(Patches(cuts=frozenset({edge(run, "y", "x")})))
    assert asked(cut, "x.grad", (0,)).cause == "cut"
    zero = run.patched(Patches(gradients={number(run, "y"): np.zeros(1)}))
    found = asked(zero, "x.grad", (0,))
    assert (found.cause, found.at.node) == ("written", number(run, "y"))


def test_a_number_beside_one_that_was_set_is_not_said_to_be_set() -> None:
    """The whole array stands in place of the other: which element it was is not known.

    Nor is the number another one where what is overwritten was 0.
    """
    debugger = session(
        """
gradstep = 1
program = "h = x * 1\\nE = sum(h * y) + sum(h * 0)"
inputs = { x = [0.0, 2.0], y = [3.0, 4.0] }
"""
    )
    said(debugger, "set x[1] = 5")
    told = said(debugger, "why x[0]").text[0]
    assert told == "x[0] = 0: it, or the array that it is in, was set in this run"
    told = said(debugger, "why h[0]").text[0]
    assert told == "h[0] = 0: it comes from what was set in this run"
    said(debugger, "undo")
    said(debugger, "patch h overwrite")
    told = said(debugger, "explain h.grad[0]").text
    assert not any("another number" in line for line in told)


@pytest.mark.parametrize("bad", [0.0, np.nan])
@pytest.mark.parametrize("name", ["x", "y"])
def test_a_value_that_was_set_is_named_as_the_cause(name: str, bad: float) -> None:
    """What is behind it does not count any more."""
    run = run_of("y = x * 2\nE = y + 0", x=bad)
    changed = run.patched(Patches(values={number(run, name): np.float64(bad)}))
    found = asked(changed, name)
    assert (found.cause, found.at.node) == ("written", number(run, name))
    if bad != 0:
        found = asked(changed, "E")
        assert (found.cause, found.at.node) == ("written", number(run, name))


def test_a_cut_edge_says_more_than_a_condition() -> None:
    run = run_of("y = where(x > 0, log(x), 0)\nE = sum(y)", x=[1.0])
    cut = run.patched(Patches(cuts=frozenset({edge(run, "y", "y._2")})))
    assert asked(cut, "x.grad", (0,)).cause == "cut"


def test_a_nan_is_followed_to_a_nan_and_not_to_an_infinity_beside_it() -> None:
    run = run_of("a = log(x)\nE = sum(y * a)", x=[0.0, 0.0], y=[1.0, 0.0])
    found = asked(run, "E")
    assert [hop.index for hop in found.hops] == [(), (1,)]


def test_not_yet_is_not_zero() -> None:
    run = run_of("y = x * x\nE = sum(y)", x=[1.0])
    assert asked(run, "x.grad", (0,), position=1).cause == "not yet"
    assert asked(run, "x.grad", (0,)).cause == "nonzero"


def test_a_zero_seed_is_named() -> None:
    run = run_of("y = x * 2", seed=np.array([0.0, 1.0]), x=[1.0, 2.0])
    assert asked(run, "x.grad", (0,)).cause == "zero seed"
    assert asked(run, "x.grad", (1,)).cause == "nonzero"


@pytest.mark.parametrize("seed", [np.inf, -np.inf, np.nan])
def test_a_seed_that_is_not_finite_was_given_so(seed: float) -> None:
    run = run_of("y = x * 2", seed=np.array([seed]), x=[1.0])
    found = asked(run, "x.grad", (0,))
    assert found.cause == "bad seed"
    assert not found.operands  # of a value, which the seed has nothing to do with
    assert names(run, found.hops) == ["x.grad[0]", "y.grad[0]"]
    nodes = run.graph.nodes
    spread = [(nodes[n].name, quantity, count) for n, quantity, count in found.spread]
    assert spread == [("y", "grad", 1), ("x", "grad", 1)]


@pytest.mark.parametrize("factor", [1.0, -1.0, 3.0])
def test_what_blocks_says_more_than_another_zero_that_arrives(factor: float) -> None:
    """The weight sends a 0 as well, whose reason lies further on."""
    run = run_of("h = relu(x)\ny = 2 * x\nE = F * h + Z * y", x=-1.0, F=factor, Z=0.0)
    found = asked(run, "x.grad")
    assert (found.cause, len(found.hops)) == ("zero slope", 1)
    assert found.term is not None
    assert (found.term.consumer, found.term.upstream) == (number(run, "h"), factor)


def test_of_several_reasons_the_first_to_arrive_is_told() -> None:
    run = run_of("g = relu(x)\nh = relu(x)\nE = g + h", x=-1.0)
    found = asked(run, "x.grad")
    assert found.term is not None
    assert found.term.consumer == number(run, "h")


def test_what_comes_later_is_no_reason_yet() -> None:
    """From relu arrives 0, and later -1 and 1: looking at the end changes nothing."""
    run = run_of("y = x - x\nh = relu(x)\nE = y + h", x=-1.0)
    trace = Trace(run)
    first = trace.arrivals(number(run, "x"))[0] + 1
    for position, cause in ((len(trace), "cancelled"), (first, "zero slope")) * 2:
        found = why(trace, number(run, "x"), "grad", (), position)
        assert found.cause == cause


LONG = 200


@pytest.mark.parametrize("order", [(0, 10, 100), (100, 10, 0), (135, 0, 136, 0)])
def test_of_a_long_way_the_beginning_and_the_end_are_told(order: list[int]) -> None:
    """64 places at most before the last one, whatever was asked before."""
    lines = [f"y{n} = y{n - 1} * 2" for n in range(1, LONG + 1)]
    trace = Trace(run_of("\n".join(lines), seed=0.0, y0=1.0))
    for start in order:
        node = number(trace.run, f"y{start}")
        found = why(trace, node, "grad", (), len(trace))
        assert found.cause == "zero seed"
        places = [f"y{n}.grad" for n in range(start, LONG + 1)]
        beginning, between = places[:-1][:64], places[64:-1]
        assert names(trace.run, found.hops) == [*beginning, places[-1]]
        assert found.between == len(between)


# Three values are computed, and the seed is the fourth event. Then come E to z, twice,
# z to y (7), y to w (8) and y to x (9).
EVENTS = "y = w * x\nz = log(y)\nE = z + z"


@pytest.mark.parametrize(
    ("name", "event"),
    [("z", 2), ("E", 2), ("y.grad", 7), ("w.grad", 7), ("x.grad", 9), ("x", None)],
)
def test_the_event_that_made_it_is_counted_from_one(
    name: str, event: int | None
) -> None:
    """A number that was given was made by none."""
    run = run_of(EVENTS, w=0.0, x=np.nan if name == "x" else 1.0)
    assert asked(run, name).event == event


def test_what_breaks_is_the_event_that_made_it_and_not_the_ones_after() -> None:
    """An infinity comes out of the logarithm, and the product hands it on."""
    trace = Trace(run_of(EVENTS, w=0.0, x=1.0))
    numbers = range(trace.seed_position + 1, len(trace))
    assert [n + 1 for n in numbers if breaks(trace, n)] == [7]


@pytest.mark.parametrize(
    ("text", "leaves", "operands"),
    [
        ("E = x + y", {"x": 1.7e308, "y": 1.7e308}, ["x", "y"]),
        ("E = x * x", {"x": BIG}, ["x"]),
        ("E = sum(x)", {"x": [1e308] * 10}, [f"x[{n}]" for n in range(8)]),
        ("E = max(x)", {"x": [-1.0] * 9 + [0.0]}, [f"x[{n}]" for n in range(8)]),
        # Of products those that overflow.
        ("E = x @ x", {"x": [1.0, BIG, BIG]}, ["x[1]"]),
        ("E = x @ w", {"x": [2.0, BIG], "w": [1.0, BIG]}, ["x[1]", "w[1]"]),
    ],
)
def test_the_operands_there_are_told_once_each_and_the_first_eight(
    text: str, leaves: dict[str, Any], operands: list[str]
) -> None:
    run = run_of(text, **leaves)
    assert names(run, asked(run, "E").operands) == operands


def test_the_operands_are_those_of_the_place_of_the_cause() -> None:
    run = run_of("y = log(x)\nz = y + w\nE = z * 2", x=-1.0, w=1.0)
    assert names(run, asked(run, "E").operands) == ["x"]
    assert names(run, asked(run, "x").operands) == []


def test_a_zero_has_nothing_to_do_with_what_is_not_finite_elsewhere() -> None:
    run = run_of("y = log(x)\nE = y + Z * w", x=0.0, w=1.0, Z=0.0)
    assert (asked(run, "w.grad").cause, asked(run, "w.grad").spread) == (
        "zero slope",
        (),
    )
    assert asked(run, "w.grad").forward is None
    assert len(asked(run, "x.grad").spread) == 3


# A program with a branch in which the derivative of log is infinite; whether the last
# line did not take it.
BRANCHES: list[tuple[str, dict[str, Any], bool]] = [
    ("y = log(x)\nE = sum(where(C, y, 1))", {"C": [False, True]}, True),
    ("y = log(x)\nE = sum(where(C, 0, y))", {"C": [True, False]}, True),
    ("y = log(x)\nE = sum(where(C, y, 0))", {"C": [True, False]}, False),
    ("y = log(x)\nE = sum(where(C, 1, y))", {"C": [False, True]}, False),
    # The place in y is another one by then.
    ("y = flip(log(x))\nE = sum(where(C, y, 0))", {"C": [False, True]}, False),
    # The branch is a condition, too, and was taken.
    ("y = log(x)\nE = sum(where(y < 0, y, 0))", {}, False),
    # A product with 0 is no choice.
    ("y = log(x)\nE = sum(C * y)", {"C": [0.0, 0.0]}, False),
]


@pytest.mark.parametrize(("text", "leaves", "is_named"), BRANCHES)
def test_a_branch_is_named_where_it_was_not_taken(
    text: str, leaves: dict[str, Any], *, is_named: bool
) -> None:
    run = run_of(text, x=[0.0, 2.0], **leaves)
    found = asked(run, "x.grad", (0,))
    assert not np.isfinite(found.hops[0].number or 0)
    choosing = [node.index for node in run.graph if node.op and node.op.chooses]
    assert found.untaken == (choosing[0] if is_named else None)


def test_a_branch_that_is_repeated_belongs_to_no_single_choice() -> None:
    run = run_of("E = sum(where(C, log(x), 0))", x=0.0, C=[False, True])
    found = asked(run, "x.grad")
    assert (found.cause, found.untaken) == ("infinite slope", None)


def test_a_zero_is_followed_to_the_slope_that_blocks_it() -> None:
    run = run_of(
        "z = x @ w\nh = relu(z)\ny = h * 3\nE = sum(y)",
        x=[[1.0, 2.0]],
        w=[[1.0, -1.0], [1.0, -1.0]],
    )
    found = asked(run, "w.grad", (0, 1))
    assert found.cause == "zero slope"
    assert found.term is not None
    assert found.term.consumer == number(run, "h")
    assert found.term.index == (0, 1)


def test_a_nan_is_followed_to_the_product_and_the_branch() -> None:
    debugger = session(TROUBLE)
    said(debugger, "catch nan")
    reply = said(debugger, "continue")
    assert reply.stop is not None
    assert reply.stop.where == "y._2<-x"
    assert reply.stop.index == (1,)
    found = said(debugger, "why").show
    run = debugger.trace.run
    assert found.cause == "zero times infinity"
    assert found.untaken == run.graph.node("y").index
    assert found.forward.node == run.graph.node("y._2").index
    names = {run.graph.nodes[n].name: count for n, _, count in found.spread}
    assert names == {"y._2": 1, "x": 1}


def test_a_nan_that_spreads_leads_back_to_the_same_place() -> None:
    run = run_of(
        "x = w * C\ny = where(x > 0, log(x), 0)\nE = sum(y)", w=0.5, C=[1.0, 0.0, 3.0]
    )
    for name, index in (("w.grad", ()), ("x.grad", (1,))):
        found = asked(run, name, index)
        assert found.cause == "zero times infinity"
        assert found.term is not None
        assert found.term.consumer == number(run, "y._2")


def test_sums_that_overflow_are_no_writing() -> None:
    run = run_of("E = sum(x * c) + sum(x * c)", np.float16, x=[1.0], c=[6e4])
    found = asked(run, "x.grad", (0,))
    assert found.cause == "overflow"


def test_float16_products_that_vanish_are_underflow() -> None:
    run = run_of("E = sum(x * c * c)", np.float16, x=[1.0], c=[1e-5])
    assert asked(run, "x.grad", (0,)).cause == "underflow"


def test_none_and_zero_never_look_alike() -> None:
    debugger = session(TROUBLE)
    said(debugger, "goto end")
    none = said(debugger, "why loose.grad").text[0]
    zero = said(debugger, "why w.grad[1]").text[0]
    assert none.startswith("loose.grad has no gradient")
    assert zero.startswith("w.grad[1] = 0")
    assert "no gradient" in said(debugger, "explain loose.grad").text[0]


def test_every_why_of_every_element_is_answered() -> None:
    debugger = session(TROUBLE)
    for place in ("0%", "50%", "end"):
        said(debugger, f"goto {place}")
        for node in debugger.graph:
            if not node.name.isidentifier():
                continue
            lines = [f"{word} {node.name}" for word in ("why", "explain", "uses")]
            lines += [f"{word} {node.name}.grad" for word in ("why", "explain")]
            for line in lines:
                reply = debugger.execute(line)
                # It is about this node; only what is not computed yet has no answer.
                told = reply.error or "\n".join(reply.text)
                assert node.name in told, line
                assert reply.ok or "is not computed yet" in told, line
            *_, total = said(debugger, f"paths {node.name}").text
            assert " = the sum of " in total, node.name


def test_without_an_element_it_is_the_one_that_was_caught() -> None:
    debugger = session(TROUBLE)
    said(debugger, "catch zero")
    said(debugger, "continue")
    assert debugger.memory.stopped is not None
    index = debugger.memory.stopped.index
    assert index is not None
    caught = str(list(index))
    largest = said(debugger, f"explain {debugger.memory.stopped.where}").data["element"]
    for command in ("why", "explain", "why"):
        element = said(debugger, command).data["element"]
        assert element.endswith(caught)
        assert element != largest
    said(debugger, "goto end")
    assert debugger.memory.stopped is None


def test_without_an_element_it_is_the_one_that_is_watched() -> None:
    debugger = session(TROUBLE)
    said(debugger, "watch u.grad[0]")
    said(debugger, "continue")
    assert said(debugger, "explain").data["element"] == "u.grad[0]"
    assert said(debugger, "explain u.grad").data["element"] == "u.grad[2]"
    said(debugger, "commands 1 explain")
    said(debugger, "goto start")
    assert "u.grad[0] = 1" in said(debugger, "continue").text


def test_why_of_an_ordinary_number_opens_its_terms() -> None:
    debugger = session(TROUBLE)
    said(debugger, "goto end")
    for element in ("w.grad[0]", "cold[0]"):
        first, *terms = said(debugger, f"why {element}").text
        assert f"{first} ".startswith(f"{element} = 1 ")
        assert terms == list(said(debugger, f"explain {element}").text[1:])
        assert terms


@pytest.mark.parametrize(("steps", "is_named"), [(1, True), (7, True), (8, False)])
def test_a_branch_is_looked_for_over_eight_elementwise_steps(
    steps: int, *, is_named: bool
) -> None:
    """The last of them is the `where` itself."""
    lines = ["y0 = log(x)", *(f"y{n} = y{n - 1} * 2" for n in range(1, steps + 1))]
    lines += [f"chosen = where(x > 0, y{steps}, 0)", "E = sum(chosen)"]
    run = run_of("\n".join(lines), x=[0.0, 2.0])
    found = asked(run, "x.grad", (0,))
    assert found.cause == "zero times infinity"
    assert found.untaken == (number(run, "chosen") if is_named else None)


def test_uses_of_whole_numbers_say_that_they_have_no_derivative() -> None:
    debugger = Debugger(load("two_layer_net"))
    for line in ("uses y", "uses y[3]"):
        reply = said(debugger, line)
        assert reply.data[0]["edge"] == "L<-y"
        assert reply.data[0]["local derivative"] is None
        assert "no derivative" in reply.text[0]


def test_what_lost_in_a_maximum_is_told_where() -> None:
    debugger = Debugger(load("conv"))
    said(debugger, "goto end")
    reply = said(debugger, "why p.h.grad[0, 0, 0, 0]")
    assert reply.data["cause"] == "zero slope"
    assert any(line.startswith("  blocked at p:") for line in reply.text)


# ------------------------------------------------------------- where a NaN is born

INF, NAN = np.inf, np.nan
MASKED = [[0.0, -INF], [-INF, -INF]]

# A value that is NaN, the operation that made it, and the cause behind the operand
# that is to blame: all that comes of it by the rules of IEEE 754.
BORN: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("y = x - x", {"x": INF}, "y", "opposite infinities", "given"),
    ("y = x / x", {"x": INF}, "y", "infinity over infinity", "given"),
    ("y = 0 * x", {"x": INF}, "y", "zero times infinity", "given"),
    ("y = x / z", {"x": 0.0, "z": 0.0}, "y", "zero over zero", "given"),
    ("y = softmax(x)", {"x": [-INF, -INF]}, "y[0]", "masked row", "given"),
    ("y = log_softmax(x)", {"x": [-INF, -INF]}, "y[1]", "masked row", "given"),
    ("y = softmax(x)", {"x": [0.0, INF]}, "y[0]", "infinite row", "given"),
    ("y = cross_entropy(x, T)", {"x": MASKED, "T": [0, 1]}, "y", "masked row", "given"),
    (
        "y = z @ x",
        {"x": [1.0, INF], "z": [1.0, 0.0]},
        "y",
        "zero times infinity",
        "given",
    ),
    (
        *("y = z @ x", {"x": [INF, INF], "z": [1.0, -1.0]}),
        *("y", "opposite infinities", "given"),
    ),
    ("y = max(x) - x", {"x": [1.0, INF]}, "y[1]", "opposite infinities", "given"),
    ("y = x - mean(x)", {"x": [1.0, INF]}, "y[1]", "opposite infinities", "given"),
    ("y = cumsum(x) - x", {"x": [1.0, INF]}, "y[1]", "opposite infinities", "given"),
    ("y = var(x)", {"x": [1.0, INF]}, "y", "infinite deviation", "given"),
    ("y = log(x)", {"x": -1.0}, "y", "of a negative", ""),
    ("y = sqrt(x)", {"x": -1.0}, "y", "of a negative", ""),
    ("y = x ** 0.5", {"x": -2.0}, "y", "of a negative", ""),
    ("y = sin(x)", {"x": INF}, "y", "periodic", "given"),
    ("y = prod(x)", {"x": [BIG] * 40 + [0.0]}, "y", "overflow meets zero", ""),
    (
        *("y = prod(x)", {"x": [1e-200] * 40 + [INF]}),
        *("y", "underflow meets infinity", "given"),
    ),
    ("y = prod(x)", {"x": [0.0, 2.0, INF]}, "y", "zero times infinity", "given"),
    # As many that no processor adds all to one sum, where a first infinity would stay.
    (
        *("y = x @ z", {"x": [BIG] * 64, "z": [BIG, -BIG] * 32}),
        *("y", "overflow both ways", ""),
    ),
    # What is infinite was made, too: by an overflow, or out of a 0.
    ("h = exp(x)\ny = h - h", {"x": 800.0}, "y", "opposite infinities", "overflow"),
    ("h = 1 / x\ny = 0 * h", {"x": 0.0}, "y", "zero times infinity", "pole"),
]


@pytest.mark.parametrize(("text", "leaves", "element", "cause", "behind"), BORN)
def test_a_nan_is_born_where_its_operands_hold_none(
    text: str, leaves: dict[str, Any], element: str, cause: str, behind: str
) -> None:
    run = run_of(f"{text}\nE = sum(y)", **leaves)
    name, _, index = element.removesuffix("]").partition("[")
    for asked_of in (element, "E"):  # and what comes of it leads there
        place = tuple(map(int, index)) if asked_of == element else ()
        found = asked(run, name if asked_of == element else "E", place)
        assert found.cause == cause
        assert run.graph.nodes[found.at.node].name in ("y", "E")
        assert not any(np.isnan(hop.number or 0.0) for hop in found.operands)
        assert (found.behind.cause if found.behind else "") == behind


def test_an_infinity_is_followed_to_what_made_it() -> None:
    """To the 0, too, that a logarithm was taken of, and to what that came of."""
    run = run_of("p = softmax(x)\nE = 0 * log(p[0])", x=[-800.0, 0.0])
    found = asked(run, "E")
    assert found.cause == "zero times infinity"
    pole = found.behind
    assert pole is not None
    assert (pole.cause, pole.hops[0].number) == ("pole", -INF)
    zero = pole.behind
    assert zero is not None
    assert (zero.cause, names(run, zero.hops)) == ("underflow", ["E._1", "p[0]"])


def test_a_nan_far_back_in_a_long_sum_was_given() -> None:
    x = np.ones(20_000)
    x[15_000] = NAN
    for text in ("E = sum(x)", "E = x @ ONES", "E = mean(x * 1)"):
        found = asked(run_of(text, x=x, ONES=np.ones(20_000)), "E")
        assert (found.cause, found.at.index) == ("given", (15_000,))


def test_what_a_where_did_not_take_is_not_to_blame() -> None:
    run = run_of("E = where(C, a, b)", C=False, a=NAN, b=INF)
    found = asked(run, "E")
    assert names(run, found.hops) == ["E", "b"]


def test_a_logit_that_is_masked_is_not_to_blame_for_an_infinite_loss() -> None:
    run = run_of("E = cross_entropy(x, T)", x=[[0.0, -INF], [-INF, 0.0]], T=[0, 0])
    assert names(run, asked(run, "E").hops) == ["E", "x[1, 0]"]


# ------------------------------------------------------------- a 0 of the forward pass

ZEROS: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("y = x * x", {"x": 1e-200}, "underflow", []),
    ("y = exp(x)", {"x": -800.0}, "underflow", []),
    ("y = softmax(x)[0]", {"x": [-800.0, 0.0]}, "underflow", ["y._1[0]"]),
    ("y = x - z", {"x": 2.5, "z": 2.5}, "cancelled", []),
    ("y = sum(x)", {"x": [1.0, -3.0, 2.0]}, "cancelled", []),
    ("y = sum(x)", {"x": [1e16, 1.0, -1e16]}, "rounded", []),
    ("y = x - x", {"x": 0.0}, "of itself", []),
    ("y = x * z", {"x": 2.0, "z": 0.0}, "given", ["z"]),
    ("y = x * 0", {"x": 2.0}, "zero operand", []),
    ("y = x * z * 3", {"x": 2.0, "z": 0.0}, "given", ["y._1", "z"]),
    ("y = relu(x)", {"x": -2.0}, "shut", []),
    ("y = relu(x)", {"x": 0.0}, "given", ["x"]),
    ("y = relu(x) * 2 + 0", {"x": -2.0}, "shut", ["y._2", "y._1"]),
    ("y = clip(x, 0, 1)", {"x": -2.0}, "shut", []),
    ("y = where(x > 0, x, z)", {"x": -2.0, "z": 0.0}, "chosen", []),
    ("y = maximum(x, z)", {"x": -2.0, "z": 0.0}, "chosen", []),
    ("y = max(x)", {"x": [-2.0, 0.0]}, "chosen", []),
    ("y = max(x)", {"x": [0.0, 0.0]}, "given", ["x[0]"]),
    ("y = x / z", {"x": 1.0, "z": INF}, "over infinity", []),
    ("y = x / z", {"x": 0.0, "z": 3.0}, "given", ["x"]),
    ("y = exp(x)", {"x": -INF}, "limit", []),
    ("y = log(x)", {"x": 1.0}, "root", []),
    ("y = sum(x > 1)", {"x": [0.0]}, "false", ["y._1[0]"]),
    ("y = var(x)", {"x": [2.0, 2.0]}, "all equal", []),
    ("y = pad(x, 1)[0]", {"x": [2.0]}, "border", ["y._1[0]"]),
    ("y = dropout(x, p=0.999999)", {"x": 2.0}, "dropped", []),
    ("y = prod(x)", {"x": [1e-200] * 40 + [BIG] * 40}, "underflow on the way", []),
    ("y = log_softmax(x)[0]", {"x": [3.0]}, "alone", ["y._1[0]"]),
    ("y = log_softmax(x)[0]", {"x": [40.0, 0.0]}, "certain", ["y._1[0]"]),
]


@pytest.mark.parametrize(("text", "leaves", "cause", "way"), ZEROS)
def test_a_zero_has_a_reason_in_the_forward_pass(
    text: str, leaves: dict[str, Any], cause: str, way: list[str]
) -> None:
    run = run_of(f"{text}\nE = y + 1", **leaves)
    found = asked(run, "y")
    assert found.cause == cause
    assert CAUSES[cause]
    assert names(run, found.hops[1:]) == way


# NumPy says with how many zeros less a result is still 0: with none in a sum.
TOGETHER: list[tuple[str, list[float], str]] = [
    ("sum(x)", [0.0, 0.0, 0.0], ", and all 3 terms of y are 0"),
    ("mean(x)", [0.0, 0.0, 0.0], ", and all 3 terms of y are 0"),
    ("norm(x)", [0.0, 0.0, 0.0], ", and all 3 terms of y are 0"),
    ("x @ ones((2,))", [0.0, 0.0], ", and both terms of y are 0"),
    ("x[0] + x[1]", [0.0, 0.0], ", and both terms of y are 0"),
    ("prod(x)", [0.0, 0.0, 0.0], ""),
    ("max(x)", [0.0, 0.0], ""),
    ("sum(x)", [0.0], ""),
    ("x[0] * x[1]", [0.0, 0.0], ""),
]


@pytest.mark.parametrize(("text", "x", "told"), TOGETHER)
def test_a_sum_is_zero_by_all_of_its_terms(
    text: str, x: list[float], told: str
) -> None:
    program = f"'''\ny = {text}\nE = y + 1\n'''"
    debugger = session(f"gradstep = 1\nprogram = {program}\n[inputs]\nx = {x}")
    said(debugger, "goto end")
    (first, *_) = (line for line in said(debugger, "why y").text if "from" in line)
    assert told in first if told else "terms" not in first


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_what_is_too_small_for_a_narrow_type_is_an_underflow(dtype: Any) -> None:
    run = run_of("y = x * x\nE = y + 1", dtype, x=np.finfo(dtype).tiny)
    assert asked(run, "y").cause == "underflow"


# ---------------------------------------------------------------------- a slope of 0

# Of x.grad, or of an element of it: what the operation says of the slope.
SLOPES: list[tuple[str, dict[str, Any], str, str]] = [
    ("E = sum(softmax(x, axis=1))", {"x": [[1.0], [2.0]]}, "x.grad[0, 0]", "alone"),
    ("E = max(x)", {"x": [1.0, 2.0]}, "x.grad[0]", "lost"),
    ("E = sum(maximum(x, 2))", {"x": [1.0, 3.0]}, "x.grad[0]", "lost"),
    ("E = where(C, x, 1)", {"x": 1.0, "C": False}, "x.grad", "lost"),
    (
        "E = sum(max_pool2d(x, 2))",
        {"x": [[1.0, 2.0], [3.0, 4.0]]},
        "x.grad[0, 0]",
        "lost",
    ),
    ("E = relu(x)", {"x": -1.0}, "x.grad", "shut"),
    ("E = relu(x)", {"x": 0.0}, "x.grad", "corner"),
    ("E = clip(x, 0, 1)", {"x": 2.0}, "x.grad", "shut"),
    ("E = abs(x)", {"x": 0.0}, "x.grad", "corner"),
    ("E = tanh(x)", {"x": 30.0}, "x.grad", "saturated"),
    ("E = sigmoid(x)", {"x": 50.0}, "x.grad", "saturated"),
    ("E = exp(x)", {"x": -800.0}, "x.grad", "saturated"),
    ("E = softmax(x)[0]", {"x": [800.0, 0.0]}, "x.grad[0]", "saturated"),
    ("E = logsumexp(x)", {"x": [-800.0, 0.0]}, "x.grad[0]", "outweighed"),
    ("E = x ** 2", {"x": 0.0}, "x.grad", "vertex"),
    ("E = cos(x)", {"x": 0.0}, "x.grad", "vertex"),
    ("E = x ** 0", {"x": 3.0}, "x.grad", "zero exponent"),
    ("E = x * z", {"x": 3.0, "z": 0.0}, "x.grad", "zero factor"),
    ("E = x @ z", {"x": [3.0, 1.0], "z": [0.0, 1.0]}, "x.grad[0]", "zero factor"),
    ("E = prod(x)", {"x": [3.0, 0.0, 2.0]}, "x.grad[0]", "zero factor"),
    ("E = sign(x)", {"x": 3.0}, "x.grad", "step"),
    ("E = dropout(x, p=0.999999)", {"x": 3.0}, "x.grad", "dropped"),
    ("E = std(x)", {"x": [3.0, 3.0]}, "x.grad[0]", "all equal"),
    ("E = var(x)", {"x": [1.0, 2.0, 3.0]}, "x.grad[1]", "at the mean"),
    ("E = cross_entropy(x, 0, axis=0)", {"x": [800.0, 0.0]}, "x.grad[0]", "certain"),
    ("E = x / z", {"x": 3.0, "z": INF}, "x.grad", "over infinity"),
]


@pytest.mark.parametrize(("text", "leaves", "element", "slope"), SLOPES)
def test_a_slope_of_zero_is_explained(
    text: str, leaves: dict[str, Any], element: str, slope: str
) -> None:
    run = run_of(text, **leaves)
    name, _, index = element.removesuffix("]").partition("[")
    found = asked(run, name, tuple(map(int, index.split(", "))) if index else ())
    assert (found.cause, found.slope) == ("zero slope", slope)
    assert CAUSES[slope]


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("E = sum(embedding(T, x))", (1, 0)),
        ("E = sum(x[[0, 2]])", (1, 1)),
        ("E = sum(x[0])", (2, 0)),
        ("E = sum(take(x, T, axis=0))", (1, 1)),
        ("E = sum(einsum('ii->i', x[:2]))", (0, 1)),
    ],
)
def test_a_row_that_is_never_looked_up_is_not_used(
    text: str, index: tuple[int, ...]
) -> None:
    run = run_of(text, x=np.ones((3, 2)), T=[0, 2, 0])
    found = asked(run, "x.grad", index)
    assert (found.cause, found.term) == ("unused", None)
    assert "uses this element" in found.because


def test_the_factor_that_is_zero_has_its_own_reason() -> None:
    run = run_of("h = relu(z)\nE = x * h", x=3.0, z=-1.0)
    found = asked(run, "x.grad")
    assert (found.cause, found.slope) == ("zero slope", "zero factor")
    assert found.behind is not None
    assert (found.behind.cause, found.behind.at.node) == ("shut", number(run, "h"))


# --------------------------------------------------- NaN and infinities on the way back

BACK: list[tuple[str, dict[str, Any], str, str, str]] = [
    # 0 × NaN is no 0 · ∞.
    (
        *(
            "p = softmax(x)\nE = sum(where(C, 1, p))",
            {"x": [-INF, -INF], "C": [True] * 2},
        ),
        *("x.grad[0]", "NaN slope", "masked row"),
    ),
    ("E = sqrt(x)", {"x": 0.0}, "x.grad", "infinite slope", "given"),
    (
        "h = x * Z\nE = sqrt(h)",
        {"x": 1.0, "Z": 0.0},
        "x.grad",
        "zero times infinity",
        "",
    ),
    ("E = x / z", {"x": 3.0, "z": 0.0}, "z.grad", "infinite slope", "given"),
    (
        *("E = sum(sqrt(x) - 2 * sqrt(x))", {"x": [0.0]}),
        *("x.grad[0]", "opposite infinities", "given"),
    ),
]


@pytest.mark.parametrize(("text", "leaves", "element", "cause", "behind"), BACK)
def test_what_breaks_a_gradient_is_named_with_its_own_reason(
    text: str, leaves: dict[str, Any], element: str, cause: str, behind: str
) -> None:
    run = run_of(text, **leaves)
    name, _, index = element.removesuffix("]").partition("[")
    found = asked(run, name, tuple(map(int, index)))
    assert found.cause == cause
    if behind:
        assert found.behind is not None
        assert found.behind.cause == behind


def test_an_output_that_is_not_used_is_told_to_spread_its_nan() -> None:
    """The loss leaves the second row out; 0 times NaN is NaN all the same."""
    run = run_of("p = softmax(x)\nE = sum(p[0])", x=MASKED)
    found = asked(run, "x.grad", (1, 0))
    assert (found.cause, found.unused) == ("NaN slope", True)
    assert np.isfinite(float(run.value(run.graph.output)))


def test_nothing_is_called_blocked_where_something_arrives() -> None:
    """Two finite terms add up to an infinity: none of them is the cause by itself."""
    run = run_of("E = 1e308 * x + 1e308 * x", x=1.0)
    trace, x = Trace(run), number(run, "x")
    assert asked(run, "x.grad").cause == "overflow"
    rows = [*explained(trace, Element(x, "grad", ()), len(trace), 8)]
    assert not any("blocked" in row.text() for row in rows)


def test_terms_of_a_patched_rule_are_called_those_of_its_own() -> None:
    debugger = session(
        "gradstep = 1\nprogram = 'E = sum(x)'\n[parameters]\nx = [1.0, 2.0]\n"
    )
    said(debugger, "patch E<-x mean")
    said(debugger, "goto end")
    lines = said(debugger, "explain x.grad[0]").text
    at = next(n for n, line in enumerate(lines) if "adds" in line)
    # The rule of a sum sends 1 to each, and that of a mean a half.
    assert (
        lines[at].strip()
        == "its use in E (E<-x) adds 0.5, by a patched rule; its own has:"
    )
    assert lines[at + 1].strip().startswith("1 = 1 × 1")


# ------------------------------------------------------------------- zeros behind zeros


def test_a_zero_leads_on_to_the_layer_that_is_off_as_a_whole() -> None:
    """The first update, minus rate times gradient, drives the second layer below 0.

    By hand: h1 is [[2, 2.5], [2.5, 2]], each W2 gets minus 4.5 and each b2 minus 2, so
    that h2 is relu of less than 0 from then on. The first layer is on, or its elements
    have a slope of 0 as well: it is not to blame.
    """
    debugger = session(DEAD)
    said(debugger, "goto 0:end")
    assert said(debugger, "why W1.grad[0, 0]").data["cause"] == "nonzero"
    for iteration in (1, 3):
        said(debugger, f"goto {iteration}:end")
        reply = said(debugger, "why W1.grad[0, 0]")
        assert reply.data["cause"] == "zero slope"
        assert reply.data["hops"][-1]["element"].startswith("h2._2.grad")
        assert reply.data["off"] == {"node": "h2", "elements": 4, "of": 4, "since": 1}
        text = "all 4 elements of h2 let nothing through to h2._2, since iteration 1"
        assert any(text in line for line in reply.text)


def test_how_far_back_it_is_looked_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(since, "_MOST_BACK", 1)
    debugger = session(DEAD)
    said(debugger, "goto 3:end")
    text = said(debugger, "why W1.grad[0, 0]").text
    assert any("at least since iteration 2" in line for line in text)


# -------------------------------------------------- what a rule makes of odd numbers


def test_a_gate_that_is_shut_lets_no_nan_through() -> None:
    """Its rule chooses a 0, and multiplies NaN by none: the terms add up to the sum."""
    run = run_of("h = relu(x)\nE = h * Z", x=-1.0, Z=NAN)
    found = asked(run, "x.grad")
    assert (found.cause, found.slope) == ("zero slope", "shut")
    assert found.term is not None
    assert (found.term.product, found.term.local) == (0, 0)
    row = term_row(found.term, "h.grad · ∂h/∂x")
    assert row.text() == "0 = nan × 0   h.grad · ∂h/∂x, as its rule has it"


def test_a_quotient_is_in_range_where_its_slope_is_not() -> None:
    """1 / 1e-45 is infinite in float32, and 0 / 1e-45 is 0."""
    run = run_of("E = x / z", np.float32, seed=np.float32(0), x=1.0, z=1e-45)
    assert asked(run, "x.grad").cause == "zero seed"


def test_a_weight_of_zero_meets_an_infinity_that_arrives() -> None:
    image, kernel = np.ones((1, 1, 2, 2)), np.zeros((1, 1, 1, 1))
    run = run_of("y = conv2d(x, W)\nE = sum(y * S)", x=image, W=kernel, S=INF)
    found = asked(run, "x.grad", (0, 0, 0, 0))
    assert found.cause == "zero times infinity"
    assert found.term is not None
    assert (found.term.upstream, found.term.local) == (INF, 0)


def test_a_class_without_a_chance_leaves_the_slopes_of_the_others_alone() -> None:
    """−log softmax is infinite there, and the one by another target is not."""
    run = run_of("E = cross_entropy(x, t, axis=0)", x=[0.0, -INF], t=[0.5, 0.5])
    trace = Trace(run)
    found = explain_gradient(trace, number(run, "t"), (0,), len(trace))
    assert [term.local for term in found.terms()] == []  # its own is 0: it is certain
    assert asked(run, "t.grad", (0,)).slope == "certain"


def test_a_sum_of_infinities_leads_on_to_where_they_come_from() -> None:
    """The rule of softmax, y (g − Σ g y), takes ∞ from ∞ where one ∞ arrives."""
    run = run_of("p = softmax(x)\nE = sum(p * log(Z))", x=[1.0, 2.0], Z=[INF, 1.0])
    found = asked(run, "x.grad", (0,))
    assert found.cause == "infinite terms"
    sent = found.behind
    assert sent is not None
    assert names(run, sent.hops)[0] == "p.grad[0]"
    assert sent.behind is not None
    assert sent.behind.at.node == number(run, "Z")


def test_a_term_that_rounding_loses_has_not_cancelled() -> None:
    """1 − y of the larger one is 4e-18 by hand, and 0 beside 1 in float64.

    With it the gradient is 0 exactly, so that nobody may say that it is not.
    """
    run = run_of("E = sum(softmax(x) * S)", x=[0.0, 40.0], S=[1.0, 1.0])
    found = asked(run, "x.grad", (1,))
    assert (found.hops[0].number, found.cause) == (0, "rounded off")
    assert "exactly" not in found.because
    assert found.explanation is not None
    products = [term.product for term in found.explanation.terms() if term.product]
    np.testing.assert_allclose(products, [-np.exp(-40.0)], 1e-12)


def test_a_term_that_rounding_loses_is_shown() -> None:
    debugger = session(
        """
gradstep = 1
program = "E = sum(softmax(x))"
inputs = { x = [0.0, 40.0] }
"""
    )
    said(debugger, "goto end")
    told = said(debugger, "why x.grad[1]").text
    assert told[0].endswith(
        "rounding on the way leaves nothing of terms that are not 0"
    )
    assert any("-4.24835e-18 = 1 × (-4.24835e-18)" in line for line in told)


@pytest.mark.parametrize(
    ("rows", "cause", "to_blame"),
    [
        ([[-INF, 0.0], [-INF, -INF]], "masked row", (1, 0)),
        ([[-INF, 0.0], [-INF, -INF], [-INF, -INF]], "masked row", (1, 0)),
        ([[-INF, 0.0], [INF, -INF]], "infinite row", (1, 0)),
    ],
)
def test_a_row_is_to_blame_that_makes_a_loss_nan(
    rows: list[list[float]], cause: str, to_blame: tuple[int, int]
) -> None:
    """The loss of the first sample is infinite, or finite, and never NaN."""
    run = run_of("L = cross_entropy(x, N)", x=rows, N=[1] * len(rows))
    found = asked(run, "L")
    assert found.cause == cause
    assert found.behind is not None
    assert (found.behind.at.index, found.behind.cause) == (to_blame, "given")


# The sum of the last column is the exact one: 1e308 + 1e308 − 1e308 = 1e308, say.
ENDS_OF_SUMS: list[tuple[str, dict[str, Any], str, str]] = [
    ("E = sum(x)", {"x": [1e308, 1e308, -1e308]}, "E", "overflow on the way"),
    ("E = sum(x)", {"x": [1e308, 1e308, -1e307]}, "E", "overflow"),
    ("E = a + b", {"a": 1e308, "b": 1e308}, "E", "overflow"),
    *[
        (
            "E = x * a + x * b - x * c",
            {"x": 0.0, "a": -a, "b": 1e308, "c": -1e308},
            *("x.grad", cause),
        )
        for a, cause in ((1e308, "overflow on the way"), (-1e308, "overflow"))
    ],
]


@pytest.mark.parametrize(("text", "leaves", "name", "cause"), ENDS_OF_SUMS)
def test_a_sum_overflows_as_a_whole_or_on_the_way(
    text: str, leaves: dict[str, Any], name: str, cause: str
) -> None:
    run = run_of(text, **leaves)
    assert asked(run, name).cause == cause


# ------------------------------------------------------- which of several is to blame


def test_a_product_of_an_infinity_is_infinite_however_small_the_others() -> None:
    # 1e-300 · 1e-300 · ∞ would be 0 · ∞.
    run = run_of("y = prod(x)\nE = y", x=[INF, 1e-300, 1e-300])
    found = asked(run, "y")
    assert (found.cause, names(run, found.hops)) == ("given", ["y", "x[0]"])


@pytest.mark.parametrize(
    ("numbers", "cause"),
    [
        # 10^500; and 1 by way of 10^8000, which no type of a machine has.
        ([1e200, 1e200, 1e100], "overflow"),
        ([1e200] * 40 + [1e-200] * 40, "overflow on the way"),
    ],
)
def test_a_product_that_fits_overflows_on_the_way(
    numbers: list[float], cause: str
) -> None:
    run = run_of("y = prod(x)\nE = y", x=numbers)
    assert asked(run, "y").hops[0].number == INF
    assert asked(run, "y").cause == cause


def test_a_probability_of_0_is_that_of_its_own_logit() -> None:
    # Without the other -inf it is 0 all the same, and without its own it is not.
    x = [1.0, -INF, -INF]
    with_own = np.exp([1.0, 1.0, -INF])[2]
    assert with_own == 0
    run = run_of("p = softmax(x)\nE = sum(p)", x=x)
    for place in (1, 2):
        found = asked(run, "p", (place,))
        assert found.behind is not None
        assert names(run, found.behind.hops) == [f"x[{place}]"]


# Of which number the slope is made that is NaN or infinite. By hand: ∂(a·b)/∂a = b,
# ∂(a/b)/∂a = 1/b, ∂(a^b)/∂a = b·a^(b−1), and W of x Wᵀ + b for x.
STEEP: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("y = a * b", {"a": NAN, "b": NAN}, "a", "", "b"),
    ("y = a / b", {"a": NAN, "b": NAN}, "a", "", "b"),
    ("y = a ** b", {"a": NAN, "b": NAN}, "a", "", "b"),
    ("y = a @ b", {"a": [NAN, 1.0], "b": [NAN, 2.0]}, "a", "0", "b[0]"),
    (
        *("y = linear(a, w, c)", {"a": [NAN], "w": [[NAN]], "c": [NAN]}),
        *("a", "0", "w[0, 0]"),
    ),
    (
        *("y = linear(a, w, c)", {"a": [0.0], "w": [[INF]], "c": [1.0]}),
        *("a", "0", "w[0, 0]"),
    ),
    # 2 (x − mean) / (n − 1) of x[3] = 0 and a mean of −∞: infinite, whatever var is.
    ("y = var(a, ddof=1)", {"a": [-INF, -INF, 0.0]}, "a", "2", "a[0]"),
    ("y = prod(a)", {"a": [INF, NAN]}, "a", "0", "a[1]"),
]


@pytest.mark.parametrize(("text", "leaves", "name", "index", "blamed"), STEEP)
def test_what_is_behind_a_slope_is_what_it_is_made_of(
    text: str, leaves: dict[str, Any], name: str, index: str, blamed: str
) -> None:
    run = run_of(f"{text}\nE = sum(y)", **leaves)
    place = tuple(map(int, index)) if index else ()
    found = why(Trace(run), run.graph.node(name).index, "grad", place, len(Trace(run)))
    assert found.cause in ("NaN slope", "infinite slope")
    assert found.behind is not None
    assert names(run, found.behind.hops[:1]) == [blamed]


def test_an_infinity_that_arrives_at_a_slope_of_0_is_no_overflow() -> None:
    # softmax of one class is 1, so that the slope is 1 − 1 = 0: by hand -inf · 0.
    run = run_of("y = cross_entropy(x, t, axis=0)\nE = y * m", x=[0.5], t=[1.0], m=-INF)
    found = asked(run, "x.grad", (0,))
    assert found.cause == "zero times infinity"
    assert (found.term.upstream, found.term.local) == (-INF, 0) if found.term else False


@pytest.mark.parametrize(
    ("text", "number"),
    [
        # NumPy: a sum of nothing is 0, a mean of nothing 0 / 0.
        ("y = sum(x[:0])", 0.0),
        ("y = mean(x[:0])", NAN),
        ("y = var(x[:0])", NAN),
        ("y = logsumexp(x[:0])", -INF),
        ("y = dot(x[:0], x[:0])", 0.0),
    ],
)
def test_a_number_of_nothing_is_said_to_be_one(text: str, number: float) -> None:
    run = run_of(f"{text}\nE = y * 2", x=[1.0, 2.0])
    for name in ("y", "E"):
        found = asked(run, name)
        np.testing.assert_equal(found.hops[0].number, number * (1 + (name == "E")))
        assert found.cause == "empty"


TWICE = """
gradstep = 1
program = '''
y = x * w - x
E = y * w - y
'''
[inputs]
x = 2.0
w = 1.0
"""


def test_what_cancels_on_the_way_is_told_with_its_own_terms() -> None:
    # 2 · 1 − 2 = 0, and 0 · 1 − 0 = 0 with that: by hand.
    debugger = session(TWICE)
    said(debugger, "goto end")
    for name, because in (
        ("E", "on the way to it terms that are not 0 add up to 0"),
        ("y", "terms that are not 0 add up to 0"),
    ):
        lines = [line.strip() for line in said(debugger, f"why {name}").text]
        assert lines[0] == f"{name} = 0: {because}"
        assert lines[-2:] == ["2   x * w", "2   x"]


def test_an_infinity_that_meets_a_slope_of_0_is_followed_to_its_own_cause() -> None:
    # ∂√n/∂n = 1 / (2 · 0) = ∞, which meets the 0 of d · d.
    run = run_of("n = sqrt(sum(d * d))\nE = n", d=[0.0])
    found = asked(run, "d.grad", (0,))
    assert found.cause == "zero times infinity"
    assert found.behind is not None
    assert (found.behind.cause, found.behind.at.number) == ("infinite slope", INF)


def test_a_wrong_rule_is_to_blame_for_what_it_makes_of_finite_numbers() -> None:
    def endless(g: Any, *_operands: Any) -> Any:
        return g * INF

    run = run_of("q = x / y\nE = sum(q)", x=[1.0, 2.0], y=[1.0, 2.0])
    run = run.patched(Patches(rules={edge(run, "q", "x"): endless}))
    assert asked(run, "x.grad", (0,)).cause == "patched"


ONE_WAY_UNUSED = """
gradstep = 1
program = '''
v = s * sum((s + 0.0) ** 2)
E = sum(v[1:])
'''
[inputs]
s = [0.0, 3.0]
"""


def test_a_way_that_is_not_used_does_not_make_the_element_unused() -> None:
    # E = s[1] · (s[0]² + s[1]²) by hand: its slope by s[0] is 2 s[0] s[1] = 0, and yet
    # E becomes 30 where s[0] is 1.
    debugger = session(ONE_WAY_UNUSED)
    said(debugger, "goto end")
    assert said(debugger, "print E").data == 27
    reply = said(debugger, "why s.grad[0]")
    assert reply.data["hops"][0]["number"] == 0
    assert reply.data["cause"] == "unused"
    assert "uses this element" not in reply.text[0]
    assert "nothing on the way to the output uses what becomes of it" in reply.text[0]
    said(debugger, "set s[0] = 1")
    assert said(debugger, "print E").data == 30


def test_a_slope_that_is_a_sum_cancels_or_has_a_factor_of_0() -> None:
    # a[0, 0] meets 1 − 1, and a[0, 1] meets 0 + 0: the sums of the columns of d.
    run = run_of(
        "E = einsum('ij,kj->', a, d)", a=[[1.0, 2.0]], d=[[1.0, 0.0], [-1.0, 0.0]]
    )
    trace = Trace(run)
    found = [why(trace, 0, "grad", (0, j), len(trace)).slope for j in (0, 1)]
    assert found == ["cancelled", "zero factor"]


def test_a_factor_that_is_too_small_for_the_type_is_no_0() -> None:
    # float16 ends at 6e-8; 0.0 is a 0 in any type.
    run = run_of("E = sum(x * 1e-30 + y * 0.0)", np.float16, x=[1.0], y=[1.0])
    trace = Trace(run)
    found = [why(trace, node, "grad", (0,), len(trace)).slope for node in (0, 1)]
    assert found == ["faint", "zero factor"]


def test_an_operand_that_is_used_twice_is_told_once() -> None:
    run = run_of("y = x - z\nE = y * y", x=INF, z=INF)
    found = asked(run, "x.grad")
    assert names(run, found.operands) == ["y"]  # it is NaN, which equals nothing
