"""The scenario's file: loading it, whether it has changed, and loading it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...core.base.errors import InputError, Interrupted, defect_text
from ...core.debugger.debugger import Debugger
from ...core.scenario.builtin import name_of
from ...core.scenario.scenario import hunted, load
from ...core.session.asking import go_on

if TYPE_CHECKING:
    from ...core.base.limits import Limits
    from ...core.base.progress import Progress


class Loaded(NamedTuple):
    """What came of loading a file again: a session, or why there is none.

    With a session, what is said are the stops that it has no place for.
    """

    debugger: Debugger | None  # None where the file cannot be read
    said: str  # why not, or the lost stops, one a line


def opened(path: str, limits: Limits, progress: Progress) -> Loaded:
    """Load a scenario and run it for the first time."""
    try:
        return Loaded(Debugger(load(path, limits, progress), progress=progress), "")
    except InputError as error:
        return Loaded(None, str(error))
    except Interrupted:
        return Loaded(None, "it was given up")
    except Exception as error:  # noqa: BLE001  # ours; the application goes on
        return Loaded(None, defect_text(error))


def reloaded(debugger: Debugger, progress: Progress) -> Loaded:
    """Load the file of a session again, with the same stops and at the same place."""
    try:
        old = debugger.scenario
        if old is None:
            return Loaded(None, "it was not read from a file")
        name = (name_of(old.path) or old.path) if old.path else debugger.subject.name
        scenario = load(name, debugger.subject.limits, progress)
        if old.hunted:  # what was drawn at random stands in no file
            hidden = scenario.hidden or old.hidden
            scenario = hunted(scenario._replace(hidden=hidden))
        fresh = Debugger(scenario, progress=progress)
        fresh.exporters, fresh.trust = debugger.exporters, debugger.trust
        fresh.memory.said = fresh.memory.said or debugger.memory.said
        fresh.memory.first = debugger.memory.first
        go_on(fresh, debugger)
        lines = [f"{stop.kind} {stop.text}" for stop in debugger.memory.stops.values()]
        lost = [line for line in lines if not fresh.execute(line).ok]
        fresh.execute(f"goto {min(debugger.position, len(fresh.trace))}")
    except InputError as error:
        return Loaded(None, str(error))
    except Interrupted:
        return Loaded(None, "it was cancelled")
    except Exception as error:  # noqa: BLE001  # ours; the session goes on
        return Loaded(None, defect_text(error))
    return Loaded(fresh, "\n".join(lost))


def changed_at(debugger: Debugger) -> float:
    """Return when the scenario's file was last written, in seconds since 1970.

    0 when there is no file, -1 when it is gone.
    """
    path = None if debugger.scenario is None else debugger.scenario.path
    try:
        return path.stat().st_mtime if path is not None else 0.0
    except OSError:
        return -1.0


def change(before: float, now: float) -> tuple[str, str] | None:
    """Return a title and a text if a file has changed between two such times."""
    if before == now:
        return None
    if now < 0:
        return "The file is gone", "What was read stays open."
    return "The file has changed", "Ctrl+R loads it again."
