from __future__ import annotations

import asyncio
import math
import re
import unicodedata
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from gradstep import load
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.element import Element
from gradstep.core.engine.graph import Builder
from gradstep.core.ops import OPS
from gradstep.core.scenario.scenario import builtin_names
from gradstep.tui.app.keys import LINES
from gradstep.tui.graph import rail
from gradstep.tui.graph.drawing import SHORT_WIDTH, joint, room_behind
from gradstep.tui.graph.listing import Listing
from gradstep.tui.graph.scene import PLANS, Atlas, Picture, _placed
from gradstep.tui.panes.base.pane import Chosen, View
from gradstep.tui.panes.graph.canvas import Canvas
from gradstep.tui.panes.graph.faces import Face, face
from gradstep.tui.panes.graph.pane import GraphPane
from gradstep.tui.panes.graph.search import Search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gradstep.core.ops.table import Array
    from gradstep.tui.graph.drawing import Piece

_LAST = "goto output"  # the last step of the forward pass
Check = Callable[["PaneApp", Pilot[None]], Awaitable[None]]


class PaneApp(App[None]):
    """The pane alone. What is chosen comes back to it, as in the application."""

    def __init__(self, debugger: Debugger) -> None:
        super().__init__()
        self.debugger = debugger
        self.element: Element | None = None

    def compose(self) -> ComposeResult:
        yield GraphPane()

    @property
    def pane(self) -> GraphPane:
        return self.query_one(GraphPane)

    def on_mount(self) -> None:
        self.pane.styles.height = "1fr"
        self.pane.focus()

    def on_chosen(self, message: Chosen) -> None:
        self.element = message.element
        self.draw()

    def on_again(self) -> None:
        self.draw()

    def draw(self) -> None:
        self.pane.show(View(self.debugger, None, self.element))

    def run_line(self, line: str) -> None:
        assert self.debugger.execute(line).ok
        self.draw()

    def lines(self) -> list[str]:
        """Return what the canvas shows, without what is empty."""
        canvas = self.query_one(Canvas)
        strips = [canvas.render_line(y) for y in range(canvas.size.height)]
        lines = ["".join(s.text for s in strip).rstrip() for strip in strips]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def text(self) -> str:
        return "\n".join(self.lines())

    @property
    def scene(self) -> Picture | Listing:
        scene = self.pane._scene
        assert scene is not None
        return scene

    @property
    def chosen_name(self) -> str:
        assert self.element is not None
        return self.debugger.graph.nodes[self.element.node].name

    def name_style(self, name: str) -> Any:
        """Return the style in which the name of a node is shown."""
        canvas = self.query_one(Canvas)
        for y in range(canvas.size.height):
            for segment in canvas.render_line(y):
                if segment.text.strip() == name:
                    return segment.style
        raise AssertionError(name)


def run(
    check: Check, source: str, size: tuple[int, int] = (70, 30), at: str = "start"
) -> None:
    async def main() -> None:
        debugger = Debugger(load(source))
        assert debugger.execute(f"goto {at}").ok
        app = PaneApp(debugger)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            app.draw()
            await pilot.pause()
            await check(app, pilot)

    asyncio.run(main())


def picture(source: str, size: tuple[int, int], at: str) -> str:
    found: list[str] = []

    async def check(app: PaneApp, _pilot: Pilot[None]) -> None:
        found.append(app.text)

    run(check, source, size, at)
    return found[0]


APPLE_ORANGE = """\
 ✓ a      100 ━━┓   ╭─────────────╮    ✓ t      1.1 ─┐
                ┣━━→┥▶ az      300├─┐                │
 ✓ an        3 ━┛   │  *          │ │                │
                    ╰─────────────╯ │ ╭────────────╮ │ ╭────────────╮
                                    ├→┤○ z         ├─┴→┤○ y         │
 ✓ o       50 ────┐ ╭─────────────╮ │ │  +         │   │  *         │
                  ├→┤○ oz         ├─┘ ╰────────────╯   ╰────────────╯
 ✓ on        4 ───┘ │  *          │
                    ╰─────────────╯"""

SHORT_OF_ROOM = """\
○ a       ○ an       ▶ o   4.4 ○ on
    └────┬────┘          ┃         │
         │               ┗━━━━┱────┘
         ↑                    ↑
    ✓ az *   1.1         ✓ oz *   1.1
         └──────────┬─────────┘
                    ↑
    ✓ t   500  ✓ z +   1.1
        └───────────┤
                    ↑
               ✓ y *     1"""

THREE_LAYER = """\
           ○ x0            ○ W1
                 └──────←┬→──────┘
✓ W2 ‖0.0395‖   ▶ x1 ▸layer ‖0.0197‖
      └─────────────────←┨
✓ W3 ‖0.1427‖   ✓ x2 ▸layer  ‖0.137‖
      └─────────────────←┤
 · t            ✓ x3 ▸layer ‖0.6206‖
      └─────────────────←┤
        ✓ E ▸0.5 * sum((x3 - t) ** 2)     1"""


def test_apples_and_oranges_are_a_tree_from_left_to_right() -> None:
    assert picture("apple_orange", (72, 11), "az@forward") == APPLE_ORANGE


def test_the_arrows_turn_round_in_the_backward_pass() -> None:
    assert picture("apple_orange", (43, 11), "o@backward") == SHORT_OF_ROOM


def test_three_layers_are_a_chain_of_layers_where_room_is_short() -> None:
    assert picture("three_layer", (43, 11), "x2@backward") == THREE_LAYER


def test_where_there_is_room_everything_is_unfolded() -> None:
    text = picture("three_layer", (70, 30), "start")
    for name in ("x1.z @", "x3 sigmoid", "E._2 (x3 - t) ** 2", "E 0.5 *"):
        assert name in text
    assert "▸" not in text


def test_scalars_show_their_numbers() -> None:
    text = picture("apple_orange", (72, 14), "end")
    for number in ("3.3", "110", "4.4", "55", "500", "1.1"):
        assert number in text


def test_one_and_five_hundred_are_told_apart() -> None:
    # The gradients are 1, 1.1, 4.4 and 500, in a pane of the smallest usual window.
    text = picture("apple_orange", (43, 11), "#10")
    for name, number in (("y *", "1"), ("z +", "1.1"), ("▶ o", "4.4"), ("✓ t", "500")):
        assert re.search(rf"{re.escape(name)} +{re.escape(number)}\b", text)


@pytest.mark.parametrize("name", builtin_names())
def test_with_room_no_label_is_cut_and_every_box_has_a_number(name: str) -> None:
    atlas = Atlas(load(name).subject.graph)
    scene = atlas.whole(atlas.opened(atlas.deepest), (1000, 300), None)
    assert isinstance(scene, Picture)
    labels = [label for row in scene.drawing.labels for label in row]
    assert not [p.text for _, _, pieces in labels for p in pieces if "…" in p.text]
    numbered = [b for _, b, pieces in labels for p in pieces if p.part == "number"]
    assert sorted(numbered) == list(range(len(scene.sketch.boxes)))


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("room", [(43, 15), (25, 9), (58, 26)])
def test_a_bar_stands_only_where_a_number_has_no_room(
    name: str, room: tuple[int, int]
) -> None:
    atlas = Atlas(load(name).subject.graph)
    scene, _ = atlas.automatic(room, None)
    if not isinstance(scene, Picture) or not scene.down:
        return
    for row in scene.drawing.labels:
        for _, box, pieces in row:
            if any(piece.part == "bar" for piece in pieces):
                # a blank and a bar in place of a blank and a number
                free = room_behind(scene.drawing, box, room[0])
                assert free < SHORT_WIDTH - 1, scene.shown[box]


def test_a_label_is_cut_only_where_more_of_it_does_not_fit() -> None:
    atlas = Atlas(load("xor").subject.graph)
    for width in range(32, 120):
        scene, _ = atlas.automatic((width, 10), None)
        assert isinstance(scene, Picture)
        cut = [
            piece.text
            for row in scene.drawing.labels
            for _, _, pieces in row
            for piece in pieces
            if "…" in piece.text
        ]
        assert not cut or scene.width > width - 13, (width, cut)


def test_a_list_stands_in_for_a_picture_that_does_not_fit() -> None:
    lines = picture("vanishing", (40, 12), "x10@forward").splitlines()
    assert any(line.startswith("◆←┘ ▶ x10 ") for line in lines)


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("size", [(33, 10), (40, 12), (50, 20), (70, 40)])
def test_what_is_shown_fits_and_names_every_box(
    name: str, size: tuple[int, int]
) -> None:
    atlas = Atlas(load(name).subject.graph)
    scene, opened = atlas.automatic(size, None)
    assert scene.sketch is atlas.folding(opened)
    shown: set[int] = set()
    for line in range(scene.height):
        text, labels = scene.row(line)
        end = 0
        for x, box, pieces in labels:
            assert x >= end
            end = x + sum(len(piece.text) for piece in pieces)
            assert scene.kind == "list" or end <= scene.width
            named = {piece.part: piece.text for piece in pieces}
            if "name" in named:
                assert {"mark", "stop"} <= set(named)
                shown.add(box)
        assert len(text) >= end or scene.kind == "list"
    assert shown == set(range(len(scene.sketch.boxes)))
    if isinstance(scene, Picture):
        assert (scene.width <= size[0], scene.height <= size[1]) == (True, True)


def test_done_present_and_future_differ_by_their_marks() -> None:
    async def check(app: PaneApp, _pilot: Pilot[None]) -> None:
        assert "▶ z" in app.text
        assert "✓ az" in app.text
        assert "○ y" in app.text
        app.run_line("goto y<-z")
        assert "▶ z" in app.text
        assert "✓ y" in app.text
        assert "○ az" in app.text
        app.run_line("goto end")
        assert "○" not in app.text

    run(check, "apple_orange", at="z@forward")


def test_a_gradient_that_is_not_complete_and_one_that_never_comes() -> None:
    async def check(app: PaneApp, _pilot: Pilot[None]) -> None:
        assert "▶ W" in app.text
        app.run_line("stepi")
        assert "◐ W" in app.text

    run(check, "exploding", (60, 30), at="h9._1<-W")
    assert "· t" in picture("three_layer", (70, 30), "output")


def test_numbers_that_are_not_finite_stand_out() -> None:
    text = picture("nan_where", (80, 40), "end")
    assert re.search("▶ w +nan", text)


def test_a_step_inside_of_what_is_folded_is_named() -> None:
    async def check(app: PaneApp, _pilot: Pilot[None]) -> None:
        assert app.pane.titles[1].startswith(
            "▶ sigmoid(z) in x2 · ↑ gradients · 9 boxes"
        )
        app.run_line("goto x2.z@forward")
        assert app.pane.titles[1].startswith("▶ W @ x in x2 · ↓ values · 9 boxes")
        app.run_line("goto start")
        assert app.pane.titles[1].startswith("↓ values · 9 boxes")

    run(check, "three_layer", (43, 11), at="node:x2@backward")


def test_stops_are_marked_also_on_what_is_folded() -> None:
    async def check(app: PaneApp, _pilot: Pilot[None]) -> None:
        assert "●" not in app.text
        app.run_line("break x2.z")
        assert "●x2" in app.text
        assert app.text.count("●") == 1
        app.run_line("disable 1")
        assert "●" not in app.text
        app.run_line("watch W1.grad")
        assert "●W1" in app.text

    run(check, "three_layer", (43, 11))


def test_the_arrows_follow_edges_and_layers() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        app.element = Element(app.debugger.graph.node("an").index, "value", None)
        app.draw()
        for key, name in (
            ("right", "az"),
            ("down", "oz"),
            ("right", "z"),
            ("up", "t"),
            ("right", "y"),
            ("left", "z"),
            ("left", "oz"),
            ("up", "az"),
            ("up", "az"),
            ("left", "an"),
            ("left", "an"),
        ):
            await pilot.press(key)
            assert app.chosen_name == name
        assert app.name_style("an").reverse
        assert app.name_style("az").underline

    run(check, "apple_orange", (72, 11))


def test_the_arrows_turn_with_the_picture() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        app.element = Element(app.debugger.graph.node("x1").index, "value", None)
        app.draw()
        assert app.scene.down
        await pilot.press("down")
        assert app.chosen_name == "x2"
        await pilot.press("left")
        assert app.chosen_name == "W3"
        await pilot.press("r")
        assert not app.scene.down

    run(check, "three_layer", (43, 11))


def test_a_chosen_element_is_the_whole_node_at_this_moment() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        first = app.debugger.trace.event(0).node  # which comes next
        assert app.element == Element(first, "value", None)
        app.run_line("goto end")
        await pilot.press("enter")
        assert app.element == Element(first, "grad", None)

    run(check, "apple_orange")


def test_folding_and_unfolding() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        app.element = Element(app.debugger.graph.node("x2").index, "value", None)
        app.draw()
        assert app.pane.place() == "x2"  # the whole call
        await pilot.press("u")
        assert "x2.z" in app.text
        assert "x1.z" not in app.text
        assert app.pane.place() == "node:x2"
        assert app.debugger.execute(f"break {app.pane.place()}").ok
        await pilot.press("u")
        assert "x2.z" not in app.text
        await pilot.press("plus")
        assert len(app.scene.sketch.boxes) == 15
        await pilot.press("minus")
        assert len(app.scene.sketch.boxes) == 9
        await pilot.press("minus")
        assert len(app.scene.sketch.boxes) == 9

    run(check, "three_layer", (60, 18))


def test_a_cursor_stays_in_sight_and_the_picture_can_be_moved() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        await pilot.press("plus")
        await pilot.pause()
        assert "x0" in app.text  # what comes next is at the top
        assert "E 0.5 *" not in app.text
        for _ in range(8):
            await pilot.press("shift+down")
        assert "x0" not in app.text
        await pilot.press("pagedown", "pagedown", "pagedown")
        assert "E 0.5 *" in app.text
        for _ in range(11):
            await pilot.press("up")
        await pilot.pause()
        assert "x0" in app.text

    run(check, "three_layer", (43, 11))


def test_views_follow_each_other() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        assert app.scene.kind == "picture"
        app.run_line(_LAST)
        await pilot.press("v")
        assert app.scene.kind == "list"
        assert "a * an" in app.text
        await pilot.press("up")
        assert app.chosen_name == "t"
        await pilot.press("v")
        assert app.scene.kind == "near"
        assert "y" in app.text
        assert "az" not in app.text
        await pilot.press("right")
        assert app.chosen_name == "y"
        assert "az" in app.text
        await pilot.press("v")
        assert app.scene.kind == "picture"
        await pilot.press("v", "a")
        assert app.scene.kind == "picture"

    run(check, "apple_orange", (43, 11))


def test_searching_unfolds_what_it_finds() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        await pilot.press("slash", *"sigmoid")
        assert app.chosen_name == "x1"
        assert app.pane.titles[1] == "match 1 of 3"
        await pilot.press("enter")
        assert app.chosen_name == "x2"
        await pilot.press("up", "up")
        assert app.chosen_name == "x3"
        await pilot.press("escape")
        assert app.focused is app.pane
        await pilot.press("full_stop")
        assert app.chosen_name == "x1"
        await pilot.press("comma")
        assert app.chosen_name == "x3"
        await pilot.press("slash", *"no such")
        assert app.pane.titles[1] == "not found"
        await pilot.press("escape", "slash", *"x2.z")
        assert app.chosen_name == "x2.z"
        assert "x2.z" in app.text
        assert not app.query_one(Search).value.startswith("no")

    run(check, "three_layer", (43, 14))


def test_clicking_chooses_and_clicking_twice_unfolds() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        def place(name: str) -> tuple[int, int]:
            for y, line in enumerate(app.lines()):
                if name in line:
                    return line.index(name), y
            raise AssertionError(name)

        await pilot.click(Canvas, offset=place("x2"))
        assert app.chosen_name == "x2"
        await pilot.click(Canvas, offset=(0, 10))
        assert app.chosen_name == "x2"
        await pilot.click(Canvas, offset=place("x1"), times=2)
        await pilot.pause()
        assert "x1.z" in app.text

    run(check, "three_layer", (60, 20))


def test_dragging_moves_the_picture_and_chooses_nothing() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        app.run_line(_LAST)
        await pilot.press("plus")
        await pilot.pause()
        canvas = app.query_one(Canvas)
        before, chosen = canvas.scroll_offset, app.element
        await pilot.mouse_down(Canvas, offset=(20, 2))
        await pilot.hover(Canvas, offset=(20, 7))
        await pilot.mouse_up(Canvas, offset=(20, 7))
        await pilot.pause()
        assert canvas.scroll_offset.y == before.y - 5
        assert app.element == chosen

    run(check, "three_layer", (43, 11))


def test_no_key_is_one_of_the_application() -> None:
    theirs = set(LINES) - {"enter", "right", "left"}  # arrows and Enter are the pane's
    theirs |= set("qohH:?<> ") | {"space", "colon", "question_mark", "escape", "tab"}
    theirs -= {"plus", "minus"}  # here they unfold and fold: no number is chosen
    ours = {binding.key for binding in GraphPane.BINDINGS}  # type: ignore[union-attr]
    assert not ours & theirs


def test_help_names_every_key() -> None:
    words = "arrows enter shift+arrows page + - u v r a / full\u00a0stop comma b"
    for word in words.split(" "):
        assert word.replace("\u00a0", " ") in (GraphPane.HELP or "")


def test_bars_go_with_the_picture_that_needed_them() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        canvas = app.query_one(Canvas)
        app.query_one(GraphPane).focus()
        await pilot.press("plus")
        for size in ((20, 6), (60, 14), (43, 11), (60, 14), (30, 20), (60, 14)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert canvas.virtual_size.width <= canvas.size.width
        assert not canvas.show_horizontal_scrollbar

    run(check, "broadcast_bias", (43, 11))


def test_a_pane_without_room_shows_nothing_and_comes_back() -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        await pilot.resize_terminal(1, 1)
        await pilot.resize_terminal(43, 11)
        await pilot.pause()
        assert app.text.splitlines()[0].startswith("✓ a")

    run(check, "apple_orange", (43, 11))


def long_scenario(folder: Path, lines: int) -> str:
    path = folder / "long.toml"
    program = ["h0 = tanh(x)"]
    program += [f"h{i} = tanh(h{i - 1} * w)" for i in range(1, lines)]
    leaves = "[inputs]\nx = 0.5\n[parameters]\nw = 0.9\n"
    text = "\n".join(program)
    path.write_text(f"gradstep = 1\nprogram = '''\n{text}\n'''\n{leaves}")
    return str(path)


def test_a_large_graph_is_a_list_around_the_present_node(tmp_path: Path) -> None:
    async def check(app: PaneApp, pilot: Pilot[None]) -> None:
        assert app.scene.kind == "list"
        node = app.debugger.graph.node("h300").index
        app.element = Element(node, "value", None)
        app.draw()
        assert "h300 " in app.text
        await pilot.press("down")
        assert app.chosen_name == "h301"
        await pilot.press("pagedown")
        assert app.chosen_name == "h330"
        await pilot.press("v")
        assert app.scene.kind == "near"
        # Only what is near: w has 600 uses.
        await pilot.press("slash", "w", "escape")
        assert app.chosen_name == "w"
        assert app.scene.height < 100

    run(check, long_scenario(tmp_path, 600))


def test_a_step_looks_only_at_what_is_in_sight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(app: PaneApp, _pilot: Pilot[None]) -> None:
        looked: list[int] = []
        real = GraphPane._looked_up

        def counted(pane: GraphPane, box: int) -> Any:
            looked.append(box)
            return real(pane, box)

        monkeypatch.setattr(GraphPane, "_looked_up", counted)
        scene = app.scene
        app.run_line("step")
        app.lines()
        assert app.scene is scene
        assert len(looked) <= 30

    run(check, long_scenario(tmp_path, 600))


def test_names_are_never_markup(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(
        "gradstep = 1\nprogram = '''\ny = x[0] + x[1]\n'''\n[inputs]\nx = [1.0, 2.0]\n"
    )
    assert "[0]" in picture(str(path), (60, 20), "start")


# ---------------------------------------------------------------------- heavy lines

SIDES = {"LEFT": (-1, 0), "RIGHT": (1, 0), "UP": (0, -1), "DOWN": (0, 1)}
OPPOSITE = {"LEFT": "RIGHT", "RIGHT": "LEFT", "UP": "DOWN", "DOWN": "UP"}
BOTH = {"HORIZONTAL": ("LEFT", "RIGHT"), "VERTICAL": ("UP", "DOWN")}


def weights(character: str) -> dict[str, str]:
    """Return how a character leads to each side, by what Unicode calls it.

    It says `LIGHT UP AND RIGHT`, `UP HEAVY AND RIGHT LIGHT`, or `LEFT LIGHT AND RIGHT
    HEAVY`, `LIGHT LEFT AND HEAVY RIGHT`.
    """
    if not "─" <= character <= "╿":
        return {}
    name = unicodedata.name(character).removeprefix("BOX DRAWINGS ")
    words = [word for word in name.split() if word not in ("AND", "ARC")]
    found: dict[str, str] = {}
    waiting: list[str] = []
    weight = ""
    for word in words:
        if word not in ("LIGHT", "HEAVY"):
            waiting += BOTH.get(word, (word,))
        elif waiting and not weight:  # the weight comes after its sides
            found |= dict.fromkeys(waiting, word)
            waiting = []
        else:
            found |= dict.fromkeys(waiting, weight)
            waiting, weight = [], word
    return found | dict.fromkeys(waiting, weight)


def heavy_sides(character: str) -> list[str]:
    return [side for side, weight in weights(character).items() if weight == "HEAVY"]


def test_a_joint_is_what_unicode_calls_so() -> None:
    names = ("LEFT", "RIGHT", "UP", "DOWN")
    for arms in range(1, 16):
        for heavy in range(16):
            expected = {
                name: "HEAVY" if heavy >> bit & 1 else "LIGHT"
                for bit, name in enumerate(names)
                if arms >> bit & 1
            }
            assert weights(joint(arms, heavy)) == expected, joint(arms, heavy)


@pytest.mark.parametrize("size", [(46, 14), (90, 30)])
@pytest.mark.parametrize("name", builtin_names())
def test_heavy_lines_go_on_until_their_boxes(name: str, size: tuple[int, int]) -> None:
    """What leads heavily to a side is met there, and nothing else is heavy."""

    async def check(app: PaneApp, _pilot: Pilot[None]) -> None:
        for position in range(
            0, len(app.debugger.trace), 1 + len(app.debugger.trace) // 12
        ):
            app.run_line(f"goto {position}")
            if app.scene.kind == "list":
                return
            rows = [
                "".join(text for text, *_ in app.pane._paint(y, 0, app.scene.width))
                for y in range(app.scene.height)
            ]
            for y, row in enumerate(rows):
                for x, sign in enumerate(row):
                    for side in heavy_sides(sign):
                        right, down = SIDES[side]
                        beside = weights(rows[y + down][x + right])
                        assert beside.get(OPPOSITE[side]) != "LIGHT", (row, x)

    run(check, name, size)


def test_the_rail_of_a_long_list_never_breaks() -> None:
    rng = np.random.default_rng(5)
    build = Builder()
    nodes = [build.leaf(f"w{i}", "parameter", ()) for i in range(20)]
    for i in range(700):
        pair = rng.choice(len(nodes), size=2)
        operands = (nodes[-1], nodes[int(pair[0])]) if i % 3 else (nodes[-1], nodes[3])
        nodes.append(build.apply(OPS["add"], operands, name=f"x{i}"))
    atlas = Atlas(build.finish(nodes[-1]))
    scene = atlas.listing(frozenset(), (60, 20))
    assert scene.height > 2 * rail.PART
    rows = [scene.row(line)[0] for line in range(scene.height)]
    assert len({len(row) for row in rows}) == 1
    for number, (above, below) in enumerate(pairwise(rows)):
        for x, (one, two) in enumerate(zip(above, below, strict=True)):
            if "DOWN" in weights(one):
                assert two in "◆○" or "UP" in weights(two), (number, x)
            if "UP" in weights(two):
                assert one in "◆○" or "DOWN" in weights(one), (number, x)


@pytest.mark.parametrize("room", [(43, 14), (52, 30)])
@pytest.mark.parametrize("name", builtin_names())
def test_no_word_of_a_picture_is_cut_beside_blank_cells(
    name: str, room: tuple[int, int]
) -> None:
    scene, _ = Atlas(load(name).subject.graph).automatic(room, down=True)
    for y in range(scene.height if scene.kind == "picture" else 0):
        text, labels = scene.row(y)
        starts = [x for x, _, _ in labels]
        lines = [x for x, sign in enumerate(text) if sign != " "]
        for x, _, label in labels:
            said = "".join(piece.text for piece in label)
            end = x + len(said)
            after = [one for one in (*starts, *lines) if one >= end]
            assert "…" not in said or min(after, default=room[0] + 1) <= end + 1, said


@pytest.mark.parametrize("width", range(20, 70, 7))
@pytest.mark.parametrize("name", ["three_layer", "hidden_layer", "matmul"])
def test_what_a_list_has_no_room_for_is_marked(name: str, width: int) -> None:
    listing = Atlas(load(name).subject.graph).listing(frozenset(), (width, 5))
    assert isinstance(listing, Listing)
    for number in range(listing.height):
        text, labels = listing.row(number)
        words = "".join(piece.text for _, _, label in labels for piece in label)
        assert len(text) + len(words) <= listing.width < width
        box = listing.order[number]
        about = listing.graph, listing.sketch, box, listing.folds
        whole = rail.pieces(*about, listing.columns)
        size = len(text) + sum(len(piece.text) for piece in whole)
        is_cut = size > listing.width
        is_full = len(text) + len(words) == listing.width
        assert words.endswith(("…", " ")) or is_full or not is_cut
        assert not re.search(r"\(\d[\d, ]*…", words)  # a shape is whole


@pytest.mark.parametrize("name", builtin_names())
def test_names_in_a_list_have_numbers_beside_them(name: str) -> None:
    listing = Atlas(load(name).subject.graph).listing(frozenset(), (25, 8))
    assert isinstance(listing, Listing)
    for number in range(listing.height):
        text, [(_, box, label)] = listing.row(number)
        parts = {piece.part for piece in label}
        wide = (
            len(text)
            + 2
            + len(listing.graph.nodes[listing.sketch.boxes[box].node].name)
        )
        assert parts & {"number", "bar"} or wide >= listing.width - 1  # and a blank


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("size", [(25, 8), (25, 12), (43, 14)])
def test_a_label_is_cut_only_where_there_is_no_cell_more(
    name: str, size: tuple[int, int]
) -> None:
    atlas = Atlas(load(name).subject.graph)
    scene, opened = atlas.automatic(size, None)
    if not isinstance(scene, Picture):
        return
    ranks = atlas._ranked(scene.sketch, opened)
    lines: dict[int, list[tuple[Piece, ...]]] = {}
    for line in range(scene.height):
        for _, box, pieces in scene.row(line)[1]:
            label = tuple(piece for piece in pieces if piece.part != "frame")
            if label:
                lines.setdefault(box, []).append(label)
    labels = [tuple(lines[box]) for box in sorted(lines)]
    same = [
        plan
        for plan in PLANS
        if plan.down == scene.down
        and _placed(ranks, labels, plan, size) == scene.drawing.layout
    ]
    for box, (first, *others) in enumerate(labels):
        wider = tuple(
            piece._replace(text=piece.text.replace("…", ".…"))
            if piece.part == "text"
            else piece
            for piece in first
        )
        more = [*labels[:box], (wider, *others), *labels[box + 1 :]]
        if wider != first:
            assert not any(_placed(ranks, more, plan, size) for plan in same)


def labelled(scene: Picture | Listing, debugger: Debugger) -> Iterator[tuple[int, str]]:
    """Yield the lines of labels at a moment, each with its box."""
    trace, position = debugger.trace, debugger.position

    def norm(array: Array) -> float:
        return float(np.linalg.norm(np.ravel(array)))

    for number in range(scene.height):
        for _, box, label in scene.row(number)[1]:
            shown, text = face(trace, position, scene.sketch.boxes[box], norm), ""
            for piece in label:
                width = len(piece.text)
                filled = {"number": shown.number(width).rjust(width), "bar": shown.bar}
                text += filled.get(piece.part, piece.text)
            yield box, text.strip(" │─├┤╭╮╰╯┴┬")


@pytest.mark.parametrize("name", builtin_names())
def test_numbers_stand_apart_norms_look_like_norms_and_names_say_something(
    name: str,
) -> None:
    debugger = Debugger(load(name))
    debugger.execute("goto end")
    graph = debugger.graph
    atlas, bars = Atlas(graph), "▁▂▃▄▅▆▇█"
    for room in ((25, 8), (43, 18), (50, 25), (50, 40)):
        scene, _ = atlas.automatic(room, None)
        texts: dict[int, str] = {}
        for box, text in labelled(scene, debugger):
            texts[box] = f"{texts.get(box, '')}\n{text}"
        for box, text in texts.items():
            node = graph.nodes[scene.sketch.boxes[box].node]
            assert not re.search(rf"\S[{bars}0-9]?[{bars}]", text), text  # a blank
            assert not re.search(r"▸…?\s*$", text, re.MULTILINE), text
            if node.shape:
                plain = re.sub(r"‖[^‖]*‖|\(.*\)", "", text)
                assert not re.search(r"(?<=  )\d+\.\d+$", plain), text
            code = node.wording.replace(" ", "")
            if code and scene.sketch.boxes[box].fold < 0 and isinstance(scene, Picture):
                is_named = node.name in text
                assert code in text.replace(" ", "") or is_named
                # A name that was made up stands alone only where it is shorter.
                is_alone = is_named and code not in text.replace(" ", "")
                assert not is_alone or len(node.wording) > len(node.name)


def _exponent(number: Decimal) -> int:
    """Return the exponent of a number's last digit."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def test_a_norm_looks_like_one_in_however_few_cells() -> None:
    for value in (0.0, 0.8198, 0.9959, 1.0, 3093.4, 12.73, 4.39e-5, 1e200, math.inf):
        norm = Face("done", "▅", "value", np.float64(value), is_norm=True)
        for width in range(4, 12):
            text = norm.number(width)
            assert len(text) < width  # a blank before it
            if text != "▅":
                shown = re.fullmatch(r"‖(.*)‖", text)
                assert shown
                if value < math.inf:  # half of the last digit is how far it may be off
                    unit = Decimal((0, (1,), _exponent(Decimal(shown[1]))))
                    assert abs(Decimal(shown[1]) - Decimal(value)) <= unit / 2
    norm = Face("done", "▅", "value", np.float64(0.8198), is_norm=True)
    texts = [norm.number(width) for width in (5, 6, 8, 9)]
    assert texts == ["▅", "‖0.8‖", "‖0.820‖", "‖0.8198‖"]
