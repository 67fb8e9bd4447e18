"""A run: a graph evaluated forward and backward, with everything kept.

```
forward    values[i]    = op(values of the operands)
backward   gradients[v] = Σ over edges (c, k) to v of  vjp_k(gradients[c])
```

A contribution is not kept. It is computed again when somebody asks, by the same rule
call from the same arrays, so that it is the same to the last bit and memory stays near
values + gradients. Arrays in a run are read-only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from ..base.cache import Recent
from ..base.errors import InputError, RuleError
from ..base.progress import with_progress
from ..ops.table import NO_ATTRIBUTES, Array, Shape, Value
from . import fast
from .backward import UNFIT, call, frozen, settle
from .patches import NO_PATCHES, Patches, Write

if TYPE_CHECKING:
    from ..base.progress import Progress
    from .graph import Graph


NOTHING_KNOWN: Final[Mapping[int, Value]] = MappingProxyType({})


def _keep_freed_memory() -> None:
    """Let the C library keep the memory of freed arrays for the next run.

    glibc gives large ones back to the system, which hands out each of their pages anew:
    that can take several times as long as the arithmetic. It keeps all that is smaller
    than the largest one that was ever freed, up to 32 MB (mallopt(3), the dynamic
    threshold of mmap). This one is never touched, so that it takes no memory, and for
    other C libraries it is an array like any other.
    """
    np.empty(31 << 20, np.uint8)


_keep_freed_memory()


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A graph with one set of values and patches, evaluated."""

    graph: Graph  # what was evaluated
    # the values of the leaves by node number, before patches
    leaves: Mapping[int, Value]
    seed: Value  # the gradient that enters at the output, of the output's shape
    patches: Patches  # what was changed; empty for the plain run
    values: Sequence[Value]  # of all nodes, by number
    gradients: Sequence[Value | None]  # None where no gradient flows
    flows: bytes  # 1 where a gradient can flow: a float that depends on an unknown
    # the gradients that patches wrote over, in backward order
    writes: tuple[Write, ...]
    recent: Recent = field(default_factory=Recent)  # looked at lately; nothing changes

    @property
    def has_seed_one(self) -> bool:
        """Tell whether the output is one number, with the seed 1.

        Then gradients are those of the output itself, and else of seed times output,
        added up.
        """
        return np.shape(self.seed) == () and bool(self.seed == 1)

    def value(self, node: int) -> Array:
        """Return the value of a node as an array."""
        return np.asarray(self.values[node])

    def gradient(self, node: int) -> Array | None:
        """Return ∂output/∂node as an array of the node's shape, or None."""
        gradient = self.gradients[node]
        return None if gradient is None else np.asarray(gradient)

    def arrives(self, node: int) -> bool:
        """Tell whether a node gets a gradient; none is made to find out."""
        gradients = self.gradients
        if isinstance(gradients, fast.Gradients):
            return gradients.arrives(node)
        return gradients[node] is not None

    def carries(self, consumer: int, argument: int) -> bool:
        """Tell whether an edge carries a contribution."""
        return argument in self.sends(consumer)

    def sends(self, consumer: int) -> Sequence[int]:
        """Return to which of its operands, by number, a node sends a contribution."""
        _, _, _, op, operands, _, _, _ = self.graph.nodes.rows[consumer]
        if op is None or not self.arrives(consumer):
            return ()
        flows, cuts = self.flows, self.patches.cuts
        return [
            argument
            for argument, operand in enumerate(operands)
            if flows[operand]
            and (op.vjps[0] if op.variadic else op.vjps[argument]) is not None
            and not (cuts and (consumer, argument) in cuts)
        ]

    def upstream(self, consumer: int, argument: int) -> Value | None:
        """Return the gradient that the rule of an edge is given.

        A consumer's gradient is complete by then: only a later write can have changed
        it since.
        """
        for write in self.writes:
            later = (-write.consumer, write.argument) >= (-consumer, argument)
            if write.node == consumer and later:
                return write.before
        return self.gradients[consumer]

    def product(self, consumer: int, argument: int, upstream: Value) -> Value:
        """Return upstream × local for one edge, before it is reduced."""
        with np.errstate(all="ignore"):
            return self._product(consumer, argument, upstream)

    def contribution(self, consumer: int, argument: int, upstream: Value) -> Value:
        """Return what one edge adds to its operand's gradient."""
        row = self.graph.nodes.rows[consumer]
        with np.errstate(all="ignore"):
            product = self._product(consumer, argument, upstream)
            return settle(product, self.values[row[4][argument]], row)

    def _product(self, consumer: int, argument: int, upstream: Value) -> Value:
        _, name, _, op, operands, attributes, _, _ = self.graph.nodes.rows[consumer]
        rule = self.patches.rules.get((consumer, argument))
        if rule is None and op is not None:
            rule = op.vjp(argument)
        if rule is None:
            raise RuleError(f"no gradient flows to operand {argument} of {name}")
        values = self.values
        arrays = [upstream, values[consumer], *(values[i] for i in operands)]
        return call(rule, arrays, attributes)

    def patched(self, patches: Patches, progress: Progress | None = None) -> Run:
        """Return the run with other patches; only what depends on them is new."""
        return evaluate(self.graph, self.leaves, self.seed, patches, self, progress)


def evaluate(
    graph: Graph,
    leaves: Mapping[int, Value],
    seed: Value | None = None,
    patches: Patches = NO_PATCHES,
    base: Run | None = None,
    progress: Progress | None = None,
    known: Mapping[int, Value] = NOTHING_KNOWN,
) -> Run:
    """Run `graph` forward from `leaves`, and backward from `seed`.

    `seed` is the gradient that enters at the output, of the output's shape; a scalar
    output needs none. What does not differ from `base` is taken from it. `progress` is
    told of the nodes of each pass, where these are arrays. `known` has the
    values of nodes that are taken as they are, unless there are patches or a `base`.
    """
    if not isinstance(leaves, MappingProxyType):
        leaves = MappingProxyType(dict(leaves))
    is_new = not patches and base is None
    plain = _plain(graph, leaves) if is_new and not known else None
    writes: list[Write] = []
    slopes: dict[int, Any] = {}
    old = base and fast.Base(base.values, base.gradients, base.seed, base.patches)
    with np.errstate(all="ignore"):
        if plain is not None:
            values = _forward_plain(graph, plain)
        elif known and is_new:
            values = _Recorded(graph, leaves, known)
        else:
            values = _given(graph, leaves, patches, base)
            values = _forward(graph, values, progress, slopes if is_new else None)
        seed = _seed(graph, values, seed)
        # A leaf that is a plain number already is a float.
        flows = graph.flows if plain is leaves else _flows(graph, values)
        if plain is not None:
            gradients = fast.numbers(graph, values, flows, seed)
        elif known and is_new:
            gradients = fast.Gradients(graph, values, flows, seed, _not_its_own)
        elif is_new:
            gradients = fast.arrays(graph, values, flows, seed, slopes, progress)
        else:
            gradients = fast.patched(
                graph, values, flows, seed, patches, old, writes, progress
            )
    return Run(graph, leaves, seed, patches, values, gradients, flows, tuple(writes))


# ---------------------------------------------------------------------- forward


def forward(graph: Graph, leaves: Mapping[int, Value]) -> Sequence[Value]:
    """Return the values of all nodes, without a backward pass."""
    plain = _plain(graph, leaves)
    with np.errstate(all="ignore"):
        if plain is not None:
            return _forward_plain(graph, plain)
        return _forward(graph, _given(graph, leaves, NO_PATCHES, None))


def _forward(
    graph: Graph,
    values: list[Any],
    progress: Progress | None = None,
    slopes: dict[int, Any] | None = None,
) -> list[Value]:
    """Compute the values that are None; `slopes` are filled as they come with them.

    Two operands, the usual number, are written out.
    """
    value_of, ndarray = values.__getitem__, np.ndarray
    index = 0
    try:
        for row in with_progress(graph.nodes.rows, progress):
            index, _, _, op, operands, attributes, _, _ = row
            if op is None or values[index] is not None:
                continue
            made: Any = None
            if attributes:
                arrays = tuple(map(value_of, operands))
                if slopes is not None and op.together is not None:
                    made, found = op.together(*arrays, **attributes)
                    if found is not None:
                        slopes[index] = found
                if made is None:
                    made = op.forward(*arrays, **attributes)
            elif len(operands) == 2:
                one, two = operands
                made = op.forward(values[one], values[two])
            else:
                made = op.forward(*map(value_of, operands))
            if type(made) is ndarray and made.ndim:
                made.setflags(False)  # pyright: ignore[reportCallIssue]  # `frozen`
                values[index] = made
            else:
                values[index] = frozen(made)
    except UNFIT as error:
        _check_shapes(graph, values[:index])
        raise _misfit(graph, index, values, error) from error
    if graph.chooses:
        _check_shapes(graph, values)
    return values


def _given(
    graph: Graph, leaves: Mapping[int, Value], patches: Patches, base: Run | None
) -> list[Any]:
    """Return the values that need not be computed, and None for the others."""
    rows = graph.nodes.rows
    values: list[Any] = [None] * len(rows)
    for index, shape in graph.leaves:
        values[index] = _leaf(leaves[index], shape)
    for index, value in patches.values.items():
        values[index] = _leaf(value, rows[index][6])
    if base is not None:
        for index, _, _, op, operands, _, _, _ in rows:
            if index in patches.values or index in base.patches.values:
                continue
            if op is None:
                is_same = leaves[index] is base.leaves[index]
            else:
                is_same = all(values[i] is base.values[i] for i in operands)
            if is_same:
                values[index] = base.values[index]
    return values


class _Recorded(Sequence[Value]):
    """The values of all nodes where they were recorded, each taken when looked at."""

    def __init__(
        self, graph: Graph, leaves: Mapping[int, Value], known: Mapping[int, Value]
    ) -> None:
        self._rows, self._leaves, self._known = graph.nodes.rows, leaves, known
        self._copies: dict[int, Value] = {}  # of arrays that could change

    @overload
    def __getitem__(self, node: int) -> Value: ...
    @overload
    def __getitem__(self, node: slice) -> Sequence[Value]: ...
    def __getitem__(self, node: int | slice) -> Any:
        if isinstance(node, slice):
            return [self[one] for one in range(len(self))[node]]
        if node in self._copies:
            return self._copies[node]
        row = self._rows[node]
        given = (self._leaves if row[3] is None else self._known)[row[0]]
        found = _leaf(given, row[6])
        if found is not given:
            self._copies[row[0]] = found
        return found

    def __len__(self) -> int:
        return len(self._rows)


def _not_its_own(error: Exception) -> InputError:
    """Return the mistake of recorded values that are no results at all."""
    if isinstance(error, InputError):
        return error
    words, _ = unfit_words(error, [])
    hint = "a value that was recorded is not what its operation gives"
    return InputError(f"the backward pass fails: {words}", hint)


def _misfit(
    graph: Graph, index: int, values: Sequence[Value], error: Exception
) -> InputError:
    """Return the mistake of a node whose operation has failed."""
    node = graph.nodes[index]
    words, hint = unfit_words(error, [values[operand] for operand in node.operands])
    return InputError(graph.misfit(node, words, hint))


def unfit_words(error: Exception, operands: Sequence[Value]) -> tuple[str, str]:
    """Return a message and a hint for numbers that an operation cannot take."""
    dtypes = [np.asarray(value).dtype for value in operands]
    if not isinstance(error, TypeError):
        return " ".join(str(error).split()).rstrip("."), ""
    if any(dtype.kind == "b" for dtype in dtypes):
        hint = "multiply them by 1.0 first: (x > 0) * 1.0"
        return "True and False are not numbers", hint
    words = f"it does not take {' and '.join(map(str, dtypes))}"
    return words, "whole numbers keep their kind under [constants]"


def _check_shapes(graph: Graph, values: Sequence[Value]) -> None:
    """Raise `InputError` where a mask chooses more or fewer elements than before."""
    for row, value in zip(graph.nodes.rows, values, strict=False):
        if np.shape(value) != row[6]:
            node = graph.nodes[row[0]]
            words = f"the result has shape {np.shape(value)} now, and {row[6]} before"
            hint = "where(mask, x, 0) keeps its shape, whatever the mask is"
            raise InputError(graph.misfit(node, words, hint))


def _leaf(value: Value, shape: Shape) -> Value:
    """Return a leaf as a run holds it: a read-only array, or a number."""
    if isinstance(value, np.ndarray) and value.shape == shape != ():
        return frozen(value.copy()) if value.flags.writeable else value
    if type(value) is float and not shape:
        return value
    if np.shape(value) != shape:
        raise InputError(
            f"a value of shape {np.shape(value)} stands where {shape} is needed"
        )
    return frozen(value)


def _seed(graph: Graph, values: Sequence[Value], seed: Value | None) -> Value:
    output = values[graph.output]
    if seed is None and isinstance(output, (float, np.generic)):
        return type(output)(1)
    shape = np.shape(output)
    if seed is None:
        if shape:
            raise InputError(
                f"the output {graph.nodes[graph.output].name} has shape {shape}",
                "give the gradient that enters there, or choose a scalar output",
            )
        return np.asarray(output).dtype.type(1)
    if np.shape(seed) != shape:
        raise InputError(f"the seed has shape {np.shape(seed)}, the output {shape}")
    dtype = np.asarray(output).dtype
    if isinstance(seed, np.ndarray) and seed.dtype == dtype:
        return _leaf(seed, shape)
    return frozen(np.array(seed, dtype=dtype)[()])


def _flows(graph: Graph, values: Sequence[Value]) -> bytes:
    """Mark the nodes that a gradient can flow into: whole numbers take none."""
    stopped = [
        index
        for index in graph.sources_of_flow
        if type(value := values[index]) is not float
        and np.asarray(value).dtype.kind != "f"
    ]
    return graph.flows_without(stopped) if stopped else graph.flows


# ----------------------------------------------------------------- plain numbers
#
# In a graph of scalars nothing can broadcast or be seen twice, and where every leaf is
# a float64, Python's own floats are the same numbers with the same arithmetic, several
# times faster.


def _plain(graph: Graph, leaves: Mapping[int, Value]) -> Mapping[int, Any] | None:
    """Return the leaves as plain numbers, or None where the graph is not of scalars."""
    if not graph.scalar:
        return None
    if set(map(type, leaves.values())) == {float}:
        return leaves
    plain: dict[int, Any] = {}
    for index, value in leaves.items():
        number = value if isinstance(value, float) else _leaf(value, ())
        if isinstance(number, float):
            number = float(number)  # a NumPy float64 is a float, too
        elif isinstance(number, np.floating):
            return None
        plain[index] = number
    return plain


def _forward_plain(graph: Graph, leaves: Mapping[int, Any]) -> list[Any]:
    values: list[Any] = []
    append = values.append
    try:
        for index, _, _, op, operands, attributes, _, _ in graph.nodes.rows:
            if op is None:
                append(leaves[index])
            elif len(operands) == 2 and attributes is NO_ATTRIBUTES:
                one, two = operands
                append(op.forward(values[one], values[two]))
            else:
                arrays = [values[i] for i in operands]
                append(frozen(call(op.forward, arrays, attributes)))
    except UNFIT as error:
        raise _misfit(graph, len(values), values, error) from error
    return values
