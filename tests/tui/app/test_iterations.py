"""What the screen says of a training over its iterations, and where Enter leads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from driving import press, settle, type_line
from gradstep.tui.panes.step.pane import StepPane
from gradstep.tui.panes.tables.flow import FlowPane
from gradstep.tui.panes.tables.nodes import NodesPane
from gradstep.tui.panes.why import WhyPane
from looks import chosen, opened
from panes_app import text_of
from sessions import DEAD

if TYPE_CHECKING:
    from pathlib import Path

# E = (2 w − 1)² / 2: the gradient is 2 (2 w − 1), and w is 1, 0.8, 0.68, 0.608.
FALLING = """
gradstep = 1
program = "E = 0.5 * sum((w * x - t) ** 2)"
inputs.x = [2.0]
constants.t = [1.0]
parameters.w = [1.0]
training = { learning_rate = 0.1, iterations = 5 }
"""


@pytest.fixture
def dead(tmp_path: Path) -> str:
    path = tmp_path / "dead.toml"
    path.write_text(DEAD)
    return str(path)


@pytest.fixture
def falling(tmp_path: Path) -> str:
    path = tmp_path / "falling.toml"
    path.write_text(FALLING)
    return str(path)


def test_since_when_a_layer_is_off_is_on_the_screen(dead: str) -> None:
    async def run() -> None:
        async with opened(dead, ["goto 3:W1.grad"]) as seen:
            lines = text_of(seen.one(WhyPane)).splitlines()
            assert lines[1].strip() == (
                "all 4 elements of h2 let nothing through to h2._2, since iteration 1"
            )
            press(seen.app, "3")
            await settle(seen.app)
            first = text_of(seen.one(FlowPane)).splitlines()[0].strip()
            assert first == "dead: 0 from b2.grad on, since iteration 1"

    asyncio.run(run())


def test_a_flow_that_lives_or_lived_says_no_iteration(dead: str) -> None:
    async def run() -> None:
        async with opened(dead, ["goto 3:end", "goto 0:end"]) as seen:
            press(seen.app, "3")
            await settle(seen.app)
            first = text_of(seen.one(FlowPane)).splitlines()[0]
            assert "since" not in first
            # Half of the pass: what has come so far is 0, and was in iteration 1, too.
            for place, since in (("1:h1@backward", 1), ("2:h1@backward", 1)):
                type_line(seen.app, f":goto {place}")
                await settle(seen.app)
                first = text_of(seen.one(FlowPane)).splitlines()[0].strip()
                assert first.endswith(f"since iteration {since}")

    asyncio.run(run())


def test_enter_follows_a_parameter_into_the_iteration_before(falling: str) -> None:
    async def run() -> None:
        async with opened(falling, ["goto 2:end"], StepPane) as seen:
            while chosen(seen) != "w.value[0]":
                press(seen.app, "shift+right")
                await settle(seen.app)
            why = seen.one(WhyPane)
            seen.main.set_focus(why)
            for iteration, after, before in ((2, "0.608", "0.68"), (1, "0.68", "0.8")):
                await settle(seen.app)
                assert seen.debugger.place.iteration == iteration
                assert why.titles[0] == f"Why w[0] = {after}?"
                lines = [line.strip(" ▸") for line in text_of(why).splitlines()]
                assert (
                    lines[0] == f"updated in iteration {iteration}: w ← w − α ∘ w.grad"
                )
                assert lines[1].startswith(f"{after} = {before} − 0.1 × ")
                assert lines[2] == f"{before}  w[0] before"
                press(seen.app, "down", "down", "enter")
            await settle(seen.app)
            # The first update: what was before it is no one's but the scenario's.
            assert seen.debugger.place.iteration == 0
            assert why.titles[0] == "Why w[0] = 0.8?"
            press(seen.app, "backspace")
            await settle(seen.app)
            assert why.titles[0] == "Why w[0] = 0.68?"
            # The other row leads to the gradient that was subtracted.
            press(seen.app, "up", "up", "enter")
            await settle(seen.app)
            # 2 · (2 · 0.8 − 1)
            assert why.titles[0] == "Why w.grad[0] = 1.2?"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("1:start", "0.8"),
        ("1:w@backward", "0.8"),
        ("1:end", "0.68"),
        ("2:start", "0.68"),
    ],
)
def test_the_nodes_have_a_parameter_as_print_has_it(
    falling: str, place: str, number: str
) -> None:
    async def run() -> None:
        async with opened(falling, [f"goto {place}"]) as seen:
            press(seen.app, "2")
            await settle(seen.app)
            [row] = [
                line
                for line in text_of(seen.one(NodesPane)).splitlines()
                if line[1:].split()[1:2] == ["w"]
            ]
            assert number in row.split()
            reply = seen.debugger.execute("print w[0]")
            assert reply.data == pytest.approx(float(number))

    asyncio.run(run())
