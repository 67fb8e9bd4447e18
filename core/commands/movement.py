"""Commands that move in time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import CommandError, Problem
from ..base.progress import with_progress
from ..base.text import counted, nearest
from ..session.asking import ask, next_asked, passed_over, posed
from ..session.changes import changes
from ..session.memory import Place
from ..session.reply import Answer, Stopped, Table
from ..session.steps import MOVES, Direction
from ..session.stops import Stop, changing
from ..words.digits import SENTENCE
from ..words.events import event_kind, event_line, where
from ..words.names import with_wordings
from ..words.numbers import change_text, index_text
from .table import Command, Completes, refuse_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..engine.trace import Trace
    from ..session.session import Session

_MOST_LINES = 8  # of events, in the text of one reply
_GONE: Final = "`from` and `to`, each with `iteration` and `position`"
_WAY: Final = (
    f"{_GONE}; and `events`, those on the way that the text tells, in the order of "
    "time, each with `event` (from 1), `kind` (forward, seed, contribution or update) "
    "and `where` (the node or the edge)"
)
_ASKED: Final = (
    f"{_WAY}; where predict asks first, the `question`, its `kind` (shape, signs or "
    "number), the `element` and the `event`"
)
_MARK: Final = "its `name`, `iteration` and `position`"
ONLY_PLACES: Final = ("#", "node:", "frame:", "op:", "line:")  # no expression does


def whole_number(text: str, default: int = 1) -> int:
    """Parse a count: a whole number from 1, or `default` when nothing is given.

    Raises `CommandError` for anything else, and for more than a billion.
    """
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= 10**9:
        raise CommandError(f"{text!r} is not a count", "1, 2, 3, …")
    return int(text)


def arrived(session: Session, before: Place, stop: Stopped | None = None) -> Answer:
    """Return the answer of a movement: what happened on the way, and where we are."""
    lines: list[str] = []
    numbers = range(0)
    is_back = before > session.place
    is_hidden = is_back and "predict" in session.modes  # what is undone is to come
    if is_hidden and stop is not None:
        stop = _without_what_comes(stop)
    if stop is not None:
        graph, stops = session.graph, (stop, *stop.also)
        said = (stop_line(one, session.digits) for one in stops)
        lines += [with_wordings(line, graph) for line in said]
        lines[-1] += _passed(session, before)
    if before.iteration != session.place.iteration:
        lines.append(f"iteration {session.place.iteration}")
    else:
        low, high = sorted((before.position, session.position))
        numbers = range(low, high)[-_MOST_LINES:]
        back = "undone: " * is_back
        told = where if is_hidden else partial(event_line, digits=session.digits)
        lines += [back + told(session.trace, number) for number in numbers]
        rest = high - low - len(numbers)
        if rest:
            lines.insert(0, f"… {counted(rest, 'event')} before these")
    lines.append(here(session))
    return Answer(tuple(lines), way(session, before, numbers), stop=stop)


def _passed(session: Session, before: Place) -> str:
    """Return that questions of the author were passed, and what leads to the first."""
    places = passed_over(session, before)
    if not places:
        return ""
    first = f"{'0:' * bool(session.place.iteration)}{places[0]}"
    if len(places) == 1:
        return f"; a question: goto {first} asks it"
    return f"; {len(places)} questions: goto {first} asks the first"


def _without_what_comes(stop: Stopped) -> Stopped:
    """Return a stop that was met backwards, without what comes behind its place."""
    also = tuple(map(_without_what_comes, stop.also))
    return replace(stop, after=None, index=None, also=also)


def gone(session: Session, before: Place) -> dict[str, Any]:
    """Return a movement for a program: from where to where."""
    return {"from": before._asdict(), "to": session.place._asdict()}


def way(session: Session, before: Place, numbers: Iterable[int] = ()) -> dict[str, Any]:
    """Return a movement for a program, with the events on the way."""
    trace = session.trace
    return gone(session, before) | {
        "events": [
            {
                "event": number + 1,
                "kind": event_kind(trace.event(number)),
                "where": where(trace, number),
            }
            for number in numbers
        ],
    }


def here(session: Session) -> str:
    """Return the place in one line."""
    trace, position = session.trace, session.position
    text = f"{trace.phase(position)} · event {position} of {len(trace)}"
    if session.timeline.iterations > 1:
        text += f" · iteration {session.place.iteration}"
    return text


def stop_line(stop: Stopped, digits: int = SENTENCE) -> str:
    """Return why travel halted, in one line."""
    if stop.reason in ("start", "end"):
        return f"the {stop.reason} of the run"
    text = f"{stop.reason} {stop.number or ''}".strip() + f": {stop.text}"
    if stop.reason == "watch" or stop.before is not None or stop.after is not None:
        text += f": {change_text(stop.before, stop.after, digits)}"
    if stop.where and stop.where not in stop.text:
        text += f" at {stop.where}"
    return text + index_text(stop.index)


def _mover(name: str, direction: Direction) -> Callable[[Session, str], Answer]:
    def run(session: Session, arguments: str) -> Answer:
        before = session.place
        place, stop = _destination(session, name, direction, arguments)
        session.go(place)
        return arrived(session, before, stop)

    return run


def _asking(name: str) -> Callable[[Session, str], Answer]:
    """Return the mover that asks first, while predict is on."""
    move = _mover(name, 1)

    def run(session: Session, arguments: str) -> Answer:
        prediction, before = session.memory.prediction, session.place
        if prediction is None:
            return move(session, arguments)
        until, _ = _destination(session, name, 1, arguments)
        place = next_asked(session, before, until)
        if place is None:
            return move(session, arguments)
        session.go(place)
        way = arrived(session, before) if place != before else None
        return posed(session.graph, ask(session, prediction, until), way)

    return run


def _destination(
    session: Session, name: str, direction: Direction, arguments: str
) -> tuple[Place, Stopped | None]:
    """Return where so many moves lead, and the end that they halt at."""
    move, place = MOVES[name], session.place
    for _ in range(whole_number(arguments)):
        trace = session.timeline.trace(place.iteration)
        position = move(trace, place.position, direction)
        if position != place.position:
            place = Place(place.iteration, position)
            continue
        beyond = session.step_over(place, direction)
        if beyond is None:
            return place, Stopped("end" if direction > 0 else "start")
        place = beyond
    return place, None


def _continue(direction: Direction) -> Callable[[Session, str], Answer]:
    def run(session: Session, arguments: str) -> Answer:
        before = session.place
        stop = session.travel(direction)
        for _ in range(whole_number(arguments) - 1):
            if stop.reason in ("start", "end"):
                break
            stop = session.travel(direction)
        return _halted(session, before, stop)

    return run


def _halted(session: Session, before: Place, stop: Stopped) -> Answer:
    """Remember where travel came from, and say why it halted."""
    after, session.place = session.place, before
    session.go(after)
    return arrived(session, before, stop)


def _until(direction: Direction) -> Callable[[Session, str], Answer]:
    def run(session: Session, arguments: str) -> Answer:
        if not arguments:
            raise CommandError("until what?", "until LOC, or until EXPR")
        before = session.place
        try:
            location = session.location(arguments)
        except CommandError:
            if arguments.startswith(ONLY_PLACES):
                raise
            return _until_true(session, arguments, direction)
        once = Stop(0, "break", arguments, location)
        return _halted(session, before, session.travel(direction, [once]))

    return run


def _until_true(session: Session, text: str, direction: Direction) -> Answer:
    before = session.place
    condition = session.expression(text)
    if not changing(condition, session.trace):
        raise CommandError(
            f"no event changes {text}", "goto leads to a position or iteration"
        )
    once = Stop(0, "watch", text, watched=condition)
    stop = session.travel(direction, [once])
    while stop.reason == "until" and not condition.holds(session.state()):
        stop = session.travel(direction, [once])
    return _halted(session, before, stop)


def _goto(session: Session, arguments: str) -> Answer:
    before = session.place
    session.go(find_place(session, arguments))
    return Answer((here(session),), gone(session, before))


def find_place(session: Session, text: str) -> Place:
    """Return the place that a `goto` names, or raise `CommandError`."""
    place = session.place
    if not text:
        raise CommandError(
            "go where?", "LOC, a position, 50%, +5, -5, ITERATION:LOC or a mark"
        )
    if text in session.memory.marks:
        return session.memory.marks[text]
    iteration, colon, rest = text.partition(":")
    if colon and iteration.isdecimal():
        number = int(iteration)
        if number >= session.timeline.iterations:
            raise CommandError(
                f"there is no iteration {number}",
                f"0 … {session.timeline.iterations - 1} are there; train makes more",
            )
        place, text = Place(number, 0), rest or "start"
    trace = session.timeline.trace(place.iteration)
    return Place(place.iteration, _position(session, trace, place.position, text))


def _position(session: Session, trace: Trace, position: int, text: str) -> int:
    found = numbered(text, position, len(trace))
    if found is not None:
        return found
    try:
        return session.location(text).position(trace)
    except CommandError as error:
        hint = nearest(text, session.memory.marks)
        raise CommandError(
            [Problem(str(error), hint)] if hint else error.problems
        ) from (None)


def numbered(text: str, position: int, size: int) -> int | None:
    """Return the position that a number, a share or a step means; None for no number.

    Raises `CommandError` for one past the end, `size`.
    """
    number, sign = text.strip("+-%"), text[0]
    if not number.isdecimal() or len(number) >= 10:
        return None
    count = int(number)
    if text == f"{number}%":
        return _inside(count, 100, "%") * size // 100
    if sign in "+-" and text == sign + number:
        return min(max(position + int(text), 0), size)
    return _inside(count, size, "") if text == number else None


def _inside(number: int, most: int, unit: str) -> int:
    if number > most:
        raise CommandError(f"{number}{unit} is past the end, {most}{unit}")
    return number


def _last(session: Session, arguments: str) -> Answer:
    """Go to the previous change of an expression, or with -f to the next."""
    direction: Direction = -1
    if arguments.startswith("-f"):
        refuse_hidden(session, ("predict",))
        direction, arguments = 1, arguments[2:].strip()
    if not arguments:
        raise CommandError("the last change of what?", "last [-f] EXPR")
    before, expression = session.place, session.expression(arguments)
    events = changing(expression, session.trace)
    if direction < 0:
        events = [event for event in reversed(events) if event + 1 < session.position]
    else:
        events = [event for event in events if event + 1 > session.position]
    looked_at = with_progress(events, session.progress)
    for event, old, new in changes(session, expression, looked_at):
        session.go(Place(before.iteration, event))
        digits = session.digits
        change = f"{expression.text}: {change_text(old, new, digits)}"
        line = event_line(session.trace, event - 1, digits)
        data = way(session, before, (event - 1,)) | {"before": old, "after": new}
        return Answer((change, line, here(session)), data)
    which = "earlier" if direction < 0 else "later"
    said = f"{expression.text} has no {which} change in this iteration"
    return Answer((said,), way(session, before) | {"before": None, "after": None})


def _back(session: Session, _arguments: str) -> Answer:
    return _revisit(session, session.memory.visited, session.memory.returned, "before")


def _forward(session: Session, _arguments: str) -> Answer:
    return _revisit(session, session.memory.returned, session.memory.visited, "after")


def _revisit(
    session: Session, source: list[Place], target: list[Place], which: str
) -> Answer:
    if not source:
        raise CommandError(f"no place was visited {which} this one")
    before = session.place
    target.append(before)
    session.place = source.pop()
    session.choose(
        session.chosen
    )  # another run may be shorter than the place remembers
    return Answer((here(session),), gone(session, before))


def _mark(session: Session, arguments: str) -> Answer:
    free = (f"m{number}" for number in count(len(session.memory.marks) + 1))
    name = arguments or next(one for one in free if not _is_place(session, one))
    if not name.isidentifier():
        raise CommandError(f"{name!r} cannot be a mark", "use a plain name")
    if _is_place(session, name):
        raise CommandError(
            f"{name} is a place already, which the mark would hide",
            f"use another name, such as {name}_mark",
        )
    before = session.memory.marks.get(name, session.place)
    session.memory.marks[name] = session.place
    data = {"name": name, **session.place._asdict()}
    said = f"mark {name}: {here(session)}"
    if before != session.place:
        said += f"; it was at iteration {before.iteration}, position {before.position}"
    return Answer((said,), data)


def _is_place(session: Session, name: str) -> bool:
    """Tell whether a name leads somewhere without a mark."""
    try:
        session.location(name)
    except CommandError:
        return False
    return True


def marks_table(session: Session) -> Table:
    """Return the bookmarks."""
    rows = [(n, p.iteration, p.position) for n, p in session.memory.marks.items()]
    return Table("marks", ("name", "iteration", "position"), tuple(rows))


def _marks(session: Session, _arguments: str) -> Answer:
    table = marks_table(session)
    lines = [f"{name}  iteration {i}, position {p}" for name, i, p in table.rows]
    said = tuple(lines) or ("no marks; `mark NAME` sets one",)
    return Answer(said, table.records(), table)


def _row(
    name: str,
    alias: str,
    keys: tuple[str, ...],
    summary: str,
    run: Callable[[Session, str], Answer],
    usage: str = "[N]",
    completes: Completes = "",
    data: str = _WAY,
) -> Command:
    return Command(name, usage, summary, run, alias, keys, completes, data=data)


ROWS: Final[tuple[Command, ...]] = (
    _row(
        "step",
        "s",
        ("i",),
        "one node: a value, or all its edges",
        _asking("step"),
        data=_ASKED,
    ),
    _row("reverse-step", "rs", ("I",), "one node back", _mover("step", -1)),
    _row(
        "stepi",
        "si",
        ("s", "right"),
        "one event: a value, or one edge",
        _asking("stepi"),
        data=_ASKED,
    ),
    _row("reverse-stepi", "rsi", ("S", "left"), "one event back", _mover("stepi", -1)),
    _row("next", "n", ("n",), "one statement, over frames", _mover("next", 1)),
    _row("reverse-next", "rn", ("N",), "one statement back", _mover("next", -1)),
    _row(
        "finish",
        "fin",
        ("f",),
        "out of the frame; at the top, to the end of the pass",
        _mover("finish", 1),
        "",
    ),
    _row(
        "reverse-finish",
        "rfin",
        ("F",),
        "out of the frame, back",
        _mover("finish", -1),
        "",
    ),
    _row("continue", "c", ("c",), "to the next stop, or the end", _continue(1)),
    _row(
        "reverse-continue",
        "rc",
        ("C",),
        "to the stop before, or the start",
        _continue(-1),
    ),
    _row(
        "until",
        "u",
        ("t",),
        "run to a place, or until an expression becomes true, once",
        _until(1),
        "LOC | EXPR",
        completes="location",
    ),
    _row(
        "reverse-until",
        "ru",
        ("T",),
        "the same, back",
        _until(-1),
        "LOC | EXPR",
        completes="location",
    ),
    _row(
        "goto",
        "g",
        ("g", "home", "end"),
        "jump to where a place is done",
        _goto,
        "LOC | N | 50% | +N | -N | ITERATION:LOC | MARK",
        completes="location",
        data=_GONE,
    ),
    _row(
        "last",
        "",
        ("[", "]"),
        "to the previous (-f: the next) change of an expression",
        _last,
        "[-f] EXPR",
        completes="expression",
        data=f"{_WAY}; `before` and `after`: the change, None where there is none",
    ),
    _row(
        "back",
        "",
        ("backspace", "alt+left"),
        "to the place visited before",
        _back,
        "",
        data=_GONE,
    ),
    _row(
        "forward",
        "",
        ("alt+right",),
        "to the place that `back` left",
        _forward,
        "",
        data=_GONE,
    ),
    _row("mark", "", ("m",), "bookmark this place", _mark, "[NAME]", data=_MARK),
    _row(
        "marks", "", (), "list the bookmarks", _marks, "", data=f"of each mark {_MARK}"
    ),
)
