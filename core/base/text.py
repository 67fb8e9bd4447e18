"""Text that is not ours: made harmless once, when it is loaded."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# Controls (Cc), formats such as bidirectional overrides (Cf), surrogates (Cs) and
# line and paragraph separators (Zl, Zp) can move the cursor, set a title or reorder
# what is read.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


# What is longer is no misspelt name, and to compare it would take long.
_LONGEST_NAME: Final = 200


def clean(text: str) -> str:
    r"""Return `text` with every character that could act on a terminal made visible.

    Line feeds stay and tabs become four spaces.

    >>> clean("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text.expandtabs(4)))


def _visible(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in _HARMFUL:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a 'did you mean' sentence with the closest of `names`, or nothing.

    >>> nearest("sigmoit", ["sigmoid", "tanh"])
    "did you mean 'sigmoid'?"
    """
    if len(name) > _LONGEST_NAME:
        return ""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f"did you mean '{found[0]}'?" if found else ""


class Place(NamedTuple):
    """A line and a column, both counted from 1."""

    line: int  # of the text
    column: int  # in characters


def place(text: str, offset: int) -> Place:
    r"""Return the place of an offset.

    >>> place("a = 1\nb = 2", 6)
    Place(line=2, column=1)
    """
    return Place(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
