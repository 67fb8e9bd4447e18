"""What is asked of the coming event."""

from __future__ import annotations

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
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
