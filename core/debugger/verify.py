"""Does a scenario hold what it promises: its [expect], and the script beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..base.errors import InputError, Interrupted, Problem
from ..base.exits import FAILED, INTERRUPTED, OK, WRONG
from ..base.files import is_scenario, read_text
from ..base.limits import LIMITS, Limits
from ..base.text import clean
from ..base.trust import KEYBOARD
from ..engine.element import index_of
from ..practice.authors import mistakes, questions_in_time
from ..scenario.scenario import Scenario, hunted, load
from ..scenario.toml import Mistakes
from ..session.script import read_script, run_script
from ..words.events import element_name
from ..words.numbers import distinct, value_text
from .debugger import Debugger, timeline_of

if TYPE_CHECKING:
    from ..base.progress import Progress
    from ..base.trust import Trust
    from ..engine.run import Run
    from ..scenario.nodes import Expectation

Kind = Literal["scenario", "expect", "questions", "script"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one promise.

    `kind` is "scenario" for a file that could not be read. `code` is the exit code that
    belongs to it, `held` counts the numbers or commands, `failures` say file:line and
    what is wrong there.
    """

    name: str  # what was held to its word: the name of the scenario or script
    kind: Kind
    code: int
    held: int
    failures: tuple[str, ...] = ()


Keep = Callable[[], Verdict]


def promises(
    path: str | Path,
    progress: Progress | None = None,
    trust: Trust = KEYBOARD,
    limits: Limits = LIMITS,
) -> dict[str, Keep]:
    """Return the tests of a scenario: of its [expect], its [questions] and its script.

    `path` is a file or the name of a built-in scenario, `trust` that of whoever starts
    the script. One that cannot be read has the one test "scenario", which says why.
    """
    try:
        scenario = load(path, limits, progress)
    except InputError as error:
        failures = tuple(map(str, error.problems))
        broken = Verdict(clean(Path(path).stem), "scenario", WRONG, 0, failures)
        return {broken.kind: lambda: broken}
    found: dict[str, Keep] = {}
    if scenario.expect:
        found["expect"] = lambda: verify_expect(scenario)
    if scenario.subject.questions:
        found["questions"] = lambda: verify_questions(scenario)
    script = script_beside(scenario)
    if script is not None:
        found["script"] = lambda: verify_script(scenario, script, trust, progress)
    return found


def script_beside(scenario: Scenario) -> Path | None:
    """Return the script that belongs to a scenario: `name.gs` beside `name.toml`."""
    if scenario.path is None:
        return None
    script = scenario.path.with_suffix(".gs")
    return script if script.exists() else None


def verify_expect(scenario: Scenario) -> Verdict:
    """Hold a scenario's values and gradients to its [expect]."""
    run = timeline_of(scenario).trace(0).run
    wrong = [(one, _difference(run, one)) for one in scenario.expect]
    found = [(one, text) for one, text in wrong if text]
    held = len(wrong) - len(found)
    failures = placed(scenario, [(("expect", one.name), text) for one, text in found])
    return Verdict(
        scenario.subject.name, "expect", FAILED if found else OK, held, failures
    )


def _difference(run: Run, one: Expectation) -> str:
    """Return how a number differs from what is expected of it, or nothing."""
    got = run.gradient(one.node) if one.gradient else run.value(one.node)
    node = run.graph.nodes[one.node]
    if got is None:
        return f"no gradient flows to {node.name}"
    with np.errstate(all="ignore"):
        right = np.isclose(got, one.value, one.rtol, one.atol, equal_nan=True)
        if right.all():
            return ""
        gap = np.abs(np.subtract(got, one.value, dtype=float))
    gap = np.where(right, -1.0, np.nan_to_num(gap, nan=np.inf, posinf=np.inf))
    index = index_of(np.argmax(gap), gap.shape)
    name = element_name(node, index, "grad" if one.gradient else "value")
    count = int(np.count_nonzero(~right))
    more = (
        f"; {count} of {right.size} elements differ{'s' * (count == 1)}"
        if right.size > 1
        else ""
    )
    found, expected = distinct(got[index], one.value[index])
    return (
        f"{name} is {found}, expected {expected}, {value_text(gap[index])} apart "
        f"with rtol {value_text(one.rtol)}, atol {value_text(one.atol)}{more}"
    )


def verify_questions(scenario: Scenario) -> Verdict:
    """Hold each question to its answers: the right one is, and no wrong one is.

    A question that no pass comes to has no answer.
    """
    subject, trace = scenario.subject, timeline_of(scenario).trace(0)
    puts = {put.place: put for put in questions_in_time(subject, trace)}
    found: list[tuple[tuple[str, str], str]] = []
    wrong = 0
    for place in subject.questions:
        name = "" if place.node < 0 else f" {subject.graph.nodes[place.node].name}"
        told = ["no pass comes to this place"]
        if place in puts:
            told = mistakes(puts[place], subject, trace)
        wrong += bool(told)
        found += [(("questions", f"{place.when}{name}"), what) for what in told]
    held, failures = len(subject.questions) - wrong, placed(scenario, found)
    return Verdict(subject.name, "questions", FAILED if wrong else OK, held, failures)


def placed(
    scenario: Scenario, found: Iterable[tuple[tuple[str, str], str]]
) -> tuple[str, ...]:
    """Return what is found of keys of a file, by table and key, each with its place."""
    path, most = scenario.path, scenario.subject.limits.text
    text = "" if path is None else read_text(path, most)
    mistakes = Mistakes(text, scenario.source)
    for key, message in found:
        mistakes.at_key(key, message)
    return tuple(map(str, mistakes.problems()))


def verify_script(
    scenario: Scenario,
    path: Path,
    trust: Trust,
    progress: Progress | None = None,
) -> Verdict:
    """Run a script over a scenario; `trust` is that in whoever starts it.

    A mistake that the scenario hides is there to be found.
    """
    try:
        lines = read_script(path, trust)
        debugger = Debugger(hunted(scenario), progress=progress)
    except Interrupted as stopped:
        return Verdict(scenario.subject.name, "script", INTERRUPTED, 0, (str(stopped),))
    except InputError as error:
        failures = tuple(map(str, error.problems))
        return Verdict(scenario.subject.name, "script", WRONG, 0, failures)
    outcome = run_script(lines, debugger.execute)
    held = outcome.commands - len(outcome.failures)
    return Verdict(
        scenario.subject.name, "script", outcome.code, held, outcome.failures
    )


def scenarios_in(paths: Iterable[str | Path]) -> list[str | Path]:
    """Return the scenarios at paths: files and names as they are, folders walked.

    Raises `InputError` for a folder without any.
    """
    found: list[str | Path] = []
    problems: list[Problem] = []
    for path in paths:
        if not Path(path).is_dir():
            found.append(path)
            continue
        inside = sorted(p for p in Path(path).rglob("*.toml") if is_scenario(p))
        if not inside:
            hint = "a scenario is a .toml file that begins with gradstep = 1"
            problems.append(Problem("there is no scenario in it", hint, str(path)))
        found += inside
    if problems:
        raise InputError(problems)
    return found
