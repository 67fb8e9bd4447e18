"""What stands over the panes: the help of `?`, and the letters of Ctrl+G."""

from __future__ import annotations

from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ..panes.base.background import SOON
from .keys import keys, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.events import Click, Key

    from ..panes.base.pane import Pane

_WIDTH: Final = 12  # cells for the keys
# What the application itself does with a key.
_OWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        ":": "type a command; Tab completes, Escape leaves",
        "?": "this",
        "q": "leave gradstep",
        "Tab": "the next pane; Shift+Tab: the one before",
        "1-9, 0": "the view at the right: step, nodes, flow, training, …",
        "Space": "play and pause; < slower, > faster",
        "o": "give the pane the whole screen, or take it back",
        "h, H": "hide the pane; bring all back",
        "Ctrl+arrows": "move the borders",
        "Escape": "cancel what goes on; let the cursor follow the steps again",
        "Ctrl+G": "a letter on each pane jumps there",
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
        Binding("escape,q,question_mark,f1,enter,space", "close", "close")
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


class Opening(ModalScreen[None]):
    """What is told while a scenario is loaded; Escape closes it."""

    DEFAULT_CSS = """
    Opening { align: center middle; }
    Opening > Static {
        width: auto; max-width: 96%; height: auto; padding: 0 2;
        border: round $primary; background: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close")]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._begun = name, monotonic()

    @property
    def answers_soon(self) -> bool:
        """Tell whether a key waits for what is loaded: most is loaded at once."""
        return monotonic() - self._begun < SOON

    def compose(self) -> ComposeResult:
        """Lay out one line."""
        yield Static(self._said(""), markup=False)

    def _said(self, share: str) -> str:
        return f"opening {self._name}{share} …  Escape gives it up"

    def tell(self, done: int, of: int) -> None:
        """Say how far it is."""
        for line in self.query(Static):
            line.update(self._said(f" {100 * done // of} %" if of else ""))

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


class Target(NamedTuple):
    """A pane that can be jumped to."""

    letter: str  # the key that jumps to it
    pane: Pane  # where the letter stands
    goes_to: str  # the id of the widget in it that gets the focus; "" for the pane


class Jump(ModalScreen[str]):
    """A letter on every pane. It returns the id of the widget to go to, "" for none."""

    DEFAULT_CSS: ClassVar[str] = """
    Jump > Static {
        position: absolute; width: auto; height: 1;
        background: $panel; color: $foreground;
    }
    Jump > #how { dock: bottom; position: relative; width: 100%; }
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self._targets = targets

    def compose(self) -> ComposeResult:
        """Lay out a letter with a title for each pane, and what they are for."""
        for letter, pane, _ in self._targets:
            text = Content.assemble(_key(letter), f" {pane.TITLE} ")
            yield Static(text, markup=False, classes="letter")
        how = Content.assemble(
            _key("a letter"), " jumps there  ", _key("Esc"), " stays"
        )
        yield Static(how, id="how", markup=False)

    def on_resize(self) -> None:
        """Put each letter over the middle of its pane, once that has its place."""
        self.call_after_refresh(self._put)

    def _put(self) -> None:
        for label, target in zip(self.query(".letter"), self._targets, strict=False):
            x, y, width, height = target.pane.region
            left = max(width - label.outer_size.width, 0) // 2
            label.styles.offset = (x + left, y + height // 2)

    def on_key(self, event: Key) -> None:
        """Go to the pane of a letter; any other key stays where it is."""
        event.stop()
        event.prevent_default()
        self._leave(one for one in self._targets if one.letter == event.character)

    def on_click(self, event: Click) -> None:
        """Go to the pane that is clicked."""
        at = event.screen_offset
        self._leave(one for one in self._targets if one.pane.region.contains_point(at))

    def _leave(self, chosen: Iterable[Target]) -> None:
        one = next(iter(chosen), None)
        if self.is_current:  # two keys may come at once
            self.dismiss("" if one is None else one.goes_to or one.pane.id or "")


def _key(text: str) -> Content:
    return Content.styled(f" {text} ", "bold reverse $accent")
