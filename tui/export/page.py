"""A run as one HTML page: every step, and the keys to walk through them.

The page needs nothing but itself: page.html, with page.css and page.js put into it. Its
policy forbids it the network, and all text of a scenario is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

from rich.console import RenderableType
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from ...core.engine.graph import Graph, Site
from ..draw.playback import facts
from ..draw.stage import Stage, place
from .frames import frames, segments


def page(stage: Stage) -> str:
    """Return a run as a page. Raises `LimitError` where it has too many events."""
    scenario = stage.scenario
    classes: dict[str, str] = {}
    drawn = [_drawn(frame, classes) for frame in frames(stage)]
    lines = [[], *(_lines(stage, event) for event in range(len(stage.trace))), []]
    titles = ["start", *_titles(stage), "end"]
    told = zip(drawn, lines, titles, strict=True)
    return Template(_text("page.html")).substitute(
        title=escape(scenario.title),
        summary=escape(scenario.summary),
        facts=escape(" · ".join(facts(scenario, stage.trace))),
        classes="\n".join(
            f".{name} {{ {css} }}" for css, name in classes.items() if css
        ),
        style=_text("page.css"),
        program="\n".join(_program(stage.graph)),
        steps="\n".join(
            f'<section id="step{number}" data-lines="{_numbers(at)}" '
            f'data-title="{escape(title)}"><pre>{text}</pre></section>'
            for number, (text, at, title) in enumerate(told)
        ),
        last=len(drawn) - 1,
        script=_text("page.js"),
    )


def _text(name: str) -> str:
    """Return a file that lies beside this module."""
    text = Path(__file__).with_name(name).read_text("utf-8")
    return text if name == "page.html" else text.removesuffix("\n")


def _numbers(lines: Sequence[int]) -> str:
    return " ".join(map(str, lines))


def _titles(stage: Stage) -> Iterator[str]:
    for event in range(len(stage.trace)):
        yield " · ".join(place(stage, [event]))


def _drawn(frame: RenderableType, classes: dict[str, str]) -> str:
    """Return a drawing in HTML; a style that is new gets a class."""
    pieces: list[str] = []
    for piece in segments(frame):
        text = escape(piece.text)
        css = piece.style.get_html_style(DEFAULT_TERMINAL_THEME) if piece.style else ""
        if css and text.strip():
            name = classes.setdefault(css, f"s{len(classes)}")
            text = f'<span class="{name}">{text}</span>'
        pieces.append(text)
    return re.sub(r" +\n", "\n", "".join(pieces)).rstrip()


# ------------------------------------------------------------------------ the program


def _program(graph: Graph) -> Iterator[str]:
    source = graph.sources.get("program", "").expandtabs(4).rstrip()
    for number, line in enumerate(source.split("\n"), 1):
        text = escape(line) or " "
        yield f'<li data-line="{number}"><code>{text}</code></li>'


def _lines(stage: Stage, event: int) -> list[int]:
    """Return the lines of the program that an event belongs to, the innermost first."""
    graph = stage.graph
    site: Site | None = stage.subject(event).site
    found: list[int] = []
    while site is not None:
        frame = graph.frames[graph.statements[site.statement].frame]
        if frame.source == "program":
            found.append(graph.statements[site.statement].line)
        site = frame.call
    return found
