"""Reads `program`: the graph of a file, and the same in the shapes of a batch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..base.errors import InputError
from ..program.build import Leaf, Program, build
from ..words.numbers import shape_text
from .places import inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.text import Place
    from ..engine.graph import Graph, Locate, Node, NodeKind
    from .toml import Table
    from .training import Batch
    from .values import Setting


def read_program(
    top: Table,
    text: str,
    given: Mapping[str, Leaf],
    broken: Mapping[str, NodeKind],
    setting: Setting,
) -> Program | None:
    """Return the program, read; its mistakes get their places in the file."""
    top.line("output")
    top.text("program")
    code = top.get("program")
    if not isinstance(code, str):
        if code is None:
            hint = "write program = ''' and the lines below it, up to '''"
            top.mistakes.at_key((), "the program is missing", hint)
        return None
    try:
        return _built(top, text, given, broken, setting)
    except InputError as error:
        for problem in error.problems:
            if problem.line:
                top.mistakes.placed(problem)
            else:
                key = "output" if "output" in top else "program"
                top.mistakes.at_value((key,), problem.message, problem.hint)
        return None


def read_batch_program(
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
    try:
        small = _built(top, text, part, {}, setting)
    except InputError as error:
        top.mistakes.at_value(path, wrong, str(error.problems[0]))
        return None
    whole, shape = output_of(program.graph).shape, output_of(small.graph).shape
    if shape != whole:
        hint = f"the output has the shape {shape_text(whole)}"
        hint += f", and there {shape_text(shape)}"
        top.mistakes.at_value(path, wrong, hint)
    return small


def _built(
    top: Table,
    text: str,
    given: Mapping[str, Leaf],
    broken: Mapping[str, NodeKind],
    setting: Setting,
) -> Program:
    code = top.get("program")
    return build(
        code,
        given,
        broken=broken,
        output=top.line("output") or None,
        source=top.mistakes.source,
        locate=_locator(top, text, code),
        dtype=setting.dtype,
        limits=setting.limits,
        progress=setting.progress,
    )


def _locator(top: Table, text: str, code: str) -> Locate:
    """Return what takes a line and a column of the program to those of the file."""
    at = top.mistakes.offset(("program",))
    starts = [0, *(match.end() for match in re.finditer("\n", code))]

    def locate(line: int, column: int) -> Place:
        return inside(text, at, starts[line - 1] + max(column, 1) - 1)

    return locate


def output_of(graph: Graph) -> Node:
    """Return the node that is differentiated."""
    return graph.nodes[graph.output]
