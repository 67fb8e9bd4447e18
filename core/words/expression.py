"""Read-only expressions over the state: conditions, watches, print, assert.

An expression is Python syntax walked through a whitelist, as a program is; nothing is
ever evaluated as Python. Names are nodes (`x1.z`, `h._1`), the literature's names of
gradients (`δ3`), `iteration` and `position`, and what a training is set to
(`learning_rate`, `momentum`, …); `.value`, `.grad`, `.shape`, `.op` and `.T` follow a
node, and what an optimiser keeps of a parameter (`W.m`, `W.v`) follows that; the
operations of a program are functions here, and so are those of `FUNCTIONS`.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from dataclasses import dataclass, field
from functools import cache, partial, reduce
from itertools import chain, takewhile
from keyword import iskeyword
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from ..base.errors import CommandError, InputError, Problem
from ..base.limits import LIMITS, Limits
from ..base.text import clean, counted, nearest
from ..engine.element import Element, Quantity, index_of
from ..engine.graph import Graph, misfit_text
from ..engine.run import forward, unfit_words
from ..ops import ALIASES, OPS, find
from ..ops.shape.indexing import Slot
from ..ops.table import (
    Array,
    Attributes,
    Cost,
    Op,
    Parameter,
    Shape,
    Value,
    broadcast_shape,
    checks,
)
from ..program.build import RECIPES, build
from ..program.calls import (
    bind_constructor,
    bind_function,
    bind_operation,
    checked,
    parts_of,
    place_of,
)
from ..program.constructors import CONSTRUCTORS
from ..program.elsewhere import asked_of, number_named, way_out, written
from ..program.statements import Leaf
from ..program.static import OPERATORS, Fault, described, fold_call, is_number
from ..program.syntax import characters
from ..program.whitelist import mistakes
from .budget import STEP, Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..engine.trace import Trace
    from ..engine.update import UpdateStep
    from ..ops.optimizers import Optimizer
    from ..program.calls import Put


class NotYetError(CommandError):
    """The expression looks at something that has not happened at this position."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What an expression sees: a trace at a position."""

    trace: Trace  # of the iteration
    position: int  # how many of its events have been applied
    iteration: int = 0  # its number, counted from 0; 0 without training
    names: Mapping[str, str] = field(
        default_factory=dict[str, str]
    )  # the literature's names of gradients
    hits: Mapping[int, int] = field(
        default_factory=dict[int, int]
    )  # of stops, by number; of the asking one at 0
    budget: Budget = field(default_factory=Budget)  # of the line that asks


class Expression(NamedTuple):
    """A parsed expression. `reads` are the quantities that it depends on."""

    text: str  # as it was written
    tree: ast.expr  # checked: nothing else is ever evaluated
    reads: frozenset[tuple[int, Quantity]]
    asked: tuple[ast.expr, ...] = ()  # its names, in the order in which they stand

    def evaluate(self, state: State) -> Any:
        """Return the value: an array, a number, a truth value, a shape or a name.

        Raises `NotYetError` where a value or a gradient is not there yet, and
        `CommandError` where the numbers do not fit.
        """
        return _checked(self.tree, state)

    def sides(self, state: State) -> tuple[Any, Any] | None:
        """Return both sides of a comparison or of `close(…)`; None for the rest."""
        match self.tree:
            case ast.Compare(left=left, comparators=[right]):
                pass
            case _Call(name="close", args=[left, right, *_]):
                pass
            case _:
                return None
        return _checked(left, state), _checked(right, state)

    def must_exist(self, end: State) -> None:
        """Raise `CommandError` where a name means nothing in this run, up to its end.

        That is a gradient that nobody gets, or what its optimiser does not keep.
        """
        for one in self.asked:
            if not isinstance(one, _Read) or one.quantity == "grad":
                _evaluate(one, end)

    def unknown(self, state: State) -> tuple[str, ...]:
        """Return the names of the quantities that are not there yet."""
        found: dict[str, None] = {}
        for one in self.asked:
            if isinstance(one, _Read) and not _is_there(one, state):
                found[one.name + ".grad" * (one.quantity == "grad")] = None
        return tuple(found)

    @property
    def is_name(self) -> bool:
        """Whether it is a value or a gradient as it is, which always fits."""
        return isinstance(self.tree, _Read)

    def may_hold(self, read: Mapping[tuple[int, Quantity], Array]) -> Array | None:
        """Tell at which of several moments it may be true, from what is read at each.

        `read` holds one number for each moment, or one for all of them. None is for an
        expression that has to be asked moment by moment: here all is compared at once,
        and only by rules that do not round in one way alone and in another in a row.
        """
        with np.errstate(all="ignore"):
            try:
                found = _along(self.tree, read)
            except _MISFITS:
                return None
        return None if found is None else np.asarray(found, dtype=bool)

    def holds(self, state: State) -> bool:
        """Tell whether the expression is true; what is not there yet is not true."""
        try:
            return truth(self.evaluate(state))
        except NotYetError:
            return False


def parse(
    text: str, graph: Graph, names: Mapping[str, str], limits: Limits = LIMITS
) -> Expression:
    """Parse an expression over the nodes of `graph`, or raise `CommandError`.

    `names` maps the literature's name of a gradient to `NODE.grad`.
    """
    spelled, words = _spelled(_unquoted(text, graph), names)
    spelled, nodes = _of_captures(spelled, graph)
    tree = _syntax(text, spelled, limits)
    resolver = _Resolver(spelled, text.strip(), graph, {**names, **words}, nodes)
    tree = resolver.visit(tree)
    reads, asked = frozenset(resolver.reads), tuple(resolver.asked)
    return Expression(text.strip(), tree, reads, asked)


def parse_element(text: str, graph: Graph, names: Mapping[str, str]) -> Element:
    """Parse `W1`, `W1[0, 2]`, `W1.grad[0, 2]` or `δ3[1]`; negative indices count back.

    Raises `CommandError` when it is something else, or out of range.
    """
    tree = parse(text, graph, names).tree
    index: tuple[int, ...] | None = None
    if isinstance(tree, ast.Subscript):
        index = _whole_numbers(tree.slice)
        tree = tree.value
        if index is None:
            raise _wrong(text, tree, "an element needs whole numbers as its index")
    if not isinstance(tree, _Read):
        raise _wrong(
            text, tree, "this is not an element", "write NODE[i, j] or NODE.grad[i, j]"
        )
    shape = graph.nodes[tree.node].shape
    if index is not None:
        index = _within(text, tree, index, shape)
    return Element(tree.node, tree.quantity, () if shape == () else index)


def truth(value: Any) -> bool:
    """Return whether a value is true; an array must have exactly one element."""
    array = np.asarray(value)
    if array.size != 1:
        raise CommandError(
            f"an array of shape {array.shape} is neither true nor false",
            "say any(…) or all(…)",
        )
    return bool(array.reshape(())[()])


# ---------------------------------------------------------------------- parsing


@dataclass(eq=False)
class _Read(ast.expr):
    """A resolved name: a quantity of a node. It has no place in Python's grammar."""

    node: int
    quantity: Quantity
    name: str


@dataclass(eq=False)
class _Trained(ast.expr):
    """Something that a training knows of a parameter."""

    node: int
    asked: str  # "learning_rate", or a name of the optimiser's state


@dataclass(eq=False)
class _Infix(ast.expr):
    """Two operands, and the sign between them; `written` tells how each is typed."""

    left: ast.expr
    op: ast.operator
    right: ast.expr
    written: Callable[[ast.expr], str]


@dataclass(eq=False)
class _Call(ast.expr):
    """A call of a known function. Its text, and those of its arguments, are as typed.

    `texts` holds the elements of lists as well.
    """

    name: str
    args: list[ast.expr]
    keywords: dict[str, ast.expr]
    text: str
    texts: Mapping[ast.expr, str]


def _unquoted(text: str, graph: Graph) -> str:
    """Take away the backquotes around names of nodes, and add as many blanks."""
    return re.sub(
        r"`([^`]+)`",
        lambda found: f"{found[1]}  " if found[1] in graph.names else found[0],
        text,
    )


def _spelled(text: str, names: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Replace names that Python reads otherwise, such as `∂L/∂x`, by words.

    The words are as long as the names, so that columns stay, and are told with their
    gradients. A name counts where it is written whole: `∂L/∂x` is one, `∂L / ∂x` none.
    """
    odd = [n for n in names if not all(map(str.isidentifier, n.split(".")))]
    if not odd:
        return text, {}
    found = "|".join(map(re.escape, sorted(odd, key=len, reverse=True)))
    words: dict[str, str] = {}

    def word(match: re.Match[str]) -> str:
        name = match[0].strip("`")
        # A letter of its own for each name; what is written never begins with these.
        made = chr(_FIRST_WORD + odd.index(name)) * len(match[0])
        words[made] = names[name]
        return made

    pattern = rf"`(?:{found})`|(?<!\w)(?:{found})(?!\w)"
    return re.sub(pattern, word, text), words


def _of_captures(text: str, graph: Graph) -> tuple[str, dict[str, int]]:
    """Replace names of nodes that Python reads otherwise, `h@2` and `blocks.0.bias`.

    The words are as long as the names, and are told with their nodes. A name counts
    where there is such a node: elsewhere `a@2` is a product.
    """
    words: dict[str, int] = {}

    def word(match: re.Match[str]) -> str:
        parts = match[0].split(".")
        for stop in range(len(parts), 0, -1):
            name = ".".join(parts[:stop])
            if name in graph.names:
                if all(map(_is_word, parts[:stop])):
                    break
                made = chr(_FIRST_NODE + len(words)) * len(name)
                words[made] = graph.names[name]
                return made + match[0][len(name) :]
        return match[0]

    return _NODE_NAME.sub(word, text), words


def _is_word(part: str) -> bool:
    return part.isidentifier() and not iskeyword(part)


_NODE_NAME: Final = re.compile(
    r"(?<![\w.])[^\W\d]\w*(?:@\d+)?(?:\.\w+(?:@\d+)?)*(?!\w)"
)
_FIRST_WORD: Final = 0x13000  # hieroglyphs: letters to Python, and not on a keyboard
_FIRST_NODE: Final = 0x14400  # others of them; an expression is too short for all


def _syntax(text: str, spelled: str, limits: Limits) -> ast.expr:
    if len(text) > limits.expression:
        what = f"an expression of {len(text)} characters is too long"
        raise CommandError(what, limits.allowed("expression"))
    if _nesting(text) > limits.expression_nesting:
        what = f"brackets nest deeper than {limits.expression_nesting}"
        raise CommandError(what)
    try:
        # Python warns of what looks odd to it; here it is an error, or nothing.
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(spelled.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        said = f"{clean(text)!r} is not an expression: {getattr(error, 'msg', error)}"
        above = spelled.strip().splitlines(keepends=True)
        lines = above[: (getattr(error, "lineno", None) or 1) - 1]
        column = sum(map(len, lines)) + (getattr(error, "offset", None) or 1)
        ratio = re.search(r"∂\w* ?/ ?∂([\w.]+)", text)
        raise _at(column, said, f"write {ratio[1]}.grad" if ratio else "") from None
    found = mistakes(tree, limits, "console")
    first = min(found, key=lambda one: getattr(one.node, "col_offset", 0), default=None)
    if first:
        hint = first.hint_for(_KNOWN, console=True)
        raise _wrong(spelled, first.node, first.message, hint)
    return tree


def _nesting(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


@dataclass
class _Resolver(ast.NodeTransformer):
    """Replaces names by what they mean."""

    text: str  # as Python reads it
    typed: str  # as somebody wrote it, with as many characters
    graph: Graph
    names: Mapping[str, str]
    nodes: Mapping[str, int]  # what words stand for that are no names of the graph
    reads: set[tuple[int, Quantity]] = field(default_factory=set[Any])
    asked: list[ast.expr] = field(default_factory=list[ast.expr])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Resolve the arguments of a call; what is called is a name of its own."""
        name = getattr(node.func, "id", "")
        self._function(node, name)
        given: list[ast.expr] = [self.visit(one) for one in node.args]
        named = {one.arg or "": self.visit(one.value) for one in node.keywords}
        parts = [*given, *named.values()]
        for one in [*parts]:
            if isinstance(one, (ast.List, ast.Tuple)):
                parts += one.elts
        texts = {part: self._written(part) for part in parts}
        call = _Call(name, given, named, self._written(node), texts)
        return ast.copy_location(call, node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Resolve both operands."""
        left, right = self.visit(node.left), self.visit(node.right)
        return ast.copy_location(_Infix(left, node.op, right, self._written), node)

    def _function(self, call: ast.Call, name: str) -> None:
        if name not in _KNOWN:
            hint = way_out(name, _KNOWN, given=written(call), console=True)
            hint = hint or _GRAMMAR
            raise _wrong(self.text, call, f"there is no function {name!r}", hint)

    def _written(self, tree: ast.expr) -> str:
        """Return a part of the expression as it was typed."""
        start = _offset(self.text, tree.lineno, tree.col_offset)
        stop = _offset(self.text, tree.end_lineno, tree.end_col_offset)
        return clean(" ".join(self.typed[start:stop].split()))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Resolve a name without dots."""
        return self._path(node, [node.id])

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Resolve a dotted name, or what is asked of a result."""
        parts: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            parts.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            return self._path(node, [inner.id, *parts])
        if node.attr in ("T", "shape"):
            return cast("ast.expr", self.generic_visit(node))
        raise _wrong(
            self.text, node, "only nodes have this", "ask a result for .T or .shape"
        )

    def _path(self, tree: ast.expr, parts: list[str]) -> ast.expr:
        """Resolve a dotted name: the longest node name, then what is asked of it."""
        for stop in range(len(parts), 0, -1):
            name, rest = ".".join(parts[:stop]), parts[stop:]
            index = self.nodes.get(name, self.graph.names.get(name))
            if index is not None:
                return self._quantity(tree, index, rest)
            if name in self.names:
                node = self.graph.node(self.names[name].removesuffix(".grad"))
                return self._quantity(tree, node.index, ["grad", *rest])
        if len(parts) == 1 and parts[0] in _facts():
            self.asked.append(tree)
            return tree
        whole, stem = ".".join(parts), [*parts]
        while len(stem) > 1 and stem[-1] in _ASKED:
            stem.pop()
        known = [*self.graph.names, *self.names, *_facts()]
        hint = self._meant(parts) or nearest(".".join(stem), known) or _GRAMMAR
        raise _wrong(self.text, tree, f"nothing is called {whole!r}", hint)

    def _meant(self, parts: Sequence[str]) -> str:
        """Return what a name from elsewhere stands for: `dW`, `np.pi`, `loss`."""
        name = parts[0]
        if len(parts) == 1 and name in _SAID:
            return _SAID[name].format(output=self.graph.nodes[self.graph.output].name)
        ratio = re.search(r"\bd\w+ ?/ ?d(\w+)", self.text)
        for found in (ratio, *(one.fullmatch(name) for one in _GRADIENTS)):
            if found and found[1] in self.graph.names:
                return f"write {found[1]}.grad"
        return number_named(parts)

    def _quantity(self, tree: ast.expr, index: int, rest: list[str]) -> ast.expr:
        node = self.graph.nodes[index]
        quantity: Quantity = "value"
        if rest and rest[0] in ("value", "grad"):
            quantity = "grad" if rest[0] == "grad" else "value"
            rest = rest[1:]
        facts: dict[str, Any] = {"shape": node.shape, "op": node.made_by}
        if len(rest) == 1 and rest[0] in facts:  # known without running
            return ast.copy_location(ast.Constant(facts[rest[0]]), tree)
        self.reads.add((index, quantity))
        of_training = (
            len(rest) == 1 and rest[0] in _names_of_training() and quantity == "value"
        )
        if of_training and node.kind == "parameter":
            self.asked.append(ast.copy_location(_Trained(index, rest[0]), tree))
            return self.asked[-1]
        read = ast.copy_location(_Read(index, quantity, node.name), tree)
        self.asked.append(read)
        if rest == ["T"]:
            return ast.copy_location(ast.Attribute(read, "T", ast.Load()), tree)
        if rest:
            inside = f"{node.name}."  # of the call that it is the result of
            names = [n for n in self.graph.names if n.startswith(inside)]
            names = [name.removeprefix(inside) for name in names]
            of = node.name if quantity == "value" else f"{node.name}.grad"
            hint = asked_of(rest[0], of) or nearest(rest[0], [*_ASKED, *names])
            hint = hint or "ask for .value, .grad, .shape, .op or .T"
            raise _wrong(self.text, tree, f"{node.name} has no {rest[0]!r}", hint)
        return read


def _offset(text: str, line: int | None, column: int | None) -> int:
    """Return the place in characters for one that Python gives in lines and bytes."""
    lines = text.splitlines(keepends=True)
    row = (line or 1) - 1
    return sum(map(len, lines[:row])) + characters(lines[row], column or 0)


def _wrong(text: str, tree: ast.AST, message: str, hint: str = "") -> CommandError:
    column = getattr(tree, "col_offset", 0)
    column = len(text.strip().encode()[:column].decode(errors="ignore")) + 1
    return _at(column, message, hint)


def _at(column: int, message: str, hint: str = "") -> CommandError:
    """Return an error with its place, which notes tell as one of their file."""
    return CommandError(f"{message} (column {column})", hint)


def _whole_numbers(tree: ast.expr) -> tuple[int, ...] | None:
    parts = tree.elts if isinstance(tree, ast.Tuple) else [tree]
    numbers: list[int] = []
    for part in parts:
        try:
            number = ast.literal_eval(part)
        except (ValueError, TypeError):
            return None
        if type(number) is not int:
            return None
        numbers.append(number)
    return tuple(numbers)


def _within(
    text: str, tree: ast.AST, index: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[int, ...]:
    if len(index) != len(shape):
        raise _wrong(
            text,
            tree,
            f"{counted(len(index), 'index', 'indices')} for an array of shape {shape}",
        )
    for number, size in zip(index, shape, strict=True):
        if not -size <= number < size:
            raise _wrong(
                text,
                tree,
                f"index {number} is outside of {shape}",
                f"{-size} … {size - 1} are allowed there" if size else "it is empty",
            )
    return tuple(n % size for n, size in zip(index, shape, strict=True))


# ------------------------------------------------------------------- evaluation

_UNARY: Final[Mapping[type[ast.AST], Callable[[Any], Any]]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: lambda value: not truth(value),
}


def power(base: Any, exponent: Any) -> Any:
    """Return a power. NumPy's integers overflow silently, and refuse 2 ** -1."""
    if np.asarray(base).dtype.kind in "iu" and np.asarray(exponent).dtype.kind in "iu":
        result = np.float_power(base, exponent)
        exact = np.all(np.abs(result) < 2**53) and np.all(np.asarray(exponent) >= 0)
        return result.astype(np.int64) if exact else result
    return np.power(base, exponent)


_BINARY: Final[Mapping[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: power,
    ast.MatMult: np.matmul,
    ast.Mod: np.remainder,
    ast.FloorDiv: np.floor_divide,
}
# Of one number after the other, or of many at once: the result is the same.
_EXACT: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div)
_NO_BYTES: Final = np.dtype([])
# What NumPy, or an operation, says of numbers that do not fit.
_MISFITS: Final = (ValueError, TypeError, LookupError, ArithmeticError, MemoryError)
_GRAMMAR: Final = "help EXPR shows what can be written"
# What people call a gradient, beside the name of its node.
_GRADIENTS: Final = tuple(
    re.compile(pattern)
    for pattern in (r"d(.+)", r"d\w+_d(.+)", r"grad_(.+)", r"g_(.+)", r"(.+?)_?grad")
)
# Other names of what a session knows.
_SAID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "loss": "the output is {output}",
        "output": "the output is {output}",
        "epoch": "write iteration",
        "step": "write position, or iteration",
        "lr": "write W.learning_rate, of a parameter W",
    }
)
_ASKED: Final = ("value", "grad", "shape", "op", "T")  # of a node


def _update(state: State, node: int) -> UpdateStep:
    """Return the update of a parameter in this iteration."""
    trace = state.trace
    if trace.iteration is None:
        raise CommandError("nothing is trained here", "the scenario has no [training]")
    try:
        return trace.update(node)
    except ValueError as error:
        raise CommandError(f"{trace.run.graph.nodes[node].name}: {error}") from None


def _trained(read: _Trained, state: State) -> Value:
    """Return the learning rate of a parameter, or what its optimiser remembers."""
    step, trace = _update(state, read.node), state.trace
    if read.asked == "learning_rate":
        return _same_everywhere(step.rate)
    kept = step.after if trace.is_updated(read.node, state.position) else step.before
    if read.asked not in kept and trace.iteration is not None:
        name = trace.iteration.optimizer.name
        what = f"{name} keeps no {read.asked}"
        raise CommandError(what, f"it keeps {', '.join(kept) or 'nothing'}")
    return kept[read.asked]


def _same_everywhere(rate: Array) -> Value:
    """Return one number for an array that is the same everywhere."""
    numbers = np.unique(rate)
    return numbers[0] if numbers.size == 1 else rate


def _setting(name: str, state: State) -> float:
    """Return a setting of the optimiser."""
    settings = _of_training(state)[0].settings
    if name not in settings:
        what = f"this optimiser has no {name}"
        raise CommandError(what, f"it has {', '.join(('learning_rate', *settings))}")
    return settings[name]


def _rate(state: State) -> float:
    """Return the learning rate that all parameters have."""
    steps = _of_training(state)
    rates = np.unique(np.concatenate([np.unique(step.rate) for step in steps]))
    if rates.size > 1:
        what = "the parameters have learning rates of their own"
        raise CommandError(what, f"ask for one: {steps[0].name}.learning_rate")
    return float(rates[0])


def _of_training(state: State) -> list[UpdateStep]:
    nodes = state.trace.updates
    if not nodes:
        raise CommandError("nothing is trained here", "no parameter is updated")
    return [_update(state, node) for node in nodes]


@cache
def _names_of_training() -> frozenset[str]:
    """Return what a training keeps of a parameter."""
    states = (one.state for one in _optimizers().values())
    return frozenset({"learning_rate", *chain.from_iterable(states)})


@cache
def _facts() -> Mapping[str, Callable[[State], Any]]:
    """Return what is known of a session without a place, by its name."""
    settings = chain.from_iterable(one.settings for one in _optimizers().values())
    return {
        **{name: partial(_setting, name) for name in settings},
        "learning_rate": _rate,
        "iteration": lambda state: state.iteration,
        "position": lambda state: state.position,
        "hits": lambda state: state.hits.get(0, 0),
        "nan": lambda _: np.nan,
        "inf": lambda _: np.inf,
        "pi": lambda _: np.pi,
    }


def _optimizers() -> Mapping[str, Optimizer]:
    from ..ops.optimizers import (  # noqa: PLC0415  # 1 ms, only of expressions
        OPTIMIZERS,
    )

    return OPTIMIZERS


def _close(a: Any, b: Any, *, rtol: float, atol: float) -> bool:
    """Tell whether all of `a` is within rtol · |b| + atol of `b`; NaN equals NaN."""
    return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True))


class Function(NamedTuple):
    """A function that only expressions know, laid out as an operation is."""

    operands: tuple[str, ...]  # names of the arguments that are computed with
    make: Callable[..., Any]  # takes operands by place, parameters by name
    parameters: tuple[Parameter, ...] = ()  # fixed arguments, with defaults


_ALONG: Final = (
    Parameter("axis", checks.axes, None),
    Parameter("keepdims", checks.flag, default=False),
)


def _reduced(reduce: Callable[..., Any]) -> Function:
    """Return the row of a reduction: over all, or along axes as NumPy has them."""

    def along(x: Any, *, axis: Any, keepdims: bool) -> Any:
        made = reduce(x, axis=axis, keepdims=keepdims)
        return made if np.ndim(made) else bool(made)

    return Function(("x",), along, _ALONG)


def _place(find: Callable[..., Any]) -> Function:
    """Return the row of what finds a place: its index, or those along an axis."""

    def place(x: Array, *, axis: Any, keepdims: bool) -> Any:
        if axis is None and not keepdims:
            return index_of(find(x), x.shape)
        return find(x, axis=axis, keepdims=keepdims)

    axis = Parameter("axis", checks.axis, None)
    return Function(("x",), place, (axis, *_ALONG[1:]))


# What an expression knows beside the operations of a program.
FUNCTIONS: Final[Mapping[str, Function]] = {
    "argmax": _place(np.argmax),
    "argmin": _place(np.argmin),
    "isnan": Function(("x",), np.isnan),
    "isinf": Function(("x",), np.isinf),
    "isfinite": Function(("x",), np.isfinite),
    "any": _reduced(np.any),
    "all": _reduced(np.all),
    "close": Function(
        ("a", "b"),
        _close,
        (
            Parameter("rtol", checks.non_negative, 1e-9),
            Parameter("atol", checks.non_negative, 0.0),
        ),
    ),
    # A stop's count, which the state knows; `_call` looks it up.
    "hits": Function((), int, (Parameter("number", checks.count, 0),)),
}


# All that can be called, in the order in which it is looked up.
_KNOWN: Final = (*FUNCTIONS, *OPS, *ALIASES, *CONSTRUCTORS, *RECIPES)


def _checked(tree: ast.expr, state: State) -> Any:
    """Evaluate, and say what does not fit as a `CommandError`."""
    state.budget.take((), STEP)
    state.budget.elements = 0
    try:
        with np.errstate(all="ignore"):
            return _settled(_evaluate(tree, state))
    except Fault as fault:
        raise CommandError(fault.message, fault.hint) from None
    except _MISFITS as error:
        raise CommandError(clean(str(error)) or "too large") from None


def _settled(value: Any) -> Any:
    """Return a list as an array; a tuple stays one where it is a shape or an index."""
    if not (value is None or value is ... or isinstance(value, (list, tuple))):
        return value
    parts = cast("Sequence[Any] | None", value)
    is_index = isinstance(parts, tuple) and all(type(part) is int for part in parts)
    return parts if is_index else _operand(parts)


def _evaluate(tree: ast.expr, state: State) -> Any:
    match tree:
        case _Read() | _Trained():
            return _look_up(tree, state)
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _facts()[name](state)
        case ast.Attribute(value=inner, attr=attribute):
            array = np.asarray(_evaluate(inner, state))
            return array.T if attribute == "T" else array.shape
        case ast.UnaryOp(op=op, operand=operand):
            value = _evaluate(operand, state)
            state.budget.take((_size(value),))
            return _UNARY[type(op)](value)
        case _Infix(left=left, right=right):
            left, right = _evaluate(left, state), _evaluate(right, state)
            return _infix(tree, left, right, state.budget)
        case ast.BoolOp(op=op, values=values):
            stop = isinstance(op, ast.Or)
            result = not stop
            for value in values:
                result = truth(_evaluate(value, state))
                if result is stop:
                    break
            return result
        case ast.Compare():
            return _compare(tree, state)
        case ast.Subscript(value=value, slice=index):
            value, index = _evaluate(value, state), _evaluate(index, state)
            return _pick(value, index, state.budget)
        case ast.Slice(lower=lower, upper=upper, step=step):
            parts = (lower, upper, step)
            return slice(*(p if p is None else _evaluate(p, state) for p in parts))
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            values = [_evaluate(part, state) for part in parts]
            state.budget.take((_size(values),))  # as an array, sooner or later
            return tuple(values) if isinstance(tree, ast.Tuple) else values
        case _Call():
            return _call(tree, state)
        case _:
            raise AssertionError(tree)


def _along(tree: ast.expr, read: Mapping[tuple[int, Quantity], Array]) -> Any:
    """Return at once what `_evaluate` returns at each of several moments, or None."""
    match tree:
        case _Read(node=node, quantity=quantity):
            return read.get((node, quantity))
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BoolOp(values=values):
            return _along_and_or(tree, [_along(value, read) for value in values])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            parts, rule = [operand], np.negative
        case _Infix(left=left, op=op, right=right) if type(op) in _EXACT:
            parts, rule = [left, right], _BINARY[type(op)]
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            parts, rule = [left, right], OPERATORS[type(op)]
        case _Call(name="abs" | "isnan" | "isinf" | "isfinite" as name, args=[one]):
            parts, rule = [one, *tree.keywords.values()], getattr(np, name)
        case _:
            return None
    found = [_along(part, read) for part in parts]
    return None if any(one is None for one in found) else rule(*map(np.asarray, found))


def _along_and_or(tree: ast.BoolOp, found: list[Any]) -> Array | None:
    """Return where all, or one, are true: of `and`, those before the first unknown."""
    is_and = isinstance(tree.op, ast.And)
    known = [*takewhile(lambda one: one is not None, found)]
    if not known or not (is_and or len(known) == len(found)):
        return None
    rule = np.logical_and if is_and else np.logical_or
    return reduce(rule, known)


def _size(value: Any) -> int:
    """Return how many elements a value has; nothing is made of it for that."""
    if isinstance(value, (list, tuple)):
        return sum(map(_size, cast("Sequence[Any]", value)))
    return getattr(value, "size", 1)


def _infix(tree: _Infix, left: Any, right: Any, budget: Budget) -> Any:
    rule = _BINARY[type(tree.op)]
    try:
        shapes = np.shape(left), np.shape(right)
        if rule is np.matmul:
            _take(OPS["matmul"], shapes, {}, budget)
        else:
            budget.take(broadcast_shape(*shapes))
        return rule(left, right)
    except _MISFITS as error:
        texts = [tree.written(one) for one in (tree.left, tree.right)]
        operands = [_operand(one) for one in (left, right)]
        whole = tree.written(tree)
        raise _misfit(rule.__name__, texts, operands, error, whole) from None


def _pick(value: Any, index: Any, budget: Budget) -> Any:
    """Return an element or a part of an array, or one of several values."""
    if type(value) is tuple and type(index) is int:
        return cast("tuple[Any, ...]", value)[index]
    array: Array = np.asarray(cast("Value", value))
    # An array without bytes tells the shape, and takes no memory for it.
    budget.take(np.shape(np.empty(array.shape, _NO_BYTES)[index]))
    return array[index]


def _look_up(read: _Read | _Trained, state: State) -> Value:
    return _read(read, state) if isinstance(read, _Read) else _trained(read, state)


def _is_there(read: _Read, state: State) -> bool:
    """Tell whether a quantity is there yet, without any arithmetic."""
    if read.quantity == "value":
        return state.trace.value(read.node, state.position) is not None
    return any(event < state.position for event in state.trace.arrivals(read.node)[:1])


def _read(read: _Read, state: State) -> Array:
    trace, node = state.trace, read.node
    if read.quantity == "value":
        value = trace.value(node, state.position)
        if value is None:
            raise NotYetError(f"{read.name} is not computed yet at this position")
        return value
    gradient = trace.gradient(node, state.position)
    if gradient is not None:
        return gradient
    if not trace.run.arrives(node):
        raise CommandError(
            f"{read.name} has no gradient", f"why {read.name}.grad says why"
        )
    raise NotYetError(f"no gradient has reached {read.name} yet at this position")


def _compare(tree: ast.Compare, state: State) -> Any:
    left = _evaluate(tree.left, state)
    result: Any = True
    for op, other in zip(tree.ops, tree.comparators, strict=True):
        right = _evaluate(other, state)
        compare = OPERATORS[type(op)]
        if not {type(left), type(right)} & {str, tuple}:
            left, right = np.asarray(left), np.asarray(right)
            state.budget.take(broadcast_shape(left.shape, right.shape))
        one = compare(left, right)
        result = one if result is True else np.logical_and(result, one)
        left = right
    return result


def _call(call: _Call, state: State) -> Any:
    name, budget = call.name, state.budget
    op = find(name)
    placed = None if op is None else place_of(op, call.args, call.keywords)
    if op is not None and placed is not None:
        return _put(op, placed, call, state)
    args = [_evaluate(one, state) for one in call.args]
    keywords = {key: _evaluate(one, state) for key, one in call.keywords.items()}
    if name in FUNCTIONS:
        known = FUNCTIONS[name]
        operands, attributes = bind_function(
            name, known.operands, known.parameters, args, keywords, _fixed
        )
        if name == "hits":
            return state.hits.get(attributes["number"], 0)
        arrays = [_operand(one) for one in operands]
        met = math.prod(broadcast_shape(*map(np.shape, arrays)))
        budget.take((), met, met)
        result = known.make(*arrays, **attributes)
        budget.elements += _size(result)
        return result
    if name in CONSTRUCTORS:
        attributes, shape = bind_constructor(name, args, keywords, _fixed)
        budget.take(shape)
        return CONSTRUCTORS[name].make(np.float64, **attributes)
    if name in RECIPES:
        return _follow(call, args, keywords, budget)
    if op is None:
        raise AssertionError(call)
    return _operate(op, call, args, keywords, budget)


def _put(op: Op, placed: Put, call: _Call, state: State) -> Value:
    """Call an operation that puts a value in a place."""
    whole, index, value = (_evaluate(one, state) for one in placed)
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
    operands = [_operand(one) for one in given]
    try:
        return _result(op, operands, attributes, state.budget)
    except _MISFITS as error:
        texts = [described(one) for one in given]
        raise _misfit(op.name, texts, operands, error, call.text) from None


def _fixed(value: Any) -> Any:
    """Return a computed number as the plain one that a fixed argument has to be."""
    if isinstance(value, (tuple, list)):
        return tuple(_fixed(part) for part in cast("Sequence[Any]", value))
    array = np.asarray(value)
    return array.item() if array.ndim == 0 and array.dtype.kind in "fiub" else value


def _operand(value: Any) -> Array:
    """Return a number, an array, or a list of numbers as an array."""
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
    op: Op, call: _Call, args: list[Any], keywords: dict[str, Any], budget: Budget
) -> Value | tuple[Array, ...]:
    """Call an operation of the program language with numbers."""
    given, attributes = bind_operation(op, args, keywords, _fixed)
    if op.kind == "elementwise" and all(map(is_number, given)):
        return fold_call(op, given, attributes)
    operands = [_operand(one) for one in given]
    try:
        if op.parts is None:
            return _result(op, operands, attributes, budget)
        parts = parts_of(op, attributes, budget.limits)
        return tuple(_result(op, operands, part, budget) for part in parts)
    except _MISFITS as error:
        texts = _texts(call, args, keywords)
        typed = [texts.get(id(one), described(one)) for one in given]
        raise _misfit(op.name, typed, operands, error, call.text) from None


def _misfit(
    op: str, texts: Sequence[str], operands: Sequence[Any], error: Exception, typed: str
) -> Fault:
    """Return the mistake of operands, as they are typed, that do not fit."""
    words, hint = unfit_words(error, operands)
    shapes = list(zip(texts, map(np.shape, operands), strict=True))
    message = misfit_text(op, shapes, words.removeprefix(f"{op}: "))
    return Fault(message, hint or f"the expression: {typed}")


def _texts(
    call: _Call, args: Sequence[Any], keywords: Mapping[str, Any]
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
    _take(op, [np.shape(one) for one in operands], attributes, budget)
    return op.forward(*operands, **attributes)


def _take(
    op: Op, shapes: Sequence[Shape], attributes: Attributes, budget: Budget
) -> None:
    """Take what an operation needs from the budget, or raise `CommandError`."""
    shape = op.shape(*shapes, **attributes)
    cost = op.cost(*shapes, **attributes) if op.cost else Cost()
    budget.take(shape, cost.effort + sum(map(math.prod, shapes)), cost.room)


def _follow(
    call: _Call, args: Sequence[Any], keywords: Mapping[str, Any], budget: Budget
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
        leaves[name] = Leaf("input", _operand(value), called)
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
