"""A run as one HTML page: every step, and the keys to walk through them.

The page needs nothing but itself: page.html, with page.css and page.js put into it. Its
policy forbids it the network and every script but its own, and all text of a subject is
escaped.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from ...core.base.errors import LimitError
from ...core.base.garbage import undisturbed
from ...core.base.progress import with_progress
from ..draw.playback import facts
from ..draw.stage import Stage, pass_of
from .drawn_graph import drawn_graph, marks
from .frames import MOST_STEPS
from .questions import forms
from .sections import gallery, section, step_section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...core.base.progress import Progress
    from ...core.engine.graph import Graph
    from ...core.engine.subject import When
    from ...core.ops.table import Array

_WITHOUT_SCRIPT: Final = "section { display: block; } form { display: none; }"


def page(stage: Stage, progress: Progress | None = None) -> str:
    """Return a run as a page. Raises `LimitError` where it has too many events."""
    stage = stage._replace(in_code=False)
    subject, trace = stage.subject, stage.trace
    if len(trace) > MOST_STEPS:
        hint = f"{MOST_STEPS:,} at most; md and `gradstep play` take them all"
        raise LimitError(f"{len(trace):,} events are too many for one file", hint)
    graph = drawn_graph(stage)
    firsts = _firsts(stage.graph)
    asked = forms(stage)
    lines = [_lines(stage, event, firsts) for event in range(len(trace))]
    with undisturbed():
        steps = [
            step_section(
                stage,
                event,
                {"lines": at, **marks(graph, trace.event(event))},
                asked.get(event + 1, ""),
            )
            for event, at in enumerate(with_progress(lines, progress))
        ]
    style, script = _text("page.css"), _text("page.js")
    return Template(_text("page.html")).substitute(
        title=escape(subject.title or subject.name),
        summary=escape(subject.summary),
        facts=escape(" · ".join(facts(subject, trace))),
        styles=" ".join(map(_hash, (style, _WITHOUT_SCRIPT))),
        scripts=_hash(script),
        style=style,
        without_script=_WITHOUT_SCRIPT,
        sources="\n".join(_sources(stage.graph)),
        graph=graph.svg,
        steps="\n".join([_opening(stage, asked), *steps, _closing(stage, asked)]),
        chapters="".join(_chapters(stage)),
        last=len(trace) + 1,
        script=script,
    )


def _text(name: str) -> str:
    """Return a file that lies beside this module."""
    text = Path(__file__).with_name(name).read_text("utf-8")
    return text if name == "page.html" else text.removesuffix("\n")


def _hash(text: str) -> str:
    """Return what a policy calls a script or a style that it allows."""
    digest = hashlib.sha256(f"\n{text}\n".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


# ------------------------------------------------------------------- start and end


def _opening(stage: Stage, asked: Mapping[int, str]) -> str:
    run = stage.trace.run
    leaves = [
        (node.name, run.value(node.index))
        for node in stage.graph
        if node.op is None and not node.is_literal
    ]
    what = "what it starts from"
    return _outside(stage, 0, "start", what, leaves, asked.get(0, ""))


def _closing(stage: Stage, asked: Mapping[int, str]) -> str:
    trace, number = stage.trace, len(stage.trace) + 1
    leaves = [
        (f"{node.name}.grad", trace.run.gradient(node.index))
        for node in stage.graph
        if node.kind in {"input", "parameter"}
    ]
    found = [(name, array) for name, array in leaves if array is not None]
    what = "the gradients"
    return _outside(stage, number, "end", what, found, asked.get(number, ""))


def _outside(
    stage: Stage,
    number: int,
    when: When,
    what: str,
    arrays: Sequence[tuple[str, Array]],
    below: str,
) -> str:
    """Return what is there before the first event, or after the last."""
    note = stage.note(when, 0 if when == "start" else len(stage.trace))
    return section(
        number,
        {"title": when, "lines": []},
        [
            f"<h2>{when}</h2>",
            f"<p>{escape(stage.subject.summary)}" if when == "start" else "",
            f"<p class=what>{what}",
            gallery(arrays, stage.look.first),
            f"<p class=note>{escape(note)}" if note else "",
            below,
        ],
    )


# ------------------------------------------------------------------------ the timeline


def _chapters(stage: Stage) -> Iterator[str]:
    """Yield a link for each run of events of one pass and one statement."""
    for (when, name), events in groupby(
        range(len(stage.trace)), lambda event: _chapter(stage, event)
    ):
        first, *more = events
        yield (
            f'<li data-events="{1 + len(more)}"><a class="{when}" href="#{first + 1}" '
            f'title="{when} {escape(name)}">{escape(name)}</a>'
        )


def _chapter(stage: Stage, event: int) -> tuple[str, str]:
    """Return the pass of an event, and what the outermost statement assigns."""
    node = stage.node(event)
    around = list(stage.graph.around(node.site))
    name = around[-1][1].target if around else node.name
    return pass_of(stage.trace, event), name


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


def _lines(stage: Stage, event: int, firsts: Mapping[str, int]) -> list[int]:
    """Return the lines that an event belongs to, the innermost first.

    They are counted through all of the author's own sources, from `firsts` on.
    """
    graph = stage.graph
    return [
        firsts[frame.source] + statement.line - 1
        for _, statement, frame in graph.around(stage.node(event).site)
        if frame.source in firsts
    ]
