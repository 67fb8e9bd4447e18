"""How predicting goes: what is asked, what was answered, and how often it was right.

All is data: the session holds it, and a command puts a new one in its place.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ...base.save import write
from .question import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...engine.element import Index, Quantity
    from .question import Kind, Question

Outcome = Literal["at once", "later", "shown"]
# What they are called.
OUTCOMES: Final[Mapping[Outcome, str]] = MappingProxyType(
    {"at once": "right at once", "later": "right later", "shown": "shown"}
)
MOST_TRIES: Final = 3  # wrong answers, before all is shown
_STREAK: Final = 3  # questions right at once, before the next kind is asked


def outcome_of(tries: int, *, is_right: bool) -> Outcome | None:
    """Return how a question ends with an answer; None where it stays open.

    `tries` counts the answers so far, this one included.
    """
    if is_right:
        return "at once" if tries == 1 else "later"
    return "shown" if tries >= MOST_TRIES else None


class Asked(NamedTuple):
    """A question that waits for its answer."""

    question: Question  # what is asked
    run: int  # the number of the run it is asked in
    iteration: int  # its iteration, counted from 0
    # where the step leads that asks: an iteration, and a position in it
    until: tuple[int, int]
    answers: tuple[str, ...] = ()  # the wrong ones so far, as they were written
    mistakes: tuple[str, ...] = ()  # of each answer the mistake that it shows, or ""


class Verdict(NamedTuple):
    """What is said to an answer, and what is asked next."""

    said: tuple[str, ...]  # the lines that judge it
    outcome: Outcome | None  # None where the question is still open
    question: Question | None = None  # what waits for an answer now; None for nothing


class Answered(NamedTuple):
    """A question that is done, and how."""

    kind: Kind | Literal["author"]  # what was asked, or who has asked
    outcome: Outcome  # right at once, right later, or shown
    record: Mapping[str, Any]  # all of it, for a program: a line of the log


class Log:
    """A file with a line of JSON for each question that is done, whole at any time.

    All sessions of a program write into one.
    """

    def __init__(self, path: str) -> None:
        self.path = path  # the file
        self.lines: list[str] = []  # what is in it

    def begin(self) -> Log:
        """Make the file, which must not be there, or raise `InputError`."""
        write(self.path, "")
        return self

    def add(self, line: str) -> None:
        """Add a line, or raise `InputError`; it is kept for the next time."""
        self.lines.append(f"{line}\n")
        write(self.path, "".join(self.lines), overwrite=True)


def tally(answered: Sequence[Answered]) -> list[tuple[str | int, ...]]:
    """Return how many questions of each kind had which outcome, and of all kinds."""
    found = Counter((one.kind, one.outcome) for one in answered)
    kinds = (*KINDS, "author")
    counts = {kind: [found[kind, one] for one in OUTCOMES] for kind in kinds}
    rows = [(kind, *numbers) for kind, numbers in counts.items() if any(numbers)]
    if len(rows) > 1:
        rows.append(("all", *map(sum, zip(*counts.values(), strict=True))))
    return rows


class Prediction(NamedTuple):
    """What is asked while `predict` is on."""

    kind: Kind  # what is asked now
    climbs: bool  # it changes with how well one answers
    streak: int = 0  # questions of this kind right at once, one after the other
    # elements that a person has chosen, by their array
    chosen: Mapping[tuple[int, Quantity], Index] = MappingProxyType({})
    asked: Asked | None = None  # what waits for an answer

    def after(self, outcome: Outcome) -> Prediction:
        """Return what is asked after a question that is done.

        Three right at once lead to the next kind, one that was shown to the one before.
        """
        streak = self.streak + 1 if outcome == "at once" else 0
        done = self._replace(streak=streak, asked=None)
        level = KINDS.index(self.kind)
        if self.climbs and streak == _STREAK:
            level = min(level + 1, len(KINDS) - 1)
        elif self.climbs and outcome == "shown":
            level = max(level - 1, 0)
        else:
            return done
        return done._replace(kind=KINDS[level], streak=0)
