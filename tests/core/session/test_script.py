"""Scripts: every command counts, and what failed is told with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gradstep.core.base.errors import InputError, Interrupted
from gradstep.core.base.trust import KEYBOARD, below
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.export.records import plain
from gradstep.core.scenario.scenario import parse
from gradstep.core.session.script import (
    Outcome,
    parse_script,
    read_script,
    run_script,
)
from sessions import LAYERS, TRAINING, said, session, wrong

if TYPE_CHECKING:
    from pathlib import Path

    from gradstep.core.session.reply import Reply


def play(
    text: str, *, keep_going: bool = False, debugger: Debugger | None = None
) -> Outcome:
    debugger = debugger or session(LAYERS)
    return run_script(
        parse_script(text, "f.gs", KEYBOARD), debugger.execute, keep_going=keep_going
    )


def test_comments_and_blanks_are_no_commands() -> None:
    lines = parse_script(
        "\n# one\n# two\nstep # there\n\n  stepi  \n", "f.gs", KEYBOARD
    )
    assert [(line.number, line.text) for line in lines] == [
        (4, "step # there"),
        (6, "stepi"),
    ]
    assert lines[0].said == ("one", "two")
    assert lines[1].place == "f.gs:6"


@pytest.mark.parametrize(
    ("text", "code", "commands"),
    [
        ("step\nassert 1 == 1", 0, 2),
        ("step\nassert 1 == 2\nstep", 1, 2),
        ("stap\nstep", 2, 1),
        ("stap\nexpect error\nstep", 0, 3),
        ("stap\nexpect error command\nstep", 0, 3),
        ("stap\nexpect error elephant\nstep", 1, 2),
        ("step\nexpect error", 1, 2),
        ("assert 1 == 2\nexpect error", 0, 2),
        ("continue\nexpect stop end", 0, 2),
        ("continue\nprint 1\nexpect stop end", 1, 3),
        ("continue\nassert 1 == 1\nexpect stop end", 0, 3),
        ("break a\ncontinue\nexpect stop break a", 0, 3),
        ("break a\ncontinue\nexpect stop break b", 1, 3),
        ("break a\ncontinue\nexpect stop watch", 1, 3),
        ("expect stop fish", 2, 1),
        ("quit", 0, 1),
        ("quit 7\nassert 1 == 2", 7, 1),
        ("patch b local\ncheck", 1, 2),
        ("patch b local\ncheck\nexpect error multiply", 0, 3),
        ("check b", 0, 1),
        ("check start", 2, 1),
    ],
)
def test_the_outcome_is_the_exit_code(text: str, code: int, commands: int) -> None:
    outcome = play(text)
    assert (outcome.code, outcome.commands) == (code, commands), outcome.failures
    assert bool(outcome.failures) == (code in (1, 2))


def test_keep_going_counts_every_command() -> None:
    outcome = play("assert 1 == 2\nstap\nassert 2 == 2\nquit", keep_going=True)
    assert (outcome.code, outcome.commands) == (2, 4)
    assert [failure[:6] for failure in outcome.failures] == ["f.gs:1", "f.gs:2"]
    assert outcome.asked
    assert play("assert 1 == 2\nquit 0", keep_going=True).code == 1


def test_a_failure_says_both_sides_the_difference_and_the_position() -> None:
    [failure] = play("goto end\nassert close(c.grad, 3.0)").failures
    assert failure.startswith("f.gs:2: does not hold: close(c.grad, 3.0): ")
    assert "on the left, 3 on the right" in failure
    assert "apart" in failure
    assert "end · event" in failure
    [failure] = play("assert x.shape == W.shape").failures
    assert "(2, 1) on the left, (2, 2) on the right" in failure
    [failure] = play("goto end\nassert all(W == W.grad) and False").failures
    assert "does not hold" in failure


def test_an_interrupt_ends_a_script_with_130() -> None:
    def stop(_done: int, _of: int) -> None:
        raise Interrupted

    debugger = Debugger(parse(TRAINING), progress=stop)
    outcome = play("train 50\nstep", keep_going=True, debugger=debugger)
    assert (outcome.code, outcome.commands) == (130, 1)


def test_an_interrupted_check_keeps_what_was_done() -> None:
    def stop(done: int, _of: int) -> None:
        if done > 5:
            raise Interrupted

    reply = Debugger(parse(LAYERS), progress=stop).execute("check")
    assert reply.interrupted
    assert not reply.ok
    assert reply.show.checks
    assert not reply.show.complete
    assert "comparisons agree" in reply.text[-1]


# ----------------------------------------------------------------------------- files


def test_a_file_that_is_no_script_says_so(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty.gs", tmp_path / "binary.gs"
    empty.write_text("# nothing\n\n")
    binary.write_bytes(b"\xff\xfe\x00")
    for path, says in (
        (empty, "the script is empty"),
        (binary, "not text"),
        (tmp_path / "missing.gs", "no such file"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(InputError, match=says):
            read_script(path)


def test_source_runs_a_file_and_fails_with_it(tmp_path: Path) -> None:
    script = tmp_path / "a.gs"
    script.write_text("step\nassert 1 == 2\nstep\n")
    debugger = session(LAYERS)
    reply = debugger.execute(f"source {script}")
    assert reply.failed
    assert f"{script}:2: does not hold" in (reply.error or "")
    assert debugger.position == 1  # what the script did, it did
    script.write_text("step\nquit 4\nstep\n")
    assert debugger.execute(f"source {script}").code == 4
    script.write_text("source a.gs\n")  # beside itself
    said = wrong(debugger, f"source {script}")
    assert said == f"{script}:1: a.gs:1: scripts nest more than 20 deep"
    (tmp_path / "b.gs").write_text("source c.gs\n")
    (tmp_path / "c.gs").write_text("step\nsource b.gs\n")
    debugger.trust = below(tmp_path)
    said = wrong(debugger, "source b.gs")
    assert said == "b.gs:1: c.gs:2: scripts nest more than 20 deep"


def test_record_and_save_write_a_script_that_passes(tmp_path: Path) -> None:
    debugger = session(TRAINING)
    said(debugger, "record --asserts")
    for line in ("break a", "continue", "print x", "goto end", "print W.grad", "rn"):
        said(debugger, line)
    path = tmp_path / "made.gs"
    said(debugger, f"save {path}")
    assert "is there already" in wrong(debugger, f"save {path}")
    said(debugger, f"save -f {path}")
    text = path.read_text()
    assert "expect stop break" in text
    assert "assert close(W.grad, [[" in text
    assert run_script(read_script(path), session(TRAINING).execute).code == 0
    off = text.replace("assert close(W.grad, [[", "assert close(W.grad, [[1e-9 + ")
    assert off != text
    assert play(off, debugger=session(TRAINING)).code == 1


def replayed(debugger: Debugger, path: Path) -> Debugger:
    said(debugger, f"save {path}")
    again = session(TRAINING)
    outcome = run_script(read_script(path), again.execute)
    assert (outcome.code, outcome.failures) == (0, ())
    assert again.place == debugger.place
    assert len(again.runs) == len(debugger.runs)
    assert list(again.memory.stops) == list(debugger.memory.stops)
    return again


def test_a_recording_begun_in_the_middle_has_the_way_there(tmp_path: Path) -> None:
    debugger = session(TRAINING)
    for line in ("goto 1:z", "goto 1:end", "set x = 3", "break a", "record --asserts"):
        debugger.execute(line)
    for line in ("reverse-step", "print W.grad[0, 0]", "record off", "step 2"):
        said(debugger, line)
    assert wrong(debugger, "record off").startswith("nothing is being recorded")
    said(debugger, "reverse-step 2")
    replayed(debugger, tmp_path / "a.gs")
    text = (tmp_path / "a.gs").read_text()
    assert text.count("\n") == 1 + 3 + 4  # the title, the way, what was recorded
    assert "goto 1:z" not in text  # there is no such place


def test_what_failed_is_saved_where_it_is_expected(tmp_path: Path) -> None:
    debugger = session(TRAINING)
    for line in ("stap", "print nobody", "expect error nothing is called", "step"):
        debugger.execute(line)
    for line in ("stap", "expect error", "save nowhere/at/all.gs", "goto end"):
        debugger.execute(line)
    replayed(debugger, tmp_path / "a.gs")
    assert (tmp_path / "a.gs").read_text().splitlines()[1:] == [
        *("print nobody", "expect error nothing is called", "step"),
        *("stap", "expect error", "goto end"),
    ]


def test_a_line_that_changed_something_and_failed_is_saved(tmp_path: Path) -> None:
    debugger = session(TRAINING)
    for line in ("break b", "commands 1 undisplay 9", "continue", "patch b local"):
        debugger.execute(line)
    assert "check" in debugger.commands
    assert debugger.execute("check").failed
    replayed(debugger, tmp_path / "a.gs")
    lines = (tmp_path / "a.gs").read_text().splitlines()
    assert lines[3:] == ["continue", "expect error", "patch b local"]


@pytest.mark.parametrize("text", ["", " no display"])
def test_what_failed_changed_something_and_was_expected_is_saved_once(
    text: str, tmp_path: Path
) -> None:
    debugger = session(TRAINING)
    for line in ("break b", "commands 1 undisplay 9", "continue"):
        debugger.execute(line)
    said(debugger, f"expect error{text}")
    replayed(debugger, tmp_path / "a.gs")
    lines = (tmp_path / "a.gs").read_text().splitlines()
    assert lines[3:] == [
        "continue",
        "expect error",
        *[f"expect error{text}"] * bool(text),
    ]


def test_a_script_that_was_run_is_saved_line_by_line(tmp_path: Path) -> None:
    debugger, script = session(TRAINING), tmp_path / "inner.gs"
    script.write_text("step\nset x = 2\nstap\nexpect error\nassert 1 == 2\nstep\n")
    assert debugger.execute(f"source {script}").failed
    said(debugger, "expect error does not hold")
    said(debugger, "step")
    script.unlink()
    replayed(debugger, tmp_path / "a.gs")
    lines = (tmp_path / "a.gs").read_text().splitlines()
    assert lines[1:] == ["step", "set x = 2", "stap", "expect error", "step"]


def test_nothing_is_nothing_to_save(tmp_path: Path) -> None:
    assert "nothing to save" in wrong(session(TRAINING), f"save {tmp_path / 'a.gs'}")


def test_float_literals_of_a_record_read_back_to_the_same_bits() -> None:
    debugger = session(LAYERS)
    said(debugger, "goto end")
    said(debugger, "record --asserts")
    said(debugger, "print W.grad / 3")
    [_, _, line] = debugger.memory.recorded or []
    literal = line.partition(", ")[2].rpartition(", rtol")[0]
    np.testing.assert_array_equal(
        said(debugger, f"print {literal}").data, said(debugger, "print W.grad / 3").data
    )


# ------------------------------------------------------------------------------ JSON


def test_a_reply_is_a_record() -> None:
    debugger = session(TRAINING)
    said(debugger, "watch a.grad")
    said(debugger, "display x[0, 0]")
    record = plain(said(debugger, "continue").record(plain))
    assert set(record) == {
        *("seq", "command", "ok", "iteration", "position", "of", "phase", "stop"),
        *("display", "data", "text", "error"),
    }
    assert (record["seq"], record["phase"], record["ok"]) == (3, "backward", True)
    assert record["stop"]["reason"] == "watch"
    assert record["stop"]["before"] is None
    assert np.shape(record["stop"]["after"]) == (2, 1)
    assert record["display"] == [{"number": 1, "expression": "x[0, 0]", "value": 0.5}]
    assert plain(debugger.execute("print 1 / 0").record(plain))["data"] == "Infinity"
    error = debugger.execute("stap").record(plain)
    assert error["error"].startswith("there is no command")
    assert error["stop"] is None


def test_phases() -> None:
    debugger = session(TRAINING)
    seen = [said(debugger, "print 1").phase]
    while True:
        reply: Reply = said(debugger, "stepi")
        if reply.iteration:
            break
        if reply.phase != seen[-1]:
            seen.append(reply.phase)
    assert seen == ["start", "forward", "backward", "end"]
    assert reply.phase == "start"


def test_the_text_of_a_reply_is_how_it_is_written() -> None:
    debugger = session(LAYERS)
    assert repr(said(debugger, "print 1 + 1")) == "1 + 1 = 2"
    assert repr(debugger.execute("stap")).startswith("there is no command")
