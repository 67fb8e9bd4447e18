"""Scripts that lead: what they do by themselves, and when they go on."""

from __future__ import annotations

import pytest

from gradstep import Debugger, load
from gradstep.core.base.trust import KEYBOARD
from gradstep.core.debugger.leading import Leader, leads, standing
from gradstep.core.session.script import OK, Line, parse_script, run_script

SCRIPT = """
say Press `s`.
wait stepi
assert az == 300
say Stop where z is there.
wait break z
wait continue
assert position == 2
say Look around.
wait
say The end.
"""


class Led:
    """A session with a script that leads, and a person at it."""

    def __init__(self, script: str, name: str = "apple_orange") -> None:
        self.debugger = Debugger(load(name))
        self.leader = Leader(self.debugger, lines(script))
        self.done: list[str] = []  # the lines of the script
        self._follow(self.leader.after(self.debugger, None))

    def _follow(self, line: Line | None) -> None:
        while line is not None:
            self.done.append(line.text)
            reply = self.debugger.execute(line.text, line.trust)
            line = self.leader.after(self.debugger, reply)

    def do(self, *texts: str) -> None:
        for text in texts:
            reply = self.debugger.execute(text)
            self._follow(self.leader.after(self.debugger, reply))

    def go_on(self) -> None:
        self._follow(self.leader.go_on(self.debugger))

    @property
    def waits_for(self) -> str | None:
        return self.leader.wait.line if self.leader.wait else None


def lines(text: str) -> list[Line]:
    return parse_script(text, "tour.gs", KEYBOARD)


def test_a_script_that_waits_for_something_leads() -> None:
    debugger = Debugger(load("apple_orange"))
    assert leads(debugger, lines("say hello\nwai step"))  # an abbreviation
    assert not leads(debugger, lines("say wait\nstep\nnonsense"))


def test_where_no_person_is_a_wait_does_its_line() -> None:
    debugger = Debugger(load("apple_orange"))
    outcome = run_script(lines(SCRIPT), debugger.execute)
    assert (outcome.code, debugger.position) == (OK, 2)
    assert debugger.memory.said == "The end."
    assert [line for line in debugger.memory.script if "say" not in line] == [
        *("stepi", "assert az == 300", "break z", "continue", "assert position == 2"),
    ]


def test_a_wait_answers_what_its_line_answers() -> None:
    debugger = Debugger(load("apple_orange"))
    assert debugger.execute("wait print a").data == 100
    assert debugger.execute("wait break oz").ok
    stop = debugger.execute("wait continue").stop
    assert stop is not None
    assert debugger.execute("expect stop break oz").ok
    assert "no command 'prunt'" in str(debugger.execute("wait prunt").error)
    assert debugger.execute("wait assert 1 == 2").failed
    assert debugger.execute("wait quit 3").code == 3


def test_what_is_said_has_a_length_that_leaves_room() -> None:
    debugger = Debugger(load("apple_orange"))
    assert debugger.execute(f"say {'x' * 300}").ok
    error = debugger.execute(f"say {'x' * 301}").error
    assert error is not None
    assert "at most 300" in error
    assert debugger.execute("say").ok
    assert debugger.memory.said == ""


def test_it_goes_on_when_the_line_was_done() -> None:
    led = Led(SCRIPT)
    assert (led.waits_for, led.done) == ("stepi", ["say Press `s`."])
    led.do("si")
    assert led.waits_for == "break z"
    led.do("b   z")
    assert led.waits_for == "continue"
    led.do("continue")
    assert led.waits_for == ""
    led.do("print a", "stepi")  # only a person can say that it goes on
    assert led.waits_for == ""
    led.go_on()
    assert led.waits_for is None
    assert led.leader.is_over
    assert led.debugger.position == 2  # where the script waited


@pytest.mark.parametrize("way", ["goto 1", "next", "until oz", "break oz; continue"])
def test_a_move_is_done_by_any_way_that_leads_there(way: str) -> None:
    led = Led(SCRIPT)
    led.do(*way.split("; "))
    assert led.waits_for == "break z"


def test_anything_else_is_allowed_and_ends_nothing() -> None:
    led = Led(SCRIPT)
    led.do("goto end", "print a", "nonsense", "explain a.grad", "step", "set a = 1")
    assert led.waits_for == "stepi"
    assert led.leader.is_away(led.debugger)
    led.go_on()  # back in the first run, and the step
    assert led.waits_for == "break z"
    assert standing(led.debugger) == (0, (0, 1))


@pytest.mark.parametrize(
    ("script", "away"),
    [
        ("goto 5\nwait stepi 3", [4, 9, 13]),
        ("goto 5\nwait reverse-stepi 3", [1, 6]),
        ("goto 5\nwait explain a.grad", [4, 6]),
    ],
)
def test_who_is_on_the_way_is_not_elsewhere(script: str, away: list[int]) -> None:
    led = Led(script)
    for place in away:
        led.do(f"goto {place}")
        assert led.leader.is_away(led.debugger)
    led.do("goto 5")
    assert not led.leader.is_away(led.debugger)
    if led.leader.wait and led.leader.wait.goal:
        led.do("stepi" if 4 in away else "reverse-stepi")
        assert not led.leader.is_away(led.debugger)
        place = led.debugger.position
        led.do("set a = 1", f"goto {place}")
        assert led.leader.is_away(led.debugger)  # in another run


def test_what_is_no_move_can_be_done_anywhere_and_leads_back() -> None:
    led = Led("wait explain a.grad\nassert position == 0\nwait step")
    led.do("goto end", "explain t.grad")
    assert led.waits_for == "explain a.grad"
    led.do("explain a.grad")
    assert led.waits_for == "step"
    assert led.debugger.position == 0
    assert not led.leader.failed


def test_a_command_without_arguments_takes_any() -> None:
    led = Led("goto end\nwait explain\nsay done")
    led.do("explain")
    assert led.leader.is_over
    led = Led("goto end\nwait explain\nsay done")
    led.do("e t.grad")
    assert led.leader.is_over


def test_to_look_ahead_changes_nothing() -> None:
    led = Led("break z\ncommands 1 mark here\nwait continue")
    debugger, wait = led.debugger, led.leader.wait
    assert wait is not None
    assert wait.goal == (0, (0, 2))
    assert (debugger.position, debugger.memory.marks) == (0, {})
    assert debugger.memory.stops[1].hits == 0
    led.do("continue")
    assert led.leader.is_over


def test_while_predict_is_on_a_wait_is_for_the_step_not_the_question() -> None:
    led = Led("wait stepi")
    led.do("predict numbers", "stepi")
    assert led.waits_for == "stepi"
    led.do("answer 300")
    assert led.leader.is_over


@pytest.mark.parametrize(
    ("script", "number"),
    [("say a\nassert az == 300\nwait", 2), ("wait step\nwait nonsense\nwait", 2)],
)
def test_a_line_that_fails_ends_it_and_is_told(script: str, number: int) -> None:
    led = Led(script)
    led.do("step")
    assert led.leader.failed == f"tour.gs:{number}"
    assert led.leader.is_over


def test_an_error_that_is_expected_ends_nothing() -> None:
    led = Led("nonsense\nexpect error no command\nwait step")
    assert led.waits_for == "step"
