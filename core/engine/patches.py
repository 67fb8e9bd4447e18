"""Deliberate changes of a run, and what they write over."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..ops.table import Rule, Value


class Write(NamedTuple):
    """A gradient that a patch wrote over, at the end of event (consumer, argument).

    The seed's event is (output, −1).
    """

    consumer: int  # a node number; with `argument`, the edge
    argument: int  # the operand's number; −1 for the seed
    node: int  # whose gradient was written over
    before: Value  # the gradient as it had been accumulated
    value: Value  # what took its place, of the same shape


class Patches(NamedTuple):
    """Deliberate changes of a run. An edge is (consumer, argument number)."""

    # of nodes, by number: what stands in place of the computed one
    values: Mapping[int, Value] = MappingProxyType({})
    # of nodes, by number: what a complete gradient is set to
    gradients: Mapping[int, Value] = MappingProxyType({})
    cuts: frozenset[tuple[int, int]] = frozenset()  # edges that carry no contribution
    # by edge: a vjp that is used in place of the operation's own
    rules: Mapping[tuple[int, int], Rule] = MappingProxyType({})
    overwrites: frozenset[tuple[int, int]] = frozenset()  # `=` where `+=` is right
    # The product is written into the upstream array, where that has its shape.
    in_place: frozenset[tuple[int, int]] = frozenset()
    hidden: bool = False  # a person looks for the mistake: nothing names it

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
        """Tell whether the chain rule is broken; cut edges and set values do not."""
        return bool(self.gradients or self.rules or self.overwrites or self.in_place)


NO_PATCHES: Final = Patches()
