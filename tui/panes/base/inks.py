"""How a pane writes: inks as a table says them, in the colours of a theme."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rich.style import Style
from textual.color import Color

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLOUR: Final = re.compile(r"(on )?\$([\w-]+)(?: (\d+)%)?")


def colour(said: str, colours: Mapping[str, str]) -> Color:
    """Return the first colour that an ink names.

    >>> colour("bold $accent 50%", {"accent": "#ff0000"})
    Color(255, 0, 0, a=0.5)
    """
    _, name, share = _COLOUR.findall(said)[0]
    return Color.parse(colours[name]).multiply_alpha(int(share or 100) / 100)


def ink(said: str, colours: Mapping[str, str], ground: Color) -> Style:
    """Return an ink as a table says it: words of rich, and colours of a theme by name.

    With a share, a colour is mixed with that of the ground.

    >>> colours = {"accent": "#ff0000", "panel": "#0000ff"}
    >>> str(ink("bold $accent 50% on $panel", colours, Color(0, 0, 0)))
    'bold #7f0000 on #0000ff'
    """
    style = Style.parse(_COLOUR.sub("", said))
    for found in _COLOUR.finditer(said):
        mixed = (ground + colour(found[0], colours)).rich_color
        style += Style(bgcolor=mixed) if found[1] else Style(color=mixed)
    return style
