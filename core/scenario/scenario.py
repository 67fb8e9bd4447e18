"""Scenario files: TOML → Scenario, validated at the border and trusted inside.

A capture, the record of a run of other code, is opened as a scenario, too: whatever
takes the one takes the other.

Everything that is wrong with a file is raised at once, as a `ScenarioError` whose
problems know file, line and column.
"""

from __future__ import annotations

import math
import pathlib
import re
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast, get_args

import numpy as np

from ..base.errors import InputError, Problem, ScenarioError
from ..base.files import read_text
from ..base.limits import LIMITS, Limits
from ..base.text import Place, clean, nearest
from ..capture import ENDING
from ..engine.subject import Asking, Claims, NotePlace, Subject, When
from ..ops.table.checks import is_whole
from ..program.build import Leaf, Program, build
from ..program.syntax import check_name
from ..words.numbers import shape_text
from .builtin import builtin_names, builtin_path, hunt_names, hunt_path
from .places import Path, inside
from .toml import Mistakes, Table, described, shown, shown_key
from .toml import parse as parse_toml
from .training import Batch, Training, read_training
from .values import DTYPES, Room, Setting, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.progress import Progress
    from ..capture.capture import Capture
    from ..engine.graph import Graph, Locate, Node, NodeKind
    from ..mistakes.hidden import Hidden
    from ..ops.table import Array, Shape, Value

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
_LONGEST_NAME: Final = 100
_LARGEST_EXAMPLE: Final = 6  # elements
_NOTE: Final = re.compile(r"(forward|backward|update) +(\S.*)|(seed|start|end)")
_NOTE_HINT: Final = (
    'allowed: "forward NODE", "backward NODE", "update PARAMETER", "seed", "start" '
    'and "end"'
)
_TOLERANCE: Final = "a finite number, 0 or more"
# How close is close enough, where an expectation does not say: rtol and atol.
_TOLERANCES: Final = MappingProxyType(
    {"float64": (1e-9, 1e-12), "float32": (1e-5, 1e-7), "float16": (1e-2, 1e-3)}
)


class Expectation(NamedTuple):
    """A value or a gradient that a scenario promises.

    `value` has the shape of the node.
    """

    name: str  # as it is written: "W1.grad"
    node: int  # its number
    gradient: bool  # whether it is the gradient, not the value
    value: Array
    rtol: float  # how far it may be off, relative to `value`
    atol: float  # how far it may be off besides


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
) -> Scenario:
    """Return the scenario or the capture in a file, or the built-in one of that name.

    `limits` says how large it may be, and `progress` is told of the lines, or of the
    rows of a capture. Raises `ScenarioError` with everything that is wrong with the
    file.
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
        return parse(text, source=source, path=path, limits=limits, progress=progress)
    except ScenarioError:
        raise
    except InputError as error:
        problem = error.problems[0]
        if not path.suffix:
            hint = nearest(text, names) or problem.hint
            listed = "gradstep list names those that come with it"
            problem = problem._replace(hint=hint or listed)
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
) -> Scenario:
    """Return the scenario that a text describes.

    `source` names it in messages; files of numbers are looked for beside `path`.
    `limits` says how large it may be, and `progress` is told of the lines. Raises
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
    dtype = top.choice("dtype", DTYPES, "float64")
    convention = top.choice("convention", ("rows", "columns"), "")
    folder = path.parent if path else None
    room = Room(limits.elements)
    setting = Setting(
        np.dtype(dtype), convention, folder, room=room, limits=limits, progress=progress
    )
    given, broken = _given(top, setting)
    program = _program(top, text, given, broken, setting)
    graph = program.graph if program else None
    training = None
    table = top.table("training")
    if top.has_table("training"):
        training = read_training(table, given, broken, setting)
    batch = training.batch if training else None
    title, summary = top.line("title") or name, top.text("summary").strip()
    group, order = top.line("group"), top.whole("order", 0)
    batch_program = _batch_program(top, text, given, program, batch, setting)
    seed, names = _seed(top, graph, setting), _names(top, graph)
    notes = _notes(top, text, graph, names)
    questions = _questions(top, graph, names)
    expect = _expect(top, batch_program.graph if batch_program else graph, setting)
    own = _own(top, batch_program.graph if batch_program else graph, setting)
    hidden = None
    if top.get("hidden") is not None:
        from .hidden import read_hidden  # noqa: PLC0415  # few have one

        hidden = read_hidden(top, batch_program or program, seed, training)
    top.finish("a key of a scenario")
    if mistakes or program is None:
        raise ScenarioError(mistakes.problems())
    subject = Subject(
        name,
        program.graph,
        program.leaves,
        seed,
        title,
        summary,
        convention,
        dtype,
        names,
        notes,
        _recipes(top, program.graph),
        limits,
        claims=Claims(own, "[own]") if own else None,
        questions=questions,
    )
    return Scenario(
        subject,
        path,
        source,
        group,
        order,
        MappingProxyType(given),
        training,
        batch_program,
        expect,
        hidden=hidden,
    )


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
    if len(name) > _LONGEST_NAME:
        return f"the name has {len(name)} characters; allowed: {_LONGEST_NAME} at most"
    if name in _TEXTS and isinstance(value, str):
        return f"{name!r} belongs above the first [table], not into [{section}]"
    return check_name(name)


# ------------------------------------------------------------------------ program


def _program(
    top: Table,
    text: str,
    given: Mapping[str, Leaf],
    broken: Mapping[str, NodeKind],
    setting: Setting,
) -> Program | None:
    """Return the program, read; its mistakes get their places in the file."""
    output = top.line("output")
    top.text("program")
    code = top.get("program")
    if not isinstance(code, str):
        if code is None:
            hint = "write program = ''' and the lines below it, up to '''"
            top.mistakes.at_key((), "the program is missing", hint)
        return None
    try:
        return build(
            code,
            given,
            broken=broken,
            output=output or None,
            source=top.mistakes.source,
            locate=_locator(top, text, code),
            dtype=setting.dtype,
            limits=setting.limits,
            progress=setting.progress,
        )
    except InputError as error:
        for problem in error.problems:
            if problem.line:
                top.mistakes.placed(problem)
            else:
                key = "output" if "output" in top else "program"
                top.mistakes.at_value((key,), problem.message, problem.hint)
        return None


def _locator(top: Table, text: str, code: str) -> Locate:
    """Return what takes a line and a column of the program to those of the file."""
    at = top.mistakes.offset(("program",))
    starts = [0, *(match.end() for match in re.finditer("\n", code))]

    def locate(line: int, column: int) -> Place:
        return inside(text, at, starts[line - 1] + max(column, 1) - 1)

    return locate


def _batch_program(
    top: Table,
    text: str,
    given: Mapping[str, Leaf],
    program: Program | None,
    batch: Batch | None,
    setting: Setting,
) -> Program | None:
    """Return the program in the shapes of one batch, if training takes batches."""
    if batch is None or program is None:
        return None
    part = dict(given)
    for name in batch.of:
        samples = np.take(given[name].value, range(batch.size), batch.axis)
        part[name] = Leaf(given[name].kind, samples)
    wrong = f"the program does not fit a batch of {batch.size}"
    path = ("training", "batch")
    code = top.get("program")
    try:
        small = build(
            code,
            part,
            output=top.line("output") or None,
            source=top.mistakes.source,
            locate=_locator(top, text, code),
            dtype=setting.dtype,
            limits=setting.limits,
            progress=setting.progress,
        )
    except InputError as error:
        top.mistakes.at_value(path, wrong, str(error.problems[0]))
        return None
    whole, shape = _output(program.graph).shape, _output(small.graph).shape
    if shape != whole:
        hint = f"the output has the shape {shape_text(whole)}"
        hint += f", and there {shape_text(shape)}"
        top.mistakes.at_value(path, wrong, hint)
    return small


def _output(graph: Graph) -> Node:
    return graph.nodes[graph.output]


# ------------------------------------------------------------- what is said of nodes


def _node(name: str, graph: Graph | None, path: Path, mistakes: Mistakes) -> int | None:
    """Return the number of a node; without a graph there is nothing to look in."""
    if graph is None:
        return None
    index = graph.names.get(name)
    if index is None:
        near = nearest(name, graph.names)
        mistakes.at_key(path, f"no node is called {shown(name)}", near)
    return index


def _gradient_node(
    name: str, graph: Graph | None, path: Path, mistakes: Mistakes
) -> int | None:
    """Return the number of a node that can have a gradient."""
    node = _node(name, graph, path, mistakes)
    if graph and node is not None and graph.nodes[node].kind == "constant":
        message = f"{shown(name)} is a constant, and no gradient flows to it"
        mistakes.at_key(path, message, "inputs, parameters and results have one")
        return None
    return node


def _seed(top: Table, graph: Graph | None, setting: Setting) -> Array | None:
    """Return the gradient that enters at the output, of the output's shape."""
    table = top.table("seed")
    seed = None
    shape = _output(graph).shape if graph else ()
    output = _output(graph).name if graph else ""
    for name, value in table.items.items():
        path = (*table.path, name)
        array = read(value, path, top.mistakes, replace(setting, floats_only=True))
        if graph is None or array is None:
            continue
        if graph.names.get(name) != graph.output:
            hint = f"the output is {output}"
            top.mistakes.at_key(path, f"{shown(name)} is not the output", hint)
        elif array.shape != shape:
            message = f"the seed has the shape {shape_text(array.shape)}"
            hint = f"the output {output} has {shape_text(shape)}"
            top.mistakes.at_value(path, message, hint)
        seed = array
    if graph and shape and not table.items:
        message = (
            f"the output {output} has the shape {shape_text(shape)}, not one number"
        )
        hint = "say which gradient enters there: [seed] and under it "
        hint += f"{output} = {_example(shape)}; or choose a scalar output"
        if 0 in shape:
            hint = "choose an output with elements"
        key = "output" if "output" in top else "program"
        top.mistakes.at_value((key,), message, hint)
    return seed


def _example(shape: Shape) -> str:
    """Return a seed of ones as it is written in a file."""
    if math.prod(shape) > _LARGEST_EXAMPLE:
        return f"{{ ones = {list(shape)} }}"
    return str(np.ones(shape).tolist())


def _names(top: Table, graph: Graph | None) -> Mapping[str, str]:
    """Return the literature's names of gradients, each with its `NODE.grad`."""
    table = top.table("names")
    named: dict[str, str] = {}
    for name in table.items:
        path = (*table.path, name)
        gradient = table.text(name)
        place = gradient.removesuffix(".grad")
        word = clean(name).strip()
        if not word or len(word) > _LONGEST_NAME or "\n" in word:
            top.mistakes.at_key(path, f"{shown(name)} is no name for a gradient")
        elif graph and word in graph.names:
            message = f"{shown(name)} is the name of a node already"
            top.mistakes.at_key(path, message)
        if not isinstance(table.get(name), str):
            continue
        if place == gradient:
            message = f"{shown(gradient)} is no gradient"
            top.mistakes.at_value(path, message, 'write "NODE.grad"')
            continue
        node = _gradient_node(place, graph, path, top.mistakes)
        if graph is None or node is None:
            continue
        canonical = f"{graph.nodes[node].name}.grad"
        if canonical in named.values():
            message = f"{canonical} has a name already"
            top.mistakes.at_key(path, message, "keep one of them")
        named[word] = canonical
    return MappingProxyType(named)


def _place(
    path: Path, what: str, graph: Graph | None, mistakes: Mistakes
) -> NotePlace | None:
    """Return the place that the last key of a path names, for a note or a question."""
    key = str(path[-1])
    match = _NOTE.fullmatch(key)
    if not match:
        near = nearest(key.split(" ", maxsplit=1)[0], get_args(When))
        message = f"{shown(key)} is no place for {what}"
        mistakes.at_key(path, message, near or _NOTE_HINT)
        return None
    when, name = cast("When", match[1] or match[3]), match[2]
    node = _node(name, graph, path, mistakes) if name else -1
    if graph is None or node is None:
        return None
    if when == "update" and graph.nodes[node].kind != "parameter":
        mistakes.at_key(path, f"{shown(name)} is no parameter")
    return NotePlace(when, node)


def _questions(
    top: Table, graph: Graph | None, names: Mapping[str, str]
) -> Mapping[NotePlace, Asking]:
    """Return the questions by the place before which they are put."""
    table = top.table("questions")
    if not table.items:
        return MappingProxyType({})
    from .questions import read_questions  # noqa: PLC0415  # few have any

    place_of = partial(_place, what="a question", graph=graph, mistakes=top.mistakes)
    return read_questions(table, graph, names, place_of)


def _notes(
    top: Table, source: str, graph: Graph | None, names: Mapping[str, str]
) -> Mapping[NotePlace, str]:
    """Return the notes by the place where they are shown."""
    table = top.table("notes")
    notes: dict[NotePlace, str] = {}
    for key in table.items:
        path = (*table.path, key)
        text = table.text(key).strip()
        place = _place(path, "a note", graph, top.mistakes)
        if graph is None or place is None:
            continue
        if place in notes:
            message = f"{shown(key)} has a note already, under another name"
            top.mistakes.at_key(path, message, "join the two")
        notes[place] = text
        if "{" in text:
            _check_note(top, source, path, place, graph, names)
    return MappingProxyType(notes)


def _check_note(
    top: Table,
    source: str,
    path: Path,
    place: NotePlace,
    graph: Graph,
    names: Mapping[str, str],
) -> None:
    """Keep what is wrong with the expressions in a note, each at its own place."""
    from ..words.notes import mistakes  # noqa: PLC0415  # only for notes with numbers

    start = top.mistakes.offset(path)
    text = top.table("notes").get(str(path[-1]))
    for offset, problem in mistakes(str(text), place, graph, names):
        at = inside(source, start, offset)
        file = top.mistakes.source
        top.mistakes.placed(
            Problem(problem.message, problem.hint, file, at.line, at.column)
        )


def _expect(
    top: Table, graph: Graph | None, setting: Setting
) -> tuple[Expectation, ...]:
    """Return what a scenario promises, in the order of the file."""
    table = top.table("expect")
    expected: list[Expectation] = []
    for key, promised in table.items.items():
        value = promised
        path = (*table.path, key)
        rtol, atol = _TOLERANCES[setting.dtype.name]
        if isinstance(value, dict):
            items = cast("dict[str, Any]", value)
            own = Table(items, path, top.mistakes)
            rtol = own.number("rtol", rtol, _is_tolerance, _TOLERANCE)
            atol = own.number("atol", atol, _is_tolerance, _TOLERANCE)
            value = {k: v for k, v in items.items() if k not in {"rtol", "atol"}}
        # Compared in the widest type, whatever the scenario computes in.
        widest = replace(setting, dtype=np.dtype(np.float64), keep=True)
        array = read(value, path, top.mistakes, widest)
        is_value = graph is not None and key in graph.names
        name = key if is_value else key.removesuffix(".grad")
        resolve = _node if name == key else _gradient_node
        node = resolve(name, graph, path, top.mistakes)
        if graph is None or node is None or array is None:
            continue
        shape = graph.nodes[node].shape
        if array.shape not in ((), shape):
            message = f"{shown_key(key)} has the shape {shape_text(shape)}"
            hint = f"the value that is expected has {shape_text(array.shape)}"
            top.mistakes.at_value(path, message, hint)
            continue
        filled = np.broadcast_to(array, shape)
        expected.append(Expectation(key, node, name != key, filled, rtol, atol))
    return tuple(expected)


def _own(top: Table, graph: Graph | None, setting: Setting) -> Mapping[int, Array]:
    """Return the gradients that somebody has computed, by their nodes."""
    table = top.table("own")
    found: dict[int, Array] = {}
    for key, given in table.items.items():
        path = (*table.path, key)
        array = read(given, path, top.mistakes, replace(setting, floats_only=True))
        name = key.removesuffix(".grad")
        node = _gradient_node(name, graph, path, top.mistakes)
        if graph is None or node is None or array is None:
            continue
        if wrong := _misshapen(graph, node, array):
            top.mistakes.at_value(path, *wrong)
        found[node] = array
    return MappingProxyType(found)


def _misshapen(graph: Graph, node: int, array: Array) -> tuple[str, str] | None:
    """Return what is wrong with the shape of a gradient, and a hint, or None."""
    wanted = graph.nodes[node].shape
    if array.shape == wanted:
        return None
    what = f"the gradient has the shape {shape_text(array.shape)}"
    return what, f"{graph.nodes[node].name} has {shape_text(wanted)}"


def with_own(scenario: Scenario, path: pathlib.Path) -> Scenario:
    """Return a scenario with the gradients of an .npz file as somebody's own.

    Its keys are names of nodes, with `.grad` or without. Raises `InputError`.
    """
    from .arrays import load_all  # noqa: PLC0415  # few have any

    subject = scenario.subject
    program = scenario.batch_program
    graph = program.graph if program else subject.graph
    own: dict[int, Value] = {}
    problems: list[Problem] = []
    file = clean(str(path))
    for key, array in load_all(path, subject.limits).items():
        name = key.removesuffix(".grad")
        name = subject.names.get(name, name).removesuffix(".grad")
        node = graph.names.get(name)
        if node is None:
            near = nearest(name, graph.names)
            problems.append(Problem(f"no node is called {shown(name)}", near, file))
        elif array.dtype.kind != "f":
            what = f"{shown(key)} holds {array.dtype}"
            problems.append(Problem(what, "gradients are floats", file))
        elif wrong := _misshapen(graph, node, array):
            problems.append(Problem(f"{shown(key)}: {wrong[0]}", wrong[1], file))
        else:
            own[node] = array
    if problems:
        raise InputError(problems)
    claims = Claims(MappingProxyType(own), file)
    return scenario._replace(subject=subject._replace(claims=claims))


def _is_tolerance(value: float) -> bool:
    return value >= 0
