"""The commands as methods."""

from __future__ import annotations

import keyword

import numpy as np
import pytest

from gradstep import Debugger, load
from gradstep.core.base.errors import AssertionFailed, CommandError
from gradstep.core.debugger.by_name import ByName
from sessions import session


def test_every_command_has_a_method() -> None:
    methods = {name.strip("_").replace("_", "-"): name for name in vars(ByName)}
    for command in Debugger.commands:
        name = methods[command]
        assert not keyword.iskeyword(name)
        assert callable(getattr(session(), name))
    assert set(methods) - set(Debugger.commands) <= {
        *("execute", "module", "doc", "abstractmethods", "abc-impl"),
        *("dict", "weakref", "annotations"),
    }


def test_methods_are_lines() -> None:
    bug, other = session(), session()
    assert bug.step(3).position == other.execute("step 3").position
    bug.break_("E@backward", "if", "position > 3")
    bug.set("c", "=", np.float64(2))
    assert bug.continue_().stop is not None
    assert float(bug.print("c").data) == 2
    assert bug.runs_().data[1]["number"] == 1
    assert bug.check("b").ok
    bug.patch("b", "local")
    assert bug.check("b").failed


def test_what_is_wrong_is_raised() -> None:
    bug = session()
    with pytest.raises(CommandError, match="is not a count"):
        bug.step("x")
    with pytest.raises(AssertionFailed, match="does not hold"):
        bug.assert_("1 == 2")  # noqa: PT009  # not of unittest
    with pytest.raises(AttributeError):
        bug.stap(3)  # type: ignore[attr-defined]


def test_a_lesson_reads_well() -> None:
    bug = Debugger(load("three_layer"))
    bug.goto("end")
    np.testing.assert_allclose(
        bug.explain("W1.grad[0, 2]").data["sum"], -0.000346229999158, rtol=1e-9
    )
