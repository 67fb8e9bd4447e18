"""Reads what a file says of nodes, in tables such as `[seed]` and `[notes]`."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast, get_args

import numpy as np

from ..base.errors import InputError, Problem
from ..base.text import clean, nearest
from ..engine.subject import Asking, Claims, NotePlace, When
from ..words.numbers import shape_text
from .places import Path, inside
from .program import output_of
from .toml import Mistakes, Table, shown, shown_key
from .values import LONGEST_NAME, read

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping

    from ..base.limits import Limits
    from ..engine.graph import Graph
    from ..ops.table import Array, Shape, Value
    from .values import Setting

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


class Said(NamedTuple):
    """What a file says of the nodes of its program."""

    seed: Array | None  # that enters at the output, of its shape; None for 1
    names: Mapping[str, str]  # the literature's names of gradients, to `NODE.grad`
    notes: Mapping[NotePlace, str]  # by the place where they are shown
    questions: Mapping[NotePlace, Asking]  # by the place before which they are put
    expect: tuple[Expectation, ...]  # in the order of the file
    own: Mapping[int, Array]  # gradients that somebody has computed, by their nodes


def read_said(
    top: Table, text: str, graph: Graph | None, small: Graph | None, setting: Setting
) -> Said:
    """Return what a file says of nodes; what is wrong is kept in its mistakes.

    `text` is the file. `graph` is None where the program is wrong; `small` has the
    shapes of one batch, where training takes batches, and is `graph` elsewhere.
    """
    seed, names = _seed(top, graph, setting), _names(top, graph)
    notes = _notes(top, text, graph, names)
    questions = _questions(top, graph, names)
    expect = _expect(top, small, setting)
    return Said(seed, names, notes, questions, expect, _own(top, small, setting))


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
    shape = output_of(graph).shape if graph else ()
    output = output_of(graph).name if graph else ""
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
        if not word or len(word) > LONGEST_NAME or "\n" in word:
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


def _is_tolerance(value: float) -> bool:
    return value >= 0


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


def claims_of(
    path: pathlib.Path, graph: Graph, names: Mapping[str, str], limits: Limits
) -> Claims:
    """Return the gradients of an .npz file as somebody's own.

    Its keys are names of nodes, with `.grad` or without, or those of the literature,
    which `names` has. Raises `InputError`.
    """
    from .arrays import load_all  # noqa: PLC0415  # few have any

    own: dict[int, Value] = {}
    problems: list[Problem] = []
    file = clean(str(path))
    for key, array in load_all(path, limits).items():
        name = key.removesuffix(".grad")
        name = names.get(name, name).removesuffix(".grad")
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
    return Claims(MappingProxyType(own), file)
