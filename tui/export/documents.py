"""A session without a screen: as a picture, a page, Markdown or a recording."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from ...core.debugger.debugger import Debugger
from ..draw.playback import Pace, opening, play_markdown
from ..draw.step import Step
from .frames import WIDTH, console_for, frames, stage_of, written
from .page import page

_SECONDS: Final = 2.0  # that a step of a recording stays
_CLEAR: Final = "\x1b[2J\x1b[H"


def step_svg(bug: Debugger) -> str:
    """Return a picture of the step that was done last."""
    stage = stage_of(bug)
    console = console_for()
    console.record = True
    if bug.position:
        console.print(Step(stage, [bug.position - 1]))
    else:
        console.print(opening(stage, WIDTH))
    return console.export_svg(title=bug.scenario.title)


def markdown(bug: Debugger) -> str:
    """Return every step of a session in Markdown, with tables."""
    console = console_for(colours=None)
    stage = stage_of(bug)
    play_markdown(console, stage, range(len(stage.trace)), Pace())
    return written(console)


def cast(bug: Debugger) -> str:
    """Return a session as a recording: https://docs.asciinema.org/manual/asciicast/v2/."""
    stage, texts = stage_of(bug), list[str]()
    for frame in frames(stage):
        console = console_for(colours="standard")
        console.print(frame)
        texts.append(written(console))
    header = {
        "version": 2,
        "width": WIDTH,
        "height": max(text.count("\n") for text in texts) + 1,
        "title": bug.scenario.title,
    }
    lines: list[object] = [header]
    for number, text in enumerate(texts):
        drawn = _CLEAR + text.replace("\n", "\r\n")
        lines.append([number * _SECONDS, "o", drawn])
    lines.append([len(texts) * _SECONDS, "o", ""])
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


DOCUMENTS: Final[Mapping[str, Callable[[Debugger], str]]] = MappingProxyType(
    {"svg": step_svg, "html": page, "md": markdown, "cast": cast}
)
