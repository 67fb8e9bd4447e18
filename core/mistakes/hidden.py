"""A mistake that somebody has hidden in a run, for a person to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from .catalogue import MISTAKES

if TYPE_CHECKING:
    from ..engine.graph import Edge
    from ..engine.patches import Patches
    from ..engine.run import Run
    from ..engine.trace import Trace
    from ..ops.table import Array

_SEEN: Final = 1e-3  # of the largest number: what is less could be taken for rounding


class Hidden(NamedTuple):
    """Which rule is wrong, and how."""

    edge: Edge  # whose contribution is wrong
    mistake: str  # a name in `MISTAKES`


def with_hidden(trace: Trace, hidden: Hidden) -> Patches:
    """Return the patches of a run with a hidden mistake, of which nothing tells.

    Raises `ValueError` where the mistake cannot be made there.
    """
    make = MISTAKES[hidden.mistake].make
    return make(trace, hidden.edge, trace.run.patches)._replace(hidden=True)


def symptoms(trace: Trace, patches: Patches) -> list[int]:
    """Return the leaves whose gradients differ with these patches, by their nodes.

    It is these that a person sees, and that differences of the whole program tell.
    """
    right, wrong = trace.run, trace.run.patched(patches)
    leaves = (node.index for node in right.graph.nodes if node.op is None)
    return [leaf for leaf in leaves if _differ(right, wrong, leaf)]


def _differ(right: Run, wrong: Run, node: int) -> bool:
    one, other = right.gradient(node), wrong.gradient(node)
    return one is not None and other is not None and bool(np.any(apart(one, other)))


def apart(one: Array, other: Array) -> Array:
    """Return for each element whether two arrays differ there by more than rounding."""
    one, other = one.astype(float), other.astype(float)
    with np.errstate(all="ignore"):
        both = np.abs([one, other])
        size = np.max(both, initial=0.0, where=np.isfinite(both))
        same = (np.abs(one - other) <= _SEEN * size) | (one == other)
    return ~(same | (np.isnan(one) & np.isnan(other)))
