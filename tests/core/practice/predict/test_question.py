"""What is asked of the coming event."""

from __future__ import annotations

import numpy as np
import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.trace import Contribution, Forward, Trace
from gradstep.core.ops.optimizers import OPTIMIZERS
from gradstep.core.practice.predict.question import (
    KINDS,
    Kind,
    Question,
    is_asked,
    question_at,
    right_array,
)
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.core.words.events import element_name

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
        assert question.event == position
        right = right_array(trace, question)
        index = question.element.index
        part = right if index is None else right[index]
        assert np.size(part) == 1 or kind != "number"
        assert np.size(part) <= 12 or kind == "shape"


def test_what_is_asked_is_what_there_is_after_the_event() -> None:
    trace = Debugger(parse(TWICE)).trace
    # The value, the seed, the first use, and both uses together: 3 + 3.
    right = [9, 1, 3, 6]
    about = ""
    for position, number in enumerate(right):
        question = question_at(trace, position, "number")
        assert right_array(trace, question) == number
        about = question.about
    assert about == "Next: a receives through E = a · a, use 2 of 2"


def test_an_index_of_ones_own_is_asked() -> None:
    trace = Debugger(load("matmul")).trace
    last = len(trace) - 1
    question = question_at(trace, last, "number", (1, 0))
    assert question.text == "What will W.grad[1, 0] be?"
    assert right_array(trace, question)[1, 0] == 20


def numbers_asked(text: str, kind: type) -> list[float]:
    """Return the numbers that are asked for of the events of a kind, in their order."""
    trace = Debugger(parse(text)).trace
    found: list[float] = []
    for position in range(len(trace)):
        if isinstance(trace.event(position), kind):
            question = question_at(trace, position, "number")
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
    assert question.element.index == (0,)
    assert right_array(trace, question)[0] == 0


# ----------------------------------------------------------------- what is worth asking


def names_asked(text_or_name: str, kind: Kind = "number") -> list[str]:
    """Return whose arrays are asked for, in order."""
    is_text = "gradstep = 1" in text_or_name
    trace = Debugger(parse(text_or_name) if is_text else load(text_or_name)).trace
    events = [k for k in range(len(trace)) if is_asked(trace, k, kind)]
    return [element_of(trace, question_at(trace, k, kind)) for k in events]


def element_of(trace: Trace, question: Question) -> str:
    element = question.element
    return element_name(trace.run.graph.nodes[element.node], None, element.quantity)


def test_products_and_sums_are_asked_for_and_copies_are_not() -> None:
    assert names_asked("matmul") == [
        *("Y", "sum_X._2", "sum_X._4", "sum_X", "sum_W._2", "sum_W._4", "sum_W"),
        *("rule_X", "rule_W", "X.grad", "W.grad"),
    ]


COPIES = """
gradstep = 1
output = "E"
program = '''
b = reshape(a, (4,))
c = b[1:]
d = take(c, places)
e = d + 1.0
f = e - s
h = broadcast_to(s, (3,))
E = sum(f) + sum(a) + sum(h)
'''
[parameters]
a = [[1.0, 2.0], [3.0, 4.0]]
s = 5.0
[constants]
places = [0, 0, 2]
"""


def test_what_is_passed_on_with_the_factor_1_is_asked_for_where_it_is_added() -> None:
    forward, _, backward = " ".join(names_asked(COPIES)).partition(" E.grad ")
    assert forward == "e f E._1 E._2 E._3 E._4 E"
    # Of h and f the sums pass on what arrives, and so do views and an added number. But
    # s goes into three numbers twice, an index takes one twice, and a meets itself.
    assert backward == "s.grad s.grad c.grad a.grad"


def test_a_shape_is_asked_for_where_a_copy_changes_it() -> None:
    shapes = names_asked(COPIES, "shape")
    assert {"b", "c", "h", "f.grad", "a.grad"} <= {*shapes}
    assert "d" not in shapes
    assert "e.grad" not in shapes


TRAINED = """
gradstep = 1
program = "E = w * w"
[parameters]
w = 3.0
[training]
learning_rate = 0.1
optimizer = "{}"
"""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_by_what_an_optimiser_remembers_cannot_be_known(name: str) -> None:
    asked = names_asked(TRAINED.format(name))
    assert (asked[-1] == "w") == (name == "sgd")
    assert names_asked(TRAINED.format(name), "shape")[-1] == "w"


def test_a_seed_that_is_given_cannot_be_known() -> None:
    assert "E.grad" in names_asked(TRAINED.format("sgd"))
    assert "E.grad" not in names_asked(TRAINED.format("sgd") + "[seed]\nE = 2.5\n")
    assert "Y.grad" in names_asked("matmul", "shape")


@pytest.mark.parametrize(
    ("line", "not_asked"),
    [("set E._2 = 3", "E._2"), ("set x2.grad = 3", "x2.grad")],
)
def test_what_a_person_has_set_is_not_asked_for(line: str, not_asked: str) -> None:
    debugger = Debugger(load("three_layer"))
    assert debugger.execute(line).ok
    trace = debugger.trace
    asked = [
        element_of(trace, question_at(trace, k, "number"))
        for k in range(len(trace))
        if is_asked(trace, k, "number")
    ]
    assert not_asked in names_asked("three_layer")
    assert not_asked not in asked


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("kind", KINDS)
def test_each_pass_of_a_lesson_asks_enough(name: str, kind: Kind) -> None:
    trace = Debugger(load(name)).trace
    asked = [is_asked(trace, k, kind) for k in range(len(trace))]
    seed = trace.seed_position
    assert sum(asked[:seed]) >= 1
    assert sum(asked[seed + 1 : trace.update_position]) >= 2
    assert sum(asked) > len(asked) / 3
