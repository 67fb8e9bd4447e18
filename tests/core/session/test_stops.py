"""Stops: what a catch finds, which events can meet a stop, and in which order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.engine.run import evaluate
from gradstep.core.engine.trace import Trace
from gradstep.core.session.location import Location
from gradstep.core.session.memory import Place
from gradstep.core.session.stops import (
    Catch,
    Stop,
    catching,
    changing,
    covered,
    is_covered,
    meetings,
    produced,
    same,
)
from runs import programs, run_of
from sessions import said, session

if TYPE_CHECKING:
    from gradstep.core.debugger.debugger import Debugger
    from gradstep.core.expression.state import State
    from gradstep.core.program.build import Program
    from gradstep.core.session.steps import Direction

# Events by hand: 0 u, 1 v, 2 E, 3 the seed, 4 E<-v, 5 v<-u, 6 v<-w, 7 and 8 u<-x,
# 9 the update of w, 10 that of x.
SQUARES = """
gradstep = 1
program = '''
u = x * x
v = u * w
E = sum(v)
'''
parameters.w = [1.0, 0.5]
parameters.x = [2.0, -3.0]
training = { learning_rate = 0.25, iterations = 3 }
"""


@pytest.mark.parametrize(
    ("catch", "numbers", "found"),
    [
        (Catch("nan"), [1.0, math.inf, math.nan, math.nan], (2,)),
        (Catch("inf"), [math.nan, 1.0, -math.inf], (2,)),
        (Catch("zero"), [1.0, -1.0, -0.0, 0.0], (2,)),
        (Catch("zero"), [1.0, 1e-300, -1.0], None),
        (Catch("large", 2.0), [2.0, -2.0, -2.5], (2,)),
        (Catch("large", 2.0), [2.0, -1.0, math.nan], None),
        (Catch("small", 0.5), [0.0, 0.5, -0.5, 0.25], (3,)),
        (Catch("small", 2.0), [1.0], (0,)),
        (Catch("small", 2.0), [-1.0], (0,)),
        (Catch("small", 0.5), [0.0, 1.0, math.nan], None),
        (Catch("large", 5.0), [[1.0, 2.0], [3.0, 9.0]], (1, 1)),
        (Catch("large", 5.0), [9.0, 1.0], (0,)),
        (Catch("large", 5.0), 9.0, ()),
        (Catch("zero"), [], None),
    ],
)
def test_a_catch_finds_the_first_such_number(
    catch: Catch, numbers: Any, found: tuple[int, ...] | None
) -> None:
    assert catch.found(np.array(numbers)) == found


def test_a_catch_looks_at_floats_alone() -> None:
    for numbers in (np.array([0, 1]), np.array([False])):
        assert Catch("zero").found(numbers) is None
    for numbers in (np.zeros(2, np.float16), np.array([1 + 1j, 0j])):
        assert Catch("zero").found(numbers) is not None


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        (None, None, True),
        (None, 0.0, False),
        (0.0, None, False),
        ("relu", "relu", True),
        ("relu", "exp", False),
        ("relu", 1.0, False),
        (1.0, "relu", False),
        (1.0, 1, True),
        (1.0, 1.5, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        ([1.0, math.nan], [1.0, math.nan], True),
        ([1.0, math.nan], [math.nan, 1.0], False),
        ([1.0], [1.0, 1.0], False),
        (1.0, [1.0], False),
        ([1, 2], [1.0, 2.0], True),
        ([True], [True], True),
        ([1.0, math.nan], [1 + 0j, math.nan], True),
    ],
)
def test_two_looks_are_the_same(one: Any, two: Any, alike: bool) -> None:
    first, second = (
        np.array(each) if isinstance(each, list) else each for each in (one, two)
    )
    assert same(first, second) is alike


def test_what_an_event_makes() -> None:
    trace = session(SQUARES).trace
    made = {
        0: [[4, 9]],
        1: [[4, 4.5]],
        2: [8.5],
        3: [1],
        4: [[1, 1], [1, 1]],
        5: [[1, 0.5], [1, 0.5]],
        6: [[4, 9], [4, 9]],
        7: [[2, -1.5], [2, -1.5]],
        8: [[2, -1.5], [4, -3]],  # what arrives, and what it adds up to
        9: [[1 - 0.25 * 4, 0.5 - 0.25 * 9]],
        10: [[2 - 0.25 * 4, -3 + 0.25 * 3]],
    }
    assert len(trace) == len(made)
    for number, arrays in made.items():
        found = [array.tolist() for array in produced(trace, number)]
        assert found == arrays, number


@pytest.mark.parametrize(
    ("expression", "events"),
    [
        ("u", [0]),
        ("u + E", [0, 2]),
        ("E.grad", [3]),
        ("v.grad", [4]),
        ("x.grad", [7, 8]),
        ("w.grad + u.grad", [5, 6]),
        ("w", [9]),
        ("x + x.grad", [7, 8, 10]),
        ("1 + 1", []),
    ],
)
def test_which_events_can_change_an_expression(
    expression: str, events: list[int]
) -> None:
    debugger = session(SQUARES)
    assert changing(debugger.expression(expression), debugger.trace) == events


def halts(
    debugger: Debugger, command: str = "continue"
) -> list[tuple[str, int, list[int | None]]]:
    """Go on to the end: each time the position, and the stops, the first one first."""
    found: list[tuple[str, int, list[int | None]]] = []
    for _ in range(30):
        reply = said(debugger, command)
        assert reply.stop is not None
        if reply.stop.reason in ("start", "end"):
            return found
        numbers = [one.number for one in (reply.stop, *reply.stop.also)]
        place = f"{debugger.place.iteration}:{debugger.place.position}"
        found.append((reply.stop.reason, int(place[2:]), numbers))
        if debugger.place.iteration:
            return found
    raise AssertionError("it never ends")


@pytest.mark.parametrize(
    ("stop", "positions", "back"),
    [
        # Before its event, one way and the other.
        ("break u@forward", [], []),  # nothing lies before the first event of all
        ("break v@forward", [1], [1]),
        ("break v", [1, 5], [5, 1]),
        ("break x", [7, 8], [8, 7]),
        ("break u<-x#0", [7], [7]),
        ("break x@update", [10], [10]),
        ("break output", [3], [3]),
        ("break #11", [10], [10]),
        # After its event in the direction of travel.
        ("watch u", [1], [0]),
        ("watch x.grad", [8, 9], [8, 7]),
        ("watch x.grad[0] > 3", [8, 9], [8, 7]),  # not there, False, True
        ("watch w", [10], [9]),
        ("catch large 8.75", [1, 7], [6, 0]),  # 9, in u and in w.grad
        ("catch small 0.6", [6], [5]),
        ("catch zero", [10], [9]),
    ],
)
def test_where_a_stop_halts(stop: str, positions: list[int], back: list[int]) -> None:
    debugger = session(SQUARES.replace("iterations = 3", "iterations = 1"))
    said(debugger, stop)
    assert [position for _, position, _ in halts(debugger)] == positions
    assert [position for _, position, _ in halts(debugger, "reverse-continue")] == back


def test_stops_at_one_place_are_met_at_once_a_break_first() -> None:
    debugger = session(SQUARES.replace("iterations = 3", "iterations = 1"))
    for line in ("catch large 8.75", "watch u", "break v@forward"):
        said(debugger, line)
    # Position 1: after the event of u, before that of v.
    assert halts(debugger)[0] == ("watch", 1, [2, 1, 3])
    back = halts(debugger, "reverse-continue")
    assert back[-2:] == [("break", 1, [3]), ("catch", 0, [1, 2])]


def test_a_break_comes_before_a_watch_of_the_same_event() -> None:
    """The watch is the older one, but it halts behind the event."""
    debugger = session(SQUARES.replace("iterations = 3", "iterations = 1"))
    for line in ("watch v", "break v@forward"):
        said(debugger, line)
    assert halts(debugger) == [("break", 1, [2]), ("watch", 2, [1])]


def test_a_watch_tells_the_two_numbers_on_both_sides_of_its_event() -> None:
    debugger = session(SQUARES)
    said(debugger, "watch x.grad[0]")
    # Two contributions of 2: the first makes it 2, the second one 4.
    for before, after in ((None, 2), (2, 4)):
        stop = said(debugger, "continue").stop
        assert stop is not None
        assert (stop.before, stop.after) == (before, after)


def test_a_condition_of_a_catch_is_asked_behind_its_event() -> None:
    for position, met in ((0, []), (1, [1]), (2, []), (7, [7])):
        debugger = session(SQUARES.replace("iterations = 3", "iterations = 1"))
        said(debugger, "catch large 8.75")
        said(debugger, f"condition 1 position == {position}")
        assert [halt for _, halt, _ in halts(debugger)] == met


def test_ranges_within_others_are_joined() -> None:
    def at(*nodes: tuple[int, int]) -> Stop:
        return Stop(1, "break", "", Location("", nodes=nodes))

    stops = [at((3, 9), (0, 1)), at((4, 5)), at((6, 8), (12, 14)), at((13, 15))]
    assert list(covered(stops)) == [(0, 1), (3, 9), (12, 15)]


def test_a_stop_that_is_switched_off_is_not_met_and_covers_nothing() -> None:
    debugger = session(SQUARES)
    index = {name: debugger.graph.node(name).index for name in "wxuvE"}
    for line in ("break v", "break x", "break v<-w", "watch E.grad", "catch nan"):
        said(debugger, line)

    def found() -> list[tuple[int, int]]:
        return list(covered(debugger.memory.stops.values()))

    said(debugger, "disable")
    assert found() == []
    for number, names in {1: "v", 2: "x", 3: "v", 4: "E", 5: ""}.items():
        said(debugger, f"enable {number}")
        assert found() == [(index[n], index[n] + 1) for n in names], number
        said(debugger, f"disable {number}")
    said(debugger, "enable")
    assert halts(debugger)[0][1] == 1
    nodes = {node for first, stop in found() for node in range(first, stop)}
    assert nodes == {index[name] for name in "xvE"}
    assert all(a[1] < b[0] for a, b in zip(found(), found()[1:], strict=False))


def test_ranges_with_a_stop_cover_what_they_share_a_node_with() -> None:
    ranges = [(2, 4), (9, 10)]
    nodes = {2, 3, 9}
    for first in range(12):
        for stop in range(first + 1, 13):
            expected = bool(nodes & set(range(first, stop)))
            assert is_covered(ranges, first, stop) is expected, (first, stop)
    assert not is_covered([], 0, 9)


def test_a_count_ignores_so_many_meetings() -> None:
    debugger = session(SQUARES.replace("iterations = 3", "iterations = 1"))
    said(debugger, "break x")
    assert debugger.memory.stops[1].ignore == debugger.memory.stops[1].hits == 0
    said(debugger, "ignore 1 1")
    assert [position for _, position, _ in halts(debugger)] == [8]
    assert (debugger.memory.stops[1].ignore, debugger.memory.stops[1].hits) == (0, 2)


@pytest.mark.parametrize("name", ["nan", "inf"])
@given(program=programs(), data=st.data())
def test_one_look_leaves_out_no_event_that_a_catch_would_meet(
    name: str, program: Program, data: Any
) -> None:
    special = st.sampled_from([0.0, 1.0, -1.0, 1e200, math.inf, -math.inf, math.nan])
    leaves = {
        node: np.where(data.draw(st.booleans()), data.draw(special), value)[()]
        if np.asarray(value).dtype.kind == "f"
        else value
        for node, value in program.leaves.items()
    }
    trace, catch = Trace(evaluate(program.graph, leaves)), Catch(name)
    met = [
        event
        for event in range(len(trace))
        if any(catch.found(array) is not None for array in produced(trace, event))
    ]
    chosen = catching(catch, trace)
    assert list(chosen) == sorted(set(chosen))
    assert set(met) <= set(chosen)


def test_one_look_tells_that_nothing_is_not_finite() -> None:
    finite, spoilt = (Trace(run_of("a = x * x\nE = a * x", x=x)) for x in (1.5, np.nan))
    assert list(catching(Catch("nan"), finite)) == []
    # All but the seed, which is event 2.
    assert list(catching(Catch("nan"), spoilt)) == [0, 1, 3, 4, 5, 6]
    assert list(catching(Catch("zero"), finite)) == list(range(7))


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(
    "condition",
    [
        "w.grad > 20",
        "abs(w.grad) >= 40 and hits >= 0",
        "hits >= 0 and w.grad < -30",
        "-w.grad / 2 > 10 or x300.grad < 0",
        "not w.grad < 15",
        "w.grad * w.grad == w.grad ** 2 and position > 900",
        "isnan(w.grad - w.grad)",
        "x400 < 0 and w.grad > 15",
        "w.grad > 1e9 or w.grad",
        "0 < w.grad < 10",
        "w < 0",
    ],
)
def test_a_watch_halts_where_asking_at_each_event_says_so(
    condition: str, direction: Direction
) -> None:
    # The gradient of w swings between −56 and 24.
    swing = (f"x{i} = x{i - 1} + w * {math.sin(i / 40):.3f}" for i in range(1, 801))
    program = "\n".join(["x0 = x", *swing])
    text = f"gradstep = 1\nprogram = '''\n{program}\n'''\n"
    debugger = session(f"{text}inputs.x = 1.0\nparameters.w = -0.5\n")
    trace = debugger.trace
    node = trace.run.graph.node("w").index
    asked, total, expected = debugger.expression(condition), 0.0, []
    for event in trace.arrivals(node):
        before, after = total, trace.gradient(node, event + 1)
        total = float(np.asarray(after))
        if total != before and asked.holds(debugger.state(Place(0, event + 1))):
            expected.append(event)
    assert bool(expected) is not condition.startswith("isnan")
    watch = Stop(1, "watch", "w.grad", watched=debugger.expression("w.grad"))
    stops = [watch._replace(condition=asked)]

    def state(position: int, _: int) -> State:
        return debugger.state(Place(0, position))

    start = 0 if direction > 0 else len(trace)
    found = [
        met.event
        for halt in meetings(stops, trace, start, direction, state, 1)
        for met in halt
    ]
    assert found == expected[::direction]
