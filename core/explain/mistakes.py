"""The classic mistakes of hand-written backward passes, made on purpose.

Each row of `MISTAKES` turns the right patches of a run into those in which one edge is
wrong. A wrong rule is made from the operation and the number of the operand alone, so
that it stays wrong in the same way when the numbers change.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..base.errors import CommandError, Problem
from ..base.text import nearest
from ..engine.backward import broadcast_axes
from ..ops.table import Array, Attributes, Op, Rule, Shape, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..engine.graph import Edge, Node
    from ..engine.patches import Patches
    from ..engine.run import Run
    from ..engine.trace import Trace

Shapes = tuple[Shape, ...]


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
    """Return the mistake of that name, alias or beginning, or raise `CommandError`."""
    wanted = name.lower().replace("_", "-")
    for mistake in MISTAKES.values():
        if wanted in (mistake.name, *mistake.aliases):
            return mistake
    found = [key for key in MISTAKES if wanted and key.startswith(wanted)]
    if len(found) == 1:
        return MISTAKES[found[0]]
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
    wrong: Callable[[Op, int, Shapes, Attributes], Rule],
) -> Callable[[Trace, Edge, Patches], Patches]:
    """Return the maker of a mistake that replaces the rule of an edge.

    `wrong(op, argument, shapes, attributes)` is given the shapes of the operands.
    """

    def make(trace: Trace, edge: Edge, patches: Patches) -> Patches:
        run = trace.run
        node, op = _consumer(run, edge)
        shapes = tuple(np.shape(run.values[i]) for i in node.operands)
        rule = wrong(op, edge.argument, shapes, node.attributes)
        _check_fit(run, node, edge, rule)
        key = (edge.consumer, edge.argument)
        return replace(patches, rules=MappingProxyType({**patches.rules, key: rule}))

    return make


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


def _right(op: Op, argument: int) -> Rule:
    rule = op.vjp(argument)
    if rule is None:
        raise ValueError("no gradient flows through it")
    return rule


def _is_matrix_product(op: Op) -> bool:
    return op.transposes and op.kind == "contract"


def _turned(matrix: Array) -> Array:
    return np.swapaxes(matrix, -1, -2)


def _g_b(g: Array, _y: Array, _a: Array, b: Array) -> Array:
    return np.matmul(g, b)


def _a_g(g: Array, _y: Array, a: Array, _b: Array) -> Array:
    return np.matmul(a, g)


def _b_before_g(g: Array, _y: Array, _a: Array, b: Array) -> Array:
    return np.matmul(_turned(b), g)


def _a_behind_g(g: Array, _y: Array, a: Array, _b: Array) -> Array:
    return np.matmul(g, _turned(a))


def _one_sample_of_b(g: Array, _y: Array, _a: Array, b: Array) -> Array:
    return np.matmul(g[:, :1], b[:, :1].T)


def _one_sample_of_a(g: Array, _y: Array, a: Array, _b: Array) -> Array:
    return np.matmul(a[:1].T, g[:1])


def _upstream(g: Array, _y: Array, *_operands: Value, **_attributes: Any) -> Array:
    return g


def _without_transpose(op: Op, argument: int, _s: Shapes, _a: Attributes) -> Rule:
    if _is_matrix_product(op):
        return (_g_b, _a_g)[argument]
    if op.transposes:
        return _upstream
    raise ValueError(f"the derivative of {op.name} has no transpose")


def _swapped(op: Op, argument: int, shapes: Shapes, _a: Attributes) -> Rule:
    if _is_matrix_product(op):
        if min(map(len, shapes)) < 2:
            raise ValueError("a vector is no matrix, so the factors have one order")
        return (_b_before_g, _a_behind_g)[argument]
    free = [k for k, rule in enumerate(op.vjps) if rule is not None]
    if op.kind != "elementwise" or op.variadic or len(free) != 2:
        raise ValueError(f"{op.name} has no two operands to swap")
    other = free[1 - free.index(argument)]
    if _local(op, argument) == _local(op, other):
        raise ValueError(f"both operands of {op.name} have the same derivative")
    return _right(op, other)


def _local(op: Op, argument: int) -> str:
    form = op.form(argument)
    return form.local if form else ""


def _not_summed(op: Op, argument: int, shapes: Shapes, _a: Attributes) -> Rule:
    if _is_matrix_product(op):
        return _one_sample(argument, shapes)
    if op.kind != "elementwise":
        raise ValueError(f"{op.name} does not sum a gradient over a batch")
    if np.broadcast_shapes(*shapes) == shapes[argument]:
        raise ValueError("the operand is not broadcast, so nothing is summed")
    right = _right(op, argument)

    def first_slice(g: Array, y: Array, *operands: Value, **attributes: Any) -> Array:
        wide, narrow = np.shape(y), np.shape(operands[argument])
        product = np.broadcast_to(right(g, y, *operands, **attributes), wide)
        summed = broadcast_axes(wide, narrow)
        first = tuple(0 if k in summed else slice(None) for k in range(len(wide)))
        return np.reshape(product[first], narrow)

    return first_slice


def _one_sample(argument: int, shapes: Shapes) -> Rule:
    """Return the rule that keeps the first term of the sum over the samples.

    Samples are the index that the other operand and the result have in common.
    """
    if any(len(shape) != 2 for shape in shapes):
        raise ValueError("only products of two matrices sum over samples")
    if shapes[1 - argument][1 - argument] == 1:
        raise ValueError("there is one sample, so nothing is summed")
    return (_one_sample_of_b, _one_sample_of_a)[argument]


def _forgotten(op: Op, argument: int, _s: Shapes, _a: Attributes) -> Rule:
    if op.kind in ("move", "gather"):
        raise ValueError(f"{op.name} moves numbers and multiplies by nothing")
    if op.copies(argument):
        raise ValueError(f"the local derivative of {op.name} is 1: nothing to forget")
    return _upstream


def _factor(op: Op, argument: int, shapes: Shapes, attributes: Attributes) -> Rule:
    right = _right(op, argument)
    if op.kind == "reduce" and op.reduction:
        if np.prod(shapes[0]) == 1:
            raise ValueError("the mean of one number is its sum")

        def by_count(g: Array, y: Array, x: Array, **attributes: Any) -> Array:
            count = np.size(x) // np.size(y)
            product = right(g, y, x, **attributes)
            return product * count if op.reduction == "mean" else product / count

        return by_count
    reduction = _OTHER_REDUCTION.get(attributes.get("reduction", ""))
    if reduction is None:
        raise ValueError(f"{op.name} is neither a sum nor a mean here")

    def by_reduction(g: Array, y: Array, *operands: Value, **attributes: Any) -> Array:
        return right(g, y, *operands, **{**attributes, "reduction": reduction})

    return by_reduction


_OTHER_REDUCTION: Final[Mapping[str, str]] = {"mean": "sum", "sum": "mean"}


# -------------------------------------------------------- wrong ways to accumulate


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
    return replace(patches, overwrites=patches.overwrites | {key})


def _in_place(trace: Trace, edge: Edge, patches: Patches) -> Patches:
    run = trace.run
    node, op = _consumer(run, edge)
    if np.shape(run.values[node.index]) != np.shape(run.values[edge.operand]):
        raise ValueError("the contribution has another shape than the upstream")
    if op.kind == "elementwise" and op.copies(edge.argument):
        raise ValueError(f"{op.name} hands the upstream on as it is")
    key = (edge.consumer, edge.argument)
    return replace(patches, in_place=patches.in_place | {key})


# ----------------------------------------------------------------------- table

_ROWS: Final = (
    Mistake(
        "transpose",
        ("no-transpose", "transpose-dropped"),
        "the transpose is dropped",
        "G B for G Bᵀ, A G for Aᵀ G; of a transpose, the upstream as it is",
        "matrix products of square matrices, and transposes of them",
        _by_rule(_without_transpose),
    ),
    Mistake(
        "swap",
        ("swapped", "operands"),
        "the operands are swapped",
        "Bᵀ G for G Bᵀ, G Aᵀ for Aᵀ G; else the other operand's derivative",
        "products of square matrices, and elementwise operations of two operands",
        _by_rule(_swapped),
    ),
    Mistake(
        "batch",
        ("no-sum", "not-summed", "broadcast"),
        "the batch is not summed",
        "the first slice alone, of all that should be added up",
        "operands that were broadcast, such as a bias, and products of two matrices",
        _by_rule(_not_summed),
    ),
    Mistake(
        "local",
        ("no-local", "forgotten", "derivative"),
        "the local derivative is forgotten",
        "the upstream as it is",
        "operations whose result has the operand's shape, except sums and moves",
        _by_rule(_forgotten),
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
        _by_rule(_factor),
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
)

MISTAKES: Final[Mapping[str, Mistake]] = MappingProxyType(
    {mistake.name: mistake for mistake in _ROWS}
)
