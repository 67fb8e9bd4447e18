"""Indices as books write them: from 1, below the line; all else stays as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.core.base.signs import ascii_text
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import load
from gradstep.core.words.indices import in_formula
from sessions import said, wrong

ANY = "\N{ASTERISK OPERATOR}"


@pytest.mark.parametrize(
    ("typed", "book"),
    [
        ("w[0, 1]", "w₁₂"),
        ("x[0]", "x₁"),
        ("x[8]", "x₉"),
        ("x[9]", "x₁₀"),
        ("w[0, 9]", "w₁,₁₀"),
        ("w[10, 2]", "w₁₁,₃"),
        ("(x @ W)[2, 0]", "(x @ W)₃₁"),
        ("Xᵀ[1, 0]", "Xᵀ₂₁"),
        ("δ3[0, 0] · x2[1, 0]", "δ3₁₁ · x2₂₁"),
        ("Σ W[:, 0]", f"Σ W{ANY}₁"),
        ("h[1:3, 0]", "h₂…₃,₁"),
        ("h[:2]", "h₁…₂"),
        # no index of an array
        ("[0, 1] → [1, 2]", "[0, 1] → [1, 2]"),
        ("g ∘ [x > 0]", "g ∘ [x > 0]"),
        ("x[-1]", "x[-1]"),
        ("x[::2]", "x[::2]"),
        ("x[1:]", "x[1:]"),
        ("∂E/∂x = 2", "∂E/∂x = 2"),
    ],
)
def test_an_index_behind_a_name_is_lowered(typed: str, book: str) -> None:
    assert in_formula(typed, 1) == book
    assert in_formula(typed, 0) == typed


@given(st.lists(st.integers(0, 200), min_size=1, max_size=4))
def test_two_elements_never_read_alike(index: list[int]) -> None:
    text = in_formula(f"w[{', '.join(map(str, index))}]", 1)
    assert text.startswith("w")
    numbers = text[1:].translate(str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789"))
    parts = numbers.split(",") if "," in numbers else list(numbers)
    if "," not in numbers and len(index) == 1:
        parts = [numbers]
    assert [int(part) - 1 for part in parts] == index


def test_in_plain_ascii_it_stands_behind_a_line() -> None:
    assert ascii_text(in_formula("w[0, 1] · h[9, 0]", 1)) == "w_12 * h_10,1"


# ------------------------------------------------------------------------- the session


def test_explain_has_them_and_takes_them_as_they_are_typed() -> None:
    debugger = Debugger(load("hidden_layer"))
    said(debugger, "goto end")
    before = said(debugger, "explain W1.grad[1, 0]")
    assert said(debugger, "indices 1").data == {"first": 1}
    after = said(debugger, "explain W1.grad[1, 0]")
    assert after.text[0] == "W1.grad₂₁ = 0.0640602"
    assert after.text[-1] == "  0.0640602 = 0.0640602 × 1   δ1₂₁ · x₁₁"
    assert after.data == before.data
    assert said(debugger, "indices").data == {"first": 1}
    said(debugger, "indices 0")
    assert said(debugger, "explain W1.grad[1, 0]").text == before.text


def test_there_are_two_ways() -> None:
    assert "0 or 1" in wrong(Debugger(load("derivative")), "indices 2")


def test_the_literature_s_name_can_be_typed() -> None:
    debugger = Debugger(load("hidden_layer"))
    said(debugger, "goto end")
    line = said(debugger, "explain W2.grad[1, 0]").text[-1]
    (name,) = re.findall(r"δ2\[\d, \d\]", line)
    number = said(debugger, f"print {name}").data
    assert f"{number:.6g}" in line


def test_a_made_up_name_with_such_an_index_says_what_it_stands_for() -> None:
    debugger = Debugger(load("last_layer"))
    said(debugger, "goto end")
    said(debugger, "indices 1")
    assert said(debugger, "explain E._1.grad[0, 0]").text[0].endswith("   a - t")
    assert said(debugger, "explain E._1[0, 0]").text[0].endswith("   a - t")
