"""A program to check, and what a report says of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from runs import op_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradstep.core.check.report import NodeCheck, Report
    from gradstep.core.engine.run import Run
    from gradstep.core.ops.table import Op

NET = "h = tanh(x @ w + b)\nE = sum(h * h) / 2"

LEAVES = {
    "x": [[0.5, -1.0], [2.0, 0.25], [1.0, 1.5]],
    "w": [[0.5, 0.25, -1.0], [1.5, -0.5, 0.75]],
    "b": [0.125, -0.25, 0.5],
}


def found(report: Report, level: str, node: int) -> NodeCheck:
    """Return the comparison of a node at one level: the first one there is."""
    return next(c for c in report.checks if c.level == level and c.node == node)


def edge_of(one: NodeCheck | None) -> tuple[int, int]:
    """Return the edge where a comparison puts the mistake, as patches name it."""
    assert one is not None
    assert one.edge is not None
    return one.edge[:2]


def verdicts(report: Report) -> set[str]:
    """Return the verdicts that there are."""
    return {one.verdict for one in report.checks}


@contextmanager
def computed_by(
    run: Run, name: str, function: Callable[[Op], Callable[..., Any]]
) -> Iterator[None]:
    """Compute a node by what a function makes of its row of the table."""
    op, nodes = op_of(run, name), run.graph.nodes
    rows, other = nodes.rows, op._replace(forward=function(op))
    nodes.rows = [(*row[:3], other, *row[4:]) if row[3] is op else row for row in rows]
    try:
        yield
    finally:
        nodes.rows = rows


@contextmanager
def counted(run: Run, name: str) -> Iterator[list[tuple[int, ...]]]:
    """Note the shape of what each call of a node's operation returns in a list."""
    calls: list[tuple[int, ...]] = []

    def counting(op: Op) -> Callable[..., Any]:
        def noted(*arrays: Any, **attributes: Any) -> Any:
            made = op.forward(*arrays, **attributes)
            calls.append(np.shape(made))
            return made

        return noted

    with computed_by(run, name, counting):
        yield calls
