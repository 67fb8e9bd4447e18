"""The table of all lists, by itself in an application of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from textual.app import App, ComposeResult

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import load
from gradstep.tui.panes.base.pane import View
from gradstep.tui.panes.tables.table import Cell, Column, Row, TablePane, bar


class Lazy(Sequence[Row]):
    """A hundred thousand rows that count how many of them are made."""

    def __init__(self, count: int) -> None:
        self.size = count
        self.made: set[int] = set()

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, row: Any) -> Any:
        self.made.add(row)
        return (
            Cell(f"[/row{row}]", "name"),
            Cell(str(row / 8)),
            Cell("", "bar", row / self.size),
            Cell("x" * 30),
        )


class Example(TablePane):
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("name", width=8, order="name"),
        Column("number", "point", order="number"),
        Column("bar", wide=True, width=6, end="1"),
        Column("more", rank=1, least=10),
    )
    EMPTY: ClassVar[str] = "nothing"
    KEYS: ClassVar[Sequence[str]] = ("one key", "another one")

    def __init__(self, count: int) -> None:
        super().__init__()
        self.source = Lazy(count)
        self.done: list[tuple[str, int]] = []

    def rows(self, view: View) -> Sequence[Row]:
        del view
        return self.source

    def moved(self, row: int) -> None:
        self.done.append(("moved", row))

    def entered(self, row: int) -> None:
        self.done.append(("entered", row))


class Alone(App[None]):
    CSS = "Example { width: 100%; height: 100%; border: round white; }"

    def __init__(self, count: int = 100_000) -> None:
        super().__init__()
        self.table = Example(count)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()

    def on_ready(self) -> None:
        self.table.show(View(Debugger(load("apple_orange"))))

    def on_again(self) -> None:
        self.table.again()


def lines(table: TablePane) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


async def test_only_what_is_seen_is_made() -> None:
    app = Alone()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+end", "ctrl+home", "pagedown")
        table = app.table
        assert table.cursor == 8
        assert len(table.source.made) < 60
        await pilot.press("ctrl+end")
        assert lines(table)[-1].startswith("▸ [/row99999]")
        assert len(lines(table)) == 10


async def test_points_stand_in_one_column_and_widths_only_grow() -> None:
    app = Alone()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+end")
        wide = {line.index(".") for line in lines(app.table)[1:]}
        await pilot.press("ctrl+home")
        assert {line.index(".") for line in lines(app.table)[1:]} == wide
        assert len(wide) == 1


@pytest.mark.parametrize("width", [12, 20, 30, 44, 60, 100, 200])
async def test_columns_that_do_not_fit_are_left_out_and_nothing_sticks_out(
    width: int,
) -> None:
    app = Alone(30)
    async with app.run_test(size=(width, 12)) as pilot:
        await pilot.pause()
        found = lines(app.table)
        assert {len(line) for line in found} == {app.table.size.width}
        assert "name" in found[0]
        assert ("more" in found[0]) == (width >= 44)
        xs = found[1].count("x")
        assert xs == 30 if width > 60 else not xs or ("…" in found[1] and xs >= 9)


async def test_sorting_by_key_and_by_click() -> None:
    app = Alone(30)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        table = app.table
        seen = []
        for _ in range(3):
            await pilot.press("v")
            seen.append((table.sorted_by, table.descending))
        assert seen == [(0, False), (1, True), (-1, False)]
        await pilot.click(Example, offset=(5, 1))
        assert (table.sorted_by, table.descending) == (0, False)
        assert lines(table)[0].startswith("  name↑")
        await pilot.click(Example, offset=(5, 1))
        assert lines(table)[0].startswith("  name↓")
        await pilot.press("V")
        assert not table.descending


async def test_rows_are_chosen_by_keys_and_clicks() -> None:
    app = Alone(30)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        await pilot.press("down", "down", "up", "enter")
        await pilot.click(Example, offset=(5, 4))
        assert app.table.done == [
            ("moved", 1),
            ("moved", 2),
            ("moved", 1),
            ("entered", 1),
            ("entered", 2),
        ]


async def test_an_empty_table_says_so() -> None:
    app = Alone(0)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        await pilot.press("down", "enter", "pageup", "v", "ctrl+end")
        assert "nothing" in "".join(lines(app.table))
        assert app.table.done == []


def test_bars_take_no_more_room_than_there_is() -> None:
    for width in range(1, 20):
        assert len(bar(1.0, width)) == len(bar(0.0, width)) == width
        assert bar(1.0, width) == "█" * width
