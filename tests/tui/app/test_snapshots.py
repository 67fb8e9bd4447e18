"""What the application looks like, kept as text to review, and a few as pictures.

`UPDATE_SNAPSHOTS=1 make tests ARGS="-k snapshots"` writes them anew. A failure writes a
page with both pictures into a temporary folder, and names it.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from difflib import SequenceMatcher
from html import escape, unescape
from pathlib import Path

import pytest

from driving import painted, settle
from gradstep.core.base import exits
from gradstep.core.base.errors import InputError
from gradstep.core.scenario.scenario import builtin_names, load
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.main_screen import MainScreen
from gradstep.tui.app.snapshot import Picture, Wish, parse_size, surroundings, take
from gradstep.tui.cli import main as cli
from gradstep.tui.panes.base.views import VIEWS

KEPT = Path(__file__).parents[1] / "snapshots"
UPDATE = bool(os.environ.get("UPDATE_SNAPSHOTS"))
PLACES = ("30%", "75%")
SIZES = ((80, 24), (120, 36))


def rule(place: str) -> str:
    return f"== {place}\n"


def hold(name: str, seen: str, svg: str = "") -> None:
    """Compare a picture with the one that is kept under a name."""
    path = KEPT / name
    if UPDATE:
        KEPT.mkdir(exist_ok=True)
        path.write_text(seen, "utf-8")
        return
    kept = path.read_text("utf-8") if path.exists() else ""
    if seen != kept:
        page = report(name, kept, seen, svg)
        hint = "UPDATE_SNAPSHOTS=1 accepts what is seen now"
        pytest.fail(f"{name} looks different: {page.as_uri()}\n{hint}", pytrace=False)


def report(name: str, kept: str, seen: str, svg: str = "") -> Path:
    """Write a page with what was kept and what is seen, side by side."""
    if name.endswith(".svg"):
        both = kept, seen
    else:
        both = marked(kept, seen), marked(seen, kept)
    cells = "".join(f"<td>{text}</td>" for text in both)
    page = Path(tempfile.mkdtemp(prefix="gradstep-snapshots-")) / "report.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><title>{escape(name)}</title>'
        "<style>td { vertical-align: top; } td svg { width: 100%; }"
        "mark { background: #ff8; }</style>"
        f"<h1>{escape(name)}</h1><table><tr><th>kept</th><th>seen</th></tr>"
        f"<tr>{cells}</tr></table>{svg}",
        "utf-8",
    )
    return page


def marked(text: str, other: str) -> str:
    """Return the lines of a text in HTML, those marked that the other one lacks."""
    lines, others = text.split("\n"), other.split("\n")
    same = set[int]()
    for block in SequenceMatcher(
        None, lines, others, autojunk=False
    ).get_matching_blocks():
        same.update(range(block.a, block.a + block.size))
    shown = (
        escape(line) if number in same else f"<mark>{escape(line)}</mark>"
        for number, line in enumerate(lines)
    )
    return f"<pre>{'<br>'.join(shown)}</pre>"


# ------------------------------------------------------------------- what is kept


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("name", builtin_names())
def test_snapshots_of_the_main_states(name: str, size: tuple[int, int]) -> None:
    scenario = load(name)
    pictures = [take(scenario, Wish(place, size)) for place in PLACES]
    for picture in pictures:
        assert_fits(picture, size)
    told = zip(PLACES, pictures, strict=True)
    text = "".join(rule(place) + picture.text for place, picture in told)
    hold(f"{name}-{size[0]}x{size[1]}.txt", text, pictures[-1].svg)


def assert_fits(picture: Picture, size: tuple[int, int]) -> None:
    lines = picture.text.splitlines()
    assert len(lines) == size[1]
    assert max(map(len, lines)) <= size[0]


def test_snapshots_of_the_views() -> None:
    scenario = load("three_layer")
    texts = [rule(v) + take(scenario, Wish("75%", view=v)).text for v in VIEWS]
    hold("views.txt", "".join(texts))


@pytest.mark.parametrize("name", ["apple_orange", "three_layer"])
def test_snapshots_of_the_colours(name: str) -> None:
    picture = take(load(name), Wish("60%", (80, 24)))
    hold(f"{name}.svg", picture.svg)


@pytest.mark.skipif(UPDATE, reason="they are being written")
def test_every_snapshot_is_still_taken() -> None:
    names = {f"{n}-{w}x{h}.txt" for n in builtin_names() for w, h in SIZES}
    names |= {"views.txt", "apple_orange.svg", "three_layer.svg"}
    assert {path.name for path in KEPT.iterdir()} == names


# ------------------------------------------------------------------- how it is taken


def test_a_picture_is_the_same_every_time() -> None:
    scenario, wish = load("attention"), Wish("70%", (100, 30))
    assert len({take(scenario, wish) for _ in range(3)}) == 1


SNAPSHOT = """
import sys
from gradstep.tui.cli.main import main
main(["snapshot", "xor", "--at", "50%", "--size", "80x24", "-o", sys.argv[1]])
"""


@pytest.mark.parametrize("ending", ["txt", "svg"])
def test_the_surroundings_do_not_matter(ending: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    arrangement = state / "gradstep" / "arrangement.json"
    arrangement.parent.mkdir(parents=True)
    arrangement.write_text(
        '{"left": 70, "console": 9, "hidden": ["why"], "theme": "gradstep-light"}'
    )
    evil = {
        "NO_COLOR": "1",
        "TEXTUAL_THEME": "dracula",
        "TEXTUAL_ANIMATIONS": "full",
        "TEXTUAL_COLOR_SYSTEM": "standard",
        "TERM": "dumb",
        "COLUMNS": "50",
        "XDG_STATE_HOME": str(state),
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    plain = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    seen = set[bytes]()
    for number, environment in enumerate((evil, plain)):
        path = tmp_path / f"{number}.{ending}"
        command = [sys.executable, "-I", "-c", SNAPSHOT, str(path)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        seen.add(path.read_bytes())
    assert len(seen) == 1
    assert "gradstep-light" in arrangement.read_text()


def test_the_surroundings_come_back(monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    before = dict(os.environ)
    with surroundings():
        assert "NO_COLOR" not in os.environ
        folder = Path(os.environ["XDG_STATE_HOME"])
        assert folder.is_dir()
    assert dict(os.environ) == before
    assert not folder.exists()


def test_a_theme_changes_the_colours_and_nothing_else() -> None:
    scenario = load("xor")
    one = take(scenario, Wish("50%", (80, 24)))
    two = take(scenario, Wish("50%", (80, 24), theme="gradstep-light"))
    assert one.text == two.text
    assert one.svg != two.svg


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["xor", "--size", "12"], "'12' is no size"),
        (["xor", "--size", "9999x3"], "20x5 to 500x200"),
        (["xor", "--view", "nodse"], "did you mean 'nodes'?"),
        (["xor", "-o", "a.svg", "--theme", "gradstep-dakr"], "did you mean 'gradste"),
        (["xor", "--at", "nowhere"], "--at: "),
        (["xor", "-o", "a.jpg"], ".svg, .txt, .png"),
        (["no_such.toml"], "there is no such file"),
    ],
)
def test_what_is_wrong_is_said(arguments, error, capsys) -> None:
    assert cli.run(["snapshot", *arguments]) == exits.WRONG
    assert error in capsys.readouterr().err


def test_a_snapshot_goes_to_a_file_or_to_standard_output(
    tmp_path: Path, capfdbinary
) -> None:
    arguments = ["snapshot", "xor", "--size", "60x20"]
    assert cli.run(arguments) == exits.OK
    text = capfdbinary.readouterr().out
    path = tmp_path / "a.txt"
    assert cli.run([*arguments, "-o", str(path)]) == exits.OK
    assert path.read_bytes() == text
    assert "gradstep" in text.decode()
    assert cli.run([*arguments, "-o", str(path)]) == exits.WRONG


@pytest.mark.parametrize("text", ["", "x", "80", "80x", "x24", "80x24x3", "-1x24"])
def test_a_size_has_two_numbers(text: str) -> None:
    with pytest.raises(InputError, match="is no size"):
        parse_size(text)


# ------------------------------------------------------------------------- the report


def test_a_snapshot_that_differs_fails_with_both_pictures(monkeypatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "UPDATE", False)
    name = "xor-80x24.txt"
    with pytest.raises(pytest.fail.Exception, match="looks different: file:") as failed:
        hold(name, "== 30%\nanother <picture>\n", "<svg></svg>")
    uri = str(failed.value).split("different: ")[1].split("\n")[0]
    page = Path(uri.removeprefix("file://")).read_text("utf-8")
    assert "<mark>another &lt;picture&gt;</mark>" in page
    assert "<svg></svg>" in page
    for line in (KEPT / name).read_text("utf-8").splitlines()[1:3]:
        assert escape(line) in page


# -------------------------------------------------------------- from the application


def lines_of(path: Path) -> list[str]:
    """Return the text of a picture, read from its SVG: words, each with its line."""
    text = path.read_text("utf-8")
    lines: dict[int, str] = {}
    for x, number, word in re.findall(
        r'<text [^>]* x="([\d.]+)" .*?-line-(\d+)\)">([^<]*)</text>', text
    ):
        before = lines.get(int(number), "")
        lines[int(number)] = before.ljust(round(float(x) / 12.2)) + unescape(word)
    return [lines[n].replace("\xa0", " ").rstrip() for n in sorted(lines)]


async def exported(lines: list[str], size: tuple[int, int]) -> list[str]:
    """Execute lines, and return the screen after them as text."""
    app = GradstepApp(load("xor"))
    async with app.run_test(size=size):
        await settle(app)
        assert isinstance(app.screen, MainScreen)
        for line in lines:
            app.screen.run_line(line)
            await settle(app)
        return painted(app.screen)


def test_the_application_exports_the_finished_screen(tmp_path: Path) -> None:
    """Not the one that waits for the export, nor the one before what a script does."""
    plain, scripted, script = (tmp_path / name for name in ("a.svg", "b.svg", "c.gs"))
    script.write_text(f"goto 50%\nexport svg {scripted.name}\n", "utf-8")
    with surroundings():
        seen = asyncio.run(exported(["goto 50%"], (100, 30)))
        asyncio.run(exported(["goto 50%", f"export svg {plain}"], (100, 30)))
        asyncio.run(exported([f"source {script}"], (100, 30)))
    assert "event 13/27" in seen[0]
    above = next(i for i, line in enumerate(seen) if "(gradstep)" in line)
    for path in (plain, scripted):
        assert lines_of(path)[:above] == [line.rstrip() for line in seen[:above]]
