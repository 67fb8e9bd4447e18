"""The source, with its arrow, its stops, and what each line is worth now."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView

from ...core.commands.looking import NO_SOURCES
from ...core.engine.element import Element
from ...core.engine.measure import norm
from ...core.session.steps import place_of, present_node
from ...core.session.stops import Stop, covered, is_covered
from ...core.words.numbers import number_text
from ..graph.drawing import cut
from .base.background import Kept
from .base.known import Known
from .base.pane import Asked, Chosen, Line, Pane, View, filled, places
from .comments import Row, page_of, pages
from .syntax import Kinds, roles_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from textual.binding import BindingType
    from textual.events import Click

    from ...core.engine.graph import Frame, Graph, Statement
    from ...core.engine.trace import Trace
    from ...core.ops.table import Array

    _Calls = Mapping[tuple[str, str], Sequence[Frame]]  # by source and function

_MARKS = 3  # columns of mark, stop, and the blank behind the number
_LEAST_NOTE = 8
_WORTH: Final = 11  # columns of what a line is worth, about
_Runs = list[tuple[str, int]]
_DEF: Final = re.compile(r"\s*def\s+(\w+)")


# Textual's own scroll view narrows a method of its widget.
class ProgramPane(Pane, ScrollView):  # pyright: ignore[reportIncompatibleMethodOverride]
    """The lines of a source. `▶` is the line of the step that is shown."""

    TITLE: ClassVar[str] = "Program"
    WORD: ClassVar[str] = "frame"
    HELP: ClassVar[str | None] = (
        "The program of the scenario.\n"
        "▶ the line whose step is shown   ● a breakpoint\n"
        "What the matrices of the step come from has the colours of their titles.\n"
        "A comment that is cut stands whole below the program, where there is room.\n"
        "At the right: what the line is worth here: its value, or once the backward "
        "pass has reached it, its gradient, marked ∂; of an array the norm, ‖ ‖.\n"
        "in x1: the call that all lines of a function speak of.\n"
        "up, down: another line   b: break there   enter: choose what it assigns"
    )
    INKS: ClassVar[Mapping[str, str]] = {
        **Pane.INKS,
        "program--number": "dim",
        "program--code": "$foreground",
        "program--keyword": "bold $primary",
        "program--call": "$primary",
        "program--literal": "$secondary",
        "program--upstream": "bold $upstream",
        "program--local": "bold $local",
        "program--contribution": "bold $accent",
        "program--future": "dim",
        "program--present": "bold $foreground",
        "program--note": "dim italic",
        "program--worth": "$secondary",
        "program--stop": "bold $error",
        "program--cursor": "on $panel",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        ("up", "move(-1)", "up"),
        ("down", "move(1)", "down"),
        ("enter", "choose", "choose"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text: str | None = None
        self._lines: tuple[str, ...] = ()
        self._digits = 1  # of the last line's number
        self._kinds = Kinds("")  # of their characters
        self._present = 0  # the line of the step
        self._frames: Mapping[tuple[str, str], Frame] = {}  # the call of each function
        self._all_calls: Kept[_Calls] = Kept()
        self._calls = {0}  # the numbers of those, and of the program itself
        self._norms = Known(norm)
        self._source = ""
        self._view: View | None = None
        self._moment: tuple[Trace, int] | None = None  # its trace and its position
        self._stops: Sequence[tuple[int, int]] = ()
        self._covered: Kept[Sequence[tuple[int, int]]] = Kept()

    @staticmethod
    def lines_wanted(graph: Graph, width: int, most: int) -> int:
        """Return how many lines a graph's own sources want, in a pane so wide.

        That is all of their code, and below it one of the comments that are cut there,
        if they have room in the most lines that there are.
        """
        texts = (graph.sources[name].text for name in graph.own)
        return max((_lines_of(text, width, most) for text in texts), default=0)

    @staticmethod
    def columns_wanted(graph: Graph) -> int:
        """Return how many columns the code of a graph's own sources wants.

        That is with what each line is worth, and without the comments.
        """
        texts = (graph.sources[name].text for name in graph.own)
        return max(map(_columns_of, texts), default=0)

    def show(self, view: View) -> None:
        """Draw the program at this moment."""
        self._view = view
        trace = view.debugger.trace
        self._moment = trace, view.debugger.position
        graph = trace.run.graph
        self._source, self._present = present_line(trace, view.shown)
        here = present_node(trace, view.shown)
        calls = self._all_calls.of(graph, lambda: calls_of(graph)) or {}
        self._frames = nearest_frames(calls, here)
        self._calls = {0, *(frame.index for frame in self._frames.values())}
        stops = view.debugger.memory.stops
        key = graph, places(stops)
        self._stops = self._covered.of(key, lambda: _breaks(stops)) or ()
        source = graph.sources.get(self._source)
        self._read("" if source is None else source.text)
        self.head(self.TITLE, self._shown(graph, here))
        if self._present:
            self.cursor = self._present - 1
            self._reveal()
        self.repaint()

    def _shown(self, graph: Graph, node: int) -> str:
        """Return the source and the call that are shown, where there are several."""
        source = self._source
        frame = graph.frame_of(graph.nodes[node])
        while frame and frame.name and frame.source != source:
            frame = graph.frames[frame.parent]
        if source not in graph.own or len(graph.own) == 1:
            return "" if [source] == graph.own else source
        return f"{source} · {frame.name}" if frame and frame.name else source

    def _reveal(self) -> None:
        """Turn to the page of the cursor's line, before the lines are drawn.

        Pages overlap, so that there is a line before it and one after it; and which one
        is shown does not depend on how a person came here.
        """
        page = max(self.size.height - 2, 1)
        above = int(self.size.height > 1)  # of a single line there is none
        first = min(max(self.cursor // page * page - above, 0), self.max_scroll_y)
        if first != self.scroll_y:
            self.scroll_to(y=first, animate=False, force=True, immediate=True)

    def _read(self, text: str) -> None:
        """Take the lines of a source; most of the time they are there already."""
        if text == self._text:
            return
        self._text = text
        self._lines = tuple(text.splitlines()) or (NO_SOURCES,)
        self._kinds = Kinds(text)
        self._digits = len(str(len(self._lines)))
        widest = max(map(len, self._lines))
        self.virtual_size = Size(self._left + widest, len(self._lines))

    @property
    def _left(self) -> int:
        """How many columns stand before the code."""
        return _MARKS + self._digits

    def place(self) -> str:
        """Return the line under the cursor as a location."""
        graph = self._view.debugger.graph if self._view else None
        is_main = graph is None or self._source == graph.main
        source = "" if is_main else f"{self._source}:"
        return f"line:{source}{self.cursor + 1}"

    def action_move(self, by: int) -> None:
        """Move the cursor over the lines."""
        self.cursor = min(max(self.cursor + by, 0), len(self._lines) - 1)
        self._reveal()
        self.repaint()

    def action_choose(self) -> None:
        """Choose what the line under the cursor assigns."""
        statement = self._statement(self.cursor + 1)
        if statement is None or self._view is None:
            return
        node = self._view.debugger.graph.names.get(statement.target)
        if node is not None:
            self.post_message(Chosen(Element(node, "value", None)))

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._reveal()

    def on_click(self, event: Click) -> None:
        """Choose a line; in the gutter, set a breakpoint there."""
        y = event.y - self.gutter.top
        row = self._row_below(y)
        line = row.line - 1 if row else y + int(self.scroll_offset.y)
        if not 0 <= line < len(self._lines):
            return
        self.cursor = line
        if event.x - self.gutter.left < self._left:
            self.post_message(Asked(self._toggled()))
        else:
            self.action_choose()
        self.repaint()

    def draw(self, y: int) -> Line:
        """Draw one line: mark, stop, number, code, note, and its worth at the right."""
        number = y + self.scrolled.y + 1
        width = self.room.width - self.scrollbar_size_vertical
        if self._view is None:
            return []
        if number > len(self._lines):
            return self._draw_below(self._row_below(y))
        style = self.ink
        code, hash_sign, note = self._lines[number - 1].partition("#")
        present = number == self._present
        statement = self._statement(number)
        state = "program--present" if present else "program--code"
        if not present and self._is_future(statement):
            state = "program--future"
        stop = "●" if self._has_stop(statement) else " "
        worth = self._worth(statement) if statement else self._call(code)
        worth = worth and f" {worth}"
        left, room = self.scrolled.x, max(width - self._left, 0)
        if present and len(code[left:].rstrip()) > room - len(worth):
            worth = ""  # what is done now goes before what it is worth
        room = max(room - len(worth), 0)
        text = code[left:]
        text = text[:room] if len(text.rstrip()) <= room else cut(text, room)
        rest = cut((hash_sign + note)[max(left - len(code), 0) :], room - len(text))
        is_below = bool(code and note) and any(r.line == number for r in self._below())
        if is_below or len(rest) < min(len(note), _LEAST_NOTE):
            rest = ""  # it is said whole; and a note of two letters helps nobody
        line = [
            Segment("▶" if present else " ", style("program--contribution")),
            Segment(stop, style("program--stop")),
            Segment(f"{number:>{self._digits}} ", style("program--number")),
            *self._coloured(text, number, left, state),
            Segment(rest, style("program--note")),
            Segment(" " * (room - len(text) - len(rest))),
            Segment(worth, style("program--worth")),
        ]
        if number - 1 == self.cursor and self.has_focus:
            return filled(line, width, style("program--cursor"))
        return line

    def _below(self) -> Sequence[Row]:
        """Return the comments that stand whole below the program: a page of them."""
        width, height = self.room
        found = pages(self._text or "", width - self._left, height)
        return page_of(found, self.cursor + 1)

    def _row_below(self, y: int) -> Row | None:
        """Return what stands in a line of the pane, where it is below the program."""
        rows, place = self._below(), y - len(self._lines) - 1
        return rows[place] if 0 <= place < len(rows) else None

    def _draw_below(self, row: Row | None) -> Line:
        """Draw a row of a comment, with the number of its line."""
        if row is None:
            return []
        sign = "▶" if row.is_first and row.line == self._present else " "
        number = f"{row.line if row.is_first else '':>{self._digits}} "
        return [
            Segment(f"{sign} ", self.ink("program--contribution")),
            Segment(number, self.ink("program--number")),
            Segment(row.text, self.ink("program--note")),
        ]

    def _coloured(
        self, text: str, number: int, left: int, state: str
    ) -> Iterator[Segment]:
        """Yield code that begins at column `left` of a line, in its colours.

        What is to come has none; in the line of the step its matrices have theirs.
        """
        base = self.ink(state)
        if state == "program--future" or number > len(self._kinds):
            yield Segment(text, base)
            return
        kinds: Sequence[str] = self._kinds[number - 1]
        if number == self._present:
            kinds = self._with_roles(kinds, number)
        start = 0
        for kind, end in _runs(tuple(kinds)):
            stop = max(end - left, 0)
            if start < min(stop, len(text)):
                ink = base if kind == "code" else self.ink(f"program--{kind}")
                yield Segment(text[start:stop], ink)
            start = stop
        yield Segment(text[start:], base)

    def _with_roles(self, kinds: Sequence[str], number: int) -> Sequence[str]:
        """Say of the step's line which of its matrices a character comes from."""
        if self._view is None:
            return kinds
        debugger, found = self._view.debugger, list(kinds)
        event = debugger.trace.event(self._view.shown - 1)
        node = debugger.graph.nodes[place_of(event)]
        frame = debugger.graph.frame_of(node)
        if frame is not None and frame.source != self._source:
            return kinds  # the line only calls what is done
        line = self._lines[number - 1]
        for start, stop, role in roles_of(debugger.graph, event, line):
            found[start:stop] = [role or "code"] * (stop - start)
        return found

    def _statement(self, line: int) -> Statement | None:
        """Return the instance of a line in the call that its function speaks of."""
        if self._moment is None:
            return None
        graph = self._moment[0].run.graph
        found = graph.lines.get((self._source, line), ())
        return next((one for one in found if one.frame in self._calls), None)

    def _call(self, code: str) -> str:
        """Return the call that the lines below a `def` speak of."""
        head = _DEF.match(code)
        frame = self._frames.get((self._source, head[1])) if head else None
        return "" if frame is None else f"in {frame.name}"

    def _toggled(self) -> str:
        """Return the command that sets a breakpoint on a line, or deletes those there.

        Only those of this one line: one of a function or of an operation covers more.
        """
        here = self.place()
        stops = self._view.debugger.memory.stops.values() if self._view else ()
        found = [str(s.number) for s in stops if s.kind == "break" and s.text == here]
        return f"delete {' '.join(found)}" if found else f"break {here}"

    def _has_stop(self, statement: Statement | None) -> bool:
        return statement is not None and is_covered(
            self._stops, statement.first, statement.stop
        )

    def _is_future(self, statement: Statement | None) -> bool:
        if statement is None or self._moment is None:
            return False
        trace, position = self._moment
        return trace.value(max(statement.stop - 1, 0), position) is None

    def _worth(self, statement: Statement | None) -> str:
        """Return the value that a line assigns, or its gradient once there is one."""
        if statement is None or self._moment is None:
            return ""
        trace, position = self._moment
        node = trace.run.graph.names.get(statement.target)
        if node is None:
            return ""
        gradient = trace.gradient(node, position)
        if gradient is not None:
            return f"∂ {self._short(gradient)}"
        value = trace.value(node, position)
        return "" if value is None else self._short(value)

    def _short(self, array: Array) -> str:
        if array.ndim == 0:
            return number_text(array.item())
        size = self._norms.of(array, self, self.repaint)
        return "…" if size is None else f"‖{number_text(size)}‖"


@lru_cache(1000)  # of lines in sight, each for many frames
def _runs(kinds: tuple[str, ...]) -> _Runs:
    """Return each kind that a line has, and up to which character.

    >>> _runs(("call", "call", "code"))
    [('call', 2), ('code', 3)]
    """
    runs: _Runs = []
    for kind, alike in groupby(kinds):
        runs.append((kind, (runs[-1][1] if runs else 0) + len(list(alike))))
    return runs


def _breaks(stops: Mapping[int, Stop]) -> Sequence[tuple[int, int]]:
    """Return the nodes that have a breakpoint."""
    return covered(stop for stop in stops.values() if stop.kind == "break")


def calls_of(graph: Graph) -> _Calls:
    """Return for each source and function its calls, in their order.

    No function calls itself, so that no two of its calls have a node in common.
    """
    calls: dict[tuple[str, str], list[Frame]] = {}
    for frame in graph.frames[1:]:
        calls.setdefault((frame.source, frame.function), []).append(frame)
    return calls


def nearest_frames(calls: _Calls, here: int) -> Mapping[tuple[str, str], Frame]:
    """Return for each source and function the call nearest to a node.

    Of some that are as near it is the first one.
    """
    found: dict[tuple[str, str], Frame] = {}
    for key, frames in calls.items():
        after = bisect_right(frames, here, key=_stop)  # the first that ends behind it
        before = after and bisect_left(frames, frames[after - 1].stop, key=_stop)
        near = frames[before : after + 2]
        found[key] = min(near, key=lambda frame: _distance(frame, here))
    return found


def _stop(frame: Frame) -> int:
    return frame.stop


def _distance(frame: Frame, node: int) -> int:
    return max(frame.first - node, node - frame.stop + 1, 0)


def present_line(trace: Trace, position: int) -> tuple[str, int]:
    """Return the source and the line of the step that is shown; line 0 at the start.

    Where little else is known of that source, it is the line that calls it.
    """
    graph: Graph = trace.run.graph
    node = graph.nodes[present_node(trace, position)]
    if node.site is None or position == 0:
        return graph.main, 0
    around = graph.around(node.site)
    places = [(frame.source, site.line) for site, _, frame in around]
    texts = ((one, graph.sources.get(one[0])) for one in places)
    known = (one for one, text in texts if text is None or _is_known(text.text))
    return next(known, places[0])


@lru_cache(64)  # it is asked for with every key
def _is_known(text: str) -> bool:
    """Tell whether most lines of a source are known.

    Of somebody else's a capture has those alone that were executed: between blank lines
    they say less than the line that calls them.
    """
    lines = text.splitlines()
    return 2 * sum(map(bool, map(str.strip, lines))) >= len(lines)


def _columns_of(text: str) -> int:
    """Return how many columns a program wants, its comments left out."""
    lines = text.rstrip().split("\n")
    code = max(len(line.partition("#")[0].rstrip()) for line in lines)
    return _MARKS + len(str(len(lines))) + code + _WORTH


def _lines_of(text: str, width: int, most: int) -> int:
    """Return how many lines a program wants, with the highest comment below it."""
    code = len(text.rstrip().split("\n"))
    found = pages(text, width - _MARKS - len(str(code)), most)
    rows = [row.line for page in found for row in page]
    return code + (1 + max(map(rows.count, rows)) if rows else 0)
