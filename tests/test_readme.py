"""What the README shows is what gradstep prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from gradstep.tui.cli.main import COMMANDS, run

if TYPE_CHECKING:
    import pytest

README = Path(__file__).parent.parent / "README.md"
SHOWN = re.compile(r"```text\n\$ gradstep ([^\n]*)\n(.*?)```", re.DOTALL)


def test_the_playback_is_a_real_one(capsys: pytest.CaptureFixture[str]) -> None:
    shown = SHOWN.findall(README.read_text(encoding="utf-8"))
    assert shown
    for command, text in shown:
        assert run(shlex.split(command)) == 0
        assert text.strip() == capsys.readouterr().out.strip(), command


def test_every_command_is_named() -> None:
    text = README.read_text(encoding="utf-8")
    for name in COMMANDS:
        assert re.search(rf"`(gradstep )?{name}\b", text), name


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README.read_text("utf-8")):
        assert (README.parent / target).exists(), target
