"""A capture checked: its values against the operations, its gradients against rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..base.text import counted
from ..capture.selfcheck import differences, sentence
from ..words.digits import SENTENCE
from .account import account
from .blame import account_lines, account_record

if TYPE_CHECKING:
    from ..base.progress import Progress
    from ..engine.run import Run
    from ..engine.subject import Subject


class Checked(NamedTuple):
    """What came of checking what was recorded."""

    ok: bool  # whether nothing is wrong
    lines: tuple[str, ...]  # the same in words
    record: dict[str, Any]  # and as data


def check_recorded(
    subject: Subject,
    run: Run,
    digits: int = SENTENCE,
    progress: Progress | None = None,
) -> Checked:
    """Hold recorded values to their operations, and recorded gradients to the rules.

    `run` is that of the subject, without patches.
    """
    graph, claims, known = subject.graph, subject.claims, subject.known
    widened = claims is not None and claims.widened
    found = differences(graph, subject.leaves, known, progress, widened=widened)
    wrong = [sentence(graph, one) for one in found]
    many = counted(len(known), "recorded value")
    lines = [f"wrong: {one}" for one in wrong]
    lines.append(f"✗ {len(wrong)} of {many} differ" if wrong else f"✓ {many} hold")
    record: dict[str, Any] = {"values": len(known), "wrong": wrong}
    ok = not wrong
    if claims is not None:
        held = account(run, claims, progress)
        lines += account_lines(held, digits)
        record["rules"] = account_record(held)
        ok = ok and held.ok
    return Checked(ok, tuple(lines), {"ok": ok, **record})


def without_a_rule(subject: Subject) -> list[str]:
    """Return the names of the operations of a graph that have no rule here."""
    return sorted({op.name for op in subject.graph.ops if op.recorded})
