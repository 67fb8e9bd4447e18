# pyright: basic
"""Numbers of a script that have a gradient by name: apple = 100, beside dapple."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

from .conventions import whose

if TYPE_CHECKING:
    from types import CodeType

NUMBER: Final = "__gradstep_number__"  # the function that a script finds its numbers by


def compiled(text: bytes, name: str) -> CodeType:
    """Return the code of a script, whose numbers with a gradient are watched.

    A number is a gradient's where one of the script's names is called after it. Raises
    `SyntaxError` and `ValueError` as `compile` does.
    """
    tree: Any = compile(text, name, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    stored = (ast.Name, ast.Attribute)
    names = {
        getattr(one, "id", getattr(one, "attr", ""))
        for one in ast.walk(tree)
        if isinstance(one, stored)
    }
    wanted = {word for one in names for word in whose(one)} & names
    if wanted:
        _Numbers(wanted).visit(tree)
    return compile(tree, name, "exec", dont_inherit=True)


class _Numbers(ast.NodeTransformer):
    def __init__(self, wanted: set[str]) -> None:
        self._wanted = wanted

    def visit_Assign(self, node: ast.Assign) -> Any:  # ast's name
        target = node.targets[0]
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
            values = [self._given(*pair) for pair in pairs]
            if len(values) == len(node.value.elts):
                node.value.elts = values
            return node
        node.value = self._given(*pairs[0])
        return node

    def _given(self, target: Any, value: Any) -> Any:
        if not isinstance(target, ast.Name) or target.id not in self._wanted:
            return value
        inner = value.operand if isinstance(value, ast.UnaryOp) else value
        if not isinstance(inner, ast.Constant) or type(inner.value) not in (int, float):
            return value
        name = ast.copy_location(ast.Name(NUMBER, ast.Load()), value)
        hint = ast.copy_location(ast.Constant(target.id), value)
        return ast.copy_location(ast.Call(name, [value, hint], []), value)
