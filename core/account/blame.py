"""Whose rule is wrong, in words, and which mistake gives exactly its numbers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..base.text import counted
from ..capture.rounding import precision
from ..engine.graph import Edge
from ..engine.patches import NO_PATCHES
from ..engine.trace import Trace
from ..mistakes.catalogue import MISTAKES
from ..words.digits import SENTENCE
from ..words.events import element_name
from ..words.numbers import distinct, number_text
from .account import Account, Finding, right_with, sent_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..engine.graph import Graph
    from ..ops.table import Array, Rule
    from .account import Agreement

_NEAR: Final = 64.0  # units in the last place of the largest number
_EXACT: Final = 1e-6  # how near to a whole number a factor is that is said as one
_SLIGHT: Final = 1e-3  # a factor that is so near to 1 tells nothing
_MOST_EDGES: Final = 100  # of a call, whose rules are tried
_MOST_TOLD: Final = 8  # names in one sentence
_OF_ALL: Final = MappingProxyType({0.0: "nothing", 2.0: "twice the right one"})
_HEADS: Final = MappingProxyType(
    {
        "differs": "wrong",
        "purpose": "differs on purpose",
        "hook": "changed by a hook",
        "opaque": "not compared",
    }
)


class Blame(NamedTuple):
    """Everything that is said of one rule."""

    head: str  # which rule it is and what it does
    lines: tuple[str, ...]  # the numbers, and what they are


class Guess(NamedTuple):
    """Which mistake gives exactly somebody's numbers."""

    name: str = ""  # in a word or two: "transpose", "× 1/2"; "" for none
    told: str = ""  # the same as a sentence


def account_lines(account: Account, digits: int = SENTENCE) -> Iterator[str]:
    """Yield what came of holding somebody's gradients to account, a line each."""
    for one in blames(account, digits):
        yield one.head
        yield from (f"  {line}" for line in one.lines)
    yield verdict(account)
    if account.unknown:
        yield f"{counted(account.unknown, 'gradient')} behind operations without a rule"


def verdict(account: Account) -> str:
    """Return what came of holding somebody's gradients to account, in one line."""
    wrong = sum(group[0].verdict == "differs" for group in account.rules())
    whose, many = account.claims.whose, counted(account.compared, "gradient")
    if not account.compared:
        return f"{whose}: no gradient could be compared"
    if wrong:
        return f"✗ {counted(wrong, 'rule')} wrong, of {many} of {whose} compared"
    return f"✓ no rule is wrong: {many} of {whose} compared"


def account_record(account: Account) -> dict[str, Any]:
    """Return the same as data: each rule with the gradients that it sends wrongly."""
    graph = account.run.graph
    return {
        "ok": account.ok,
        "whose": account.claims.whose,
        "compared": account.compared,
        "unknown": account.unknown,
        "rules": [
            {
                "rule": rule_name(graph, group[0]),
                "verdict": group[0].verdict,
                "gradients": [
                    {
                        "node": graph.nodes[one.node].name,
                        "edges": [graph.edge_name(edge) for edge in one.edges],
                        "index": list(one.element),
                        "theirs": one.theirs,
                        "right": one.right,
                        "differ": one.share,
                        "mistake": mistake_of(account, one).told
                        if one.verdict == "differs"
                        else "",
                    }
                    for one in group
                ],
            }
            for group in account.rules()
        ],
    }


def blames(account: Account, digits: int = SENTENCE) -> Iterator[Blame]:
    """Yield what is said of each rule whose gradients differ, in backward order."""
    for group in account.rules():
        yield blame(account, group, digits)


def blame(account: Account, group: Sequence[Finding], digits: int) -> Blame:
    """Return what is said of one rule, by what it sends to one node or to several."""
    graph, first = account.run.graph, group[0]
    names = [graph.nodes[one.node].name for one in group]
    told = ", ".join(names[:_MOST_TOLD]) + ", …" * (len(names) > _MOST_TOLD)
    verb = _HEADS[first.verdict]
    if first.verdict == "opaque":
        head = (
            f"{verb}: the gradient of {told}, for an operation without a rule uses it"
        )
    elif first.verdict == "hook":
        head = f"{verb}: the gradient of {told}, at {first.place}"
    else:
        head = f"{verb}: {rule_name(graph, first)}: what it sends to {told} "
        head += "differs from the derivative"
        if not first.edges and not first.frame:
            head = f"{verb}: {told} gets a gradient, and nothing sends one"
    lines: list[str] = []
    for one in group:
        lines += _numbers(account, one, digits)
        if one.verdict == "differs" and (told := mistake_of(account, one).told):
            lines.append(told)
    return Blame(head, tuple(lines))


def rule_name(graph: Graph, sent: Finding | Agreement) -> str:
    """Return the rule that sends a gradient: "matmul at z (model.py:12)"."""
    if sent.place:
        return sent.place
    consumers = list(dict.fromkeys(edge.consumer for edge in sent.edges))
    if len(consumers) != 1:
        node = graph.nodes[sent.node]
        line = f" ({graph.line_of(node.site)})" if node.site else ""
        return f"one of {len(consumers)} uses of {node.name}{line}"
    node = graph.nodes[consumers[0]]
    line = f" ({graph.line_of(node.site)})" if node.site else ""
    return f"{node.made_by} at {node.name}{line}"


def _numbers(account: Account, one: Finding, digits: int) -> Iterator[str]:
    graph, whose = account.run.graph, account.claims.whose
    node = graph.nodes[one.node]
    name = element_name(node, one.element, "grad")
    theirs, right = distinct(one.theirs, one.right, digits)
    many = (
        "" if node.shape == () else f"; {one.share} of {_elements(node.shape)} differ"
    )
    yield f"{name} is {theirs} by {whose}, {right} by the derivative{many}"


def _elements(shape: tuple[int, ...]) -> str:
    return counted(int(np.prod(shape)), "element")


# ------------------------------------------------------------------------- the mistake


def mistake_of(account: Account, finding: Finding) -> Guess:
    """Return what gives exactly these numbers, in words, or nothing."""
    theirs = np.asarray(account.claims.own[finding.node])
    with np.errstate(all="ignore"):
        for guess, found in _candidates(account, finding):
            if _is_same(theirs, found):
                return guess
        return _term(account, finding, theirs)


def _candidates(account: Account, finding: Finding) -> Iterator[tuple[Guess, Array]]:
    """Yield each classic mistake that could be made, and what it would give."""
    graph = account.run.graph
    for edge in _suspects(account, finding):
        for name, rule in _wrong_rules(account, edge):
            try:
                found = right_with(account, finding, {edge[:2]: rule})
            except (ArithmeticError, LookupError, TypeError, ValueError):
                continue
            if not np.any(found) and name != "route":
                continue  # a product that is 0 everywhere could be any
            told = f"exactly so if {MISTAKES[name].summary}"
            told = f"{told}: patch {graph.edge_name(edge)} {name}"
            yield Guess(name, told), found
    if len(finding.edges) > 1 and not finding.frame:
        for edge in finding.edges:
            told = f"exactly so if {MISTAKES['overwrite'].summary}"
            told = f"{told}: {graph.edge_name(edge)} alone"
            yield Guess("overwrite", told), _sent(account, edge)


def _suspects(account: Account, finding: Finding) -> Sequence[Edge]:
    """Return the edges whose rules may be wrong: those of a call's inside as well."""
    graph = account.run.graph
    if not finding.frame:
        return finding.edges
    frame = graph.frames[finding.frame]
    inner = [
        Edge(row[0], argument, operand)
        for row in graph.nodes.rows[frame.first : frame.stop]
        if row[3] is not None
        for argument, operand in enumerate(row[4])
        if row[3].vjp(argument) is not None and account.run.flows[operand]
    ]
    return inner[::-1][:_MOST_EDGES]


def _wrong_rules(account: Account, edge: Edge) -> Iterator[tuple[str, Rule]]:
    trace = Trace(account.run)
    for name, mistake in MISTAKES.items():
        try:
            patches = mistake.make(trace, edge, NO_PATCHES)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            continue
        rule = patches.rules.get(edge[:2])
        if rule is not None:
            yield name, rule


def _sent(account: Account, edge: Edge) -> Array:
    own, right = account.claims.own, account.right
    upstream = right.get(edge.consumer, own.get(edge.consumer))
    return np.asarray(
        sent_by(account.run, edge, upstream if upstream is not None else 0.0)
    )


def _term(account: Account, finding: Finding, theirs: Array) -> Guess:
    """Return which term is counted twice, or so many times too large."""
    graph = account.run.graph
    right = right_with(account, finding, {})
    terms = {graph.edge_name(edge): _sent(account, edge) for edge in finding.edges}
    if len(terms) > 1:
        terms = {"": right, **terms}
    for name, term in terms.items():
        times = _ratio(theirs - (right - term), term)
        if (
            times is None
            or abs(times - 1) < _SLIGHT
            or not _is_same(theirs, right - term + times * term)
        ):
            continue
        is_whole = not name or len(terms) == 1
        nice = next((one for one in _OF_ALL if abs(times - one) < _EXACT), None)
        if is_whole and nice is not None:
            return Guess(f"× {number_text(nice)}", f"that is {_OF_ALL[nice]}")
        if nice == 2:
            told = f"that is the right one with the term of {name} counted twice"
            return Guess(f"a term × {number_text(nice)}", told)
        if theirs.size == 1 and not _is_nice(times):
            continue
        many = _times_text(times)
        short = f"× {many.removesuffix(' of').removesuffix(' times')}"
        if is_whole:
            return Guess(short, f"that is {many} the right one")
        told = f"that is the right one with {many} the term of {name}"
        return Guess(f"a term {short}", told)
    return Guess()


def _ratio(one: Array, other: Array) -> float | None:
    """Return how many times as large an array is as another, by its largest element."""
    if not other.size or not np.all(np.isfinite(other)):
        return None
    at = int(np.argmax(np.abs(other)))
    largest = float(other.flat[at])
    return float(one.flat[at]) / largest if largest else None


def _is_nice(times: float) -> bool:
    large = abs(times) if abs(times) >= 1 else 1 / abs(times)
    return abs(large - round(large)) <= _EXACT * large


def _times_text(times: float) -> str:
    if abs(times) < 1 and _is_nice(times):
        return f"{'−' * (times < 0)}1/{round(1 / abs(times))} of"
    if _is_nice(times):
        return f"{round(times)} times"
    return f"{number_text(times, SENTENCE)} times"


def _is_same(theirs: Array, found: Array) -> bool:
    if theirs.shape != found.shape:
        return False
    one, other = (np.asarray(array, np.float64) for array in (theirs, found))
    if not (np.all(np.isfinite(one)) and np.all(np.isfinite(other))):
        return False
    near = _NEAR * max(precision(theirs), precision(found))
    size = max(float(np.max(np.abs(other), initial=0.0)), 1e-300)
    return bool(np.all(np.abs(one - other) <= near * size))
