from __future__ import annotations

import pytest

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import load, parse
from gradstep.core.words.names import (
    called,
    sentence_with_wordings,
    with_wordings,
    wordings,
)

THREE = Debugger(load("three_layer")).graph


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("E._1 = 3", "E._1 = 3   x3 - t"),
        ("norm(E._1.grad) + E._1", "norm(E._1.grad) + E._1   x3 - t"),
        ("E._1 = x3 − t", "E._1 = x3 − t"),  # said, in the signs of a formula
        ("E._2<-E._1: 3", "E._2<-E._1: 3   (x3 - t) ** 2"),
        ("E._1<-x3", "E._1<-x3   x3 - t"),
        (
            "x3 → E._1.grad[0, 0] → E._2 → E",
            "x3 → E._1.grad[0, 0] (x3 - t) → E._2 ((x3 - t) ** 2) → E",
        ),
        ("E._1, E._2", "E._1 (x3 - t), E._2 ((x3 - t) ** 2)"),
        ("E._1₀,₁, E._2", "E._1₀,₁ (x3 - t), E._2 ((x3 - t) ** 2)"),
        ("E._12, _1, x.E._1, E._1x, x3", "E._12, _1, x.E._1, E._1x, x3"),
        ("E = 3", "E = 3"),
    ],
)
def test_a_text_says_what_made_up_names_stand_for(text: str, told: str) -> None:
    assert with_wordings(text, THREE) == told


CALLS = parse("""
gradstep = 1
program = '''
def centre(v):
    c = v - mean(v)
    return c * 2

E = sum(centre(x * w) ** 2)
'''
[inputs]
x = [1.0, 2.0]
[parameters]
w = 3.0
""").subject.graph


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # `E._2` is what the call gives, and `E._2.c` is something in it.
        ("E._2 = 3", "E._2 = 3   c * 2"),
        ("E._2.grad[0] = 3", "E._2.grad[0] = 3   c * 2"),
        ("E._2.c = 3", "E._2.c = 3   in centre(x * w)"),
        ("E._2.c.grad[0] = 3", "E._2.c.grad[0] = 3   in centre(x * w)"),
        ("E._2.c<-E._1: 3", "E._2 (centre(x * w)).c<-E._1 (x * w): 3"),
    ],
)
def test_what_is_in_a_call_is_told_with_the_call(text: str, told: str) -> None:
    assert with_wordings(text, CALLS) == told
    assert with_wordings(told, CALLS) == told  # it says so already


def test_a_sentence_says_it_at_its_end_with_the_name() -> None:
    said = sentence_with_wordings("there is no E._1 at E._2", THREE)
    assert said == "there is no E._1 at E._2 (E._1 is x3 - t, E._2 is (x3 - t) ** 2)"
    assert sentence_with_wordings("there is no x3", THREE) == "there is no x3"


def test_a_node_is_called_by_its_name_and_its_code() -> None:
    unnamed, named = (THREE.nodes[THREE.names[name]] for name in ("E._1", "x3"))
    assert called(unnamed) == "E._1 (x3 - t)"
    assert called(unnamed, "E._1[0, 0]") == "E._1[0, 0] (x3 - t)"
    assert called(named) == "x3"


def test_what_names_stand_for_stands_alone_too() -> None:
    assert wordings("E._1 + E._1 + E._3", THREE) == "x3 - t, sum((x3 - t) ** 2)"
    assert wordings("x3", THREE) == ""
