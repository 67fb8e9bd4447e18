"""The changes of an expression in time."""

import pytest

from gradstep import Debugger, load
from gradstep.core.session.changes import last_change


def test_the_last_change_is_where_last_goes() -> None:
    bug = Debugger(load("apple_orange"))
    bug.execute("goto end")
    expression = bug.expression("a.grad")
    change = last_change(bug, expression)
    assert change is not None
    bug.execute("last -f a.grad")
    bug.execute("goto start")
    bug.execute("last -f a.grad")
    assert bug.position == change.event
    assert change.after == pytest.approx(3.3)
    bug.execute("goto start")
    assert last_change(bug, expression) is None
