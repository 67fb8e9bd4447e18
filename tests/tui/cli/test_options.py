"""Each option changes something, wherever it is accepted."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from gradstep.core.base.exits import OK, WRONG
from gradstep.tui.cli import arguments, opening, scripts
from gradstep.tui.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Sequence

LESSON: Final = """
gradstep = 1
title = "Größe"
program = '''
k = W[0, 0]
y = tanh(W @ x)
E = sum(y ** 2) + k
'''
[parameters]
W = { random = "normal", shape = [30, 40], seed = 1, scale = 0.1 }
[inputs]
x = { random = "normal", shape = [40, 2], seed = 2 }
[expect]
E = 1
[questions]
"end" = { ask = "Is it more?", choices = ["yes", "no"], answer = "yes" }
[own]
"W.grad" = { random = "normal", shape = [30, 40], seed = 3 }
[training]
learning_rate = 0.1
iterations = 3
[hidden]
rule = "y<-y._1"
mistake = "local"
"""
# It writes outside of its folder, and goes on after a line that is wrong.
SCRIPT: Final = (
    "print W[0, 0] / 3\nprint W\nstepi\nsave ../other.gs\nexplain zz\nprint 1\n"
)

# A value for each argument that takes one.
VALUES: Final[dict[str | tuple[str, str], str]] = {
    "--log": "log.jsonl",
    "--indices": "1",
    "--at": "2:y",
    "--delay": "0.01",
    "--element": "W.grad[0, 1]",
    "--format": "dot",
    "--from": "y",
    "--junit": "out.xml",
    "--limit": "nodes=2",
    "--on-purpose": "W",
    "--only": "x",
    "--output": "out.svg",
    "--own": "own.npz",
    "--precision": "9",
    "--rtol": "1e-15",
    "--sample": "1",
    "--scheme": "forward",
    "--seed": "3",
    "--script": "lesson.gs",
    "--size": "80x24",
    "--slice": "W[0:3, 5]",
    "--step": "1e-3",
    "--steps": "nodes",
    "--theme": "gradstep-light",
    "--to": "y",
    "--view": "nodes",
    "--width": "40",
    ("capture", "--step"): "2",
    "--call": "again()",
    "--command": "print 1",
    "--max-bytes": "10",
    "--pair": "scale=unscale",
}
# A script that `capture` records: as a file, and as a module of the same name.
NET: Final = """
import numpy as np

class Layer:
    W = np.array([[2.0, 3.0], [0.5, -1.0]])
    def forward(self, x):
        self.x = x
        return np.dot(x, self.W)
    def backward(self, dout):
        self.dW = np.dot(self.x.T, dout)
        return np.dot(dout, self.W.T)

def scale(x, s):
    return x * s, (x, s)
def unscale(dout, cache):
    x, s = cache
    return dout * s, np.sum(dout * x)

layer = Layer()
def again():
    y, cache = scale(layer.forward(np.ones((1, 2))), np.float64(0.5))
    loss = np.sum(y ** 2)
    dy, ds = unscale(2 * y, cache)
    layer.backward(dy)
    layer.W -= 0.1 * layer.dW
for step in range(3):
    again()
print("the end")
"""
ODD: Final = """
import numpy as np
x = np.array([0.5, 2.0])
y = np.sinc(x) + x
loss = np.sum(y)
dy = np.ones(2)
dx = 2 * dy
print("the end")
"""
# What each command is given besides, so that it works.
GIVEN: Final = {
    "list": [],
    "new": ["new.toml"],
    "export": ["lesson.toml", "--format", "tex", "--element", "W"],
    "test": ["lesson.toml"],
    "tour": [],
    "capture": ["net"],
}
# What else an option needs to have something to do.
BESIDES: Final = {
    ("export", "--format"): ["lesson.toml"],
    ("export", "--at"): ["lesson.toml", "--format", "svg"],
    ("export", "--element"): ["lesson.toml", "--format", "tex"],
    ("snapshot", "--theme"): ["lesson.toml", "--output", "out.svg"],
    ("play", "--keep-going"): ["lesson.toml", "--trust"],
    ("debug", "--keep-going"): ["lesson.toml", "--trust"],
    ("hunt", "--keep-going"): ["lesson.toml", "--trust"],
    ("hunt", "--random"): ["--limit", "nodes=9"],
    ("hunt", "--seed"): ["--random"],
    ("capture", "--strict"): ["odd"],
}
_MODES: Final = ("--script", "--output")  # those with a value that do something else
COMMANDS: Final = arguments.COMMANDS


def modes(command: arguments.Command) -> list[list[str]]:
    """Return what else is done where a flag is given: nothing, a script, JSON, …."""
    flags = [one.flags[-1] for one in command.arguments if one.flags]
    flags = [one for one in flags if one not in VALUES or one in _MODES]
    return [[], *([flag, *value(flag)] for flag in flags)]


def value(flag: str, name: str = "") -> list[str]:
    found = VALUES.get((name, flag)) or VALUES.get(flag)
    return [found] if found else []


class Seen:
    """Runs command lines in a folder, and tells all that comes of them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "lessons"
        self.folder.mkdir()
        monkeypatch.chdir(self.folder)
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        self.done: list[Any] = []
        monkeypatch.setattr("time.sleep", self.done.append)
        monkeypatch.setattr(opening, "has_terminal", lambda: True)
        monkeypatch.setattr(opening, "application", self.application)
        monkeypatch.setattr(scripts, "builtin_names", lambda: ["apple_orange"])
        self.patch = monkeypatch

    def application(self, *what: Any, **how: Any) -> Any:
        """Stand in for the application: what it is opened with is done."""
        self.done.append((what, how))
        return self

    return_code = 0

    def run(self) -> int:
        return OK

    def all_of(self, words: Sequence[str]) -> Any:
        """Return the code, what is printed, what is written and what is waited for."""
        for path in (*self.folder.iterdir(), self.folder.parent / "other.gs"):
            path.unlink(missing_ok=True)
        for name, text in (("net", NET), ("odd", ODD)):
            Path(name).write_text(text, "utf-8")
            Path(f"{name}.py").write_text(text, "utf-8")
        Path("lesson.toml").write_text(LESSON, "utf-8")
        Path("lesson.gs").write_text(SCRIPT, "utf-8")
        np.savez("own.npz", x=np.ones((40, 2)))
        if "--force" in words or "there" in words:
            Path("out.svg").write_text("", "utf-8")
            Path("new.toml").write_text("", "utf-8")
        self.done.clear()
        streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
        stdin = io.TextIOWrapper(io.BytesIO(SCRIPT.encode()), "utf-8")
        with self.patch.context() as patch:
            for attribute in ("argv", "path"):  # a script is given its own
                patch.setattr(sys, attribute, [*getattr(sys, attribute)])
            patch.setitem(sys.modules, "__main__", sys.modules["__main__"])
            patch.setattr(sys, "dont_write_bytecode", True)
            patch.setattr(sys, "stdin", stdin)
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            code = run([word for word in words if word != "there"])
        for stream in streams:
            stream.flush()
        said = [stream.buffer.getvalue().decode() for stream in streams]
        untimed = [
            re.sub(r'_seconds": [\d.e-]+|[\d.]+ m?s\b', "", text) for text in said
        ]
        there = [*self.folder.iterdir(), self.folder.parent / "other.gs"]
        files = {path.name: path.read_bytes() for path in there if path.exists()}
        return code, untimed, files, [*self.done]


# What only PyTorch has a use for: tests/frameworks tries it.
LIVE: Final = {("capture", "--opaque")}


def is_refused(result: Any) -> bool:
    code, (_, said), *_ = result
    return code == WRONG and ("is ignored there" in said or "not allowed with" in said)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        (name, one.flags[-1])
        for name, command in COMMANDS.items()
        for one in command.arguments
        if one.flags and (name, one.flags[-1]) not in LIVE
    ],
)
def test_each_option_changes_something_or_is_refused(
    name: str, flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, worked = Seen(tmp_path, monkeypatch), False
    given = BESIDES.get((name, flag)) or GIVEN.get(name, ["lesson.toml"])
    there = ["there"] * (flag == "--force")
    for mode in modes(COMMANDS[name]):
        words = [name, *given, *mode, *there]
        without = seen.all_of(words)
        if flag in mode or is_refused(without):
            continue
        found = seen.all_of([*words, flag, *value(flag, name)])
        assert found != without or is_refused(found), mode
        worked = worked or not is_refused(found)
    assert worked or [flag, *value(flag)] in modes(COMMANDS[name])


def test_an_option_of_the_first_scenario_needs_one(capsys) -> None:
    assert run(["run", "--at", "E"]) == WRONG
    assert "--at is ignored there; it belongs to SCENARIO" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--echo", "--keep-going", "--json"])
def test_what_is_about_a_pipe_is_refused_at_a_prompt(
    flag: str, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "is_terminal", lambda file: True)
    assert run(["debug", "xor", flag]) == WRONG
    said = capsys.readouterr().err
    assert f"gradstep debug: {flag} is ignored there; it is about lines" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "xor", "--at", "E", "--format", "py"], "py has every step"),
        (["snapshot", "xor", "--theme", "gradstep-light"], "a text has no colours"),
    ],
)
def test_what_a_format_has_no_use_for_is_refused(
    words: list[str], said: str, capsys
) -> None:
    assert run(words) == WRONG
    assert said in capsys.readouterr().err
