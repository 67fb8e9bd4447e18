"""One update of a parameter, with everything that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    result: Array  # the value after the update
