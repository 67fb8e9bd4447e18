"""What is played next, and where the borders of the panes may go."""

import sys
from pathlib import Path

import pytest

from gradstep.core.base.trust import KEYBOARD, Trust, below
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.scenario.scenario import load
from gradstep.core.session.script import parse_script
from gradstep.tui.app.arrangement import (
    Arrangement,
    load_arrangement,
    save_arrangement,
    with_console,
    with_hidden,
    with_left,
)
from gradstep.tui.session.player import Player
from gradstep.tui.session.reloading import change, changed_at


def test_without_a_script_it_steps_to_the_end() -> None:
    debugger, player = Debugger(load("apple_orange")), Player()
    assert player.next_line(debugger) == ("stepi", KEYBOARD)
    debugger.execute("goto end")
    assert player.next_line(debugger) == ("", KEYBOARD)


def test_with_a_script_its_lines_are_all() -> None:
    debugger, player = (
        Debugger(load("apple_orange")),
        Player(parse_script("next\nprint x", "s.gs", below(Path("lessons")))),
    )
    assert [*player.states()] == ["script: 2 more, space plays one, > all"]
    trust = Trust(Path("lessons").resolve())
    lines = [player.next_line(debugger) for _ in range(3)]
    assert lines == [("next", trust), ("print x", trust), ("", KEYBOARD)]
    assert debugger.position == 0
    assert [*player.states()] == []


@pytest.mark.parametrize(("asked", "given"), [(3, 16), (40, 40), (90, 76)])
def test_both_sides_keep_some_columns(asked: int, given: int) -> None:
    assert with_left(Arrangement(), asked, 100).left == given


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (7, 7), (30, 18)])
def test_the_console_takes_half_the_screen_at_most(asked: int, given: int) -> None:
    assert with_console(Arrangement(), asked, 36).console == given


def test_panes_are_hidden_one_by_one() -> None:
    arrangement = with_hidden(with_hidden(Arrangement(), "why"), "graph")
    assert arrangement.hidden == ("why", "graph")


def test_a_file_that_changes_or_goes_is_told() -> None:
    assert change(3.0, 3.0) is None
    assert change(3.0, 4.0) == ("The file has changed", "Ctrl+R loads it again.")
    assert change(3.0, -1.0) == ("The file is gone", "What was read stays open.")
    assert changed_at(Debugger(load("xor"))) > 0


def test_what_is_remembered_lies_where_the_system_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    save_arrangement(Arrangement(left=40))
    assert [path.name for path in tmp_path.rglob("*.json")] == ["arrangement.json"]
    if sys.platform == "linux":
        assert (tmp_path / ".local/state/gradstep/arrangement.json").exists()
    assert load_arrangement() == Arrangement(left=40)
