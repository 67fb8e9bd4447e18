"""What is said beside the matrices of a step, and what gives way first."""

from __future__ import annotations

import pytest

from gradstep.tui.panes.step.frame import Frame
from gradstep.tui.panes.step.places import Part, Tile
from gradstep.tui.panes.step.priority import (
    Arranged,
    Matters,
    Said,
    arranged,
    bottom,
    worded,
)

ALWAYS = (Matters.ELEMENT, Matters.NOTE, Matters.CHANGE, Matters.FORMULA)


def said(matters: Matters, *lengths: int) -> Said:
    return Said(matters, [[[]] * length for length in lengths])


def lengths(things: list[Said], room: int) -> list[int]:
    return [len(lines) for lines in worded(things, room)]


def test_what_matters_least_gives_way_first() -> None:
    order = [one for one in Matters if one not in ALWAYS]
    things = [said(matters, 1) for matters in order]
    for room in range(len(order) + 1):
        kept = [0] * (len(order) - room) + [1] * room
        assert lengths(things, room) == kept


def test_what_is_always_said_has_its_shortest_words_before_anything_else() -> None:
    things = [
        said(Matters.NUMPY, 1),
        said(Matters.ELEMENT, 3, 1),
        said(Matters.NOTE, 4, 1),
    ]
    assert lengths(things, 2) == [0, 1, 1]
    assert lengths(things, 4) == [0, 3, 1]  # the note has no shorter words for three
    assert lengths(things, 5) == [0, 1, 4]
    assert lengths(things, 7) == [0, 3, 4]
    assert lengths(things, 8) == [1, 3, 4]


def test_lines_are_lent_of_what_is_not_always_said() -> None:
    things = [
        said(Matters.NUMPY, 1),
        said(Matters.REASON, 3, 2, 1),
        said(Matters.ELEMENT, 2, 1),
        said(Matters.NOTE, 3, 1),
    ]
    lent = [[len(lines) for lines in worded(things, 9, count)] for count in range(7)]
    assert lent == [
        [1, 3, 2, 3],
        [0, 3, 2, 3],
        [0, 2, 2, 3],
        [0, 1, 2, 3],
        [0, 0, 2, 3],
        [0, 0, 2, 3],
        [0, 0, 2, 3],
    ]


@pytest.mark.parametrize("room", range(4))
def test_of_what_is_always_said_the_element_gives_way_first(room: int) -> None:
    things = [said(matters, 1) for matters in ALWAYS]
    assert lengths(things, room) == [0] * (4 - room) + [1] * room


def row(
    count: int, rows: int, columns: int, cell: int, optional: tuple[int, ...]
) -> Frame:
    """Return the frame of so many equal matrices in one row."""
    parts = tuple(
        Part("r", "c", cell, number, 0, numbered=number == 0) for number in range(count)
    )
    return Frame(parts, {"r": rows, "c": columns}, optional)


def numbers(frames: list[Frame], width: int, height: int, notes: int = 1) -> list[int]:
    return [tile.number for tile in arranged(frames, width, height, notes).tiles]


def test_the_optional_ones_go_one_after_the_other_and_the_last_one_last() -> None:
    frame = row(5, 3, 2, 8, (3, 4))  # 16 columns each, with one between them
    assert numbers([frame], 84, 20) == [0, 1, 2, 3, 4]
    assert numbers([frame], 83, 20) == [0, 1, 2, 4]
    assert numbers([frame], 66, 11) == [0, 1, 2]
    assert numbers([frame], 66, 20) == [0, 1, 2, 4]  # with a digit less
    other = frame._replace(
        parts=tuple(
            part._replace(across=number % 3, down=number // 3)
            for number, part in enumerate(frame.parts)
        )
    )
    assert numbers([frame, other], 66, 20) == [0, 1, 2, 3, 4]  # in two rows
    assert numbers([frame, other], 83, 20) == [0, 1, 2, 3, 4]
    assert numbers([frame, other], 83, 9) == [0, 1, 2, 4]  # no lines for two rows


def test_numbers_of_columns_matter_more_than_blank_lines_and_reasons() -> None:
    # A title, the numbers of columns, three rows. Beside them a line that says what
    # happens, and the formula; below, two lines for the element, which a note may have.
    found = {
        height: arranged([row(2, 3, 2, 8, ())], 60, height) for height in range(7, 12)
    }
    shown = {height: (one.above, one.tiles[0].head) for height, one in found.items()}
    assert shown == {7: (1, 0), 8: (1, 1), 9: (2, 1), 10: (2, 1), 11: (2, 1)}


@pytest.mark.parametrize(
    ("height", "above"), [(4 + 3 + 4, 3), (4 + 3 + 3, 2), (4 + 2 + 3, 2), (4 + 3, 1)]
)
def test_words_give_lines_above_and_below_to_whole_matrices(
    height: int, above: int
) -> None:
    [first, *_] = arranged([row(3, 3, 1, 8, ())], 60, height).tiles
    found = arranged([row(3, 3, 1, 8, ())], 60, height)
    assert found.above == above
    assert first.rows == 3


def test_a_longer_note_leaves_fewer_lines_to_windows_where_there_are_many() -> None:
    large = row(3, 90, 9, 8, ())
    assert arranged([large], 60, 30, 1).tiles[0].rows == 30 - 5 - 2
    assert arranged([large], 60, 30, 4).tiles[0].rows == 30 - 8 - 2
    assert arranged([large], 60, 18, 4).tiles[0].rows == 18 - 8 - 2
    assert arranged([large], 60, 17, 4).tiles[0].rows == 17 - 6 - 2  # formula, element


def test_of_several_places_for_windows_the_one_with_most_numbers_is_taken() -> None:
    wide = row(2, 1, 40, 8, ())  # four numbers each in a row of 80, or ten below it
    stacked = wide._replace(
        parts=tuple(
            part._replace(across=0, down=number)
            for number, part in enumerate(wide.parts)
        )
    )
    for frames in ([wide, stacked], [stacked, wide]):
        tiles = arranged(frames, 80, 9).tiles
        assert [(tile.x, tile.columns) for tile in tiles] == [(0, 10), (0, 10)]
    assert [tile.y for tile in arranged([wide, stacked], 80, 6).tiles] == [0, 0]


@pytest.mark.parametrize(
    ("width", "seen", "cell"),
    [
        (5 * 22 + 4, [0, 1, 2, 3, 4], 11),  # two numbers of 9 characters in each
        (5 * 20 + 4, [0, 1, 2, 3, 4], 10),
        (5 * 18 + 4, [0, 1, 2, 3, 4], 9),  # of 7: -1e-300
        (4 * 22 + 3, [0, 1, 2, 4], 11),  # without the first one that may go
        (4 * 18 + 3, [0, 1, 2, 4], 9),
    ],
)
def test_digits_give_way_before_a_matrix_does(
    width: int, seen: list[int], cell: int
) -> None:
    found = arranged([row(5, 1, 2, 11, (3, 4))], width, 20)
    assert [tile.number for tile in found.tiles] == seen
    assert {part.cell for part in found.frame.parts} == {cell}


def test_where_nothing_fits_the_first_places_are_taken() -> None:
    first = row(3, 9, 9, 8, ())
    assert arranged([first, first._replace(optional=(2,))], 9, 3).frame is first
    broad = row(1, 1, 1, 9, ())
    assert arranged([broad, row(1, 2, 1, 9, ())], 6, 12).frame is broad
    assert bottom([]) == 0


def stacked(count: int, rows: int, columns: int, optional: tuple[int, ...]) -> Frame:
    """Return the frame of so many equal matrices below each other."""
    frame = row(count, rows, columns, 8, optional)
    parts = tuple(
        part._replace(across=0, down=number) for number, part in enumerate(frame.parts)
    )
    return frame._replace(parts=parts)


@pytest.mark.parametrize(
    ("height", "above", "rows"),
    [
        (13, 3, 3),  # 4 lines of a matrix, 3 above, and 3 + 3 below
        (12, 2, 3),
        (11, 2, 3),  # 4, 2, and 2 + 3
        (10, 2, 3),  # 4, 2, and 1 + 3
        (9, 1, 3),  # 4, 1, and 1 + 3
        (8, 1, 3),  # a line of the note is cut
        (7, 1, 3),  # a second one
        (6, 1, 2),  # and only then a row
    ],
)
def test_words_and_lines_of_a_note_give_way_before_a_row(
    height: int, above: int, rows: int
) -> None:
    found = arranged([row(2, 3, 1, 8, ())], 60, height, 3)
    assert (found.above, {tile.rows for tile in found.tiles}) == (above, {rows})


@pytest.mark.parametrize(
    ("height", "seen"),
    [
        (17, [0, 1, 2]),  # 3 × 4 lines, 1 above, and 1 + 3 below
        (16, [0, 1]),  # the note stays whole
        (14, [0, 1]),  # 2 × 4, a line for the change, 1, and 1 + 3
        (13, [0, 1]),  # a line of the note is cut
        (12, [0, 1]),
    ],
)
def test_what_may_be_left_out_is_before_a_note_is_cut(
    height: int, seen: list[int]
) -> None:
    assert numbers([stacked(3, 3, 1, (2,))], 60, height, 3) == seen


@pytest.mark.parametrize(
    ("height", "notes", "rows"),
    [
        (13, 6, 4),  # 1 above, 1 + 6 below, a title
        (12, 6, 3),
        (11, 6, 4),  # 2 rows would be too few: 1 + 4 below
        (10, 6, 3),
        (9, 6, 5),  # 1 + 1 below
        (8, 6, 4),
        (5, 6, 1),  # fewer lines than any words leave
        (7, 2, 3),  # 1 above, 2 below: a line of the note is cut
    ],
)
def test_a_window_has_three_rows_before_a_note_is_whole(
    height: int, notes: int, rows: int
) -> None:
    [tile] = arranged([row(1, 20, 1, 8, ())], 60, height, notes).tiles
    assert tile.rows == rows


@pytest.mark.parametrize(
    ("rows", "columns", "of", "hides"),
    [
        (3, 1, (9, 9), True),  # nothing stands at the left or the right of a number
        (3, 2, (9, 9), False),
        (3, 1, (9, 1), False),
        (2, 2, (9, 9), True),  # nothing above or below it
        (2, 2, (2, 9), False),
    ],
)
def test_a_window_hides_neighbours_where_it_is_small(
    rows: int, columns: int, of: tuple[int, int], hides: bool
) -> None:
    tile = Tile(0, 0, 0, 8 * columns, rows, columns, 0, 0)
    assert Arranged(row(1, *of, 8, ()), [tile], 1).hides_neighbours is hides


def seen(found: Arranged) -> tuple[set[int], set[int], set[int], int]:
    """Return how many rows and columns are seen, how wide a cell is, lines above."""
    rows, columns = {one.rows for one in found.tiles}, {t.columns for t in found.tiles}
    return rows, columns, {part.cell for part in found.frame.parts}, found.above


def test_digits_give_way_before_a_column_does_beside_the_fewest_words() -> None:
    # 8 numbers of 9 are 72 columns, of 8 they are 64, with the numbers of rows 66
    assert seen(arranged([row(1, 4, 8, 9, ())], 70, 24, 1)) == ({4}, {8}, {8}, 1)


def test_a_window_rather_shows_two_numbers_of_fewer_digits_than_one() -> None:
    found = arranged([row(2, 1, 5, 11, ())], 38, 29, 3)  # 2 × 2 × 9 and one between
    assert seen(found) == ({1}, {2}, {9}, 2)


def test_a_window_rather_shows_all_of_a_few_rows_than_more_digits() -> None:
    assert seen(arranged([row(4, 6, 2, 8, (3,))], 66, 10, 6)) == ({6}, {2}, {7}, 1)


def test_a_note_is_cut_before_digits_are_where_windows_show_all_rows() -> None:
    frames = [row(4, 5, 5, 9, ()), stacked(4, 5, 5, ())]
    assert seen(arranged(frames, 89, 9, 6)) == ({5}, {2}, {9}, 1)


def test_windows_with_few_digits_have_what_the_fewest_words_leave() -> None:
    frame = row(4, 2, 3, 8, (2, 3))
    places = [
        part._replace(across=number % 3, down=number // 3)
        for number, part in enumerate(frame.parts)
    ]
    frames = [frame, frame._replace(parts=tuple(places))]
    assert numbers(frames, 30, 11) == [0, 1, 3]
    narrow = row(3, 3, 3, 9, (2,))
    assert seen(arranged([narrow], 17, 12, 6)) == ({3}, {1}, {8}, 1)


def test_where_a_matrix_is_left_out_its_change_has_one_line() -> None:
    assert numbers([row(3, 6, 9, 8, (1, 2))], 17, 6) == [0, 2]
    assert numbers([stacked(4, 2, 2, (2, 3))], 10, 16, 2) == [0, 1]


def test_at_last_numbers_share_the_blank_between_them() -> None:
    # 5 numbers of 5 characters: with margins 35 columns, and else 30 with one in front.
    frame = row(1, 2, 5, 11, ())
    [tile] = arranged([frame], 35, 6).tiles
    assert (tile.columns, tile.gutter) == (5, 0)
    [tile] = arranged([frame], 31, 6).tiles
    assert (tile.columns, tile.gutter) == (5, 1)
    [tile] = arranged([frame], 30, 6).tiles
    assert tile.columns < 5


def test_places_for_want_of_others_are_taken_last() -> None:
    frame, other = row(2, 8, 3, 9, ()), stacked(2, 1, 3, ())._replace(is_last=True)
    other = other._replace(parts=tuple(p._replace(cell=9) for p in other.parts))
    assert arranged([frame, other], 39, 20).frame.is_last is False
    assert (
        arranged([frame, other], 38, 20).frame.is_last is True
    )  # 2 · 19 and one between
