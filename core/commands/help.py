"""Commands about the commands: `help` and `apropos`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base.errors import CommandError
from ..session.reply import Answer, Table
from .table import Command

if TYPE_CHECKING:
    from ..session.session import Session

Groups = Mapping[str, tuple[Command, ...]]


def help_rows(groups: Groups) -> tuple[Command, ...]:
    """Return the rows of `help` and `apropos`, which speak of all the commands.

    `groups` is looked at when a command is given: it may hold these rows, too.
    """

    def _help(_session: Session, arguments: str) -> Answer:
        if not arguments:
            return _overview(groups)
        for command in _all(groups):
            if arguments in (command.name, command.alias):
                return Answer(tuple(help_lines(command)))
        return _apropos(_session, arguments)

    def _apropos(_session: Session, arguments: str) -> Answer:
        text = arguments.lower()
        found = [
            command
            for command in _all(groups)
            if text in f"{command.name} {command.summary} {command.help}".lower()
        ]
        if not found:
            raise CommandError(
                f"no command speaks of {arguments!r}", "help lists them all"
            )
        return Answer(tuple(f"{c.name} {c.usage} — {c.summary}" for c in found))

    return (
        Command(
            "help",
            "[COMMAND]",
            "all commands, or one",
            _help,
            "h",
            ("?",),
            "command",
            recorded=False,
        ),
        Command(
            "apropos",
            "WORD",
            "the commands that speak of a word",
            _apropos,
            recorded=False,
        ),
    )


def _all(groups: Groups) -> list[Command]:
    return [command for rows in groups.values() for command in rows]


def _overview(groups: Groups) -> Answer:
    rows = [
        (group, " ".join(command.name for command in commands))
        for group, commands in groups.items()
    ]
    lines = [f"{group}: {names}" for group, names in rows]
    table = Table("commands", ("group", "commands"), tuple(rows))
    return Answer((*lines, "help COMMAND says more"), show=table)


def help_lines(command: Command) -> list[str]:
    """Return what `help` says of one command."""
    names = command.name + (f", {command.alias}" if command.alias else "")
    lines = [f"{names} {command.usage}".strip(), f"    {command.summary}"]
    if command.help:
        lines += [f"    {line}" for line in command.help.splitlines()]
    if command.keys:
        lines.append(f"    keys: {', '.join(command.keys)}")
    return lines
