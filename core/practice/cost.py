"""Slow and fast: what a gradient costs by backpropagation, and what by differences.

Counted are multiplications and divisions, in each step as many as NumPy does for its
formula; a number that a function such as exp makes counts as one. To add, compare,
choose and copy counts as none.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..engine.run import evaluate, forward
from ..words.numbers import number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..base.progress import Progress
    from ..engine.run import Run
    from ..ops.table import Attributes, Op, Shape, Value

_LEAST: Final = 5  # times that each side is measured
_SECONDS: Final = 0.3  # that it is measured for, if these take less
_MOST: Final = 200  # numbers that are moved in that time
_STEP: Final = 1e-5


_TOLD: Final = (
    *("forward", "backward", "derivatives", "whose", "sampled", "passes", "numeric"),
    *("equal_passes", "factor", "slower"),
    *("forward_seconds", "backward_seconds", "numeric_seconds"),
)


# How long a unit is, in seconds, and from which time on it is used.
_UNITS: Final = (
    ("d", 86400.0, 172800.0),
    ("h", 3600.0, 7200.0),
    ("min", 60.0, 120.0),
    ("s", 1.0, 1.0),
    ("ms", 1e-3, 1e-3),
)


@dataclass(frozen=True, slots=True)
class Costs:
    """What it takes to get the derivatives by all parameters of a graph."""

    forward: int  # multiplications of a forward pass
    backward: int  # multiplications of a backward pass
    derivatives: int  # numbers in the parameters; without any, in the inputs
    whose: str  # parameter or input
    sampled: int  # of these so many were moved for the time that differences take
    forward_seconds: float  # that one pass takes
    backward_seconds: float  # likewise
    passes_seconds: float  # that the two passes take by which one number is moved

    @property
    def passes(self) -> int:
        """How many forward passes central differences take: two for each number."""
        return 2 * self.derivatives

    @property
    def numeric(self) -> int:
        """Multiplications of those passes."""
        return self.passes * self.forward

    @property
    def numeric_seconds(self) -> float:
        """How long those passes take, as far as the sample tells."""
        return self.derivatives * self.passes_seconds

    @property
    def equal_passes(self) -> float:
        """How many forward passes take as many multiplications as backpropagation."""
        return 1 + self.backward / self.forward if self.forward else math.nan

    @property
    def factor(self) -> float:
        """How many times as many multiplications differences take."""
        both = self.forward + self.backward
        return self.numeric / both if both else math.nan

    @property
    def slower(self) -> float:
        """How many times as long differences take."""
        return self.numeric_seconds / (self.forward_seconds + self.backward_seconds)

    def record(self) -> dict[str, Any]:
        """Return all of it as data."""
        return {name: getattr(self, name) for name in _TOLD}


# ------------------------------------------------------------------------- counts


def multiplications(
    op: Op, shapes: Sequence[Shape], attributes: Attributes, result: Shape
) -> int:
    """Return how many multiplications make a result of operands of these shapes."""
    work = op.worded(shapes, attributes).work
    return _taken(work, _Made(op, shapes[0], shapes, attributes, result))


def backward_multiplications(
    op: Op, argument: int, shapes: Sequence[Shape], attributes: Attributes, of: Shape
) -> int:
    """Return how many multiplications make the contribution to one operand.

    `of` is the shape of the result.
    """
    form = op.worded(shapes, attributes).form(argument)
    if form is None or form.local in ("1", "−1"):
        return 0  # the upstream gradient as it is: of a bias, say
    return _taken(form.work, _Made(op, shapes[argument], shapes, attributes, of))


class _Made(NamedTuple):
    """What is computed: a result, or what it sends back to an operand."""

    op: Op
    operand: Shape  # that is counted, of what is no elementwise result
    shapes: Sequence[Shape]  # of all operands
    attributes: Attributes
    result: Shape


def _usual(made: _Made) -> int:
    """Return what a result takes, or a product with the local derivative."""
    op, _, shapes, attributes, result = made
    if op.work == () or op.kind in ("move", "gather"):
        return 0
    if op.signs:
        return math.prod(result)  # a mean divides once for each of its results
    if op.cost is not None:
        is_copy = op.kind == "contract" and len(shapes) == 1
        return 0 if is_copy else op.cost(*shapes, **attributes).work
    return _taken((1,), made)


def _taken(work: tuple[int, ...] | None, made: _Made) -> int:
    """Return what the numbers take, and their slices, and what is done once."""
    if work is None:
        return _usual(made)
    op, operand, shapes, attributes, result = made
    numbers = math.prod(result if op.kind == "elementwise" else operand)
    each, slice_, once = (*work, 0, 0, 0)[:3]
    if not numbers:
        return once
    taken = each * numbers + once
    if slice_:
        taken += slice_ * _slices(op, shapes, attributes, result)
    is_mean = attributes.get("reduction") == "mean"
    return taken + (is_mean and bool(work))  # divided by their count


def _slices(
    op: Op, shapes: Sequence[Shape], attributes: Attributes, result: Shape
) -> int:
    """Return how many slices there are that are computed with apart from each other."""
    if op.axis_letters is None:
        return math.prod(result)  # of a reduction, each makes one number
    letters = re.split("->|,", op.axis_letters(*shapes, **attributes))[0]
    sizes = zip(letters, shapes[0], strict=True)
    return math.prod(size for letter, size in sizes if letter != "*")


def counts(run: Run) -> tuple[int, int]:
    """Return the multiplications of the forward and of the backward pass of a run."""
    rows, ahead, back = run.graph.nodes.rows, 0, 0
    for index, _, _, op, operands, attributes, shape, _ in rows:
        if op is None:
            continue
        shapes = [rows[operand][6] for operand in operands]
        ahead += multiplications(op, shapes, attributes, shape)
        for argument in run.sends(index):
            back += backward_multiplications(op, argument, shapes, attributes, shape)
    return ahead, back


# -------------------------------------------------------------------------- times


def costs_of(run: Run, progress: Progress) -> Costs:
    """Count and measure both passes of a run, and differences of some parameters.

    Each is measured several times, in turn, and its shortest time counts. `progress` is
    told how far it is, and may raise `Interrupted`.
    """
    ahead, back = counts(run)
    whose, leaves = _wanted(run)
    total = sum(run.value(leaf).size for leaf in leaves)
    graph, seed, sampled, best = run.graph, run.seed, 0, [math.inf] * 3
    # Numbers from all of the leaves, in equal distances.
    flats = np.linspace(0, max(total - 1, 0), min(total, _MOST)).astype(int).tolist()
    todo: Sequence[Callable[[], Any]] = (
        lambda: forward(graph, run.leaves),
        lambda: evaluate(graph, run.leaves, seed),
        lambda: _moved(run, leaves, flats[sampled % len(flats)]) if flats else None,
    )
    started = time.perf_counter()
    while sampled < _LEAST or time.perf_counter() - started < _SECONDS:
        progress(min(sampled, _MOST), _MOST + 1)
        for side, act in enumerate(todo):
            best[side] = min(best[side], _timed(act))
        sampled += 1
    first, both, two = best
    sampled = min(sampled, len(flats))
    return Costs(ahead, back, total, whose, sampled, first, max(both - first, 0.0), two)


def _wanted(run: Run) -> tuple[str, list[int]]:
    """Return the leaves whose derivatives are wanted: parameters, or else inputs."""
    for kind in ("parameter", "input"):
        found = [
            node.index
            for node in run.graph.nodes
            if node.kind == kind and run.arrives(node.index)
        ]
        if found:
            return kind, found
    return "parameter", []


def _moved(run: Run, leaves: Sequence[int], flat: int) -> float:
    """Return the central difference of the output by one number of the leaves."""
    ends = np.cumsum([run.value(leaf).size for leaf in leaves])
    number = int(np.searchsorted(ends, flat, side="right"))
    leaf = leaves[number]
    start = run.value(leaf)
    flat -= int(ends[number]) - start.size
    made: list[Any] = []
    for step in (_STEP, -_STEP):
        moved: Any = start.copy()
        moved.flat[flat] += start.dtype.type(step)
        value: Value = moved if start.ndim else moved[()]
        made.append(forward(run.graph, {**run.leaves, leaf: value})[run.graph.output])
    up, down = made
    return float(np.sum(np.asarray(run.seed) * (up - down))) / (2 * _STEP)


def _timed(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


# -------------------------------------------------------------------------- words


def cost_lines(found: Costs) -> Iterator[str]:
    """Yield the reason for backpropagation, and what was counted and measured."""
    yield _reason(found)
    if found.whose == "input":
        yield "there are no parameters: the derivatives are those by the inputs"
    rows = [
        ("", "multiplications", "time"),
        ("forward pass", whole(found.forward), seconds(found.forward_seconds)),
        ("backward pass", whole(found.backward), seconds(found.backward_seconds)),
        (
            f"differences, {whole(found.passes)} passes",
            whole(found.numeric),
            seconds(found.numeric_seconds),
        ),
    ]
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers in rows:
        cells = (one.rjust(size) for one, size in zip(numbers, sizes[1:], strict=True))
        yield "   ".join((name.ljust(sizes[0]), *cells)).rstrip()
    if found.sampled < found.derivatives:
        yield (
            f"the time of differences is that of {whole(found.sampled)} of "
            f"{whole(found.derivatives)} numbers, and the rest in proportion"
        )


def _reason(found: Costs) -> str:
    if not found.derivatives:
        return (
            "no gradient arrives at a parameter or an input: there is none to compare"
        )
    slower = f"{times(found.slower)} as long"
    if not found.forward:
        return f"nothing is multiplied; differences take {slower}"
    several = "derivative" + "s" * (found.derivatives != 1)
    return (
        f"backpropagation: {whole(found.derivatives)} {several} for "
        f"{number_text(found.equal_passes, 2)} forward passes; by differences "
        f"{whole(found.passes)} passes: {times(found.factor)} as many multiplications, "
        f"{slower}"
    )


def whole(number: int) -> str:
    """Return a whole number with its thousands apart; a long one in short.

    >>> whole(39760), whole(315696960000000)
    ('39,760', '3.16e14')
    """
    return f"{number:,}" if number < 10**12 else number_text(float(number), 3)


def times(factor: float) -> str:
    """Return a factor in words, with two digits.

    >>> times(37123.4), times(1.52), times(0.5), times(1.0)
    ('37,000 times', '1.5 times', '0.5 times', 'just')
    """
    if not math.isfinite(factor):
        return "no number of times"
    if factor < 10:
        text = number_text(factor, 2)
        return "just" if text == "1" else f"{text} times"  # … as many
    unit = 10 ** (len(str(int(factor))) - 2)
    return f"{round(factor / unit) * unit:,} times"


def seconds(time: float) -> str:
    """Return a time with two digits and its unit.

    >>> seconds(0.00213), seconds(71.2), seconds(7200)
    ('2.1 ms', '71 s', '2 h')
    """
    for unit, size, least in _UNITS:
        if time >= least:
            return f"{number_text(time / size, 2)} {unit}"
    return f"{number_text(time * 1e6, 2)} µs"
