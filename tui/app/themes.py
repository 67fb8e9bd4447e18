"""The themes: light, dark, one with high contrast, and those of Textual."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from textual.theme import BUILTIN_THEMES, Theme

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLOURS: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {  # dark, light, with high contrast
        "primary": ("#7aa2c9", "#2f5d8a", "#ffffff"),
        "secondary": ("#c9a26b", "#8a5a1f", "#ffff00"),
        "accent": ("#d78f5b", "#98450f", "#00ffff"),
        "foreground": ("#d6d8dc", "#22262b", "#ffffff"),
        "background": ("#15181d", "#fbfaf7", "#000000"),
        "surface": ("#1b1f26", "#f3f1ec", "#000000"),
        "panel": ("#242a33", "#e6e2d9", "#595959"),
        "success": ("#8fb573", "#3d6b26", "#00ff00"),
        "warning": ("#d9b25f", "#8a6100", "#ffff00"),
        "error": ("#e06c75", "#a3202c", "#ff6060"),
    }
)
# Of the titles of the matrices that a step multiplies, and of what they come from.
_ROLES: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "upstream": ("#7fc0a0", "#1d6b4c", "#00ff80"),
        "local": ("#b79be0", "#6b3fa0", "#ff9bff"),
    }
)


def _theme(name: str, column: int, *, dark: bool) -> Theme:
    colours: Mapping[str, Any] = {use: row[column] for use, row in _COLOURS.items()}
    roles = {role: row[column] for role, row in _ROLES.items()}
    return Theme(f"gradstep-{name}", dark=dark, variables=roles, **colours)


def _with_roles(theme: Theme) -> Theme:
    """Return a theme of Textual with colours for what a step multiplies."""
    roles = {
        "upstream": theme.success or theme.primary,
        "local": theme.warning or theme.primary,
    }
    return replace(theme, variables={**roles, **theme.variables})


DARK: Final = _theme("dark", 0, dark=True)
LIGHT: Final = _theme("light", 1, dark=False)
CONTRAST: Final = _theme("contrast", 2, dark=True)
THEMES: Final[dict[str, Theme]] = {
    theme.name: theme
    for theme in (DARK, LIGHT, CONTRAST, *map(_with_roles, BUILTIN_THEMES.values()))
}
