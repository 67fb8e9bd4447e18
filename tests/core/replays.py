"""Gradients at every position by a replay: all events, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradstep.core.engine.trace import Contribution, Event, Forward, Seed, Trace

if TYPE_CHECKING:
    from gradstep.core.engine.run import Run
    from gradstep.core.ops.table import Value


def events_of(run: Run) -> list[Event]:
    """Return the events in the order that the design tells."""
    graph = run.graph
    events: list[Event] = [Forward(n.index) for n in graph if n.op is not None]
    events.append(Seed(graph.output))
    for node in reversed(list(graph.nodes[: graph.output + 1])):
        for argument, operand in enumerate(node.operands):
            if run.carries(node.index, argument):
                events.append(Contribution(node.index, argument, operand))
    return events


def replay(run: Run) -> list[dict[int, Value]]:
    """Return the gradients at each position, by going through all events."""
    states: list[dict[int, Value]] = [{}]
    now: dict[int, Value] = {}
    events = events_of(run)
    last = {event.node: rank for rank, event in enumerate(events)}
    patches = run.patches
    for rank, event in enumerate(events):
        if isinstance(event, Seed):
            now[event.node] = run.seed
        elif isinstance(event, Contribution):
            way = (event.consumer, event.argument)
            upstream = now[event.consumer]
            product = run.product(*way, upstream)
            addend = run.contribution(*way, upstream)
            if way in patches.in_place and np.shape(product) == np.shape(upstream):
                written = addend if np.shape(addend) == np.shape(product) else product
                now = {n: written if g is upstream else g for n, g in now.items()}
            before = now.get(event.operand)
            if before is None or way in patches.overwrites:
                now[event.operand] = addend
            else:
                now[event.operand] = np.asarray(before) + np.asarray(addend)
        if event.node in patches.gradients and rank == last[event.node]:
            now[event.node] = patches.gradients[event.node]
        states.append(dict(now))
    return states


def assert_is_a_replay(run: Run) -> None:
    trace = Trace(run)
    events = events_of(run)
    assert [trace.event(number) for number in range(len(trace))] == events
    for position, state in enumerate(replay(run)):
        for node in run.graph:
            found = trace.gradient(node.index, position)
            expected = state.get(node.index)
            assert (found is None) == (expected is None)
            if found is not None and expected is not None:
                assert found.tobytes() == np.asarray(expected).tobytes()
