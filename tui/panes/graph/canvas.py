"""Where the graph is painted: it can be scrolled, and dragged about."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.geometry import Offset
from textual.scroll_view import ScrollView
from textual.widget import Widget

from ..base.pane import Line, Painted

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.geometry import Size
    from textual.reactive import Reactive


class Canvas(Painted, ScrollView, can_focus=False):
    """Where the graph is painted, line by line; it can be dragged about."""

    ALLOW_SELECT: ClassVar[bool] = False  # to drag is to pan

    def __init__(self, paint: Callable[[int, int, int], Line]) -> None:
        super().__init__()
        self._paint = paint
        self._held: Offset | None = None
        self.dragged = False

    def hold(self, picture: Size) -> None:
        """Take the size of a new picture; without bars nothing is laid out anew."""
        width, height = self.size
        sizes = self.virtual_size, picture
        if all(one.width <= width and one.height <= height for one in sizes):
            new = cast("Reactive[Size]", Widget.virtual_size)  # it is, of a class
            self.set_reactive(new, picture)
        else:
            self.virtual_size = picture

    def watch_virtual_size(self) -> None:
        """Show the bars that a new picture needs; Textual looks at a new size alone.

        The canvas has its place only when the screen is laid out again.
        """
        self.call_after_refresh(self._refresh_scrollbars)

    def draw(self, y: int) -> Line:
        """Draw one line."""
        left, top = self.scrolled
        return self._paint(top + y, left, self.room.width)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the picture."""
        self._held = event.screen_offset
        self.dragged = False
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the picture along."""
        if self._held is None:
            return
        by = self._held - event.screen_offset
        if by != Offset(0, 0):
            self.dragged = True
            self._held = event.screen_offset
            self.scroll_relative(by.x, by.y, animate=False)

    def on_mouse_up(self) -> None:
        """Let go of the picture."""
        self._held = None
        self.release_mouse()
