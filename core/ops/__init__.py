"""The operations: one table, joined from its families."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from . import elementwise, linalg, nn, reduce, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .table import Op

_ROWS: Final[tuple[Op, ...]] = (
    *elementwise.ROWS,
    *reduce.ROWS,
    *linalg.ROWS,
    *shape.ROWS,
    *nn.ROWS,
)

OPS: Final[Mapping[str, Op]] = MappingProxyType({op.name: op for op in _ROWS})
ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {alias: op.name for op in _ROWS for alias in op.aliases}
)


def find(name: str) -> Op | None:
    """Return the operation called `name`, by its name or an alias, or nothing.

    >>> find("amax") is find("max")
    True
    """
    return OPS.get(ALIASES.get(name, name))
