"""What stands on the screen is what a whole new painting would show.

Panes repaint only what a key has changed; nothing old may be left behind.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from textual.pilot import Pilot

from gradstep.core.scenario import load
from gradstep.tui.app import GradstepApp

KEYS = (
    "s",
    "s",
    "S",
    "n",
    "N",
    "i",
    "f",
    "F",
    "c",
    "home",
    "end",
    "z",
    "tab",
    "y",
    "e",
)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def painted(pilot: Pilot[int]) -> list[str]:
    """Return the lines of the screen as they were painted last."""
    strips = pilot.app.screen._compositor.render_strips()
    return [strip.text for strip in strips]


async def anew(pilot: Pilot[int]) -> list[str]:
    """Return the lines of the screen after everything was painted again."""
    for widget in pilot.app.screen.walk_children():
        widget._styles_cache.clear()  # type: ignore[attr-defined]
        widget.refresh()
    await pilot.pause()
    return painted(pilot)


@pytest.mark.parametrize("name", ["three_layer", "nan_where", "xor"])
async def test_nothing_old_is_left_behind(name: str) -> None:
    keys = random.Random(name)  # noqa: S311  # a walk, not a secret
    async with GradstepApp(load(name)).run_test(size=(120, 36)) as pilot:
        for turn in range(6):
            pressed = [keys.choice(KEYS) for _ in range(5)]
            await pilot.press(*pressed)
            await pilot.pause()
            before = painted(pilot)
            assert before == await anew(pilot), (turn, pressed)
