"""The debugger: a session, and command lines over it; `execute(line) -> Reply`.

It finds the command of a line, lets it work on the session, and makes the reply of its
answer. What it remembers of the lines is what a script replays.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from ..base.errors import (
    NO_ROOM,
    AssertionFailed,
    CommandError,
    InputError,
    Interrupted,
    NotYetError,
    RuleError,
)
from ..base.text import clean, nearest
from ..commands import ALIASES, COMMANDS, GROUPS, meant
from ..commands.reading import must_read
from ..commands.table import refuse_hidden
from ..expression.budget import Budget
from ..scenario.scenario import Scenario
from ..session.asking import question_here
from ..session.reply import Answer, Reply, Table, Value
from ..session.session import Session
from ..training.timeline import Single, Timeline
from ..words.names import sentence_with_wordings, with_wordings, wordings
from .by_name import ByName
from .elsewhere import WAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..base.errors import Problem
    from ..base.progress import Progress
    from ..base.trust import Trust
    from ..commands.table import Command
    from ..engine.graph import Graph
    from ..engine.subject import Subject
    from ..session.memory import Display, Place
    from ..session.reply import Stopped
    from ..session.stops import Stop

    # The chosen run, the place in it, stops and displays: what an error changes back.
    _Snapshot = tuple[int, Place, dict[int, Stop], dict[int, Display]]


_HUNTING: Final = (
    "One rule of this backward pass is wrong. `check` compares inputs and parameters, "
    "`limit NODE` one gradient; `accuse NODE` says whom you suspect."
)
_SYMPTOM: Final = "One rule is wrong: `accuse NODE` says whom you suspect."


class _Done(NamedTuple):
    """What came of a line."""

    command: Command | None  # None where the line has none
    answer: Answer = Answer()
    error: str | None = None  # what went wrong, in words
    failed: bool = False  # whether an assertion did not hold
    interrupted: bool = False
    problems: tuple[Problem, ...] = ()  # of the error, as data


class Debugger(Session, ByName):
    """A session that carries out command lines.

    It is about a scenario, or about any other subject. `scenario` is the file that it
    was read from, None for another subject.

    `groups` is the command table. `execute` carries out a line of it, and so does a
    method of the command's name.

    >>> from gradstep import load
    >>> debugger = Debugger(load("apple_orange"))
    >>> debugger.execute("goto end").phase
    'end'
    >>> float(debugger.execute("print a.grad").data)
    3.3000000000000003
    """

    groups: Final = GROUPS
    commands: Final = COMMANDS
    aliases: Final = ALIASES

    def __init__(
        self,
        about: Scenario | Subject,
        timeline: Timeline | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.scenario = about if isinstance(about, Scenario) else None
        self._seq = 0
        self.progress: Progress = progress or (lambda done, of: None)
        if timeline is None:
            timeline = timeline_of(about, self._report)
        super().__init__(
            _subject(about),
            timeline,
            self._must_read,
            self._nested,
            self.progress,
        )
        if self.scenario and self.scenario.hunted and self.scenario.hidden:
            from ..practice.hunt import Hunt  # noqa: PLC0415  # 30 ms of a start

            self.memory.hunt = Hunt(self.scenario.hidden)
            self._tell_of_hunt()

    def _tell_of_hunt(self) -> None:
        """Say what a person has noticed, at the start, and elsewhere what helps."""
        is_start = self.place == (0, 0)
        symptom = f"{self.subject.summary} {_SYMPTOM}"
        self.memory.said = symptom if is_start else _HUNTING

    def _report(self, done: int, of: int) -> None:
        """Count the iteration that was computed, and tell whoever is to know by now."""
        if self._seq:  # for a command; before the first one nothing is limited
            self.count_iteration()
        self.progress(done, of)

    # ------------------------------------------------------------------ commands

    def execute(self, line: str, trust: Trust | None = None) -> Reply:
        """Carry out one command line. What is wrong changes nothing and is said.

        `trust` says what it may do with files; without one, what the session's lines
        may.
        """
        memory, line = self.memory, clean(line)
        if memory.depth == 0:
            memory.started = 0
            self._seq += 1
            self.budget = Budget(self.subject.limits)
        outer, memory.waiting = memory.waiting, []
        before = self._snapshot()
        command, reply = self._carry_out(line, trust or self.trust)
        replies = [reply]
        while memory.waiting and replies[-1].ok and replies[-1].code is None:
            replies.append(self._carry_out(*memory.waiting.pop(0))[1])
        memory.waiting = outer
        reply = _joined(replies)
        if command is not None or not reply.ok:
            changed = self._snapshot() != before
            self._write_down(self._replayed(command, reply, changed))
            if memory.recording and memory.asserting and command and _is_fine(reply):
                self._write_down(_seen(command, reply))
            self._remember(command, reply)
        return reply

    def _write_down(self, lines: Sequence[str]) -> None:
        """Keep lines for `save`."""
        self.memory.script += lines
        if self.memory.recording and self.memory.recorded is not None:
            self.memory.recorded += lines

    def _carry_out(self, line: str, trust: Trust) -> tuple[Command | None, Reply]:
        before, outer = self._snapshot(), self.trust
        self.trust = trust
        try:
            done = self._tried(line.strip(), before)
        finally:
            self.trust = outer
        answer, error = done.answer, done.error
        moved = before[:2] != (self.chosen, self.place)
        if moved or answer.stop:
            self._note_arrival(answer.stop, moved)
        put = question_here(self) if moved else None
        asked = () if put is None else (put.text,)
        return done.command, Reply(
            self._seq,
            clean(line.strip()),
            error is None,
            self.place.iteration,
            self.position,
            len(self.trace),
            self.trace.phase(self.position),
            answer.stop,
            tuple(self._displays()) if moved or answer.stop else (),
            answer.facts(),
            (*(with_wordings(text, self.graph) for text in answer.text), *asked),
            error and sentence_with_wordings(error, self.graph),
            done.failed,
            _worded_show(answer.show, self.graph),
            moved,
            answer.code,
            done.interrupted,
            done.problems,
        )

    def _tried(self, line: str, before: _Snapshot) -> _Done:
        """Carry out a line; what it did before it failed is undone."""
        memory = self.memory
        memory.started += 1
        started, command = memory.started, None
        try:
            if started > self.subject.limits.commands:
                what = f"this line has started {started} commands"
                raise CommandError(what, self.subject.limits.allowed("commands"))
            command, arguments = self.read(line)
            if command is None:
                return _Done(None)
            refuse_hidden(self, command.hidden_in)
            answer = command.run(self, arguments)
        except (Interrupted, KeyboardInterrupt) as stopped:
            known = isinstance(stopped, Interrupted)
            error = (stopped if known else Interrupted()).told
            return _Done(command, error=error, interrupted=True)
        except (InputError, RuleError, MemoryError) as problem:
            if memory.started == started:  # a script has done what it did
                self._restore(before)
            failed = isinstance(problem, AssertionFailed)
            problems = problem.problems if isinstance(problem, InputError) else ()
            said = NO_ROOM if isinstance(problem, MemoryError) else str(problem)
            return _Done(command, Answer(), said, failed, problems=problems)
        return _Done(command, answer, answer.error, answer.failed, answer.interrupted)

    def _note_arrival(self, stop: Stopped | None, moved: bool) -> None:
        """Remember why we are here, and in a hunt that somebody has looked here."""
        self.memory.stopped = stop
        if moved and self.memory.hunt is not None:
            self.memory.looked.add(self.place)
            self._tell_of_hunt()

    def _snapshot(self) -> _Snapshot:
        memory = self.memory
        return self.chosen, self.place, dict(memory.stops), dict(memory.displays)

    def _restore(self, before: _Snapshot) -> None:
        self.chosen, self.place, self.memory.stops, self.memory.displays = before

    def _replayed(
        self, command: Command | None, reply: Reply, changed: bool
    ) -> Sequence[str]:
        """Return the lines that do in a replay what a line has done.

        One that failed is there where it changed something, or where the next line
        expects it; an interrupted one leads where it has come to.
        """
        if command is None or not command.recorded:
            return ()
        if reply.interrupted and changed:
            trained = (f"train {reply.iteration}",) if reply.iteration else ()
            place = f"goto {reply.iteration}:{reply.position}"
            return "goto 0:start", *trained, place
        if not _is_fine(reply):
            return (reply.command, "expect error") if changed else ()
        previous = self.memory.previous
        if reply.command.split()[:2] != ["expect", "error"] or previous is None:
            return (reply.command,)
        if _is_fine(previous):  # it failed inside of what it started
            return (reply.command,)
        if self.memory.script[-2:] == [previous.command, "expect error"]:
            return (reply.command,) if reply.command != "expect error" else ()
        is_there = self._is_recorded(previous.command)
        return (previous.command, reply.command) if is_there else ()

    def _is_recorded(self, line: str) -> bool:
        """Tell whether a script has a line; it may be one that no command is."""
        try:
            command, _ = self.read(line)
        except CommandError:
            return True
        return command is not None and command.recorded

    def _remember(self, command: Command | None, reply: Reply) -> None:
        memory = self.memory
        if not (command and command.judges and reply.ok):
            memory.previous = reply
        if memory.depth or not reply.ok or command is None:
            return
        memory.history.append(reply.command)

    def read(self, line: str) -> tuple[Command | None, str]:
        """Return the command of a line, and its arguments; None where there is none.

        It is found by name, by alias, or by the start of a name. Raises `CommandError`
        where it is no command, or too long.
        """
        line = without_comment(line)
        if not line:
            return None, ""
        if len(line) > self.subject.limits.line:
            what = f"a line of {len(line)} characters is too long"
            raise CommandError(what, self.subject.limits.allowed("line"))
        word, _, rest = line.partition(" ")
        found = meant(word)
        if len(found) == 1:
            return COMMANDS[found[0]], rest.strip()
        if found:
            raise CommandError(f"{word!r} could be {', '.join(found)}")
        way = WAYS.get(word.lower())
        near = nearest(word, [*COMMANDS, *ALIASES])
        hint = f"write {way}" if way else near or "help lists them all"
        raise CommandError(f"there is no command {word!r}", hint)

    def _must_read(self, line: str) -> None:
        """Raise `CommandError` for a line that is wrong whenever it is run."""
        command, arguments = self.read(line)
        if command is not None:
            must_read(self, command, arguments)

    def _displays(self) -> Iterator[tuple[int, str, Any]]:
        if not self.memory.displays:
            return
        state = self.state()
        for display in self.memory.displays.values():
            try:
                value = display.expression.evaluate(state)
            except NotYetError:
                value = None
            except CommandError as error:
                value = str(error)
            yield display.number, display.expression.text, value

    def _nested(self, line: str, trust: Trust) -> Reply:
        """Carry out a line on behalf of another one: one of a script."""
        most = self.subject.limits.scripts
        if self.memory.depth >= most:
            raise CommandError(f"scripts nest more than {most} deep")
        self.memory.depth += 1
        try:
            return self.execute(line, trust)
        finally:
            self.memory.depth -= 1


def _subject(about: Scenario | Subject) -> Subject:
    return about.subject if isinstance(about, Scenario) else about


def timeline_of(
    about: Scenario | Subject, progress: Progress | None = None
) -> Timeline:
    """Return the time of a subject: one iteration, or those of a scenario's training.

    `progress` is told of the nodes that are computed, and of every iteration on the way
    to another one.
    """
    if not isinstance(about, Scenario):
        return Single.of(about.run(progress))
    if about.training is None:
        timeline: Timeline = Single.of(about.subject.run(progress))
    else:
        from ..training.iterations import iterations_of  # noqa: PLC0415  # 9 ms of a start

        timeline = iterations_of(about, about.training, progress)
    if not about.hunted or about.hidden is None:
        return timeline
    from ..mistakes.hidden import with_hidden  # noqa: PLC0415  # few have one

    return timeline.patched(0, with_hidden(timeline.trace(0), about.hidden))


def event_count(scenario: Scenario) -> int:
    """Return how many events an iteration has, without running it."""
    graph = scenario.subject.graph
    computed = sum(node.op is not None for node in graph)
    reached = {graph.nodes[operand].name for operand in graph.carrying.operands}
    trained = scenario.training.learning_rate if scenario.training else ()
    return computed + 1 + len(graph.carrying) + len(reached & set(trained))


def _is_fine(reply: Reply) -> bool:
    """Tell whether a script goes on behind a line."""
    return reply.ok and not reply.failed and not reply.interrupted


def _seen(command: Command, reply: Reply) -> Sequence[str]:
    """Return what was seen as lines that hold in a replay."""
    from ..session.script import assertions  # noqa: PLC0415  # 2 ms of a start

    return assertions(command.name, reply) if command.recorded else ()


def _worded_show(shown: Any, graph: Graph) -> Any:
    """Return a table or a value that says what the made-up names in it stand for."""
    if isinstance(shown, Value):
        return shown._replace(note=wordings(shown.name, graph))
    if isinstance(shown, Table):
        return shown._replace(rows=tuple(_worded_row(row, graph) for row in shown.rows))
    return shown


def _worded_row(row: tuple[Any, ...], graph: Graph) -> tuple[Any, ...]:
    """Put what names stand for behind them, where no other cell says it."""
    cells = [
        "  ".join(cast("list[str]", cell)) if isinstance(cell, list) else cell
        for cell in row
    ]
    told = "  ".join(cell for cell in cells if isinstance(cell, str))
    if with_wordings(told, graph) == told:
        return row
    return tuple(
        with_wordings(cell, graph) if isinstance(cell, str) else cell for cell in cells
    )


def _joined(replies: Sequence[Reply]) -> Reply:
    """Return the reply to a line whose stops have run commands of their own."""
    first, last = replies[0], replies[-1]
    if last is first:
        return first
    return replace(
        last,
        command=first.command,
        stop=next((one.stop for one in reversed(replies) if one.stop), None),
        display=next((one.display for one in reversed(replies) if one.display), ()),
        facts=first.facts,
        text=tuple(line for one in replies for line in one.text),
        error=last.error and f"at the stop: {last.command}: {last.error}",
        failed=any(one.failed for one in replies),
        problems=(),
        show=first.show,
        moved=any(one.moved for one in replies),
    )


def without_comment(text: str) -> str:
    """Cut a comment, which a blank parts from its `#`: `#31` is an event."""
    start = re.search(r"(^|\s)#(\s|$)", text)
    return (text[: start.start()] if start else text).strip()
