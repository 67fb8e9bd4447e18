"""The picker: the built-in scenarios and the files around, with a preview."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from queue import Empty, SimpleQueue
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from ...core.base.errors import InputError, Interrupted
from ...core.base.files import open_regular
from ...core.base.limits import LIMITS
from ...core.base.progress import stage
from ...core.base.text import clean, counted
from ...core.capture import ENDING
from ...core.debugger.debugger import event_count
from ...core.scenario.builtin import builtin_names, tours
from ...core.scenario.scenario import Scenario, load
from ...core.words.numbers import shape_text
from ..graph.drawing import Piece, cut
from ..graph.scene import Atlas
from ..panes.base.background import Background, is_there
from ..panes.base.pane import OneLine
from .keys import footer
from .messages import Open

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.app import ComposeResult
    from textual.events import Click, Key, Resize

    from ...core.base.progress import Progress
    from ...core.engine.graph import Graph

_GROUPS = ("first steps", "matrices", "networks", "trouble")
_MOST_FILES = 200
_MOST_NODES = 500  # of a graph that is drawn: a preview comes with every key
_MOST_LINES = 60  # of a graph that are shown
_LEAST_WIDTH = 72  # of a window in which a preview has room
_GRAPH = 9  # lines of a graph, at least
_MOST_FACTS = 4  # lines
_PREVIEW = Size(56, 24)  # cells, where the window does not say otherwise
_TOUR = "The lessons for a beginning, step by step: five minutes each."
_HEAD = 4000  # bytes, in which a scenario says that it is one
_VERSION = re.compile(rb"^gradstep\s*=\s*\d", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Choice:
    """A scenario that can be opened: loaded, or what is wrong with it."""

    path: str  # of the file; of a built-in scenario its name
    group: str  # its heading in the list
    scenario: Scenario | None  # None where it cannot be read
    error: str = ""  # why; "" where it can; of the tour what there is to say
    tour: bool = False  # it is the tour through several lessons

    @property
    def title(self) -> str:
        """Return what to call it."""
        return self.scenario.subject.title if self.scenario else self.path

    def matches(self, text: str) -> bool:
        """Tell whether each word of `text` is somewhere in it."""
        summary = self.scenario.subject.summary if self.scenario else self.error
        if self.tour:
            summary = ""  # its lessons are in the list themselves
        whole = f"{self.path} {self.title} {self.group} {summary}".lower()
        return all(word in whole for word in text.lower().split())

    def is_called(self, text: str) -> bool:
        """Tell whether `text` is in its name or its title, not only in what it says."""
        return text.lower() in f"{Path(self.path).stem} {self.title}".lower()


def choices(folder: Path) -> list[Choice]:
    """Return the tour, the built-in scenarios by group, then those of a folder."""
    return built_in() + list(found_in(folder))


def built_in() -> list[Choice]:
    """Return the tour, and the scenarios that come with gradstep, by group."""
    found = [_choice(name, "") for name in builtin_names()]
    found.sort(key=lambda c: (_rank(c.group), c.scenario.order if c.scenario else 0))
    return [_tour(), *found]


def _tour() -> Choice:
    lessons = "\n".join(f"  {one.title}" for one in tours())
    text = f"{_TOUR}\n\n{lessons}\n\nEach step says what to press and what to look at."
    return Choice("tour", "", None, text, tour=True)


def found_in(folder: Path, progress: Progress | None = None) -> Iterator[Choice]:
    """Yield the scenarios and captures of a folder, each as soon as it is loaded.

    `progress` is told of the files, and while each is read.
    """
    paths = sorted(_files(folder))[:_MOST_FILES]
    for number, path in enumerate(paths):
        tell = stage(progress, number, len(paths))
        if tell is not None:
            tell(0, 1)  # that it begins: not each file tells how far it is
        yield _choice(str(path), "files here", tell)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files that say that they are scenarios, near the top, and captures."""
    yield from folder.glob(f"*{ENDING}")
    for path in folder.glob("*.toml"):
        try:
            with open_regular(path, LIMITS.text) as file:
                head = file.read(_HEAD)
        except InputError:
            continue
        if _VERSION.search(head):
            yield path


def _rank(group: str) -> int:
    return _GROUPS.index(group) if group in _GROUPS else len(_GROUPS)


@cache
def builtin(name: str) -> Scenario:
    """Return a scenario that comes with gradstep, loaded once."""
    return load(name)


def _choice(path: str, group: str, progress: Progress | None = None) -> Choice:
    try:
        if not group:
            scenario = builtin(path)
            return Choice(path, scenario.group or "more", scenario)
        return Choice(path, group, load(path, LIMITS, progress, listed=True))
    except InputError as error:
        return Choice(path, group, None, str(error))


class Choices(OptionList, can_focus=False):
    """The list of scenarios. The keys stay with the search line."""

    def on_click(self, event: Click) -> None:
        """Let a click do nothing on what is gone."""
        drop_if_gone(event, self)


def drop_if_gone(event: Click, listing: OptionList) -> None:
    """Drop a click on an option of the last frame that the list has no longer."""
    if event.style.meta.get("option", -1) >= listing.option_count:
        event.prevent_default()


class Picker(Screen[int]):
    """Choose a scenario. Typing filters."""

    DEFAULT_CSS = """
    Picker #title { height: 1; text-style: bold; color: $primary; padding: 0 1; }
    Picker #search { height: 3; border: round $panel; }
    Picker #choices {
        width: 1fr; height: 1fr; max-height: 100%; border: round $panel;
        padding: 0; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    Picker #preview {
        width: 1fr; border: round $panel; padding: 0 0 0 1;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
    }
    Picker #choices > .option-list--option-disabled { color: $secondary; }
    Picker.-narrow #choices { width: 49; }
    Picker.alone #choices { width: 1fr; }
    Picker.alone #preview { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("escape", "back", "back"),
        Binding("ctrl+q", "leave", "quit", show=False),
    ]

    def __init__(self, instead_of: str = "") -> None:
        """Take what the session is about that Escape goes back to; "" for none."""
        super().__init__()
        self._instead_of = instead_of
        self._all: list[Choice] = []
        self._reading = Background(self._tell_reading)  # the files of the folder
        self._drawing = Background(self._tell_drawing)  # what is highlighted
        self._wanted: tuple[Choice, Size] | None = None  # to be seen
        self._drawn: tuple[Choice, Size] | None = None  # by the work begun last
        self._found: SimpleQueue[Choice] = SimpleQueue()  # by the work, not listed yet
        self._shown: list[Choice] = []
        self._typed = ""
        self._said = self._listed = ""  # of the reading: by now, and in the list
        self._shown_choice: Choice | None = None

    def compose(self) -> ComposeResult:
        """Lay out the search line, the list and the preview."""
        yield Static("gradstep · a debugger for backpropagation", id="title")
        yield Input(placeholder="type to filter", id="search")
        with Horizontal():
            yield Choices(id="choices", markup=False)
            with VerticalScroll(id="preview", can_focus=False):
                yield Static(id="text", markup=False)
        yield OneLine(id="keys")

    def on_mount(self) -> None:
        """Fill the list."""
        if not is_there(self):
            return
        self._all = built_in()
        self._fill("")
        self.query_one(Input).focus()
        self._reading.run(self.app, self._read, self._end_reading)

    def on_unmount(self) -> None:
        """End what goes on."""
        self._reading.close()
        self._drawing.close()

    # ------------------------------------------------------------ files, in background

    def _read(self) -> bool:
        """Read the files of the folder, until that is given up; tell whether it was."""
        with suppress(Interrupted):
            for choice in found_in(Path.cwd(), self._reading.progress):
                _label(choice)  # what a line of it says is known from then on
                self._found.put(choice)
            return False
        return True

    def _tell_reading(self, done: int, of: int) -> None:
        """Say how far the files are read, and list what there is by now."""
        share = f" {100 * done // of} %" if of else ""
        self._list_found(f"reading the files here{share} …  Escape gives it up")

    def _end_reading(self, is_given_up: bool) -> None:
        self._list_found("the other files were not read" if is_given_up else "")

    def _list_found(self, said: str) -> None:
        """Add the choices that were found since, below those that are listed."""
        if not is_there(self):
            return
        self._said, count = said, len(self._all)
        with suppress(Empty):
            while True:
                self._all.append(self._found.get_nowait())
        if len(self._all) > count or said != self._listed:
            self._fill(self._typed, keep=self._shown_choice)

    def on_key(self, event: Key) -> None:
        """Take the keys back: a click beside everything takes the focus away."""
        line = self.query_one(Input)
        if not line.has_focus:
            event.stop()
            event.prevent_default()
            self.set_focus(line)
            line._forward_event(event)  # noqa: SLF001  # as Textual does

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show only what matches."""
        self._fill(event.value)

    def on_input_submitted(self) -> None:
        """Open on Enter: it comes through the line, behind the letters before it."""
        self.action_open()

    def _fill(self, text: str, keep: Choice | None = None) -> None:
        """List what matches, with what is to be kept highlighted, or the best of it."""
        self._typed, self._listed = text, self._said
        listing = self.query_one(OptionList)
        listing.clear_options()
        self._shown = [choice for choice in self._all if choice.matches(text)]
        group = None
        for choice in self._shown:
            if choice.group != group and not choice.tour:
                group = choice.group
                listing.add_option(Option(Text(group.upper(), "bold"), disabled=True))
            listing.add_option(Option(_label(choice), id=choice.path))
        named = (choice for choice in self._shown if choice.is_called(text))
        first = next(named, self._shown[0] if self._shown else None)
        if keep in self._shown:
            first = keep
        if first is not None:
            listing.highlighted = listing.get_option_index(first.path)
        else:
            self._shown_choice = None
            listing.add_option(Option(_nothing(text), disabled=True))
            self.query_one("#text", Static).update("")
        if self._said:
            listing.add_option(Option(Text(f"  {self._said}", "dim"), disabled=True))

    def action_move(self, by: int) -> None:
        """Move the highlight."""
        listing = self.query_one(OptionList)
        if by > 0:
            listing.action_cursor_down()
        else:
            listing.action_cursor_up()

    def on_option_list_option_highlighted(
        self, event: OptionList.OptionHighlighted
    ) -> None:
        """Preview what is highlighted."""
        choice = self._choice(event.option_id)
        if choice is not None:
            self._show(choice)

    def _show(self, choice: Choice) -> None:
        """Show what a choice is, with its graph; the last one that was asked for."""
        room = self.query_one("#preview").scrollable_content_region.size
        is_new = choice is not self._shown_choice
        self._shown_choice = choice
        self._wanted = choice, (room if room.width else _PREVIEW)
        if is_new or self._wanted != self._drawn:
            self._draw(*self._wanted)

    def _draw(self, choice: Choice, room: Size) -> None:
        if not self._drawing.busy:
            self._drawn = choice, room
            work = partial(preview, choice, room)
            self._drawing.run(self.app, work, self._take_preview)

    def _tell_drawing(self, _done: int, _of: int) -> None:
        """Say what is being drawn, until it is."""
        if self._shown_choice is not None and is_there(self):
            text = Text(self._shown_choice.title, "bold").append("\n\ndrawing …", "dim")
            self._put(text)

    def _take_preview(self, text: Text) -> None:
        """Show what was drawn, or draw what is to be seen by now."""
        if self._wanted is None or self._shown_choice is None or not is_there(self):
            return
        if self._drawn == self._wanted:
            self._put(text)
        else:
            self._draw(*self._wanted)

    def _put(self, text: Text) -> None:
        self.query_one("#text", Static).update(text)
        self.query_one("#preview").scroll_home(animate=False)

    def on_resize(self, event: Resize) -> None:
        """Lay the preview out anew, or leave it out where it has no room."""
        self.set_class(event.size.width < _LEAST_WIDTH, "alone")
        where = "picker over a session" if self._instead_of else "picker"
        for keys in self.query("#keys").results(OneLine):  # none while it mounts
            keys.tell(*footer(event.size.width, where))
        self.call_after_refresh(self._show_again)

    def _show_again(self) -> None:
        if self._shown_choice is not None:
            self._show(self._shown_choice)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open what was clicked."""
        self._open(self._choice(event.option_id))

    def _choice(self, path: str | None) -> Choice | None:
        """Return the choice with a path: a message can be older than the list."""
        return next((choice for choice in self._shown if choice.path == path), None)

    def action_open(self) -> None:
        """Open what is highlighted, in the list of what is typed by now."""
        typed = self.query_one(Input).value
        if typed != self._typed:
            self._fill(typed)
        option = self.query_one(OptionList).highlighted_option
        self._open(self._choice(option.id) if option else None)

    def _open(self, choice: Choice | None) -> None:
        if choice is not None:
            path = tours()[0].name if choice.tour else choice.path
            self.post_message(Open(path, tour=choice.tour))

    def action_back(self) -> None:
        """Give up reading, or go back to the session below; without one, leave."""
        if self._reading.busy:
            self._reading.cancel()
        elif not self._instead_of:
            self.action_leave()
        elif self.is_current:  # two keys may come at once
            self.app.pop_screen()

    def action_leave(self) -> None:
        """Leave gradstep."""
        self.app.exit(0)


def _nothing(text: str) -> Text:
    return Text(f"  no scenario matches {clean(text)!r}: Backspace")


def _label(choice: Choice) -> Text:
    if choice.tour:
        return Text("  Take the tour").append(f"  {len(tours())} lessons", "dim")
    if choice.scenario is None:
        return Text("  ").append(choice.title).append("  cannot be read", "bold red")
    events = f"  {counted(event_count(choice.scenario), 'event')}"
    return Text(f"  {choice.title}").append(events, "dim")


def preview(choice: Choice, room: Size = _PREVIEW) -> Text:
    """Return what a person wants to know before opening a scenario.

    The graph comes after the summary, and is in sight as far as there is room.
    """
    if choice.scenario is None:
        return Text(choice.error)
    (width, height), scenario = room, choice.scenario
    graph = scenario.subject.graph
    summary = wrap(scenario.subject.summary, width)
    most = max(height - _GRAPH - 4, 2)
    if len(summary) > most:
        summary[most - 1 :] = ["…"]
    facts = [clean(choice.path), *wrap(_facts(scenario), width)[:_MOST_FACTS]]
    program = graph.sources[graph.main].text.strip("\n").split("\n")
    left = height - len(summary) - 4
    below = len(facts) + len(program) + 2
    high = left - below if left - below >= _GRAPH else max(left, _GRAPH)
    parts = (
        ("bold", [scenario.subject.title]),
        ("", summary),
        ("", drawn(graph, (width, high))),
        ("dim", facts),
        ("", program),
    )
    texts = (Text("\n".join(lines), style) for style, lines in parts if lines)
    return Text("\n\n").join(texts)


def drawn(graph: Graph, room: tuple[int, int]) -> list[str]:
    """Return a graph as lines of text, folded until it fits into the room."""
    if len(graph) > _MOST_NODES:
        return ["(too large to be drawn here)"]
    scene, _ = Atlas(graph, numbers=False).automatic(room, None)
    lines = [_row(*scene.row(y)) for y in range(min(scene.height, _MOST_LINES))]
    return [cut(line.rstrip(), room[0]).removesuffix(" …").rstrip() for line in lines]


def _row(line: str, labels: Sequence[tuple[int, int, tuple[Piece, ...]]]) -> str:
    """Write the labels into a line of edges."""
    for x, _box, pieces in labels:
        words = "".join(_blank(piece) for piece in pieces)
        line = line[:x].ljust(x) + words + line[x + len(words) :]
    return line


def _blank(piece: Piece) -> str:
    """Return a piece without what only a run can fill in."""
    filled = piece.part in ("mark", "stop", "bar", "number")
    return " " * len(piece.text) if filled else piece.text


def _facts(scenario: Scenario) -> str:
    graph = scenario.subject.graph
    leaves = [n for n in graph if n.kind in ("input", "parameter")]
    given = ", ".join(f"{n.name} {shape_text(n.shape)}" for n in leaves[:12])
    count = sum(math.prod(n.shape) for n in leaves if n.kind == "parameter")
    size = f"{counted(len(graph), 'node')}, {counted(count, 'parameter')}"
    return f"{size}, output {graph.nodes[graph.output].name}; {given}"
