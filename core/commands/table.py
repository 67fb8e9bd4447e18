"""What a command is: one row of a table.

The prompt, the keys, the palette, `help` and the README are made from it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ..base.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ..session.reply import Answer
    from ..session.session import Session

# What can stand as an argument: it says what to offer for completion.
Completes = Literal[
    "",
    "location",
    "expression",
    "element",
    "command",
    "file",
    "word",
    "stop",
    "display",
]


class Command(NamedTuple):
    """One command. `keys` are those of the application, the reverse in capitals."""

    name: str  # the first word of its command lines
    usage: str  # the arguments: "[N]", "LOC | 50% | +N"
    summary: str  # one line
    # takes the session and what follows the name; raises `CommandError`
    run: Callable[[Session, str], Answer]
    alias: str = ""  # a shorter name; "" for none
    keys: tuple[str, ...] = ()
    # what its argument is: "" for nothing that can be completed
    completes: Completes = ""
    words: tuple[str, ...] = ()  # the fixed words among the arguments
    help: str = ""  # the rest of what `help NAME` says
    data: str = ""  # what the `data` of its reply holds, its names in backquotes
    group: str = ""  # its heading in `help`
    recorded: bool = True  # it belongs into a script
    judges: bool = False  # it holds the command before to something
    # the modes of a session in which it would tell what they hide
    hidden_in: tuple[str, ...] = ()
    # a beginning of its name that also begins another command means the other one
    late: bool = False


# What a mode hides, and the way out.
HIDING: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "predict": ("predict hides what is to come", "predict off shows it"),
        "hunt": (
            "a hunt hides which rule is wrong",
            "accuse NODE says whom you suspect; limit NODE compares one gradient",
        ),
    }
)


def refuse_hidden(session: Session, hidden_in: Collection[str]) -> None:
    """Raise `CommandError` in a mode that hides what a command would tell."""
    for mode in session.modes:
        if mode in hidden_in:
            raise CommandError(*HIDING[mode])
