"""The questions of an author: when they are put, and what an answer is worth."""

from __future__ import annotations

import math

import pytest

from gradstep import Debugger, load, parse
from gradstep.core.base.exits import FAILED, OK
from gradstep.core.debugger.verify import promises, verify_questions
from gradstep.core.practice.authors import mistakes, questions_in_time
from gradstep.core.practice.predict.score import Verdict
from gradstep.core.scenario.builtin import builtin_names

NEURON = """
gradstep = 1
program = '''
z = w * x
a = sigmoid(z)
E = 0.5 * (a - t) ** 2
'''
[inputs]
x = 2.0
[parameters]
w = 0.5
[constants]
t = 1.0
[training]
learning_rate = 0.1
[questions]
"start" = { ask = "w + x" }
"forward z" = { ask = "z", wrong = { "x + w" = "Times, not plus." }, hint = "x, w" }
"seed" = { ask = "Which?", choices = ["one", "two"], answer = "one", after = "So." }
"backward z" = { ask = "z.grad", hint = "h", after = "The delta." }
"update w" = { ask = "w" }
"end" = { ask = "What is twice E?", answer = "2 * E", tolerance = 0.1 }
"""

BEFORE = "goto 9"  # the event that z.grad comes from


def session() -> Debugger:
    return Debugger(parse(NEURON))


def said(debugger: Debugger, line: str) -> list[str]:
    reply = debugger.execute(line)
    assert reply.ok, reply.error
    return list(reply.text)


def test_each_is_put_before_what_happens_at_its_place() -> None:
    debugger = session()
    trace, names = debugger.trace, debugger.graph.names
    found = questions_in_time(debugger.subject, trace)
    assert [(put.place.when, put.position) for put in found] == [
        ("start", 0),
        ("forward", 0),
        ("seed", trace.seed_position),
        ("backward", trace.arrivals(names["z"])[-1]),
        ("update", trace.update_event(names["w"])),
        ("end", len(trace)),
    ]
    for put in found:
        # What it asks for is not there yet, but at the start and at the end.
        is_event = put.place.when not in ("start", "end")
        assert put.known == put.position + is_event


def test_a_move_tells_what_is_asked_where_it_leads() -> None:
    debugger = session()
    assert said(debugger, "goto a")[-1] != "What will z.grad be?"
    assert said(debugger, BEFORE)[-1] == "What will z.grad be?"
    assert said(debugger, "print z")[-1] != "What will z.grad be?"  # no move


def test_what_is_given_up_is_told_and_not_asked_again() -> None:
    debugger = session()
    assert said(debugger, "answer") == ["It is 2.5."]  # w + x
    assert said(debugger, "show") == ["It is 1."]  # z: w * x
    debugger.execute("goto 0:start")
    assert "nothing is asked" in str(debugger.execute("answer 1").error)


def test_a_listed_wrong_answer_is_told_why_another_one_the_hint() -> None:
    debugger = session()
    debugger.execute("answer 2.5")
    lines = said(debugger, "answer 2.5")
    assert lines == ["Not 2.5. Times, not plus.", "What will z be?"]
    assert said(debugger, "answer x") == ["Not x. x, w", "What will z be?"]
    # By hand: z = 0.5 · 2.
    assert said(debugger, "answer 7") == ["Not 7. It is 1."]


def test_the_right_number_is_that_behind_the_event() -> None:
    debugger = session()
    debugger.execute(BEFORE)
    assert debugger.execute("print z.grad").error is not None
    a = 1 / (1 + math.exp(-1.0))
    delta = (a - 1) * a * (1 - a)
    assert said(debugger, "answer -0.05") == [
        "That is it, roughly: write 3 digits.",
        "What will z.grad be?",
    ]
    assert said(debugger, f"answer {delta:.4g}") == [
        f"Right. It is {delta:.6g}.",
        "The delta.",
    ]


def test_an_expression_over_what_is_known_is_an_answer() -> None:
    debugger = session()
    debugger.execute(BEFORE)
    reply = debugger.execute("answer a.grad * a * (1 - a)")
    assert reply.data["outcome"] == "at once"
    assert isinstance(reply.show, Verdict)
    debugger = session()
    debugger.execute(BEFORE)
    assert "no gradient has reached z yet" in str(
        debugger.execute("answer z.grad").error
    )


@pytest.mark.parametrize("text", ["a", "A)", "one", "ONE"])
def test_a_choice_is_made_by_its_letter_or_its_words(text: str) -> None:
    debugger = session()
    debugger.execute("goto E@forward")
    assert said(debugger, f"answer {text}") == ["Right. It is: one", "So."]


def test_what_is_no_choice_costs_no_try() -> None:
    debugger = session()
    debugger.execute("goto E@forward")
    assert "write a letter: a, b" in str(debugger.execute("answer c").error)
    assert debugger.execute("answer b").data["outcome"] is None
    assert debugger.execute("answer a").data["outcome"] == "later"


def test_a_tolerance_is_relative() -> None:
    debugger = session()
    debugger.execute("goto 0:end")
    energy = float(debugger.execute("print E").data)
    assert debugger.execute(f"answer {2 * energy * 1.2!r}").data["outcome"] is None
    assert debugger.execute(f"answer {2 * energy * 1.09!r}").data["outcome"] == "later"


def test_who_walks_on_or_changes_a_number_is_not_asked() -> None:
    debugger = session()
    debugger.execute("set w = 3")
    assert said(debugger, "goto 0:start") == ["start · event 0 of 13 · iteration 0"]


def test_while_predict_asks_the_answer_is_for_that() -> None:
    debugger = session()
    debugger.execute("answer")
    debugger.execute("predict numbers")
    debugger.execute("stepi")
    reply = debugger.execute("answer 1")
    assert reply.moved


def test_who_has_answered_the_author_is_not_asked_the_same_by_predict() -> None:
    debugger = session()
    for line in ("predict numbers", BEFORE, "answer 7", "show"):
        said(debugger, line)
    position = debugger.position
    said(debugger, "stepi")
    assert debugger.position == position + 1
    assert said(debugger, "stepi")[0].startswith("Next: w receives")
    assert debugger.position == position + 1


def test_who_has_not_is_asked_by_predict() -> None:
    debugger = session()
    for line in ("predict numbers", BEFORE, "answer 7"):
        said(debugger, line)
    position = debugger.position
    assert said(debugger, "stepi")[0].startswith("Next: z receives")
    assert debugger.position == position


def test_they_count_and_are_logged_as_those_of_predict() -> None:
    debugger = session()
    debugger.execute("answer 7")
    debugger.execute("answer 2.5")  # the start, at the second try
    debugger.execute("answer")  # z, given up
    said = debugger.execute("info predictions")
    assert said.data == [
        {"asked for": "author", "right at once": 0, "right later": 1, "shown": 1}
    ]
    first, second = (one.record for one in debugger.memory.answered)
    assert first["question"] == "What will w + x be?"
    assert (first["answers"], first["right"]) == (["7", "2.5"], 2.5)
    assert (first["outcome"], first["tries"]) == ("later", 2)
    assert (second["outcome"], second["answers"], second["event"]) == ("shown", [], 1)


# ---------------------------------------------------------------- held by gradstep test


@pytest.mark.parametrize(
    "name", [name for name in builtin_names() if load(name).subject.questions]
)
def test_the_questions_of_a_lesson_have_their_answers(name: str) -> None:
    verdict = verify_questions(load(name))
    assert (verdict.code, verdict.failures) == (OK, ())
    assert verdict.held == len(load(name).subject.questions) >= 2


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ('"forward z" = { ask = "z", wrong = { "w * x" = "" } }', "and it is right"),
        ('"forward z" = { ask = "z", wrong = { 1 = "" } }', "1 is listed as wrong"),
        ('"forward z" = { ask = "?", answer = "E" }', "is not computed yet"),
        ('"forward z" = { ask = "?", answer = "[z, z]" }', "is not one number"),
        ('"backward t" = { ask = "t" }', "no pass comes to this place"),
        ('"forward z" = { ask = "?", answer = "z / 0" }', "nobody can say that"),
        (
            '"seed" = { ask = "?", choices = ["a","b"], answer = "a", wrong = {a=""} }',
            "the right choice is listed as wrong",
        ),
    ],
)
def test_a_wrong_question_is_found(question: str, told: str, tmp_path) -> None:
    path = tmp_path / "q.toml"
    head = NEURON.partition("[questions]")[0]
    path.write_text(f"{head}[questions]\n{question}\n", "utf-8")
    verdict = promises(path)["questions"]()
    assert (verdict.code, verdict.held) == (FAILED, 0)
    [failure] = verdict.failures
    assert failure.startswith(f"{path}:17:1: ")
    assert told in failure


def test_right_answers_hold_in_all_kinds() -> None:
    debugger = session()
    for put in questions_in_time(debugger.subject, debugger.trace):
        assert mistakes(put, debugger.subject, debugger.trace) == []


def test_who_travels_is_told_which_questions_are_passed() -> None:
    debugger = session()
    # Those of z and of the start stand at 0, where they were seen; that of the update
    # stands where the way ends. Between them: those of the seed, at 5, and of z.grad.
    until, on = "until w@update", "continue"
    told = "; 2 questions: goto 5 asks the first"
    assert said(debugger, until)[1] == f"until: w@update{told}"
    assert "question" not in " ".join(said(debugger, "reverse-continue"))
    for line in ("goto 5", "show", "goto 0"):
        said(debugger, line)
    assert said(debugger, until)[1].endswith("; a question: goto 9 asks it")
    said(debugger, "goto 0")
    told = "; 3 questions: goto 0:9 asks the first"
    assert said(debugger, on)[0] == f"the end of the run{told}"  # of iteration 99
    assert said(debugger, "goto 0:9")[-1] == "What will z.grad be?"
