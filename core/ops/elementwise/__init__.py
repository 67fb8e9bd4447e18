"""Operations that work element by element, with broadcasting.

The derivative of such an operation is one number per element, so the rule that takes a
gradient backward also takes a tangent forward: multiply by that number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import activations, arithmetic, functions, selection

if TYPE_CHECKING:
    from ..table import Op

ROWS: Final[tuple[Op, ...]] = (
    *arithmetic.ROWS,
    *functions.ROWS,
    *activations.ROWS,
    *selection.ROWS,
)
