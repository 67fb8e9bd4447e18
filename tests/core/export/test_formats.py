"""The command `export`: what needs no screen, and what is wrong with the rest."""

from pathlib import Path

import pytest

from gradstep.core.base.errors import Interrupted
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.export.formats import EXPORTERS, FORMATS
from gradstep.core.export.numpy_code import numpy_code
from gradstep.core.scenario.scenario import load, parse


@pytest.fixture
def debugger() -> Debugger:
    return Debugger(load("three_layer"))


def test_the_formats_of_core_are_formats() -> None:
    assert set(EXPORTERS) < set(FORMATS)


def test_a_program_is_written_once_and_replaced_on_demand(
    debugger: Debugger, tmp_path: Path
) -> None:
    path = tmp_path / "with blanks.py"
    assert debugger.execute(f"export py '{path}'").ok
    assert path.read_text("utf-8") == numpy_code(debugger.subject, debugger.trace.run)
    reply = debugger.execute(f"export py '{path}'")
    assert reply.error is not None
    assert "there already; export -f replaces it" in reply.error
    assert debugger.execute("set W1[0, 0] = 3").ok
    assert debugger.execute(f"export -f py '{path}'").ok
    assert path.read_text("utf-8") == numpy_code(debugger.subject, debugger.trace.run)


@pytest.mark.parametrize("element", ["W1", "W1.grad[0, 2]", "δ2", "x1.z[-1, 0]"])
def test_a_derivation_is_about_an_element(
    element: str, debugger: Debugger, tmp_path: Path
) -> None:
    path = tmp_path / "a.tex"
    assert debugger.execute(f"export tex {element} {path}").ok
    assert path.read_text("ascii").startswith("\\documentclass")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("export", "export as what"),
        ("export py", "export as what"),
        ("export py 'a", "export as what"),
        ("export pyy FILE", "'pyy' is no format; did you mean 'py'?"),
        ("export tex FILE", "the derivation of which gradient?"),
        ("export tex W9 FILE", "W9"),
        ("export tex t FILE", "no gradient flows to t"),
        ("export py W1 FILE", "only tex is about one element"),
        ("export html FILE", "html needs a screen"),
        ("export dot FILE/x", "cannot be written"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    line: str, error: str, debugger: Debugger, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    reply = debugger.execute(line.replace("FILE", str(path)))
    assert reply.error is not None
    assert error in reply.error
    assert list(tmp_path.iterdir()) == []


def test_a_screen_adds_its_own_formats(debugger: Debugger, tmp_path: Path) -> None:
    debugger.exporters = {**debugger.exporters, "png": lambda *_: b"\x89\r\n\x00"}
    path = tmp_path / "a.png"
    assert debugger.execute(f"export png {path}").ok
    assert path.read_bytes() == b"\x89\r\n\x00"


@pytest.mark.parametrize("line", ["py FILE", "dot FILE", "tex W FILE"])
def test_an_export_tells_how_far_it_is_and_can_be_given_up(
    line: str, tmp_path: Path
) -> None:
    shared = "\n".join(f"v{n} = W * {n}.0" for n in range(100))
    total = " + ".join(f"v{n}" for n in range(100))
    text = f"gradstep = 1\nprogram = '''\n{shared}\nE = {total}\n'''\n"
    debugger = Debugger(parse(f"{text}[parameters]\nW = 3.0\n"))
    told: list[tuple[int, int]] = []
    debugger.progress = lambda done, of: told.append((done, of))
    path = tmp_path / "file"
    command = f"export {line.replace('FILE', str(path))}"
    assert debugger.execute(command).ok
    assert {done for done, _ in told} >= {0, 64}
    assert all(done < of for done, of in told)
    path.unlink()

    def give_up(done: int, _of: int) -> None:
        if done:
            raise Interrupted

    debugger.progress = give_up
    reply = debugger.execute(command)
    assert reply.interrupted
    assert reply.error == f"interrupted; {path} is not written"
    assert not path.exists()
