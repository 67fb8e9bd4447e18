"""The commands: one table, joined from its groups.

What only one command needs is imported when it is carried out: a session opens without.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from . import changing, checking, explaining, looking, movement, session, stopping
from .help import help_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .table import Command

_GROUPS: Final[dict[str, tuple[Command, ...]]] = {
    "moving in time": movement.ROWS,
    "stopping": stopping.ROWS,
    "looking": looking.ROWS,
    "explaining": (*explaining.ROWS, *checking.ROWS),
    "changing": changing.ROWS,
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
