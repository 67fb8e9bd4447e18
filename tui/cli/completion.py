"""Completion in shells: each shell asks gradstep itself for the words that fit."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

SCRIPTS: Final = MappingProxyType(
    {
        "bash": """\
_gradstep() {
    local IFS=$'\\n'
    COMPREPLY=($(gradstep completion words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _gradstep gradstep
""",
        "zsh": """\
#compdef gradstep
_gradstep() {
    local -a found
    found=("${(@f)$(gradstep completion words "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -a found
    _files
}
compdef _gradstep gradstep
""",
        "fish": """\
complete -c gradstep -a '(gradstep completion words (commandline -opc)[2..] \
(commandline -ct) 2>/dev/null)'
""",
    }
)
_WORDS: Final = MappingProxyType(
    {
        "--steps": ("events", "nodes", "statements"),
        "--scheme": ("central", "forward", "complex"),
        "shell": tuple(SCRIPTS),
    }
)


def candidates(words: Sequence[str], parser: argparse.ArgumentParser) -> list[str]:
    """Return what the last of `words`, those after `gradstep`, may become."""
    *before, partial = words or [""]
    found = _following(before, partial, parser)
    return sorted(word for word in found if word.startswith(partial))


def _following(
    before: Sequence[str], partial: str, parser: argparse.ArgumentParser
) -> Sequence[str]:
    """Return all words that can stand after `before`."""
    subparsers = next(action for action in parser._actions if action.dest == "command")  # noqa: SLF001
    commands = dict(subparsers.choices or {})
    if not before or before[0] not in commands:
        return [*commands, *_flags(parser)]
    command = commands[before[0]]
    if before[-1] in _WORDS:
        return _WORDS[before[-1]]
    if partial.startswith("-"):
        return _flags(command)
    taken = {action.dest for action in command._actions}  # noqa: SLF001
    if taken & {"scenario", "scenarios"}:
        from ...core.scenario.scenario import builtin_names  # noqa: PLC0415  # 150 ms: NumPy

        return builtin_names()
    return _WORDS["shell"] if "shell" in taken else ()


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    return [flag for action in parser._actions for flag in action.option_strings]  # noqa: SLF001
