"""What gives way where room ends: never a row of a small matrix before words do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from driving import main_screen, settle
from gradstep.core.scenario.scenario import Scenario, builtin_names, load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.snapshot import Wish, take
from gradstep.tui.draw.stage import pass_of
from gradstep.tui.panes.base.pane import Pane
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.program import ProgramPane
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.why import WhyPane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.geometry import Region

    from gradstep.tui.app.main_screen import MainScreen

SMALL = 8  # rows of a matrix that keeps them
CUT = " … 9"  # the end of a note that is cut
SIZES = pytest.mark.parametrize(
    "size", [(120, 36), (80, 24)], ids="{0[0]}x{0[1]}".format
)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def lesson(rows: int, columns: int, notes: str = "") -> str:
    """Return a scenario with steps of all kinds on matrices of these shapes."""
    return f"""
gradstep = 1
title = "Of all kinds"
program = '''
H = tanh(A * B + b)
P = H @ W
Q = P / S
m = mean(Q, axis=0)
E = sum(m * m) + sum(A + c)
'''
[inputs]
A = {{ random = "normal", shape = [{rows}, {columns}], seed = 1 }}
B = {{ random = "normal", shape = [{rows}, {columns}], seed = 2 }}
[parameters]
W = {{ random = "normal", shape = [{columns}, {rows}], seed = 3 }}
b = {{ random = "normal", shape = [{columns}], seed = 4 }}
c = {{ random = "normal", shape = [{rows}, 1], seed = 5 }}
[constants]
S = 3.0
[training]
optimizer = "sgd"
learning_rate = 0.1
iterations = 2
{notes}"""


OWN = """
gradstep = 1
title = "Four samples in rows"
convention = "rows"
program = '''
h = tanh(X @ W1 + b1)
Y = h @ W2 + b2
L = mean((Y - T) ** 2)
'''
[inputs]
X = [[0.5, -1.0], [1.5, 2.0], [-0.3, 0.8], [1.0, 1.0]]
[parameters]
W1 = [[0.2, -0.4, 0.7], [0.5, 0.1, -0.6]]
b1 = [0.1, 0.0, -0.2]
W2 = [[0.3, -0.5], [-0.8, 0.2], [0.6, 0.4]]
b2 = [0.05, -0.05]
[constants]
T = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
[notes]
"forward h" = "Three hidden units for each of the four samples."
"backward h" = "tanh lets through what its slope leaves, 1 - h², element by element."
"backward Y" = "b2 receives the sum over the four samples."
"""


def wrong(screen: MainScreen) -> Iterator[str]:
    """Yield what a step says though a row of a small matrix is cut."""
    pane, why = screen.query_one(StepPane), screen.query_one(WhyPane)
    present, tiles = pane._moment, pane._written().tiles
    assert present is not None
    cut = [
        pane._grids[tile.number].array.shape
        for tile in tiles
        if tile.rows < pane._grids[tile.number].rows <= SMALL
    ]
    lines = pane._written().lines
    assert len(lines) <= pane.room.height
    if not cut:
        return
    said = [" ".join("".join(part.text for part in line).split()) for line in lines]
    formula = present.told.formula
    for words in (formula.statement, formula.shapes, *present.told.reasons):
        start = " ".join(words.split()[:3])
        if start and any(one.startswith(start) for one in said):
            yield f"{cut} cut, and {words}"
    if any(" mean " in one for one in said):
        yield f"{cut} cut, and statistics"
    if why.whole_size.height > 3:
        yield f"{cut} cut, and {why.whole_size.height} lines for why"


def cut_rows(screen: MainScreen) -> Iterator[str]:
    """Yield the matrices of which a row is cut."""
    pane = screen.query_one(StepPane)
    for tile in pane._written().tiles:
        grid = pane._grids[tile.number]
        if tile.rows < grid.rows:
            yield f"{grid.array.shape} cut"


def cut_columns(screen: MainScreen) -> Iterator[str]:
    """Yield the matrices of which a column is cut."""
    pane = screen.query_one(StepPane)
    for tile in pane._written().tiles:
        grid = pane._grids[tile.number]
        if tile.columns < grid.columns:
            yield f"{grid.array.shape} cut"


def cut_for_less(screen: MainScreen) -> Iterator[str]:
    """Yield what stands on the screen in the lines that a cut note had needed."""
    pane, why = screen.query_one(StepPane), screen.query_one(WhyPane)
    present, written = pane._moment, pane._written()
    text = "".join(part.text for line in written.lines for part in line)
    if present is None or not present.told.notes or CUT not in text:
        return
    if any(tile.head for tile in written.tiles):
        yield "numbers of columns"
    if not "".join(part.text for part in written.lines[-1]).strip():
        yield "a blank line"
    if why.room.height > 1:
        yield f"{why.room.height} lines for why"


def hides_terms(screen: MainScreen) -> Iterator[str]:
    """Yield what a pane says instead of where a number comes from."""
    why = screen.query_one(WhyPane)
    seen = why._rows[why._top : why._top + why.room.height]
    if any(row.leads for row in why._rows) and not any(row.leads for row in seen):
        yield " / ".join(row.text for row in seen)


def hides_check(screen: MainScreen) -> Iterator[str]:
    """Yield a check that only a line above those in sight tells."""
    why = screen.query_one(WhyPane)
    above = [row for row in why._rows[: why._top] if "✓" in row.text]
    if above and not any(row.leads for row in why._rows[: why._top]):
        width = why.whole_size.width
        border = "".join(part.text for part in why.whole(why.whole_size.height - 1))
        if "✓ within" not in border:
            yield f"{above[0].text} and {border} of {width}"


async def walked(
    scenario: str | Scenario,
    size: tuple[int, int],
    look: Callable[[MainScreen], Iterator[str]],
) -> list[str]:
    """Go through a whole pass, and return what is found wrong at each step."""
    scenario = parse(scenario) if isinstance(scenario, str) else scenario
    app = GradstepApp(scenario)
    app.animation_level = "none"
    found: list[str] = []
    async with app.run_test(size=size):
        await settle(app)
        screen = main_screen(app)
        debugger, part = screen.debugger, ""
        while debugger.position < len(debugger.trace):
            screen.apply(debugger.execute("stepi"))
            before, part = part, pass_of(debugger.trace, debugger.position - 1)
            if part != before:
                await settle(app)  # each pass has lines of its own
            found += (f"{debugger.position}: {one}" for one in look(screen))
    return found


@SIZES
@pytest.mark.parametrize("rows", range(1, 6))
@pytest.mark.parametrize("columns", range(1, 5))
def test_words_and_neighbours_give_way_before_a_row(
    rows: int, columns: int, size: tuple[int, int]
) -> None:
    notes = "[notes]\n'backward H' = 'A line.'\n" if columns % 2 else ""
    assert asyncio.run(walked(lesson(rows, columns, notes), size, wrong)) == []


@SIZES
@pytest.mark.parametrize("name", builtin_names())
def test_no_scenario_loses_a_row_of_a_small_matrix_or_that_it_is_checked(
    name: str, size: tuple[int, int]
) -> None:
    def look(screen: MainScreen) -> Iterator[str]:
        pane = screen.query_one(StepPane)
        for tile in pane._written().tiles:
            grid = pane._grids[tile.number]
            if tile.rows < grid.rows <= SMALL:
                yield f"{grid.array.shape} in {tile.rows} rows"
        yield from hides_check(screen)

    assert asyncio.run(walked(load(name), size, look)) == []


@SIZES
def test_no_row_and_no_column_of_four_samples_is_cut(size: tuple[int, int]) -> None:
    for look in (cut_rows, cut_columns):
        assert asyncio.run(walked(OWN, size, look)) == []


@pytest.mark.parametrize("name", ["scalar_product", "matmul", "three_layer", "xor"])
def test_a_note_is_cut_only_where_nothing_gives_it_a_line(name: str) -> None:
    assert asyncio.run(walked(load(name), (80, 24), cut_for_less)) == []


def test_a_pane_of_one_line_says_where_a_number_comes_from() -> None:
    assert asyncio.run(walked(load("three_layer"), (80, 24), hides_terms)) == []


def test_small_matrices_of_a_step_show_more_than_one_column() -> None:
    def look(screen: MainScreen) -> Iterator[str]:
        pane = screen.query_one(StepPane)
        for tile in pane._written().tiles:
            columns = pane._grids[tile.number].columns
            if tile.columns == 1 < columns <= SMALL:
                yield f"one of {columns} columns"

    assert asyncio.run(walked(load("xor"), (80, 24), look)) == []


@pytest.mark.parametrize("name", builtin_names())
def test_a_wide_window_cuts_no_code_and_no_label(name: str) -> None:
    async def seen() -> tuple[list[str], list[str]]:
        app = GradstepApp(load(name))
        app.animation_level = "none"
        async with app.run_test(size=(200, 60)):
            await settle(app)
            screen = main_screen(app)
            program, graph = screen.query_one(ProgramPane), screen.query_one(GraphPane)
            scene, sources = graph._scene, screen.debugger.graph.sources
            assert scene is not None
            rows = range(min(scene.height, graph.content_size.height))
            labels = [
                piece.text for y in rows for _, _, p in scene.row(y)[1] for piece in p
            ]
            drawn = [program.render_line(y).text for y in range(program.size.height)]
            code = sources[screen.debugger.graph.main].text.splitlines()
            lines = [line.partition("#")[0].rstrip() for line in code]
            cut = [one for one in lines if not any(one in text for text in drawn)]
            return cut, [label for label in labels if label == "▸"]

    assert asyncio.run(seen()) == ([], [])


def test_the_comments_of_a_program_are_whole_in_a_wide_window() -> None:
    text = take(load("hidden_layer"), Wish(at="80%", size=(200, 60))).text
    program = " ".join(" ".join(line[1:59] for line in text.split("\n")).split())
    for comment in (
        "The first hidden bias by hand: by which routes does it reach E?",
        "δ2, the gradients of the three sums z2",
        "b1 moves h1 by the sigmoid's slope",
        "routes add",
    ):
        assert f"# {comment}" in program


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (80, 20), (160, 30)])
async def test_an_answer_leaves_all_panes_whole_and_goes_with_the_next_step(
    size: tuple[int, int],
) -> None:
    app = GradstepApp(load("three_layer"))
    app.animation_level = "none"
    async with app.run_test(size=size):
        await settle(app)
        screen = main_screen(app)

        async def stand(line: str) -> dict[str | None, Region]:
            screen.run_line(line)
            await settle(app)
            panes = screen.query(Pane)
            return {pane.id: pane.region for pane in panes if pane.display}

        before, answered = await stand("stepi"), await stand("info nodes")
        console = answered.pop("console")
        assert 1 < console.height <= size[1] // 3
        for name, region in answered.items():
            assert region.bottom <= console.y, name
            others = [one for other, one in answered.items() if other != name]
            assert not any(region.overlaps(one) for one in others), name
        assert await stand("stepi") == before
