"""The commands: one table, joined from its groups.

What only one command needs is imported when it is carried out: a session opens without.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from . import (
    changing,
    checking,
    explaining,
    looking,
    movement,
    practising,
    session,
    stopping,
)
from .help import WORDS, help_rows
from .nudging import NUDGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .table import Command

_GROUPS: Final[dict[str, tuple[Command, ...]]] = {
    "moving in time": movement.ROWS,
    "stopping": stopping.ROWS,
    "looking": looking.ROWS,
    "explaining": (*explaining.ROWS, *checking.ROWS),
    "changing": (changing.SET, NUDGE, *changing.ROWS),
    "learning": (*practising.ROWS, *checking.BY_DIFFERENCES, WORDS, session.INDICES),
    "the session": session.ROWS,
}
GROUPS: Final[Mapping[str, tuple[Command, ...]]] = MappingProxyType(_GROUPS)
# `help` lists every command, itself included.
_GROUPS["the session"] += (*help_rows(GROUPS), session.QUIT)
COMMANDS: Final[Mapping[str, Command]] = MappingProxyType(
    {
        row.name: row._replace(group=group)
        for group, rows in GROUPS.items()
        for row in rows
    }
)
ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {row.alias: row.name for row in COMMANDS.values() if row.alias}
)


def meant(word: str) -> list[str]:
    """Return the names of the commands that a word can mean: one of them is meant.

    It is a name, an alias, or the beginning of names. A late command gives way.
    """
    name = ALIASES.get(word, word)
    if name in COMMANDS:
        return [name]
    found = [row for row in COMMANDS.values() if row.name.startswith(word)]
    early = [row for row in found if not row.late]
    return [row.name for row in (early if len(early) == 1 else found)]
