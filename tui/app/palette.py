"""The palette: every command, view, node, scenario and theme, by typing a part of it.

Names and titles come from files, so that what is shown is made of `Content`, which is
never read as markup. A `help` text of its own, and what a matcher highlights, would be.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from textual.await_complete import AwaitComplete
from textual.command import (
    CommandList,
    CommandPalette,
    Hit,
    Hits,
    Provider,
)
from textual.content import Content

from ...core.engine.element import Element
from ...core.scenario.builtin import builtin_names
from ...core.words.numbers import shape_text
from ..panes.base.pane import Asked, Begun, Chosen
from ..panes.base.views import DIGITS, VIEWS
from .keys import ALWAYS, LINES
from .main_screen import MainScreen
from .messages import Open, UseTheme
from .picker import builtin, drop_if_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.events import Click

_MOST: Final = 50  # nodes that match
_MOST_SEEN: Final = 1000  # nodes that are looked through before anything is typed
# The place of each kind when the palette opens, and how many of it come first.
_OPENS_ON: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "Commands": (0, 6),
        "Nodes": (1, 4),
        "Views": (2, 9),
        "Scenarios": (3, 0),
        "Themes": (4, 0),
    }
)


class Entry(NamedTuple):
    """One thing to be found: its name, what is said of it, what choosing it does."""

    name: str  # a command, a node or a view
    said: str  # shown beside it; "" for nothing
    act: Callable[[], object]  # called when it is chosen


class Finder(Provider):
    """Entries that can be found by parts of their names or of what is said of them."""

    def entries(self, query: str) -> Iterator[Entry]:
        """Yield what there is; a query may leave out early what cannot match."""
        raise NotImplementedError

    async def discover(self) -> Hits:
        """Yield what is shown at once: the first of each kind first."""
        for place, (name, said, act) in enumerate(self.entries("")):
            kind, few = _OPENS_ON[type(self).__name__]
            score = (place < few) + (1 - kind / 10 - place / 10_000) / 2
            yield Hit(score, _shown(Content(name), said), act, text=name)

    async def search(self, query: str) -> Hits:
        """Yield what matches."""
        matcher = self.matcher(query)
        for name, said, act in self.entries(query):
            score = max(matcher.match(name), 0.8 * matcher.match(said))
            if name.lower().startswith(query.strip().lower()):
                score += 1  # `finish` before `reverse-finish`
            if score > 0:
                shown = _shown(_marked(name, query.strip()), said)
                yield Hit(score, shown, act, text=name)

    @property
    def main(self) -> MainScreen | None:
        """Return the main screen, where there is one to act on."""
        return self.screen if isinstance(self.screen, MainScreen) else None


def _marked(name: str, query: str) -> Content:
    """Return a name with what was typed marked in it, if it is there as it is typed."""
    at = name.lower().find(query.lower())
    if at < 0:
        return Content(name)
    return Content(name).stylize("underline", at, at + len(query))


def _shown(name: Content, said: str) -> Content:
    return name + Content.styled(f"   {said}", "dim") if said else name


def _place(name: str, known: Sequence[str]) -> int:
    """Return the place of a command among those that are known, or behind them."""
    return known.index(name) if name in known else len(known)


class Commands(Finder):
    """Every command, with its summary. One that needs arguments waits for them."""

    def entries(self, query: str) -> Iterator[Entry]:
        """Yield the commands."""
        del query
        main = self.main
        if main is None:
            return
        commands = main.debugger.commands.values()
        known = [
            LINES.get(one.key, "").split(" ")[0] for one in ALWAYS
        ]  # the footer teaches them
        for command in sorted(commands, key=lambda one: _place(one.name, known)):
            needs = command.usage and not command.usage.startswith("[")
            message = Begun(f"{command.name} ") if needs else Asked(command.name)
            lines = [LINES.get(key, "") for key in command.keys]
            if turning := [line for line in lines if "{turned}" in line]:
                message = Asked(main.filled(turning[0]))
            keys = f"   key {', '.join(command.keys)}" if command.keys else ""
            yield Entry(
                f"{command.name} {command.usage}".strip(),
                command.summary + keys,
                partial(main.post_message, message),
            )


class Views(Finder):
    """The views at the right."""

    def entries(self, query: str) -> Iterator[Entry]:
        """Yield the views with their keys."""
        del query
        main = self.main
        if main is None:
            return
        for name, title in VIEWS.items():
            act = partial(main.action_view, name)
            yield Entry(f"view: {title}", f"key {DIGITS[name]}", act)


class Nodes(Finder):
    """The nodes of the graph; choosing one chooses it in all panes."""

    def entries(self, query: str) -> Iterator[Entry]:
        """Yield the nodes whose names hold the query."""
        main, part = self.main, query.strip().lower()
        if main is None:
            return
        graph = main.debugger.graph
        nodes = (n for n in graph if part in n.name.lower())
        if not part:  # what the program itself names, the output first
            nodes = (
                n
                for n in reversed(graph.nodes[-_MOST_SEEN:])
                if not n.wording and n.site
            )
        for node in islice(nodes, _MOST):
            said = node.made_by
            text = node.site.text if node.site else ""
            shape = shape_text(node.shape) if node.shape else ""
            message = Chosen(Element(node.index, "value", None))
            yield Entry(
                node.name,
                "  ".join(word for word in ("node", said, shape, text) if word),
                partial(main.post_message, message),
            )


class Scenarios(Finder):
    """The scenarios that come with gradstep."""

    def entries(self, query: str) -> Iterator[Entry]:
        """Yield the scenarios with their titles."""
        del query
        for name in builtin_names():
            act = partial(self.app.post_message, Open(name))
            yield Entry(f"open {name}", builtin(name).subject.title, act)


class Themes(Finder):
    """The colours."""

    def entries(self, query: str) -> Iterator[Entry]:
        """Yield the themes: those of gradstep first."""
        del query
        themes = self.app.available_themes
        for name in sorted(themes, key=lambda n: (n[:8] != "gradstep", n)):
            said = "dark" if themes[name].dark else "light"
            act = partial(self.app.post_message, UseTheme(name))
            yield Entry(f"theme: {name}", said, act)


class Results(CommandList, can_focus=False):
    """What the palette has found. It can change between two frames."""

    def on_click(self, event: Click) -> None:
        """Let a click do nothing on what is gone."""
        drop_if_gone(event, self)

    def action_page_up(self) -> None:
        """Go a page up, once there are pages."""
        with suppress(KeyError):
            super().action_page_up()

    def action_page_down(self) -> None:
        """Go a page down, once there are pages."""
        with suppress(KeyError):
            super().action_page_down()


class Palette(CommandPalette):
    """The palette of Textual, which closes once: Escape and a click may come at once.

    The second of them would close the screen below.
    """

    def __init__(self) -> None:
        super().__init__(PROVIDERS, id="--command-palette")

    def compose(self) -> ComposeResult:
        """Lay out the palette of Textual, with a list of our own."""
        for widget in super().compose():
            yield Results() if type(widget) is CommandList else widget

    @property
    def answers_soon(self) -> bool:
        """Tell whether it still looks for what was typed: Enter takes what is found."""
        return any(not worker.is_finished for worker in self.workers)

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, unless it is closed."""
        return super().dismiss(result) if self.is_current else AwaitComplete.nothing()

    def _watch__list_visible(self) -> None:
        """Show the list while it is there: a letter may come after the last click."""
        if self.query(CommandList):
            super()._watch__list_visible()

    async def _watch__show_busy(self) -> None:
        """Show that it searches, likewise."""
        if self.query(CommandList):
            await super()._watch__show_busy()


PROVIDERS: Final = (Commands, Views, Nodes, Scenarios, Themes)
