"""Predicting: a step asks first, and happens once it is answered."""

from __future__ import annotations

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.practice.question import Question
from gradstep.core.practice.score import Verdict
from gradstep.core.scenario.scenario import load
from gradstep.core.session.asking import pending

from ...sessions import said, wrong


def at(place: str) -> Debugger:
    """Return a session of `matmul` at a place, with predict on."""
    debugger = Debugger(load("matmul"))
    said(debugger, f"goto {place}")
    said(debugger, "predict numbers")
    return debugger


def test_a_step_asks_and_stays() -> None:
    debugger = at("output")
    before = debugger.place
    reply = said(debugger, "stepi")
    assert isinstance(reply.show, Question)
    assert debugger.place == before
    assert not reply.moved
    assert reply.data["element"] == "X.grad[0, 0]"
    assert said(debugger, "step").data == reply.data


def test_a_right_answer_lets_it_happen() -> None:
    debugger = at("output")
    said(debugger, "stepi")
    reply = said(debugger, "answer 29")
    assert reply.moved
    assert isinstance(reply.show, Verdict)
    assert reply.data["outcome"] == "at once"
    assert debugger.execute("print X.grad[0, 0]").data == 29


def test_a_step_over_a_node_asks_for_each_of_its_edges() -> None:
    debugger = at("output")
    said(debugger, "step")
    first = said(debugger, "answer Y.grad[0] @ W[0]")
    assert first.data["next"]["element"] == "W.grad[0, 1]"
    second = said(debugger, "answer 1")
    assert second.data["next"] is None
    assert second.phase == "end"


def test_the_third_wrong_answer_shows_it() -> None:
    debugger = at("output")
    said(debugger, "stepi")
    for text in ("1", "2"):
        reply = said(debugger, f"answer {text}")
        assert reply.data["outcome"] is None
        assert not reply.moved
    reply = said(debugger, "answer 3")
    assert reply.data["outcome"] == "shown"
    assert reply.moved


def test_what_cannot_be_read_costs_no_try() -> None:
    debugger = at("output")
    said(debugger, "stepi")
    for text in ("1 +", "nonsense", "X.grad", "W", "W.grad[0, 1]"):
        wrong(debugger, f"answer {text}")
        asked = pending(debugger)
        assert asked is not None
        assert asked.answers == ()


def test_other_movement_goes_on_unasked_and_leaves_the_question() -> None:
    debugger = at("output")
    said(debugger, "stepi")
    assert said(debugger, "next").moved
    assert pending(debugger) is None
    assert "nothing is asked" in wrong(debugger, "answer 1")
    assert debugger.memory.answered == []
