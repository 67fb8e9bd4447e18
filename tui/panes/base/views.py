"""The views that can stand at the right: one key each, 1 … 9, in this order."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Their titles.
VIEWS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "step": "Step",
        "nodes": "Nodes",
        "flow": "Gradient flow",
        "training": "Training",
        "watches": "Watches and displays",
        "stops": "Stops",
        "runs": "Runs",
        "checks": "Checks",
        "notes": "Notes and marks",
    }
)
