"""What a class sees: the step with its note, one line of program, no console."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from driving import painted, press, settle
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.arrangement import Arrangement, load_arrangement, save_arrangement
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.console import ConsolePane, Prompt
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.large import large
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.step.places import Size

if TYPE_CHECKING:
    from textual.screen import Screen

SIZES = ((80, 24), (120, 36), (200, 60), (160, 45))
each_size = pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)


def boxes(screen: Screen[Any]) -> list[str]:
    """Return the titles of the panes that are to be seen, from the top."""
    return re.findall(r"╭[─ ]+(?:1:)?(\w+)", "\n".join(painted(screen)))


@each_size
async def test_a_class_sees_one_line_of_program_and_the_step(
    size: tuple[int, int],
) -> None:
    app = GradstepApp(load("apple_orange"), present=True)
    async with app.run_test(size=size):
        await settle(app)
        for key in "ssssss":
            press(app, key)
            await settle(app)
            assert boxes(app.screen) == ["Program", "Step"]
        lines = painted(app.screen)
        assert lines[1].strip().startswith("start")  # the timeline
        assert "▶ 4 y = z * t" in lines[3]
        assert lines[-1].startswith(" s step")
        step = app.screen.query_one(StepPane)
        assert step.outer_size == (size[0], size[1] - 6)
        note = "the other factor. If the sum z grows by 1"
        assert note in " ".join(re.sub(r"[│ \n]+", " ", "\n".join(lines)).split())


@each_size
async def test_the_line_of_the_program_is_that_of_the_step(
    size: tuple[int, int],
) -> None:
    app = GradstepApp(load("three_layer"), present=True)
    async with app.run_test(size=size):
        await settle(app)
        assert isinstance(app.screen, MainScreen)
        for _ in range(27):
            press(app, "s")
            await settle(app)
            program = app.screen.query_one(ProgramPane)
            line = painted(app.screen)[program.region.y + 1]
            assert program.outer_size.height == 3
            shown = program.cursor + 1
            assert re.match(rf"│[▶ ●] *{shown} ", line), line


@each_size
async def test_the_numbers_of_the_chosen_element_are_large(
    size: tuple[int, int],
) -> None:
    app = GradstepApp(load("three_layer"), "#16", present=True)
    async with app.run_test(size=size):
        await settle(app)
        lines = painted(app.screen)
        # (x3 − t) ∘ x3 ∘ (1 − x3), by hand
        rows = large("0.458579 × 0.248284 = 0.113858")
        start = next(k for k, line in enumerate(lines) if rows[0] in line)
        for row, line in zip(rows, lines[start:], strict=False):
            assert row in line
    app = GradstepApp(load("three_layer"), "#16")
    async with app.run_test(size=size):
        await settle(app)
        assert rows[0] not in "\n".join(painted(app.screen))


# δ3 = (x3 − t) ∘ x3 ∘ (1 − x3), by hand: the first element, with its sign as a stroke
FIRST = ("-0.1017", "0.2433", "-0.4181")


@pytest.mark.parametrize("size", SIZES[1:], ids="{0[0]}x{0[1]}".format)
async def test_matrices_that_have_room_are_large(size: tuple[int, int]) -> None:
    app = GradstepApp(load("three_layer"), "#16", present=True)
    async with app.run_test(size=size) as pilot:
        await settle(app)
        step = app.screen.query_one(StepPane)
        figures = {tile.size for tile in step._written().tiles}
        [shown] = figures
        assert shown.wide >= 3
        lines = painted(app.screen)
        for number in FIRST:
            glyphs = [large_glyph(one, shown) for one in number]
            rows = ["".join(row) for row in zip(*glyphs, strict=True)]
            start = next(k for k, line in enumerate(lines) if rows[0] in line)
            for row, line in zip(rows, lines[start:], strict=False):
                assert row.rstrip() in line
        blank = [re.fullmatch(r"│ *│", line) for line in lines[:-2]]
        assert sum(map(bool, blank)) < len(lines) / 2
        # A click on a large number chooses it.
        facets = [facet.role for facet in step._facets]
        made = facets.index("contribution")
        tile = next(one for one in step._written().tiles if one.number == made)
        x = step.region.x + 1 + tile.x + tile.gutter + tile.size.wide * 3
        await pilot.click(offset=(x, step.region.y + 1 + tile.y + 2))
        await settle(app)
        assert "[0, 0] =" in painted(app.screen)[-2]
    app = GradstepApp(load("three_layer"), "#16")
    async with app.run_test(size=size):
        await settle(app)
        assert large(FIRST[0])[0] not in "\n".join(painted(app.screen))


def large_glyph(character: str, size: Size) -> list[str]:
    """Return a character as `Digits` of Textual draws it, stretched as by hand."""
    if character == ".":
        return [" "] * (size.high - 1) + ["•"]
    three = [row.ljust(3) for row in large(character)]
    across, down = (size.wide - 3) // 2, (size.high - 3) // 2
    rows = [
        "".join(one + ("━" if one in "┏┗┣━╺┻" else " ") * across for one in row[:2])
        + row[2]
        for row in three
    ]
    between = [
        "".join("┃" if one in "┏┓┃┣┫╻" else " " for one in row) for row in rows[:2]
    ]
    top, middle, bottom = rows
    return [top, *[between[0]] * down, middle, *[between[1]] * down, bottom]


async def test_a_window_that_is_large_is_filled_and_products_stay_in_their_places() -> (
    None
):
    app = GradstepApp(load("three_layer"), present=True)
    async with app.run_test(size=(200, 60)):
        await settle(app)
        assert isinstance(app.screen, MainScreen)
        pane = app.screen.query_one(StepPane)
        for at, share in ((18, 0), (12, 1 / 2)):  # W3.T @ δ3, and a product of numbers
            app.screen.run_line(f"goto {at}")
            await settle(app)
            present = pane._moment
            assert present is not None
            tiles = pane._written().tiles
            places = {present.facets[tile.number].role: tile for tile in tiles}
            below = max(tile.y + tile.height for tile in tiles)
            assert below >= share * pane.room.height
            assert all(tile.size.wide % 2 and tile.size.high % 2 for tile in tiles)
            if not share:
                upstream, made = places["upstream"], places["contribution"]
                assert upstream.x == made.x
                assert upstream.y < made.y == places["local"].y


async def test_large_matrices_are_windows_as_ever() -> None:
    seen: list[list[object]] = []
    for present in (True, False):
        app = GradstepApp(load("two_layer_net"), "#6", present=present)
        async with app.run_test(size=(120, 36)):
            await settle(app)
            tiles = app.screen.query_one(StepPane)._written().tiles
            seen.append([tile.size for tile in tiles])
    assert set(seen[0]) == set(seen[1]) == {Size()}


@each_size
async def test_the_prompt_opens_for_a_command_and_closes_behind_it(
    size: tuple[int, int],
) -> None:
    app = GradstepApp(load("apple_orange"), present=True)
    async with app.run_test(size=size):
        await settle(app)
        console = app.screen.query_one(ConsolePane)
        assert not console.display or console.region.height == 0
        press(app, "colon", *"goto y", "enter")
        await settle(app)
        assert isinstance(app.focused, Prompt)
        assert painted(app.screen)[-2].startswith("(gradstep)")
        assert isinstance(app.screen, MainScreen)
        assert app.screen.debugger.position == 4
        press(app, "escape")
        await settle(app)
        assert not any("(gradstep)" in line for line in painted(app.screen))
        press(app, "e")  # an answer to read is read there
        await settle(app)
        assert boxes(app.screen) == ["Program", "Step", "Console"]
        press(app, "s")
        await settle(app)
        assert boxes(app.screen) == ["Program", "Step"]


async def test_views_and_other_scenarios_are_shown_so_too() -> None:
    app = GradstepApp(load("three_layer"), present=True)
    async with app.run_test(size=(160, 45)):
        press(app, "end", "3")
        await settle(app)
        assert len(boxes(app.screen)) == 2
        assert any("x2.grad" in line for line in painted(app.screen))
        press(app, "ctrl+o", *"nan", "enter")
        await settle(app)
        assert boxes(app.screen) == ["Program", "Step"]


async def test_it_is_for_this_time_and_what_was_arranged_stays() -> None:
    save_arrangement(Arrangement(left=50))
    app = GradstepApp(load("three_layer"), present=True)
    async with app.run_test(size=(120, 36)):
        await settle(app)
        assert app.screen.query_one(ProgramPane).outer_size.width == 120
        press(app, "ctrl+down")  # what is arranged now is remembered as always
        await settle(app)
    assert load_arrangement() == Arrangement(left=50, console=1)
    app = GradstepApp(load("three_layer"))
    async with app.run_test(size=(120, 36)):
        await settle(app)
        assert app.screen.query_one(ProgramPane).outer_size.width == 50
