"""What of Python's syntax is in the language of programs, and the way around the rest.

Everything that is not listed as allowed is refused, with what is wrong and the way out.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ..base.limits import Limits

# Names that mean a number wherever they stand, so that no value can be called so.
RESERVED: Final[Mapping[str, float]] = MappingProxyType(
    {"inf": math.inf, "nan": math.nan}
)


class Mistake(NamedTuple):
    """One mistake at a syntax node; `limit` says that it stands for a limit."""

    node: ast.AST
    message: str
    hint: str = ""
    limit: bool = False


def mistakes(
    expression: ast.expr, limits: Limits, *, static_tests: bool
) -> Iterator[Mistake]:
    """Yield what is wrong with an expression; a refused part is not looked into."""
    allowed = _PRELUDE_EXPRESSIONS if static_tests else _EXPRESSIONS
    stack: list[tuple[ast.AST, int]] = [(expression, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > limits.nesting:
            what = f"expressions are nested more than {limits.nesting} levels deep"
            yield Mistake(node, what, "give a part of it a name", limit=True)
            return
        check = allowed.get(type(node))
        mistake = check(node, limits) if check else _refused(node)
        if mistake:
            yield mistake
            continue
        for child in _children(node):
            # A long sum is deep on its left side, but nobody would call it nested.
            level = isinstance(child, ast.BinOp) and child is _left(node)
            stack.append((child, depth + (not level)))


def refused_statement(node: ast.stmt, *, inside: bool) -> Mistake:
    """Return what is wrong with a statement that is no assignment.

    `inside` says that it stands in a function.
    """
    if isinstance(node, ast.Expr):
        value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            what = "a text by itself does nothing"
            return Mistake(node, what, "write a comment: # …")
        if type(value) in _REFUSED and not isinstance(value, ast.IfExp):
            return _refused(value)
        return Mistake(node, "this value has no name", "write: name = …")
    if isinstance(node, ast.FunctionDef) and inside:
        what = "a function cannot be defined inside another one"
        return Mistake(node, what, "move it out, to before this function")
    return _refused(node)


def is_literal(node: ast.expr) -> bool:
    """Tell whether an expression is a number, a text, None, or a tuple of these."""
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, (ast.Tuple, ast.List)):
            stack += one.elts
        elif isinstance(one, ast.UnaryOp) and isinstance(one.op, (ast.USub, ast.UAdd)):
            stack.append(one.operand)
        elif not (
            isinstance(one, ast.Constant)
            or (isinstance(one, ast.Name) and one.id in RESERVED)
        ):
            return False
    return True


_Check = Callable[[Any, Limits], Mistake | None]


def _children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.Name, ast.Constant)):
        return
    if isinstance(node, ast.Call):  # what is called is a name, and looked up as such
        yield from node.args
        yield from (one.value for one in node.keywords)
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child


def _left(node: ast.AST) -> ast.AST | None:
    return node.left if isinstance(node, ast.BinOp) else None


def _fine(_node: ast.AST, _limits: Limits) -> None:
    return None


def _check_constant(node: ast.Constant, limits: Limits) -> Mistake | None:
    value = node.value
    if isinstance(value, bytes):
        return Mistake(node, "bytes are not a value", "write a text: '…'")
    if isinstance(value, complex):
        return Mistake(node, "numbers are real", "remove the j")
    if isinstance(value, int) and abs(value) > limits.whole:
        what = "a whole number that does not fit 64 bits"
        return Mistake(node, what, "write it with an exponent: 1e20")
    if isinstance(value, float) and math.isinf(value):
        return Mistake(node, "the number is too large for a float64", "or write inf")
    return None


def _check_operator(node: ast.BinOp | ast.UnaryOp, _limits: Limits) -> Mistake | None:
    words = _REFUSED_OPERATORS.get(type(node.op))
    return Mistake(node, *words) if words else None


def _check_compare(node: ast.Compare, _limits: Limits) -> Mistake | None:
    if len(node.ops) > 1:
        return Mistake(node, "comparisons cannot be chained", "write (a < b) * (b < c)")
    words = _REFUSED_OPERATORS.get(type(node.ops[0]))
    return Mistake(node, *words) if words else None


def _check_static_compare(node: ast.Compare, limits: Limits) -> Mistake | None:
    if isinstance(node.ops[0], (ast.Is, ast.IsNot)) and len(node.ops) == 1:
        return None
    return _check_compare(node, limits)


def _check_call(node: ast.Call, _limits: Limits) -> Mistake | None:
    if isinstance(node.func, ast.Attribute):
        name = node.func.attr
        what = f"values have no methods, so there is no .{name}(…)"
        return Mistake(node, what, f"write {name}(x, …)")
    if not isinstance(node.func, ast.Name):
        return Mistake(node, "only a function by its name can be called", "write f(x)")
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            return _refused(argument)
    names: set[str] = set()
    for one in node.keywords:
        if one.arg is None:
            return Mistake(one, "** in a call is not part of the language", _WRITE)
        if one.arg in names:
            return Mistake(one, f"{one.arg} is given twice", "remove one")
        names.add(one.arg)
    return None


def _check_attribute(node: ast.Attribute, _limits: Limits) -> Mistake | None:
    if node.attr in {"T", "shape"}:
        return None
    what = f"there is no attribute .{node.attr}"
    return Mistake(node, what, "allowed: .T and .shape")


def _refused(node: ast.AST) -> Mistake:
    words = _REFUSED.get(type(node))
    if words is None:
        words = (f"{type(node).__name__} is not part of the language", "")
    return Mistake(node, *words)


_WRITE: Final = "write each argument out"
_WHERE: Final = "use where(condition, a, b), which computes both"
_UNROLL: Final = "write one line for each step, with a function for what repeats"
_COMPREHENSION: Final = ("comprehensions are not part of the language", _UNROLL)
_LOOP: Final = ("loops are not part of the language", _UNROLL)
_IMPORT: Final = ("nothing can be imported", "all operations are there by their names")
_ASYNC: Final = ("async and await are not part of the language", "remove the word")
_YIELD: Final = ("generators are not part of the language", "write: return …")
_TRY: Final = ("exceptions are not part of the language", "write the lines alone")
_SCOPE: Final = ("names cannot be declared", "a function sees the names of the program")
_MASKS: Final = "for masks use a * b (and), maximum(a, b) (or), a == False (not)"
_BITS: Final = ("operators on bits are not part of the language", _MASKS)

# What is refused, by the type of its syntax node: what is wrong, and the way out.
_REFUSED: Final[Mapping[type[ast.AST], tuple[str, str]]] = MappingProxyType(
    {
        ast.For: _LOOP,
        ast.While: _LOOP,
        ast.AsyncFor: _LOOP,
        ast.If: ("if is not part of the language", _WHERE),
        ast.IfExp: ("if … else is not part of the language", _WHERE),
        ast.Match: ("match is not part of the language", _WHERE),
        ast.Import: _IMPORT,
        ast.ImportFrom: _IMPORT,
        ast.ClassDef: ("classes are not part of the language", "write a function"),
        ast.AugAssign: (
            "a name is bound once only, so it cannot be updated",
            "give the result a name of its own: x2 = x1 + …",
        ),
        ast.AnnAssign: ("annotations are not part of the language", "write: name = …"),
        ast.NamedExpr: (":= is not part of the language", "write a line: name = …"),
        ast.Lambda: ("lambda is not part of the language", "write: def name(x): …"),
        ast.ListComp: _COMPREHENSION,
        ast.SetComp: _COMPREHENSION,
        ast.DictComp: _COMPREHENSION,
        ast.GeneratorExp: _COMPREHENSION,
        ast.JoinedStr: ("f-strings are not part of the language", "write a text: '…'"),
        ast.Dict: ("dictionaries are not part of the language", "use names"),
        ast.Set: ("sets are not part of the language", "write a list: […]"),
        ast.Starred: ("* in a call or a list is not part of the language", _WRITE),
        ast.BoolOp: ("and, or are not part of the language", _MASKS),
        ast.Global: _SCOPE,
        ast.Nonlocal: _SCOPE,
        ast.Pass: ("pass does nothing", "remove it"),
        ast.Break: _LOOP,
        ast.Continue: _LOOP,
        ast.Delete: ("names cannot be deleted", "unused names are fine"),
        ast.Raise: _TRY,
        ast.Try: _TRY,
        ast.TryStar: _TRY,
        ast.With: ("with is not part of the language", "write the lines alone"),
        ast.AsyncWith: _ASYNC,
        ast.AsyncFunctionDef: _ASYNC,
        ast.Await: _ASYNC,
        ast.Yield: _YIELD,
        ast.YieldFrom: _YIELD,
        ast.Assert: (
            "assert is not part of the language",
            "say what is expected under [expect]",
        ),
        ast.Return: ("return stands in a function only", "write: name = …"),
        ast.Slice: ("a slice stands in an index only", "write x[a:b]"),
    }
)

_REFUSED_OPERATORS: Final[Mapping[type[ast.AST], tuple[str, str]]] = MappingProxyType(
    {
        ast.Mod: ("% is not part of the language", "allowed: + - * / ** @"),
        ast.LShift: _BITS,
        ast.RShift: _BITS,
        ast.BitAnd: _BITS,
        ast.BitOr: _BITS,
        ast.BitXor: ("^ is not part of the language", "for a power write x ** 2"),
        ast.Invert: _BITS,
        ast.Not: ("not is not part of the language", _MASKS),
        ast.In: ("in is not part of the language", "compare with =="),
        ast.NotIn: ("not in is not part of the language", "compare with !="),
        ast.Is: ("is is not part of the language", "compare with =="),
        ast.IsNot: ("is not is not part of the language", "compare with !="),
    }
)

_EXPRESSIONS: Final[Mapping[type[ast.AST], _Check]] = MappingProxyType(
    {
        ast.Name: _fine,
        ast.Tuple: _fine,
        ast.List: _fine,
        ast.Subscript: _fine,
        ast.Slice: _fine,
        ast.Constant: _check_constant,
        ast.BinOp: _check_operator,
        ast.UnaryOp: _check_operator,
        ast.Compare: _check_compare,
        ast.Call: _check_call,
        ast.Attribute: _check_attribute,
    }
)

_PRELUDE_EXPRESSIONS: Final[Mapping[type[ast.AST], _Check]] = MappingProxyType(
    {**_EXPRESSIONS, ast.IfExp: _fine, ast.Compare: _check_static_compare}
)
