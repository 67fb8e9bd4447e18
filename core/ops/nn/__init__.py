"""Operations of neural networks that are worth a rule of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import (
    binary,
    convolution,
    cross_entropy,
    dense,
    pooling,
    resampling,
    softmax,
    transposed,
)

if TYPE_CHECKING:
    from ..table import Op

ROWS: Final[tuple[Op, ...]] = (
    *softmax.ROWS,
    *cross_entropy.ROWS,
    *binary.ROWS,
    *dense.ROWS,
    *convolution.ROWS,
    *transposed.ROWS,
    *pooling.ROWS,
    *resampling.ROWS,
)
