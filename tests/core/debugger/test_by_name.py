"""The commands as methods."""

from __future__ import annotations

import inspect
import keyword
import pydoc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gradstep import AssertionFailed, CommandError, Debugger, Interrupted, load
from gradstep.core.commands import COMMANDS
from gradstep.core.debugger.by_name import ByName
from sessions import session

if TYPE_CHECKING:
    from gradstep.core.commands.table import Command


def test_every_command_has_a_method() -> None:
    public = [name for name in vars(ByName) if not name.startswith("_")]
    methods = {name.strip("_").replace("_", "-"): name for name in public}
    for command in Debugger.commands:
        name = methods[command]
        assert not keyword.iskeyword(name)
        assert callable(getattr(session(), name))
    assert set(methods) - set(Debugger.commands) == {"execute"}


def test_methods_are_lines() -> None:
    debugger, other = session(), session()
    assert debugger.step(3).position == other.execute("step 3").position
    debugger.break_("E@backward", "if", "position > 3")
    debugger.set("c", "=", np.float64(2))
    assert debugger.continue_().stop is not None
    assert float(debugger.print("c").data) == 2
    assert debugger.runs_().data[1]["number"] == 1
    assert debugger.check("b").ok
    debugger.patch("b", "local")
    assert debugger.check("b").failed


def test_what_is_wrong_is_raised() -> None:
    debugger = session()
    with pytest.raises(CommandError, match="is not a count"):
        debugger.step("x")
    with pytest.raises(AssertionFailed, match="does not hold"):
        debugger.assert_("1 == 2")  # noqa: PT009  # not of unittest
    with pytest.raises(AssertionError, match="there was: no stop"):
        debugger.expect("stop")
    with pytest.raises(AttributeError):
        debugger.stap(3)  # type: ignore[attr-defined]


def test_what_is_raised_knows_its_parts() -> None:
    with pytest.raises(CommandError) as caught:
        session().explain("bb.grad")
    [problem] = caught.value.problems
    assert problem.message == "nothing is called 'bb.grad' (column 1)"
    assert problem.hint == "did you mean 'b'?"


def test_ctrl_c_is_no_wrong_command() -> None:
    def interrupted(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    debugger = session()
    debugger.progress = interrupted
    with pytest.raises(Interrupted, match="what was done is kept"):
        debugger.check()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda row: row.name)
def test_a_notebook_shows_usage_and_help(command: Command) -> None:
    methods = {name.strip("_").replace("_", "-"): name for name in vars(ByName)}
    method = getattr(session(), methods[command.name])
    shown = " ".join(pydoc.plain(pydoc.render_doc(method)).split())
    assert str(inspect.signature(method)).startswith("(*arguments")
    assert method.__name__ == methods[command.name]
    for text in (command.usage, command.summary[1:], command.help, command.data):
        assert " ".join(text.split()) in shown
    assert f"{method.__name__}(self" in pydoc.plain(pydoc.render_doc(Debugger))


def test_a_lesson_reads_well() -> None:
    debugger = Debugger(load("three_layer"))
    debugger.goto("end")
    np.testing.assert_allclose(
        debugger.explain("W1.grad[0, 2]").data["sum"], -0.000346229999158, rtol=1e-9
    )
