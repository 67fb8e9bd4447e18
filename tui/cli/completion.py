"""Completion in shells: each shell asks gradstep itself for the words that fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import COMMANDS, HELP

if TYPE_CHECKING:
    from collections.abc import Sequence


def script(shell: str) -> str:
    """Return what a shell reads to complete with gradstep: a file beside this one."""
    return Path(__file__).with_name(f"completion.{shell}").read_text("utf-8")


def candidates(words: Sequence[str]) -> list[str]:
    """Return what the last of `words`, those after `gradstep`, may become."""
    *before, partial = words or [""]
    found = _following(before, partial)
    return sorted(word for word in found if word.startswith(partial))


def _following(before: Sequence[str], partial: str) -> Sequence[str]:
    """Return all words that can stand after `before`."""
    if not before or before[0] not in COMMANDS:
        return [*COMMANDS, *HELP, "--version"]
    command = COMMANDS[before[0]]
    for one in command.arguments:
        if before[-1] in one.flags and one.names:
            return one.names
    if partial.startswith("-"):
        return command.flags
    placed = [one for one in command.arguments if not one.flags]
    if any(one.usage == "SCENARIO" for one in placed):
        from ...core.scenario.builtin import builtin_names  # noqa: PLC0415  # 9 ms: TOML

        return builtin_names()
    return [name for one in placed for name in one.names]
