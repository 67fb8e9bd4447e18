"""Wrong rules, each made from an operation and the number of an operand.

A maker is given the operation, the operand's number, the shapes of all operands and the
attributes. It returns a rule as the table of operations has them, or raises a
`ValueError` that says in words why the mistake cannot be made there.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..engine.backward import broadcast_axes, reduce_to
from ..ops.table import Array, Attributes, Op, Rule, Shape, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Shapes = tuple[Shape, ...]


def _right(op: Op, argument: int) -> Rule:
    rule = op.vjp(argument)
    if rule is None:
        raise ValueError("no gradient flows through it")
    return rule


def _is_matrix_product(op: Op) -> bool:
    return op.transposes and op.kind == "contract"


def _turned(matrix: Array) -> Array:
    return np.swapaxes(matrix, -1, -2)


def _g_b(g: Array, _y: Array, _a: Array, b: Array) -> Array:
    return np.matmul(g, b)


def _a_g(g: Array, _y: Array, a: Array, _b: Array) -> Array:
    return np.matmul(a, g)


def _b_before_g(g: Array, _y: Array, _a: Array, b: Array) -> Array:
    return np.matmul(_turned(b), g)


def _a_behind_g(g: Array, _y: Array, a: Array, _b: Array) -> Array:
    return np.matmul(g, _turned(a))


def _one_sample_of_b(g: Array, _y: Array, _a: Array, b: Array) -> Array:
    return np.matmul(g[:, :1], b[:, :1].T)


def _one_sample_of_a(g: Array, _y: Array, a: Array, _b: Array) -> Array:
    return np.matmul(a[:1].T, g[:1])


def _upstream(g: Array, _y: Array, *_operands: Value, **_attributes: Any) -> Array:
    return g


def without_transpose(op: Op, argument: int, _s: Shapes, _a: Attributes) -> Rule:
    """Return the rule of a product whose transpose is dropped."""
    if _is_matrix_product(op):
        return (_g_b, _a_g)[argument]
    if op.transposes:
        return _upstream
    raise ValueError(f"the derivative of {op.name} has no transpose")


def swapped(op: Op, argument: int, shapes: Shapes, _a: Attributes) -> Rule:
    """Return the rule with the factors in the other order, or of the other operand."""
    if _is_matrix_product(op):
        if min(map(len, shapes)) < 2:
            raise ValueError("a vector is no matrix, so the factors have one order")
        return (_b_before_g, _a_behind_g)[argument]
    free = [k for k, rule in enumerate(op.vjps) if rule is not None]
    if op.kind != "elementwise" or op.variadic or len(free) != 2:
        raise ValueError(f"{op.name} has no two operands to swap")
    other = free[1 - free.index(argument)]
    if _local(op, argument) == _local(op, other):
        raise ValueError(f"both operands of {op.name} have the same derivative")
    return _right(op, other)


def _local(op: Op, argument: int) -> str:
    form = op.form(argument)
    return form.local if form else ""


def not_summed(op: Op, argument: int, shapes: Shapes, _a: Attributes) -> Rule:
    """Return the rule that keeps the first slice of what should be summed."""
    if _is_matrix_product(op):
        return _one_sample(argument, shapes)
    if op.kind != "elementwise":
        raise ValueError(f"{op.name} does not sum a gradient over a batch")
    if np.broadcast_shapes(*shapes) == shapes[argument]:
        raise ValueError("the operand is not broadcast, so nothing is summed")
    right = _right(op, argument)

    def first_slice(g: Array, y: Array, *operands: Value, **attributes: Any) -> Array:
        wide, narrow = np.shape(y), np.shape(operands[argument])
        product = np.broadcast_to(right(g, y, *operands, **attributes), wide)
        summed = broadcast_axes(wide, narrow)
        first = tuple(0 if k in summed else slice(None) for k in range(len(wide)))
        return np.reshape(product[first], narrow)

    return first_slice


def _one_sample(argument: int, shapes: Shapes) -> Rule:
    """Return the rule that keeps the first term of the sum over the samples.

    Samples are the index that the other operand and the result have in common.
    """
    if any(len(shape) != 2 for shape in shapes):
        raise ValueError("only products of two matrices sum over samples")
    if shapes[1 - argument][1 - argument] == 1:
        raise ValueError("there is one sample, so nothing is summed")
    return (_one_sample_of_b, _one_sample_of_a)[argument]


def forgotten(op: Op, argument: int, _s: Shapes, _a: Attributes) -> Rule:
    """Return the rule that hands the upstream on as it is."""
    if op.kind in ("move", "gather"):
        raise ValueError(f"{op.name} moves numbers and multiplies by nothing")
    if op.copies(argument):
        raise ValueError(f"the local derivative of {op.name} is 1: nothing to forget")
    return _upstream


def by_a_factor(op: Op, argument: int, shapes: Shapes, attributes: Attributes) -> Rule:
    """Return the rule of a mean for that of a sum, and of a sum for a mean."""
    right = _right(op, argument)
    if op.kind == "reduce" and op.reduction:
        if np.prod(shapes[0]) == 1:
            raise ValueError("the mean of one number is its sum")

        def by_count(g: Array, y: Array, x: Array, **attributes: Any) -> Array:
            count = np.size(x) // np.size(y)
            product = right(g, y, x, **attributes)
            return product * count if op.reduction == "mean" else product / count

        return by_count
    reduction = OTHER_REDUCTION.get(attributes.get("reduction", ""))
    if reduction is None:
        raise ValueError(f"{op.name} is neither a sum nor a mean here")

    def by_reduction(g: Array, y: Array, *operands: Value, **attributes: Any) -> Array:
        return right(g, y, *operands, **{**attributes, "reduction": reduction})

    return by_reduction


# What somebody has confused with a reduction.
OTHER_REDUCTION: Final[Mapping[str, str]] = {"mean": "sum", "sum": "mean"}


def without_upstream(op: Op, argument: int, _s: Shapes, _a: Attributes) -> Rule:
    """Return the rule that takes each upstream number for 1."""
    right = _right(op, argument)

    def alone(g: Array, y: Array, *operands: Value, **attributes: Any) -> Array:
        return right(np.ones_like(g), y, *operands, **attributes)

    return alone


def negated(op: Op, argument: int, _s: Shapes, _a: Attributes) -> Rule:
    """Return the rule that sends the right contribution with the other sign."""
    right = _right(op, argument)

    def other(g: Array, y: Array, *operands: Value, **attributes: Any) -> Array:
        return np.negative(right(g, y, *operands, **attributes))

    return other


def by_the_value(op: Op, argument: int, shapes: Shapes, attributes: Attributes) -> Rule:
    """Return the rule that multiplies by the result, where the derivative belongs."""
    if op.kind == "block":
        is_apart = (
            len(shapes) > 1 or op.shape(*shapes, **attributes) != shapes[argument]
        )
    else:
        is_apart = op.kind != "elementwise"
    if is_apart:
        raise ValueError(
            f"{op.name} has no value and derivative of one shape to confuse"
        )
    if _local(op, argument) == "{y}":
        raise ValueError(f"{op.name} is its own derivative")
    return _upstream_times_value


def _upstream_times_value(g: Array, y: Array, *_o: Value, **_a: Any) -> Array:
    return np.multiply(g, y)


def row_for_column(
    op: Op, argument: int, shapes: Shapes, attributes: Attributes
) -> Rule:
    """Return the rule whose product is transposed before it is summed, if it is.

    So a broadcast operand is summed along the other axis.
    """
    right = _right(op, argument)
    is_elementwise = op.kind == "elementwise"
    narrow = shapes[argument]
    wide = np.broadcast_shapes(*shapes) if is_elementwise else narrow
    if len(wide) < 2 or wide[-1] != wide[-2] or wide[-1] == 1:
        raise ValueError("only of a square matrix can rows be taken for columns")
    if set(narrow[-2:]) <= {1}:
        raise ValueError("it is summed over rows and columns alike")
    if op.reduction and not set(op.shape(*shapes, **attributes)) - {1}:
        raise ValueError(f"{op.name} sends the same to rows and columns")

    def turned(g: Array, y: Array, *operands: Value, **attributes: Any) -> Array:
        product = right(g, y, *operands, **attributes)
        return _turned(np.broadcast_to(product, wide))

    return turned


def last_wins(op: Op, argument: int, shapes: Shapes, _a: Attributes) -> Rule:
    """Return the rule that assigns at an index, and does not add there."""
    jvp = op.jvp(argument)
    if op.kind != "gather" or argument or jvp is None:
        raise ValueError(f"{op.name} picks no elements by an index")

    def assigned(g: Array, y: Array, x: Array, *others: Value, **more: Any) -> Array:
        places = picked(jvp, (y, x, *others), more)
        whole = np.zeros(1 + np.size(x), np.asarray(g).dtype)
        whole[places] = np.ravel(g)
        return whole[1:].reshape(shapes[0])

    return assigned


def picked(jvp: Rule, arrays: Sequence[Value], attributes: Attributes) -> Array:
    """Return which element, counted from 1, each of the picked ones has been.

    It is 0 for what is no copy of an element. `arrays` are the result, and the operands
    with the one that is picked from in front.
    """
    x = arrays[1]
    numbers = np.arange(1.0, np.size(x) + 1).reshape(np.shape(x))
    return np.ravel(jvp(numbers, *arrays, **attributes)).astype(np.intp)


_FACTOR: Final = re.compile(r"\{(\w+)\}ᵀ?(,.*)?")  # a derivative that is an operand


def other_factor(op: Op, argument: int, shapes: Shapes) -> int:
    """Return the number of the operand that an operand is multiplied by."""
    if op.variadic and op.kind == "contract" and len(shapes) == 2:
        return 1 - argument
    form = None if op.variadic else op.form(argument)
    found = _FACTOR.fullmatch(form.local) if form else None
    if found is None or found[1] not in op.operands:
        raise ValueError(f"{op.name} is no product of two")
    return op.operands.index(found[1])


def already_updated(op: Op, argument: int, other: int, rate: Value) -> Rule:
    """Return the rule with the other factor less `rate` × its own contribution."""
    right, right_of_other = _right(op, argument), _right(op, other)

    def late(g: Array, y: Array, *operands: Value, **attributes: Any) -> Array:
        factor = np.asarray(operands[other])
        sent = np.asarray(right_of_other(g, y, *operands, **attributes))
        step = np.asarray(rate) * reduce_to(sent, factor.shape)
        after = np.subtract(factor, step)
        changed = (*operands[:other], after, *operands[other + 1 :])
        return right(g, y, *changed, **attributes)

    return late


def left_out(op: Op, argument: int, _s: Shapes, _a: Attributes) -> Rule:
    """Return the rule that sends nothing but zeros."""
    _right(op, argument)
    return partial(_nothing, argument)


def is_left_out(rule: Rule | None) -> bool:
    """Tell whether a rule is one that `left_out` has made."""
    return isinstance(rule, partial) and rule.func is _nothing


def _nothing(argument: int, g: Array, _y: Array, *operands: Value, **_a: Any) -> Array:
    return np.zeros(np.shape(operands[argument]), np.asarray(g).dtype)
