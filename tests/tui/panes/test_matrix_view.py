"""A window on an array: right cells, right widths, and nothing but what is seen."""

import asyncio
import math
import re
import tracemalloc
from collections.abc import Awaitable, Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from gradstep.core.engine.measure import summarise
from gradstep.core.explain.links import Facet, Region
from gradstep.tui.draw.look import Look
from gradstep.tui.panes.base.known import Known
from gradstep.tui.panes.base.pane import Chosen
from gradstep.tui.panes.matrix.grid import (
    BARS,
    LEVELS,
    SHORTEST,
    Grid,
    Inks,
    Scale,
    map_of,
)
from gradstep.tui.panes.matrix.view import MatrixView, parse_index

NONE = Style()
PLAIN = (NONE,) * len(BARS)
INKS = Inks(PLAIN, (), *[NONE] * 10)
LOOK = Look()
PAINTS = tuple(Color.from_rgb(code, 0, 0) for code in range(len(BARS) + 1))


def drawn(grid: Grid, width: int = 60, height: int = 12) -> list[str]:
    grid.fit(width, height)
    lines = grid.lines(width, height, INKS)
    return ["".join(segment.text for segment in line) for line in lines]


def test_numbers_stand_below_their_columns_with_their_points_aligned() -> None:
    grid = Grid(np.array([[0.5, -12.25], [100.0, 0.0]]), LOOK)
    assert drawn(grid) == [
        "        0       1 ",
        "0    0.50  -12.25 ",
        "1  100.00    0    ",
    ]


def test_rows_and_columns_count_from_one_as_in_books() -> None:
    lines = drawn(Grid(np.arange(20.0).reshape(10, 2), Look(first=1)))
    assert lines[0].split() == ["1", "2"]
    assert [line.split()[0] for line in lines[1:]] == [str(k) for k in range(1, 11)]


def test_the_cursor_has_brackets_and_its_numbers() -> None:
    grid = Grid(np.arange(6.0).reshape(2, 3), LOOK)
    grid.cursor, grid.is_active = (1, 2), True
    assert drawn(grid)[2] == "1  3  4 [5]"


def test_numbers_that_are_joined_share_a_blank_and_the_brackets_of_the_cursor() -> None:
    grid = Grid(np.array([[1.5, -2.5, 3.5], [4.5, 5.5, -6.5]]), Look())
    grid.joined, grid.shown = True, (2, 3)
    grid.is_active = True
    for column, row in enumerate(
        ("[ 1.5]-2.5  3.5 ", "  1.5[-2.5] 3.5 ", "  1.5 -2.5[ 3.5]")
    ):
        grid.cursor = (0, column)
        lines = ["".join(t for t, *_ in line) for line in grid.cells(1, 0, INKS)]
        assert lines == [row, "  4.5  5.5 -6.5 "]
        assert {grid.cell_at(x, 0) for x in range(5 * column, 5 * column + 5)} == {
            (0, column)
        }
    grid.cursor = (1, 2)
    lines = ["".join(t for t, *_ in line) for line in grid.cells(3, 1, INKS)]
    assert lines == ["      0    1    2 ", "0   1.5 -2.5  3.5 ", "1   4.5  5.5[-6.5]"]


def test_signs_and_sizes_are_characters_without_room_for_numbers() -> None:
    array = np.array([[8.0, -8.0, 0.0, 1.0, np.nan, np.inf, -np.inf]])
    grid = Grid(array, LOOK)
    grid.compact = True
    assert drawn(grid)[1] == " █-█ · ▂NN+∞-∞"


def test_colours_say_how_large_where_there_are_any() -> None:
    grid = Grid(np.array([[8.0, -8.0, 0.0, 1.0, np.nan]]), LOOK)
    grid.compact = True
    grid.fit(60, 12)
    _, line = grid.lines(60, 12, INKS._replace(halves=PAINTS))
    assert "".join(segment.text for segment in line) == "   - ·  NN"


def test_levels_grow_with_magnitude() -> None:
    codes = Scale.of(np.linspace(0, 1, 50), LOOK).codes(np.linspace(0, 1, 50))
    assert codes[0] == 0
    assert codes[-1] == LEVELS
    assert np.all(np.diff(codes) >= 0)


@given(
    st.lists(st.floats(width=64), min_size=1, max_size=40),
    st.integers(1, 8),
    st.booleans(),
)
def test_all_lines_are_as_wide_as_they_say(
    numbers: list[float], columns: int, compact: bool
) -> None:
    rows = -(-len(numbers) // columns)
    array = np.resize(np.array(numbers), (rows, columns))
    grid = Grid(array, LOOK)
    grid.compact = compact
    assert {len(line) for line in drawn(grid, 500, 500)} == {grid.width}


@given(st.integers(0, 30), st.integers(0, 30), st.booleans())
def test_a_hit_finds_the_cell_that_is_drawn_there(
    row: int, column: int, compact: bool
) -> None:
    grid = Grid(np.zeros((31, 31)), LOOK)
    grid.compact, grid.is_active = compact, True
    grid.cursor = (row, column)
    grid.fit(20, 6)
    y = row - grid.top + grid.head
    x = grid.gutter + (column - grid.left) * grid.cell
    assert 0 <= x < 20
    assert 0 < y < 6
    assert grid.hit(x, y) == (row, column)
    assert grid.hit(x, 0) is None


@given(st.integers(2, 1200), st.integers(0, 1199), st.integers(6, 70), st.booleans())
def test_a_number_above_a_matrix_is_that_of_a_column_there(
    columns: int, column: int, width: int, compact: bool
) -> None:
    grid = Grid(np.zeros((3, columns)), LOOK)  # its cells are as narrow as any
    grid.compact = compact
    grid.cursor = (0, min(column, columns - 1))
    head = drawn(grid, width, 4)[0]
    assert len(head) == len(drawn(grid, width, 4)[1])
    # In a narrow window not even one number may have room.
    for found in re.finditer(r"\d+", head):
        first, last = (
            grid.left + (x - grid.gutter) // grid.cell
            for x in (found.start(), found.end() - 1)
        )
        assert first <= int(found[0]) <= last, head


def test_numbers_that_were_not_looked_at_keep_the_width() -> None:
    array = np.ones((500, 500))
    grid = Grid(array, LOOK)
    array[1, 1] = -1.2345e-300
    array[1, 3] = 9.87e200
    lines = drawn(grid, 80, 10)
    assert len({len(line) for line in lines}) == 1
    assert "-1e-300" in lines[2]
    assert "9.9e200" in lines[2]


ANY = st.one_of(
    st.floats(),
    st.floats(width=32),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([-1e-300, -1.7e308, -5e-324, math.nan, -math.inf, -0.0]),
)


@given(st.lists(ANY, min_size=1, max_size=6), st.integers(SHORTEST, 12))
def test_any_number_has_room_in_a_cell_and_what_is_shown_of_it_is_right(
    numbers: list[float], width: int
) -> None:
    scale = Scale.of(np.array(numbers, dtype=float), LOOK).within(width)
    for number, text in zip(numbers, scale.texts(map(float, numbers)), strict=True):
        assert len(text) == width
        shown = float(text)
        if not math.isfinite(number):
            assert str(shown) == str(number)
            continue
        assert (shown == 0) == (float(number) == 0)
        mantissa, _, exponent = text.strip().partition("e")
        places = len(mantissa.partition(".")[2]) - int(exponent or 0)
        error = abs(Fraction(text.strip()) - Fraction(float(number)))
        assert error <= Fraction(10) ** -places / 2


@pytest.mark.parametrize(
    ("numbers", "width", "expected"),
    [
        ([-0.01532, 0.01901], 9, [" -0.01532", "  0.01901"]),
        ([-0.01532, 0.01901], 7, ["-0.0153", " 0.0190"]),
        ([0.1234, -8.693e-4], 7, [" 0.1234", "-8.7e-4"]),
        ([196830.0, -1966.3], 7, [" 196830", "  -1966"]),
        ([2.0, -1.0], 7, ["      2", "     -1"]),
        ([math.nan, -math.inf], 7, ["    nan", "   -inf"]),
    ],
)
def test_narrower_cells_have_fewer_digits(
    numbers: list[float], width: int, expected: list[str]
) -> None:
    assert Scale.of(np.array(numbers), LOOK).within(width).texts(numbers) == expected


def test_linked_cells_are_those_of_the_region() -> None:
    ink = Style(underline=True)
    inks = INKS._replace(linked=ink)
    grid = Grid(np.zeros((3, 4)), LOOK)
    grid.linked = Region((range(1, 2), range(4)))
    marked = [
        [bool(segment.style and segment.style.underline) for segment in line[1:]]
        for line in grid.lines(60, 9, inks)[1:]
    ]
    assert marked == [[False] * 4, [True] * 4, [False] * 4]
    grid.linked = Region((range(3), range(4)), frozenset({(0, 1), (2, 3)}))
    found = [
        (row, column)
        for row, line in enumerate(grid.lines(60, 9, inks)[1:])
        for column, segment in enumerate(line[1:])
        if segment.style and segment.style.underline
    ]
    assert found == [(0, 1), (2, 3)]


def test_slices_turn_around() -> None:
    grid = Grid(np.arange(24.0).reshape(2, 3, 2, 2), LOOK)
    seen = [float(grid.window(1, 1)[0, 0])]
    for _ in range(6):
        assert grid.turn(1)
        seen.append(float(grid.window(1, 1)[0, 0]))
    assert seen == [0, 4, 8, 12, 16, 20, 0]
    assert not Grid(np.zeros((2, 2)), LOOK).turn(1)


@pytest.mark.parametrize(
    ("text", "index"),
    [("2,3", (2, 3)), (" 2 3 ", (2, 3)), ("4,0", None), ("1", None), ("9" * 99, None)],
)
def test_a_typed_index(text: str, index: tuple[int, ...] | None) -> None:
    assert parse_index(text, (4, 4)) == index


# ------------------------------------------------------------------------ the widget


class MatrixApp(App[None]):
    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        super().__init__()
        self.facet = Facet("value", array, 3, "value")
        self.chosen: list[tuple[int, ...] | None] = []

    def compose(self) -> ComposeResult:
        yield MatrixView(Known(summarise))

    @property
    def view(self) -> MatrixView:
        return self.query_one(MatrixView)

    def on_mount(self) -> None:
        self.show((0,) * self.facet.array.ndim)
        self.view.focus()

    def show(self, cursor: tuple[int, ...]) -> None:
        self.view.show(self.facet, cursor, None, Text("[/red] W"), Look())

    def on_chosen(self, message: Chosen) -> None:
        self.chosen.append(message.element.index)

    def text(self) -> str:
        lines = (self.view.render_line(y).text for y in range(self.view.size.height))
        return "\n".join(lines)


def played(
    array: np.ndarray[Any, Any],
    play: Callable[[MatrixApp, Pilot[None]], Awaitable[None]],
) -> MatrixApp:
    async def run() -> MatrixApp:
        app = MatrixApp(array)
        async with app.run_test(size=(60, 16)) as pilot:
            await pilot.pause()
            await play(app, pilot)
        return app

    return asyncio.run(run())


def test_keys_choose_cells() -> None:
    array = np.arange(1200.0).reshape(30, 40)
    array[7, 9], array[20, 1], array[25, 5] = np.nan, np.inf, -5.0

    async def play(app: MatrixApp, pilot: Pilot[None]) -> None:
        keys = ("down", "right", "end", "ctrl+end", "home", "ctrl+home", "M", "L")
        await pilot.press(*keys, "exclamation_mark", "exclamation_mark")
        await pilot.press("j", "3", "comma", "1", "4", "enter", "pagedown", "pageup")
        assert "[3, 14]" in app.text()

    app = played(array, play)
    assert app.chosen == [
        (1, 0),
        (1, 1),
        (1, 39),
        (29, 39),
        (29, 0),
        (0, 0),
        (20, 1),
        (25, 5),
        (7, 9),
        (20, 1),
        (3, 14),
        (14, 14),
        (3, 14),
    ]


def test_the_footer_says_everything_in_full() -> None:
    async def play(app: MatrixApp, pilot: Pilot[None]) -> None:
        app.show((0, 1))
        await pilot.pause()
        text = app.text()
        assert "[/red] W" in text
        assert "[0, 1] = 0.3333333333333333" in text
        assert "(2, 2)" in text
        assert "1 nan" in text
        await pilot.press("d")
        assert "strongest: 2" in app.text()

    played(np.array([[0.0, 1 / 3], [np.nan, 2.0]]), play)


def test_a_click_chooses() -> None:
    async def play(app: MatrixApp, pilot: Pilot[None]) -> None:
        await pilot.click(MatrixView, offset=(4, 3))
        assert app.chosen == [(1, 0)]

    played(np.ones((3, 3)), play)


def test_a_huge_matrix_costs_what_is_seen() -> None:
    array = np.broadcast_to(np.float64(1.5), (10_000, 10_000))

    async def play(app: MatrixApp, pilot: Pilot[None]) -> None:
        tracemalloc.start()
        app.show((9_999, 9_999))
        await pilot.pause()
        assert "9999" in app.text()
        app.show((5_000, 1))
        assert "5000" in app.text()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 40_000_000  # of 800 MB

    played(array, play)


def halved(array: np.ndarray[Any, Any], cursor: tuple[int, int]) -> Grid:
    grid = Grid(array, LOOK)
    grid.compact = grid.is_halved = grid.is_active = True
    grid.cursor = cursor
    return grid


def test_without_numbers_a_character_is_two_cells() -> None:
    grid = halved(np.array([[8.0, 0.0], [-8.0, np.nan], [1.0, 0.0]]), (2, 1))
    top, low = grid.lines(20, 5, INKS._replace(halves=PAINTS))[1:]
    signs = [(segment.text, segment.style) for segment in (*top[1:], *low[1:])]
    assert signs == [
        ("▀", Style(color=PAINTS[8], bgcolor=PAINTS[16])),
        ("▀", Style(color=PAINTS[0], bgcolor=PAINTS[17])),
        ("▀", Style(color=PAINTS[2], bgcolor=PAINTS[0])),
        ("▀", Style(color=PAINTS[-1], bgcolor=PAINTS[0])),
    ]
    assert grid.hit(grid.gutter + 1, 2) == (2, 1)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(2, 9))
def test_the_cursor_is_in_sight_of_halves(row: int, column: int, height: int) -> None:
    grid = halved(np.zeros((61, 61)), (60, 60))
    grid.fit(20, height)
    grid.cursor = (row, column)
    grid.fit(20, height)
    lines = grid.lines(20, height, INKS._replace(halves=PAINTS))
    styles = [
        segment.style for line in lines for segment in line if "▀" in segment.text
    ]
    assert any(style and PAINTS[-1] in (style.color, style.bgcolor) for style in styles)


def test_the_map_shows_all_and_frames_what_is_in_sight() -> None:
    array = np.zeros((40, 100))
    array[0, 0], array[39, 99] = 1.0, -1.0
    grid = halved(array, (0, 0))
    grid.compact = False
    grid.look_at(10, 20, 8, 40)
    lines = map_of(grid, INKS._replace(halves=PAINTS), 25, 10)
    pixels: list[list[int]] = []
    for line in lines:
        upper, lower = [], []
        for text, style, _ in line:
            assert style is not None
            assert style.color is not None
            assert style.bgcolor is not None
            upper += [PAINTS.index(style.color)] * len(text)
            lower += [PAINTS.index(style.bgcolor)] * len(text)
        pixels += [upper, lower]
    # Every second row, every fourth column: rows 8 … 17 are 4 … 8, columns 10 … 14.
    assert (len(pixels), len(pixels[0])) == (20, 25)
    frame = {
        (y, x) for y, row in enumerate(pixels) for x, p in enumerate(row) if p == 20
    }
    wanted = {(y, x) for y in range(4, 9) for x in range(10, 15)}
    assert frame == wanted - {(y, x) for y in range(5, 8) for x in range(11, 14)}
    assert pixels[0][0] == LEVELS
