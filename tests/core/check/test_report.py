"""A report puts its comparisons in order: the cause first, then what is worst."""

from __future__ import annotations

from checks import LEAVES, NET, edge_of
from gradstep.core.check.check import check
from gradstep.core.engine.patches import Patches
from runs import number, op_of, run_of, times

RANKS = ["mismatch", "nonfinite", "drowned", "kink", "ok", "skipped"]


def test_the_first_wrong_rule_is_told_before_one_that_is_worse() -> None:
    run = run_of(NET, **LEAVES)
    slight, bad = ((number(run, name), 0) for name in ("E", "h"))
    rules = {
        slight: times(1.001, op_of(run, "E"), 0),
        bad: times(3, op_of(run, "h"), 0),
    }
    report = check(run.patched(Patches(rules=rules)))
    first, second, *others = report.worst_first
    assert first is report.first_wrong
    assert edge_of(first) == slight
    assert first.relative < second.relative
    assert second.verdict == "mismatch"
    ranks = [RANKS.index(one.verdict) for one in (second, *others)]
    assert ranks == sorted(ranks)
