"""Programs: what each construct builds, what each mistake says, and where."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradstep.core.base.errors import InputError, LimitError, ProgramError
from gradstep.core.base.limits import LIMITS, Limits
from gradstep.core.engine.run import forward
from gradstep.core.ops.shape.indexing import Slot
from gradstep.core.program.build import Leaf, Program, build
from gradstep.core.program.prelude import PRELUDE
from gradstep.core.program.syntax import check_name, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.core.engine.graph import Graph

LEAVES = {
    "t": Leaf("constant", np.array([[1.0], [0.0], [1.0]])),
    "W1": Leaf("parameter", np.arange(20.0).reshape(5, 4)),
    "x0": Leaf("input", np.arange(4.0).reshape(4, 1)),
    "W2": Leaf("parameter", np.ones((3, 5))),
    "a": Leaf("input", np.float64(3)),
    "v": Leaf("input", np.array([1.0, -2.0, 3.0, -4.0])),
    "i": Leaf("constant", np.array([2, 0])),
    "m": Leaf("constant", np.array([True, False, True, True])),
}
LAYERS = """\
def layer(W, x):
    z = W @ x            # pre-activation
    return sigmoid(z)

x1 = layer(W1, x0)   # the first layer
x2 = layer(W2, x1)
E = 0.5 * sum((x2 - t) ** 2)   # half the squared error
"""


def graph(text: str, output: str | None = None) -> Graph:
    return build(text, LEAVES, output=output).graph


def values(program: Program) -> dict[str, object]:
    run = forward(program.graph, program.leaves)
    return {name: run[index] for name, index in program.graph.names.items()}


def value(text: str) -> object:
    program = build(text, LEAVES)
    return forward(program.graph, program.leaves)[program.graph.output]


def new(text: str) -> list[str]:
    """Return the nodes that a program adds: `name = op(operands)`."""
    built = graph(text)
    return [
        f"{n.name} = {n.op.name}({', '.join(built.nodes[k].name for k in n.operands)})"
        for n in built
        if n.op
    ]


def wrong(text: str, **options: object) -> list[str]:
    """Return what is wrong with a program: `line:column message; hint`."""
    with pytest.raises(InputError) as caught:
        build(text, LEAVES, **options)  # type: ignore[arg-type]
    return [
        f"{p.line}:{p.column} {p.message}" + (f"; {p.hint}" if p.hint else "")
        for p in caught.value.problems
    ]


# --------------------------------------------------------------------------- names


def test_leaves_come_first_by_kind_and_then_in_their_order() -> None:
    built = graph("y = a")
    assert [n.name for n in built] == ["x0", "a", "v", "W1", "W2", "t", "i", "m"]
    kinds = [n.kind for n in built]
    assert kinds == ["input"] * 3 + ["parameter"] * 2 + ["constant"] * 3
    assert built.nodes[0].shape == (4, 1)
    assert all(n.site is None and n.op is None for n in built)


def test_unnamed_results_are_numbered_after_the_line() -> None:
    assert new("h = tanh(W1 @ x0 + a)") == [
        "h._1 = matmul(W1, x0)",
        "h._2 = add(h._1, a)",
        "h = tanh(h._2)",
    ]


def test_calls_make_frames_named_after_what_they_assign() -> None:
    assert new(LAYERS) == [
        "x1.z = matmul(W1, x0)",
        "x1 = sigmoid(x1.z)",
        "x2.z = matmul(W2, x1)",
        "x2 = sigmoid(x2.z)",
        "E._1 = subtract(x2, t)",
        "E._2 = power(E._1, 2)",
        "E._3 = sum(E._2)",
        "E = multiply(0.5, E._3)",
    ]


def test_nested_calls_take_a_number_of_their_line() -> None:
    text = LAYERS.split("x1 =", maxsplit=1)[0] + "y = layer(W2, layer(W1, x0 + a)) * a"
    assert new(text) == [
        "y._1 = add(x0, a)",
        "y._2.z = matmul(W1, y._1)",
        "y._2 = sigmoid(y._2.z)",
        "y._3.z = matmul(W2, y._2)",
        "y._3 = sigmoid(y._3.z)",
        "y = multiply(y._3, a)",
    ]
    assert [f.name for f in graph(text).frames] == ["", "y._2", "y._3"]


def test_the_result_of_a_frame_takes_its_name_and_keeps_its_own_as_an_alias() -> None:
    built = graph("def f(x):\n    u = x + a\n    y = u * u\n    return y\nq = f(a)")
    assert [n.name for n in built if n.op] == ["q.u", "q"]
    assert built.aliases == {"q.y": built.output}
    assert built.node("q.y").name == "q"


def test_unnamed_nodes_of_a_return_do_not_clash_with_those_of_the_call() -> None:
    text = "def f(x):\n    w = exp(x + 1)\n    return w * (x + 2)\nq = f(a * a)"
    assert new(text) == [
        "q._1 = multiply(a, a)",
        "q.w._1 = add(q._1, 1)",
        "q.w = exp(q.w._1)",
        "q._2 = add(q._1, 2)",
        "q = multiply(q.w, q._2)",
    ]


def test_a_call_in_a_return_is_a_frame_inside() -> None:
    text = (
        "def f(x):\n    z = exp(x)\n    return z\n"
        "def g(x):\n    z = x + 1\n    return f(z)\n"
        "q = g(a)"
    )
    built = graph(text)
    assert [n.name for n in built if n.op] == ["q.z", "q"]
    assert [f.name for f in built.frames] == ["", "q", "q._1"]
    assert built.aliases == {"q._1.z": built.output, "q._1": built.output}


def test_a_second_name_is_an_alias() -> None:
    built = graph("b = a\nc = exp(b)\nd = c")
    assert [n.name for n in built if n.op] == ["c"]
    assert built.aliases == {"b": 1, "d": built.output}


def test_returning_a_parameter_or_a_name_of_the_program_is_an_alias() -> None:
    built = graph(
        "def f(x):\n    return x\ndef g(x):\n    return a\nb = f(v)\nc = g(b)"
    )
    assert built.aliases == {"b": 2, "c": 1}
    assert built.output == 1


def test_parts_of_a_split_take_the_names_on_the_left() -> None:
    assert new("p, q = split(v, 2)") == ["p = split(v)", "q = split(v)"]
    built = graph("p, q = split(v * a, (1,))")
    p, q = built.node("p"), built.node("q")
    assert (p.shape, q.shape) == ((1,), (3,))
    assert (p.attributes["part"], q.attributes["part"]) == (0, 1)
    assert built.statements[0].target == "p, q"
    assert built.output == q.index


def test_a_split_that_is_one_name_is_indexed_or_joined() -> None:
    assert new("s = split(v, 2)\ny = s[1]\nz = concatenate(s)") == [
        "s._1 = split(v)",
        "s._2 = split(v)",
        "z = concatenate(s._1, s._2)",
    ]


# ------------------------------------------------------------------------ literals


def test_one_constant_for_each_literal_named_as_it_is_written() -> None:
    program = build("y = 0.50 * a + 0.5 * a + 2 * a ** 2 - 2.0 + (a == True)", LEAVES)
    nodes = {n.name: n for n in program.graph}
    literals = {n: program.leaves[nodes[n].index] for n in ("0.50", "2", "2.0", "True")}
    assert literals == {"0.50": 0.5, "2": 2, "2.0": 2.0, "True": True}
    kinds = [type(one) for one in literals.values()]
    assert kinds == [float, int, float, bool]
    assert all(nodes[n].kind == "constant" and nodes[n].site is None for n in literals)
    assert "0.5" not in nodes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-3", -3),
        ("+3", 3),
        ("1 / x0.shape[0]", 0.25),
        ("2 ** 10 // 3", 341),
        ("2 ** -1", 0.5),
        ("W1.shape[-1] * W1.shape[0] - 1", 19),
        ("(1 < 2) + 1", 2),
        ("sqrt(4)", 2.0),
        ("(2, 3, 4)[1:][0]", 3),
        ("0x10", 16),
        ("pi", np.pi),
        ("-inf", -np.inf),
        ("maximum(2 ** 40, 3) * 1.0", 2.0**40),
        ("where(True, 1, 2)", 1.0),
    ],
)
def test_static_arithmetic_is_folded(text: str, expected: float) -> None:
    program = build(f"y = a + ({text})", LEAVES)
    (literal,) = [n for n in program.graph if n.index not in range(len(LEAVES))][:1]
    assert program.leaves[literal.index] == expected
    assert type(program.leaves[literal.index]) is type(expected)
    assert len(program.graph) == len(LEAVES) + 2


def test_nan_is_a_number() -> None:
    assert np.isnan(value("y = a * nan"))  # type: ignore[call-overload]


def test_pi_can_be_a_name() -> None:
    assert new("pi = exp(a)\ny = pi * a")[1] == "y = multiply(pi, a)"


def test_a_static_name_is_no_node_but_finds_the_constant() -> None:
    built = graph("n = 3\nk = 4\ny = n * a")
    assert built.node("n").name == "3"
    assert "k" not in built.names


def test_a_static_output_is_a_constant() -> None:
    program = build("y = 5", LEAVES)
    assert program.leaves[program.graph.output] == 5
    assert program.graph.node("y").name == "5"


# -------------------------------------------------------------------- constructors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zeros((2, 3))", np.zeros((2, 3))),
        ("zeros(3)", np.zeros(3)),
        ("ones(shape=(2,))", np.ones(2)),
        ("full((2, 2), 7)", np.full((2, 2), 7.0)),
        ("full((), inf)", np.array(np.inf)),
        ("eye(2)", np.eye(2)),
        ("eye(2, 3, k=1)", np.eye(2, 3, 1)),
        ("eye(2, k=10 ** 18)", np.zeros((2, 2))),
        ("arange(3)", np.arange(3)),
        ("arange(1, 10, 4)", np.arange(1, 10, 4)),
        ("arange(3, 0, -1)", np.arange(3, 0, -1)),
        ("arange(0, 1, 0.3)", np.arange(0, 1, 0.3)),
        ("linspace(0, 1, 5)", np.linspace(0, 1, 5)),
        ("linspace(0, 1, num=0)", np.linspace(0, 1, 0)),
        ("zeros(x0.shape)", np.zeros((4, 1))),
        ("zeros(x0.shape + (2,))", np.zeros((4, 1, 2))),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_constructors_make_constants(
    text: str, expected: np.ndarray, dtype: str
) -> None:
    program = build(f"k = {text}", LEAVES, dtype=np.dtype(dtype))
    node = program.graph.nodes[program.graph.output]
    array = program.leaves[node.index]
    assert isinstance(array, np.ndarray)
    assert (node.name, node.kind, node.op) == ("k", "constant", None)
    assert node.site is not None
    assert node.site.text == text
    assert array.dtype == (np.int64 if expected.dtype == np.int64 else dtype)
    np.testing.assert_array_equal(array, expected.astype(array.dtype))
    assert not array.flags.writeable


def test_a_constructor_inside_an_expression_is_numbered() -> None:
    assert new("y = v + ones(4)") == ["y = add(v, y._1)"]


# -------------------------------------------------------------------------- indices


@pytest.mark.parametrize(
    ("index", "pick"),
    [
        ("[0]", lambda v, W: v[0]),
        ("[-1]", lambda v, W: v[-1]),
        ("[1:3]", lambda v, W: v[1:3]),
        ("[::-1]", lambda v, W: v[::-1]),
        ("[None, ..., :2]", lambda v, W: v[None, ..., :2]),
        ("[[0, 2, 0]]", lambda v, W: v[[0, 2, 0]]),
        ("[[]]", lambda v, W: v[[]].astype(float)),
        ("[[True, False, True, False]]", lambda v, W: v[[True, False, True, False]]),
        ("[v.shape[0] - 2:]", lambda v, W: v[2:]),
        ("[i]", lambda v, W: v[[2, 0]]),
        ("[i[0]]", lambda v, W: v[2]),
        ("[m]", lambda v, W: v[[0, 2, 3]]),
        ("[v > 0]", lambda v, W: v[v > 0]),
        ("[(v > 0) * m]", lambda v, W: v[[0, 2]]),
    ],
)
def test_indexing_is_that_of_numpy(
    index: str, pick: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> None:
    v = np.array([1.0, -2.0, 3.0, -4.0])
    program = build(f"y = v{index}", LEAVES)
    expected = pick(v, v)
    assert program.graph.nodes[program.graph.output].shape == np.shape(expected)
    result = forward(program.graph, program.leaves)[program.graph.output]
    np.testing.assert_array_equal(result, expected)


def test_index_arrays_are_operands_and_the_rest_is_fixed() -> None:
    built = graph("y = W1[i[0], m, None]")
    node = built.nodes[built.output]
    assert [built.nodes[k].name for k in node.operands] == ["W1", "y._1", "m"]
    assert node.attributes["index"] == (Slot(0), Slot(1, mask=True), None)


def test_what_is_put_somewhere_is_an_operand() -> None:
    built = graph("y = put(W1[i[0], m, None], a)")
    node = built.nodes[built.output]
    assert [built.nodes[k].name for k in node.operands] == ["W1", "a", "y._1", "m"]
    assert node.attributes["index"] == (Slot(0), Slot(1, mask=True), None)


def test_attributes() -> None:
    assert new("y = W1.T @ W1") == ["y._1 = transpose(W1)", "y = matmul(y._1, W1)"]
    assert graph("y = W1.T").nodes[-1].shape == (4, 5)


# ---------------------------------------------------------------------- operations


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("v + v", "add"),
        ("v - v", "subtract"),
        ("v * v", "multiply"),
        ("v / v", "divide"),
        ("v ** v", "power"),
        ("v @ v", "matmul"),
        ("-v", "negative"),
        ("v == v", "equal"),
        ("v != v", "not_equal"),
        ("v < v", "less"),
        ("v <= v", "less_equal"),
        ("v > v", "greater"),
        ("v >= v", "greater_equal"),
        ("amax(v)", "max"),
        ("concat([v, v])", "concatenate"),
        ("gather(v, i)", "take"),
    ],
)
def test_operators_and_aliases(text: str, op: str) -> None:
    operands = ", ".join(["v"] * (2 - (text[0] == "-" or "amax" in text)))
    operands = operands.replace("v, v", "v, i") if "gather" in text else operands
    assert new(f"y = {text}") == [f"y = {op}({operands})"]


def test_arguments_by_place_and_by_name() -> None:
    for text in (
        "sum(W1, 0, True)",
        "sum(W1, keepdims=True, axis=0)",
        "sum(x=W1, axis=0, keepdims=True)",
    ):
        built = graph(f"y = {text}")
        assert built.nodes[-1].attributes == {"axis": 0, "keepdims": True}
        assert built.nodes[-1].shape == (1, 4)
    assert graph("y = sum(W1, axis=[0, 1])").nodes[-1].attributes["axis"] == (0, 1)


def test_unary_plus_is_nothing() -> None:
    assert new("y = +exp(a)") == ["y = exp(a)"]
    assert graph("y = +a").aliases == {"y": 1}


def test_a_long_sum_is_not_nested() -> None:
    text = "y = " + " + ".join(["a"] * 900)
    assert len(graph(text)) == len(LEAVES) + 899


def test_a_variable_called_like_an_operation_leaves_it_alone() -> None:
    assert new("sum = a + a\ny = sum(v) * sum") == [
        "sum = add(a, a)",
        "y._1 = sum(v)",
        "y = multiply(y._1, sum)",
    ]


# ------------------------------------------------------------------------ functions


def test_defaults_and_keywords() -> None:
    text = (
        "def f(x, k=2, s=(0, 1), by=None):\n    return x * k\ny = f(a)\nz = f(k=a, x=v)"
    )
    assert new(text) == ["y = multiply(a, 2)", "z = multiply(v, a)"]


def test_functions_see_names_bound_before_the_call() -> None:
    text = "def f(x):\n    return x * b\nb = exp(a)\ny = f(a)"
    assert new(text)[1] == "y = multiply(a, b)"
    text = "def f(x):\n    return g(x)\ndef g(x):\n    return -x\ny = f(a)"
    assert new(text) == ["y = negative(a)"]


def test_a_name_in_a_function_hides_that_of_the_program() -> None:
    text = "z = exp(a)\ndef f(v):\n    z = v * v\n    return z + a\ny = f(z)"
    assert new(text)[1:] == ["y.z = multiply(z, z)", "y = add(y.z, a)"]


def test_a_function_may_return_something_static() -> None:
    text = "def rows(x):\n    return x.shape[0]\ny = a / rows(x0)"
    assert new(text) == ["y = divide(a, 4)"]
    text = "def halves(x):\n    return split(x, 2)\np, q = halves(v)"
    assert new(text) == ["p = split(v)", "q = split(v)"]


# ------------------------------------------------------------------- where it stands


def test_statements_tell_their_lines_notes_and_nodes() -> None:
    built = graph(LAYERS)
    statements = [
        (s.frame, s.target, s.line, s.text, s.note, s.first, s.stop)
        for s in built.statements
    ]
    n = len(LEAVES)
    assert statements == [
        (0, "x1", 5, "x1 = layer(W1, x0)", "the first layer", n, n + 2),
        (1, "x1.z", 2, "z = W @ x", "pre-activation", n, n + 1),
        (1, "x1", 3, "return sigmoid(z)", "", n + 1, n + 2),
        (0, "x2", 6, "x2 = layer(W2, x1)", "", n + 2, n + 4),
        (2, "x2.z", 2, "z = W @ x", "pre-activation", n + 2, n + 3),
        (2, "x2", 3, "return sigmoid(z)", "", n + 3, n + 4),
        (
            0,
            "E",
            7,
            "E = 0.5 * sum((x2 - t) ** 2)",
            "half the squared error",
            n + 4,
            n + 10,
        ),
    ]


def test_frames_tell_their_calls_and_nodes() -> None:
    built, n = graph(LAYERS), len(LEAVES)
    frames = [
        (f.name, f.function, f.source, f.parent, f.depth, f.first, f.stop)
        for f in built.frames
    ]
    assert frames == [
        ("", "", "program", 0, 0, n, n + 10),
        ("x1", "layer", "program", 0, 1, n, n + 2),
        ("x2", "layer", "program", 0, 1, n + 2, n + 4),
    ]
    call = built.frames[1].call
    assert call is not None
    assert (call.statement, call.line, call.column) == (0, 5, 6)
    assert call.text == "layer(W1, x0)"
    assert built.frame_of(built.node("x2.z")) is built.frames[2]


def test_nodes_tell_where_they_stand() -> None:
    built = graph(LAYERS)
    sites = [
        (n.name, n.site.statement, n.site.line, n.site.column, n.site.text)
        for n in built
        if n.site
    ]
    assert sites == [
        ("x1.z", 1, 2, 9, "W @ x"),
        ("x1", 2, 3, 12, "sigmoid(z)"),
        ("x2.z", 4, 2, 9, "W @ x"),
        ("x2", 5, 3, 12, "sigmoid(z)"),
        ("E._1", 6, 7, 16, "x2 - t"),
        ("E._2", 6, 7, 15, "(x2 - t) ** 2"),
        ("E._3", 6, 7, 11, "sum((x2 - t) ** 2)"),
        ("E", 6, 7, 5, "0.5 * sum((x2 - t) ** 2)"),
    ]


def test_a_graph_has_the_texts_of_its_program_and_of_the_prelude() -> None:
    built = graph(LAYERS)
    assert built.sources["program"] == (LAYERS, False)
    assert built.sources["prelude"] == (PRELUDE, True)


def test_lines_that_go_on() -> None:
    built = graph("y = (a   # one\n     * a)  # two\nz = y; w = exp(z)  # three")
    first, second, third = built.statements
    assert first.text == "y = (a\n     * a)"
    assert first.note == "one two"
    assert built.node("y").site is not None
    assert built.node("y").site.text == "a * a"  # type: ignore[union-attr]
    assert (second.text, third.text) == ("z = y", "w = exp(z)")
    assert (second.note, third.note) == ("three", "three")


def test_a_hash_in_a_text_is_no_comment() -> None:
    text = "def f(x, s='#no'):\n    return x\ny = f(a, \"#\") * a  # yes"
    (statement, *_) = graph(text).statements
    assert statement.text == 'y = f(a, "#") * a'
    assert statement.note == "yes"


def test_columns_count_characters() -> None:
    leaves = {**LEAVES, "δ": Leaf("input", np.float64(1)), "ßß": LEAVES["a"]}
    built = build("y = δ * ßß + exp(δ)", leaves).graph
    site = built.nodes[-2].site
    assert site is not None
    assert (site.column, site.text) == (14, "exp(δ)")


def test_long_expressions_are_cut() -> None:
    site = graph("y = " + " + ".join(["a"] * 500)).nodes[-1].site
    assert site is not None
    assert len(site.text) == 200
    assert site.text.endswith("…")


def test_what_comes_from_the_prelude_says_so() -> None:
    built = graph("E = mse_loss(x0, x0 * a)")
    frame = built.frames[1]
    assert (frame.name, frame.function, frame.source) == ("E", "mse_loss", "prelude")
    assert built.nodes[built.output].name == "E"
    statement = built.statements[-1]
    lines = PRELUDE.split("\n")
    assert statement.text in lines[statement.line - 1]


def test_the_prelude_is_right() -> None:
    assert parse(PRELUDE, "prelude", Limits(), place="prelude").problems == ()


def test_a_function_hides_an_operation_of_its_name_in_the_lines_below() -> None:
    text = "before = exp(a)\ndef exp(x):\n    return x * x\nafter = exp(a)\ny = after"
    built = graph(text)
    assert [built.node(one).made_by for one in ("before", "after")] == [
        "exp",
        "multiply",
    ]
    assert built.frames[1].function == "exp"


def test_recipes_go_on_with_the_operations_that_a_program_hides() -> None:
    built = graph("def mean(x):\n    return x\nE = mse_loss(x0, mean(x0 * a))")
    assert built.nodes[built.output].made_by == "mean"
    assert [frame.function for frame in built.frames[1:]] == ["mean", "mse_loss"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_marks(end: str, mark: str) -> None:
    text = mark + LAYERS.replace("\n", end)
    assert [n.name for n in graph(text)] == [n.name for n in graph(LAYERS)]
    assert graph(text).nodes[-1].site == graph(LAYERS).nodes[-1].site


def test_tabs() -> None:
    built = graph("def f(x):\n\treturn\tx *\tx\ny\t=\tf(a)")
    site = built.nodes[-1].site
    assert site is not None
    assert (site.line, site.column, site.text) == (2, 9, "x * x")


# -------------------------------------------------------------------------- outputs


def test_outputs() -> None:
    text = LAYERS + "other = exp(a)"
    assert graph(text).nodes[graph(text).output].name == "other"
    assert graph(text, "E").nodes[graph(text, "E").output].name == "E"
    built = graph(text, "x1.z")
    assert built.nodes[built.output].name == "x1.z"
    assert graph(text, "a").output == 1


def test_an_unknown_output() -> None:
    assert wrong(LAYERS, output="x1.zz") == [
        "0:0 the output 'x1.zz' is not a value of the program; did you mean 'x1.z'?"
    ]
    assert wrong("s = 'text'") == [
        "0:0 the output 's' is not a value of the program; name what a line assigns"
    ]


@pytest.mark.parametrize("text", ["", "# nothing", "def f(x):\n    return x"])
def test_an_empty_program(text: str) -> None:
    assert wrong(text) == [
        "0:0 the program assigns nothing; write a line such as: y = sum(x)"
    ]


# ------------------------------------------------------------------------- mistakes


def read(table: str) -> list[tuple[str, str]]:
    """Return programs, with ⏎ for a new line, and what is said of them below."""
    found: list[tuple[str, str]] = []
    for line in table.splitlines():
        if line.startswith(" "):
            text, said = found.pop()
            found.append((text, f"{said} {line.strip()}".strip()))
        else:
            found.append((line.replace("⏎", "\n"), ""))
    return found


MISTAKES = read("""\
for k in v:⏎    y = k
    1:1 loops are not part of the language; write one line for each step, with a
    function for what repeats
while a:⏎    y = a
    1:1 loops are not part of the language; write one line for each step, with a
    function for what repeats
if a:⏎    y = a
    1:1 if is not part of the language; use where(condition, a, b), which computes both
y = a if a else v
    1:5 if … else is not part of the language; use where(condition, a, b), which
    computes both
import os
    1:1 nothing can be imported; all operations are there by their names
from os import *
    1:1 nothing can be imported; all operations are there by their names
class A: pass
    1:1 classes are not part of the language; write a function
a += 1
    1:1 a name is bound once only, so it cannot be updated; give the result a name of
    its own: x2 = x1 + …
y: float = a
    1:1 annotations are not part of the language; write: name = …
y = (z := a)
    1:6 := is not part of the language; write a line: name = …
y = lambda x: x
    1:5 lambda is not part of the language; write: def name(x): …
y = [k for k in v]
    1:5 comprehensions are not part of the language; write one line for each step, with
    a function for what repeats
y = sum(k for k in v)
    1:8 comprehensions are not part of the language; write one line for each step, with
    a function for what repeats
y = {k for k in v}
    1:5 comprehensions are not part of the language; write one line for each step, with
    a function for what repeats
y = {k: k for k in v}
    1:5 comprehensions are not part of the language; write one line for each step, with
    a function for what repeats
y = f'{a}'
    1:5 f-strings are not part of the language; write a text: '…'
y = {1: a}
    1:5 dictionaries are not part of the language; use names
y = {a}
    1:5 sets are not part of the language; write a list: […]
y = exp(*v)
    1:9 * in a call or a list is not part of the language; write each argument out
y = exp(**v)
    1:9 ** in a call is not part of the language; write each argument out
y = stack([*v])
    1:12 * in a call or a list is not part of the language; write each argument out
y = a and v
    1:5 and, or are not part of the language; for masks use a * b (and), maximum(a, b)
    (or), a == False (not)
y = not a
    1:5 not is not part of the language; for masks use a * b (and), maximum(a, b) (or),
    a == False (not)
y = m & m
    1:5 operators on bits are not part of the language; for masks use a * b (and),
    maximum(a, b) (or), a == False (not)
y = ~m
    1:5 operators on bits are not part of the language; for masks use a * b (and),
    maximum(a, b) (or), a == False (not)
y = a ^ 2
    1:5 ^ is not part of the language; for a power write x ** 2
y = a % 2
    1:5 % is not part of the language; allowed: + - * / ** @
y = a // 2
    1:5 // is for whole numbers that are fixed, such as x.shape[0]; for values write /
y = a in v
    1:5 in is not part of the language; compare with ==
y = a is None
    1:5 is is not part of the language; compare with ==
y = 0 < a < 1
    1:5 comparisons cannot be chained; write (a < b) * (b < c)
y = v.sum()
    1:5 values have no methods, so there is no .sum(…); write sum(v)
y = v.size
    1:5 there is no attribute .size; write x.shape
y = v.__class__
    1:5 there is no attribute .__class__; allowed: .T and .shape
y = exp(v)(a)
    1:5 only a function by its name can be called; write f(x)
y = sum(v, axis=0, axis=1)
    1:20 axis is given twice; remove one
y = b'1'
    1:5 bytes are not a value; write a text: '…'
y = 2j
    1:5 numbers are real; remove the j
y = 1e999
    1:5 the number is too large for a float64; or write inf
y = 99999999999999999999
    1:5 a whole number that does not fit 64 bits; write it with an exponent: 1e20
y = z = a
    1:5 one line binds one name; write a line for each name
v[0] = a
    1:1 an element of a value cannot be assigned; make a new value: put(x[i], value)
v.T = a
    1:1 only a name can be assigned; write: name = …
[p, q] = split(v, 2)
    1:1 only a name can be assigned; write: name = …
p, *q = split(v, 2)
    1:4 only a name can be assigned; write: name = …
() = split(v, 2)
    1:1 there is no name to assign; write: a, b = split(x, 2)
p, q = v
    1:8 2 names on the left, one value on the right; only as many values as names can be
    taken apart, such as those of split(x, 2)
p, q = split(v, 4)
    1:8 2 names on the left, a tuple of 4 on the right; only as many values as names can
    be taken apart, such as those of split(x, 2)
exp(a)
    1:1 this value has no name; write: name = …
'doc'
    1:1 a text by itself does nothing; write a comment: # …
return a
    1:1 return stands in a function only; write: name = …
pass
    1:1 pass does nothing; remove it
del a
    1:1 names cannot be deleted; unused names are fine
global a
    1:1 names cannot be declared; a function sees the names of the program
assert a
    1:1 assert is not part of the language; say what is expected under [expect]
raise a
    1:1 exceptions are not part of the language; write the lines alone
try:⏎    y = a⏎finally:⏎    z = a
    1:1 exceptions are not part of the language; write the lines alone
with a:⏎    y = a
    1:1 with is not part of the language; write the lines alone
match a:⏎    case 1:⏎        y = a
    1:1 match is not part of the language; use where(condition, a, b), which computes
    both
async def f(x):⏎    return x
    1:1 async and await are not part of the language; remove the word
x0 = a
    1:1 x0 is an input, and a name is bound once only; give this one another name, such
    as x0_2
W1 = a
    1:1 W1 is a parameter, and a name is bound once only; give this one another name,
    such as W1_2
t = a
    1:1 t is a constant, and a name is bound once only; give this one another name, such
    as t2
y = a⏎y = v
    2:1 y is bound on line 1, and a name is bound once only; give this one another name,
    such as y2
p, p = split(v, 2)
    1:4 p is bound on line 1, and a name is bound once only; give this one another name,
    such as p2
_1 = a
    1:1 names such as '_1' are given to unnamed results; choose another name
inf = a
    1:1 'inf' is a number; choose another name
y = x9
    1:5 x9 is not known; known here: x0, a, v, W1, W2, t, i, m, inf, nan, pi
y = sigmoid
    1:5 sigmoid is a function, not a value; call it: sigmoid(…)
y = z⏎z = a
    1:5 z is used before line 2, which binds it; a line sees the lines before it
y = sigmoit(a)
    1:5 there is no function sigmoit; did you mean 'sigmoid'?
y = print(a)
    1:5 there is no function print; define it with def
y = a(v)
    1:5 a is a value, and only functions can be called; for a product write a * (…)
y = f(a)⏎def f(x):⏎    return x
    1:5 f is called before line 2, which defines it; put the function first
y = exp()
    1:5 exp needs x; write exp(x)
y = exp(a, a)
    1:5 exp takes 1 argument, not 2; write exp(x)
y = exp(a, x=a)
    1:5 exp is given x twice; write exp(x)
y = sum(a, axes=0)
    1:5 sum has no argument axes; did you mean 'axis'?
y = sum(v, axis='0')
    1:5 sum: axis is '0'; allowed: a whole number, whole numbers in parentheses, or None
y = sum(v, axis=a)
    1:5 sum: axis is fixed when the program is read, so it cannot be a computed value;
    write a number, or use the shape of a value: x.shape[0]
y = zeros(v)
    1:5 zeros: shape is fixed when the program is read, so it cannot be a computed
    value; write a number, or use the shape of a value: x.shape[0]
y = zeros((2, -1))
    1:5 zeros: shape is (2, -1); allowed: a shape: whole numbers, 0 or more, in
    parentheses
y = arange(0, 1, 0)
    1:5 arange: a step of 0 never arrives
y = concatenate(v)
    1:5 concatenate takes a list of values, not one value; write concatenate([a, b])
y = concatenate([])
    1:5 concatenate takes a list of values, not a list of 0; write concatenate([a, b])
y = getitem(v, 0)
    1:5 an index is written in brackets; write x[i]
y = put(v, 0)
    1:5 put takes a place and a value; write put(x[i], value)
y = put(v[1:3], x=0)
    1:5 put takes a place and a value; write put(x[i], value)
y = put(v[0.5], 0)
    1:5 put: index is (0.5,); allowed: whole numbers, slices, None, ... and lists
y = put(v[:2], v)
    1:5 put: v has shape (4,) and v has shape (4,): a value of shape (4,) does not
    broadcast to (2,), the shape of the places in (4,); the line: y = put(v[:2], v)
y = put(v[m], i)
    1:5 put: v has shape (4,) and i has shape (2,) and m has shape (4,): a value of
    shape (2,) does not broadcast to (3,), the shape of the places in (4,); the line: y
    = put(v[m], i)
y = v + 'text'
    1:9 the text 'text' stands where a value is needed; give it a name under
    [constants], or use full(shape, number)
y = v * [1, 2, 3, 4]
    1:9 a list of 4 stands where a value is needed; give it a name under [constants], or
    use full(shape, number)
y = exp(None)
    1:5 None stands where a value is needed; give it a name under [constants], or use
    full(shape, number)
y = 1 / 0
    1:5 1 / 0: division by zero
y = 'a' + 1
    1:5 the text 'a' and 1: this operator is for numbers only; join numbers, or values
    of the program
y = 2 @ 3
    1:5 2 @ 3: this operator is for arrays only
y = (-1) ** 0.5
    1:5 (-1) ** 0.5: the result is not a real number
y = 10.0 ** 999
    1:5 10.0 ** 999: the result is too large for a float64
y = (1, 2)[2]
    1:5 a tuple of 2: tuple index out of range; count from 0
y = 3[0]
    1:5 3 cannot be indexed with 0; an index of a tuple is a whole number or a slice
y = (2).T
    1:5 2 has no .T; only values of the program have .T and .shape
y = v[a]
    1:5 an index is made of whole numbers or of True and False, not of float64 as a;
    give whole numbers under [constants], or compare: x > 0
y = v[0.5]
    1:5 getitem: index is (0.5,); allowed: whole numbers, slices, None, ... and lists
y = v['k']
    1:5 getitem: index is ('k',); allowed: whole numbers, slices, None, ... and lists
y = v[::0]
    1:5 getitem: index is (slice(None, None, 0),); allowed: whole numbers, slices, None,
    ... and lists
y = v[a:]
    1:7 one value stands as a bound of a slice; a bound is a whole number that is fixed
y = v[4]
    1:5 getitem: v has shape (4,): index 4 is outside axis 0 of (4,); allowed: -4 … 3;
    the line: y = v[4]
y = x0[i + 2]
    1:5 getitem: x0 has shape (4, 1) and i + 2 has shape (2,): index 4 is outside axis 0
    of (4, 1); allowed: -4 … 3; the line: y = x0[i + 2]
y = x0[m, m]
    1:5 getitem: x0 has shape (4, 1) and m has shape (4,) and m has shape (4,): a mask
    of shape (4,) does not fit (4, 1) from axis 1 on; the line: y = x0[m, m]
x = 1 +
    1:8 this is not Python syntax
y = (a
    1:5 '(' was never closed
y = 'a
    1:5 unterminated string literal (detected at line 1)
""")
MISTAKES_IN_FUNCTIONS = read("""\
def f(*x):⏎    return a
    1:8 the parameter x takes any number of arguments; name each parameter, without
    stars
def f(**x):⏎    return a
    1:9 the parameter x takes any number of arguments; name each parameter, without
    stars
def f(x, *, y):⏎    return x
    1:13 a * or / among the parameters restricts y; remove the * or /
def f(x, /):⏎    return x
    1:7 a * or / among the parameters restricts x; remove the * or /
def f(x, x):⏎    return x
    1:10 two parameters are called x; give one of them another name
def f(x: int):⏎    return x
    1:10 annotations are not part of the language; remove it
def f(x) -> int:⏎    return x
    1:13 annotations are not part of the language; remove it
@f⏎def g(x):⏎    return x
    1:2 decorators are not part of the language; remove it
def f(x=a):⏎    return x
    1:9 the default of a parameter is a number, a text, None or a tuple; give the value
    in the call
def f(x):⏎    y = x
    2:5 f does not end with the return of a value; end it with: return …
def f(x):⏎    return
    2:5 f does not end with the return of a value; end it with: return …
def f(x):⏎    return x⏎    y = x⏎    return y
    2:5 return stands at the end of a function only; remove the lines after it
def f(x):⏎    def g(y):⏎        return y⏎    return x
    2:5 a function cannot be defined inside another one; move it out, to before this
    function
def f(x):⏎    'doc'⏎    return x
    2:5 a text by itself does nothing; write a comment: # …
def f(x):⏎    x = a⏎    return x
    2:5 x is bound on line 1, and a name is bound once only; give this one another name,
    such as x2
def f(x):⏎    yield x⏎    return x
    2:5 generators are not part of the language; write: return …
def x0(x):⏎    return x
    1:1 x0 is an input, and a name is bound once only; give this one another name, such
    as x0_2
def f(x):⏎    return x * unheard
    2:16 unheard is not known; known here: x, x0, a, v, W1, W2, t, i, m, end, inf, nan
""")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *MISTAKES,
        ("  y = a", "1:3 unexpected indent"),
        ("y = a\x00", "1:6 the character NUL is not text; remove it"),
        (
            "y = a\ry = v",
            "1:6 the character carriage return, alone, is not text; remove it",
        ),
        (
            "y = a # \ud800",
            "1:9 the character half of a surrogate pair is not text; remove it",
        ),
    ],
)
def test_a_mistake_says_what_is_wrong_where_and_the_way_out(
    text: str, said: str
) -> None:
    assert wrong(text) == [said]


@pytest.mark.parametrize(("text", "said"), MISTAKES_IN_FUNCTIONS)
def test_a_mistake_in_a_function_that_nobody_calls(text: str, said: str) -> None:
    assert wrong(text + "\nend = exp(a)") == [said]


def test_recursion() -> None:
    text = "def f(x):\n    return g(x)\ndef g(x):\n    return f(x)\ny = f(a)"
    (problem,) = wrong(text)
    assert problem.startswith("4:12 f calls itself, which would never end")
    assert problem.endswith(
        "(in g, called as y._1 on line 2); write one function for each level"
    )


def test_a_local_name_before_its_line() -> None:
    text = "z = exp(a)\ndef f(x):\n    y = x * z\n    z = y\n    return z\nq = f(a)"
    assert wrong(text) == [
        (
            "3:13 z is used before f binds it (in f, called as q on line 6); "
            "put the line that binds it first"
        )
    ]


def test_shapes_that_do_not_fit_name_both_and_the_line() -> None:
    (problem,) = wrong("y = exp(a)\nz = y * (W1 @ W2)  # a note")
    assert problem.startswith(
        "2:10 matmul: W1 has shape (5, 4) and W2 has shape (3, 5)"
    )
    assert problem.endswith("; the line: z = y * (W1 @ W2)")
    (problem,) = wrong("z = v * exp(W1.T)")
    assert problem.startswith(
        "1:5 multiply: v has shape (4,) and exp(W1.T) has shape (4, 5):"
    )


def test_shapes_that_do_not_fit_in_a_function_name_the_call() -> None:
    text = LAYERS.replace("layer(W2, x1)", "layer(W1, x1)")
    (problem,) = wrong(text)
    assert problem.startswith(
        "2:9 matmul: W1 has shape (5, 4) and x1 has shape (5, 1): "
    )
    assert "(in layer, called as x2 on line 6); the line: z = W @ x" in problem


def test_shapes_that_do_not_fit_in_the_prelude_stand_at_the_call() -> None:
    (problem,) = wrong("y = exp(a)\nE = y + mse_loss(v, W2)")
    assert problem.startswith("2:9 mse_loss: ")
    assert "v has shape (4,) and W2 has shape (3, 5)" in problem
    text = "def f(x):\n    return mse_loss(x, W2)\nE = f(v)"
    (problem,) = wrong(text)
    assert problem.startswith("2:12 mse_loss: ")
    assert "(in f, called as E on line 3)" in problem


def test_all_mistakes_at_once_and_none_that_only_follows() -> None:
    text = """\
def layer(W, x):
    z = W @ x
    return sigmod(z)
def broken(x):
    for k in x:
        u = k
    return u
for k in v:
    h = k
p = layer(W1, x0)
q = p * h + unheard + k
r = (a +
s = exp(r) + alsounheard
w = broken(a) + 1
a = 3
last = w * q + s + a
"""
    places = [one.split(" ")[0] for one in wrong(text)]
    assert places == ["3:12", "5:5", "8:1", "11:13", "12:5", "13:14", "15:1"]


def test_one_mistake_in_a_function_is_told_once() -> None:
    text = "def f(x):\n    return unheard * x\ny = f(a)\nz = f(y)\nw = f(v)"
    assert len(wrong(text)) == 1


def test_leaves_that_could_not_be_read_cause_no_more_mistakes() -> None:
    with pytest.raises(ProgramError) as caught:
        build("y = gone * nowhere\nz = exp(gone)", LEAVES, broken=["gone"])
    assert [p.column for p in caught.value.problems] == [12]
    with pytest.raises(ProgramError) as caught:
        build("z = exp(gone)", LEAVES, broken=["gone"])
    assert caught.value.problems == ()


def test_problems_are_shifted_into_the_file() -> None:
    with pytest.raises(ProgramError) as caught:
        build(
            "y = a\nz = unheard",
            LEAVES,
            source="lesson.toml",
            locate=lambda line, column: (line + 7, column + 1),
        )
    assert str(caught.value).startswith("lesson.toml:9:6: unheard is not known")


def test_messages_are_inert() -> None:
    with pytest.raises(ProgramError) as caught:
        build("y = v + '\x1b[31m'", LEAVES)
    assert "\x1b" not in str(caught.value)
    built = build("y = exp(a)  # \x1b[31m\u202e", LEAVES).graph
    assert built.statements[0].note == "\\x1b[31m\\u202e"
    assert "\x1b" not in built.sources["program"].text


def test_warnings_of_python_are_not_shown() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        graph("def f(x, s='\\d'):\n    return x\ny = f(a)")
    assert seen == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x0", ""),
        ("δ", ""),
        ("pi", ""),
        ("nan", "'nan' is a number"),
        ("_12", "names such as '_12' are given to unnamed results"),
        ("a b", "'a b' is no name: letters, digits and _, but no word of Python"),
        ("for", "'for' is no name: letters, digits and _, but no word of Python"),
        ("", "'' is no name: letters, digits and _, but no word of Python"),
        ("ﬁ", "Python reads 'ﬁ' as 'fi'"),
    ],
)
def test_names(name: str, said: str) -> None:
    assert check_name(name) == said


# --------------------------------------------------------------------------- limits


ARRAY = "this would make an array of {} elements"


def refused(text: str, limits: Limits | None = None) -> str:
    """Return the last problem of a program that is too large."""
    with pytest.raises(LimitError) as caught:
        build(text, LEAVES, limits=limits or Limits())
    problem = caught.value.problems[-1]
    return f"{problem.line}:{problem.column} {problem.message}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y = zeros((10**9, 10**9))", "1:5 " + ARRAY.format(10**18)),
        ("y = zeros((0, 10**18))", "1:5 " + ARRAY.format(10**18)),
        ("y = broadcast_to(a, (10**5, 10**5))", "1:5 " + ARRAY.format(10**10)),
        ("y = outer(arange(10**4), arange(10**4))", "1:5 " + ARRAY.format(10**8)),
        ("y = split(arange(10**6), 10**6)", "1:5 split into 1000000 parts"),
        ("y = arange(10**18)", "1:5 " + ARRAY.format(10**18)),
        ("y = linspace(0, 1, 10**18)", "1:5 " + ARRAY.format(10**18)),
        ("y = eye(10**6)", "1:5 " + ARRAY.format(10**12)),
        (
            "y = a\nz = " + "(" * 150 + "a" + ")" * 150,
            "2:105 brackets are nested more than 100 levels deep",
        ),
        (
            "y = " + "-" * 150 + "a",
            "1:105 expressions are nested more than 100 levels deep",
        ),
        ("y = " + "-" * 99_999 + "a", "1:1 the line has more than 10000 characters"),
        ("y = " + "-" * 9_000 + "a", "0:0 expressions are nested too deep"),
        ("y = " + "a +" * 3_300 + "a", "0:0 expressions are nested too deep"),
        ("y = 1" + "0" * 2000, "1:5 a number with more than 1000 digits"),
        ("y = a  # " + "x" * 5 * 2**20, "0:0 the program has 5242889 characters"),
    ],
)  # fmt: skip
def test_limits(text: str, said: str) -> None:
    assert refused(text) == said


def test_a_long_sum_has_the_same_bound_in_each_version_of_python() -> None:
    program = build("y = " + "a + " * LIMITS.row + "a", LEAVES)
    assert sum(node.site is not None for node in program.graph) == LIMITS.row
    said = refused("y = " + "a + " * (LIMITS.row + 1) + "a")
    assert said == "0:0 expressions are nested too deep"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y0 = exp(a)\ny1 = exp(a)\ny2 = exp(a)", "3:1 the program has lines for more"),
        ("y = a + a * a / (a) - a", "1:1 the program has operators for more"),
        ("y = a\nz = [" + "1, " * 20 + "]", "2:1 the program has more than 40 words"),
    ],
)
def test_what_is_too_much_is_refused_before_it_is_read(text: str, said: str) -> None:
    assert refused(text, Limits(nodes=2, tokens=40)).startswith(said)


def test_signs_of_numbers_are_no_operators() -> None:
    text = "y = a" + " * -1e-5 * +2E+3" * 50 + "  # a - a - a"
    nodes = len(build(text, LEAVES).graph.nodes)
    build(text, LEAVES, limits=Limits(nodes=nodes))
    assert f"more than {nodes - 1} nodes" in refused(text, Limits(nodes=nodes - 1))


def test_expressions_that_make_no_node_have_a_limit_of_their_own() -> None:
    alias = "".join(f"y{k} = a\n" for k in range(101))
    assert "more than 100 expressions that make no" in refused(alias, Limits(idle=100))
    works = "".join(f"y{k} = a * a\n" for k in range(101))
    build(works, LEAVES, limits=Limits(idle=100))
    # The same for what is copied of a call like it.
    calls = "".join(f"y{k} = f(a)\n" for k in range(60))
    alias = "".join(f"    b{k} = a\n" for k in range(30))
    build(f"def f(a):\n    return a * 1\n{calls}", LEAVES, limits=Limits(idle=100))
    text = f"def f(a):\n{alias}    return a * 1\n{calls}"
    assert "that make no node" in refused(text, Limits(idle=400))


def test_large_powers_are_not_computed() -> None:
    for text in ("2 ** 10 ** 9", "10 ** 9 ** 9", "(-3) ** 65 * a"):
        assert "the result is beyond 9223372036854775807" in wrong(f"y = {text}")[0]


def test_a_doubling_chain_of_calls_stops() -> None:
    chain = "def f0(x):\n    return x * x\n" + "".join(
        f"def f{k + 1}(x):\n    return f{k}(f{k}(x))\n" for k in range(40)
    )
    assert "has more than 200000 nodes" in refused(chain + "y = f40(a)")
    # Where no node is made, the steps are counted.
    chain = chain.replace("x * x", "1 + 1").replace("(f", "(1 + f")
    said = refused(chain + "y = f40(1)", Limits(steps=100_000))
    assert "has more than 100000 expressions" in said


def test_calls_inside_each_other() -> None:
    def chain(deep: int) -> str:
        functions = "".join(
            f"def f{k + 1}(x):\n    return f{k}(x)\n" for k in range(deep - 1)
        )
        return "def f0(x):\n    return -x\n" + functions + f"y = f{deep - 1}(a)"

    assert len(graph(chain(50)).frames) == 51
    assert "calls are nested more than 50 deep" in refused(chain(51))


def test_deep_calls_in_deep_expressions() -> None:
    text = "def f0(x):\n    return -x\n" + "".join(
        f"def f{k + 1}(x):\n    return {'-' * 90}f{k}(x)\n" for k in range(45)
    )
    assert (
        refused(text + "y = f45(a)") == "0:0 calls and expressions are nested too deep"
    )


def test_elements_of_all_nodes_are_counted() -> None:
    limits = Limits(elements=100)
    assert len(build("y = W1 + W1\nz = y + y", LEAVES, limits=limits).graph)
    text = "y = W1 + W1\n" + "".join(f"z{k} = y + {k}\n" for k in range(10))
    said = refused(text, limits)
    assert said.endswith("the values of the program have 220 elements up to here")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y = x @ x @ x", "1:5 the program takes 27000000000 multiplications"),
        ("y = einsum('ab,bc->ac', x, x)", "1:5 the program takes 27000000000"),
        (
            "y = einsum('ab,bc,ca->', x, x, x)",
            "1:5 einsum would make an array of 54000002 elements on its way",
        ),
        (
            "a = x[:2000, :2000]\ny = einsum('ab,bc,ca->', a, a, a)",
            "2:5 the program takes 80000000000",
        ),
        ("y = max_pool2d(x, 1000, stride=1)", "1:5 the program takes 4004001000000"),
        (
            "y = conv2d(x[None, None], x[None, None, :1500, :1500])",
            "1:5 the program takes ",
        ),
        (
            "y = conv2d(ones((1, 1, 2, 2)), ones((1, 1, 1, 1)), None, 99999, 99999)",
            "1:5 conv2d would make an array of 40000000000 elements on its way",
        ),
        (
            "y = max_pool2d(ones((2, 2)), 1000000, padding=500000)",
            "1:5 max_pool2d would make an array of 1000004000004 elements on its way",
        ),
    ],
)
def test_what_would_take_too_long(text: str, said: str) -> None:
    leaves = {"x": Leaf("input", np.broadcast_to(1.0, (3000, 3000)))}
    with pytest.raises(LimitError) as caught:
        build(text, leaves)
    problem = caught.value.problems[-1]
    assert f"{problem.line}:{problem.column} {problem.message}".startswith(said)


def test_many_mistakes_are_cut() -> None:
    assert len(wrong("".join(f"y{k} = unheard{k}\n" for k in range(500)))) == 100


def test_tuples_cannot_be_doubled_for_ever() -> None:
    for pair in ("({0}, {0})", "{0} + {0}", "({0} + {0},)"):
        lines = (f"t{k + 1} = {pair.format(f't{k}')}\n" for k in range(200))
        assert "more than 1000 things" in wrong("t0 = (1, 1)\n" + "".join(lines))[0]
    row = ", ".join(["1"] * 1000)
    uses = "".join(f"s{k} = r\n" for k in range(200))
    said = refused(f"r = ({row})\n{uses}", Limits(steps=100_000))
    assert "has more than 100000 expressions" in said


def test_nodes() -> None:
    text = "".join(f"y{k} = a * {k}\n" for k in range(50))
    assert "more than 30 nodes" in refused(text, Limits(nodes=30))


# ------------------------------------------------------------------- broken programs

PIECES = [
    "a", "v", "W1", "x0", "t", "i", "m", "y", "f", "def f(x):\n    return ", "\n",
    " = ", "exp", "sum", "split", "zeros", "concatenate", "where", "mse_loss", "(",
    ")", "[", "]", ",", ":", "+", "-", "*", "/", "**", "@", "==", "<", ".T",
    ".shape", "0", "1", "-1", "2.5", "1e9", "'s'", "None", "True", "...", "axis=",
    "#", "\n    ", "{", "}", "lambda ", "if ", "else ", "for ", "nan", "10**9",
]  # fmt: skip
WHOLE = LAYERS + "p, q = split(v[m], (1,))\nr = mse_loss(v[i], zeros(2))\ns = W1.T[1:]"


def survives(text: str) -> None:
    try:
        program = build(text, LEAVES, limits=Limits(nodes=500, elements=100_000))
    except InputError as error:
        problems = error.problems
    else:
        names = [node.name for node in program.graph]
        assert len(set(names)) == len(names)
        for node in program.graph:
            assert (node.op is None) == (node.index in program.leaves)
        return
    assert problems
    for problem in problems:
        assert 0 <= problem.line <= text.count("\n") + 1
        assert problem.message


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
@example("y = '''")
@example("def f(x):\n  return x\ny = f(")
@example("\\\ny = a")
@example("y = a\f\n\x0bz = v")
def test_garbage_is_only_ever_refused(text: str) -> None:
    survives(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_garbage_of_the_language_is_only_ever_refused(pieces: list[str]) -> None:
    survives("y = " + "".join(pieces))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(WHOLE)), st.integers(0, 4), st.sampled_from(PIECES)
        ),
        min_size=1,
        max_size=3,
    )
)
def test_mutations_are_only_ever_refused(changes: list[tuple[int, int, str]]) -> None:
    text = WHOLE
    for start, length, piece in changes:
        text = text[:start] + piece + text[start + length :]
    survives(text)


def test_the_program_that_is_mutated_is_right() -> None:
    assert build(WHOLE, LEAVES).graph.node("r").shape == ()


def test_take_picks_by_a_list_as_an_index_does() -> None:
    built = graph("y = take(v, [0, 2]) * v[[0, 2]]")
    (places,) = [node for node in built.nodes if node.name == "y._1"]
    assert (places.kind, places.shape) == ("constant", (2,))
    assert built.nodes[-1].shape == (2,)
    assert graph("y = take(W1, [[0, 1]], axis=1)").nodes[-1].shape[1:] == (1, 2)
    with pytest.raises(ProgramError, match="a list of 2 stands where a value"):
        graph("y = take(v, [0.5, 1])")
