"""Where the step pane draws numbers, labels and bars, by the room that there is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from driving import mouse
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.snapshot import Wish, take
from gradstep.tui.panes.step.lines import equation, labelled
from gradstep.tui.panes.step.priority import Matters
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


def test_a_matrix_that_has_room_is_whole_and_has_numbers() -> None:
    text = matrix(drawn(12, 3, 100))
    assert not BARS & set(text)
    assert "0.3456" in text  # X[0, 0]
    assert [row.split()[0] for row in text.split("\n")[5:17]] == list(
        map(str, range(12))
    )


def test_a_larger_one_is_a_window_with_marks_where_it_is_cut() -> None:
    text = matrix(drawn(50, 20, 68))
    assert not BARS & set(text)
    assert re.search(r"\d↓ ", text)
    rows = [re.findall(r"\d+", row) for row in text.split("\n") if row.endswith("→")]
    assert len(rows) == 2  # X above, and Y below it
    assert rows[0] == rows[1]  # they show the same columns


def test_which_slice_is_seen_stays_longer_than_the_shape() -> None:
    """At 120 columns the titles of a convolution have no room for their shapes."""
    text = take(load("conv"), Wish(at="end")).text
    assert "upstream ∂E/∂p.z at [0, 1]" in text
    assert "▸contribution at [1, 0]" in text
    assert "accumulated at [1, 0] · use 1 of 1" in text
    text = take(load("conv"), Wish(at="end", size=(200, 60))).text
    assert "upstream ∂E/∂p.z (1, 2, 4, 4) at [0, 1]" in text


def test_a_slice_stands_behind_a_name_before_the_name_goes() -> None:
    text = take(load("conv"), Wish(at="end", size=(80, 24))).text
    for title in (
        "upstream ∂E/∂p.z[0, 1]",
        "local slopes at [0, 1]",
        "▸contribution[1, 0]",
    ):
        assert title in text


def test_titles_count_indices_as_formulas_do() -> None:
    text = take(load("conv"), Wish(at="end", first=1)).text
    for title in ("∂E/∂p.z at 1, 2", "local slopes of F₂₁₁₂ at 1, 2", "use 1 of 1"):
        assert title in text
    assert "accumulated at 2, 1 · use" in text
    text = take(load("conv"), Wish(at="end", size=(80, 24), first=1)).text
    assert "upstream ∂E/∂p.z at 1, 2 " in text


def test_nothing_stands_beside_the_first_of_two_lines_of_a_formula() -> None:
    text = take(load("cross_entropy"), Wish(at="#11")).text
    assert "∂written/∂(Σ (y ∘ log(a)))  " in text
    assert "│= −∂L/∂written" in text  # broken before a sign
    assert " line 4" not in text


def test_a_text_is_cut_between_its_words() -> None:
    text = "one two three four five six"
    said = labelled(Matters.NOTE, "note", [text], 12, Style())
    line = said.wordings[-1][0]
    assert "".join(part.text for part in line) == "one two … 9"


def test_d_draws_it_dense() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        assert not BARS & set(matrix(text_of(app.step)))
        await pilot.press("d")

    text = matrix(drawn(14, 20, 68, play))
    assert re.search(r"^13[ -]+-[ -]+$", text, re.MULTILINE)  # only signs
    assert "0.3456" not in text


def test_labels_stand_where_there_are_sixty_columns() -> None:
    with_labels, without = drawn(2, 2, 60), drawn(2, 2, 59)
    for label, start in (("one element", "Y["), ("NumPy", "Y = X"), ("array", "(2")):
        [line] = [row for row in with_labels.split("\n") if row.startswith(label)]
        assert line.index(start) == 13
    assert "one element" not in without
    # What is no sentence would not say what it is.
    rows = without.split("\n")
    assert any(row.startswith("NumPy  Y = X * 1.5") for row in rows)
    assert any(row.startswith("array  (2, 2)  ") for row in rows)


def test_code_is_there_whole_or_not_at_all() -> None:
    """A part of it would be another computation."""
    text = "x.grad += y.grad * np.exp(x)"
    code = labelled(Matters.NUMPY, "NumPy", [text], 24, Style())
    reason = labelled(Matters.REASON, "why", [text], 24, Style())
    assert [len(lines) for lines in code.wordings] == [2]
    assert [len(lines) for lines in reason.wordings] == [2, 1]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("y = x", ["y = x"]),
        ("y = a · b + c · d = 2 · 3", ["y = a · b + c · d", "= 2 · 3"]),
        ("y[0] += a · b + c · d", ["y[0]", "+= a · b + c · d"]),
        # Before a sign it would take a line more.
        ("y = a = a · b + c · d + e = 2", ["y = a = a · b + c ·", "d + e = 2"]),
        ("W: 1 → 2, α = 0.1, g = 7", ["W: 1 → 2, α = 0.1,", "g = 7"]),
    ],
)
def test_an_equation_is_broken_before_its_signs(text: str, lines: list[str]) -> None:
    broken = equation(Segment(text), 19)
    assert ["".join(part.text for part in line) for line in broken] == lines


def test_matrices_have_three_columns_between_them_and_one_where_room_is_short() -> None:
    # X takes 22 columns where there is room, and else two numbers of 9 with 2 for rows.
    for width, place in ((68, 22 + 3), (50, 20 + 1)):
        rows = matrix(drawn(2, 2, width)).split("\n")
        [titles] = [row for row in rows if "▸Y" in row]
        assert titles.index("1.5") == place + 1, width


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


def test_the_frame_does_not_tell_where_the_largest_number_will_be() -> None:
    leaves = "X = [[1.0, 2.0], [3.0, 9.0]]"
    seen: list[str] = []

    async def run(at: str) -> None:
        app = PanesApp(program("Y = X * 2.0\nE = sum(Y)", leaves), f"goto {at}")
        async with app.run_test(size=(80, 40)) as pilot:
            await pilot.pause()
            text = text_of(app.step)
            seen.append(" ".join(re.findall(r"\?|\[ *[0-9?]+\]", text)))

    for at in ("start", "Y"):
        asyncio.run(run(at))
    assert seen[0].startswith("[ ?] ? ? ?")
    assert seen[1] == "[18]"
