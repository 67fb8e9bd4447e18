"""The runs of a session, and how they differ."""

import pytest

from gradstep import Debugger, load
from gradstep.core.session.runs import run_differences, run_rows


def test_runs_say_how_they_differ_from_the_present_one() -> None:
    debugger = Debugger(load("apple_orange"))
    debugger.execute("set a = 5")
    assert [one.text for one in run_differences(debugger)] == [
        "a: 5 → 100; 4 values, 2 gradients",
        "",
    ]
    first, second = run_rows(debugger)
    assert (second.number, second.parent) == (1, 0)
    assert first.output == pytest.approx(
        float(debugger.runs[0].timeline.records[0].loss)
    )


def test_a_run_without_the_iteration_says_so() -> None:
    debugger = Debugger(load("xor"))
    debugger.execute("train 3")
    debugger.execute("set W1 = 0")
    debugger.execute("train 400")
    assert run_differences(debugger)[0].text.startswith("has no iteration")
