"""An expression at many moments at once, where that rounds as it does at each."""

from __future__ import annotations

import ast
from functools import partial, reduce
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..program.static import OPERATORS
from .evaluate import BINARY
from .trees import Call, Infix, Read
from .whole import roomy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine.element import Quantity
    from ..ops.table import Array


# Of one number after the other, or of many at once: the result is the same.
_EXACT: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div)


def along(tree: ast.expr, read: Mapping[tuple[int, Quantity], Array]) -> Any:
    """Return at once what `evaluate` returns at each of several moments, or None."""
    match tree:
        case Read(node=node, quantity=quantity):
            return read.get((node, quantity))
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BoolOp(values=values):
            return _along_and_or(tree, [along(value, read) for value in values])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            parts, rule = [operand], partial(roomy, np.negative)
        case Infix(left=left, op=op, right=right) if type(op) in _EXACT:
            parts, rule = [left, right], partial(roomy, BINARY[type(op)])
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            parts, rule = [left, right], OPERATORS[type(op)]
        case Call(name="abs" | "isnan" | "isinf" | "isfinite" as name, args=[one]):
            parts = [one, *tree.keywords.values()]
            rule = partial(roomy, getattr(np, name))
        case _:
            return None
    found = [along(part, read) for part in parts]
    return None if any(one is None for one in found) else rule(*map(np.asarray, found))


def _along_and_or(tree: ast.BoolOp, found: list[Any]) -> Array | None:
    """Return where all, or one, are true: of `and`, those before the first unknown."""
    is_and = isinstance(tree.op, ast.And)
    known = [*takewhile(lambda one: one is not None, found)]
    if not known or not (is_and or len(known) == len(found)):
        return None
    rule = np.logical_and if is_and else np.logical_or
    return reduce(rule, known)
