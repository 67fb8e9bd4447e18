"""The value of a checked expression in a state."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from ..base.errors import CommandError
from ..base.text import clean
from ..ops import OPS, find
from ..ops.table import broadcast_shape
from ..program.calls import place_of
from ..program.static import OPERATORS, Fault
from .budget import STEP
from .calls import MISFITS, as_operand, called, charge, misfit, put, size_of
from .state import facts, look_up
from .trees import Call, Infix, Read, Trained
from .whole import power, roomy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..ops.table import Array, Value
    from .budget import Budget
    from .state import State


_UNARY: Final[Mapping[type[ast.AST], Callable[[Any], Any]]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: lambda value: not truth(value),
}


BINARY: Final[Mapping[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: power,
    ast.MatMult: np.matmul,
    ast.Mod: np.remainder,
    ast.FloorDiv: np.floor_divide,
}
_NO_BYTES: Final = np.dtype([])


def checked_value(tree: ast.expr, state: State) -> Any:
    """Evaluate, and say what does not fit as a `CommandError`."""
    state.budget.take((), STEP)
    state.budget.elements = 0
    try:
        with np.errstate(all="ignore"):
            return _settled(evaluate(tree, state))
    except Fault as fault:
        raise CommandError(fault.message, fault.hint) from None
    except MISFITS as error:
        raise CommandError(clean(str(error)) or "too large") from None


def _settled(value: Any) -> Any:
    """Return a list as an array; a tuple stays one where it is a shape or an index."""
    if not (value is None or value is ... or isinstance(value, (list, tuple))):
        return value
    parts = cast("Sequence[Any] | None", value)
    is_index = isinstance(parts, tuple) and all(type(part) is int for part in parts)
    return parts if is_index else as_operand(parts)


def evaluate(tree: ast.expr, state: State) -> Any:
    """Return what a part of an expression is; raise `Fault`, or one of `MISFITS`."""
    match tree:
        case Read() | Trained():
            return look_up(tree, state)
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return facts()[name](state)
        case ast.Attribute(value=inner, attr=attribute):
            array = np.asarray(evaluate(inner, state))
            return array.T if attribute == "T" else array.shape
        case ast.UnaryOp(op=op, operand=operand):
            value = evaluate(operand, state)
            state.budget.take((size_of(value),))
            return roomy(_UNARY[type(op)], value)
        case Infix(left=left, right=right):
            left, right = evaluate(left, state), evaluate(right, state)
            return _infix(tree, left, right, state.budget)
        case ast.BoolOp(op=op, values=values):
            stop = isinstance(op, ast.Or)
            result = not stop
            for value in values:
                result = truth(evaluate(value, state))
                if result is stop:
                    break
            return result
        case ast.Compare():
            return _compare(tree, state)
        case ast.Subscript(value=value, slice=index):
            value, index = evaluate(value, state), evaluate(index, state)
            return _pick(value, index, state.budget)
        case ast.Slice(lower=lower, upper=upper, step=step):
            parts = (lower, upper, step)
            return slice(*(p if p is None else evaluate(p, state) for p in parts))
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            values = [evaluate(part, state) for part in parts]
            state.budget.take((size_of(values),))  # as an array, sooner or later
            return tuple(values) if isinstance(tree, ast.Tuple) else values
        case Call():
            return _call(tree, state)
        case _:
            raise AssertionError(tree)


def _infix(tree: Infix, left: Any, right: Any, budget: Budget) -> Any:
    rule = BINARY[type(tree.op)]
    try:
        shapes = np.shape(left), np.shape(right)
        if rule is np.matmul:
            charge(OPS["matmul"], shapes, {}, budget)
        else:
            budget.take(broadcast_shape(*shapes))
        return roomy(rule, left, right)
    except MISFITS as error:
        texts = [tree.written(one) for one in (tree.left, tree.right)]
        operands = [as_operand(one) for one in (left, right)]
        whole = tree.written(tree)
        raise misfit(rule.__name__, texts, operands, error, whole) from None


def _pick(value: Any, index: Any, budget: Budget) -> Any:
    """Return an element or a part of an array, or one of several values."""
    if type(value) is tuple and type(index) is int:
        return cast("tuple[Any, ...]", value)[index]
    array: Array = np.asarray(cast("Value", value))
    # An array without bytes tells the shape, and takes no memory for it.
    budget.take(np.shape(np.empty(array.shape, _NO_BYTES)[index]))
    return array[index]


def _call(call: Call, state: State) -> Any:
    op = find(call.name)
    placed = None if op is None else place_of(op, call.args, call.keywords)
    if op is not None and placed is not None:
        return put(op, call, [evaluate(one, state) for one in placed], state.budget)
    args = [evaluate(one, state) for one in call.args]
    keywords = {key: evaluate(one, state) for key, one in call.keywords.items()}
    return called(call, args, keywords, state)


def _compare(tree: ast.Compare, state: State) -> Any:
    left = evaluate(tree.left, state)
    result: Any = True
    for op, other in zip(tree.ops, tree.comparators, strict=True):
        right = evaluate(other, state)
        compare = OPERATORS[type(op)]
        if not {type(left), type(right)} & {str, tuple}:
            left, right = np.asarray(left), np.asarray(right)
            state.budget.take(broadcast_shape(left.shape, right.shape))
        one = compare(left, right)
        result = one if result is True else np.logical_and(result, one)
        left = right
    return result


def truth(value: Any) -> bool:
    """Return whether a value is true; an array must have exactly one element.

    Raises `CommandError` where it has none, or several.
    """
    array = np.asarray(value)
    if array.size != 1:
        raise CommandError(
            f"an array of shape {array.shape} is neither true nor false",
            "say any(…) or all(…)",
        )
    return bool(array.reshape(())[()])
