import io

import pytest

from gradstep.tui.cli import output as screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "patience", "is_shown"),
    [(Terminal(), 0.0, True), (Terminal(), 60.0, False), (io.StringIO(), 0.0, False)],
)
def test_a_bar_is_shown_on_a_terminal_when_it_takes_long(
    stream, patience, is_shown, monkeypatch, capsys
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(screen, "_PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm-256color")
    with screen.progress("checking [/x]") as tell:
        for done in range(1, 5):
            tell(done, 4)
    assert ("checking [/x]" in stream.getvalue()) == is_shown
    assert capsys.readouterr().out == ""
