"""Copies side by side hold what moving one element after the other gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import EXAMPLES, every_op, run_of_case
from checks import counted
from gradstep.core.check.check import check
from gradstep.core.check.downstream import Downstream, downstream
from gradstep.core.check.job import RTOL, Job
from gradstep.core.check.stacked import Part, stacked
from gradstep.core.engine.run import Run, evaluate
from runs import number, programs, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.program.build import Program


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def way_from(run: Run, node: int) -> Downstream:
    return downstream(Job(run, run, "central", None, RTOL), [node])


def moved_by(run: Run, node: int, step: complex) -> np.ndarray:
    """Return the elements of a node, each moved by a step of its size."""
    return (run.value(node) * (1 + step) + step).ravel()


def spread(part: Part, count: int) -> np.ndarray:
    """Return the whole arrays of all copies, element by element."""
    whole = np.array([part.whole] * count, np.result_type(part.whole, part.values))
    for copy in range(count):
        places = [
            slice(None) if at is None else slice(at[copy], at[copy] + 1)
            for at in part.at
        ]
        whole[copy, *places] = part.values[copy]
    return whole


def one_by_one(way: Downstream, moved: np.ndarray) -> np.ndarray:
    """Return the output for each element that is moved alone."""
    found = []
    for position, value in enumerate(moved):
        x = np.array(way.still[way.node], moved.dtype)
        x.flat[position] = value
        found.append(np.array(way.at(x)))
    return np.array(found)


def compare(run: Run, node: int, step: complex = 1e-3) -> None:
    way = way_from(run, node)
    if not way.steps or not run.value(node).size:
        return
    moved = moved_by(run, node, step)
    expected = one_by_one(way, moved)
    part, room = stacked(way, np.arange(len(moved)), moved)
    found = spread(part, len(moved))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    assert room >= part.values.size


# ----------------------------------------------------------------------- each element


@every_op
@given(data=st.data())
@settings(max_examples=12)
def test_an_operation(name: str, data: st.DataObject) -> None:
    case = data.draw(EXAMPLES[name].cases)
    run = run_of_case(name, case, salt=0)
    for node in run.graph:
        if node.kind == "input":
            compare(run, node.index)


@given(programs(), st.data())
def test_a_program(program: Program, data: st.DataObject) -> None:
    run = evaluate(program.graph, program.leaves)
    nodes = [n.index for n in run.graph if run.flows[n.index]]
    compare(run, data.draw(st.sampled_from(nodes)))


A = np.linspace(-1.0, 1.0, 12).reshape(3, 4)
TEXTS = {
    "a layer": "tanh(a @ w + b)",
    "an operand that meets itself": "a @ a.T",
    "a turned parameter": "softmax(b @ w.T * 2)",
    "a diagonal": "einsum('ii->i', a[:, :3]) * 2",
    "a trace": "einsum('ii', a @ a.T)",
    "a stack of products": "reshape(a, (1, 3, 4)) @ reshape(w, (1, 4, 3)) * 3",
    "a stack that is broadcast": "reshape(a, (3, 1, 4)) @ reshape(w, (1, 4, 3)) * 3",
    "an outer sum": "expand_dims(a, 2) * w + b",
    "rows apart": "softmax(a * a, axis=1) - max(a, axis=1, keepdims=True)",
    "columns apart": "cumsum(a, axis=0) + a / sum(a * a, axis=0)",
    "what chooses": "where(a > 0, a * a, b[0] * a)",
    "parts": "split(a, 2, axis=1)[0] * a[:, 1:3] + take(b, N)[0]",
    "a row of one": "softmax(a[:1], axis=0) * a",
    "losses": "cross_entropy(a @ w, M, reduction='none') * b",
    "one loss": "cross_entropy(a @ w, M)",
    "a sum of losses": "binary_cross_entropy_with_logits(a, a * a, reduction='sum')",
    "moved back and forth": "reshape(a.T, (2, 6)) + reshape(flip(a), (2, 6))",
    "everything at once": "mean((a @ w - b) ** 2, axis=(0, 1)) + var(a)",
    "what is drawn": "dropout(a, 0.5, seed=1) * a",
    "a mask of booleans": "a * (a > 0.1)",
    "a number": "sum(a) * sum(b) + a[0, 0]",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("name", ["a", "w", "b"])
def test_a_text(text: str, name: str) -> None:
    leaves = {"a": A, "w": A.reshape(4, 3) ** 2, "b": np.array([0.3, -0.2, 0.9])}
    run = run_of(f"E = sum({text})", N=[0, 2], M=[0, 2, 1], **leaves)
    compare(run, number(run, name))


# ---------------------------------------------------------------------- what it costs


def test_a_column_that_an_element_moves_is_all_that_is_computed() -> None:
    run = run_of("E = tanh(a @ w)", seed=np.ones((3, 3)), a=A, w=A.reshape(4, 3))
    with counted(run, "E._1") as products, counted(run, "E") as bends:
        way = way_from(run, number(run, "w"))
        part, room = stacked(way, np.arange(12), np.zeros(12))
    assert products == [(3, 12)]
    assert bends == [(12, 3, 1)]
    # A column of the product and one of its tanh, in each of 12 copies.
    assert (part.values.shape, room) == ((12, 3, 1), 12 * (3 + 3))
    rows, columns = part.at
    assert rows is None
    assert columns is not None
    assert columns.tolist() == [0, 1, 2] * 4


def test_what_is_needed_no_longer_takes_no_room() -> None:
    lines = [f"x{k + 1} = tanh(x{k})" for k in range(50)]
    run = run_of("\n".join(lines), seed=np.ones(20), x0=np.linspace(0, 1, 20))
    _, room = stacked(way_from(run, 0), np.arange(20), np.zeros(20))
    assert room == 2 * 20


def test_large_copies_are_made_one_after_the_other() -> None:
    """The first eight elements show that a copy is too large, and the others wait."""
    x, many = np.linspace(0.1, 1.0, 10), np.ones((10, 30_000))
    run = run_of("E = sum(expand_dims(x, 1) * M)", x=x, M=many)
    with counted(run, "E") as calls:
        report = check(run, nodes=[0])
    gradient = report.gradients[0]
    assert (gradient.verdict, gradient.elements) == ("ok", 10)
    assert gradient.numeric == pytest.approx(30_000)
    # Once by itself, once for 16 copies, and twice for each of the two that are left.
    assert calls == [(), (16,), (), (), (), ()]
