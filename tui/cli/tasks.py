"""What most commands of the command line do. Each returns an exit code."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from ...core.base.errors import InputError, Problem, ScenarioError, gathered
from ...core.base.exits import FAILED, INTERRUPTED, OK
from ...core.base.garbage import undisturbed
from ...core.base.limits import LIMITS, Limits, raised
from ...core.base.save import write
from ...core.base.text import clean
from ...core.check.check import check
from ...core.debugger.debugger import timeline_of
from ...core.explain.verdicts import check_lines
from ...core.export.records import (
    check_record,
    dump,
    grads_record,
    graph_record,
    scenario_record,
)
from ...core.scenario.scenario import Scenario, starter
from ..draw.blocks import wrap
from ..draw.playback import Pace, Selection, play, play_json, play_markdown, slices_of
from ..draw.reports import (
    CHECK_PRECISIONS,
    check_block,
    gradients_block,
    subject_block,
)
from ..draw.stage import Stage
from .completion import script
from .output import loaded, look_for, progress, screen_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.check.report import Report
    from ...core.engine.trace import Trace

Options = argparse.Namespace


def _first(scenario: Scenario) -> Trace:
    """Return what is shown of a scenario: its first iteration, as the debugger does."""
    with progress(f"computing {scenario.subject.name}") as tell:
        return timeline_of(scenario, tell).trace(0)


def _load_all(names: Sequence[str], limits: Limits = LIMITS) -> list[Scenario]:
    """Load scenarios, or raise everything that is wrong with any of them."""
    found: list[Scenario] = []
    problems: list[Problem] = []
    for name in names:
        with gathered(problems):
            found.append(loaded(name, limits))
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
        look = replace(look, slices=slices_of(options.slice, scenario.subject.graph))
    if problems:
        raise InputError(problems)
    tell = play_json if options.json else play_markdown if options.markdown else play
    stage = Stage(scenario.subject, trace, look)
    tell(screen_for(options), stage, events, Pace(options.steps, options.delay))
    return OK


def do_grads(options: Options) -> int:
    """Print all values and gradients."""
    scenarios = _load_all(options.scenarios, raised(options.limit))
    screen, look = screen_for(options), look_for(options)
    for scenario in scenarios:
        trace = _first(scenario)
        if options.json:
            record = grads_record(scenario.subject, trace)
            screen.file.write(f"{dump(record)}\n")
            continue
        screen.print(gradients_block(scenario.subject, trace, look, screen.width))
    return OK


def do_check(options: Options) -> int:
    """Compare every gradient with differences."""
    scenarios = _load_all(options.scenarios, raised(options.limit))
    screen, look = screen_for(options), look_for(options)
    digits = (options.precision,) if options.precision else CHECK_PRECISIONS
    code = OK

    def say(first: Report) -> None:
        for line in check_lines(first, look.sentence):
            screen.print(wrap(look.text(line), screen.width))

    for scenario in scenarios:
        trace = _first(scenario)
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
            screen.file.write(f"{dump(record)}\n")
        else:
            screen.print(
                check_block(scenario.subject, trace, report, look, screen.width, digits)
            )
        if not report.complete:
            return INTERRUPTED
        code = code if report.ok else FAILED
    return code


def describe(names: Sequence[str], file: IO[str]) -> None:
    """Write what scenarios say of themselves, each as a JSON object on a line."""
    file.writelines(f"{dump(scenario_record(one))}\n" for one in _load_all(names))


def do_show(options: Options) -> int:
    """Print the nodes and the formulas of a scenario."""
    scenario = loaded(options.scenario, raised(options.limit))
    screen, look, trace = screen_for(options), look_for(options), _first(scenario)
    if options.json:
        screen.file.write(f"{dump(graph_record(scenario, trace))}\n")
    else:
        with undisturbed():  # the lines of all nodes, until they are printed
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
