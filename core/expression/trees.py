"""What a checked expression is made of, beside Python's own syntax nodes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..engine.element import Quantity


@dataclass(eq=False)
class Read(ast.expr):
    """A resolved name: a quantity of a node. It has no place in Python's grammar."""

    node: int
    quantity: Quantity
    name: str


@dataclass(eq=False)
class Trained(ast.expr):
    """Something that a training knows of a parameter."""

    node: int
    asked: str  # "learning_rate", or a name of the optimiser's state


@dataclass(eq=False)
class Infix(ast.expr):
    """Two operands, and the sign between them; `written` tells how each is typed."""

    left: ast.expr
    op: ast.operator
    right: ast.expr
    written: Callable[[ast.expr], str]


@dataclass(eq=False)
class Call(ast.expr):
    """A call of a known function. Its text, and those of its arguments, are as typed.

    `texts` holds the elements of lists as well.
    """

    name: str
    args: list[ast.expr]
    keywords: dict[str, ast.expr]
    text: str
    texts: Mapping[ast.expr, str]
