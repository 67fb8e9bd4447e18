"""What the screen exports: pictures, Markdown, recordings; and `gradstep export`."""

import json
import re
import struct
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from gradstep.core.base import exits
from gradstep.core.base.errors import Interrupted, LimitError
from gradstep.core.debugger.debugger import Debugger
from gradstep.core.export.formats import FORMATS, Wanted, ending
from gradstep.core.scenario.scenario import builtin_names, load, parse
from gradstep.core.words.indices import First
from gradstep.tui.cli import main as cli
from gradstep.tui.export import exports
from gradstep.tui.export.exports import offline, png_of, with_screen

EVIL = """<script>alert(1)</script> & "x" ]]> [bold] \\u001b[31m"""


def debugger_of(name: str, at: str = "start") -> Debugger:
    debugger = Debugger(load(name))
    debugger.exporters = with_screen()
    assert debugger.execute(f"goto {at}").ok
    return debugger


def wanted(debugger: Debugger, first: First = 0) -> Wanted:
    about = debugger.subject, debugger.trace, debugger.position
    return Wanted(*about, debugger.progress, first=first)


def exported(debugger: Debugger, name: str, first: First = 0) -> str:
    content = debugger.exporters[name](wanted(debugger, first))
    assert isinstance(content, str)
    return content


def has_font() -> bool:
    try:
        exports._installed_font()
    except exports.InputError:
        return False
    return True


needs_a_font = pytest.mark.skipif(
    not has_font(), reason="no font of one width is installed"
)


def test_every_format_has_an_exporter() -> None:
    assert set(debugger_of("xor").exporters) == set(FORMATS)


def shown(svg: str) -> str:
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return unescape("".join(texts)).replace("\xa0", " ")


@pytest.mark.parametrize("at", ["start", "50%", "end"])
@pytest.mark.parametrize("name", ["apple_orange", "conv", "nan_where"])
def test_a_picture_is_svg_that_needs_no_network(name: str, at: str) -> None:
    debugger = debugger_of(name, at)
    svg = exported(debugger, "svg")
    assert svg == exported(debugger, "svg")
    assert debugger.subject.title in shown(svg)
    if debugger.position:
        assert f"{debugger.position} of {len(debugger.trace)}" in shown(svg)
    links = set(re.findall(r"https?://[^\"')\s]*", svg))
    assert links <= {"http://www.w3.org/2000/svg", "https://www.textualize.io"}
    assert "@font-face" not in svg
    assert "@import" not in svg


def test_a_picture_of_the_screen_is_taken_where_there_is_one() -> None:
    debugger = debugger_of("xor")
    face = "@font-face { src: url(https://example.org) }"
    exporters = with_screen(lambda: f"<svg>{face}Fira Code</svg>")
    picture = exporters["svg"](wanted(debugger))
    assert picture == offline(f"<svg>{face}Fira Code</svg>")
    assert "example" not in str(picture)


def size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@needs_a_font
def test_a_png_is_the_picture_in_pixels() -> None:
    pytest.importorskip("resvg_py", reason="the extra png is not installed")
    debugger = debugger_of("three_layer", "60%")
    svg = exported(debugger, "svg")
    png = debugger.exporters["png"](wanted(debugger))
    assert isinstance(png, bytes)
    box = [float(n) for n in re.findall(r'viewBox="([^"]*)"', svg)[0].split()]
    assert size_of(png) == (round(box[2]), round(box[3]))
    # The words are there: without them it is another picture.
    empty = re.sub(r"(<text[^>]*>)[^<]*", r"\1", svg)
    assert png_of(empty) != png


def test_without_the_extra_a_png_says_what_to_install(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert cli.run(["export", "xor", "--format", "png"]) == exits.WRONG
    assert "pip install 'gradstep[png]'" in capsys.readouterr().err


def test_without_a_font_a_png_says_so(monkeypatch) -> None:
    pytest.importorskip("resvg_py", reason="the extra png is not installed")
    monkeypatch.setattr(exports, "_FONT_FOLDERS", ())
    with pytest.raises(exports.InputError, match="none is installed"):
        png_of("<svg/>")


def test_markdown_is_what_play_writes() -> None:
    text = exported(debugger_of("apple_orange", "50%"), "md")
    golden = Path(__file__).parents[1] / "golden" / "apple_orange.md"
    assert text.splitlines()[0] == golden.read_text("utf-8").splitlines()[0]
    assert text.count("\n## ") == 13 + 1
    assert "\x1b" not in text


@pytest.mark.parametrize("name", builtin_names())
def test_a_recording_can_be_played(name: str) -> None:
    debugger = debugger_of(name)
    header, *events = map(json.loads, exported(debugger, "cast").splitlines())
    assert header["version"] == 2
    # The opening, the steps, the closing, and the time that the last one stays.
    assert len(events) == len(debugger.trace) + 3
    times = [event[0] for event in events]
    assert times == sorted(set(times))
    for _, kind, text in events:
        assert kind == "o"
        assert text.count("\n") == text.count("\r\n") < header["height"]
        plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
        assert "\x1b" not in plain
        assert max(map(len, plain.splitlines() or [""])) <= header["width"]


def test_text_of_others_is_text_in_all_formats() -> None:
    scenario = parse(
        f'gradstep = 1\ntitle = "{EVIL.replace(chr(34), chr(39))}"\n'
        f"summary = '''{EVIL}'''\nprogram = 'y = x * x   # {EVIL}'\n[inputs]\nx = 2.0"
    )
    debugger = Debugger(scenario)
    debugger.exporters = with_screen()
    assert "<script>alert" in shown(exported(debugger, "svg"))
    recorded = [
        json.loads(line) for line in exported(debugger, "cast").splitlines()[1:]
    ]
    assert all("\x1b[31m" not in event[2] for event in recorded)
    # The page's own script is the only one.
    assert exported(debugger, "html").count("<script") == 1


def test_a_trace_that_is_too_long_is_refused() -> None:
    lines = "\n".join(f"x{k + 1} = sin(x{k})" for k in range(2600))
    debugger = Debugger(
        parse(f"gradstep = 1\nprogram = '''\n{lines}\n'''\n[inputs]\nx0 = 1.0")
    )
    debugger.exporters = with_screen()
    for name in ("html", "cast"):
        with pytest.raises(LimitError, match="5,201 events are too many"):
            exported(debugger, name)
    assert "5201 of 5201" in exported(debugger, "md")


@pytest.mark.parametrize("name", ["html", "md", "cast"])
def test_an_export_that_is_given_up_writes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    debugger, told = debugger_of("conv", "3"), list[int]()
    events = len(debugger.trace)

    def give_up(done: int, of: int) -> None:
        assert (done, of) == (0, events)
        told.append(done)
        raise Interrupted

    debugger.progress = give_up
    reply = debugger.execute(f"export {name} a.{name}")
    assert (reply.interrupted, told, list(tmp_path.iterdir())) == (True, [0], [])
    assert reply.position == 3


# ---------------------------------------------------------------- the command line


@pytest.mark.parametrize("name", [n for n in FORMATS if n not in {"png", "tex"}])
def test_the_name_of_a_file_says_the_format(name: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / f"a{ending(name)}"
    place = ["--at", "40%"] if name in {"svg", "png"} else []  # others have every step
    arguments = ["export", "matmul", "-o", str(path), *place]
    assert cli.run(arguments) == exits.OK
    assert str(path) in capsys.readouterr().out
    debugger = debugger_of("matmul", "40%" if place else "start")
    assert path.read_text("utf-8") == exported(debugger, name)
    assert cli.run(arguments) == exits.WRONG
    assert "--force writes over it" in capsys.readouterr().err
    assert cli.run([*arguments, "--force"]) == exits.OK


def test_without_a_file_it_goes_to_standard_output(capfdbinary) -> None:
    arguments = ["export", "xor", "--format", "tex", "--element", "W1.grad[0, 1]"]
    assert cli.run(arguments) == exits.OK
    assert capfdbinary.readouterr().out.startswith(b"\\documentclass")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["xor"], "which one?"),
        (["xor", "-o", "a.htm"], "did you mean 'html'?"),
        (["xor", "--format", "htm"], "did you mean 'html'?"),
        (["xor", "--format", "tex"], "the derivation of which gradient?"),
        (["xor", "--format", "tex", "--element", "W9"], "W9"),
        (["xor", "--format", "py", "--at", "nowhere"], "--at: "),
        (["xor", "--format", "py", "-o", "no/such/folder.py"], "cannot be written"),
        (["no_such_file.toml", "--format", "py"], "there is no such file"),
    ],
)
def test_what_is_wrong_is_said(arguments, error, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["export", *arguments]) == exits.WRONG
    assert error in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_surroundings_do_not_matter(tmp_path: Path) -> None:
    program = "from gradstep.tui.cli.main import main; main()"
    texts = set[bytes]()
    for number, environment in enumerate(
        [{}, {"NO_COLOR": "1", "COLUMNS": "33", "TERM": "dumb"}, {"FORCE_COLOR": "1"}]
    ):
        path = tmp_path / f"{number}.svg"
        arguments = ["export", "xor", "--at", "30%", "-o", str(path)]
        subprocess.run(
            [sys.executable, "-I", "-c", program, *arguments],
            env=environment,
            check=True,
            capture_output=True,
        )
        texts.add(path.read_bytes())
    assert len(texts) == 1


@pytest.mark.parametrize("name", ["html", "md", "svg"])
def test_rows_and_columns_count_from_one_where_that_is_wanted(name: str) -> None:
    debugger = debugger_of("matmul", "end")
    one, other = (exported(debugger, name, first) for first in (0, 1))
    assert one != other
    if name == "html":
        assert "<tr><th>2<td" in other
        assert "<tr><th>0<td" in one
        assert "<tr><th>0<td" not in other
        assert "W.grad₂₁ = " in other


def test_what_is_code_has_the_indices_of_python(capsys) -> None:
    assert cli.run(["export", "matmul", "--format", "py", "--indices", "1"]) == 2
    assert "--indices is ignored there: py is code" in capsys.readouterr().err
