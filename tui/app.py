"""The application: a picker of scenarios, and the main screen over one debugger.

Data flows one way: a key or a click becomes a command line, the debugger executes it,
and `MainScreen.apply` draws what it answered into every pane at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandPalette, Provider

from ..core.debugger import Debugger
from ..core.errors import InputError
from ..core.scenario import Scenario, load
from .arrangement import load_arrangement, save_arrangement
from .main_screen import MainScreen
from .palette import PROVIDERS
from .picker import Picker
from .themes import THEMES


class Palette(CommandPalette):
    """The palette of Textual, which closes once: Escape and a click may come at once.

    The second of them would close the screen below.
    """

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, unless it is closed."""
        return super().dismiss(result) if self.is_current else AwaitComplete.nothing()


class GradstepApp(App[int]):
    """gradstep in a terminal. It returns the exit code."""

    TITLE = "gradstep"
    CSS_PATH = "gradstep.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {
        *PROVIDERS
    }
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012  # as declared
        (0, "-tiny"),
        (60, "-narrow"),
        (110, "-middle"),
        (160, "-wide"),
    ]
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012  # as declared
        (0, "-flat"),
        (20, "-low"),
        (32, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "suspend", show=False),
    ]

    def __init__(
        self,
        scenario: Scenario | None = None,
        at: str = "",
        script: Path | None = None,
    ) -> None:
        super().__init__()
        self._scenario = scenario
        self._at = at
        self._script = script

    def on_mount(self) -> None:
        """Register the themes, and open the scenario or the picker."""
        for theme in THEMES:
            self.register_theme(theme)
        chosen = load_arrangement().theme
        known = chosen in self.available_themes
        self.theme = chosen if known else THEMES[0].name
        if self._scenario is None:
            self.push_screen(Picker())
        else:
            self.open(self._scenario)

    def open(self, scenario: Scenario) -> None:
        """Show a scenario in the main screen."""
        screen = MainScreen(Debugger(scenario), at=self._at, script=self._script)
        self._at, self._script = "", None  # those were for the first one
        if len(self.screen_stack) > 1:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def action_command_palette(self) -> None:
        """Open the palette."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette(id="--command-palette"))

    def action_help_quit(self) -> None:
        """Say how to leave: Ctrl+C copies."""
        self.notify("q leaves; where you type, Escape comes first.", title="Ctrl+C")

    def choose_theme(self, name: str) -> None:
        """Change the colours, from now on and the next time."""
        self.theme = name
        arrangement = replace(load_arrangement(), theme=name)
        for screen in self.screen_stack:
            if isinstance(screen, MainScreen):
                screen.arrangement = arrangement = replace(
                    screen.arrangement, theme=name
                )
        save_arrangement(arrangement)

    def open_path(self, path: str) -> None:
        """Load a scenario and show it, or say what is wrong with it."""
        try:
            scenario = load(path)
        except InputError as error:
            self.notify(
                str(error),
                title="This file cannot be opened",
                severity="error",
                timeout=20,
                markup=False,
            )
            return
        self.open(scenario)
