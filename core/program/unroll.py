"""Calls of functions, unrolled: each is a frame of its own, read or made again."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..engine.graph import Frame
from .calls import bind, checked
from .prelude import CHOICES
from .repeated import Block, Made, Reach, form_of, is_named_inside, moved
from .statements import Scope
from .static import Bound, Fault, Ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine.graph import Row
    from .statements import Reading
    from .syntax import Function


def call(
    reading: Reading,
    node: ast.Call,
    function: Function,
    args: list[Bound],
    keywords: dict[str, Bound],
) -> Bound:
    """Call a function of the program or of the prelude, and return its result.

    Raises `Fault` for arguments that it does not take.
    """
    reading.called.add(function)
    if not function.lines:
        raise Fault
    _check_depth(reading, node, function)
    values = _bound(function, args, keywords)
    frame = _frame(reading, node, function)
    arguments = tuple(values.values())
    form = form_of(arguments, reading.builder.nodes.rows)
    key = form and (function, form, reading.unnamed.get(frame.name, 0))
    block = reading.blocks.get(key) if key else None
    if block and _fits(reading, block):
        return _repeat(reading, block, arguments, frame)
    start, particular = reach_of(reading), reading.particular
    scope, result = _read(reading, node, function, values, frame)
    if key and reading.particular == particular and isinstance(result, Ref):
        reading.blocks[key] = Block(
            frame.name,
            arguments,
            start,
            reach_of(reading).since(start),
            scope.height,
            frozenset(scope.inside | {function}),
            reading.unnamed.get(frame.name, 0),
            result,
        )
    return result


def reach_of(reading: Reading) -> Reach:
    """Return how much has been read and made until now."""
    return Reach(
        len(reading.builder.nodes),
        len(reading.frames),
        len(reading.statements),
        len(reading.aliases),
        reading.steps,
        reading.paid,
        reading.elements,
        reading.work,
    )


def _check_depth(reading: Reading, node: ast.expr, function: Function) -> None:
    if function in reading.open:
        raise Fault(
            f"{function.name} calls itself, which would never end",
            "write one function for each level",
        )
    most = reading.limits.calls
    if reading.scope.depth >= most:
        reading.stop(node, f"calls are nested more than {most} deep")


def _bound(
    function: Function, args: list[Bound], keywords: dict[str, Bound]
) -> dict[str, Bound]:
    """Return the arguments of a call by the names of the parameters."""
    order = tuple(function.parameters)
    defaults = {k: v for k, v in function.parameters.items() if v is not None}
    values = bind(function.name, order, defaults, args, keywords)
    if _is_prelude(function):
        given = {*order[: len(args)], *keywords}
        choices = [one for one in CHOICES if one.name in given]
        checked(function.name, choices, values)
    return values


def _is_prelude(function: Function) -> bool:
    return function.source.name == "prelude"


def _frame(reading: Reading, node: ast.Call, function: Function) -> Frame:
    """Return the frame of a call as it begins: without a node."""
    caller, first = reading.scope, len(reading.builder.nodes)
    return Frame(
        len(reading.frames),
        reading.next_name(node, numbered=caller.returns),
        function.name,
        function.source.name,
        caller.index,
        caller.depth + 1,
        reading.site(node),
        first,
        first,
    )


def _read(
    reading: Reading,
    node: ast.Call,
    function: Function,
    values: dict[str, Bound],
    frame: Frame,
) -> tuple[Scope, Bound]:
    """Read the lines of a function; return the scope that they had, and the result."""
    caller, alone = reading.scope, _is_prelude(function)
    scope = reading.scope = Scope(
        frame.index,
        frame.name,
        function,
        function.source,
        {},
        {} if alone else caller.outer,
        {} if alone else caller.functions,
        caller,
        node,
        frame.depth,
    )
    reading.frames.append(frame)
    for parameter, value in values.items():
        is_default = isinstance(value, ast.expr)
        scope.values[parameter] = reading.expression(value) if is_default else value
    reading.open.add(function)
    result: Bound = None
    for line in function.lines:
        result = reading.line(line)
    reading.open.remove(function)
    reading.name_node(result, frame.name, frame.first)
    reading.scope = caller
    caller.inside |= scope.inside | {function}
    caller.height = max(caller.height, scope.height + 1)
    stop = len(reading.builder.nodes)
    reading.frames[frame.index] = frame._replace(stop=stop)
    return scope, result


# ------------------------------------------------------------------------ made again


def _fits(reading: Reading, block: Block) -> bool:
    """Tell whether a block can be made again here, within the limits."""
    limits, made = reading.limits, block.made
    return (
        reading.scope.depth + 1 + block.height <= limits.calls
        and len(reading.builder.nodes) + made.nodes <= limits.nodes
        and reading.steps + made.steps <= limits.steps
        and reading.steps - reading.paid + made.idle <= limits.idle
        and reading.elements + made.elements <= limits.elements
        and reading.work + made.work <= limits.work
        and reading.open.isdisjoint(block.functions)
        and is_named_inside(block, _rows(reading, block))
    )


def _rows(reading: Reading, block: Block) -> Sequence[Row]:
    """Return the rows of the nodes of a block."""
    return reading.builder.nodes.rows[block.nodes]


def _parts(reading: Reading, block: Block) -> Made:
    """Return the parts of the graph that a block is."""
    (_, frames, statements, aliases, *_), made = block.start, block.made
    return Made(
        _rows(reading, block),
        reading.frames[frames : frames + made.frames],
        reading.statements[statements : statements + made.statements],
        reading.aliases[aliases : aliases + made.aliases],
    )


def _repeat(
    reading: Reading, block: Block, arguments: Sequence[Bound], begun: Frame
) -> Bound:
    """Make again what a call like this one has made."""
    made, before = block.made, _parts(reading, block)
    frame = begun._replace(stop=begun.first + made.nodes)
    again, result = moved(block, before, arguments, reach_of(reading), frame)
    reading.builder.extend(again.rows)
    reading.frames += again.frames
    reading.statements += again.statements
    reading.aliases += again.aliases
    reading.steps += made.steps
    reading.paid += made.paid
    reading.elements += made.elements
    reading.work += made.work
    reading.unnamed[frame.name] = block.unnamed
    reading.scope.inside |= block.functions
    reading.scope.height = max(reading.scope.height, block.height + 1)
    return result
