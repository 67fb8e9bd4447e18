"""A run without a screen: as a picture, a page, Markdown or a recording."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..draw.playback import Pace, opening, play_markdown
from ..draw.step import Step
from .frames import WIDTH, console_for, frames, written
from .page import page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...core.base.progress import Progress
    from ..draw.stage import Stage

_SECONDS: Final = 2.0  # that a step of a recording stays
_CLEAR: Final = "\x1b[2J\x1b[H"


def step_svg(stage: Stage, position: int) -> str:
    """Return a picture of the step that was done last."""
    console = console_for()
    console.record = True
    if position:
        console.print(Step(stage, [position - 1]))
    else:
        console.print(opening(stage, WIDTH))
    return console.export_svg(title=stage.subject.title)


def markdown(stage: Stage, progress: Progress | None = None) -> str:
    """Return every step of a run in Markdown, with tables."""
    console = console_for(colours=None)
    play_markdown(console, stage, range(len(stage.trace)), Pace(), progress=progress)
    return written(console)


def cast(stage: Stage, progress: Progress | None = None) -> str:
    """Return a run as a recording: https://docs.asciinema.org/manual/asciicast/v2/."""
    texts: list[str] = []
    for frame in frames(stage, progress=progress):
        console = console_for(colours="standard")
        console.print(frame)
        texts.append(written(console))
    header = {
        "version": 2,
        "width": WIDTH,
        "height": max(text.count("\n") for text in texts) + 1,
        "title": stage.subject.title,
    }
    lines: list[object] = [header]
    for number, text in enumerate(texts):
        drawn = _CLEAR + text.replace("\n", "\r\n")
        lines.append([number * _SECONDS, "o", drawn])
    lines.append([len(texts) * _SECONDS, "o", ""])
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


# What is drawn of a run; only a picture is of one position in it.
DOCUMENTS: Final[Mapping[str, Callable[[Stage, int, Progress], str]]] = (
    MappingProxyType(
        {
            "svg": lambda stage, position, _: step_svg(stage, position),
            "html": lambda stage, _, progress: page(stage, progress),
            "md": lambda stage, _, progress: markdown(stage, progress),
            "cast": lambda stage, _, progress: cast(stage, progress),
        }
    )
)
