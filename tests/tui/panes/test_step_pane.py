"""One step in four linked views, in any size, at any moment of any scenario."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.element import Element
from gradstep.core.engine.subject import NotePlace
from gradstep.core.engine.trace import Contribution
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.step.places import TITLE
from panes_app import PanesApp, program, text_of

Play = Callable[[PanesApp, Pilot[None]], Awaitable[None]]


def played(debugger: Debugger, at: str, size: tuple[int, int], play: Play) -> PanesApp:
    async def run() -> PanesApp:
        app = PanesApp(debugger, f"goto {at}")
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await play(app, pilot)
        return app

    return asyncio.run(run())


def shown(
    name: str, at: str, element: str = "", size: tuple[int, int] = (100, 60)
) -> str:
    texts: list[str] = []

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        if element:
            app.choose(element)
            await pilot.pause()
        texts.append(text_of(app.step))

    played(Debugger(load(name)), at, size, play)
    return texts[0]


def test_factors_of_a_formula_are_coloured_whichever_slice_is_seen() -> None:
    inks: list[dict[str, object]] = []

    async def play(app: PanesApp, _: Pilot[None]) -> None:
        lines = [app.step.draw(y) for y in range(3)]
        inks.append({text: ink for line in lines for text, ink, _ in line})

    for at in ("p.h<-p.z", "s<-s._1"):  # four axes, and two
        played(Debugger(load("conv")), at, (120, 60), play)
    for inked, upstream in zip(inks, ("∂E/∂p.h", "∂E/∂s"), strict=True):
        assert upstream in inked
        assert inked[upstream] != next(iter(inked.values()))


def test_a_contribution_in_all_its_views() -> None:
    text = shown("three_layer", "x2.z<-W2", "W2.grad[1, 3]")
    for part in (
        "W2 receives through  x2.z = W2 @ x1",
        "∂E/∂W2 = δ2 x1ᵀ   (3, 1) @ (1, 5) → (3, 5) = W2 ✓",
        "upstream δ2 (3, 1)",
        "local x1ᵀ (1, 5)",
        "▸contribution (3, 5)",
        "W2.grad += x2.z.grad @ x1.T",
        "W2.grad[1, 3] = δ2[1, 0] · x1[3, 0] = 0.0190105 × 0.396517 = 0.00753798",
        "W2.grad += x2.z.grad @ x1.T",
    ):
        assert part in text


def test_a_title_that_has_no_room_loses_a_word_and_no_number() -> None:
    place, number = "layer x1 · line 3", "= 0.6547534606063192"
    for width, title, exact in (
        (100, f"event 2 of 27 · forward · {place}", f"x1[0, 0] {number}"),
        (54, place, f"x1[0, 0] {number}"),
        (30, "", number),
    ):

        async def play(
            app: PanesApp, pilot: Pilot[None], title: str = title, exact: str = exact
        ) -> None:
            del pilot
            first, last = (
                "".join(text for text, *_ in app.step.whole(y))
                for y in (1, app.step.outer_size.height - 1)
            )
            assert first.endswith(f"  {title}" if title else first)
            assert ("line 3" in first) == bool(title)
            assert f"─ {exact} ─" in last

        played(Debugger(load("three_layer")), "x1", (width, 24), play)


@pytest.mark.parametrize("height", range(16, 44, 4))
def test_no_line_stays_empty_while_something_is_left_unsaid(height: int) -> None:
    text = shown("three_layer", "x2.z<-W2", size=(75, height))
    assert "0 → " in text or "1 of 1" in text
    assert "W2.grad += " in text or text.split("\n")[-1].strip()


@pytest.mark.parametrize("height", range(14, 40, 4))
def test_no_line_is_blank_while_rows_of_a_matrix_are_not_seen(height: int) -> None:
    text = shown("three_layer", "x2.z", size=(48, height)).split("\n\n")
    assert len(text) == 1 or "↓" not in text[-1]


def test_a_sum_over_broadcast_axes_stands_between() -> None:
    text = shown("broadcast_bias", "Z<-b", "b.grad[0]")
    assert "product" in text
    assert "Σ axis 0 → " in text


def test_a_shared_node_has_before_and_after() -> None:
    text = shown("shared_node", "end")
    assert "accumulated · use 2 of 2" in text
    assert "[1] → [2]" in " ".join(text.split())


def test_forward_seed_and_start() -> None:
    assert "press s to step" in shown("apple_orange", "start")
    assert "the seed" in shown("apple_orange", "#5")
    forward = shown("three_layer", "#1", "x1.z[0, 0]")
    assert "x1.z = W1 @ x0   (5, 4) @ (4, 1) → (5, 1)" in forward
    assert "x1.z[0, 0] = Σ W1[0, :] · x0[:, 0]\n" in forward
    terms = "0.2 × 0.5 + (-0.4) × (-0.2) + 0.1 × 0.1 + 0.5 × 0.9"
    assert f" = {terms} = 0.64 " in " ".join(forward.split())


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("size", [(48, 24), (120, 36), (24, 10)])
def test_every_moment_can_be_drawn(name: str, size: tuple[int, int]) -> None:
    async def play(app: PanesApp, _pilot: Pilot[None]) -> None:
        length = len(app.debugger.trace)
        for position in sorted({*range(0, length, max(length // 40, 1)), length}):
            app.run_lines([f"goto {position}"])
            app.chosen = None
            app.draw()
            for pane in (app.step, app.why):
                area = pane.content_size
                for y in range(area.height):
                    assert pane.render_line(y).cell_length == area.width
            if size[0] == 120 and app.step._moment is not None:
                formula = app.step._moment.told.formula
                assert formula.text in text_of(app.step)

    played(Debugger(load(name)), "start", size, play)


@pytest.mark.parametrize("name", ["attention", "conv", "three_layer", "two_layer_net"])
@pytest.mark.parametrize("size", [(40, 26), (48, 30), (120, 36)])
def test_factors_product_and_sum_are_always_there(
    name: str, size: tuple[int, int]
) -> None:
    async def play(app: PanesApp, _pilot: Pilot[None]) -> None:
        for position in range(
            app.debugger.trace.seed_position + 2, len(app.debugger.trace) + 1
        ):
            app.run_lines([f"goto {position}"])
            app.chosen = None
            app.draw()
            event = app.debugger.trace.event(position - 1)
            if not isinstance(event, Contribution):
                continue
            roles = [facet.role for facet in app.step._facets]
            seen = {roles[tile.number] for tile in app.step._written().tiles}
            assert {"upstream", "contribution"} < seen
            assert seen & {"local", "slopes"}
            text = text_of(app.step)
            assert "[" in text
            assert re.search(r"accumulated .*\d(?: of |/)\d", text)
            assert "→" in text

    played(Debugger(load(name)), "start", size, play)


def test_in_a_small_pane_the_cursor_is_always_seen() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        for _ in range(len(app.step._grids)):
            assert "▸" in text_of(app.step)
            assert "[" in text_of(app.step).split("▸")[1]
            await pilot.press("shift+right")

    played(Debugger(load("shared_node")), "end", (30, 18), play)
    played(Debugger(load("three_layer")), "x2.z<-W2", (48, 24), play)
    played(Debugger(load("broadcast_bias")), "end", (34, 24), play)


def test_arrows_choose_the_same_element_everywhere() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.choose("W2.grad[0, 0]")
        await pilot.press("down", "right")
        assert app.chosen == Element(w2, "grad", (1, 1))
        await pilot.press("shift+left")  # the local derivative: x1, turned
        assert app.chosen == Element(x1, "value", (1, 0))
        await pilot.press("right")
        assert app.chosen == Element(x1, "value", (2, 0))
        await pilot.press("shift+left")
        assert app.chosen == Element(z, "grad", (1, 0))
        assert "[1, 0]" in text_of(app.why) or "δ2" in text_of(app.why)

    debugger = Debugger(load("three_layer"))
    names = {node.name: node.index for node in debugger.graph.nodes}
    w2, x1, z = names["W2"], names["x1"], names["x2.z"]
    played(debugger, "x2.z<-W2", (100, 50), play)


def test_a_click_chooses_and_links() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        sheet = app.step._written()
        tile = sheet.tiles[2]
        grid = app.step._grids[tile.number]
        x = tile.x + tile.gutter + 2 * grid.cell + 1
        y = tile.y + TITLE + tile.head + 2
        await pilot.click("StepPane", offset=(x + 1, y))
        assert app.chosen is not None
        assert app.chosen.index == (1, 2)
        linked = [one.linked for one in app.step._grids]
        assert [region and region.text for region in linked] == [
            "[1, 0]",
            "[0, 2]",
            None,
            None,
            None,
        ]

    played(Debugger(load("three_layer")), "x2.z<-W2", (100, 50), play)


def test_a_click_on_a_title_asks_what_its_word_means() -> None:
    asked: list[str] = []

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        for tile in app.step._written().tiles:
            await pilot.click("StepPane", offset=(tile.x + 3, tile.y + 1))
            await pilot.pause()
        asked.extend(app.asked)

    played(Debugger(load("three_layer")), "x2.z<-W2", (100, 50), play)
    assert asked == [
        "words upstream",
        "words local",
        "words contribution",
        "words accumulated",
        "words accumulated",
    ]


def test_one_matrix_alone_and_back() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        await pilot.press("v")
        assert app.step.alone is not None
        assert app.step.alone.has_focus
        await pilot.press("down", "j", "2", "comma", "4", "enter")
        assert app.chosen is not None
        assert app.chosen.index == (2, 4)
        await pilot.press("v")
        assert app.step.has_focus
        assert app.step.alone is None
        assert "[2, 4]" in text_of(app.step)

    played(Debugger(load("three_layer")), "x2.z<-W2", (100, 50), play)


def test_keys_that_are_not_its_own_pass() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        before = app.chosen
        await pilot.press("s", "n", "enter", "end", "home", "escape", "x")
        assert app.chosen == before

    played(Debugger(load("three_layer")), "x2.z<-W2", (100, 50), play)


def test_names_are_never_read_as_markup() -> None:
    debugger = program("y = sum(W[0] * W[1])", "W = [[1.0, 2.0], [3.0, 4.0]]")

    texts: list[str] = []

    async def play(app: PanesApp, _pilot: Pilot[None]) -> None:
        for position in range(len(app.debugger.trace) + 1):
            app.run_lines([f"goto {position}"])
            app.draw()
            texts.append(text_of(app.step))

    played(debugger, "start", (80, 40), play)
    seed = debugger.trace.seed_position + 1
    assert all("W[" in text for number, text in enumerate(texts) if number != seed)
    assert "W[0]" in texts[1]
    assert "W[1]" in texts[2]


def test_an_empty_array_and_a_program_that_computes_nothing() -> None:
    for debugger, word in (
        (program("y = sum(W[0:0])", "W = [1.0, 2.0]"), "empty"),
        (program("y = W", "W = 2.0"), "seed"),
    ):
        texts: list[str] = []

        async def play(
            app: PanesApp, pilot: Pilot[None], texts: list[str] = texts
        ) -> None:
            for position in range(len(app.debugger.trace) + 1):
                app.run_lines([f"goto {position}"])
                app.draw()
                await pilot.press("down", "v", "M", "v")
                texts.append(text_of(app.step))

        played(debugger, "start", (80, 40), play)
        assert word in texts[1]
        assert all(texts)


def test_a_copy_of_a_negative_number_stands_without_brackets() -> None:
    texts: list[str] = []

    async def play(app: PanesApp, _: Pilot[None]) -> None:
        texts.append(text_of(app.step))

    debugger = program("z = a + b\ny = sum(z * k)", "a = [1.0, 2.0]\nb = 3.0\nk = -4.0")
    played(debugger, "z<-a", (100, 30), play)
    assert "a.grad[0] = ∂y/∂z[0] = -4" in texts[0]


def test_no_index_and_no_product_of_an_element_is_broken() -> None:
    text = shown("three_layer", "x2.z", size=(53, 40))
    # Of five products each stands whole in its line: W2[0, :] · x1 by hand.
    for product in ("0.3 × 0.654753", "(-0.1) × 0.450166", "0.5 × 0.598688"):
        assert product in text


def test_a_pane_of_a_few_columns_is_left_empty() -> None:
    assert "az" in shown("apple_orange", "az", size=(14, 24))
    assert shown("apple_orange", "az", size=(13, 24)).strip() == ""


def test_the_longest_note_has_its_lines() -> None:
    subject = load("apple_orange").subject
    notes = {NotePlace("start"): "four " * 20, NotePlace("end"): "short"}
    quiet, noted = (
        StepPane.lines_wanted(Debugger(subject._replace(notes=some)), 120)
        for some in ({}, notes)
    )
    assert noted - quiet == 2  # 99 characters in about 60 columns


def test_an_update_of_one_number_says_its_rate_under_whole_titles() -> None:
    text = shown("xor", "end", size=(60, 30))
    assert re.search(r"b2 before \(1,\) +▸b2.grad \(1,\) +b2 after \(1,\)", text)
    # b2 − α ∘ ∂E/∂b2 by hand: 0.1 − 1 · 0.0461523.
    assert "b2[0]: 0.1 → 0.0538477, α = 1, b2.grad[0] = 0.0461523" in " ".join(
        text.split()
    )
