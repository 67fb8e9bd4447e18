"""Somebody else's gradients held to account: each rule asked with their own upstream.

```
right[v] = Σ over edges (c, k) to v of  vjp_k(theirs[c])        held against theirs[v]
```

What a wrong rule sends is what everything behind it goes on with, so that only it
differs, and is told once. Where there is no gradient of theirs, ours goes on: inside
of a call that has a rule of its author's, and wherever none was recorded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..base.errors import RuleError
from ..base.progress import with_progress
from ..capture.rounding import apart, is_near, precision, unit
from ..engine.backward import call, reduce_to, settle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ..base.progress import Progress
    from ..engine.graph import Edge
    from ..engine.run import Run
    from ..engine.subject import Claims
    from ..ops.table import Array, Op, Rule, Value

Verdict = Literal["differs", "purpose", "hook", "opaque"]
# What is told of a gradient of theirs that is not the right one:
#   differs   the rule is wrong
#   purpose   the rule differs, and the user says that it is meant to
#   hook      a hook of the user's changes what goes into the rule
#   opaque    nobody here knows what an operation without a rule sends


class Finding(NamedTuple):
    """A gradient of theirs that their upstream does not give."""

    node: int  # whose gradient it is
    verdict: Verdict  # what is said of it
    edges: tuple[Edge, ...]  # what was added up to the right one, in backward order
    frame: int  # the call with its author's rule that sends a part of it; 0 for none
    place: str  # the name of that rule, or where the hook is; "" for neither
    element: tuple[int, ...]  # the index of what differs most; () for a scalar
    theirs: float  # their number there
    right: float  # what the rule gives there, from their upstream
    share: int  # so many elements differ


class Agreement(NamedTuple):
    """A gradient of theirs that is the right one."""

    node: int  # whose gradient it is
    edges: tuple[Edge, ...]  # what was added up to it, in backward order
    place: str  # the name of the author's rule that sends a part of it; "" for none


@dataclass(frozen=True, slots=True)
class Account:
    """What came of holding gradients to account, in backward order."""

    run: Run  # with the numbers of both passes
    claims: Claims  # what was held to account
    findings: tuple[Finding, ...]  # those that are not the right ones
    held: tuple[int, ...]  # nodes whose gradients of theirs could be compared
    unknown: int  # those that could not, for operations without a rule
    right: Mapping[int, Array]  # what went on where there is none of theirs

    @property
    def ok(self) -> bool:
        """Tell whether no rule is wrong."""
        return not any(one.verdict == "differs" for one in self.findings)

    @property
    def compared(self) -> int:
        """How many gradients of theirs could be compared."""
        return len(self.held)

    def agreements(self) -> Iterator[Agreement]:
        """Yield the gradients that rules sent rightly, in backward order."""
        differing = {one.node for one in self.findings}
        inside = inside_of(self.run, self.claims.custom)
        for node in self.held:
            edges = tuple(edges_into(self.run, node))
            if edges and node not in differing:
                frame = _frame_to(self.run, inside, node)
                yield Agreement(node, edges, self.claims.custom.get(frame, ""))

    def rules(self) -> list[list[Finding]]:
        """Return the findings of each rule: one that sends to several nodes is one."""
        found: dict[object, list[Finding]] = {}
        for one in self.findings:
            consumers = {edge.consumer for edge in one.edges}
            single = next(iter(consumers)) if len(consumers) == 1 else None
            key: object = ("node", one.node) if single is None else ("rule", single)
            if one.frame:
                key = ("author", one.place)
            found.setdefault((one.verdict, key), []).append(one)
        return list(found.values())


def account(run: Run, claims: Claims, progress: Progress | None = None) -> Account:
    """Hold the gradients of `claims` against the rules of a run, in backward order."""
    return _Pass(run, claims).account(progress)


def purposes(run: Run, claims: Claims) -> set[str]:
    """Return the names by which a rule can be said to differ on purpose."""
    found = {*run.graph.names}
    for rule in claims.custom.values():
        found |= _names_of(rule)
    return found


def _names_of(rule: str) -> set[str]:
    """Return the names of a rule, and so the short ones of `Ste.backward (a.py:7)`."""
    method = rule.partition(" ")[0]
    return {rule, method, method.partition(".")[0]}


def right_with(
    account: Account, finding: Finding, rules: Mapping[tuple[int, int], Rule]
) -> Array:
    """Return what would be the right gradient, were some rules others.

    Those are rules of edges to the node, or inside of the call that sends to it.
    """
    again = _Pass(account.run, account.claims, rules)
    again.right = dict(account.right)
    with np.errstate(all="ignore"):
        if finding.frame:
            frame = account.run.graph.frames[finding.frame]
            for node in range(frame.stop - 1, frame.first - 1, -1):
                if node in again.right:
                    again.right[node] = again.sum(node, again.edges(node))
        return again.sum(finding.node, finding.edges)


def inside_of(run: Run, custom: Collection[int]) -> Mapping[int, int]:
    """Return the outermost call with its author's rule that each node is inside of."""
    found: dict[int, int] = {}
    frames = run.graph.frames
    for index in sorted(custom, key=lambda one: frames[one].depth):
        for node in range(frames[index].first, frames[index].stop):
            found.setdefault(node, index)
    return found


def _frame_to(run: Run, inside: Mapping[int, int], node: int) -> int:
    """Return the call of the author's that sends something to a node, or 0."""
    frames = (inside.get(edge.consumer) for edge in run.graph.consumers[node])
    return next((one for one in frames if one and one != inside.get(node)), 0)


def edges_into(run: Run, node: int) -> Iterator[Edge]:
    """Yield the edges that carry a contribution to a node, in backward order."""
    rows = run.graph.nodes.rows
    if run.flows[node]:
        for edge in run.graph.consumers[node]:
            op = rows[edge.consumer][3]
            if op is not None and op.vjp(edge.argument) is not None:
                yield edge


class _Pass:
    """One backward pass over their gradients."""

    def __init__(
        self,
        run: Run,
        claims: Claims,
        rules: Mapping[tuple[int, int], Rule] = MappingProxyType({}),
    ) -> None:
        self.run, self.claims, self.rules = run, claims, rules
        self.rows = run.graph.nodes.rows
        self.inside = inside_of(run, claims.custom)
        self.is_opaque = any(op.recorded for op in run.graph.ops)
        self.right: dict[int, Any] = {}  # what goes on, where theirs is not known
        self.sizes: dict[int, Any] = {}  # Σ |terms| of that, where it was asked for
        self.terms: dict[int, float] = {}  # how many of them make an element of that
        self.sent: dict[int, Any] = {}  # what has arrived so far, where more may come
        self.blind: set[int] = set()  # nodes that an opaque operation sends to
        self.held: list[int] = []
        self.unknown = 0

    def account(self, progress: Progress | None) -> Account:
        graph, found = self.run.graph, list[Finding]()
        with np.errstate(all="ignore"):
            for node in with_progress(range(graph.output, -1, -1), progress):
                finding = self._node(node)
                if finding is not None:
                    found.append(finding)
                self._send(node)
        return Account(
            self.run,
            self.claims,
            tuple(found),
            tuple(self.held),
            self.unknown,
            self.right,
        )

    def edges(self, node: int) -> list[Edge]:
        """Return the edges that bring something to a node."""
        found = edges_into(self.run, node)
        return [edge for edge in found if self._upstream(edge) is not None]

    def theirs(self, node: int) -> Value | None:
        """Return a gradient of theirs; inside of a rule of the author's is none.

        What leaves such a call, its result, is not inside.
        """
        frame = self.inside.get(node) if self.inside else None
        if frame is not None and node != self.run.graph.output:
            uses = self.run.graph.consumers[node]
            if all(self.inside.get(edge.consumer) == frame for edge in uses):
                return None
        return self.claims.own.get(node)

    def _node(self, node: int) -> Finding | None:
        run = self.run
        blind, theirs = self._is_blind(node), self.theirs(node)
        if blind:
            self.blind.add(node)
        right = run.seed if node == run.graph.output else self.sent.pop(node, None)
        if theirs is None:
            if right is not None:
                self.right[node] = np.asarray(right)
                if self.rows[node][4]:  # from a leaf nothing goes on
                    self.terms[node] = self._terms(self.edges(node))
            return None
        if self.rows[node][2] == "constant":
            return None
        if right is None:
            right = np.zeros(self.rows[node][6])
        return self._compared(node, np.asarray(right), np.asarray(theirs), blind=blind)

    def _send(self, node: int) -> None:
        """Add what a node sends back to what has arrived at its operands."""
        _, _, _, op, operands, attributes, _, _ = row = self.rows[node]
        theirs = self.theirs(node)
        upstream = self.right.get(node) if theirs is None else theirs
        if op is None or upstream is None:
            return
        values, flows, sent = self.run.values, self.run.flows, self.sent
        given = [upstream, values[node], *(values[k] for k in operands)]
        for argument, operand in enumerate(operands):
            rule = op.vjp(argument) if flows[operand] else None
            if rule is not None:
                one = settle(call(rule, given, attributes), given[argument + 2], row)
                sent[operand] = sent[operand] + one if operand in sent else one

    def _compared(
        self,
        node: int,
        right: Array,
        theirs: Array,
        *,
        blind: bool,
    ) -> Finding | None:
        if not blind:
            self.held.append(node)
        self.unknown += blind
        edges, widened = self.edges(node), self.claims.widened
        terms = self._terms(edges)
        if is_near(theirs, right, terms, self._portion_of(edges)):
            return None
        exact = max(precision(theirs, widened=widened), precision(right))
        size = np.maximum(self._size(node, edges), np.abs(right))
        wrong = apart(theirs, right, unit(exact, terms) * size)
        if not wrong.any():
            return None
        frame = _frame_to(self.run, self.inside, node)
        verdict, place = self._verdict(node, edges, frame, blind=blind)
        off = np.abs(np.asarray(theirs, np.float64) - right)
        off = np.where(wrong, np.nan_to_num(off, nan=np.inf), -1.0)
        at = tuple(map(int, np.unravel_index(int(np.argmax(off)), off.shape)))
        return Finding(
            node,
            verdict,
            tuple(edges),
            frame,
            place,
            at,
            float(theirs[at]),
            float(right[at]),
            int(np.count_nonzero(wrong)),
        )

    def _verdict(
        self, node: int, edges: Sequence[Edge], frame: int, *, blind: bool
    ) -> tuple[Verdict, str]:
        claims, rows = self.claims, self.rows
        if blind:
            return "opaque", ""
        names = {rows[node][1]}
        for edge in edges:
            names |= {rows[edge.consumer][1], self.run.graph.edge_name(edge)}
        for one in (*(edge.consumer for edge in edges), node):
            if one in claims.hooked:
                return "hook", claims.hooked[one]
        rule = claims.custom.get(frame, "")
        names |= _names_of(rule) if rule else set()
        on_purpose = not names.isdisjoint(claims.purpose)
        return ("purpose" if on_purpose else "differs"), rule

    def _is_blind(self, node: int) -> bool:
        """Tell whether a part of a gradient is not known, for opaque operations."""
        if not self.is_opaque:
            return False
        for edge in self.run.graph.consumers[node]:
            op, consumer = self.rows[edge.consumer][3], edge.consumer
            is_blind = consumer in self.blind and self.theirs(consumer) is None
            reached = is_blind or self._upstream(edge) is not None
            if op is None or not reached or not self.run.flows[node]:
                continue
            if op.recorded or (is_blind and op.vjp(edge.argument) is not None):
                return True
        return False

    # ------------------------------------------------------------------ the numbers

    def _upstream(self, edge: Edge) -> Value | None:
        theirs = self.theirs(edge.consumer)
        return self.right.get(edge.consumer) if theirs is None else theirs

    def sum(self, node: int, edges: Sequence[Edge]) -> Array:
        """Return the right gradient: all that the edges send, added up."""
        run = self.run
        terms = [np.asarray(run.seed)] if node == run.graph.output else []
        for edge in edges:
            upstream = self._upstream(edge)
            if upstream is not None:
                rule = self.rules.get(edge[:2])
                terms.append(np.asarray(sent_by(run, edge, upstream, rule)))
        total = terms[0] if terms else np.zeros(self.rows[node][6])
        for one in terms[1:]:
            total = total + one
        return total

    def _size(self, node: int, edges: Sequence[Edge]) -> Array:
        """Return Σ |terms| of a gradient, those inside of its terms included."""
        is_output = node == self.run.graph.output
        self._find_sizes(edges)
        sizes = [np.abs(np.asarray(self.run.seed))] if is_output else []
        sizes += [size_of_sent(self.run, one, self._magnitude(one)) for one in edges]
        total = sizes[0] if sizes else np.zeros(self.rows[node][6])
        for one in sizes[1:]:
            total = total + one
        return total

    def _find_sizes(self, edges: Sequence[Edge]) -> None:
        """Find Σ |terms| of what the edges come from, where there is none of theirs."""
        wanted, asked = set[int](), [edge.consumer for edge in edges]
        while asked:
            node = asked.pop()
            is_ours = node in self.right and self.theirs(node) is None
            if is_ours and node not in wanted and node not in self.sizes:
                wanted.add(node)
                asked += [edge.consumer for edge in self.edges(node)]
        for node in sorted(wanted, reverse=True):
            self.sizes[node] = self._size(node, self.edges(node))

    def _magnitude(self, edge: Edge) -> Array:
        theirs = self.theirs(edge.consumer)
        size = self.sizes.get(edge.consumer)
        found = np.abs(np.asarray(size if theirs is None else theirs))
        return found if found.dtype.itemsize > 2 else found.astype(np.float32)

    def _terms(self, edges: Sequence[Edge]) -> float:
        """Return how many terms make an element of what the edges send, at most."""
        found = [1.0]
        for edge in edges:
            found.append(_terms_sent(self.run, edge))
            if self.theirs(edge.consumer) is None:
                found.append(self.terms.get(edge.consumer, 1.0))
        return max(found)

    def _portion_of(self, edges: Sequence[Edge]) -> Value | None:
        """Return what a single edge sends a portion of: the upstream, as of `gelu`."""
        op = self.rows[edges[0].consumer][3] if len(edges) == 1 else None
        return self._upstream(edges[0]) if op is not None and op.portion else None


def sent_by(run: Run, edge: Edge, upstream: Value, rule: Rule | None = None) -> Value:
    """Return what an edge sends for an upstream gradient, by another rule if given.

    The result has the operand's shape. Raises `RuleError` where no gradient flows to
    the operand, or where a rule returns another shape.
    """
    row, values = run.graph.nodes.rows[edge.consumer], run.values
    op = row[3]
    if rule is None and op is not None:
        rule = op.vjp(edge.argument)
    if rule is None:
        raise RuleError(f"no gradient flows to operand {edge.argument} of {row[1]}")
    arrays = [upstream, values[edge.consumer], *(values[k] for k in row[4])]
    return settle(call(rule, arrays, row[5]), values[edge.operand], row)


def _terms_sent(run: Run, edge: Edge) -> float:
    """Return how many terms make an element of what an edge sends, about."""
    rows = run.graph.nodes.rows
    _, _, _, op, operands, attributes, shape, _ = rows[edge.consumer]
    size = max(1, math.prod(rows[edge.operand][6]))
    if op is not None and op.cost is not None:
        shapes = [rows[k][6] for k in operands]
        return op.cost(*shapes, **attributes).effort / size
    axis = attributes.get("axis")
    if op is not None and op.kind == "block" and isinstance(axis, int) and shape:
        return float(shape[axis])
    return max(1.0, math.prod(shape) / size)


def size_of_sent(run: Run, edge: Edge, upstream: Array) -> Array:
    """Return Σ |terms| of what an edge sends, for the sizes of an upstream gradient."""
    _, _, _, op, operands, attributes, _, _ = run.graph.nodes.rows[edge.consumer]
    rule = op.vjp(edge.argument) if op is not None else None
    if op is None or rule is None:
        return np.zeros(np.shape(run.values[edge.operand]))
    values = [run.values[k] for k in operands]
    if op.kind in ("contract", "block"):
        values = [_size_of(one) for one in values]
    given = [upstream, run.values[edge.consumer], *values]
    product = np.abs(np.asarray(call(rule, given, attributes)))
    shape = np.shape(run.values[edge.operand])
    if op.kind == "elementwise" and len(operands) == 1 and not op.once:
        product = product + upstream * _steepest(product, upstream)
    if product.shape != shape:
        product = np.asarray(reduce_to(product, shape))
    return product + _of_block(
        op, upstream, run.values[edge.consumer], shape, attributes
    )


def _steepest(product: Array, upstream: Array) -> float:
    """Return the largest slope of a function: terms of that size cancel near a 0."""
    slopes = np.divide(
        product, upstream, where=upstream != 0, out=np.zeros_like(product)
    )
    return float(np.max(slopes, initial=0.0, where=np.isfinite(slopes)))


def _size_of(value: Value) -> Value:
    return np.abs(value) if np.asarray(value).dtype.kind == "f" else value


def _of_block(
    op: Op,
    upstream: Array,
    y: Value,
    shape: tuple[int, ...],
    attributes: Mapping[str, Any],
) -> float:
    """Return what the slopes of a softmax or a loss cancel to: up to the upstream."""
    if op.kind != "block" or op.cost is not None:
        return 0.0
    largest = float(np.max(np.abs(upstream), initial=0.0))
    if np.shape(y) == shape:
        return largest * max(1.0, float(np.max(np.abs(y), initial=0.0)))
    return largest / (
        shape[0] if attributes.get("reduction") == "mean" and shape else 1
    )
