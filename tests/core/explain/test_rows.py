"""Explanations as rows of plain data, and that each sentence stands in one module."""

import ast
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from gradstep import Debugger, load
from gradstep.core.engine.element import Element, Index, Quantity
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.gradients import explain_gradient
from gradstep.core.explain.rows import (
    Kind,
    Row,
    gradient_rows,
    headline,
    value_rows,
)
from gradstep.core.explain.values import explain_value
from gradstep.core.explain.why.rows import explained, why_rows
from gradstep.core.explain.why.why import why
from gradstep.core.scenario.scenario import builtin_names
from gradstep.core.words.formulas import Wording
from runs import number, run_of

ROOT = Path(__file__).parents[3]
# Who tells a person about a number.
TELLERS = (
    "core/explain/rows.py",
    "core/explain/verdicts.py",
    "core/explain/why/answer.py",
    "core/explain/why/rows.py",
    "core/commands/checking.py",
    "core/commands/explaining.py",
    "core/export/records.py",
    "tui/draw/reports.py",
    "tui/draw/spelling.py",
    "tui/panes/why.py",
    "tui/panes/tables/checks.py",
)


def test_a_gradient_is_opened_into_terms_with_their_numbers() -> None:
    # y = w x, so w[1, 0] gets 10 · 2 by hand.
    leaves = {"w": np.ones((2, 2)), "x": [2.0, 3.0], "S": [1.0, 10.0]}
    run = run_of("y = w @ x\nE = sum(y * S)", **leaves)
    trace = Trace(run)
    found = explain_gradient(trace, number(run, "w"), (1, 0), len(trace))
    leads = Element(number(run, "y"), "grad", (1,))
    assert list(gradient_rows(trace, found, 8)) == [
        Row("term", "{} = {} × {}", (20.0, 10.0, 2.0), "y.grad[1] · x[0]", leads)
    ]
    (row,) = gradient_rows(trace, found, 8, Wording(run.graph))
    assert row.text() == "20 = 10 × 2   ∂E/∂y[1] · x[0]"


def test_several_contributions_are_told_apart_and_counted() -> None:
    run = run_of("E = a * a", a=3.0)
    trace = Trace(run)
    node = number(run, "a")
    half = explain_gradient(trace, node, (), len(trace) - 1)
    whole = explain_gradient(trace, node, (), len(trace))
    first = next(gradient_rows(trace, half, 8))
    assert first.text() == "1 of 2 contributions are in so far"
    assert sorted(row.text() for row in gradient_rows(trace, whole, 8)) == [
        "3 = 1 × 3   E.grad · a",
        "3 = 1 × 3   E.grad · a",
        "its use in E (E<-a#0) adds 3",
        "its use in E (E<-a#1) adds 3",
    ]


def test_a_long_sum_ends_with_its_rest() -> None:
    run = run_of("y = W @ x\nE = sum(y)", W=np.ones((1, 5)), x=[5.0, 4, 3, 2, 1])
    rows = list(value_rows(Trace(run), explain_value(run, number(run, "y"), (0,)), 2))
    assert [row.text() for row in rows] == [
        "5 = 1 × 5   W[0, 0] · x[0]",
        "4 = 1 × 4   W[0, 1] · x[1]",
        "… and 3 more terms",
    ]


def test_a_number_has_as_many_digits_as_are_asked_for() -> None:
    run = run_of("E = a / 3", a=1.0)
    row = headline(Trace(run), Element(number(run, "E"), "value", ()), 1 / 3)
    assert row.text() == "E = 0.333333   a / 3"
    assert row.text(3) == "E = 0.333   a / 3"
    assert row.written(["a third"]) == "E = a third   a / 3"


@pytest.mark.parametrize("name", builtin_names())
def test_rows_have_a_place_for_each_number(name: str) -> None:
    debugger = Debugger(load(name))
    trace, position = debugger.trace, len(debugger.trace)
    rows: list[Row] = []
    for node in debugger.graph:
        index = (0,) * len(node.shape)
        rows += why_rows(trace, why(trace, node.index, "grad", index, position))
        rows += value_rows(trace, explain_value(trace.run, node.index, index), 8)
        if trace.run.gradients[node.index] is not None:
            found = explain_gradient(trace, node.index, index, position)
            rows += gradient_rows(trace, found, 8)
    assert {row.kind for row in rows} >= {"headline", "term", "note"}
    for row in rows:
        assert row.sentence.count("{}") == len(row.numbers)
        assert row.kind in get_args(Kind)
        assert "{" not in row.text()


def test_an_element_is_explained_from_its_number_to_its_terms() -> None:
    run = run_of("y = x * x\nE = sum(y)", x=[3.0, 0.0])
    trace = Trace(run)
    end, x = len(trace), number(run, "x")

    def texts(quantity: Quantity, index: Index, position: int) -> list[str]:
        element = Element(x, quantity, index)
        return [row.text() for row in explained(trace, element, position, 8)]

    top, check, *terms = texts("grad", (0,), end)
    assert top == "x.grad[0] = 6"
    assert check.startswith("numeric check: 6 ✓")
    assert terms.count("3 = 1 × 3   y.grad[0] · x[0]") == 2
    assert texts("grad", (1,), end)[0] == (
        "x.grad[1] = 0: the local derivative is 0 here, so nothing passes"
    )
    assert texts("grad", (0,), end - 1)[:2] == [
        "x.grad[0] = 3",
        "1 of 2 contributions are in so far",
    ]
    assert texts("value", (0,), end) == ["x[0] = 3", "given as an input"]


def test_what_is_not_there_yet_is_told() -> None:
    run = run_of("y = x * x\nE = sum(y)", x=[3.0, 0.0])
    trace = Trace(run)
    value = Element(number(run, "y"), "value", (0,))
    (row,) = explained(trace, value, 0, 8)
    assert row == Row("missing", "y is not computed yet: event 1 computes it")
    (row,) = explained(trace, Element(number(run, "x"), "grad", (0,)), 0, 8)
    assert row == Row("missing", "x.grad[0]: no contribution has arrived yet")


def test_a_reason_that_is_a_sum_shows_its_terms_once() -> None:
    run = run_of("y = x * S\nE = sum(y + x)", x=[1.0], S=[-1.0])
    trace = Trace(run)
    element = Element(number(run, "x"), "grad", (0,))
    rows = [row.text() for row in explained(trace, element, len(trace), 8)]
    assert rows[0] == "x.grad[0] = 0: terms that are not 0 add up to 0"
    assert len([row for row in rows if " adds " in row]) == 2


# ------------------------------------------------------------------ written once


def sentences(source: str) -> Iterator[str]:
    """Yield each run of four words or more in the strings of a module, but docs."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docs:
            continue
        if isinstance(node.value, str):
            yield from re.findall(r"[a-z]+(?: [a-z]+){3,}", node.value)


def test_sentences_are_found() -> None:
    source = '"""No word of a doc."""\ny = f"{x} enters; of {x} two more terms here"'
    assert list(sentences(source)) == ["two more terms here"]


def test_no_sentence_about_a_number_is_written_twice() -> None:
    said = {name: set(sentences((ROOT / name).read_text("utf-8"))) for name in TELLERS}
    assert "did not take this branch at that element" in str(said)
    for one, other in combinations(TELLERS, 2):
        assert said[one] & said[other] == set(), (one, other)
