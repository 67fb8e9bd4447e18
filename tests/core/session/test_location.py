"""Places of a trace: what they name, and what is said when they name nothing."""

from __future__ import annotations

import pytest

from gradstep import Debugger, load
from gradstep.core.base.errors import CommandError
from gradstep.core.engine.trace import Contribution, Forward
from gradstep.core.session.location import Location, parse_location
from gradstep.core.words.edges import parse_edge
from sessions import LAYERS, session

BUG = session(LAYERS)
TRACE, GRAPH = BUG.trace, BUG.graph


def at(text: str) -> Location:
    return parse_location(text, TRACE, BUG.subject.names)


def events(text: str) -> list[list[object]]:
    return [[TRACE.event(n) for n in span] for span in at(text).spans(TRACE)]


def test_a_node_is_its_value_and_what_it_sends_back() -> None:
    b = GRAPH.node("b").index
    forward, backward = events("b")
    assert forward == [Forward(b)]
    assert [e.consumer for e in backward if isinstance(e, Contribution)] == [b, b]
    assert events("b@forward") == [forward]
    assert events("b@backward") == [backward]
    assert events("b@b") == [backward]


def test_a_leaf_is_what_arrives_at_it() -> None:
    spans = at("W").spans(TRACE)
    assert [span[0] for span in spans] == list(TRACE.arrivals(GRAPH.node("W").index))
    assert at("W").position(TRACE) == spans[-1].stop
    with pytest.raises(CommandError, match="given, not computed"):
        at("W@forward")


def test_a_frame_an_operation_and_a_line() -> None:
    [frame] = [f for f in GRAPH.frames if f.name == "a.h"]
    forward, backward = at("a.h").spans(TRACE)
    assert forward == TRACE.forward_events(frame.first, frame.stop)
    assert backward == TRACE.backward_events(frame.first, frame.stop)
    assert len(at("node:a.h").spans(TRACE)[0]) == 1
    assert at("frame:layer").nodes == tuple(
        (f.first, f.stop) for f in GRAPH.frames if f.function == "layer"
    )
    sigmoids = [n.index for n in GRAPH if n.op is not None and n.op.name == "sigmoid"]
    starts = [TRACE.event(span[0]) for span in at("op:sigmoid@forward").spans(TRACE)]
    assert starts == [Forward(n) for n in sigmoids]
    [line] = at("line:11@forward").spans(TRACE)
    nodes = [TRACE.event(number).node for number in line]
    assert GRAPH.nodes[nodes[-1]].name == "E"


def test_a_line_of_the_prelude_is_a_place_as_well() -> None:
    debugger = session(LAYERS.replace("E = ", "n = layer_norm(a)\nE = sum(n) + "))
    statements = [s for s in debugger.graph.statements if s.target == "n.variance"]
    assert statements
    for statement in statements:
        place = debugger.location(f"line:prelude:{statement.line}")
        assert place.nodes == ((statement.first, statement.stop),)
    with pytest.raises(CommandError, match=r"line prelude:1; lines with one: \d"):
        debugger.location("line:prelude:1")
    with pytest.raises(CommandError, match="did you mean 'prelude'"):
        debugger.location("line:prelud:7")
    with pytest.raises(CommandError, match="lines are those of prelude and program"):
        debugger.location("line:else:7")


def test_the_ends_the_seed_an_event_and_a_name() -> None:
    assert at("start").position(TRACE) == 0
    assert at("end").position(TRACE) == len(TRACE)
    assert at("output").position(TRACE) == TRACE.seed_position + 1
    assert at("#3").position(TRACE) == 3
    assert at("δ").spans(TRACE) == at("a@backward").spans(TRACE)
    assert at("a.grad").spans(TRACE) == at("a@backward").spans(TRACE)
    assert at("W.grad").spans(TRACE) == at("W").spans(TRACE)


def test_an_edge_says_which_when_there_are_two() -> None:
    b1 = GRAPH.node("b._1")
    assert parse_edge("b._1<-a#1", GRAPH) == (b1.index, 1)
    with pytest.raises(CommandError, match=r"b\._1<-a#0, b\._1<-a#1"):
        parse_edge("b._1<-a", GRAPH)
    with pytest.raises(CommandError, match="uses a 2 times"):
        parse_edge("b._1<-a#7", GRAPH)
    [span] = at("b._1<-a#0").spans(TRACE)
    assert TRACE.event(span[0]) == Contribution(b1.index, 0, GRAPH.node("a").index)


def test_an_edge_may_enter_a_line_at_an_inner_node() -> None:
    debugger = session(
        "gradstep = 1\nprogram = 'E = sum((a @ b + b) * a)'\n"
        "[inputs]\na = [[1, 2], [3, 4]]\nb = [[1, 2], [3, 4]]\n"
    )
    graph = debugger.graph
    with pytest.raises(CommandError, match=r"its line has E\._1<-a, E\._3<-a"):
        parse_edge("E<-a", graph)
    hidden = Debugger(load("hidden_layer")).graph
    assert parse_edge("z2<-h", hidden) == parse_edge("z2._1<-h", hidden)


def test_spans_are_in_the_order_of_time() -> None:
    for text in ("a", "a.h", "op:sigmoid", "line:3", "W", "frame:layer", "b"):
        starts = [span.start for span in at(text).spans(TRACE)]
        assert starts == sorted(starts), text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("aa", "did you mean"),
        ("op:sigmoit", "did you mean 'sigmoid'"),
        ("op:conv2d", "is not used here"),
        ("op:fish", "is not an operation"),
        ("frame:lyer", "did you mean 'layer'"),
        ("line:900", "lines with one"),
        ("line:x", "lines with one"),
        ("#0", "#1 …"),
        ("#x", "there is no event"),
        ("a@side", "no pass"),
        ("a<-nothing", "no node is called"),
        ("E<-x", "its operands are"),
        ("node:x9", "nothing is called"),
        ("", "nothing is called"),
    ],
)
def test_what_is_no_place_says_what_is(text: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        at(text)
