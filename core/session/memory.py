"""What a session remembers: places, runs, stops, displays, marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..account.account import Account
    from ..base.trust import Trust
    from ..check.report import Report
    from ..engine.subject import NotePlace
    from ..expression.expression import Expression
    from ..practice.hunt import Hunt
    from ..practice.nudge import Nudge
    from ..practice.predict.score import Answered, Log, Outcome, Prediction
    from ..training.timeline import Timeline
    from ..words.indices import First
    from .reply import Reply, Stopped
    from .stops import Stop


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


class Memory:
    """What a session remembers besides its runs; `execute` is all that changes it."""

    def __init__(self) -> None:
        self.stops: dict[int, Stop] = {}  # by number
        self.displays: dict[int, Display] = {}  # likewise
        # places by the names that `mark` gave them
        self.marks: dict[str, Place] = {}
        # places for `back`, the last one at the end
        self.visited: list[Place] = []
        # places for `forward`, likewise
        self.returned: list[Place] = []
        self.previous: Reply | None = None  # to the command before this one
        self.stopped: Stopped | None = None  # why we are here, until we move on
        self.report: Report | None = None  # of the last check
        self.account: Account | None = None  # of the last `rules`
        self.numbered = 0  # stops ever made
        self.displayed = 0  # displays ever made
        self.started = 0  # commands ever started
        self.depth = 0  # scripts running inside of each other
        # commands of a stop just met, and the trust in each
        self.waiting: list[tuple[str, Trust]] = []
        # lines that lead from the start to where we are: those that a replay needs
        self.script: list[str] = []
        # the same, as `record` has them; None where nothing was recorded
        self.recorded: list[str] | None = None
        self.recording = False  # lines are added to them
        self.asserting = False  # record what was seen as assertions, too
        # how far a person has come with the questions of the author, by their places
        self.tried: dict[NotePlace, Tried] = {}
        self.said = ""  # by `say`, until the next one; "" for nothing
        self.history: list[str] = []  # lines that worked
        # how far an element is moved, by the number of the run
        self.nudges: dict[int, Nudge] = {}
        # what the first index is called: 0 as typed, 1 as in books
        self.first: First = 0
        # what is asked; None while nothing is
        self.prediction: Prediction | None = None
        # the questions that were answered, or shown, in order
        self.answered: list[Answered] = []
        self.log: Log | None = None  # the file that each of them is written into
        self.hunt: Hunt | None = None  # what is to be found; None outside of a hunt
        self.looked: set[Place] = set()  # where a hunt has led
        # nodes whose gradients were held against differences, one by one
        self.held: set[int] = set()
