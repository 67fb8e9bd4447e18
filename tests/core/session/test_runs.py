"""The runs of a session, and how they differ."""

import pytest

from gradstep import Debugger, load
from gradstep.core.session.runs import run_differences, run_rows


def test_runs_say_how_they_differ_from_the_present_one() -> None:
    bug = Debugger(load("apple_orange"))
    bug.execute("set a = 5")
    assert run_differences(bug) == ["a: 5 → 100; 4 values, 2 gradients", ""]
    first, second = run_rows(bug)
    assert (second.number, second.parent) == (1, 0)
    assert first.output == pytest.approx(float(bug.runs[0].timeline.records[0].loss))


def test_a_run_without_the_iteration_says_so() -> None:
    bug = Debugger(load("xor"))
    bug.execute("train 3")
    bug.execute("set W1 = 0")
    bug.execute("train 400")
    assert run_differences(bug)[0].startswith("has no iteration")
