"""The keys of the application: a key is a command line.

Keys that need no argument come from the command table. The rest say here what they
fill in: `{chosen}` is the selected element, `{node}` its node, `{place}` what the
cursor of the focused pane is on. A line that ends in a blank waits in the console for
the rest.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from ...core.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What a key fills in, where its command needs an argument.
_ARGUMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "t": "until ",
        "T": "reverse-until ",
        "g": "goto ",
        "home": "goto start",
        "end": "goto end",
        "left_square_bracket": "last {chosen}",
        "right_square_bracket": "last -f {chosen}",
        "b": "break {place}",
        "w": "watch {chosen}",
        "p": "print ",
        "D": "display {chosen}",
        "e": "explain {chosen}",
        "enter": "explain {chosen}",
        "U": "uses {chosen}",
        "y": "why {chosen}",
        "K": "check {node}",
        "equals_sign": "set {chosen} = ",
        "x": "export ",
        "R": "record",
        "m": "mark ",
    }
)

# How the command table writes a key, and how Textual does.
_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"[": "left_square_bracket", "]": "right_square_bracket", "=": "equals_sign"}
)
# What the application does itself with a key that the command table lists.
_OWN: Final = frozenset({"?", "q"})

# The keys that matter most, first; the footer shows as many as there is room for.
FOOTER: Final = (
    ("s", "step"),
    ("i", "whole node"),
    ("S", "back"),
    ("n", "next"),
    ("c", "continue"),
    ("e", "explain"),
    ("?", "help"),
    ("q", "quit"),
    (":", "command"),
    ("^o", "open another"),
    ("b", "break"),
    ("w", "watch"),
    ("y", "why"),
    ("K", "check"),
    ("1-9", "views"),
    ("space", "play"),
    ("g", "goto"),
    ("=", "set"),
    ("z", "undo"),
    ("o", "enlarge"),
)


class Key(NamedTuple):
    """One key: the command line that it stands for, and what it does in a few words."""

    key: str  # as Textual names it: "left_square_bracket"
    line: str  # what is executed, or begun at the prompt
    summary: str  # the command's, one line


def keys() -> Iterator[Key]:
    """Yield the keys that stand for command lines, in the order of the table."""
    for command in COMMANDS.values():
        for written in command.keys:
            if written in _OWN:
                continue
            key = _NAMES.get(written, written)
            yield Key(key, _ARGUMENTS.get(key, command.name), command.summary)


def written(key: str) -> str:
    """Return how a person reads a key.

    >>> written("left_square_bracket"), written("alt+left"), written("s")
    ('[', 'Alt+Left', 's')
    """
    for sign, name in _NAMES.items():
        if name == key:
            return sign
    return key.title() if len(key) > 1 else key


def footer(width: int) -> list[tuple[str, str]]:
    """Return the words of the footer, each with the name of its style or ""."""
    words = [(" ", "")]
    used = 1
    for key, what in FOOTER:
        used += len(key) + len(what) + 3
        if used > width:
            break
        words += (key, "line--key"), (f" {what}  ", "")
    return words


LINES: Final[Mapping[str, str]] = MappingProxyType(
    {key.key: key.line for key in keys()}
)
