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

    node: int  # its number
    quantity: Quantity  # its value or its gradient
    name: str  # of the node


@dataclass(eq=False)
class Trained(ast.expr):
    """Something that a training knows of a parameter."""

    node: int  # the number of the parameter
    asked: str  # "learning_rate", or a name of the optimiser's state


@dataclass(eq=False)
class Infix(ast.expr):
    """Two operands, and the sign between them; `written` tells how each is typed."""

    left: ast.expr  # the first operand, resolved
    op: ast.operator  # what the sign means
    right: ast.expr  # the second operand, resolved
    written: Callable[[ast.expr], str]  # the text of a part of the expression


@dataclass(eq=False)
class Call(ast.expr):
    """A call of a known function. Its text, and those of its arguments, are as typed.

    `texts` holds the elements of lists as well.
    """

    name: str  # of the function
    args: list[ast.expr]  # those without a name, resolved
    keywords: dict[str, ast.expr]  # the others, by their names
    text: str  # the whole call
    texts: Mapping[ast.expr, str]  # of each argument
