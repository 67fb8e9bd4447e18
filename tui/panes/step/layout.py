"""Which part of a step stands where. Nothing is drawn here: sizes in, places out.

Above the matrices stands what the step does, below them what it comes to. Each of those
parts matters so much; where there is no room, those that matter least give way first,
then the matrices become windows on themselves, and at last only some of them are seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from ..base.pane import Line

WHAT, SHAPES = 1, 2  # how much some parts matter
KEPT: Final = 8  # parts that matter so much are never left out
_GAP: Final = 3
_LARGE: Final = 144  # elements from which on a matrix without room is drawn dense
_DENSE: Final = 2  # columns of a cell, then
_LOWEST: Final = 4  # lines of a matrix with its title, at least
_NARROW: Final = 16  # columns of a title that are always shown

Part = tuple[int, Sequence[Line]]  # how much it matters, and its lines


class Matrix(NamedTuple):
    """What a layout has to know of a matrix.

    `title` is one part or two, `size` how many columns of cells and how many lines it
    has, `gutter` and `cell` are widths in columns of the screen.
    """

    title: tuple[str, ...]
    size: tuple[int, int]
    gutter: int
    cell: int
    elements: int  # how many it has in all
    is_dense: bool = False  # whether cells are shades, without numbers

    def width(self, columns: int | None = None) -> int:
        """Return how wide so many of its columns are, or all of them."""
        count = self.size[0] if columns is None else min(self.size[0], columns)
        return self.gutter + count * (_DENSE if self.is_dense else self.cell)


class Tile(NamedTuple):
    """A matrix and where it stands: its corner, its size, and how high its title is."""

    number: int  # of the matrix, counted from 0
    x: int  # of its left column
    y: int  # of its first line
    width: int  # in columns of the screen
    height: int  # in lines, the title included
    title: int  # lines of the title


class Wish(NamedTuple):
    """Which matrix has the cursor, and whether they are dense; None: if need be."""

    active: int = 0  # the number of the matrix
    dense: bool | None = None  # None where the room decides


class Layout(NamedTuple):
    """Where the matrices stand, each with its title, and the parts that are left."""

    matrices: Sequence[Matrix]  # dense ones marked
    titles: Sequence[tuple[str, ...]]  # of each matrix, on one line or two
    tiles: Sequence[Tile]  # of the matrices that are seen, not always all
    above: Sequence[Part] = ()  # the parts that stand above the matrices
    below: Sequence[Part] = ()  # the parts that stand below them


def laid_out(
    matrices: Sequence[Matrix],
    wish: Wish,
    room: tuple[int, int],
    sides: tuple[Sequence[Part], Sequence[Part]],
    write: Callable[[str], Sequence[Line]],
) -> Layout:
    """Return the layout of a step in a room: its width and its height.

    `sides` are the parts above and below. `write` makes lines of what is to be said of
    matrices that cannot be seen.
    """
    width, height = room
    above, below = sides
    layout = _arranged(matrices, wish, room, above, below)
    left = height - _lines(layout.above)
    hint = _hint(layout.tiles, len(matrices), width, left)
    if hint:
        said = KEPT, write(hint)
        above = [said, *(one for one in above if one[0] != WHAT)]
        kept = [said, *(one for one in layout.above if one[0] != WHAT)]
        layout = _arranged(layout.matrices, wish, room, kept, layout.below)
    spare = height - bottom(layout.tiles) - _lines(layout.above) - _lines(layout.below)
    upper, lower = _taken_back([(layout.above, above), (layout.below, below)], spare)
    return layout._replace(above=upper, below=lower)


def bottom(tiles: Sequence[Tile]) -> int:
    """Return how many lines tiles take."""
    return max((tile.y + tile.height for tile in tiles), default=0)


def _lines(parts: Sequence[Part]) -> int:
    return sum(len(lines) for _, lines in parts)


def _arranged(
    matrices: Sequence[Matrix],
    wish: Wish,
    room: tuple[int, int],
    above: Sequence[Part],
    below: Sequence[Part],
) -> Layout:
    """Place the matrices; where there is no room, leave out what matters least."""
    width, height = room

    def left() -> int:
        return height - _lines(above) - _lines(below)

    layout = _whole(matrices, width)
    while not layout.tiles or bottom(layout.tiles) > left():
        if _can_give(below):
            below = _without_least(below)
            continue
        most = left() + sum(len(lines) for one, lines in above if one < KEPT)
        if not layout.tiles or bottom(layout.tiles) > most:
            layout = _windows(layout.matrices, wish, width, _LOWEST)
        while left() < bottom(layout.tiles) and _can_give(above):
            above = _without_least(above)
        above = [one for one in above if one[0]]  # numbers before blanks
        layout = _windows(layout.matrices, wish, width, max(left(), _LOWEST - 1))
        break
    return layout._replace(above=above, below=below)


def _can_give(parts: Sequence[Part]) -> bool:
    """Tell whether there is a part that may be left out."""
    return any(importance < KEPT for importance, _ in parts)


def _without_least(parts: Sequence[Part]) -> Sequence[Part]:
    """Leave out the parts that matter least."""
    least = min(importance for importance, _ in parts)
    return [one for one in parts if one[0] > least]


def _taken_back(
    sides: Sequence[tuple[Sequence[Part], Sequence[Part]]], room: int
) -> list[Sequence[Part]]:
    """Take back what was left out and has room after all, what matters most first.

    The matrices needed it only in full, or not beside each other.
    """
    kept = {id(one) for some, _ in sides for one in some}
    left_out = [one for _, every in sides for one in every if id(one) not in kept]
    for one in sorted(left_out, key=lambda one: -one[0]):
        if len(one[1]) <= room:
            kept.add(id(one))
            room -= len(one[1])
    return [[one for one in every if id(one) in kept] for _, every in sides]


def _hint(tiles: Sequence[Tile], count: int, width: int, room: int) -> str:
    """Say what of the matrices is not to be seen, and how it can be; or nothing."""
    if len(tiles) == count:
        below = sum(tile.y + tile.title + 1 >= room for tile in tiles)
        return f"{below} of {count} matrices below: v shows one" if below else ""
    first, last = tiles[0].number + 1, tiles[-1].number + 1
    which = f"{first}" if first == last else f"{first}-{last}"
    what = "matrix" if first == last else "matrices"
    text = f"{what} {which} of {count}; shift+← or → shows another"
    return text if len(text) <= width else f"{which} of {count}; shift+← → more"


def _whole(matrices: Sequence[Matrix], width: int) -> Layout:
    """Place all matrices in full, or none if one is wider than there is room.

    Titles are on one line if all of them can be beside each other like this.
    """
    called = [matrix.title for matrix in matrices]
    if any(matrix.width() > width for matrix in matrices):
        return Layout(matrices, called, [])
    most = max(map(len, called))
    split = [title + ("",) * (most - len(title)) for title in called]
    joined = [(title[0] + "".join(title[1:]),) for title in split]
    choices = [
        (titles, _rows(matrices, titles, width, _wanted(matrices, titles)))
        for titles in (joined, split)
    ]
    titles, tiles = min(choices, key=lambda choice: bottom(choice[1]))
    return Layout(matrices, titles, tiles)


def _wanted(matrices: Sequence[Matrix], titles: Sequence[tuple[str, ...]]) -> list[int]:
    """Return how wide each matrix and its title are."""
    return [
        max(matrix.width(), *map(len, title))
        for matrix, title in zip(matrices, titles, strict=True)
    ]


def _rows(
    matrices: Sequence[Matrix],
    titles: Sequence[tuple[str, ...]],
    width: int,
    widths: Sequence[int],
    most: int | None = None,
    gap: int = _GAP,
) -> list[Tile]:
    """Place matrices of some widths in rows; `most` is the height of a row."""
    tiles: list[Tile] = []
    x = y = high = 0
    for number, (matrix, wanted) in enumerate(zip(matrices, widths, strict=True)):
        wide = min(wanted, width)
        if x and x + wide > width:
            x, y, high = 0, y + high, 0
        title = len(titles[number])
        height = title + matrix.size[1]
        if most is not None:
            height = min(height, most)
        tiles.append(Tile(number, x, y, wide, height, title))
        high = max(high, height)
        x += wide + gap
    return tiles


def _windows(matrices: Sequence[Matrix], wish: Wish, width: int, height: int) -> Layout:
    """Place windows on the matrices, all in one row if that can be.

    Where not even a matrix and its title have room, the title is one line.
    """
    matrices = [*_dense(matrices, wish, width)]
    titles = [matrix.title for matrix in matrices]
    if height < _LOWEST:
        titles = [("".join(title),) for title in titles]
    wanted = _wanted(matrices, titles)
    least: list[int] = []
    for columns, gap in ((2, _GAP), (1, 1)):
        least = [
            max(matrix.width(columns), min(max(map(len, title)), _NARROW))
            for matrix, title in zip(matrices, titles, strict=True)
        ]
        room = width - gap * (len(matrices) - 1)
        if sum(least) <= room:
            widths = _shared(least, wanted, room)
            tiles = _rows(matrices, titles, width, widths, height, gap)
            return Layout(matrices, titles, tiles)
    widths = [min(want, width) for want in wanted]
    count = len({tile.y for tile in _rows(matrices, titles, width, widths)})
    if height // count >= _LOWEST:
        tiles = _rows(matrices, titles, width, widths, height // count)
        return Layout(matrices, titles, tiles)
    layout = Layout(matrices, titles, [])
    return layout._replace(tiles=_some_of(layout, wish.active, width, least, height))


def _dense(matrices: Sequence[Matrix], wish: Wish, width: int) -> Iterator[Matrix]:
    """Yield the matrices, without numbers where these have no room."""
    share = (width + _GAP) // len(matrices) - _GAP
    for matrix in matrices:
        narrow = matrix.elements > _LARGE and matrix.width() > share
        yield matrix._replace(is_dense=narrow if wish.dense is None else wish.dense)


def _some_of(
    layout: Layout, active: int, width: int, least: Sequence[int], height: int
) -> list[Tile]:
    """Place the matrix with the cursor, and those beside it that fit into one row."""
    first = last = active
    used = least[first]
    for number in (*range(first - 1, -1, -1), *range(last + 1, len(least))):
        if used + 1 + least[number] > width:
            continue
        if number in (first - 1, last + 1):
            first, last = min(first, number), max(last, number)
            used += 1 + least[number]
    wanted = _wanted(layout.matrices, layout.titles)
    shown = slice(first, last + 1)
    shared = _shared(least[shown], wanted[shown], width - (last - first))
    tiles: list[Tile] = []
    x = 0
    for number, wide in enumerate(shared, first):
        title = len(layout.titles[number])
        high = min(title + layout.matrices[number].size[1], height)
        tiles.append(Tile(number, x, 0, min(wide, width), high, title))
        x += wide + 1
    return tiles


def _shared(least: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Share a width out: each its least, and the rest to who wants more, evenly."""
    widths = list(least)
    spare = room - sum(widths)
    open_ones = [n for n in range(len(widths)) if wanted[n] > widths[n]]
    while spare > 0 and open_ones:
        each = max(spare // len(open_ones), 1)
        for number in open_ones[:]:
            more = min(each, wanted[number] - widths[number], spare)
            widths[number] += more
            spare -= more
        open_ones = [n for n in open_ones if wanted[n] > widths[n]]
    return [min(wide, want) for wide, want in zip(widths, wanted, strict=True)]
