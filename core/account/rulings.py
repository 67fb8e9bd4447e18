"""Every rule that was held to account, as a row of a table: the wrong ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ..base.progress import with_progress
from .blame import Guess, mistake_of, rule_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..base.progress import Progress
    from ..engine.graph import Edge
    from .account import Account, Agreement, Finding, Verdict

Said = Literal["differs", "purpose", "hook", "opaque", "agrees"]  # of a rule
_ORDER: Final[tuple[Verdict, ...]] = ("differs", "purpose", "hook", "opaque")


class Ruling(NamedTuple):
    """What came of holding one rule to account."""

    said: Said  # a verdict, or that it agrees
    rule: str  # its name: "Affine.backward", "matmul at z"
    place: str  # where it is in the author's source: "net.py:12"; "" for nowhere
    nodes: tuple[int, ...]  # whose gradients it sends
    edge: Edge | None  # whose event shows it; None where nothing is sent
    finding: Finding | None = None  # what differs most of it; None where it agrees
    guess: Guess = Guess()  # which mistake gives these numbers


def rulings(account: Account, progress: Progress | None = None) -> list[Ruling]:
    """Return each rule that was held to account, the wrong ones first.

    Those of one verdict come in the order of the backward pass.
    """
    groups = account.rules()
    groups.sort(key=lambda group: _ORDER.index(group[0].verdict))
    found = [_differing(account, group) for group in with_progress(groups, progress)]
    taken = {(one.rule, one.place) for one in found}
    agreeing = (one for one in _agreeing(account) if one[1:3] not in taken)
    return [*found, *agreeing]


def _differing(account: Account, group: list[Finding]) -> Ruling:
    worst = max(group, key=lambda one: abs(one.theirs - one.right))
    named = _named(account, worst)
    if worst.verdict == "hook":
        named = "a hook", worst.place
    return Ruling(
        worst.verdict,
        *named,
        tuple(one.node for one in group),
        worst.edges[-1] if worst.edges else None,
        worst,
        mistake_of(account, worst) if worst.verdict == "differs" else Guess(),
    )


def _agreeing(account: Account) -> Iterator[Ruling]:
    """Yield each rule that has sent a right gradient."""
    found: dict[tuple[str, str], tuple[list[int], Edge]] = {}
    for one in account.agreements():
        named = _named(account, one)
        found.setdefault(named, ([], one.edges[-1]))[0].append(one.node)
    for named, (nodes, edge) in found.items():
        yield Ruling("agrees", *named, tuple(nodes), edge)


def _named(account: Account, sent: Finding | Agreement) -> tuple[str, str]:
    """Return the name of the rule that sends a gradient, and its place."""
    name, _, place = rule_name(account.run.graph, sent).partition(" (")
    return name, place.removesuffix(")")
