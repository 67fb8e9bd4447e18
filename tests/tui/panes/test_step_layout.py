"""Where the step pane draws numbers, labels and bars, by the room that there is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from driving import mouse
from gradstep.tui.panes.step.layout import (
    KEPT,
    SHAPES,
    WHAT,
    Layout,
    Matrix,
    Part,
    Tile,
    Wish,
    laid_out,
)
from panes_app import PanesApp, program, text_of

Play = Callable[[PanesApp, Pilot[None]], Awaitable[None]]
BARS = frozenset("▁▂▃▄▅▆▇█")


def drawn(rows: int, columns: int, width: int, play: Play | None = None) -> str:
    """Draw the step that makes Y of X, in a pane of `width` columns within a border."""
    leaves = f"X = {{ random = 'normal', shape = [{rows}, {columns}], seed = 1 }}"

    async def run() -> str:
        app = PanesApp(program("Y = X * 1.5\nE = sum(Y)", leaves), "goto Y")
        async with app.run_test(size=(width + 2, 60)) as pilot:
            await pilot.pause()
            if play is not None:
                await play(app, pilot)
            return text_of(app.step)

    return asyncio.run(run())


def matrix(text: str) -> str:
    """Return what is drawn above the lines with labels."""
    return text.split("NumPy", maxsplit=1)[0].split("one element", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("rows", "columns", "is_dense"),
    [(6, 12, False), (10, 12, False), (12, 12, False), (12, 13, True), (14, 20, True)],
)
def test_a_matrix_of_144_elements_has_numbers_and_a_larger_one_bars(
    rows: int, columns: int, *, is_dense: bool
) -> None:
    text = matrix(drawn(rows, columns, 68))
    assert bool(BARS & set(text)) is is_dense
    assert ("0.3456" in text) is not is_dense  # X[0, 0]


def test_a_large_matrix_with_room_has_numbers() -> None:
    text = matrix(drawn(50, 3, 100))
    assert not BARS & set(text)
    assert "0.3456" in text


def test_labels_stand_where_there_are_sixty_columns() -> None:
    with_labels, without = drawn(2, 2, 60), drawn(2, 2, 59)
    for label, start in (("one element", "Y["), ("NumPy", "Y = X")):
        [line] = [row for row in with_labels.split("\n") if row.startswith(label)]
        assert line.index(start) == 13
        assert label not in without
    assert any(row.startswith("Y = X * 1.5") for row in without.split("\n"))


def test_matrices_beside_each_other_have_three_columns_between_them() -> None:
    rows = matrix(drawn(2, 2, 100)).split("\n")
    [row] = [row for row in rows if row.startswith("0 ")]
    end = row.index("0.8216") + len("0.8216") + 1  # a cell ends with room for a bracket
    [titles] = [row for row in rows if "▸Y" in row]
    assert titles.index("1.5") == end + 3 + 1  # room for the mark of what is made
    assert titles.index("▸Y") == end + 3 + len(" 1.5 ") + 3


def test_the_wheel_scrolls_a_matrix_by_three_rows() -> None:
    firsts: list[str] = []

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        def first() -> str:
            rows = [row.split() for row in text_of(app.step).split("\n")]
            return next(
                row[0].rstrip("↑") for row in rows if len(row) > 3 and "." in row[1]
            )

        for kind in (MouseScrollDown, MouseScrollDown, MouseScrollUp):
            firsts.append(first())
            mouse(app, kind, 6, 8)  # pyright: ignore[reportArgumentType]
            await pilot.pause()
        firsts.append(first())

    drawn(90, 2, 68, play)
    assert firsts == ["0", "3", "6", "3"]


# What stands where, without a screen. A number takes 6 columns; with a line of column
# numbers and 2 columns of row numbers, r × c numbers are 2 + 6c wide and r + 1 high.


def numbers(rows: int, columns: int, *title: str) -> Matrix:
    return Matrix(title or (" X",), (columns, rows + 1), 2, 6, rows * columns)


def lines(importance: int, count: int = 1) -> Part:
    return importance, [[]] * count


def placed(
    matrices: list[Matrix],
    width: int,
    height: int,
    *,
    wish: Wish | None = None,
    above: tuple[Part, ...] = (),
    below: tuple[Part, ...] = (),
) -> Layout:
    wish = wish or Wish(len(matrices) - 1)
    sides = (above, below)
    return laid_out(matrices, wish, (width, height), sides, lambda _: [[], []])


def test_matrices_that_fit_stand_beside_each_other_in_full() -> None:
    layout = placed([numbers(2, 3), numbers(4, 2)], 80, 20)
    assert layout.tiles == [Tile(0, 0, 0, 20, 4, 1), Tile(1, 23, 0, 14, 6, 1)]


def test_what_is_too_wide_for_the_row_goes_into_the_next_one() -> None:
    layout = placed([numbers(2, 3), numbers(4, 2)], 36, 20)
    assert layout.tiles == [Tile(0, 0, 0, 20, 4, 1), Tile(1, 0, 4, 14, 6, 1)]


def test_a_title_of_two_parts_is_on_one_line_where_that_takes_no_room() -> None:
    title = " upstream", " (2, 1)"
    wide = placed([numbers(2, 1, *title)] * 2, 80, 20)
    assert [tile.title for tile in wide.tiles] == [1, 1]
    assert wide.titles[0] == (" upstream (2, 1)",)
    narrow = placed([numbers(2, 1, *title)] * 2, 25, 20)
    assert [tile.title for tile in narrow.tiles] == [2, 2]
    assert [tile.y for tile in narrow.tiles] == [0, 0]


def test_of_little_room_the_least_important_lines_are_left_out_first() -> None:
    matrices = [numbers(4, 2)]  # six lines with the title
    below = (lines(1), lines(5), lines(3), lines(KEPT))
    for height, left in ((10, [1, 5, 3, KEPT]), (9, [5, 3, KEPT]), (8, [5, KEPT])):
        layout = placed(matrices, 80, height, below=below)
        assert [importance for importance, _ in layout.below] == left
        assert layout.tiles == [Tile(0, 0, 0, 14, 6, 1)]


def test_lines_that_are_kept_make_a_window_of_the_matrix() -> None:
    layout = placed([numbers(20, 2)], 80, 10, below=(lines(KEPT, 2), lines(1)))
    assert [importance for importance, _ in layout.below] == [KEPT]
    assert layout.tiles == [Tile(0, 0, 0, 14, 8, 1)]


def test_a_line_that_has_room_after_all_is_taken_back() -> None:
    below = (lines(2, 1), lines(3, 5), lines(KEPT))
    layout = placed([numbers(4, 2)], 80, 9, below=below)
    assert [importance for importance, _ in layout.below] == [2, KEPT]


def test_where_they_have_no_room_large_matrices_are_dense_and_small_ones_are_not() -> (
    None
):
    layout = placed([numbers(50, 50), numbers(12, 12)], 60, 20)
    assert [matrix.is_dense for matrix in layout.matrices] == [True, False]
    asked = placed([numbers(50, 50), numbers(12, 12)], 60, 20, wish=Wish(0, dense=True))
    assert [matrix.is_dense for matrix in asked.matrices] == [True, True]


def test_of_many_matrices_in_a_small_room_the_one_with_the_cursor_is_seen() -> None:
    for active in range(4):
        layout = placed([numbers(9, 9)] * 4, 20, 6, wish=Wish(active))
        assert active in [tile.number for tile in layout.tiles]
        assert len(layout.tiles) < 4
        ends = [tile.x + tile.width for tile in layout.tiles]
        assert max(ends) <= 20


def test_that_some_are_not_seen_is_said_in_the_place_of_what_the_step_is() -> None:
    above = (lines(WHAT), lines(KEPT))
    layout = placed([numbers(9, 9)] * 4, 20, 12, above=above)
    assert [len(part) for _, part in layout.above] == [2, 1]


def importances(parts: Sequence[Part]) -> list[int]:
    return [importance for importance, _ in parts]


def test_what_matters_8_is_never_left_out_and_what_matters_7_may_be() -> None:
    layout = placed([numbers(20, 2)], 80, 6, below=(lines(7), lines(8)))
    assert importances(layout.below) == [8]
    assert layout.tiles == [Tile(0, 0, 0, 14, 5, 1)]


def test_a_window_of_four_lines_is_small_enough_to_say_what_the_step_is() -> None:
    layout = placed([numbers(20, 2)], 80, 5, above=(lines(0), lines(WHAT)))
    assert importances(layout.above) == [WHAT]
    assert layout.tiles == [Tile(0, 0, 0, 14, 4, 1)]


def test_shapes_matter_more_than_what_the_step_is() -> None:
    layout = placed([numbers(20, 2)], 80, 5, above=(lines(WHAT), lines(SHAPES)))
    assert importances(layout.above) == [SHAPES]


def test_a_dense_cell_has_two_columns() -> None:
    [tile] = placed([numbers(50, 20)], 60, 20, wish=Wish(0, dense=True)).tiles
    assert tile.width == 2 + 20 * 2


def test_sixteen_columns_of_a_title_are_shown() -> None:
    tall = numbers(30, 2, "t" * 40)
    tiles = placed([tall, tall], 34, 12).tiles
    assert [(tile.x, tile.width) for tile in tiles] == [(0, 17), (18, 16)]
