"""What is remarked on a program, and what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradstep import load
from gradstep.core.scenario.scenario import builtin_names
from gradstep.core.words.remarks import ROWS, concerns, remark_text, remarks
from runs import number, run_of

ROW, COLUMN = np.ones(3), np.ones((3, 1))

REMARKED: list[tuple[str, dict[str, Any], str, str]] = [
    ("E = mse_loss(p, T)", {"p": ROW, "T": COLUMN}, "stretched operands", "E.error"),
    (
        "E = huber_loss(p, T)",
        {"p": ROW, "T": COLUMN},
        "stretched operands",
        "E.distance._1",
    ),
    ("E = mean((p - T) ** 2)", {"p": COLUMN, "T": ROW}, "stretched operands", "E._1"),
    ("E = sum(abs(p - T))", {"p": ROW, "T": COLUMN}, "stretched operands", "E._1"),
    (
        *("E = mse_loss(p, T)", {"p": ROW, "T": np.ones((2, 1))}),
        *("stretched operands", "E.error"),
    ),
    (
        *("E = cross_entropy(softmax(x), T)", {"x": np.ones((3, 2)), "T": [0, 1, 0]}),
        *("softmax twice", "E"),
    ),
    (
        *("p = reshape(softmax(x), (6, 1))\nE = cross_entropy(p, T)",),
        *({"x": np.ones((3, 2)), "T": [0] * 6}, "softmax twice", "E"),
    ),
    (
        *("E = binary_cross_entropy_with_logits(sigmoid(x), T)",),
        *({"x": ROW, "T": [0, 1, 0]}, "softmax twice", "E"),
    ),
]


@pytest.mark.parametrize(("text", "leaves", "kind", "name"), REMARKED)
def test_what_is_most_often_not_meant_is_remarked_on(
    text: str, leaves: dict[str, Any], kind: str, name: str
) -> None:
    run = run_of(text, **leaves)
    (found,) = remarks(run)
    assert (found.kind, found.node) == (kind, number(run, name))
    assert remark_text(found, run.graph).startswith(f"remark on {name}: ")


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("E = mse_loss(p, T)", {"p": ROW, "T": ROW}),
        ("E = mse_loss(p, T)", {"p": ROW, "T": 1.0}),  # one target for all
        ("E = mean((p - T) ** 2)", {"p": np.ones((4, 3)), "T": ROW}),
        # Distances of all pairs: the line itself says so.
        ("E = sum((p[:, None] - p[None, :]) ** 2)", {"p": ROW}),
        ("E = sum(sqrt((p[:, None] - T) ** 2 + 1))", {"p": ROW, "T": ROW}),
        ("d = p - T\nE = sum(d @ W)", {"p": COLUMN, "T": ROW, "W": np.ones((3, 2))}),
        ("E = cross_entropy(x, T)", {"x": np.ones((3, 2)), "T": [0, 1, 0]}),
        # Logarithms of probabilities are logits of the same softmax.
        (
            "E = cross_entropy(log_softmax(x), T)",
            {"x": np.ones((3, 2)), "T": [0, 1, 0]},
        ),
        ("E = sum(softmax(x) * softmax(x))", {"x": ROW}),
    ],
)
def test_what_is_meant_is_not_remarked_on(text: str, leaves: dict[str, Any]) -> None:
    assert list(remarks(run_of(text, **leaves))) == []


def test_a_remark_says_shapes_and_what_to_do() -> None:
    (found,) = remarks(run_of("E = mse_loss(p, T)", p=ROW, T=COLUMN))
    assert found.text == "p (3,) and T (3, 1) broadcast to (3, 3)"
    assert found.sentence == (
        f"{found.text}: each number of the one meets each number of the other; "
        "give both one shape, with reshape or squeeze"
    )
    assert found.advice == "give both one shape, with reshape or squeeze"
    (found,) = remarks(run_of("E = cross_entropy(softmax(x), 0, axis=0)", x=ROW))
    assert found.text == "softmax twice: cross_entropy makes its own"
    assert found.advice == "give it x"


def test_a_remark_concerns_what_leads_to_it_and_what_comes_of_it() -> None:
    run = run_of("h = p * 2\nE = mse_loss(h, T) + sum(q)", p=ROW, q=ROW, T=COLUMN)
    (found,) = remarks(run)
    graph = run.graph

    def told(name: str, *, gradient: bool) -> bool:
        return concerns(found, graph, number(run, name), gradient=gradient)

    assert [told(name, gradient=True) for name in ("p", "h", "q")] == [
        True,
        True,
        False,
    ]
    assert [told(name, gradient=False) for name in ("p", "E", "q")] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("name", builtin_names())
def test_no_lesson_is_remarked_on(name: str) -> None:
    assert list(remarks(load(name).subject.run())) == []


def test_each_row_has_a_name_of_its_own() -> None:
    assert len({row.kind for row in ROWS}) == len(ROWS)
