"""How many significant digits numbers are written with."""

from __future__ import annotations

from typing import Final

CELL: Final = 4  # in tables, matrices, labels
SENTENCE: Final = 6  # in sentences and at the prompt
MOST_DIGITS: Final = 17  # enough to tell any two numbers of float64 apart
