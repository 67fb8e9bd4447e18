"""The classic mistakes of hand-written backward passes, as one table.

Each row of `MISTAKES` turns the right patches of a run into those in which one edge is
wrong. A wrong rule is made from the operation and the number of the operand alone, so
that it stays wrong in the same way when the numbers change.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ..base.errors import CommandError, Problem
from ..base.text import nearest
from ..engine.backward import broadcast_axes
from . import rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..engine.graph import Edge, Node
    from ..engine.patches import Patches
    from ..engine.run import Run
    from ..engine.trace import Trace
    from ..ops.table import Attributes, Op, Rule


class Mistake(NamedTuple):
    """One mistake.

    `make(trace, edge, patches)` returns the patches with the mistake at an edge; a
    `ValueError` says in words why it cannot be made there. `of_gradient` says that the
    mistake is one of a node's gradient, and not of a node's rule: a node stands for the
    edges that arrive at it, and not for those of its operands.
    """

    name: str  # as commands know it: "transpose"
    aliases: tuple[str, ...]  # other names of it
    summary: str  # what is wrong: "the transpose is dropped"
    instead: str  # what arrives, in words
    applies: str  # where it can be made
    make: Callable[[Trace, Edge, Patches], Patches]
    of_gradient: bool = False


def find_mistake(name: str) -> Mistake:
    """Return the mistake of that name, alias or beginning, or raise `CommandError`.

    A beginning is that of the first in the table.
    """
    wanted = name.lower().replace("_", "-")
    for mistake in MISTAKES.values():
        if wanted in (mistake.name, *mistake.aliases):
            return mistake
    for mistake in MISTAKES.values():
        if wanted and mistake.name.startswith(wanted):
            return mistake
    known = [n for m in MISTAKES.values() for n in (m.name, *m.aliases)]
    raise CommandError(
        Problem(
            f"there is no mistake {name!r}",
            nearest(wanted, known) or f"the mistakes are {', '.join(MISTAKES)}",
        )
    )


def fitting(trace: Trace, edge: Edge) -> list[str]:
    """Return the names of the mistakes that can be made at an edge."""
    names: list[str] = []
    for mistake in MISTAKES.values():
        try:
            mistake.make(trace, edge, trace.run.patches)
        except ValueError:
            continue
        names.append(mistake.name)
    return names


def with_mistake(
    trace: Trace, mistake: Mistake, edges: Iterable[Edge]
) -> tuple[Patches, list[Edge]]:
    """Return the run's patches with a mistake at every edge that it fits, and these.

    Raises `CommandError` where it fits none: it says why, and what would fit.
    """
    graph = trace.run.graph
    patches = trace.run.patches
    made: list[Edge] = []
    problems: list[Problem] = []
    for edge in edges:
        try:
            patches = mistake.make(trace, edge, patches)
        except ValueError as reason:
            names = ", ".join(fitting(trace, edge)) or "nothing"
            problems.append(
                Problem(
                    f"{mistake.name} does not apply to {graph.edge_name(edge)}: "
                    f"{reason}",
                    f"what applies there: {names}",
                )
            )
        else:
            made.append(edge)
    if not made:
        raise CommandError(problems)
    return patches, made


# ----------------------------------------------------------------- wrong rules


def _by_rule(
    wrong: Callable[[Op, int, rules.Shapes, Attributes], Rule],
) -> Callable[[Trace, Edge, Patches], Patches]:
    """Return the maker of a mistake that replaces the rule of an edge.

    `wrong(op, argument, shapes, attributes)` is given the shapes of the operands.
    """

    def make(trace: Trace, edge: Edge, patches: Patches) -> Patches:
        run = trace.run
        node, op = _consumer(run, edge)
        shapes = tuple(np.shape(run.values[i]) for i in node.operands)
        rule = wrong(op, edge.argument, shapes, node.attributes)
        return _with_rule(run, edge, patches, rule)

    return make


def _with_rule(run: Run, edge: Edge, patches: Patches, rule: Rule) -> Patches:
    _check_fit(run, run.graph.nodes[edge.consumer], edge, rule)
    key = (edge.consumer, edge.argument)
    return patches._replace(rules=MappingProxyType({**patches.rules, key: rule}))


def _consumer(run: Run, edge: Edge) -> tuple[Node, Op]:
    """Return the consumer and its operation; an edge without a gradient has no rule."""
    node = run.graph.nodes[edge.consumer]
    if node.op is None or not run.carries(edge.consumer, edge.argument):
        raise ValueError("no gradient flows through it")
    return node, node.op


def _check_fit(run: Run, node: Node, edge: Edge, rule: Rule) -> None:
    """Raise `ValueError` unless the wrong rule returns something that can be added."""
    operands = [run.values[i] for i in node.operands]
    shape = np.shape(operands[edge.argument])
    value = run.values[node.index]
    with np.errstate(all="ignore"):
        try:
            product = rule(
                run.gradients[node.index], value, *operands, **node.attributes
            )
            axes = broadcast_axes(np.shape(product), shape)
        except ValueError:
            axes = None
    # Only an elementwise rule may leave the broadcast axes for the engine to sum.
    if axes is None or (axes and node.op and node.op.kind != "elementwise"):
        shapes = " and ".join(str(np.shape(operand)) for operand in operands)
        raise ValueError(
            f"with operands of shape {shapes} the wrong product does not fit "
            f"{shape}, so the shapes would tell"
        )


def _last_wins(trace: Trace, edge: Edge, patches: Patches) -> Patches:
    run = trace.run
    node, op = _consumer(run, edge)
    shapes = tuple(np.shape(run.values[i]) for i in node.operands)
    rule = rules.last_wins(op, edge.argument, shapes, node.attributes)
    jvp = op.jvp(edge.argument)
    arrays = [run.values[i] for i in (node.index, *node.operands)]
    places = rules.picked(jvp, arrays, node.attributes) if jvp else ()
    if len(np.unique(places)) == len(places):
        raise ValueError("each element is picked once at most")
    return _with_rule(run, edge, patches, rule)


def _already_updated(trace: Trace, edge: Edge, patches: Patches) -> Patches:
    run = trace.run
    node, op = _consumer(run, edge)
    shapes = tuple(np.shape(run.values[i]) for i in node.operands)
    other = rules.other_factor(op, edge.argument, shapes)
    factor = run.graph.nodes[node.operands[other]]
    rate = trace.iteration and trace.iteration.rates.get(factor.index)
    if rate is None:
        raise ValueError(f"{factor.name} is no parameter that is trained")
    rule = rules.already_updated(op, edge.argument, other, rate)
    return _with_rule(run, edge, patches, rule)


# -------------------------------------------------------- wrong ways to accumulate


def _left_out(trace: Trace, edge: Edge, patches: Patches) -> Patches:
    _consumer(trace.run, edge)
    arrivals = [trace.edge(event) for event in trace.arrivals(edge.operand)]
    name = trace.run.graph.nodes[edge.operand].name
    if len(arrivals) == 1:
        raise ValueError(f"{name} is used once: there is one route")
    missing = [one for one in arrivals if rules.is_left_out(patches.rules.get(one[:2]))]
    if missing:
        raise ValueError(f"another route to {name} is left out already")
    return _by_rule(rules.left_out)(trace, edge, patches)


def _overwrite(trace: Trace, edge: Edge, patches: Patches) -> Patches:
    _consumer(trace.run, edge)
    graph = trace.run.graph
    name = graph.nodes[edge.operand].name
    arrivals = trace.arrivals(edge.operand)
    if len(arrivals) == 1:
        raise ValueError(f"{name} is used once, and = and += are the same there")
    if arrivals[0] == trace.edge_event(edge.consumer, edge.argument):
        raise ValueError(f"it is the first to arrive at {name}: nothing to overwrite")
    key = (edge.consumer, edge.argument)
    return patches._replace(overwrites=patches.overwrites | {key})


def _in_place(trace: Trace, edge: Edge, patches: Patches) -> Patches:
    run = trace.run
    node, op = _consumer(run, edge)
    if np.shape(run.values[node.index]) != np.shape(run.values[edge.operand]):
        raise ValueError("the contribution has another shape than the upstream")
    if op.kind == "elementwise" and op.copies(edge.argument):
        raise ValueError(f"{op.name} hands the upstream on as it is")
    key = (edge.consumer, edge.argument)
    return patches._replace(in_place=patches.in_place | {key})


# ----------------------------------------------------------------------- table

_ROWS: Final = (
    Mistake(
        "transpose",
        ("no-transpose", "transpose-dropped"),
        "the transpose is dropped",
        "G B for G Bᵀ, A G for Aᵀ G; of a transpose, the upstream as it is",
        "matrix products of square matrices, and transposes of them",
        _by_rule(rules.without_transpose),
    ),
    Mistake(
        "swap",
        ("swapped", "operands"),
        "the operands are swapped",
        "Bᵀ G for G Bᵀ, G Aᵀ for Aᵀ G; else the other operand's derivative",
        "products of square matrices, and elementwise operations of two operands",
        _by_rule(rules.swapped),
    ),
    Mistake(
        "batch",
        ("no-sum", "not-summed", "broadcast"),
        "the batch is not summed",
        "the first slice alone, of all that should be added up",
        "operands that were broadcast, such as a bias, and products of two matrices",
        _by_rule(rules.not_summed),
    ),
    Mistake(
        "local",
        ("no-local", "forgotten", "derivative"),
        "the local derivative is forgotten",
        "the upstream as it is",
        "operations whose result has the operand's shape, except sums and moves",
        _by_rule(rules.forgotten),
    ),
    Mistake(
        "overwrite",
        ("assign", "overwritten", "="),
        "the gradient is overwritten instead of added to",
        "the last contribution alone",
        "nodes that are used more than once: all uses but the first to arrive",
        _overwrite,
        of_gradient=True,
    ),
    Mistake(
        "mean",
        ("factor", "sum"),
        "mean and sum are confused",
        "n times too much for a mean, an n-th for a sum",
        "sum, mean, and losses with a reduction",
        _by_rule(rules.by_a_factor),
    ),
    Mistake(
        "in-place",
        ("inplace", "in-place-upstream"),
        "the upstream gradient is changed in place",
        "the contribution, which is also written into the array that arrived: whoever "
        "shares it sees the change",
        "operations whose result has the operand's shape",
        _in_place,
    ),
    Mistake(
        "upstream",
        ("no-upstream", "upstream-forgotten", "chain"),
        "the upstream gradient is forgotten",
        "the local derivative as it is, as if 1 arrived everywhere",
        "all operations",
        _by_rule(rules.without_upstream),
    ),
    Mistake(
        "sign",
        ("negated", "minus"),
        "the sign is wrong",
        "the contribution times −1",
        "all operations",
        _by_rule(rules.negated),
    ),
    Mistake(
        "value",
        ("value-for-derivative", "function"),
        "the value is taken for the derivative",
        "upstream times f(z) for upstream times f′(z)",
        "elementwise operations, and those of one operand that keep its shape",
        _by_rule(rules.by_the_value),
    ),
    Mistake(
        "row",
        ("row-for-column", "column", "axis"),
        "rows are taken for columns",
        "the transpose of the contribution; of a broadcast operand the sums along the "
        "other axis",
        "contributions of square matrices",
        _by_rule(rules.row_for_column),
    ),
    Mistake(
        "last",
        ("last-wins", "repeated", "index"),
        "of a repeated index the last one wins",
        "the last of several gradients for one element, for their sum",
        "indexing, take and embedding, where an element is picked more than once",
        _last_wins,
    ),
    Mistake(
        "updated",
        ("already-updated", "new-weights"),
        "the weights are updated already",
        "the contribution by W − α · its own contribution, for W",
        "products with a parameter that is trained",
        _already_updated,
    ),
    Mistake(
        "route",
        ("left-out", "one-route", "missing"),
        "one route is left out",
        "0, where a contribution should be added",
        "nodes that are used more than once: one of the uses",
        _left_out,
    ),
)

MISTAKES: Final[Mapping[str, Mistake]] = MappingProxyType(
    {mistake.name: mistake for mistake in _ROWS}
)
