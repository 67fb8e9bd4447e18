"""Scroll bars of panes that are painted often."""

from __future__ import annotations

from textual.scrollbar import ScrollBar


class SlowBar(ScrollBar):
    """A scroll bar that is painted again where it looks different, and only there.

    In many lines it seldom does, and to paint it takes as long as to paint a pane.
    """

    _asked = 0.0  # the position that it was given, whatever it has room to show

    def watch_window_size(self) -> None:
        """Show the same position in another measure: as if it had come there now."""
        self.position = self._asked

    watch_window_virtual_size = watch_window_size

    def on_resize(self) -> None:
        """Likewise where the bar itself has other lines."""
        self.position = self._asked

    def validate_position(self, position: float) -> float:
        """Return a position with the same picture, which is in eighths of a cell."""
        self._asked = position = round(position)  # it is moved by whole lines
        # First: asked for its size, a screen that is new is laid out, and its bars.
        cells = self.size.height
        whole = self.window_virtual_size
        far = whole - self.window_size
        steps = 8 * (cells - max(1, self.window_size * cells / whole)) if whole else 0
        if 0 < steps < far:
            position = min((int(position / far * steps) + 0.5) * far / steps, far)
        return super().validate_position(position)
