"""Text that is not ours: made harmless once, when it is loaded."""

from __future__ import annotations

import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# Controls (Cc), formats such as bidirectional overrides (Cf), surrogates (Cs) and
# line and paragraph separators (Zl, Zp) can move the cursor, set a title or reorder
# what is read.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


# What is longer is no misspelt name, and to compare it would take long.
_LONGEST_NAME: Final = 100
_MOST_NAMES: Final = 2000  # that are looked through


def clean(text: str) -> str:
    r"""Return `text` with every character that could act on a terminal made visible.

    Line feeds stay and tabs become four spaces.

    >>> clean("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isascii():
        # Python's own loop is quicker, and a whole program is read like this.
        return text if text.isprintable() else text.expandtabs(4).translate(_CONTROLS)
    return "".join(map(_visible, text.expandtabs(4)))


def _visible(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in _HARMFUL:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


_CONTROLS: Final = {code: _visible(chr(code)) for code in (*range(32), 127)}


def counted(count: int, noun: str, many: str = "") -> str:
    """Return how many there are of something; `many` is its plural, else with an s.

    >>> counted(1, "line"), counted(0, "line"), counted(2, "axis", "axes")
    ('1 line', '0 lines', '2 axes')
    """
    return f"{count} {noun if count == 1 else many or f'{noun}s'}"


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a 'did you mean' sentence with the closest of `names`, or nothing.

    It has to be a slip of the hand: one letter in three may differ, three at most, and
    of a name of one letter only its case. Of two that are as near it is the one that
    begins alike.

    >>> nearest("sigmoit", ["sigmoid", "tanh"]), nearest("w", ["x", "W"])
    ("did you mean 'sigmoid'?", "did you mean 'W'?")
    >>> nearest("inv", ["sin"]), nearest("round", ["prod"]), nearest("h1", ["W1", "h"])
    ('', '', "did you mean 'h'?")
    """
    if len(name) > _LONGEST_NAME:
        return ""
    typed, most = (
        name.casefold(),
        0 if len(name) < 2 else min(max(1, len(name) // 3), 3),
    )
    close = (one for one in names if abs(len(one) - len(name)) <= most)
    ranked = (
        (distance, typed[:1] != one[:1].casefold(), number, one)
        for number, one in enumerate(islice(close, _MOST_NAMES))
        if (distance := _distance(typed, one.casefold(), most)) <= most
    )
    best = min(ranked, default=None)
    return f"did you mean '{best[3]}'?" if best else ""


def _distance(one: str, two: str, most: int) -> int:
    """Return how many letters are added, left out, changed or swapped with the next.

    More than `most` of them are counted no further.
    """
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(two, 1):
            # Another number is another thing: conv1d, x9.
            is_number = letter.isdigit() or other.isdigit()
            changed = before[j - 1] + (letter != other) * (1 + is_number)
            cost = min(before[j] + 1, row[-1] + 1, changed)
            if i > 1 < j and letter == two[j - 2] and one[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


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
