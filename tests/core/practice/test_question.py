"""What is asked of the coming event."""

from __future__ import annotations

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.trace import Contribution, Forward
from gradstep.core.practice.question import KINDS, Kind, question_at, right_array
from gradstep.core.scenario.scenario import load, parse

TWICE = """
gradstep = 1
program = "E = a * a"
[parameters]
a = 3.0
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["matmul", "three_layer", "attention"])
def test_each_event_has_a_question(name: str, kind: Kind) -> None:
    trace = Debugger(load(name)).trace
    for position in range(len(trace)):
        question = question_at(trace, position, kind)
        assert question is not None
        assert question.event == position
        right = right_array(trace, question)
        index = question.element.index
        part = right if index is None else right[index]
        assert np.size(part) == 1 or kind != "number"
        assert np.size(part) <= 12 or kind == "shape"
    assert question_at(trace, len(trace), kind) is None


def test_what_is_asked_is_what_there_is_after_the_event() -> None:
    trace = Debugger(parse(TWICE)).trace
    # The value, the seed, the first use, and both uses together: 3 + 3.
    right = [9, 1, 3, 6]
    about = ""
    for position, number in enumerate(right):
        question = question_at(trace, position, "number")
        assert question is not None
        assert right_array(trace, question) == number
        about = question.about
    assert about == "Next: a receives through E = a · a, use 2 of 2"


def test_an_index_of_ones_own_is_asked() -> None:
    trace = Debugger(load("matmul")).trace
    last = len(trace) - 1
    question = question_at(trace, last, "number", (1, 0))
    assert question is not None
    assert question.text == "What will W.grad[1, 0] be?"
    assert right_array(trace, question)[1, 0] == 20


def numbers_asked(text: str, kind: type) -> list[float]:
    """Return the numbers that are asked for of the events of a kind, in their order."""
    trace = Debugger(parse(text)).trace
    found: list[float] = []
    for position in range(len(trace)):
        if isinstance(trace.event(position), kind):
            question = question_at(trace, position, "number")
            assert question is not None
            found.append(float(right_array(trace, question)[question.element.index]))
    return found


def test_what_is_asked_for_is_no_zero_and_not_like_its_neighbours() -> None:
    # W.grad = Xᵀ G: a single one of its nine elements is neither 0 nor a factor.
    one = """
gradstep = 1
program = "Y = X @ W"
[seed]
Y = [[0, 1, 5]]
[inputs]
X = [[0, 3, 1]]
[parameters]
W = [[7, 8, 9], [2, 3, 4], [5, 6, 2]]
"""
    assert numbers_asked(one, Contribution)[-1] == 15
    # The six numbers that are alike are left alone for the one that is not.
    alike = """
gradstep = 1
program = "y = sum(-x)"
[parameters]
x = [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 7.0]
"""
    assert numbers_asked(alike, Forward)[0] == -7


def test_the_number_itself_does_not_choose_what_is_asked_for() -> None:
    # 3 − 3 is 0, and made of no zero: it is asked for like any other.
    text = """
gradstep = 1
program = "y = sum(a - b)"
[parameters]
a = [3.0, 5.0]
b = [3.0, 4.0]
"""
    trace = Debugger(parse(text)).trace
    question = question_at(trace, 0, "number")
    assert question is not None
    assert question.element.index == (0,)
    assert right_array(trace, question)[0] == 0
