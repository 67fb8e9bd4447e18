"""Scenario files: TOML → Scenario, validated at the border and trusted inside.

A capture, the record of a run of other code, is opened as a scenario, too: whatever
takes the one takes the other.

Everything that is wrong with a file is raised at once, as a `ScenarioError` whose
problems know file, line and column.
"""

from __future__ import annotations

import pathlib
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from ..base.errors import InputError, Problem, ScenarioError
from ..base.files import read_text
from ..base.limits import LIMITS, Limits
from ..base.text import clean, nearest
from ..capture import ENDING
from ..engine.subject import Claims, Subject
from ..ops.table.checks import is_whole
from ..program.build import Leaf, Program
from ..program.syntax import check_name
from .builtin import builtin_names, builtin_path, hunt_names, hunt_path
from .nodes import Expectation, Said, claims_of, read_said
from .program import read_batch_program, read_program
from .toml import Mistakes, Table, described, shown
from .toml import parse as parse_toml
from .values import DTYPES, LONGEST_NAME, Room, Setting, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.progress import Progress
    from ..capture.capture import Capture
    from ..engine.graph import Graph, NodeKind
    from ..mistakes.hidden import Hidden
    from .training import Training

VERSION: Final = 1
SECTIONS: Final[Mapping[str, NodeKind]] = MappingProxyType(
    {"inputs": "input", "parameters": "parameter", "constants": "constant"}
)
# Keys that end up in a section when they are written below its header.
_TEXTS: Final = (
    "title",
    "summary",
    "group",
    "convention",
    "output",
    "dtype",
    "program",
)


class Scenario(NamedTuple):
    """A scenario file, read. Its texts are clean and its names are resolved."""

    subject: Subject  # what a session is about
    path: pathlib.Path | None  # None where it was not read from a file
    source: str  # the file, as messages name it
    group: str  # under which it is listed
    order: int  # its place in that group
    given: Mapping[str, Leaf]  # what the file gives, by name
    training: Training | None  # None without a [training] table
    batch_program: Program | None  # in the shapes of a batch, where training takes them
    expect: tuple[Expectation, ...]  # in the order of the file; () for none
    capture: Capture | None = None  # what the file is, where it is no TOML
    hidden: Hidden | None = None  # the mistake of [hidden]; None without one
    hunted: bool = False  # whether the hidden mistake is made, for a person to find


def starter() -> str:
    """Return the scenario that `gradstep new` writes: small, commented, and it runs."""
    return pathlib.Path(__file__).with_name("starter.toml").read_text("utf-8")


def load(
    path_or_name: str | pathlib.Path,
    limits: Limits = LIMITS,
    progress: Progress | None = None,
    *,
    listed: bool = False,
) -> Scenario:
    """Return the scenario or the capture in a file, or the built-in one of that name.

    `limits` says how large it may be, and `progress` is told of the lines, or of the
    rows of a capture. Nothing is computed of one that is only `listed`. Raises
    `ScenarioError` with everything that is wrong with the file.
    """
    text = str(path_or_name)
    names = builtin_names()
    if text in names or text in hunt_names():
        path = builtin_path(text) if text in names else hunt_path(text)
        source = path.name
    else:
        path, source = pathlib.Path(path_or_name), clean(text)
    try:
        if path.suffix == ENDING:
            return _of_capture(path, source, limits, progress)
        text = read_text(path, limits.text)
        return parse(
            text,
            source=source,
            path=path,
            limits=limits,
            progress=progress,
            listed=listed,
        )
    except ScenarioError:
        raise
    except InputError as error:
        problem = error.problems[0]
        if not path.suffix:
            hint = nearest(text, names) or problem.hint
            names_are = "gradstep list names those that come with it"
            problem = problem._replace(hint=hint or names_are)
        raise ScenarioError(problem) from None


def hunted(scenario: Scenario) -> Scenario:
    """Return a scenario with the mistake that it hides, if any, made.

    Its questions are not asked then: their answers are those of the right rules.
    """
    if scenario.hidden is None:
        return scenario
    subject = scenario.subject._replace(questions=MappingProxyType({}))
    return scenario._replace(subject=subject, hunted=True)


def _of_capture(
    path: pathlib.Path, source: str, limits: Limits, progress: Progress | None
) -> Scenario:
    from ..capture.archive import read  # noqa: PLC0415  # few are captures

    capture = read(path, shown=source, limits=limits, progress=progress)
    given = MappingProxyType[str, Leaf]({})
    return Scenario(
        capture.subject, path, source, "captures", 0, given, None, None, (), capture
    )


def parse(
    text: str,
    *,
    source: str = "scenario",
    path: pathlib.Path | None = None,
    limits: Limits = LIMITS,
    progress: Progress | None = None,
    listed: bool = False,
) -> Scenario:
    """Return the scenario that a text describes.

    `source` names it in messages; files of numbers are looked for beside `path`.
    `limits` says how large it may be, and `progress` is told of the lines. One that is
    only `listed` is not run, to see whether its hidden mistake can be found. Raises
    `ScenarioError` with everything that is wrong.
    """
    text = text.replace("\r\n", "\n")
    name = clean(path.stem if path else source)
    if not text.strip():
        hint = "gradstep new makes a scenario to start from"
        raise ScenarioError(Problem("the file is empty", hint, source, 1, 1))
    mistakes = Mistakes(text, source)
    top = Table(parse_toml(text, source), (), mistakes)
    _check_version(top)
    setting = _setting(top, path, limits, progress)
    given, broken = _given(top, setting)
    program = read_program(top, text, given, broken, setting)
    training = _training(top, given, broken, setting)
    batch = training.batch if training else None
    group, order = top.line("group"), top.whole("order", 0)
    small = read_batch_program(top, text, given, program, batch, setting)
    graph = program.graph if program else None
    said = read_said(top, text, graph, small.graph if small else graph, setting)
    hidden = _hidden(top, small or program, said, training, listed=listed)
    title, summary = top.line("title") or name, top.text("summary").strip()
    top.finish("a key of a scenario")
    if mistakes or program is None:
        raise ScenarioError(mistakes.problems())
    recipes = _recipes(top, program.graph)
    subject = _subject(name, title, summary, program, said, recipes, setting)
    kept = MappingProxyType(given)
    parts = training, small, said.expect
    return Scenario(subject, path, source, group, order, kept, *parts, hidden=hidden)


def _subject(
    name: str,
    title: str,
    summary: str,
    program: Program,
    said: Said,
    recipes: Mapping[int, Mapping[str, Any]],
    setting: Setting,
) -> Subject:
    """Return what a session is about: the program, and what a file says of it."""
    return Subject(
        name,
        program.graph,
        program.leaves,
        said.seed,
        title,
        summary,
        setting.convention,
        setting.dtype.name,
        said.names,
        said.notes,
        recipes,
        setting.limits,
        claims=Claims(said.own, "[own]") if said.own else None,
        questions=said.questions,
    )


def _setting(
    top: Table, path: pathlib.Path | None, limits: Limits, progress: Progress | None
) -> Setting:
    """Return how the values of a file are to be read."""
    return Setting(
        np.dtype(top.choice("dtype", DTYPES, "float64")),
        top.choice("convention", ("rows", "columns"), ""),
        path.parent if path else None,
        room=Room(limits.elements),
        limits=limits,
        progress=progress,
    )


def _training(
    top: Table,
    given: Mapping[str, Leaf],
    broken: Mapping[str, NodeKind],
    setting: Setting,
) -> Training | None:
    table = top.table("training")
    if not top.has_table("training"):
        return None
    from .training import read_training  # noqa: PLC0415  # 1 ms, few are trained

    return read_training(table, given, broken, setting)


def _hidden(
    top: Table,
    program: Program | None,
    said: Said,
    training: Training | None,
    *,
    listed: bool,
) -> Hidden | None:
    """Return the mistake that a file hides."""
    if top.get("hidden") is None:
        return None
    from .hidden import read_hidden  # noqa: PLC0415  # few have one

    return read_hidden(top, program, said.seed, training, listed=listed)


def _check_version(top: Table) -> None:
    """Raise at once where the file is for another gradstep: the rest would be noise."""
    version = top.get("gradstep")
    if version is None:
        hint = f"write gradstep = {VERSION} in the first line"
        top.mistakes.at_key((), "the version of the format is missing", hint)
    elif not is_whole(version) or version != VERSION:
        message = f"gradstep is {described(version)}"
        if is_whole(version) and version > VERSION:
            message = f"the file is in version {described(version)} of the format"
        hint = f"this gradstep reads version {VERSION}: gradstep = {VERSION}"
        top.mistakes.at_value(("gradstep",), message, hint)
        raise ScenarioError(top.mistakes.problems())


# ------------------------------------------------------------------------- values


def _given(top: Table, setting: Setting) -> tuple[dict[str, Leaf], dict[str, NodeKind]]:
    """Return what the file gives, by name, and the kinds of what is wrong, likewise."""
    given: dict[str, Leaf] = {}
    sections: dict[str, str] = {}
    for section, kind in SECTIONS.items():
        table = top.table(section)
        kept = replace(
            setting, keep=kind == "constant", floats_only=kind == "parameter"
        )
        for name, value in table.items.items():
            path = (section, name)
            if name in sections:
                message = f"{shown(name)} stands in [{sections[name]}] already"
                top.mistakes.at_key(path, message, "keep one of them")
                continue
            sections[name] = section
            if wrong := _misnamed(name, value, section):
                top.mistakes.at_key(path, wrong)
                continue
            array = read(value, path, top.mistakes, kept)
            if array is not None:
                given[name] = Leaf(kind, array)
    return given, {
        name: SECTIONS[section]
        for name, section in sections.items()
        if name not in given
    }


def _recipes(top: Table, graph: Graph) -> Mapping[int, Mapping[str, Any]]:
    """Return the tables of the leaves that are drawn at random, by their nodes."""
    return MappingProxyType(
        {
            graph.names[name]: cast("dict[str, Any]", value)
            for section in SECTIONS
            for name, value in top.table(section).items.items()
            if isinstance(value, dict) and "random" in value and name in graph.names
        }
    )


def _misnamed(name: str, value: object, section: str) -> str:
    """Return what is wrong with the name of a value, or nothing."""
    if len(name) > LONGEST_NAME:
        return f"the name has {len(name)} characters; allowed: {LONGEST_NAME} at most"
    if name in _TEXTS and isinstance(value, str):
        return f"{name!r} belongs above the first [table], not into [{section}]"
    return check_name(name)


def with_own(scenario: Scenario, path: pathlib.Path) -> Scenario:
    """Return a scenario with the gradients of an .npz file as somebody's own.

    Its keys are names of nodes, with `.grad` or without. Raises `InputError`.
    """
    subject, program = scenario.subject, scenario.batch_program
    graph = program.graph if program else subject.graph
    claims = claims_of(path, graph, subject.names, subject.limits)
    return scenario._replace(subject=subject._replace(claims=claims))
