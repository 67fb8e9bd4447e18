"""One table says which syntax is allowed in a program, the prelude, the console."""

from __future__ import annotations

import ast
from typing import get_args

import pytest

from gradstep.core.base.limits import Limits
from gradstep.core.program.whitelist import Place, mistakes

EVERYWHERE = frozenset(get_args(Place))
PRELUDE = frozenset({"prelude"})
CONSOLE = frozenset({"console"})
NOWHERE = frozenset[str]()

ALLOWED = {
    "x": EVERYWHERE,
    "1.5": EVERYWHERE,
    "'text'": EVERYWHERE,
    "x[1:2, None, ...]": EVERYWHERE,
    "[x, (y, 1)]": EVERYWHERE,
    "f(x, axis=-1)": EVERYWHERE,
    "x.T + x.shape[0]": EVERYWHERE,
    "x + y - x * y / x ** y @ x // y": EVERYWHERE,
    "x < y": EVERYWHERE,
    "[x == y, x != y, x <= y, x > y, x >= y, +x]": EVERYWHERE,
    "x1.z.grad": CONSOLE,
    "x % 2": CONSOLE,
    "0 < x < 1": CONSOLE,
    "x and y or x": CONSOLE,
    "not x": CONSOLE,
    "x if y else z": PRELUDE,
    "x is None": PRELUDE,
    "x is not None": PRELUDE,
    "x in y": NOWHERE,
    "x not in y": NOWHERE,
    "x & y": NOWHERE,
    "x | y": NOWHERE,
    "x ^ y": NOWHERE,
    "x << y": NOWHERE,
    "x >> y": NOWHERE,
    "~x": NOWHERE,
    "lambda: x": NOWHERE,
    "[i for i in x]": NOWHERE,
    "{i for i in x}": NOWHERE,
    "{i: 1 for i in x}": NOWHERE,
    "(i for i in x)": NOWHERE,
    "{x}": NOWHERE,
    "{x: y}": NOWHERE,
    "f'{x}'": NOWHERE,
    "(x := y)": NOWHERE,
    "[*x]": NOWHERE,
    "f(*x)": NOWHERE,
    "f(**x)": NOWHERE,
    "x.f(y)": NOWHERE,
    "x[0](y)": NOWHERE,
    "await x": NOWHERE,
    "(yield x)": NOWHERE,
    "(yield from x)": NOWHERE,
    "b'x'": NOWHERE,
    "1j": NOWHERE,
    "1e999": NOWHERE,
    str(2**64): NOWHERE,
}


@pytest.mark.parametrize("text", ALLOWED)
@pytest.mark.parametrize("place", sorted(EVERYWHERE))
def test_syntax_is_allowed_where_the_table_says_so(text: str, place: Place) -> None:
    tree = ast.parse(text, mode="eval").body
    found = [*mistakes(tree, Limits(), place)]
    assert (not found) == (place in ALLOWED[text])
    for mistake in found:
        assert mistake.message
        assert mistake.hint


def test_every_kind_of_expression_and_operator_of_python_is_tried() -> None:
    def kinds(base: type[ast.AST]) -> set[type[ast.AST]]:
        # Those that Python itself no longer makes are kinds of constants.
        return {one for one in base.__subclasses__() if one.__module__ == "ast"}

    tried = {type(n) for t in ALLOWED for n in ast.walk(ast.parse(t, mode="eval"))}
    wanted = kinds(ast.expr) | kinds(ast.operator) | kinds(ast.cmpop)
    assert wanted | kinds(ast.unaryop) | kinds(ast.boolop) <= tried


def test_a_long_sum_is_not_nested_in_a_program_but_is_so_in_the_console() -> None:
    tree = ast.parse(" + ".join("x" * 90), mode="eval").body
    limits = Limits(nesting=20, expression_nesting=20)
    assert [*mistakes(tree, limits, "program")] == []
    (mistake,) = mistakes(tree, limits, "console")
    assert mistake.limit
