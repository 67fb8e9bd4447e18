"""What the screen adds to the formats of core: pictures, Markdown, recordings, a page.

All of them draw what `play` prints. Nothing of the surroundings matters: not the
terminal, not its size, not NO_COLOR.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from rich.console import Console, RenderableType
from rich.segment import Segment

from ...core.base.errors import InputError, LimitError, Problem
from ...core.debugger.debugger import Debugger
from ...core.export.formats import EXPORTERS, Exporter
from ...core.session.expression import Element
from ..draw.look import Look
from ..draw.stage import Stage

if TYPE_CHECKING:
    from textual.app import App

WIDTH: Final = 100
_MOST_STEPS: Final = 5000  # of a page or a recording
_SECONDS: Final = 2.0  # that a step of a recording stays
_CLEAR: Final = "\x1b[2J\x1b[H"
_FONT_FACE: Final = re.compile(r"@font-face\s*\{[^}]*\}\s*")
_FONT: Final = "Fira Code"  # that of rich and Textual, which they fetch from elsewhere
_FALLBACKS: Final = '"DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas'
_FONT_FOLDERS: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
# Files of fonts whose characters are all of one width, and the family of each.
_FONTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DejaVuSansMono*.ttf": "DejaVu Sans Mono",
        "LiberationMono-*.ttf": "Liberation Mono",
        "NotoSansMono-*.ttf": "Noto Sans Mono",
        "UbuntuMono*.ttf": "Ubuntu Mono",
        "Menlo.ttc": "Menlo",
        "consola*.ttf": "Consolas",
    }
)


def with_screen(
    bug: Debugger, shoot: Callable[[], str] | None = None
) -> Mapping[str, Exporter]:
    """Return the exporters of a debugger that has a screen.

    `shoot` takes a picture of the screen as SVG; without it a picture is of the step.
    """

    def svg(bug: Debugger, _element: Element | None) -> str:
        return offline(step_svg(bug) if shoot is None else shoot())

    def png(bug: Debugger, element: Element | None) -> bytes:
        return png_of(svg(bug, element))

    mine: dict[str, Exporter] = {"svg": svg, "png": png, "html": _html}
    return MappingProxyType(
        {**bug.exporters, **EXPORTERS, **mine, "md": _markdown, "cast": _cast}
    )


def camera(app: App[Any]) -> Callable[[], str]:
    """Return a function that takes a picture of an application, from any thread."""

    def shoot() -> str:
        take = partial(app.export_screenshot, title=app.title)
        if app._thread_id == threading.get_ident():  # noqa: SLF001  # as Textual asks
            return take()
        return app.call_from_thread(take)

    return shoot


# -------------------------------------------------------------------------- drawing


def stage_of(bug: Debugger) -> Stage:
    """Return the present iteration of a session as something to draw."""
    return Stage(bug.scenario, bug.trace, Look())


def frames(stage: Stage, width: int = WIDTH) -> Iterator[RenderableType]:
    """Yield the opening, each step, and what came out.

    Raises `LimitError` where there are too many.
    """
    from ..draw.playback import closing, opening
    from ..draw.step import Step

    count = len(stage.trace)
    if count > _MOST_STEPS:
        raise LimitError(
            Problem(
                f"{count:,} events are too many for one file",
                f"{_MOST_STEPS:,} at most; md and `gradstep play` take them all",
            )
        )
    yield opening(stage, width)
    for event in range(count):
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


# --------------------------------------------------------------------------- pictures


def step_svg(bug: Debugger) -> str:
    """Return a picture of the step that was done last."""
    from ..draw.playback import opening
    from ..draw.step import Step

    stage = stage_of(bug)
    console = console_for()
    console.record = True
    if bug.position:
        console.print(Step(stage, [bug.position - 1]))
    else:
        console.print(opening(stage, WIDTH))
    return console.export_svg(title=bug.scenario.title)


def offline(svg: str) -> str:
    """Return a picture without the fonts that it would fetch from the network."""
    return _FONT_FACE.sub("", svg).replace(_FONT, f"{_FONT}, {_FALLBACKS}")


def png_of(svg: str) -> bytes:
    """Return a picture as pixels; it needs the extra `png`, and a font."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise InputError(
            Problem(
                "a PNG needs one more package",
                "pip install 'gradstep[png]', or choose svg",
            )
        ) from None
    files, family = _installed_font()
    text = re.sub(r"font-family:[^;]*;", f"font-family: {family};", svg)
    drawn = svg_to_bytes(
        svg_string=text,
        font_files=files,
        font_family=family,
        monospace_family=family,
        skip_system_fonts=True,
    )
    return bytes(drawn)


def _installed_font() -> tuple[list[str], str]:
    """Return the files and the family of a font whose characters have one width."""
    folders = [Path(name).expanduser() for name in _FONT_FOLDERS]
    for pattern, family in _FONTS.items():
        for folder in folders:
            found = sorted(map(str, folder.rglob(pattern)))
            if found:
                return found, family
    raise InputError(
        Problem(
            "a PNG needs a font of one width, and none is installed",
            f"looked for {', '.join(_FONTS.values())}; install one, or choose svg",
        )
    )


# -------------------------------------------------------- Markdown, recording, page


def _markdown(bug: Debugger, _element: Element | None) -> str:
    from ..draw.playback import Pace, play_markdown

    console = console_for(colours=None)
    stage = stage_of(bug)
    play_markdown(console, stage, range(len(stage.trace)), Pace())
    return _written(console)


def _cast(bug: Debugger, _element: Element | None) -> str:
    """Return a recording: https://docs.asciinema.org/manual/asciicast/v2/."""
    stage, texts = stage_of(bug), list[str]()
    for frame in frames(stage):
        console = console_for(colours="standard")
        console.print(frame)
        texts.append(_written(console))
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


def _written(console: Console) -> str:
    file = console.file
    return file.getvalue() if isinstance(file, io.StringIO) else ""


def _html(bug: Debugger, _element: Element | None) -> str:
    from .page import page

    return page(bug)


def segments(renderable: RenderableType, width: int = WIDTH) -> Iterator[Segment]:
    """Yield the pieces of a drawing, each of one style."""
    console = console_for(width)
    drawn = console.render(renderable, console.options)
    return (piece for piece in drawn if not piece.control)
