"""A call in an expression: of an operation, a function, a constructor or a recipe."""

from __future__ import annotations

import ast
import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from ..base.errors import CommandError, InputError, Problem
from ..engine.graph import misfit_text
from ..engine.run import forward, unfit_words
from ..ops import find
from ..ops.shape.indexing import Slot
from ..ops.table import Cost, broadcast_shape
from ..program.build import RECIPES, build
from ..program.calls import (
    bind_constructor,
    bind_function,
    bind_operation,
    checked,
    parts_of,
)
from ..program.constructors import CONSTRUCTORS
from ..program.statements import Leaf
from ..program.static import Fault, described, fold_call, is_number
from .functions import FUNCTIONS
from .whole import roomy_leaf, roomy_operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..ops.table import Array, Attributes, Op, Shape, Value
    from .budget import Budget
    from .state import State
    from .trees import Call


# What NumPy, or an operation, says of numbers that do not fit.
MISFITS: Final = (ValueError, TypeError, LookupError, ArithmeticError, MemoryError)


def called(call: Call, args: list[Any], keywords: dict[str, Any], state: State) -> Any:
    """Return the result of a call, of which the arguments are evaluated."""
    name, budget = call.name, state.budget
    if name in FUNCTIONS:
        return _function(name, args, keywords, state)
    if name in CONSTRUCTORS:
        attributes, shape = bind_constructor(name, args, keywords, _fixed)
        budget.take(shape)
        return CONSTRUCTORS[name].make(np.float64, **attributes)
    if name in RECIPES:
        return _follow(call, args, keywords, budget)
    op = find(name)
    if op is None:
        raise AssertionError(call)
    return _operate(op, call, args, keywords, budget)


def _function(
    name: str, args: list[Any], keywords: dict[str, Any], state: State
) -> Any:
    """Call a function that only expressions know."""
    known, budget = FUNCTIONS[name], state.budget
    operands, attributes = bind_function(
        name, known.operands, known.parameters, args, keywords, _fixed
    )
    if name == "hits":
        return state.hits.get(attributes["number"], 0)
    arrays = [as_operand(one) for one in operands]
    met = math.prod(broadcast_shape(*map(np.shape, arrays)))
    budget.take((), met, met)
    result = known.make(*arrays, **attributes)
    budget.elements += size_of(result)
    return result


def put(op: Op, call: Call, placed: Sequence[Any], budget: Budget) -> Value:
    """Call an operation that puts a value in a place: of `placed`, all evaluated.

    These are the whole value, the index of the place, and what is put there. Raises
    `Fault` where the value does not fit.
    """
    whole, index, value = placed
    entries: list[Any] = []
    given = [whole, value]
    for entry in cast("Sequence[Any]", index) if isinstance(index, tuple) else [index]:
        if isinstance(entry, np.ndarray):
            array = cast("Array", entry)
            entries.append(Slot(len(given) - 2, array.dtype == bool))
            given.append(array)
        else:
            entries.append(entry)
    attributes = checked(op.name, op.parameters, {"index": tuple(entries)}, _fixed)
    operands = [as_operand(one) for one in given]
    try:
        return _result(op, operands, attributes, budget)
    except MISFITS as error:
        texts = [described(one) for one in given]
        raise misfit(op.name, texts, operands, error, call.text) from None


def _fixed(value: Any) -> Any:
    """Return a computed number as the plain one that a fixed argument has to be."""
    if isinstance(value, (tuple, list)):
        return tuple(_fixed(part) for part in cast("Sequence[Any]", value))
    array = np.asarray(value)
    return array.item() if array.ndim == 0 and array.dtype.kind in "fiub" else value


def as_operand(value: Any) -> Array:
    """Return a number, an array, or a list of numbers as an array.

    Raises `Fault` for what is none of these.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        what = "the rows of the list are not equally long"
        raise Fault(what, "of several results write [0] for the first") from None
    if array.dtype.kind not in "fiub":
        what = f"{described(value)} stands where a value is needed"
        raise Fault(what, "write a number, a list of numbers, or the name of a value")
    return array


def _operate(
    op: Op, call: Call, args: list[Any], keywords: dict[str, Any], budget: Budget
) -> Value | tuple[Array, ...]:
    """Call an operation of the program language with numbers."""
    given, attributes = bind_operation(op, args, keywords, _fixed)
    if op.kind == "elementwise" and all(map(is_number, given)):
        return fold_call(op, given, attributes)
    operands = [as_operand(one) for one in given]
    try:
        if op.parts is None:
            return _result(op, operands, attributes, budget)
        parts = parts_of(op, attributes, budget.limits)
        return tuple(_result(op, operands, part, budget) for part in parts)
    except MISFITS as error:
        texts = _texts(call, args, keywords)
        typed = [texts.get(id(one), described(one)) for one in given]
        raise misfit(op.name, typed, operands, error, call.text) from None


def misfit(
    op: str, texts: Sequence[str], operands: Sequence[Any], error: Exception, typed: str
) -> Fault:
    """Return the mistake of operands, as they are typed, that do not fit."""
    words, hint = unfit_words(error, operands)
    shapes = list(zip(texts, map(np.shape, operands), strict=True))
    message = misfit_text(op, shapes, words.removeprefix(f"{op}: "))
    return Fault(message, hint or f"the expression: {typed}")


def _texts(
    call: Call, args: Sequence[Any], keywords: Mapping[str, Any]
) -> dict[int, str]:
    """Return the texts of the arguments of a call, by the `id` of their values."""
    texts: dict[int, str] = {}
    trees = [*call.args, *call.keywords.values()]
    for tree, value in zip(trees, [*args, *keywords.values()], strict=True):
        texts[id(value)] = call.texts[tree]
        if isinstance(tree, (ast.List, ast.Tuple)):
            for part, element in zip(tree.elts, value, strict=True):
                texts[id(element)] = call.texts[part]
    return texts


def _result(
    op: Op, operands: Sequence[Any], attributes: Attributes, budget: Budget
) -> Array:
    """Compute an operation, if the room and the work that it takes are allowed."""
    charge(op, [np.shape(one) for one in operands], attributes, budget)
    return roomy_operation(op, operands, partial(op.forward, **attributes))


def charge(
    op: Op, shapes: Sequence[Shape], attributes: Attributes, budget: Budget
) -> None:
    """Take what an operation needs from the budget, or raise `CommandError`."""
    shape = op.shape(*shapes, **attributes)
    cost = op.cost(*shapes, **attributes) if op.cost else Cost()
    budget.take(shape, cost.effort + sum(map(math.prod, shapes)), cost.room)


def size_of(value: Any) -> int:
    """Return how many elements a value has; nothing is made of it for that."""
    if isinstance(value, (list, tuple)):
        return sum(map(size_of, cast("Sequence[Any]", value)))
    return getattr(value, "size", 1)


def _follow(
    call: Call, args: Sequence[Any], keywords: Mapping[str, Any], budget: Budget
) -> Array | tuple[Array, ...]:
    """Follow a recipe of the prelude, as a program of one line."""
    leaves: dict[str, Leaf] = {}
    texts = _texts(call, args, keywords)

    def written(value: Any) -> str:
        fixed = _fixed(value)
        if fixed is Ellipsis:
            return "..."
        if fixed is None or isinstance(fixed, (str, bool, int)):
            return repr(fixed)
        if isinstance(fixed, tuple) and isinstance(value, tuple):
            parts = cast("tuple[Any, ...]", fixed)
            return f"({''.join(f'{written(part)}, ' for part in parts)})"
        name, called = f"a{len(leaves)}", texts.get(id(value), described(value))
        number = roomy_leaf(as_operand(value), budget.limits.elements_per_array)
        leaves[name] = Leaf("input", number, called)
        return name

    given = [written(value) for value in args]
    given += [f"{key}={written(value)}" for key, value in keywords.items()]
    returned = RECIPES[call.name].lines[-1].value
    count = len(returned.elts) if isinstance(returned, ast.Tuple) else 1
    names = ["result", *(f"result{number}" for number in range(2, count + 1))]
    line = f"{', '.join(names)} = {call.name}({', '.join(given)})"
    try:
        program = build(line, leaves, limits=budget.left())
        for node in program.graph:
            budget.take(node.shape)
        values = forward(program.graph, program.leaves)
    except InputError as error:
        here = f"the call: {call.text}"
        raise CommandError(
            Problem(one.message, one.hint.replace(f"the line: {line}", here))
            for one in error.problems
        ) from None
    found = [np.asarray(values[program.graph.names[name]]) for name in names]
    return tuple(found) if count > 1 else found[0]
