"""Movement: where every command of it lands, from everywhere, in both directions."""

from __future__ import annotations

import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.trace import Contribution, Event, Trace
from gradstep.core.scenario.scenario import load
from gradstep.core.session import steps
from runs import run_of
from sessions import place, said, session

NESTED = """
gradstep = 1
program = '''
def layer(w, x):
    z = w * x
    return tanh(z)

def block(w, x):
    h = layer(w, x)
    y = h * 2
    return layer(w, y)

a = block(w, x)
E = square(a * a)
'''
inputs.x = 0.5
parameters.w = 0.75
training = { learning_rate = 0.5, iterations = 3 }
"""

# By hand, from the meaning of the commands. For the position before each event: where
# a command lands that goes on, and its reverse. Statements of the program are events
# 0 … 4 and 5 … 6 on the way there, 8 … 10 and 11 … 17 on the way back; the frames are
# a (0 … 4), in it a.h (0 … 1) and a._1 (3 … 4), and the same on the way back.
EVENTS = """
event         step     next     finish
a.h.z          1  0     5  0     2  0
a.h            2  0     2  0     2  0
a.y            3  1     3  0     5  0
a._1.z         4  2     5  2     5  0
a              5  3     5  3     5  3
E._1           6  4     7  0     7  3
E              7  5     7  5     7  0
seed E         8  6     8  5    18  0
E<-E._1        9  7    11  7    18  7
E._1<-a       11  8    11  8    18  7
E._1<-a       11  9    11  8    18  7
a<-a._1.z     12  9    18  8    14  7
a._1.z<-w     14 11    14 11    14 11
a._1.z<-a.y   14 12    14 12    14 11
a.y<-a.h      15 12    15 11    18 11
a.h<-a.h.z    16 14    18 14    18 11
a.h.z<-w      18 15    18 15    18 15
a.h.z<-x      18 16    18 16    18 15
w := w′       19 16    19 11    19 15
end           19 18    19 18    19 18
"""
ROWS = [line.rsplit(None, 6) for line in EVENTS.strip().splitlines()[1:]]


def named(trace: Trace, event: Event) -> str:
    nodes = trace.run.graph.nodes
    if isinstance(event, Contribution):
        return f"{nodes[event.consumer].name}<-{nodes[event.operand].name}"
    name = nodes[event.node].name
    return {"Forward": name, "Seed": f"seed {name}", "Update": f"{name} := {name}′"}[
        type(event).__name__
    ]


def test_the_table_has_the_events_of_the_program() -> None:
    trace = session(NESTED).trace
    events = [named(trace, trace.event(number)) for number in range(len(trace))]
    assert [*events, "end"] == [row[0] for row in ROWS]


@pytest.mark.parametrize("command", ["step", "next", "finish"])
def test_where_a_move_lands_from_everywhere(command: str) -> None:
    trace = session(NESTED).trace
    move = steps.MOVES[command]
    column = {"step": 1, "next": 3, "finish": 5}[command]
    for position, row in enumerate(ROWS):
        there, back = int(row[column]), int(row[column + 1])
        assert move(trace, position, 1) == there, f"{command} from {position}"
        assert move(trace, position, -1) == back, f"reverse-{command} from {position}"


def test_one_event_is_one_position_between_the_ends() -> None:
    trace = session(NESTED).trace
    ends = len(trace)
    assert ends == 19
    there = [steps.by_event(trace, position, 1) for position in range(20)]
    back = [steps.by_event(trace, position, -1) for position in range(20)]
    assert there == [*range(1, 20), 19]
    assert back == [0, *range(19)]


def test_what_lies_ahead() -> None:
    trace = session(NESTED).trace
    assert steps.ahead(trace, 0, -1) is None
    assert steps.ahead(trace, 19, 1) is None
    ahead = [steps.ahead(trace, position, 1) for position in range(19)]
    behind = [steps.ahead(trace, position, -1) for position in range(1, 20)]
    assert ahead == behind == [trace.event(number) for number in range(19)]
    assert [steps.place_of(e) for e in ahead[8:12] if e] == [
        trace.run.graph.node(name).index for name in ("E", "E._1", "E._1", "a")
    ]


def test_the_borders_of_the_passes() -> None:
    trace = session(NESTED).trace
    there = [steps.to_end_of_pass(trace, position, 1) for position in range(20)]
    back = [steps.to_end_of_pass(trace, position, -1) for position in range(20)]
    assert there == [7] * 7 + [18] * 11 + [19] * 2
    assert back == [0] * 8 + [7] * 11 + [18]


def test_a_pass_without_updates_ends_with_the_last_contribution() -> None:
    trace = Trace(run_of("y = x * x\nE = y + x", x=2.0))  # 2 values, the seed, 4 edges
    for move in (steps.out_of_frame, steps.to_end_of_pass):
        assert [move(trace, p, 1) for p in range(8)] == [2, 2, 7, 7, 7, 7, 7, 7]
        assert [move(trace, p, -1) for p in range(8)] == [0, 0, 0, 2, 2, 2, 2, 2]


def test_an_output_that_is_a_leaf_has_the_seed_alone() -> None:
    trace = Trace(run_of("E = x", x=2.0))
    for move in steps.MOVES.values():
        assert (move(trace, 0, 1), move(trace, 0, -1)) == (1, 0)
        assert (move(trace, 1, 1), move(trace, 1, -1)) == (1, 0)


def walk(debugger: Debugger, *commands: str) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    for command in commands:
        said(debugger, command)
        places.append(place(debugger))
    return places


def test_to_the_end_of_a_pass_and_on_into_the_next_iteration() -> None:
    debugger = Debugger(load("three_layer"))
    there = walk(debugger, "goto 50%", *["finish"] * 3)
    assert there == [(0, 13), (0, 24), (0, 27), (1, 0)]
    back = walk(debugger, *["reverse-finish"] * 3)
    frame_of_x1 = 21  # its three edges are the last ones before the updates
    assert back == [(0, 27), (0, 24), (0, frame_of_x1)]


@pytest.mark.parametrize("move", ["stepi", "step", "next", "finish"])
def test_an_iteration_ends_where_the_next_one_begins(move: str) -> None:
    debugger = session(NESTED)
    at_the_end = walk(debugger, "goto end", move, move, f"reverse-{move}")
    first = int({"stepi": 1, "step": 1, "next": 5, "finish": 2}[move])
    assert at_the_end == [(0, 19), (1, 0), (1, first), (1, 0)]
    last_border = 18  # before the update of the only parameter
    assert walk(debugger, f"reverse-{move}", f"reverse-{move}") == [
        (0, 19),
        (0, last_border),
    ]


def test_beyond_the_last_iteration_there_is_nothing() -> None:
    debugger = session(NESTED)
    for move in steps.MOVES:
        assert walk(debugger, "goto 1", "goto start", f"reverse-{move}")[-1] == (0, 0)
    walk(debugger, "step 60")
    assert place(debugger) == (2, 19)
    for move in steps.MOVES:
        assert not said(debugger, move).moved
        assert place(debugger) == (2, 19)
