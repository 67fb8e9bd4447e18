"""Why the formulas look as they do: transposes and sums, by shapes and by indices.

And the chain rule with nothing hidden: every path from an element to the output.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..base.errors import CommandError, Problem
from ..base.progress import Progress, with_progress
from ..engine.backward import broadcast_axes
from ..engine.measure import largest
from ..ops import OPS
from ..ops.table.axes import LETTERS
from ..words.formulas import axes_text
from ..words.names import bound
from .axes import contraction, sizes_of
from .factors import uses_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..engine.element import Index
    from ..engine.graph import Node
    from ..engine.run import Run
    from ..ops.table import Array, Shape


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
    gives: str  # what it adds to the gradient: "∂L/∂y · Bᵀ"


# ------------------------------------------------------------------ transposes


def derivations(run: Run, node: Node) -> list[Derivation]:
    """Derive the gradients by the operands of `node`, by indices and by shapes.

    A result stands for the unnamed nodes of its statement as well. What has nothing of
    its own to explain, as a leaf has not, stands for its uses. Of what is used several
    times the last one says what the sum is. Raises `CommandError` where nothing is
    transposed, summed or broadcast.
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
                f"there is nothing of {node.name} that `transposes` explains",
                "it explains @, dot, outer and einsum, .T, and operands that are "
                "broadcast",
            )
        )
    last = {_operand(run, one): number for number, one in enumerate(found)}
    for operand, number in last.items():
        sums = _added_up(
            run, operand, [d for d in found if _operand(run, d) == operand]
        )
        found[number] = replace(found[number], reasons=(*found[number].reasons, *sums))
    return found


_SUMMED: Final = ", summed over "


def _operand(run: Run, derivation: Derivation) -> int:
    return run.graph.nodes[derivation.node].operands[derivation.argument]


def _added_up(run: Run, operand: int, found: Sequence[Derivation]) -> Iterator[Reason]:
    """Yield what the gradient of an operand is the sum of, if it has several uses."""
    graph, known = run.graph, {(one.node, one.argument) for one in found}
    uses = [e for e in graph.consumers[operand] if run.carries(e.consumer, e.argument)]
    if len(uses) < 2:
        return
    terms = [f"({d.gives})" if _SUMMED in d.gives else d.gives for d in found]
    others = [e.consumer for e in uses if (e.consumer, e.argument) not in known]
    if others:
        through = ", ".join(bound(graph.nodes[i], graph) for i in dict.fromkeys(others))
        terms.append(f"what comes through {through}")
    name = bound(graph.nodes[operand], graph)
    text = f"{name} is used {len(uses)} times: ∂L/∂{name} = {' + '.join(terms)}"
    yield Reason("in all", text)


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
    if not run.flows[node.operands[argument]] or node.op is None:
        return None
    labels = contraction(run, node)
    if labels is not None:
        return _contracted(run, node, argument, *labels)
    form = run.graph.worded(node).form(argument)
    if form is not None and form.product == "{g}ᵀ":
        return _turned(run, node, argument)
    return _broadcast(run, node, argument) if node.op.kind == "elementwise" else None


def _at(name: str, labels: str) -> str:
    return f"{name}[{','.join(labels)}]" if labels else name


def _contracted(
    run: Run, node: Node, argument: int, inputs: Sequence[str], output: str
) -> Derivation:
    """Derive from y[out] = Σ Π operands: each product that holds the element counts."""
    names = [bound(run.graph.nodes[index], run.graph) for index in node.operands]
    y, mine = bound(node, run.graph), inputs[argument]
    others = [k for k in range(len(inputs)) if k != argument]
    inner = [c for c in dict.fromkeys("".join(inputs)) if c not in output]
    over = [c for c in dict.fromkeys(output + "".join(inputs)) if c not in mine]
    own = [c for c in over if c not in output]
    product = " · ".join(_at(names[k], inputs[k]) for k in range(len(inputs)))
    local = " · ".join(_at(names[k], inputs[k]) for k in others) or "1"
    name = names[argument]
    gradient = f"{_sum(over)}∂L/∂{_at(y, output)} · {local}"
    reasons = [
        Reason("the product", f"{_at(y, output)} = {_sum(inner)}{product}"),
        Reason(
            "one element",
            f"{_at(name, mine)} stands in {_stands(_at(y, output), output, mine)}; "
            f"its factor there is {_sum(own)}{local}",
        ),
        Reason("so", f"∂L/∂{_at(name, mine)} = {gradient}"),
    ]
    operands = [
        _Side(names[k], inputs[k], run.graph.nodes[node.operands[k]].shape)
        for k in range(len(inputs))
    ]
    upstream, wanted = _Side(f"∂L/∂{y}", output, node.shape), operands[argument]
    made = None
    if len(operands) == 2:
        factor = operands[others[0]]
        pair = (upstream, factor) if argument == 0 else (factor, upstream)
        made = _as_matrices(pair, mine)
        if made is not None:
            gradient = f"{made.text}{_summed(made.shape, wanted.shape)}"
            index = node.operands[others[0]]
            is_same = _is_symmetric(run.value(index))
            reasons += _matrix_reasons(made, factor, wanted, is_same=is_same)
    if made is None:
        sides = [upstream, *(operands[k] for k in others)]
        reasons.append(Reason("by shapes", _by_labels(sides, wanted)))
        if len(set(mine)) < len(mine):
            beside = f"no other element of {name} is in a product: its gradient is 0"
            reasons.append(Reason("off the diagonal", beside))
    return Derivation(node.index, argument, tuple(reasons), gradient)


def _stands(result: str, output: str, mine: str) -> str:
    """Return in which elements of a result an element stands."""
    shared = [label for label in output if label in mine]
    if len(shared) == len(output):
        return f"{result} alone"
    same = f" with the same {' and '.join(shared)}" if shared else ""
    return f"every {result}{same}"


def _sum(labels: Sequence[str]) -> str:
    return f"Σ_{''.join(labels)} " if labels else ""


class _Side(NamedTuple):
    """A factor of a product: what it is called, the labels of its axes, its shape."""

    text: str
    labels: str
    shape: Shape

    def turned(self) -> _Side:
        """Return it with its last two axes swapped."""
        text = f"({self.text})" if self.text.startswith("∂") else self.text
        return _Side(f"{text}ᵀ", _swapped(self.labels), _swapped(self.shape))


class _Product(NamedTuple):
    """Two factors, and how they are multiplied: "@", "outer", or "·" by a number."""

    left: _Side
    right: _Side
    sign: str

    @property
    def text(self) -> str:
        """The product as a formula."""
        if self.sign == "outer":
            return f"outer({self.left.text}, {self.right.text})"
        return f"{self.left.text} · {self.right.text}"

    @property
    def shape(self) -> Shape:
        """The shape of what it gives."""
        one, two = self.left.shape, self.right.shape
        return OPS["matmul"].shape(one, two) if self.sign == "@" else (*one, *two)


def _swapped(axes: Any) -> Any:
    return axes if len(axes) < 2 else (*axes[:-2], axes[-1], axes[-2])


def _as_matrices(pair: tuple[_Side, _Side], wanted: str) -> _Product | None:
    """Write a sum of products of two as a product of matrices, if it is one.

    `wanted` are the labels of the result, before what was broadcast is summed.
    """
    one, two = pair
    if any(len(set(own)) < len(own) for own in (one.labels, two.labels, wanted)):
        return None  # of a diagonal
    if "" in (one.labels, two.labels):
        return _Product(one, two, "·") if one.labels + two.labels == wanted else None
    for left, right in ((one, two), (two, one)):
        for first in dict.fromkeys((left, left.turned())):
            for second in dict.fromkeys((right, right.turned())):
                made = _multiplied(tuple(first.labels), tuple(second.labels))
                if made is not None and made[len(made) - len(wanted) :] == tuple(
                    wanted
                ):
                    return _Product(first, second, "@")
        if left.labels + right.labels == wanted:
            return _Product(left, right, "outer")
    return None


def _multiplied(left: Sequence[str], right: Sequence[str]) -> tuple[str, ...] | None:
    """Return the labels of a product of matrices; None where they do not fit."""
    inner = right[-2] if len(right) > 1 else right[0]
    stacks = sorted((tuple(left[:-2]), tuple(right[:-2])), key=len)
    short, long = stacks
    kept = (*left[-2:-1], *(right[-1:] if len(right) > 1 else ()))
    if left[-1] != inner or long[len(long) - len(short) :] != short:
        return None
    made = (*long, *kept)
    return made if len({inner, *made}) == 1 + len(made) else None


def _is_symmetric(matrix: Array) -> bool:
    """Tell whether a matrix is its own transpose, as one with one element is."""
    return np.array_equal(matrix, matrix.T)


def _matrix_reasons(
    made: _Product, factor: _Side, wanted: _Side, *, is_same: bool
) -> Iterator[Reason]:
    """Yield the product and its shapes. `is_same`: the factor is its own transpose."""
    summed = _summed(made.shape, wanted.shape)
    yield Reason("as matrices", f"∂L/∂{wanted.text} = {made.text}{summed}")
    is_flat = len(factor.shape) == 2
    is_right = made.right == factor.turned() != factor
    if made.sign == "@" and (is_right or made.left == factor.turned() != factor):
        last, before = ("second", "first") if is_flat else ("last", "last but one")
        mine, its = (last, before) if is_right else (before, last)
        yield Reason(
            "why transposed",
            f"the sum runs over the {mine} index of {factor.text}, but @ sums over the "
            f"{its} index of its {'right' if is_right else 'left'} factor: "
            "so turn it round",
        )
    arrow = f" → {wanted.shape}" if summed else ""
    chain = f"{made.left.shape} {made.sign} {made.right.shape} → {made.shape}"
    yield Reason("by shapes", f"{chain}{summed}{arrow} = {wanted.text} ✓")
    shapes = (made.left.shape, made.right.shape)
    if made.sign == "@" and {len(shape) for shape in (*shapes, wanted.shape)} == {2}:
        plain = (shapes[0], factor.shape) if is_right else (factor.shape, shapes[1])
        if factor not in (made.left, made.right):
            same = factor.text if is_same else ""
            yield Reason("without it", _without(*plain, wanted.shape, same))


def _by_labels(sides: Sequence[_Side], wanted: _Side) -> str:
    """Return the shapes of a sum of products by the labels of its axes."""
    sizes = sizes_of(
        [*(side.labels for side in sides), wanted.labels],
        [*(side.shape for side in sides), wanted.shape],
    )
    shape = tuple(sizes[label] for label in wanted.labels)
    told = ", ".join(_at("", side.labels) + f" {side.shape}" for side in sides)
    summed = _summed(shape, wanted.shape)
    arrow = f" → {wanted.shape}" if summed else ""
    text = f"{told} → {_at('', wanted.labels)} {shape}{summed}{arrow}".strip()
    return f"{text} = {wanted.text} ✓"


def _summed(made: Shape, wanted: Shape) -> str:
    """Return the axes of a product that are summed to fit an operand, if there are."""
    axes = broadcast_axes(made, wanted)
    return f"{_SUMMED}{axes_text(axes)}" if axes else ""


def _chain(left: Shape, right: Shape) -> str:
    return f"{left} @ {right}"


def _without(left: Shape, right: Shape, wanted: Shape, same: str) -> str:
    """Say what there would be without a transpose; `same` is its own one."""
    text = _chain(left, right)
    if left[1] != right[0]:
        return f"{text} ✗ the inner sizes {left[1]} and {right[0]} differ"
    result = (left[0], right[1])
    if result != wanted:
        return f"{text} → {result} ✗ {wanted} is needed"
    if same:
        fit = "the shapes would fit, and here the numbers, too"
        return f"{text} → {result}: {fit}: {same} is its own transpose"
    return f"{text} → {result}: the shapes would fit, and the numbers would be wrong"


def _turned(run: Run, node: Node, argument: int) -> Derivation:
    """Say what a transpose does to a gradient: it is turned back."""
    operand = run.graph.nodes[node.operands[argument]]
    name, turned = bound(operand, run.graph), bound(node, run.graph)
    gives = f"(∂L/∂{turned})ᵀ"
    labels = LETTERS[_FIRST:][: len(operand.shape)]
    one, other = _at(name, labels), _at(turned, labels[::-1])
    reasons = [
        Reason("one element", f"{one} is {other}, and nothing else"),
        Reason("so", f"∂L/∂{name} = {gives}"),
        Reason("by shapes", f"{node.shape} turned → {operand.shape} = {name} ✓"),
    ]
    uses = run.graph.consumers[node.index]
    labels = contraction(run, run.graph.nodes[uses[0].consumer]) if uses else None
    if labels is not None and len(uses) == 1 and len(labels[0]) == 2:
        [edge] = uses
        user, (inputs, output) = run.graph.nodes[edge.consumer], labels
        other = 1 - edge.argument
        met = run.graph.nodes[user.operands[other]]
        upstream = _Side(f"∂L/∂{bound(user, run.graph)}", output, user.shape)
        factor = _Side(bound(met, run.graph), inputs[other], met.shape)
        made = _as_matrices((factor, upstream), inputs[edge.argument][::-1])
        if made is not None:
            gives = made.text
            reasons.append(Reason("in one step", f"∂L/∂{name} = {gives}"))
    return Derivation(node.index, argument, tuple(reasons), gives)


_FIRST: Final = LETTERS.index("i")  # what the first axis of a matrix is called


def _broadcast(run: Run, node: Node, argument: int) -> Derivation | None:
    """Say why a broadcast operand sums: the same element is used by several results."""
    operand = run.graph.nodes[node.operands[argument]]
    axes = broadcast_axes(node.shape, operand.shape)
    if not axes:
        return None
    copies = int(np.prod([node.shape[axis] for axis in axes]))
    name, along = bound(operand, run.graph), axes_text(axes)
    return Derivation(
        node.index,
        argument,
        (
            Reason("broadcast", f"{name} {operand.shape} is used as {node.shape}"),
            Reason(
                "one element",
                f"each element of {name} is used {copies} times, along {along}",
            ),
            Reason("so", "the routes add: its gradient is the sum over them"),
            Reason("by shapes", f"{node.shape} summed over {along} → {operand.shape}"),
        ),
        f"what comes through {bound(node, run.graph)}{_SUMMED}{along}",
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
    for followed in with_progress(range(_MOST_STEPS), progress):
        if not stack:
            products = np.array([path.product for path in found])
            return [found[n] for n in largest(products, len(found)).tolist()]
        if followed + len(stack) > _MOST_STEPS:
            what = f"more than {_MOST_STEPS} links lead on from there"
            raise _too_many(what)
        at, place, steps = stack.pop()
        if at == run.graph.output:
            end = float(seed[place])
            found.append(Path(steps, end, _multiplied_back(end, steps)))
            if len(found) > _MOST_PATHS:
                break
        links = islice(_links(run, at, place), _MOST_STEPS)
        stack += [(step.node, step.index, (*steps, step)) for step in links]
    raise _too_many(f"more than {_MOST_PATHS} paths lead from there to the output")


def _too_many(what: str) -> CommandError:
    return CommandError(Problem(what, "explain opens the sum one node at a time"))


def _multiplied_back(seed: float, steps: Sequence[Step]) -> float:
    """Return a product in the order of the pass, which decides what overflows."""
    product = seed
    for step in reversed(steps):
        product *= step.local
    return product


def _links(run: Run, node: int, index: Index) -> Iterator[Step]:
    for edge, place, local in uses_of(run, node, index):
        if run.carries(edge.consumer, edge.argument) and local != 0:
            yield Step(edge.consumer, place, local)
