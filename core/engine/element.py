"""One element of a value or of a gradient: what is looked at, and explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, SupportsInt

import numpy as np

Quantity = Literal["value", "grad"]
Index = tuple[int, ...]


def index_of(flat: SupportsInt, shape: Index) -> Index:
    """Return the index of the element with a flat number, in plain whole numbers.

    >>> index_of(5, (2, 3)), index_of(np.int64(0), ())
    ((1, 2), ())
    """
    return tuple(map(int, np.unravel_index(int(flat), shape)))


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a value or of a gradient, or the whole of it.

    `node` is the number of the node, `quantity` says which of its two arrays is meant,
    and `index` is the place in that array: None for the whole, () of a scalar.
    """

    node: int
    quantity: Quantity
    index: Index | None
