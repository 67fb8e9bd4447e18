"""The pictures of README and docs are what the program draws now."""

import os
import re
from pathlib import Path

import pytest

from gradstep.tui.cli import main as cli
from pictures import FOLDER, PICTURES, box

ROOT = Path(__file__).parents[1]
UPDATE = bool(os.environ.get("UPDATE_SNAPSHOTS"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_the_program_draws(name: str) -> None:
    path = FOLDER / f"{name}.svg"
    made = PICTURES[name]()
    if UPDATE:
        path.write_text(made, "utf-8")
    assert path.read_text("utf-8") == made, "`make pictures` makes it anew"


def test_the_screen_is_that_of_the_command(tmp_path: Path) -> None:
    path = tmp_path / "screen.svg"
    place = ["three_layer", "--at", "x2.z@backward", "-o", str(path)]
    assert cli.run(["snapshot", *place]) == 0
    assert path.read_bytes() == (FOLDER / "screen.svg").read_bytes()


def test_every_picture_is_shown_and_every_one_shown_is_there() -> None:
    shown = set[Path]()
    for page in PAGES:
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text("utf-8")):
            shown.add((page.parent / target).resolve())
    assert shown == {FOLDER / f"{name}.svg" for name in PICTURES}
    assert shown == set(FOLDER.iterdir())


def test_the_readme_begins_with_a_picture() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()[:15]
    assert any("](docs/pictures/screen.svg)" in line for line in lines)


def test_pictures_fetch_nothing_and_run_nothing() -> None:
    for path in FOLDER.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        text = text.replace("https://www.textualize.io", "")
        assert not re.search(r"https?:|<script|<image|@import| href=", text)


def test_a_pane_is_found_by_its_title() -> None:
    text = "x\n╭─ a ─╮╭─ b ──╮\n│     ││      │\n│     │╰──────╯\n╰─────╯"
    assert box(text, "a") == (0, 1, 7, 4)
    assert box(text, "b") == (7, 1, 8, 3)
