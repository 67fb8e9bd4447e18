"""How many lines a pane may have: more of them than its share where it needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Offer(NamedTuple):
    """Lines that a pane may have, its border not included."""

    few: Callable[[int], int]  # that it has in any case, in so many columns
    most: Callable[[int], int]  # that it may have, in so many columns
    give: Callable[[int], None]  # gives it so many
    fair: int = 0  # that it may have where it could do with fewer
