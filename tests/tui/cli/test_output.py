import io
import threading

import pytest
from rich.progress import Progress, TaskID

from gradstep.tui.cli import output as screen
from gradstep.tui.cli import tasks
from gradstep.tui.cli.main import run


class Terminal(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


@pytest.mark.parametrize("told", [4, 0])  # of work that tells nothing, too
@pytest.mark.parametrize(
    ("kind", "patience", "is_shown"),
    [(Terminal, 0.0, True), (Terminal, 60.0, False), (io.StringIO, 0.0, False)],
)
def test_a_bar_is_shown_on_a_terminal_when_it_takes_long(
    kind, patience, is_shown, told, monkeypatch, capsys
) -> None:
    stream = kind()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(screen, "_PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm-256color")
    with screen.progress("checking [/x]") as tell:
        for done in range(told):
            tell(done + 1, 4)
        if is_shown:
            assert stream.written.wait(60)
    assert ("checking [/x]" in stream.getvalue()) == is_shown
    assert capsys.readouterr().out == ""


_TELLING = {
    ("show", "xor"): ["loading xor", "computing xor", "drawing xor"],
    ("show", "xor", "--json"): ["loading xor", "computing xor", "writing xor"],
    ("play", "xor", "--to", "1"): ["loading xor", "computing xor"],
    ("grads", "xor"): ["loading xor", "computing xor", "drawing xor"],
    ("grads", "xor", "--json"): ["loading xor", "computing xor", "writing xor"],
    ("check", "xor"): ["loading xor", "computing xor", "checking xor"],
    ("rules", "scalar_product"): [
        "loading scalar_product", "holding the rules of scalar_product",
    ],
    ("export", "xor", "--format", "py"): ["loading xor", "computing xor"],
    ("snapshot", "xor"): ["loading xor", "drawing xor"],
    ("hunt", "gate", "--debug", "--script", "x.gs"): [
        "loading gate", "computing gate", "step",
    ],
    ("debug", "xor"): ["loading xor", "computing xor"],
    ("test", "xor"): ["testing", "looking for remarks"],
}  # fmt: skip


@pytest.mark.parametrize("command", _TELLING, ids=" ".join)
def test_each_command_says_what_it_does_where_that_takes_long(
    command, tmp_path, monkeypatch
) -> None:
    begun: list[str] = []

    def add_task(_bar: Progress, title: str, **_how: object) -> TaskID:
        begun.append(title)
        return TaskID(0)

    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.gs").write_text("step\n")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr(Progress, "add_task", add_task)
    monkeypatch.setattr(Progress, "update", lambda *_, **__: None)
    run(command)
    assert begun == _TELLING[command]


def test_scenarios_that_are_loaded_together_say_so_together(monkeypatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr(
        Progress,
        "update",
        lambda _bar, _task, completed, total: told.append((completed, total)),
    )
    tasks._load_all(["xor", "matmul"])
    shares = [done / of for done, of in told]
    assert shares == sorted(shares)
    assert min(shares) < 0.5 <= max(shares)
