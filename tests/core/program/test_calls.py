"""One binder: every misuse of every call is said in one way, in both places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pytest

from gradstep.core.base.errors import CommandError, InputError, Problem
from gradstep.core.engine.run import evaluate, forward
from gradstep.core.engine.trace import Trace
from gradstep.core.expression.expression import parse
from gradstep.core.expression.functions import FUNCTIONS
from gradstep.core.expression.state import State
from gradstep.core.ops import OPS
from gradstep.core.ops.table import REQUIRED
from gradstep.core.program.build import RECIPES, Leaf, build
from gradstep.core.program.constructors import CONSTRUCTORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradstep.core.engine.graph import Graph

LEAVES: Final[Mapping[str, Leaf]] = {
    "x": Leaf("input", np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]])),
    "w": Leaf("parameter", np.array([[1.0, 0.5], [-0.5, 2.0], [0.25, 1.0]])),
    "v": Leaf("input", np.array([0.5, -1.0])),
    "i": Leaf("constant", np.array([1, 0])),
    "m": Leaf("constant", np.array([True, False])),
    "image": Leaf("input", np.linspace(-1.0, 1.0, 32).reshape(1, 2, 4, 4)),
    "kernel": Leaf("parameter", np.linspace(-0.5, 0.5, 16).reshape(2, 2, 2, 2)),
}
_PROGRAM = build("E = sum(x) + sum(w) + sum(image) + sum(kernel)", LEAVES)
_TRACE = Trace(evaluate(_PROGRAM.graph, _PROGRAM.leaves))
_GRAPH: Graph = _PROGRAM.graph

# What an argument is, where the usual one (x, or a default) does not serve.
USUAL: Final[Mapping[str, Mapping[str, str]]] = {
    **{name: {"a": "x @ x.T"} for name in ("inv", "det", "logabsdet", "cholesky")},
    "solve": {"a": "x @ x.T", "b": "x"},
    "slogdet": {"a": "x @ x.T"},
    "matmul": {"b": "w"},
    "dot": {"b": "w"},
    "outer": {"a": "v", "b": "v"},
    "reshape": {"shape": "(3, 2)"},
    "broadcast_to": {"shape": "(2, 2, 3)"},
    "swapaxes": {"axis1": "0", "axis2": "1"},
    "expand_dims": {"axis": "0"},
    "squeeze": {"axis": "None"},
    "pad": {"pad_width": "1"},
    "roll": {"shift": "1"},
    "topk": {"k": "2"},
    "split": {"sections": "2"},
    "take": {"indices": "i"},
    "take_along_axis": {"x": "v", "indices": "i"},
    "clip": {"min": "0.0", "max": "1.0"},
    "cross_entropy": {"target": "i"},
    "conv2d": {"input": "image", "weight": "kernel"},
    "conv_transpose2d": {"input": "image", "weight": "kernel"},
    "conv1d": {"input": "image[:, :, 0]", "weight": "kernel[:, :, 0]"},
    "conv_transpose1d": {"input": "image[:, :, 0]", "weight": "kernel[:, :, 0]"},
    "max_pool1d": {"input": "image[0]", "kernel_size": "2"},
    "avg_pool1d": {"input": "image[0]", "kernel_size": "2"},
    "interpolate": {"input": "image", "scale_factor": "2"},
    "adaptive_avg_pool2d": {"input": "image", "output_size": "2"},
    "max_pool2d": {"input": "image", "kernel_size": "2"},
    "avg_pool2d": {"input": "image", "kernel_size": "2"},
    "concatenate": {"arrays": "[x, x]"},
    "stack": {"arrays": "[x, x]"},
    "einsum": {"subscripts": '"ij,jk->ik"', "operands": "[x, w]"},
    "embedding": {"indices": "i"},
    "linear": {"weight": "x"},
    "nll_loss": {"target": "i"},
    "rnn_cell": {"h": "v", "weight_ih": "x", "weight_hh": "eye(2)"},
    "gru_cell": {"h": "v", "weight_ih": "ones((6, 3))", "weight_hh": "ones((6, 2))"},
    "lstm_cell": {
        "h": "v",
        "c": "v",
        "weight_ih": "ones((8, 3))",
        "weight_hh": "ones((8, 2))",
    },
    "rnn": {"h": "v", "weight_ih": "x", "weight_hh": "eye(2)"},
    "gru": {"h": "v", "weight_ih": "ones((6, 3))", "weight_hh": "ones((6, 2))"},
    "lstm": {
        "h": "v",
        "c": "v",
        "weight_ih": "ones((8, 3))",
        "weight_hh": "ones((8, 2))",
    },
    "group_norm": {"num_groups": "1"},
    "zeros": {"shape": "(2, 3)"},
    "ones": {"shape": "(2, 3)"},
    "full": {"shape": "(2, 3)", "fill_value": "7"},
    "eye": {"n": "2"},
    "arange": {"start": "5"},
    "linspace": {"start": "0", "stop": "1"},
}


SEVERAL: Final = ("lstm_cell", "rnn", "lstm", "gru")  # recipes with several results


class Callee(NamedTuple):
    """Something that can be called: its arguments in order, and which are fixed."""

    name: str
    order: Sequence[str]
    required: Sequence[str]
    fixed: Sequence[str]


def callees() -> Iterator[Callee]:
    """Yield everything that programs and expressions can call."""
    for op in OPS.values():
        if op.kind == "gather" and op.written:
            continue  # an index is written in brackets
        parameters = [p for p in op.parameters if not op.parts or p.name != "part"]
        order = op.order or (*op.operands, *(p.name for p in parameters))
        needed = {*op.operands[: len(op.operands) - op.optional]}
        needed |= {p.name for p in parameters if p.default is REQUIRED}
        required = [name for name in order if name in needed]
        yield Callee(op.name, order, required, [p.name for p in parameters])
    for name, made in CONSTRUCTORS.items():
        order = [p.name for p in made.parameters]
        required = [p.name for p in made.parameters if p.default is REQUIRED]
        yield Callee(name, order, required, order)
    for name, function in RECIPES.items():
        parameters = function.parameters
        required = [k for k, default in parameters.items() if default is None]
        yield Callee(name, [*parameters], required, [])


CALLEES: Final = tuple(callees())


def call(callee: Callee, given: Mapping[str, str]) -> str:
    text = f"{callee.name}({', '.join(f'{k}={v}' for k, v in given.items())})"
    return f"{text}[0]" if callee.name in SEVERAL else text


def usual(callee: Callee) -> dict[str, str]:
    """Return arguments that are right, each by its name."""
    special = USUAL.get(callee.name, {})
    names = [k for k in callee.order if k in callee.required or k in special]
    return {name: special.get(name, "x") for name in names}


def in_program(text: str) -> Problem | None:
    """Return what is wrong with a call in a program, if something is."""
    try:
        program = build(f"result = {text}\ny = x", LEAVES)
        forward(program.graph, program.leaves)
    except InputError as error:
        return error.problems[0]
    return None


def in_expression(text: str) -> Problem | None:
    """Return what is wrong with a call in an expression, if something is."""
    try:
        parse(text, _GRAPH, {}).evaluate(State(_TRACE, len(_TRACE)))
    except CommandError as error:
        return error.problems[0]
    return None


def said(problem: Problem | None) -> str | None:
    # The number of a frame depends on what the line makes besides.
    message = problem and re.sub(r"\bresult\._\d+", "result", problem.message)
    return message and message.replace(" at result:", ":")


def both(text: str) -> str:
    """Return the sentence that a program and an expression say of a wrong call."""
    first, second = in_program(text), in_expression(text)
    assert first is not None, f"a program takes {text}"
    assert second is not None, f"an expression takes {text}"
    assert said(first) == said(second), text
    for problem in (first, second):
        assert problem.hint or "; " in problem.message, f"no way out: {problem}"
        assert "object" not in problem.message
        assert "positional" not in problem.message
    return problem.message


named = pytest.mark.parametrize("callee", CALLEES, ids=lambda one: one.name)


@named
def test_what_is_right_is_taken_in_both_places(callee: Callee) -> None:
    text = call(callee, usual(callee))
    assert in_program(text) is None
    assert in_expression(text) is None


@named
def test_what_is_missing_is_named(callee: Callee) -> None:
    for name in callee.required:
        given = {k: v for k, v in usual(callee).items() if k != name}
        assert both(call(callee, given)) == f"{callee.name} needs {name}"


@named
def test_an_unknown_keyword_is_named(callee: Callee) -> None:
    text = call(callee, {**usual(callee), "colour": "1"})
    assert both(text) == f"{callee.name} has no argument colour"


@named
def test_too_many_arguments_are_counted(callee: Callee) -> None:
    op = OPS.get(callee.name)
    if op and op.variadic and callee.order[-1] == op.operands[0]:
        return  # it takes any number
    many = ["x"] * (len(callee.order) + 1)
    if op and op.variadic:
        many[0] = "[x, x]"
    some = f"{len(callee.order)} argument{'s' if len(callee.order) > 1 else ''}"
    expected = f"{callee.name} takes {some}, not {len(many)}"
    assert both(f"{callee.name}({', '.join(many)})") == expected


@named
def test_an_argument_given_twice_is_named(callee: Callee) -> None:
    first = callee.order[0]
    right = usual(callee)
    rest = call(callee, right).removeprefix(f"{callee.name}(")
    text = f"{callee.name}({right.get(first, 'x')}, {rest}"
    assert both(text) == f"{callee.name} is given {first} twice"


# None of these is what an operation computes with, or any parameter allows.
WRONG: Final = ("...", '"q"')


@named
def test_a_fixed_argument_of_a_wrong_kind_is_shown(callee: Callee) -> None:
    for name in callee.fixed:
        for wrong in ("...", "x"):
            message = both(call(callee, {**usual(callee), name: wrong}))
            assert message.startswith(f"{callee.name}: {name} is "), message


@named
def test_an_operand_that_is_no_value_is_shown(callee: Callee) -> None:
    for name in callee.required:
        if name in callee.fixed:
            continue
        for wrong in WRONG:
            text = call(callee, {**usual(callee), name: wrong})
            if text == "embedding(indices=..., weight=x)":
                assert in_program(text) is in_expression(text) is None  # weight[...]
            else:
                assert ("Ellipsis" if wrong == "..." else wrong[1:-1]) in both(text)


@named
def test_an_axis_that_is_not_there_is_shown(callee: Callee) -> None:
    for name in callee.order:
        if name.startswith("axis"):
            message = both(call(callee, {**usual(callee), name: "7"}))
            assert "7 is not an axis" in message or "cannot stand at 7" in message


@named
def test_numbers_of_a_wrong_kind_or_shape_never_raise_what_python_says(
    callee: Callee,
) -> None:
    """Whatever arrays are given, there is a result or a sentence, the same one."""
    for name in callee.required:
        for other in ("i", "m", "image", "3", "x > 0"):
            text = call(callee, {**usual(callee), name: other})
            first, second = in_program(text), in_expression(text)
            assert said(first) == said(second), text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_expressions_alone_are_bound_as_well(name: str) -> None:
    function = FUNCTIONS[name]
    order = [*function.operands, *(p.name for p in function.parameters)]
    for text, expected in (
        (f"{name}(colour=1)", f"{name} has no argument colour"),
        (f"{name}({', '.join(['x'] * 9)})", f"{name} takes {len(order)} argument"),
    ):
        problem = in_expression(text)
        assert problem is not None
        assert problem.message.startswith(expected)
    for operand in function.operands:
        given = ", ".join(f"{k}=x" for k in function.operands if k != operand)
        problem = in_expression(f"{name}({given})")
        assert problem is not None
        assert problem.message == f"{name} needs {operand}"
        wrong = ", ".join(
            f"{k}={'None' if k == operand else 'x'}" for k in function.operands
        )
        problem = in_expression(f"{name}({wrong})")
        assert problem is not None
        assert problem.message == "None stands where a value is needed"
    for parameter in function.parameters:
        given = "".join(f"{k}=x, " for k in function.operands)
        problem = in_expression(f"{name}({given}{parameter.name}=...)")
        assert problem is not None
        assert problem.message == f"{name}: {parameter.name} is Ellipsis"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("sum(x, axis=argmax(x)[0] * 0)", "sum(x, axis=0)"),
        ("reshape(x, (w.shape[0], x.shape[0]))", "reshape(x, (3, 2))"),
        ("reshape(x, [3, sum(x > 0) - 2])", "reshape(x, (3, 2))"),
        ("split(w.T, 2)[1]", "w.T[1:]"),
        ("concatenate((x, x))", "concatenate([x, x])"),
        ("einsum('ij,jk->ik', x, w)", "x @ w"),
    ],
)
def test_computed_numbers_may_be_fixed_arguments(text: str, same: str) -> None:
    state = State(_TRACE, len(_TRACE))
    found: list[Any] = [parse(t, _GRAPH, {}).evaluate(state) for t in (text, same)]
    np.testing.assert_array_equal(*found)
