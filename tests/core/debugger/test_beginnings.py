"""Beginnings of commands that worked once go on meaning what they meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradstep.core.commands import COMMANDS, meant

# Made at afcbccf from all beginnings of names and aliases that one command had.
FILE = Path(__file__).parent / "beginnings.json"
BEGINNINGS: dict[str, str] = json.loads(FILE.read_text("utf-8"))


def test_every_beginning_means_the_command_that_it_meant() -> None:
    assert {word: meant(word) for word in BEGINNINGS} == {
        word: [name] for word, name in BEGINNINGS.items()
    }


@pytest.mark.parametrize("name", [row.name for row in COMMANDS.values() if row.late])
def test_a_late_command_has_a_beginning_of_its_own(name: str) -> None:
    assert meant(name) == [name]
    if len(name) > 3:  # what is as short is typed whole
        assert [name[:n] for n in range(1, len(name)) if meant(name[:n]) == [name]]


def test_several_commands_of_a_beginning_are_all_told() -> None:
    assert meant("sta") == []
    assert {"step", "stepi"} <= set(meant("st"))
