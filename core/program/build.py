"""Program text → graph.

A program is read line by line, and each operator becomes a node. Functions are called
while the program is read: each call is a frame with nodes of its own. Nothing is ever
evaluated as Python.

As in Python, a function sees its parameters, what it has bound itself, and otherwise
the names that the program has bound by the time of the call. A value never hides an
operation, for `sum = a + b` and `sum(x)` are told apart by the brackets; a function of
the program does, in the lines below it. Functions of the prelude see each other and the
operations, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..base.errors import LimitError, Problem, ProgramError, RuleError
from ..base.garbage import undisturbed
from ..base.limits import LIMITS, Limits
from ..base.progress import stage
from ..ops import ALIASES, OPS
from .constructors import CONSTRUCTORS
from .expressions import READERS
from .prelude import PRELUDE
from .statements import Leaf, Reading
from .syntax import Function, parse

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..base.progress import Progress
    from ..engine.graph import Graph, Locate
    from ..ops.table import Value

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"input": "an input", "parameter": "a parameter", "constant": "a constant"}
)


class Program(NamedTuple):
    """A program, read: its graph, and the values of all leaves by their numbers."""

    graph: Graph  # of the program, with its sources
    leaves: Mapping[int, Value]  # inputs, parameters, constants and literals


@undisturbed()  # of the rows of a graph, none leads back to another
def build(
    text: str,
    leaves: Mapping[str, Leaf],
    *,
    broken: Collection[str] = (),
    output: str | None = None,
    source: str = "program",
    locate: Locate | None = None,
    dtype: Any = np.float64,
    limits: Limits = LIMITS,
    progress: Progress | None = None,
) -> Program:
    """Read a program; `output` is the last assignment if it is not given.

    The nodes are the inputs, the parameters and the constants of `leaves`, and then
    the literals, the constructors and the results as they are met. `broken` names
    leaves that could not be read: what depends on them is no further mistake. `source`
    is the file that problems name, and `locate` takes a line and a column of the
    program to those of that file. `dtype` is that of constructors. `progress` is told
    of the lines, which are gone through twice.

    Raises `ProgramError` with every mistake found, and `LimitError`.

    >>> program = build("y = 2 * x", {"x": Leaf("input", np.float64(3))})
    >>> [node.name for node in program.graph]
    ['x', '2', 'y']
    """
    operations = {*OPS, *ALIASES, *CONSTRUCTORS}
    try:
        taken = dict.fromkeys(
            broken, "bound under [inputs], [parameters] or [constants]"
        )
        taken |= {name: _KINDS[leaf.kind] for name, leaf in leaves.items()}
        named, first = {*operations, *RECIPES}, stage(progress, 0, 2)
        module = parse(text, "program", limits, taken, named, progress=first)
    except LimitError as error:
        raise LimitError(
            _placed(one, source, locate) for one in error.problems
        ) from None
    second = stage(progress, 1, 2)
    reading = Reading(leaves, broken, READERS, module, RECIPES, dtype, limits, second)
    graph = reading.program(output)
    if graph is None:
        problems = sorted(reading.problems, key=lambda one: (one.line, one.column))
        kind = LimitError if reading.limited else ProgramError
        raise kind(_placed(one, source, locate) for one in problems)
    graph = replace(graph, file=source, locate=locate)
    return Program(graph, MappingProxyType(reading.leaves))


class _Recipes(Mapping[str, Function]):
    """The functions of the prelude by name; its text is read when one is called."""

    def __getitem__(self, name: str) -> Function:
        if name not in self._names:
            raise KeyError(name)
        return self._functions[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    _names = tuple(re.findall(r"^def (\w+)", PRELUDE, re.MULTILINE))

    @cached_property
    def _functions(self) -> Mapping[str, Function]:
        return _prelude()


def _prelude() -> Mapping[str, Function]:
    module = parse(PRELUDE, "prelude", LIMITS, place="prelude")
    if module.problems:  # our own text is wrong
        raise RuleError("\n".join(f"prelude: {problem}" for problem in module.problems))
    functions = (item for item in module.items if isinstance(item, Function))
    return MappingProxyType({item.name: item for item in functions})


RECIPES: Final[Mapping[str, Function]] = _Recipes()


def _placed(problem: Problem, source: str, locate: Locate | None) -> Problem:
    line, column = problem.line, problem.column
    if line and locate:
        line, column = locate(line, column)
    return Problem(problem.message, problem.hint, source, line, column)
