"""A scroll bar that moves less often looks as one that moves each time."""

from typing import ClassVar

import pytest
from textual.app import App
from textual.geometry import Size
from textual.scrollbar import ScrollBar, ScrollBarRender

from gradstep.tui.panes.base.bars import SlowBar


def placed(cells: int, lines: int, whole: int) -> SlowBar:
    class Bar(SlowBar):
        size: ClassVar[Size] = Size(1, cells)  # type: ignore[misc]

    bar = Bar()
    bar.set_reactive(ScrollBar.window_size, lines)
    bar.set_reactive(ScrollBar.window_virtual_size, whole)
    return bar


def picture(bar: ScrollBar, position: float) -> object:
    made = ScrollBarRender.render_bar(
        bar.size.height, bar.window_virtual_size, bar.window_size, position
    )
    return made.segments


CASES = [(14, 14, 100_000), (14, 14, 300), (11, 11, 40), (20, 25, 30), (2, 2, 90)]


@pytest.mark.parametrize(("cells", "lines", "whole"), CASES)
async def test_the_picture_is_that_of_every_position(
    cells: int, lines: int, whole: int
) -> None:
    async with App[None]().run_test():
        bar = placed(cells, lines, whole)
        far = whole - lines
        places = [*range(0, far, far // 999 + 1), far]
        shown = [bar.validate_position(place) for place in places]
        for place, kept in zip(places, shown, strict=True):
            assert picture(bar, kept) == picture(bar, place)
        assert len(set(shown)) <= 8 * cells or set(shown) == set(places)


async def test_a_bar_of_nothing_or_of_a_cell_takes_any_position() -> None:
    async with App[None]().run_test():
        assert placed(5, 5, 0).validate_position(3) == 3
        assert placed(1, 1, 90).validate_position(3) == 3


@pytest.mark.parametrize(("cells", "lines", "whole"), CASES)
async def test_a_bar_stands_where_its_place_is_in_whichever_measure_it_came_there(
    cells: int, lines: int, whole: int
) -> None:
    async with App[None]().run_test():
        for place in (0, 1, (whole - lines) // 2, whole - lines):
            other, straight = placed(5, 6, 900), placed(cells, lines, whole)
            other.position = straight.position = place
            type(other).size = Size(1, cells)  # type: ignore[misc]
            other.window_size, other.window_virtual_size = lines, whole
            other.on_resize()
            assert other.position == straight.position


async def test_a_bar_that_was_dragged_stands_where_the_lines_do() -> None:
    async with App[None]().run_test():
        bar = placed(14, 14, 40)
        for dragged, line in ((3.4, 3), (3.6, 4), (0.4, 0), (25.7, 26)):
            assert bar.validate_position(dragged) == bar.validate_position(line)
