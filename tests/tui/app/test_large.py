"""Large arrays and graphs: found out in the background, shown the same, asked once."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from textual.app import App
from textual.widget import Widget

from driving import settle
from gradstep.core.engine import trace
from gradstep.core.engine.element import Element
from gradstep.core.engine.run import Run
from gradstep.core.explain import gradients
from gradstep.core.scenario.scenario import Scenario, load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.snapshot import Wish, take
from gradstep.tui.panes.base import known
from gradstep.tui.panes.base.known import Known
from gradstep.tui.panes.base.pane import View
from gradstep.tui.panes.matrix import view as matrix_view
from gradstep.tui.panes.step.pane import StepPane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.core.ops.table import Value

TWICE = """
gradstep = 1
program = '''
h = tanh(x @ W)
k = tanh(h @ W) + h
L = sum((k @ W) * b)
'''
[inputs]
x = { random = "normal", seed = 1, shape = [5, 4] }
[parameters]
W = { random = "normal", seed = 2, shape = [4, 4] }
b = [0.5, -1.0, 2.0, 0.0]
"""


@contextmanager
def everything_is_large() -> Iterator[None]:
    """Treat each array as one of millions, and each graph as a long one."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in (
            (trace, ("_LARGE", "_MOST_AT_ONCE", "_SHORT")),
            (gradients, ("_FEW", "_FEW_PARTS")),
            (known, ("_AT_ONCE",)),
            (matrix_view, ("_AT_ONCE",)),
        ):
            for name in names:
                patch.setattr(module, name, 0)
        yield


@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("matmul", Wish("end")),
        ("three_layer", Wish("50%")),
        ("three_layer", Wish("end", view="nodes")),
        ("three_layer", Wish("end", view="flow")),
        ("two_layer_net", Wish("#15", size=(80, 24))),
        ("attention", Wish("70%")),
    ],
)
def test_what_is_found_out_in_the_background_looks_the_same(
    name: str, wish: Wish
) -> None:
    at_once = take(load(name), wish).text
    with everything_is_large():
        assert take(load(name), wish).text == at_once


async def settled(screen: MainScreen) -> None:
    """Wait for commands and facts that are still to come."""
    await settle(screen.app)


async def test_no_rule_is_asked_again_for_what_was_seen_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []
    made = Run._product  # product and contribution, both

    def counted(self: Run, consumer: int, argument: int, upstream: Value) -> Value:
        asked.append((consumer, argument))
        return made(self, consumer, argument, upstream)

    monkeypatch.setattr(Run, "_product", counted)
    with everything_is_large():
        app = GradstepApp(parse(TWICE, source="twice"))
        async with app.run_test(size=(120, 36)):
            screen = app.screen
            assert isinstance(screen, MainScreen)
            for _ in range(2):
                for line in ("goto end", *["reverse-stepi"] * 12, *["stepi"] * 12):
                    screen.run_line(line)
                    await settled(screen)
            assert asked
            assert len(asked) == len(set(asked))


async def test_what_takes_long_is_asked_before_it_is_painted() -> None:
    painting: list[bool] = []
    with everything_is_large():
        app = GradstepApp(parse(TWICE, source="twice"))
        async with app.run_test(size=(120, 36)):
            screen = app.screen
            assert isinstance(screen, MainScreen)
            debugger, made = screen.debugger, Run._product
            debugger.execute("goto end")
            for position in range(len(debugger.trace), 0, -1):
                debugger.execute(f"goto {position}")
                view = View(debugger)
                for pane in screen.panes():
                    pane.prepare(view)
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(
                        Run, "_product", lambda *_: painting.append(True) or made(*_)
                    )
                    for pane in screen.panes():
                        pane.show(view)
                assert not painting


async def test_to_prepare_changes_nothing() -> None:
    with everything_is_large():
        app = GradstepApp(parse(TWICE, source="twice"))
        async with app.run_test(size=(120, 36)):
            screen = app.screen
            assert isinstance(screen, MainScreen)
            debugger = screen.debugger
            debugger.execute("goto 5")
            place = debugger.place
            for pane in screen.panes():
                pane.prepare(
                    View(debugger, None, Element(debugger.graph.output, "grad", None))
                )
            assert debugger.place == place


@pytest.mark.parametrize("key", ["M", "L", "exclamation_mark"])
async def test_a_large_array_is_searched_in_the_background(key: str) -> None:
    text = TWICE.replace("b = [0.5, -1.0, 2.0, 0.0]", "b = [0.5, -1.0, nan, 9.0]")
    with everything_is_large():
        app = GradstepApp(parse(text, source="twice"))
        async with app.run_test(size=(120, 36)) as pilot:
            screen = app.screen
            assert isinstance(screen, MainScreen)
            debugger = screen.debugger
            screen.run_line("goto L._2")
            await settled(screen)
            node = debugger.graph.node("L._2")
            await pilot.press(key)
            await settled(screen)
            array = debugger.trace.run.value(node.index)
            pane = screen.query_one(StepPane)
            grid = pane._grids[pane._active]
            assert grid.array is array
            number = array[grid.cursor]
            expected = {
                "M": number == np.nanmax(array),
                "L": number == np.nanmin(array),
                "exclamation_mark": not np.isfinite(number),
            }
            assert expected[key]


# ------------------------------------------------------------------------- facts


class Empty(App[None]):
    """An application with nothing in it."""


async def test_a_fact_is_found_once_and_keeps_no_array_alive() -> None:
    found: list[int] = []

    def size(array: np.ndarray) -> int:
        found.append(array.size)
        return array.size

    told: list[bool] = []
    async with Empty().run_test() as pilot:
        facts, widget = Known(size), Widget()
        await pilot.app.mount(widget)
        small, large = np.zeros(3), np.zeros(known._AT_ONCE + 1)
        assert facts.of(small, widget) == facts.of(small, widget) == 3
        assert facts.of(np.zeros(()), widget) == 1
        assert facts.of(large, widget, lambda: told.append(True)) is None
        assert facts.of(large, widget, lambda: told.append(True)) is None
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert facts.of(large, widget) == large.size
        assert told == [True]
        assert found.count(large.size) == 1
        del large
        gc.collect()
        other = np.zeros(known._AT_ONCE + 1)
        assert facts.of(other, widget) is None
        await pilot.app.workers.wait_for_complete()


def scenario_of(lines: int) -> Scenario:
    """Return a chain in which one parameter is used at each line."""
    program = "\n".join(f"y{n + 1} = y{n} * w" for n in range(lines))
    return parse(
        f"gradstep = 1\nprogram = '''\ny0 = x * w\n{program}\n'''\n"
        "[inputs]\nx = 1.0\n[parameters]\nw = 0.99\n",
        source="chain",
    )


async def test_of_many_uses_the_last_are_shown_and_what_came_before() -> None:
    app = GradstepApp(scenario_of(100))
    async with app.run_test(size=(120, 50)) as pilot:
        screen = app.screen
        assert isinstance(screen, MainScreen)
        screen.run_line("goto end")
        await settled(screen)
        await pilot.pause()
        lines = [strip.text for strip in screen._compositor.render_strips()]
        assert any("93 contributions before" in line for line in lines)
        reply = screen.debugger.execute("explain w.grad")
        assert any("the sum of 93 contributions before" in line for line in reply.text)
        assert len(reply.data["terms"]) == 101
