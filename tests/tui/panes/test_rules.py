"""The rules held to account, as a view: what a row says, and where Enter leads."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from driving import painted, press, settle
from gradstep.core.account import account as accounts
from gradstep.core.base.errors import Interrupted
from gradstep.core.capture.archive import write
from gradstep.core.engine.element import Element
from gradstep.tui.panes.homes import view
from gradstep.tui.panes.step.pane import StepPane
from looks import focused, opened
from made_captures import in_two_files

if TYPE_CHECKING:
    from pathlib import Path

    from gradstep.core.base.progress import Progress
    from looks import Seen

SIZES: Final = [(80, 24), (120, 36), (200, 60)]
WEIGHT: Final = 1  # the number of net.0.weight


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    """Return a capture whose `matmul` sends three times what it should to a weight."""
    capture = in_two_files()
    weight = np.array(capture.subject.run().gradient(WEIGHT))
    own = {**capture.own, WEIGHT: 3 * weight}
    return str(write(tmp_path / "run.gradstep", replace(capture, own=own, custom={})))


def shown(seen: Seen) -> list[str]:
    """Return the lines of the view, without its border."""
    x, y, width, height = seen.one(view("rules")).region
    lines = painted(seen.app.screen)[y + 1 : y + height - 1]
    return [line[x + 1 : x + width - 1].rstrip() for line in lines]


def edge_event(seen: Seen, consumer: int, argument: int) -> int:
    found = seen.main.debugger.trace.edge_event(consumer, argument)
    assert found is not None
    return found


@pytest.mark.parametrize("plain", [False, True], ids=["colour", "plain"])
@pytest.mark.parametrize("size", SIZES)
async def test_the_wrong_rule_comes_first_and_each_has_a_row(
    size: tuple[int, int], plain: bool, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if plain:
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)
    async with opened(wrong, keys=("0",), size=size) as seen:
        lines = shown(seen)
        assert lines[0].startswith(" ✗ 1 rule wrong, of 7 gradients of numpy 2.4.6")
        said = " ".join(" ".join(lines[1:4]).split())
        assert said == (
            "matmul at h (train.py:2) → net.0.weight: wrong; that is 3 times the right "
            "one"
        )
        rows = [line for line in lines if line[2:4] in ("✗ ", "✓ ")]
        assert [row[2] for row in rows] == ["✗", *"✓" * 4]
        assert rows[0].startswith("▸ ✗  ")
        run = in_two_files().subject.run()
        right = np.array(run.gradient(WEIGHT))
        largest = right.flat[np.argmax(np.abs(right))]
        theirs, ours = re.findall(r"-?\d\.\d{3,}", rows[0])
        assert float(theirs) == pytest.approx(3 * largest, rel=1e-3)
        assert float(ours) == pytest.approx(largest, rel=1e-3)
        assert rows[0].endswith("× 3")
        if size[0] == 200:
            assert "net.0.weight.grad[" in rows[0]
            assert "train.py:2" in rows[0]


@pytest.mark.parametrize("size", SIZES)
async def test_enter_goes_to_the_step_that_sends_it(
    size: tuple[int, int], wrong: str
) -> None:
    async with opened(wrong, keys=("0", "enter"), size=size) as seen:
        await settle(seen.app)
        debugger = seen.main.debugger
        assert debugger.position == edge_event(seen, 2, 1) + 1  # matmul's second one
        assert focused(seen) == StepPane.__name__
        chosen = seen.main._chosen
        assert chosen is not None
        assert chosen == Element(WEIGHT, "grad", chosen.index)
        assert chosen.index is not None
        press(seen.app, "0", "down", "enter")  # sum at loss is right
        await settle(seen.app)
        assert debugger.position == edge_event(seen, 7, 0) + 1


async def test_what_differs_on_purpose_is_told_apart(wrong: str) -> None:
    async with opened(wrong, keys=("0",), size=(120, 36)) as seen:
        seen.main.run_line("rules net.0.weight")
        await settle(seen.app)
        lines = shown(seen)
        assert lines[0].startswith(" ✓ no rule is wrong")
        assert any(line.startswith("▸ ≠  matmul at h") for line in lines)


async def test_after_a_change_it_is_still_that_of_the_run_as_loaded(wrong: str) -> None:
    async with opened(wrong, ("set x = 1",), keys=("0",), size=(120, 36)) as seen:
        assert "(as loaded)" in shown(seen)[0]


async def test_it_is_found_beside_the_screen(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_in: set[threading.Thread] = set()
    whole = accounts._Pass.account

    def account(one: accounts._Pass, progress: Progress) -> accounts.Account:
        seen_in.add(threading.current_thread())
        return whole(one, progress)

    monkeypatch.setattr(accounts._Pass, "account", account)
    async with opened(wrong, keys=("0",), size=(120, 36)):
        assert seen_in
        assert threading.main_thread() not in seen_in


async def test_it_can_be_given_up(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def given_up(*_: object) -> None:
        raise Interrupted

    monkeypatch.setattr(accounts._Pass, "account", given_up)
    async with opened(wrong, keys=("0",), size=(120, 36)) as seen:
        assert "given up" in "\n".join(shown(seen))


@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_one_says_in_its_middle_what_fills_it(
    size: tuple[int, int],
) -> None:
    async with opened("xor", keys=("0",), size=size) as seen:
        lines = shown(seen)
        [at] = [n for n, line in enumerate(lines) if "there are no gradients" in line]
        assert len(lines) / 4 < at < len(lines) * 3 / 4
        assert any("[own]  in a scenario has yours" in line for line in lines)
        assert any("gradstep capture  has those of a f" in line for line in lines)
