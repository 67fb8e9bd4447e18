"""One element of a value or of a gradient: what is looked at, and explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Quantity = Literal["value", "grad"]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a value or of a gradient, or the whole of it.

    `node` is the number of the node, `quantity` says which of its two arrays is meant,
    and `index` is the place in that array: None for the whole, () of a scalar.
    """

    node: int
    quantity: Quantity
    index: tuple[int, ...] | None
