"""A run as drawings, the same everywhere: what `play` prints, step by step.

Nothing of the surroundings matters: not the terminal, not its size, not NO_COLOR.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final, Literal

from rich.console import Console, RenderableType

from ...core.base.errors import LimitError
from ...core.base.progress import with_progress
from ..draw.playback import closing, opening
from ..draw.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.segment import Segment

    from ...core.base.progress import Progress
    from ..draw.stage import Stage

WIDTH: Final = 100
MOST_STEPS: Final = 5000  # of a page or a recording


def frames(
    stage: Stage, width: int = WIDTH, progress: Progress | None = None
) -> Iterator[RenderableType]:
    """Yield the opening, each step, and what came out.

    Raises `LimitError` where there are too many.
    """
    count = len(stage.trace)
    if count > MOST_STEPS:
        hint = f"{MOST_STEPS:,} at most; md and `gradstep play` take them all"
        raise LimitError(f"{count:,} events are too many for one file", hint)
    yield opening(stage, width)
    for event in with_progress(range(count), progress):
        yield Step(stage, [event])
    yield closing(stage, width)


def console_for(
    width: int = WIDTH, colours: Literal["standard", "truecolor"] | None = "truecolor"
) -> Console:
    """Return a console that writes to memory, the same everywhere."""
    return Console(
        width=width,
        height=1000,
        file=io.StringIO(),
        color_system=colours,
        force_terminal=colours is not None,
        force_interactive=False,
        no_color=False,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )


def written(console: Console) -> str:
    """Return what a console of `console_for` holds."""
    file = console.file
    return file.getvalue() if isinstance(file, io.StringIO) else ""


def segments(renderable: RenderableType, width: int = WIDTH) -> Iterator[Segment]:
    """Yield the pieces of a drawing, each of one style."""
    console = console_for(width)
    drawn = console.render(renderable, console.options)
    return (piece for piece in drawn if not piece.control)
