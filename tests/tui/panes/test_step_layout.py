"""Where the step pane draws numbers, labels and bars, by the room that there is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from driving import mouse
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
