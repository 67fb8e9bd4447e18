"""One element of a value or of a gradient: what is looked at, and explained."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Literal, SupportsInt

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..ops.table import Array

Quantity = Literal["value", "grad"]
Index = tuple[int, ...]


def index_of(flat: SupportsInt, shape: Index) -> Index:
    """Return the index of the element with a flat number, in plain whole numbers.

    >>> index_of(5, (2, 3)), index_of(np.int64(0), ())
    ((1, 2), ())
    """
    return tuple(map(int, np.unravel_index(int(flat), shape)))


def position_of(index: Index, shape: Index) -> int:
    """Return the flat position of an index in an array.

    >>> position_of((1, 0), (2, 3)), position_of((), ())
    (3, 0)
    """
    return int(np.ravel_multi_index(index, shape)) if shape else 0


def indices_of(flat: Array, shape: Index) -> Iterator[Index]:
    """Yield the index of each element with a flat number.

    >>> list(indices_of(np.array([0, 5]), (2, 3)))
    [(0, 0), (1, 2)]
    """
    if not shape:
        return repeat((), len(flat))
    return zip(*(axis.tolist() for axis in np.unravel_index(flat, shape)), strict=True)


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a value or of a gradient, or the whole of it.

    `node` is the number of the node, `quantity` says which of its two arrays is meant,
    and `index` is the place in that array: None for the whole, () of a scalar.
    """

    node: int
    quantity: Quantity
    index: Index | None
