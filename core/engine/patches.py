"""Deliberate changes of a run, and what they write over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ..ops.table import Rule, Value


class Write(NamedTuple):
    """A gradient that a patch wrote over, at the end of event (consumer, argument).

    The seed's event is (output, −1).
    """

    consumer: int
    argument: int
    node: int
    before: Value
    value: Value


@dataclass(frozen=True, slots=True)
class Patches:
    """Deliberate changes of a run. An edge is (consumer, argument number)."""

    values: Mapping[int, Value] = field(default_factory=dict[int, Value])
    gradients: Mapping[int, Value] = field(default_factory=dict[int, Value])
    cuts: frozenset[tuple[int, int]] = frozenset()
    rules: Mapping[tuple[int, int], Rule] = field(
        default_factory=dict[tuple[int, int], Rule]
    )
    overwrites: frozenset[tuple[int, int]] = frozenset()  # `=` where `+=` is right
    # The product is written into the upstream array, where that has its shape.
    in_place: frozenset[tuple[int, int]] = frozenset()

    def __bool__(self) -> bool:
        return bool(
            self.values
            or self.gradients
            or self.cuts
            or self.rules
            or self.overwrites
            or self.in_place
        )

    @property
    def bend_the_chain_rule(self) -> bool:
        """Tell whether gradients are others than those of a graph, with edges cut."""
        return bool(self.gradients or self.rules or self.overwrites or self.in_place)


NO_PATCHES: Final = Patches()
