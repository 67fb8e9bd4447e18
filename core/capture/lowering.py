"""Calls of a framework, written in the language of programs, become nodes.

A front end says how a call is spelled, `input @ weight.T + bias`, and what the names in
it are. It is read as a line of a program is, so that shapes are checked, parts are
numbered, and recipes of the prelude are frames that can be stepped into.
"""

from __future__ import annotations

import ast
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from ..base.limits import LIMITS
from ..program.build import RECIPES
from ..program.expressions import READERS
from ..program.statements import Reading, Scope
from ..program.static import POISON, Bound, Ref, is_number, items
from ..program.syntax import Module, Scanned
from ..program.unroll import reach_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine.graph import Site
    from ..ops.table import Array, Op, Shape

_ENDLESS: Final = 2**62  # what ran once has a size already
_LIMITS: Final = LIMITS._replace(
    nodes=_ENDLESS,
    steps=_ENDLESS,
    idle=_ENDLESS,
    elements=_ENDLESS,
    elements_per_array=_ENDLESS,
    work=_ENDLESS,
    parts=_ENDLESS,
)
_NOWHERE: Final = Scanned("program", "", ("",), MappingProxyType({}))


class Unspelled(Exception):
    """What is written for a call is not in the language, and why."""


class Lowering(Reading):
    """A graph that grows by one call at a time."""

    def __init__(self, dtype: type[np.floating[Any]]) -> None:
        """Begin with an empty graph, whose constants are of a kind of numbers."""
        module = Module(_NOWHERE, (), ())
        super().__init__({}, (), READERS, module, RECIPES, dtype, _LIMITS)
        self.here: Site | None = None  # of the call that is being read
        self._outer = self.scope

    def site(self, node: ast.expr) -> Site:
        """Return where an expression stands: of a call, where the user wrote it."""
        if self.scope is self._outer and self.here is not None:
            return self.here
        return super().site(node)

    def as_node(self, value: Bound, node: ast.expr | None) -> int:
        """Return the node behind a value; numbers become constants."""
        if self.scope is self._outer and is_number(value):
            return self.literal(value, repr(value))
        return super().as_node(value, node)

    def leaf(self, name: str, kind: Any, array: Any, site: Site | None) -> int:
        """Add a leaf with its value."""
        index = self.builder.leaf(name, kind, np.shape(array), site)
        self.leaves[index] = array
        return index

    def lower(
        self,
        text: str,
        bound: Mapping[str, Bound],
        name: str,
        scope: tuple[int, int, int],
        site: Site,
        shapes: list[Shape],
        *,
        is_root: bool,
    ) -> list[int]:
        """Add the nodes of a call, and return those of its results.

        `scope` is the number of the frame that it stands in, how deep that is, and the
        number of the statement; `shapes` are those of the results. The result is called
        `name`, or is a numbered part of it. Raises `Unspelled`, and has added nothing
        then.
        """
        before = reach_of(self)
        frame, depth, statement = scope
        parsed = _parsed(text)
        self.here = site
        self._outer = self.scope = Scope(
            frame, "", None, parsed.source, {}, {}, {}, None, None, depth
        )
        self.scope.statement, self.scope.target, self.scope.text = statement, name, text
        value = self._valued(parsed, bound, is_root=is_root)
        words = "; ".join(problem.message for problem in self.problems)
        self.problems.clear()
        self.reported.clear()
        if value is POISON or words:
            self._cut(before)
            raise Unspelled(words or "it cannot be written")
        found = items(value)
        made = [
            self.as_node(one, None) for one in ([value] if found is None else found)
        ]
        rows = self.builder.nodes.rows
        pairs = zip(made, shapes, strict=False)
        if any(rows[index][6] != shape for index, shape in pairs):
            self._cut(before)
            raise Unspelled("its result has another shape here")
        return made

    def _valued(
        self, parsed: _Parsed, bound: Mapping[str, Bound], *, is_root: bool
    ) -> Bound:
        """Return what the text of a call gives."""
        lines, root, _, used = parsed
        self.scope.root = None
        self.scope.values = {name: self._given(bound[name]) for name in used & {*bound}}
        for targets, line in lines:
            self._assign(targets, self.expression(line))
        self.scope.root = root if is_root else None
        return self.expression(root)

    def _assign(self, targets: tuple[str, ...], value: Bound) -> None:
        held = [value] if len(targets) == 1 else items(value) or [POISON] * len(targets)
        self.scope.values.update(zip(targets, held, strict=False))

    def opaque(
        self, op: Op, operands: list[int], name: str, site: Site, shape: Shape
    ) -> int:
        """Add a result of which nobody knows how it was computed."""
        return self.builder.apply(
            op, tuple(operands), name=name, site=site, shape=shape
        )

    def part(self, target: str) -> str:
        """Return the name of the next part of a line."""
        number = self.unnamed[target] = self.unnamed.get(target, 0) + 1
        return f"{target}._{number}"

    def name(self, index: int, name: str, first: int) -> None:
        """Give a node made since `first` its name; an older one gets an alias."""
        self.name_node(Ref(index), name, first)

    def _given(self, value: Bound) -> Bound:
        """Return what a name of a call is; an array becomes a constant."""
        if isinstance(value, (np.ndarray, np.generic)):
            return self.constant(cast("Array | np.generic", value))
        return value

    def constant(self, array: Array | np.generic) -> Ref:
        """Return an array that the call itself brings along, as a node."""
        if isinstance(array, np.generic):
            return Ref(self.literal(array, f"{array.dtype}_one"))  # pyright: ignore[reportArgumentType]
        name = self.part(self.scope.target)
        return Ref(self.leaf(name, "constant", array, self.here))

    def _cut(self, reach: Any) -> None:
        """Take away what was added since then."""
        nodes = reach.nodes
        self.builder.cut(nodes)
        del self.frames[reach.frames :]
        del self.statements[reach.statements :]
        del self.aliases[reach.aliases :]
        self.literals = {k: n for k, n in self.literals.items() if n < nodes}
        self.leaves = {n: one for n, one in self.leaves.items() if n < nodes}
        self.known = {n: one for n, one in self.known.items() if n < nodes}
        self.blocks = {k: b for k, b in self.blocks.items() if b.nodes.stop <= nodes}


class _Parsed(NamedTuple):
    """A text that a call is written as."""

    lines: list[tuple[tuple[str, ...], ast.expr]]  # what is assigned before
    root: ast.expr  # the result
    source: Scanned  # the text itself
    used: frozenset[str]  # the names that stand in it


@cache
def _parsed(text: str) -> _Parsed:
    source = Scanned("program", text, tuple(text.split("\n")), MappingProxyType({}))
    tree: Any = ast.parse(text)
    *before, last = tree.body
    lines = [(_targets(one.targets[0]), one.value) for one in before]
    names = (one.id for one in ast.walk(tree) if isinstance(one, ast.Name))
    return _Parsed(lines, last.value, source, frozenset(names))


def _targets(target: Any) -> tuple[str, ...]:
    if isinstance(target, ast.Name):
        return (target.id,)
    return tuple(one.id for one in target.elts)
