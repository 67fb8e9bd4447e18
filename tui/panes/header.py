"""The first line of the screen: the file, what goes on, and where the session is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.cells import cell_len

from ...core.engine.measure import norm
from ...core.words.digits import SENTENCE
from ...core.words.numbers import number_text, value_text
from ..graph.drawing import cut, cut_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.debugger.debugger import Debugger
    from ...core.engine.trace import Trace

_FEW: Final = 4  # numbers that are all in the header
_LEAST_NAME: Final = 9  # cells of a file's name; where there are fewer, none


def subject_text(debugger: Debugger) -> str:
    """Return what a session is about: its file, or the name of its subject."""
    return debugger.graph.file or debugger.subject.name


def facts(debugger: Debugger) -> list[str]:
    """Return where a session is: phase, event, iteration, and the output there."""
    trace, position = debugger.trace, debugger.position
    found = [trace.phase(position), f"event {position}/{len(trace)}"]
    if debugger.timeline.iterations > 1:
        found.append(f"iteration {debugger.place.iteration}")
    return [*found, output_text(trace, position)]


def header_text(
    name: str, states: Sequence[str], facts: Sequence[str], width: int
) -> str:
    """Return the header: the file at the left, at the right what goes on, and where.

    Where there is little room the folder of the file gives way first, then our own
    name, the rest of the file's, and what goes on.

    >>> header_text("two_layer_net.toml", (), ("end", "event 21/21"), 32)
    ' two_l….toml  end · event 21/21 '
    """
    right = " · ".join(facts)
    state = cut(" · ".join(states), max(width - 5 - cell_len(right), 0))
    right = cut(f"{state} · {right}" if state else right, max(width - 2, 0))
    room = width - 4 - cell_len(right)
    title = "gradstep · "
    if room < len(title) + cell_len(name):
        name = Path(name).name
    if room < len(title) + cell_len(name):
        title = ""
    least = min(cell_len(name), _LEAST_NAME)
    left = title + cut_within(name, room - len(title)) if room >= least else ""
    space = " " * (width - 2 - cell_len(left) - cell_len(right))
    return f" {left}{space}{right} "


def output_text(trace: Trace, position: int) -> str:
    """Return the output and its value, as far as it is known; of many numbers the norm.

    A header has one line: what is one row or one column stands in it as numbers alone.
    """
    graph = trace.run.graph
    node = graph.nodes[graph.output]
    value = trace.value(node.index, position)
    if value is None:
        return f"{node.name} = …"
    if value.size <= _FEW or value.dtype.kind != "f":
        bare = value_text(np.squeeze(value)).replace(",", "")
        return f"{node.name} = {bare}"
    recent = trace.run.recent
    size = recent.of(("norm", node.index, id(value)), lambda: norm(value))
    return f"{node.name} = ‖{number_text(size, SENTENCE)}‖"
