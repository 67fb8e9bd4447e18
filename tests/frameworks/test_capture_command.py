"""The command `capture` with PyTorch: what a script does, and what becomes of it."""

import subprocess
from pathlib import Path

import pytest

from gradstep.core.capture.archive import read
from spawned import finished

pytest.importorskip("torch")

SCRIPT = """
import atexit, sys, torch
atexit.register(lambda: print("at the exit"))
x = torch.ones(3, requires_grad=True)
try:
    for k in range(3):
        try:
            loss = (x * 2).sum()
            loss.backward()
        except Exception:
            print("caught")
        print("pass", k)
finally:
    print("finally")
sys.exit(7)
"""


def capture(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "run.py").write_text(SCRIPT, "utf-8")
    more, options = {"GRADSTEP_TRACEBACK": "1"}, ("capture", "run.py", *words)
    return finished("-m", "gradstep", *options, folder=folder, more=more)


def test_a_script_is_stopped_once_its_pass_is_recorded(tmp_path: Path) -> None:
    done = capture(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["finally", "at the exit"]
    told = done.stderr.splitlines()
    assert told[0].startswith("run.gradstep: 4 nodes, 3 gradients of torch 2")
    assert told[1] == "next: gradstep run run.gradstep"
    assert read(tmp_path / "run.gradstep").about.command == "run.py"


def test_with_go_on_a_script_ends_as_it_would(tmp_path: Path) -> None:
    done = capture(tmp_path, "--go-on", "--step", "2", "-o", "two.gradstep", "--", "-x")
    assert done.returncode == 7
    passes = ["pass 0", "pass 1", "pass 2"]
    assert done.stdout.splitlines() == [*passes, "finally", "at the exit"]
    about = read(tmp_path / "two.gradstep").about
    assert (about.step, about.command) == (2, "run.py -x")


def test_a_pass_that_never_comes_is_told_with_the_last_one(tmp_path: Path) -> None:
    done = capture(tmp_path, "--step", "9")
    assert done.returncode == 7
    assert done.stderr.startswith("there were 3 backward passes, and number 9 was")
    assert not (tmp_path / "run.gradstep").exists()


def test_no_source_leaves_no_line_of_the_script(tmp_path: Path) -> None:
    capture(tmp_path, "--no-source")
    raw = (tmp_path / "run.gradstep").read_bytes()
    assert b"x * 2" not in raw
    assert b"caught" not in raw
    assert read(tmp_path / "run.gradstep").subject.graph.names["loss"] == 3


def test_a_limit_on_memory_refuses_with_the_number(tmp_path: Path) -> None:
    done = capture(tmp_path, "--max-bytes", "16")
    assert done.returncode == 2
    assert "take more than 16 bytes; --max-bytes" in done.stderr
    assert not (tmp_path / "run.gradstep").exists()
