"""What a step says beside its matrices, and what of all that gives way first.

Where the matrices stand is told from their shapes alone: they leave some lines to what
is said, whatever that is. What is said has the lines that are left: first one for each
thing that is always said, and then what matters most.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import TYPE_CHECKING, Final, NamedTuple

from .places import SMALLEST, Size, Tile, cut_cells, whole, windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..base.pane import Line
    from .frame import Frame

    _Way = tuple[Frame, Sequence[int]]  # places, and the matrices that are left out

_WHOLE_NOTES: Final = 3  # of the ways to leave lines, the first ones: the note is whole
_TERMS: Final = 2  # lines that a sum takes, about
_NEIGHBOURS: Final = 3  # rows that a window has at least before a note is whole
_HIGH: Final = 18  # lines from which on windows leave room for whole notes
# To a class: numbers of several lines, or rows apart, beside those of one element.
_LARGEST: Final = (
    *(
        Size(wide, high, high + 1)
        for high in (15, 13, 11, 9, 7)
        for wide in range(high + (high // 2 | 1) + 1, high, -2)
    ),
    *(Size(wide, 5, lines) for wide in (9, 7, 5) for lines in (7, 6)),
)
_LARGE: Final = tuple(Size(3, 3, lines) for lines in (5, 4, 3))
_APART: Final = (Size(1, 1, 2),)
_CHOSEN: Final = 5  # lines of these


class Matters(IntEnum):
    """How much something that is said matters: the first ones give way first."""

    BLANK = auto()
    NUMPY = auto()
    STATISTICS = auto()
    REASON = auto()
    LARGE = auto()
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
    cut: int = 0  # how many of the wordings are cut, the last ones


class Arranged(NamedTuple):
    """Where the matrices stand, and how many lines are left above them."""

    frame: Frame  # the places that were taken
    tiles: Sequence[Tile]  # of the matrices that are seen
    above: int  # lines above them

    @property
    def cuts_row(self) -> bool:
        """Whether a row of a small matrix is not seen."""
        rows, _ = cut_cells(self.frame.parts, self.frame.sizes, self.tiles)
        return rows > 0

    @property
    def hides_neighbours(self) -> bool:
        """Whether a window is so small that nothing stands beside its number."""
        parts, sizes = self.frame.parts, self.frame.sizes
        return any(
            tile.columns == 1 < sizes[parts[tile.number].columns]
            or tile.rows < min(_NEIGHBOURS, sizes[parts[tile.number].rows])
            for tile in self.tiles
        )


def enlarged(
    frames: Sequence[Frame], width: int, height: int, notes: int = 1
) -> Arranged | None:
    """Place whole matrices with numbers as large as there is room for, for a class."""
    frames = [one for one in frames if not one.is_last]  # those are for one size
    some = frames[0].optional
    lefts = [(above, below + _CHOSEN) for above, below in _lefts(notes)]
    highest = max(frames[0].sizes[part.rows] for part in frames[0].parts)
    tries = (
        (_LARGEST + _LARGE, ()),
        *((_LARGE, left_out) for left_out in (some[:-1], some)),
        *((_APART, left_out) for left_out in ((), some[:-1], some)),
    )
    for sizes, left_out in tries:
        ways = [(one, left_out) for frame in frames for one in frame.narrower()]
        for size in (one for one in sizes if one.rows(highest) <= height):
            found = _first_whole(ways, lefts[:_WHOLE_NOTES], width, height, size)
            if found is not None:
                return found
    return None


def arranged(
    frames: Sequence[Frame], width: int, height: int, notes: int = 1
) -> Arranged:
    """Place the matrices of a step in so many columns and lines.

    `notes` are the lines of the longest note. Where all matrices have no room in full,
    those that may be left out go one after the other, then all are windows. Nothing
    here depends on what the matrices are called or what is said of them.
    """
    frames, last = (
        [one for one in frames if one.is_last is is_last] for is_last in (False, True)
    )
    some = frames[0].optional
    least = ((), some[:-1]) if some else ()
    kept = [(one, left_out) for left_out in least for one in frames]
    gone, end = ([(one, some) for one in group] for group in (frames, last))
    # All that may be left out is, before a note is cut. But the sum is there whole,
    # with a digit less, where there are lines to spare.
    lefts = _lefts(notes)
    for tried, kinds in (
        (_narrower(kept), lefts[:_WHOLE_NOTES]),
        (_tightest(kept, legible=True), lefts[:1]),
        (_narrower(gone), lefts[:_WHOLE_NOTES]),
        (_narrower([*kept, *gone]), lefts[_WHOLE_NOTES:]),
        (_tightest(kept), lefts[:1]),
        (_tightest(gone), lefts[_WHOLE_NOTES - 1 :]),
        (_narrower(end), lefts[_WHOLE_NOTES - 1 :]),
        (_tightest(end), lefts[_WHOLE_NOTES - 1 :]),
    ):
        if found := _first_whole(tried, kinds, width, height):
            return found
    roomy = [one for frame in frames for one in frame.narrower()]
    start = 1 if height >= _HIGH else 2
    few = dict.fromkeys((*lefts[start:_WHOLE_NOTES], lefts[len(lefts) // 2], lefts[-1]))
    cuts = [(roomy, left) for left in few]
    tries: list[Arranged] = []
    for windowed, left in (*cuts, ([one for one, _ in _tightest(gone)], lefts[-1])):
        found = _cut(windowed, width, height, *left)
        if not found.cuts_row and not found.hides_neighbours:
            return found
        tries.append(found)
    rows = (one for one in tries if not one.cuts_row)
    return next(rows, None) or _cut(roomy, width, height, *lefts[-1])


def _narrower(ways: Iterable[_Way]) -> Iterator[_Way]:
    return ((one, out) for frame, out in ways for one in frame.narrower())


def _tightest(ways: Iterable[_Way], *, legible: bool = False) -> Iterator[_Way]:
    return ((one, out) for frame, out in ways for one in frame.tightest(legible))


def _lefts(notes: int) -> Sequence[tuple[int, int]]:
    """Return how many lines words get above and below: what is best to read first.

    >>> _lefts(3)
    [(3, 6), (2, 5), (1, 4), (1, 3), (1, 2)]
    """
    whole_note = [(3, 3 + notes), (2, 2 + notes), (1, 1 + notes)]
    return whole_note + [(1, 1 + lines) for lines in range(notes - 1, 0, -1)]


def _first_whole(
    ways: Iterable[_Way],
    lefts: Sequence[tuple[int, int]],
    width: int,
    height: int,
    size: Size = SMALLEST,
) -> Arranged | None:
    """Place whole matrices in the first way that has room, beside the most words.

    What has no room beside the fewest words has none beside more. The numbers of
    columns matter more than a blank line and what is said of all such steps.
    """
    for way in ways:
        if lefts and _whole(*way, width, height, lefts[-1], size):
            every = (
                _whole(*way, width, height, left, size, headed=headed)
                for headed, kinds in ((True, _headed(lefts)), (False, lefts))
                for left in kinds
            )
            return next(found for found in every if found is not None)
    return None


def _headed(lefts: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """Return the lines of words that the numbers of columns do not displace.

    One says what happens; and the chosen element has two, for the terms of a sum.

    >>> _headed([(3, 6), (2, 5), (1, 4)]), _headed([(3, 3), (2, 2), (1, 1)])
    ([(3, 6), (2, 5), (2, 4)], [(3, 3), (2, 2)])
    """
    found = [left for left in lefts if left[0] > 1]
    less = [(above, below - 1) for above, below in found[-1:] if below > _TERMS]
    return [*found, *less]


def _whole(
    frame: Frame,
    optional: Sequence[int],
    width: int,
    height: int,
    left: tuple[int, int],
    size: Size = SMALLEST,
    *,
    headed: bool = False,
) -> Arranged | None:
    """Place whole matrices, where they have room beside so many lines of words."""
    above, below = left
    # The change of the sum has a line, where the matrices do not show it.
    room = height - above - below - bool(optional)
    tiles = whole(frame.parts, frame.sizes, optional, width, room, size, headed=headed)
    return Arranged(frame, tiles, above) if tiles else None


def _cut(
    frames: Sequence[Frame], width: int, height: int, above: int, below: int
) -> Arranged:
    """Place windows on the matrices: those that show most, all rows first."""
    room = height - above - below
    seen = [_windowed(one, width, room, above) for one in frames]
    fitting = [one for one in seen if _fits(one, width, room)]
    return max(fitting, key=_shown, default=seen[0])


def _windowed(frame: Frame, width: int, room: int, above: int) -> Arranged:
    """Place windows on the matrices; of the sum the change has a line where it is cut.

    Where no matrix is left out, the matrices show it.
    """
    tiles = windows(frame.parts, frame.sizes, frame.optional, width, room)
    if len(tiles) < len(frame.parts):
        tiles = windows(frame.parts, frame.sizes, frame.optional, width, room - 1)
    return Arranged(frame, tiles, above)


def _fits(one: Arranged, width: int, height: int) -> bool:
    is_left_out = len(one.tiles) < len(one.frame.parts)
    return bottom(one.tiles) + is_left_out <= height and all(
        one.frame.right(tile) <= width for tile in one.tiles
    )


def _shown(one: Arranged) -> tuple[bool, bool, bool, int]:
    """Return whether all rows are seen that there are few of, and all matrices.

    What comes last is how many numbers are seen.
    """
    count = sum(tile.rows * tile.columns for tile in one.tiles)
    has_all = len(one.tiles) == len(one.frame.parts)
    return not one.cuts_row, not one.hides_neighbours, has_all, count


def worded(said: Sequence[Said], room: int, lent: int = 0) -> list[Sequence[Line]]:
    """Return lines for each thing that is said, in so many lines: of some, none.

    First what is always said gets its shortest words, what matters most first. Then
    so many lines are `lent` before what is not always said.
    """
    chosen: list[Sequence[Line]] = [() for _ in said]
    order = sorted(range(len(said)), key=lambda number: -said[number].matters)
    always = [number for number in order if said[number].matters >= Matters.ELEMENT]
    for numbers, start in ((always, -1), (order, 0)):
        for number in numbers:
            gives = said[number].matters < Matters.ELEMENT
            for wording in said[number].wordings[start:]:
                more = len(wording) - len(chosen[number])
                if more <= room - lent * gives:
                    chosen[number] = wording
                    room -= more
                    break
    return chosen


def bottom(tiles: Sequence[Tile]) -> int:
    """Return how many lines the matrices take."""
    return max((tile.y + tile.height for tile in tiles), default=0)
