"""The timeline: where we are between start and end, to be clicked and dragged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment

from ..base.background import Kept
from ..base.pane import Asked, Line, Pane, View, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.events import Click, MouseDown, MouseMove, MouseUp

    from ....core.engine.trace import Trace
    from ....core.session.stops import Stop


_START: Final = " start "
_END: Final = " end "


class TimelinePane(Pane, can_focus=False):
    """One line: start, forward, the output, backward, updates, end.

    `●` is the present position, `◆` a breakpoint, `▽` a mark.
    """

    ALLOW_SELECT: ClassVar[bool] = False  # to drag is to travel
    TITLE: ClassVar[str] = ""
    WORD: ClassVar[str] = "event"
    HELP: ClassVar[str | None] = "Click or drag: go to that moment."
    INKS: ClassVar[Mapping[str, str]] = {
        **Pane.INKS,
        "timeline--past": "$primary",
        "timeline--future": "dim",
        "timeline--present": "bold $accent",
        "timeline--stop": "bold $error",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._dragging = False
        self._columns: Kept[frozenset[int]] = Kept()

    def show(self, view: View) -> None:
        """Draw the present position."""
        self._view = view
        self.repaint()

    def draw(self, y: int) -> Line:
        """Draw the line with its borders, stops and marks."""
        if self._view is None or y:
            return []
        debugger = self._view.debugger
        trace, position = debugger.trace, debugger.position
        width = self._track()
        seed, backward, update, here = (
            column_of(place, len(trace), width)
            for place in (
                trace.seed_position,
                trace.seed_position + 1,
                trace.update_position,
                position,
            )
        )
        cells = ["─"] * width
        cells[seed] = "┼"
        stops = debugger.memory.stops
        key = trace, width, places(stops)
        how = partial(_stopped, stops.values(), trace, width)
        marked = dict.fromkeys(self._columns.of(key, how) or (), "timeline--stop")
        for column in marked:
            cells[column] = "◆"
        for place in debugger.memory.marks.values():
            if place.iteration == debugger.place.iteration:
                cells[column_of(place.position, len(trace), width)] = "▽"
        cells[here], marked[here] = "●", "timeline--present"
        _label(cells, 0, seed, "forward")
        _label(cells, backward, update, "backward")
        if trace.updates:
            _label(cells, update, width, "update")
        line: Line = []
        at, base = 0, "timeline--past"
        text = "".join((_START, *cells, _END))
        for column in sorted(marked):
            place = column + len(_START)
            if at < place:
                line.append(Segment(text[at:place], self.ink(base)))
            line.append(Segment(text[place], self.ink(marked[column])))
            at, base = place + 1, base if column < here else "timeline--future"
        return [*line, Segment(text[at:], self.ink(base))]

    def _track(self) -> int:
        return max(self.size.width - len(_START) - len(_END), 2)

    def _go(self, x: int) -> None:
        if self._view is None:
            return
        size = len(self._view.debugger.trace)
        share = (x - len(_START)) / max(self._track() - 1, 1)
        position = round(min(max(share, 0.0), 1.0) * size)
        if position != self._view.debugger.position:
            self.post_message(Asked(f"goto {position}"))

    def on_mouse_down(self, event: MouseDown) -> None:
        """Take hold of the position."""
        self._dragging = True
        self.capture_mouse()
        self._go(event.x)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Drag the position along."""
        if self._dragging:
            self._go(event.x)

    def on_mouse_up(self, _event: MouseUp) -> None:
        """Let go of the position."""
        self._dragging = False
        self.release_mouse()

    def on_click(self, event: Click) -> None:
        """Keep a click from choosing anything below."""
        event.stop()


def column_of(position: int, size: int, width: int) -> int:
    """Return the column of a position on a track of `width` columns.

    >>> [column_of(p, 13, 80) for p in (0, 13)]
    [0, 79]
    """
    return round(position / max(size, 1) * (width - 1))


def _label(cells: list[str], start: int, stop: int, text: str) -> None:
    """Write a word into a stretch: as near to its middle as stops and marks allow."""
    text = f" {text} "
    last = stop - len(text) - 2  # some of the line is to be seen at both ends
    middle = (start + stop - len(text)) // 2
    for first in sorted(range(start + 2, last + 1), key=lambda c: abs(c - middle)):
        if all(cell == "─" for cell in cells[first : first + len(text)]):
            cells[first : first + len(text)] = text
            return


def _stopped(stops: Iterable[Stop], trace: Trace, width: int) -> frozenset[int]:
    """Return the columns in which a breakpoint stops.

    Of one that has very many places some will do: they fill the track.
    """
    columns: set[int] = set()
    for stop in stops:
        if stop.enabled and stop.location is not None:
            nodes = stop.location.nodes
            some = nodes[:: max(len(nodes) // _MOST_PLACES, 1)]
            spans = stop.location._replace(nodes=some).spans(trace)
            columns.update(column_of(s.start, len(trace), width) for s in spans)
    return frozenset(columns)


_MOST_PLACES: Final = 2000  # of one breakpoint that are looked at
