"""What a step says beside its matrices, and what of all that gives way first.

Where the matrices stand is told from their shapes alone: they leave some lines to what
is said, whatever that is. What is said has the lines that are left: first one for each
thing that is always said, and then what matters most.
"""

from __future__ import annotations

from enum import IntEnum, auto
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from .places import Tile, cuts_row, whole, windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..base.pane import Line
    from .frame import Frame

_WHOLE_NOTES: Final = 3  # of the ways to leave lines, the first ones: the note is whole
_NEIGHBOURS: Final = 3  # rows that a window has at least before a note is whole
_HIGH: Final = 18  # lines from which on windows leave room for whole notes


class Matters(IntEnum):
    """How much something that is said matters: the first ones give way first."""

    BLANK = auto()
    NUMPY = auto()
    STATISTICS = auto()
    REASON = auto()
    WHAT = auto()
    SHAPES = auto()
    # From here on it is always said, if only with its shortest words.
    ELEMENT = auto()
    NOTE = auto()
    CHANGE = auto()
    FORMULA = auto()


class Said(NamedTuple):
    """Something that is said above or below the matrices."""

    matters: Matters  # how much it matters
    wordings: Sequence[Sequence[Line]]  # the longest first, each of some lines
    is_above: bool = False  # whether it is said above the matrices


class Arranged(NamedTuple):
    """Where the matrices stand, and how many lines are left above them."""

    frame: Frame  # the places that were taken
    tiles: Sequence[Tile]  # of the matrices that are seen
    above: int  # lines above them

    @property
    def cuts_row(self) -> bool:
        """Whether a row of a small matrix is not seen."""
        return cuts_row(self.frame.parts, self.frame.sizes, self.tiles)

    @property
    def hides_neighbours(self) -> bool:
        """Whether a window is so small that nothing stands beside its number."""
        parts, sizes = self.frame.parts, self.frame.sizes
        return any(
            tile.columns == 1 < sizes[parts[tile.number].columns]
            or tile.rows < min(_NEIGHBOURS, sizes[parts[tile.number].rows])
            for tile in self.tiles
        )


def arranged(
    frames: Sequence[Frame], width: int, height: int, notes: int = 1
) -> Arranged:
    """Place the matrices of a step in so many columns and lines.

    `notes` are the lines of the longest note. Where all matrices have no room in full,
    those that may be left out go one after the other, then all are windows. Nothing
    here depends on what the matrices are called or what is said of them.
    """
    some = frames[0].optional
    none, least = (), some[:-1]
    ways = [(one, left_out) for one in frames for left_out in (none, least)]
    ways += [(one, some) for one in frames]
    lefts = _lefts(notes)
    # All that may be left out is, before a note is cut.
    for left in (lefts[:_WHOLE_NOTES], lefts[_WHOLE_NOTES:]):
        for one, optional in ways:
            for frame, (above, below) in product(one.narrower(), left):
                # The change of the sum has a line, where the matrices do not show it.
                room = height - above - below - bool(optional)
                tiles = whole(frame.parts, frame.sizes, optional, width, room)
                if tiles:
                    return Arranged(frame, tiles, above)
    tight = [one for frame in frames for one in frame.tightest()]
    for frame, (above, below) in product(tight, lefts[2:]):
        room = height - above - below - bool(some)
        tiles = whole(frame.parts, frame.sizes, some, width, room)
        if tiles:
            return Arranged(frame, tiles, above)
    roomy = [one for frame in frames for one in frame.narrower()]
    cuts = [(roomy, left) for left in (lefts[1:] if height >= _HIGH else lefts[2:])]
    tries: list[Arranged] = []
    for tried, left in (*cuts, (tight, lefts[-1])):
        found = _cut(tried, width, height, *left)
        if not found.cuts_row and not found.hides_neighbours:
            return found
        tries.append(found)
    rows = (one for one in tries if not one.cuts_row)
    return next(rows, None) or _cut(roomy, width, height, *lefts[-1])


def _lefts(notes: int) -> Sequence[tuple[int, int]]:
    """Return how many lines words get above and below: what is best to read first.

    >>> _lefts(2)
    [(3, 5), (2, 4), (1, 3), (1, 2)]
    """
    fewer = range(notes, 1, -1)  # lines of a note: one is left of it at least
    least = [(1, 1 + lines) for lines in (*fewer, min(notes, 1))]
    return [(3, 3 + notes), (2, 2 + notes), *least]


def _cut(
    frames: Sequence[Frame], width: int, height: int, above: int, below: int
) -> Arranged:
    """Place windows on the matrices: those that show most, all rows first."""
    room = height - above - below
    # Where none is left out, the change of the sum needs no line of its own.
    ways = [(one, ()) for one in frames] + [(one, one.optional) for one in frames]
    seen = [
        Arranged(
            one, windows(one.parts, one.sizes, some, width, room - bool(some)), above
        )
        for one, some in ways
    ]
    fitting = [
        one
        for one, (_, some) in zip(seen, ways, strict=True)
        if _fits(one, width, room - bool(some))
    ]
    return max(fitting, key=_shown, default=seen[len(frames)])


def _fits(one: Arranged, width: int, height: int) -> bool:
    return bottom(one.tiles) <= height and all(
        one.frame.right(tile) <= width for tile in one.tiles
    )


def _shown(one: Arranged) -> tuple[bool, bool, int]:
    """Return whether all rows are seen that there are few of, and how many numbers."""
    count = sum(tile.rows * tile.columns for tile in one.tiles)
    return not one.cuts_row, not one.hides_neighbours, count


def worded(said: Sequence[Said], room: int) -> list[Sequence[Line]]:
    """Return lines for each thing that is said, in so many lines: of some, none.

    First what is always said gets its shortest words, what matters most first.
    """
    chosen: list[Sequence[Line]] = [() for _ in said]
    order = sorted(range(len(said)), key=lambda number: -said[number].matters)
    always = [number for number in order if said[number].matters >= Matters.ELEMENT]
    for numbers, start in ((always, -1), (order, 0)):
        for number in numbers:
            for wording in said[number].wordings[start:]:
                more = len(wording) - len(chosen[number])
                if more <= room:
                    chosen[number] = wording
                    room -= more
                    break
    return chosen


def bottom(tiles: Sequence[Tile]) -> int:
    """Return how many lines the matrices take."""
    return max((tile.y + tile.height for tile in tiles), default=0)
