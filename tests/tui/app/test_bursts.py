"""Keys that come at once: they do what the same keys do one by one, in their order."""

from __future__ import annotations

import random
from time import sleep
from typing import TYPE_CHECKING, Any, Final

import pytest
from textual import events
from textual.widgets import ContentSwitcher, Input

from driving import press, settle, slowly, until
from gradstep.core.scenario.scenario import load
from gradstep.tui.app import app as app_module
from gradstep.tui.app import main_screen
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.panes.base.pane import OneLine
from gradstep.tui.panes.console import Scrollback
from gradstep.tui.session import lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SIZE: Final = (120, 36)
# What a person types without waiting: one key, or several that belong together.
_TYPED: Final = (
    *(("s",), ("s",), ("i",), ("n",), ("S",), ("end",), ("home",), ("b",), ("e",)),
    *((":",), (":",), ("/",), ("tab",), ("shift+tab",), ("escape",), ("ctrl+g", "g")),
    *(
        ("1",),
        ("2",),
        ("9",),
        ("up",),
        ("down",),
        ("left",),
        ("right",),
        ("k",),
        ("j",),
    ),
    *(("enter",), ("backspace",), ("o",), ("h",), ("H",), ("v",), ("?",), ("t",)),
    (":", *"goto 9", "enter"),
    (":", *"break oz", "enter", "escape"),
    (":", *"print 1", "enter"),
    ("ctrl+p", *"flow"),
    ("ctrl+p", "escape"),
    ("ctrl+g", "c"),
    ("ctrl+o", *"xor"),
    ("ctrl+o", *"matmul", "enter"),
)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    # What the first of two runs would hide, is not to be hidden in the second.
    monkeypatch.setattr(main_screen, "save_arrangement", lambda _: None)


def seen(app: GradstepApp) -> dict[str, Any]:
    """Return where the keys have led to, on each screen."""
    found: dict[str, Any] = {"code": app.return_value}
    found["screens"] = [type(one).__name__ for one in app.screen_stack]
    for number, one in enumerate(app.screen_stack):
        focus = one.focused
        found[f"focus {number}"] = (type(focus).__name__, focus and focus.id)
        for line in one.query(Input):
            found[f"{number} {line.id}"] = line.value, line.cursor_position
        if isinstance(one, MainScreen):
            found["place"] = one.debugger.position
            found["stops"] = [s.text for s in one.debugger.memory.stops.values()]
            found["said"] = list(one.query_one(Scrollback)._written)
            found["view"] = one.query_one("#view", ContentSwitcher).current
            found["chosen"] = one._chosen, one._chosen_by_hand
    return found


async def come_to(
    scenario: str, keys: Sequence[str], *, early: bool = False, singly: bool = False
) -> dict[str, Any]:
    """Return where keys lead to: at once, before there is a screen, or one by one."""
    app = GradstepApp(load(scenario) if scenario else None)
    app.animation_level = "none"
    async with app.run_test(size=_SIZE):
        if not early:
            await settle(app)
        for key in keys:
            press(app, key)
            if singly:
                await settle(app)
        await settle(app)
        return seen(app)


@pytest.mark.parametrize("early", [False, True], ids=["later", "early"])
@pytest.mark.parametrize("seed", range(6))
async def test_a_burst_is_like_its_keys_one_by_one(seed: int, early: bool) -> None:
    rng = random.Random(f"{seed} {early}")  # noqa: S311  # keys, not a secret
    keys = [key for typed in rng.choices(_TYPED, k=14) for key in typed]
    wanted = await come_to("apple_orange", keys, singly=True)
    assert await come_to("apple_orange", keys, early=early) == wanted, keys


@pytest.mark.parametrize(
    ("scenario", "keys", "name", "value"),
    [
        ("apple_orange", "ss:goto 9", "0 prompt", ("goto 9", 6)),
        ("apple_orange", "ss:goto 9", "place", 2),
        ("apple_orange", ["s", "s", ":", *"goto 9", "enter"], "place", 9),
        # Enter, before the terminal tells it from a line feed
        ("apple_orange", ["s", "s", ":", *"goto 9", "ctrl+j"], "place", 9),
        ("", [*"matmul", "ctrl+j", "s", "s"], "place", 2),
        ("apple_orange", ["/", "o", "z", "escape", "s"], "place", 1),
        ("apple_orange", ["2", "ctrl+g", "p", "b"], "stops", ["line:1"]),
        ("apple_orange", ["ctrl+p", *"gradient flow", "enter"], "view", "flow"),
        ("apple_orange", ["?", "s", "escape", "s"], "place", 1),
        ("apple_orange", ["k", "s", "k", "s"], "place", 2),
        ("", [*"matmul", "enter", "s", "s", ":", *"goto 7"], "0 prompt", ("goto 7", 6)),
        ("", [*"matmul", "enter", "s", "s", ":", *"goto 7"], "place", 2),
    ],
)
@pytest.mark.parametrize("early", [False, True], ids=["later", "early"])
async def test_keys_that_come_at_once_take_effect_in_their_order(
    scenario: str, keys: Sequence[str], name: str, value: object, early: bool
) -> None:
    assert (await come_to(scenario, keys, early=early))[name] == value


async def test_keys_that_nothing_waits_for_keep_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app_module, "_PATIENCE", 0.0)
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=_SIZE):
        await settle(app)
        press(app, ":")
        await settle(app)
        press(app, *"break z if a > 1")
        await settle(app)
        assert seen(app)["0 prompt"] == ("break z if a > 1", 16)


async def test_a_key_waits_for_work_however_busy_the_machine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = iter([False, False, True, True, True, True])

    def late(_app: GradstepApp) -> bool:
        sleep(0.2)  # others have the processor, longer in all than a key waits for work
        return next(looks)

    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=_SIZE):
        await settle(app)
        with monkeypatch.context() as patch:
            patch.setattr(GradstepApp, "_is_at_rest", late)
            patch.setattr(app_module, "_PATIENCE", 0.3)
            await app._rest()
        assert not [*looks]


# ------------------------------------------------------------- what goes on meanwhile


async def test_a_key_waits_for_a_command_that_answers_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slowly(monkeypatch, 0.06)
    found = await come_to("apple_orange", "sss:goto 9")
    assert (found["place"], found["0 prompt"]) == (3, ("goto 9", 6))
    assert not any("busy" in text for text, _ in found["said"])


async def paste(text: str, *keys: str) -> dict[str, Any]:
    app = GradstepApp(load("apple_orange"))
    app.animation_level = "none"
    async with app.run_test(size=_SIZE):
        await settle(app)
        press(app, *keys)
        app.post_message(events.Paste(text))
        await settle(app)
        return seen(app)


def executed(found: dict[str, Any]) -> list[str]:
    return [t[11:] for t, style in found["said"] if style == "console--command"]


@pytest.mark.parametrize(
    ("keys", "text", "lines", "left"),
    [
        (":", "goto 9", [], ("goto 9", 6)),
        (":", "goto 9\n", ["goto 9"], ("", 0)),
        (":", "step 2\r\nstep\r\n\r\n  print 1", ["step 2", "step"], ("  print 1", 9)),
        (":st", "ep 2\nnext", ["step 2"], ("next", 4)),
        ([*":step", "left", "left"], "op\npr", ["stop"], ("prep", 2)),
        ("", "step\rstep\r", ["step", "step"], ("", 0)),
        ("", "goto 9", [], ("goto 9", 6)),
        (":", "nonsense\nstep\n", ["nonsense", "step"], ("", 0)),
        (":", "step\n" * 300, ["step"] * 300, ("", 0)),
    ],
)
async def test_all_lines_that_are_pasted_are_taken(
    keys: Sequence[str], text: str, lines: list[str], left: tuple[str, int]
) -> None:
    found = await paste(text, *keys)
    assert executed(found) == lines
    assert found["0 prompt"] == left
    assert found["focus 0"] == ("Prompt", "prompt")


async def test_pasted_lines_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slowly(monkeypatch, 0.06)
    assert executed(await paste("step\nstep\ngoto 9\n")) == ["step", "step", "goto 9"]


async def test_escape_drops_the_pasted_lines_that_are_to_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slowly(monkeypatch, 0.06)
    monkeypatch.setattr(lines, "SOON", 0.0)
    app = GradstepApp(load("apple_orange"))
    async with app.run_test(size=_SIZE):
        await settle(app)
        screen = app.screen
        assert isinstance(screen, main_screen.MainScreen)
        header = screen.query_one("#header", OneLine)
        app.post_message(events.Paste("step\n" * 200))
        await until(lambda: "lines to come, Escape cancels" in header.text)
        press(app, "escape")
        await settle(app)
        assert 0 < len(screen.debugger.memory.history) < 100


async def test_pasted_lines_become_one_where_one_is_looked_for() -> None:
    found = await paste("apple\norange\n", "/")
    assert found["0 find"] == ("apple orange", 12)
