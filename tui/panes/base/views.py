"""The views that can stand at the right: one digit each, in this order."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

# Their titles.
VIEWS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "step": "Step",
        "nodes": "Nodes",
        "flow": "Gradient flow",
        "training": "Training",
        "watches": "Watches and displays",
        "stops": "Stops",
        "runs": "Runs",
        "checks": "Checks",
        "notes": "Notes and marks",
        "rules": "Rules held to account",
    }
)
# Their keys.
DIGITS: Final[Mapping[str, str]] = MappingProxyType(
    dict(zip(VIEWS, "1234567890", strict=True))
)

# What they are called on the border, where that is not their name.
_SHORT: Final[Mapping[str, str]] = MappingProxyType(
    {"training": "train", "watches": "watch"}
)


class Tab(NamedTuple):
    """A view as the border names it, and where that begins."""

    name: str  # of the view
    x: int  # cells from where the first one begins
    digit: str  # its key
    word: str  # "" where there is room for digits alone
    is_open: bool  # whether it is the view that is shown

    @property
    def end(self) -> int:
        """Return the cell behind it."""
        return self.x + len(self.digit) + (len(self.word) + 1 if self.word else 0)


@lru_cache(256)  # it is asked for with every key
def tabs(shown: str, above: int, below: int) -> tuple[Sequence[Tab], Sequence[Tab]]:
    """Return all views with their digits: those above a pane, and those below it.

    `shown` is the open one; `above` and `below` are how many cells there are for them.
    Where there are too few for all names, that of the last one goes first, which few
    need; then only the open one has its own.

    >>> first, rest = tabs("step", 47, 25)
    >>> " ".join(tab.word for tab in first), " ".join(tab.word for tab in rest)
    ('Step nodes flow train watch stops', 'runs checks notes ')
    """
    names = list(VIEWS)
    for gap in (2, 1):
        every = tuple(_laid_out(names, shown, gap))
        if every[-1].end <= above:
            return every, ()
    first = tuple(tab for tab in every if tab.end <= above)
    for bare in ((), names[-1:]):
        rest = tuple(_laid_out(names[len(first) :], shown, 1, bare))
        if rest[-1].end <= below:
            return first, rest
    return tuple(_laid_out(names, shown, 1, names)), ()


def _laid_out(
    names: Sequence[str], shown: str, gap: int, bare: Collection[str] = ()
) -> Iterator[Tab]:
    """Yield tabs one behind the other; `bare` are those without a word, if closed."""
    x = 0
    for name in names:
        word = _SHORT.get(name, name)
        if name == shown:
            word = word.capitalize()
        elif name in bare:
            word = ""
        tab = Tab(name, x, DIGITS[name], word, name == shown)
        yield tab
        x = tab.end + gap
