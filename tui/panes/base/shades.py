"""Colours by how bright they are, so that all can be read and told apart.

Luminance and contrast are those of WCAG 2: of a colour from 0 for black to 1 for white,
and of two colours the larger luminance to the smaller, both raised by 0.05.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

if TYPE_CHECKING:
    from rich.color import Color as Paint

_HAZE: Final = 0.05  # what is added to every luminance
_READABLE: Final = 4.6  # the least contrast of text; 4.5 is asked for, before rounding
_STEP: Final = 1.26  # contrast of neighbouring levels
_HALVINGS: Final = 8
_BRIGHT: Final = Style(dim=False)


def luminance(colour: Color) -> float:
    """Return how bright a colour is, from 0 to 1."""
    red, green, blue = map(_linear, colour.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, two: Color) -> float:
    """Return the contrast of two colours, from 1 to 21.

    >>> contrast(Color(255, 255, 255), Color(0, 0, 0))
    21.0
    """
    low, high = sorted((luminance(one), luminance(two)))
    return (high + _HAZE) / (low + _HAZE)


def levels(colour: Color, ground: Color, count: int) -> list[Color]:
    """Return shades of a colour, further and further away from a ground.

    Neighbours have one contrast, whatever the colour: the ground alone decides it.
    """
    start = luminance(ground) + _HAZE
    light, dark = (1 + _HAZE) / start, start / _HAZE
    step = min(_STEP, max(light, dark) ** (1 / count))
    if dark > light:
        step = 1 / step
    return [
        _shaded(colour, start * step**level - _HAZE) for level in range(1, count + 1)
    ]


def legible(ground: Color) -> Color:
    """Return black or white, which can be read better: the contrast is 4.58 or more."""
    black, white = Color(0, 0, 0), Color(255, 255, 255)
    return max(black, white, key=lambda text: contrast(text, ground))


def _shaded(colour: Color, wanted: float) -> Color:
    """Mix a colour with black or white, up to a luminance."""
    found = luminance(colour)
    if wanted <= found:
        parts = [_linear(part) * wanted / (found or 1) for part in colour.normalized]
    else:
        white = (wanted - found) / (1 - found)
        parts = [_linear(p) + (1 - _linear(p)) * white for p in colour.normalized]
    red, green, blue = (round(255 * _encoded(part)) for part in parts)
    return Color(red, green, blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _encoded(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


class Faint(LineFilter):
    """Draws what is dim as faint as can still be read on its ground."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Give the segments that are dim their colour."""
        return [
            Segment(text, _faint(style, background.rich_color), control)
            if style is not None and style.dim
            else Segment(text, style, control)
            for text, style, control in segments
        ]


@lru_cache(1024)
def _faint(style: Style, around: Paint) -> Style:
    ground = around if style.bgcolor is None or style.bgcolor.is_default else None
    ground = ground or style.bgcolor
    if style.color is None or ground is None:
        return style
    if style.color.triplet is None or ground.triplet is None:
        return style  # colours of the terminal: only it knows what is dim
    text, below = Color(*style.color.triplet), Color(*ground.triplet)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        if contrast(below.blend(text, share), below) < _READABLE:
            low = share
        else:
            high = share
    return style + Style(color=below.blend(text, high).rich_color) + _BRIGHT
