"""What `[questions]` may say: everything that is wrong is told, with its place."""

from __future__ import annotations

import pytest

from gradstep import ScenarioError, parse
from gradstep.core.engine.subject import NotePlace

HEAD = """\
gradstep = 1
program = "y = a * b"
[inputs]
a = 3.0
b = 4.0
[constants]
c = 1.0
[names]
"δ" = "a.grad"
[questions]
"""  # 10 lines


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(HEAD + text, source="q.toml")
    return [str(one) for one in caught.value.problems]


def test_an_expression_asks_for_its_value() -> None:
    subject = parse(f'{HEAD}"backward a" = {{ ask = "δ" }}').subject
    asking = subject.questions[NotePlace("backward", subject.graph.names["a"])]
    assert (asking.text, asking.right) == ("What will δ be?", "δ")
    assert (asking.choices, asking.tolerance, dict(asking.wrong)) == ((), 0.0, {})


def test_a_question_in_words_has_an_answer() -> None:
    text = '"seed" = { ask = "And the seed?", answer = 1, tolerance = 0.1 }'
    [asking] = parse(HEAD + text).subject.questions.values()
    assert (asking.text, asking.right, asking.tolerance) == ("And the seed?", "1", 0.1)


@pytest.mark.parametrize(
    ("text", "at", "told"),
    [
        ('"forward q" = { ask = "y" }', "11:1", "no node is called 'q'"),
        ('"sideways y" = { ask = "y" }', "11:1", "is no place for a question"),
        ('"update a" = { ask = "a" }', "11:1", "'a' is no parameter"),
        ('"forward y" = "y"', "11:15", "is the text 'y'"),
        ('"forward y" = { }', "11:1", "it does not say what to ask"),
        ('"forward y" = { ask = " " }', "11:1", "it does not say what to ask"),
        ('"forward y" = { ask = "yy" }', "11:23", "nothing is called 'yy'"),
        ('"forward y" = { ask = "y +" }', "11:23", "invalid syntax"),
        ('"forward y" = { ask = "y", after = 3 }', "11:36", "after is 3"),
        ('"forward y" = { ask = "y", hnt = "" }', "11:28", "'hnt' is not a key"),
        ('"forward y" = { ask = "y", tolerance = 2 }', "11:40", "tolerance is 2"),
        ('"forward y" = { ask = "?", answer = "q" }', "11:37", "called 'q'"),
        ('"forward y" = { ask = "y", wrong = { "a + q" = "" } }', "11:38", "'q'"),
        (f'"forward y" = {{ ask = "{"y" * 201}" }}', "11:23", "201 characters"),
        ('"seed" = { ask = "?", choices = ["a"] }', "11:33", "choices is 1 texts"),
        ('"seed" = { ask = "?", choices = "ab" }', "11:33", "choices is the text"),
        ('"seed" = { ask = "?", choices = ["a", 2] }', "11:39", "a choice is 2"),
        ('"seed" = { ask = "?", choices = ["a", "A"] }', "11:33", "are the same"),
        ('"seed" = { ask = "?", choices = ["a", "b"] }', "11:33", "which choice"),
        (
            '"seed" = { ask = "?", choices = ["a", "b"], answer = "c" }',
            "11:54",
            "the answer 'c' is no choice",
        ),
        (
            '"seed" = { ask = "?", choices = ["a","b"], answer = "a", wrong = {c=""} }',
            "11:67",
            "'c' is no choice",
        ),
        (
            '"backward a" = { ask = "a" }\n"backward δ" = { ask = "a" }',
            "12:1",
            "no node is called",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, at: str, told: str) -> None:
    found = problems(text)
    assert any(one.startswith(f"q.toml:{at}: ") and told in one for one in found), found


def test_all_mistakes_come_at_once() -> None:
    text = '"seed" = { ask = 1 }\n"forward y" = { ask = "q" }\n"end" = { answer = 2 }'
    assert len(problems(text)) == 3


def test_texts_are_harmless() -> None:
    text = (
        '"seed" = { ask = "a\\u001b[31m?", answer = 1, hint = "b\\u0007", after = "" }'
    )
    [asking] = parse(HEAD + text).subject.questions.values()
    assert "\x1b" not in asking.text
    assert "\x07" not in asking.hint
