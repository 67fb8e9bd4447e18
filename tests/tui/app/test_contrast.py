"""What is written can be read: measured in the pictures of real screens.

The contrast is that of WCAG 2.2, "contrast ratio" and "relative luminance", computed
here once more. A cell of a picture is 12.2 wide and 24.4 high.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest

from driving import settle
from gradstep.core.scenario.scenario import load, parse
from gradstep.tui.app.app import GradstepApp
from gradstep.tui.app.snapshot import Wish, take
from gradstep.tui.app.themes import CONTRAST, DARK, LIGHT, THEMES
from gradstep.tui.panes.base.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = [theme.name for theme in (DARK, LIGHT, CONTRAST)]
LINES = set("─│╭╮╰╯├┤┬┴┼━┃▁▂▃▄▅▆▇█ \n\xa0")  # what is drawn, not written
ONE_OF_EACH = [0.1, 0.2, 0.3, 0.45, 0.6, 0.7, 0.8, 1.0]  # eighths of the largest
LEVELS = f"""
gradstep = 1
program = "y = sum(x * c)"
[inputs]
x = [{ONE_OF_EACH}, {[-n for n in ONE_OF_EACH]}]
[constants]
c = 1.0
"""


class Word(NamedTuple):
    y: int  # of its line
    x: int  # of its first cell
    text: str
    colour: str
    ground: str


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, two: str) -> float:
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def words(svg: str) -> Iterator[Word]:
    """Yield what is written in a picture, each with the fill that it stands on."""
    colours = dict(re.findall(r"\.([\w-]+-r\d+) \{ fill: (#\w{6})", svg))
    rect = r'<rect fill="(#\w{6})" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"'
    grounds: dict[tuple[int, int], str] = {}
    for fill, x, y, width in re.findall(rect, svg):
        start, line = round(float(x) / 12.2), round((float(y) - 1.5) / 24.4)
        for column in range(start, start + round(float(width) / 12.2)):
            grounds[line, column] = fill
    text = r'<text class="([\w-]+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>'
    for style, across, down, written in re.findall(text, svg):
        y, x = round((float(down) - 20) / 24.4), round(float(across) / 12.2)
        if set(html.unescape(written)) - LINES and style in colours:
            yield Word(y, x, html.unescape(written), colours[style], grounds[y, x])


def test_the_ratio_is_that_of_the_standard() -> None:
    # Known pairs: black on white is 21, the lightest grey that passes is #767676.
    assert ratio("#000000", "#ffffff") == pytest.approx(21)
    assert ratio("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert ratio("#777777", "#ffffff") < 4.5


@pytest.mark.parametrize("theme", OWN)
@pytest.mark.parametrize("view", VIEWS)
def test_what_is_written_can_be_read(theme: str, view: str) -> None:
    picture = take(load("three_layer"), Wish("60%", view=view, theme=theme))
    seen = list(words(picture.svg))
    assert len(seen) > 50
    faint = [word for word in seen if ratio(word.colour, word.ground) < 4.5]
    assert not faint


@pytest.mark.parametrize("theme", OWN)
@pytest.mark.parametrize("name", ["nan_where", "attention", "conv", "dead_relu"])
def test_steps_can_be_read(theme: str, name: str) -> None:
    picture = take(load(name), Wish("80%", (80, 24), theme=theme))
    faint = [w for w in words(picture.svg) if ratio(w.colour, w.ground) < 4.5]
    assert not faint


@pytest.mark.parametrize("theme", OWN)
async def test_the_picker_can_be_read(
    theme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("NO_COLOR", raising=False)
    app = GradstepApp()
    async with app.run_test(size=(120, 36)):
        app.theme = theme
        await settle(app)
        seen = list(words(app.export_screenshot()))
    assert any("FIRST" in word.text for word in seen)
    assert not [w for w in seen if ratio(w.colour, w.ground) < 4.5]


@pytest.mark.parametrize("theme", OWN)
def test_code_formula_and_title_of_a_matrix_have_one_colour(theme: str) -> None:
    wish = Wish("x2.z@backward", theme=theme)
    seen = list(words(take(load("three_layer"), wish).svg))

    def colours(*texts: str) -> set[str]:
        found = [
            [w.colour for w in seen if w.text.strip("\xa0 ▸").startswith(text)]
            for text in texts
        ]
        assert all(found)
        return {one for several in found for one in several[:1]}

    upstream = colours("upstream", "δ2", "@")
    local = colours("local", "W2ᵀ")
    assert len(upstream) == len(local) == len(upstream ^ local) - 1 == 1


@pytest.mark.parametrize("theme", [n for n in THEMES if not n.startswith("ansi")])
def test_every_theme_tells_levels_apart(theme: str) -> None:
    about = parse(LEVELS)
    picture = take(about, Wish("#1", (200, 60), "step", theme))
    seen = list(words(picture.svg))
    number = re.compile(r"-?[01]\.\d\d?")
    cells = [w for w in seen if number.fullmatch(w.text.strip("\xa0 "))]
    first, second = sorted({cell.y for cell in cells})[:2]
    rows = [[cell for cell in cells if cell.y == y][:8] for y in (first, second)]
    cells = [*rows[0], *rows[1]]
    assert [float(w.text.replace("\xa0", "")) for w in cells] == [
        sign * size for sign in (1, -1) for size in ONE_OF_EACH
    ]
    paper = next(w.ground for w in seen if "(2," in w.text)
    [cursor] = {w.ground for w in seen if w.text.startswith("[")}
    assert all(ratio(cell.colour, cell.ground) >= 4.5 for cell in cells)
    for part in rows:
        fills = [paper, *(cell.ground for cell in part)]
        assert min(ratio(one, two) for one, two in pairwise(fills)) >= 1.2
        assert min(ratio(cursor, fill) for fill in fills) >= 1.2
