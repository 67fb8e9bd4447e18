"""The names of an expression, each replaced by what it means."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from ..base.text import clean, nearest
from ..program.elsewhere import asked_of, number_named, way_out, written
from .functions import KNOWN
from .spelling import offset, wrong
from .state import facts, names_of_training
from .trees import Call, Infix, Read, Trained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..engine.element import Quantity
    from ..engine.graph import Graph


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


@dataclass
class Resolver(ast.NodeTransformer):
    """Replaces names by what they mean."""

    text: str  # as Python reads it
    typed: str  # as somebody wrote it, with as many characters
    graph: Graph  # whose nodes names stand for
    names: Mapping[str, str]  # the literature's, and words for them, to gradients
    nodes: Mapping[str, int]  # what words stand for that are no names of the graph
    # the quantities that names stood for so far
    reads: set[tuple[int, Quantity]] = field(default_factory=set[Any])
    # what all names stood for, in their order
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
        call = Call(name, given, named, self._written(node), texts)
        return ast.copy_location(call, node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Resolve both operands."""
        left, right = self.visit(node.left), self.visit(node.right)
        return ast.copy_location(Infix(left, node.op, right, self._written), node)

    def _function(self, call: ast.Call, name: str) -> None:
        if name not in KNOWN:
            hint = way_out(name, KNOWN, given=written(call), console=True)
            hint = hint or _GRAMMAR
            raise wrong(self.text, call, f"there is no function {name!r}", hint)

    def _written(self, tree: ast.expr) -> str:
        """Return a part of the expression as it was typed."""
        start = offset(self.text, tree.lineno, tree.col_offset)
        stop = offset(self.text, tree.end_lineno, tree.end_col_offset)
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
        raise wrong(
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
        if len(parts) == 1 and parts[0] in facts():
            self.asked.append(tree)
            return tree
        whole, stem = ".".join(parts), [*parts]
        while len(stem) > 1 and stem[-1] in _ASKED:
            stem.pop()
        known = [*self.graph.names, *self.names, *facts()]
        hint = self._meant(parts) or nearest(".".join(stem), known) or _GRAMMAR
        raise wrong(self.text, tree, f"nothing is called {whole!r}", hint)

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
            len(rest) == 1 and rest[0] in names_of_training() and quantity == "value"
        )
        if of_training and node.kind == "parameter":
            self.asked.append(ast.copy_location(Trained(index, rest[0]), tree))
            return self.asked[-1]
        read = ast.copy_location(Read(index, quantity, node.name), tree)
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
            raise wrong(self.text, tree, f"{node.name} has no {rest[0]!r}", hint)
        return read
