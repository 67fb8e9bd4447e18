"""One binder for the arguments of calls, in programs and in expressions.

What is missing, unknown, too many or of a wrong kind is a `Fault`, with the same words
wherever somebody calls an operation, a constructor or a function.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..base.text import counted, nearest
from ..ops.table import NO_ATTRIBUTES, REQUIRED, Attributes, Op, Parameter, Shape
from .constructors import CONSTRUCTORS
from .static import (
    Bound,
    Fault,
    LimitFault,
    Ref,
    described,
    frozen,
    is_number,
    items,
    shown,
)

if TYPE_CHECKING:
    from ..base.limits import Limits

# Returns an argument that has to be fixed as the static value that it is.
Fixed = Callable[[Bound], Bound]


class Call(NamedTuple):
    """The arguments of a call: what it computes with, and what is fixed, by name."""

    operands: list[Bound]  # nodes and numbers to compute with, in order
    attributes: Attributes  # what is fixed, checked, with the defaults


class Put(NamedTuple):
    """A call that puts something in a place, by its parts."""

    whole: ast.expr  # what has the place
    place: ast.expr  # its index
    value: ast.expr  # what is put there


def bind_operation(
    op: Op, args: list[Bound], keywords: Mapping[str, Bound], fixed: Fixed = frozen
) -> Call:
    """Return the arguments of an operation; `Fault` says what is wrong with them."""
    if op.kind == "gather" and op.written:
        raise Fault("an index is written in brackets", f"write {brackets(op)}")
    parameters = [one for one in op.parameters if not op.parts or one.name != "part"]
    order = op.order or (*op.operands, *(one.name for one in parameters))
    if op.variadic and order[-1] == op.operands[0]:
        # What comes last need not stand in a list: einsum("ij,jk->ik", a, b). A list
        # of numbers is one operand: einsum("i,i->", [1, 2], a).
        rest = args[len(order) - 1 :]
        inner = items(rest[0]) if len(rest) == 1 else None
        if rest and (inner is None or all(map(is_number, inner))):
            args = [*args[: len(order) - 1], rest]
    optional = op.operands[len(op.operands) - op.optional :]
    bound = _bind_parameters(op.name, order, parameters, optional, args, keywords)
    operands = _operands(op, bound)
    return Call(operands, checked(op.name, parameters, bound, fixed))


def brackets(op: Op) -> str:
    """Return how an operation is written whose index stands in brackets.

    >>> from gradstep.core.ops import OPS
    >>> brackets(OPS["put"])
    'put(x[i], value)'
    """
    names = dict(zip(op.operands, op.operands, strict=True))
    return op.written.format_map(names | {"index": "i"})


def place_of(op: Op, args: Sequence[ast.expr], keywords: Collection[Any]) -> Put | None:
    """Return the parts of a call such as `put(x[1:3], value)`; None for another one.

    What stands in its brackets is no element that is read, but a place. Raises `Fault`
    where there are none.
    """
    if op.kind != "gather" or not op.written.startswith(op.name):
        return None
    if keywords or len(args) != 2 or not isinstance(args[0], ast.Subscript):
        raise Fault(f"{op.name} takes a place and a value", f"write {brackets(op)}")
    return Put(args[0].value, args[0].slice, args[1])


def bind_function(
    name: str,
    operands: Sequence[str],
    parameters: Sequence[Parameter],
    args: list[Bound],
    keywords: Mapping[str, Bound],
    fixed: Fixed = frozen,
) -> Call:
    """Return the arguments of a function that is no operation."""
    order = (*operands, *(one.name for one in parameters))
    bound = _bind_parameters(name, order, parameters, (), args, keywords)
    attributes = checked(name, parameters, bound, fixed)
    return Call([bound[one] for one in operands], attributes)


def bind_constructor(
    name: str, args: list[Bound], keywords: Mapping[str, Bound], fixed: Fixed = frozen
) -> tuple[Attributes, Shape]:
    """Return the arguments of a constructor, and the shape of what it makes.

    Raises `Fault` for wrong ones.
    """
    made = CONSTRUCTORS[name]
    call = bind_function(name, (), made.parameters, args, keywords, fixed)
    try:
        return call.attributes, made.shape(**call.attributes)
    except (ValueError, OverflowError) as error:
        raise Fault(f"{name}: {error}") from None


def parts_of(op: Op, attributes: Attributes, limits: Limits) -> list[Attributes]:
    """Return the attributes of each part of an operation that makes several.

    Raises `LimitFault` where there would be too many.
    """
    parts = op.parts(**attributes) if op.parts else 0
    if parts > limits.parts:
        raise LimitFault(f"{op.name} into {parts} parts", limits.allowed("parts"))
    return [MappingProxyType({**attributes, "part": part}) for part in range(parts)]


def _bind_parameters(
    name: str,
    order: tuple[str, ...],
    parameters: Sequence[Parameter],
    optional: Sequence[str],
    args: list[Bound],
    keywords: Mapping[str, Bound],
) -> dict[str, Bound]:
    defaults: dict[str, Any] = dict.fromkeys(optional)
    for one in parameters:
        if one.default is not REQUIRED:
            defaults[one.name] = one.default
    return bind(name, order, defaults, args, keywords)


def _operands(op: Op, bound: Mapping[str, Bound]) -> list[Bound]:
    if op.variadic:
        held = items(bound[op.operands[0]])
        if not held:
            given = described(bound[op.operands[0]])
            what = f"{op.name} takes a list of values, not {given}"
            raise Fault(what, f"write {op.name}([a, b])")
        return held
    values = [bound[name] for name in op.operands]
    least = len(op.operands) - op.optional
    while values and values[-1] is None and len(values) > least:
        values.pop()
    return values


def bind(
    name: str,
    order: tuple[str, ...],
    defaults: Mapping[str, Any],
    args: list[Bound],
    keywords: Mapping[str, Bound],
) -> dict[str, Bound]:
    """Return the arguments of a call by name, those left out with their defaults.

    Raises `Fault` for too many, for unknown or missing ones, and for one given twice.
    """
    if len(args) > len(order):
        some = f"{counted(len(order), 'argument')}"
        what = f"{name} takes {some}, not {len(args)}"
        raise Fault(what, _usage(name, order, defaults))
    bound = dict(zip(order, args, strict=False))
    for key, value in keywords.items():
        if key not in order:
            hint = nearest(key, order) or _usage(name, order, defaults)
            raise Fault(f"{name} has no argument {key}", hint)
        if key in bound:
            hint = _usage(name, order, defaults)
            raise Fault(f"{name} is given {key} twice", hint)
        bound[key] = value
    for key in order:
        if key not in bound:
            if key not in defaults:
                hint = _usage(name, order, defaults)
                raise Fault(f"{name} needs {key}", hint)
            bound[key] = defaults[key]
    return bound


def _usage(name: str, order: Sequence[str], defaults: Mapping[str, Any]) -> str:
    usage = ", ".join(f"{k}=…" if k in defaults else k for k in order)
    return f"write {name}({usage})"


def checked(
    name: str,
    parameters: Sequence[Parameter],
    bound: Mapping[str, Bound],
    fixed: Fixed = frozen,
) -> Attributes:
    """Return the fixed arguments of a call, each of them checked.

    Raises `Fault` for a value that is not allowed, or not known before running.
    """
    if not parameters:
        return NO_ATTRIBUTES
    attributes: dict[str, Any] = {}
    for parameter in parameters:
        value = fixed(bound[parameter.name])
        if isinstance(value, (Ref, np.ndarray)):
            raise Fault(
                f"{name}: {parameter.name} is fixed when the program is read, so it "
                "cannot be a computed value",
                "write a number, or use the shape of a value: x.shape[0]",
            )
        allowed = parameter.check(value)
        if allowed:
            raise Fault(
                f"{name}: {parameter.name} is {shown(value)}", f"allowed: {allowed}"
            )
        attributes[parameter.name] = value
    return MappingProxyType(attributes)
