"""The themes: light, dark, one with high contrast, and those of Textual."""

from __future__ import annotations

from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

DARK: Final = Theme(
    name="gradstep-dark",
    primary="#7aa2c9",
    secondary="#c9a26b",
    accent="#d78f5b",
    foreground="#d6d8dc",
    background="#15181d",
    surface="#1b1f26",
    panel="#242a33",
    success="#8fb573",
    warning="#d9b25f",
    error="#e06c75",
    dark=True,
)
LIGHT: Final = Theme(
    name="gradstep-light",
    primary="#2f5d8a",
    secondary="#8a5a1f",
    accent="#a8501c",
    foreground="#22262b",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e6e2d9",
    success="#3d6b26",
    warning="#8a6100",
    error="#a3202c",
    dark=False,
)
CONTRAST: Final = Theme(
    name="gradstep-contrast",
    primary="#ffffff",
    secondary="#ffff00",
    accent="#00ffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#595959",
    success="#00ff00",
    warning="#ffff00",
    error="#ff6060",
    dark=True,
)
THEMES: Final[dict[str, Theme]] = {
    theme.name: theme for theme in (DARK, LIGHT, CONTRAST, *BUILTIN_THEMES.values())
}
