"""Completion in shells: each shell asks gradstep itself for the words that fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def script(shell: str) -> str:
    """Return what a shell reads to complete with gradstep: a file beside this one."""
    return Path(__file__).with_name(f"completion.{shell}").read_text("utf-8")


def candidates(
    words: Sequence[str], commands: Mapping[str, Any], flags: Sequence[str]
) -> list[str]:
    """Return what the last of `words`, those after `gradstep`, may become.

    `commands` is the table of commands, and `flags` are those that need none.
    """
    *before, partial = words or [""]
    if before and before[0] in commands:
        found = _following(before[0], commands[before[0]], before[-1], partial)
    else:
        found = [*commands, *flags]
    return sorted(word for word in found if word.startswith(partial))


def _following(name: str, command: Any, last: str, partial: str) -> Sequence[str]:
    """Return all words of a command that can stand after the last one."""
    for one in command.arguments:
        if last in one.flags and one.names:
            return one.names
    if partial.startswith("-"):
        return command.flags
    placed = [one for one in command.arguments if not one.flags]
    few = [word for one in placed for word in one.names]
    return few or _known(name, [one.usage for one in placed])


def _known(name: str, usages: Sequence[str]) -> Sequence[str]:
    """Return the names of what comes with gradstep, and a command opens."""
    from ....core.scenario import builtin  # noqa: PLC0415  # 9 ms: TOML

    if name == "hunt":
        return builtin.hunt_names()
    if name == "tour":
        return [one.name for one in builtin.tours()]
    return builtin.builtin_names() if "SCENARIO" in usages else ()
