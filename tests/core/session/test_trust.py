"""Lines that nobody has typed, on every way that they can come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gradstep.core.base.limits import Limits
from gradstep.core.base.trust import FULL, KEYBOARD, Trust, below
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.debugger.verify import promises
from gradstep.core.scenario.scenario import parse
from gradstep.core.session.script import parse_script, read_script, run_script
from sessions import LAYERS, said, session, wrong

if TYPE_CHECKING:
    from pathlib import Path

    from gradstep.core.session.script import Outcome


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with a lesson below it; a person stands at home."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lesson").mkdir()
    (tmp_path / "lesson" / "lesson.toml").write_text(LAYERS)
    (tmp_path / "notes.txt").write_text("the password is fish\n")
    return tmp_path


def play(home: Path, text: str, trust: Trust = KEYBOARD) -> Outcome:
    script = home / "lesson" / "lesson.gs"
    script.write_text(text)
    return run_script(read_script(script, trust), session().execute)


ATTACKS = (
    "save -f ../.bashrc",
    "save ../new.gs",
    "save .bash_profile",
    "export dot ../new.dot",
    "export py ../conftest.py",
    "export -f dot lesson.dot",
    "export dot lesson.py",
    "source ../notes.txt",
    "source notes.txt",
    "break a\ncommands 1 save ../new.gs\ncontinue",
    "break b\ncommands 1 break E; commands 2 save ../new.gs; continue\ncontinue",
    "source inner.gs",
)


@pytest.mark.parametrize("text", ATTACKS)
def test_a_script_stays_in_its_folder(home: Path, text: str) -> None:
    (home / "lesson" / "inner.gs").write_text("step\nsave ../new.gs\n")
    before = sorted(home.rglob("*"))
    outcome = play(home, f"step\n{text}")
    assert outcome.code == 2
    said = " ".join(outcome.failures)
    assert "may not" in said
    assert "password" not in said
    assert {*home.rglob("*")} - {*before} == {home / "lesson" / "lesson.gs"}


def test_the_lesson_that_wrote_a_start_file_is_refused(home: Path) -> None:
    text = (
        "break a\ncommands 1 $(echo pwned > $HOME/PWNED)\ncontinue\n"
        f"save -f {home}/.bashrc\n"
    )
    (home / ".bashrc").write_text("mine\n")
    (home / "lesson" / "lesson.gs").write_text(text)
    [verdict] = [keep() for keep in promises(home / "lesson" / "lesson.toml").values()]
    assert (verdict.code, verdict.held) == (2, 1)
    assert "lesson.gs:2: there is no command '$(echo'" in verdict.failures[0]
    assert (home / ".bashrc").read_text() == "mine\n"


def test_in_its_folder_it_may_write_what_is_new(home: Path) -> None:
    text = "step\nsave made.gs\nexport dot made.dot\nsource made.gs\n"
    assert play(home, text).code == 0
    assert "step" in (home / "lesson" / "made.gs").read_text()
    assert (home / "lesson" / "made.dot").read_text().startswith("digraph")
    outcome = play(home, text)
    assert "is there already" in outcome.failures[0]


def test_with_trust_it_may_do_what_a_person_may(home: Path) -> None:
    (home / "lesson" / "inner.gs").write_text("save new.gs\n")
    text = f"step\nsave -f {home}/notes.txt\nsource {home}/lesson/inner.gs\n"
    assert play(home, text, FULL).code == 0
    assert "step" in (home / "notes.txt").read_text()
    assert (home / "new.gs").exists()


def test_lines_from_a_pipe_stay_where_the_person_stands(home: Path) -> None:
    trust = KEYBOARD.of_script("<stdin>")
    outcome = run_script(
        parse_script("step\nsave a.gs\nsave ../b.gs", "<stdin>", trust),
        session().execute,
    )
    assert outcome.failures[0].startswith("<stdin>:3: the file '../b.gs' is outside")
    assert (home / "a.gs").exists()


def test_at_the_keyboard_only_what_is_started_is_held_back(home: Path) -> None:
    debugger = session()
    (home / "lesson" / "a.gs").write_text("step\nsave ../new.gs\n")
    assert "may not touch" in wrong(debugger, "source lesson/a.gs")
    said(debugger, "break a")
    said(debugger, f"commands 1 save {home.parent}/new.gs")
    assert "may not touch" in wrong(debugger, "continue")
    assert debugger.trust == KEYBOARD
    said(debugger, f"save {home}/lesson/typed.txt")


def test_commands_of_a_script_stay_there_when_a_person_goes_on(home: Path) -> None:
    (home / "lesson" / "a.gs").write_text("break a\ncommands 1 save made.gs\n")
    debugger = session()
    said(debugger, "source lesson/a.gs")
    assert debugger.memory.stops[1].trust == below(home / "lesson")
    said(debugger, "continue")
    assert not (home / "made.gs").exists()
    assert (home / "lesson" / "made.gs").exists()


def test_the_lines_of_a_stop_are_checked_when_they_are_given(home: Path) -> None:
    debugger = session()
    said(debugger, "break a")
    assert "there is no command 'stap'" in wrong(debugger, "commands 1 step; stap")
    assert debugger.memory.stops[1].commands == ()
    assert home


TRAINED = """
gradstep = 1
program = 'E = w * w'
parameters = { w = 1.0 }
training = { learning_rate = 0.01, iterations = 1000000000 }
"""


@pytest.mark.parametrize("line", ["goto 2000:end", "train 2000", "continue"])
def test_a_script_trains_as_long_as_one_line_may(tmp_path: Path, line: str) -> None:
    """Nobody may be there to interrupt it; a person at the keyboard is."""
    debugger = Debugger(parse(TRAINED, limits=Limits(work=10**8)))
    reply = debugger.execute(line, below(tmp_path))
    assert reply.error is not None
    assert "--limit work=N allows more" in reply.error
    assert debugger.execute("goto 2000:end").ok
