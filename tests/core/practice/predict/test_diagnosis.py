"""A wrong answer is recognised as the mistake that makes it, and never as another."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.element import index_of
from gradstep.core.engine.trace import Contribution, Trace
from gradstep.core.mistakes.catalogue import MISTAKES
from gradstep.core.practice.predict.diagnosis import Judgement, judge
from gradstep.core.practice.predict.question import question_at, right_array
from gradstep.core.practice.predict.slips import slips
from gradstep.core.scenario.builtin import builtin_names
from gradstep.core.scenario.scenario import load, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.engine.element import Index

FEW = 6  # elements that are asked for, of each array
NAMES = builtin_names()


def judged(debugger: Debugger, position: int, index: Index, text: str) -> Judgement:
    """Return what is said to an answer, as the first one."""
    question = question_at(debugger.trace, position, "number", index)

    def evaluate(written: str) -> object:
        return debugger.expression(written).evaluate(debugger.state())

    return judge(debugger.trace, question, text, evaluate, 0, 6)


def some_places(shape: Index, count: int) -> list[Index]:
    size = int(np.prod(shape, dtype=int))
    return [index_of(k * size // count, shape) for k in range(min(size, count))]


def mistaken(trace: Trace, position: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each mistake at an event, with the gradient that a run with it has then."""
    event = trace.event(position)
    assert isinstance(event, Contribution)
    for mistake in MISTAKES.values():
        try:
            patches = mistake.make(trace, event.edge, trace.run.patches)
        except ValueError:
            continue
        wrong = Trace(trace.run.patched(patches))
        number = wrong.edge_event(event.consumer, event.argument)
        # Where the edge is cut, what has arrived before is all.
        found = wrong.gradient(event.operand, number + 1) if number else None
        if number is None:
            found = trace.gradient(event.operand, position)
        empty = np.zeros_like(trace.run.value(event.operand))
        yield mistake.name, empty if found is None else found


def is_same(one: float, two: float, size: float = 0.0) -> bool:
    """Tell whether two numbers are one; rounding may have made that much of a size."""
    near = np.isclose(one, two, rtol=1e-12, atol=1e-14 * size, equal_nan=True)
    return one == two or bool(near)


@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_is_recognised_at_each_step(name: str) -> None:
    debugger, seen = Debugger(load(name)), 0
    trace = debugger.trace
    for position in range(trace.seed_position + 1, trace.update_position):
        debugger.execute(f"goto {position}")
        question = question_at(trace, position, "number")
        right = right_array(trace, question)
        size = float(np.max(np.abs(right[np.isfinite(right)]), initial=1.0))
        made = list(slips(trace, position))
        for mistake, array in mistaken(trace, position):
            for index in some_places(array.shape, FEW):
                number = float(array[index])
                found = judged(debugger, position, index, repr(number))
                if is_same(number, float(right[index]), size):
                    continue
                seen += 1
                others = (s.array[index] for s in made if s.name == found.mistake)
                assert found.mark == "wrong"
                assert found.mistake == mistake or any(
                    is_same(number, float(one), size) for one in others
                ), (position, mistake, index, found)
    assert seen


@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_of_a_value_or_an_update_is_recognised(name: str) -> None:
    debugger = Debugger(load(name))
    trace = debugger.trace
    passes = (range(trace.seed_position + 1), range(trace.update_position, len(trace)))
    for position in (*passes[0], *passes[1]):
        debugger.execute(f"goto {position}")
        question = question_at(trace, position, "number")
        right = right_array(trace, question)
        made = list(slips(trace, position))
        for slip in made:
            assert slip.array.shape == right.shape
            for index in some_places(right.shape, FEW):
                number = float(slip.array[index])
                if is_same(number, float(right[index]), 1.0):
                    continue
                found = judged(debugger, position, index, repr(number))
                others = (s.array[index] for s in made if s.name == found.mistake)
                assert found.mark == "wrong"
                assert any(is_same(number, float(one), 1.0) for one in others)


@given(st.data())
def test_answers_drawn_at_random_get_no_wrong_verdict(data: st.DataObject) -> None:
    debugger = DRAWN[data.draw(st.sampled_from(NAMES))]
    trace = debugger.trace
    position = data.draw(st.integers(0, len(trace) - 1))
    debugger.execute(f"goto {position}")
    question = question_at(trace, position, "number")
    right_all = right_array(trace, question)
    places = some_places(right_all.shape, 50)
    index = data.draw(st.sampled_from(places))
    right = float(right_all[index])
    if not np.isfinite(right):
        return
    # Near the right number, at it, rounded, cut off, or anywhere.
    near = st.builds(lambda f: right * f, st.floats(0.9, 1.1)) | st.just(right)
    number = data.draw(near | st.floats(-1e3, 1e3) | st.integers(-9, 9).map(float))
    digits = data.draw(st.integers(1, 12))
    text = f"{number:.{digits - 1}e}"
    found = judged(debugger, position, index, text)
    off = abs(Fraction(text) - Fraction(right))
    exponent = int(text.partition("e")[2]) - (digits - 1)
    half = Fraction(10) ** exponent / 2
    slack = Fraction(1e-12) * max(1, abs(Fraction(right)))
    if off > half + slack or (digits < 3 and off > slack):
        assert found.mark != "right", text
    if digits >= 3 and off < half - slack:
        assert found.mark == "right", text
    if found.mark == "near":
        assert off <= abs(Fraction(right)) / 50
    made = [slip for slip in slips(trace, position) if slip.name == found.mistake]
    if made:  # what is named makes this number, as exactly as it is written
        gaps = [abs(Fraction(float(s.array[index])) - Fraction(text)) for s in made]
        assert min(gaps) <= half + slack
    if found.mistake in ("term", "term-sign"):
        assert "term" in found.said


DRAWN = {name: Debugger(load(name)) for name in NAMES}


@pytest.mark.parametrize(
    ("name", "line", "index", "answer", "told"),
    [
        # Y = X @ W of one row: nothing there is a batch. 10 × 3 alone, of 10 × 3 − 1.
        ("matmul", "goto 24", (0, 0), "30", "only the first column of Y.grad is taken"),
        ("matmul", "goto 24", (0, 0), "43", "That is about 50 % too large."),
        ("broadcast_bias", "goto b@backward", (0,), "D[0, 0]", "b is repeated to fit"),
        # A third of [4, −1] = [2, 1] + [−1, 2] + [3, −4], and of 1 · 1 + 2 · 0 − 4 · 2.
        ("broadcast_bias", "goto b@backward", (0,), "1.3333", "mean and sum are conf"),
        (
            "broadcast_bias",
            "goto W@backward",
            (0, 1),
            "-2.3333",
            "mean and sum are conf",
        ),
    ],
)
def test_what_is_wrong_is_said_as_it_is(
    name: str, line: str, index: Index, answer: str, told: str
) -> None:
    debugger = Debugger(load(name))
    debugger.execute(line)
    position = debugger.position - (name == "broadcast_bias")
    debugger.execute(f"goto {position}")
    assert told in judged(debugger, position, index, answer).said


def test_random_signs_are_right_where_they_are_the_signs() -> None:
    debugger = DRAWN["matmul"]
    trace = debugger.trace
    for position in range(len(trace)):
        question = question_at(trace, position, "signs")
        part = right_array(trace, question)[question.element.index or ()]
        signs = np.ravel(np.sign(part))
        for flipped in (None, *range(len(signs))):
            said = ["+" if s > 0 else "-" if s < 0 else "0" for s in signs]
            if flipped is not None:
                said[flipped] = "+" if said[flipped] != "+" else "-"
            found = judge(trace, question, "".join(said), str, 0, 6)
            assert (found.mark == "right") is (flipped is None)


def program(source: str, leaves: str, dtype: str = "float64") -> Debugger:
    head = f'gradstep = 1\ndtype = "{dtype}"\noutput = "E"\nprogram = "{source}"'
    return Debugger(parse(f"{head}\n[parameters]\n{leaves}\n"))


def test_what_overflows_in_the_dtype_is_right_as_it_is_computed_by_hand() -> None:
    debugger = program("E = sum(a * b)", "a = [300.0]\nb = [-640.0]", "float16")
    for answer in ("300 * -640", "-192000", "-1.92e5", "-inf"):  # at most 65504
        assert judged(debugger, 0, (0,), answer).mark == "right", answer
    for answer in ("192000", "-19200", "inf", "nan"):
        assert judged(debugger, 0, (0,), answer).mark == "wrong", answer


def test_what_underflows_is_right_as_it_is_computed_by_hand() -> None:
    debugger = program("E = sum(a * b)", "a = [1e-5]\nb = [1e-5]", "float16")
    # The smallest number of float16 is 2 ** -24, 6e-8.
    assert judged(debugger, 0, (0,), "1e-5 * 1e-5").mark == "right"
    assert judged(debugger, 0, (0,), "0").mark == "right"
    assert judged(debugger, 0, (0,), "1e-5").mark == "wrong"


@pytest.mark.parametrize(
    ("source", "node", "answer", "told"),
    [
        # What arrives is 0.5 and 3; each is to be multiplied before they are added.
        ("x @ W", "x", "3.5", "0.5 × 1 + 3 × 1, where 0.5 × 4 + 3 × 7 belongs"),
        ("x @ W", "W", "0.5", "0.5 × 1, where 0.5 × 2 belongs"),
        (
            "linear(x, W.T)",
            "x",
            "3.5",
            "0.5 × 1 + 3 × 1, where 0.5 × 4 + 3 × 7 belongs",
        ),
        ("einsum('ij,jk->ik', x, W)", "W", "0.5", "0.5 × 1, where 0.5 × 2 belongs"),
        ("dot(x, W)", "W", "0.5", "0.5 × 1, where 0.5 × 2 belongs"),
    ],
)
def test_a_factor_that_is_forgotten_is_told_where_shapes_would_not_fit(
    source: str, node: str, answer: str, told: str
) -> None:
    leaves = "x = [[2.0]]\nW = [[4.0, 7.0]]\nc = [[0.5, 3.0]]"
    debugger = program(f"y = {source}\\nE = sum(y * c)", leaves)
    debugger.execute(f"goto {node}@backward")
    at = debugger.position - 1
    debugger.execute(f"goto {at}")
    found = judged(debugger, at, (0, 0), answer)
    assert found.mistake == "local"
    assert told in found.said


def test_a_mistake_that_makes_no_difference_is_not_named() -> None:
    # Here relu returns what it is given: 21000.168 in float32.
    debugger = program("E = sum(relu(a))", "a = [21000.17]", "float32")
    assert judged(debugger, 0, (0,), "2.1e4").mark == "rough"


@pytest.mark.parametrize("answer", ["5e-324", "1e308", "1e-300"])
def test_an_answer_of_any_size_can_be_judged(answer: str) -> None:
    debugger = program("E = sum(a * b)", "a = [3.0]\nb = [5.0]")
    how = "large" if float(answer) > 15 else "small"
    assert f"That is far too {how}." in judged(debugger, 0, (0,), answer).said
    wrong_sign = judged(debugger, 0, (0,), f"-{answer}").said
    assert "The sign is wrong, and so is the size." in wrong_sign
