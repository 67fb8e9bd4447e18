"""What `?` shows: what the focused pane is, its keys, and those of the application."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from .keys import keys, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

_WIDTH: Final = 12  # cells for the keys
# What the application itself does with a key.
_OWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        ":": "type a command; Tab completes, Escape leaves",
        "?": "this",
        "q": "leave gradstep",
        "Tab": "the next pane; Shift+Tab: the one before",
        "1-9": "the view at the right: step, nodes, flow, training, …",
        "Space": "play and pause; < slower, > faster",
        "o": "give the pane the whole screen, or take it back",
        "h, H": "hide the pane; bring all back",
        "Ctrl+arrows": "move the borders",
        "Escape": "cancel what goes on; let the cursor follow the steps again",
        "Ctrl+P": "find a command, a node, a scenario or a theme",
        "Ctrl+R": "load the file again",
        "Ctrl+O": "open another scenario; Escape goes back to this one",
        "Ctrl+C": "copy the text over which the mouse was dragged",
    }
)


class Help(ModalScreen[None]):
    """The help of a pane, and the keys that work everywhere."""

    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > VerticalScroll {
        width: 80; max-width: 96%; height: auto; max-height: 90%;
        border: round $primary; background: $background; padding: 0 1;
        border-title-color: $secondary; border-subtitle-color: $secondary;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter,space", "close", "close")
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """Lay out one box that scrolls."""
        with VerticalScroll() as box:
            box.border_title = Text(self._title)
            box.border_subtitle = Text("↑ ↓ scroll, Escape closes")
            yield Static(page(self._text), markup=False)

    def action_close(self) -> None:
        """Close, unless it is closed: two keys may come at once."""
        if self.is_current:
            self.dismiss()


def page(text: str) -> Text:
    """Return the help of a pane with the keys of the application below it."""
    shown = Text(f"{text}\n") if text else Text()
    shown.append("\nEverywhere\n", "bold")
    for key, what in _OWN.items():
        shown.append(key.ljust(_WIDTH), "bold").append(f"{what}\n")
    shown.append("\nCommands\n", "bold")
    said: dict[str, list[str]] = {}
    for key in keys():
        summary = f"{key.line.partition('{')[0].strip()}: {key.summary}"
        said.setdefault(summary, []).append(written(key.key))
    for summary, several in said.items():
        shown.append(" ".join(several).ljust(_WIDTH - 1), "bold")
        shown.append(f" {summary}\n")
    return shown
