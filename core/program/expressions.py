"""What the expressions of the program language do, by type of syntax node.

Each function takes the reading and a syntax node, adds what it needs to the graph, and
returns what the expression is: a node, or a static value.
"""

from __future__ import annotations

import ast
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..ops import OPS, find
from ..ops.table import Array, Attributes, Op
from .calls import bind_constructor, bind_operation, checked, parts_of, place_of
from .constructors import CONSTRUCTORS, Constructor
from .elsewhere import written
from .static import (
    POISON,
    Bound,
    Fault,
    Ref,
    described,
    fold,
    fold_call,
    frozen,
    is_number,
    items,
    nested,
)
from .syntax import Function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .statements import Readers, Reading


# The operations that a program writes with a sign between two operands.
_BINARY: Final[Mapping[type[ast.AST], str]] = MappingProxyType(
    {
        ast.Add: "add",
        ast.Sub: "subtract",
        ast.Mult: "multiply",
        ast.Div: "divide",
        ast.Pow: "power",
        ast.MatMult: "matmul",
        ast.Eq: "equal",
        ast.NotEq: "not_equal",
        ast.Lt: "less",
        ast.LtE: "less_equal",
        ast.Gt: "greater",
        ast.GtE: "greater_equal",
    }
)


def _name(reading: Reading, node: ast.Name) -> Bound:
    return reading.value(node.id)


def _constant(_reading: Reading, node: ast.Constant) -> Bound:
    return node.value


def _tuple(reading: Reading, node: ast.Tuple) -> Bound:
    return nested(tuple(reading.all(node.elts)))


def _list(reading: Reading, node: ast.List) -> Bound:
    return nested(reading.all(node.elts))


def _slice(reading: Reading, node: ast.Slice) -> Bound:
    parts = [part for part in (node.lower, node.upper, node.step) if part]
    found = dict(zip(parts, reading.all(parts), strict=True))
    for part, value in found.items():
        if value is not None and type(value) is not int:
            what = f"{described(value)} stands as a bound of a slice"
            raise Fault(what, "a bound is a whole number that is fixed", part)
    return slice(
        *(found[part] if part else None for part in (node.lower, node.upper, node.step))
    )


def _unary(reading: Reading, node: ast.UnaryOp) -> Bound:
    (value,) = reading.all([node.operand])
    if isinstance(node.op, ast.UAdd) and (isinstance(value, Ref) or is_number(value)):
        return value
    if is_number(value):
        return -value
    return reading.apply(node, OPS["negative"], [reading.as_node(value, node.operand)])


def _binary(reading: Reading, node: ast.BinOp) -> Bound:
    # A long sum is a deep tree on its left side: go down it without recursion.
    spine = [node]
    while isinstance(spine[-1].left, ast.BinOp):
        spine.append(spine[-1].left)
    value = reading.expression(spine[-1].left)
    for one in reversed(spine):
        right = reading.expression(one.right)
        try:
            value = _joined(reading, one, one.op, value, right)
        except Fault as fault:
            value = reading.failed(fault, one)
    return value


def _compare(reading: Reading, node: ast.Compare) -> Bound:
    (sign,) = node.ops
    (right,) = node.comparators
    values = reading.all([node.left, right])
    if isinstance(sign, (ast.Is, ast.IsNot)):  # of a static value with None
        return (values[0] is values[1]) == isinstance(sign, ast.Is)
    return _joined(reading, node, sign, *values)


def _joined(
    reading: Reading,
    node: ast.BinOp | ast.Compare,
    sign: ast.operator | ast.cmpop,
    left: Bound,
    right: Bound,
) -> Bound:
    if left is POISON or right is POISON:
        raise Fault
    if not isinstance(left, Ref) and not isinstance(right, Ref):
        try:
            return fold(sign, left, right, reading.limits)
        except ValueError as error:
            if is_number(left) and is_number(right):
                raise Fault(f"{reading.site(node).text}: {error}") from None
            what = f"{described(left)} and {described(right)}: {error}"
            raise Fault(what, "join numbers, or values of the program") from None
    name = _BINARY.get(type(sign))
    if name is None:
        what = "// is for whole numbers that are fixed, such as x.shape[0]"
        raise Fault(what, "for values write /")
    right_node = node.right if isinstance(node, ast.BinOp) else node.comparators[0]
    operands = [reading.as_node(left, node.left), reading.as_node(right, right_node)]
    return reading.apply(node, OPS[name], operands)


def _conditional(reading: Reading, node: ast.IfExp) -> Bound:
    (test,) = reading.all([node.test])
    branch = node.body if test else node.orelse
    if reading.scope.root is node:
        reading.scope.root = branch
    return reading.expression(branch)


def _attribute(reading: Reading, node: ast.Attribute) -> Bound:
    (value,) = reading.all([node.value])
    if not isinstance(value, Ref):
        what = f"{described(value)} has no .{node.attr}"
        raise Fault(what, "only values of the program have .T and .shape")
    shape = reading.builder.nodes[value.node].shape
    if node.attr in ("shape", "ndim"):
        return shape if node.attr == "shape" else len(shape)
    op = OPS["transpose"]
    return reading.apply(
        node, op, [value.node], checked(op.name, op.parameters, {"axes": None})
    )


def _subscript(reading: Reading, node: ast.Subscript) -> Bound:
    value, index = reading.all([node.value, node.slice])
    if isinstance(value, Ref):
        return _pick(reading, node, value, index)
    if items(value) is not None and type(index) in {int, slice}:
        try:
            return value[index]
        except (IndexError, ValueError) as error:
            raise Fault(f"{described(value)}: {error}", "count from 0") from None
    what = f"{described(value)} cannot be indexed with {described(index)}"
    raise Fault(what, "an index of a tuple is a whole number or a slice")


def _call(reading: Reading, node: ast.Call) -> Bound:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name == "scan" and reading.scope.source.name == "prelude":
        return _scan(reading, node)
    function = reading.scope.functions.get(name) or reading.prelude.get(name)
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    known = function or find(name) or CONSTRUCTORS.get(name)
    if known is None:
        for one in given:
            reading.expression(one)
        raise reading.unknown_function(name, written(node))
    if isinstance(known, Op):
        placed = place_of(known, node.args, node.keywords)
        if placed is not None:
            return _put(reading, node, known, reading.all(placed))
    values = reading.all(given)
    args = values[: len(node.args)]
    keywords = {
        keyword.arg or "": value
        for keyword, value in zip(node.keywords, values[len(args) :], strict=True)
    }
    if isinstance(known, Function):
        return _unrolling()(reading, node, known, args, keywords)
    if isinstance(known, Op):
        return _operation(reading, node, known, args, keywords)
    return _construct(reading, node, known, args, keywords)


@cache
def _unrolling() -> Callable[..., Bound]:
    """Return what calls a function; most programs call none."""
    from .unroll import call  # noqa: PLC0415  # 3 ms, and with each call 1 µs

    return call


def _scan(reading: Reading, node: ast.Call) -> Bound:
    """Call a recipe for each step along the first axis, and return all their results.

    `scan(cell, x, state, *rest)` calls `cell(x[t], *state, *rest)`, which returns the
    state for the next step. The frame of a step is called by its number.
    """
    call = _unrolling()
    cell, *given = node.args
    steps, first, *rest = reading.all(given)
    state, scope = items(first) or [], reading.scope
    length = 0
    if isinstance(steps, Ref):
        length = (*reading.builder.nodes[steps.node].shape, 0)[0]
    if not length or not isinstance(cell, ast.Name):
        hint = "write them along the first axis of an array"
        raise Fault(f"{described(steps)} has no steps", hint)
    target, scope.root = scope.target, node
    made: list[list[Bound]] = []
    for step in range(length):
        scope.target = f"{target}._{step + 1}"
        index = checked("getitem", OPS["getitem"].parameters, {"index": (step,)})
        operands = [reading.as_node(steps, None)]
        one = reading.apply(node, OPS["getitem"], operands, index, numbered=True)
        result = call(reading, node, reading.prelude[cell.id], [one, *state, *rest], {})
        if result is POISON:
            raise Fault  # reported already
        state = items(result) or [result]
        made.append(state)
    scope.target, scope.root = target, None
    return tuple(map(tuple, zip(*made, strict=True)))


def _operation(
    reading: Reading,
    node: ast.Call,
    op: Op,
    args: list[Bound],
    keywords: dict[str, Bound],
) -> Bound:
    """Call an operation of the table."""
    given, attributes = bind_operation(op, args, keywords)
    if op.kind == "elementwise" and all(map(is_number, given)):
        return fold_call(op, given, attributes)
    if op.kind == "gather":
        given = [_listed_index(reading, node, one) for one in given]
    operands = [reading.as_node(one, None) for one in given]
    if op.parts is None:
        return reading.apply(node, op, operands, attributes)
    return tuple(
        reading.apply(node, op, operands, part, numbered=True)
        for part in parts_of(op, attributes, reading.limits)
    )


def _listed_index(reading: Reading, node: ast.Call, value: Bound) -> Bound:
    """Return a list of whole numbers as a constant; all else as it is."""
    if items(value) is None or OPS["getitem"].parameters[0].check((frozen(value),)):
        return value
    array = np.array(value)
    array = array if array.size else array.astype(np.int64)
    given = (*node.args, *(keyword.value for keyword in node.keywords))
    lists = (one for one in given if isinstance(one, (ast.List, ast.Tuple)))
    tree = next(lists, node)
    return _constant_node(reading, reading.next_name(tree, numbered=True), tree, array)


def _constant_node(reading: Reading, name: str, node: ast.expr, array: Array) -> Ref:
    reading.room(node)
    reading.check_size(array.shape)
    array.setflags(write=False)
    index = reading.builder.leaf(name, "constant", array.shape, reading.site(node))
    reading.leaves[index] = array
    reading.particular += 1
    return Ref(index)


def _construct(
    reading: Reading,
    node: ast.Call,
    constructor: Constructor,
    args: list[Bound],
    keywords: dict[str, Bound],
) -> Ref:
    """Make a constant of static arguments."""
    name = getattr(node.func, "id", "")
    attributes, shape = bind_constructor(name, args, keywords)
    reading.check_size(shape)
    try:
        with np.errstate(all="ignore"):
            array = constructor.make(reading.dtype, **attributes)
    except (ValueError, OverflowError) as error:
        raise Fault(f"{name}: {error}") from None
    return _constant_node(reading, reading.next_name(node), node, array)


def _pick(reading: Reading, node: ast.Subscript, operand: Ref, index: Bound) -> Ref:
    """Add `operand[index]` to the graph."""
    from ..ops.shape.indexing import shape_of_index  # noqa: PLC0415  # 2 ms, with the rows of indices

    op = OPS["getitem"]
    attributes, arrays = _index(reading, op, index)
    nodes = [operand.node, *(number for number, _ in arrays)]
    try:
        shape = reading.builder.nodes[operand.node].shape
        slots = [array for _, array in arrays]
        result = shape_of_index(shape, attributes["index"], slots)
    except ValueError as error:
        raise reading.misfit(op, nodes, str(error)) from None
    return reading.apply(node, op, nodes, attributes, shape=result)


def _put(reading: Reading, node: ast.Call, op: Op, values: list[Bound]) -> Ref:
    """Add `whole` with `value` at an index to the graph."""
    from ..ops.shape.placing import shape_of_put  # noqa: PLC0415  # likewise

    whole, index, value = values
    attributes, arrays = _index(reading, op, index)
    nodes = [reading.as_node(one, None) for one in (whole, value)]
    nodes += [number for number, _ in arrays]
    try:
        shapes = [reading.builder.nodes[number].shape for number in nodes[:2]]
        slots = [array for _, array in arrays]
        shape_of_put(shapes[0], shapes[1], attributes["index"], slots)
    except ValueError as error:
        raise reading.misfit(op, nodes, str(error)) from None
    return reading.apply(node, op, nodes, attributes)


def _index(
    reading: Reading, op: Op, index: Bound
) -> tuple[Attributes, list[tuple[int, Array]]]:
    """Return an index as an attribute, and the nodes and the arrays of its slots."""
    from ..ops.shape.indexing import Slot  # noqa: PLC0415  # likewise

    entries: list[Any] = []
    arrays: list[tuple[int, Array]] = []
    for entry in (items(index) or ()) if type(index) is tuple else [index]:
        if isinstance(entry, Ref):
            array = _index_array(reading, entry)
            entries.append(Slot(len(arrays), array.dtype == bool))
            arrays.append((entry.node, array))
        else:
            entries.append(frozen(entry))
    return checked(op.name, op.parameters, {"index": tuple(entries)}), arrays


def _index_array(reading: Reading, index: Ref) -> Array:
    """Return the values of an index, computed here: shapes depend on them."""
    reading.particular += 1
    needed: set[int] = set()
    stack = [index.node]
    while stack:
        number = stack.pop()
        if number not in needed and number not in reading.known:
            needed.add(number)
            stack += reading.builder.nodes[number].operands
    with np.errstate(all="ignore"):
        for number in sorted(needed):
            node = reading.builder.nodes[number]
            if node.op is None:
                reading.known[number] = reading.leaves[number]
                continue
            operands = [reading.known[k] for k in node.operands]
            try:
                value = node.op.forward(*operands, **node.attributes)
            except (ValueError, IndexError, TypeError, ArithmeticError) as error:
                raise Fault(f"{node.name} cannot be computed: {error}") from None
            reading.known[number] = value
    array = np.asarray(reading.known[index.node])
    if array.dtype.kind not in "biu":
        raise Fault(
            f"an index is made of whole numbers or of True and False, not of "
            f"{array.dtype} as {reading.builder.nodes[index.node].name}",
            "give whole numbers under [constants], or compare: x > 0",
        )
    return array


READERS: Final[Readers] = MappingProxyType(
    {
        ast.Name: _name,
        ast.Constant: _constant,
        ast.Tuple: _tuple,
        ast.List: _list,
        ast.Slice: _slice,
        ast.UnaryOp: _unary,
        ast.BinOp: _binary,
        ast.Compare: _compare,
        ast.IfExp: _conditional,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Call: _call,
    }
)
