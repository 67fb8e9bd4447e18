"""What of Python's syntax is allowed where, and the way around the rest.

Everything that is not listed as allowed is refused, with what is wrong and the way out:
in programs, in the prelude, and in the expressions of the debugger's console.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from ..base.errors import LimitError
from ..base.limits import Limits
from .elsewhere import MODULES, WAYS, number_named, way_out, written

Place = Literal["program", "prelude", "console"]

# Names that mean a number wherever they stand, so that no value can be called so.
RESERVED: Final[Mapping[str, float]] = MappingProxyType(
    {"inf": math.inf, "nan": math.nan}
)


class Mistake(NamedTuple):
    """One mistake at a syntax node; `limit` says that it stands for a limit."""

    node: ast.AST  # the syntax node, for its place
    message: str  # what is wrong
    hint: str = ""  # the way out; "" where there is none
    limit: bool = False
    method: str = ""  # the name that was called as a method; "" where none was
    given: Sequence[str] = ()  # what it was asked of and given, as it is written

    def hint_for(self, functions: Collection[str], *, console: bool = False) -> str:
        """Return the hint; for a method it depends on the functions that there are."""
        if not self.method:
            return self.hint
        given = self.given
        way = way_out(self.method, functions, given=given, method=True, console=console)
        return way or self.hint


def mistakes(
    expression: ast.expr, limits: Limits, place: Place = "program"
) -> Iterator[Mistake]:
    """Yield what is wrong with an expression; a refused part is not looked into."""
    is_console = place == "console"
    most = limits.expression_nesting if is_console else limits.nesting
    stack: list[tuple[ast.AST, int, int]] = [(expression, 1, 0)]
    while stack:
        node, depth, row = stack.pop()
        if depth > most:
            what = f"expressions are nested more than {most} levels deep"
            yield Mistake(node, what, "give a part of it a name", limit=True)
            return
        if row >= limits.row:  # Python's own bound is another one in each version
            raise LimitError("expressions are nested too deep")
        mistake = _mistake(node, limits, place)
        if mistake:
            yield mistake
            continue
        for child in _children(node):
            # A program reads a long sum, deep on its left side, without recursion.
            is_level = isinstance(child, ast.BinOp) and child is _left(node)
            deeper = depth + (is_console or not is_level)
            if type(child) is ast.Name and deeper <= most:  # most are, all are allowed
                continue
            stack.append((child, deeper, row + 1 if is_level else 0))


def _mistake(node: ast.AST, limits: Limits, place: Place) -> Mistake | None:
    """Return what is wrong with one syntax node, its parts left out."""
    if place not in _ALLOWED.get(type(node), ()):
        return _refused(node, place)
    for sign in _signs(node):
        if place not in _ALLOWED.get(type(sign), ()):
            return Mistake(node, *_REFUSED_OPERATORS[type(sign)])
    check = _CHECKS.get(type(node))
    return check(node, limits, place) if check else None


def _signs(node: ast.AST) -> Iterable[ast.AST]:
    """Return the operators of a syntax node."""
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        return (node.op,)
    return node.ops if isinstance(node, ast.Compare) else ()


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


_Check = Callable[[Any, Limits, Place], Mistake | None]


def _children(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, (ast.Name, ast.Constant)):
        return ()
    if isinstance(node, ast.BinOp):  # most of a program, so it does not go on
        return (node.left, node.right)
    if isinstance(node, ast.Call):  # what is called is a name, and looked up as such
        return (*node.args, *(one.value for one in node.keywords))
    return (
        child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)
    )


def _left(node: ast.AST) -> ast.AST | None:
    return node.left if isinstance(node, ast.BinOp) else None


def _check_constant(
    node: ast.Constant, limits: Limits, _place: Place
) -> Mistake | None:
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


def _check_compare(node: ast.Compare, _limits: Limits, place: Place) -> Mistake | None:
    if len(node.ops) == 1 or place == "console":
        return None
    return Mistake(node, "comparisons cannot be chained", "write (a < b) * (b < c)")


def _check_call(node: ast.Call, _limits: Limits, place: Place) -> Mistake | None:
    if isinstance(node.func, ast.Attribute):
        name, root = node.func.attr, node.func.value
        while isinstance(root, ast.Attribute):
            root = root.value
        what = f"values have no methods, so there is no .{name}(…)"
        given = written(node, node.func.value)
        if isinstance(root, ast.Name) and root.id in MODULES:
            what = f"functions stand alone, without {root.id}."
            given = written(node)
        way = "a function is called like this: f(x)"
        return Mistake(node, what, way, method=name, given=given)
    if not isinstance(node.func, ast.Name):
        made = node.func.func if isinstance(node.func, ast.Call) else None  # nn.ReLU()
        name = getattr(made, "attr", getattr(made, "id", ""))
        name *= name[:1].isupper()  # a class: what is made of it is called
        what = "only a function by its name can be called"
        return Mistake(node, what, "write f(x)", method=name, given=written(node))
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            return _refused(argument, place)
    names: set[str] = set()
    for one in node.keywords:
        if one.arg is None:
            return Mistake(one, "** in a call is not part of the language", _WRITE)
        if one.arg in names:
            return Mistake(one, f"{one.arg} is given twice", "remove one")
        names.add(one.arg)
    return None


def _check_attribute(
    node: ast.Attribute, _limits: Limits, place: Place
) -> Mistake | None:
    # In the console, names of nodes have dots in them: they are looked up there.
    if place == "console" or node.attr in {"T", "shape"}:
        return None
    if place == "prelude" and node.attr == "ndim":
        return None
    what, way = f"there is no attribute .{node.attr}", WAYS.get(node.attr)
    number = number_named(ast.unparse(node).split("."))
    hint = f"write {way}" if way else number or "allowed: .T and .shape"
    return Mistake(node, what, hint)


def _refused(node: ast.AST, place: Place = "program") -> Mistake:
    words = _REFUSED.get(type(node))
    what, hint = words or (f"{type(node).__name__} is not part of the language", "")
    if place == "console" and hint != _WHERE:  # no line, no function can be written
        hint = "use names, numbers, operators, comparisons, indices and functions"
    return Mistake(node, what, hint)


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

_ANYWHERE: Final = frozenset[Place]({"program", "prelude", "console"})
_PRELUDE: Final = frozenset[Place]({"prelude"})
_CONSOLE: Final = frozenset[Place]({"console"})
_VALUES: Final = (ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Attribute, ast.Call)
_SIGNS: Final = (
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.FloorDiv,
    ast.Pow,
    ast.MatMult,
)
_COMPARISONS: Final = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)

# Where an expression, or an operator in one, is allowed, by the type of syntax node.
_ALLOWED: Final[Mapping[type[ast.AST], frozenset[Place]]] = MappingProxyType(
    {
        **dict.fromkeys(_VALUES, _ANYWHERE),
        **dict.fromkeys((ast.Subscript, ast.Slice), _ANYWHERE),
        **dict.fromkeys((ast.UnaryOp, ast.UAdd, ast.USub), _ANYWHERE),
        **dict.fromkeys((ast.BinOp, *_SIGNS), _ANYWHERE),
        **dict.fromkeys((ast.Compare, *_COMPARISONS), _ANYWHERE),
        **dict.fromkeys((ast.BoolOp, ast.Not, ast.Mod), _CONSOLE),
        **dict.fromkeys((ast.IfExp, ast.Is, ast.IsNot), _PRELUDE),
    }
)

# What is looked at besides.
_CHECKS: Final[Mapping[type[ast.AST], _Check]] = MappingProxyType(
    {
        ast.Constant: _check_constant,
        ast.Attribute: _check_attribute,
        ast.Call: _check_call,
        ast.Compare: _check_compare,
    }
)
