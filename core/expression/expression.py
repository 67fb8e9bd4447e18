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
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..base.errors import NotYetError
from ..base.limits import LIMITS, Limits
from ..base.text import counted
from ..engine.element import Element, Quantity
from .calls import MISFITS
from .evaluate import checked_value, evaluate, truth
from .moments import along
from .resolver import Resolver
from .spelling import of_captures, spelled, syntax, unquoted, wrong
from .state import State, is_there
from .trees import Call, Read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine.graph import Graph
    from ..ops.table import Array


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
        return checked_value(self.tree, state)

    def sides(self, state: State) -> tuple[Any, Any] | None:
        """Return both sides of a comparison or of `close(…)`; None for the rest."""
        match self.tree:
            case ast.Compare(left=left, comparators=[right]):
                pass
            case Call(name="close", args=[left, right, *_]):
                pass
            case _:
                return None
        return checked_value(left, state), checked_value(right, state)

    def must_exist(self, end: State) -> None:
        """Raise `CommandError` where a name means nothing in this run, up to its end.

        That is a gradient that nobody gets, or what its optimiser does not keep.
        """
        for one in self.asked:
            if not isinstance(one, Read) or one.quantity == "grad":
                evaluate(one, end)

    def unknown(self, state: State) -> tuple[str, ...]:
        """Return the names of the quantities that are not there yet."""
        found: dict[str, None] = {}
        for one in self.asked:
            if isinstance(one, Read) and not is_there(one, state):
                found[one.name + ".grad" * (one.quantity == "grad")] = None
        return tuple(found)

    @property
    def is_name(self) -> bool:
        """Whether it is a value or a gradient as it is, which always fits."""
        return isinstance(self.tree, Read)

    @property
    def follows_time(self) -> bool:
        """Whether each event changes what it asks for: the position is one more."""
        return any(
            isinstance(one, ast.Name) and one.id == "position" for one in self.asked
        )

    def may_hold(self, read: Mapping[tuple[int, Quantity], Array]) -> Array | None:
        """Tell at which of several moments it may be true, from what is read at each.

        `read` holds one number for each moment, or one for all of them. None is for an
        expression that has to be asked moment by moment: here all is compared at once,
        and only by rules that do not round in one way alone and in another in a row.
        """
        with np.errstate(all="ignore"):
            try:
                found = along(self.tree, read)
            except MISFITS:
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
    with_words, words = spelled(unquoted(text, graph), names)
    with_words, nodes = of_captures(with_words, graph)
    tree = syntax(text, with_words, limits)
    resolver = Resolver(with_words, text.strip(), graph, {**names, **words}, nodes)
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
            raise wrong(text, tree, "an element needs whole numbers as its index")
    if not isinstance(tree, Read):
        raise wrong(
            text, tree, "this is not an element", "write NODE[i, j] or NODE.grad[i, j]"
        )
    shape = graph.nodes[tree.node].shape
    if index is not None:
        index = _within(text, tree, index, shape)
    return Element(tree.node, tree.quantity, () if shape == () else index)


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
        raise wrong(
            text,
            tree,
            f"{counted(len(index), 'index', 'indices')} for an array of shape {shape}",
        )
    for number, size in zip(index, shape, strict=True):
        if not -size <= number < size:
            raise wrong(
                text,
                tree,
                f"index {number} is outside of {shape}",
                f"{-size} … {size - 1} are allowed there" if size else "it is empty",
            )
    return tuple(n % size for n, size in zip(index, shape, strict=True))
