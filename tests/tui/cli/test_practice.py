"""`play --ask`: questions and answers over standard input."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from gradstep.core.base.exits import OK, WRONG
from gradstep.tui.cli import main as cli

if TYPE_CHECKING:
    from pathlib import Path

LESSON = """
gradstep = 1
program = "y = a * b"
[inputs]
a = 3.0
b = 4.0
[questions]
"forward y" = { ask = "y", wrong = { "a + b" = "Times." }, hint = "h", after = "So." }
"seed" = { ask = "Which?", choices = ["one", "two"], answer = "one" }
"end" = { ask = "And a.grad?", answer = "a.grad" }
"""


@pytest.fixture
def lesson(tmp_path: Path) -> str:
    path = tmp_path / "lesson.toml"
    path.write_text(LESSON, "utf-8")
    return str(path)


@pytest.fixture
def played(
    lesson: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def play(typed: str, *flags: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = cli.run(["play", lesson, "--ask", "--width", "80", "--plain", *flags])
        said = capsys.readouterr()
        return code, said.out + said.err

    return play


def test_questions_stand_before_their_steps(played) -> None:
    code, out = played("7\n12\nb\nz\na\n4\n")
    assert code == OK
    order = (
        *("What will y be?", "> Not 7. Times.", "> Right. It is 12.", "So."),
        *("1 of 4", "Which?  a) one  b) two", "> Not b.", "write a letter: a, b"),
        *("> Right. It is: one", "2 of 4", "4 of 4", "And a.grad?"),
        *("> Right. It is 4.", "gradients"),
        "3 questions: 1 right at once, 2 right later",
    )
    places = [out.find(text) for text in order]
    assert -1 not in places
    assert places == sorted(places)


def test_the_third_wrong_answer_and_an_empty_line_are_told_all(played) -> None:
    code, out = played("1\n2\n3\n\n\n")
    assert code == OK
    # How to answer is said once, below the first question.
    assert "What will y be?\ntype the answer; Enter alone shows it\n> Not 1." in out
    assert out.count("Enter alone") == 1
    assert out.count("Not 1. h") == out.count("Not 2. h") == 1
    assert "Not 3. It is 12." in out
    assert "It is: one" in out
    assert "3 questions: 3 shown" in out


def test_what_is_no_answer_is_told_and_costs_nothing(played) -> None:
    _, out = played("nonsense\ny\n12\n")
    assert "nothing is called 'nonsense'" in out
    assert "y is not computed yet" in out  # it is what is asked for
    assert "Right. It is 12." in out
    assert "1 question: 1 right at once" in out


@pytest.mark.parametrize("typed", ["", "12\n", "12\na\n"])
def test_input_that_is_closed_ends_it_cleanly(typed: str, played) -> None:
    code, out = played(typed)
    assert code == OK
    assert "Traceback" not in out
    assert "gradients" not in out
    assert ("right at once" in out) == bool(typed)


def test_only_what_is_played_is_asked(played) -> None:
    _, out = played("a\n4\n", "--from", "2")
    assert "What will y be?" not in out
    assert "2 questions: 2 right at once" in out
    _, out = played("12\n", "--to", "1", "--steps", "statements")
    assert "1 question: 1 right at once" in out


def test_a_scenario_without_questions_asks_nothing(capsys) -> None:
    assert cli.run(["play", "apple_orange", "--ask"]) == WRONG
    assert "an author writes them under [questions]" in capsys.readouterr().err
