"""The changes of an expression in time."""

import pytest

from gradstep import Debugger, load
from gradstep.core.session.changes import last_change


def test_the_last_change_is_where_last_goes() -> None:
    debugger = Debugger(load("apple_orange"))
    debugger.execute("goto end")
    expression = debugger.expression("a.grad")
    change = last_change(debugger, expression)
    assert change is not None
    debugger.execute("last -f a.grad")
    debugger.execute("goto start")
    debugger.execute("last -f a.grad")
    assert debugger.position == change.event
    assert change.after == pytest.approx(3.3)
    debugger.execute("goto start")
    assert last_change(debugger, expression) is None
