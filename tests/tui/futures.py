"""Sessions with the same past and another future: what is drawn has to be the same."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gradstep.core.base.cache import Recent
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.engine.trace import Trace
from gradstep.core.training.iterations import Iterations
from gradstep.core.training.timeline import Record, Records, Single

if TYPE_CHECKING:
    from gradstep.core.scenario.scenario import Scenario

_NO_LOSS = 77.77  # one that no run has


def other(array: Any, random: np.random.Generator) -> Any:
    """Return other numbers of other sizes and signs; what is no float stays."""
    array = np.asarray(array)
    if array.dtype.kind != "f":
        return array
    sizes = 10.0 ** random.integers(-4, 5, array.shape)
    made = np.asarray(random.normal(size=array.shape) * sizes, array.dtype)
    made.setflags(write=False)
    return made if made.ndim else made[()]


def other_future(trace: Trace, position: int) -> Trace:
    """Return a trace with other values, gradients and updates from a position on."""
    random, run = np.random.default_rng(position), trace.run
    nodes = range(len(run.values))
    values = [
        run.values[n]
        if trace.value(n, position) is not None
        else other(run.values[n], random)
        for n in nodes
    ]
    gradients = [
        run.gradients[n]
        if run.gradients[n] is None or trace.is_complete(n, position)
        else other(run.gradients[n], random)
        for n in nodes
    ]
    if set(map(type, run.values)) == {float}:  # numbers of Python stay such
        values = [float(value) for value in values]
        gradients = [None if g is None else float(g) for g in gradients]
    new = replace(run, values=values, gradients=gradients, recent=Recent())
    updated = {
        node: value if trace.is_updated(node, position) else other(value, random)
        for node, value in trace.updated.items()
    }
    at = trace.iteration
    if at is not None:
        plan, number, start, _ = cast("partial[Any]", at.update).args
        opened = cast("partial[Any]", at.update).func
        at = at._replace(update=partial(opened, plan, number, start, new))
    return Trace(new, updated, at)


def with_other_future(scenario: Scenario, position: int) -> Debugger:
    """Return a session whose numbers are others from a position on, and only there."""
    debugger = Debugger(scenario)
    timeline = debugger.timeline
    trace = timeline.trace(0)
    new = other_future(trace, position)
    if isinstance(timeline, Single):
        return Debugger(scenario, Single(new))
    assert isinstance(timeline, Iterations)
    timeline.memory.keep_trace(0, new)
    known = trace.value(trace.run.graph.output, position)
    loss = _NO_LOSS if known is None else float(np.sum(known))
    first = timeline.records[0]
    timeline.memory.records = Records(len(first.norms))
    norms = tuple(norm and _NO_LOSS for norm in first.norms)
    timeline.memory.records.append(Record(loss, norms))
    return debugger
