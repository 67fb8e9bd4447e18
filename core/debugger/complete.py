"""What can stand at the cursor of a command line."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..base.errors import CommandError
from ..commands import meant
from ..engine.graph import Edge
from ..ops import ALIASES, OPS

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from ..commands.table import Completes
    from .debugger import Debugger

_MOST: Final = 1000  # candidates
_BREAKS: Final = " ,()[]+-*/@=!<>"  # what ends a word of an expression


def complete(debugger: Debugger, line: str, cursor: int) -> list[str]:
    """Return the words that could stand before the cursor, whole, in order."""
    before = line[:cursor].lstrip()
    name, blank, _ = before.partition(" ")
    if not blank:
        return _starting(name, [*debugger.commands, *debugger.aliases])
    found = meant(name)
    if len(found) != 1:
        return []
    command = debugger.commands[found[0]]
    word = before.rpartition(" ")[2]
    candidates = [*command.words, *_CANDIDATES[command.completes](debugger, word)]
    if command.completes in ("expression", "element"):
        return _ending(word, candidates)
    found = _starting(word, candidates)
    if command.completes == "location":
        found = [one for one in found if _leads(debugger, one, command.words)]
    return found


def _ending(word: str, candidates: Sequence[str]) -> list[str]:
    """Return what an expression could end with; an @ is a product, or of a name."""
    for breaks in (_BREAKS.replace("@", ""), _BREAKS):
        start = max(word.rfind(sign) for sign in breaks) + 1
        found = _starting(word[start:], candidates)
        if found:
            return [word[:start] + one for one in found]
    return []


def _leads(debugger: Debugger, name: str, words: Collection[str]) -> bool:
    """Tell whether something happens at a place, or a word is meant."""
    if name in words or name in debugger.memory.marks or name in ("start", "end"):
        return True
    try:
        return bool(debugger.location(name).spans(debugger.trace))
    except CommandError:
        return False


def _starting(word: str, candidates: Iterable[str]) -> list[str]:
    found = dict.fromkeys(c for c in candidates if c.startswith(word))
    return sorted(islice(found, _MOST))


def _locations(debugger: Debugger, word: str) -> Iterator[str]:
    graph = debugger.graph
    yield from ("start", "end", "output")
    yield from graph.names
    yield from (frame.name for frame in graph.frames[1:])
    yield from debugger.subject.names
    yield from debugger.memory.marks
    yield from (f"op:{op.name}" for op in graph.ops)
    for statement in graph.statements:
        source = graph.frames[statement.frame].source
        if source == graph.main:
            yield f"line:{statement.line}"
        yield f"{source}:{statement.line}"
    place, at, which = word.rpartition("@")
    place = word if not at or which.isdecimal() else place
    yield from (f"{place}@{which}" for which in ("forward", "backward", "update"))
    consumer = graph.names.get(word.partition("<")[0])
    if "<" in word and consumer is not None:
        operands = enumerate(graph.nodes[consumer].operands)
        yield from (graph.edge_name(Edge(consumer, k, i)) for k, i in operands)


def _expressions(debugger: Debugger, word: str) -> Iterator[str]:
    from ..expression.functions import FUNCTIONS  # noqa: PLC0415  # 5 ms, only of expressions

    yield from _elements(debugger, word)
    yield from (f"{name}(" for name in [*FUNCTIONS, *OPS, *ALIASES])


def _elements(debugger: Debugger, _word: str) -> Iterator[str]:
    for name in debugger.graph.names:
        yield name
        yield f"{name}.grad"
    yield from debugger.subject.names


def _files(_bug: Debugger, word: str) -> Iterator[str]:
    folder = Path(word).parent if not word.endswith("/") else Path(word)
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, _MOST):
                path = str(folder / entry.name)
                yield path + "/" if entry.is_dir() else path
    except OSError:
        return


_CANDIDATES: Final[Mapping[Completes, Callable[[Debugger, str], Iterable[str]]]] = {
    "": lambda _bug, _word: (),
    "word": lambda _bug, _word: (),
    "location": _locations,
    "expression": _expressions,
    "element": _elements,
    "command": lambda debugger, _word: debugger.commands,
    "file": _files,
    "stop": lambda debugger, _word: map(str, debugger.memory.stops),
    "display": lambda debugger, _word: map(str, debugger.memory.displays),
}
