"""The command `capture` where there is no framework, or nothing to record."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spawned import finished


def capture(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return gradstep(folder, "capture", *words)


def gradstep(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    more = {"GRADSTEP_TRACEBACK": "1"}
    return finished("-m", "gradstep", *words, folder=folder, more=more)


# A script, the exit code, and what is said at the end.
SCRIPTS = {
    "it goes nowhere back": (
        "print(1)",
        2,
        "nothing was recorded: backward was never called; of NumPy, that is",
    ),
    "it fails": (
        "1 / 0",
        1,
        "the script failed after 0 backward passes, before number 1 was recorded",
    ),
    "it exits with a number": ("raise SystemExit(5)", 5, "nothing was recorded"),
    "it exits with a word": ("raise SystemExit('over')", 1, "nothing was recorded"),
    "it has no framework": (
        "import torch_that_is_not_there",
        1,
        "the script failed",
    ),
    "it asks for input": ("input()", 1, "< answers.txt"),
    "it is no Python": ("x = = 1", 2, "run.py:1: is no Python"),
    "it has a NUL": ("x = 1\0", 2, "run.py: is no Python"),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_without_a_recording_ends_in_a_sentence(
    name: str, tmp_path: Path
) -> None:
    code, expected, words = SCRIPTS[name]
    (tmp_path / "run.py").write_text(code, "utf-8")
    done = capture(tmp_path, "run.py")
    assert done.returncode == expected, done.stderr
    assert words in done.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["run.py"]


def test_the_traceback_of_a_script_begins_in_the_script(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("def f():\n    1 / 0\nf()\n", "utf-8")
    lines = capture(tmp_path, "run.py").stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{tmp_path / "run.py"}", line 3, in <module>'
    assert "gradstep" not in "".join(lines[:-1])


def test_a_script_runs_as_under_python(tmp_path: Path) -> None:
    code = "import sys, helper\nprint(sys.argv, __name__, __file__, helper.x)\n"
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "run.py").write_text(code, "utf-8")
    (tmp_path / "inner" / "helper.py").write_text("x = 7", "utf-8")
    words = ("inner/run.py", "a", "b")
    plain = subprocess.run(
        [sys.executable, *words, "--lr", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    done = capture(tmp_path, *words, "--step", "2", "--", "--lr", "2")
    assert done.stdout == plain.stdout


def test_a_module_runs_as_under_python(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("", "utf-8")
    code = "import sys\nfrom . import __name__ as n\nprint(n, __name__, sys.argv[1:])"
    (tmp_path / "pack" / "run.py").write_text(code, "utf-8")
    done = capture(tmp_path, "-m", "pack.run", "a", "--", "-x")
    assert done.stdout == "pack __main__ ['a', '-x']\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none.py"], "none.py: cannot be read: No such file or directory"),
        (["run.py", "--lr", "2"], "flags of the script itself come after --"),
        (["run.py", "-o", "nowhere/x.gradstep"], "nowhere: there is no such folder"),
        (["run.py", "--step", "0"], "allowed: 1 … 1000000000"),
        (["run.py", "--strict", "--opaque"], "--opaque is ignored there"),
    ],
)
def test_what_is_wrong_is_told_before_a_script_runs(
    words: list[str], told: str, tmp_path: Path
) -> None:
    (tmp_path / "run.py").write_text("print('ran')", "utf-8")
    done = capture(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_without_a_terminal_no_script_runs_that_would_be_opened(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("print('ran')", "utf-8")
    done = capture(tmp_path, "run.py", "--open")
    assert (done.returncode, done.stdout) == (2, "")
    assert "gradstep capture: the application needs a terminal" in done.stderr


LARGE = """
import numpy as np
import os
os.mkdir("elsewhere")
os.chdir("elsewhere")
w = np.ones((100, 100))
loss = np.sum(w * w)
dw = 2 * w
w -= dw
"""
# Run with files that may have so many bytes, as on a disk that is full by then.
SMALL_DISK = """
import resource, runpy, sys
most = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
runpy.run_module("gradstep", run_name="__main__", alter_sys=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
@pytest.mark.parametrize("most", [0, 1000, 80_000, 160_500, 10**7])
def test_on_a_full_disk_nothing_is_written(most: int, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(LARGE, "utf-8")
    done = finished(
        *("-c", SMALL_DISK, str(most), "capture", "run.py"),
        folder=tmp_path,
        more={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    there = {path.name for path in tmp_path.rglob("*")}
    if most < 10**7:
        told = f"{tmp_path / 'run.gradstep'}: cannot be written: File too large\n"
        assert (done.returncode, done.stderr) == (2, told)
        assert there == {"run.py", "elsewhere"}
    else:  # beside the script, wherever that went
        assert done.returncode == 0
        assert there == {"run.py", "elsewhere", "run.gradstep"}
        assert (tmp_path / "run.gradstep").stat().st_size > 160_500


# ------------------------------------------------------------------------ NumPy by hand

PAGE = Path(__file__).parents[3] / "docs" / "captures.md"
VERSION = re.compile(r"numpy \d[\w.]*")


def said(text: str) -> str:
    """Return a text in one line, whatever the version of NumPy is."""
    return VERSION.sub("numpy", " ".join(text.split()))


def test_what_the_page_does_with_numpy_is_what_it_says(tmp_path: Path) -> None:
    part = PAGE.read_text("utf-8").partition("## NumPy by hand")[2]
    code = part.partition("```python\n")[2].partition("```")[0]
    shown = part.partition("```\n$ ")[2].partition("```")[0]
    (tmp_path / "net.py").write_text(code, "utf-8")
    tried = 0
    for one in f"$ {shown}".split("$ gradstep ")[1:]:
        line, _, expected = one.partition("\n")
        done = gradstep(tmp_path, *line.split())
        assert said(done.stderr + done.stdout) == said(expected)
        tried += 1
    assert tried == 2


def test_what_a_script_only_defines_can_be_called(tmp_path: Path) -> None:
    code = """
import numpy as np
class Net:
    W = np.array([2.0, 3.0])
    def forward(self, x):
        self.x = x
        return np.sum(self.x * self.W)
    def backward(self, dout):
        return dout * self.W
    def gradient(self, x):
        self.forward(x)
        return self.backward(1.0)
net = Net()
"""
    (tmp_path / "run.py").write_text(code, "utf-8")
    done = capture(tmp_path, "run.py")
    assert "--call CODE runs what the script only defines" in done.stderr
    call = "net.gradient(np.array([1.0, -1.0]))"
    done = capture(tmp_path, "run.py", "--call", call)
    assert done.returncode == 0, done.stderr
    assert "2 gradients of numpy" in done.stderr
    assert "no rule is wrong" in gradstep(tmp_path, "rules", "run.gradstep").stdout


def test_a_call_that_fails_is_told_as_a_script_that_fails(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("x = 1", "utf-8")
    done = capture(tmp_path, "run.py", "--call", "y.gradient()")
    assert done.returncode == 1
    assert "NameError: name 'y' is not defined" in done.stderr
    done = capture(tmp_path, "run.py", "--call", "net.(")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("--call:1: is no Python")
    assert not (tmp_path / "run.gradstep").exists()
