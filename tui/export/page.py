"""A run as one HTML page: every step, and the keys to walk through them.

The page needs nothing but itself: page.html, with page.css and page.js put into it. Its
policy forbids it the network, and all text of a subject is escaped.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from ..draw.playback import facts
from ..draw.stage import Stage, place
from .frames import frames, segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from ...core.engine.graph import Graph


def page(stage: Stage) -> str:
    """Return a run as a page. Raises `LimitError` where it has too many events."""
    subject = stage.subject
    classes: dict[str, str] = {}
    drawn = [_drawn(frame, classes) for frame in frames(stage)]
    lines = [[], *(_lines(stage, event) for event in range(len(stage.trace))), []]
    titles = ["start", *_titles(stage), "end"]
    told = zip(drawn, lines, titles, strict=True)
    return Template(_text("page.html")).substitute(
        title=escape(subject.title),
        summary=escape(subject.summary),
        facts=escape(" · ".join(facts(subject, stage.trace))),
        classes="\n".join(
            f".{name} {{ {css} }}" for css, name in classes.items() if css
        ),
        style=_text("page.css"),
        sources="\n".join(_sources(stage.graph)),
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


# ------------------------------------------------------------------------ the sources


def _sources(graph: Graph) -> Iterator[str]:
    """Yield a list of lines for each source; many have their names above them."""
    for name, first in _firsts(graph).items():
        if len(graph.own) > 1:
            yield f"<h2>{escape(name)}</h2>"
        yield "<ol>"
        for number, line in enumerate(_source(graph, name), first):
            text = escape(line) or " "
            yield f'<li data-line="{number}"><code>{text}</code></li>'
        yield "</ol>"


def _source(graph: Graph, name: str) -> list[str]:
    return graph.sources[name].text.expandtabs(4).rstrip().split("\n")


def _firsts(graph: Graph) -> dict[str, int]:
    """Return the number of the first line of each source, counted through all."""
    firsts, number = dict[str, int](), 1
    for name in graph.own:
        firsts[name] = number
        number += len(_source(graph, name))
    return firsts


def _lines(stage: Stage, event: int) -> list[int]:
    """Return the lines that an event belongs to, the innermost first.

    They are counted through all of the author's own sources.
    """
    graph = stage.graph
    firsts = _firsts(graph)
    return [
        firsts[frame.source] + statement.line - 1
        for _, statement, frame in graph.around(stage.node(event).site)
        if frame.source in firsts
    ]
