"""Comments that are cut stand whole below the program, and stay where they are."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from driving import main_screen, press, settle
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.panes.base.pane import folded
from gradstep.tui.panes.comments import Row, page_of, pages
from gradstep.tui.panes.program import ProgramPane

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = [(80, 24), (120, 36), (200, 60)]
SAMPLE = ["attention", "apple_orange", "cross_entropy", "three_layer"]
CASES = [
    (name, size)
    for size in SIZES
    for name in (builtin_names() if size == (120, 36) else SAMPLE)
]
FIRST = re.compile(r"[▶ ] +(\d+) # ?")


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


class Drawn(NamedTuple):
    """What the pane of the program shows at a step."""

    code: tuple[str, ...]  # the lines of the program
    present: int  # the line of the step
    width: int  # of the code
    rows: list[str]


def walked(name: str, size: tuple[int, int]) -> list[Drawn]:
    """Step through a scenario, and return what the pane of its program shows."""
    app = GradstepApp(load(name))
    app.animation_level = "none"
    found: list[Drawn] = []

    async def run() -> None:
        async with app.run_test(size=size):
            await settle(app)
            screen = main_screen(app)
            pane = screen.query_one(ProgramPane)
            while screen.debugger.position < len(screen.debugger.trace):
                press(app, "s")
                await settle(app)
                rows = [pane.render_line(y).text for y in range(pane.size.height)]
                width = pane.size.width - pane._left
                found.append(Drawn(pane._lines, pane._present, width, rows))

    asyncio.run(run())
    return found


def comments_below(drawn: list[str], lines: int) -> Iterator[tuple[int, str]]:
    """Yield the comments below a program, each with the number of its line."""
    number, text = 0, ""
    for row in [*drawn[lines + 1 :], ""]:
        start = FIRST.match(row)
        if number and (start or not row.strip()):
            yield number, text
            number = 0
        if start:
            number, text = int(start[1]), row[start.end() :].strip()
        elif row.strip():
            text += f" {row.strip()}"


def cut(seen: Drawn) -> set[int]:
    """Return the lines whose comment is nowhere whole."""
    below = dict(comments_below(seen.rows, len(seen.code)))
    comments = comments_of(seen)
    assert all(text and comments[n] == text for n, text in below.items())
    return {n for n in comments if comments[n] not in seen.rows[n - 1]} - below.keys()


def comments_of(seen: Drawn) -> dict[int, str]:
    """Return the comment of each line."""
    return {n: line.partition("#")[2].strip() for n, line in enumerate(seen.code, 1)}


@pytest.mark.parametrize(("name", "size"), CASES)
def test_a_comment_is_whole_where_there_are_blank_lines_and_stays_in_its_place(
    name: str, size: tuple[int, int]
) -> None:
    places: dict[tuple[int, str], set[int]] = {}
    for seen in walked(name, size):
        room = len(seen.rows) - len(seen.code) - 1
        if room < 1:
            continue
        for y, row in enumerate(seen.rows):
            if y > len(seen.code) and FIRST.match(row):
                # What is said above the panes may take a line of this one.
                places.setdefault((room, row.lstrip("▶ ")), set()).add(y)
        heights = {
            number: len(folded(text, seen.width - 2))
            for number, text in comments_of(seen).items()
        }
        # That of the step goes first; the others come where there is room for all.
        lost = cut(seen)
        assert seen.present not in lost or heights[seen.present] > room
        assert not lost or sum(heights[n] for n in heights) > room
    assert all(len(found) == 1 for found in places.values()), places


LINES = """\
a = f(x)  # one two three four
b = a     # five
# a line of its own that is long
y = b     # six seven eight nine
"""


def test_comments_without_room_for_all_stand_on_pages() -> None:
    found = pages(LINES, 26, 7)
    assert [[row.line for row in page] for page in found] == [[1, 2], [3, 3], [4]]
    assert found[1] == (
        Row(3, "# a line of its own that", is_first=True),
        Row(3, "  is long", is_first=False),
    )
    assert [page_of(found, line) for line in (1, 2, 3, 4)] == [
        *(found[0], found[0], found[1], found[2])
    ]
    assert [len(page) for page in pages(LINES, 26, 10)] == [5]


def test_a_comment_higher_than_the_room_is_left_out() -> None:
    assert [row.line for page in pages(LINES, 26, 6) for row in page] == [1, 2, 4]
    assert pages(LINES, 26, 5) == pages(LINES, 2, 9) == ()
    assert page_of((), 3) == ()


def test_where_one_is_cut_all_stand_below_if_they_have_room() -> None:
    text = "a = f(x)  # one two three four\nb = a  # 5\n# a line of its own\n"
    assert [row.text for row in pages(text, 30, 6)[0]] == [
        "# one two three four",
        "# 5",
    ]
    assert [row.line for page in pages(text, 30, 5) for row in page] == [1]


def test_a_comment_that_fits_beside_its_line_is_not_said_twice() -> None:
    assert pages(LINES, 60, 30) == ()
    assert pages("y = a + line * that / is - longer", 20, 30) == ()
