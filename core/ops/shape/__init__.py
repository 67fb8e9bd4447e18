"""Operations that move elements, or pick them: no number is computed, only placed.

Their vjps carry each number of the upstream gradient back to where its element came
from; where an element was picked more than once, the contributions add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import arranging, indexing, joining, placing

if TYPE_CHECKING:
    from ..table import Op

ROWS: Final[tuple[Op, ...]] = (
    *arranging.ROWS,
    *joining.ROWS,
    *indexing.ROWS,
    *placing.ROWS,
)
