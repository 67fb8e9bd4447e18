"""Arrays and records as plain data, for strict JSON.

A number is written with the fewest digits that read back as the same number. The
strings "NaN", "Infinity" and "-Infinity" stand for what JSON has no number for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..engine.graph import Edge, Graph, Node, Site
from ..engine.trace import Contribution, Forward, Seed, Trace
from ..words.events import event_kind
from ..words.formulas import Formula, Wording
from ..words.remarks import remarks

if TYPE_CHECKING:
    from ..check.report import NodeCheck, Report
    from ..engine.run import Run
    from ..engine.subject import Subject
    from ..ops.table import Array
    from ..scenario.scenario import Scenario


def plain(value: Any) -> Any:
    """Return arrays, numbers and containers of them as lists, dicts and numbers.

    A float32 becomes the float64 of the same size, so that nothing is rounded.

    >>> plain(np.array([1.5, np.nan, -np.inf]))
    [1.5, 'NaN', '-Infinity']
    """
    if isinstance(value, np.ndarray):
        array = cast("Array", value)
        nested: Any = array.tolist()
        return nested if _is_finite(array) else plain(nested)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    if isinstance(value, Mapping):
        record = cast("Mapping[Any, Any]", value)
        return {str(key): plain(one) for key, one in record.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in cast("Sequence[Any]", value)]
    return value


def dump(record: Any) -> str:
    """Return a record on one line of strict JSON.

    >>> dump({"grad": np.float32(0.5), "shape": ()})
    '{"grad": 0.5, "shape": []}'
    """
    return json.dumps(plain(record), allow_nan=False, ensure_ascii=False)


def node_record(run: Run, node: Node, dtype: str) -> dict[str, Any]:
    """Return a node without its numbers. `dtype` is that of the program's literals."""
    nodes = run.graph.nodes
    value = run.values[node.index]
    # In a run of scalars float64 is Python's float, as a literal of the program is.
    is_weak = type(value) is float
    return {
        "name": node.name,
        "kind": node.kind,
        "op": None if node.op is None else node.op.name,
        "operands": [nodes[i].name for i in node.operands],
        "shape": list(node.shape),
        "dtype": dtype if is_weak else np.asarray(value).dtype.name,
        **_place(run.graph, node.site),
    }


def _place(graph: Graph, site: Site | None) -> dict[str, Any]:
    """Return in which source a site is and on which line; without one, two nulls."""
    if site is None:
        return {"source": None, "line": None}
    return {"source": graph.source_of(site), "line": site.line}


def _samples(trace: Trace) -> dict[str, Any]:
    """Return which samples a batch has; without one, None."""
    samples = trace.samples
    return {"samples": None if samples is None else samples._asdict()}


def grads_record(subject: Subject, trace: Trace) -> dict[str, Any]:
    """Return every value and every gradient of a run, nodes in forward order."""
    run = trace.run
    return {
        "gradstep": 1,
        "scenario": subject.name,
        "title": subject.title,
        "output": run.graph.nodes[run.graph.output].name,
        **_samples(trace),
        "nodes": [
            node_record(run, node, subject.dtype)
            | {
                "value": plain(run.value(node.index)),
                "grad": plain(run.gradient(node.index)),
            }
            for node in run.graph
        ],
    }


def event_record(trace: Trace, number: int, wording: Wording) -> dict[str, Any]:
    """Return one event with everything that it took and made; `number` is from 0."""
    event = trace.event(number)
    run, nodes = trace.run, trace.run.graph.nodes
    subject = nodes[event.consumer if isinstance(event, Contribution) else event.node]
    site = subject.site
    statement = None if site is None else run.graph.statements[site.statement]
    frame = run.graph.frame_of(subject)
    record: dict[str, Any] = {
        "event": number + 1,
        "of": len(trace),
        "kind": event_kind(event),
        **_place(run.graph, site),
        "statement": None if statement is None else statement.text,
        "frame": None if frame is None else frame.name,
    }
    if isinstance(event, Forward):
        operands = [
            {"name": nodes[i].name, "value": run.value(i)} for i in subject.operands
        ]
        op = None if subject.op is None else subject.op.name
        record |= {"node": subject.name, "op": op, "operands": operands}
        record |= _formula(wording.forward(subject.index))
        record |= {"value": run.value(subject.index)}
    elif isinstance(event, Seed):
        record |= {"node": subject.name, "gradient": np.asarray(run.seed)}
    elif isinstance(event, Contribution):
        record |= _contribution(trace, event, wording)
    else:
        before = trace.value(event.node, number)
        after = trace.value(event.node, number + 1)
        record |= {"node": subject.name, "before": before, "after": after}
    return plain(record)


def scenario_record(scenario: Scenario) -> dict[str, Any]:
    """Return what a scenario says of itself."""
    graph = scenario.subject.graph
    return {
        "gradstep": 1,
        "scenario": scenario.subject.name,
        "title": scenario.subject.title,
        "summary": scenario.subject.summary,
        "group": scenario.group,
        "convention": scenario.subject.convention,
        "dtype": scenario.subject.dtype,
        "output": graph.nodes[graph.output].name,
        "size": len(graph),
    }


def graph_record(scenario: Scenario, trace: Trace) -> dict[str, Any]:
    """Return the nodes of a scenario with their formulas, and its frames."""
    run, graph = trace.run, trace.run.graph
    wording = Wording(graph, scenario.subject.names)
    nodes: list[dict[str, Any]] = []
    for node in graph:
        record = node_record(run, node, scenario.subject.dtype)
        frame = graph.frame_of(node)
        record["frame"] = None if frame is None else frame.name
        record |= _formula(wording.forward(node.index))
        record["derivatives"] = [
            {
                "operand": graph.nodes[operand].name,
                **_formula(wording.contribution(Edge(node.index, argument, operand))),
            }
            for argument, operand in enumerate(node.operands)
            if run.carries(node.index, argument)
        ]
        nodes.append(record)
    frames = [
        {
            "name": frame.name,
            "function": frame.function,
            "parent": graph.frames[frame.parent].name,
            **_place(graph, frame.call),
            "nodes": [node.name for node in graph.nodes[frame.first : frame.stop]],
        }
        for frame in graph.frames[1:]
    ]
    return {
        **scenario_record(scenario),
        **_samples(trace),
        "nodes": nodes,
        "frames": frames,
        "remarks": [
            {"node": graph.nodes[one.node].name, "text": one.sentence}
            for one in remarks(run)
        ],
    }


def check_record(scenario: str, trace: Trace, report: Report) -> dict[str, Any]:
    """Return the comparisons of a check, the worst element of each."""
    return {
        "gradstep": 1,
        "scenario": scenario,
        **_samples(trace),
        "ok": report.ok,
        "complete": report.complete,
        "scheme": report.scheme,
        "step": report.step,
        "rtol": report.rtol,
        "backpropagation_seconds": report.backpropagation_time,
        "numeric_seconds": report.numeric_time,
        "checks": [comparison_record(report.run.graph, one) for one in report.checks],
    }


def comparison_record(graph: Graph, one: NodeCheck) -> dict[str, Any]:
    """Return one comparison of a check."""
    record = {f.name: getattr(one, f.name) for f in fields(one)}
    operand = None
    if one.argument is not None:
        operand = graph.nodes[graph.nodes[one.node].operands[one.argument]].name
    record |= {"node": graph.nodes[one.node].name, "operand": operand}
    record |= {"relative": one.relative, "edge": None}
    if one.edge is not None:
        record["edge"] = graph.edge_name(one.edge)
    return plain(record)


def _contribution(
    trace: Trace, event: Contribution, wording: Wording
) -> dict[str, Any]:
    nodes = trace.run.graph.nodes
    breakdown = trace.breakdown(event.consumer, event.argument)
    return {
        "consumer": nodes[event.consumer].name,
        "argument": event.argument,
        "operand": nodes[event.operand].name,
        **_formula(wording.contribution(event.edge, breakdown.summed)),
        "upstream": breakdown.upstream,
        "local": None if breakdown.local is None else np.asarray(breakdown.local),
        "product": np.asarray(breakdown.product),
        "summed": breakdown.summed,
        "contribution": np.asarray(breakdown.contribution),
        "before": breakdown.before,
        "after": breakdown.after,
        "uses": breakdown.uses,
    }


def _formula(formula: Formula) -> dict[str, Any]:
    return {
        "formula": formula.text,
        "shapes": formula.shapes,
        "code": formula.code,
        "why": formula.why,
    }


def _is_finite(array: Array) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
