"""Where the matrices of a step stand: by their shapes, and by nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.tui.panes.step.places import Part, Tile, gutter, whole, windows

# The five places of a product: left, right, what is made, before, after.
PRODUCT = (
    Part("n", "k", 6, 0, 1, 9),
    Part("k", "m", 9, 1, 0, 12),
    Part("n", "m", 10, 1, 1, 13),
    Part("n", "m", 4, 2, 1, 7, numbered=False),
    Part("n", "m", 9, 3, 1, 12, numbered=False),
)
OPTIONAL = (3, 4)


def product(n: int, k: int, m: int, width: int, height: int) -> dict[int, Tile]:
    sizes = {"n": n, "k": k, "m": m}
    given = (PRODUCT, sizes, OPTIONAL, width, height)
    tiles = whole(*given) or windows(*given)
    return {tile.number: tile for tile in tiles}


def test_the_right_factor_stands_above_what_is_made_and_the_left_one_beside_it() -> (
    None
):
    tiles = product(5, 3, 1, 78, 14)
    left, right, made = (tiles[number] for number in range(3))
    assert sorted(tiles) == [0, 1, 2, 3, 4]
    assert right.x == made.x
    assert right.y + right.height == made.y
    assert left.y == made.y
    assert left.x + left.width < made.x < tiles[3].x < tiles[4].x
    assert (left.rows, left.columns) == (5, 3)
    assert (right.rows, right.columns) == (3, 1)


def test_rows_and_columns_that_belong_together_stand_in_one_line() -> None:
    tiles = product(4, 3, 2, 120, 30)
    assert len({tiles[number].head for number in (0, 2, 3, 4)}) == 1
    assert tiles[1].gutter == tiles[2].gutter
    assert tiles[3].gutter == 0


@pytest.mark.parametrize(
    ("height", "seen"), [(11, [0, 1, 2, 3, 4]), (10, [0, 1, 2, 3, 4]), (9, [0, 1, 2])]
)
def test_numbers_of_rows_give_way_before_a_row_does(
    height: int, seen: list[int]
) -> None:
    tiles = product(5, 3, 1, 60, height)
    assert [number for number in seen if number not in tiles] == []
    assert tiles[2].rows == min(5, height - 5 if height > 9 else 3)


@pytest.mark.parametrize(
    ("width", "gone"), [(60, []), (50, [3]), (42, [3, 4]), (30, [3, 4])]
)
def test_before_gives_way_first_and_then_the_sum(width: int, gone: list[int]) -> None:
    tiles = product(5, 3, 1, width, 20)
    assert [number for number in OPTIONAL if number not in tiles] == gone


def test_matrices_that_share_an_axis_show_the_same_window_of_it() -> None:
    tiles = product(784, 50, 100, 120, 20)
    left, right, made, before, after = (tiles[number] for number in range(5))
    assert left.rows == made.rows == before.rows == after.rows < 784
    assert left.columns == right.rows < 50
    assert right.columns == made.columns == before.columns == after.columns < 100
    assert made.gutter == 4


def test_rows_of_small_matrices_are_seen_before_a_second_column_is() -> None:
    # ∂E/∂X of 4 samples, 3 units and 2 inputs, in 51 columns and 10 lines.
    parts = [
        part._replace(cell=cell)
        for part, cell in zip(PRODUCT, (11, 6, 11, 3, 11), strict=True)
    ]
    found = windows(parts, {"n": 4, "m": 2, "k": 3}, OPTIONAL, 51, 10)
    seen = {tile.number: (tile.rows, tile.columns) for tile in found}
    assert seen == {0: (4, 3), 1: (3, 1), 2: (4, 1)}


@given(st.tuples(*[st.integers(1, 30)] * 3), st.integers(40, 200), st.integers(8, 60))
def test_nothing_overlaps_and_nothing_stands_outside(
    sizes: tuple[int, int, int], width: int, height: int
) -> None:
    tiles = product(*sizes, width, height).values()
    for tile in tiles:
        part = PRODUCT[tile.number]
        assert tile.x + tile.gutter + tile.columns * part.cell <= width
        assert tile.y + tile.height <= height
    cells = [
        (x, y)
        for tile in tiles
        for x in range(tile.x, tile.x + tile.width)
        for y in range(tile.y, tile.y + tile.height)
    ]
    assert len(cells) == len(set(cells))


# Worked out by hand. A number has 5 columns; row numbers up to 9 take 2 columns, and
# those of columns a line, as a title does.


def line(count: int, rows: str = "r", **more: int) -> tuple[Part, ...]:
    """Return so many matrices beside each other; the first one's rows have numbers."""
    return tuple(
        Part(rows, "c", 5, number, 0, numbered=number == 0, **more)
        for number in range(count)
    )


SIZES = {"r": 3, "c": 2}
EXACT = {
    # 2 + 10, 3 blank, 10; a title, the numbers of columns, three rows
    "with room": (line(2), 25, 5, [(0, 0, 12, 2, 1), (15, 0, 10, 0, 1)]),
    "one blank between": (line(2), 24, 5, [(0, 0, 12, 2, 1), (13, 0, 10, 0, 1)]),
    # the numbers of rows take columns, those of columns a line
    "a column too few": (line(2), 22, 5, [(0, 0, 10, 0, 1), (11, 0, 10, 0, 1)]),
    "a line too few": (line(2), 25, 4, [(0, 0, 12, 2, 0), (15, 0, 10, 0, 0)]),
    "without numbers": (line(2), 22, 4, [(0, 0, 10, 0, 0), (11, 0, 10, 0, 0)]),
    "and one blank": (line(2), 23, 4, [(0, 0, 12, 2, 0), (13, 0, 10, 0, 0)]),
    "a wide title": (line(2, title=13), 30, 5, [(0, 0, 13, 2, 1), (16, 0, 13, 0, 1)]),
    # five columns are left: each place takes one in turn
    "a wish": (line(2, wish=14), 30, 5, [(0, 0, 14, 2, 1), (17, 0, 13, 0, 1)]),
    "a wish that is met": (
        line(2, wish=14),
        40,
        5,
        [(0, 0, 14, 2, 1), (17, 0, 14, 0, 1)],
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_places_in_one_line(name: str) -> None:
    parts, width, height, expected = EXACT[name]
    tiles = whole(parts, SIZES, (), width, height)
    shown = [(one.x, one.y, one.width, one.gutter, one.head) for one in tiles]
    assert shown == expected
    assert [(one.rows, one.columns) for one in tiles] == [(3, 2)] * 2


@pytest.mark.parametrize(("width", "height"), [(20, 5), (25, 3)])
def test_what_has_no_room_in_full_has_no_places(width: int, height: int) -> None:
    assert whole(line(2), SIZES, (), width, height) == []


def test_lines_without_a_place_in_common_begin_at_the_left() -> None:
    first, second = line(2)
    below = [part._replace(down=1, across=part.across + 2) for part in line(2)]
    tiles = whole((first, second, *below), SIZES, (), 25, 10)
    assert [(one.x, one.y) for one in tiles] == [(0, 0), (15, 0), (0, 5), (15, 5)]
    shared = [part._replace(down=1, across=1 - part.across) for part in line(1)]
    tiles = whole((first, second, *shared), SIZES, (), 27, 10)
    assert [(one.x, one.y) for one in tiles] == [(0, 0), (15, 0), (15, 5)]
    assert [one.gutter for one in tiles] == [2, 2, 2]


def test_row_numbers_are_as_wide_as_the_last_one() -> None:
    for rows, wide in ((1, 0), (10, 2), (11, 3)):
        [tile] = whole(line(1), {"r": rows, "c": 2}, (), 30, 20)
        assert tile.gutter == gutter(rows) == wide
    [tile] = whole(line(1), {"r": 3, "c": 1}, (), 30, 20)
    assert tile.head == 0


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (24, 6, (4, 2, 2, 1)),  # 2 + 10, a blank, 10
        (29, 6, (4, 2, 2, 1)),  # a column more would take ten
        (34, 7, (5, 3, 2, 1)),
        (20, 6, (4, 1, 2, 1)),  # of a window of two columns there is no more than one
        (11, 3, (2, 1, 0, 0)),  # and then the numbers go
        (9, 2, (1, 1, 0, 0)),  # there is no room
    ],
)
def test_windows_are_as_large_as_can_be(
    width: int, height: int, expected: tuple[int, int, int, int]
) -> None:
    tiles = windows(line(2), {"r": 90, "c": 9}, (), width, height)
    one = tiles[0]
    assert (one.rows, one.columns, one.gutter and 2, one.head) == expected


@pytest.mark.parametrize(
    ("rows", "width", "height", "seen"),
    [
        (8, 13, 9, (8, 1)),  # a title and eight rows; one column of 5 in each
        (8, 23, 9, (8, 2)),
    ],
)
def test_a_small_matrix_loses_columns_before_rows(
    rows: int, width: int, height: int, seen: tuple[int, int]
) -> None:
    tiles = windows(line(2), {"r": rows, "c": 9}, (), width, height)
    assert {(tile.rows, tile.columns) for tile in tiles} == {seen}


def test_windows_show_no_more_than_there_is() -> None:
    tiles = windows(line(2), SIZES, (), 90, 90)
    assert [(one.rows, one.columns) for one in tiles] == [(3, 2)] * 2
    assert [one.x for one in tiles] == [0, 13]  # windows are one blank apart


def test_titles_give_way_before_a_number_does() -> None:
    tiles = windows(line(2, title=20), {"r": 90, "c": 9}, (), 11, 2)
    assert [one.x for one in tiles] == [0, 6]
    assert [one.width for one in tiles] == [5, 5]


def test_of_windows_the_optional_ones_are_left_out_in_their_order() -> None:
    sizes = {"r": 90, "c": 9}
    for width, seen in (
        (41, [0, 1, 2]),
        (27, [0, 2]),
        (13, [0]),
        (1, [0]),
    ):  # with marks
        tiles = windows(line(3, title=10), sizes, (1, 2), width, 4)
        assert [one.number for one in tiles] == seen, width


@pytest.mark.parametrize(
    ("width", "height", "seen"),
    [
        # 3 · 6, a blank, 2 · 10, 2 · 4, 2 · 9; two titles and 3 rows each
        (67, 8, (3, 3, 2)),
        (61, 7, (3, 2, 2)),  # one column less of the left factor, six cells
        # titles are as wide as one number, and of 9, 13, 7 and 12 columns
        (44, 4, (1, 1, 1)),
        (44, 5, (2, 1, 1)),  # rows before the numbers of columns, which take two lines
    ],
)
def test_small_windows_of_a_product(
    width: int, height: int, seen: tuple[int, int, int]
) -> None:
    tiles = product(90, 90, 90, width, height)
    assert sorted(tiles) == [0, 1, 2, 3, 4]
    left, right, made, before, after = (tiles[number] for number in range(5))
    n, k, m = seen
    assert (left.rows, left.columns, left.head, left.gutter) == (n, k, 0, 0)
    assert (right.rows, right.columns) == (k, m)
    assert (made.rows, made.columns, made.y) == (n, m, 1 + k)
    wide = [max(6 * k, 9), max(10 * m, 13), max(4 * m, 7), max(9 * m, 12)]
    assert [one.width for one in (left, made, before, after)] == wide
    assert after.x == sum(wide[:3]) + 3


def test_what_is_empty_takes_no_room() -> None:
    [tile] = whole(line(1), {"r": 1, "c": 0}, (), 30, 20)
    assert tile.width == 0
    below = [part._replace(down=1) for part in line(1)]
    [tile] = whole(below, SIZES, (), 30, 20)
    assert tile.y == 0
