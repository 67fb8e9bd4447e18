"""What a session remembers: places, runs, stops, displays, marks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..base.trust import Trust
from .stops import Stop

if TYPE_CHECKING:
    from ..account.account import Account
    from ..check.report import Report
    from ..engine.subject import NotePlace
    from ..expression.expression import Expression
    from ..practice.hunt import Hunt
    from ..practice.nudge import Nudge
    from ..practice.predict.score import Answered, Log, Outcome, Prediction
    from ..training.timeline import Timeline
    from ..words.indices import First
    from .reply import Reply, Stopped


class Place(NamedTuple):
    """A point in time: so many events of an iteration have been applied."""

    iteration: int  # counted from 0
    position: int  # how many events have been applied


class Branch(NamedTuple):
    """One run of the session: a timeline, and what made it different."""

    number: int  # its place among the runs, counted from 0
    timeline: Timeline  # its iterations
    text: str  # what was changed, in words
    # the number of the run it was made from; None for the first
    parent: int | None = None
    made: Place | None = None  # where we were when it was made


class Display(NamedTuple):
    """An expression that is printed at each stop."""

    number: int  # counted from 1, never used again
    expression: Expression  # evaluated anew at each stop


class Tried(NamedTuple):
    """How far a person has come with a question."""

    answers: tuple[str, ...] = ()  # as they were written
    outcome: Outcome | None = None  # None while it is open


@dataclass(slots=True, eq=False)
class Memory:
    """What a session remembers besides its runs; `execute` is all that changes it."""

    stops: dict[int, Stop] = field(default_factory=dict[int, Stop])  # by number
    # by number
    displays: dict[int, Display] = field(default_factory=dict[int, Display])
    # places by the names that `mark` gave them
    marks: dict[str, Place] = field(default_factory=dict[str, Place])
    # places for `back`, the last one at the end
    visited: list[Place] = field(default_factory=list[Place])
    # places for `forward`, likewise
    returned: list[Place] = field(default_factory=list[Place])
    previous: Reply | None = None  # to the command before this one
    stopped: Stopped | None = None  # why we are here, until we move on
    report: Report | None = None  # of the last check
    account: Account | None = None  # of the last `rules`
    numbered: int = 0  # stops ever made
    displayed: int = 0  # displays ever made
    started: int = 0  # commands ever started
    depth: int = 0  # scripts running inside of each other
    # commands of a stop just met, and the trust in each
    waiting: list[tuple[str, Trust]] = field(default_factory=list[tuple[str, Trust]])
    # lines that lead from the start to where we are: those that a replay needs
    script: list[str] = field(default_factory=list[str])
    # the same, as `record` has them; None where nothing was recorded
    recorded: list[str] | None = None
    recording: bool = False  # lines are added to them
    asserting: bool = False  # record what was seen as assertions, too
    # how far a person has come with the questions of the author, by their places
    tried: dict[NotePlace, Tried] = field(default_factory=dict["NotePlace", Tried])
    said: str = ""  # by `say`, until the next one; "" for nothing
    history: list[str] = field(default_factory=list[str])  # lines that worked
    # how far an element is moved, by the number of the run
    nudges: dict[int, Nudge] = field(default_factory=dict[int, "Nudge"])
    first: First = 0  # what the first index is called: 0 as typed, 1 as in books
    prediction: Prediction | None = None  # what is asked; None while nothing is
    # the questions that were answered, or shown, in order
    answered: list[Answered] = field(default_factory=list["Answered"])
    log: Log | None = None  # the file that each of them is written into
    hunt: Hunt | None = None  # what is to be found; None outside of a hunt
    looked: set[Place] = field(default_factory=set[Place])  # where a hunt has led
    # nodes whose gradients were held against differences, one by one
    held: set[int] = field(default_factory=set[int])
