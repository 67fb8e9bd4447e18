"""Commands that set, change and list stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.errors import CommandError
from ..base.text import counted, nearest
from ..session.memory import Place
from ..session.reply import Answer, Table
from ..session.stops import CATCHES, Catch, Stop, changing
from ..words.names import with_wordings
from .table import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..expression.expression import Expression
    from ..session.session import Session


_STOP: Final = (
    "`number`, `kind`, `what` it looks for, `state` (on or off), `hits` so far, how "
    "many more it has to `ignore`, and its `commands`"
)
_STOPS: Final = f"of each stop that there is now {_STOP}"
_NUMBER: Final = "the number of the stop"


def _split_condition(session: Session, text: str) -> tuple[str, Expression | None]:
    """Split `… if EXPR`."""
    if text.startswith("if "):
        return "", session.expression(text[3:])
    place, found, condition = text.partition(" if ")
    return place.strip(), session.expression(condition) if found else None


def _add(session: Session, stop: Stop) -> Answer:
    memory = session.memory
    memory.numbered += 1
    stop = stop._replace(number=memory.numbered)
    memory.stops[stop.number] = stop
    said = with_wordings(f"{stop.kind} {stop.number}: {_what(stop)}", session.graph)
    return Answer((said, *_never_known(session, stop)), stop.number)


def _never_known(session: Session, stop: Stop) -> Iterator[str]:
    """Say what a stop asks for that is never known, or never changes, where it looks.

    What is known stays known until the end: only the last place has to be asked.
    """
    trace = session.trace
    if stop.location is not None:
        last = max(span[0] for span in stop.location.spans(trace))
    elif stop.watched is not None:
        events = changing(stop.watched, trace)
        if not events:
            yield f"no event changes {stop.text}: it never stops"
        last = max(events, default=-1) + 1
    else:
        last = len(trace)
    place = Place(session.place.iteration, last)
    unknown = stop.condition.unknown(session.state(place)) if stop.condition else ()
    if unknown:
        are = "is" if len(unknown) == 1 else "are"
        text = f"{', '.join(unknown)} {are} never known there, and nothing that asks "
        text += f"for {'it' if len(unknown) == 1 else 'them'} holds"
        way = "a break stops before its event, a watch behind it"
        yield text + f": {way}" * (stop.kind == "break")


def _what(stop: Stop) -> str:
    condition = f" if {stop.condition.text}" if stop.condition else ""
    return f"{stop.text}{condition}"


def _breaker(temporary: bool) -> Callable[[Session, str], Answer]:
    def run(session: Session, arguments: str) -> Answer:
        place, condition = _split_condition(session, arguments)
        if not place:
            place = f"#{min(session.position + 1, len(session.trace))}"
        location = session.location(place)
        if not location.spans(session.trace):
            raise CommandError(f"nothing happens at {place}", "no event belongs to it")
        stop = Stop(
            0, "break", place, location, condition=condition, temporary=temporary
        )
        return _add(session, stop)

    return run


def _watch(session: Session, arguments: str) -> Answer:
    text, condition = _split_condition(session, arguments)
    if not text:
        raise CommandError("watch what?", "watch EXPR [if EXPR]")
    watched = session.expression(text)
    if not watched.reads:
        raise CommandError(f"{text} never changes", "watch a node, or its .grad")
    return _add(session, Stop(0, "watch", text, watched=watched, condition=condition))


def _catch(session: Session, arguments: str) -> Answer:
    text, condition = _split_condition(session, arguments)
    name, _, bound = text.partition(" ")
    if name not in CATCHES:
        raise CommandError(
            f"there is nothing to catch called {name!r}",
            nearest(name, CATCHES) or "nan, inf, zero, large X, small X",
        )
    catch = Catch(name, _bound(name, bound.strip()))
    return _add(session, Stop(0, "catch", text, catch=catch, condition=condition))


def _bound(name: str, text: str) -> float:
    if name not in ("large", "small"):
        if text:
            raise CommandError(f"catch {name} takes no bound, not {text!r}")
        return 0.0
    try:
        return float(text)
    except ValueError:
        raise CommandError(
            f"catch {name} needs a number, not {text!r}", f"catch {name} 1e3"
        ) from None


def find_stop(session: Session, text: str) -> Stop:
    """Return the stop with the number in `text`, or raise `CommandError`."""
    stops = session.memory.stops
    if not text.isdecimal() or int(text) not in stops:
        known = ", ".join(map(str, stops)) or "none yet"
        raise CommandError(f"there is no stop {text!r}", f"stops there are: {known}")
    return stops[int(text)]


def _numbers(session: Session, text: str) -> list[Stop]:
    """Return the stops that a list of numbers names; all, when it is empty."""
    if not text:
        return list(session.memory.stops.values())
    return [find_stop(session, number) for number in text.replace(",", " ").split()]


def _condition(session: Session, arguments: str) -> Answer:
    number, _, text = arguments.partition(" ")
    stop = find_stop(session, number)
    condition = session.expression(text) if text.strip() else None
    if condition is None and stop.condition is None:
        said = f"stop {stop.number} has no condition to take away"
        return Answer((said,), _record(session, stop))
    session.memory.stops[stop.number] = changed = stop._replace(condition=condition)
    lines = f"{changed.kind} {changed.number}: {_what(changed)}"
    return Answer((lines, *_never_known(session, changed)), _record(session, changed))


def _ignore(session: Session, arguments: str) -> Answer:
    number, _, count = arguments.partition(" ")
    stop = find_stop(session, number)
    count = count.strip()
    if not count.isdecimal():
        raise CommandError(f"{count!r} is not a count", "ignore N COUNT")
    session.memory.stops[stop.number] = changed = stop._replace(ignore=int(count))
    said = f"stop {stop.number} is passed {counted(int(count), 'time')}"
    if not int(count):
        said = f"stop {stop.number} halts at its next hit"
    return Answer((said,), _record(session, changed))


def _commands(session: Session, arguments: str) -> Answer:
    number, _, text = arguments.partition(" ")
    stop = find_stop(session, number)
    lines = tuple(line.strip() for line in text.split(";") if line.strip())
    for line in lines:
        session.must_read(line)
    changed = stop._replace(commands=lines, trust=session.trust.of_stop())
    session.memory.stops[stop.number] = changed
    what = "; ".join(lines) if lines else "nothing"
    return Answer((f"at stop {stop.number}: {what}",), _record(session, changed))


def _enabler(enabled: bool) -> Callable[[Session, str], Answer]:
    def run(session: Session, arguments: str) -> Answer:
        chosen, state = _numbers(session, arguments), "on" if enabled else "off"
        if not any(stop.enabled != enabled for stop in chosen):
            which = "it is" if len(chosen) == 1 else "they are"
            said = f"{which} {state} already"
            if not chosen:
                said = f"there are no stops to switch {state}"
            return Answer((said,), stops_table(session).records())
        for stop in chosen:
            session.memory.stops[stop.number] = stop._replace(enabled=enabled)
        return _stops(session, "")

    return run


def _delete(session: Session, arguments: str) -> Answer:
    chosen = _numbers(session, arguments)
    if not chosen:
        return Answer(("there are no stops to delete",), [])
    for stop in chosen:
        del session.memory.stops[stop.number]
    return _stops(session, "")


def stops_table(session: Session) -> Table:
    """Return the stops with their counts."""
    rows = [
        (
            stop.number,
            stop.kind,
            _what(stop),
            "on" if stop.enabled else "off",
            stop.hits,
            stop.ignore,
            "; ".join(stop.commands),
        )
        for stop in session.memory.stops.values()
    ]
    columns = ("number", "kind", "what", "state", "hits", "ignore", "commands")
    return Table("stops", columns, tuple(rows))


def _stops(session: Session, _arguments: str) -> Answer:
    table = stops_table(session)
    lines = [
        f"{n} {kind} {what}  {on}, {counted(hits, 'hit')}"
        for n, kind, what, on, hits, *_ in table.rows
    ]
    return Answer(tuple(lines) or ("no stops",), table.records(), table)


def _record(session: Session, stop: Stop) -> dict[str, Any]:
    """Return one stop as the table of all has it."""
    rows = stops_table(session).records()
    return next(row for row in rows if row["number"] == stop.number)


def _of_stop(
    name: str,
    usage: str,
    summary: str,
    run: Callable[[Session, str], Answer],
    alias: str = "",
    data: str = _STOPS,
) -> Command:
    """Return the row of a command that is given the numbers of stops."""
    return Command(name, usage, summary, run, alias, completes="stop", data=data)


ROWS: Final[tuple[Command, ...]] = (
    Command(
        "break",
        "[LOC] [if EXPR]",
        "stop before a place; here, when none is named",
        _breaker(temporary=False),
        "b",
        ("b",),
        "location",
        data=_NUMBER,
    ),
    Command(
        "tbreak",
        "[LOC] [if EXPR]",
        "the same, once",
        _breaker(temporary=True),
        "tb",
        completes="location",
        data=_NUMBER,
    ),
    Command(
        "watch",
        "EXPR [if EXPR]",
        "stop when an expression changes",
        _watch,
        "wa",
        ("w",),
        "expression",
        data=_NUMBER,
    ),
    Command(
        "catch",
        "nan | inf | zero | large X | small X",
        "stop at an event that makes such a number",
        _catch,
        completes="word",
        words=tuple(CATCHES),
        data=_NUMBER,
    ),
    _of_stop(
        "condition",
        "N [EXPR]",
        "give a stop a condition, or take it away",
        _condition,
        "cond",
        _STOP,
    ),
    _of_stop("ignore", "N COUNT", "pass a stop so many times", _ignore, data=_STOP),
    _of_stop(
        "commands",
        "N CMD; CMD; …",
        "run commands whenever a stop is met",
        _commands,
        data=_STOP,
    ),
    _of_stop("enable", "[N …]", "switch stops on", _enabler(enabled=True), "en"),
    _of_stop("disable", "[N …]", "switch stops off", _enabler(enabled=False), "dis"),
    _of_stop("delete", "[N …]", "delete stops; all, when none is named", _delete, "d"),
)
