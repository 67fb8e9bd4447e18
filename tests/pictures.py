"""Make the pictures of README and docs anew: `make pictures`.

Whole screens are what `gradstep snapshot` writes, byte for byte. A part is cut out of
such a screen, and a recording lays several over each other, one at a time.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gradstep.core.engine.trace import Trace
from gradstep.core.scenario.scenario import load
from gradstep.tui.app.snapshot import Picture, Wish, take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

FOLDER: Final = Path(__file__).parents[1] / "docs" / "pictures"
SECONDS: Final = 1.6  # that a frame of a recording stays

_CELL: Final = (12.2, 24.4)  # pixels of a character, as rich draws it
_FONT: Final = '"DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace'
_RULE: Final = re.compile(r"\.(terminal-\d+-r\d+) \{ ([^}]*) \}")
_RECT: Final = re.compile(r'<rect (fill="[^"]*") (x="[^"]*" y="([^"]*)"[^>]*)/>')
_TEXT: Final = re.compile(
    r'<text class="([^"]*)" (x="([^"]*)" y="([^"]*)" textLength="[^"]*")[^>]*>'
    r"([^<]*)</text>"
)


class Drawn(NamedTuple):
    """The screen of a picture as elements of SVG: its grounds, then its words."""

    grounds: Sequence[str]
    words: Sequence[str]


def elements(picture: Picture) -> Drawn:
    """Return what a picture is made of, with styles in place of classes."""
    styles = dict(_RULE.findall(picture.svg))
    screen = picture.svg.partition("clip-terminal)")[2]
    grounds = [f"<rect {fill} {rest}/>" for fill, rest, _ in _RECT.findall(screen)]
    words = [
        f'<text style="{styles[name].replace(" ", "")}" {place}>{_plain(text)}</text>'
        for name, place, _, _, text in _TEXT.findall(screen)
    ]
    return Drawn(grounds, words)


def _plain(text: str) -> str:
    return text.rstrip("\n").replace("&#160;", "\u00a0")


def whole(
    width: float, height: float, x: float, y: float, inside: Iterable[str]
) -> str:
    """Return a picture of so many pixels, from a place of the screen on."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x:g} {y:g} {width:g} '
        f'{height:g}" width="{width:g}">\n'
        f"<style>text {{ font: 20px {_FONT}; white-space: pre; }}</style>\n"
        + "\n".join(inside)
        + "\n</svg>\n"
    )


# ------------------------------------------------------------------------------- parts


def box(text: str, title: str) -> tuple[int, int, int, int]:
    """Return the columns and the lines of the pane that has a title.

    >>> box("╭─ a ─╮╭─ b ─╮\\n│     ││     │\\n╰─────╯╰─────╯", "b")
    (7, 0, 7, 3)
    """
    lines = text.splitlines()
    found = re.compile(f"╭─* ?{title}")
    top, match = next((n, m) for n, m in enumerate(map(found.search, lines)) if m)
    left = match.start()
    right = lines[top].index("╮", left)
    bottom = next(n for n in range(top, len(lines)) if lines[n][left] == "╰")
    return left, top, right - left + 1, bottom - top + 1


def part(picture: Picture, title: str) -> str:
    """Return the pane that has a title, cut out of a screen."""
    left, top, columns, lines = box(picture.text, title)
    x, y = left * _CELL[0], top * _CELL[1]
    width, height = columns * _CELL[0], lines * _CELL[1]
    drawn = elements(picture)

    def is_inside(element: str) -> bool:
        at = {name: float(n) for name, n in re.findall(r' (x|y)="([^"]*)"', element)}
        return x - 1 < at["x"] < x + width - 1 and y < at["y"] < y + height

    inside = filter(is_inside, (*drawn.grounds, *drawn.words))
    ground = f'<rect fill="#15181d" x="{x:g}" y="{y:g}" width="100%" height="100%"/>'
    return whole(width, height, x, y, (ground, *inside))


# -------------------------------------------------------------------------- recordings


def recording(pictures: Sequence[Picture]) -> str:
    """Return screens one after the other, again and again; what stays is drawn once."""
    drawn = [elements(picture) for picture in pictures]
    columns = max(map(len, pictures[0].text.splitlines()))
    lines = len(pictures[0].text.splitlines())
    layers = [f"<style>{turning(len(drawn))}</style>"]
    for kind in ("grounds", "words"):
        frames = [getattr(one, kind) for one in drawn]
        count = Counter(element for frame in frames for element in set(frame))
        still = {element for element in frames[0] if count[element] == len(frames)}
        layers += [element for element in frames[0] if element in still]
        for number, frame in enumerate(frames):
            moving = "".join(element for element in frame if element not in still)
            layers.append(f'<g class="frame frame{number}">{moving}</g>')
    return whole(columns * _CELL[0], lines * _CELL[1], 0, 0, layers)


def turning(count: int) -> str:
    """Return the rules that show so many frames in turn; or the last one at rest."""
    waits = (f".frame{n} {{ animation-delay: {n * SECONDS:g}s }}" for n in range(count))
    return (
        "@keyframes turn { 0% { visibility: visible } "
        f"{100 / count:.4f}% {{ visibility: hidden }} }} "
        ".frame { visibility: hidden; "
        f"animation: turn {SECONDS * count:g}s step-end infinite }} "
        f"{' '.join(waits)} "
        "@media (prefers-reduced-motion) { .frame { animation: none } "
        f".frame{count - 1} {{ visibility: visible }} }}"
    )


# --------------------------------------------------------------------------- the table


def screen(name: str, **wish: object) -> Callable[[], Picture]:
    """Return how a screen is made, as `gradstep snapshot NAME …` makes it."""
    return lambda: take(load(name), Wish(**wish))  # pyright: ignore[reportArgumentType]


LAYERS: Final = screen("three_layer", at="x2.z@backward")
SMALL: Final = (100, 30)


def steps(name: str) -> str:
    """Return a recording of all steps of a scenario."""
    count = len(Trace(load(name).subject.run()))
    places = ["start", *(f"#{number}" for number in range(1, count + 1))]
    return recording([screen(name, at=at, size=SMALL)() for at in places])


# The pictures by name, without .svg.
PICTURES: Final[Mapping[str, Callable[[], str]]] = {
    "screen": lambda: LAYERS().svg,
    "steps": lambda: steps("apple_orange"),
    "program": lambda: part(LAYERS(), "Program"),
    "graph": lambda: part(LAYERS(), "Graph"),
    "step": lambda: part(LAYERS(), "(event|1|Step)"),
    "why": lambda: part(LAYERS(), "Why"),
    "small": lambda: screen("three_layer", at="x2.z@backward", size=(80, 24))().svg,
    "present": lambda: (
        screen("three_layer", at="x3.z@backward", size=SMALL, present=True)().svg
    ),
    "flow": lambda: screen("vanishing", at="end", size=SMALL, view="flow")().svg,
    "nan": lambda: screen("nan_where", at="end", size=SMALL, view="nodes")().svg,
}


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(make(), "utf-8")


if __name__ == "__main__":
    main()
