"""How large a scenario, an expression or a script may be: one table.

Each limit is checked before memory or time is taken. `--limit NAME=N` raises one of
those that protect a person's time and memory; the others protect Python itself. A
capture may be larger than a scenario in some ways: that is a column of its own.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from .errors import InputError
from .text import clean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

NESTING: Final = 100


class Limits(NamedTuple):
    """The sizes that a text from somebody else may have.

    `RAISED` says what is counted in those that a person may raise: `text`, `columns`,
    `nodes`, `tokens`, `steps`, `idle`, `parts`, `elements_per_array`, `elements`,
    `results`, `work`, `file`, `csv`, `expression`, `line`, `commands`, `iterations`.
    """

    text: int = 4 * 2**20
    columns: int = 10_000
    nodes: int = 200_000
    tokens: int = 1_200_000
    steps: int = 1_500_000
    idle: int = 200_000
    parts: int = 1000
    elements_per_array: int = 50_000_000
    elements: int = 200_000_000
    results: int = 40_000_000
    work: int = 10_000_000_000
    file: int = 512 * 2**20
    csv: int = 16 * 2**20
    expression: int = 2000
    line: int = 4000
    commands: int = 5000
    iterations: int = 10**9
    nesting: int = NESTING  # brackets and operators inside each other
    calls: int = 50  # calls inside each other
    scripts: int = 20  # scripts inside each other
    nested: int = 1000  # things in the tuples of a tuple, or in a joined one
    row: int = 2000  # operators in a row, such as those of a long sum
    expression_nesting: int = 40  # brackets and operators inside each other in one
    digits: int = 1000  # of one number
    whole: int = 2**63 - 1  # the greatest whole number
    axes: int = 32  # of one array

    def allowed(self, name: str) -> str:
        """Return the way out for what is too large.

        >>> LIMITS.allowed("parts")
        'at most 1000 are allowed; --limit parts=N allows more'
        """
        most = getattr(self, name)
        return f"at most {most} are allowed; --limit {name}=N allows more"


LIMITS: Final = Limits()
CAPTURES: Final = Limits(
    text=2**28,
    elements_per_array=500_000_000,
    elements=2_000_000_000,
    work=10**12,
    file=2**34,
)
RAISED: Final = MappingProxyType(
    {
        "text": "characters of a scenario, a program or a script",
        "columns": "characters of one line of a program",
        "nodes": "nodes of a program, its calls unrolled",
        "tokens": "words and signs of a program",
        "steps": "expressions read in a program, its calls unrolled",
        "idle": "of these, those that make no node",
        "parts": "parts of a split, which are a node each",
        "elements_per_array": "elements of one value or result",
        "elements": "elements of all values of a scenario",
        "results": "elements of all results of one expression",
        "work": "multiplications of a forward pass, or of one command line",
        "file": "bytes of a file of numbers, packed or unpacked",
        "csv": "bytes of a file of numbers that is text",
        "expression": "characters of an expression of the debugger",
        "line": "characters of a command line",
        "commands": "commands that one line starts by stops and scripts",
        "iterations": "iterations of a training",
    }
)


def for_capture(limits: Limits) -> Limits:
    """Return the limits on a capture: those that a person has set, and its own column.

    >>> for_capture(raised(["nodes=5"])).nodes, for_capture(LIMITS) == CAPTURES
    (5, True)
    """
    own = {
        name: getattr(CAPTURES, name)
        for name in RAISED
        if getattr(limits, name) == getattr(LIMITS, name)
    }
    return limits._replace(**own)


def raised(texts: Iterable[str]) -> Limits:
    """Return the limits with some of them changed, each by a text like "nodes=1e6".

    More nodes take a longer text with more words, and more steps, along. Raises
    `InputError` where a text names no limit or gives no whole number.

    >>> raised(["nodes=1_000_000"]).nodes
    1000000
    """
    found: dict[str, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name not in RAISED:
            hint = nearest(name, RAISED) or f"limits are {', '.join(RAISED)}"
            raise InputError(f"there is no limit {clean(name)!r}", hint)
        most = _whole(number)
        if not 0 < most <= LIMITS.whole:
            hint = "write a whole number above 0: --limit nodes=1000000"
            raise InputError(f"'{clean(number)}' is no limit for {name}", hint)
        found[name] = most
    share = max(found.get("nodes", 0) / LIMITS.nodes, 1.0)
    along = {
        name: min(int(getattr(LIMITS, name) * share), LIMITS.whole)
        for name in ("text", "tokens", "steps", "idle")
    }
    return LIMITS._replace(**along | found)


def _whole(text: str) -> int:
    """Return the whole number that a text says, or 0: 1000000, 1_000_000, 1e6."""
    try:
        number = float(text)
        return int(number) if number.is_integer() and len(text) < 20 else 0
    except ValueError:
        return 0
