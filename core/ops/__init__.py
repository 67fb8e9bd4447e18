"""The operations: one table, joined from its families."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from . import elementwise, inverses, linalg, nn, reduce, shape
from .table.wide import half, half_result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .table import Op


def _for_halves(op: Op) -> Op:
    """Return a row that computes in float32 what is float16, where it computes."""
    if op.once or op.kind in ("move", "contract"):
        return op
    rules = {
        name: tuple(rule and half(rule) for rule in rules)
        for name, rules in (("vjps", op.vjps), ("jvps", op.jvps))
    }
    slopes = {
        name: rule and half(rule)
        for name, rule in (("slope", op.slope), ("shared", op.shared))
    }
    return replace(op, forward=half_result(op.forward), **rules, **slopes)


_ROWS: Final[tuple[Op, ...]] = tuple(
    map(
        _for_halves,
        (
            *elementwise.ROWS,
            *reduce.ROWS,
            *linalg.ROWS,
            *inverses.ROWS,
            *shape.ROWS,
            *nn.ROWS,
        ),
    )
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
