"""What a screen adds to the formats of core: picture, page, Markdown, recording."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ...core.base.errors import InputError
from ...core.export.formats import EXPORTERS, Exporter
from ..draw.look import Look
from ..draw.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...core.export.formats import Wanted

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


def with_screen(shoot: Callable[[], str] | None = None) -> Mapping[str, Exporter]:
    """Return the exporters of a session that has a screen.

    `shoot` takes a picture of the screen as SVG; without it a picture is of the step.
    """
    made = {name: partial(_document, name) for name in ("svg", "html", "md", "cast")}

    def svg(wanted: Wanted) -> str:
        return offline(made["svg"](wanted) if shoot is None else shoot())

    def png(wanted: Wanted) -> bytes:
        return png_of(svg(wanted))

    return MappingProxyType({**EXPORTERS, **made, "svg": svg, "png": png})


def _document(name: str, wanted: Wanted) -> str:
    from .documents import DOCUMENTS  # noqa: PLC0415  # 17 ms, never at the start

    stage = Stage(wanted.subject, wanted.trace, Look(first=wanted.first))
    return DOCUMENTS[name](stage, wanted.position, wanted.progress)


def offline(svg: str) -> str:
    """Return a picture without the fonts that it would fetch from the network."""
    return _FONT_FACE.sub("", svg).replace(_FONT, f"{_FONT}, {_FALLBACKS}")


def png_of(svg: str) -> bytes:
    """Return a picture as pixels; it needs the extra `png`, and a font.

    Raises `InputError` where one of them is missing.
    """
    try:
        from resvg_py import svg_to_bytes  # noqa: PLC0415  # only the extra installs it
    except ImportError:
        hint = "pip install 'gradstep[png]', or choose svg"
        raise InputError("a PNG needs one more package", hint) from None
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
    hint = f"looked for {', '.join(_FONTS.values())}; install one, or choose svg"
    raise InputError("a PNG needs a font of one width, and none is installed", hint)
