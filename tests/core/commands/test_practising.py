"""Predicting: a step asks first, and happens once it is answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.practice.predict.question import Question
from gradstep.core.practice.predict.score import Log, Verdict
from gradstep.core.scenario.scenario import load, parse
from gradstep.core.session.asking import go_on, pending
from sessions import said, wrong

if TYPE_CHECKING:
    from pathlib import Path


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
    assert first.data["next"]["element"] == "W.grad[1, 0]"
    second = said(debugger, "answer 20")
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


def test_an_element_is_asked_for() -> None:
    debugger = at("output")
    said(debugger, "predict W.grad[1, 0]")
    said(debugger, "goto X.grad")
    assert said(debugger, "stepi").data["element"] == "W.grad[1, 0]"
    said(debugger, "predict W.grad[-1, -1]")
    assert said(debugger, "stepi").data["element"] == "W.grad[1, 1]"
    said(debugger, "answer 77")
    assert "asked already" in wrong(debugger, "predict W.grad[0, 0]")
    assert "did you mean 'signs'" in wrong(debugger, "predict sings")


def test_three_right_at_once_lead_on_and_one_that_is_shown_leads_back() -> None:
    debugger = Debugger(load("matmul"))
    said(debugger, "predict on")
    for shape in ("(1, 2)", "2, 1", "(1 x 2)"):
        said(debugger, "stepi")
        reply = said(debugger, f"answer {shape}")
    assert reply.data["said"][1] == "From here on, signs are asked: answer + -; 0 +"
    said(debugger, "goto sum_X._1")
    assert said(debugger, "stepi").data["kind"] == "signs"
    reply = said(debugger, "show")
    assert reply.data["said"][1] == "From here on, shapes are asked: answer (2, 3)"
    said(debugger, "predict signs")
    said(debugger, "goto output")
    said(debugger, "stepi")
    said(debugger, "show")
    assert said(debugger, "stepi").data["kind"] == "signs"


def hints(place: str, *answers: str, kind: str = "numbers") -> list[str]:
    """Return what is said to each answer to the question at a place."""
    debugger = at(place)
    said(debugger, f"predict {kind}")
    said(debugger, "stepi")
    return [said(debugger, f"answer {text}").data["said"][0] for text in answers]


def test_a_wrong_number_is_told_its_mistake_then_the_first_term_then_all() -> None:
    # 10 · 3 + 1 · (−1) = 29, and 34 is without the transpose.
    assert hints("output", "34", "34", "34") == [
        (
            "Not 34. You get that when the transpose is dropped: 10 × 3 + 1 × 4, "
            "where 10 × 3 + 1 × (-1) belongs."
        ),
        "Not 34. The first of its 2 terms is 10 × 3 (Y.grad[0, 0] · W[0, 0]).",
        "Not 34. It is: X.grad[0, 0] = 29 = 10 × 3 + 1 × (-1)",
    ]


def test_a_number_that_no_mistake_makes_is_told_how_far_off_it_is() -> None:
    (hint,) = hints("output", "58.7")
    assert hint == (
        "Not 58.7. That is about 2 times too large. The largest of its 2 terms is "
        "10 × 3 (Y.grad[0, 0] · W[0, 0])."
    )


def test_a_term_that_is_missing_is_found() -> None:
    assert hints("output", "-1") == ["Not -1. The term 10 × 3 is missing."]
    assert hints("output", "31") == ["Not 31. The term 1 × (-1) has the wrong sign."]


def test_signs_and_shapes_have_hints_of_their_own() -> None:
    assert hints("output", "+ 0", "- -", kind="signs") == [
        "Not + 0. One sign is wrong, the first that of X.grad[0, 1].",
        (
            "Not - -. Look at X.grad[0, 0]. The first of its 2 terms is 10 × 3 "
            "(Y.grad[0, 0] · W[0, 0])."
        ),
    ]
    assert hints("output", "(2, 1)", "2, 2", "()", kind="shapes") == [
        (
            "Not (2, 1). The axes are swapped. A gradient has the shape of what it "
            "belongs to: X."
        ),
        "Not 2, 2. It has 2 axes, the first of 1.",
        "Not (). It is: X.grad has the shape (1, 2)",
    ]


def test_the_score_counts_how_each_question_was_done(tmp_path: Path) -> None:
    debugger = at("output")
    assert said(debugger, "info predictions").text == ("no predictions",)
    debugger.memory.log = Log(str(tmp_path / "log.jsonl"))
    said(debugger, "step")
    said(debugger, "answer 34")
    said(debugger, "answer 29")
    said(debugger, "show")
    score = said(debugger, "info predictions")
    assert score.text == (
        "asked for  right at once  right later  shown",
        "number     0              1            1",
    )
    assert score.data == [
        {"asked for": "number", "right at once": 0, "right later": 1, "shown": 1}
    ]
    lines = (tmp_path / "log.jsonl").read_text("utf-8").splitlines()
    first, second = map(json.loads, lines)
    assert first == {
        "scenario": "matmul",
        "run": 0,
        "iteration": 0,
        "question": "What will X.grad[0, 0] be?",
        "kind": "number",
        "element": "X.grad[0, 0]",
        "event": 25,
        "where": "Y<-X",
        "answers": ["34", "29"],
        "mistakes": ["transpose", ""],
        "right": 29.0,
        "outcome": "later",
        "tries": 2,
    }
    assert (second["outcome"], second["tries"]) == ("shown", 0)


def test_a_log_that_cannot_be_written_takes_no_answer_back(tmp_path: Path) -> None:
    debugger = at("output")
    debugger.memory.log = Log(str(tmp_path / "nowhere" / "log.jsonl"))
    said(debugger, "stepi")
    reply = said(debugger, "answer 29")
    assert "The log is not written" in reply.data["said"][1]
    assert reply.data["outcome"] == "at once"
    assert reply.moved


# Truth values, whole numbers, an array without elements, NaN and infinity.
ODD = """
gradstep = 1
output = "E"
program = '''
m = x > 0.5
y = where(m, x, 0 * x)
z = log(y)
e = x[0:0]
s = sum(z * z) + sum(e)
n = take(x, places)
E = s + sum(n) / 3 + max(x) + prod(x) + std(x) + logsumexp(x)
'''
[inputs]
x = [0.25, 0.75, 2.0]
[constants]
places = [0, 0, 2]
"""
ANSWERS = (
    "1; -3; nan; inf; +; - 0 +; (); (3,); x; 1e400; 1/0; True; 0.27; 0; 'a'; 1,5; 3 %"
)


@pytest.mark.parametrize("kind", ["shapes", "signs", "numbers"])
@pytest.mark.parametrize("shift", range(3))
def test_a_pass_of_odd_numbers_can_be_predicted(kind: str, shift: int) -> None:
    debugger, answers = Debugger(parse(ODD)), ANSWERS.split("; ")
    said(debugger, f"predict {kind}")
    for event in range(len(debugger.trace)):
        said(debugger, "stepi")
        for number in range(3):
            if pending(debugger) is None:
                break
            text = answers[(3 * event + number + shift) % len(answers)]
            reply = debugger.execute(f"answer {text}")
            assert reply.ok or reply.error
        if pending(debugger) is not None:
            said(debugger, "show")
        assert debugger.position == event + 1


def test_what_was_predicted_is_recorded_and_played_again() -> None:
    debugger = at("output")
    for line in ("step", "answer 34", "answer 29", "show"):
        said(debugger, line)
    again = Debugger(load("matmul"))
    for line in debugger.memory.script:
        said(again, line)
    assert again.place == debugger.place
    assert again.memory.answered == debugger.memory.answered


def test_a_session_loaded_again_goes_on_asking(tmp_path: Path) -> None:
    before, fresh = at("output"), Debugger(load("matmul"))
    before.memory.log = Log(str(tmp_path / "log.jsonl")).begin()
    for line in ("stepi", "answer 29", "predict W.grad[1, 0]", "stepi"):
        said(before, line)
    go_on(fresh, before)
    assert fresh.modes == ("predict",)
    assert pending(fresh) is None
    said(fresh, "goto output")
    assert said(fresh, "stepi").data["kind"] == "number"
    said(fresh, "show")
    assert said(fresh, "info predictions").data[0]["shown"] == 1
    assert len((tmp_path / "log.jsonl").read_text("utf-8").splitlines()) == 2


PASSING = """
gradstep = 1
program = '''
d = a - b
E = d * d
'''
[parameters]
a = 5.0
b = 2.0
"""


def test_what_is_only_passed_on_is_shown_on_the_way_to_the_next_question() -> None:
    debugger = Debugger(parse(PASSING))
    said(debugger, "predict numbers")
    said(debugger, "goto 5")
    before = debugger.position
    reply = said(debugger, "step")  # a.grad is d.grad, b.grad is −d.grad
    assert reply.text == (
        "d<-a: a.grad 0 → 6 (use 1 of 1)",
        "backward · event 6 of 7",
        "Next: b receives through d = a − b",
        "What will b.grad be?",
    )
    assert (reply.data["element"], reply.data["from"]["position"]) == ("b.grad", before)
    assert said(debugger, "answer -6").phase == "end"
    said(debugger, "goto 5")
    assert said(debugger, "stepi").text[0] == "d<-a: a.grad 0 → 6 (use 1 of 1)"
    said(debugger, "goto 5")
    said(debugger, "predict a.grad")  # what a person has chosen is asked for
    assert said(debugger, "stepi").data["element"] == "a.grad"


def test_what_is_left_behind_the_last_question_of_a_step_is_done() -> None:
    debugger = Debugger(parse(PASSING.replace("a - b", "b - a")))
    said(debugger, "predict numbers")
    said(debugger, "goto E")
    said(debugger, "stepi 99")
    for answer in ("1", "-3", "-3 - 3", "6"):  # E.grad, d.grad twice, a.grad
        reply = said(debugger, f"answer {answer}")
    assert reply.phase == "end"
