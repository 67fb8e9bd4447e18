"""What benchmarks measure: what never happened is never fast."""

import math

import large
import numpy as np
import pytest
import screen
import terminal
from measure import Row
from painting import Painting
from textual.app import App
from textual.screen import Screen


def is_held(row: Row) -> bool:
    return row.line.endswith("| held |")


async def test_a_frame_that_never_comes_has_no_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(App, "_display", lambda *_: None)
    app = App[int]()
    painting = Painting(app)
    shown = await painting.after(lambda: app._display(Screen(), None))
    assert 0 < shown < math.inf
    assert math.isnan(await painting.after(lambda: None))


def test_a_terminal_that_says_nothing_has_no_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = [b"%output %0 x\n", b"", b"%end 1\n", b""]
    monkeypatch.setattr(terminal.Terminal, "_read", lambda *_: said.pop(0))
    one = object.__new__(terminal.Terminal)
    assert one.wait(0.0) > 0
    assert math.isnan(one.wait(0.0))


@pytest.mark.parametrize("side", [0, 1])
def test_a_row_with_a_frame_that_never_came_is_missed(side: int) -> None:
    times = np.ones((screen.KEYS, 2))
    assert is_held(screen.row("a key", "peer", *screen.slowest(times, 2), 1.5))
    times[-1, side] = math.nan  # one of all
    assert not is_held(screen.row("a key", "peer", *screen.slowest(times, 2), 1.5))


@pytest.mark.parametrize("side", [0, 1])
def test_a_walk_with_a_frame_that_never_came_is_missed(side: int) -> None:
    steps = np.ones((3, large.TURNS, 2))
    assert is_held(large._row("keys", "peer", *large._slowest(steps.tolist())))
    steps[1, 2, side] = math.nan
    assert not is_held(large._row("keys", "peer", *large._slowest(steps.tolist())))


def test_the_slowest_key_counts() -> None:
    times = np.ones((screen.KEYS, 2))
    times[1::2] = 3.0, 2.0
    times[: screen.WARM] = 9.0, 1.0
    assert screen.slowest(times, 2) == (3.0, 2.0)
