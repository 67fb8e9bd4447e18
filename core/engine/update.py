"""One update of a parameter, with everything that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..ops.table import Array


@dataclass(frozen=True, slots=True, eq=False)
class UpdateStep:
    """One update of a parameter, or of one element of it.

    `before` and `after` are the optimiser's state by its names in the formula.
    """

    name: str  # of the parameter
    iteration: int  # counted from 0
    settings: Mapping[str, float]  # the optimiser's settings beside the rate, by name
    value: Array  # of the parameter before the update
    gradient: Array  # of the value's shape
    rate: Array  # the learning rate, of the value's shape
    before: Mapping[str, Array]
    after: Mapping[str, Array]
    # what the rate multiplies: the gradient, or what the optimiser makes of it
    direction: Array
    result: Array  # the value after the update

    def record(self) -> dict[str, Any]:
        """Return it as data; `value` − `rate` · `direction` is the `result`."""
        return {
            "iteration": self.iteration,
            "value": self.value,
            "rate": self.rate,
            "direction": self.direction,
            "gradient": self.gradient,
            "settings": dict(self.settings),
            "before": dict(self.before),
            "after": dict(self.after),
            "result": self.result,
        }
