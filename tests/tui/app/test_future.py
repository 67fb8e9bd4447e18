"""What is to come is not shown: no view holds a number from behind the position."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, cast

import pytest

from ahead import leaks
from driving import main_screen, painted, press, settle
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import Scenario, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.panes.base.views import DIGITS, VIEWS
from gradstep.tui.panes.tables.nodes import NodesPane

if TYPE_CHECKING:
    from pathlib import Path

    from textual.screen import Screen

PROGRAM = """
def layer(W, x):
    z = W @ x
    return tanh(z)

h = layer(V, layer(W, x))
E = sum((h - t) ** 2) * a
"""


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def lesson(seed: int = 7) -> Scenario:
    """Return a scenario whose numbers have nine digits that nobody has chosen."""
    random = Random(seed)  # noqa: S311  # no secret

    def number() -> float:
        return random.randrange(10**8, 10**9) / 10**9

    def drawn(rows: int, columns: int) -> list[list[float]]:
        return [[number() for _ in range(columns)] for _ in range(rows)]

    def leaves(**sizes: tuple[int, int]) -> str:
        return "".join(f"{name} = {drawn(*size)}\n" for name, size in sizes.items())

    return parse(
        f"gradstep = 1\ntitle = 'drawn'\nprogram = '''{PROGRAM}'''\n"
        f"[inputs]\n{leaves(x=(2, 1))}a = {number()}\n"
        f"[parameters]\n{leaves(W=(2, 2), V=(1, 2))}"
        f"[constants]\n{leaves(t=(1, 1))}"
        f"[training]\nlearning_rate = 0.1\niterations = 3\n",
        source="drawn.toml",
    )


def test_a_number_from_the_future_would_be_noticed() -> None:
    debugger = Debugger(lesson())
    value = float(debugger.trace.run.value(debugger.graph.output))
    text = f"E = {value:.6g} and x = {value + 1:.4g}"
    assert leaks(debugger, text) == {f"{value:.6g}"}
    assert debugger.execute("goto E").ok
    assert leaks(debugger, text) == set()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "size", [(80, 24), (120, 36), (200, 60)], ids="{0[0]}x{0[1]}".format
)
async def test_no_view_shows_what_is_to_come(view: str, size: tuple[int, int]) -> None:
    app = GradstepApp(lesson())
    app.animation_level = "none"
    async with app.run_test(size=size):
        await settle(app)
        screen = main_screen(app)
        debugger = screen.debugger
        press(app, DIGITS[view])
        await settle(app)
        found: set[tuple[int, str]] = set()
        while True:
            text = "\n".join(painted(cast("Screen[object]", screen)))
            found |= {(debugger.position, word) for word in leaks(debugger, text)}
            if debugger.position == len(debugger.trace):
                break
            press(app, "s")
            await settle(app)
        assert found == set()


@pytest.mark.parametrize("presses", [4, 5], ids=["value", "norm"])
async def test_the_order_of_nodes_says_nothing_of_what_is_to_come(presses: int) -> None:
    app = GradstepApp(lesson())
    async with app.run_test(size=(120, 60)):
        await settle(app)
        screen = main_screen(app)
        debugger = screen.debugger
        for key in ("2", *"v" * presses):
            press(app, key)
            await settle(app)
        pane = screen.query_one("#nodes", NodesPane)
        look = debugger.trace.value if presses == 4 else debugger.trace.gradient
        while debugger.position < len(debugger.trace):
            assert pane.made is not None
            order = list(pane.made.order)
            open_ = [n for n in order if look(n, debugger.position) is None]
            assert order[len(order) - len(open_) :] == sorted(open_)
            press(app, "s")
            await settle(app)
