"""One pass over a program: its lines in order, its calls unrolled, its nodes named.

`Reading` keeps frames, lines, names and problems. How an expression is read is a table
of functions, by type of syntax node, which it is given.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import numpy as np

from ..base.errors import Problem
from ..base.progress import with_progress
from ..base.text import clean, counted, nearest
from ..engine.graph import (
    Builder,
    Frame,
    Graph,
    NodeKind,
    Site,
    Source,
    Statement,
    misfit_text,
    named_shapes,
)
from ..ops import ALIASES, OPS
from ..ops.table import NO_ATTRIBUTES, Attributes, Op, Shape, Value
from .constructors import CONSTRUCTORS
from .elsewhere import number_named, way_out
from .prelude import PRELUDE
from .static import (
    POISON,
    Bound,
    Fault,
    LimitFault,
    Ref,
    described,
    is_number,
    items,
    size_problem,
)
from .syntax import Function, Line, Module, Scanned
from .whitelist import RESERVED

if TYPE_CHECKING:
    from ..base.limits import Limits
    from ..base.progress import Progress
    from .repeated import Alias, Block

_MOST_PROBLEMS: Final = 100
_LONGEST_LITERAL: Final = 24  # that is a name as it is written
_PAID: Final = 10  # expressions that may lead to one operation
_PAID_OPERAND: Final = 3  # and to each of its operands
_MOST_LISTED: Final = 12  # names in a hint

# The functions that read expressions, by type of syntax node.
Readers = Mapping[type[ast.AST], Callable[..., Bound]]


class Leaf(NamedTuple):
    """What a scenario gives to its program: an input, a parameter or a constant."""

    kind: NodeKind  # "input", "parameter" or "constant"
    value: Value  # an array, or a number for a scalar
    written: str = ""  # what messages call it, where that is no name of a program


@dataclass(slots=True, eq=False)
class Scope:
    """A frame while its lines are read, and the line that is being read."""

    index: int  # of the frame
    name: str  # of the frame: "x1"; "" for the program
    function: Function | None  # the one that is called; None for the program
    source: Scanned  # the text that its lines stand in
    # by their names in this frame: what its lines have bound so far
    values: dict[str, Bound]
    outer: Mapping[str, Bound]  # what the lines see besides
    # those that its lines may call by name, operations aside
    functions: dict[str, Function]
    caller: Scope | None = None  # the frame of the call; None for the program
    call: ast.expr | None = None  # the call itself, in the caller; None for the program
    depth: int = 0  # how many calls it is inside
    statement: int = 0  # the number of the statement that is being read
    target: str = ""  # the full name of what the line assigns
    root: ast.expr | None = None  # the expression whose node takes that name
    returns: bool = False  # whether that statement is a `return`
    text: str = ""  # the statement as it is written
    height: int = 0  # how many calls the innermost one in it is inside
    inside: set[Function] = field(default_factory=set["Function"])  # called in it

    @property
    def prefix(self) -> str:
        """Return what stands before the names of this frame."""
        return f"{self.name}." if self.name else ""


_NUMBERS: Final[Mapping[str, float]] = MappingProxyType({**RESERVED, "pi": math.pi})
PENDING_STATEMENT: Final = Statement(0, 0, "", 0, "", "", 0, 0)
PENDING_FRAME: Final = Frame(0, "", "", "", 0, 0, None, 0, 0)


class _Stopped(Exception):
    """Nothing more is to be read: the problems say why."""


@dataclass(eq=False)
class Reading:
    """One pass over a program: its calls unrolled, each expression made a node."""

    given: Mapping[str, Leaf]  # the leaves, by name
    # names of leaves whose values are wrong: no problem of the program
    broken: Collection[str]
    readers: Readers  # one for each kind of expression
    module: Module  # the program, parsed
    prelude: Mapping[str, Function]  # functions of the prelude, by name
    dtype: Any  # of constructors and literals that say none
    limits: Limits  # on nodes, nesting, elements and work
    progress: Progress | None = None  # is told of the lines that are read

    def __post_init__(self) -> None:
        self.builder = Builder()
        self.leaves: dict[int, Value] = {}
        self.known: dict[int, Value] = {}  # values that shapes depend on
        self.frames: list[Frame] = []
        self.statements: list[Statement] = []
        self.aliases: list[Alias] = []
        self.blocks: dict[object, Block] = {}  # of calls, by what they depend on
        self.particular = 0  # what was met that a call does not depend on alone
        self.literals: dict[tuple[type, str], int] = {}
        self.unnamed: dict[str, int] = {}  # how many, by the name they start with
        self.spots: dict[ast.AST, tuple[int, int, str]] = {}
        self.problems: list[Problem] = [*self.module.problems]
        self.reported: set[tuple[int, int, str]] = set()
        self.called: set[Function] = set()
        self.open: set[Function] = set()  # those whose lines are being read
        self.limited = False
        self.steps = 0
        self.paid = 0  # steps that the operations are worth
        self.elements = 0
        self.work = 0
        values: dict[str, Bound] = dict.fromkeys(self.broken, POISON)
        values |= self._leaves()
        self.scope = Scope(0, "", None, self.module.source, values, values, {})

    # ------------------------------------------------------------------- the program

    def program(self, output: str | None) -> Graph | None:
        """Return the graph of the program, or nothing where there are problems."""
        try:
            result = self._read(output)
        except _Stopped:
            return None
        except RecursionError:
            self.limited = True
            self.problems.append(Problem("calls and expressions are nested too deep"))
            return None
        if self.problems or result is None:
            return None
        for name, value in self.scope.values.items():
            if is_number(value) and (type(value), repr(value)) in self.literals:
                self.aliases.append((name, self.literals[type(value), repr(value)]))
        sources = {
            "program": Source(_cleaned(self.module.source.text)),
            "prelude": Source(_cleaned(PRELUDE), is_library=True),
        }
        return self.builder.finish(
            result,
            self.frames,
            self.statements,
            dict(self.aliases),
            sources,
        )

    def _read(self, output: str | None) -> int | None:
        first = len(self.builder.nodes)
        self.frames.append(PENDING_FRAME)
        for item in with_progress(self.module.items, self.progress):
            if isinstance(item, Function):
                self.scope.functions[item.name] = item
            else:
                self.line(item)
        stop = len(self.builder.nodes)
        self.frames[0] = Frame(0, "", "", "program", 0, 0, None, first, stop)
        self._look_into_unused()
        return self._output(output)

    def _leaves(self) -> dict[str, Bound]:
        values: dict[str, Bound] = {}
        for kind in ("input", "parameter", "constant"):
            for name, leaf in self.given.items():
                if leaf.kind == kind:
                    shape = np.shape(leaf.value)
                    index = self.builder.leaf(leaf.written or name, kind, shape)
                    self.leaves[index] = leaf.value
                    values[name] = Ref(index)
        return values

    def _output(self, output: str | None) -> int | None:
        """Return the node that is differentiated, or nothing after a mistake."""
        values = self.scope.values
        if output is None:
            lines = self._lines()
            if not lines:
                self._unless_wrong(
                    "the program assigns nothing", "write a line such as: y = sum(x)"
                )
                return None
            output = lines[-1].targets[-1]
        value: Bound = values.get(output)
        if isinstance(value, Ref):
            return value.node
        if is_number(value):
            return self.literal(value, repr(value))
        names = {node.name: node.index for node in self.builder.nodes}
        names |= dict(self.aliases)
        if output not in values and output in names:
            return names[output]
        if values.get(output) is POISON and not self.problems:
            # A broken leaf: the mistake is told by whoever read it.
            return None
        what = f"the output {clean(output)!r} is not a value of the program"
        self._unless_wrong(what, nearest(output, names) or "name what a line assigns")
        return None

    def _unless_wrong(self, message: str, hint: str) -> None:
        """Keep a problem that may follow from others, if there are none."""
        if not self.problems:
            self.problems.append(Problem(message, hint))

    def _look_into_unused(self) -> None:
        """Report unknown names in functions that no call has looked into."""
        bound = [name for item in self._lines() for name in item.targets]
        functions = {*self._functions()}
        for function in self.scope.functions.values():
            if function in self.called:
                continue
            values = [*sorted(function.names), *self.scope.outer, *bound, *_NUMBERS]
            known = {*values, *functions}
            for line in function.lines:
                for node in ast.walk(line.value) if line.value else ():
                    if isinstance(node, ast.Name) and node.id not in known:
                        self.report(node, *self._unknown(node.id, values))

    def _lines(self) -> list[Line]:
        return [item for item in self.module.items if isinstance(item, Line)]

    def _functions(self) -> list[str]:
        """Return the names of all functions that a line can call."""
        return [*self.scope.functions, *self.prelude, *OPS, *ALIASES, *CONSTRUCTORS]

    # --------------------------------------------------------------------- problems

    def report(self, node: ast.AST, message: str, hint: str = "") -> None:
        """Keep a mistake, once for each place, with the way that led there."""
        scope = self.scope
        self.particular += 1
        inside = ""
        while scope.source.name != "program" and scope.caller and scope.call:
            inside = f"{scope.function.name if scope.function else ''}: "
            node, scope = scope.call, scope.caller
        line, column = scope.source.place(node)
        if (line, column, message) in self.reported:
            return
        self.reported.add((line, column, message))
        message = inside + message
        if scope.function and scope.caller and scope.call:
            called, _ = scope.caller.source.place(scope.call)
            message += (
                f" (in {scope.function.name}, called as {scope.name} on line {called})"
            )
        self.problems.append(Problem(message, hint, "", line, column))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise _Stopped

    def stop(self, node: ast.AST, message: str, hint: str = "") -> NoReturn:
        """Give up: going on would take too much time or memory."""
        self.limited = True
        self.report(node, message, hint)
        raise _Stopped

    # -------------------------------------------------------------------- statements

    def line(self, line: Line) -> Bound:
        """Read one line in the current frame, and return its value."""
        scope = self.scope
        if line.value is None:
            for name in line.targets:
                scope.values[name] = POISON
            return POISON
        index = len(self.statements)
        first = len(self.builder.nodes)
        full = [scope.prefix + name for name in line.targets] or [scope.name]
        self.statements.append(PENDING_STATEMENT)
        scope.statement, scope.target, scope.text = index, full[0], line.text
        scope.returns = not line.targets
        scope.root = None if line.unpacks else line.value
        value = self.expression(line.value)
        if line.unpacks:
            self._unpack(line, value, full, first)
        elif line.targets:
            scope.values[line.targets[0]] = value
            self.name_node(value, full[0], first)
        self.statements[index] = Statement(
            index,
            scope.index,
            ", ".join(full),
            line.line,
            line.text,
            line.note,
            first,
            len(self.builder.nodes),
        )
        return value

    def _unpack(self, line: Line, value: Bound, full: list[str], first: int) -> None:
        values: list[Bound] = [POISON] * len(full)
        held = items(value)
        if held is not None and len(held) == len(full):
            values = held
        elif value is not POISON and line.value:
            found = described(value)
            self.report(
                line.value,
                f"{counted(len(full), 'name')} on the left, {found} on the right",
                "only as many values as names can be taken apart, such as those of "
                f"split(x, {len(full)})",
            )
        for name, target, one in zip(line.targets, full, values, strict=True):
            self.scope.values[name] = one
            self.name_node(one, target, first)

    def name_node(self, value: Bound, name: str, first: int) -> None:
        """Give a node made since `first` its name; an older one gets an alias."""
        if not isinstance(value, Ref):
            return
        node = self.builder.nodes[value.node]
        if node.name == name:
            return
        if node.index >= first and node.site is not None:
            self.builder.rename(node.index, name)
            self.aliases.append((node.name, node.index))
        else:
            self.aliases.append((name, node.index))

    def next_name(self, node: ast.expr, *, numbered: bool = False) -> str:
        """Return the name of the node, or the frame, that an expression makes."""
        scope = self.scope
        if node is scope.root and not numbered:
            return scope.target
        number = self.unnamed.get(scope.target, 0) + 1
        self.unnamed[scope.target] = number
        return f"{scope.target}._{number}"

    # ------------------------------------------------------------------- expressions

    def expression(self, node: ast.expr) -> Bound:
        """Return what an expression is; after a mistake that is reported, `POISON`."""
        try:
            value = self.readers[type(node)](self, node)
        except Fault as fault:
            value = self.failed(fault, node)
        self.steps += 1 + len(items(value) or ())
        if self.steps > self.limits.steps:
            self.stop(
                node,
                f"the program, its calls unrolled, has more than {self.limits.steps} "
                "expressions",
                self.limits.allowed("steps"),
            )
        if self.steps - self.paid > self.limits.idle:
            self.stop(
                node,
                f"the program, its calls unrolled, has more than {self.limits.idle} "
                "expressions that make no node",
                self.limits.allowed("idle"),
            )
        return value

    def failed(self, fault: Fault, node: ast.AST) -> Bound:
        """Report what is wrong with a part of a line, which is `POISON` then."""
        if fault.message:
            self.report(fault.at or node, fault.message, fault.hint)
            self.limited = self.limited or isinstance(fault, LimitFault)
        return POISON

    def all(self, nodes: Iterable[ast.expr]) -> list[Bound]:
        """Return what several expressions are, all of them read before any fails.

        Raises `Fault` where one of them is wrong, which is reported already.
        """
        values = [self.expression(node) for node in nodes]
        if any(value is POISON for value in values):
            raise Fault
        return values

    def site(self, node: ast.expr) -> Site:
        """Return where an expression stands."""
        scope = self.scope
        spot = self.spots.get(node)
        if spot is None:
            source = scope.source
            spot = (*source.place(node), source.words(node))
            if scope.function:  # it is read again with each call
                self.spots[node] = spot
        return Site(scope.statement, *spot)

    def literal(self, value: float, text: str) -> int:
        """Return the constant node of a number, made when it is first met."""
        key = (type(value), repr(value))
        index = self.literals.get(key)
        if index is None:
            index = self.builder.leaf(text, "constant")
            self.literals[key] = index
            self.leaves[index] = value
            self.particular += 1
        return index

    def as_node(self, value: Bound, node: ast.expr | None) -> int:
        """Return the node behind a value; numbers become constants.

        Raises `Fault` for what has no value.
        """
        if isinstance(value, Ref):
            return value.node
        if is_number(value):
            text = self.site(node).text if isinstance(node, ast.Constant) else ""
            short = 0 < len(text) <= _LONGEST_LITERAL
            return self.literal(value, text if short else repr(value))
        raise Fault(
            f"{described(value)} stands where a value is needed",
            "give it a name under [constants], or use full(shape, number)",
            node,
        )

    # -------------------------------------------------------------------- operations

    def apply(
        self,
        node: ast.expr,
        op: Op,
        operands: Sequence[int],
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        numbered: bool = False,
        shape: Shape | None = None,
    ) -> Ref:
        """Add the result of an operation to the graph.

        Raises `Fault` where shapes do not fit, and `LimitFault` for what is too large.
        """
        self.room(node)
        name = self.next_name(node, numbered=numbered)
        try:
            index = self.builder.apply(
                op, tuple(operands), attributes, name, self.site(node), shape
            )
        except ValueError as error:
            raise self.misfit(op, operands, str(error)) from None
        self.paid += _PAID + _PAID_OPERAND * len(operands)
        self.check_size(self.builder.nodes[index].shape)
        self.check_cost(op, operands, attributes)
        return Ref(index)

    def room(self, node: ast.expr) -> None:
        """Stop where the graph has no room for one more node."""
        if len(self.builder.nodes) >= self.limits.nodes:
            what = f"the graph has more than {self.limits.nodes} nodes"
            self.stop(node, what, self.limits.allowed("nodes"))

    def check_size(self, shape: Shape) -> None:
        """Refuse a value that is too large, before it is made."""
        problem = size_problem(shape, self.limits)
        if problem:
            allowed = self.limits.allowed("elements_per_array")
            if len(shape) > self.limits.axes:
                allowed = f"at most {self.limits.axes} are allowed"
            raise LimitFault(f"this would make {problem}", allowed)
        self.elements += math.prod(shape)
        if self.elements > self.limits.elements:
            raise LimitFault(
                f"the values of the program have {self.elements} elements up to here",
                self.limits.allowed("elements"),
            )

    def check_cost(
        self, op: Op, operands: Sequence[int], attributes: Attributes
    ) -> None:
        """Refuse what would take too long, or too much memory on the way."""
        if op.cost is None:
            return
        shapes = [self.builder.nodes[k].shape for k in operands]
        cost = op.cost(*shapes, **attributes)
        most = self.limits.elements_per_array
        if cost.room > most:
            what = f"{op.name} would make an array of {cost.room} elements on its way"
            raise LimitFault(what, self.limits.allowed("elements_per_array"))
        self.work += cost.effort
        if self.work > self.limits.work:
            raise LimitFault(
                f"the program takes {self.work} multiplications up to here",
                self.limits.allowed("work"),
            )

    def misfit(self, op: Op, operands: Sequence[int], words: str) -> Fault:
        """Return the mistake of shapes that do not fit, with all that takes part."""
        shapes = named_shapes(self.builder.nodes[k] for k in operands)
        words = words.removeprefix(f"{op.name}: ")
        message = misfit_text(op.name, shapes, words)
        return Fault(message, f"the line: {self.scope.text}")

    # ------------------------------------------------------------------------- names

    def value(self, name: str) -> Bound:
        """Return what a name is bound to.

        Raises `Fault` where it is bound to nothing here.
        """
        scope = self.scope
        if name in scope.values:
            return scope.values[name]
        if scope.function and name in scope.function.names:
            raise Fault(
                f"{name} is used before {scope.function.name} binds it",
                "put the line that binds it first",
            )
        if name in scope.outer:
            self.particular += 1
            return scope.outer[name]
        if name in _NUMBERS:
            return _NUMBERS[name]
        raise Fault(*self._unknown(name, [*scope.values, *scope.outer, *_NUMBERS]))

    def _unknown(self, name: str, known: Sequence[str]) -> tuple[str, str]:
        if name in self._functions():
            return f"{name} is a function, not a value", f"call it: {name}(…)"
        for item in self._lines():
            if name in item.targets:
                what = f"{name} is used before line {item.line}, which binds it"
                return what, "a line sees the lines before it"
        listed = ", ".join(islice(dict.fromkeys(known), _MOST_LISTED))
        hint = number_named([name]) or nearest(name, known) or f"known here: {listed}"
        return f"{name} is not known", hint

    def unknown_function(self, name: str, given: Sequence[str]) -> Fault:
        """Return the mistake of calling what is not there, with these arguments."""
        for item in self.module.items:
            if isinstance(item, Function) and item.name == name:
                what = f"{name} is called before line {item.line}, which defines it"
                return Fault(what, "put the function first")
        if name in self.scope.values or name in self.scope.outer:
            what = f"{name} is a value, and only functions can be called"
            return Fault(what, f"for a product write {name} * (…)")
        hint = way_out(name, self._functions(), given=given)
        return Fault(f"there is no function {name}", hint or "define it with def")


def _cleaned(text: str) -> str:
    """Return a text that is harmless to show, its lines as they are."""
    return "\n".join(map(clean, text.split("\n")))
