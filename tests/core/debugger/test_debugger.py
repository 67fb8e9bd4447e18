"""The debugger: the laws of time, and what each command answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.core.base.errors import Interrupted
from gradstep.core.base.limits import Limits
from gradstep.core.base.trust import KEYBOARD
from gradstep.core.debugger.debugger import Debugger, without_comment
from gradstep.core.engine.patches import Patches
from gradstep.core.engine.run import Run, evaluate
from gradstep.core.engine.trace import Forward, Trace
from gradstep.core.mistakes.catalogue import fitting
from gradstep.core.scenario.scenario import load, parse
from gradstep.core.session.script import parse_script, run_script
from gradstep.core.training.timeline import Single
from runs import programs
from sessions import (
    LAYERS,
    TRAINING,
    TROUBLE,
    close,
    lines,
    looks,
    place,
    said,
    seen,
    session,
    value,
    wrong,
)

drawn = settings(max_examples=30, deadline=None)


def walk(debugger: Debugger, command: str) -> list[tuple[int, int]]:
    """Repeat a command until it does not move, and return the places on the way."""
    places = [place(debugger)]
    while said(debugger, command).moved:
        places.append(place(debugger))
    return places


# ---------------------------------------------------------------------- the laws


@pytest.mark.parametrize("text", [LAYERS, TRAINING])
@pytest.mark.parametrize("move", ["stepi", "step", "next"])
def test_forward_then_back_is_the_identity(move: str, text: str) -> None:
    debugger = session(text)
    there = walk(debugger, move)
    assert there[0] == (0, 0)
    assert there[-1] == (debugger.timeline.iterations - 1, len(debugger.trace))
    assert walk(debugger, f"reverse-{move}") == there[::-1]


def test_out_of_a_frame_and_back_is_the_identity() -> None:
    debugger = session()
    [frame] = [frame for frame in debugger.graph.frames if frame.name == "a.h"]
    for span in (
        debugger.trace.forward_events(frame.first, frame.stop),
        debugger.trace.backward_events(frame.first, frame.stop),
    ):
        said(debugger, f"goto {span.start}")
        assert said(debugger, "finish").position == span.stop
        assert said(debugger, "reverse-finish").position == span.start


@pytest.mark.parametrize("move", ["step", "stepi", "next"])
@given(count=st.integers(1, 12), start=st.integers(0, 12))
@drawn
def test_a_count_is_so_many_moves(move: str, count: int, start: int) -> None:
    one, many = session(TRAINING), session(TRAINING)
    for debugger in (one, many):
        said(debugger, f"goto {start}")
    for _ in range(count):
        said(one, move)
    said(many, f"{move} {count}")
    assert place(one) == place(many)


@given(st.lists(lines(), max_size=12))
@drawn
def test_back_undoes_any_movement(commands: list[str]) -> None:
    debugger = session(TRAINING)
    for line in commands:
        before = place(debugger)
        reply = debugger.execute(line)
        if reply.moved and not line.startswith(("back", "forward")):
            there = place(debugger)
            said(debugger, "back")
            assert place(debugger) == before, line
            said(debugger, "forward")
            assert place(debugger) == there, line


def stops_met(debugger: Debugger, command: str) -> list[tuple[Any, Any]]:
    """Continue to the end, and return each (stop, event) that was met."""
    met: list[tuple[Any, Any]] = []
    while True:
        stop = said(debugger, command).stop
        assert stop is not None
        if stop.reason in ("start", "end"):
            return met
        met += [(one.number, one.event) for one in (stop, *stop.also)]


def counts(debugger: Debugger) -> list[tuple[Any, ...]]:
    return [
        (stop.number, stop.kind, stop.text, stop.hits, stop.ignore, stop.enabled)
        for stop in debugger.memory.stops.values()
    ]


STOPS = (
    "break a",
    "break a.h",
    "break op:sigmoid",
    "break line:3",
    "break a<-x",
    "break W",
    "break output",
    "break E@backward if position > 3",
    "break #1",
    "watch W.grad",
    "watch norm(a) + c.grad if position % 2 == 0",
    "watch x.grad[0, 0]",
    "catch large 0.4",
    "catch zero",
    "catch small 0.2 if W.grad[0, 0] < 1",
)


@pytest.mark.parametrize("text", [LAYERS, TRAINING])
@given(stops=st.lists(st.sampled_from(STOPS), min_size=1, max_size=6, unique=True))
@drawn
def test_stops_met_backwards_are_the_forward_stops_reversed(
    text: str, stops: list[str]
) -> None:
    debugger = session(text)
    for stop in stops:
        said(debugger, stop)
    there = stops_met(debugger, "continue")
    assert stops_met(debugger, "reverse-continue") == there[::-1]


def test_a_break_before_the_first_event_halts_in_every_iteration_but_the_first() -> (
    None
):
    debugger = session(TRAINING)
    said(debugger, "break #1")
    halts = [said(debugger, "continue").stop for _ in range(4)]
    assert [h and h.reason for h in halts] == ["break", "break", "break", "end"]
    assert stops_met(debugger, "reverse-continue") == [(1, 1), (1, 1), (1, 1)]


@given(st.lists(lines(), max_size=8), st.lists(looks(), min_size=1, max_size=8))
@drawn
def test_looking_never_changes_anything(commands: list[str], looked: list[str]) -> None:
    plain, curious = session(TRAINING), session(TRAINING)
    for line in commands:
        for look in looked:
            before = place(curious)
            curious.execute(look)
            assert place(curious) == before
        assert seen(curious.execute(line)) == seen(plain.execute(line))
    assert counts(curious) == counts(plain)
    assert curious.memory.marks == plain.memory.marks
    assert len(curious.runs) == len(plain.runs)
    for name in ("W", "x"):
        node = plain.graph.node(name).index
        np.testing.assert_array_equal(
            plain.trace.run.gradient(node), curious.trace.run.gradient(node)
        )


@given(st.lists(lines(), max_size=10), st.booleans())
@drawn
def test_record_then_replay_gives_the_same_transcript(
    commands: list[str], asserts: bool
) -> None:
    first, second = session(TRAINING), session(TRAINING)
    said(first, "record --asserts" if asserts else "record")
    replies = [first.execute(line) for line in commands]
    recorded = first.memory.recorded or []
    script = parse_script("\n".join(recorded), "made", KEYBOARD)
    assert run_script(script, session(TRAINING).execute).code == 0
    again = [second.execute(line) for line in recorded]
    assert all(reply.ok for reply in again), [r.error for r in again]
    kept = [r for r in replies if r.ok and not r.command.startswith(("help", "apro"))]
    if asserts:
        again = [r for r in again if not r.command.startswith(("assert", "expect"))]
        kept = [r for r in kept if not r.command.startswith("assert")]
    assert [seen(r) for r in again] == [seen(r) for r in kept]
    assert place(first) == place(second)


@given(program=programs())
@drawn
def test_the_accumulated_gradient_is_the_sum_of_its_parts(program: Any) -> None:
    run = evaluate(program.graph, program.leaves)
    trace = Trace(run)
    debugger = session()
    debugger.runs[0] = debugger.runs[0].__class__(0, Single(trace), "")
    said(debugger, "goto end")
    for node in run.graph:
        gradient = debugger.trace.gradient(node.index, debugger.position)
        if gradient is None or node.index == run.graph.output:
            continue
        parts = [
            trace.breakdown(consumer, argument).contribution
            for consumer, argument, _ in run.graph.consumers[node.index]
            if run.carries(consumer, argument)
        ]
        total = sum(parts[1:], parts[0])
        np.testing.assert_array_equal(gradient, total)
        numeric = _numeric(run, node.index)
        np.testing.assert_allclose(gradient, numeric, rtol=2e-4, atol=2e-4)


def _numeric(run: Run, node: int) -> Any:
    """Return central differences of the output by a node, set from outside."""
    value = run.value(node)
    slopes = np.zeros(value.shape)
    step = 1e-6
    for index in np.ndindex(value.shape):
        sides = []
        for sign in (1, -1):
            moved = value.copy()
            moved[index] += sign * step
            patched = run.patched(Patches(values={node: moved}))
            sides.append(float(patched.value(run.graph.output)))
        slopes[index] = (sides[0] - sides[1]) / (2 * step)
    return slopes


# ------------------------------------------------------------------- moving in time


def test_one_step_is_a_node_and_one_stepi_an_event() -> None:
    debugger = session()
    said(debugger, "goto output")
    events = said(debugger, "step").position
    assert debugger.trace.event(events - 1).node != debugger.trace.event(events).node
    said(debugger, "goto b")  # b = tanh(…) * c has two edges
    at = debugger.trace.edge_event(debugger.graph.node("b").index, 0)
    assert at is not None
    said(debugger, f"goto {at}")
    assert said(debugger, "step").position == at + 2
    assert said(debugger, "reverse-stepi").position == at + 1


def test_next_goes_over_frames_and_step_into_them() -> None:
    debugger = session()
    said(debugger, "next")
    assert (
        debugger.trace.value(debugger.graph.node("a").index, debugger.position)
        is not None
    )
    said(debugger, "goto start")
    said(debugger, "step")
    assert said(debugger, "where").text[1].startswith("#0  in a.h = layer")
    said(debugger, "next")
    assert value(debugger, "a.h.z").shape == (2, 1)


def test_finish_leaves_the_frame_and_at_the_top_the_pass() -> None:
    debugger = session()
    said(debugger, "step")
    said(debugger, "finish")
    assert debugger.trace.event(debugger.position - 1) == Forward(
        debugger.graph.node("a.h").index
    )
    said(debugger, "goto a@forward")
    said(debugger, "finish")
    assert debugger.position == debugger.trace.seed_position


def test_goto_understands_every_kind_of_place() -> None:
    debugger = session()
    size = len(debugger.trace)
    said(debugger, "mark here")
    for text, position in {
        "end": size,
        "start": 0,
        "#7": 7,
        "7": 7,
        "50%": size // 2,
        "100%": size,
        "output": debugger.trace.seed_position + 1,
        "W": size - 1 if debugger.trace.arrivals(1) else size,
        "here": 0,
        "δ": None,
        "x1": "wrong",
    }.items():
        if position == "wrong":
            assert "nothing is called 'x1'" in wrong(debugger, f"goto {text}")
        elif position is None or text == "W":
            said(debugger, f"goto {text}")
        else:
            assert said(debugger, f"goto {text}").position == position
    said(debugger, "goto 3")
    assert said(debugger, "goto +2").position == 5
    assert said(debugger, "goto -4").position == 1
    assert "past the end" in wrong(debugger, f"goto {size + 1}")


def test_goto_an_iteration() -> None:
    debugger = session(TRAINING)
    said(debugger, "goto 3:W")
    assert place(debugger)[0] == 3
    grad = value(debugger, "W.grad")
    other = session(TRAINING)
    while place(other)[0] < 3:
        said(other, "next 7")
    said(other, "goto W")
    np.testing.assert_array_equal(value(other, "W.grad"), grad)
    assert "0 … 3 are there" in wrong(debugger, "goto 4:start")


def test_until_runs_to_a_place_or_until_something_is_true() -> None:
    debugger = session()
    stop = said(debugger, "until b").stop
    assert stop is not None
    assert (stop.reason, stop.where) == ("until", "b")
    said(debugger, "until norm(W.grad) > 0")
    assert value(debugger, "norm(W.grad) > 0")
    at = debugger.position
    assert debugger.trace.event(at - 1).node == debugger.graph.node("W").index
    said(debugger, "goto end")
    said(debugger, "reverse-until any(x.grad != x.grad) or position < 9")
    assert debugger.position < 9
    said(debugger, "goto start")
    said(debugger, "until position > 14 and E == E")
    assert debugger.position == 15
    assert "no event changes" in wrong(debugger, "until iteration == 2")
    assert "no statement stands at line 99" in wrong(debugger, "until line:99")


def test_until_backwards_holds_where_it_halts() -> None:
    debugger = session()
    said(debugger, "goto end")
    whole = float(value(debugger, "norm(W.grad)"))
    said(debugger, f"reverse-until norm(W.grad) < {whole / 1.0001}")
    assert value(debugger, "norm(W.grad)") < whole / 1.0001


def test_last_finds_the_previous_change() -> None:
    debugger = session()
    said(debugger, "goto end")
    arrivals = debugger.trace.arrivals(debugger.graph.node("W").index)
    for event in reversed(arrivals[:-1]):
        said(debugger, "last W.grad")
        if debugger.position == arrivals[-1] + 1:
            said(debugger, "last W.grad")
        assert debugger.position == event + 1
    assert "no earlier change" in said(debugger, "last W.grad").text[0]
    assert said(debugger, "last -f W.grad").position == arrivals[1] + 1


# --------------------------------------------------------------------------- stops


def test_a_break_halts_before_and_a_watch_after_its_event() -> None:
    debugger = session()
    said(debugger, "break b@forward")
    said(debugger, "watch b")
    reply = said(debugger, "continue")
    assert (
        debugger.trace.event(debugger.position).node == debugger.graph.node("b").index
    )
    assert reply.stop is not None
    assert reply.stop.reason == "break"
    reply = said(debugger, "continue")
    assert reply.stop is not None
    assert (reply.stop.reason, reply.stop.before) == ("watch", None)
    close(reply.stop.after, value(debugger, "b"))
    back = said(debugger, "reverse-continue").stop
    assert back is not None
    assert back.event == reply.stop.event
    assert debugger.position == reply.position - 1


def test_conditions_ignore_hits_and_temporary_stops() -> None:
    debugger = session()
    said(debugger, "break op:sigmoid if hits >= 1")
    said(debugger, "tbreak E")
    halts = [said(debugger, "continue").stop for _ in range(2)]
    assert halts[0] is not None
    assert halts[0].number == 2
    assert 2 not in debugger.memory.stops
    said(debugger, "delete")
    said(debugger, "goto start")
    said(debugger, "break op:sigmoid")
    said(debugger, "ignore 3 2")
    stop = said(debugger, "continue").stop
    assert stop is not None
    assert stop.where == "E._1"
    assert debugger.memory.stops[3].hits == 3


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("break b@forward if b[0, 0] > 0", "b is"),
        ("tbreak a@forward if W.grad[0, 0] > 0", "W.grad is"),
        ("break a@forward if any(max(a, axis=0) == 0)", "a is"),
        # Whatever else it asks: in another iteration that may be otherwise.
        ("break b@forward if iteration == 7 and b[0, 0] > 0", "b is"),
        ("break b@forward if a[0, 0] > 0 or b[0, 0] > 0", "b is"),
        ("break b@forward if b[0, 0] + a[0, 0] + E > 0", "b, E are"),
        ("watch a if b[0, 0] > 0", "b is"),
    ],
)
def test_a_condition_that_is_never_known_is_told(line: str, names: str) -> None:
    reply = said(session(), line)
    assert reply.text[1].startswith(f"{names} never known there, ")
    is_break = "break" in line
    assert ("a break stops before its event" in reply.text[1]) == is_break
    debugger = session()
    said(debugger, "break b")
    changed = said(debugger, "condition 1 not W.grad[0, 0] > 0")
    assert len(changed.text) == 1  # a break in both passes
    said(debugger, "break b@forward")
    changed = said(debugger, "condition 2 not W.grad[0, 0] > 0")
    assert changed.text[1].startswith("W.grad is never known there")


@pytest.mark.parametrize(
    "line",
    [
        "break b@backward if b[0, 0] > 0",
        "break b if b.grad[0, 0] > 0",
        "watch a if a[0, 0] > 0",
        "watch W.grad if E > 0",
        "catch nan if E > 0",
        "display E",
    ],
)
def test_a_condition_that_will_be_known_is_not(line: str) -> None:
    assert len(said(session(), line).text) == 1


CUT = """
gradstep = 1
program = '''
h = x * w
E = sum(h * stop_gradient(h)) + c
'''
inputs.x = [1.0, 2.0]
constants.c = 1.0
parameters.w = 3.0
"""


@pytest.mark.parametrize("asked", ["E._1.grad[0] > 0", "c.grad > 0", "w.m > 0"])
@pytest.mark.parametrize(
    "command",
    [
        "break h if iteration > 3 and {}",
        "tbreak h if {}",
        "watch h if {}",
        "watch {}",
        "catch nan if {}",
        "until {}",
        "display {}",
        "condition 1 {}",
        "assert {}",
        "last {}",
        "history {}",
    ],
)
def test_what_no_moment_knows_is_refused_where_it_is_asked(
    command: str, asked: str
) -> None:
    debugger = session(CUT)
    said(debugger, "break h")
    reason = "nothing is trained" if ".m" in asked else "has no gradient"
    assert reason in wrong(debugger, command.format(asked))
    # Nothing is left behind that would stand in the way.
    assert not debugger.memory.displays
    assert debugger.memory.stops.keys() == {1}
    stop = said(debugger, "continue").stop
    assert stop is not None
    assert stop.number == 1


def test_what_no_event_changes_is_told() -> None:
    debugger = session(CUT)
    told = said(debugger, "watch c + w").text
    assert told[1] == "no event changes c + w: it never stops"
    assert "no event changes c > 3" in wrong(debugger, "until c > 3")


def test_a_condition_that_fails_says_whose_it_is() -> None:
    debugger = session(CUT)
    said(debugger, "goto start")
    said(debugger, "break E@forward")
    said(debugger, "break h@backward if h[7] > 0")
    assert said(debugger, "continue").stop is not None
    error = wrong(debugger, "continue")
    assert error.startswith("break 2: index 7 is out of bounds")


def test_conditions_can_be_changed_and_stops_switched_off() -> None:
    debugger = session()
    said(debugger, "break op:sigmoid")
    said(debugger, "condition 1 False")
    assert said(debugger, "continue").stop.reason == "end"  # type: ignore[union-attr]
    said(debugger, "goto start")
    said(debugger, "condition 1")
    said(debugger, "disable 1")
    assert said(debugger, "continue").stop.reason == "end"  # type: ignore[union-attr]
    said(debugger, "enable 1")
    assert said(debugger, "reverse-continue").stop.number == 1  # type: ignore[union-attr]
    assert [row[0] for row in said(debugger, "info stops").show.rows] == [1]


def test_stops_survive_a_new_run() -> None:
    debugger = session()
    said(debugger, "break E@backward")
    said(debugger, "set c = 2")
    stop = said(debugger, "continue").stop
    assert stop is not None
    assert stop.number == 1


def test_commands_of_a_stop_run_when_it_is_met() -> None:
    debugger = session()
    said(debugger, "break op:sigmoid@forward")
    said(debugger, "commands 1 print position; continue")
    reply = said(debugger, "continue")
    assert [t for t in reply.text if t.startswith("position")] == [
        f"position = {debugger.trace.forward_event(n.index)}"
        for n in debugger.graph
        if n.op is not None and n.op.name == "sigmoid"
    ]
    assert reply.stop is not None
    assert reply.stop.reason == "end"
    assert reply.command == "continue"


@pytest.mark.parametrize(
    "commands",
    [
        ("commands 1 reverse-continue", "commands 2 continue"),
        ("commands 1 goto start; continue", "commands 2 step; continue"),
    ],
)
def test_a_stop_whose_commands_never_end_is_given_up(
    commands: tuple[str, str],
) -> None:
    debugger = Debugger(parse(LAYERS, limits=Limits(commands=50)))
    said(debugger, "break E")
    said(debugger, "break b")
    for line in commands:
        said(debugger, line)
    before = debugger.place
    assert (
        "this line has started 51 commands; at most 50 are allowed; --limit commands=N"
        in wrong(debugger, "continue")
    )
    assert said(debugger, "print 1").of == 34
    assert debugger.place != before  # what was done is done


def test_stops_that_go_on_and_on_do_so_much_and_no_more() -> None:
    limits = Limits(work=10_000_000)
    chain = "\\n".join(f"x{k + 1} = x{k} + 1" for k in range(1000))
    text = f'gradstep = 1\nprogram = "{chain}"\n[inputs]\nx0 = 0\n'
    debugger = Debugger(parse(text, limits=limits))
    said(debugger, "break x900")
    said(debugger, "commands 1 goto start; continue")
    said_of = wrong(debugger, "continue")
    assert "this line would take" in said_of or "the line would take" in said_of
    assert "--limit work=N" in said_of
    assert debugger.memory.stops[1].hits < 20


def test_a_failing_command_of_a_stop_fails_the_line() -> None:
    debugger = session()
    said(debugger, "break E")
    said(debugger, "commands 1 assert a.grad == 3")
    reply = debugger.execute("continue")
    assert not reply.ok
    assert "not computed" in (reply.error or "") or "no gradient" in (reply.error or "")
    said(debugger, "commands 1 assert 1 == 2")
    said(debugger, "goto start")
    reply = debugger.execute("continue")
    assert reply.failed
    assert reply.stop is not None


def test_several_stops_at_one_place_are_all_told() -> None:
    debugger = session()
    said(debugger, "watch a")
    said(debugger, "break b._1@forward")
    stop = said(debugger, "continue").stop
    assert stop is not None
    assert [one.number for one in (stop, *stop.also)] == [1, 2]
    said(debugger, "expect stop break b._1")


# ------------------------------------------------------------------ wrong commands


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("stap", "did you mean"),
        ("re", "could be"),
        ("step 0", "is not a count"),
        ("step x", "is not a count"),
        (f"step {'9' * 5000}", "too long"),
        ("goto", "go where?"),
        ("goto nowhere", "nothing is called"),
        ("goto a@sideways", "no pass"),
        ("break line:99", "lines with one"),
        ("break op:sigmod", "did you mean 'sigmoid'"),
        ("break a<-E", "its operands are"),
        ("break a<-x@forward", "going forward"),
        ("watch 3", "never changes"),
        ("watch", "watch what?"),
        ("catch fish", "nan, inf, zero"),
        ("catch large", "needs a number"),
        ("condition 9 x", "there is no stop"),
        ("print", "print what?"),
        ("print W.gard", "has no 'gard'"),
        ("print E", "not computed yet"),
        ("explain x[5, 5]", "outside"),
        ("explain x + 1", "not an element"),
        ("info nodse", "did you mean 'nodes'"),
        ("undisplay 4", "no display"),
        ("delete 1", "no stop"),
        ("expect", "cannot expect"),
        ("expect stop", "no command before"),
        ("source", "source which file?"),
        ("source missing.gs", "no such file"),
        ("quit 900", "not an exit code"),
        ("record maybe", "record off"),
        ("save", "save where?"),
        ("mark start", "start is a place already"),
        ("back", "no place"),
        ("apropos zebra", "no command speaks"),
        ("why nothing", "nothing is called"),
        ("transposes a._1", "nothing of a._1 that `transposes` explains"),
        ("assert W", "neither true nor false"),
        ("history", "the history of what?"),
        ("list x", "not a line"),
        ("train", "does not train"),
    ],
)
def test_a_wrong_command_says_so_and_changes_nothing(line: str, says: str) -> None:
    debugger = session()
    before = (
        place(debugger),
        dict(debugger.memory.stops),
        list(debugger.memory.visited),
    )
    assert says in wrong(debugger, line)
    assert (
        place(debugger),
        dict(debugger.memory.stops),
        list(debugger.memory.visited),
    ) == before
    assert not debugger.memory.history


def test_a_wrong_condition_changes_nothing_when_it_is_met() -> None:
    debugger = session(TRAINING)
    said(debugger, "break op:sigmoid")
    said(debugger, "break E@backward if x")
    said(debugger, "continue 3")
    before, hits = place(debugger), debugger.memory.stops[1].hits
    said(debugger, "disable 1")
    said(debugger, "goto start")
    before = place(debugger)
    error = wrong(debugger, "continue 20")
    assert "neither true nor false" in error
    assert place(debugger) == before
    assert debugger.memory.stops[1].hits == hits


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_is_answered(line: str) -> None:
    debugger = session()
    reply = debugger.execute(line)
    assert reply.ok == (reply.error is None)


@given(
    st.sampled_from(sorted(Debugger.commands)),
    st.text(alphabet="aEWx.grad[]0123456789,-+*<>=#@:% if_", max_size=25),
)
@settings(max_examples=300, deadline=None)
def test_any_arguments_are_answered(name: str, arguments: str) -> None:
    if name in ("save", "source", "export"):
        return
    debugger = session(TROUBLE)
    said(debugger, "goto 50%")
    before = place(debugger)
    reply = debugger.execute(f"{name} {arguments}")
    assert reply.ok is (reply.error is None)
    if reply.error is not None:
        assert reply.error.strip()
        assert place(debugger) == before
        assert len(debugger.runs) == 1


def test_comments_are_cut_but_events_are_not() -> None:
    assert without_comment("goto #31 # there") == "goto #31"
    assert without_comment("step # once") == "step"
    assert without_comment("# nothing else") == ""
    assert without_comment("break y<-a#1") == "break y<-a#1"


def test_an_ambiguous_beginning_lists_what_it_could_be() -> None:
    assert wrong(session(), "un 1") == "'un' could be until, undisplay, undo"


def test_a_mark_hides_no_place() -> None:
    debugger = session()
    for name in ("a", "x", "output", "W"):
        assert f"{name} is a place already" in wrong(debugger, f"mark {name}")
    said(debugger, "mark there")
    assert said(debugger, "mark").text[0].startswith("mark m2")


def test_a_mark_that_is_moved_says_where_it_was() -> None:
    debugger = session()
    said(debugger, "goto 3")
    (first,) = said(debugger, "mark here").text
    assert said(debugger, "mark here").text == (first,)
    said(debugger, "goto 5")
    (moved,) = said(debugger, "mark here").text
    assert moved.startswith("mark here: ")
    assert moved.endswith("; it was at iteration 0, position 3")


_WRONG_BEFORE_IT_IS_RUN = (
    *("print nobody", "print 1 +", "print", "display nobody", "history"),
    *("assert a.gard == 3", "last -f nobody", "whatis nobody", "whatis"),
    *("until line:99", "until nobody", "until", "break nobody", "tbreak a if nobody"),
    *("watch nobody", "watch c if 1 +", "watch", "condition 1 nobody", "why nobody"),
    *("explain -3 nobody", "explain W[99, 0]", "uses 1 + 1", "set nobody = 1"),
    *("set c = nobody", "set c", "set"),
    *("goto nobody.h", "goto 0:nobody", "goto line:99", "goto c<-W", "goto 101%"),
    *("goto 9999", "goto #9999", "goto"),
    *("diff nobody c", "diff c nobody", "diff c", "diff 1 2 3"),
    *("nudge nobody +", "nudge W[0, 9]", "nudge c far", "nudge c nan", "nudge"),
    *("limit nobody", "limit nobody 0.1", "limit c -1", "limit 0"),
    *("predict nobody", "predict sign"),
    *("detach nobody", "detach c<-W", "detach"),
    *(
        "patch c nomistake",
        "patch nobody local",
        "patch c<-W local",
        "patch c",
        "patch",
    ),
)


@pytest.mark.parametrize("line", _WRONG_BEFORE_IT_IS_RUN)
def test_a_line_of_a_stop_is_read_when_it_is_given(line: str) -> None:
    debugger = session()
    said(debugger, "break c")
    alone = wrong(debugger, line)
    assert wrong(debugger, f"commands 1 step; {line}") == alone
    assert debugger.memory.stops[1].commands == ()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("accuse nobody", "no node is called 'nobody'"),
        ("accuse c<-W", "W is not an operand of c"),
        ("accuse c nomistake", "there is no mistake 'nomistake'"),
    ],
)
def test_an_accusation_of_a_stop_is_read_outside_of_a_hunt(
    line: str, what: str
) -> None:
    debugger = session()
    said(debugger, "break c")
    assert what in wrong(debugger, f"commands 1 {line}")
    assert debugger.memory.stops[1].commands == ()


def test_a_line_of_a_stop_may_need_what_is_not_there_yet() -> None:
    debugger = session()
    said(debugger, "break c")
    lines = (
        *("goto later", "undisplay 7", "display", "break if c > 1", "whatis c"),
        *("condition 9", "delete 9", "explain -3", "why", "until a.h"),
        *("last -f c", "set c = 2", "watch c if c > 1", "diff 4", "explain -2 W.grad"),
        *(
            "goto 7:c",
            "goto 3",
            "goto 50%",
            "goto -2",
            "goto a.h<-W",
            "diff",
            "diff 3 4",
        ),
        *("diff c W", "diff a.h.grad a.h", "detach a", "patch a.h local"),
        *("nudge c", "nudge W[0, 1]", "nudge W[0, 1] half", "nudge c -0.5"),
        *("limit", "limit 0.1", "limit a.h", "limit W[0, 1] 1e-3"),
        *("predict", "predict on", "predict off", "predict a.h.grad[0, 0]"),
        *("accuse a.h", "accuse a.h transpose", "accuse a.h<-W"),
    )
    text = "; ".join(lines)
    said(debugger, f"commands 1 {text}")
    assert "; ".join(debugger.memory.stops[1].commands) == text


def test_backquotes_stand_around_any_name() -> None:
    debugger = session()
    said(debugger, "goto end")
    whole = said(debugger, "print a.h.grad[0, 0] + sum(x)").data
    assert said(debugger, "print `a.h`.grad[0, 0] + sum(`x`)").data == whole
    assert said(debugger, "goto `a.h`").position == said(debugger, "goto a.h").position
    assert "not an expression" in wrong(debugger, "print `a.h` + `q`")


def test_what_does_nothing_says_so() -> None:
    debugger = session()
    assert said(debugger, "delete").text == ("there are no stops to delete",)
    assert said(debugger, "disable").text == ("there are no stops to switch off",)
    said(debugger, "break a")
    assert said(debugger, "enable 1").text == ("it is on already",)
    assert said(debugger, "undisplay").text == ("nothing is displayed",)


@pytest.mark.parametrize("topic", ["LOC", "EXPR", "element", "EDGE"])
def test_help_shows_the_grammar_of_arguments(topic: str) -> None:
    lines = said(session(), f"help {topic}").text
    assert lines[0].startswith(f"{topic.upper()} is ")
    assert len(lines) > 2


def test_prefixes_aliases_and_blank_lines() -> None:
    debugger = session()
    assert said(debugger, "s").command == "s"
    assert debugger.position == 1
    said(debugger, "rs")
    assert debugger.position == 0
    said(debugger, "fini")
    assert debugger.position > 0
    assert said(debugger, "   ").text == ()


def test_a_command_without_memory_changes_nothing_and_the_session_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise MemoryError

    debugger = session()
    said(debugger, "step")
    monkeypatch.setattr("gradstep.core.check.check.check", fails)
    reply = debugger.execute("check")
    assert (reply.ok, reply.failed) == (False, False)
    assert reply.error == "there is not enough memory for this"
    assert (reply.position, said(debugger, "step").position) == (1, 2)


# ---------------------------------------------------------------------- interruption


@pytest.mark.parametrize("kind", [Interrupted, KeyboardInterrupt])
def test_an_interrupted_training_keeps_what_was_done(kind: type[BaseException]) -> None:
    def stop(done: int, _of: int) -> None:
        if done >= 20:
            raise kind

    debugger = Debugger(parse(TRAINING), progress=stop)
    reply = debugger.execute("train 100")
    assert not reply.ok
    assert reply.interrupted
    assert "what was done is kept" in (reply.error or "")
    assert reply.iteration >= 19
    assert len(debugger.timeline.records) >= 20


LINES = "\n".join(f"x{i + 1} = x{i} * w" for i in range(400))
CHAIN = f"""
gradstep = 1
program = '''
{LINES}
'''
output = "x400"
[inputs]
x0 = 1.0
[parameters]
w = 0.99
[training]
learning_rate = 0.001
iterations = 300
"""

# What is long, after these lines, and whether we are somewhere else then.
LONG = [
    ("catch zero", "continue", True),
    ("catch small 1e-30", "continue", True),
    ("catch large 1e30; goto end", "reverse-continue", True),
    ("watch w.grad if w.grad > 1e9", "continue", True),
    ("break op:multiply if x0 > 2", "continue", True),
    ("", "until w.grad > 1e9", True),
    ("", "train 200", True),
    ("", "check", False),
    ("goto end", "history w.grad", False),
    ("set x0 = 2; goto end", "diff 0 1", False),
    ("goto end", "paths w", False),
    ("set x0 = 0; goto end", "why w.grad", False),
    ("goto end", "set x0 = 2", False),
    ("goto end", "set x9.grad = 2", False),
]


@pytest.mark.parametrize(("before", "line", "moves"), LONG)
def test_what_is_long_tells_how_far_it_is_and_can_be_given_up(
    before: str, line: str, moves: bool
) -> None:
    told: list[tuple[int, int]] = []

    def tell(done: int, of: int) -> None:
        told.append((done, of))
        if len(told) > 1:
            raise Interrupted

    debugger = Debugger(parse(CHAIN))
    for one in filter(None, before.split("; ")):
        said(debugger, one)
    start, debugger.progress = debugger.place, tell
    reply = debugger.execute(line)
    assert told
    assert all(0 <= done <= of for done, of in told)
    assert reply.interrupted
    assert (debugger.place != start) == moves
    debugger.progress = lambda done, of: None
    assert said(debugger, "print x0").ok


def test_a_run_that_is_given_up_is_none() -> None:
    def tell(done: int, of: int) -> None:
        if done > of // 2:
            raise Interrupted

    debugger = Debugger(parse(CHAIN))
    debugger.progress = tell
    assert debugger.execute("set x0 = 2").interrupted
    assert (debugger.chosen, len(debugger.runs)) == (0, 1)
    assert said(debugger, "print x0").data == 1


def test_given_up_travel_is_where_it_has_come_to() -> None:
    def tell(done: int, _of: int) -> None:
        if done >= 128:
            raise Interrupted

    debugger = Debugger(parse(CHAIN))
    said(debugger, "catch zero")
    debugger.progress = tell
    reply = debugger.execute("continue")
    assert (reply.interrupted, debugger.place) == (True, (0, 128))


# --------------------------------------------------------------------------- looking


def test_displays_are_printed_at_each_stop() -> None:
    debugger = session()
    said(debugger, "display norm(W.grad)")
    reply = said(debugger, "goto end")
    [(number, text, shown)] = reply.display
    assert (number, text) == (1, "norm(W.grad)")
    gradient = debugger.trace.run.gradient(debugger.graph.node("W").index)
    close(shown, np.linalg.norm(np.asarray(gradient)))
    assert said(debugger, "print 1").display == ()


def test_history_lists_each_change_with_its_event() -> None:
    debugger = session()
    reply = said(debugger, "history W.grad")
    events = [row["event"] for row in reply.data]
    assert events == [
        n + 1 for n in debugger.trace.arrivals(debugger.graph.node("W").index)
    ]


def test_help_speaks_of_every_command() -> None:
    debugger = session()
    for name, command in debugger.commands.items():
        text = "\n".join(said(debugger, f"help {name}").text)
        assert command.summary in text
    listed = "\n".join(said(debugger, "help").text)
    assert all(name in listed for name in debugger.commands)


def test_no_two_commands_share_a_name_an_alias_or_a_key() -> None:
    words = [*Debugger.commands, *Debugger.aliases]
    assert len(words) == len(set(words))
    keys = [key for command in Debugger.commands.values() for key in command.keys]
    assert len(keys) == len(set(keys))


# ---------------------------------------------------------------------------- what-if


@given(program=programs(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_every_mistake_that_shows_is_found_by_check_at_its_node(
    program: Any, data: Any
) -> None:
    run = evaluate(program.graph, program.leaves)
    debugger = session()
    debugger.runs[0] = debugger.runs[0].__class__(0, Single.of(run), "")
    edges = [e for n in run.graph for e in run.graph.consumers[n.index]]
    edge = data.draw(st.sampled_from([e for e in edges if run.carries(*e[:2])]))
    names = fitting(debugger.trace, edge)
    if not names:
        return
    said(
        debugger,
        f"patch {run.graph.edge_name(edge)} {data.draw(st.sampled_from(names))}",
    )
    wrong_run = debugger.trace.run
    apart = [
        node.name
        for node in run.graph
        if (right := run.gradient(node.index)) is not None
        and (got := wrong_run.gradient(node.index)) is not None
        and not np.allclose(right, got, rtol=1e-2, atol=1e-3)
    ]
    if not apart:
        return
    reply = said(debugger, "check")
    assert reply.failed
    first = reply.show.first_wrong
    culprit = first.edge or (first.node, first.argument)
    assert edge.consumer in (culprit[0], first.node) or edge.operand == first.node


def test_until_backwards_finds_a_value_in_the_iteration_before() -> None:
    debugger = session(TRAINING)
    said(debugger, "goto 2:end")
    before, now = (debugger.timeline.records[k].loss for k in (1, 2))
    between = float(now + before) / 2
    assert now < between < before
    said(debugger, "goto 2:end")
    reply = said(debugger, f"reverse-until E > {between!r}")
    assert reply.stop is not None
    assert reply.stop.reason == "until"
    assert place(debugger) == (1, len(debugger.timeline.trace(1)))
    said(debugger, "reverse-until E > 1e9")
    assert place(debugger) == (0, 0)
    said(debugger, "goto 2:end")
    said(
        debugger, "reverse-until W[0, 0] < 1e9"
    )  # it is true all the time, not from here
    assert place(debugger) == (0, 0)


def test_the_update_of_a_parameter_is_a_place() -> None:
    debugger = session(TRAINING)
    said(debugger, "goto W@update")
    assert debugger.position == debugger.trace.update_position + 1
    said(debugger, "goto start")
    said(debugger, "break W@update")
    stop = said(debugger, "continue").stop
    assert stop is not None
    assert stop.where == "W"
    assert debugger.position == debugger.trace.update_position
    assert "x is not updated" in wrong(debugger, "goto x@update")
    assert "does not train" in wrong(session(), "goto W@update")


def test_changes_of_larger_arrays_say_how_large_the_largest_is() -> None:
    debugger = Debugger(load("two_layer_net"))
    said(debugger, "goto b2")
    said(debugger, "reverse-stepi")
    text = said(debugger, "stepi").text[0]
    gradient = value(debugger, "b2.grad")
    flat = int(np.argmax(np.abs(gradient)))
    assert f"largest change {gradient[flat]:.6g} at [{flat}]" in text


def test_a_long_table_of_iterations_is_sampled_and_its_data_is_whole() -> None:
    debugger = session(TRAINING)
    short = said(debugger, "info iterations")
    assert short.text[0].startswith("iteration  E  ")
    said(debugger, "train 60")
    reply = said(debugger, "info iterations")
    assert len(reply.data) > 60
    assert len(reply.text) == 20
    shown = [row[0] for row in reply.show.rows]
    assert shown[0] == 0
    assert shown[-1] == len(reply.data) - 1


def test_expect_stop_takes_the_index_that_is_printed() -> None:
    debugger = Debugger(load("nan_where"))
    said(debugger, "catch nan")
    stop = said(debugger, "continue").stop
    assert stop is not None
    for where in ("y._2<-x[1]", "y._2<-x", "nan at y._2<-x[1]", "nan"):
        said(debugger, f"expect stop catch {where}")
    assert "expected a stop" in wrong(debugger, "expect stop catch y._2<-x[0]")
