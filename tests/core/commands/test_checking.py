"""The command `check`: its comparisons in order, and where they were made."""

from gradstep import Debugger, load
from gradstep.core.commands.checking import check_place


def test_checks_begin_with_the_cause() -> None:
    bug = Debugger(load("three_layer"))
    assert bug.execute("patch x2 local").ok
    bug.execute("check")
    report = bug.memory.report
    assert report is not None
    first = report.worst_first[0]
    assert first is report.first_wrong
    assert check_place(report, first).startswith("x2<-")
    verdicts = [one.verdict for one in report.worst_first]
    assert verdicts[-1] in ("ok", "skipped")
