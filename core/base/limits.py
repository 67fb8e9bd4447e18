"""How large a scenario may be. Each limit is checked before memory or time is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NESTING: Final = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The sizes that a text from somebody else may have."""

    text: int = 4 * 2**20  # characters of a scenario file or of a program
    nodes: int = 200_000  # of a program, its calls unrolled
    steps: int = 1_500_000  # expressions evaluated while a program is read, likewise
    nesting: int = NESTING  # brackets and operators inside each other
    calls: int = 50  # calls inside each other
    parts: int = 1000  # of a split, which are a node each
    nested: int = 1000  # things in the tuples of a tuple, or in a joined one
    expression: int = 2000  # characters of an expression of the debugger
    expression_nesting: int = 40  # brackets and operators inside each other in one
    columns: int = 10_000  # characters of one line
    digits: int = 1000  # of one number
    whole: int = 2**63 - 1  # the greatest whole number
    elements_per_array: int = 50_000_000  # of one value or result
    elements: int = 200_000_000  # of all nodes together
    work: int = 10_000_000_000  # multiplications of one forward pass
    axes: int = 32  # of one array
    file: int = 512 * 2**20  # bytes of a file of numbers, packed or unpacked
    csv: int = 16 * 2**20  # bytes of one that is text


LIMITS: Final = Limits()
