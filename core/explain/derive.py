"""Why the formulas look as they do: transposes and sums, by shapes and by indices.

And the chain rule with nothing hidden: every path from an element to the output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ..base.errors import CommandError, Problem
from ..base.progress import Progress, with_progress
from ..engine.backward import broadcast_axes
from ..engine.measure import largest
from .axes import contraction
from .factors import uses_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..engine.element import Index
    from ..engine.graph import Node
    from ..engine.run import Run
    from ..ops.table import Shape


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of a derivation: what it is about, and what it says."""

    label: str  # "shape", "so", …
    text: str  # one sentence or formula


@dataclass(frozen=True, slots=True)
class Derivation:
    """Why the gradient by one operand has the form that it has."""

    node: int  # the consumer
    argument: int  # which operand of it, counted from 0
    reasons: tuple[Reason, ...]  # in the order in which they follow


# ------------------------------------------------------------------ transposes


def derivations(run: Run, node: Node) -> list[Derivation]:
    """Derive the gradients by the operands of `node`, by indices and by shapes.

    A result stands for the unnamed nodes of its statement as well. What has nothing of
    its own to explain, as a leaf has not, stands for its uses. Raises `CommandError`
    where nothing is transposed, summed or broadcast.
    """
    found = [
        derivation
        for one in _of_statement(run, node)
        for argument in range(len(one.operands))
        if (derivation := _derivation(run, one, argument)) is not None
    ]
    for edge in () if found else run.graph.consumers[node.index]:
        used = _derivation(run, run.graph.nodes[edge.consumer], edge.argument)
        found += [] if used is None else [used]
    if not found:
        raise CommandError(
            Problem(
                f"{node.name} has no transposes and no sums to explain",
                "ask for a matrix product, or for a sum with a broadcast operand",
            )
        )
    return found


def _of_statement(run: Run, node: Node) -> Iterator[Node]:
    """Yield a node, and the unnamed nodes of its statement that it is computed from."""
    waiting, seen = [node], {node.index}
    while waiting:
        one = waiting.pop()
        yield one
        for index in one.operands:
            operand = run.graph.nodes[index]
            if (
                index not in seen
                and operand.is_unnamed
                and _same_statement(operand, node)
            ):
                seen.add(index)
                waiting.append(operand)


def _same_statement(one: Node, other: Node) -> bool:
    return (
        one.site is not None
        and other.site is not None
        and one.site.statement == other.site.statement
    )


def _derivation(run: Run, node: Node, argument: int) -> Derivation | None:
    """Derive the gradient by one operand; None where its form needs no explanation."""
    if not run.flows[node.operands[argument]]:
        return None
    labels = contraction(run, node)
    if labels is not None:
        return _contracted(run, node, argument, *labels)
    if node.op is not None and node.op.kind == "elementwise":
        return _broadcast(run, node, argument)
    return None


def _names(run: Run, node: Node) -> list[str]:
    return [run.graph.nodes[index].name for index in node.operands]


def _at(name: str, labels: str) -> str:
    return f"{name}[{','.join(labels)}]" if labels else name


def _contracted(
    run: Run, node: Node, argument: int, inputs: Sequence[str], output: str
) -> Derivation:
    """Derive from y[out] = Σ Π operands: each product that holds the element counts."""
    names, y = _names(run, node), node.name
    mine = inputs[argument]
    others = [k for k in range(len(inputs)) if k != argument]
    inner = [c for c in dict.fromkeys("".join(inputs)) if c not in output]
    over = [c for c in dict.fromkeys(output + "".join(inputs)) if c not in mine]
    product = " · ".join(_at(names[k], inputs[k]) for k in range(len(inputs)))
    local = " · ".join(_at(names[k], inputs[k]) for k in others) or "1"
    operand = names[argument]
    reasons = [
        Reason("the product", f"{_at(y, output)} = {_sum(inner)}{product}"),
        Reason(
            "one element",
            f"{_at(operand, mine)} stands in every {_at(y, output)} with the same "
            f"{_listed([c for c in output if c in mine]) or 'nothing'}; "
            f"its factor there is {local}",
        ),
        Reason(
            "so",
            f"∂L/∂{_at(operand, mine)} = {_sum(over)}∂L/∂{_at(y, output)} · {local}",
        ),
    ]
    if len(inputs) == 2 and _is_matrix_product(inputs, output):
        reasons += _matrix_reasons(run, node, argument)
    return Derivation(node.index, argument, tuple(reasons))


def _sum(labels: Sequence[str]) -> str:
    return f"Σ_{''.join(labels)} " if labels else ""


def _listed(labels: Sequence[str]) -> str:
    return " and ".join(labels)


def _is_matrix_product(inputs: Sequence[str], output: str) -> bool:
    left, right = inputs
    return (
        len(left) == len(right) == len(output) == 2
        and left[1] == right[0]
        and output == left[0] + right[1]
    )


def _matrix_reasons(run: Run, node: Node, argument: int) -> list[Reason]:
    names = _names(run, node)
    shapes = [run.graph.nodes[index].shape for index in node.operands]
    g, upstream = node.shape, f"∂L/∂{node.name}"
    other, mine = shapes[1 - argument], shapes[argument]
    name, factor = names[argument], names[1 - argument]
    if argument == 0:
        right = f"{upstream} · {factor}ᵀ"
        why = (
            f"the sum runs over the second index of {factor}, "
            "but @ sums over the first index of its right factor: so turn it round"
        )
        chain, plain = (g, other[::-1]), (g, other)
    else:
        right = f"{factor}ᵀ · {upstream}"
        why = (
            f"the sum runs over the first index of {factor}, "
            "but @ sums over the second index of its left factor: so turn it round"
        )
        chain, plain = (other[::-1], g), (other, g)
    return [
        Reason("as matrices", f"∂L/∂{name} = {right}"),
        Reason("why transposed", why),
        Reason("by shapes", f"{_chain(*chain)} → {mine} = {name} ✓"),
        Reason("without it", _without(*plain, mine)),
    ]


def _chain(left: Shape, right: Shape) -> str:
    return f"{left} @ {right}"


def _without(left: Shape, right: Shape, wanted: Shape) -> str:
    text = _chain(left, right)
    if left[1] != right[0]:
        return f"{text} ✗ the inner sizes {left[1]} and {right[0]} differ"
    result = (left[0], right[1])
    if result != wanted:
        return f"{text} → {result} ✗ {wanted} is needed"
    return f"{text} → {result}: the shapes would fit, and the numbers would be wrong"


def _broadcast(run: Run, node: Node, argument: int) -> Derivation | None:
    """Say why a broadcast operand sums: the same element is used by several results."""
    operand = run.graph.nodes[node.operands[argument]]
    axes = broadcast_axes(node.shape, operand.shape)
    if not axes:
        return None
    copies = int(np.prod([node.shape[axis] for axis in axes]))
    along = ", ".join(map(str, axes))
    return Derivation(
        node.index,
        argument,
        (
            Reason(
                "broadcast", f"{operand.name} {operand.shape} is used as {node.shape}"
            ),
            Reason(
                "one element",
                f"each element of {operand.name} is used {copies} times, "
                f"along axis {along}",
            ),
            Reason("so", "the routes add: its gradient is the sum over them"),
            Reason(
                "by shapes", f"{node.shape} summed over axis {along} → {operand.shape}"
            ),
        ),
    )


# ----------------------------------------------------------------------- paths


@dataclass(frozen=True, slots=True)
class Step:
    """One link of a path: into an element of a consumer, by a local derivative."""

    node: int  # the consumer
    index: Index  # of its element
    local: float  # ∂ of that element by the one before


@dataclass(frozen=True, slots=True)
class Path:
    """A way from an element to the output: its links, the seed there, the product."""

    steps: tuple[Step, ...]  # from the element to the output; () for the output itself
    seed: float  # at the element of the output that it ends in
    product: float  # of the seed and all local derivatives


_MOST_PATHS: Final = 1000
_MOST_STEPS: Final = 100_000


def paths(
    run: Run, node: int, index: Index, progress: Progress | None = None
) -> list[Path]:
    """Return every path from an element to the output, the largest product first.

    Their sum is the gradient of the element. `progress` is told how many links are
    followed, of how many at most.
    Links whose local derivative is 0 are not followed. Raises `CommandError` where
    there are more paths than a person can read.
    """
    if run.patches.bend_the_chain_rule:
        raise CommandError(
            Problem(
                "paths are of the true chain rule",
                "this run has wrong ones; see `runs`",
            )
        )
    seed = np.asarray(run.seed)
    found: list[Path] = []
    stack: list[tuple[int, Index, tuple[Step, ...]]] = [(node, index, ())]
    for _ in with_progress(range(_MOST_STEPS), progress):
        if not stack:
            products = np.array([path.product for path in found])
            return [found[n] for n in largest(products, len(found)).tolist()]
        at, place, steps = stack.pop()
        if at == run.graph.output:
            end = float(seed[place])
            product = end * float(np.prod([step.local for step in steps]))
            found.append(Path(steps, end, product))
            if len(found) > _MOST_PATHS:
                break
        stack += [
            (step.node, step.index, (*steps, step)) for step in _links(run, at, place)
        ]
    raise CommandError(
        Problem(
            f"more than {_MOST_PATHS} paths lead from there to the output",
            "explain opens the sum one node at a time",
        )
    )


def _links(run: Run, node: int, index: Index) -> Iterator[Step]:
    for edge, place, local in uses_of(run, node, index):
        if run.carries(edge.consumer, edge.argument) and local != 0:
            yield Step(edge.consumer, place, local)
