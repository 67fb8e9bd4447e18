"""What a screen or the palette asks the application for.

It is asked by messages, so that neither has to know the application.
"""

from __future__ import annotations

from textual.message import Message


class Open(Message):
    """Open a scenario: the name of a built-in one, or the path of a file."""

    def __init__(self, path: str, *, tour: bool = False) -> None:
        super().__init__()
        self.path = path
        self.tour = tour  # with the script that leads through it


class Pick(Message):
    """Let a person choose another scenario."""

    def __init__(self, instead_of: str) -> None:
        super().__init__()
        self.instead_of = instead_of  # what the session is about that stays until then


class UseTheme(Message):
    """Change the colours, from now on and the next time."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
