"""Explanations add up, and their factors are the derivatives, for every operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import EXAMPLES, an_element, every_op, run_of_case
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.graph import Edge
from gradstep.core.engine.run import evaluate
from gradstep.core.engine.trace import Trace
from gradstep.core.explain.factors import local_factors
from gradstep.core.explain.gradients import explain_gradient
from gradstep.core.explain.values import explain_value
from gradstep.core.ops import OPS
from gradstep.core.scenario.scenario import load, parse
from gradstep.core.training.timeline import Single
from runs import number, program_of, programs, run_of
from sessions import TROUBLE, close, said, session

STEP = 1e-6


@every_op
@given(data=st.data())
def test_the_terms_of_a_gradient_sum_to_what_is_stored(name: str, data: Any) -> None:
    case = data.draw(EXAMPLES[name].cases)
    run = run_of_case(name, case, data.draw(st.integers(0, 99)))
    trace = Trace(run)
    for leaf in range(len(case.operands)):
        gradient = run.gradient(leaf)
        if gradient is None or not gradient.size:
            continue
        index = an_element(data.draw, gradient.shape)
        found = explain_gradient(trace, leaf, index, len(trace), follow=False)
        assert found.sum == gradient[index]
        assert found.complete
        total = float(sum(term.product for term in found.terms()))
        size = sum(abs(term.product) for term in found.terms())
        assert abs(total - gradient[index]) <= 1e-9 * max(size, 1.0)
        for term in found.terms():
            assert term.product == term.upstream * term.local or not np.isfinite(
                term.product
            )


@every_op
@given(data=st.data())
def test_each_local_factor_is_the_numeric_derivative(name: str, data: Any) -> None:
    case = data.draw(EXAMPLES[name].cases)
    run = run_of_case(name, case, 0)
    op, y = OPS[name], len(case.operands)
    for argument in range(len(case.operands)):
        array = run.value(argument)
        if not array.size or not run.carries(y, argument) or EXAMPLES[name].flat:
            continue
        index = an_element(data.draw, array.shape)
        sides: list[Any] = []
        for sign in (1, -1):
            operands = [np.array(operand) for operand in case.operands]
            operands[argument][index] += sign * STEP
            with np.errstate(all="ignore"):
                sides.append(np.asarray(op.forward(*operands, **case.attributes)))
        numeric = np.ravel((sides[0] - sides[1]) / (2 * STEP))
        places, local = local_factors(run, Edge(y, argument, argument), index)
        assert len(set(places.tolist())) == len(places)
        whole = np.zeros(numeric.shape)
        whole[places] = local
        scale = 1 + np.abs(np.concatenate([side.ravel() for side in sides])).max(
            initial=0.0
        )
        np.testing.assert_allclose(whole, numeric, rtol=2e-4, atol=2e-5 * scale)


@given(program=programs(), data=st.data())
def test_a_gradient_in_mid_pass_is_the_sum_so_far(program: Any, data: Any) -> None:
    run = evaluate(program.graph, program.leaves)
    trace = Trace(run)
    node = data.draw(st.sampled_from([n for n in run.graph if n.index != 0]))
    if run.gradients[node.index] is None:
        return
    position = data.draw(st.integers(trace.seed_position, len(trace)))
    index = an_element(data.draw, node.shape)
    found = explain_gradient(trace, node.index, index, position)
    gradient = trace.gradient(node.index, position)
    assert (found.sum is None) == (gradient is None)
    if gradient is None or found.sum is None:
        return
    assert found.sum == gradient[index]
    total = sum(term.product for term in found.terms())
    total += found.seed or 0.0
    if not found.passed:
        assert abs(total - found.sum) <= 1e-8 * max(abs(found.sum), 1.0)
        close(sum(p.stored for p in found.parts) + (found.seed or 0), found.sum, 1e-8)


@given(program=programs(), data=st.data())
def test_exact_copies_are_passed_through_to_the_same_number(
    program: Any, data: Any
) -> None:
    run = evaluate(program.graph, program.leaves)
    trace = Trace(run)
    for node in run.graph:
        gradient = run.gradient(node.index)
        if gradient is None:
            continue
        index = an_element(data.draw, node.shape)
        found = explain_gradient(trace, node.index, index, len(trace))
        assert found.sum == gradient[index]
        for term in found.passed:
            assert term.local == 1


def test_a_copy_is_passed_and_a_broadcast_is_summed() -> None:
    run = run_of(
        "z = x @ w\ny = z + b\nE = sum(reshape(y, (6,)) * G)",
        x=np.ones((3, 2)),
        w=np.ones((2, 2)),
        b=np.zeros(2),
        G=np.arange(6.0),
    )
    trace = Trace(run)
    z = explain_gradient(trace, number(run, "z"), (1, 0), len(trace))
    assert [run.graph.nodes[t.consumer].name for t in z.passed] == ["y", "E._1"]
    assert z.sum == 2
    b = explain_gradient(trace, number(run, "b"), (1,), len(trace))
    [part] = b.parts
    assert (part.summed, part.wide) == ((0,), (3, 2))
    assert [term.product for term in part.largest(2)] == [5, 3]
    assert b.sum == 1 + 3 + 5


def test_the_record_has_all_terms_with_names() -> None:
    debugger = session()
    said(debugger, "goto end")
    data = said(debugger, "explain -1 W.grad[0, 1]").data
    assert data["element"] == "W.grad[0, 1]"
    assert data["complete"]
    assert {term["consumer"] for term in data["terms"]} == {"a.h.z", "a._1.z", "E._1.z"}
    close(sum(term["product"] for term in data["terms"]), data["sum"])
    assert set(data["terms"][0]) == {
        *("consumer", "argument", "index", "upstream", "local", "product")
    }


def test_the_record_of_an_element_adds_up() -> None:
    debugger = Debugger(load("broadcast_bias"))
    said(debugger, "goto end")
    data = said(debugger, "explain Z._1.grad[0, 0]").data
    # Z + b and Z - T pass 2 on; it is 0.5 · ∂(D ** 2)/∂D = 0.5 · 2 · 2.
    assert [term["consumer"] for term in data["passed"]] == ["Z", "D"]
    [term] = data["terms"]
    assert (term["consumer"], term["upstream"], term["local"]) == ("E._1", 0.5, 4.0)
    assert term["product"] == data["sum"] == 2.0
    assert data["seed"] is None
    assert not data["written"]


def test_a_record_has_some_terms_and_what_the_others_add_up_to() -> None:
    text = "y = broadcast_to(x, (70000,)) * broadcast_to(2.0, (70000,))\nE = sum(y)"
    debugger = Debugger(
        parse(f"gradstep = 1\nprogram = '''\n{text}\n'''\n[inputs]\nx = 3")
    )
    said(debugger, "goto end")
    data = said(debugger, "explain x.grad").data
    assert len(data["terms"]) == 50_000
    assert data["rest"] == {"terms": 20_000, "product": 40_000.0}
    assert data["sum"] == 140_000
    assert len(said(debugger, "uses x").data) == 50_000


def test_of_many_uses_some_are_shown_and_the_others_counted() -> None:
    debugger = Debugger(load("broadcast_bias"))
    said(debugger, "goto end")
    lines = said(debugger, "uses b[0]").text
    assert "more" not in " ".join(lines)
    assert len(lines) == len(said(debugger, "uses b[0]").data) > 1
    assert said(debugger, "uses -1 b[0]").text == (
        lines[0], f"… and {len(lines) - 1} more use{'s' * (len(lines) > 2)}"
    )  # fmt: skip


@pytest.mark.parametrize("name", ["broadcast_bias", "attention", "xor", "conv"])
def test_every_record_adds_up(name: str) -> None:
    debugger = Debugger(load(name))
    said(debugger, "goto end")
    for node in debugger.graph.nodes:
        if debugger.trace.run.gradients[node.index] is None:
            continue
        data = said(debugger, f"explain {node.name}.grad").data
        total = sum(term["product"] for term in data["terms"])
        close(total + (data["seed"] or 0.0), data["sum"])


@pytest.mark.parametrize(
    ("dtype", "leaves", "terms", "total"),
    [
        # In float32 1e25 · 1e25 is too large, but they are added up in a wider type.
        (np.float32, ([[1e25, 1.0], [-1e25, 2.0]], [1e25, 1e25]), 1e50, 0.0),
        # In float16 each is too small, and their sum is none of them.
        (np.float16, ([[2e-4, 1.0]] * 40, [1e-4] * 40), 2e-8, 8e-7),
    ],
)
def test_terms_that_are_added_up_in_a_wider_type_are_told_as_there(
    dtype: Any, leaves: Any, terms: float, total: float
) -> None:
    x, seed = leaves
    run = run_of("y = x @ w", dtype, np.array(seed, dtype), x=x, w=[1.0, 0.0])
    found = explain_gradient(Trace(run), number(run, "w"), (0,), 99)
    assert found.sum == pytest.approx(total, rel=0.05)
    products = [term.product for term in found.terms()]
    assert np.abs(products) == pytest.approx(terms, rel=2e-3)
    assert sum(products) == pytest.approx(total, rel=2e-2, abs=terms / 1e3)


WIDE = """
gradstep = 1
program = "y = x * W\\nE = sum(y * W)"
[inputs]
x = 2.0
[parameters]
W = { random = "normal", seed = 1, shape = [30, 1000] }
"""


def test_all_terms_of_a_wide_edge_are_data_once_somebody_looks() -> None:
    debugger, told = session(WIDE), list[tuple[int, int]]()
    said(debugger, "goto end")
    debugger.progress = lambda done, of: told.append((done, of))
    reply = said(debugger, "explain x.grad")
    assert not told  # the answer names the largest, and leaves the others alone
    terms = reply.data["terms"]
    # ∂E/∂x = Σ W², each term the gradient of y, which is W, times W.
    factor = debugger.trace.run.value(debugger.graph.node("W").index)
    places = list(np.ndindex(factor.shape))
    assert [term["index"] for term in terms] == places
    for name in ("upstream", "local"):
        assert [term[name] for term in terms] == factor.ravel().tolist()
    assert [term["product"] for term in terms] == np.ravel(factor**2).tolist()
    assert reply.data["terms"] is terms
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == (20_000, 30_000)


def test_the_rest_is_one_line_with_its_sum() -> None:
    run = run_of("E = sum(x @ w)", x=np.arange(40.0).reshape(20, 2), w=np.ones((2, 1)))
    debugger = session()
    debugger.runs[0] = type(debugger.runs[0])(0, Single.of(run), "")
    said(debugger, "goto end")
    lines = said(debugger, "explain -3 w.grad[0, 0]").text
    assert lines[0].endswith("= 380")
    rest = [line for line in lines if "more terms" in line]
    assert rest == [f"  … and 17 more terms: {380 - 38 - 36 - 34}"]


# ------------------------------------------------------------------------- values


def test_a_value_opens_into_its_products() -> None:
    run = run_of(
        "z = x @ w", x=[[1.0, 2.0]], w=[[3.0, -1.0], [4.0, 5.0]], seed=np.ones((1, 2))
    )
    found = explain_value(run, number(run, "z"), (0, 1))
    assert found.products
    products = [np.prod([factor.value for factor in term]) for term in found.terms]
    assert products == [-1, 10]
    assert sum(products) == found.value


@given(program=programs(), data=st.data())
def test_the_products_of_a_value_sum_to_it(program: Any, data: Any) -> None:
    run = evaluate(program.graph, program.leaves)
    for node in run.graph:
        index = an_element(data.draw, node.shape)
        found = explain_value(run, node.index, index)
        assert found.value == run.value(node.index)[index]
        if found.products:
            terms = [np.prod([f.value for f in term]) for term in found.terms]
            close(sum(terms), found.value, rtol=1e-6)
        for term in found.terms:
            for factor in term:
                assert factor.value == run.value(factor.node)[factor.index]


@pytest.mark.parametrize(
    ("code", "index", "places"),
    [
        ("k[1]", (), [(1,)]),
        ("concatenate([k, k])", (4,), [(1,)]),
        ("take(k, i)", (1,), [(2,)]),
        ("max(k)", (), [(0,), (1,), (2,)]),
        ("sum(k)", (), [(0,), (1,), (2,)]),
    ],
)
def test_whole_numbers_open_into_what_they_are_made_of(
    code: str, index: tuple[int, ...], places: list[tuple[int, ...]]
) -> None:
    lesson = parse(
        f"gradstep = 1\nprogram = '''\na = {code}\ny = x * sum(a)'''\n"
        "[inputs]\nx = 3.0\n[constants]\nk = [1, 2, 3]\ni = [0, 2]\n",
        source="whole.toml",
    )
    run = lesson.subject.run()
    assert run.value(number(run, "a")).dtype.kind == "i"
    found = explain_value(run, number(run, "a"), index)
    factors = [factor for term in found.terms for factor in term]
    assert [factor.index for factor in factors] == places
    assert [factor.value for factor in factors] == [1 + place for (place,) in places]


def test_explain_takes_the_element_that_stands_out() -> None:
    debugger = session(TROUBLE)
    said(debugger, "goto end")
    assert said(debugger, "explain x.grad").text[0].startswith("x.grad[1] = nan: ")
    assert said(debugger, "explain w.grad").text[0] == "w.grad[2] = 3"
    said(debugger, "goto x")
    assert said(debugger, "explain").text[0].startswith("x.grad[1]")


def test_an_empty_array_has_no_elements() -> None:
    program = program_of("E = sum(x) + c", x=np.zeros((0, 2)), c=1.0)
    debugger = session()
    run = evaluate(program.graph, program.leaves)
    debugger.runs[0] = type(debugger.runs[0])(0, Single.of(run), "")
    said(debugger, "goto end")
    for command in ("explain x.grad", "why x.grad", "uses x", "paths x"):
        assert "no elements" in (debugger.execute(command).error or "")


def test_float32_products_underflow_and_overflow_as_they_did() -> None:
    small = run_of("E = x * c * d", np.float32, x=1.0, c=1e-30, d=1e-30)
    trace = Trace(small)
    found = explain_gradient(trace, number(small, "x"), (), len(trace), follow=False)
    assert found.sum == 0
    assert [term.product for term in found.terms()] == [0]
