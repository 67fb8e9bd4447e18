"""Expressions see the state, and nothing else; nothing in one can hang or harm."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.core.base.errors import CommandError, NotYetError
from gradstep.core.base.limits import LIMITS, Limits
from gradstep.core.engine.run import evaluate
from gradstep.core.engine.trace import Trace
from gradstep.core.expression.budget import Budget
from gradstep.core.expression.expression import parse, parse_element
from gradstep.core.expression.state import State
from gradstep.core.session.stops import same
from runs import program_of
from sessions import LAYERS, TRAINING, said, session
from sessions import value as valued
from sessions import wrong as refused

PROGRAM = program_of(
    "y = x @ w\nz = tanh(y)\nE = sum(z) * c",
    x=np.array([[1.0, 2.0]]),
    w=np.array([[0.5, -1.0], [0.25, 2.0]]),
    c=2.0,
)
TRACE = Trace(evaluate(PROGRAM.graph, PROGRAM.leaves))
NAMES = {"δ": "y.grad", "a − y": "z.grad"}


def see(text: str, position: int | None = None, **more: Any) -> Any:
    place = len(TRACE) if position is None else position
    state = State(TRACE, place, names=NAMES, **more)
    return parse(text, PROGRAM.graph, NAMES).evaluate(state)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("2 ** 10", 1024),
        ("2 ** -1", 0.5),
        ("7 // 2 + 7 % 4", 6),
        ("1 // 0 == inf and isnan(5 % 0)", True),
        ("9223372036854775807 + 1", 2.0**63),
        ("4611686018427387904 * [1, 2, 4]", [2.0**62, 2.0**63, 2.0**64]),
        ("-x[0, 1] + +1", -1),
        ("x[0, -1]", 2),
        ("x[:, 0]", [1]),
        ("x[0, ::2]", [1]),
        ("x[[0, 0]][:, 1]", [2, 2]),
        ("w.T[0, 1]", 0.25),
        ("w.value[1, 1]", 2),
        ("w.shape", (2, 2)),
        ("(x @ w).shape[1]", 2),
        ("z.op", "tanh"),
        ("z.op == 'tanh'", True),
        ("x.op", "input"),
        ("c.grad == sum(z)", True),
        ("E.grad", 1),
        ("sum(x)", 3),
        ("max(x) - min(x)", 1),
        ("concatenate([x, x], axis=0).shape", (2, 2)),
        ("stack([x[0], w[0]]).shape", (2, 2)),
        ("all(einsum('ij,jk->ik', x, w) == y)", True),
        ("einsum('i,ij->j', [1, 2], w) - einsum('i,ij->j', [[1, 2], w])", [0, 0]),
        ("einsum('ij->ji', [w]) - w.T", [[0, 0], [0, 0]]),
        ("einsum('i->', [[3, 4]]) + einsum('ij,j->', [[1, 2], [3, 4]], [5, 6])", 63),
        ("put(w[0], 1)", [[1, 1], [0.25, 2]]),
        ("put(w[w > 1], [0])[1]", [0.25, 0]),
        ("norm(x)", 5**0.5),
        ("argmax(w)", (1, 1)),
        ("argmin(w)", (0, 1)),
        ("any(isnan(x)) or all(isfinite(x))", True),
        ("isinf(inf) and isnan(nan)", True),
        ("close(y, x @ w)", True),
        ("close(1.0, 1.1, rtol=0.2)", True),
        ("0 < x[0, 0] < 2", True),
        ("not 1 > 2", True),
        ("position", len(TRACE)),
        ("iteration", 0),
        ("hits", 0),
        ("True and False", False),
        ("w.shape == (2, 2)", True),
        ("[1, 2.5]", [1, 2.5]),
    ],
)
def test_values(text: str, value: Any) -> None:
    seen = see(text)
    assert np.shape(seen) == np.shape(value)
    assert np.all(seen == value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # the rows of w are 0.5 and -1, 0.25 and 2
        ("any(w < 0, axis=0)", [False, True]),
        ("all(w > 0, axis=1)", [False, True]),
        ("all(w > 0, 1, keepdims=True)", [[False], [True]]),
        ("any(w > 0, axis=(0, 1))", True),
        ("argmax(w, axis=0)", [0, 1]),
        ("argmin(w, axis=1)", [1, 0]),
        ("argmax(w, 1, keepdims=True)", [[0], [1]]),
        ("norm(w, axis=1) ** 2", [1.25, 4.0625]),
        ("norm([[3e200, 4e200], [3e-200, 4e-200]], axis=1)", [5e200, 5e-200]),
        ("norm([[nan, 1], [inf, 1]], axis=1)[1]", np.inf),
        ("isnan(norm([[nan, 1], [inf, 1]], axis=1))", [True, False]),
        ("norm(w, keepdims=True).shape", (1, 1)),
        ("norm([[3, 4]], axis=-1)", [5]),
    ],
)
def test_reductions_go_along_axes(text: str, value: Any) -> None:
    seen = see(text)
    assert np.shape(seen) == np.shape(value)
    np.testing.assert_allclose(seen, value, rtol=1e-15)


BIG = 2**32  # its square has no place in 64 bits; that of BIG // 2 has
MOST = 2**63 - 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"sum([{2**62}, {2**62}])", 2.0**63),
        (f"sum([{2**62}, {2**62 - 1}])", MOST),
        (f"sum([{2**62}, {2**62}, -{2**62}])", 2**62),
        (f"sum({2**62} * [1, 1])", 2.0**63),
        (f"prod([{BIG}, {BIG}])", 2.0**64),
        (f"prod([{BIG // 2}, {BIG}])", 2.0**63),
        ("prod([3037000499, 3037000499])", 3037000499**2),
        (f"dot([{BIG}, 1], [{BIG}, 1])", 2.0**64),
        (f"[{BIG}, 1] @ [{BIG}, 1]", 2.0**64),
        (f"outer([{BIG}, 1], [{BIG}])", [[2.0**64], [BIG]]),
        (f"einsum('i,i->', [[{BIG}, 1], [{BIG}, 1]])", 2.0**64),
        (f"einsum('i,i->', [{BIG}, 1], [{BIG}, 1])", 2.0**64),
        (f"einsum('i->', [{2**62}, {2**62}])", 2.0**63),
        (f"linear([{BIG}], [[{BIG}]])", [2.0**64]),
        (f"cumsum([{2**62}, {2**62}])", [2.0**62, 2.0**63]),
        (f"cumprod([{BIG}, {BIG}, 2])", [2.0**32, 2.0**64, 2.0**65]),
        (f"square([{BIG}])", [2.0**64]),
        (f"[{BIG}] ** 2", [2.0**64]),
        ("2 ** 62", 2**62),
        (f"multiply({BIG}, [{BIG}])", [2.0**64]),
        (f"norm([{3 * BIG}, {4 * BIG}])", 5.0 * BIG),
        (f"mse_loss([{BIG}], [0])", 2.0**64),
        (f"avg_pool2d([[[[{MOST}, {MOST}]]]], (1, 2))", [[[[2.0**63]]]]),
        (f"-{MOST} - 1", -(2**63)),
        (f"-(-{MOST} - 1)", 2.0**63),
        (f"abs([-{MOST} - 1])", [2.0**63]),
        (f"{MOST} % 10", 7),
        (f"{MOST} // 10", MOST // 10),
        (f"max([{MOST}, {MOST - 1}])", MOST),
        (f"sort([{MOST}, {MOST - 1}])", [MOST - 1, MOST]),
        (f"sum([{MOST}, {MOST}]) > 0", True),
        ("nll_loss([[1, 2]], [1])", -2.0),
    ],
)
def test_whole_numbers_never_begin_again_at_the_other_end(
    text: str, value: Any
) -> None:
    """What 64 bits hold is exact, as Python's whole numbers are; else it is a float."""
    seen = np.asarray(see(text))
    assert seen.dtype == np.asarray(value).dtype
    assert np.array_equal(seen, value)


def test_an_axis_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match="axis 2 is out of bounds"):
        see("any(w, axis=2)")
    with pytest.raises(CommandError, match="allowed: a whole number"):
        see("argmax(w, axis=(0, 1))")


def test_settings_of_a_training_have_names() -> None:
    training = TRAINING.replace(
        "[training]", '[training]\noptimizer = "momentum"'
    ).replace("learning_rate = 0.5", "learning_rate = 0.25")
    debugger = session(training)

    def ask(text: str) -> Any:
        return said(debugger, f"print {text}").data

    assert (ask("learning_rate"), ask("momentum"), ask("W.learning_rate")) == (
        *(0.25, 0.9, 0.25),
    )
    assert not np.any(ask("W.v"))
    said(debugger, "goto end")
    # The first velocity is the gradient.
    np.testing.assert_array_equal(ask("W.v"), ask("W.grad"))
    said(debugger, "goto 1:start")
    first = ask("W.v")
    said(debugger, "goto end")
    np.testing.assert_allclose(ask("W.v"), 0.9 * first + ask("W.grad"), rtol=1e-15)
    assert "momentum keeps no m; it keeps v" in refused(debugger, "print W.m")
    assert "has no beta1; it has learning_rate, momentum" in refused(
        debugger, "print beta1"
    )
    assert "x has no 'v'" in refused(debugger, "print x.v")
    said(debugger, "goto 0:start")
    said(debugger, "watch W.v")
    stop = said(debugger, "continue").stop
    assert stop is not None
    assert stop.where == "W"


def test_without_a_training_there_are_no_settings() -> None:
    assert "nothing is trained here" in refused(session(), "print learning_rate")
    assert "nothing is trained here" in refused(session(), "print W.v")


def test_the_names_of_the_literature_are_gradients() -> None:
    np.testing.assert_array_equal(see("δ"), see("y.grad"))
    np.testing.assert_array_equal(see("δ.T"), see("y.grad").T)


def test_what_has_not_happened_yet_is_told_apart_from_what_never_will() -> None:
    with pytest.raises(NotYetError, match="not computed yet"):
        see("z", 1)
    with pytest.raises(NotYetError, match="no gradient has reached"):
        see("x.grad", 3)
    assert not parse("z[0, 0] > 0", PROGRAM.graph, {}).holds(State(TRACE, 0))
    program = program_of("E = x * C", x=1.0, C=2.0)
    trace = Trace(evaluate(program.graph, program.leaves))
    with pytest.raises(CommandError, match="has no gradient"):
        parse("C.grad", program.graph, {}).evaluate(State(trace, len(trace)))


def test_reads_are_what_an_expression_depends_on() -> None:
    names = PROGRAM.graph.names
    found = parse("norm(w.grad) + δ[0, 0] - w.shape[0]", PROGRAM.graph, NAMES).reads
    assert found == {(names["w"], "grad"), (names["y"], "grad")}


# ------------------------------------------------------------------------ no way out


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "x.__class__",
        "x.grad.__class__.__mro__",
        "(x + 1).__class__",
        "x.tofile('f')",
        "x.value.base",
        "().__class__.__bases__",
        "''.join(x)",
        "'%s' % x",
        "'{0.__class__}'.format(x)",
        "f'{x}'",
        "lambda: 1",
        "(lambda: 1)()",
        "[i for i in x]",
        "{i: 1 for i in x}",
        "(i for i in x)",
        "{1, 2}",
        "{1: 2}",
        "x := 3",
        "(y := 3)",
        "await x",
        "yield x",
        "*x",
        "[*x]",
        "sum(*x)",
        "sum(**x)",
        "print(x)",
        "open('f')",
        "eval('1')",
        "exec('1')",
        "getattr(x, 'T')",
        "x[0](1)",
        "sum.__call__(x)",
        "np.zeros(3)",
        "numpy",
        "x; y",
        "x = 3",
        "import os",
        "b'bytes'",
        "1j",
        "x is None",
        "x in y",
        "x & y",
        "~x",
        "x << 3",
        "isnan(x, out=x)",
        "norm(x, out=x)",
        "close(x, x, equal_nan=False)",
        "sum(x, out=x)",
        "sum(x, dtype='O')",
        "1 if x else 2",
        "x\0",
        "\ud800",
        "x\ny",
        "",
        "(",
        "x[",
        "9" * 3000,
        "9" * 100,
        "-" * 1500 + "1",
        "(" * 100 + "1" + ")" * 100,
        "x" + ".T" * 200,
        "[" * 50,
        "1" + " ** 9" * 100,
        "'a' * 9",
        "None + 1",
        "[[1], [1, 2]]",
        "[[1], [1, 2]] == 3",
        "hits(inf)",
        "hits([1, 2])",
        "w @ [1, 2, 3]",
        "x[5]",
        "x['a']",
        "x[1.5]",
        "concatenate()",
        "concatenate(x, y, z, w)",
        "reshape(x, (7,))",
        "einsum('ij->', x, w)",
        "einsum('%s', x)",
        "argmax([])",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(CommandError):
        see(text)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "9**9**9**9",
        "99999999999999999 ** 99999999",
        "2 ** 2 ** 2 ** 2 ** 2 ** 2",
        "(10 ** 400) * 3",
        "-9 ** 9 ** 9 % 7",
        "broadcast_to(x, (10000000, 2))",
        "broadcast_to(c, (100000, 100000))",
        "outer(broadcast_to(c, (100000,)), broadcast_to(c, (100000,)))",
        "pad(x, 100000000)",
        "sum(broadcast_to(c, (3, 1)) == broadcast_to(c, (9,)))",
        "'a' * 999999999",
        "[1] * 999999999",
        "1e308 * 1e308",
    ],
)
def test_nothing_takes_long_or_much(text: str) -> None:
    tracemalloc.start()
    started = time.process_time()
    with contextlib.suppress(CommandError):
        see(text)
    taken, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 5
    assert peak < 500 * 2**20


NESTED = "v"
for _ in range(15):
    NESTED = f"({NESTED} + 0)"


@pytest.mark.parametrize(
    ("text", "says", "name"),
    [
        (NESTED, "the results of the expression have 1100 elements", "results"),
        ("[v, v, v, v, v, v, v, v, v, v, v]", "shape (1100,) is too large", "elements"),
        ("-v + -v + -v + -v + -v + -v", "have 1100 elements together", "results"),
        ("sum(v[None] * v[:, None])", "shape (100, 100) is too large", "elements"),
        ("v @ v", "", ""),
        ("W @ W @ W", "", ""),
        ("W @ W @ W @ W @ W @ W @ W @ W @ W @ W @ W @ W", "multiplications", "work"),
        ("matmul(matmul(matmul(W, W), matmul(W, W)), matmul(W, W))", "", ""),
        ("einsum('ij,jk,kl->il', W, W, W)", "multiplications", "work"),
        (
            "mse_loss(v, v) + mse_loss(v, v) + mse_loss(v, v)",
            "at most 195 are allowed",
            "elements",
        ),
        ("any(isnan(v)) or any(isinf(v)) or norm(v) > 3", "", ""),
        ("zeros((2000,))", "shape (2000,) is too large", "elements"),
        ("stack([v, v, v, v, v, v, v, v, v, v, v])", "too large", "elements"),
    ],
)
def test_an_expression_is_bounded_as_a_whole(text: str, says: str, name: str) -> None:
    program = program_of("E = sum(v) + sum(W)", v=np.zeros(100), W=np.zeros((9, 9)))
    trace = Trace(evaluate(program.graph, program.leaves))
    limits = Limits(elements_per_array=1000, results=1000, work=10_000)
    state = State(trace, 0, budget=Budget(limits))
    expression = parse(text, program.graph, {})
    if not says:
        expression.evaluate(state)
        return
    with pytest.raises(CommandError) as caught:
        expression.evaluate(state)
    assert says in str(caught.value)
    assert f"--limit {name}" in str(caught.value)


def test_the_expressions_of_a_line_share_its_work() -> None:
    program = program_of("E = sum(W)", W=np.zeros((9, 9)))
    trace = Trace(evaluate(program.graph, program.leaves))
    state = State(trace, 0, budget=Budget(Limits(work=10_000)))
    product = parse("W @ W", program.graph, {})  # 729 and 2 · 81 of the operands
    for _ in range(5):
        product.evaluate(state)
    with pytest.raises(CommandError, match="the line would take 1"):
        product.evaluate(state)


@pytest.mark.parametrize(
    "text",
    [
        "v[:, None] == v[None]",
        "close(v[:, None], v[None])",
        "v[:, None] + v[None]",
        "w[i]",
        "outer(v, v)",
    ],
)
def test_results_are_measured_before_they_are_made(
    text: str,
) -> None:
    program = program_of(
        "E = sum(v) + sum(w)",
        v=np.zeros(200),
        w=np.zeros((3, 100)),
        I=np.zeros(200, dtype=int),
    )
    trace = Trace(evaluate(program.graph, program.leaves))
    state = State(trace, 0, budget=Budget(Limits(elements_per_array=10_000)))
    with pytest.raises(CommandError, match="too large"):
        parse(text.replace("[i]", "[I]"), program.graph, {}).evaluate(state)
    assert LIMITS.elements_per_array > 10_000


@given(
    st.text(alphabet="xwyzE.grad()[]{}*+-/@<>=!, 0123456789'\"_:T\\#%&|^~", max_size=40)
)
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    assert_answered(text)


def assert_answered(text: str) -> None:
    """A value is one that can be shown, and the same again; an error says something."""
    try:
        value = see(text)
    except CommandError:
        with pytest.raises(CommandError, match=r"\w"):
            see(text)
    else:
        assert isinstance(value, np.ndarray | np.generic | float | int | str | tuple)
        assert same(value, see(text))


PARTS = st.sampled_from(
    ["x", "w", "w.grad", "c", "2", "0.5", "x[0]", "w.T", "[1, 2]", "None", "'a'", "E"]
)
TREES = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/@%"), inner),
        st.builds(
            "({} {} {})".format, inner, st.sampled_from(["<", "==", "**"]), inner
        ),
        st.builds("{}({})".format, st.sampled_from(["sum", "norm", "all"]), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["close", "dot"]), inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("(not {} and {})".format, inner, inner),
    ),
    max_leaves=6,
)


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_any_combination_is_a_value_or_an_error(text: str) -> None:
    assert_answered(text)


@given(TREES)
def test_looking_changes_no_array(text: str) -> None:
    before = [TRACE.run.value(n.index).copy() for n in PROGRAM.graph]
    with contextlib.suppress(CommandError):
        see(text)
    for node, value in zip(PROGRAM.graph, before, strict=True):
        np.testing.assert_array_equal(TRACE.run.value(node.index), value)


# -------------------------------------------------------------------------- elements


def test_elements_are_nodes_with_whole_numbers() -> None:
    graph = PROGRAM.graph
    names = graph.names
    element = parse_element("w.grad[1, -1]", graph, NAMES)
    assert (element.node, element.quantity, element.index) == (
        names["w"],
        "grad",
        (1, 1),
    )
    assert parse_element("δ[0, 1]", graph, NAMES).quantity == "grad"
    assert parse_element("w", graph, NAMES).index is None
    assert parse_element("c", graph, NAMES).index == ()
    for wrong in (
        "w[0]",
        "w[2, 0]",
        "w[0.5, 0]",
        "w[:, 0]",
        "w + 1",
        "w.T[0, 0]",
        "c[0]",
    ):
        with pytest.raises(CommandError):
            parse_element(wrong, graph, NAMES)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("zeros(3)", np.zeros(3)),
        ("ones((2, 3))", np.ones((2, 3))),
        ("full(2, fill_value=7)", np.full(2, 7.0)),
        ("full((2,), nan)", np.full(2, np.nan)),
        ("eye(2, k=1)", np.eye(2, k=1)),
        ("arange(5)", np.arange(5)),
        ("arange(0, 1, 0.25)", np.arange(0, 1, 0.25)),
        ("linspace(0, 1, num=3)", np.linspace(0, 1, 3)),
        ("zeros((1 + 1, a.shape[1]))", np.zeros((2, 1))),
        ("zeros(W.shape) + 1", np.ones((2, 2))),
        ("mse_loss([1.0, 2.0], [0.0, 4.0])", 2.5),
        ('mse_loss([1.0, 2.0], [0.0, 4.0], reduction="sum")', 5.0),
        ("huber_loss([3.0], 0.0, delta=2.0)", 4.0),  # 2 · (3 − 2 / 2)
        ("embedding([1, 0], W)", [[0.25, 2.0], [0.5, -1.0]]),
    ],
)
def test_constructors_and_recipes_make_arrays(text: str, wanted: Any) -> None:
    debugger = session()
    said(debugger, "goto end")
    np.testing.assert_array_equal(valued(debugger, text), wanted)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("zeros((100000, 100000))", "too large"),
        ("eye(1000000)", "too large"),
        ("arange(1e30)", "too large"),
        ("linspace(0, 1, num=10**12)", "too large"),
        ("zeros(-1)", "allowed: a shape"),
        ("zeros()", "zeros needs shape"),
        ("zeros(2, colour=1)", "no argument colour"),
        ("arange(0, 1, 0)", "never arrives"),
        ("mse_loss(1)", "mse_loss needs target"),
        ("mse_loss(zeros(2), zeros(3))", "broadcast"),
        ("huber_los(1, 2)", "did you mean 'huber_loss'"),
        ("ones(2) + ones(3)", "add: ones(2) has shape (2,) and ones(3) has shape (3,)"),
        ("ones((1, 2)) @ ones((3, 1))", "matmul: ones((1, 2)) has shape (1, 2)"),
        ("1 - 2 * [1, 2] ** [1, 2, 3]", "the expression: [1, 2] ** [1, 2, 3]"),
        ("ones(2) < ones(3)", "shapes (2,) and (3,) do not broadcast"),
        ("None", "None stands where a value is needed"),
        ("...", "stands where a value is needed"),
        ("[1, ...]", "a list of 2 stands where a value is needed"),
        ("ones(2) * 'a'", "the text 'a' stands where a value is needed"),
        ("(ones(2) > 0) - (ones(2) > 1)", "True and False are not numbers"),
    ],
)
def test_what_cannot_be_made_is_said(text: str, says: str) -> None:
    assert says in refused(session(), f"print {text}")


ODD = LAYERS + '"∂E/∂W" = "W.grad"\n"a-b" = "x.grad"\n'


def test_names_of_the_literature_are_read_as_they_are_written() -> None:
    debugger = session(ODD)
    said(debugger, "goto end")
    gradient = valued(debugger, "W.grad")
    for text in ("∂E/∂W", "`∂E/∂W`", "(∂E/∂W)", "+∂E/∂W"):
        np.testing.assert_array_equal(valued(debugger, text), gradient)
    np.testing.assert_array_equal(
        valued(debugger, "2*∂E/∂W/2 + W"), gradient + valued(debugger, "W")
    )
    assert valued(debugger, "`a-b`[1, 0]") == valued(debugger, "x.grad[1, 0]")
    np.testing.assert_array_equal(
        valued(debugger, "a - b"), valued(debugger, "a - (b)")
    )
    assert said(debugger, "explain ∂E/∂W[0, 1]").data["element"] == "W.grad[0, 1]"
    assert "∂E/∂V" in refused(debugger, "print ∂E/∂V")
    assert "(column 9)" in refused(debugger, "print ∂E/∂W + nothing")
    said(debugger, "assert close(∂E/∂W, W.grad)")
