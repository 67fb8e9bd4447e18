"""What most commands of the command line do. Each returns an exit code."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ...core.account.recorded import Checked, check_recorded, without_a_rule
from ...core.base.errors import (
    InputError,
    Interrupted,
    Problem,
    ScenarioError,
    gathered,
)
from ...core.base.exits import FAILED, INTERRUPTED, OK
from ...core.base.garbage import undisturbed
from ...core.base.limits import LIMITS, Limits, raised
from ...core.base.progress import stage
from ...core.base.save import write
from ...core.base.text import clean, counted
from ...core.check.check import check
from ...core.debugger.debugger import Debugger, timeline_of
from ...core.explain.verdicts import check_lines
from ...core.export.records import (
    check_record,
    dump,
    grads_record,
    graph_record,
    scenario_record,
)
from ...core.scenario.scenario import Scenario, load, starter, with_own
from ..draw.blocks import wrap
from ..draw.playback import Pace, Selection, play, play_json, play_markdown, slices_of
from ..draw.reports import (
    CHECK_PRECISIONS,
    check_block,
    gradients_block,
    subject_block,
)
from ..draw.stage import Stage
from .completion.completion import script
from .output import loaded, look_for, progress, screen_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from ...core.check.report import Report
    from ...core.engine.trace import Trace
    from ..draw.look import Look

Options = argparse.Namespace


def _first(scenario: Scenario) -> Trace:
    """Return what is shown of a scenario: its first iteration, as the debugger does."""
    with progress(f"computing {scenario.subject.name}") as tell:
        return timeline_of(scenario, tell).trace(0)


def _load_all(names: Sequence[str], limits: Limits = LIMITS) -> list[Scenario]:
    """Load scenarios, or raise everything that is wrong with any of them."""
    found: list[Scenario] = []
    problems: list[Problem] = []
    what = clean(names[0]) if len(names) == 1 else counted(len(names), "scenario")
    with progress(f"loading {what}") as tell:
        for number, name in enumerate(names):
            with gathered(problems):
                found.append(load(name, limits, stage(tell, number, len(names))))
    if problems:
        raise ScenarioError(problems)
    return found


# --------------------------------------------------------------------------- tasks


def do_play(options: Options) -> int:
    """Print the steps of a trace, or play a script."""
    if options.script:
        from .scripts import play_script  # noqa: PLC0415  # 40 ms, only for a script

        return play_script(options)
    scenario = loaded(options.scenario, raised(options.limit))
    trace = _first(scenario)
    problems: list[Problem] = []
    look = look_for(options)
    selection = Selection(options.start, options.stop, tuple(options.only))
    events: Sequence[int] = ()
    with gathered(problems):
        events = selection.events(trace, scenario.subject)
    with gathered(problems):
        look = look._replace(slices=slices_of(options.slice, scenario.subject.graph))
    if problems:
        raise InputError(problems)
    tell = play_json if options.json else play_markdown if options.markdown else play
    stage, screen, came = Stage(scenario.subject, trace, look), screen_for(options), 0

    def count(events: int) -> None:
        nonlocal came
        came += events

    pace = Pace(options.steps, options.delay)
    try:
        if options.ask:
            from .scripts import play_asking  # noqa: PLC0415  # 40 ms, only to ask

            play_asking(screen, stage, events, pace, count)
        else:
            tell(screen, stage, events, pace, count)
    except KeyboardInterrupt:
        screen.file.flush()
        where = f"after {came} of {counted(len(events), 'event')}"
        raise Interrupted(where, "these were printed") from None
    return OK


def do_grads(options: Options) -> int:
    """Print all values and gradients."""
    scenarios = _load_all(options.scenarios, raised(options.limit))
    screen, look = screen_for(options), look_for(options)
    for scenario in scenarios:
        subject, trace = scenario.subject, _first(scenario)
        if options.json:
            with progress(f"writing {subject.name}"):
                record = dump(grads_record(subject, trace))
            screen.file.write(f"{record}\n")
            continue
        with progress(f"drawing {subject.name}"):
            block = gradients_block(subject, trace, look, screen.width)
        screen.print(block)
    return OK


def do_check(options: Options) -> int:
    """Compare every gradient with differences."""
    scenarios = _load_all(options.scenarios, raised(options.limit))
    screen, look = screen_for(options), look_for(options)
    digits = (options.precision,) if options.precision else CHECK_PRECISIONS
    code = OK

    def say(first: Report) -> None:
        on = ["now one element after the other; Ctrl+C ends it"] * first.complete
        _print([*check_lines(first, look.sentence), *on], screen, look)

    for scenario in scenarios:
        trace = _first(scenario)
        checked = _check_capture(scenario, trace, look)
        if checked is not None:
            code = code if checked.ok else FAILED
            if without_a_rule(scenario.subject):  # differences go through all of it
                _tell(checked, screen, look, json=options.json)
                continue
        with progress(f"checking {scenario.subject.name}") as tell:
            report = check(
                trace.run,
                scheme=options.scheme,
                step=options.step,
                rtol=options.rtol,
                sample=options.sample,
                progress=tell,
                quick=options.quick,
                first=None if options.json else say,
            )
        if options.json:
            record = check_record(scenario.subject.name, trace, report)
            record |= {"recorded": checked.record} if checked else {}
            screen.file.write(f"{dump(record)}\n")
        else:
            screen.print(
                check_block(scenario.subject, trace, report, look, screen.width, digits)
            )
        if not report.complete:
            return INTERRUPTED
        code = code if report.ok else FAILED
        if checked is not None and not options.json:
            _tell(checked, screen, look)
    return code


def _check_capture(scenario: Scenario, trace: Trace, look: Look) -> Checked | None:
    """Check what was recorded; None where nothing was."""
    if scenario.capture is None:
        return None
    with progress(f"checking {scenario.subject.name}") as tell:
        checked = check_recorded(scenario.subject, trace.run, look.sentence, tell)
    names = without_a_rule(scenario.subject)
    if names:
        line = f"no numeric differences, for there is no rule of {', '.join(names)}"
        checked = checked._replace(lines=(*checked.lines, line))
    return checked


def _tell(checked: Checked, screen: Console, look: Look, *, json: bool = False) -> None:
    if json:
        screen.file.write(f"{dump({'recorded': checked.record})}\n")
    else:
        _print(checked.lines, screen, look)


def _print(lines: Iterable[str], screen: Console, look: Look) -> None:
    for line in lines:
        screen.print(wrap(look.text(line), screen.width))


def do_rules(options: Options) -> int:
    """Hold somebody's gradients against each rule."""
    scenario = loaded(options.scenario, raised(options.limit))
    if options.own:
        scenario = with_own(scenario, Path(options.own))
    look = look_for(options)
    with progress(f"holding the rules of {scenario.subject.name}") as tell:
        debugger = Debugger(scenario, progress=tell)
        debugger.digits = look.sentence
        reply = debugger.execute(f"rules {' '.join(options.on_purpose)}")
    if not reply.ok and not reply.failed:
        raise InputError(reply.problems or str(reply.error))
    screen = screen_for(options)
    if options.json:
        screen.file.write(f"{dump(reply.data)}\n")
    else:
        _print(reply.text, screen, look)
    return FAILED if reply.failed else OK


def describe(names: Sequence[str], file: IO[str]) -> None:
    """Write what scenarios say of themselves, each as a JSON object on a line."""
    file.writelines(f"{dump(scenario_record(one))}\n" for one in _load_all(names))


def do_show(options: Options) -> int:
    """Print the nodes and the formulas of a scenario."""
    scenario = loaded(options.scenario, raised(options.limit))
    screen, look, trace = screen_for(options), look_for(options), _first(scenario)
    name = scenario.subject.name
    if options.json:
        with progress(f"writing {name}"):
            record = dump(graph_record(scenario, trace))
        screen.file.write(f"{record}\n")
        return OK
    with undisturbed():  # the lines of all nodes, until they are printed
        with progress(f"drawing {name}"):
            block = subject_block(scenario.subject, trace, look, screen.width)
        screen.print(block, crop=False)  # it is as wide as the screen already
    return OK


def do_new(options: Options) -> int:
    """Write a scenario to start from."""
    path = write(
        options.path,
        starter(),
        overwrite=options.force,
        hint="--force writes over it",
    )
    name = clean(shlex.quote(str(path)))
    sys.stdout.write(f"{name} is written; play it: gradstep play {name}\n")
    return OK


def do_completion(options: Options) -> int:
    """Print the completion script of a shell."""
    sys.stdout.write(script(options.shell))
    return OK
