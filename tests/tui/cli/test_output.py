import io
import threading

import pytest

from gradstep.tui.cli import output as screen


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
